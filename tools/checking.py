"""Shared code of the source checks (tools/check_*.py): reads files, strips comments from C, runs a
check and its self-test.

A check is a function that takes the source's root. It returns what is wrong, one line each; how
much it has examined, because a check that finds nothing to examine must not pass; and the message
to print if nothing is wrong.
"""
import pathlib
import re
import sys
import tempfile


def sources(root, *folders, pattern="*.[ch]"):
    """Names relative to the root, and texts, of the files in these folders and below; without
    packages that npm installed there."""
    for folder in folders:
        for path in sorted((root / folder).rglob(pattern)):
            if "node_modules" not in path.parts:
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def code(text, strings=False):
    """The text without comments, and without strings unless they are wanted; line numbers stay the
    same."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'

    def without(found):
        return found[0] if strings and found[0][0] == '"' else "\n" * found[0].count("\n")

    return re.sub(pattern, without, text, flags=re.S)


def try_out(check, cases):
    """Each case: files by name, and what must be found in a folder with them: a number of faults,
    or one fault that contains these words."""
    for files, wanted in cases:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            found = check(pathlib.Path(folder))[0]
        right = (len(found) == wanted if isinstance(wanted, int)
                 else any(wanted in line for line in found))
        if not right:
            sys.exit(f"self-test: wanted {wanted!r}, found {found} in {files}")
    print(f"{len(cases)} cases, each as it should be")


def main(check, cases):
    """Handles CHECK.py SOURCE_ROOT and CHECK.py --self-test."""
    if sys.argv[1] == "--self-test":
        try_out(check, cases)
        sys.exit(0)
    wrong, seen, said = check(pathlib.Path(sys.argv[1]))
    print("\n".join(wrong) or said)
    sys.exit(1 if wrong or not seen else 0)
