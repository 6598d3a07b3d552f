#!/usr/bin/env python3
"""Measures how finishes look on photographs of hands (docs/SURFACES.md has the latest figures).

Usage: surface_figures.py LACQUER HAND.jpg...

alike: the mean correlation of two nails of a hand, in nail coordinates: 1 means that all nails of
a hand show the same highlight or stripes, in the same place.
sparkle: the share of a matte nail's pixels that are at least a fifth brighter than its median, and
of those above 0.95. Needs Pillow and numpy.
"""
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

LEAST_WIDTH = 18  # minimum size in pixels of a measured nail
GRID = 24


def nails_of(lacquer, hand):
    reply = subprocess.run([lacquer, "apply", hand, "--json", "--fast"], check=True,
                           capture_output=True)
    return [nail for nail in json.loads(reply.stdout)["nails"] if nail["width"] >= LEAST_WIDTH]


def samples(picture, nail):
    """Brightness of the nail's middle, GRID x GRID, along and across."""
    along, across = np.meshgrid(*[np.linspace(-0.75, 0.75, GRID)] * 2, indexing="ij")
    x, y = nail["axis"]
    u, w = along * nail["length"] / 2, across * nail["width"] / 2
    columns = np.clip(nail["center"][0] + u * x - w * y, 0, picture.shape[1] - 1).astype(int)
    rows = np.clip(nail["center"][1] + u * y + w * x, 0, picture.shape[0] - 1).astype(int)
    return picture[rows, columns]


def painted(lacquer, hands, options):
    with tempfile.TemporaryDirectory() as folder:
        links = []
        for number, hand in enumerate(hands):
            links.append(pathlib.Path(folder) / f"{number:02}{pathlib.Path(hand).suffix.lower()}")
            links[-1].symlink_to(pathlib.Path(hand).resolve())
        subprocess.run([lacquer, "apply", *links, "-o", folder + "/out", "--fast", *options],
                       check=True, capture_output=True)
        return [np.asarray(Image.open(path).convert("L"), float) / 255
                for path in sorted(pathlib.Path(folder, "out").iterdir())]


def main(lacquer, *hands):
    nails = [nails_of(lacquer, hand) for hand in hands]
    for finish, color in (("gloss", "#141214"), ("chrome", "#c9ccd0")):
        alike = []
        for picture, found in zip(painted(lacquer, hands, ["--finish", finish, "--color", color]),
                                  nails):
            for one, two in itertools.combinations(found, 2):
                pair = [samples(picture, nail).ravel() for nail in (one, two)]
                alike.append(np.corrcoef(*pair)[0, 1])
        print(f"{finish}: alike {np.mean(alike):.2f} over {len(alike)} pairs")
    for color in ("#141214", "#d2a08a", "#f4f1ec"):
        over, white = [], []
        for picture, found in zip(painted(lacquer, hands, ["--finish", "matte", "--color", color]),
                                  nails):
            for nail in found:
                values = samples(picture, nail)
                over.append(np.mean(values > 1.2 * np.median(values)))
                white.append(np.mean(values > 0.95))
        print(f"matte {color}: sparkle {100 * np.mean(over):.2f} %, above 0.95 "
              f"{100 * np.mean(white):.2f} %, {len(over)} nails")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
