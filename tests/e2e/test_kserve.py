"""The triton engine with servers of the same protocol that are not Triton, and with addresses in
every accepted form."""
import json
import os
import socket
import subprocess

import httpx
import numpy as np
import pytest
from conftest import LACQUER
from kserve_stub import kserve
from PIL import Image, ImageDraw
from triton import metric, serving


@pytest.fixture(scope="module")
def red(tmp_path_factory):
    """A picture of a hand in which every rule finds nails."""
    path = tmp_path_factory.mktemp("red") / "red.png"
    image = Image.new("RGB", (256, 192), (200, 170, 150))
    for x in 40, 120, 200:
        ImageDraw.Draw(image).ellipse((x - 16, 70, x + 16, 120), fill=(220, 20, 20))
    image.save(path)
    return path


def apply(picture, out, address, *args, status=0, **environment):
    done = subprocess.run(
        [LACQUER, "apply", picture, "-o", out, "--json", "--triton-url", address, *args],
        capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if status == 0 else done.stderr


NAILS = "--triton-model", "nails"


@pytest.mark.parametrize("fields", [
    {}, {"nested": False}, {"type": "UINT8"}, {"type": "FP16"}, {"answer_type": "FP64"},
    {"answer_type": "FP16"}], ids=str)
def test_json_alone_is_understood(red, tmp_path, fields):
    with kserve() as server:
        vars(server).update(fields)
        found = apply(red, tmp_path / "out.png", server.address, *NAILS)
        assert len(found["nails"]) == 3 and found["model"] == "nails", found
        posts = [head for way, path, head in server.heads if path.endswith("/infer")]
        assert posts[-1]["Content-Type"] == "application/json"
    # The first is an empty one, with which the model is tried.
    picture = server.pictures[1][0].transpose(1, 2, 0)
    scale = 255 if server.type == "UINT8" else 1
    want = np.asarray(Image.open(red).resize((128, 96), Image.BILINEAR))
    assert picture.shape == (96, 128, 3) and np.abs(picture / scale * 255 - want).max() < 3


def test_a_server_without_bytes_is_asked_in_json_from_then_on(red):
    with kserve() as server, serving("--triton-url", server.address, *NAILS) as lacquer:
        server.heads.clear()
        for _ in range(3):
            reply = httpx.post(f"{lacquer.url}/api/v1/nails", content=red.read_bytes(),
                               headers={"Content-Type": "image/png"})
            assert reply.status_code == 200 and len(reply.json()["nails"]) == 3, reply.text
        posts = [head for _, path, head in server.heads if path.endswith("/infer")]
        assert all("Inference-Header-Content-Length" not in head for head in posts)
        assert metric(lacquer, "lacquer_triton_requests_total")[1:] == [0]
    assert len(set(server.ids)) == len(server.ids)  # every request has its own id
    said = lacquer.heard()
    assert said.count("only as JSON") == 1 and "is down" not in said


def test_an_answer_to_another_request_is_refused(red, tmp_path):
    with kserve() as server:
        server.wrong_id = True
        said = apply(red, tmp_path / "out.png", server.address, *NAILS, status=1)
    assert "another request" in said


def test_a_sidecar_in_the_metadata(red, tmp_path):
    """A server without Triton's configuration: the model's own metadata describes it."""
    with kserve() as server:
        server.parameters = {"lacquer": json.dumps({"name": "theirs", "resize": "letterbox"})}
        found = apply(red, tmp_path / "out.png", server.address, *NAILS)
        assert found["model"] == "theirs" and len(found["nails"]) == 3


def test_a_wrong_name_lists_those_that_are_there(red, tmp_path):
    with kserve() as server:
        for args in ["--triton-model", "nales"], []:
            said = apply(red, tmp_path / "out.png", server.address, *args, status=1)
            assert "there are nails" in said and "--triton-model" in said, said


@pytest.mark.parametrize("written", ["{}", "{}/", "http://{}", "HTTP://{}/", "http://{}/v2/"])
@pytest.mark.parametrize("how", [{}, {"prefix": "/team/a"}, {"family": socket.AF_INET6}], ids=str)
def test_addresses_in_their_usual_forms(red, tmp_path, how, written):
    try:
        running = kserve(**how)
        server = running.__enter__()
    except OSError:
        pytest.skip("no IPv6 on this machine's loopback")
    try:
        found = apply(red, tmp_path / "out.png", written.format(server.address), *NAILS)
        assert len(found["nails"]) == 3
    finally:
        running.__exit__(None, None, None)


def test_https_with_a_certificate_of_ones_own(red, tmp_path):
    certificate = tmp_path / "both.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], capture_output=True)
    assert made.returncode == 0, made.stderr
    certificate.write_bytes(
        (tmp_path / "key.pem").read_bytes() + (tmp_path / "cert.pem").read_bytes())
    with kserve(certificate=certificate) as server:
        address = f"https://{server.address}"
        said = apply(red, tmp_path / "out.png", address, *NAILS, status=1)
        assert "certificate" in said, said
        trusted = str(tmp_path / "cert.pem")
        found = apply(red, tmp_path / "out.png", address, *NAILS, SSL_CERT_FILE=trusted)
        assert len(found["nails"]) == 3
