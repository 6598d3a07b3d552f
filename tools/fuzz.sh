#!/usr/bin/env bash
# Searches for inputs that break a parser of foreign bytes: runs libFuzzer targets under
# AddressSanitizer and UndefinedBehaviorSanitizer. Needs clang with its runtime
# (Debian: clang libclang-rt-dev). Inputs that break one are stored as build-fuzz/found/TARGET-*.
#
#   tools/fuzz.sh                     60 s for each target, one target per core
#   tools/fuzz.sh 600 jpeg png        600 s for each of these
#   tools/fuzz.sh --keep [TARGET...]  adds inputs that reached new code to tests/fuzz/corpus
set -euo pipefail
cd "$(dirname "$0")/.."
build=build-fuzz
seconds=60 keep=
case ${1:-} in
--keep) keep=1 && shift ;;
[0-9]*) seconds=$1 && shift ;;
esac

command -v clang >/dev/null || { echo "fuzz: clang is missing; see the head of $0" >&2; exit 1; }
cc=clang
! command -v ccache >/dev/null || cc="ccache clang"
[ -f $build/build.ninja ] || CC=$cc meson setup $build --buildtype=debugoptimized \
    -Db_sanitize=address,undefined -Db_lundef=false -Dfuzzing=true >/dev/null
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for folder in tests/fuzz/corpus/*/; do
    targets+=("$(basename "$folder")")
done
ninja -C $build --quiet "${targets[@]/#/tests/fuzz/fuzz-}"

mkdir -p $build/found
# shellcheck source=tools/sanitizer_options.sh
. tools/sanitizer_options.sh

# $1: a target. Prints one line: how much was tried, or what was found.
try_one() {
    local target=$1 program=$build/tests/fuzz/fuzz-$1 committed=tests/fuzz/corpus/$1
    local mine=$build/corpus/$1 log=$build/found/$1.log
    mkdir -p "$mine" "$committed"
    [ ! -e "${LACQUER_TESTS_OVER:-/nowhere}" ] || seconds=1 # .ci/run
    if [ -n "$keep" ]; then
        # Only small inputs that reach new code (not the same code more often): the corpus is
        # committed, and every test run replays it.
        "$program" -set_cover_merge=1 -use_counters=0 -max_len=8192 "$committed" "$mine" 2>&1 |
            tail -n 1
    elif "$program" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -max_len=16384 \
        -print_final_stats=1 -artifact_prefix="$build/found/$target-" "$mine" "$committed" \
        >"$log" 2>&1; then
        printf '%-13s %s\n' "$target" "$(grep -E 'DONE' "$log" | tail -n 1)"
    else
        printf '%-13s FAILED, see %s\n' "$target" "$log"
        grep -E '^SUMMARY|runtime error|ERROR' "$log" | head -n 3
        return 1
    fi
}
export -f try_one
export build seconds keep
# Runs one target per core; xargs returns a nonzero status if one of them failed.
# shellcheck disable=SC2016  # the inner shell expands it
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'try_one "$0"'
