"""From clean camera-linear light to the picture of a webcam or phone: blur, noise, tone, JPEG."""

import cv2
import numpy as np

_STEPS = 4096
_X = np.arange(_STEPS, dtype=np.float32) / (_STEPS - 1)
_SRGB = np.where(_X <= 0.0031308, 12.92 * _X, 1.055 * _X ** (1 / 2.4) - 0.055).astype(np.float32)


def sample(rng, quality=(35, 96)):
    """A camera: parameters only."""
    poor = rng.random()
    return {
        "noise": float(rng.uniform(0, 0.004) + (poor > 0.7) * rng.uniform(0, 0.012)),
        "shot": float(rng.uniform(0.0005, 0.004) * (1 + 4 * (poor > 0.7))),
        "grain": float(rng.uniform(0.3, 1.0)),
        "blur": float(rng.choice([0.0, 0.4, 0.6, 0.9, 1.3], p=[0.3, 0.25, 0.2, 0.15, 0.1])),
        "motion": (float(rng.uniform(3, 14)) if rng.random() < 0.15 else 0.0),
        "motion_angle": float(rng.uniform(0, np.pi)),
        "balance": [float(v) for v in rng.normal([1.02, 1, 0.97], 0.035)],
        "contrast": float(rng.uniform(0.85, 1.25)),
        "saturation": float(rng.uniform(0.85, 1.35)),
        "sharpen": float(rng.choice([0, 0.4, 1.0], p=[0.5, 0.3, 0.2])),
        "vignette": float(rng.uniform(0, 0.25)),
        "quality": int(rng.integers(*quality)),
    }


def clean(quality=92):
    """A good camera, for pictures that are about something else."""
    return {"noise": 0.002, "shot": 0.0008, "grain": 0.6, "blur": 0.4, "motion": 0.0,
            "motion_angle": 0.0, "balance": [1.0, 1.0, 1.0], "contrast": 1.05,
            "saturation": 1.0, "sharpen": 0.3, "vignette": 0.08, "quality": quality}


def motion_kernel(cam, scale=1.0):
    length = cam["motion"] * scale
    if length < 1.5:
        return None
    size = int(np.ceil(length)) | 1
    kernel = np.zeros((size, size), np.float32)
    half = np.array([np.cos(cam["motion_angle"]), np.sin(cam["motion_angle"])]) * (length - 1) / 2
    mid = (size - 1) / 2
    for t in np.linspace(-1, 1, 4 * size):
        x, y = mid + half * t
        kernel[int(round(y)), int(round(x))] += 1
    return kernel / kernel.sum()


def develop(linear, cam, rng):
    """Camera-linear (h, w, 3) float32 RGB to uint8 RGB."""
    h, w = linear.shape[:2]
    kernel = motion_kernel(cam, max(h, w) / 640)
    x = linear
    if kernel is not None:
        x = cv2.filter2D(x, -1, kernel, borderType=cv2.BORDER_REFLECT)
    if cam["blur"]:
        x = cv2.GaussianBlur(x, (0, 0), cam["blur"] * max(h, w) / 640)
    x = x * np.asarray(cam["balance"], np.float32)
    if cam["vignette"]:
        gy, gx = np.linspace(-1, 1, h, dtype=np.float32), np.linspace(-1, 1, w, dtype=np.float32)
        x = x * (1 - cam["vignette"] * 0.5 * (gy[:, None] ** 2 + gx[None] ** 2))[..., None]
    x = x + _noise(x, cam, rng)
    x = _SRGB[np.clip(x * (_STEPS - 1) + 0.5, 0, _STEPS - 1).astype(np.int32)]
    grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
    x = grey[..., None] + (x - grey[..., None]) * cam["saturation"]
    x = (x - 0.5) * cam["contrast"] + 0.5
    if cam["sharpen"]:
        x = x + cam["sharpen"] * (x - cv2.GaussianBlur(x, (0, 0), 1.0))
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _noise(x, cam, rng):
    raw = rng.standard_normal(x.shape, np.float32)
    if cam["grain"] > 0.35:
        raw = cv2.GaussianBlur(raw, (0, 0), cam["grain"]) * (1 + 2.2 * cam["grain"])
    return raw * np.sqrt(cam["noise"] ** 2 + cam["shot"] * 0.05 * np.maximum(x, 0))


def jpeg(image, quality):
    ok, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    if not ok:
        raise RuntimeError("cannot encode a JPEG")
    return data.tobytes()
