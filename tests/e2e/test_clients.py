"""Third-party clients: their real libraries, and bodies as such clients write them."""
import asyncio
import base64
import gzip
import json
import shutil
import subprocess
import urllib.parse

import httpx
import pytest

from conftest import ROOT, png
from PIL import Image

CLIENTS = ROOT / "tests" / "e2e" / "clients"


def run(command, server, hand, tmp_path, **kwargs):
    """Runs a client program's own checks."""
    (tmp_path / "hand.jpg").write_bytes(hand)
    done = subprocess.run([*map(str, command), server.url, tmp_path / "hand.jpg"],
                          capture_output=True, text=True, timeout=300, cwd=CLIENTS, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["checks"]


def test_fetch(server, hand, tmp_path):
    assert run(["node", CLIENTS / "fetch.mjs"], server, hand, tmp_path) == 9


def test_axios(server, hand, tmp_path):
    assert run(["node", CLIENTS / "axios.mjs"], server, hand, tmp_path) == 7


@pytest.mark.skipif(not shutil.which("go"), reason="no Go here")
def test_go(server, hand, tmp_path):
    assert run(["go", "run", CLIENTS / "post.go"], server, hand, tmp_path) == 5


@pytest.mark.skipif(not shutil.which("javac"), reason="no JDK here")
def test_java(server, hand, tmp_path):
    assert run(["java", CLIENTS / "Post.java"], server, hand, tmp_path) == 4


def curl(server, path, *args, **kwargs):
    done = subprocess.run(["curl", "-sS", *map(str, args), server.url + path], capture_output=True,
                          timeout=60, **kwargs)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_curl(server, hand, tmp_path):
    photo, object_file = tmp_path / "hand.jpg", tmp_path / "body.json"
    photo.write_bytes(hand)
    object_file.write_text(json.dumps({"image": base64.b64encode(hand).decode()}))
    assert curl(server, "/api/process", "-F", f"image=@{photo}", "-F", "color=red")["nails"]
    # -d declares every body a form.
    assert curl(server, "/api/process_base64", "-d", f"@{object_file}")["nails"]
    (tmp_path / "url.txt").write_text(data_url(hand))
    assert curl(server, "/api/process", "--data-urlencode", f"image@{tmp_path}/url.txt",
                "-d", "color=red")["nails"]
    assert curl(server, "/api/v1/nails", "--data-binary", f"@{photo}",
                "-H", "content-type: image/jpeg")["nails"]


def data_url(picture, kind="image/jpeg"):
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def test_requests(server, hand):
    requests = pytest.importorskip("requests")
    image = data_url(hand)
    for reply in (requests.post(f"{server.url}/api/process_base64", json={"image": image}),
                  requests.post(f"{server.url}/api/process", data={"image": image, "texture": 0.2}),
                  requests.post(f"{server.url}/api/process", data={"color": "red"},
                                files={"image": ("hånd.jpg", hand, "image/jpeg")}),
                  requests.post(f"{server.url}/api/process", files={"image": hand}),
                  requests.post(f"{server.url}/api/v1/nails", data=hand)):
        assert reply.status_code == 200 and reply.json()["nails"], reply.text


def test_urllib3(server, hand):
    urllib3 = pytest.importorskip("urllib3")
    pool = urllib3.PoolManager()
    for kwargs in ({"fields": {"color": "red", "image": ("a.jpg", hand)}},
                   {"fields": {"image": data_url(hand)}, "encode_multipart": False},
                   {"fields": {"image": base64.b64encode(hand).decode()}}):
        reply = pool.request("POST", f"{server.url}/api/process", **kwargs)
        assert reply.status == 200 and json.loads(reply.data)["nails"], reply.data


def test_aiohttp(server, hand):
    aiohttp = pytest.importorskip("aiohttp")

    async def post():
        form = aiohttp.FormData()
        form.add_field("color", "red")
        form.add_field("image", hand, filename="hand.jpg", content_type="image/jpeg")
        base = aiohttp.MultipartWriter("form-data")
        part = base.append(base64.b64encode(hand).decode())
        part.set_content_disposition("form-data", name="image", quote_fields=False)
        answers = []
        async with aiohttp.ClientSession() as session:
            for path, kwargs in (("/api/process", {"data": form}),
                                 ("/api/process_base64", {"json": {"image": data_url(hand)}}),
                                 ("/api/process", {"data": {"image": data_url(hand)}}),
                                 ("/api/process", {"data": base}),
                                 ("/api/v1/nails", {"data": hand})):
                async with session.post(server.url + path, **kwargs) as reply:
                    answers.append((reply.status, await reply.json()))
        return answers

    for status, answer in asyncio.run(post()):
        assert status == 200 and answer["nails"], answer


@pytest.mark.parametrize("module", ["socket.io-client", "socket.io-client-4.5",
                                    "socket.io-client-2"])
def test_socketio_clients(server, hand, tmp_path, module):
    (tmp_path / "hand.jpg").write_bytes(hand)
    done = subprocess.run(["node", ROOT / "tests/e2e/socketio.mjs", server.url,
                           tmp_path / "hand.jpg", module], capture_output=True, text=True,
                          timeout=120, cwd=ROOT / "tests/e2e")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["checks"] >= 18


# ---- encodings of bodies


def ok(reply):
    assert reply.status_code == 200 and reply.json()["nails"], reply.text
    return True


def wrapped(text, width=76, end="\n"):
    return end.join(text[i:i + width] for i in range(0, len(text), width))


BASE64 = {
    "padded": lambda text: text,
    "unpadded": lambda text: text.rstrip("="),
    "wrapped": lambda text: wrapped(text) + "\n",  # Android's DEFAULT, Python's encodebytes
    "mime": lambda text: wrapped(text, end="\r\n"),  # Java's MIME encoder
    "pem": lambda text: wrapped(text, 64),
    "url-safe": lambda text: text.replace("+", "-").replace("/", "_").rstrip("="),
    "url-safe padded": lambda text: text.replace("+", "-").replace("/", "_"),
    "blanks for pluses": lambda text: text.replace("+", " "),
    "blanks for pluses, wrapped": lambda text: wrapped(text.replace("+", " ")),
    "indented": lambda text: "\n    " + wrapped(text, 72, "\n    ") + "\n",
    "percent-encoded": lambda text: urllib.parse.quote(text, safe=""),
    "plain": lambda text: f"data:image/jpeg;base64,{text}",
    "capitals": lambda text: f"DATA:IMAGE/JPEG;BASE64,{text}",
    "jpg": lambda text: f"data:image/jpg;base64,{text}",
    "no type": lambda text: f"data:;base64,{text}",
    "octets": lambda text: f"data:application/octet-stream;base64,{text}",
    "charset": lambda text: f"data:image/jpeg;charset=utf-8;base64,{text}",
    "a blank": lambda text: f" data:image/jpeg; base64,\n{wrapped(text)}",
    "without data:": lambda text: f"image/jpeg;base64,{text}",
}


@pytest.mark.parametrize("name", BASE64)
def test_base64_in_its_usual_forms(server, hand, name):
    text = BASE64[name](base64.b64encode(hand).decode())
    assert ok(httpx.post(f"{server.url}/api/process_base64", json={"image": text}))
    # An unescaped form: each + arrives as a blank, and original blanks cannot be told from those.
    if name != "indented":
        assert ok(httpx.post(f"{server.url}/api/process", content=f"color=red&image={text}",
                             headers={"Content-Type": "application/x-www-form-urlencoded"}))


def test_json_escapes(server, hand):
    text = json.dumps({"image": data_url(hand)}).replace("/", "\\/").replace("+", "\\u002b")
    assert ok(httpx.post(f"{server.url}/api/process_base64", content=text,
                         headers={"Content-Type": "application/json;charset=UTF-8"}))


@pytest.mark.parametrize("kind", [None, "text/plain", "text/plain;charset=UTF-8", "text/json",
                                  "application/problem+json", "application/x-www-form-urlencoded"])
def test_json_of_any_declared_type(server, hand, kind):
    text = json.dumps({"image": data_url(hand)})
    for body in (text, "\ufeff" + text, "\r\n " + text):
        assert ok(httpx.post(f"{server.url}/api/process_base64", content=body.encode(),
                             headers={"Content-Type": kind} if kind else {}))


def test_texts_that_are_not_a_picture(server):
    def post(image, path="/api/process_base64"):
        reply = httpx.post(server.url + path, json={"image": image})
        return reply.status_code, reply.json()["error"]

    status, error = post("data:image/svg+xml,%3Csvg%3E")
    assert status == 400 and "percent-encoding" in error
    status, error = post("blob:http://localhost/1234")
    assert status == 400 and "send the picture itself" in error
    status, error = post("/9j/4AAQ!")
    assert status == 400 and "character 9" in error
    reply = httpx.post(f"{server.url}/api/process_base64", content="hello")
    assert reply.status_code == 415 and "Content-Type" in reply.json()["error"]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_a_compressed_body(server, hand, coding):
    for path in ("/api/v1/nails", "/api/process_base64", "/api/process"):
        reply = httpx.post(server.url + path, content=gzip.compress(hand),
                           headers={"Content-Encoding": coding, "Content-Type": "image/jpeg"})
        assert reply.status_code == 415 and f"Content-Encoding {coding}" in reply.json()["error"]
        assert reply.headers["accept-encoding"] == "identity"
    assert ok(httpx.post(f"{server.url}/api/v1/nails", content=hand,
                         headers={"Content-Encoding": "identity"}))


def multipart(parts, boundary="b", end="\r\n", before="", after=""):
    """Builds a form by hand from pairs of (headers, bytes)."""
    lines = [before.encode()] if before else []
    for headers, value in parts:
        lines += [f"--{boundary}".encode(), *[header.encode() for header in headers], b"", value]
    lines += [f"--{boundary}--".encode(), after.encode()]
    return end.encode().join(lines)


def disposition(parameters):
    return f"Content-Disposition: form-data; {parameters}"


COLOR = ([disposition('name="color"')], b"red")


def forms(hand):
    text = wrapped(base64.b64encode(hand).decode()).encode()
    image = disposition('name="image"; filename="hand.jpg"')
    yield "dotnet", multipart([([disposition("name=image; filename=hand.jpg; "
                                             "filename*=utf-8''hand.jpg")], hand),
                               (["Content-Type: text/plain; charset=utf-8",
                                 disposition("name=color")], b"red")],
                              '7518e894-589d-44be-9a04-9f45c6124429'), '"{}"'
    yield "preamble", multipart([([image], hand)], before="This is a form.", after="The end."), "{}"
    yield "line ends", multipart([([image, "X-A: b"], hand), COLOR], end="\n"), "{}"
    texture = ([disposition("name=texture")], b"0.3")
    yield "order", multipart([COLOR, texture, ([image], hand)]), "{}"
    yield "headers", multipart([(["Content-Length: 1", "Content-Type: image/jpeg", image,
                                  "Content-Transfer-Encoding: binary", "X-A: b"], hand)]), "{}"
    yield "base64", multipart([([image, "Content-Transfer-Encoding: base64"], text)]), "{}"
    yield "text", multipart([([disposition("name=image")], text), COLOR]), "{}"
    yield "folded", multipart([(["Content-Disposition: form-data;", '  name="image";',
                                 "  filename=a.jpg"], hand)]), "{}"
    yield "quotes", multipart([([disposition('filename="a\\"; name=\\"no.jpg"; name="image"')],
                                hand)]), "{}"
    yield "unicode", multipart([([disposition("name=\"image\"; filename*=UTF-8''h%C3%A5nd.jpg; "
                                              "filename=\"hånd.jpg\"")], hand)]), "{}"
    yield "boundary", multipart([([image], hand)], "----Web Kit'()+_,-./:=?"), '"{}"'


@pytest.mark.parametrize("name", [name for name, _, _ in forms(b"")])
def test_forms_in_their_usual_forms(server, hand, name):
    body, written = next((body, written) for each, body, written in forms(hand) if each == name)
    boundary = body.split(b"\n--", 1)[1] if name == "preamble" else body[2:]
    boundary = boundary.split(b"\n")[0].decode().strip()
    kind = f"multipart/form-data; boundary={written.format(boundary)}; charset=utf-8"
    assert ok(httpx.post(f"{server.url}/api/process", content=body,
                         headers={"Content-Type": kind}))


def test_a_form_whose_type_was_set_by_hand(server, hand):
    """Pages that set Content-Type themselves omit the boundary."""
    reply = httpx.post(f"{server.url}/api/process", content=multipart([COLOR]),
                       headers={"Content-Type": "multipart/form-data"})
    assert reply.status_code == 400 and "without a boundary" in reply.json()["error"]


def test_png_in_every_text(server):
    picture = png(Image.new("RGB", (160, 120)))
    for image in (data_url(picture, "image/png"), wrapped(base64.b64encode(picture).decode())):
        reply = httpx.post(f"{server.url}/api/process_base64", json={"image": image})
        assert reply.json()["image"].startswith("data:image/png;base64,")
