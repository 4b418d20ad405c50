"""Votes in a file and in a database, for the tests of the commands."""

from pathlib import Path

import pytest

from command import VOTES, bakeoff


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return path


@pytest.fixture
def db(tmp_path: Path, votes: Path) -> Path:
    """A database with these votes as people's."""
    path = tmp_path / "arena.duckdb"
    assert bakeoff("import", votes, "--db", path, "--source", "human").code == 0
    return path
