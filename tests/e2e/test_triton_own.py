"""Third-party models in a real tritonserver: all that is known about them is the server's
description."""
import json
import subprocess

import pytest
from conftest import LACQUER
from test_kserve import red  # noqa: F401
from triton import Triton, needs_triton

pytestmark = needs_triton

# A YOLOv8-seg that always finds one nail at the same place, and a map that is white where the
# picture is red.
SCRIPT = '''
import json, os, sys
sys.path += os.environ["PYTHONPATH"].split(os.pathsep)
import numpy as np
import triton_python_backend_utils as pb

class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.input = config["input"][0]["name"]
        self.outputs = {each["name"]: pb.triton_string_to_numpy(each["data_type"])
                        for each in config["output"]}

    def yolo(self, x):
        b, _, h, w = x.shape
        n = (h // 8) * (w // 8) + (h // 16) * (w // 16) + (h // 32) * (w // 32)
        det, proto = np.zeros((b, 37, n)), np.full((b, 32, h // 4, w // 4), -1.0)
        random = np.random.default_rng(1)
        det[:, 0], det[:, 1], det[:, 2:4] = random.random(n) * w, random.random(n) * h, 20
        det[:, :4, 0] = w * .12, h * .38, w * .07, h * .06
        det[:, 4, 0], det[:, 5, 0] = .9, 8
        proto[:, 0, int(h * .36 / 4):int(h * .40 / 4), int(w * .09 / 4):int(w * .15 / 4)] = 1
        return {"output0": det, "output1": proto}

    def mask(self, x):
        logits = (x[:, :1] - x[:, 1:2] - 0.4) * 20
        return {"logits": logits, "likely": 1 / (1 + np.exp(-logits))}

    def execute(self, requests):
        replies = []
        for request in requests:
            x = pb.get_input_tensor_by_name(request, self.input).as_numpy().astype(np.float32)
            bare = x.ndim == 3
            x = x[None] if bare else x
            made = self.yolo(x) if "output0" in self.outputs else self.mask(x)
            replies.append(pb.InferenceResponse(
                [pb.Tensor(name, (made[name][0] if bare else made[name]).astype(type))
                 for name, type in self.outputs.items()]))
        return replies
'''
DET, PROTO = "output0", "output1"
MODELS = {  # largest batch, input, outputs in the configured order
    "swapped": (4, [3, 320, 320], {PROTO: [32, 80, 80], DET: [37, 2100]}),
    "straight": (4, [3, 320, 320], {DET: [37, 2100], PROTO: [32, 80, 80]}),
    "open": (4, [3, -1, -1], {PROTO: [32, -1, -1], DET: [37, -1]}),
    "all_open": (4, [-1, -1, -1], {DET: [-1, -1], PROTO: [-1, -1, -1]}),
    "halves": (4, [3, 320, 320], {PROTO: [32, 80, 80], DET: [37, 2100]}),
    "alone": (0, [1, 3, 320, 320], {PROTO: [1, 32, 80, 80], DET: [1, 37, 2100]}),
    "bare": (0, [3, 320, 320], {PROTO: [32, 80, 80], DET: [37, 2100]}),
    "logits": (4, [3, 192, 256], {"logits": [1, 192, 256]}),
    "likely": (4, [3, 192, 256], {"likely": [1, 192, 256]}),
    "logits_open": (4, [3, -1, -1], {"logits": [1, -1, -1]}),
    "likely_open": (4, [3, -1, -1], {"likely": [1, -1, -1]}),
}


def config(name, batch, picture, outputs):
    type = "TYPE_FP16" if name == "halves" else "TYPE_FP32"
    told = ", ".join(f'{{ name: "{each}" data_type: {type} dims: {dims} }}'
                     for each, dims in outputs.items())
    return (f'name: "{name}"\nbackend: "python"\nmax_batch_size: {batch}\n'
            f'input [ {{ name: "images" data_type: {type} dims: {picture} }} ]\n'
            f'output [ {told} ]\n')


@pytest.fixture(scope="module")
def triton(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own") / "repository"
    for name, model in MODELS.items():
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "1" / "model.py").write_text(SCRIPT)
        (folder / name / "config.pbtxt").write_text(config(name, *model))
    server = Triton(folder)
    try:
        yield server.start()
    finally:
        server.close()


def apply(triton, picture, out, *args, status=0):
    done = subprocess.run([LACQUER, "apply", picture, "-o", out, "--json", "--triton-url",
                           triton.url.removeprefix("http://"), *args],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return (json.loads(done.stdout) if status == 0 else None), done.stderr


@pytest.mark.parametrize("name", ["swapped", "straight", "open", "halves", "alone", "bare"])
@pytest.mark.parametrize("shm", ["auto", "off"])
def test_a_yolo_in_any_order_and_shape(triton, red, tmp_path, name, shm):  # noqa: F811
    found, said = apply(triton, red, tmp_path / "out.png", "--triton-model", name,
                        "--triton-shm", shm)
    assert found["model"] == name and len(found["nails"]) == 1 and "logits" not in said
    x, y, w, h = found["nails"][0]["box"]
    assert abs(x + w / 2 - 0.12 * 256) < 4 and found["nails"][0]["confidence"] > 0.85


def test_open_channels_need_a_sidecar(triton, red, tmp_path):  # noqa: F811
    _, said = apply(triton, red, tmp_path / "out.png", "--triton-model", "all_open", status=1)
    assert "layout" in said
    (tmp_path / "all_open.json").write_text('{"layout": "nchw", "sizes": [[320, 320]]}')
    found, _ = apply(triton, red, tmp_path / "out.png", "--triton-model", "all_open",
                     "--model", tmp_path / "all_open.onnx")
    assert len(found["nails"]) == 1


@pytest.mark.parametrize("kind", ["", "_open"])
def test_logits_are_not_taken_for_probabilities(triton, red, tmp_path, kind):  # noqa: F811
    likely, quiet = apply(triton, red, tmp_path / "a.png", "--triton-model", "likely" + kind)
    logits, said = apply(triton, red, tmp_path / "b.png", "--triton-model", "logits" + kind)
    assert said.count(f"model 'logits{kind}' answers logits") == 1 and "logits" not in quiet
    for one, other in zip(likely["nails"], logits["nails"], strict=True):
        assert abs(one["area"] - other["area"]) <= 1
        assert abs(one["confidence"] - other["confidence"]) < 0.01
    assert len(logits["nails"]) == 3


def test_a_contradictory_sidecar(triton, red, tmp_path):  # noqa: F811
    (tmp_path / "m.json").write_text('{"head": "mask", "output": "probability"}')
    found, said = apply(triton, red, tmp_path / "out.png", "--triton-model", "logits",
                        "--model", tmp_path / "m.onnx")
    assert len(found["nails"]) == 3
    assert "warn" in said and "should say" in said


@pytest.mark.parametrize("args, words", [
    (["--triton-model", "yolo"], "no model 'yolo': there are "),
    ([], "no model 'nail': there are "),
    (["--triton-model", "swapped", "--triton-version", "3"], "of version 3: there are 1"),
    (["--triton-model", "swapped", "--fallback", "openvino"], "--model FILE"),
])
def test_available_models_are_listed(triton, red, tmp_path, args, words):  # noqa: F811
    _, said = apply(triton, red, tmp_path / "out.png", *args, status=1)
    assert words in said.splitlines()[-1], said


def test_a_model_that_did_not_load_says_why(red, tmp_path):  # noqa: F811
    for name, script in ("good", SCRIPT), ("bad", "raise ValueError('no weights here')"):
        (tmp_path / "repository" / name / "1").mkdir(parents=True)
        (tmp_path / "repository" / name / "1" / "model.py").write_text(script)
        (tmp_path / "repository" / name / "config.pbtxt").write_text(
            config(name, *MODELS["swapped"]))
    server = Triton(tmp_path / "repository", "--exit-on-error=false", "--strict-readiness=false")
    try:
        server.start()
        _, said = apply(server, red, tmp_path / "out.png", "--triton-model", "bad", status=1)
    finally:
        server.close()
    assert "its model 'bad' is not ready: UNAVAILABLE" in said and "no weights" in said
