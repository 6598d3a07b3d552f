"""ARM64 on this machine: kernels built by the cross compiler and run by QEMU's user mode. A whole
system of it is tools/clean_root.sh's (docs/CLEAN-ROOT.md)."""
import platform
import shutil
import subprocess

import numpy as np
import pytest

from conftest import ROOT

CROSS, QEMU = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
SOURCES = ["tests/arm64/kernels.c", *(f"src/{name}.c" for name in (
    "base/buf", "base/error", "engine/f16", "engine/u8", "image/resize", "image/box", "nail/upsample"))]

pytestmark = [
    pytest.mark.skipif(platform.machine() == "aarch64", reason="this is an ARM64 machine"),
    pytest.mark.skipif(not CROSS or not QEMU, reason="no cross compiler or qemu-aarch64 here "
                       "(packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user)")]


def numbers(compiler, folder, *before):
    program = folder / "kernels"
    subprocess.run([compiler, "-std=gnu17", "-D_GNU_SOURCE", "-O3", "-fno-math-errno",
                    "-fno-trapping-math", "-Isrc", "-Iinclude", "-static", "-o", program, *SOURCES,
                    "-lm", "-lpthread"], cwd=ROOT, check=True)
    done = subprocess.run([*before, program], capture_output=True, text=True, check=True, timeout=60)
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
