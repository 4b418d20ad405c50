"""Whether withdrawals hang on whose answers they were: chances counted by hand."""

from datetime import UTC, datetime
from math import comb

import pytest

from arena.batch import take_snapshot
from arena.battle import (
    Battle,
    BattleId,
    ModelId,
    PromptId,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    Withdrawal,
)
from arena.store import VoteStore
from arena.study import (
    Study,
)
from arena.withdrawals import equally_often
from arenas import fill

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def test_withdrawing_what_went_against_a_favourite_is_seen():
    # Of 200 votes on two equal models, half won by each, a fifth of the losses of m0 are withdrawn: 20 of 100. Of 20
    # out of 200 all to be losses has the chance C(100, 20) / C(200, 20) = 3e-7; both models tell the same.
    with VoteStore.open(None) as store:
        fill(store, NOON)
        votes = []
        for number in range(200):
            battle = Battle(BattleId(f"b{number}"), ModelId("m0"), ModelId("m1"), PromptId("p0"))
            verdict = Verdict.A if number < 100 else Verdict.B
            voter = VoterId(f"w{number}")
            votes.append((battle, Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, voter, NOON)))
        store.votes.add_imported(votes, NOON)
        for number in range(100, 120):
            store.votes.withdraw(Withdrawal(VoteId(f"v{number}"), VoterId(f"w{number}"), NOON))
        snapshot = take_snapshot(store, NOON)
        found = Study(store, lambda: snapshot).collection(snapshot).withdrawals
        assert {each.model: each.apart for each in found.models} == {"m0": "losses", "m1": "wins"}
        assert all(each.q_value < 1e-5 for each in found.models)


@pytest.mark.parametrize(
    ("taken", "cast", "p_value"),
    [
        ((0, 0), (5, 7), 1.0),
        ((3, 0), (9, 0), 1.0),  # nothing to hold it against
        ((0, 2), (2, 2), 2 / 6),  # C(2, 2) of C(4, 2), twice
        ((1, 1), (2, 2), 1.0),
        ((0, 3), (10, 5), 2 * 10 / 455),  # C(5, 3) of C(15, 3), twice
    ],
)
def test_the_exact_test_is_counted_by_hand(taken: tuple[int, int], cast: tuple[int, int], p_value: float):
    assert equally_often(taken, cast) == pytest.approx(p_value)
    assert equally_often(taken[::-1], cast[::-1]) == pytest.approx(p_value)


def test_the_exact_test_holds_its_level_and_stands_many_votes():
    # By chance alone at most one in twenty: of 40 wins and 25 losses, 12 withdrawn. All outcomes, by their chances.
    p_values = [equally_often((wins, 12 - wins), (40, 25)) for wins in range(13)]
    chances = [comb(40, wins) * comb(25, 12 - wins) / comb(65, 12) for wins in range(13)]
    assert sum(chances) == pytest.approx(1)
    assert sum(chance for chance, p in zip(chances, p_values, strict=True) if p <= 0.05) <= 0.05
    assert 0 <= equally_often((100, 900), (500_000, 400_000)) < 1e-100
