#!/usr/bin/env python3
"""Fails when C of ours calls what it must not: functions that read foreign bytes unchecked, have no
bound, are not safe with threads, or start a shell.

Usage: check_calls.py SOURCE_ROOT
"""
import pathlib
import re
import sys

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
FOLDERS = ["src", "include", "examples", "bench", "tests/fuzz"]


def code(text):
    """Without comments and strings, its lines where they were."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda found: "\n" * found[0].count("\n"), text, flags=re.S)


def main(root):
    wrong, seen = [], 0
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]")):
            seen += 1
            name = path.relative_to(root).as_posix()
            for number, line in enumerate(code(path.read_text(encoding="utf-8")).splitlines(), 1):
                for banned, reason, allowed in BANNED:
                    for found in re.findall(rf"(?<![\w.>])(?:{banned})(?=\s*\()", line):
                        if name != allowed:
                            wrong.append(f"{name}:{number}: {found}: {reason}")
    print("\n".join(wrong) or f"{seen} files, none calls what it must not")
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
