import numpy as np
import pytest

from ratings import to_score, to_strength


def test_odds_of_ten_to_one_are_400_points():
    assert to_score(np.log(10.0)) == pytest.approx(1400.0, abs=1e-9)


def test_odds_of_three_to_one_are_190_85_points():  # 400 * log10(3) = 190.8485
    assert to_score(np.log(3.0), mean=0.0) == pytest.approx(190.8485, abs=1e-4)


def test_strength_zero_is_the_mean():
    assert to_score(0.0) == 1000.0
    assert to_score(0.0, mean=1500.0) == 1500.0


def test_there_and_back_is_the_same_strength():
    strengths = np.array([-3.0, 0.0, 0.25, 12.0])
    assert to_strength(to_score(strengths, mean=1200.0), mean=1200.0) == pytest.approx(strengths, abs=1e-12)


def test_a_missing_strength_stays_missing():
    assert np.isnan(to_score(np.array([np.nan]))).all()
