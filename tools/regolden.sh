#!/bin/sh
# Makes tests/golden/painted anew from tests/golden/hands. Look at every picture before committing it.
# Usage: tools/regolden.sh [BUILD]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
ninja -C "$build" tests/golden/golden-paint
mkdir -p tests/golden/painted
"$build/tests/golden/golden-paint" --write
git status --short tests/golden/painted
