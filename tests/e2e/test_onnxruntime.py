"""ONNX Runtime in this process: on the processor it finds the same nails as OpenVINO. If a part
that a GPU needs is missing or wrong, one line says so, and the processor is used instead."""
import json
import os
import re
import shutil
import subprocess

import httpx
import pytest
from conftest import HANDS, LACQUER, ROOT, Server
from test_foreign_models import small_mask
from test_model_kinds import detr, finds_the_nails, lacquer, model, yolo

WHEELS = sorted((ROOT / ".deps" / "venv").glob("lib/python3*/site-packages/onnxruntime/capi"))
COMPARE = LACQUER.parent / "tests" / "unit-engine_onnxruntime"
TABLE = 420  # entries of the library's function table

pytestmark = pytest.mark.skipif(not WHEELS, reason="no onnxruntime in .deps/venv")


@pytest.fixture(autouse=True)
def library(monkeypatch):
    monkeypatch.setenv("LACQUER_ONNXRUNTIME", str(WHEELS[0]))


def apply(*args, **environment):
    done = subprocess.run(
        [LACQUER, "apply", HANDS / "light.jpg", "-o", "/dev/null", "--fast", "--json",
         "--cache-dir", "none", *map(str, args)],
        capture_output=True, text=True, timeout=240, cwd=ROOT, env={**os.environ, **environment})
    said = [line for line in done.stderr.splitlines() if " warn " in line or "lacquer:" in line]
    return done, said


# ---- the same results


HEADS = {"yolo-cells": lambda: yolo("cells"), "yolo-final": lambda: yolo("final"), "detr": detr}


@pytest.mark.parametrize("head", HEADS)
def test_each_head_is_equal_to_openvinos(tmp_path, head):
    path = model(tmp_path / "m.onnx", HEADS[head]())
    done = subprocess.run([COMPARE, path], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("worst") == len(HEADS[head]())


@pytest.mark.parametrize("head", HEADS)
def test_nails_are_found(tmp_path, head, monkeypatch):
    path = model(tmp_path / "m.onnx", HEADS[head](), open_batch=head == "yolo-cells")
    real = lacquer
    monkeypatch.setattr("test_model_kinds.lacquer",
                        lambda *args: real(*args, "--engine", "onnxruntime"))
    finds_the_nails(tmp_path, path)


def test_a_tflite_is_converted(tmp_path):
    """The result of lq_convert has a fixed size, so a sidecar must not name others."""
    shutil.copy(ROOT / "models" / "nail.tflite", tmp_path)
    done, _ = apply("--engine", "onnxruntime", "-m", tmp_path / "nail.tflite")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["nails"]) == 5
    subprocess.run([LACQUER, "convert", "models/nail.tflite", tmp_path / "nail.onnx"], check=True,
                   cwd=ROOT, capture_output=True)
    shutil.copy(ROOT / "models" / "nail.json", tmp_path)
    done, said = apply("--engine", "onnxruntime", "-m", tmp_path / "nail.onnx")
    assert done.returncode == 1 and len(said) == 1, done.stderr
    assert re.search(r"on a tensor of 1x\d+x\d+x3: .*; \"sizes\" in its sidecar", said[0])


def test_replay_works_beside_it():
    done, _ = apply("-m", "tests/fixtures/yolo_pixels.replay")
    assert json.loads(done.stdout)["engine"] == "replay"


# ---- serving


@pytest.mark.parametrize("args, asked", [
    (["--engine", "onnxruntime"], "auto"), (["--engine", "tensorrt"], "tensorrt"),
    (["--device", "cuda"], "cuda"), (["--engine", "onnxruntime", "--batch", "2"], "auto")])
def test_it_serves_in_the_sandbox(args, asked, hand):
    server = Server(*args, "--log-level", "debug")
    answer = httpx.post(f"{server.url}/api/v1/nails", content=hand, timeout=120,
                        headers={"content-type": "image/jpeg"})
    metrics = httpx.get(f"{server.url}/metrics").text
    status, said = server.stop()
    assert status == 0 and answer.status_code == 200, said
    assert len(answer.json()["nails"]) == 5
    assert re.search(rf'^lacquer_onnxruntime_info{{version="[\d.]+",device="cpu",asked="{asked}"}} 1$',
                     metrics, re.M), metrics
    assert "lacquer_onnxruntime_frames_total 0\n" not in metrics
    assert "in the sandbox" in said
    told = re.findall(r"warn  (.*); computing on the processor instead", said)
    assert len(told) == (asked != "auto"), said


def test_it_is_a_fallback_for_triton(hand):
    server = Server("--triton-url", "http://127.0.0.1:9", "--fallback", "onnxruntime", "--model",
                    "models/nail-f16.onnx")
    answer = httpx.post(f"{server.url}/api/v1/nails", content=hand, timeout=120,
                        headers={"content-type": "image/jpeg"})
    status, said = server.stop()
    assert status == 0 and len(answer.json()["nails"]) == 5, said


def test_nothing_is_reported_home(tmp_path):
    """ONNX Runtime 1.32 creates an identifier and a store of telemetry events when it is loaded."""
    done, _ = apply("--engine", "onnxruntime", HOME=str(tmp_path), XDG_CACHE_HOME="")
    assert done.returncode == 0, done.stderr
    assert not [path for path in tmp_path.rglob("*") if "icrosoft" in str(path)]


# ---- missing or wrong parts


def build(path, code="", needs=()):
    """A library of ours in place of one of NVIDIA's."""
    path.parent.mkdir(exist_ok=True)
    source = path.with_suffix(".c")
    source.write_text(code or "int none;\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", path, source, "-Wl,-soname," + path.name,
                    "-Wl,--no-as-needed", *needs], check=True)
    return path


def driver(folder, version=12040, init=0, count=1):
    """A simulated libcuda.so.1."""
    build(folder / "libcuda.so.1", f"""
#include <string.h>
int cuInit(unsigned flags) {{ return {init}; }}
int cuDriverGetVersion(int *version) {{ *version = {version}; return 0; }}
int cuDeviceGetCount(int *count) {{ *count = {count}; return 0; }}
int cuDeviceGet(int *device, int index) {{ *device = index; return 0; }}
int cuDeviceGetName(char *name, int size, int device) {{ strcpy(name, "Test GPU"); return 0; }}
int cuGetErrorString(int result, const char **text) {{ *text = "system has unsupported display "
    "driver / cuda driver combination"; return 0; }}
""")


def gpu_folder(folder, needs=("libcudart.so.12", "libnvinfer.so.10"), there=("libcudart.so.12",)):
    """The library with providers that need these libraries, some of which exist."""
    folder.mkdir()
    shutil.copy(next(WHEELS[0].glob("libonnxruntime.so.1*")), folder)
    made = {name: build(folder / name) for name in needs}
    for kind in "cuda", "tensorrt":
        of_kind = [made[n] for n in needs if kind == "tensorrt" or "nvinfer" not in n]
        build(folder / f"libonnxruntime_providers_{kind}.so", needs=of_kind)
    for name in set(needs) - set(there):
        made[name].unlink()
    return folder


PROCESSOR = "; computing on the processor instead"


@pytest.mark.parametrize("case", ["no driver", "driver fails", "no gpu", "old driver",
                                  "no tensorrt", "no copy"])
def test_a_wrong_part_is_reported_in_one_line(tmp_path, case):
    folder, drivers = tmp_path / "lib", tmp_path / "driver"
    drivers.mkdir()
    newest = "libcudart.so.13" if case == "old driver" else "libcudart.so.12"
    gpu_folder(folder, needs=(newest, "libnvinfer.so.10"), there=(newest,) if case != "no copy"
               else (newest, "libnvinfer.so.10"))
    if case != "no driver":
        driver(drivers, init=803 if case == "driver fails" else 0, count=int(case != "no gpu"))
    done, said = apply("--engine", "tensorrt", LACQUER_ONNXRUNTIME=str(folder),
                       LD_LIBRARY_PATH=str(drivers))
    assert done.returncode == 0 and len(json.loads(done.stdout)["nails"]) == 5, done.stderr
    expected = {
        "no driver": "no NVIDIA driver (libcuda.so.1) is here",
        "driver fails": "the NVIDIA driver answers error 803 (system has unsupported display",
        "no gpu": "the NVIDIA driver knows none",
        "old driver": "its driver supports CUDA 12.4, and this ONNX Runtime "
                      f"{version()} is built for CUDA 13; update the NVIDIA driver",
        "no tensorrt": "cannot use TensorRT: not here or not loadable: libnvinfer.so.10; run "
                       "'tools/setup.sh gpu'",
        "no copy": "cannot use TensorRT: its CUDA runtime has no cudaMemcpy"}[case]
    assert len(said) == 1 and expected in said[0] and said[0].endswith(PROCESSOR), said


def version():
    return next(WHEELS[0].glob("libonnxruntime.so.1.*")).name.removeprefix("libonnxruntime.so.")


def engines(**environment):
    done = subprocess.run([LACQUER, "engines", "--json"], capture_output=True, text=True,
                          timeout=60, env={**os.environ, **environment})
    return {each["name"]: each for each in json.loads(done.stdout)["engines"]}


def test_engines_names_every_part(tmp_path):
    folder, drivers = gpu_folder(tmp_path / "lib"), tmp_path / "driver"
    drivers.mkdir()
    driver(drivers)
    found = engines(LACQUER_ONNXRUNTIME=str(folder), LD_LIBRARY_PATH=str(drivers))["onnxruntime"]
    assert found["available"]
    parts = {part["name"]: part for part in found["parts"]}
    there = {name: part["available"] for name, part in parts.items()}
    assert there == {"libonnxruntime.so.1": True, "libcuda.so.1": True,
                     "libonnxruntime_providers_cuda.so": True, "libcudart.so.12": True,
                     "libonnxruntime_providers_tensorrt.so": True, "libnvinfer.so.10": False}
    assert version() in parts["libonnxruntime.so.1"]["detail"]
    assert parts["libcuda.so.1"]["detail"] == "driver for CUDA 12.4; 1 GPU, the first: Test GPU"
    assert "tools/setup.sh gpu" in parts["libnvinfer.so.10"]["detail"]


def test_its_absence_is_explained(tmp_path):
    found = engines(LACQUER_ONNXRUNTIME=str(tmp_path))["onnxruntime"]
    assert not found["available"] and "not in there" in found["reason"]
    done, said = apply("--engine", "onnxruntime", LACQUER_ONNXRUNTIME=str(tmp_path))
    assert done.returncode == 1 and len(said) == 1 and "libonnxruntime.so.1" in said[0]


def test_a_crashing_library_crashes_a_child_process(tmp_path):
    """A foreign model is tried in a separate process first; ours would have been opened
    directly."""
    build(tmp_path / "lib" / "libonnxruntime.so.1", f"""
#include <stdlib.h>
static void *end(void) {{ abort(); }}
static void *table[{TABLE}];
static const void *const *get(unsigned version)
{{
    for (int i = 0; i < {TABLE}; i++)
        table[i] = end;
    return (const void *const *)table;
}}
static const char *version(void) {{ return "1.99.0"; }}
static const struct {{ const void *const *(*get)(unsigned); const char *(*version)(void); }}
    base = {{get, version}};
const void *OrtGetApiBase(void) {{ return &base; }}
""")
    done, said = apply("--engine", "onnxruntime", "-m", small_mask(tmp_path),
                       LACQUER_ONNXRUNTIME=str(tmp_path / "lib"))
    assert done.returncode == 1, done.stderr
    assert "signal 6 (SIGABRT" in said[-1] and "ONNX Runtime cannot take this file" in said[-1]


def test_the_verdict_is_stored_for_each_engine(tmp_path):
    path, cache = small_mask(tmp_path), tmp_path / "cache"
    for engine in "openvino", "onnxruntime", "onnxruntime":
        assert apply("--engine", engine, "-m", path, "--cache-dir", cache)[0].returncode == 0
    assert len(list(cache.glob("tried-*"))) == 2


def test_damaged_files_are_named(tmp_path):
    whole = (ROOT / "models" / "nail-f16.onnx").read_bytes()
    for name, content in ("cut.onnx", whole[:len(whole) // 2]), ("text.onnx", b"not a model"):
        (tmp_path / name).write_bytes(content)
        done, said = apply("--engine", "onnxruntime", "-m", tmp_path / name)
        assert done.returncode == 1 and len(said) == 1, done.stderr
        assert f"{name}' is no model, or a damaged one: .onnx is read" in said[0]


@pytest.mark.parametrize("args, wanted", [
    (["--device", "abacus"], "--device does not know 'abacus'"),
    (["--engine", "openvino", "--device", "cuda"], "--device cuda works only with onnxruntime"),
    (["--batch", "99"], "--batch")])
def test_wrong_use(args, wanted):
    done, _ = apply(*args)
    assert done.returncode == 2 and wanted in done.stderr


def test_an_intel_gpu_that_is_not_there_is_one_line():
    done, said = apply("--device", "gpu")
    assert done.returncode == 0 and len(json.loads(done.stdout)["nails"]) == 5
    assert len(said) == 1 and "on an Intel GPU" in said[0] and PROCESSOR in said[0]


# ---- the scripts


def script(name, *args):
    return subprocess.run([ROOT / "tools" / name, *map(str, args)], capture_output=True, text=True,
                          timeout=60)


def test_damaged_pieces_are_not_unpacked(tmp_path):
    """Checked before anything is written: damage from a bad connection would end in wrong
    results."""
    (tmp_path / "part.000").write_text("damaged")
    (tmp_path / "SHA256SUMS").write_text("0" * 64 + "  part.000\n")
    done = script("gpu_rows.sh", "run", tmp_path, tmp_path / "out.json")
    assert done.returncode == 1 and "a piece is damaged or missing" in done.stderr
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("name", ["gpu_rows.sh", "setup_gpu.sh"])
def test_scripts_print_their_usage(name):
    done = script(name, "abacus")
    assert done.returncode == 2 and f"tools/{name} " in done.stderr


def test_every_wheel_has_its_checksum():
    for name in "gpu.txt", "tensorrt.txt", "onnxruntime.txt", "wheel_stub.txt":
        text = (ROOT / "tools" / name).read_text()
        assert len(re.findall("^[a-z].*==", text, re.M)) == text.count("--hash=sha256:") > 0
