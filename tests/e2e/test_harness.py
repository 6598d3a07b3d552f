"""What runs the tests (tools/test_parts.sh) and what reads their answers (conftest.py)."""
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
            ["bash", "-c", "set -uo pipefail; build=build passed=0 failed=0 skipped=0 flaky=(); "
             f". tools/test_parts.sh; {script}; "
             'echo "sums: $passed $failed $skipped"; printf "flaky: %s\\n" "${flaky[@]}"'],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, env=env)
    return run


def test_what_fails_once_is_run_again_and_named(parts):
    done = parts("some=(.deps/venv/bin/python -m pytest -q test_some.py); "
                 'only="not waits" part some "${some[@]}"; land some "${some[@]}"')
    lines = done.stdout.splitlines()
    assert lines[-2:] == ["sums: 2 1 0", "flaky: some: test_once"], done.stdout + done.stderr
    assert "== some: what failed, again (at" in done.stdout


def test_a_run_that_breaks_off_has_failed(parts):
    done = parts("part none false; land none false")
    assert "sums: 0 1 0" in done.stdout and "flaky: none" not in done.stdout, done.stdout


def test_the_names_of_marks(parts):
    done = parts("only=waits part some .deps/venv/bin/python -m pytest -q test_some.py; "
                 "count_python some; echo ${bad_names[@]}")
    assert "test_slow\nsums: 0 1 0" in done.stdout, done.stdout + done.stderr


def test_clean_root_says_what_it_does_not_understand():
    done = subprocess.run([ROOT / "tools" / "clean_root.sh", "woody"], capture_output=True,
                          text=True)
    assert done.returncode == 2 and "'woody' is not understood" in done.stderr


@pytest.mark.parametrize("sent, count, got", [
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] * 2, 2, 2),
    ([b"HTTP/1.1 200 OK\r\nContent-", b"Length: 2\r\n\r", b"\nok"], 1, 1),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] * 3, 2, 3),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"], 1, 1)])
def test_responses_are_read_whole_and_what_is_too_much_with_them(sent, count, got):
    here, there = socket.socketpair()
    with here, there:
        for piece in sent:
            there.sendall(piece)
        closing = threading.Timer(0.3, lambda: there.shutdown(socket.SHUT_WR))
        closing.start()
        read = responses(here, count)
        closing.join()
    assert read == b"".join(sent) and read.count(b"HTTP/1.1 200") == got
