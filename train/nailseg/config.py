"""The config file: TOML with every key present except `distil` and `rounded`, so that one file
describes a run."""
import tomllib

KEYS = {"seed", "hours", "bf16", "epoch_images", "eval_minutes", "model", "data", "mix", "loss",
        "optimiser", "phase"}
DISTIL = {"weight": 0.0}  # weight of the loss against the teacher's probabilities
ROUNDED = False           # compute with weights as a compact file stores them


def read(path):
    """The config as a dict; a missing or unknown key is an error that names it."""
    try:
        with open(path, "rb") as f:
            c = tomllib.load(f)
    except (OSError, tomllib.TOMLDecodeError) as e:
        raise SystemExit(f"cannot read config: '{path}': {e}")
    distil, rounded = DISTIL | c.pop("distil", {}), c.pop("rounded", ROUNDED)
    for key in sorted(KEYS ^ set(c)):
        raise SystemExit(f"{'missing' if key in KEYS else 'unknown'} key in '{path}': '{key}'")
    return c | {"distil": distil, "rounded": rounded}
