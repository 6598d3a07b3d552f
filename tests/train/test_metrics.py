"""Metrics on pictures small enough to count by hand."""
import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
pytest.importorskip("cv2", reason="the training requirements are not installed")
from nailseg import metrics  # noqa: E402


def box(x, y, w, h, shape=(40, 60)):
    m = np.zeros(shape, bool)
    m[y:y + h, x:x + w] = True
    return m


def test_iou_is_summed_over_pictures_and_mean_iou_is_not():
    rows = [metrics.score(box(0, 0, 10, 10), box(0, 0, 10, 10)),
            metrics.score(box(0, 0, 10, 5), box(0, 0, 10, 30))]
    out = metrics.total(rows)
    assert out["iou"] == pytest.approx(150 / 400)
    assert out["mean_iou"] == pytest.approx((1 + 50 / 300) / 2)


def test_outline_leaves_out_the_pictures_edge():
    assert metrics.outline(box(0, 0, 60, 40)).sum() == 0
    assert metrics.outline(box(0, 0, 10, 40)).sum() == 40
    assert metrics.outline(box(10, 10, 5, 4)).sum() == 2 * 5 + 2 * 4 - 4


def test_boundary_f_forgives_two_pixels_and_no_more():
    truth = box(10, 10, 20, 12)
    assert metrics.boundary_f(box(12, 10, 20, 12), truth) == 1
    assert 0 < metrics.boundary_f(box(13, 10, 20, 12), truth) < 1
    assert metrics.boundary_f(box(45, 30, 5, 5), truth) == 0
    assert metrics.boundary_f(np.zeros((40, 60), bool), truth) == 0
    assert metrics.boundary_f(np.zeros((40, 60), bool), np.zeros((40, 60), bool)) == 1


def test_nails_found_missed_and_false():
    truth = box(0, 0, 10, 10) | box(20, 0, 10, 10)
    mask = box(0, 0, 10, 5) | box(20, 0, 10, 4) | box(40, 20, 10, 10)
    r = metrics.score(mask, truth)
    assert (r["found"], r["missed"], r["false"]) == (1, 1, 1)


def test_specks_are_not_counted_as_nails():
    r = metrics.score(box(0, 0, 4, 4), np.zeros((40, 60), bool))
    assert r["false"] == 0 and r["painted"] == 16


def test_false_paint_only_where_no_nail_is_drawn():
    none = np.zeros((40, 60), bool)
    rows = [metrics.score(box(0, 0, 10, 12), none), metrics.score(none, box(0, 0, 9, 9))]
    out = metrics.total(rows)
    assert out["false_paint"] == pytest.approx(120 / 2400)
    assert metrics.total([metrics.score(none, box(0, 0, 9, 9))])["false_paint"] is None


def test_pictures_reach_the_input_size_nearest_in_shape_and_masks_come_back_in_place():
    from nailseg import evaluate
    assert evaluate.nearest_size((480, 640)) == (288, 384)
    assert evaluate.nearest_size((1000, 700)) == (384, 288)
    assert evaluate.nearest_size((432, 424)) == (320, 320)
    image, truth = np.zeros((240, 320, 3), np.uint8), box(60, 40, 90, 70, (240, 320))
    image[truth] = (0, 0, 255)
    out, rows = evaluate.evaluate(lambda x: x[0, 0, ::2, ::2], [("p", image, truth * 255)])
    assert out["iou"] > .97 and rows[0][0] == "p"
    assert out["found"] == 1 and out["missed"] == out["false"] == 0
