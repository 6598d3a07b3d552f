"""Secrets and what they protect: revoked tokens, files that others can read or change, the cookie
behind a TLS proxy, the counters, the folder of compiled models."""
import os
import re
import signal
import socket
import ssl
import threading
import time

import httpx
import pytest
import socketio
from websockets.exceptions import ConnectionClosed

from conftest import NO_NAILS, ROOT, Reply, Server, frame, plain, responses
from test_access import (OTHER, TOKEN, authority, eventually,  # noqa: F401 (fixtures)
                         name_of)

MODEL = ROOT / "tests" / "fixtures" / "tiny_map.onnx"
POLL = "/socket.io/?EIO=4&transport=polling"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def cookie(token):
    return {"Cookie": f"lacquer_token={token}"}


@pytest.fixture
def two_tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\n{OTHER}\n")
    path.chmod(0o600)
    running = Server(*NO_NAILS, "--token-file", str(path))
    running.tokens = path
    yield running
    assert running.stop()[0] == 0


def reload(server, text):
    server.tokens.write_text(text)
    server.process.send_signal(signal.SIGHUP)


def close_code(ws):
    with pytest.raises(ConnectionClosed) as closed:
        for _ in range(100):
            ws.recv(timeout=60)
    return closed.value.rcvd.code if closed.value.rcvd else None


# ---- tokens that are revoked


@pytest.mark.parametrize("bring", [bearer, cookie], ids=["bearer", "cookie"])
def test_a_revoked_token_ends_its_live_sessions(two_tokens, bring):
    with two_tokens.v1(additional_headers=bring(TOKEN)) as gone, \
            two_tokens.socket(additional_headers=bring(TOKEN)) as bare, \
            two_tokens.v1(additional_headers=bring(OTHER)) as kept:
        gone.send(frame(1, plain()))
        assert Reply(gone.recv(timeout=30)).id == 1
        reload(two_tokens, f"{OTHER}\n")
        assert close_code(gone) == 1008
        assert close_code(bare) == 1008
        kept.send(frame(1, plain()))
        assert Reply(kept.recv(timeout=30)).id == 1
    assert httpx.get(f"{two_tokens.url}/api/v1/info", headers=bring(TOKEN)).status_code == 401


def test_a_revoked_token_ends_socketio_over_both_transports(two_tokens):
    path = POLL.replace("polling", "websocket")
    with two_tokens.socket(path, additional_headers=bearer(TOKEN)) as gone, \
            two_tokens.socket(path, additional_headers=bearer(OTHER)) as kept:
        assert gone.recv(timeout=60).startswith("0{") and kept.recv(timeout=60).startswith("0{")
        sids = {token: httpx.get(two_tokens.url + POLL, headers=bearer(token))
                .headers["x-engineio-sid"] for token in (TOKEN, OTHER)}
        with socket.create_connection(("127.0.0.1", two_tokens.port), 20) as poll:
            poll.sendall(f"GET {POLL}&sid={sids[TOKEN]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            time.sleep(0.3)
            reload(two_tokens, f"{OTHER}\n")
            assert close_code(gone) == 1008
            # The poll in flight gets the message that the session is over.
            assert responses(poll, 1).endswith(b"\r\n\r\n1")
        # The session's id is no longer valid, neither for a poll nor for a socket.
        assert httpx.get(f"{two_tokens.url}{POLL}&sid={sids[TOKEN]}").status_code == 401
        assert httpx.post(f"{two_tokens.url}{POLL}&sid={sids[TOKEN]}",
                          content="40").status_code == 401
        assert httpx.post(f"{two_tokens.url}{POLL}&sid={sids[OTHER]}", content="40").text == "ok"
        kept.send("40")
        while (said := kept.recv(timeout=60)) == "2":  # a ping: all this took longer than usual
            pass
        assert said.startswith("40")
    assert two_tokens.metric_as(OTHER, 'lacquer_sessions{transport="socketio"}') == 1


def test_a_polling_session_that_has_become_a_socket_ends_too(two_tokens):
    client, ended = socketio.Client(reconnection=False), threading.Event()
    client.on("disconnect", lambda *_: ended.set())
    client.connect(two_tokens.url, headers=bearer(TOKEN), wait_timeout=60)
    assert eventually(lambda: client.transport() == "websocket")
    reload(two_tokens, f"{OTHER}\n")
    assert ended.wait(10)


def test_a_client_that_does_not_read_is_no_longer_served(two_tokens):
    """A client that does not read cannot get a goodbye; its frames are no longer painted."""
    with two_tokens.v1(additional_headers=bearer(TOKEN)) as gone:
        gone.send(frame(1, plain()))
        gone.recv(timeout=30)
        reload(two_tokens, f"{OTHER}\n")
        time.sleep(0.5)
        before = two_tokens.metric_as(OTHER, 'lacquer_frames_in_total{transport="lacquer.v1"}')
        try:
            for number in range(2, 20):
                gone.send(frame(number, plain()))
        except ConnectionClosed:
            pass
        time.sleep(0.5)
        after = two_tokens.metric_as(OTHER, 'lacquer_frames_in_total{transport="lacquer.v1"}')
    assert after == before


def test_a_bad_token_file_ends_nothing(two_tokens):
    with two_tokens.v1(additional_headers=bearer(TOKEN)) as ws:
        for text in ("", "short\n", f"{OTHER}\nshort\n", "# none\n"):
            reload(two_tokens, text)
            time.sleep(0.2)
            ws.send(frame(1, plain()))
            assert Reply(ws.recv(timeout=30)).id == 1


@pytest.fixture(autouse=True)
def metric_as(monkeypatch):
    def ask(self, token, name):
        text = httpx.get(f"{self.url}/metrics", headers=bearer(token)).text
        return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])
    monkeypatch.setattr(Server, "metric_as", ask, raising=False)


# ---- SIGHUP


def test_sighup_changes_all_or_nothing(authority, tmp_path):  # noqa: F811
    cert, key, tokens = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "tokens"
    chain, secret = authority("first")
    for path, text in ((cert, chain), (key, secret), (tokens, f"{TOKEN}\n")):
        path.write_text(text)
        path.chmod(0o600)
    running = Server(*NO_NAILS, "--tls-cert", str(cert), "--tls-key", str(key), "--token-file",
                     str(tokens))
    running.trusted = ssl.create_default_context(cafile=str(authority.root))

    def lets_in(token):
        return httpx.get(f"{running.url}/api/v1/info", headers=bearer(token),
                         verify=running.trusted).status_code == 200
    assert name_of(running) == "first"
    chain, secret = authority("second")
    cert.write_text(chain)
    key.write_text(secret)
    tokens.write_text("bad\n")  # a good certificate, bad tokens: neither is loaded
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert name_of(running) == "first" and lets_in(TOKEN)
    key.write_text("no key")    # a bad certificate, good tokens: neither is loaded
    tokens.write_text(f"{OTHER}\n")
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert name_of(running) == "first" and lets_in(TOKEN) and not lets_in(OTHER)
    key.write_text(secret)
    running.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: name_of(running) == "second")
    assert lets_in(OTHER) and not lets_in(TOKEN)
    status, said = running.stop()
    assert status == 0
    kept = "nothing was changed, the old certificate and tokens stay in use: "
    assert said.count(kept) == 2
    assert said.count("reloaded: certificate and tokens") == 1, said
    assert "first-token" not in said and "second-token" not in said


# ---- what others may read or change


@pytest.mark.parametrize("mode,hint",
                         [(0o600, None), (0o400, None), (0o644, "other users may read"),
                                       (0o604, "other users may read"),
                                       (0o444, "other users may read"),
                                       (0o660, "a group may change"), (0o666, "refused"),
                                       (0o602, "refused"), (0o777, "refused")])
def test_a_token_file_that_others_may_read_or_change(tmp_path, mode, hint):
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\n")
    path.chmod(mode)
    if hint == "refused":
        with pytest.raises(RuntimeError, match=f"anybody may write to '{path}'.*chmod 600"):
            Server("--token-file", str(path))
        return
    running = Server(*NO_NAILS, "--token-file", str(path))
    status, said = running.stop()
    assert status == 0 and TOKEN not in said
    warned = [line for line in said.splitlines() if str(path) in line]
    assert [hint in line for line in warned] == ([True] if hint else []), said


def test_a_token_file_in_a_folder_that_others_may_write_in(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    path = folder / "tokens"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    status, said = Server(*NO_NAILS, "--token-file", str(path)).stop()
    assert status == 0
    assert f"another user could replace '{path}': other users may write to '{folder}'" in said


def test_a_private_key_that_others_may_read_or_change(authority, tmp_path):  # noqa: F811
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    chain, secret = authority("open")
    cert.write_text(chain)  # every user may read that
    key.write_text(secret)
    for mode, hint in ((0o600, None), (0o644, "other users may read")):
        key.chmod(mode)
        running = Server(*NO_NAILS, "--tls-cert", str(cert), "--tls-key", str(key))
        status, said = running.stop()
        assert status == 0 and ("other users may read" in said) == bool(
            hint) and "cert.pem" not in said
    key.chmod(0o622)
    with pytest.raises(RuntimeError, match="anybody may write to"):
        Server("--tls-cert", str(cert), "--tls-key", str(key))


def test_secrets_as_kubernetes_mounts_them(tmp_path):
    """Links to links, mode 0644 and owned by root: read with a warning, and read again when the
    links point to another folder."""
    volume = tmp_path / "volume"
    for name, token in (("..2026_01", TOKEN), ("..2026_02", OTHER)):
        (volume / name).mkdir(parents=True)
        (volume / name / "tokens").write_text(f"{token}\n")
    (volume / "..data").symlink_to("..2026_01")
    (volume / "tokens").symlink_to("..data/tokens")
    running = Server(*NO_NAILS, "--token-file", str(volume / "tokens"))
    info = f"{running.url}/api/v1/info"
    assert httpx.get(info, headers=bearer(TOKEN)).status_code == 200
    (volume / "..new").symlink_to("..2026_02")
    (volume / "..new").rename(volume / "..data")
    running.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: httpx.get(info, headers=bearer(OTHER)).status_code == 200)
    assert httpx.get(info, headers=bearer(TOKEN)).status_code == 401
    assert running.stop()[0] == 0


# ---- the cookie


SECURE = [({"X-Forwarded-Proto": "https"}, True), ({"X-Forwarded-Proto": "https, http"}, True),
          ({"X-Forwarded-Proto": "HTTPS"}, True), ({"X-Forwarded-Proto": "http"}, False),
          ({"Forwarded": "for=1.2.3.4;proto=https"}, True), ({"Forwarded": 'proto="https"'}, True),
          ({"Forwarded": "for=1.2.3.4;proto=http"}, False),
          ({"Origin": "https://shop.example", "Host": "shop.example"}, True),
          ({"Referer": "https://shop.example/x", "Host": "shop.example"}, True),
          ({"Referer": "https://shop.example", "Host": "shop.example"}, True),
          ({"Referer": "https://shop.example.evil/", "Host": "shop.example"}, False),
          ({"Referer": "https://evil.example/", "Host": "shop.example"}, False),
          ({"Referer": "http://shop.example/", "Host": "shop.example"}, False), ({}, False)]


@pytest.mark.parametrize("headers,secured", SECURE, ids=range(len(SECURE)))
def test_the_cookie_is_secure_behind_a_tls_proxy(two_tokens, headers, secured):
    reply = httpx.get(f"{two_tokens.url}/?token={TOKEN}", headers=headers)
    assert reply.status_code == 303
    parts = [part.strip() for part in reply.headers["set-cookie"].split(";")]
    assert ("Secure" in parts) == secured
    assert "HttpOnly" in parts and "SameSite=Strict" in parts


def test_the_cookie_is_secure_with_tls_of_its_own(authority, tmp_path):  # noqa: F811
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN}\n")
    running = Server(*NO_NAILS, "--tls-self-signed", "--token-file", str(tokens))
    reply = httpx.get(f"{running.url}/?token={TOKEN}", verify=False)
    assert "; Secure" in reply.headers["set-cookie"]
    assert running.stop()[0] == 0


# ---- the counters


def test_counters_are_for_this_machine_without_a_proxy(server):
    assert httpx.get(f"{server.url}/metrics").status_code == 200
    for name, value in (("X-Forwarded-For", "10.0.0.1"), ("X-Real-IP", "10.0.0.1"),
                        ("Via", "1.1 p"),
                        ("Forwarded", "for=10.0.0.1"), ("X-Forwarded-Proto", "http"),
                        ("X-Forwarded-Host", "shop.example")):
        reply = httpx.get(f"{server.url}/metrics", headers={name: value})
        assert reply.status_code == 404 and "lacquer_" not in reply.text, name


def lan_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def test_counters_are_not_for_other_machines():
    address = lan_address()
    if not address or address.startswith("127."):
        pytest.skip("this machine has no address but its own loopback's")
    running = Server(*NO_NAILS, "--host", "0.0.0.0")
    assert httpx.get(f"http://{address}:{running.port}/healthz").status_code == 200
    assert httpx.get(f"http://{address}:{running.port}/metrics").status_code == 404
    assert httpx.get(f"{running.url}/metrics").status_code == 200
    assert running.stop()[0] == 0


# ---- the folder of compiled models


def keeps(cache, **environment):
    """Whether models are stored there, and the server's message about it."""
    where = [] if cache is None else ["--cache-dir", str(cache)]
    running = Server(*where, "--model", str(MODEL), "--log-level", "warn", **environment)
    assert httpx.post(f"{running.url}/api/v1/nails", content=plain()).status_code == 200
    status, said = running.stop()
    assert status == 0
    return said


def blobs(folder):
    return sorted(folder.rglob("*.blob"))


def test_a_private_folder_stores_models(tmp_path):
    assert "not kept" not in keeps(tmp_path / "cache") and blobs(tmp_path / "cache")


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777, 0o757], ids=oct)
def test_a_folder_that_others_may_write_in_stores_no_models(tmp_path, mode):
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(mode)
    said = keeps(cache)
    assert f"compiled models are not kept: other users may write to '{cache}'" in said
    assert not blobs(cache)


def test_a_folder_below_one_that_others_may_write_in(tmp_path):
    parent = tmp_path / "parent"
    (parent / "cache").mkdir(parents=True, mode=0o700)
    parent.chmod(0o777)
    assert f"other users may write to '{parent}'" in keeps(parent / "cache")
    assert f"other users may write to '{parent}'" in keeps(parent / "not" / "yet")
    assert f"other users may write to '{parent}'" in keeps(None, XDG_CACHE_HOME=str(parent))
    assert not blobs(tmp_path)
    parent.chmod(0o1777)  # as /tmp is
    assert "not kept" not in keeps(parent / "cache") and blobs(parent / "cache")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_another_user(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    os.chown(cache, 65534, 65534)
    assert f"'{cache}' belongs to another user" in keeps(cache)
    (tmp_path / "link").symlink_to(cache)
    assert f"'{cache}' belongs to another user" in keeps(tmp_path / "link")
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    (tmp_path / "theirs").symlink_to(own)
    os.chown(tmp_path / "theirs", 65534, 65534, follow_symlinks=False)
    tmp_path.chmod(0o1777)
    assert "belongs to another user" in keeps(tmp_path / "theirs")
    assert not blobs(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_model_of_another_user_is_compiled_again(tmp_path):
    cache = tmp_path / "cache"
    keeps(cache)
    for change in (lambda path: os.chown(path, 65534, 65534), lambda path: path.chmod(0o666),
                   lambda path: os.link(path, tmp_path / f"second-{path.parent.name}-{path.name}")):
        before = {path: path.stat().st_ino for path in blobs(cache)}
        for path in before:
            change(path)
        keeps(cache)
        assert {path.name for path in blobs(cache)} == {path.name for path in before}
        for path, number in before.items():
            info = path.stat()
            assert info.st_uid == 0 and not info.st_mode & 0o022 and info.st_nlink == 1
        for path in tmp_path.glob("second-*"):
            path.unlink()
