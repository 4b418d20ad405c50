"""What the Leaderboard page makes of a board, in a real browser, from the board that the server holds."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from arena.battle import Model, ModelId, Source
from arena.boards import Boards
from arena.leaderboard import Coefficient, Entry, Leaderboard, Snapshot
from arena.store import VoteStore
from polls import stock
from served import Arena, serving


def entry(name: str, score: float | None, spread: float, ranks: tuple[int, int] | None, **more: object) -> Entry:
    """A line of the board with a symmetric interval."""
    low_rank, high_rank = ranks or (None, None)
    model = Model(ModelId(f"id-{name}"), name, "Org & Co", None)
    low = None if score is None else score - spread
    high = None if score is None else score + spread
    plain = Entry(model, score, low, high, low_rank, low_rank, high_rank, 120, provisional=False)
    return replace(plain, **more)  # type: ignore[arg-type]


BOARD = Leaderboard(
    method="bradley-terry",
    confidence=0.95,
    rounds=1000,
    seed=7,
    n_votes=3215,
    n_models=4,
    dropped={"both bad": 51, "never": 0, "the same model on both sides": 3},
    entries=(
        entry("Terse", 1087, 14, (1, 2), tier=1),
        entry("Prof", 1075, 16, (1, 2), tier=1, provisional=True),
        entry("Essay", 1011, 13, (3, 3), tier=2),
        entry("New", None, 0, None, reason="never lost, so no score can be computed"),
    ),
    settings={"ties": "half", "both_bad": "tie", "min_votes": 0, "style": []},
)
N_LOG = 12
SNAPSHOT = Snapshot(
    "7f3c9a", datetime(2026, 11, 21, 14, 2, tzinfo=UTC), BOARD, N_LOG, "5a17" * 16, (Source.HUMAN, Source.RULE), "0.1.0"
)

Show = Callable[[Snapshot], Page]


@pytest.fixture(scope="module")
def held() -> dict[str, Snapshot]:
    return {"snapshot": SNAPSHOT}


@pytest.fixture(scope="module")
def arena(held: dict[str, Snapshot]) -> Iterator[Arena]:
    """An arena whose board is the one that the test gives it."""
    with serving() as start, VoteStore.open(None) as store:
        stock(store, N_LOG)
        yield start(boards=Boards(store, lambda: held["snapshot"]))


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def show(arena: Arena, held: dict[str, Snapshot], page: Page) -> Show:
    def shown(snapshot: Snapshot, query: str = "") -> Page:
        held["snapshot"] = snapshot
        page.goto(f"{arena.url}/leaderboard{query}")
        page.wait_for_selector("#board-page[data-state=shown]")
        return page

    return shown


def of(snapshot: Snapshot = SNAPSHOT, **changes: Any) -> Snapshot:
    return replace(snapshot, leaderboard=replace(snapshot.leaderboard, **changes))


def row(page: Page, name: str) -> Locator:
    return page.locator(f'.board tr[data-model="id-{name}"]')


def told(page: Page, term: str) -> Locator:
    """What stands behind a term of the method panel, which is opened for it."""
    page.locator("#method").evaluate("panel => { panel.open = true }")
    return page.locator("#method dt", has_text=re.compile(f"^{term}$")).locator("xpath=following-sibling::dd[1]")


def place(drawn: Locator, name: str) -> float:
    return float(str(drawn.get_attribute(name)).removesuffix("%"))


def test_a_rank_is_a_range_or_one_number(show: Show):
    assert show(SNAPSHOT).locator(".board td.rank").all_inner_texts() == ["1–2", "1–2", "3", "–"]


def test_groups_that_votes_cannot_tell_apart_stand_apart_in_the_order_of_ranks_and_nowhere_else(show: Show):
    page = show(SNAPSHOT)
    assert page.locator(".board tr.tier").all_inner_texts() == [
        "Group 1: cannot be told apart from Terse",
        "Group 2: cannot be told apart from Essay",
    ]
    assert [body.locator("tr[data-model]").count() for body in page.locator(".board tbody").all()] == [2, 1, 1]
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".board tr.tier")).to_have_count(0)
    one = tuple(replace(each, tier=1 if each.tier else None) for each in BOARD.entries)
    expect(show(of(entries=one)).locator(".board tr.tier")).to_have_count(0)


def test_an_interval_is_also_there_in_numbers(show: Show):
    expect(row(show(SNAPSHOT), "Terse").get_by_role("img", name="1,073 to 1,101")).to_be_visible()


def test_intervals_are_drawn_to_scale(show: Show):
    # the axis spans 998..1101 and 4 % of it on both sides, 1 point at least: 103 + 2 * 4.12 = 111.24 points
    drawn = row(show(SNAPSHOT), "Terse").locator(".ci-span")
    assert place(drawn, "x2") - place(drawn, "x1") == pytest.approx(100 * 28 / 111.24, abs=0.02)
    dot = row(show(SNAPSHOT), "Terse").locator(".ci-dot")
    assert place(dot, "cx") == pytest.approx(100 * (1087 - 998 + 4.12) / 111.24, abs=0.01)


def test_where_the_design_effect_is_known_the_interval_of_single_votes_stands_behind(show: Show):
    clustered = replace(BOARD.entries[0], design_effect=4.0, low_independent=1080, high_independent=1094, n_voters=9)
    page = show(of(entries=(clustered, *BOARD.entries[1:])))
    whole, alone = (row(page, "Terse").locator(f".ci-{name}") for name in ("span", "alone"))
    # variance 4 times as large: an interval twice as wide
    assert place(whole, "x2") - place(whole, "x1") == pytest.approx(
        2 * (place(alone, "x2") - place(alone, "x1")), abs=0.03
    )
    expect(row(page, "Prof").locator(".ci-alone")).to_have_count(0)


def test_with_one_voter_the_interval_of_single_votes_is_shown_and_marked(show: Show):
    lonely = replace(
        BOARD.entries[0],
        low=None,
        high=None,
        low_independent=1050,
        high_independent=1124,
        n_voters=1,
        reason="all votes come from one voter, or are on one prompt",
    )
    page = show(of(entries=(lonely, *BOARD.entries[1:])))
    expect(row(page, "Terse").locator(".ci-dashed")).to_have_count(1)
    expect(row(page, "Terse").get_by_role("img")).to_have_attribute(
        "aria-label", "1,050 to 1,124, if every vote stood alone"
    )
    expect(page.locator("#facts")).to_contain_text("Dashed: only one or two voters")


def test_a_missing_interval_is_said_and_not_drawn(show: Show):
    lonely = replace(BOARD.entries[0], low=None, high=None, reason="too few rounds agreed")
    page = show(of(entries=(lonely,)))
    expect(row(page, "Terse")).to_contain_text("too few rounds agreed")
    expect(page.locator(".ci")).to_have_count(0)


def test_a_model_without_a_rating_stands_at_the_foot_with_its_reason_in_any_order(show: Show):
    page = show(SNAPSHOT)
    for name in ("Rank", "Model", "Score", "95% interval", "Votes"):
        for _ in range(2):
            page.get_by_role("button", name=name, exact=True).click()
            last = page.locator(".board tr[data-model]").last
            expect(last).to_contain_text("never lost, so no score can be computed")
            expect(last.locator(".ci")).to_have_count(0)


def test_few_votes_and_retired_models_are_marked(show: Show):
    retired = replace(BOARD.entries[2].model, retired_at=datetime(2026, 1, 1, tzinfo=UTC))
    page = show(of(entries=(*BOARD.entries[:2], replace(BOARD.entries[2], model=retired), BOARD.entries[3])))
    assert [each.inner_text() for each in page.locator(".board .tag").all()] == ["provisional", "retired"]
    expect(row(page, "Prof").locator(".tag")).to_have_text("provisional")
    expect(row(page, "Essay").locator(".tag")).to_have_text("retired")


def test_what_was_left_out_is_named_with_its_count(show: Show):
    page = show(SNAPSHOT)
    expect(page.locator("#facts")).to_contain_text(
        "3,215 votes counted, 54 left out (both bad: 51, the same model on both sides: 3)."
    )
    assert told(page, "Left out").locator("li").all_inner_texts() == ["both bad: 51", "the same model on both sides: 3"]


def test_the_board_says_what_it_was_made_of(show: Show):
    page = show(SNAPSHOT)
    expect(page.locator("#aside")).to_have_text("as of Nov 21, 14:02 UTC · snapshot 7f3c9a")
    expect(told(page, "Whose votes")).to_have_text("People, Rules")
    expect(told(page, "Scores")).to_contain_text("Bradley-Terry")
    expect(told(page, "Seed")).to_have_text("7")
    expect(told(page, "Snapshot")).to_contain_text("7f3c9a Nov 21, 2026, 2:02")
    expect(told(page, "Log")).to_have_text(f"up to entry 12 {SNAPSHOT.log_hash}")
    expect(told(page, "Version")).to_have_text("0.1.0")
    expect(told(page, "Settings")).to_contain_text('"min_votes":0')
    expect(told(page, "Compute it again")).to_contain_text(
        "bakeoff rate --db arena.duckdb --up-to 12 --source human,rule"
    )


def test_the_board_says_where_its_intervals_come_from(show: Show):
    page = show(of(intervals="bootstrap, votes resampled"))
    expect(told(page, "Intervals")).to_have_text("With 95% confidence: bootstrap, votes resampled (1,000).")
    # By a formula there are no rounds; of three design effects, 2 is in the middle.
    entries = tuple(replace(each, design_effect=effect) for each, effect in zip(BOARD.entries, (1, 2, 9), strict=False))
    page = show(of(intervals="sandwich, clustered by voter (124)", entries=(*entries, BOARD.entries[3])))
    expect(told(page, "Intervals")).to_contain_text("resemble each other (124 voters)")
    expect(told(page, "Intervals")).to_contain_text("variance 2 times that of independent votes")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Ties, and both-bad verdicts as well, count as half a win for each side."),
        ({"both_bad": "drop"}, "Ties count as half a win for each side; both-bad verdicts do not count."),
        ({"ties": "davidson"}, "Ties, and both-bad verdicts as well, are an outcome of their own."),
        ({"ties": "davidson", "both_bad": "drop"}, "Ties are an outcome of their own; both-bad verdicts do not count."),
        ({"both_bad": "own"}, "Ties and both-bad verdicts are outcomes of their own; 1000 is the score of barely any"),
    ],
)
def test_the_board_says_what_ties_and_both_bad_count_as(show: Show, settings: dict[str, str], words: str):
    expect(told(show(of(settings=settings)), "Ties")).to_contain_text(words)


def test_what_style_does_to_the_votes_is_told_with_its_interval(show: Show):
    length = Coefficient("length", 0.414, 0.2, 0.628, "logits per unit")
    emoji = Coefficient("emoji", -0.1, None, None, "logits per unit", reason="too few answers with it")
    page = show(of(coefficients=(length, emoji), notes=("a note of the method",)))
    assert told(page, "Style").locator("li").all_inner_texts() == [
        "Length: +0.41 (+0.20 to +0.63)",
        "Emoji: -0.10 (too few answers with it)",
    ]
    expect(told(page, "Notes")).to_have_text("a note of the method")


def test_every_value_is_text_and_no_markup(show: Show):
    bad = "<img src=x onerror=alert(1)>"
    model = Model(ModelId(bad), bad, bad, bad)
    rated, other = replace(BOARD.entries[0], model=model), replace(BOARD.entries[1], tier=2)
    unrated = replace(
        BOARD.entries[3], model=replace(model, id=ModelId("another"), retired_at=SNAPSHOT.computed_at), reason=bad
    )
    snapshot = of(entries=(rated, other, unrated), dropped={bad: 1}, method=bad, intervals=bad, notes=(bad,))
    page = show(replace(snapshot, id=f"f00{bad}", app_version=bad))
    expect(page.locator(".gradio-container img")).to_have_count(0)
    assert page.locator("body").inner_text().count(bad) >= 5


def test_a_board_of_one_model_and_one_without_any_rating_can_be_drawn(show: Show):
    for entries in (BOARD.entries[:1], BOARD.entries[3:]):
        expect(show(of(entries=entries)).locator(".board tr[data-model]")).to_have_count(1)


def test_models_whose_intervals_are_points_can_be_drawn(show: Show):
    page = show(of(entries=(replace(BOARD.entries[0], low=1087.0, high=1087.0),)))
    assert place(row(page, "Terse").locator(".ci-dot"), "cx") == 50


def test_columns_that_say_nothing_are_not_there(show: Show):
    page = show(SNAPSHOT)
    headings = page.locator(".board thead button.sort").all_inner_texts()
    assert headings == ["Rank", "Model", "Score", "95% interval", "Votes", "Organisation"]  # no licence is known
    nameless = tuple(replace(each, model=replace(each.model, organization=None)) for each in BOARD.entries)
    expect(show(of(entries=nameless)).locator(".board thead button.sort")).to_have_count(5)


def test_a_model_leads_to_its_page(show: Show):
    link = row(show(SNAPSHOT), "Terse").get_by_role("link", name="Terse")
    expect(link).to_have_attribute("href", "./model?id=id-Terse")
