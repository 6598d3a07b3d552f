"""Processors without the instructions that OpenVINO needs, emulated by QEMU's user mode."""
import json
import shutil
import subprocess

import pytest

from conftest import HANDS, LACQUER, ROOT

QEMU = shutil.which("qemu-x86_64")
pytestmark = pytest.mark.skipif(not QEMU, reason="no qemu-x86_64 here (package qemu-user)")


def emulated(cpu, *args, status=0):
    done = subprocess.run([QEMU, "-cpu", cpu, LACQUER, *map(str, args)], capture_output=True,
                          text=True, timeout=240, cwd=ROOT)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


# qemu64 is the default processor of virtual machines under QEMU and Proxmox.
@pytest.mark.parametrize("cpu, lacks", [
    ("qemu64", "SSSE3, SSE4.1, SSE4.2, POPCNT"), ("core2duo", "SSE4.1, SSE4.2, POPCNT"),
    ("Nehalem,-popcnt", "POPCNT"), ("Nehalem", None)])
def test_engines_reports_what_the_processor_lacks(cpu, lacks):
    listed = json.loads(emulated(cpu, "engines", "--json").stdout)["engines"]
    openvino = next(engine for engine in listed if engine["name"] == "openvino")
    assert openvino["available"] == (lacks is None)
    if lacks:
        said = emulated(cpu, "engines").stdout
        for text in said, openvino["reason"]:
            assert f"this processor lacks {lacks};" in text and 'CPU type to "host"' in text


@pytest.mark.parametrize("args", [
    ["apply", HANDS / "light.jpg", "-o", "/dev/null"], ["inspect"], ["serve", "--port", "0"],
    ["triton-repo", "--out", "/nonexistent"], ["eval", "--images", HANDS, "--masks", HANDS]])
def test_every_command_that_opens_the_engine_reports_it(args):
    said = emulated("qemu64", *args, status=1).stderr
    assert "this processor lacks SSSE3, SSE4.1, SSE4.2, POPCNT" in said and '"host"' in said


def test_our_own_code_runs_on_plain_x86_64(tmp_path):
    """Decoding, detecting nails, painting, encoding: every kernel falls back to the available
    instructions."""
    args = ["-m", ROOT / "tests/fixtures/yolo_unit.replay", HANDS / "light.jpg", "--json"]
    here = subprocess.run([LACQUER, "apply", *args, "-o", tmp_path / "here.jpg"],
                          capture_output=True, text=True, check=True)
    there = emulated("qemu64", "apply", *args, "-o", tmp_path / "there.jpg")
    nails = [[nail["box"] for nail in json.loads(done.stdout)["nails"]] for done in (here, there)]
    assert len(nails[0]) > 0 and nails[0] == nails[1]


def test_the_oldest_supported_processor(tmp_path):
    emulated("Nehalem", "apply", "--fast", "--cache-dir", "none", HANDS / "light.jpg", "-o",
             tmp_path / "out.jpg")
    assert (tmp_path / "out.jpg").stat().st_size > 1000
