"""Builds a sampled scene: vertex arrays, camera, lights and uniforms for gpu.Renderer."""

import numpy as np

from . import backdrop, mesh, skin
from .gpu import N_BOXES, N_LIGHTS
from .scene import nails_facing, to_world, towards_camera, turn


def posed_hand(hand, subject, placed):
    """World-space geometry of one hand before it is placed on the desk."""
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


def assemble(hand, subject, view, textures, pinned=None):
    """Everything that Renderer.draw() needs, and `marks`: five world points of every nail plate.

    `pinned`: the camera of an earlier call, to keep it fixed during a video.
    """
    pieces, marks, skins = [], [], []
    for k, placed in enumerate(view["hands"]):
        parts = posed_hand(hand, subject, placed)
        world = to_world(placed)
        flip = placed["side"] == "right"
        centre = parts["skin"].mean(0)
        floor = ((parts["skin"] - centre) @ world.T)[:, 2].min()
        shift = placed["shift"] + [0, 0, placed["lift"] - floor]
        move = lambda p: (p - centre) @ world.T + shift
        pieces += _pieces(hand, parts, move, world, flip, k)
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


def _pieces(hand, parts, move, world, flip, k):
    ident = 8 * k
    pos = move(parts["skin"])
    normals = mesh.vertex_normals(pos, hand.tris) * (-1 if flip else 1)
    v = hand.vert_of
    n = len(v)
    along_arm = np.stack([np.zeros(n), hand.positions[v, 2]], 1)
    out = [(pos[v], normals[v], hand.uv, along_arm, mesh.SKIN, ident + 6, hand.draw_tris,
            pos, hand.coarse_tris)]
    turn_normal = np.linalg.inv(world)
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
    away = towards_camera(view)
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
    """Frames nails of a given size around the picture's middle, as in close-ups."""
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
    """Frames the whole hand, filling a given share of the picture."""
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
    rng = np.random.default_rng(12345)  # the pattern of samples, equal in every picture
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
    # The camera's own white balance removes most of the light's colour, but not all of it.
    cast = (rgbs * np.maximum(dirs @ facing, 0)[:, None]).sum(0) / white
    correction = cast ** -light["balance"]
    rgbs, rgb, sky = rgbs * correction, rgb * correction, sky * correction
    exposure = light["level"] * (0.38 / albedo) ** 0.35 / white
    ground = sky * 0.3 + 0.0
    if subject["mode"] == "desk":
        ground = backdrop.mean_linear(subject["backdrop"]) * rgbs.sum(0) * 0.35
    scene.update({
        "light_spread": np.array(spread), "light_dir": dirs, "light_rgb": rgbs,
        "box_basis": np.swapaxes(basis, 1, 2),
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
    """The light's uniforms must exist already."""
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
