"""The HTTP API, the page and the pages for operators."""
import base64
import gzip
import json

import httpx
import pytest
from PIL import Image

from conftest import HANDS, NO_NAILS, Server, jpeg, pixels, plain, png


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def data_url(picture, kind="jpeg"):
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode()


def picture_of(url):
    head, text = url.split(",")
    return head, base64.b64decode(text, validate=True)


def check_painted(before, after, nails):
    """Nails were found, and the largest changes are in their boxes."""
    assert nails
    change = abs(pixels(before) - pixels(after)).sum(axis=2)
    inside = 0 * change.astype(bool)
    for nail in nails:
        x, y, width, height = nail["box"]
        inside[y:y + height, x:x + width] = 1
    assert change[inside == 1].mean() > 4 * change[inside == 0].mean()


def test_base64(http, hand):
    reply = http.post("/api/process_base64",
                      json={"image": data_url(hand), "color": "#00ff00", "finish": "creme",
                            "texture": 0.5, "sheen": True})
    body = reply.json()
    assert reply.status_code == 200 and body["success"] is True
    assert (body["width"], body["height"]) == (640, 480)
    told = {"id", "finger", "confidence", "box", "area", "tip_known"}
    assert all(told == set(nail) for nail in body["nails"])
    head, picture = picture_of(body["image"])
    assert head == "data:image/jpeg;base64"
    check_painted(hand, picture, body["nails"])
    assert set(body["timing"]) == {"decode", "prepare", "infer", "nails", "paint", "encode",
                                   "total", "queue"}
    stages = sum(value for name, value in body["timing"].items() if name not in ("total", "queue"))
    assert body["timing"]["total"] == pytest.approx(stages, abs=0.01)


def test_a_multiscale_pass_costs_more_and_finds_as_much(http, hand):
    once = http.post("/api/process", files={"image": hand}).json()
    twice = http.post("/api/process", files={"image": hand}, data={"multiscale": "on"}).json()
    closer = {"image": data_url(hand), "closer": True}
    json_too = http.post("/api/process_base64", json=closer).json()
    assert len(twice["nails"]) >= len(once["nails"]) > 0
    assert twice["image"] != once["image"] and twice["image"] == json_too["image"]


def test_bare_base64_is_accepted_too(http, hand):
    reply = http.post("/api/process_base64", json={"image": base64.b64encode(hand).decode()})
    assert reply.status_code == 200 and reply.json()["nails"]


def test_the_requested_colour_is_painted(http, hand):
    found = {}
    for color in ("#ff0000", "#0000ff"):
        asked = {"image": data_url(hand), "color": color}
        body = http.post("/api/process_base64", json=asked).json()
        nail = max(body["nails"], key=lambda each: each["area"])
        x, y, width, height = nail["box"]
        middle = pixels(picture_of(body["image"])[1])[y + height // 2, x + width // 2]
        found[color] = middle
    assert found["#ff0000"][0] > found["#ff0000"][2] + 40
    assert found["#0000ff"][2] > found["#0000ff"][0] + 40


def middle_of_largest(body):
    nail = max(body["nails"], key=lambda each: each["area"])
    x, y, width, height = nail["box"]
    return pixels(picture_of(body["image"])[1])[y + height // 2, x + width // 2].tolist()


def test_a_look_by_name_by_object_and_in_a_form(http, hand):
    listed = http.get("/api/looks").json()
    assert http.get("/api/looks.json").json() == listed
    assert len(listed["shades"]) >= 60 and "cat-eye" in [f["name"] for f in listed["finishes"]]
    look = next(item["look"] for item in listed["looks"] if item["name"] == "noir-matte")
    seen = []
    for said in ("noir-matte", look):
        body = http.post("/api/process_base64", json={"image": data_url(hand), "look": said}).json()
        seen.append(middle_of_largest(body))
    # In a form the look also has the lowest priority, although it comes last.
    for form in ({"look": "noir-matte"}, {"color": "#ffffff", "look": json.dumps(look)}):
        body = http.post("/api/process", data=form, files={"image": ("a.jpg", hand)}).json()
        seen.append(middle_of_largest(body))
    assert seen[0] == seen[1] == seen[2] and max(seen[0]) < 70 and min(seen[3]) > 90


def test_a_bad_look_names_the_key(http, hand):
    for said, error in (("none-such", "unknown look 'none-such'"),
                        ({"finish": {"name": "glitter", "size": 2}}, "look: finish.size must be")):
        reply = http.post("/api/process_base64", json={"image": data_url(hand), "look": said})
        assert reply.status_code == 422 and reply.json()["error"].startswith(error)


def test_jpeg_itself(http, hand):
    reply = http.post("/api/process_base64", json={"image": data_url(hand)},
                      headers={"Accept": "image/jpeg"})
    assert reply.headers["content-type"] == "image/jpeg"
    assert pixels(reply.content).shape == (480, 640, 3)
    assert "infer;dur=" in reply.headers["server-timing"]
    assert int(reply.headers["x-nails"]) > 0


def test_png_in_png_out(http, hand):
    import io
    picture = png(Image.open(io.BytesIO(hand)))
    body = http.post("/api/process_base64", json={"image": data_url(picture, "png")}).json()
    head, out = picture_of(body["image"])
    assert head == "data:image/png;base64"
    check_painted(picture, out, body["nails"])


def test_multipart_file(http, hand):
    body = http.post("/api/process", files={"image": ("hand.jpg", hand, "image/jpeg")},
                     data={"color": "teal", "sheen": "off", "texture": "0.25"}).json()
    check_painted(hand, picture_of(body["image"])[1], body["nails"])


def test_multipart_text(http, hand):
    body = http.post("/api/process", files={"image": (None, data_url(hand))}).json()
    assert body["success"] and body["nails"]


def test_urlencoded(http, hand):
    body = http.post("/api/process", data={"image": data_url(hand), "color": "#0f0"}).json()
    check_painted(hand, picture_of(body["image"])[1], body["nails"])


def test_nails(http, hand):
    body = http.post("/api/v1/nails", content=hand, headers={"Content-Type": "image/jpeg"}).json()
    assert body["success"] and "image" not in body
    assert "paint" not in body["timing"] and "encode" not in body["timing"]
    for nail in body["nails"]:
        assert {"id", "confidence", "box", "area", "center", "axis", "length", "width"} <= set(nail)
        assert 0 < nail["confidence"] <= 1
        assert nail["axis"][0] ** 2 + nail["axis"][1] ** 2 == pytest.approx(1, abs=0.01)


def test_upright_after_exif(http, hand):
    import io
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.open(io.BytesIO(hand)).save(out, "JPEG", exif=exif)
    body = http.post("/api/v1/nails", content=out.getvalue()).json()
    assert (body["width"], body["height"]) == (480, 640)


def test_a_picture_without_nails_is_no_error(http):
    body = http.post("/api/v1/nails", content=plain()).json()
    assert body["success"] and body["nails"] == []


def test_only_temporary_refusals_say_when_to_retry(http, hand):
    for content, code in ((hand, 200), (b"GIF89a" + bytes(20), 415),
                          (b"\xff\xd8\xff\xe0" * 9, 422)):
        answer = http.post("/api/v1/nails", content=content, headers={"content-type": "image/jpeg"})
        assert answer.status_code == code, answer.text
        assert "retry-after" not in answer.headers


def test_many_requests_on_one_connection(http):
    for _ in range(20):
        assert http.post("/api/v1/nails", content=plain()).status_code == 200
        assert http.get("/healthz").text == "ok\n"



def test_many_clients_at_once(server, hand):
    from concurrent.futures import ThreadPoolExecutor

    def post(_):
        return httpx.post(f"{server.url}/api/v1/nails", content=hand, timeout=60).json()

    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(post, range(36)))
    assert all(reply["success"] for reply in replies)
    assert len({json.dumps(reply["nails"]) for reply in replies}) == 1


def test_operators_pages(http):
    assert http.get("/healthz").text == "ok\n"
    assert http.get("/readyz").text == "ready\n"
    metrics = http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    kinds = {}
    for line in metrics.text.splitlines():
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            kinds[name] = kind
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            float(value)
            base = name.split("{")[0]
            assert base in kinds or base.rsplit("_", 1)[0] in kinds, name
    assert kinds["lacquer_stage_seconds"] == "histogram"
    assert kinds["lacquer_frames_dropped_total"] == "counter"


def test_info(http):
    info = http.get("/api/v1/info").json()
    assert http.get("/api/v1/info.json").json() == info
    assert info["model"] == "nail" and "creme" in info["finishes"]
    assert info["limits"]["body_bytes"] == 16 * 1024 * 1024


def test_metrics_count(server, http):
    before = server.metric('lacquer_frames_out_total{transport="http"}')
    http.post("/api/v1/nails", content=plain())
    assert server.metric('lacquer_frames_out_total{transport="http"}') == before + 1


def test_page(http):
    page = http.get("/")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "") # WebAssembly, no eval
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "camera=(self)" in page.headers["permissions-policy"]
    again = http.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert http.get("/index.html").text == page.text
    # httpx decompresses responses; the same text must also be available uncompressed.
    plainly = http.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plainly.headers and plainly.text == page.text


def test_compressed_files(server):
    with httpx.stream("GET", f"{server.url}/", headers={"Accept-Encoding": "gzip"}) as reply:
        raw = b"".join(reply.iter_raw())
    assert reply.headers["content-encoding"] == "gzip"
    assert int(reply.headers["content-length"]) == len(raw)
    assert b"<" in gzip.decompress(raw)


def test_head(http):
    reply = http.head("/")
    assert reply.status_code == 200 and reply.content == b""
    assert int(reply.headers["content-length"]) > 0
    assert http.get("/healthz").text == "ok\n"


@pytest.mark.parametrize("path", ["/nothing", "/../etc/passwd", "/%2e%2e/etc/passwd",
                                  "/.git/config", "/api", "/api/v2/nails"])
def test_not_found(http, path):
    reply = http.get(path)
    assert reply.status_code == 404
    assert reply.json()["success"] is False and reply.json()["status"] == "NOT_FOUND"


def test_page_from_a_folder(tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html>hello")
    (tmp_path / ".secret").write_text("no")
    running = Server(*NO_NAILS, "--web", str(tmp_path))
    try:
        assert httpx.get(running.url + "/").text == "<!doctype html>hello"
        (tmp_path / "index.html").write_text("<!doctype html>changed")
        assert httpx.get(running.url + "/").text == "<!doctype html>changed"
        assert httpx.get(running.url + "/.secret").status_code == 404
    finally:
        assert running.stop()[0] == 0


def test_pages_from_elsewhere_may_not_post(http, server, hand):
    reply = http.post("/api/v1/nails", content=hand, headers={"Origin": "https://evil.example"})
    assert reply.status_code == 403 and reply.json()["status"] == "AUTH"
    own = http.post("/api/v1/nails", content=hand, headers={"Origin": server.url})
    assert own.status_code == 200


def test_allowed_origin(hand):
    running = Server(*NO_NAILS, "--allow-origin", "https://shop.example")
    try:
        reply = httpx.post(running.url + "/api/v1/nails", content=hand,
                           headers={"Origin": "https://shop.example"}, timeout=30)
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == "https://shop.example"
        asked = httpx.options(f"{running.url}/api/process_base64",
                              headers={"Origin": "https://shop.example",
                                       "Access-Control-Request-Method": "POST"})
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == "https://shop.example"
        assert asked.headers["access-control-allow-headers"] == "authorization, content-type"
        refused = httpx.options(f"{running.url}/api/process_base64",
                                headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers
    finally:
        assert running.stop()[0] == 0


def test_large_photo(http):
    picture = jpeg(Image.open(HANDS / "large.jpg"), 92)
    size = Image.open(HANDS / "large.jpg").size
    body = http.post("/api/process_base64", json={"image": data_url(picture)}).json()
    assert (body["width"], body["height"]) == size and body["nails"]
