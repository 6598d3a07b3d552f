"""A deep quantised network. Its rounding differences add up: the TFLite runtime multiplies in fixed
point in some operators and in floats in others, QDQ always in floats, and a value near the middle
of two steps is rounded up or down; a later product doubles the difference. So each operator gets
the runtime's own values as its input: then its result rarely differs, and by at most one step."""
import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import compare
from cases import SAME
from tflite_builder import Builder

DEPTH, CHANNELS = 8, 16
STEPS_MAX, DIFFER_MAX = 1, 0.05  # maximum share of an operator's values that may differ
ACTIVE = {"scale": 0.04, "zero": -20}
GATE = {"scale": 1 / 256, "zero": -128}


def network(dtype):
    """Blocks of SiLU (a convolution, LOGISTIC, MUL), a sum, a join, an upsampled picture."""
    random = np.random.default_rng(5)
    shift = 128 if dtype == "uint8" else 0
    active, gate = ({**about, "zero": about["zero"] + shift} for about in (ACTIVE, GATE))
    b = Builder()
    shape = [1, 6, 8, CHANNELS]
    x = first = b.tensor(shape, dtype, name="x", **active)
    for depth in range(DEPTH):
        w = random.integers(-127, 128, (CHANNELS, 3, 3, shape[3])).astype(np.int8)
        about = {"scale": np.full(CHANNELS, 0.06 / 127), "zero": np.zeros(CHANNELS, int), "axis": 0}
        if dtype == "uint8":
            w, about = (w.astype(int) + 128).astype(np.uint8), {"scale": 0.06 / 127, "zero": 128}
        bias = random.integers(-900, 900, CHANNELS).astype(np.int32)
        scales = np.broadcast_to(about["scale"], CHANNELS if dtype == "int8" else 1)
        out = [1, shape[1], shape[2], CHANNELS]
        y, g, z = (b.tensor(out, dtype, name=f"{name}{depth}", **of) for name, of in
                   (("conv", active), ("gate", gate), ("silu", active)))
        b.op("CONV_2D", [x, b.constant(w, **about),
                         b.constant(bias, scale=scales * active["scale"], zero=0)], [y],
             "Conv2DOptions", padding=SAME, strideH=1, strideW=1)
        b.op("LOGISTIC", [y], [g])
        b.op("MUL", [y, g], [z], "MulOptions")
        if shape[3] == CHANNELS:
            s = b.tensor(out, dtype, name=f"sum{depth}", **active)
            b.op("ADD", [x, z], [s], "AddOptions")
        else:
            s = z
        shape = out
        if depth == DEPTH // 2:
            joined, large = [1, 6, 8, 2 * CHANNELS], [1, 12, 16, 2 * CHANNELS]
            j, r = (b.tensor(size, dtype, name=name, **active)
                    for name, size in (("join", joined), ("large", large)))
            b.op("CONCATENATION", [s, z], [j], "ConcatenationOptions", axis=3)
            b.op("RESIZE_NEAREST_NEIGHBOR", [j, b.ints(12, 16)], [r],
                 "ResizeNearestNeighborOptions", halfPixelCenters=True)
            s, shape = r, large
        x = s
    for name, version in (("CONV_2D", 3), ("LOGISTIC", 2), ("MUL", 2), ("ADD", 2),
                          ("CONCATENATION", 2), ("RESIZE_NEAREST_NEIGHBOR", 2)):
        b.version(name, version)
    return b.finish([first], [x])


def runtime_tensors(source, picture, kernels):
    runtime = Interpreter(str(source), experimental_preserve_all_tensors=True,
                          experimental_op_resolver_type=kernels)
    runtime.allocate_tensors()
    runtime.set_tensor(runtime.get_input_details()[0]["index"], picture)
    runtime.invoke()
    made = {}
    for about in runtime.get_tensor_details():
        # Without constants and without the delegate's own tensors.
        if about["name"].rstrip("0123456789") in ("conv", "gate", "silu", "sum", "join", "large"):
            made[about["name"]] = runtime.get_tensor(about["index"])
    return made


def led(model, want):
    """Makes every quantised tensor an output, and feeds the runtime's values to what follows it."""
    forced = {}
    for node in model.graph.node:
        name = node.output[0]
        if node.op_type == "QuantizeLinear" and name in want:
            forced[name] = np.ascontiguousarray(want[name].transpose(0, 3, 1, 2))
    outputs = {output.name for output in model.graph.output}
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if name in forced:
                node.input[i] = name + ".led"
    for name, values in forced.items():
        kind = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
        model.graph.input.append(onnx.helper.make_tensor_value_info(name + ".led", kind,
                                                                    values.shape))
        if name not in outputs:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, values.shape))
    return forced


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("kernels", ["BUILTIN", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_each_operator_differs_by_one_step_at_most(tmp_path, dtype, kernels):
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(network(dtype))
    compare.convert(source, target)
    limits = np.iinfo(dtype)
    picture = np.random.default_rng(6).integers(limits.min, limits.max + 1, (1, 6, 8, CHANNELS))
    picture = picture.astype(dtype)
    want = runtime_tensors(source, picture, getattr(OpResolverType, kernels))
    model = compare.checked(target)
    forced = led(model, want)
    assert len(forced) >= 4 * DEPTH - 1, sorted(forced)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    feeds = {"x": picture, **{name + ".led": values for name, values in forced.items()}}
    names = [output.name for output in session.get_outputs()]
    for name, got in zip(names, session.run(None, feeds)):
        if name not in forced:  # the output with its name in the file
            continue
        gap = np.abs(got.astype(int) - forced[name].astype(int))
        assert gap.max() <= STEPS_MAX and (gap > 0).mean() <= DIFFER_MAX, (name, gap.max())
        assert np.unique(forced[name]).size > 20, f"{name} says nothing"
