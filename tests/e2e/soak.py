"""Runs many users of every kind against one server for a while: good, slow, faulty and hostile
ones. Each good user's frames contain its own mark, which every reply is checked for: no user may
ever receive another's picture. Afterwards memory must be at most 2 % above that of the warm server,
with no descriptor or session leaked and no crash. `test_soak.py` runs a short version; the long one
is

  tests/e2e/soak.py --seconds 1800 [--users 50] [--frame-rate 2]

which prints one line per minute, and the counts at the end."""
import argparse
import asyncio
import collections
import contextlib
import json
import random
import struct
import sys
import time

import httpx
import numpy as np
import websockets
from PIL import Image

from conftest import LACQUER, Server, frame, jpeg, pixels, plain

# The mark is a field of 4 x 4 squares, some slightly lighter than the rest.
SQUARE, STEP = 16, 20


def marked(number):
    data = np.full((120, 160, 3), 110, np.uint8)
    for bit in range(16):
        x, y = bit % 4 * SQUARE, bit // 4 * SQUARE
        data[y:y + SQUARE, x:x + SQUARE] += STEP if number >> bit & 1 else 0
    return jpeg(Image.fromarray(data), 92)


def mark_of(data):
    grey = pixels(data).mean(axis=2)
    middle = SQUARE // 2
    return sum(1 << bit for bit in range(16)
               if grey[bit // 4 * SQUARE + middle, bit % 4 * SQUARE + middle] > 110 + STEP / 2)


def marks_to_use(server, count):
    """Marks in which no square is detected as a nail and painted over."""
    found, mark = [], 0
    while len(found) < count:
        mark += 1
        reply = httpx.post(f"{server.url}/api/process", content=form_of(marked(mark)), timeout=60,
                           headers={"Content-Type": FORM, "Accept": "image/jpeg"})
        if reply.status_code == 200 and mark_of(reply.content) == mark:
            found.append(mark)
    return found


FORM = "multipart/form-data; boundary=x"


def form_of(picture):
    return (b'--x\r\ncontent-disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
            + picture + b"\r\n--x--\r\n")


# Of 50 users.
MIX = {"good": 30, "polling": 4, "slow": 6, "broken": 5, "hostile": 5}


class Soak:
    def __init__(self, server, frame_rate):
        self.server, self.pause = server, 1 / frame_rate
        self.count, self.wrong = collections.Counter(), []
        self.why = collections.Counter()  # refusals, as clients report them
        self.ending = False

    def connect(self, **kwargs):
        return websockets.connect(f"ws://127.0.0.1:{self.server.port}/ws", max_size=None,
                                  compression=None, open_timeout=30, **kwargs)

    async def good(self, mark, chance):
        """Sends a video, checks that each JPEG reply has the mark, and reconnects from time to
        time."""
        picture = marked(mark)
        while not self.ending:
            async with self.connect(subprotocols=["lacquer.v1"]) as ws:
                await ws.recv()
                for number in range(1, chance.randint(20, 200)):
                    await ws.send(frame(number, picture, time=mark))
                    data = await asyncio.wait_for(ws.recv(), 60)
                    self.check(mark, number, data)
                    if self.ending:
                        return
                    await asyncio.sleep(self.pause * chance.random() * 2)

    def check(self, mark, number, data):
        if isinstance(data, str):
            told = json.loads(data)
            assert told["type"] in ("error", "stopping")
            self.count["refused"] += 1
            self.why[f"refused: {told.get('status', told['type'])}"] += 1
            return
        got, told = struct.unpack("<IQ", data[4:16])
        self.count["replies"] += 1
        if (got, told, mark_of(data[64:])) != (number, mark, mark):
            self.wrong.append((mark, number, got, told))

    async def request(self, bytes_of):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            writer.write(bytes_of)
            await writer.drain()
            return await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def polling(self, mark, chance):
        """Sends single pictures over HTTP and checks that the painted JPEG has the mark."""
        body = form_of(marked(mark))
        head = (b"POST /api/process HTTP/1.1\r\nHost: x\r\nAccept: image/jpeg\r\nConnection: "
                b"close\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n")
        while not self.ending:
            answer = await self.request(head % len(body) + body)
            at = answer.find(b"\r\n\r\n")
            if answer.startswith(b"HTTP/1.1 200"):
                self.count["pictures"] += 1
                if mark_of(answer[at + 4:]) != mark:
                    self.wrong.append((mark, "http"))
            else:
                self.count["refused"] += 1
                self.why[f"refused: {answer[:40].split(b'%c' % 13)[0].decode()}"] += 1
            await asyncio.sleep(self.pause * 4 * chance.random())

    async def slow(self, mark, chance):
        """Sends more than it reads, with fragmented messages; checks what it does read."""
        picture = marked(mark)
        while not self.ending:
            async with self.connect(subprotocols=["lacquer.v1"]) as ws:
                await ws.recv()
                for number in range(1, 30):
                    whole = frame(number, picture, time=mark)
                    if number % 3 == 0:
                        async def drops():
                            for at in range(0, len(whole), 500):
                                yield whole[at:at + 500]
                                await asyncio.sleep(0.01)
                        await ws.send(drops())
                    else:
                        await ws.send(whole)
                    with contextlib.suppress(TimeoutError):
                        data = await asyncio.wait_for(ws.recv(), chance.random() / 2)
                        if isinstance(data, bytes):
                            self.check(mark, struct.unpack("<I", data[4:8])[0], data)
                    await asyncio.sleep(self.pause)
                    if self.ending:
                        return

    async def broken(self, mark, chance):
        """Sends truncated pictures, false headers and bad JSON; disconnects in the middle."""
        picture = marked(mark)
        while not self.ending:
            async with self.connect(subprotocols=["lacquer.v1"]) as ws:
                await ws.recv()
                await ws.send(frame(1, picture[:chance.randint(2, len(picture))]))
                await ws.recv()
                await ws.send(chance.choice(['{"type":', '{"type":"look","color":7}', "[" * 40]))
                await ws.recv()
                await ws.send(frame(2, chance.randbytes(300)))
                await ws.recv()
                self.count["broken"] += 1
                await ws.send(chance.choice([b"\x01", frame(3, picture, header=9999)]))
            await asyncio.sleep(self.pause)

    async def hostile(self, mark, chance):
        """Half a request, request smuggling, false lengths, a flood of pings, resets."""
        upgrade = (b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: "
                   b"13\r\n\r\n")
        attacks = [
            b"GET / HTTP/1.1\r\nX: " + b"y" * 9000,
            b"POST /api/process HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\n\r\n",
            b"POST /api/process HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: "
            b"chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
            upgrade + b"\x89\x80\1\2\3\4" * 500,
            upgrade + b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4xx",
            upgrade + b"\xff" * 64,
        ]
        while not self.ending:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            with contextlib.suppress(OSError):
                writer.write(chance.choice(attacks))
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(100), chance.random())
            if chance.random() < 0.5:
                writer.transport.abort()
            else:
                writer.close()
            self.count["hostile"] += 1
            await asyncio.sleep(self.pause / 2)

    async def forever(self, kind, mark, chance):
        while not self.ending:
            try:
                await getattr(self, kind)(mark, chance)
            except (OSError, websockets.WebSocketException, TimeoutError,
                    asyncio.IncompleteReadError) as end:
                self.count[f"{kind} cut off"] += 1
                self.why[f"{kind} cut off: {type(end).__name__}: {end}"] += 1
                await asyncio.sleep(0.2)

    async def run(self, seconds, users, report):
        chance, tasks, marks = random.Random(11), [], marks_to_use(self.server, users + len(MIX))
        for kind, share in MIX.items():
            for _ in range(max(1, share * users // 50)):
                tasks.append(asyncio.create_task(
                    self.forever(kind, marks.pop(), random.Random(chance.random()))))
        began, warm = time.monotonic(), None
        while (gone := time.monotonic() - began) < seconds:
            await asyncio.sleep(min(report, seconds - gone))
            if not warm and time.monotonic() - began > seconds / 3:
                warm = self.server.rss_kib()
            self.say(time.monotonic() - began)
        hot = self.server.rss_kib()
        self.ending = True
        done, late = await asyncio.wait(tasks, timeout=60)
        for task in done:
            task.result()  # a user that received another's picture ends the soak
        for task in late:
            task.cancel()
        assert self.server.process.poll() is None, "the server is gone"
        return warm or hot, hot

    def say(self, seconds):
        counts = ", ".join(f"{number} {what}" for what, number in sorted(self.count.items()))
        files = self.server.descriptors().total()
        print(f"{seconds:5.0f} s: {self.server.rss_kib() // 1024} MiB, {files} descriptors, "
              f"{len(self.wrong)} wrong; {counts}", flush=True)


def sessions(server):
    return sum(server.metric(f'lacquer_sessions{{transport="{via}"}}')
               for via in ("http", "websocket", "lacquer.v1", "socketio"))


def soak(seconds, users, frame_rate, report=60, server_args=()):
    """Runs it; returns (the Soak, memory when warm, memory at the end, descriptors left over)."""
    server = Server("--log-level", "error", "--max-wait", "60000", *server_args)
    with server.v1() as ws:
        ws.send(frame(1, plain()))
        ws.recv()
    time.sleep(1)
    files, run = server.descriptors(), Soak(server, frame_rate)
    warm, hot = asyncio.run(run.run(seconds, users, report))
    time.sleep(2)
    assert sessions(server) == 0, "sessions are left over"
    for _ in range(50):  # the last response's connection is closed a moment later
        left = server.descriptors().total() - files.total()
        if left <= 0:
            break
        time.sleep(0.1)
    for name, number in (server.descriptors() - files).items():
        run.why[f"left open: {name}"] += number
    status, said = server.stop()
    assert status == 0 and not said, (status, said)
    return run, warm, hot, left


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--frame-rate", type=float, default=2, help="of each good user")
    parser.add_argument("--server-args", default="",
                        help="more for lacquer serve; memory is then not judged (sanitizers)")
    asked = parser.parse_args()
    print(f"{LACQUER}: {asked.users} users, {asked.seconds:.0f} s")
    run, warm, hot, left = soak(asked.seconds, asked.users, asked.frame_rate,
                                server_args=asked.server_args.split())
    grown = (hot / warm - 1) * 100
    print(f"memory {warm} KiB when warm, {hot} KiB at the end: {grown:+.1f} %; {left} descriptors "
          f"left over; {len(run.wrong)} replies to the wrong user of "
          f"{run.count['replies'] + run.count['pictures']}")
    for what, number in run.why.most_common():
        print(f"{number:6} {what}")
    return 1 if run.wrong or grown > 2 and not asked.server_args or left > 2 else 0


if __name__ == "__main__":
    sys.exit(main())
