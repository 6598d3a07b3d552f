"""The synthetic renderer: determinism, masks, ids, sides, and one-line errors."""

import os
import subprocess
import sys

import numpy as np
import pytest

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
TRAIN = os.path.join(ROOT, "train")
ASSETS = os.path.join(ROOT, "..", "shared", "data", "hand3d-cc0")
sys.path.insert(0, TRAIN)

pytest.importorskip("moderngl")
pytest.importorskip("cv2")
from synth import camera, godot, gpu, mesh, pose, scene, skin, studio  # noqa: E402
from synth import video  # noqa: E402

needs_assets = pytest.mark.skipif(not os.path.isdir(ASSETS), reason="hand3d-cc0 is missing")
SMALL = (160, 120)
PLAIN = {"palm": "", "hands": 1, "close": False, "tilt": 0.2, "fill": 0.9, "fixed": "Sign 5",
         "desk": "plain", "mode": "desk", "polished": 0.0}


@pytest.fixture(scope="module")
def room():
    try:
        made = studio.Studio(ASSETS, supersample=2, tile=256)
    except gpu.RenderError as err:
        pytest.skip(str(err))
    yield made
    made.close()


@pytest.fixture(scope="module")
def hand():
    return mesh.Hand(ASSETS, levels=1)


def run(*args):
    return subprocess.run([sys.executable, "-m", "synth", *args], cwd=TRAIN, capture_output=True,
                          text=True, timeout=300)


@needs_assets
def test_same_seed_same_bytes(room):
    a, b = (room.frame(3, 1, SMALL) for _ in range(2))
    assert a.rgb.tobytes() == b.rgb.tobytes()
    assert a.mask.tobytes() == b.mask.tobytes() and a.meta == b.meta


@needs_assets
def test_earlier_frames_do_not_affect_later_ones(room):
    first = room.frame(4, 0, SMALL)
    for k in range(1, 4):
        room.frame(4, k, SMALL)
    assert room.frame(4, 0, SMALL).rgb.tobytes() == first.rgb.tobytes()


@needs_assets
def test_other_index_other_picture(room):
    assert room.frame(3, 1, SMALL).rgb.tobytes() != room.frame(3, 2, SMALL).rgb.tobytes()


@needs_assets
@pytest.mark.parametrize("index", range(6))
def test_mask_ids_and_meta_agree(room, index):
    shot = room.frame(9, index, SMALL)
    assert shot.rgb.shape == (120, 160, 3) and shot.mask.shape == shot.ids.shape == (120, 160)
    assert np.array_equal(shot.ids > 0, shot.mask >= 128)
    assert {n["id"] for n in shot.meta["nails"]} == set(np.unique(shot.ids)) - {0}
    for nail in shot.meta["nails"]:
        mine = shot.ids == nail["id"]
        assert nail["pixels"] == mine.sum()
        x0, y0, x1, y1 = nail["box"]
        assert mine[y0:y1, x0:x1].sum() == nail["pixels"]
        assert abs(np.hypot(*nail["axis"]) - 1) < 1e-3
        assert nail["finger"] == mesh.FINGERS[(nail["id"] - 1) % 5]


@needs_assets
def test_a_flat_hand_shows_its_nails_and_marks_lie_on_them(room):
    shot = room.frame(5, 0, (320, 240), **PLAIN)
    assert {"index", "middle", "ring", "little"} <= {n["finger"] for n in shot.meta["nails"]}
    for nail in shot.meta["nails"]:
        if nail["pixels"] > 60:
            x, y = (int(v) for v in nail["centre"])
            assert shot.ids[y, x] == nail["id"]


@needs_assets
def test_left_and_right_are_mirror_images(room):
    rng = np.random.default_rng(1)
    subject = scene.sample_subject(rng, desk="plain", mode="desk", polished=0)
    rest = room.hand.rest_rotation
    wishes = {k: PLAIN[k] for k in ("palm", "hands", "close", "tilt", "fill", "fixed")}
    view = scene.sample_view(rng, subject, room.poses, rest, 4 / 3, **wishes)
    view.update(angle=0.0, roll=0.0, offset=np.zeros(2))
    view["hands"][0].update(spin=np.eye(3))
    masks = {}
    for side in ("left", "right"):
        view["hands"][0]["side"] = side
        shot = room.shoot(subject, view, camera.clean(), np.random.default_rng(2), (320, 240), {})
        masks[side] = shot.mask > 127
        thumb = next(n for n in shot.meta["nails"] if n["finger"] == "thumb")
        little = next(n for n in shot.meta["nails"] if n["finger"] == "little")
        assert (thumb["centre"][0] > little["centre"][0]) == (side == "left")
    flipped = masks["right"][:, ::-1]
    both, either = (masks["left"] & flipped).sum(), (masks["left"] | flipped).sum()
    assert both / either > 0.95


@needs_assets
def test_an_open_palm_hides_most_nails(room):
    seen = {}
    for palm in ("", "away"):
        shots = [room.frame(6, k, SMALL, **dict(PLAIN, palm=palm)) for k in range(3)]
        seen[palm] = sum(int((s.mask > 127).sum()) for s in shots)
    assert seen["away"] < 0.25 * seen[""]


@needs_assets
def test_motion_blurs_picture_and_mask_alike(room):
    still, moved = camera.clean(), dict(camera.clean(), motion=12.0)
    a = room.frame(5, 0, (320, 240), camera=still, **PLAIN)
    b = room.frame(5, 0, (320, 240), camera=moved, **PLAIN)
    partial = lambda m: ((m > 0) & (m < 255)).sum()
    assert partial(b.mask) > 1.3 * partial(a.mask)
    assert abs(int(a.mask.sum()) - int(b.mask.sum())) < 0.05 * a.mask.sum()


@needs_assets
def test_video_moves_smoothly_and_closes(room):
    shots = list(video.frames(room, 2, 8, SMALL))
    tips = np.array([next(n["tip"] for n in s.meta["nails"] if n["finger"] == "middle")
                     for s in shots])
    steps = np.linalg.norm(np.roll(tips, -1, 0) - tips, axis=1)
    assert steps.max() > 0.2 and steps.max() < 12
    assert steps[-1] <= 1.5 * steps.max()


@needs_assets
def test_every_pose_file_bends_known_bones(hand):
    poses = pose.load(ASSETS)
    assert len(poses) >= 30
    for bones in poses.values():
        assert set(bones) <= set(hand.bones)
        assert np.allclose([np.linalg.norm(q) for q in bones.values()], 1, atol=1e-3)


@needs_assets
def test_rest_pose_moves_nothing(hand):
    assert np.allclose(hand.skin_matrices({}), np.eye(4), atol=2e-4)


@needs_assets
def test_skin_is_closed_and_nails_face_out(hand):
    edges = np.sort(np.stack([hand.tris, np.roll(hand.tris, -1, 1)], -1).reshape(-1, 2), 1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    for frame in hand.nail_frames:
        assert np.isclose(np.linalg.det(frame["frame"]), 1)
        assert 0.003 < frame["half_width"] < 0.009


def test_skin_tones_span_the_ita_classes():
    angles = [skin.ita(skin.tone(d)) for d in np.linspace(0, 1, 9)]
    assert angles[0] > 55 and angles[-1] < -30 and all(np.diff(angles) < 0)


@pytest.mark.parametrize("data", [b"", b"RSRC", b"GIF89a" * 40, b"RSRC" + b"\xff" * 400])
def test_a_bad_pose_file_is_a_pose_error(tmp_path, data):
    path = tmp_path / "bad.res"
    path.write_bytes(data)
    with pytest.raises(godot.PoseError, match="cannot read pose"):
        godot.read_pose(path)


@pytest.mark.parametrize("args, part", [
    ((), "required"),
    (("frames", "--out", "x", "--count", "0", "--seed", "1"), "--count"),
    (("frames", "--out", "x", "--count", "1", "--seed", "1", "--size", "9x"), "WIDTHxHEIGHT"),
    (("frames", "--out", "x", "--count", "1", "--seed", "1", "--size", "9x9000"), "64 to 4096"),
    (("frames", "--out", "x", "--count", "1", "--seed", "x"), "not a number"),
    (("frames", "--out", "x", "--count", "1", "--seed", "1", "--hand3d", "/nowhere"), "/nowhere"),
    (("video", "--out", "x", "--seed", "1"), "--seconds"),
])
def test_bad_arguments_give_one_line(args, part):
    done = run(*args)
    lines = done.stderr.strip().splitlines()
    assert done.returncode in (1, 2) and len(lines) == 1
    assert lines[0].startswith("synth: ") and part in lines[0]


@needs_assets
def test_the_command_writes_what_it_reports(tmp_path):
    done = run("frames", "--out", str(tmp_path), "--count", "2", "--seed", "4", "--start", "3",
               "--long-side", "96", "--supersample", "1", "--hand3d", os.path.abspath(ASSETS))
    assert done.returncode == 0, done.stderr
    for folder, end in (("images", "jpg"), ("masks", "png"), ("ids", "png"), ("meta", "json")):
        assert sorted(p.name for p in (tmp_path / folder).iterdir()) == [
            f"s4-00000{k}.{end}" for k in (3, 4)]


@needs_assets
def test_most_random_pictures_show_nails_and_some_show_none(room):
    shots = [room.frame(8, k, SMALL) for k in range(24)]
    shown = sum(bool(s.meta["nails"]) for s in shots)
    assert 16 <= shown <= 23
    assert {s.meta["hands"][0]["side"] for s in shots} == {"left", "right"}
    assert any(len(s.meta["hands"]) == 2 for s in shots)
