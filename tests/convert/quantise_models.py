"""Small networks for `lacquer quantize`, pictures for calibration, and the command."""
import subprocess

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import compare

SIZE = 64


def pictures(folder, count=12):
    """Blobs of one colour on another: a network that detects red draws a mask of them."""
    random = np.random.default_rng(7)
    folder.mkdir()
    y, x = np.mgrid[:SIZE, :SIZE]
    for i in range(count):
        image = np.empty((SIZE, SIZE, 3))
        image[:] = random.uniform(20, 120, 3)
        for _ in range(3):
            cx, cy, r = *random.uniform(8, SIZE - 8, 2), random.uniform(5, 14)
            image[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = random.uniform((180, 20, 20),
                                                                          (250, 90, 90))
        image += random.normal(0, 6, image.shape)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{i:02}.png")
    return folder


class Graph:
    """A chain of nodes; a constant is named by its argument."""

    def __init__(self, seed=3):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants = [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def op(self, kind, inputs, out, **about):
        self.nodes.append(helper.make_node(kind, inputs, [out], name=f"node/{out}", **about))
        return out

    def conv(self, x, out, into, channels, kernel=3, bias=True, **about):
        weights = self.random.normal(0, (2 / (into * kernel ** 2)) ** .5,
                                     (channels, into, kernel, kernel)).astype(np.float32)
        inputs = [x, self.constant(f"{out}.weight", weights)]
        if bias:
            inputs.append(self.constant(f"{out}.bias", self.random.normal(0, .1, channels)
                                        .astype(np.float32)))
        pad = kernel // 2
        return self.op("Conv", inputs, out, pads=[pad] * 4, **about)

    def silu(self, x):
        return self.op("Mul", [x, self.op("Sigmoid", [x], f"{x}.gate")], f"{x}.silu")

    def save(self, path, outputs, opset=17, shape=(1, 3, SIZE, SIZE), inputs=("image",),
             type=TensorProto.FLOAT):
        graph = helper.make_graph(
            self.nodes, "small", [helper.make_tensor_value_info(name, type, shape)
                                  for name in inputs],
            [helper.make_tensor_value_info(name, type, dims) for name, dims in outputs],
            self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                                  ir_version=8)
        onnx.save(model, path)
        return path


def body(graph):
    """Every operator that quantised values can pass: SiLU, a sum, a pool, a resized part, a
    join."""
    graph.nodes.append(helper.make_node("Constant", [], ["scales"], value=numpy_helper.from_array(
        np.array([1, 1, 2, 2], np.float32))))
    a = graph.silu(graph.conv("image", "stem", 3, 16, strides=[2, 2]))
    b = graph.silu(graph.conv(a, "inner", 16, 16))
    c = graph.op("Add", [a, b], "sum")
    d = graph.op("MaxPool", [c], "pool", kernel_shape=[2, 2], strides=[2, 2])
    e = graph.silu(graph.conv(d, "deep", 16, 16))
    f = graph.op("Resize", [e, "", "scales"], "wide", mode="nearest",
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    joined = graph.op("Concat", [f, c], "joined", axis=1)
    return graph.silu(graph.conv(joined, "last", 32, 16))


def mask_model(path, **about):
    """A map of red: the head subtracts the values of a grey copy from those of the picture."""
    graph = Graph()
    features = body(graph)
    logits = graph.conv(features, "head", 16, 1, kernel=1)
    red = graph.constant("red.weight", np.array([9, -6, -6], np.float32).reshape(1, 3, 1, 1))
    small = graph.op("AveragePool", ["image"], "small", kernel_shape=[2, 2], strides=[2, 2])
    hue = graph.op("Conv", [small, red], "hue")
    tenth = graph.constant("tenth", np.array(.3, np.float32))
    total = graph.op("Add", [hue, graph.op("Mul", [logits, tenth], "less")], "logits")
    graph.op("Sigmoid", [total], "mask")
    return graph.save(path, [("mask", [1, 1, SIZE // 2, SIZE // 2])], **about)


def quantise(source, target, images, *options, status=0, **about):
    command = [compare.LACQUER, "quantize", source, target, "--images", images, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                          **about)
    assert done.returncode == status, done.stderr
    if status:
        assert not target.exists() and not list(target.parent.glob("*.tmp*"))
    return done
