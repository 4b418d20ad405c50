"""How far voters agree: by hand, against counting every pair of votes, what the log says, and what nobody can say."""

import json
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena import judgement_table
from arena.agreement import Agreement, Band, Chance, Consistency, Figure, Labelling, Reliability, by_voter
from arena.agreement_report import Report
from arena.batch import open_log, take_snapshot
from arena.battle import Battle, BattleId, ModelId, PromptId, Source, Verdict, Vote, VoteId, VoterId, Withdrawal
from arena.gate import Outcome, gate
from arena.judgement_table import Group
from arena.judgements import LABELS, Judgements
from arena.judges import judges
from arena.store import VoteStore
from arena.study import Study
from arenas import answer, fill
from ratings import Absent
from ratings.agreement import Estimate

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
A, B, TIE, BAD = WORDS = LABELS
CHANCE = Chance(rounds=200, seed=7)


def said(*items: str | list[Verdict]) -> Judgements:
    """Votes by item, each by another voter: A, B, t (tie), x (both bad)."""
    word = {"A": A, "B": B, "t": TIE, "x": BAD}
    rows = [
        (item, voter, WORDS.index(word.get(verdict, verdict)))  # type: ignore[arg-type]
        for item, votes in enumerate(items)
        for voter, verdict in enumerate(votes)
    ]
    item, voter, label = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Judgements(item, voter, label, names={"voter": tuple(f"w{n}" for n in range(9))})


def agreement(*items: str | list[Verdict]) -> Agreement:
    return Agreement.of(said(*items), CHANCE)


# ---- the arithmetic ----


def test_agreement_over_pairs_of_votes_and_over_pairs_of_answers():
    # AAB: 3 pairs of votes, 1 agrees. tx: 1 pair, none agrees. AAA: 3 pairs, 3 agree. A: no pair.
    found = agreement("AAB", "tx", "AAA", "A")
    part = found.all
    assert (part.n_items, part.n_votes, part.n_voters, part.n_pairs) == (3, 8, 3, 7)
    assert part.labels == {"A": 5, "B": 1, "tie": 1, "both_bad": 1}
    assert part.figures["raw_pooled"].value == round(4 / 7, 4)
    assert part.figures["raw"].value == round((1 / 3 + 0 + 1) / 3, 4)
    # A tie and a both-bad verdict both prefer nothing.
    assert found.merged.figures["raw_pooled"].value == round(5 / 7, 4)
    assert found.merged.labels == {"A": 5, "neither": 2, "B": 1}
    # Of verdicts for one of the two, the second pair of answers has none.
    assert (found.decisive.n_items, found.decisive.n_pairs) == (2, 6)
    assert found.decisive.figures["raw_pooled"].value == round(4 / 6, 4)


verdicts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), max_size=12)
NO_ROUNDS = Chance(rounds=2)


@settings(deadline=None)  # other tests may keep the machine busy
@given(verdicts)
def test_agreement_is_what_counting_every_pair_of_votes_gives(items: list[list[Verdict]]):
    found = Agreement.of(said(*items), NO_ROUNDS)
    for part, kept in ((found.all, set(WORDS)), (found.decisive, {A, B})):
        pairs = [pair for votes in items for pair in combinations([each for each in votes if each in kept], 2)]
        assert part.n_pairs == len(pairs)
        agreeing = sum(first == second for first, second in pairs)
        assert part.figures["raw_pooled"].value == (round(agreeing / len(pairs), 4) if pairs else None)


@settings(deadline=None)  # other tests may keep the machine busy
@given(verdicts)
def test_every_figure_is_a_number_or_has_a_reason_and_no_interval_is_empty(items: list[list[Verdict]]):
    found = Agreement.of(said(*items), NO_ROUNDS)
    for part in (found.all, found.merged, found.decisive):
        for figure in part.figures.values():
            assert (figure.low is None) == (figure.high is None)
            assert figure.reason or figure.value is not None
            if figure.low is not None and figure.high is not None:
                assert figure.low < figure.high
            else:
                assert figure.reason


@settings(deadline=None)
@given(verdicts, st.integers(0, 99))
def test_the_order_of_votes_and_the_names_of_voters_change_nothing(items: list[list[Verdict]], seed: int):
    votes, rng = said(*items), np.random.default_rng(seed)
    names = rng.permutation(9)
    turned = Judgements(votes.item, names[votes.voter], votes.label, names=votes.names)
    assert Agreement.of(turned.taking(rng.permutation(len(votes))), NO_ROUNDS) == Agreement.of(votes, NO_ROUNDS)


@settings(deadline=None)  # other tests may keep the machine busy
@given(verdicts)
def test_turning_all_answers_round_changes_no_figure_but_the_shares(items: list[list[Verdict]]):
    turned = [[verdict.swapped for verdict in votes] for votes in items]
    for one, other in (
        (
            getattr(agreement_of, name)
            for agreement_of in (Agreement.of(said(*items), NO_ROUNDS), Agreement.of(said(*turned), NO_ROUNDS))
        )
        for name in Labelling
    ):
        # Sums in another order may differ in their last digit, and so a figure in the fourth to which it is rounded.
        assert {name: each.value for name, each in one.figures.items()} == pytest.approx(
            {name: each.value for name, each in other.figures.items()}, abs=1.01e-4
        )
        assert one.labels["A"] == other.labels["B"]


def test_votes_between_a_tie_and_a_side_disagree_by_half_of_what_two_sides_do():
    # At equal shares of A, neither and B: linear costs 1 and 2, so of two voters who differ by one step the weighted
    # kappa is above the plain one, and below it where they differ by two.
    near, far = (agreement(*["AA", "BB", "tt"] * 4, *[pair] * 6).merged.figures for pair in ("At", "AB"))
    for figures, sign in ((near, 1), (far, -1)):
        plain, linear, quadratic = (figures[f"cohen{kind}"].value for kind in ("", "_linear", "_quadratic"))
        assert plain is not None
        assert linear is not None
        assert quadratic is not None
        assert sign * (linear - plain) > 0
        assert sign * (quadratic - linear) > 0


def test_two_voters_have_cohens_kappa_and_more_have_the_reason_why_not():
    # 20 AA, 5 AB, 10 BA, 15 BB: the table of the textbook, kappa .4
    two = agreement(*["AA"] * 20, *["AB"] * 5, *["BA"] * 10, *["BB"] * 15)
    assert two.all.figures["cohen"].value == 0.4
    assert two.all.figures["cohen"].band == "fair"
    three = agreement(*["AAB"] * 12)
    assert three.all.figures["cohen"].value is None
    assert three.all.figures["cohen"].reason == "it is a measure of two voters, and 3 judged the same answers"


def test_fleiss_kappa_of_unequal_numbers_is_absent_and_that_of_the_commonest_number_is_there():
    found = agreement(*["AB", "AA", "BB"] * 5, "AAB").all
    assert found.figures["fleiss"].value is None
    assert found.figures["fleiss"].reason == (
        "pairs of answers have 2 to 3 votes, and this measure needs the same number on each"
    )
    assert found.same_number is not None
    assert (found.same_number.votes_per_item, found.same_number.n_items) == (2, 15)
    assert found.same_number.fleiss.value == round((2 / 3 - 0.5) / 0.5, 4)
    assert agreement(*["AB", "AA", "BB"] * 5).all.same_number is None


def test_an_interval_is_what_other_pairs_of_answers_would_give():
    # 40 pairs of answers with two votes each, 30 agree: the share of a resample is a binomial share, with standard
    # error sqrt(.75 * .25 / 40) = .0685; 1.96 of these reach from .616 to .884, in steps of 1/40.
    found = agreement(*["AA"] * 30, *["AB"] * 10).all.figures["raw_pooled"]
    assert found.value == 0.75
    assert found.low == pytest.approx(0.616, abs=0.04)
    assert found.high == pytest.approx(0.884, abs=0.04)


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([], "no two voters have judged the same two answers"),
        (["A"] * 50, "no two voters have judged the same two answers"),
        (
            ["AB"] * 4 + ["AA"] * 5,
            "10 pairs of answers judged by several are the fewest for an interval, and there are 9",
        ),
        (["AA"] * 50, "no spread to measure"),
        (["AB"] * 50, "no spread to measure"),
    ],
)
def test_an_interval_that_says_nothing_is_absent_with_its_reason(items: list[str], reason: str):
    found = agreement(*items).all.figures["raw_pooled"]
    assert (found.low, found.high) == (None, None)
    assert found.reason is not None
    assert reason in found.reason


def test_voters_who_all_say_the_same_word_have_no_kappa():
    figures = agreement(*["AA"] * 50).all.figures
    assert figures["raw"].value == 1
    for name in ("fleiss", "krippendorff_nominal", "gwet_ac1", "cohen"):
        assert figures[name].value is None
        assert figures[name].reason == "all votes say the same, so that nobody could have disagreed"


# ---- bands and the gate ----


@pytest.mark.parametrize(
    ("value", "band"),
    [
        *[(1.0, "strong"), (0.7501, "strong"), (0.75, "moderate"), (0.60, "moderate"), (0.5999, "fair")],
        *[(0.40, "fair"), (0.3999, "poor"), (0.0, "poor"), (-1.0, "poor")],
    ],
)
def test_bands_begin_where_the_practice_guide_says(value: float, band: str):
    assert Band.of(value) == band


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.8, "reliable"), (0.7999, "tentative"), (0.667, "tentative"), (0.6669, "not reliable")],
)
def test_krippendorffs_own_thresholds_stand_beside_them(value: float, word: str):
    assert Reliability.of(value) == word
    figure = Figure.of(Estimate(value, Absent("why")), name="krippendorff_nominal")
    assert (figure.reliability, figure.band) == (word, Band.of(value))
    assert Figure.of(Estimate(value, Absent("why")), name="raw").band is None


def measured(alpha: float, low: float | None = None, high: float | None = None, n_items: int = 500) -> Agreement:
    found = agreement(*["AA", "BB", "AB"] * 5)
    part: Any = found.merged
    figure = Figure(alpha, low, high, None if low else "too few", Band.of(alpha), Reliability.of(alpha))
    part = type(part)(n_items, 1, 1, 1, part.labels, part.figures | {"krippendorff_nominal": figure})
    return Agreement(found.all, part, found.decisive)


def test_the_gate_is_open_from_the_floor_on():
    for value, outcome in ((0.40, Outcome.PASSED), (0.3999, Outcome.REFUSED), (0.9, Outcome.PASSED)):
        said = gate(measured(value, value - 0.05, value + 0.05))
        assert said.outcome is outcome
        assert said.may_go_ahead == (outcome is Outcome.PASSED)
        assert f"{value:.4f}" in said.reason
    assert "an interval that holds 0.4" in gate(measured(0.42, 0.39, 0.45)).reason
    assert "an interval that holds" not in gate(measured(0.52, 0.49, 0.55)).reason


def test_a_host_can_force_the_gate_and_that_is_recorded():
    said = gate(measured(0.2, 0.1, 0.3), force=True)
    assert said.may_go_ahead
    assert said.to_record()["outcome"] == "forced"
    assert "because the host said so" in said.reason
    assert gate(measured(0.5, 0.4, 0.6), force=True).outcome is Outcome.PASSED


def test_agreement_that_nobody_could_measure_is_neither_a_refusal_nor_a_pass():
    for found, why in (
        (agreement("A", "B"), "no two voters have judged the same two answers"),
        (agreement(*["AA"] * 20), "all votes say the same"),
        (measured(0.9, n_items=9), "10 pairs of answers judged by several are the fewest to go by, and there are 9"),
        (measured(0.1, n_items=9), "10 pairs of answers judged by several are the fewest"),
    ):
        for force in (False, True):
            said = gate(found, force=force)
            assert said.outcome is Outcome.NOT_MEASURABLE
            assert said.may_go_ahead
            assert why in said.reason


# ---- voters against others and themselves ----


def test_a_voter_is_held_against_all_others_on_the_same_answers():
    # w0 agrees with w1 on 12 of 20 and with w2 on 6 of 20: 18 of 40 pairs of votes.
    votes = said(*["AAA"] * 6, *["AAB"] * 6, *["ABB"] * 8)
    first = by_voter(votes, CHANCE)[0]
    assert (first.voter, first.all.n_items, first.all.n_pairs) == ("w0", 20, 40)
    assert first.all.raw.value == 18 / 40
    # w0 says A alone, the others A 18 times and B 22 times: chance gives 18/40 as well.
    assert first.all.kappa.value == 0


def test_voters_with_few_votes_are_pooled_and_their_interval_is_absent_with_its_reason():
    found = by_voter(said(*["AA"] * 9, "AAB", "ABB"), CHANCE)
    assert [(each.voter, each.n_voters) for each in found] == [("w0", 1), ("w1", 1), (None, 1)]
    pooled = found[-1].all
    assert (pooled.n_items, pooled.n_pairs, pooled.raw.value) == (2, 4, 0.25)
    assert pooled.raw.low is None
    assert pooled.raw.reason == "votes of several voters on the same answers do not stand alone"
    assert by_voter(said("A", "B"), CHANCE) == []


def test_a_voter_who_judges_again_is_held_against_the_first_vote():
    n, agreeing = 40, 30  # Wilson: .598 to .858
    item = np.repeat(np.arange(n), 2)
    label = np.column_stack((np.arange(n) % 2, (np.arange(n) + (np.arange(n) >= agreeing)) % 2)).ravel()
    votes = Judgements(item, np.zeros(2 * n, dtype=np.int64), label, names={"voter": ("w",)})
    found = Consistency.of(votes, CHANCE)
    assert (found.n, found.n_further, found.raw.value) == (40, 0, 0.75)
    assert (found.raw.low, found.raw.high) == (pytest.approx(0.598, abs=5e-4), pytest.approx(0.858, abs=5e-4))
    assert found.kappa.value == pytest.approx(0.5, abs=1e-4)  # the shares are a half each, first and second
    # ... and between voters only the first counts.
    once = votes.first()
    assert len(once) == n
    assert Agreement.of(once, CHANCE).all.n_pairs == 0
    longer = [np.append(each, each[:2]) for each in (item, votes.voter, label)]
    third = Judgements(longer[0], longer[1], longer[2], names=votes.names)
    assert Consistency.of(third, CHANCE).n_further == 2
    nobody = Consistency.of(once, CHANCE)
    assert (nobody.n, nobody.raw.reason) == (0, "nobody judged the same two answers twice")


# ---- judges and people ----


def test_a_judge_is_held_against_single_votes_and_against_the_majority():
    # People AAB, AB, BBB, A; the judge A, A, A, B. Single votes: 2 of 3, 1 of 2, 0 of 3, 0 of 1 agree.
    # A majority of two or more: A, none, B, and one vote makes none: the judge agrees with 1 of 2.
    people, verdicts = ["AAB", "AB", "BBB", "A"], "AAAB"
    rows = [(i, w, WORDS.index(Verdict(v)), 0) for i, votes in enumerate(people) for w, v in enumerate(votes)]
    rows += [(i, 8, WORDS.index(Verdict(v)), 1) for i, v in enumerate(verdicts)]
    rows += [(4, 8, 0, 1)]  # what no people judged is in nothing
    item, voter, label, source = np.array(rows).T
    names = {"voter": tuple(f"w{n}" for n in range(9)), "source": ("human", "ai_judge")}
    votes = Judgements(item, voter, label, {"source": source}, names)
    [judge] = judges(votes, "human", "ai_judge", CHANCE)
    assert (judge.voter, judge.file) == ("w8", None)
    for part in (judge.all, judge.merged, judge.decisive):
        assert (part.single.n_items, part.single.n_pairs, part.single.raw.value) == (4, 9, round(3 / 9, 4))
        assert (part.majority.n_items, part.majority.n_without) == (2, 1)
        assert part.majority.figures["raw"].value == 0.5
        assert part.people.n_pairs == 3 + 1 + 3
        assert part.people.figures["raw_pooled"].value == round(4 / 7, 4)
        assert part.labels["A"] == 3
    assert judges(votes, "human", "rule", CHANCE) == []


# ---- from the log ----


def cast(store: VoteStore, *votes: tuple[str, str, str, Verdict, str | None]) -> None:
    """(prompt, model on side A, model on side B, verdict, voter)"""
    start = store.log.position()[0]
    rows = []
    for number, (prompt, a, b, verdict, voter) in enumerate(votes, start):
        battle = Battle(BattleId(f"b{number}"), ModelId(a), ModelId(b), PromptId(prompt))
        who = VoterId(voter) if voter else None
        rows.append((battle, Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, who, NOON)))
    store.votes.add_imported(rows, NOON)


def counts(store: VoteStore, *groups: Group) -> list[list[int]]:
    """The verdicts on each pair of answers, of the first votes, in an order that says nothing; A is some answer."""
    return sorted(read(store, *groups).first().counts().tolist())


def read(store: VoteStore, *groups: Group, up_to: int | None = None) -> Judgements:
    with open_log(store, up_to=up_to) as log:
        return judgement_table.read(log.votes, groups)


def test_votes_agree_whatever_the_side_on_which_answers_stood(store: VoteStore):
    fill(store, NOON)
    cast(store, ("p0", "m0", "m1", Verdict.A, "x"), ("p0", "m1", "m0", Verdict.B, "y"))
    assert counts(store) in ([[2, 0, 0, 0]], [[0, 2, 0, 0]])


def test_the_same_two_models_on_another_prompt_are_another_pair_of_answers(store: VoteStore):
    fill(store, NOON)
    cast(store, ("p0", "m0", "m1", Verdict.A, "x"), ("p1", "m0", "m1", Verdict.A, "y"))
    assert [sum(row) for row in counts(store)] == [1, 1]


def test_nobody_agrees_with_themselves_and_the_first_of_ones_votes_counts(store: VoteStore):
    fill(store, NOON)
    cast(
        store,
        ("p0", "m0", "m1", Verdict.A, "x"),
        ("p0", "m0", "m1", Verdict.TIE, "x"),
        ("p0", "m0", "m1", Verdict.B, "y"),
    )
    assert counts(store) == [[1, 1, 0, 0]]
    again = Consistency.of(read(store), CHANCE)
    assert (again.n, again.raw.value) == (1, 0)


def test_votes_without_a_voter_or_withdrawn_are_in_no_pair(store: VoteStore):
    fill(store, NOON)
    cast(
        store,
        ("p0", "m0", "m1", Verdict.A, "x"),
        ("p0", "m0", "m1", Verdict.A, None),
        ("p0", "m0", "m1", Verdict.A, "z"),
    )
    store.votes.withdraw(Withdrawal(VoteId("v2"), VoterId("z"), NOON))
    assert sum(sum(row) for row in counts(store)) == 1
    assert read(store).left_out == {"withdrawn by its voter": 1, judgement_table.NO_VOTER: 1}


def test_the_study_tells_agreement_as_of_its_snapshot(store: VoteStore):
    fill(store, NOON)
    pairs = [("m0", "m1"), ("m1", "m2"), ("m2", "m0")]
    for prompt in ("p0", "p1"):
        for a, b in pairs:
            cast(
                store,
                *((prompt, a, b, verdict, f"w{n}") for n, verdict in enumerate([Verdict.A, Verdict.A, Verdict.B])),
            )
    snapshot = take_snapshot(store, NOON)
    study = Study(store, lambda: snapshot)
    before = study.agreement(snapshot)
    assert (before.all.value, before.all.n_pairs, before.all.n_items) == (round(1 / 3, 4), 18, 6)
    assert (before.n_items, before.n_votes) == (6, 18)
    # P = 1/3 on each, and chance is what the 12 A and 6 B, or fewer of these, would give: below it whatever the sides.
    assert before.alpha.value is not None
    assert before.alpha.value < 0
    assert before.alpha.band == "poor"
    cast(store, ("p0", "m0", "m1", Verdict.A, "late"))
    assert Study(store, lambda: snapshot).agreement(snapshot) == before


def test_the_same_words_of_two_models_are_one_answer_and_twice_the_same_words_are_no_choice(store: VoteStore):
    fill(store, NOON, n_models=4)
    texts = {"m0": "yes", "m1": "no", "m2": "no", "m3": "yes"}
    answers = [answer("p0", model, text) for model, text in texts.items()]
    store.catalogue.add_answers(answers, NOON)
    ids = {each.model_id: each.id for each in answers}
    rows = []
    for n, (a, b, verdict) in enumerate([("m0", "m1", A), ("m2", "m3", B), ("m1", "m2", A)]):
        battle = Battle(BattleId(f"b{n}"), ModelId(a), ModelId(b), PromptId("p0"), ids[ModelId(a)], ids[ModelId(b)])
        rows.append((battle, Vote(VoteId(f"v{n}"), battle.id, verdict, Source.HUMAN, VoterId(f"w{n}"), NOON)))
    store.votes.add_imported(rows, NOON)
    [row] = counts(store)
    assert sorted(row, reverse=True) == [2, 0, 0, 0]  # both say that yes is better
    assert read(store).left_out == {judgement_table.SAME_TEXT: 1}


def test_votes_are_told_apart_by_what_they_say_of_themselves(store: VoteStore):
    fill(store, NOON)
    rows = []
    for n, (day, version) in enumerate([(0, "1.0"), (1, "1.0"), (7, "2.0"), (8, None)]):
        battle = Battle(BattleId(f"b{n}"), ModelId("m0"), ModelId("m1"), PromptId("p0"))
        when = NOON + timedelta(days=day)
        vote = Vote(*(VoteId(f"v{n}"), battle.id, A, Source.HUMAN, VoterId(f"w{n}"), when), guideline_version=version)
        rows.append((battle, vote))
    store.votes.add_imported(rows, NOON)
    by = ("week", "guideline", "category")
    report = Report.of(read(store, *map(Group, by)), CHANCE, by=by)
    pairs = {group: {name: part.all.n_pairs for name, part in parts.items()} for group, parts in report.by.items()}
    # 2 March 2026 is a Monday: two votes in its week, two in the next.
    assert pairs == {
        "week": {"2026-W10": 1, "2026-W11": 1},
        "guideline": {"1.0": 1, "2.0": 0},
        "category": {"reasoning": 6},
    }
    assert report.untold == {"week": 0, "guideline": 1, "category": 0}
    assert report.to_card()["n_pairs_of_votes"] == 6
    assert report.to_card()["gate"]["outcome"] == "not measurable"
    json.dumps(report.to_card(), allow_nan=False)


def test_a_report_that_the_host_has_forced_says_so_on_the_card():
    votes = said(*["AB", "AA", "BB"] * 5)
    assert Report.of(votes, CHANCE).gate.outcome is Outcome.REFUSED
    assert Report.of(votes, CHANCE, force=True).to_card()["gate"]["outcome"] == "forced"
