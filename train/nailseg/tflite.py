"""The network as a TensorFlow Lite file, written operator by operator.

The network consists of a few kinds of convolution, sums, concatenations and one pooled gate, so it
needs no converter. Tensors are [1,H,W,C]. The graph contains no height or width: nearest-neighbour
upsampling is a 1x1 convolution whose filters are repeated four times, followed by DEPTH_TO_SPACE,
so that the input can be resized to any multiple of 32 as in the .onnx. Weights are stored as
float16 with a DEQUANTIZE for each, as TensorFlow's own converter does; the arithmetic is float32.

The schema: tensorflow/lite/schema/schema.fbs, as generated in the package ai-edge-litert.
"""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from . import model
from .model import HALF_FROM

TYPES = {np.dtype(np.float32): schema.TensorType.FLOAT32,
         np.dtype(np.float16): schema.TensorType.FLOAT16,
         np.dtype(np.int32): schema.TensorType.INT32}
NONE, RELU, RELU6 = (getattr(schema.ActivationFunctionType, name)
                     for name in ("NONE", "RELU", "RELU6"))
ACTIVATIONS = {None: NONE, "relu": RELU, "relu6": RELU6}
DEQUANTIZE_VERSION = 3  # the first version that reads float16


def struct(kind, **fields):
    """A schema object with these fields."""
    out = kind()
    for name, value in fields.items():
        setattr(out, name, value)
    return out


class Graph:
    """A subgraph under construction: tensors are numbers, operators return their output's
    number."""

    def __init__(self):
        self.tensors, self.operators, self.codes = [], [], {}
        self.buffers = [schema.BufferT()]  # the first is empty, by the schema's rule

    def tensor(self, name, shape, dtype=np.float32, values=None):
        buffer = 0
        if values is not None:
            buffer = len(self.buffers)
            data = np.frombuffer(np.ascontiguousarray(values, dtype).tobytes(), np.uint8)
            self.buffers.append(struct(schema.BufferT, data=data))
        self.tensors.append(struct(schema.TensorT, name=f"{name}_{len(self.tensors)}",
                                   shape=list(shape), type=TYPES[np.dtype(dtype)], buffer=buffer))
        return len(self.tensors) - 1

    def shape(self, tensor):
        return self.tensors[tensor].shape

    def constant(self, values):
        """Integers, or weights: large ones as float16."""
        values = np.asarray(values)
        if values.dtype != np.float32:
            return self.tensor("list", values.shape, np.int32, values)
        if values.size < HALF_FROM:
            return self.tensor("weights", values.shape, np.float32, values)
        half = self.tensor("half", values.shape, np.float16, values)
        return self.add("DEQUANTIZE", [half], values.shape, version=DEQUANTIZE_VERSION)

    def add(self, name, inputs, shape, options=None, version=1):
        code = self.codes.setdefault((name, version), len(self.codes))
        out = self.tensor(name.lower(), shape)
        self.operators.append(struct(
            schema.OperatorT, opcodeIndex=code, inputs=list(inputs), outputs=[out],
            builtinOptions=options, builtinOptionsType=getattr(
                schema.BuiltinOptions, type(options).__name__[:-1]) if options else 0))
        return out

    def pack(self, inputs, outputs):
        """The file's bytes."""
        operators = {name: getattr(schema.BuiltinOperator, name) for name, _ in self.codes}
        codes = [struct(schema.OperatorCodeT, version=version, builtinCode=operators[name],
                        deprecatedBuiltinCode=min(operators[name], 127))
                 for name, version in self.codes]
        graph = struct(schema.SubGraphT, tensors=self.tensors, operators=self.operators,
                       inputs=inputs, outputs=outputs, name="nail")
        whole = struct(schema.ModelT, version=3, operatorCodes=codes, subgraphs=[graph],
                       buffers=self.buffers, description="Lacquer's nail segmentation")
        builder = flatbuffers.Builder(1 << 22)
        builder.Finish(whole.Pack(builder), b"TFL3")
        return bytes(builder.Output())


class Writer:
    """Adds a fused network's modules to a graph; each method takes and returns a tensor."""

    def __init__(self):
        self.graph = Graph()

    def conv(self, x, conv, act=NONE, copies=1):
        """A convolution of any stride; `copies` repeats its filters."""
        graph, stride, groups = self.graph, conv.stride[0], conv.groups
        weight = conv.weight.detach().numpy()
        bias = conv.bias.detach().numpy() if conv.bias is not None else np.zeros(
            conv.out_channels, np.float32)
        weight, bias = np.tile(weight, (copies, 1, 1, 1)), np.tile(bias, copies)
        padding = schema.Padding.SAME
        if stride > 1:  # SAME would pad the far side only, but PyTorch pads both sides
            x, padding = self.pad(x, conv.padding[0]), schema.Padding.VALID
        n, h, w, _ = graph.shape(x)
        k = weight.shape[2]
        trim = k - 1 if padding == schema.Padding.VALID else 0
        shape = [n, (h - trim + stride - 1) // stride, (w - trim + stride - 1) // stride, len(bias)]
        common = dict(padding=padding, strideH=stride, strideW=stride,
                      fusedActivationFunction=act)
        if groups == 1:
            values = weight.transpose(0, 2, 3, 1)
            return graph.add("CONV_2D", [x, graph.constant(values), graph.constant(bias)], shape,
                             struct(schema.Conv2DOptionsT, **common))
        if weight.shape[1] != 1:
            raise ValueError("grouped convolutions other than depthwise have no operator")
        values = weight.transpose(1, 2, 3, 0)
        return graph.add("DEPTHWISE_CONV_2D", [x, graph.constant(values), graph.constant(bias)],
                         shape, struct(schema.DepthwiseConv2DOptionsT, depthMultiplier=1, **common))

    def pad(self, x, px):
        n, h, w, c = self.graph.shape(x)
        amount = self.graph.constant(np.array(((0, 0), (px, px), (px, px), (0, 0)), np.int32))
        return self.graph.add("PAD", [x, amount], [n, h + 2 * px, w + 2 * px, c],
                              schema.PadOptionsT())

    def sum(self, a, b, act=NONE):
        return self.graph.add("ADD", [a, b], self.graph.shape(a),
                              struct(schema.AddOptionsT, fusedActivationFunction=act))

    def join(self, a, b):
        shape = list(self.graph.shape(a))
        shape[3] += self.graph.shape(b)[3]
        return self.graph.add("CONCATENATION", [a, b], shape,
                              struct(schema.ConcatenationOptionsT, axis=3))

    def channels(self, x, first, count):
        """Some channels of every pixel: the masks keep the other axes whole, whatever their
        size."""
        graph, (n, h, w, _) = self.graph, self.graph.shape(x)
        ends = [graph.constant(np.array(v, np.int32)) for v in
                ((0, 0, 0, first), (0, 0, 0, first + count), (1, 1, 1, 1))]
        return graph.add("STRIDED_SLICE", [x, *ends], [n, h, w, count],
                         struct(schema.StridedSliceOptionsT, beginMask=0b0111, endMask=0b0111))

    def sigmoid(self, x):
        return self.graph.add("LOGISTIC", [x], self.graph.shape(x))

    def conv_bn(self, x, m):
        return self.conv(x, m.conv, ACTIVATIONS[m.act])

    def res(self, x, m):
        return self.sum(x, self.conv_bn(self.conv_bn(x, m.a), m.b), RELU)

    def rep(self, x, m):
        return self.conv(x, m.c3.conv, RELU)

    def inverted(self, x, m):
        return self.sum(x, self.conv_bn(self.conv_bn(self.conv_bn(x, m.up), m.dw), m.down))

    def mbconv(self, x, m):
        y = self.conv_bn(x, m.up) if m.up is not None else x
        y = self.conv_bn(self.conv_bn(y, m.dw), m.down)
        return self.sum(x, y) if m.skip else y

    def partial(self, x, m):
        rest = self.graph.shape(x)[3] - m.part
        mixed = self.conv(self.channels(x, 0, m.part), m.mix)
        y = self.join(mixed, self.channels(x, m.part, rest))
        return self.sum(x, self.conv_bn(self.conv_bn(y, m.up), m.down))

    def context(self, x, m):
        graph, shape = self.graph, self.graph.shape(x)
        axes = graph.constant(np.array((1, 2), np.int32))
        mean = graph.add("MEAN", [x, axes], [shape[0], 1, 1, shape[3]],
                         struct(schema.ReducerOptionsT, keepDims=True))
        gate = self.sigmoid(self.conv(mean, m.pool))
        gated = graph.add("MUL", [x, gate], shape,
                          struct(schema.MulOptionsT, fusedActivationFunction=NONE))
        return self.inverted(gated, m.mix)

    def enlarged(self, x, m):
        """A 1x1 convolution that repeats every pixel twice in each direction."""
        n, h, w, c = self.graph.shape(y := self.conv(x, m.conv, copies=4))
        return self.graph.add("DEPTH_TO_SPACE", [y], [n, 2 * h, 2 * w, c // 4],
                              struct(schema.DepthToSpaceOptionsT, blockSize=2))

    def network(self, net, size):
        image = x = self.graph.tensor("image", [1, *size, 3])
        blocks = {model.ConvBN: self.conv_bn, model.Res: self.res, model.Rep: self.rep,
                  model.Inverted: self.inverted, model.Partial: self.partial,
                  model.MBConv: self.mbconv}
        skips = []
        for stage in net.stages:
            for block in stage:
                x = blocks[type(block)](x, block)
            skips.append(x)
        x = self.context(skips.pop(), net.context)
        for side, join in zip(net.side, net.join):
            x = self.conv_bn(self.join(self.enlarged(x, side), skips.pop()), join)
        mask = self.sigmoid(self.conv(x, net.head))
        for tensor, name in ((image, "image"), (mask, "mask")):
            self.graph.tensors[tensor].name = name
        return self.graph.pack([image], [mask])


def write(net, path, size):
    """Writes a fused NailNet whose input is `size` (height, width) until it is resized."""
    with open(path, "wb") as f:
        f.write(Writer().network(net, size))


def runner(path, threads=1):
    """`run` for a .tflite in its own runtime: float32 1x3xHxW in, a map of probabilities out."""
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(model_path=path, num_threads=threads)
    image, mask = (d[0]["index"] for d in (interpreter.get_input_details(),
                                           interpreter.get_output_details()))
    shape = None

    def run(x):
        nonlocal shape
        if x.shape != shape:
            shape = x.shape
            interpreter.resize_tensor_input(image, (1, *x.shape[2:], 3))
            interpreter.allocate_tensors()
        interpreter.set_tensor(image, np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
        interpreter.invoke()
        return interpreter.get_tensor(mask)[0, :, :, 0].copy()
    return run
