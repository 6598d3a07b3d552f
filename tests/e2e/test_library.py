"""liblacquer as other programs use it: installed, found by pkg-config and CMake, from C, C++ and
Python, from several threads, loaded as a plug-in, and with models that crash the engine."""
import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from conftest import HANDS, LACQUER, ROOT
from test_foreign_models import killer, small_mask

BUILD = LACQUER.parent
EXAMPLES, PROGRAMS = ROOT / "examples", ROOT / "tests" / "e2e" / "library"
HAND, VIDEO = HANDS / "light.jpg", ROOT / "tests" / "e2e" / "hand.mjpeg"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


class Installed:
    """A prefix of its own, like /usr/local after `make install`."""

    def __init__(self, folder):
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], check=True,
                       env={**os.environ, "DESTDIR": str(folder)})
        (program,) = folder.rglob("bin/lacquer")
        self.prefix = program.parent.parent
        (self.library,) = self.prefix.rglob("liblacquer.so.0")
        (module,) = self.prefix.rglob("lacquer.pc")
        text = module.read_text()  # as if it had been configured for its present location
        module.write_text(re.sub(r"^prefix=.*", f"prefix={self.prefix}", text, flags=re.M))
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("LACQUER_OPENVINO", "LACQUER_LIBRARY")}
        self.environment |= {"PKG_CONFIG_PATH": str(module.parent),
                             "LD_LIBRARY_PATH": str(self.library.parent)}

    def flags(self):
        return subprocess.run(["pkg-config", "--cflags", "--libs", "lacquer"], check=True,
                              env=self.environment, capture_output=True, text=True).stdout.split()

    def compile(self, source, out, compiler="cc", *options):
        subprocess.run([compiler, *options, "-D_GNU_SOURCE", source, *self.flags(), "-pthread",
                        "-o", out], check=True, env=self.environment)
        return out

    def run(self, *args, **more):
        more.setdefault("env", self.environment)
        return subprocess.run(list(map(str, args)), capture_output=True, timeout=400, **more)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def python(installed):
    """Runs a script with the Python package and the installed library."""
    environment = {**installed.environment, "LACQUER_LIBRARY": str(installed.library),
                   "PYTHONPATH": str(ROOT / "packaging" / "python"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*args, **more):
        return installed.run(sys.executable, *args, env=environment, text=True, **more)
    return run


# ---- what was installed


def test_it_exports_its_names_alone_and_knows_no_build_folder(installed):
    dynamic = subprocess.run(["readelf", "-dW", installed.library], check=True,
                             capture_output=True, text=True).stdout
    assert "[liblacquer.so.0]" in dynamic and "RUNPATH" not in dynamic and "RPATH" not in dynamic
    symbols = subprocess.run(["nm", "-D", "--defined-only", installed.library], check=True,
                             capture_output=True, text=True).stdout
    names = re.findall(r" T (\S+)", symbols)
    declared = set(re.findall(r"\b(lacquer_\w+)\(", (ROOT / "include" / "lacquer.h").read_text()))
    assert set(names) == {f"{name}@@LACQUER_0" for name in declared}
    needed = installed.run("ldd", installed.library).stdout.decode()
    assert "not found" not in needed and str(BUILD) not in needed


@pytest.mark.parametrize("compiler, options", [
    ("cc", ["-std=c99", "-xc"]), ("cc", ["-std=c11", "-xc"]), ("c++", ["-std=c++11", "-xc++"]),
    ("c++", ["-std=c++17", "-xc++"])])
def test_the_header_is_strict_c_and_cpp(tmp_path, compiler, options):
    source = tmp_path / "all.c"
    source.write_text('#include <lacquer.h>\nint main(void)\n{\n'
                      '    struct lacquer_options o = LACQUER_OPTIONS_INIT;\n'
                      '    struct lacquer_request q = LACQUER_REQUEST_INIT;\n'
                      '    struct lacquer_response r = LACQUER_RESPONSE_INIT;\n'
                      '    return o.threads + q.quality + r.passes;\n}\n')
    subprocess.run([compiler, *options, *STRICT, "-pedantic-errors", "-I", ROOT / "include", "-c",
                    source, "-o", tmp_path / "all.o"], check=True)


def test_who_installs_it_where_the_loader_does_not_look_is_told(tmp_path):
    done = subprocess.run([ROOT / "tools" / "after_install.sh", tmp_path], capture_output=True,
                          text=True)
    assert done.returncode == 0 and f"LD_LIBRARY_PATH={tmp_path}" in done.stderr


INSTALL = """set -e
mount --make-rprivate /
mount --bind "$1/etc" /etc
mount --bind "$1/local" /usr/local
meson install -C "$2" --no-rebuild --quiet
cc -std=c99 "$3" $(pkg-config --cflags --libs lacquer) -o "$1/paint"
cd /
LD_DEBUG=files LD_DEBUG_OUTPUT="$1/loaded" "$1/paint" "$4" "$1/out.jpg"
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root")
def test_roots_install_is_found_with_no_variable_set(tmp_path):
    """`make install` into a folder that replaces /usr/local: pkg-config, the compiler, the loader
    (through ldconfig, which the install runs) and the library itself find their files."""
    (tmp_path / "local").mkdir()
    subprocess.run(["cp", "-a", "/etc", tmp_path / "etc"], check=True)
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(["unshare", "--mount", "sh", "-c", INSTALL, "-", tmp_path, BUILD,
                           EXAMPLES / "paint.c", HAND], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^nail \d", done.stdout, re.M)) >= 4 and is_jpeg(tmp_path / "out.jpg")
    assert "install:" not in done.stdout + done.stderr  # no further step is needed
    (log,) = tmp_path.glob("loaded.*")
    used = re.findall(r"calling init: (/\S*(?:lacquer|openvino)\S*)", log.read_text())
    assert len(used) >= 3 and all(path.startswith("/usr/local/lib/") for path in used), used


# ---- examples


def is_jpeg(path):
    return path.read_bytes()[:3] == b"\xff\xd8\xff"


def test_example_in_c(installed, tmp_path):
    program = installed.compile(EXAMPLES / "paint.c", tmp_path / "paint", "cc", "-std=c99", *STRICT)
    env = {**installed.environment, "LD_DEBUG": "files"}
    done = installed.run(program, HAND, tmp_path / "out.jpg", cwd=tmp_path, env=env)
    assert done.returncode == 0 and is_jpeg(tmp_path / "out.jpg"), done.stderr[-500:]
    assert len(re.findall(rb"^nail \d", done.stdout, re.M)) >= 4
    # OpenVINO was found beside the library, not beside the program or where it was built.
    used = set(re.findall(rb"calling init: (/\S*openvino_c\S*)", done.stderr))
    assert used == {str(installed.prefix / "lib/lacquer/libopenvino_c.so.2641").encode()}
    assert str(BUILD).encode() + b"/lib" not in done.stderr
    done = installed.run(program, ROOT / "README.md", tmp_path / "none.jpg")
    assert done.returncode == 1 and b"JPEG" in done.stderr and not (tmp_path / "none.jpg").exists()


def test_example_in_cpp(installed, tmp_path):
    program = installed.compile(EXAMPLES / "paint.cpp", tmp_path / "paint", "c++", "-std=c++17",
                                *STRICT)
    done = installed.run(program, HAND, tmp_path / "out.jpg", "classic-french")
    assert done.returncode == 0 and is_jpeg(tmp_path / "out.jpg"), done.stderr
    assert b'"finger":"index"' in done.stdout
    done = installed.run(program, HAND, tmp_path / "out.jpg", '{"gloss": 2}')
    assert done.returncode == 1 and b"gloss" in done.stderr


def test_example_of_a_video(installed, tmp_path):
    cv2 = pytest.importorskip("cv2")
    program = installed.compile(EXAMPLES / "video.c", tmp_path / "video", "cc", "-std=c99", *STRICT)
    capture = cv2.VideoCapture(str(VIDEO))
    frames = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB) for _ in range(8)]
    height, width = frames[0].shape[:2]
    done = installed.run(program, width, height, 30, "accent-gold",
                         input=np.stack(frames).tobytes())
    assert done.returncode == 0, done.stderr[-500:]
    painted = np.frombuffer(done.stdout, np.uint8).reshape(8, height, width, 3)
    changed = [(np.abs(a.astype(int) - b) > 8).any(axis=2).mean() for a, b in zip(painted, frames)]
    assert all(0.001 < share < 0.2 for share in changed), changed
    shown = re.findall(rb"frame (\d) nail (\d+)", done.stderr)
    assert len({nail for _, nail in shown}) < len(shown) / 4  # ids are kept
    assert installed.run(program, 0, height, 30, "accent-gold").returncode == 2


@pytest.mark.skipif(not shutil.which("cmake"), reason="no cmake here")
def test_cmake_finds_it(installed, tmp_path):
    project = tmp_path / "fresh"
    shutil.copytree(EXAMPLES, project)
    for step in (["-S", project, "-B", tmp_path / "out"], ["--build", tmp_path / "out"]):
        done = installed.run("cmake", *step)
        assert done.returncode == 0, done.stdout + done.stderr
    done = installed.run(tmp_path / "out" / "paint-c", HAND, tmp_path / "out.jpg")
    assert done.returncode == 0 and is_jpeg(tmp_path / "out.jpg"), done.stderr


def test_examples_in_python(python, tmp_path):
    done = python(EXAMPLES / "paint.py", HAND, tmp_path / "out.jpg", "classic-french")
    assert done.returncode == 0 and is_jpeg(tmp_path / "out.jpg"), done.stderr
    assert len(re.findall(r"^nail \d+: (?!unknown)", done.stdout, re.M)) >= 3, done.stdout
    done = python(EXAMPLES / "paint.py", HAND, tmp_path / "out.jpg", "no-such-look")
    assert done.returncode == 1 and "no-such-look" in done.stderr and "Traceback" not in done.stderr


def test_example_with_opencv(python, tmp_path):
    cv2 = pytest.importorskip("cv2")
    video = tmp_path / "video.mjpeg"
    pictures = VIDEO.read_bytes().split(b"\xff\xd8\xff")[1:9]
    video.write_bytes(b"".join(b"\xff\xd8\xff" + picture for picture in pictures))
    done = python(EXAMPLES / "opencv_video.py", video, tmp_path / "out.mp4", "classic-french")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"8 frames, [1-9]\d? nails\n", done.stdout), done.stdout
    before, after = (cv2.VideoCapture(str(path)) for path in (video, tmp_path / "out.mp4"))
    for _ in range(8):
        (ok, a), (fine, b) = before.read(), after.read()
        assert ok and fine and a.shape == b.shape


# ---- hosts


def test_a_plugin_folder_is_enough(installed, tmp_path):
    """The library and `lacquer` beside it, moved out of their prefix and opened with dlopen,
    twice."""
    plugins = tmp_path / "app" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(installed.library, plugins / "liblacquer.so.0")
    shutil.copytree(installed.prefix / "lib" / "lacquer", plugins / "lacquer")
    model = small_mask(tmp_path)  # a foreign model: the program that tries it is found there too
    host = tmp_path / "host"
    subprocess.run(["cc", "-I", ROOT / "include", PROGRAMS / "plugin.c", "-o", host], check=True)
    env = {k: v for k, v in installed.environment.items() if k != "LD_LIBRARY_PATH"}
    done = installed.run(host, plugins / "liblacquer.so.0", model, HAND, env=env,
                         cwd="/")
    counts = re.findall(rb"^(\d+) nails$", done.stdout, re.M)
    assert done.returncode == 0 and len(counts) == 2 and counts[0] == counts[1], done
    # Files that others could have put there are not loaded.
    (plugins / "lacquer").chmod(0o777)
    done = installed.run(host, plugins / "liblacquer.so.0", model, HAND, env=env)
    assert done.returncode == 1 and b"nails" not in done.stdout, done


def test_threads_of_one_model(installed, tmp_path):
    program = installed.compile(PROGRAMS / "threads.c", tmp_path / "threads")
    done = installed.run(program, ROOT / "models" / "nail.onnx", 6, 12)
    assert done.returncode == 0 and done.stdout.startswith(b"6 threads"), done


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind here")
@pytest.mark.parametrize("tool", [["--leak-check=full", "--errors-for-leak-kinds=definite"],
                                  ["--tool=drd"]])
def test_valgrind_finds_nothing(installed, tmp_path, tool):
    """With recorded outputs instead of OpenVINO, which uses processor features that valgrind
    lacks."""
    program = installed.compile(PROGRAMS / "threads.c", tmp_path / "threads")
    model = ROOT / "tests" / "fixtures" / "yolo_unit.replay"
    done = installed.run("valgrind", "-q", "--error-exitcode=9",
                         f"--suppressions={PROGRAMS}/valgrind.supp", *tool, program, model, 3, 3)
    assert done.returncode == 0, done.stderr.decode()[-3000:]


SILENT = """
import lacquer, numpy as np, sys
from lacquer import _native
said = []
taker = _native.LOG(lambda user, level, text: said.append((level, text)))
if len(sys.argv) > 2:
    lacquer._library.set_log(taker, None)
painter = lacquer.Lacquer(sys.argv[1], cache_dir="/proc/none/cache")
painter.detect(np.zeros((48, 64, 3), np.uint8))
for wrong in ("/no/such.onnx", __file__):
    try:
        lacquer.Lacquer(wrong)
        raise SystemExit("opened " + wrong)
    except lacquer.Error as error:
        assert wrong in str(error), error
if len(sys.argv) > 2:
    assert any(b"unknown key" in text for _, text in said), said
    lacquer._library.set_log(_native.LOG(), None)
"""


@pytest.mark.parametrize("log", [[], ["log"]])
def test_it_prints_nothing(python, tmp_path, log):
    model = small_mask(tmp_path)
    model.with_suffix(".json").write_text('{"odd_key": 1}')
    script = tmp_path / "silent.py"
    script.write_text(SILENT)
    done = python(script, model, *log)
    assert done.returncode == 0 and done.stdout == "" and done.stderr == "", done


FOREIGN = """
import lacquer, signal, sys, threading, time
if "ignored" in sys.argv:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
threading.Thread(target=time.sleep, args=(1,)).start()
try:
    lacquer.Lacquer(sys.argv[1], cache_dir=sys.argv[2])
except lacquer.Error as error:
    print(error.code, error)
print("alive")
"""


@pytest.mark.parametrize("reaped", ["by us", "ignored"])
def test_a_model_that_ends_the_engine_does_not_end_the_host(python, tmp_path, reaped):
    script, cache = tmp_path / "foreign.py", tmp_path / "cache"
    script.write_text(FOREIGN)
    cache.mkdir()
    done = python(script, killer(tmp_path), cache, reaped)
    assert done.returncode == 0 and done.stderr == "", done
    how = r"it ended by signal \d+ \(SIG\w+" if reaped == "by us" else "it ended before"
    told = rf"-3 cannot run model '\S+': tried in a separate process, {how}"
    assert re.match(told, done.stdout)
    assert done.stdout.endswith("alive\n") and not list(cache.glob("tried-*"))
    fit = small_mask(tmp_path)
    assert python(script, fit, cache).stdout == "alive\n"
    (verdict,) = cache.glob("tried-*")
    assert verdict.read_text() == "direct\n"


def test_without_its_helper_a_foreign_model_is_not_opened(installed, python, tmp_path):
    helper = installed.prefix / "lib" / "lacquer" / "lacquer-check-model"
    model = small_mask(tmp_path)
    script = ("import lacquer, sys\nlacquer.Lacquer(sys.argv[1], check_model=False).close()\n"
              "try: lacquer.Lacquer(sys.argv[1])\nexcept lacquer.Error as error: print(error)\n")
    helper.rename(helper.with_suffix(".away"))
    try:
        done = python("-c", script, model)
    finally:
        helper.with_suffix(".away").rename(helper)
    assert done.returncode == 0 and "LACQUER_CHECK_NEVER" in done.stdout, done


FORKED = """
import lacquer, numpy as np, os
painter = lacquer.Lacquer()
black = np.zeros((48, 64, 3), np.uint8)
painter.detect(black, multi_scale=False)
child = os.fork()
if child == 0:
    told = []
    for call in (lambda: painter.detect(black), lacquer.Lacquer):
        try: call()
        except lacquer.Error as error: told.append("spawn" in str(error))
    os._exit(0 if told == [True, True] else 1)
assert os.waitpid(child, 0)[1] == 0
painter.detect(black)
"""


def test_a_forked_child_is_told_and_does_not_hang(python):
    done = python("-c", FORKED)
    assert done.returncode == 0, done.stderr


# ---- Python


@pytest.fixture(scope="module")
def lacquer(installed):
    os.environ["LACQUER_LIBRARY"] = str(installed.library)
    sys.path.insert(0, str(ROOT / "packaging" / "python"))
    try:
        import lacquer
        yield lacquer
    finally:
        sys.path.pop(0)
        del os.environ["LACQUER_LIBRARY"]


def test_structs_are_those_of_the_header(installed, lacquer, tmp_path):
    program = installed.compile(PROGRAMS / "sizes.c", tmp_path / "sizes")
    for line in installed.run(program).stdout.decode().splitlines():
        what, number = line.split()
        name, _, member = what.partition(".")
        struct = getattr(lacquer._native, name.capitalize())
        found = getattr(struct, member).offset if member else ctypes.sizeof(struct)
        assert found == int(number), line


def hand():
    from PIL import Image
    return np.asarray(Image.open(HAND).convert("RGB"))


def test_arrays_in_and_out(lacquer):
    picture = hand()
    kept = picture.copy()
    with lacquer.Lacquer(threads=1) as painter:
        result = painter.paint(picture, {"color": "#101080"}, multi_scale=False)
        assert (picture == kept).all() and result.image.shape == picture.shape
        mask = result.mask()
        changed = (np.abs(result.image.astype(int) - picture) > 12).any(axis=2)
        assert mask[changed].mean() > 200 and len(result.nails) >= 4
        assert {"index", "middle"} <= {nail.finger for nail in result.nails}
        bgr = np.ascontiguousarray(picture[..., ::-1])
        painter.paint(bgr, lacquer.Look({"color": "#101080"}), pixel_format="bgr", in_place=True,
                      multi_scale=False)
        assert (bgr[..., ::-1] == result.image).all()
        view = np.array(picture)[:, ::-1][:, ::-1]  # not contiguous in memory
        again = painter.paint(view, {"color": "#101080"}, multi_scale=False)
        assert (again.image == result.image).all()
        assert painter.detect(picture, multi_scale=False, find_hands=False).image is None
        png = painter.paint_file(HAND.read_bytes(), "classic-french", format="png")
        assert png.encoded.startswith(b"\x89PNG") and png.ms["total"] > 0
        for wrong in (picture.astype(float), picture[..., 0], picture[..., :2]):
            with pytest.raises(ValueError, match="uint8, height x width x 3"):
                painter.detect(wrong)
        with pytest.raises(lacquer.Error, match="timed out|too old|time"):
            painter.paint_file(HAND.read_bytes(), "classic-french", timeout=0.001)
    with pytest.raises(ValueError, match="closed"):
        painter.detect(picture)
    assert "openvino" in lacquer.engines() and lacquer.catalogue()["looks"]


def test_a_video_keeps_ids(lacquer):
    video = lacquer.Lacquer(threads=1).video()
    seen = [sorted(nail.id for nail in video.detect(hand(), time=i / 30).nails) for i in range(4)]
    assert seen[0] and all(ids == seen[0] for ids in seen)
    video.reset()
    assert not set(seen[0]) & {nail.id for nail in video.detect(hand(), time=1).nails}


def test_many_python_threads_and_a_free_interpreter(lacquer):
    import concurrent.futures
    import threading
    import time
    painter, picture = lacquer.Lacquer(threads=1, contexts=3), hand()
    beats, over = [], threading.Event()

    def beat():
        while not over.is_set():
            beats.append(time.monotonic())
            time.sleep(0.001)
    threading.Thread(target=beat).start()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: painter.paint(
            picture, "classic-french", multi_scale=False, find_hands=False), range(24)))
    over.set()
    assert all((result.image == results[0].image).all() for result in results)
    assert len(painter._all) == 3
    # The interpreter ran in the meantime: a call that held the GIL would leave a gap of its length.
    total = sum(result.ms["total"] for result in results) / 1000
    assert len(beats) > total * 20, (len(beats), total)
