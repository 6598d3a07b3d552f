"""Stopping: what clients of every kind see when the server receives a signal to stop."""
import json
import socket
import threading
import time

import httpx
import numpy as np
import pytest
import socketio
from PIL import Image
from websockets.exceptions import ConnectionClosed

from conftest import ROOT, Reply, Server, frame, plain, png
from test_busy import slow_model

MODEL = ("--model", str(ROOT / "tests" / "fixtures" / "tiny_map.onnx"))


@pytest.fixture
def running():
    server = Server(*MODEL)
    yield server
    server.process.kill()
    server.process.wait()


def until_closed(ws, replies):
    """Reads to the end; returns the close code."""
    try:
        while True:
            message = ws.recv(timeout=60)
            if isinstance(message, bytes):
                replies.append(Reply(message).id)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def test_frames_sent_before_the_signal_are_answered(running):
    with running.v1() as ws:
        ws.send(frame(1, plain()))
        ws.send(frame(2, plain()))
        running.process.terminate()
        replies = []
        assert until_closed(ws, replies) == 1001 and replies == [1, 2]
    assert running.process.wait(20) == 0, running.heard()


def test_a_client_that_stops_sending_in_time_loses_nothing(running):
    with running.v1() as ws:
        replies, sent = [], 2
        ws.send(frame(1, plain()))
        ws.send(frame(2, plain()))
        while isinstance(message := ws.recv(timeout=60), bytes):
            replies.append(Reply(message).id)
            sent += 1
            ws.send(frame(sent, plain()))
            if sent == 20:
                running.process.terminate()
        assert json.loads(message) == {"type": "stopping"}
        assert until_closed(ws, replies) == 1001
        assert replies == list(range(1, sent + 1))
    assert running.process.wait(20) == 0, running.heard()


def test_a_client_that_keeps_sending_is_disconnected(running):
    """A client that keeps sending gets replies until the limit, and is closed with 1001."""
    with running.v1() as ws:
        replies, sent = [], 2
        ws.send(frame(1, plain()))
        ws.send(frame(2, plain()))
        running.process.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                message = ws.recv(timeout=60)
                if isinstance(message, bytes):
                    replies.append(Reply(message).id)
                    sent += 1
                    ws.send(frame(sent, plain()))
        assert closed.value.rcvd.code == 1001
        assert replies == list(range(1, len(replies) + 1)) and len(replies) > 2
        assert sent - len(replies) <= 2
    assert running.process.wait(20) == 0, running.heard()


def test_new_connections_are_refused_by_the_system(running):
    with running.v1() as ws:
        ws.send(frame(1, plain()))
        ws.recv(timeout=60)
        running.process.terminate()
        assert '"stopping"' in ws.recv(timeout=60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port), timeout=5)
    assert running.process.wait(20) == 0, running.heard()


def test_delay():
    """The server continues to serve while /readyz reports that it stops."""
    server = Server(*MODEL, "--drain-delay", "2")
    try:
        with server.v1() as ws:
            assert httpx.get(f"{server.url}/readyz").status_code == 200
            server.process.terminate()
            while httpx.get(f"{server.url}/readyz").status_code == 200:
                pass
            ready = httpx.get(f"{server.url}/readyz")
            assert (ready.status_code, ready.text) == (503, "stopping\n")
            assert ready.headers["connection"] == "close"
            with server.v1() as newcomer:
                newcomer.send(frame(1, plain()))
                assert Reply(newcomer.recv(timeout=60)).id == 1
            reply = httpx.post(f"{server.url}/api/v1/nails", content=plain(), timeout=60,
                               headers={"content-type": "image/jpeg"})
            assert reply.status_code == 200
            ws.send(frame(1, plain()))
            replies = []
            assert until_closed(ws, replies) == 1001 and replies == [1]
        assert server.process.wait(20) == 0
    finally:
        server.process.kill()


def test_delay_is_not_for_the_keyboard():
    server = Server(*MODEL, "--drain-delay", "600")
    server.process.send_signal(2)
    assert server.process.wait(20) == 0


def test_two_signals():
    server = Server(*MODEL, "--drain-delay", "600")
    server.process.terminate()
    while httpx.get(f"{server.url}/readyz").status_code == 200:
        pass
    server.process.terminate()
    assert server.process.wait(20) == 0


def slow_posts(folder, delay_ms, count):
    """A server with one worker that is stopped while several posted pictures are in flight, each of
    which takes that long; its exit and the responses."""
    server = Server("--engine", "replay", "--workers", "1", "--model",
                    slow_model(folder, delay_ms))
    answers = []

    def post():
        try:
            answers.append(httpx.post(f"{server.url}/api/v1/nails", content=plain(), timeout=90,
                                      headers={"content-type": "image/jpeg"}).status_code)
        except httpx.TransportError:
            answers.append(None)
    threads = [threading.Thread(target=post) for _ in range(count)]
    for thread in threads:
        thread.start()
    while server.metric("lacquer_frames_in_flight") < count:
        time.sleep(.05)
    server.process.terminate()
    for thread in threads:
        thread.join(90)
    return server.process.wait(20), answers


@pytest.mark.waits
def test_a_picture_that_takes_long_is_answered(tmp_path):
    """Longer than the server waits for a client that does not read its reply."""
    assert slow_posts(tmp_path, 3500, 2) == (0, [200, 200])


# crosses: DRAIN_WORK_S
@pytest.mark.waits
def test_work_without_end(tmp_path):
    status, answers = slow_posts(tmp_path, 6000, 7)
    assert status == 0 and 3 <= answers.count(200) <= 6
    assert answers.count(None) == 7 - answers.count(200)


def test_request_under_way(running):
    """A body that is still arriving when the signal comes is read to its end and gets its
    response."""
    body = plain()
    head = (f"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as raw:
        raw.sendall(head + body[:100])
        with running.v1() as ws:  # once this has its hello, the loop has seen the request
            running.process.terminate()
            assert '"stopping"' in ws.recv(timeout=60)
        raw.sendall(body[100:])
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200") and b"connection: close" in answer.lower()
    assert b'"success"' in answer
    assert running.process.wait(20) == 0, running.heard()


def test_slow_reader_gets_its_whole_answer(running):
    """What did not fit into the system's buffers is sent before the end."""
    noise = np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8)
    body = png(Image.fromarray(noise))
    part = (b"--lacquer\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n"
            b"Content-Type: image/png\r\n\r\n" + body + b"\r\n--lacquer--\r\n")
    head = (b"POST /api/process HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: multipart/form-data; boundary=lacquer\r\n"
            b"Content-Length: %d\r\n\r\n" % len(part))
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        raw.settimeout(20)
        raw.connect(("127.0.0.1", running.port))
        raw.sendall(head + part)
        while running.metric('lacquer_frames_out_total{transport="http"}') == 0:
            time.sleep(0.02)
        running.process.terminate()
        time.sleep(0.5)
        answer = b""
        while piece := raw.recv(1 << 20):
            answer += piece
    headers, _, rest = answer.partition(b"\r\n\r\n")
    length = int(headers.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert length > 10_000_000 and len(rest) == length
    assert running.process.wait(20) == 0, running.heard()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_socketio(running, transport):
    """The event that was sent gets its response, then the client gets a goodbye."""
    results, gone = [], threading.Event()
    client = socketio.Client(reconnection=False)
    client.on("result", lambda data: results.append(data["id"]))
    client.on("disconnect", lambda *_: gone.set())
    client.connect(running.url, transports=[transport])
    while not client.connected:
        time.sleep(0.01)
    acknowledged = threading.Event()
    client.emit("frame", {"image": plain(), "id": 7}, callback=lambda _: acknowledged.set())
    assert acknowledged.wait(20)
    client.emit("frame", {"image": plain(), "id": 8})
    if transport == "polling":
        time.sleep(0.3)  # it arrives as a separate request
    running.process.terminate()
    assert gone.wait(20)
    assert results == [7, 8]
    client.disconnect()
    assert running.process.wait(20) == 0, running.heard()
