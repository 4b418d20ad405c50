"""Thumbs on single answers as rows of unpaired data: the majority, above what the verdict tells, and never a choice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena import table
from arena.battle import Labels, Side, Thumb, Verdict
from arena.export import export
from arena.preferences.example import Example
from arena.preferences.formats import formats, pairs, unpaired
from arena.preferences.formats.unpaired import BY_THUMBS, UNKNOWN
from arena.store import VoteStore
from arena.thumbs import AS_MANY, together
from arenas import booth, fill, voter
from ground import NOW
from opinions import cast, judged, vote

A, B, TIE, BAD = Verdict
UP, DOWN = Thumb.UP, Thumb.DOWN
FORMATS = formats()
Said = tuple[Verdict, str]
_THUMB = {"+": UP, "-": DOWN}


def labels(thumbs: str, **more: Any) -> Labels:
    """Of "+-" a thumb up on A and one down on B; "." is none."""
    said = {side: _THUMB[sign] for side, sign in zip(Side, thumbs, strict=True) if sign != "."}
    return Labels(thumbs=said, **more)


def example(*said: Said, adjudicated: Verdict | None = None, **choices: Any) -> Example:
    """What votes of different voters on the same two answers are together."""
    votes = [vote(verdict, f"v{n}", number=n, labels=labels(thumbs)) for n, (verdict, thumbs) in enumerate(said)]
    rulings = {("p", "x", "y"): adjudicated} if adjudicated else None
    [found], _ = judged([cast(votes)], adjudicated=rulings, **choices)  # type: ignore[arg-type]
    return found


def rows(found: Example) -> dict[str, dict[str, Any]]:
    """The unpaired rows by their answers: A and B as the votes have them."""
    names = {found.answer_a.id: "A", found.answer_b.id: "B"}
    told: list[dict[str, Any]] = [dict(zip(unpaired.SCHEMA, row, strict=True)) for row in unpaired.rows(found)]
    return {names[row["answer_id"]]: row for row in told}


def labelled(found: Example) -> dict[str, bool]:
    return {answer: row["label"] for answer, row in rows(found).items()}


def left_out(found: Example) -> Mapping[str, int]:
    return unpaired.left_out(found)


# ---- the rule ----


@pytest.mark.parametrize(
    ("signs", "is_good", "share"),
    [("+", True, 1), ("-", False, 1), ("++-", True, 2 / 3), ("+--", False, 2 / 3), ("+-", None, 0), ("", None, 0)],
)
def test_the_majority_of_the_thumbs_on_an_answer_is_its_label(signs: str, is_good: bool | None, share: float):
    found = together([_THUMB[sign] for sign in signs])
    assert (found and found.is_good) == is_good
    assert float(found.share if found else 0) == share


@pytest.mark.parametrize(
    ("verdict", "thumbs", "expected"),
    [
        (A, "+-", {"A": True, "B": False}),
        (A, "+.", {"A": True}),  # of B nothing is known: better than B is not whether B would do
        (A, ".+", {"B": True}),
        (A, "++", {"A": True, "B": True}),
        (A, "--", {"A": False, "B": False}),
        (A, "-+", {"A": False, "B": True}),  # said so, and taken so
        (TIE, "+-", {"A": True, "B": False}),
        (TIE, "-.", {"A": False}),
        (BAD, "..", {"A": False, "B": False}),
        (BAD, "+.", {"A": True, "B": False}),  # the thumb is about this one answer
        (A, "..", {}),
        (TIE, "..", {}),
    ],
)
def test_a_thumb_labels_its_answer_whatever_the_verdict(verdict: Verdict, thumbs: str, expected: dict[str, bool]):
    found = example((verdict, thumbs))
    assert labelled(found) == expected
    assert sum(left_out(found).values()) == (not expected)


def test_a_thumb_comes_before_what_the_voters_call_acceptable():
    said = [vote(A, labels=labels("-+", acceptable=True)), vote(A, number=1, labels=labels("..", acceptable=True))]
    [found], _ = judged([cast(said)])
    assert found.is_acceptable
    assert labelled(found) == {"A": False, "B": True}
    assert left_out(found) == {BY_THUMBS: 1}
    [assumed], _ = judged([cast([vote(B, labels=labels("+."))])], assume_acceptable=True)
    assert labelled(assumed) == {"A": True, "B": True}  # A by its thumb, B as the chosen one
    assert {row["label_by"] for row in rows(assumed).values()} == {"thumbs", "verdict"}


def test_a_row_tells_how_many_thumbs_there_are_and_how_far_they_agree():
    found = example((A, "+."), (B, "+."), (TIE, "-."), (A, ".-"))
    row = rows(found)["A"]
    assert (row["label"], row["label_by"], row["n_votes"], row["agreement"]) == (True, "thumbs", 3, 2 / 3)
    assert row["weight"] == pytest.approx(1 / 3)  # 2 * 2/3 - 1
    assert rows(found)["B"]["n_votes"] == 1
    assert left_out(found) == {}


def test_as_many_up_as_down_leave_the_answer_out_with_the_reason():
    found = example((A, "+."), (A, "-."), (A, ".."))
    assert rows(found) == {}
    assert left_out(found) == {AS_MANY: 2, UNKNOWN: 1}
    other = example((A, "+-"), (A, "-."))
    assert labelled(other) == {"B": False}
    assert left_out(other) == {AS_MANY: 1}  # the first is in the row of B


def test_a_split_answer_gets_no_label_from_the_verdict_either():
    said = [vote(A, number=n, labels=labels(thumbs, acceptable=True)) for n, thumbs in enumerate(("+.", "-."))]
    [found], _ = judged([cast(said)])
    assert labelled(found) == {"B": False}  # nobody put a thumb on B, and A would do


def test_both_bad_counts_as_a_thumb_down_where_its_voter_put_none():
    assert labelled(example((A, "+."), (BAD, ".."))) == {}  # one up, one down; B: the verdict is A, and who knows
    found = example((A, "+."), (BAD, ".."), (BAD, ".."))
    assert labelled(found) == {"A": False}
    assert rows(found)["A"]["n_votes"] == 3
    assert labelled(example((A, "+."), (A, "+."), (BAD, ".."))) == {"A": True}


def test_what_was_adjudicated_as_both_bad_stands_above_the_thumbs():
    found = example((A, "+."), (BAD, ".."), adjudicated=BAD)
    assert labelled(found) == {"A": False, "B": False}
    assert {row["label_by"] for row in rows(found).values()} == {"verdict"}
    assert left_out(found) == {pairs.OVERRULED: 1}
    assert labelled(example((B, "+-"), adjudicated=B)) == {"A": True, "B": False}


@pytest.mark.parametrize("thumbs", ["+-", "-+", "+.", ".-"])
def test_thumbs_turn_no_tie_into_a_choice_and_move_no_margin(thumbs: str):
    tie = example((TIE, thumbs))
    for name, format_ in FORMATS.items():
        if "chosen" in format_.schema:
            assert list(format_.rows_of([tie])) == [], name
    plain, with_thumbs = example((A, "..")), example((A, thumbs))
    for name, format_ in FORMATS.items():
        if name not in ("unpaired", "raw_votes"):
            assert list(format_.rows_of([plain])) == list(format_.rows_of([with_thumbs])), name


SAID = st.lists(
    st.tuples(st.sampled_from(list(Verdict)), st.sampled_from("+-."), st.sampled_from("+-."), st.booleans()),
    min_size=1,
    max_size=7,
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(SAID, st.booleans(), st.sampled_from([None, A, TIE, BAD]))
def test_every_vote_is_in_a_row_or_left_out_whatever_thumbs_say(said: list[Any], assume: bool, ruling: Verdict | None):
    def made(turn: bool) -> Example:
        votes = []
        for number, (verdict, a, b, is_turned) in enumerate(said):
            told = vote(verdict, number=number, labels=labels(a + b))
            if turn and is_turned:
                told = replace(told, opinion=told.opinion.turned.turned)
            votes.append(told)
        rulings: Any = {("p", "x", "y"): ruling} if ruling else None
        [found], _ = judged([cast(votes)], adjudicated=rulings, assume_acceptable=assume)
        return found

    found = made(turn=False)
    kept = len(found.opinions) - sum(left_out(found).values())
    assert kept >= 0
    assert all(n > 0 for n in left_out(found).values())
    told = rows(found)
    assert (kept > 0) is (bool(told) and any(row["n_votes"] for row in told.values()))
    for side, row in told.items():
        signs = [a if side == "A" else b for _, a, b, _ in said]
        if row["label_by"] == "thumbs":
            assert row["label"] is (2 * signs.count("+") > row["n_votes"])
            assert row["agreement"] > 0.5
        else:
            assert ruling is BAD or not set(signs) & {"+", "-"}
    assert made(turn=True) == found


def test_turned_thumbs_are_those_of_the_other_answer():
    opinion = vote(A, labels=labels("+.")).opinion
    assert opinion.turned.labels.thumbs == {Side.B: UP}
    assert opinion.turned.turned == opinion


# ---- from a ballot to a file ----


def test_thumbs_of_ballots_become_rows_and_raw_votes(tmp_path: Path):
    answers: Sequence[tuple[str, Thumb]] = (("A", UP), ("B", DOWN))
    with VoteStore.open(tmp_path / "arena.duckdb") as store:
        fill(store, NOW, 4, 2)
        store.catalogue.set_rules("[labels]\nthumbs = true\n", None, NOW)
        here, me = booth(store, NOW), voter()
        said = {}
        for _ in range(2):
            ballot = here.open(me, NOW)
            thumbs = {Side(side): thumb for side, thumb in answers}
            here.cast(ballot.id, TIE, me, NOW + timedelta(seconds=9), Labels(thumbs=thumbs))
            said[ballot.answer_a], said[ballot.answer_b] = True, False
        taken_back = here.open(me, NOW)
        here.cast(taken_back.id, A, me, NOW, Labels(thumbs={Side.A: UP}))
        here.withdraw(taken_back.id, me, NOW)
        export(store, tmp_path / "out", names=("unpaired", "raw_votes", "preference"), key=b"a key that is kept")
    found = [row for file in sorted((tmp_path / "out").rglob("unpaired/*.parquet")) for _, row in table.rows_of(file)]
    assert {row["completion"][0]["content"]: row["label"] for row in found} == said
    assert {type(row["label"]) for row in found} == {bool}
    raw = [row for file in sorted((tmp_path / "out").rglob("raw_votes/*.parquet")) for _, row in table.rows_of(file)]
    assert [row["thumbs"] for row in raw] == ['{"A": "up", "B": "down"}'] * 2
    assert [row["ratings"] for row in raw] == [None] * 2
    assert not list((tmp_path / "out").rglob("preference/*.parquet"))
