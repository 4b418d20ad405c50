"""What the server says over HTTP, to a browser and to anybody with a client of their own."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from served import Arena, Serve, ballot_of, everything, named_in, skip, vote_on, withdraw

NEW_FIELDS = {"name", "organization", "score", "low", "high", "rank_low", "rank_high"}


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
    for path in ("/healthz", "/api/openapi.json", "/ui/ballot.js", "/theme.css", "/nowhere"):
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


# ---- blindness ----


def test_no_byte_before_the_vote_names_a_model(arena: Arena):
    for visitor in (arena.visitor(), arena.visitor()):  # the second one comes when there is a board
        seen = [visitor.get(path) for path in ("/", "/leaderboard", "/analysis", "/model", "/quality", "/guidelines")]
        for page in seen:  # what Gradio tells the browser of a page stands in it
            assert page.status_code == 200
            assert "window.gradio_config = {" in page.text
        seen += [visitor.get(path) for path in ("/api", "/api/openapi.json", "/config", "/gradio_api/info")]
        scripts = re.findall(r'(?:src|href)="(\./ui/[^"]+)"', seen[0].text)
        assert len(scripts) == 9
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
    assert len({ballot_id[:4] for ballot_id in ids}) > 1


# ---- the board ----


def test_the_timer_computes_the_board_when_votes_come_in(arena: Arena):
    visitor = arena.visitor()
    for _ in range(5):
        vote_on(visitor, ballot_of(visitor)["ballot_id"])
    deadline = time.monotonic() + 30
    while arena.job.latest() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert arena.job.latest() is not None
