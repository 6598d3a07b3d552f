#!/usr/bin/env python3
"""Fails if our C code calls a banned function: one that reads untrusted bytes unchecked, has no
bound, is not thread-safe, or starts a shell.

Usage: check_calls.py SOURCE_ROOT
       check_calls.py --self-test
"""
import re

import checking

# Function, a pattern: why not, or what instead; and the one file that may.
BANNED = [
    (r"json_load\w*", "lq_json_parse (base/parse_json.h) stands when memory runs out", None),
    (r"json_set_alloc_funcs2?", "jansson's allocator belongs to the whole process", None),
    (r"umask", "changes it for all threads; give open and mkdir the mode", None),
    (r"gets|v?sprintf|strcat|alloca", "no bound; snprintf, struct lq_buf",
     # The longest line of the log is worked out there before it is written.
     "src/base/log.c"),
    (r"atoi|atol|atof",
     "takes anything for a number; strtol, strtod and a look at where they ended",
     None),
    (r"strtok|localtime|gmtime|rand|setlocale", "keeps state that threads share", None),
    (r"system|popen", "starts a shell", None),
    (r"tmpnam|tempnam|mktemp", "a name that others may take first; mkstemp", None),
]
ANY = re.compile(r"(?<![\w.>])(?:" + "|".join(banned for banned, _, _ in BANNED) + r")\s*\(")
FOLDERS = ["src", "include", "examples", "bench", "tests/fuzz"]


def check(root):
    wrong, seen = [], 0
    for name, text in checking.sources(root, *FOLDERS):
        seen += 1
        if not ANY.search(text):  # most have none, not even in a comment
            continue
        for number, line in enumerate(checking.code(text).splitlines(), 1):
            for banned, reason, allowed in BANNED:
                for found in re.findall(rf"(?<![\w.>])(?:{banned})(?=\s*\()", line):
                    if name != allowed:
                        wrong.append(f"{name}:{number}: {found}: {reason}")
    return wrong, seen, f"{seen} files, none calls what it must not"


CASES = [({"src/a.c": "int n = atoi(text);\n"}, "src/a.c:1: atoi"),
         ({"tests/fuzz/a.c": "\nsystem (line);\n"}, "tests/fuzz/a.c:2: system"),
         ({"src/a.c": 'puts("atoi(x)"); // atoi(x)\n/* rand() */ own_rand(); it->rand();\n'}, 0)]

if __name__ == "__main__":
    checking.main(check, CASES)
