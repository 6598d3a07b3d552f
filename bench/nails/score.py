#!/usr/bin/env python3
"""Scores the masks of any program against drawn ones, by the definitions of README.md.

    score.py --images DIR --truth DIR --masks DIR [--worst N] [--json]

Masks are PNG with the picture's size and file stem; nails are the values from 128. The figures are
those of `lacquer eval` (train/nailseg/metrics.py is their only definition in Python).
"""
import argparse
import json
import pathlib
import sys

import cv2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "train"))
from nailseg import data, evaluate  # noqa: E402


def predicted(folder, pairs):
    """The boolean mask of each picture, one after the other."""
    for stem, image, _ in pairs:
        mask = cv2.imread(str(folder / (stem + ".png")), 0)
        if mask is None or mask.shape != image.shape[:2]:
            raise SystemExit(f"cannot score '{stem}': '{folder}' has no mask of {image.shape[1]} x "
                             f"{image.shape[0]} for it")
        yield mask >= 128


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("images", "truth", "masks"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--worst", type=int, default=0, help="also name this many worst pictures")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    pairs = data.load(data.list_folder(str(args.images), str(args.truth)))
    rows = evaluate.score(pairs, predicted(args.masks, pairs))
    total = evaluate.total(rows)
    total["worst"] = [{"stem": s, "iou": c["iou"]} for s, c, _ in
                      sorted(rows, key=lambda r: r[1]["iou"])[:args.worst]]
    print(json.dumps(total, indent=1) if args.json else "\n".join(
        [evaluate.table({k: v for k, v in total.items() if k != "worst"})] +
        [f"worst  {w['stem']} {w['iou']:.4f}" for w in total["worst"]]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
