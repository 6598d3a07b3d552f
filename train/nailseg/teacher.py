"""A trained model from whose probabilities another one learns, on the same augmented pictures."""
import os

import openvino as ov
import torch


class Teacher:
    """An exported model in OpenVINO, on one thread, compiled once for every batch size that
    occurs."""

    def __init__(self, path, precision="f32"):
        if not os.path.isfile(path):
            raise SystemExit(f"cannot find the teacher: '{path}'")
        self.path, self.precision = path, precision
        self.core, self.compiled = ov.Core(), {}

    def compile(self, shape):
        model = self.core.read_model(self.path)
        model.reshape(list(shape))
        return self.core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1,
                                                      "INFERENCE_PRECISION_HINT": self.precision})

    def __call__(self, images):
        """float32 [n,3,h,w] to probabilities [n,1,h/2,w/2]."""
        x = images.contiguous().numpy()
        if x.shape not in self.compiled:
            self.compiled[x.shape] = self.compile(x.shape)
        return torch.from_numpy(self.compiled[x.shape]([x])[0].copy())
