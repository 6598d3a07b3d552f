"""Pictures as cameras, phones and programs write them, through the command and the server."""
import io
import subprocess

import httpx
import numpy as np
import pytest
from PIL import Image

from conftest import LACQUER, ROOT, Server

PICTURES = ROOT / "tests" / "fixtures" / "pictures"


def read(name):
    return (PICTURES / name).read_bytes()


def apply(*args, status=0):
    done = subprocess.run([LACQUER, "apply", "--fast", *map(str, args)], capture_output=True,
                          text=True, timeout=120, cwd=ROOT)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def one_worker():
    """A server whose only codec sees every picture."""
    running = Server("--log-level", "warn", "--workers", "1", "--max-wait", "60000")
    yield running
    status, said = running.stop()
    assert status == 0 and "Sanitizer" not in said, said


def ask(server, name):
    return httpx.post(f"{server.url}/api/v1/nails", content=read(name), timeout=60,
                      headers={"Content-Type": "image/jpeg"})


def test_no_table_of_one_picture_reaches_the_next(one_worker):
    alone = ask(one_worker, "webcam-frame.jpg")
    assert alone.status_code == 200
    assert ask(one_worker, "no-quantisation-tables.jpg").status_code == 422
    assert ask(one_worker, "optimised.jpg").status_code == 200
    after = ask(one_worker, "webcam-frame.jpg")
    assert after.status_code == 200
    assert after.json()["nails"] == alone.json()["nails"]
    assert ask(one_worker, "no-quantisation-tables.jpg").status_code == 422


def test_apply_decodes_each_file_by_itself(tmp_path):
    names = ["optimised.jpg", "webcam-frame.jpg", "no-quantisation-tables.jpg"]
    done = apply(*(PICTURES / name for name in names), "-o", tmp_path, status=1)
    assert "no-quantisation-tables.jpg" in done.stderr and "1 of 3 pictures failed" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[:2])


@pytest.mark.parametrize("name", ["phone-trailer.jpg", "progressive-no-eoi.jpg"])
def test_what_follows_the_last_block_does_not_matter(one_worker, tmp_path, name):
    assert ask(one_worker, name).status_code == 200
    apply(PICTURES / name, "-o", tmp_path / "out.jpg")
    # A quarter less of the picture is no picture.
    (tmp_path / "cut.jpg").write_bytes(read("phone-trailer.jpg")[:60000])
    done = apply(tmp_path / "cut.jpg", "-o", tmp_path / "cut-out.jpg", status=1)
    assert "cannot decode the JPEG" in done.stderr and not (tmp_path / "cut-out.jpg").exists()
