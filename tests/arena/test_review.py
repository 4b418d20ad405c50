"""The host's review: whom the checks flag and whom not, what leaving out would change, and the act with its undo."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from arena.batch import RatingJob, rate_log
from arena.battle import Exclusion, Message, ModelId, Prompt, PromptId, Source, Verdict, VoterId, Withdrawal
from arena.errors import BadInput, DatabaseUnavailable
from arena.guideline import Guideline
from arena.pack import read_pack, starter_directory
from arena.review import MOST_EFFECTS, Findings, Review
from arena.store import VoteStore
from arena.suspicion import HONEST_HASTE, HONEST_LEAN, MIN_VOTES, Check, Sides, one_side
from arena.tally import EXCLUDED
from tests.arena import arenas, crowds

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
RIGGER = VoterId("rigger")


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    crowds.stock(store, NOON)
    return store


def look(store: VoteStore, on_failure: Callable[[str, Exception], None] | None = None) -> Findings:
    def fail(what: str, error: Exception) -> None:
        raise AssertionError(what) from error

    review = Review(store, on_failure=on_failure or fail)
    try:
        return review.findings().result()
    finally:
        review.close()


def flagged(found: Findings) -> dict[str, set[Check]]:
    return {each.voter: {flag.check for flag in each.flags} for each in found.suspects}


def with_rigger(store: VoteStore, n: int, judge: crowds.Judge, **how: Any) -> Findings:
    rng = Random(1)
    votes = crowds.crowd(30, 40, rng, NOON)
    votes += crowds.votes_of(RIGGER, n, judge, rng, NOON, **how)
    crowds.plant(store, votes, NOON)
    return look(store)


def test_honest_voters_are_not_flagged(arena: VoteStore):
    crowds.plant(arena, crowds.crowd(60, 40, Random(7), NOON), NOON)
    found = look(arena)
    assert found.suspects == ()
    assert found.failed == ()
    assert {each.check for each in found.checks} == set(Check)
    assert found.reach == {"votes": 2400, "with_voter": 2400, "timed": 2400, "drawn": 2400, "voters": 60}


@pytest.mark.parametrize(
    ("judge", "how", "check"),
    [
        (crowds.always(4), {}, Check.OTHERS),
        (crowds.side_a, {}, Check.SIDE),
        (crowds.side_a, {}, Check.RUN),
        (crowds.honest, {"ms": 700}, Check.SPEED),
        (crowds.honest, {"prompts": [3, 3, 3, 3, 5]}, Check.REPEATS),
    ],
)
def test_each_kind_of_rigger_is_found_by_its_check(arena: VoteStore, judge: Any, how: Any, check: Check):
    found = with_rigger(arena, 60, judge, **how)
    assert set(flagged(found)) == {RIGGER}
    assert check in flagged(found)[RIGGER]
    [flag] = [flag for flag in found.suspects[0].flags if flag.check is check]
    assert flag.p_value <= flag.q_value <= 0.05
    assert str(flag.facts["k"]).removesuffix(".0") in flag.sentence


def test_a_speed_is_told_with_its_numbers_and_its_chance(arena: VoteStore):
    """All of 60 votes too fast, where one of five may be: 0.2^60 = 1.2e-42."""
    found = with_rigger(arena, 60, crowds.honest, ms=700)
    [flag] = [flag for flag in found.suspects[0].flags if flag.check is Check.SPEED]
    assert flag.p_value == pytest.approx(HONEST_HASTE**60, rel=1e-6)
    assert flag.facts == {"n": 60, "k": 60, "seconds": 3.0}
    assert flag.sentence == "60 of 60 votes came in less than 3 seconds, and faster than anybody reads"


def test_short_answers_may_be_judged_at_a_glance(store: VoteStore):
    crowds.stock(store, NOON, text="Yes.")
    rng = Random(2)
    votes = crowds.crowd(10, 20, rng, NOON) + crowds.votes_of(RIGGER, 60, crowds.honest, rng, NOON, ms=700, text="Yes.")
    crowds.plant(store, votes, NOON)
    assert look(store).suspects == (), "two answers of 8 characters are read in a third of a second"


def test_the_threshold_is_a_rule_of_the_arena(arena: VoteStore):
    arena.catalogue.set_rules("[review]\ntoo_fast_seconds = 0.5\n", None, NOON)
    assert Check.SPEED not in flagged(with_rigger(arena, 60, crowds.honest, ms=700)).get(RIGGER, set())


@pytest.mark.parametrize("judge", [crowds.always(4), crowds.side_a])
def test_few_votes_raise_nothing(arena: VoteStore, judge: Any):
    assert with_rigger(arena, MIN_VOTES - 1, judge, ms=100).suspects == ()


def test_a_run_is_counted_over_ties_and_ended_by_the_other_side(arena: VoteStore):
    verdicts = iter([Verdict.A, Verdict.TIE, Verdict.A, Verdict.B, Verdict.A, Verdict.A, Verdict.BOTH_BAD, Verdict.A])
    crowds.plant(arena, crowds.votes_of(RIGGER, 8, lambda *_: next(verdicts), Random(0), NOON), NOON)
    n_log = arena.log.position()[0]
    assert arena.conduct.sides(n_log, [Source.HUMAN]) == [(RIGGER, 6, 5, 3, 1)]


def test_prompts_of_the_same_messages_are_one_question(arena: VoteStore):
    twin = Prompt(PromptId("a-twin"), (Message("user", "Question 3?"),), "reasoning", "en")
    arena.catalogue.add_prompts([twin], NOON)
    votes = crowds.votes_of(RIGGER, 4, crowds.honest, Random(0), NOON, prompts=[3])
    votes += [
        (replace(battle, prompt_id=twin.id, answer_a=None, answer_b=None), vote)
        for battle, vote in crowds.votes_of(RIGGER, 2, crowds.honest, Random(5), NOON, prompts=[3])
    ]
    crowds.plant(arena, votes, NOON)
    [repeats] = arena.conduct.repeats(6, [Source.HUMAN])
    assert (repeats.question, repeats.n, repeats.n_on_it, repeats.n_questions) == ("a-twin", 6, 6, 1)


def test_withdrawn_votes_raise_nothing(arena: VoteStore):
    votes = crowds.crowd(10, 20, Random(3), NOON)
    rigged = crowds.votes_of(RIGGER, 60, crowds.side_a, Random(4), NOON, ms=100)
    crowds.plant(arena, votes + rigged, NOON)
    assert set(flagged(look(arena))) == {RIGGER}
    for _, vote in rigged:
        arena.votes.withdraw(Withdrawal(vote.id, RIGGER, NOON))
    assert look(arena).suspects == ()


def test_imported_votes_without_voters_times_and_draws_raise_nothing_and_are_said_to_be_beyond_the_checks(
    arena: VoteStore,
):
    told = {"ms": None, "source": Source.IMPORT, "drawn": False}
    votes = crowds.votes_of(None, 50, crowds.side_a, Random(3), NOON, **told)
    votes += crowds.votes_of("somebody", 50, crowds.side_a, Random(4), NOON, **told)
    crowds.plant(arena, votes, NOON)
    found = look(arena)
    assert found.suspects == ()
    assert found.sources == (Source.IMPORT,)
    assert found.reach == {"votes": 100, "with_voter": 50, "timed": 0, "drawn": 0, "voters": 1}


def test_an_arena_without_votes_has_nothing_to_review(store: VoteStore):
    found = look(store)
    assert (found.n_log, found.suspects, found.together) == (0, (), None)


def test_misses_of_worked_examples_are_counted_and_enough_of_them_flag(arena: VoteStore):
    starter = read_pack(starter_directory()).guideline
    assert starter is not None
    parts = [
        f"### {n}. Example\n**Prompt.** P\n**Answer A.** One\n**Answer B.** Two\n**Verdict.** A\n**Reason.** R\n"
        for n in range(1, 21)
    ]
    arena.catalogue.set_rules("", Guideline("9", "tie", "# Better\n\n" + "\n".join(parts)), NOON)
    crowds.plant(arena, crowds.crowd(3, 20, Random(3), NOON), NOON)
    for number in range(1, 21):
        arena.calibrations.add(RIGGER, "9", [number], Verdict.B, NOON)
        arena.calibrations.add(VoterId("honest-0"), "9", [number], Verdict.A if number % 4 else Verdict.B, NOON)
        arena.calibrations.add(VoterId("honest-1"), "9", [number], None, NOON)
        arena.calibrations.add(VoterId("honest-2"), "8", [number], Verdict.B, NOON)
    found = look(arena)
    assert flagged(found) == {RIGGER: {Check.KNOWN}}
    assert found.suspects[0].flags[0].p_value == pytest.approx(3.0**-20)
    [known] = [each for each in found.checks if each.check is Check.KNOWN]
    assert known.n_judged == 2, "what was passed over, or judged under another guideline, says nothing"


def test_what_all_suspects_do_is_the_board_that_the_arena_then_has(arena: VoteStore):
    found = with_rigger(arena, 60, crowds.always(4))
    assert found.together is not None
    review = Review(arena, on_failure=lambda *_: None)
    review.exclude(RIGGER, "always for m4", "the host", NOON)
    review.close()
    board = rate_log(arena).board
    assert board.dropped == {EXCLUDED: 60}
    told = {move.model: move for move in found.together.moves}
    for entry in board.entries:
        move = told[entry.model.id]
        assert move.score_without == entry.score
        assert move.rank_range_without == (entry.rank_low, entry.rank_high)
    assert found.together.n_votes == 60
    assert told[ModelId("m4")].points == max(each.points or 0.0 for each in found.together.moves)


def test_the_effect_of_one_is_that_of_the_board_without_this_one(arena: VoteStore):
    rng = Random(5)
    votes = crowds.crowd(30, 40, rng, NOON) + crowds.votes_of("one", 60, crowds.always(4), rng, NOON)
    crowds.plant(arena, votes + crowds.votes_of("two", 60, crowds.side_a, rng, NOON), NOON)
    found = look(arena)
    n_log = arena.log.position()[0]
    assert {each.voter for each in found.suspects} == {"one", "two"}
    for suspect in found.suspects:
        assert suspect.effect is not None
        board = rate_log(arena, up_to=n_log, without=[suspect.voter]).board
        scores = {move.model: move.score_without for move in suspect.effect.moves}
        assert scores == {entry.model.id: entry.score for entry in board.entries}


def test_without_the_only_voter_there_is_no_board_and_that_is_said(arena: VoteStore):
    crowds.plant(arena, crowds.votes_of(RIGGER, 60, crowds.side_a, Random(0), NOON), NOON)
    found = look(arena)
    assert found.together is not None
    assert found.together.reason == "no vote is left to rate: 60 left out (excluded by the host)"
    assert found.suspects[0].effect is not None
    assert found.suspects[0].effect.reason == "there is no vote to rate"


def test_effects_are_computed_for_the_strongest_only(arena: VoteStore):
    rng = Random(6)
    n = MOST_EFFECTS + 2
    votes = [each for k in range(n) for each in crowds.votes_of(f"bot-{k}", 20 + k, crowds.side_a, rng, NOON, ms=100)]
    crowds.plant(arena, crowds.crowd(10, 40, rng, NOON) + votes, NOON)
    found = look(arena)
    assert [each.effect is not None for each in found.suspects] == [True] * MOST_EFFECTS + [False] * 2
    assert found.together is not None
    assert len(found.together.voters) == n
    p_values = [min(flag.p_value for flag in each.flags) for each in found.suspects]
    assert p_values == sorted(p_values)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ("speeds", Check.SPEED),
        ("sides", Check.SIDE),
        ("repeats", Check.REPEATS),
        ("known", Check.KNOWN),
    ],
)
def test_a_check_that_fails_accuses_nobody_and_raises_an_alarm_and_the_others_go_on(
    arena: VoteStore, monkeypatch: pytest.MonkeyPatch, broken: str, check: Check
):
    arena.catalogue.set_rules("", Guideline("9", "tie", "# Better"), NOON)
    whole = with_rigger(arena, 60, crowds.side_a, ms=100)

    def fail(*_: object) -> None:
        raise DatabaseUnavailable("a disk fault")

    alarms: list[tuple[str, str]] = []
    monkeypatch.setattr(arena.conduct, broken, fail)
    found = look(arena, lambda what, error: alarms.append((what, str(error))))
    failed = {check, Check.RUN} if broken == "sides" else {check}
    assert set(found.failed) == failed
    assert set(alarms) == {(each, "a disk fault") for each in failed}
    assert {each.check for each in found.checks} == set(Check) - failed
    assert flagged(found) == {RIGGER: flagged(whole)[RIGGER] - failed}


def test_a_log_that_cannot_be_read_raises_an_alarm_and_the_next_look_may_be_luckier(
    arena: VoteStore, monkeypatch: pytest.MonkeyPatch
):
    crowds.plant(arena, crowds.votes_of(RIGGER, 12, crowds.honest, Random(0), NOON), NOON)

    def fail(*_: object) -> None:
        raise DatabaseUnavailable("a disk fault")

    alarms: list[str] = []
    review = Review(arena, on_failure=lambda what, _: alarms.append(what))
    with monkeypatch.context() as broken:
        broken.setattr(arena.exclusions, "n_votes", fail)
        with pytest.raises(DatabaseUnavailable):
            review.findings().result()
    assert review.findings().result().suspects == ()
    review.close()
    assert alarms == ["review"]


def test_flags_depend_on_nothing_but_the_votes(arena: VoteStore):
    """Voters who come in another order and under other names get the same flags."""
    rng = Random(8)
    honest = crowds.crowd(30, 40, rng, NOON)
    rigged = crowds.votes_of(RIGGER, 60, crowds.always(4), rng, NOON)
    crowds.plant(arena, honest + rigged, NOON)
    renamed = {VoterId(f"honest-{k}"): VoterId(f"{99 - k}-other") for k in range(30)} | {RIGGER: VoterId("zed")}
    with VoteStore.open(None) as other:
        crowds.stock(other, NOON)
        votes = [
            (battle, replace(vote, voter_id=renamed[VoterId(str(vote.voter_id))])) for battle, vote in rigged + honest
        ]
        crowds.plant(other, votes, NOON)
        found, again = look(arena), look(other)

    def told(findings: Findings) -> list[Any]:
        flags = [flag for each in findings.suspects for flag in each.flags]
        return [(flag.check, flag.p_value, flag.q_value, flag.facts) for flag in flags]

    assert told(found)
    assert told(again) == told(found)
    assert [effect_of(each) for each in again.suspects] == [effect_of(each) for each in found.suspects]


def effect_of(suspect: Any) -> Any:
    return suspect.effect.moves


def test_the_record_is_json_and_names_the_effect(arena: VoteStore):
    record = json.loads(json.dumps(with_rigger(arena, 60, crowds.always(4)).to_record()))
    assert record["suspects"][0]["voter"] == RIGGER
    assert record["together"]["moves"][0]["points"] != 0
    assert record["checks"]["against_others"] == {"n_judged": 31, "n_flagged": 1}


# ---- the act ----


def test_excluding_and_readmitting_gives_the_same_board_to_the_byte(arena: VoteStore):
    with_rigger(arena, 60, crowds.always(4))
    before = json.dumps(rate_log(arena).board.to_record())
    decided = []
    review = Review(arena, on_failure=lambda *_: None, on_decision=lambda: decided.append(1))
    assert review.exclude(RIGGER, "  always for m4 ", "Ada", NOON)
    assert json.dumps(rate_log(arena).board.to_record()) != before
    found = review.findings().result()
    assert found.suspects == ()
    [left_out] = found.left_out
    assert left_out.n_votes == 60
    assert left_out.act == Exclusion(RIGGER, True, "always for m4", "Ada", NOON)
    assert not review.exclude(RIGGER, "again", "Ada", NOON), "so it stands already"
    assert review.readmit(RIGGER, "it was a taste", "Bea", NOON)
    assert json.dumps(rate_log(arena).board.to_record()) == before
    found = review.findings().result()
    assert found.left_out == ()
    assert set(flagged(found)) == {RIGGER}
    assert len(decided) == 2
    review.close()
    assert arena.log.broken_links() == []


@pytest.mark.parametrize(
    ("reason", "name", "said"),
    [
        ("", "Ada", "the reason is empty"),
        ("  ", "Ada", "the reason is empty"),
        ("x" * 501, "Ada", "the reason has 501 characters; up to 500 are kept"),
        ("a\nb", "Ada", "the reason holds a control character"),
        ("a\x00", "Ada", "the reason holds a control character"),
        ("\x1b[2J", "Ada", "the reason holds a control character"),
        ("right\u202eleft", "Ada", "the reason holds a control character"),
        ("fine", "", "the name is empty"),
        ("fine", "x" * 101, "the name has 101 characters"),
        ("fine", "A\tda", "the name holds a control character"),
    ],
)
def test_an_act_needs_a_reason_and_a_name_in_one_line(arena: VoteStore, reason: str, name: str, said: str):
    crowds.plant(arena, crowds.votes_of(RIGGER, 2, crowds.honest, Random(0), NOON), NOON)
    review = Review(arena, on_failure=lambda *_: None)
    with pytest.raises(BadInput, match=said):
        review.exclude(RIGGER, reason, name, NOON)
    with pytest.raises(BadInput, match=said):
        review.readmit(RIGGER, reason, name, NOON)
    review.close()
    assert arena.exclusions.acts() == []


def test_nobody_is_excluded_by_a_misspelt_name(arena: VoteStore):
    review = Review(arena, on_failure=lambda *_: None)
    with pytest.raises(BadInput, match="no vote in this arena is by voter 'riger'"):
        review.exclude("riger", "a reason", "Ada", NOON)
    review.close()


def test_a_review_is_kept_until_the_log_grows(arena: VoteStore):
    with_rigger(arena, 60, crowds.side_a)
    review = Review(arena, on_failure=lambda *_: None)
    first = review.findings().result()
    assert review.findings().result() is first
    crowds.plant(arena, crowds.votes_of("late", 1, crowds.honest, Random(0), NOON), NOON)
    assert review.findings().result().n_log == first.n_log + 1
    review.close()


def test_the_board_follows_an_exclusion_at_once(arena: VoteStore):
    crowds.plant(arena, crowds.crowd(10, 40, Random(1), NOON), NOON)
    crowds.plant(arena, crowds.votes_of(RIGGER, 60, crowds.side_a, Random(2), NOON), NOON)
    job = RatingJob(arena, every=timedelta(hours=1), after_votes=1000)
    assert job.run_if_due(NOON)
    review = Review(arena, on_failure=lambda *_: None, on_decision=job.ask)
    assert not job.run_if_due(NOON)
    review.exclude(RIGGER, "always side A", "Ada", NOON)
    review.close()
    assert job.run_if_due(NOON), "one act of 460 would have waited an hour"
    board = job.latest()
    assert board is not None
    assert board.leaderboard.dropped == {EXCLUDED: 60}
    assert not job.run_if_due(NOON)


def test_excluded_votes_steer_no_draw_any_more(arena: VoteStore):
    arena.catalogue.set_rules('[pairing]\nmode = "least-voted"\n', None, NOON)
    honest = crowds.crowd(2, 10, Random(1), NOON)
    crowds.plant(arena, honest, NOON)
    clean = arenas.booth(arena, NOON)._pool._votes.weights("least-voted")
    booth = arenas.booth(arena, NOON)
    for k in range(5):
        ballot = booth.open(RIGGER, NOON + timedelta(seconds=k))
        booth.cast(ballot.id, Verdict.A, RIGGER, NOON + timedelta(seconds=k))
    assert (booth._pool._votes.weights("least-voted") != clean).any()
    review = Review(arena, on_failure=lambda *_: None, on_decision=booth.recount)
    review.exclude(RIGGER, "always side A", "Ada", NOON)
    assert (booth._pool._votes.weights("least-voted") == clean).all()
    ballot = booth.open(RIGGER, NOON + timedelta(minutes=1))
    booth.cast(ballot.id, Verdict.A, RIGGER, NOON + timedelta(minutes=1))
    assert (booth._pool._votes.weights("least-voted") == clean).all(), "nor do those that are cast later"
    booth.withdraw(ballot.id, RIGGER, NOON + timedelta(minutes=1))
    assert (booth._pool._votes.weights("least-voted") == clean).all(), "and no withdrawal takes a vote of others away"
    review.readmit(RIGGER, "a mistake", "Ada", NOON)
    review.close()
    assert (booth._pool._votes.weights("least-voted") != clean).any()


def test_a_lean_within_what_is_human_flags_nobody():
    """60 % of 50 decisive votes for one side: in the middle of what the constant allows."""
    n_a = round(50 * HONEST_LEAN)
    assert one_side([Sides(VoterId("x"), 50, n_a, 5, 4)]).flags == ()
