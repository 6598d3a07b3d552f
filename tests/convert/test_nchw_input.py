"""`convert --nchw` for models whose pictures are NCHW already, as PyTorch's exporters write
them."""
import json

import numpy as np
import onnx
import pytest

import compare
from cases import SAME
from tflite_builder import Builder

ABOUT = {"scale": 1 / 255, "zero": -128}


def network(shape, before, turned):
    """[`before`: QUANTIZE, PAD or neither] [TRANSPOSE to NHWC] CONV_2D [TRANSPOSE back]."""
    b = Builder()
    random = np.random.default_rng(1)
    x = first = b.tensor(shape, name="x")
    if before == "quantize":
        q = b.tensor(shape, "int8", **ABOUT)
        b.op("QUANTIZE", [x], [q], "QuantizeOptions")
        x = b.tensor(shape)
        b.op("DEQUANTIZE", [q], [x], "DequantizeOptions")
    if before == "pad":
        pads = np.zeros((4, 2), np.int32)
        pads[-1 if turned else 2] = 1
        shape = [int(n) for n in np.add(shape, pads.sum(axis=1))]
        p = b.tensor(shape)
        b.op("PAD", [x, b.constant(pads)], [p], "PadOptions")
        x = p
    if turned:
        shape = [shape[0], *shape[2:], shape[1]]
        t = b.tensor(shape)
        b.op("TRANSPOSE", [x, b.ints(0, 2, 3, 1)], [t], "TransposeOptions")
        x = t
    y = b.tensor([*shape[:3], 2], name="y")
    b.op("CONV_2D", [x, b.constant(random.normal(size=(2, 3, 3, shape[3])).astype(np.float32)),
                     b.constant(np.zeros(2, np.float32))], [y],
         "Conv2DOptions", padding=SAME, strideH=1, strideW=1)
    if turned:
        z = b.tensor([shape[0], 2, *shape[1:3]], name="z")
        b.op("TRANSPOSE", [y, b.ints(0, 3, 1, 2)], [z], "TransposeOptions")
        y = z
    return b.finish([first], [y])


@pytest.mark.parametrize("before", ["", "quantize", "pad"])
@pytest.mark.parametrize("shape, turned", [
    ([1, 3, 8, 12], True), ([2, 1, 8, 12], True), ([1, 4, 8, 3], True), ([1, 3, 3, 3], True),
    ([1, 16, 8, 12], True), ([1, 8, 12, 3], False), ([1, 3, 12, 3], False),
    ([1, 8, 12, 16], False)])
def test_an_input_with_its_channels_first_is_left_alone(tmp_path, shape, turned, before):
    source, target = tmp_path / "x.tflite", tmp_path / "x.onnx"
    source.write_bytes(network(shape, before, turned))
    compare.convert(source, target, "--nchw", "--report", tmp_path / "r.json")
    inputs, _, _, (want,) = compare.run_tflite(
        source, lambda details: compare.random_inputs(details, 0, 0, 1))
    wanted = shape if turned else [shape[0], shape[3], *shape[1:3]]
    given = onnx.load(target).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_value for d in given] == wanted
    picture = inputs[0] if turned else inputs[0].transpose(0, 3, 1, 2)
    _, (got,) = compare.run_onnx(target, ["x"], [picture])
    assert np.abs(got - (want if turned else want.transpose(0, 3, 1, 2))).max() < 1e-5
    assert compare.count(onnx.load(target), "Transpose") == 0
    rows = json.loads((tmp_path / "r.json").read_text())["outputs"]
    assert rows and all(row["max_rel"] < 0.02 for row in rows)
