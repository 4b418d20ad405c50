"""What the server shows to everybody: heads, assets, doors that are shut; and that it asks nobody outside."""

import re
import subprocess
import sys

import httpx
import pytest

from served import Arena, Serve

NEW_FIELDS = {"name", "organization", "score", "low", "high", "rank_low", "rank_high"}


def test_every_response_carries_safe_headers(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    responses = [visitor.get(path) for path in ("/", "/leaderboard", "/healthz", "/ui/style.css", "/api", "/nowhere")]
    responses += [visitor.post("/api/ballots", json={}), visitor.post("/api/ballots", content="x" * 5000)]
    for response in responses:
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "img-src 'self' data: blob:;" in policy
        assert policy.endswith("frame-ancestors 'self'")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "permissions-policy" in response.headers
        assert "server" not in response.headers


def test_headers_are_safe_also_of_what_is_refused_or_is_not_there(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    asked = [("GET", path) for path in ("/leaderboard/", "/gradio_api/info", "/api", "/api/me", "/static/x", "/ui/x")]
    asked += [("POST", "/"), ("PUT", "/api/me"), ("DELETE", "/ui/style.css"), ("OPTIONS", "/"), ("TRACE", "/")]
    for method, path in asked:
        headers = visitor.request(method, path).headers
        assert "default-src 'self'" in headers["content-security-policy"], (method, path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert "strict-transport-security" not in headers  # over http a browser ignores it, and it would be no truth


def test_what_is_not_gradio_s_allows_no_script_in_its_text(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    for path in ("/api", "/api/leaderboard", "/ui/ballot.js", "/healthz", "/login", "/host", "/login/provider"):
        policy = visitor.get(path).headers["content-security-policy"]
        assert "script-src 'self';" in policy, path
    assert "'unsafe-eval'" in visitor.get("/").headers["content-security-policy"]


@pytest.mark.parametrize(("mode", "framing"), [("secure", "SAMEORIGIN"), ("embedded", None)])
def test_a_secure_arena_says_so_and_only_the_hub_s_frame_is_let_be(serve: Serve, mode: str, framing: str | None):
    client = serve(cookies=mode).stranger()
    for path in ("/", "/api/me", "/nowhere"):
        headers = client.get(path).headers
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert headers.get("x-frame-options") == framing


def test_only_an_embedded_arena_may_be_framed_by_the_hub(serve: Serve):
    policy = serve(cookies="embedded").stranger().get("/").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://huggingface.co")


def test_healthz_answers(unchanged_arena: Arena):
    response = unchanged_arena.stranger().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_assets_may_be_kept_because_their_address_is_their_content(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    address = re.findall(r'href="\.(/ui/style\.css\?v=[0-9a-f]{12})"', visitor.get("/").text)[0]
    assert "immutable" in visitor.get(address).headers["cache-control"]
    assert visitor.get("/ui/style.css").headers["cache-control"] == "no-cache"


def test_assets_are_three_files_and_no_way_out(unchanged_arena: Arena):
    for path in ("/ui/../app.py", "/ui/%2e%2e/app.py", "/ui/", "/ui/nothing"):
        assert unchanged_arena.visitor().get(path).status_code == 404, path


def test_gradio_keeps_its_own_doors_shut(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    assert visitor.get("/monitoring").status_code in (403, 404)
    assert visitor.get("/gradio_api/monitoring/summary").status_code in (403, 404)
    assert visitor.post("/gradio_api/run/show_board", json={"data": []}).status_code != 200
    try:
        upload = visitor.post("/gradio_api/upload", files={"files": ("x.txt", b"some bytes")})
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        return  # refused before its body was read: the connection may be reset before the answer has come
    assert upload.status_code != 200


def test_the_pages_say_their_names_in_the_html_itself(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    for path, name in {"/": "Arena", "/leaderboard": "Leaderboard", "/guidelines": "Guidelines"}.items():
        page = visitor.get(path)
        assert f"<title>{name} · Testing ground</title>" in page.text
        assert len(page.content) == int(page.headers["content-length"])


def test_a_compressing_client_gets_the_same_head(unchanged_arena: Arena):
    page = unchanged_arena.visitor().get("/", headers={"Accept-Encoding": "br, gzip"})
    assert "/ui/ballot.js" in page.text


_WATCHED = """
import sys
seen = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        seen.append(str(arguments[-1] if event == "socket.connect" else arguments[0]))
sys.addaudithook(watch)
import arena.ui.app, arena.ui.api
import gradio as gr, fastapi, threading, time
from arena.ui.app import _build_pages, _mount_pages
from arena.ui.page import Frame
from arena.labels import LabelRules
from arena.rules import BallotRules
class Site:
    title, welcome, guideline_text = "t", "w", None
    class booth: n_acts, rules, labels, consent = None, BallotRules(), LabelRules(), None
    class calibration: examples = ()
    class job: latest = None
    live = None
before = threading.active_count()
app = fastapi.FastAPI(openapi_url=None)
_mount_pages(app, _build_pages(Site, Frame("t", None)))
time.sleep(0.5)
print([address for address in seen if "127.0.0.1" not in address and "localhost" not in address])
"""


def test_starting_contacts_nobody():
    run = subprocess.run([sys.executable, "-c", _WATCHED], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "[]"
