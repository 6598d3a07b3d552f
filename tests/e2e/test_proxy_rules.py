"""What deploy/haproxy.cfg and deploy/nginx.conf forward and what they log, tested with the real
proxies in front of a node that records what reaches it."""
import contextlib
import re
import socket
import threading
import time

import pytest

from conftest import free_port, read_for
from test_balancer import Balancer, haproxy, nginx

SECRET = "a-secret-that-opens-0123456789"
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3


class Node:
    """Records the heads of all requests; accepts every upgrade and answers all other requests."""

    def __init__(self):
        self.heads = []
        self.held = threading.Event()  # set: responds at once
        self.held.set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            got = b""
            while True:
                while b"\r\n\r\n" not in got:
                    more = connection.recv(65536)
                    if not more:
                        return
                    got += more
                head, _, got = got.partition(b"\r\n\r\n")
                text = head.decode("latin-1").replace("\r\n", "\n")
                if not text.startswith(("GET /readyz ", "OPTIONS / ")):
                    self.heads.append(text)
                if "/wait" in text:
                    self.held.wait(20)
                if re.search("^upgrade:", text, re.M | re.I):
                    connection.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                       f"Connection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n"
                                       f"\r\n".encode())
                    while connection.recv(65536):
                        pass
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnode")

    def stop(self):
        self.held.set()
        self.listener.close()


class Proxy(Balancer):
    def __init__(self, kind, folder):
        self.kind, self.node, self.port = kind, Node(), free_port()
        command, environment = kind([self.node.port], self.port, folder)
        self.launch(command, environment, folder)
        for _ in range(200):
            with contextlib.suppress(OSError):
                if self.ask(b"GET /up HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200"):
                    return
            assert self.process.poll() is None, self.heard()
            time.sleep(0.05)
        raise RuntimeError(self.heard())

    def ask(self, request, seconds=5):
        with socket.create_connection(("127.0.0.1", self.port), 10) as raw:
            raw.sendall(request)
            return first_answer(raw, seconds)

    def stop(self):
        self.end()
        self.node.stop()


def first_answer(raw, seconds):
    """A whole head, or what arrived before the other side closed."""
    raw.settimeout(seconds)
    got = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in got:
            more = raw.recv(65536)
            if not more:
                break
            got += more
    return got


@pytest.fixture(scope="module", params=[haproxy, nginx], ids=lambda kind: kind.__name__)
def proxy(request, tmp_path_factory):
    running = Proxy(request.param, tmp_path_factory.mktemp("proxy"))
    yield running
    running.stop()


# ---- counters

COUNTERS = ["/metrics", "/%6Detrics", "/%6detrics", "/%6d%65%74%72%69%63%73", "/./metrics",
            "//metrics",
            "///metrics", "/metrics/", "/metrics//", "/METRICS", "/Metrics", "/%4dETRICS",
            "/metrics?x",
            "/metrics?", "/metrics#x", "/metrics;x", "/metrics/.", "/metrics/..;/", "/x/../metrics",
            "/%2e/metrics", "/%2E%2e/metrics", "/%2fmetrics", "/%2Fmetrics", "/..%2fmetrics",
            "/metrics%2f", "/metrics%20", "/metrics%09", "/metrics%0a", "/metrics%00",
            "/metrics%3fx",
            "/metrics%23", "/%256Detrics", "/%25%36detrics", "/x%5c..%5cmetrics", "/\\metrics",
            "/static/metrics", "/metrics%3bx", "http://x/metrics", "http://x//%6detrics"]


@pytest.mark.parametrize("path", COUNTERS)
def test_counters_are_not_public_in_any_spelling(proxy, path):
    before = len(proxy.node.heads)
    for method in (b"GET", b"HEAD", b"POST"):
        got = proxy.ask(method + b" "
                        + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        b"Content-Length: 0\r\n\r\n")
        assert re.match(rb"HTTP/1.[01] 40[04]", got), got[:60]
    assert proxy.node.heads[before:] == []


def test_paths_similar_to_the_counters_are_served(proxy):
    for path in ("/", "/lang/metrics.js", "/metricsx", "/xmetrics", "/api/v1/info",
                 "/my%20page.html",
                 "/?next=/metrics", "/socket.io/?sid=metrics", "/a%2Bb.js", "/%C3%A9.html"):
        got = proxy.ask(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 200"), path
        assert proxy.node.heads[-1].split(" ")[1] == path


@pytest.mark.parametrize("method",
                         ["CONNECT", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "get"])
def test_other_methods_do_not_reach_a_node(proxy, method):
    before = len(proxy.node.heads)
    target = "x:443" if method == "CONNECT" else "/"
    got = proxy.ask(f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert re.match(rb"HTTP/1.[01] 40[05]", got), got[:60]
    assert proxy.node.heads[before:] == []


# ---- upgrades

OTHER_UPGRADES = [["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings",
                   "HTTP2-Settings: AAMAAABkAAQ"],
                  ["Upgrade: H2C", "Connection: upgrade"], ["Upgrade: h2c", "Connection: Upgrade"],
                  ["Upgrade: TLS/1.0", "Connection: Upgrade"],
                  ["Upgrade: h2", "Connection: Upgrade"],
                  ["Upgrade: websocket, h2c", "Connection: Upgrade"],
                  ["Upgrade: h2c, websocket", "Connection: Upgrade"],
                  ["Upgrade: h2c", "Upgrade: websocket", "Connection: Upgrade"],
                  ["Upgrade: websocket", "Upgrade: h2c", "Connection: Upgrade"],
                  ["Upgrade: websocketx", "Connection: Upgrade"],
                  ["Upgrade: ", "Connection: Upgrade"],
                  ["Upgrade: websocket/h2c", "Connection: Upgrade"],
                  ["HTTP2-Settings: AAMAAABkAAQ", "Connection: HTTP2-Settings"],
                  ["Upgrade:\th2c", "Connection: close, Upgrade"]]


@pytest.mark.parametrize("lines", OTHER_UPGRADES, ids=range(len(OTHER_UPGRADES)))
def test_an_upgrade_to_anything_else_is_not_passed_on(proxy, lines):
    """Answered as if the upgrade had not been requested (RFC 9110, 7.8), or refused. Of two headers
    nginx takes the first and forwards only that. HAProxy 3 refuses the 101 for one without a key
    (502)."""
    before = len(proxy.node.heads)
    got = proxy.ask("\r\n".join(["GET /ws HTTP/1.1", "Host: x", *lines, "", ""]).encode())
    assert re.match(rb"HTTP/1.1 (200|400|101|502)", got), got[:60]
    for head in proxy.node.heads[before:]:
        assert not re.search("h2c|http2-settings|TLS/1|: *h2|websocketx", head, re.I), head
        upgrades = re.findall(r"^upgrade: *(.*)$", head, re.M | re.I)
        assert upgrades in ([], ["websocket"])
        if not any("websocket" == line.partition(": ")[2] for line in lines):
            assert upgrades == [] and got.startswith(b"HTTP/1.1 200")


def test_http_2_is_not_spoken(proxy):
    """Not even with prior knowledge: its streams would bypass the limit on connections."""
    before = len(proxy.node.heads)
    settings = b"\0\0\0\4\0\0\0\0\0"
    headers = b"\x82\x86\x84\x41\x01x"  # GET, http, /, :authority x
    got = proxy.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + len(headers).to_bytes(3, "big")
                    + b"\1\5\0\0\0\1" + headers, 2)
    assert b"\0\0\0\4" not in got[:16] and not got.startswith(b"HTTP/1.1 200")
    assert proxy.node.heads[before:] == []


def test_a_websocket_is_passed_on(proxy):
    for value in ("websocket", "WebSocket", "WEBSOCKET"):
        got = proxy.ask(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: {value}\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        assert got.startswith(b"HTTP/1.1 101"), got[:60]
        assert re.search("^upgrade: *websocket", proxy.node.heads[-1], re.M | re.I)


# ---- headers about the client


def test_headers_of_clients_about_themselves_are_replaced(proxy):
    proxy.ask(b"GET /said HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 10.9.8.7\r\n"
              b"X-Forwarded-For: 10.9.8.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"
              b"X-Real-IP: 10.9.8.5\r\nForwarded: for=10.9.8.4\r\n\r\n")
    head = proxy.node.heads[-1]
    assert "10.9.8" not in head and "evil" not in head
    named = dict(line.split(": ", 1) for line in head.lower().splitlines()[1:])
    assert named["x-forwarded-for"] == "127.0.0.1" and named["x-forwarded-proto"] == "http"
    assert named["x-forwarded-host"] == "shop.example"


# ---- logs


def test_no_secret_is_logged(proxy):
    """For good and bad requests, with and without a response, the log contains neither query,
    cookie nor authorization."""
    heads = [f"GET /?token={SECRET} HTTP/1.1", f"GET /socket.io/?EIO=4&sid={SECRET} HTTP/1.1",
             f"POST /socket.io/?EIO=4&transport=polling&sid={SECRET} HTTP/1.1",
             f"GET /metrics?token={SECRET} HTTP/1.1", f"PUT /?token={SECRET} HTTP/1.1",
             f"GET http://x/?token={SECRET} HTTP/1.1", f"GET /%zz?token={SECRET} HTTP/1.1",
             f"GET /?token={SECRET}"]
    headers = (f"Host: x\r\nCookie: lacquer_token={SECRET}\r\nAuthorization: Bearer {SECRET}\r\n"
               f"Referer: http://x/?token={SECRET}\r\nContent-Length: 0\r\n")
    for head in heads:
        proxy.ask(f"{head}\r\n{headers}\r\n".encode(), 2)
    proxy.ask(f"GET /written HTTP/1.1\r\n{headers}\r\n".encode())
    proxy.ask(f"GET /?token={SECRET} HTTP/1.1\r\nHost: x\r\nBroken {SECRET}\r\n\r\n".encode(), 2)
    for _ in range(100):
        if "/written" in proxy.heard():
            break
        time.sleep(0.05)
    assert "/written" in proxy.heard()  # what may be logged is
    assert SECRET not in proxy.heard() and SECRET[:16] not in proxy.heard()


def test_no_secret_is_logged_when_nodes_are_down(tmp_path, proxy):
    """An error of a node is logged together with the request that met it."""
    mine = Proxy(proxy.kind, tmp_path)
    mine.node.stop()
    for _ in range(3):
        mine.ask(f"GET /socket.io/?EIO=4&sid={SECRET} HTTP/1.1\r\nHost: x\r\n"
                 f"Cookie: lacquer_token={SECRET}\r\n\r\n".encode())
        mine.ask(f"GET /?token={SECRET} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    mine.process.terminate()
    mine.process.wait(20)
    said = mine.heard()
    mine.said.close()
    assert "socket.io" in said and " 50" in said
    assert SECRET not in said


# ---- limits per address


def test_connections_of_an_address_are_limited(tmp_path, proxy):
    mine = Proxy(proxy.kind, tmp_path)
    mine.node.held.clear()
    opened = []
    try:
        statuses = []
        for number in range(90):
            raw = socket.create_connection(("127.0.0.1", mine.port), 10)
            opened.append(raw)
            raw.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            if number >= 64:
                statuses.append(first_answer(raw, 3))
        refused = [got for got in statuses if got.startswith(b"HTTP/1.1 429")]
        assert len(refused) >= 20, (len(refused), statuses[:2])
        assert all(b"etry-" in got for got in refused)
        if proxy.kind is haproxy:  # connections that say nothing count too, and are cut off at last
            with contextlib.suppress(ConnectionResetError):  # cut off before it was open
                opened.extend(socket.create_connection(("127.0.0.1", mine.port), 10)
                              for _ in range(250))
                time.sleep(0.5)
                assert read_for(opened[-1], 1) == b""
    finally:
        mine.node.held.set()
        for raw in opened:
            raw.close()
    time.sleep(0.5)
    assert mine.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200")  # again
    mine.stop()
