"""Clients that break the rules, or only bend them: the server answers what it can and lives on."""
import random
import socket
import struct
import time

import httpx
import numpy as np
import pytest

from conftest import Server, read_for


@pytest.fixture(scope="module")
def victim():
    """A server of its own: what is done to it here must not be felt elsewhere."""
    running = Server("--log-level", "error")
    yield running
    status, said = running.stop()
    assert status == 0 and "Sanitizer" not in said, said


def alive(server):
    assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200


def raw(server):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def post(picture):
    return (b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
            b"Content-Length: %d\r\n\r\n" % len(picture)) + picture


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("gap", [0, 0.002, 0.02])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_pipelined_pictures_get_at_least_the_first_answer(victim, hand, count, gap):
    # libwebsockets 4.1 spins for ever on a body that was pipelined behind a waiting request.
    with raw(victim) as connection:
        for _ in range(count):
            try:
                connection.sendall(post(hand))
            except ConnectionError:
                break
            time.sleep(gap)
        assert read_for(connection, 2).startswith(b"HTTP/1.1 200")
    alive(victim)


@pytest.mark.parametrize("bytes_of", [
    lambda hand: post(hand) * 3,
    lambda hand: GET + post(hand),
    lambda hand: GET + post(hand) + GET,
    lambda hand: post(hand) + GET,
    lambda hand: post(hand) + b"x" * 87,
    lambda hand: post(b"no picture") + b"x" * 5000,
    lambda hand: GET * 50,
], ids=["three", "get-post", "get-post-get", "post-get", "junk", "bad-junk", "gets"])
def test_requests_in_one_write(victim, hand, bytes_of):
    with raw(victim) as connection:
        connection.sendall(bytes_of(hand))
        assert read_for(connection, 2).startswith(b"HTTP/1.1 ")
    alive(victim)


def test_a_client_that_leaves_while_its_picture_is_in_work(victim, hand):
    for linger in (False, True):
        for _ in range(5):
            connection = raw(victim)
            connection.sendall(post(hand))
            if linger:  # a reset instead of a goodbye
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
            connection.close()
    alive(victim)


UPGRADE = (b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def frame(opcode, payload, fin=True, claimed=None):
    """A masked frame; `claimed` is the length it gives in its header."""
    mask, length = b"\x01\x02\x03\x04", len(payload) if claimed is None else claimed
    head = bytes([fin << 7 | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += b"\xfe" + struct.pack(">H", length)
    else:
        head += b"\xff" + struct.pack(">Q", length)
    if payload:
        plain = np.frombuffer(payload, np.uint8)
        payload = (plain ^ np.resize(np.frombuffer(mask, np.uint8), len(plain))).tobytes()
    return head + mask + payload


@pytest.mark.parametrize("bytes_of", [
    lambda hand: frame(2, b"x" * 100, claimed=1 << 40),
    lambda hand: frame(2, b"x" * 100, claimed=(1 << 63) - 1),
    lambda hand: frame(2, b"x", claimed=(1 << 64) - 1),
    lambda hand: frame(9, b"h" * 126),
    lambda hand: frame(9, b"h", fin=False),
    lambda hand: frame(0, b"h"),
    lambda hand: frame(3, b"x"),
    lambda hand: frame(1, b"\xff\xfe"),
    lambda hand: frame(2, b"") + frame(1, b""),
    lambda hand: frame(2, b"", fin=False) + frame(0, b"", fin=False) + frame(0, b""),
    lambda hand: frame(2, b"a", fin=False) + frame(1, b"b"),
    lambda hand: frame(8, b"\x03") + frame(2, hand),
    lambda hand: frame(8, b"\x03\xe8bye") + frame(2, hand),
    lambda hand: b"\xf2\x81\x01\x02\x03\x04x",
    lambda hand: b"\x82\x05hello",
    lambda hand: frame(2, b"x" * 5_000_000),
])
def test_broken_websocket_frames(victim, hand, bytes_of):
    for together in (True, False):
        with raw(victim) as connection:
            try:
                if together:
                    connection.sendall(UPGRADE + bytes_of(hand))
                else:
                    connection.sendall(UPGRADE)
                    time.sleep(0.02)
                    connection.sendall(bytes_of(hand))
            except ConnectionError:
                pass
            read_for(connection, 0.3)
        alive(victim)


def test_a_storm_of_random_frames(victim, hand):
    chance = random.Random(7)
    for _ in range(40):
        with raw(victim) as connection:
            try:
                connection.sendall(UPGRADE)
                for _ in range(chance.randint(1, 6)):
                    payload = chance.choice([b"", b"x" * chance.randint(0, 300),
                                             hand[:chance.randint(1, len(hand))], hand,
                                             b'{"type":"look"}'])
                    claimed = chance.choice([None] * 8 + [chance.randint(0, 1 << 20)])
                    message = frame(chance.choice([0, 1, 2, 2, 2, 8, 9, 10]), payload,
                                    chance.random() < 0.75, claimed)
                    if chance.random() < 0.25:
                        message = message[:chance.randint(1, len(message))]
                    connection.sendall(message)
            except ConnectionError:
                pass
            if chance.random() < 0.5:
                read_for(connection, 0.1)
    alive(victim)


def upgrade(old, new):
    return UPGRADE.replace(old, new)


@pytest.mark.parametrize("text,start", [
    (upgrade(b"Version: 13", b"Version: 8"), b"HTTP/1.1 426 "),
    (upgrade(b"Sec-WebSocket-Version: 13\r\n", b""), b"HTTP/1.1 426 "),
    (upgrade(b"Version: 13", b"Version: 13\r\nSec-WebSocket-Extensions: " + b"x, " * 100),
     b"HTTP/1.1 431 "),
    (upgrade(b"Version: 13", b"Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; "
             b"client_max_window_bits"), b"HTTP/1.1 101 "),
    (upgrade(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""), b""),
    (upgrade(b"dGhlIHNhbXBsZSBub25jZQ==", b"A" * 500), b""),
], ids=["old-version", "no-version", "long-offer", "deflate-offer", "no-key", "long-key"])
def test_handshakes(victim, text, start):
    """No offer of compression is taken, so there is no bomb to unpack."""
    with raw(victim) as connection:
        connection.sendall(text)
        head = read_for(connection, 0.5)
    assert head.startswith(start) and (start or not head)
    assert b"sec-websocket-extensions" not in head.split(b"\r\n\r\n")[0].lower()
    if start.startswith(b"HTTP/1.1 426"):
        assert b"sec-websocket-version: 13" in head.lower()


def test_half_a_close_code_ends_the_connection(victim):
    with raw(victim) as connection:
        connection.sendall(UPGRADE + frame(8, b"\x03"))
        got = read_for(connection)
        assert not got.endswith(b"\x88\x01\x03")  # not sent back as if it were one


def test_a_flood_of_pings_and_of_empty_pieces(victim, hand):
    """Costs the flooder; another client is served all along."""
    with victim.v1() as other, raw(victim) as connection:
        connection.sendall(UPGRADE)
        # Before its answer nothing may be sent (RFC 6455 section 4.1): the library loses its place.
        assert connection.recv(4096).startswith(b"HTTP/1.1 101")
        for number in range(1, 6):
            connection.sendall(frame(9, b"payload") * 2000)
            other.send(struct.pack("<BBHIQ", 1, 0, 16, number, 0) + hand)
            assert other.recv(timeout=20)[4] == number
        connection.sendall(frame(2, b"", fin=False) + frame(0, b"", fin=False) * 20000)
        other.send(struct.pack("<BBHIQ", 1, 0, 16, 6, 0) + hand)
        assert other.recv(timeout=20)[4] == 6
    alive(victim)


SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("head", [
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    b"Content-Length: 0\r\nContent-Length: 39\r\n\r\n",
    b"Content-Length: 39\r\nContent-Length: 0\r\n\r\n",
    b"Content-Length: +0\r\n\r\n",
    b"Content-Length: 0x0\r\n\r\n",
    b"Content-Length: 0,39\r\n\r\n",
    b"Content-Length: -1\r\n\r\n",
    b"Content-Length: 9223372036854775807\r\n\r\n",
    b"Content-Length: 18446744073709551616\r\n\r\n",
], ids=["cl-te", "te-cl", "te-x", "te-te", "te-vt", "cl-cl-long", "cl-cl-short", "plus", "hex",
        "list", "minus", "2^63-1", "2^64"])
def test_no_request_is_smuggled(victim, head):
    """What two servers could cut differently is answered at most once, and never by the second."""
    with raw(victim) as connection:
        connection.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\n" + head + SMUGGLED)
        got = read_for(connection, 1)
    assert b"lacquer_" not in got and got.count(b"HTTP/1.1 ") <= 1
    alive(victim)


@pytest.mark.parametrize("text", [
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz%00.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /app.js%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nAccept: \xff\xff\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(900)) + b"\r\n",
    b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
], ids=["bytes", "overlong", "up", "up-coded", "nul", "split", "accept", "many", "version", "tls",
        "http2"])
def test_odd_requests(victim, text):
    with raw(victim) as connection:
        connection.sendall(text)
        got = read_for(connection, 0.5)
    assert b"root:x:" not in got and b"\r\nSet-Cookie" not in got
    alive(victim)


def test_half_closed(victim, hand):
    """Who says that no more will come still has its answer."""
    with raw(victim) as connection:
        connection.sendall(post(hand))
        connection.shutdown(socket.SHUT_WR)
        got = read_for(connection, 5)
    assert got == b"" or got.startswith(b"HTTP/1.1 200")
    alive(victim)
