"""A voter's own data over HTTP and on the page: all of it can be downloaded, and all votes can be taken back."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from arena.battle import Verdict, VoterId
from arena.errors import DatabaseUnavailable
from served import IDENTITIES, MODELS, Arena, Serve, ballot_of, in_state, open_arena, skip, vote_on, withdraw

COMMENTING = "[labels]\ncomment = true\n"


def say(client, ballot_id: str, comment: str):
    return client.post(f"/api/ballots/{ballot_id}/vote", json={"verdict": "A", "labels": {"comment": comment}})


def withdraw_all(client, body: object = None):
    return client.post("/api/me/withdrawal", json={"all": True} if body is None else body)


def test_a_voter_downloads_all_that_is_kept(serve: Serve):
    arena = serve(rules=COMMENTING)
    me = arena.visitor()
    first = ballot_of(me)["ballot_id"]
    names = say(me, first, "so much clearer").json()
    withdrawn = ballot_of(me)["ballot_id"]
    say(me, withdrawn, "a slip")
    withdraw(me, withdrawn)
    skip(me, ballot_of(me)["ballot_id"], "too_alike")
    ballot_of(me)
    response = me.get("/api/me/votes")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-disposition"] == 'attachment; filename="bakeoff-votes.json"'
    assert response.headers["cache-control"] == "no-store"
    told = response.json()
    assert list(told) == [
        "about",
        "votes",
        "ballots_without_vote",
        "lists",
        "worked_examples",
        "authors_seen_on_pages",
        "consents",
    ]
    taken_back, kept = told["votes"]
    assert kept["verdict"] == "A"
    assert kept["labels"] == {"comment": "so much clearer"}
    assert (kept["model_a"], kept["model_b"]) == (names["a"]["name"], names["b"]["name"])
    assert kept["prompt"][-1]["role"] == "user"
    assert len(kept["answer_a"]) > 0
    assert "withdrawn_at" not in kept
    assert taken_back["withdrawn_at"] == arena.clock.now.isoformat()
    assert "a slip" not in response.text
    assert {ballot.get("reason") for ballot in told["ballots_without_vote"]} == {None, "too_alike"}
    assert "No name" in told["about"]


def test_a_download_names_nobody_who_was_not_named_before(arena: Arena):
    me = arena.visitor()
    ballot_of(me)
    text = me.get("/api/me/votes").text.lower()
    assert not [word for word in IDENTITIES if word in text]
    names = vote_on(me, ballot_of(me)["ballot_id"]).json()
    ballot_of(me)
    text = me.get("/api/me/votes").text
    told = {model.name for model in MODELS if json.dumps(model.name, ensure_ascii=False) in text}
    assert told == {names["a"]["name"], names["b"]["name"]}


def test_a_stranger_gets_nothing_and_another_voter_the_own_votes_only(serve: Serve):
    arena = serve(rules=COMMENTING)
    me, other, nobody = arena.visitor(), arena.visitor(), arena.stranger()
    say(me, ballot_of(me)["ballot_id"], "my very own words")
    assert nobody.get("/api/me/votes").status_code == 403
    assert withdraw_all(nobody).status_code == 403
    ballot_of(me)
    somebody, [answer, *_] = VoterId("somebody"), arena.store.catalogue.current_answers().values()
    arena.store.exposures.add(somebody, [answer], arena.clock.now)
    arena.store.calibrations.add(somebody, "3", [1], Verdict.A, arena.clock.now)
    assert {part: told for part, told in other.get("/api/me/votes").json().items() if part != "about"} == {
        "votes": [],
        "ballots_without_vote": [],
        "lists": [],
        "worked_examples": [],
        "authors_seen_on_pages": [],
        "consents": [],
    }
    assert withdraw_all(other).json() == {"n_withdrawn": 0, "votes": {"mine": 0, "all": 1}}
    assert "my very own words" in me.get("/api/me/votes").text
    assert arena.n_votes == 1


def test_all_votes_are_withdrawn_over_http(serve: Serve):
    arena = serve(rules=f"{COMMENTING}[ballot]\nundo = false\n")
    me = arena.visitor()
    for n in range(3):
        say(me, ballot_of(me)["ballot_id"], f"zyzzyva {n}")
    open_one = ballot_of(me)["ballot_id"]
    assert withdraw_all(me).json() == {"n_withdrawn": 3, "votes": {"mine": 0, "all": 0}}
    assert withdraw_all(me).json()["n_withdrawn"] == 0
    assert ballot_of(me)["ballot_id"] == open_one
    assert "zyzzyva" not in me.get("/api/me/votes").text
    assert len(me.get("/api/me/votes").json()["votes"]) == 3
    assert arena.store.log.broken_links() == []


@pytest.mark.parametrize("body", [{}, {"all": False}, {"all": "true"}, {"all": True, "voter": "x"}, []])
def test_only_a_clear_word_withdraws_all(arena: Arena, body: object):
    me = arena.visitor()
    vote_on(me, ballot_of(me)["ballot_id"])
    assert withdraw_all(me, body).status_code == 422
    assert arena.n_votes == 1


def test_another_site_cannot_withdraw_all(arena: Arena):
    me = arena.visitor()
    vote_on(me, ballot_of(me)["ballot_id"])
    response = me.post("/api/me/withdrawal", json={"all": True}, headers={"Origin": "https://elsewhere.example"})
    assert response.status_code == 403
    assert arena.n_votes == 1


def test_a_voter_whose_cookie_is_older_than_the_key_stays_the_same(serve: Serve):
    from arena.voter import VoterKey  # noqa: PLC0415

    old, new = (f"a secret of at least {n} bytes".encode() for n in ("sixteen", "eighteen"))
    before = serve(voter_key=VoterKey(old))
    me = before.visitor()
    vote_on(me, ballot_of(me)["ballot_id"])
    after = serve(voter_key=VoterKey(new, old), earlier=before)
    returned, newcomer = after.stranger(), after.visitor()
    returned.cookies.update(me.cookies)
    assert "set-cookie" not in returned.get("/").headers
    assert len(returned.get("/api/me/votes").json()["votes"]) == 1
    assert list(newcomer.cookies) == [VoterKey(new).cookie_name]
    dropped = serve(voter_key=VoterKey(new), earlier=before).stranger()
    dropped.cookies.update(me.cookies)
    assert dropped.get("/api/me/votes").status_code == 403
    assert "set-cookie" in dropped.get("/").headers


# ---- on the page ----


def test_a_voter_downloads_and_withdraws_all_by_keys(desktop: BrowserContext, serve: Serve, tmp_path: Path):
    arena = serve()
    page = open_arena(desktop, arena)
    for _ in range(2):
        page.keyboard.press("a")
        in_state(page, "revealed")
        page.keyboard.press("Enter")
        in_state(page, "voting")
    page.keyboard.press("m")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download all of it").press("Enter")
    downloading.value.save_as(tmp_path / "mine.json")
    assert downloading.value.suggested_filename == "bakeoff-votes.json"
    assert len(json.loads((tmp_path / "mine.json").read_text())["votes"]) == 2

    page.get_by_role("button", name="Withdraw all my votes").press("Enter")
    keep = page.get_by_role("button", name="Keep my votes")
    expect(keep).to_be_focused()
    expect(page.get_by_role("group", name="Your 2 votes will count no more")).to_be_visible()
    keep.press("Enter")
    expect(page.get_by_role("button", name="Withdraw all my votes")).to_be_focused()
    assert arena.n_votes == 2

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    status = page.locator(".own-data [role=status]")
    expect(status).to_have_text("2 votes are withdrawn and count no more.")
    expect(status).to_be_focused()
    expect(page.locator("#mine-sheet .withdrawn")).to_have_count(2)
    expect(page.get_by_role("button", name="Withdraw all my votes")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#aside")).to_have_text("0 votes by you · 0 in all")
    expect(page.locator("#undo_last")).to_be_hidden()
    page.keyboard.press("b")  # and on it goes
    in_state(page, "revealed")
    assert arena.n_votes == 1


def test_a_withdrawal_that_failed_is_shown_and_can_be_tried_again(
    desktop: BrowserContext, arena: Arena, monkeypatch: pytest.MonkeyPatch
):
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "revealed")

    def fail(*_: object) -> int:
        raise DatabaseUnavailable("the disk is full of Quillon Nine")

    monkeypatch.setattr(arena.booth, "withdraw_all", fail)
    page.keyboard.press("m")
    page.get_by_role("button", name="Withdraw all my votes").click()
    page.get_by_role("button", name="Withdraw all", exact=True).click()
    expect(page.locator(".own-data [role=status]")).not_to_be_empty()
    assert arena.n_votes == 1
    monkeypatch.undo()
    page.get_by_role("button", name="Withdraw all", exact=True).click()
    expect(page.locator(".own-data [role=status]")).to_have_text("1 vote is withdrawn and counts no more.")
    page.keyboard.press("Escape")
    expect(page.locator("#saved")).to_have_text("1 vote is withdrawn and counts no more.")
    expect(page.locator("#undo")).to_be_hidden()
    assert arena.n_votes == 0
