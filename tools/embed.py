#!/usr/bin/env python3
"""Turns a folder's files into a C table.

Usage: embed.py WEB_DIR OUT.c DEPFILE          the page's (src/serve/http/assets.h), with compressed forms
       embed.py --plain DIR OUT.c DEPFILE      the looks' (src/paint/builtin.h), as they are
       embed.py --pictures OUT.c FILE...       those that `lacquer tune` tries models on
"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


def c_bytes(name, data):
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return f"static const uint8_t {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def files_in(folder):
    return sorted(
        path for path in folder.rglob("*")
        if path.is_file() and path.suffix in TYPES and not path.name.startswith(".")
    )


def page_table(folder, files):
    text = ['// Made by tools/embed.py.\n#include "serve/http/assets.h"\n']
    rows = []
    for number, path in enumerate(files):
        data = path.read_bytes()
        small = gzip.compress(data, 9, mtime=0)
        text.append(c_bytes(f"file_{number}", data or b"\0"))
        packed = "NULL, 0"
        if len(small) < len(data) * 9 // 10:
            text.append(c_bytes(f"gzip_{number}", small))
            packed = f"gzip_{number}, {len(small)}"
        etag = hashlib.sha256(data).hexdigest()[:16]
        rows.append(
            f'    {{"/{path.relative_to(folder).as_posix()}", "{TYPES[path.suffix]}", '
            f'"\\"{etag}\\"", file_{number}, {len(data)}, {packed}}},\n'
        )
    text.append("const struct lq_asset lq_assets[] = {\n" + "".join(rows) + "    {0}};\n")
    return text


def plain_table(folder, files):
    text = ['// Made by tools/embed.py.\n#include "paint/builtin.h"\n']
    rows = []
    for number, path in enumerate(files):
        data = path.read_bytes()
        text.append(c_bytes(f"file_{number}", data or b"\0"))
        rows.append(f'    {{"{path.relative_to(folder).as_posix()}", file_{number}, {len(data)}}},\n')
    text.append("const struct lq_builtin lq_builtins[] = {\n" + "".join(rows) + "    {0}};\n")
    return text


def pictures(out, files):
    text = ['// Made by tools/embed.py.\n#include "cli/tune_pictures.h"\n']
    rows = []
    for number, path in enumerate(files):
        data = path.read_bytes()
        text.append(c_bytes(f"file_{number}", data))
        rows.append(f'    {{"{path.name}", file_{number}, {len(data)}}},\n')
    head = "const struct lq_tune_picture lq_tune_builtin[] = {\n"
    text.append(head + "".join(rows) + "    {0}};\n")
    out.write_text("\n".join(text), encoding="utf-8")


def main(make_table, folder, out, depfile):
    files = files_in(folder)
    out.write_text("\n".join(make_table(folder, files)), encoding="utf-8")
    # The folders are named too: a new file changes its folder.
    watched = files + [path for path in [folder, *folder.rglob("*")] if path.is_dir()]
    depfile.write_text(f"{out}: " + " ".join(str(path) for path in watched) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "--pictures":
        pictures(pathlib.Path(sys.argv[2]), [pathlib.Path(path) for path in sys.argv[3:]])
        sys.exit()
    plain = sys.argv[1] == "--plain"
    main(plain_table if plain else page_table, *map(pathlib.Path, sys.argv[2 if plain else 1:]))
