"""Paints a video file (or a camera) with OpenCV: nails keep their ids, outlines are steady.

    pip install lacquer-*.whl opencv-python-headless
    python examples/opencv_video.py in.mp4 out.mp4 classic-french
    python examples/opencv_video.py 0 out.mp4 classic-french       # camera 0, until Ctrl-C
"""
import sys

import cv2
import lacquer


def frames(capture):
    while True:
        ok, frame = capture.read()
        if not ok:
            return
        yield frame


def main(source, target, look):
    capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    if not capture.isOpened():
        sys.exit(f"cannot open '{source}'")
    fps = capture.get(cv2.CAP_PROP_FPS) or 30
    size = tuple(int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH,
                                                     cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(target, cv2.VideoWriter_fourcc(*"mp4v"), fps, size)
    video, look, ids, count = lacquer.Lacquer().video(), lacquer.Look(look), set(), 0
    try:
        for frame in frames(capture):
            # OpenCV's arrays are BGR; the frame itself is painted.
            result = video.paint(frame, look, time=count / fps, pixel_format="bgr", in_place=True)
            writer.write(frame)
            ids.update(nail.id for nail in result.nails)
            count += 1
    except KeyboardInterrupt:
        pass
    writer.release()
    print(f"{count} frames, {len(ids)} nails")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} VIDEO|CAMERA OUT.mp4 LOOK")
    main(*sys.argv[1:])
