"""Combinations of operators: what is folded, what must not be transposed, what stays dynamic."""
import json
import struct

import numpy as np
import onnx
import pytest

import cases
import compare
from cases import SAME, VALID, ints, random
from tflite_builder import Builder, schema

FLOAT_MAX = 1e-5


class Net(Builder):
    """A chain of operators on pictures; each returns the number of its output."""

    def conv(self, x, out, w, **more):
        values = {"padding": SAME, "strideH": 1, "strideW": 1, **more}
        y = self.tensor(out)
        bias = self.constant(random(out[-1], seed=len(self.graph.tensors)))
        self.op("CONV_2D", [x, self.constant(w), bias], [y], "Conv2DOptions", **values)
        return y

    def one(self, kind, inputs, out, options=None, **more):
        y = self.tensor(out, name=more.pop("name", None))
        self.op(kind, inputs, [y], options, **more)
        return y


def converted(tmp_path, model, **options):
    source = tmp_path / "model.tflite"
    source.write_bytes(model)
    gap, made = compare.same(source, tmp_path / "model.onnx", **options)
    assert gap <= FLOAT_MAX
    return made


def kinds(model):
    return sorted(node.op_type for node in model.graph.node)


def test_padding_is_merged_into_the_convolution(tmp_path):
    for padding, size in ((VALID, 5), (SAME, 6)):
        b = Net()
        x = b.tensor([1, 8, 9, 3])
        pads = b.constant(np.array([[0, 0], [1, 2], [2, 0], [0, 0]], np.int32))
        padded = b.one("PAD", [x, pads], [1, 11, 11, 3])
        y = b.conv(padded, [1, size, size, 4], random(4, 3, 3, 3), padding=padding, strideH=2,
                   strideW=2)
        model = converted(tmp_path, b.finish([x], [y]))
        assert "Pad" not in kinds(model)


def test_a_batch_normalisation_is_folded_into_the_weights(tmp_path):
    b = Net()
    x = b.tensor([1, 6, 6, 3])
    y = b.conv(x, [1, 6, 6, 4], random(4, 3, 3, 3))
    y = b.one("MUL", [y, b.constant(random(4, seed=5))], [1, 6, 6, 4], "MulOptions")
    y = b.one("ADD", [b.constant(random(1, 1, 1, 4, seed=6)), y], [1, 6, 6, 4], "AddOptions",
              fusedActivationFunction=1)
    model = converted(tmp_path, b.finish([x], [y]))
    assert kinds(model) == ["Conv", "Relu", "Transpose", "Transpose"]


def test_a_scale_whose_input_is_used_elsewhere_stays(tmp_path):
    b = Net()
    x = b.tensor([1, 6, 6, 3])
    y = b.conv(x, [1, 6, 6, 4], random(4, 3, 3, 3))
    z = b.one("MUL", [y, b.constant(random(4, seed=5))], [1, 6, 6, 4], "MulOptions")
    assert "Mul" in kinds(converted(tmp_path, b.finish([x], [z, y])))


def test_space_to_batch_becomes_a_dilation(tmp_path):
    b = Net()
    x = b.tensor([1, 7, 9, 3])
    block = b.ints(2, 2)
    y = b.one("SPACE_TO_BATCH_ND", [x, block, b.constant(np.array([[2, 3], [2, 3]], np.int32))],
              [4, 6, 7, 3])
    y = b.conv(y, [4, 4, 5, 4], random(4, 3, 3, 3), padding=VALID)
    y = b.one("BATCH_TO_SPACE_ND", [y, block, b.constant(np.array([[0, 1], [0, 1]], np.int32))],
              [1, 7, 9, 4])
    model = converted(tmp_path, b.finish([x], [y]))
    assert kinds(model) == ["Conv", "Transpose", "Transpose"]


def test_a_network_of_pictures_has_no_inner_transposes(tmp_path):
    b = Net()
    x = b.tensor([1, 8, 8, 3])
    y = b.conv(x, [1, 8, 8, 4], random(4, 3, 3, 3))
    gate = b.one("MEAN", [y, b.ints(1, 2)], [1, 1, 1, 4], "ReducerOptions", keepDims=True)
    y = b.one("MUL", [y, b.one("LOGISTIC", [gate], [1, 1, 1, 4])], [1, 8, 8, 4], "MulOptions")
    y = b.one("ADD", [y, b.constant(random(1, 8, 8, 4))], [1, 8, 8, 4], "AddOptions")
    small = b.one("MAX_POOL_2D", [y], [1, 4, 4, 4], "Pool2DOptions", padding=VALID, strideH=2,
                  strideW=2, filterHeight=2, filterWidth=2)
    large = b.one("RESIZE_BILINEAR", [small, b.ints(8, 8)], [1, 8, 8, 4], "ResizeBilinearOptions",
                  halfPixelCenters=True)
    # Pixels repeated as frameworks write it: a further axis, tiled, and merged again.
    thick = b.one("EXPAND_DIMS", [small, b.constant(np.int32(3))], [1, 4, 4, 1, 4])
    thick = b.one("TILE", [thick, b.ints(1, 1, 1, 2, 1)], [1, 4, 4, 2, 4])
    thick = b.one("RESHAPE", [thick, b.ints(1, 4, 8, 4)], [1, 4, 8, 4])
    thick = b.one("EXPAND_DIMS", [thick, b.constant(np.int32(2))], [1, 4, 1, 8, 4])
    thick = b.one("TILE", [thick, b.ints(1, 1, 2, 1, 1)], [1, 4, 2, 8, 4])
    thick = b.one("RESHAPE", [thick, b.ints(1, 8, 8, 4)], [1, 8, 8, 4])
    y = b.one("CONCATENATION", [y, large, thick], [1, 8, 8, 12], "ConcatenationOptions", axis=-1)
    turned = b.one("TRANSPOSE", [y, b.ints(0, 3, 1, 2)], [1, 12, 8, 8])
    back = b.one("TRANSPOSE", [turned, b.ints(0, 2, 3, 1)], [1, 8, 8, 12])
    half = b.one("STRIDED_SLICE", [back, b.ints(0, 0, 0, 4), b.ints(0, 0, 0, 10),
                                   b.ints(1, 1, 1, 1)], [1, 8, 8, 6], "StridedSliceOptions",
                 beginMask=7, endMask=7, ellipsisMask=0, newAxisMask=0, shrinkAxisMask=0)
    y = b.conv(half, [1, 8, 8, 5], random(5, 1, 1, 6))
    y = b.one("TRANSPOSE", [y, b.ints(0, 3, 1, 2)], [1, 5, 8, 8])
    y = b.one("RESHAPE", [y, b.ints(1, 5, 64)], [1, 5, 64])
    model = converted(tmp_path, b.finish([x], [y]))
    assert kinds(model).count("Transpose") == 1 # at the picture's input


def test_attention_needs_no_transposes_of_pictures(tmp_path):
    b = Net()
    x = b.tensor([1, 4, 4, 8])
    qkv = b.conv(x, [1, 4, 4, 16], random(16, 1, 1, 8))
    t = b.one("TRANSPOSE", [qkv, b.ints(0, 3, 1, 2)], [1, 16, 4, 4])
    t = b.one("RESHAPE", [t, b.ints(1, 2, 8, 16)], [1, 2, 8, 16])
    q, k, v = b.tensor([1, 2, 2, 16]), b.tensor([1, 2, 2, 16]), b.tensor([1, 2, 4, 16])
    b.op("SPLIT_V", [t, b.ints(2, 2, 4), b.constant(np.int32(2))], [q, k, v], "SplitVOptions",
         numSplits=3)
    scores = b.one("BATCH_MATMUL", [q, k], [1, 2, 16, 16], "BatchMatMulOptions", adjX=True)
    scores = b.one("SOFTMAX", [scores], [1, 2, 16, 16], "SoftmaxOptions", beta=1.0)
    out = b.one("BATCH_MATMUL", [v, scores], [1, 2, 4, 16], "BatchMatMulOptions", adjY=True)
    out = b.one("RESHAPE", [out, b.ints(1, 8, 4, 4)], [1, 8, 4, 4])
    out = b.one("TRANSPOSE", [out, b.ints(0, 2, 3, 1)], [1, 4, 4, 8])
    y = b.conv(out, [1, 4, 4, 8], random(8, 3, 3, 8))
    model = converted(tmp_path, b.finish([x], [y]))
    # At the input, at the output, and for the two factors that the products need transposed.
    assert kinds(model).count("Transpose") == 4
    report = compare.report(tmp_path / "model.tflite", tmp_path / "model.onnx", tmp_path / "r.json")
    assert report["transposes"] == 4 and report["transposes_inner"] == 0


def test_shuffled_channels_are_transposed_once(tmp_path):
    b = Net()
    x = b.tensor([1, 8, 6, 3])
    y = b.conv(x, [1, 8, 6, 12], random(12, 3, 3, 3))
    y = b.one("RESHAPE", [y, b.ints(1, 8, 6, 2, 6)], [1, 8, 6, 2, 6])
    y = b.one("TRANSPOSE", [y, b.ints(0, 1, 2, 4, 3)], [1, 8, 6, 6, 2])
    y = b.one("RESHAPE", [y, b.ints(1, 8, 6, 12)], [1, 8, 6, 12])
    y = b.conv(y, [1, 8, 6, 4], random(4, 3, 3, 12))
    model = converted(tmp_path, b.finish([x], [y]))
    assert kinds(model).count("Transpose") == 3  # input, output, and the swapped channels


def test_windows_become_a_picture_at_once(tmp_path):
    b = Net()
    x = b.tensor([1, 8, 8, 4])
    y = b.one("RESHAPE", [x, b.ints(1, 2, 4, 2, 4, 4)], [1, 2, 4, 2, 4, 4])
    y = b.one("TRANSPOSE", [y, b.ints(0, 1, 3, 2, 4, 5)], [1, 2, 2, 4, 4, 4])
    y = b.one("RESHAPE", [y, b.ints(4, 16, 4)], [4, 16, 4])
    y = b.one("SOFTMAX", [y], [4, 16, 4], "SoftmaxOptions", beta=1.0)
    y = b.one("RESHAPE", [y, b.ints(1, 2, 2, 4, 4, 4)], [1, 2, 2, 4, 4, 4])
    y = b.one("TRANSPOSE", [y, b.ints(0, 1, 3, 2, 4, 5)], [1, 2, 4, 2, 4, 4])
    y = b.one("RESHAPE", [y, b.ints(1, 8, 8, 4)], [1, 8, 8, 4])
    y = b.conv(y, [1, 8, 8, 2], random(2, 3, 3, 4))
    model = converted(tmp_path, b.finish([x], [y]))
    assert kinds(model).count("Transpose") == 3  # into windows, back as NCHW, output


def open_shape():
    """The chain that frameworks write to flatten a dynamic batch: SHAPE, a slice of it, PACK."""
    b = Net()
    x = b.tensor([1, 4, 4, 3], name="x", signature=[-1, 4, 4, 3])
    sizes = b.tensor([4], "int32")
    b.op("SHAPE", [x], [sizes], "ShapeOptions", outType=schema.TensorType.INT32)
    first = b.tensor([], "int32")
    b.op("STRIDED_SLICE", [sizes, b.ints(0), b.ints(1), b.ints(1)], [first], "StridedSliceOptions",
         beginMask=0, endMask=0, ellipsisMask=0, newAxisMask=0, shrinkAxisMask=1)
    wanted = b.tensor([2], "int32")
    b.op("PACK", [first, b.constant(np.int32(48))], [wanted], "PackOptions", axis=0, valuesCount=2)
    y = b.tensor([1, 48], name="y", signature=[-1, 48])
    b.op("RESHAPE", [x, wanted], [y])
    return b.finish([x], [y])


def test_sizes_are_computed_as_far_as_they_are_known(tmp_path):
    three = random(3, 4, 4, 3)
    model = converted(tmp_path, open_shape(), inputs_of=lambda details: [three])
    assert kinds(model) == ["Reshape"]
    assert [d.dim_param or d.dim_value for d in
            model.graph.output[0].type.tensor_type.shape.dim] == ["batch", 48]


def test_an_open_batch_merged_with_other_axes_is_restored(tmp_path):
    """As frameworks write a dense layer over the channels of a picture."""
    b = Net()
    x = b.tensor([1, 4, 5, 3], name="x", signature=[-1, 4, 5, 3])
    rows = b.tensor([20, 3], signature=[-1, 3])
    b.op("RESHAPE", [x, b.ints(-1, 3)], [rows])
    dense = b.tensor([20, 6], signature=[-1, 6])
    b.op("FULLY_CONNECTED", [rows, b.constant(random(6, 3)), b.constant(random(6))], [dense],
         "FullyConnectedOptions")
    sizes, first, wanted = b.tensor([4], "int32"), b.tensor([], "int32"), b.tensor([4], "int32")
    b.op("SHAPE", [x], [sizes], "ShapeOptions", outType=schema.TensorType.INT32)
    b.op("STRIDED_SLICE", [sizes, b.ints(0), b.ints(1), b.ints(1)], [first], "StridedSliceOptions",
         beginMask=0, endMask=0, ellipsisMask=0, newAxisMask=0, shrinkAxisMask=1)
    b.op("PACK", [first, *(b.constant(np.int32(n)) for n in (4, 5, 6))], [wanted], "PackOptions",
         axis=0, valuesCount=4)
    y = b.tensor([1, 4, 5, 6], name="y", signature=[-1, 4, 5, 6])
    b.op("RESHAPE", [dense, wanted], [y])
    model = converted(tmp_path, b.finish([x], [y]), inputs_of=lambda details: [random(3, 4, 5, 3)])
    assert model.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert kinds(model) == ["Add", "MatMul"]


def test_a_dense_layer_over_channels_needs_no_transpose(tmp_path):
    for size in (-1, 1):
        b = Net()
        x = b.tensor([1, 4, 5, 3], name="x", signature=[size, 4, 5, 3])
        y = b.tensor([1, 4, 5, 8], signature=[size, 4, 5, 8])
        b.op("CONV_2D", [x, b.constant(random(8, 3, 3, 3)), b.constant(random(8))], [y],
             "Conv2DOptions", padding=SAME, strideH=1, strideW=1)
        rows = b.tensor([20, 8], signature=[20 * size if size > 0 else -1, 8])
        dense = b.tensor([20, 6], signature=[20 * size if size > 0 else -1, 6])
        back = b.tensor([1, 4, 5, 6], signature=[size, 4, 5, 6])
        z = b.tensor([1, 4, 5, 2], signature=[size, 4, 5, 2])
        b.op("RESHAPE", [y, b.ints(-1, 8)], [rows])
        b.op("FULLY_CONNECTED", [rows, b.constant(random(6, 8)), b.constant(random(6))], [dense],
             "FullyConnectedOptions", fusedActivationFunction=1)
        b.op("RESHAPE", [dense, b.ints(-1, 4, 5, 6)], [back])
        b.op("CONV_2D", [back, b.constant(random(2, 3, 3, 6)), b.constant(random(2))], [z],
             "Conv2DOptions", padding=SAME, strideH=1, strideW=1)
        batch = random(3 if size < 0 else 1, 4, 5, 3)
        model = converted(tmp_path, b.finish([x], [z]), inputs_of=lambda details: [batch])
        assert kinds(model) == ["Conv", "Conv", "Conv", "Relu", "Transpose", "Transpose"]


def test_an_output_may_be_an_input_a_constant_or_named_twice(tmp_path):
    b = Net()
    x, c = b.tensor([2, 3], name="x"), b.constant(random(2, 3), name="c")
    y = b.one("RELU", [x], [2, 3], name="y")
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(b.finish([x], [y, c]))
    compare.convert(source, target)
    assert [o.name for o in compare.checked(target).graph.output] == ["y", "c"]
    source.write_bytes(b.finish([x], [y, x, y]))
    compare.convert(source, target)
    names = [o.name for o in compare.checked(target).graph.output]
    assert names == ["y", "x#out1", "y#out2"]


def test_names_invalid_in_onnx_are_replaced(tmp_path):
    b = Net()
    x = b.tensor([4], name="x")
    y, z = b.one("RELU", [x], [4], name="same"), b.tensor([4], name="same")
    b.op("ABS", [y], [z])
    out = b.tensor([4], name="out")
    b.op("NEG", [z], [out])
    b.graph.tensors[y].name = b"\xff\xfe"
    model = converted(tmp_path, b.finish([x], [out]))
    names = [o for node in model.graph.node for o in node.output]
    assert len(set(names)) == 3 and names[-1] == "out"


def test_sparse_weights_are_densified(tmp_path):
    dense = np.zeros((4, 6), np.float32)
    dense[0, 1], dense[0, 5], dense[2, 0], dense[3, 3] = 1, -2, 3, 0.5
    b = Net()
    x, y = b.tensor([2, 6]), b.tensor([2, 4])
    sparse = b.tensor([4, 6], "float32", np.array([1, -2, 3, 0.5], np.float32), name="sparse")
    about = schema.SparsityParametersT()
    about.traversalOrder, about.blockMap = [0, 1], []
    rows, columns = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.format, rows.denseSize = schema.DimensionType.DENSE, 4
    columns.format, columns.denseSize = schema.DimensionType.SPARSE_CSR, 0
    columns.arraySegmentsType = columns.arrayIndicesType = schema.SparseIndexVector.Uint8Vector
    columns.arraySegments, columns.arrayIndices = schema.Uint8VectorT(), schema.Uint8VectorT()
    columns.arraySegments.values, columns.arrayIndices.values = [0, 2, 2, 3, 4], [1, 5, 0, 3]
    about.dimMetadata = [rows, columns]
    b.graph.tensors[sparse].sparsity = about
    whole = b.one("DENSIFY", [sparse], [4, 6])
    b.op("FULLY_CONNECTED", [x, whole, b.constant(random(4))], [y], "FullyConnectedOptions")
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(b.finish([x], [y]))
    compare.convert(source, target)
    model = compare.checked(target)
    made = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    assert any(value.shape == (4, 6) and (value == dense).all() for value in made.values())


def test_sparse_constants_are_bounded_over_a_whole_file(tmp_path):
    """Each covers sixty million empty elements and takes a few bytes: a hundred would take a
    minute."""
    b = Net()
    about = schema.SparsityParametersT()
    about.traversalOrder, about.blockMap, about.dimMetadata = [0, 1, 2], [], []
    for size in (6000, 10000, 0):
        level = schema.DimensionMetadataT()
        level.format, level.denseSize = schema.DimensionType.DENSE, size
        about.dimMetadata.append(level)
    x, y = b.tensor([1, 4]), b.tensor([1, 4])
    sparse = b.tensor([6000, 10000, 0], "float32", np.array([1], np.float32))
    b.graph.tensors[sparse].sparsity = about
    for _ in range(100):
        b.one("DENSIFY", [sparse], [6000, 10000, 0])
    b.op("LOGISTIC", [x], [y])
    source = tmp_path / "model.tflite"
    source.write_bytes(b.finish([x], [y]))
    said = compare.convert(source, tmp_path / "model.onnx", status=1).stderr.decode()
    assert "operator 1, DENSIFY" in said and "too many steps to expand" in said


def test_mediapipes_transposed_convolution(tmp_path):
    """No public runtime has it: compared with the schema's own operator of the same sizes."""
    w, bias = random(2, 2, 2, 3), random(2)
    b = Net()
    x, y = b.tensor([1, 4, 5, 3], name="x"), b.tensor([1, 8, 10, 2], name="y")
    made = b.op("CUSTOM", [x, b.constant(w), b.constant(bias)], [y],
                custom="Convolution2DTransposeBias")
    made.customOptions = np.frombuffer(struct.pack("<iii", 1, 2, 2), np.uint8)
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(b.finish([x], [y]))
    compare.convert(source, target)
    compare.checked(target)
    plain = cases.single("TRANSPOSE_CONV", [[1, 4, 5, 3]], [1, 8, 10, 2], "TransposeConvOptions",
                         [bias], before=[ints(1, 8, 10, 2), w], padding=SAME, strideH=2, strideW=2,
                         version=3)
    source.write_bytes(plain)
    inputs, _, _, want = compare.run_tflite(source, lambda d: compare.random_inputs(d, 1))
    _, got = compare.run_onnx(target, ["x"], inputs)
    assert compare.difference(got[0], want[0]) <= FLOAT_MAX


# ---- the report and the sidecar

def test_the_report_compares_every_tensor(tmp_path):
    b = Net()
    x = b.tensor([1, 8, 8, 3], name="x")
    y = b.conv(x, [1, 8, 8, 4], random(4, 3, 3, 3))
    z = b.one("LOGISTIC", [y], [1, 8, 8, 4], name="inner")
    w = b.one("MUL", [y, z], [1, 8, 8, 4], "MulOptions", name="out")
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(b.finish([x], [w]))
    for options in ([], ["--nchw"]):
        compare.convert(source, target, *options, "--report", str(tmp_path / "r.json"))
        report = json.loads((tmp_path / "r.json").read_text())
        assert report["operators"] == 3 and report["transposes_inner"] == 0
        assert report["nodes"] == len(onnx.load(target).graph.node)
        assert report["bytes"]["result"] == target.stat().st_size
        assert [row["name"] for row in report["outputs"]] == ["out"]
        assert "inner" in [row["name"] for row in report["intermediates"]]
        for row in report["outputs"] + report["intermediates"]:
            assert 0 <= row["mean_abs"] <= row["max_abs"] and row["max_rel"] < 1e-4


def test_the_report_generates_booleans_and_short_integers(tmp_path):
    b = Net()
    which, short = b.tensor([2, 5], "bool", name="which"), b.tensor([2, 5], "int16", name="short")
    real = b.one("CAST", [short], [2, 5], "CastOptions", name="real")
    out = b.one("SELECT_V2", [which, real, b.constant(random(2, 5))], [2, 5], name="out")
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(b.finish([which, short], [out]))
    compare.convert(source, target, "--report", str(tmp_path / "r.json"))
    rows = json.loads((tmp_path / "r.json").read_text())["outputs"]
    assert [(row["name"], row["max_abs"]) for row in rows] == [("out", 0)]


def test_the_report_does_not_quantise_small_weights(tmp_path):
    """A dynamic-range model: by default OpenVINO would quantise the inputs of the int8 weights."""
    b = Net()
    x = b.tensor([1, 8, 8, 64], name="x")
    y = b.tensor([1, 8, 8, 64], name="y")
    numbers = np.random.default_rng(3).integers(-127, 128, (64, 1, 1, 64)).astype(np.int8)
    w = b.constant(numbers, scale=np.linspace(0.002, 0.006, 64), axis=0)
    b.op("CONV_2D", [x, w, b.constant(random(64))], [y], "Conv2DOptions", padding=SAME, strideH=1,
         strideW=1)
    source = tmp_path / "model.tflite"
    source.write_bytes(b.finish([x], [y]))
    report = compare.report(source, tmp_path / "model.onnx", tmp_path / "r.json")
    assert report["outputs"][0]["max_rel"] < 1e-5


def sidecar_case(tmp_path, sidecar):
    source = tmp_path / "in.tflite"
    source.write_bytes(next(iter(cases.conv()))[1])
    (tmp_path / "in.json").write_text(sidecar)
    return source


def test_the_sidecar_is_copied(tmp_path):
    text = '{"name": "mine", "layout": "nhwc", "threshold": 0.4, "notes": "kept"}'
    source = sidecar_case(tmp_path, text)
    compare.convert(source, tmp_path / "out.onnx")
    assert (tmp_path / "out.json").read_text() == text
    compare.convert(source, tmp_path / "out.onnx", "--nchw")
    assert json.loads((tmp_path / "out.json").read_text()) == {**json.loads(text), "layout": "nchw"}
    # One sidecar cannot describe both.
    done = compare.convert(source, tmp_path / "in.onnx", "--nchw", status=2)
    assert b"another name" in done.stderr and not (tmp_path / "in.onnx").exists()


def test_a_bad_sidecar_is_reported(tmp_path):
    source = sidecar_case(tmp_path, '{"layout": "sideways"}')
    done = compare.convert(source, tmp_path / "out.onnx", status=1)
    assert b"layout" in done.stderr
    assert not (tmp_path / "out.onnx").exists() and not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("options", [[], ["--nchw"]])
def test_float16_weights_halve_the_file(tmp_path, options):
    source = tmp_path / "model.tflite"
    b = Net()
    x = b.tensor([1, 8, 8, 16])
    y = b.conv(x, [1, 8, 8, 64], random(64, 3, 3, 16))
    source.write_bytes(b.finish([x], [y]))
    compare.convert(source, tmp_path / "whole.onnx", *options)
    compare.convert(source, tmp_path / "half.onnx", "--fp16", *options)
    compare.checked(tmp_path / "half.onnx")
    whole, half = ((tmp_path / n).stat().st_size for n in ("whole.onnx", "half.onnx"))
    assert half < 0.55 * whole
