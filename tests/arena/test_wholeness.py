"""A log that was tampered with says so, and names the first act that is not as it was stored."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.batch import take_snapshot
from arena.battle import Message, Verdict
from arena.pack import prompt_digest
from arena.store import VoteStore
from arena.store.chain import GENESIS, entry_hash
from arena.store.log import votes_of
from arena.store.walk import Act, broken
from arena.wholeness import Position, examine
from arenas import KEY, booth, fill
from command import bakeoff, error_of
from ground import NOW

# Acts 1 to 6 are votes by three voters, 7 is a withdrawal of vote 6, 8 and 9 are votes; a board is stored after act 9.
N_ACTS = 9


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed database as bytes."""
    path = tmp_path_factory.mktemp("whole") / "arena.duckdb"
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=4, n_models=4)
        here = booth(store, NOW)
        for n in range(8):
            me = KEY.voter_id(KEY.issue())
            assert me is not None
            ballot = here.open(me, NOW)
            here.cast(ballot.id, (Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD)[n % 4], me, NOW)
            if n == 5:
                here.withdraw(ballot.id, me, NOW)
        take_snapshot(store, NOW)
        assert store.log.position()[0] == N_ACTS
    return path.read_bytes()


@pytest.fixture
def path(whole: bytes, tmp_path: Path) -> Path:
    place = tmp_path / "arena.duckdb"
    place.write_bytes(whole)
    return place


def tamper(path: Path, *statements: str) -> None:
    """Change the file behind the arena's back."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def vote_id(path: Path, seq: int) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        [[found]] = connection.execute(
            "select vote_id from votes where seq = $1 union select vote_id from withdrawals where seq = $1",
            [seq],
        ).fetchall()
    return found


def told(path: Path, *options: object) -> tuple[int, str | None, str, int]:
    """Number, vote and fault of the first act that `bakeoff verify` names, and how many others there are."""
    said = bakeoff("verify", "--db", path, "--json", *options)
    assert said.code == 1, said
    assert not said.record["whole"]
    first, *others = said.record["broken"]
    return first["act"], first["vote_id"], first["fault"], len(others)


# A vote that nobody cast, as an insert with these values for its number, verdict and hashes.
SLIP_IN = """insert into votes select {seq}, 'slipped', 'slipped battle', voted_at, stored_at, 'A', source, voter_id,
    shown_on_left, strength, confidence, dimensions, reasons, comments, voter_wrote_prompt, time_to_vote_ms, blind,
    guideline_version, prompt_digest, phase, purpose, consent_version, app_version, import_key, {previous_hash}, {hash},
    scale, ratings, acceptable, comments_digest, comments_salt from votes where seq = 1"""
ITS_BATTLE = "insert into battles select * replace ('slipped battle' as battle_id) from battles limit 1"


def test_a_log_that_nobody_touched_is_whole(path: Path):
    said = bakeoff("verify", "--db", path)
    assert said.code == 0
    with VoteStore.open(path) as store:
        n_log, log_hash = store.log.position()
    assert said.out == f"{N_ACTS} acts, the log is whole\n{n_log}:{log_hash}\n"
    assert bakeoff("verify", "--db", path, "--expect", f"{n_log}:{log_hash}").code == 0


def test_an_empty_log_is_whole(tmp_path: Path):
    with VoteStore.open(tmp_path / "new.duckdb"):
        pass
    said = bakeoff("verify", "--db", tmp_path / "new.duckdb")
    assert (said.code, said.out) == (0, "the log is whole, and holds no act yet\n")


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path):
    assert "there is no database" in error_of(bakeoff("verify", "--db", tmp_path / "missing.duckdb"))
    assert not (tmp_path / "missing.duckdb").exists()


def test_a_changed_verdict_is_found(path: Path):
    tamper(path, "update votes set verdict = 'B' where seq = 3")  # it was a tie
    assert told(path) == (3, vote_id(path, 3), "it was changed after it was stored", 0)


@pytest.mark.parametrize(
    "change",
    [
        "voter_id = 'somebody else'",
        "voted_at = voted_at + interval 1 microsecond",
        "source = 'ai_judge'",
        "blind = false",
    ],
)
def test_any_other_changed_column_is_found(path: Path, change: str):
    tamper(path, f"update votes set {change} where seq = 3")
    assert told(path) == (3, vote_id(path, 3), "it was changed after it was stored", 0)


def test_models_that_were_swapped_behind_a_vote_are_found(path: Path):
    tamper(
        path,
        "update battles set model_a = model_b, model_b = model_a where battle_id = "
        "(select battle_id from votes where seq = 2)",
    )
    assert told(path) == (2, vote_id(path, 2), "it was changed after it was stored", 0)


def test_a_changed_hash_of_the_act_before_is_found(path: Path):
    tamper(path, "update votes set previous_hash = 'x' where seq = 3")
    assert told(path) == (3, vote_id(path, 3), "the hash that it holds of the act before it was changed", 0)


def test_a_vote_removed_from_the_middle_is_found(path: Path):
    tamper(path, "delete from votes where seq = 4")
    assert told(path) == (4, None, "it was removed", 0)


def test_several_votes_removed_in_a_row_are_found(path: Path):
    tamper(path, "delete from votes where seq in (2, 3, 4)")
    assert told(path) == (2, None, "it was removed, and so was what followed up to act 4", 0)


def test_the_first_votes_removed_are_found(path: Path):
    tamper(path, "delete from votes where seq <= 2")
    assert told(path)[:3] == (1, None, "it was removed, and so was what followed up to act 2")


def test_a_removed_withdrawal_is_found(path: Path):
    tamper(path, "delete from withdrawals")
    assert told(path) == (7, None, "it was removed", 0)


def test_a_removed_battle_is_found(path: Path):
    tamper(path, "delete from battles where battle_id = (select battle_id from votes where seq = 5)")
    assert told(path)[:2] == (5, None)


def test_the_last_vote_removed_is_found_by_the_leaderboard_that_names_it(path: Path):
    tamper(path, "delete from votes where seq = 9")
    fault = "it was removed with all up to act 9, which the leaderboard of 2026-05-01 12:00:00 UTC names"
    assert told(path) == (9, None, fault, 0)


def test_the_last_vote_removed_with_every_leaderboard_is_found_by_a_position_noted_elsewhere(path: Path):
    with VoteStore.open(path) as store:
        n_log, log_hash = store.log.position()
    tamper(path, "delete from snapshots", "delete from votes where seq >= 8")
    assert bakeoff("verify", "--db", path).code == 0  # of the log's own end the chain knows nothing
    assert told(path, "--expect", f"{n_log}:{log_hash}") == (
        8,
        None,
        "it was removed with all up to act 9, which --expect names",
        0,
    )


def test_a_removed_and_renumbered_vote_is_found(path: Path):
    tamper(path, "delete from votes where seq = 4", "update votes set seq = 4 where seq = 5")
    # Act 5 says that it follows act 4, which is gone; and its hash is not that of an act 4.
    seq, vote, fault, n_others = told(path)
    assert (seq, vote) == (4, vote_id(path, 4))
    assert fault == "it was slipped in, or changed: neither its hash nor the one before it fits"
    assert n_others == 1  # act 5 is gone


def test_a_changed_number_is_found(path: Path):
    tamper(path, "delete from snapshots", "delete from withdrawals", "delete from votes where seq > 6")
    tamper(path, "update votes set seq = 12 where seq = 6")
    assert told(path) == (12, vote_id(path, 12), "its number was changed: it is act 6", 0)


def test_a_vote_slipped_in_at_the_end_with_no_right_hash_is_found(path: Path):
    tamper(path, ITS_BATTLE, SLIP_IN.format(seq=10, previous_hash="'x'", hash="'y'"))
    fault = "it was slipped in, or changed: neither its hash nor the one before it fits"
    assert told(path) == (10, "slipped", fault, 0)


def test_a_vote_slipped_in_at_the_end_after_the_right_hash_is_found(path: Path):
    tamper(
        path,
        ITS_BATTLE,
        SLIP_IN.format(seq=10, previous_hash="(select hash from votes where seq = 9)", hash="'y'"),
    )
    assert told(path) == (10, "slipped", "it was changed after it was stored", 0)


def make_room(path: Path, seq: int) -> None:
    """Give every act from this one on the next number."""
    for number in range(N_ACTS, seq - 1, -1):
        for acts in ("votes", "withdrawals"):
            tamper(path, f"update {acts} set seq = {number + 1} where seq = {number}")


def test_a_vote_slipped_into_the_middle_is_found(path: Path):
    make_room(path, 5)
    tamper(path, ITS_BATTLE, SLIP_IN.format(seq=5, previous_hash="'x'", hash="'y'"))
    seq, vote, fault, n_others = told(path)
    assert (seq, vote, n_others) == (5, "slipped", 5)
    assert fault.startswith("it was slipped in")


def test_a_vote_slipped_into_the_middle_with_its_own_hash_recomputed_is_found(path: Path):
    # Before the withdrawal.
    make_room(path, 7)
    tamper(path, ITS_BATTLE, SLIP_IN.format(seq=7, previous_hash="'x'", hash="'y'"))
    recompute(path, 7)
    # Acts 7 to 9, as they were called, were moved.
    assert told(path) == (7, "slipped", "it was slipped in", 3)


def test_a_vote_slipped_in_between_two_votes_with_its_own_hash_recomputed_is_found(path: Path):
    # No key of the database refuses that two votes name the same act before them. The walk does.
    make_room(path, 5)
    tamper(path, ITS_BATTLE, SLIP_IN.format(seq=5, previous_hash="'x'", hash="'y'"))
    recompute(path, 5)
    # Acts 5 to 9, as they were called, were moved.
    assert told(path) == (5, "slipped", "it was slipped in", 5)


def test_a_vote_slipped_in_with_both_hashes_of_another_is_found(path: Path):
    hashes = {name: f"(select {name} from votes where seq = 9)" for name in ("previous_hash", "hash")}
    tamper(path, ITS_BATTLE, SLIP_IN.format(seq=10, **hashes))
    assert told(path) == (
        10,
        "slipped",
        "it was slipped in, or changed: neither its hash nor the one before it fits",
        0,
    )


def recompute(path: Path, *numbers: int) -> None:
    """Give these votes, one after the other, the hashes that they would have had, as somebody would who knows how."""
    for number in numbers:
        with duckdb.connect(str(path)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            acts = "(select seq, hash from votes union all select seq, hash from withdrawals)"
            [[before]] = connection.execute(f"select hash from {acts} where seq = ?", [number - 1]).fetchall()
            connection.execute("update votes set previous_hash = ? where seq = ?", [before, number])
            [act] = [act for act in votes_of(connection.cursor(), N_ACTS + 2) if act.seq == number]
            connection.execute("update votes set hash = ? where seq = ?", [entry_hash(before, act.record), number])


def test_a_changed_vote_with_its_own_hash_recomputed_is_found(path: Path):
    tamper(path, "update votes set verdict = 'A' where seq = 4")
    recompute(path, 4)
    assert told(path) == (4, vote_id(path, 4), "it was changed or slipped in, with a hash made to fit", 0)


def test_a_log_written_anew_from_some_act_on_is_found_by_a_leaderboard(path: Path):
    tamper(path, "update votes set verdict = 'A' where seq = 8")
    recompute(path, 8, 9)
    fault = "it, or what stands before it, is not what the leaderboard of 2026-05-01 12:00:00 UTC names"
    assert told(path) == (9, None, fault, 0)


def test_a_second_act_with_the_same_number_is_found(path: Path):
    tamper(
        path,
        "insert into withdrawals values (3, (select vote_id from votes where seq = 3), 'v', now(), '0', 'x', 'y')",
    )
    assert told(path) == (3, vote_id(path, 3), "it was slipped in: another act has its number", 0)


def test_a_changed_answer_is_found_at_every_vote_that_was_cast_on_it(path: Path):
    tamper(
        path,
        """update answers set text = 'Better by far' where answer_id =
        (select answer_a from battles join votes using (battle_id) where seq = 1)""",
    )
    assert told(path)[:3] == (1, vote_id(path, 1), "a text that it was cast on was changed")


def test_a_changed_prompt_is_found_at_every_vote_that_was_cast_on_it(path: Path):
    tamper(
        path,
        """update prompts set messages = [{'role': 'user', 'content': 'Another question?'}] where prompt_id =
        (select prompt_id from battles join votes using (battle_id) where seq = 1)""",
    )
    assert told(path)[:3] == (1, vote_id(path, 1), "a text that it was cast on was changed")


def test_a_changed_prompt_whose_digest_was_made_to_fit_is_found_as_well(path: Path):
    other = (Message("user", "Another question?"),)
    tamper(
        path,
        f"""update prompts set messages = [{{'role': 'user', 'content': 'Another question?'}}],
        digest = '{prompt_digest(other)}' where prompt_id =
        (select prompt_id from battles join votes using (battle_id) where seq = 1)""",
    )
    assert told(path)[:3] == (1, vote_id(path, 1), "a text that it was cast on was changed")


def test_what_a_person_reads_names_the_first_act_and_counts_the_others(path: Path):
    tamper(path, "update votes set verdict = 'B' where seq in (3, 4, 8)")
    said = bakeoff("verify", "--db", path)
    assert said.code == 1
    assert said.out == (
        f"{N_ACTS} acts, the log is not whole\nact 3 (vote {vote_id(path, 3)}): it was changed after it was stored, "
        "and 2 more acts are not as stored\n"
    )


@pytest.mark.parametrize("text", ["9", "0:" + "0" * 64, "9:xyz", f"{'9' * 5}:{'A' * 64}"])
def test_what_is_no_position_is_wrong_usage(path: Path, text: str):
    assert bakeoff("verify", "--db", path, "--expect", text).code == 2


def chain(n: int) -> list[Act]:
    acts, previous = [], GENESIS
    for seq in range(1, n + 1):
        record = {"seq": seq, "verdict": "A"}
        link = entry_hash(previous, record)
        acts.append(Act(seq, f"v{seq}", record, set(), previous, link, link))
        previous = link
    return acts


Tamper = Callable[[list[Act], int], list[Act]]


def changed(acts: list[Act], at: int) -> list[Act]:
    return [act._replace(record=act.record | {"verdict": "B"}) if act.seq == at else act for act in acts]


def removed(acts: list[Act], at: int) -> list[Act]:
    return [act for act in acts if act.seq != at]


def slipped_in(acts: list[Act], at: int) -> list[Act]:
    """A vote in the place of this one, hash and all; those after it get the next number."""
    record = {"seq": at, "verdict": "B"}
    previous = acts[at - 1].previous_hash
    link = entry_hash(previous, record)
    new = Act(at, "new", record, set(), previous, link, link)
    moved = [act._replace(seq=act.seq + 1, record=act.record | {"seq": act.seq + 1}) for act in acts[at - 1 :]]
    return [*acts[: at - 1], new, *moved]


@settings(deadline=None, max_examples=50)
@given(
    n=st.integers(2, 12),
    data=st.data(),
    tampers=st.lists(st.sampled_from([changed, removed, slipped_in]), min_size=1, max_size=1),
)
def test_whatever_is_done_to_one_act_it_is_the_first_that_is_named(n: int, data: st.DataObject, tampers: list[Tamper]):
    [tampering] = tampers
    # The last act of a log can be removed without a trace in the chain.
    at = data.draw(st.integers(1, n - 1 if tampering is removed else n))
    assert list(broken(chain(n), set())) == []
    assert next(broken(tampering(chain(n), at), set())).seq == at


@settings(deadline=None, max_examples=50)
@given(n=st.integers(3, 12), data=st.data())
def test_of_several_that_were_tampered_with_none_hides_the_first(n: int, data: st.DataObject):
    first, second = sorted(data.draw(st.lists(st.integers(1, n - 1), min_size=2, max_size=2, unique=True)))
    acts = data.draw(st.sampled_from([changed, removed]))(chain(n), second)
    acts = data.draw(st.sampled_from([changed, removed]))(acts, first)
    assert next(broken(acts, set())).seq == first


def test_of_two_positions_that_miss_the_same_act_the_first_one_given_speaks(path: Path):
    with VoteStore.open(path) as store:
        expected = [Position(3, "0" * 64, "a note"), Position(3, "1" * 64, "another note")]
        [link] = examine(store, expected).broken
    assert (link.seq, link.fault) == (3, "it, or what stands before it, is not what a note names")
