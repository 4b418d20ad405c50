"""The public read-only routes: the leaderboard with its filters as JSON, CSV and Parquet, and what describes them."""

import csv
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from arena import table
from arena.batch import take_snapshot
from arena.boards import Boards, Choice, View
from arena.leaderboard import Snapshot
from arena.store import VoteStore
from arena.ui.view_query import PARAMETERS, BadValue, Format, UnknownParameter, address, read, wanted_format
from ground import NOW
from polls import NAMES, stock, ties
from served import Arena, Serve, ballot_of, serving, vote_on


@pytest.fixture(scope="module")
def polled() -> Iterator[Arena]:
    """An arena with 300 votes and their board; nothing is added to it."""
    with serving() as start:
        yield poll(start())


def poll(arena: Arena) -> Arena:
    stock(arena.store)
    arena.compute_board()
    return arena


def asked(arena: Arena, query: str = "", **headers: str) -> httpx.Response:
    return arena.stranger().get(f"/api/leaderboard?{query}", headers=headers, timeout=60)


def board(arena: Arena, query: str = "") -> dict[str, Any]:
    return asked(arena, query).raise_for_status().json()


def names(arena: Arena, query: str) -> list[str]:
    return [row["model"] for row in board(arena, query)["leaderboard"]["ratings"]]


def refused(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert body["message"]
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, body["error"]


# ---- what is asked for ----


def test_the_default_is_the_snapshot_itself(polled: Arena):
    snapshot = polled.job.latest()
    assert snapshot is not None
    told = board(polled)
    record = json.loads(json.dumps(snapshot.leaderboard.to_record()))
    facts = ("organization", "license", "open_weights", "url", "aliases", "retired_at")
    plain = [{key: value for key, value in row.items() if key not in facts} for row in told["leaderboard"]["ratings"]]
    assert plain == record["ratings"]
    assert told["leaderboard"] | {"ratings": []} == record | {"ratings": []}
    assert told["snapshot"]["id"] == snapshot.id
    assert told["log"] == {"n_log": 300, "log_hash": snapshot.log_hash, "sources": ["human"]}
    assert told["view"] == {"query": "", "link": "source=human&up_to=300", "is_default": True}


def test_a_view_says_what_was_counted_and_what_was_left_out(polled: Arena):
    told = board(polled, "category=code&category=facts&min_votes=5")
    left_out = told["leaderboard"]["dropped"]
    assert told["leaderboard"]["n_votes"] + sum(left_out.values()) == 300
    assert set(left_out) >= {"category writing is not asked for", "source rule is not asked for"}
    assert told["leaderboard"]["settings"]["min_votes"] == 5
    assert told["command"] == (
        "bakeoff rate --db arena.duckdb --up-to 300 --source human --category code,facts --min-votes 5"
    )


def test_the_link_of_a_view_asks_for_the_same_numbers(polled: Arena):
    for query in ("", "language=de&q=o", "source=rule&source=human", "style=on&license=MIT&retired=no"):
        told = board(polled, query)
        again = board(polled, told["view"]["link"])
        assert again["leaderboard"] == told["leaderboard"]


def test_votes_that_are_not_counted_yet_change_no_view_and_are_announced(serve: Serve):
    arena = poll(serve())
    before = board(arena, "category=code")
    for _ in range(2):
        visitor = arena.visitor()
        vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
    after = board(arena, "category=code")
    assert after["leaderboard"] == before["leaderboard"]
    assert (before["arena"]["n_newer"], after["arena"]["n_newer"]) == (0, 2)


@pytest.mark.parametrize(
    ("query", "models"),
    [
        ("q=ADA", {"ada"}),
        ("q=robert", {"bob"}),  # an alias
        ("q=osterhaus", {"cleo", "eve"}),
        ("q=%3Cb%3E", {"eve"}),
        ("organization=Vexaria%2C+Ltd", {"ada", "bob"}),
        ("license=MIT", {"ada", "dan", "eve"}),
        ("license=MIT&license=Apache-2.0", {"ada", "bob", "dan", "eve"}),
        ("open_weights=yes", {"ada", "bob"}),
        ("open_weights=no", {"cleo"}),
        ("retired=no", {"ada", "bob", "cleo", "eve"}),
        ("retired=yes", set(NAMES)),
        ("q=nobody", set()),
    ],
)
def test_lines_are_chosen_and_every_number_stays(polled: Arena, query: str, models: set[str]):
    everything = {row["model"]: row for row in board(polled)["leaderboard"]["ratings"]}
    told = board(polled, query)
    assert {row["model"] for row in told["leaderboard"]["ratings"]} == models
    assert all(row == everything[row["model"]] for row in told["leaderboard"]["ratings"])
    assert told["leaderboard"]["n_votes"] == board(polled)["leaderboard"]["n_votes"]


def test_what_can_be_chosen_is_offered(polled: Arena):
    offer = board(polled)["offer"]
    assert set(offer["category"]) == {"code", "facts", "writing"}
    assert sum(offer["language"].values()) == 300
    assert offer["source"] == {"human": 270, "rule": 30}
    assert offer["organization"] == {"Osterhaus": 2, "Vexaria, Ltd": 2}
    assert offer["license"] == {"Apache-2.0": 1, "MIT": 3}
    assert offer["open_weights"] == {"no": 1, "yes": 2}
    assert offer["style"] is True


# ---- what is refused ----


@pytest.mark.parametrize(
    "query",
    [
        *(
            "category=poems",
            "language=xx",
            "source=aliens",
            "source=",
            "category=",
            "since=yesterday",
            "until=2026-13-01",
        ),
        *("since=0001-01-01T00:00%2B14:00", "min_votes=-1", "min_votes=1.5", "min_votes=%D9%A3", "min_votes=1e3"),
        *("min_votes=99999999999999999999", "style=yes", "style=on&style=off", "up_to=0", "up_to=301", "format=xml"),
        *("open_weights=maybe", "retired=", f"q={'x' * 201}", "category=" + "&category=".join(["code"] * 51)),
    ],
)
def test_values_that_are_not_known_are_refused(polled: Arena, query: str):
    assert refused(asked(polled, query)) == (400, "bad_value")


@pytest.mark.parametrize("query", ["categories=code", "Category=code", "sort=score", "=x", "<b>=1"])
def test_parameters_that_are_not_known_are_refused(polled: Arena, query: str):
    response = asked(polled, query)
    assert refused(response) == (400, "unknown_parameter")
    assert response.headers["content-type"] == "application/json"
    assert "category" in response.json()["accepted"]


def test_votes_that_give_no_board_say_why(polled: Arena):
    assert refused(asked(polled, "source=simulated")) == (404, "no_board")
    assert "no vote is left to rate" in asked(polled, "since=2030-01-01").json()["why"]


def test_before_the_first_board_the_route_says_what_is_missing(serve: Serve):
    arena = serve()
    assert refused(asked(arena)) == (404, "no_votes")
    assert refused(asked(arena, "category=code")) == (404, "no_votes")


def test_nothing_but_reading_is_done_here(polled: Arena):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = polled.stranger().request(method, "/api/leaderboard", json={})
        assert (response.status_code, response.json()["error"]) == (404, "no_such_address")
    assert polled.n_votes == 300


# ---- files ----


def test_csv_has_the_lines_that_json_has(polled: Arena):
    rows = board(polled, "category=code&license=MIT")["leaderboard"]["ratings"]
    response = asked(polled, "category=code&license=MIT&format=csv")
    assert response.headers["content-type"].startswith("text/csv")
    assert re.fullmatch(r'attachment; filename="leaderboard-\w+-view\.csv"', response.headers["content-disposition"])
    told = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["model"] for row in told] == [row["model"] for row in rows]
    for line, row in zip(told, rows, strict=True):
        assert float(line["score"]) == row["score"]
        assert (line["organization"] or None) == row["organization"]
        assert line["provisional"] == str(row["provisional"]).lower()


def test_parquet_has_the_lines_that_json_has_with_their_types(polled: Arena, tmp_path: Path):
    rows = board(polled, "retired=no")["leaderboard"]["ratings"]
    path = tmp_path / "board.parquet"
    path.write_bytes(asked(polled, "retired=no&format=parquet").raise_for_status().content)
    told = [row for _, row in table.rows_of(path)]
    assert [(row["model"], row["score"], row["low"], row["n_votes"]) for row in told] == [
        (row["model"], row["score"], row["low"], row["n_votes"]) for row in rows
    ]
    assert [list(row["aliases"]) for row in told] == [row["aliases"] for row in rows]


def test_a_file_without_lines_has_its_columns(polled: Arena, tmp_path: Path):
    assert asked(polled, "q=nobody&format=csv").text.startswith("model,name,score,low,high,")
    path = tmp_path / "empty.parquet"
    path.write_bytes(asked(polled, "q=nobody&format=parquet").content)
    assert "score" in table.columns_of(path)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/csv", "text/csv"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("text/csv;q=0.1, application/json;q=0.9", "application/json"),
        ("text/csv;q=x", "application/json"),
    ],
)
def test_the_accept_header_is_heard(polled: Arena, accept: str, media_type: str):
    assert asked(polled, Accept=accept).headers["content-type"].split(";")[0] == media_type


def test_the_address_wins_over_the_accept_header(polled: Arena):
    assert asked(polled, "format=json", Accept="text/csv").headers["content-type"] == "application/json"


# ---- many at once ----


class HeldBoards(Boards):
    """The real boards, held up until the test lets them go."""

    def __init__(self, store: VoteStore, snapshot: Snapshot):
        super().__init__(store, lambda: snapshot, waiting=2)
        self.go = threading.Event()
        self.n_computed = 0

    @property
    def n_on_their_way(self) -> int:
        with self._lock:
            return sum(not view.done() for view in self._views.values())

    def compute(self, snapshot: Snapshot, choice: Choice) -> View:
        assert self.go.wait(60)
        self.n_computed += 1
        return super().compute(snapshot, choice)


def test_who_waits_for_boards_keeps_nobody_from_voting(serve: Serve):
    with VoteStore.open(None) as store:
        stock(store)
        boards = HeldBoards(store, take_snapshot(store, NOW))
        arena = serve(boards=boards)
        with ThreadPoolExecutor(60) as pool:
            # More than there are threads for voters' requests, and all for one board.
            waiting = [pool.submit(asked, arena, "category=code") for _ in range(55)]
            other = pool.submit(asked, arena, "category=facts")
            while boards.n_on_their_way < 2:
                time.sleep(0.01)
            busy = asked(arena, "category=writing&min_votes=1")
            assert refused(busy) == (503, "busy")
            assert int(busy.headers["retry-after"]) > 0
            visitor = arena.visitor()
            assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200
            assert asked(arena).status_code == 200  # the usual board waits for nothing
            boards.go.set()
            bodies = {waiter.result(60).text for waiter in waiting}
            assert other.result(60).status_code == 200
        assert len({json.dumps(json.loads(body)["leaderboard"]) for body in bodies}) == 1
        assert boards.n_computed == 2


def test_a_client_that_leaves_takes_the_board_from_nobody(serve: Serve):
    with VoteStore.open(None) as store:
        stock(store)
        boards = HeldBoards(store, take_snapshot(store, NOW))
        arena = serve(boards=boards)
        with pytest.raises(httpx.ReadTimeout):
            arena.stranger().get("/api/leaderboard?min_votes=1", timeout=0.5)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(asked, arena, "min_votes=1")
            boards.go.set()
            assert waiting.result(60).status_code == 200
        assert boards.n_computed == 1


# ---- the description ----


def test_the_description_has_every_parameter_and_every_field(polled: Arena):
    described = polled.stranger().get("/api/openapi.json").raise_for_status().json()
    assert described["openapi"].startswith("3.1")
    operation = described["paths"]["/api/leaderboard"]["get"]
    assert [each["name"] for each in operation["parameters"]] == list(PARAMETERS)
    answer = board(polled)
    schemas = described["components"]["schemas"]
    assert set(schemas["Leaderboard"]["properties"]) == set(answer)
    for row in answer["leaderboard"]["ratings"]:
        assert set(row) <= set(schemas["Rating"]["properties"])
    assert set(operation["responses"]) == {"200", "400", "404", "503"}


def test_every_value_that_the_description_allows_is_understood(polled: Arena):
    described = polled.stranger().get("/api/openapi.json").json()
    for parameter in described["paths"]["/api/leaderboard"]["get"]["parameters"]:
        schema = parameter["schema"].get("items", parameter["schema"])
        for value in schema.get("enum", ()):
            read([(parameter["name"], value)])


def test_the_description_is_also_a_page_with_nothing_from_elsewhere(polled: Arena):
    page = polled.stranger().get("/api").raise_for_status()
    assert page.headers["content-type"].startswith("text/html")
    for name in PARAMETERS:
        assert f"<code>{name}</code>" in page.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert '<header class="top">' in page.text  # as on every page, with the way back
    assert "Testing ground" in page.text


# ---- reading an address, without a server ----


def test_an_address_survives_being_read_and_written():
    query = (
        "category=a%2Cb&category=c&language=de&source=human&since=2026-01-01T00%3A00%3A00%2B00%3A00&min_votes=3&style=on"
        "&up_to=9&q=x+y&organization=Q+%26+A&license=MIT&open_weights=no&retired=no"
    )
    pairs = list(httpx.QueryParams(query).multi_items())
    found = read(pairs)
    assert address(found.choice, found.lines) == query
    assert read(httpx.QueryParams(address(found.choice, found.lines)).multi_items()) == found


def test_a_day_is_its_beginning_in_utc_and_a_zone_is_heard():
    assert read([("since", "2026-11-21")]) == read([("since", "2026-11-21T01:00+01:00")])


def test_nothing_asked_is_nothing_chosen():
    found = read([])
    assert found.choice == Choice()
    assert found.format is None
    assert address(found.choice) == ""


@pytest.mark.parametrize("pairs", [[("x", "1")], [("", "")], [("SINCE", "2026-01-01")]])
def test_a_name_that_is_not_known_is_named(pairs: list[tuple[str, str]]):
    with pytest.raises(UnknownParameter, match="known: category"):
        read(pairs)


def test_a_value_that_is_not_known_is_told_with_what_is():
    with pytest.raises(BadValue, match="style cannot be 'maybe'; accepted: on, off"):
        read([("style", "maybe")])


@pytest.mark.parametrize(
    ("accept", "wanted"), [(None, Format.JSON), ("", Format.JSON), (";;q=,,", Format.JSON), ("TEXT/CSV", Format.CSV)]
)
def test_an_accept_header_that_is_not_understood_wants_json(accept: str | None, wanted: Format):
    assert wanted_format(accept) is wanted


def test_newer_votes_leave_a_pinned_link_as_it_was(serve: Serve):
    arena = poll(serve())
    told = board(arena, "category=code")
    ties(arena.store, [*NAMES, *NAMES])
    arena.compute_board()
    assert board(arena)["log"]["n_log"] == 309
    assert board(arena, told["view"]["link"])["leaderboard"] == told["leaderboard"]
