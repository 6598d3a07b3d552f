# Sourced by tools/setup.sh: installs the OpenVINO runtime from its PyPI wheel in .deps/openvino.

openvino_wheel() { # FOLDER PYTHON: the wheel for that Python ("3.11"), unpacked there
    local platform=manylinux_2_28_x86_64
    [ "$machine" = x86_64 ] || platform=manylinux_2_35_aarch64
    venv
    rm -rf "$1"
    pip download --no-deps --require-hashes --only-binary :all: --implementation cp \
        --python-version "$2" --abi "cp${2/./}" --platform $platform -d "$1" \
        -r tools/openvino.txt
    .deps/venv/bin/python -m zipfile -e "$1"/openvino-*.whl "$1/unpacked"
    rm "$1"/openvino-*.whl
}

# Keeps the CPU plugin, the readers of ONNX and TFLite, the C headers and the licences. The GPU and
# NPU plugins, readers of other formats and the plugins that choose among devices are not used and
# take half of the space.
get_openvino() {
    local sum from=.deps/wheel/unpacked size='59 MB to fetch, 92 MB on disk'
    [ "$machine" = x86_64 ] || size='30 MB to fetch, 71 MB on disk'
    sum=$(cat tools/openvino.txt tools/setup/openvino.sh <(echo "$machine") | sha256sum)
    fresh openvino "$sum" && return
    say "fetching the OpenVINO runtime: $size"
    # Each wheel is for one Python, but only its C libraries and headers are used here.
    openvino_wheel .deps/wheel 3.11
    rm -rf .deps/openvino
    mkdir -p .deps/openvino/include/openvino
    mv $from/openvino/libs .deps/openvino/
    mv $from/openvino/include/openvino/c .deps/openvino/include/openvino/
    mv $from/openvino-*.dist-info/licenses .deps/openvino/
    rm -f .deps/openvino/libs/libopenvino_{auto,auto_batch,hetero,intel_gpu,intel_npu}_plugin.so \
        .deps/openvino/libs/libopenvino_{gguf,jax,paddle,pytorch,tensorflow}_frontend.so.* \
        .deps/openvino/libs/{cache.json,tbb.pc} .deps/openvino/libs/libtbbmalloc_proxy.so*
    rm -rf .deps/wheel
    printf '%s' "$sum" >.deps/openvino.stamp
}

# Installs its Python package, which the tests and their Triton import.
get_openvino_python() {
    local sum version
    version=$(.deps/venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    sum="$(cat .deps/openvino.stamp) $version"
    fresh openvino-python "$sum" && [ -d .deps/openvino/python ] && return
    say "fetching OpenVINO's Python package: 13 MB on disk"
    openvino_wheel .deps/wheel "$version"
    rm -rf .deps/openvino/python .deps/wheel/unpacked/openvino/{libs,include}
    mkdir .deps/openvino/python
    mv .deps/wheel/unpacked/openvino .deps/openvino/python/
    ln -s ../../libs .deps/openvino/python/openvino/libs
    rm -rf .deps/wheel
    printf '%s' "$sum" >.deps/openvino-python.stamp
}
