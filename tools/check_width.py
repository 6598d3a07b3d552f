#!/usr/bin/env python3
"""Fails if a line of code or prose is wider than 100 columns.

Not checked: tables and fenced examples in Markdown, data and generated files (their endings are not
in KINDS), and lines that are too wide because of one word (a URL, a path, a hash) in them.

Usage: check_width.py SOURCE_ROOT
       check_width.py --self-test
"""
import checking

COLUMNS = 100
KINDS = {".c", ".h", ".py", ".js", ".mjs", ".css", ".html", ".sh", ".bash", ".md", ".build",
         ".map"}
NAMES = {"Makefile", "Dockerfile", "meson.build", "meson_options.txt"}
# Not our source: builds, downloads, inputs of tests.
SKIPPED = {".git", ".deps", "node_modules", "corpus", "fixtures", "__pycache__", "subprojects"}
WORD_MAX = 60  # a longer word cannot be broken


def files(root):
    for path in sorted(root.iterdir()):
        if path.is_symlink() or path.name in SKIPPED or path.name.startswith("build"):
            continue
        if path.is_dir():
            yield from files(path)
        elif path.suffix in KINDS or path.name in NAMES:
            yield path


def too_wide(lines, prose):
    """Numbers and widths of the lines that are too wide."""
    fenced = False
    for number, line in enumerate(lines, 1):
        fenced ^= prose and line.lstrip().startswith("```")
        if len(line) <= COLUMNS or prose and (fenced or line.lstrip().startswith("|")):
            continue
        if max(map(len, line.split())) <= WORD_MAX:
            yield number, len(line)


def check(root):
    wrong, seen = [], 0
    for path in files(root):
        seen += 1
        name = path.relative_to(root).as_posix()
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        wrong += [f"{name}:{number}: {width} columns"
                  for number, width in too_wide(lines, path.suffix == ".md")]
    return wrong, seen, f"{seen} files, no line over {COLUMNS} columns"


WIDE = "x = " + "word " * 20
CASES = [({"a.c": WIDE}, "a.c:1: 104"), ({"a.c": "x" * 100}, 0), ({"a.md": "| " + WIDE}, 0),
         ({"a.md": "```\n" + WIDE + "\n```\n" + WIDE}, 1), ({"a.json": WIDE}, 0),
         ({"a.py": "# https://example.org/" + "x" * 90}, 0), ({"corpus/a.c": WIDE}, 0),
         ({"a.js": "ä" * 30 + " " + "b" * 40 + " " + "c" * 20}, 0)]

if __name__ == "__main__":
    checking.main(check, CASES)
