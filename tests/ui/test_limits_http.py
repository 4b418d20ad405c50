"""Limits over HTTP: who is told to pause, for how long, and that nothing is lost by it."""

import logging
from ipaddress import ip_network

import httpx
import pytest

from arena.limits import Act, Limit, Whose
from arena.login import Login
from arena.role import Role
from openid import HASH, signed_in
from served import Arena, Serve, ballot_of, skip, vote_on

LOCAL = (ip_network("127.0.0.0/8"),)
FORGED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP")


def limits(**texts: str) -> dict[tuple[Act, Whose], Limit]:
    """Limits by the names of their settings; all others are off."""
    names = {f"{act}_{whose}": (act, whose) for act in Act for whose in Whose}
    return {names[name]: Limit.parse(text) for name, text in texts.items()}


def someone(arena: Arena, address: str = "127.0.0.1", **headers: str) -> httpx.Client:
    """A new visitor from an address of this machine, with the cookie of the page."""
    transport = httpx.HTTPTransport(local_address=address)
    client = httpx.Client(base_url=arena.url, transport=transport, trust_env=False, headers=headers, timeout=60)
    arena.clients.append(client)
    client.get("/")
    return client


def ask(client: httpx.Client) -> httpx.Response:
    return client.post("/api/ballots", json={})


def test_a_refused_vote_is_not_stored_keeps_its_ballot_and_can_be_sent_again(serve: Serve):
    arena = serve(limits=limits(votes_per_voter="1/second"))
    visitor = arena.visitor()
    assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200
    ballot = ballot_of(visitor)
    refused = vote_on(visitor, ballot["ballot_id"])
    while refused.status_code == 200:  # a machine that took more than a second for it
        ballot = ballot_of(visitor)
        refused = vote_on(visitor, ballot["ballot_id"])
    assert refused.status_code == 429
    n_votes = arena.n_votes
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"] == "rate_limited"
    assert refused.json()["seconds"] == 1
    assert "Nothing is lost" in refused.json()["message"]
    assert ballot_of(visitor)["ballot_id"] == ballot["ballot_id"]
    while (sent := vote_on(visitor, ballot["ballot_id"])).status_code == 429:
        assert arena.n_votes == n_votes
    assert sent.status_code == 200
    assert arena.n_votes == n_votes + 1


def test_to_ask_again_for_what_was_stored_is_not_counted(serve: Serve):
    arena = serve(limits=limits(votes_per_voter="1/day", ballots_per_voter="2/day"))
    visitor = arena.visitor()
    ballot = ballot_of(visitor)["ballot_id"]
    assert [ballot_of(visitor)["ballot_id"] for _ in range(5)] == [ballot] * 5
    assert [vote_on(visitor, ballot).status_code for _ in range(5)] == [200] * 5
    assert skip(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200
    assert ask(visitor).status_code == 429  # skips do not make more of them


def test_two_people_at_one_address_have_a_limit_each(serve: Serve):
    arena = serve(limits=limits(ballots_per_voter="1/day"))
    ann, bob = arena.visitor(), arena.visitor()
    assert skip(ann, ballot_of(ann)["ballot_id"]).status_code == 200
    assert ask(ann).status_code == 429
    assert ask(bob).status_code == 200


def test_an_annotator_has_one_limit_with_one_cookie_with_many_and_without_any(serve: Serve):
    login = Login(password=HASH, open_to_all=frozenset())
    arena = serve(limits=limits(votes_per_voter="2/day", ballots_per_voter="3/day"), login=login)
    clients = [signed_in(arena, login, Role.ANNOTATOR) for _ in range(3)]
    name = arena.voter_key.cookie_name
    clients[0].cookies.delete(name)
    clients[1].cookies.delete(name)
    for client in clients[:2]:
        assert vote_on(client, ballot_of(client)["ballot_id"]).status_code == 200
    ballot = ballot_of(clients[2])["ballot_id"]
    assert [vote_on(client, ballot).status_code for client in clients] == [429, 429, 429]
    assert [skip(client, ballot).status_code for client in clients] == [200, 200, 200]
    assert [ask(client).status_code for client in clients] == [429, 429, 429]
    other = signed_in(arena, login, Role.ANNOTATOR, account="somebody else")
    assert ask(other).status_code == 200


def test_one_person_with_hundreds_of_cookies_is_caught_by_the_address(serve: Serve):
    arena = serve(limits=limits(ballots_per_address="20/day"))
    client, key = arena.stranger(), arena.voter_key
    cookies = [f"{key.cookie_name}={key.issue()}" for _ in range(300)]  # as the page would give them
    answers = [client.post("/api/ballots", json={}, headers={"Cookie": cookie}) for cookie in cookies]
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (20, 280)
    elsewhere = someone(arena, "127.0.0.2")
    assert ask(elsewhere).status_code == 200


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_address_gives_nobody_a_new_identity(serve: Serve, name: str):
    arena = serve(limits=limits(ballots_per_address="3/day"))
    value = "for={}" if name == "Forwarded" else "{}"
    visitors = [someone(arena, **{name: value.format(f"198.51.100.{n}")}) for n in range(5)]
    assert [ask(visitor).status_code for visitor in visitors] == [200, 200, 200, 429, 429]


def test_behind_a_trusted_proxy_two_addresses_are_two_whatever_they_forge(serve: Serve):
    arena = serve(limits=limits(ballots_per_address="1/day"), trusted_proxies=LOCAL)
    forging = [someone(arena, **{"X-Forwarded-For": f"192.0.2.{n}, 203.0.113.1"}) for n in range(3)]
    assert [ask(visitor).status_code for visitor in forging] == [200, 429, 429]
    assert ask(someone(arena, **{"X-Forwarded-For": "203.0.113.2"})).status_code == 200


def test_other_headers_of_a_trusted_proxy_change_nothing(serve: Serve):
    arena = serve(limits=limits(ballots_per_address="1/day"), trusted_proxies=LOCAL)
    same = {"X-Forwarded-For": "203.0.113.1"}
    visitors = [someone(arena, **same, **{name: "198.51.100.1"}) for name in FORGED[1:]]
    assert [ask(visitor).status_code for visitor in visitors] == [200, 429, 429, 429, 429]


def test_the_arena_as_a_whole_has_a_limit(serve: Serve):
    arena = serve(limits=limits(votes_in_all="2/day"))
    visitors = [someone(arena, f"127.0.0.{n}") for n in (1, 2, 3)]
    statuses = [vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code for visitor in visitors]
    assert statuses == [200, 200, 429]
    assert arena.n_votes == 2


def test_files_and_health_are_free_and_pages_say_it_in_words(serve: Serve):
    arena = serve(limits=limits(requests_per_address="5/day"))
    client = arena.stranger()
    while client.get("/").status_code == 200:
        pass
    assert [client.get(path).status_code for path in ("/healthz", "/ui/style.css", "/theme.css")] == [200] * 3
    page = client.get("/", headers={"Accept-Language": "de"})
    assert page.status_code == 429
    assert "Eine kurze Pause" in page.text
    assert int(page.headers["retry-after"]) > 0
    assert page.headers["x-content-type-options"] == "nosniff"
    for response in (ask(client), client.get("/api/leaderboard"), client.post("/gradio_api/queue/join", json={})):
        assert response.status_code == 429
        assert response.json()["error"] == "rate_limited"
        assert "set-cookie" not in response.headers


def test_a_limiter_that_fails_lets_everybody_in_and_raises_an_alarm(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    arena = serve(limits=limits(votes_per_voter="1/day", requests_per_address="1000/day"))
    visitor = arena.visitor()

    def broken(*_: object) -> int:
        raise MemoryError("of 127.0.0.1")

    monkeypatch.setattr("arena.limits.Limiter.take", broken)
    for _ in range(3):
        assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200
    alarms = {alarm.what: alarm for alarm in arena.alarms.current()}
    # Six requests, three ballots, three votes.
    assert {what: alarm.n for what, alarm in alarms.items()} == {
        "limits: requests": 6,
        "limits: ballots": 3,
        "limits: votes": 3,
    }
    assert {alarm.error for alarm in alarms.values()} == {"MemoryError"}
    told = [record for record in caplog.records if record.name == "arena.alarms"]
    assert [record.levelno for record in told] == [logging.ERROR] * 3  # once a kind and minute
    assert "127.0.0.1" not in caplog.text


def test_an_address_that_cannot_be_told_accuses_nobody_and_raises_an_alarm(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    arena = serve(limits=limits(ballots_per_address="1/day"))
    ann, bob = arena.visitor(), arena.visitor()

    def broken(*_: object) -> str:
        raise OverflowError

    monkeypatch.setattr("arena.ui.throttle.client_of", broken)
    assert [ask(visitor).status_code for visitor in (ann, bob)] == [200, 200]
    assert [alarm.what for alarm in arena.alarms.current()] == ["limits: who asks"]
