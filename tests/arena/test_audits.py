"""The audits: what each finds in votes whose bias is known, and what it says where there is too little to tell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from arena.battle import ModelId
from arena.quality.audits import AUDITS, audit_votes
from arena.quality.contamination import KnownTexts
from arena.quality.figure import LEVEL, Audit, Figure, corrected, family, share
from arena.quality.report import summary, to_text
from arena.quality.sheet import BOTH_BAD, TIE, UNKNOWN, A, B, Sheet
from arena.quality.wording import TRAITS, Wording, opening
from biased import NOTHING, Planted, sheet
from ratings import false_discovery_rates

C = 0.95


def named(audit: Audit, name: str) -> Figure:
    return next(figure for figure in audit.figures if figure.name == name)


def asked(name: str, votes: Sheet) -> Audit:
    return corrected([AUDITS[name](votes, confidence=C)])[0]


def small(rows: Sequence[tuple[int, ...]], **columns: Sequence[float]) -> Sheet:
    """Votes as (model a, model b, verdict) that tell nothing else, unless it is given."""
    n = len(rows)
    a, b, verdict = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    unknown = dict.fromkeys(
        ("voter", "prompt", "answer_a", "answer_b", "moment", "wrote_prompt", "guideline", "gold"), [UNKNOWN] * n
    )
    given: dict[str, Any] = {name: np.array(values, dtype=np.int64) for name, values in (unknown | columns).items()}
    return Sheet(
        models=tuple(ModelId(f"m{number}") for number in range(int(max(a.max(), b.max())) + 1)),
        model_a=a,
        model_b=b,
        verdict=verdict,
        milliseconds=np.full(n, np.nan),
        voters=[f"v{number}" for number in range(int(given["voter"].max(initial=-1)) + 1)],
        prompts=[f"p{number}" for number in range(int(given["prompt"].max(initial=-1)) + 1)],
        **given,
    )


def test_sixty_of_a_hundred_for_side_a_are_the_published_figures():
    votes = small([(0, 1, A)] * 30 + [(1, 0, A)] * 30 + [(0, 1, B)] * 20 + [(1, 0, B)] * 20)
    figure = named(asked("position", votes), "won_by_a")
    assert (figure.value, figure.n) == (0.6, 100)
    assert figure.p_value == pytest.approx(0.056888, abs=5e-7)
    assert (round(figure.low or 0, 3), round(figure.high or 0, 3)) == (0.502, 0.691)


def test_two_halves_of_a_voter_are_the_published_chi_square():
    sides = [A] * 60 + [B] * 40 + [A] * 45 + [B] * 55
    votes = small([(k % 2, 1 - k % 2, side) for k, side in enumerate(sides)], voter=[0] * 200, moment=range(200))
    figure = named(asked("drift", votes), "half_side_a")
    assert figure.value == pytest.approx(-0.15)
    assert figure.p_value == pytest.approx(0.03367, abs=5e-6)


def test_thirty_of_forty_repeats_the_same_are_the_published_interval():
    """Forty pairs, judged again forty votes later; ten of them the other way."""
    pairs = [(0, 1, A)] * 40
    again = [(0, 1, A)] * 30 + [(0, 1, B)] * 10
    votes = small([*pairs, *again], voter=[0] * 80, prompt=[*range(40), *range(40)], moment=range(80))
    audit = asked("consistency", votes)
    figure = named(audit, "same_again")
    assert (figure.value, figure.n) == (0.75, 40)
    assert (round(figure.low or 0, 3), round(figure.high or 0, 3)) == (0.598, 0.858)
    # All first verdicts are the same, so that chance agrees as often as they do.
    assert named(audit, "kappa").value == pytest.approx(0)


def test_a_repeat_that_comes_too_soon_is_none():
    votes = small([(0, 1, A)] * 20, voter=[0] * 20, prompt=[k // 2 for k in range(20)], moment=range(20))
    assert named(asked("consistency", votes), "same_again").value is None


def test_a_turned_repeat_is_the_same_where_it_prefers_the_same_answer():
    """Of forty pairs judged both ways round: 16 the same answer, 18 side A twice, 6 side B twice."""
    kinds = [(A, B)] * 16 + [(A, A)] * 18 + [(B, B)] * 6
    first = [(0, 1, one) for one, _ in kinds]
    again = [(1, 0, other) for _, other in kinds]
    votes = small([*first, *again], voter=[0] * 80, prompt=[*range(40), *range(40)], moment=range(80))
    audit = asked("position", votes)
    shares = [named(audit, f"turned_{name}").value for name in ("consistent", "primacy", "recency")]
    assert shares == [16 / 40, 18 / 40, 6 / 40]
    flips = named(audit, "primacy_of_flips")
    # 18 of 24: twice the upper tail, by hand 2 * (C(24, 18) + ... + C(24, 24)) / 2^24.
    assert flips.p_value == pytest.approx(0.022656, abs=5e-7)
    assert named(asked("consistency", votes), "same_again").value == 16 / 40


@pytest.mark.parametrize(
    ("planted", "audit"),
    [
        (Planted(strong_on_a=0.62), "assignment"),
        (Planted(side=0.35), "position"),
        (Planted(lean=1.5), "position"),
        (Planted(length=0.4), "length"),
        (Planted(traits={"bold": 0.7}), "formatting"),
        (Planted(traits={"affirmative": 0.8}), "formatting"),
        (Planted(opener=0.9), "prefix"),
        (Planted(own_prompt=0.9), "sycophancy"),
        (Planted(late_side=0.9), "drift"),
    ],
)
def test_what_was_planted_is_found(planted: Planted, audit: str):
    found = {each.name: each for each in audit_votes(sheet(planted, n=2500, seed=11))}
    assert found[audit].speaks is True


def test_votes_without_bias_leave_nearly_every_look_silent():
    speaking = [[each.name for each in audit_votes(sheet(seed=seed, n=800)) if each.speaks] for seed in range(40)]
    # At a true rate of 5 %, more than six of forty happen once in a hundred times.
    assert sum(map(bool, speaking)) <= 6, speaking


def test_estimates_hold_what_was_planted_as_often_as_they_say():
    planted, seeds = Planted(side=0.3, length=0.3, traits={"bold": 0.4}), 40
    wanted = {("position", "advantage_of_a"): 0.3, ("length", "coefficient"): 0.3, ("formatting", "bold"): 0.4}
    inside = dict.fromkeys(wanted, 0)
    for seed in range(seeds):
        votes = sheet(planted, seed=100 + seed)
        for (audit, name), true in wanted.items():
            figure = named(AUDITS[audit](votes, confidence=C), name)
            assert figure.low is not None
            assert figure.high is not None
            inside[audit, name] += figure.low <= true <= figure.high
    # 95 % of forty are 38; 33 or fewer come about once in 250 times.
    assert min(inside.values()) >= 34, inside


def test_the_longer_answer_that_wins_by_being_better_is_no_bias():
    """Models that write more are better here: raw shares are far from a half, and the audit of length is silent."""
    votes = sheet(n=3000, seed=5)
    assert votes.wording is not None
    tokens = np.repeat(np.arange(8, 0, -1)[np.newaxis], 60, axis=0).ravel() * 40
    noise = np.random.default_rng(0).integers(0, 30, len(tokens))
    counts = votes.wording.counts.copy()
    counts[:, 0] = tokens + noise
    votes = replace(votes, wording=replace(votes.wording, counts=counts, characters=5 * counts[:, 0]))
    audit = asked("length", votes)
    assert named(audit, "longer_wins").p_value == pytest.approx(0, abs=1e-6)
    assert audit.speaks is False


def test_sides_that_were_drawn_once_a_pair_count_once_a_pair():
    """Twelve pairs of models with one side each, ten votes on every one: 12 draws, and not 120."""
    rows = [(0, 1, A) if prompt < 9 else (1, 0, A) for prompt in range(12) for _ in range(10)]
    votes = small(rows, prompt=[prompt for prompt in range(12) for _ in range(10)], voter=[*range(10)] * 12)
    assert votes.has_frozen_sides
    figure = named(asked("assignment", votes), "first_on_a")
    assert figure.value is None
    assert "12 pairs" in (figure.reason or "")


def test_of_few_voters_it_is_these_that_it_is_about():
    """The votes of one judge stand alone, so that its lean has an interval; those of six people stand by voter."""
    rng = np.random.default_rng(0)
    rows = [(k % 2, 1 - k % 2, A if rng.random() < 0.7 else B) for k in range(400)]
    judge = named(asked("position", small(rows, voter=[0] * 400)), "advantage_of_a")
    assert "by vote" in judge.method
    assert judge.speaks
    assert (
        "by voter" in named(asked("position", small(rows, voter=[k % 6 for k in range(400)])), "advantage_of_a").method
    )


def test_a_prompt_that_comes_far_too_often_is_named_with_a_cap():
    often = [0] * 300 + [1 + k // 10 for k in range(600)]
    votes = small([(0, 1, A)] * 900, prompt=often)
    audit = asked("prompts", votes)
    assert audit.speaks is True
    # Ten times the median prompt's ten votes: 300 - 100 of 900 are beyond.
    assert named(audit, "beyond_cap").value == pytest.approx(200 / 900)
    assert named(audit, "beyond_cap").listed == ({"prompt": "p0", "n": 300},)
    assert asked("prompts", small([(0, 1, A)] * 600, prompt=often[300:])).speaks is False


def test_one_loud_voter_is_heard_and_even_ones_are_not():
    votes = small([(0, 1, A)] * 200, voter=[0] * 100 + [1 + k // 5 for k in range(100)])
    audit = asked("concentration", votes)
    assert audit.speaks is True
    assert named(audit, "top_voter").value == 0.5
    assert asked("concentration", small([(0, 1, A)] * 200, voter=[k % 4 for k in range(200)])).speaks is False


LONG = "In a quiet town by the sea there lived an old clockmaker who never once was late for tea"


def test_a_known_prompt_is_known_whatever_its_case_signs_and_spaces():
    known = KnownTexts.of([LONG, "Why?"])
    assert known.holds(LONG.upper().replace(" ", "\n  ") + "!")
    assert known.holds("why")
    assert not known.holds("")
    assert not known.holds("Why not?")


def test_a_stretch_of_thirteen_words_is_found_inside_another_text():
    words = LONG.split()
    known = KnownTexts.of([LONG])
    assert known.share_of(" ".join(words[:13])) == 1.0
    # Thirteen known words and thirteen others: 14 stretches, of which the first alone is known.
    assert known.share_of(" ".join([*words[:13], *(f"other{k}" for k in range(13))])) == pytest.approx(1 / 14)
    assert known.share_of(" ".join(words[:12])) == 0.0


def test_prompts_that_stand_in_a_benchmark_are_listed_with_their_votes():
    votes = small([(0, 1, A)] * 4, prompt=[0, 0, 1, 2])
    votes = replace(votes, prompt_texts={0: "What is love?", 1: f"{LONG} and supper", 2: "Something else"})
    audit = audit_votes(votes, against=KnownTexts.of(["what is love", LONG]))[list(AUDITS).index("contamination")]
    assert audit.speaks is True
    assert named(audit, "known_exactly").listed == ({"prompt": "p0", "n": 2},)
    # 19 words and two: 9 stretches, of which 7 are known.
    assert named(audit, "known_nearly").listed == ({"prompt": "p1", "n": 1, "share": 0.777778},)


def test_what_is_held_back_must_not_be_in_train():
    votes = small([(0, 1, A)])
    place = list(AUDITS).index("contamination")
    torn = audit_votes(votes, splits={"train": ["a b", "c d"], "gold": ["A, B", "e f"]})[place]
    assert (torn.speaks, named(torn, "gold_in_train").value) == (True, 0.5)
    whole = audit_votes(votes, splits={"train": ["a b", "c d"], "gold": ["e f"]})[place]
    assert whole.speaks is False


@pytest.mark.parametrize("n", [1, 3, 29])
def test_of_few_votes_nothing_is_claimed_and_every_audit_has_its_reason(n: int):
    audits = audit_votes(small([(k % 2, 1 - k % 2, (A, B, TIE, BOTH_BAD)[k % 4]) for k in range(n)]))
    for audit in audits:
        assert not audit.speaks
        for figure in audit.figures:
            if figure.value is None:
                assert (figure.reason or "").startswith("not enough data: "), figure
            elif figure.low is None:
                assert figure.reason, figure
    assert to_text(audits, confidence=C)


def test_every_figure_has_its_interval_or_a_reason_and_a_method():
    for audit in audit_votes(sheet(n=2000, seed=3)):
        for figure in audit.figures:
            assert figure.method
            assert figure.label
            if figure.value is not None and figure.low is not None and figure.high is not None:
                assert figure.low <= figure.value <= figure.high
            else:
                assert figure.reason, figure


def test_the_order_of_votes_matters_only_by_their_times():
    votes = sheet(Planted(side=0.3), n=900, seed=4)
    order = np.random.default_rng(0).permutation(len(votes))
    columns = {
        name: value[order]
        for name in Sheet.__dataclass_fields__
        if isinstance(value := getattr(votes, name), np.ndarray) and len(value) == len(votes)
    }
    mixed = replace(votes, **columns)
    one, other = ([each.to_record() for each in audit_votes(each)] for each in (votes, mixed))
    for before, after in zip(one, other, strict=True):
        assert before["speaks"] == after["speaks"]
        for left, right in zip(before["figures"], after["figures"], strict=True):
            for name in ("value", "low", "high", "p_value"):
                assert left[name] == pytest.approx(right[name], abs=1e-5), (left["name"], name)


def test_audits_are_corrected_for_each_other():
    """Three audits with p-values of 0.02, 0.2 and 0.9: 0.02 * 3 = 0.06 is more than a twentieth."""

    def with_p(p: float) -> Audit:
        figure = replace(share("x", "x", 1, 2, confidence=C, floor=1), p_value=p, decides=True)
        return Audit("x", "?", (figure,), {True: "", False: "", None: ""})

    audits = corrected([with_p(p) for p in (0.02, 0.2, 0.9)])
    assert [each.q_value for each in audits] == pytest.approx([0.06, 0.3, 0.9])
    assert [each.speaks for each in audits] == [False, False, False]
    assert [each.speaks for each in corrected([with_p(0.016), with_p(0.2), with_p(0.9)])] == [True, False, False]


def test_a_family_lists_those_that_its_rates_list():
    p_values = [0.001, 0.5, 0.02, 0.03, 0.9]
    found = family("x", "x", [{"n": k} for k in range(5)], p_values, unit="voters", method="", floor="")
    rates = false_discovery_rates(p_values)
    assert found.value == (rates <= LEVEL).mean()
    assert [each["n"] for each in found.listed] == [0, 2, 3]
    assert found.p_value == rates.min()


def test_the_summary_is_plain_values_by_audit_and_figure():
    found = summary(audit_votes(sheet(NOTHING, n=300)))
    assert list(found) == list(AUDITS)
    figure = found["position"]["figures"]["won_by_a"]
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert figure["unit"] == "votes"


@pytest.mark.parametrize(
    ("text", "traits"),
    [
        ("Sure! Here is a **list**:\n- one\n- two", {"bold", "list", "affirmative", "exclamation"}),
        ("a != b, and ![picture](x.png)", {"link"}),
        ("# Title\nSee https://example.org 🎉", {"headers", "link", "emoji"}),
        ("```\nprint('hi!')\n```", {"code"}),
        ("当然,没问题", {"affirmative"}),
        ("Surely not. Yes, of course it is.", set()),
        ("Natürlich, gerne.", {"affirmative"}),
    ],
)
def test_the_traits_of_an_answer_are_those_that_stand_there(text: str, traits: set[str]):
    wording = Wording.of([text])
    told = {name for name, has in zip(TRAITS, wording.traits[0].tolist(), strict=True) if has}
    assert told - ({"exclamation"} if "code" in traits else set()) == traits


def test_an_opener_is_three_words_or_signs_in_small_letters():
    assert opening("I'm SORRY, but") == "i'm sorry ,"
    assert opening("### The answer") == "### the answer"
    assert opening("Two words") == ""
