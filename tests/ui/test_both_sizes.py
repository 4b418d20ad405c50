"""The journeys that every arena stands or falls with, each on a desktop and on a phone."""

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from pydantic import SecretStr

from arena import table
from arena.intake import import_pack
from arena.leaderboard import Snapshot
from arena.pack import read_pack, starter_directory
from arena.settings import Settings
from arena.store import VoteStore
from arena.ui.server import open_site
from polls import stock
from served import NOON, Arena, Clock, in_state, open_arena, serving
from stage import listening

VOTE = re.compile(r"/vote$")


@pytest.fixture(params=["desktop", "phone"])
def context(request: pytest.FixtureRequest, desktop: BrowserContext, phone: BrowserContext) -> BrowserContext:
    """A visitor's browser at each of the two sizes."""
    return desktop if request.param == "desktop" else phone


@pytest.fixture(scope="module")
def polled() -> Iterator[Arena]:
    """An arena with 300 votes and their board; nothing is added to it."""
    with serving() as start:
        arena = start()
        stock(arena.store)
        arena.compute_board()
        yield arena


def texts_of(page: Page) -> list[str]:
    return [page.locator(part).inner_text() for part in ("#question", "#a .text", "#b .text")]


def press(page: Page, name: str) -> None:
    """By mouse, or by touch where there is no mouse."""
    button = page.get_by_role("button", name=name, exact=False).first
    if page.evaluate("matchMedia('(pointer: coarse)').matches"):
        button.tap()
    else:
        button.click()


# ---- voting ----


def test_a_vote_by_mouse_or_touch(context: BrowserContext, arena: Arena):
    page = open_arena(context, arena)
    before = texts_of(page)
    press(page, "B is better")
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    for side in ("#a", "#b"):
        expect(page.locator(f"{side} .name")).not_to_be_empty()
    press(page, "Next")
    in_state(page, "voting")
    assert texts_of(page) != before
    assert arena.n_votes == 1


def test_a_vote_by_key(context: BrowserContext, arena: Arena):
    page = open_arena(context, arena)
    for n, key in enumerate("abtn", 1):
        page.keyboard.press(key)
        in_state(page, "revealed")
        assert arena.n_votes == n
        page.keyboard.press("Enter")
        in_state(page, "voting")


def test_an_undo(context: BrowserContext, arena: Arena):
    page = open_arena(context, arena)
    before = texts_of(page)
    press(page, "A is better")
    in_state(page, "revealed")
    page.wait_for_timeout(400)  # a double click must not reach what has just appeared
    press(page, "Undo")
    expect(page.locator("#saved")).to_have_text("Withdrawn: A is better. It counts no more.")
    assert (arena.n_votes, arena.n_acts) == (0, 2)
    press(page, "Next")
    in_state(page, "voting")
    assert texts_of(page) != before


def test_a_reload_in_the_middle_of_a_ballot(context: BrowserContext, arena: Arena):
    page = open_arena(context, arena)
    before = texts_of(page)
    page.reload()
    in_state(page, "voting")
    assert texts_of(page) == before
    press(page, "Tie")
    in_state(page, "revealed")
    page.reload()
    in_state(page, "voting")
    assert texts_of(page) != before
    assert arena.n_votes == 1


def test_two_tabs(context: BrowserContext, arena: Arena):
    first, second = open_arena(context, arena), open_arena(context, arena)
    assert texts_of(first) == texts_of(second)
    press(first, "A is better")
    in_state(first, "revealed")
    press(second, "B is better")
    expect(second.locator("#saved")).to_contain_text("Your first verdict stays: A is better.")
    expect(second.locator("#a .name")).to_be_empty()
    press(second, "Next")
    in_state(second, "voting")
    assert arena.n_votes == 1


def test_the_back_button(context: BrowserContext, arena: Arena):
    page = open_arena(context, arena)
    press(page, "A is better")
    in_state(page, "revealed")
    press(page, "Next")
    in_state(page, "voting")
    before = texts_of(page)
    page.get_by_role("link", name="Leaderboard").click()
    page.wait_for_selector("#board-page:not([data-state=loading])")
    page.go_back()
    in_state(page, "voting")
    assert texts_of(page) == before
    expect(page.locator("#a .name")).to_be_empty()
    press(page, "Tie")
    in_state(page, "revealed")
    assert arena.n_votes == 2


# ---- what may go wrong ----


def test_a_slow_network(context: BrowserContext, arena: Arena):
    held: list[Route] = []
    page = open_arena(context, arena)
    page.route(VOTE, lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    press(page, "A is better")
    in_state(page, "sending")
    page.locator("[data-verdict=B]").click(force=True)  # impatience changes nothing
    page.keyboard.press("t")
    assert len(held) == 1
    expect(page.locator("#a .name")).to_be_empty()
    held[0].continue_()
    expect(page.locator("#saved")).to_have_text("✓ Saved: A is better.")
    assert arena.n_votes == 1


def test_a_server_that_was_restarted_between_two_votes(context: BrowserContext, tmp_path: Path):
    database = tmp_path / "arena.duckdb"
    with VoteStore.open(database) as store:
        import_pack(store, read_pack(starter_directory()), NOON)

    def serve(exits: ExitStack, port: int = 0) -> str:
        store = exits.enter_context(VoteStore.open(database))
        settings = Settings(secret=SecretStr("a secret of at least 32 characters"))
        site = open_site(store, settings, clock=Clock(NOON), rng=random.Random(1))
        return exits.enter_context(listening(site, port))

    page = context.new_page()
    with ExitStack() as exits:
        address = serve(exits)
        page.goto(address)
        in_state(page, "voting")
        press(page, "A is better")
        in_state(page, "revealed")
        press(page, "Next")
        in_state(page, "voting")
        before = texts_of(page)
    press(page, "Tie")
    expect(page.locator("#trouble")).to_contain_text("The server did not answer")
    with ExitStack() as exits:
        assert serve(exits, urlsplit(address).port or 0) == address
        press(page, "Try again")
        expect(page.locator("#saved")).to_have_text("✓ Saved: Tie.")
        assert texts_of(page) == before
        press(page, "Next")
        in_state(page, "voting")
        expect(page.locator("#aside")).to_have_text("2 votes by you · 2 in all")


# ---- the leaderboard ----


def test_filters_and_the_link_that_shares_them(context: BrowserContext, polled: Arena):
    page = _open_board(context, polled)
    page.locator("#pick-category").click()
    page.locator("#pick-category-code").check()
    page.keyboard.press("Escape")
    page.get_by_role("searchbox", name="Search models").fill("osterhaus")
    expect(page.locator(".board tr[data-model]")).to_have_count(2)
    page.wait_for_selector("#board-page[aria-busy=false]")
    page.wait_for_url(re.compile("q=osterhaus"))
    shown = page.locator(".board").inner_text()
    page.locator("#link").click()
    page.wait_for_url(re.compile("up_to=300"))
    other = _open_board(context, polled, urlsplit(page.url).query)
    assert other.locator(".board").inner_text() == shown
    page.go_back()
    page.go_back()
    expect(page.locator(".board tr[data-model]")).to_have_count(5)


def test_downloads_hold_what_the_database_says(context: BrowserContext, polled: Arena, tmp_path: Path):
    page = _open_board(context, polled)
    files = {}
    for name in ("CSV", "JSON", "Parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        files[name] = tmp_path / f"board.{name.lower()}"
        download.value.save_as(files[name])
    latest: Snapshot | None = polled.job.latest()
    assert latest is not None
    expected = {entry.model.id: (entry.score, entry.n_votes) for entry in latest.leaderboard.entries}
    found = {
        "CSV": list(csv.DictReader(io.StringIO(files["CSV"].read_text()))),
        "JSON": json.loads(files["JSON"].read_text())["leaderboard"]["ratings"],
        "Parquet": [row for _, row in table.rows_of(files["Parquet"])],
    }
    for name, rows in found.items():
        told = {row["model"]: (float(row["score"]), int(row["n_votes"])) for row in rows}
        assert told == {model: (pytest.approx(score), n) for model, (score, n) in expected.items()}, name
    # And the votes behind them are those of the log: each is one of two models.
    counted = [tally for tally in polled.store.votes.tallies(300) if tally.source.value == "human"]
    assert sum(n for _, n in expected.values()) == 2 * sum(tally.n for tally in counted)


def _open_board(context: BrowserContext, arena: Arena, query: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{arena.url}/leaderboard?{query}")
    page.wait_for_selector("#board-page[data-state=shown]")
    return page
