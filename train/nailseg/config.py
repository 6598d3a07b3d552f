"""The config file: TOML, every key given, so that a run is described by one file."""
import tomllib

KEYS = {"seed", "hours", "bf16", "epoch_images", "eval_minutes", "model", "data", "mix", "loss",
        "optimiser", "phase"}


def read(path):
    """The config as a dict; a missing or unknown key is an error that names it."""
    try:
        with open(path, "rb") as f:
            c = tomllib.load(f)
    except (OSError, tomllib.TOMLDecodeError) as e:
        raise SystemExit(f"cannot read config: '{path}': {e}")
    for key in sorted(KEYS ^ set(c)):
        raise SystemExit(f"{'missing' if key in KEYS else 'unknown'} key in '{path}': '{key}'")
    return c
