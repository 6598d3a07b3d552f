#!/usr/bin/env python3
"""Fails if a function of src has more than six parameters: parameters that belong together should
form a struct (the row of a kernel, the target of a resize).

Functions that liblacquer has already published keep their parameters, because programs link to
them.

Usage: check_parameters.py SOURCE_ROOT
       check_parameters.py --self-test
"""
import re

import checking

MOST = 6
# src/lib/first_names.c, for one more version (docs/LIBRARY.md).
PUBLISHED = {"lacquer_frame", "lacquer_file"}
# A definition that begins a line: its return type, its name, its parameters (including pointers to
# functions), its body.
DEFINED = re.compile(r"^(?!else\b|return\b|typedef\b)[A-Za-z_][\w \t*()]*?\b(\w+)"
                     r"\(((?:[^(){};]|\([^(){};]*\))*)\)\s*\{", re.M)


def parameters(text):
    flat = re.sub(r"\([^()]*\)", "", text)  # those of pointers to functions do not count
    return 0 if flat.strip() in ("", "void") else flat.count(",") + 1


def check(root):
    wrong, functions = [], 0
    for name, text in checking.sources(root, "src"):
        defined = [(found[1], parameters(found[2]))
                   for found in DEFINED.finditer(checking.code(text))]
        functions += len(defined)
        wrong += [f"{name}: {function} takes {count} parameters, {MOST} are the most"
                  for function, count in defined if count > MOST and function not in PUBLISHED]
    return wrong, functions, f"{functions} functions, none new with more than {MOST} parameters"


MANY = "static int f(int a, int b, int c,\n             int d, int e, int f, int g)\n{\n}\n"
CASES = [({"src/a.c": text}, wanted) for text, wanted in (
    (MANY, "src/a.c: f takes 7"), (MANY.replace(", int g", ""), 0),
    (MANY.replace(" f(", " lacquer_frame("), 0), ("int f(void)\n{\n}\n", 0),
    ("int f(int a, void (*on)(int, int, int, int, int, int, int), int b)\n{\n}\n", 0),
    ("// " + MANY.split("\n", maxsplit=1)[0] + "\n", 0))]

if __name__ == "__main__":
    checking.main(check, CASES)
