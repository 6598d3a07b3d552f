#!/usr/bin/env python3
"""Fails if a file under src/ includes something from a higher layer.

Layers, lowest first, are those of docs/ARCHITECTURE.md.

Usage: check_layers.py SOURCE_ROOT
       check_layers.py --self-test
"""
import re

import checking

LAYERS = ["base", "format", "image", "engine", "model", "nail", "paint", "frame", "device", "lib",
          "convert", "net", "serve", "eval", "bench", "cli"]
# Neither of these two may include the other: serving never converts, and converting never serves.
APART = {("convert", "nail"), ("convert", "paint"), ("convert", "frame"), ("serve", "convert"),
         ("serve", "lib"), ("cli", "lib"), ("convert", "lib")}
# Code that measures a model or a server includes neither the other nor the server's internals.
APART |= {(measure, other) for measure in ("eval", "bench")
          for other in ("lib", "convert", "serve")} | {("eval", "net"), ("bench", "eval")}
# The page's engine is separate: no other part of the program may depend on it.
APART |= {(layer, "device") for layer in ("lib", "convert", "serve", "eval", "bench", "cli")}
# The network code includes only the base.
APART |= {("net", layer) for layer in LAYERS[1:] if layer != "net"}


def check(root):
    wrong, seen = [], 0
    for name, text in checking.sources(root, "src"):
        layer = name.split("/")[1]
        if layer not in LAYERS:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([^"/]+)/', line)
            if not found or found[1] not in LAYERS:
                continue
            seen += 1
            if LAYERS.index(found[1]) > LAYERS.index(layer) or (layer, found[1]) in APART:
                wrong.append(f"{name}:{number}: {layer} may not include {found[1]}")
    return wrong, seen, f"{seen} includes, all downward"


CASES = [({"src/engine/a.c": '#include "base/buf.h"\n#include "model/model.h"\n'},
          "src/engine/a.c:2: engine may not include model"),
         ({"src/serve/http/a.c": '#include "convert/convert.h"\n'}, "serve may not"),
         ({"src/cli/a.c": '#include "serve/server.h"\n#include "cli/cli.h"\n'}, 0)]

if __name__ == "__main__":
    checking.main(check, CASES)
