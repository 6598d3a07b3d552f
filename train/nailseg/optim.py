"""Muon for the convolutions' matrices, AdamW for everything else, as one optimiser.

Muon (K. Jordan, 2024) replaces a matrix's momentum by the nearest orthogonal matrix, computed by a
few Newton-Schulz steps. From random weights, 200 of its steps reach what AdamW reaches in about
400, with a tenth more arithmetic.
"""
import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonal(g, steps=5):
    """Roughly U V' of g = U S V': every singular value near 1."""
    a, b, c = NEWTON_SCHULZ
    tall = g.shape[0] > g.shape[1]
    x = ((g.T if tall else g) / (g.norm() + 1e-7)).bfloat16()
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * (s @ s)) @ x
    return (x.T if tall else x).float()


def groups(model, opt):
    """Matrices for Muon; other weights; biases and norms, which do not decay; and the stages that
    start with learned weights, which smaller steps of AdamW preserve."""
    muon, adam, flat, learned, learned_flat = [], [], [], [], []
    kept = {id(p) for p in model.stages.parameters()} if model.pretrained else set()
    for p in model.parameters():
        matrix = p.ndim == 4 and p.shape[0] > 1 and p.shape[1] > 3
        if id(p) in kept:
            (learned if p.ndim > 1 else learned_flat).append(p)
        else:
            (muon if matrix else adam if p.ndim > 1 else flat).append(p)
    decay = opt["weight_decay"]
    out = [{"params": muon, "muon": True, "base": opt["lr_muon"], "decay": decay},
           {"params": adam, "muon": False, "base": opt["lr"], "decay": decay},
           {"params": flat, "muon": False, "base": opt["lr"], "decay": 0.0},
           {"params": learned, "muon": False, "base": opt["lr_learned"], "decay": decay},
           {"params": learned_flat, "muon": False, "base": opt["lr_learned"], "decay": 0.0}]
    return [group for group in out if group["params"]]


class Mixed(torch.optim.Optimizer):
    """Each group's rate is its own `base` times `scale`, which the schedule sets before a step."""

    def __init__(self, model, opt):
        super().__init__(groups(model, opt), {"momentum": .95, "betas": (.9, .99)})
        self.scale = 1.0

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            rate = group["base"] * self.scale
            update = self.muon if group["muon"] else self.adam
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - rate * group["decay"])
                    p.add_(update(p, self.state[p], group), alpha=-rate)

    @staticmethod
    def muon(p, state, group):
        m = state.setdefault("momentum", torch.zeros_like(p))
        m.lerp_(p.grad, 1 - group["momentum"])
        u = orthogonal(p.grad.lerp(m, group["momentum"]).flatten(1))
        return u.reshape(p.shape) * max(1, u.shape[0] / u.shape[1]) ** .5

    @staticmethod
    def adam(p, state, group):
        if not state:
            state.update(n=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
        state["n"] += 1
        b1, b2 = group["betas"]
        state["mean"].lerp_(p.grad, 1 - b1)
        state["square"].lerp_(p.grad.square(), 1 - b2)
        mean = state["mean"] / (1 - b1 ** state["n"])
        return mean / ((state["square"] / (1 - b2 ** state["n"])).sqrt() + 1e-8)
