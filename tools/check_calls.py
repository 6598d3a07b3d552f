#!/usr/bin/env python3
"""Fails if our C code calls a banned function: one that reads untrusted bytes unchecked, has no
bound, is not thread-safe, or starts a shell.

Usage: check_calls.py SOURCE_ROOT
       check_calls.py --self-test
"""
import re

import checking

# Function (a pattern), why it is banned or what replaces it, and the one file that may use it.
BANNED = [
    (r"json_load\w*", "lq_json_parse (base/parse_json.h) survives running out of memory", None),
    (r"json_set_alloc_funcs2?", "jansson's allocator belongs to the whole process", None),
    (r"umask", "changes it for all threads; give open and mkdir the mode", None),
    (r"gets|v?sprintf|strcat|alloca", "no bound; snprintf, struct lq_buf",
     # It determines the longest line of the log before writing it.
     "src/base/log.c"),
    (r"atoi|atol|atof",
     "accepts anything as a number; strtol or strtod, and check where they stopped",
     None),
    (r"strtok|localtime|gmtime|rand|setlocale", "has state shared by all threads", None),
    (r"system|popen", "starts a shell", None),
    (r"tmpnam|tempnam|mktemp", "others may create that name first; mkstemp", None),
]
ANY = re.compile(r"(?<![\w.>])(?:" + "|".join(banned for banned, _, _ in BANNED) + r")\s*\(")
FOLDERS = ["src", "include", "examples", "bench", "tests/fuzz"]


def check(root):
    wrong, seen = [], 0
    for name, text in checking.sources(root, *FOLDERS):
        seen += 1
        if not ANY.search(text):  # most files have none, not even in a comment
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
