"""The page in Chromium: browser.mjs runs once over what was chosen, every test of it is reported here
by name."""
import json
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "browser.mjs"


def names():
    listed = subprocess.run(["node", SCRIPT, "--list"], capture_output=True, text=True, timeout=60)
    if listed.returncode != 0:
        return ["browser_tests_can_start"]
    return listed.stdout.split()


@pytest.fixture(scope="module")
def results(request):
    chosen = [item.callspec.params["name"] for item in request.session.items
              if item.function is test_browser]
    run = subprocess.run(["node", SCRIPT, *chosen], capture_output=True, text=True, timeout=600, cwd=HERE)
    found = {}
    for line in run.stdout.splitlines():
        result = json.loads(line)
        found[result["name"]] = result
    return found, run.stderr


@pytest.mark.parametrize("name", names())
def test_browser(name, results):
    found, stderr = results
    assert name in found, f"did not run: {stderr[-2000:]}"
    assert found[name]["ok"], found[name].get("error")
