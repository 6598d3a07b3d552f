"""The installed program: it loads files only from where it was installed, never from its build
folder, which may belong to someone else by then."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import LACQUER, ROOT

BUILD = LACQUER.parent
HAND = ROOT / "tests" / "golden" / "hands" / "light.jpg"


def environment(**more):
    kept = {name: value for name, value in os.environ.items()
            if name not in ("LACQUER_OPENVINO", "LD_LIBRARY_PATH")}
    return {**kept, **more}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], check=True,
                   env={**os.environ, "DESTDIR": str(folder)})
    found = list(folder.rglob("bin/lacquer"))
    assert len(found) == 1
    return found[0].parent.parent


def test_the_library_is_where_the_loader_looks(installed):
    """In a Debian without dpkg-dev, meson would choose lib64, which no ld.so.conf lists there."""
    (library,) = installed.rglob("liblacquer.so.0")
    folder = library.parent.relative_to(installed)
    assert str(folder) == "lib" or re.fullmatch("lib/[a-z0-9_]+-linux-gnu", str(folder)), folder


def opened(command, env, cwd):
    """The files that a program loaded or tried to load, as reported by the dynamic loader."""
    done = subprocess.run(command, env={**env, "LD_DEBUG": "files,libs"}, capture_output=True,
                          text=True, timeout=120, cwd=cwd)
    return done, re.findall(r"(?:file=|trying file=|calling init: )(/\S+)", done.stderr)


def test_it_loads_nothing_from_the_build(installed, tmp_path):
    done, files = opened([installed / "bin" / "lacquer", "apply", HAND, "-o", tmp_path / "out.jpg"],
                         environment(HOME=str(tmp_path)), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    used = [file for file in files if "openvino" in file]
    assert used and all(pathlib.Path(file).is_relative_to(installed) for file in used), used
    assert not [file for file in files if file.startswith((str(BUILD), str(ROOT)))]


def test_the_program_that_was_built_uses_what_was_unpacked(tmp_path):
    done, files = opened([LACQUER, "apply", HAND, "-o", tmp_path / "out.jpg"],
                         environment(HOME=str(tmp_path)), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [file for file in files if "/.deps/openvino/libs/libopenvino_c" in file]


EVIL = """
#include <stdlib.h>
#include <stdio.h>
__attribute__((constructor)) static void run(void) {
    FILE *file = fopen(getenv("PLANTED"), "w");
    if (file) fclose(file);
}
"""




def test_a_library_planted_where_it_was_built_is_not_loaded(installed, tmp_path):
    libraries = re.search(rb"(/[^\0]*?/openvino/libs)\0", LACQUER.read_bytes())[1].decode()
    planted = pathlib.Path(f"/tmp/lacquer-planted-{os.getpid()}")
    fake = f"{planted}/libs"
    if len(fake) > len(libraries):
        fake = fake[:len(libraries)]
    fake = fake + "/" * (len(libraries) - len(fake))
    source = tmp_path / "evil.c"
    source.write_text(EVIL)
    home = tmp_path / "installed"
    shutil.copytree(installed, home, symlinks=True)
    program = home / "bin" / "lacquer"
    program.write_bytes(program.read_bytes().replace(libraries.encode() + b"\0", fake.encode() + b"\0"))
    shutil.rmtree(home / "lib" / "lacquer")  # so that the loader finds it first
    try:
        os.makedirs(fake)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", f"{fake}/libopenvino_c.so.2641", source],
                       check=True)
        mark = tmp_path / "ran"
        done = subprocess.run([program, "apply", HAND, "-o", tmp_path / "out.jpg"],
                              env=environment(PLANTED=str(mark), HOME=str(tmp_path)),
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 1 and "cannot load OpenVINO" in done.stderr
        assert not mark.exists()
    finally:
        shutil.rmtree(planted, ignore_errors=True)


def test_it_runs_nothing_of_the_source_folder(installed, tmp_path):
    """`bench --peers` runs programs: an installed one must be given their folder."""
    done = subprocess.run([installed / "bin" / "lacquer", "bench", "--seconds", "0.1"],
                          env=environment(HOME=str(tmp_path)), capture_output=True, text=True,
                          timeout=60, cwd=tmp_path)
    assert done.returncode == 2 and "--frames" in done.stderr
    done = subprocess.run([installed / "bin" / "lacquer", "bench", "--peers", "--json", "--seconds",
                           "0.1",
                           "--rows", "ws", "--users", "1", "--frames",
                           ROOT / "tests/e2e/hand.mjpeg"],
                          env=environment(HOME=str(tmp_path)), capture_output=True, text=True,
                          timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    peers = json.loads(done.stdout)["peers"]
    assert peers and all(row["status"] == "not measured" and "--peers-dir" in row["reason"]
                         for row in peers), peers


def test_its_model_is_the_installed_one(installed):
    done = subprocess.run([installed / "bin" / "lacquer", "inspect", "--json",
                           installed / "share" / "lacquer" / "nail.onnx"], env=environment(),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    # Without its own model it does not use that of the source folder.
    bare = installed.parent / "bare"
    shutil.copytree(installed, bare, symlinks=True)
    shutil.rmtree(bare / "share" / "lacquer")
    done = subprocess.run([bare / "bin" / "lacquer", "apply", HAND, "-o", "/dev/null"],
                          env=environment(), capture_output=True, text=True, timeout=120)
    if not pathlib.Path("/usr/local/share/lacquer/nail.onnx").exists():
        assert done.returncode == 1 and "nail.onnx" in done.stderr and str(ROOT) not in done.stderr
