"""The routes hold to their description: a generator of requests reads it, asks what may be asked and what may not, and
compares. The ballot's routes are for our own pages and not in the public description; theirs stands here."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from arena.battle import SkipReason, Verdict
from served import Arena, ballot_of, serving

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)

_TEXT = {"type": "string"}
_REFUSAL = {"type": "object", "required": ["error", "message"], "properties": {"error": _TEXT, "message": _TEXT}}
_COUNTS = {
    "type": ["object", "null"],
    "required": ["mine", "all"],
    "properties": {each: {"type": "integer", "minimum": 0} for each in ("mine", "all")},
}


def closed(**properties: Any) -> dict[str, Any]:
    """An object with all of these keys and no other."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


_BLIND = closed(
    ballot_id={"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
    category={"type": ["string", "null"]},
    language={"type": ["string", "null"]},
    messages={
        "type": "array",
        "minItems": 1,
        "items": closed(role={"enum": ["system", "user", "assistant"]}, html=_TEXT),
    },
    answer_a=_TEXT,
    answer_b=_TEXT,
)
_LAST = {"type": ["object", "null"], "required": ["ballot_id", "verdict", "step"]}
_VERDICT = {"type": "string", "enum": [each.value for each in Verdict]}


def _json(schema: object) -> dict[str, Any]:
    return {"description": ".", "content": {"application/json": {"schema": schema}}}


def _post(body: dict[str, Any], told: dict[str, Any], refused: str, *, has_id: bool = True) -> dict[str, Any]:
    id_ = {"name": "ballot_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {
        "post": {
            "parameters": [id_] if has_id else [],
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {"200": _json(told)} | {status: _json(_REFUSAL) for status in refused.split()},
        }
    }


_CONSENT = closed(asked={"type": ["object", "null"]}, said={"type": ["object", "null"]}, n_votes={"type": "integer"})

BALLOTS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Ballots", "version": "1"},
    "paths": {
        "/api/ballots": _post(
            {"type": "object"}, closed(ballot=_BLIND, votes=_COUNTS, last=_LAST), "400 403 404 413 415", has_id=False
        ),
        "/api/ballots/{ballot_id}/vote": _post(
            closed(verdict=_VERDICT),
            {"type": "object", "required": ["verdict", "a", "b"]},
            "400 403 404 409 410 413 415 422",
        ),
        "/api/ballots/{ballot_id}/skip": _post(
            closed(reason={"type": "string", "enum": [each.value for each in SkipReason]}),
            closed(ballot_id=_TEXT),
            "400 403 404 409 410 413 415 422",
        ),
        "/api/ballots/{ballot_id}/withdrawal": _post(
            closed(), closed(verdict=_VERDICT, votes=_COUNTS), "400 403 404 409 410 413 415 422"
        ),
        "/api/samples/model": _post(
            {"type": "object", "required": ["id"], "properties": {"id": _TEXT, "page": {"type": "integer"}}},
            {"type": "object", "required": ["pairs", "n_held_back"]},
            "400 403 404 413 415 422",
            has_id=False,
        ),
        "/api/me": {
            "get": {
                "responses": {
                    "200": _json({"type": "object", "required": ["models", "recent", "votes"]}),
                    "403": _json(_REFUSAL),
                }
            }
        },
        "/api/me/consent": {
            "get": {"responses": {"200": _json(_CONSENT), "403": _json(_REFUSAL)}},
            **_post(
                closed(version=_TEXT, given={"type": "boolean"}),
                _CONSENT,
                "400 403 409 413 415 422",
                has_id=False,
            ),
        },
        "/api/guideline": {"get": {"responses": {"200": _json({"type": "object", "required": ["version", "html"]})}}},
    },
}


@pytest.fixture(scope="module")
def rated() -> Iterator[Arena]:
    with serving() as start:
        arena = start()
        arena.crowd(12)
        arena.compute_board()
        yield arena


def hold(arena: Arena, described: dict[str, Any], n_examples: int) -> int:
    """Ask every operation so often, in allowed and in other ways; how many requests that were."""
    visitor = arena.visitor()
    ballot_of(visitor)
    schema = schemathesis.openapi.from_dict(described)
    cookies = dict(visitor.cookies.items())
    n_asked = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in schemathesis.GenerationMode:
            quietly = settings(
                max_examples=n_examples,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
            )

            def ask(case: Any) -> None:
                nonlocal n_asked
                n_asked += 1
                response = case.call(base_url=arena.url, cookies=cookies, timeout=60)
                # What is sent at random is seldom allowed and may be refused in any of the ways that are described.
                case.validate_response(response, checks=list(CHECKS))
                assert response.headers["x-content-type-options"] == ["nosniff"]
                assert "default-src 'self'" in response.headers["content-security-policy"][0]

            # Of an operation that takes nothing, nothing can be wrong.
            takes_nothing = mode is schemathesis.GenerationMode.NEGATIVE
            with suppress(Unsatisfiable) if takes_nothing else nullcontext():
                quietly(given(case=operation.as_strategy(generation_mode=mode))(ask))()
    return n_asked


def public(arena: Arena) -> dict[str, Any]:
    return arena.stranger().get("/api/openapi.json").raise_for_status().json()


def test_the_public_routes_hold_to_their_description(rated: Arena):
    assert hold(rated, public(rated), 5) > 30


def test_the_ballot_s_routes_hold_to_theirs(rated: Arena):
    assert hold(rated, BALLOTS, 10) > 50


@pytest.mark.proof
def test_all_routes_hold_to_their_description_for_long(rated: Arena):
    assert hold(rated, public(rated), 150) + hold(rated, BALLOTS, 300) > 2000
