#!/usr/bin/env python3
"""Creates a folder of pictures without a nail, to measure false paint on.

    pip install scikit-image scikit-learn opencv-python-headless
    nailfree.py --out DIR

The pictures are the photographs that scikit-image and scikit-learn include (a face, animals,
petals, coins, gravel), and the backdrops of train/synth: desks, wood, fabrics, keyboards, clutter,
rooms.
"""
import argparse
import importlib.util
import pathlib
import sys

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "train"))
from synth import backdrop  # noqa: E402

SIDE_MAX, SIDE_MIN, BACKDROPS, SEED = 640, 150, 48, 1
KINDS = (backdrop.keyboard, backdrop.clutter, backdrop.room, backdrop.wood, backdrop.fabric,
         backdrop.marble, backdrop.paper, backdrop.plain)


def photos():
    """(name, BGR picture) of every picture file in the two packages."""
    for package in ("skimage", "sklearn"):
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise SystemExit(f"cannot find {package}: pip install scikit-image scikit-learn")
        for path in sorted(pathlib.Path(spec.origin).parent.rglob("*")):
            if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
                image = cv2.imread(str(path))
                if image is not None and min(image.shape[:2]) >= SIDE_MIN:
                    yield path.stem, image


def scenes():
    """(name, BGR picture) of the renderer's backdrops, six of each kind, cut to 640x480."""
    for i in range(BACKDROPS):
        kind = KINDS[i % len(KINDS)]
        rgb = backdrop.to_bytes(kind(np.random.default_rng((SEED, i))))
        yield f"{kind.__name__}{i}", np.ascontiguousarray(rgb[:480, :640, ::-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, image in (*photos(), *scenes()):
        scale = SIDE_MAX / max(image.shape[:2])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(out / f"{count:03}-{name}.jpg"), image, (cv2.IMWRITE_JPEG_QUALITY, 92))
        count += 1
    print(f"{count} pictures in '{out}'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
