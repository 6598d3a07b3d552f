#!/usr/bin/env bash
# Makes the npm package `lacquer-tryon` from the build: the static site's files, with entry points
# for bundlers and React, as BUILD/npm/lacquer-tryon-VERSION.tgz. It is reproducible.
#
#   tools/npm.sh [BUILD] [DEVICE]      DEVICE: the runtime's folder (BUILD/device)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
device=${2:-$build/device}
[ -x "$build/lacquer" ] || { echo "npm: no '$build/lacquer': make build first" >&2; exit 1; }
command -v npm >/dev/null || { echo "npm: there is no npm: apt-get install npm" >&2; exit 1; }

out=$build/npm
rm -rf "$out"
mkdir -p "$out"
cp -r packaging/npm "$out/package"
"$build/lacquer" site --out "$out/package/dist" --device "$device" >/dev/null
# Removes the files that only a complete page needs.
(cd "$out/package/dist" && rm -rf index.html sw.js _headers .nojekyll lacquer-site.json \
    manifest.webmanifest icons page.css)
cp LICENSE web/tryon.d.ts "$out/package/"
version=$(sed -n "s/^ *version: '\([^']*\)'.*/\1/p" meson.build | head -1)
sed -i "s/\"version\": \"0.0.0\"/\"version\": \"$version\"/" "$out/package/package.json"
cp "$out/package/dist/NOTICES.txt" "$out/package/NOTICES"
(cd "$out" && npm pack ./package --silent --ignore-scripts >/dev/null)
rm -rf "$out/package"
ls -l "$out"/*.tgz
