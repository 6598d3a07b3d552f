#!/usr/bin/env python3
"""Runs other people's pictures (test files of other projects, a folder of photos) through `lacquer
apply`, through the server and through Pillow, and counts the differences: accepted or rejected,
size and orientation, and the colours of unpainted pixels according to the file's own profile.

  foreign_pictures.py [--lacquer build/lacquer] [--json REPORT] FOLDER...

Needs Pillow, NumPy and httpx (tests/requirements.txt). File types are recognised by content.
"""
import argparse
import collections
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import httpx
import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from color import delta_e, shown  # noqa: E402

Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False
NETWORK_BYTES = 16 << 20
BATCH = 40


def kind_of(data):
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        brands = data[8:int.from_bytes(data[:4], "big")]
        return "AVIF" if b"avif" in brands or b"avis" in brands else "HEIC" if re.search(
            rb"hei[cxms]|hev[cx]|mif1|msf1", brands) else None
    return None


def reference(data):
    """(pixels as sRGB, upright), or Pillow's error."""
    try:
        picture = Image.open(io.BytesIO(data))
        if getattr(picture, "is_animated", False) and picture.format == "WEBP":
            return None, "an animation"
        picture.load()
        icc, mode = picture.info.get("icc_profile"), picture.mode
        picture = ImageOps.exif_transpose(picture)
        if mode.startswith("I"):  # 16-bit grey, which Pillow would clip
            grey = (np.asarray(picture).astype(float) / 257).round().astype(np.uint8)
            picture = Image.fromarray(grey)
        if icc and mode in ("RGB", "RGBA", "L", "LA", "CMYK", "P", "PA"):
            picture = by_profile(picture, icc, mode)
        return np.asarray(picture.convert("RGBA").convert("RGB")).astype(float), None
    except Exception as error:  # noqa: BLE001  whatever it says is the answer
        return None, str(error)[:100]


def by_profile(picture, icc, mode):
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = {"L": "GRAY", "LA": "GRAY", "CMYK": "CMYK"}.get(mode, "RGB ")
        if profile.profile.xcolor_space.strip() != space.strip():
            return picture
        plain = picture if mode == "CMYK" else picture.convert("L" if space == "GRAY" else "RGB")
        return ImageCms.profileToProfile(
            plain, profile, ImageCms.createProfile("sRGB"), outputMode="RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION if mode == "CMYK" else 0)
    except (ImageCms.PyCMSError, OSError):
        return picture  # a broken profile is ignored


def run_apply(lacquer, files, folder):
    """(painted file, mask) or (None, error) for each; all in one process."""
    folders = [folder / name for name in ("in", "out", "masks")]
    for each in folders:
        each.mkdir()
    names = [f"{number:05}.png" for number in range(len(files))]  # so that no colour is lost
    for name, data in zip(names, files):
        (folders[0] / name).write_bytes(data)
    done = subprocess.run([lacquer, "apply", "--fast", *(folders[0] / name for name in names), "-o",
                           folders[1], "--mask-out", folders[2]], capture_output=True, text=True)
    said = dict(re.findall(r"/(\d{5}\.png)': (.*)", done.stderr))
    return [((folders[1] / name).read_bytes(), np.asarray(Image.open(folders[2] / name)))
            if (folders[2] / name).exists() else (None, said.get(name, f"exit {done.returncode}"))
            for name in names]


def ask(url, data):
    reply = httpx.post(f"{url}/api/process", files={"image": data}, timeout=120)
    body = reply.json()
    return (body["width"], body["height"]) if body["success"] else body["error"]


class Server:
    def __init__(self, lacquer):
        self.process = subprocess.Popen([lacquer, "serve", "--port", "0", "--log-level", "error",
                                         "--max-wait", "60000", "--workers", "1"],
                                        stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + re.search(r":(\d+)", self.process.stdout.readline()
                                                   .split("listening on http:")[1])[1]

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


def compare(data, ours, said, url):
    """The equal and the differing results, as a dict."""
    theirs, why = reference(data)
    if kind_of(data) == "HEIC" and theirs is None:
        why = "no reader"
    seen = {"reference": why or "taken", "apply": "taken" if ours else said}
    answer = ask(url, data) if len(data) <= NETWORK_BYTES else "larger than a body may be"
    seen["network"] = "taken" if isinstance(answer, tuple) else answer
    if theirs is None or ours is None:
        return seen
    if isinstance(answer, tuple):
        seen["network_size"] = answer == theirs.shape[1::-1]
    pixels = shown(ours)
    seen["size"] = pixels.shape == theirs.shape
    untouched = np.asarray(said) == 0
    if seen["size"] and untouched.any():
        seen["delta_e"] = float(delta_e(pixels, theirs)[untouched].mean())
        # Pillow does not know gAMA, cHRM and code points: for these the raw values must be equal.
        if seen["delta_e"] > 1 and not Image.open(io.BytesIO(data)).info.get("icc_profile"):
            numbers = np.asarray(Image.open(io.BytesIO(ours)).convert("RGB")).astype(float)
            seen["delta_e"] = float(delta_e(numbers, theirs)[untouched].mean())
    return seen


def count(counts, kind, seen):
    row = counts[kind]
    row["files"] += 1
    both = seen["reference"] == "taken", seen["apply"] == "taken"
    if seen["reference"] == "no reader":
        row["without reference"] += 1
        return False
    row[{(True, True): "both take", (False, False): "both refuse",
         (True, False): "only Pillow takes", (False, True): "only apply takes"}[both]] += 1
    if seen.get("network", seen["apply"]) != "taken" and seen["apply"] == "taken":
        row["the server refuses"] += 1
    row["another size"] += seen.get("size") is False or seen.get("network_size") is False
    row["recoloured"] += seen.get("delta_e", 0) > 1
    return both[0] != both[1] or seen.get("size") is False or seen.get("delta_e", 0) > 1 or \
        seen.get("network_size") is False or (both[1] and seen.get("network") != "taken")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--lacquer", default=ROOT / "build" / "lacquer", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--most", type=int, default=1 << 30, help="files, about")
    options = parser.parse_args()
    counts, report = collections.defaultdict(collections.Counter), []
    server = Server(options.lacquer)
    paths = [path for folder in options.folders for path in sorted(folder.rglob("*"))
             if path.is_file() and kind_of(path.read_bytes())]
    for start in range(0, min(len(paths), options.most), BATCH):
        part = paths[start:start + BATCH]
        files = [path.read_bytes() for path in part]
        with tempfile.TemporaryDirectory() as name:
            painted = run_apply(options.lacquer, files, pathlib.Path(name))
        print(f"{start} of {len(paths)}", file=sys.stderr, flush=True)
        for path, data, (ours, said) in zip(part, files, painted):
            kind, seen = kind_of(data), compare(data, ours, said, server.url)
            report.append({"file": str(path), "kind": kind, **seen})
            if count(counts, kind, seen):
                print(path, json.dumps(seen), flush=True)
    status = server.stop()
    columns = ["files", "without reference", "both take", "both refuse", "only Pillow takes",
               "only apply takes",
               "the server refuses", "another size", "recoloured"]
    print("\n| kind | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
    for kind, row in sorted(counts.items()):
        print(f"| {kind} | " + " | ".join(str(row[column]) for column in columns) + " |")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
