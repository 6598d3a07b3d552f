#!/usr/bin/env python3
"""Sums up a report of the Autobahn test suite; fails when a case failed.

Usage: autobahn.py INDEX_JSON [PAGE]
INDEX_JSON is what wstest leaves; PAGE, a Markdown file, is written when given.
"""
import collections
import json
import pathlib
import sys

GROUPS = {1: "framing", 2: "pings and pongs", 3: "reserved bits", 4: "opcodes", 5: "fragmentation",
          6: "UTF-8", 7: "close handshake", 9: "limits, messages up to 16 MiB",
          10: "messages in pieces", 12: "compression", 13: "compression, other parameters"}
KINDS = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "KNOWN", "FAILED")
HEAD = """# WebSocket conformance

Made by `tools/autobahn.sh`, which installs the Autobahn test suite {version}, runs `wstest -m
fuzzingclient` with all its {count} cases and writes this page; do not edit. The server was
`lacquer serve` with an echo at `/ws` (`tests/conformance/echo.c`): the same loop, library options and
upgrade as users meet.

| cases | what | {kinds} |
|---|---|{rules}|
"""
# What the suite calls failed, and why it stands. Anything else that fails fails this program.
KNOWN = (
    ("2.10", "ten pings in one packet are answered by one pong: libwebsockets 4.1 keeps one ping and "
             "drops those that come before it was answered. RFC 6455 5.5.3 lets a server answer fewer "
             "pings than came, and the suite says that it asks for more than the RFC"),
    ("2.11", "as 2.10, the pings in pieces; it depends on how the pieces meet"),
    ("13.7", "offers of compression longer than 255 characters: libwebsockets 4.1 cannot read them, "
             "and they are refused with 431 instead of a connection cut off without a word. "
             "Chromium's offer has 42"),
)
KNOWN_HEAD = """
*Known* are cases that the suite calls failed, for these reasons:
"""
WORDS = """
*Informational* cases have no right answer (RFC 6455 leaves it open); the suite only notes what was
done. *Unimplemented* are those of permessage-deflate, which is not offered: frames are JPEG, which
does not get smaller, and unpacking is one more way to make a server work for nothing.
"""


def kind_of(result):
    """The suite judges what was said and how the connection ended; the worse counts."""
    said, ended = result["behavior"], result["behaviorClose"]
    if said in ("OK", "INFORMATIONAL", "NON-STRICT") and ended in ("OK", "INFORMATIONAL"):
        return said
    if said == "UNIMPLEMENTED":
        return said
    return "FAILED"


def reason_for(case):
    return next((why for name, why in KNOWN if f"{case}.".startswith(f"{name}.")), None)


def main(args):
    report = json.loads(pathlib.Path(args[0]).read_text(encoding="utf-8"))["lacquer"]
    rows, odd = collections.defaultdict(collections.Counter), []
    for case, result in sorted(report.items(), key=lambda item: [*map(int, item[0].split("."))]):
        kind = kind_of(result)
        if kind == "FAILED" and reason_for(case):
            kind = "KNOWN"
        rows[int(case.split(".")[0])][kind] += 1
        if kind in ("FAILED", "NON-STRICT"):
            odd.append(f"{case} {kind}: {result['behavior']}, close {result['behaviorClose']}")
    total = sum(rows.values(), collections.Counter())
    table = [f"| {group}.* | {GROUPS.get(group, '')} | "
             + " | ".join(str(counts[kind]) for kind in KINDS) + " |"
             for group, counts in sorted(rows.items())]
    table.append(f"| all {sum(total.values())} | | "
                 + " | ".join(f"**{total[kind]}**" for kind in KINDS) + " |")
    print("\n".join([*table, *odd]))
    if len(args) > 1:
        head = HEAD.format(version="25.10.1", count=sum(total.values()),
                           kinds=" | ".join(kind.lower() for kind in KINDS),
                           rules="---|" * (len(KINDS) - 1) + "---")
        text = "\n".join([*table, "", *(f"- {line}" for line in odd), KNOWN_HEAD.strip(), "",
                          *(f"- {name}: {why}." for name, why in KNOWN)])
        pathlib.Path(args[1]).write_text(head + text + "\n" + WORDS,
                                         encoding="utf-8")
    return 1 if total["FAILED"] or not report else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
