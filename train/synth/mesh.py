"""The hand as a mesh: glTF in, subdivided skin, parametric nail plates and a forearm out.

Everything here happens in the rest pose, in metres, in the frame of the glTF: fingers along -z,
thumb along +y, palm along +x for the left hand (-x for the right one).
"""

import base64
import json
import os

import numpy as np

FINGERS = ("thumb", "index", "middle", "ring", "little")
SKIN, NAIL, ARM, SLEEVE = 0, 1, 2, 3
_OUTWARD = np.array([-1.0, 0.8, 0.0])  # away from the finger pads, in the rest pose
_DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class AssetError(ValueError):
    """A missing or invalid asset; the message is one line."""


def _load_gltf(path):
    try:
        with open(path, encoding="utf-8") as file:
            gltf = json.load(file)
        blob = base64.b64decode(gltf["buffers"][0]["uri"].split(",", 1)[1])
    except OSError as err:
        raise AssetError(f"cannot open hand '{path}': {err.strerror}") from err
    except (ValueError, KeyError, IndexError) as err:
        raise AssetError(f"cannot read hand '{path}': not an embedded glTF") from err

    def accessor(index):
        acc = gltf["accessors"][index]
        view = gltf["bufferViews"][acc["bufferView"]]
        width = _WIDTHS[acc["type"]]
        start = view.get("byteOffset", 0) + acc.get("byteOffset", 0)
        values = np.frombuffer(blob, _DTYPES[acc["componentType"]], acc["count"] * width, start)
        return values.reshape(acc["count"], width)

    return gltf, accessor


def _quat_matrix(quats):
    x, y, z, w = np.moveaxis(np.asarray(quats, np.float64), -1, 0)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
            2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
            2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]
    return np.stack(rows, -1).reshape(*x.shape, 3, 3)


def _edges(tris):
    """Unique undirected edges, and for every triangle the indices of its edges 01, 12, 20."""
    raw = np.sort(np.stack([tris, np.roll(tris, -1, 1)], -1).reshape(-1, 2), 1)
    edges, which = np.unique(raw, axis=0, return_inverse=True)
    return edges, which.reshape(-1, 3)


def _split(tris, which, n_verts):
    mid = which + n_verts
    return np.concatenate([
        np.stack([tris[:, 0], mid[:, 0], mid[:, 2]], 1),
        np.stack([tris[:, 1], mid[:, 1], mid[:, 0]], 1),
        np.stack([tris[:, 2], mid[:, 2], mid[:, 1]], 1),
        mid])


def _loop_step(values, tris):
    """One step of Loop subdivision of a closed surface; new edge points follow the old vertices."""
    n = len(values)
    edges, which = _edges(tris)
    opposite = np.zeros((len(edges), values.shape[1]))
    count = np.zeros(len(edges))
    for side in range(3):
        np.add.at(opposite, which[:, side], values[tris[:, (side + 2) % 3]])
        np.add.at(count, which[:, side], 1)
    ends = values[edges[:, 0]] + values[edges[:, 1]]
    points = np.where(count[:, None] == 2, ends * 0.375 + opposite * 0.125, ends * 0.5)
    ring = np.zeros_like(values)
    valence = np.zeros(n)
    for a, b in ((0, 1), (1, 0)):
        np.add.at(ring, edges[:, a], values[edges[:, b]])
        np.add.at(valence, edges[:, a], 1)
    valence = np.maximum(valence, 1)
    beta = (0.625 - (0.375 + 0.25 * np.cos(2 * np.pi / valence)) ** 2) / valence
    moved = values * (1 - valence * beta)[:, None] + ring * beta[:, None]
    return np.concatenate([moved, points]), _split(tris, which, n)


class Hand:
    """The left hand's rest geometry, shared by all frames; a right hand is its mirror image.

    Immutable after construction.
    """

    def __init__(self, folder, levels=2):
        gltf, accessor = _load_gltf(os.path.join(folder, "Hand_Nails_L.gltf"))
        self._read_skeleton(gltf, accessor)
        self._read_mesh(gltf, accessor, levels)

    # -- skeleton

    def _read_skeleton(self, gltf, accessor):
        skin = gltf["skins"][0]
        self.joints = skin["joints"]
        nodes = gltf["nodes"]
        self.bones = [nodes[j]["name"].rsplit("_", 1)[0] for j in self.joints]
        self.inverse_bind = accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4)
        self.inverse_bind = self.inverse_bind.transpose(0, 2, 1).astype(np.float64)
        parent = {c: i for i, n in enumerate(nodes) for c in n.get("children", ())}
        index = {j: i for i, j in enumerate(self.joints)}
        self.parent = [index.get(parent.get(j), -1) for j in self.joints]
        self.rest_rotation = {
            b: tuple(nodes[j].get("rotation", (0, 0, 0, 1)))
            for b, j in zip(self.bones, self.joints)}
        self.translation = np.array([nodes[j].get("translation", (0, 0, 0)) for j in self.joints])
        self.order = sorted(range(len(self.joints)), key=self._depth)

    def _depth(self, joint):
        depth = 0
        while self.parent[joint] >= 0:
            joint, depth = self.parent[joint], depth + 1
        return depth

    def skin_matrices(self, pose):
        """4x4 per joint. `pose` maps bone names to quaternions; absent bones rest."""
        quats = np.array([pose.get(b, self.rest_rotation[b]) for b in self.bones])
        local = np.zeros((len(quats), 4, 4))
        local[:, :3, :3] = _quat_matrix(quats)
        local[:, :3, 3] = self.translation
        local[:, 3, 3] = 1
        world = [None] * len(quats)
        for j in self.order:
            world[j] = local[j] if self.parent[j] < 0 else world[self.parent[j]] @ local[j]
        return np.array(world) @ self.inverse_bind

    # -- surface

    def _read_mesh(self, gltf, accessor, levels):
        prim = gltf["meshes"][0]["primitives"][0]
        attr = {k: accessor(i) for k, i in prim["attributes"].items()}
        tris = accessor(prim["indices"]).reshape(-1, 3).astype(np.int64)
        pos, uv = attr["POSITION"].astype(np.float64), attr["TEXCOORD_0"].astype(np.float64)
        weights = np.zeros((len(pos), len(self.joints)))
        for k in range(4):
            np.add.at(weights, (np.arange(len(pos)), attr["JOINTS_0"][:, k]),
                      attr["WEIGHTS_0"][:, k])
        in_island = ((uv[:, 0] > 0.47) & (uv[:, 1] < 0.28))[tris].all(1)
        self._nail_sources(pos, uv, weights, tris[in_island])
        self._subdivide(pos, uv, weights, tris[~in_island], levels)

    def _nail_sources(self, pos, uv, weights, tris):
        """The original low-poly plates: for each a local frame, a fitted surface and a UV map."""
        verts = np.unique(tris)
        self.nail_frames = []
        for finger in FINGERS:
            name = finger.capitalize()
            bones = [i for i, b in enumerate(self.bones) if b.startswith(name)]
            mine = verts[weights[verts][:, bones].sum(1) > 0.5]
            if len(mine) < 12:
                raise AssetError(f"cannot find the {finger} nail in the hand mesh")
            distal = self.bones.index(f"{name}_Distal")
            tip_dir = np.linalg.inv(self.inverse_bind[distal])[:3, 1]
            self.nail_frames.append(
                _fit_plate(pos[mine], uv[mine], weights[mine].mean(0), tip_dir))

    def _subdivide(self, pos, uv, weights, tris, levels):
        _, first, weld = np.unique(np.round(pos * 1e6).astype(np.int64), axis=0,
                                   return_index=True, return_inverse=True)
        weld = weld.ravel()
        used, ptri = np.unique(weld[tris], return_inverse=True)
        ptri = ptri.reshape(-1, 3)
        values = np.concatenate([pos[first[used]], weights[first[used]]], 1)
        uused, utri = np.unique(tris, return_inverse=True)
        utri, uvs = utri.reshape(-1, 3), uv[uused]
        self.coarse_tris = ptri
        for level in range(levels):
            edges, which = _edges(utri)
            utri, uvs = (_split(utri, which, len(uvs)),
                         np.concatenate([uvs, uvs[edges].mean(1)]))
            values, ptri = _loop_step(values, ptri)
            if level == 0:
                self.coarse_tris = ptri
        self.positions = values[:, :3]
        self.weights = values[:, 3:] / values[:, 3:].sum(1, keepdims=True)
        self.tris = ptri
        pairs = np.stack([ptri.ravel(), utri.ravel()], 1)
        unique, index = np.unique(pairs, axis=0, return_inverse=True)
        self.vert_of, self.uv = unique[:, 0], uvs[unique[:, 1]]
        self.draw_tris = index.reshape(-1, 3)


def _fit_plate(pos, uv, weights, tip_dir):
    """Frame (x across, y to the tip, z out of the nail) and z = quadratic(x, y)."""
    origin = pos.mean(0)
    normal = np.linalg.svd(pos - origin)[2][2]
    z = normal if normal @ _OUTWARD > 0 else -normal
    y = tip_dir - z * (tip_dir @ z)
    y /= np.linalg.norm(y)
    frame = np.stack([np.cross(y, z), y, z], 1)
    local = (pos - origin) @ frame
    lo, hi = local.min(0), local.max(0)
    origin = origin + frame @ np.array([(lo[0] + hi[0]) / 2, (lo[1] + hi[1]) / 2, 0])
    local = (pos - origin) @ frame
    a, b = local[:, 0], local[:, 1]
    terms = np.stack([np.ones_like(a), a, b, a * a, a * b, b * b], 1)
    coeffs = np.linalg.lstsq(terms, local[:, 2], rcond=None)[0]
    affine = np.linalg.lstsq(np.stack([np.ones_like(a), a, b], 1), uv, rcond=None)[0]
    return {"origin": origin, "frame": frame, "coeffs": coeffs, "affine": affine,
            "uv_lo": uv.min(0), "uv_hi": uv.max(0), "weights": weights / weights.sum(),
            "half_width": (hi[0] - lo[0]) / 2, "half_length": (hi[1] - lo[1]) / 2}


def _plate_height(frame, x, y, arch):
    c = frame["coeffs"]
    return c[0] + c[1] * x + c[2] * y + c[3] * arch * x * x + c[4] * x * y + c[5] * y * y


def build_plate(frame, shape):
    """A grid over one nail: returns dict of positions, normals, uv, st (across, along), tris.

    `shape`: width, length (factors), free (free edge beyond the pad, metres), square (0 pointed
    .. 1 square), cuticle (0 straight .. 1 round), arch (factor of the cross curvature).
    """
    nu, nv = 25, 33
    u = np.linspace(-1, 1, nu)[None, :].repeat(nv, 0)
    v = np.linspace(0, 1, nv)[:, None].repeat(nu, 1)
    half_w = frame["half_width"] * shape["width"]
    half_l = frame["half_length"] * shape["length"]
    base = half_l * 0.45 * shape["cuticle"] * (1 - np.sqrt(np.maximum(1 - 0.97 * u * u, 0)))
    power = 2.0 + 1.6 * shape["square"]
    round_off = (1 - np.abs(u) ** power) ** (1 / power) - 1
    bed = half_l * 0.82
    tip_y = bed + shape["free"] + (0.55 * half_w + 0.45 * max(shape["free"], 0)) * round_off * (
        1.25 - 0.8 * shape["square"])
    y = (-half_l + base) * (1 - v) + tip_y * v
    narrow = 1 - 0.10 * (1 - v) ** 2 - (0.05 + 0.25 * (1 - shape["square"]) * np.clip(
        shape["free"] / 0.006, 0, 1)) * v ** 2
    x = u * half_w * narrow
    lift = 0.00025 + 0.00015 * np.sin(np.pi * np.clip(v, 0, 1))
    beyond = np.maximum(y - bed, 0)
    z = _plate_height(frame, x, np.minimum(y, bed), shape["arch"]) + lift
    slope = frame["coeffs"][2] + 2 * frame["coeffs"][5] * bed
    z = z + slope * beyond - 8.0 * beyond ** 2
    local = np.stack([x, y, z], -1)
    du, dv = np.gradient(local, axis=1), np.gradient(local, axis=0)
    normal = np.cross(du, dv)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    # The rim: the grid's border repeated, lower by a plate's thickness, so that edges have a side.
    rim = np.r_[np.arange(nu) + nu * (nv - 1), (np.arange(nv) * nu)[::-1], np.arange(nu),
                np.arange(nv) * nu + nu - 1]
    top = local.reshape(-1, 3)
    lower = top[rim] - normal.reshape(-1, 3)[rim] * 0.0005
    outward = top[rim] * [1, 1, 0]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-12
    all_local = np.concatenate([top, top[rim], lower])
    all_normal = np.concatenate([normal.reshape(-1, 3), outward, outward])
    st = np.stack([u, np.where(y < bed, (y + half_l) / (bed + half_l),
                               1 + (y - bed) / (2 * half_l))], -1).reshape(-1, 2)
    st = np.concatenate([st, st[rim], st[rim]])
    flat = np.stack([np.ones(len(all_local)), all_local[:, 0], all_local[:, 1]], 1)
    uv = np.clip(flat @ frame["affine"], frame["uv_lo"], frame["uv_hi"])
    g = np.arange(nu * nv).reshape(nv, nu)
    a, b, c, d = g[:-1, :-1].ravel(), g[:-1, 1:].ravel(), g[1:, :-1].ravel(), g[1:, 1:].ravel()
    m, r0 = len(rim), len(top)
    k = np.arange(m - 1)
    tris = np.concatenate([
        np.stack([a, b, c], 1), np.stack([b, d, c], 1),
        np.stack([r0 + k, r0 + k + 1, r0 + m + k], 1),
        np.stack([r0 + k + 1, r0 + m + k + 1, r0 + m + k], 1)])
    to_rest = frame["frame"].T
    mid = nu // 2
    ends = np.array([local[0, mid], local[-1, mid], local[nv // 2, mid],
                     local[nv // 2, 0], local[nv // 2, -1]])
    return {"pos": frame["origin"] + all_local @ to_rest, "normal": all_normal @ to_rest,
            "uv": uv, "st": st, "tris": tris, "marks": frame["origin"] + ends @ to_rest}


def seat_plate(positions, frame, shape):
    """Presses the skin under a plate below it and raises a small fold around it. In place."""
    local = (positions - frame["origin"]) @ frame["frame"]
    half_w = frame["half_width"] * shape["width"]
    half_l = frame["half_length"] * shape["length"]
    reach = [half_w * 1.6, half_l * 1.6, 0.005]
    near = np.flatnonzero((np.abs(local) < reach).all(1))
    x, y, z = local[near].T
    height = _plate_height(frame, x, np.minimum(y, 0.82 * half_l), shape["arch"])
    r = np.sqrt((x / half_w) ** 2 + (np.minimum(y, 0) / half_l) ** 2)
    inside = np.clip((1.02 - r) / 0.12, 0, 1)
    limit = height - 0.0006
    z = np.where(inside > 0, np.minimum(z, limit * inside + z * (1 - inside)), z)
    fold = np.exp(-((r - 1.12) / 0.09) ** 2) * (y < 0.7 * half_l) * 0.0003
    moved = np.stack([x, y, z + fold * shape["fold"]], 1)
    positions[near] = frame["origin"] + moved @ frame["frame"].T


def build_arm(hand, start=0.002, length=0.36, sleeve=None):
    """A forearm swept from the slice of the rest skin at z = start. `sleeve`: metres, or None."""
    pos, tris = hand.positions, hand.tris
    side = pos[:, 2] > start
    crossing = tris[side[tris].any(1) & ~side[tris].all(1)]
    points = []
    for i, j in ((0, 1), (1, 2), (2, 0)):
        a, b = pos[crossing[:, i]], pos[crossing[:, j]]
        cut = (a[:, 2] > start) != (b[:, 2] > start)
        t = (start - a[cut, 2]) / (b[cut, 2] - a[cut, 2])
        points.append(a[cut] + (b[cut] - a[cut]) * t[:, None])
    points = np.concatenate(points)[:, :2]
    centre = (points.min(0) + points.max(0)) / 2
    angle = np.arctan2(*(points - centre).T[::-1])
    radius = np.linalg.norm(points - centre, axis=1)
    order = np.argsort(angle)
    n = 49
    theta = np.linspace(-np.pi, np.pi, n)
    radius = np.interp(theta, angle[order], radius[order], period=2 * np.pi)
    if sleeve is None:
        z = np.r_[0, 0.004, np.linspace(0.012, length, 16)]
        grow = 1 + 0.35 * (1 - np.exp(-z / 0.12)) - 0.004 * (z == 0)
    else:
        z = np.r_[sleeve, sleeve - 0.0005, sleeve - 0.0005, sleeve + 0.012,
                  np.linspace(sleeve + 0.02, length, 16)]
        grow = np.r_[1.02, 1.16, 1.24, 1.26, 1.26 + 0.3 * (1 - np.exp(-z[4:] / 0.12))]
    ring = radius[None, :, None] * np.stack([np.cos(theta), np.sin(theta)], -1)[None]
    xy = centre + ring * grow[:, None, None]
    out = np.concatenate([xy, np.broadcast_to((start + z)[:, None, None], (len(z), n, 1))], -1)
    g = np.arange(len(z) * n).reshape(len(z), n)
    a, b, c, d = g[:-1, :-1].ravel(), g[:-1, 1:].ravel(), g[1:, :-1].ravel(), g[1:, 1:].ravel()
    st = np.stack(np.broadcast_arrays(theta[None] / np.pi, z[:, None] * 30), -1).reshape(-1, 2)
    return {"pos": out.reshape(-1, 3), "st": st,
            "tris": np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])}


def vertex_normals(pos, tris):
    p = pos[tris]
    face = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    normal = np.stack([sum(np.bincount(tris[:, k], face[:, c], len(pos)) for k in range(3))
                       for c in range(3)], 1)
    return normal / (np.linalg.norm(normal, axis=1, keepdims=True) + 1e-20)
