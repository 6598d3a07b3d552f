"""Processor quotas, as set by containers and systemd: tested with real control groups if this
machine allows creating them."""
import contextlib
import json
import os
import pathlib
import subprocess

import pytest
from conftest import LACQUER

CORES = len(os.sched_getaffinity(0))


def mounts():
    """Mount points of the processor controller of version 1 and of version 2's tree."""
    v1 = v2 = None
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, kind = (part.split() for part in line.split(" - ", 1))
        if kind[0] == "cgroup" and "cpu" in kind[-1].split(","):
            v1 = pathlib.Path(fields[4])
        elif kind[0] == "cgroup2":
            v2 = pathlib.Path(fields[4])
    return v1, v2


@contextlib.contextmanager
def groups(top, *names):
    """Nested groups, removed at the end."""
    made = []
    try:
        for name in names:
            folder = (made[-1] if made else top) / name
            folder.mkdir()
            made.append(folder)
        yield made
    except PermissionError as error:
        pytest.skip(f"no control groups can be made here: {error}")
    finally:
        for folder in reversed(made):
            folder.rmdir()


def engines_in(group):
    done = subprocess.run(["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$1" engines --json',
                           group,
                           LACQUER], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def name():
    return f"lacquer-test-{os.getpid()}"


@pytest.mark.parametrize("quota, period, cores", [(100000, 100000, 1), (25000, 50000, 1),
                                                  (150000, 100000, 2), (-1, 100000, CORES)])
@pytest.mark.parametrize("inner", [[], ["inner"]], ids=str)
def test_version_1(quota, period, cores, inner):
    top, _ = mounts()
    if not top:
        pytest.skip("no control groups of version 1 here")
    with groups(top, name(), *inner) as made:
        (made[0] / "cpu.cfs_period_us").write_text(str(period))
        (made[0] / "cpu.cfs_quota_us").write_text(str(quota))
        told = engines_in(made[-1])
    assert told["cores"] == min(cores, CORES), told
    if told["cores"] < CORES:
        assert str(made[0] / "cpu.cfs_quota_us") in told["cores_from"]


@pytest.mark.parametrize("inner", [[], ["inner"]], ids=str)
def test_version_2(inner):
    _, top = mounts()
    if not top or "cpu" not in (top / "cgroup.controllers").read_text().split():
        pytest.skip("no control groups of version 2 with the processor here")
    try:
        (top / "cgroup.subtree_control").write_text("+cpu")
    except OSError as error:
        pytest.skip(f"no control groups can be made here: {error}")
    with groups(top, name(), *inner) as made:
        (made[0] / "cpu.max").write_text("50000 100000")
        told = engines_in(made[-1])
    assert told["cores"] == 1 and (CORES == 1
                                   or str(made[0] / "cpu.max") in told["cores_from"]), told


def test_affinity():
    first = min(os.sched_getaffinity(0))
    done = subprocess.run(["taskset", "-c", str(first), LACQUER, "engines", "--json"],
                          capture_output=True, text=True, timeout=30)
    told = json.loads(done.stdout)
    assert told["cores"] == 1 and ("affinity" in told["cores_from"] or CORES == 1)
