#!/usr/bin/env bash
# Every test that this machine can run; `make test` calls it after the set-up.
# Ends with "N passed, N failed, N skipped" over all of them.
#
#   tools/test.sh [BUILD_FOLDER]
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
passed=0 failed=0 skipped=0

say() { printf '\n== %s\n' "$*"; }

# $1: a build folder. Counts what meson's closing table says.
c_tests() {
    local log
    log=$(meson test -C "$1" --print-errorlogs --no-rebuild "${@:2}" 2>&1)
    printf '%s\n' "$log" | grep -vE '^(ninja:|\[|Full log|$)' | tail -n 60
    count_of() { printf '%s\n' "$log" | awk -v k="$1" '$0 ~ "^"k":" {print $NF}'; }
    local ok bad
    ok=$(count_of Ok)
    bad=$(($(count_of Fail) + $(count_of Timeout) + $(count_of 'Unexpected Pass')))
    [ -n "$ok" ] && [ "$ok" -gt 0 ] || bad=$((bad + 1))
    passed=$((passed + ${ok:-0})) failed=$((failed + bad))
    skipped=$((skipped + $(count_of Skipped)))
}

# Python tests: pytest writes its counts as JUnit XML, read back by count_python.
run_python() {
    local report=$build/pytest-$1.xml
    rm -f "$report"
    .deps/venv/bin/python -m pytest -q --junitxml="$report" "${@:2}"
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

python_tests() {
    run_python "$@"
    count_python "$1"
}

build_in() {
    [ -f "$1/build.ninja" ] || meson setup "$1" "${@:2}" >/dev/null || return 1
    ninja -C "$1" --quiet
}

say "build"
build_in "$build" --buildtype=release || exit 1
say "unit, golden and style tests"
c_tests "$build"

say "the same under AddressSanitizer and UndefinedBehaviorSanitizer"
build_in build-asan --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false ||
    exit 1
ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    c_tests build-asan --suite unit --timeout-multiplier 4

say "the command, the server and the page"
python_tests e2e tests/e2e --ignore=tests/e2e/test_soak.py
# Nothing of what follows looks at the time: two minutes of mixed users go on beside it.
LACQUER_SOAK_SECONDS=120 run_python soak tests/e2e/test_soak.py >"$build/soak.log" 2>&1 &
soak=$!
say "converted models against the runtimes"
python_tests convert tests/convert
[ ! -d tests/train ] || { say "training tools" && python_tests train tests/train; }
say "two minutes of mixed users"
wait $soak
cat "$build/soak.log"
count_python soak

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
