"""Agreement of raters: every published example to its digits, what must hold of any data, and what is absent."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ratings import Absent, Interval, InvalidComparisons, InvalidSetting
from ratings.agreement import (
    NO_OVERLAP,
    ONE_CATEGORY,
    FleissKappa,
    GwetAC1,
    Kinds,
    KrippendorffAlpha,
    Level,
    Measure,
    PooledAgreement,
    RawAgreement,
    estimates,
    measured,
)
from ratings.two_raters import CohenKappa, SameShare, Weights, crossed, of_table, of_two

LEVELS = tuple(Level)


def read(*rows: str) -> Kinds:
    """Raters a row and items a column, as papers print them; a star is missing."""
    table = [row.split() if " " in row else list(row) for row in rows]
    words = sorted({word for row in table for word in row} - {"*"})
    counts = [[Counter(column)[word] for word in words] for column in zip(*table, strict=True)]
    return Kinds.of(np.array(counts))


def pairs_of(*rows: str) -> Kinds:
    """Two raters, as `read`."""
    first, second = (row.split() if " " in row else list(row) for row in rows)
    words = sorted({*first, *second})
    numbers = [np.array([words.index(word) for word in row]) for row in (first, second)]
    return of_two(*numbers, n_categories=len(words))


def counts_of(text: str) -> Kinds:
    return Kinds.of(np.array([[int(word) for word in row.split()] for row in text.split(";")]))


# ---- published examples ----

FOUR_OBSERVERS = read(  # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section D
    "1 2 3 3 2 1 4 1 2 * * *", "1 2 3 3 2 2 4 1 2 5 * 3", "* 3 3 3 2 3 4 2 2 5 1 *", "1 2 3 3 2 4 4 1 2 5 1 *"
)
THREE_CODERS = read(  # Wikipedia, "Krippendorff's alpha"
    "* * * * * 3 4 1 2 1 1 3 3 * 3", "1 * 2 1 3 3 4 3 * * * * * * *", "* * 2 1 3 4 4 * 2 1 1 3 3 * 4"
)


@pytest.mark.parametrize(
    ("kinds", "level", "printed"),
    [
        (FOUR_OBSERVERS, Level.NOMINAL, 0.743421),
        (FOUR_OBSERVERS, Level.ORDINAL, 0.815388),
        (FOUR_OBSERVERS, Level.INTERVAL, 0.849107),
        (FOUR_OBSERVERS, Level.RATIO, 0.797403),
        (THREE_CODERS, Level.NOMINAL, 0.691358),
        (THREE_CODERS, Level.ORDINAL, 0.806721),
        (THREE_CODERS, Level.INTERVAL, 0.810845),
        (read("0100000010", "1110010000"), Level.NOMINAL, 0.095238),  # Krippendorff (2011), section A
        (read("aabbdcccedda", "babbbccceddd"), Level.NOMINAL, 0.691964),  # the same, section B
    ],
)
def test_krippendorffs_alpha_is_as_printed(kinds: Kinds, level: Level, printed: float):
    assert measured(KrippendorffAlpha(level), kinds) == pytest.approx(printed, abs=5e-7)


PSYCHIATRISTS = Kinds.of(  # Fleiss (1971), table 1: 30 patients, 6 psychiatrists, 5 diagnoses
    np.array(
        [
            [int(digit) for digit in row]
            for row in (  # noqa: SIM905 - as the paper's table reads
                "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 "
                "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
            ).split()
        ]
    )
)
FOURTEEN_RATERS = counts_of(  # Wikipedia, "Fleiss' kappa"
    "0 0 0 0 14; 0 2 6 4 2; 0 0 3 5 6; 0 3 9 2 0; 2 2 8 1 1; 7 7 0 0 0; 3 2 6 3 0; 2 5 3 2 2; 6 5 2 1 0; 0 2 2 3 7"
)


@pytest.mark.parametrize(
    ("kinds", "measure", "printed"),
    [
        (FOURTEEN_RATERS, FleissKappa(), 0.209931),
        (FOURTEEN_RATERS, FleissKappa(is_free=True), 0.222527),  # Randolph's
        (PSYCHIATRISTS, FleissKappa(), 0.430245),
    ],
)
def test_fleiss_kappa_is_as_printed(kinds: Kinds, measure: Measure, printed: float):
    assert measured(measure, kinds) == pytest.approx(printed, abs=5e-7)


THREE_DIAGNOSES = [[88, 10, 2], [14, 40, 6], [18, 10, 12]]  # Cohen (1960; 1968)


@pytest.mark.parametrize(
    ("table", "measure", "printed"),
    [
        ([[20, 5], [10, 15]], CohenKappa(), 0.4),  # Wikipedia, "Cohen's kappa", as the next two
        ([[45, 15], [25, 15]], CohenKappa(), 0.1304),
        ([[25, 35], [5, 35]], CohenKappa(), 0.2593),
        (THREE_DIAGNOSES, CohenKappa(), 0.491525),
        (THREE_DIAGNOSES, CohenKappa(costs=((0, 1, 3), (1, 0, 6), (3, 6, 0))), 0.347826),
        (THREE_DIAGNOSES, CohenKappa(Weights.LINEAR), 0.473684),
        (THREE_DIAGNOSES, CohenKappa(Weights.QUADRATIC), 0.454545),
    ],
)
def test_cohens_kappa_is_as_printed(table: list[list[int]], measure: Measure, printed: float):
    digits = len(str(printed)) - 2
    assert round(float(measured(measure, of_table(np.array(table)))), max(digits, 4)) == printed  # type: ignore[arg-type]


def test_the_interval_of_cohens_kappa_is_near_the_printed_one():
    # Wikipedia gives .151 to .649 by the large-sample formula; percentiles over 50 items lie within .05 of these.
    found = estimates(
        {"kappa": CohenKappa()}, of_table(np.array([[20, 5], [10, 15]])), n_items=50, rng=np.random.default_rng(1)
    )
    interval = found["kappa"].interval
    assert isinstance(interval, Interval)
    assert (interval.low, interval.high) == pytest.approx((0.151, 0.649), abs=0.05)


def test_where_one_category_is_nearly_all_kappa_falls_and_ac1_does_not():
    table = np.array([[118, 5], [2, 0]])
    pairs = of_table(table)
    items = [[2, 0]] * 118 + [[1, 1]] * 7
    kinds = Kinds.of(np.array(items))
    assert measured(RawAgreement(), kinds) == pytest.approx(0.944, abs=5e-4)
    assert measured(SameShare(), pairs) == pytest.approx(0.944, abs=5e-4)
    assert measured(CohenKappa(), pairs) == pytest.approx(-0.0234, abs=5e-5)
    assert measured(GwetAC1(), kinds) == pytest.approx(0.9408, abs=5e-5)


# ---- what must hold of any data ----

MEASURES: dict[str, Measure] = {
    "raw": RawAgreement(),
    "pooled": PooledAgreement(),
    "fleiss": FleissKappa(),
    "ac1": GwetAC1(),
    **{level.value: KrippendorffAlpha(level) for level in LEVELS},
}
UNORDERED = ("raw", "pooled", "fleiss", "ac1", "nominal")

tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 3), min_size=k, max_size=k), min_size=1, max_size=12).map(np.array)
)


def same(a: float | Absent, b: float | Absent) -> bool:
    return a == b if isinstance(a, Absent) or isinstance(b, Absent) else a == pytest.approx(b, abs=1e-9)


@given(tables, st.integers(0, 99))
def test_the_order_of_items_changes_nothing(table: NDArray[np.int64], seed: int):
    turned = table[np.random.default_rng(seed).permutation(len(table))]
    for measure in MEASURES.values():
        assert same(measured(measure, Kinds.of(table)), measured(measure, Kinds.of(turned)))


@given(tables)
def test_other_names_for_the_categories_change_no_measure_of_names(table: NDArray[np.int64]):
    turned = table[:, ::-1]
    renamed = table[:, np.random.default_rng(1).permutation(table.shape[1])]
    for name, measure in MEASURES.items():
        if name in UNORDERED:
            assert same(measured(measure, Kinds.of(table)), measured(measure, Kinds.of(renamed)))
        elif name != "ratio":  # an order read backwards is the same order
            assert same(measured(measure, Kinds.of(table)), measured(measure, Kinds.of(turned)))


@given(tables)
def test_no_measure_is_above_one_and_every_absence_has_its_reason(table: NDArray[np.int64]):
    for measure in MEASURES.values():
        value = measured(measure, Kinds.of(table))
        if isinstance(value, Absent):
            assert value.reason
        else:
            assert np.isfinite(value)
            assert value <= 1 + 1e-9


@given(tables)
def test_raw_and_pooled_agreement_are_what_counting_every_pair_gives(table: NDArray[np.int64]):
    votes = [[k for k, n in enumerate(row) for _ in range(n)] for row in table.tolist()]
    said = [[a == b for a, b in itertools.combinations(each, 2)] for each in votes]
    told = [each for each in said if each]
    raw, pooled = measured(RawAgreement(), Kinds.of(table)), measured(PooledAgreement(), Kinds.of(table))
    if not told:
        assert raw == pooled == Absent(NO_OVERLAP)
        return
    assert raw == pytest.approx(np.mean([np.mean(each) for each in told]))
    assert pooled == pytest.approx(np.mean([each for row in told for each in row]))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30))
def test_two_raters_may_change_places_and_alpha_and_kappa_know_the_same_agreement(pairs: list[tuple[int, int]]):
    first, second = np.array(pairs).T
    for measure in (SameShare(), *(CohenKappa(weights) for weights in Weights)):
        one, other = of_two(first, second, n_categories=3), of_two(second, first, n_categories=3)
        assert same(measured(measure, one), measured(measure, other))
    kinds = Kinds.of(np.eye(3, dtype=int)[first] + np.eye(3, dtype=int)[second])
    assert same(measured(SameShare(), of_two(first, second, n_categories=3)), measured(RawAgreement(), kinds))
    # With two judgements an item, alpha = 1 - (1 - Fleiss' kappa) (N - 1) / N over the N judgements.
    fleiss, alpha = measured(FleissKappa(), kinds), measured(KrippendorffAlpha(), kinds)
    if not isinstance(fleiss, Absent):
        n = 2 * len(pairs)
        assert alpha == pytest.approx(1 - (1 - fleiss) * (n - 1) / n)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=20), st.integers(2, 4))
def test_raters_who_always_agree_have_one_unless_they_know_one_word_only(labels: list[int], n_raters: int):
    kinds = Kinds.of(np.eye(4, dtype=int)[np.array(labels)] * n_raters)
    expected = Absent(ONE_CATEGORY) if len(set(labels)) == 1 else 1
    for name, measure in MEASURES.items():
        assert same(measured(measure, kinds), 1 if name in ("raw", "pooled") else expected), name


@given(tables)
def test_an_interval_holds_numbers_and_has_a_width_or_a_reason(table: NDArray[np.int64]):
    kinds = Kinds.of(np.tile(table, (5, 1)))
    found = estimates(MEASURES, kinds, n_items=kinds.n_items, rounds=50, rng=np.random.default_rng(0))
    assert list(found) == list(MEASURES)
    for name, each in found.items():
        if isinstance(each.interval, Interval):
            assert each.interval.low < each.interval.high <= 1 + 1e-9
        else:
            assert each.interval.reason
        assert same(each.value, measured(MEASURES[name], kinds))


def test_intervals_depend_on_the_seed_alone_and_not_on_what_else_is_asked():
    def found(*names: str, seed: int = 5) -> object:
        asked = {name: MEASURES[name] for name in names}
        return estimates(asked, PSYCHIATRISTS, n_items=30, rng=np.random.default_rng(seed))["nominal"]

    assert found("nominal") == found("raw", "nominal", "ac1")
    assert found("nominal") != found("nominal", seed=6)


def test_the_interval_of_the_four_observers_holds_their_alpha():
    # evalica's bootstrap gives .572 to .850 for these 12 items.
    found = estimates({"alpha": KrippendorffAlpha()}, FOUR_OBSERVERS, n_items=11, rng=np.random.default_rng(42))[
        "alpha"
    ].interval
    assert isinstance(found, Interval)
    assert found.low < 0.743421 < found.high


# ---- what cannot be said ----


@pytest.mark.parametrize("name", MEASURES)
def test_without_two_judgements_on_one_item_there_is_nothing_to_say(name: str):
    for table in ([[1, 0], [0, 1]], [[0, 0]]):
        assert measured(MEASURES[name], Kinds.of(np.array(table))) == Absent(NO_OVERLAP)


def test_fleiss_kappa_needs_as_many_judgements_on_each_item():
    said = measured(FleissKappa(), Kinds.of(np.array([[2, 0], [1, 2], [1, 0]])))
    assert said == Absent("items have 2 to 3 judgements, and this measure needs the same number on each")


def test_ac1_says_one_where_other_categories_were_on_offer():
    kinds = Kinds.of(np.array([[2, 0], [3, 0]]))
    assert measured(GwetAC1(), kinds) == Absent(ONE_CATEGORY)
    assert measured(GwetAC1(n_categories=2), kinds) == 1


def test_cohens_kappa_of_one_word_or_of_nothing_is_absent():
    assert measured(CohenKappa(), of_table(np.array([[9, 0], [0, 0]]))) == Absent(ONE_CATEGORY)
    assert measured(CohenKappa(), of_table(np.zeros((2, 2), dtype=int))) == Absent(NO_OVERLAP)
    # Each keeps to one word, and not to the same: they never agree, as chance would have it.
    assert measured(CohenKappa(), of_table(np.array([[0, 9], [0, 0]]))) == 0


def test_few_items_have_no_interval_and_say_how_many_are_needed():
    found = estimates(MEASURES, counts_of("2 0; 1 1; 0 2"), n_items=3, rng=np.random.default_rng(0))["nominal"]
    assert found.interval == Absent("10 items judged by several are the fewest for an interval, and there are 3")


def test_a_count_below_zero_and_codes_that_do_not_ascend_are_refused():
    with pytest.raises(InvalidComparisons):
        Kinds.of(np.array([[1, -1]]))
    with pytest.raises(InvalidSetting):
        KrippendorffAlpha(Level.INTERVAL, codes=(1, 1))
    with pytest.raises(InvalidSetting):
        CohenKappa(costs=((1, 1), (1, 0)))


def test_one_rater_against_others_is_a_table_of_pairs():
    # The one says 0, the others 0, 0, 1; then 1, and the others 1: 3 of 4 pairs are the same.
    kinds = Kinds.of(crossed(np.array([0, 1]), np.array([[2, 1], [0, 1]])))
    assert measured(SameShare(), kinds) == pytest.approx(0.75)
    # po = 3/4, pe = (3/4)(2/4) + (1/4)(2/4) = 1/2
    assert measured(CohenKappa(), kinds) == pytest.approx(0.5)


def test_kinds_stand_for_the_items_that_they_were_made_of():
    rng = np.random.default_rng(2)
    for high in (3, 2**40):  # by one number a row, and row by row where that is too small
        table = rng.integers(1, high, size=(50, 4))
        kinds = Kinds.of(np.vstack([table, table]))
        assert (np.repeat(kinds.table, kinds.times, axis=0).sum(axis=0) == 2 * table.sum(axis=0)).all()
        assert kinds.times.sum() == 100
