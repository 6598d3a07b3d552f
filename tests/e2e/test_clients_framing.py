"""How clients frame their requests: chunked bodies, Expect: 100-continue, a request to upgrade to
HTTP/2."""
import base64
import json
import shutil
import socket
import subprocess

import httpx
import pytest

from conftest import ROOT, read_for

CLIENTS = ROOT / "tests" / "e2e" / "clients"


def pieces(body, size):
    for at in range(0, len(body), size):
        yield body[at:at + size]


@pytest.mark.parametrize("size", [1000, 7, 100000])
def test_a_chunked_picture(server, hand, size):
    """A body of unknown length, as every client library sends streams."""
    reply = httpx.post(f"{server.url}/api/v1/nails", content=pieces(hand, size), timeout=60)
    assert reply.status_code == 200 and reply.json()["nails"]


def test_a_chunked_form_and_a_chunked_object(server, hand):
    image = base64.b64encode(hand).decode()
    body = json.dumps({"image": image}).encode()
    reply = httpx.post(f"{server.url}/api/process_base64", content=pieces(body, 5000),
                       headers={"Content-Type": "application/json"}, timeout=60)
    assert reply.json()["success"]
    form = (b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\n" + hand + b"\r\n--b--\r\n")
    reply = httpx.post(f"{server.url}/api/process", content=pieces(form, 999), timeout=60,
                       headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert reply.json()["success"]


def raw(server, *parts):
    """The response to a request that is sent piece by piece."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        for part in parts:
            connection.sendall(part)
        return read_for(connection, 20)


HEAD = b"POST /api/v1/nails HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


def test_chunk_extensions_and_trailers(server, hand):
    half = len(hand) // 2
    got = raw(server, HEAD + b"Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n",
              b"%x;name=\"v;\\\"\"\r\n" % half + hand[:half] + b"\r\n",
              b"%X\r\n" % (len(hand) - half) + hand[half:] + b"\r\n",
              b"0\r\nx-sum: 1\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200") and b'"success":true' in got


@pytest.mark.parametrize("size", [b"-1", b"0x10", b"", b"g", b"ffffffffffffffffff", b"1 1"])
def test_invalid_chunk_sizes(server, size):
    got = raw(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabc\r\n0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400")


def test_chunks_beyond_the_limit(server):
    reply = httpx.post(f"{server.url}/api/v1/nails", content=pieces(bytes(17 << 20), 1 << 20),
                       timeout=60)
    assert reply.status_code == 413


def test_a_length_beside_chunks(server, hand):
    """RFC 9112 section 6.1: two parsers must not disagree about where the body ends."""
    got = raw(server, HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity", b"chunked, chunked",
                                    b"xchunked"])
def test_other_transfer_codings(server, coding):
    got = raw(server, HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")
    assert got[9:12] in (b"400", b"501")


def test_expect_continue(server, hand):
    """curl, .NET and Java wait for it before a large body; curl waits one second at most."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\nExpect: 100-Continue\r\n\r\n" % len(hand))
        connection.settimeout(10)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(hand)
        assert b"HTTP/1.1 200" in read_for(connection, 20)


def test_expect_continue_of_a_refused_request(server):
    got = raw(server, b"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
                      b"Expect: 100-continue\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 4") and b"100 Continue" not in got


def test_another_expectation(server):
    got = raw(server, HEAD + b"Content-Length: 0\r\nExpect: 200-ok\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 417")


@pytest.mark.parametrize("options", [["--http2"], ["-H", "Transfer-Encoding: chunked"],
                                     ["-H", "Expect: 100-continue"], ["--http1.0"]])
def test_curl(server, hand, tmp_path, options):
    (tmp_path / "hand.jpg").write_bytes(hand)
    done = subprocess.run(["curl", "-sS", *options, "-F", f"image=@{tmp_path}/hand.jpg",
                           f"{server.url}/api/process"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and json.loads(done.stdout)["nails"], done


@pytest.mark.skipif(not shutil.which("javac"), reason="no JDK here")
def test_java_s_own_default(server, hand, tmp_path):
    """It offers h2c with its first request."""
    (tmp_path / "hand.jpg").write_bytes(hand)
    source = (CLIENTS / "Post.java").read_text().replace("HTTP_1_1", "HTTP_2")
    (tmp_path / "Post.java").write_text(source)
    done = subprocess.run(["java", tmp_path / "Post.java", server.url, tmp_path / "hand.jpg"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
