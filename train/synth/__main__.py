"""Command line: python3 -m synth frames|video|golden|polished (run in train/)."""

import argparse
import json
import os
import sys

import cv2

from . import camera, golden, polished, video
from .godot import PoseError
from .gpu import RenderError
from .mesh import AssetError
from .studio import DEFAULT_ASSETS, Studio


def _size(text):
    try:
        w, h = (int(v) for v in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not WIDTHxHEIGHT") from None
    if not (64 <= w <= 4096 and 64 <= h <= 4096):
        raise argparse.ArgumentTypeError(f"'{text}': sides go from 64 to 4096")
    return w, h


def _number(low, high, kind=int):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is not within {low}..{high}")
        return value
    return parse


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"synth: {message}", file=sys.stderr)
        sys.exit(2)


def _parser():
    parser = _Parser(prog="synth", description="Renders hands with exact nail masks.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def command(name, text):
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--hand3d", default=DEFAULT_ASSETS, metavar="DIR",
                         help="the rigged hands (default: ../shared/data/hand3d-cc0 beside the "
                              "repository)")
        sub.add_argument("--supersample", type=_number(1, 6), default=3, metavar="N",
                         help="samples per pixel side (default 3)")
        return sub

    frames = command("frames", "independent random pictures")
    frames.add_argument("--out", required=True, metavar="DIR")
    frames.add_argument("--count", type=_number(1, 10 ** 7), required=True, metavar="N")
    frames.add_argument("--start", type=_number(0, 10 ** 7), default=0, metavar="N",
                        help="number of the first picture, to make a set in parts")
    frames.add_argument("--seed", type=_number(0, 2 ** 32), required=True, metavar="S")
    frames.add_argument("--size", type=_size, default=(640, 480), metavar="WxH")
    frames.add_argument("--long-side", type=_number(64, 4096), metavar="N",
                        help="random proportions with this long side, instead of --size")
    frames.add_argument("--polished", type=_number(0, 1, float), default=0.3, metavar="SHARE")

    clip = command("video", "a hand moving in a loop, as concatenated JPEGs")
    clip.add_argument("--out", required=True, metavar="FILE.mjpeg")
    clip.add_argument("--masks", metavar="DIR", help="a 1-bit mask per frame, and frames.json")
    clip.add_argument("--seed", type=_number(0, 2 ** 32), required=True, metavar="S")
    clip.add_argument("--seconds", type=_number(0.1, 600, float), required=True, metavar="T")
    clip.add_argument("--fps", type=_number(1, 120), default=30, metavar="N")
    clip.add_argument("--size", type=_size, default=(640, 480), metavar="WxH")
    clip.add_argument("--skin", type=_number(0, 1, float), metavar="DEPTH",
                      help="0 very light .. 1 very dark")
    clip.add_argument("--polished", type=_number(0, 1, float), default=0.0, metavar="SHARE")
    clip.add_argument("--quality", type=_number(1, 100), default=85, metavar="Q")

    gold = command("golden", "the pictures and the video of the repository's tests")
    gold.add_argument("--out", required=True, metavar="DIR", help="the repository's tests folder")

    pairs = command("polished", "a hand bare and with polish, over skin tones and lights: what "
                                "tools/polish_truth.py measures painted polish by")
    pairs.add_argument("--out", required=True, metavar="DIR")
    pairs.add_argument("--seed", type=_number(0, 2 ** 32), default=1, metavar="S")
    return parser


def _write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def _png(image, bilevel=False):
    flags = [cv2.IMWRITE_PNG_BILEVEL, 1] if bilevel else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    ok, data = cv2.imencode(".png", image, flags)
    if not ok:
        raise RuntimeError("cannot encode a PNG")
    return data.tobytes()


def _json(value):
    return (json.dumps(value, indent=1) + "\n").encode()


def _progress(done, count, what):
    if sys.stderr.isatty():
        print(f"\r{done}/{count} {what}", end="\n" if done == count else "", file=sys.stderr)


def _frames(args, studio):
    size = args.long_side or args.size
    for k in range(args.count):
        shot = studio.frame(args.seed, args.start + k, size, polished=args.polished)
        stem = f"s{args.seed}-{args.start + k:06d}"
        _write(os.path.join(args.out, "images", stem + ".jpg"),
               camera.jpeg(shot.rgb, shot.meta["camera"]["quality"]))
        _write(os.path.join(args.out, "masks", stem + ".png"), _png(shot.mask))
        _write(os.path.join(args.out, "ids", stem + ".png"), _png(shot.ids))
        _write(os.path.join(args.out, "meta", stem + ".json"), _json(shot.meta))
        _progress(k + 1, args.count, "pictures")


def _video(args, studio):
    count = max(1, round(args.seconds * args.fps))
    _make_video(studio, args.out, args.masks, args.seed, count, args.fps, args.quality,
                size=args.size, depth=args.skin, polished=args.polished)


def _make_video(studio, out, masks, seed, count, fps, quality, **wishes):
    metas, data = [], []
    for k, shot in enumerate(video.frames(studio, seed, count, quality=quality, **wishes)):
        data.append(camera.jpeg(shot.rgb, quality))
        metas.append({"frame": k, "nails": shot.meta["nails"]})
        if masks:
            mask = ((shot.mask > 127) * 255).astype("uint8")
            _write(os.path.join(masks, f"{k:04d}.png"), _png(mask, bilevel=True))
        _progress(k + 1, count, "frames")
    _write(os.path.abspath(out), b"".join(data))
    if masks:
        about = {k: shot.meta[k] for k in ("seed", "size", "hands", "skin", "light")}
        lines = ",\n".join(json.dumps(m, separators=(",", ":")) for m in metas)
        text = json.dumps(dict(about, fps=fps), separators=(",", ":"))
        _write(os.path.join(masks, "frames.json"),
               (text[:-1] + ',"frames":[\n' + lines + "\n]}\n").encode())


def _golden(args, studio):
    for name in golden.HANDS:
        shot = golden.shot(studio, name)
        base = os.path.join(args.out, "golden", "hands", name)
        _write(base + ".jpg", camera.jpeg(shot.rgb, shot.meta["camera"]["quality"]))
        _write(base + ".mask.png", _png(shot.mask))
        _write(base + ".json", _json(shot.meta))
    spec = dict(golden.VIDEO)
    count = round(spec.pop("seconds") * spec["fps"])
    folder = os.path.join(args.out, "e2e")
    _make_video(studio, os.path.join(folder, "hand.mjpeg"), os.path.join(folder, "hand-masks"),
                spec.pop("seed"), count, spec.pop("fps"), spec.pop("quality"), **spec)


def _polished(args, studio):
    count = len(polished.TONES) * len(polished.EXPOSURES) * len(polished.TINTS)
    for k, (name, swatch, shot) in enumerate(polished.shots(studio, args.seed)):
        _write(os.path.join(args.out, swatch, name + ".png"), _png(shot.rgb[..., ::-1]))
        if swatch == "bare":
            _write(os.path.join(args.out, "ids", name + ".png"), _png(shot.ids))
        _progress(k + 1, count * (1 + len(polished.SWATCHES)), "pictures")


def main():
    args = _parser().parse_args()
    run = {"frames": _frames, "video": _video, "golden": _golden,
           "polished": _polished}[args.command]
    try:
        studio = Studio(args.hand3d, args.supersample)
        run(args, studio)
        studio.close()
    except (AssetError, PoseError, RenderError) as err:
        print(f"synth: {err}", file=sys.stderr)
        return 1
    except OSError as err:
        print(f"synth: cannot write '{err.filename}': {err.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
