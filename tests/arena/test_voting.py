"""Once, kept, and the server's truth: what may and may not become a vote."""

from datetime import timedelta
from itertools import pairwise

import pytest

from arena.battle import BallotId, Battle, BattleId, ModelId, Reveal, Source, Verdict, Vote, VoteId, VoterId
from arena.errors import AlreadyVoted, BallotExpired, NoBallotLeft, UnknownBallot
from arena.store import VoteStore
from arena.voting import Booth
from arenas import KEY, booth, fill, race
from ground import NOW

MINUTE = timedelta(minutes=1)


def voter() -> VoterId:
    voter_id = KEY.voter_id(KEY.issue())
    assert voter_id is not None
    return voter_id


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW)
    return store


def n_votes(store: VoteStore) -> int:
    return store.log.position()[0]


def test_a_ballot_holds_texts_and_nothing_of_the_models(arena: VoteStore):
    ballot = booth(arena, NOW).open(voter(), NOW)
    told = repr(ballot)
    # The texts of these answers name their models on purpose, and a random id may hold any two letters by chance.
    for allowed in (ballot.answer_a, ballot.answer_b, ballot.id):
        told = told.replace(allowed, "")
    assert not any(secret in told for secret in ("m0", "m1", "m2", "Model", "Maker"))


def test_a_reload_shows_the_same_ballot_and_a_vote_brings_the_next(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    first = here.open(me, NOW)
    assert here.open(me, NOW + MINUTE) == first
    here.cast(first.id, Verdict.A, me, NOW + MINUTE)
    assert here.open(me, NOW + MINUTE).id != first.id


def test_an_open_ballot_survives_a_restart(arena: VoteStore):
    me = voter()
    before = booth(arena, NOW, seed=1).open(me, NOW)
    assert booth(arena, NOW, seed=2).open(me, NOW) == before


def test_two_voters_get_ballots_of_their_own(arena: VoteStore):
    here = booth(arena, NOW)
    assert here.open(voter(), NOW).id != here.open(voter(), NOW).id


def test_ballot_ids_carry_no_order(arena: VoteStore):
    here = booth(arena, NOW)
    ids = [here.open(voter(), NOW).id for _ in range(40)]
    # 40 ids in random order are sorted with probability 1/40!, and every pair of neighbours rises half of the time:
    # 39 fair coins show fewer than 5 or more than 34 heads once in 400,000 runs.
    assert 5 <= sum(a < b for a, b in pairwise(ids)) <= 34
    assert len({len(each) for each in ids}) == 1


def test_the_reveal_names_the_models_whose_texts_were_shown(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    reveal = here.cast(ballot.id, Verdict.B, me, NOW + MINUTE)
    assert ballot.answer_a.startswith(f"Text of {reveal.a.model.id} ")
    assert ballot.answer_b.startswith(f"Text of {reveal.b.model.id} ")


def test_a_vote_is_stored_with_what_the_server_knows(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    reveal = here.cast(here.open(me, NOW).id, Verdict.TIE, me, NOW + timedelta(milliseconds=4321))
    [tally] = arena.votes.tallies(up_to=1)
    assert (tally.model_a, tally.model_b) == (reveal.a.model.id, reveal.b.model.id)
    assert (tally.verdict, tally.source, tally.n) == (Verdict.TIE, Source.HUMAN, 1)


def test_the_same_verdict_again_is_the_same_vote(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    first = here.cast(ballot.id, Verdict.A, me, NOW)
    assert here.cast(ballot.id, Verdict.A, me, NOW + MINUTE) == first
    assert n_votes(arena) == 1


def test_another_verdict_after_the_first_is_refused_and_the_first_stays(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    here.cast(ballot.id, Verdict.A, me, NOW)
    with pytest.raises(AlreadyVoted) as refusal:
        here.cast(ballot.id, Verdict.B, me, NOW)
    assert refusal.value.kept is Verdict.A
    assert [tally.verdict for tally in arena.votes.tallies(up_to=9)] == [Verdict.A]


def test_a_stranger_cannot_vote_on_a_ballot_nor_learn_that_it_exists(arena: VoteStore):
    here = booth(arena, NOW)
    ballot = here.open(voter(), NOW)
    with pytest.raises(UnknownBallot) as foreign:
        here.cast(ballot.id, Verdict.A, voter(), NOW)
    with pytest.raises(UnknownBallot) as invented:
        here.cast("no-such-ballot", Verdict.A, voter(), NOW)
    assert str(foreign.value).replace(ballot.id, "*") == str(invented.value).replace("no-such-ballot", "*")
    assert n_votes(arena) == 0


def test_an_expired_ballot_takes_no_vote_and_another_one_follows(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    just_in_time, too_late = ballot.expires_at - timedelta(seconds=1), ballot.expires_at
    with pytest.raises(BallotExpired):
        here.cast(ballot.id, Verdict.A, me, too_late)
    assert n_votes(arena) == 0
    assert here.open(me, too_late).id != ballot.id
    here.cast(ballot.id, Verdict.A, me, just_in_time)
    assert n_votes(arena) == 1


def test_a_vote_before_expiry_is_revealed_again_after_it(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    first = here.cast(ballot.id, Verdict.A, me, NOW)
    assert here.cast(ballot.id, Verdict.A, me, ballot.expires_at + MINUTE) == first


def test_a_hundred_racing_votes_on_one_ballot_store_one(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    verdicts = list(Verdict)
    results = race(lambda i: here.cast(ballot.id, verdicts[i % 4], me, NOW), 100, refused=AlreadyVoted)
    [tally] = arena.votes.tallies(up_to=100)
    assert (tally.n, n_votes(arena)) == (1, 1)
    # 25 threads carried the stored verdict and see the reveal; the other 75 are told that it stays.
    assert sum(isinstance(result, Reveal) for result in results) == 25
    assert {error.kept for error in results if isinstance(error, AlreadyVoted)} == {tally.verdict}
    assert arena.log.broken_links() == []


def test_many_voters_at_once_lose_nothing(arena: VoteStore):
    here = booth(arena, NOW)
    voters = [voter() for _ in range(16)]

    def judge_everything(i: int) -> None:
        for _ in range(2):  # one blind pair of three answers to each of 2 prompts
            here.cast(here.open(voters[i], NOW).id, Verdict.A, voters[i], NOW)

    race(judge_everything, 16, refused=AlreadyVoted)
    assert n_votes(arena) == 32
    assert all(here.counts(each).mine == 2 for each in voters)
    assert arena.log.broken_links() == []


def test_a_voter_who_judged_everything_is_told_so(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    for _ in range(2):
        here.cast(here.open(me, NOW).id, Verdict.TIE, me, NOW)
    with pytest.raises(NoBallotLeft) as done:
        here.open(me, NOW)
    assert not done.value.is_arena_empty


def test_no_answer_is_shown_again_to_whom_its_author_was_revealed(store: VoteStore):
    fill(store, NOW, n_prompts=3, n_models=6)
    here, me = booth(store, NOW), voter()
    shown: list[str] = []
    for _ in range(9):  # 3 prompts, 6 answers each: 3 pairs a prompt in which all are new
        ballot = here.open(me, NOW)
        shown += [ballot.answer_a, ballot.answer_b]
        here.cast(ballot.id, Verdict.A, me, NOW)
    assert len(set(shown)) == 18
    with pytest.raises(NoBallotLeft):
        here.open(me, NOW)


def test_racing_requests_for_a_ballot_open_one(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    assert len({ballot.id for ballot in race(lambda _: here.open(me, NOW), 32, refused=AlreadyVoted)}) == 1


def test_an_empty_arena_says_that_it_is_empty(store: VoteStore):
    with pytest.raises(NoBallotLeft) as nothing:
        booth(store, NOW).open(voter(), NOW)
    assert nothing.value.is_arena_empty


def test_sides_are_a_fair_coin_in_the_store(arena: VoteStore):
    here = booth(arena, NOW)
    first_is_a = 0
    for _ in range(200):
        ballot = arena.ballots.find(here.open(voter(), NOW).id)
        assert ballot is not None
        first_is_a += ballot.battle.model_a < ballot.battle.model_b
    # 200 fair coins: outside 70 to 130 once in 50,000 runs (the draws are seeded, so this is one fixed run).
    assert 70 <= first_is_a <= 130


def test_every_battle_stores_its_probability_and_policy(arena: VoteStore):
    opened = arena.ballots.find(BallotId(booth(arena, NOW).open(voter(), NOW).id))
    assert opened is not None
    # 2 prompts * 3 pairs * 2 orders = 12
    assert opened.battle.draw_probability == pytest.approx(1 / 12)
    assert opened.battle.sampling_policy == "uniform-over-blind-pairs"


def probabilities(store: VoteStore, here: Booth) -> dict[frozenset[str], float]:
    """Of each pair of models, on a prompt and in an order, as 25 new voters meet them."""
    opened = [store.ballots.find(here.open(voter(), NOW).id) for _ in range(25)]
    return {
        frozenset((each.battle.model_a, each.battle.model_b)): each.battle.draw_probability or 0.0
        for each in opened
        if each is not None
    }


def test_a_pair_with_a_vote_is_drawn_less_often_where_the_rules_say_so(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\nuniform_share = 0.2\n', None, NOW)
    here, me = booth(arena, NOW), voter()
    # 3 pairs on 2 prompts in 2 orders, all alike: 1/12.
    assert probabilities(arena, here) == pytest.approx(dict.fromkeys(probabilities(arena, here), 1 / 12))
    reveal = here.cast(here.open(me, NOW).id, Verdict.TIE, me, NOW)
    # Now the weights are 1/2, 1 and 1, hence the shares 1/5, 2/5 and 2/5; a fifth of the draws is uniform.
    told = probabilities(arena, here)
    voted = told.pop(frozenset((reveal.a.model.id, reveal.b.model.id)))
    assert voted == pytest.approx(0.2 / 12 + 0.8 * (1 / 5) / 4)
    assert list(told.values()) == pytest.approx([0.2 / 12 + 0.8 * (2 / 5) / 4] * 2)


def test_a_restart_does_not_change_how_pairs_are_drawn(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "uncertainty"\n', None, NOW)
    before = booth(arena, NOW)
    for verdict in (Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD, Verdict.A):
        me = voter()
        before.cast(before.open(me, NOW).id, verdict, me, NOW)
    told = probabilities(arena, before)
    assert len(set(told.values())) > 1
    assert probabilities(arena, booth(arena, NOW, seed=9)) == told


def test_a_vote_that_was_sent_twice_counts_once_for_the_pairing(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\n', None, NOW)
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    for _ in range(3):
        here.cast(ballot.id, Verdict.A, me, NOW)
    assert probabilities(arena, here) == probabilities(arena, booth(arena, NOW, seed=9))


def test_votes_that_are_not_of_people_do_not_change_the_pairing(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\n', None, NOW)
    before = probabilities(arena, booth(arena, NOW))
    battle = Battle(BattleId("elsewhere"), ModelId("m0"), ModelId("m1"))
    vote = Vote(VoteId("v"), battle.id, Verdict.A, Source.IMPORT, None, None, import_key="row 1")
    arena.votes.add_imported([(battle, vote)], NOW)
    assert probabilities(arena, booth(arena, NOW)) == before


def test_the_policy_is_stored_with_its_settings(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "uncertainty"\n', None, NOW)
    opened = arena.ballots.find(BallotId(booth(arena, NOW).open(voter(), NOW).id))
    assert opened is not None
    assert opened.battle.sampling_policy == "uncertainty(uniform_share=0.1)"


def test_a_clock_set_back_gives_no_time_to_vote_rather_than_a_false_one(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot = here.open(me, NOW)
    here.cast(ballot.id, Verdict.A, me, NOW - MINUTE)
    assert n_votes(arena) == 1
    assert arena.log.broken_links() == []
