"""No person at rest or in logs: whatever a browser says of itself leaves no trace but the vote."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from arena.pack import starter_directory
from command import bakeoff
from ground import ROOT

# What a browser, a proxy or a login before us may say of a person; each value occurs nowhere else.
PERSON = {
    "User-Agent": "Marker-Agent/7.1 (Tamsin's own machine)",
    "X-Forwarded-For": "203.0.113.77, 198.51.100.9",
    "Forwarded": "for=203.0.113.78;host=marker-host",
    "X-Real-IP": "203.0.113.79",
    "Referer": "https://marker-referrer.example/from/tamsin",
    "Accept-Language": "sv-x-markerlang, de;q=0.3",
    "Authorization": "Bearer marker-token-of-tamsin",
    "X-Forwarded-User": "marker-tamsin",
    "X-Forwarded-Email": "marker-tamsin@example.org",
    "X-Remote-User": "marker-remote-user",
    "X-HF-User": "marker-hub-user",
}
MARKERS = ("arker-", "markerlang", "203.0.113.7", "198.51.100.9", "tamsin", "Tamsin")
COMMENT = "the word zyzzyva, which only I would use"
WITHDRAWN = "the word syzygy, which I took back"

RULES = """[labels]
comment = true
[consent]
version = "1"
license = "cc0-1.0"
purpose = "both"
text = "May we?"
"""

# The real server, with every logger as loud as it gets, and a fault that nobody foresaw in one act.
LOUD = f"""
import logging, sys
sys.path.insert(0, {str(ROOT)!r})
logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
logging.getLogger("PIL").setLevel(logging.INFO)
from pathlib import Path
from arena.settings import Settings
from arena.ui import server
from arena.voting import Booth
skip = Booth.skip
def broken(self, ballot_id, reason, voter_id, now):
    if reason.value == "broken":
        raise RuntimeError("nobody foresaw this")
    return skip(self, ballot_id, reason, voter_id, now)
Booth.skip = broken
server.serve(Settings(database=Path(sys.argv[1]), pack=Path(sys.argv[2]), port=0, rate_after_votes=1), lambda _: {{}})
"""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """The arena of a folder; what it says goes to a file beside its database."""
    with (folder / "said.log").open("ab") as said:
        before = (folder / "said.log").stat().st_size
        with subprocess.Popen(
            [sys.executable, "-c", LOUD, str(folder / "arena.duckdb"), str(folder / "pack")], stdout=said, stderr=said
        ) as server:
            try:
                while True:
                    text = (folder / "said.log").read_bytes()[before:].decode()
                    if found := re.search(r"http://127\.0\.0\.1:\d+", text):
                        break
                    assert server.poll() is None, text
                yield found[0]
            finally:
                server.terminate()
                server.wait(60)


def holding(folder: Path, *words: str) -> set[tuple[str, str]]:
    return {
        (path.name, word)
        for path in folder.rglob("*")
        if path.is_file()
        for word in words
        if word.encode() in path.read_bytes()
    }


def visit(url: str) -> httpx.Client:
    """Everything that a voter can do, and much that one cannot."""
    me = httpx.Client(base_url=url, headers=PERSON, trust_env=False, timeout=60)

    def ballot() -> str:
        return me.post("/api/ballots", json={}).raise_for_status().json()["ballot"]["ballot_id"]

    def vote(comment: str) -> str:
        ballot_id = ballot()
        labels = {"labels": {"comment": comment}}
        me.post(f"/api/ballots/{ballot_id}/vote", json={"verdict": "A"} | labels).raise_for_status()
        return ballot_id

    for page in ("/", "/leaderboard", "/analysis", "/model", "/guidelines", "/config", "/api", "/gradio_api/info"):
        me.get(page)
    for given in (False, True):
        me.post("/api/me/consent", json={"version": "1", "given": given}).raise_for_status()
    vote(COMMENT)
    me.post(f"/api/ballots/{vote(WITHDRAWN)}/withdrawal", json={}).raise_for_status()
    assert me.post(f"/api/ballots/{ballot()}/skip", json={"reason": "broken"}).status_code == 500
    me.post(f"/api/ballots/{ballot()}/skip", json={"reason": "other"}).raise_for_status()
    for path in (
        "/api/me",
        "/api/me/votes",
        "/api/me/consent",
        "/api/leaderboard",
        "/api/analysis",
        "/healthz",
        "/api/guideline",
    ):
        me.get(path)
    # What is refused: unknown, forged, misshapen, too large, and what no route foresees.
    assert me.get("/api/marker-path-tamsin?who=marker-query").status_code == 404
    assert me.post("/api/ballots/marker-id/vote", json={"verdict": "A"}).status_code == 404
    assert me.post("/api/ballots/x/vote", json={"verdict": "marker-verdict"}).status_code == 422
    for media_type in ("text/plain", "application/json"):
        # On connections of their own: the server may close them before it has read all of it.
        with contextlib.suppress(httpx.TransportError):
            huge = {"content": b'{"marker-' * 90_000, "headers": PERSON | {"Content-Type": media_type}}
            assert httpx.post(f"{url}/api/ballots/x/vote", trust_env=False, timeout=60, **huge).status_code in (
                413,
                415,
            )
    assert me.post("/api/ballots", content=b'{"marker-', headers={"Content-Type": "application/json"}).status_code
    with contextlib.suppress(httpx.TransportError):  # no method that HTTP knows
        httpx.request("BREW", f"{url}/api/ballots", headers=PERSON, trust_env=False)
    assert me.delete("/api/ballots").status_code in (404, 405)
    me.get("/gradio_api/file=marker-file")
    with contextlib.suppress(httpx.TransportError):
        joined = {"data": ["marker-data"], "fn_index": 9999, "session_hash": "marker-hash"}
        httpx.post(f"{url}/gradio_api/queue/join", json=joined, headers=PERSON, trust_env=False, timeout=60)
    me.get("/marker-page-tamsin")
    me.get("/api/me", headers={"Cookie": "bakeoff_0=marker-cookie-tamsin"})
    return me


def test_of_a_whole_visit_only_the_vote_is_found_and_after_its_withdrawal_not_even_the_comment(tmp_path: Path):
    shutil.copytree(starter_directory(), tmp_path / "pack")
    (tmp_path / "pack" / "arena.toml").write_text(RULES)
    with running(tmp_path) as url, contextlib.closing(visit(url)) as me:
        assert COMMENT in me.get("/api/me/votes").text
    cookie = next(iter(me.cookies.values()))
    export = tmp_path / "export"
    assert bakeoff("export", "--db", tmp_path / "arena.duckdb", "--out", export).code == 0
    board = tmp_path / "board.json"
    bakeoff("rate", "--db", tmp_path / "arena.duckdb", "--json", "--out", board)
    assert holding(tmp_path, *MARKERS, cookie, cookie.split(".")[0]) == set()
    assert holding(tmp_path, COMMENT, WITHDRAWN) == {("arena.duckdb", COMMENT)}
    said = (tmp_path / "said.log").read_text()
    assert "nobody foresaw this" in said  # faults are told
    assert "127.0.0.1:" not in re.sub(r"http://127\.0\.0\.1:\d+", "", said)  # and nobody's address is

    with running(tmp_path) as url, httpx.Client(base_url=url, headers=PERSON, trust_env=False, timeout=60) as again:
        again.cookies.update(me.cookies)
        assert again.post("/api/me/withdrawal", json={"all": True}).json()["n_withdrawn"] == 1
        assert [vote.get("labels") for vote in again.get("/api/me/votes").json()["votes"]] == [None, None]
    assert bakeoff("export", "--db", tmp_path / "arena.duckdb", "--out", export).code == 0
    assert holding(tmp_path, *MARKERS, cookie, COMMENT, WITHDRAWN) == set()
    assert json.loads((export / "manifest.json").read_text())["n_votes"] == 2
