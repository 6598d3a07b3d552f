"""Makes shots: one call from seed to picture, mask, nail ids and ground truth."""

import os
from dataclasses import dataclass

import cv2
import numpy as np

from . import camera, pose, scene, skin, stage
from .gpu import Renderer
from .mesh import FINGERS, AssetError, Hand

DEFAULT_ASSETS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "data",
                              "hand3d-cc0")
HIDDEN = ("away", "fist")  # views in which no nail should be visible


@dataclass
class Shot:
    """`rgb` (h, w, 3) uint8; `mask` (h, w) uint8 coverage, 255 = nail; `ids` (h, w) uint8, 0 none,
    1..5 the first hand's thumb to little finger, 6..10 the second's; `meta` can be written as
    JSON."""

    rgb: np.ndarray
    mask: np.ndarray
    ids: np.ndarray
    meta: dict
    lens: dict  # the camera's matrices, to be reused for a following shot


class Studio:
    """The assets and the renderer. One thread."""

    def __init__(self, assets=DEFAULT_ASSETS, supersample=3, tile=512):
        if not os.path.isdir(assets):
            raise AssetError(f"cannot find the hand assets: '{assets}' is not a folder")
        self.hand = Hand(assets)
        self.poses = pose.load(assets)
        self.skins = skin.Skins(assets, self.hand.uv)
        self.normal = skin.read_texture(assets, "hands_normal.png")
        self.orm = skin.read_texture(assets, "hands_occlusionRoughnessMetallic.png")
        self.supersample = supersample
        self.renderer = Renderer(tile)

    def close(self):
        self.renderer.close()

    def frame(self, seed, index=0, size=(640, 480), **wishes):
        """One random picture. `wishes` are passed to scene.sample_subject and sample_view by
        name."""
        rng = np.random.default_rng([seed, index])
        subject_keys = ("depth", "polished", "desk", "mode")
        chosen = {k: wishes.pop(k) for k in subject_keys if k in wishes}
        subject = scene.sample_subject(rng, **chosen)
        cam = wishes.pop("camera", None) or camera.sample(rng)
        size = self.size(rng, size)
        view = self._view(rng, subject, size, wishes.pop("facing", None), wishes)
        return self.shoot(subject, view, cam, rng, size, {"seed": seed, "index": index})

    def _view(self, rng, subject, size, facing, wishes):
        """Repeats until `facing` nails of a hand face the camera (default: usually three)."""
        wanted = facing
        for _ in range(8):
            view = scene.sample_view(rng, subject, self.poses, self.hand.rest_rotation,
                                     size[0] / size[1], **wishes)
            if wanted is None:
                wanted = 0 if view["palm"] in HIDDEN or rng.random() < 0.12 else 3
            if (scene.nails_facing(self.hand, view) > 0.3).sum() >= wanted:
                break
            if facing is None and view["palm"] in HIDDEN:
                break
        return view

    @staticmethod
    def size(rng, size):
        """(w, h) unchanged; for a single number, the long side, a random aspect ratio."""
        if not isinstance(size, int):
            return size
        ratio = float(rng.choice([1.0, 4 / 3, 1.5, 16 / 9]))
        short = int(round(size / ratio / 2)) * 2
        return (size, short) if rng.random() < 0.6 else (short, size)

    def prepare(self, subject):
        """The textures of a subject; keep them through a video."""
        return {"skin_tex": self.skins.texture(subject["skin_lab"], subject["depth"],
                                               subject["skin"]["contrast"]),
                "normal_tex": self.normal, "orm_tex": self.orm}

    def shoot(self, subject, view, cam, rng, size, about, textures=None, pinned=None):
        textures = textures or self.prepare(subject)
        setup = stage.assemble(self.hand, subject, view, textures, pinned)
        linear, big_ids = self.renderer.draw(setup, size, self.supersample)
        kernel = camera.motion_kernel(cam, max(size) / 640)
        cover = _coverage(big_ids, self.supersample, len(view["hands"]) * 5, kernel)
        rgb = camera.develop(linear, cam, rng)
        mask = np.clip(cover.sum(0) * 255 + 0.5, 0, 255).astype(np.uint8)
        best = cover.argmax(0)
        ids = np.where(cover.sum(0) >= 0.5, best + 1, 0).astype(np.uint8)
        meta = _describe(subject, view, cam, setup, ids, size, about)
        return Shot(rgb, mask, ids, meta, {k: setup[k] for k in ("view_proj", "view_ray", "eye")})


def _coverage(big, scale, count, kernel):
    """How much of each pixel each nail covers, (count, h, w) float32."""
    h, w = big.shape[0] // scale, big.shape[1] // scale
    out = np.zeros((count, h, w), np.float32)
    for k in range(count):
        part = (big == 8 * (k // 5) + k % 5 + 1).astype(np.float32)
        if part.any():
            out[k] = cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA)
            if kernel is not None:
                out[k] = cv2.filter2D(out[k], -1, kernel, borderType=cv2.BORDER_REFLECT)
    return out


def _describe(subject, view, cam, setup, ids, size, about):
    nails = []
    for k, marks in enumerate(setup["marks"]):
        pixels = int((ids == k + 1).sum())
        if not pixels:
            continue
        base, tip, centre, left, right = stage.project(setup["view_proj"], marks, size)
        axis = tip - base
        length = float(np.linalg.norm(axis))
        ys, xs = np.nonzero(ids == k + 1)
        polish = subject["nails"]["polish"]
        nails.append({
            "id": k + 1, "hand": k // 5, "finger": FINGERS[k % 5], "pixels": pixels,
            "box": [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1],
            "base": _round(base), "tip": _round(tip), "centre": _round(centre),
            "axis": _round(axis / max(length, 1e-6), 4), "length": round(length, 2),
            "width": round(float(np.linalg.norm(right - left)), 2),
            "tip_side": _side(axis),
            "polish": polish[k % 5]["finish"] if polish else None})
    lab = subject["skin_lab"]
    light = subject["light"]
    return {**about, "size": list(size), "mode": subject["mode"],
            "backdrop": subject["backdrop_name"], "palm": view["palm"],
            "hands": [{"side": p["side"], "pose": list(p["pose_names"])} for p in view["hands"]],
            "skin": {"ita": round(skin.ita(lab), 1), "lab": _round(lab)},
            "light": {"kelvin": round(light["kelvin"]), "level": round(light["level"], 3),
                      "boxes": len(light["boxes"])},
            "camera": cam, "nails": nails}


def _side(axis):
    if abs(axis[0]) > abs(axis[1]):
        return "right" if axis[0] > 0 else "left"
    return "down" if axis[1] > 0 else "up"


def _round(values, digits=2):
    return [round(float(v), digits) for v in values]


def stream(seed, assets=DEFAULT_ASSETS, size=(640, 480), start=0, supersample=2, **wishes):
    """Endless shots of one seed, from index `start` on."""
    studio = Studio(assets, supersample)
    index = start
    while True:
        yield studio.frame(seed, index, size, **wishes)
        index += 1
