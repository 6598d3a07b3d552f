#!/usr/bin/env bash
# Tests the server with sanitizers and valgrind. test.sh runs the unit tests with ASan + UBSan.
#
#   tools/sanitize.sh [asan] [tsan] [valgrind]      default: all three
#
# asan      end-to-end tests of every protocol and of bad input, with ASan + UBSan in the server
# tsan      ThreadSanitizer: half a minute of the soak's mixed users, three workers
# valgrind  a start, a picture and a stop under memcheck, with recorded tensors instead of OpenVINO,
#           which uses processor features that valgrind does not support
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/sanitizer_options.sh
. tools/sanitizer_options.sh
[ $# -gt 0 ] || set -- asan tsan valgrind
python=.deps/venv/bin/python
end_to_end=(tests/e2e/test_abuse.py tests/e2e/test_bad_input.py tests/e2e/test_ws.py
    tests/e2e/test_socketio.py tests/e2e/test_http.py tests/e2e/test_limits.py
    tests/e2e/test_access.py)

build_with() { # FOLDER SANITIZERS
    [ -f "$1/build.ninja" ] || meson setup "$1" --buildtype=debugoptimized "-Db_sanitize=$2" \
        -Db_lundef=false >/dev/null
    ninja -C "$1" --quiet lacquer
}

# Waits until process $1 has written to file $2 where it listens, however slow the machine is; false
# if it ends before.
listens() {
    until grep -q listening "$2"; do
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.2
    done
}

run_asan() {
    build_with build-asan address,undefined
    # Without tests that weigh memory, or that start the real network several times for what the
    # system grants (users, the sandbox).
    LACQUER=$PWD/build-asan/lacquer "$python" -m pytest -q "${end_to_end[@]}" \
        -k 'not memory and not cheap and not storm_of_sighup and not another_user and not sandbox'
}

run_tsan() {
    build_with build-tsan thread
    # OpenVINO is not built for TSan, which cannot see how it synchronises: recorded tensors replace
    # it. Address space randomisation is turned off if the kernel allows it, because some kernels
    # randomise more than TSan supports.
    local fixed_layout=(setarch "$(uname -m)" -R)
    "${fixed_layout[@]}" true 2>/dev/null || fixed_layout=()
    LACQUER=$PWD/build-tsan/lacquer TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
        "${fixed_layout[@]}" "$python" tests/e2e/soak.py --seconds 30 --frame-rate 4 \
        --server-args "--no-sandbox --workers 3 --engine replay
            --model tests/fixtures/yolo_empty.replay"
}

run_valgrind() {
    local port log=build/valgrind.log
    valgrind --log-file=$log --error-exitcode=9 --leak-check=full \
        build/lacquer serve --port 0 --no-sandbox --engine replay \
        --model tests/fixtures/yolo_unit.replay >build/valgrind.out 2>&1 &
    local server=$!
    listens $server build/valgrind.out || { tail -n 60 $log && return 1; }
    port=$(grep listening build/valgrind.out | grep -oE '[0-9]+$')
    curl -fsS -m 120 -F image=@tests/golden/hands/light.jpg \
        "http://127.0.0.1:$port/api/process" >/dev/null
    kill $server
    wait $server || { tail -n 60 $log && return 1; }
    tail -n 3 $log
}

for what in "$@"; do
    echo "== $what"
    "run_$what"
done
