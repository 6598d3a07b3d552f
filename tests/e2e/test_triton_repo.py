"""lacquer triton-repo: what it writes, and whether a real tritonserver accepts it."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import LACQUER, ROOT
from PIL import Image
from triton import Triton, mask_tflite, needs_triton

MODEL = ROOT / "models" / "nail.onnx"
HAND = ROOT / "tests" / "golden" / "hands" / "light.jpg"
SHARED = ROOT.parent / "shared" / "model" / "yolov8s-seg-random-f16.tflite"


def repo(folder, *args, status=0):
    done = subprocess.run([LACQUER, "triton-repo", "--out", folder, *map(str, args)],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    return done


def heard_about(repository, seconds=30):
    """tritonserver's messages about models that it cannot run: model, complaint."""
    server = Triton(repository, "--exit-on-error=false")
    try:
        server.start(wait=False)
        end = time.monotonic() + seconds
        while "failed to load all models" not in server.heard():
            assert time.monotonic() < end, server.heard()
            time.sleep(0.05)
        lines = [line for line in server.heard().splitlines() if "failed to load" in line]
    finally:
        server.close()
    return lines


def with_scales(folder, zero=np.int8(0)):
    """A mask model in integers, as quantisers write it."""
    node, array = onnx.helper.make_node, onnx.numpy_helper.from_array
    value = onnx.helper.make_tensor_value_info
    nodes = [node("QuantizeLinear", ["image", "scale", "zero"], ["bytes"]),
             node("DequantizeLinear", ["bytes", "scale", "zero"], ["numbers"]),
             node("Conv", ["numbers", "weight"], ["inner"], pads=[1, 1, 1, 1]),
             node("Sigmoid", ["inner"], ["mask"])]
    graph = onnx.helper.make_graph(
        nodes, "scales", [value("image", 1, ["batch", 3, 64, 96])],
        [value("mask", 1, ["batch", 1, 64, 96])],
        [array(np.float32(1 / 127), "scale"), array(zero, "zero"),
         array(np.full((1, 3, 3, 3), 0.1, np.float32), "weight")])
    model = folder / f"scales_{zero.dtype}_{zero}.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]),
              model)
    return model


def keep_engine(repository, name):
    """Creates the engine cache as ONNX Runtime does from its configuration; Triton sees the
    repository as /models."""
    config = (repository / name / "config.pbtxt").read_text()
    for path in re.findall(r'_cache_path" value: "([^"]*)"', config):
        folder = repository / pathlib.Path(path).relative_to("/models")
        folder.mkdir(exist_ok=True)
        (folder / "TensorrtExecutionProvider_x_0_0_fp16_sm89.engine").write_bytes(b"an engine")


@needs_triton
def test_a_server_with_stored_engines_starts_again(tmp_path):
    """Each folder of a repository must be a model: engines are stored in the model's own folder."""
    repo(tmp_path, "--max-batch", "0")
    repo(tmp_path, "--tensorrt", "fp16", "--name", "on_gpu")
    paths = re.findall(r'_cache_path" value: "([^"]*)"',
                       (tmp_path / "on_gpu" / "config.pbtxt").read_text())
    assert paths == ["/models/on_gpu/1/tensorrt"] * 2
    keep_engine(tmp_path, "on_gpu")
    # There is no GPU here: engine files are put beside a model that this server can run.
    shutil.move(tmp_path / "on_gpu" / "1" / "tensorrt", tmp_path / "nail" / "1" / "tensorrt")
    shutil.rmtree(tmp_path / "on_gpu")
    server = Triton(tmp_path)
    for _ in range(2):
        try:
            server.start()
        finally:
            server.close()
    assert "failed" not in server.heard() and "version directory" not in server.heard()


@needs_triton
def test_a_real_server_accepts_the_repository(tmp_path):
    models = {"one": ["--max-batch", "1", "--instances", "2"],
              "many": ["--max-batch", "1024", "--queue-delay", "0"], "7": []}
    for name, args in models.items():
        repo(tmp_path / "repository", "--name", name, *args)
    server = Triton(tmp_path / "repository")
    try:
        server.start()
        for name in models:
            done = subprocess.run(
                [LACQUER, "apply", HAND, "-o", tmp_path / "out.jpg", "--json", "--triton-url",
                 server.url, "--triton-model", name], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0 and len(json.loads(done.stdout)["nails"]) == 5, done.stderr
    finally:
        server.close()


def test_a_half_written_model_is_not_in_the_repository(tmp_path):
    """A server that starts in the meantime would treat it as a model, and fail to start."""
    repository, seen = tmp_path / "repository", set()
    process = subprocess.Popen([LACQUER, "triton-repo", "--out", repository, "--gpu"],
                               stdout=subprocess.DEVNULL)
    while process.poll() is None:
        seen |= set(os.listdir(repository)) if repository.exists() else set()
        time.sleep(0.001)
    assert process.returncode == 0 and seen <= {"nail"}
    assert os.listdir(tmp_path) == ["repository"]


@needs_triton
def test_a_server_without_gpu_misses_only_the_backend(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("repository")
    scales = with_scales(tmp_path_factory.mktemp("scales"))
    wanted = {
        "cuda": (["--gpu"], "onnxruntime"),
        "cuda16": (["--gpu", "--input", "fp16"], "onnxruntime"),
        "fp16_u8": (["--tensorrt", "fp16", "--input", "uint8"], "onnxruntime"),
        "plan_u8": (["--plan", "--tensorrt", "fp16", "--input", "uint8"], "tensorrt"),
        "fp16": (["--tensorrt", "fp16"], "onnxruntime"),
        "int8": (["--tensorrt", "int8", "--instances", "2", "--max-batch", "1", "--model", scales],
                 "onnxruntime"),
        "typed": (["--tensorrt", "fp16", "--tensorrt-version", "11"], "onnxruntime"),
        "typed_plan": (["--plan", "--tensorrt", "int8", "--tensorrt-version", "11", "--model",
                        scales], "tensorrt"),
        "fp32": (["--tensorrt", "fp32", "--queue-delay", "0"], "onnxruntime"),
        "plan": (["--plan", "--tensorrt", "fp16", "--max-batch", "0"], "tensorrt"),
        "plan8": (["--plan", "--tensorrt", "int8", "--model", scales], "tensorrt"),
        "tflite": (["--tensorrt", "fp32", "--model", mask_tflite(tmp_path_factory)], "onnxruntime"),
        "tflite_plan": (["--plan", "--tensorrt", "fp16", "--model", mask_tflite(tmp_path_factory)],
                        "tensorrt"),
    }
    for name, (args, _) in wanted.items():
        repo(tmp_path, "--name", name, *args)
    for name in "plan", "plan8", "plan_u8", "tflite_plan", "typed_plan":
        (tmp_path / name / "1" / "model.plan").touch()  # trtexec would have created it
    for name in wanted:
        keep_engine(tmp_path, name)
    # Triton parses everything: an error in a configuration causes another complaint.
    shutil.copytree(tmp_path / "fp16", tmp_path / "slip")
    config = (tmp_path / "slip" / "config.pbtxt").read_text().replace('"fp16"', '"slip"', 1)
    (tmp_path / "slip" / "config.pbtxt").write_text(config.replace("precision_mode\" value", "x"))
    heard = heard_about(tmp_path)
    for name, (_, backend) in wanted.items():
        (line,) = [line for line in heard if f"'{name}'" in line]
        assert f"unable to find backend library for backend '{backend}'" in line
    assert not any("'slip'" in line and "unable to find" in line for line in heard)


@pytest.mark.parametrize("type, name", [("fp32", "image"), ("fp16", "image_f16"),
                                        ("uint8", "image_u8")])
def test_a_batch_and_other_sizes_run_in_onnx_runtime(tmp_path, type, name):
    repo(tmp_path, "--gpu", "--input", type)
    before = onnxruntime.InferenceSession(ROOT / "models" / "nail-f16.onnx")  # the default for GPUs
    onnx.checker.check_model(tmp_path / "nail" / "1" / "model.onnx", full_check=True)
    after = onnxruntime.InferenceSession(tmp_path / "nail" / "1" / "model.onnx")
    given = after.get_inputs()[0]
    assert (given.name, given.shape) == (name, ["batch", 3, "in_2", "in_3"])
    bytes = np.random.default_rng(1).integers(0, 256, (3, 3, 288, 384), np.uint8)
    pictures = bytes * np.float32(1 / 255)
    if type == "fp16":
        pictures = pictures.astype(np.float16).astype(np.float32)
    sent = {"fp32": pictures, "fp16": pictures.astype(np.float16), "uint8": bytes}[type]
    masks = after.run(None, {name: sent})[0]
    for picture, mask in zip(pictures, masks):
        assert np.array_equal(before.run(None, {"image": picture[None]})[0][0], mask)
    assert after.run(None, {name: sent[:, :, :, :288]})[0].shape == (3, 1, 144, 144)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_bytes_are_normalised_as_the_sidecar_says(tmp_path, tmp_path_factory, layout):
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]
    model = mask_tflite(tmp_path_factory, mean=mean, std=std)
    given = tmp_path / "given.onnx"
    done = subprocess.run([LACQUER, "convert", model, given, *(["--nchw"] * (layout == "nchw"))],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sidecar = {"head": "mask", "output": "probability", "layout": layout, "mean": mean, "std": std}
    given.with_suffix(".json").write_text(json.dumps(sidecar))
    repo(tmp_path / "out", "--gpu", "--model", given)
    bytes = np.random.default_rng(2).integers(0, 256, (2, 64, 96, 3), np.uint8)
    numbers = ((bytes / 255 - mean) / std).astype(np.float32)
    if layout == "nchw":
        bytes, numbers = (each.transpose(0, 3, 1, 2) for each in (bytes, numbers))
    before = onnxruntime.InferenceSession(given)
    after = onnxruntime.InferenceSession(tmp_path / "out" / "given" / "1" / "model.onnx")
    want = [before.run(None, {before.get_inputs()[0].name: each[None]})[0][0] for each in numbers]
    (got,) = after.run(None, {after.get_inputs()[0].name: bytes})
    assert np.abs(got - want).max() <= 1e-5 and np.ptp(want) > 0.1


def test_tensorrt_gets_bytes_when_asked_and_casts_them_first(tmp_path):
    """TensorRT accepts bytes only as the input of a Cast."""
    done = repo(tmp_path, "--plan", "--tensorrt", "fp16", "--input", "uint8")
    assert "--minShapes=image_u8:1x3x288x288" in done.stdout
    config = (tmp_path / "nail" / "config.pbtxt").read_text()
    assert 'name: "image_u8"\n  data_type: TYPE_UINT8' in config
    graph = onnx.load(tmp_path / "nail" / "model.onnx").graph
    users = [node.op_type for node in graph.node if "image_u8" in node.input]
    assert users == ["Cast"] and graph.node[0].op_type == "Cast"
    repo(tmp_path, "--tensorrt", "fp16", "--input", "uint8", "--name", "ort")
    config = (tmp_path / "ort" / "config.pbtxt").read_text()
    assert '"trt_profile_min_shapes" value: "image_u8:1x3x' in config
    # By default it gets floats, because bytes could only be tried against the documentation.
    for name, args in ("t", ["--tensorrt", "fp16"]), ("p", ["--plan"]):
        repo(tmp_path, "--name", name, *args)
        config = (tmp_path / name / "config.pbtxt").read_text()
        assert 'name: "image"\n  data_type: TYPE_FP32' in config


@pytest.mark.parametrize("args", [[], ["--plan"], ["--tensorrt-version", "11"]], ids=str)
@pytest.mark.parametrize("zero", [None, np.uint8(128), np.int8(3)])
def test_int8_of_a_model_without_scales_for_it(tmp_path, args, zero):
    """TensorRT would run it in floating point, or not at all."""
    given = ["--model", with_scales(tmp_path, zero)] if zero is not None else []
    done = repo(tmp_path / "out", "--tensorrt", "int8", *args, *given, status=1)
    assert ("symmetric" in done.stderr) and "--tensorrt fp16" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_model_says_the_precision_for_tensorrt_11(tmp_path):
    """It has no options for precision any more: half precision is in the file, and the pictures
    stay the same."""
    done = repo(tmp_path, "--plan", "--tensorrt", "fp16", "--tensorrt-version", "11")
    line = done.stdout.splitlines()[-1]
    assert "trtexec" in line and "--fp16" not in line and "26.06 or later" in done.stderr
    repo(tmp_path, "--tensorrt", "fp16", "--tensorrt-version", "11", "--name", "ort")
    assert "precision_mode" not in (tmp_path / "ort" / "config.pbtxt").read_text()
    scales = with_scales(tmp_path)
    done = repo(tmp_path, "--plan", "--tensorrt", "int8", "--tensorrt-version", "11", "--model",
                scales,
                "--name", "whole")
    assert "--int8" not in done.stdout
    picture = np.asarray(Image.open(HAND).resize((384, 288)), np.float32).transpose(2, 0,
                                                                                    1)[None] / 255
    (want,) = onnxruntime.InferenceSession(ROOT / "models" / "nail-f16.onnx").run(
        None, {"image": picture})
    for path in tmp_path / "nail" / "model.onnx", tmp_path / "ort" / "1" / "model.onnx":
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        inner = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.value_info
        types = [value.type.tensor_type.elem_type for value in inner]
        assert types.count(onnx.TensorProto.FLOAT16) > 0.9 * len(types)
        assert [each.type.tensor_type.elem_type for each in
                (*model.graph.input, *model.graph.output)] == [onnx.TensorProto.FLOAT] * 2
        (got,) = onnxruntime.InferenceSession(path).run(None, {"image": picture})
        assert np.abs(got - want).max() < 0.02 and want.max() > 0.9


def test_models_that_stay_in_full_precision(tmp_path):
    model = onnx.load(ROOT / "models" / "nail-f16.onnx")
    resize = next(node for node in model.graph.node if node.op_type == "Resize")
    model.graph.node.insert(0, onnx.helper.make_node("Identity", [resize.input[2]], ["scales"]))
    scales = next(node for node in model.graph.node if resize.input[2] in node.output)
    model.graph.node.remove(scales)
    model.graph.node.insert(0, scales)
    resize.input[2] = "scales"
    onnx.save(model, tmp_path / "computed.onnx")
    done = repo(tmp_path / "out", "--tensorrt", "fp16", "--tensorrt-version", "11", "--model",
                tmp_path / "computed.onnx", status=1)
    assert "computed scales" in done.stderr and "AutoCast" in done.stderr
    assert not (tmp_path / "out").exists()
    repo(tmp_path / "out", "--tensorrt", "fp16", "--model", tmp_path / "computed.onnx")


@pytest.mark.skipif(not SHARED.exists(), reason="no YOLOv8-seg .tflite here")
def test_a_yolo_in_half_precision(tmp_path):
    repo(tmp_path, "--tensorrt", "fp16", "--tensorrt-version", "11", "--name", "half", "--model",
         SHARED)
    repo(tmp_path, "--tensorrt", "fp32", "--name", "single", "--model", SHARED)
    half, single = (onnxruntime.InferenceSession(tmp_path / name / "1" / "model.onnx")
                    for name in ("half", "single"))
    shape = [each if isinstance(each, int) else 1 for each in single.get_inputs()[0].shape]
    picture = np.random.default_rng(1).random(shape, np.float32)
    for got, want in zip(half.run(None, {half.get_inputs()[0].name: picture}),
                         single.run(None, {single.get_inputs()[0].name: picture}), strict=True):
        assert got.dtype == np.float32 and np.abs(got - want).max() < 0.02 * np.abs(want).max()


def test_an_input_whose_new_name_is_taken(tmp_path):
    model = onnx.load(MODEL)
    model.graph.node[0].output[0] = model.graph.node[3].input[0] = "image_u8"
    onnx.save(model, tmp_path / "taken.onnx")
    done = repo(tmp_path / "out", "--gpu", "--model", tmp_path / "taken.onnx", status=1)
    assert "image_u8" in done.stderr and "--input fp32" in done.stderr
    repo(tmp_path / "fp32", "--gpu", "--input", "fp32", "--model", tmp_path / "taken.onnx")


def test_a_graph_with_a_fixed_batch_stays_at_one(tmp_path):
    model = onnx.load(MODEL)
    # The mask passes through a Reshape to a batch of one.
    mask = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["inner" if name == mask else name for name in node.output]
    shape = onnx.numpy_helper.from_array(np.array([1, 1, 144, 192], np.int64), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(onnx.helper.make_node("Reshape", ["inner", "shape"], [mask]))
    onnx.save(model, tmp_path / "held.onnx")
    done = repo(tmp_path / "out", "--gpu", "--model", tmp_path / "held.onnx")
    assert "no batches" in done.stderr
    config = (tmp_path / "out" / "held" / "config.pbtxt").read_text()
    assert "max_batch_size: 0" in config and "dynamic_batching" not in config
    assert "dims: [ 1, 3, " in config


@pytest.mark.skipif(not SHARED.exists(), reason="no YOLOv8-seg .tflite here")
def test_a_tflite_is_converted_for_a_gpu_and_taken_as_it_is_without(tmp_path):
    repo(tmp_path, "--gpu", "--name", "gpu", "--model", SHARED)
    session = onnxruntime.InferenceSession(tmp_path / "gpu" / "1" / "model.onnx")
    config = (tmp_path / "gpu" / "config.pbtxt").read_text()
    for tensor in session.get_inputs() + session.get_outputs():
        assert f'name: "{tensor.name}"' in config
    repo(tmp_path, "--name", "cpu", "--model", SHARED)
    assert (tmp_path / "cpu" / "1" / "model.tflite").read_bytes() == SHARED.read_bytes()


def test_trtexec_line(tmp_path):
    done = repo(tmp_path, "--plan", "--tensorrt", "fp16")
    assert ("trtexec --onnx=model.onnx --saveEngine=1/model.plan --fp16 "
            "--minShapes=image:1x3x288x288 --optShapes=image:4x3x288x384 "
            "--maxShapes=image:8x3x384x384 --timingCacheFile=timing.cache") in done.stdout
    assert (tmp_path / "nail" / "model.onnx").exists()


def test_a_tflite_keeps_its_sidecar_and_results(tmp_path, tmp_path_factory):
    """Converted on the way, it computes the same as the TFLite runtime."""
    model = mask_tflite(tmp_path_factory)
    repo(tmp_path, "--gpu", "--tensorrt", "fp16", "--model", model)
    config = (tmp_path / "small" / "config.pbtxt").read_text()
    assert r'{\"name\":\"small\",\"head\":\"mask\",' in config and r'\"layout\":\"nhwc\"' in config
    runtime = Interpreter(str(model))
    runtime.allocate_tensors()
    picture = np.random.default_rng(1).random((1, 64, 96, 3), np.float32)
    runtime.set_tensor(runtime.get_input_details()[0]["index"], picture)
    runtime.invoke()
    want = runtime.get_tensor(runtime.get_output_details()[0]["index"])
    session = onnxruntime.InferenceSession(tmp_path / "small" / "1" / "model.onnx")
    (got,) = session.run(None, {session.get_inputs()[0].name: picture})  # TensorRT gets fp32
    assert np.abs(got - want).max() <= 1e-5 and np.ptp(want) > 0.1


@pytest.mark.parametrize("name, status, words", [
    ("serving:0", 0, r"--optShapes=\'serving:0\':4x64x96x3"),
    ("x $(touch gone) `id`", 1, "trtexec cannot take the input name"),
])
def test_names_in_the_trtexec_line(tmp_path, tmp_path_factory, name, status, words):
    """Users paste it into a shell, and the model may come from anybody."""
    model = mask_tflite(tmp_path_factory, name)
    folder = tmp_path / "its'"
    done = repo(folder, "--plan", "--model", model, status=status)
    assert words in (done.stderr if status else done.stdout), done.stdout + done.stderr
    if status:
        return
    script = "trtexec() { pwd; printf '%s\\n' \"$@\"; }; " + done.stdout.splitlines()[-1]
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.splitlines()
    assert said[0] == str(folder / "small") and "--minShapes='serving:0':1x64x96x3" in said
    # ONNX Runtime would cut off such a name at its colon.
    repo(folder, "--tensorrt", "fp16", "--model", model, "--name", "ort")
    assert "trt_profile" not in (folder / "ort" / "config.pbtxt").read_text()


def test_a_failed_conversion_leaves_nothing(tmp_path):
    model = tmp_path / "broken.tflite"
    model.write_bytes(b"\0\0\0\0TFL3" + bytes(100))
    repo(tmp_path / "out", "--gpu", "--model", model, status=1)
    assert not (tmp_path / "out").exists()


def test_existing_files_stay(tmp_path):
    (tmp_path / "nail").mkdir()  # not created by Lacquer: refused although it is empty
    assert "is there already" in repo(tmp_path, status=1).stderr
    (tmp_path / "nail").rmdir()
    repo(tmp_path)
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "nail").stat().st_mode == (tmp_path / "plain").stat().st_mode
    config = tmp_path / "nail" / "config.pbtxt"
    config.write_text("mine")
    assert "--force" in repo(tmp_path, status=1).stderr
    assert config.read_text() == "mine"
    repo(tmp_path, "--force")
    assert config.read_text() != "mine"


@pytest.mark.parametrize("args, status, words", [
    (["--name", "a/b"], 2, "--name"),
    (["--model", "/nowhere.onnx"], 1, "/nowhere.onnx"),
    (["--model", "/etc/hostname"], 1, ".tflite"),
    (["--model", ROOT / "tests" / "fixtures" / "tiny_map.onnx", "--gpu"], 0, ""),
    (["--tensorrt", "fp8"], 2, "fp8"),
    (["--tensorrt-version", "9"], 2, "10 or 11"),
    (["--input", "int8"], 2, "int8"),
    (["--max-batch", "-1"], 2, "--max-batch"),
    (["--out", "/proc/nowhere"], 1, "cannot make folder"),
])
def test_wrong_use(tmp_path, args, status, words):
    done = repo(tmp_path / "out", *args, status=status)
    assert words in done.stderr
    if status:
        assert not (tmp_path / "out").exists()


def test_out_is_needed():
    done = subprocess.run([LACQUER, "triton-repo"], capture_output=True, text=True)
    assert done.returncode == 2 and "--out" in done.stderr
