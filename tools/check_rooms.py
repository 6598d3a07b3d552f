#!/usr/bin/env python3
"""Fails if a lower subfolder ("room") of the server (src/serve), or the network code (src/net),
includes or calls a higher one. Calls through a pointer (a route, a handler) are allowed: this is
how a lower room reaches a higher one.

Usage: check_rooms.py SOURCE_ROOT
       check_rooms.py --self-test
"""
import re

import check_circles
import checking

# Lowest first. Files outside the rooms: the server's options are below all, the server itself above
# all.
ROOMS = ["net", "options", "guard", "sched", "message", "http", "live", "sio", "server"]

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


def check_calls(calls):
    for name, others in calls.items():
        for other in sorted(others):
            if ROOMS.index(room_of(other)) > ROOMS.index(room_of(name)):
                yield f"{name}: {room_of(name)} may not call {room_of(other)}: {other}"


def check(root):
    texts = {name.removeprefix("src/"): text
             for name, text in checking.sources(root, "src/serve", "src/net")}
    wrong = [line for name, text in texts.items() for line in check_includes(name, text)]
    calls = check_circles.calls(texts)
    wrong += check_calls(calls)
    count = sum(map(len, calls.values()))
    return wrong, count, f"{count} files called from others, none in a higher room"


GOOD = {"src/net/loop.c": "int lq_loop(void)\n{\n    return 1;\n}\n",
        "src/serve/guard/low.c": "int lq_low(void)\n{\n    return lq_loop();\n}\n",
        "src/serve/sio/high.c": "int lq_high(void)\n{\n    return lq_low(); // lq_top(\n}\n",
        "src/serve/sio/other.c": "const struct lq_t lq_other = {lq_high};\n",
        "src/serve/top.c": "int lq_top(void)\n{\n    return lq_high();\n}\n"}
FAULTS = {  # each alone must be found in a tree that has none otherwise
    "may not call sio": {"src/serve/guard/low.c":
                         "int lq_low(void)\n{\n    return lq_high();\n}\n"},
    "may not call server": {"src/net/loop.c": "int lq_loop(void)\n{\n    return lq_top();\n}\n"},
    "may not include": {"src/serve/guard/low.c": '#include "serve/live/live.h"\n'},
}
CASES = [(GOOD, 0)] + [({**GOOD, **files}, wanted) for wanted, files in FAULTS.items()]

if __name__ == "__main__":
    checking.main(check, CASES)
