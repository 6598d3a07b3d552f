"""Augmentation on one core: geometry in a single warp, then light and camera on the small result.

Pictures are always BGR uint8 and masks uint8 with 255 = nail; every function takes the numpy
Generator that decides, so that a seed determines the whole stream. A mask is [h,w], or [h,w,2] with
a teacher's probability in 0..255 beside what is drawn (teach.py); both are moved alike.
"""
import cv2
import numpy as np

from . import negatives

OUTLINED_ZOOM = 1.6  # the outlined photos have twice the pixels of the others, and smaller hands

NOISE = np.random.default_rng(7).standard_normal(1 << 21).astype(np.float32)


def drawn(mask):
    """Its first channel, [h,w]."""
    return mask if mask.ndim == 2 else mask[..., 0]


def centre(rng, mask, toward_nails):
    """A point on which to centre the crop: with the given probability near a nail, else
    anywhere."""
    h, w = mask.shape[:2]
    if rng.random() < toward_nails:
        ys, xs = np.nonzero(drawn(mask)[::8, ::8] > 127)
        if len(xs):
            i = rng.integers(len(xs))
            return xs[i] * 8.0, ys[i] * 8.0
    return rng.uniform(.15, .85) * w, rng.uniform(.15, .85) * h


def turn(rng):
    """An angle: usually that of the photo, a third of the time a random one."""
    return rng.uniform(-180, 180) if rng.random() < .33 else rng.normal(0, 15)


def matrix(rng, image, mask, side, fit):
    """The affine map from picture to crop; `fit` bounds the long side of the whole picture in
    pixels of the crop, and therefore determines the size of nails."""
    h, w = mask.shape[:2]
    zoom = np.exp(rng.uniform(np.log(fit[0]), np.log(fit[1]))) / max(h, w)
    squeeze = np.exp(rng.uniform(-.16, .16))
    a = np.radians(turn(rng))
    flip = -1 if rng.random() < .5 else 1
    m = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.diag(
        (zoom * squeeze * flip, zoom / squeeze))
    whole = zoom * max(h, w) < side * 1.05
    c = np.array((w / 2, h / 2) if whole else centre(rng, mask, .75))
    at = side / 2 + rng.uniform(-.25, .25, 2) * side
    return np.hstack((m, (at - m @ c)[:, None])), zoom


def backdrop(rng, store, side, fit):
    """The background where the photo does not fill the crop: (picture, mask)."""
    kind = rng.random()
    if kind < .4:
        image, mask = store.any(rng)
        return warp(rng, image, mask, side, (max(fit), max(fit) * 1.6), None)
    if kind < .7:
        return negatives.texture(rng, side), store.blank(side)
    flat = np.full((side, side, 3), negatives.colour(rng, .1), np.float32)
    return flat.astype(np.uint8), store.blank(side)


def warp(rng, image, mask, side, fit, behind):
    """One random crop of a photo and its mask, side x side, laid over `behind`."""
    m, zoom = matrix(rng, image, mask, side, fit)
    while zoom < .6:
        image = cv2.resize(image, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA)
        m[:, :2] *= 2
        zoom *= 2
    size = (side, side)
    if behind is None:
        mode = cv2.BORDER_REFLECT_101
        return (cv2.warpAffine(image, m, size, flags=cv2.INTER_LINEAR, borderMode=mode),
                cv2.warpAffine(mask, m, size, flags=cv2.INTER_LINEAR, borderMode=mode))
    picture, label = behind
    mode = cv2.BORDER_TRANSPARENT
    cv2.warpAffine(image, m, size, dst=picture, flags=cv2.INTER_LINEAR, borderMode=mode)
    cv2.warpAffine(mask, m, size, dst=label, flags=cv2.INTER_LINEAR, borderMode=mode)
    return picture, label


def skin_shift(rng, image, mask):
    """Shifts pixels that have the colour of the skin beside the nails to another skin tone."""
    ring = cv2.dilate(mask, np.ones((9, 9), np.uint8)) > 127
    ring &= cv2.dilate(mask, np.ones((3, 3), np.uint8)) < 8
    if ring.sum() < 30:
        return image
    ycc = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)
    skin = np.median(ycc[ring], axis=0)
    d = (ycc[..., 1:].astype(np.float32) - skin[1:]) ** 2
    w = np.exp(-d.sum(2) / (2 * 14.0 ** 2))
    if rng.random() < .5:
        w *= 1 - mask.astype(np.float32) / 255 * rng.uniform(.3, .8)
    w = cv2.GaussianBlur(w, (5, 5), 0)[..., None]
    aim = rng.uniform(35, 220)
    gain = np.clip(aim / max(skin[0], 20), .25, 2.2)
    warm = np.array((rng.uniform(.8, 1.0), rng.uniform(.9, 1.02), 1.0), np.float32)
    return np.clip(image * (1 + w * (gain * warm - 1)), 0, 255).astype(np.uint8)


def polish(rng, image, mask):
    """Paints the nails one colour, keeping their shading: dark gloss is rare in the photos."""
    soft = cv2.GaussianBlur(mask, (3, 3), 0)
    count, parts = cv2.connectedComponents((mask > 127).astype(np.uint8))
    if count < 2:
        return image
    table = np.array([negatives.colour(rng, .1) for _ in range(count)], np.float32)
    if rng.random() < .75:
        table[:] = table[1]
    if rng.random() < .4:
        table *= rng.uniform(.05, .4)
    tone = cv2.dilate(parts.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    light = image.max(2).astype(np.float32)
    mean = max(light[mask > 127].mean(), 10)
    shade = (light / mean)[..., None] ** rng.uniform(.4, 1.6)
    shine = np.clip(light - mean * rng.uniform(1.1, 1.4), 0, 255)[..., None] * rng.uniform(0, 2)
    body = table[np.minimum(tone, count - 1)] * shade + shine
    a = soft[..., None].astype(np.float32) / 255 * rng.uniform(.6, 1)
    return np.clip(image * (1 - a) + body * a, 0, 255).astype(np.uint8)


def clutter(rng, image, mask):
    """Draws a few nail-like objects into the picture; they hide what they cover."""
    mask = mask.copy()
    for _ in range(int(rng.integers(1, 6))):
        mask[negatives.blob(rng, image, negatives.colour(rng, .5)) > 127] = 0
    return image, mask


def light(rng, image):
    """Exposure, white balance, saturation, contrast and gamma; sometimes uneven light."""
    sat, grey = rng.uniform(.5, 1.5), np.array((.114, .587, .299), np.float32)
    if rng.random() < .03:
        sat = 0
    m = np.eye(3, dtype=np.float32) * sat + (1 - sat) * grey[None]
    m *= np.exp(rng.normal(0, .08, 3)).astype(np.float32)[:, None]
    if rng.random() < .3:
        m += rng.normal(0, .04, (3, 3)).astype(np.float32)
    image = cv2.transform(image, m)
    x = np.linspace(0, 1, 256, dtype=np.float32)
    x = x ** np.exp(rng.normal(0, .3)) * np.exp(rng.normal(0, .15))
    x = (x - .5) * np.exp(rng.normal(0, .2)) + .5 + rng.normal(0, .06)
    image = cv2.LUT(image, np.clip(x * 255, 0, 255).astype(np.uint8))
    if rng.random() < .2:
        side = image.shape[0]
        gain = np.exp(negatives.field(rng, side, int(rng.integers(2, 5))) * rng.uniform(.2, 1))
        image = np.clip(image * gain[..., None], 0, 255).astype(np.uint8)
    return image


def blur(rng, image):
    """Defocus, motion blur, or enlargement from fewer pixels."""
    kind = rng.random()
    if kind < .4:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(.4, 2.2))
    if kind < .75:
        n = int(rng.integers(3, 14))
        k = np.zeros((n, n), np.float32)
        d = np.array((np.cos(a := rng.uniform(0, np.pi)), np.sin(a))) * n / 2
        p, q = (n / 2 - d).astype(int), (n / 2 + d).astype(int)
        cv2.line(k, tuple(map(int, p)), tuple(map(int, q)), 1)
        return cv2.filter2D(image, -1, k / max(k.sum(), 1))
    f = rng.uniform(.3, .8)
    small = cv2.resize(image, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def sensor(rng, image):
    """Noise that is stronger in the dark; half the time as coarse as after a webcam's denoiser."""
    h, w, c = image.shape
    at = int(rng.integers(NOISE.size - h * w * c))
    noise = NOISE[at:at + h * w * c].reshape(h, w, c)
    if rng.random() < .5:
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(.6, 1.3)) * 2
    level = rng.uniform(1, 10)
    if rng.random() < .35:
        dark = rng.uniform(.08, .5)
        level *= rng.uniform(.5, 1.5)
        image = image * dark
        image = (image + noise * level) * rng.uniform(1, min(2.5, .8 / dark))
    else:
        image = image + noise * level
    return np.clip(image, 0, 255).astype(np.uint8)


def jpeg(rng, image):
    """The blocks and ringing of a compressed frame."""
    q = int(rng.integers(15, 85))
    return cv2.imdecode(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, q))[1], 1)


def sharpen(rng, image):
    """The halos of a phone's own sharpening."""
    return cv2.addWeighted(image, 1 + (a := rng.uniform(.3, 1.5)),
                           cv2.GaussianBlur(image, (0, 0), rng.uniform(.8, 2)), -a, 0)


def camera(rng, image, chance):
    """The camera's effects from scene to decoded frame; `chance` scales how often each one
    occurs."""
    for step, p in ((light, .85), (blur, .3), (sensor, .35), (sharpen, .1), (jpeg, .3)):
        if rng.random() < p * chance:
            image = step(rng, image)
    return image


def sample(rng, store, side, fit, mix):
    """One training pair: (BGR uint8 side x side, mask uint8 at half that size)."""
    kind = rng.random()
    if kind < mix["negative"]:
        image, mask = negative(rng, store, side, fit)
    else:
        image, mask, fit = positive(rng, store, kind - mix["negative"], fit, mix)
        fill = rng.random() < .6
        image, mask = warp(rng, image, mask, side, fit,
                           None if fill else backdrop(rng, store, side, fit))
        if rng.random() < mix["skin"]:
            image = skin_shift(rng, image, drawn(mask))
        if rng.random() < mix["polish"]:
            image = polish(rng, image, drawn(mask))
        if rng.random() < mix["clutter"]:
            image, mask = clutter(rng, image, mask)
    image = camera(rng, image, mix["camera"])
    label = cv2.resize(mask, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    return image, label


def positive(rng, store, kind, fit, mix):
    """A picture that may hold nails, and the bounds of its size: rendered, outlined or a photo."""
    share = mix["synth"] * min(1, len(store.synth) / 500)  # a few frames would soon be memorised
    if kind < share:
        return *store.synthetic(rng), fit
    if store.outlined and kind < share + mix.get("outlined", 0):
        return *store.outline(rng), (fit[0], fit[1] * OUTLINED_ZOOM)
    return *store.photo(rng), fit


def negative(rng, store, side, fit):
    """A crop without a nail: procedural, or a window of a training photo beside its nails."""
    if rng.random() < .5:
        return negatives.picture(rng, side), store.blank(side)
    for _ in range(4):
        image, mask = store.any(rng)
        image, mask = warp(rng, image, mask, side, (max(fit), max(fit) * 2.5), None)
        if mask.max() < 40:
            return image, store.blank(side)
    return negatives.picture(rng, side), store.blank(side)
