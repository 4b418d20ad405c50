import numpy as np
import pytest
from scipy.stats import binom, chisquare, poisson

from ratings import InvalidComparisons
from ratings.multinomial import _REMAINDER, _SLOTS, Multinomial, _PoissonTables

# 2020 things in 303 categories: shared counts are drawn by table, the three others by numpy's Poisson numbers.
MIXED = np.array([3.0] * 200 + [10.0] * 100 + [300.0, 100.0, 20.0])


def drawn_from(counts, *, rounds=2000, seed=1):
    return Multinomial(counts).draw(rounds, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "counts",
    [
        MIXED,
        np.ones(300),
        np.append(MIXED, 12_000.0),
        np.array([3.0, 4.0]),
        np.full(9000, 2000.0),
        np.arange(1.0, 70.0),
    ],
    ids=["mixed", "one of each", "beyond what fits into a table", "few", "beyond what is listed", "none shared"],
)
def test_every_round_has_as_many_things_as_there_are(counts):
    drawn = drawn_from(counts, rounds=50)
    assert drawn.shape == (len(counts), 50)
    assert drawn.min() >= 0
    assert (drawn.sum(axis=0, dtype=np.int64) == counts.sum()).all()


def test_what_never_happened_is_never_drawn():
    multinomial = Multinomial(np.array([[0.0, 2.0], [5.0, 0.0]]))
    assert multinomial.categories.tolist() == [1, 2]
    assert multinomial.counts.tolist() == [2, 5]


@pytest.mark.parametrize(("kind", "count"), [(slice(0, 200), 3), (slice(200, 300), 10), (300, 300), (301, 100)])
def test_how_often_a_category_is_drawn_is_binomial(kind, count):
    # A category of a multinomial is Binomial(2020, count / 2020). Equal categories are pooled; they hardly depend on
    # each other (correlation -count / 2020), and the little makes the statistic smaller.
    drawn = drawn_from(MIXED)[kind].ravel()
    ends = np.unique(binom.ppf(np.linspace(0.02, 0.98, 15), 2020, count / 2020))
    places = np.searchsorted(ends, drawn)
    chances = np.diff(np.concatenate(([0.0], binom.cdf(ends, 2020, count / 2020), [1.0])))
    assert chisquare(np.bincount(places, minlength=len(chances)), chances * len(drawn)).pvalue > 0.001


def test_categories_take_from_each_other_as_in_a_multinomial():
    # For sums over disjoint sets of categories with shares p and q: var = n p (1 - p), cov = -n p q. With 20000 rounds
    # a variance is known to 1 %, a correlation to 0.7 %.
    drawn = drawn_from(MIXED, rounds=20_000)
    threes, tens, n = drawn[:200].sum(axis=0), drawn[200:300].sum(axis=0), 2020
    p, q = 600 / n, 1000 / n
    covariance = np.cov(threes, tens)
    assert covariance[0, 0] == pytest.approx(n * p * (1 - p), rel=0.04)
    assert covariance[1, 1] == pytest.approx(n * q * (1 - q), rel=0.04)
    assert covariance[0, 1] == pytest.approx(-n * p * q, rel=0.05)


@pytest.mark.parametrize("mean", [0.97, 2.9, 41.3, 999.0, 9_900.0])
def test_a_table_is_the_poisson_distribution_to_the_last_digits(mean):
    tables = _PoissonTables(np.array([5.5, mean]))
    slots = tables._slots[_SLOTS:]
    numbers = tables._numbers[tables._last[0] + 1 :]
    choice = np.diff(tables._chances[tables._last[0] + 1 :], prepend=1.0)
    copies = np.array([(slots == number).sum() for number in numbers])
    chances = (copies + (slots == _REMAINDER).sum() * choice) / _SLOTS
    assert chances == pytest.approx(poisson.pmf(numbers, mean), rel=1e-9, abs=1e-15)
    assert poisson.cdf(numbers[0] - 1, mean) + poisson.sf(numbers[-1], mean) < 1e-15


def test_a_remainder_is_drawn_from_its_own_table():
    drawn = _PoissonTables(np.array([1.0, 900.0])).draw(np.array([0, 1]), 100_000, np.random.default_rng(2))
    assert drawn[0].max() < 20
    assert drawn[1].min() > 700
    # mean and variance of a Poisson number are the same; 100000 of them give the variance to 0.45 %
    assert drawn[1].mean() == pytest.approx(900, abs=0.5)
    assert drawn[1].var() == pytest.approx(900, rel=0.02)


def test_half_a_thing_cannot_be_drawn():
    with pytest.raises(InvalidComparisons, match=r"is 1\.5"):
        Multinomial(np.array([1.0, 1.5]))


def test_of_nothing_nothing_is_drawn():
    assert drawn_from(np.empty(0), rounds=4).shape == (0, 4)
