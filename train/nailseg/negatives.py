"""Procedural pictures without a nail, made of objects that are easily mistaken for nails.

Every generator takes a numpy Generator and a side length and returns BGR uint8; each is generated
anew every time, so the network cannot memorise them.
"""
import cv2
import numpy as np


def colour(rng, skin=0.35):
    """A random BGR colour; with probability `skin` one from the range of skin and bare nails."""
    if rng.random() < skin:
        light = rng.uniform(40, 245)
        return tuple(light * g for g in (rng.uniform(.55, .85), rng.uniform(.65, .9), 1.0))
    return tuple(rng.uniform(0, 255, 3))


def field(rng, side, cells):
    """Smooth noise in -1..1: a coarse random grid enlarged."""
    grid = rng.standard_normal((cells, cells)).astype(np.float32) * .5
    return cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)


def texture(rng, side):
    """A background: flat, gradient, stripes (wood, cloth) or cloudy, with fine grain."""
    base = np.array(colour(rng, .2), np.float32)
    other = np.array(colour(rng, .2), np.float32)
    kind = rng.integers(4)
    if kind == 0:
        t = np.zeros((side, side), np.float32)
    elif kind == 1:
        t = np.linspace(0, 1, side, dtype=np.float32)[None].repeat(side, 0)
    elif kind == 2:
        t = wood_rings(rng, side)
    else:
        t = field(rng, side, int(rng.integers(3, 30))) + .5
    if rng.random() < .5:
        t = t.T
    mix = rng.uniform(.2, 1)
    out = base + (other - base) * (t[..., None] * mix)
    grain = rng.standard_normal((side, side, 1)).astype(np.float32) * rng.uniform(0, 12)
    return np.clip(out + grain, 0, 255).astype(np.uint8)


def wood_rings(rng, side):
    """Long wavering stripes in 0..1."""
    y = np.arange(side, dtype=np.float32)[:, None] / side
    wave = cv2.resize(field(rng, 32, 4), (side, side)) * rng.uniform(.02, .15)
    return .5 + .5 * np.sin((y + wave) * rng.uniform(10, 120))


def shaded(rng, img, mask, fill):
    """Paints `fill` where mask is set, with a light side, a dark side and perhaps a highlight."""
    x, y, w, h = cv2.boundingRect(mask)
    if w < 2 or h < 2:
        return
    a = rng.uniform(0, 2 * np.pi)
    gx = np.linspace(-1, 1, w, dtype=np.float32)[None] * np.cos(a)
    gy = np.linspace(-1, 1, h, dtype=np.float32)[:, None] * np.sin(a)
    shade = 1 + (gx + gy) * rng.uniform(0, .35)
    if rng.random() < .5:
        cx, cy = rng.uniform(-.5, .5, 2)
        d = (gx - cx) ** 2 + (gy - cy) ** 2
        shade = shade + np.exp(-d * rng.uniform(5, 40)) * rng.uniform(.2, 1)
    body = np.clip(np.array(fill, np.float32) * shade[..., None], 0, 255)
    soft = cv2.GaussianBlur(mask[y:y + h, x:x + w], (3, 3), 0)[..., None].astype(np.float32) / 255
    part = img[y:y + h, x:x + w]
    part[:] = part * (1 - soft) + body * soft


def rounded(mask, cx, cy, w, h, angle, radius):
    """Adds a rotated rectangle with rounded corners to mask."""
    r = max(1, int(min(w, h) * radius / 2))
    box = cv2.boxPoints(((cx, cy), (max(w - 2 * r, 1), max(h - 2 * r, 1)), angle))
    cv2.fillPoly(mask, [box.astype(np.int32)], 255)
    cv2.polylines(mask, [box.astype(np.int32)], True, 255, 2 * r)


def keyboard(rng, side):
    """Rows of keys seen from above, turned and slightly skewed, with marks on them."""
    img = texture(rng, side)
    key = rng.uniform(.05, .16) * side
    gap, ratio = rng.uniform(1.05, 1.35), rng.uniform(.7, 1.6)
    fill, ink = colour(rng, .3), colour(rng, 0)
    angle, radius = rng.uniform(-40, 40), rng.uniform(.1, .7)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    reach = int(side / key) + 1
    for row in range(-reach, reach):
        for col in range(-reach, reach):
            u, v = (col + .35 * (row % 3)) * key * ratio * gap, row * key * gap
            x, y = side / 2 + u * c - v * s, side / 2 + u * s + v * c
            if not (-key < x < side + key and -key < y < side + key):
                continue
            mask = np.zeros((side, side), np.uint8)
            rounded(mask, x, y, key * ratio, key, angle, radius)
            shaded(rng, img, mask, fill)
            if rng.random() < .8:
                cv2.putText(img, chr(rng.integers(65, 91)), (int(x - key * .2), int(y + key * .2)),
                            0, key / 60, ink, 1, cv2.LINE_AA)
    return img


def blobs(rng, side):
    """Petals, pills, beans, pebbles: shaded ellipses and rounded bars, strewn or in rows."""
    img = texture(rng, side)
    fill = colour(rng)
    for _ in range(int(rng.integers(3, 40))):
        blob(rng, img, fill if rng.random() < .6 else colour(rng))
    return img


def blob(rng, img, fill):
    """One shaded ellipse, rounded bar or bean somewhere in the picture."""
    side = img.shape[0]
    mask = np.zeros(img.shape[:2], np.uint8)
    x, y = rng.uniform(0, side, 2)
    w = rng.uniform(.02, .16) * side
    h, angle = w * rng.uniform(.4, 1), rng.uniform(0, 360)
    if rng.random() < .5:
        cv2.ellipse(mask, ((x, y), (w, h), angle), 255, -1)
    else:
        rounded(mask, x, y, w, h, angle, rng.uniform(.3, 1))
    if rng.random() < .2:
        bite = angle + 90
        cv2.circle(mask, (int(x + np.cos(np.radians(bite)) * h * .6),
                          int(y + np.sin(np.radians(bite)) * h * .6)), int(h * .35), 0, -1)
    shaded(rng, img, mask, fill)
    return mask


def things(rng, side):
    """A few large objects, often glossy and often one inside another: cups, plates, buttons,
    screens.

    Close-ups of one nail fill a picture too; these teach that size, an even colour and a highlight
    do not make a nail.
    """
    img = texture(rng, side)
    for _ in range(int(rng.integers(1, 5))):
        at = rng.uniform(.1, .9, 2) * side
        w = np.exp(rng.uniform(np.log(.12), np.log(.9))) * side
        h, angle, radius = w * rng.uniform(.35, 1), rng.uniform(0, 360), rng.uniform(.2, 1)
        round_one = rng.random() < .6
        for _ in range(int(rng.integers(1, 4))):
            mask = np.zeros((side, side), np.uint8)
            if round_one:
                cv2.ellipse(mask, (tuple(map(float, at)), (w, h), angle), 255, -1)
            else:
                rounded(mask, *at, w, h, angle, radius)
            shaded(rng, img, mask, colour(rng))
            f = rng.uniform(.4, .95)
            w, h, at = w * f, h * f, at + rng.uniform(-.1, .1, 2) * w * (1 - f)
    if rng.random() < .15:
        img[:] = img.mean(2, keepdims=True)
    return img


def fingerless(rng, side):
    """Skin-coloured tubes and folds: the common shapes of arms, palms and faces, without a nail."""
    img = texture(rng, side)
    skin = colour(rng, 1)
    for _ in range(int(rng.integers(1, 7))):
        mask = np.zeros((side, side), np.uint8)
        x, y = rng.uniform(0, side, 2)
        rounded(mask, x, y, rng.uniform(.3, 1.2) * side, rng.uniform(.06, .5) * side,
                rng.uniform(0, 360), 1)
        shaded(rng, img, mask, tuple(np.array(skin) * rng.uniform(.85, 1.1)))
    fold = 1 + field(rng, side, int(rng.integers(4, 24)))[..., None] * rng.uniform(0, .2)
    return np.clip(img * fold, 0, 255).astype(np.uint8)


KINDS = (keyboard, blobs, things, things, fingerless, texture)


def picture(rng, side):
    """One nail-free picture of a random kind, BGR uint8, side x side."""
    return KINDS[rng.integers(len(KINDS))](rng, side)
