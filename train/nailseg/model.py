"""The segmentation network: a compact encoder-decoder, fully convolutional.

Input is RGB in 0..1, any height and width that are multiples of 32; output is one logit a pixel at
half the input's resolution. The encoder's block is chosen by name so that candidates differ in one
word of the config; `fuse` folds every batch norm (and every parallel branch) into plain
convolutions, so that what is exported holds nothing that only training needs.
"""
import torch
import torch.nn.functional as F
from torch import nn


class ConvBN(nn.Module):
    """Convolution, batch norm and an optional ReLU; `fuse` leaves one convolution with a bias."""

    def __init__(self, cin, cout, k=3, stride=1, groups=1, act=True, zero=False):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout)
        self.act = act
        if zero:
            nn.init.zeros_(self.bn.weight)

    def forward(self, x):
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        return F.relu(x, inplace=True) if self.act else x

    def fuse(self):
        if self.bn is None:
            return
        w, b = folded(self.conv.weight, self.bn)
        conv = nn.Conv2d(self.conv.in_channels, self.conv.out_channels, self.conv.kernel_size,
                         self.conv.stride, self.conv.padding, groups=self.conv.groups)
        conv.weight.data.copy_(w)
        conv.bias.data.copy_(b)
        self.conv, self.bn = conv, None


def folded(weight, bn):
    """A bias-free convolution's weight and bias once its batch norm is multiplied in."""
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return weight * scale.reshape(-1, 1, 1, 1), bn.bias - bn.running_mean * scale


class Res(nn.Module):
    """Two 3x3 convolutions around a skip: dense arithmetic, which CPUs run near their peak."""

    def __init__(self, c):
        super().__init__()
        self.a = ConvBN(c, c)
        self.b = ConvBN(c, c, act=False, zero=True)

    def forward(self, x):
        return F.relu(x + self.b(self.a(x)), inplace=True)


class Partial(nn.Module):
    """A 3x3 over a quarter of the channels, then a 1x1 expand and project around a skip."""

    def __init__(self, c, expand=2):
        super().__init__()
        self.part = c // 4
        self.mix = nn.Conv2d(self.part, self.part, 3, padding=1, bias=False)
        self.up = ConvBN(c, c * expand, 1)
        self.down = ConvBN(c * expand, c, 1, act=False, zero=True)

    def forward(self, x):
        y = torch.cat((self.mix(x[:, :self.part]), x[:, self.part:]), 1)
        return x + self.down(self.up(y))


class Inverted(nn.Module):
    """Expand, depthwise 5x5, project around a skip."""

    def __init__(self, c, expand=3, k=5):
        super().__init__()
        self.up = ConvBN(c, c * expand, 1)
        self.dw = ConvBN(c * expand, c * expand, k, groups=c * expand)
        self.down = ConvBN(c * expand, c, 1, act=False, zero=True)

    def forward(self, x):
        return x + self.down(self.dw(self.up(x)))


class Rep(nn.Module):
    """3x3, 1x1 and identity branches while training, one 3x3 once fused."""

    def __init__(self, c):
        super().__init__()
        self.c3 = ConvBN(c, c, act=False)
        self.c1 = ConvBN(c, c, 1, act=False)
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
    """What the whole picture and wide neighbourhoods say, added to the deepest features.

    Dilated 3x3s reach far at no extra cost; the pooled branch sees everything. A nail is told from
    a key or a palm by what surrounds it, which local texture alone cannot tell.
    """

    def __init__(self, c):
        super().__init__()
        self.pool = nn.Conv2d(c, c, 1)
        self.mix = Inverted(c, 2, 5)

    def forward(self, x):
        g = x.mean((2, 3), keepdim=True)
        x = x * torch.sigmoid(self.pool(g))
        return self.mix(x)


BLOCKS = {"res": Res, "partial": Partial, "inverted": Inverted, "rep": Rep}


class NailNet(nn.Module):
    """Five encoder resolutions (1/2 .. 1/32) and a decoder of one 3x3 a step back up to 1/2."""

    def __init__(self, widths=(16, 32, 64, 96, 128), depths=(0, 1, 2, 3, 2),
                 decoder=(16, 24, 32, 64), blocks=("res",) * 5):
        super().__init__()
        self.stages = nn.ModuleList()
        cin = 3
        for i, (c, d) in enumerate(zip(widths, depths)):
            k = 5 if i == 0 else 3
            body = [ConvBN(cin, c, k, 2)] + [BLOCKS[blocks[i]](c) for _ in range(d)]
            self.stages.append(nn.Sequential(*body))
            cin = c
        self.context = Context(cin)
        self.side, self.join = nn.ModuleList(), nn.ModuleList()
        for c, skip in reversed(list(zip(decoder, widths[:-1]))):
            self.side.append(ConvBN(cin, c, 1, act=False))
            self.join.append(ConvBN(c + skip, c))
            cin = c
        self.head = nn.Conv2d(cin, 1, 3, padding=1)
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

    def fuse(self):
        """Folds what only training needs; the network computes the same afterwards."""
        for m in reversed(list(self.modules())):
            if m is not self and hasattr(m, "fuse"):
                m.fuse()
        return self
