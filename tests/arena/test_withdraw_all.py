"""A voter takes all votes back, and sees all that is kept: a right, whatever the rules of the game say."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.batch import rate_log, take_snapshot
from arena.battle import (
    Battle,
    BattleId,
    Exclusion,
    Labels,
    ModelId,
    SkipReason,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
)
from arena.errors import ArenaError, DatabaseUnavailable, NothingToRate
from arena.export import export
from arena.store import VoteStore
from arena.tally import EXCLUDED, WITHDRAWN
from arena.voting import Booth
from arenas import booth, fill, race, voter
from ground import NOW


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW, n_prompts=8, n_models=4)
    store.catalogue.set_rules("[labels]\ncomment = true\n", None, NOW)
    return store


def cast(here: Booth, me: VoterId, verdict: Verdict = Verdict.A, comment: str | None = None) -> None:
    here.cast(here.open(me, NOW).id, verdict, me, NOW, Labels(comment=comment))


def kept(store: VoteStore) -> Counter[str | None]:
    """The votes of the log, by why they do not count."""
    counts = Counter[str | None]()
    for tally in store.votes.tallies(up_to=store.log.position()[0]):
        counts[tally.left_out] += tally.n
    return counts


def test_all_votes_of_one_voter_are_withdrawn_and_nobody_elses(arena: VoteStore):
    here, me, other = booth(arena, NOW), voter(), voter()
    for n in range(5):
        cast(here, me, comment=f"mine {n}")
        cast(here, other, comment=f"theirs {n}")
    assert here.withdraw_all(me, NOW) == 5
    assert arena.log.position()[0] == 10 + 5 + 5  # votes, withdrawals, redactions
    assert arena.log.broken_links() == []
    assert kept(arena) == {None: 5, WITHDRAWN: 5}
    assert (here.counts(me).mine, here.counts(other).mine, here.counts(me).all) == (0, 5, 5)
    comments = [vote.labels.comment for vote in arena.holdings.votes(me)]
    assert comments == [None] * 5
    assert {vote.labels.comment for vote in arena.holdings.votes(other)} == {f"theirs {n}" for n in range(5)}


def test_again_nothing_is_left_to_withdraw(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    assert here.withdraw_all(me, NOW) == 0
    cast(here, me)
    assert [here.withdraw_all(me, NOW) for _ in range(2)] == [1, 0]
    assert arena.log.position()[0] == 2


def test_it_is_offered_where_the_rules_do_not_let_the_last_vote_be_undone(arena: VoteStore):
    arena.catalogue.set_rules("[ballot]\nundo = false\n", None, NOW)
    here, me = booth(arena, NOW), voter()
    cast(here, me)
    assert here.withdraw_all(me, NOW) == 1


def test_the_open_ballot_stays_and_what_was_seen_does_not_come_back(store: VoteStore):
    fill(store, NOW, n_prompts=4, n_models=4)
    here, me = booth(store, NOW), voter()
    shown: list[str] = []
    for _ in range(8):  # 4 prompts, 4 answers each: 2 pairs a prompt in which all are new
        ballot = here.open(me, NOW)
        shown += [ballot.answer_a, ballot.answer_b]
        here.cast(ballot.id, Verdict.A, me, NOW)
        if len(shown) == 8:
            following = here.open(me, NOW)
            here.withdraw_all(me, NOW)
            assert here.open(me, NOW).id == following.id
    assert len(set(shown)) == 16
    assert (here.counts(me).mine, here.counts(me).all) == (4, 4)


def test_calibrations_are_forgotten_and_exposures_are_kept(arena: VoteStore):
    here, me, other = booth(arena, NOW), voter(), voter()
    with arena._database.read() as cursor:
        [[answer]] = cursor.execute("select min(answer_id) from answers").fetchall()
    for each in (me, other):
        arena.calibrations.add(each, "1", [1, 2], Verdict.A, NOW)
        arena.exposures.add(each, [answer], NOW)
    here.withdraw_all(me, NOW)
    assert arena.calibrations.verdicts(me, "1") == {}
    assert len(arena.calibrations.verdicts(other, "1")) == 2
    assert arena.exposures.authors_seen_by(me) == arena.exposures.authors_seen_by(other) != {}


def test_the_pairing_forgets_the_votes_at_once_and_after_a_restart(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\n', None, NOW)
    here, me = booth(arena, NOW), voter()

    def chances(of: Booth) -> set[float]:
        opened = [arena.ballots.find(of.open(voter(), NOW).id) for _ in range(12)]
        return {round(each.battle.draw_probability or 0, 12) for each in opened if each}

    alike = chances(here)
    for _ in range(3):
        cast(here, me)
    assert chances(here) != alike
    here.withdraw_all(me, NOW)
    assert chances(here) == alike == chances(booth(arena, NOW, seed=9))


def test_an_excluded_voters_votes_are_not_taken_off_the_pairing_twice(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\n', None, NOW)
    here, me = booth(arena, NOW), voter()
    for _ in range(3):
        cast(here, me)
    arena.exclusions.add(Exclusion(me, True, "a test", "the host", NOW))
    again = booth(arena, NOW)
    assert kept(arena) == {EXCLUDED: 3}
    assert again.withdraw_all(me, NOW) == 3
    assert kept(arena) == {WITHDRAWN: 3}
    assert len({again.open(voter(), NOW).id for _ in range(5)}) == 5
    assert again._pool._votes._wins.min() == 0


def test_boards_and_exports_follow_and_earlier_boards_stay(arena: VoteStore, tmp_path: Path):
    here, me = booth(arena, NOW), voter()
    for _ in range(6):
        cast(here, voter(), Verdict.TIE)
        cast(here, me)
    before = take_snapshot(arena, NOW)
    here.withdraw_all(me, NOW)
    board = rate_log(arena).board
    assert (before.leaderboard.n_votes, board.n_votes, dict(board.dropped)) == (12, 6, {WITHDRAWN: 6})
    assert export(arena, tmp_path / "out").manifest["formats"]["preference"]["left_out"][WITHDRAWN] == 6
    for each in _voters(arena):
        here.withdraw_all(each, NOW)
    with pytest.raises(NothingToRate):
        rate_log(arena)


def _voters(store: VoteStore) -> list[VoterId]:
    with store._database.read() as cursor:
        return [VoterId(each) for (each,) in cursor.execute("select distinct voter_id from votes").fetchall()]


def test_a_withdrawal_that_cannot_be_stored_changes_nothing(arena: VoteStore, monkeypatch: pytest.MonkeyPatch):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\n[labels]\ncomment = true\n', None, NOW)
    here, me = booth(arena, NOW), voter()
    for n in range(4):
        cast(here, me, comment=f"mine {n}")
    counted = here._pool._votes._wins.copy()

    def fail(_: VoterId) -> None:
        raise DatabaseUnavailable("the disk is full")

    monkeypatch.setattr(arena.calibrations, "forget", fail)
    with pytest.raises(DatabaseUnavailable):
        here.withdraw_all(me, NOW)
    assert (arena.log.position()[0], here.counts(me).mine) == (4, 4)
    assert (here._pool._votes._wins == counted).all()
    assert arena.log.broken_links() == []


def test_racing_withdrawals_and_votes_of_one_voter_make_one_chain(store: VoteStore):
    fill(store, NOW, n_prompts=30, n_models=4)
    here, me = booth(store, NOW), voter()
    for _ in range(4):
        cast(here, me)

    def act(i: int) -> Any:
        return here.withdraw_all(me, NOW) if i % 2 else cast(here, me)

    done = race(act, 16, refused=ArenaError)
    taken = sum(each for each in done if isinstance(each, int)) + here.withdraw_all(me, NOW)
    counts = kept(store)
    assert counts == {WITHDRAWN: taken}  # each vote once
    assert store.log.position()[0] == 2 * taken
    assert store.log.broken_links() == []


@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["vote", "say", "undo", "all"])), max_size=16))
def test_whatever_is_cast_and_withdrawn_the_log_adds_up_and_its_past_stays(acts: list[tuple[int, str]]):
    with VoteStore.open(None) as store:
        fill(store, NOW, n_prompts=10, n_models=6)
        store.catalogue.set_rules("[labels]\ncomment = true\n", None, NOW)
        here, voters = booth(store, NOW), [voter() for _ in range(3)]
        mine = [0, 0, 0]
        said: dict[int, Any] = {}
        for who, act in acts:
            me = voters[who]
            if act == "all":
                assert here.withdraw_all(me, NOW) == mine[who]
                mine[who] = 0
            elif act == "undo":
                last = here.last_vote(me)
                if last is not None:
                    here.withdraw(last.ballot_id, me, NOW)
                    mine[who] -= 1
            else:
                cast(here, me, comment="a word" if act == "say" else None)
                mine[who] += 1
            position = store.log.position()[0]
            said[position] = store.votes.tallies(up_to=position)
            assert [here.counts(each).mine for each in voters] == mine
        assert {n: store.votes.tallies(up_to=n) for n in said} == said
        assert store.log.broken_links() == []


# ---- what is kept ----


def test_a_voter_sees_everything_that_is_kept_and_nothing_of_others(arena: VoteStore):
    here, me, other = booth(arena, NOW), voter(), voter()
    cast(here, other, comment="theirs")
    for n in range(16):
        cast(here, me, Verdict.B, comment=f"mine {n}")
    arena.calibrations.add(me, "1", [1], Verdict.TIE, NOW)
    votes = list(arena.holdings.votes(me))
    assert [vote.labels.comment for vote in votes] == [f"mine {n}" for n in reversed(range(16))]
    assert {vote.verdict for vote in votes} == {Verdict.B}
    for vote in votes:
        assert vote.prompt is not None
        prompt = f"p{vote.prompt[-1].content.removeprefix('Question ').removesuffix('?')}"
        assert vote.answer_a == f"Text of {vote.model_a.replace('Model ', 'm')} for {prompt}"
        assert vote.answer_b == f"Text of {vote.model_b.replace('Model ', 'm')} for {prompt}"
    assert [(each.example, each.verdict) for each in arena.holdings.examples(me)] == [(1, Verdict.TIE)]
    assert arena.holdings.examples(other) == []
    assert len(list(arena.holdings.votes(other))) == 1
    assert list(arena.holdings.votes(VoterId("nobody"))) == []


def test_ballots_without_vote_name_no_author(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    here.skip(here.open(me, NOW).id, SkipReason.BROKEN, me, NOW)
    here.open(me, NOW)
    opened, skipped = sorted(arena.holdings.ballots(me), key=lambda each: each.reason is not None)
    assert (opened.reason, opened.skipped_at) == (None, None)
    assert (skipped.reason, skipped.skipped_at) == (SkipReason.BROKEN, NOW)
    told = str([opened, skipped])
    assert "Model" not in told
    assert "Text of" not in told


def test_votes_are_read_in_pages_none_twice_and_none_left_out(arena: VoteStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("arena.store.holdings._PAGE", 3)
    here, me, other = booth(arena, NOW), voter(), voter()
    for n in range(7):
        cast(here, me, comment=str(n))
        cast(here, other)
    assert [vote.labels.comment for vote in arena.holdings.votes(me)] == [str(n) for n in reversed(range(7))]


def test_imported_votes_without_texts_are_kept_as_well(arena: VoteStore):
    battle = Battle(BattleId("x"), ModelId("m0"), ModelId("m1"))
    vote = Vote(VoteId("x"), battle.id, Verdict.A, Source.IMPORT, VoterId("them"), None, import_key="x")
    arena.votes.add_imported([(battle, vote)], NOW)
    [found] = arena.holdings.votes(VoterId("them"))
    assert (found.prompt, found.answer_a, found.model_a) == (None, None, "Model 0")
