#!/usr/bin/env python3
"""Records a model's outputs in a .replay file, which the engine "replay" plays back in tests.
Needs the Python packages openvino and numpy, which Lacquer itself never needs.

  tools/record_replay.py MODEL OUT.replay [--size WxH] [--frames N] [--pictures RGB.npy]
                         [--delay-ms N] [--fails 1,4]

Without --pictures (an array [n,h,w,3] of bytes, already at the input's size) the input is noise.
The file's format is described at the head of src/engine/replay.c.
"""
import argparse
import json
import sys

import numpy as np
import openvino

TYPES = {"f32", "f16", "u8", "i8", "i32", "i64"}


def describe(port, shape):
    kind = port.get_element_type().get_type_name()
    if kind not in TYPES:
        sys.exit(f"record_replay: {port.any_name} is {kind}, which a recording cannot hold")
    return {"name": port.any_name, "type": kind, "dims": [int(side) for side in shape]}


def open_model(path, size):
    core = openvino.Core()
    model = core.read_model(path)
    shape = [dim.get_length() if dim.is_static else -1 for dim in model.input(0).partial_shape]
    first = shape[1] == 3
    if size:
        shape[2 if first else 1], shape[3 if first else 2] = size[1], size[0]
    shape[0] = 1
    if min(shape) < 1:
        sys.exit(f"record_replay: the input is {shape}; give --size")
    model.reshape({0: shape})
    hints = {"INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(model, "CPU", hints), shape, first


def pictures(path, frames, shape, first):
    if path:
        taken = np.load(path)[:frames].astype("f4") / 255
        taken = taken.transpose(0, 3, 1, 2) if first else taken
    else:
        taken = np.random.default_rng(1).random((frames, *shape[1:]), dtype="f4")
    if list(taken.shape[1:]) != shape[1:]:
        sys.exit(f"record_replay: pictures are {taken.shape[1:]}, the input is {shape[1:]}")
    return taken


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--size", type=lambda text: [int(side) for side in text.split("x")])
    parser.add_argument("--frames", type=int, default=1)
    parser.add_argument("--pictures")
    parser.add_argument("--delay-ms", type=int, default=0)
    parser.add_argument("--fails", type=lambda text: [int(frame) for frame in text.split(",")])
    asked = parser.parse_args(arguments)

    compiled, shape, first = open_model(asked.model, asked.size)
    answers = [[np.ascontiguousarray(output) for output in compiled(picture[None]).values()]
               for picture in pictures(asked.pictures, asked.frames, shape, first)]
    header = {"inputs": [describe(compiled.input(0), shape)],
              "outputs": [describe(port, answer.shape)
                          for port, answer in zip(compiled.outputs, answers[0])],
              "frames": len(answers)}
    if asked.fails:
        header["fails"] = asked.fails
    if asked.delay_ms:
        header["delay_ms"] = asked.delay_ms
    with open(asked.out, "wb") as out:
        out.write(b"lacquer-replay 1\n" + json.dumps(header).encode() + b"\n")
        for answer in answers:
            for output in answer:
                out.write(output.tobytes())
    print(f"{asked.out}: {len(answers)} frames of "
          f"{', '.join(tensor['name'] for tensor in header['outputs'])}")


if __name__ == "__main__":
    main(sys.argv[1:])
