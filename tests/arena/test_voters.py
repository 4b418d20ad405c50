"""What the store knows by heart of a voter is what the database says, whatever happened before."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from arena.battle import AnswerId, Message, Prompt, PromptId, SkipReason, Verdict, VoterId
from arena.errors import ArenaError
from arena.store import VoterState, VoteStore
from arena.store.voters import _n_acts
from arenas import answer, booth, fill

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
VOTERS = [VoterId(name) for name in ("ann", "bob", "cay")]


def assert_known_by_heart(store: VoteStore, now: datetime) -> None:
    for voter in VOTERS:
        assert as_of(store.voters.of(voter), now) == as_of(store._read_voter(voter), now)


def as_of(state: VoterState, now: datetime) -> VoterState:
    """A ballot that has expired is as good as none."""
    return replace(state, open=None) if state.open and state.open.expires_at <= now else state


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_what_is_known_is_what_is_stored(store: VoteStore, seed: int):
    fill(store, NOW, n_prompts=6, n_models=4)
    here, rng, now = booth(store, NOW), Random(seed), NOW
    open_ballots = {}
    for number in range(20):
        now += timedelta(minutes=rng.choice([1, 1, 1, 200]))  # ballots expire on the way
        voter = rng.choice(VOTERS)
        with suppress(ArenaError):
            match rng.choice(["open", "open", "vote", "vote", "vote", "skip", "withdraw", "expose", "import", "fail"]):
                case "open":
                    open_ballots[voter] = here.open(voter, now).id
                case "vote":
                    voted_on = open_ballots[voter] = here.open(voter, now).id
                    here.cast(voted_on, rng.choice(list(Verdict)), voter, now)
                case "skip":
                    here.skip(open_ballots.get(voter, ""), SkipReason.OTHER, voter, now)
                case "withdraw":
                    here.withdraw(open_ballots.get(voter, ""), voter, now)
                case "expose":
                    answers = sorted(a for _, _, a in answers_of(store))
                    store.exposures.add(voter, [rng.choice(answers)], now)
                case "import":  # the same question once more: what was seen of one is seen of the other
                    asked = (Message("user", f"Question {rng.randrange(6)}?"),)
                    store.catalogue.add_prompts([Prompt(PromptId(f"again{number}"), asked, "reasoning", "en")], now)
                    store.catalogue.add_answers([answer(f"again{number}", "m0", "Text")], now)
                case "fail":
                    with store.together():
                        here.cast(here.open(voter, now).id, Verdict.A, voter, now)
                        raise ArenaError("after all")  # nothing of this was stored
        assert_known_by_heart(store, now)
        assert store.voters._n_acts == sum(map(_n_acts, store.voters._states.values()))
    assert store.votes.n_standing() > 0
    assert store.log.broken_links() == []


def answers_of(store: VoteStore) -> list[tuple[str, str, AnswerId]]:
    return [(prompt, model, key) for (prompt, model), key in store.catalogue.current_answers().items()]


def test_what_was_not_stored_is_not_known(store: VoteStore):
    fill(store, NOW)
    here, me = booth(store, NOW), VOTERS[0]
    ballot = here.open(me, NOW)
    before = store.voters.of(me)

    def cast_in_vain() -> None:
        with store.together():
            here.cast(ballot.id, Verdict.A, me, NOW)
            raise ArenaError("the disk is full")

    with pytest.raises(ArenaError):
        cast_in_vain()
    assert store.voters.of(me) == before
    assert here.open(me, NOW).id == ballot.id
    here.cast(ballot.id, Verdict.B, me, NOW)
    assert store.voters.of(me).n_votes == store.votes.n_standing() == 1
    assert store.log.broken_links() == []


def test_what_is_remembered_is_bounded_by_what_voters_did(store: VoteStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store.voters, "_most_acts", 6)
    fill(store, NOW, n_prompts=6, n_models=4)
    here, (ann, bob, cay) = booth(store, NOW), VOTERS
    ballots = {voter: here.open(voter, NOW).id for voter in VOTERS}
    assert list(store.voters._states) == [ann, bob, cay]
    # Three voters who are here count one each, a vote one more: with three votes of bob there are six.
    for verdict in (Verdict.A, Verdict.B, Verdict.TIE):
        here.cast(here.open(bob, NOW).id, verdict, bob, NOW)
    assert list(store.voters._states) == [ann, cay, bob]
    # One vote more, and who was here longest ago is read anew next time, to the same effect.
    here.cast(ballots[cay], Verdict.A, cay, NOW)
    assert list(store.voters._states) == [bob, cay]
    assert here.open(ann, NOW).id == ballots[ann]
    assert_known_by_heart(store, NOW)


def test_a_voter_beyond_the_bound_is_known_while_nobody_else_comes(store: VoteStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store.voters, "_most_acts", 1)
    fill(store, NOW)
    here, (ann, bob, _) = booth(store, NOW), VOTERS
    here.cast(here.open(ann, NOW).id, Verdict.A, ann, NOW)
    assert list(store.voters._states) == [ann]
    here.open(bob, NOW)
    assert list(store.voters._states) == [bob]
    assert here.last_vote(ann) is not None
