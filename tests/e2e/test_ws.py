"""/ws with and without lacquer.v1: replies, order, the newest frame, separate users, memory."""
import contextlib
import json
import socket
import struct
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image, ImageFilter
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from conftest import (NO_NAILS, ROOT, SINGLE_PASS, Nails, Reply, Server, eventually, frame, jpeg,
                      mark_of, marked, pixels, plain)
from idle import measure


def test_bare_picture_in_painted_picture_out(server, hand):
    with server.socket() as ws:
        ws.send(hand)
        out = ws.recv(timeout=30)
        assert out[:2] == b"\xff\xd8"
        assert abs(pixels(out) - pixels(hand)).max() > 60


def test_bare_look(server, hand):
    with server.socket() as ws:
        pictures = []
        for color in ("#00ff00", "#ff0000"):
            ws.send(json.dumps({"color": color, "opacity": 1}))
            ws.send(hand)
            pictures.append(pixels(ws.recv(timeout=30)))
        green = pictures[0] - pictures[1]
        assert green[..., 1].max() > 100 and green[..., 0].min() < -100


def test_bare_error_is_text(server):
    with server.socket() as ws:
        ws.send(b"no picture")
        error = json.loads(ws.recv(timeout=60))
        assert error["type"] == "error" and error["status"] == "FORMAT" and "id" not in error
        ws.send(plain())
        assert isinstance(ws.recv(timeout=30), bytes)


def test_hello(server):
    with server.socket(subprotocols=["lacquer.v1"]) as ws:
        assert ws.subprotocol == "lacquer.v1"
        hello = json.loads(ws.recv(timeout=60))
        assert hello["type"] == "hello" and hello["in_flight"] == 2
        assert hello["replies"] == ["jpeg", "nails"] and hello["rate"] is hello["pace"] is True
        assert hello["message_bytes_max"] == 4 * 1024 * 1024 and "creme" in hello["finishes"]


def test_v1_reply(server, hand):
    with server.v1() as ws:
        ws.send(frame(7, hand, time=0xfedcba9876543210))
        reply = Reply(ws.recv(timeout=30))
        assert (reply.type, reply.header, reply.id) == (2, 64, 7)
        assert reply.time == 0xfedcba9876543210
        assert (reply.width, reply.height) == (640, 480)
        assert reply.nails > 0 and reply.quality == 85 and reply.replaced == 0
        stages = (reply.decode + reply.prepare + reply.infer + reply.nails_us + reply.paint
                  + reply.encode)
        assert 0 < stages <= reply.served - reply.queue
        assert pixels(reply.picture).shape == (480, 640, 3)


def test_v1_nails_reply(server, hand):
    """The shapes of /api/v1/nails and the mask of a painted reply, in 1 to 4 KB."""
    told = httpx.post(f"{server.url}/api/v1/nails", content=hand).json()
    with server.v1() as ws:
        ws.send(SINGLE_PASS)
        ws.send(frame(8, hand, want=1, time=99))
        data = ws.recv(timeout=30)
        reply = Reply(data)
        assert (reply.type, reply.header, reply.id, reply.time) == (3, 64, 8, 99)
        assert (reply.width, reply.height, reply.quality, reply.encode) == (640, 480, 0, 0)
        assert 1000 <= len(data) <= 4096
        found = Nails(reply)
        ws.send(json.dumps({"type": "look", "color": "#00ff00", "opacity": 1, "sheen": False}))
        ws.send(json.dumps({"type": "quality", "jpeg": 95}))
        ws.send(frame(9, hand))
        painted = Reply(ws.recv(timeout=30))
    assert painted.type == 2 and painted.nails == len(found.items) == len(told["nails"])
    for nail, want in zip(found.items, told["nails"]):
        assert nail.id > 0 and abs(nail.confidence / 255 - want["confidence"]) < 0.01
        assert nail.box == want["box"] and nail.scale == 1
        assert abs(nail.center_x - want["center"][0]) < 0.1
        assert abs(nail.axis_x ** 2 + nail.axis_y ** 2 - 1) < 1e-4
        assert abs(nail.length - want["length"]) < 0.1 and abs(nail.width - want["width"]) < 0.1
        assert 0 < nail.level <= 1 and 0 < nail.grey <= 1
        assert (nail.alpha >= 128).sum() == want["area"]
    assert 0.1 < found.exposure <= 1 and all(0.8 < c < 1.2 for c in found.tint)
    # Green polish is where the mask says, and nowhere else.
    mask = found.mask(640, 480)
    change = abs(pixels(painted.picture) - pixels(hand)).max(axis=2)
    assert change[mask == 255].min() > 40 and (change[mask == 0] > 60).mean() < 1e-3


def test_v1_nails_contain_how_soft_the_picture_is(server, hand):
    soft = jpeg(Image.fromarray(pixels(hand).astype(np.uint8))
                .filter(ImageFilter.GaussianBlur(1.6)), 95)
    widths = []
    for picture in hand, soft:
        with server.v1() as ws:
            ws.send(SINGLE_PASS)
            ws.send(frame(1, picture, want=1))
            widths.append([n.edge / 256 for n in Nails(Reply(ws.recv(timeout=30))).items])
    assert max(widths[0]) < 2.3 and min(widths[1]) > 2.8


def test_v1_nails_of_a_picture_without_a_hand(server):
    with server.v1() as ws:
        ws.send(frame(1, plain(), want=1))
        reply = Reply(ws.recv(timeout=30))
        assert reply.type == 3 and reply.nails == 0
        assert Nails(reply).items == [] and len(reply.picture) == 32
        ws.send(frame(2, b"no picture", want=1))
        assert json.loads(ws.recv(timeout=60))["id"] == 2


def played(ws, video):
    """The nails of each frame as {id: centre}, and the longest time between two replies."""
    seen, longest, last = [], 0, None
    for number, picture in enumerate(video, 1):
        nails = Nails(Reply(in_time(ws, number, picture))).items
        seen.append({nail.id: (nail.center_x, nail.center_y) for nail in nails})
        now = time.monotonic()
        longest, last = max(longest, now - (last or now)), now
    return seen, longest


@contextlib.contextmanager
def playing(server, video):
    """A session that has seen the video, and its nails. Where the machine was so busy that ids may
    have been forgotten between two frames (LQ_NAIL_FORGET_US), another session sees it."""
    for _ in range(5):
        with server.v1() as ws:
            seen, longest = played(ws, video)
            if longest < 0.7:
                yield ws, seen
                return
    pytest.fail(f"a frame of each of five videos took too long, the last one's {longest:.1f} s")


def test_nails_keep_their_ids_over_a_video(server):
    """Smoothed, or with smoothing off, exactly as detected in each single frame."""
    video = (ROOT / "tests" / "e2e" / "hand.mjpeg").read_bytes().split(b"\xff\xd8\xff")[1:13]
    video = [b"\xff\xd8\xff" + picture for picture in video]
    with playing(server, video) as (ws, seen):
        assert set.intersection(*(set(ids) for ids in seen)) >= set(list(seen[0])[:4])
        for before, after in zip(seen, seen[1:]):
            for one in before.keys() & after.keys():
                assert abs(before[one][0] - after[one][0]) < 15
        steady = Nails(Reply(send_again(ws, 20, video[-1]))).mask(640, 480)
        ws.send('{"type": "smoothing", "on": 1}')
        assert json.loads(ws.recv(timeout=60))["status"] == "FIELD"
        ws.send('{"type": "smoothing", "on": false}')
        bare = Reply(send_again(ws, 21, video[-1]))
        alone = httpx.post(f"{server.url}/api/v1/nails", content=video[-1]).json()["nails"]
        found = Nails(bare)
        assert [n.box for n in found.items] == [n["box"] for n in alone]
        assert [n["id"] for n in alone] == list(range(1, len(alone) + 1))
        assert {n.id for n in found.items} & set(seen[-1])
        assert (found.mask(640, 480) != steady).any()


def send_again(ws, number, picture):
    ws.send(frame(number, picture, want=1))
    return ws.recv(timeout=30)


def in_time(ws, number, picture):
    """The reply to a frame; if a busy machine drops it because it waited too long, it is sent
    again."""
    for _ in range(5):
        reply = send_again(ws, number, picture)
        if isinstance(reply, bytes):
            return reply
        assert json.loads(reply)["status"] == "TIMEOUT"
    raise AssertionError("five frames in a row came too late")


def test_longer_header_is_skipped(server):
    with server.v1() as ws:
        ws.send(frame(1, b"future" * 2 + plain(), header=28))
        assert Reply(ws.recv(timeout=30)).id == 1


def test_look_and_quality(server, hand):
    with server.v1() as ws:
        sizes = []
        for quality in (30, 95):
            ws.send(json.dumps({"type": "quality", "jpeg": quality}))
            ws.send(json.dumps({"type": "look", "color": "blue"}))
            ws.send(frame(quality, hand))
            reply = Reply(ws.recv(timeout=30))
            assert reply.quality == quality
            sizes.append(len(reply.picture))
        assert sizes[1] > 2 * sizes[0]


def test_a_bad_look_changes_nothing(server, hand):
    with server.v1() as ws:
        ws.send('{"type": "look", "color": "#00ff00"}')
        ws.send(frame(1, hand))
        before = pixels(Reply(ws.recv(timeout=30)).picture)
        ws.send('{"type": "look", "color": "#ff0000", "texture": 9}')
        assert json.loads(ws.recv(timeout=60))["status"] == "FIELD"
        ws.send(frame(2, hand))
        after = pixels(Reply(ws.recv(timeout=30)).picture)
    # Frames are detected in different ways, so outlines differ slightly.
    first, second = (stands_out(picture) for picture in (before, after))
    assert first[1] > 300 and second[1] > 300
    assert second[0] <= first[0] + first[1] / 4  # red; a red nail would have all of its pixels


def stands_out(picture):
    """How many pixels of a picture have much more red, green and blue than the rest."""
    return ((picture - (picture.sum(2, keepdims=True) - picture) / 2) > 60).sum((0, 1))


def test_fragmented_messages(server, hand):
    data = frame(3, hand)
    with server.v1() as ws:
        ws.send(data[i:i + 1000] for i in range(0, len(data), 1000))
        assert Reply(ws.recv(timeout=30)).id == 3


def test_the_newest_frame_wins(server, hand):
    """A burst gets replies for its first frame or two and for its last; never for one that was
    replaced by a newer one."""
    with server.v1() as ws:
        for number in range(1, 41):
            ws.send(frame(number, hand))
        replies = []
        while not replies or replies[-1].id != 40:
            replies.append(Reply(ws.recv(timeout=30)))
        ids = [reply.id for reply in replies]
        assert ids == sorted(ids) and len(ids) < 20
        # Every frame has a reply or counts as replaced.
        assert len(ids) + replies[-1].replaced == 40
        with pytest.raises(TimeoutError):
            ws.recv(timeout=0.3)


def test_nothing_is_lost_with_two_in_flight(server):
    """A client that respects the hello's in_flight gets a reply to every frame, in order."""
    with server.v1() as ws:
        ids, sent = [], 0
        while len(ids) < 100:
            while sent < 100 and sent - len(ids) < 2:
                sent += 1
                ws.send(frame(sent, plain(), time=sent * 3))
            reply = Reply(ws.recv(timeout=30))
            assert reply.time == reply.id * 3 and reply.replaced == 0
            ids.append(reply.id)
        assert ids == list(range(1, 101))


def test_replies_keep_their_order_with_many_workers(hand):
    """Frames of very different cost on four workers still return in the order in which they were
    sent."""
    running = Server("--workers", "4")
    try:
        with running.v1() as ws:
            settled = []
            for number in range(1, 41):
                ws.send(frame(number, hand if number % 2 else plain(size=(32, 32))))
                if number - (settled[-1] if settled else 0) >= 2:
                    settled.append(Reply(ws.recv(timeout=30)).id)
            while settled[-1] != 40:
                settled.append(Reply(ws.recv(timeout=30)).id)
            # A reply settles all frames before it.
            assert settled == sorted(set(settled)) and len(settled) > 30
    finally:
        assert running.stop()[0] == 0


def test_users_never_see_each_other(server):
    """Each user's frames contain the user's number; only that number may be in the replies."""
    wrong, done = [], []

    def user(number):
        with server.v1() as ws:
            # A mark may be detected as a nail; invisible polish leaves it legible.
            ws.send('{"type": "look", "opacity": 0, "texture": 1, "sheen": false}')
            for i in range(1, 26):
                mark = number << 8 | i
                ws.send(frame(i, marked(mark)))
                reply = Reply(ws.recv(timeout=60))
                if (reply.id, mark_of(reply.picture)) != (i, mark):
                    wrong.append((number, i, reply.id, mark_of(reply.picture)))
        done.append(number)

    threads = [threading.Thread(target=user, args=(number,)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(done) == 12


def test_scheduling_is_fair(server, hand):
    """A client that floods does not prevent another from being served."""
    stop = threading.Event()

    def flood():
        with contextlib.suppress(ConnectionClosed), server.v1() as ws:
            number = 0
            while not stop.is_set():
                number += 1
                ws.send(frame(number, hand))
                with contextlib.suppress(TimeoutError):
                    ws.recv(timeout=0)

    floods = [threading.Thread(target=flood) for _ in range(2)]
    for thread in floods:
        thread.start()
    try:
        with server.v1() as ws:
            for number in range(1, 11):
                ws.send(frame(number, hand))
                # At most one frame of each other client comes before.
                reply = Reply(ws.recv(timeout=30))
                assert reply.id == number
                work = reply.served - reply.queue
                assert reply.queue < 12 * work + 100_000
    finally:
        stop.set()
        for thread in floods:
            thread.join()


def test_a_client_that_does_not_read_delays_nobody(server, hand):
    """Its replies are bounded, others are served, and it gets the newest frame when it reads."""
    with server.v1() as slow, server.v1() as other:
        # The library reads in the background; a paused reader is one whose socket is not read.
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for number in range(1, 30):
            slow.send(frame(number, hand))
        for number in range(1, 6):
            other.send(frame(number, hand))
            assert Reply(other.recv(timeout=30)).id == number
        last = 0
        while last != 29:
            last = Reply(slow.recv(timeout=30)).id


def test_origins(server):
    for origin in ("https://evil.example", f"http://127.0.0.1:{server.port + 1}", "null"):
        with pytest.raises((InvalidStatus, InvalidMessage, ConnectionClosed, OSError)):
            with server.socket(origin=origin):
                pass
    with server.socket(origin=server.url) as ws:
        ws.send(plain())
        assert ws.recv(timeout=30)


def test_other_paths_and_protocols_are_refused(server):
    for path, kwargs in [("/", {}), ("/ws2", {}), ("/ws", {"subprotocols": ["other.v9"]})]:
        with pytest.raises((InvalidStatus, InvalidMessage, ConnectionClosed, OSError)):
            with server.socket(path, **kwargs) as ws:
                ws.send(plain())
                ws.recv(timeout=5)


def test_full_server_is_reported():
    running = Server(*NO_NAILS, "--max-sessions", "2")
    try:
        with running.v1() as one, running.v1():
            with pytest.raises(ConnectionClosed) as closed:
                with running.v1():
                    pass
            assert closed.value.rcvd.code == 1013
            ready = httpx.get(f"{running.url}/readyz")
            assert ready.status_code == 503 and ready.text == "full\n"
            refused = httpx.post(f"{running.url}/api/v1/nails", content=plain())
            assert refused.status_code == 503 and refused.json()["status"] == "BUSY"
            assert refused.headers["retry-after"]
            one.send(frame(1, plain()))
            assert Reply(one.recv(timeout=30)).id == 1
        assert eventually(lambda: httpx.get(f"{running.url}/readyz").status_code == 200)
        with running.v1():
            pass
    finally:
        assert running.stop()[0] == 0


def upgraded(raw):
    """Upgrades to a lacquer.v1 connection and reads its hello; what comes after can be read."""
    raw.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Protocol: lacquer.v1\r\n\r\n")
    answers = raw.makefile("rb")
    while answers.readline() not in (b"\r\n", b""):
        pass
    assert message_of(answers)[0] == 0x81
    return answers


def message_of(answers):
    opcode, length = answers.read(2)
    if length == 126:
        length, = struct.unpack(">H", answers.read(2))
    return opcode, answers.read(length)


def exchange(raw, answers, picture, count):
    """That many frames and their replies in turn, written by hand, because the library's client
    needs longer for one than the server does."""
    for number in range(count):
        message = frame(number, picture)
        raw.sendall(b"\x82\xfe" + struct.pack(">H4x", len(message)) + message)
        while (reply := message_of(answers))[0] == 0x89:
            raw.sendall(b"\x8a\x80\0\0\0\0")
        assert reply[0] == 0x82 and Reply(reply[1]).id == number


def test_memory_is_flat_over_10000_frames():
    """All memory for a frame is kept and reused: RSS grows by less than 5 %."""
    # A model of one operator: inference has a test of its own, and 10,000 frames take only seconds.
    running = Server("--log-level", "error", "--model", str(ROOT / "tests/fixtures/tiny_map.onnx"))
    picture = plain(size=(64, 48))
    try:
        with socket.create_connection(("127.0.0.1", running.port), 30) as raw:
            answers = upgraded(raw)
            exchange(raw, answers, picture, 500)
            before = running.rss_kib()
            exchange(raw, answers, picture, 10_000)
            after = running.rss_kib()
        assert after < before * 1.05, (before, after)
    finally:
        assert running.stop()[0] == 0


@pytest.mark.waits
def test_idle_sessions_are_cheap():
    """Of both kinds, after each has sent a frame and while it sends nothing (tests/e2e/idle.py)."""
    mib, _ = measure(100, 1)
    assert mib * 1024 / 100 < 100, mib
