#!/usr/bin/env python3
"""Summarises a report of the Autobahn test suite; fails if a case failed.

Usage: autobahn.py INDEX_JSON [PAGE]
INDEX_JSON is written by wstest; PAGE, if given, is a Markdown file to write.
"""
import collections
import json
import pathlib
import sys

GROUPS = {1: "framing", 2: "pings and pongs", 3: "reserved bits", 4: "opcodes", 5: "fragmentation",
          6: "UTF-8", 7: "close handshake", 9: "limits, messages up to 16 MiB",
          10: "messages in pieces", 12: "compression", 13: "compression, other parameters"}
KINDS = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED")
HEAD = """# WebSocket conformance

Made by `tools/autobahn.sh`, which installs the Autobahn test suite {version}, runs `wstest -m
fuzzingclient` with all its {count} cases and writes this page; do not edit. The server was
`lacquer serve` with an echo at `/ws` (`tests/conformance/echo.c`): the same loop, framing and
upgrade
as users meet.

| cases | what | {kinds} |
|---|---|{rules}|
"""
WORDS = """
*Informational* cases have no right answer (RFC 6455 leaves it open); the suite only notes what was
done. *Unimplemented* are those of permessage-deflate, which is not offered: frames are JPEG, which
does not get smaller, and unpacking is one more way to make a server work for nothing.
"""


def kind_of(result):
    """The suite judges messages and the closing of the connection; the worse result counts."""
    said, ended = result["behavior"], result["behaviorClose"]
    if said in ("OK", "INFORMATIONAL", "NON-STRICT") and ended in ("OK", "INFORMATIONAL"):
        return said
    if said == "UNIMPLEMENTED":
        return said
    return "FAILED"


def main(args):
    report = json.loads(pathlib.Path(args[0]).read_text(encoding="utf-8"))["lacquer"]
    rows, odd = collections.defaultdict(collections.Counter), []
    for case, result in sorted(report.items(), key=lambda item: [*map(int, item[0].split("."))]):
        kind = kind_of(result)
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
        text = "\n".join([*table, "", *(f"- {line}" for line in odd)])
        pathlib.Path(args[1]).write_text(head + text + "\n" + WORDS,
                                         encoding="utf-8")
    return 1 if total["FAILED"] or not report else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
