"""Request smuggling: what HAProxy or nginx forwards as one request must be one request to Lacquer.
Bytes that two parsers could read as different requests are sent through both, and the requests
between proxy and server are counted. A server that saw one request more would send one user
another user's reply."""
import os
import random
import re
import socket
import subprocess
import threading
import time

import pytest

from conftest import ROOT, Server, free_port, tool

HAPROXY = """
defaults
    mode http
    timeout connect 2s
    timeout client 3s
    timeout server 3s
    option http-keep-alive
    http-reuse always
frontend users
    bind 127.0.0.1:{port}
    http-request set-header x-proxied 1
    default_backend nodes
backend nodes
    server node 127.0.0.1:{node}
"""
NGINX = """
pid {folder}/pid;
error_log stderr emerg;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream nodes {{ server 127.0.0.1:{node}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        client_header_timeout 3s; client_body_timeout 3s;
        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_ignore_client_abort on;
            proxy_set_header Connection "";
            proxy_set_header x-proxied 1;
        }}
    }}
}}
"""


class Tap(threading.Thread):
    """Relays between a proxy and the server and records what both send."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.lock = node, threading.Lock()
        self.asked = self.told = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                proxy, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.node))
            threading.Thread(target=self.carry, args=(proxy, server, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, proxy, False), daemon=True).start()

    def carry(self, source, target, asks):
        try:
            while data := source.recv(65536):
                with self.lock:
                    if asks:
                        self.asked += data
                    else:
                        self.told += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                end.close()

    def take(self):
        with self.lock:
            asked, told = self.asked, self.told
            self.asked = self.told = b""
        return asked, told


class Proxied:
    def __init__(self, kind, folder, server):
        self.tap = Tap(server.port)
        self.port = free_port()
        config = folder / "config"
        config.write_text((HAPROXY if kind == "haproxy" else NGINX).format(
            port=self.port, node=self.tap.port, folder=folder))
        command = ([tool("haproxy"), "-db", "-f", config] if kind == "haproxy" else
                   [tool("nginx"), "-e", "stderr", "-p", folder, "-c", config, "-g",
                    "daemon off; master_process off;"])
        self.process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.say(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{kind} does not answer")

    def say(self, data, wait=2.0):
        """Sends all of it and reads until the proxy closes or is silent."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as client:
                client.sendall(data)
                client.settimeout(wait)
                heard = b""
                while piece := client.recv(65536):
                    heard += piece
                return heard
        except OSError:
            return b""

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.tap.listener.close()


@pytest.fixture(scope="module")
def node():
    running = Server("--model", str(ROOT / "tests" / "fixtures" / "tiny_map.onnx"), "--log-level",
                     "error")
    yield running
    assert running.process.poll() is None
    running.stop()


@pytest.fixture(scope="module", params=["haproxy", "nginx"])
def proxied(request, tmp_path_factory, node):
    running = Proxied(request.param, tmp_path_factory.mktemp(request.param), node)
    yield running
    running.stop()


HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN


def post(headers, body, line=b"POST /api/v1/nails HTTP/1.1\r\nHost: a\r\n"):
    return line + headers + b"\r\n" + body


def table():
    """Requests that hide another one, in each of the known ways."""
    length = b"Content-Length: %d\r\n" % len(CHUNKED)
    short = b"Content-Length: 5\r\n"
    encodings = [
        b"Transfer-Encoding: chunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding:chunked",
        b"Transfer-Encoding: \tchunked", b"Transfer-Encoding: chunked ",
        b" Transfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: identity",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x", b"Transfer-Encoding: CHUNKED",
        b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked", b"Transfer_Encoding: chunked",
        b"Transfer-Encoding: \"chunked\"", b"Transfer-Encoding: chunked;x=y",
        b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding\x00: chunked", b"X: y\nTransfer-Encoding: chunked",
        b"X: y\rTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\x00",
        b"Transfer-Encoding: ,chunked", b"TE: chunked", b"Transfer-Encoding:", b"Transfer-Encoding",
    ]
    for encoding in encodings:
        yield post(encoding + b"\r\n", CHUNKED)
        yield post(length + encoding + b"\r\n", CHUNKED)
        yield post(encoding + b"\r\n" + short, CHUNKED)
    for value in [b"5, 5", b"+5", b"-5", b"5 5", b"0x5", b"5\t", b"\x0b5", b"5;x", b"", b"5.0",
                  b"00005", b"18446744073709551621", b"5\r\nContent-Length: 0",
                  b"0\r\nContent-Length: 5", b"5\r\nContent-Length: 5", b"5\r\n 0", b"5,"]:
        yield post(b"Content-Length: " + value + b"\r\n", CHUNKED)
    for name in [b"Content-Length ", b"Content_Length", b"\tContent-Length", b"content-length",
                 b"Content-Length\x00", b"Content Length"]:
        yield post(name + b": 5\r\n", CHUNKED)
    for chunks in [b"0;x\r\n\r\n", b"0\n\n", b"00000000000000000000\r\n\r\n", b"0 \r\n\r\n",
                   b" 0\r\n\r\n",
                   b"0x0\r\n\r\n", b"-0\r\n\r\n", b"+0\r\n\r\n", b"0\r\n\r", b"0\r\nX: y\r\n\r\n",
                   b"0;\n\r\n\r\n",
                   b"1;\nx\r\nz\r\n0\r\n\r\n", b"3\r\nabcXX0\r\n\r\n", b"3\r\nabc0\r\n\r\n",
                   b"3\nabc\n0\n\n",
                   b"ffffffffffffffff\r\nabc", b"10000000000000000\r\n", b"1\r\na\r\n\r\n0\r\n\r\n",
                   b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nX\r\n\r\n", b"\r\n0\r\n\r\n",
                   b"3\r\r\nabc\r\n0\r\n\r\n"]:
        yield post(b"Transfer-Encoding: chunked\r\n", chunks + HIDDEN)
    for line in [b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.0\r\n",
                 b"GET  /healthz HTTP/1.1\r\n",
                 b"GET\t/healthz HTTP/1.1\r\n", b"GET /healthz\r\n", b"GET /healthz HTTP/1.1 \r\n",
                 b"GET /healthz HTTP/1.1\n", b"GET /healthz HTTP/1.1\r",
                 b"GET /healthz HTTP/0.9\r\n",
                 b"GET /healthz HTTP/9.9\r\n", b"GET /healthz http/1.1\r\n",
                 b"HEAD /healthz HTTP/1.1\r\n",
                 b"OPTIONS * HTTP/1.1\r\n", b"TRACE /healthz HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n",
                 b"CONNECT a:80 HTTP/1.1\r\n", b"GET http://b/healthz HTTP/1.1\r\n",
                 b"\r\nGET / HTTP/1.1\r\n",
                 b"G\x00T / HTTP/1.1\r\n", b"GET /\x00 HTTP/1.1\r\n", b"GET /a b HTTP/1.1\r\n"]:
        for headers in [b"", short, b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n",
                        b"Expect: 100-continue\r\n" + short,
                        b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
                        b"Connection: Content-Length\r\n" + short]:
            yield post(headers, CHUNKED, line + b"Host: a\r\n")


def mutated(count, seed):
    """The same with single bytes changed, removed or inserted."""
    chance = random.Random(seed)
    cases = list(table())
    odd = [b"\r", b"\n", b"\0", b" ", b"\t", b":", b",", b"0", b"\x0b", b"\x80", b"\r\n", b";"]
    for _ in range(count):
        data = bytearray(chance.choice(cases))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            data[at:at + chance.randint(0,
                                        1)] = chance.choice(odd) if chance.random() < 0.8 else b""
        yield bytes(data)


def requests_in(asked):
    return len(re.findall(rb"^x-proxied: 1\r?$", asked, re.M | re.I))


def answers_in(told):
    return len(re.findall(rb"HTTP/1\.[01] [2-5]\d\d ", told))


def check(proxied, data):
    proxied.tap.take()
    proxied.say(data, wait=0.06)
    # Another user's request, most likely over the connection that the first one left behind.
    other = proxied.say(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    asked, told = proxied.tap.take()
    late = time.monotonic() + 0.3 # later bytes would be attributed to the next case
    while answers_in(told) < requests_in(asked) and time.monotonic() < late:
        time.sleep(0.01)
        asked, told = map(bytes.__add__, (asked, told), proxied.tap.take())
    assert answers_in(told) <= requests_in(asked), (data, asked, told)
    assert b" 200 " in other.split(b"\r\n")[0] and other.endswith(b"ok\n"), (data, asked, told,
                                                                             other)
    return requests_in(asked)


def test_one_request_of_a_proxy_is_one_request_here(proxied):
    seen = sum(check(proxied, data) > 1 for data in table())
    assert seen > 20 # the proxy itself did not refuse them all


def test_changed_bytes_do_not_split_a_request(proxied):
    for data in mutated(int(os.environ.get("LACQUER_SMUGGLED", "150")), 1):
        check(proxied, data)
