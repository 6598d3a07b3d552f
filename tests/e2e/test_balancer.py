"""Three nodes behind HAProxy and nginx, with the configurations of deploy/: users are distributed,
and when a node crashes or is restarted, its users only have to reconnect."""
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest
import socketio
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from conftest import ROOT, Reply, Server, frame, free_port, plain, tool

MODEL = ROOT / "tests" / "fixtures" / "tiny_map.onnx"
PICTURE = plain()
NODES = 3


def haproxy(ports, port, folder):
    """The unchanged configuration, except for the nodes' addresses."""
    text = (ROOT / "deploy" / "haproxy.cfg").read_text()
    servers = "\n".join(f"    server node{i} 127.0.0.1:{p}" for i, p in enumerate(ports))
    text, count = re.subn(r"^ *server-template .*$", servers, text, flags=re.M)
    assert count == 1
    (folder / "haproxy.cfg").write_text(text)
    environment = {**os.environ, "BIND": f"127.0.0.1:{port}", "WATCH": f"127.0.0.1:{free_port()}"}
    return [tool("haproxy"), "-db", "-f", folder / "haproxy.cfg"], environment


def nginx(ports, port, folder):
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    text, count = re.subn(
        r"( *server )127\.0\.0\.1:8081( .*;)\n *server 127\.0\.0\.1:8082 .*;",
        lambda m: "\n".join(f"{m[1]}127.0.0.1:{p}{m[2]}" for p in ports), text)
    assert count == 2
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    text = text.replace("/tmp/lacquer-nginx", f"{folder}/nginx")
    (folder / "nginx.conf").write_text(text)
    return ([tool("nginx"), "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf",
             "-g", "daemon off; master_process off;"], dict(os.environ))


class Balancer:
    """A load balancer's process and its output."""

    def launch(self, command, environment, folder):
        self.said = open(folder / "said", "w+")
        self.process = subprocess.Popen(command, env=environment, stdout=self.said,
                                        stderr=self.said, stdin=subprocess.DEVNULL)

    def heard(self):
        self.said.seek(0)
        return self.said.read()

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.said.close()


class Balanced(Balancer):
    """A load balancer with three nodes."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.ports = [free_port() for _ in range(NODES)]
        self.nodes = [self.node(i) for i in range(NODES)]
        self.port = free_port()
        command, environment = kind(self.ports, self.port, folder)
        self.watch = environment.get("WATCH")  # the address at which HAProxy reports its state
        self.launch(command, environment, folder)
        self.wait_used(range(NODES))

    def node(self, i):
        # Clients are never refused, however slow the machine is. The delay is longer than HAProxy
        # needs to notice the change of /readyz; nginx does not check it.
        return Server("--port", str(self.ports[i]), "--model", str(MODEL), "--log-level", "warn",
                      "--max-wait", "60000",
                      *(["--drain-delay", "2"] if self.kind is haproxy else []))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def wait_used(self, which):
        """Waits until new users are sent to these nodes."""
        def counts():
            return [self.nodes[i].metric('lacquer_frames_in_total{transport="http"}')
                    for i in which]
        before = counts()
        for _ in range(400):
            assert self.process.poll() is None, self.heard()
            with contextlib.suppress(httpx.HTTPError):
                httpx.post(f"{self.url}/api/v1/nails", content=PICTURE, timeout=60)
                if all(now > then for now, then in zip(counts(), before)):
                    return
            time.sleep(0.02)
        raise RuntimeError(f"no frames on {list(which)}: {counts()} {self.heard()}")

    def users_of(self, i):
        return self.nodes[i].metric('lacquer_sessions{transport="lacquer.v1"}')

    def restart(self, i):
        self.nodes[i].process.terminate()
        assert self.nodes[i].process.wait(30) == 0, self.nodes[i].heard()
        self.nodes[i] = self.node(i)

    def stop(self):
        self.end()
        for node in self.nodes:
            node.process.kill()
            node.process.wait()


@pytest.fixture(params=[haproxy, nginx], ids=lambda kind: kind.__name__)
def balanced(request, tmp_path):
    running = Balanced(request.param, tmp_path)
    yield running
    running.stop()


class User(threading.Thread):
    """A live user like the page: two frames in flight; reconnects after the page's pause if the
    connection is lost, and at once if the server announced that it stops."""

    def __init__(self, port, pause_s=0.05):
        super().__init__(daemon=True)
        self.url = f"ws://127.0.0.1:{port}/ws"
        self.pause_s = pause_s
        self.done = threading.Event()
        self.live = threading.Event()
        self.sent = self.answered = 0
        self.refused = []       # connections that failed
        self.codes = []         # of each close by the other side
        self.unanswered = 0     # frames without a reply from a node that announced its stop
        self.lost_at = None     # time at which a connection was lost without a close frame
        self.gaps_s = []        # from then until the first reply on the next connection

    def run(self):
        while not self.done.is_set():
            try:
                with connect(self.url, subprotocols=["lacquer.v1"], compression=None,
                             open_timeout=60) as ws:
                    self.serve(ws)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
                self.codes.append(code)
                if code != 1001:
                    self.lost_at = time.monotonic()
                    self.pause()
            except (OSError, WebSocketException) as error:
                self.refused.append(repr(error))
                self.pause()

    def pause(self):
        self.done.wait(0.5 * (0.85 + random.random() * 0.3))  # web/live/backoff.js

    def serve(self, ws):
        assert json.loads(ws.recv(timeout=60))["type"] == "hello"
        under_way, number, leaving = 0, 0, False
        try:
            while True:
                while not leaving and under_way < 2:
                    number += 1
                    under_way += 1
                    ws.send(frame(number, PICTURE))
                    self.sent += 1
                message = ws.recv(timeout=60)
                if isinstance(message, str):
                    leaving = leaving or json.loads(message)["type"] == "stopping"
                    continue
                # A reply settles the older frame too, if that was replaced by a newer one
                # (docs/PROTOCOL.md).
                left = number - Reply(message).id
                assert 0 <= left < under_way
                self.answered += under_way - left
                under_way = left
                if self.lost_at:
                    self.gaps_s.append(time.monotonic() - self.lost_at)
                    self.lost_at = None
                self.live.set()
                leaving = leaving or self.done.is_set()
                if self.done.is_set() and not under_way:
                    return
                time.sleep(self.pause_s)
        except ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code == 1001:
                self.unanswered += under_way
            raise


@contextlib.contextmanager
def users(balanced, count, **kwargs):
    """Users who all get replies."""
    all_of_them = [User(balanced.port, **kwargs) for _ in range(count)]
    for user in all_of_them:
        user.start()
    try:
        assert all(user.live.wait(20) for user in all_of_them)
        yield all_of_them
    finally:
        for user in all_of_them:
            user.done.set()
        for user in all_of_them:
            user.join(20)
    assert not any(user.is_alive() for user in all_of_them)


def test_users_are_spread(balanced):
    with users(balanced, 30, pause_s=0.5):
        counts = [balanced.users_of(i) for i in range(NODES)]
    assert sum(counts) == 30 and all(9 <= count <= 11 for count in counts), counts


def test_a_killed_node(balanced, record_property):
    """The first new connection of its users works: after half a second's pause as in the page they
    send a frame, and its reply is within the documented second. Other users notice nothing."""
    with users(balanced, 12) as everybody:
        before = [balanced.users_of(i) for i in range(NODES)]
        balanced.nodes[0].process.kill()
        balanced.nodes[0].process.wait()
        deadline = time.monotonic() + 20
        while (sum(len(user.gaps_s) for user in everybody) < before[0]
               and time.monotonic() < deadline):
            time.sleep(0.02)
        after = [balanced.users_of(i) for i in (1, 2)]
    gaps = [gap for user in everybody for gap in user.gaps_s]
    record_property("gap_s_max", max(gaps))
    print(f"live again after {min(gaps):.2f} to {max(gaps):.2f} s")
    assert len(gaps) == before[0] > 0 and sum(after) == 12
    assert [user.refused for user in everybody if user.refused] == []
    assert sum(len(user.codes) for user in everybody) == before[0]


def ask_on(url, done, results, ask):
    with httpx.Client(base_url=url, timeout=60) as client:
        while not done.is_set():
            try:
                results.append(ask(client).status_code)
            except httpx.HTTPError as error:
                results.append(repr(error))
            time.sleep(0.02)


def test_rolling_restart_under_load(balanced):
    """Each node is stopped and started again in turn while clients of all kinds work: no reply is
    lost, no request fails, and every new connection works."""
    done, statuses = threading.Event(), []
    asks = [lambda client: client.post("/api/v1/nails", content=PICTURE),
            lambda client: client.get("/"),
            lambda client: client.get("/api/v1/info")]
    askers = [threading.Thread(target=ask_on, args=(balanced.url, done, statuses, ask), daemon=True)
              for ask in asks]
    with users(balanced, 9) as everybody:
        for asker in askers:
            asker.start()
        for i in range(NODES):
            balanced.restart(i)
            balanced.wait_used([i])
        done.set()
        for asker in askers:
            asker.join(20)
    assert [user.refused for user in everybody if user.refused] == []
    assert {code for user in everybody for code in user.codes} == {1001}
    assert sum(user.unanswered for user in everybody) == 0
    assert all(user.sent == user.answered for user in everybody)
    assert len(statuses) > 100 and set(statuses) == {200}, set(statuses)


def test_long_polling_finds_its_node(balanced):
    clients = []
    try:
        for number in range(6):
            clients.append(polling(balanced))
        for number in range(1, 6):
            for client, _ in clients:
                emit(client, number)
        assert all(results == [1, 2, 3, 4, 5] for _, results in clients)
        nodes = [node.metric('lacquer_sessions{transport="socketio"}') for node in balanced.nodes]
        assert sum(nodes) == 6
        if balanced.kind is haproxy:  # nginx distributes by address: here one
            assert min(nodes) > 0, nodes
    finally:
        for client, _ in clients:
            client.disconnect()


def polling(balanced):
    """A client that uses only long polling, connected, and the results that it gets."""
    client, results = socketio.Client(reconnection=False), []
    client.on("result", lambda data: results.append(data["id"]))
    client.connect(balanced.url, transports=["polling"], wait_timeout=60)
    return client, results


def emit(client, number):
    """Sends a frame that the server acknowledges."""
    answered = threading.Event()
    client.emit("frame", {"image": PICTURE, "id": number}, callback=lambda _: answered.set())
    assert answered.wait(20)


def home_of(balanced):
    """The one node that has a Socket.IO session."""
    (home,) = [node for node in balanced.nodes
               if node.metric('lacquer_sessions{transport="socketio"}') == 1]
    return home


def states_of(balanced):
    """The state that HAProxy has for each node."""
    address = balanced.watch
    rows = httpx.get(f"http://{address}/;csv").text.splitlines()
    names = rows[0].lstrip("# ").split(",")
    found = [dict(zip(names, row.split(","))) for row in rows[1:]]
    return {row["svname"]: row["status"] for row in found
            if row["pxname"] == "lacquer" and row["svname"].startswith("node")}


@pytest.fixture
def behind_haproxy(tmp_path):
    running = Balanced(haproxy, tmp_path)
    yield running
    running.stop()


def test_long_polling_stays_on_a_node_that_will_stop(behind_haproxy):
    """HAProxy sends no new users to a node whose /readyz reports it stops; existing ones stay."""
    balanced = behind_haproxy
    client, results = polling(balanced)
    emit(client, 1)
    home_of(balanced).process.terminate()
    deadline = time.monotonic() + 10
    while "DOWN" not in " ".join(states_of(balanced).values()):
        assert time.monotonic() < deadline, states_of(balanced)
        time.sleep(0.05)
    emit(client, 2)
    assert results == [1, 2]
    client.disconnect()


def test_a_node_that_is_late_stays_in_use(behind_haproxy):
    """A node that a busy machine stops for a second and a half is not considered dead."""
    balanced = behind_haproxy
    client, results = polling(balanced)
    emit(client, 1)
    home = home_of(balanced)
    home.process.send_signal(signal.SIGSTOP)
    seen = set()
    try:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            seen |= set(states_of(balanced).values())
            time.sleep(0.05)
    finally:
        home.process.send_signal(signal.SIGCONT)
    assert not any("DOWN" in state for state in seen), seen
    emit(client, 2)
    assert results == [1, 2]
    client.disconnect()


def test_upgrade_from_long_polling(balanced):
    """The real socket.io-client upgrades to a WebSocket, which must reach the same node."""
    done = subprocess.run(["node", ROOT / "tests" / "e2e" / "socketio.mjs", balanced.url,
                           ROOT / "tests" / "golden" / "hands" / "light.jpg"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_all_nodes_gone(tmp_path):
    """The response is the same "busy" as that of a full node, with a time for the next attempt."""
    balanced = Balanced(haproxy, tmp_path)
    try:
        for node in balanced.nodes:
            node.process.kill()
            node.process.wait()
        reply = httpx.post(f"{balanced.url}/api/v1/nails", content=PICTURE, timeout=60)
        assert reply.status_code == 503 and reply.headers["retry-after"] == "2"
        assert reply.json()["status"] == "BUSY" and not reply.json()["success"]
    finally:
        balanced.stop()


def test_counters_are_not_public(balanced):
    assert httpx.get(f"{balanced.url}/metrics").status_code == 404


def test_configurations_are_valid(tmp_path):
    command, environment = haproxy([8081], 8080, tmp_path)
    done = subprocess.run([command[0], "-c", "-f", ROOT / "deploy" / "haproxy.cfg"],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    command, _ = nginx([8081, 8082], free_port(), tmp_path)
    done = subprocess.run([command[0], "-t", "-e", "stderr", "-p", tmp_path, "-c",
                           ROOT / "deploy" / "nginx.conf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
