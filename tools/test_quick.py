#!/usr/bin/env python3
"""Runs, in under a minute, the tests for a change in one room (a folder of src):

  - builds build/lacquer, so that all users of the room still compile;
  - runs the unit tests of each changed room, the corpora of the fuzz targets for its parsers, and
    the golden pictures that use it, found by the headers that they include;
  - for a change of web, runs the tests of its modules that need no page;
  - always runs the style checks that read only the source.

Tests across rooms are left to `make test`. A changed file that none of these tests covers is listed
at the end, so that silence is not taken for a pass.

Usage: test_quick.py BUILD [SINCE]   SINCE: a commit (HEAD: what is not committed)
       test_quick.py --self-test
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDED = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


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
    public = {"lib"} if any(path.startswith("include/") for path in paths) else set()
    return {room[1] for room in found if room} | public


def rooms_read(root, path, deep, seen=None):
    """The rooms whose headers a test includes; deep: also indirectly, through the rooms' own
    headers."""
    seen = set() if seen is None else seen
    for name in INCLUDED.findall(path.read_text(encoding="utf-8")):
        for at in (root / "src" / name, root / "tests" / name):
            if at.is_file() and at not in seen:
                seen.add(at)
                if deep or at.is_relative_to(root / "tests"):
                    rooms_read(root, at, deep, seen)
    return {at.relative_to(root / "src").parts[0] for at in seen if at.is_relative_to(root / "src")}


def is_wanted(test, rooms, paths, root):
    name, suites = test["name"], {suite.split(":")[-1] for suite in test["suite"]}
    if "style" in suites:  # checks that need a build run if the interface may have
                           # changed
        return not test["depends"] or (name == "abi" and "lib" in rooms)
    if "isa" in suites:
        return False
    if "unit" in suites and "fuzz" not in suites:
        return name.split("/")[0] in rooms
    golden = "golden" in suites
    source = root / "tests" / ("golden" if golden else "") / f"{name}.c"
    return source.is_file() and bool(rooms_read(root, source, deep=golden) & rooms
                                     or source.relative_to(root).as_posix() in paths)


def modules(root, paths):
    """Tests of the page's modules that need no page."""
    if not any(path.startswith("web/") or path.endswith(".test.mjs") for path in paths):
        return []
    return [path for path in sorted((root / "tests" / "e2e").glob("*.test.mjs"))
            if "process.env" not in path.read_text(encoding="utf-8")]


def unseen(paths):
    """Changed files that none of these tests covers."""
    seen = re.compile(r"(src|include|web|docs|tools)/|tests/(unit|golden|fuzz)/|tests/e2e/.*\.test\.mjs"
                      r"|[^/]*$|(.*/)?meson\.build$")
    return sorted(path for path in paths if not seen.match(path))


def programs_of(tests, targets, build):
    """The targets for ninja: the tests and, according to meson, everything that they depend on."""
    files = {target["id"]: target["filename"] for target in targets}
    needed = {path for test in tests for each in test["depends"] for path in files[each]}
    return sorted(str(pathlib.Path(path).relative_to(build)) for path in needed)


def run(build, rooms, paths):
    subprocess.run(["ninja", "-C", build, "--quiet", "build.ninja"], check=True)
    asked = subprocess.run(["meson", "introspect", build, "--tests", "--targets"], check=True,
                           capture_output=True, text=True)
    known = json.loads(asked.stdout)
    tests = [test for test in known["tests"] if is_wanted(test, rooms, paths, ROOT)]
    compiled = [path for path in paths if path.startswith(("src/", "include/", "web/"))]
    programs = programs_of(tests, known["targets"], build.resolve())
    programs += ["lacquer"] if compiled else []
    if programs:
        subprocess.run(["ninja", "-C", build, "--quiet", *programs], check=True)
    suites = {suite.split(":")[-1] for test in tests for suite in test["suite"]}
    return subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs",
                           *(f"--suite={suite}" for suite in sorted(suites)),
                           *(test["name"] for test in tests)]).returncode


def main(build, since):
    if not (build / "build.ninja").exists():
        sys.exit(f"test-quick: nothing is built in '{build}' yet: run make build first")
    paths = changed(since)
    rooms, scripts = rooms_of(paths), modules(ROOT, paths)
    print(f"rooms changed since {since}: {', '.join(sorted(rooms)) or 'none'}", flush=True)
    status = run(build, rooms, paths)
    if scripts:
        status |= subprocess.run(["node", "--test", *scripts]).returncode
    if unseen(paths):
        print("not covered here, but by make test: " + " ".join(unseen(paths)))
    return status


TREE = {"src/nail/nail.h": '#include "image/box.h"\n', "src/image/box.h": "", "src/net/ws.h": "",
        "tests/golden/hand.h": '#include "nail/nail.h"\n',
        "tests/golden/tips.c": '#include "golden/hand.h"\n',
        "tests/fuzz/ws.c": '#include "fuzz/ask.h"\n#include "serve/ask.h"\n',
        "tests/fuzz/ask.h": '#include "net/ws.h"\n', "src/serve/ask.h": '#include "nail/nail.h"\n',
        "tests/fuzz/new.c": "",
        "tests/e2e/a.test.mjs": "", "tests/e2e/sw.test.mjs": "process.env.SW"}
TESTS = [("net/ws", "unit", ()), ("net/ws AVX2", "isa", ()), ("nail/tip", "unit", ()),
         ("tips", "golden", ()), ("fuzz/ws", "fuzz unit", ()), ("fuzz/new", "fuzz unit", ()),
         ("lib/video", "unit", ("video", "check")), ("layers", "style", ()),
         ("abi", "style", ("lib",)), ("hardening", "style", ("lacquer",))]
CASES = [({"src/net/ws.c"}, ["net/ws", "fuzz/ws", "layers"]),
         ({"tests/unit/nail/tip.c", "docs/API.md"}, ["nail/tip", "tips", "layers"]),
         ({"src/image/box.c"}, ["tips", "layers"]),
         ({"include/lacquer.h"}, ["lib/video", "layers", "abi"]),
         ({"tests/fuzz/new.c"}, ["fuzz/new", "layers"]),
         ({"src/meson.build"}, ["layers"])]


def self_test():
    tests = [{"name": name, "suite": [f"lacquer:{suite}" for suite in suites.split()],
              "depends": list(depends)}
             for name, suites, depends in TESTS]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in TREE.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        for paths, wanted in CASES:
            got = [test["name"] for test in tests
                   if is_wanted(test, rooms_of(paths), paths, root)]
            assert got == wanted, (paths, got)
        assert [path.name for path in modules(root, {"web/a.js"})] == ["a.test.mjs"]
        assert not modules(root, {"src/net/ws.c"})
    targets = [{"id": each, "filename": [f"/b/tests/{each}"]} for each in ("video", "check", "lib")]
    assert programs_of(tests[6:8], targets, pathlib.Path("/b")) == ["tests/check", "tests/video"]
    assert unseen({"tests/e2e/test_ws.py", "README.md", "train/a.py", "web/a.js",
                   "bench/meson.build"}) == ["tests/e2e/test_ws.py", "train/a.py"]
    print("the rooms and their tests are found")


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
        sys.exit(0)
    sys.exit(main(ROOT / sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "HEAD"))
