"""/socket.io/ with the real clients: python-socketio here, socket.io-client on Node."""
import base64
import json
import subprocess
import threading
import time

import httpx
import pytest
import socketio
from PIL import Image

from conftest import ROOT, eventually, mark_of, marked, pixels, plain, png

TRANSPORTS = [["polling"], ["websocket"], ["polling", "websocket"]]


class Client:
    """A python-socketio client that records what it receives."""

    def __init__(self, server, transports):
        self.io = socketio.Client(reconnection=False)
        self.told = {"connected": [], "result": [], "error": [], "rate": [], "pace": []}
        self.news = threading.Condition()
        for name in self.told:
            self.io.on(name, lambda data, name=name: self.hear(name, data))
        self.io.connect(server.url, transports=transports, wait_timeout=60)

    def hear(self, name, data):
        with self.news:
            self.told[name].append(data)
            self.news.notify_all()

    def wait(self, name, count=1):
        with self.news:
            assert self.news.wait_for(lambda: len(self.told[name]) >= count, 30), self.told
            return self.told[name][count - 1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.io.disconnect()


@pytest.fixture(params=TRANSPORTS, ids="-".join)
def client(server, request):
    with Client(server, request.param) as running:
        yield running


def url(picture):
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


def test_connected(client):
    told = client.wait("connected")
    assert told["status"] == "ok" and told["sid"] == client.io.get_sid() and told["model"] == "nail"


def test_rate_control(client, hand):
    client.io.emit("rate")
    client.wait("rate")
    for _ in range(60):  # the load of the previous tests is over soon, which the server reports
        if client.told["rate"][-1]["why"] != "load":
            break
        time.sleep(0.5)
    heard = len(client.told["rate"])
    assert client.told["rate"][-1] == {"fps": 60, "width": 640, "jpeg": 85, "why": "none"}
    for _ in range(2):  # a slow network is reported until the server requests smaller pictures
        client.io.emit("rate", {"network_ms": 400})
    assert client.wait("rate", heard + 1)["jpeg"] == 70
    told = client.wait("rate", heard + 2)
    assert told["why"] == "network" and told["width"] == 480 and told["fps"] == 20
    client.io.emit("rate", {"network_ms": -1})
    client.io.emit("rate", "slowly")
    for count in 1, 2:
        told = client.wait("error", count)
        assert told["status"] == "FIELD" and told["message"] == told["error"]
    client.io.emit("frame", {"image": url(hand)})
    assert client.wait("result")["nails"]
    client.io.emit("pace", {"network_ms": 30})  # its former name; used in the response too
    client.io.emit("pace", {"on": False})
    client.io.emit("pace")
    assert client.wait("pace")["width"] == 480


def test_data_url(client, hand):
    client.io.emit("frame", {"image": url(hand), "color": "#00ff00", "id": 5})
    result = client.wait("result")
    assert result["image"].startswith("data:image/jpeg;base64,") and result["id"] == 5
    picture = base64.b64decode(result["image"].split(",")[1])
    assert pixels(picture).shape == (480, 640, 3)
    assert result["nails"] and result["timing"]["total"] > 0


def test_bare_base64(client, hand):
    client.io.emit("frame", {"image": base64.b64encode(hand).decode()})
    assert base64.b64decode(client.wait("result")["image"])[:2] == b"\xff\xd8"


def test_binary(client, hand):
    client.io.emit("frame", {"image": hand, "color": "#00ff00", "id": "a"})
    result = client.wait("result")
    assert isinstance(result["image"], bytes) and result["id"] == "a" and result["nails"]
    assert pixels(result["image"]).shape == (480, 640, 3)


def test_picture_alone(client, hand):
    """Pages for the usual Flask-SocketIO server treat the whole payload as the picture."""
    client.io.emit("frame", hand)
    painted = client.wait("result", 1)
    assert isinstance(painted, bytes) and pixels(painted).shape == (480, 640, 3)
    client.io.emit("frame", base64.b64encode(hand).decode())
    assert base64.b64decode(client.wait("result", 2), validate=True)[:3] == b"\xff\xd8\xff"
    client.io.emit("frame", url(hand))
    assert client.wait("result", 3).startswith("data:image/jpeg;base64,/9j/")
    client.io.emit("frame", png(Image.new("RGB", (160, 120))))
    assert client.wait("result", 4)[:3] == b"\xff\xd8\xff"  # live replies are JPEG
    client.io.emit("frame", {"image": hand})
    assert isinstance(client.wait("result", 5)["image"], bytes)


def test_picture_alone_is_acknowledged_with_a_picture_alone(client, hand):
    answer = client.io.call("frame", hand, timeout=30)
    assert isinstance(answer, bytes) and answer == client.wait("result")
    answer = client.io.call("frame", base64.b64encode(hand).decode(), timeout=30)
    assert base64.b64decode(answer, validate=True)[:2] == b"\xff\xd8"
    assert client.io.call("frame", b"no picture", timeout=30)["message"]


def test_acknowledgement(client, hand):
    answer = client.io.call("frame", {"image": hand, "id": 9}, timeout=30)
    assert isinstance(answer["image"], bytes) and answer["id"] == 9
    answer = client.io.call("frame", {"image": "AAAA"}, timeout=30)
    assert answer["status"] == "FORMAT" and answer["error"]


@pytest.mark.parametrize("frame,status", [
    ({"image": b"no picture"}, "FORMAT"), ({"image": "data:image/jpeg;base64,????"}, "SYNTAX"),
    ({}, "FIELD"), ({"image": 7}, "FIELD"), ({"image": plain(), "color": "#zzz"}, "FIELD"),
    ({"image": plain()[:400]}, "CORRUPT"), (None, "FIELD"), ([1, 2], "FIELD")])
def test_errors(client, frame, status):
    client.io.emit("frame", frame)
    told = client.wait("error")
    assert told["status"] == status and told["message"] == told["error"] != ""
    client.io.emit("frame", plain())
    client.wait("result")


def test_other_events_are_ignored(client):
    client.io.emit("something", {"a": 1})
    client.io.emit("something", b"binary")
    client.io.emit("frame", plain())
    client.wait("result")


def test_results_go_to_their_sender_alone(server):
    """Clients on every transport at once; each receives its own marks and no others."""
    wrong, done = [], []

    def user(number):
        with Client(server, TRANSPORTS[number % 3]) as mine:
            for i in range(1, 11):
                mark = number << 8 | i
                mine.io.emit("frame",
                             {"image": marked(mark), "id": mark, "opacity": 0, "texture": 1,
                                       "sheen": False})
                result = mine.wait("result", i)
                if result["id"] != mark or mark_of(result["image"]) != mark:
                    wrong.append((number, i, result["id"]))
            time.sleep(0.2)
            if len(mine.told["result"]) != 10 or mine.told["error"]:
                wrong.append(number)
        done.append(number)

    threads = [threading.Thread(target=user, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(done) == 6


def test_the_newest_frame_wins(client, hand):
    for number in range(1, 21):
        client.io.emit("frame", {"image": hand, "id": number})
    assert eventually(lambda: client.told["result"] and client.told["result"][-1]["id"] == 20)
    ids = [result["id"] for result in client.told["result"]]
    assert ids == sorted(ids)


def test_sessions_end(server):
    def count():
        return server.metric('lacquer_sessions{transport="socketio"}')

    before = count()
    with Client(server, ["websocket"]), Client(server, ["polling"]):
        assert count() == before + 2
    assert eventually(lambda: count() == before)


def test_node_client(server, tmp_path, hand):
    """The page's own library, upgrade included."""
    (tmp_path / "hand.jpg").write_bytes(hand)
    done = subprocess.run(["node", ROOT / "tests/e2e/socketio.mjs", server.url,
                           tmp_path / "hand.jpg"],
                          capture_output=True, text=True, timeout=120, cwd=ROOT / "tests/e2e")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["checks"] >= 12


# ---- the protocol itself -----------------------------------------------------------------------

def poll(server, **query):
    return httpx.get(f"{server.url}/socket.io/",
                     params={"EIO": "4", "transport": "polling", **query},
                     timeout=40)


def post(server, body, **query):
    return httpx.post(f"{server.url}/socket.io/", content=body,
                      params={"EIO": "4", "transport": "polling", **query}, timeout=40)


def handshake(server):
    text = poll(server).text
    assert text[0] == "0"
    facts = json.loads(text[1:])
    assert facts["upgrades"] == ["websocket"] and facts["maxPayload"] == 4 * 1024 * 1024
    assert (facts["pingInterval"], facts["pingTimeout"]) == (25000, 20000)
    return facts["sid"]


@pytest.mark.parametrize("query,code", [
    ({"EIO": "2"}, 5), ({"EIO": "5"}, 5), ({"EIO": ""}, 5), ({"transport": "pigeon"}, 0),
    ({"sid": "nobody"}, 1), ({"sid": "x" * 300}, None)])
def test_bad_queries(server, query, code):
    reply = poll(server, **query)
    if code is None:
        assert reply.status_code in (200, 400)
    else:
        assert reply.status_code == 400 and reply.json()["code"] == code


def test_post_without_a_session(server):
    assert post(server, "40").status_code == 400
    assert post(server, "40", sid="nobody").json()["code"] == 1


@pytest.mark.parametrize("body", ["", "9", "4", "4x", "42", '42["frame"]', "45", '459999-["frame"]',
                                  "4299999999999999999999[]", "\x1e", "40\x1e\x1e", "bAAAA",
                                  "40\x1e40",
                                  '40\x1e451-["frame",{}]\x1e42["x"]'])
def test_broken_packets_end_only_their_session(server, body):
    sid = handshake(server)
    assert post(server, body, sid=sid).status_code in (200, 400)
    other = handshake(server)
    assert post(server, "40", sid=other).text == "ok"
    assert poll(server, sid=other).text.startswith("40{")


def test_namespace_that_is_not_there(server):
    sid = handshake(server)
    assert post(server, "40/admin,", sid=sid).text == "ok"
    assert poll(server, sid=sid).text == '44/admin,{"message":"Invalid namespace"}'


def test_close_packet(server):
    sid = handshake(server)
    assert post(server, "1", sid=sid).status_code == 200
    assert poll(server, sid=sid).json()["code"] == 1


# ---- Engine.IO 3, of Socket.IO 1 and 2 ---------------------------------------------------------

def packets3(payload):
    """Parses a text payload; lengths are in UTF-16 units."""
    while payload:
        length, _, payload = payload.partition(":")
        units = payload.encode("utf-16-le")[:2 * int(length)].decode("utf-16-le")
        payload = payload[len(units):]
        yield units


def handshake3(server):
    first, = packets3(poll(server, EIO="3").text)
    assert first[0] == "0"
    return json.loads(first[1:])["sid"]


def packet3(kind, body):
    digits = bytes(int(digit) for digit in str(len(body)))
    return bytes([kind]) + digits + b"\xff" + body


def test_version_3_is_connected_without_asking(server):
    sid = handshake3(server)
    first, second = packets3(poll(server, EIO="3", sid=sid).text)
    assert first == "40" and json.loads(second[2:])[1]["sid"] == sid


@pytest.mark.parametrize("form", ["text", "bytes", "base64"])
def test_version_3_over_polling(server, hand, form):
    sid = handshake3(server)
    poll(server, EIO="3", sid=sid)
    place = '{"_placeholder":true,"num":0}'
    if form == "text":  # the euro sign has one unit and three bytes, the nail polish emoji two and
                        # four
        event = '42["frame",{"image":"%s","id":"€💅"}]' % base64.b64encode(hand).decode()
        body = f"{len(event) + 1}:{event}".encode()
    elif form == "bytes":
        body = packet3(0, f'451-["frame",{place}]'.encode()) + packet3(1, b"\x04" + hand)
    else:
        event, text = f'451-["frame",{place}]', "b4" + base64.b64encode(hand).decode()
        body = f"{len(event)}:{event}{len(text)}:{text}"
    assert post(server, body, EIO="3", sid=sid).text == "ok"
    packets = list(packets3(poll(server, EIO="3", sid=sid).text))
    if form == "text":
        assert json.loads(packets[0][2:])[1]["id"] == "€💅"
    else:
        assert packets[0] == f'451-["result",{place}]' and packets[1].startswith("b4/9j/")


def test_version_3_pings(server):
    sid = handshake3(server)
    poll(server, EIO="3", sid=sid)
    assert post(server, "1:26:2probe", EIO="3", sid=sid).text == "ok"
    assert list(packets3(poll(server, EIO="3", sid=sid).text)) == ["3", "3probe"]


@pytest.mark.parametrize("body", [
    b"", b"40", b"0:", b"3:40", b"x:40", b":40", b"99999999999:40", b"2:4\xe2\x82", b"2:40garbage",
    b"\0", b"\0\1", b"\0\xff", b"\0\2\xff4", b"\1\1\xff\x04", b"\1\1\xff\x03", b"\1\2\xff\x05a",
    b"\0" + b"\t" * 30 + b"\xff4", b"2:b4", b"1:b", b"1:4", b"5:42[1]"])
def test_version_3_broken_payloads(server, body):
    sid = handshake3(server)
    assert post(server, body, EIO="3", sid=sid).status_code in (200, 400)
    assert list(packets3(poll(server, EIO="3", sid=handshake3(server)).text))[0] == "40"


def test_version_3_over_a_socket(server, hand):
    with server.socket("/socket.io/?EIO=3&transport=websocket") as ws:
        assert ws.recv(timeout=60)[0] == "0"
        assert ws.recv(timeout=60) == "40" and '"connected"' in ws.recv(timeout=60)
        ws.send("2")
        assert ws.recv(timeout=60) == "3"
        ws.send('451-1["frame",{"_placeholder":true,"num":0}]')
        ws.send(b"\x04" + hand)
        assert ws.recv(timeout=30) == '451-["result",{"_placeholder":true,"num":0}]'
        picture = ws.recv(timeout=60)
        assert picture[:3] == b"\x04\xff\xd8"
        assert ws.recv(timeout=60).startswith("461-1[") and ws.recv(timeout=60) == picture


def test_long_poll_waits_without_work(server):
    sid = handshake(server)
    post(server, "40", sid=sid)
    poll(server, sid=sid)
    before = time.process_time(), cpu(server)
    thread = threading.Thread(target=lambda: poll(server, sid=sid))
    thread.start()
    time.sleep(2)
    used = cpu(server) - before[1]
    post(server, "1", sid=sid)
    thread.join(10)
    assert not thread.is_alive() and used < 0.5


def cpu(server):
    fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
