#!/usr/bin/env bash
# Tests that a fresh Debian needs nothing but the checkout: creates a minimal system with
# debootstrap, clones the last commit into it, runs `make serve` there, requests a painted picture
# from the server, paints one with `lacquer apply`, then runs the tests. Run it by hand, as root.
# Its last line reports the result; docs/CLEAN-ROOT.md records what was found.
#
#   tools/clean_root.sh [bookworm] [trixie] [arm64] [--quick | --serve-only] [--keep] [--again]
#
#   bookworm, trixie  Debian 12 (default), 13; if both are given, one after the other
#   arm64             also works on x86-64, emulated by QEMU (packages qemu-user-static,
#                     binfmt-support): about twenty times slower, and only the C tests run
#   --quick           instead of `make test` (half an hour): its set-up, the C tests, and the tests
#                     of the command and the server (minutes)
#   --serve-only      no tests
#   --keep            keeps the system even after success
#   --again           continues with the system that an earlier run kept
#
# CLEAN_ROOT=FOLDER        where the system is created (/var/tmp/lacquer-root-SUITE)
# CLEAN_ROOT_TARBALL=FILE  a tarball of `make dist` instead of the commit
set -euo pipefail
[ -z "${CLEAN_ROOT_TARBALL:-}" ] || CLEAN_ROOT_TARBALL=$(realpath "$CLEAN_ROOT_TARBALL")
export CLEAN_ROOT_TARBALL=${CLEAN_ROOT_TARBALL:-}
cd "$(dirname "$0")/.."
self=$PWD/tools/clean_root.sh
suites=() machine=$(dpkg --print-architecture) tests=all keep='' again=''
for word in "$@"; do
    case $word in
    bookworm | trixie) suites+=("$word") ;;
    amd64 | arm64) machine=$word ;;
    --quick) tests=quick ;;
    --serve-only) tests= ;;
    --keep) keep=1 ;;
    --again) again=1 ;;
    *) echo "clean_root: '$word' is not understood; see the head of $0" >&2 && exit 2 ;;
    esac
done
[ "$(id -u)" = 0 ] || { echo "clean_root: run it as root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "clean_root: apt-get install debootstrap" >&2; exit 1; }
played=$([ "$machine" = "$(dpkg --print-architecture)" ] || echo 1)
# Determined once, outside: the script's own namespace does not show it in /proc.
[ -z "$played" ] || [ -n "${CLEAN_ROOT_ALONE:-}" ] ||
    [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || {
    echo "clean_root: no $machine programs run here: apt-get install qemu-user-static" \
        "binfmt-support" >&2
    exit 1
}

# Runs one system after the other, and repeats the last line of each at the end.
one_after_the_other() {
    local suite word words=() status=0 log
    log=$(mktemp)
    for word in "$@"; do
        case $word in bookworm | trixie) ;; *) words+=("$word") ;; esac
    done
    for suite in "${suites[@]}"; do
        CLEAN_ROOT=${CLEAN_ROOT:+$CLEAN_ROOT-$suite} "$self" "$suite" "${words[@]}" |
            tee -a "$log" || status=1
    done
    printf '\n== all\n'
    grep '^clean_root: ' "$log"
    rm -f "$log"
    return $status
}

if [ ${#suites[@]} -gt 1 ]; then
    one_after_the_other "$@" || exit 1
    exit 0
fi
suite=${suites[0]:-bookworm}
root=${CLEAN_ROOT:-/var/tmp/lacquer-root-$suite}
port=8571
patience=$([ -n "$played" ] && echo 14400 || echo 3600) # seconds for the first `make serve`

# Mounts and processes below are in the script's own namespaces and end with it.
[ -n "${CLEAN_ROOT_ALONE:-}" ] || CLEAN_ROOT_ALONE=1 exec unshare --mount --propagation private \
    --pid --fork --kill-child --mount-proc "$self" "$@"
trap 'exit 130' INT TERM

what=${CLEAN_ROOT_TARBALL:+tarball $(basename "$CLEAN_ROOT_TARBALL")}
clone=$([ -z "$again" ] && echo . || echo "$root/root/lacquer")
[ -n "$what" ] || what="commit $(git -C "$clone" rev-parse --short HEAD)"
what="Debian $suite $machine, $what"
now=start found=() ended=
leave() {
    if [ -n "$ended" ]; then
        printf '\nclean_root: %s: well in %d s: %s\n' "$what" $SECONDS "$(list "${found[@]}")"
    else
        printf '\nclean_root: %s: FAILED after %d s at: %s (before that: %s); it stays in %s\n' \
            "$what" $SECONDS "$now" "$(list "${found[@]}")" "$root"
    fi
}
trap leave EXIT

list() { local IFS=';' && echo "$*" | sed 's/;/; /g'; }

step() {
    now=$*
    printf '\n== %s (at %s s)\n' "$*" "$SECONDS"
}

in_root() {
    # Only the certificate authorities that this machine trusts are copied, because some networks
    # have one of their own.
    # QEMU emulates a Raspberry Pi 5's processor: its default one has SVE, whose emulation is slow.
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CI="${CI:-}" PORT=$port \
        ${played:+QEMU_CPU=cortex-a76} \
        PIP_CERT=/root/authorities.crt NODE_EXTRA_CA_CERTS=/root/authorities.crt \
        DEBIAN_FRONTEND=noninteractive chroot "$root" sh -c "cd /root/lacquer && $1"
}

size() { du -sxm "$@" | tail -n 1 | awk '{printf "%s MB", $1}'; }

# Follows a growing log and prints the lines of the set-up and the server until process $2 ends.
follow() {
    tail -n +1 -f --pid="$2" "$1" | grep --line-buffered -E '^setup:|listening on|^==' |
        sed -u 's/^/    /'
}

make_root() {
    step "debootstrap: $what"
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase --arch="$machine" "$suite" "$root" \
        >"$root/debootstrap.log" 2>&1 ||
        { tail -n 20 "$root/debootstrap.log" && exit 1; }
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
    cp /etc/ssl/certs/ca-certificates.crt "$root/root/authorities.crt"
    # A temporary system need not survive a power failure.
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/clean-root"
    mkdir -p "$root/root/shared" "$root/root/lacquer"
    if [ -n "$CLEAN_ROOT_TARBALL" ]; then
        tar -xz --strip-components=1 -f "$CLEAN_ROOT_TARBALL" -C "$root/root/lacquer"
    else
        git clone -q --depth 1 "file://$PWD" "$root/root/lacquer"
    fi
}

mount_root() {
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount --rbind /dev "$root/dev"
    [ -d ../shared ] || return 0 # pictures and models, which only some checkouts have
    mount --bind "$(readlink -f ../shared)" "$root/root/shared"
    mount -o remount,bind,ro "$root/root/shared"
}

by_hand() {
    local packages="make"
    [ -n "$CLEAN_ROOT_TARBALL" ] || packages="make git ca-certificates"
    step "apt-get install $packages (all that a person does by hand)"
    in_root "apt-get update -q && apt-get install -qy --no-install-recommends $packages" \
        >"$root/apt.log" 2>&1 || { tail -n 20 "$root/apt.log" && exit 1; }
}

answers() {
    [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/readyz")" = 200 ]
}

serve() {
    local began=$SECONDS before after server
    step "make serve${again:+, again}"
    ! answers || { echo "another server has port $port here" && exit 1; }
    before=$(du -sxm "$root" | cut -f1)
    : >"$root/serve.log"
    in_root "exec make serve" >"$root/serve.log" 2>&1 &
    server=$!
    follow "$root/serve.log" $server &
    until answers; do
        kill -0 "$server" 2>/dev/null || { tail -n 60 "$root/serve.log" && exit 1; }
        [ $((SECONDS - began)) -lt "$patience" ] ||
            { echo "not ready in $patience s" && tail -n 60 "$root/serve.log" && exit 1; }
        sleep 0.5
    done
    found+=("make serve ready in $((SECONDS - began)) s")
    after=$(du -sxm "$root" | cut -f1)
    echo "ready after $((SECONDS - began)) s"
    echo "on disk: $((after - before)) MB, of them .deps $(size "$root/root/lacquer/.deps")," \
        "build $(size "$root/root/lacquer/build")"
    step "a picture, painted by the server"
    # The server aborts a picture after a minute; under QEMU the first one may take longer.
    curl -sf ${played:+--retry 9 --retry-all-errors} -H 'Accept: image/jpeg' \
        -F image=@tests/golden/hands/light.jpg -o "$root/painted.jpg" \
        "http://127.0.0.1:$port/api/process"
    found+=("$(stat -c %s "$root/painted.jpg") bytes painted by it")
    step "the server's stop"
    pkill --oldest --exact lacquer # only of this script's own processes: it sees no others
    wait "$server" || { tail -n 20 "$root/serve.log" && exit 1; }
}

apply() {
    local nails picture=tests/golden/hands/light.jpg
    step "lacquer apply"
    nails=$(in_root "build/lacquer apply ${played:+--fast} $picture -o /root/applied.jpg --json" |
        tr ',' '\n' | grep -c '"id"')
    found+=("$nails nails by apply")
}

# $1: a command to run in the system; logs it to test.log and shows its progress.
logged() {
    local running
    : >"$root/test.log"
    in_root "export PATH=\$PWD/.deps/bin:\$PATH; $1" >"$root/test.log" 2>&1 &
    running=$!
    follow "$root/test.log" $running &
    wait $running
}

closing_line() { grep -E "$1" "$root/test.log" | tail -n 1; }

fail_with_log() { tail -n 60 "$root/test.log" && exit 1; }

c_tests() {
    step "the C tests"
    logged "meson test -C build --no-suite isa --timeout-multiplier 20" || fail_with_log
    found+=("C tests $(closing_line '^Ok:' | tr -s ' :' ' '), none failed")
}

quick_tests() {
    local names
    step "the tests' set-up"
    logged "tools/setup.sh test && make build" || fail_with_log
    c_tests
    step "the command's and the server's own tests"
    names=$(printf 'tests/e2e/test_%s.py ' setup cli http installed packages clients_framing)
    logged "LACQUER_TUNE=off .deps/venv/bin/python -m pytest -q $names" || fail_with_log
    found+=("of the rest $(closing_line '[0-9]+ passed')")
}

run_tests() {
    if [ -n "$played" ]; then
        c_tests
    elif [ "$tests" = quick ]; then
        quick_tests
    else
        step "make test"
        logged "make test" || fail_with_log
        found+=("make test: $(closing_line '^[0-9]+ passed')")
    fi
    echo "on disk then: $(size "$root"), of them .deps $(size "$root/root/lacquer/.deps")"
}

[ -n "$again" ] || make_root
mount_root
[ -n "$again" ] || by_hand
serve
apply
[ -z "$tests" ] || run_tests
step "the end"
ended=1
[ -z "$keep" ] || exit 0
umount -l "$root"/{dev,sys,proc,root/shared} 2>/dev/null || true
rm -rf --one-file-system "$root"
