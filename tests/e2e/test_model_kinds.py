"""Every supported kind of export, as tiny ONNX models that detect the nails of one picture: heads,
types of inputs and outputs, batches; and rejected ones, whose error names the export option to
change."""
import json
import subprocess

import cv2
import numpy as np
import onnx
import pytest
from PIL import Image
from onnx import TensorProto, helper, numpy_helper

from conftest import HANDS, LACQUER, ROOT

SIZE, GRID, PROTOS = 320, 80, 32
TYPES = {"f32": np.float32, "f16": np.float16, "u8": np.uint8, "i8": np.int8}


def drawn():
    """A picture of 640 x 480 with five nails in it, and their mask."""
    picture = np.full((480, 640, 3), (200, 160, 140), np.uint8)
    mask = np.zeros((480, 640), np.uint8)
    for i, (x, y) in enumerate([(90, 120), (220, 80), (350, 100), (480, 150), (560, 330)]):
        for canvas, color in (picture, (236, 200, 190)), (mask, 255):
            cv2.ellipse(canvas, (x, y), (26, 38), 10 * i - 20, 0, 360, color, -1)
    return picture, mask


def letterboxed(stretch):
    """The true mask in the network's input coordinates, and the position of each nail."""
    _, mask = drawn()
    height, width = mask.shape
    scale_x, scale_y = SIZE / width, SIZE / height
    if not stretch:
        scale_x = scale_y = min(scale_x, scale_y)
    size = round(width * scale_x), round(height * scale_y)
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    left, top = (SIZE - size[0]) // 2, (SIZE - size[1]) // 2
    canvas[top:top + size[1], left:left + size[0]] = cv2.resize(mask, size)
    _, parts, stats, _ = cv2.connectedComponentsWithStats((canvas >= 128).astype(np.uint8))
    return [((parts == i), stats[i][:4].astype(float)) for i in range(1, len(stats))
            if stats[i][4] > 20]


def planes(nails, grid=GRID):
    """Logits of each nail on the prototypes' grid."""
    return np.stack([cv2.resize(part.astype(np.float32), (grid, grid),
                                interpolation=cv2.INTER_AREA) * 16 - 8 for part, _ in nails])


def model(path, outputs, type="f32", edges="f32", batch=1, layout="nchw", open_batch=False,
          names=None):
    """A network whose outputs are these constants, plus zero times its input."""
    shape = [batch, 3, SIZE, SIZE] if layout == "nchw" else [batch, SIZE, SIZE, 3]
    kind, edge = (helper.np_dtype_to_tensor_dtype(np.dtype(TYPES[t])) for t in (type, edges))
    if open_batch:
        shape[0] = "n"
    nodes = [helper.make_node("Cast", ["images"], ["real"], to=TensorProto.FLOAT),
             helper.make_node("ReduceMean", ["real"], ["mean"], axes=[1, 2, 3], keepdims=1),
             helper.make_node("Mul", ["mean", "nothing"], ["zero"])]
    constants = [numpy_helper.from_array(np.zeros(1, np.float32), "nothing")]
    made = []
    for i, values in enumerate(outputs):
        name = names[i] if names else f"output{i}"
        constants.append(numpy_helper.from_array(values.astype(np.float32), f"c{i}"))
        zero = "zero"
        if values.ndim != 4:
            zero = f"z{i}"
            constants.append(numpy_helper.from_array(
                np.array([-1] + [1] * (values.ndim - 1), np.int64), f"s{i}"))
            nodes.append(helper.make_node("Reshape", ["zero", f"s{i}"], [zero]))
        nodes.append(helper.make_node("Add", [f"c{i}", zero], [f"f{i}"]))
        nodes.append(helper.make_node("Cast", [f"f{i}"], [name], to=kind))
        made.append(helper.make_tensor_value_info(
            name, kind, ["n" if open_batch else batch, *values.shape[1:]]))
    inputs = [helper.make_tensor_value_info("images", edge, shape)]
    graph = helper.make_graph(nodes, "kinds", inputs, made, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, path)
    return path


def coefficients(i):
    return np.eye(PROTOS)[i]


def yolo(rows, unit=False, classes=1, transposed=False, count=300):
    """Detections and prototypes. rows: "cells" or "final"."""
    nails = letterboxed(False)
    protos = np.zeros((1, PROTOS, GRID, GRID))
    protos[0, :len(nails)] = planes(nails)
    scale = SIZE if unit else 1
    if rows == "final":
        det = np.zeros((1, count, 6 + PROTOS))
        det[0, :, 4] = 0.001
        for i, (_, (x, y, w, h)) in enumerate(nails):
            box = np.array([x, y, x + w, y + h]) / scale
            det[0, i] = [*box, 0.9 - 0.05 * i, classes - 1, *coefficients(i)]
        return det, protos
    cells = sum((SIZE // s) ** 2 for s in (8, 16, 32))
    det = np.zeros((1, 4 + classes + PROTOS, cells))
    # Every cell has a box, wherever it is.
    det[0, :2] = np.random.default_rng(1).uniform(0, SIZE, (2, cells)) / scale
    det[0, 2:4] = 20 / scale
    for i, (_, (x, y, w, h)) in enumerate(nails):
        box = np.array([x + w / 2, y + h / 2, w, h]) / scale
        det[0, :, 17 * i] = [*box, *np.eye(classes)[-1] * (0.9 - 0.05 * i), *coefficients(i)]
    return (det.transpose(0, 2, 1) if transposed else det), protos


def detr(classes=2, nail=0, queries=100):
    nails = letterboxed(True)
    boxes, labels = np.full((1, queries, 4), 0.1), np.full((1, queries, classes), -9.0)
    masks = np.full((1, queries, GRID, GRID), -9.0)
    masks[0, :len(nails)] = planes(nails)
    for i, (_, (x, y, w, h)) in enumerate(nails):
        boxes[0, i] = np.array([x + w / 2, y + h / 2, w, h]) / SIZE
        labels[0, i, nail] = 3 - 0.1 * i
    return boxes, labels, masks


def lacquer(*args, status=0):
    done = subprocess.run([LACQUER, *map(str, args), "--cache-dir", "none"], capture_output=True,
                          text=True, timeout=120, cwd=ROOT)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def finds_the_nails(tmp_path, path):
    mask = tmp_path / "mask.png"
    picture, truth = drawn()
    Image.fromarray(picture).save(tmp_path / "in.png")
    done = lacquer("apply", tmp_path / "in.png", "-o", tmp_path / "out.jpg", "-m", path, "--fast",
                   "--json", "--mask-out", mask)
    want = truth >= 128
    got = np.asarray(Image.open(mask)) >= 128
    nails = json.loads(done.stdout)["nails"]
    assert len(nails) == len(letterboxed(False)) and (want & got).sum() / (want | got).sum() > 0.7
    assert all(0.4 < nail["confidence"] < 1 for nail in nails)
    return done.stderr


@pytest.mark.parametrize("type, how", [
    ("f32", {"rows": "cells"}), ("f16", {"rows": "cells", "unit": True}),
    ("f32", {"rows": "cells", "transposed": True}), ("f16", {"rows": "cells", "classes": 3}),
    ("f32", {"rows": "final"}), ("f16", {"rows": "final"}),
    ("f32", {"rows": "final", "unit": True}),
    ("f32", {"rows": "final", "classes": 2}), ("f32", {"rows": "final", "count": 100}),
    ("f32", {"rows": "final", "count": 30})], ids=str)
def test_yolo_seg(tmp_path, type, how):
    det, protos = yolo(**how)
    path = model(tmp_path / "m.onnx", [det, protos], type=type)
    finds_the_nails(tmp_path, path)
    about = json.loads(lacquer("inspect", path, "--json").stdout)
    assert about["head"] == "yolo-seg" and about["prototypes"] == PROTOS
    assert about["rows"] == ("cells" if how["rows"] == "cells" else "end2end")
    # The other order: prototypes first, with their channels last, and with a sidecar.
    path.with_suffix(".json").write_text('{"head": "yolo-seg"}')
    model(path, [protos.transpose(0, 2, 3, 1), det], type=type)
    finds_the_nails(tmp_path, path)


@pytest.mark.parametrize("edges", ["f32", "f16", "u8", "i8"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_inputs_of_every_type(tmp_path, edges, layout):
    path = model(tmp_path / "m.onnx", yolo("final"), edges=edges, layout=layout)
    finds_the_nails(tmp_path, path)


@pytest.mark.parametrize("edges, rule", [
    ("f32", {}), ("f16", {}), ("u8", {}), ("i8", {}),
    ("i8", {"input_scale": 0.0078125, "input_zero": 0}),
    ("u8", {"mean": [0.5] * 3, "std": [0.5] * 3, "input_scale": 0.01, "input_zero": 100})])
def test_the_input_is_what_the_picture_shows(tmp_path, edges, rule):
    """The mask is the picture's own red, converted back from the input's values."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(TYPES[edges]))
    scale, zero = rule.get("input_scale", 1 / 255), rule.get("input_zero", -128 * (edges == "i8"))
    if edges in ("f32", "f16"):
        scale, zero = 1, 0
    nodes = [helper.make_node("Cast", ["x"], ["real"], to=TensorProto.FLOAT),
             helper.make_node("Sub", ["real", "zero"], ["steps"]),
             helper.make_node("Mul", ["steps", "scale"], ["value"]),
             helper.make_node("Conv", ["value", "weights", "bias"], ["mask"])]
    std, mean = rule.get("std", [1])[0], rule.get("mean", [0])[0]
    constants = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in
                 (("zero", zero), ("scale", scale), ("bias", [mean]),
                  ("weights", np.array([std, 0, 0]).reshape(1, 3, 1, 1)))]
    graph = helper.make_graph(
        nodes, "red", [helper.make_tensor_value_info("x", kind, [1, 3, 240, 320])],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, 240, 320])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              tmp_path / "m.onnx")
    (tmp_path / "m.json").write_text(json.dumps({"head": "mask", "output": "probability", **rule}))
    picture, truth = drawn()
    picture[..., 0] = np.where(truth >= 128, 230, 40)
    Image.fromarray(picture).save(tmp_path / "in.png")
    lacquer("apply", tmp_path / "in.png", "-o", tmp_path / "o.png", "-m", tmp_path / "m.onnx",
            "--fast", "--mask-out", tmp_path / "mask.png")
    got, want = np.asarray(Image.open(tmp_path / "mask.png")) >= 128, truth >= 128
    assert (got & want).sum() / (got | want).sum() > 0.8


@pytest.mark.parametrize("batch", [2, 4])
@pytest.mark.parametrize("kind", ["yolo", "detr"])
def test_a_fixed_batch(tmp_path, batch, kind):
    outputs = yolo("final") if kind == "yolo" else detr()
    # The first picture's outputs are ours; the others have different values.
    outputs = [np.concatenate([o] + [np.full_like(o, 0.3)] * (batch - 1)) for o in outputs]
    path = model(tmp_path / "m.onnx", outputs, batch=batch)
    assert f"only takes batches of {batch} pictures" in finds_the_nails(tmp_path, path)
    assert json.loads(lacquer("inspect", path, "--json").stdout)["batch"] == batch


def test_an_open_batch(tmp_path):
    path = model(tmp_path / "m.onnx", yolo("final"), open_batch=True)
    assert "only takes batches" not in finds_the_nails(tmp_path, path)


@pytest.mark.parametrize("type, classes, nail, order", [
    ("f32", 1, 0, [0, 1, 2]), ("f16", 2, 0, [2, 1, 0]), ("f32", 4, 2, [1, 0, 2]),
    ("f16", 4, 2, [0, 1, 2]), ("f32", 91, 7, [1, 2, 0])])
def test_rf_detr_seg(tmp_path, type, classes, nail, order):
    names, outputs = ["dets", "labels", "masks"], detr(classes, nail)
    path = model(tmp_path / "m.onnx", [outputs[i] for i in order], type=type,
                 names=[names[i] for i in order])
    said = finds_the_nails(tmp_path, path)
    assert ("trained on COCO" in said) == (classes == 91)
    about = json.loads(lacquer("inspect", path, "--json").stdout)
    assert about["head"] == "detr-seg" and about["resize"] == "stretch"


def test_masks_that_are_probabilities_already(tmp_path):
    boxes, labels, masks = detr()
    path = model(tmp_path / "m.onnx", [boxes, labels, 1 / (1 + np.exp(-masks))])
    finds_the_nails(tmp_path, path)


def test_a_network_of_coco_s_classes(tmp_path):
    path = model(tmp_path / "m.onnx", yolo("cells", classes=80))
    said = finds_the_nails(tmp_path, path)
    assert "has 80 classes" in said and "none of those is a nail" in said
    path.with_suffix(".json").write_text('{"classes": [3]}')
    done = lacquer("apply", HANDS / "light.jpg", "-o", tmp_path / "o.jpg", "-m", path, "--fast",
                   "--json")
    assert json.loads(done.stdout)["nails"] == [] and "COCO" not in done.stderr


DET = np.zeros((1, 300, 6))
CELLS = np.zeros((1, 84, 2100))


@pytest.mark.parametrize("sidecar", [None, "yolo-seg"])
@pytest.mark.parametrize("outputs, says", [
    ([CELLS], "task=segment"), ([CELLS.transpose(0, 2, 1)], "task=segment"),
    ([DET], "end2end=True or nms=True"), ([np.zeros((1, 300, 38))], "end2end=False"),
    ([DET, np.zeros((1, 32, 80, 80))], "end2end=False"), ([np.zeros((1, 80))], "classifier"),
    ([np.zeros((1, 300, 4)), np.zeros((1, 300, 2))], "RF-DETR-Seg"),
    ([np.zeros((1, 19, 80, 80))], "1 or 2 channels")])
def test_a_rejected_export_names_the_option(tmp_path, outputs, says, sidecar):
    path = model(tmp_path / "m.onnx", outputs)
    if sidecar:
        path.with_suffix(".json").write_text(json.dumps({"head": sidecar}))
    for args in (["inspect", path], ["apply", HANDS / "light.jpg", "-o", tmp_path / "o.jpg", "-m",
                                     path]):
        done = lacquer(*args, status=1)
        assert says in done.stderr, done.stderr
        assert not sidecar or f'says "{sidecar}", which it is not' in done.stderr
    assert "output" in lacquer("inspect", path, status=1).stdout  # its real kind, nevertheless


def test_yolo26_as_it_is_exported(tmp_path):
    """The network chooses its rows: OpenVINO 2026.4 loses a Slice before a GatherElements."""
    det, protos = yolo("cells")
    det[0, :2], det[0, 2:4] = det[0, :2] - det[0, 2:4] / 2, det[0, :2] + det[0, 2:4] / 2  # corners
    path = model(tmp_path / "m.onnx", [det, protos])
    made = onnx.load(path)
    graph = made.graph
    for node in graph.node:
        node.output[:] = ["cells" if name == "output0" else name for name in node.output]

    def constant(name, values, dtype=np.int64):
        graph.initializer.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def add(kind, inputs, *outputs, **attributes):
        graph.node.append(helper.make_node(kind, inputs, outputs, **attributes))

    add("Transpose", ["cells"], "rows", perm=[0, 2, 1])
    for name, start, end in ("boxes", 0, 4), ("scores", 4, 5), ("weights", 5, 37):
        add("Slice", ["rows", constant(f"{name}_a", [start]), constant(f"{name}_b", [end]),
                      constant(f"{name}_axis", [-1])], name)
    add("ReduceMax", ["scores"], "best", axes=[-1], keepdims=0)
    add("TopK", ["best", constant("k", [300])], "top", "index", axis=1)
    add("Unsqueeze", ["index", constant("last", [-1])], "column")
    add("Unsqueeze", ["top", "last"], "score")
    for name, width in ("boxes", 4), ("weights", 32):
        add("Expand", ["column", constant(f"{name}_to", [1, 300, width])], f"{name}_index")
        add("GatherElements", [name, f"{name}_index"], f"{name}_top", axis=1)
    add("Mul", ["score", constant("none", 0, np.float32)], "class")
    add("Concat", ["boxes_top", "score", "class", "weights_top"], "output0", axis=2)
    graph.output[0].type.tensor_type.shape.dim[1].dim_value = 300
    graph.output[0].type.tensor_type.shape.dim[2].dim_value = 38
    onnx.save(made, path)
    finds_the_nails(tmp_path, path)
    assert json.loads(lacquer("inspect", path, "--json").stdout)["rows"] == "end2end"
    subprocess.run([LACQUER, "inspect", path, "--cache-dir", tmp_path / "cache"], check=True)
    (verdict,) = (tmp_path / "cache").glob("tried-*")
    assert verdict.read_text() in ("converted\n", "direct\n")  # the latter once OpenVINO is fixed
    for options in [], ["--gpu"]:  # and a server gets what OpenVINO accepts
        name = "gpu" if options else "cpu"
        done = subprocess.run([LACQUER, "triton-repo", "-m", path, "--out", tmp_path / "repo",
                               "--name", name, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        served = onnx.load(tmp_path / "repo" / name / "1" / "model.onnx")
        assert verdict.read_text() == "direct\n" or "Split" in [n.op_type for n in
                                                                served.graph.node]
