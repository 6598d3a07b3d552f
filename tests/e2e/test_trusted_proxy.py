"""Behind proxies: limits, origins and cookies use the client that a trusted proxy names, in headers
or the PROXY protocol, and ignore all other claims. Uses the real HAProxy and nginx."""
import contextlib
import socket
import struct
import subprocess
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conftest import ROOT, Server, frame, free_port, plain, read_for, tool

MODEL = ("--model", str(ROOT / "tests" / "fixtures" / "tiny_map.onnx"))
LIMIT = ("--max-sessions-per-address", "2", "--max-wait", "60000", "--log-level", "warn")
TRUST = ("--trusted-proxy", "127.0.0.1")  # the proxies; clients use 127.0.0.2 and higher
TOKEN = "a-token-of-sixteen-characters"


@pytest.fixture(scope="module")
def headers_server():
    running = Server(*MODEL, *LIMIT, *TRUST, "--trusted-proxy", "10.0.0.0/8")
    yield running
    assert running.stop()[0] == 0


@pytest.fixture(scope="module")
def proxy_server():
    running = Server(*MODEL, *LIMIT, *TRUST, "--proxy-protocol")
    yield running
    assert running.stop()[0] == 0


def haproxy_config(kind, port, server):
    mode, line = {"tcp-v1": ("tcp", "send-proxy"), "tcp-v2": ("tcp", "send-proxy-v2"),
                  "http": ("http", ""), "http-v2": ("http", "send-proxy-v2")}[kind]
    return f"""
defaults
    mode {mode}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
{"    option forwardfor" if mode == "http" else ""}
listen users
    bind 127.0.0.1:{port}
    server node 127.0.0.1:{server.port} {line}
"""


def nginx_config(_, port, server):
    return f"""
error_log /dev/stderr warn;
pid FOLDER/pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    map $http_upgrade $connection_header {{ default upgrade; "" close; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{server.port};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_header;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


@contextlib.contextmanager
def proxied(kind, server, folder):
    """A proxy in front of the server; yields its port."""
    port = free_port()
    make = nginx_config if kind == "nginx" else haproxy_config
    path = folder / "proxy.conf"
    path.write_text(make(kind, port, server).replace("FOLDER", str(folder)))
    command = ([tool("nginx"), "-e", "stderr", "-p", folder, "-c", path, "-g",
                "daemon off; master_process off;"] if kind == "nginx"
               else [tool("haproxy"), "-db", "-f", path])
    with open(folder / "said", "w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                assert process.poll() is None, (folder / "said").read_text()
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=60)


def client(port, address, **kwargs):
    """A live connection of the client at this address."""
    raw = socket.create_connection(("127.0.0.1", port), 10, source_address=(address, 0))
    return connect(f"ws://127.0.0.1:{port}/ws", sock=raw, subprotocols=["lacquer.v1"],
                   compression=None, **kwargs)


def is_let_in(ws):
    try:
        if '"hello"' not in ws.recv(timeout=60):
            return False
        ws.send(frame(1, plain()))
        return isinstance(ws.recv(timeout=60), bytes)
    except ConnectionClosed as closed:
        assert closed.rcvd.code == 1008
        return False


def each_has_two(port, **kwargs):
    """Both clients have as many sessions as the limit allows, whatever the other has."""
    with contextlib.ExitStack() as stack:
        def opened(address):
            return is_let_in(stack.enter_context(client(port, address, **kwargs)))
        assert [opened("127.0.0.2") for _ in range(3)] == [True, True, False]
        assert [opened("127.0.0.3") for _ in range(3)] == [True, True, False]
    time.sleep(0.3)


@pytest.mark.parametrize("kind", ["tcp-v1", "tcp-v2", "http-v2"])
def test_limits_hold_behind_the_proxy_protocol(proxy_server, tmp_path, kind):
    with proxied(kind, proxy_server, tmp_path) as port:
        each_has_two(port)


@pytest.mark.parametrize("kind", ["nginx", "http"])
def test_limits_hold_behind_a_proxy_that_writes_headers(headers_server, tmp_path, kind):
    with proxied(kind, headers_server, tmp_path) as port:
        each_has_two(port)
        # Values that clients write themselves are further left, or in a header that disagrees.
        each_has_two(port, additional_headers={"X-Forwarded-For": "203.0.113.5"})


def test_contradicting_headers_count_as_the_proxys_own(headers_server):
    """If Forwarded and X-Forwarded-For differ, one of them was written by the client."""
    with contextlib.ExitStack() as stack:
        def opened(number):
            headers = {"X-Forwarded-For": f"203.0.113.{number}",
                       "Forwarded": f"for=198.51.100.{number}"}
            return is_let_in(stack.enter_context(
                client(headers_server.port, "127.0.0.1", additional_headers=headers)))
        assert [opened(number) for number in range(1, 5)] == [True, True, False, False]
    time.sleep(0.3)


@pytest.mark.parametrize("header, value", [
    ("X-Forwarded-For", "203.0.113.{}"), ("Forwarded", "for=203.0.113.{}"),
    ("X-Real-IP", "203.0.113.{}")])
def test_headers_of_other_peers_are_ignored(headers_server, header, value):
    with contextlib.ExitStack() as stack:
        def opened(number):
            return is_let_in(stack.enter_context(
                client(headers_server.port, "127.0.0.4",
                       additional_headers={header: value.format(number)})))
        assert [opened(number) for number in range(1, 5)] == [True, True, False, False]
    time.sleep(0.3)


@pytest.mark.parametrize("value", ["for=203.0.113.{}", "for=9.9.9.9, for=203.0.113.{};proto=https",
                                   "for=\"[2001:db8:{}::1]:80\", for=10.1.1.1"])
def test_forwarded(headers_server, value):
    """RFC 7239, over several hops."""
    with contextlib.ExitStack() as stack:
        def opened(number):
            return is_let_in(stack.enter_context(
                client(headers_server.port, "127.0.0.1",
                       additional_headers={"Forwarded": value.format(number)})))
        assert [opened(number) for number in (1, 1, 1, 2, 2, 2)] == [True, True, False] * 2
    time.sleep(0.3)


def ask(server, headers, address="127.0.0.1", method="POST", path="/api/v1/nails"):
    """The status of a request with these header lines."""
    body = plain() if method == "POST" else b""
    head = (f"{method} {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n")
    with socket.create_connection(("127.0.0.1", server.port), 10,
                                  source_address=(address, 0)) as raw:
        raw.sendall(head.encode() + body)
        return read_for(raw, 20)


def status(answer):
    return int(answer.split(b" ")[1])


FORWARDED = {"Host": "node1:8080", "Origin": "https://shop.example",
             "X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https"}


def test_the_forwarded_host_is_the_pages_own(headers_server):
    assert status(ask(headers_server, FORWARDED)) == 200
    assert status(ask(headers_server, FORWARDED, address="127.0.0.5")) == 403
    without_tls = {**FORWARDED, "Origin": "http://shop.example"}
    assert status(ask(headers_server, without_tls)) == 403
    other = {**FORWARDED, "Origin": "https://evil.example"}
    assert status(ask(headers_server, other)) == 403
    one_header = {"Host": "node1:8080", "Origin": "https://shop.example",
                  "Forwarded": "for=203.0.113.7;host=shop.example;proto=https"}
    assert status(ask(headers_server, one_header)) == 200


def test_the_cookie_is_secure_behind_tls(tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN + "\n")
    tokens.chmod(0o600)
    running = Server(*MODEL, *TRUST, "--token-file", str(tokens))
    try:
        path = f"/?token={TOKEN}"
        behind = ask(running, {"Host": "x", "X-Forwarded-Proto": "https"}, method="GET", path=path)
        assert status(behind) == 303 and b"; secure" in behind.lower()
        direct = ask(running, {"Host": "x"}, method="GET", path=path)
        assert status(direct) == 303 and b"; secure" not in direct.lower()
    finally:
        assert running.stop()[0] == 0


# ---- the PROXY headers themselves

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command, family, addresses, tlvs=b""):
    rest = addresses + tlvs
    return V2 + struct.pack(">BBH", 0x20 | command, family, len(rest)) + rest


FOUR = socket.inet_aton("203.0.113.9") + socket.inet_aton("127.0.0.1") + struct.pack(">HH", 5, 80)
SIX = (socket.inet_pton(socket.AF_INET6, "2001:db8::9")
       + socket.inet_pton(socket.AF_INET6, "::1") + struct.pack(">HH", 5, 80))


def asked_of(server, data, address="127.0.0.1", piece=None):
    with socket.create_connection(("127.0.0.1", server.port), 10,
                                  source_address=(address, 0)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(data), piece or len(data)):
                raw.sendall(data[at:at + (piece or len(data))])
        return read_for(raw, 5)


@pytest.mark.parametrize("header", [
    b"PROXY TCP4 203.0.113.9 127.0.0.1 5 80\r\n", b"PROXY TCP6 2001:db8::9 ::1 5 80\r\n",
    b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN whatever it says 1 2\r\n",
    v2(1, 0x11, FOUR), v2(1, 0x21, SIX), v2(0, 0, b""), v2(1, 0, b""),
    v2(1, 0x11, FOUR, b"\x04\0\x10" + bytes(16) + b"\x20\0\x05" + bytes(5)), v2(0, 0x11, FOUR),
], ids=["tcp4", "tcp6", "unknown", "unknown-more", "v2-4", "v2-6", "local", "unspec", "tlvs",
        "local-with-address"])
def test_proxy_headers_of_every_kind(proxy_server, header):
    for piece in (None, 1):
        assert asked_of(proxy_server, header + GET, piece=piece).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("header", [
    b"", b"PROXY TCP4 203.0.113.999 127.0.0.1 5 80\r\n", b"PROXY TCP4 203.0.113.9 127.0.0.1 5\r\n",
    b"PROXY TCP5 203.0.113.9 127.0.0.1 5 80\r\n", b"PROXY TCP4 203.0.113.9 127.0.0.1 5 99999\r\n",
    b"PROXY " + b"x" * 200 + b"\r\n", b"proxy tcp4 203.0.113.9 127.0.0.1 5 80\r\n",
    v2(1, 0x11, FOUR[:6]), v2(2, 0x11, FOUR), V2[:-1] + b"x" + bytes(20),
    V2 + b"\x11\x11\0\x0c" + FOUR, V2 + b"\x21\x11\xff\xff" + bytes(4000),
], ids=["none", "address", "short", "family", "port", "long", "case", "v2-short", "v2-command",
        "v2-signature", "v2-version", "v2-long"])
def test_a_trusted_proxy_must_begin_with_a_header(proxy_server, header):
    assert b" 200 " not in asked_of(proxy_server, header + GET)
    assert asked_of(proxy_server, v2(0, 0, b"") + GET).startswith(b"HTTP/1.1 200 ")


def test_other_peers_may_not_send_a_proxy_header(proxy_server):
    """A client that is not a proxy is served without one, and its claim is refused."""
    assert asked_of(proxy_server, GET, "127.0.0.6").startswith(b"HTTP/1.1 200 ")
    for header in (b"PROXY TCP4 203.0.113.9 127.0.0.1 5 80\r\n", v2(1, 0x11, FOUR)):
        got = asked_of(proxy_server, header + GET, "127.0.0.6")
        assert b" 200 " not in got and (not got or got.startswith(b"HTTP/1.1 400 "))


def test_options_that_belong_together():
    for args, hint in ((("--proxy-protocol",), "trusted-proxy"),
                       (("--trusted-proxy", "10.0.0.0/33"), "trusted-proxy"),
                       (("--trusted-proxy", "10.0.0.1/8"), "trusted-proxy"),
                       (("--trusted-proxy", "proxy.example"), "trusted-proxy")):
        done = subprocess.run([ROOT / "build" / "lacquer", "serve", *args], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 2 and hint in done.stderr, (args, done.stderr)
