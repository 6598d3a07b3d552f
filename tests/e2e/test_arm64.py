"""ARM64 on this machine: kernels built by the cross compiler and run by QEMU's user mode. A whole
system of it is tools/clean_root.sh's (docs/CLEAN-ROOT.md)."""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile
import types

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.sync.client import connect

from conftest import HANDS, LACQUER, ROOT, Reply, frame, jpeg, pixels

CROSS, QEMU = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
KERNELS = ["tests/arm64/kernels.c", *(f"src/{name}.c" for name in (
    "base/buf", "base/error", "engine/f16", "engine/u8", "image/resize", "image/box",
    "nail/upsample"))]
SYSTEM_CALLS = ["tests/arm64/system.c", *(f"src/{name}.c" for name in (
    "base/buf", "base/cgroup", "base/child", "base/cpu", "base/error", "base/file", "base/log",
    "base/trace", "net/loop"))]
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-O3", "-fno-math-errno", "-fno-trapping-math", "-Isrc",
         "-Iinclude"]

pytestmark = [
    pytest.mark.skipif(platform.machine() == "aarch64", reason="this is an ARM64 machine"),
    pytest.mark.skipif(not CROSS or not QEMU, reason="no cross compiler or qemu-aarch64 here "
                       "(packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user)")]


def build(compiler, sources, program):
    subprocess.run([compiler, *FLAGS, "-static", "-o", program, *sources, "-lm", "-lpthread"],
                   cwd=ROOT, check=True)
    return program


def numbers(*command):
    """What a program of tests/arm64 prints: name -> its values."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = {}
    for line in done.stdout.splitlines():
        name, value = line.split()
        found.setdefault(name, []).append(float(value))
    return {name: np.array(values) for name, values in found.items()}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    return (numbers(build("cc", KERNELS, folder / "here")),
            numbers(QEMU, build(CROSS, KERNELS, folder / "arm64")))


def test_the_kernels_are_vectorised_for_neon(tmp_path):
    """Its one version of a hot loop is not the slow one."""
    out = tmp_path / "resize.s"
    subprocess.run([CROSS, *FLAGS, "-S", "-o", out, "src/image/resize.c"], cwd=ROOT, check=True)
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


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """What the program says as a Raspberry Pi 4's and as a 5's processor."""
    program = build(CROSS, SYSTEM_CALLS, tmp_path_factory.mktemp("system") / "system")
    return {cpu: numbers(QEMU, "-cpu", cpu, program) for cpu in ("cortex-a72", "cortex-a76")}


def test_the_loop_is_woken_and_its_timers_are_due(system):
    for said in system.values():
        assert said["wakes"] == 200
        assert said["timer1"] == said["timer2"] == 1


def test_a_child_answers_crashes_and_is_ended(system):
    for said in system.values():
        assert said["answer"] == 42
        assert said["crash"] == said["late"] == 1


def test_a_compiled_network_is_not_taken_for_another_processors(system):
    """A card that goes from a Pi 4 to a Pi 5: they differ in the vectors that they have."""
    four, five = system["cortex-a72"], system["cortex-a76"]
    assert four["processor"].any() and five["processor"].any()
    assert (four["processor"] != five["processor"]).any()
    assert four["f16"] == 0 and five["f16"] == 1


# ---- the whole program with its real network: minutes, and a system with Lacquer for ARM64 in it

SYSTEM = os.environ.get("LACQUER_ARM64", "")
played = pytest.mark.skipif(not SYSTEM or os.geteuid() != 0, reason="needs root and LACQUER_ARM64: "
                            "a folder with a Debian that has Lacquer for ARM64 in /root/lacquer, "
                            "of ARM64 or with qemu-user (docs/CLEAN-ROOT.md)")
HOUR = 3600
# Without /sys OpenVINO's ARM64 build crashes.
ENTER = ('mount --make-rprivate / && for each in {}; do mount --rbind /$each "$0/$each" || exit; '
         'done && exec chroot "$0" "$@"')


def inside(*args, mounts="proc sys dev"):
    """As a Cortex-A76, a Raspberry Pi 5's: QEMU's own choice has vectors that it plays slowly. In a
    system of x86-64 qemu-user is named; in one of ARM64 the kernel starts it (binfmt_misc)."""
    player = "/usr/bin/qemu-aarch64"
    named = [player] if pathlib.Path(SYSTEM + player).exists() else []
    return ["unshare", "--mount", "sh", "-c", ENTER.format(mounts), SYSTEM, "/usr/bin/env", "-i",
            "HOME=/root", "PATH=/usr/bin:/bin", "QEMU_CPU=cortex-a76", "LACQUER_TUNE=off", *named,
            "/root/lacquer/build/lacquer", *args]


def boxes(nails):
    return np.array([nail["box"] for nail in nails])


def close(here, there):
    """The same number of nails, and their boxes within pixels: the arithmetic is another."""
    return len(here) == len(there) >= 4 and np.abs(boxes(here) - boxes(there)).max() <= 3


@pytest.fixture(scope="module")
def small():
    return jpeg(Image.open(HANDS / "light.jpg").convert("RGB").resize((320, 240)), 90)


@played
def test_without_sysfs_it_says_so():
    said = subprocess.run(inside("engines", mounts="proc dev"), capture_output=True, text=True,
                          check=True, timeout=HOUR).stdout
    assert "openvino    no" in said and "mount sysfs on /sys" in said


@played
def test_it_finds_the_same_nails(tmp_path, small):
    """Twice: the second time with the networks that the first has compiled and kept."""
    (tmp_path / "hand.jpg").write_bytes(small)
    pathlib.Path(SYSTEM, "tmp/hand.jpg").write_bytes(small)
    shutil.rmtree(pathlib.Path(SYSTEM, "tmp/kept"), ignore_errors=True)
    args = ["apply", "--fast", "--json", "-o"]
    here = json.loads(subprocess.run([LACQUER, *args, tmp_path / "here.jpg", tmp_path / "hand.jpg"],
                                     check=True, capture_output=True).stdout)
    for way in "compiled", "kept":
        there = subprocess.run(inside(*args, f"/tmp/{way}.jpg", "/tmp/hand.jpg", "--cache-dir",
                                      "/tmp/kept"), capture_output=True, timeout=HOUR)
        assert there.returncode == 0, there.stderr
        there = json.loads(there.stdout)
        assert close(here["nails"], there["nails"]), (way, here, there)


@pytest.fixture(scope="module")
def there():
    """A server for ARM64."""
    command = inside("serve", "--port", "0", "--workers=1", "--tune", "latency", "--max-wait",
                     "60000", "--cache-dir", "/tmp/kept")
    with tempfile.TemporaryFile("w+") as said:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            line = running.stdout.readline()
            assert "listening on" in line, (line, said.seek(0), said.read())
            yield types.SimpleNamespace(process=running, said=said,
                                        host=line.rsplit("/", 1)[1].split()[0])
        finally:
            running.kill()
            running.wait()


@played
def test_it_serves_the_same_nails(server, small, there):
    url = f"http://{there.host}"
    assert httpx.get(f"{url}/healthz", timeout=60).text.strip() == "ok"
    answers = [httpx.post(f"{each}/api/v1/nails", content=small, timeout=HOUR).json()["nails"]
               for each in (server.url, url)]
    assert close(*answers), answers


@played
def test_its_painted_picture_is_the_same(server, small, there):
    """But for the edges of nails."""
    here, other = (pixels(httpx.post(f"{url}/api/process", files={"image": small}, timeout=HOUR,
                                     headers={"accept": "image/jpeg"}).raise_for_status().content)
                   for url in (server.url, f"http://{there.host}"))
    bare = pixels(small)
    painted = np.abs(here - bare).max(axis=2) > 24
    assert painted.sum() > 200
    assert (np.abs(here - other).max(axis=2) > 24)[painted].mean() < 0.2
    assert (np.abs(here - other).max(axis=2) > 24)[~painted].mean() < 0.001


@played
def test_it_answers_frames_of_a_video(small, there):
    """Over a WebSocket, one after the other as a page sends them."""
    with connect(f"ws://{there.host}/ws", max_size=None, compression=None, open_timeout=60,
                 subprotocols=["lacquer.v1"], ping_timeout=None) as socket:
        assert '"hello"' in socket.recv(timeout=60)
        for number in range(1, 4):
            socket.send(frame(number, small))
            reply = Reply(socket.recv(timeout=HOUR))
            assert (reply.id, reply.type) == (number, 2) and reply.nails >= 4
            assert pixels(reply.picture).shape == (240, 320, 3)


@played
def test_it_ends_cleanly_when_it_is_told_to(there):
    there.process.terminate()
    assert there.process.wait(120) == 0
    there.said.seek(0)
    assert "Sanitizer" not in (said := there.said.read()) and "stalled" not in said
