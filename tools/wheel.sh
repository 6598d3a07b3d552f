#!/usr/bin/env bash
# Makes the Python package `lacquer` from the build: a wheel in BUILD/wheel with liblacquer, its
# networks and OpenVINO. It uses the system's picture libraries, as BUILD does. It is for machines
# with the same distribution: elsewhere pip installs it, but the loader cannot load it.
#
#   tools/wheel.sh [BUILD]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
python=${PYTHON:-.deps/venv/bin/python}
[ -e "$build/liblacquer.so.0" ] ||
    { echo "wheel: no '$build/liblacquer.so.0': make build first" >&2; exit 1; }

out=$build/wheel
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
cp -r packaging/python "$out/source"
DESTDIR=$out/installed meson install -C "$build" --no-rebuild --quiet
prefix=$(dirname "$(dirname "$(find "$out/installed" -path '*/bin/lacquer')")")
at=$out/source/lacquer/_lib
library=$(find "$prefix" -name liblacquer.so.0)
mkdir -p "$at/${library#"$prefix"/}" "$at/share"
rmdir "$at/${library#"$prefix"/}"
cp -L "$library" "$at/${library#"$prefix"/}"
cp -r "$prefix/lib/lacquer" "$at/lib/"
cp -r "$prefix/share/lacquer" "$at/share/"
cp -r "$prefix/share/doc/lacquer/openvino" "$at/share/licenses"
cp LICENSE "$out/source/"
find "$at" \( -name '*.pc' -o -name '*.tflite' \) -delete
version=$(sed -n "s/^ *version: '\([^']*\)'.*/\1/p" meson.build | head -1)
echo "__version__ = \"$version\"" >"$out/source/lacquer/_version.py"
"$python" -m pip --disable-pip-version-check -q wheel --no-deps ${WHEEL_ARGS:-} \
    -w "$out" "$out/source"
rm -rf "$out/source" "$out/installed"
ls -l "$out"/*.whl
