#!/usr/bin/env python3
"""Fails if liblacquer's ABI differs from the recorded one, on which programs built against an
earlier liblacquer.so.0 rely. libabigail (Debian: abigail-tools) compares them; without it the exit
status is 77 (skipped).

Usage: check.py LIBRARY INCLUDE_FOLDER [--write]   LIBRARY has debug information of public types
"""
import pathlib
import platform
import re
import shutil
import subprocess
import sys

STORED = pathlib.Path(__file__).with_name("liblacquer.so.0.abi")


def describe(library, headers, out):
    subprocess.run(["abidw", "--headers-dir", headers, "--drop-private-types", "--no-corpus-path",
                    "--no-comp-dir-path", "--no-show-locs", "--exported-interfaces-only",
                    "--drop-undefined-syms", "--no-elf-needed", "--out-file", out,
                    library], check=True)


def main(library, headers, *options):
    if not shutil.which("abidw") or platform.machine() != "x86_64":
        print("no abidw here (apt-get install abigail-tools), or another processor than on file")
        return 77
    if "--write" in options:
        describe(library, headers, STORED)
        return 0
    now = pathlib.Path(library).with_suffix(".abi")
    describe(library, headers, now)
    done = subprocess.run(["abidiff", STORED, now], capture_output=True, text=True)
    print(done.stdout + done.stderr)
    if done.returncode == 0:
        return 0
    again = f"run {sys.argv[0]} {library} {headers} --write and commit the file"
    if re.search(r"summary: 0 Removed, 0 Changed.*, [1-9]\d* Added", done.stdout):
        print(f"the ABI grew: {again}")
    else:
        print(f"programs built against the ABI on file may fail: undo this or raise the soname. "
              f"Only where a member took room of `reserved`, or another name at its place: {again}")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
