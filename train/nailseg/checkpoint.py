"""Checkpoints: one file each, replaced atomically, so that an interruption always leaves a good
one.

A .pt file contains the whole state of a run. A .weights file, small enough to keep beside the
exported model, contains only the averaged weights and batch-norm statistics as a numpy archive,
from which a later run can start. Its convolutions are float16; values per channel stay float32.
"""
import json
import os
import pickle

import numpy as np
import torch

from .light import make

PACKED = ".weights"


def save(path, state):
    """Writes a temporary file and renames it: a reader sees the old file or the new one."""
    part = path + ".part"
    torch.save(state, part)
    os.replace(part, path)


def load(path):
    """The saved state, tensors and plain values only."""
    try:
        if str(path).endswith(PACKED):
            return unpack(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as e:
        raise SystemExit(f"cannot read checkpoint: '{path}': {str(e).splitlines()[0]}") from e


def pack(path, state):
    """Writes the averaged weights of a state."""
    arrays = {}
    for name, tensor in state["ema"].items():
        array = tensor.detach().numpy()
        arrays["ema/" + name] = array.astype(np.float16) if array.ndim > 1 else array
    about = {"model": state["config"]["model"], "ema_steps": state["ema_steps"],
             "images": state.get("images", 0), "minutes": round(state.get("seconds", 0) / 60, 1)}
    part = path + ".part"
    with open(part, "wb") as f:
        np.savez_compressed(f, about=np.array(json.dumps(about)), **arrays)
    os.replace(part, path)


def unpack(path):
    """A state without optimiser and elapsed time; its weights are the averaged ones."""
    with np.load(path, allow_pickle=False) as archive:
        about = json.loads(str(archive["about"]))
        ema = {name[len("ema/"):]: torch.from_numpy(
            array.astype(np.float32) if array.dtype == np.float16 else array)
            for name, array in archive.items() if name.startswith("ema/")}
    return {"config": {"model": about["model"]}, "ema": ema, "ema_steps": about["ema_steps"],
            "images": about["images"], "seconds": 60 * about["minutes"],
            "model": {name: tensor.clone() for name, tensor in ema.items()}}


def network(path, weights="ema"):
    """The trained network, ready to run: its averaged weights unless `weights` is 'model'."""
    state = load(path)
    net = make(**state["config"]["model"])
    net.load_state_dict(state[weights])
    return net.eval()
