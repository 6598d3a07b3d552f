"""A teacher's maps: several looks at one photo, brought back to its pixels."""
import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
cv2 = pytest.importorskip("cv2", reason="the training requirements are not installed")
from nailseg import data, teach  # noqa: E402


def photo():
    """A red disc left of the middle of a wide picture."""
    image = np.zeros((216, 288, 3), np.uint8)
    return cv2.circle(image, (90, 100), 30, (0, 0, 255), -1)


def red(x):
    """As the network: half the input's size."""
    return cv2.resize(x[0, 0], None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA)


def test_looks_lie_over_one_another():
    seen = []
    found = teach.looks(lambda x: seen.append(x) or red(x), photo()) > .5
    truth = photo()[..., 2] > 127
    assert (found & truth).sum() / (found | truth).sum() > .97
    assert [x.shape[2:] for x in seen[::2]] == [(288, 384), (384, 512), (512, 672)]
    assert (seen[1] == seen[0][..., ::-1]).all()


def test_maps_are_read_back_beside_the_mask(tmp_path, monkeypatch):
    monkeypatch.setattr(teach, "runner", lambda model: red)
    cv2.imwrite(str(tmp_path / "a.png"), photo())
    (tmp_path / "out").mkdir()
    teach.write("model", str(tmp_path / "out"), ("a", str(tmp_path / "a.png"), None))
    mask = photo()[..., 2]
    both = data.taught(str(tmp_path / "out"), "a", mask)
    assert both.shape == (216, 288, 2) and (both[..., 0] == mask).all()
    assert ((both[..., 1] > 127) != (mask > 127)).sum() < 100


def test_photos_are_drawn_where_student_and_teacher_disagree(tmp_path):
    nail = np.zeros((100, 100), np.float32)
    nail[20:40, 20:40] = 1
    assert teach.disagreement(nail, nail) == 0
    assert teach.disagreement(nail * 0, nail) > .9
    assert teach.disagreement(nail, np.roll(nail, 5, 1)) == pytest.approx(.4, abs=.02)
    assert teach.disagreement(nail * 0, np.eye(100, dtype=np.float32) * .2) == pytest.approx(.5)
    teach.write_chances(str(tmp_path / "chances.csv"),
                        teach.by_disagreement([("a", .05), ("b", .2), ("c", .9)]))
    drawn = np.diff(data.chances(str(tmp_path), ["a", "b", "c"]), prepend=0)
    assert drawn / drawn[1] == pytest.approx([.35, 1, 2])
    with pytest.raises(SystemExit, match="no line for photo 'd'"):
        data.chances(str(tmp_path), ["a", "d"])


def test_close_ups_are_drawn_more_often(tmp_path):
    drawn = []
    for name, radius in (("none", 0), ("far", 5), ("near", 9)):
        mask = np.zeros((100, 200), np.uint8)
        for x in (40, 100, 160) if radius else ():
            cv2.circle(mask, (x, 50), radius, 255, -1)
        cv2.imwrite(str(tmp_path / f"{name}.png"), mask)
        drawn.append(teach.by_size((name, None, str(tmp_path / f"{name}.png"))))
    assert drawn == [("none", 1), ("far", 1), ("near", 1.5)]


def test_without_chances_all_photos_are_alike(tmp_path):
    for folder in (None, str(tmp_path)):
        assert data.chances(folder, ["a", "b", "c", "d"]) == pytest.approx([.25, .5, .75, 1])
