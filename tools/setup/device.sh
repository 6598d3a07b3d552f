# Sourced by tools/setup.sh: the foreign parts of the runtime with which the page detects nails on
# the visitor's device. They are installed from npm in .deps, each package pinned with its checksum
# in tools/device.txt; the page loads them from the server's data folder.

# Unpacks a package into a folder; fails if it is not the pinned one.
get_npm() {
    local name=$1 version=$2 wanted=$3 folder=$4 had
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$folder" && npm pack --silent "$name@$version" >/dev/null)
    had=$(openssl dgst -sha512 -binary "$folder"/*.tgz | base64 -w 0)
    [ "$had" = "$wanted" ] || give_up "$name $version is not the one of tools/device.txt: $had"
    tar -xzf "$folder"/*.tgz -C "$folder"
}

# Keeps the builds of ONNX Runtime Web for the processor and for WebGPU with JSPI. The build for
# WebGPU without JSPI is ten megabytes larger and not used.
keep_from() {
    case $1 in
    onnxruntime-web)
        cp "$2"/dist/{ort.wasm.min,ort.jspi.min}.mjs \
            "$2"/dist/ort-wasm-simd-threaded{,.jspi}.{mjs,wasm} "$2/README.md" "$3"
        ;;
    fzstd) cp "$2/esm/index.mjs" "$2/LICENSE" "$3" ;;
    esac
}

# The npm package contains no licence; the Python package has it and those of all its parts. The
# same wheel serves all machines, because it is not run.
get_notices() {
    local work=.deps/device-notices
    rm -rf $work
    mkdir -p $work
    venv
    pip download --no-deps --only-binary :all: --require-hashes -d $work \
        --platform manylinux_2_28_x86_64 --python-version 3.11 -r tools/device_notices.txt
    python3 -m zipfile -e $work/*.whl $work
    cp $work/onnxruntime/{LICENSE,ThirdPartyNotices.txt} .deps/onnxruntime-web/
    rm -rf $work
}

get_device() {
    local sum name version wanted
    sum=$(cat tools/device.txt tools/device_notices.txt tools/setup/device.sh | sha256sum)
    fresh device "$sum" && return
    say "fetching ONNX Runtime Web: 48 MB, 31 MB on disk"
    while read -r name version wanted; do
        get_npm "$name" "$version" "$wanted" .deps/device-npm
        rm -rf ".deps/$name"
        mkdir -p ".deps/$name"
        keep_from "$name" .deps/device-npm/package ".deps/$name"
    done <tools/device.txt
    rm -rf .deps/device-npm
    get_notices
    printf '%s' "$sum" >.deps/device.stamp
}
