"""The page's files and how they are cached; and other pages: served by --web, on other origins,
behind proxies that change Host."""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys

import httpx
import pytest
import socketio
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from conftest import LACQUER, NO_NAILS, Server, free_port, plain, tool

TOKEN = "first-token-0123456789"
SHOP = "https://shop.example"
PREFLIGHT = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}


def usage_error(*args):
    """The error of `lacquer serve` for options that it rejects."""
    done = subprocess.run([LACQUER, "serve", "--port", "0", *args], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 2, done
    return done.stderr


def stopped(running):
    status, said = running.stop()
    assert status == 0, said
    return said


# ---- the page's files

ROOT = pathlib.Path(__file__).resolve().parents[2]


def raw(url, **headers):
    """A response and its unmodified bytes; httpx would request encodings of its own and
    decompress."""
    sent = {"accept-encoding": "identity"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    with httpx.stream("GET", url, headers=sent) as reply:
        return reply, b"".join(reply.iter_raw())


def bundle_of(server):
    return re.search(r"tryon-[\w]+\.js", httpx.get(f"{server.url}/tryon.js").text)[0]


def unbrotli(data):
    done = subprocess.run(["brotli", "-d", "-c"], input=data, capture_output=True, check=True)
    return done.stdout


def test_files_are_sent_in_an_accepted_encoding(server):
    url = f"{server.url}/{bundle_of(server)}"
    plainly, whole = raw(url)
    assert "content-encoding" not in plainly.headers
    tags = {plainly.headers["etag"]}
    for accept, coding, unpack in (("gzip, deflate, br, zstd", "br", unbrotli),
                                   ("gzip", "gzip", gzip.decompress),
                                   ("br;q=0, gzip;q=0.1", "gzip", gzip.decompress),
                                   ("identity;q=0, *", "br", unbrotli)):
        reply, packed = raw(url, accept_encoding=accept)
        assert reply.headers["content-encoding"] == coding, accept
        assert unpack(packed) == whole and len(packed) < len(whole) / 2
        assert int(reply.headers["content-length"]) == len(packed)
        tags.add(reply.headers["etag"])
        assert "accept-encoding" in reply.headers["vary"]
        head = httpx.head(url, headers={"Accept-Encoding": accept})
        for name in ("etag", "content-length", "content-encoding", "cache-control", "vary"):
            assert head.headers[name] == reply.headers[name]
    # Strong tags: other bytes have another tag.
    assert len(tags) == 3 and all(re.fullmatch(r'"[\w-]+"', tag) for tag in tags)


def test_a_client_that_accepts_no_encoding(server):
    for accept in ("identity;q=0", "*;q=0", "br;q=0, gzip;q=0, identity;q=0"):
        reply, body = raw(f"{server.url}/", accept_encoding=accept)
        assert reply.status_code == 406 and b"identity" in body
        assert "accept-encoding" in reply.headers["vary"]


def test_a_cached_copy_is_confirmed(server):
    url = f"{server.url}/{bundle_of(server)}"
    reply, _ = raw(url, accept_encoding="br")
    tag, plain_tag = reply.headers["etag"], raw(url)[0].headers["etag"]
    for had in (tag, f"W/{tag}", f'"other", {tag}', "*", f'"a,b" ,W/"c",{tag}'):
        again, body = raw(url, accept_encoding="br", if_none_match=had)
        assert again.status_code == 304 and body == b"", had
        assert again.headers["etag"] == tag and "content-encoding" not in again.headers
        assert again.headers["cache-control"] == reply.headers["cache-control"]
        assert "accept-encoding" in again.headers["vary"]
        head = httpx.head(url, headers={"Accept-Encoding": "br", "If-None-Match": had})
        assert head.status_code == 304
    # The copy in another encoding is not this one's.
    for had in (plain_tag, '"other"', tag.strip('"')):
        assert raw(url, accept_encoding="br", if_none_match=had)[0].status_code == 200, had


def test_how_long_files_are_kept(server):
    def kept(path):
        reply = httpx.get(f"{server.url}/{path}")
        assert reply.status_code == 200, path
        return reply.headers["cache-control"]

    html = httpx.get(server.url).text
    hashed = set(re.findall(r'"([\w]+-[\w]{8,10}\.(?:js|css))"', html)) | {bundle_of(server)}
    assert len(hashed) >= 2 and any(name.endswith(".css") for name in hashed)
    for name in hashed:
        assert kept(name) == "max-age=31536000, immutable"
    for path in ("", "index.html", "embed.html", "look/look.js", "ui/app.js", "style.css"):
        assert kept(path) == "no-cache"
    assert kept("tryon.js") == "max-age=300"


def test_an_old_hash_is_gone(server):
    for name in ("tryon-00000000.js", "style-0123456789.css", bundle_of(server).replace(".js", "")):
        reply = httpx.get(f"{server.url}/{name}")
        assert reply.status_code == 404
        assert "immutable" not in reply.headers.get("cache-control", "")


def test_modules_are_served_as_they_are(server):
    for path in ("look/look.js", "live/stats.js", "paint/painter.js"):
        assert raw(f"{server.url}/{path}")[1] == (ROOT / "web" / path).read_bytes()


def test_the_page_is_bundled_the_same_twice(tmp_path):
    tables = []
    for name in ("one", "other"):
        table = tmp_path / f"{name}.c"
        tools = [shutil.which("esbuild") or str(ROOT / ".deps/node_modules/.bin/esbuild"), "brotli"]
        subprocess.run([sys.executable, ROOT / "tools/embed.py", ROOT / "web", table,
                        tmp_path / f"{name}.d", *tools], check=True, timeout=120,
                       env={**os.environ, "TMPDIR": str(tmp_path), "TZ": name})
        tables.append(table.read_bytes())
    assert tables[0] == tables[1] and b"tryon-source.js" in tables[0]


# ---- --web and --csp


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    (folder / "shop").mkdir(parents=True)
    (folder / "index.html").write_text("<script>document.title = 'inline'</script>")
    (folder / "shop" / "index.html").write_text("<p>shop</p>")
    (folder / "page.mjs").write_text("export const a = 1;")
    return folder


def test_pages_of_a_folder_have_no_policy_of_ours(site):
    running = Server(*NO_NAILS, "--web", str(site))
    reply = httpx.get(running.url)
    for name in ("content-security-policy", "permissions-policy", "referrer-policy",
                 "cross-origin-opener-policy"):
        assert name not in reply.headers
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(f"{running.url}/shop/").text == "<p>shop</p>"
    module = httpx.get(f"{running.url}/page.mjs")
    assert module.headers["content-type"].startswith("text/javascript")
    assert "content-security-policy" not in httpx.get(f"{running.url}/nothing").headers
    stopped(running)


def test_our_own_page_keeps_its_policy(server):
    reply = httpx.get(server.url)
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("web", [True, False])
def test_another_policy(site, web):
    policy = "default-src 'self' https://cdn.example; script-src 'unsafe-inline'"
    running = Server(*NO_NAILS, "--csp", policy, *(["--web", str(site)] if web else []))
    for path in ("/", "/healthz", "/nothing.html"):
        assert httpx.get(running.url + path).headers["content-security-policy"] == policy
    stopped(running)


def test_no_policy():
    running = Server(*NO_NAILS, "--csp", "")
    assert "content-security-policy" not in httpx.get(running.url).headers
    stopped(running)


@pytest.mark.parametrize("policy", ["a\r\nSet-Cookie: b=c", "a\nb", "a\tb", "d\xe9f", "a" * 3000])
def test_a_policy_that_is_no_header(policy):
    assert "--csp" in usage_error("--csp", policy)


def test_who_may_frame_the_page():
    running = Server(*NO_NAILS, "--frame-ancestors", "https://Shop.example/", "--frame-ancestors",
                     "*")
    policy = httpx.get(running.url).headers["content-security-policy"]
    assert "frame-ancestors 'self' https://shop.example *;" in policy
    stopped(running)
    assert "pattern" in usage_error("--frame-ancestors", "https://*.shop.example")
    assert "--frame-ancestors" in usage_error("--frame-ancestors", "https://a.example;script-src")


# ---- other origins


@pytest.mark.parametrize("written", ["https://shop.example/", "HTTPS://Shop.Example:443"])
def test_an_origin_in_its_usual_forms(written):
    running = Server(*NO_NAILS, "--allow-origin", written)
    reply = httpx.post(f"{running.url}/api/v1/nails", content=plain(), headers={"Origin": SHOP})
    assert reply.status_code == 200 and reply.headers["access-control-allow-origin"] == SHOP
    for other in ("https://www.shop.example", "http://shop.example", "https://shop.example:8443"):
        assert httpx.post(f"{running.url}/api/v1/nails", content=plain(),
                          headers={"Origin": other}).status_code == 403
    stopped(running)


@pytest.mark.parametrize("written,hint", [
    ("https://shop.example/nails", "https://shop.example"), ("https://*.shop.example", "pattern"),
    ("shop.example", "scheme"), ("https://a.example,https://b.example", "one origin each time")])
def test_an_origin_that_no_browser_sends(written, hint):
    said = usage_error("--allow-origin", written)
    assert written in said and hint in said


@pytest.fixture(scope="module")
def everybody(tmp_path_factory):
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(TOKEN + "\n")
    tokens.chmod(0o600)
    running = Server(*NO_NAILS, "--allow-origin", "*", "--token-file", str(tokens))
    yield running
    stopped(running)


def test_preflight(everybody):
    asked = httpx.options(f"{everybody.url}/api/process_base64", headers={
        **PREFLIGHT,
        "Access-Control-Request-Headers": "authorization,content-type,x-requested-with"})
    assert asked.status_code == 204 and asked.content == b""
    assert "content-length" not in asked.headers
    assert asked.headers["access-control-allow-origin"] == SHOP
    allowed = asked.headers["access-control-allow-headers"].replace(" ", "").split(",")
    assert {"authorization", "content-type", "x-requested-with"} <= set(allowed)
    methods = asked.headers["access-control-allow-methods"].replace(" ", "").split(",")
    assert {"GET", "POST"} <= set(methods)
    plainly = httpx.options(f"{everybody.url}/api/process", headers=PREFLIGHT)
    assert "authorization" in plainly.headers["access-control-allow-headers"]


def test_a_preflight_echoes_nothing_unexpected(everybody):
    asked = httpx.options(f"{everybody.url}/api/process", headers={
        **PREFLIGHT, "Access-Control-Request-Headers": "x-a; <b>"})
    assert asked.status_code == 204 and "<b>" not in str(asked.headers)


def test_a_foreign_page_can_read_responses_and_errors(everybody):
    """Without these headers a page sees a failed request without a reason."""
    mine = {"Origin": SHOP, "Authorization": f"Bearer {TOKEN}"}
    url = everybody.url
    replies = {
        200: httpx.post(f"{url}/api/v1/nails", content=plain(), headers=mine),
        401: httpx.post(f"{url}/api/v1/nails", content=plain(), headers={"Origin": SHOP}),
        404: httpx.get(f"{url}/nothing", headers=mine),
        405: httpx.put(f"{url}/api/v1/nails", content=plain(), headers=mine),
        413: httpx.post(f"{url}/api/v1/nails", content=bytes(17 * 1024 * 1024), headers=mine),
        415: httpx.post(f"{url}/api/process_base64", content=b"x",
                        headers={**mine, "Content-Type": "image/gif"}),
        422: httpx.post(f"{url}/api/v1/nails", content=plain()[:300], headers=mine),
    }
    for status, reply in replies.items():
        assert reply.status_code == status
        assert reply.headers["access-control-allow-origin"] == SHOP, status
        assert "origin" in reply.headers["vary"]
        assert "x-nails" in reply.headers["access-control-expose-headers"]
        # The token's cookie is only for pages of this server.
        assert "access-control-allow-credentials" not in reply.headers


def test_caches_keep_what_other_origins_got_apart(everybody, server):
    """What a browser stored for the server's own page lacks the header that lets a shop's page on
    the same site use it."""
    assert "origin" in httpx.get(f"{everybody.url}/tryon.js").headers["vary"]
    assert "origin" not in httpx.get(f"{server.url}/tryon.js").headers["vary"]


def test_a_foreign_page_can_read_that_the_server_is_full():
    running = Server(*NO_NAILS, "--allow-origin", SHOP, "--max-sessions-per-address", "1")
    poll = f"{running.url}/socket.io/?EIO=4&transport=polling"
    first = httpx.get(poll, headers={"Origin": SHOP})
    assert first.status_code == 200
    assert first.headers["access-control-allow-credentials"] == "true"
    full = httpx.get(poll, headers={"Origin": SHOP})
    assert full.status_code == 429 and full.headers["access-control-allow-origin"] == SHOP
    refused = httpx.options(f"{running.url}/api/process",
                            headers={**PREFLIGHT, "Origin": "https://evil.example"})
    assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers
    stopped(running)


# ---- proxies


PROXY = """
error_log stderr warn; pid {folder}/pid; daemon off; master_process off;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_upgrade $connection_header {{ default upgrade; "" close; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    location /noport/ {{
      proxy_pass http://127.0.0.1:{open}/; proxy_set_header Host $host; {upgrade} }}
    location /nohost/ {{ proxy_pass http://127.0.0.1:{open}/; {upgrade} }}
    location /good/ {{
      proxy_pass http://127.0.0.1:{open}/; proxy_set_header Host $http_host; {upgrade} }}
    location /guarded/ {{
      proxy_pass http://127.0.0.1:{guarded}/; proxy_set_header Host $http_host; {upgrade} }}
  }}
}}
"""
UPGRADE = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_header;"


class Proxied:
    """nginx in the usual configurations, in front of an open and of a guarded server."""

    def __init__(self, folder):
        (folder / "tokens").write_text(TOKEN + "\n")
        (folder / "tokens").chmod(0o600)
        self.open = Server(*NO_NAILS)
        self.guarded = Server(*NO_NAILS, "--token-file", str(folder / "tokens"))
        self.port = free_port()
        config = folder / "nginx.conf"
        config.write_text(PROXY.format(folder=folder, port=self.port, open=self.open.port,
                                       guarded=self.guarded.port, upgrade=UPGRADE))
        self.process = subprocess.Popen([tool("nginx"), "-e", "stderr", "-p", folder, "-c", config],
                                        stderr=subprocess.DEVNULL)
        httpx.Client(transport=httpx.HTTPTransport(retries=8)).get(f"{self.url}/good/healthz")

    @property
    def url(self):
        return f"http://localhost:{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


@pytest.fixture
def proxied(tmp_path):
    running = Proxied(tmp_path)
    yield running
    running.stop()


def test_proxies_that_change_host(proxied):
    def post(way, **headers):
        return httpx.post(f"{proxied.url}/{way}/api/v1/nails", content=plain(),
                          headers=headers).status_code

    for way in ("good", "noport", "nohost"):
        own = {"Origin": proxied.url, "Sec-Fetch-Site": "same-origin"}
        assert post(way, **own) == 200, way
        # A form's own post has no origin if the page's referrer policy is no-referrer.
        assert post(way, **{**own, "Origin": "null"}) == 200
        for site in ("same-site", "cross-site"):
            assert post(way, **{"Origin": "http://localhost:1", "Sec-Fetch-Site": site}) == 403
        assert post(way, Origin="https://evil.example") == 403
    # Without same-origin it may be a page at another port of the same host.
    assert post("good", Origin=proxied.url) == 200
    assert post("noport", Origin=proxied.url) == 403
    assert post("noport", Origin="http://localhost:1") == 403
    said = stopped(proxied.open)
    lines = [line for line in said.splitlines() if f"{proxied.url}, since" in line]
    assert len(lines) == 1, said  # once, however often it happens
    assert "Host is localhost:" in lines[0] and "proxy_set_header Host $http_host" in lines[0]
    assert f"--allow-origin {proxied.url}" in lines[0]


def test_a_refused_socket_is_logged_once(proxied):
    """A browser shows its user no reason, and sends no Sec-Fetch-Site with a WebSocket."""
    for way in ("noport", "nohost", "noport"):
        with pytest.raises(InvalidStatus) as caught:
            connect(f"ws://localhost:{proxied.port}/{way}/ws", origin=proxied.url)
        assert caught.value.response.status_code == 403
    with connect(f"ws://localhost:{proxied.port}/good/ws", origin=proxied.url):
        pass
    said = stopped(proxied.open)
    assert said.count(f"refused a page of {proxied.url}") == 2, said
    assert f"Host is 127.0.0.1:{proxied.open.port}" in said


def test_foreign_pages_do_not_fill_the_log():
    running = Server(*NO_NAILS)
    for i in range(40):
        httpx.post(f"{running.url}/api/v1/nails", content=b"",
                   headers={"Origin": f"http://a{i}.test"})
    assert 1 <= stopped(running).count("refused a page") <= 8


def test_a_token_link_stays_below_its_prefix(proxied):
    with httpx.Client(follow_redirects=True) as browser:
        first = browser.get(f"{proxied.url}/guarded/?token={TOKEN}")
        assert str(first.url) == f"{proxied.url}/guarded/"
        assert first.status_code == 200 and "lacquer-tryon" in first.text
        cookie, = browser.cookies.jar
        assert cookie.path == "/guarded" and not cookie.path_specified
        reply = browser.post(f"{proxied.url}/guarded/api/v1/nails", content=plain())
        assert reply.status_code == 200
        # Other pages on the same host do not receive it.
        assert "cookie" not in browser.get(f"{proxied.url}/good/healthz").request.headers
    for path in (f"shop/?token={TOKEN}", "?token=wrong"):
        assert httpx.get(f"{proxied.url}/guarded/{path}").status_code == 401


def test_socketio_below_a_prefix(proxied):
    client = socketio.Client(reconnection=False)
    client.connect(proxied.url, socketio_path="/good/socket.io", headers={"Origin": proxied.url})
    assert isinstance(client.call("frame", plain(), timeout=30), bytes)
    client.disconnect()
