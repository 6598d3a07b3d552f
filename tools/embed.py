#!/usr/bin/env python3
"""Turns a folder's files into a C table.

Usage: embed.py WEB_DIR OUT.c DEPFILE ESBUILD BROTLI   the page's (src/serve/http/assets.h):
bundled,
                                                       hashed, and with compressed forms
       embed.py --plain DIR OUT.c DEPFILE              the looks' (src/paint/builtin.h), as they are
       embed.py --pictures OUT.c FILE...               those that `lacquer tune` tries models on
"""
import base64
import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from bundle import Bundle

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
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

# The file that shops' pages load. It is a stub, because their pages cannot know the hash; if the
# bundle no longer exists (a stub from before an update, or two servers of different versions) the
# single modules are loaded instead.
STUB = """export const {{ LacquerTryon }} = await import('./{bundle}').catch(
    () => import('./{source}'),
);
"""
SOURCE = "tryon-source.js"


def c_bytes(name, data):
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return f"static const uint8_t {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def files_in(folder):
    return sorted(
        path for path in folder.rglob("*")
        if path.is_file() and path.suffix in TYPES and not path.name.startswith(".")
    )


def replace(text, old, new, name):
    if old not in text:
        raise SystemExit(f"{name}: it lacks {old}")
    return text.replace(old, new)


def page_html(text, folder, bundle):
    """index.html with its first paint included, and preloads for everything else that it needs."""
    style = (folder / "page.css").read_text(encoding="utf-8")
    text = replace(text, '<link rel="stylesheet" href="page.css">', f"<style>{style}</style>",
                   "index.html")
    text = replace(text, '<link rel="modulepreload" href="tryon.js">',
                   "\n".join(map('<link rel="modulepreload" href="{}">'.format, bundle.preload)),
                   "index.html")
    for name in ("style.css", "favicon.svg"):
        text = replace(text, f'="{name}"', f'="{bundle.add(folder / name)}"', "index.html")
    return text


def worker_script(text, bundle):
    """sw.js, with the list of files that it caches."""
    names = sorted({*bundle.preload, *bundle.names.values()})
    return replace(text, "const hashed = [];", f"const hashed = {json.dumps(names)};", "sw.js")


def page_files(folder, files, bundle):
    """{path: (bytes, how long it may be cached)}"""
    table = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    table[SOURCE] = table["tryon.js"]
    table["tryon.js"] = STUB.format(bundle=bundle.preload[0], source=SOURCE).encode()
    table["index.html"] = page_html(table["index.html"].decode(), folder, bundle).encode()
    if "sw.js" in table:
        table["sw.js"] = worker_script(table["sw.js"].decode(), bundle).encode()
    kept = {path: (data, "REVALIDATED") for path, data in table.items()}
    kept["tryon.js"] = (table["tryon.js"], "SHORT")
    kept.update({name: (data, "IMMUTABLE") for name, data in bundle.files.items()})
    return kept


def packed(data, brotli):
    """Compressed forms that save a tenth or more: (field, suffix of the ETag, bytes)."""
    forms = [("gzip", gzip.compress(data, 9, mtime=0)),
             ("brotli", subprocess.run([brotli, "-q", "11", "-c"], input=data, check=True,
                                       stdout=subprocess.PIPE).stdout)]
    return [(name, small if len(small) < len(data) * 9 // 10 else None) for name, small in forms]


def page_row(number, path, data, kept, brotli, text):
    text.append(c_bytes(f"file_{number}", data or b"\0"))
    fields = [f"{{file_{number}, {len(data)}}}"]
    for name, small in packed(data, brotli):
        if small:
            text.append(c_bytes(f"{name}_{number}", small))
        fields.append(f"{{{name}_{number}, {len(small)}}}" if small else "{0}")
    etag = hashlib.sha256(data).hexdigest()[:16]
    return (f'    {{"/{path}", "{TYPES[pathlib.PurePosixPath(path).suffix]}", "{etag}", '
            f"LQ_ASSET_{kept}, {{{', '.join(fields)}}}}},\n")


def style_hash(html):
    style = re.search(r"<style>(.*?)</style>", html.decode(), re.S)[1]
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def page_table(folder, files, esbuild, brotli):
    with tempfile.TemporaryDirectory() as scratch:
        bundle = Bundle(folder, pathlib.Path(scratch), esbuild)
    table = page_files(folder, files, bundle)
    text = ['// Made by tools/embed.py.\n#include "serve/http/assets.h"\n']
    rows = [page_row(number, path, data, kept, brotli, text)
            for number, (path, (data, kept)) in enumerate(sorted(table.items()))]
    text.append("const struct lq_asset lq_assets[] = {\n" + "".join(rows) + "    {0}};\n")
    style = style_hash(table["index.html"][0])
    text.append(f'const char lq_asset_style_hash[] = "sha256-{style}";\n')
    return text


def plain_table(folder, files):
    text = ['// Made by tools/embed.py.\n#include "paint/builtin.h"\n']
    rows = []
    for number, path in enumerate(files):
        data = path.read_bytes()
        text.append(c_bytes(f"file_{number}", data or b"\0"))
        name = path.relative_to(folder).as_posix()
        rows.append(f'    {{"{name}", file_{number}, {len(data)}}},\n')
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


def main(make_table, folder, out, depfile, *tools):
    files = files_in(folder)
    out.write_text("\n".join(make_table(folder, files, *tools)), encoding="utf-8")
    # Folders are listed too: a new file changes its folder.
    watched = files + [path for path in [folder, *folder.rglob("*")] if path.is_dir()]
    depfile.write_text(f"{out}: " + " ".join(str(path) for path in watched) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "--pictures":
        pictures(pathlib.Path(sys.argv[2]), [pathlib.Path(path) for path in sys.argv[3:]])
        sys.exit()
    plain = sys.argv[1] == "--plain"
    folder, out, depfile, *tools = sys.argv[2 if plain else 1:]
    main(plain_table if plain else page_table, pathlib.Path(folder), pathlib.Path(out),
         pathlib.Path(depfile), *tools)
