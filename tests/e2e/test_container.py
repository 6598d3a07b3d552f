"""deploy/Dockerfile, as far as it can be tested without a container engine: its libraries, its
command, its health check. docs/CLEAN-ROOT.md says what was built from it and run."""
import ast
import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from conftest import LACQUER, ROOT, Server, free_port

BUILD = LACQUER.parent
TEXT = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
IMAGE = TEXT[TEXT.rindex("\nFROM "):]  # the final stage
NAMES = set(re.search(r"apt-get install -qy --no-install-recommends ([^&]+)", IMAGE)[1].split())


def instruction(name):
    return re.search(rf"^{name} (.*)$", IMAGE, re.M)[1]


def is_healthy(port):
    command = instruction("HEALTHCHECK").split("CMD ", 1)[1]
    return subprocess.run(["sh", "-c", command], env={**os.environ, "PORT": str(port)},
                          stderr=subprocess.DEVNULL, timeout=60).returncode == 0


def test_its_command_serves_and_is_healthy():
    """Started as by `docker run`, except for the port and the allowed addresses."""
    entry, command = (ast.literal_eval(instruction(name)) for name in ("ENTRYPOINT", "CMD"))
    assert [*entry, command[0]] == ["lacquer", "serve"] and "0.0.0.0" in command
    port = free_port()
    command = [word.replace("0.0.0.0", "127.0.0.1") for word in command[1:]]
    running = Server(*command, PORT=str(port))
    assert running.port == port and is_healthy(port)
    assert running.stop()[0] == 0
    assert not is_healthy(port)


def test_the_port_is_the_same_everywhere():
    """`docker run -p 8080:8080`, EXPOSE and the health check use the same port."""
    port = re.search(r"\bPORT=(\d+)", instruction("ENV"))[1]
    assert instruction("EXPOSE") == port and "$PORT" in instruction("HEALTHCHECK")
    for text in (TEXT, (ROOT / "README.md").read_text()):
        assert f"docker run --rm -p {port}:{port} lacquer" in text


def test_a_finished_build_can_replace_the_first_stage():
    """docs/ARM64.md: nothing but /out of that stage is used, and it bears the documented name."""
    [(stage, source)] = re.findall(r"^(?:COPY|ADD) --from=(\S+) (\S+) ", IMAGE, re.M)
    first, last = re.findall(r"^FROM .*$", TEXT, re.M)
    assert first.endswith(f" AS {stage}") and last == first.removesuffix(f" AS {stage}")
    told = (ROOT / "docs" / "ARM64.md").read_text()
    assert source == "/out/usr/local" and "DESTDIR=/out meson install" in TEXT
    assert f"--build-context {stage}=DIR" in told and "`DIR/out`" in told


def test_a_server_with_tls_is_healthy():
    running = Server("--tls-self-signed")
    assert running.scheme == "https" and is_healthy(running.port)
    assert running.stop()[0] == 0


@pytest.mark.waits
def test_a_server_that_hangs_is_not_healthy():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_healthy(listener.getsockname()[1])


def needed(*paths):
    """The packages of the libraries that these files are linked with, except libc6."""
    sys.path.insert(0, str(ROOT / "tools"))
    import sbom
    files = {os.path.realpath(file) for path in paths for _, file in sbom.needed(path)}
    names = [*files, *(file.removeprefix("/usr") for file in files)]  # before Debian moved /lib
    owners = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True).stdout
    found = [line.split(":")[0] for line in owners.splitlines()]
    assert len(found) == len(files), owners
    return set(found) - {"libc6"}


@pytest.mark.skipif('VERSION_CODENAME=bookworm' not in pathlib.Path("/etc/os-release").read_text(),
                    reason="names of Debian 12's packages")
def test_the_image_has_what_the_program_is_linked_with():
    """Exactly these: libc6 is always there; curl is for the health check, also of other hosts over
    TLS."""
    linked = needed(LACQUER, BUILD / "liblacquer.so.0", BUILD / "lacquer-check-model")
    assert NAMES == linked | {"curl", "ca-certificates"}


@pytest.mark.skipif('VERSION_CODENAME=bookworm' not in pathlib.Path("/etc/os-release").read_text(),
                    reason="names of Debian 12's packages")
def test_the_wheels_packages_are_documented():
    text = (ROOT / "docs" / "LIBRARY.md").read_text()
    told = re.search(r"`apt-get install ([^`]+)`", text)[1].split()
    assert set(told) == needed(BUILD / "liblacquer.so.0", BUILD / "lacquer-check-model")
