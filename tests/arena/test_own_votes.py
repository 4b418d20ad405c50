"""What a voter sees of the own votes, and what is shown of the votes of others."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.batch import take_snapshot
from arena.battle import ModelId, Source, Verdict, VoterId
from arena.leaderboard import Snapshot
from arena.own_votes import OwnVote, records
from arena.store import VoteStore
from arena.voting import Booth
from arenas import KEY, fill
from ground import NOW


def voter() -> VoterId:
    voter_id = KEY.voter_id(KEY.issue())
    assert voter_id is not None
    return voter_id


def own(a: str, b: str, verdict: Verdict, *, is_withdrawn: bool = False) -> OwnVote:
    return OwnVote(verdict, NOW, ModelId(a), ModelId(b), "What?", is_withdrawn)


def test_a_tie_is_half_a_win_and_both_bad_is_none():
    votes = [
        own("m", "n", Verdict.A),
        own("n", "m", Verdict.A),
        own("m", "n", Verdict.TIE),
        own("n", "m", Verdict.BOTH_BAD),
    ]
    first, second = records(votes)
    # One won, one tied, one lost, one both bad: (1 + 1/2) / 4 for each.
    assert (first.n_won, first.n_tied, first.n_lost, first.n_both_bad, first.share) == (1, 1, 1, 1, 0.375)
    assert (second.model_id, second.share) == ("n", 0.375)


def test_withdrawn_votes_do_not_count_and_a_model_with_nothing_else_is_not_there():
    votes = [own("m", "n", Verdict.A), own("m", "o", Verdict.B, is_withdrawn=True)]
    assert [record.model_id for record in records(votes)] == ["m", "n"]


def test_the_best_share_stands_first_then_more_votes():
    votes = [own("m", "n", Verdict.A), own("o", "n", Verdict.A), own("o", "n", Verdict.A)]
    assert [record.model_id for record in records(votes)] == ["o", "m", "n"]


_models = st.sampled_from("mnop")


@given(st.lists(st.builds(own, _models, _models, st.sampled_from(list(Verdict))), max_size=30))
def test_swapping_sides_leaves_records_unchanged(votes: list[OwnVote]):
    swapped = [own(each.model_b, each.model_a, each.verdict.swapped) for each in votes]
    assert records(swapped) == records(votes)
    assert sum(record.n for record in records(votes)) == 2 * len(votes)


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW, n_prompts=40, n_models=2)  # everybody meets the same two models
    return store


def booth(store: VoteStore, board: Snapshot | None = None) -> Booth:
    from random import Random  # noqa: PLC0415

    return Booth(store, rng=Random(0), board=lambda: board, now=NOW)


def for_first(here: Booth, me: VoterId, now: datetime = NOW) -> Booth:
    """A vote for m0, whichever side it stands on."""
    ballot = here.open(me, now)
    here.cast(ballot.id, Verdict.A if "m0" in ballot.answer_a else Verdict.B, me, now)
    return here


def test_own_votes_are_those_of_this_voter_with_the_newest_first(arena: VoteStore):
    here, me = booth(arena), voter()
    for_first(here, voter())
    for_first(here, me)
    ballot = here.open(me, NOW + timedelta(minutes=1))
    here.cast(ballot.id, Verdict.TIE, me, NOW + timedelta(minutes=1))
    mine = here.own_votes(me)
    assert [vote.verdict is Verdict.TIE for vote in mine.votes] == [True, False]
    assert mine.votes[0].asked == ballot.messages[-1].content
    assert [(each.model_id, each.n, each.share) for each in mine.records] == [("m0", 2, 0.75), ("m1", 2, 0.25)]
    assert mine.models[ModelId("m0")].name == "Model 0"
    assert here.own_votes(voter()).votes == ()


def test_a_withdrawn_vote_is_listed_as_such(arena: VoteStore):
    here, me = booth(arena), voter()
    ballot = here.open(me, NOW)
    here.cast(ballot.id, Verdict.A, me, NOW)
    here.withdraw(ballot.id, me, NOW)
    mine = here.own_votes(me)
    assert [vote.is_withdrawn for vote in mine.votes] == [True]
    assert mine.records == ()


def test_others_are_counted_by_model_and_not_by_side_and_without_the_own_votes(arena: VoteStore):
    here, me = booth(arena), voter()
    for _ in range(7):
        for_first(here, voter())
    for _ in range(3):
        for_first(here, me)
    snapshot = take_snapshot(arena, NOW)
    here = booth(arena, snapshot)
    ballot = here.open(me, NOW)
    others = here.others_on(reveal := here.cast(ballot.id, Verdict.TIE, me, NOW), me)
    assert others is not None
    won = others.n_a if reveal.a.model.id == "m0" else others.n_b
    assert (won, others.n) == (7, 7)


def test_only_votes_of_the_board_are_counted(arena: VoteStore):
    here = booth(arena)
    for _ in range(6):
        for_first(here, voter())
    snapshot = take_snapshot(arena, NOW)
    here = booth(arena, snapshot)
    for _ in range(4):  # after the board
        for_first(here, voter())
    me = voter()
    reveal = here.cast(here.open(me, NOW).id, Verdict.A, me, NOW)
    others = here.others_on(reveal, me)
    assert others is not None
    assert others.n == 6
    judges = arena.others.on_pair(
        ModelId("m0"), ModelId("m1"), sources=[Source.AI_JUDGE], up_to=snapshot.n_log, but_by=me
    )
    assert judges.n == 0


@pytest.mark.parametrize(("rule", "is_shown"), [(5, False), (4, True), (1, True), (0, False)])
def test_others_are_shown_when_there_are_enough(arena: VoteStore, rule: int, is_shown: bool):
    arena.catalogue.set_rules(f"[ballot]\nshow_others_from = {rule}\n", None, NOW)
    here = booth(arena)
    for _ in range(4):
        for_first(here, voter())
    here, me = booth(arena, take_snapshot(arena, NOW)), voter()
    reveal = here.cast(here.open(me, NOW).id, Verdict.A, me, NOW)
    assert (here.others_on(reveal, me) is not None) is is_shown


def test_without_a_board_others_are_not_shown(arena: VoteStore):
    here = booth(arena)
    for _ in range(9):
        for_first(here, voter())
    me = voter()
    assert here.others_on(here.cast(here.open(me, NOW).id, Verdict.A, me, NOW), me) is None
