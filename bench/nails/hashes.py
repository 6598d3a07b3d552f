"""Recognises a picture after scaling or recompression: a 256-bit difference hash.

The picture's brightness on 17 x 16 cells; a bit says whether a cell is brighter than its left
neighbour (N. Krawetz, "Kind of Like That", 2013). Copies differ by a few bits, other pictures by a
hundred.
"""
import cv2
import numpy as np

SIDE, SAME_MAX = 16, 40  # cells; number of bits in which a copy may differ


def of(image):
    """The hash of a grey or BGR picture as an integer."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    cells = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(int)
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def distance(a, b):
    return (a ^ b).bit_count()


def nearest(value, known):
    """The key of `known` {key: hash} that `value` is a copy of, or None."""
    key = min(known, key=lambda k: distance(value, known[k]), default=None)
    return key if key is not None and distance(value, known[key]) <= SAME_MAX else None
