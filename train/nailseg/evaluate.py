"""Runs a checkpoint or an exported model over pictures and prints the figures of metrics.py."""
import functools
import json
import time

import cv2
import numpy as np

from . import data, metrics


SIZES = ((288, 384), (384, 288), (320, 320))  # height, width; those of models/nail.json


def nearest_size(shape, sizes=SIZES):
    """The input size whose proportions are nearest the picture's, as the program chooses it."""
    wanted = np.log(shape[1] / shape[0])
    return min(sizes, key=lambda s: abs(np.log(s[1] / s[0]) - wanted))


@functools.lru_cache(maxsize=64)
def weights(count_in, count_out):
    """The matrix that resamples a line: a triangle filter, widened where the line shrinks."""
    scale = count_in / count_out
    at = (np.arange(count_out) + .5) * scale - .5
    w = 1 - np.abs(np.arange(count_in)[None] - at[:, None]) / max(scale, 1)
    w = np.maximum(w, 0)
    return (w / w.sum(1, keepdims=True)).astype(np.float32)


def tensor(image, size):
    """A BGR picture stretched over an input of (height, width): float32 1x3xHxW, RGB 0..1.

    The filter is that of src/image/resize.h; another one moves the IoU by half a point.
    """
    rgb = image[..., ::-1].astype(np.float32).transpose(2, 0, 1) / 255
    down, across = weights(image.shape[0], size[0]), weights(image.shape[1], size[1])
    return np.ascontiguousarray((down @ rgb @ across.T)[None])


def predict(run, image, sizes=SIZES):
    """The nail probability of every pixel of a BGR picture; `run` maps input to map."""
    prob = run(tensor(image, nearest_size(image.shape, sizes)))
    return cv2.resize(prob, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def evaluate(run, pairs, sizes=SIZES, threshold=0.5):
    """(totals, rows): rows are [(stem, counts)] in the order of `pairs`."""
    rows, ms = [], []
    for stem, image, mask in pairs:
        t = time.perf_counter()
        p = predict(run, image, sizes)
        ms.append((time.perf_counter() - t) * 1e3)
        rows.append((stem, metrics.score(p >= threshold, mask > 127)))
    out = metrics.total([r for _, r in rows])
    out["ms_median"] = float(np.median(ms))
    return out, rows


def torch_runner(model, bf16=True):
    """`run` for a PyTorch network that returns logits."""
    import torch

    def run(x):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            y = model(torch.from_numpy(x).contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(y.float())[0, 0].numpy()
    return run


def openvino_runner(path, precision="f32", threads=1):
    """`run` for an exported model in OpenVINO, compiled once for every input shape it meets."""
    import openvino as ov
    core, compiled = ov.Core(), {}

    def run(x):
        if x.shape not in compiled:
            model = core.read_model(path)
            model.reshape(list(x.shape))
            compiled[x.shape] = core.compile_model(model, "CPU", {
                "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads})
        return compiled[x.shape]([x])[0][0, 0]
    return run


def load_pairs(args):
    """What --set or --images and --masks name."""
    if args.images:
        return data.load_folder(args.images, args.masks)
    if args.set == "val":
        return data.load_split(args.data, "val")
    return data.load_folder(f"{args.data}/test-a-cc0/images", f"{args.data}/test-a-cc0/masks")


def main(args):
    if args.model:
        run = openvino_runner(args.model, args.precision)
    else:
        from . import checkpoint
        run = torch_runner(checkpoint.network(args.checkpoint), bf16=False)
    out, rows = evaluate(run, load_pairs(args), args.sizes, args.threshold)
    if args.worst:
        rows.sort(key=lambda r: r[1]["iou"])
        out["worst"] = [(stem, round(r["iou"], 4)) for stem, r in rows[:args.worst]]
    print(json.dumps(out) if args.json else "\n".join(f"{k:12} {v}" for k, v in out.items()))
    return 0
