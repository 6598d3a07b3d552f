"""Tips and fingers as seen by a client, and separate polish on one finger."""
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from conftest import HANDS, SINGLE_PASS, Nails, Reply, Server, frame, pixels

FINGERS = ["unknown", "thumb", "index", "middle", "ring", "little"]
HAND = {"color": "#c71585", "finish": "creme"}


@pytest.fixture(scope="module", params=["light", "dark"])
def shown(request):
    """A hand and the truth about it: {finger: (centre, axis from base to tip)}."""
    truth = json.loads((HANDS / f"{request.param}.json").read_text())
    nails = {nail["finger"]: (np.array(nail["centre"]), np.array(nail["axis"]))
             for nail in truth["nails"]}
    return (HANDS / f"{request.param}.jpg").read_bytes(), nails


@pytest.fixture(scope="module")
def lossless(shown):
    out = io.BytesIO()
    Image.open(io.BytesIO(shown[0])).save(out, "PNG")
    return out.getvalue()


def told(server, picture):
    return httpx.post(f"{server.url}/api/v1/nails", content=picture, timeout=30).json()["nails"]


def painted(server, picture, look):
    reply = httpx.post(f"{server.url}/api/process", files={"image": ("hand.png", picture)},
                       data={"look": json.dumps(look)}, headers={"Accept": "image/jpeg"},
                       timeout=30)
    assert reply.status_code == 200, reply.text
    return pixels(reply.content)


def test_fingers_and_tips_are_reported(server, shown):
    picture, truth = shown
    nails = told(server, picture)
    assert sorted(nail["finger"] for nail in nails) == sorted(truth)
    for nail in nails:
        centre, axis = truth[nail["finger"]]
        assert np.hypot(*(np.array(nail["center"]) - centre)) < 10
        assert nail["tip_known"] is True and np.dot(nail["axis"], axis) > 0.8


@pytest.fixture(scope="module")
def by_looks():
    """Without the hand network, because a live frame gets its hands earlier than a single
    picture."""
    running = Server("--no-hands", "--log-level", "error")
    yield running
    assert running.stop()[0] == 0


def test_the_nails_reply_contains_the_same(by_looks, shown):
    server, (picture, _) = by_looks, shown
    nails = {nail["finger"]: nail for nail in told(server, picture)}
    with server.v1() as ws:
        ws.send(SINGLE_PASS)
        ws.send(frame(1, picture, want=1))
        seen = Nails(Reply(ws.recv(timeout=30))).items
    assert len(seen) == len(nails)
    for each in seen:
        nail = nails[FINGERS[each.finger]]
        assert bool(each.tip) == nail["tip_known"]
        assert (each.center_x, each.center_y) == pytest.approx(nail["center"], abs=1)
        assert each.axis_x * nail["axis"][0] + each.axis_y * nail["axis"][1] > 0.98


def change_by_finger(server, picture, base, other):
    """Mean difference of two looks' pictures within each finger's box."""
    nails = told(server, picture)
    change = abs(painted(server, picture, base) - painted(server, picture, other)).mean(axis=2)
    found = {}
    for nail in nails:
        x, y, width, height = nail["box"]
        found[nail["finger"]] = change[y:y + height, x:x + width].mean()
    return found


def test_one_finger_wears_its_own(server, lossless):
    look = {**HAND, "fingers": {"ring": {"color": "#1f4fb5"}}}
    change = change_by_finger(server, lossless, HAND, look)
    assert change.pop("ring") > 20
    assert max(change.values()) == 0


def test_one_finger_goes_without_the_hands_top_coat(server, lossless):
    """The hand is matte by its top coat; one finger has its finish's own top coat again."""
    matte = {**HAND, "gloss": 0}
    change = change_by_finger(server, lossless, matte,
                              {**matte, "fingers": {"index": {"gloss": None}}})
    assert change.pop("index") > 1
    assert max(change.values()) == 0
    same = {**HAND, "fingers": {finger: {"gloss": 0} for finger in FINGERS[1:]
                                if finger != "index"}}
    left = painted(server, lossless, {**matte, "fingers": {"index": {"gloss": None}}})
    assert (left == painted(server, lossless, same)).all()
