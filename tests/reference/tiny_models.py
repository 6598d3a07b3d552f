#!/usr/bin/env python3
"""Writes the tiny .onnx models of tests/fixtures, with the onnx Python package.

  tiny_models.py DIR

tiny_map.onnx      batch, height and width open; two channels of logits: nail is red above one half
tiny_scores.onnx   no nail model at all: [1, 5] scores
"""
import pathlib
import sys

import onnx
from onnx import TensorProto, helper


def tensor(name, dims):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)


def model(nodes, inputs, outputs, weights):
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    made = helper.make_model(graph, producer_name="lacquer",
                             opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made.SerializeToString()


def weights(name, dims, values):
    return helper.make_tensor(name, TensorProto.FLOAT, dims, values)


def tiny_map():
    conv = helper.make_node("Conv", ["image", "w", "b"], ["map"], kernel_shape=[1, 1])
    return model([conv], [tensor("image", ["n", 3, "h", "w"])], [tensor("map", ["n", 2, "h", "w"])],
                 [weights("w", [2, 3, 1, 1], [0, 0, 0, 40, 0, 0]), weights("b", [2], [0, -20])])


def tiny_scores():
    nodes = [helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
             helper.make_node("Flatten", ["mean"], ["flat"]),
             helper.make_node("MatMul", ["flat", "w"], ["scores"])]
    return model(nodes, [tensor("image", [1, 3, 64, 64])], [tensor("scores", [1, 5])],
                 [weights("w", [3, 5], [float(i) for i in range(15)])])


def main(folder):
    for name, made in (("tiny_map", tiny_map()), ("tiny_scores", tiny_scores())):
        (pathlib.Path(folder) / f"{name}.onnx").write_bytes(made)


if __name__ == "__main__":
    main(sys.argv[1])
