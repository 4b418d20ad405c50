"""Signing in by a real provider of OpenID on this machine, and what does not fit is refused."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from arena.login import Login
from arena.role import Members, Right, Role
from arena.store import VoteStore
from arena.voter import VoterKey
from crowd import free_port
from openid import (
    CLIENT_ID,
    NAME,
    SUBJECT,
    FakeProvider,
    come_back,
    cookies_of,
    go,
    is_host,
    is_refused,
    providing,
    sign_in,
    with_provider,
)
from served import Arena, Clock, Serve, ballot_of, serving, vote_on


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
