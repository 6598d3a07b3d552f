"""Checkpoint to ONNX, checked against the network it came from."""
import copy
import sys
import warnings

import numpy as np
import torch

from . import checkpoint


class Probability(torch.nn.Module):
    """The fused network with its sigmoid in the graph."""

    def __init__(self, net):
        super().__init__()
        self.net = copy.deepcopy(net).fuse()

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


def halve(path):
    """Stores the weights as float16 with a cast beside each: the arithmetic stays float32."""
    import onnx
    from onnx import helper, numpy_helper
    model = onnx.load(path)
    graph, casts = model.graph, []
    for w in graph.initializer:
        a = numpy_helper.to_array(w)
        if a.dtype == np.float32 and a.size >= 64:
            name = w.name
            w.CopyFrom(numpy_helper.from_array(a.astype(np.float16), name + "_half"))
            casts.append(helper.make_node("Cast", [name + "_half"], [name], to=1))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def compare(net, path, sizes):
    """The largest difference between the exported graph in OpenVINO and the network."""
    from .evaluate import openvino_runner
    run, worst = openvino_runner(path), 0.0
    rng = np.random.default_rng(1)
    for h, w in sizes:
        x = rng.random((1, 3, h, w), np.float32)
        with torch.no_grad():
            y = torch.sigmoid(net(torch.from_numpy(x)))[0, 0].numpy()
        worst = max(worst, float(np.abs(run(x) - y).max()))
    return worst


def main(args):
    net = checkpoint.network(args.checkpoint)
    write_onnx(Probability(net).eval(), args.out, args.size)
    if not args.f32:
        halve(args.out)
    worst = compare(net, args.out, [args.size, (args.size[1], args.size[0]), (416, 416)])
    print(f"wrote '{args.out}', largest difference {worst:.2e}", file=sys.stderr)
    if worst > 2e-2:
        print("cannot accept the export: it differs from the checkpoint", file=sys.stderr)
        return 1
    return 0
