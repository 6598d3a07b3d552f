#!/usr/bin/env python3
"""Fails when a function of src takes more than six parameters: what belongs together is then a
struct (the row of a kernel, the target of a resize).

Those that are older than the rule are listed by file, with how many each file has at the most.

Usage: check_parameters.py SOURCE_ROOT
       check_parameters.py --self-test
"""
import pathlib
import re
import sys

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
    "src/frame/detect.c": 1,
    "src/frame/multiscale.c": 1,
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
}
# A definition that begins a line: what it gives, its name, its parameters (pointers to functions
# among them), its body.
DEFINED = re.compile(r"^(?!else\b|return\b|typedef\b)[A-Za-z_][\w \t*()]*?\b(\w+)"
                     r"\(((?:[^(){};]|\([^(){};]*\))*)\)\s*\{", re.M)


def code(text):
    """Without comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def parameters(text):
    flat = re.sub(r"\([^()]*\)", "", text)  # those of pointers to functions are not ours
    return 0 if flat.strip() in ("", "void") else flat.count(",") + 1


def long_lists(text):
    for found in DEFINED.finditer(code(text)):
        count = parameters(found[2])
        if count > MOST:
            yield found[1], count


def check(texts):
    wrong, functions = [], 0
    for name, text in texts.items():
        functions += len(DEFINED.findall(code(text)))
        found = list(long_lists(text))
        allowed = LATER.get(name, 0)
        if len(found) > allowed:
            wrong += [f"{name}: {function} takes {count} parameters, {MOST} are the most"
                      for function, count in found]
    return wrong, functions


def self_test():
    many = "static int f(int a, int b, int c,\n             int d, int e, int f, int g)\n{\n}\n"
    cases = {many: 1, many.replace(", int g", ""): 0, "int f(void)\n{\n}\n": 0,
             "int f(int a, void (*on)(int, int, int, int, int, int, int), int b)\n{\n}\n": 0,
             "// " + many.split("\n", maxsplit=1)[0] + "\n": 0}
    for text, wanted in cases.items():
        if len(check({"a.c": text})[0]) != wanted:
            sys.exit(f"self-test: wanted {wanted} of {text!r}")
    print(f"{len(cases)} cases, each as it should be")


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
        sys.exit(0)
    root = pathlib.Path(sys.argv[1]) / "src"
    faults, count = check({path.relative_to(root.parent).as_posix():
                           path.read_text(encoding="utf-8")
                           for path in sorted(root.rglob("*.[ch]"))})
    print("\n".join(faults) or f"{count} functions, {sum(LATER.values())} of them with more than "
          f"{MOST} parameters, all listed")
    sys.exit(1 if faults or not count else 0)
