import numpy as np
import pytest

from comparison_data import dense_jacobian, mixed_rows
from ratings.design import Design

SHAPES = [(True, 0, 0), (True, 0, 1), (True, 2, 0), (True, 2, 1), (True, 1, 2), (False, 0, 0), (False, 0, 1)]


@pytest.fixture(params=SHAPES, ids=lambda s: f"{'difference' if s[0] else 'both'}-{s[1]}-covariates-{s[2]}-extras")
def pair(request):
    """A design, the same written out, and a generator."""
    is_difference, n_covariates, n_extras = request.param
    rng = np.random.default_rng(sum(request.param))
    comparisons = mixed_rows(6, 50, rng, n_covariates=n_covariates)
    design = Design(comparisons, is_difference, n_extras)
    return design, dense_jacobian(comparisons, is_difference=is_difference, n_extras=n_extras), rng


def symmetric(rng, n, *rest):
    half = rng.normal(0, 1, (n, n, *rest))
    return half + half.swapaxes(0, 1)


def test_predictors_are_the_jacobian_times_the_parameters(pair):
    design, jacobian, rng = pair
    parameters = rng.normal(0, 1, design.n_parameters)
    assert design.n_parameters == jacobian.shape[2]
    assert design.predictors(parameters) == pytest.approx((jacobian @ parameters).T, abs=1e-12)


def test_push_takes_for_each_row_its_own_vector(pair):
    design, jacobian, rng = pair
    vectors = rng.normal(0, 1, (4, design.n_parameters))
    which = rng.integers(0, 4, len(jacobian))
    naive = np.stack([matrix @ vectors[k] for matrix, k in zip(jacobian, which, strict=True)], axis=1)
    assert design.push(vectors, which) == pytest.approx(naive, abs=1e-12)


def test_pull_is_the_transpose(pair):
    design, jacobian, rng = pair
    slopes = rng.normal(0, 1, (jacobian.shape[1], len(jacobian)))
    assert design.pull(slopes) == pytest.approx(np.einsum("nip,in->p", jacobian, slopes), abs=1e-12)


def test_pull_by_adds_up_each_group_apart_also_one_without_rows(pair):
    design, jacobian, rng = pair
    slopes = rng.normal(0, 1, (jacobian.shape[1], len(jacobian)))
    which = rng.integers(0, 4, len(jacobian))
    naive = np.zeros((5, design.n_parameters))
    for row, group in enumerate(which):
        naive[group] += jacobian[row].T @ slopes[:, row]
    assert design.pull_by(slopes, which, 5) == pytest.approx(naive, abs=1e-12)


def test_the_information_is_j_c_j(pair):
    design, jacobian, rng = pair
    curvature = symmetric(rng, jacobian.shape[1], len(jacobian))
    naive = np.einsum("nip,ijn,njq->pq", jacobian, curvature, jacobian)
    assert design.information(curvature) == pytest.approx(naive, abs=1e-11)


def test_the_spread_of_a_row_is_j_v_j(pair):
    design, jacobian, rng = pair
    covariance = symmetric(rng, design.n_parameters)
    naive = np.einsum("nip,pq,njq->ijn", jacobian, covariance, jacobian)
    assert design.spread(covariance) == pytest.approx(naive, abs=1e-11)


def test_no_rows_are_fine():
    design = Design(mixed_rows(3, 0, np.random.default_rng(0)), True, 1)
    assert design.predictors(np.ones(4)).shape == (2, 0)
    assert design.information(np.zeros((2, 2, 0))).tolist() == np.zeros((4, 4)).tolist()
