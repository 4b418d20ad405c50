from dataclasses import replace
from datetime import UTC, datetime

import pytest

from arena.battle import Model, ModelId, Source
from arena.leaderboard import Entry, Leaderboard, Snapshot
from arena.ui.leaderboard_page import board_html, nothing_yet_html, recompute_hint


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
        entry("Terse", 1087, 14, (1, 2)),
        entry("Prof", 1075, 16, (1, 2), provisional=True),
        entry("Essay", 1011, 13, (3, 3)),
        entry("New", None, 0, None, reason="never lost, so no score can be computed"),
    ),
)
SNAPSHOT = Snapshot(
    "7f3c", datetime(2026, 11, 21, 14, 2, tzinfo=UTC), BOARD, 3301, "hash", (Source.HUMAN, Source.AI_JUDGE), "0.1.0"
)


def rows(html: str) -> list[str]:
    return html.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]


def shown(snapshot: Snapshot = SNAPSHOT) -> str:
    return board_html(snapshot, hint="Hint.")


def test_a_rank_is_a_range_or_one_number():
    assert [row.partition('class="rank">')[2].partition("<")[0] for row in rows(shown())] == ["1–2", "1–2", "3", "–"]


def test_a_line_is_drawn_where_ranks_separate_and_nowhere_else():
    assert ["class=group" in row for row in rows(shown())] == [False, True, False, False]


def test_an_interval_is_also_there_in_numbers():
    first = rows(shown())[0]
    assert 'title="1,073–1,101"' in first
    assert '<span class="unseen">1,073–1,101</span>' in first


def test_intervals_are_drawn_to_scale():
    # the axis spans 998..1101 and 4 % of it on both sides, 1 point at least: 103 + 2 * 4.12 = 111.24 points
    first = rows(shown())[0]
    assert f"width:{100 * 28 / 111.24:.2f}%" in first
    assert f"left:{100 * (1087 - 998 + 4.12) / 111.24:.2f}%" in first


def test_a_missing_interval_is_said_and_not_drawn():
    lonely = replace(BOARD.entries[0], low=None, high=None, reason="too few rounds agreed")
    row = rows(shown(replace(SNAPSHOT, leaderboard=replace(BOARD, entries=(lonely,)))))[0]
    assert "too few rounds agreed" in row
    assert "<i " not in row
    assert "<u " not in row


def test_a_model_without_a_rating_stands_at_the_foot_with_its_reason():
    last = rows(shown())[-1]
    assert "never lost, so no score can be computed" in last
    assert 'class="ci"' not in last


def test_few_votes_are_marked_provisional():
    assert ["provisional" in row for row in rows(shown())] == [False, True, False, False]


def test_what_was_left_out_is_named_with_its_count():
    html = shown()
    assert "3,215 votes counted, 54 left out: both bad (51), the same model on both sides (3)." in html
    assert "never (0)" not in html


def test_the_board_says_what_it_was_made_of():
    html = shown()
    for fact in ("2026-11-21 14:02 UTC", "people and AI judges", "vote number 3,301", "7f3c", "bradley-terry", "1,000"):
        assert fact in html
    assert "seed 7" in html


def test_the_board_says_where_its_intervals_come_from():
    drawn = shown()
    assert "intervals: bootstrap, votes resampled (1,000 rounds, seed 7)" in drawn
    # By a formula there are no rounds; of three design effects, 2 is in the middle.
    entries = tuple(replace(each, design_effect=effect) for each, effect in zip(BOARD.entries, (1, 2, 9), strict=False))
    board = replace(BOARD, intervals="sandwich, clustered by voter (124)", entries=(*entries, BOARD.entries[3]))
    by_formula = shown(replace(SNAPSHOT, leaderboard=board))
    assert "intervals: sandwich, clustered by voter (124), design effect 2.00" in by_formula
    assert "rounds" not in by_formula


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Ties, and both-bad verdicts as well, count as half a win for each side."),
        ({"both_bad": "drop"}, "Ties count as half a win for each side, both-bad verdicts do not count."),
        ({"ties": "davidson"}, "Ties, and both-bad verdicts as well, count as an outcome of their own."),
        ({"both_bad": "own"}, "Ties and both-bad verdicts are outcomes of their own"),
    ],
)
def test_the_board_says_what_ties_and_both_bad_count_as(settings: dict[str, str], words: str):
    assert words in shown(replace(SNAPSHOT, leaderboard=replace(BOARD, settings=settings)))


def test_every_value_is_escaped():
    bad = "<img src=x onerror=alert(1)>"
    model = Model(ModelId(bad), bad, bad, bad)
    rated = replace(BOARD.entries[0], model=model)
    unrated = replace(BOARD.entries[3], model=model, reason=bad)
    board = replace(BOARD, entries=(rated, unrated), dropped={bad: 1}, method=bad)
    html = shown(replace(SNAPSHOT, leaderboard=board, id=bad, app_version=bad))
    assert "<img" not in html
    assert html.count("&lt;img") >= 10


def test_no_votes_no_board_yet_and_no_board_possible_are_different_states():
    assert "No votes yet" in nothing_yet_html(0, None, "Soon.")
    assert "Not computed yet" in nothing_yet_html(2, None, "Soon.")
    assert "No vote is left to rate: 2 left out &lt;b&gt;. Soon." in nothing_yet_html(
        2, "no vote is left to rate: 2 left out <b>", "Soon."
    )


def test_a_board_of_one_model_can_be_drawn():
    assert len(rows(shown(replace(SNAPSHOT, leaderboard=replace(BOARD, entries=BOARD.entries[:1]))))) == 1


def test_a_board_without_any_rating_can_be_drawn():
    assert len(rows(shown(replace(SNAPSHOT, leaderboard=replace(BOARD, entries=BOARD.entries[3:]))))) == 1


@pytest.mark.parametrize(
    ("seconds", "votes", "words"),
    [
        (300, 10, "Recomputed after 10 new votes, sooner while there are few, and within 5 minutes of any."),
        (1, 1, "Recomputed after every new vote, and within 1 second of any."),
        (7200, 1000, "Recomputed after 1,000 new votes, sooner while there are few, and within 2 hours of any."),
    ],
)
def test_the_hint_says_when_the_board_is_computed_again(seconds: float, votes: int, words: str):
    assert recompute_hint(seconds, votes) == words
