"""The class of a picture: tone, size, light and tint, as src/eval/traits.h defines them.

Every rule here equals that of `lacquer eval`, so that both classify a picture equally.
"""
import cv2
import numpy as np

RING_FROM, RING_TO = .10, .35          # of a nail's side
RING_FROM_MIN_PX, RING_TO_MIN_PX = 2, 4
SKIN_PIXELS_MIN, SKIN_SHARE_MIN, RED_MIN, BURNT = 50, .25, 20, 250
CLASSES = {  # from the highest value down: a class contains the values above its lower bound
    "tone": (("very_light", 55), ("light", 41), ("intermediate", 28), ("tan", 10), ("brown", -30),
             ("dark", -np.inf)),
    "size": (("large", .09), ("medium", .05), ("small", -np.inf)),
    "light": (("bright", 60), ("medium", 45), ("dim", -np.inf)),
    "tint": (("warm", 9), ("neutral", 3), ("cold", -np.inf)),
}


def lightness(rgb):
    """CIE L* and b* of an sRGB colour of 0..255."""
    v = np.asarray(rgb, float) / 255
    linear = np.where(v <= .04045, v / 12.92, ((v + .055) / 1.055) ** 2.4)
    yz = np.array(((.2126729, .7151522, .0721750), (.0193339, .1191920, .9503041))) @ linear
    yz /= (1, 1.08883)
    f = np.where(yz > 216 / 24389, np.cbrt(yz), (yz * 24389 / 27 + 16) / 116)
    return 116 * f[0] - 16, 200 * (f[0] - f[1])


def grown(mask, px):
    return cv2.dilate(mask, np.ones((2 * px + 1, 2 * px + 1), np.uint8)) > 0


def half_up(value):
    return int(np.floor(value + .5))


def skin(image, drawn, side):
    """The skin's median colour beside the nails, RGB; None if too few pixels look like skin."""
    mask = drawn.astype(np.uint8)
    ring = grown(mask, max(RING_TO_MIN_PX, half_up(RING_TO * side)))
    ring &= ~grown(mask, max(RING_FROM_MIN_PX, half_up(RING_FROM * side)))
    b, g, r = (image[..., c] for c in range(3))
    like = ring & (r > g) & (r > b) & (r >= RED_MIN) & (np.minimum(g, b) < BURNT)
    count = int(like.sum())
    if count < SKIN_PIXELS_MIN or count < SKIN_SHARE_MIN * ring.sum():
        return None
    return [np.sort(c[like])[(count - 1) // 2] for c in (r, g, b)]


def values(image, drawn, nails):
    """The four numbers of a BGR picture whose boolean mask shows this many nails; None: unknown."""
    if nails <= 0:
        return dict.fromkeys(CLASSES)
    side = np.sqrt(drawn.sum() / nails)
    out = {"tone": None, "size": side / max(drawn.shape), "light": None,
           "tint": lightness(image.reshape(-1, 3).mean(0)[::-1])[1]}
    colour = skin(image, drawn, side)
    if colour is not None:
        l, b = lightness(colour)
        out["tone"], out["light"] = np.degrees(np.arctan2(l - 50, b)), l
    return out


def classes(image, drawn, nails):
    """{"tone": "light", …}, None where unknown."""
    return {trait: None if value is None else
            next(name for name, least in CLASSES[trait] if value > least)
            for trait, value in values(image, drawn, nails).items()}
