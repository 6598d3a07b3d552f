#!/bin/sh
# Creates tests/golden/painted and tests/golden/finishes again from tests/golden/hands. Look at
# every picture before you commit it.
# Usage: tools/regolden.sh [BUILD]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
mkdir -p tests/golden/painted tests/golden/finishes
for name in paint finishes; do
    ninja -C "$build" "tests/golden/golden-$name"
    "$build/tests/golden/golden-$name" --write
done
git status --short tests/golden/painted tests/golden/finishes
