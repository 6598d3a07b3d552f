"""Reads hand poses out of Godot 4 binary resources (RSRC animations).

The format, as far as a hand pose needs it (little endian throughout):

    "RSRC"  u32 big_endian=0  u32 real64=0  u32 major  u32 minor  u32 format
    string type   u64 import_offset  u32 flags  u64 uid  u32 reserved[11]
    u32 n_names   string name[n]          property and node names, by index below
    u32 n_extern  {string type, string path, u64 uid}[n]
    u32 n_intern  {string path, u64 offset}[n]
    at each offset: string type, u32 n, {u32 name_index, variant}[n]

A string is a u32 byte count and that many bytes, the last of them zero. A rotation track's keys
are a float array of rows (time, transition, x, y, z, w).
"""

import struct


class PoseError(ValueError):
    """An invalid pose file; the message is one line."""


class _Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0
        self.names = []

    def take(self, fmt):
        fmt = "<" + fmt
        values = struct.unpack_from(fmt, self.data, self.at)
        self.at += struct.calcsize(fmt)
        return values if len(values) > 1 else values[0]

    def string(self, size=None):
        size = self.take("I") if size is None else size
        raw = self.data[self.at:self.at + size]
        if len(raw) < size:
            raise struct.error("string runs past the end")
        self.at += size
        return raw.rstrip(b"\0").decode()

    def name(self):
        index = self.take("I")
        if index & 0x80000000:
            return self.string(index & 0x7FFFFFFF)
        return self.names[index]

    def variant(self):
        kind = self.take("I")
        read = {
            1: lambda: None,
            2: lambda: bool(self.take("I")),
            3: lambda: self.take("i"),
            4: lambda: self.take("f"),
            5: self.string,
            14: lambda: self.take("4f"),
            22: self._node_path,
            26: self._dictionary,
            30: lambda: [self.variant() for _ in range(self.take("I") & 0x7FFFFFFF)],
            33: self._floats,
            40: lambda: self.take("q"),
            41: lambda: self.take("d"),
            44: self.string,
        }.get(kind)
        if read is None:
            raise PoseError(f"unknown variant type {kind}")
        return read()

    def _node_path(self):
        n_names, n_sub = self.take("HH")
        n_sub &= 0x7FFF
        names = [self.name() for _ in range(n_names)]
        return names, [self.name() for _ in range(n_sub)]

    def _dictionary(self):
        count = self.take("I") & 0x7FFFFFFF
        return {str(self.variant()): self.variant() for _ in range(count)}

    def _floats(self):
        count = self.take("I")
        values = struct.unpack_from(f"<{count}f", self.data, self.at)
        self.at += 4 * count
        return values


def _resource(data):
    r = _Reader(data)
    if data[:4] != b"RSRC":
        raise PoseError("not a Godot binary resource")
    r.at = 4
    big, real64, major, _minor, _format = r.take("5I")
    if big or real64 or major != 4:
        raise PoseError("not a little-endian Godot 4 resource")
    r.string()
    r.take("QIQ11I")
    r.names = [r.string() for _ in range(r.take("I"))]
    for _ in range(r.take("I")):
        r.string(), r.string(), r.take("Q")
    offsets = [(r.string(), r.take("Q"))[1] for _ in range(r.take("I"))]
    if not offsets:
        raise PoseError("holds no resource")
    r.at = offsets[-1]
    r.string()
    return {r.name(): r.variant() for _ in range(r.take("I"))}


def read_pose(path):
    """Returns {bone name without its _L/_R: (x, y, z, w)} of the first key of every track."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        props = _resource(data)
    except (struct.error, IndexError, UnicodeDecodeError) as err:
        raise PoseError(f"cannot read pose '{path}': damaged ({err})") from err
    except PoseError as err:
        raise PoseError(f"cannot read pose '{path}': {err}") from err
    pose = {}
    for key, value in props.items():
        if not (key.startswith("tracks/") and key.endswith("/path")):
            continue
        track = key.split("/")[1]
        keys = props.get(f"tracks/{track}/keys")
        if props.get(f"tracks/{track}/type") == "rotation_3d" and keys and len(keys) >= 6:
            pose[value[1][-1].rsplit("_", 1)[0]] = tuple(keys[2:6])
    if not pose:
        raise PoseError(f"cannot read pose '{path}': no rotation tracks")
    return pose
