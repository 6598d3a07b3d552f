"""The command line: apply and eval on real files, and every kind of usage error."""
import io
import json
import os
import re
import pathlib
import shutil
import socket
import subprocess
import tempfile

import numpy as np
import pytest
from PIL import Image

from conftest import NO_NAILS, Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
LACQUER = ROOT / "build" / "lacquer"
HANDS = ROOT / "tests" / "golden" / "hands"
SHARED = ROOT.parent / "shared"


def lacquer(*args, status=0, **kwargs):
    done = subprocess.run([LACQUER, *map(str, args)], capture_output=True, timeout=120, cwd=ROOT,
                          **kwargs)
    assert done.returncode == status, done.stderr.decode()
    return done


def hand(name="light"):
    return HANDS / f"{name}.jpg"


def truth(name="light"):
    return np.asarray(Image.open(HANDS / f"{name}.mask.png").convert("L")) >= 128


def picture(path, **kwargs):
    return np.asarray(Image.open(path, **kwargs).convert("RGB")).astype(int)


def test_apply_paints_nails_and_little_else(tmp_path):
    out = tmp_path / "out.png"
    done = lacquer("apply", hand(), "-o", out, "--color", "#00ff00", "--json")
    report = json.loads(done.stdout)
    before, after, nails = picture(hand()), picture(out), truth()
    assert after.shape == before.shape == (report["height"], report["width"], 3)
    greener = (after - before)[..., 1] - (after - before)[..., 0]
    assert greener[nails].mean() > 60
    from PIL import ImageFilter

    near = np.asarray(Image.fromarray((nails * 255).astype("uint8"))
                      .filter(ImageFilter.MaxFilter(25))) > 0
    assert np.abs(after - before)[~near].mean() < 0.3
    assert [n["id"] for n in report["nails"]] == list(range(1, len(report["nails"]) + 1))
    assert set(report["ms"]) == {"decode", "prepare", "infer", "nails", "paint", "encode", "total"}
    assert report["ms"]["total"] == pytest.approx(
        sum(v for k, v in report["ms"].items() if k != "total"), abs=0.01)


def test_apply_a_look_and_what_changes_it(tmp_path):
    look = tmp_path / "my.json"
    look.write_text(json.dumps({"color": "#00ff00", "finish": "matte"}))
    nails = truth()

    def painted(*options):
        lacquer("apply", hand(), "-o", tmp_path / "out.png", *options)
        return picture(tmp_path / "out.png")[nails].mean(axis=0)

    assert painted("--look", look)[1] > 2 * painted("--color", "#0000ff", "--look", look)[1]
    lacquer("looks", "--looks", tmp_path)
    listed = json.loads(lacquer("looks", "--json", "--looks", tmp_path).stdout)
    assert "my" in [item["name"] for item in listed["looks"]]
    pattern = tmp_path / "Blue sky.png"
    Image.new("RGB", (8, 8), (0, 0, 255)).save(pattern)
    blue = painted("--look", look, "--pattern", pattern)
    assert blue[2] > blue[1] + 40
    look.write_text('{"gloss": 7}')
    done = lacquer("apply", hand(), "-o", tmp_path / "out.png", "--look", look, status=2)
    assert b"gloss must be a number from 0 to 1" in done.stderr


def test_apply_keeps_the_kind_and_the_untouched_pixels(tmp_path):
    source = tmp_path / "in.png"
    Image.open(hand()).save(source)
    lacquer("apply", source, "-o", tmp_path / "out.png", "--mask-out", tmp_path / "mask.png")
    before, after = picture(source), picture(tmp_path / "out.png")
    mask = np.asarray(Image.open(tmp_path / "mask.png"))
    assert mask.ndim == 2 and mask.shape == before.shape[:2]
    assert (mask >= 128).any()
    assert (after[mask == 0] == before[mask == 0]).all()


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB;progressive", "RGBA", "LA", "P", "1", "I;16"])
def test_apply_reads_every_kind(tmp_path, mode):
    source = Image.open(hand())
    name, _, how = mode.partition(";")
    if name in ("L", "CMYK") or how == "progressive":
        path = tmp_path / "in.jpg"
        source.convert(name).save(path, progressive=how == "progressive")
    else:
        path = tmp_path / "in.png"
        if name == "I":
            grey = np.asarray(source.convert("L")).astype("uint16") * 257
            Image.fromarray(grey).save(path)
        else:
            source.convert(name).save(path)
    out = tmp_path / ("out" + path.suffix)
    lacquer("apply", path, "-o", out)
    painted = Image.open(out)
    assert painted.size == source.size
    assert painted.format == ("JPEG" if path.suffix == ".jpg" else "PNG")
    if name in ("RGBA", "LA"):
        assert painted.mode == "RGBA"


def test_apply_turns_by_exif(tmp_path):
    source = Image.open(hand())
    exif = Image.Exif()
    exif[0x0112] = 6  # shown rotated by 90 degrees clockwise
    source.save(tmp_path / "in.jpg", exif=exif, quality=95)
    lacquer("apply", tmp_path / "in.jpg", "-o", tmp_path / "out.jpg")
    out = Image.open(tmp_path / "out.jpg")
    assert out.size == (source.height, source.width)
    assert out.getexif().get(0x0112, 1) == 1


def test_apply_processes_many_files_and_names_the_bad_one(tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    done = lacquer("apply", hand("light"), bad, hand("dark"), "-o", tmp_path / "out", "--json",
                   status=1)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [pathlib.Path(line["input"]).name for line in lines] == ["light.jpg", "dark.jpg"]
    assert b"bad.jpg" in done.stderr and b"1 of 3" in done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["dark.jpg", "light.jpg"]


def test_apply_reads_stdin_and_writes_stdout():
    done = lacquer("apply", "-", "-o", "-", input=hand().read_bytes())
    assert Image.open(io.BytesIO(done.stdout)).size == Image.open(hand()).size


def test_apply_never_overwrites_its_input(tmp_path):
    copy = tmp_path / "hand.jpg"
    shutil.copy(hand(), copy)
    done = lacquer("apply", copy, "-o", copy, status=1)
    assert b"overwrite" in done.stderr
    assert copy.read_bytes() == hand().read_bytes()


@pytest.mark.parametrize("args, words", [
    (["apply"], "no picture given"),
    (["apply", "x.jpg"], "no output given"),
    (["apply", "x.jpg", "-o", "y.jpg", "--color", "#zzz"], "#zzz"),
    (["apply", "x.jpg", "-o", "y.jpg", "--texture", "2"], "texture"),
    (["apply", "x.jpg", "-o", "y.jpg", "--texture", "nan"], "texture"),
    (["apply", "x.jpg", "-o", "y.jpg", "--finish", "velvet"], "velvet"),
    (["apply", "x.jpg", "-o", "y.jpg", "--precision", "f8"], "f8"),
    (["apply", "x.jpg", "-o", "y.jpg", "--engine", "abacus"], "abacus"),
    (["eval"], "no pictures given"),
    (["nosuch"], "no command"),
    ([], "Usage"),
])
def test_wrong_use_exits_2_with_one_clear_line(args, words):
    done = lacquer(*args, status=2)
    assert words in done.stderr.decode()
    assert done.stdout == b""


@pytest.mark.parametrize("args, words", [
    (["apply", "/no/such.jpg", "-o", "/tmp/y.jpg"], "/no/such.jpg"),
    (["apply", "IN", "-o", "/no/such/folder/y.jpg"], "/no/such/folder"),
    (["apply", "IN", "-o", "/tmp/y.jpg", "--model", "/no/such.onnx"], "/no/such.onnx"),
    (["apply", "IN", "-o", "/tmp/y.jpg", "--model", "README.md"], "README.md"),
    (["apply", "IN", "-o", "/tmp/y.jpg", "--model", "tests/golden/hands/light.mask.png"],
     "light.mask.png"),
    (["eval", "--images", "/no/such/folder"], "/no/such/folder"),
])
def test_failure_exits_1_with_one_clear_line(args, words):
    done = lacquer(*[hand() if a == "IN" else a for a in args], status=1)
    text = done.stderr.decode()
    assert words in text and text.startswith("lacquer: ") and text.count("\n") == 1


def test_eval_scores_its_own_masks_as_perfect(tmp_path):
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    for name in ("light", "dark"):
        shutil.copy(hand(name), images)
    lacquer("eval", "--images", images, "--write-masks", masks)
    report = json.loads(lacquer("eval", "--images", images, "--masks", masks, "--json").stdout)
    assert report["images"] == 2
    assert report["iou"] == report["mean_iou"] == report["boundary_f"] == 1
    assert report["missed"] == report["false"] == 0 and report["found"] > 0
    assert report["false_paint"] is None


def test_eval_names_a_missing_or_wrong_mask(tmp_path):
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir(), masks.mkdir()
    shutil.copy(hand(), images)
    done = lacquer("eval", "--images", images, "--masks", masks, status=1)
    assert b"light.png" in done.stderr
    Image.new("L", (10, 10)).save(masks / "light.png")
    done = lacquer("eval", "--images", images, "--masks", masks, status=1)
    assert b"10x10" in done.stderr


TFLITE = ROOT / "models" / "nail.tflite"


@pytest.mark.skipif(not TFLITE.exists(), reason="the default model has no .tflite yet")
def test_the_default_networks_two_float_files_find_the_same_nails(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name in ("light", "brown", "large"):
        shutil.copy(hand(name), images)
    lacquer("eval", "--raw", "--precision", "f32", "--images", images, "--write-masks",
            tmp_path / "masks", "--model", ROOT / "models" / "nail-f16.onnx")
    report = json.loads(lacquer("eval", "--raw", "--precision", "f32", "--images", images,
                                "--masks",
                                tmp_path / "masks", "--model", TFLITE, "--json").stdout)
    assert report["found"] > 5 and report["missed"] == report["false"] == 0
    assert report["iou"] > 0.99


@pytest.mark.skipif(not (SHARED / "data" / "test-a-cc0").is_dir(),
                    reason="needs the public test pictures beside the checkout")
@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_eval_reaches_its_goals_on_real_photos(precision):
    if precision not in (pathlib.Path("/proc/cpuinfo").read_text() + " f32"):
        pytest.skip("this processor has no bf16")
    data = SHARED / "data" / "test-a-cc0"
    report = json.loads(lacquer("eval", "--images", data / "images", "--masks", data / "masks",
                                "--directions", data / "directions.json", "--precision", precision,
                                "--json").stdout)
    hands = report["directions"]
    assert report["images"] == 52
    assert report["iou"] >= 0.91 and report["boundary_f"] >= 0.855
    assert report["missed"] <= 15 and report["false"] <= 1
    assert hands["right"] >= 0.95 * hands["found"]
    assert hands["backwards"] <= 0.005 * hands["found"]
    assert hands["named"] >= 0.90 * hands["fingers"]
    assert hands["named_right"] >= 0.97 * hands["named"]


def test_eval_measures_how_steady_a_video_is(tmp_path):
    """The rendered video: smoothing removes most of the flicker and adds no lag."""
    video = (ROOT / "tests" / "e2e" / "hand.mjpeg").read_bytes().split(b"\xff\xd8\xff")[1:]
    masks = ROOT / "tests" / "e2e" / "hand-masks"
    for number, picture in enumerate(video):
        (tmp_path / f"{number:04}.jpg").write_bytes(b"\xff\xd8\xff" + picture)
    args = ["eval", "--images", tmp_path, "--masks", masks, "--sequence", "--json"]
    steady = json.loads(lacquer(*args).stdout)
    bare = json.loads(lacquer(*args, "--no-smoothing").stdout)
    assert steady["images"] == bare["images"] == 90
    assert steady["flicker"] < 0.4 * bare["flicker"]
    assert abs(steady["lag_frames"] - bare["lag_frames"]) < 0.3
    assert steady["iou"] > bare["iou"] + 0.04  # most frames use a multi-scale pass
    assert steady["false"] <= bare["false"] + 2
    assert steady["flips"] == 0 and steady["flips_of"] > 100
    assert 0 < bare["flicker_floor"] < bare["flicker"]
    done = lacquer("eval", "--images", tmp_path, "--sequence", status=2)
    assert b"--masks" in done.stderr
    assert b"--fps" in lacquer(*args, "--fps", "0", status=2).stderr


def test_manual_has_every_command_and_option():
    page = (ROOT / "build" / "lacquer.1").read_text()
    listed = re.findall(r"^  ([a-z].{12})", lacquer("--help").stdout.decode(), re.M)
    commands = [name.strip() for name in listed if not name.startswith("lacquer ")]
    assert {"apply", "looks import", "serve"} < set(commands) and len(commands) >= 13
    for command in commands:
        assert f".SS lacquer {command}" in page
        text = lacquer(*command.split(), "--help").stdout.decode()
        for word in text.split():
            option = re.split(r"[=\[]", word.strip("[],."))[0]
            if option.startswith("--") and option not in ("--help", "--usage", "--version", "--"):
                assert option.replace("-", "\\-") in page, (command, option)


def test_manual_has_every_variable_of_the_environment():
    page = (ROOT / "build" / "lacquer.1").read_text()
    read = {name for path in (ROOT / "src").rglob("*.c")
            for name in re.findall(r'getenv\("(LACQUER_\w+|PORT)"', path.read_text())}
    assert len(read) >= 4
    for name in read:
        assert f".TP\n{name}\n" in page


@pytest.fixture
def nobody():
    """Runs the command as a user who may not read everything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # Not below pytest's own folder, which is closed to others.
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        home.chmod(0o777)
        program = home / "lacquer"
        shutil.copy(LACQUER, program)  # the checkout may lie below /root
        closed = home / "closed"
        closed.mkdir(mode=0o700)

        def run(*args, **environment):
            return subprocess.run([program, *map(str, args)], capture_output=True, text=True,
                                  timeout=60, cwd=home, env={"HOME": str(home), **environment},
                                  user=65534, group=65534, extra_groups=[])
        run.closed = closed
        yield run


@pytest.mark.parametrize("arguments", [
    ["serve", "--port", "0", "--web"], ["serve", "--port", "0", "--looks"], ["looks", "--looks"],
    ["eval", "--masks", "/", "--images"]])
def test_a_folder_that_may_not_be_read_is_named_with_the_reason(nobody, arguments):
    done = nobody(*arguments, nobody.closed)
    assert done.returncode in (1, 2)
    assert f"'{nobody.closed}': Permission denied" in done.stderr


def test_an_unreadable_openvino_is_reported(nobody):
    done = nobody("inspect", ROOT / "models" / "nail.onnx", LACQUER_OPENVINO=str(nobody.closed))
    assert done.returncode == 1
    assert f"'{nobody.closed}': {nobody.closed}/libopenvino_c.so" in done.stderr
    assert "Permission denied" in done.stderr


def test_colour_is_color(tmp_path):
    looks = []
    for option in ("--color", "--colour"):
        out = tmp_path / "out.png"
        lacquer("apply", hand(), "-o", out, option, "#00ff00")
        looks.append(out.read_bytes())
    assert looks[0] == looks[1]


def test_the_loaders_error_about_openvino_is_reported(tmp_path):
    (tmp_path / "libopenvino_c.so.2641").write_bytes(b"\x7fELF and no more")
    done = lacquer("apply", hand(), "-o", tmp_path / "out.jpg", status=1,
                   env={**os.environ, "LACQUER_OPENVINO": str(tmp_path)})
    said = done.stderr.decode()
    assert f"{tmp_path}/libopenvino_c.so.2641: file too short" in said
    assert "make build" not in said


def test_no_openvino_says_where_it_was_looked_for(tmp_path):
    program = tmp_path / "bin" / "lacquer"
    program.parent.mkdir()
    shutil.copy(LACQUER, program)
    done = subprocess.run([program, "apply", hand(), "-o", tmp_path / "out.jpg", "--model",
                           ROOT / "models" / "nail.onnx"], capture_output=True, text=True,
                          timeout=60, cwd=tmp_path)
    assert done.returncode == 1
    assert "../lib/lacquer beside the program" in done.stderr
    assert "LACQUER_OPENVINO" in done.stderr and "make build" not in done.stderr


def test_a_host_by_its_name():
    name = socket.gethostname()
    try:
        address = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0]
    except OSError:
        pytest.skip("this machine's own name has no address")
    running = Server(*NO_NAILS, "--host", name)
    assert running.line.startswith(f"listening on http://{address}:") or \
        address in ("127.0.0.1", "::1")
    assert running.stop()[0] == 0


@pytest.mark.parametrize("host, reason", [
    ("no-such-host.invalid", "--host: cannot resolve 'no-such-host.invalid': "),
    ("1.2.3", "cannot listen on '1.2.3': not an IP address")])
def test_a_host_that_has_no_address(host, reason):
    done = lacquer("serve", "--port", "0", "--host", host, status=2)
    assert reason in done.stderr.decode()
