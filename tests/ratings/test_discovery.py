import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from comparison_data import property_test
from ratings.discovery import false_discovery_rates
from ratings.errors import InvalidSetting

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


def test_a_later_test_lends_its_rate_to_those_before():
    # Ascending: 0.01 * 4 / 1 = 0.04; 0.03 * 4 / 2 = 0.06, but the next has 0.04 * 4 / 3 = 0.0533, and takes that; 0.9.
    assert false_discovery_rates([0.9, 0.01, 0.04, 0.03]) == pytest.approx([0.9, 0.04, 0.16 / 3, 0.16 / 3])


def test_one_test_alone_needs_no_correction():
    assert false_discovery_rates([0.03]).tolist() == [0.03]


@property_test
@given(P_VALUES)
def test_rates_are_never_below_the_p_value_and_keep_its_order(p_values: list[float]):
    rates = false_discovery_rates(p_values)
    assert ((rates >= p_values) & (rates <= 1)).all()
    assert (np.diff(rates[np.argsort(p_values)]) >= 0).all()


@property_test
@given(P_VALUES)
def test_scipy_finds_the_same(p_values: list[float]):
    if p_values:
        assert false_discovery_rates(p_values) == pytest.approx(false_discovery_control(p_values))


def test_among_false_hypotheses_and_true_ones_few_true_ones_are_listed():
    # 50 of 200 p-values are small, as those of a clear effect are, the others uniform: the rate is 3/4 of 0.05. Over
    # 200 sets of some 50 listed the mean of the share has a standard error of about 0.03 / sqrt(200) = 0.002.
    rng, shares = np.random.default_rng(0), []
    for _ in range(200):
        from_effect = 10.0 ** -rng.uniform(3, 6, 50)
        listed = false_discovery_rates(np.concatenate((from_effect, rng.random(150)))) <= 0.05
        shares.append(listed[50:].sum() / max(listed.sum(), 1))
    assert np.mean(shares) == pytest.approx(0.75 * 0.05, abs=0.008)


def test_no_tests_have_no_rates():
    assert false_discovery_rates([]).shape == (0,)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_chance_is_refused(value: float):
    with pytest.raises(InvalidSetting, match="p-value"):
        false_discovery_rates([0.5, value])
