"""Pictures in memory: decoded once, stored as uint8, sampled by the augmentation."""
import csv
import json
import os

import cv2
import numpy as np

OUTLINED_SHARE = .1  # of the pictures without a nail and of the backdrops, where there are any


def read_pair(image_path, mask_path, side_max=None):
    """(BGR uint8, mask uint8), or None if a file is missing or incomplete.

    Without a mask's path the picture contains no nail.
    """
    image = cv2.imread(image_path)
    if image is not None and mask_path is None:
        mask = np.zeros(image.shape[:2], np.uint8)
    else:
        mask = cv2.imread(mask_path, 0)
    if image is None or mask is None or image.shape[:2] != mask.shape:
        return None
    if side_max and max(mask.shape) > side_max:
        f = side_max / max(mask.shape)
        image = cv2.resize(image, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
    return image, mask


def split_rows(root, use):
    """The rows of splits.csv with this use."""
    with open(os.path.join(root, "nails-cc-by", "splits.csv"), newline="") as f:
        return [r for r in csv.DictReader(f) if r["use"] == use]


def list_split(root, use):
    """[(stem, picture's path, mask's path)] of nails-cc-by's train or val part."""
    base = os.path.join(root, "nails-cc-by")
    return [(r["stem"], f"{base}/images/{r['stem']}.jpg", f"{base}/masks/{r['stem']}.png")
            for r in split_rows(root, use)]


def list_folder(images, masks=None):
    """The same for two folders whose files share stems; without `masks` the pictures contain no
    nail."""
    names = {os.path.splitext(n)[0]: n for n in sorted(os.listdir(masks))} if masks else {}
    out = []
    for name in sorted(os.listdir(images)):
        stem = os.path.splitext(name)[0]
        if masks and stem not in names:
            raise SystemExit(f"cannot find the mask of '{name}' in '{masks}'")
        out.append((stem, os.path.join(images, name),
                    os.path.join(masks, names[stem]) if masks else None))
    return out


def list_set(root, name):
    """The files of a set by its name: "train", "val", or "a" for the CC0 test photos."""
    if name != "a":
        return list_split(root, name)
    return list_folder(f"{root}/test-a-cc0/images", f"{root}/test-a-cc0/masks")


def load(files):
    """[(stem, image, mask)] of listed files; an unreadable file is an error that names it."""
    out = []
    for stem, image, mask in files:
        pair = read_pair(image, mask)
        if pair is None:
            raise SystemExit(f"cannot read picture or mask, or their sizes differ: '{image}'")
        out.append((stem,) + pair)
    return out


def taught(folder, stem, mask):
    """A photo's mask with the teacher's map of it (teach.py) as a second channel: [h,w,2]."""
    path = os.path.join(folder, stem + ".png")
    probability = cv2.imread(path, 0)
    if probability is None or probability.shape != mask.shape:
        raise SystemExit(f"cannot read the teacher's map '{path}', or its size is not the "
                         "photo's: `python3 -m nailseg teach` writes it")
    return np.dstack((mask, probability))


def chances(folder, stems):
    """How often each photo is drawn, as cumulative probabilities, from chances.csv beside the
    teacher's maps (teach.py); without that file all photos are alike."""
    path = os.path.join(folder or "", "chances.csv")
    weights = np.ones(len(stems))
    if folder and os.path.exists(path):
        with open(path, newline="") as f:
            of = {row["stem"]: float(row["chance"]) for row in csv.DictReader(f)}
        missing = [stem for stem in stems if stem not in of]
        if missing:
            raise SystemExit(f"'{path}' has no line for photo '{missing[0]}': "
                             "`python3 -m nailseg teach` with --student or --large writes it")
        weights = np.array([of[stem] for stem in stems])
    total = np.cumsum(weights)
    return total / total[-1]  # ends with exactly 1, so that every random number finds a photo


def outlined(root, path):
    """[(image, mask)] of the photos whose nails a file of labels/ outlines. Where the labels are
    unsure the mask is half covered."""
    with open(path) as f:
        labels = json.load(f)
    out = []
    for stem, shapes in labels["photos"].items():
        file = os.path.join(root, labels["images"], stem + ".jpg")
        image = cv2.imread(file)
        if image is None:
            raise SystemExit(f"cannot read '{file}', which '{path}' outlines")
        mask = np.zeros(image.shape[:2], np.uint8)
        for kind, value in (("unsure", 128), ("nails", 255)):
            for points in shapes[kind]:
                cv2.fillPoly(mask, [np.array(points, np.int32).reshape(-1, 2)], value)
        out.append((image, mask))
    return out


class Store:
    """The training photos, and rendered frames as they are added to a folder. With `maps`, a folder
    of teach.py, every mask has the teacher's probability as a second channel; a rendered frame's is
    its exact mask, and that of a photo of `labels`, a file of labels/, is the outlined one."""

    def __init__(self, root, synth_dir=None, synth_max=0, maps=None, labels=None):
        self.maps = maps
        loaded = load(list_set(root, "train"))
        self.photos = [(i, taught(maps, stem, m) if maps else m) for stem, i, m in loaded]
        self.chances = chances(maps, [stem for stem, _, _ in loaded])
        self.synth, self.synth_dir, self.synth_max = [], synth_dir, synth_max
        self.seen = set()
        self.outlined = [(i, self.with_map(m)) for i, m in outlined(root, labels)] if labels else []

    def with_map(self, mask):
        """A mask that is its own teacher."""
        return np.dstack((mask, mask)) if self.maps else mask

    def blank(self, side):
        """The mask of a picture without a nail."""
        return np.zeros((side, side, 2) if self.maps else (side, side), np.uint8)

    def rescan(self):
        """Reads rendered frames that were written since the last call."""
        folder = self.synth_dir and os.path.join(self.synth_dir, "images")
        if not folder or not os.path.isdir(folder):
            return
        for name in sorted(os.listdir(folder)):
            if name in self.seen or len(self.synth) >= self.synth_max:
                continue
            mask = os.path.join(self.synth_dir, "masks", os.path.splitext(name)[0] + ".png")
            pair = read_pair(os.path.join(folder, name), mask, 480)
            if pair is not None:
                self.seen.add(name)
                image, mask = pair
                self.synth.append((image, self.with_map(mask)))

    def photo(self, rng):
        return self.photos[np.searchsorted(self.chances, rng.random(), side="right")]

    def synthetic(self, rng):
        return self.synth[rng.integers(len(self.synth))]

    def outline(self, rng):
        """One of the outlined photos."""
        return self.outlined[rng.integers(len(self.outlined))]

    def any(self, rng):
        """A picture of any kind, for its surroundings."""
        if self.outlined and rng.random() < OUTLINED_SHARE:
            return self.outline(rng)
        return self.photo(rng)


def batch(rng, store, n, side, fit, mix, sampler):
    """n samples: (uint8 RGB n x side x side x 3, uint8 n x channels x side/2 x side/2), where the
    channels are the drawn mask and, if the store has it, the teacher's probability."""
    images = np.empty((n, side, side, 3), np.uint8)
    labels = []
    for i in range(n):
        image, mask = sampler(rng, store, side, fit, mix)
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=images[i])
        labels.append(np.atleast_3d(mask).transpose(2, 0, 1))
    return images, np.stack(labels)
