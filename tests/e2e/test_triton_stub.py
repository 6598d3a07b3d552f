"""The triton engine with a server that slows down, disconnects, or sends wrong responses."""
import contextlib
import io
import json
import time

import httpx
import numpy as np
import pytest
from conftest import Reply, Server, frame
from PIL import Image
from triton import TYPES, Stub, free_port, metric, serving, wait

# The ways in which a response can be wrong, and a word of the error for each.
WRONG = {
    "bad json": "malformed", "json of another kind": "malformed", "long header": "malformed",
    "negative header": "malformed", "no header": "malformed", "short binary": "malformed",
    "long binary": "malformed", "huge size": "malformed", "missing output": "malformed",
    "output twice": "malformed", "overflowing shape": "malformed",
    "huge content length": "longer than expected", "endless chunks": "longer than expected",
    "endless headers": "longer than expected", "wrong type": "as i32",
    "wrong shape": "another shape",
    "long words": "it answers HTTP 500", "error": "the GPU fell off", "redirect": "HTTP 302",
    "cut off": "triton", "no http": "triton", "slow": "no response in time",
    "drip": "no response in time",
}


@contextlib.contextmanager
def stub(port=None):
    running = Stub(port)
    try:
        yield running
    finally:
        running.stop()


def ask(socket, picture, number=1):
    socket.send(frame(number, picture))
    reply = socket.recv(timeout=60)
    return Reply(reply) if isinstance(reply, bytes) else json.loads(reply)


def test_wrong_answers_are_refused_one_by_one(hand):
    with stub() as triton, serving(
            "--triton-url", triton.url, "--triton-timeout", "1000") as server:
        with server.v1() as socket:
            for mode, words in WRONG.items():
                wait(lambda: metric(server, "lacquer_triton_up") == [1])
                assert isinstance(ask(socket, hand), Reply)
                triton.mode = mode
                reply = ask(socket, hand)
                triton.mode = "good"
                assert isinstance(reply, dict) and words in json.dumps(reply), (mode, reply)
        assert server.rss_kib() < 1 << 20


@pytest.mark.parametrize("type", ["FP32", "FP16", "UINT8"])
def test_the_picture_comes_in_the_type_that_the_model_has(hand, type):
    with stub() as triton:
        triton.type = type
        with serving("--triton-url", triton.url) as server, server.v1() as socket:
            assert isinstance(ask(socket, hand), Reply)
    assert triton.tensor.dtype == TYPES[type] and triton.tensor.shape == (1, 3, 288, 384)
    seen = triton.tensor[0].astype(float).transpose(1, 2, 0) / (255 if type == "UINT8" else 1)
    want = np.asarray(Image.open(io.BytesIO(hand)).resize((384, 288), Image.BILINEAR)) / 255
    assert np.abs(seen - want).max() < 2.5 / 255 and np.ptp(want) > 0.5


@pytest.mark.parametrize("fields, words", [
    ({"type": "INT8"}, "'image' is i8"),
    ({"type": "BYTES"}, "image other"),
    ({"output": "UINT8"}, "output 'mask' is u8"), ({"output": "INT64"}, "output 'mask' is i64")])
# A fallback does not hide that the model is unusable.
@pytest.mark.parametrize("args", [[], ["--fallback", "openvino"]])
def test_unsupported_types(fields, args, words):
    with stub() as triton:
        vars(triton).update(fields)
        with pytest.raises(RuntimeError, match=words):
            Server("--triton-url", triton.url, *args)


def test_one_quick_one_slow_one_dead_server_under_load(hand):
    """Every frame gets a reply, and the slow server does not slow down the quick one."""
    with stub() as quick, stub() as slow, contextlib.ExitStack() as sockets:
        urls = [slow.url, f"http://127.0.0.1:{free_port()}", quick.url]
        server = sockets.enter_context(
            serving(*(arg for url in urls for arg in ("--triton-url", url))))
        users = [sockets.enter_context(server.v1()) for _ in range(4)]
        slow.mode = "late"
        before, late = quick.asked, slow.asked
        for number in range(12):
            for socket in users:
                socket.send(frame(number, hand))
            for socket in users:
                assert isinstance(socket.recv(timeout=60), bytes)
        assert metric(server, "lacquer_triton_up") == [1, 0, 1]
        # Some frames are propagated, for longer than 100 ms too while one server is slow
        # (nail/track.h). Of the others, the quick server runs most.
        assert quick.asked - before >= 48 // 3 and quick.asked - before > slow.asked - late
        # A single frame does not wait for the slow server.
        was = slow.asked
        for number in range(6):
            assert isinstance(ask(users[0], hand, number), Reply)
        assert slow.asked == was
        failed = f'{{url="{slow.url}",result="failed"}}'
        assert metric(server, f"lacquer_triton_requests_total{failed}") == [0]


def test_servers_whose_models_take_the_picture_in_different_types(hand):
    """As when one server after the other gets a new repository."""
    with stub() as one, stub() as two:
        two.type = "UINT8"
        with serving("--triton-url", one.url, "--triton-url", two.url) as server:
            with server.v1() as first, server.v1() as second:
                for number in range(400):  # on a slow machine, few frames overlap
                    if one.asked > 5 and two.asked > 5:
                        break
                    for socket in first, second:
                        socket.send(frame(number, hand))
                    for socket in first, second:
                        assert isinstance(socket.recv(timeout=60), bytes)
            assert one.asked > 5 and two.asked > 5
            for each in one, two:
                of = f'{{url="{each.url}",result="failed"}}'
                assert metric(server, f"lacquer_triton_requests_total{of}") == [0]


def test_a_server_that_comes_back_with_another_type(hand):
    with stub() as triton, serving("--triton-url", triton.url) as server:
        with server.v1() as socket:
            assert isinstance(ask(socket, hand), Reply)
            triton.mode = "not ready"
            wait(lambda: metric(server, "lacquer_triton_up") == [0])
            triton.type, triton.mode = "UINT8", "good"
            wait(lambda: metric(server, "lacquer_triton_up") == [1])
            assert isinstance(ask(socket, hand), Reply)  # no frame was lost by it
            assert triton.tensor.dtype == np.uint8
            # A change while running costs one frame: Triton refuses what it does not accept.
            triton.type = "FP16"
            assert "another type" in json.dumps(ask(socket, hand))
            wait(lambda: metric(server, "lacquer_triton_up") == [1])
            assert isinstance(ask(socket, hand), Reply)
            assert triton.tensor.dtype == np.float16


def test_the_fallback_runs_frames_that_the_server_fails(hand):
    with stub() as triton, serving(
            "--triton-url", triton.url, "--triton-timeout", "1000",
            "--fallback", "openvino") as server:
        with server.v1() as socket:
            # An empty mask from the stub, five nails from the model in this process.
            assert ask(socket, hand).nails == 0
            for mode in "bad json", "slow", "cut off":
                wait(lambda: metric(server, "lacquer_triton_up") == [1])
                triton.mode = mode
                assert ask(socket, hand).nails == 5
                triton.mode = "good"
                wait(lambda: metric(server, "lacquer_triton_up") == [1])
                # On a busy machine the stub may need more than the timeout once more.
                wait(lambda: ask(socket, hand).nails == 0)


def test_a_server_that_is_ready_but_fails_is_tried_less_and_less(hand):
    with stub() as triton, serving(
            "--triton-url", triton.url, "--fallback", "openvino") as server:
        with server.v1() as socket:
            triton.mode = "error"
            before, begin, frames = triton.asked, time.monotonic(), 0
            while time.monotonic() < begin + 2:
                assert ask(socket, hand).nails == 5
                frames += 1
            assert frames > 5
            assert triton.asked - before <= 6


def test_least_busy_server_with_one_down_and_up_again(hand):
    with stub() as one, stub() as two, serving(
            "--triton-url", one.url, "--triton-url", two.url, "--triton-timeout", "1000") as server:

        def both_asked(socket):
            was = one.asked, two.asked
            for number in range(6):
                assert isinstance(ask(socket, hand, number), Reply)
            return one.asked - was[0], two.asked - was[1]

        with server.v1() as first, server.v1() as second:
            # While the first server is slow with a frame, the next one goes to the second.
            one.mode = two.mode = "slow"
            first.send(frame(1, hand))
            wait(lambda: one.asked + two.asked > 0 and (one.asked, two.asked) != (0, 0))
            was = one.asked, two.asked
            second.send(frame(2, hand))
            wait(lambda: (one.asked > was[0]) or (two.asked > was[1]))
            one.mode = two.mode = "good"
            first.recv(timeout=60), second.recv(timeout=60)
            wait(lambda: metric(server, "lacquer_triton_up") == [1, 1])
            # One breaks: its frame is run by the other, which then gets all.
            one.mode = "error"
            assert sum(both_asked(first)[1:]) >= 5
            assert both_asked(first)[1] >= 5
            one.mode = "good"
            wait(lambda: metric(server, "lacquer_triton_up") == [1, 1])
            two.mode = "error"
            assert both_asked(second)[0] >= 5


def test_a_server_that_is_not_ready_gets_no_frames(hand):
    with stub() as triton, serving(
            "--triton-url", triton.url, "--fallback", "openvino") as server:
        with server.v1() as socket:
            triton.mode = "not ready"
            wait(lambda: metric(server, "lacquer_triton_up") == [0])
            was = triton.asked
            assert ask(socket, hand).nails == 5
            assert triton.asked == was
            triton.mode = "good"
            wait(lambda: metric(server, "lacquer_triton_up") == [1])


def test_an_old_frame_is_not_sent(hand):
    """One slow response holds up the worker; by then the frame behind it is too old."""
    with stub() as triton, serving(
            "--triton-url", triton.url, "--workers", "1", "--max-age", "300",
            "--triton-timeout", "5000") as server:
        with server.v1() as socket:
            assert isinstance(ask(socket, hand), Reply)
            was = triton.asked
            triton.mode = "slow"
            socket.send(frame(2, hand))
            socket.send(frame(3, hand))
            replies = [socket.recv(timeout=60) for _ in range(2)]
            assert all("no response in time" in each or "too old" in each
                       for each in replies), replies
            # The wait for the first ended because of its age, so the server is not marked down.
            assert metric(server, "lacquer_triton_up") == [1]
            assert triton.asked - was == 1


def test_refused_shared_memory_is_logged_once(hand):
    with stub() as triton, serving(
            "--triton-url", triton.url) as server:
        with server.v1() as socket:
            for number in range(3):
                assert isinstance(ask(socket, hand, number), Reply)
    words = "takes no shared memory: it answers HTTP 400: shared memory is off"
    assert server.heard().count(words) == 1


# crosses: TENSOR_BYTES_MAX
@pytest.mark.parametrize("mode", ["bad json", "cut off", "not ready", "huge tensor"])
def test_a_bad_server_at_start(mode):
    with stub() as triton:
        triton.mode = mode
        with pytest.raises(RuntimeError, match="triton|Triton"):
            Server("--triton-url", triton.url)


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_trace_is_passed_to_the_server(hand):
    """The trace id of a gateway is passed to Triton and appears in the log."""
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    with stub() as triton, serving(
            "--triton-url", triton.url, "--workers", "1", "--log-format", "json") as server:
        def post(**headers):
            triton.traces.clear()
            reply = httpx.post(f"{server.url}/api/v1/nails", content=hand,
                               headers={"Content-Type": "image/jpeg", **headers})
            assert reply.status_code in (200, 503), reply.text
            return triton.traces

        assert post(traceparent=parent) == [parent]
        assert post() == [None]  # the worker no longer has it
        for wrong in parent.upper(), parent[:-1], "00-" + "0" * 32 + parent[35:], "x" * 300:
            assert post(traceparent=wrong) == [None]
        with server.v1(additional_headers={"traceparent": parent}) as socket:
            triton.traces.clear()
            assert isinstance(ask(socket, hand), Reply) and isinstance(ask(socket, hand, 2), Reply)
            assert triton.traces == [parent] * 2
        triton.mode = "error"
        assert post(traceparent=parent) == [parent]
    lines = [json.loads(line) for line in server.heard().splitlines() if line.startswith("{")]
    (told,) = [line for line in lines if "fell off" in line["message"]]
    assert told["trace_id"] == TRACE
