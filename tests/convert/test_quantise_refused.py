"""lacquer quantize refuses what cannot be quantised and leaves no partial files."""
import resource
import signal
import subprocess

import numpy as np
import pytest
from onnx import TensorProto

import compare
import quantise_models as small

quantise = small.quantise


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return small.pictures(tmp_path_factory.mktemp("quantise") / "pictures")


@pytest.fixture(scope="module")
def made(pictures):
    """The mask network and its output files."""
    source = small.mask_model(pictures.parent / "float.onnx")
    quantise(source, pictures.parent / "int8.onnx", pictures)
    return source, pictures.parent / "int8.onnx"


def plain(path, **about):
    graph = small.Graph()
    graph.conv("image", "out", 3, 2)
    return graph.save(path, [("out", [1, 2, small.SIZE, small.SIZE])], **about)


def without_layers(path):
    graph = small.Graph()
    graph.op("Relu", ["image"], "out")
    return graph.save(path, [("out", [1, 3, small.SIZE, small.SIZE])])


def two_inputs(path):
    graph = small.Graph()
    graph.op("Add", [graph.conv("image", "a", 3, 2), graph.conv("other", "b", 3, 2)], "out")
    return graph.save(path, [("out", [1, 2, small.SIZE, small.SIZE])], inputs=("image", "other"))


def in_half(path):
    graph = small.Graph()
    graph.op("Conv", ["image", graph.constant("w", np.ones((1, 3, 1, 1), np.float16))], "out")
    return graph.save(path, [("out", [1, 1, small.SIZE, small.SIZE])], type=TensorProto.FLOAT16)


def damaged(path):
    path.write_bytes(b"\x08\x08\x12\xff\xff")
    return path


@pytest.mark.parametrize("make, words", [
    (without_layers, "nothing to quantise"), (two_inputs, "2 inputs"), (in_half, "float16"),
    (lambda path: plain(path, opset=10), "opset 10"), (damaged, "no ONNX model"),
], ids=["no layer", "two inputs", "float16", "opset 10", "damaged"])
def test_refused_models(make, words, pictures, tmp_path):
    source = make(tmp_path / "float.onnx")
    assert words in quantise(source, tmp_path / "int8.onnx", pictures, status=1).stderr


def test_a_report_in_the_sidecars_place_is_refused(made, pictures, tmp_path):
    target = tmp_path / "int8.onnx"
    done = quantise(made[0], target, pictures, "--report", tmp_path / "int8.json", status=2)
    assert "is the sidecar of" in done.stderr and not (tmp_path / "int8.json").exists()


def test_a_quantised_model_is_refused(made, pictures, tmp_path):
    done = quantise(made[1], tmp_path / "again.onnx", pictures, status=1)
    assert "quantised already" in done.stderr and "QuantizeLinear" in done.stderr


def test_no_pictures(made, tmp_path):
    (tmp_path / "empty").mkdir()
    done = quantise(made[0], tmp_path / "int8.onnx", tmp_path / "empty", status=1)
    assert "no pictures in" in done.stderr
    done = quantise(made[0], tmp_path / "int8.onnx", tmp_path / "missing", status=1)
    assert "missing" in done.stderr
    done = subprocess.run([compare.LACQUER, "quantize", made[0], tmp_path / "int8.onnx"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--images" in done.stderr


def test_unreadable_pictures(made, pictures, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"no picture")
    done = quantise(made[0], tmp_path / "int8.onnx", folder, status=1)
    assert "none of 1 pictures can be read" in done.stderr and "a.jpg" in done.stderr
    for path in pictures.glob("*.png"):
        (folder / path.name).write_bytes(path.read_bytes())
    done = quantise(made[0], tmp_path / "int8.onnx", folder)
    assert "1 of 13 pictures were left out" in done.stderr and "a.jpg" in done.stderr


def test_places_that_cannot_be_written(made, pictures, tmp_path):
    done = quantise(made[0], tmp_path / "missing" / "int8.onnx", pictures, status=1)
    assert "cannot write to" in done.stderr
    (tmp_path / "folder").mkdir()
    done = subprocess.run([compare.LACQUER, "quantize", made[0], tmp_path / "folder", "--images",
                           pictures], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "is a folder" in done.stderr


def test_a_full_disk_leaves_nothing(made, pictures, tmp_path):
    """A limit on the file size of the process simulates a full disk."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    quantise(made[0], tmp_path / "int8.onnx", pictures, status=1, preexec_fn=limit)
    assert not list(tmp_path.iterdir())
