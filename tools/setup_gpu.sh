#!/usr/bin/env bash
# Downloads the libraries that --engine onnxruntime loads to .deps/onnxruntime, so that a GPU needs
# no container:
#
#   tools/setup_gpu.sh gpu      ONNX Runtime, CUDA and TensorRT for NVIDIA GPUs (5 GB of disk)
#   tools/setup_gpu.sh cpu      ONNX Runtime for the processor alone (40 MB)
#   tools/setup_gpu.sh intel    OpenVINO's part for Intel GPUs, into .deps/openvino
#
# tools/{gpu,tensorrt,onnxruntime}.txt list the wheels with their checksums. A second run finds its
# stamp and returns at once. DEPS=FOLDER: another folder than .deps. The driver is not downloaded;
# the machine must already have one (`lacquer engines` shows it).
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-gpu} deps=${DEPS:-.deps} python=${PYTHON:-python3}
say() { printf 'setup: %s\n' "$*" >&2; }
case $what in gpu | cpu | intel) ;; *) sed -n '2,11s/^# \?//p' "$0" >&2 && exit 2 ;; esac
[ "$(uname -m)" = x86_64 ] || { say "there are no such wheels for $(uname -m)"; exit 1; }

lists=(tools/setup_gpu.sh)
case $what in
gpu) lists+=(tools/gpu.txt tools/tensorrt.txt tools/wheel_stub.txt) ;;
cpu) lists+=(tools/onnxruntime.txt) ;;
intel) lists+=(tools/openvino.txt) ;;
esac
sum=$(cat "${lists[@]}" | sha256sum)
stamp=$deps/onnxruntime-$what.stamp
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && exit 0

mkdir -p "$deps"
[ -x "$deps/venv/bin/pip" ] || "$python" -m venv "$deps/venv"
pip=("$deps/venv/bin/pip" --disable-pip-version-check -q)
work=$deps/onnxruntime-$what.new
trap 'rm -rf "$work"' EXIT
rm -rf "$work"
mkdir -p "$work/wheels" "$work/libs"

# Only the wheels' C libraries are used, so the Python version does not matter.
download() {
    "${pip[@]}" download --no-deps --require-hashes --only-binary :all: --implementation cp \
        --python-version 3.11 --abi cp311 --abi none --platform manylinux_2_28_x86_64 \
        --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 \
        --platform manylinux2010_x86_64 -d "$work/wheels" -r "$1"
}

# One wheel at a time, so that there is never more than one copy on the disk.
unpack() {
    local wheel
    for wheel in "$work"/wheels/*.whl; do
        "$python" -m zipfile -e "$wheel" "$work/unpacked"
        rm "$wheel"
        find "$work/unpacked" -name '*.so*' ! -name '*pybind11*' -exec mv -t "$work/libs" {} +
        rm -rf "$work/unpacked"
    done
}

need_disk() {
    local free
    free=$(df --output=avail -m "$deps" | tail -1)
    [ "$free" -ge "$1" ] || { say "$1 MB of disk are needed in $deps, $free are free"; exit 1; }
}

get_tensorrt() {
    say "fetching TensorRT's libraries"
    "${pip[@]}" install --require-hashes -r tools/wheel_stub.txt
    "${pip[@]}" wheel --no-deps --no-build-isolation --require-hashes -w "$work/wheels" \
        -r tools/tensorrt.txt >"$work/log" 2>&1 && unpack && return
    say "TensorRT's libraries could not be fetched: $(grep -iE 'error' "$work/log" | tail -1)"
    say "CUDA works without; for TensorRT give this machine access to NVIDIA's package server, or"
    say "put libnvinfer.so.10 and libnvonnxparser.so.10 into $deps/onnxruntime"
    return 1
}

whole=true
case $what in
intel)
    say "fetching OpenVINO's part for Intel GPUs"
    download tools/openvino.txt
    unpack
    [ -d "$deps/openvino/libs" ] || { say "no $deps/openvino: tools/setup.sh first"; exit 1; }
    cp "$work/libs/libopenvino_intel_gpu_plugin.so" "$deps/openvino/libs/"
    printf '%s' "$sum" >"$stamp"
    exit 0
    ;;
gpu)
    need_disk 9000
    say "fetching ONNX Runtime and CUDA's libraries (2 GB)"
    download tools/gpu.txt
    unpack
    get_tensorrt || whole=false
    ;;
cpu)
    say "fetching ONNX Runtime"
    download tools/onnxruntime.txt
    unpack
    ;;
esac
rm -rf "$deps/onnxruntime"
mv "$work/libs" "$deps/onnxruntime"
rm -f "$deps"/onnxruntime-{gpu,cpu}.stamp
# Without TensorRT there is no stamp, so that the next run tries again.
$whole && printf '%s' "$sum" >"$stamp"
say "ONNX Runtime lies in $deps/onnxruntime"
