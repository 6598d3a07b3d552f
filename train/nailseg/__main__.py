"""python3 -m nailseg train | teach | average | evaluate | export | compact"""
import argparse
import importlib
import pathlib
import sys

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"


def size(text):
    h, w = map(int, text.split("x"))
    if h % 32 or w % 32 or h <= 0 or w <= 0:
        raise argparse.ArgumentTypeError("height and width must be multiples of 32")
    return h, w


def train_options(p):
    p.add_argument("--config", required=True)
    p.add_argument("--out", required=True, help="folder of checkpoints and log.jsonl; a run that "
                   "finds last.pt there goes on from it")
    p.add_argument("--start", help="continue from this checkpoint instead")
    p.add_argument("--weights", help="begin with this checkpoint's weights and nothing else of it; "
                   "if it holds another network, with those that fit")
    p.add_argument("--teacher", metavar="MODEL|DIR", help="the .onnx to learn from, where the "
                   "config distils, or a folder that `teach` has written")
    p.add_argument("--teacher-bf16", action="store_true", help="run it in bf16: twice as fast on a "
                   "processor with AMX; not for a file in eight bits")
    p.add_argument("--compile", action="store_true", help="compile the network by TorchInductor: a "
                   "fifth faster, after the first minute")
    p.add_argument("--synth", help="folder of rendered frames with images/ and masks/")
    p.add_argument("--hours", type=float, help="the whole run's length, instead of the config's")
    p.add_argument("--stop-at", metavar="HH:MM", help="stop cleanly at this time of day")
    p.add_argument("--until-stop", action="store_true",
                   help="fit the schedule to end at --stop-at")
    p.add_argument("--threads", type=int, default=1, help="threads of each worker")
    p.add_argument("--workers", type=int, default=1, metavar="N", help="processes that train on "
                   "different samples and average their gradients: N batches a step")


def teach_options(p):
    p.add_argument("--model", required=True, help="an exported .onnx")
    p.add_argument("--out", required=True, metavar="DIR", help="one .png a photo; photos that have "
                   "theirs there are left out")
    drawn = p.add_mutually_exclusive_group()
    drawn.add_argument("--student", metavar="MODEL", help="an exported .onnx: training then draws "
                       "photos more often where it disagrees with these maps (DIR/chances.csv)")
    drawn.add_argument("--large", action="store_true", help="training then draws close-ups half as "
                       "often again as other photos (DIR/chances.csv)")
    p.add_argument("--workers", type=int, default=1, metavar="N", help="processes")


def part(text):
    share, _, path = text.partition(":")
    try:
        if path and float(share) > 0:
            return float(share), path
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"'{text}' is not SHARE:CHECKPOINT, such as 0.5:RUN/best.pt")


def average_options(p):
    p.add_argument("parts", type=part, nargs="+", metavar="SHARE:CHECKPOINT",
                   help="checkpoints that share their beginning; shares need not add up to 1")
    p.add_argument("--out", required=True, metavar="FILE", help="a checkpoint, or .weights")


def evaluate_options(p):
    p.add_argument("--checkpoint")
    p.add_argument("--model", help="an exported .onnx or .tflite, run in OpenVINO")
    p.add_argument("--program", metavar="LACQUER",
                   help="measure what this program paints, with its own model or with --model")
    p.add_argument("--raw", action="store_true",
                   help="with --program: the network's masks, without the nail stage")
    p.add_argument("--precision", default="f32", choices=("f32", "bf16"))
    p.add_argument("--set", default="val", choices=("val", "a"))
    p.add_argument("--images", metavar="DIR")
    p.add_argument("--masks", metavar="DIR",
                   help="without it the pictures of --images hold no nail")
    p.add_argument("--sizes", type=size, nargs="+", metavar="HxW",
                   default=((288, 384), (384, 288), (320, 320)),
                   help="input sizes to choose from, as in the model's sidecar")
    p.add_argument("--threshold", type=float, default=0.5)
    p.add_argument("--worst", type=int, default=0, help="also name this many worst pictures")
    p.add_argument("--json", action="store_true")


def export_options(p):
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--out", required=True, metavar="FILE",
                   help="the suffix selects the format: .onnx, .tflite, or .weights for training")
    p.add_argument("--size", type=size, default=(288, 384), metavar="HxW")
    kind = p.add_mutually_exclusive_group()
    kind.add_argument("--int8", action="store_true", help="an .onnx with eight-bit integers, "
                      "calibrated on training photos")
    kind.add_argument("--compact", action="store_true", help="an .onnx whose weights are stored in "
                      "eight bits and whose arithmetic is float32")


def compact_options(p):
    p.add_argument("model", help="an .onnx in float32")
    p.add_argument("out", help="the .onnx with its weights stored in eight bits")
    p.add_argument("--outputs", type=int, metavar="N", help="keep the first N outputs alone")


COMMANDS = {"train": train_options, "teach": teach_options, "average": average_options,
            "evaluate": evaluate_options, "export": export_options, "compact": compact_options}


def main():
    parser = argparse.ArgumentParser(prog="nailseg")
    sub = parser.add_subparsers(dest="command", required=True)
    for name, add in COMMANDS.items():
        p = sub.add_parser(name)
        p.add_argument("--data", default=str(DATA), metavar="DIR")
        add(p)
    args = parser.parse_args()
    if args.command == "evaluate" and bool(args.checkpoint) == bool(args.model or args.program):
        parser.error("evaluate needs one of --checkpoint, --model and --program")
    return importlib.import_module("nailseg." + args.command).main(args)


if __name__ == "__main__":
    sys.exit(main())
