#!/usr/bin/env bash
# Makes Debian packages of the checkout, including uncommitted changes: lacquer, liblacquer0 (with
# OpenVINO beside it) and liblacquer-dev, in FOLDER (default build/deb). A second run compiles only
# what changed. lintian checks them if it is installed.
#
#   tools/deb.sh [FOLDER]         LACQUER_DEB_FAST=1: compress faster, half as large again
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/deb}

missing=()
for package in debhelper dpkg-dev; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
        missing+=("$package")
done
[ ${#missing[@]} = 0 ] || { echo "deb: apt-get install ${missing[*]}" >&2; exit 1; }
[ -d .deps/openvino/libs ] || { echo "deb: OpenVINO is missing: make build first" >&2; exit 1; }

mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -rf "$out/source" "$out"/*.deb
mkdir "$out/source"
# Keeps modification times, so that objects compiled before count as up to date.
git ls-files -z | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --null -T - -c | tar -x -C "$out/source"
mv "$out/source/packaging/debian" "$out/source/debian"
ln -s "$(readlink -f .deps)" "$out/source/.deps"
version=$(sed -n "s/^ *version: '\([^']*\)'.*/\1/p;" meson.build | head -1)
version=${version/-rc/~rc} # for Debian, ~ sorts a candidate before its release
sed -i "1s/([^)]*)/($version)/" "$out/source/debian/changelog"
[ -z "${LACQUER_DEB_FAST:-}" ] || export LACQUER_DEB_COMPRESSION="-Zgzip -z1"
export DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}"
# With -d if meson was not installed as a package: dpkg would report it as missing.
check=
(cd "$out/source" && dpkg-checkbuilddeps 2>/dev/null) || check=-d
(cd "$out/source" && dpkg-buildpackage -b -us -uc -nc $check >"$out/build.log" 2>&1) ||
    { tail -30 "$out/build.log" >&2; echo "deb: failed; $out/build.log has it all" >&2; exit 1; }
rm -rf "$out/source"
if command -v lintian >/dev/null; then
    root=
    [ "$(id -u)" != 0 ] || root=--allow-root
    lintian $root --fail-on error,warning "$out"/*.deb || exit 1
fi
ls -l "$out"/*.deb
