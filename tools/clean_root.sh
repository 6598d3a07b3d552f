#!/usr/bin/env bash
# Proves that a fresh Debian needs nothing but the checkout: makes a minimal system with
# debootstrap, puts the last commit in it, runs `make serve` there, asks the server for a painted
# picture, paints one with `lacquer apply`, then runs `make test`. By hand, as root: it takes some
# minutes. What it printed last is kept in docs/CLEAN-ROOT.md.
#
#   tools/clean_root.sh [bookworm|trixie] [arm64] [--serve-only]
#
#   arm64          on x86-64 too, played by QEMU (packages qemu-user-static, binfmt-support): some
#                  twenty times slower, and only the C tests of the kernels and pictures run
#   --serve-only   without the tests
#
# CLEAN_ROOT=FOLDER        where the system is made (/var/tmp/lacquer-root); removed on success
# CLEAN_ROOT_TARBALL=FILE  a tarball of tools/dist.sh in place of the commit
set -euo pipefail
cd "$(dirname "$0")/.."
root=${CLEAN_ROOT:-/var/tmp/lacquer-root}
port=8571
suite=bookworm machine=$(dpkg --print-architecture) tests=all
for word in "$@"; do
    case $word in
    bookworm | trixie) suite=$word ;;
    amd64 | arm64) machine=$word ;;
    --serve-only) tests= ;;
    *) echo "clean_root: '$word' is not understood; see the head of $0" >&2 && exit 2 ;;
    esac
done
played=$([ "$machine" = "$(dpkg --print-architecture)" ] || echo 1)
patience=$([ -n "$played" ] && echo 14400 || echo 900) # seconds for the first `make serve`

[ "$(id -u)" = 0 ] || { echo "clean_root: run it as root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "clean_root: apt-get install debootstrap" >&2; exit 1; }
[ -z "$played" ] || [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || {
    echo "clean_root: no $machine programs run here: apt-get install qemu-user-static" \
        "binfmt-support" >&2
    exit 1
}

server=
leave() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    for at in dev sys proc; do
        mountpoint -q "$root/$at" && umount -l "$root/$at" || true
    done
}
trap leave EXIT

in_root() {
    # The authorities this machine trusts are the only thing carried over: some have one of their
    # own.
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CI="${CI:-}" PORT=$port \
        PIP_CERT=/root/authorities.crt \
        NODE_EXTRA_CA_CERTS=/root/authorities.crt \
        chroot "$root" sh -c "cd /root/lacquer && $1"
}

step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

size() { du -sxm "$@" | tail -n 1 | awk '{printf "%s MB", $1}'; }

make_root() {
    step "debootstrap $suite $machine, commit $(git rev-parse --short HEAD)"
    leave
    rm -rf "$root"
    debootstrap --variant=minbase --arch="$machine" "$suite" "$root" >/dev/null
    mkdir -p "$root/root/lacquer" "$root/root/shared"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cp /etc/ssl/certs/ca-certificates.crt "$root/root/authorities.crt"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount --rbind /dev "$root/dev"
    mount --make-rslave "$root/dev"
    if [ -n "${CLEAN_ROOT_TARBALL:-}" ]; then
        tar -xz --strip-components=1 -f "$CLEAN_ROOT_TARBALL" -C "$root/root/lacquer"
    else
        git archive HEAD | tar -x -C "$root/root/lacquer"
    fi
    [ ! -d ../shared ] || cp -r ../shared/. "$root/root/shared/"
    step "apt-get install make (all that a person does by hand)"
    chroot "$root" apt-get update -q >/dev/null
    chroot "$root" apt-get install -qy --no-install-recommends make >/dev/null
}

serve() {
    local began=$SECONDS before after
    step "make serve, the first time"
    before=$(du -sxm "$root" | cut -f1)
    in_root "exec make serve" >"$root/serve.log" 2>&1 &
    server=$!
    until [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/readyz")" = 200 ]; do
        kill -0 "$server" 2>/dev/null || { cat "$root/serve.log" && exit 1; }
        [ $((SECONDS - began)) -lt $patience ] ||
            { echo "not ready in $patience s" && cat "$root/serve.log" && exit 1; }
        sleep 0.2
    done
    after=$(du -sxm "$root" | cut -f1)
    echo "ready after $((SECONDS - began)) s; what it said:"
    grep -E '^setup|listening' "$root/serve.log" | sed 's/^/    /'
    echo "on disk: $((after - before)) MB, of them .deps $(size "$root/root/lacquer/.deps")," \
        "build $(size "$root/root/lacquer/build")"
    curl -sf -H 'Accept: image/jpeg' -F "image=@$(ls tests/golden/hands/*.jpg | head -n 1)" \
        -o "$root/painted.jpg" "http://127.0.0.1:$port/api/process"
    echo "a painted picture of $(stat -c %s "$root/painted.jpg") bytes came back"
    pkill -TERM -P "$server" || kill "$server"
    wait "$server" || true
    server=
}

apply() {
    step "lacquer apply"
    in_root "build/lacquer apply tests/golden/hands/light.jpg -o /root/applied.jpg --json" |
        tr ',' '\n' | grep -c '"id"' | sed 's/^/nails painted: /'
}

run_tests() {
    step "make build, the second time"
    in_root "bash -c 'time make build'" 2>&1 | grep real
    if [ -n "$played" ]; then
        step "the unit and golden tests, played"
        in_root "meson test -C build --timeout-multiplier 20" >"$root/test.log" 2>&1 || true
        grep -E '^(Ok|Fail|Skipped|Timeout|Expected)' "$root/test.log"
        return
    fi
    step "make test"
    in_root "make test" >"$root/test.log" 2>&1 || { tail -n 60 "$root/test.log" && exit 1; }
    tail -n 1 "$root/test.log"
    echo "on disk then: $(size "$root"), of them .deps $(size "$root/root/lacquer/.deps")"
}

make_root
serve
apply
[ -z "$tests" ] || run_tests
step "done"
leave
rm -rf "$root"
