"""What is refused and what fails over HTTP is told calmly, in one shape, and never in an error's own words."""

import json

import pytest

from arena.errors import DatabaseUnavailable, KeyTaken, VoteNotSaved
from served import Arena, ballot_of, everything, named_in, vote_on

NEW_FIELDS = {"name", "organization", "score", "low", "high", "rank_low", "rank_high"}


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


def test_an_unexpected_fault_is_logged_with_its_traceback(arena: Arena, caplog: pytest.LogCaptureFixture):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.fault = RuntimeError("the very reason")
    vote_on(visitor, ballot_id)
    assert "the very reason" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("fault", [VoteNotSaved("the disk is full"), DatabaseUnavailable("the disk is full")])
def test_a_database_that_cannot_be_reached_is_logged_in_one_line(
    arena: Arena, caplog: pytest.LogCaptureFixture, fault: Exception
):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.fault = fault
    assert vote_on(visitor, ballot_id).status_code == 503
    [told] = [record for record in caplog.records if record.name == "arena.ui.api"]
    assert told.getMessage() == f"POST /api/ballots/{ballot_id}/vote: {fault}"
    assert told.exc_info is None


def test_a_refused_row_that_nobody_foresaw_is_logged_with_its_traceback(arena: Arena, caplog: pytest.LogCaptureFixture):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.fault = KeyTaken("Duplicate key")
    assert vote_on(visitor, ballot_id).status_code == 503
    assert "Duplicate key" in caplog.text
    assert "Traceback" in caplog.text


def test_a_stored_vote_does_not_look_lost_because_it_cannot_be_counted(arena: Arena):
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    arena.booth.counting_fault = DatabaseUnavailable("cannot read")
    response = vote_on(visitor, ballot_id)
    assert response.status_code == 200
    assert response.json()["votes"] is None
    assert arena.n_votes == 1


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "https://[x]y]"])
def test_an_origin_that_is_no_address_is_another_site_and_no_fault(unchanged_arena: Arena, origin: str):
    response = unchanged_arena.visitor().post("/api/ballots", json={}, headers={"Origin": origin})
    assert (response.status_code, response.json()["error"]) == (403, "other_site")
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
