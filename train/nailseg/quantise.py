"""The exported .onnx in int8: weights and most activations as eight-bit integers.

Post-training quantisation by NNCF, with a scale per channel for weights and per tensor for
activations, with its bias correction; calibrated on training photos. The layers at half the
picture's resolution, which determine the outline (the first stage, the last join, the head), stay
in floating point: quantising them too costs 1.4 points of IoU, while this costs less than half a
point.
"""
import cv2
import numpy as np

from . import data, evaluate

CALIBRATION, SEED = 100, 0                             # photos; which
KEPT = (r".*/head/.*", r".*/join\.3/.*", r".*/side\.3/.*", r".*/stages\.0/.*")
LOSS_MAX = .005                                        # maximum loss of IoU on val


def quantise(path, size, root):
    """Replaces the float32 model in the file by its int8 form."""
    import nncf
    import onnx
    files = data.list_set(root, "train")
    drawn = np.random.default_rng(SEED).permutation(len(files))[:CALIBRATION]
    photos = nncf.Dataset([files[i][1] for i in drawn],
                          lambda photo: {"image": evaluate.tensor(cv2.imread(photo), size)})
    model = nncf.quantize(onnx.load(path), photos, preset=nncf.QuantizationPreset.MIXED,
                          subset_size=CALIBRATION, target_device=nncf.TargetDevice.CPU,
                          ignored_scope=nncf.IgnoredScope(patterns=list(KEPT), validate=False))
    del model.metadata_props[:]  # settings of the quantiser
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def loss(path, net, root):
    """The loss of IoU on val of the file, compared with the original network."""
    pairs = data.load(data.list_set(root, "val"))
    whole, _ = evaluate.evaluate(evaluate.torch_runner(net, bf16=False), pairs)
    small, _ = evaluate.evaluate(evaluate.openvino_runner(path), pairs)
    return whole["iou"] - small["iou"]
