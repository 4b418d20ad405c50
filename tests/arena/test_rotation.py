"""The voters' key is rotated: the newest secret signs, earlier ones are known, and dropped ones are forgotten."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from arena.errors import BadInput, DatabaseUnavailable
from arena.settings import Settings
from arena.store import VoteStore
from arena.voter import VoterKey, add_secret, drop_earlier_secrets, open_secrets
from command import HEADER, bakeoff, error_of
from ground import ROOT

OLD, NEW, NEWER = (f"a secret of the tests, number {n}, which is long".encode() for n in (1, 2, 3))
PEOPLE = "model_a,model_b,winner,who\na,b,model_a,alice\na,b,tie,bob\n"


# ---- cookies ----


def test_a_voter_of_an_earlier_secret_stays_the_same_voter():
    before, after = VoterKey(OLD), VoterKey(NEWER, NEW, OLD)
    cookie = before.issue()
    jar = {before.cookie_name: cookie}
    assert after.voter_among(jar) == after.voter_id(cookie) == before.voter_id(cookie) is not None


def test_a_new_voter_is_known_by_the_newest_secret_alone():
    both = VoterKey(NEW, OLD)
    cookie = both.issue()
    assert both.cookie_name == VoterKey(NEW).cookie_name
    assert VoterKey(NEW).voter_id(cookie) == both.voter_id(cookie) is not None
    assert VoterKey(OLD).voter_id(cookie) is None


def test_a_dropped_secret_opens_nothing_any_more():
    before, after = VoterKey(OLD), VoterKey(NEW)
    assert after.voter_among({before.cookie_name: before.issue()}) is None


def test_of_two_cookies_the_one_of_the_newer_secret_counts():
    old, new, both = VoterKey(OLD), VoterKey(NEW), VoterKey(NEW, OLD)
    jar = {old.cookie_name: old.issue(), new.cookie_name: (cookie := new.issue())}
    assert both.voter_among(jar) == new.voter_id(cookie)
    jar[new.cookie_name] = "forged"
    assert both.voter_among(jar) == old.voter_id(jar[old.cookie_name])


def test_a_pseudonym_is_the_one_that_is_known_by_whichever_secret():
    both = VoterKey(NEW, OLD)
    by_old, by_new = (VoterKey(secret).pseudonym("imported voter", "alice") for secret in (OLD, NEW))
    assert both.pseudonym("imported voter", "alice", {by_old}) == by_old
    assert both.pseudonym("imported voter", "alice", {by_old, by_new}) == by_new
    assert both.pseudonym("imported voter", "alice", {"another"}) == by_new


# ---- the key file ----


def test_a_new_key_is_put_before_the_others_which_stay(tmp_path: Path):
    path = tmp_path / "arena.key"
    [first] = open_secrets(path)
    assert add_secret(path) == 2
    assert add_secret(path) == 3
    newest, middle, last = open_secrets(path)
    assert last == first
    assert len({newest, middle, last}) == 3
    assert {len(each) for each in (newest, middle, last)} == {32}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert drop_earlier_secrets(path) == 2
    assert drop_earlier_secrets(path) == 0
    assert open_secrets(path) == (newest,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["arena.key"]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("", "holds a key of 0 bytes"),
        ("{key}\nnot hex", "line 2, does not hold a key"),
        ("{key}\n\n{key}", "line 2, holds a key of 0 bytes"),
        ("{key}\n" + "ab" * 31, "line 2, holds a key of 31 bytes, 32 are needed"),
        ("{key},{key}", "does not hold a key"),
        ("\ufeff{key}", "does not hold a key"),
    ],
)
def test_a_garbled_line_is_told_by_its_number_and_never_shown(tmp_path: Path, lines: str, fault: str):
    path = tmp_path / "arena.key"
    key = "5ec4e7" * 11
    content = lines.format(key=key).encode()
    path.write_bytes(content)
    for use in (open_secrets, add_secret, drop_earlier_secrets):
        with pytest.raises(DatabaseUnavailable, match=fault) as caught:
            use(path)
        assert key not in str(caught.value)
    assert path.read_bytes() == content


def test_a_key_that_is_not_there_is_not_rotated_into_being(tmp_path: Path):
    for use in (add_secret, drop_earlier_secrets):
        with pytest.raises(DatabaseUnavailable, match="No such file"):
            use(tmp_path / "arena.key")
    assert not list(tmp_path.iterdir())


KILLED = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
import arena.voter
when, seen = int(sys.argv[2]), 0
def step():
    global seen
    if seen == when:
        os.kill(os.getpid(), signal.SIGKILL)
    seen += 1
def stepping(call):
    def called(*given, **named):
        step()
        result = call(*given, **named)
        step()
        return result
    return called
os.open, os.fsync, os.fdopen = stepping(os.open), stepping(os.fsync), stepping(os.fdopen)
Path.replace = stepping(Path.replace)
arena.voter.add_secret(Path(sys.argv[1]))
"""


@pytest.mark.proof
def test_killed_at_any_step_the_old_or_the_new_key_file_is_there_whole(tmp_path: Path):
    path = tmp_path / "arena.key"
    first = open_secrets(path)
    content = path.read_bytes()
    held = set[int]()
    when = -1
    while True:
        when += 1
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(when)], check=False)
        keys = open_secrets(path)
        held.add(len(keys))
        assert keys[-1:] == first
        path.write_bytes(content)
        if done.returncode == 0:
            break
    assert when > 5
    assert held == {1, 2}


# ---- settings ----


def test_old_secrets_follow_the_one_that_is_set():
    told = {"BAKEOFF_SECRET": NEWER.decode(), "BAKEOFF_OLD_SECRETS": "x" * 40 + " , " + "y" * 40}
    assert Settings.from_env(told).open_secrets() == (NEWER, b"x" * 40, b"y" * 40)


def test_a_secret_with_commas_and_blanks_is_one_secret_as_ever():
    secret = "correct horse, battery staple, and so on for 32 characters"
    assert Settings.from_env({"BAKEOFF_SECRET": secret}).open_secrets() == (secret.encode(),)


def test_a_secret_that_was_set_is_known_after_a_move_to_a_key_file(tmp_path: Path):
    told = {"BAKEOFF_DATABASE": str(tmp_path / "arena.duckdb"), "BAKEOFF_OLD_SECRETS": "x" * 40}
    newest, old = Settings.from_env(told).open_secrets()
    assert (len(newest), old) == (32, b"x" * 40)


@pytest.mark.parametrize("old", ["", "hunter2", "x" * 40 + ",hunter2", "x" * 40 + ","])
def test_a_short_old_secret_is_refused_and_not_shown(old: str):
    with pytest.raises(BadInput, match="BAKEOFF_OLD_SECRETS") as caught:
        Settings.from_env({"BAKEOFF_OLD_SECRETS": old})
    assert "hunter2" not in str(caught.value)
    assert "xxx" not in str(caught.value)


def test_old_secrets_are_never_shown():
    settings = Settings.from_env({"BAKEOFF_OLD_SECRETS": "x" * 40})
    for text in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert "xxx" not in text


# ---- imported rows, and the command ----


def votes_of(db: Path) -> list[tuple[str, str]]:
    with VoteStore.open(db) as store, store._database.read() as cursor:
        return cursor.execute("select vote_id, voter_id from votes order by seq").fetchall()


def test_imported_rows_and_their_voters_are_known_after_rotations(tmp_path: Path):
    db, people, more = tmp_path / "arena.duckdb", tmp_path / "people.csv", tmp_path / "more.csv"
    people.write_text(PEOPLE)
    more.write_text(PEOPLE + "b,a,tie,alice\nb,a,tie,carol\n")
    taking = ("--db", db, "--map", "who=voter")
    assert bakeoff("import", people, *taking).code == 0
    before = votes_of(db)
    for _ in range(2):
        assert bakeoff("rotate-key", "--db", db).code == 0
    assert "0 new votes" in bakeoff("import", people, *taking).out
    assert "2 new votes" in bakeoff("import", more, *taking).out
    after = votes_of(db)
    assert after[:2] == before
    (_, alice), (_, bob) = before
    assert after[2][1] == alice
    assert after[3][1] not in (alice, bob)
    newest = VoterKey(open_secrets(tmp_path / "arena.duckdb.key")[0])
    assert after[3][1] == newest.pseudonym("imported voter", "carol")


def test_once_the_old_keys_are_dropped_nothing_of_theirs_is_known(tmp_path: Path):
    db, people = tmp_path / "arena.duckdb", tmp_path / "people.csv"
    people.write_text(PEOPLE)
    taking = ("--db", db, "--map", "who=voter")
    bakeoff("import", people, *taking)
    added = bakeoff("rotate-key", "--db", db)
    assert (added.code, added.out) == (0, f"{db}.key has a new key, and knows 1 earlier one\n")
    dropped = bakeoff("rotate-key", "--db", db, "--drop-old")
    assert (dropped.code, dropped.out) == (0, f"{db}.key has lost 1 earlier key, and keeps the newest\n")
    assert "new voters" in dropped.err
    assert "not recognised" in dropped.err
    assert "no earlier one to drop" in bakeoff("rotate-key", "--db", db, "--drop-old").out
    assert "2 new votes" in bakeoff("import", people, *taking).out
    assert len({voter for _, voter in votes_of(db)}) == 4
    for key in (tmp_path / "arena.duckdb.key").read_text().split():
        assert not any(key in said for said in (added.out, added.err, dropped.out, dropped.err))


def test_a_secret_of_the_environment_is_not_rotated_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    db, votes = tmp_path / "arena.duckdb", tmp_path / "votes.csv"
    votes.write_text(f"{HEADER}a,b,tie\n")
    bakeoff("import", votes, "--db", db)
    monkeypatch.setenv("BAKEOFF_SECRET", NEW.decode())
    told = error_of(bakeoff("rotate-key", "--db", db))
    assert "BAKEOFF_OLD_SECRETS" in told
    assert NEW.decode() not in told


def test_without_a_database_or_a_key_the_command_makes_none(tmp_path: Path):
    db = tmp_path / "arena.duckdb"
    assert "there is no database" in error_of(bakeoff("rotate-key", "--db", db))
    VoteStore.open(db).close()
    assert "arena.duckdb.key cannot be used" in error_of(bakeoff("rotate-key", "--db", db))
    assert [each.name for each in tmp_path.iterdir()] == ["arena.duckdb"]
