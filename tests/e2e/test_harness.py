"""Tests of the test tools: what runs the tests (tools/test_parts.sh) and what reads responses
(conftest.py)."""
import os
import socket
import subprocess
import threading

import pytest

from conftest import ROOT, responses

SOME_TESTS = """
import pathlib, pytest
def test_good(): pass
def test_once():
    again = pathlib.Path("again").exists()
    pathlib.Path("again").touch()
    assert again
def test_never(): assert False
@pytest.mark.waits
def test_slow(): assert False
"""


@pytest.fixture
def parts(tmp_path):
    """Runs a piece of tools/test.sh over the tests above."""
    for name in ("tools", ".deps"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "build").mkdir()
    (tmp_path / "test_some.py").write_text(SOME_TESTS)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "LACQUER"))}

    def run(script):
        return subprocess.run(
            ["bash", "-c", "set -uo pipefail; build=build passed=0 failed=0 skipped=0 flaky=() "
             f"failures=(); . tools/test_parts.sh; {script}; "
             'echo "sums: $passed $failed $skipped"; name_failures'],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, env=env)
    return run


def test_a_test_that_fails_once_is_repeated_and_named(parts):
    done = parts("some=(.deps/venv/bin/python -m pytest -q test_some.py); "
                 'only="not waits" part some "${some[@]}"; land some "${some[@]}"')
    lines = done.stdout.splitlines()
    assert "== some: what failed, again (at" in done.stdout
    sums, _, again, once, _, failed, never = lines[-7:]
    assert sums == "sums: 2 1 0", done.stdout + done.stderr
    assert again.startswith("== 1 passed only when run again")
    assert failed.startswith("== what failed (at")
    assert [once, never] == ["some: test_some.py::test_once", "some: test_some.py::test_never"]


def test_a_run_that_breaks_off_has_failed(parts):
    done = parts("part none false; land none false")
    assert "sums: 0 1 0" in done.stdout and "run again:" not in done.stdout, done.stdout
    assert done.stdout.endswith("\nnone: the run itself\n"), done.stdout


def test_a_lane_that_comes_too_late_has_not_failed(parts, tmp_path):
    (tmp_path / "build" / "pytest-late.xml").write_text(
        '<testsuites><testsuite tests="0" skipped="0" failures="0" errors="0"/></testsuites>')
    assert "sums: 0 0 0" in parts("of_lanes=--lane count_python late").stdout
    assert "sums: 0 1 0" in parts("count_python late").stdout


MESON = """
1/3 lacquer:unit / net/ws      OK        0.02s
2/3 lacquer:unit / net/http    FAIL      0.01s   exit status 1
3/3 lacquer:style / width      TIMEOUT   9.00s   killed by signal 15 SIGTERM


Summary of Failures:

2/3 lacquer:unit / net/http    FAIL      0.01s   exit status 1
3/3 lacquer:style / width      TIMEOUT   9.00s   killed by signal 15 SIGTERM

Ok:                 1
Expected Fail:      0
Fail:               1
Unexpected Pass:    0
Skipped:            0
Timeout:            1
"""


def test_c_tests_that_failed_are_named_at_the_end(parts, tmp_path):
    (tmp_path / "said").write_text(MESON)
    done = parts("meson() { cat said; }; c_tests build")
    sums, _, head, *names = done.stdout.splitlines()[-5:]
    assert sums == "sums: 1 2 0" and head.startswith("== what failed (at"), done.stdout
    assert [" ".join(name.split()[:4]) for name in names] == ["build: lacquer:unit / net/http",
                                                              "build: lacquer:style / width"]


def test_a_build_that_breaks_off_has_failed(parts):
    done = parts("meson() { echo 'ninja: build stopped'; }; c_tests build")
    assert "sums: 0 1 0" in done.stdout, done.stdout
    assert done.stdout.endswith("\nbuild: no C test was run\n"), done.stdout


def test_a_program_that_fails_is_named(parts):
    done = parts("program_part a false --really; program_land a false --really; "
                 "program_part b true; program_land b true")
    assert "sums: 1 1 0" in done.stdout and done.stdout.endswith("\nfalse --really\n"), done.stdout


def test_the_names_of_marks(parts):
    done = parts("only=waits part some .deps/venv/bin/python -m pytest -q test_some.py; "
                 "count_python some; echo ${bad_names[@]}")
    assert "test_some.py::test_slow\nsums: 0 1 0" in done.stdout, done.stdout + done.stderr


def test_clean_root_names_an_unknown_argument():
    done = subprocess.run([ROOT / "tools" / "clean_root.sh", "woody"], capture_output=True,
                          text=True)
    assert done.returncode == 2 and "'woody' is not understood" in done.stderr


@pytest.mark.parametrize("sent, count, got", [
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] * 2, 2, 2),
    ([b"HTTP/1.1 200 OK\r\nContent-", b"Length: 2\r\n\r", b"\nok"], 1, 1),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] * 3, 2, 3),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"], 1, 1)])
def test_responses_are_read_whole_with_any_excess(sent, count, got):
    here, there = socket.socketpair()
    with here, there:
        for piece in sent:
            there.sendall(piece)
        closing = threading.Timer(0.3, lambda: there.shutdown(socket.SHUT_WR))
        closing.start()
        read = responses(here, count)
        closing.join()
    assert read == b"".join(sent) and read.count(b"HTTP/1.1 200") == got
