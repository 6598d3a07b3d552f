#!/usr/bin/env bash
# Makes a Debian (12, 13) or Ubuntu (22.04, 24.04) machine, x86-64 or ARM64, ready to build (and,
# with "test", to test) Lacquer: the system's packages by apt-get; the OpenVINO runtime, the tests'
# tools and whatever the system has too old into .deps/; nothing else outside this folder. A second
# run finds its stamps and returns at once.
#
#   tools/setup.sh [build|test|device|gpu]
#
# device: what `build` needs and the page's own engine (tools/wasm.sh, web/device); test: all that
# and the tests' tools; gpu: what --engine tensorrt loads (setup_gpu.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}
export PATH="$PWD/.deps/bin:$PATH"

[ "$what" != gpu ] || exec tools/setup_gpu.sh gpu

for part in system packages pypi openvino device tests; do
    # shellcheck source=/dev/null
    . "tools/setup/$part.sh"
done

# A stamp contains the checksum of its inputs, so a changed pin is installed again.
fresh() { [ -f ".deps/$1.stamp" ] && [ "$(cat ".deps/$1.stamp")" = "$2" ]; }

mkdir -p .deps
python=$(cat .deps/python 2>/dev/null || echo python3)
# Includes the system, because a container with another one may share this folder.
sum=$(cat tools/setup/{system,packages,pypi}.sh tools/setup/*.txt "$0" \
    <(system_name && needed_meson) | sha256sum)
fresh "packages-$what" "$sum" || {
    check_system
    say "$(system_name)"
    get_packages "$what"
    printf '%s\n' "$python" >.deps/python
    [ -z "$meson_from_pypi" ] || get_meson
    [ -z "$spng_from_pypi" ] || get_spng
    [ -z "$node_from_pypi" ] || get_node
    get_onnx_proto
    printf '%s' "$sum" >".deps/packages-$what.stamp"
}
# In parallel, because each waits for the network and then for the disk; apt-get allows only one.
get_all_openvino() {
    get_openvino
    get_openvino_python
}
get_all_servers() {
    get_servers
    get_tritonserver
}
case $what in
build) get_openvino ;;
device) beside get_openvino get_device ;;
test) beside get_all_openvino get_device get_test_tools get_all_servers ;;
esac
