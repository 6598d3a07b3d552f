"""A real tritonserver for the tests, and a stub that imitates one."""
import contextlib
import http.server
import json
import math
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time

import httpx
import numpy as np
import pytest
from conftest import ROOT, Server

sys.path.append(str(ROOT / "tests" / "convert"))
from tflite_builder import Builder  # noqa: E402

HOME = ROOT / ".deps" / "tritonserver"
SERVER = HOME / "pytriton" / "tritonserver"

needs_triton = pytest.mark.skipif(
    not (SERVER / "bin" / "tritonserver").exists(),
    reason="no tritonserver here: tools/setup.sh fetches one for Python 3.11 on x86-64")


@contextlib.contextmanager
def serving(*args):
    """Runs `lacquer serve` until the block ends; its output is heard() then."""
    server = Server(*args)
    try:
        yield server
    except BaseException:
        server.process.kill()
        raise
    status, said = server.stop()
    assert status == 0, said


def metric(server, name):
    """Every value of one of lacquer's own counters."""
    text = httpx.get(f"{server.url}/metrics").text
    return [float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)]


def wait(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


def mask_tflite(tmp_path_factory, name="serving_default_image:0", **sidecar):
    """A mask model as TensorFlow exports it (NHWC, a colon in a name), and its sidecar."""
    random = np.random.default_rng(7)
    builder = Builder()
    image = builder.tensor([1, 64, 96, 3], name=name, signature=[-1, 64, 96, 3])
    inner = builder.tensor([1, 64, 96, 1], signature=[-1, 64, 96, 1])
    mask = builder.tensor([1, 64, 96, 1], name="mask", signature=[-1, 64, 96, 1])
    kernel = builder.constant(random.normal(size=(1, 3, 3, 3)).astype(np.float32))
    bias = builder.constant(np.zeros(1, np.float32))
    builder.op("CONV_2D", [image, kernel, bias], [inner], "Conv2DOptions", padding=0, strideH=1,
               strideW=1, dilationHFactor=1, dilationWFactor=1)
    builder.op("LOGISTIC", [inner], [mask])
    model = tmp_path_factory.mktemp("tflite") / "small.tflite"
    model.write_bytes(builder.finish([image], [mask]))
    model.with_suffix(".json").write_text(json.dumps(
        {"name": "small", "head": "mask", "output": "probability", "layout": "nhwc", **sidecar}))
    return model


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Triton:
    """tritonserver on loopback ports that stay the same across restarts."""

    def __init__(self, repository, *args):
        self.repository, self.args = repository, args
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.regions = f"triton-test-{os.getpid()}-{self.port}-"
        self.said = tempfile.TemporaryFile("w+")
        self.process = None

    def start(self, wait=True):
        library = sysconfig.get_config_var("LIBDIR") or ""
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": f"{HOME / 'nvidia_pytriton.libs'}:{library}",
            "PYTHONPATH": f"{HOME}:{ROOT / '.deps' / 'openvino' / 'python'}",
        }
        self.process = subprocess.Popen(
            [SERVER / "bin" / "tritonserver", f"--model-repository={self.repository}",
             f"--backend-directory={SERVER / 'backends'}", "--http-address=127.0.0.1",
             f"--http-port={self.port}", "--allow-grpc=false", "--metrics-address=127.0.0.1",
             f"--metrics-port={self.metrics_port}", "--allow-gpu-metrics=false",
             "--metrics-interval-ms=100", "--exit-timeout-secs=2", "--log-info=false",
             f"--backend-config=python,shm-region-prefix-name={self.regions}", *self.args],
            stdout=self.said, stderr=self.said, env=environment, start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def ready(self):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/v2/health/ready").status_code == 200
        return False

    def wait_ready(self, seconds=90):
        end = time.monotonic() + seconds
        while not self.ready():
            assert self.process.poll() is None and time.monotonic() < end, self.heard()
            time.sleep(0.02)

    def heard(self):
        self.said.seek(0)
        return self.said.read()

    def metric(self, name, model="nail"):
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        found = re.search(rf'^{name}{{model="{model}",version="1"}} (\S+)$', text, re.M)
        return float(found[1])

    def regions_of_clients(self):
        return httpx.get(f"{self.url}/v2/systemsharedmemory/status").json()

    def close(self):
        """Kills it without a shutdown, together with the processes that run its models."""
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=60)
        for left in pathlib.Path("/dev/shm").glob(f"{self.regions}*"):
            left.unlink()


TYPES = {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8}


def good_reply(shape):
    """An all-zero mask with the shape of nail.onnx's: half the size in each direction."""
    out = [shape[0], 1, shape[2] // 2, shape[3] // 2]
    size = 4 * math.prod(out)
    head = {"outputs": [{"name": "mask", "datatype": "FP32", "shape": out,
                         "parameters": {"binary_data_size": size}}]}
    return head, bytes(size)


class Stub:
    """Responds like Triton, until `mode` names a fault."""

    def __init__(self, port=None):
        self.mode, self.asked = "good", 0
        self.type, self.output = "FP32", "FP32"  # of its model's tensors
        self.traces = []    # the traceparent of each inference
        self.tensor = None  # the last picture received
        self.stopping = threading.Event()
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stub.answer_get(self)

            def do_POST(self):
                stub.answer_post(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # clients disconnect after a response that they reject

        self.server = Server(("127.0.0.1", port or 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def send(handler, status, body, **headers):
        handler.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            handler.send_header(name.replace("_", "-"), str(value))
        handler.end_headers()
        handler.wfile.write(body)

    def answer_get(self, handler):
        if handler.path.endswith("/ready"):
            return self.send(handler, 200 if self.mode != "not ready" else 400, b"")
        if "systemsharedmemory" in handler.path:
            return self.send(handler, 404, b'{"error": "there is none"}')
        if handler.path.endswith("/v2"):
            return self.send(handler, 200, json.dumps(
                {"name": "triton", "version": "stub",
                 "extensions": ["model_repository", "binary_tensor_data"]}).encode())
        side = 16384 if self.mode == "huge tensor" else -1
        if handler.path.endswith("/config"):
            return self.send(handler, 200, b'{"parameters": {}}')
        meta = {"name": "nail", "versions": ["1"], "platform": "stub",
                "inputs": [{"name": "image", "datatype": self.type, "shape": [-1, 3, side, side]}],
                "outputs": [{"name": "mask", "datatype": self.output, "shape": [-1, 1, -1, -1]}]}
        self.send(handler, 200, json.dumps(meta).encode())

    def answer_post(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if "systemsharedmemory" in handler.path:
            return self.send(handler, 400, b'{"error": "shared memory is off"}')
        self.asked += 1
        self.traces.append(handler.headers.get("traceparent"))
        head_length = int(handler.headers["Inference-Header-Content-Length"])
        head, tensor = json.loads(body[:head_length]), body[head_length:]
        (sent,) = head["inputs"]
        if sent["datatype"] != self.type:
            return self.send(handler, 400, b'{"error": "input is of another type"}')
        self.tensor = np.frombuffer(tensor, TYPES[self.type]).reshape(sent["shape"])
        assert sent["parameters"]["binary_data_size"] == len(tensor)
        good, payload = good_reply(sent["shape"])
        getattr(self, "reply_" + self.mode.replace(" ", "_"))(handler, good, payload)

    def reply(self, handler, head, payload, **headers):
        text = head if isinstance(head, bytes) else json.dumps(head).encode()
        self.send(handler, 200, text + payload,
                  **{"Inference_Header_Content_Length": len(text), **headers})

    reply_good = reply

    def reply_bad_json(self, handler, head, payload):
        self.reply(handler, b'{"outputs": [', payload)

    def reply_json_of_another_kind(self, handler, head, payload):
        self.reply(handler, b"[[[[1]]]]", payload)

    def reply_long_header(self, handler, head, payload):
        self.reply(handler, head, payload, Inference_Header_Content_Length=10 ** 9)

    def reply_negative_header(self, handler, head, payload):
        self.reply(handler, head, payload, Inference_Header_Content_Length=-5)

    def reply_no_header(self, handler, head, payload):
        self.send(handler, 200, json.dumps(head).encode())

    def reply_short_binary(self, handler, head, payload):
        self.reply(handler, head, payload[:-4])

    def reply_long_binary(self, handler, head, payload):
        self.reply(handler, head, payload + b"more")

    def reply_huge_size(self, handler, head, payload):
        head["outputs"][0]["parameters"]["binary_data_size"] = 2 ** 62
        self.reply(handler, head, payload)

    def reply_huge_content_length(self, handler, head, payload):
        self.reply(handler, head, payload, Content_Length=10 ** 13)

    def reply_wrong_type(self, handler, head, payload):
        head["outputs"][0]["datatype"] = "INT32"
        self.reply(handler, head, payload)

    def reply_wrong_shape(self, handler, head, payload):
        head["outputs"][0]["shape"] = [1, 1, 4, 4]
        self.reply(handler, head, payload)

    def reply_overflowing_shape(self, handler, head, payload):
        head["outputs"][0]["shape"] = [2 ** 31 - 1] * 4
        self.reply(handler, head, payload)

    def reply_missing_output(self, handler, head, payload):
        self.reply(handler, {"outputs": []}, b"")

    def reply_output_twice(self, handler, head, payload):
        self.reply(handler, {"outputs": head["outputs"] * 2}, payload * 2)

    def reply_error(self, handler, head, payload):
        self.send(handler, 500, b'{"error": "the GPU fell off"}')

    def reply_long_words(self, handler, head, payload):
        # Wherever it is cut, it is cut within a character; also has a line break and a terminal
        # colour.
        words = "ab\n\x1b[31m" + "\u20ac" * 400
        self.send(handler, 500, json.dumps({"error": words}, ensure_ascii=False).encode())

    def reply_redirect(self, handler, head, payload):
        self.send(handler, 302, b"", Location="http://127.0.0.1:1/")

    def reply_cut_off(self, handler, head, payload):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
        handler.close_connection = True

    def reply_no_http(self, handler, head, payload):
        handler.wfile.write(b"\x00\x01\x02 hello\r\n\r\n")
        handler.close_connection = True

    def reply_endless_chunks(self, handler, head, payload):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        while not self.stopping.is_set():
            handler.wfile.write(chunk)

    def reply_endless_headers(self, handler, head, payload):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.stopping.is_set():
            handler.wfile.write(b"X: " + b"y" * 1000 + b"\r\n")

    def reply_slow(self, handler, head, payload):
        self.stopping.wait(3)
        self.reply(handler, head, payload)

    def reply_late(self, handler, head, payload):
        self.stopping.wait(0.4)
        self.reply(handler, head, payload)

    def reply_drip(self, handler, head, payload):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not self.stopping.is_set():
            handler.wfile.write(b"x")
            time.sleep(0.05)
