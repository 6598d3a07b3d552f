"""lacquer bench as a command: its JSON, its errors, and whether its figures are consistent."""
import json
import os
import pathlib
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LACQUER = os.environ.get("LACQUER", ROOT / "build" / "lacquer")
os.environ.setdefault("LACQUER_TUNE", "off")


def bench(*args, timeout=300):
    return subprocess.run([LACQUER, "bench", *args], capture_output=True, text=True,
                          timeout=timeout)


@pytest.fixture(scope="module")
def report():
    done = bench("--seconds", "1", "--json", "--users", "2", "--fps", "10",
                 "--rows", "http,ws,ws-nails,triton,tensorrt,tensorrt-here,socketio")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def row(report, name):
    return next(row for row in report["rows"] if row["id"] == name)


def test_schema(report):
    assert {"machine", "commit", "rows", "peers", "load", "busy", "load_average"} <= report.keys()
    assert re.search(r"\d+ cores", report["machine"])
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?|unknown|v?\d.*", report["commit"])
    assert [row["id"] for row in report["rows"]] == ["http", "ws", "ws-nails", "triton", "tensorrt",
                                                  "tensorrt-here", "socketio"]
    assert report["peers"] == []
    assert report["frames"]["width"] == 640 and report["frames"]["height"] == 480
    for each in report["rows"]:
        assert each["name"]
        if each["status"] == "measured":
            keys = ("fps", "p50_ms", "p95_ms", "p99_ms", "bytes_per_frame", "cpu_percent")
            assert all(each[key] > 0 for key in keys), each
        else:
            assert each["status"] == "not measured" and each["reason"], each
            assert "fps" not in each


def test_users_with_rate_control_are_served():
    """Cameras of 200 frames a second send the 60 that the server requests, or fewer if 60 are too
    many."""
    loads = []
    for more in ([], ["--rate-control"]):
        done = bench("--seconds", "2", "--json", "--users", "1", "--fps", "200", "--rows",
                     "ws-nails",
                     "--model", str(ROOT / "tests" / "fixtures" / "tiny_map.onnx"), *more)
        assert done.returncode == 0, done.stderr
        loads.append(json.loads(done.stdout))
    assert [load["rate_control"] for load in loads] == [False, True]
    assert 5 < loads[1]["load"][0]["fps_each"] < 66


@pytest.mark.parametrize("name", ["http", "ws", "ws-nails", "socketio"])
def test_rows_for_the_cpu_are_measured(report, name):
    assert row(report, name)["status"] == "measured", row(report, name)


def test_a_row_without_its_engine_gives_the_reason(report):
    assert "--triton-url" in row(report, "triton")["reason"]
    if not os.path.exists("/dev/nvidiactl"):
        for name in "tensorrt", "tensorrt-here":
            assert row(report, name)["reason"] == "no NVIDIA GPU found"


def test_stages_of_a_frame_add_up(report):
    """In rows whose replies contain stages: the stages add up to the total, and that is less than
    the latency at the client."""
    for name in ("ws", "ws-nails"):
        times = row(report, name)["server_ms"]
        assert list(times) == ["queue", "decode", "prepare", "infer", "nails", "paint", "encode",
                               "total"]
        stages = sum(value for key, value in times.items() if key != "total")
        assert 0.8 * times["total"] < stages <= 1.01 * times["total"]
        assert times["infer"] > times["prepare"] > 0
    assert row(report, "ws-nails")["server_ms"]["encode"] == 0
    assert "server_ms" not in row(report, "http")


def test_capacity_on_paper(report, tmp_path):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(report))
    done = subprocess.run([ROOT / "tools" / "capacity.py", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()
             if line.startswith("| `")]
    assert len(lines) == 3 * (2 + 3) + 2  # crowds, rates of both replies; other work
    for line in lines[:15]:
        users, each, nodes = (float(cell.replace(",", "")) for cell in line[1:4])
        assert abs(nodes - users / each) < 1 + users * 0.06 / each ** 2, line
    assert float(lines[0][2]) * 30 == pytest.approx(0.8 * row(report, "ws")["fps"], abs=1.6)
    path.write_text(json.dumps({**report, "rows": []}))
    done = subprocess.run([ROOT / "tools" / "capacity.py", path], capture_output=True, text=True)
    assert done.returncode == 1 and "--rows ws,ws-nails" in done.stderr


@pytest.mark.parametrize("name", ["http", "ws", "socketio"])
def test_figures_agree(report, name):
    each = row(report, name)
    assert each["p50_ms"] <= each["p95_ms"] <= each["p99_ms"]
    # With one frame in flight, frames a second times the mean latency is one second. The median
    # replaces the mean, which a few slow frames can raise but hardly lower.
    assert 300 < each["fps_one_in_flight"] * each["p50_ms"] < 1300
    # With two in flight, at most twice as many.
    assert each["fps"] < 2.5 * each["fps_one_in_flight"]
    assert each["frames"] >= 6
    cores = int(re.search(r"(\d+) cores", report["machine"])[1])
    assert each["cpu_percent"] <= 105 * cores


def test_base64_costs_a_third_more_bytes(report):
    ratio = row(report, "http")["bytes_per_frame"] / row(report, "ws")["bytes_per_frame"]
    assert 1.25 < ratio < 1.5
    # A list of nails has far fewer bytes than a picture.
    assert row(report, "ws-nails")["bytes_per_frame"] < report["frames"]["bytes"] * 1.25
    # One frame is uploaded and one is downloaded.
    assert row(report, "ws")["bytes_per_frame"] > report["frames"]["bytes"] * 1.2


def test_load(report):
    (load,) = report["load"]
    assert load["users"] == 2 and load["status"] == "measured"
    assert 0 < load["fps_each"] <= 11
    assert load["p50_ms"] <= load["p99_ms"]
    assert 0 <= load["propagated_percent"] < 100
    # Every requested frame has a reply or counts as dropped (one second, two users, 10 a second).
    assert 14 <= load["fps_each"] * 2 + load["dropped"] <= 24


def test_table_for_people():
    done = bench("--seconds", "0.3", "--users", "0", "--rows", "ws,tensorrt")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^WebSocket binary \+ CPU +[\d.]+ +[\d.]+", done.stdout, re.M)
    assert "base64 over HTTP" not in done.stdout
    assert "Users at once" not in done.stdout


def test_plot(tmp_path):
    path = tmp_path / "load.svg"
    done = bench("--seconds", "0.3", "--users", "1,2", "--rows", "ws", "--plot", str(path))
    assert done.returncode == 0, done.stderr
    root = ElementTree.fromstring(path.read_text())
    drawn = [each.get("d") for each in root.iter("{http://www.w3.org/2000/svg}path")
             if each.get("fill") == "none"]
    assert len(drawn) == 3 and all(re.fullmatch(r"M[\d. ]+L[\d. ]+", d) for d in drawn)
    done = bench("--seconds", "0.2", "--users", "1", "--rows", "ws", "--plot", "/nowhere/x.svg")
    assert done.returncode == 1 and "/nowhere/x.svg" in done.stderr


def test_refused_users_are_counted(tmp_path):
    done = bench("--json", "--seconds", "3", "--users", "10", "--fps", "60", "--rows", "ws", "--",
                 "--max-wait", "1")
    assert done.returncode == 0, done.stderr
    (load,) = json.loads(done.stdout)["load"]
    assert load["status"] == "measured" and load["refused"] > 0 and load["served"] < 10


def test_no_server_is_left(tmp_path):
    model = tmp_path / "model.onnx"
    model.symlink_to(ROOT / "models" / "nail.onnx")
    done = bench("--seconds", "0.2", "--users", "0", "--rows", "ws", "--model", str(model))
    assert done.returncode == 0, done.stderr
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert str(tmp_path).encode() not in path.read_bytes()
        except OSError:
            pass  # it ended in the meantime


@pytest.mark.parametrize("args, status, words", [
    (["--rows", "ws,telegraph"], 2, "telegraph"),
    (["--seconds", "0"], 2, "--seconds"),
    (["--users", "x"], 2, "--users"),
    (["--url", "https://127.0.0.1"], 2, "http://"),
    (["--url", "http://127.0.0.1:1", "--rows", "ws", "--users", "0"], 0, ""),
    (["--frames", "/nowhere"], 1, "/nowhere"),
    (["--model-yolo", "/nowhere.tflite"], 1, "/nowhere.tflite"),
    (["--rows", "ws", "--users", "0", "--model", "/nowhere.onnx"], 1, "nowhere.onnx"),
])
def test_wrong_use(args, status, words):
    done = bench("--seconds", "0.2", *args)
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    if status == 1:
        assert done.stderr.count("\n") == 1, "one line says it"


def test_a_missing_server_is_reported(tmp_path):
    done = bench("--json", "--url", "http://127.0.0.1:1", "--rows", "ws,http", "--users", "1")
    report = json.loads(done.stdout)
    for each in report["rows"] + report["load"]:
        assert each["status"] == "not measured" and "cannot connect" in each["reason"]


def test_peers_without_their_packages_say_what_to_do(tmp_path):
    (tmp_path / "peers").mkdir()
    done = bench("--json", "--seconds", "0.2", "--users", "0", "--rows", "tensorrt", "--peers",
                 "--peers-dir", str(tmp_path / "peers"))
    peers = json.loads(done.stdout)["peers"]
    assert len(peers) >= 4
    assert all("bench/peers/setup.sh" in peer["reason"] for peer in peers)


# An empty stack that sends back what it gets. The packages of the real one are not needed here.
ECHO = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(b"ok")
    def do_POST(self):
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(json.dumps({"success": True, "image": fields["image"]}).encode())
    def log_message(self, *args):
        pass
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def echo_stack(tmp_path):
    folder, programs = tmp_path / "bench" / "peers", tmp_path / ".deps" / "venv-peers" / "bin"
    folder.mkdir(parents=True)
    programs.mkdir(parents=True)
    (folder / "app.py").write_text(ECHO)
    (programs / "python").symlink_to(sys.executable)
    return folder


def test_a_peer_is_measured_in_turn_with_lacquer(echo_stack):
    done = bench("--json", "--seconds", "0.3", "--users", "0", "--rows", "tensorrt",
                 "--peers=nail-http", "--peers-dir", str(echo_stack))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (peer,) = report["peers"]
    assert peer["status"] == "measured", peer
    assert peer["rounds"] == 3 and peer["frames"] >= 60  # thirty with one and with two in flight
    low, high = peer["fps_spread"]
    assert 0 < low <= peer["fps"] <= high
    assert peer["threads"] == int(re.search(r"(\d+) cores", report["machine"])[1])
    assert peer["lacquer_fps_same_model"] > 0
    assert peer["cpu_ms_per_frame"] >= 0  # counted in clock ticks: an echo may take none
    # If others use the machine, ratios would be meaningless, and the report contains none.
    assert report["busy"] == (report["busy_percent"] > 15
                              or report["load_average"] > peer["threads"])
    for key in ("ratio_same_model", "ratio_own_model"):
        assert (key in peer) == (not report["busy"])
        if key in peer:
            median, least, most = peer[key]
            assert 0 < least <= median <= most


def test_peers_by_name():
    done = bench("--peers=nail-http,telegraph")
    assert done.returncode == 2 and "telegraph" in done.stderr


def test_the_graph_of_the_usual_model_is_made_here(tmp_path):
    """Built without an external file: with the shape, the head and the operators of real
    exports."""
    path = tmp_path / "shape.tflite"
    subprocess.run([sys.executable, ROOT / "bench" / "peers" / "make_yolo.py", path], check=True)
    assert 23e6 < path.stat().st_size < 25e6
    done = subprocess.run([LACQUER, "inspect", "--json", path], capture_output=True, text=True,
                          check=True)
    found = json.loads(done.stdout)
    assert found["head"] == "yolo-seg" and found["sizes"] == [[640, 640]]
    assert [tensor["dims"] for tensor in found["outputs"]] == [[1, 37, 8400], [1, 160, 160, 32]]
    assert found["operators"]["CONV_2D"] >= 75


def test_rows_of_the_page_that_finds_nails_itself():
    """Measured, or the reason why not: Chromium's driver, the page's own engine or a GPU may be
    missing."""
    done = bench("--seconds", "2", "--json", "--users", "0", "--rows", "page-wasm,page-webgpu",
                 timeout=600)
    assert done.returncode == 0, done.stderr
    wasm, webgpu = json.loads(done.stdout)["rows"]
    assert [wasm["name"], webgpu["name"]] == ["in the page, WebAssembly", "in the page, WebGPU"]
    for each in (wasm, webgpu):
        if each["status"] == "measured":
            assert each["fps"] > 0 and each["p50_ms"] > 0 and each["frames"] > 0, each
            assert each["page"]["display_fps"] > 0 and each["page"]["thread_ms"] > 0, each
            assert each["page"]["finder_fps"] > 0, each
            assert 1e6 < each["page"]["bytes"] < 2e7, each
        else:
            assert each["status"] == "not measured" and each["reason"], each
    built = (pathlib.Path(LACQUER).parent / "device" / "device.json").exists()
    if built and (ROOT / "tests/e2e/node_modules/playwright-core").exists():
        assert wasm["status"] == "measured", wasm
