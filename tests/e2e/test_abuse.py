"""Clients that violate the protocols, fully or partly: the server answers what it can and keeps
running."""
import contextlib
import random
import select
import socket
import struct
import subprocess
import time

import httpx
import numpy as np
import pytest

from conftest import Server, eventually, read_for, reset_at_close, responses


@pytest.fixture(scope="module")
def victim():
    """A separate server, so that these tests do not affect others."""
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


def codes_of(answers):
    """The status of each response, in order; every byte must belong to a response."""
    codes = []
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        codes.append(int(head.split(b" ")[1]))
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert head.startswith(b"HTTP/1.1 ") and len(rest) >= length
        answers = rest[length:]
    return codes


@pytest.mark.parametrize("gap", [0, 0.002, 0.02])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_pipelined_pictures_are_answered_in_order(victim, hand, count, gap):
    """Each gets its response, in order (RFC 9112 section 9.3.2)."""
    with raw(victim) as connection:
        for _ in range(count):
            connection.sendall(post(hand))
            time.sleep(gap)
        assert codes_of(responses(connection, count)) == [200] * count
    alive(victim)


@pytest.mark.parametrize("bytes_of, codes", [
    (lambda hand: post(hand) * 3, [200] * 3),
    (lambda hand: GET + post(hand), [200] * 2),
    (lambda hand: GET + post(hand) + GET, [200] * 3),
    (lambda hand: post(hand) + GET, [200] * 2),
    (lambda hand: post(hand) + b"x" * 87 + b"\r\n\r\n", [200, 400]),
    (lambda hand: post(b"no picture") + b"x \n" * 1000, [415, 400]),
    (lambda hand: post(b"no picture") + GET, [415, 200]),
    (lambda hand: GET * 50, [200] * 50),
    (lambda hand: b"\r\n\r\n" + GET + b"\r\n" + GET, [200] * 2),
], ids=["three", "get-post", "get-post-get", "post-get", "junk", "bad-junk", "bad-get", "gets",
        "empty-lines"])
def test_requests_in_one_write(victim, hand, bytes_of, codes):
    with raw(victim) as connection:
        connection.sendall(bytes_of(hand))
        assert codes_of(responses(connection, len(codes))) == codes
    alive(victim)


def test_a_client_that_leaves_while_its_picture_is_processed(victim, hand):
    for linger in (False, True):
        for _ in range(5):
            connection = raw(victim)
            connection.sendall(post(hand))
            if linger:  # a reset instead of a regular close
                reset_at_close(connection)
            connection.close()
    alive(victim)


UPGRADE = (b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def frame(opcode, payload, fin=True, claimed=None):
    """A masked frame; `claimed` is the length in its header."""
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


# The bytes sent, and the code of the close frame that the server sends; 0: none, the connection
# stays open.
@pytest.mark.parametrize("bytes_of, code", [
    (lambda hand: frame(2, b"x" * 100, claimed=1 << 40), 1009),
    (lambda hand: frame(2, b"x" * 100, claimed=(1 << 63) - 1), 1009),
    (lambda hand: frame(2, b"x", claimed=(1 << 64) - 1), 1002),
    (lambda hand: frame(9, b"h" * 126), 1002),
    (lambda hand: frame(9, b"h", fin=False), 1002),
    (lambda hand: frame(0, b"h"), 1002),
    (lambda hand: frame(3, b"x"), 1002),
    (lambda hand: frame(11, b"x"), 1002),
    (lambda hand: frame(1, b"\xff\xfe"), 1007),
    (lambda hand: frame(1, b"\xc3", fin=False) + frame(0, b"\x28"), 1007),
    (lambda hand: frame(2, b"") + frame(1, b""), 0),
    (lambda hand: frame(2, b"", fin=False) + frame(0, b"", fin=False) + frame(0, b""), 0),
    (lambda hand: frame(2, b"a", fin=False) + frame(1, b"b"), 1002),
    (lambda hand: frame(8, b"\x03") + frame(2, hand), 1002),
    (lambda hand: frame(8, b"\x03\xe8bye") + frame(2, hand), 1000),
    (lambda hand: frame(8, b"") + frame(2, hand), None),
    (lambda hand: frame(8, b"\x03\xed"), 1002),
    (lambda hand: frame(8, b"\x03\xe8\xff"), 1007),
    (lambda hand: b"\xf2\x81\x01\x02\x03\x04x", 1002),
    (lambda hand: b"\xc2\x81\x01\x02\x03\x04x", 1002),
    (lambda hand: b"\x82\x05hello", 1002),
    (lambda hand: b"\x82\xfe\x00\x05\0\0\0\0hello", 1002),
    (lambda hand: b"\x82\xff" + struct.pack(">Q", 300) + bytes(304), 1002),
    (lambda hand: frame(2, b"x" * 5_000_000), 1009),
])
def test_broken_websocket_frames(victim, hand, bytes_of, code):
    for together in (True, False):
        with raw(victim) as connection:
            connection.settimeout(30)
            with contextlib.suppress(ConnectionError):
                if together:
                    connection.sendall(UPGRADE + bytes_of(hand))
                else:
                    connection.sendall(UPGRADE)
                    time.sleep(0.02)
                    connection.sendall(bytes_of(hand))
                if code == 0:
                    connection.sendall(frame(9, b"the end"))
            seen = frames_until(connection, CLOSE if code != 0 else PONG)
        closes = [payload for first, payload in seen if first == CLOSE]
        if code == 0:
            assert closes == [] and (PONG, b"the end") in seen
        else:
            assert len(closes) == 1
            assert closes[0][:2] == (struct.pack(">H", code) if code else b"")
        alive(victim)


PONG, CLOSE = 0x8a, 0x88  # the first byte of a complete frame


def frames_until(connection, last):
    """The server's frames up to the first of that kind, and those that follow immediately."""
    got, seen = bytearray(), []
    with contextlib.suppress(ConnectionError):
        while b"\r\n\r\n" not in got:
            got.extend(connection.recv(4096) or b"\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 101 ")
        del got[:got.index(b"\r\n\r\n") + 4]
        while not seen or seen[-1][0] != last:
            seen.append(next_frame(connection, got))
        got.extend(read_for(connection, 0.05))
    return seen + list(frames_of(got))


def frames_of(got):
    """Parses the server's bytes into frames."""
    at = 0
    while at + 2 <= len(got):
        size, head = got[at + 1] & 127, 2
        if size == 126:
            size, head = struct.unpack(">H", got[at + 2:at + 4])[0], 4
        elif size == 127:
            size, head = struct.unpack(">Q", got[at + 2:at + 10])[0], 10
        yield got[at], bytes(got[at + head:at + head + size])
        at += head + size


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
     b"HTTP/1.1 101 "),
    (upgrade(b"Version: 13", b"Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; "
             b"client_max_window_bits"), b"HTTP/1.1 101 "),
    (upgrade(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""), b"HTTP/1.1 400 "),
    (upgrade(b"dGhlIHNhbXBsZSBub25jZQ==", b"A" * 500), b"HTTP/1.1 400 "),
    (upgrade(b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="), b"HTTP/1.1 400 "),
    (upgrade(b"Version: 13", b"Version: 13\r\nSec-WebSocket-Protocol: other.v9"),
     b"HTTP/1.1 400 "),
    (upgrade(b"Connection: Upgrade", b"Connection: keep-alive, Upgrade"), b"HTTP/1.1 101 "),
], ids=["old-version", "no-version", "long-offer", "deflate-offer", "no-key", "long-key",
        "short-key", "other-protocol", "connection-list"])
def test_handshakes(victim, text, start):
    """The server accepts no offer of compression, so there is no bomb to decompress."""
    with raw(victim) as connection:
        connection.sendall(text)
        head = read_for(connection, 0.5)
    assert head.startswith(start)
    assert b"sec-websocket-extensions" not in head.split(b"\r\n\r\n")[0].lower()
    if start.startswith(b"HTTP/1.1 426"):
        assert b"sec-websocket-version: 13" in head.lower()


def test_a_flood_of_pings_and_of_empty_pieces(victim, hand):
    """The cost falls on the flooder; another client is served all the time."""
    with victim.v1() as other, raw(victim) as connection:
        connection.sendall(UPGRADE)
        assert connection.recv(4096).startswith(b"HTTP/1.1 101")
        for number in range(1, 6):
            connection.sendall(frame(9, b"payload") * 2000)
            other.send(struct.pack("<BBHIQ", 1, 0, 16, number, 0) + hand)
            assert other.recv(timeout=60)[4] == number
        connection.sendall(frame(2, b"", fin=False) + frame(0, b"", fin=False) * 20000)
        other.send(struct.pack("<BBHIQ", 1, 0, 16, 6, 0) + hand)
        assert other.recv(timeout=60)[4] == 6
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
    """The server refuses requests that two servers could parse differently, and reads nothing after
    them."""
    with raw(victim) as connection:
        connection.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\n" + head + SMUGGLED)
        got = read_for(connection, 5)
    assert codes_of(got) in ([400], [413], [501]) and b"lacquer_" not in got
    alive(victim)


@pytest.mark.parametrize("text, codes", [
    (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    (b"GET /%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    (b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    (b"GET /healthz%00.jpg HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    (b"GET /healthz%zz HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    (b"GET /app.js%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    (b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nAccept: \xff\xff\r\n\r\n", [200]),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(900))
     + b"\r\n", [431]),
    (b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", [505]),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, [400]),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    (b"GET /healthz HTTP/1.1\nHost: x\n\n", [400]),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", [400]),
    (b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", [400]),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX(y): a\r\n\r\n", [400]),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", [400]),
    (b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    (b"GET /healthz\r\n\r\n", [400]),
], ids=["bytes", "overlong", "up", "up-coded", "nul", "escape", "split", "accept", "many",
        "version",
        "tls", "http2", "bare-lf", "folded", "blank-colon", "name", "control", "blanks", "http09"])
def test_unusual_requests(victim, text, codes):
    with raw(victim) as connection:
        connection.sendall(text)
        got = responses(connection, 1)
    if codes != [200]:
        assert codes_of(got) == codes
    assert b"root:x:" not in got and b"\r\nSet-Cookie" not in got
    alive(victim)


def test_half_closed(victim, hand):
    """A client that shuts down its sending side still gets its response."""
    with raw(victim) as connection:
        connection.sendall(post(hand))
        connection.shutdown(socket.SHUT_WR)
        got = read_for(connection, 5)
    assert codes_of(got) == [200]
    alive(victim)


# ---- pieces


def sent_in_pieces(connection, data, size=1):
    for at in range(0, len(data), size):
        connection.sendall(data[at:at + size])


def test_a_request_byte_by_byte(victim):
    """Header names, the empty line and the body are split at every position."""
    body = b"no picture"
    with raw(victim) as connection:
        sent_in_pieces(connection, post(body))
        assert codes_of(responses(connection, 1)) == [415]
    with raw(victim) as connection:
        sent_in_pieces(connection, UPGRADE)
        assert connection.recv(4096).startswith(b"HTTP/1.1 101 ")
        sent_in_pieces(connection, frame(9, b"still here?"))
        assert read_for(connection, 0.5).endswith(b"\x8a\x0bstill here?")
    alive(victim)


V1 = UPGRADE.replace(b"Version: 13", b"Version: 13\r\nSec-WebSocket-Protocol: lacquer.v1")


def v1_message(number, picture):
    return struct.pack("<BBHIQ", 1, 0, 16, number, 0) + picture


def next_frame(connection, got):
    """The next WebSocket frame: its first byte and its payload; `got` keeps the bytes after it."""
    def need(count):
        while len(got) < count:
            piece = connection.recv(65536)
            assert piece, "the server ended the connection"
            got.extend(piece)
    need(2)
    size, head = got[1] & 127, 2
    if size == 126:
        need(4)
        size, head = struct.unpack(">H", got[2:4])[0], 4
    elif size == 127:
        need(10)
        size, head = struct.unpack(">Q", got[2:10])[0], 10
    need(head + size)
    first, payload = got[0], bytes(got[head:head + size])
    del got[:head + size]
    return first, payload


def v1_opened(connection):
    connection.sendall(V1)
    got = bytearray()
    while b"\r\n\r\n" not in got:
        got.extend(connection.recv(4096))
    assert got.startswith(b"HTTP/1.1 101 ")
    del got[:got.index(b"\r\n\r\n") + 4]
    assert b'"hello"' in next_frame(connection, got)[1]
    return got


def test_control_frames_between_the_pieces_of_a_picture(victim, hand):
    """Each ping is answered, and the picture stays intact (RFC 6455 section 5.4)."""
    message = v1_message(7, hand)
    step = len(message) // 20 + 1
    pieces = [message[at:at + step] for at in range(0, len(message), step)]
    with raw(victim) as connection:
        connection.settimeout(30)
        got = v1_opened(connection)
        for number, piece in enumerate(pieces):
            connection.sendall(frame(0 if number else 2, piece, fin=piece is pieces[-1]))
            if piece is not pieces[-1]:
                connection.sendall(frame(10, b"unasked") + frame(9, b"%d" % number))
                assert next_frame(connection, got) == (0x8a, b"%d" % number)
        first, reply = next_frame(connection, got)
        assert first & 15 == 2 and struct.unpack("<I", reply[4:8]) == (7,)
    alive(victim)


def test_a_message_in_pieces_of_one_byte(victim, hand):
    """The cost falls on the sender: another client is served all the time, the message arrives
    complete, and a fragmented message above the size limit is refused with the reason."""
    one = [frame(0, bytes([value]), fin=False) for value in range(256)]
    message = v1_message(9, hand[:50_000])
    with victim.v1() as other, raw(victim) as connection:
        connection.settimeout(30)
        got = v1_opened(connection)
        connection.sendall(frame(2, message[:1], fin=False))
        for number, at in enumerate(range(1, len(message), 10_000), 1):
            connection.sendall(b"".join(one[value] for value in message[at:at + 10_000]))
            other.send(v1_message(number, hand))
            assert other.recv(timeout=60)[4] == number
        connection.sendall(frame(0, b""))
        first, reply = next_frame(connection, got)
        assert struct.unpack("<I", reply[4:8]) == (9,) or b'"id":9' in reply
        connection.sendall(frame(2, b"x", fin=False))  # what exceeds 4 MiB is read and discarded
        for last in range(100):
            connection.sendall(frame(0, bytes(50_000), fin=last == 99))
        first, reply = next_frame(connection, got)
        assert first == 0x88 and reply.startswith(b"\x03\xf1")  # 1009
        other.send(v1_message(99, hand))
        assert other.recv(timeout=60)[4] == 99
    alive(victim)


# ---- long polling

POLL = "/socket.io/?EIO=4&transport=polling"


def opened_poll(server):
    return httpx.get(server.url + POLL).headers["x-engineio-sid"]


def poll_sessions(server):
    return server.metric('lacquer_sessions{transport="socketio"}')


def waiting_poll(server, sid):
    connection = raw(server)
    connection.sendall(f"GET {POLL}&sid={sid} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


def test_two_polls_of_one_session(victim):
    """The second replaces the first, and each message goes to only one of them."""
    sid = opened_poll(victim)
    with waiting_poll(victim, sid) as first:
        time.sleep(0.3)
        with waiting_poll(victim, sid) as second:
            assert responses(first, 1).endswith(b"\r\n\r\n6")
            assert httpx.post(f"{victim.url}{POLL}&sid={sid}", content="40").text == "ok"
            assert b'40{"sid":' in second.recv(4096)
    assert httpx.post(f"{victim.url}{POLL}&sid={sid}", content="1").text == "ok"
    alive(victim)


def no_more_open(victim, before):
    assert eventually(lambda: victim.descriptors().total() <= before)


def test_aborted_polls_cost_nothing(victim):
    """A thousand aborted polls, some of them reset, do not harm their session: it still exists, and
    no descriptor leaks."""
    sid, before = opened_poll(victim), victim.descriptors().total()
    for number in range(1000):
        with waiting_poll(victim, sid) as connection:
            if number % 3 == 0:
                reset_at_close(connection)
    # A client that only stops sending is held until the next ping, because it may still read; a
    # newer poll replaces it. Of two polls, the one that the server reads last waits, unless it
    # reads one of the thousand later.
    answered = [None, None]
    while len(answered) == 2:
        with waiting_poll(victim, sid) as one, waiting_poll(victim, sid) as other:
            time.sleep(0.3)
            answered = select.select([one, other], [], [], 10)[0]
            assert all(responses(each, 1).endswith(b"\r\n\r\n6") for each in answered)
            reset_at_close(other if one in answered else one)
    # A response that the server sends before it notices the last disconnection is lost with it.
    no_more_open(victim, before)
    assert httpx.post(f"{victim.url}{POLL}&sid={sid}", content="40").text == "ok"
    assert "40{" in httpx.get(f"{victim.url}{POLL}&sid={sid}", timeout=60).text
    assert httpx.post(f"{victim.url}{POLL}&sid={sid}", content="1").text == "ok"
    no_more_open(victim, before)
    assert poll_sessions(victim) == 0


def test_sessions_opened_and_left(victim):
    """A client that opens and ends a thousand sessions occupies no place afterwards."""
    with httpx.Client(base_url=victim.url) as client:
        for _ in range(1000):
            sid = client.get(POLL).headers["x-engineio-sid"]
            assert client.post(f"{POLL}&sid={sid}", content="1").text == "ok"
            assert client.get(f"{POLL}&sid={sid}").status_code == 400
    assert poll_sessions(victim) == 0


# ---- other parts of HTTP


@pytest.mark.parametrize("line, code", [
    (b"HEAD " + POLL.encode(), 400), (b"TRACE /", 405),
    (b"CONNECT 127.0.0.1:22", 405), (b"CONNECT /healthz", 405), (b"OPTIONS *", 405),
    (b"PROPFIND /", 501), (b"get /", 501), (b"GET http://elsewhere.example/healthz", 200),
    (b"GET healthz", 400), (b"GET *", 400),
    (b"GET //healthz", 404), (b"GET /healthz?" + b"a" * 5000, 200),
    (b"GET /" + b"a" * 20000, 414), (b"GET /healthz#x", 400),
], ids=lambda value: value[:16].decode() if isinstance(value, bytes) else "")
def test_unusual_methods_and_targets(victim, line, code):
    """Each gets its response at once; nothing is sent back that a page could read (TRACE), no other
    server is contacted (CONNECT), and a HEAD opens no session."""
    before = poll_sessions(victim)
    with raw(victim) as connection:
        connection.sendall(line + b" HTTP/1.1\r\nHost: x\r\nX-Secret: hidden-word\r\n\r\n")
        headed = line.startswith(b"HEAD ")  # its Content-Length is that of a body which is not sent
        got = read_for(connection, 1) if headed else responses(connection, 1)
    assert b"hidden-word" not in got
    assert got.startswith(b"HTTP/1.1 %d " % code), got[:200]
    assert poll_sessions(victim) == before
    alive(victim)


@pytest.mark.parametrize("head, codes", [
    (b"Host: evil.example\r\nX-Forwarded-Host: evil.example\r\n", (200,)),
    (b"Host: a\r\nHost: b\r\n", (400,)), (b"", (400,)),
    (b"Host: " + b"a" * 3000 + b"\r\n", (200, 400)), (b"Host: x\"><script>\r\n", (400,)),
    (b"Host: x@y:99999\r\n", (400,)),
], ids=["other", "two", "none", "long", "markup", "port"])
def test_names_of_hosts_change_nothing(victim, head, codes):
    """No response depends on Host, so neither a cache nor a link can be poisoned."""
    with raw(victim) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + head + b"\r\n")
        got = responses(connection, 1)
    assert int(got.split(b" ")[1]) in codes, got[:100]
    assert b"evil.example" not in got and b"<script>\r" not in got
    assert b"location:" not in got.lower()
    alive(victim)


@pytest.mark.parametrize("span", [
    "bytes=0-0", "bytes=-1", "bytes=9-1", "bytes=0-18446744073709551615", "lines=1",
    "bytes=" + ",".join(["0-"] * 1300)])
def test_ranges_are_not_served(victim, span):
    """The whole file, as a server may send it (RFC 9110 section 14.2): thousands of ranges cost
    nothing."""
    whole = httpx.get(f"{victim.url}/ui/app.js")
    asked = httpx.get(f"{victim.url}/ui/app.js", headers={"Range": span})
    assert asked.status_code == 200 and asked.content == whole.content


@pytest.mark.parametrize("token", [b"h2c", b"TLS/1.0", b"h2c, websocket/7", b"foo/2"])
@pytest.mark.parametrize("path, code", [(b"/healthz", 200), (b"/", 200), (b"/ws", 404)])
def test_other_upgrades_are_ignored(victim, token, path, code):
    """As curl --http2 and Java's HttpClient send them: the request is answered as HTTP/1.1 (RFC
    9110 section 7.8), and what an HTTP/2 client would send next is not a valid request."""
    with raw(victim) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, "
                           b"HTTP2-Settings\r\nUpgrade: " + token +
                           b"\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n")
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0")
        assert codes_of(responses(connection, 2)) == [code, 505]
    alive(victim)


def test_curl_asking_for_http_2(victim):
    for args in (["--http2"], ["--http2", "--data", "x"], ["--http2", "-T", "-"]):
        done = subprocess.run(["curl", "-sS", "-m", "10", "-o", "/dev/null", "-w",
                               "%{http_version} %{http_code}", *args, f"{victim.url}/healthz"],
                              capture_output=True, text=True, timeout=60, input="x")
        assert done.stdout in ("1.1 200", "1.1 405"), (args, done)
    alive(victim)


def test_connect_does_not_hold_a_connection(victim):
    """The server responds and closes the connection, whatever follows."""
    before = victim.descriptors().total()
    for _ in range(50):
        with raw(victim) as connection:
            connection.sendall(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n" + b"x" * 1000)
            assert codes_of(responses(connection, 1)) == [405]
    no_more_open(victim, before)


def test_expect_100_continue(victim, hand):
    """Clients that wait for 100 Continue (curl, for large bodies) get it at once; a client whose
    body is refused gets the error instead."""
    head, body = post(hand).split(b"\r\n\r\n", 1)
    with raw(victim) as connection:
        connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert codes_of(responses(connection, 1)) == [200]
    with raw(victim) as connection:
        connection.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                           b"Expect: 100-continue\r\n\r\n")
        assert codes_of(responses(connection, 1)) == [405]
    with raw(victim) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n")
        assert codes_of(responses(connection, 1)) == [417]
    alive(victim)


def chunked(body, size):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + size]), body[at:at + size])
                    for at in range(0, len(body), size)) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [1000, 65536, 7])
def test_a_picture_in_chunks(victim, hand, size):
    head = (b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
    with raw(victim) as connection:
        connection.sendall((head + chunked(hand, size) + GET))
        assert codes_of(responses(connection, 2)) == [200, 200]
    alive(victim)


# crosses: BODY_BYTES_MAX
def test_chunks_beyond_the_limit(victim):
    with raw(victim) as connection:
        connection.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(300):
                connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
        assert read_for(connection, 3).startswith(b"HTTP/1.1 413 ")
    alive(victim)
