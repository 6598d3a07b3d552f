#!/usr/bin/env python3
"""Paints every finish on the nails of a few hands, side by side in one picture, for judging by eye.

Usage: contact_sheet.py LACQUER OUT.png HAND.jpg... [--look NAME|FILE.json]... [--color C]
                        [--tile N] [--nails N]

A row is a look, a column a nail; the first row is the bare nail. Without --look the rows are all
finishes in --color. Needs Pillow.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw


def nails_of(lacquer, hand, most):
    reply = subprocess.run([lacquer, "apply", hand, "--json"], check=True, capture_output=True)
    nails = json.loads(reply.stdout)["nails"]
    return sorted(nails, key=lambda nail: -nail["area"])[:most]


def paint(lacquer, hands, folder, options):
    """All hands in one run, which loads the model once. Links give the files distinct names."""
    links = []
    for number, hand in enumerate(hands):
        links.append(folder / f"hand-{number:02}{pathlib.Path(hand).suffix.lower()}")
        if not links[-1].exists():
            links[-1].symlink_to(pathlib.Path(hand).resolve())
    out = folder / "painted"
    out.mkdir(exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    subprocess.run([lacquer, "apply", *links, "-o", out, *options], check=True,
                   capture_output=True)
    return sorted(out.iterdir())


def tile(picture, nail, side):
    x, y = nail["center"]
    half = 0.62 * max(nail["length"], nail["width"])
    box = [round(v) for v in (x - half, y - half, x + half, y + half)]
    return picture.crop(box).resize((side, side), Image.LANCZOS)


def rows_of(lacquer, args):
    if args.look:
        return [(pathlib.Path(look).stem, ["--look", look]) for look in args.look]
    listed = json.loads(subprocess.run([lacquer, "looks", "--json"], check=True,
                                       capture_output=True).stdout)
    color = ["--color", args.color] if args.color else []
    return [(item["name"], ["--finish", item["name"], *color]) for item in listed["finishes"]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lacquer")
    parser.add_argument("out")
    parser.add_argument("hands", nargs="+")
    parser.add_argument("--look", action="append")
    parser.add_argument("--color")
    parser.add_argument("--tile", type=int, default=200)
    parser.add_argument("--nails", type=int, default=3)
    args = parser.parse_args()
    hands = [(hand, nails_of(args.lacquer, hand, args.nails)) for hand in args.hands]
    rows = [("bare", None), *rows_of(args.lacquer, args)]
    columns, side = sum(len(nails) for _, nails in hands), args.tile
    sheet = Image.new("RGB", (90 + columns * side, len(rows) * side), "white")
    draw = ImageDraw.Draw(sheet)
    with tempfile.TemporaryDirectory() as folder:
        for row, (name, options) in enumerate(rows):
            draw.text((4, row * side + side // 2), name, fill="black")
            x = 90
            paths = args.hands if options is None else paint(
                args.lacquer, args.hands, pathlib.Path(folder), options)
            for (_, nails), path in zip(hands, paths):
                picture = Image.open(path).convert("RGB")
                for nail in nails:
                    sheet.paste(tile(picture, nail, side), (x, row * side))
                    x += side
    sheet.save(args.out)


if __name__ == "__main__":
    sys.exit(main())
