"""The same rendered hand bare and with polish, in the same light: the reference for painted polish.

A picture is named TONE-EXPOSURE-TINT; beside its bare version there is one for each swatch, with
the nail plates covered by a physically shaded creme polish under the same lights and camera.
"""

import numpy as np

from . import camera, scene

TONES = {"very-light": 0.02, "light": 0.2, "intermediate": 0.4, "tan": 0.6, "brown": 0.8,
         "dark": 1.0}
EXPOSURES = {"dim": 0.42, "usual": 0.8, "bright": 1.15}
TINTS = {"warm": [1.12, 1.0, 0.82], "neutral": [1.0, 1.0, 1.0], "cool": [0.91, 1.0, 1.14]}
SWATCHES = {"white": "#f4f1ec", "nude": "#d2a08a", "red": "#b3122b", "black": "#141214"}
ROUGHNESS = 0.2  # of creme polish
WHITEST = 0.94   # of a swatch's linear value, as src/paint/finish.c has it


def _linear(swatch):
    value = np.array([int(swatch[i:i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) * WHITEST


def _coat(swatch):
    return {"finish": "creme", "rgb": _linear(swatch), "two": np.ones(3), "cover": 1.0,
            "kind": [ROUGHNESS, 0.0, 0.0, 0.0]}


def shots(studio, seed, size=(640, 480)):
    """Yields (name, swatch or "bare", Shot). Hand, desk and lamps follow from seed and tone."""
    for row, (tone, depth) in enumerate(TONES.items()):
        for column, (exposure, level) in enumerate(EXPOSURES.items()):
            rng = np.random.default_rng([seed, row, column])
            subject = scene.sample_subject(rng, depth=depth, polished=0.0, mode="desk")
            view = scene.sample_view(rng, subject, studio.poses, studio.hand.rest_rotation,
                                     size[0] / size[1], palm="", hands=1, close=False, tilt=0.3,
                                     fill=0.9, fixed="Sign 5")
            subject["light"].update(level=level, balance=1.0)
            textures = studio.prepare(subject)
            for tint, balance in TINTS.items():
                cam = dict(camera.clean(), balance=balance)
                for swatch in ("bare", *SWATCHES):
                    subject["nails"]["polish"] = (None if swatch == "bare" else
                                                  [_coat(SWATCHES[swatch])] * 5)
                    about = {"seed": seed, "tone": tone, "exposure": exposure, "tint": tint}
                    shot = studio.shoot(subject, view, cam, np.random.default_rng(seed), size,
                                        about, textures)
                    yield f"{tone}-{exposure}-{tint}", swatch, shot
