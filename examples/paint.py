"""Paints a picture file, and says which finger each nail is on.

    pip install lacquer-*.whl
    python examples/paint.py hand.jpg painted.jpg classic-french
"""
import pathlib
import sys

import lacquer


def main(source, target, look):
    with lacquer.Lacquer() as painter:
        result = painter.paint_file(pathlib.Path(source).read_bytes(), look)
    pathlib.Path(target).write_bytes(result.encoded)
    for nail in result.nails:
        print(f"nail {nail.id}: {nail.finger}, {nail.length:.0f} x {nail.width:.0f} px")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} IN.jpg OUT.jpg LOOK")
    try:
        main(*sys.argv[1:])
    except (lacquer.Error, OSError) as error:
        sys.exit(str(error))
