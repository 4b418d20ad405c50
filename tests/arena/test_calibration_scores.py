"""How voters did on worked examples: for the host alone, over time, with no trace in anything that counts votes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from arena import export
from arena.battle import Verdict
from arena.calibration import Calibration
from arena.guideline import Guideline
from arena.pack import read_pack, starter_directory
from arena.preferences.formats import formats
from arena.store import VoteStore
from arenas import booth, fill, voter
from ground import NOW

RULES = "[guideline]\ncalibration = 4\n"


def guideline(version: str) -> Guideline:
    starter = read_pack(starter_directory()).guideline
    assert starter is not None
    return Guideline(version, "tie", starter.text)


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW)
    store.catalogue.set_rules(RULES, guideline("1"), NOW)
    return store


def test_each_version_has_a_score_of_its_own_the_latest_first(arena: VoteStore):
    me, other = voter(), voter()
    first = Calibration(arena)
    # The guideline says A, B, tie and both bad of its examples 1, 2, 8 and 9.
    for k, (number, verdict) in enumerate([(1, Verdict.A), (2, Verdict.A), (8, Verdict.A), (9, Verdict.BOTH_BAD)]):
        first.judge(number, verdict, me, NOW + timedelta(seconds=k))
    first.judge(1, Verdict.B, other, NOW + timedelta(seconds=10))
    first.pass_over(2, other, NOW + timedelta(seconds=11))
    arena.catalogue.set_rules(RULES, guideline("2"), NOW)
    second = Calibration(arena)
    for k, (number, verdict) in enumerate([(1, Verdict.A), (2, Verdict.B), (8, Verdict.TIE), (9, Verdict.A)]):
        second.judge(number, verdict, me, NOW + timedelta(days=1, seconds=k))
    told = [(s.voter_id, s.guideline_version, s.n_agreed, s.n_judged, s.n_passed) for s in second.scores()]
    assert told == [(me, "2", 3, 4, 0), (other, "1", 0, 1, 3), (me, "1", 2, 4, 0)]
    [latest, *_] = second.scores()
    assert (latest.began_at, latest.ended_at) == (NOW + timedelta(days=1), NOW + timedelta(days=1, seconds=3))
    assert second.scores() == first.scores()


def test_nobody_has_a_score_where_nobody_was_asked(arena: VoteStore):
    assert Calibration(arena).scores() == []


def test_what_was_said_of_examples_reaches_no_rating_no_export_and_no_agreement(arena: VoteStore, tmp_path: Path):
    here, voters = booth(arena, NOW), [voter() for _ in range(6)]
    for k, each in enumerate(voters):
        for _ in range(2):
            here.cast(here.open(each, NOW).id, [Verdict.A, Verdict.B, Verdict.TIE][k % 3], each, NOW)

    def told(name: str) -> list[Any]:
        n_log = arena.log.position()[0]
        done = export.export(arena, tmp_path / name, names=formats())
        files = {file.relative_to(tmp_path / name): file.read_bytes() for file in done.files}
        return [files, done.manifest["agreement"], arena.votes.tallies(n_log)]

    before = told("before")
    calibration = Calibration(arena)
    for each in voters:
        for number in (1, 2, 8, 9):
            calibration.judge(number, Verdict.A, each, NOW)
    assert told("after") == before
