"""Pairs are drawn fairly, with the probability that is stored."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from arena.battle import AnswerId, ModelId, PromptId
from arena.pairing import Candidate, Draw, Pool


def candidate(prompt: str, model: str, text: str | None = None) -> Candidate:
    return Candidate(PromptId(prompt), ModelId(model), AnswerId(f"{prompt}/{model}"), text or f"{prompt} {model}")


def pool(n_prompts: int = 3, n_models: int = 4) -> Pool:
    return Pool(candidate(f"p{p}", f"m{m}") for p in range(n_prompts) for m in range(n_models))


def chi_square(counts: Counter[Any], n_cells: int) -> float:
    expected = sum(counts.values()) / n_cells
    return sum((counts[cell] - expected) ** 2 / expected for cell in counts) + (n_cells - len(counts)) * expected


def test_every_pair_on_every_side_is_drawn_equally_often_and_its_probability_says_so():
    # 3 prompts * 6 pairs * 2 orders = 36 cells; chi-square with 35 degrees of freedom stays below 66.6 in 99.9 %.
    drawn = [pool().draw({}, Random(seed)) for seed in range(7200)]
    assert {draw.probability for draw in drawn if draw} == {1 / 36}
    cells = Counter((draw.a.prompt_id, draw.a.model_id, draw.b.model_id) for draw in drawn if draw)
    assert len(cells) == 36
    assert chi_square(cells, 36) < 66.6


def reveal(draw: Draw, revealed: dict[PromptId, set[ModelId]]) -> None:
    revealed.setdefault(draw.a.prompt_id, set()).update((draw.a.model_id, draw.b.model_id))


def test_a_voter_judges_each_answer_once_and_then_none():
    # 3 prompts with 4 answers: 6 pairs a prompt while all are blind, 1 when two are left, none after that.
    arena, rng, revealed = pool(), Random(1), {}
    n_drawn = 0
    while (draw := arena.draw(revealed, rng)) is not None:
        known = [len(revealed.get(PromptId(f"p{p}"), ())) for p in range(3)]
        n_free = sum({0: 6, 2: 1, 4: 0}[n] for n in known)
        assert draw.probability == pytest.approx(0.5 / n_free)
        assert not {draw.a.model_id, draw.b.model_id} & revealed.get(draw.a.prompt_id, set())
        reveal(draw, revealed)
        n_drawn += 1
    assert n_drawn == 6


def test_what_is_left_is_drawn_uniformly_when_almost_everything_was_seen():
    # Of 18 pairs one is free: 1/18 is below the share from which drawing pays, so the free ones are listed.
    models = {ModelId(f"m{m}") for m in range(4)}
    revealed = {PromptId("p0"): models, PromptId("p1"): models - {ModelId("m0"), ModelId("m3")}, PromptId("p2"): models}
    for seed in range(20):
        draw = pool().draw(revealed, Random(seed))
        assert draw is not None
        assert (draw.a.prompt_id, {draw.a.model_id, draw.b.model_id}) == ("p1", {"m0", "m3"})
        assert draw.probability == 0.5


def test_equal_texts_never_meet():
    same = [candidate("p", "a", "x"), candidate("p", "b", "x"), candidate("p", "c", "y")]
    arena = Pool(same)
    assert arena.n_pairs == 2  # a-c and b-c
    for seed in range(50):
        draw = arena.draw({}, Random(seed))
        assert draw is not None
        assert "c" in {draw.a.model_id, draw.b.model_id}
        assert draw.probability == 0.25


def test_an_arena_without_two_texts_to_one_prompt_has_nothing_to_draw():
    lonely = [candidate("p", "a"), candidate("q", "b"), candidate("r", "a", "x"), candidate("r", "b", "x")]
    assert Pool(lonely).draw({}, Random(0)) is None
    assert Pool(()).draw({}, Random(0)) is None


def test_answers_seen_elsewhere_do_not_change_the_probability():
    # A retired model or a deleted prompt may be among what a voter saw; it is not in the pool and takes nothing away.
    draw = pool().draw({PromptId("gone"): {ModelId("m0")}, PromptId("p0"): {ModelId("retired")}}, Random(3))
    assert draw is not None
    assert draw.probability == 1 / 36


def test_two_answers_of_one_model_to_one_prompt_are_refused():
    with pytest.raises(ValueError, match="two answers by 'a' to 'p'"):
        Pool([candidate("p", "a"), candidate("p", "a", "other")])


def test_the_order_of_candidates_does_not_matter():
    forward = [candidate(f"p{p}", f"m{m}") for p in range(3) for m in range(4)]
    assert Pool(forward).draw({}, Random(5)) == Pool(reversed(forward)).draw({}, Random(5))
