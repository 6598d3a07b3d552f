"""Integers that a double cannot represent, in constants from which shapes are computed."""
import numpy as np
import pytest

import compare
from tflite_builder import Builder


@pytest.mark.parametrize("operator, number", [
    ("MINIMUM", 2**63 - 1), ("MINIMUM", 2**53 + 1), ("MAXIMUM", -2**63), ("MAXIMUM", -2**53 - 1)])
def test_a_bound_beyond_what_doubles_hold(tmp_path, operator, number):
    b = Builder()
    x, out = b.tensor([2, 3, 4], name="x"), b.tensor([2, 3, 4], name="y")
    sizes, wide, bounded, back = (b.tensor([3], t) for t in ("int32", "int64", "int64", "int32"))
    b.op("SHAPE", [x], [sizes], "ShapeOptions", outType=2)
    b.op("CAST", [sizes], [wide], "CastOptions", inDataType=2, outDataType=4)
    b.op(operator, [wide, b.constant(np.array([number], np.int64))], [bounded],
         "MaximumMinimumOptions")
    b.op("CAST", [bounded], [back], "CastOptions", inDataType=4, outDataType=2)
    b.op("RESHAPE", [x, back], [out], "ReshapeOptions")
    (tmp_path / "x.tflite").write_bytes(b.finish([x], [out]))
    gap, model = compare.same(tmp_path / "x.tflite", tmp_path / "x.onnx")
    assert gap == 0 and compare.count(model, "Min") == compare.count(model, "Max") == 0


def test_a_size_beyond_all_sizes(tmp_path):
    """Doubled repeatedly, a size would exceed 64 bits: it stays dynamic or is refused, not
    computed."""
    b = Builder()
    x = b.tensor([1, 4, 4, 3], name="x")
    y = b.tensor([1, 8, 8, 3], name="y")
    b.op("RESIZE_BILINEAR", [x, b.constant(np.array([2**31 - 1, 8], np.int32))], [y],
         "ResizeBilinearOptions")
    (tmp_path / "x.tflite").write_bytes(b.finish([x], [y]))
    compare.convert(tmp_path / "x.tflite", tmp_path / "x.onnx", status=1)
