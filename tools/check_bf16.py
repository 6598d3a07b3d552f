#!/usr/bin/env python3
"""Decides whether a model's sidecar may say "bf16_checked": true. Measures the model in f32 and in
bf16 on pictures with drawn masks; the answer is yes if the IoU changes by less than 0.3 points.
Needs a bf16 processor.

  tools/check_bf16.py LACQUER MODEL IMAGES MASKS
"""
import json
import subprocess
import sys

POINTS_MAX = 0.3


def iou(lacquer, model, images, masks, precision):
    ran = subprocess.run([lacquer, "eval", "--model", model, "--images", images, "--masks", masks,
                          "--precision", precision, "--json"], stdout=subprocess.PIPE, check=False)
    if ran.returncode != 0:
        sys.exit(f"check_bf16: lacquer eval --precision {precision} failed")
    return json.loads(ran.stdout)


def main(arguments):
    if len(arguments) != 4:
        sys.exit(__doc__)
    plain, short = (iou(*arguments, precision) for precision in ("f32", "bf16"))
    points = 100 * abs(plain["iou"] - short["iou"])
    print(f"{plain['images']} pictures: IoU {plain['iou']:.4f} in f32, {short['iou']:.4f} in bf16, "
          f"{points:.2f} points apart; {plain['ms_median']:.1f} and {short['ms_median']:.1f} ms")
    return 0 if points < POINTS_MAX and plain["iou"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
