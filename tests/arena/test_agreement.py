"""How often voters agree: by hand, against counting every pair of votes, and what is said where nothing can be."""

from collections import Counter
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.agreement import Agreements
from arena.batch import take_snapshot
from arena.battle import Battle, BattleId, ModelId, PromptId, Source, Verdict, Vote, VoteId, VoterId, Withdrawal
from arena.store import VoteStore
from arena.study import Study
from arenas import fill

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = (Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD)


def agreements(opinions: list[tuple[int, int, int, int, int]], confidence: float = 0.95) -> Agreements:
    return Agreements.of(opinions, confidence=confidence, rng=np.random.default_rng(7))


# ---- the arithmetic ----


def test_agreement_is_the_share_of_pairs_of_votes_that_say_the_same():
    # A, A, B: 3 pairs of votes, 1 agrees. Tie, both bad: 1 pair, 0 agree. A, A, A: 3 pairs, 3 agree. A: no pair.
    found = agreements([(2, 1, 0, 0, 1), (0, 0, 1, 1, 1), (3, 0, 0, 0, 1), (1, 0, 0, 0, 5)])
    assert (found.all.value, found.all.n_pairs, found.all.n_items) == (round(4 / 7, 4), 7, 3)
    # Of verdicts for one of the two, the second pair of answers has none.
    assert (found.decisive.value, found.decisive.n_pairs, found.decisive.n_items) == (round(4 / 6, 4), 6, 2)
    assert (found.n_items, found.n_votes) == (8, 3 + 2 + 3 + 5)


verdicts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), max_size=12)


@given(verdicts)
def test_agreement_is_what_counting_every_pair_of_votes_gives(items: list[list[Verdict]]):
    kinds = Counter(tuple(votes.count(word) for word in WORDS) for votes in items)
    found = agreements([(*kind, n) for kind, n in kinds.items()])  # type: ignore[misc]
    for of, kept in ((found.all, set(WORDS)), (found.decisive, {Verdict.A, Verdict.B})):
        pairs = [pair for votes in items for pair in combinations([each for each in votes if each in kept], 2)]
        assert of.n_pairs == len(pairs)
        agreeing = sum(first == second for first, second in pairs)
        assert of.value == (round(agreeing / len(pairs), 4) if pairs else None)


def test_the_order_of_items_and_their_sides_change_nothing():
    opinions = [(2, 1, 0, 0, 9), (0, 1, 1, 1, 4), (3, 0, 0, 1, 2)]
    turned = [(b, a, tie, bad, n) for a, b, tie, bad, n in reversed(opinions)]
    assert agreements(turned) == agreements(opinions)


def test_the_interval_comes_from_resampling_pairs_of_answers():
    # 40 pairs of answers with two votes each, 30 agree: the share of a resample is a binomial share, with standard
    # error sqrt(.75 * .25 / 40) = .0685; 1.96 of these reach from .616 to .884, in steps of 1/40.
    found = agreements([(2, 0, 0, 0, 30), (1, 1, 0, 0, 10)]).all
    assert found.value == 0.75
    assert found.low == pytest.approx(0.616, abs=0.026)
    assert found.high == pytest.approx(0.884, abs=0.026)
    wider = agreements([(2, 0, 0, 0, 30), (1, 1, 0, 0, 10)], confidence=0.99).all
    assert wider.low is not None
    assert found.low is not None
    assert wider.low < found.low


@pytest.mark.parametrize(
    ("opinions", "reason"),
    [
        ([], "no two voters have judged the same two answers"),
        ([(1, 0, 0, 0, 50)], "no two voters have judged the same two answers"),
        ([(1, 1, 0, 0, 4), (2, 0, 0, 0, 5)], "9 pairs of answers were judged by several, and 10 are the fewest"),
        ([(2, 0, 0, 0, 50)], "all of the pairs of votes agree"),
        ([(1, 1, 0, 0, 50)], "none of the pairs of votes agree"),
    ],
)
def test_an_interval_that_says_nothing_is_absent_with_its_reason(
    opinions: list[tuple[int, int, int, int, int]], reason: str
):
    found = agreements(opinions).all
    assert (found.low, found.high) == (None, None)
    assert found.reason is not None
    assert reason in found.reason


# ---- from the log ----


def cast(store: VoteStore, *votes: tuple[str, str, str, Verdict, str | None]) -> None:
    """(prompt, model on side A, model on side B, verdict, voter)"""
    start = store.log.position()[0]
    rows = []
    for number, (prompt, a, b, verdict, voter) in enumerate(votes, start):
        battle = Battle(BattleId(f"b{number}"), ModelId(a), ModelId(b), PromptId(prompt))
        who = VoterId(voter) if voter else None
        rows.append((battle, Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, who, NOON)))
    store.votes.add_imported(rows, NOON)


def opinions(store: VoteStore) -> list[tuple[int, int, int, int, int]]:
    return store.judged.opinions([Source.HUMAN], up_to=store.log.position()[0])


def test_votes_agree_whatever_the_side_on_which_answers_stood(store: VoteStore):
    fill(store, NOON)
    cast(store, ("p0", "m0", "m1", Verdict.A, "x"), ("p0", "m1", "m0", Verdict.B, "y"))
    assert opinions(store) == [(2, 0, 0, 0, 1)]


def test_the_same_two_models_on_another_prompt_are_another_pair_of_answers(store: VoteStore):
    fill(store, NOON)
    cast(store, ("p0", "m0", "m1", Verdict.A, "x"), ("p1", "m0", "m1", Verdict.A, "y"))
    assert opinions(store) == [(1, 0, 0, 0, 2)]


def test_nobody_agrees_with_themselves_and_the_newest_of_ones_votes_counts(store: VoteStore):
    fill(store, NOON)
    cast(
        store,
        ("p0", "m0", "m1", Verdict.A, "x"),
        ("p0", "m0", "m1", Verdict.TIE, "x"),
        ("p0", "m0", "m1", Verdict.B, "y"),
    )
    assert opinions(store) == [(0, 1, 1, 0, 1)]


def test_votes_without_a_voter_or_withdrawn_are_in_no_pair(store: VoteStore):
    fill(store, NOON)
    cast(
        store,
        ("p0", "m0", "m1", Verdict.A, "x"),
        ("p0", "m0", "m1", Verdict.A, None),
        ("p0", "m0", "m1", Verdict.A, "z"),
    )
    store.votes.withdraw(Withdrawal(VoteId("v2"), VoterId("z"), NOON))
    assert opinions(store) == [(1, 0, 0, 0, 1)]


def test_the_study_tells_agreement_as_of_its_snapshot(store: VoteStore):
    fill(store, NOON)
    pairs = [("m0", "m1"), ("m1", "m2"), ("m2", "m0")]
    for prompt in ("p0", "p1"):
        for a, b in pairs:
            cast(
                store,
                *((prompt, a, b, verdict, f"w{n}") for n, verdict in enumerate([Verdict.A, Verdict.A, Verdict.B])),
            )
    snapshot = take_snapshot(store, NOON)
    study = Study(store, lambda: snapshot)
    before = study.agreement(snapshot)
    assert (before.all.value, before.all.n_pairs, before.all.n_items) == (round(1 / 3, 4), 18, 6)
    cast(store, ("p0", "m0", "m1", Verdict.A, "late"))
    assert Study(store, lambda: snapshot).agreement(snapshot) == before
