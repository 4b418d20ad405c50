"""A vote that its voter took back: both acts are kept, and from there on it counts nowhere."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import old_database
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.batch import rate_log, take_snapshot
from arena.battle import Battle, BattleId, ModelId, Source, Verdict, Vote, VoteId, VoterId
from arena.errors import (
    ArenaError,
    BadInput,
    BallotError,
    DatabaseTooNew,
    NothingToRate,
    NothingToWithdraw,
    NotOffered,
    TooLateToWithdraw,
    UnknownBallot,
    VoteWithdrawn,
)
from arena.export import export
from arena.store import VoteStore
from arena.tally import WITHDRAWN
from arena.vote_file import open_votes
from arena.voting import Booth
from arenas import KEY, booth, fill, race
from ground import NOW, ROOT

MINUTE = timedelta(minutes=1)


def voter() -> VoterId:
    voter_id = KEY.voter_id(KEY.issue())
    assert voter_id is not None
    return voter_id


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW, n_prompts=6)
    return store


def cast(here: Booth, me: VoterId, verdict: Verdict = Verdict.A) -> str:
    """Vote on the voter's next ballot; returns its id."""
    ballot_id = here.open(me, NOW).id
    here.cast(ballot_id, verdict, me, NOW)
    return ballot_id


def standing(store: VoteStore, up_to: int) -> list[tuple[str, str, str]]:
    """The votes that count in the log up to an act, in order."""
    tallies = store.votes.tallies(up_to)
    rows = [(t.model_a, t.model_b, t.verdict.value) for t in tallies if t.left_out is None for _ in range(t.n)]
    return sorted(rows)


# ---- the rule ----


def test_the_last_vote_can_be_withdrawn_and_the_log_keeps_both_acts(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = cast(here, me, Verdict.B)
    assert here.withdraw(ballot_id, me, NOW + MINUTE) is Verdict.B
    assert arena.log.position()[0] == 2
    assert arena.log.broken_links() == []
    [tally] = arena.votes.tallies(up_to=2)
    assert (tally.n, tally.verdict, tally.left_out) == (1, Verdict.B, "withdrawn by its voter")


def test_a_vote_can_be_withdrawn_until_the_next_one_is_cast(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    first = cast(here, me)
    here.open(me, NOW)  # to look at the next ballot is not to vote on it
    second = cast(here, me)
    with pytest.raises(TooLateToWithdraw):
        here.withdraw(first, me, NOW)
    here.withdraw(second, me, NOW)
    # One step back and no more: the vote before it is not the last one that was cast.
    with pytest.raises(TooLateToWithdraw):
        here.withdraw(first, me, NOW)
    assert arena.log.position()[0] == 3


def test_the_votes_of_others_in_between_do_not_matter(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    mine = cast(here, me)
    for _ in range(3):
        cast(here, voter())
    assert here.withdraw(mine, me, NOW + timedelta(days=40)) is Verdict.A
    assert arena.log.broken_links() == []


def test_withdrawing_again_is_the_same_and_stores_nothing(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = cast(here, me, Verdict.TIE)
    assert {here.withdraw(ballot_id, me, NOW) for _ in range(3)} == {Verdict.TIE}
    cast(here, me)
    assert here.withdraw(ballot_id, me, NOW) is Verdict.TIE  # a lost answer may be asked for late
    assert arena.log.position()[0] == 3


def test_a_ballot_without_a_vote_has_nothing_to_withdraw(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    with pytest.raises(NothingToWithdraw):
        here.withdraw(here.open(me, NOW).id, me, NOW)


def test_nobody_withdraws_the_vote_of_another_nor_learns_that_it_exists(arena: VoteStore):
    here = booth(arena, NOW)
    ballot_id = cast(here, voter())
    for wanted in (ballot_id, "no-such-ballot"):
        with pytest.raises(UnknownBallot):
            here.withdraw(wanted, voter(), NOW)
    assert arena.log.position()[0] == 1


def test_where_the_rules_have_it_so_no_vote_can_be_withdrawn(arena: VoteStore):
    arena.catalogue.set_rules("[ballot]\nundo = false\n", None, NOW)
    here, me = booth(arena, NOW), voter()
    ballot_id = cast(here, me)
    with pytest.raises(NotOffered, match="does not offer to withdraw a vote"):
        here.withdraw(ballot_id, me, NOW)
    assert here.last_vote(me) is None
    assert arena.log.position()[0] == 1


def test_the_ballot_stays_closed_to_every_verdict(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = cast(here, me)
    here.withdraw(ballot_id, me, NOW)
    for verdict in Verdict:
        with pytest.raises(VoteWithdrawn):
            here.cast(ballot_id, verdict, me, NOW)
    assert here.open(me, NOW).id != ballot_id
    assert arena.log.position()[0] == 2


def test_answers_whose_authors_were_named_are_never_served_again(store: VoteStore):
    fill(store, NOW, n_prompts=3, n_models=6)
    here, me = booth(store, NOW), voter()
    shown: list[str] = []
    for _ in range(9):  # 3 prompts, 6 answers each: 3 pairs a prompt in which all are new
        ballot = here.open(me, NOW)
        shown += [ballot.answer_a, ballot.answer_b]
        here.cast(ballot.id, Verdict.A, me, NOW)
        here.withdraw(ballot.id, me, NOW)
    assert len(set(shown)) == 18
    with pytest.raises(BallotError):
        here.open(me, NOW)


# ---- what counts ----


def test_counters_forget_a_withdrawn_vote(arena: VoteStore):
    here, me, other = booth(arena, NOW), voter(), voter()
    cast(here, other)
    cast(here, me)
    here.withdraw(cast(here, me), me, NOW)
    assert (here.counts(me).mine, here.counts(me).all) == (1, 2)
    assert (here.counts(other).mine, here.counts(other).all) == (1, 2)


class Interrupted:
    """A real cursor, after whose first statement something else happens."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, act: Callable[[], None]):
        self._cursor, self._act, self._rows = cursor, act, list[tuple[Any, ...]]()

    def execute(self, *asked: Any) -> "Interrupted":
        self._rows = self._cursor.execute(*asked).fetchall()
        self._act()
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


def test_counters_are_of_one_moment_and_never_below_nothing(arena: VoteStore, monkeypatch: pytest.MonkeyPatch):
    here, me = booth(arena, NOW), voter()
    read = arena.votes._database.read

    def take_a_vote_back() -> None:
        monkeypatch.undo()
        here.withdraw(cast(here, me), me, NOW)

    @contextmanager
    def interrupted() -> Iterator[Interrupted]:
        with read() as cursor:
            yield Interrupted(cursor, take_a_vote_back)

    monkeypatch.setattr(arena.votes._database, "read", interrupted)
    counts = here.counts(me)
    # Read in two statements, the withdrawal would be counted and the vote would not: -1.
    assert (counts.mine, counts.all) == (0, 0)
    assert arena.log.position()[0] == 2


def test_the_pairing_forgets_a_withdrawn_vote_at_once_and_after_a_restart(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\n', None, NOW)
    here, me = booth(arena, NOW), voter()

    def chances(of: Booth) -> set[float | None]:
        opened = [arena.ballots.find(of.open(voter(), NOW).id) for _ in range(12)]
        return {round(each.battle.draw_probability or 0, 12) for each in opened if each}

    alike = chances(here)
    ballot_id = cast(here, me)
    assert len(alike) == 1
    assert chances(here) != alike
    here.withdraw(ballot_id, me, NOW)
    assert chances(here) == alike
    assert chances(booth(arena, NOW, seed=9)) == alike


def test_a_board_leaves_a_withdrawn_vote_out_and_says_why(arena: VoteStore):
    here = booth(arena, NOW)
    for _ in range(12):
        me = voter()
        cast(here, me, Verdict.TIE)
    here.withdraw(cast(here, me := voter(), Verdict.BOTH_BAD), me, NOW)
    board = rate_log(arena).board
    assert (board.n_votes, dict(board.dropped)) == (12, {WITHDRAWN: 1})


def test_with_all_votes_withdrawn_there_is_nothing_to_rate(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    here.withdraw(cast(here, me), me, NOW)
    with pytest.raises(NothingToRate):
        rate_log(arena)


def test_an_export_leaves_a_withdrawn_vote_out_and_counts_every_vote(arena: VoteStore, tmp_path: Path):
    here, me = booth(arena, NOW), voter()
    kept = cast(here, me)
    here.withdraw(cast(here, me), me, NOW)
    manifest = export(arena, tmp_path / "out").manifest
    told = manifest["formats"]["preference"]
    assert (manifest["n_votes"], told["kept"], told["left_out"]) == (2, 1, {WITHDRAWN: 1})
    assert manifest["watermark"]["n_log"] == 3
    assert kept not in str(manifest)


def test_a_withdrawn_vote_makes_no_conflict_in_an_export(arena: VoteStore, tmp_path: Path):
    # Two voters on the same two answers, one for each: without the withdrawn one there is a strict majority.
    fill(arena, NOW, n_prompts=1, n_models=2)
    arena.catalogue.set_rules("", None, NOW)
    here = booth(arena, NOW)
    tried: dict[frozenset[str], tuple[str, VoterId]] = {}
    while True:
        me = voter()
        ballot = here.open(me, NOW)
        texts = frozenset((ballot.answer_a, ballot.answer_b))
        wanted = Verdict.A if ballot.answer_a == min(texts) else Verdict.B
        if texts in tried:
            here.cast(ballot.id, wanted.swapped, me, NOW)
            break
        here.cast(ballot.id, wanted, me, NOW)
        tried[texts] = ballot.id, me
    before = export(arena, tmp_path / "before").manifest["formats"]["preference"]
    assert before["left_out"] == {"conflict: no strict majority": 2}
    here.withdraw(ballot.id, me, NOW)
    after = export(arena, tmp_path / "after").manifest["formats"]["preference"]
    assert (after["left_out"], after["kept"]) == ({WITHDRAWN: 1}, len(tried))


def test_a_board_as_of_an_act_does_not_change_when_a_vote_is_withdrawn_later(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    for _ in range(9):
        cast(here, voter(), Verdict.TIE)
    ballot_id = cast(here, me, Verdict.A)
    before = take_snapshot(arena, NOW)
    here.withdraw(ballot_id, me, NOW)
    after = take_snapshot(arena, NOW)
    assert (before.n_log, before.leaderboard.n_votes) == (10, 10)
    assert (after.n_log, after.leaderboard.n_votes) == (11, 9)
    assert [sum(t.n for t in arena.votes.tallies(n) if t.left_out is None) for n in (10, 11)] == [10, 9]
    assert after.id != before.id
    with arena.votes.table(_everything(), up_to=10) as votes:
        counted = votes.counted()
    assert (int(counted.n.sum()), dict(counted.left_out)) == (10, {})


def _everything() -> Any:
    from arena.tally import Selection  # noqa: PLC0415

    return Selection()


def test_a_board_of_one_category_leaves_withdrawn_votes_out_as_well(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    for _ in range(6):
        cast(here, voter(), Verdict.TIE)
    here.withdraw(cast(here, me), me, NOW)
    with arena.votes.table(_everything(), up_to=8) as votes:
        [part] = votes.slices("category").values()
        counted = part.counted()
    assert (int(counted.n.sum()), dict(counted.left_out)) == (6, {WITHDRAWN: 1})


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.sampled_from(list(Verdict))), max_size=24))
def test_whatever_is_cast_and_withdrawn_the_log_up_to_any_act_says_what_it_said_then(acts: list[Any]):
    """Three voters vote and undo in any order; what counts after each act is noted, and asked again at the end."""
    with VoteStore.open(None) as store:
        fill(store, NOW, n_prompts=10, n_models=6)
        here, voters = booth(store, NOW), [voter() for _ in range(3)]
        last: list[str | None] = [None] * 3
        said = {0: standing(store, 0)}
        n_standing = 0
        for who, is_undo, verdict in acts:
            if is_undo:
                mine = last[who]
                if mine is not None:
                    here.withdraw(mine, voters[who], NOW)
                    last[who] = None
                    n_standing -= 1
            else:
                last[who] = cast(here, voters[who], verdict)
                n_standing += 1
            n_acts = store.log.position()[0]
            said[n_acts] = standing(store, n_acts)
            assert len(said[n_acts]) == n_standing == here.counts(voters[0]).all
        assert {n: standing(store, n) for n in said} == said
        assert store.log.broken_links() == []
        tallies = store.votes.tallies(up_to=store.log.position()[0])
        n_votes = sum(t.n for t in tallies)
        assert n_votes == sum(not is_undo for _, is_undo, _ in acts)  # kept and left out are all


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_a_vote_file_may_say_which_votes_were_withdrawn(tmp_path: Path, ending: str):
    path = tmp_path / f"votes{ending}"
    with duckdb.connect() as con:
        con.execute(
            f"""copy (from (values ('a', 'b', 'tie', true), ('a', 'b', 'tie', false), ('b', 'a', 'tie', null))
            t(model_a, model_b, winner, withdrawn)) to '{path}' {"(format json)" if ending == ".jsonl" else ""}"""
        )
    with open_votes(path) as votes:
        counted = votes.counted()
    assert (int(counted.n.sum()), dict(counted.left_out)) == (2, {WITHDRAWN: 1})


def test_a_vote_file_that_says_it_in_other_words_is_refused(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,withdrawn\na,b,tie,perhaps\n")
    with open_votes(path) as votes, pytest.raises(BadInput, match="perhaps"):
        votes.counted()


# ---- races and faults ----


def test_racing_withdrawals_of_one_vote_store_one(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    ballot_id = cast(here, me)
    assert race(lambda _: here.withdraw(ballot_id, me, NOW), 32, refused=ArenaError) == [Verdict.A] * 32
    assert arena.log.position()[0] == 2
    assert arena.log.broken_links() == []


def test_of_a_withdrawal_and_the_next_vote_at_once_the_order_decides(arena: VoteStore):
    here = booth(arena, NOW)
    for _ in range(6):
        me = voter()
        first, following = cast(here, me), here.open(me, NOW).id

        def act(i: int, me: VoterId = me, first: str = first, following: str = following) -> Any:
            return here.withdraw(first, me, NOW) if i else here.cast(following, Verdict.B, me, NOW)

        voted, withdrawn = race(act, 2, refused=ArenaError)
        assert not isinstance(voted, ArenaError)
        assert withdrawn is Verdict.A or isinstance(withdrawn, TooLateToWithdraw)
        assert here.counts(me).mine == (1 if withdrawn is Verdict.A else 2)
    assert arena.log.broken_links() == []


def test_votes_and_withdrawals_of_many_at_once_make_one_chain(store: VoteStore):
    fill(store, NOW, n_prompts=20, n_models=4)
    here, voters = booth(store, NOW), [voter() for _ in range(8)]

    def vote_and_undo(i: int) -> None:
        for _ in range(5):
            here.withdraw(cast(here, voters[i]), voters[i], NOW)

    race(vote_and_undo, 8, refused=ArenaError)
    assert store.log.position()[0] == 80
    assert here.counts(voters[0]).all == 0
    assert store.log.broken_links() == []


def test_a_withdrawal_that_was_acknowledged_survives_a_kill(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    script = f"""
import os, signal, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}, {str(ROOT / "tests" / "arena")!r}]
from pathlib import Path
from arenas import KEY, booth, fill
from ground import NOW
from arena.battle import Verdict
from arena.store import VoteStore
store = VoteStore.open(Path({str(path)!r}))
fill(store, NOW, n_prompts=10)
here, me = booth(store, NOW), KEY.voter_id(KEY.issue())
for _ in range(3):
    ballot = here.open(me, NOW)
    here.cast(ballot.id, Verdict.A, me, NOW)
    here.withdraw(ballot.id, me, NOW)
print("told", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.returncode) == ("told\n", -9)
    with VoteStore.open(path) as store:
        assert store.log.position()[0] == 6
        assert store.log.broken_links() == []
        assert {tally.left_out for tally in store.votes.tallies(up_to=6)} == {WITHDRAWN}


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("delete from withdrawals where seq = 2", (2, "it was removed")),
        ("update withdrawals set vote_id = 'another' where seq = 2", (2, "it was changed after it was stored")),
        ("update withdrawals set withdrawn_at = now() where seq = 2", (2, "it was changed after it was stored")),
        (
            "update withdrawals set previous_hash = 'x' where seq = 2",
            (2, "the hash that it holds of the act before it was changed"),
        ),
        ("update withdrawals set seq = 3 where seq = 2", (2, "it was removed")),
        ("delete from votes where seq = 1", (1, "it was removed")),
        ("update votes set verdict = 'B' where seq = 1", (1, "it was changed after it was stored")),
        (
            "insert into withdrawals select 6, vote_id, voter_id, now(), '0.1.0', hash, 'x' from votes where seq = 5",
            (6, "it was changed after it was stored"),
        ),
    ],
)
def test_a_log_that_was_tampered_with_breaks_there(tmp_path: Path, tampering: str, fault: tuple[int, str]):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=10)
        here, me = booth(store, NOW), voter()
        here.withdraw(cast(here, me), me, NOW)  # acts 1 and 2
        for _ in range(3):  # acts 3 to 5
            cast(here, voter())
        assert store.log.broken_links() == []
    with duckdb.connect(str(path)) as con:
        con.execute(tampering)
    with VoteStore.open(path) as store:
        first = store.log.broken_links()[0]
    assert (first.seq, first.fault) == fault


def test_imported_votes_follow_a_withdrawal_in_the_chain(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    here.withdraw(cast(here, me), me, NOW)
    rows = []
    for key in ("x", "y"):
        battle = Battle(BattleId(key), ModelId("m0"), ModelId("m1"))
        rows.append((battle, Vote(VoteId(key), battle.id, Verdict.A, Source.IMPORT, None, None, import_key=key)))
    assert arena.votes.add_imported(rows, NOW) == 2
    assert arena.log.position()[0] == 4
    assert arena.log.broken_links() == []
    assert arena.votes.n_by_source(up_to=4) == {Source.IMPORT: 2}


# ---- databases from before ----


def test_an_old_database_is_brought_up_to_date_with_its_hashes_and_takes_a_withdrawal(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    old_database.write(path)
    with VoteStore.open(path) as store:
        assert store.log.hash_at(3) == old_database.HASHES[3]
        assert store.log.position()[0] == 4, "an act that says where the votes from before end"
        assert store.log.broken_links() == []
        here = booth(store, NOW)
        assert here.withdraw("ballot1", VoterId("voter1"), NOW) is Verdict.TIE
        assert here.open(VoterId("voter3"), NOW).id == "ballot3"
        assert store.log.broken_links() == []
    with VoteStore.open(path) as store:
        assert store.log.position()[0] == 5
        assert [t.left_out for t in store.votes.tallies(up_to=5) if t.source is Source.HUMAN] == [None, WITHDRAWN]
    with duckdb.connect(str(path)) as con:
        applied = con.execute("select version from schema_versions order by 1").fetchall()
        told = con.execute("select seq, withdrawn_at is not null from vote_log order by seq").fetchall()
    assert applied == [(step,) for step in range(1, len(list(old_database.FIRST_STEP.parent.glob("*.sql"))) + 1)]
    assert told == [(1, False), (2, True), (3, False)]


def test_an_old_database_with_a_newer_step_is_still_left_alone(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    old_database.write(path)
    with duckdb.connect(str(path)) as con:
        con.execute("insert into schema_versions values (99, now())")
    with pytest.raises(DatabaseTooNew):
        VoteStore.open(path)
    with duckdb.connect(str(path)) as con:
        tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    assert "withdrawals" not in tables
