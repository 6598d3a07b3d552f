"""`lacquer site`: what it writes and rejects, and the page in Chromium from plain file servers."""
import hashlib
import json
import os
import re
import subprocess

import httpx
import pytest
from PIL import Image

from conftest import HANDS, Server
from sites import (DEVICE, HERE, LACQUER, Quiet, all_in_chromium, host, in_chromium, make_device,
                   nginx, read_list, site, write_list, zstd)


@pytest.fixture
def device(tmp_path):
    return make_device(tmp_path / "device")


def test_a_site_is_the_server_s_own_page(tmp_path, device):
    """The same bytes, except for the element's attribute and the worker's list."""
    out = tmp_path / "site"
    done = site(out, "--device", device)
    assert "python3 -m http.server" in done.stdout
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {"index.html", "sw.js", "tryon.js", "api/looks.json", "api/v1/info.json", "_headers",
            ".nojekyll", "device/part-0123456789.wasm.pack", "device/ort-0123456789.mjs",
            "NOTICES.txt"} <= files
    assert not {"token.html", "embed.html"} & files
    assert '<lacquer-tryon engine="device" ' in (out / "index.html").read_text()
    bundle, = (out / name for name in files if name.startswith("tryon-") and "source" not in name)
    assert bundle.name in (out / "index.html").read_text()
    looks = json.loads((out / "api/looks.json").read_text())
    listed = subprocess.run([LACQUER, "looks", "--json"], capture_output=True, check=True)
    assert looks == json.loads(listed.stdout)
    assert json.loads((out / "lacquer-site.json").read_text())["files"].__len__() == len(files) - 1
    part = read_list(out / "device")["files"]["lacquer.wasm"]
    assert part == {"file": "part-0123456789.wasm.pack", "bytes": 900}
    packed = (out / "device" / part["file"]).read_bytes()
    assert zstd(packed, "-d") == (device / "part-0123456789.wasm").read_bytes()
    assert (out / "NOTICES.txt").read_text() == "Whose it is"
    assert json.loads((out / "api/v1/info.json").read_text())["model"] == "some"
    for name in ("index.html", "tryon.js", "manifest.webmanifest"):
        text = (out / name).read_text()
        assert 'src="/' not in text and 'href="/' not in text and '"/' not in text, name


def test_headers_for_hosts(tmp_path, device):
    """_headers in the form that Netlify and Cloudflare Pages read: each path's lines indented."""
    out = tmp_path / "site"
    site(out, "--device", device)
    rules, path = {}, None
    for line in (out / "_headers").read_text().splitlines():
        if not line.startswith(" "):
            path = line
            rules[path] = {}
        else:
            name, value = line.strip().split(": ", 1)
            rules[path][name] = value
    assert rules["/*"]["cross-origin-opener-policy"] == "same-origin"
    assert rules["/*"]["cross-origin-embedder-policy"] == "require-corp"
    assert "default-src 'none'" in rules["/*"]["content-security-policy"]
    assert len(rules) < 100  # Cloudflare's limit
    for path in rules.keys() - {"/*"}:
        assert (out / path[1:]).is_file() and "immutable" in rules[path]["cache-control"]


def test_an_earlier_site_is_replaced_whole(tmp_path, device):
    out = tmp_path / "site"
    site(out, "--device", device)
    old = (out / "sw.js").read_text()
    (device / "part-0123456789.wasm").rename(device / "other.wasm")
    listed = read_list(device)
    listed["files"]["lacquer.wasm"]["file"] = "other.wasm"
    write_list(device, listed)
    (out / "CNAME").write_text("polish.example\n")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref")
    site(out, "--device", device)
    assert (out / "device/other.wasm").is_file()
    assert not (out / "device/part-0123456789.wasm.pack").exists()
    assert (out / ".git/HEAD").read_text() == "ref" and (out / "CNAME").is_file()
    assert (out / "sw.js").read_text() != old


def test_folders_of_others_are_refused(tmp_path, device):
    out = tmp_path / "site"
    out.mkdir()
    (out / "thesis.tex").write_text("words")
    done = site(out, "--device", device, status=2)
    assert "thesis.tex" in done.stderr and "new folder" in done.stderr
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
    (out / "thesis.tex").unlink()
    site(out, "--device", device)
    (out / "ui" / "mine.js").write_text("1")
    done = site(out, "--device", device, status=2)
    assert "ui/mine.js" in done.stderr
    (out / "ui" / "mine.js").unlink()
    (out / "lacquer-site.json").write_text("{}")
    assert "no list of a site" in site(out, "--device", device, status=2).stderr


@pytest.mark.parametrize("args, said", [
    (["--device", "/nowhere"], "make device"),
    (["--looks", "/nowhere"], "/nowhere"),
    (["extra"], "not an option"),
])
def test_wrong_use_says_what_next(tmp_path, device, args, said):
    more = [] if "--device" in args else ["--device", device]
    done = subprocess.run([LACQUER, "site", "--out", tmp_path / "out", *args, *more],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and said in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_network_of_one_s_own(tmp_path, device):
    """It replaces the runtime's own in the list, with the values of its sidecar."""
    model = tmp_path / "mine.onnx"
    model.write_bytes(b"network")
    out = tmp_path / "site"
    assert "sidecar" in site(out, "--device", device, "--model", model, status=1).stderr
    assert not out.exists()
    sidecar = {"name": "mine", "head": "mask", "resize": "stretch", "sizes": [[320, 256]]}
    model.with_suffix(".json").write_text(json.dumps(sidecar))
    site(out, "--device", device, "--model", model)
    listed = read_list(out / "device")
    assert listed["nails"] == {"name": "mine", "sizes": [[320, 256]], "threshold": 0.5}
    row = listed["files"]["nail.onnx"]
    assert (out / "device" / row["file"]).read_bytes() == b"network" and row["bytes"] == 7
    assert not (out / "device/nail-0123456789.onnx").exists()
    weights = tmp_path / "mine.tflite"
    weights.write_bytes(b"network")
    assert "lacquer convert" in site(out, "--device", device, "--model", weights,
                                     status=2).stderr


def test_a_runtime_that_is_damaged(tmp_path, device):
    (device / "NOTICES.txt").rename(tmp_path / "elsewhere")
    assert "licences" in site(tmp_path / "out", "--device", device, status=1).stderr
    (tmp_path / "elsewhere").rename(device / "NOTICES.txt")
    (device / "nail-0123456789.onnx").unlink()
    assert "nail-0123456789.onnx" in site(tmp_path / "out", "--device", device, status=1).stderr
    (device / "device.json").write_text("[]")
    assert "make device" in site(tmp_path / "out", "--device", device, status=1).stderr
    (tmp_path / "passwd").write_text("root")
    write_list(device, {"files": {"a": {"file": "../passwd"}}})
    assert "passwd" in site(tmp_path / "out", "--device", device, status=2).stderr
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_folder_s_place(tmp_path, device):
    (tmp_path / "site").write_text("words")
    assert "Not a directory" in site(tmp_path / "site", "--device", device, status=1).stderr
    assert (tmp_path / "site").read_text() == "words"


@pytest.mark.parametrize("name", ("camera", "device-photos", "engine-choice", "files", "mounting",
                                  "redraw", "status", "strain", "transport-auto", "transports"))
def test_modules_of_the_page_by_themselves(name):
    """Starts of the camera, dropped files, photos on the device, what ends with the element, what
    screen readers are told, web/live's choice of an engine, the interface of the transports: on
    clocks and devices of their own."""
    done = subprocess.run(["node", "--test", HERE / f"{name}.test.mjs"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout


# ---- size and licences

@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The site with the real runtime, two folders below a host's root."""
    if not (DEVICE / "device.json").exists():
        pytest.skip("the page's own engine is not built: tools/setup.sh device")
    top = tmp_path_factory.mktemp("host")
    (top / "a").mkdir()
    site(top / "a" / "shop")
    return top


def test_the_runtime_weighs_5_mb_on_any_host(real):
    """The sum of the files on disk, for hosts that compress nothing, without those for WebGPU."""
    folder = real / "a/shop/device"
    rows = read_list(folder)["files"]
    sizes = {row["file"]: (folder / row["file"]).stat().st_size for name, row in rows.items()
             if not name.startswith("ort-webgpu")}
    assert len(sizes) == 7 and sum(sizes.values()) <= 5_000_000, sizes
    for row in rows.values():
        data = (folder / row["file"]).read_bytes()
        unpacked = zstd(data, "-d", "--long=27") if row["file"].endswith(".pack") else data
        assert len(unpacked) == row["bytes"] and hashlib.sha256(unpacked).hexdigest() == (
            row["sha256"])


def test_the_site_contains_its_parts_licences(real):
    """The licence texts of everything that a visitor downloads, and the origin of the weights."""
    text = (real / "a/shop/NOTICES.txt").read_text()
    for part in ("Apache License", "Copyright (c) Microsoft Corporation", "MIT License",
                 "THIRD PARTY SOFTWARE NOTICES", "Copyright (c) 2020 Arjun Barrett", "Rich Felker",
                 "LLVM-EXCEPTION", "CC BY 4.0", "creativecommons.org/licenses/by/4.0",
                 "nails_segmentation", "MediaPipe", "EfficientNet-Lite0"):
        assert part in text, part


# ---- in Chromium

def test_a_site_behind_nginx(tmp_path, device):
    """As the guide says: 150 kB before the camera, in three waves; hashed files are cached."""
    out = tmp_path / "site"
    site(out, "--device", device)
    with nginx(out, tmp_path) as url:
        answer = httpx.get(url)
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        bundle = re.search(r"tryon-[A-Z0-9]{8}\.js", answer.text)[0]
        assert "immutable" in httpx.get(f"{url}{bundle}").headers["cache-control"]
        for path in ("tryon-source.js", "live/live-picture.js", "device/device.json"):
            assert httpx.get(f"{url}{path}").headers["cache-control"] == "no-cache", path
        in_chromium("a_site_comes_in_150_kB", url, out)


def test_the_devices_state_is_read_from_the_browser(tmp_path, device):
    """The battery and the pressure on the processor, from Chromium's own APIs."""
    site(tmp_path / "site", "--device", device)
    with host(tmp_path / "site") as url:
        in_chromium("the_devices_state_is_read_from_the_browser", url, tmp_path / "site")


def test_hashed_files_are_cached_behind_nginx(tmp_path, device):
    """Even without a service worker, as in a shop's own page: hashed files are downloaded once."""
    out = tmp_path / "site"
    site(out, "--device", device)
    with nginx(out, tmp_path) as url:
        in_chromium("hashed_files_are_downloaded_once", url, out)


@pytest.fixture(scope="module")
def shop(real):
    with host(real) as url:
        yield f"{url}a/shop/", real / "a/shop"


@pytest.fixture(scope="module")
def in_the_shop(shop, request):
    chosen = [item.callspec.params["name"] for item in request.session.items
              if item.function is test_a_site_in_chromium]
    return all_in_chromium(chosen, *shop)


@pytest.mark.parametrize("name", ["live_on_a_phone_without_a_server",
                                  "missing_webgl_is_reported",
                                  "a_slowed_device_gives_way_and_comes_back",
                                  "without_the_headers_it_uses_one_thread"])
def test_a_site_in_chromium(name, in_the_shop, request):
    results, said = in_the_shop
    assert name in results, said
    request.node.took_s = results[name]["ms"] / 1000
    assert results[name]["ok"], results[name]["error"]


def test_the_second_visit_downloads_no_runtime(shop):
    """The nail detector is downloaded once and cached permanently: not even a conditional request
    is sent."""
    Quiet.asked.clear()
    found = in_chromium("offline_after_the_first_visit", *shop)["detail"]
    runtime = [(at, path) for at, path in Quiet.asked if "/device/" in path]
    assert len(runtime) >= 8
    later = [path for at, path in runtime if at > found["again"] / 1000]
    assert not later, later


def test_headers_give_a_site_threads(real):
    """The two headers in docs/integrations/static.md; the networks' times are in the result."""
    isolation = {"Cross-Origin-Opener-Policy": "same-origin",
                 "Cross-Origin-Embedder-Policy": "require-corp"}
    with host(real, isolation) as url:
        found = in_chromium("the_headers_enable_threads", f"{url}a/shop/", real / "a/shop")
    print(found["detail"])


def test_a_photo_keeps_its_size_on_the_device(shop):
    """Three megapixels, detected at several scales and painted by the page alone."""
    folder = shop[1].parent
    for name, ending, kind in (("light.jpg", "jpg", Image.Resampling.BICUBIC),
                               ("light.mask.png", "mask.png", Image.Resampling.BILINEAR)):
        with Image.open(HANDS / name) as picture:
            picture.resize((2048, 1536), kind).save(folder / f"photo.{ending}", quality=90)
    in_chromium("a_photo_keeps_its_size", *shop)


def test_a_slow_server_gives_way_to_the_device(shop):
    """The server's own page, with its replies delayed by four seconds."""
    server = Server()
    try:
        in_chromium("a_slow_server_gives_way_to_the_device", f"{server.url}/", shop[1])
    finally:
        server.kill()


def test_saving_data_downloads_no_runtime(real):
    server = Server()
    try:
        in_chromium("saving_data_downloads_no_runtime", f"{server.url}/", real / "a/shop")
    finally:
        server.kill()


def test_what_the_service_worker_caches(tmp_path, device):
    """The site's own sw.js, simulated in Node: what it downloads if data is to be saved, and
    how."""
    out = tmp_path / "site"
    site(out, "--device", device)
    done = subprocess.run(["node", "--test", HERE / "sw.test.mjs"], capture_output=True, text=True,
                          timeout=60, env={**os.environ, "SW": str(out / "sw.js")})
    assert done.returncode == 0, done.stdout
