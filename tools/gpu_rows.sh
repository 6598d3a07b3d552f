#!/usr/bin/env bash
# Measures the bench rows that need an NVIDIA GPU, on a machine that has one and no network.
#
#   tools/gpu_rows.sh pack DIR             here: packs what is needed, in pieces of 60 MiB
#   tools/gpu_rows.sh run DIR OUT.json     there: with DIR and this script copied to it
#
# pack needs `make build`, patchelf, and for TensorRT in process `tools/setup.sh gpu`; missing parts
# are left out, and their rows report it. run takes at most eight minutes, unpacks into
# /tmp/lacquer-gpu, and writes device, driver, versions and rows; a row that could not be measured
# has a reason ("triton" has that of its server). The Triton rows need a tritonserver with the
# onnxruntime backend on that machine, in PATH or /opt/tritonserver/bin: there is no wheel of it.
set -euo pipefail
home=/tmp/lacquer-gpu piece=60M limit_s=480
say() { printf 'gpu_rows: %s\n' "$*" >&2; }
usage() { sed -n '2,14s/^# \?//p' "$0" >&2; exit 2; }

pack() {
    local to=$1 work parts=(app bench)
    cd "$(dirname "$0")/.."
    [ -x build/lacquer ] || { say "no build/lacquer: make build first"; exit 1; }
    mkdir -p "$to"
    to=$(realpath "$to")
    work=$(mktemp -d)
    trap "rm -rf '$work'" EXIT
    DESTDIR=$work/root meson install -C build --no-rebuild >/dev/null
    tools/bundle.sh "$(dirname "$(find "$work/root" -type d -name bin)")" "$home/app"
    mkdir -p "$home/bench"
    cp models/nail-f16.{onnx,json} tests/e2e/hand.mjpeg "$home/bench/"
    cp tests/golden/hands/light.jpg "$home/bench/one.jpg"
    [ ! -d .deps/onnxruntime ] || { cp -a .deps/onnxruntime "$home/" && parts+=(onnxruntime); }
    rm -f "$to"/part.*
    tar -C "$home" -c "${parts[@]}" | split -b "$piece" -d -a 3 - "$to/part."
    (cd "$to" && sha256sum part.* >SHA256SUMS)
    say "$(wc -l <"$to/SHA256SUMS") pieces in $to: ${parts[*]}"
}

unpack() {
    (cd "$1" && sha256sum --quiet -c SHA256SUMS) || { say "a piece is damaged or missing"; exit 1; }
    rm -rf "$home"
    mkdir -p "$home"
    cat "$1"/part.* | tar -C "$home" -x
}

# Quotes a text for JSON; it drops the few characters that would need escaping.
quote() { printf '"%s"' "$(tr -d '\\"\n\r\t' <<<"$1")"; }

# Starts the server of the Triton rows: sets $url to its address, and $why to what it cannot do.
start_triton() {
    local server
    url='' why='no tritonserver on this machine'
    server=$(PATH=$PATH:/opt/tritonserver/bin command -v tritonserver) || return 0
    $lacquer triton-repo --model "$model" --out "$home/repo" --gpu >&2 || return 0
    $lacquer triton-repo --model "$model" --out "$home/repo" --name nail-tensorrt --gpu \
        --tensorrt fp16 >&2 || true
    "$server" --model-repository="$home/repo" --http-port 18000 --allow-grpc false \
        --allow-metrics false >"$home/triton.log" 2>&1 &
    triton_pid=$!
    for ((i = 0; i < 120; i++)); do
        sleep 1
        kill -0 $triton_pid 2>/dev/null ||
            { why="tritonserver ended: $(tail -1 "$home/triton.log")"; return 0; }
        $lacquer apply --triton-url 127.0.0.1:18000 --model "$model" "$home/bench/one.jpg" \
            -o /dev/null >/dev/null 2>&1 && { url=127.0.0.1:18000 why=''; return 0; }
    done
    why='tritonserver was not ready within two minutes'
}

run() {
    local out more=() triton_pid='' url why rows
    out=$(realpath -m "$2")
    unpack "$(realpath "$1")"
    lacquer=$home/app/bin/lacquer model=$home/bench/nail-f16.onnx
    [ ! -d "$home/onnxruntime" ] || export LACQUER_ONNXRUNTIME=$home/onnxruntime
    export XDG_CACHE_HOME=$home/cache
    mkdir -p "$home/cache"
    start_triton
    [ -z "$url" ] || more=(--triton-url "$url" --tensorrt-model nail-tensorrt)
    rows=$($lacquer bench --json --seconds 4 --users 1,4,8,16 --model "$model" \
        --frames "$home/bench/hand.mjpeg" --rows ws,triton,tensorrt,tensorrt-here "${more[@]}" \
        2>"$home/bench.log") || rows="{\"error\": $(quote "$(tail -1 "$home/bench.log")")}"
    [ -z "$triton_pid" ] || kill "$triton_pid" 2>/dev/null || true
    {
        printf '{"gpu": %s,\n "driver": %s,\n "kernel": %s,\n "triton": %s,\n' \
            "$(quote "$(ask name)")" "$(quote "$(ask driver_version)")" "$(quote "$(uname -sr)")" \
            "$(quote "${why:-$url}")"
        printf ' "engines": %s,\n "bench": %s}\n' "$($lacquer engines --json)" "$rows"
    } >"$out"
    say "written: $out"
}

ask() {
    command -v nvidia-smi >/dev/null || { echo 'none: no nvidia-smi on this machine'; return; }
    nvidia-smi --query-gpu="$1" --format=csv,noheader 2>&1 | head -1
}

case ${1:-} in
pack) [ $# = 2 ] || usage; pack "$2" ;;
run) [ $# = 3 ] || usage
    [ "${GPU_ROWS_LIMITED:-}" ] || GPU_ROWS_LIMITED=1 exec timeout "$limit_s" "$0" "$@"
    run "$2" "$3" ;;
*) usage ;;
esac
