"""Signing in over real HTTP by a password, the cookie of the session, and what is kept of a person."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from arena.attempts import MOST_IN_ALL, MOST_OF_ONE
from arena.login import Login, OpenId
from arena.store import VoteStore
from openid import (
    CLIENT_ID,
    CLIENT_SECRET,
    HASH,
    NAME,
    PASSWORD,
    SUBJECT,
    FakeProvider,
    by_password,
    come_back,
    cookies_of,
    go,
    is_host,
    quick_hash,
    sign_in,
    with_provider,
)
from served import Arena, Serve, ballot_of, vote_on

BY_PASSWORD = Login(password=HASH)


# ---- by password ----


def test_the_right_password_makes_a_host_and_signing_out_unmakes_it(guarded: Arena):
    client = guarded.visitor()
    assert not is_host(client)
    answer = by_password(client)
    assert (answer.status_code, answer.json()) == (200, {"to": "./host"})
    assert is_host(client)
    assert client.get("/host").status_code == 200
    kept = dict(client.cookies)
    left = client.post("/api/logout", json={})
    assert left.status_code == 200
    assert cookies_of(left)["bakeoff_session"].startswith("; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
    assert not is_host(client)
    client.cookies.update(kept)
    assert not is_host(client)  # a copy of the cookie is worth nothing either


@pytest.mark.parametrize("body", [{"password": "a wrong one"}, {"password": ""}])
def test_a_wrong_password_is_refused_in_the_words_of_the_page(guarded: Arena, body: dict[str, str]):
    client = guarded.visitor()
    answer = client.post("/api/login", json=body)
    assert (answer.status_code, answer.json()["error"]) == (401, "wrong_password")
    assert "set-cookie" not in answer.headers
    assert not is_host(client)
    assert by_password(client).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"password": 5}, {"password": None}, {"password": PASSWORD, "role": "host"}, {"password": "x" * 1001}]
)
def test_what_is_no_password_is_not_understood_and_not_repeated(guarded: Arena, body: dict[str, Any]):
    answer = guarded.visitor().post("/api/login", json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_request")
    assert PASSWORD not in answer.text


def test_only_json_of_our_own_pages_signs_in_or_out(guarded: Arena):
    client = guarded.visitor()
    form = client.post("/api/login", data={"password": PASSWORD})
    assert (form.status_code, form.json()["error"]) == (415, "not_json")
    elsewhere = {"Origin": "https://evil.example"}
    assert client.post("/api/login", json={"password": PASSWORD}, headers=elsewhere).status_code == 403
    by_password(client)
    assert client.post("/api/logout", json={}, headers=elsewhere).status_code == 403
    assert is_host(client)


def test_after_five_tries_also_the_right_password_waits(guarded: Arena):
    arena = guarded
    client = arena.visitor()
    for _ in range(MOST_OF_ONE):
        assert by_password(client, "a wrong one").status_code == 401
    limited = by_password(client)
    assert (limited.status_code, limited.json()["error"]) == (429, "rate_limited")
    assert limited.headers["retry-after"] == "60"
    assert by_password(arena.visitor()).status_code == 429  # a new cookie is no new address
    arena.clock.now += timedelta(days=1)
    assert by_password(client).status_code == 429, "time has not passed because a clock was set"
    arena.clock.wait(timedelta(minutes=1))
    assert by_password(client).status_code == 200


def test_a_clock_that_is_set_back_does_not_shut_the_host_out(guarded: Arena):
    """Thirty tries of everybody fill the minute; it is over after a minute, whatever day it is by then."""
    arena = guarded
    for number in range(MOST_IN_ALL):
        address = httpx.HTTPTransport(local_address=f"127.0.1.{number + 1}")
        with httpx.Client(base_url=arena.url, transport=address, trust_env=False, timeout=60) as stranger:
            assert by_password(stranger, "a wrong one").status_code == 401
    host = arena.visitor()
    assert by_password(host).status_code == 429
    arena.clock.now -= timedelta(days=365)
    arena.clock.wait(timedelta(minutes=1))
    assert by_password(host).status_code == 200
    arena.clock.now += timedelta(days=365)


def test_one_goes_on_to_a_page_of_ours_and_nowhere_else(guarded: Arena):
    client = guarded.visitor()
    assert by_password(client, next="leaderboard").json() == {"to": "./leaderboard"}
    assert by_password(client, next="arena").json() == {"to": "./"}
    for elsewhere in ("https://evil.example", "//evil.example", "/host", "../x", "javascript:alert(1)", ""):
        assert by_password(client, next=elsewhere).json() == {"to": "./host"}, elsewhere
        page = client.get("/login", params={"next": elsewhere})
        assert "evil" not in page.text
        assert "javascript:" not in page.text


def test_the_page_of_the_login_shows_the_ways_that_are_set(serve: Serve, pair: tuple[Arena, FakeProvider]):
    arena, provider = pair
    only = Login(provider=provider.settings(arena.url))
    shown = {
        "password": serve(login=BY_PASSWORD).visitor().get("/login").text,
        "provider": serve(login=only).visitor().get("/login?next=host").text,
        "both": arena.visitor().get("/login").text,
    }
    assert {name: ('id="with-password"' in text, 'id="with-provider"' in text) for name, text in shown.items()} == {
        "password": (True, False),
        "provider": (False, True),
        "both": (True, True),
    }
    assert 'href="./login/provider?next=host"' in shown["provider"]


# ---- the cookie ----


@pytest.mark.parametrize(
    ("mode", "name", "attributes"),
    [
        ("lax", "bakeoff_session", "Path=/; HttpOnly; SameSite=Lax"),
        ("secure", "__Host-bakeoff_session", "Path=/; HttpOnly; SameSite=Lax; Secure"),
        ("embedded", "__Host-bakeoff_session", "Path=/; HttpOnly; SameSite=None; Secure; Partitioned"),
    ],
)
def test_the_session_is_sent_as_the_voters_cookie_is(
    serve: Serve, mode: Literal["lax", "secure", "embedded"], name: str, attributes: str
):
    client = serve(login=BY_PASSWORD, cookies=mode).visitor()
    given = cookies_of(by_password(client))
    assert list(given) == [name]
    assert given[name].endswith(f"; Max-Age=28800; {attributes}")
    taken = cookies_of(client.post("/api/logout", json={}))
    assert taken[name] == f"; Max-Age=0; {attributes}"


def test_a_session_ends_by_itself(guarded: Arena):
    arena = guarded
    client = arena.visitor()
    by_password(client)
    arena.clock.now += timedelta(hours=8) - timedelta(seconds=1)
    assert is_host(client)
    arena.clock.now += timedelta(seconds=1)
    assert not is_host(client)


def test_a_changed_cookie_is_nobodys_and_breaks_nothing(guarded: Arena):
    arena = guarded
    client = arena.visitor()
    by_password(client)
    [(name, value)] = [(each, text) for each, text in client.cookies.items() if "session" in each]
    for changed in (value[:-3], value[1:], value + "x", "x", value.swapcase(), value.replace(".", "", 1)):
        stranger = arena.stranger()
        stranger.cookies.set(name, changed)
        assert stranger.get("/api/host/me").status_code == 401, changed
        assert stranger.get("/").status_code == 200


def test_a_new_password_ends_the_sessions_of_the_old_one(serve: Serve):
    client = serve(login=BY_PASSWORD).visitor()
    by_password(client)
    later = serve(login=Login(password=quick_hash(PASSWORD, b"1" * 16))).visitor()
    later.cookies.update(client.cookies)
    assert not is_host(later)


# ---- what stays where ----


def test_no_name_and_no_secret_is_in_the_database_the_logs_or_an_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    seen: list[httpx.Response] = []
    file = tmp_path / "arena.duckdb"
    with with_provider(store=VoteStore.open(file), password_is_set=True) as (arena, provider):
        client = arena.visitor()
        client.event_hooks["response"].append(seen.append)
        sign_in(client, "host")
        vote_on(client, ballot_of(client)["ballot_id"]).raise_for_status()
        seen += [client.get(path) for path in ("/", "/login", "/host", "/api/host/me", "/api/me")]
        provider.account = {"preferred_username": f"{NAME}-2"}
        provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "x"}, claims, RSAKey.generate_key(2048))
        seen.append(sign_in(client))
        provider.sign = None
        seen.append(sign_in(client))
        seen += [come_back(client, go(client) + "x") for _ in range(2)]
        seen += [by_password(client, PASSWORD + "?"), by_password(client)]
        assert caplog.records
    told = "".join(f"{response.headers}{response.text}" for response in seen)
    at_rest = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert at_rest
    for word in (NAME, SUBJECT, CLIENT_SECRET, PASSWORD, str(HASH), "python-httpx"):
        assert word not in told, word
        assert word not in caplog.text, word
        assert word.encode() not in at_rest, word
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("arena", "uvicorn", "gradio"))]
    assert ours
    assert "127.0.0.1" not in "".join(ours)  # the tests' own client logs where it goes
    assert b"127.0.0.1" not in at_rest


def test_the_settings_of_a_login_do_not_print_its_secrets():
    provider = OpenId("https://login.example.org", CLIENT_ID, CLIENT_SECRET, "openid", "sub", "https://a.example.org")
    login = Login(password=HASH, provider=provider)
    assert CLIENT_SECRET not in repr(login)
    assert str(HASH) not in repr(login)
