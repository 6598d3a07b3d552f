#!/usr/bin/env python3
"""Writes the folder from which the page downloads its on-device engine (web/device/files.js reads
it): each file under a name with a hash of its content, its compressed forms beside it, and
device.json, which lists them all.

Usage: device.py OUT_FOLDER SCRATCH LACQUER.wasm ORT_FOLDER FZSTD_FOLDER NAIL.onnx HAND.onnx|-
                 STAMP

.br and .gz are for servers that can send compressed forms; .zst is for hosts that do not compress:
`lacquer site` uses it instead of the file, and the page decompresses it. NOTICES.txt contains the
licences.

The network's sizes and threshold come from the sidecar beside NAIL.onnx. Without HAND.onnx (-),
tips and fingers are estimated only from the nails' appearance. STAMP is written at the end.
"""
import gzip
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

from notices import notices
from open_dims import opened

# The name that a browser requests, and the file of the npm package.
ORT = {
    "ort.mjs": "ort.wasm.min.mjs",
    "ort.glue": "ort-wasm-simd-threaded.mjs",
    "ort.wasm": "ort-wasm-simd-threaded.wasm",
    "ort-webgpu.mjs": "ort.jspi.min.mjs",
    "ort-webgpu.glue": "ort-wasm-simd-threaded.jspi.mjs",
    "ort-webgpu.wasm": "ort-wasm-simd-threaded.jspi.wasm",
}
UNPACKER = "unzstd.mjs"
LARGE = 1 << 20 # the best compression takes a minute for such a file, and saves only 5 %
FORMS = ("br", "gz", "zst")


def packed(data, *command):
    return subprocess.run(command, input=data, check=True, stdout=subprocess.PIPE).stdout


def compressed(data, form):
    large = len(data) > LARGE
    if form == "br":
        return packed(data, "brotli", "-q", "9" if large else "11", "-w", "24", "-c")
    if form == "zst":  # with the size, which the compressor cannot know when it reads a pipe
        return packed(data, "zstd", "-16" if large else "-19", "--long=27", "-q", "-c",
                      f"--stream-size={len(data)}")
    return gzip.compress(data, 6 if large else 9, mtime=0)


def lay(folder, scratch, name, path):
    """Writes a file's forms; returns its row in the manifest. Existing forms are reused."""
    data = path.read_bytes()
    data = opened(data) if name == "nail.onnx" else data
    digest = hashlib.sha256(data).hexdigest()
    file = f"{name.split('.')[0]}-{digest[:10]}{path.suffix}"
    (folder / file).write_bytes(data)
    row = {"file": file, "bytes": len(data), "sha256": digest}
    for form in FORMS[:2] if path.suffix == ".mjs" else FORMS:  # scripts cannot decompress the rest
        kept = scratch / f"{digest}.{form}"
        if not kept.exists():
            kept.write_bytes(compressed(data, form))
        if kept.stat().st_size < len(data) * 9 // 10:
            shutil.copyfile(kept, folder / f"{file}.{form}")
            row[form] = kept.stat().st_size
    return row


def main(folder, scratch, wasm, ort, unpacker, nail, hand, stamp):
    sidecar = json.loads(nail.with_suffix(".json").read_text(encoding="utf-8"))
    if sidecar.get("head") != "mask" or sidecar.get("resize") != "stretch":
        raise SystemExit(f"{nail}: the page runs networks with a mask, shown stretched pictures")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    scratch.mkdir(parents=True, exist_ok=True)
    paths = {"lacquer.wasm": wasm, "nail.onnx": nail}
    paths.update({"hand.onnx": hand} if hand.name != "-" else {})
    paths.update({name: ort / file for name, file in ORT.items()})
    paths[UNPACKER] = unpacker / "index.mjs"
    files = {name: lay(folder, scratch, name, path) for name, path in paths.items()}
    manifest = {
        "version": 1,
        "nails": {"name": sidecar.get("name", nail.stem), "sizes": sidecar["sizes"],
                  "threshold": sidecar.get("threshold", 0.5)},
        "hand": "hand.onnx" in files,
        "files": files,
    }
    text = json.dumps(manifest, indent=1) + "\n"
    (folder / "device.json").write_text(text, encoding="utf-8")
    told = notices(ort, unpacker, nail, hand)
    (folder / "NOTICES.txt").write_text(told, encoding="utf-8")
    stamp.write_text("", encoding="utf-8")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
