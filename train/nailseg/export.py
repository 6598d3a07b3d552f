"""Checkpoint to .onnx or .tflite, checked against the original network, or to packed weights.

Weights are rounded to float16 first, so that both files contain the same values and the comparison
only concerns the graph; the effect of the rounding is measured separately.
"""
import copy
import pathlib
import sys
import warnings

import cv2
import numpy as np
import torch

from . import checkpoint
from .model import HALF_FROM, NailNet

HANDS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "hands"
GRAPH_MAX = 1e-3      # limit of the difference of probabilities: the file compared with the rounded
                      # network
ROUNDING_MAX = 2e-2   # the rounded network compared with the checkpoint


def rounded(net):
    """The fused network with its weights rounded to float16."""
    net = copy.deepcopy(net).fuse()
    for p in net.parameters():
        if p.numel() >= HALF_FROM:
            p.data = p.data.half().float()
    return net


class Probability(torch.nn.Module):
    """A network with its sigmoid in the graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image):
        return torch.sigmoid(self.net(image))


def write_onnx(net, path, size):
    """Writes the graph; height and width stay symbolic so that any multiple of 32 can be set."""
    axes = {"image": {2: "height", 3: "width"}, "mask": {2: "half_height", 3: "half_width"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (torch.zeros(1, 3, *size),), path, input_names=["image"],
                          output_names=["mask"], dynamic_axes=axes, opset_version=17,
                          dynamo=False)


def declare(path, size):
    """Sets one size as the file's own, as most runtimes and servers require; the graph contains
    none, so any multiple of 32 can be set instead."""
    import onnx
    model = onnx.load(path)
    h, w = size
    for tensor, shape in ((model.graph.input[0], (1, 3, h, w)),
                          (model.graph.output[0], (1, 1, h // 2, w // 2))):
        dims = tensor.type.tensor_type.shape.dim
        del dims[:]
        for value in shape:
            dims.add().dim_value = value
    del model.graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def halve(path):
    """Stores the weights as float16 with a cast beside each: the arithmetic stays float32."""
    import onnx
    from onnx import helper, numpy_helper
    model = onnx.load(path)
    graph, casts = model.graph, []
    for w in graph.initializer:
        a = numpy_helper.to_array(w)
        if a.dtype == np.float32 and a.size >= HALF_FROM:
            name = w.name
            w.CopyFrom(numpy_helper.from_array(a.astype(np.float16), name + "_half"))
            casts.append(helper.make_node("Cast", [name + "_half"], [name], to=1))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def inputs(sizes):
    """Rendered hands at these sizes, because on noise the network finds no nail whatever its
    weights."""
    from .evaluate import tensor
    images = [cv2.imread(str(HANDS / name)) for name in ("light.jpg", "dark.jpg")]
    return [tensor(image, size) for size in sizes for image in images]


def difference(run, net, tensors):
    """The largest difference of probability between `run` and a network on these inputs."""
    worst = 0.0
    for x in tensors:
        with torch.no_grad():
            y = torch.sigmoid(net(torch.from_numpy(x)))[0, 0].numpy()
        worst = max(worst, float(np.abs(run(x) - y).max()))
    return worst


def write(net, path, size):
    """Writes a rounded network in the format of the path's suffix; returns its runner."""
    if path.endswith(".tflite"):
        from . import tflite
        tflite.write(net, path, size)
        return tflite.runner(path)
    from .evaluate import openvino_runner
    write_onnx(Probability(net).eval(), path, size)
    halve(path)
    declare(path, size)
    return openvino_runner(path)


def export_int8(args, trained):
    """Writes the .onnx in int8; returns the exit status."""
    from . import quantise
    net = rounded(trained)
    write_onnx(Probability(net).eval(), args.out, args.size)
    quantise.quantise(args.out, args.size, args.data)
    declare(args.out, args.size)
    lost = quantise.loss(args.out, net, args.data)
    print(f"wrote '{args.out}': int8 costs {100 * lost:.2f} points of IoU on val", file=sys.stderr)
    if lost > quantise.LOSS_MAX:
        print("cannot accept the export: int8 costs too much", file=sys.stderr)
        return 1
    return 0


def export_compact(args, trained):
    """Writes the .onnx with weights in eight bits; returns the exit status."""
    from . import compact, quantise
    net = compact.rounded(rounded(trained))
    write_onnx(Probability(net).eval(), args.out, args.size)
    compact.store(args.out)
    halve(args.out)
    declare(args.out, args.size)
    from .evaluate import openvino_runner
    graph = difference(openvino_runner(args.out), net, inputs([args.size, (416, 416)]))
    lost = quantise.loss(args.out, trained, args.data)
    print(f"wrote '{args.out}': the graph differs by {graph:.1e}, weights in eight bits cost "
          f"{100 * lost:.2f} points of IoU on val", file=sys.stderr)
    if graph > GRAPH_MAX or lost > compact.LOSS_MAX:
        print("cannot accept the export: it differs from the checkpoint", file=sys.stderr)
        return 1
    return 0


def main(args):
    if not args.out.endswith((".onnx", ".tflite", checkpoint.PACKED)):
        raise SystemExit(f"cannot export to '{args.out}': it must end in .onnx, .tflite or "
                         ".weights")
    if (args.int8 or args.compact) and not args.out.endswith(".onnx"):
        raise SystemExit(f"cannot export int8 to '{args.out}': it is an .onnx")
    if args.out.endswith(checkpoint.PACKED):
        checkpoint.pack(args.out, checkpoint.load(args.checkpoint))
        print(f"wrote '{args.out}'", file=sys.stderr)
        return 0
    from .evaluate import torch_runner
    trained = checkpoint.network(args.checkpoint)
    if args.int8:
        return export_int8(args, trained)
    if args.compact:
        return export_compact(args, trained)
    if args.out.endswith(".tflite") and not isinstance(trained, NailNet):
        raise SystemExit(f"cannot export to '{args.out}': a light network is an .onnx only")
    net = rounded(trained)
    tensors = inputs([args.size, args.size[::-1], (416, 416)])
    graph = difference(write(net, args.out, args.size), net, tensors)
    rounding = difference(torch_runner(net, bf16=False), trained, tensors)
    print(f"wrote '{args.out}': the graph differs by {graph:.1e}, float16 weights by "
          f"{rounding:.1e}", file=sys.stderr)
    if graph > GRAPH_MAX or rounding > ROUNDING_MAX:
        print("cannot accept the export: it differs from the checkpoint", file=sys.stderr)
        return 1
    return 0
