#!/usr/bin/env bash
# Every test that this machine can run; `make test` calls it after the set-up.
# Ends with "N passed, N failed, N skipped" over all of them.
#
#   tools/test.sh [BUILD_FOLDER]
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
# What is the fastest way to compute differs by machine; tests compute the same everywhere. Those of
# `lacquer tune` switch it on themselves.
export LACQUER_TUNE=${LACQUER_TUNE:-off}
# ONNX Runtime 1.32 sends telemetry unless told not to.
export ORT_DISABLE_TELEMETRY=1
passed=0 failed=0 skipped=0 flaky=() failures=()

# shellcheck source=/dev/null
. tools/test_parts.sh

say "build"
set_up "$build" --buildtype=release && ninja -C "$build" --quiet || exit 1
say "unit, golden and style tests"
c_tests "$build"

set_up build-asan --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false ||
    exit 1
# shellcheck source=tools/sanitizer_options.sh
. tools/sanitizer_options.sh

page=(.deps/venv/bin/python -m pytest -q tests/e2e/test_browser.py)
sanitized=(tools/sanitize.sh asan)
# The largest first, so that none of the long ones is the last; each lane takes the next file that
# the other has not (tests/e2e/conftest.py). The memory tests of abuse and limits come below.
mapfile -t files < <(ls -S tests/e2e/test_*.py |
    grep -vE '/test_(browser|soak|abuse|bad_input|limits|bench|storm)[.]py$')
server=(.deps/venv/bin/python -m pytest -q "${files[@]}")
# These weigh the server, which nothing beside it changes.
memory=(.deps/venv/bin/python -m pytest -q tests/e2e/test_abuse.py tests/e2e/test_limits.py
    -k "memory or cheap")
taken=$(mktemp -d)

soak=(env LACQUER_SOAK_SECONDS=60 .deps/venv/bin/python -m pytest -q tests/e2e/test_soak.py)
python_too=(.deps/venv/bin/python -m pytest -q tests/convert)
[ ! -d tests/train ] || python_too+=(tests/train)
asan_units=(--suite unit --timeout-multiplier 8)

# Two lanes leave a quarter of two cores idle, because tests wait for what they test; three leave
# next to nothing idle. Tests that only wait for the server's own limits take minutes but hardly a
# core: they have a lane of their own, which ends with what needs no page.
lane_of_the_page() {
    part page "${page[@]}"
    LACQUER_LANES=$taken only="not waits" part server-one "${server[@]}"
}

lane_of_the_sanitizers() {
    c_part build-asan "${asan_units[@]}"
    only="not waits" part sanitized "${sanitized[@]}"
    only=waits part sanitized-waits "${sanitized[@]}"
    LACQUER_LANES=$taken only="not waits" part server-two "${server[@]}"
}

lane_of_the_server() {
    LACQUER_LANES=$taken only="not waits" part server-three "${server[@]}"
    part convert-and-train "${python_too[@]}"
}

lane_that_waits() {
    only=waits part server-waits "${server[@]}"
    part memory "${memory[@]}"
    program_part tsan tools/sanitize.sh tsan
    program_part valgrind tools/sanitize.sh valgrind
    part soak "${soak[@]}"
}

say "the page, the server, the command, and all under the sanitizers, in lanes"
lane_of_the_page &
lane_of_the_sanitizers &
lane_of_the_server &
lane_that_waits &
wait
c_land build-asan "${asan_units[@]}"
land page "${page[@]}"
for number in one two three; do of_lanes=--lane land "server-$number" "${server[@]}"; done
land server-waits "${server[@]}"
land sanitized "${sanitized[@]}"
land sanitized-waits "${sanitized[@]}"
land memory "${memory[@]}"
land convert-and-train "${python_too[@]}"
land soak "${soak[@]}"
program_land tsan tools/sanitize.sh tsan
program_land valgrind tools/sanitize.sh valgrind
[ "$(ls "$taken" | wc -l)" -eq ${#files[@]} ] ||
    { failed=$((failed + 1)) && failures+=("a file of tests/e2e was not run"); }
rm -rf "$taken"
say "what measures times, with nothing beside it"
python_tests bench tests/e2e/test_bench.py tests/e2e/test_storm.py

name_failures
say "the end"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
