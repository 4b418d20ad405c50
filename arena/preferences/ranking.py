"""Votes on pairs of answers to one prompt as a ranked list. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from arena.battle import Answer, AnswerId, Verdict
from arena.preferences.example import Example


@dataclass(frozen=True, slots=True)
class Ranked:
    """An answer and its place: 1 is the best, and equal answers share a place."""

    answer: Answer
    rank: Fraction


def ranked(examples: Sequence[Example]) -> list[Ranked]:
    """The answers of some pairs on one prompt, the best first, by the mean share of a pair that each has won.

    This is a Borda count over the pairs that were judged: a pair counts as much as another one, however many votes it
    has; a tie is half a win for both, and votes that both are bad are passed over. Answers with the same share have the
    same rank, the mean of their places. Answers that stand in no pair with such a vote have none.
    """
    shares: defaultdict[AnswerId, list[Fraction]] = defaultdict(list)
    answers: dict[AnswerId, Answer] = {}
    for example in examples:
        n_a, n_b, n_tie = (example.n(verdict) for verdict in (Verdict.A, Verdict.B, Verdict.TIE))
        n = n_a + n_b + n_tie
        if not n:
            continue
        share = Fraction(2 * n_a + n_tie, 2 * n)
        for answer, won in ((example.answer_a, share), (example.answer_b, 1 - share)):
            answers[answer.id] = answer
            shares[answer.id].append(won)
    mean = {each: sum(won, Fraction(0)) / len(won) for each, won in shares.items()}
    order = sorted(answers, key=lambda each: (-mean[each], each))
    places = defaultdict[Fraction, list[int]](list)
    for place, each in enumerate(order, 1):
        places[mean[each]].append(place)
    return [Ranked(answers[each], Fraction(sum(at := places[mean[each]]), len(at))) for each in order]
