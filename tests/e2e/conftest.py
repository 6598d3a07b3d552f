"""Starts the real server for the tests and speaks its protocols."""
import collections
import contextlib
import io
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import tempfile
import time

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.sync.client import connect

ROOT = pathlib.Path(__file__).resolve().parents[2]
LACQUER = pathlib.Path(os.environ.get("LACQUER", ROOT / "build" / "lacquer"))
HANDS = ROOT / "tests" / "golden" / "hands"
# The fastest way to compute differs from machine to machine and changes a mask's last bits, so only
# test_tune.py lets the server tune itself.
os.environ.setdefault("LACQUER_TUNE", "off")
# Recorded outputs instead of a network, available at once: with AddressSanitizer, the start of
# OpenVINO takes four seconds of a core.
RECORDING = ("--engine", "replay", "--model",
             str(ROOT / "tests" / "fixtures" / "yolo_empty.replay"))
# For servers of tests that need no nail; clients are never refused, however slow the machine is.
NO_NAILS = (*RECORDING, "--max-wait", "60000")


class Server:
    """A running `lacquer serve` on a free loopback port."""

    running = set()  # all that are started and not yet stopped

    def __init__(self, *args, **environment):
        env = {**os.environ, **environment}
        env.pop("PORT", None) if "PORT" not in environment else None
        # A file, not a pipe: nobody reads the output before the end.
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [LACQUER, "serve", *(["--port", "0"] if "PORT" not in environment else []), *args],
            stdout=subprocess.PIPE, stderr=self.said, text=True, env=env, cwd=ROOT)
        Server.running.add(self)
        line = self.process.stdout.readline()
        found = re.search(r"listening on (https?)://[^:]+:(\d+)", line)
        if not found:
            self.kill()
            raise RuntimeError(f"no address in {line!r}: {self.heard()}")
        self.line = line.strip()
        self.scheme, self.port = found[1], int(found[2])

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def socket(self, path="/ws", **kwargs):
        scheme = "wss" if self.scheme == "https" else "ws"
        return connect(f"{scheme}://127.0.0.1:{self.port}{path}", max_size=None, compression=None,
                       **kwargs)

    @contextlib.contextmanager
    def v1(self, **kwargs):
        """A lacquer.v1 connection whose hello has been read."""
        with self.socket(subprotocols=["lacquer.v1"], **kwargs) as socket:
            assert '"hello"' in socket.recv(timeout=60)
            yield socket

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def descriptors(self):
        """The target of each descriptor, sockets without their numbers, and how many are open.
        Compiled networks do not count, because they are opened in the background."""
        kinds, folder = collections.Counter(), f"/proc/{self.process.pid}/fd"
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):  # closed in the meantime
                kinds[os.readlink(f"{folder}/{name}").split(":[")[0]] += 1
        return collections.Counter({k: n for k, n in kinds.items() if not k.endswith(".blob")})

    def metric(self, name):
        text = httpx.get(f"{self.url}/metrics", verify=False).text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found[1])

    def stop(self):
        """Stops it; returns its exit status and its output."""
        self.process.terminate()
        self.process.wait(timeout=60)
        Server.running.discard(self)
        return self.process.returncode, self.heard()

    def kill(self):
        self.process.kill()
        self.process.wait()
        Server.running.discard(self)

    def heard(self):
        self.process.wait(timeout=5)
        self.said.seek(0)
        return self.said.read()


taken = {}  # modules: whether another lane runs them


def taken_by_another_lane(module):
    """Several pytest processes that run in parallel over the same files share them through the
    folder LACQUER_LANES: the first one to reach a file runs all of it."""
    lanes = os.environ.get("LACQUER_LANES")
    if lanes and module not in taken:
        try:
            pathlib.Path(lanes, module).touch(exist_ok=False)
            taken[module] = False
        except FileExistsError:
            taken[module] = True
    return taken.get(module, False)


def pytest_configure(config):
    config.addinivalue_line("markers", "waits: nearly all of its time is waiting for the server's "
                            "own limits, so that it can run beside the others (tools/test.sh)")


def pytest_runtest_protocol(item):
    return True if taken_by_another_lane(item.module.__name__) else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that another program ran has the duration which that program reports."""
    report = (yield).get_result()
    if report.when == "call":
        report.duration = getattr(item, "took_s", report.duration)


@pytest.fixture(autouse=True)
def no_server_stays():
    """Stops the servers of a test that failed before it stopped them."""
    before = set(Server.running)
    yield
    for each in Server.running - before:
        each.kill()


@pytest.fixture(scope="session")
def server():
    # Clients are never refused, however slow the machine is; test_busy.py tests refusals.
    running = Server("--log-level", "warn", "--max-wait", "60000")
    yield running
    status, said = running.stop()
    assert status == 0, said
    assert "Sanitizer" not in said, said


@pytest.fixture(scope="session")
def hand():
    """A 640x480 camera frame of a hand."""
    picture = Image.open(HANDS / "light.jpg").convert("RGB").resize((640, 480))
    return jpeg(picture)


def eventually(check, patience_s=60):
    """Waits until check() is true and returns its last result; the limit is for what hangs."""
    end = time.monotonic() + patience_s
    while not (so := check()) and time.monotonic() < end:
        time.sleep(0.02)
    return so


def read_for(connection, seconds=5):
    """Everything received until the other end closes or sends nothing for that long."""
    connection.settimeout(seconds)
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except (TimeoutError, ConnectionError):
        pass
    return got


def responses(connection, count, seconds=30):
    """That many whole HTTP responses, each as long as its Content-Length says, and what follows
    them immediately; fewer if the other end closes earlier or sends nothing for that long."""
    connection.settimeout(seconds)
    got, at = b"", 0
    try:
        for _ in range(count):
            while not (end := whole_response(got, at)):
                piece = connection.recv(65536)
                if not piece:
                    return got
                got += piece
            at = end
    except (TimeoutError, ConnectionError):
        return got
    return got + read_for(connection, 0.1)


def whole_response(got, at):
    """Where the response that begins at `at` ends; 0 if it is incomplete."""
    head = got.find(b"\r\n\r\n", at) + 4
    length = re.search(rb"content-length: *(\d+)", got[at:max(head, 0)], re.I)
    end = head + int(length[1]) if length else 0
    return end if 4 <= head and head <= end <= len(got) else 0


def reset_at_close(connection):
    """Makes close() send a reset instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


given = set()  # ports that free_port has returned


def free_port():
    """An unused port that the system does not assign to outgoing connections (these get 32768 to
    60999), so that it is still free when the test's server starts."""
    for port in random.sample(range(20000, 32000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in given:
                given.add(port)
                return port
    raise RuntimeError("no free port")


def tool(name):
    """A program needed to test deploy/."""
    path = ROOT / ".deps" / "servers" / "bin" / name
    assert path.exists(), f"no {path}: tools/setup.sh test"
    return path


def jpeg(picture, quality=85):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def png(picture):
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def plain(color=(128, 128, 128), size=(160, 120)):
    """A small picture without a hand."""
    return jpeg(Image.new("RGB", size, color))


def marked(number, size=(160, 120)):
    """A grey picture that contains a number in one corner, as 16 black or white squares of 8
    pixels."""
    data = np.full((size[1], size[0], 3), 128, np.uint8)
    for bit in range(16):
        x, y = bit % 4 * 8, bit // 4 * 8
        data[y:y + 8, x:x + 8] = 255 if number >> bit & 1 else 0
    return jpeg(Image.fromarray(data), 92)


def mark_of(data):
    """The number that `marked` drew, read from a reply."""
    grey = pixels(data).mean(axis=2)
    return sum(1 << bit for bit in range(16)
               if grey[bit // 4 * 8 + 4, bit % 4 * 8 + 4] > 128)


# To a session: without smoothing a video's first frame is looked at once, like a single picture.
SINGLE_PASS = '{"type": "smoothing", "on": false}'


def frame(number, picture, want=0, time=0, kind=1, header=16):
    return struct.pack("<BBHIQ", kind, want, header, number, time) + picture


class Reply:
    """The fields of a lacquer.v1 reply."""

    NAMES = ("type nails header id time queue decode prepare infer nails_us paint encode served "
             "replaced width height quality propagated").split()

    def __init__(self, data):
        for name, value in zip(self.NAMES, struct.unpack("<BBHIQ9IHHBB6x", data[:64])):
            setattr(self, name, value)
        self.picture = data[64:]


class Nails:
    """The blocks of a `nails` reply (docs/PROTOCOL.md); every byte must belong to a block."""

    def __init__(self, reply):
        data, self.items = reply.picture, []
        while data:
            kind, size = struct.unpack("<HH", data[:4])
            block, data = data[4:4 + size], data[4 + size:]
            assert len(block) == size
            if kind == 1:
                self.exposure, *rest = struct.unpack("<7f", block[:28])
                self.tint, self.towards, self.level = rest[:3], rest[3:5], rest[5]
            elif kind == 2:
                self.items.append(Nail(block))
        assert len(self.items) == reply.nails

    def mask(self, width, height):
        mask = np.zeros((height, width), np.uint8)
        for nail in self.items:
            place = mask[nail.y:nail.y + nail.alpha.shape[0], nail.x:nail.x + nail.alpha.shape[1]]
            np.maximum(place, nail.alpha[:place.shape[0], :place.shape[1]], out=place)
        return mask


class Nail:
    NAMES = ("head finger confidence id x y columns rows scale tip edge "
             "center_x center_y axis_x axis_y length width "
             "curvature c0 c1 c2 c3 c4 c5 level grey bed_r bed_g bed_b").split()

    def __init__(self, block):
        for name, value in zip(self.NAMES, struct.unpack("<HBBIHHHHBBH18f", block[:92])):
            setattr(self, name, value)
        self.box = [self.x, self.y, self.columns, self.rows]  # in samples: pixels at scale 1
        samples = uncrop(block[self.head:], self.columns * self.rows)
        tight = np.frombuffer(samples, np.uint8).reshape(self.rows, self.columns)
        self.alpha = tight.repeat(self.scale, 0).repeat(self.scale, 1)


def uncrop(code, count):
    """Decodes a crop's samples."""
    out, at = bytearray(), 0
    while len(out) < count:
        token = code[at]
        at += 1
        run, literals = token >> 3 & 15, token & 7
        if run == 15:
            run += code[at]
            at += 1
        out += (b"\xff" if token & 128 else b"\0") * run + code[at:at + literals]
        at += literals
    assert len(out) == count and at == len(code)
    return bytes(out)
