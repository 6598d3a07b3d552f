"""The operators' listener (--admin-port): it serves only counters and health, and is always
available."""
import re
import signal
import socket
import subprocess
import time

import httpx
import pytest

from conftest import LACQUER, ROOT, Server, frame, free_port, plain, read_for

MODEL = ("--model", str(ROOT / "tests" / "fixtures" / "tiny_map.onnx"))


class Administered(Server):
    def __init__(self, *args):
        super().__init__(*MODEL, "--admin-port", "0", *args)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"admin on (http://127\.0\.0\.1:(\d+))\n", line)
        assert found, line
        self.admin, self.admin_port = found[1], int(found[2])


@pytest.fixture(scope="module")
def watched():
    running = Administered("--log-level", "warn")
    yield running
    assert running.stop()[0] == 0


def test_its_pages(watched):
    assert httpx.get(f"{watched.admin}/healthz").text == "ok\n"
    assert httpx.get(f"{watched.admin}/readyz").text == "ready\n"
    metrics = httpx.get(f"{watched.admin}/metrics")
    assert metrics.status_code == 200 and "lacquer_sessions{" in metrics.text
    assert httpx.head(f"{watched.admin}/metrics").content == b""
    assert httpx.get(f"{watched.url}/metrics").status_code == 404  # no longer on the users' port


@pytest.mark.parametrize("method, path, code", [
    ("GET", "/", 404), ("GET", "/ui/app.js", 404), ("GET", "/api/v1/info", 404),
    ("GET", "/socket.io/?EIO=4&transport=polling", 404), ("POST", "/api/v1/nails", 404),
    ("POST", "/metrics", 405), ("DELETE", "/healthz", 405), ("GET", "/metrics/", 404)])
def test_other_paths_are_refused(watched, method, path, code):
    content = b"x" if method == "POST" else None
    reply = httpx.request(method, watched.admin + path, content=content)
    assert reply.status_code == code and reply.json()["success"] is False


def test_no_socket(watched):
    with socket.create_connection(("127.0.0.1", watched.admin_port), 5) as raw:
        raw.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                    b"\r\n")
        assert read_for(raw, 1).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}])
def test_no_page(watched, headers):
    assert httpx.get(f"{watched.admin}/metrics", headers=headers).status_code == 403


def test_a_full_server_can_still_be_watched():
    running = Administered("--max-sessions", "1", "--max-sessions-per-address", "1",
                           "--log-level", "error")
    held = []
    try:
        with running.v1():
            for _ in range(600):  # uses up all connections
                held.append(socket.create_connection(("127.0.0.1", running.port), 5))
            time.sleep(0.3)
            assert httpx.get(f"{running.admin}/readyz").text == "full\n"
            assert httpx.get(f"{running.admin}/metrics").status_code == 200
    finally:
        for each in held:
            each.close()
        assert running.stop()[0] == 0


def test_its_own_connections_are_few(watched):
    held = [socket.create_connection(("127.0.0.1", watched.admin_port), 5) for _ in range(65)]
    time.sleep(0.3)
    assert read_for(held[64], 1) == b""  # closed at once
    for each in held:
        each.close()
    time.sleep(0.3)
    assert httpx.get(f"{watched.admin}/healthz").status_code == 200


def test_it_closes_last():
    running = Administered("--drain-delay", "3")
    with running.v1() as ws:
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert httpx.get(f"{running.admin}/readyz").text == "stopping\n"
        ws.send(frame(1, plain()))
        assert isinstance(ws.recv(timeout=60), bytes)
        assert '"stopping"' in ws.recv(timeout=60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port), 5)
        assert httpx.get(f"{running.admin}/healthz").status_code == 200
    assert running.process.wait(20) == 0


def test_wrong_use():
    def said_by(*args):
        done = subprocess.run([LACQUER, "serve", *args], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr
    status, said = said_by("--admin-host", "127.0.0.1")
    assert status == 2 and "--admin-port" in said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = said_by("--port", str(free_port()), "--admin-port",
                               str(taken.getsockname()[1]))
        assert status != 0 and "cannot listen on 127.0.0.1 port" in said
