#!/usr/bin/env bash
# Proves that a fresh Debian 12 needs nothing but the checkout: makes a minimal system with
# debootstrap, puts the last commit in it, runs `make serve` there, asks the server for a painted
# picture, then runs `make test`. By hand, as root: it takes some minutes. What it printed last is
# kept in docs/CLEAN-ROOT.md.
#
#   tools/clean_root.sh [ROOT_FOLDER]      the folder is made anew, and removed on success
set -euo pipefail
cd "$(dirname "$0")/.."
root=${1:-/var/tmp/lacquer-root}
port=8571

[ "$(id -u)" = 0 ] || { echo "clean_root: run it as root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "clean_root: apt-get install debootstrap" >&2; exit 1; }

server=
leave() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    for at in dev sys proc; do
        mountpoint -q "$root/$at" && umount -l "$root/$at" || true
    done
}
trap leave EXIT

in_root() {
    # The authorities this machine trusts are the only thing carried over: some have one of their own.
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CI="${CI:-}" PORT=$port \
        PIP_CERT=/root/authorities.crt \
        NODE_EXTRA_CA_CERTS=/root/authorities.crt \
        chroot "$root" sh -c "cd /root/lacquer && $1"
}

step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

leave
rm -rf "$root"
step "debootstrap"
debootstrap --variant=minbase bookworm "$root" >/dev/null
mkdir -p "$root/root/lacquer" "$root/root/shared"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/root/authorities.crt"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
git archive HEAD | tar -x -C "$root/root/lacquer"
[ ! -d ../shared ] || cp -r ../shared/. "$root/root/shared/"

step "apt-get install make (all that a person does by hand)"
chroot "$root" apt-get update -q >/dev/null
chroot "$root" apt-get install -qy --no-install-recommends make >/dev/null

step "make serve, the first time"
began=$SECONDS
in_root "exec make serve" >"$root/serve.log" 2>&1 &
server=$!
until [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/readyz")" = 200 ]; do
    kill -0 "$server" 2>/dev/null || { cat "$root/serve.log"; exit 1; }
    [ $((SECONDS - began)) -lt 600 ] || { echo "not ready in 600 s"; cat "$root/serve.log"; exit 1; }
    sleep 0.2
done
echo "ready after $((SECONDS - began)) s"
curl -sf -H 'Accept: image/jpeg' -F "image=@$(ls tests/golden/hands/*.jpg | head -n 1)" \
    -o "$root/painted.jpg" "http://127.0.0.1:$port/api/process"
echo "a painted picture of $(stat -c %s "$root/painted.jpg") bytes came back"
pkill -TERM -P "$server" || kill "$server"
wait "$server" || true
server=

step "make build, the second time"
in_root "bash -c 'time make build'" 2>&1 | grep real

step "make test"
in_root "make test" >"$root/test.log" 2>&1 || { tail -n 60 "$root/test.log"; exit 1; }
tail -n 1 "$root/test.log"

step "done"
leave
rm -rf "$root"
