"""Runs a checkpoint, an exported model or the program over pictures and counts the nails found.

There are two kinds of masks: the network's own (a checkpoint, a model, or the program with --raw),
and painted ones (the program, whose nail stage drops specks and refines edges). `lacquer eval`
prints the same figures for both; tests/train/test_agreement.py allows a difference of 0.1 points.
"""
import functools
import json
import os
import subprocess
import tempfile

import cv2
import numpy as np

from . import data, metrics, traits


SIZES = ((288, 384), (384, 288), (320, 320))  # height, width; those of models/nail.json


def nearest_size(shape, sizes=SIZES):
    """The input size with the aspect ratio nearest to the picture's, as the program chooses it."""
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
    """A BGR picture stretched to an input of (height, width): float32 1x3xHxW, RGB 0..1.

    The filter is that of src/image/resize.h; another one changes the IoU by half a point.
    """
    rgb = image[..., ::-1].astype(np.float32).transpose(2, 0, 1) / 255
    down, across = weights(image.shape[0], size[0]), weights(image.shape[1], size[1])
    return np.ascontiguousarray((down @ rgb @ across.T)[None])


def predict(run, image, sizes=SIZES):
    """The nail probability of every pixel of a BGR picture; `run` maps input to map."""
    prob = run(tensor(image, nearest_size(image.shape, sizes)))
    return cv2.resize(prob, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def masks_of(run, pairs, sizes=SIZES, threshold=0.5):
    """The network's own boolean mask of each picture."""
    for _, image, _ in pairs:
        yield predict(run, image, sizes) >= threshold


def painted_masks(program, files, *options):
    """The masks that `lacquer eval` makes of these files, as boolean arrays in their order."""
    with tempfile.TemporaryDirectory() as folder:
        images, masks = os.path.join(folder, "images"), os.path.join(folder, "masks")
        os.mkdir(images)
        for stem, image, _ in files:
            suffix = os.path.splitext(image)[1]
            os.symlink(os.path.abspath(image), os.path.join(images, stem + suffix))
        done = subprocess.run([program, "eval", "--images", images, "--write-masks", masks,
                               "--json",
                               *options], stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"cannot measure: '{program} eval' failed")
        for stem, _, _ in files:
            yield cv2.imread(os.path.join(masks, stem + ".png"), 0) >= 128


def score(pairs, masks):
    """[(stem, counts, classes)] of each picture, compared with its drawn mask."""
    rows = []
    for (stem, image, drawn), mask in zip(pairs, masks, strict=True):
        truth = drawn > 127
        counts = metrics.score(mask, truth)
        rows.append((stem, counts,
                     traits.classes(image, truth, counts["found"] + counts["missed"])))
    return rows


def total(rows):
    """The output of `lacquer eval --json` for these rows, without times and names."""
    return metrics.total([r[1] for r in rows]) | {"by": metrics.groups([r[1:] for r in rows])}


def evaluate(run, pairs, sizes=SIZES, threshold=0.5):
    """(totals, rows) of the network alone."""
    rows = score(pairs, masks_of(run, pairs, sizes, threshold))
    return total(rows), rows


def torch_runner(model, bf16=True):
    """`run` for a PyTorch network that returns logits."""
    import torch

    def run(x):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            y = model(torch.from_numpy(x).contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(y.float())[0, 0].numpy()
    return run


def openvino_runner(path, precision="f32", threads=1):
    """`run` for an exported model in OpenVINO, compiled once for every input shape that occurs."""
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


def list_files(args):
    """The pictures named by --set or by --images and --masks."""
    if args.images:
        return data.list_folder(args.images, args.masks)
    return data.list_set(args.data, args.set)


def measure(args, files):
    """The rows for what the arguments select: the program, an exported model or a checkpoint."""
    pairs = data.load(files)
    if args.program:
        options = ["--precision", args.precision, *(("--model", args.model) if args.model else ()),
                   *(("--raw",) if args.raw else ())]
        return score(pairs, painted_masks(args.program, files, *options))
    if args.model:
        run = openvino_runner(args.model, args.precision)
    else:
        from . import checkpoint
        run = torch_runner(checkpoint.network(args.checkpoint), bf16=False)
    return score(pairs, masks_of(run, pairs, args.sizes, args.threshold))


def table(out):
    """The totals as lines of text, classes below."""
    lines = [f"{k:12} {v}" for k, v in out.items() if k != "by"]
    lines += [f"{trait:6} {name:13} {t['images']:4}  IoU {t['iou']:.4f}  mean {t['mean_iou']:.4f}  "
              f"boundary {t['boundary_f']:.4f}  found {t['found']}  missed {t['missed']}"
              for trait, classes in out["by"].items() for name, t in classes.items()]
    return "\n".join(lines)


def main(args):
    rows = measure(args, list_files(args))
    out = total(rows) | {"masks": "painted" if args.program and not args.raw else "network"}
    if args.worst:
        rows.sort(key=lambda r: r[1]["iou"])
        out["worst"] = [(stem, round(r["iou"], 4)) for stem, r, _ in rows[:args.worst]]
    print(json.dumps(out) if args.json else table(out))
    return 0
