"""Answers to one prompt in an order: a ranked list as pairs, and votes on pairs as a ranked list. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from arena.battle import Answer, AnswerId, Prompt, Source, Verdict, VoteId
from arena.preferences.example import Example, Opinion
from arena.preferences.judgement import pair_id


@dataclass(frozen=True, slots=True)
class Ranked:
    """An answer and its place: 1 is the best, and equal answers share a place."""

    answer: Answer
    rank: Fraction


def pairs_of(prompt: Prompt, ranking: Sequence[Ranked], *, vote_id: VoteId, source: Source) -> Iterator[Example]:
    """A ranked list of K answers as its K (K - 1) / 2 pairs, less those of one rank, with one list_id.

    Each weighs 1 / (number of pairs), so that a list weighs as much as a single pair.
    """
    pairs = [(one, other) for one, other in combinations(ranking, 2) if one.rank != other.rank]
    ids = sorted(each.answer.id for each in ranking)
    list_id = hashlib.sha256("\0".join((prompt.id, *ids)).encode()).hexdigest()[:32]
    for place, (one, other) in enumerate(pairs):
        a, b = sorted((one, other), key=lambda each: each.answer.id)
        verdict = Verdict.A if a.rank < b.rank else Verdict.B
        yield Example(
            id=pair_id(prompt.id, a.answer.id, b.answer.id),
            prompt=prompt,
            answer_a=a.answer,
            answer_b=b.answer,
            opinions=(Opinion(vote_id, verdict, source),),
            verdict=verdict,
            agreement=1.0,
            weight=1 / len(pairs),
            list_id=list_id,
            place=place,
        )


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
