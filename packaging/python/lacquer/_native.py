"""include/lacquer.h in ctypes: only the structs and prototypes of liblacquer.so.0."""
from __future__ import annotations

import ctypes
import os
import pathlib
from ctypes import (CFUNCTYPE, POINTER, Structure, c_char_p, c_float, c_int, c_int64, c_size_t,
                    c_uint, c_uint8, c_uint32, c_uint64, c_void_p)

FINGERS = ("unknown", "thumb", "index", "middle", "ring", "little")
STAGES = ("decode", "prepare", "infer", "nails", "paint", "encode")
PIXEL_FORMATS = {"rgb": (0, 3), "rgba": (1, 4), "bgr": (2, 3), "bgra": (3, 4)}
FORMATS = {None: 0, "jpeg": 1, "png": 2, "webp": 3}
TUNES = {"latency": 0, "throughput": 1}
MULTI_SCALE, FIND_HANDS, NO_SMOOTHING, PROPAGATE, SHRINK = 1, 2, 4, 8, 16


class Options(Structure):
    _fields_ = [("size", c_size_t), ("model", c_char_p), ("engine", c_char_p),
                ("cache_dir", c_char_p), ("threads", c_int), ("precision", c_char_p),
                ("tune", c_int), ("check", c_int), ("confidence_min", c_float),
                ("servers", c_char_p), ("server_model", c_char_p), ("fallback", c_char_p),
                ("server_timeout_ms", c_int)]


class Box(Structure):
    _fields_ = [("x", c_int), ("y", c_int), ("width", c_int), ("height", c_int)]


class Nail(Structure):
    _fields_ = [("id", c_int), ("confidence", c_float), ("box", Box),
                ("center_x", c_float), ("center_y", c_float),
                ("axis_x", c_float), ("axis_y", c_float), ("length", c_float),
                ("width", c_float), ("alpha", POINTER(c_uint8)), ("alpha_stride", c_size_t),
                ("area", c_int64), ("tip_known", c_int), ("tip_confidence", c_float),
                ("curvature", c_float), ("finger", c_int), ("finger_confidence", c_float * 5),
                ("reserved", c_uint32 * 6)]


class Request(Structure):
    _fields_ = [("size", c_size_t), ("look", c_void_p), ("full_look", c_void_p),
                ("video", c_void_p), ("time_us", c_uint64), ("flags", c_uint), ("format", c_int),
                ("quality", c_int), ("timeout_ms", c_int)]


class Response(Structure):
    _fields_ = [("size", c_size_t), ("width", c_int), ("height", c_int), ("nail_count", c_int),
                ("nails", POINTER(Nail)), ("bytes", POINTER(c_uint8)), ("bytes_len", c_size_t),
                ("format", c_int), ("passes", c_int), ("propagated", c_int),
                ("stage_us", c_uint32 * 6), ("total_us", c_uint32)]


class Image(Structure):
    _fields_ = [("pixels", c_void_p), ("width", c_int), ("height", c_int), ("stride", c_size_t),
                ("format", c_int)]


LOG = CFUNCTYPE(None, c_void_p, c_int, c_char_p)
_ERROR = (c_char_p, c_size_t)
_PROTOTYPES = {
    "version": (c_char_p,),
    "strerror": (c_char_p, c_int),
    "open": (c_int, POINTER(c_void_p), POINTER(Options), *_ERROR),
    "share": (c_int, POINTER(c_void_p), c_void_p),
    "close": (None, c_void_p),
    "error": (c_char_p, c_void_p),
    "describe": (c_int, c_void_p, POINTER(c_char_p)),
    "engine_name": (c_char_p, c_int),
    "engine_probe": (c_int, c_char_p, *_ERROR),
    "catalogue_open": (c_int, POINTER(c_void_p), c_char_p, *_ERROR),
    "catalogue_close": (None, c_void_p),
    "catalogue_json": (c_char_p, c_void_p),
    "full_look_new": (c_int, POINTER(c_void_p), c_char_p, c_size_t, c_void_p, *_ERROR),
    "full_look_free": (None, c_void_p),
    "video_new": (c_int, POINTER(c_void_p)),
    "video_free": (None, c_void_p),
    "video_reset": (None, c_void_p),
    "process_pixels": (c_int, c_void_p, POINTER(Request), POINTER(Image), POINTER(Response)),
    "process_file": (c_int, c_void_p, POINTER(Request), c_char_p, c_size_t, POINTER(Response)),
    "set_log": (None, LOG, c_void_p),
}


class Library:
    """The functions of liblacquer without their prefix. ctypes releases the GIL around each."""

    def __init__(self, path: str) -> None:
        loaded = ctypes.CDLL(path)
        for name, (result, *arguments) in _PROTOTYPES.items():
            function = getattr(loaded, f"lacquer_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)


def find() -> str:
    """$LACQUER_LIBRARY, otherwise the library in this package, otherwise the system's."""
    named = os.environ.get("LACQUER_LIBRARY")
    bundled = sorted(pathlib.Path(__file__).parent.glob("_lib/lib/**/liblacquer.so.0"))
    return named or (str(bundled[0]) if bundled else "liblacquer.so.0")
