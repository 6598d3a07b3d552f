#!/usr/bin/env bash
# Runs the Autobahn test suite (wstest, fuzzing client) against the server's /ws and writes the
# summary in docs/AUTOBAHN.md. The suite needs Python 2.7, which Debian 12 does not have, so it runs
# in a separate Debian 11 root, created once with debootstrap (as root, about 550 MB).
#
#   tools/autobahn.sh [ROOT]          default ROOT: .deps/autobahn
#   CASES=9.1.1,10.* tools/autobahn.sh   only these; writes nothing to docs/
#
# The server under test is tests/conformance/lacquer-echo: `lacquer serve` with an echo at /ws
# (tests/conformance/echo.c). The whole suite takes some minutes; the results of each case are
# in build/autobahn/.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${1:-.deps/autobahn}
build=${BUILD:-build}
out=$build/autobahn
cases=${CASES:-*}
echo=$build/tests/conformance/lacquer-echo

if [ ! -x "$root/usr/local/bin/wstest" ]; then
    command -v debootstrap >/dev/null ||
        { echo "autobahn: apt-get install debootstrap" >&2; exit 1; }
    mkdir -p "$root"
    debootstrap --variant=minbase \
        --include=python2.7,python2.7-dev,ca-certificates,gcc,libc6-dev bullseye "$root"
    cp /etc/resolv.conf "$root/etc/"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    # The last versions that support Python 2.7.
    mkdir -p "$root/wheels"
    .deps/venv/bin/pip --disable-pip-version-check -q download --no-deps -d "$root/wheels" \
        --only-binary :all: --python-version 27 --implementation py --abi none \
        pip==20.3.4 setuptools==44.1.1 wheel==0.37.1
    # shellcheck disable=SC2016  # the root's shell expands it
    chroot "$root" sh -c 'export PIP_CERT=/etc/ssl/certs/ca-certificates.crt &&
        python2.7 /wheels/pip-20.3.4-py2.py3-none-any.whl/pip install --no-cache-dir \
            /wheels/*.whl &&
        python2.7 -m pip install --no-cache-dir autobahntestsuite==25.10.1'
fi

ninja -C "$build" --quiet tests/conformance/lacquer-echo
mkdir -p "$out"
"$echo" serve --port 0 --log-level warn >"$out/server.txt" 2>"$out/server.log" &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    grep -q listening "$out/server.txt" && break
    sleep 0.1
done
port=$(grep -oE '[0-9]+$' "$out/server.txt")

rm -rf "$root/reports"
python3 - "$root/fuzzingclient.json" "$port" "$cases" <<'EOP'
import json
import sys
json.dump({"outdir": "/reports", "servers": [{"agent": "lacquer",
                                              "url": f"ws://127.0.0.1:{sys.argv[2]}/ws"}],
           "cases": sys.argv[3].split(","), "exclude-cases": [], "exclude-agent-cases": {}},
          open(sys.argv[1], "w"))
EOP
chroot "$root" wstest -m fuzzingclient -s /fuzzingclient.json >"$out/wstest.log" 2>&1
kill $server
wait $server || { echo "autobahn: the server did not stop cleanly" >&2; exit 1; }
trap - EXIT
rm -rf "$out/reports"
cp -r "$root/reports" "$out/reports"
python3 tools/autobahn.py "$out/reports/index.json" \
    $([ "$cases" = '*' ] && echo docs/AUTOBAHN.md)
