"""The source tarball (tools/dist.sh): it contains all that git tracks, is reproducible, and can be
built without git."""
import os
import pathlib
import subprocess
import tarfile

import pytest

from conftest import ROOT

TRACKED = (ROOT / ".git").exists()
pytestmark = pytest.mark.skipif(not TRACKED, reason="no checkout of git")


def make(folder):
    done = subprocess.run([ROOT / "tools" / "dist.sh", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return pathlib.Path(done.stdout.strip())


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    return make(tmp_path_factory.mktemp("dist"))


def test_holds_what_is_committed(tarball):
    name = tarball.name.removesuffix(".tar.gz")
    tracked = subprocess.run(["git", "ls-tree", "-r", "--name-only", "-z", "HEAD"], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout.split("\0")[:-1]
    with tarfile.open(tarball) as archive:
        held = {each.name for each in archive.getmembers() if not each.isdir()}
    assert held == {f"{name}/{path}" for path in tracked}


def test_is_the_same_each_time(tarball, tmp_path):
    assert make(tmp_path).read_bytes() == tarball.read_bytes()


def test_is_set_up_without_git(tarball, tmp_path):
    """Every file that the build names exists; LACQUER_PACKAGES=1 also builds it."""
    with tarfile.open(tarball) as archive:
        archive.extractall(tmp_path)
    (source,) = tmp_path.iterdir()
    (source / ".deps").symlink_to(ROOT / ".deps")
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    steps = [["meson", "setup", "build", "--buildtype=release"],
             ["ninja", "-C", "build", "src/bench/commit.h"],
             ["ninja", "-C", "build", *([] if os.environ.get("LACQUER_PACKAGES") else ["-n"])]]
    for step in steps:
        done = subprocess.run(step, cwd=source, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert "fatal:" not in done.stdout + done.stderr  # git's message outside a checkout
    assert '"unknown"' in (source / "build/src/bench/commit.h").read_text()
