"""The auditor, audited at length: how often it speaks of nothing, and how often it finds what is there.

The rates that this prints are those of docs/preference-data.md.
"""

from collections import Counter

import pytest

from arena.quality.audits import AUDITS, audit_votes
from biased import NOTHING, Planted, sheet

SEEDS = 400
C = 0.95

CLEAN = {
    "nothing, 1,500 votes": (NOTHING, 1500),
    "nothing, 300 votes": (NOTHING, 300),
    "nothing, 6,000 votes": (NOTHING, 6000),
    "answers better or worse than their models": (Planted(answers=0.8), 3000),
}

BIASED = {
    "sides not drawn fairly, 60 : 40": (Planted(strong_on_a=0.6), "assignment"),
    "side A worth 0.3 logits": (Planted(side=0.3), "position"),
    "voters lean either way, 1 logit": (Planted(lean=1.0), "position"),
    "length worth 0.3 logits": (Planted(length=0.3), "length"),
    "bold worth 0.5 logits": (Planted(traits={"bold": 0.5}), "formatting"),
    "an opener worth 0.7 logits": (Planted(opener=0.7), "prefix"),
    "own prompts: side A worth 0.6 logits": (Planted(own_prompt=0.6), "sycophancy"),
    "second halves: side A worth 0.6 logits": (Planted(late_side=0.6), "drift"),
}


@pytest.mark.proof
@pytest.mark.parametrize("kind", CLEAN)
def test_without_bias_one_look_of_twenty_speaks_at_most(kind: str):
    planted, n = CLEAN[kind]
    looks: Counter[str] = Counter()
    for seed in range(SEEDS):
        speaking = [each.name for each in audit_votes(sheet(planted, n=n, seed=seed)) if each.speaks]
        looks.update(speaking)
        looks["any"] += bool(speaking)
    print(kind, {name: f"{times / SEEDS:.3f}" for name, times in looks.items()})  # noqa: T201
    # Three standard errors of 5 % over 400 seeds.
    assert looks["any"] / SEEDS <= 0.05 + 3 * (0.05 * 0.95 / SEEDS) ** 0.5


@pytest.mark.proof
@pytest.mark.parametrize("kind", BIASED)
def test_what_is_there_is_found(kind: str):
    planted, audit = BIASED[kind]
    found: Counter[str] = Counter()
    for seed in range(SEEDS // 2):
        found.update(each.name for each in audit_votes(sheet(planted, n=3000, seed=1000 + seed)) if each.speaks)
    print(kind, {name: f"{times / (SEEDS // 2):.3f}" for name, times in found.items()})  # noqa: T201
    assert found[audit] / (SEEDS // 2) >= 0.8


@pytest.mark.proof
@pytest.mark.parametrize("answers", [0.0, 0.8])
def test_intervals_hold_what_was_planted_in_nineteen_seeds_of_twenty(answers: float):
    planted = Planted(side=0.3, length=0.3, traits={"bold": 0.4, "affirmative": 0.2})
    wanted = {
        ("position", "advantage_of_a"): 0.3,
        ("length", "coefficient"): 0.3,
        ("formatting", "bold"): 0.4,
        ("formatting", "affirmative"): 0.2,
    }
    # What hides in answers and prompts draws every coefficient towards nothing (a logit of a mean is less than the
    # mean of logits), so that it is no longer the one that was planted: then only what is 0 can be held.
    if answers:
        planted, wanted = Planted(answers=answers), dict.fromkeys(wanted, 0.0)
    inside: Counter[tuple[str, str]] = Counter()
    for seed in range(SEEDS):
        votes = sheet(planted, n=2000, seed=5000 + seed)
        figures = {
            (audit, figure.name): figure
            for audit in ("position", "length", "formatting")
            for figure in AUDITS[audit](votes, confidence=C).figures
        }
        for key, true in wanted.items():
            low, high = figures[key].low, figures[key].high
            assert low is not None
            assert high is not None
            inside[key] += low <= true <= high
    print(f"answers {answers}", {name: f"{times / SEEDS:.3f}" for (_, name), times in inside.items()})  # noqa: T201
    # Three standard errors below 95 %; by prompt and by voter the wider one counts, so that there may be more.
    assert min(inside.values()) / SEEDS >= 0.95 - 3 * (0.05 * 0.95 / SEEDS) ** 0.5
