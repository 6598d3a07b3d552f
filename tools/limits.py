#!/usr/bin/env python3
"""Writes docs/LIMITS.md from the table in src/base/limits.h, with the tests that exceed each limit.

A test declares this by a comment or docstring line "crosses: NAME, …". Usage:
  limits.py SOURCE_ROOT           writes the page
  limits.py --check SOURCE_ROOT   fails when the page is out of date, or when a limit that input
                                  from outside can exceed has no test
"""
import pathlib
import re
import sys

HEAD = """# Limits

`tools/limits.py` writes this page from `src/base/limits.h`; do not edit it. Input from a client
that exceeds a limit gets the response in the third column. Every kind of input from outside has a
limit. An option in brackets changes that limit. The last column names the tests that exceed it.

| limit | of | response | tests |
|---|---|---|---|
"""
UNITS = {"bytes": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")),
         "pixels": ((1000000, "megapixels"),)}


def table(header):
    """Rows of (name, value, unit, of, response)."""
    text = header.read_text(encoding="utf-8")
    text = text[text.index("#define LQ_LIMIT_MAP(X)"):text.index("enum {")].replace("\\\n", " ")
    rows = re.findall(r'X\((\w+), (\d+), "([^"]*)",\s+"([^"]*)",\s+"([^"]*)"\)', text)
    if len(rows) != text.count(" X(") or not rows:
        raise SystemExit(f"{header}: {len(rows)} of {text.count(' X(')} rows were understood")
    return rows


def crossings(root):
    """The test files that exceed each limit."""
    found = {}
    for path in sorted((root / "tests").rglob("*.py")) + sorted((root / "tests").rglob("*.c")):
        if "node_modules" in path.parts:
            continue
        for names in re.findall(r"crosses: ([A-Z_0-9, ]+)", path.read_text(encoding="utf-8")):
            for name in filter(None, re.split(r"[, ]+", names)):
                found.setdefault(name, []).append(path.relative_to(root).as_posix())
    return found


def amount(value, unit):
    value = int(value)
    for size, name in UNITS.get(unit, ()):
        if value >= size and value % size == 0:
            return f"{value // size} {name}"
    return f"{value} {unit}"


def page(rows, found):
    lines = []
    for name, value, unit, of, answer in rows:
        tests = ", ".join(f"`{path}`" for path in dict.fromkeys(found.get(name, [])))
        lines.append(f"| {amount(value, unit)} | {of} | {answer or '-'} | {tests or '-'} |")
    return HEAD + "\n".join(lines) + "\n"


def main(args):
    check = args[:1] == ["--check"]
    root = pathlib.Path(args[-1])
    rows, found = table(root / "src/base/limits.h"), crossings(root)
    text, out = page(rows, found), root / "docs/LIMITS.md"
    if not check:
        out.write_text(text, encoding="utf-8")
        return 0
    wrong = [f"{name} has no test that crosses it" for name, *_, answer in rows
             if answer and name not in found]
    wrong += [f"a test crosses {name}, which is no limit" for name in found
              if name not in {row[0] for row in rows}]
    if not out.exists() or out.read_text(encoding="utf-8") != text:
        wrong.append("docs/LIMITS.md is not current: run tools/limits.py .")
    print("\n".join(wrong) or f"{len(rows)} limits")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
