"""Converts a .tflite model, and runs the original in the TFLite runtime and the result in ONNX
Runtime."""
import json
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

ROOT = pathlib.Path(__file__).resolve().parents[2]
LACQUER = ROOT / "build" / "lacquer"


def convert(source, target, *options, status=0):
    done = subprocess.run([LACQUER, "convert", *options, source, target], capture_output=True,
                          timeout=120, check=False)
    assert done.returncode == status, done.stderr.decode()
    return done


def checked(path):
    """The model as onnx reads it, after its checker and its strict shape inference."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    return model


def random_inputs(details, seed, low=-1.0, high=1.0):
    random = np.random.default_rng(seed)
    made = []
    for about in details:
        shape, dtype = about["shape"], about["dtype"]
        if dtype == np.float32:
            made.append(random.uniform(low, high, shape).astype(dtype))
        elif dtype == np.bool_:
            made.append(random.integers(0, 2, shape).astype(dtype))
        elif dtype in (np.int8, np.uint8, np.int16):
            limits = np.iinfo(dtype)
            made.append(random.integers(limits.min, limits.max + 1, shape).astype(dtype))
        else:
            made.append(random.integers(max(int(low), -100), max(int(high), 3),
                                        shape).astype(dtype))
    return made


def run_tflite(source, inputs_of):
    runtime = Interpreter(str(source))
    details = runtime.get_input_details()
    inputs = inputs_of(details)
    for about, values in zip(details, inputs):
        if tuple(about["shape"]) != values.shape:
            runtime.resize_tensor_input(about["index"], values.shape)
    runtime.allocate_tensors()
    for about, values in zip(details, inputs):
        runtime.set_tensor(about["index"], values)
    runtime.invoke()
    outputs = runtime.get_output_details()
    return inputs, [a["name"] for a in details], [a["name"] for a in outputs], \
        [runtime.get_tensor(a["index"]) for a in outputs]


def run_onnx(path, names, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # Without optimisations: the comparison is about the graph that Lacquer wrote.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == names
    return [o.name for o in session.get_outputs()], session.run(None, dict(zip(names, inputs)))


def difference(got, want):
    """In quantisation steps for quantised values, relative to the largest for others."""
    assert got.shape == want.shape and got.dtype == want.dtype, (got.shape, want.shape, got.dtype)
    if want.size == 0:
        return 0.0
    if want.dtype == np.bool_:
        return float((got != want).any())
    gap = np.abs(got.astype(np.float64) - want.astype(np.float64)).max()
    if want.dtype.kind in "iu":
        return float(gap)
    return float(gap / max(np.abs(want.astype(np.float64)).max(), 1e-3))


def same(source, target, seed=0, low=-1.0, high=1.0, inputs_of=None):
    """The largest difference over all outputs, and the converted model."""
    convert(source, target)
    model = checked(target)
    make = inputs_of or (lambda details: random_inputs(details, seed, low, high))
    inputs, names, outputs, want = run_tflite(source, make)
    names_got, got = run_onnx(target, names, inputs)
    assert names_got == outputs
    return max(difference(g, w) for g, w in zip(got, want)), model


def count(model, kind):
    return sum(node.op_type == kind for node in model.graph.node)


def report(source, target, path):
    convert(source, target, "--report", str(path))
    return json.loads(path.read_text())
