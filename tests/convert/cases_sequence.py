"""Operators over volumes and sequences, and the last operator of detectors: CONV_3D, LSTM, RNN,
TFLite_Detection_PostProcess, diagonals, blocks of a row."""
import itertools

import numpy as np
from flatbuffers import flexbuffers

from cases import SAME, VALID, ints, out_size, random, single
from tflite_builder import Builder

TANH = 4


def conv_3d():
    for stride, dilation, padding in itertools.product([1, 2], [1, 2], [SAME, VALID]):
        if stride > 1 and dilation > 1:
            continue
        out = [out_size(n, k, stride, dilation, padding) for n, k in ((6, 3), (7, 2), (5, 1))]
        yield (f"s{stride} d{dilation} p{padding}",
               single("CONV_3D", [[1, 6, 7, 5, 3]], [1, *out, 4], "Conv3DOptions",
                      [random(3, 2, 1, 3, 4), random(4)], padding=padding, strideD=stride,
                      strideW=stride, strideH=stride, dilationDFactor=dilation,
                      dilationHFactor=dilation, dilationWFactor=dilation,
                      fusedActivationFunction=1), {})
    for padding, out in ((SAME, [6, 8, 5]), (SAME, [5, 7, 5]), (VALID, [7, 8, 5])):
        yield (f"transposed p{padding} {out}",
               single("CONV_3D_TRANSPOSE", [[1, 3, 4, 5, 3]], [1, *out, 2], "Conv3DOptions",
                      [random(2)], before=[ints(1, *out, 2), random(3, 2, 1, 2, 3)],
                      padding=padding, strideD=2, strideH=2, strideW=1), {})


def lstm(steps, time_major, clip, scale):
    b, size, hidden = Builder(), 3, 4
    shape = [steps, 2, size] if time_major else [2, steps, size]
    x, y = b.tensor(shape, name="x"), b.tensor([*shape[:2], hidden], name="y")
    inputs = [x]
    inputs += [b.constant(random(hidden, size, seed=i, scale=scale)) for i in range(4)]
    inputs += [b.constant(random(hidden, hidden, seed=9 + i)) for i in range(4)]
    inputs += [-1] * 3
    inputs += [b.constant(random(hidden, seed=20 + i) + scale / 9) for i in range(4)]
    inputs += [-1] * 2
    for name in ("state", "memory"):
        inputs.append(b.tensor([2, hidden], name=name))
        b.graph.tensors[-1].isVariable = True
    b.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs + [-1] * 4, [y],
         "UnidirectionalSequenceLSTMOptions", fusedActivationFunction=TANH, cellClip=clip,
         timeMajor=time_major)
    return b.finish([x], [y])


def recurrent():
    for time_major, clip in itertools.product([False, True], [0.0, 10.0]):
        yield f"LSTM {time_major} {clip}", lstm(5, time_major, clip, 1), {}
    # Cells that reach their clipping limit: 24 steps with gates wide open.
    yield "LSTM clipped", lstm(24, False, 2.0, 20), {"low": 0.5}
    yield "LSTM long", lstm(24, True, 10.0, 20), {"low": 0.5}
    for time_major in (False, True):
        b = Builder()
        shape = [5, 2, 3] if time_major else [2, 5, 3]
        x, y = b.tensor(shape, name="x"), b.tensor([*shape[:2], 4], name="y")
        inputs = [x, b.constant(random(4, 3)), b.constant(random(4, 4)), b.constant(random(4)),
                  b.tensor([2, 4], name="state")]
        b.graph.tensors[-1].isVariable = True
        b.op("UNIDIRECTIONAL_SEQUENCE_RNN", inputs, [y], "SequenceRNNOptions",
             fusedActivationFunction=TANH, timeMajor=time_major)
        yield f"RNN {time_major}", b.finish([x], [y]), {}


def detector(per_class, background, least, most=6):
    """20 anchors, 3 classes."""
    b = Builder()
    anchors = np.abs(random(20, 4, seed=3, scale=0.3)) + 0.1
    boxes = b.tensor([1, 20, 4], name="boxes")
    scores = b.tensor([1, 20, 3 + background], name="scores")
    outputs = [b.tensor(shape, name=f"out_{i}")
               for i, shape in enumerate(([1, most, 4], [1, most], [1, most], [1]))]
    made = b.op("CUSTOM", [boxes, scores, b.constant(anchors)], outputs,
                custom="TFLite_Detection_PostProcess")
    options = {"max_detections": most, "max_classes_per_detection": 1, "detections_per_class": 4,
               "use_regular_nms": per_class, "nms_score_threshold": least,
               "nms_iou_threshold": 0.5, "num_classes": 3, "y_scale": 10.0, "x_scale": 10.0,
               "h_scale": 5.0, "w_scale": 5.0}
    made.customOptions = np.frombuffer(flexbuffers.Dumps(options), np.uint8)
    return b.finish([boxes, scores], outputs)


def detection():
    for per_class, background in itertools.product([False, True], [0, 1]):
        # Positive scores, enough of them above the threshold to fill the lists.
        yield (f"{per_class} {background}", detector(per_class, background, 1e-8),
               {"low": 0.01, "high": 1})
    yield "few by class", detector(True, 1, 0.97, 8), {"low": 0, "high": 1}


def diagonals():
    yield "MATRIX_DIAG", single("MATRIX_DIAG", [[2, 5]], [2, 5, 5], "MatrixDiagOptions"), {}
    for rows, columns in ((4, 4), (3, 5), (5, 3)):
        yield (f"MATRIX_SET_DIAG {rows}x{columns}",
               single("MATRIX_SET_DIAG", [[2, rows, columns], [2, min(rows, columns)]],
                      [2, rows, columns], "MatrixSetDiagOptions"), {})
    for sequence, batch in ((1, 0), (0, 2), (2, 1)):
        length = [3, 4, 5][batch]
        yield (f"REVERSE_SEQUENCE {sequence} {batch}",
               single("REVERSE_SEQUENCE", [[3, 4, 5]], [3, 4, 5], "ReverseSequenceOptions",
                      [ints(*[1, 3, 2, 3, 2][:length])], seqDim=sequence, batchDim=batch), {})


def blocks_of_a_row():
    yield ("SPACE_TO_BATCH_ND", single("SPACE_TO_BATCH_ND", [[2, 7, 3]], [6, 4, 3],
                                       "SpaceToBatchNDOptions", [ints(3), np.int32([[2, 3]])]), {})
    yield ("BATCH_TO_SPACE_ND", single("BATCH_TO_SPACE_ND", [[6, 4, 3]], [2, 9, 3],
                                       "BatchToSpaceNDOptions", [ints(3), np.int32([[1, 2]])]), {})


ALL = [conv_3d, recurrent, detection, diagonals, blocks_of_a_row]
