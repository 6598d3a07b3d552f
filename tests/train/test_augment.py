"""The sample stream: seeded, labels where the nails are, negatives empty."""
import json
import pathlib

import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
cv2 = pytest.importorskip("cv2", reason="the training requirements are not installed")
from nailseg import augment, data, negatives  # noqa: E402

MIX = {"negative": .2, "synth": .0, "skin": .3, "polish": .3, "clutter": .3, "camera": 1.0}
PLAIN = {"negative": 0, "synth": 0, "skin": 0, "polish": 0, "clutter": 0, "camera": 0}


class Photos:
    """A synthetic photo: a bright red nail on grey."""
    synth = outlined = ()

    def photo(self, rng):
        image, mask = np.full((120, 160, 3), 90, np.uint8), np.zeros((120, 160), np.uint8)
        mask[40:70, 60:100] = 255
        image[mask > 0] = (0, 0, 255)
        return image, mask

    any = photo

    def blank(self, side):
        return np.zeros((side, side), np.uint8)


class Taught(Photos):
    """The same with a teacher who believes half of what is drawn."""

    def photo(self, rng):
        image, mask = super().photo(rng)
        return image, np.dstack((mask, mask // 2))

    any = photo

    def blank(self, side):
        return np.zeros((side, side, 2), np.uint8)


def draw(seed, mix, n=12, photos=Photos):
    return data.batch(np.random.default_rng(seed), photos(), n, 96, (60, 300), mix, augment.sample)


def test_a_seed_fixes_the_stream():
    a, b, c = draw(1, MIX), draw(1, MIX), draw(2, MIX)
    assert (a[0] == b[0]).all() and (a[1] == b[1]).all()
    assert not (a[0] == c[0]).all()


def test_shapes_and_types():
    images, labels = draw(3, MIX)
    assert images.shape == (12, 96, 96, 3) and images.dtype == np.uint8
    assert labels.shape == (12, 1, 48, 48) and labels.dtype == np.uint8


def test_label_follows_the_nail_through_every_warp(monkeypatch):
    monkeypatch.setattr(negatives, "colour", lambda rng, skin=0: (60, 60, 60))
    images, labels = draw(4, PLAIN, 40)
    red = (images[..., 0].astype(int) - images[..., 1] > 80)[:, ::2, ::2]
    nail = labels[:, 0] > 127
    seen = 0
    for r, m in zip(red, nail):
        if m.sum() > 60:
            seen += 1
            assert (r & m).sum() / (r | m).sum() > .7
    assert seen > 15


def test_a_teachers_map_takes_every_step_of_the_mask():
    _, labels = draw(3, MIX, 40, Taught)
    alone = draw(3, MIX, 40)[1].astype(int)  # OpenCV rounds two channels otherwise than one
    assert (np.abs(labels[:, :1] - alone) > 8).mean() < .005
    assert labels.shape == (40, 2, 48, 48) and labels[:, 1].max() == 127
    assert np.abs(labels[:, 1] - labels[:, 0] / 2).max() <= 3


def test_a_missing_map_is_named(tmp_path):
    with pytest.raises(SystemExit, match="thumb.png.*nailseg teach"):
        data.taught(str(tmp_path), "thumb", np.zeros((4, 4), np.uint8))


class Outlined(Photos):
    """The same beside an outlined photo without a nail."""
    outlined = (None,)

    def outline(self, rng):
        return np.full((120, 160, 3), 90, np.uint8), np.zeros((120, 160), np.uint8)


def test_outlined_photos_are_drawn_as_often_as_the_config_says():
    empty = [(draw(6, dict(PLAIN, outlined=share), 60, Outlined)[1].max((1, 2, 3)) == 0).mean()
             for share in (0, .5, 1)]
    assert empty[0] < .2 and .3 < empty[1] < .7 and empty[2] > .8  # the rest: nails of backdrops


def test_outlines_become_masks(tmp_path):
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "hand.jpg"), np.zeros((40, 60, 3), np.uint8))
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"images": "photos", "photos": {"hand": {
        "nails": [[10, 10, 20, 10, 20, 30, 10, 30]], "unsure": [[40, 5, 50, 5, 50, 15]]}}}))
    (image, mask), = data.outlined(tmp_path, labels)
    assert image.shape == (40, 60, 3) and mask.shape == (40, 60)
    assert mask[20, 15] == 255 and mask[6, 48] == 128 and mask[35, 30] == 0
    labels.write_text(labels.read_text().replace('"hand"', '"foot"'))
    with pytest.raises(SystemExit, match="foot.jpg.*labels.json"):
        data.outlined(tmp_path, labels)


def test_every_outline_has_corners():
    train = pathlib.Path(augment.__file__).resolve().parents[1]
    for path in (train / "labels").glob("*.json"):
        for stem, shapes in json.loads(path.read_text())["photos"].items():
            assert shapes["nails"], stem
            for points in shapes["nails"] + shapes["unsure"]:
                corners = np.array(points).reshape(-1, 2)
                assert len(corners) >= 3 and 0 <= corners.min() and corners.max() <= 1280, stem


@pytest.mark.parametrize("kind", negatives.KINDS)
def test_negatives_are_pictures_and_differ(kind):
    a, b = (kind(np.random.default_rng(s), 64) for s in (1, 2))
    assert a.shape == (64, 64, 3) and a.dtype == np.uint8
    assert (a != b).any()


def test_negative_samples_hold_no_nail():
    _, labels = draw(5, dict(PLAIN, negative=1.0), 20)
    assert labels.max() < 40


def test_sensor_noise_keeps_the_picture():
    image = np.full((64, 64, 3), 128, np.uint8)
    out = augment.sensor(np.random.default_rng(1), image)
    assert out.dtype == np.uint8 and out.std() > .5
