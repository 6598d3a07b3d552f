# Sourced by tools/setup.sh: ONNX Runtime Web, with which the page finds nails on the reader's own
# device. It comes from npm, pinned with its checksum in tools/device.txt, into
# .deps/onnxruntime-web; the page loads it from the server's data folder.

# Kept are the builds for the processor, and for WebGPU by JSPI; the one for WebGPU without it is
# ten megabytes larger and not used.
get_device() {
    local sum name version wanted had
    sum=$(cat tools/device.txt tools/setup/device.sh | sha256sum)
    fresh device "$sum" && return
    read -r name version wanted <tools/device.txt
    say "fetching ONNX Runtime Web: 24 MB, 31 MB on disk"
    rm -rf .deps/device-npm .deps/onnxruntime-web
    mkdir -p .deps/device-npm .deps/onnxruntime-web
    (cd .deps/device-npm && npm pack --silent "$name@$version" >/dev/null)
    had=$(openssl dgst -sha512 -binary .deps/device-npm/*.tgz | base64 -w 0)
    [ "$had" = "$wanted" ] || give_up "$name $version is not the one of tools/device.txt: $had"
    tar -xzf .deps/device-npm/*.tgz -C .deps/device-npm
    cp .deps/device-npm/package/dist/{ort.wasm.min,ort.jspi.min}.mjs \
        .deps/device-npm/package/dist/ort-wasm-simd-threaded{,.jspi}.{mjs,wasm} \
        .deps/onnxruntime-web/
    cp .deps/device-npm/package/README.md .deps/onnxruntime-web/
    rm -rf .deps/device-npm
    printf '%s' "$sum" >.deps/device.stamp
}
