"""`lacquer serve` as a command: its options, its line of output, its errors, TLS."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import httpx
import pytest

from conftest import (LACQUER, NO_NAILS, ROOT, Nails, Reply, Server, frame, free_port,
                      plain)


def fails(*args, status=1, **environment):
    done = subprocess.run([LACQUER, "serve", *args], capture_output=True, text=True, timeout=60,
                          cwd=ROOT, env={**os.environ, **environment})
    assert done.returncode == status, (done.returncode, done.stderr)
    assert done.stdout == ""
    return done.stderr


def test_port_from_the_environment():
    port = free_port()
    running = Server(PORT=str(port))
    assert running.port == port and running.line == f"listening on http://localhost:{port}"
    assert running.stop()[0] == 0


def test_option_beats_environment():
    port = free_port()
    running = Server(*NO_NAILS, "--port", str(port), PORT="1")
    assert running.port == port
    assert running.stop()[0] == 0


def test_no_smoothing():
    """A live frame is then detected as over HTTP, whatever came before it."""
    first, second = ((ROOT / "tests" / "e2e" / "hand.mjpeg").read_bytes()
                     .split(b"\xff\xd8\xff")[k] for k in (1, 4))
    second = b"\xff\xd8\xff" + second
    running = Server("--no-smoothing")
    with running.v1() as ws:
        for number, picture in ((1, b"\xff\xd8\xff" + first), (2, second)):
            ws.send(frame(number, picture, want=1))
            reply = Reply(ws.recv(timeout=30))
    alone = httpx.post(f"{running.url}/api/v1/nails", content=second).json()["nails"]
    assert [n.box for n in Nails(reply).items] == [n["box"] for n in alone]
    assert running.stop()[0] == 0


def test_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        said = fails("--port", str(port))
    assert f"port {port}" in said and "in use" in said and said.count("\n") == 1


@pytest.mark.parametrize("args,text", [
    (["--port", "70000"], "--port"), (["--port", "x"], "--port"), (["--workers", "0"], "--workers"),
    (["--jpeg-quality", "101"], "--jpeg-quality"), (["--log-level", "loud"], "--log-level"),
    (["--log-format", "xml"], "--log-format"),
    (["--tls-cert", "a.pem"], "--tls-key"), (["--web", "/nonexistent"], "--web"),
    (["--allow-origin", "example.org"], "--allow-origin"), (["extra"], "extra")])
def test_wrong_use(args, text):
    assert text in fails(*args, status=2)


def test_bad_environment():
    assert "PORT" in fails(status=2, PORT="eighty")


@pytest.mark.parametrize("args,text", [
    (["--host", "not-an-address"], "not-an-address"),
    (["--model", "/nonexistent.onnx"], "nonexistent"),
    (["--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"], "nonexistent")])
def test_errors_at_the_start(args, text):
    said = subprocess.run([LACQUER, "serve", "--port", "0", *args], capture_output=True, text=True,
                          timeout=60, cwd=ROOT)
    assert said.returncode in (1, 2) and text in said.stderr and said.stdout == ""
    assert len(said.stderr.strip().splitlines()) == 1


def test_a_file_that_is_not_a_model(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"this is no model")
    said = fails("--port", "0", "--model", str(tmp_path / "model.onnx"))
    assert "model.onnx" in said and said.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(number):
    running = Server()
    running.process.send_signal(number)
    assert running.process.wait(20) == 0


def test_log_as_json():
    running = Server(*NO_NAILS, "--log-format", "json")
    status, said = running.stop()
    assert status == 0
    line = json.loads(said.strip().splitlines()[-1])
    assert set(line) == {"time", "level", "message"}
    assert line["level"] == "info" and line["message"].startswith("stopping")


def test_self_signed():
    running = Server(*NO_NAILS, "--tls-self-signed")
    try:
        assert running.scheme == "https"
        assert httpx.get(f"{running.url}/healthz", verify=False).text == "ok\n"
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with running.v1(ssl=context) as ws:
            for number in range(1, 6):
                ws.send(frame(number, plain()))
                assert Reply(ws.recv(timeout=30)).id == number
        # The certificate contains the names and addresses of this machine.
        pem = ssl.get_server_certificate(("127.0.0.1", running.port))
        text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=pem,
                              capture_output=True, text=True, check=True).stdout
        assert "DNS:localhost" in text and "IP Address:127.0.0.1" in text
        # Browsers accept it once it is trusted: the name matches and it verifies.
        trusted = ssl.create_default_context(cadata=pem)
        assert httpx.get(f"https://127.0.0.1:{running.port}/healthz", verify=trusted).text == "ok\n"
    finally:
        assert running.stop()[0] == 0


def test_certificate_from_files(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    running = Server(*NO_NAILS, "--tls-cert", str(cert), "--tls-key", str(key))
    try:
        trusted = ssl.create_default_context(cafile=str(cert))
        reply = httpx.post(f"https://127.0.0.1:{running.port}/api/v1/nails", verify=trusted,
                           content=plain(), timeout=30)
        assert reply.json()["success"]
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{running.port}/healthz")
    finally:
        assert running.stop()[0] == 0
    other = tmp_path / "other.pem"
    subprocess.run(["openssl", "genrsa", "-out", other, "2048"], check=True, capture_output=True)
    said = fails("--port", "0", "--tls-cert", str(cert), "--tls-key", str(other))
    assert "does not belong" in said


def test_a_warm_cache_is_used(tmp_path):
    """`lacquer bench` measures how soon a server is ready then ("server ready ... ms")."""
    def start():
        assert Server("--cache-dir", str(tmp_path)).stop()[0] == 0
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.blob")}

    cold = start()
    assert cold
    assert start() == cold
    victim = min(cold)
    victim.write_bytes(b"spoiled")  # and an unreadable cache is created again
    again = start()
    assert again.keys() == cold.keys()
    assert [path for path in cold if again[path] != cold[path]] == [victim]


def test_lan_address_is_printed():
    running = Server(*NO_NAILS, "--host", "0.0.0.0", "--tls-self-signed")
    assert running.stop()[0] == 0
    assert re.match(r"listening on https://localhost:\d+( and https://[\d.]+:\d+)?$", running.line)


def test_a_service_without_files_survives_a_reload():
    """`systemctl reload` sends SIGHUP, which must not end the service; a terminal that closes still
    ends its server."""
    running = Server(*NO_NAILS)
    os.kill(running.process.pid, signal.SIGHUP)
    assert httpx.get(f"{running.url}/healthz", timeout=60).status_code == 200
    assert running.stop()[0] == 0
