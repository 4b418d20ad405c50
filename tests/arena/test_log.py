"""The log of acts: what is decided on votes later, and what that leaves of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from arena.battle import Exclusion, Labels, Source, Verdict, VoterId
from arena.labels import LabelRules
from arena.store import VoteStore
from arena.store.chain import entry_hash
from arena.store.log import REDACTION, WITHDRAWAL, decide, votes_of
from arena.tally import EXCLUDED, NOT_BLIND, WITHDRAWN, Selection
from arena.vote_file import read_tallies
from arena.voting import Booth
from tests.arena import arenas

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANN, BEN = VoterId("ann"), VoterId("ben")


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    arenas.fill(store, NOON)
    return store


def test_an_excluded_voter_counts_no_more_and_the_votes_stay_as_they_were(arena: VoteStore):
    before = _vote(arena, ANN, 2)
    _vote(arena, BEN, 1)
    assert arena.exclusions.add(_exclusion(ANN))
    assert _left_out(arena) == {None: 1, EXCLUDED: 2}
    assert arena.votes.counts(ANN).mine == 2, "the voter sees the own votes as before"
    assert [each.verdict for each in arena.votes.by_voter(ANN)] == before
    assert arena.log.broken_links() == []


def test_an_exclusion_holds_for_later_votes_until_it_is_undone(arena: VoteStore):
    arena.exclusions.add(_exclusion(ANN))
    _vote(arena, ANN, 2)
    assert _left_out(arena) == {EXCLUDED: 2}
    assert arena.exclusions.n_votes() == {ANN: 2}
    arena.exclusions.add(_exclusion(ANN, is_excluded=False))
    assert _left_out(arena) == {None: 2}
    assert arena.exclusions.n_votes() == {}
    assert [each.is_excluded for each in arena.exclusions.acts()] == [False, True], "both acts are kept"


def test_who_was_taken_in_again_can_be_left_out_again(arena: VoteStore):
    _vote(arena, ANN, 2)
    for n in range(4):
        assert arena.exclusions.add(_exclusion(ANN, is_excluded=n % 2 == 0))
        assert not arena.exclusions.add(_exclusion(ANN, is_excluded=n % 2 == 0))
        assert _left_out(arena) == ({EXCLUDED: 2} if n % 2 == 0 else {None: 2})


def test_what_stands_already_is_no_act(arena: VoteStore):
    assert not arena.exclusions.add(_exclusion(ANN, is_excluded=False))
    assert arena.exclusions.add(_exclusion(ANN))
    assert not arena.exclusions.add(_exclusion(ANN))
    assert arena.log.position()[0] == 1


def test_what_the_log_said_up_to_an_act_it_says_for_ever(arena: VoteStore):
    _vote(arena, ANN, 2)
    arena.exclusions.add(_exclusion(ANN))
    arena.exclusions.add(_exclusion(ANN, is_excluded=False))
    assert [_left_out(arena, up_to=n) for n in range(5)] == [{}, {None: 1}, {None: 2}, {EXCLUDED: 2}, {None: 2}]


def test_a_withdrawn_vote_of_an_excluded_voter_is_withdrawn(arena: VoteStore):
    booth = arenas.booth(arena, NOON)
    ballot = booth.open(ANN, NOON)
    booth.cast(ballot.id, Verdict.A, ANN, NOON)
    arena.exclusions.add(_exclusion(ANN))
    booth.withdraw(ballot.id, ANN, NOON)
    assert _left_out(arena) == {WITHDRAWN: 1}
    assert arena.exclusions.n_votes() == {ANN: 0}, "of votes that nobody has taken back"


def test_votes_that_were_not_cast_blind_are_left_out_and_counted(arena: VoteStore):
    booth = arenas.booth(arena, NOON)
    ballot = booth.open(ANN, NOON)
    opened = arena.ballots.find(ballot.id)
    assert opened is not None
    assert opened.battle.answer_a is not None
    arena.exposures.add(ANN, [opened.battle.answer_a], NOON)
    booth.cast(ballot.id, Verdict.A, ANN, NOON)
    assert _left_out(arena) == {NOT_BLIND: 1}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_vote_file_may_say_which_votes_were_not_blind(tmp_path: Path, ending: str):
    path = tmp_path / f"votes.{ending}"
    how = "format json" if ending == "jsonl" else f"format {ending}"
    with duckdb.connect() as con:
        con.execute(
            f"""copy (select * from (values ('x', 'y', 'model_a', true), ('x', 'y', 'model_b', false),
            ('x', 'y', 'tie', null)) t(model_a, model_b, winner, blind)) to '{path}' ({how})"""
        )
    assert sum(each.n for each in read_tallies(path)) == 2


def test_the_text_of_a_withdrawn_vote_is_gone_and_the_chain_holds(arena: VoteStore):
    _vote(arena, BEN, 1)
    _comment_and_withdraw(arena)
    _vote(arena, BEN, 1)
    assert arena.log.position()[0] == 5, "two votes of Ben's, one of Ann's, its withdrawal, its redaction"
    assert arena.log.broken_links() == []
    with arena._database.read() as cursor:
        assert cursor.execute("select comments from votes where voter_id = 'ann'").fetchall() == [(None,)]


def test_a_withdrawn_vote_without_text_needs_no_redaction(arena: VoteStore):
    booth = arenas.booth(arena, NOON)
    ballot = booth.open(ANN, NOON)
    booth.cast(ballot.id, Verdict.A, ANN, NOON)
    booth.withdraw(ballot.id, ANN, NOON)
    assert arena.log.position()[0] == 2


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        # The rest of a redacted vote is covered as before.
        ("update votes set verdict = 'tie' where voter_id = 'ann'", 2),
        ("update votes set comments = '{\"vote\": \"other\"}' where voter_id = 'ann'", 2),
        # Without the act that took it out, or the withdrawal before it, a missing text is a change.
        ("delete from redactions", 2),
        ("update redactions set vote_id = (select vote_id from votes where voter_id = 'ben' limit 1)", 2),
        ("delete from withdrawals", 2),
        ("update redactions set record_hash = repeat('0', 64)", 2),
        ("update exclusions set is_excluded = false", 5),
        ("update exclusions set reason = 'another one'", 5),
        ("update exclusions set voter_id = 'ann'", 5),
        ("delete from exclusions where seq = 5", 5),
    ],
)
def test_what_is_decided_on_votes_cannot_be_changed_unseen(tmp_path: Path, tampering: str, broken: int):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        arenas.fill(store, NOON)
        _vote(store, BEN, 1)
        _comment_and_withdraw(store)
        store.exclusions.add(_exclusion(BEN))
        store.exclusions.add(_exclusion(VoterId("cyd")))
        assert store.log.broken_links() == []
        assert store.log.position()[0] == 6
    with duckdb.connect(str(path)) as con:
        con.execute(tampering)
    with VoteStore.open(path) as store:
        assert store.log.broken_links()[0].seq == broken


@pytest.mark.parametrize("kinds", [[REDACTION], [REDACTION, WITHDRAWAL]], ids=["alone", "before its withdrawal"])
def test_an_act_that_takes_words_out_excuses_no_vote_that_was_not_withdrawn_before(arena: VoteStore, kinds: list):
    booth = arenas.booth(arena, NOON)
    booth.labels = LabelRules(comment=True)
    ballot = booth.open(ANN, NOON)
    booth.cast(ballot.id, Verdict.A, ANN, NOON, Labels(comment="my own words"))
    with arena._database.write() as cursor:
        cursor.execute("update votes set comments = null, verdict = 'B'")
        [act] = votes_of(cursor, 1)
        values = {
            REDACTION: (act.vote_id, entry_hash(act.previous_hash, act.record), NOON),
            WITHDRAWAL: (act.vote_id, ANN, NOON),
        }
        for kind in kinds:
            decide(cursor, kind, *values[kind])
    assert [each.seq for each in arena.log.broken_links()] == [1]


def test_votes_of_another_kind_of_act_do_not_pass_for_it(arena: VoteStore):
    """The hash of an exclusion covers its kind: the same values in another table would not fit."""
    arena.exclusions.add(_exclusion(ANN))
    with arena._database.write() as cursor:
        cursor.execute(
            "insert into withdrawals select seq, voter_id, reason, decided_at, app_version, previous_hash, hash "
            "from exclusions"
        )
        cursor.execute("delete from exclusions")
    assert [each.seq for each in arena.log.broken_links()] == [1]


def _vote(store: VoteStore, voter: VoterId, n: int) -> list[Verdict]:
    """Cast so many votes; returned the newest first."""
    booth = arenas.booth(store, NOON)
    for k in range(n):
        ballot = booth.open(voter, NOON + timedelta(seconds=k))
        booth.cast(ballot.id, Verdict.A, voter, NOON + timedelta(seconds=k))
    return [Verdict.A] * n


def _comment_and_withdraw(store: VoteStore) -> None:
    booth: Booth = arenas.booth(store, NOON)
    booth.labels = LabelRules(comment=True)
    ballot = booth.open(ANN, NOON)
    booth.cast(ballot.id, Verdict.A, ANN, NOON, Labels(comment="my own words"))
    booth.withdraw(ballot.id, ANN, NOON)


def _exclusion(voter: VoterId, *, is_excluded: bool = True) -> Exclusion:
    return Exclusion(voter, is_excluded, "200 votes in a minute", "the host", NOON)


def _left_out(store: VoteStore, *, up_to: int | None = None) -> dict[str | None, int]:
    n_log = store.log.position()[0] if up_to is None else up_to
    found: dict[str | None, int] = {}
    for each in store.votes.tallies(up_to=n_log):
        found[each.left_out] = found.get(each.left_out, 0) + each.n
    with store.votes.table(Selection(sources=(Source.HUMAN,)), up_to=n_log) as table:
        counted = table.counted() if n_log else None
    if counted is not None:
        told = {None: int(counted.n.sum())} | dict(counted.left_out)
        assert {reason: n for reason, n in told.items() if n} == found, "counts and rows say the same"
    return found
