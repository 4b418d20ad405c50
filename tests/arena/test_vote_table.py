"""Votes as a query finds them: those that were asked for, all others counted by reason, and each one exactly once."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import style, vote_table
from arena.battle import Battle, BattleId, ModelId, PromptId, Source, Verdict, VoteId, VoterId
from arena.battle import Vote as StoredVote
from arena.errors import BadInput
from arena.plan import Intervals, Plan
from arena.rating import rate
from arena.rows import Rows
from arena.store import VoteStore
from arena.tally import Selection, Unit
from arena.vote_file import open_votes
from arenas import fill
from ground import NOW
from simulated import BEGIN, MODELS, Vote, shuffled, votes, without, write, write_typed

ITEMS = {ModelId(name): item for item, name in enumerate(("a", "b", "c"))}
ENDINGS = (".csv", ".jsonl", ".parquet")


def vote(winner: str = "tie", a: str = "a", b: str = "b", **columns: Any) -> dict[str, Any]:
    return {"model_a": a, "model_b": b, "winner": winner, **columns}


def counted(path: Path, rows: Sequence[Vote], **chosen: Any) -> tuple[int, dict[str, int]]:
    """How many votes are kept, and how many are left out by reason."""
    with open_votes(write(path, rows), Selection(**chosen)) as opened:
        found = opened.counted()
    assert int(found.n.sum()) + sum(found.left_out.values()) == len(rows)
    return int(found.n.sum()), dict(found.left_out)


def rows_of(path: Path, rows: Sequence[Vote], **asked: Any) -> list[Rows]:
    with open_votes(write(path, rows)) as opened:
        opened.counted()
        return list(opened.rows(ITEMS, **asked))


def listed(pieces: Sequence[Rows]) -> list[tuple[int, int, int]]:
    return [
        (int(a), int(b), int(verdict))
        for piece in pieces
        for a, b, verdict in zip(piece.model_a, piece.model_b, piece.verdict, strict=True)
    ]


# Which votes count


@pytest.mark.parametrize("ending", ENDINGS)
def test_sources_that_were_not_asked_for_are_left_out_and_counted(tmp_path: Path, ending: str):
    rows = [vote(source="human")] * 2 + [vote(source="ai_judge")] * 9 + [vote(source="lmsys"), vote(source=None)]
    path = tmp_path / f"votes{ending}"
    assert counted(path, rows, sources=(Source.HUMAN,)) == (
        2,
        {
            "source ai_judge is not asked for": 9,
            "source lmsys is not asked for": 1,
            "no source is known": 1,
        },
    )
    assert counted(path, rows, sources=(Source.HUMAN, Source.AI_JUDGE))[0] == 11
    assert counted(path, rows) == (13, {})


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("column", "asked"), [("category", "categories"), ("language", "languages")])
def test_categories_and_languages_are_chosen_by_their_exact_words(tmp_path: Path, ending: str, column: str, asked: str):
    words = ["code", "code", "Code", "it's", "", None]
    rows = [vote(**{column: word}) for word in words]
    # An empty field is nothing in every format.
    assert counted(tmp_path / f"votes{ending}", rows, **{asked: ("code", "it's")}) == (
        3,
        {f"{column} Code is not asked for": 1, f"no {column} is known": 2},
    )


def test_a_vote_is_left_out_for_the_first_reason_only(tmp_path: Path):
    rows = [vote(source="rule", category=None), vote(source="human", category=None)]
    rows.append(vote(source="human", category="code"))
    assert counted(tmp_path / "votes.jsonl", rows, sources=(Source.HUMAN,), categories=("code",)) == (
        1,
        {"source rule is not asked for": 1, "no category is known": 1},
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_since_is_from_then_on_and_until_is_before_then(tmp_path: Path, ending: str):
    times = [
        "2026-05-01T11:59:59.999999Z",
        "2026-05-01T12:00:00Z",
        "2026-05-01T12:59:59Z",
        "2026-05-01T13:00:00Z",
        None,
    ]
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    rows = [vote(voted_at=time) for time in times]
    assert counted(tmp_path / f"votes{ending}", rows, since=noon, until=noon + timedelta(hours=1)) == (
        2,
        {
            "cast before 2026-05-01T12:00:00+00:00": 1,
            "cast from 2026-05-01T13:00:00+00:00": 1,
            "no time is known": 1,
        },
    )


@pytest.mark.parametrize(
    "time",
    ["2026-05-01T14:00:00+02:00", "2026-05-01 12:00", "2026-05-01T12:00:00", "2026-05-01T08:00:00-04:00"],
    ids=["two hours east", "without a zone", "without a zone, with a T", "four hours west"],
)
def test_the_same_moment_counts_whatever_its_zone_and_without_one_it_is_utc(tmp_path: Path, time: str):
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    rows = [vote(voted_at=time)]
    for asked in (noon, noon.astimezone(timezone(timedelta(hours=-9)))):
        assert counted(tmp_path / "votes.csv", rows, since=asked)[0] == 1
        assert counted(tmp_path / "votes.csv", rows, until=asked)[0] == 0


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "timestamp_ns"])
def test_times_of_parquet_need_no_text(tmp_path: Path, kind: str):
    path = write_typed(tmp_path / "votes.parquet", [vote(voted_at="2026-05-01 12:00:00")], voted_at=kind)
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for selection, n in ((Selection(since=noon), 1), (Selection(until=noon), 0)):
        with open_votes(path, selection) as opened:
            assert int(opened.counted().n.sum()) == n


def test_a_time_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match="yesterday"):
        counted(tmp_path / "votes.csv", [vote(voted_at="yesterday")], since=BEGIN)


@pytest.mark.parametrize(
    ("asked", "column"),
    [
        ({"sources": (Source.HUMAN,)}, "source"),
        ({"categories": ("code",)}, "category"),
        ({"languages": ("en",)}, "language"),
        ({"since": BEGIN}, "voted_at"),
        ({"until": BEGIN}, "voted_at"),
    ],
)
def test_nothing_can_be_chosen_by_a_column_that_is_not_there(tmp_path: Path, asked: dict[str, Any], column: str):
    with pytest.raises(BadInput, match=f"have no column '{column}', so nothing can be chosen by it"):
        counted(tmp_path / "votes.csv", [vote()], **asked)


def test_columns_of_other_meanings_are_in_nobodys_way(tmp_path: Path):
    # Names that the queries use for themselves, and words of SQL.
    others = dict.fromkeys(("reason", "n", "a", "b", "verdict", "raw", "item", "code", "key", "unit", "select"), "x")
    rows = [others | vote("model_a", category="code", voter="v"), others | vote(category="x", voter="v")]
    assert counted(tmp_path / "votes.csv", rows, categories=("code",)) == (1, {"category x is not asked for": 1})
    [piece] = rows_of(tmp_path / "votes.csv", rows, unit=Unit.VOTER)
    assert sorted(listed([piece])) == [(0, 1, 0), (0, 1, 2)]


# Units


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_unit_is_known_where_its_column_tells_anything(tmp_path: Path, ending: str):
    path = tmp_path / f"votes{ending}"
    for rows, known in (
        ([vote()], []),
        ([vote(voter=None, prompt_id="p")], [Unit.PROMPT]),
        ([vote(voter="", prompt_id=None)], []),
        ([vote(voter="v", prompt_id="p"), vote()], [Unit.VOTER, Unit.PROMPT]),
    ):
        with open_votes(write(path, rows)) as opened:
            assert list(opened.units()) == known


def test_what_is_not_known_is_a_unit_of_its_own(tmp_path: Path):
    rows = [vote(voter=voter) for voter in ("v", None, "w", "v", "", None)]
    [piece] = rows_of(tmp_path / "votes.jsonl", rows, unit=Unit.VOTER)
    assert piece.unit is not None
    # v twice, w once, and three votes by nobody: five units, numbered from 0.
    assert sorted(np.bincount(piece.unit).tolist()) == [1, 1, 1, 1, 2]


def test_a_unit_that_no_column_tells_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match="have no column 'voter'"):
        rows_of(tmp_path / "votes.csv", [vote()], unit=Unit.VOTER)


# Rows


@pytest.mark.parametrize("ending", ENDINGS)
def test_rows_are_the_votes_between_the_models_that_are_asked_for(tmp_path: Path, ending: str):
    rows = [vote("model_a"), vote("model_b", "c", "a"), vote("tie", "b", "c"), vote("tie (bothbad)"), vote(a="z")]
    found = sorted(listed(rows_of(tmp_path / f"votes{ending}", rows)))
    # A, B, tie and both bad are 0 to 3; z is no item.
    assert found == [(0, 1, 0), (0, 1, 3), (1, 2, 2), (2, 0, 1)]


def test_no_rows_give_no_piece(tmp_path: Path):
    assert rows_of(tmp_path / "votes.csv", [vote(a="y", b="z")]) == []


def test_numbers_as_names_of_models_and_voters_are_their_digits(tmp_path: Path):
    rows = [{**vote("model_a"), "model_a": "7", "voter": "1"}, {**vote("model_b"), "model_a": "7", "voter": "2"}]
    path = write_typed(tmp_path / "votes.parquet", rows, model_a="integer", voter="integer")
    with open_votes(path) as opened:
        assert opened.counted().models == ("7", "b")
        [piece] = opened.rows({ModelId("7"): 0, ModelId("b"): 1}, unit=Unit.VOTER)
    assert sorted(listed([piece])) == [(0, 1, 0), (0, 1, 1)]


def test_enumerations_of_parquet_are_texts(tmp_path: Path):
    rows = [vote("model_a"), vote("tie")]
    path = write_typed(
        tmp_path / "votes.parquet", rows, model_a="enum('a')", model_b="enum('b')", winner="enum('tie', 'model_a')"
    )
    with open_votes(path) as opened:
        opened.counted()
        assert sorted(listed(list(opened.rows(ITEMS)))) == [(0, 1, 0), (0, 1, 2)]


def test_in_order_is_by_time_and_neither_rows_nor_sides_matter(tmp_path: Path):
    rows = votes(60)  # two at each moment
    items = {ModelId(name): item for item, name in enumerate(MODELS)}

    def in_order(path: Path, these: Sequence[Vote]) -> list[tuple[int, int, int]]:
        with open_votes(write(path, these)) as opened:
            opened.counted()
            found = listed(list(opened.rows(items, in_order=True)))
        return [(a, b, verdict) if a < b else (b, a, (1, 0, 2, 3)[verdict]) for a, b, verdict in found]

    first = in_order(tmp_path / "votes.csv", rows)
    assert first == in_order(tmp_path / "votes.parquet", shuffled(rows))
    # Two by two they are the votes of each moment.
    winners = ["model_a", "model_b", "tie", "both_bad"]
    for place in range(0, 60, 2):
        expected = []
        for row in rows[place : place + 2]:
            a, b, verdict = items[row["model_a"]], items[row["model_b"]], winners.index(row["winner"])
            expected.append((a, b, verdict) if a < b else (b, a, (1, 0, 2, 3)[verdict]))
        assert sorted(first[place : place + 2]) == sorted(expected)


def test_an_order_that_some_votes_do_not_tell_is_none(tmp_path: Path):
    with pytest.raises(BadInput, match="have no column 'voted_at': their order is not known"):
        rows_of(tmp_path / "votes.csv", [vote()], in_order=True)
    with pytest.raises(BadInput, match=r"1 of the votes in .* do not tell when they were cast"):
        rows_of(tmp_path / "votes.csv", [vote(voted_at="2026-05-01"), vote(voted_at="")], in_order=True)


def test_no_unit_is_in_two_pieces_and_no_vote_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vote_table, "_ROWS_AT_ONCE", 100)
    rows = [vote(voter=f"v{n % 7}" if n % 10 else None) for n in range(500)]
    pieces = rows_of(tmp_path / "votes.csv", rows, unit=Unit.VOTER)
    assert len(pieces) > 1
    keys = [key for piece in pieces if piece.unit_keys is not None for key in piece.unit_keys.tolist()]
    assert len(keys) == len(set(keys)) == 7
    sizes = Counter(size for piece in pieces for size in np.bincount(piece.unit).tolist())  # type: ignore[arg-type]
    # Each voter has about 500 * 9 / 10 / 7 = 64 votes; the 50 of nobody stand alone.
    assert sizes[1] == 50
    assert sum(size * n for size, n in sizes.items()) == 500


@pytest.mark.parametrize("intervals", [Intervals.SANDWICH, Intervals.CLUSTER])
def test_several_pieces_give_the_same_board_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, intervals: Intervals
):
    path = write(tmp_path / "votes.parquet", votes(600))
    boards = []
    for at_once in (1_000_000, 50):
        monkeypatch.setattr(vote_table, "_ROWS_AT_ONCE", at_once)
        with open_votes(path) as opened:
            boards.append(rate(opened.counted(), {}, Plan(intervals=intervals, rounds=500), rows=opened))
    one, several = boards
    for left, right in zip(one.entries, several.entries, strict=True):
        assert (left.model, left.score, left.rank, left.n_votes) == (
            right.model,
            right.score,
            right.rank,
            right.n_votes,
        )
        assert left.low is not None
        assert right.low is not None
        if intervals is Intervals.SANDWICH:
            assert left == right
        else:
            # The rounds draw voters in another order: other draws of the same distribution, whose spread is about 40
            # points; a 2.5 % quantile of 500 draws is then known to 40 * sqrt(.025 * .975 / 500) / .058 = 5 points.
            assert left.low == pytest.approx(right.low, abs=20)


# Style


STYLED: dict[str, Any] = {"length_a": 30, "length_b": 10, "bold_a": 0, "bold_b": 0}


@pytest.mark.parametrize("ending", ENDINGS)
def test_style_from_counts_is_the_share_by_which_a_has_more(tmp_path: Path, ending: str):
    [piece] = rows_of(tmp_path / f"votes{ending}", [vote(**STYLED)], style=("length", "bold"))
    # (30 - 10) / (30 + 10), and 0 where nobody has any.
    assert piece.style["length"].tolist() == [0.5]
    assert piece.style["bold"].tolist() == [0.0]


@pytest.mark.parametrize("ending", ENDINGS)
def test_style_from_texts_is_that_of_their_counts(tmp_path: Path, ending: str):
    rows = votes(40)
    path = tmp_path / f"votes{ending}"
    items = {ModelId(name): item for item, name in enumerate(MODELS)}
    counts = [
        {
            f"{name}_{side}": n
            for side in "ab"
            for name, n in zip(style.FEATURES, style.count(row[f"answer_{side}"]), strict=True)
        }
        for row in rows
    ]
    counted_rows = [row | told for row, told in zip(without(rows, "answer_a", "answer_b"), counts, strict=True)]

    def styled(these: Sequence[Vote]) -> list[tuple[Any, ...]]:
        with open_votes(write(path, these)) as opened:
            opened.counted()
            [piece] = opened.rows(items, style=style.FEATURES)
        return sorted(zip(listed([piece]), *(piece.style[name].tolist() for name in style.FEATURES), strict=True))

    assert styled(rows) == styled(counted_rows)
    assert len(styled(rows)) == 40


def test_the_same_text_on_both_sides_makes_no_difference(tmp_path: Path):
    [piece] = rows_of(tmp_path / "votes.csv", [vote(answer_a="one two", answer_b="one two")] * 3, style=("length",))
    assert piece.style["length"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("count", [None, "", -1, "nan", "inf"])
def test_a_count_that_is_none_is_refused(tmp_path: Path, count: Any):
    rows = [vote(**STYLED), vote(**{**STYLED, "length_b": count})]
    with pytest.raises(BadInput, match=r"1 of the votes in .* lack a count in one of length_a, length_b"):
        rows_of(tmp_path / "votes.csv", rows, style=("length",))


def test_a_count_that_is_no_number_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match="lack a count in one of length_a, length_b; each needs a number"):
        rows_of(tmp_path / "votes.csv", [vote(**{**STYLED, "length_a": "long"})], style=("length",))


def test_a_vote_without_its_texts_is_not_left_out_in_silence(tmp_path: Path):
    rows = [vote(answer_a="One.", answer_b="Two."), vote(answer_a=None, answer_b="Two.")]
    with pytest.raises(BadInput, match=r"1 of the votes in .* lack an answer's text .*: their style is not known"):
        rows_of(tmp_path / "votes.csv", rows, style=("length",))


def test_votes_that_do_not_count_need_no_style(tmp_path: Path):
    rows = [
        vote(answer_a="One.", answer_b="Two or three.", category="code"),
        vote(answer_a=None, answer_b=None, category="facts"),
    ]
    with open_votes(write(tmp_path / "votes.csv", rows), Selection(categories=("code",))) as opened:
        opened.counted()
        [piece] = opened.rows(ITEMS, style=("length",))
    assert len(piece) == 1


def test_what_is_missing_for_style_is_named(tmp_path: Path):
    told = r"neither the texts \(answer_a, answer_b\) nor all counts \(length_b are missing\)"
    with pytest.raises(BadInput, match=told):
        rows_of(tmp_path / "votes.csv", [vote(length_a=3)], style=("length",))


# The store


def test_the_log_knows_all_that_a_file_may_tell(store: VoteStore):
    fill(store, NOW)
    rows = []
    for n in range(6):
        battle = Battle(BattleId(f"b{n}"), ModelId("m0"), ModelId("m1"), PromptId(f"p{n % 2}"))
        source = Source.HUMAN if n < 4 else Source.RULE
        voter = VoterId(f"voter-{n % 3}") if n else None
        cast_at = NOW + timedelta(hours=n)
        rows.append(
            (battle, StoredVote(VoteId(f"v{n}"), battle.id, Verdict.A, source, voter, cast_at, import_key=f"{n}"))
        )
    store.votes.add_imported(rows, NOW)
    chosen = Selection(
        sources=(Source.HUMAN,), categories=("reasoning",), languages=("en",), since=NOW, until=NOW + timedelta(hours=2)
    )
    with store.votes.table(chosen, up_to=5) as opened:
        found = opened.counted()
        assert list(opened.units()) == [Unit.VOTER, Unit.PROMPT]
    # Of the first five votes one is by a rule, and those of 14 and 15 o'clock came too late.
    assert dict(found.left_out) == {"source rule is not asked for": 1, "cast from 2026-05-01T14:00:00+00:00": 2}
    assert int(found.n.sum()) == 2
