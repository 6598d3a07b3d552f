"""What a picture shows, as numbers: sampled from a seed, then assembled for the renderer.

sample_subject() draws what stays the same through a video (skin, nails, light, desk);
sample_view() draws where the hands are and how the camera looks at them. assemble() turns both
into vertex arrays and uniforms. World: z up from the desk, fingers of an unturned hand along +y.
"""

import numpy as np

from . import backdrop, mesh, pose, skin
from .gpu import N_BOXES, N_LIGHTS

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
    subject["skin"] = {"bump": float(rng.uniform(0.25, 0.6)), "gloss": float(rng.uniform(0.7, 1.15)),
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
                      "rgb": kelvin(key_kelvin if k == 0 else fill_kelvin) * rng.uniform(0.92, 1.08, 3)})
    return {"up": up, "boxes": boxes, "sky_share": float(rng.uniform(0.25, 1.1)),
            "sky_rgb": kelvin(fill_kelvin), "kelvin": key_kelvin, "turn": float(rng.uniform(0, 6.28)),
            "balance": float(rng.uniform(0.55, 1.0)),
            "level": float(np.clip(rng.normal(0.86, 0.16), 0.35, 1.25))}


def _sample_polish(rng):
    finish = str(rng.choice(FINISHES, p=[.25, .18, .08, .1, .04, .1, .07, .05, .08, .05]))
    rgb = backdrop.colour(rng, (0.05, 1.0), (0.1, 1.0)).astype(float)
    if rng.random() < 0.35:  # reds, pinks, nudes: what is worn most
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
    bed = np.array([0.55 * lab[0] + 35 + rng.normal(0, 1.5), 0.35 * lab[1] + 13 + rng.normal(0, 1.8),
                    0.45 * lab[2] + 2 + rng.normal(0, 1.2)])
    lunula = bed + [6, -4.0, -0.5]
    edge = np.array([min(bed[0] + 12, 88), 2.5, bed[2] * 0.6 + 4])
    long_nails = rng.random() < (0.6 if polished else 0.2)
    shape = {"width": float(rng.uniform(1.0, 1.16)), "length": float(rng.uniform(1.0, 1.22)),
             "free": float(rng.uniform(0.002, 0.011) if long_nails else rng.uniform(-0.0004, 0.0016)),
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


def sample_pose(rng, poses, rest, openness=0.7, fixed=None):
    if fixed:
        return pose.jitter(poses[fixed], rng, 0.35), (fixed, fixed, 0.0)
    names = sorted(poses)
    pick = lambda: str(rng.choice(OPEN_POSES)) if rng.random() < openness else str(rng.choice(names))
    a, b = pick(), pick()
    t = float(rng.choice([0.0, 1.0])) if rng.random() < 0.4 else float(rng.random())
    mixed = pose.blend(poses[a], poses[b], t, rest)
    return pose.jitter(mixed, rng, float(rng.uniform(0.2, 1.2))), (a, b, t)


def sample_view(rng, subject, poses, rest, aspect, palm=None, hands=None, close=None,
                openness=0.7, tilt=1.0, fill=None, fixed=None):
    """Where the hands are and where the camera is.

    `palm`: "away" (an open palm, nails hidden), "fist" (its back, nails hidden), "curled" (fingers
    bent over the palm, nails towards the camera) or "" (the back of the hand). `fixed`: the name of a pose to keep to.
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
        bones, names = sample_pose(rng, poses, rest, 1.0 if palm == "away" else openness, wanted)
        lean = np.array([rng.normal(0, 0.18), rng.normal(0, 0.22), 0]) * tilt
        heading = float(rng.normal(0, 0.5)) if count == 1 else float(rng.normal(0, 0.2))
        spin = turn(2, heading) @ turn(1, lean[1] + (np.pi if palm in ("away", "curled") else 0)) @ turn(0, lean[0])
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


def nails_facing(hand, view):
    """How squarely each nail faces the camera: cosines, hand by hand, thumb to little finger."""
    away = _towards_camera(view)
    out = []
    for placed in view["hands"]:
        mats = hand.skin_matrices(placed["pose"])[:, :3, :3]
        to_world = _to_world(placed)
        for frame in hand.nail_frames:
            turned = to_world @ np.tensordot(frame["weights"], mats, 1) @ frame["frame"][:, 2]
            out.append(float(turned @ away))
    return np.array(out)


def _towards_camera(view):
    a, b = view["angle"], view["azimuth"]
    return np.array([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)])


# -- assembly

def posed_hand(hand, subject, placed):
    """World-space geometry of one hand before it is seated on the desk."""
    shapes = subject["nails"]["shapes"]
    rest = hand.positions.copy()
    for frame, shape in zip(hand.nail_frames, shapes):
        mesh.seat_plate(rest, frame, shape)
    mats = hand.skin_matrices(placed["pose"])
    blended = np.tensordot(hand.weights, mats[:, :3], 1)
    skin_pos = np.einsum("nij,nj->ni", blended[:, :, :3], rest) + blended[:, :, 3]
    parts = {"skin": skin_pos, "plates": []}
    for frame, shape in zip(hand.nail_frames, shapes):
        plate = mesh.build_plate(frame, shape)
        m = np.tensordot(frame["weights"], mats[:, :3], 1)
        plate["pos"] = plate["pos"] @ m[:, :3].T + m[:, 3]
        plate["marks"] = plate["marks"] @ m[:, :3].T + m[:, 3]
        plate["normal"] = plate["normal"] @ np.linalg.inv(m[:, :3])
        parts["plates"].append(plate)
    wrist = mats[hand.bones.index("Wrist")]
    pieces = [("bare", mesh.build_arm(hand))]
    if subject["sleeve"] is not None:
        pieces.append(("sleeve", mesh.build_arm(hand, sleeve=subject["sleeve"])))
    for name, arm in pieces:
        arm["pos"] = arm["pos"] @ wrist[:3, :3].T + wrist[:3, 3]
        parts[name] = arm
    return parts


def _to_world(placed):
    mirror = np.diag([1.0 if placed["side"] == "left" else -1.0, 1, 1])
    return placed["spin"] @ mirror @ _REST_TO_WORLD


def assemble(hand, subject, view, textures, pinned=None):
    """Everything Renderer.draw() wants, and `marks`: five world points of every nail plate.

    `pinned`: the camera of an earlier call, to keep it still through a video.
    """
    pieces, marks, skins = [], [], []
    for k, placed in enumerate(view["hands"]):
        parts = posed_hand(hand, subject, placed)
        to_world = _to_world(placed)
        flip = placed["side"] == "right"
        centre = parts["skin"].mean(0)
        floor = ((parts["skin"] - centre) @ to_world.T)[:, 2].min()
        shift = placed["shift"] + [0, 0, placed["lift"] - floor]
        move = lambda p: (p - centre) @ to_world.T + shift
        pieces += _pieces(hand, parts, move, to_world, flip, k)
        marks += [move(p["marks"]) for p in parts["plates"]]
        skins.append(move(parts["skin"]))
    scene = {"geometry": _join(pieces), "marks": np.array(marks)}
    solid = np.concatenate(skins)
    low, high = solid.min(0), solid.max(0)
    scene["centre"] = (low + high) / 2
    scene["facing"] = nails_facing(hand, view)
    scene["radius"] = float(np.linalg.norm(solid - scene["centre"], axis=1).max() * 1.5)
    _place_camera(scene, view, solid, pinned)
    _place_light(scene, subject, view)
    scene["textures"] = dict(textures, desk=subject["backdrop"])
    _set_materials(scene, subject)
    scene["uniforms"]["arm_rgb"] = _arm_colour(hand, textures["skin_tex"])
    return scene


def _arm_colour(hand, texture):
    at = hand.uv[np.abs(hand.positions[hand.vert_of, 2] + 0.004) < 0.012]
    size = texture.shape[0]
    pixels = texture[np.clip((at[:, 1] * size).astype(int), 0, size - 1),
                     np.clip((at[:, 0] * size).astype(int), 0, size - 1)] / 255.0
    return tuple((pixels * pixels * (pixels * 0.3 + 0.7)).mean(0))


def _pieces(hand, parts, move, to_world, flip, k):
    ident = 8 * k
    pos = move(parts["skin"])
    normals = mesh.vertex_normals(pos, hand.tris) * (-1 if flip else 1)
    v = hand.vert_of
    n = len(v)
    along_arm = np.stack([np.zeros(n), hand.positions[v, 2]], 1)
    out = [(pos[v], normals[v], hand.uv, along_arm, mesh.SKIN, ident + 6, hand.draw_tris,
            pos, hand.coarse_tris)]
    turn_normal = np.linalg.inv(to_world)
    for finger, plate in enumerate(parts["plates"]):
        p = move(plate["pos"])
        m = plate["normal"] @ turn_normal
        m /= np.linalg.norm(m, axis=1, keepdims=True)
        out.append((p, m, plate["uv"], plate["st"], mesh.NAIL, ident + finger + 1, plate["tris"],
                    p, plate["tris"]))
    for name, mat, part in (("bare", mesh.ARM, 6), ("sleeve", mesh.SLEEVE, 7)):
        if name in parts:
            arm = parts[name]
            p = move(arm["pos"])
            m = _outward(mesh.vertex_normals(p, arm["tris"]), p)
            uv = np.stack([0.2 + 0.1 * arm["st"][:, 0], 0.05 + 0.02 * arm["st"][:, 1] % 0.1], 1)
            out.append((p, m, uv, arm["st"], mat, ident + part, arm["tris"], p, arm["tris"]))
    return out


def _outward(normals, pos):
    ring = 49
    middle = pos.reshape(-1, ring, 3).mean(1, keepdims=True)
    away = (pos.reshape(-1, ring, 3) - middle).reshape(-1, 3)
    sign = np.sign((normals * away).sum())
    normals = normals.reshape(-1, ring, 3).copy()
    seam = normals[:, 0] + normals[:, -1]
    normals[:, 0] = normals[:, -1] = seam / (np.linalg.norm(seam, axis=1, keepdims=True) + 1e-12)
    return normals.reshape(-1, 3) * sign


def _join(pieces):
    vertices, tris, shadow_pos, shadow_tris = [], [], [], []
    n = m = 0
    for pos, normal, uv, st, mat, ident, index, low, low_index in pieces:
        one = np.ones((len(pos), 1))
        vertices.append(np.concatenate([pos, normal, uv, st, one * mat, one * ident], 1))
        tris.append(index + n)
        shadow_pos.append(low)
        shadow_tris.append(low_index + m)
        n += len(pos)
        m += len(low)
    return {"vertices": np.concatenate(vertices), "tris": np.concatenate(tris),
            "shadow_pos": np.concatenate(shadow_pos), "shadow_tris": np.concatenate(shadow_tris)}


def _look_at(eye, target, up):
    z = eye - target
    z /= np.linalg.norm(z)
    x = np.cross(up, z)
    x /= np.linalg.norm(x)
    rot = np.stack([x, np.cross(z, x), z])
    m = np.eye(4)
    m[:3, :3], m[:3, 3] = rot, -rot @ eye
    return m


def _perspective(fov, aspect, near, far):
    """`fov` spans the longer side."""
    f = 1 / np.tan(fov / 2)
    fx, fy = (f, f * aspect) if aspect >= 1 else (f / aspect, f)
    return np.array([[fx, 0, 0, 0], [0, fy, 0, 0],
                     [0, 0, (far + near) / (near - far), 2 * far * near / (near - far)],
                     [0, 0, -1, 0]])


def project(view_proj, points, size):
    """Pixels (x right, y down) of world points."""
    p = np.c_[points, np.ones(len(points))] @ view_proj.T
    ndc = p[:, :2] / p[:, 3:]
    return np.stack([(ndc[:, 0] + 1) / 2 * size[0], (1 - ndc[:, 1]) / 2 * size[1]], 1)


def _place_camera(scene, view, solid, pinned):
    if pinned:
        scene.update(pinned)
        return
    points = np.concatenate([solid[::7], scene["marks"].reshape(-1, 3)])
    away = _towards_camera(view)
    up = turn(2, view["roll"]) @ np.array([0, 1.0, 0])
    proj = _perspective(view["fov"], view["aspect"], 0.02, 4.0)
    if view["close"]:
        target, distance = _frame_nails(scene, view, proj, away, up)
    else:
        target, distance = _frame_hand(view, points, proj, away, up)
    eye = target + away * distance
    look = _look_at(eye, target, up)
    scene["view_proj"] = proj @ look
    scene["view_ray"] = np.linalg.inv(scene["view_proj"])
    scene["eye"] = eye


def _frame_nails(scene, view, proj, away, up):
    """Nails of a wanted size around the picture's middle: as people photograph them."""
    seen = scene["marks"][scene["facing"] > 0.2]
    seen = seen if len(seen) else scene["marks"].reshape(-1, 5, 3)
    length = np.linalg.norm(seen[:, 1] - seen[:, 0], axis=1).mean()
    distance = max(length * proj.diagonal()[:2].min() / (2 * view["nail_size"]), 0.07)
    target = seen[:, 2].mean(0)
    if view["nail_size"] > 0.14:
        target = seen[int(view["pick"] * len(seen)), 2]
    look = _look_at(target + away * distance, target, up)
    nudge = view["offset"] * 2 * distance / np.diag(proj)[:2]
    return target + look[0, :3] * nudge[0] + look[1, :3] * nudge[1], distance


def _frame_hand(view, points, proj, away, up):
    """The whole hand, filling a wanted share of the picture."""
    target, distance = (points.min(0) + points.max(0)) / 2, 0.4
    for _ in range(8):
        look = _look_at(target + away * distance, target, up)
        ndc = project(proj @ look, points, (2, 2)) - 1
        low, high = ndc.min(0), ndc.max(0)
        shift = (low + high) / 2
        reach = distance / np.array([proj[0, 0], proj[1, 1]])
        target = target + look[0, :3] * shift[0] * reach[0] - look[1, :3] * shift[1] * reach[1]
        distance = float(np.clip(distance * ((high - low).max() / 2 / view["fill"]), 0.07, 1.5))
    slack = np.maximum(0.0, 0.98 - (high - low) / 2)
    nudge = np.clip(view["offset"] * 2, -slack, slack) * distance / np.diag(proj)[:2]
    return target + look[0, :3] * nudge[0] + look[1, :3] * nudge[1], distance


def _place_light(scene, subject, view):
    light = subject["light"]
    rng = np.random.default_rng(12345)  # the pattern of samples, the same in every picture
    spin = turn(2, light["turn"]) if subject["mode"] == "desk" else np.eye(3)
    up = spin @ light["up"] if subject["mode"] == "desk" else light["up"]
    if subject["mode"] == "desk":
        up = np.array([0, 0, 1.0])
    shares = np.array([b["share"] for b in light["boxes"]])
    shares = shares / shares.sum()
    counts = _allot(shares, N_LIGHTS - 6)
    dirs, rgbs = [], []
    n = len(light["boxes"])
    basis, rgb, shape = np.zeros((N_BOXES, 3, 3)), np.zeros((N_BOXES, 3)), np.zeros((N_BOXES, 3))
    shape[:, :2] = 0.01
    basis[:] = np.eye(3)
    for k in range(n):
        box = light["boxes"][k]
        m = spin @ box["basis"]
        solid = 4 * box["half"].prod() / (1 + (box["half"] ** 2).sum()) ** 0.75
        energy = box["rgb"] * shares[k]
        basis[k], rgb[k] = m, energy * np.pi / solid
        shape[k] = [*box["half"], box["soft"]]
        for i in range(counts[k]):
            at = (np.array([(i + 0.5) / counts[k], (i * 0.618 + 0.3) % 1]) * 2 - 1) * box["half"]
            d = m @ np.array([at[0], at[1], 1])
            dirs.append(d / np.linalg.norm(d))
            rgbs.append(energy / counts[k])
    sky = light["sky_rgb"] * light["sky_share"]
    left = N_LIGHTS - len(dirs)
    for i in range(left):
        h = 0.15 + 0.8 * (i + 0.5) / left
        t = i * 2.399963 + rng.uniform(0, 0.3)
        side = np.cross(up, [0.31, 0.52, 0.79])
        side /= np.linalg.norm(side)
        other = np.cross(up, side)
        dirs.append(h * up + np.sqrt(1 - h * h) * (np.cos(t) * side + np.sin(t) * other))
        rgbs.append(sky * 2 / left)
    spread = [5.0] * (N_LIGHTS - left) + [16.0] * left
    dirs, rgbs = np.array(dirs), np.array(rgbs)
    facing = np.array([0, 0, 1.0])
    white = (rgbs * np.maximum(dirs @ facing, 0)[:, None]).sum(0).mean()
    albedo = skin.lab_to_linear(subject["skin_lab"][None])[0].mean()
    # The camera's own white balance takes out most of the light's colour, not all of it.
    cast = (rgbs * np.maximum(dirs @ facing, 0)[:, None]).sum(0) / white
    correction = cast ** -light["balance"]
    rgbs, rgb, sky = rgbs * correction, rgb * correction, sky * correction
    exposure = light["level"] * (0.38 / albedo) ** 0.35 / white
    ground = sky * 0.3 + 0.0
    if subject["mode"] == "desk":
        ground = backdrop.mean_linear(subject["backdrop"]) * rgbs.sum(0) * 0.35
    scene.update({
        "light_spread": np.array(spread), "light_dir": dirs, "light_rgb": rgbs, "box_basis": np.swapaxes(basis, 1, 2),
        "light_basis": np.stack([_frame_of(d) for d in dirs]), "box_rgb": rgb, "box_shape": shape})
    scene["uniforms"] = {
        "eye": tuple(scene["eye"]), "up": tuple(up), "sky_rgb": tuple(sky),
        "ground_rgb": tuple(ground), "exposure": float(exposure),
        "on_desk": int(subject["mode"] == "desk"), "desk_map": tuple(subject["desk_map"]),
        "desk_gloss": subject["desk_gloss"],
        "back_gain": tuple(rgbs.sum(0) * 0.8)}


def _allot(shares, total):
    counts = np.maximum(1, np.floor(shares * total).astype(int))
    while counts.sum() > total:
        counts[counts.argmax()] -= 1
    counts[0] += total - counts.sum()
    return counts


def _frame_of(towards):
    right = np.cross(towards, [0.11, 0.93, 0.35])
    right /= np.linalg.norm(right)
    # Rows here are columns of the shader's matrix.
    return np.stack([right, np.cross(towards, right), towards])


def _set_materials(scene, subject):
    """Needs the light's uniforms to be there already."""
    nails, look = subject["nails"], subject["skin"]
    bed, lunula, edge = skin.lab_to_linear([nails["bed"], nails["lunula"], nails["edge"]])
    polish, kinds, two = [(0, 0, 0, 0)] * 5, [(0.1, 0, 0, 0)] * 5, (1.0, 1.0, 1.0)
    if nails["polish"]:
        polish = [(*p["rgb"], p["cover"]) for p in nails["polish"]]
        kinds = [tuple(p["kind"]) for p in nails["polish"]]
        two = tuple(nails["polish"][0]["two"])
    scene["uniforms"].update({
        "bump": look["bump"], "skin_gloss": look["gloss"], "skin_scatter": look["scatter"],
        "bed_rgb": tuple(bed), "lunula_rgb": tuple(lunula), "edge_rgb": tuple(edge),
        "lunula_size": nails["lunula_size"], "edge_start": nails["edge_start"],
        "nail_rough": nails["rough"], "polish": polish, "polish_kind": kinds, "polish_two": two,
        "sleeve_rgb": tuple(subject["sleeve_rgb"])})
