"""Lacquer's synthetic hands: pictures with exact nail masks, for training and tests.

    from synth import Studio
    studio = Studio("path/to/hand3d-cc0")
    shot = studio.frame(seed=7)          # Shot: rgb, mask, ids, meta
    for shot in stream(seed=1): ...      # endless, each with its own index

The same seed gives the same picture on the same machine.
"""

from .studio import Shot, Studio, stream

__all__ = ["Shot", "Studio", "stream"]
