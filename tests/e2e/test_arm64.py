"""ARM64 on this machine: kernels built by the cross compiler and run by QEMU's user mode. A whole
system of it is tools/clean_root.sh's (docs/CLEAN-ROOT.md)."""
import json
import os
import pathlib
import platform
import shutil
import subprocess

import httpx
import numpy as np
import pytest
from PIL import Image

from conftest import HANDS, LACQUER, ROOT

CROSS, QEMU = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
SOURCES = ["tests/arm64/kernels.c", *(f"src/{name}.c" for name in (
    "base/buf", "base/error", "engine/f16", "engine/u8", "image/resize", "image/box",
    "nail/upsample"))]

pytestmark = [
    pytest.mark.skipif(platform.machine() == "aarch64", reason="this is an ARM64 machine"),
    pytest.mark.skipif(not CROSS or not QEMU, reason="no cross compiler or qemu-aarch64 here "
                       "(packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user)")]


def numbers(compiler, folder, *before):
    program = folder / "kernels"
    subprocess.run([compiler, "-std=gnu17", "-D_GNU_SOURCE", "-O3", "-fno-math-errno",
                    "-fno-trapping-math", "-Isrc", "-Iinclude", "-static", "-o", program, *SOURCES,
                    "-lm", "-lpthread"], cwd=ROOT, check=True)
    done = subprocess.run([*before, program], capture_output=True, text=True, check=True,
                          timeout=60)
    found = {}
    for line in done.stdout.splitlines():
        name, value = line.split()
        found.setdefault(name, []).append(float(value))
    return {name: np.array(values) for name, values in found.items()}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return (numbers("cc", tmp_path_factory.mktemp("here")),
            numbers(CROSS, tmp_path_factory.mktemp("arm64"), QEMU))


def test_the_kernels_are_vectorised_for_neon(tmp_path):
    """Its one version of a hot loop is not the slow one."""
    out = tmp_path / "resize.s"
    subprocess.run([CROSS, "-std=gnu17", "-D_GNU_SOURCE", "-O3", "-fno-math-errno",
                    "-fno-trapping-math", "-Isrc", "-Iinclude", "-S", "-o", out,
                    "src/image/resize.c"], cwd=ROOT, check=True)
    assert ".4s" in out.read_text()


@pytest.mark.parametrize("kernel", ["resize", "mean", "upsample"])
def test_floats_are_the_same_up_to_rounding(both, kernel):
    here, there = (each[kernel] for each in both)
    assert here.size > 100 and np.ptp(here) > 0.03
    assert np.abs(here - there).max() < 1e-5


def test_halves_differ_by_a_last_bit_at_most(both):
    here, there = (each["half"] for each in both)
    assert (here == there).mean() > 0.99
    assert np.allclose(here, there, rtol=2 ** -10, atol=1e-6)


def test_bytes_differ_by_one_at_most(both):
    here, there = (each["byte"] for each in both)
    assert (here == there).mean() > 0.99
    assert np.abs(here - there).max() <= 1


# ---- the whole program with its real network: minutes, and a system built by tools/clean_root.sh

SYSTEM = os.environ.get("LACQUER_ARM64", "")
played = pytest.mark.skipif(not SYSTEM or os.geteuid() != 0, reason="needs root and LACQUER_ARM64: "
                            "a folder with a Debian that has Lacquer for ARM64 in /root/lacquer, "
                            "its libraries and qemu-user (docs/CLEAN-ROOT.md)")


def inside(*args):
    """As a Cortex-A76, a Raspberry Pi 5's: QEMU's own choice has vectors that it plays slowly."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={SYSTEM}/proc",
            "chroot", SYSTEM, "/usr/bin/qemu-aarch64", "-cpu", "cortex-a76",
            "/root/lacquer/build/lacquer", *args, "--cache-dir", "none"]


def nails_of(text):
    return [nail["box"] for nail in json.loads(text)["nails"]]


def close(here, there):
    """Int8 here, floats there: the boxes differ by a few pixels at most."""
    return len(here) == len(there) >= 4 and np.abs(np.array(here) - np.array(there)).max() <= 3


@played
def test_it_finds_the_same_nails(tmp_path):
    picture = pathlib.Path(SYSTEM, "tmp", "hand.jpg")
    Image.open(HANDS / "light.jpg").convert("RGB").resize((320, 240)).save(picture, quality=90)
    args = ["apply", "--fast", "--json", "-o"]
    here = subprocess.run([LACQUER, *args, tmp_path / "here.jpg", picture], check=True,
                          capture_output=True)
    there = subprocess.run(inside(*args, "/tmp/there.jpg", "/tmp/hand.jpg"), capture_output=True,
                           timeout=3600)
    assert there.returncode == 0, there.stderr
    assert close(nails_of(here.stdout), nails_of(there.stdout)), (here.stdout, there.stdout)


@played
def test_it_serves_the_same_nails(server, hand):
    here = httpx.post(f"{server.url}/api/v1/nails", content=hand, timeout=60).json()["nails"]
    running = subprocess.Popen(inside("serve", "--port", "0", "--no-sandbox", "--workers=1",
                                      "--max-wait", "60000"), stdout=subprocess.PIPE, text=True)
    try:
        port = running.stdout.readline().rsplit(":", 1)[1].strip()
        answer = httpx.post(f"http://127.0.0.1:{port}/api/v1/nails", content=hand, timeout=3600)
        there = answer.json()["nails"]
    finally:
        running.terminate()
        running.wait(60)
    assert close(*([nail["box"] for nail in nails] for nails in (here, there))), (here, there)
