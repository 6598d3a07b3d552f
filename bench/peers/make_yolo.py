#!/usr/bin/env python3
"""Writes a TFLite graph with the shape of YOLOv8s-seg and random weights: make_yolo.py OUT.tflite

Written for this comparison from the published sizes of the network's layers; it contains no weights
or code of its makers. One class, input images [1,640,640,3], outputs [1,37,8400] (boxes in 0..1,
score, 32 coefficients) and prototypes [1,160,160,32], weights as float16 with a DEQUANTIZE for
each, as exporters write them. It takes as long as a trained network, and finds nothing.
The schema's classes come with the package ai-edge-litert.
"""
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

SIZE, CLASSES, BINS, STRIDES = 640, 1, 16, (8, 16, 32)
random = np.random.default_rng(8)


def fill(kind, **fields):
    made = getattr(schema, kind + "T")()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


class Graph:
    """Tensors are numbers; each call adds an operator and returns its output."""

    def __init__(self):
        self.tensors, self.operators, self.codes = [], [], {}
        self.buffers = [schema.BufferT()]

    def tensor(self, shape, kind="FLOAT32", data=None, name=None):
        buffer = 0
        if data is not None:
            buffer = len(self.buffers)
            raw = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.buffers.append(fill("Buffer", data=raw))
        self.tensors.append(fill("Tensor", shape=list(shape), buffer=buffer, hasRank=True,
                                 type=getattr(schema.TensorType, kind),
                                 name=name or f"t{len(self.tensors)}"))
        return len(self.tensors) - 1

    def shape(self, tensor):
        return self.tensors[tensor].shape

    def floats(self, data):
        return self.tensor(np.shape(data), data=np.asarray(data, np.float32))

    def ints(self, *values):
        data = np.array(values, np.int32)
        return self.tensor(data.shape, "INT32", data)

    def op(self, name, inputs, shape, options=None, version=1, **fields):
        code = self.codes.setdefault((name, version), len(self.codes))
        out = self.tensor(shape)
        more = {}
        if options:
            more = {"builtinOptionsType": getattr(schema.BuiltinOptions, options),
                    "builtinOptions": fill(options, **fields)}
        self.operators.append(fill("Operator", opcodeIndex=code, inputs=list(inputs),
                                   outputs=[out], **more))
        return out

    def weights(self, *shape):
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        data = (random.standard_normal(shape) * deviation).astype(np.float16)
        return self.op("DEQUANTIZE", [self.tensor(shape, "FLOAT16", data)], shape, version=3)

    # ---- layers

    def conv(self, x, channels, kernel=1, stride=1, silu=True):
        _, h, w, before = self.shape(x)
        padding = schema.Padding.SAME
        if stride == 2:  # one pixel on each side, as in training; SAME would pad differently
            edges = self.tensor((4, 2), "INT32",
                                np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
            x, padding = self.op("PAD", [x, edges], (1, h + 2, w + 2, before)), schema.Padding.VALID
        filters = self.weights(channels, kernel, kernel, before)
        out = self.op("CONV_2D", [x, filters, self.floats(np.zeros(channels))],
                      (1, h // stride, w // stride, channels), "Conv2DOptions", padding=padding,
                      strideH=stride, strideW=stride, dilationHFactor=1, dilationWFactor=1)
        return self.silu(out) if silu else out

    def silu(self, x):
        gate = self.op("LOGISTIC", [x], self.shape(x))
        return self.op("MUL", [x, gate], self.shape(x), "MulOptions")

    def add(self, a, b):
        return self.op("ADD", [a, b], self.shape(a), "AddOptions")

    def concat(self, parts, axis=3):
        shape = list(self.shape(parts[0]))
        shape[axis] = sum(self.shape(part)[axis] for part in parts)
        return self.op("CONCATENATION", parts, shape, "ConcatenationOptions", axis=axis)

    def part(self, x, first, last):
        """A slice of the last axis."""
        shape = list(self.shape(x))
        begin, end = [0] * len(shape), list(shape)
        begin[-1], end[-1], shape[-1] = first, last, last - first
        return self.op("STRIDED_SLICE", [x, self.ints(*begin), self.ints(*end),
                                         self.ints(*[1] * len(shape))], shape,
                       "StridedSliceOptions")

    def c2f(self, x, channels, repeats, shortcut):
        half = channels // 2
        both = self.conv(x, channels)
        parts = [self.part(both, 0, half), self.part(both, half, channels)]
        for _ in range(repeats):
            y = self.conv(self.conv(parts[-1], half, 3), half, 3)
            parts.append(self.add(parts[-1], y) if shortcut else y)
        return self.conv(self.concat(parts), channels)

    def sppf(self, x, channels):
        parts = [self.conv(x, channels // 2)]
        for _ in range(3):
            parts.append(self.op("MAX_POOL_2D", [parts[-1]], self.shape(parts[-1]),
                                 "Pool2DOptions", padding=schema.Padding.SAME, strideH=1,
                                 strideW=1, filterHeight=5, filterWidth=5))
        return self.conv(self.concat(parts), channels)

    def twice(self, x):
        _, h, w, channels = self.shape(x)
        return self.op("RESIZE_NEAREST_NEIGHBOR", [x, self.ints(2 * h, 2 * w)],
                       (1, 2 * h, 2 * w, channels), "ResizeNearestNeighborOptions")

    def deconv(self, x, channels):
        _, h, w, before = self.shape(x)
        shape = (1, 2 * h, 2 * w, channels)
        return self.op("TRANSPOSE_CONV", [self.ints(*shape), self.weights(channels, 2, 2, before),
                                          x], shape, "TransposeConvOptions",
                       padding=schema.Padding.VALID, strideH=2, strideW=2)

    def reshape(self, x, *shape):
        return self.op("RESHAPE", [x, self.ints(*shape)], shape, "ReshapeOptions",
                       newShape=list(shape))

    def pack(self, inputs, outputs):
        codes = []
        for name, version in self.codes:
            number = getattr(schema.BuiltinOperator, name)
            codes.append(fill("OperatorCode", builtinCode=number, version=version,
                              deprecatedBuiltinCode=min(number, 127)))
        graph = fill("SubGraph", tensors=self.tensors, operators=self.operators, inputs=inputs,
                     outputs=outputs)
        model = fill("Model", version=3, operatorCodes=codes, subgraphs=[graph],
                     buffers=self.buffers, description="YOLOv8s-seg's shape, random weights")
        packer = flatbuffers.Builder(1 << 20)
        packer.Finish(model.Pack(packer), b"TFL3")
        return bytes(packer.Output())


def backbone(g, x):
    x = g.c2f(g.conv(g.conv(x, 32, 3, 2), 64, 3, 2), 64, 1, True)
    p3 = g.c2f(g.conv(x, 128, 3, 2), 128, 2, True)
    p4 = g.c2f(g.conv(p3, 256, 3, 2), 256, 2, True)
    p5 = g.sppf(g.c2f(g.conv(p4, 512, 3, 2), 512, 1, True), 512)
    up4 = g.c2f(g.concat([g.twice(p5), p4]), 256, 1, False)
    n3 = g.c2f(g.concat([g.twice(up4), p3]), 128, 1, False)
    n4 = g.c2f(g.concat([g.conv(n3, 128, 3, 2), up4]), 256, 1, False)
    n5 = g.c2f(g.concat([g.conv(n4, 256, 3, 2), p5]), 512, 1, False)
    return n3, n4, n5


def branch(g, x, width, channels):
    x = g.conv(g.conv(g.conv(x, width, 3), width, 3), channels, silu=False)
    _, h, w, _ = g.shape(x)
    return g.reshape(x, 1, h * w, channels)


def boxes(g, distances, count):
    """The mean of each side's bins, then x, y, width, height relative to the picture."""
    bins = g.reshape(distances, 1, count * 4, BINS)
    share = g.op("SOFTMAX", [bins], g.shape(bins), "SoftmaxOptions", beta=1.0)
    side = g.op("MUL", [share, g.floats(np.arange(BINS).reshape(1, 1, BINS))], g.shape(bins),
                "MulOptions")
    sides = g.op("SUM", [side, g.ints(2)], (1, count * 4), "ReducerOptions")
    sides = g.reshape(sides, 1, count, 4)
    low, high = g.part(sides, 0, 2), g.part(sides, 2, 4)
    cells, steps = [], []
    for stride in STRIDES:
        n = SIZE // stride
        ys, xs = np.mgrid[:n, :n]
        cells.append(np.stack([xs, ys], -1).reshape(-1, 2) + 0.5)
        steps.append(np.full((n * n, 1), stride / SIZE))
    centre, step = g.floats(np.concatenate(cells)[None]), g.floats(np.concatenate(steps)[None])
    begin = g.op("SUB", [centre, low], (1, count, 2), "SubOptions")
    end = g.add(centre, high)
    size = g.op("SUB", [end, begin], (1, count, 2), "SubOptions")
    middle = g.op("MUL", [g.add(begin, end), g.floats([0.5])], (1, count, 2), "MulOptions")
    both = g.concat([middle, size], 2)
    return g.op("MUL", [both, step], (1, count, 4), "MulOptions")


def make():
    g = Graph()
    image = g.tensor((1, SIZE, SIZE, 3), name="images")
    levels = backbone(g, image)
    proto = g.deconv(g.conv(levels[0], 128, 3), 128)
    proto = g.conv(g.conv(proto, 128, 3), 32)
    count = sum((SIZE // stride) ** 2 for stride in STRIDES)
    distances = g.concat([branch(g, x, 64, 4 * BINS) for x in levels], 1)
    classes = g.concat([branch(g, x, 128, CLASSES) for x in levels], 1)
    # Far below any threshold, whatever the random weights.
    classes = g.op("SUB", [classes, g.floats([50.0])], g.shape(classes), "SubOptions")
    scores = g.op("LOGISTIC", [classes], g.shape(classes))
    masks = g.concat([branch(g, x, 32, 32) for x in levels], 1)
    rows = g.concat([boxes(g, distances, count), scores, masks], 2)
    rows = g.op("TRANSPOSE", [rows, g.ints(0, 2, 1)], (1, 4 + CLASSES + 32, count))
    return g.pack([image], [rows, proto])


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as file:
        file.write(make())
