"""The exported .onnx with weights stored in eight bits: a quarter of the size, the same arithmetic.

Each output channel has its own scale. A Cast and a Mul after each weight restore it as float32;
runtimes fold both when they load the file, so it is as fast as a float model, whereas int8
arithmetic is slower than float32 (ONNX Runtime Web's WebAssembly). Small weights and those of the
first layer stay as `export.halve` stores them.
"""
import copy

import numpy as np
import torch

STEPS = 127
STEP_MIN = 2.0 ** -14  # the smallest value that float16 represents with full precision
LOSS_MAX = .005    # limit of the loss of IoU on val, compared with float
VALUES_MIN = 64    # smaller weights are not worth a scale


def scales(weight):
    """The step size of each output channel, [cout,1,1,1], representable in float16."""
    most = np.abs(weight).reshape(len(weight), -1).max(1).reshape(-1, 1, 1, 1)
    return np.maximum(most / STEPS, STEP_MIN).astype(np.float16).astype(np.float32)


def whole(weight):
    """A weight in steps, -127..127."""
    return np.clip(np.round(weight / scales(weight)), -STEPS, STEPS)


def apart(shape):
    """Whether weights of this shape are stored in eight bits."""
    return len(shape) == 4 and np.prod(shape) >= VALUES_MIN and shape[1] != 3


def rounded(net):
    """A fused network with its weights rounded to the file's precision."""
    net = copy.deepcopy(net)
    for p in net.parameters():
        if apart(p.shape):
            weight = p.detach().numpy()
            p.data = torch.from_numpy(whole(weight) * scales(weight))
    return net


class RoundedConv2d(torch.nn.Conv2d):
    """A convolution that computes with its weight in 255 steps and learns it in full: the gradient
    is that of the rounded one, so training finds weights that are good once they are rounded.
    Y. Bengio and others, "Estimating or propagating gradients through stochastic neurons for
    conditional computation", 2013 (the straight-through estimator). Batch normalisation after it
    is fused into the scales."""

    def forward(self, x):
        weight = self.weight
        with torch.no_grad():
            most = weight.abs().amax((1, 2, 3), keepdim=True)
            step = (most / STEPS).clamp_min(STEP_MIN)
            rest = torch.round(weight / step) * step - weight
        return self._conv_forward(x, weight + rest, self.bias)


def train_rounded(net):
    """Makes a network compute as if it were stored by `store`; its state stays the same."""
    for module in net.modules():
        if type(module) is torch.nn.Conv2d and apart(module.weight.shape):
            module.__class__ = RoundedConv2d


def store(path):
    """Rewrites the float32 model in the file."""
    import onnx
    from onnx import helper, numpy_helper
    model = onnx.load(path)
    graph, nodes = model.graph, []
    for w in list(graph.initializer):
        a = numpy_helper.to_array(w)
        if a.dtype != np.float32 or not apart(a.shape):
            continue
        name = w.name
        w.CopyFrom(numpy_helper.from_array(whole(a).astype(np.int8), name + "_whole"))
        graph.initializer.append(numpy_helper.from_array(scales(a), name + "_step"))
        nodes += [helper.make_node("Cast", [name + "_whole"], [name + "_float"], to=1),
                  helper.make_node("Mul", [name + "_float", name + "_step"], [name])]
    nodes += list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def drop_outputs(model, keep):
    """Keeps only the first `keep` outputs and what they are computed from."""
    graph = model.graph
    del graph.output[keep:]
    wanted, nodes = {o.name for o in graph.output}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            nodes.insert(0, node)
    del graph.node[:]
    graph.node.extend(nodes)
    kept = [w for w in graph.initializer if w.name in wanted]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def main(args):
    import onnx
    model = onnx.load(args.model)
    if args.outputs:
        drop_outputs(model, args.outputs)
    onnx.save(model, args.out)
    store(args.out)
    return 0
