"""The pictures and the video for the repository's tests, each as a seed and a few settings."""

from . import camera

_SIZE = (640, 480)
_COMMON = {"polished": 0.0, "palm": "", "hands": 1, "close": False, "tilt": 0.35, "fill": 0.9,
           "facing": 0}

# name: seed, settings. Lens, light, desk and the hand's side follow from the seed.
HANDS = {
    "very-light": {"seed": 11, "depth": 0.02, "desk": "wood", "mode": "desk", "fixed": "Sign 5"},
    "light": {"seed": 12, "depth": 0.18, "desk": "plain", "mode": "desk", "fixed": "Default pose"},
    "intermediate": {"seed": 13, "depth": 0.35, "desk": "fabric", "mode": "desk",
                     "fixed": "Sign 5"},
    "tan": {"seed": 14, "depth": 0.5, "mode": "air", "fixed": "Sign 4"},
    "brown": {"seed": 15, "depth": 0.68, "desk": "paper", "mode": "desk", "fixed": "Default pose"},
    "dark": {"seed": 26, "depth": 0.85, "desk": "marble", "mode": "desk", "fixed": "Sign 5"},
    "very-dark": {"seed": 17, "depth": 1.0, "desk": "plain", "mode": "desk",
                  "fixed": "Default pose"},
    "polished": {"seed": 18, "depth": 0.3, "desk": "wood", "mode": "desk", "polished": 1.0,
                 "fixed": "Sign 5"},
    "large": {"seed": 19, "size": (1600, 1200), "depth": 0.25, "desk": "wood", "mode": "desk",
              "fixed": "Sign 5"},
    "closed": {"seed": 429, "depth": 0.15, "desk": "wood", "mode": "desk", "fixed": "Straight",
               "together": 0.09, "tilt": 0.7, "facing": 4},
    "folded": {"seed": 205, "depth": 0.3, "mode": "air", "fixed": "Grip 1", "palm": "curled",
               "tilt": 0.5},
}


def shot(studio, name):
    """The golden picture of this name."""
    spec = dict(_COMMON, size=_SIZE)
    spec.update(HANDS[name])
    seed, size = spec.pop("seed"), spec.pop("size")
    return studio.frame(seed, 0, size, camera=camera.clean(), **spec)


VIDEO = {"seed": 21, "seconds": 3.0, "fps": 30, "size": _SIZE, "depth": 0.25, "quality": 78,
         "noise": 0.5}
