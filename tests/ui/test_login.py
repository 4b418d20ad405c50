"""Signing in over real HTTP: by a password, and by a real provider of OpenID on this machine."""

import base64
import hmac
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from arena.attempts import MOST_OF_ONE
from arena.login import Login, OpenId
from arena.role import Members, Right, Role
from arena.store import VoteStore
from arena.voter import VoterKey
from openid import (
    CLIENT_ID,
    CLIENT_SECRET,
    HASH,
    NAME,
    PASSWORD,
    SUBJECT,
    FakeProvider,
    free_port,
    providing,
    quick_hash,
    with_provider,
)
from served import Arena, Clock, Serve, ballot_of, serving, vote_on

BY_PASSWORD = Login(password=HASH)


def by_password(client: httpx.Client, password: str = PASSWORD, **more: Any) -> httpx.Response:
    return client.post("/api/login", json={"password": password, **more})


def is_host(client: httpx.Client) -> bool:
    return client.get("/api/host/me").status_code == 200


def cookies_of(response: httpx.Response) -> dict[str, str]:
    """What a response sets, without the random names' ends."""
    found = {}
    for line in response.headers.get_list("set-cookie"):
        name, _, rest = line.partition("=")
        found[name.rpartition("_")[0]] = rest
    return found


@pytest.fixture(scope="module")
def both_ways() -> Iterator[tuple[Arena, FakeProvider]]:
    with with_provider(password_is_set=True) as both:
        yield both


@pytest.fixture
def pair(both_ways: tuple[Arena, FakeProvider]) -> tuple[Arena, FakeProvider]:
    """One arena with both ways in for many tests: each comes hours later, to a provider as it was."""
    arena, provider = both_ways
    arena.clock.now += timedelta(hours=9)
    provider.account, provider.claims, provider.sign = {"preferred_username": NAME}, {}, None
    provider.user_info, provider.is_down = None, False
    provider.called.clear()
    return both_ways


@pytest.fixture
def guarded(pair: tuple[Arena, FakeProvider]) -> Arena:
    return pair[0]


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
    arena.clock.now += timedelta(minutes=1)
    assert by_password(client).status_code == 200


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


# ---- by a provider ----


def go(client: httpx.Client, wanted: str | None = None) -> str:
    """The address that the provider sends the browser back to."""
    asked = client.get("/login/provider", params={"next": wanted} if wanted else {})
    assert asked.status_code == 303
    back = httpx.get(asked.headers["location"], trust_env=False)
    return back.headers["location"]


def come_back(client: httpx.Client, address: str) -> httpx.Response:
    return client.get(address)


def sign_in(client: httpx.Client, wanted: str | None = None) -> httpx.Response:
    return come_back(client, go(client, wanted))


def is_refused(answer: httpx.Response, why: str = "refused") -> bool:
    return answer.status_code == 303 and answer.headers["location"].startswith(f"../login?why={why}")


def test_an_account_that_is_named_gets_its_roles(pair: tuple[Arena, FakeProvider]):
    arena, _ = pair
    client = arena.visitor()
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "../host")
    assert client.get("/api/host/me").json()["roles"] == ["annotator", "host"]
    assert cookies_of(answer)["bakeoff_asked"].startswith("; Max-Age=0")
    assert sign_in(client, "leaderboard").headers["location"] == "../leaderboard"
    assert sign_in(client, "https://evil.example").headers["location"] == "../host"


def test_the_provider_is_asked_with_pkce_state_and_nonce_and_told_no_secret(pair: tuple[Arena, FakeProvider]):
    arena, provider = pair  # hours later what is known of the provider is old
    asked = [parse_qs(urlsplit(arena.visitor().get("/login/provider").headers["location"]).query) for _ in range(2)]
    for query in asked:
        assert query["response_type"] == ["code"]
        assert query["client_id"] == [CLIENT_ID]
        assert query["scope"] == ["openid profile"]
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == [f"{arena.url}/login/callback"]
    for each in ("state", "nonce", "code_challenge"):
        assert len(asked[0][each][0]) >= 22  # 128 bits
        assert asked[0][each] != asked[1][each]
    assert "secret" not in str(asked).lower()
    assert provider.called == ["/.well-known/openid-configuration", "/keys"]  # once for both


def test_a_forged_host_header_does_not_change_where_one_comes_back_to(pair: tuple[Arena, FakeProvider]):
    arena, _ = pair
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert "evil" not in arena.stranger().get("/login/provider", headers=forged).headers["location"]


def test_an_account_that_is_not_named_gets_in_nowhere(pair: tuple[Arena, FakeProvider]):
    arena, provider = pair
    for name in (NAME.upper(), NAME + " ", "somebody-else", ""):
        provider.account = {"preferred_username": name}
        client = arena.visitor()
        answer = sign_in(client)
        assert is_refused(answer, "not_named" if name else "refused"), name
        assert not any("session" in each for each in client.cookies)


def test_with_nobody_named_nobody_gets_in():
    with with_provider(members=Members()) as (arena, _):
        assert is_refused(sign_in(arena.visitor()), "not_named")


def test_an_email_counts_only_where_the_provider_has_verified_it():
    with with_provider(claim="email") as (arena, provider):
        for account, comes_in in (
            ({"email": NAME, "email_verified": True}, True),
            ({"email": NAME, "email_verified": False}, False),
            ({"email": NAME, "email_verified": "true"}, False),
            ({"email": NAME}, False),
            ({"preferred_username": NAME}, False),
        ):
            provider.account = account
            client = arena.visitor()
            sign_in(client)
            assert is_host(client) == comes_in, account


def test_what_the_id_token_does_not_say_the_provider_is_asked_for(pair: tuple[Arena, FakeProvider]):
    arena, provider = pair
    provider.account = {}
    provider.user_info = {"sub": SUBJECT, "preferred_username": NAME}
    client = arena.visitor()
    sign_in(client)
    assert is_host(client)
    provider.user_info = {"sub": "another", "preferred_username": NAME}
    stranger = arena.visitor()
    assert is_refused(sign_in(stranger))
    assert not is_host(stranger)


# ---- what does not fit ----


def test_another_state_is_refused(pair: tuple[Arena, FakeProvider]):
    arena, provider = pair
    client = arena.visitor()
    back = go(client)
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert is_refused(come_back(client, back.replace(state, state[::-1])))
    assert "/token" not in provider.called


def test_a_sign_in_that_another_browser_began_is_refused(pair: tuple[Arena, FakeProvider]):
    arena, _ = pair
    victim = arena.visitor()
    assert is_refused(come_back(victim, go(arena.visitor())))  # has begun none
    go(victim)
    assert is_refused(come_back(victim, go(arena.visitor())))  # has begun another
    assert not is_host(victim)


def test_a_sign_in_comes_back_once(pair: tuple[Arena, FakeProvider]):
    arena, _ = pair
    client = arena.visitor()
    back = go(client)
    asked = dict(client.cookies)
    come_back(client, back)
    thief = arena.stranger()
    assert is_refused(come_back(thief, back))
    thief.cookies.update({name: value for name, value in asked.items() if "asked" in name})
    assert is_refused(come_back(thief, back))  # the provider knows its codes
    assert not is_host(thief)


def test_a_sign_in_that_took_too_long_is_refused(pair: tuple[Arena, FakeProvider]):
    arena, _ = pair
    client = arena.visitor()
    back = go(client)
    arena.clock.now += timedelta(minutes=10)
    assert is_refused(come_back(client, back))


@pytest.mark.parametrize("query", ["", "code=x", "state=x", "error=access_denied", "code=x&state=%F0%9F%8C%B3&iss=y"])
def test_an_answer_without_its_parts_is_refused(pair: tuple[Arena, FakeProvider], query: str):
    client = pair[0].visitor()
    go(client)
    assert is_refused(come_back(client, f"/login/callback?{query}"))


def test_an_answer_of_another_provider_is_refused(pair: tuple[Arena, FakeProvider]):
    client = pair[0].visitor()
    assert is_refused(come_back(client, go(client) + "&iss=https://evil.example"))


def _encoded(part: dict[str, Any]) -> str:
    raw = json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes | None) -> str:
    """What no library of ours agrees to sign."""
    text = f"{_encoded(header)}.{_encoded(claims)}"
    digest = b"" if key is None else hmac.digest(key, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _forgeries(provider: FakeProvider) -> dict[str, Callable[[dict[str, Any]], str]]:
    kid = provider.key.kid
    other = RSAKey.generate_key(2048, {"kid": str(kid)})
    public = provider.key.as_pem(private=False)
    signed = {"alg": "RS256", "kid": kid}

    def with_another_payload(claims: dict[str, Any]) -> str:
        head, _, signature = jwt.encode(signed, {**claims, "sub": "x"}, provider.key).split(".")
        payload = jwt.encode(signed, claims, other).split(".")[1]
        return f"{head}.{payload}.{signature}"

    return {
        "no signature at all": lambda claims: _by_hand({"alg": "none"}, claims, None),
        "no signature, of a known key": lambda claims: _by_hand({"alg": "none", "kid": kid}, claims, None),
        "HS256 with the public key": lambda claims: _by_hand({"alg": "HS256", "kid": kid}, claims, public),
        "another key under the same name": lambda claims: jwt.encode(signed, claims, other),
        "a key of another name": lambda claims: jwt.encode({"alg": "RS256", "kid": "unknown"}, claims, other),
        "a key that comes along": lambda claims: jwt.encode(
            {"alg": "RS256", "jwk": other.as_dict(private=False)}, claims, other
        ),
        "another payload under the signature": with_another_payload,
        "no token": lambda _: "no.token.here",
        "nothing": lambda _: "",
    }


def test_an_id_token_that_the_provider_did_not_sign_is_refused(pair: tuple[Arena, FakeProvider]):
    arena, provider = pair
    for name, sign in _forgeries(provider).items():
        provider.sign = sign
        client = arena.visitor()
        assert is_refused(sign_in(client)), name
        assert not is_host(client), name
    provider.sign = None
    client = arena.visitor()
    sign_in(client)
    assert is_host(client)


# Whole numbers are seconds from now.
@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another arena"},
        {"aud": ["another arena", "one more"]},
        {"aud": [CLIENT_ID, "another arena"], "azp": "another arena"},
        {"azp": "another arena"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": None},
        {"exp": None},
        {"exp": -61},
        {"exp": "tomorrow"},
        {"nbf": 3600},
        {"iat": 3600},
        {"sub": None},
        {"sub": ""},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"preferred_username": ["wilhelmina-of-account"]},
    ],
    ids=str,
)
def test_an_id_token_for_somebody_or_some_time_else_is_refused(
    pair: tuple[Arena, FakeProvider], claims: dict[str, Any]
):
    arena, provider = pair
    now = int(arena.clock().timestamp())
    provider.claims = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    client = arena.visitor()
    answer = sign_in(client)
    assert is_refused(answer)
    assert not is_host(client)


def test_a_provider_that_changed_its_key_is_asked_for_the_new_one(pair: tuple[Arena, FakeProvider]):
    arena, provider = pair
    sign_in(arena.visitor())
    provider.key = RSAKey.generate_key(2048, {"kid": "second", "use": "sig"})
    client = arena.visitor()
    assert is_refused(sign_in(client))  # it was asked a moment ago
    arena.clock.now += timedelta(minutes=1)
    sign_in(client)
    assert is_host(client)


def test_a_provider_that_is_silent_is_said_and_voting_goes_on(
    pair: tuple[Arena, FakeProvider], caplog: pytest.LogCaptureFixture
):
    arena, provider = pair
    provider.is_down = True
    client = arena.visitor()
    assert is_refused(client.get("/login/provider"), "silent")
    assert vote_on(client, ballot_of(client)["ballot_id"]).status_code == 200
    assert 'data-t="login.silent"' in client.get("/login?why=silent").text
    assert "nobody can sign in" in caplog.text
    provider.is_down = False
    assert sign_in(client).headers["location"] == "../host"


def test_a_provider_that_calls_itself_otherwise_is_not_believed(serve: Serve):
    with providing(Clock()) as provider:
        settings = replace(
            provider.settings("http://127.0.0.1:1"), issuer=provider.url.replace("127.0.0.1", "localhost")
        )
        client = serve(login=Login(provider=settings)).visitor()
        assert is_refused(client.get("/login/provider"), "silent")


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


def test_by_a_provider_an_annotator_votes_and_sees_no_results():
    members = Members(annotators=frozenset({NAME}))
    with with_provider(members=members, open_to_all=frozenset[Right]()) as (arena, _):
        client = arena.stranger()
        assert client.get("/").headers["location"] == "./login?next=arena"
        assert sign_in(client, "leaderboard").headers["location"] == "../"
        assert vote_on(client, ballot_of(client)["ballot_id"]).status_code == 200
        assert client.get("/api/leaderboard").status_code == 403
        assert 'data-t="login.not_yours"' in client.get("/login?next=leaderboard").text
        assert Role.ANNOTATOR.value in client.get("/login").text


def test_an_annotator_stays_the_same_voter_when_the_key_is_rotated(tmp_path: Path):
    old, new, newer = (f"a secret of the tests, number {n}, which is long".encode() for n in (1, 2, 3))
    n_votes = []
    with providing(Clock()) as provider:
        for secrets in ((old,), (new, old), (newer, new, old), (newer,)):
            with serving() as start:
                port = free_port()
                arena = start(
                    login=Login(
                        provider=provider.settings(f"http://127.0.0.1:{port}"),
                        members=Members(annotators=frozenset({NAME})),
                    ),
                    port=port,
                    store=VoteStore.open(tmp_path / "arena.duckdb"),
                    voter_key=VoterKey(*secrets),
                )
                provider.clock = arena.clock
                client = arena.visitor()
                sign_in(client)
                n_votes.append(client.get("/api/me").json()["votes"]["mine"])
                vote_on(client, ballot_of(client)["ballot_id"]).raise_for_status()
    assert n_votes == [0, 1, 2, 0]  # once the key by which the annotator came is dropped, the votes are out of reach
