"""python3 -m nailseg teach: a trained model's probabilities for the training photos, as files.

One picture at one size is how a teacher sees a training sample (teacher.py). Here it sees the whole
photo at several sizes, as it is and mirrored, and the mean of these is closer to the truth: on val
the boundary F rises from 0.81 to 0.83, on test A the IoU from 0.87 to 0.90. The files hold that
mean in 0..255 at the photo's size; the augmentation moves them along with the drawn mask.
"""
import csv
import functools
import multiprocessing
import os

import cv2
import numpy as np

from . import data, evaluate

LONG_SIDES = (384, 512, 672)  # pixels; chosen on val, among sets of 288 to 864
SPECK = .002            # of the picture
CHANCES = .35, 2        # a photo is drawn this often at least and at most, the median one once
LARGE = .0122           # of the picture: a photo whose median nail is larger is a close-up …
LARGE_CHANCE = 1.5      # … and drawn this often
NAIL = 2e-5             # of the picture: a smaller spot of a mask is no nail


def size_for(shape, long_side):
    """The input's (height, width), in multiples of 32, for a picture of that shape."""
    scale = long_side / max(shape[:2])
    return tuple(max(32, round(side * scale / 32) * 32) for side in shape[:2])


def looks(run, image):
    """The mean probability of each pixel over sizes and both directions: float32 0..1."""
    total = np.zeros(image.shape[:2], np.float32)
    for long_side in LONG_SIDES:
        size = size_for(image.shape, long_side)
        for step in (1, -1):
            prob = run(evaluate.tensor(image[:, ::step], size))
            total += cv2.resize(prob, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)[:, ::step]
    return total / (2 * len(LONG_SIDES))


@functools.cache
def runner(model):
    """One for each process."""
    return evaluate.openvino_runner(model)


def write(model, out, file):
    """Writes one photo's map, unless it is there already."""
    stem, path, _ = file
    to = os.path.join(out, stem + ".png")
    if os.path.exists(to):
        return
    image = cv2.imread(path)
    if image is None:
        raise OSError(f"cannot read the photo '{path}'")  # a SystemExit would hang the pool
    done = cv2.imencode(".png", np.rint(looks(runner(model), image) * 255).astype(np.uint8))[1]
    with open(to + ".part", "wb") as f:
        f.write(done)
    os.replace(to + ".part", to)


def disagreement(prob, taught):
    """1 - soft IoU of a student's and a teacher's probabilities (0..1, [h,w]). A nail of a five
    hundredth of the picture is added to both, so that specks in a picture without nails do not
    count as much as missed nails."""
    speck = SPECK * prob.size
    return 1 - (np.minimum(prob, taught).sum() + speck) / (np.maximum(prob, taught).sum() + speck)


def unlike(student, out, file):
    """A photo's stem and the disagreement of one look of the student with the photo's map."""
    stem, path, _ = file
    image, taught = cv2.imread(path), cv2.imread(os.path.join(out, stem + ".png"), 0)
    prob = runner(student)(evaluate.tensor(image, size_for(image.shape, LONG_SIDES[0])))
    taught = cv2.resize(taught, prob.shape[::-1], interpolation=cv2.INTER_AREA) / 255
    return stem, disagreement(prob, taught)


def by_disagreement(rows):
    """How often each photo is to be drawn: in proportion to the disagreement, within limits."""
    median = np.median([value for _, value in rows])
    return [(stem, np.clip(value / median, *CHANCES)) for stem, value in rows]


def by_size(file):
    """A photo's stem, and how often it is to be drawn: close-ups more often than others."""
    stem, _, path = file
    mask = cv2.imread(path, 0)
    areas = cv2.connectedComponentsWithStats((mask > 127).astype(np.uint8))[2][1:, -1] / mask.size
    nails = areas[areas > NAIL]
    return stem, LARGE_CHANCE if len(nails) and np.median(nails) > LARGE else 1


def write_chances(path, rows):
    with open(path + ".part", "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(("stem", "chance"))
        table.writerows((stem, f"{chance:.3f}") for stem, chance in rows)
    os.replace(path + ".part", path)


def over_all(pool, one, files):
    """The results of `one` for each file, in order, with a line of progress every 100."""
    out = []
    for out_of_one in pool.imap(one, files):
        out.append(out_of_one)
        if len(out) % 100 == 0 or len(out) == len(files):
            print(f"{len(out)} of {len(files)} photos", flush=True)
    return out


def main(args):
    os.makedirs(args.out, exist_ok=True)
    files = data.list_set(args.data, "train")
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        try:
            over_all(pool, functools.partial(write, args.model, args.out), files)
            chances = os.path.join(args.out, "chances.csv")
            if args.student:
                rows = over_all(pool, functools.partial(unlike, args.student, args.out), files)
                write_chances(chances, by_disagreement(rows))
            elif args.large:
                write_chances(chances, over_all(pool, by_size, files))
        except OSError as e:
            raise SystemExit(str(e)) from e
    return 0
