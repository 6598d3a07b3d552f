"""Clients that break the rules, or only bend them: the server answers what it can and lives on."""
import random
import socket
import struct
import time

import httpx
import numpy as np
import pytest

from conftest import Server


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


def read_for(connection, seconds):
    connection.settimeout(seconds)
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except (TimeoutError, ConnectionError):
        pass
    return got


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
