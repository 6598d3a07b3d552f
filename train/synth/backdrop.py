"""The surface below or behind the hand: 8-bit RGB pictures from a random generator alone."""

import colorsys

import cv2
import numpy as np

SIZE = 1024


def _field(rng, cells, size=SIZE):
    """Smooth noise in 0..1 with `cells` (x, y) features."""
    grid = rng.random((max(2, cells[1]), max(2, cells[0])), np.float32)
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def _fractal(rng, cells, octaves=4):
    total, weight = 0, 0
    for k in range(octaves):
        total = total + _field(rng, (cells[0] << k, cells[1] << k)) / (1 << k)
        weight += 1 / (1 << k)
    return total / weight


def colour(rng, value=(0.15, 0.9), saturation=(0.0, 0.6), hue=(0.0, 1.0)):
    return np.array(colorsys.hsv_to_rgb(rng.uniform(*hue) % 1, rng.uniform(*saturation),
                                        rng.uniform(*value)), np.float32)


def _mix(a, b, t):
    return a + (b - a) * t[..., None]


def _grain(rng, image, amount):
    return image * (1 + amount * (rng.random((SIZE, SIZE, 1), np.float32) - 0.5))


def plain(rng):
    base = colour(rng, (0.3, 0.95), (0, 0.35))
    tone = 1 + 0.10 * (_fractal(rng, (3, 3)) - 0.5)
    return _grain(rng, base * tone[..., None], 0.05)


def wood(rng):
    light = colour(rng, (0.45, 0.85), (0.25, 0.6), (0.05, 0.11))
    dark = light * rng.uniform(0.45, 0.75)
    y = np.mgrid[0:SIZE, 0:SIZE][0].astype(np.float32) / SIZE
    warp = _fractal(rng, (2, 6), 3)
    rings = np.sin((y * rng.uniform(10, 30) + warp * rng.uniform(5, 14)) * 2 * np.pi) * 0.5 + 0.5
    fibre = _field(rng, (14, 512)) * 0.6 + _field(rng, (40, 1000)) * 0.4
    image = _mix(light, dark, np.clip(rings * 0.45 + fibre * 0.55, 0, 1))
    if rng.random() < 0.6:
        planks = int(rng.integers(3, 8))
        row = (y * planks).astype(int)
        image = image * rng.uniform(0.85, 1.1, planks).astype(np.float32)[row][..., None]
        seam = np.abs(y * planks - np.round(y * planks)) < 0.012
        image = np.where(seam[..., None], image * 0.4, image)
    return image


def fabric(rng):
    a = colour(rng, (0.2, 0.9), (0, 0.7))
    b = np.clip(a * rng.uniform(0.6, 1.3), 0, 1)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    pitch = rng.uniform(5, 14)
    weave = np.sin(x / pitch * 2 * np.pi) * np.sin(y / pitch * 2 * np.pi) * 0.5 + 0.5
    image = _mix(a, b, weave) * (0.8 + 0.4 * _fractal(rng, (4, 4)))[..., None]
    if rng.random() < 0.4:
        c, step = colour(rng), rng.uniform(80, 260)
        for axis in (x, y):
            band = (np.mod(axis, step) < step * rng.uniform(0.1, 0.5)).astype(np.float32) * 0.5
            image = _mix(image, c, band)
    return _grain(rng, image, 0.15)


def marble(rng):
    base = colour(rng, (0.6, 0.97), (0, 0.12))
    vein = colour(rng, (0.2, 0.6), (0, 0.3))
    f = np.abs(_fractal(rng, (4, 4), 5) - 0.5) * rng.uniform(8, 20)
    return _mix(vein, base, np.clip(f, 0, 1) ** 0.5)


def keyboard(rng):
    body, key = colour(rng, (0.05, 0.8), (0, 0.1)), colour(rng, (0.05, 0.95), (0, 0.15))
    image = np.ones((SIZE, SIZE, 3), np.float32) * body
    pitch = int(rng.integers(70, 130))
    gap = int(pitch * rng.uniform(0.06, 0.18))
    radius = int(pitch * rng.uniform(0.04, 0.16))
    ink, letters = (1 - key) * 0.8 + 0.1, []
    for row in range(0, SIZE // pitch + 1):
        x = -int(rng.integers(0, pitch))
        while x < SIZE:
            wide = int(pitch * (1 if rng.random() < 0.88 else rng.uniform(1.3, 4)))
            x0, y0, x1, y1 = x + gap, row * pitch + gap, x + wide - gap, row * pitch + pitch - gap
            shade = [float(c) for c in key * rng.uniform(0.9, 1.1)]
            for dx, dy in ((radius, 0), (0, radius)):
                cv2.rectangle(image, (x0 + dx, y0 + dy), (x1 - dx, y1 - dy), shade, -1)
            for cx in (x0 + radius, x1 - radius):
                for cy in (y0 + radius, y1 - radius):
                    cv2.circle(image, (cx, cy), radius, shade, -1, cv2.LINE_AA)
            letters.append((chr(int(rng.integers(65, 91))), (x0 + 10, y0 + pitch // 2)))
            x += wide
    image = to_bytes(image)  # text can only be drawn on bytes
    for letter, at in letters:
        cv2.putText(image, letter, at, cv2.FONT_HERSHEY_SIMPLEX, pitch / 110,
                    [float(c) * 255 for c in np.clip(ink, 0, 1)], 2, cv2.LINE_AA)
    return image.astype(np.float32) / 255


def paper(rng):
    image = np.ones((SIZE, SIZE, 3), np.float32) * colour(rng, (0.8, 0.98), (0, 0.08))
    ink = [float(c) for c in colour(rng, (0.05, 0.4), (0, 0.8))]
    step = int(rng.integers(24, 60))
    for y in range(step, SIZE, step):
        if rng.random() < 0.5:
            cv2.line(image, (0, y), (SIZE, y), [0.6, 0.7, 0.85], 1, cv2.LINE_AA)
        x = 40
        while x < SIZE - 60 and rng.random() < 0.96:
            wide = int(rng.integers(10, 90))
            cv2.line(image, (x, y - 6), (x + wide, y - 6 - int(rng.integers(0, 4))), ink,
                     int(rng.integers(2, 7)), cv2.LINE_AA)
            x += wide + 14
    return image


def clutter(rng):
    """Shapes of any colour, many with the size and colour of nails, which must not be painted."""
    image = BASES[int(rng.integers(0, 4))](rng).copy()
    for _ in range(int(rng.integers(8, 60))):
        c = colour(rng, (0.2, 1.0), (0.1, 0.95))
        if rng.random() < 0.4:
            c = colour(rng, (0.6, 1.0), (0.15, 0.5), (-0.05, 0.08))
        at = tuple(int(v) for v in rng.integers(0, SIZE, 2))
        axes = (int(rng.integers(12, 70)), int(rng.integers(8, 40)))
        tilt = float(rng.uniform(0, 180))
        shadow = (at[0] + 6, at[1] + 8)
        cv2.ellipse(image, shadow, axes, tilt, 0, 360, [0.08, 0.07, 0.06], -1, cv2.LINE_AA)
        cv2.ellipse(image, at, axes, tilt, 0, 360, [float(v) for v in c], -1, cv2.LINE_AA)
        glint = (int(at[0] - axes[1] * 0.3), int(at[1] - axes[1] * 0.3))
        small = (max(2, axes[0] // 4), max(1, axes[1] // 5))
        cv2.ellipse(image, glint, small, tilt, 0, 360, [float(v) for v in c * 0.4 + 0.6], -1,
                    cv2.LINE_AA)
    return image


def room(rng):
    """Out of focus: gradients, blocks of the size of furniture, and round lights."""
    top, bottom = colour(rng, (0.2, 0.95), (0, 0.4)), colour(rng, (0.1, 0.8), (0, 0.5))
    y = np.linspace(0, 1, SIZE, dtype=np.float32)[:, None].repeat(SIZE, 1)
    image = _mix(top, bottom, y)
    for _ in range(int(rng.integers(3, 18))):
        x0, y0 = (int(v) for v in rng.integers(-100, SIZE, 2))
        wide, high = (int(v) for v in rng.integers(60, 520, 2))
        shade = [float(v) for v in colour(rng, (0.05, 0.95), (0, 0.7))]
        cv2.rectangle(image, (x0, y0), (x0 + wide, y0 + high), shade, -1)
    for _ in range(int(rng.integers(0, 14))):
        at = tuple(int(v) for v in rng.integers(0, SIZE, 2))
        cv2.circle(image, at, int(rng.integers(8, 50)),
                   [float(v) for v in colour(rng, (0.8, 1.0), (0, 0.4))], -1)
    blur = float(rng.uniform(4, 30))
    small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), blur / 4), (SIZE, SIZE),
                      interpolation=cv2.INTER_CUBIC)


BASES = (plain, wood, fabric, marble, keyboard, paper)
DESKS = {"plain": plain, "wood": wood, "fabric": fabric, "marble": marble, "keyboard": keyboard,
         "paper": paper, "clutter": clutter}


def to_bytes(image):
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def mean_linear(image):
    t = cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA).reshape(-1, 3) / 255.0
    return (t * t * (t * 0.3 + 0.7)).mean(0)
