"""Lacquer and Triton in one container: the bundle of libraries, and the script that starts both."""
import os
import pathlib
import signal
import subprocess
import time

import httpx
import pytest
from conftest import LACQUER, ROOT

POD = ROOT / "deploy" / "triton-pod.sh"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    subprocess.run(["meson", "install", "-C", LACQUER.parent, "--no-rebuild", "--quiet"],
                   env={**os.environ, "DESTDIR": str(folder / "out")}, check=True)
    made = subprocess.run([ROOT / "tools" / "bundle.sh", folder / "out" / "usr" / "local",
                           folder / "lacquer"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder / "lacquer"


def address(process):
    for line in process.stdout:
        if line.startswith("listening on "):
            return line.split()[-1]
    raise AssertionError("it ended without serving")


def test_the_bundle_brings_all_its_libraries(bundle):
    environment = {**os.environ, "LACQUER_OPENVINO": str(bundle / "lib" / "lacquer")}
    process = subprocess.Popen([bundle / "bin" / "lacquer", "serve", "--port", "0", "--model",
                                bundle / "share" / "lacquer" / "nail.onnx"], env=environment,
                               stdout=subprocess.PIPE, text=True)
    try:
        assert httpx.get(f"{address(process)}/readyz").status_code == 200
        maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    finally:
        process.terminate()
        process.wait(timeout=60)
    libraries = {pathlib.Path(line.split()[-1]) for line in maps if ".so" in line}
    assert any("openvino_intel_cpu" in path.name for path in libraries)
    assert all(path.is_relative_to(bundle) for path in libraries), libraries


def test_the_pod_writes_its_repository_and_restarts_triton(tmp_path):
    """A tritonserver that exits at once simulates one that crashes; Lacquer serves in the
    meantime."""
    bin, models, started = tmp_path / "bin", tmp_path / "models", tmp_path / "started"
    bin.mkdir()
    (models / ".nail.a1B2c3").mkdir(parents=True)  # left by an interrupted start
    (bin / "lacquer").symlink_to(LACQUER)
    (bin / "tritonserver").write_text(f'#!/bin/sh\necho "$@" >>"{started}"\nexit 1\n')
    (bin / "tritonserver").chmod(0o755)
    environment = {**os.environ, "PATH": f"{bin}:{os.environ['PATH']}",
                   "LACQUER_MODELS": str(models),
                   "LACQUER_TRITON_SERVER": "--allow-client-shm=true --log-info=false"}
    process = subprocess.Popen([POD, "--port=0"], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    try:
        url = address(process)
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert "lacquer_triton_up" in httpx.get(f"{url}/metrics").text
        end = time.monotonic() + 20
        while not started.exists() or len(started.read_text().splitlines()) < 2:
            assert time.monotonic() < end, "tritonserver was not started again"
            time.sleep(0.1)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
    # Nobody outside reaches Triton, which has no passwords.
    assert started.read_text().splitlines()[0].split() == [
        f"--model-repository={models}", "--http-address=127.0.0.1", "--allow-grpc=false",
        "--metrics-address=127.0.0.1", "--allow-client-shm=true", "--log-info=false"]
    assert os.listdir(models) == ["nail"]
    config = (models / "nail" / "config.pbtxt").read_text()
    assert 'key: "precision_mode" value: "FP16"' in config and "KIND_GPU" in config
