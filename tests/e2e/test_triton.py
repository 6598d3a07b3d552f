"""The triton engine with a real tritonserver."""
import contextlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import time

import httpx
import numpy as np
import pytest
from conftest import LACQUER, ROOT, Reply, Server, frame
from PIL import Image
from triton import Triton, free_port, mask_tflite, metric, needs_triton, serving, wait

pytestmark = needs_triton
# In floating point: int8 rounds differently with a dynamic batch, and pictures are compared byte by
# byte.
MODEL = ROOT / "models" / "nail-f16.onnx"
HAND = ROOT / "tests" / "golden" / "hands" / "light.jpg"
ONLY_NAIL = "--model-control-mode=explicit", "--load-model=nail"


# Of one request; where the machine is busy the default of a second is too short.
PATIENT = "--triton-timeout", "20000"


def lacquer(*args):
    patience = PATIENT if args[0] != "bench" and "--triton-url" in args else ()
    return subprocess.run([LACQUER, *map(str, args), *patience], capture_output=True, text=True,
                          timeout=120)


def write_repository(folder, *args):
    done = lacquer("triton-repo", "--out", folder, *args)
    assert done.returncode == 0, done.stderr
    return folder


def without_warm_up(config):
    """Makes the server ready sooner."""
    text = config.read_text()
    first, last = text.index("model_warmup"), text.index("parameters {\n  key: \"lacquer\"")
    config.write_text(text[:first] + text[last:])


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "repository"
    for name, args in ("nail", []), ("half", ["--input", "fp16"]), \
                      ("single", ["--input", "fp32", "--queue-delay", 100000]):
        write_repository(folder, "--model", MODEL, "--name", name, *args)
        if name != "nail":
            without_warm_up(folder / name / "config.pbtxt")
    # Our model with all tensors in half precision.
    shutil.copytree(folder / "half", folder / "halves")
    script = folder / "halves" / "1" / "model.py"
    script.write_text(script.read_text().replace("triton.Tensor(name, result)",
                                                 "triton.Tensor(name, result.astype('f2'))"))
    config = (folder / "half" / "config.pbtxt").read_text().replace('"half"', '"halves"', 1)
    config = config.replace("TYPE_FP32", "TYPE_FP16")
    (folder / "halves" / "config.pbtxt").write_text(config)
    # Two more, which are never run: one takes no pictures, one returns no mask.
    for name, was, dims in ("takes_none", "3, -1, -1", "7, 64, 64"), \
                           ("gives_none", "1, -1, -1", "5, 9, 9"):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "1" / "model.py").write_text(
            "import os, sys\nsys.path += os.environ['PYTHONPATH'].split(':')\n"
            "class TritonPythonModel:\n    pass\n")
        config = (folder / "single" / "config.pbtxt").read_text()
        config = config.replace('"single"', f'"{name}"', 1).replace(was, dims)
        (folder / name / "config.pbtxt").write_text(config)
    return folder


@pytest.fixture(scope="module")
def triton(repository):
    server = Triton(repository)
    try:
        yield server.start()
    finally:
        server.close()


# A half has 11 bits: its probabilities differ by up to 2^-12, and so do the pictures.
@pytest.mark.parametrize("name, type, most", [("nail", "UINT8", 1e-3), ("single", "FP32", 1e-3),
                                              ("half", "FP16", 1e-2), ("halves", "FP16", 1e-2)])
def test_same_outputs_as_in_this_process(triton, name, type, most):
    metadata = httpx.get(f"{triton.url}/v2/models/{name}").json()
    assert metadata["inputs"][0]["datatype"] == type
    done = subprocess.run([ROOT / "build" / "bench" / "bench-triton", MODEL, triton.url, name, "3"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)["models"]
    for way in "http", "shared_memory":
        assert report[way]["difference"] <= most
        assert most < 1e-2 or report[way]["difference"] > 0, "those were no halves"


def paint(out, picture, *args):
    """Applies polish; returns the report and the painted picture's bytes. Without the hand network,
    which runs in this process either way and whose result may depend on the last bit of a sum."""
    done = lacquer("apply", picture, "-o", out, "--precision", "f32", "--no-hands", "--json", *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), out.read_bytes()


def paint_everywhere(triton, name, model, picture, folder):
    remote = ["--triton-url", triton.url, "--triton-model", name, "--model", model]
    return [paint(folder / f"{way}.png", picture, *args) for way, args in (
        ("here", ["--model", model]), ("shm", remote), ("http", [*remote, "--triton-shm", "off"]))]


def test_same_picture_either_way(triton, tmp_path):
    found = paint_everywhere(triton, "single", MODEL, HAND, tmp_path)
    assert [told["engine"] for told, _ in found] == ["openvino", "triton", "triton"]
    assert [len(told["nails"]) for told, _ in found] == [5, 5, 5]
    assert len({picture for _, picture in found}) == 1


def network_alone(out, picture, model, *args):
    """The network's mask of a picture."""
    out.mkdir()
    done = lacquer("eval", "--images", picture.parent, "--raw", "--write-masks", out,
                   "--precision", "f32", "--model", model, *args)
    assert done.returncode == 0, done.stderr
    return np.asarray(Image.open(out / f"{picture.stem}.png"))


def test_bytes_give_the_same_mask_without_resizing(triton, tmp_path):
    """The network then gets the picture's own bytes either way."""
    picture = tmp_path / "pictures" / "small.png"
    picture.parent.mkdir()
    Image.open(HAND).resize((384, 288)).save(picture)
    here = network_alone(tmp_path / "here", picture, MODEL)
    there = network_alone(tmp_path / "there", picture, MODEL, "--triton-url", triton.url,
                          "--triton-model", "nail")
    assert np.array_equal(here, there) and (here > 0).sum() > 500


def test_bytes_give_nearly_the_same_picture_if_resized(triton, tmp_path):
    """Each pixel that the network gets is rounded to a 255th, which moves outlines slightly."""
    found = paint_everywhere(triton, "nail", MODEL, HAND, tmp_path)
    assert [len(told["nails"]) for told, _ in found] == [5, 5, 5]
    here, shm, http = (np.asarray(Image.open(tmp_path / f"{way}.png").convert("RGB"), float)
                       for way in ("here", "shm", "http"))
    assert np.array_equal(shm, http)
    error = ((here - shm) ** 2).mean()
    assert 10 * np.log10(255 ** 2 / error) > 45


def test_pixels_that_a_sidecar_normalises_travel_in_bytes(tmp_path, tmp_path_factory):
    """Its mean and deviation are removed again and applied by the server, in either layout."""
    models, picture = tmp_path / "models", tmp_path / "pictures" / "noise.png"
    picture.parent.mkdir()
    noise = np.random.default_rng(3).integers(0, 256, (64, 96, 3), np.uint8)
    Image.fromarray(noise).save(picture)
    sidecar = {"head": "mask", "output": "probability", "mean": [0.4, 0.5, 0.6],
               "std": [0.2, 0.25, 0.3]}
    files = {"nhwc": mask_tflite(tmp_path_factory, **sidecar, layout="nhwc"),
             "nchw": tmp_path / "nchw.onnx"}
    done = lacquer("convert", files["nhwc"], files["nchw"], "--nchw")
    assert done.returncode == 0, done.stderr
    files["nchw"].with_suffix(".json").write_text(json.dumps({**sidecar, "layout": "nchw"}))
    for name, model in files.items():
        write_repository(models, "--model", model, "--name", name)
    with contextlib.closing(Triton(models).start()) as triton:
        for name, model in files.items():
            here = network_alone(tmp_path / f"{name}-here", picture, model)
            there = network_alone(tmp_path / f"{name}-there", picture, model,
                                  "--triton-url", triton.url, "--triton-model", name)
            assert np.array_equal(here, there) and 0.1 < (here > 0).mean() < 0.9


def test_the_sidecar_comes_with_the_model(triton, tmp_path):
    model = tmp_path / "nail.onnx"  # and there is none beside it
    shutil.copy(MODEL, model)
    done = lacquer("apply", HAND, "-o", tmp_path / "out.jpg", "--triton-url", triton.url, "--json",
                   "--model", model)
    assert len(json.loads(done.stdout)["nails"]) == 5, done.stderr


def test_shared_memory_is_registered_and_given_back(triton, hand):
    with serving("--triton-url", triton.url, "--workers", "1", *PATIENT) as server, \
            server.v1() as socket:
        socket.send(frame(1, hand))
        assert len(Reply(socket.recv()).picture) > 1000
        regions = triton.regions_of_clients()
        assert regions and all(each["key"].startswith("/lacquer-frame-") for each in regions)
        assert all(os.path.exists("/dev/shm" + each["key"]) for each in regions)
    assert triton.regions_of_clients() == []
    assert not any(os.path.exists("/dev/shm" + each["key"]) for each in regions)


def test_a_killed_process_leaves_memory_that_the_next_removes(triton, hand):
    server = Server("--triton-url", triton.url, "--workers", "1", *PATIENT)
    with server.v1() as socket:
        socket.send(frame(1, hand))
        socket.recv()
        keys = [each["key"] for each in triton.regions_of_clients()]
        server.process.kill()
    server.heard()
    assert keys and all(os.path.exists("/dev/shm" + key) for key in keys)
    done = lacquer("apply", HAND, "-o", "/dev/null", "--triton-url", triton.url)
    assert done.returncode == 0, done.stderr
    assert not any(os.path.exists("/dev/shm" + key) for key in keys)


@contextlib.contextmanager
def users(server, count, picture):
    """That many sessions that send frames until the block ends, each waiting for one reply at a
    time."""
    stop, told, errors = threading.Event(), [[] for _ in range(count)], []

    def one(index):
        try:
            with server.v1(open_timeout=30) as socket:
                number = 0
                while not stop.is_set():
                    number += 1
                    socket.send(frame(number, picture))
                    reply = socket.recv(timeout=30)
                    good = isinstance(reply, bytes)
                    told[index].append((time.monotonic(), good))
                    if not good:
                        print(reply)
                        time.sleep(0.02)
        except Exception as error:  # noqa: BLE001 - the test must see any exception
            errors.append(repr(error))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    assert not errors


def test_frames_of_many_users_are_run_together(triton, hand):
    names = "nv_inference_count", "nv_inference_exec_count"
    before = [triton.metric(name, "single") for name in names]
    patience = *PATIENT, "--max-age", "20000"
    # A model that waits for others to share a batch: a fast one has seldom two at once.
    with serving("--triton-url", triton.url, "--triton-model", "single", *patience) as server, \
            users(server, 8, hand) as told:
        wait(lambda: sum(map(len, told)) >= 80, 60)
    inferences, executions = (triton.metric(name, "single") - was
                              for name, was in zip(names, before))
    assert all(good for each in told for _, good in each)
    assert inferences / executions > 1.5, (inferences, executions)


@pytest.mark.parametrize("args, words", [
    (["--triton-model", "nale"], "no model 'nale'"),
    (["--triton-version", "7"], "no model 'nail' of version 7: there are 1"),
    (["--triton-model", "takes_none"], "image f32 [1,7,64,64]"),
    (["--triton-model", "gives_none", "--fallback", "openvino"], "another shape"),
])
def test_a_model_that_is_not_there_or_not_ours(triton, args, words):
    done = lacquer("apply", HAND, "-o", "/dev/null", "--triton-url", triton.url, *args)
    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1], done.stderr


def test_bench_measures_the_triton_row(triton):
    done = lacquer("bench", "--seconds", "1", "--users", "0", "--rows", "ws,triton,tensorrt",
                   "--json", "--triton-url", triton.url, "--tensorrt-model", "nail")
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["ws"]["status"] == rows["triton"]["status"] == "measured", rows
    assert rows["triton"]["fps"] > 0 and rows["triton"]["p50_ms"] > 0
    # The row contains only TensorRT's results.
    assert rows["tensorrt"]["status"] == "not measured"
    assert rows["tensorrt"]["reason"] == "triton does not run 'nail' in TensorRT"


def test_no_server_at_start():
    done = lacquer("serve", "--port", "0", "--triton-url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "--fallback" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("args, words", [
    (["--engine", "triton"], "--triton-url"),
    (["--triton-url", "127.0.0.1:80000"], "http://HOST:PORT"),
    (["--triton-url", "grpc://127.0.0.1:8001"], "HTTP port"),
    (["--triton-url", "::1"], "in brackets"),
    (["--triton-url", "http://u:p@127.0.0.1:1"], "http://HOST:PORT"),
    (["--triton-url", "http://127.0.0.1:1", "--triton-model", "../x"], "--triton-model"),
    (["--triton-url", "http://127.0.0.1:1", "--fallback", "triton"], "--fallback"),
    (["--fallback", "openvino"], "--triton-url"),
    (["--triton-url", "http://127.0.0.1:1", "--triton-shm", "maybe"], "maybe"),
])
def test_wrong_use(args, words):
    done = lacquer("apply", HAND, "-o", "/dev/null", *args)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr


def test_a_server_that_starts_later_takes_over(repository, hand):
    """Nothing responds at start, so the fallback runs; then Triton starts, stops and starts
    again."""
    late = Triton(repository, *ONLY_NAIL)
    with serving("--triton-url", late.url, "--fallback", "openvino") as server, \
            contextlib.closing(late), users(server, 2, hand) as told:
        def fallback():
            return metric(server, "lacquer_triton_fallback_frames_total")[0]

        wait(lambda: min(map(len, told)) >= 2)
        assert metric(server, "lacquer_triton_up") == [0]
        assert fallback() >= 4
        late.start()
        wait(lambda: metric(server, "lacquer_triton_requests_total")[0] >= 4)
        late.close()
        before = fallback()
        wait(lambda: fallback() >= before + 4)
    # The fallback also takes over frames in flight: no client gets an error.
    assert all(good for each in told for _, good in each)
    said = server.heard()
    assert "frames run on openvino for now" in said and "frames run on triton again" in said


class Collector(http.server.BaseHTTPRequestHandler):
    """Receives OpenTelemetry's spans, as JSON over HTTP."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.spans += [span for resource in said["resourceSpans"]
                              for scope in resource["scopeSpans"] for span in scope["spans"]]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def collector():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.spans = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_a_request_and_its_inference_are_one_trace(repository, hand):
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    with collector() as spans:
        config = [f"--trace-config={each}" for each in (
            "mode=opentelemetry", "level=TIMESTAMPS", "rate=1",
            f"opentelemetry,url=http://127.0.0.1:{spans.server_address[1]}/v1/traces",
            "opentelemetry,bsp_schedule_delay=100")]
        triton = Triton(repository, *ONLY_NAIL, *config)
        with contextlib.closing(triton), serving("--triton-url", triton.start().url) as server:
            reply = httpx.post(f"{server.url}/api/v1/nails", content=hand, headers={
                "Content-Type": "image/jpeg", "traceparent": f"00-{trace}-{span}-01"})
            assert reply.status_code == 200, reply.text
            wait(lambda: any(each["traceId"] == trace for each in spans.spans))
            mine = [each for each in spans.spans if each["traceId"] == trace]
            assert span in [each["parentSpanId"] for each in mine], mine


def test_killed_and_restarted_under_load(repository, hand):
    """Without a fallback, frames get errors in the meantime, but no session is lost."""
    triton = Triton(repository, *ONLY_NAIL).start()
    # On a busy machine Triton may not respond for a second; one that is gone refuses at once.
    with contextlib.closing(triton), serving("--triton-url", triton.url, *PATIENT) as server, \
            users(server, 4, hand) as told:
        wait(lambda: min(map(len, told)) >= 3)
        triton.close()
        killed = time.monotonic()
        wait(lambda: all(not each[-1][1] for each in told))
        triton.start()
        ready = time.monotonic()
        wait(lambda: all(each[-1][1] and each[-1][0] > ready for each in told))
    firsts = [next(when for when, good in each if good and when > ready) for each in told]
    print(f"down {ready - killed:.1f} s, every session served again "
          f"{max(firsts) - ready:.2f} s after the server was ready")
    # A limit of the design, not of the machine: a server that is down is checked every 100 ms.
    assert max(firsts) - ready < 2
