#!/usr/bin/env python3
"""Measures how soon, and how rightly, nails are shown pointing when a hand comes into a video.

    tools/arrival.py build/liblacquer.so --data ../shared/data    # prints a Markdown table

Each photo of test A becomes a video of a second that shows it held still, as its first frames. The
true directions are those of test-a-cc0/directions.json (docs/ACCURACY.md).
"""
import argparse
import json
import os
import pathlib
import sys

import cv2
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "train"), str(ROOT / "packaging" / "python")]
from nailseg import data  # noqa: E402

FRAMES, RATE = (0, 1, 2, 3, 5, 8, 12, 20, 29), 30
LONG_SIDE = 640  # pixels, as a camera's frame
LOOK = {"color": "#b3202c"}


def frame_of(path):
    """The photo at the size of a camera's frame, and its scale."""
    image = cv2.imread(str(path))
    scale = min(1, LONG_SIDE / max(image.shape[:2]))
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def nearest(nails, x, y):
    """The nail that covers the point; None if none does."""
    off = [np.hypot(nail.center[0] - x, nail.center[1] - y) for nail in nails]
    at = int(np.argmin(off)) if off else -1
    return nails[at] if off and off[at] < .6 * max(nails[at].length, nails[at].width) else None


def turned(nail, angle):
    """Degrees between the nail's direction and the true one, 0 to 180."""
    own = np.degrees(np.arctan2(-nail.axis[1], nail.axis[0]))
    return abs((own - angle + 180) % 360 - 180)


def seen(lacquer, path, truth, rows):
    """Adds (pointing, degrees off, finger named) to rows[frame] for each of the photo's nails."""
    image, scale = frame_of(path)
    video = lacquer.video()
    for frame in range(FRAMES[-1] + 1):
        nails = video.paint(image, LOOK, time=frame / RATE, pixel_format="bgr").nails
        for true in truth if frame in rows else ():
            nail = nearest(nails, true["x"] * scale, true["y"] * scale)
            if nail:
                rows[frame].append((nail.tip_known, turned(nail, true["angle"]),
                                    nail.finger != "unknown"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", help="liblacquer.so")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--every", type=int, default=1, help="take each Nth photo")
    args = parser.parse_args()
    os.environ["LACQUER_LIBRARY"] = str(pathlib.Path(args.library).resolve())
    import lacquer
    program, rows = lacquer.Lacquer(), {frame: [] for frame in FRAMES}
    truth = json.loads((pathlib.Path(args.data) / "test-a-cc0" / "directions.json").read_text())
    for stem, path, _ in data.list_set(args.data, "a")[::args.every]:
        seen(program, path, truth[stem], rows)
    print("| frame | nails found | shown pointing | … off by over 30 degrees | … backwards | "
          "finger named |\n|---|---|---|---|---|---|")
    for frame, got in rows.items():
        pointing, off, named = np.array(got, float).T
        wrong, back = pointing * (off > 30), pointing * (off >= 150)
        shares = [f"{100 * share.mean():.{digits}f} %"
                  for share, digits in ((pointing, 0), (wrong, 1), (back, 1), (named, 0))]
        print(f"| {frame} | {len(got)} | " + " | ".join(shares) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
