"""The public benchmark: copies of pictures are recognised, masks are scored as by `lacquer
eval`."""
import json
import pathlib
import subprocess
import sys

import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
cv2 = pytest.importorskip("cv2", reason="the training requirements are not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench" / "nails"
sys.path.insert(0, str(BENCH))
import arrange  # noqa: E402
import hashes  # noqa: E402

HANDS = sorted((ROOT / "tests" / "golden" / "hands").glob("*.jpg"))


def test_copies_are_recognised_and_other_pictures_are_not():
    known = {path.stem: hashes.of(cv2.imread(str(path))) for path in HANDS}
    for path in HANDS:
        image = cv2.imread(str(path))
        small = cv2.resize(image, None, fx=.4, fy=.4, interpolation=cv2.INTER_AREA)
        again = cv2.imdecode(cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, 60))[1], 1)
        assert hashes.nearest(hashes.of(again), known) == path.stem
        assert hashes.nearest(hashes.of(image[:, ::-1]), known) is None
    assert hashes.nearest(0, {}) is None


def test_lists_are_complete_and_disjoint():
    known = arrange.read_lists()
    count = {split: sum(s == split for s, _ in known) for split in ("train", "val", "test-a")}
    assert count == {"train": 2973, "val": 270, "test-a": 52} and len(known) == 3295
    values = np.array([[c == "1" for c in f"{v:0256b}"] for v in known.values()])
    test = np.array([split == "test-a" for split, _ in known])
    apart = (values[test][:, None] != values[~test][None]).sum(2)
    assert apart.min() > hashes.SAME_MAX  # no picture of test A is used for training


def picture(folder, name, shift=0):
    image = np.full((60, 80, 3), 90, np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 20 + shift:40 + shift] = 255
    for kind, pixels, suffix in (("images", image, ".jpg"), ("masks", mask, ".png")):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / kind / (name + suffix)), pixels)


def run(*args):
    return subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True,
                          check=False)


def test_arranging(tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"
    for i, path in enumerate(HANDS[:3]):
        picture(source, f"photo{i}")
        assert cv2.imwrite(str(source / "images" / f"photo{i}.jpg"), cv2.imread(str(path)))
    known = {("val", f"n{i}"): hashes.of(cv2.imread(str(p))) for i, p in enumerate(HANDS[1:])}
    known["val", "copy"] = known["val", "n0"]
    assert arrange.arrange(source / "images", source / "masks", out, known) == {"val": 2}
    assert len(list((out / "val" / "images").iterdir())) == 2
    assert (out / "val" / "masks" / "n1.png").exists()
    strangers = run(BENCH / "arrange.py", "--images", source / "images", "--masks",
                    source / "masks", "--out", out)
    assert strangers.returncode == 1 and "README" in strangers.stderr


def test_scoring(tmp_path):
    picture(tmp_path / "drawn", "hit")
    picture(tmp_path / "drawn", "half")
    picture(tmp_path / "found", "hit")
    picture(tmp_path / "found", "half", shift=10)
    args = [BENCH / "score.py", "--images", tmp_path / "drawn" / "images", "--truth",
            tmp_path / "drawn" / "masks", "--masks", tmp_path / "found" / "masks"]
    report = json.loads(run(*args, "--json", "--worst", "1").stdout)
    assert report["iou"] == pytest.approx((400 + 200) / (400 + 600))
    assert report["mean_iou"] == pytest.approx((1 + 200 / 600) / 2)
    assert report["worst"] == [{"stem": "half", "iou": pytest.approx(1 / 3)}]
    assert "worst  half" in run(*args, "--worst", "1").stdout
    (tmp_path / "found" / "masks" / "half.png").unlink()
    missing = run(*args)
    assert missing.returncode == 1 and "'half'" in missing.stderr
