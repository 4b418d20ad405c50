"""Pairs are drawn fairly, with the probability that is stored."""

import math
from collections import Counter
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import AnswerId, ModelId, PromptId, Verdict
from arena.errors import BadPack
from arena.pack import read_pack, write_example_pack
from arena.pairing import Candidate, Draw, Mode, PairVotes, Policy, Pool
from arena.rules import PairingRules

MODES: tuple[Mode, ...] = get_args(Mode)
M0, M1, M2, M3 = (ModelId(f"m{number}") for number in range(4))


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


def test_a_text_that_was_seen_with_one_name_is_not_blind_under_another():
    # On prompt p, m0 and m1 say the same; on q everybody says something else.
    texts = {("p", "m0"): "Six.", ("p", "m1"): "Six.", ("p", "m2"): "6", ("p", "m3"): "VI"}
    texts |= {("q", f"m{m}"): f"I am {m}" for m in range(4)}
    arena = Pool(candidate(prompt, model, text) for (prompt, model), text in texts.items())
    revealed = {PromptId("p"): {ModelId("m0")}}
    drawn = [arena.draw(revealed, Random(seed)) for seed in range(300)]
    on_p = {frozenset((draw.a.model_id, draw.b.model_id)) for draw in drawn if draw and draw.a.prompt_id == "p"}
    assert on_p == {frozenset(("m2", "m3"))}
    # The 6 pairs on q and the one that is left on p are alike; the side is drawn as well.
    assert [draw.probability for draw in drawn if draw] == pytest.approx([1 / 14] * 300)


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


# Draws that know of votes. What the module promises is computed once more here, pair by pair and in plain Python.

Votes = dict[tuple[ModelId, ModelId], Counter[Verdict]]
Cell = tuple[PromptId, ModelId, ModelId]


def weight(mode: Mode, votes: Counter[Verdict]) -> float:
    """Of a pair, with A for the first of its two models."""
    n = votes.total()
    if mode == "least-voted":
        return 1 / (n + 1)
    outcomes = [1.0, 0.0] + [1.0] * votes[Verdict.A] + [0.0] * votes[Verdict.B]
    outcomes += [0.5] * (votes[Verdict.TIE] + votes[Verdict.BOTH_BAD])
    mean = math.fsum(outcomes) / (n + 2)
    if mode == "close":
        return 4 * mean * (1 - mean)
    variance = math.fsum((outcome - mean) ** 2 for outcome in outcomes) / (n + 2)
    return math.sqrt(variance / (n + 2)) - math.sqrt(variance / (n + 3))


def expected(
    candidates: list[Candidate], revealed: dict[PromptId, set[ModelId]], policy: Policy, votes: Votes
) -> dict[Cell, float]:
    """The probability of everything that may be drawn, one order of the sides for both."""
    prompts: dict[tuple[ModelId, ModelId], list[PromptId]] = {}
    read = {(each.prompt_id, each.text_key) for each in candidates if each.model_id in revealed.get(each.prompt_id, ())}
    for one, other in combinations(sorted(candidates, key=lambda each: each.model_id), 2):
        is_pair = one.prompt_id == other.prompt_id and one.text_key != other.text_key
        if is_pair and not any((each.prompt_id, each.text_key) in read for each in (one, other)):
            prompts.setdefault((one.model_id, other.model_id), []).append(one.prompt_id)
    n_free = sum(map(len, prompts.values()))
    share = 1.0 if policy.mode == "uniform" else policy.uniform_share
    weights = {pair: weight(policy.mode, votes.get(pair, Counter())) for pair in prompts}
    total = math.fsum(weights.values())
    return {
        (prompt, *pair): 0.5 * (share / n_free + (1 - share) * weights[pair] / total / len(on))
        for pair, on in prompts.items()
        for prompt in on
    }


def cell(draw: Draw) -> Cell:
    first, second = sorted((draw.a.model_id, draw.b.model_id))
    return draw.a.prompt_id, first, second


# An arena with every trap: an answer that is missing, two equal ones, and one that this voter knows already.
UNEVEN = [
    candidate(f"p{p}", f"m{m}", "the same" if p == 1 and m < 2 else None)
    for p in range(4)
    for m in range(4)
    if (p, m) != (0, 3)
]
KNOWN = {PromptId("p2"): {M0}, PromptId("p3"): {M0, M1}}
VOTES: Votes = {
    (M0, M1): Counter({Verdict.A: 30, Verdict.B: 10, Verdict.TIE: 10}),
    (M0, M2): Counter({Verdict.B: 4}),
    (M1, M2): Counter({Verdict.TIE: 1, Verdict.BOTH_BAD: 1}),
    (M2, M3): Counter({Verdict.A: 1}),
}


def with_votes(candidates: list[Candidate], policy: Policy, votes: Votes) -> Pool:
    arena = Pool(candidates, policy)
    for (first, second), verdicts in votes.items():
        for verdict, n in verdicts.items():
            arena.count(first, second, verdict, n)
    return arena


@pytest.mark.parametrize("mode", MODES)
def test_the_probabilities_of_all_draws_sum_to_1_and_are_their_frequencies(mode: Mode):
    arena, rng = with_votes(UNEVEN, Policy(mode), VOTES), Random(11)
    drawn = [draw for _ in range(12_000) if (draw := arena.draw(KNOWN, rng))]
    sided = {(draw.a.prompt_id, draw.a.model_id, draw.b.model_id): draw.probability for draw in drawn}
    # Pairs: 3 of p0 (three answers), 5 of p1 (two are equal), 3 of p2 and 1 of p3 (three and two that are blind still);
    # each in two orders.
    assert len(sided) == 2 * (3 + 5 + 3 + 1)
    assert math.fsum(sided.values()) == pytest.approx(1, abs=1e-12)
    assert {draw.probability for draw in drawn} == set(sided.values())
    counts = Counter((draw.a.prompt_id, draw.a.model_id, draw.b.model_id) for draw in drawn)
    # 23 degrees of freedom: chi-square stays below 49.7 in 99.9 %.
    assert sum((counts[each] - len(drawn) * p) ** 2 / (len(drawn) * p) for each, p in sided.items()) < 49.7


@pytest.mark.parametrize("mode", MODES)
def test_the_probabilities_are_those_that_the_module_tells(mode: Mode):
    arena, rng = with_votes(UNEVEN, Policy(mode, uniform_share=0.25), VOTES), Random(2)
    told = expected(UNEVEN, KNOWN, Policy(mode, uniform_share=0.25), VOTES)
    drawn = {cell(draw): draw.probability for _ in range(2_000) if (draw := arena.draw(KNOWN, rng))}
    assert drawn == pytest.approx(told, rel=1e-12)


answers = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 5)), unique_by=lambda each: each[:2], max_size=20
)
known = st.dictionaries(
    st.integers(0, 4).map(lambda p: PromptId(f"p{p}")),
    st.sets(st.integers(0, 5).map(lambda m: ModelId(f"m{m}"))),
)
verdicts = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(list(Verdict))), max_size=30)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    answers=answers,
    known=known,
    verdicts=verdicts,
    mode=st.sampled_from(MODES),
    share=st.floats(0.01, 1),
    seed=st.integers(0, 2**32),
)
def test_a_draw_is_one_that_may_be_drawn_with_its_probability(
    *,
    answers: list[tuple[int, int, int]],
    known: dict[PromptId, set[ModelId]],
    verdicts: list[tuple[int, int, Verdict]],
    mode: Mode,
    share: float,
    seed: int,
):
    candidates = [candidate(f"p{p}", f"m{m}", f"text {text}") for p, m, text in answers]
    policy, votes = Policy(mode, share), {}
    arena = Pool(candidates, policy)
    for a, b, verdict in verdicts:
        arena.count(ModelId(f"m{a}"), ModelId(f"m{b}"), verdict)
        pair = ModelId(f"m{min(a, b)}"), ModelId(f"m{max(a, b)}")
        votes.setdefault(pair, Counter())[verdict if a <= b else verdict.swapped] += 1
    told = expected(candidates, known, policy, votes)
    draw = arena.draw(known, Random(seed))
    if draw is None:
        assert not told
    else:
        assert draw.a.prompt_id == draw.b.prompt_id
        assert draw.probability == pytest.approx(told[cell(draw)], rel=1e-12)


def test_three_pairs_with_0_and_1_and_3_votes_are_drawn_as_4_to_2_to_1():
    arena = Pool([candidate("p", f"m{m}") for m in range(3)], Policy("least-voted", uniform_share=0.1))
    arena.count(M0, M2, Verdict.TIE)
    arena.count(M2, M1, Verdict.BOTH_BAD, 3)
    rng = Random(1)
    drawn = {cell(draw)[1:]: draw.probability for _ in range(300) if (draw := arena.draw({}, rng))}
    # Weights 1, 1/2 and 1/4; a tenth of the draws is uniform over three; each order is half of it.
    shares = {(M0, M1): 4 / 7, (M0, M2): 2 / 7, (M1, M2): 1 / 7}
    assert drawn == pytest.approx({pair: 0.5 * (0.1 / 3 + 0.9 * share) for pair, share in shares.items()})


def test_a_pair_without_votes_has_the_uncertainty_that_the_docs_tell():
    [one] = set(PairVotes([M0, M1]).weights("uncertainty").ravel())
    assert one == pytest.approx(math.sqrt(1 / 8) - math.sqrt(1 / 12))


def test_a_win_and_a_tie_give_the_uncertainty_of_the_formula():
    votes = PairVotes([M0, M1])
    votes.add(M1, M0, Verdict.B)
    votes.add(M1, M0, Verdict.TIE)
    # With a win for each beside them, the outcomes are 1, 1, 0 and 1/2: mean 5/8, variance 9/16 - 25/64 = 11/64.
    told = math.sqrt(11 / 64 / 4) - math.sqrt(11 / 64 / 5)
    assert votes.weights("uncertainty")[[0, 1], [1, 0]] == pytest.approx([told, told])


def test_a_lopsided_pair_is_less_uncertain_than_an_even_one_with_as_many_votes():
    votes = PairVotes([M0, M1, M2])
    votes.add(M0, M1, Verdict.A, 100)
    votes.add(M0, M2, Verdict.A, 50)
    votes.add(M0, M2, Verdict.B, 50)
    weights = votes.weights("uncertainty")
    assert weights[1, 2] > weights[0, 2] > weights[0, 1] > 0


def test_the_mode_for_close_pairs_asks_for_an_even_pair_however_many_votes_it_has():
    votes = PairVotes([M0, M1, M2])
    votes.add(M0, M1, Verdict.TIE, 1000)
    votes.add(M0, M2, Verdict.A, 8)
    # With a win for each beside them: 501 of 1002 points, and 9 of 10, whose 4 p (1 - p) is 0.36; without votes, 1.
    weights = votes.weights("close")
    assert [weights[0, 1], weights[0, 2], weights[1, 2]] == pytest.approx([1, 0.36, 1])


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("mode", MODES)
def test_a_weight_stays_finite_and_above_0_after_a_billion_equal_verdicts(mode: Mode, verdict: Verdict):
    votes = PairVotes([M0, M1])
    votes.add(M0, M1, verdict, 10**9)
    assert 0 < votes.weights(mode)[0, 1] < math.inf


@pytest.mark.parametrize("mode", MODES)
def test_sides_do_not_matter_to_the_weights(mode: Mode):
    here, there = PairVotes([M0, M1, M2]), PairVotes([M0, M1, M2])
    for verdict in Verdict:
        here.add(M0, M1, verdict, 3)
        there.add(M1, M0, verdict.swapped, 3)
    assert (here.weights(mode) == there.weights(mode)).all()
    assert (here.weights(mode) == here.weights(mode).T).all()


def test_no_draw_falls_below_its_share_of_the_uniform_ones():
    # The rarest pair has a weight of 10^-9 beside the others: what is left to it is a tenth of 1/12.
    arena = with_votes(UNEVEN, Policy("least-voted"), {(M0, M1): Counter({Verdict.A: 10**9})})
    rng = Random(4)
    lowest = min(draw.probability for _ in range(3_000) if (draw := arena.draw(KNOWN, rng)))
    assert lowest == pytest.approx(0.5 * 0.1 / 12, rel=1e-6)


def test_a_model_that_is_not_served_may_have_votes():
    arena = Pool(UNEVEN, Policy("least-voted"))
    arena.count(M0, ModelId("retired"), Verdict.A)
    arena.count(ModelId("retired"), ModelId("gone"), Verdict.TIE)
    drawn = [arena.draw(KNOWN, Random(seed)) for seed in range(20)]
    assert drawn == [Pool(UNEVEN, Policy("least-voted")).draw(KNOWN, Random(seed)) for seed in range(20)]


def test_the_policy_that_is_stored_names_the_mode_and_its_settings():
    assert Policy().name == "uniform-over-blind-pairs"
    assert Policy("least-voted", uniform_share=0.2).name == "least-voted(uniform_share=0.2)"
    assert {
        draw.policy for seed in range(5) if (draw := Pool(UNEVEN, Policy("uncertainty")).draw({}, Random(seed)))
    } == {"uncertainty(uniform_share=0.1)"}


# In arena.toml


def arena_toml(tmp_path: Path, old: str, new: str) -> Path:
    folder = tmp_path / "pack"
    write_example_pack(folder)
    rules = (folder / "arena.toml").read_text(encoding="utf-8")
    assert rules.count(old) == 1
    (folder / "arena.toml").write_text(rules.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_can_be_set_in_the_pack_that_init_writes(tmp_path: Path, mode: Mode):
    folder = arena_toml(tmp_path, 'mode = "uniform"', f'mode = "{mode}"')
    assert read_pack(folder).rules.pairing == PairingRules(mode=mode, uniform_share=0.1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('mode = "uniform"', 'mode = "clever"', ["pairing.mode", "'clever'", *(f"'{mode}'" for mode in MODES)]),
        ("uniform_share = 0.1", "uniform_share = 0", ["pairing.uniform_share", "0.01"]),
        ("uniform_share = 0.1", "uniform_share = 1.5", ["pairing.uniform_share", "1.5", "less than or equal to 1"]),
        ("uniform_share = 0.1", "uniform_part = 0.1", ["'pairing.uniform_part'", "mode, uniform_share"]),
    ],
)
def test_a_pairing_that_does_not_exist_is_refused_with_what_is_accepted(
    tmp_path: Path, old: str, new: str, told: list[str]
):
    with pytest.raises(BadPack) as refusal:
        read_pack(arena_toml(tmp_path, old, new))
    [fault] = refusal.value.faults
    assert fault.file == "arena.toml"
    assert all(part in fault.message for part in told), fault.message
