"""Static sites for tests: writes one, serves it from several kinds of host, and opens it in
Chromium."""
import contextlib
import functools
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
LACQUER = pathlib.Path(os.environ.get("LACQUER", ROOT / "build" / "lacquer"))
DEVICE = ROOT / "build" / "device"


def site(out, *args, status=0):
    done = subprocess.run([LACQUER, "site", "--out", out, *map(str, args)], capture_output=True,
                          text=True, timeout=60, cwd=ROOT)
    assert done.returncode == status, done.stderr
    return done


def zstd(data, *args):
    return subprocess.run(["zstd", "-c", *args], input=data, capture_output=True, check=True).stdout


def make_device(folder):
    """A placeholder for the runtime if it is only written, not run."""
    folder.mkdir()
    files = {"lacquer.wasm": "part-0123456789.wasm", "nail.onnx": "nail-0123456789.onnx",
             "ort.mjs": "ort-0123456789.mjs"}
    for name in files.values():
        (folder / name).write_bytes(name.encode() * 100)
    (folder / f"{files['lacquer.wasm']}.zst").write_bytes(
        zstd((folder / files["lacquer.wasm"]).read_bytes()))
    (folder / "NOTICES.txt").write_text("Whose it is")
    rows = {key: {"file": file, "bytes": 900, "gz": 1} for key, file in files.items()}
    nails = {"name": "some", "sizes": [[384, 288]], "threshold": 0.5}
    write_list(folder, {"version": 1, "nails": nails, "hand": False, "files": rows})
    return folder


def write_list(folder, listed):
    (folder / "device.json").write_text(json.dumps(listed))


def read_list(folder):
    return json.loads((folder / "device.json").read_text())


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own plain file server, without compression."""

    asked = []  # (time, path) of all files that were served
    headers_sent = {}

    def log_message(self, *args):
        self.asked.append((time.time(), self.path))

    def end_headers(self):
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        super().end_headers()


@contextlib.contextmanager
def host(folder, headers=None):
    kind = type("Host", (Quiet,), {"headers_sent": headers or {}})
    handler = functools.partial(kind, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def nginx(folder, scratch):
    """The real nginx with the lines of docs/integrations/static.md, adapted to the test's paths and
    port."""
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


def all_in_chromium(names, url, folder):
    """The results of browser-site.mjs by their names, from one Chromium with a profile for each,
    and its output on stderr."""
    done = subprocess.run(["node", HERE / "browser-site.mjs", url, folder, *names], cwd=HERE,
                          capture_output=True, text=True, timeout=1800)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["name"]: result for result in results}, done.stderr


def in_chromium(name, url, folder):
    results, said = all_in_chromium([name], url, folder)
    assert name in results, said
    assert results[name]["ok"], results[name]["error"]
    return results[name]
