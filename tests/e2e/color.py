"""The colours of a picture's pixels: applies its profile, and computes Delta E 2000 between two
colours."""
import io

import numpy as np
from PIL import Image, ImageCms

TO_XYZ = np.array([[.4124564, .3575761, .1804375], [.2126729, .7151522, .0721750],
                   [.0193339, .1191920, .9503041]])
WHITE = np.array([.95047, 1, 1.08883])


def profile_of(data):
    return Image.open(io.BytesIO(data)).info.get("icc_profile")


def shown(data):
    """Pixels as sRGB, converted by the file's profile."""
    picture = Image.open(io.BytesIO(data))
    if icc := picture.info.get("icc_profile"):
        picture = ImageCms.profileToProfile(
            picture, ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB")
    return np.asarray(picture.convert("RGB")).astype(float)


def lab(rgb):
    share = np.asarray(rgb) / 255
    linear = np.where(share <= .04045, share / 12.92, ((share + .055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ.T / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return 116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])


def delta_e(one, other):
    """CIE Delta E 2000 of sRGB pixels."""
    (l1, a1, b1), (l2, a2, b2) = lab(one), lab(other)
    mean = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + .5 * (1 - np.sqrt(mean / (mean + 25. ** 7)))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = np.arctan2(b1, a1 * stretch), np.arctan2(b2, a2 * stretch)
    turn = np.where(c1 * c2 == 0, 0, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi)
    hue, chroma, light = h1 + turn / 2, (c1 + c2) / 2, (l1 + l2) / 2
    degrees = np.degrees(hue) % 360
    t = (1 - .17 * np.cos(hue - np.pi / 6) + .24 * np.cos(2 * hue)
         + .32 * np.cos(3 * hue + np.radians(6)) - .2 * np.cos(4 * hue - np.radians(63)))
    by_light = (l2 - l1) / (1 + .015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    by_chroma = (c2 - c1) / (1 + .045 * chroma)
    by_hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / (1 + .015 * chroma * t)
    high = np.sqrt(chroma ** 7 / (chroma ** 7 + 25. ** 7))
    bend = -2 * high * np.sin(np.radians(60 * np.exp(-((degrees - 275) / 25) ** 2)))
    return np.sqrt(by_light ** 2 + by_chroma ** 2 + by_hue ** 2 + bend * by_chroma * by_hue)
