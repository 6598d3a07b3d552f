#!/usr/bin/env python3
"""Arranges pictures downloaded from their sources as the lists name them.

    arrange.py --images DIR --masks DIR --out DIR

Every picture of --images is looked up in lists/*.csv by its content (hashes.py), whatever its name
and size, and copied with its mask (same file stem in --masks) to OUT/SPLIT/images and
OUT/SPLIT/masks. Pictures that are not in the lists are left out, for example near-duplicates across
the splits.
"""
import argparse
import csv
import pathlib
import shutil
import sys

import cv2

import hashes

LISTS = pathlib.Path(__file__).parent / "lists"


def read_lists(folder=LISTS):
    """{(split, stem): hash}"""
    known = {}
    for path in sorted(folder.glob("*.csv")):
        with open(path, newline="") as f:
            known |= {(path.stem, row["stem"]): int(row["dhash"], 16) for row in csv.DictReader(f)}
    return known


def arrange(images, masks, out, known):
    """Copies the known pictures; returns the number of pictures put into each split."""
    by_stem = {p.stem: p for p in masks.iterdir()}
    counts, known = {}, dict(known)
    for path in sorted(images.iterdir()):
        image = cv2.imread(str(path))
        found = hashes.nearest(hashes.of(image), known) if image is not None else None
        if found is None or path.stem not in by_stem:
            continue
        split, stem = found
        del known[found]  # some pictures are listed twice: each copy takes one of the names
        for source, kind in ((path, "images"), (by_stem[path.stem], "masks")):
            to = out / split / kind
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to / (stem + source.suffix.lower()))
        counts[split] = counts.get(split, 0) + 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("images", "masks", "out"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True, metavar="DIR")
    args = parser.parse_args()
    known = read_lists()
    counts = arrange(args.images, args.masks, args.out, known)
    for split in sorted({s for s, _ in known}):
        print(f"{split:8} {counts.get(split, 0)} of {sum(s == split for s, _ in known)} pictures")
    if not counts:
        print("no picture of --images is in the lists: are these the sources that README.md names?",
              file=sys.stderr)
    return not counts


if __name__ == "__main__":
    sys.exit(main())
