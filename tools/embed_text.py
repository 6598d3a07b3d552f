#!/usr/bin/env python3
"""Turns one text file into a C string: `extern const char NAME[];`.

Usage: embed_text.py NAME IN OUT.c
"""
import pathlib
import sys


def main(name, source, out):
    lines = pathlib.Path(source).read_text(encoding="ascii").splitlines()
    text = [f"// Made by tools/embed_text.py.\nextern const char {name}[];\nconst char {name}[] ="]
    for line in lines:
        escaped = line.replace("\\", "\\\\").replace('"', '\\"')
        text.append(f'    "{escaped}\\n"')
    pathlib.Path(out).write_text("\n".join(text) + ";\n", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
