"""A ballot that its voter passed over: closed without a vote, nobody revealed, and the two answers do not come back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from arena.battle import Reveal, SkipReason, Verdict, VoterId
from arena.errors import (
    AlreadyVoted,
    ArenaError,
    BallotExpired,
    BallotSkipped,
    NoBallotLeft,
    NotOffered,
    UnknownBallot,
    VoteWithdrawn,
)
from arena.store import VoteStore
from arenas import KEY, answer, booth, fill
from ground import NOW


def voter() -> VoterId:
    voter_id = KEY.voter_id(KEY.issue())
    assert voter_id is not None
    return voter_id


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW)
    return store


def skips(store: VoteStore) -> list[tuple[str, str]]:
    with store._database.read() as cursor:
        return cursor.execute("select ballot_id, reason from skips").fetchall()


@pytest.mark.parametrize("reason", list(SkipReason))
def test_a_skip_is_kept_with_its_reason_and_time_and_is_no_vote(arena: VoteStore, reason: SkipReason):
    here, me = booth(arena, NOW), voter()
    ballot_id = here.open(me, NOW).id
    here.skip(ballot_id, reason, me, NOW + timedelta(seconds=7))
    with arena._database.read() as cursor:
        rows = cursor.execute("select ballot_id, reason, skipped_at from skips").fetchall()
    assert rows == [(ballot_id, reason.value, NOW + timedelta(seconds=7))]
    assert arena.log.position()[0] == 0
    assert here.counts(me).mine == 0


def test_another_ballot_follows_a_skip(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    first = here.open(me, NOW)
    here.skip(first.id, SkipReason.BROKEN, me, NOW)
    following = here.open(me, NOW)
    assert following.id != first.id
    assert here.open(me, NOW) == following


def test_the_same_two_answers_never_come_back_and_each_may_with_another(arena: VoteStore):
    # 2 prompts, 3 answers each: 3 pairs a prompt, none of them revealed by a skip.
    here, me = booth(arena, NOW), voter()
    seen = []
    for _ in range(6):
        ballot = here.open(me, NOW)
        seen.append(frozenset((ballot.answer_a, ballot.answer_b)))
        here.skip(ballot.id, SkipReason.TOO_ALIKE, me, NOW)
    assert len(set(seen)) == 6
    with pytest.raises(NoBallotLeft) as done:
        here.open(me, NOW)
    assert not done.value.is_arena_empty


def test_what_one_voter_skips_another_still_gets(store: VoteStore):
    fill(store, NOW, n_prompts=1, n_models=2)
    here = booth(store, NOW)
    for _ in range(3):
        me = voter()
        here.skip(here.open(me, NOW).id, SkipReason.OTHER, me, NOW)


def test_a_new_text_makes_another_pair_of_answers(store: VoteStore):
    fill(store, NOW, n_prompts=1, n_models=2)
    me = voter()
    here = booth(store, NOW)
    here.skip(here.open(me, NOW).id, SkipReason.BROKEN, me, NOW)
    store.catalogue.add_answers([answer("p0", "m0", "Mended")], NOW)
    assert "Mended" in repr(booth(store, NOW).open(me, NOW))


def test_votes_and_skips_together_never_show_what_was_judged_or_skipped(store: VoteStore):
    fill(store, NOW, n_prompts=3, n_models=5)
    here, me = booth(store, NOW), voter()
    skipped: set[frozenset[str]] = set()
    revealed: set[str] = set()

    def judge(turn: int) -> None:
        ballot = here.open(me, NOW)
        texts = frozenset((ballot.answer_a, ballot.answer_b))
        assert texts not in skipped
        assert texts.isdisjoint(revealed)
        if turn % 3:
            here.skip(ballot.id, SkipReason.CANNOT_JUDGE, me, NOW)
            skipped.add(texts)
        else:
            here.cast(ballot.id, Verdict.TIE, me, NOW)
            revealed.update(texts)

    n_turns = 0
    with suppress(NoBallotLeft):
        while True:
            judge(n_turns)
            n_turns += 1
    # Every prompt has 10 pairs of its 5 answers, and every turn takes one away or more: a vote at most 7.
    assert 6 <= n_turns <= 30


def test_the_probability_of_a_draw_knows_of_the_skips(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    # 2 prompts * 3 pairs * 2 orders = 12; with each skip, one pair in both orders less.
    for n_left in (12, 10, 8, 6, 4, 2):
        opened = arena.ballots.find(here.open(me, NOW).id)
        assert opened is not None
        assert opened.battle.draw_probability == pytest.approx(1 / n_left)
        here.skip(opened.id, SkipReason.OTHER, me, NOW)


def test_a_second_skip_changes_nothing(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = here.open(me, NOW).id
    here.skip(ballot_id, SkipReason.OTHER, me, NOW)
    here.skip(ballot_id, SkipReason.BROKEN, me, NOW)
    assert skips(arena) == [(ballot_id, "other")]


def test_a_skipped_ballot_takes_no_vote_and_reveals_nobody(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = here.open(me, NOW).id
    here.skip(ballot_id, SkipReason.OTHER, me, NOW)
    with pytest.raises(BallotSkipped):
        here.cast(ballot_id, Verdict.A, me, NOW)
    assert arena.log.position()[0] == 0
    assert arena.votes.revealed_to(me) == {}


def test_a_ballot_with_a_vote_cannot_be_skipped(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = here.open(me, NOW).id
    here.cast(ballot_id, Verdict.A, me, NOW)
    with pytest.raises(AlreadyVoted):
        here.skip(ballot_id, SkipReason.OTHER, me, NOW)
    here.withdraw(ballot_id, me, NOW)
    with pytest.raises(VoteWithdrawn):
        here.skip(ballot_id, SkipReason.OTHER, me, NOW)
    assert skips(arena) == []


def test_a_ballot_of_another_or_one_that_expired_cannot_be_skipped(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    with pytest.raises(UnknownBallot):
        here.skip(ballot.id, SkipReason.OTHER, voter(), NOW)
    with pytest.raises(BallotExpired):
        here.skip(ballot.id, SkipReason.OTHER, me, ballot.expires_at)
    assert skips(arena) == []


def test_where_the_rules_have_it_so_no_ballot_can_be_skipped(arena: VoteStore):
    arena.catalogue.set_rules("[ballot]\nskip = false\n", None, NOW)
    here, me = booth(arena, NOW), voter()
    with pytest.raises(NotOffered, match="does not offer to skip a ballot"):
        here.skip(here.open(me, NOW).id, SkipReason.OTHER, me, NOW)
    assert skips(arena) == []


def test_a_skip_between_two_votes_leaves_the_last_vote_the_last(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = here.open(me, NOW).id
    here.cast(ballot_id, Verdict.A, me, NOW)
    here.skip(here.open(me, NOW).id, SkipReason.OTHER, me, NOW)
    assert here.withdraw(ballot_id, me, NOW) is Verdict.A


def test_of_racing_votes_and_skips_on_a_ballot_one_is_stored(store: VoteStore):
    fill(store, NOW, n_prompts=10)
    here = booth(store, NOW)
    for _ in range(5):
        me = voter()
        ballot_id = here.open(me, NOW).id
        gate = threading.Barrier(16)

        def act(i: int, me: VoterId = me, ballot_id: str = ballot_id, gate: threading.Barrier = gate) -> object:
            gate.wait()
            try:
                if i % 2:
                    return here.skip(ballot_id, SkipReason.OTHER, me, NOW)
                return here.cast(ballot_id, Verdict.A, me, NOW)
            except ArenaError as error:
                return error

        with ThreadPoolExecutor(16) as threads:
            results = list(threads.map(act, range(16)))
        is_voted = here.counts(me).mine == 1
        is_skipped = ballot_id in dict(skips(store))
        assert is_voted != is_skipped
        # Every vote of the losing kind was refused, every one of the winning kind agrees.
        votes, skipped = results[::2], results[1::2]
        assert all(isinstance(each, Reveal if is_voted else BallotSkipped) for each in votes)
        assert all(isinstance(each, AlreadyVoted) if is_voted else each is None for each in skipped)
