#!/usr/bin/env python3
"""Computes capacity from measured figures: how many nodes, how much network and money users need.

Usage:
  build/lacquer bench --rows ws,ws-nails --users 1,2,4,6,8 --json > bench.json
  tools/capacity.py bench.json              prints the tables
  tools/capacity.py bench.json --write      writes them to docs/SCALING.md
"""
import argparse
import json
import math
import pathlib
import sys

DOC = pathlib.Path(__file__).resolve().parents[1] / "docs" / "SCALING.md"
BEGIN, END = "<!-- capacity: made by tools/capacity.py -->\n", "<!-- capacity: end -->\n"
FILL = 0.8             # of a node's capacity: the share that the server requests of clients
                       # (src/serve/sched/rate.c)
NODE_USD_HOUR = 0.08   # assumed: two dedicated cores, rented by the hour
EGRESS_USD_GB = 0.05   # assumed: price of outgoing traffic; incoming traffic is free
BUSY_PERCENT_MAX = 10
CROWDS = (1_000, 100_000, 1_000_000)
SERVED = {"ws": ("`jpeg`", (30, 15)), "ws-nails": ("`nails`", (30, 15, 10))}


def bits(bytes_a_second):
    for unit, size in (("Tbit/s", 1e12), ("Gbit/s", 1e9), ("Mbit/s", 1e6)):
        if bytes_a_second * 8 >= size:
            return f"{bytes_a_second * 8 / size:.3g} {unit}"
    return f"{bytes_a_second * 8 / 1e3:.3g} kbit/s"


def crowd_rows(row, up_bytes):
    """A line of the table for each rate and crowd; up_bytes is the frame's own size."""
    name, rates = SERVED[row["id"]]
    down_bytes = max(row["bytes_per_frame"] - up_bytes, 0)
    for fps in rates:
        each = FILL * row["fps"] / fps
        for users in CROWDS:
            nodes = math.ceil(users / each)
            up, down = users * fps * up_bytes, users * fps * down_bytes
            compute = nodes * NODE_USD_HOUR
            egress = down * 3600 / 1e9 * EGRESS_USD_GB
            yield (f"| {name}, {fps} | {users:,} | {each:.1f} | {nodes:,} | {bits(up)} | "
                   f"{bits(down)} | {compute:,.0f} | {egress:,.0f} | "
                   f"{100 * (compute + egress) / users:.2f} |")


def gpu_rows(row):
    """The work that a GPU does not take over: the stages around inference, in processor time of the
    node."""
    times = row.get("server_ms")
    if not times:
        return
    around = sum(times[name] for name in ("decode", "prepare", "nails", "paint", "encode"))
    name = SERVED[row["id"]][0]
    yield (f"| {name} | {times['infer']:.2f} | {around:.2f} | {1000 / around:,.0f} | "
           f"{FILL * 1000 / around / 30:.1f} |")


def tables(bench):
    rows = [row for row in bench["rows"] if row["id"] in SERVED and row["status"] == "measured"]
    if len(rows) != len(SERVED):
        sys.exit("capacity: run the bench with --rows ws,ws-nails")
    if bench["busy_percent"] > BUSY_PERCENT_MAX:
        print(f"capacity: others took {bench['busy_percent']:.0f} % of the machine: a node by "
              f"itself "
              "does more than these figures say", file=sys.stderr)
    up = bench["frames"]["bytes"]
    out = [f"Measured on: {bench['machine']}; others took {bench['busy_percent']:.0f} % of it just "
           f"before; commit `{bench['commit']}`. Frames a second of the node, two in flight: "
           + ", ".join(f"{SERVED[row['id']][0]} {row['fps']:.0f}" for row in rows)
           + f". A frame is {up / 1000:.0f} kB up and "
           + ", ".join(f"{max(row['bytes_per_frame'] - up, 0) / 1000:.1f} kB down as "
                       f"{SERVED[row['id']][0]}" for row in rows) + ".", "",
           "| reply, frames a second each | users | users a node | nodes | in | out | nodes, $/h | "
           "out, $/h | cents a user and hour |", "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        out += crowd_rows(row, up)
    around = [line for row in rows for line in gpu_rows(row)]
    if around:
        out += ["", "| reply | ms inference | ms around it | frames a second of one core if "
                    "inference were "
            "free | users at 30 a core then |", "|---|---|---|---|---|"]
        out += around
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    made = tables(json.loads(chosen.bench.read_text()))
    if not chosen.write:
        print(made, end="")
        return
    text = DOC.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    DOC.write_text(before + BEGIN + made + END + after)


if __name__ == "__main__":
    main()
