"""Makes the README's short video: frames of the rendered hand (tests/e2e/hand.mjpeg), painted by
build/lacquer, as an animated WebP.

    .deps/venv/bin/python tools/make_video.py docs/hand.webp
"""
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
FRAMES, EVERY, SIZE, FRAME_MS = 28, 2, (400, 300), 90
LOOKS = ("ruby-gloss", "emerald-cat-eye", "silver-chrome", "classic-french")


def pictures(video):
    """Splits a video of concatenated JPEGs."""
    starts = []
    at = video.find(b"\xff\xd8\xff")
    while at >= 0:
        starts.append(at)
        at = video.find(b"\xff\xd8\xff", at + 3)
    return [video[a:b] for a, b in zip(starts, starts[1:] + [len(video)])]


def main(out):
    frames = pictures((ROOT / "tests/e2e/hand.mjpeg").read_bytes())[::EVERY][:FRAMES]
    share = -(-len(frames) // len(LOOKS))
    painted = []
    with tempfile.TemporaryDirectory() as folder:
        for i, look in enumerate(LOOKS):
            files = []
            for j, frame in enumerate(frames[i * share:(i + 1) * share]):
                files.append(pathlib.Path(folder) / f"{i}-{j:02}.jpg")
                files[-1].write_bytes(frame)
            target = pathlib.Path(folder) / look
            target.mkdir()
            command = [ROOT / "build/lacquer", "apply", *files, "-o", f"{target}/", "--look", look]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            painted += [Image.open(each).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
                        for each in sorted(target.iterdir())]
    painted[0].save(out, save_all=True, append_images=painted[1:], duration=FRAME_MS, loop=0,
                    quality=62, method=2)


if __name__ == "__main__":
    main(sys.argv[1])
