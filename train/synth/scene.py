"""The contents of a picture, as numbers sampled from a seed.

sample_subject() samples what is constant in a video (skin, nails, light, desk); sample_view()
samples where the hands are and the camera's view of them; stage.py builds both. World: z up from
the desk, fingers of an unrotated hand along +y.
"""

import numpy as np

from . import backdrop, mesh, pose, skin
from .gpu import N_BOXES

_REST_TO_WORLD = np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]], np.float64)
OPEN_POSES = ("Straight", "Default pose", "Sign 5", "Sign 4", "Sign 3", "OK", "Pinch Ring",
              "Pinch Middle", "Grip 5", "Rounded", "Default pose", "Sign 5")
CURLED_POSES = ("Grip", "Grip 1", "Grip 2", "Grip 3", "Grip 4", "Grip Shaft", "Cup", "Pistol",
                "Hold", "PingPong")
FIST_POSES = ("Grip", "Hold", "Pinch Tight", "Pistol", "Grip Shaft", "Cup")
FINISHES = ("creme", "gloss", "matte", "metallic", "chrome", "glitter", "shimmer", "sheer",
            "french", "ombre")


# -- subject

def sample_subject(rng, depth=None, polished=0.3, desk=None, mode=None):
    """`depth`: skin 0 very light .. 1 very dark; `mode`: "desk" or "air"."""
    depth = float(rng.uniform(0, 1)) if depth is None else depth
    mode = mode or ("desk" if rng.random() < 0.65 else "air")
    subject = {"mode": mode, "depth": depth, "skin_lab": skin.tone(depth, rng)}
    kind = desk or (str(rng.choice(list(backdrop.DESKS))) if mode == "desk" else "room")
    if mode == "air" and desk is None and rng.random() < 0.3:
        kind = str(rng.choice(list(backdrop.DESKS)))
    maker = backdrop.DESKS.get(kind, backdrop.room)
    subject["backdrop_name"] = kind
    subject["backdrop"] = backdrop.to_bytes(maker(rng))
    subject["desk_map"] = [float(rng.uniform(1.2, 4.5)), float(rng.uniform(0, 6.28)),
                           float(rng.random()), float(rng.random())]
    subject["desk_gloss"] = float(rng.choice([0.15, 0.6, 1.5]))
    subject["light"] = _sample_light(rng, mode)
    subject["nails"] = _sample_nails(rng, subject["skin_lab"], rng.random() < polished)
    subject["skin"] = {"bump": float(rng.uniform(0.25, 0.6)),
                       "gloss": float(rng.uniform(0.7, 1.15)),
                       "scatter": float(rng.uniform(0.7, 1.2)),
                       "contrast": float(rng.uniform(0.7, 1.2))}
    covered = rng.random() < 0.5
    subject["sleeve"] = float(rng.uniform(0.0, 0.07)) if covered else None
    subject["sleeve_rgb"] = (backdrop.colour(rng, (0.05, 0.9), (0, 0.8)) ** 2.2).tolist()
    return subject


def _direction(rng, up, low, high):
    """A unit vector whose angle from `up` is low..high radians."""
    angle, turn = rng.uniform(low, high), rng.uniform(0, 2 * np.pi)
    side = np.cross(up, [0.3, 0.5, 0.8])
    side /= np.linalg.norm(side)
    other = np.cross(up, side)
    return np.cos(angle) * up + np.sin(angle) * (np.cos(turn) * side + np.sin(turn) * other)


def _basis(towards, rng):
    right = np.cross(towards, rng.normal(size=3))
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards], 1)


def kelvin(t):
    """Linear RGB of a warm or cool white, mean 1. An approximation by eye, 2500..10000 K."""
    s = np.clip((t - 2500) / 4000, 0, 2)
    rgb = np.array([1.45 - 0.42 * min(s, 1) - 0.12 * max(s - 1, 0), 0.98 + 0.02 * min(s, 1),
                    0.45 + 0.55 * min(s, 1) + 0.25 * max(s - 1, 0)])
    return rgb / rgb.mean()


def _sample_light(rng, mode):
    up = np.array([0, 0.25, 1.0]) if mode == "desk" else np.array([0, 0.8, 0.6])
    up /= np.linalg.norm(up)
    key_kelvin = float(rng.uniform(2700, 7500))
    fill_kelvin = float(np.clip(key_kelvin + rng.normal(0, 1200), 2500, 9000))
    n = int(rng.integers(2, N_BOXES + 1))
    boxes = []
    for k in range(n):
        size = rng.uniform(0.08, 0.7, 2) if k else rng.uniform(0.1, 0.6, 2)
        towards = _direction(rng, up, 0.15, 1.15 if k == 0 else 1.4)
        share = 1.0 if k == 0 else float(rng.uniform(0.05, 0.5))
        boxes.append({"basis": _basis(towards, rng), "half": size, "share": share,
                      "soft": float(rng.uniform(0.02, 0.12)),
                      "rgb": kelvin(fill_kelvin if k else key_kelvin) * rng.uniform(0.92, 1.08, 3)})
    return {"up": up, "boxes": boxes, "sky_share": float(rng.uniform(0.25, 1.1)),
            "sky_rgb": kelvin(fill_kelvin), "kelvin": key_kelvin,
            "turn": float(rng.uniform(0, 6.28)),
            "balance": float(rng.uniform(0.55, 1.0)),
            "level": float(np.clip(rng.normal(0.86, 0.16), 0.35, 1.25))}


def _sample_polish(rng):
    finish = str(rng.choice(FINISHES, p=[.25, .18, .08, .1, .04, .1, .07, .05, .08, .05]))
    rgb = backdrop.colour(rng, (0.05, 1.0), (0.1, 1.0)).astype(float)
    if rng.random() < 0.35:  # reds, pinks, nudes: the most common ones
        rgb = backdrop.colour(rng, (0.35, 1.0), (0.15, 0.95), (-0.08, 0.06)).astype(float)
    two = backdrop.colour(rng, (0.6, 1.0), (0, 0.5)).astype(float)
    rough, metal, flakes, pattern, cover = 0.12, 0.0, 0.0, 0, 1.0
    if finish == "matte":
        rough = 0.55
    elif finish == "gloss":
        rough = 0.04
    elif finish == "metallic":
        rough, metal = 0.32, 0.85
    elif finish == "chrome":
        rough, metal = 0.06, 1.0
    elif finish == "glitter":
        flakes = float(rng.uniform(0.2, 0.7))
    elif finish == "shimmer":
        rough, metal, flakes = 0.25, 0.3, 0.12
    elif finish == "sheer":
        cover = 0.45
    elif finish == "french":
        pattern, two = 1, np.array([0.95, 0.94, 0.92])
        rgb, cover = np.array([0.90, 0.68, 0.64]), 0.95
    elif finish == "ombre":
        pattern = 2
    return {"finish": finish, "rgb": rgb ** 2.2, "two": two ** 2.2, "cover": cover,
            "kind": [rough, metal, flakes, float(pattern)]}


def _sample_nails(rng, lab, polished):
    bed = np.array([0.55 * lab[0] + 35 + rng.normal(0, 1.5),
                    0.35 * lab[1] + 13 + rng.normal(0, 1.8),
                    0.45 * lab[2] + 2 + rng.normal(0, 1.2)])
    lunula = bed + [6, -4.0, -0.5]
    edge = np.array([min(bed[0] + 12, 88), 2.5, bed[2] * 0.6 + 4])
    long_nails = rng.random() < (0.6 if polished else 0.2)
    shape = {"width": float(rng.uniform(1.0, 1.16)), "length": float(rng.uniform(1.0, 1.22)),
             "free": float(rng.uniform(*((0.002, 0.011) if long_nails else (-0.0004, 0.0016)))),
             "square": float(rng.uniform(0, 1)), "cuticle": float(rng.uniform(0.5, 1.1)),
             "arch": float(rng.uniform(0.9, 1.5)), "fold": float(rng.uniform(0.3, 1.2))}
    shapes = [dict(shape, length=shape["length"] * float(rng.uniform(0.95, 1.05)),
                   free=shape["free"] * float(rng.uniform(0.8, 1.2))) for _ in mesh.FINGERS]
    one = _sample_polish(rng)
    each = [one] * 5
    if rng.random() < 0.15:
        each = [_sample_polish(rng) for _ in range(5)]
    elif rng.random() < 0.15:
        each = list(each)
        each[3] = _sample_polish(rng)
    return {"bed": bed, "lunula": lunula, "edge": edge, "shapes": shapes,
            "polish": each if polished else None,
            "lunula_size": [float(rng.uniform(0.16, 0.34) * k) for k in (1.15, 1, 0.9, 0.75, 0.45)],
            "edge_start": float(rng.uniform(0.93, 1.03)), "rough": float(rng.uniform(0.07, 0.26))}


# -- view

def turn(axis, angle):
    c, s = np.cos(angle), np.sin(angle)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    m = np.eye(3)
    m[i, i], m[i, j], m[j, i], m[j, j] = c, -s, s, c
    return m


def sample_pose(rng, poses, rest, openness=0.7, fixed=None, together=0.0):
    if fixed:
        return pose.jitter(pose.together(poses[fixed], together), rng, 0.35), (fixed, fixed, 0.0)
    names = sorted(poses)
    a, b = (str(rng.choice(OPEN_POSES)) if rng.random() < openness else str(rng.choice(names))
            for _ in range(2))
    t = float(rng.choice([0.0, 1.0])) if rng.random() < 0.4 else float(rng.random())
    mixed = pose.blend(poses[a], poses[b], t, rest)
    return pose.jitter(mixed, rng, float(rng.uniform(0.2, 1.2))), (a, b, t)


def sample_view(rng, subject, poses, rest, aspect, palm=None, hands=None, close=None,
                openness=0.7, tilt=1.0, fill=None, fixed=None, together=0.0):
    """Where the hands are and where the camera is.

    `palm`: "away" (an open palm, nails hidden), "fist" (its back, nails hidden), "curled" (fingers
    bent over the palm, nails towards the camera) or "" (the back of the hand).
    `fixed`: the name of a pose to keep to; `together`: its fingers turned towards the middle one,
    radians.
    """
    if palm is None:
        palm = str(rng.choice(["away", "fist", "curled", ""], p=[0.09, 0.06, 0.20, 0.65]))
    count = hands or (2 if rng.random() < 0.15 else 1)
    close = bool(rng.random() < 0.6) if close is None else close
    first = str(rng.choice(["left", "right"]))
    placed = []
    for k in range(count):
        side = first if k == 0 else ("right" if first == "left" else "left")
        wanted = fixed
        if palm in ("curled", "fist"):
            wanted = wanted or str(rng.choice(CURLED_POSES if palm == "curled" else FIST_POSES))
        bones, names = sample_pose(rng, poses, rest, 1.0 if palm == "away" else openness, wanted,
                                   together)
        lean = np.array([rng.normal(0, 0.18), rng.normal(0, 0.22), 0]) * tilt
        heading = float(rng.normal(0, 0.5)) if count == 1 else float(rng.normal(0, 0.2))
        over = np.pi if palm in ("away", "curled") else 0.0
        spin = turn(2, heading) @ turn(1, lean[1] + over) @ turn(0, lean[0])
        shift = np.zeros(3)
        if count == 2:
            shift[0] = (0.075 if side == "right" else -0.075) * float(rng.uniform(0.9, 1.3))
            shift[1] = float(rng.normal(0, 0.02))
        placed.append({"side": side, "pose": bones, "pose_names": names, "spin": spin,
                       "shift": shift, "lift": abs(float(rng.normal(0, 0.008)))})
    angle = abs(float(rng.normal(0, 0.45))) if subject["mode"] == "desk" else abs(
        float(rng.normal(0, 0.25)))
    angle = min(angle, 1.1) * tilt
    azimuth = float(rng.normal(-np.pi / 2, 0.7))
    roll = float(rng.normal(0, 0.35)) if rng.random() < 0.7 else float(rng.uniform(-np.pi, np.pi))
    if fill is None:
        fill = float(rng.uniform(0.55, 1.0))
    view = {"hands": placed, "palm": palm, "angle": angle, "azimuth": azimuth, "roll": roll,
            "fov": float(np.radians(rng.uniform(30, 62))), "close": close, "fill": fill,
            "offset": rng.normal(0, 0.06, 2), "aspect": aspect}
    if close:
        view["nail_size"] = float(np.clip(0.075 * np.exp(rng.normal(0, 0.45)), 0.03, 0.24))
        view["pick"] = float(rng.random())
    return view


def to_world(placed):
    mirror = np.diag([1.0 if placed["side"] == "left" else -1.0, 1, 1])
    return placed["spin"] @ mirror @ _REST_TO_WORLD


def nails_facing(hand, view):
    """How directly each nail faces the camera: cosines, hand by hand, thumb to little finger."""
    away = towards_camera(view)
    out = []
    for placed in view["hands"]:
        mats = hand.skin_matrices(placed["pose"])[:, :3, :3]
        world = to_world(placed)
        for frame in hand.nail_frames:
            turned = world @ np.tensordot(frame["weights"], mats, 1) @ frame["frame"][:, 2]
            out.append(float(turned @ away))
    return np.array(out)


def towards_camera(view):
    a, b = view["angle"], view["azimuth"]
    return np.array([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)])
