#!/usr/bin/env python3
"""Fails when a function of src takes more than six parameters: what belongs together is then a
struct (the row of a kernel, the target of a resize).

Those that are older than the rule are listed by file, with how many each file has at the most.

Usage: check_parameters.py SOURCE_ROOT
       check_parameters.py --self-test
"""
import re

import checking

MOST = 6
LATER = {
    "src/cli/quantize_pictures.c": 1,
    "src/cli/tune_masks.c": 1,
    "src/convert/calibrate.c": 2,
    "src/convert/convert.c": 1,
    "src/convert/quantise.c": 1,
    "src/convert/report.c": 1,
    "src/convert/retype_input.c": 2,
    "src/engine/kserve.c": 2,
    "src/engine/kserve_json.c": 1,
    "src/engine/onnxruntime_open.c": 1,
    "src/format/onnx.c": 1,
    "src/format/onnx_shape.c": 1,
    "src/device/wasm/page.c": 1,
    "src/frame/detect.c": 1,
    "src/frame/multiscale.c": 1,
    "src/image/avif.c": 1,
    "src/image/box.c": 2,
    "src/image/codec.c": 2,
    "src/image/color.c": 2,
    "src/image/heic.c": 2,
    "src/image/jpeg.c": 4,
    "src/image/jpeg_repaint.c": 2,
    "src/image/png.c": 1,
    "src/image/resize.c": 1,
    "src/image/webp.c": 1,
    "src/lib/first_names.c": 2,
    "src/model/yolo_seg.c": 2,
    "src/nail/blend.c": 2,
    "src/nail/components.c": 2,
    "src/nail/finger.c": 1,
    "src/nail/guide.c": 4,
    "src/nail/motion.c": 1,
    "src/nail/nail.c": 1,
    "src/nail/outline.c": 1,
    "src/nail/refine.c": 1,
    "src/nail/shape.c": 1,
    "src/nail/sharpness.c": 1,
    "src/nail/track.c": 1,
    "src/nail/upsample.c": 3,
    "src/paint/extend.c": 1,
    "src/paint/finish.c": 4,
    "src/paint/layout.c": 4,
    "src/paint/pattern.c": 1,
    "src/paint/shade.c": 3,
    "src/paint/transfer.c": 5,
}
# A definition that begins a line: what it gives, its name, its parameters (pointers to functions
# among them), its body.
DEFINED = re.compile(r"^(?!else\b|return\b|typedef\b)[A-Za-z_][\w \t*()]*?\b(\w+)"
                     r"\(((?:[^(){};]|\([^(){};]*\))*)\)\s*\{", re.M)


def parameters(text):
    flat = re.sub(r"\([^()]*\)", "", text)  # those of pointers to functions are not ours
    return 0 if flat.strip() in ("", "void") else flat.count(",") + 1


def check(root):
    wrong, functions = [], 0
    for name, text in checking.sources(root, "src"):
        defined = [(found[1], parameters(found[2]))
                   for found in DEFINED.finditer(checking.code(text))]
        functions += len(defined)
        long = [(function, count) for function, count in defined if count > MOST]
        if len(long) > LATER.get(name, 0):
            wrong += [f"{name}: {function} takes {count} parameters, {MOST} are the most"
                      for function, count in long]
    return wrong, functions, (f"{functions} functions, {sum(LATER.values())} of them with more "
                              f"than {MOST} parameters, all listed")


MANY = "static int f(int a, int b, int c,\n             int d, int e, int f, int g)\n{\n}\n"
CASES = [({"src/a.c": text}, wanted) for text, wanted in (
    (MANY, "src/a.c: f takes 7"), (MANY.replace(", int g", ""), 0), ("int f(void)\n{\n}\n", 0),
    ("int f(int a, void (*on)(int, int, int, int, int, int, int), int b)\n{\n}\n", 0),
    ("// " + MANY.split("\n", maxsplit=1)[0] + "\n", 0))]

if __name__ == "__main__":
    checking.main(check, CASES)
