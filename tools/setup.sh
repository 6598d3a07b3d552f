#!/usr/bin/env bash
# Makes a Debian 12 machine ready to build (and, with "test", to test) Lacquer:
# Debian packages by apt-get, the OpenVINO runtime and the tests' tools into .deps/, nothing global
# beyond the packages. A second run finds its stamps and returns at once.
#
#   tools/setup.sh [build|test]
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}

build_packages=(gcc libc6-dev meson ninja-build pkg-config python3 python3-venv ca-certificates
    libssl-dev libseccomp-dev liblcms2-dev libjpeg62-turbo-dev libturbojpeg0-dev libspng-dev
    libwebp-dev libavif-dev libjansson-dev libcurl4-openssl-dev libcmocka-dev protobuf-c-compiler
    libprotobuf-c-dev libonnx-dev esbuild brotli)
# Four of the libraries are what HAProxy and nginx link with (see get_servers); libheif1 is loaded
# for HEIC and never linked with.
test_packages=(chromium nodejs npm openssl curl patchelf libegl1 libgl1-mesa-dri liblua5.3-0
    libopentracing-c-wrapper0 libpcre2-8-0 libpython3.11 valgrind libc6-dbg clang
    libclang-rt-14-dev qemu-user libheif1 zbar-tools)

say() { printf 'setup: %s\n' "$*" >&2; }

need_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q ' installed$' ||
            missing+=("$name")
    done
    # Node may come from elsewhere; Debian's packages are only wanted where there is none.
    if command -v node >/dev/null && command -v npm >/dev/null; then
        local kept=()
        for name in "${missing[@]}"; do
            case $name in nodejs | npm) ;; *) kept+=("$name") ;; esac
        done
        missing=("${kept[@]}")
    fi
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "these packages are missing and there is no sudo; as root run:"
        say "  apt-get install ${missing[*]}"
        exit 1
    fi
    say "installing ${missing[*]}"
    as_root apt-get update -q >/dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
        "${missing[@]}" >/dev/null
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# A stamp holds the checksum of what it was made from: a changed pin is installed anew.
fresh() { [ -f ".deps/$1.stamp" ] && [ "$(cat ".deps/$1.stamp")" = "$2" ]; }

venv() { [ -x .deps/venv/bin/pip ] || python3 -m venv .deps/venv; }

get_openvino() {
    local sum
    sum=$(sha256sum tools/openvino.txt tools/setup.sh | sha256sum)
    fresh openvino "$sum" && return
    say "fetching the OpenVINO runtime"
    venv
    rm -rf .deps/openvino .deps/wheel
    # The wheel is named for one Python, but only its C libraries and headers are used.
    .deps/venv/bin/pip --disable-pip-version-check -q download --no-deps --require-hashes \
        --only-binary :all: --implementation cp --python-version 3.11 --abi cp311 \
        --platform manylinux_2_28_x86_64 -d .deps/wheel -r tools/openvino.txt
    python3 -m zipfile -e .deps/wheel/openvino-*.whl .deps/wheel/unpacked
    mkdir -p .deps/openvino
    mv .deps/wheel/unpacked/openvino/include .deps/wheel/unpacked/openvino/libs .deps/openvino/
    mv .deps/wheel/unpacked/openvino-*.dist-info/licenses .deps/openvino/
    # The rest is its Python package, which the tests' Triton imports.
    mkdir .deps/openvino/python
    mv .deps/wheel/unpacked/openvino .deps/openvino/python/
    ln -s ../../libs .deps/openvino/python/openvino/libs
    # The GPU and NPU plugins and other frameworks' readers are not used: 60 MB less.
    rm -f .deps/openvino/libs/libopenvino_{intel_gpu,intel_npu}_plugin.so \
        .deps/openvino/libs/libopenvino_{gguf,jax,paddle,pytorch,tensorflow}_frontend.so.* \
        .deps/openvino/libs/cache.json
    rm -rf .deps/wheel
    printf '%s' "$sum" >.deps/openvino.stamp
}

get_test_tools() {
    local sum
    sum=$(cat tests/requirements.txt tests/e2e/package*.json tools/setup.sh | sha256sum)
    fresh tests "$sum" && return
    say "fetching the tests' tools"
    venv
    .deps/venv/bin/pip --disable-pip-version-check -q install --only-binary :all: \
        --require-hashes -r tests/requirements.txt
    (cd tests/e2e && npm ci --silent --no-audit --no-fund)
    printf '%s' "$sum" >.deps/tests.stamp
}

# The balancers and promtool that deploy/ is tested with: unpacked here, for installed they would
# start as services of the machine.
get_servers() {
    local packages=(haproxy nginx prometheus) sum package
    sum=$(sha256sum tools/setup.sh)
    fresh servers "$sum" && return
    say "fetching ${packages[*]}"
    rm -rf .deps/servers
    mkdir -p .deps/servers/debs
    # A list of packages that is old names files that are gone.
    (cd .deps/servers/debs && { apt-get download -q "${packages[@]}" >/dev/null 2>&1 ||
        { as_root apt-get update -q && apt-get download -q "${packages[@]}"; } >/dev/null; })
    for package in .deps/servers/debs/*.deb; do
        dpkg-deb -x "$package" .deps/servers
    done
    mkdir .deps/servers/bin
    mv .deps/servers/usr/sbin/{haproxy,nginx} .deps/servers/usr/bin/promtool .deps/servers/bin/
    rm -rf .deps/servers/{debs,etc,lib,usr,var}
    printf '%s' "$sum" >.deps/servers.stamp
}

# A real tritonserver; where it cannot be had its tests are skipped and say so.
get_tritonserver() {
    local sum folder=.deps/tritonserver
    sum=$(sha256sum tools/triton.txt tools/setup.sh | sha256sum)
    fresh tritonserver "$sum" && return
    venv
    [ "$(.deps/venv/bin/python -c 'import sys; print(*sys.version_info[:2])')" = "3 11" ] &&
        [ "$(uname -m)" = x86_64 ] || {
        say "no tritonserver for this Python or processor: its tests will be skipped"
        return
    }
    say "fetching tritonserver"
    rm -rf $folder
    .deps/venv/bin/pip --disable-pip-version-check -q install --no-deps --require-hashes \
        --only-binary :all: --target $folder -r tools/triton.txt
    cp $folder/pytriton/tritonserver/python_backend_stubs/3.11/triton_python_backend_stub \
        $folder/pytriton/tritonserver/backends/python/
    chmod +x $folder/pytriton/tritonserver/{bin/tritonserver,backends/python/*_stub}
    rm -rf $folder/pytriton/tritonserver/python_backend_stubs
    printf '%s' "$sum" >.deps/tritonserver.stamp
}

mkdir -p .deps
sum=$(sha256sum tools/setup.sh)
fresh "packages-$what" "$sum" || {
    need_packages "${build_packages[@]}"
    [ "$what" != test ] || need_packages "${test_packages[@]}"
    printf '%s' "$sum" >".deps/packages-$what.stamp"
}
get_openvino
[ "$what" != test ] || {
    get_test_tools
    get_servers
    get_tritonserver
}
