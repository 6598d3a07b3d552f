"""Tiny quantised models: int8 and uint8 throughout, float16 and dynamic-range weights."""
import itertools

import numpy as np

from cases import SAME, VALID, ints, out_size, random
from tflite_builder import Builder

IN = {"scale": 0.02, "zero": 3}      # about -2.6 to 2.5
OUT = {"scale": 0.05, "zero": -10}
UNSIGNED_IN = {"scale": 0.02, "zero": 120}
UNSIGNED_OUT = {"scale": 0.05, "zero": 110}


def both(dtype):
    return (IN, OUT) if dtype == "int8" else (UNSIGNED_IN, UNSIGNED_OUT)


def weights(shape, axis, per_channel=True, seed=4):
    """int8 values with a scale for each slice along `axis`, or one for all."""
    values = np.random.default_rng(seed).integers(-127, 128, shape).astype(np.int8)
    count = shape[axis] if per_channel else 1
    return values, {"scale": np.linspace(0.002, 0.006, count), "zero": np.zeros(count, int),
                    "axis": axis}


def product(name, shape, out, options, weights_shape, axis, channels, dtype="int8",
            per_channel=True, before=None, version=3, **values):
    """A convolution or a matrix product with quantised weights and a 32-bit bias."""
    b = Builder()
    x_about, y_about = both(dtype)
    x, y = b.tensor(shape, dtype, name="x", **x_about), b.tensor(out, dtype, name="y", **y_about)
    numbers, about = weights(weights_shape, axis, per_channel)
    if dtype == "uint8":
        numbers, about = (numbers.astype(int) + 128).astype(np.uint8), {"scale": 0.004, "zero": 131}
    w = b.constant(numbers, "w", **about)
    scales = np.broadcast_to(about["scale"], channels if per_channel and dtype == "int8" else 1)
    bias = b.constant(np.random.default_rng(8).integers(-2000, 2000, channels).astype(np.int32),
                      "bias", scale=scales * x_about["scale"], zero=0)
    inputs = [x, w, bias] if before is None else [b.constant(before), w, x, bias]
    b.op(name, inputs, [y], options, **values)
    b.version(name, version)
    return b.finish([x], [y])


def products():
    for (k, s, d, padding), dtype in itertools.product(
            [(1, 1, 1, SAME), (3, 2, 1, SAME), (3, 1, 2, VALID)], ["int8", "uint8"]):
        size = out_size(9, k, s, d, padding)
        for per_channel in ([True, False] if dtype == "int8" else [False]):
            yield (f"CONV_2D {dtype} k{k} s{s} d{d} {per_channel}",
                   product("CONV_2D", [1, 9, 9, 6], [1, size, size, 5], "Conv2DOptions",
                           [5, k, k, 6], 0, 5, dtype, per_channel, padding=padding, strideH=s,
                           strideW=s, dilationHFactor=d, dilationWFactor=d,
                           fusedActivationFunction=3), {})
            yield (f"DEPTHWISE_CONV_2D {dtype} k{k} s{s} d{d} {per_channel}",
                   product("DEPTHWISE_CONV_2D", [1, 9, 9, 3], [1, size, size, 6],
                           "DepthwiseConv2DOptions", [1, k, k, 6], 3, 6, dtype, per_channel,
                           padding=padding, strideH=s, strideW=s, depthMultiplier=2,
                           dilationHFactor=d, dilationWFactor=d), {})
    for dtype in ("int8", "uint8"):
        yield (f"FULLY_CONNECTED {dtype}",
               product("FULLY_CONNECTED", [3, 12], [3, 5], "FullyConnectedOptions", [5, 12], 0, 5,
                       dtype, False, version=4, fusedActivationFunction=1), {})
        yield (f"TRANSPOSE_CONV {dtype}",
               product("TRANSPOSE_CONV", [1, 4, 5, 3], [1, 8, 10, 4], "TransposeConvOptions",
                       [4, 3, 3, 3], 0, 4, dtype, dtype == "int8", before=ints(1, 8, 10, 4),
                       padding=SAME, strideH=2, strideW=2), {})


def plain(name, shapes, out, options=None, constants=(), dtype="int8", y=None, x=None, version=2,
          **values):
    b = Builder()
    x_about, y_about = both(dtype)
    inputs = [b.tensor(s, dtype, name=f"x{i}", **(x or x_about)) for i, s in enumerate(shapes)]
    consts = [b.constant(c) if not isinstance(c, tuple) else b.constant(c[0], **c[1])
              for c in constants]
    outs = out if out and isinstance(out[0], list) else [out]
    outputs = [b.tensor(s, dtype, name=f"y{i}", **(y or y_about)) for i, s in enumerate(outs)]
    b.op(name, inputs + consts, outputs, options, **values)
    b.version(name, version)
    return b.finish(inputs, outputs)


def elementwise():
    shape = [1, 4, 5, 6]
    for kind, dtype in itertools.product(["ADD", "SUB", "MUL"], ["int8", "uint8"]):
        yield (f"{kind} {dtype}", plain(kind, [shape, shape], shape, kind.capitalize() + "Options",
                                        dtype=dtype, fusedActivationFunction=1), {})
    for dtype in ("int8", "uint8"):
        low = -128 if dtype == "int8" else 0
        yield (f"LOGISTIC {dtype}", plain("LOGISTIC", [shape], shape, dtype=dtype,
                                          y={"scale": 1 / 256, "zero": low}), {})
        yield (f"SOFTMAX {dtype}", plain("SOFTMAX", [[3, 9]], [3, 9], "SoftmaxOptions", beta=1.0,
                                         dtype=dtype, y={"scale": 1 / 256, "zero": low}), {})
        yield (f"TANH {dtype}", plain("TANH", [shape], shape, dtype=dtype,
                                      y={"scale": 1 / 128, "zero": low + 128}), {})
    same = {"scale": 0.02, "zero": 3}
    yield ("HARD_SWISH", plain("HARD_SWISH", [shape], shape, version=1), {})
    yield ("LEAKY_RELU", plain("LEAKY_RELU", [shape], shape, "LeakyReluOptions", alpha=0.1), {})
    yield ("RELU", plain("RELU", [shape], shape, y={"scale": 0.01, "zero": -128}), {})
    yield ("RELU6", plain("RELU6", [shape], shape, y={"scale": 6 / 255, "zero": -128}), {})
    yield ("PRELU", plain("PRELU", [shape], shape, constants=[
        (np.random.default_rng(2).integers(-127, 128, (1, 1, 6)).astype(np.int8),
         {"scale": 0.004, "zero": 0})], version=1), {})
    for kind in ("MAXIMUM", "MINIMUM"):
        yield (kind, plain(kind, [shape, shape], shape, y=same), {})
    yield ("QUANTIZE again", plain("QUANTIZE", [shape], shape), {})
    yield ("SQUARED_DIFFERENCE", plain("SQUARED_DIFFERENCE", [shape, shape], shape), {})
    yield ("ABS", plain("ABS", [shape], shape, y={"scale": 0.02, "zero": -128}), {})


def moving():
    same = {"scale": 0.02, "zero": 3}
    shape = [1, 5, 6, 4]
    yield ("CONCATENATION", plain("CONCATENATION", [shape, [1, 5, 6, 2]], [1, 5, 6, 6],
                                  "ConcatenationOptions", axis=3, y=same), {})
    yield ("RESHAPE", plain("RESHAPE", [shape], [1, 30, 4], constants=[ints(1, -1, 4)], y=same,
                              version=1), {})
    yield ("TRANSPOSE", plain("TRANSPOSE", [shape], [1, 4, 5, 6], constants=[ints(0, 3, 1, 2)],
                              y=same), {})
    yield ("PAD", plain("PAD", [shape], [1, 6, 8, 4], "PadOptions", y=same, constants=[
        np.array([[0, 0], [1, 0], [1, 1], [0, 0]], np.int32)]), {})
    yield ("STRIDED_SLICE", plain("STRIDED_SLICE", [shape], [1, 2, 3, 4], "StridedSliceOptions",
                                  [ints(0, 1, 0, 0), ints(1, 5, 6, 4), ints(1, 2, 2, 1)], y=same,
                                  beginMask=0, endMask=0, ellipsisMask=0, newAxisMask=0,
                                  shrinkAxisMask=0), {})
    yield ("MAX_POOL_2D", plain("MAX_POOL_2D", [shape], [1, 3, 3, 4], "Pool2DOptions", y=same,
                                padding=SAME, strideH=2, strideW=2, filterHeight=3, filterWidth=3),
           {})
    yield ("AVERAGE_POOL_2D", plain("AVERAGE_POOL_2D", [shape], [1, 3, 3, 4], "Pool2DOptions",
                                    y=same, padding=SAME, strideH=2, strideW=2, filterHeight=3,
                                    filterWidth=3), {})
    yield ("MEAN", plain("MEAN", [shape], [1, 1, 1, 4], "ReducerOptions", [ints(1, 2)],
                         keepDims=True), {})
    for kind, table in (("RESIZE_BILINEAR", "ResizeBilinearOptions"),
                        ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")):
        yield (kind, plain(kind, [shape], [1, 10, 12, 4], table, [ints(10, 12)], y=same,
                           halfPixelCenters=True, version=3), {})
    yield ("SPLIT_V", plain("SPLIT_V", [shape], [[1, 5, 6, 1], [1, 5, 6, 3]], "SplitVOptions",
                            [ints(1, 3), np.int32(3)], numSplits=2, y=same), {})
    b = Builder()
    x, q = b.tensor([2, 9]), b.tensor([2, 9], "int8", **OUT)
    y, z = b.tensor([2, 9], "int8", **OUT), b.tensor([2, 9])
    b.op("QUANTIZE", [x], [q])
    b.op("RELU", [q], [y])
    b.op("DEQUANTIZE", [y], [z])
    yield ("QUANTIZE DEQUANTIZE", b.finish([x], [z]),
           {"steps_of": OUT["scale"], "low": -4, "high": 4})


def wide():
    """int16 activations with int8 weights and a 64-bit bias, as in 16x8 exports."""
    x_about, y_about = {"scale": 3 / 32768, "zero": 0}, {"scale": 6 / 32768, "zero": 0}
    numbers, about = weights([5, 3, 3, 6], 0)
    bias = np.random.default_rng(8).integers(-200000, 200000, 5).astype(np.int64)
    for activation in (0, 1, 3):
        b = Builder()
        x = b.tensor([1, 7, 7, 6], "int16", name="x", **x_about)
        y = b.tensor([1, 4, 4, 5], "int16", name="y", **y_about)
        b.op("CONV_2D", [x, b.constant(numbers, **about),
                         b.constant(bias, scale=about["scale"] * x_about["scale"], zero=0)], [y],
             "Conv2DOptions", padding=SAME, strideH=2, strideW=2,
             fusedActivationFunction=activation)
        b.version("CONV_2D", 4)
        yield (f"CONV_2D {activation}", b.finish([x], [y]), {})
    shape = [1, 4, 5, 6]
    for kind in ("MUL", "ADD", "SUB"):
        options = {} if kind == "MUL" else {"potScaleInt16": False}
        yield (kind, plain(kind, [shape, shape], shape, kind.capitalize() + "Options",
                           dtype="int16", x=x_about, y=y_about, version=4, **options), {})
    one = {"scale": 1 / 32768, "zero": 0}
    yield ("LOGISTIC", plain("LOGISTIC", [shape], shape, dtype="int16", x=x_about, y=one,
                             version=3), {})
    yield ("CONCATENATION", plain("CONCATENATION", [shape, shape], [1, 4, 5, 12],
                                  "ConcatenationOptions", dtype="int16", axis=3, x=x_about,
                                  y=x_about, version=3), {})


def stored_small():
    """float16 and int8 weights in a float model, which are dequantised during conversion."""
    w, bias = random(4, 3, 3, 3).astype(np.float16), random(4).astype(np.float16)
    b = Builder()
    x, y = b.tensor([1, 6, 6, 3]), b.tensor([1, 6, 6, 4])
    halves = [b.constant(w), b.constant(bias)]
    floats = [b.tensor(w.shape), b.tensor(bias.shape)]
    for half, whole in zip(halves, floats):
        b.op("DEQUANTIZE", [half], [whole])
    b.op("CONV_2D", [x, *floats], [y], "Conv2DOptions", padding=SAME, strideH=1, strideW=1)
    yield ("float16", b.finish([x], [y]), {})
    for axis, count in ((0, 4), (3, 3)):
        b = Builder()
        numbers = np.random.default_rng(6).integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
        stored = b.constant(numbers, scale=np.linspace(0.01, 0.03, count), axis=axis)
        x, y, whole = b.tensor([1, 6, 6, 3]), b.tensor([1, 6, 6, 4]), b.tensor([4, 3, 3, 3])
        b.op("DEQUANTIZE", [stored], [whole])
        b.version("DEQUANTIZE", 5)
        b.op("CONV_2D", [x, whole, b.constant(random(4))], [y], "Conv2DOptions", padding=SAME,
             strideH=1, strideW=1)
        yield (f"int8 along {axis}", b.finish([x], [y]), {})


ALL = [products, elementwise, moving, wide, stored_small]
