"""The segmentation network: a compact encoder-decoder, fully convolutional.

Input is RGB in 0..1, with any height and width that are multiples of 32; output is one logit per
pixel at half the input's resolution. The encoder's block is chosen by name, so that candidates
differ in one word of the config; `fuse` folds every batch norm (and every parallel branch) into
plain convolutions, so that the exported network contains nothing that only training needs.
"""
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

HALF_FROM = 64  # in files, weights with fewer values stay float32
ACTIVATIONS = {None: lambda x: x, "relu": partial(F.relu, inplace=True),
               "relu6": partial(F.relu6, inplace=True)}


class ConvBN(nn.Module):
    """Convolution, batch norm and an activation; `fuse` leaves one convolution with a bias."""

    def __init__(self, cin, cout, k=3, stride=1, groups=1, act="relu", zero=False, eps=1e-5,
                 padding=None, dilation=1):
        super().__init__()
        padding = dilation * (k // 2) if padding is None else padding
        self.conv = nn.Conv2d(cin, cout, k, stride, padding, dilation, groups, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=eps)
        self.act = act
        if zero:
            nn.init.zeros_(self.bn.weight)

    def forward(self, x):
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        return ACTIVATIONS[self.act](x)

    def fuse(self):
        if self.bn is None:
            return
        w, b = folded(self.conv.weight, self.bn)
        conv = nn.Conv2d(self.conv.in_channels, self.conv.out_channels, self.conv.kernel_size,
                         self.conv.stride, self.conv.padding, self.conv.dilation,
                         self.conv.groups)
        conv.weight.data.copy_(w)
        conv.bias.data.copy_(b)
        self.conv, self.bn = conv, None


def folded(weight, bn):
    """A bias-free convolution's weight and bias after its batch norm is folded in."""
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return weight * scale.reshape(-1, 1, 1, 1), bn.bias - bn.running_mean * scale


class Res(nn.Module):
    """Two 3x3 convolutions around a skip: dense arithmetic, which CPUs run near their peak."""

    def __init__(self, c):
        super().__init__()
        self.a = ConvBN(c, c)
        self.b = ConvBN(c, c, act=None, zero=True)

    def forward(self, x):
        return F.relu(x + self.b(self.a(x)), inplace=True)


class Partial(nn.Module):
    """A 3x3 over a quarter of the channels, then a 1x1 expand and project around a skip."""

    def __init__(self, c, expand=2):
        super().__init__()
        self.part = c // 4
        self.mix = nn.Conv2d(self.part, self.part, 3, padding=1, bias=False)
        self.up = ConvBN(c, c * expand, 1)
        self.down = ConvBN(c * expand, c, 1, act=None, zero=True)

    def forward(self, x):
        y = torch.cat((self.mix(x[:, :self.part]), x[:, self.part:]), 1)
        return x + self.down(self.up(y))


class Inverted(nn.Module):
    """Expand, depthwise 5x5, project around a skip."""

    def __init__(self, c, expand=3, k=5, dilation=1):
        super().__init__()
        self.up = ConvBN(c, c * expand, 1)
        self.dw = ConvBN(c * expand, c * expand, k, groups=c * expand, dilation=dilation)
        self.down = ConvBN(c * expand, c, 1, act=None, zero=True)

    def forward(self, x):
        return x + self.down(self.dw(self.up(x)))


class MBConv(nn.Module):
    """EfficientNet-Lite's block: expand, depthwise, project, ReLU6; a skip if shapes allow."""

    def __init__(self, cin, cout, k, stride, expand, dilation=1):
        super().__init__()
        mid, eps = cin * expand, LITE_EPS
        self.skip = stride == 1 and cin == cout
        self.up = ConvBN(cin, mid, 1, act="relu6", eps=eps) if expand > 1 else None
        self.dw = ConvBN(mid, mid, k, stride, groups=mid, act="relu6", eps=eps, dilation=dilation)
        self.down = ConvBN(mid, cout, 1, act=None, eps=eps)

    def forward(self, x):
        y = self.down(self.dw(self.up(x) if self.up is not None else x))
        return x + y if self.skip else y


# EfficientNet-Lite0 (M. Tan and others, 2020): (blocks, kernel, stride, expansion, channels),
# without the last group. Starting from its weights learned on photos saves most of the training.
LITE0 = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
         (4, 5, 2, 6, 192))
LITE_STEM, LITE_EPS = 32, 1e-3


def lite_stages(deepest, limit=6):
    """EfficientNet-Lite0 up to `deepest` blocks at 1/32: ([stage], [channels per stage]). limit:
    maximum expansion of a block."""
    stages = [[ConvBN(3, LITE_STEM, 3, 2, act="relu6", eps=LITE_EPS)]]
    cin, widths = LITE_STEM, []
    for n, k, stride, expand, c in LITE0[:-1] + ((deepest, *LITE0[-1][1:]),):
        if stride > 1:
            widths.append(cin)
            stages.append([])
        for i in range(n):
            stages[-1].append(MBConv(cin, c, k, stride if i == 0 else 1, min(expand, limit)))
            cin = c
    return [nn.Sequential(*s) for s in stages], widths + [cin]


def res_stages(widths, depths, blocks):
    """Five stages, each a strided convolution and some of the named blocks."""
    stages, cin = [], 3
    for i, (c, d) in enumerate(zip(widths, depths)):
        body = [ConvBN(cin, c, 5 if i == 0 else 3, 2)] + [BLOCKS[blocks[i]](c) for _ in range(d)]
        stages.append(nn.Sequential(*body))
        cin = c
    return stages


class Rep(nn.Module):
    """3x3, 1x1 and identity branches during training, one 3x3 once fused."""

    def __init__(self, c):
        super().__init__()
        self.c3 = ConvBN(c, c, act=None)
        self.c1 = ConvBN(c, c, 1, act=None)
        self.id = nn.BatchNorm2d(c)

    def forward(self, x):
        if self.id is None:
            return F.relu(self.c3(x), inplace=True)
        return F.relu(self.c3(x) + self.c1(x) + self.id(x), inplace=True)

    def fuse(self):
        if self.id is None:
            return
        self.c3.fuse()
        self.c1.fuse()
        w = self.c3.conv.weight.data
        c = w.shape[0]
        eye = torch.eye(c).reshape(c, c, 1, 1)
        wi, bi = folded(eye, self.id)
        w[:, :, 1:2, 1:2] += self.c1.conv.weight.data + wi
        self.c3.conv.bias.data += self.c1.conv.bias.data + bi
        self.c1 = self.id = None


class Context(nn.Module):
    """Adds context from the whole picture and from wide neighbourhoods to the deepest features.

    Dilated 3x3s cover a wide area at no extra cost; the pooled branch covers everything. A nail is
    distinguished from a key or a palm by its surroundings, not by local texture alone.
    """

    def __init__(self, c, expand=2, dilation=1):
        super().__init__()
        self.pool = nn.Conv2d(c, c, 1)
        self.mix = Inverted(c, expand, 5, dilation)

    def forward(self, x):
        g = x.mean((2, 3), keepdim=True)
        x = x * torch.sigmoid(self.pool(g))
        return self.mix(x)


BLOCKS = {"res": Res, "partial": Partial, "inverted": Inverted, "rep": Rep}


class NailNet(nn.Module):
    """Five encoder resolutions (1/2 .. 1/32) and a decoder with one 3x3 per step back up to 1/2."""

    def __init__(self, decoder=(16, 24, 32, 64), lite=0, expand=6,
                 widths=(16, 32, 64, 96, 128), depths=(0, 1, 2, 3, 2), blocks=("res",) * 5):
        super().__init__()
        self.pretrained = lite > 0  # pretrained.py has weights for its stages
        if lite:
            stages, widths = lite_stages(lite, expand)
        else:
            stages = res_stages(widths, depths, blocks)
        self.stages = nn.ModuleList(stages)
        cin = widths[-1]
        self.context = Context(cin)
        self.side, self.join = nn.ModuleList(), nn.ModuleList()
        for c, skip in reversed(list(zip(decoder, widths[:-1]))):
            self.side.append(ConvBN(cin, c, 1, act=None))
            self.join.append(ConvBN(c + skip, c))
            cin = c
        self.head = nn.Conv2d(cin, 1, 1)
        nn.init.constant_(self.head.bias, -3.0)

    def forward(self, x):
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        x = self.context(skips.pop())
        for side, join in zip(self.side, self.join):
            x = F.interpolate(side(x), scale_factor=2, mode="nearest")
            x = join(torch.cat((x, skips.pop()), 1))
        return self.head(x)

    def freeze(self, count):
        """Freezes the first `count` stages, including statistics: low-level features learned on
        photos are as good, and the most expensive gradients are saved."""
        for i, stage in enumerate(self.stages):
            stage.train(i >= count)
            for p in stage.parameters():
                p.requires_grad = i >= count

    def fuse(self):
        """Folds what only training needs; the network computes the same afterwards."""
        for m in reversed(list(self.modules())):
            if m is not self and hasattr(m, "fuse"):
                m.fuse()
        return self
