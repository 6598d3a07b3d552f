"""The page in Chromium: browser.mjs runs once for the selected tests, and each of its tests is
reported here by name."""
import json
import pathlib
import subprocess
import tempfile
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "browser.mjs"
SILENCE_S = 660


def names():
    listed = subprocess.run(["node", SCRIPT, "--list"], capture_output=True, text=True, timeout=60)
    if listed.returncode != 0:
        return ["browser_tests_can_start"]
    return listed.stdout.split()


@pytest.fixture(scope="module")
def results(request):
    chosen = [item.callspec.params["name"] for item in request.session.items
              if item.function is test_browser]
    # There is no limit for the whole run: each test ends by itself, and only a longer silence
    # counts as a hang.
    found = {}
    with tempfile.TemporaryFile("w+") as said:
        run = subprocess.Popen(["node", SCRIPT, *chosen], stdout=subprocess.PIPE, stderr=said,
                               text=True,
                               cwd=HERE)
        while True:
            hang = threading.Timer(SILENCE_S, run.kill)
            hang.start()
            line = run.stdout.readline()
            hang.cancel()
            if not line:
                break
            result = json.loads(line)
            found[result["name"]] = result
        run.wait(30)
        said.seek(0)
        return found, said.read()


@pytest.mark.parametrize("name", names())
def test_browser(name, results, request):
    found, stderr = results
    assert name in found, f"did not run: {stderr[-2000:]}"
    request.node.took_s = found[name]["ms"] / 1000
    assert found[name]["ok"], found[name].get("error")
