"""Clients that exceed their share: each limit is exceeded, and reported as docs/LIMITS.md says.
Limits that take long (20 to 60 s) are tested in parallel."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import time

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from conftest import (LACQUER, NO_NAILS, RECORDING, ROOT, Reply, Server, eventually, frame, plain,
                      png, read_for)
from faults import LIBRARY, faulty_server

can_be_ill = LIBRARY.exists()  # a sanitized build is not


@pytest.fixture(scope="module")
def strict():
    # A model of one operator, so that even a slow machine processes more than five frames a second.
    running = Server("--max-sessions-per-address", "2", "--max-fps", "5", "--idle-timeout", "5",
                     "--log-level", "error", "--model",
                     str(ROOT / "tests" / "fixtures" / "tiny_map.onnx"))
    yield running
    assert running.stop()[0] == 0


def serves(server):
    with contextlib.suppress(httpx.HTTPError):
        return httpx.post(f"{server.url}/api/v1/nails", content=plain()).status_code == 200


def close_code(ws):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            ws.recv(timeout=60)
    return closed.value.rcvd.code


# crosses: ADDRESS_SESSIONS_MAX
def test_sessions_of_an_address(strict):
    with strict.v1(), strict.v1():
        with strict.socket(subprotocols=["lacquer.v1"]) as third:
            assert close_code(third) == 1008
        reply = httpx.post(f"{strict.url}/api/v1/nails", content=plain())
        assert reply.status_code == 429 and reply.json()["status"] == "RATE"
        poll = httpx.get(f"{strict.url}/socket.io/?EIO=4&transport=polling")
        assert poll.status_code == 429
    assert eventually(lambda: serves(strict))


def caller(server, host):
    """A connection from another loopback address that has begun a request."""
    sock = socket.create_connection(("127.0.0.1", server.port), 10, source_address=(host, 0))
    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    return sock


def is_open(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


# crosses: SESSION_CONNECTIONS_MAX
def test_connections_of_an_address(strict):
    before = strict.descriptors()["socket"]
    for _ in range(3):  # a place that was released can be used again
        held = [caller(strict, "127.0.0.2") for _ in range(17)]
        assert eventually(lambda: not is_open(held[16]))
        assert all(is_open(sock) for sock in held[:16])
        assert httpx.get(f"{strict.url}/healthz").status_code == 200, "a neighbour is shut out"
        for sock in held:
            sock.close()
        assert eventually(lambda: strict.descriptors()["socket"] <= before)


def test_connections_beyond_the_servers_descriptors():
    """It refuses them in time, and does not spin on connections for which it has no descriptor."""
    running = Server(*NO_NAILS, "--max-sessions", "1", "--log-level", "warn")
    held = [caller(running, "127.0.0.2") for _ in range(600)]
    assert eventually(lambda: not is_open(held[-1]))
    for sock in held:
        sock.close()
    assert eventually(lambda: serves(running))
    assert running.stop() == (0, "")


# crosses: FRAMES_BYTES_MAX
def test_memory_of_all_frames():
    """Many half-sent messages use up the memory; their senders are disconnected, while a client
    with small frames is not."""
    running = Server("--max-frame-memory", "32", "--log-level", "error", "--max-wait", "60000")
    with running.v1() as good:
        good.send(frame(1, plain()))
        assert Reply(good.recv(timeout=30)).id == 1
        before = running.rss_kib()
        greedy = [running.socket(subprotocols=["lacquer.v1"]) for _ in range(30)]
        said = 0
        for ws in greedy:  # 4 MB each, whose last bytes never arrive
            with contextlib.suppress(OSError):
                ws.socket.sendall(b"\x82\xff" + struct.pack(">QI", 4 << 20, 0)
                                  + bytes((4 << 20) - 10000))
                said += 1
        assert said > 0 and running.rss_kib() - before < 64 * 1024
        assert running.metric("lacquer_frame_memory_max_bytes") == 32 << 20
        assert 1 << 20 < running.metric("lacquer_frame_memory_bytes") < 64 << 20
        good.send(frame(2, plain()))
        assert Reply(good.recv(timeout=30)).id == 2
        for ws in greedy:
            ws.socket.close()
    assert eventually(lambda: serves(running))  # memory is accounted for again
    assert running.stop()[0] == 0


def test_one_post_at_a_time_of_a_poll(server):
    """Otherwise one session could have as many stored bodies as there are connections."""
    path = "/socket.io/?EIO=4&transport=polling"
    sid = json.loads(httpx.get(server.url + path).text[1:])["sid"]
    head = f"POST {path}&sid={sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n".encode()
    with connect(server) as first:
        first.sendall(head + b"4")
        time.sleep(0.3)
        assert httpx.post(f"{server.url}{path}&sid={sid}", content="40").status_code == 400
        first.sendall(b"0")
        assert first.recv(4096).startswith(b"HTTP/1.1 200")
    with connect(server) as gone:  # a client that leaves in the middle does not block the next
        gone.sendall(head + b"2")
        time.sleep(0.3)
    assert eventually(lambda: httpx.post(f"{server.url}{path}&sid={sid}",
                                         content="2").status_code == 200)


# crosses: PACKETS_MAX
@pytest.mark.parametrize("count, code", [(64, 200), (65, 400)])
def test_packets_of_a_poll(server, count, code):
    poll = f"{server.url}/socket.io/?EIO=4&transport=polling"
    sid = json.loads(httpx.get(poll).text[1:])["sid"]
    assert httpx.post(f"{poll}&sid={sid}", content="40").status_code == 200
    reply = httpx.post(f"{poll}&sid={sid}", content="\x1e".join(["2"] * count))
    assert reply.status_code == code
    reply = httpx.post(f"{poll}&sid={sid}", content="1")
    assert (reply.status_code == 200) == (code == 200)


# crosses: SESSIONS_MAX
def test_sessions_of_a_server():
    running = Server(*NO_NAILS, "--max-sessions", "1", "--log-level", "error")
    with running.v1():
        with running.socket(subprotocols=["lacquer.v1"]) as second:
            assert close_code(second) == 1013
        reply = httpx.post(f"{running.url}/api/v1/nails", content=plain())
        assert reply.status_code == 503 and reply.headers["retry-after"]
    assert running.stop()[0] == 0


# crosses: FRAMES_PER_S_MAX
def test_frames_a_second(strict):
    said = []
    with strict.v1() as ws:
        for number in range(1, 9):
            ws.send(frame(number, plain()))
            said.append(ws.recv(timeout=60))
        errors = [json.loads(one) for one in said if isinstance(one, str)]
        assert errors and all(error["status"] == "RATE" for error in errors)
        assert [error["id"] for error in errors] == [6, 7, 8][-len(errors):]
        time.sleep(0.5)
        ws.send(frame(9, plain()))  # who slows down is served again
        assert Reply(ws.recv(timeout=60)).id == 9


# crosses: IDLE_S
def test_a_session_without_frames(strict):
    with strict.v1() as ws:
        assert close_code(ws) == 1001


# crosses: FORM_PARTS_MAX
@pytest.mark.parametrize("count,code", [(64, 422), (65, 413)])
def test_parts_of_a_form(server, count, code):
    body = "&".join(f"field{number}=x" for number in range(count))
    reply = httpx.post(f"{server.url}/api/process", content=body,
                       headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status_code == code


def test_a_body_of_brackets_stays_small(server):
    before = server.rss_kib()
    body = b'{"image": [' + b"[]," * 5_000_000 + b"[]]}"
    reply = httpx.post(f"{server.url}/api/process_base64", content=body, timeout=30,
                       headers={"Content-Type": "application/json"})
    assert reply.status_code == 400 and reply.json()["status"] == "SYNTAX"
    assert server.rss_kib() - before < 100_000


# crosses: HEADER_BYTES_MAX
def test_headers_that_never_end(server):
    for line in (b"Cookie: " + b"x" * 20000, b"A: b\r\n" * 5000, b"X" * 20000):
        with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
            raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n")
            assert read_for(raw, 10).startswith(b"HTTP/1.1 431 ")


def seconds_until_closed(raw, patience):
    began = time.monotonic()
    data = read_for(raw, patience)
    seconds = time.monotonic() - began
    assert seconds < patience, "it was not closed"
    return seconds, data


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), 10)


def half_a_request(server):
    with connect(server) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\n")
        return seconds_until_closed(raw, 50)


def nothing_after_an_answer(server):
    with connect(server) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return seconds_until_closed(raw, 50)


def a_body_drop_by_drop(server):
    began = time.monotonic()
    with connect(server) as raw:
        raw.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        raw.settimeout(1)
        while time.monotonic() - began < 90:
            try:
                raw.sendall(b"x")
                if got := raw.recv(4096):
                    return time.monotonic() - began, got
            except TimeoutError:
                pass
    return time.monotonic() - began, b""


def a_reply_that_is_not_taken(server):
    """A painted picture of 12 MB, of which only the first bytes are read."""
    noise = np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8)
    part = (b'--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
            + png(Image.fromarray(noise)) + b"\r\n--x--\r\n")
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        raw.settimeout(60)
        raw.connect(("127.0.0.1", server.port))
        raw.sendall(b"POST /api/process HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; "
                    b"boundary=x\r\nContent-Length: %d\r\n\r\n" % len(part) + part)
        data = raw.recv(1000)
        time.sleep(35)
        return data + read_for(raw, 60)


def a_socket_that_answers_no_ping(server):
    with connect(server) as raw:
        raw.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
                    b"\r\n\r\n")
        return seconds_until_closed(raw, 80)


def pings_while_the_server_pings(server):
    """Each ping is answered with its own payload, also while a ping of the server (every 20 s) is
    in flight: clients consider a server dead if the payload differs."""
    wrong, number, pings, began = [], 0, 0, time.monotonic()
    with connect(server) as raw, raw.makefile("rb") as answers:
        raw.settimeout(20)
        raw.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: "
                    b"13\r\n\r\n")
        while answers.readline() != b"\r\n":
            pass
        while time.monotonic() - began < 50:
            number += 1
            payload = struct.pack(">I", number)
            raw.sendall(b"\x89\x84\0\0\0\0" + payload)
            opcode, length = answers.read(2)
            while opcode == 0x89:  # the server's ping
                pings += 1
                raw.sendall(b"\x8a\x80\0\0\0\0")
                opcode, length = answers.read(2)
            if (opcode, answers.read(length)) != (0x8a, payload):
                wrong.append(number)
    return pings, wrong


def a_picture_that_is_never_done(folder, picture):
    running = faulty_server(folder)
    running.faults.stall_ms = 90_000
    with connect(running) as raw:
        raw.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(picture) + picture)
        ended = seconds_until_closed(raw, 85)
    said = running.stop()[1]
    return *ended, said


# crosses: HANDSHAKE_S, KEEPALIVE_S, BODY_S, SLOW_READER_S, PONG_S, WORK_S
@pytest.mark.waits
def test_slow_clients(server, tmp_path, hand):
    """All of them at once, so that the suite waits only for the slowest."""
    timeouts = server.metric('lacquer_errors_total{status="TIMEOUT"}')
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        slow = [pool.submit(way, server) for way in (half_a_request, nothing_after_an_answer,
                                                     a_body_drop_by_drop,
                                                     a_socket_that_answers_no_ping)]
        unread = pool.submit(a_reply_that_is_not_taken, server)
        pinging = pool.submit(pings_while_the_server_pings, server)
        undone = pool.submit(a_picture_that_is_never_done, tmp_path, hand) if can_be_ill else None
        (_, head), (_, answer), (body_s, refused), (silent_s, pinged) = [one.result()
                                                                         for one in slow]
    assert head == b"" or head.startswith(b"HTTP/1.1 408 ")
    assert answer.startswith(b"HTTP/1.1 200")
    assert refused.startswith(b"HTTP/1.1 408") and body_s > 55, refused
    assert pinged.startswith(b"HTTP/1.1 101") and b"\x89" in pinged and silent_s > 40
    head, _, taken = unread.result().partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert head.startswith(b"HTTP/1.1 200") and len(taken) < length
    # A body that was late, a reply that was not read, a socket without a sign of life.
    assert server.metric('lacquer_errors_total{status="TIMEOUT"}') - timeouts >= 3
    pings, wrong = pinging.result()
    assert pings >= 2 and not wrong
    if undone:
        work_s, answer, said = undone.result()
        assert answer == b"" and work_s > 55 and "have made no progress" in said


def test_frames_are_kept_nowhere(tmp_path):
    """Frames are neither in the server's output, nor in a file that it may write, nor in a core."""
    hidden = b"mark-of-a-frame-that-nobody-else-sees"
    picture = plain()
    marked = picture[:2] + b"\xff\xfe" + (len(hidden) + 2).to_bytes(2, "big") + hidden + picture[2:]
    cache = tmp_path / "cache"
    running = Server("--cache-dir", str(cache), "--log-level", "debug")
    assert httpx.post(f"{running.url}/api/v1/nails", content=marked).status_code == 200
    assert httpx.post(f"{running.url}/api/v1/nails", content=marked[:-300]).status_code == 422
    with running.v1() as ws:
        ws.send(frame(1, marked))
        assert Reply(ws.recv(timeout=30)).id == 1
    limits = pathlib.Path(f"/proc/{running.process.pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits
    status, said = running.stop()
    assert status == 0 and hidden.decode() not in said
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files  # it does write the compiled model
    for path in files:
        data = path.read_bytes()
        assert hidden not in data and picture[-200:] not in data, path


def sparse(path, size):
    with open(path, "wb") as file:
        file.write(b"\xff\xd8\xff\xe0")
        file.truncate(size)
    return path


def refused_by(*command):
    done = subprocess.run([LACQUER, *map(str, command)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stdout == ""
    return done.stderr


@pytest.mark.skipif(not can_be_ill, reason="a sanitizer takes the signal itself")
def test_a_crash_leaves_no_core():
    """Whatever the machine's limit: a core would contain the frames in flight."""
    running = Server("--log-level", "error")
    pid = running.process.pid
    with contextlib.suppress(PermissionError):  # if the tests may not set it
        resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    # Nevertheless: a process that may not be dumped belongs to root, including its memory
    # (proc(5)).
    mode = pathlib.Path(f"/proc/{pid}/mem")
    with contextlib.suppress(PermissionError):
        assert mode.stat().st_uid == 0
    with running.v1() as ws:
        ws.send(frame(1, plain()))
        assert Reply(ws.recv(timeout=30)).id == 1
        os.kill(pid, signal.SIGSEGV)
        end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    running.kill()
    assert (end.si_code, end.si_status) == (os.CLD_KILLED, signal.SIGSEGV)  # otherwise CLD_DUMPED


# crosses: FILE_BYTES_MAX, MODEL_BYTES_MAX, PICTURE_PIXELS_MAX
def test_files_that_are_too_large(tmp_path):
    picture = sparse(tmp_path / "a.jpg", (256 << 20) + 1)
    assert "larger than" in refused_by("apply", *RECORDING, picture, "-o", tmp_path / "out.jpg")
    model = sparse(tmp_path / "a.tflite", (1 << 30) + 1)
    assert "larger than" in refused_by("convert", model, tmp_path / "out.onnx")
    many = tmp_path / "many.png"
    Image.new("1", (8001, 8001)).save(many)
    said = refused_by("apply", *RECORDING, many, "-o", tmp_path / "out.png")
    assert "8001" in said or "pixels" in said, said
