"""More users than the machine can serve: admitted users stay smooth, and others are refused at
once."""
import base64
import contextlib
import io
import json
import struct
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from conftest import Reply, Server, frame, plain


def slow_model(folder, delay_ms):
    """A mask model that finds nothing and takes that long."""
    head = {"inputs": [{"name": "image", "type": "f32", "dims": [1, 3, 32, 32]}],
            "outputs": [{"name": "mask", "type": "f32", "dims": [1, 1, 32, 32]}],
            "frames": 1, "delay_ms": delay_ms}
    path = folder / f"slow{delay_ms}.replay"
    path.write_bytes(b"lacquer-replay 1\n" + json.dumps(head).encode() + b"\n"
                     + struct.pack("<1024f", *[0.0] * 1024))
    return str(path)


def serve(folder, delay_ms, *args, propagating=False):
    # Without propagation, because pictures without a nail would get their replies at once.
    return Server("--log-level", "warn", "--engine", "replay", "--workers", "1", "--model",
                  slow_model(folder, delay_ms), *([] if propagating else ["--no-propagation"]),
                  *args)


class Client(threading.Thread):
    """Keeps two frames in flight; sends the next a little after a BUSY error."""

    def __init__(self, server, until):
        super().__init__(daemon=True)
        self.server, self.until = server, until
        self.served, self.busy, self.late, self.other = [], [], [], []

    def run(self):
        picture, number = plain(), 0
        with self.server.v1() as ws:
            for _ in range(2):
                number += 1
                ws.send(frame(number, picture))
            while time.monotonic() < self.until:
                reply = ws.recv(timeout=30)
                now = time.monotonic()
                if isinstance(reply, bytes):
                    self.served.append(now)
                elif json.loads(reply)["status"] == "BUSY":
                    self.busy.append(json.loads(reply))
                    time.sleep(.2)
                elif json.loads(reply)["status"] == "TIMEOUT":  # the next one may be in time
                    self.late.append(json.loads(reply))
                else:
                    self.other.append(reply)
                number += 1
                ws.send(frame(number, picture))


def test_past_capacity_new_sessions_are_refused_and_old_ones_continue(tmp_path):
    server = serve(tmp_path, 40, "--max-wait", "100")
    begun = time.monotonic()
    try:
        first = Client(server, begun + 6)
        first.start()
        time.sleep(2)  # so that the server knows how long a frame takes
        crowd = [Client(server, begun + 5) for _ in range(12)]
        for client in crowd:
            client.start()
        for client in [first, *crowd]:
            client.join(timeout=30)
        assert not any(client.other for client in [first, *crowd])
        # 25 frames a second in total: the existing client continues, and about two of the crowd are
        # admitted. (Frames may be dropped because of their age; that refuses no client.)
        assert first.served and not first.busy
        refused = [client for client in crowd if client.busy]
        assert len(refused) >= 7 and any(client.served for client in crowd)
        told = refused[0].busy[0]
        assert told["type"] == "error" and told["id"]
        assert server.metric('lacquer_errors_total{status="BUSY"}') >= len(refused)
        # In the last second the first client got more than one frame in four.
        late = [t for t in first.served if t > begun + 4]
        assert len(late) >= 6
        # They left, which the server notices within a second: a new client is served.
        again = Client(server, time.monotonic() + 3)
        again.start()
        again.join(timeout=30)
        assert len(again.served) > 20
    finally:
        server.stop()


def test_a_live_frame_that_waited_too_long_is_dropped_with_an_error(tmp_path):
    server = serve(tmp_path, 900)
    try:
        with server.v1() as one, server.v1() as two:
            one.send(frame(1, plain()))
            time.sleep(.1)
            two.send(frame(5, plain()))  # waits 800 ms, and the limit is 500
            told = json.loads(two.recv(timeout=30))
            assert (told["status"], told["id"]) == ("TIMEOUT", 5) and "was dropped" in told["error"]
            assert isinstance(one.recv(timeout=30), bytes)
            two.send(frame(6, plain()))
            assert isinstance(two.recv(timeout=30), bytes)
        assert server.metric('lacquer_frames_dropped_total{reason="stale"}') == 1
    finally:
        server.stop()


def test_single_requests_wait_longer_but_not_for_ever(tmp_path):
    server = serve(tmp_path, 700)
    answers = []

    def post():
        answers.append(httpx.post(f"{server.url}/api/process", files={"image": plain()},
                                  timeout=60))
    try:
        post()
        time.sleep(1.5)  # the server knows a frame's duration only at its next tick
        threads = [threading.Thread(target=post) for _ in range(8)]
        for thread in threads:
            thread.start()
            time.sleep(.03)
        for thread in threads:
            thread.join(timeout=60)
        codes = sorted(answer.status_code for answer in answers)
        assert codes.count(200) >= 3 and codes.count(503) >= 3 and len(codes) == 9
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["retry-after"] == "2"
        assert refused.json()["status"] == "BUSY"
    finally:
        server.stop()


class Camera(threading.Thread):
    """A camera of 40 frames a second, with rate control on request."""

    def __init__(self, server, until, controlled):
        super().__init__(daemon=True)
        self.server, self.until, self.controlled = server, until, controlled
        self.fps, self.told, self.overtaken, self.refused = 40, [], [], 0

    def run(self):
        picture, number = plain(), 0
        with self.server.v1() as ws:
            if self.controlled:
                ws.send(json.dumps({"type": "rate"}))
            due = time.monotonic()
            while due < self.until:
                with contextlib.suppress(TimeoutError):
                    self.hear(ws.recv(timeout=max(0, due - time.monotonic())))
                if time.monotonic() >= due:
                    number += 1
                    ws.send(frame(number, picture))
                    due += 1 / self.fps

    def hear(self, message):
        if isinstance(message, bytes):
            self.overtaken.append(Reply(message).replaced)
            return
        message = json.loads(message)
        if message["type"] == "rate":
            self.told.append(message)
            self.fps = min(40, message["fps"])
        else:
            self.refused += 1


def test_rate_control_requests_the_possible_rate(tmp_path):
    server = serve(tmp_path, 12, "--max-wait", "5000")
    try:
        begun = time.monotonic()
        cameras = [Camera(server, begun + 7, True) for _ in range(4)]  # want twice the capacity
        for camera in cameras:
            camera.start()
        for camera in cameras:
            camera.join(timeout=30)
        for camera in cameras:
            assert camera.told[0]["why"] == "none" and camera.told[0]["fps"] == 60
            last = camera.told[-1]
            assert last["why"] == "load" and 10 <= last["fps"] <= 20 and last["width"] == 640
            assert not camera.refused and len(camera.told) <= 8
        # It settles: at first newer frames replace waiting ones, in the end hardly any do.
        early = sum(camera.overtaken[20] - camera.overtaken[0] for camera in cameras)
        late = sum(camera.overtaken[-1] - camera.overtaken[-21] for camera in cameras)
        assert early > 0 and late < early
        # After they left there is capacity again, and a new client is offered the full rate.
        end, fps = time.monotonic() + 60, 0
        while fps != 60:
            assert time.monotonic() < end, fps
            time.sleep(.3)
            with server.v1() as ws:
                ws.send(json.dumps({"type": "rate"}))
                fps = json.loads(ws.recv(timeout=60))["fps"]
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["rate", "pace"])  # its current and its former name
def test_on_a_slow_network_less_is_requested(tmp_path, name):
    server = serve(tmp_path, 1)
    try:
        with server.v1() as ws:
            for _ in range(3):
                ws.send(json.dumps({"type": name, "network_ms": 300}))
            told = [json.loads(ws.recv(timeout=60)) for _ in range(3)]
            assert [each["width"] for each in told] == [640, 480, 320]
            assert told[-1] == {"type": name, "fps": 10, "width": 320, "jpeg": 60,
                                "why": "network"}
            ws.send(frame(1, plain()))
            assert Reply(ws.recv(timeout=30)).quality == 60
            ws.send(json.dumps({"type": name, "on": False}))
            ws.send(frame(2, plain()))
            assert Reply(ws.recv(timeout=30)).quality == 85
            for bad in ({"network_ms": -1}, {"network_ms": "80"}, {"on": 1},
                        {"network_ms": 60001}):
                ws.send(json.dumps({"type": name, **bad}))
                assert json.loads(ws.recv(timeout=60))["status"] == "FIELD", bad
    finally:
        server.stop()


def replies_while_all_send(server, enough, until=60):
    """The replies to five users with two frames in flight each, until `enough` is true."""
    replies, end, picture = [], time.monotonic() + until, plain()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(server.v1()) for _ in range(5)]
        for ws in sockets:
            for number in 1, 2:
                ws.send(frame(number, picture))
        number = 2
        while not enough(replies) and time.monotonic() < end:
            number += 1
            for ws in sockets:
                replies.append(Reply(ws.recv(timeout=60)))
                ws.send(frame(number, picture))
    return replies


def test_frames_are_propagated_while_others_wait(tmp_path):
    server = serve(tmp_path, 8, "--max-wait", "5000", propagating=True)
    try:
        replies = replies_while_all_send(server, lambda seen: sum(r.propagated for r in seen) > 5)
        propagated = [reply for reply in replies if reply.propagated]
        assert len(propagated) > 5
        assert all(reply.infer == 0 and reply.prepare == 0 for reply in propagated)
        assert all(reply.infer > 0 for reply in replies if not reply.propagated)
        with server.v1() as ws:  # a single client's frames are all detected
            for number in range(1, 9):
                ws.send(frame(number, plain()))
                assert not Reply(ws.recv(timeout=60)).propagated
        text = httpx.get(server.url + "/metrics").text
        new, old = [line.split()[1] for name in ("propagated", "carried")
                    for line in text.splitlines()
                    if line.startswith(f"lacquer_frames_{name}_total ")]
        assert int(new) >= len(propagated) and new == old
    finally:
        server.stop()


def ask_for_result(ws, picture):
    url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
    ws.send("42" + json.dumps(["frame", {"image": url}]))


def result_of(text):
    event, result = json.loads(text.removeprefix("42"))
    assert event == "result"
    return result


def test_plain_sockets_and_socketio_report_propagated_frames(tmp_path):
    """In a JPEG comment and a field: decoders and clients that know neither are not affected."""
    server = serve(tmp_path, 8, "--max-wait", "5000", propagating=True)
    picture, end, told = plain(), time.monotonic() + 60, {"comment": [], "field": []}
    try:
        with contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(server.v1()) for _ in range(4)]
            bare = stack.enter_context(server.socket("/ws"))
            sio = stack.enter_context(server.socket("/socket.io/?EIO=4&transport=websocket"))
            sio.recv(timeout=60)
            sio.send("40")
            assert [sio.recv(timeout=60)[:2] for _ in range(2)] == ["40", "42"]
            while not all(True in seen and False in seen for seen in told.values()):
                assert time.monotonic() < end, told
                for ws in crowd:
                    ws.send(frame(1, picture))
                    ws.send(frame(2, picture))
                bare.send(picture)
                ask_for_result(sio, picture)
                painted = Image.open(io.BytesIO(bare.recv(timeout=60)))
                assert painted.format == "JPEG" and "jfif" in painted.info
                painted.load()
                comment = painted.info.get("comment")
                assert comment in (None, b"lacquer carried")
                told["comment"].append(comment is not None)
                result = result_of(sio.recv(timeout=60))
                assert result["timing"]["infer"] == 0 or "propagated" not in result
                assert result.get("carried") == result.get("propagated")
                told["field"].append(result.get("propagated", False))
                for ws in crowd:
                    ws.recv(timeout=60)
                    ws.recv(timeout=60)
    finally:
        server.stop()


def test_no_frame_is_propagated_with_propagation_off(tmp_path):
    server = serve(tmp_path, 2, "--max-wait", "5000")
    try:
        replies = replies_while_all_send(server, lambda seen: len(seen) >= 100)
        assert len(replies) >= 100 and not any(reply.propagated for reply in replies)
    finally:
        server.stop()
