"""Hand poses as {bone: quaternion (x, y, z, w)}: the library's, and mixtures of them."""

import glob
import os

import numpy as np

from .godot import read_pose
from .mesh import AssetError


def load(folder):
    files = sorted(glob.glob(os.path.join(glob.escape(folder), "poses", "*.res")))
    if not files:
        raise AssetError(f"cannot find hand poses in '{folder}'")
    return {os.path.splitext(os.path.basename(f))[0]: read_pose(f) for f in files}


def slerp(a, b, t):
    a, b = np.asarray(a, float), np.asarray(b, float)
    dot = a @ b
    if dot < 0:
        b, dot = -b, -dot
    if dot > 0.9995:
        q = a + (b - a) * t
    else:
        angle = np.arccos(dot)
        q = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return q / np.linalg.norm(q)


def multiply(a, b):
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return np.array([aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
                     aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz])


def blend(a, b, t, rest):
    return {bone: slerp(a.get(bone, rest[bone]), b.get(bone, rest[bone]), t)
            for bone in set(a) | set(b)}


def jitter(pose, rng, amount):
    """Small additional rotations of every joint, larger for bending than for the other axes."""
    out = {}
    for bone in sorted(pose):
        k = 0.25 if "Metacarpal" in bone else 1.0
        turn = np.append(rng.normal(0, [0.05, 0.05, 0.12]) * amount * k / 2, 1.0)
        out[bone] = multiply(pose[bone], turn / np.linalg.norm(turn))
    return out


# Radians about a proximal joint's own x for an `amount` of 1: towards the middle finger.
_TOGETHER = {"Index_Proximal": -1.0, "Ring_Proximal": 1.0, "Little_Proximal": 2.0}


def together(pose, amount):
    """Fingers side by side: in the library's poses there is always some space between them."""
    out = dict(pose)
    for bone, share in _TOGETHER.items():
        half = amount * share / 2
        out[bone] = multiply(pose[bone], np.array([np.sin(half), 0, 0, np.cos(half)]))
    return out
