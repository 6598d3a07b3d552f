"""lacquer quantize: the int8 model is valid, close to the float one in two engines, and meets the
rules of TensorRT and OpenVINO. test_quantise_refused.py tests refused input."""
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import compare
import quantise_models as small
from tflite_builder import Builder

quantise = small.quantise
OPENVINO = compare.ROOT / ".deps" / "openvino" / "python"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return small.pictures(tmp_path_factory.mktemp("quantise") / "pictures")


@pytest.fixture(scope="module")
def made(pictures):
    """The mask network, quantised: its two files, the model and the report."""
    folder = pictures.parent
    source = small.mask_model(folder / "float.onnx")
    target, report = folder / "int8.onnx", folder / "report.json"
    done = quantise(source, target, pictures, "--report", report)
    return source, target, compare.checked(target), json.loads(report.read_text()), done


def by_output(model):
    return {node.output[0]: node for node in model.graph.node}


def constant(model, name):
    return next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == name)


def prepared(path):
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32) / 255
    return pixels.transpose(2, 0, 1)[None]


def run_openvino(path, inputs):
    """In a separate process, because the libraries that these packages load conflict."""
    np.save(path.with_suffix(".in.npy"), inputs)
    code = ("import sys, numpy as np, openvino as ov; "
            "m = ov.Core().compile_model(sys.argv[1], 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'}); "
            "np.save(sys.argv[3], [m(x[None])[0] for x in np.load(sys.argv[2])])")
    subprocess.run([sys.executable, "-c", code, path, path.with_suffix(".in.npy"),
                    path.with_suffix(".out.npy")], env={"PYTHONPATH": str(OPENVINO)}, check=True,
                   timeout=120)
    return np.load(path.with_suffix(".out.npy"))[:, 0]


def run_ort(path, inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, {"image": x[None]})[0][0] for x in inputs])


def test_layers_are_int8(made):
    _, _, model, report, _ = made
    nodes = by_output(model)
    int8 = [row["name"] for row in report["layers"] if row["arithmetic"] == "int8"]
    assert len(report["layers"]) == 6 and len(int8) >= 4
    for name in int8:
        weights = nodes[nodes[name].input[1]]
        assert weights.op_type == "DequantizeLinear"
        stored = constant(model, weights.input[0])
        assert stored.dtype == np.int8 and stored.min() >= -127
        assert constant(model, weights.input[1]).shape == (stored.shape[0],)
        assert weights.attribute[0].i == 0


def test_activations_are_symmetric(made):
    """As TensorRT requires: int8 with zero point 0."""
    model = made[2]
    rounding = [n for n in model.graph.node if n.op_type == "QuantizeLinear"]
    assert rounding
    for node in rounding:
        zero, scale = constant(model, node.input[2]), constant(model, node.input[1])
        assert zero.dtype == np.int8 and zero.shape == () and zero == 0
        assert scale.shape == () and scale > 0


def test_what_is_joined_shares_a_scale(made):
    """Otherwise an engine rounds a second time at each Concat."""
    nodes = by_output(made[2])
    wide, own = nodes["joined"].input
    resized = nodes[nodes["wide"].input[0]]
    assert nodes[own].op_type == resized.op_type == "DequantizeLinear"
    assert nodes[own].input[1] == resized.input[1] and wide == "wide"


def test_both_engines_are_close_to_the_float_model(made, pictures):
    source, target, _, _, _ = made
    inputs = np.concatenate([prepared(path) for path in sorted(pictures.glob("*.png"))])
    want = run_ort(source, inputs)
    # OpenVINO rounds more coarsely on processors without AMX: 0.020 with AVX512-VNNI, 0.030 with
    # AVX2, where single values differ by 0.10. ONNX Runtime has 0.005 on all.
    amx = "amx_int8" in pathlib.Path("/proc/cpuinfo").read_text()
    results = {"ort": run_ort(target, inputs), "openvino": run_openvino(target, inputs)}
    limits = {"ort": .02, "openvino": .02 if amx else .04}
    for name, got in results.items():
        assert np.sqrt(((got - want) ** 2).mean()) < limits[name], name
        both = ((got >= .5) & (want >= .5)).sum()
        assert both / ((got >= .5) | (want >= .5)).sum() > .98, name
    assert np.abs(results["ort"] - results["openvino"]).max() < (.05 if amx else .15)


def test_report(made):
    report, done = made[3], made[4]
    assert report["painted_iou"] > .98 and report["pictures"] == 12
    assert set(report["tried"]) == {"max", "percentile", "entropy", "squares",
                                    "best_without_corrected_biases"}
    chosen = report["tried"][report["ranges"]]
    assert chosen == min(report["tried"][rule] for rule in ("max", "percentile", "entropy",
                                                            "squares"))
    assert all(row["noise"] < .1 and row["macs"] > 0 for row in report["layers"])
    assert [row["name"] for row in report["outputs"]] == ["mask"]
    assert "layers in int8" in done.stdout and "IoU" in done.stdout


def test_joined_tensors_keep_their_levels_without_amx(made, pictures, tmp_path):
    """Without AMX (on VNNI), OpenVINO would round the inputs of a Concat to a dozen levels
    (fake_quantize.h)."""
    report = tmp_path / "report.json"
    quantise(made[0], tmp_path / "int8.onnx", pictures, "--report", report,
             env=dict(os.environ, ONEDNN_MAX_CPU_ISA="AVX512_CORE_VNNI"))
    capped = json.loads(report.read_text())
    assert capped["noise_all_int8"] < 2 * made[3]["noise_all_int8"] < .002
    assert capped["painted_iou"] > made[3]["painted_iou"] - .001


def test_biases_are_corrected(pictures, tmp_path):
    """Weights that are all rounded in the same direction shift a channel's output; the bias
    corrects that."""
    graph = small.Graph()
    weights = np.full((4, 3, 1, 1), .2049, np.float32)  # .2049 is 26.02 steps of .007874…
    weights[:, 0] = 1                                    # … and this value determines the steps
    graph.op("Conv", ["image", graph.constant("w", weights),
                      graph.constant("b", np.zeros(4, np.float32))], "out")
    source = graph.save(tmp_path / "float.onnx", [("out", [1, 4, small.SIZE, small.SIZE])])
    report = tmp_path / "report.json"
    quantise(source, tmp_path / "int8.onnx", pictures, "--report", report)
    assert json.loads(report.read_text())["biases_corrected"]
    model = onnx.load(tmp_path / "int8.onnx")
    mean = np.concatenate([prepared(p) for p in pictures.glob("*.png")]).mean((0, 2, 3))
    scale = np.float32(1) / np.float32(127)
    apart = np.rint(weights / scale) * scale - weights
    want = -(apart[:, :, 0, 0] * mean).sum(1)
    conv = by_output(model)["out"]
    assert np.allclose(constant(model, conv.input[2]), want, rtol=1e-3, atol=1e-6)
    assert np.abs(want).min() > 1e-5


def test_kept_layers_stay_in_float(made, pictures, tmp_path):
    source, target = made[0], tmp_path / "int8.onnx"
    quantise(source, target, pictures, "--keep", "node/inner", "--keep", "de*")
    model = compare.checked(target)
    for name in "inner", "deep":
        weights = by_output(model)[name].input[1]
        assert weights == f"{name}.weight" and constant(model, weights).dtype == np.float32
    done = quantise(source, tmp_path / "b.onnx", pictures, "--keep", "nonsense", status=2)
    assert "nonsense" in done.stderr


def spread_model(path, less=0):
    """A layer, `gathering`, whose input has one value a thousand times as large as the rest: eight
    bits are too few for it, while the other layers lose nothing."""
    graph = small.Graph()
    spread = np.eye(16, dtype=np.float32).reshape(16, 16, 1, 1) * 1.0
    spread[0] *= 3000
    small.body(graph)
    graph.op("Conv", ["last.silu", graph.constant("spread", spread)], "spreading")
    back = np.ones((1, 16, 1, 1), np.float32)
    back[0, 0] = 0
    graph.op("Conv", ["spreading", graph.constant("back", back)], "gathering")
    graph.op("Sub", ["gathering", graph.constant("less", np.array(less, np.float32))], "logits")
    graph.op("Sigmoid", ["logits"], "map")
    half = small.SIZE // 2
    return graph.save(path, [("map", [1, 1, half, half])])


def arithmetic(report):
    return {row["name"]: row["arithmetic"] for row in json.loads(report.read_text())["layers"]}


def test_sensitive_layers_stay_in_float(pictures, tmp_path):
    source, report = spread_model(tmp_path / "float.onnx"), tmp_path / "report.json"
    quantise(source, tmp_path / "int8.onnx", pictures, "--report", report)
    found = arithmetic(report)
    assert found["gathering"] == "float"
    # No more than needed: the others add no visible noise.
    assert list(found.values()).count("float") <= 2
    assert found["inner"] == found["stem"] == found["deep"] == "int8"
    model = compare.checked(tmp_path / "int8.onnx")
    assert by_output(model)["gathering"].input[0] == "spreading"
    own = {row["name"]: row["noise_own"] for row in json.loads(report.read_text())["layers"]}
    assert own["gathering"] > .1 and max(own["stem"], own["inner"], own["deep"]) < .01


def test_float_max_bounds_what_stays_in_float(pictures, tmp_path):
    source, report = spread_model(tmp_path / "float.onnx"), tmp_path / "report.json"
    done = quantise(source, tmp_path / "int8.onnx", pictures, "--report", report, "--float-max",
                    "0")
    assert set(arithmetic(report).values()) == {"int8"}
    assert "that is below 0.992" in done.stdout and "--float-max" in done.stdout
    quantise(source, tmp_path / "b.onnx", pictures, "--float-max", "101", status=2)


def test_without_nails_each_layer_is_judged(pictures, tmp_path):
    """As with random weights: the painted picture decides nothing, so the layers' own noise
    decides."""
    source, report = spread_model(tmp_path / "float.onnx", less=1e4), tmp_path / "report.json"
    done = quantise(source, tmp_path / "int8.onnx", pictures, "--report", report)
    assert "finds no nail in these pictures" in done.stdout and "10 dB" in done.stdout
    found = arithmetic(report)
    assert found.pop("gathering") == "float" and set(found.values()) == {"int8"}


def test_without_nails_no_layer_is_kept_for_the_outputs_noise(pictures, tmp_path):
    """The output is the small difference of two layers, each of which is accurate enough:
    quantising it adds noise whichever layer stays in float."""
    graph = small.Graph()
    features = small.body(graph)
    weights = graph.random.normal(0, .3, (1, 16, 1, 1)).astype(np.float32)
    graph.op("Conv", [features, graph.constant("a.weight", weights)], "a")
    other = weights * graph.random.normal(1, .01, weights.shape).astype(np.float32)
    graph.op("Conv", [features, graph.constant("b.weight", other)], "b")
    graph.op("Sub", [graph.op("Sub", ["a", "b"], "apart"),
                     graph.constant("less", np.array(6, np.float32))], "logits")
    graph.op("Sigmoid", ["logits"], "map")
    source = graph.save(tmp_path / "float.onnx", [("map", [1, 1, small.SIZE // 2,
                                                           small.SIZE // 2])])
    report = tmp_path / "report.json"
    quantise(source, tmp_path / "int8.onnx", pictures, "--report", report)
    told = json.loads(report.read_text())
    assert told["painted_iou"] is None and told["noise_all_int8"] > .02
    assert set(arithmetic(report).values()) == {"int8"}
    assert all(row["noise_own"] < .02 for row in told["layers"])


def test_progress_is_reported(made, pictures, tmp_path):
    """One changing line on a terminal, otherwise one line per stage."""
    lines = made[4].stderr.splitlines()
    assert any(line.startswith("lacquer: calibration: 12 in ") for line in lines)
    assert any(line.startswith("lacquer: ranges: 5 in ") for line in lines)
    ours, theirs = pty.openpty()
    command = [compare.LACQUER, "quantize", made[0], tmp_path / "int8.onnx", "--images", pictures]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as running:
        os.close(theirs)
        shown = b""
        while part := read_terminal(ours):
            shown += part
    os.close(ours)
    assert running.returncode == 0 and b"\n" not in shown
    assert b"calibration 12 of 12" in shown and b"ranges 5 of 5" in shown and b"left" in shown


def read_terminal(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # its last user was removed
        return b""


def test_batch_norm_and_half_weights_are_folded(pictures, tmp_path):
    graph = small.Graph()
    random = np.random.default_rng(5)
    graph.conv("image", "first", 3, 8, bias=False)
    norm = [graph.constant(f"n{i}", v.astype(np.float32)) for i, v in enumerate(
        [random.uniform(.5, 2, 8), random.normal(0, 1, 8), random.normal(0, .5, 8),
         random.uniform(.2, 2, 8)])]
    graph.op("BatchNormalization", ["first", *norm], "normal")
    graph.op("Relu", ["normal"], "relu")
    half = graph.constant("half", random.normal(0, .2, (2, 8, 1, 1)).astype(np.float16))
    graph.op("Cast", [half], "weights", to=TensorProto.FLOAT)
    graph.op("Conv", ["relu", "weights"], "out")
    source = graph.save(tmp_path / "float.onnx", [("out", [1, 2, small.SIZE, small.SIZE])])
    quantise(source, tmp_path / "int8.onnx", pictures)
    model = compare.checked(tmp_path / "int8.onnx")
    assert not {"BatchNormalization", "Cast"} & {n.op_type for n in model.graph.node}
    inputs = np.concatenate([prepared(path) for path in sorted(pictures.glob("*.png"))])
    want, got = run_ort(source, inputs), run_ort(tmp_path / "int8.onnx", inputs)
    assert np.sqrt(((got - want) ** 2).mean()) < .03 * want.std()


def test_products_of_matrices(pictures, tmp_path):
    """A classifier has no masks to compare, so its outputs alone decide."""
    graph = small.Graph()
    random = np.random.default_rng(6)
    graph.conv("image", "first", 3, 8, strides=[2, 2])
    graph.op("Relu", ["first"], "relu")
    graph.op("GlobalAveragePool", ["relu"], "pooled")
    graph.op("Flatten", ["pooled"], "flat")
    graph.op("Gemm", ["flat", graph.constant("gw", random.normal(0, 1, (16, 8)).astype("f")),
                      graph.constant("gb", random.normal(0, 1, 16).astype("f"))], "hidden",
             transB=1)
    graph.op("MatMul", ["hidden", graph.constant("mw", random.normal(0, 1, (16, 5)).astype("f"))],
             "scores")
    source = graph.save(tmp_path / "float.onnx", [("scores", [1, 5])])
    done = quantise(source, tmp_path / "int8.onnx", pictures)
    assert "masks were not compared" in done.stdout
    model = compare.checked(tmp_path / "int8.onnx")
    for name, axis, channels in ("hidden", 0, 16), ("scores", 1, 5):
        weights = by_output(model)[by_output(model)[name].input[1]]
        assert weights.attribute[0].i == axis
        assert constant(model, weights.input[1]).shape == (channels,)
    inputs = np.concatenate([prepared(path) for path in sorted(pictures.glob("*.png"))])
    want, got = run_ort(source, inputs), run_ort(tmp_path / "int8.onnx", inputs)
    assert np.abs(got - want).max() < .1 * np.abs(want).max()


def test_tflite(pictures, tmp_path):
    """A .tflite model is converted first; its input stays the same."""
    b = Builder()
    random = np.random.default_rng(8)
    x = b.tensor([1, 64, 64, 3], "float32", name="picture")
    y = b.tensor([1, 32, 32, 8], "float32")
    z = b.tensor([1, 32, 32, 1], "float32", name="map")
    b.op("CONV_2D", [x, b.constant(random.normal(0, .3, (8, 3, 3, 3)).astype("f")),
                     b.constant(np.zeros(8, "f"))], [y], "Conv2DOptions", strideW=2, strideH=2,
         fusedActivationFunction=1)
    b.op("CONV_2D", [y, b.constant(random.normal(0, .3, (1, 1, 1, 8)).astype("f")),
                     b.constant(np.zeros(1, "f"))], [z], "Conv2DOptions", strideW=1, strideH=1)
    source = tmp_path / "float.tflite"
    source.write_bytes(b.finish([x], [z]))
    quantise(source, tmp_path / "int8.onnx", pictures)
    model = compare.checked(tmp_path / "int8.onnx")
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [1, 64, 64, 3]
    assert any(n.op_type == "QuantizeLinear" for n in model.graph.node)


def test_opset_11_becomes_13(pictures, tmp_path):
    """In opset 11, axes and sizes were attributes, and Softmax merged all axes from its own on."""
    graph = small.Graph()
    x = graph.op("Relu", [graph.conv("image", "first", 3, 4)], "relu")
    graph.nodes.append(helper.make_node("Split", [x], ["a", "b"], axis=1, split=[1, 3]))
    graph.op("Squeeze", ["a"], "flat", axes=[1])
    graph.op("Unsqueeze", ["flat"], "back", axes=[1])
    graph.op("ReduceSum", ["b"], "total", axes=[1], keepdims=1)
    graph.op("Flatten", [graph.op("Add", ["back", "total"], "sum")], "row")
    graph.op("Softmax", ["row"], "out", axis=1)
    source = graph.save(tmp_path / "float.onnx", [("out", [1, small.SIZE * small.SIZE])], opset=11)
    quantise(source, tmp_path / "int8.onnx", pictures)
    model = compare.checked(tmp_path / "int8.onnx")
    assert model.opset_import[0].version == 13
    inputs = np.concatenate([prepared(path) for path in sorted(pictures.glob("*.png"))])
    want, got = run_ort(source, inputs), run_ort(tmp_path / "int8.onnx", inputs)
    assert np.sqrt(((got - want) ** 2).mean()) < .05 * want.std()


def test_sidecar_is_copied(made, pictures, tmp_path):
    source = small.mask_model(tmp_path / "float.onnx")
    (tmp_path / "float.json").write_text('{"threshold": 0.4}')
    quantise(source, tmp_path / "int8.onnx", pictures)
    told = json.loads((tmp_path / "int8.json").read_text())
    assert told == {"threshold": .4, "float_model": "float.onnx"}
    # Fields that the owner adds are kept; `tune` ignores a float model in another folder.
    (tmp_path / "float.json").unlink()
    (tmp_path / "int8.json").write_text('{"score": 0.5}')
    quantise(source, tmp_path / "int8.onnx", pictures)
    told = json.loads((tmp_path / "int8.json").read_text())
    assert told == {"score": .5, "float_model": "float.onnx"}
    (tmp_path / "elsewhere").mkdir()
    done = quantise(source, tmp_path / "elsewhere" / "int8.onnx", pictures)
    assert not (tmp_path / "elsewhere" / "int8.json").exists() and "tune" not in done.stdout


def test_tune_tries_both_files(made, pictures, tmp_path):
    """`serve` runs the faster of the int8 model and the float model it was made from."""
    for path in made[:2]:
        shutil.copy(path, tmp_path)
    told = {"float_model": "float.onnx"}
    (tmp_path / "int8.json").write_text(json.dumps(told))

    def tune():
        done = subprocess.run(
            [compare.LACQUER, "tune", "--json", tmp_path / "int8.onnx", "--images", pictures,
             "--cache-dir", tmp_path / "cache"], capture_output=True, text=True, timeout=300,
            env=dict(os.environ, LACQUER_TUNE="on"), check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    found = tune()
    usable = [one for one in found["candidates"] if one["verdict"] in ("reference", "fine")]
    files = {os.path.basename(one["file"]): one for one in usable if one["verdict"] == "reference"}
    assert set(files) == {"float.onnx", "int8.onnx"}
    assert .9 < files["int8.onnx"]["iou_f32"] < 1 and files["float.onnx"]["iou_f32"] == 1
    best = min(usable, key=lambda one: one["score_ms"])
    taken = next(one for one in usable if one["taken"])
    assert taken["score_ms"] <= 1.05 * best["score_ms"]
    done = subprocess.run(
        [compare.LACQUER, "apply", "--json", "--model", tmp_path / "int8.onnx", "--cache-dir",
         tmp_path / "cache", "-o", tmp_path / "out.jpg", next(pictures.iterdir())],
        capture_output=True, text=True, timeout=100, check=False,
        env=dict(os.environ, LACQUER_TUNE="on"))
    assert done.returncode == 0, done.stderr
    # A float model that cannot be opened does not affect the int8 one.
    (tmp_path / "float.onnx").write_bytes(b"damaged")
    found = tune()
    assert os.path.basename(found["choice"]["file"]) == "int8.onnx"
    assert {one["verdict"] for one in found["candidates"]
            if one["file"].endswith("float.onnx")} == {"failed"}
