"""Whole models, and the command's reaction to files that it cannot convert."""
import subprocess

import numpy as np
import pytest

import cases
import compare
from tflite_builder import Builder

YOLO = compare.ROOT.parent / "shared" / "model" / "yolov8s-seg-random-f16.tflite"
NAIL = compare.ROOT / "models" / "nail.tflite"
OUTPUT_MAX = 1e-3


def test_the_default_model(tmp_path):
    gap, model = compare.same(NAIL, tmp_path / "nail.onnx", low=0.0, high=1.0)
    assert gap <= OUTPUT_MAX
    assert compare.count(model, "Transpose") == 1  # at the picture's input
    assert (tmp_path / "nail.json").exists()       # its sidecar is copied


@pytest.mark.skipif(not YOLO.exists(), reason="needs the YOLOv8s-seg model beside the checkout")
def test_yolov8s_seg(tmp_path):
    gap, model = compare.same(YOLO, tmp_path / "yolo.onnx", low=0.0, high=1.0)
    assert gap <= OUTPUT_MAX
    # One at the picture's input, one at the prototypes' output; none in between.
    assert compare.count(model, "Transpose") == 2
    assert [i.name for i in model.graph.input] == ["images"]
    assert [o.name for o in model.graph.output] == ["Identity", "Identity_1"]


@pytest.mark.skipif(not YOLO.exists(), reason="needs the YOLOv8s-seg model beside the checkout")
def test_yolov8s_seg_as_nchw_and_float16(tmp_path):
    target = tmp_path / "yolo.onnx"
    compare.convert(YOLO, target, "--nchw", "--fp16")
    model = compare.checked(target)
    assert compare.count(model, "Transpose") == 0
    assert target.stat().st_size < 1.02 * YOLO.stat().st_size
    picture = np.random.default_rng(3).random((1, 640, 640, 3), np.float32)
    _, names, _, want = compare.run_tflite(YOLO, lambda details: [picture])
    _, got = compare.run_onnx(target, names, [picture.transpose(0, 3, 1, 2)])
    assert compare.difference(got[0], want[0]) <= OUTPUT_MAX
    assert compare.difference(got[1].transpose(0, 2, 3, 1), want[1]) <= OUTPUT_MAX


def refused(tmp_path, model):
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(model)
    text = compare.convert(source, target, status=1).stderr.decode()
    assert text.startswith("lacquer: ") and text.count("\n") == 1
    # Neither the result nor its temporary file.
    assert sorted(tmp_path.iterdir()) == [source]
    return text


def test_an_unknown_operator_is_named_and_no_file_written(tmp_path):
    b = Builder()
    x, y, z = b.tensor([4], name="x"), b.tensor([4], name="middle"), b.tensor([4], name="z")
    b.op("RELU", [x], [y])
    b.op("CUSTOM", [y], [z], custom="NailPolish")
    text = refused(tmp_path, b.finish([x], [z]))
    assert "NailPolish" in text and "operator 1" in text and "'z'" in text
    b = Builder()
    x, y = b.tensor([4], name="x"), b.tensor([4], name="y")
    b.op("SEGMENT_SUM", [x, x], [y])
    assert "SEGMENT_SUM" in refused(tmp_path, b.finish([x], [y]))


def test_damaged_files_are_refused(tmp_path):
    _, good, _ = next(iter(cases.conv()))
    assert "TFL3" in refused(tmp_path, b"no model at all")
    assert "TFL3" in refused(tmp_path, b"")
    assert "damaged" in refused(tmp_path, good[:len(good) // 2])
    assert "not fill its shape" in refused(tmp_path, conv_with_weights(np.zeros(5, np.float32)))


def conv_with_weights(weights):
    b = Builder()
    x, y = b.tensor([1, 4, 4, 1]), b.tensor([1, 4, 4, 1])
    w = b.tensor([1, 3, 3, 1], "float32", weights, "weights")
    b.op("CONV_2D", [x, w], [y], "Conv2DOptions", strideH=1, strideW=1)
    return b.finish([x], [y])


@pytest.mark.parametrize("arguments, words", [
    ([], "name the models"), (["a.tflite"], "name the models"),
    (["a", "b", "c"], "one input model"),
    (["--fp17", "a", "b"], "fp17"),
])
def test_wrong_use_exits_2(arguments, words):
    done = subprocess.run([compare.LACQUER, "convert", *arguments], capture_output=True,
                          check=False)
    assert done.returncode == 2 and words in done.stderr.decode()


def test_a_missing_file_and_an_impossible_target(tmp_path):
    text = compare.convert(tmp_path / "none.tflite", tmp_path / "x.onnx", status=1).stderr.decode()
    assert "none.tflite" in text and not (tmp_path / "x.onnx").exists()
    source = tmp_path / "model.tflite"
    source.write_bytes(next(iter(cases.conv()))[1])
    text = compare.convert(source, tmp_path / "no" / "x.onnx", status=1).stderr.decode()
    assert "x.onnx" in text


def open_batch():
    b = Builder()
    x = b.tensor([1, 8, 8, 3], name="image", signature=[-1, 8, 8, 3])
    w, bias = b.constant(cases.random(4, 3, 3, 3)), b.constant(cases.random(4))
    y = b.tensor([1, 4, 4, 4], name="features", signature=[-1, 4, 4, 4])
    z = b.tensor([1, 64], name="flat", signature=[-1, 64])
    b.op("CONV_2D", [x, w, bias], [y], "Conv2DOptions", strideH=2, strideW=2)
    b.op("RESHAPE", [y, b.ints(-1, 64)], [z])
    return b.finish([x], [z, y])


def test_an_open_batch_stays_open_and_has_a_name(tmp_path):
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(open_batch())
    three = np.random.default_rng(2).random((3, 8, 8, 3), np.float32)
    gap, model = compare.same(source, target, inputs_of=lambda details: [three])
    assert gap <= 1e-5
    for value in [*model.graph.input, *model.graph.output]:
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [o.name for o in model.graph.output] == ["flat", "features"]
