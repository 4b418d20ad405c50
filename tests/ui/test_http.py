"""What the server says over HTTP, to a browser and to anybody with a client of their own."""

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from arena.errors import DatabaseUnavailable, VoteNotSaved
from served import IDENTITIES, Arena, Serve, ballot_of, skip, vote_on, withdraw

NEW_FIELDS = {"name", "organization", "score", "low", "high", "rank_low", "rank_high"}


def named_in(text: str) -> list[str]:
    """The identities of models that a text gives away."""
    return [word for word in IDENTITIES if word in text.lower()]


def everything(response: httpx.Response) -> str:
    return f"{response.url} {response.headers} {response.text}"


# ---- the cookie ----


def test_a_first_visit_gets_a_cookie_that_no_script_can_read(unchanged_arena: Arena):
    cookie = unchanged_arena.stranger().get("/").headers["set-cookie"]
    assert re.match(r"bakeoff_[0-9a-f]{8}=", cookie)
    assert "; HttpOnly" in cookie
    assert "; Path=/" in cookie
    assert "; Max-Age=31536000" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


@pytest.mark.parametrize(
    ("mode", "attributes"), [("secure", "SameSite=Lax; Secure"), ("embedded", "SameSite=None; Secure; Partitioned")]
)
def test_the_cookie_follows_the_mode(serve: Serve, mode: str, attributes: str):
    assert serve(cookies=mode).stranger().get("/").headers["set-cookie"].endswith(attributes)


def test_a_known_visitor_keeps_the_cookie(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    assert "set-cookie" not in visitor.get("/").headers
    assert "set-cookie" not in visitor.get("/leaderboard").headers


def test_only_pages_give_cookies(unchanged_arena: Arena):
    stranger = unchanged_arena.stranger()
    for path in ("/healthz", "/config", "/ui/ballot.js", "/theme.css", "/nowhere"):
        assert "set-cookie" not in stranger.get(path).headers, path


def test_a_page_with_a_cookie_is_kept_by_no_cache(unchanged_arena: Arena):
    assert unchanged_arena.stranger().get("/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("cookie", [None, "forged", "forged.signature", "é"])
def test_without_a_cookie_of_ours_there_is_no_ballot(unchanged_arena: Arena, cookie: str | None):
    headers = [(b"Cookie", f"bakeoff_voter={cookie}".encode())] if cookie else []
    response = unchanged_arena.stranger().post("/api/ballots", json={}, headers=headers)
    assert (response.status_code, response.json()["error"]) == (403, "no_cookie")


def test_a_forged_cookie_is_replaced(unchanged_arena: Arena):
    response = unchanged_arena.stranger().get("/", headers={"Cookie": "bakeoff_voter=forged.signature"})
    assert "set-cookie" in response.headers


# ---- a ballot and its vote ----


def test_a_ballot_holds_its_texts_and_nothing_else(unchanged_arena: Arena):
    response = unchanged_arena.visitor().post("/api/ballots", json={})
    assert response.headers["cache-control"] == "no-store"
    assert set(response.json()) == {"ballot", "votes", "last"}
    ballot = response.json()["ballot"]
    assert set(ballot) == {"ballot_id", "category", "language", "messages", "answer_a", "answer_b"}
    assert all(set(message) == {"role", "html"} for message in ballot["messages"])
    assert response.json()["votes"] == {"mine": 0, "all": 0}
    assert response.json()["last"] is None


def test_asking_again_gives_the_same_ballot(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    assert ballot_of(visitor) == ballot_of(visitor)


def test_a_vote_is_stored_and_opens_the_names(arena: Arena):
    visitor = arena.visitor()
    response = vote_on(visitor, ballot_of(visitor)["ballot_id"], "both_bad")
    reveal = response.json()
    assert response.status_code == 200
    assert set(reveal) == {"verdict", "a", "b", "others", "votes"}
    assert set(reveal["a"]) == set(reveal["b"]) == NEW_FIELDS
    assert reveal["verdict"] == "both_bad"
    assert named_in(reveal["a"]["name"])
    assert reveal["votes"] == {"mine": 1, "all": 1}
    assert arena.n_votes == 1


def test_the_same_verdict_again_counts_once(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    first, again = vote_on(visitor, ballot_id), vote_on(visitor, ballot_id)
    assert first.json() == again.json()
    assert arena.n_votes == 1


def test_a_race_of_the_same_verdict_counts_once(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: vote_on(visitor, ballot_id), range(24)))
    assert {response.status_code for response in responses} == {200}
    assert arena.n_votes == 1


def test_another_verdict_later_is_refused_without_names(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    vote_on(visitor, ballot_id, "A")
    response = vote_on(visitor, ballot_id, "B")
    assert (response.status_code, response.json()["error"]) == (409, "already_voted")
    assert response.json()["kept"] == "A"
    assert not named_in(everything(response))
    assert arena.n_votes == 1


def test_nobody_votes_on_the_ballot_of_another(unchanged_arena: Arena):
    theirs = ballot_of(unchanged_arena.visitor())["ballot_id"]
    for ballot_id in (theirs, "made-up", "%00", "é", "x" * 3000):
        response = vote_on(unchanged_arena.visitor(), ballot_id)
        assert (response.status_code, response.json()["error"]) == (404, "unknown_ballot"), ballot_id
    assert unchanged_arena.n_votes == 0


def test_what_is_not_there_is_said_in_one_shape(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    for response in (
        visitor.get("/api/ballots"),
        visitor.post("/api/ballots/..%2F../vote", json={}),
        visitor.get("/api/"),
    ):
        assert (response.status_code, response.json()["error"]) == (404, "no_such_address"), response.url


def test_a_ballot_that_was_open_too_long_is_closed(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.clock.now += timedelta(days=1)
    response = vote_on(visitor, ballot_id)
    assert (response.status_code, response.json()["error"]) == (410, "ballot_expired")
    assert arena.n_votes == 0
    assert ballot_of(visitor)["ballot_id"] != ballot_id


def test_who_judged_everything_is_told_so(serve: Serve):
    visitor = serve(n_prompts=1).visitor()
    ballot_id = ""
    for _ in range(3):  # six answers to one prompt: three blind pairs
        ballot_id = ballot_of(visitor)["ballot_id"]
        vote_on(visitor, ballot_id).raise_for_status()
    response = visitor.post("/api/ballots", json={})
    assert (response.status_code, response.json()["error"]) == (404, "no_ballot_left")
    assert not named_in(everything(response))
    # The last vote can still be taken back, and the counts are known.
    assert response.json()["last"] == {"ballot_id": ballot_id, "verdict": "A", "step": None}
    assert response.json()["votes"] == {"mine": 3, "all": 3}
    withdraw(visitor, ballot_id).raise_for_status()
    response = visitor.post("/api/ballots", json={})
    assert (response.json()["last"], response.json()["votes"]) == (None, {"mine": 2, "all": 2})


def test_an_arena_without_answers_says_so(serve: Serve):
    response = serve(n_prompts=0).visitor().post("/api/ballots", json={})
    assert (response.status_code, response.json()["error"]) == (404, "arena_empty")


# ---- withdrawing, skipping, the guideline, the own votes ----


def test_a_withdrawn_vote_is_kept_in_the_log_and_counts_no_more(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    vote_on(visitor, ballot_id, "B")
    response = withdraw(visitor, ballot_id)
    assert response.headers["cache-control"] == "no-store"
    assert (response.status_code, response.json()) == (200, {"verdict": "B", "votes": {"mine": 0, "all": 0}})
    assert arena.n_acts == 2
    assert withdraw(visitor, ballot_id).json() == response.json()
    assert arena.n_acts == 2


def test_a_withdrawn_vote_cannot_be_cast_again_and_names_nobody_again(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    vote_on(visitor, ballot_id, "B")
    withdraw(visitor, ballot_id)
    for verdict in ("A", "B"):
        response = vote_on(visitor, ballot_id, verdict)
        assert (response.status_code, response.json()["error"]) == (410, "vote_withdrawn")
        assert not named_in(everything(response))
    assert skip(visitor, ballot_id).json()["error"] == "vote_withdrawn"


def test_only_the_last_vote_can_be_withdrawn_and_only_by_its_voter(arena: Arena):
    visitor = arena.visitor()
    first = ballot_of(visitor)["ballot_id"]
    assert (withdraw(visitor, first).status_code, withdraw(visitor, first).json()["error"]) == (
        409,
        "nothing_to_withdraw",
    )
    vote_on(visitor, first)
    assert (withdraw(arena.visitor(), first).status_code, withdraw(visitor, "made-up").status_code) == (404, 404)
    second = ballot_of(visitor)["ballot_id"]
    vote_on(visitor, second)
    refused = withdraw(visitor, first)
    assert (refused.status_code, refused.json()["error"]) == (410, "too_late_to_withdraw")
    assert not named_in(everything(refused))
    assert arena.n_acts == 2


def test_the_next_ballot_says_which_vote_can_still_be_withdrawn(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    vote_on(visitor, ballot_id, "tie")
    told = visitor.post("/api/ballots", json={})
    assert told.json()["last"] == {"ballot_id": ballot_id, "verdict": "tie", "step": None}
    assert not named_in(everything(told))
    withdraw(visitor, ballot_id)
    assert visitor.post("/api/ballots", json={}).json()["last"] is None


def test_racing_withdrawals_over_http_store_one(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    vote_on(visitor, ballot_id)
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: withdraw(visitor, ballot_id), range(16)))
    assert {response.status_code for response in responses} == {200}
    assert arena.n_acts == 2


def test_a_skip_reveals_nobody_and_brings_another_ballot(arena: Arena):
    visitor = arena.visitor()
    ballot = ballot_of(visitor)
    response = skip(visitor, ballot["ballot_id"], "too_alike")
    assert (response.status_code, response.json()) == (200, {"ballot_id": ballot["ballot_id"]})
    assert skip(visitor, ballot["ballot_id"], "broken").status_code == 200  # a lost answer may be asked for again
    assert not named_in(everything(response))
    assert ballot_of(visitor)["ballot_id"] != ballot["ballot_id"]
    refused = vote_on(visitor, ballot["ballot_id"])
    assert (refused.status_code, refused.json()["error"]) == (410, "ballot_skipped")
    assert arena.n_acts == 0


def test_what_cannot_be_skipped_is_refused(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    assert skip(arena.visitor(), ballot_id).status_code == 404
    for reason in ("", "boring", 1, None):
        refused = skip(visitor, ballot_id, reason)
        assert (refused.status_code, refused.json()["error"]) == (422, "not_a_skip")
        assert "cannot_judge" in refused.json()["accepted"]
    extra = visitor.post(f"/api/ballots/{ballot_id}/skip", json={"reason": "other", "model": "zzz-echo"})
    assert extra.status_code == 422
    assert "zzz-echo" not in extra.text
    assert visitor.post(f"/api/ballots/{ballot_id}/withdrawal", json={"why": "zzz-echo"}).status_code == 422
    vote_on(visitor, ballot_id)
    assert (skip(visitor, ballot_id).status_code, skip(visitor, ballot_id).json()["kept"]) == (409, "A")


def test_an_arena_that_offers_neither_refuses_both_and_shows_neither(serve: Serve):
    arena = serve(rules="[ballot]\nskip = false\nundo = false\n")
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    assert (skip(visitor, ballot_id).status_code, skip(visitor, ballot_id).json()["error"]) == (403, "not_offered")
    vote_on(visitor, ballot_id)
    assert (withdraw(visitor, ballot_id).status_code, arena.n_acts) == (403, 1)
    assert visitor.post("/api/ballots", json={}).json()["last"] is None
    page = visitor.get("/").text
    assert "skip-sheet" not in page
    assert "arena.undo" not in page.split("bakeoff-texts")[0]


def test_the_guideline_can_be_read_beside_the_ballot(arena: Arena, serve: Serve):
    told = arena.stranger().get("/api/guideline").json()
    assert told["version"] == "3"
    assert "<strong>rather</strong>" in told["html"]
    none = serve(guideline_text=None, guideline_version=None).stranger().get("/api/guideline").json()
    assert none == {"version": None, "html": None}


def test_a_voter_sees_the_own_votes_and_nothing_of_others(arena: Arena):
    other, visitor = arena.visitor(), arena.visitor()
    for _ in range(3):
        vote_on(other, ballot_of(other)["ballot_id"])
    assert visitor.get("/api/me").json() == {"models": [], "recent": [], "votes": {"mine": 0, "all": 3}}
    ballot = ballot_of(visitor)
    reveal = vote_on(visitor, ballot["ballot_id"], "A").json()
    told = visitor.get("/api/me")
    assert told.headers["cache-control"] == "no-store"
    assert [(each["name"], each["won"], each["n"], each["share"]) for each in told.json()["models"]] == [
        (reveal["a"]["name"], 1, 1, 1.0),
        (reveal["b"]["name"], 0, 1, 0.0),
    ]
    [vote] = told.json()["recent"]
    assert (vote["verdict"], vote["a"], vote["b"]) == ("A", reveal["a"]["name"], reveal["b"]["name"])
    withdraw(visitor, ballot["ballot_id"])
    assert visitor.get("/api/me").json()["models"] == []
    assert arena.stranger().get("/api/me").status_code == 403


def test_how_others_voted_is_told_after_the_vote_when_enough_did(serve: Serve):
    arena = serve(rules="[ballot]\nshow_others_from = 1\n")
    arena.crowd(12)
    arena.compute_board()
    visitor = arena.visitor()
    others = None
    while others is None:
        others = vote_on(visitor, ballot_of(visitor)["ballot_id"]).json()["others"]
    assert others["n"] >= 1
    assert others == {"n": others["n"], "a": 0, "b": 0, "neither": others["n"]}  # the crowd casts ties


# ---- what is refused ----


@pytest.mark.parametrize(
    "body",
    [
        '{"verdict": "left"}',
        '{"verdict": "a"}',
        '{"verdict": "TIE"}',
        '{"verdict": 1}',
        '{"verdict": null}',
        '{"verdict": ["A"]}',
        '{"verdict": {"A": 1}}',
        '{"verdict": "A", "model_a": "zzz-echo"}',
        '{"verdict": "zzz-echo"}',
        "{}",
        "[]",
        '"A"',
        "",
        "not json",
        "[" * 4000,
        "\x00",
    ],
)
def test_what_is_no_verdict_is_refused_calmly(unchanged_arena: Arena, body: str):
    visitor = unchanged_arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    response = visitor.post(
        f"/api/ballots/{ballot_id}/vote", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert set(response.json()) - {"accepted"} == {"error", "message"}
    assert "zzz-echo" not in response.text
    assert "pydantic" not in response.text
    assert unchanged_arena.n_votes == 0


def test_bytes_that_are_no_text_are_refused_calmly(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    url = f"/api/ballots/{ballot_of(visitor)['ballot_id']}/vote"
    response = visitor.post(url, content=b'{"verdict": "\xff\xfe"}', headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert set(response.json()) == {"error", "message"}


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_longer_than_a_vote_is_refused(unchanged_arena: Arena, is_chunked: bool):
    visitor = unchanged_arena.visitor()
    url = f"/api/ballots/{ballot_of(visitor)['ballot_id']}/vote"
    body = json.dumps({"verdict": "A"}).encode().ljust(4097)
    content = iter([body[:2000], body[2000:]]) if is_chunked else body
    response = visitor.post(url, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]) == (413, "too_large")
    assert unchanged_arena.n_votes == 0


def test_a_body_of_just_four_kilobytes_is_read(arena: Arena):
    visitor = arena.visitor()
    url = f"/api/ballots/{ballot_of(visitor)['ballot_id']}/vote"
    body = json.dumps({"verdict": "A"}).encode().ljust(4096)
    assert visitor.post(url, content=body, headers={"Content-Type": "application/json"}).status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_only_json_is_understood(unchanged_arena: Arena, media_type: str):
    response = unchanged_arena.visitor().post("/api/ballots", content="{}", headers={"Content-Type": media_type})
    assert (response.status_code, response.json()["error"]) == (415, "not_json")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
def test_another_site_cannot_vote_for_its_visitors(unchanged_arena: Arena, origin: str):
    response = unchanged_arena.visitor().post("/api/ballots", json={}, headers={"Origin": origin})
    assert (response.status_code, response.json()["error"]) == (403, "other_site")


def test_our_own_pages_may_vote(unchanged_arena: Arena):
    assert (
        unchanged_arena.visitor().post("/api/ballots", json={}, headers={"Origin": unchanged_arena.url}).status_code
        == 200
    )


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "https://[x]y]"])
def test_an_origin_that_is_no_address_is_another_site_and_no_fault(unchanged_arena: Arena, origin: str):
    response = unchanged_arena.visitor().post("/api/ballots", json={}, headers={"Origin": origin})
    assert (response.status_code, response.json()["error"]) == (403, "other_site")
    assert "content-security-policy" in response.headers


def test_a_proxy_that_ends_tls_is_no_other_site(unchanged_arena: Arena):
    headers = {"Origin": "https://arena.example", "Host": "arena.example"}
    assert unchanged_arena.visitor().post("/api/ballots", json={}, headers=headers).status_code in (200, 403)
    response = unchanged_arena.visitor().post("/api/ballots", json={}, headers=headers)
    assert response.json().get("error") != "other_site"


# ---- faults ----


def test_a_vote_that_was_not_saved_is_said_and_may_be_sent_again(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.fail_to_save()
    response = vote_on(visitor, ballot_id)
    assert (response.status_code, response.json()["error"]) == (503, "not_saved")
    assert not named_in(everything(response))
    arena.booth.fault = None
    assert vote_on(visitor, ballot_id).status_code == 200
    assert arena.n_votes == 1


@pytest.mark.parametrize(
    ("fault", "status", "word"),
    [
        (DatabaseUnavailable("cannot read /srv/quillon.duckdb"), 503, "unavailable"),
        (RuntimeError("upstream 404: model quillon-9b not found"), 500, "internal"),
    ],
)
def test_no_text_of_an_error_reaches_the_browser(arena: Arena, fault: Exception, status: int, word: str):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.fault = fault
    response = vote_on(visitor, ballot_id)
    assert (response.status_code, response.json()["error"]) == (status, word)
    assert not named_in(everything(response))
    assert "content-security-policy" in response.headers


def test_an_address_with_a_line_break_writes_no_line_of_its_own_into_the_log(
    arena: Arena, caplog: pytest.LogCaptureFixture
):
    visitor = arena.visitor()
    for fault in (RuntimeError("the very reason"), VoteNotSaved("the disk is full")):
        arena.booth.fault = fault
        assert vote_on(visitor, "x%0aCRITICAL%20all%20votes%20are%20lost").status_code >= 500
    assert len(caplog.records) >= 2
    assert [each.getMessage() for each in caplog.records if "\n" in each.getMessage()] == []


def test_an_unexpected_fault_is_logged_with_its_traceback(arena: Arena, caplog: pytest.LogCaptureFixture):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.fault = RuntimeError("the very reason")
    vote_on(visitor, ballot_id)
    assert "the very reason" in caplog.text
    assert "Traceback" in caplog.text


def test_a_stored_vote_does_not_look_lost_because_it_cannot_be_counted(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.counting_fault = DatabaseUnavailable("cannot read")
    response = vote_on(visitor, ballot_id)
    assert response.status_code == 200
    assert response.json()["votes"] is None
    assert arena.n_votes == 1


# ---- blindness, and what else a curious client can reach ----


def test_no_byte_before_the_vote_names_a_model(arena: Arena):
    for visitor in (arena.visitor(), arena.visitor()):  # the second one comes when there is a board
        seen = [visitor.get(path) for path in ("/", "/config", "/gradio_api/info", "/guidelines", "/leaderboard")]
        seen += [
            visitor.get(path) for path in ("/config?page=leaderboard", "/openapi.json", "/gradio_api/openapi.json")
        ]
        scripts = re.findall(r'(?:src|href)="(\./ui/[^"]+)"', seen[0].text)
        assert len(scripts) == 8
        seen += [visitor.get(path.removeprefix(".")) for path in scripts]
        seen += [visitor.get("/api/me"), visitor.get("/api/guideline"), visitor.post("/api/ballots", json={})]
        ballot_id = seen[-1].json()["ballot"]["ballot_id"]
        seen += [
            vote_on(visitor, ballot_id, "left"),
            vote_on(visitor, "another"),
            visitor.get(f"/api/ballots/{ballot_id}"),
            visitor.post(f"/api/ballots/{ballot_id}/withdrawal", json={}),
            skip(visitor, ballot_id, "because"),
            skip(visitor, ballot_id),
            vote_on(visitor, ballot_id),
            visitor.post("/api/ballots", json={}),
        ]
        for response in seen:
            assert not named_in(everything(response)), response.url
        assert not named_in(str(visitor.cookies))
        ballot = seen[-1].json()["ballot"]
        assert "77" not in json.dumps(ballot).replace(ballot["ballot_id"], "")  # the tokens that an answer took
        for _ in range(4):
            vote_on(visitor, ballot_of(visitor)["ballot_id"])
        arena.compute_board()


def test_a_ballot_id_tells_nothing(unchanged_arena: Arena):
    ids = [ballot_of(unchanged_arena.visitor())["ballot_id"] for _ in range(20)]
    assert len(set(ids)) == 20
    assert all(re.fullmatch(r"[\w-]{22}", ballot_id) for ballot_id in ids)  # 128 random bits


def test_every_response_carries_safe_headers(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    responses = [
        visitor.get(path) for path in ("/", "/leaderboard", "/healthz", "/ui/style.css", "/config", "/nowhere")
    ]
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


def test_the_timer_computes_the_board_when_votes_come_in(arena: Arena):
    visitor = arena.visitor()
    for _ in range(5):
        vote_on(visitor, ballot_of(visitor)["ballot_id"])
    deadline = time.monotonic() + 30
    while arena.job.latest() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert arena.job.latest() is not None


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
    rate_every_seconds, rate_every_votes = 60.0, 3
    class booth: n_acts, rules, labels = None, BallotRules(), LabelRules()
    class calibration: examples = ()
    class job: latest = None
before = threading.active_count()
app = fastapi.FastAPI(openapi_url=None)
_mount_pages(app, _build_pages(Site, Frame("t", None)))
time.sleep(0.5)
print([address for address in seen if "127.0.0.1" not in address and "localhost" not in address])
"""


def test_starting_contacts_nobody():
    run = subprocess.run([sys.executable, "-c", _WATCHED], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "[]"
