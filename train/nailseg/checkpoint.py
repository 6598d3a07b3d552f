"""Checkpoints: one file each, replaced whole, so that a stop at any moment leaves a good one."""
import os

import torch

from .model import NailNet


def save(path, state):
    """Writes beside, then renames over: a reader sees the old file or the new one."""
    part = path + ".part"
    torch.save(state, part)
    os.replace(part, path)


def load(path):
    """The saved state, tensors and plain values only."""
    return torch.load(path, map_location="cpu", weights_only=True)


def network(path, weights="ema"):
    """The trained network, ready to run: its averaged weights unless `weights` is 'model'."""
    state = load(path)
    net = NailNet(**state["config"]["model"])
    net.load_state_dict(state[weights])
    return net.eval()
