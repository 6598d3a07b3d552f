"""A model of Triton's python backend: runs the file beside it in OpenVINO, on the processor.

Written by `lacquer triton-repo`. Triton's Python needs numpy (before 2.0 for servers up to 2.51)
and openvino. Triton starts Python in isolated mode, which ignores PYTHONPATH; the lines below
restore it, so that both packages may be in a folder of their own.
"""
import os
import pathlib
import sys

sys.path += [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]

import json  # noqa: E402

import numpy as np  # noqa: E402

def limit_instructions():
    """AMX takes up to twice as long for small quantised networks; oneDNN reads this variable only
    once."""
    try:
        has_amx = "amx_int8" in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        has_amx = False
    if has_amx and "DNNL_MAX_CPU_ISA" not in os.environ:
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_FP16")


(file,) = pathlib.Path(__file__).parent.glob("model.[ot]*")  # .onnx or .tflite
if b"QuantizeLinear" in file.read_bytes():
    limit_instructions()

import openvino  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402
from openvino.preprocess import PrePostProcessor  # noqa: E402

TYPES = {"TYPE_UINT8": openvino.Type.u8, "TYPE_FP16": openvino.Type.f16}


def take_pictures_as(model, config):
    """Makes the model take its input in the configured type, and converts it to floats."""
    declared = config["input"][0]
    if declared["data_type"] not in TYPES:
        return model
    sidecar = json.loads(config["parameters"].get("lacquer", {}).get("string_value", "{}"))
    first = int(declared["dims"][-3]) == 3
    layout = sidecar.get("layout", "nchw" if first else "nhwc").upper()
    steps = PrePostProcessor(model)
    picture = steps.input(declared["name"])
    picture.tensor().set_element_type(TYPES[declared["data_type"]])
    picture.tensor().set_layout(openvino.Layout(layout))
    picture.model().set_layout(openvino.Layout(layout))
    work = picture.preprocess().convert_element_type(openvino.Type.f32)
    if declared["data_type"] == "TYPE_UINT8":
        work.scale(255)
        if "mean" in sidecar:
            work.mean(sidecar["mean"])
        if "std" in sidecar:
            work.scale(sidecar["std"])
    return steps.build()


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.batches = config["max_batch_size"] > 0
        self.input = config["input"][0]["name"]
        dims = [int(size) for size in config["input"][0]["dims"]]
        core = openvino.Core()
        model = core.read_model(file)
        # A dimension that is open in the configuration may be fixed in the file: batch, height,
        # width.
        model.reshape({self.input: openvino.PartialShape([-1] * self.batches + dims)})
        model = take_pictures_as(model, config)
        self.outputs = [output["name"] for output in config["output"]]
        self.compiled = core.compile_model(
            model, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
        self.infer = self.compiled.create_infer_request()

    def execute(self, requests):
        """Triton passes what it has batched: pictures of one size, mostly one per request."""
        if not self.batches:
            return [self.answer(self.run(self.tensor(request))) for request in requests]
        tensors = [self.tensor(request) for request in requests]
        results = self.run(tensors[0] if len(tensors) == 1 else np.concatenate(tensors))
        answers, at = [], 0
        for tensor in tensors:
            answers.append(self.answer([each[at:at + len(tensor)] for each in results]))
            at += len(tensor)
        return answers

    def tensor(self, request):
        return triton.get_input_tensor_by_name(request, self.input).as_numpy()

    def run(self, tensor):
        results = self.infer.infer({self.input: tensor}, share_inputs=True)
        return [results[name] for name in self.outputs]

    def answer(self, results):
        return triton.InferenceResponse(
            [triton.Tensor(name, result) for name, result in zip(self.outputs, results)])
