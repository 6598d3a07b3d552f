"""Integer options of every command: only decimal digits within the range are accepted."""
import os
import re
import subprocess

import pytest
from conftest import LACQUER, ROOT

# The commands that have the option, and its range.
MODEL = "apply", "eval", "inspect", "serve"
INTEGERS = {
    "port": (["serve"], 0, 65535), "admin-port": (["serve"], 0, 65535),
    "max-sessions": (["serve"], 1, 10000),
    "drain-delay": (["serve"], 0, 600), "max-wait": (["serve"], 1, 60000),
    "max-sessions-per-address": (["serve"], 0, 10000),
    "max-frame-memory": (["serve"], 1, 1000000), "max-fps": (["serve"], 1, 100000),
    "idle-timeout": (["serve"], 1, 1000000), "workers": (["serve"], 1, 256),
    "max-age": (["serve"], 1, 60000), "jpeg-quality": (["serve"], 30, 95),
    "threads": (MODEL, 1, 1024), "triton-timeout": (MODEL, 1, 600000),
    "triton-version": (MODEL, 1, 2 ** 63 - 1), "quality": (["apply"], 1, 100),
    "every": (["eval"], 1, 3), "users": (["bench"], 0, 500),
    "instances": (["triton-repo"], 1, 256), "max-batch": (["triton-repo"], 0, 1024),
    "queue-delay": (["triton-repo"], 0, 1000000), "batch": (MODEL, 1, 32),
    "tune-after": (["serve"], 0, 86400), "pictures": (["quantize"], 8, 1024),
    "float-max": (["quantize"], 0, 100),
}
FRACTIONS = {"texture": "apply", "opacity": "apply", "score": "apply", "nms": "apply",
             "seconds": "bench", "fps": "bench", "batch-wait": "apply"}
WRONG = ["", " ", "1.5", "2.0", "1e2", "0x10", " 3", "3 ", "+3", "three", "-", "--3", "3,5", "3_0",
         "NaN", "inf", "\u0663", "9" * 30, "-" + "9" * 30, "3\n"]


def run(*args, **environment):
    done = subprocess.run([LACQUER, *args], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, **environment})
    return done.returncode, done.stderr


def in_source(call, row):
    """The options in such rows of the commands' tables, and those parsed by such a call."""
    found = set()
    for path in (ROOT / "src" / "cli").glob("*.c"):
        found |= set(re.findall(rf'{call}\(state, "([a-z-]+)"', path.read_text()))
        found |= set(re.findall(rf'\{{"([a-z-]+)",[^{{}}]*{row}\(', path.read_text()))
    return found


def test_every_option_is_here():
    assert in_source("lq_cli_integer", "LQ_CLI_TAKE_INTEGER") == set(INTEGERS)
    assert in_source("lq_cli_number", "LQ_CLI_TAKE_NUMBER") == set(FRACTIONS)
    # Every number from the command line goes through these two; what `lacquer tune` stores is a
    # file of the program's own, under a checksum.
    for path in (ROOT / "src" / "cli").glob("*.c"):
        if path.name not in ("number.c", "tune_choice.c") and not path.name.startswith("bench_"):
            assert not re.search(r"\b(strto(d|l|ul|ll|f)|ato[il]|sscanf)\(", path.read_text()), path


@pytest.mark.parametrize("option", INTEGERS)
def test_values_that_are_not_integers_in_range(option):
    commands, low, high = INTEGERS[option]
    for command in commands:
        for text in [*WRONG, str(low - 1), str(high + 1)]:
            if option == "users" and text == "3,5":
                continue  # a list of numbers
            status, said = run(command, f"--{option}={text}")
            assert status == 2, (command, text, said)
            assert f"--{option} wants a whole number from {low} to {high}, not" in said, said


@pytest.mark.parametrize("option", INTEGERS)
def test_the_ends_of_the_range_are_accepted(option):
    """The error is then about the next option."""
    commands, low, high = INTEGERS[option]
    for text in str(low), str(high), f"00{low}":
        status, said = run(commands[0], f"--{option}={text}", "--no-such-option")
        assert status == 2 and "no-such-option" in said and "whole number" not in said, said


@pytest.mark.parametrize("option", FRACTIONS)
def test_values_that_are_not_plain_numbers(option):
    for text in "", " 0.5", "0.5 ", "0x1p-1", "nan", "inf", "half", "0,5", "1e400", "-1":
        command = FRACTIONS[option]
        files = ["in.jpg", "-o", "out.jpg", "--color=#c71585"] if command == "apply" else []
        status, said = run(command, f"--{option}={text}", *files)
        assert status == 2 and f"--{option}" in said, (text, said)


def test_lists_of_whole_numbers():
    for text in "1,", ",1", "1,,2", "1,2.5":
        status, said = run("bench", f"--users={text}")
        assert status == 2 and "--users wants a whole number" in said, (text, said)


@pytest.mark.parametrize("port", ["8080.5", "0x50", " 80", "65536", "-1", "80 ", "http"])
def test_the_port_of_the_environment(port):
    status, said = run("serve", PORT=port)
    assert status == 2 and "from 0 to 65535" in said, said
