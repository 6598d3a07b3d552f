#!/usr/bin/env python3
"""Fails if a function is longer than a screen (60 lines), or a file longer than 500 lines: our C,
Python, JavaScript, CSS and shell. Tables count only in a file's length.

Usage: check_sizes.py SOURCE_ROOT
       check_sizes.py --self-test
"""
import ast
import re

import checking

FUNCTION_MAX, FILE_MAX = 60, 500
FOLDERS = ["src", "include", "web", "tools", "train", "bench", "examples", "tests"]
KINDS = ["*.c", "*.h", "*.py", "*.js", "*.mjs", "*.sh", "*.css"]
# Files that may be longer, each with its reason.
LONGER = {"tests/e2e/test_abuse.py": "one list of attacks on one running server"}
BEGINS = re.compile(r"(\s*)(?:.*=>|.*\bfunction\b.*\)|(?:static |async |get |set )*[\w#$]+\(.*\))"
                    r"\s*\{$")
STATEMENTS = re.compile(r"\s*(?:\}\s*)?(?:if|for|while|switch|catch|else|do|try|with)\b")


def c_functions(lines):
    """In our style, the braces around a body are the first character of their line."""
    start = 0
    for number, line in enumerate(lines):
        if not line.strip() or line.startswith(("#", "}", "//")) or line.endswith(";"):
            start = number + 1
        elif line == "{":
            end = lines.index("}", number) if "}" in lines[number:] else number
            yield lines[start], end - start + 1


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def script_functions(lines):
    """Recognised by indentation, as a formatter writes it. A function within another (as in code
    that a test runs in a page) does not count towards the outer one."""
    open_ones = []  # name, indentation, first line, lines of inner functions
    for number, line in enumerate(lines):
        if open_ones and line.startswith(open_ones[-1][1] + "}"):
            name, _, start, within = open_ones.pop()
            yield name, number - start + 1 - within
            if open_ones:
                open_ones[-1][3] += number - start + 1
        found = line.endswith("{") and BEGINS.match(line)
        if found and not STATEMENTS.match(line):
            open_ones.append([line.strip(), found[1], number, 0])


def functions(name, text):
    lines = text.splitlines()
    if name.endswith((".c", ".h")):
        return c_functions(lines)
    if name.endswith(".py"):
        return python_functions(text)
    return script_functions(lines) if name.endswith((".js", ".mjs")) else []


def check(root):
    wrong, seen = [], 0
    for kind in KINDS:
        for name, text in checking.sources(root, *FOLDERS, pattern=kind):
            count = text.count("\n")
            if count > FILE_MAX and name not in LONGER:
                wrong.append(f"{name}: {count} lines, {FILE_MAX} are the most")
            for function, length in functions(name, text):
                seen += 1
                if length > FUNCTION_MAX:
                    wrong.append(f"{name}: '{function}' has {length} lines, {FUNCTION_MAX} are the "
                                 "most")
    return wrong, seen, f"{seen} functions, none over {FUNCTION_MAX} lines"


LONG = "    x();\n" * 60
CASES = [({"src/a.c": f"int f(void)\n{{\n{LONG}}}\n"}, "src/a.c: 'int f(void)' has 63 lines"),
         ({"src/a.c": f"int f(int a,\n      int b)\n{{\n{LONG[9 * 4:]}}}\n"}, 0),
         ({"src/a.c": f"static int t[] = {{\n{LONG}}};\nint f(void)\n{{\n}}\n"}, 0),
         ({"tools/a.py": "def f():\n" + "    x()\n" * 60}, "tools/a.py: 'f' has 61 lines"),
         ({"web/a.js": f"class A {{\n  f(a) {{\n{LONG}  }}\n}}\n"}, "'f(a) {' has 62 lines"),
         ({"web/a.js": f"export const f = async ({{ a }}) => {{\n{LONG}}};\n"}, 1),
         ({"web/a.js": f"export default {{\n{LONG}}};\nfunction f() {{\n}}\n"}, 0),
         ({"web/a.js": f"function f() {{\n  const g = () => {{\n{LONG[9:]}  }};\n}}\n"}, 1),
         ({"web/a.js": f"function f() {{\n{LONG[270:]}  g(() => {{\n{LONG[180:]}  }});\n}}\n"}, 0),
         ({"web/a.css": "a {}\n" * 501}, "web/a.css: 501 lines")]

if __name__ == "__main__":
    checking.main(check, CASES)
