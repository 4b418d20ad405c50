"""Voters whose votes go against the grain of everybody else's: a list for review, from which nothing is dropped."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.comparisons import Comparisons, Outcome
from ratings.errors import InvalidComparisons, InvalidSetting
from ratings.interval import check_confidence

MIN_VOTES = 5
"""A voter is not judged on an item by fewer votes."""

LOOKS = 5
"""How often a voter's votes on an item are looked at: once at the end, and before that at random."""

LEAST_P = 0.01
"""No single vote counts as rarer than one in a hundred, so that none can flag a voter alone."""

_Whole = NDArray[np.int64]
_Real = NDArray[np.float64]


@dataclass(frozen=True)
class VoterAudit:
    """What the votes of others say about the votes of one voter.

    `p_value` is the chance of votes as extreme as these if the voter judged as the others do, corrected for every test
    and every look at this voter; it is 1 for a voter who is not judged, for want of votes. `q_value` corrects it for
    the number of voters: among all with q_value <= 0.1, about one in ten would be there by chance. `flagged` is
    p_value <= 1 - confidence.

    `item` is the one with the least p-value, `favours` whether it was favoured or disfavoured, both None for a voter
    not judged. `reason` is a sentence.
    """

    voter: int
    n_votes: int
    p_value: float
    q_value: float
    flagged: bool
    item: int | None
    favours: bool | None
    reason: str


def audit_voters(
    n_items: int,
    voter: ArrayLike,
    item_a: ArrayLike,
    item_b: ArrayLike,
    outcome: ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    looks: int = LOOKS,
    min_votes: int = MIN_VOTES,
) -> list[VoterAudit]:
    """Compare each voter's votes with the votes of others on the same pairs; one record per voter, sorted by voter.

    Columns of equal length, one row a vote: voters and items are whole numbers, `outcome` is Outcome.A, B or TIE (or
    their codes); votes that both are bad want merging with ties or leaving out first. A voter who judges as the others
    do is flagged with chance at most 1 - confidence.

    Each vote gets a p-value by its place among the votes of all other voters on the pair, earlier and later, and the
    voter's own earlier ones: p = (better + u * (1 + equal)) / (n + 1), where better and equal count votes that favour
    the item more, or as much, and u is uniform. If the voter judges as the others do, these p-values are uniform
    whatever the share of ties, and independent: this is why the voter's own earlier votes are in. Without them,
    several votes on a pair with few others would all be held against the same few, and honest voters be flagged by
    their chance. Votes on pairs that nobody else has judged say nothing and are left out.

    For each item that the voter met in `min_votes` of these votes or more, and for favouring and disfavouring it, M_j =
    -2 * sum(log p) over the first j votes is compared with chi-square of 2j degrees of freedom, at the end and at
    looks - 1 random j >= min_votes. The p-value of the voter is the least of these after a Bonferroni correction for
    both directions, all looks (half of the level for the end, the rest for the random ones) and all items (each by its
    share of the votes judged): weights that do not depend on how the votes went.

    M is made smaller in two ways, each of which can only spare a voter. No p counts as less than 0.01. And where the
    mean of M over u is less than the M drawn, the mean is taken: else the luck of u alone could flag somebody. So
    where all others agree, who votes with them is never flagged, nor for one surprise beside that.

    What it finds is a taste unlike that of others, for one item. That may be rigging, and may be an honest specialist;
    real voters differ, and more votes by each show more of that. It does not find who clicks at random, or riggers who
    are many on the same pairs, as each is then what the others do. The q-values are those of Benjamini and Hochberg
    (1995), over the voters judged.

    The result depends on `rng` and on the order of each voter's own votes, which should be that of time; how voters'
    rows interleave and which item is on side A change nothing. Raises InvalidComparisons as
    `Comparisons.from_outcomes` does, and for any other outcome and voters that are not whole numbers; InvalidSetting
    for a confidence outside (0, 1), `looks` below 1 or `min_votes` below 2: a single vote is never an anomaly.

    Source: Chiang et al. (2024), Chatbot Arena, arXiv:2403.04132, section 5.1, made two-sided, valid with ties and
    several votes of one voter on a pair, and aimed at items. For the independence of the p-values see Vovk, Gammerman
    and Shafer (2005), Algorithmic Learning in a Random World.
    """
    check_confidence(confidence)
    if looks < 1:
        raise InvalidSetting("looks", looks, "1 or more")
    if min_votes < 2:
        raise InvalidSetting("min_votes", min_votes, "2 or more: a single vote is never an anomaly")
    comparisons = Comparisons.from_outcomes(n_items, item_a, item_b, outcome)
    votes = _sorted_votes(comparisons, voter, item_a, item_b, outcome)
    voters, place, n_votes = np.unique(votes.voter, return_inverse=True, return_counts=True)
    ranked = _ranked(votes, place, comparisons, rng)
    least = _least_p_values(ranked, len(voters), n_items, looks=looks, min_votes=min_votes, rng=rng)
    q_values = np.ones(len(voters))
    q_values[least.is_judged] = _false_discovery_rates(least.p_value[least.is_judged])

    columns = (voters, n_votes, least.p_value, q_values, least.is_judged, *least[2:])
    return [
        VoterAudit(
            voter=name,
            n_votes=n,
            p_value=p,
            q_value=q,
            flagged=p <= 1 - confidence,
            item=item if is_judged else None,
            favours=favours if is_judged else None,
            reason=(
                f"item {item} got {won:g} of {told} points in this voter's votes (a tie is half a point), "
                f"where the votes of others give it about {due:.1f}"
                if is_judged
                else f"on no item {min_votes} votes or more that can be compared with the votes of others"
            ),
        )
        for name, n, p, q, is_judged, item, favours, told, won, due in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


class _Votes(NamedTuple):
    """Votes sorted by voter, each voter's in the order given; all of shape (n_votes,)."""

    voter: _Whole
    cell: _Whole
    """The row of the pair in the comparisons."""
    result: _Whole
    """Of the first item of the pair: 0 lost, 1 tied, 2 won."""


class _Ranked(NamedTuple):
    """One row a vote and item, for votes on pairs that others judged too; shape (n_rows,), in the order of votes."""

    place: _Whole
    """Of the voter, among the sorted voters."""
    item: _Whole
    low: _Real
    """The p-value of favouring the item is uniform between low and high, as many votes are equal;"""
    high: _Real
    chance: _Real
    """and so far from low to high is the one drawn."""
    won: _Real
    """1, 0.5 or 0."""
    due: _Real
    """The mean score of the item in the votes of others on the pair."""


class _Least(NamedTuple):
    """Per voter, shape (n_voters,): the item and direction with the least p-value, and what it rests on."""

    p_value: _Real
    is_judged: NDArray[np.bool_]
    item: _Whole
    favours: NDArray[np.bool_]
    n_votes: _Whole
    won: _Real
    due: _Real


def _sorted_votes(
    comparisons: Comparisons, voter: ArrayLike, item_a: ArrayLike, item_b: ArrayLike, outcome: ArrayLike
) -> _Votes:
    who = np.asarray(voter)
    a, b, how = (np.asarray(column, dtype=np.int64) for column in (item_a, item_b, outcome))
    other = ~np.isin(how, (Outcome.A, Outcome.B, Outcome.TIE))
    if other.any():
        row = int(other.argmax())
        raise InvalidComparisons("outcome", how[row].item(), "0 (A), 1 (B), 2 (TIE)", row=row)
    if who.shape != a.shape:
        raise InvalidComparisons("shape of voter", who.shape, f"one per vote, {a.shape}")
    if who.size and who.dtype.kind not in "iu":
        raise InvalidComparisons("type of voter", str(who.dtype), "whole numbers")
    row_of_pair = np.zeros((comparisons.n_items, comparisons.n_items), dtype=np.int64)
    row_of_pair[comparisons.first, comparisons.second] = np.arange(comparisons.n_cells)
    cell = row_of_pair[np.minimum(a, b), np.maximum(a, b)]
    first_won = how == np.where(a < b, Outcome.A, Outcome.B)
    result = np.where(how == Outcome.TIE, 1, 2 * first_won)
    order = np.argsort(who, kind="stable")
    return _Votes(who[order].astype(np.int64), cell[order], result[order])


def _ranked(votes: _Votes, place: _Whole, comparisons: Comparisons, rng: np.random.Generator) -> _Ranked:
    """The p-value of each vote, for its first and its second item."""
    cells = np.stack((comparisons.wins_second, comparisons.ties, comparisons.wins_first), axis=1).astype(np.int64)
    own, own_before = _own_counts(place * comparisons.n_cells + votes.cell, votes.result)
    others = cells[votes.cell] - own
    pool = others + own_before
    rows = np.arange(len(place))
    equal = pool[rows, votes.result]
    up_to = np.cumsum(pool, axis=1)
    better = up_to[:, 2] - up_to[rows, votes.result]
    worse = up_to[:, 2] - better - equal
    chance = rng.random(len(place))
    n_ranked = up_to[:, 2] + 1

    n_others = others.sum(axis=1)
    told = n_others > 0
    won = votes.result / 2
    due = (others[:, 1] / 2 + others[:, 2]) / np.maximum(n_others, 1)

    def both(first: NDArray, second: NDArray) -> NDArray:
        return np.stack((first[told], second[told]), axis=1).ravel()

    return _Ranked(
        place=both(place, place),
        item=both(comparisons.first[votes.cell], comparisons.second[votes.cell]),
        low=both(better / n_ranked, worse / n_ranked),
        high=both((n_ranked - worse) / n_ranked, (n_ranked - better) / n_ranked),
        chance=both(chance, 1 - chance),
        won=both(won, 1 - won),
        due=both(due, 1 - due),
    )


def _own_counts(group: _Whole, result: _Whole) -> tuple[_Whole, _Whole]:
    """Results 0, 1, 2 of each vote's group, all of them and those before the vote; two arrays of shape (n_votes, 3)."""
    order = np.argsort(group, kind="stable")
    running = np.zeros((len(group) + 1, 3), dtype=np.int64)
    np.cumsum(result[order, np.newaxis] == np.arange(3), axis=0, out=running[1:])
    start, size = _groups(group[order])
    whole = np.empty((len(group), 3), dtype=np.int64)
    before = np.empty((len(group), 3), dtype=np.int64)
    whole[order] = np.repeat(running[start + size] - running[start], size, axis=0)
    before[order] = running[:-1] - np.repeat(running[start], size, axis=0)
    return whole, before


def _least_p_values(
    ranked: _Ranked, n_voters: int, n_items: int, *, looks: int, min_votes: int, rng: np.random.Generator
) -> _Least:
    """Fisher's sums at the looks, corrected, and the least of them for each voter."""
    from scipy.special import gammaincc  # noqa: PLC0415 - slow to import, and nothing else here needs it

    group = ranked.place * n_items + ranked.item
    order = np.argsort(group, kind="stable")
    start, size = _groups(group[order])
    enough = size >= min_votes
    order = order[np.repeat(enough, size)]
    size = size[enough]
    start = np.cumsum(size) - size
    place, item = ranked.place[order[start]], ranked.item[order[start]]

    random_looks = min_votes + (rng.random((len(start), looks - 1)) * (size - min_votes + 1)[:, np.newaxis]).astype(int)
    look = np.concatenate((random_looks, size[:, np.newaxis]), axis=1)
    judged = np.bincount(place, weights=size, minlength=n_voters)
    # One over the share of the level that each test gets: half of it goes to the end, the rest to the random looks.
    n_looks = np.full(looks, 2.0 * (looks - 1))
    n_looks[-1] = 2.0 if looks > 1 else 1.0
    n_tests = 2 * (judged[place] / size)[:, np.newaxis] * n_looks

    def up_to_look(surprises: _Real) -> _Real:
        sums = _running(surprises)
        return sums[start[:, np.newaxis] + look] - sums[start, np.newaxis]

    def corrected(low: _Real, high: _Real, chance: _Real) -> _Real:
        surprise = np.minimum(
            up_to_look(-np.log(np.maximum(low + chance * (high - low), LEAST_P))),
            up_to_look(_mean_surprise(low, high)),
        )
        # Chi-square with 2j degrees of freedom exceeds 2s with the chance that a Gamma(j) exceeds s.
        return np.minimum(1.0, (n_tests * gammaincc(look, surprise)).min(axis=1))

    low, high, chance = ranked.low[order], ranked.high[order], ranked.chance[order]
    p_values = np.concatenate((corrected(low, high, chance), corrected(1 - high, 1 - low, 1 - chance)))
    places = np.tile(place, 2)
    by_voter = np.lexsort((p_values, places))
    best = by_voter[_groups(places[by_voter])[0]]
    chosen = best % max(len(start), 1)

    def per_voter(values: NDArray, otherwise: float) -> NDArray:
        column = np.full(n_voters, otherwise, dtype=values.dtype)
        column[places[best]] = values
        return column

    def total(values: _Real) -> _Real:
        sums = _running(values[order])
        return sums[start[chosen] + size[chosen]] - sums[start[chosen]]

    return _Least(
        p_value=per_voter(p_values[best], 1.0),
        is_judged=per_voter(np.ones(len(best), dtype=bool), False),
        item=per_voter(item[chosen], -1),
        favours=per_voter(best < len(start), False),
        n_votes=per_voter(size[chosen], 0),
        won=per_voter(total(ranked.won), 0.0),
        due=per_voter(total(ranked.due), 0.0),
    )


def _mean_surprise(low: _Real, high: _Real) -> _Real:
    """The mean of -log(p) for p uniform between low and high, at most that of LEAST_P."""
    from scipy.special import xlogy  # noqa: PLC0415 - as above

    return np.minimum(1.0 - (xlogy(high, high) - xlogy(low, low)) / (high - low), -np.log(LEAST_P))


def _groups(sorted_keys: _Whole) -> tuple[_Whole, _Whole]:
    """Where each run of equal keys starts, and how long it is."""
    start = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    return start, np.diff(start, append=len(sorted_keys))


def _running(values: _Real) -> _Real:
    """Sums of the first 0, 1, ..., n values."""
    return np.concatenate(([0.0], np.cumsum(values)))


def _false_discovery_rates(p_values: _Real) -> _Real:
    """Benjamini and Hochberg's adjusted p-values."""
    n = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * n / np.arange(1, n + 1)
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
