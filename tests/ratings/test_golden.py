"""Numbers of other programs: computed once, or by choix as the tests run."""

import csv

import choix
import numpy as np
import pytest

from comparison_data import draw_comparisons
from ground import LLMFAO, skip_or_fail
from ratings import Comparisons, Davidson, Outcome, fit, fit_bradley_terry, rateable_groups, sandwich, to_score

A, B, TIE, _ = Outcome


def eight_items() -> Comparisons:
    """240 rows by a rule that anybody can repeat: 91 wins of side A, 101 of side B, 48 ties."""
    k = np.arange(240)
    a = k % 8
    b = (a + 1 + k // 8 % 7) % 8
    s = (37 * k + 11 * a - 5 * b) % 100
    how = np.where(s % 5 == 0, TIE, np.where(s < 50 + 7 * (a - b), A, B))
    return Comparisons.from_outcomes(8, a, b, how, clusters=k * 7 // 3 % 31)


# evalica 0.4.2: log of bradley_terry(xs, ys, winners, tolerance=1e-14, limit=100000).scores, minus their mean.
EVALICA = [
    -0.7866693364713809,
    -0.45647393202634434,
    -0.663433130543852,
    0.08458143871960454,
    0.16231414672388292,
    0.2475171767145384,
    0.5560878099468082,
    0.8560758269367432,
]

# evalica 0.4.2: log of newman(xs, ys, winners, tolerance=1e-14, limit=100000).scores, minus their mean, and its v. This
# is Davidson's model with nu = 2 v.
EVALICA_NEWMAN = [
    -1.0212497897186503,
    -0.5913278462361233,
    -0.8601514114616502,
    0.10945530117902022,
    0.21016114275680206,
    0.32058250471828204,
    0.7207046522921681,
    1.1118254464701514,
]
EVALICA_V = 0.2833904809853981

# arena-rank 0.1.1 with jax 0.8.1 in 64 bits: BradleyTerry(n_competitors=8, hessian_reg=1e-8, ftol=1e-16, gtol=1e-14),
# ratings and sandwich variances (White's, without leaving out) in points, of the gauge in which ratings have one mean.
ARENA_RANK = [
    863.3415392368838,
    920.7023560719656,
    884.7498609144366,
    1014.69330084608,
    1028.1968553072918,
    1042.9981376077064,
    1096.6023469255695,
    1148.7156030900665,
]
ARENA_RANK_VARIANCES = [
    1356.9817009921578,
    1454.9486579906154,
    1358.8674411275063,
    1376.3656321827941,
    1350.771688099299,
    1280.3180400295817,
    1374.4817254538318,
    1418.9541968242718,
]


def test_strengths_equal_evalicas():
    assert fit(eight_items()).strengths == pytest.approx(np.array(EVALICA), abs=1e-10)


def test_davidsons_model_equals_evalicas_newman():
    found = fit(eight_items(), Davidson())
    assert found.strengths == pytest.approx(np.array(EVALICA_NEWMAN), abs=1e-10)
    assert np.exp(found.extras) / 2 == pytest.approx([EVALICA_V], abs=1e-10)


def test_scores_equal_arena_ranks_and_intervals_are_wider_by_what_leaving_out_adds():
    comparisons = eight_items()
    found = fit(comparisons)
    assert to_score(found.strengths) == pytest.approx(np.array(ARENA_RANK), abs=1e-4)
    errors = sandwich(comparisons, found, gauge=np.full(8, 1 / 8)).standard_errors * (to_score(1.0) - to_score(0.0))
    # 7 parameters, 240 votes: 7/240 = 2.9 % is what a leave-one-out standard error adds to White's, on average.
    ratio = errors / np.sqrt(ARENA_RANK_VARIANCES)
    assert ratio == pytest.approx(np.full(8, 1.029), abs=0.003)


def assert_choix_agrees(comparisons: Comparisons) -> None:
    """To 0.01 points, which both reach by far."""
    by_spectrum = choix.ilsr_pairwise_dense(comparisons.wins_matrix(), alpha=0.0, max_iter=1000, tol=1e-12)
    strengths = fit_bradley_terry(comparisons).strengths
    assert np.abs(to_score(strengths) - to_score(by_spectrum - by_spectrum.mean())).max() < 1e-3


@pytest.mark.parametrize("n_items", [5, 40, 150])
def test_choix_finds_the_same_scores(n_items):
    rng = np.random.default_rng(n_items)
    assert_choix_agrees(draw_comparisons(rng.normal(0, 1, n_items), 80 * n_items, rng, tie_share=0.3))


def test_choix_finds_the_same_scores_of_people_who_compared_59_models():
    file = LLMFAO / "crowd-comparisons.csv"
    if not file.exists():
        skip_or_fail("LLMFAO", f"{file} is missing")
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    models = sorted({row[side] for row in rows for side in ("model_x", "model_y")}, key=int)
    place = {model: number for number, model in enumerate(models)}
    worker = {name: number for number, name in enumerate(sorted({row["worker"] for row in rows}))}
    comparisons = Comparisons.from_outcomes(
        len(models),
        [place[row["model_x"]] for row in rows],
        [place[row["model_y"]] for row in rows],
        [{"left": A, "right": B, "tie": TIE}[row["winner"]] for row in rows],
        clusters=[worker[row["worker"]] for row in rows],
    )
    assert (comparisons.n_items, comparisons.n_comparisons, comparisons.n_clusters) == (59, 8931, 124)
    core = rateable_groups(comparisons)[0]
    assert len(core) >= 58
    assert_choix_agrees(comparisons.restricted_to(core))
