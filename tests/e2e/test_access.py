"""Access control: origins, tokens, TLS, and the privileges that the server drops once it runs."""
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import httpx
import pytest
import socketio
from websockets.exceptions import InvalidStatus

import conftest
from conftest import LACQUER, NO_NAILS, ROOT, Reply, Server, eventually, frame, plain, read_for

TOKEN, OTHER = "first-token-0123456789", "second-token-9876543210"


def refused(connect):
    """The status with which an upgrade is refused."""
    with pytest.raises(InvalidStatus) as caught:
        with connect():
            pass
    return caught.value.response.status_code


# ---- origins


@pytest.mark.parametrize("path", ["/ws", "/socket.io/?EIO=4&transport=websocket"])
def test_sockets_of_foreign_pages_are_refused(server, path):
    assert refused(lambda: server.socket(path, origin="http://evil.example")) == 403
    assert refused(lambda: server.socket(path, origin="null")) == 403
    with server.socket(path, origin=f"http://127.0.0.1:{server.port}"):
        pass


def test_names_similar_to_the_servers_own_are_refused(server):
    own = f"127.0.0.1:{server.port}"
    for origin in (f"http://{own}.evil.example", f"http://{own}@evil.example", f"http://a@{own}",
                   f"http://{own}/", f"http://{own}?", f"http://{own}#",
                   f"http://127.0.0.1.:{server.port}", "http://127.0.0.1",
                   f"http://127.0.0.1:0{server.port}", f"//{own}", own, "file://",
                   f"ftp://{own}", f"http://{own} http://evil.example",
                   f"http://evil.example,http://{own}",
                   f"http://{own}\xa0", f"http:/{own}", f"http://localhost:{server.port}", "NULL",
                   f"http://{own}" + "a" * 300):
        with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
            raw.sendall(b"GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                        b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        b"Sec-WebSocket-Version: 13\r\nOrigin: %s\r\n\r\n"
                        % (own.encode(), origin.encode("latin-1")))
            got = read_for(raw, 5)
            assert got.startswith(b"HTTP/1.1 403"), (origin, got[:80])
    with server.socket("/ws", origin=f"HTTP://{own}"):  # case does not matter (RFC 6454)
        pass


def test_a_foreign_page_cannot_post_into_a_session_it_knows(server):
    poll = f"{server.url}/socket.io/?EIO=4&transport=polling"
    sid = httpx.get(poll).headers["x-engineio-sid"]
    for origin in ("null", "http://evil.example"):
        headers = {"Origin": origin, "Content-Type": "text/plain"}
        assert httpx.post(f"{poll}&sid={sid}", content="40", headers=headers).status_code == 403
        assert httpx.get(f"{poll}&sid={sid}", headers=headers).status_code == 403
    for guess in (sid.swapcase(), sid[:-1], sid + "A", sid[:-1] + "*", " " + sid):
        assert httpx.get(f"{poll}&sid={guess}").status_code == 400, guess
        assert httpx.post(f"{poll}&sid={guess}", content="1").status_code == 400, guess
    assert httpx.post(f"{poll}&sid={sid}", content="40").text == "ok"  # the session still exists


def test_long_polling_of_foreign_pages_is_refused(server):
    poll = f"{server.url}/socket.io/?EIO=4&transport=polling"
    assert httpx.get(poll, headers={"Origin": "http://evil.example"}).status_code == 403
    own = httpx.get(poll, headers={"Origin": server.url})
    assert own.status_code == 200 and own.text.startswith("0{")


POLL = "/socket.io/?EIO=4&transport=polling"


def test_requests_of_a_foreign_page_without_an_origin_are_refused():
    """A picture, script, frame or form of another page is requested without Origin, but browsers
    report its source (Sec-Fetch-Site): it may not open a session. Links to the page itself keep
    working."""
    server = Server(*NO_NAILS, "--log-level", "error")  # its own: other sessions end in between
    for site in ("cross-site", "same-site", "Same-Origin", "odd", "x" * 100):
        for mode, kind in (("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe")):
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind}
            assert httpx.get(server.url + POLL, headers=headers).status_code == 403
            reply = httpx.post(f"{server.url}/api/v1/nails", content=plain(), headers=headers)
            assert reply.status_code == 403 and reply.json()["status"] == "AUTH"
        assert refused(lambda: server.socket(
            "/ws", additional_headers={"Sec-Fetch-Site": site})) == 403
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert httpx.get(server.url, headers=link).status_code == 200
    assert server.metric('lacquer_sessions{transport="socketio"}') == 0
    for site in ("same-origin", "none"):
        own = httpx.get(server.url + POLL, headers={"Sec-Fetch-Site": site})
        assert own.status_code == 200
        sid = own.headers["x-engineio-sid"]
        assert httpx.post(f"{server.url}{POLL}&sid={sid}", content="1",
                          headers={"Sec-Fetch-Site": site}).status_code == 200
    assert server.stop()[0] == 0


def test_allowed_pages_are_known_by_their_origin_alone(tmp_path):
    cross = {"Sec-Fetch-Site": "cross-site"}
    for allowed, bare in (("https://shop.example", 403), ("*", 200)):
        running = Server(*NO_NAILS, "--allow-origin", allowed, "--log-level", "error")
        shop = {**cross, "Origin": "https://shop.example"}
        assert httpx.get(running.url + POLL, headers=shop).status_code == 200
        with running.socket("/ws", origin=shop["Origin"], additional_headers=cross):
            pass
        assert httpx.get(running.url + POLL, headers=cross).status_code == bare
        assert running.stop()[0] == 0


def test_a_client_cannot_give_itself_another_address():
    """The limits per address use the connection's address, not what headers claim."""
    running = Server(*NO_NAILS, "--max-sessions-per-address", "2", "--log-level", "error")
    with running.v1(), running.v1():
        for number in range(5):
            fake = f"10.0.0.{number}"
            for headers in ({"X-Forwarded-For": fake}, {"X-Real-IP": fake},
                            {"Forwarded": f"for={fake}"}, {"CF-Connecting-IP": fake}):
                assert httpx.get(running.url + POLL, headers=headers).status_code == 429
    assert running.stop()[0] == 0


def test_no_foreign_page_may_read_a_response(server):
    for method, path in (("GET", "/api/v1/info"), ("OPTIONS", "/api/v1/nails"), ("GET", "/")):
        headers = httpx.request(method, f"{server.url}{path}",
                                headers={"Origin": "http://evil.example"}).headers
        assert not [name for name in headers if name.startswith("access-control")]
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"


# ---- tokens


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(f"# who may connect\n{TOKEN}\n")
    running = Server(*NO_NAILS, "--token-file", str(tokens), "--log-level", "debug")
    running.tokens = tokens
    yield running
    status, said = running.stop()
    assert status == 0, said
    # Tokens are never logged, neither whole nor in part, neither right nor wrong.
    assert "token-0" not in said and "token-9" not in said and "wrong" not in said, said


BEARER = {"Authorization": f"Bearer {TOKEN}"}
WRONG = [{}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Bearer {TOKEN[:-1]}"},
         {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"},
         {"Authorization": "Bearer x"},
         {"Authorization": "Bearer " + "wrong" * 100}, {"Cookie": f"lacquer_token={TOKEN}x"},
         {"Cookie": f"other={TOKEN}"}, {"Cookie": "lacquer_token"}]


@pytest.mark.parametrize("headers", WRONG, ids=range(len(WRONG)))
def test_without_a_token_nothing_is_served(guarded, headers):
    for method, path in (("GET", "/"), ("GET", "/ui/app.js"), ("GET", "/metrics"),
                         ("GET", "/api/v1/info"), ("POST", "/api/v1/nails"),
                         ("GET", f"/api/v1/info?token={TOKEN}"), ("GET", "/?token=wrong"),
                         ("GET", "/socket.io/?EIO=4&transport=polling")):
        content = plain() if method == "POST" else None
        reply = httpx.request(method, f"{guarded.url}{path}", headers=headers, content=content)
        assert reply.status_code == 401, path
        assert reply.headers["www-authenticate"] == "Bearer" and reply.json()["status"] == "AUTH"
    for path in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
        assert refused(lambda: guarded.socket(path, additional_headers=headers)) == 401


def test_a_browser_without_a_token_gets_a_page_that_asks_for_it(guarded):
    reply = httpx.get(guarded.url, headers={"Accept": "text/html,*/*;q=0.8"})
    assert reply.status_code == 401 and reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["content-type"].startswith("text/html") and 'id="token"' in reply.text
    assert reply.headers["cache-control"] == "no-store" and "etag" not in reply.headers
    for part in ("token.css", "token.js", "favicon.svg"):
        assert httpx.get(f"{guarded.url}/{part}").status_code == 200
    for other in ("style.css", "tryon.js", "x/token.css", "ui/token.js"):
        assert httpx.get(f"{guarded.url}/{other}").status_code == 401


def test_a_token_opens_every_endpoint(guarded):
    reply = httpx.post(f"{guarded.url}/api/v1/nails", content=plain(), headers=BEARER)
    assert reply.status_code == 200
    with guarded.v1(additional_headers=BEARER) as ws:
        ws.send(frame(1, plain()))
        assert Reply(ws.recv(timeout=30)).id == 1
    for transport in ("polling", "websocket"):
        client = socketio.Client()
        client.connect(guarded.url, headers=BEARER, transports=[transport])
        client.disconnect()
    # After the first, its polls are authorised by the session's own secret id.
    poll = f"{guarded.url}/socket.io/?EIO=4&transport=polling"
    sid = httpx.get(poll, headers=BEARER).text.split('"sid":"')[1].split('"')[0]
    assert httpx.post(f"{poll}&sid={sid}", content="40").text == "ok"
    assert httpx.post(f"{poll}&sid={sid[:-1]}", content="40").status_code == 401
    assert httpx.get(f"{guarded.url}/api/v1/info?sid={sid}").status_code == 401


def test_balancers_need_no_token(guarded):
    assert httpx.get(f"{guarded.url}/healthz").status_code == 200
    assert httpx.get(f"{guarded.url}/readyz").status_code == 200


def test_the_page_turns_its_address_into_a_cookie(guarded):
    first = httpx.get(f"{guarded.url}/?token={TOKEN}")
    assert first.status_code == 303 and first.headers["location"] == "./"
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path" not in cookie
    mine = {"Cookie": "a=b; " + cookie.split(";")[0]}
    assert httpx.get(f"{guarded.url}/", headers=mine).status_code == 200
    with guarded.v1(additional_headers=mine) as ws:
        ws.send(frame(1, plain()))
        assert Reply(ws.recv(timeout=30)).id == 1
    # A page of another origin cannot use the browser's cookie.
    assert refused(lambda: guarded.socket("/ws", additional_headers=mine,
                                          origin="http://evil.example")) == 403


def test_sighup_reads_the_tokens_again(guarded):
    def lets_in(token):
        return httpx.get(f"{guarded.url}/api/v1/info",
                         headers={"Authorization": f"Bearer {token}"}).status_code == 200
    guarded.tokens.write_text("short\n")
    guarded.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert lets_in(TOKEN)  # a bad file changes nothing
    guarded.tokens.write_text(f"{OTHER}\n{TOKEN}\n")
    guarded.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: lets_in(OTHER)) and lets_in(TOKEN)


@pytest.mark.parametrize("text,hint", [("", "no token"), ("too-short\n", "line 1"),
                                       (None, "nonexistent")])
def test_a_token_file_without_tokens(tmp_path, text, hint):
    path = tmp_path / "nonexistent"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RuntimeError, match=hint):
        Server("--token-file", str(path))


# ---- TLS


def openssl(*args, **kwargs):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **kwargs)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A root CA, an intermediate below it, and a function that issues server certificates."""
    folder = tmp_path_factory.mktemp("ca")

    def issue(name, issuer, extension):
        config = folder / f"{name}.cnf"
        config.write_text(extension)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out",
                folder / f"{name}.csr")
        by = (["-signkey", folder / f"{name}.key"] if issuer is None else
              ["-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer}.key",
               "-CAcreateserial"])
        openssl("x509", "-req", "-days", 2, "-in", folder / f"{name}.csr", "-extfile", config,
                "-out", folder / f"{name}.pem", *by)
    # All that RFC 5280 requires of one; Python 3.13 and others check for it.
    signs = ("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
             "subjectKeyIdentifier=hash\n")
    issue("root", None, signs)
    issue("middle", "root", signs + "authorityKeyIdentifier=keyid\n")

    def server_certificate(name):
        issue(name, "middle", "subjectAltName=IP:127.0.0.1\nsubjectKeyIdentifier=hash\n"
              "authorityKeyIdentifier=keyid\n")
        chain = (folder / f"{name}.pem").read_text() + (folder / "middle.pem").read_text()
        return chain, (folder / f"{name}.key").read_text()
    server_certificate.root = folder / "root.pem"
    return server_certificate


@pytest.fixture
def secure(authority, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    chain, secret = authority("one")
    cert.write_text(chain)
    key.write_text(secret)
    running = Server(*NO_NAILS, "--tls-cert", str(cert), "--tls-key", str(key))
    running.cert, running.key = cert, key
    running.trusted = ssl.create_default_context(cafile=str(authority.root))
    yield running
    assert running.stop()[0] == 0


def name_of(server):
    with socket.create_connection(("127.0.0.1", server.port)) as plain_socket:
        with server.trusted.wrap_socket(plain_socket, server_hostname="127.0.0.1") as tls:
            return dict(pair[0] for pair in tls.getpeercert()["subject"])["commonName"]


def test_the_whole_chain_is_sent_and_renewed_on_sighup(secure, authority):
    assert name_of(secure) == "one"
    with secure.v1(ssl=secure.trusted) as ws:
        # A half-written pair of files changes nothing.
        chain, secret = authority("two")
        secure.cert.write_text(chain)
        secure.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert name_of(secure) == "one"
        secure.key.write_text(secret)
        secure.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: name_of(secure) == "two")
        # Existing connections stay open.
        ws.send(frame(1, plain()))
        assert Reply(ws.recv(timeout=30)).id == 1


def test_a_page_loaded_without_tls_is_foreign(secure):
    """Anybody between browser and server could have inserted it."""
    with secure.socket(origin=f"https://127.0.0.1:{secure.port}", ssl=secure.trusted):
        pass
    assert refused(lambda: secure.socket(origin=f"http://127.0.0.1:{secure.port}",
                                         ssl=secure.trusted)) == 403


def handshake(server, *args):
    """The protocol and cipher that openssl s_client reports, or None if the connection failed."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *args],
                          input=b"", capture_output=True, timeout=60)
    found = re.search(rb"New, (TLSv[\d.]+), Cipher is (\S+)", done.stdout)
    return (found[1].decode(), found[2].decode()) if found else None


def test_old_protocols_and_weak_ciphers_are_refused(secure):
    weakest = ["-cipher", "ALL:@SECLEVEL=0"]
    assert handshake(secure, "-tls1_3")[0] == "TLSv1.3"
    assert "GCM" in handshake(secure, "-tls1_2")[1]
    assert handshake(secure, "-tls1_1", *weakest) is None
    assert handshake(secure, "-tls1", *weakest) is None
    for weak in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES256-GCM-SHA384", "aNULL", "eNULL",
                 "3DES", "RC4", "DHE"):
        assert handshake(secure, "-tls1_2", "-cipher", f"{weak}:@SECLEVEL=0") is None, weak
    assert handshake(secure, "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305")


def test_renegotiation_and_compression_are_refused(secure):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{secure.port}", "-tls1_2",
                           "-legacy_renegotiation"], input=b"R\n", capture_output=True, timeout=60)
    assert b"no renegotiation" in done.stderr or b"handshake failure" in done.stderr, done.stderr
    assert b"Compression: NONE" in done.stdout


def s_client(server, *args):
    """The whole output of openssl s_client for a connection with one small request."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                           "-ign_eof", *map(str, args)], capture_output=True, timeout=60,
                          input=b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return (done.stdout + done.stderr).decode(errors="replace")


def test_only_http_1_1_is_agreed_upon(secure):
    assert "ALPN protocol: http/1.1" in s_client(secure, "-alpn", "h2,http/1.1")
    assert "ALPN protocol: h2" not in s_client(secure, "-alpn", "h2")


def test_a_forced_downgrade_is_detected(secure):
    """RFC 7507: a client that was forced to offer a lower version can signal it."""
    assert "inappropriate fallback" in s_client(secure, "-tls1_2", "-fallback_scsv")


def test_weak_signatures_groups_and_old_secrets_are_refused(secure):
    assert handshake(secure, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-sigalgs",
                     "ECDSA+SHA1") is None
    assert handshake(secure, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-curves",
                     "secp192k1") is None
    assert "Extended master secret: yes" in s_client(secure, "-tls1_2")  # RFC 7627


def test_sessions_are_resumed_but_nothing_is_sent_early(secure, tmp_path):
    for version in ("-tls1_2", "-tls1_3"):
        said = s_client(secure, version, "-sess_out", tmp_path / "session")
        assert "New, TLSv1" in said
        if version == "-tls1_3":  # early data could be replayed
            assert "Max Early Data: 0" in said and "Max Early Data: 1" not in said
        again = s_client(secure, version, "-sess_in", tmp_path / "session")
        assert "Reused, TLSv1" in again and "HTTP/1.1 200" in again


def test_a_storm_of_sighup(secure, authority):
    """Certificates and tokens are read again a thousand times while a picture is processed."""
    before, files = secure.rss_kib(), secure.descriptors().total()
    for _ in range(1000):
        secure.process.send_signal(signal.SIGHUP)
        time.sleep(0.001)
    assert name_of(secure) == "one"
    assert secure.rss_kib() - before < 32 * 1024
    assert secure.descriptors().total() <= files + 2


def test_an_invalid_handshake_ends_the_connection(secure):
    record = b"\x16\x03\x01"  # a handshake record with a false ClientHello
    for bytes_of in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x80\x2e\x01\x00\x02" + b"\0" * 60,
                     record + b"\xff\xff" + b"\1" * 200, record + b"\0\x04\1\xff\xff\xff",
                     b"\x18\x03\x02\0\x03\1\x40\0", os.urandom(2000)):
        with socket.create_connection(("127.0.0.1", secure.port), 10) as raw:
            raw.sendall(bytes_of)
            with contextlib.suppress(OSError):  # the server may have closed it already
                raw.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.1 200" not in read_for(raw, 10)
    assert name_of(secure) == "one"


# ---- dropped privileges


def status_of(server, name):
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return re.search(rf"^{name}:\s+(.*)$", text, re.M)[1]


def test_the_sandbox_is_on_unless_refused():
    running = Server()
    assert status_of(running, "NoNewPrivs") == "1" and status_of(running, "Seccomp") == "2"
    limits = pathlib.Path(f"/proc/{running.process.pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits)
    # Every thread is in the sandbox, including those of the inference engine.
    for task in pathlib.Path(f"/proc/{running.process.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            assert re.search(r"^Seccomp:\s+2$", (task / "status").read_text(), re.M)
    assert running.stop()[0] == 0
    running = Server("--no-sandbox")
    assert status_of(running, "NoNewPrivs") == "0" and status_of(running, "Seccomp") == "0"
    assert running.stop()[0] == 0


@pytest.fixture
def open_to_all(monkeypatch):
    """A copy of the program and of what it loads, readable for every user: the checkout may be in a
    home that is closed to others, such as /root. Returns the model's path."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "bin").mkdir()
        shutil.copy(LACQUER, folder / "bin" / "lacquer")
        shutil.copytree(ROOT / ".deps" / "openvino" / "libs", folder / "lib" / "lacquer")
        for part in ("nail.onnx", "nail.json"):
            shutil.copy(ROOT / "models" / part, folder / part)
        monkeypatch.setattr(conftest, "LACQUER", folder / "bin" / "lacquer")
        yield folder / "nail.onnx"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user(open_to_all):
    running = Server("--user", "nobody", "--cache-dir", "none", "--model", str(open_to_all))
    reply = httpx.post(f"{running.url}/api/v1/nails", content=plain())
    assert reply.json()["success"]
    assert set(status_of(running, "Uid").split()) == set(status_of(running,
                                                                   "Gid").split()) == {"65534"}
    assert status_of(running, "CapEff") == "0" * 16
    assert running.stop()[0] == 0


def test_a_user_that_cannot_be():
    with pytest.raises(RuntimeError, match="no user"):
        Server("--user", "no-such-user-here")
    with pytest.raises(RuntimeError, match="is root"):
        Server("--user", "root")


def test_a_compiled_model_is_stored_from_inside_the_sandbox(tmp_path):
    cache = tmp_path / "cache"
    assert Server("--cache-dir", str(cache)).stop()[0] == 0
    assert any(path.is_file() for path in cache.rglob("*"))
