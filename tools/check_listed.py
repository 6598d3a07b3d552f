#!/usr/bin/env python3
"""Fails when a test on disk is not listed in its meson.build, so that none is forgotten: unit
tests, and fuzz targets, which also need a corpus.

Usage: check_listed.py SOURCE_ROOT
"""
import pathlib
import sys


def main(root):
    unit = root / "tests" / "unit"
    files = sorted(unit.rglob("*.c"))
    missing = []
    for path in files:
        name = path.relative_to(unit).with_suffix("")
        if f"'{name}'" not in (unit / name.parts[0] / "meson.build").read_text():
            missing.append(path.relative_to(root))
    fuzz = root / "tests" / "fuzz"
    targets = sorted(path for path in fuzz.glob("*.c") if path.name != "main.c")
    listed = (fuzz / "meson.build").read_text()
    missing += [path.relative_to(root) for path in targets
                if f"'{path.stem}'" not in listed or not (fuzz / "corpus" / path.stem).is_dir()]
    for path in missing:
        print(f"{path}: not listed in {path.parent}/meson.build, or without a corpus")
    print(f"{len(files)} unit test files, {len(targets)} fuzz targets, {len(missing)} not listed")
    return 1 if missing or not files or not targets else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
