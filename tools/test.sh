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
passed=0 failed=0 skipped=0 flaky=0

say() { printf '\n== %s\n' "$*"; }

# $1: a build folder. Builds what the tests need and counts what meson's closing table says.
c_tests() {
    local log
    log=$(meson test -C "$1" --print-errorlogs "${@:2}" 2>&1)
    printf '%s\n' "$log" | grep -vE '^(ninja:|\[|Full log|$)' | tail -n 60
    count_of() { printf '%s\n' "$log" | awk -v k="$1" '$0 ~ "^"k":" {print $NF}'; }
    local ok bad
    ok=$(count_of Ok)
    bad=$(($(count_of Fail) + $(count_of Timeout) + $(count_of 'Unexpected Pass')))
    [ -n "$ok" ] && [ "$ok" -gt 0 ] || bad=$((bad + 1))
    passed=$((passed + ${ok:-0})) failed=$((failed + bad))
    skipped=$((skipped + $(count_of Skipped)))
}

# $1: a name, then a command that runs pytest, which writes its counts as JUnit XML.
pytest_as() {
    local report=$PWD/$build/pytest-$1.xml
    rm -f "$report"
    PYTEST_ADDOPTS="--junitxml=$report -o cache_dir=$PWD/$build/pytest-$1 ${again-}" "${@:2}"
}

count_python() {
    local report=$build/pytest-$1.xml counts
    counts=$(.deps/venv/bin/python - "$report" <<'EOP'
import sys
import xml.etree.ElementTree as tree
try:
    suite = next(tree.parse(sys.argv[1]).getroot().iter("testsuite"))
    total, skip = int(suite.get("tests")), int(suite.get("skipped"))
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    print(total - skip - bad, bad or int(total == 0), skip)
except (OSError, tree.ParseError):
    print(0, 1, 0)
EOP
    )
    read -r ok bad skip <<<"$counts"
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

# $1: a name, $2: the status it ended with, then its command. Not all machines have a core for each
# of what goes on at once: what failed is run again by itself, and what fails twice has failed.
judge() {
    count_python "$1"
    [ "$2" -ne 0 ] || return 0
    say "$1: what failed, again"
    local first=$bad
    failed=$((failed - bad))
    again=--last-failed pytest_as "$1" "${@:3}"
    count_python "$1"
    flaky=$((flaky + first - bad))
}

python_tests() {
    pytest_as "$1" .deps/venv/bin/python -m pytest -q "${@:2}"
    judge "$1" $? .deps/venv/bin/python -m pytest -q "${@:2}"
}

# A lane: the same beside others, seen when it has landed.
declare -A lanes
launch() {
    pytest_as "$@" >"$build/$1.log" 2>&1 &
    lanes[$1]=$!
}

land() {
    wait "${lanes[$1]}"
    local status=$?
    cat "$build/$1.log"
    judge "$1" $status "${@:2}"
}

# A program that says by its exit status whether all is well.
one_test() {
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

set_up() {
    [ -f "$1/build.ninja" ] || meson setup "$1" "${@:2}" >/dev/null
}

say "build"
set_up "$build" --buildtype=release && ninja -C "$build" --quiet || exit 1
say "unit, golden and style tests"
c_tests "$build"

say "the same under AddressSanitizer and UndefinedBehaviorSanitizer"
set_up build-asan --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false ||
    exit 1
ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    c_tests build-asan --suite unit --timeout-multiplier 4

page=(.deps/venv/bin/python -m pytest -q tests/e2e/test_browser.py)
say "the page, and beside it the server under the sanitizers"
launch page "${page[@]}"
launch sanitized tools/sanitize.sh asan
land page "${page[@]}"
land sanitized tools/sanitize.sh asan

say "the command and the server, in two lanes"
# Without what has just been run, but for the tests that weigh memory, which a sanitizer keeps.
# The largest first, so that none of the long ones is the last; each lane takes the next file that
# the other has not (tests/e2e/conftest.py).
mapfile -t files < <(ls -S tests/e2e/test_*.py |
    grep -vE '/test_(browser|soak|abuse|bad_input|limits|bench|storm)[.]py$')
pytest=(.deps/venv/bin/python -m pytest -q "${files[@]}")
LACQUER_LANES=$(mktemp -d)
export LACQUER_LANES
launch e2e-one "${pytest[@]}"
launch e2e-two "${pytest[@]}"
taken=$LACQUER_LANES
unset LACQUER_LANES # what failed is run again whoever had it
land e2e-one "${pytest[@]}"
land e2e-two "${pytest[@]}"
[ "$(ls "$taken" | wc -l)" -eq ${#files[@]} ] ||
    { say "a file was not run" && failed=$((failed + 1)); }
rm -rf "$taken"
say "what measures times, with nothing beside it"
python_tests bench tests/e2e/test_bench.py tests/e2e/test_storm.py
python_tests memory tests/e2e/test_abuse.py tests/e2e/test_limits.py -k "memory or cheap"

# Nothing of what follows looks at the time: two minutes of mixed users go on beside it.
soak=(env LACQUER_SOAK_SECONDS=120 .deps/venv/bin/python -m pytest -q tests/e2e/test_soak.py)
launch soak "${soak[@]}"
say "converted models against the runtimes"
python_tests convert tests/convert
[ ! -d tests/train ] || { say "training tools" && python_tests train tests/train; }
say "the server under ThreadSanitizer, and under valgrind"
one_test tools/sanitize.sh tsan
one_test tools/sanitize.sh valgrind
say "two minutes of mixed users"
land soak "${soak[@]}"

[ "$flaky" -eq 0 ] || say "$flaky passed only when run again: each is a fault, see above"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
