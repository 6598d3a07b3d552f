#!/usr/bin/env bash
# Installs the comparison stack's Python packages, with pinned versions and hashes, in
# .deps/venv-peers. Only `make bench` needs them. A second run finds its stamp and returns at once.
set -euo pipefail
cd "$(dirname "$0")/../.."
sum=$(cd bench/peers && sha256sum requirements.txt setup.sh make_yolo.py | sha256sum)
stamp=.deps/peers.stamp
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && exit 0
printf 'setup: fetching the comparison stack\n' >&2
mkdir -p .deps
rm -rf .deps/venv-peers
python3 -m venv .deps/venv-peers
.deps/venv-peers/bin/pip --disable-pip-version-check -q install --only-binary :all: \
    --require-hashes --no-deps -r bench/peers/requirements.txt
# Makes a model with the graph that users of this stack run and with random weights, so that nothing
# is downloaded.
mkdir -p .deps/peers
.deps/venv-peers/bin/python bench/peers/make_yolo.py .deps/peers/yolov8s-seg-shape.tflite
printf '%s' "$sum" >"$stamp"
