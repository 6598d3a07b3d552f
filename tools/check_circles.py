#!/usr/bin/env python3
"""Fails if files depend on each other in a cycle: C files of src by calls, all files of src by
includes, JavaScript modules of the page, the tests and the tools by imports, and Python likewise.

Calls are uses by name: functions and tables that one file defines and another uses. Calls through a
pointer (a route, a handler) do not count: this is how a lower file may reach a higher one.

Usage: check_circles.py SOURCE_ROOT
       check_circles.py --self-test
"""
import ast
import collections
import posixpath
import re

import checking

# Cycles that stay, each with its reason: the files of one of them may need each other.
CIRCLES = {
    ("src/engine/fallback.c", "src/engine/list.c", "src/engine/triton.c",
     "src/engine/triton_served.c"):
        "the engine of a remote server opens any other by name while no server responds",
    ("src/model/head.c", "src/model/head_refused.c"):
        "an error about a rejected model uses the function that lists a model's tensors",
    ("src/paint/catalogue.c", "src/paint/look_json.c"):
        "a look may refer to one in the catalogue, which is parsed as looks are",
    ("src/nail/track.c", "src/nail/track_plan.c"):
        "the plan uses numbers that the tracker assigns",
    ("src/cli/model_check.c", "src/cli/model_options.c"):
        "a child process tries a model with the same options as those that open it here",
}
DEFINED = re.compile(r"^(?!static\b|extern\b)[a-z_][\w \t*]*?\b(lq_\w+)\s*"
                     r"(?:\([^;{}]*\)\s*\{|(?:\[\w*\])?\s*=)", re.M | re.S)
IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]""")


def calls(texts):
    """For each C file, the files that define what it uses."""
    codes = {name: checking.code(text) for name, text in texts.items() if name.endswith(".c")}
    defined = {found[1]: name for name, text in codes.items() for found in DEFINED.finditer(text)}
    return {name: {defined[used] for used in set(re.findall(r"(?<!struct )\blq_\w+", text))
                   if used in defined} - {name} for name, text in codes.items()}


def includes(texts):
    return {name: {path for found in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M)
                   for path in ("src/" + found, posixpath.join(posixpath.dirname(name), found))
                   if path in texts} - {name} for name, text in texts.items()}


def modules(texts):
    """For each ES module, the modules that it imports, statically or dynamically."""
    return {name: {posixpath.normpath(posixpath.join(posixpath.dirname(name), found))
                   for found in IMPORTED.findall(text)} & set(texts)
            for name, text in texts.items()}


def packages(texts):
    """For each Python file, the files beside it that it imports, also within a function."""
    graph = {}
    for name, text in texts.items():
        words = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                words |= {part for each in node.names for part in each.name.split(".")}
            elif isinstance(node, ast.ImportFrom):
                words |= set((node.module or "").split(".")) | {each.name for each in node.names}
        beside = {posixpath.join(posixpath.dirname(name), word + ".py") for word in words}
        graph[name] = (beside & set(texts)) - {name}
    return graph


def reached(graph, start):
    """Each file that can be reached from `start`, with the path to it."""
    ways, todo = {}, collections.deque([(start, [start])])
    while todo:
        name, way = todo.popleft()
        for other in sorted(graph[name]):
            if other not in ways:
                ways[other] = way + [other]
                todo.append((other, ways[other]))
    return ways


def circles(graph):
    """Each set of files that all reach each other, with one cycle."""
    # Files without dependencies, and then files that depend only on those, are in no cycle: few
    # files are left.
    while ends := {name for name, others in graph.items() if not others}:
        graph = {name: others - ends for name, others in graph.items() if name not in ends}
    ways = {name: reached(graph, name) for name in graph}
    done = set()
    for name in sorted(graph):
        if name in done or name not in ways[name]:
            continue
        knot = {other for other in ways[name] if name in ways[other]}
        done |= knot
        yield knot, ways[name][name]


def check(root):
    src = dict(checking.sources(root, "src"))
    # The page's replacements for system modules have the system's names.
    own = {name: text for name, text in src.items() if not name.startswith("src/device/wasm/")}
    pages = dict(checking.sources(root, "web", pattern="*.js"))
    tests = dict(checking.sources(root, "tests", "tools", "bench", pattern="*.mjs"))
    python = dict(checking.sources(root, "tools", "train", "tests", "bench", pattern="*.py"))
    wrong, seen, kept = [], 0, set()
    for graph, verb in ((calls(own), "calls"), (includes(src), "includes"),
                        (modules(pages), "imports"), (modules(tests), "imports"),
                        (packages(python), "imports")):
        seen += sum(map(len, graph.values()))
        for knot, way in circles(graph):
            if tuple(sorted(knot)) in CIRCLES:
                kept.add(tuple(sorted(knot)))
            else:
                others = ", ".join(sorted(knot - set(way)))
                wrong.append("a circle: " + f" {verb} ".join(way)
                             + (f"; {others} in it too" if others else ""))
    wrong += [f"no longer a circle, strike it from CIRCLES: {', '.join(files)}"
              for files in CIRCLES if files not in kept and set(files) <= set(src)]
    return wrong, seen, f"{seen} calls, includes and imports, in no circle but {len(kept)} with why"


def c(name, *called):
    return f"int {name}(void)\n{{\n    return {' + '.join(called) or '1'};\n}}\n"


TRACK, PLAN = "src/nail/track.c", "src/nail/track_plan.c"
CASES = [
    ({"src/a.c": c("lq_a", "lq_b()"), "src/b.c": c("lq_b"), "web/a.js": "import './b.js';\n",
      "web/b.js": "\n", "tools/a.py": "import b\n", "tools/b.py": "\n"}, 0),
    ({"src/a.c": c("lq_a", "lq_b()"), "src/b.c": c("lq_b", "lq_a()")},
     "a circle: src/a.c calls src/b.c calls src/a.c"),
    ({"src/a.c": c("lq_a", "lq_t.run()"), "src/b.c": "const struct t lq_t = {lq_a};\n"},
     "a circle"),
    ({"src/a.c": c("lq_a") + "// lq_b()\n", "src/b.c": c("lq_b", "lq_a()")}, 0),
    # A walk that meets the allowed cycle first must still find the one through a third file.
    ({TRACK: c("lq_a", "lq_b()", "lq_x()"), PLAN: c("lq_b", "lq_a()"),
      "src/nail/x.c": c("lq_x", "lq_b()")}, "src/nail/x.c"),
    ({TRACK: c("lq_a", "lq_b()"), PLAN: c("lq_b", "lq_a()")}, 0),
    ({TRACK: c("lq_a"), PLAN: c("lq_b", "lq_a()")}, "no longer a circle"),
    ({"src/a.h": '#include "b.h"\n', "src/b.h": '#include "c/c.h"\n',
      "src/c/c.h": '#include "a.h"\n'}, "src/b.h includes src/c/c.h"),
    ({"web/a.js": "import {\n  b,\n} from './c/b.js';\n",
      "web/c/b.js": "const a = await import('../a.js');\n"}, "web/a.js imports web/c/b.js"),
    ({"train/p/a.py": "from . import b\n", "train/p/b.py": "def f():\n    from .a import g\n"},
     "train/p/a.py imports train/p/b.py"),
]

if __name__ == "__main__":
    checking.main(check, CASES)
