"""Detects fingernails in pictures and video, and paints polish on them.

    painter = lacquer.Lacquer()
    result = painter.paint(rgb_array, "classic-french")

Arrays are uint8, height x width x 3 or 4. Several threads may use a Lacquer and its looks at once;
a Video takes one frame at a time. A process forked after a Lacquer was created must not use it.
"""
from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import queue
import threading
from typing import Any, Iterator, Mapping, Optional, Sequence, Union

import numpy as np

from . import _native
from ._version import __version__

__all__ = ["Error", "Lacquer", "Look", "Nail", "Result", "Video", "catalogue", "engines",
           "library_version"]

_library = _native.Library(_native.find())


class Error(Exception):
    """An error of liblacquer. `code` is LACQUER_ERR_… of include/lacquer.h."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text or _library.strerror(code).decode())
        self.code = code


def _checked(call: Any, *arguments: Any) -> None:
    """Calls a function whose last arguments are (error, error_size)."""
    text = ctypes.create_string_buffer(1024)
    code = call(*arguments, text, len(text))
    if code != 0:
        raise Error(code, text.value.decode(errors="replace"))


def library_version() -> str:
    return _library.version().decode()


def engines() -> dict[str, Optional[str]]:
    """Each engine by name, and why it cannot run here; None if it can."""
    found: dict[str, Optional[str]] = {}
    while (name := _library.engine_name(len(found))) is not None:
        try:
            _checked(_library.engine_probe, name)
            found[name.decode()] = None
        except Error as error:
            found[name.decode()] = str(error)
    return found


def catalogue(folder: Optional[Union[str, os.PathLike]] = None) -> dict[str, Any]:
    """All finishes, swatches, looks and patterns: the built-in ones and those of a folder
    (docs/LOOKS.md)."""
    handle = ctypes.c_void_p()
    _checked(_library.catalogue_open, ctypes.byref(handle),
             os.fsencode(folder) if folder else None)
    try:
        return json.loads(_library.catalogue_json(handle))
    finally:
        _library.catalogue_close(handle)


class Look:
    """A whole look: its name, or a mapping or JSON text as in docs/LOOKS.md."""

    def __init__(self, look: Union[str, bytes, Mapping[str, Any]],
                 folder: Optional[Union[str, os.PathLike]] = None) -> None:
        self._handle = ctypes.c_void_p()
        text = look if isinstance(look, (str, bytes)) else json.dumps(look)
        text = text.encode() if isinstance(text, str) else text
        names = ctypes.c_void_p()
        if folder is not None:
            _checked(_library.catalogue_open, ctypes.byref(names), os.fsencode(folder))
        try:
            _checked(_library.full_look_new, ctypes.byref(self._handle), text, len(text), names)
        finally:
            _library.catalogue_close(names)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            _library.full_look_free(self._handle)


LookLike = Union[Look, str, bytes, Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Nail:
    """One nail; lengths in pixels, y down."""
    id: int                            # stable within a video
    confidence: float                  # 0..1
    box: tuple[int, int, int, int]     # x, y, width, height of `alpha` in the picture
    center: tuple[float, float]
    axis: tuple[float, float]          # unit vector; points to the tip if tip_known
    length: float                      # along the axis
    width: float                       # across it
    area: int                          # pixels
    tip_known: bool
    tip_confidence: float              # 0..1
    curvature: float                   # radians over the length, clockwise
    finger: str                        # "unknown", "thumb", … "little"
    finger_confidence: tuple[float, ...]  # thumb first
    alpha: np.ndarray                  # coverage 0..255


@dataclasses.dataclass(frozen=True)
class Result:
    """The result for a picture."""
    width: int
    height: int
    nails: Sequence[Nail]
    image: Optional[np.ndarray]        # painted, in the type of the argument; None after detect()
    encoded: Optional[bytes]           # paint_file()
    propagated: bool                   # the nails are those of the last frame, propagated
    ms: dict[str, float]               # by stage, and "total"

    def mask(self) -> np.ndarray:
        """Coverage 0..255 of all nails, height x width."""
        mask = np.zeros((self.height, self.width), np.uint8)
        for nail in self.nails:
            x, y, width, height = nail.box
            part = mask[y:y + height, x:x + width]
            np.maximum(part, nail.alpha, out=part)
        return mask


def _nail(raw: _native.Nail) -> Nail:
    box = raw.box
    rows = np.ctypeslib.as_array(raw.alpha, (box.height, raw.alpha_stride)) if box.height else \
        np.zeros((0, 0), np.uint8)
    return Nail(raw.id, raw.confidence, (box.x, box.y, box.width, box.height),
                (raw.center_x, raw.center_y), (raw.axis_x, raw.axis_y), raw.length, raw.width,
                raw.area, bool(raw.tip_known), raw.tip_confidence, raw.curvature,
                _native.FINGERS[raw.finger], tuple(raw.finger_confidence),
                rows[:, :box.width].copy())


def _result(response: _native.Response, image: Optional[np.ndarray]) -> Result:
    ms = {name: response.stage_us[i] / 1000 for i, name in enumerate(_native.STAGES)}
    ms["total"] = response.total_us / 1000
    encoded = ctypes.string_at(response.bytes, response.bytes_len) if response.bytes else None
    return Result(response.width, response.height,
                  [_nail(response.nails[i]) for i in range(response.nail_count)], image, encoded,
                  bool(response.propagated), ms)


def _pixels(image: np.ndarray, pixel_format: str, copy: bool) -> np.ndarray:
    if pixel_format not in _native.PIXEL_FORMATS:
        raise ValueError(f"pixel_format is one of {', '.join(_native.PIXEL_FORMATS)}")
    channels = _native.PIXEL_FORMATS[pixel_format][1]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != channels:
        raise ValueError(f"{pixel_format} images are uint8, height x width x {channels}, "
                         f"not {image.dtype} {image.shape}")
    dense = image.strides[2] == 1 and image.strides[1] == channels and image.strides[0] > 0
    if copy or not dense:
        return np.array(image, order="C", copy=True)
    return image


class Lacquer:
    """An open model. Options are those of struct lacquer_options in include/lacquer.h."""

    def __init__(self, model: Optional[Union[str, os.PathLike]] = None, *,
                 engine: Optional[str] = None,
                 cache_dir: Optional[Union[str, os.PathLike]] = None, threads: int = 0,
                 precision: Optional[str] = None, tune: str = "latency",
                 check_model: bool = True, confidence_min: float = 0.0,
                 servers: Sequence[str] = (), server_model: Optional[str] = None,
                 fallback: Optional[str] = None, server_timeout: float = 0.0,
                 contexts: Optional[int] = None) -> None:
        """contexts: how many pictures are processed at a time, others wait; default: the cores."""
        def text(value: Optional[str]) -> Optional[bytes]:
            return value.encode() if value else None
        options = _native.Options(
            ctypes.sizeof(_native.Options), os.fsencode(model) if model else None, text(engine),
            os.fsencode(cache_dir) if cache_dir else None, threads, text(precision),
            _native.TUNES[tune], 0 if check_model else 1, confidence_min,
            text(",".join(servers)), text(server_model), text(fallback),
            int(server_timeout * 1000))
        self._first = ctypes.c_void_p()  # others are cloned from it; it processes none
        self._lock = threading.Lock()
        self._free: queue.LifoQueue[ctypes.c_void_p] = queue.LifoQueue()
        self._all: list[ctypes.c_void_p] = []
        self._most = contexts or os.cpu_count() or 1
        _checked(_library.open, ctypes.byref(self._first), ctypes.byref(options))

    def close(self) -> None:
        """Releases the model. No call may be in flight."""
        with self._lock:
            for context in self._all:
                _library.close(context)
            self._all.clear()
            self._free = queue.LifoQueue()
            _library.close(self._first)
            self._first = ctypes.c_void_p()

    def __enter__(self) -> "Lacquer":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_first", None):
            self.close()

    @contextlib.contextmanager
    def _context(self) -> Iterator[ctypes.c_void_p]:
        """A context that no other thread uses in the meantime."""
        context = self._take()
        try:
            yield context
        finally:
            self._free.put(context)

    def _take(self) -> ctypes.c_void_p:
        with contextlib.suppress(queue.Empty):
            return self._free.get_nowait()
        with self._lock:
            if not self._first:
                raise ValueError("this Lacquer was closed")
            if len(self._all) < self._most:
                context = ctypes.c_void_p()
                code = _library.share(ctypes.byref(context), self._first)
                if code != 0:
                    raise Error(code, _library.error(self._first).decode(errors="replace"))
                self._all.append(context)
                return context
        return self._free.get()

    def describe(self) -> dict[str, Any]:
        """{"version", "engine", "model", "head", "precision", "sizes"}."""
        text = ctypes.c_char_p()
        with self._context() as context:
            self._run(context, _library.describe, ctypes.byref(text))
            return json.loads(text.value or b"{}")

    @staticmethod
    def _run(context: ctypes.c_void_p, call: Any, *arguments: Any) -> None:
        code = call(context, *arguments)
        if code != 0:
            raise Error(code, _library.error(context).decode(errors="replace"))

    def paint(self, image: np.ndarray, look: LookLike, *, pixel_format: str = "rgb",
              multi_scale: bool = True, find_hands: bool = True, in_place: bool = False,
              timeout: float = 0.0) -> Result:
        """Paints a still. in_place: paints the array itself, if its rows allow it."""
        flags = _native.MULTI_SCALE * multi_scale | _native.FIND_HANDS * find_hands
        return self._pixels(image, look, pixel_format, flags, in_place, timeout)

    def detect(self, image: np.ndarray, *, pixel_format: str = "rgb", multi_scale: bool = True,
               find_hands: bool = True, timeout: float = 0.0) -> Result:
        """Detects a still's nails; the array is not changed."""
        flags = _native.MULTI_SCALE * multi_scale | _native.FIND_HANDS * find_hands
        return self._pixels(image, None, pixel_format, flags, False, timeout)

    def paint_file(self, data: bytes, look: LookLike, *, format: Optional[str] = None,
                   quality: int = 92, multi_scale: bool = True, find_hands: bool = True,
                   timeout: float = 0.0) -> Result:
        """Takes the bytes of a JPEG, PNG, WebP, AVIF or HEIC file; result.encoded is a painted
        file. format: "jpeg", "png", "webp"; None: that of the input."""
        flags = _native.MULTI_SCALE * multi_scale | _native.FIND_HANDS * find_hands
        whole = look if isinstance(look, Look) else Look(look)
        request = self._request(whole, flags, timeout)
        request.format, request.quality = _native.FORMATS[format], quality
        response = _native.Response(ctypes.sizeof(_native.Response))
        with self._context() as context:
            self._run(context, _library.process_file, ctypes.byref(request), data, len(data),
                      ctypes.byref(response))
            return _result(response, None)

    def video(self, *, find_hands: bool = True, smooth: bool = True,
              propagate: bool = False) -> "Video":
        return Video(self, find_hands=find_hands, smooth=smooth, propagate=propagate)

    @staticmethod
    def _request(look: Optional[Look], flags: int, timeout: float) -> _native.Request:
        return _native.Request(size=ctypes.sizeof(_native.Request),
                               full_look=look._handle if look else None, flags=flags,
                               timeout_ms=int(timeout * 1000))

    def _pixels(self, image: np.ndarray, look: Optional[LookLike], pixel_format: str, flags: int,
                in_place: bool, timeout: float, video: Optional[ctypes.c_void_p] = None,
                time_us: int = 0) -> Result:
        whole = look if look is None or isinstance(look, Look) else Look(look)
        # The pipeline converts BGR to RGB and back in place, so detection needs a copy too.
        pixels = _pixels(image, pixel_format, not in_place)
        request = self._request(whole, flags, timeout)
        request.video, request.time_us = video, time_us
        raw = _native.Image(pixels.ctypes.data, pixels.shape[1], pixels.shape[0],
                            pixels.strides[0], _native.PIXEL_FORMATS[pixel_format][0])
        response = _native.Response(ctypes.sizeof(_native.Response))
        with self._context() as context:
            self._run(context, _library.process_pixels, ctypes.byref(request), ctypes.byref(raw),
                      ctypes.byref(response))
            result = _result(response, pixels if look is not None else None)
        if in_place and pixels is not image and look is not None:
            image[...] = pixels
        return result


class Video:
    """State of one video: nails keep their ids, outlines are smoothed."""

    def __init__(self, painter: Lacquer, *, find_hands: bool = True, smooth: bool = True,
                 propagate: bool = False) -> None:
        self._painter = painter
        self._handle = ctypes.c_void_p()
        self._lock = threading.Lock()
        self._flags = (_native.FIND_HANDS * find_hands | _native.NO_SMOOTHING * (not smooth) |
                       _native.PROPAGATE * propagate)
        code = _library.video_new(ctypes.byref(self._handle))
        if code != 0:
            raise Error(code, "")

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            _library.video_free(self._handle)

    def reset(self) -> None:
        """Call after a cut: the next frame starts a new track."""
        with self._lock:
            _library.video_reset(self._handle)

    def paint(self, frame: np.ndarray, look: LookLike, *, time: float, pixel_format: str = "rgb",
              in_place: bool = False) -> Result:
        """time: seconds of any clock that does not run backwards."""
        with self._lock:
            return self._painter._pixels(frame, look, pixel_format, self._flags, in_place, 0.0,
                                         self._handle, int(time * 1e6))

    def detect(self, frame: np.ndarray, *, time: float, pixel_format: str = "rgb") -> Result:
        with self._lock:
            return self._painter._pixels(frame, None, pixel_format, self._flags, False, 0.0,
                                         self._handle, int(time * 1e6))
