"""IF and WHILE, whose bodies are other graphs of the file."""
import numpy as np
import pytest

import compare
from cases import SAME, random
from tflite_builder import Builder

FLOAT_MAX = 1e-4


def convolution(b, x, shape, seed=1):
    y = b.tensor([*shape[:3], 3])
    b.op("CONV_2D", [x, b.constant(random(3, 3, 3, 3, seed=seed)), b.constant(random(3))], [y],
         "Conv2DOptions", padding=SAME, strideH=1, strideW=1)
    return y


def branch(b, shape, seed, add=False):
    number = b.add_graph()
    x = b.tensor(shape)
    y = convolution(b, x, shape, seed)
    if add:
        z = b.tensor(shape)
        b.op("ADD", [x, y], [z], "AddOptions", fusedActivationFunction=1)
        y = z
    b.ends([x], [y])
    return number


def choice(condition=None):
    """IF the first element of x is large: one convolution, else another; `condition`: it is a
    constant."""
    b, shape = Builder(), [1, 5, 4, 3]
    x, out = b.tensor(shape, name="x"), b.tensor(shape, name="out")
    large = b.tensor([], "bool") if condition is None else b.constant(np.bool_(condition))
    if condition is None:
        first = b.tensor([], name="first")
        b.op("REDUCE_MAX", [x, b.ints(0, 1, 2, 3)], [first], "ReducerOptions")
        b.op("GREATER", [first, b.constant(np.float32(0.5))], [large], "GreaterOptions")
    then, otherwise = branch(b, shape, 1), branch(b, shape, 2, add=True)
    b.main_graph()
    b.op("IF", [large, x], [out], "IfOptions", thenSubgraphIndex=then,
         elseSubgraphIndex=otherwise)
    return b.finish([x], [out])


def loop(turns, step=1, condition_graph=None, body_graph=None, limit_known=True):
    """WHILE i < turns: y = conv(y) + x[i], written as a body over (i, y, x)."""
    b, shape = Builder(), [1, 4, 4, 3]
    x, start = b.tensor([6, *shape[1:]], name="x"), b.tensor(shape, name="start")
    last, out, same = b.tensor([], "int32"), b.tensor(shape, name="out"), b.tensor([6, *shape[1:]])

    condition = b.add_graph()
    carried = [b.tensor([], "int32"), b.tensor(shape), b.tensor([6, *shape[1:]])]
    more = b.tensor([], "bool")
    if limit_known:
        b.op("LESS", [carried[0], b.constant(np.int32(turns))], [more], "LessOptions")
    else:
        first = b.tensor([])
        b.op("REDUCE_MAX", [carried[1], b.ints(0, 1, 2, 3)], [first], "ReducerOptions")
        b.op("LESS", [first, b.constant(np.float32(9))], [more], "LessOptions")
    b.ends(carried, [more])

    body = b.add_graph()
    i, y, list_ = b.tensor([], "int32"), b.tensor(shape), b.tensor([6, *shape[1:]])
    next_i, part, row, sum_ = (b.tensor([], "int32"), b.tensor(shape[1:]), b.tensor(shape),
                               b.tensor(shape))
    b.op("ADD", [i, b.constant(np.int32(step))], [next_i], "AddOptions")
    b.op("GATHER", [list_, i], [part], "GatherOptions", axis=0)
    b.op("EXPAND_DIMS", [part, b.constant(np.int32(0))], [row])
    b.op("ADD", [convolution(b, y, shape), row], [sum_], "AddOptions")
    b.ends([i, y, list_], [next_i, sum_, list_])

    b.main_graph()
    b.op("WHILE", [b.constant(np.int32(0)), start, x], [last, out, same], "WhileOptions",
         condSubgraphIndex=condition if condition_graph is None else condition_graph,
         bodySubgraphIndex=body if body_graph is None else body_graph)
    return b.finish([x, start], [last, out, same])


def same(tmp_path, model, **options):
    source = tmp_path / "model.tflite"
    source.write_bytes(model)
    return compare.same(source, tmp_path / "model.onnx", **options)


@pytest.mark.parametrize("condition", [None, True, False])
@pytest.mark.parametrize("high", [0.4, 1.0])
def test_a_branch(tmp_path, condition, high):
    gap, made = same(tmp_path, choice(condition), low=-1, high=high)
    assert gap <= FLOAT_MAX
    # With a constant condition, only one of the branches is in the result.
    assert compare.count(made, "Conv") == (2 if condition is None else 1)
    assert compare.count(made, "Where") == (condition is None)


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
def test_a_loop_is_written_out(tmp_path, turns):
    gap, made = same(tmp_path, loop(turns))
    assert gap <= FLOAT_MAX
    assert compare.count(made, "Conv") == turns
    # The iterations share their weights, and pictures are not transposed in between.
    assert sum(len(i.dims) == 4 for i in made.graph.initializer) == (turns > 0)
    assert compare.count(made, "Transpose") <= turns + 2


@pytest.mark.parametrize("options, words", [
    ({"turns": 5, "step": 0}, "runs too often"),
    ({"turns": 5, "limit_known": False}, "only known when the network runs"),
    ({"turns": 5, "body_graph": 9}, "its sub-graph is missing"),
    ({"turns": 5, "body_graph": 0}, "its sub-graph is missing"),
    ({"turns": 5, "condition_graph": 2}, "how often its loop runs"),
    ({"turns": 5, "body_graph": 1}, "another number of results"),
])
def test_loops_that_cannot_be_written_out(tmp_path, options, words):
    source, target = tmp_path / "model.tflite", tmp_path / "model.onnx"
    source.write_bytes(loop(**options))
    done = compare.convert(source, target, status=1)
    assert "operator 0, WHILE, which makes" in done.stderr.decode()
    assert words in done.stderr.decode(), done.stderr.decode()
    assert not target.exists()


def test_graphs_that_run_themselves(tmp_path):
    b, source, target = Builder(), tmp_path / "model.tflite", tmp_path / "model.onnx"
    x, out = b.tensor([2], name="x"), b.tensor([2], name="out")
    number = b.add_graph()
    y, z = b.tensor([2]), b.tensor([2])
    b.op("IF", [b.constant(np.bool_(True)), y], [z], "IfOptions", thenSubgraphIndex=number,
         elseSubgraphIndex=number)
    b.ends([y], [z])
    b.main_graph()
    b.op("IF", [b.constant(np.bool_(True)), x], [out], "IfOptions", thenSubgraphIndex=number,
         elseSubgraphIndex=number)
    source.write_bytes(b.finish([x], [out]))
    assert "too deep" in compare.convert(source, target, status=1).stderr.decode()
