#!/usr/bin/env python3
"""Fails if a built program lacks the protections that make its faults hard to exploit: random
load addresses (PIE), tables that are read-only at run time (full RELRO), a stack that is not
executable, stack protection and checked copies.

Usage: check_hardening.py PROGRAM…
"""
import re
import subprocess
import sys


def readelf(flag, path):
    return subprocess.run(["readelf", "-W", flag, path], check=True, capture_output=True,
                          text=True).stdout


def faults(path):
    header, segments = readelf("-h", path), readelf("-l", path)
    dynamic, symbols = readelf("-d", path), readelf("--dyn-syms", path)
    stack = re.search(r"GNU_STACK.*?(R[W ][E ])", segments)
    wanted = {
        "PIE": "DYN (" in header,
        "RELRO": "GNU_RELRO" in segments,
        "immediate binding": re.search(r"BIND_NOW|Flags:.*NOW", dynamic) is not None,
        "a stack that is not executable": stack is not None and "E" not in stack[1],
        "stack protector": "__stack_chk_fail" in symbols,
        "_FORTIFY_SOURCE": re.search(r"__\w+_chk@", symbols) is not None,
        "no text relocations": "TEXTREL" not in dynamic,
    }
    return [name for name, there in wanted.items() if not there]


def main(paths):
    missing = [f"{path}: lacks {name}" for path in paths for name in faults(path)]
    print("\n".join(missing) or f"{len(paths)} hardened")
    return 1 if missing or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
