"""Migrations run forward on the databases of every earlier version, and a newer one is refused untouched."""

import gzip
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from arena.battle import Labels, Scale, Verdict
from arena.errors import DatabaseTooNew
from arena.store import VoteStore
from arena.store.database import _migrations
from arena.wholeness import examine
from arenas import KEY, booth
from command import bakeoff, error_of
from ground import NOW

FILES = sorted((Path(__file__).parent / "old_databases").glob("*.gz"))
VERSIONS = [int(file.stem) for file in FILES]
# The tables that hold acts of the log, and since which version.
ACTS = {"votes": 1, "withdrawals": 2, "exclusions": 6, "redactions": 6, "eras": 8, "adjudications": 9, "consents": 11}


def unpack(version: int, folder: Path) -> Path:
    path = folder / "arena.duckdb"
    path.write_bytes(gzip.decompress(FILES[VERSIONS.index(version)].read_bytes()))
    return path


def ask(path: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def acts_of(path: Path, version: int) -> list[tuple]:
    """Number and hash of every act of a log of this version."""
    tables = [table for table, since in ACTS.items() if since <= version]
    return ask(path, " union all ".join(f"select seq, hash from {table}" for table in tables) + " order by 1")


def test_the_files_that_were_kept_are_here():
    assert VERSIONS[:13] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    assert list(range(1, len(VERSIONS) + 1)) == VERSIONS
    assert max(VERSIONS) >= max(_migrations()) - 1, (
        "the version before a new step gets a file, before the step is added"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_database_of_an_earlier_version_keeps_its_log_and_takes_new_votes(version: int, tmp_path: Path):
    path = unpack(version, tmp_path)
    assert ask(path, "select max(version) from schema_versions") == [(version,)]
    acts = acts_of(path, version)
    verdicts = ask(path, "select vote_id, verdict, voter_id from votes order by seq")
    assert len(verdicts) == 8
    voter = KEY.voter_id(KEY._newest.signer.sign("voter 9").decode())
    assert voter is not None
    [(waiting,)] = ask(path, f"select ballot_id from ballots where voter_id = '{voter}'")
    with VoteStore.open(path) as store:
        found = examine(store)
        # What the log of an earlier version gets is the act that says where its old votes end.
        n_log = len(acts) + (version < 8)
        assert (found.broken, found.n_log) == ((), n_log)
        here = booth(store, NOW)
        now = NOW + timedelta(minutes=11)
        # A ballot that was open stays open, and is voted on as the rules of that arena have it.
        ballot = here.open(voter, now)
        assert ballot.id == waiting
        here.cast(ballot.id, Verdict.TIE, voter, now, plain(store))
        assert examine(store).broken == ()
        assert store.log.position()[0] == n_log + 1
    assert ask(path, "select max(version) from schema_versions") == [(max(_migrations()),)]
    assert acts_of(path, max(_migrations()))[: len(acts)] == acts
    assert ask(path, "select vote_id, verdict, voter_id from votes order by seq")[:8] == verdicts


def plain(store: VoteStore) -> Labels:
    """What a vote says beside its verdict where its voter says nothing: the scale that was shown."""
    scale = store.catalogue.rules().labels.scale
    return Labels(scale=None if scale is Scale.PLAIN else scale)


@pytest.mark.parametrize("version", [version for version in VERSIONS if version >= 2])
def test_what_else_an_earlier_version_stored_is_still_there(version: int, tmp_path: Path):
    path = unpack(version, tmp_path)
    with VoteStore.open(path):
        pass
    [(withdrawn,)] = ask(path, "select count(*) from vote_log where withdrawn_at is not null")
    assert withdrawn == 1
    assert ask(path, "select reason from skips") == [("other",)]
    labelled = ask(path, "select confidence, comments from votes where scale = 'much-slightly' order by seq")
    # Eight votes; which of them said how much better, and how sure, is what version 3 began to store.
    assert len(labelled) == (8 if version >= 3 else 0)
    # From version 6 on the vote that was withdrawn has lost its voter's own words.
    told = [None if version >= 6 and n == 3 else f'{{"vote": "Vote {n}."}}' for n in range(len(labelled))]
    assert labelled == [("high", comments) for comments in told]
    examples = ask(path, "select example, verdict from calibrations order by example")
    assert examples == ([(1, "A"), (2, None)] if version >= 4 else [])
    [(exposures,)] = ask(path, "select count(*) from exposures")
    assert exposures == (1 if version >= 5 else 0)
    told = [("named_answers", 6), ("exclusions", 6), ("redactions", 6), ("rewrites", 7)]
    told += [("known_verdicts", 9), ("adjudications", 9)]
    counts = {table: ask(path, f"select count(*) from {table}") for table, _ in told}
    consents = ask(path, "select is_given from consents order by seq")
    assert consents == ([(True,), (False,)] if version >= 11 else [])
    assert ask(path, "select list_id, n_pairs from ranked_pairs") == [("a list", 2)] * (2 if version >= 10 else 0)
    assert counts == {table: [(int(version >= since),)] for table, since in told}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_backup_of_an_earlier_version_can_be_restored_and_stays_as_it_is(version: int, tmp_path: Path):
    backup = unpack(version, tmp_path)
    before = backup.read_bytes()
    said = bakeoff("restore", backup, "--db", tmp_path / "restored.duckdb")
    assert said.code == 0, said
    assert backup.read_bytes() == before
    assert bakeoff("verify", "--db", tmp_path / "restored.duckdb").code == 0


def test_a_database_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path):
    path = unpack(max(VERSIONS), tmp_path)
    newer = max(_migrations()) + 1
    with duckdb.connect(str(path)) as connection:
        connection.execute("insert into schema_versions values (?, now())", [newer])
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew, match=f"schema version {newer} and this program knows versions up to"):
        VoteStore.open(path)
    for words in (
        ("verify", "--db", path),
        ("serve", "--db", path, "--port", 0),
        ("backup", "--db", path, "--out", tmp_path / "copy.duckdb"),
        ("restore", path, "--db", tmp_path / "restored.duckdb"),
    ):
        assert f"has schema version {newer}" in error_of(bakeoff(*words))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
