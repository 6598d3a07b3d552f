"""Skin: one of the base textures, recoloured in Lab so that its mean has a wanted colour."""

import os

import cv2
import numpy as np

from .mesh import AssetError

# From very light to very dark: L*, a*, b* of the back of the hand.
_TONES = np.array([[78, 11.5, 13], [73, 13, 17], [67, 14.5, 20.5], [60, 15.5, 23], [51, 15, 22.5],
                   [41, 13.5, 18.5], [31, 10.5, 12.5]], np.float64)


def ita(lab):
    """Individual typology angle in degrees."""
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


def tone(depth, rng=None):
    """Lab of a skin; `depth` 0 very light .. 1 very dark."""
    at = np.clip(depth, 0, 1) * (len(_TONES) - 1)
    lab = np.array([np.interp(at, np.arange(len(_TONES)), _TONES[:, c]) for c in range(3)])
    if rng is not None:
        lab = lab + rng.normal(0, [1.0, 1.2, 1.3])
    return lab


def lab_to_rgb(lab):
    """8-bit-like sRGB 0..1 of Lab colours (n, 3)."""
    flat = np.asarray(lab, np.float32).reshape(1, -1, 3)
    return np.clip(cv2.cvtColor(flat, cv2.COLOR_Lab2RGB), 0, 1).reshape(-1, 3)


def lab_to_linear(lab):
    t = lab_to_rgb(lab)
    return t * t * (t * 0.3 + 0.7)


def read_texture(folder, name):
    path = os.path.join(folder, name)
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise AssetError(f"cannot read texture '{path}'")
    return image[..., ::-1]


class Skins:
    """The two base textures as Lab detail around the mean of the back of the hand."""

    def __init__(self, folder, uv):
        self.detail = []
        for name in ("caucasian_realistic_baseColor.png", "african_realistic_baseColor.png"):
            rgb = read_texture(folder, name).astype(np.float32) / 255
            lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)
            at = np.clip((uv * [lab.shape[1], lab.shape[0]]).astype(int), 0, lab.shape[0] - 1)
            self.detail.append(lab - np.median(lab[at[:, 1], at[:, 0]], 0))

    def texture(self, lab, depth, contrast=1.0):
        mix = float(np.clip((depth - 0.35) / 0.5, 0, 1))
        detail = self.detail[0] * (1 - mix) * 0.9 + self.detail[1] * mix * 0.75
        detail = detail * np.array([contrast, 0.55, 0.5], np.float32)
        out = cv2.cvtColor((detail + np.asarray(lab, np.float32)).astype(np.float32),
                           cv2.COLOR_Lab2RGB)
        return (np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8)
