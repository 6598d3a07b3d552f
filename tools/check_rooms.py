#!/usr/bin/env python3
"""Fails when src loses its order: a circle of calls between files, a struct whose tag means
something else elsewhere, or a header that does not say which threads may use it and who owns what;
and in the rooms of the server (src/serve) and the network (src/net) an include or a call from a
lower room to a higher one.

Calls are what the code says by name: functions and tables that one file defines and others use.
What goes through a pointer (a route, a handler) is how a lower room reaches a higher one.

Usage: check_rooms.py SOURCE_ROOT
       check_rooms.py --self-test
"""
import collections
import re

import checking

# Lowest first. Files in no room: what a server is told is below all, the server itself above all.
ROOMS = ["net", "options", "guard", "sched", "message", "http", "live", "sio", "server"]
# Circles that stay, each with its reason: the files of one of them may call each other.
CIRCLES = {
    ("engine/fallback.c", "engine/list.c", "engine/triton.c", "engine/triton_served.c"):
        "an engine that runs elsewhere opens any other by name while no server answers",
    ("model/head.c", "model/head_refused.c"):
        "what is refused is told in the words that list a model's tensors",
    ("paint/catalogue.c", "paint/look_json.c"):
        "a look may name one of the catalogue, which is read as looks are",
    ("nail/track.c", "nail/track_plan.c"):
        "the tracker's numbers are given by the tracker",
    ("cli/model_check.c", "cli/model_options.c"):
        "a model is tried in a child process as it is opened here",
}
# Tags that stand for what each file of a kind has of its own, behind one table of functions.
OPAQUE = {"lq_engine": "engine/", "lq_request": "engine/"}
DEFINED = re.compile(r"^(?!static\b|extern\b)[a-z_][\w \t*]*?\b(lq_\w+)\s*"
                     r"(?:\([^;{}]*\)\s*\{|(?:\[\w*\])?\s*=)", re.M | re.S)


def room_of(name):
    parts = name.split("/")
    if parts[0] == "net":
        return "net"
    if len(parts) == 2:
        return "options" if parts[1] == "options.h" else "server"
    return parts[1]


def check_includes(name, text):
    room = ROOMS.index(room_of(name))
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+"((?:serve|net)/[^"]+)"', line)
        if found and ROOMS.index(room_of(found[1])) > room:
            yield f"{name}:{number}: {ROOMS[room]} may not include {room_of(found[1])}: {found[1]}"


def calls_of(texts):
    """Of each file, which others it calls and by which names."""
    codes = {name: checking.code(text) for name, text in texts.items() if name.endswith(".c")}
    defined = {}
    for name, text in codes.items():
        for found in DEFINED.finditer(text):
            defined[found[1]] = name
    calls = {name: collections.defaultdict(set) for name in codes}
    for name, text in codes.items():
        for used in set(re.findall(r"(?<!struct )\blq_\w+", text)):
            if defined.get(used, name) != name:
                calls[name][defined[used]].add(used)
    return calls


def check_calls(calls):
    for name, others in calls.items():
        for other, used in others.items():
            if ROOMS.index(room_of(other)) > ROOMS.index(room_of(name)):
                yield f"{name}: {room_of(name)} may not call {room_of(other)}: {min(used)}"


def circles(calls):
    """One circle of files for each file that a depth-first walk meets again on its way."""
    done, way = set(), []

    def walk(name):
        if name in way:
            yield way[way.index(name):] + [name]
        elif name not in done:
            way.append(name)
            for other in sorted(calls[name]):
                yield from walk(other)
            way.pop()
            done.add(name)

    for name in sorted(calls):
        yield from walk(name)


def check_circles(calls):
    for circle in circles(calls):
        if any(set(circle) <= set(allowed) for allowed in CIRCLES):
            continue
        steps = [f"{a} calls {min(calls[a][b])} of {b}" for a, b in zip(circle, circle[1:])]
        yield "a circle of calls: " + ", ".join(steps)


def check_tags(texts):
    seen = collections.defaultdict(set)
    for name, text in texts.items():
        for tag in re.findall(r"^\s*(?:static )?(?:const )?struct (lq_\w+) \{", text, re.M):
            if not name.startswith(OPAQUE.get(tag, "-")):
                seen[tag].add(name)
    for tag, files in sorted(seen.items()):
        if len(files) > 1:
            yield f"struct {tag} means several things: {', '.join(sorted(files))}"


def check_header(name, text):
    head = text.split("#pragma once")[0]
    for word, enough in (("Threads", "$^"), ("Owner", "no state")):
        if not re.search(rf"\b{word}\b|\b{word.lower()}:|{enough}", head):
            yield f"{name}: its first comment does not say: {word}"


def in_rooms(name):
    return name.split("/")[0] in ("net", "serve")


def check(root):
    texts = {name: text for name, text in checking.sources(root / "src", "")
             if not name.startswith("device/wasm/")}  # what the page has in the system's place
    wrong = []
    for name, text in texts.items():
        if in_rooms(name):
            wrong += check_includes(name, text)
        if name.endswith(".h"):
            wrong += check_header(name, text)
    calls = calls_of(texts)
    rooms = {name: {other: used for other, used in others.items() if in_rooms(other)}
             for name, others in calls.items() if in_rooms(name)}
    wrong += [*check_calls(rooms), *check_circles(calls), *check_tags(texts)]
    count = sum(len(used) for others in calls.values() for used in others.values())
    return wrong, count, f"{count} calls between files, none in a circle but where it is said why"


HEAD = "// Threads: any. Owner: nobody.\n#pragma once\n"
GOOD = {"src/net/loop.c": "int lq_loop(void)\n{\n    return 1;\n}\n",
        "src/serve/guard/low.c": "int lq_low(void)\n{\n    return lq_loop();\n}\n",
        "src/serve/sio/high.c": "int lq_high(void)\n{\n    return lq_low(); // lq_top(\n}\n",
        "src/serve/sio/other.c": "const struct lq_t lq_other = {lq_high};\n",
        "src/serve/top.c": "int lq_top(void)\n{\n    return lq_high();\n}\n",
        "src/serve/guard/low.h": HEAD + "struct lq_only {\n};\n"}
FAULTS = {  # each alone must be found in a tree that has none otherwise
    "a circle of calls: paint/a.c": {
        "src/paint/a.c": "int lq_a(void)\n{\n    return lq_b();\n}\n",
        "src/paint/b.c": "int lq_b(void)\n{\n    return lq_a();\n}\n"},
    "may not call sio": {"src/serve/guard/low.c":
                         "int lq_low(void)\n{\n    return lq_high();\n}\n"},
    "may not call server": {"src/net/loop.c": "int lq_loop(void)\n{\n    return lq_top();\n}\n"},
    "a circle": {"src/serve/sio/high.c": "int lq_high(void)\n{\n    return lq_other.run();\n}\n"},
    "may not include": {"src/serve/guard/low.c": '#include "serve/live/live.h"\n'},
    "several things": {"src/paint/x.h": HEAD + "struct lq_only {\n};\n"},
    "serve/guard/low.h: its first comment does not say: Owner": {
        "src/serve/guard/low.h": "// Threads: any.\n#pragma once\n"},
    "paint/x.h: its first comment does not say: Threads": {
        "src/paint/x.h": "// Owner: nobody.\n#pragma once\n// Threads: any.\n"},
}
CASES = [(GOOD, 0)] + [({**GOOD, **files}, wanted) for wanted, files in FAULTS.items()]

if __name__ == "__main__":
    checking.main(check, CASES)
