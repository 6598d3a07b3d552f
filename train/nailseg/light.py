"""The light network for devices: the default one at half the resolution, with a fine last step.

WebAssembly runs convolutions several times slower than native code, and the first stages, at half
the picture's resolution, take most of the time. So the first convolution here has stride 4 instead
of the default's 2, and everything after it processes a quarter of the pixels; the features at 1/32
in the default would be at 1/64 and are computed at 1/32 instead, with dilated filters. A few
features directly from the picture then refine the outline: a cell of 4x4 pixels yields its four
points at half the resolution (pixel shuffle). Input and output are those of NailNet.

`begin` initialises it from a trained default network: before any training step, its result is
nearly that of the default for a picture of half the size.
"""
import torch
import torch.nn.functional as F
from torch import nn

from .model import LITE0, LITE_EPS, LITE_STEM, Context, ConvBN, MBConv, NailNet


class Stem(ConvBN):
    """A convolution of stride 4 over 6x6 pixels: a 3x3 of stride 2 over means of 2x2."""

    def __init__(self, cout):
        super().__init__(3, cout, 6, 4, act="relu6", eps=LITE_EPS, padding=2)


def stages(expand, deepest, deep_expand):
    """LITE0 with a stem of stride 4: at 1/4, 1/8, 1/16 and 1/32, where `deepest` blocks of its last
    group, dilated instead of strided, follow as a further stage."""
    out, cin, widths = [[Stem(LITE_STEM)]], LITE_STEM, []
    for n, k, stride, wide, c in LITE0[:-1]:
        if stride > 1:
            widths.append(cin)
            out.append([])
        for i in range(n):
            out[-1].append(MBConv(cin, c, k, stride if i == 0 else 1, min(wide, expand)))
            cin = c
    widths.append(cin)
    if deepest:
        k, c = LITE0[-1][1], LITE0[-1][4]
        out.append([MBConv(cin if i == 0 else c, c, k, 1, deep_expand, dilation=1 + (i > 0))
                    for i in range(deepest)])
        widths.append(c)
    return [nn.Sequential(*s) for s in out], widths


class LightNet(nn.Module):
    """expand: hidden channels per channel of a block; deepest: blocks of 192 channels, with
    deep_expand; mix: the context block's expansion; decoder: channels at 1/4 .. 1/16, and at 1/32
    if there are deepest blocks; detail: features at 1/4 directly from the picture."""

    pretrained = True  # the stages start with learned weights: see optim.py

    def __init__(self, expand=6, deepest=1, deep_expand=3, mix=1, decoder=(12, 16, 32, 48),
                 detail=20):
        super().__init__()
        body, widths = stages(expand, deepest, deep_expand)
        self.stages = nn.ModuleList(body)
        self.context = Context(widths[-1], mix, dilation=2 if deepest else 1)
        self.deep = deepest > 0
        cin, self.side, self.join = widths[-1], nn.ModuleList(), nn.ModuleList()
        for c, skip in reversed(list(zip(decoder, widths[:-1]))):
            self.side.append(ConvBN(cin, c, 1, act=None))
            self.join.append(ConvBN(c + skip, c))
            cin = c
        self.head = nn.Conv2d(cin, 1, 1)
        self.detail = ConvBN(3, detail, 6, 4, padding=1)
        self.last = ConvBN(cin + detail, detail)
        self.correct = nn.Conv2d(detail, 4, 1)  # one channel for each of four points at 1/2
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, image):
        x, skips = image, []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        x = self.context(skips.pop())
        for i, (side, join) in enumerate(zip(self.side, self.join)):
            x = side(x)
            if i > 0 or not self.deep:  # the two deepest have the same resolution
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = join(torch.cat((x, skips.pop()), 1))
        coarse = F.interpolate(self.head(x), scale_factor=2, mode="bilinear")
        fine = self.last(torch.cat((x, self.detail(image)), 1))
        return coarse + F.pixel_shuffle(self.correct(fine), 2)

    def freeze(self, count):
        """As NailNet.freeze."""
        for i, stage in enumerate(self.stages):
            stage.train(i >= count)
            for p in stage.parameters():
                p.requires_grad = i >= count

    def fuse(self):
        """As NailNet.fuse."""
        for m in list(self.modules()):
            if isinstance(m, ConvBN):
                m.fuse()
        return self


def wider(kernel):
    """A 3x3 kernel's weights for means of 2x2 pixels: 6x6."""
    return kernel.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4


def copied(mine, theirs, keep=slice(None), by=0):
    """Copies a ConvBN's values into another; `keep` selects outputs (by 0) or inputs (by 1)."""
    weight = theirs.conv.weight.data
    mine.conv.weight.data.copy_(weight[keep] if by == 0 else weight[:, keep])
    for name in ("weight", "bias", "running_mean", "running_var"):
        value = getattr(theirs.bn, name).data
        getattr(mine.bn, name).data.copy_(value[keep] if by == 0 else value)


def strongest(block, count):
    """The `count` hidden channels of a block with the largest weights towards its output."""
    out = block.down.conv.weight.data.flatten(1).norm(dim=0)
    scale = block.dw.bn.weight.data.abs()
    return torch.argsort(out * scale, descending=True)[:count].sort().values


def alike(mine, theirs):
    """Copies a module's values into another if their shapes agree; otherwise those stay random."""
    values = theirs.state_dict()
    if all(tensor.shape == values[name].shape for name, tensor in mine.state_dict().items()):
        mine.load_state_dict(values)


def fill(mine, theirs):
    """Initialises one block from the default's, which may have more hidden channels."""
    if isinstance(mine, Stem):
        mine.conv.weight.data.copy_(wider(theirs.conv.weight.data))
        mine.bn.load_state_dict(theirs.bn.state_dict())
    elif isinstance(mine, ConvBN):
        mine.load_state_dict(theirs.state_dict())
    else:
        keep = strongest(theirs, mine.dw.conv.out_channels)
        if mine.up is not None:
            copied(mine.up, theirs.up, keep)
        copied(mine.dw, theirs.dw, keep)
        copied(mine.down, theirs.down, keep, by=1)


def begin(net, default):
    """Initialises a network from a trained default one: with whole blocks, or their strongest
    channels."""
    for mine, theirs in zip((b for stage in net.stages for b in stage),
                            (b for stage in default.stages for b in stage)):
        fill(mine, theirs)
    if net.context.pool.weight.shape == default.context.pool.weight.shape:
        net.context.pool.load_state_dict(default.context.pool.state_dict())
        fill(net.context.mix, default.context.mix)
    for part in ("side", "join"):
        for mine, theirs in zip(reversed(getattr(net, part)), reversed(getattr(default, part))):
            alike(mine, theirs)
    alike(net.head, default.head)


def make(kind="nail", **arguments):
    """The network that a config's [model] describes."""
    kinds = {"nail": NailNet, "light": LightNet}
    if kind not in kinds:
        raise SystemExit(f"unknown kind of network: '{kind}'; it is one of {', '.join(kinds)}")
    return kinds[kind](**arguments)
