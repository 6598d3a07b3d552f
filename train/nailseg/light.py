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

from .model import LITE0, LITE_EPS, LITE_STEM, Context, ConvBN, MBConv, NailNet, Res


class Stem(ConvBN):
    """A convolution of stride 4 over 6x6 pixels: a 3x3 of stride 2 over means of 2x2."""

    def __init__(self, cout):
        super().__init__(3, cout, 6, 4, act="relu6", eps=LITE_EPS, padding=2)


class Dense(Res):
    """Two 3x3 convolutions around a skip that, as in MBConv, may be negative."""

    def forward(self, x):
        return x + self.b(self.a(x))


def group(cin, n, k, stride, expand, c, dilation=1):
    """n blocks of c channels in a row, of which the first has the stride; the others' filters are
    dilated instead."""
    return [MBConv(c if i else cin, c, k, 1 if i else stride, expand, dilation if i else 1)
            for i in range(n)]


def stages(expand, late, kernel, deepest, deep_expand, refine):
    """LITE0 with a stem of stride 4: at 1/4, 1/8, 1/16 and 1/32, where `deepest` blocks of its last
    group, dilated instead of strided, follow as a further stage."""
    out, cin = [[Stem(LITE_STEM)]], LITE_STEM
    for n, k, stride, wide, c in LITE0[:-2] + ((late, kernel, *LITE0[-2][2:]),):
        if stride > 1:
            out.append([])
        out[-1] += group(cin, n, k, stride, min(wide, expand), c)
        cin = c
    if deepest:
        out.append(group(cin, deepest, kernel, 1, deep_expand, LITE0[-1][4], dilation=2))
    widths = [stage[-1].down.conv.out_channels for stage in out]
    for stage, width, count in zip(out, widths, refine):
        stage += [Dense(width) for _ in range(count)]
    return [nn.Sequential(*s) for s in out], widths


class LightNet(nn.Module):
    """expand: hidden channels per channel of a block; late: blocks of 112 channels; kernel: their
    filters' size and that of the deepest: blocks of 192 channels, with deep_expand; refine: dense
    blocks that end the stages at 1/4, 1/8 and so on; mix: the context block's expansion; decoder:
    channels at 1/4 .. 1/16, and at 1/32 if there are deepest blocks; detail: features at 1/4
    directly from the picture."""

    pretrained = True  # the stages start with learned weights: see optim.py

    def __init__(self, expand=6, late=3, kernel=5, deepest=1, deep_expand=3, refine=(), mix=1,
                 decoder=(12, 16, 32, 48), detail=20):
        super().__init__()
        body, widths = stages(expand, late, kernel, deepest, deep_expand, refine)
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


def copied(mine, theirs, keep=slice(None), inputs=slice(None)):
    """Copies some outputs and inputs of a ConvBN into another; of a larger kernel the centre."""
    weight, k = theirs.conv.weight.data, mine.conv.kernel_size[0]
    ring = (weight.shape[-1] - k) // 2
    mine.conv.weight.data.copy_(weight[keep][:, inputs, ring:ring + k, ring:ring + k])
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(mine.bn, name).data.copy_(getattr(theirs.bn, name).data[keep])


def strongest(layer, after, count):
    """The `count` outputs of a ConvBN with the largest weights [out,in,h,w] after it."""
    strength = after.transpose(0, 1).flatten(1).norm(dim=1) * layer.bn.weight.data.abs()
    return torch.argsort(strength, descending=True)[:count].sort().values


def alike(mine, theirs):
    """Copies a module's values into another if their shapes agree; otherwise those stay random."""
    values = theirs.state_dict()
    if all(tensor.shape == values[name].shape for name, tensor in mine.state_dict().items()):
        mine.load_state_dict(values)


def fill(mine, theirs):
    """Initialises one block from another network's, which may have more hidden channels and larger
    kernels."""
    if isinstance(mine, Stem) and not isinstance(theirs, Stem):
        mine.conv.weight.data.copy_(wider(theirs.conv.weight.data))
        mine.bn.load_state_dict(theirs.bn.state_dict())
    elif isinstance(mine, (ConvBN, Dense)):
        mine.load_state_dict(theirs.state_dict())
    else:
        keep = strongest(theirs.dw, theirs.down.conv.weight.data, mine.dw.conv.out_channels)
        if mine.up is not None:
            copied(mine.up, theirs.up, keep)
        copied(mine.dw, theirs.dw, keep)
        copied(mine.down, theirs.down, inputs=keep)


def begin_last(net, other):
    """Initialises the last step from another light network's, which may have more features."""
    weight, count = other.last.conv.weight.data, net.detail.conv.out_channels
    skip = weight.shape[1] - other.detail.conv.out_channels  # the decoder's come before them
    detail = strongest(other.detail, weight[:, skip:], count)
    last = strongest(other.last, other.correct.weight.data, count)
    copied(net.detail, other.detail, detail)
    copied(net.last, other.last, last, torch.cat((torch.arange(skip), skip + detail)))
    net.correct.weight.data.copy_(other.correct.weight.data[:, last])
    net.correct.bias.data.copy_(other.correct.bias.data)


def begin(net, other):
    """Initialises a network from a trained default or other light one: with whole blocks, or their
    strongest channels. Blocks that only this network has stay as they are, the others' are left."""
    for stage, theirs in zip(net.stages, other.stages):
        for mine, block in zip(stage, theirs):
            fill(mine, block)
    if net.context.pool.weight.shape == other.context.pool.weight.shape:
        net.context.pool.load_state_dict(other.context.pool.state_dict())
        fill(net.context.mix, other.context.mix)
    for part in ("side", "join"):
        for mine, theirs in zip(reversed(getattr(net, part)), reversed(getattr(other, part))):
            alike(mine, theirs)
    alike(net.head, other.head)
    if isinstance(other, LightNet):
        begin_last(net, other)


def make(kind="nail", **arguments):
    """The network that a config's [model] describes."""
    kinds = {"nail": NailNet, "light": LightNet}
    if kind not in kinds:
        raise SystemExit(f"unknown kind of network: '{kind}'; it is one of {', '.join(kinds)}")
    return kinds[kind](**arguments)
