#!/usr/bin/env bash
# Builds twice, in two folders, with different umask, locale, time zone and number of jobs, and
# compares the installed files byte by byte. The source folder is the same for both: its path is
# compiled in, so that an uninstalled program finds its model.
#
#   tools/reproducible.sh [FOLDER]     builds under FOLDER (default build-twice), removed at the end
set -euo pipefail
cd "$(dirname "$0")/.."
where=${1:-build-twice}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
export CCACHE_DISABLE=1 # otherwise the second build would reuse the first one's objects
results=(lacquer liblacquer.so lacquer.1 lacquer.spdx.json)

build_in() {
    meson setup "$1" --buildtype=release >/dev/null
    ninja -C "$1" --quiet -j "$2" lacquer lacquer.1 lacquer.spdx.json "$(basename "$(
        ninja -C "$1" -t targets all | grep -oE '^liblacquer\.so\.[0-9]+(\.[0-9]+)+' | head -n 1)")"
    ln -sf "$(cd "$1" && ls liblacquer.so.*.*.* | head -n 1)" "$1/liblacquer.so"
}
rm -rf "$where"
(umask 022 && TZ=UTC LC_ALL=C build_in "$where/one" 1)
(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 build_in "$where/the-other-one" 2)
for file in "${results[@]}"; do
    cmp "$where/one/$file" "$where/the-other-one/$file" || failed=1
    sha256sum "$where/one/$file"
done
rm -rf "$where"
[ -z "${failed:-}" ] && echo "the same, byte by byte"
