#!/usr/bin/env bash
# Builds lacquer.wasm, which detects nails in the page (src/device), with Debian's clang, lld,
# wasi-libc and Binaryen. One thread, SIMD128.
#
#   tools/wasm.sh OUT.wasm SCRATCH [DEPFILE]   builds it; SCRATCH keeps object files
#   tools/wasm.sh --check                      prints what is missing, and which packages
#                                              contain it
#
# Clang and wasi-libc instead of Emscripten: 60 MB of packages instead of 600, and the little glue
# code that is needed (web/device/host.js) is our own. Binaryen's Asyncify lets the C code wait for
# a network that the browser runs (src/device/device.h).
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
absolute() { case $1 in /*) echo "$1" ;; *) echo "$here/$1" ;; esac; }

clang=${WASM_CLANG:-clang}
missing=""
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need "$clang" clang
need wasm-ld lld
need wasm-opt binaryen
need zstd zstd # for tools/device.py
version=$("$clang" -dumpversion 2>/dev/null | cut -d. -f1 || true)
[ -f /usr/include/wasm32-wasi/stdlib.h ] || missing="$missing wasi-libc"
runtime=$("$clang" --target=wasm32-wasi -print-libgcc-file-name 2>/dev/null || true)
[ -f "$runtime" ] || missing="$missing libclang-rt-${version:-14}-dev-wasm32"
if [ -n "$missing" ]; then
    echo "lacquer.wasm is not built: apt-get install$missing"
    exit 1
fi
[ "${1:-}" != --check ] || exit 0

out=$(absolute "$1")
scratch=$(absolute "$2")
depfile=${3:+$(absolute "$3")}
mkdir -p "$scratch" "$(dirname "$out")"

sources=(
    src/base/{buf,error}.c
    src/image/{box,image,resize}.c
    src/engine/{engines,f16}.c
    src/model/{edges,head,head_refused,landmarks,mask,opened,prepare,runner,yolo_seg}.c
    src/nail/*.c
    src/paint/{light,scene,shade,surround,transfer}.c
    src/frame/{crop,detect,fingertips,multiscale,window,wire,wire_nails}.c
    src/device/{device,network}.c src/device/wasm/page.c
)
# Multiplications and additions are not fused, so that results are the same as on processors
# without such an instruction.
flags=(
    --target=wasm32-wasi -std=gnu17 -O3 -msimd128 -DNDEBUG -D_GNU_SOURCE
    -ffunction-sections -fdata-sections -fno-math-errno -fno-trapping-math -ffp-contract=off
    -fvisibility=hidden -Wall -Wno-unknown-attributes
    -isystem src/device/wasm -Isrc -Iinclude
)
objects=()
for source in "${sources[@]}"; do
    object=$scratch/$(tr / _ <<<"${source%.c}").o
    objects+=("$object")
    case $source in # code that handles few values a frame is small instead of fast
    src/nail/hand* | src/device/* | src/frame/fingertips.c) size=(-Os) ;;
    *) size=() ;;
    esac
    "$clang" "${flags[@]}" "${size[@]}" -MMD -c "$source" -o "$object"
done
# Writes one rule with the dependencies of all objects. Paths are relative to the root, because the
# build runs in another folder.
[ -z "$depfile" ] || {
    printf '%s:' "$1"
    cat "${objects[@]/%.o/.d}" | tr ' \\' '\n\n' | grep -E '^(src|include)/' | sort -u |
        sed "s|^| $PWD/|" | tr -d '\n'
    echo
} >"$depfile"

exports=(open close picture find reply reply_bytes error rest)
"$clang" --target=wasm32-wasi -mexec-model=reactor "${objects[@]}" -o "$scratch/plain.wasm" \
    -Wl,--gc-sections -Wl,--strip-all -Wl,-z,stack-size=1048576 -Wl,--max-memory=2147483648 \
    "${exports[@]/#/-Wl,--export=lq_mirror_}" -Wl,--export=malloc -Wl,--export=free
wasm-opt -O3 --enable-simd --enable-bulk-memory --enable-sign-ext --enable-mutable-globals \
    --enable-nontrapping-float-to-int --asyncify --pass-arg=asyncify-imports@lacquer.run \
    "$scratch/plain.wasm" -o "$out"
