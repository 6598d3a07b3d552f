#!/usr/bin/env bash
# Makes the source tarball of the last commit: FOLDER/lacquer-VERSION.tar.gz, reproducible, with all
# files that git tracks in a folder of that name. It builds without git (`make serve`);
# tools/clean_root.sh tests one in a minimal Debian (CLEAN_ROOT_TARBALL=FILE).
#
#   tools/dist.sh FOLDER
set -euo pipefail
folder=${1:?usage: tools/dist.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")/.."
version=$(sed -nE "s/^  version: '([^']+)'.*/\1/p" meson.build)
[ -n "$version" ] || { echo "dist: meson.build tells no version" >&2; exit 1; }
git diff --quiet HEAD ||
    echo "dist: what is not committed is left out" >&2
file=$folder/lacquer-$version.tar.gz
git archive --format=tar --prefix="lacquer-$version/" HEAD | gzip -n9 >"$file.part"
mv "$file.part" "$file"
echo "$file"
