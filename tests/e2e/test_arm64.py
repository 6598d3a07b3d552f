"""ARM64 on this machine: kernels built by the cross compiler and run by QEMU's user mode.
tools/clean_root.sh tests a complete ARM64 system (docs/CLEAN-ROOT.md)."""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from websockets.sync.client import connect

from test_model_kinds import drawn
from conftest import HANDS, LACQUER, ROOT, Nails, Reply, Server, frame, jpeg, pixels

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
    """The output of a program of tests/arm64: name -> its values."""
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
    """The only version of a hot loop must not be the slow one."""
    out = tmp_path / "resize.s"
    subprocess.run([CROSS, *FLAGS, "-S", "-o", out, "src/image/resize.c"], cwd=ROOT, check=True)
    assert ".4s" in out.read_text()


@pytest.mark.parametrize("kernel", ["resize", "mean", "upsample"])
def test_floats_are_the_same_up_to_rounding(both, kernel):
    here, there = (each[kernel] for each in both)
    assert here.size > 100 and np.ptp(here) > 0.03
    assert np.abs(here - there).max() < 1e-5


def test_half_floats_differ_by_the_last_bit_at_most(both):
    here, there = (each["half"] for each in both)
    assert (here == there).mean() > 0.99
    assert np.allclose(here, there, rtol=2 ** -10, atol=1e-6)


def test_bytes_differ_by_one_at_most(both):
    here, there = (each["byte"] for each in both)
    assert (here == there).mean() > 0.99
    assert np.abs(here - there).max() <= 1


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """The program's output on the processors of a Raspberry Pi 4 and of a 5."""
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
    """A card moved from a Pi 4 to a Pi 5: the processors have different vector instructions."""
    four, five = system["cortex-a72"], system["cortex-a76"]
    assert four["processor"].any() and five["processor"].any()
    assert (four["processor"] != five["processor"]).any()
    assert four["f16"] == 0 and five["f16"] == 1


def test_the_list_of_parts_is_for_that_processor(tmp_path, monkeypatch):
    """A cross-compiled program cannot run here for it, and it has no OpenVINO of this machine."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import sbom
    source, program = tmp_path / "some.c", tmp_path / "some"
    source.write_text("int main(void) { return 0; }\n")
    subprocess.run([CROSS, "-o", program, source], check=True)
    machine = sbom.machine_of(program)
    assert sbom.needed(program) == [("libc.so.6", "/usr/lib/aarch64-linux-gnu/libc.so.6")]
    digests = [sbom.openvino_pin(ROOT, each)[2] for each in (machine, platform.machine())]
    pins = (ROOT / "tools" / "openvino.txt").read_text().split("sha256:")
    assert machine == "aarch64" and digests == [pins[2].split()[0], pins[1].split()[0]]


# ---- the whole program with its real network: takes minutes, and needs a system with Lacquer for
# ARM64

SYSTEM = os.environ.get("LACQUER_ARM64", "")
played = pytest.mark.skipif(not SYSTEM or os.geteuid() != 0, reason="needs root and LACQUER_ARM64: "
                            "a folder with a Debian that has Lacquer for ARM64 in /root/lacquer, "
                            "of ARM64 or with qemu-user (docs/CLEAN-ROOT.md)")
HOUR = 3600
# Without /sys OpenVINO's ARM64 build crashes.
ENTER = ('mount --make-rprivate / && for each in {}; do mount --rbind /$each "$0/$each" || exit; '
         'done && exec chroot "$0" "$@"')


def inside(*args, mounts="proc sys dev", cpu="cortex-a76"):
    """As a Cortex-A76, the Raspberry Pi 5's processor: QEMU's default has vector instructions that
    it emulates slowly. In an x86-64 system qemu-user is named; in an ARM64 system the kernel starts
    it (binfmt_misc)."""
    player = "/usr/bin/qemu-aarch64"
    named = [player] if pathlib.Path(SYSTEM + player).exists() else []
    return ["unshare", "--mount", "sh", "-c", ENTER.format(mounts), SYSTEM, "/usr/bin/env", "-i",
            "HOME=/root", "PATH=/usr/bin:/bin", f"QEMU_CPU={cpu}", "LACQUER_TUNE=off", *named,
            "/root/lacquer/build/lacquer", *args]


def boxes(nails):
    return np.array([nail["box"] for nail in nails])


def close(here, there):
    """The same number of nails, with boxes equal within pixels, because the arithmetic differs."""
    return len(here) == len(there) >= 4 and np.abs(boxes(here) - boxes(there)).max() <= 3


@pytest.fixture(scope="module")
def small():
    return jpeg(Image.open(HANDS / "light.jpg").convert("RGB").resize((320, 240)), 90)


@played
def test_missing_sysfs_is_reported():
    said = subprocess.run(inside("engines", mounts="proc dev"), capture_output=True, text=True,
                          check=True, timeout=HOUR).stdout
    assert "openvino    no" in said and "mount sysfs on /sys" in said


def small_network(path):
    """Separates nails from skin in a drawn picture by their blue, with two convolutions."""
    blue = np.zeros((8, 3, 3, 3), np.float32)
    blue[:, 2] = 1 / 9
    weights = {"w1": blue, "w2": np.full((1, 8, 1, 1), 10, np.float32),
               "b2": np.array([-51.6], np.float32)}
    nodes = [helper.make_node("Conv", ["images", "w1"], ["c1"], pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c1"], ["r1"]),
             helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"]),
             helper.make_node("Sigmoid", ["c2"], ["mask"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 160, 160])
            for name, channels in (("images", 3), ("mask", 1))]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:],
                              [numpy_helper.from_array(w, name) for name, w in weights.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              path)


@pytest.fixture(scope="module")
def drawn_hand():
    """A model and a picture in the system's /tmp/drawn."""
    folder = pathlib.Path(SYSTEM, "tmp/drawn")
    folder.mkdir(exist_ok=True)
    small_network(folder / "small.onnx")
    Image.fromarray(drawn()[0]).save(folder / "hand.png")
    return folder


@played
@pytest.mark.parametrize("precision", ["f32", "f16"])
def test_a_small_network_in(drawn_hand, precision):
    args = ["apply", "--fast", "--json", "--cache-dir", "none", "-o", "/tmp/drawn.png"]
    here = subprocess.run([LACQUER, *args, "-m", drawn_hand / "small.onnx",
                           drawn_hand / "hand.png"], check=True, capture_output=True)
    there = subprocess.run(inside(*args, "-m", "/tmp/drawn/small.onnx", "/tmp/drawn/hand.png",
                                  "--precision", precision), capture_output=True, timeout=HOUR)
    assert there.returncode == 0, there.stderr
    nails = [json.loads(done.stdout)["nails"] for done in (here, there)]
    assert len(nails[0]) == 5 and close(*nails), nails


@played
def test_f16_is_refused_where_there_are_no_vectors_of_it(drawn_hand):
    """On the processor of a Raspberry Pi 4."""
    command = inside("apply", "--fast", "-m", "/tmp/drawn/small.onnx", "-o", "/tmp/drawn.png",
                     "/tmp/drawn/hand.png", "--precision", "f16", cpu="cortex-a72")
    said = subprocess.run(command, capture_output=True, text=True, timeout=HOUR)
    assert "cannot run in f16" in said.stderr and "ARMv8.2-FP16" in said.stderr


@played
def test_it_finds_the_same_nails(tmp_path, small):
    """Twice: the second run loads the networks that the first has compiled and stored."""
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


class There:
    """An ARM64 server; reports its log if it does not start."""

    def __init__(self, *args):
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(inside("serve", "--port", "0", "--workers=1", *args),
                                        stdout=subprocess.PIPE, stderr=self.said, text=True)
        line = self.process.stdout.readline()
        if "listening on" not in line:
            self.process.kill()
            raise RuntimeError(self.heard())
        self.host = line.rsplit("/", 1)[1].split()[0].replace("localhost", "127.0.0.1")

    def heard(self):
        self.process.wait(60)
        self.said.seek(0)
        return self.said.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(120)
        return self.process.returncode, self.heard()


def replies(host, frames):
    """Sends one frame after the other, as a page does. A frame that waited too long is sent again:
    an emulated inference takes seconds, and minutes on a busy machine."""
    with connect(f"ws://{host}/ws", max_size=None, compression=None, open_timeout=60,
                 subprotocols=["lacquer.v1"], ping_timeout=None) as socket:
        assert '"hello"' in socket.recv(timeout=60)
        number = 0
        for picture, want in frames:
            for _ in range(20):
                number += 1
                socket.send(frame(number, picture, want=want))
                data = socket.recv(timeout=HOUR)
                if isinstance(data, bytes):
                    break
                assert "TIMEOUT" in data
            reply = Reply(data)
            assert reply.id == number and reply.type == (3 if want else 2)
            yield reply


def differ(one, other):
    return np.abs(one.astype(int) - other.astype(int)).max(axis=2) > 24


def check_painted(here, there, bare):
    """Equal except at the edges of nails."""
    painted = differ(here, bare)
    assert painted.sum() > 200
    assert differ(here, there)[painted].mean() < 0.2
    assert differ(here, there)[~painted].mean() < 0.001


@played
def test_it_serves_a_video_with_the_real_network(server, small):
    running = There("--tune", "latency", "--cache-dir", "/tmp/kept")
    try:
        assert httpx.get(f"http://{running.host}/healthz", timeout=60).text.strip() == "ok"
        frames = [(small, 1), (small, 0)]
        here = list(replies(f"127.0.0.1:{server.port}", frames))
        there = list(replies(running.host, frames))
        status, said = running.stop()
    finally:
        running.process.kill()
    assert status == 0, said
    masks = [Nails(reply[0]).mask(320, 240) > 127 for reply in (here, there)]
    assert here[0].nails == there[0].nails >= 4
    assert (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum() > 0.9
    check_painted(pixels(here[1].picture), pixels(there[1].picture), pixels(small))


@pytest.fixture(scope="module")
def recorded():
    """Two servers with recorded tensors: one native, one for ARM64."""
    args = ["--engine", "replay", "--model", "tests/fixtures/yolo_unit.replay"]
    here = Server(*args)
    args[-1] = f"/root/lacquer/{args[-1]}"
    there = There(*args)
    yield f"127.0.0.1:{here.port}", there.host
    status, said = there.stop()
    here.stop()
    assert status == 0, said


@played
def test_forms_and_json_over_http(recorded, small):
    nails = [httpx.post(f"http://{host}/api/v1/nails", content=small, timeout=HOUR).json()["nails"]
             for host in recorded]
    assert len(nails[0]) > 0 and (boxes(nails[0]) == boxes(nails[1])).all()
    here, there = (pixels(httpx.post(f"http://{host}/api/process", files={"image": small},
                                     timeout=HOUR, headers={"accept": "image/jpeg"}).content)
                   for host in recorded)
    assert differ(here, pixels(small)).any() and np.abs(here - there).max() <= 2


@played
def test_the_page_and_its_files(recorded):
    here, there = (httpx.get(f"http://{host}/", timeout=HOUR) for host in recorded)
    assert there.status_code == 200 and here.content == there.content


@played
@pytest.mark.parametrize("want", [0, 1], ids=["painted", "nails"])
def test_a_video_begins_the_same(recorded, small, want):
    """Only its first frame: which part of the picture the network then gets depends on the time
    between frames, and recorded tensors are the same for any part."""
    here, there = (next(replies(host, [(small, want)])) for host in recorded)
    assert here.nails == there.nails > 0
    if want:
        assert (Nails(here).mask(320, 240) == Nails(there).mask(320, 240)).mean() > 0.999
    else:
        assert np.abs(pixels(here.picture) - pixels(there.picture)).max() <= 2
