"""Prints the counts of a JUnit file of pytest, "passed failed skipped", and the names of failed
tests.

    tools/count_tests.py FILE [--lane]

A run that wrote no such file, or ran no test, counts as failed. Of several lanes that share their
test files (--lane), one may have started too late to get any.
"""
import sys
import xml.etree.ElementTree as tree


def counts_of(path, lane=False):
    """passed, failed, skipped, and the names of those that failed."""
    try:
        suite = next(tree.parse(path).getroot().iter("testsuite"))
    except (OSError, tree.ParseError, StopIteration):
        return 0, 1, 0, ["the run itself"]
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    names = [name_of(case) for case in suite.iter("testcase")
             if case.find("failure") is not None or case.find("error") is not None]
    if total == 0 and not lane:
        return 0, 1, 0, ["no test was run"]
    return total - skipped - failed, failed, skipped, names


def name_of(case):
    """"test_ws.py::test_hello"; JUnit's class is the file, with dots. A file that could not be read
    has no class."""
    file = case.get("classname", "").rsplit(".", 1)[-1]
    return f"{file}.py::{case.get('name')}" if file else case.get("name")


if __name__ == "__main__":
    *numbers, names = counts_of(sys.argv[1], "--lane" in sys.argv[2:])
    print(*numbers)
    print("\n".join(dict.fromkeys(names)), end="\n" if names else "")
