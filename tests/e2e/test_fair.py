"""One address sends more work than the machine can do: others notice little; that address waits or
is asked to.

Live replies are judged by their rate during the flood relative to the rate before it, because both
are lower on a slow or busy machine; and over a fixed number of replies, however long they take."""
import base64
import contextlib
import functools
import http.client
import io
import json
import socket
import struct
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from conftest import HANDS, ROOT, Reply, Server, eventually, frame, plain
from test_busy import slow_model

USER, FLOOD, NEWCOMER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
SHARE = 2 / 3


def large_hand(megapixels):
    picture = Image.open(HANDS / "light.jpg").convert("RGB")
    side = int((megapixels * 1e6 / (picture.width * picture.height)) ** 0.5 * picture.width)
    out = io.BytesIO()
    picture.resize((side, side * picture.height // picture.width)).save(
        out, "JPEG", quality=80, progressive=True)
    return out.getvalue()


def multipart(*fields):
    """A body and its headers; fields are (name, value) with a value of text or of a picture."""
    body = b""
    for name, value in fields:
        extra = "" if isinstance(value, str) else '; filename="x.jpg"'
        body += (f'--b\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n').encode()
        body += (value.encode() if isinstance(value, str) else value) + b"\r\n"
    return body + b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


class Answer:
    def __init__(self, response):
        self.status_code, self.headers = response.status, response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


def post_from(server, address, body, headers, path="/api/process"):
    """The response to one request on a connection of its own. (httpx needs too long for one.)"""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, 60, (address, 0))
    with contextlib.closing(connection):
        connection.request("POST", path, body, headers)
        return Answer(connection.getresponse())


class User(threading.Thread):
    """A live session that sends a frame every 125 ms, or later when the previous one has its
    reply."""

    EVERY_S = .125

    def __init__(self, server, address, picture, make_frame=frame):
        super().__init__(daemon=True)
        self.server, self.address, self.picture = server, address, picture
        self.replies, self.told, self.done = [], [], threading.Event()
        self.make_frame = make_frame

    def run(self):
        number = 0
        with self.server.v1(source_address=(self.address, 0)) as ws:
            while not self.done.is_set():
                number += 1
                began = time.monotonic()
                ws.send(self.make_frame(number, self.picture))
                reply = ws.recv(timeout=60)
                now = time.monotonic()
                (self.replies if isinstance(reply, bytes) else self.told).append(now)
                time.sleep(max(0, self.EVERY_S - (now - began)))

    def rate(self, start, end):
        return sum(start <= at < end for at in self.replies) / (end - start)

    def next(self, count):
        """Its rate over that many further replies."""
        already, begun = len(self.replies), time.monotonic()
        assert eventually(lambda: len(self.replies) >= already + count or not self.is_alive(), 120)
        assert self.is_alive(), self.told
        first = self.replies[already - 1] if already else begun
        return count / (self.replies[already + count - 1] - first)

    def stop(self):
        self.done.set()
        self.join(60)


class Greedy(User):
    """A session that sends the next frame once it has the reply, and soon after a refusal."""

    EVERY_S = .02


class Flood:
    """That many posts in flight at once from one address, each repeated when it has its
    response."""

    def __init__(self, server, address, count, body, headers):
        self.answers, self.odd, self.done = [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True,
                                         args=(server, address, body, headers))
                        for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, server, address, body, headers):
        while not self.done.is_set():
            try:
                answer = post_from(server, address, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self.odd.append(error)  # refused while the body was still being sent
                time.sleep(.2)
                continue
            self.answers.append((answer.status_code, answer.headers.get("retry-after")))
            if answer.status_code != 200:
                time.sleep(.2)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join(60)


def on_a_shared_machine(test):
    """Tries up to three times, because other load of those seconds is not the server's fault. A
    server that can be flooded fails each time: its users get a tenth or less."""
    @functools.wraps(test)
    def trying(*args, **kwargs):
        for left in (2, 1, 0):
            try:
                return test(*args, **kwargs)
            except AssertionError:
                if left == 0:
                    raise
    return trying


@pytest.mark.parametrize("workers", [1, 4])
@on_a_shared_machine
def test_a_flood_of_heavy_stills_leaves_live_users_their_replies(hand, workers):
    server = Server("--log-level", "warn", "--workers", str(workers), "--max-wait", "60000",
                    "--max-sessions-per-address", "32")
    body, headers = multipart(("closer", "1"), ("image", large_hand(8)))
    user, neighbour = User(server, USER, hand), User(server, FLOOD, hand)
    user.start()
    neighbour.start()
    try:
        user.next(4)
        before = user.next(20)
        flood = Flood(server, FLOOD, 24, body, headers)
        assert eventually(lambda: flood.answers or flood.odd)  # more than may wait
        full = time.monotonic()
        during = user.next(32)
        came = time.monotonic()
        newcomer = User(server, NEWCOMER, hand)
        newcomer.start()
        newcomer.next(4)
        settled = time.monotonic()
        newcomer.next(16)
        end = time.monotonic()
        newcomer.stop()
        flood.stop()
        # The machine may have become busy with something else.
        before = min(before, user.next(20))
        user.stop()
        neighbour.stop()
        assert during >= SHARE * before, (before, during)
        # Live sessions at the flood's own address continue as well, and new ones are admitted.
        assert neighbour.rate(full, came) >= during / 2, (during, neighbour.told)
        assert newcomer.rate(settled, end) >= user.rate(settled, end) / 2, newcomer.told
        codes = {code for code, _ in flood.answers}
        assert codes <= {200, 429, 503} and codes & {429, 503}
        assert all(int(retry) >= 1 for code, retry in flood.answers if code != 200)
        assert any(code == 200 for code, _ in flood.answers)  # it is scheduled, too
    finally:
        assert server.stop()[0] == 0


@on_a_shared_machine
def test_large_live_frames_of_one_address_do_not_delay_others(hand):
    """A live frame of many pixels occupies a worker as long as a still does."""
    server = Server("--log-level", "warn", "--workers", "2", "--max-wait", "60000")
    large = large_hand(15)
    assert len(large) < 4 << 20
    user = User(server, USER, hand)
    user.start()
    try:
        user.next(4)
        before = user.next(20)
        greedy = [User(server, FLOOD, large) for _ in range(6)]
        for each in greedy:
            each.start()
        assert eventually(lambda: any(each.replies or each.told for each in greedy))
        during = user.next(32)
        # A picture, or the error that it is too old.
        assert eventually(lambda: all(each.replies or each.told for each in greedy))
        for each in greedy:
            each.stop()
        before = min(before, user.next(20))
        user.stop()
        assert during >= SHARE * before, (before, during)
    finally:
        assert server.stop()[0] == 0


@on_a_shared_machine
def test_many_live_sessions_of_one_address_leave_others_their_place(tmp_path):
    """More videos than the machine can process: a client of another address is admitted
    nevertheless, and the addresses take turns."""
    server = Server("--log-level", "warn", "--engine", "replay", "--workers", "1", "--model",
                    slow_model(tmp_path, 40), "--no-carrying")
    try:
        alone = User(server, USER, plain())
        alone.start()
        alone.next(2)
        before = alone.next(20)
        alone.stop()
        flood = [Greedy(server, FLOOD, plain()) for _ in range(10)]
        for each in flood:
            each.start()
        assert eventually(lambda: any(each.told for each in flood))  # there is no capacity left
        newcomer = User(server, NEWCOMER, plain())
        newcomer.start()
        newcomer.next(4)
        came = time.monotonic()
        during = newcomer.next(32)
        theirs = sum(each.rate(came, time.monotonic()) for each in flood)
        for each in [newcomer, *flood]:
            each.stop()
        assert during >= SHARE * before, (before, newcomer.told)
        assert theirs >= during / 2
    finally:
        assert server.stop()[0] == 0


# crosses: ADDRESS_STILLS_MAX
def test_stills_of_an_address(tmp_path):
    """Eight wait or are processed; the next gets a time to retry, and other addresses are
    admitted."""
    server = Server("--log-level", "warn", "--engine", "replay", "--workers", "1", "--model",
                    slow_model(tmp_path, 1000), "--max-sessions-per-address", "32")
    picture, headers = plain(), {"Content-Type": "image/jpeg"}
    with contextlib.ExitStack() as stack:
        posts = []
        for address in [FLOOD] * 12 + [NEWCOMER]:  # all sent before the first is done
            post = http.client.HTTPConnection("127.0.0.1", server.port, 60, (address, 0))
            stack.callback(post.close)
            post.request("POST", "/api/v1/nails", picture, headers)
            posts.append(post)
        *answers, other = [Answer(post.getresponse()) for post in posts]
        assert other.status_code == 200
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] * 8 + [429] * 4
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1 and refused.json()["status"] == "RATE"
    assert server.stop()[0] == 0


@pytest.mark.parametrize("name", ["multiscale", "closer"])
@pytest.mark.parametrize("path", ["/api/process", "/api/process_base64"])
def test_a_hidden_multiscale_pass_is_found(server, hand, path, name):
    """Costs are estimated from a body's start and end; the worker finds what that misses, and the
    client gets the same response."""
    if path == "/api/process":
        junk = ("junk", "x" * 300_000)
        plain_body, headers = multipart((name, "1"), ("image", hand))
        hidden, _ = multipart(junk, ("image", hand), (name, "1"), junk)
    else:
        headers = {"Content-Type": "application/json"}
        image = base64.b64encode(hand).decode()
        plain_body = json.dumps({"image": image, name: True}).encode()
        escaped = f'"\\u{ord(name[0]):04x}{name[1:]}"'
        hidden = plain_body.replace(f'"{name}"'.encode(), escaped.encode())
    answers = [httpx.post(server.url + path, content=body, headers=headers, timeout=60)
               for body in (plain_body, hidden)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["nails"] == answers[1].json()["nails"]
    assert answers[0].json()["image"] == answers[1].json()["image"]


# ---- memory

LIMIT = 32 << 20


def test_memory_of_every_kind_of_message_is_counted():
    """Half a Socket.IO message, half a body of long polling, half a form: each uses up the budget,
    its senders are disconnected, and a user of another address is served."""
    server = Server("--max-frame-memory", "32", "--log-level", "error", "--max-wait", "60000",
                    "--max-sessions-per-address", "64")
    part = bytes((4 << 20) - 10000)

    def raw():
        return socket.create_connection(("127.0.0.1", server.port), 10, (FLOOD, 0))

    def half_a_message():
        connection = raw()
        connection.sendall(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"
                           b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
                           b"dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        connection.recv(4096)
        connection.sendall(b"\x82\xff" + struct.pack(">QI", 4 << 20, 0) + part)
        return connection

    def half_a_poll():
        path = "/socket.io/?EIO=4&transport=polling"
        connection = raw()
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = b""
        while b"}" not in answer:
            answer += connection.recv(4096)
        if b" 200 " not in answer:  # nothing more is accepted from there
            return connection
        sid = answer.split(b'"sid":"')[1].split(b'"')[0].decode()
        connection.sendall(f"POST {path}&sid={sid} HTTP/1.1\r\nHost: x\r\n"
                           f"Content-Length: {4 << 20}\r\n\r\n".encode() + part)
        return connection

    def half_a_form():
        connection = raw()
        connection.sendall(f"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\n"
                           f"Content-Length: {4 << 20}\r\n\r\n".encode() + part)
        return connection

    for way in (half_a_message, half_a_poll, half_a_form):
        before, held = server.rss_kib(), []
        for _ in range(20):  # 80 MB
            with contextlib.suppress(OSError):
                held.append(way())
        time.sleep(.5)
        counted = server.metric("lacquer_frame_memory_bytes")
        assert LIMIT / 2 < counted < 2 * LIMIT, way.__name__
        assert server.rss_kib() - before < 2 * (LIMIT >> 10) + 20000, way.__name__
        with server.v1(source_address=(USER, 0)) as good:
            good.send(frame(1, plain()))
            assert Reply(good.recv(timeout=30)).id == 1
        for connection in held:
            connection.close()
        assert eventually(lambda: server.metric("lacquer_frame_memory_bytes") < 1 << 20), \
            way.__name__
    assert LIMIT / 2 < server.metric("lacquer_frame_memory_high_bytes") < 2 * LIMIT
    assert server.stop()[0] == 0


@pytest.mark.parametrize("path", ["/api/process", "/ws", "/socket.io/"])
def test_memory_of_unread_replies(path):
    """Painted replies of megabytes for clients that read none of them: they count until they are on
    the wire, and no more are painted than there is memory for."""
    server = Server("--max-frame-memory", "32", "--log-level", "error", "--max-wait", "60000",
                    "--max-sessions-per-address", "64", "--workers", "2", "--model",
                    str(ROOT / "tests" / "fixtures" / "tiny_map.onnx"))
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (1500, 1500, 3), np.uint8))
    out = io.BytesIO()
    # Larger than the kernel's socket buffer if only one reply is sent.
    noise.save(out, "PNG" if path == "/api/process" else "JPEG", quality=90)
    picture, held = out.getvalue(), []
    body, headers = multipart(("image", picture))
    upgrade = (b"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")

    def message(first, data):
        length = (bytes([0x80 | len(data)]) if len(data) < 126
                  else b"\xff" + struct.pack(">Q", len(data)))
        return bytes([first]) + length + bytes(4) + data

    def asked():
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.bind((FLOOD, 0))
        connection.settimeout(10)
        connection.connect(("127.0.0.1", server.port))
        held.append(connection)
        if path == "/api/process":
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                               f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
        elif path == "/ws":
            connection.sendall(upgrade % b"/ws" + message(0x82, picture) * 4)
        else:
            event = message(0x81, b'451-["frame",{"_placeholder":true,"num":0}]')
            connection.sendall(upgrade % b"/socket.io/?EIO=4&transport=websocket"
                               + message(0x81, b"40") + (event + message(0x82, picture)) * 4)

    before = server.rss_kib()
    for _ in range(60):  # 180 MB of replies and more
        with contextlib.suppress(OSError):
            asked()
        time.sleep(.05)
    # A busy machine takes its time to paint them.
    assert eventually(lambda: server.metric("lacquer_frame_memory_bytes") > LIMIT / 4)
    grown = server.rss_kib() - before
    # Two workers each fill a picture and a reply more; a buffer that grows is up to twice as large.
    most = max(2 * LIMIT, LIMIT + 2 * 2 * 2 * len(picture))
    assert server.metric("lacquer_frame_memory_bytes") < most
    assert grown < 3 * (LIMIT >> 10) + 60000, grown  # two further pictures are being processed
    with server.v1(source_address=(USER, 0)) as good:
        good.send(frame(1, plain()))
        assert Reply(good.recv(timeout=30)).id == 1
    for connection in held:
        connection.close()
    assert server.stop()[0] == 0


def test_a_large_picture_is_counted_while_it_is_processed():
    """A PNG of one colour: small when it arrives, 48 MB while it is processed."""
    server = Server("--log-level", "error", "--workers", "2")
    out = io.BytesIO()
    Image.new("RGB", (4000, 4000), (200, 160, 140)).save(out, "PNG")
    reply = httpx.post(f"{server.url}/api/v1/nails", content=out.getvalue(), timeout=60)
    assert reply.status_code == 200
    assert server.metric("lacquer_frame_memory_high_bytes") > 48_000_000
    assert eventually(lambda: server.metric("lacquer_frame_memory_bytes") == 0)
    assert server.stop()[0] == 0
