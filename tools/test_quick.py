#!/usr/bin/env python3
"""Runs what a change in one room needs, in under a minute: the unit tests of the rooms (folders of
src) that git sees changed, and the style checks that read the source. What crosses rooms is for
`make test`.

Usage: test_quick.py BUILD [SINCE]   SINCE: a commit (HEAD: what is not committed)
       test_quick.py --self-test
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def changed(since):
    """Paths that differ from the commit, and new ones that git does not ignore."""
    paths = set()
    for command in (["diff", "--name-only", since], ["ls-files", "--others", "--exclude-standard"]):
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"test-quick: {done.stderr.strip()}")
        paths |= set(done.stdout.splitlines())
    return paths


def rooms_of(paths):
    found = (re.match(r"(?:src|tests/unit)/([^/]+)/", path) for path in paths)
    return {room[1] for room in found if room}


def chosen(tests, rooms):
    """Of meson's tests, the unit tests of these rooms, and the style checks that need no build."""
    units = [test for test in tests if test["suite"][0].endswith("unit")
             and test["name"].split("/")[0] in rooms]
    style = [test for test in tests if test["suite"][0].endswith("style") and not test["depends"]]
    return units, style


def self_test():
    paths = {"src/net/ws.c", "tests/unit/nail/tip.c", "docs/API.md", "src/meson.build"}
    assert rooms_of(paths) == {"net", "nail"}, rooms_of(paths)
    tests = [{"name": "net/ws", "suite": ["lacquer:unit"], "depends": []},
             {"name": "net/ws", "suite": ["lacquer:isa"], "depends": []},
             {"name": "paint/look", "suite": ["lacquer:unit"], "depends": []},
             {"name": "layers", "suite": ["lacquer:style"], "depends": []},
             {"name": "hardening", "suite": ["lacquer:style"], "depends": ["lacquer"]}]
    units, style = chosen(tests, {"net", "nail"})
    assert [test["name"] for test in units + style] == ["net/ws", "layers"]
    print("the rooms and their tests are found")


def main(build, since):
    if not (build / "build.ninja").exists():
        sys.exit(f"test-quick: nothing is built in '{build}' yet: run make build first")
    rooms = rooms_of(changed(since))
    subprocess.run(["ninja", "-C", build, "--quiet", "build.ninja"], check=True)
    listed = subprocess.run(["meson", "introspect", build, "--tests"], check=True,
                            capture_output=True, text=True)
    units, style = chosen(json.loads(listed.stdout), rooms)
    print(f"rooms changed since {since}: {', '.join(sorted(rooms)) or 'none'}; {len(units)} unit "
          f"tests, {len(style)} checks of style", flush=True)
    programs = [str(pathlib.Path(test["cmd"][0]).relative_to(build.resolve())) for test in units
                if pathlib.Path(test["cmd"][0]).is_relative_to(build.resolve())]
    if programs:
        subprocess.run(["ninja", "-C", build, "--quiet", *programs], check=True)
    names = [test["name"] for test in units + style]
    return subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs",
                           *(["--suite", "unit"] if units else []), "--suite", "style",
                           *names]).returncode


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
        sys.exit(0)
    sys.exit(main(ROOT / sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "HEAD"))
