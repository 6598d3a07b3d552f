"""One network from several that were trained from the same initial weights: the weighted mean of
their weights.

M. Wortsman and others, "Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time", ICML 2022. It costs nothing at run time; it works if
the networks share their initial weights and are therefore in the same basin of the loss.
"""
from . import checkpoint


def mean(states, shares):
    """The first state with the averaged weights of all, which must have the same architecture."""
    shapes = [{name: tensor.shape for name, tensor in state["ema"].items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise SystemExit("cannot average: the checkpoints hold different networks")
    total = sum(shares)
    ema = {name: sum(share / total * state["ema"][name] for state, share in zip(states, shares))
           if tensor.dtype.is_floating_point else tensor
           for name, tensor in states[0]["ema"].items()}
    return {**states[0], "ema": ema}


def main(args):
    shares, paths = zip(*args.parts)
    state = mean([checkpoint.load(path) for path in paths], shares)
    if args.out.endswith(checkpoint.PACKED):
        checkpoint.pack(args.out, state)
    else:
        checkpoint.save(args.out, state)
    return 0
