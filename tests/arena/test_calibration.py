"""The calibration: one row a voter and example, the first one stays, and no vote anywhere."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from arena.battle import Source, Verdict, VoterId
from arena.calibration import Calibration
from arena.errors import DatabaseUnavailable, UnknownExample
from arena.guideline import Guideline
from arena.pack import read_pack, starter_directory
from arena.store import VoteStore
from arenas import KEY, booth, fill
from ground import NOW

RULES = "[guideline]\ncalibration = 4\n"


def guideline(version: str = "1") -> Guideline:
    starter = read_pack(starter_directory()).guideline
    assert starter is not None
    return Guideline(version, "tie", starter.text)


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW)
    store.catalogue.set_rules(RULES, guideline(), NOW)
    return store


def voter() -> VoterId:
    voter_id = KEY.voter_id(KEY.issue())
    assert voter_id is not None
    return voter_id


def rows(store: VoteStore) -> Sequence[tuple[Any, ...]]:
    with store._database.read() as cursor:
        return cursor.execute(
            "select voter_id, guideline_version, example, verdict, answered_at from calibrations order by all"
        ).fetchall()


def number(calibration: Calibration, voter_id: VoterId) -> int | None:
    step = calibration.next_step(voter_id)
    return None if step is None else step.example.number


def test_a_voter_judges_the_examples_one_after_the_other_and_each_is_kept(arena: VoteStore):
    here, me = Calibration(arena), voter()
    said = [Verdict.A, Verdict.A, Verdict.TIE, Verdict.BOTH_BAD]
    for k, verdict in enumerate(said, 1):
        step = here.next_step(me)
        assert step is not None
        assert (step.k, step.n) == (k, 4)
        judged = here.judge(step.example.number, verdict, me, NOW + timedelta(seconds=k))
        assert (judged.example, judged.verdict) == (step.example, verdict)
    assert here.next_step(me) is None
    # Of the starter guideline, the first examples whose verdicts are A, B, tie and both bad.
    assert rows(arena) == [
        (me, "1", example, verdict.value, NOW + timedelta(seconds=k))
        for k, (example, verdict) in enumerate(zip((1, 2, 8, 9), said, strict=True), 1)
    ]


def test_every_voter_gets_the_same_examples(arena: VoteStore):
    here, me, other = Calibration(arena), voter(), voter()
    here.judge(1, Verdict.A, me, NOW)
    assert (number(here, me), number(here, other)) == (2, 1)


def test_the_first_verdict_stays_and_is_what_comes_back(arena: VoteStore):
    here, me = Calibration(arena), voter()
    assert here.judge(2, Verdict.A, me, NOW).verdict is Verdict.A
    assert here.judge(2, Verdict.B, me, NOW).verdict is Verdict.A
    assert here.judge(2, Verdict.A, me, NOW).verdict is Verdict.A
    assert len(rows(arena)) == 1


def test_passing_over_leaves_out_the_rest_and_keeps_what_was_said(arena: VoteStore):
    here, me = Calibration(arena), voter()
    here.judge(1, Verdict.B, me, NOW)
    here.pass_over(2, me, NOW)
    here.pass_over(2, me, NOW)
    assert here.next_step(me) is None
    assert [(example, verdict) for _, _, example, verdict, _ in rows(arena)] == [
        (1, "B"),
        (2, None),
        (8, None),
        (9, None),
    ]
    assert here.judge(8, Verdict.TIE, me, NOW).verdict is None


def test_requests_that_race_store_one_row_an_example_and_agree_on_it(arena: VoteStore):
    here, me = Calibration(arena), voter()
    rng = Random(0)
    acts = [(rng.choice((1, 2, 8, 9)), rng.choice(list(Verdict))) for _ in range(60)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda act: (act[0], here.judge(act[0], act[1], me, NOW).verdict), acts))
    stored = {example: Verdict(verdict) for _, _, example, verdict, _ in rows(arena)}
    assert len(stored) == len(rows(arena)) == 4
    assert all(stored[example] == verdict for example, verdict in told)


def test_a_verdict_that_races_with_a_pass_is_there_or_passed_over_and_never_both(arena: VoteStore):
    here = Calibration(arena)
    for _ in range(10):
        me = voter()
        with ThreadPoolExecutor(2) as pool:
            judged = pool.submit(here.judge, 1, Verdict.A, me, NOW)
            pool.submit(here.pass_over, 1, me, NOW).result()
        mine = [verdict for voter_id, _, example, verdict, _ in rows(arena) if (voter_id, example) == (me, 1)]
        assert mine == [judged.result().verdict]


def test_a_new_version_of_the_guideline_asks_again(arena: VoteStore):
    me = voter()
    Calibration(arena).pass_over(1, me, NOW)
    assert Calibration(arena).next_step(me) is None
    arena.catalogue.set_rules(RULES, guideline("2"), NOW)
    again = Calibration(arena)
    assert number(again, me) == 1
    again.judge(1, Verdict.A, me, NOW)
    assert {(version, example) for _, version, example, _, _ in rows(arena)} >= {("1", 1), ("2", 1)}


def test_what_is_not_asked_for_cannot_be_judged(arena: VoteStore):
    here, me = Calibration(arena), voter()
    for example in (0, 3, 18, -1, 10**30):
        with pytest.raises(UnknownExample):
            here.judge(example, Verdict.A, me, NOW)
        with pytest.raises(UnknownExample):
            here.pass_over(example, me, NOW)
    assert rows(arena) == []


def test_an_arena_that_asks_for_none_is_done_for_everybody(store: VoteStore):
    for text, its in (("", guideline()), (RULES, None)):
        store.catalogue.set_rules(text, its, NOW)
        here = Calibration(store)
        assert here.examples == ()
        assert here.next_step(voter()) is None


def test_a_database_that_fails_is_said_so(arena: VoteStore):
    here, me = Calibration(arena), voter()
    arena.close()
    with pytest.raises(DatabaseUnavailable):
        here.judge(1, Verdict.A, me, NOW)


def test_a_calibration_is_no_vote(arena: VoteStore):
    # Counters, own votes, what others said, and what ratings, exports and the analysis read.
    votes_here, here, me, other = booth(arena, NOW), Calibration(arena), voter(), voter()
    ballot = votes_here.open(other, NOW)
    reveal = votes_here.cast(ballot.id, Verdict.A, other, NOW)

    def told() -> list[Any]:
        n_log = arena.log.position()[0]
        return [
            arena.log.position(),
            arena.votes.counts(me),
            arena.votes.counts(other),
            votes_here.own_votes(me),
            votes_here.last_vote(me),
            votes_here.others_on(reveal, me),
            arena.votes.tallies(up_to=n_log),
            list(arena.casts.pairs(up_to=n_log)),
            arena.history.votes_by_day(list(Source), up_to=n_log),
            arena.log.broken_links(),
        ]

    before = told()
    for example in (1, 2, 8, 9):
        here.judge(example, Verdict.A, me, NOW)
        here.judge(example, Verdict.B, other, NOW)
    assert told() == before


def test_only_its_own_files_name_the_table():
    # What counts votes asks by SQL, and all SQL stands in the store. Of the others there, conduct.py tells the host who
    # missed what the guideline says, and holdings.py tells voters what is theirs.
    folder = Path(__file__).parents[2] / "arena"
    naming = [path.name for path in sorted(folder.rglob("*.py")) if re.search(r"\bcalibrations\b", path.read_text())]
    assert naming == ["calibration.py", "__init__.py", "calibrations.py", "conduct.py", "holdings.py", "voting.py"]
