"""Simulated riggers among honest voters with tastes: who is found and who is not; more in `benchmarks/rigging.py`."""

import importlib.util
from types import ModuleType

import numpy as np
import pytest

from ground import ROOT
from ratings import audit_voters
from ratings.errors import InvalidSetting


@pytest.fixture(scope="module")
def rigging() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rigging", ROOT / "benchmarks" / "rigging.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_rigger_with_500_votes_in_100_thousand_is_found_and_honest_voters_are_not(rigging: ModuleType):
    arena = rigging.Arena(np.random.default_rng(0))
    votes = arena.votes.and_also(arena.rigged("always the target"))
    found = set().union(*rigging.flagged(votes).values())
    assert found == {rigging.N_VOTERS}


@pytest.mark.proof
def test_over_ten_arenas_riggers_are_found_as_often_as_the_docs_say(rigging: ModuleType):
    """The table in docs/review.md has 100 arenas; sure riggers are found in every one, and of 2,000 honest voters fewer
    than one a run is flagged."""
    runs = [rigging.one_run(1000 + run) for run in range(10)]
    for style in ("always the target", "never the rival", "always side A", "a bot, by chance, at once"):
        assert np.mean([run[style].found for run in runs]) == 1.0, style
    assert np.mean([run["ten accounts"].found for run in runs]) < 0.1, "the docs say that these are not found"
    for style in ("nobody", *rigging.STYLES):
        assert np.mean([run[style].honest for run in runs]) < 1, style


def test_without_tolerance_honest_tastes_are_flagged_and_with_it_they_are_not():
    """One voter of 60 likes item 0 by 0.6 logits: even chances become 0.646. In 4,000 votes that is no chance any more,
    and within a tolerance of ln 2 = 0.693 all the same."""
    rng = np.random.default_rng(3)
    n_others, n_own = 60_000, 4_000
    voter = np.concatenate((rng.integers(1, 60, n_others), np.zeros(n_own, dtype=np.int64)))
    a = rng.integers(0, 2, n_others + n_own)
    wins_0 = rng.random(n_others + n_own) < np.where(voter == 0, 1 / (1 + np.exp(-0.6)), 0.5)
    outcome = np.where(wins_0 == (a == 0), 0, 1)
    strict = audit_voters(2, voter, a, 1 - a, outcome)
    tolerant = audit_voters(2, voter, a, 1 - a, outcome, tolerance=np.log(2))
    assert [each.voter for each in strict if each.flagged] == [0]
    assert not any(each.flagged for each in tolerant)
    assert tolerant[0].n_on_item == n_own
    assert tolerant[0].won == max(wins_0[voter == 0].sum(), n_own - wins_0[voter == 0].sum())


@pytest.mark.parametrize("tolerance", [-0.1, float("inf"), float("nan")])
def test_a_tolerance_is_a_number_from_0_on(tolerance: float):
    with pytest.raises(InvalidSetting):
        audit_voters(2, [0], [0], [1], [0], tolerance=tolerance)
