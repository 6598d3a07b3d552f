#!/usr/bin/env python3
"""YOLOv8-seg decoding in plain numpy, written from docs/MODELS.md and not from the C code, and the
fixtures that hold the C code to it.

  yolo_seg.py DIR            write DIR/*.replay (random tensors) and DIR/*.expected.json
  yolo_seg.py --check DIR    make them anew and compare; exit 1 when they differ, 77 without numpy
"""
import json
import os
import pathlib
import sys

try:
    import numpy as np
except ImportError:
    # The tests' tools have their own Python.
    own = pathlib.Path(__file__).resolve().parents[2] / ".deps/venv/bin/python"
    if own.exists() and pathlib.Path(sys.prefix) != own.parents[1]:
        os.execv(own, [str(own), *sys.argv])
    print("skipped: numpy is missing")
    sys.exit(77)

SIDE, STRIDES, PROTO = 96, (8, 16, 32), 24


class Random:
    """Values from PCG64's raw stream, which numpy promises never to change."""

    def __init__(self, seed):
        self.bits = np.random.PCG64(seed)

    def uniform(self, low, high, *shape):
        raw = self.bits.random_raw(int(np.prod(shape))) >> np.uint64(40)
        return (low + raw / float(1 << 24) * (high - low)).reshape(shape)


def make_tensors(seed, classes, protos, detections):
    """[4 + classes + protos, N] detections in pixels and [protos, h, w] prototypes."""
    random = Random(seed)
    centres = np.array([((x + 0.5) * s, (y + 0.5) * s)
                        for s in STRIDES for y in range(SIDE // s) for x in range(SIDE // s)]).T
    count = centres.shape[1]
    boxes = np.concatenate([centres + random.uniform(-4, 4, 2, count),
                            random.uniform(6, 36, 2, count)])
    scores = random.uniform(0, 0.24, classes, count)
    chosen = np.argsort(random.uniform(0, 1, count))[:detections]
    scores[(chosen * 7) % classes, chosen] = random.uniform(0.26, 0.99, detections)
    # Every third detection is duplicated at nearly the same place: work for NMS.
    for one, other in zip(chosen[0::3], chosen[1::3]):
        boxes[:, other] = boxes[:, one] + random.uniform(-3, 3, 4)
    coefficients = random.uniform(-1, 1, protos, count)
    grid = random.uniform(-6, 6, protos, PROTO, PROTO)
    return np.concatenate([boxes, scores, coefficients]).astype("<f4"), grid.astype("<f4")


def letterbox(width, height):
    """Scale and offset of a picture in the square input."""
    ratio = min(SIDE / width, SIDE / height)
    inner = [max(1, int(side * ratio + 0.5)) for side in (width, height)]
    return (inner[0] / width, inner[1] / height,
            (SIDE - inner[0]) // 2, (SIDE - inner[1]) // 2)


def iou(one, boxes):
    size = np.minimum(one[2:], boxes[:, 2:]) - np.maximum(one[:2], boxes[:, :2])
    both = np.prod(np.maximum(size, 0), axis=1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return both / (np.prod(one[2:] - one[:2]) + area - both)


def decode(det, proto, classes, picture, score_min=0.25, nms_iou=0.45, most=32):
    """det [4 + classes + protos, N] in input pixels, proto [protos, h, w]; float64 throughout."""
    det, proto = det.astype("f8"), proto.astype("f8")
    width, height = picture
    scale_x, scale_y, left, top = letterbox(width, height)
    score = np.where(np.isnan(det[4:4 + classes]), 0, det[4:4 + classes]).max(axis=0)
    x, y, w, h = det[:4]
    boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)
    with np.errstate(invalid="ignore"):
        usable = (np.isfinite(det[:4]).all(axis=0) & np.isfinite(score) & (score >= score_min)
                  & (w > 0) & (h > 0)
                  & (boxes[:, 2] > left) & (boxes[:, 3] > top)
                  & (boxes[:, 0] < left + width * scale_x)
                  & (boxes[:, 1] < top + height * scale_y))
    order = [i for i in np.argsort(-np.where(usable, score, -1), kind="stable") if usable[i]]
    kept = []
    for i in order:
        if len(kept) < most and (not kept or iou(boxes[i], boxes[kept]).max() <= nms_iou):
            kept.append(i)

    patches, step = [], SIDE / PROTO
    for i in kept:
        low = np.clip(np.floor(boxes[i, :2] / step - 0.5).astype(int), 0, PROTO - 1)
        high = np.clip(np.ceil(boxes[i, 2:] / step - 0.5).astype(int), low, PROTO - 1)
        with np.errstate(invalid="ignore", over="ignore"):
            logits = np.tensordot(det[4 + classes:, i], proto, 1)
            logits = logits[low[1]:high[1] + 1, low[0]:high[0] + 1]
            grid = np.where(np.isfinite(logits), 1 / (1 + np.exp(-logits)), 0)
        x0, x1 = np.clip((boxes[i, [0, 2]] - left) / scale_x, 0, width)
        y0, y1 = np.clip((boxes[i, [1, 3]] - top) / scale_y, 0, height)
        patches.append({
            "confidence": score[i], "box": [x0, y0, x1 - x0, y1 - y0],
            "x0": ((low[0] + 0.5) * step - left) / scale_x,
            "y0": ((low[1] + 0.5) * step - top) / scale_y,
            "dx": step / scale_x, "dy": step / scale_y,
            "width": int(grid.shape[1]), "height": int(grid.shape[0]),
            "data": grid.ravel().tolist()})
    return patches


def replay(tensors, channels_last):
    shape = [1, SIDE, SIDE, 3] if channels_last else [1, 3, SIDE, SIDE]
    header = {"inputs": [{"name": "images", "type": "f32", "dims": shape}],
              "outputs": [{"name": name, "type": "f32", "dims": [1, *tensor.shape]}
                          for name, tensor in tensors],
              "frames": 1}
    return (b"lacquer-replay 1\n" + json.dumps(header).encode() + b"\n"
            + b"".join(np.ascontiguousarray(tensor).tobytes() for _, tensor in tensors))


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(float(value), 6) if isinstance(value, float) else value


def case_pixels():
    """As in .onnx exports: boxes in pixels, planes; a landscape picture."""
    det, proto = make_tensors(1, 1, 8, 20)
    return [("det", det), ("proto", proto)], False, decode(det, proto, 1, (640, 480)), (640, 480)


def case_unit():
    """As in .tflite exports: boxes in 0..1, channels last, prototypes first in the list; here also
    transposed detections, three classes and a portrait picture."""
    det, proto = make_tensors(2, 3, 8, 20)
    unit = det.copy()
    unit[:4] /= np.float32(SIDE)
    read = unit.copy()
    read[:4] *= np.float32(SIDE)
    tensors = [("proto", proto.transpose(1, 2, 0)), ("det", unit.T)]
    return tensors, True, decode(read, proto, 3, (333, 500)), (333, 500)


def case_broken():
    """Outputs of a failing model: NaN, infinities, boxes of size zero or far away."""
    det, proto = make_tensors(3, 2, 8, 24)
    with np.errstate(invalid="ignore"):
        best = np.argsort(-det[4:6].max(axis=0))
    det[0, best[0]] = np.nan
    det[1, best[1]] = np.inf
    det[2, best[2]] = 0
    det[3, best[3]] = -5
    det[0, best[4]] = 5000
    det[4, best[5]] = np.inf
    det[4:6, best[6]] = np.nan
    det[8, best[7]] = np.nan
    det[9, best[8]] = -np.inf
    proto[3, 5, 7] = np.nan
    proto[2, 11, 13] = np.inf
    return [("det", det), ("proto", proto)], False, decode(det, proto, 2, (50, 96)), (50, 96)


def case_empty():
    det, proto = make_tensors(4, 1, 8, 0)
    return [("det", det), ("proto", proto)], False, decode(det, proto, 1, (64, 64)), (64, 64)


def files():
    for name, case in (("pixels", case_pixels), ("unit", case_unit), ("broken", case_broken),
                       ("empty", case_empty)):
        tensors, channels_last, patches, picture = case()
        yield f"yolo_{name}.replay", replay(tensors, channels_last)
        yield f"yolo_{name}.expected.json", (json.dumps(
            {"picture": picture, "patches": rounded(patches)}) + "\n").encode()


def same(name, one, other):
    if name.endswith(".replay"):
        return one == other

    def close(a, b):
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
        if isinstance(a, list):
            return len(a) == len(b) and all(map(close, a, b))
        return abs(a - b) < 1e-5

    return close(json.loads(one), json.loads(other))


def main(arguments):
    check = arguments[0] == "--check"
    folder = pathlib.Path(arguments[-1])
    wrong = 0
    for name, content in files():
        if not check:
            (folder / name).write_bytes(content)
        elif not same(name, (folder / name).read_bytes(), content):
            print(f"{name}: differs from what this script makes")
            wrong += 1
    print(f"{wrong} files differ" if check else f"written to {folder}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
