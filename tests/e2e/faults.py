"""Runs a server with injected faults, like those that machines have (tests/faults/faults.c)."""
import ctypes
import mmap
import os
import re
import subprocess

from conftest import LACQUER, ROOT, Server

LIBRARY = LACQUER.parent / "tests" / "faults" / "liblacquer-faults.so"


class Faults(ctypes.Structure):
    """struct faults, in a file that both processes map. Fields may be set at any time."""
    _fields_ = [(name, ctypes.c_long) for name in (
        "count", "fail_at", "fail_count", "failed", "stall_ms", "no_files", "disk_full",
        "clock_jump_s", "walk")]

    @classmethod
    def at(cls, path):
        path.write_bytes(bytes(4096))
        with open(path, "r+b") as file:
            faults = cls.from_buffer(mmap.mmap(file.fileno(), 4096))
        faults.path = path
        faults.environment = {"LD_PRELOAD": str(LIBRARY), "LACQUER_FAULTS": str(path)}
        return faults


def faulty_server(folder, *args):
    faults = Faults.at(folder / "faults")
    server = Server("--log-level", "warn", "--max-wait", "60000", *args, **faults.environment)
    server.faults = faults
    return server


class Walk:
    """Walks through a start once: the results of the copies in which an allocation failed (walk_at
    in tests/faults/faults.c), as (number, status of waitpid, output)."""

    def __init__(self, faults, step=1, more=0):
        self.faults = faults
        faults.count = faults.fail_at = 0
        faults.fail_count, faults.walk = more, step

    def ends(self):
        self.faults.walk = 0
        text, at = self.faults.path.with_suffix(".walk").read_text(errors="replace"), 0
        for end in re.finditer(r"\n= (\d+) (\d+)\n", text):
            yield int(end[1]), int(end[2]), text[at:end.start()]
            at = end.end()


def run_with_fault(faults, number, *args, more=0):
    """Runs the command with its allocation of that number failing; `more`: and all later ones."""
    faults.count = faults.failed = 0
    faults.fail_count, faults.fail_at = more, number
    return subprocess.run([LACQUER, *map(str, args)], capture_output=True, text=True, timeout=60,
                          cwd=ROOT, env={**os.environ, **faults.environment})
