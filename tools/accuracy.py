#!/usr/bin/env python3
"""The tables of docs/ACCURACY.md, from `lacquer eval` and `nailseg evaluate`, as Markdown.

    tools/accuracy.py [--model F] --data DIR --nailfree DIR [--worst 12]

--data holds nails-cc-by and test-a-cc0 (train/README.md), --nailfree what bench/nails/nailfree.py
made.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import cv2

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "train"))
from nailseg import data, evaluate, traits  # noqa: E402

SETS = {"val": "val", "test A": "a"}
HELD = 16  # frames: by then the network sees the region around the nails


def lacquer_eval(program, *args):
    done = subprocess.run([program, "eval", "--json", *map(str, args)], stdout=subprocess.PIPE,
                          check=True)
    return json.loads(done.stdout)


def row(name, t):
    return (f"| {name} | {t['images']} | {100 * t['iou']:.1f} | {100 * t['mean_iou']:.1f} | "
            f"{100 * t['boundary_f']:.1f} | {t['found']} | {t['missed']} | {t['false']} |")


def held_still(program, files, *options):
    """The mask of each picture's last frame, where a video shows every picture for HELD frames, as
    a camera that is held still does. Without hands: whether the hand network is due in just that
    frame, which is a whole one then, would depend on the frames of the pictures before."""
    with tempfile.TemporaryDirectory() as made:
        folders = [pathlib.Path(made) / name for name in ("images", "masks", "out")]
        for folder in folders[:2]:
            folder.mkdir()
        for i, (_, *pair) in enumerate(files):
            for n in range(HELD):
                for folder, path in zip(folders, map(pathlib.Path, pair)):
                    (folder / f"{i:04}-{n:02}{path.suffix}").symlink_to(path.resolve())
        lacquer_eval(program, "--images", folders[0], "--masks", folders[1], "--sequence",
                     "--no-hands", "--write-masks", folders[2], *options)
        for i in range(len(files)):
            yield cv2.imread(str(folders[2] / f"{i:04}-{HELD - 1:02}.png"), 0) >= 128


KINDS = {"photo": (), "live frame": ("--live",), "network": ("--raw",),
         "live frame by a single pass": ("--fast",)}
HEAD = ("| | pictures | IoU | mean IoU | boundary F | found | missed | false |\n"
        "|---|---|---|---|---|---|---|---|")


def sets(program, root, options, worst):
    """The figures as painted and of the network alone; classes; the worst pictures."""
    painted, lines = {}, [HEAD]
    for name, which in SETS.items():
        files = data.list_set(root, which)
        pairs = data.load(files)
        for kind, more in KINDS.items():
            rows = evaluate.score(pairs, evaluate.painted_masks(program, files, *options, *more))
            total = evaluate.total(rows)
            lines.append(row(f"{name}, {kind}", total))
            if kind == "photo":
                painted[name] = rows, total
        rows = evaluate.score(pairs, held_still(program, files, *options))
        lines.append(row(f"{name}, live, held still for {HELD} frames, without hands",
                         evaluate.total(rows)))
    for name, (rows, total) in painted.items():
        lines += ["", f"{name}, photo, by class:", "", HEAD]
        lines += [row(f"{trait}: {cls.replace('_', ' ')}", total["by"][trait][cls])
                  for trait, classes in traits.CLASSES.items() for cls, _ in classes
                  if cls in total["by"][trait]]
        rows.sort(key=lambda r: r[1]["iou"])
        lines += ["", f"{name}, the worst {worst} (IoU in per cent): " + ", ".join(
            f"{stem} {100 * counts['iou']:.0f}" for stem, counts, _ in rows[:worst])]
    return lines


def blank(program, folder, options):
    lines = []
    for name, more in (("as photos", ()), ("as live frames", ("--live",))):
        t = lacquer_eval(program, "--images", folder, *options, *more)
        clean = round(t["images"] * t["mean_iou"])
        lines.append(f"{t['images']} pictures without a nail, {name}: {100 * t['false_paint']:.3f} "
                     f"% of "
                     f"the pixels painted, {clean} pictures left untouched, {t['false']} false "
                     f"nails.")
    return ["\n\n".join(lines)]


def video(program, options):
    """Flicker and lag on the rendered video that the browser tests use as a camera."""
    pictures = (ROOT / "tests" / "e2e" / "hand.mjpeg").read_bytes().split(b"\xff\xd8\xff")[1:]
    with tempfile.TemporaryDirectory() as folder:
        for i, picture in enumerate(pictures):
            (pathlib.Path(folder) / f"{i:04}.jpg").write_bytes(b"\xff\xd8\xff" + picture)
        args = ("--images", folder, "--masks", ROOT / "tests" / "e2e" / "hand-masks", "--sequence")
        lines = ["| | IoU | flicker | lag, frames |", "|---|---|---|---|"]
        for name, more in (("each frame by itself", ("--no-smoothing",)), ("smoothed", ())):
            t = lacquer_eval(program, *args, *options, *more)
            lines.append(f"| {name} | {100 * t['iou']:.1f} | {t['flicker']:.4f} | "
                         f"{t['lag_frames']:.2f} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build" / "lacquer"))
    parser.add_argument("--model", help="instead of the default model")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--nailfree", metavar="DIR")
    parser.add_argument("--worst", type=int, default=12)
    args = parser.parse_args()
    options = ("--model", args.model) if args.model else ()
    lines = sets(args.program, args.data, options, args.worst) + [""]
    lines += blank(args.program, args.nailfree, options) + [""] if args.nailfree else []
    print("\n".join(lines + video(args.program, options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
