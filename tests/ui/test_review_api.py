"""The host's review over HTTP, and what an excluded voter sees of it: nothing. The page's region in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import httpx
import pytest
from playwright.sync_api import Browser, expect

from arena.battle import VoterId
from arena.login import Login
from arena.role import Role
from openid import HASH, signed_in
from served import NOON, Arena, Serve, ballot_of, serving, vote_on, withdraw
from tests.arena import crowds

RIGGER = "rigger"


LOGIN = Login(password=HASH)


@pytest.fixture
def arena() -> Iterator[Arena]:
    with serving() as start:
        served = start(login=LOGIN)
        rng = Random(1)
        votes = crowds.crowd(20, 30, rng, NOON) + crowds.votes_of(RIGGER, 60, crowds.side_a, rng, NOON, ms=100)
        crowds.stock(served.store, NOON)
        crowds.plant(served.store, votes, NOON)
        yield served


def test_the_review_names_who_is_flagged_and_what_would_change(arena: Arena):
    answer = host_of(arena).get("/api/host/review")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert [each["voter"] for each in told["suspects"]] == [RIGGER]
    assert {flag["check"] for flag in told["suspects"][0]["flags"]} >= {"one_side", "one_side_run", "too_fast"}
    assert told["together"]["n_votes"] == 60


def test_excluding_over_http_shows_in_the_public_count_and_can_be_undone(arena: Arena):
    host = host_of(arena)
    arena.compute_board()
    before = host.get("/api/leaderboard").json()["leaderboard"]
    assert "excluded by the host" not in before["dropped"]
    body = {"voter": RIGGER, "reason": "always side A", "by": "Ada"}
    assert host.post("/api/host/review/exclude", json=body).json() == {"is_new": True}
    assert host.post("/api/host/review/exclude", json=body).json() == {"is_new": False}
    arena.compute_board()
    assert host.get("/api/leaderboard").json()["leaderboard"]["dropped"] == {"excluded by the host": 60}
    told = host.get("/api/host/review").json()
    assert told["suspects"] == []
    assert [(each["voter_id"], each["reason"], each["n_votes"]) for each in told["left_out"]] == [
        (RIGGER, "always side A", 60)
    ]
    assert host.post("/api/host/review/readmit", json=body).json() == {"is_new": True}
    arena.compute_board()
    assert host.get("/api/leaderboard").json()["leaderboard"] == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"voter": RIGGER, "reason": "", "by": "Ada"}, 422),
        ({"voter": RIGGER, "reason": "x", "by": " "}, 422),
        ({"voter": "nobody", "reason": "x", "by": "Ada"}, 422),
        ({"voter": RIGGER, "reason": "x\ny", "by": "Ada"}, 422),
        ({"voter": RIGGER, "reason": "x"}, 422),
        ({"voter": RIGGER, "reason": 5, "by": "Ada"}, 422),
        ({"voter": RIGGER, "reason": "x", "by": "Ada", "now": "1999"}, 422),
    ],
)
def test_a_decision_without_all_that_it_needs_stores_nothing(arena: Arena, body: dict[str, object], status: int):
    answer = host_of(arena).post("/api/host/review/exclude", json=body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert arena.store.exclusions.acts() == []


def test_where_a_name_is_set_every_act_is_signed_with_it_and_with_no_other(serve: Serve):
    login = replace(LOGIN, signed_as="The committee")
    arena = serve(login=login)
    visitor = arena.visitor()
    vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
    host, body = signed_in(arena, login, Role.HOST), {"voter": newest_voter(arena), "reason": "a bot"}
    forged = host.post("/api/host/review/exclude", json={**body, "by": "Ada"})
    assert forged.status_code == 422
    assert "'The committee', not 'Ada'" in forged.json()["message"]
    assert arena.store.exclusions.acts() == []
    assert host.post("/api/host/review/exclude", json=body).json() == {"is_new": True}
    signed = {**body, "by": "The committee"}
    assert host.post("/api/host/review/readmit", json=signed).json() == {"is_new": True}
    assert [act.decided_by for act in arena.store.exclusions.acts()] == ["The committee"] * 2


def test_where_no_name_is_set_an_act_is_signed_with_the_one_that_is_given(arena: Arena):
    body = {"voter": RIGGER, "reason": "always side A", "by": "Ada"}
    host_of(arena).post("/api/host/review/exclude", json=body).raise_for_status()
    assert [act.decided_by for act in arena.store.exclusions.acts()] == ["Ada"]


def test_an_excluded_voter_learns_nothing_of_it(arena: Arena):
    """Two voters do the same, one is excluded in between: every answer has the same shape, status and counts."""
    honest, excluded = arena.visitor(), arena.visitor()
    for visitor in (honest, excluded):
        assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200
    voter = newest_voter(arena)
    assert arena.review.exclude(voter, "a bot", "Ada", arena.clock())
    arena.compute_board()
    first, second = shape(honest), shape(excluded)
    assert first == second
    assert arena.store.exclusions.n_votes() == {voter: 1}, "one was withdrawn again"


def test_nobody_but_the_host_reviews(arena: Arena):
    for client in (arena.visitor(), signed_in(arena, LOGIN, Role.RESEARCHER), signed_in(arena, LOGIN, Role.ANNOTATOR)):
        assert client.get("/api/host/review").status_code in (401, 403)
        body = {"voter": RIGGER, "reason": "x", "by": "Ada"}
        assert client.post("/api/host/review/exclude", json=body).status_code in (401, 403)
    assert arena.store.exclusions.acts() == []


def host_of(arena: Arena) -> httpx.Client:
    return signed_in(arena, LOGIN, Role.HOST)


def newest_voter(arena: Arena) -> VoterId:
    with arena.store._database.read() as cursor:
        [(voter,)] = cursor.execute("select voter_id from votes order by seq desc limit 1").fetchall()
    return VoterId(voter)


def shape(client: httpx.Client) -> list[object]:
    """What the page asks for in one round: statuses, headers' names, keys and the counts of the voter's own votes."""
    ballot = client.post("/api/ballots", json={})
    vote = vote_on(client, ballot.json()["ballot"]["ballot_id"])
    me = client.get("/api/me")
    taken = withdraw(client, ballot.json()["ballot"]["ballot_id"])
    page = client.get("/")
    me_again = client.get("/api/me")
    answers = [ballot, vote, me, taken, page, me_again]
    mine = [each.json()["votes"] for each in (me, me_again)]
    keys = [sorted(each.json()) for each in answers if "json" in each.headers["content-type"]]
    return [[(each.status_code, sorted(each.headers)) for each in answers], keys, mine]


@pytest.mark.parametrize(
    ("language", "times", "day"),
    [
        ("en", ("limits: once, Nov 21, 2026", "limits: 2 times, last Nov 21"), "Ada, Nov 21, 2026"),
        ("de", ("limits: einmal, 21.11.2026", "limits: 2-mal, zuletzt 21.11.2026"), "Ada, 21.11.2026"),
    ],
)
def test_the_page_counts_and_dates_as_its_language_does(
    arena: Arena, browser: Browser, language: str, times: tuple[str, str], day: str
):
    body = {"voter": RIGGER, "reason": "always side A", "by": "Ada"}
    host_of(arena).post("/api/host/review/exclude", json=body).raise_for_status()
    with browser.new_context(locale=language) as context:
        context.add_cookies(
            [{"name": each.name, "value": each.value or "", "url": arena.url} for each in host_of(arena).cookies.jar]
        )
        page = context.new_page()
        for expected in times:
            arena.alarms.on("limits", OSError(), NOON)
            page.goto(f"{arena.url}/host")
            expect(page.locator("#host-alarms li")).to_contain_text(expected)
        expect(page.locator("#host-review")).to_contain_text(day)


def test_the_region_shows_the_flags_and_takes_a_decision(arena: Arena, browser: Browser):
    context = browser.new_context()
    context.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": arena.url} for each in host_of(arena).cookies.jar]
    )
    page = context.new_page()
    page.goto(f"{arena.url}/host")
    suspect = page.locator(f"#host-review article[data-voter={RIGGER}]")
    expect(suspect).to_contain_text(re.compile(r"60 of 60 votes came in less than 3 seconds"))
    expect(suspect).to_contain_text("First place stays.")
    expect(suspect).to_contain_text(re.compile(r"Without these 60 votes: .*[+−][\d.]+, and \d+ more\. "))
    suspect.get_by_label("Reason").fill("always side A")
    suspect.get_by_label("Your name").fill("Ada")
    suspect.get_by_role("button", name="Leave out").click()
    expect(page.locator("#host-review")).to_contain_text("No voter is flagged.")
    expect(page.locator("#host-review")).to_contain_text("60 votes. always side A (Ada,")
    page.context.close()
