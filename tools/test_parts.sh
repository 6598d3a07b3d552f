# Sourced by tools/test.sh, which sets `build` and the sums: what runs a part of the tests and
# counts it. `failures`: the names of those that failed, which `name_failures` says at the end.

# With the seconds since the start: where the time of a run goes.
say() { printf '\n== %s (at %d s)\n' "$*" $SECONDS; }

# $1: a build folder, then options of `meson test`. Builds what the tests need, and runs them.
c_part() {
    meson test -C "$1" --print-errorlogs "${@:2}" >"$1/c_tests.log" 2>&1
}

# Counts what the closing table of c_part's log says.
c_land() {
    local log=$1/c_tests.log ok bad name
    say "the C tests of $1"
    grep -vE '^(ninja:|\[|Full log|$)' "$log" | tail -n 60
    count_of() { awk -v k="$1" '$0 ~ "^"k":" {n = $NF} END {print n + 0}' "$log"; }
    ok=$(count_of Ok)
    bad=$(($(count_of Fail) + $(count_of Timeout) + $(count_of 'Unexpected Pass')))
    while read -r name; do failures+=("$1: $name"); done < <(failures_in <"$log")
    [ "$ok" -gt 0 ] || {
        bad=$((bad + 1))
        failures+=("$1: no C test was run")
    }
    passed=$((passed + ok)) failed=$((failed + bad))
    skipped=$((skipped + $(count_of Skipped)))
}

c_tests() {
    c_part "$@"
    c_land "$@"
}

# The lines of meson's "Summary of Failures", without their numbers.
failures_in() {
    awk '/^Ok:/ {on = 0} on && NF {sub(/^ *[0-9]+\/[0-9]+ /, ""); print} /^Summary of F/ {on = 1}'
}

# $1: a name, then a command that runs pytest, which writes its counts as JUnit XML. `only`: those
# with that mark.
pytest_as() {
    local report=$PWD/$build/pytest-$1.xml
    rm -f "$report"
    PYTEST_ADDOPTS="--junitxml=$report -o cache_dir=$PWD/$build/pytest-$1 ${only:+-m '$only'} \
        --durations=6 --durations-min=5 ${again-}" "${@:2}"
}

# Sets ok, bad, skip and bad_names. `of_lanes`: --lane for a run that shares its files with others.
count_python() {
    local counts
    mapfile -t counts < <(.deps/venv/bin/python tools/count_tests.py "$build/pytest-$1.xml" \
        ${of_lanes-})
    read -r ok bad skip <<<"${counts[0]}"
    bad_names=("${counts[@]:1}")
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

# $1: a name, $2: the status it ended with, then its command. Not all machines have a core for each
# of what goes on at once: what failed is run again by itself, and what fails twice has failed. The
# times of the first run stay in pytest-NAME-first.xml.
judge() {
    count_python "$1"
    [ "$2" -ne 0 ] || return 0
    say "$1: what failed, again"
    local name before=("${bad_names[@]}")
    failed=$((failed - bad))
    mv "$build/pytest-$1.xml" "$build/pytest-$1-first.xml" 2>/dev/null
    again=--last-failed pytest_as "$1" "${@:3}"
    count_python "$1"
    for name in "${before[@]}"; do
        printf '%s\n' "${bad_names[@]}" | grep -qxF -- "$name" || flaky+=("$1: $name")
    done
    for name in "${bad_names[@]}"; do failures+=("$1: $name"); done
}

python_tests() {
    pytest_as "$1" .deps/venv/bin/python -m pytest -q "${@:2}"
    judge "$1" $? .deps/venv/bin/python -m pytest -q "${@:2}"
}

# A part of a lane, which goes on beside other lanes: its log is seen when it has landed.
part() { program_part "$1" pytest_as "$@"; }

land() {
    say "$1"
    cat "$build/$1.log"
    judge "$1" "$(cat "$build/$1.status" || echo 1)" "${@:2}"
}

# $1: a name, then a program that says by its exit status whether all is well.
program_part() {
    rm -f "$build/$1.status"
    "${@:2}" >"$build/$1.log" 2>&1
    echo $? >"$build/$1.status"
}

program_land() {
    say "$1"
    cat "$build/$1.log"
    if [ "$(cat "$build/$1.status")" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        failures+=("${*:2}")
    fi
}

# What is said of a part scrolls away, or is cut where only a log's end is kept.
name_failures() {
    [ ${#flaky[@]} -eq 0 ] || {
        say "${#flaky[@]} passed only when run again: each is a fault, see above"
        printf '%s\n' "${flaky[@]}"
    }
    [ ${#failures[@]} -eq 0 ] || {
        say "what failed"
        printf '%s\n' "${failures[@]}"
    }
}

set_up() {
    [ -f "$1/build.ninja" ] || meson setup "$1" "${@:2}" >/dev/null
}
