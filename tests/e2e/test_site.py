"""`lacquer site`: what it writes and refuses, and the page from plain file servers in Chromium."""
import contextlib
import functools
import gzip
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tarfile
import threading
import time

import httpx
import pytest

from conftest import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
LACQUER = pathlib.Path(os.environ.get("LACQUER", ROOT / "build" / "lacquer"))
DEVICE = ROOT / "build" / "device"


def site(out, *args, status=0):
    done = subprocess.run([LACQUER, "site", "--out", out, *map(str, args)], capture_output=True,
                          text=True, timeout=60, cwd=ROOT)
    assert done.returncode == status, done.stderr
    return done


def make_device(folder):
    """Stands for the runtime where it is only written, not run."""
    folder.mkdir()
    files = {"lacquer.wasm": "part.wasm", "nail.onnx": "nail-1.onnx", "ort.mjs": "ort-1.mjs"}
    for name in files.values():
        (folder / name).write_bytes(name.encode() * 100)
    (folder / "part.wasm.gz").write_bytes(gzip.compress((folder / "part.wasm").read_bytes()))
    rows = {key: {"file": file, "bytes": 900, "gz": 1} for key, file in files.items()}
    nails = {"name": "some", "sizes": [[384, 288]], "threshold": 0.5}
    write_list(folder, {"version": 1, "nails": nails, "hand": False, "files": rows})
    return folder


@pytest.fixture
def device(tmp_path):
    return make_device(tmp_path / "device")


def write_list(folder, listed):
    (folder / "device.json").write_text(json.dumps(listed))


def read_list(folder):
    return json.loads((folder / "device.json").read_text())


def test_a_site_is_the_server_s_own_page(tmp_path, device):
    """The same bytes, but for the element's attribute and the worker's list."""
    out = tmp_path / "site"
    done = site(out, "--device", device)
    assert "python3 -m http.server" in done.stdout
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {"index.html", "sw.js", "tryon.js", "api/looks.json", "api/v1/info.json", "_headers",
            ".nojekyll", "device/part.wasm.pack", "device/ort-1.mjs"} <= files
    assert not {"token.html", "embed.html"} & files
    assert '<lacquer-tryon engine="device" ' in (out / "index.html").read_text()
    bundle, = (out / name for name in files if name.startswith("tryon-") and "source" not in name)
    assert bundle.name in (out / "index.html").read_text()
    looks = json.loads((out / "api/looks.json").read_text())
    listed = subprocess.run([LACQUER, "looks", "--json"], capture_output=True, check=True)
    assert looks == json.loads(listed.stdout)
    assert json.loads((out / "lacquer-site.json").read_text())["files"].__len__() == len(files) - 1
    part = read_list(out / "device")["files"]["lacquer.wasm"]
    assert part == {"file": "part.wasm.pack", "bytes": 900}
    packed = (out / "device" / part["file"]).read_bytes()
    assert gzip.decompress(packed) == (device / "part.wasm").read_bytes()
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
    (device / "part.wasm").rename(device / "other.wasm")
    listed = read_list(device)
    listed["files"]["lacquer.wasm"]["file"] = "other.wasm"
    write_list(device, listed)
    (out / "CNAME").write_text("polish.example\n")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref")
    site(out, "--device", device)
    assert (out / "device/other.wasm").is_file() and not (out / "device/part.wasm.pack").exists()
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
    """It takes the runtime's own one's place in the list, with what its sidecar says."""
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
    assert not (out / "device/nail-1.onnx").exists()
    weights = tmp_path / "mine.tflite"
    weights.write_bytes(b"network")
    assert "lacquer convert" in site(out, "--device", device, "--model", weights,
                                     status=2).stderr


def test_a_runtime_that_is_damaged(tmp_path, device):
    (device / "nail-1.onnx").unlink()
    assert "nail-1.onnx" in site(tmp_path / "out", "--device", device, status=1).stderr
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


@pytest.mark.parametrize("name", ("engine-choice", "transports"))
def test_modules_of_the_page_by_themselves(name):
    """web/live/engine-choice.js on a clock of its own; the interface of the transports."""
    done = subprocess.run(["node", "--test", HERE / f"{name}.test.mjs"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout


# ---- the npm package

APP = """
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { defineTryon, type LacquerEvents } from 'lacquer-tryon';
import { LacquerTryon } from 'lacquer-tryon/react';

// @ts-expect-error there is no such engine
export const wrong = () => <LacquerTryon engine="cloud" />;
// @ts-expect-error a look is a text
export const wrongLook = () => <LacquerTryon look={7} />;
export const name = (look: LacquerEvents['lacquer-look']): string | null => look.shade;

function Shop() {
    const [ready, setReady] = useState('');
    const [color, setColor] = useState('');
    return (
        <>
            <output id="ready">{ready}</output>
            <output id="color">{color}</output>
            <LacquerTryon assets="lacquer/" lang="en" color="#5a1118" stats={false}
                onReady={({ shades }) => setReady(`${shades} shades`)}
                onLook={(look, event) => setColor(`${look.color} ${event.type}`)} />
        </>
    );
}
defineTryon({ assets: 'nowhere/' }).catch((error: Error) => {
    document.title = error.message;
    createRoot(document.getElementById('root')!).render(<Shop />);
});
"""
PAGE = """<!doctype html><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">
<div id="root"></div><script type="module" src="app.js"></script>"""
TOOLS = HERE / "node_modules"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The tarball, made twice."""
    folder = make_device(tmp_path_factory.mktemp("npm") / "device")
    made = []
    for _ in range(2):
        done = subprocess.run([ROOT / "tools/npm.sh", LACQUER.parent, folder], cwd=ROOT, text=True,
                              capture_output=True, timeout=240)
        assert done.returncode == 0, done.stderr
        path, = (LACQUER.parent / "npm").glob("*.tgz")
        made.append(path.read_bytes())
    assert made[0] == made[1], "the same files gave another tarball"
    return path


@pytest.fixture(scope="module")
def project(package, tmp_path_factory):
    """A fresh project with the package installed from its tarball, as npm lays it."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "package.json").write_text('{"name": "shop", "private": true, "type": "module"}')
    (folder / "app.tsx").write_text(APP)
    done = subprocess.run(["npm", "install", "--offline", "--no-audit", "--no-fund", "--no-save",
                           "--ignore-scripts", "--legacy-peer-deps", package], cwd=folder,
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    (folder / "node_modules/@types").mkdir()
    for name in ("react", "react-dom", "scheduler", "csstype", "@types/react"):
        (folder / "node_modules" / name).symlink_to(TOOLS / name)
    (folder / "dom.d.ts").write_text(
        "declare module 'react-dom/client' {\n"
        "    export function createRoot(at: Element): { render(tree: unknown): void };\n}\n")
    return folder


def test_the_package_s_list(package):
    with tarfile.open(package) as tar:
        names = set(tar.getnames())
        described = json.load(tar.extractfile("package/package.json"))
    assert {"package/dist/tryon.js", "package/dist/api/looks.json",
            "package/dist/device/device.json", "package/tryon.d.ts", "package/react.js",
            "package/README.md", "package/LICENSE", "package/NOTICES"} <= names
    assert not {"package/dist/sw.js", "package/dist/index.html"} & names
    assert described["version"] == subprocess.run([LACQUER, "--version"], capture_output=True,
                                                  text=True).stdout.split()[1]


def test_the_package_s_types(project):
    """tsc --strict over React code that uses it, with two mistakes that it must see."""
    done = subprocess.run(
        ["node", TOOLS / "typescript/bin/tsc", "--noEmit", "--strict", "--jsx", "react-jsx",
         "--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib",
         "dom,dom.iterable,es2022", "app.tsx", "dom.d.ts"],
        cwd=project, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout


def test_the_package_in_a_bundle(project):
    """esbuild's bundle in Chromium: the element is defined by the files that `npx` copied."""
    esbuild = shutil.which("esbuild") or ROOT / ".deps/node_modules/.bin/esbuild"
    public = project / "public"
    done = subprocess.run([esbuild, "app.tsx", "--bundle", "--format=esm", "--jsx=automatic",
                           f"--outfile={public}/app.js"], cwd=project, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    copied = subprocess.run([project / "node_modules/.bin/lacquer-tryon", public / "lacquer"],
                            capture_output=True, text=True, timeout=60)
    assert copied.returncode == 0, copied.stderr
    (public / "index.html").write_text(PAGE)
    with host(project) as url:
        in_chromium("the_package_in_a_page", f"{url}public/", public)


# ---- in Chromium

class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own plain file server; it compresses nothing."""

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def host(folder):
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def nginx(folder, scratch):
    """The real one with the lines of docs/integrations/static.md, its paths and port ours."""
    program = ROOT / ".deps/servers/bin/nginx"
    if not program.exists():
        pytest.skip("there is no nginx: tools/setup.sh test")
    text = (ROOT / "docs/integrations/static.md").read_text()
    lines = re.search(r"    map \$uri .*?\n    }\n    server .*?\n    }\n", text, re.S)[0]
    port = free_port()
    lines = lines.replace("listen 80;", f"listen 127.0.0.1:{port};")
    lines = lines.replace("/srv/site", str(folder))
    types = ("types { text/html html; text/css css; text/javascript js mjs; application/json json; "
             "application/manifest+json webmanifest; image/svg+xml svg; image/png png; }")
    paths = "".join(f"{kind}_temp_path {scratch}/{kind};" for kind in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (scratch / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {scratch}/pid; events {{}}\n"
        f"http {{ {types} {paths} access_log off;\n{lines}}}\n")
    command = [program, "-e", "stderr", "-p", scratch, "-c", scratch / "nginx.conf"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            assert process.poll() is None, process.stderr.read()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/try/"
    finally:
        process.terminate()
        process.wait(20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_site_behind_nginx(tmp_path, device):
    """As the guide says: 150 kB before the camera, in three waves; what has a hash is kept."""
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


def in_chromium(name, url, folder):
    done = subprocess.run(["node", HERE / "browser-site.mjs", url, folder, name], cwd=HERE,
                          capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["ok"], result["error"]
    return result


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The site with the real runtime, two folders below the host's root."""
    if not (DEVICE / "device.json").exists():
        pytest.skip("the page's own engine is not built: tools/setup.sh device")
    top = tmp_path_factory.mktemp("host")
    (top / "a").mkdir()
    site(top / "a" / "shop")
    with host(top) as url:
        yield f"{url}a/shop/", top / "a" / "shop"


@pytest.mark.parametrize("name", ["live_on_a_phone_without_a_server",
                                  "offline_after_the_first_visit", "without_graphics_it_says_so"])
def test_a_site_in_chromium(name, shop):
    in_chromium(name, *shop)


def test_a_slow_server_gives_way_to_the_device(shop):
    """The server's own page, its replies held back by four seconds."""
    server = Server()
    try:
        in_chromium("a_slow_server_gives_way_to_the_device", f"{server.url}/", shop[1])
    finally:
        server.kill()
