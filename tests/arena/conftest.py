"""Votes in a file and in a database, and a server of judges, for the tests of the commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from judges import honest, says
from model_server import ModelServer, serving

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


@pytest.fixture(scope="module")
def judging_server() -> Iterator[ModelServer]:
    with serving() as models:
        yield models


@pytest.fixture
def judges(judging_server: ModelServer) -> ModelServer:
    """A server as new, with an honest judge."""
    for each in (judging_server.replies, judging_server.requests, judging_server.headers):
        each.clear()
    judging_server.says("honest", says(honest))
    return judging_server
