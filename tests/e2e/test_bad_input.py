"""Invalid input of any kind gets one clear line with the right status, and the server keeps
running."""
import base64
import contextlib
import io
import json
import socket
import struct
import time
import zlib

import httpx
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from conftest import Reply, eventually, frame, jpeg, plain, reset_at_close


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client
        # No other connection is affected.
        assert client.post("/api/v1/nails", content=plain()).status_code == 200


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width, height, data):
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def jpeg_claiming(width, height):
    data = bytearray(plain())
    at = data.index(b"\xff\xc0")
    data[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def segment(marker, data):
    return bytes([0xff, marker]) + struct.pack(">H", len(data) + 2) + data


def arithmetic_bomb(side=3996, scans=16):
    """Each scan repeats the whole spectrum in truncated data: the decoder continues at full cost
    without data. 16 of them took a worker ten seconds."""
    table = segment(0xdb, bytes([0]) + bytes([1] * 64))
    frame = segment(0xca, struct.pack(">BHHBBBB", 8, side, side, 1, 1, 0x11, 0))
    scan = [segment(0xda, bytes([1, 1, 0, *spectrum])) + bytes(range(1, 250)) * 100
            for spectrum in ((0, 0, 0), *[(1, 63, 0)] * (scans - 1))]
    return b"\xff\xd8" + table + frame + b"".join(scan) + b"\xff\xd9"


def exif_loop():
    """Five hundred directories that all refer to the first one: libexif took 0.2 s for them."""
    tiff = (b"II*\0\x08\0\0\0" + struct.pack("<H", 500)
            + struct.pack("<HHII", 0x8769, 4, 1, 8) * 500 + struct.pack("<I", 8))
    return plain()[:2] + segment(0xe1, b"Exif\0\0" + tiff) + plain()[2:]


def text_bombs(kind, count=100):
    body = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[kind]
    bomb = chunk(kind, body + zlib.compress(bytes(15_000_000), 9))
    picture = png_of_size(64, 64, zlib.compress(bytes(64 * 193)))
    return picture[:33] + bomb * count + picture[33:]


def restarts(count=200000):
    """Restart markers instead of a scan's data."""
    data = plain()
    at = data.index(b"\xff\xda")
    end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    return data[:end] + b"".join(bytes([0xff, 0xd0 + i % 8]) for i in range(count)) + b"\xff\xd9"


def many_pictures():
    """A JPEG with several pictures (MPO): the first one counts."""
    out = io.BytesIO()
    pictures = [Image.new("RGB", (64, 64), shade) for shade in ("grey", "red")]
    pictures[0].save(out, "MPO", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def moving_picture(frames=50):
    """An animated PNG (APNG): decoders without support show its first frame."""
    out = io.BytesIO()
    pictures = [Image.new("RGB", (64, 64), (i, 0, 0)) for i in range(frames)]
    pictures[0].save(out, "PNG", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def noise():
    import numpy as np
    return jpeg(Image.fromarray(np.random.default_rng(1).integers(0, 256, (480, 640, 3), "uint8")))


# crosses: PICTURE_SIDE_MAX, FRAME_PIXELS_MAX
PICTURES = {
    "empty": (b"", {415, 422}),
    "text": (b"this is not a picture", {415}),
    "gif": (b"GIF89a" + bytes(100), {415}),
    "jpeg start only": (b"\xff\xd8\xff", {422, 415}),
    "truncated jpeg": (noise()[:9000], {422}),
    "65535x65535 jpeg": (jpeg_claiming(65535, 65535), {413}),
    "60000x10 jpeg": (jpeg_claiming(60000, 10), {413}),
    "65535x65535 png": (png_of_size(65535, 65535, b""), {413}),
    "zip of death png": (png_of_size(16000, 16000, zlib.compress(bytes(50_000_000), 9)), {413}),
    "bomb in a small png": (png_of_size(10, 10, zlib.compress(bytes(50_000_000), 9)), {200, 422}),
    "arithmetic scans": (arithmetic_bomb(), {413}),
    "arithmetic scans, small": (arithmetic_bomb(256), {422}),
    "restart markers alone": (restarts(), {200, 422}),
    "two pictures in a jpeg": (many_pictures(), {200}),
    "a png that moves": (moving_picture(), {200}),
    "exif that goes in circles": (exif_loop(), {200}),
    "texts that unpack": (text_bombs(b"iTXt"), {413, 422}),
    "more texts that unpack": (text_bombs(b"zTXt"), {413, 422}),
    "profiles that unpack": (text_bombs(b"iCCP"), {200}),
    # the first counts, the others are ignored
    "truncated png": (png_of_size(100, 100, zlib.compress(bytes(3000))), {422}),
    "huge claimed png": (png_of_size(2 ** 31 - 1, 2 ** 31 - 1, b""), {413, 422}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_by_http(http, name):
    data, codes = PICTURES[name]
    reply = http.post("/api/v1/nails", content=data)
    body = reply.json()
    assert reply.status_code in codes, body
    if reply.status_code != 200:
        assert body["success"] is False and body["error"] and "\n" not in body["error"]


@pytest.mark.parametrize("name", [name for name, (data, _) in PICTURES.items() if data])
def test_pictures_by_socket(server, name):
    data, codes = PICTURES[name]
    with server.v1() as ws:
        ws.send(frame(1, data))
        said = ws.recv(timeout=30)
        if isinstance(said, str):
            error = json.loads(said)
            assert error["type"] == "error" and error["id"] == 1 and error["error"]
            status = {"FORMAT": 415, "CORRUPT": 422, "TOO_LARGE": 413}[error["status"]]
            assert status in codes
        else:
            assert 200 in codes
        # The connection stays open.
        ws.send(frame(2, plain()))
        assert Reply(ws.recv(timeout=30)).id == 2


JSON = [
    (b"", 400, "SYNTAX"),
    (b"{", 400, "SYNTAX"),
    (b"[1]", 400, "SYNTAX"),
    (b'"text"', 400, "SYNTAX"),
    (b'{"image": "\xff\xfe"}', 400, "SYNTAX"),
    (b"[" * 100000, 400, "SYNTAX"),
    (b"{}", 422, "FIELD"),
    (b'{"image": null}', 422, "FIELD"),
    (b'{"image": 7}', 422, "FIELD"),
    (b'{"image": ""}', 422, "FIELD"),
    (b'{"image": "data:image/jpeg;base64,"}', 422, "FIELD"),
    (b'{"image": "data:image/jpeg,abc"}', 400, "SYNTAX"),
    (b'{"image": "not base64!"}', 400, "SYNTAX"),
    (b'{"image": "abcde"}', 400, "SYNTAX"),
    (b'{"image": "ab=c"}', 400, "SYNTAX"),
    (b'{"image": "abc"}', 415, "FORMAT"),                # two bytes, unpadded
    (b'{"image": "blob:http://localhost/1"}', 400, "SYNTAX"),
    (b'{"image": "AAAA"}', 415, "FORMAT"),
    (b'{"image": "\\ud800"}', 400, "SYNTAX"),           # half a surrogate pair
    (b'{"image": "AAAA\\u0000"}', 400, "SYNTAX"),
    (b'{"image": "AAAA", "quality": 1e999}', 400, "SYNTAX"),
    (b'{"image": "AAAA", "texture": 1e308}', 422, "FIELD"),
    (b'{"image": "AAAA", "texture": NaN}', 400, "SYNTAX"),
    (b'{"image": "AAAA", "color": ' + b"9" * 5000 + b"}", 400, "SYNTAX"),
    (b'{"image": 1' + b', "image": 1' * 20000 + b"}", 400, "SYNTAX"),
]


@pytest.mark.parametrize("body,code,status", JSON, ids=lambda value: repr(value)[:40])
def test_json(http, body, code, status):
    reply = http.post("/api/process_base64", content=body,
                      headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["status"]) == (code, status)


LOOKS = [("color", "#zzz"), ("color", 7), ("color", ""), ("finish", "velvet"), ("finish", True),
         ("texture", 2), ("texture", -0.1), ("texture", "much"), ("texture", []),
         ("sheen", "maybe"),
         ("sheen", {}), ("multiscale", "near"), ("closer", 2), ("opacity", 1.5),
         ("color", "x" * 5000)]


@pytest.mark.parametrize("name,value", LOOKS, ids=lambda value: repr(value)[:20])
def test_look_fields(http, name, value):
    image = base64.b64encode(plain()).decode()
    reply = http.post("/api/process_base64", json={"image": image, name: value})
    assert reply.status_code == 422 and reply.json()["status"] == "FIELD"
    assert len(reply.json()["error"]) < 256


@pytest.mark.parametrize("name,value", [("color", "#zzz"), ("finish", "velvet"), ("texture", "2"),
                                        ("texture", "nan"), ("sheen", "maybe"), ("closer", "2")])
def test_look_fields_in_forms(http, name, value):
    reply = http.post("/api/process", files={"image": plain()}, data={name: value})
    assert reply.status_code == 422 and reply.json()["status"] == "FIELD"


@pytest.mark.parametrize("path,kind", [
    ("/api/process_base64", "text/plain"), ("/api/process_base64", "application/jsonx"),
    ("/api/process", "application/json"), ("/api/process", "image/jpeg"),
    ("/api/v1/nails", "text/html"), ("/api/v1/nails", "application/json")])
def test_wrong_type(http, path, kind):
    reply = http.post(path, content=b"x", headers={"Content-Type": kind})
    assert reply.status_code == 415 and reply.json()["status"] == "FORMAT"


FORMS = [
    ("multipart/form-data", b"x", 400),
    ("multipart/form-data; boundary=", b"x", 400),
    ("multipart/form-data; boundary=" + "b" * 200, b"x", 400),
    ("multipart/form-data; boundary=b", b"", 400),
    ("multipart/form-data; boundary=b", b"--c\r\n", 400),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"image\"",
     400),
    ("multipart/form-data; boundary=b",
     b"--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nabc", 400),
    ("multipart/form-data; boundary=b", b"--b--\r\n", 422),
    ("multipart/form-data; boundary=b",
     b"--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nabc\r\n--b--\r\n", 422),
    ("multipart/form-data; boundary=b",
     b"--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nabc\r\n--b--\r\n", 415),
    ("multipart/form-data; boundary=b",
     b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" * 10000 + b"--b--\r\n", 413),
    ("multipart/form-data; boundary=b",
     b"--b\r\nContent-Disposition: form-data; name=\"image\"\r\n"
     b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nabc\r\n--c--\r\n\r\n--b--\r\n",
     415),
    ("application/x-www-form-urlencoded", b"", 422),
    ("application/x-www-form-urlencoded", b"image=%zz", 400),
    ("application/x-www-form-urlencoded", b"image=%4", 400),
    ("application/x-www-form-urlencoded", b"color=red", 422),
]


@pytest.mark.parametrize("kind,body,code", FORMS)
def test_forms(http, kind, body, code):
    reply = http.post("/api/process", content=body, headers={"Content-Type": kind})
    assert reply.status_code == code, reply.text


@pytest.mark.parametrize("method,path", [
    ("GET", "/api/process"), ("PUT", "/api/process"), ("DELETE", "/api/v1/nails"),
    ("PATCH", "/api/process_base64"), ("POST", "/healthz"), ("POST", "/"), ("OPTIONS", "/metrics")])
def test_wrong_method(http, method, path):
    reply = http.request(method, path,
                         content=b"abc" if method in ("PUT", "PATCH", "POST") else None)
    assert reply.status_code == 405 and reply.json()["status"] == "ARGUMENT"
    assert reply.headers["allow"]


# crosses: BODY_BYTES_MAX
def test_body_over_the_limit(http):
    reply = http.post("/api/v1/nails", content=bytes(17 * 1024 * 1024))
    assert reply.status_code == 413 and reply.json()["status"] == "TOO_LARGE"


def test_absurd_content_length_is_refused_at_once(server):
    for length in (b"99999999999", b"999999999999999999999999", b"-5", b"1e3", b"0x10"):
        with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
            raw.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nContent-Length: " + length
                        + b"\r\n\r\n")
            raw.settimeout(10)
            head = raw.recv(4096)
            assert head.split()[1] in (b"413", b"400"), (length, head)


def test_a_chunked_body_is_judged_as_any_other(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        raw.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"3\r\nabc\r\n0\r\n\r\n")
        raw.settimeout(10)
        assert raw.recv(4096).startswith(b"HTTP/1.1 415")


@pytest.mark.parametrize("text", [
    b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n",
    b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20000,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"POST /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"])
def test_broken_http(server, http, text):
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        try:
            raw.sendall(text)
            raw.settimeout(0.5)
            raw.recv(4096)
        except (TimeoutError, OSError):
            pass


def exchange(server, *parts, gap=0.02):
    """Sends the parts with pauses in between; returns everything received until the end."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        data = b""
        with contextlib.suppress(OSError):
            for part in parts:
                raw.sendall(part)
                time.sleep(gap)
            raw.shutdown(socket.SHUT_WR)
            raw.settimeout(10)
            while chunk_ := raw.recv(65536):
                data += chunk_
    return data


def request(method, path, body=None):
    length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
    return method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n" + (body or b"")


@pytest.mark.parametrize("gap", [0, 0.02])
@pytest.mark.parametrize("method", [b"PATCH", b"PUT", b"POST", b"DELETE", b"GET"])
def test_a_refused_body_is_never_read_as_a_request(server, http, method, gap):
    """The response is sent before the body arrives, and the body must not corrupt what follows."""
    head = request(method, b"/api/process_base64", b"abc")[:-3]
    data = exchange(server, head, b"abc" + request(method, b"/healthz", b"abc"), gap=gap)
    assert data.startswith(b"HTTP/1.1 4") and data.count(b"HTTP/1.1 ") == 2
    second = data[data.index(b"HTTP/1.1 ", 9):]
    assert second.startswith(b"HTTP/1.1 200 " if method == b"GET" else b"HTTP/1.1 405 ")


def test_pipelined_posts_are_all_answered(server, http):
    post = request(b"POST", b"/api/v1/nails", plain())
    for count in (2, 3, 10):
        data = exchange(server, post * count, gap=0)
        assert data.count(b"HTTP/1.1 200") == count and b'"success":false' not in data


@pytest.mark.parametrize("method", [b"PATCH", b"PUT", b"POST", b"DELETE", b"GET"])
def test_empty_bodies(server, http, method):
    data = exchange(server, request(method, b"/api/v1/nails", b""))
    assert data.startswith(b"HTTP/1.1 4"), data


def test_clients_that_vanish(server, http, hand):
    for wait in (0, 0, 0.002, 0.01, 0.03, 0.1):
        raw = socket.create_connection(("127.0.0.1", server.port), 10)
        raw.sendall(b"POST /api/v1/nails HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                    % len(hand) + hand[:len(hand) if wait else 1000])
        time.sleep(wait)
        reset_at_close(raw)
        raw.close()
    for wait in (0, 0.002, 0.02, 0.1):
        with contextlib.suppress(ConnectionClosed, OSError), server.v1() as ws:
            for number in range(1, 4):
                ws.send(frame(number, hand))
            time.sleep(wait)
            reset_at_close(ws.socket)
            ws.socket.close()
    assert eventually(lambda: server.metric('lacquer_sessions{transport="lacquer.v1"}') == 0)


def closed_with(server, message, **kwargs):
    """The code with which the server closes after this message."""
    try:
        with server.v1() as ws:
            ws.send(message, **kwargs)
            while True:
                ws.recv(timeout=60)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


# crosses: MESSAGE_BYTES_MAX, TEXT_BYTES_MAX
@pytest.mark.parametrize("message,code", [
    (b"", 1007), (b"\x01" * 15, 1007), (frame(1, b"x", kind=9), 1007),
    (frame(1, b"x", header=15), 1007), (frame(1, b"x", header=60000), 1007),
    (bytes(5 * 1024 * 1024), 1009), ("x" * 100_000, 1009)])
def test_broken_protocol_closes(server, http, message, code):
    assert closed_with(server, message) == code


def test_text_that_is_not_utf8_closes(server, http):
    assert closed_with(server, b"\xff\xfe\xfd", text=True) == 1007


@pytest.mark.parametrize("text,status", [
    ("nonsense", "SYNTAX"), ("[]", "SYNTAX"), ("{}", "FIELD"), ('{"type": "dance"}', "FIELD"),
    ('{"type": "look", "color": "#zzz"}', "FIELD"), ('{"type": "look", "texture": 7}', "FIELD"),
    ('{"type": "quality", "jpeg": 101}', "FIELD"), ('{"type": "quality"}', "FIELD")])
def test_bad_text_is_answered(server, http, text, status):
    with server.v1() as ws:
        ws.send(text)
        error = json.loads(ws.recv(timeout=60))
        assert error["type"] == "error" and error["status"] == status
        ws.send(frame(1, plain()))
        assert Reply(ws.recv(timeout=30)).id == 1


def test_unknown_reply_kind_is_an_error(server, http):
    with server.v1() as ws:
        ws.send(frame(1, plain(), want=77))
        error = json.loads(ws.recv(timeout=60))
        assert error["id"] == 1 and error["status"] == "FIELD"


def test_random_bytes_as_frames(server, http):
    import random
    source = random.Random(7)
    good = bytearray(plain())
    with server.v1() as ws:
        for number in range(1, 200):
            data = bytearray(good)
            for _ in range(source.randint(1, 20)):
                data[source.randrange(2, len(data))] = source.randrange(256)
            ws.send(frame(number, bytes(data)))
            ws.recv(timeout=30)
