#!/usr/bin/env python3
"""Measures how far painted polish is from polish rendered on the same hand in the same light.

    cd train && python3 -m synth polished --out DIR      # once; train/synth/polished.py says what
    tools/polish_truth.py BUILD/lacquer DIR              # prints Delta E 2000 by swatch and light
    tools/polish_truth.py --live BUILD/lacquer DIR       # as a video's first frames, not as photos

Each bare picture is painted with each swatch; the colour compared is the median over the inner part
of each nail. Nails that the program does not detect are counted and left out.
"""
import argparse
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "train"), str(ROOT / "packaging" / "python")]
from synth.polished import SWATCHES  # noqa: E402

LEAST_PIXELS = 60  # of a nail's inner part


def lab_of(rgb):
    return cv2.cvtColor(np.float32([[rgb]]) / 255, cv2.COLOR_RGB2Lab)[0, 0].astype(float)


def delta_e_2000(one, two):
    """CIE DE2000 (Sharma, Wu and Dalal, 2005) of two Lab colours."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0 ** 7)))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1 = np.degrees(np.arctan2(b1, a1 * stretch)) % 360
    h2 = np.degrees(np.arctan2(b2, a2 * stretch)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = h1 + turn / 2 if c1 * c2 else h1 + h2
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    t = (1 - 0.17 * np.cos(np.radians(hue - 30)) + 0.24 * np.cos(np.radians(2 * hue)) +
         0.32 * np.cos(np.radians(3 * hue + 6)) - 0.20 * np.cos(np.radians(4 * hue - 63)))
    sl = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    around = 30 * np.exp(-(((hue % 360) - 275) / 25) ** 2)
    rt = -2 * np.sqrt(mc ** 7 / (mc ** 7 + 25.0 ** 7)) * np.sin(np.radians(2 * around))
    return float(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 +
                         rt * dc / sc * dh / sh))


def read(path):
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        sys.exit(f"cannot read '{path}'")
    return image[..., ::-1]


def inner_parts(ids):
    for number in range(1, 6):
        part = cv2.erode((ids == number).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2)
        if part.sum() >= LEAST_PIXELS:
            yield part > 0


def paint(program, folder, swatch, out):
    """Paints all bare pictures as photos."""
    bare = sorted((folder / "bare").glob("*.png"))
    done = subprocess.run([program, "apply", *bare, "-o", out, "--color", SWATCHES[swatch],
                           "--finish", "creme"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip())


@functools.cache
def video_of(program):
    """A video of the library beside the program, whose model is opened once."""
    os.environ.setdefault("LACQUER_LIBRARY", str(program.resolve().parent / "liblacquer.so"))
    import lacquer
    return lacquer.Lacquer().video()


def paint_live(program, folder, swatch, out):
    """Paints each as the first frame of a video."""
    video = video_of(program)
    look = {"color": SWATCHES[swatch], "finish": "creme"}
    for path in sorted((folder / "bare").glob("*.png")):
        video.reset()
        shown = video.paint(cv2.imread(str(path)), look, time=0, pixel_format="bgr").image
        cv2.imwrite(str(out / path.name), shown)


def measure(folder, swatch, painted):
    """[(picture, Delta E, lightness painted minus rendered)], and the number of missed nails."""
    found, missed = [], 0
    for path in sorted((folder / "bare").glob("*.png")):
        if not (folder / swatch / path.name).exists():
            continue
        ids = cv2.imread(str(folder / "ids" / path.name), cv2.IMREAD_UNCHANGED)
        bare, truth = read(path), read(folder / swatch / path.name)
        shown = read(painted / path.name)
        for part in inner_parts(ids):
            if np.abs(shown[part].astype(int) - bare[part]).max(1).mean() < 1:
                missed += 1
                continue
            one, two = (lab_of(np.median(image[part], axis=0)) for image in (truth, shown))
            found.append((path.stem, delta_e_2000(one, two), two[0] - one[0]))
    return found, missed


def row(name, values):
    values = np.array([value[1:] for value in values])
    if len(values):
        print(f"{name:14} {values[:, 0].mean():6.2f} {np.percentile(values[:, 0], 90):6.2f} "
              f"{values[:, 0].max():6.2f} {values[:, 1].mean():+7.1f} {len(values):5}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--live", action="store_true",
                        help="paint each picture as the first frame of a video")
    args = parser.parse_args()
    print(f"{'':14} {'mean':>6} {'p90':>6} {'worst':>6} {'dL*':>7} {'nails':>5}")
    everything, missed = [], 0
    for swatch in SWATCHES:
        with tempfile.TemporaryDirectory() as painted:
            how = paint_live if args.live else paint
            how(args.program, args.folder, swatch, pathlib.Path(painted))
            found, lost = measure(args.folder, swatch, pathlib.Path(painted))
        row(swatch, found)
        everything += [(f"{picture}-{swatch}", *rest) for picture, *rest in found]
        missed += lost
    for place, kinds in ((-3, ("dim", "usual", "bright")), (-2, ("warm", "neutral", "cool"))):
        for kind in kinds:
            row(kind, [one for one in everything if one[0].split("-")[place] == kind])
    for tone in dict.fromkeys(one[0].rsplit("-", 3)[0] for one in everything):
        row(tone, [one for one in everything if one[0].rsplit("-", 3)[0] == tone])
    row("all", everything)
    lights = {}  # a picture is a hand in one light; all of its nails in all swatches
    for name, error, _ in everything:
        lights.setdefault(name.rsplit("-", 1)[0], []).append(error)
    worst = max(lights, key=lambda name: np.mean(lights[name]))
    print(f"worst light: {worst}, mean {np.mean(lights[worst]):.2f}")
    print(f"{missed} nails not found")


if __name__ == "__main__":
    main()
