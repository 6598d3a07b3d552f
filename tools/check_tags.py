#!/usr/bin/env python3
"""Fails if the tag of a struct, union or enum has several meanings: a tag that begins with lq_, or
that a header defines, must mean one thing in all of src and include. A file's own tags, without
lq_, are only visible in that file.

Usage: check_tags.py SOURCE_ROOT
       check_tags.py --self-test
"""
import collections
import re

import checking

# Tags that each file of a kind defines for itself, behind a shared table of functions.
OPAQUE = {"lq_engine": ("src/engine/", "src/device/network.c"),
          "lq_request": ("src/engine/", "src/device/network.c")}
DEFINED = re.compile(r"\b(struct|union|enum)\s+(?:LQ_\w+\s+|__attribute__\s*\(\(.*?\)\)\s*)?(\w+)"
                     r"\s*\{")


def check(root):
    wrong, places = [], collections.defaultdict(list)
    for name, text in checking.sources(root, "src", "include"):
        for _, tag in DEFINED.findall(checking.code(text)):
            if not name.startswith(OPAQUE.get(tag, "-")):
                places[tag].append(name)
    for tag, names in sorted(places.items()):
        shared = tag.startswith("lq_") or any(name.endswith(".h") for name in names)
        if shared and len(names) > 1:
            wrong.append(f"{tag} means several things: {', '.join(sorted(names))}")
    return wrong, len(places), f"{len(places)} tags, none of those that files share used twice"


CASES = [
    ({"src/a.h": "struct lq_a {\n};\n", "src/b.c": "static struct lq_b\n{\n} b;\n"}, 0),
    ({"src/a.h": "struct lq_a {\n};\n", "src/b.c": "static struct lq_a\n{\n} b;\n"},
     "lq_a means several things: src/a.h, src/b.c"),
    ({"src/a.c": "struct lq_a {\n};\n", "src/b.c": "enum lq_a {\n    B\n};\n"}, "several"),
    ({"src/a.c": "typedef struct lq_a { int a; } a;\n", "src/b.c": "union lq_a { int b; };\n"}, 1),
    ({"src/a.h": "struct place {\n};\n", "src/b.c": "struct place {\n};\n"}, "place means several"),
    ({"src/a.c": "struct place {\n};\n", "src/b.c": "struct place {\n};\n"}, 0),
    ({"src/engine/a.c": "struct lq_engine {\n};\n", "src/engine/b.c": "struct lq_engine {\n};\n"},
     0),
    ({"src/engine/a.c": "struct lq_engine {\n};\n", "src/net/a.c": "struct lq_engine {\n};\n",
      "src/net/b.c": "struct lq_engine {\n};\n"}, 1),
    ({"src/a.c": "// struct lq_a {\n", "src/b.c": "struct lq_a {\n};\n"}, 0)]

if __name__ == "__main__":
    checking.main(check, CASES)
