"""`lacquer eval` and `nailseg evaluate` measure the same: on rendered hands, to 0.1 points.

The program runs the default network in OpenVINO; here the same file runs in OpenCV, and pictures,
resampling and figures are the training tools' own.
"""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

pytest.importorskip("numpy", reason="the training requirements are not installed")
cv2 = pytest.importorskip("cv2", reason="the training requirements are not installed")
from nailseg import data, evaluate  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
LACQUER = pathlib.Path(os.environ.get("LACQUER", ROOT / "build" / "lacquer"))
MODEL = ROOT / "models" / "nail-f16.onnx"  # OpenCV reads no quantised ones
HANDS = ROOT / "tests" / "golden" / "hands"
POINT = 0.001

pytestmark = pytest.mark.skipif(not LACQUER.exists(), reason="the program is not built")


@pytest.fixture(scope="module")
def hands(tmp_path_factory):
    """Four rendered hands of different tone, a portrait crop, and a picture without a nail."""
    folder = tmp_path_factory.mktemp("hands")
    (folder / "images").mkdir(), (folder / "masks").mkdir()
    for name in ("very-light", "tan", "dark", "polished"):
        shutil.copy(HANDS / f"{name}.jpg", folder / "images")
        shutil.copy(HANDS / f"{name}.mask.png", folder / "masks" / f"{name}.png")
    image, mask = (cv2.imread(str(HANDS / f"brown{end}")) for end in (".jpg", ".mask.png"))
    cv2.imwrite(str(folder / "images" / "portrait.png"), image[:, 150:480])
    cv2.imwrite(str(folder / "masks" / "portrait.png"), mask[:, 150:480, 0])
    cv2.imwrite(str(folder / "images" / "wrist.png"), image[:90])
    cv2.imwrite(str(folder / "masks" / "wrist.png"), mask[:90, :, 0] * 0)
    return folder


def program(hands, *options):
    done = subprocess.run([LACQUER, "eval", "--images", hands / "images", "--masks",
                           hands / "masks", "--json", "--model", MODEL, "--precision", "f32",
                           *options],
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def network():
    """The default network, in floating point, in OpenCV."""
    net = cv2.dnn.readNetFromONNX(str(MODEL))

    def run(x):
        net.setInput(x)
        return net.forward()[0, 0]
    return run


def agree(theirs, ours):
    for key in ("iou", "mean_iou", "boundary_f"):
        assert theirs[key] == pytest.approx(ours[key], abs=POINT), key
    for key in ("images", "found", "missed", "false"):
        assert theirs[key] == ours[key], key


def agree_by_class(theirs, ours):
    assert theirs.keys() == ours.keys()
    for trait in ours:
        assert theirs[trait].keys() == ours[trait].keys(), trait
        for name in ours[trait]:
            agree(theirs[trait][name], ours[trait][name])


def test_the_networks_own_masks_measure_the_same(hands):
    theirs = program(hands, "--raw")
    pairs = data.load(data.list_folder(hands / "images", hands / "masks"))
    ours, _ = evaluate.evaluate(network(), pairs)
    assert theirs["masks"] == "network" and ours["images"] == 6 and ours["iou"] > .5
    agree(theirs, ours)
    agree_by_class(theirs["by"], ours["by"])
    assert theirs["false_paint"] == pytest.approx(ours["false_paint"], abs=1e-4)


def test_painted_masks_measure_the_same(hands):
    theirs = program(hands)
    files = data.list_folder(hands / "images", hands / "masks")
    masks = evaluate.painted_masks(LACQUER, files, "--model", str(MODEL), "--precision", "f32")
    ours = evaluate.total(evaluate.score(data.load(files), masks))
    assert theirs["masks"] == "painted" and ours["iou"] > .5
    agree(theirs, ours)
    agree_by_class(theirs["by"], ours["by"])
    assert theirs["false_paint"] == pytest.approx(ours["false_paint"], abs=1e-5)


def test_a_folder_without_masks_holds_no_nails(hands):
    ours = data.load(data.list_folder(hands / "images"))
    assert len(ours) == 6 and not any(mask.any() for _, _, mask in ours)


def test_a_missing_mask_is_named(hands, tmp_path):
    with pytest.raises(SystemExit, match="dark.jpg"):
        data.list_folder(hands / "images", tmp_path)
