"""CONCATENATION and what may follow it in a quantised network. OpenVINO 2026.4 crashes on a Concat
whose QuantizeLinear with a zero point is followed by another one: the converter must not write
that."""
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest

import compare
from tflite_builder import Builder

OPENVINO = compare.ROOT / ".deps" / "openvino" / "python"
FIRST, SECOND, THIRD = ({"scale": 0.1, "zero": 5}, {"scale": 0.1731, "zero": -3},
                        {"scale": 0.1377, "zero": 0})
SHAPE = [1, 4, 6, 8]


def joined(b, axis=3, count=3, about=FIRST, dtype="int8", others=None):
    parts = [b.tensor(SHAPE, dtype, name=f"x{i}", **(others[i] if others else about))
             for i in range(count)]
    out = list(SHAPE)
    out[axis] *= count
    y = b.tensor(out, dtype, name="joined", **about)
    b.op("CONCATENATION", parts, [y], "ConcatenationOptions", axis=axis)
    b.version("CONCATENATION", 2)
    return parts, y, out


def requantised(b, x, shape, about, dtype="int8"):
    y = b.tensor(shape, dtype, **about)
    b.op("QUANTIZE", [x], [y], "QuantizeOptions")
    return y


def simple(axis, about=SECOND):
    b = Builder()
    parts, y, shape = joined(b, axis)
    return b.finish(parts, [requantised(b, y, shape, about)])


def in_a_row():
    b = Builder()
    parts, y, shape = joined(b)
    for about in SECOND, THIRD, FIRST:
        y = requantised(b, y, shape, about)
    return b.finish(parts, [y])


def used_twice():
    b = Builder()
    parts, y, shape = joined(b)
    return b.finish(parts, [requantised(b, y, shape, SECOND), requantised(b, y, shape, THIRD), y])


def nested():
    b = Builder()
    parts, y, shape = joined(b)
    y = requantised(b, y, shape, SECOND)
    z = b.tensor(shape, "int8", name="more", **SECOND)
    w = b.tensor([*shape[:3], 2 * shape[3]], "int8", **SECOND)
    b.op("CONCATENATION", [y, z], [w], "ConcatenationOptions", axis=3)
    return b.finish([*parts, z], [requantised(b, w, [*shape[:3], 2 * shape[3]], THIRD)])


def scaled():
    """A product in between: boxes times their stride."""
    b = Builder()
    parts, y, shape = joined(b)
    z = b.tensor(shape, "float32")
    b.op("DEQUANTIZE", [y], [z], "DequantizeOptions")
    w = b.tensor(shape, "float32")
    b.op("MUL", [z, b.constant(np.full(1, 3, np.float32))], [w], "MulOptions")
    return b.finish(parts, [requantised(b, w, shape, SECOND)])


def mixed():
    """uint8 tensors with different quantisations may be joined."""
    b = Builder()
    abouts = [{"scale": 0.1, "zero": 128}, {"scale": 0.05, "zero": 100}, {"scale": 0.2, "zero": 9}]
    parts, y, shape = joined(b, about=abouts[0], dtype="uint8", others=abouts)
    return b.finish(parts, [requantised(b, y, shape, abouts[2], "uint8")])


def packed():
    b = Builder()
    parts = [b.tensor([1, 4, 8], "int8", name=f"x{i}", **FIRST) for i in range(2)]
    y = b.tensor([1, 2, 4, 8], "int8", **FIRST)
    b.op("PACK", parts, [y], "PackOptions", valuesCount=2, axis=1)
    b.version("PACK", 2)
    return b.finish(parts, [requantised(b, y, [1, 2, 4, 8], SECOND)])


CASES = {"channels": lambda: simple(3), "rows": lambda: simple(1),
         "the same scale": lambda: simple(3, FIRST), "in a row": in_a_row, "used twice": used_twice,
         "nested": nested, "scaled": scaled, "mixed": mixed, "packed": packed}


def compiles(path):
    """In OpenVINO, in a process of its own."""
    code = f"import openvino as ov; ov.Core().compile_model({str(path)!r}, 'CPU')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PYTHONPATH": str(OPENVINO)})


@pytest.mark.skipif(not OPENVINO.exists(), reason="no OpenVINO for Python here")
@pytest.mark.parametrize("name", CASES)
def test_what_follows_a_join(tmp_path, name):
    source, target = tmp_path / "x.tflite", tmp_path / "x.onnx"
    source.write_bytes(CASES[name]())
    gap, model = compare.same(source, target)
    # The runtime requantises in fixed point: each time a value may be rounded up or down.
    assert gap <= {"in a row": 3, "nested": 2, "the same scale": 0}.get(name, 1)
    makers = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in makers:
            quantise = makers[node.input[0]]
            behind = makers.get(quantise.input[0])
            assert behind is None or behind.op_type != "Concat", onnx.printer.to_text(model)
    done = compiles(target)
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])


def test_nested_joins_end_in_time(tmp_path):
    """Each joins its predecessor a hundred times: following every path would take for ever."""
    b = Builder()
    y, size = b.tensor([1, 0], "int8", name="x", **FIRST), 0
    first = y
    for _ in range(30):
        z = b.tensor([1, size], "int8", **FIRST)
        b.op("CONCATENATION", [y] * 100, [z], "ConcatenationOptions", axis=1)
        y = z
    (tmp_path / "x.tflite").write_bytes(b.finish([first], [y]))
    compare.convert(tmp_path / "x.tflite", tmp_path / "x.onnx")
