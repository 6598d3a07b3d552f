"""Tiny models, one operator each, with the unusual parameters of real exports.

Each function is a case: it yields (name, .tflite bytes, options for the comparison)."""
import itertools

import numpy as np

from tflite_builder import Builder, schema

SAME, VALID = schema.Padding.SAME, schema.Padding.VALID
# Not tanh: the TFLite runtime lacks it, and no converter writes it.
ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}


def random(*shape, seed=1, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def single(name, shapes, out, options=None, constants=(), dtype="float32", out_dtype=None,
           before=(), version=None, **values):
    """One operator: inputs of these shapes, then constants; `before` constants come first."""
    b = Builder()
    firsts = [b.constant(c) for c in before]
    inputs = [b.tensor(s, dtype, name=f"in_{i}") for i, s in enumerate(shapes)]
    consts = [b.constant(c) for c in constants]
    outs = out if out and isinstance(out[0], list) else [out]
    outputs = [b.tensor(s, out_dtype or dtype, name=f"out_{i}") for i, s in enumerate(outs)]
    b.op(name, firsts + inputs + consts, outputs, options, **values)
    if version:
        b.version(name, version)
    return b.finish(inputs, outputs)


def ints(*values):
    return np.array(values, np.int32)


def out_size(size, kernel, stride, dilation, padding):
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == SAME else (size - reach) // stride + 1


# ---- convolutions

def conv():
    for (h, w), k, s, d, padding in itertools.product(
            [(9, 12), (10, 7)], [(1, 1), (3, 3), (2, 5)], [(1, 1), (2, 2), (3, 2)],
            [(1, 1), (2, 3)], [SAME, VALID]):
        if s != (1, 1) and d != (1, 1):
            continue
        oh, ow = (out_size(n, *of, padding) for n, of in ((h, (k[0], s[0], d[0])),
                                                          (w, (k[1], s[1], d[1]))))
        if oh < 1 or ow < 1:
            continue
        yield (f"{h}x{w} k{k} s{s} d{d} p{padding}",
               single("CONV_2D", [[1, h, w, 3]], [1, oh, ow, 4], "Conv2DOptions",
                      [random(4, *k, 3), random(4)], padding=padding, strideH=s[0], strideW=s[1],
                      dilationHFactor=d[0], dilationWFactor=d[1]), {})
    for name, code in ACTIVATIONS.items():
        yield (name, single("CONV_2D", [[2, 5, 5, 3]], [2, 5, 5, 4], "Conv2DOptions",
                            [random(4, 3, 3, 3), random(4)], padding=SAME, strideH=1, strideW=1,
                            fusedActivationFunction=code), {})
    yield ("grouped", single("CONV_2D", [[1, 6, 6, 8]], [1, 6, 6, 4], "Conv2DOptions",
                             [random(4, 3, 3, 2), random(4)], padding=SAME, strideH=1, strideW=1),
           {})


def depthwise():
    for multiplier, k, s, d, padding in itertools.product(
            [1, 3], [(3, 3), (1, 4)], [1, 2], [(1, 1), (2, 2)], [SAME, VALID]):
        if s != 1 and d != (1, 1):
            continue
        oh, ow = out_size(9, k[0], s, d[0], padding), out_size(10, k[1], s, d[1], padding)
        yield (f"m{multiplier} k{k} s{s} d{d} p{padding}",
               single("DEPTHWISE_CONV_2D", [[1, 9, 10, 5]], [1, oh, ow, 5 * multiplier],
                      "DepthwiseConv2DOptions",
                      [random(1, *k, 5 * multiplier), random(5 * multiplier)],
                      padding=padding, strideH=s, strideW=s, depthMultiplier=multiplier,
                      dilationHFactor=d[0], dilationWFactor=d[1], fusedActivationFunction=3), {})


def transpose_conv():
    for k, s, padding, bias in itertools.product([(2, 2), (3, 3), (4, 3), (1, 1)], [1, 2, 3],
                                                 [SAME, VALID], [True, False]):
        sizes = [[n * s] if padding == SAME else [n * s + max(f - s, 0)]
                 for n, f in ((5, k[0]), (4, k[1]))]
        if padding == SAME and s > 1:  # several output sizes share an input size
            sizes[0].append(sizes[0][0] - 1)
        for oh, ow in itertools.product(*sizes):
            yield (f"k{k} s{s} p{padding} b{bias} to {oh}x{ow}",
                   single("TRANSPOSE_CONV", [[1, 5, 4, 3]], [1, oh, ow, 2], "TransposeConvOptions",
                          [random(2)] if bias else [],
                          before=[ints(1, oh, ow, 2), random(2, *k, 3)],
                          padding=padding, strideH=s, strideW=s, version=3 if bias else 1), {})


def fully_connected():
    for batch, activation in ((1, 0), (4, 1)):
        yield (f"{batch}", single("FULLY_CONNECTED", [[batch, 6]], [batch, 5],
                                  "FullyConnectedOptions", [random(5, 6), random(5)],
                                  fusedActivationFunction=activation), {})
    yield ("flattens", single("FULLY_CONNECTED", [[2, 3, 6]], [6, 5], "FullyConnectedOptions",
                              [random(5, 6), random(5)]), {})
    yield ("keeps", single("FULLY_CONNECTED", [[2, 3, 6]], [2, 3, 5], "FullyConnectedOptions",
                           [random(5, 6), random(5)], keepNumDims=True, version=5), {})
    yield ("no bias", single("FULLY_CONNECTED", [[2, 6]], [2, 5], "FullyConnectedOptions",
                             [random(5, 6)]), {})


def batch_matmul():
    for x, y in itertools.product([False, True], repeat=2):
        a = [2, 6, 5] if x else [2, 5, 6]
        c = [2, 4, 6] if y else [2, 6, 4]
        yield (f"adjoint {x} {y}", single("BATCH_MATMUL", [a, c], [2, 5, 4], "BatchMatMulOptions",
                                          adjX=x, adjY=y), {})
    yield ("broadcast", single("BATCH_MATMUL", [[3, 1, 5, 6], [2, 6, 4]], [3, 2, 5, 4],
                               "BatchMatMulOptions"), {})


def pool():
    for kind, (h, w), k, s, padding in itertools.product(
            ["MAX_POOL_2D", "AVERAGE_POOL_2D"], [(9, 12), (7, 6)], [(2, 2), (3, 5)],
            [(1, 1), (2, 3)], [SAME, VALID]):
        oh, ow = out_size(h, k[0], s[0], 1, padding), out_size(w, k[1], s[1], 1, padding)
        yield (f"{kind} {h}x{w} k{k} s{s} p{padding}",
               single(kind, [[1, h, w, 3]], [1, oh, ow, 3], "Pool2DOptions", padding=padding,
                      strideH=s[0], strideW=s[1], filterHeight=k[0], filterWidth=k[1],
                      fusedActivationFunction=1), {})


def resize():
    ways = {"asymmetric": {}, "align": {"alignCorners": True}, "half": {"halfPixelCenters": True}}
    sizes = [((4, 5), (8, 10)), ((4, 5), (9, 13)), ((7, 9), (3, 4)), ((5, 5), (1, 1)),
             ((3, 3), (9, 6)), ((1, 1), (4, 4)), ((6, 10), (7, 7))]
    for kind, (way, options), (a, c) in itertools.product(
            ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"], ways.items(), sizes):
        table = "ResizeBilinearOptions" if "BI" in kind else "ResizeNearestNeighborOptions"
        yield (f"{kind} {way} {a} to {c}",
               single(kind, [[1, *a, 3]], [1, *c, 3], table, [ints(*c)], version=3, **options), {})


# ---- element by element

def binary():
    shapes = [([2, 3, 4, 5], [2, 3, 4, 5]), ([2, 3, 4, 5], [5]), ([1, 4, 5], [2, 3, 4, 5]),
              ([2, 1, 4, 1], [2, 3, 1, 5]), ([3, 4], [])]
    for kind, (a, c) in itertools.product(["ADD", "SUB", "MUL", "DIV"], shapes):
        out = list(np.broadcast_shapes(a, c))
        yield (f"{kind} {a} {c}", single(kind, [a, c], out, kind.capitalize() + "Options",
                                         fusedActivationFunction=1), {"low": 0.5, "high": 2})
    for kind in ("MINIMUM", "MAXIMUM", "POW", "SQUARED_DIFFERENCE", "FLOOR_DIV", "FLOOR_MOD"):
        a, c = shapes[1]
        yield (kind, single(kind, [a, c], a), {"low": 0.5, "high": 2})
    for kind in ("ADD", "SUB", "MUL", "FLOOR_DIV", "FLOOR_MOD", "MAXIMUM"):
        table = kind.capitalize() + "Options" if len(kind) == 3 else None
        yield (f"{kind} int32", single(kind, [[7], [7]], [7], table, dtype="int32"),
               {"low": 1, "high": 50})
    for kind in ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL"):
        yield (kind, single(kind, [[3, 4], [4]], [3, 4], out_dtype="bool"), {})
    for kind in ("LOGICAL_AND", "LOGICAL_OR"):
        yield (kind, single(kind, [[3, 4], [3, 4]], [3, 4], dtype="bool"), {})


def unary():
    for kind in ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "ELU", "HARD_SWISH", "LOGISTIC",
                 "TANH", "EXP", "SQUARE", "NEG", "ABS", "FLOOR", "CEIL", "ROUND", "SIN", "COS"):
        yield (kind, single(kind, [[2, 3, 4, 5]], [2, 3, 4, 5]), {"low": -8, "high": 8})
    for kind in ("LOG", "SQRT", "RSQRT"):
        yield (kind, single(kind, [[2, 3, 4]], [2, 3, 4]), {"low": 0.1, "high": 4})
    yield ("LEAKY_RELU", single("LEAKY_RELU", [[2, 9]], [2, 9], "LeakyReluOptions", alpha=0.2), {})
    yield ("LOGICAL_NOT", single("LOGICAL_NOT", [[5]], [5], dtype="bool"), {})
    for by_tanh in (False, True):
        yield (f"GELU {by_tanh}", single("GELU", [[2, 9]], [2, 9], "GeluOptions",
                                         approximate=by_tanh), {"low": -3, "high": 3})
    for alpha in ((1, 1, 5), (5,), (4, 5)):
        yield (f"PRELU {alpha}", single("PRELU", [[1, 3, 4, 5]], [1, 3, 4, 5],
                                        constants=[random(*alpha)]), {})
    for beta in (1.0, 0.5):
        yield (f"SOFTMAX {beta}", single("SOFTMAX", [[2, 3, 7]], [2, 3, 7], "SoftmaxOptions",
                                         beta=beta), {"low": -5, "high": 5})
    yield ("LOG_SOFTMAX", single("LOG_SOFTMAX", [[3, 7]], [3, 7]), {"low": -5, "high": 5})
    yield ("L2_NORMALIZATION", single("L2_NORMALIZATION", [[1, 2, 2, 7]], [1, 2, 2, 7],
                                      "L2NormOptions"), {})
    yield ("LRN", single("LOCAL_RESPONSE_NORMALIZATION", [[1, 3, 3, 9]], [1, 3, 3, 9],
                         "LocalResponseNormalizationOptions", radius=2, bias=1.5, alpha=0.3,
                         beta=0.75), {})
    yield ("CAST", single("CAST", [[3, 4]], [3, 4], out_dtype="int32"), {"low": -9, "high": 9})
    yield ("ADD_N", single("ADD_N", [[3, 4]] * 3, [3, 4]), {})
    yield ("ZEROS_LIKE", single("ZEROS_LIKE", [[3, 4]], [3, 4]), {})
    b = Builder()
    which, x, y = b.tensor([3, 4], "bool"), b.tensor([3, 4]), b.tensor([4])
    out = b.tensor([3, 4])
    b.op("SELECT_V2", [which, x, y], [out])
    yield ("SELECT_V2", b.finish([which, x, y], [out]), {})


# ---- moving elements

def moving():
    for axis in (0, 1, 3, -1):
        a = [1, 2, 3, 4]
        c = list(a)
        c[axis] = 5
        out = list(a)
        out[axis] += 5
        yield (f"CONCATENATION {axis}", single("CONCATENATION", [a, c], out,
                                               "ConcatenationOptions", axis=axis), {})
    yield ("RESHAPE", single("RESHAPE", [[2, 3, 4]], [4, 6], constants=[ints(4, -1)]), {})
    yield ("RESHAPE option", single("RESHAPE", [[2, 3, 4]], [6, 4], "ReshapeOptions",
                                    newShape=[6, 4]), {})
    yield ("SQUEEZE", single("SQUEEZE", [[1, 3, 1, 4]], [3, 1, 4], "SqueezeOptions",
                             squeezeDims=[0]), {})
    yield ("SQUEEZE all", single("SQUEEZE", [[1, 3, 1, 4]], [3, 4], "SqueezeOptions"), {})
    for axis, out in ((0, [1, 3, 4]), (1, [3, 1, 4]), (-1, [3, 4, 1])):
        yield (f"EXPAND_DIMS {axis}", single("EXPAND_DIMS", [[3, 4]], out,
                                             constants=[np.int32(axis)]), {})
    for perm in ((0, 3, 1, 2), (3, 2, 1, 0), (0, 2, 1, 3)):
        shape = [2, 3, 4, 5]
        yield (f"TRANSPOSE {perm}", single("TRANSPOSE", [shape], [shape[p] for p in perm],
                                           constants=[ints(*perm)]), {})
    yield ("SLICE", single("SLICE", [[4, 5, 6]], [2, 5, 3], constants=[ints(1, 0, 3),
                                                                      ints(2, -1, 3)]), {})
    masks = dict(beginMask=0, endMask=0, ellipsisMask=0, newAxisMask=0, shrinkAxisMask=0)
    for name, begin, end, step, out, more in (
            ("plain", (1, 0, 2), (3, 5, 6), (1, 1, 2), [2, 5, 2], {}),
            ("masks", (1, 9, 0), (0, 3, 0), (1, 1, 1), [3, 3, 6], {"beginMask": 2, "endMask": 5}),
            ("backwards", (3, 4, 5), (0, 0, 0), (-1, -2, -1), [3, 2, 6], {"endMask": 4}),
            ("shrink", (1, 0, -1), (2, 5, 0), (1, 1, 1), [5], {"shrinkAxisMask": 5}),
            ("negative", (-3, -4, 0), (-1, -1, 6), (1, 1, 3), [2, 3, 2], {}),
            ("beyond", (0, 0, 2), (99, 3, 99), (1, 1, 1), [4, 3, 4], {})):
        yield (f"STRIDED_SLICE {name}",
               single("STRIDED_SLICE", [[4, 5, 6]], out, "StridedSliceOptions",
                      [ints(*begin), ints(*end), ints(*step)], **{**masks, **more}), {})
    yield ("STRIDED_SLICE ellipsis",
           single("STRIDED_SLICE", [[4, 5, 6]], [4, 5, 2], "StridedSliceOptions",
                  [ints(0, 1), ints(0, 3), ints(1, 1)], **{**masks, "ellipsisMask": 1}), {})
    yield ("STRIDED_SLICE new axis",
           single("STRIDED_SLICE", [[4, 6]], [4, 1, 3], "StridedSliceOptions",
                  [ints(0, 0, 1), ints(4, 0, 4), ints(1, 1, 1)], **{**masks, "newAxisMask": 2}), {})


def parting_and_gathering():
    yield ("SPLIT", single("SPLIT", [[2, 6, 3]], [[2, 2, 3]] * 3, "SplitOptions", numSplits=3,
                           before=[np.int32(1)]), {})
    yield ("SPLIT_V", single("SPLIT_V", [[2, 6, 3]], [[2, 1, 3], [2, 3, 3], [2, 2, 3]],
                             "SplitVOptions", [ints(1, -1, 2), np.int32(1)], numSplits=3), {})
    for axis, out in ((0, [2, 3, 4]), (1, [3, 2, 4]), (-1, [3, 4, 2])):
        yield (f"PACK {axis}", single("PACK", [[3, 4]] * 2, out, "PackOptions", axis=axis,
                                      valuesCount=2), {})
        yield (f"UNPACK {axis}", single("UNPACK", [out], [[3, 4]] * 2, "UnpackOptions", axis=axis,
                                        num=2), {})
    yield ("GATHER", single("GATHER", [[3, 5, 4]], [3, 2, 4], "GatherOptions", [ints(4, 0)],
                            axis=1), {})
    yield ("GATHER one", single("GATHER", [[3, 5, 4]], [3, 5], "GatherOptions", [np.int32(2)],
                                axis=-1), {})
    yield ("GATHER table", single("GATHER", [[3, 5]], [2, 2, 5], "GatherOptions",
                                  [np.array([[0, 2], [1, 1]], np.int32)], axis=0), {})
    yield ("GATHER_ND", single("GATHER_ND", [[3, 5, 4]], [2, 4], "GatherNdOptions",
                               [np.array([[0, 2], [1, 1]], np.int32)]), {})
    for batch, which in ((1, [[4, 0], [2, 2]]), (-1, [[1, 3], [0, 4]])):
        yield (f"GATHER of the batch {batch}",
               single("GATHER", [[2, 5, 3]], [2, 2, 3], "GatherOptions",
                      [np.array(which, np.int32)],
                      axis=1, batchDims=batch), {})


def padding_and_tiling():
    yield ("REVERSE_V2", single("REVERSE_V2", [[3, 4]], [3, 4], constants=[ints(1)]), {})
    yield ("TILE", single("TILE", [[2, 3]], [4, 9], constants=[ints(2, 3)]), {})
    yield ("BROADCAST_TO", single("BROADCAST_TO", [[3, 1]], [2, 3, 4], constants=[ints(2, 3, 4)],
                                  version=2), {})
    pads = np.array([[0, 0], [1, 2], [3, 0], [0, 1]], np.int32)
    yield ("PAD", single("PAD", [[1, 3, 4, 2]], [1, 6, 7, 3], "PadOptions", [pads]), {})
    yield ("PADV2", single("PADV2", [[1, 3, 4, 2]], [1, 6, 7, 3], "PadV2Options",
                           [pads, np.float32(-2)]), {})
    for mode, wide in ((0, 2), (1, 1), (1, 3)):
        around = np.array([[0, 0], [wide, 1], [0, wide], [0, 0]], np.int32)
        yield (f"MIRROR_PAD {mode} {wide}",
               single("MIRROR_PAD", [[1, 3, 4, 2]], [1, 4 + wide, 4 + wide, 2], "MirrorPadOptions",
                      [around], mode=mode), {})
    yield ("DEPTH_TO_SPACE", single("DEPTH_TO_SPACE", [[1, 2, 3, 12]], [1, 4, 6, 3],
                                    "DepthToSpaceOptions", blockSize=2), {})
    yield ("SPACE_TO_DEPTH", single("SPACE_TO_DEPTH", [[1, 4, 6, 3]], [1, 2, 3, 12],
                                    "SpaceToDepthOptions", blockSize=2), {})
    yield ("SPACE_TO_BATCH_ND", single("SPACE_TO_BATCH_ND", [[2, 3, 6, 2]], [12, 2, 2, 2],
                                       constants=[ints(2, 3),
                                                  np.array([[1, 0], [0, 0]], np.int32)]),
           {})
    yield ("BATCH_TO_SPACE_ND", single("BATCH_TO_SPACE_ND", [[12, 2, 2, 2]], [2, 3, 5, 2],
                                       constants=[ints(2, 3),
                                                  np.array([[1, 0], [0, 1]], np.int32)]),
           {})


def reducing():
    for kind, axes, keep in itertools.product(
            ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"),
            ((1, 2), (-1,), (0, 1, 2, 3)),
            (True, False)):
        shape = [2, 3, 4, 5]
        gone = {a % 4 for a in axes}
        out = [1 if i in gone else n for i, n in enumerate(shape) if keep or i not in gone]
        yield (f"{kind} {axes} {keep}", single(kind, [shape], out, "ReducerOptions", [ints(*axes)],
                                               keepDims=keep), {})
    for kind in ("REDUCE_ANY", "REDUCE_ALL"):
        yield (kind, single(kind, [[3, 4]], [3], "ReducerOptions", [ints(1)], keepDims=False,
                            dtype="bool"), {})
    for kind in ("ARG_MAX", "ARG_MIN"):
        yield (kind, single(kind, [[3, 4, 5]], [3, 5], kind.title().replace("_", "") + "Options",
                            [np.int32(1)], outputType=schema.TensorType.INT32, out_dtype="int32"),
               {})
    yield ("CUMSUM", single("CUMSUM", [[3, 4]], [3, 4], "CumsumOptions", [np.int32(1)],
                            exclusive=True, reverse=True), {})
    b = Builder()
    x, k = b.tensor([3, 9]), b.constant(np.int32(4))
    values, places = b.tensor([3, 4]), b.tensor([3, 4], "int32")
    b.op("TOPK_V2", [x, k], [values, places])
    yield ("TOPK_V2", b.finish([x], [values, places]), {})


def where():
    b = Builder()
    x, y = b.tensor([3, 4], "bool"), b.tensor([1, 2], "int64", signature=[-1, 2])
    b.op("WHERE", [x], [y])
    return b.finish([x], [y])


def by_number():
    """ONE_HOT, SCATTER_ND, WHERE, RANK, EMBEDDING_LOOKUP, NON_MAX_SUPPRESSION."""
    which = np.array([[0, 3, -1], [2, 9, 1]], np.int32)  # -1 and 9 are out of range
    for axis, out in ((-1, [2, 3, 4]), (0, [4, 2, 3]), (1, [2, 4, 3])):
        b = Builder()
        on, off, y = b.tensor([], name="on"), b.constant(np.float32(-1)), b.tensor(out)
        b.op("ONE_HOT", [b.constant(which), b.constant(np.int32(4)), on, off], [y],
             "OneHotOptions", axis=axis)
        yield (f"ONE_HOT {axis}", b.finish([on], [y]), {})
    twice = np.array([[1], [3], [1]], np.int32)  # an index that occurs twice gets the sum
    yield ("SCATTER_ND", single("SCATTER_ND", [[3, 2]], [5, 2], constants=[ints(5, 2)],
                                before=[twice]), {})
    b = Builder()
    table, x, y = b.constant(random(5, 3)), b.tensor([4], "int32"), b.tensor([4, 3])
    b.op("EMBEDDING_LOOKUP", [x, table], [y])
    yield ("EMBEDDING_LOOKUP", b.finish([x], [y]), {"low": 0, "high": 4})
    b = Builder()
    x, rank, y = b.tensor([2, 3, 4]), b.tensor([], "int32"), b.tensor([2, 3, 4], "int32")
    made = b.tensor([2, 3, 4], "int32")
    b.op("CAST", [x], [y])
    b.op("RANK", [x], [rank])
    b.op("ADD", [y, rank], [made], "AddOptions")
    yield ("RANK", b.finish([x], [made]), {"low": -9, "high": 9})
    yield ("WHERE", where(),
           {})
    yield from suppression()
    b = Builder()
    which, x, y = b.tensor([3], "bool"), b.tensor([3, 2, 4]), b.tensor([3, 2, 4])
    out = b.tensor([3, 2, 4])
    b.op("SELECT", [which, x, y], [out])
    yield ("SELECT by row", b.finish([which, x, y], [out]), {})


def suppression():
    corners = np.random.default_rng(7).uniform(0, 2, (12, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + 1], 1)
    boxes[::2] = boxes[::2][:, [2, 3, 0, 1]]  # corners may come in any order
    for kind, most, least in (("V4", 4, -2.0), ("V4", 12, 0.2), ("V5", 9, 0.0), ("V5", 12, 0.3)):
        b = Builder()
        scores, count, kept = b.tensor([12]), b.tensor([], "int32"), b.tensor([most], "int32")
        inputs = [b.constant(boxes), scores, b.constant(np.int32(most)),
                  b.constant(np.float32(0.3)), b.constant(np.float32(least))]
        outputs = [kept, count]
        if kind == "V5":
            inputs.append(b.constant(np.float32(0)))
            outputs = [kept, b.tensor([most]), count]
        b.op(f"NON_MAX_SUPPRESSION_{kind}", inputs, outputs)
        yield (f"NON_MAX_SUPPRESSION_{kind} {most} {least}", b.finish([scores], outputs), {})


ALL = [conv, depthwise, transpose_conv, fully_connected, batch_matmul, pool, resize, binary, unary,
       moving, parting_and_gathering, padding_and_tiling, reducing, by_number]
