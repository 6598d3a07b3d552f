#!/usr/bin/env python3
"""Fails if one of our headers does not say, before its first line of code, which threads may use it
and who owns what:

    // Threads: any.                          the threads, in words
    // Owner: the caller; …                   or "no state" for what has none to own
    // Threads and owner: as in client.h.     as another header says, which must say it itself

Usage: check_headers.py SOURCE_ROOT
       check_headers.py --self-test
"""
import re

import checking

SAYS = {"Threads": re.compile(r"\bThreads(?: and owner)?:\s+(?:\w+\W+){1}"),
        "Owner": re.compile(r"\b(?:Owner|Threads and owner):\s+\w+|\bno state\b")}
AS_IN = re.compile(r"\bThreads and owner:[^.]*?([\w/]+\.h)\b")


def first_comment(text):
    """The header's words, without comment markers and line ends."""
    found = re.match(r"(?:\s*//[^\n]*|\s*/\*.*?\*/)*", text, re.S)
    return re.sub(r"\s*\n\s*(?://|\*)?\s*", " ", found[0])


def missing(text):
    words = first_comment(text)
    return [word for word, pattern in SAYS.items() if not pattern.search(words)]


def referred(name, words, texts):
    """The header to which it refers, if one is named."""
    found = AS_IN.search(words)
    if not found:
        return None
    for path in (name.rpartition("/")[0] + "/" + found[1], "src/" + found[1], found[1]):
        if path in texts:
            return path
    return found[1]


def check(root):
    texts = dict(checking.sources(root, "src", "include", pattern="*.h"))
    wrong = []
    for name, text in texts.items():
        wrong += [f"{name}: its first comment does not say: {word}" for word in missing(text)]
        other = referred(name, first_comment(text), texts)
        if other and (other == name or other not in texts or missing(texts[other])
                      or AS_IN.search(first_comment(texts[other]))):
            wrong.append(f"{name}: {other} itself does not say which threads, and who owns what")
    return wrong, len(texts), f"{len(texts)} headers, each says which threads and who owns what"


GOOD = "// What it is.\n// Threads: any. Owner:\n// the caller.\n#pragma once\n"
CASES = [({"src/a.h": text}, wanted) for text, wanted in (
    (GOOD, 0), ("// Threads: any; no state.\n#pragma once\n", 0),
    ("/* A.\n * Threads: any\n * Owner:   you */\n#ifndef A_H\n", 0),
    ("// Owner: nobody.\n#pragma once\n// Threads: any.\n", "src/a.h: its first comment does not "
                                                            "say: Threads"),
    ("// Threads: any.\n#pragma once\n", "does not say: Owner"),
    ("// For Threads and their Owner.\n#pragma once\n", 2),
    ("// Threads:\n// Owner:\n#pragma once\n", 1),
    ("#pragma once\n" + GOOD, 2), ("", 2))] + [
    ({"src/x/a.h": "// Threads and owner: as in b.h.\n", "src/x/b.h": GOOD}, 0),
    ({"src/x/a.h": "// Threads and owner: as y/b.h says.\n", "src/y/b.h": GOOD}, 0),
    ({"src/x/a.h": "// Threads and owner: as in c.h.\n"}, "c.h itself does not say"),
    ({"src/x/a.h": "// Threads and owner: as in b.h.\n",
      "src/x/b.h": "// Threads and owner: as in a.h.\n"}, "src/x/b.h itself does not say")]

if __name__ == "__main__":
    checking.main(check, CASES)
