"""What a JUnit file of pytest counts: "passed failed skipped", then the name of each that failed.

    tools/count_tests.py FILE

A run that wrote no such file, or ran no test, counts as one that failed.
"""
import sys
import xml.etree.ElementTree as tree


def counts_of(path):
    """passed, failed, skipped, and the names of those that failed."""
    try:
        suite = next(tree.parse(path).getroot().iter("testsuite"))
    except (OSError, tree.ParseError, StopIteration):
        return 0, 1, 0, ["the run itself"]
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    names = [case.get("name") for case in suite.iter("testcase")
             if case.find("failure") is not None or case.find("error") is not None]
    if total == 0:
        return 0, 1, 0, ["no test was run"]
    return total - skipped - failed, failed, skipped, names


if __name__ == "__main__":
    *numbers, names = counts_of(sys.argv[1])
    print(*numbers)
    print("\n".join(dict.fromkeys(names)), end="\n" if names else "")
