"""Faults of the machine: memory, descriptors or disk space run out, a library hangs, the clock
jumps, thousands of clients come and go, the server is killed. After each fault the server works as
before, has leaked no session, and its counters report what happened. LACQUER_ALL_FAULTS=1 fails
every single allocation of a start and of a frame (a quarter of an hour); without it every n-th."""
import contextlib
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import httpx
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, WebSocketException

from conftest import (HANDS, LACQUER, ROOT, Reply, Server, eventually, frame, jpeg, plain,
                      reset_at_close)
from faults import LIBRARY, Faults, Walk, faulty_server, run_with_fault

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="a sanitized build has no faults")
ALL = bool(os.environ.get("LACQUER_ALL_FAULTS"))


@pytest.fixture(scope="module")
def ill(tmp_path_factory):
    running = faulty_server(tmp_path_factory.mktemp("faults"))
    yield running
    status, said = running.stop()
    assert status == 0, said


def sessions(server):
    return sum(server.metric(f'lacquer_sessions{{transport="{via}"}}')
               for via in ("http", "websocket", "lacquer.v1", "socketio"))


def is_well(server, hand):
    """Serves a picture and a video, and has no session left afterwards."""
    reply = httpx.post(f"{server.url}/api/v1/nails", content=hand, timeout=30)
    assert reply.status_code == 200 and reply.json()["success"]
    with server.v1() as ws:
        ws.send(frame(1, hand))
        assert Reply(ws.recv(timeout=30)).nails > 0
    assert eventually(lambda: sessions(server) == 0), "sessions are left over"


# ---- memory


# Recorded outputs instead of OpenVINO start no threads, so the whole start of that command can be
# copied by fork.
APPLY = ["apply", HANDS / "light.jpg", "-o", "OUT", "--finish", "glitter"]
COMMANDS = {"inspect": ["inspect", "models/nail.onnx"], "looks": ["looks"], "apply": APPLY,
            "replay": [*APPLY, "--model", "tests/fixtures/yolo_unit.replay"]}
STEPS = {"inspect": 7, "looks": 3, "apply": 331,
         "replay": 17}  # step of a walk without LACQUER_ALL_FAULTS
MORE = [0, 1000000] if ALL else [0]  # either one allocation fails, or all from one on


def assert_told(number, status, said):
    """The command ended by itself, and if it failed, its message says why."""
    assert status in (0, 1, 2), (number, status, said)
    assert not status or re.search(r"^lacquer[a-z ]*: .", said, re.M), (number, status, said)


def walked(walk):
    """The numbers of a walk; each copy must have ended well."""
    numbers = set()
    for number, status, said in walk.ends():
        assert_told(number, os.waitstatus_to_exitcode(status), said)
        numbers.add(number)
    return numbers


def left_over(total, numbers, more):
    """Allocations that a walk could not try, because there were threads or the sandbox: one run
    each."""
    if more:
        return []
    left = sorted(set(range(max(numbers) + 1, total + 1)))
    return left if ALL else left[::29]


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_memory_at_the_start(tmp_path, name, more):
    command = [str(tmp_path / "out.jpg") if word == "OUT" else word for word in COMMANDS[name]]
    faults = Faults.at(tmp_path / "faults")
    walk = Walk(faults, 1 if ALL else STEPS[name], more)
    done = subprocess.run([LACQUER, *map(str, command)], capture_output=True, text=True,
                          timeout=1200, cwd=ROOT, env={**os.environ, **faults.environment})
    assert done.returncode == 0, done.stderr
    total, numbers = faults.count, walked(walk)
    assert total > 50 and numbers
    runs = left_over(total, numbers, more)
    for number in runs:
        done = run_with_fault(faults, number, *command)
        assert faults.failed or done.returncode == 0
        assert_told(number, done.returncode, done.stderr)
    print(f"{name}: {total} allocations, {len(numbers)} failed in copies, {len(runs)} in runs")


@pytest.mark.parametrize("more", MORE)
def test_no_memory_while_the_server_starts(tmp_path, more):
    faults = Faults.at(tmp_path / "faults")
    walk = Walk(faults, 1 if ALL else 13, more)
    running = Server("--log-level", "error", **faults.environment)
    total, numbers = faults.count, walked(walk)
    assert running.stop()[0] == 0
    runs = left_over(total, numbers, more)
    for number in runs:
        faults.count, faults.fail_at = 0, number
        try:
            running = Server("--log-level", "error", **faults.environment)
        except RuntimeError as error:
            assert re.search(r"lacquer[a-z ]*: .", str(error)), (number, error)
        else:
            faults.fail_at = 0
            assert running.stop()[0] == 0, number
    print(f"serve: {total} allocations, {len(numbers)} failed in copies, {len(runs)} in runs")


def answer_of(ask):
    """A status, or 0 if the connection ended without a response."""
    try:
        return ask()
    except (httpx.HTTPError, WebSocketException, OSError, EOFError):
        return 0


@pytest.mark.parametrize("more", [0, 1000000])
def test_no_memory_for_a_picture(ill, hand, more):
    """Either one allocation fails, or all from one on."""
    def ask():
        return httpx.post(f"{ill.url}/api/v1/nails", content=hand, timeout=30,
                          headers={"Content-Type": "image/jpeg"}).status_code
    assert ask() == 200
    before = ill.faults.count
    assert ask() == 200
    total, seen = ill.faults.count - before, set()
    for number in range(1, total + 1, 1 if ALL else 17):
        ill.faults.fail_count, ill.faults.fail_at = more, ill.faults.count + number
        seen.add(answer_of(ask))
        ill.faults.fail_at = 0
        assert answer_of(ask) == 200, number
    assert seen <= {0, 200, 422, 500, 503} and seen - {200}, seen
    is_well(ill, hand)


def is_served(ws, number):
    """Waits for a frame's reply; a frame that a busy machine dropped with an error is sent
    again."""
    for _ in range(10):
        ws.send(frame(number, plain()))
        said = ws.recv(timeout=30)
        if not isinstance(said, str):
            return Reply(said).id == number
        assert json.loads(said)["status"] == "BUSY", said
    return False


@pytest.mark.parametrize("more", [0, 1000000])
def test_no_memory_for_a_video(ill, hand, more):
    def video(number):
        """Connects and sends two frames; the allocation of that number fails in the meantime."""
        ill.faults.fail_count, ill.faults.fail_at = more, ill.faults.count + number
        with ill.socket(subprotocols=["lacquer.v1"]) as ws:
            for each in (1, 2):
                ws.send(frame(each, hand, want=each - 1))
                ws.recv(timeout=60)
        return 200
    before = ill.faults.count
    assert video(1 << 40) == 200
    with ill.v1() as other:  # a client that was connected before is served all the time
        for number in range(1, ill.faults.count - before + 40, 1 if ALL else 4):
            answer_of(lambda: video(number))
            ill.faults.fail_at = 0
            assert is_served(other, number), number
    is_well(ill, hand)
    assert ill.faults.failed > 5


# ---- descriptors, disk, clock


def test_no_descriptor_for_a_connection(ill, hand):
    with ill.v1() as ws:
        ill.faults.no_files = 1
        waiting = socket.create_connection(("127.0.0.1", ill.port), 5)
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        for number in range(1, 20):
            ws.send(frame(number, plain()))
            assert Reply(ws.recv(timeout=30)).id == number
        ill.faults.no_files = 0
        waiting.settimeout(10)
        got = b""
        with contextlib.suppress(ConnectionError):
            got = waiting.recv(100)
        waiting.close()
        assert got == b"" or got.startswith(b"HTTP/1.1 200")
    is_well(ill, hand)


def test_a_full_table_of_descriptors(tmp_path, hand):
    """More connections than the system allows: the excess ones wait or are refused, others are not
    affected."""
    running = Server("--log-level", "error", "--max-sessions", "8")
    limit = running.descriptors().total() + 30
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
    with running.v1() as ws:
        crowd = []
        for _ in range(60):
            with contextlib.suppress(OSError):
                crowd.append(socket.create_connection(("127.0.0.1", running.port), 5))
        for number in range(1, 10):
            ws.send(frame(number, plain()))
            assert Reply(ws.recv(timeout=30)).id == number
        for each in crowd:
            each.close()
    is_well(running, hand)
    assert eventually(lambda: running.descriptors().total() < limit - 25)
    assert running.stop()[0] == 0


def test_a_full_disk_affects_only_the_cache(tmp_path, hand):
    faults = Faults.at(tmp_path / "faults")
    faults.disk_full = 1
    cache = tmp_path / "cache"
    running = Server("--log-level", "error", "--cache-dir", str(cache), **faults.environment)
    is_well(running, hand)
    assert running.stop()[0] == 0
    faults.disk_full = 0  # a partial file is not used
    running = Server("--log-level", "error", "--cache-dir", str(cache), **faults.environment)
    is_well(running, hand)
    assert running.stop()[0] == 0


def test_a_full_disk_is_reported_by_the_command(tmp_path):
    faults = Faults.at(tmp_path / "faults")
    faults.disk_full = 1
    done = run_with_fault(faults, 0, "apply", HANDS / "light.jpg", "-o", tmp_path / "out.jpg")
    assert done.returncode == 1 and "No space left" in done.stderr, done.stderr


@pytest.mark.parametrize("args", [[], ["--gpu"]])
def test_a_full_disk_leaves_no_half_of_a_repository(tmp_path, args):
    """Wherever the disk was full, nothing obstructs the next attempt or looks like a model."""
    faults, out = Faults.at(tmp_path / "faults"), tmp_path / "out"
    command = ["triton-repo", "--out", out, *args]
    for write in range(1, 100):
        faults.disk_full = write
        done = run_with_fault(faults, 0, *command)
        if done.returncode == 0:
            break
        assert "No space left" in done.stderr and not out.exists(), done.stderr
    assert write > 3 and os.listdir(out) == ["nail"]
    model = next(path for path in (out / "nail" / "1").iterdir() if path.suffix != ".py")
    before = {path: path.read_bytes() for path in (model, out / "nail" / "config.pbtxt")}
    (out / "nail" / "timing.cache").touch()  # files of others stay
    faults.disk_full = 2
    assert "No space left" in run_with_fault(faults, 0, *command, "--force").stderr
    assert before == {path: path.read_bytes() for path in before}
    faults.disk_full = 0
    model.write_bytes(b"")
    assert run_with_fault(faults, 0, *command, "--force").returncode == 0
    assert before == {path: path.read_bytes() for path in before}
    assert os.listdir(out) == ["nail"] and (out / "nail" / "timing.cache").exists()


def test_a_clock_that_jumps(ill, hand):
    with ill.v1() as ws:
        for number, jump in enumerate((0, 86400, -86400, 10**8, 0), 1):
            ill.faults.clock_jump_s = jump
            ws.send(frame(number, hand))
            reply = Reply(ws.recv(timeout=30))
            assert reply.id == number and reply.served < 10_000_000
            time.sleep(1.1)  # the clock also affects ticks
    is_well(ill, hand)


# ---- a worker that hangs


@contextlib.contextmanager
def a_worker_hangs(folder, workers, picture):
    """A server with a worker that has been processing a frame for longer than any frame takes; the
    worker recovers later."""
    running = faulty_server(folder, "--workers", str(workers))
    running.faults.stall_ms = 15_000
    with running.v1() as ws:
        ws.send(frame(1, picture))
        time.sleep(0.5)
        running.faults.stall_ms = 0
        assert httpx.get(f"{running.url}/healthz").status_code == 200
        time.sleep(12)
        assert running.metric("lacquer_workers_stalled") == 1
        yield running
        ws.recv(timeout=30)


@pytest.mark.waits
def test_one_hanging_worker_of_two_affects_nobody_else(tmp_path, hand):
    with a_worker_hangs(tmp_path, 2, hand) as running:
        assert httpx.get(f"{running.url}/healthz").status_code == 200
        with running.v1() as other:
            other.send(frame(1, hand))
            assert Reply(other.recv(timeout=30)).nails > 0
    is_well(running, hand)


@pytest.mark.waits
def test_a_hanging_worker_is_reported(tmp_path, hand):
    with a_worker_hangs(tmp_path, 1, hand) as running:
        for path in ("healthz", "readyz"):
            reply = httpx.get(f"{running.url}/{path}")
            assert (reply.status_code, reply.text) == (503, "stalled\n")
    time.sleep(1.5)
    assert httpx.get(f"{running.url}/healthz").status_code == 200
    is_well(running, hand)
    running.faults.stall_ms = 60_000  # and a stop does not wait for it for ever
    with running.v1() as ws:
        ws.send(frame(1, hand))
        time.sleep(11)
        status, said = running.stop()
    assert status == 1 and "have made no progress" in said and "without waiting" in said


@pytest.mark.waits
def test_a_large_picture_that_takes_long_does_not_count_as_hanging(tmp_path):
    """One step takes 12 s, as on a slow machine: it is not reported as stalled, and a stop
    waits."""
    running = faulty_server(tmp_path, "--workers", "1")
    picture = Image.open(HANDS / "light.jpg").convert("RGB").resize((4000, 3000))
    running.faults.stall_ms = 12_000
    answers = []
    post = threading.Thread(target=lambda: answers.append(httpx.post(
        f"{running.url}/api/v1/nails", content=jpeg(picture), timeout=60)))
    post.start()
    time.sleep(11.5)
    assert running.metric("lacquer_workers_stalled") == 0
    assert httpx.get(f"{running.url}/healthz").status_code == 200
    running.process.terminate()
    post.join(60)
    assert answers[0].status_code == 200
    status, said = running.process.wait(20), running.heard()
    assert status == 0 and "without getting on" not in said


# ---- clients that come and go


def test_a_client_that_vanishes_in_mid_reply(ill, hand):
    head = (b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(hand)) + hand
    before = ill.descriptors().total()
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", ill.port), 5) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            raw.sendall(head)
            raw.settimeout(20)
            assert raw.recv(64).startswith(b"HTTP/1.1 200")
            reset_at_close(raw)
    is_well(ill, hand)
    assert eventually(lambda: ill.descriptors().total() <= before + 2)


COME_AND_GO = """
import socket, struct, sys, time
port, upgrade, began = int(sys.argv[1]), sys.argv[2].encode(), time.monotonic()
for number in range(4000):  # 1,000 a second, some in the middle of a handshake
    time.sleep(max(0, began + number / 1000 - time.monotonic()))
    raw = socket.create_connection(("127.0.0.1", port), 5)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.sendall((b"", upgrade, upgrade[:40])[number % 3])
    raw.close()
print(4000 / (time.monotonic() - began))
"""
UPGRADE = ("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def test_a_thousand_connects_and_disconnects_a_second(ill, hand):
    before, answered, worst = ill.descriptors().total(), 0, 0
    with ill.v1() as ws:
        crowd = subprocess.Popen([sys.executable, "-c", COME_AND_GO, str(ill.port), UPGRADE],
                                 stdout=subprocess.PIPE, text=True)
        while crowd.poll() is None:
            answered += 1
            began = time.monotonic()
            ws.send(frame(answered, plain()))
            assert Reply(ws.recv(timeout=30)).id == answered
            worst = max(worst, time.monotonic() - began)
    print(f"{float(crowd.stdout.read()):.0f} a second, {answered} frames, "
          f"slowest {worst * 1000:.0f} ms")
    assert crowd.returncode == 0 and answered > 20
    is_well(ill, hand)
    assert eventually(lambda: ill.descriptors().total() <= before + 2)


def test_killed_and_started_again(tmp_path, hand):
    """Nothing that a killed server leaves prevents the next from starting on the same port."""
    cache = str(tmp_path / "cache")
    running = Server("--log-level", "error", "--cache-dir", cache)
    with running.v1() as ws:
        ws.send(frame(1, hand))
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(timeout=60)
        with pytest.raises(ConnectionClosed):
            while True:
                ws.recv(timeout=60)
    again = Server("--log-level", "error", "--cache-dir", cache, PORT=str(running.port))
    is_well(again, hand)
    assert again.stop()[0] == 0
