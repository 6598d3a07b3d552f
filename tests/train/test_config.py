"""The config file, with nothing but Python itself."""
import pathlib

import pytest
from nailseg import config

DEFAULT = pathlib.Path(__file__).resolve().parents[2] / "train" / "config" / "default.toml"


def test_default_config_is_complete_and_its_phases_cover_the_run():
    c = config.read(DEFAULT)
    ends = [p["until"] for p in c["phase"]]
    assert ends == sorted(ends) and ends[-1] == 1
    assert all(p["size"] % 32 == 0 and p["fit"][0] < p["fit"][1] for p in c["phase"])
    assert len(c["model"]["decoder"]) == 4 and 1 <= c["model"]["lite"] <= 4
    assert c["mix"]["negative"] + c["mix"]["synth"] < 1


def test_weights_are_rounded_only_where_a_config_says_so(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("rounded = true\n" + DEFAULT.read_text())
    assert config.read(path)["rounded"] and not config.read(DEFAULT)["rounded"]


def test_unknown_key_is_named(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(DEFAULT.read_text().replace("epoch_images", "epoch_pictures"))
    with pytest.raises(SystemExit, match="epoch_"):
        config.read(path)


def test_unreadable_config_says_which(tmp_path):
    with pytest.raises(SystemExit, match="none.toml"):
        config.read(tmp_path / "none.toml")
