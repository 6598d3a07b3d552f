#!/usr/bin/env python3
"""How live outlines fare while the camera pans (docs/ACCURACY.md, below the first table).

    tools/panned.py [--program P] [--model F] --data DIR [--every 2] [--speed 0 2 4]

Each photo of test A becomes a video of 40 noisy frames that pans by so many pixels a frame. Prints
the IoU from the fourth frame on, and how often a nail that is wholly in the picture appears or
disappears. A nail counts as shown if 40 % of its drawn mask are painted.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "train"))
from nailseg import data  # noqa: E402

FRAMES, FPS, SETTLED = 40, 30, 3
SIDE = 760          # of the photo, in pixels; the frame shows this share of it:
SHARE = .84
NOISE = 3           # standard deviation, in levels
SHOWN, AREA_MIN, MARGIN = .4, 60, 3


def bounce(way, room):
    """Where a camera is that goes to and fro between 0 and `room`."""
    return room - abs(way % (2 * room) - room)


def cut(picture, at, size):
    shift = np.float32([[1, 0, -at[0]], [0, 1, -at[1]]])
    return cv2.warpAffine(picture, shift, size)


def film(photo, mask, speed, rng):
    """Frames, their masks, and where the camera is."""
    size = tuple(int(side * SHARE) for side in photo.shape[1::-1])
    room = [whole - part for whole, part in zip(photo.shape[1::-1], size)]
    for n in range(FRAMES):
        at = [bounce(room[axis] / 2 + share * speed * n, room[axis])
              for axis, share in ((0, .8), (1, .6))]
        noise = rng.normal(0, NOISE, (size[1], size[0], 3))
        frame = np.clip(cut(photo, at, size) + noise, 0, 255).astype(np.uint8)
        yield frame, cut(mask, at, size), at


def load(image, mask):
    photo, drawn = cv2.imread(str(image)), cv2.imread(str(mask), 0)
    scale = SIDE / max(photo.shape[:2])
    size = tuple(round(side * scale) for side in photo.shape[1::-1])
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return (cv2.resize(photo, size, interpolation=smooth),
            cv2.resize(drawn, size, interpolation=cv2.INTER_AREA))


def nails_of(mask):
    """The nails of the photo, each as the coordinates of its pixels."""
    count, labels = cv2.connectedComponents((mask > 127).astype(np.uint8))
    places = (np.nonzero(labels == i) for i in range(1, count))
    return [(ys, xs) for ys, xs in places if len(ys) >= AREA_MIN]


def is_shown(painted, nail, at):
    """None: the picture's border is near."""
    ys, xs = nail[0] - round(at[1]), nail[1] - round(at[0])
    height, width = painted.shape
    if (min(ys.min(), xs.min()) < MARGIN or ys.max() >= height - MARGIN
            or xs.max() >= width - MARGIN):
        return None
    return painted[ys, xs].mean() >= SHOWN


def measure(program, options, files, speed):
    rng, videos = np.random.default_rng(1), []
    with tempfile.TemporaryDirectory() as made:
        images, masks, out = (pathlib.Path(made) / name for name in ("images", "masks", "out"))
        for folder in (images, masks, out):
            folder.mkdir()
        for v, (_, *pair) in enumerate(files):
            photo, drawn = load(*pair)
            places = []
            for n, (frame, mask, at) in enumerate(film(photo, drawn, speed, rng)):
                name = f"{v:03}-{n:03}"
                cv2.imwrite(str(images / f"{name}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 92])
                cv2.imwrite(str(masks / f"{name}.png"), mask)
                places.append(at)
            videos.append((nails_of(drawn), places))
        subprocess.run([program, "eval", "--json", "--images", images, "--masks", masks,
                        "--sequence", "--write-masks", out, "--no-hands", *options], check=True,
                       stdout=subprocess.DEVNULL)
        shared = joined = changes = frames = 0
        for v, (nails, places) in enumerate(videos):
            before = [None] * len(nails)
            for n, at in enumerate(places):
                painted, truth = (cv2.imread(str(folder / f"{v:03}-{n:03}.png"), 0) >= 128
                                  for folder in (out, masks))
                now = [is_shown(painted, nail, at) for nail in nails]
                if n >= SETTLED:
                    shared += (painted & truth).sum()
                    joined += (painted | truth).sum()
                    both = [(a, b) for a, b in zip(before, now) if None not in (a, b)]
                    changes += sum(a != b for a, b in both)
                    frames += len(both)
                before = now
    return shared / joined, changes, frames / FPS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build" / "lacquer"))
    parser.add_argument("--model", help="instead of the default model")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--speed", type=float, nargs="+", default=[0, 2, 4])
    args = parser.parse_args()
    options = ("--model", args.model) if args.model else ()
    files = data.list_set(args.data, "a")[::args.every]
    print("| pixels a frame | IoU | appears or disappears |\n|---|---|---|")
    for speed in args.speed:
        iou, changes, seconds = measure(args.program, options, files, speed)
        print(f"| {speed:g} | {100 * iou:.1f} | {changes} times in {seconds:.0f} s of a nail |",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
