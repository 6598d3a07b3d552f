"""Models that crash the engine, or that it rejects: the program survives and reports each error."""
import json
import os
import re
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image
from onnx import TensorProto, helper, numpy_helper

from conftest import HANDS, LACQUER, ROOT, Server

sys.path.insert(0, str(ROOT / "tests" / "convert"))
from ai_edge_litert.interpreter import Interpreter  # noqa: E402
from cases import SAME  # noqa: E402
from tflite_builder import Builder  # noqa: E402

ENDS = re.compile(r"cannot run model '[^']*killer\.\w+': .*signal \d+ \(SIG[A-Z]+")


class Graph:
    """A mask model of 64 x 48 under construction."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values, dtype):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def add(self, kind, *inputs, **attributes):
        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def on_grid(self, x, scale, zero):
        ends = [self.constant(scale, np.float32), self.constant(zero, np.int8)]
        return self.add("DequantizeLinear", self.add("QuantizeLinear", x, *ends), *ends)

    def save(self, path, last):
        self.nodes.append(helper.make_node("Sigmoid", [last], ["mask"]))
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 48, 64])
                for name, channels in (("image", 3), ("mask", 1))]
        graph = helper.make_graph(self.nodes, "killer", ends[:1], ends[1:], self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                    ir_version=8), path)
        return path


def killer(folder):
    """OpenVINO 2026.4 crashes on a Concat that is quantised twice."""
    g = Graph()
    x = g.add("Concat", "image", "image", axis=1)
    x = g.on_grid(g.on_grid(x, 0.1, 5), 0.2, -3)
    weights = g.constant(np.full((1, 6, 1, 1), 0.5), np.float32)
    return g.save(folder / "killer.onnx", g.add("Conv", x, weights))


def run(*args, **kwargs):
    return subprocess.run([LACQUER, *map(str, args)], capture_output=True, text=True, timeout=240,
                          cwd=ROOT, **kwargs)


@pytest.mark.parametrize("args", [
    ["inspect", "-m"], ["apply", HANDS / "light.jpg", "-o", "/dev/null", "-m"],
    ["eval", "--images", HANDS, "--masks", HANDS, "-m"], ["serve", "--port", "0", "-m"],
    ["serve", "--port", "0", "--no-sandbox", "-m"], ["triton-repo", "--out", "repo", "-m"],
    ["triton-repo", "--gpu", "--out", "repo", "-m"]])
def test_a_model_that_crashes_the_engine_is_named(tmp_path, args):
    if "repo" in args:
        args = [tmp_path / "repo" if a == "repo" else a for a in args]
    cache = [] if args[0] == "triton-repo" else ["--cache-dir", tmp_path / "cache"]
    model = killer(tmp_path)
    for _ in range(2):  # a crash is not stored as success
        done = run(*args, model, *cache)
        assert done.returncode == 1, (done.returncode, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("lacquer:")]
        assert len(lines) == 1 and ENDS.search(lines[0]), done.stderr
    assert not (tmp_path / "repo").exists()


def test_a_fallback_that_crashes_the_engine_is_named(tmp_path):
    """It would be opened in the server once Triton is gone."""
    done = run("serve", "--port", "0", "--triton-url", "http://127.0.0.1:9", "--fallback",
               "openvino", "--cache-dir", "none", "-m", killer(tmp_path))
    assert done.returncode == 1 and ENDS.search(done.stderr), done.stderr


def small_mask(folder, name="small.onnx"):
    g = Graph()
    weights = g.constant(np.random.default_rng(1).normal(size=(1, 3, 3, 3)), np.float32)
    return g.save(folder / name, g.add("Conv", "image", weights, pads=[1, 1, 1, 1]))


def test_the_verdict_is_stored(tmp_path):
    """A second start finds the verdict and opens the model once, in its own process."""
    cache = tmp_path / "cache"
    model = small_mask(tmp_path)
    assert run("inspect", model, "--cache-dir", cache).returncode == 0
    (verdict,) = cache.glob("tried-*")
    made = verdict.stat().st_mtime_ns
    assert verdict.read_text() == "direct\n"
    assert run("inspect", model, "--cache-dir", cache).returncode == 0
    assert verdict.stat().st_mtime_ns == made and len(list(cache.glob("tried-*"))) == 1
    # Another file of the same name, or another sidecar, makes another model.
    small_mask(tmp_path, "other.onnx")
    changed = onnx.load(model)
    changed.graph.node[0].name = "changed"
    onnx.save(changed, model)
    run("inspect", model, "--cache-dir", cache)
    assert len(list(cache.glob("tried-*"))) == 2
    model.with_suffix(".json").write_text('{"head": "mask"}')
    run("inspect", model, "--cache-dir", cache)
    assert len(list(cache.glob("tried-*"))) == 3
    for verdict in cache.glob("tried-*"):  # a damaged verdict is ignored
        verdict.write_text("direct?\n")
    assert run("inspect", model, "--cache-dir", cache).returncode == 0


def test_our_own_model_needs_no_trial(tmp_path):
    assert run("inspect", "--cache-dir", tmp_path).returncode == 0
    assert run("inspect", "models/nail.onnx", "--cache-dir", tmp_path).returncode == 0
    assert list(tmp_path.glob("openvino-*")) and not list(tmp_path.glob("tried-*"))


def test_a_foreign_model_is_served(tmp_path):
    server = Server("-m", str(small_mask(tmp_path)), "--cache-dir", str(tmp_path / "cache"))
    try:
        assert list((tmp_path / "cache").glob("tried-*"))
    finally:
        server.stop()


# ---- .tflite files that OpenVINO's reader rejects


def quantised_tflite(b, joined=False, edges="float32"):
    """A quantised mask model, as LiteRT exports it, with an NCHW input. `edges`: the type of its
    input and output. `joined`: with operators that crash OpenVINO's compiler."""
    about, y_about, mask = ({"scale": 1 / 255, "zero": -128}, {"scale": 0.02, "zero": 3},
                            {"scale": 1 / 256, "zero": -128})
    x = q = b.tensor([1, 3, 48, 64], "int8", name="image_q", **about)
    if edges == "float32":
        x = b.tensor([1, 3, 48, 64], name="image")
        b.op("QUANTIZE", [x], [q], "QuantizeOptions")
    t = b.tensor([1, 48, 64, 3], "int8", name="turned", **about)
    b.op("TRANSPOSE", [q, b.ints(0, 2, 3, 1)], [t], "TransposeOptions")
    channels = 3
    if joined:
        channels, other = 6, {"scale": 0.0051, "zero": -110}
        c = b.tensor([1, 48, 64, 6], "int8", name="joined", **about)
        b.op("CONCATENATION", [t, t], [c], "ConcatenationOptions", axis=3)
        t, about = b.tensor([1, 48, 64, 6], "int8", name="again", **other), other
        b.op("QUANTIZE", [c], [t], "QuantizeOptions")
    weights = np.random.default_rng(3).integers(-127, 128, (1, 3, 3, channels)).astype(np.int8)
    y = b.tensor([1, 48, 64, 1], "int8", name="conv", **y_about)
    b.op("CONV_2D", [t, b.constant(weights, "w", scale=0.01, zero=0),
                     b.constant(np.zeros(1, np.int32), "bias", scale=0.01 * about["scale"],
                                zero=0)],
         [y], "Conv2DOptions", padding=SAME, strideH=1, strideW=1)
    z = s = b.tensor([1, 48, 64, 1], "int8", name="mask_q", **mask)
    b.op("LOGISTIC", [y], [s])
    for name, version in (("CONV_2D", 3), ("LOGISTIC", 2), ("TRANSPOSE", 2)):
        b.version(name, version)
    if edges == "float32":
        z = b.tensor([1, 48, 64, 1], name="mask")
        b.op("DEQUANTIZE", [s], [z], "DequantizeOptions")
    return [x], [z]


def runtime_mask(path, picture):
    """The TFLite runtime's result for values of 0..1 in NCHW, as values of 0..1."""
    runtime = Interpreter(str(path))
    runtime.allocate_tensors()
    (about,), (out,) = runtime.get_input_details(), runtime.get_output_details()
    if about["dtype"] != np.float32:
        scale, zero = about["quantization"]
        picture = np.clip(np.round(picture / scale) + zero, -128, 127).astype(np.int8)
    runtime.set_tensor(about["index"], picture)
    runtime.invoke()
    got = runtime.get_tensor(out["index"])[0, ..., 0]
    if out["dtype"] != np.float32:
        scale, zero = out["quantization"]
        got = (got.astype(np.float32) - zero) * scale
    return got


def written(path, how):
    b = Builder()
    ends = quantised_tflite(b, how == "joined", "int8" if how == "int8" else "float32")
    path.write_bytes(b.finish_apart(*ends) if how == "apart" else b.finish(*ends))
    return path


@pytest.mark.parametrize("how", ["apart", "int8"])
def test_a_tflite_that_openvino_rejects_is_converted(tmp_path, how):
    model, cache = written(tmp_path / "foreign.tflite", how), tmp_path / "cache"
    model.with_suffix(".json").write_text('{"score": 0.5, "head": "mask"}')
    for turn in range(2):
        done = run("inspect", model, "--cache-dir", cache, "--json")
        assert done.returncode == 0, done.stderr
        assert ("converted to ONNX" in done.stderr) == (turn == 0)
        about = json.loads(done.stdout)
        assert about["head"] == "mask" and about["name"] == "foreign" and about["sidecar"]
        assert about["path"] == str(model) and about["layout"] == "nchw"
    (verdict,) = cache.glob("tried-*")
    assert verdict.read_text() == "converted\n"
    done = run("apply", HANDS / "light.jpg", "-o", tmp_path / "o.jpg", "-m", model, "--fast",
               "--cache-dir", "none")
    assert done.returncode == 0, done.stderr
    server = Server("-m", str(model), "--cache-dir", str(cache))
    server.stop()


def test_the_whole_of_openvinos_reason_is_reported(tmp_path):
    """Its second line contains the reason."""
    b = Builder()
    x, y = b.tensor([1, 8, 8, 3], name="x"), b.tensor([1, 8, 8, 3], name="y")
    b.op("CUSTOM", [x, b.constant(np.zeros(4, np.float32))], [y], custom=b"NobodyKnowsIt")
    (tmp_path / "x.tflite").write_bytes(b.finish_apart([x], [y]))
    done = run("inspect", tmp_path / "x.tflite", "--cache-dir", "none")
    assert done.returncode == 1 and "FrontEnd API failed" in done.stderr
    assert re.search(r"NobodyKnowsIt|produced by previous operators", done.stderr), done.stderr


def test_an_onnx_model_with_quantised_edges(tmp_path):
    """The result of converting a fully quantised .tflite has the same input and output values."""
    model = written(tmp_path / "foreign.tflite", "int8")
    assert run("convert", model, tmp_path / "edges.onnx").returncode == 0
    edges = onnx.load(tmp_path / "edges.onnx").graph
    assert edges.input[0].type.tensor_type.elem_type == TensorProto.INT8
    masks = []
    for path in model, tmp_path / "edges.onnx":
        done = run("apply", HANDS / "light.jpg", "-o", tmp_path / "o.jpg", "-m", path, "--fast",
                   "--cache-dir", "none", "--mask-out", tmp_path / "mask.png", "--score", "0.45")
        assert done.returncode == 0, done.stderr
        masks.append(np.asarray(Image.open(tmp_path / "mask.png")))
    assert np.array_equal(*masks)


@pytest.mark.parametrize("how", ["apart", "int8", "joined"])
def test_a_server_is_given_what_it_can_read(tmp_path, how):
    """Values in and out in their real range, equal to the TFLite runtime's within a step."""
    model = written(tmp_path / "foreign.tflite", how)
    done = run("triton-repo", "-m", model, "--out", tmp_path / "repo", "--gpu", "--input", "fp32")
    assert done.returncode == 0, done.stderr
    session = onnxruntime.InferenceSession(tmp_path / "repo/foreign/1/model.onnx")
    (given,) = session.get_inputs()
    assert given.type == "tensor(float)" and given.shape[1:] == [3, 48, 64]
    picture = np.random.default_rng(5).random((1, 3, 48, 64), np.float32)
    got = session.run(None, {given.name: picture})[0][0, ..., 0]
    assert np.abs(got - runtime_mask(model, picture)).max() <= 3 / 256
    done = run("triton-repo", "-m", model, "--out", tmp_path / "cpu")
    assert done.returncode == 0, done.stderr
    (served,) = (tmp_path / "cpu/foreign/1").glob("model.[ot]*")
    assert served.suffix == (".tflite" if how == "joined" else ".onnx")


def test_a_report_survives_the_engine(tmp_path):
    """The engine also runs the file that was written."""
    done = run("convert", written(tmp_path / "in.tflite", "apart"), tmp_path / "out.onnx",
               "--report", "-")
    assert done.returncode == 1 and (tmp_path / "out.onnx").exists()
    assert "is written, but was not compared" in done.stderr and "FrontEnd" in done.stderr
    done = run("convert", written(tmp_path / "in.tflite", "joined"), tmp_path / "out.onnx",
               "--report", "-")
    assert done.returncode == 0 and json.loads(done.stdout)["outputs"], done.stderr


# ---- weights in a file beside the model


def with_weights_in(folder, location, path=None):
    """A mask model whose weights are in a file that it calls `location`."""
    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(small_mask(folder, "apart.onnx"))
    tensor = model.graph.initializer[0]
    data = np.ascontiguousarray(numpy_helper.to_array(tensor)).tobytes()
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in ("location", location), ("offset", 64), ("length", len(data)):
        tensor.external_data.add(key=key, value=str(value))
    onnx.save(model, folder / "apart.onnx")
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 64 + data)
    return folder / "apart.onnx"


@pytest.mark.parametrize("location", ["apart.onnx.data", "./apart.bin", "weights/deep/a.bin"])
@pytest.mark.parametrize("options", [[], ["--gpu"], ["--plan"]])
def test_external_weights_are_copied(tmp_path, location, options):
    model = with_weights_in(tmp_path / "in", location, tmp_path / "in" / location)
    done = run("triton-repo", "-m", model, "--out", tmp_path / "repo", *options)
    assert done.returncode == 0, done.stderr
    (served,) = (tmp_path / "repo/apart").rglob("model.onnx")
    whole = onnx.load(served, load_external_data=False)
    assert not any(t.external_data for t in whole.graph.initializer)
    picture = np.random.default_rng(5).random((1, 3, 48, 64), np.float32)
    want = onnxruntime.InferenceSession(model).run(None, {"image": picture})[0]
    session = onnxruntime.InferenceSession(served)
    given = session.get_inputs()[0]
    if given.type == "tensor(uint8)":
        picture = np.round(picture * 255).astype(np.uint8)
    assert np.abs(session.run(None, {given.name: picture})[0] - want).max() < 0.05


@pytest.mark.parametrize("location, words", [
    ("gone.bin", "gone.bin"), ("sub/gone.bin", "sub/gone.bin"), ("../out.bin", "outside"),
    ("sub/../../out.bin", "outside"), ("link.bin", "outside"), ("short.bin", "shorter"),
    ("/etc/hostname", "outside"), ("sub", "shorter"), ("pipe", "shorter"), ("", "does not say")])
def test_missing_external_weights(tmp_path, location, words):
    folder = tmp_path / "in"
    model = with_weights_in(folder, location, tmp_path / "out.bin")
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "link.bin").symlink_to(tmp_path / "out.bin")
    (folder / "short.bin").write_bytes(b"x" * 70)
    os.mkfifo(folder / "pipe")
    done = run("triton-repo", "-m", model, "--out", tmp_path / "repo", "--gpu")
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert not (tmp_path / "repo").exists()
