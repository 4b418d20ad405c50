"""Agreement beyond the verdict: each matter at its own level, against published figures and known truths."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena import agreement_printout, judgement_table, table
from arena.agreement import Band, Chance
from arena.agreement_report import Report
from arena.batch import open_log
from arena.battle import (
    Battle,
    BattleId,
    Confidence,
    Labels,
    ModelId,
    PromptId,
    Scale,
    Side,
    Source,
    Thumb,
    Verdict,
    Vote,
    VoteId,
    VoterId,
)
from arena.errors import BadInput
from arena.judgements import UNTOLD, Judgements
from arena.label_agreement import NOBODY_TWICE, LabelAgreement, by_matter
from arena.matters import CONFIDENCE, RATING, THUMB, Kind, Matter, dimension, steps
from arena.store import VoteStore
from arena.tally import Selection
from arena.vote_file import open_votes
from arenas import fill
from command import bakeoff
from ground import NOW
from ratings.agreement import Level

A, B, TIE, BAD = Verdict
CHANCE = Chance(rounds=200, seed=3)
FEW = Chance(rounds=2)
ACCURACY = dimension("accuracy")
SIDED = (ACCURACY, steps(Scale.MUCH_SLIGHTLY), steps(Scale.FIVE), steps(Scale.EIGHT))
ALL = (*SIDED, RATING, THUMB, CONFIDENCE)


def judged(matter: Matter, rows: Sequence[Sequence[int | tuple[int, int] | None]]) -> Judgements:
    """A row a pair of answers: what each voter says of it, a place in the labels, or None; of ratings for both."""
    item, voter, said = [], [], []
    for number, row in enumerate(rows):
        for who, each in enumerate(row):
            item.append(number)
            voter.append(who)
            both = each if isinstance(each, tuple) else (each,) * matter.n_parts
            said.append([UNTOLD if place is None else place for place in both])
    n = len(item)
    return Judgements(
        np.array(item, dtype=np.int64),
        np.array(voter, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        said={matter: np.array(said, dtype=np.int64).reshape(n, matter.n_parts)},
    )


def agreed(matter: Matter, rows: Sequence[Sequence[Any]], chance: Chance = CHANCE) -> LabelAgreement:
    return LabelAgreement.of(judged(matter, rows), matter, chance)


def value(found: LabelAgreement, name: str) -> float | None:
    return found.figures[name].value


# ---- published figures ----

# Krippendorff (2011): four observers and twelve units, numbers 1 to 5; and the example of Wikipedia, three and fifteen.
FOUR = """1 2 3 3 2 1 4 1 2 * * *
1 2 3 3 2 2 4 1 2 5 * 3
* 3 3 3 2 3 4 2 2 5 1 *
1 2 3 3 2 4 4 1 2 5 1 *"""
THREE = """* * * * * 3 4 1 2 1 1 3 3 * 3
1 * 2 1 3 3 4 3 * * * * * * *
* * 2 1 3 4 4 * 2 1 1 3 3 * 4"""


def units(table_: str) -> list[list[int | None]]:
    raters = [[None if each == "*" else int(each) - 1 for each in line.split()] for line in table_.splitlines()]
    return [list(unit) for unit in zip(*raters, strict=True)]


@pytest.mark.parametrize(("table_", "ordinal", "interval"), [(FOUR, 0.815388, 0.849107), (THREE, 0.806721, 0.810845)])
def test_ratings_of_one_answer_give_the_published_alphas(table_: str, ordinal: float, interval: float):
    found = agreed(RATING, [[(each, None) for each in unit] for unit in units(table_)])
    assert value(found, "krippendorff_ordinal") == round(ordinal, 4)
    assert value(found, "krippendorff_interval") == round(interval, 4)
    assert "krippendorff_nominal" not in found.figures
    assert found.figures["krippendorff_ordinal"].band is Band.STRONG


def test_the_binary_example_of_krippendorff_as_a_dimension():
    rows = [[2 * int(one), 2 * int(other)] for one, other in zip("0100000010", "1110010000", strict=True)]
    assert value(agreed(ACCURACY, rows), "krippendorff_nominal") == 0.0952  # .095238


def alpha_by_definition(units_: Sequence[Sequence[float]], level: Level) -> float:
    """1 less the mean squared distance of two values of one unit by that of any two values, pair by pair."""
    units_ = [unit for unit in units_ if len(unit) > 1]
    pooled = [each for unit in units_ for each in unit]

    def distance(one: float, other: float) -> float:
        if level is Level.NOMINAL:
            return float(one != other)
        if level is Level.INTERVAL:
            return (one - other) ** 2
        low, high = sorted((one, other))
        between = sum(low <= each <= high for each in pooled)
        return (between - (pooled.count(low) + pooled.count(high)) / 2) ** 2 if low != high else 0.0

    observed = sum(sum(distance(*pair) for pair in permutations(unit, 2)) / (len(unit) - 1) for unit in units_)
    expected = sum(distance(*pair) for pair in permutations(pooled, 2)) / (len(pooled) - 1)
    return 1 - observed / expected


def test_both_answers_of_a_pair_are_rated_apart():
    # The same numbers for the first answers and for the second: as if every unit were there twice.
    rows = [[(each, each) for each in unit] for unit in units(FOUR)]
    found = agreed(RATING, rows)
    twice = [[float(each) for each in unit if each is not None] for unit in units(FOUR)] * 2
    assert value(found, "krippendorff_interval") == round(alpha_by_definition(twice, Level.INTERVAL), 4)
    assert (found.n_items, found.n_votes) == (2 * 11, 2 * 40)  # the twelfth unit has one number


places = st.integers(0, 99)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Matter, list[list[Any]]]:
    matter = draw(st.sampled_from(ALL))
    one = st.one_of(st.none(), st.integers(0, len(matter.labels) - 1))
    cell = st.tuples(one, one) if matter.n_parts == 2 else one
    return matter, draw(st.lists(st.lists(cell, min_size=1, max_size=5), max_size=8))


@settings(deadline=None)
@given(tables())
def test_alpha_is_what_comparing_every_two_values_gives(drawn: tuple[Matter, list[list[Any]]]):
    matter, rows = drawn
    found = agreed(matter, rows, FEW)
    apart = [
        [each[part] if isinstance(each, tuple) else each for each in row]
        for row in rows
        for part in range(matter.n_parts)
    ]
    known = [[each for each in row if each is not None] for row in apart]
    several = [row for row in known if len(row) > 1]
    if len({each for row in several for each in row}) < 2:
        assert all(
            figure.value is None for name, figure in found.figures.items() if name != "raw" and "raw" not in name
        )
        return
    coded = [[matter.codes[each] for each in row] for row in known]
    for level in matter.levels:
        assert value(found, f"krippendorff_{level}") == pytest.approx(alpha_by_definition(coded, level), abs=6e-5)


@settings(deadline=None)
@given(tables())
def test_raw_agreement_is_what_counting_every_pair_gives_and_what_is_undefined_has_a_reason(
    drawn: tuple[Matter, list[list[Any]]],
):
    matter, rows = drawn
    found = agreed(matter, rows, FEW)
    apart = [
        [each[part] if isinstance(each, tuple) else each for each in row]
        for row in rows
        for part in range(matter.n_parts)
    ]
    pairs = [pair for row in apart for pair in combinations([each for each in row if each is not None], 2)]
    assert found.n_pairs == len(pairs)
    assert value(found, "raw_pooled") == (
        round(sum(one == other for one, other in pairs) / len(pairs), 4) if pairs else None
    )
    for figure in found.figures.values():
        assert figure.reason or (figure.value is not None and figure.low is not None)
        assert figure.value is not None or pairs or figure.reason == NOBODY_TWICE
    assert sum(found.labels.values()) == found.n_votes


@settings(deadline=None)
@given(tables(), st.integers(0, 99))
def test_the_order_of_votes_changes_nothing(drawn: tuple[Matter, list[list[Any]]], seed: int):
    matter, rows = drawn
    votes = judged(matter, rows)
    shuffled = votes.taking(np.random.default_rng(seed).permutation(len(votes)))
    assert LabelAgreement.of(shuffled, matter, FEW) == LabelAgreement.of(votes, matter, FEW)


@settings(deadline=None)
@given(st.sampled_from(SIDED), st.lists(st.lists(places, min_size=1, max_size=5), max_size=8))
def test_exchanged_answers_mirror_the_labels_and_change_no_figure(matter: Matter, drawn: list[list[int]]):
    n = len(matter.labels)
    rows = [[each % n for each in row] for row in drawn]
    found, mirrored = agreed(matter, rows, FEW), agreed(matter, [[n - 1 - each for each in row] for row in rows], FEW)
    assert {name: each.value for name, each in found.figures.items()} == {
        name: each.value for name, each in mirrored.figures.items()
    }
    assert list(found.labels.values()) == list(mirrored.labels.values())[::-1]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=4), min_size=1, max_size=8))
def test_an_order_does_not_change_where_labels_are_stretched_and_distances_do(rows: list[list[int]]):
    # 1, 2, 3 and 1, 2, 5 are one order: ordinal alpha is the same, whatever number the highest has.
    near, far = agreed(RATING, rows, FEW), agreed(RATING, [[(0, 1, 4)[each] for each in row] for row in rows], FEW)
    assert value(near, "krippendorff_ordinal") == value(far, "krippendorff_ordinal")


def test_a_step_apart_disagrees_less_than_opposite_sides():
    five = steps(Scale.FIVE)  # A by 2, A by 1, neither, B by 1, B by 2
    base = [[0, 0], [4, 4], [1, 1], [3, 3]] * 5
    near, far = agreed(five, [*base, [0, 1]]), agreed(five, [*base, [0, 4]])
    for level in ("ordinal", "interval"):
        assert (value(near, f"krippendorff_{level}") or 0) > (value(far, f"krippendorff_{level}") or 0)
    assert value(near, "raw") == value(far, "raw") == round(20 / 21, 4)


def test_the_two_weakest_of_eight_steps_are_neighbours():
    eight = steps(Scale.EIGHT)
    gaps = [b - a for a, b in zip(eight.codes, eight.codes[1:], strict=False)]
    assert gaps == [1, 1, 1, 0.5, 0.5, 1, 1, 1]  # both bad lies between them
    assert eight.labels[0] == "A by 4"
    assert steps(Scale.FIVE).codes == (-2, -1, 0, 1, 2)


def test_confidence_has_an_order_and_no_distances():
    assert set(agreed(CONFIDENCE, [[0, 1], [2, 2]]).figures) == {"raw", "raw_pooled", "krippendorff_ordinal"}
    assert CONFIDENCE.levels == (Level.ORDINAL,)


# ---- known truths ----


def noisy(rng: np.random.Generator, n: int, flip: float, n_voters: int = 3) -> list[list[Any]]:
    """Answers that are worth 1 or 5, and voters who each take one for the other with this chance."""
    truth = rng.integers(0, 2, size=(n, 2))
    said = truth[:, None, :] ^ (rng.random((n, n_voters, 2)) < flip)
    return [[(int(a) * 4, int(b) * 4) for a, b in row] for row in said.tolist()]


def test_with_known_noise_alpha_is_what_it_must_be():
    # Two labels, each in half of the cases: what two voters say covaries by (1 - 2f)^2 of the variance. f = 0.1: 0.64.
    found = agreed(RATING, noisy(np.random.default_rng(1), 4000, 0.1), Chance(rounds=200))
    assert value(found, "krippendorff_interval") == pytest.approx(0.64, abs=0.02)
    assert value(found, "raw") == pytest.approx(0.82, abs=0.01)  # 0.9^2 + 0.1^2


@pytest.mark.parametrize("matter", ALL)
def test_voters_who_say_the_same_agree_fully_and_those_who_guess_not_at_all(matter: Matter):
    rng, n = np.random.default_rng(5), len(matter.labels)
    for level in matter.levels:
        same = agreed(matter, [[int(each)] * 3 for each in rng.integers(0, n, 60)])
        assert value(same, f"krippendorff_{level}") == 1.0
        guessed = agreed(matter, rng.integers(0, n, (3000, 3)).tolist(), FEW)
        assert abs(value(guessed, f"krippendorff_{level}") or 0) < 0.05


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    # 60 arenas of 60 pairs, whose two answers are as unlike as any: 95 % hold 0.64; of 60 that is 57, and fewer than 51
    # in one case of 500.
    found = [agreed(RATING, noisy(np.random.default_rng(seed), 60, 0.1), Chance(rounds=200)) for seed in range(60)]
    figures = [each.figures["krippendorff_interval"] for each in found]
    assert all(each.low is not None and each.high is not None for each in figures)
    assert sum((each.low or 0) <= 0.64 <= (each.high or 0) for each in figures) >= 51


def test_answers_of_one_pair_are_drawn_together():
    # Each pair's two answers say the same twice: drawn apart, the interval would be narrower by the root of two.
    rng = np.random.default_rng(2)
    single = [[(each, None) for each in row] for row in rng.integers(0, 5, (80, 3)).tolist()]
    twice = [[(each, each) for each, _ in row] for row in single]
    one, both = (agreed(RATING, rows, Chance(rounds=2000)).figures["raw"] for rows in (single, twice))
    assert one.value == both.value
    assert ((both.high or 0) - (both.low or 0)) / ((one.high or 1) - (one.low or 0)) == pytest.approx(1, abs=0.1)


# ---- what cannot be said ----


@pytest.mark.parametrize("matter", ALL)
def test_nothing_shared_is_absent_with_its_reason(matter: Matter):
    for rows in ([], [[0]], [[0, None], [None, 1]]):
        found = agreed(matter, rows)
        assert found.n_items == found.n_pairs == 0
        assert {(each.value, each.reason) for each in found.figures.values()} == {(None, NOBODY_TWICE)}


def test_one_label_alone_leaves_nobody_to_disagree():
    found = agreed(ACCURACY, [[1, 1]] * 20)
    assert value(found, "raw") == 1.0
    for name in ("krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1"):
        assert found.figures[name].value is None
        assert "nobody could have disagreed" in (found.figures[name].reason or "")


def test_few_pairs_have_a_value_and_no_interval():
    figure = agreed(ACCURACY, [[0, 2], [1, 1], [0, 0]]).figures["krippendorff_ordinal"]
    assert figure.value is not None
    assert figure.low is None
    assert "10 pairs of answers judged by several are the fewest" in (figure.reason or "")


# ---- read from the log and from files ----

LABELLED = st.builds(
    Labels,
    scale=st.just(Scale.FIVE),
    strength=st.integers(1, 2),
    dimensions=st.dictionaries(st.sampled_from(["accuracy", "tone"]), st.sampled_from([A, TIE, B])),
    confidence=st.sampled_from([None, *Confidence]),
    ratings=st.dictionaries(st.sampled_from(list(Side)), st.integers(1, 5)),
    thumbs=st.dictionaries(st.sampled_from(list(Side)), st.sampled_from(list(Thumb))),
)


@pytest.fixture
def store() -> Iterator[VoteStore]:
    with VoteStore.open(None) as opened:
        fill(opened, NOW, 12, 3)
        yield opened


def ballot(
    store: VoteStore, prompt: int, who: str, verdict: Verdict, labels: Labels, *, number: int, turned: bool = False
) -> tuple[Battle, Vote]:
    """A vote on the answers of m0 (A) and m1; turned: the same seen with the sides exchanged."""
    ids = store.catalogue.current_answers()
    models = ("m1", "m0") if turned else ("m0", "m1")
    a, b = (ids[PromptId(f"p{prompt}"), ModelId(model)] for model in models)
    battle = Battle(BattleId(f"b{number}"), ModelId(models[0]), ModelId(models[1]), PromptId(f"p{prompt}"), a, b)
    if turned:
        verdict = verdict.swapped
        labels = Labels(
            scale=labels.scale,
            strength=labels.strength,
            dimensions={each: said.swapped for each, said in labels.dimensions.items()},
            confidence=labels.confidence,
            ratings={(Side.B if side is Side.A else Side.A): rating for side, rating in labels.ratings.items()},
            thumbs={(Side.B if side is Side.A else Side.A): thumb for side, thumb in labels.thumbs.items()},
        )
    return battle, Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, VoterId(who), NOW, labels=labels)


def cast(store: VoteStore, prompt: int, who: str, verdict: Verdict, labels: Labels, *, turned: bool = False) -> None:
    number = store.log.position()[0]
    store.votes.add_imported([ballot(store, prompt, who, verdict, labels, number=number, turned=turned)], NOW)


def read(store: VoteStore) -> Judgements:
    with open_log(store, Selection()) as log:
        return judgement_table.read(log.votes, labels=True)


def told(votes: Judgements) -> dict[str, LabelAgreement]:
    return {each.name: each for each in by_matter(votes.first(), CHANCE)}


@settings(max_examples=4, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([A, B]), LABELLED, st.booleans()), min_size=4, max_size=12)
)
def test_the_side_on_which_an_answer_stood_changes_nothing(votes: list[tuple[int, Verdict, Labels, bool]]):
    found = []
    for may_turn in (False, True):
        with VoteStore.open(None) as store:
            fill(store, NOW, 3, 3)
            ballots = [
                ballot(store, prompt, f"w{k % 4}", verdict, labels, number=k, turned=turned and may_turn)
                for k, (prompt, verdict, labels, turned) in enumerate(votes)
            ]
            store.votes.add_imported(ballots, NOW)
            found.append(told(read(store)))
    assert found[0] == found[1]


def test_every_label_of_the_log_is_read_as_it_was_said(store: VoteStore):
    labels = Labels(
        scale=Scale.EIGHT,
        strength=3,
        dimensions={"accuracy": A, "tone": TIE},
        confidence=Confidence.LOW,
        ratings={Side.A: 4, Side.B: 1},
        thumbs={Side.A: Thumb.UP, Side.B: Thumb.DOWN},
    )
    cast(store, 0, "v1", A, labels)
    cast(store, 0, "v2", A, labels, turned=True)
    cast(store, 0, "v3", BAD, Labels(scale=Scale.EIGHT))
    found = told(read(store))
    assert list(found) == ["accuracy", "tone", "8-steps", "rating", "thumb", "confidence"]
    assert {name: (each.n_said, each.n_items, each.n_pairs) for name, each in found.items()} == {
        "accuracy": (2, 1, 1),
        "tone": (2, 1, 1),
        "8-steps": (3, 1, 3),
        "rating": (2, 2, 2),
        "thumb": (2, 2, 2),
        "confidence": (2, 1, 1),
    }
    # The first two say the same of the same texts, one of them with the sides exchanged.
    for name in ("accuracy", "tone", "rating", "thumb", "confidence"):
        assert value(found[name], "raw_pooled") == 1.0
    assert value(found["8-steps"], "raw_pooled") == round(1 / 3, 4)
    sides = {key: n for key, n in found["8-steps"].labels.items() if n}
    assert sides in ({"A by 3": 2, "neither": 1}, {"neither": 1, "B by 3": 2})  # A is the text with the smaller digest
    assert {key: n for key, n in found["rating"].labels.items() if n} == {"4": 2, "1": 2}
    assert found["thumb"].labels == {"down": 2, "up": 2}
    assert found["tone"].labels == {"A": 0, "tie": 2, "B": 0}
    assert found["confidence"].labels == {"low": 2, "medium": 0, "high": 0}


def test_of_a_voter_who_judges_again_the_first_labels_count(store: VoteStore):
    for who, rating in (("v1", 1), ("v2", 1), ("v1", 5)):
        cast(store, 0, who, A, Labels(ratings={Side.A: rating}))
    assert {key: n for key, n in told(read(store))["rating"].labels.items() if n} == {"1": 2}


def test_thumbs_alone_are_no_ratings_and_ratings_alone_no_thumbs(store: VoteStore):
    for who, labels in (("v1", Labels(thumbs={Side.A: Thumb.UP})), ("v2", Labels(thumbs={Side.B: Thumb.UP}))):
        cast(store, 0, who, A, labels)
    assert list(told(read(store))) == ["thumb"]
    cast(store, 1, "v1", A, Labels(ratings={Side.A: 5}))
    found = told(read(store))
    assert (found["rating"].n_said, found["thumb"].n_said, found["thumb"].n_items) == (1, 2, 0)
    assert found["thumb"].figures["krippendorff_nominal"].reason == NOBODY_TWICE


def test_agreement_on_thumbs_is_nominal_and_by_answer():
    # Krippendorff (2011), binary data of two observers: 4 of 10 things differ, 14 zeros and 6 ones in all, and so
    # alpha = 1 - 19 * 4 / (14 * 6) = 0.095.
    rows = [[(int(one), None), (int(other), None)] for one, other in zip("0100000010", "1110010000", strict=True)]
    found = agreed(THUMB, rows)
    assert set(found.figures) == {"raw", "raw_pooled", "krippendorff_nominal", "gwet_ac1"}
    assert (value(found, "krippendorff_nominal"), value(found, "raw")) == (0.0952, 0.6)
    assert found.n_items == 10


def test_votes_without_a_label_have_no_part_of_it(store: VoteStore):
    for who in ("v1", "v2"):
        cast(store, 0, who, A, Labels())
    assert read(store).said == {}
    assert Report.of(read(store), CHANCE).labels == []


def crowd(store: VoteStore) -> None:
    """Three voters on twelve pairs: they agree on accuracy but for one in six, and on nothing of tone."""
    rng = np.random.default_rng(11)
    for prompt in range(12):
        for number in range(3):
            right = A if prompt % 2 else B
            tone = [A, TIE, B][int(rng.integers(3))]
            accuracy = right.swapped if number == prompt % 6 else right
            rating = 1 + 2 * (prompt % 3)
            labels = Labels(
                scale=Scale.MUCH_SLIGHTLY,
                strength=1 + (number == 0),
                dimensions={"accuracy": accuracy, "tone": tone},
                confidence=Confidence.HIGH,
                ratings={Side.A: rating, Side.B: max(1, rating - number)},
                thumbs={Side.A: Thumb.UP, Side.B: Thumb.DOWN},
            )
            cast(store, prompt, f"v{number}", right, labels, turned=bool(number % 2))


def test_the_command_prints_every_matter_and_says_why_what_is_missing(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as other:
        fill(other, NOW, 12, 3)
        crowd(other)
    printed = bakeoff("agreement", "--db", path).out
    for title in (
        "Dimension accuracy: A ",
        "Dimension tone: A ",
        "By how much, much-slightly: A by 2 ",
        "Ratings of each answer: 1 ",
        "Thumbs on each answer: down 50.0%, up 50.0%",
        "Confidence: low 0.0%, medium 0.0%, high 100.0%",
    ):
        assert title in printed
    assert "36 votes say it; of 24 answers two voters or more do, 72 pairs of voters" in printed
    assert "nobody could have disagreed" in printed.split("Confidence: ")[1]
    record = bakeoff("agreement", "--db", path, "--json").record
    assert [each["name"] for each in record["labels"]] == [
        *("accuracy", "tone", "much-slightly", "rating", "thumb", "confidence"),
    ]
    accuracy = record["labels"][0]["figures"]
    assert accuracy["krippendorff_nominal"]["low"] < accuracy["krippendorff_nominal"]["value"]
    confidence = record["labels"][5]["figures"]["krippendorff_ordinal"]
    assert (confidence["value"], confidence["reason"]) == (
        None,
        "all votes say the same, so that nobody could have disagreed",
    )


def rows_of_file(labels: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    both = {"model_a": "x", "model_b": "y", "winner": "model_a", "prompt_id": "p"}
    return [both | {"voter": f"w{number}"} | dict(each) for number, each in enumerate(labels)]


def of_file(path: Path, labels: Sequence[Mapping[str, object]]) -> dict[str, LabelAgreement]:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows_of_file(labels)), encoding="utf-8")
    with open_votes(path) as votes:
        return told(judgement_table.read(votes, labels=True))


def test_a_file_tells_the_same_labels(tmp_path: Path):
    said = {"dimensions": '{"accuracy": "A"}', "ratings": {"A": 2, "B": 4}, "scale": "5-steps", "strength": 2}
    said |= {"thumbs": '{"A": "up"}'}
    found = of_file(tmp_path / "votes.jsonl", [said | {"confidence": "low"}, said | {"confidence": "high"}])
    assert {name: value(each, "raw") for name, each in found.items()} == {
        "accuracy": 1.0,
        "5-steps": 1.0,
        "rating": 1.0,
        "thumb": 1.0,
        "confidence": 0.0,
    }


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_thumbs_of_a_file_are_read_as_raw_votes_write_them(tmp_path: Path, ending: str):
    columns = ("model_a", "model_b", "winner", "prompt_id", "voter", "thumbs")
    said = ('{"A": "up", "B": "down"}', '{"A": "up"}', None)
    rows = [("x", "y", "tie", "p", f"w{number}", thumbs) for number, thumbs in enumerate(said)]
    path = tmp_path / f"votes.{ending}"
    if ending == "jsonl":  # as objects, not as their text
        lines = [dict(zip(columns, (*row[:-1], row[-1] and json.loads(row[-1])), strict=True)) for row in rows]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    else:
        table.write(path, dict.fromkeys(columns, "varchar"), rows)
    with open_votes(path) as votes:
        found = told(judgement_table.read(votes, labels=True))["thumb"]
    assert (found.n_said, found.n_items, dict(found.labels)) == (2, 1, {"down": 0, "up": 2})


def test_a_column_of_another_meaning_is_no_label(tmp_path: Path):
    assert of_file(tmp_path / "votes.jsonl", [{"confidence": 0.93, "ratings": "[1,2]"}, {"confidence": 0.2}]) == {}


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("dimensions", '{"accuracy": "A"}', '{"accuracy": "both_bad"}'),
        ("dimensions", '{"accuracy": "A"}', "accuracy"),
        ("ratings", '{"A": 2}', '{"A": 6}'),
        ("ratings", '{"A": 2}', '{"C": 2}'),
        ("ratings", '{"A": 2}', '{"A": 2.5}'),
        ("thumbs", '{"A": "up"}', '{"A": 1}'),
        ("thumbs", '{"A": "up"}', '{"C": "up"}'),
        ("confidence", "low", "sure"),
    ],
)
def test_a_label_that_is_none_beside_others_is_refused_and_never_guessed(
    tmp_path: Path, column: str, good: str, bad: str
):
    with pytest.raises(BadInput, match=f"{column} is .* in the votes in .*votes.jsonl.*it may be"):
        of_file(tmp_path / "votes.jsonl", [{column: good}, {column: bad}])


def test_a_step_beyond_its_scale_is_refused(tmp_path: Path):
    five = {"scale": "5-steps", "strength": 2}
    with pytest.raises(BadInput, match="scale is '5-steps/3'"):
        of_file(tmp_path / "votes.jsonl", [five, five | {"strength": 3}])


def test_raw_votes_of_an_export_tell_what_the_log_does(store: VoteStore, tmp_path: Path):
    from arena.export import Order, export  # noqa: PLC0415

    crowd(store)
    export(store, tmp_path / "out", names=("raw_votes",), order=Order(is_forced=True), key=b"k" * 32)
    files = sorted((tmp_path / "out" / "raw_votes").glob("*.parquet"))
    rows = [row for file in files for _, row in table.rows_of(file)]
    path = tmp_path / "votes.jsonl"
    path.write_text("".join(json.dumps(each | {"winner": each["verdict"]}) + "\n" for each in rows), encoding="utf-8")
    words = {"A": A, "B": B, "tie": TIE, "both_bad": BAD}
    with open_votes(path, words=words) as votes:
        of_the_file = told(judgement_table.read(votes, labels=True))
    of_the_log = told(read(store))
    assert {name: each.figures for name, each in of_the_file.items()} == {
        name: each.figures for name, each in of_the_log.items()
    }
    assert agreement_printout.to_text(Report.of(read(store), CHANCE)).count("Krippendorff's alpha, ordinal") >= 5
    assert Kind.DIMENSION in {each.kind for each in of_the_log.values()}
