"""A hand that moves smoothly and returns to its start: frames with ground truth."""

import numpy as np

from . import camera, pose, scene, stage

_TURNS = ("Sign 5", "Default pose", "Sign 4", "Straight")


def frames(studio, seed, count, size=(640, 480), depth=None, polished=0.0, quality=85, noise=1.0):
    """Yields `count` Shots, a loop: the frame after the last would be the first again."""
    rng = np.random.default_rng([seed, 0])
    subject = scene.sample_subject(rng, depth=depth, polished=polished, desk="plain", mode="desk")
    subject["light"]["level"] = max(subject["light"]["level"], 0.85)
    cam = camera.clean(quality)
    cam["noise"] *= noise
    cam["shot"] *= noise
    rest = studio.hand.rest_rotation
    view = scene.sample_view(rng, subject, studio.poses, rest, size[0] / size[1], palm="", hands=1,
                             close=False, tilt=0.3, fill=0.80, fixed="Sign 5")
    view["offset"] = np.zeros(2)
    view["roll"] = float(rng.normal(0, 0.15))
    other = str(rng.choice(_TURNS[1:]))
    phases = rng.uniform(0, 2 * np.pi, 4)
    start = dict(view["hands"][0])
    textures = studio.prepare(subject)
    lens = None
    for k in range(count):
        angle = 2 * np.pi * k / count
        view["hands"][0] = _moved(studio, start, other, angle, phases, rest)
        noise_rng = np.random.default_rng([seed, 1, k])
        about = {"seed": seed, "frame": k, "frames": count}
        if lens is None:
            lens = _lens(studio, subject, view, start, textures)
        yield studio.shoot(subject, view, cam, noise_rng, size, about, textures, lens)


def _lens(studio, subject, view, start, textures):
    """The camera is where it sees the whole hand, unmoved and spread."""
    still = dict(view, hands=[start])
    setup = stage.assemble(studio.hand, subject, still, textures)
    return {k: setup[k] for k in ("view_proj", "view_ray", "eye")}


def _moved(studio, start, other, angle, phases, rest):
    swing = np.sin(angle + phases) - np.sin(phases)
    bend = 0.5 - 0.5 * np.cos(angle)
    placed = dict(start)
    placed["pose"] = pose.blend(start["pose"], studio.poses[other], 0.7 * bend, rest)
    placed["spin"] = (scene.turn(2, 0.14 * swing[0]) @ start["spin"]
                      @ scene.turn(1, 0.10 * swing[1]))
    placed["shift"] = start["shift"] + [0.010 * swing[2], 0.008 * swing[3], 0]
    return placed
