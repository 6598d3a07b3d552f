#!/usr/bin/env bash
# Puts Lacquer and every library that it uses, including the C library, in one folder, so that it
# runs on any x86-64 Linux. Made for images that are not Debian 12, such as NVIDIA's.
#
#   DESTDIR=/tmp/out make install
#   tools/bundle.sh /tmp/out/usr/local /opt/lacquer      # FROM, and TO, its final path
#
# Needs patchelf. The programs contain the path TO and do not start if the folder is moved.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,9s/^# \?//p' "$0" >&2; exit 2; }
from=$1 to=$2
command -v patchelf >/dev/null ||
    { echo "bundle: patchelf is missing: apt-get install patchelf" >&2; exit 1; }
[ -x "$from/bin/lacquer" ] ||
    { echo "bundle: no bin/lacquer in '$from': make install first" >&2; exit 1; }

mkdir -p "$to/bin" "$to/lib" "$to/share"
cp -a "$from/lib/lacquer" "$to/lib/"
cp -a "$from/share/lacquer" "$to/share/"
cp "$from/bin/lacquer" "$to/bin/lacquer"
# Copies the libraries that the program and OpenVINO's own libraries link with, except those in
# their own folder.
for file in "$from/bin/lacquer" "$from"/lib/lacquer/*.so*; do
    LD_LIBRARY_PATH="$from/lib/lacquer" ldd "$file"
done | awk '$3 ~ /^\// {print $3} $1 ~ /^\// {print $1}' | grep -v -F "$from/" | sort -u |
    xargs cp -L -t "$to/lib"
loader=$(basename "$(patchelf --print-interpreter "$to/bin/lacquer")")
# RPATH and not RUNPATH, because it also applies to libraries loaded later, such as OpenVINO.
patchelf --set-interpreter "$to/lib/$loader" --force-rpath --set-rpath "$to/lib" "$to/bin/lacquer"
