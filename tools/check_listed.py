#!/usr/bin/env python3
"""Fails if a test on disk is not listed in its meson.build, so that none is forgotten: unit tests,
and fuzz targets, which also need a corpus.

Usage: check_listed.py SOURCE_ROOT
       check_listed.py --self-test
"""
import checking


def check(root):
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
    return ([f"{path}: not listed in {path.parent}/meson.build, or without a corpus"
             for path in missing], len(files) and len(targets),
            f"{len(files)} unit test files, {len(targets)} fuzz targets, all listed")


LISTED = {"tests/unit/base/meson.build": "'base/buf'", "tests/unit/base/buf.c": "",
          "tests/fuzz/meson.build": "'form'", "tests/fuzz/form.c": "",
          "tests/fuzz/corpus/form/empty": ""}
CASES = [(LISTED, 0), ({**LISTED, "tests/unit/base/new.c": ""}, "tests/unit/base/new.c"),
         ({**LISTED, "tests/fuzz/new.c": ""}, "tests/fuzz/new.c")]

if __name__ == "__main__":
    checking.main(check, CASES)
