"""The light network: what it takes over from the default one, its file, and its accuracy."""
import json
import pathlib
import subprocess

import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
ROOT = pathlib.Path(__file__).resolve().parents[2]
LACQUER = ROOT / "build" / "lacquer"
LIGHT = ROOT / "models" / "nail-light.onnx"
TEST_A = ROOT.parent / "shared" / "data" / "test-a-cc0"
POINTS_BELOW_MAX = .03


def live_iou(model):
    done = subprocess.run([LACQUER, "eval", "--images", TEST_A / "images", "--masks",
                           TEST_A / "masks", "--live", "--no-hands", "--json", "--model", model],
                          capture_output=True, check=True)
    return json.loads(done.stdout)["iou"]


@pytest.mark.skipif(not LACQUER.exists() or not TEST_A.exists(),
                    reason="test A (docs/ACCURACY.md) or build/lacquer is missing")
def test_live_frames_are_at_most_three_points_below_the_default():
    assert live_iou(LIGHT) >= live_iou(ROOT / "models" / "nail.onnx") - POINTS_BELOW_MAX


def test_the_file_is_small_and_has_the_defaults_contract():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    graphs = [onnx.load(ROOT / "models" / name).graph for name in ("nail-light.onnx", "nail.onnx")]
    sides = ((320, 416), (288, 384))  # the size that each file states
    for ends, scale in (("input", 1), ("output", 2)):
        mine, theirs = ([(t.name, t.type.tensor_type.elem_type,
                          [d.dim_value for d in t.type.tensor_type.shape.dim])
                         for t in getattr(graph, ends)] for graph in graphs)
        for found, (height, width) in zip((mine, theirs), sides):
            assert [dims[2:] for _, _, dims in found] == [[height // scale, width // scale]]
        assert [(name, kind, dims[:2]) for name, kind, dims in mine] == [
            (name, kind, dims[:2]) for name, kind, dims in theirs]
    assert LIGHT.stat().st_size <= 1e6
