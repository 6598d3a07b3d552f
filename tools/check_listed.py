#!/usr/bin/env python3
"""Fails when a unit test on disk is not listed in its meson.build, so that none is forgotten.

Usage: check_listed.py SOURCE_ROOT
"""
import pathlib
import sys


def main(root):
    unit = root / "tests" / "unit"
    files = sorted(unit.glob("*/*.c"))
    missing = [
        path.relative_to(root)
        for path in files
        if f"'{path.parent.name}/{path.stem}'" not in (path.parent / "meson.build").read_text()
    ]
    for path in missing:
        print(f"{path}: not listed in {path.parent.relative_to(root)}/meson.build")
    print(f"{len(files)} unit test files, {len(missing)} not listed")
    return 1 if missing or not files else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
