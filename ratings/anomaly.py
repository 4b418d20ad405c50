"""Voters whose votes go against the grain of everybody else's: a list for review, from which nothing is dropped."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.comparisons import Comparisons, Outcome
from ratings.discovery import FALSE_SHARE, false_discovery_rates
from ratings.errors import InvalidComparisons, InvalidSetting

MIN_VOTES = 5
"""A voter is not judged on an item by fewer votes."""

MOST_ODDS = 20.0
"""No single vote counts for more than this, so that none can flag a voter alone: 2 directions / 20 is above 0.05."""

_STEPS = 16
"""Halvings of the range of the exponent: what is left of it moves a p-value of a thousand votes by less than 1e-5."""

_LEAST_P = 1e-300
"""No chance is called 0."""

_POINTS = np.array([0.0, 0.5, 1.0])
"""That the first item of a pair gets for each result of it: lost, tied, won."""

_Whole = NDArray[np.int64]
_Real = NDArray[np.float64]


@dataclass(frozen=True)
class VoterAudit:
    """What the votes of others say about the votes of one voter.

    `p_value` bounds the chance of votes as extreme as these if the voter judged as the others do, corrected for every
    item and both directions; it is 1 for a voter who is not judged, for want of votes. `q_value` corrects it for the
    number of voters. `flagged` is q_value <= false_share.

    `item` is the one with the least p-value, `favours` whether it was favoured or disfavoured, both None for a voter
    not judged; it got `won` points (a tie is half a point) of `n_on_item` in the voter's votes that can be compared,
    and would have got about `due` in votes of others. `reason` says so in a sentence.
    """

    voter: int
    n_votes: int
    p_value: float
    q_value: float
    flagged: bool
    item: int | None
    favours: bool | None
    reason: str
    n_on_item: int = 0
    won: float = 0.0
    due: float = 0.0


def audit_voters(
    n_items: int,
    voter: ArrayLike,
    item_a: ArrayLike,
    item_b: ArrayLike,
    outcome: ArrayLike,
    *,
    false_share: float = FALSE_SHARE,
    min_votes: int = MIN_VOTES,
    tolerance: float = 0.0,
) -> list[VoterAudit]:
    """Compare each voter's votes with the votes of others on the same pairs; one record per voter, sorted by voter.

    Columns of equal length, one row a vote: voters and items are whole numbers, `outcome` is Outcome.A, B or TIE (or
    their codes); votes that both are bad want merging with ties or leaving out first.

    If the voter judges as the others do, then of all votes on a pair any as many are as likely to be this voter's: the
    results that the voter gave are drawn from them all without replacement, pair by pair. So the points that an item
    got from the voter (a tie is half a point) have a known mean and a known spread, whatever the strengths and the
    share of ties. Their chance to be as high as they are, or higher, is at most

        min over s of exp(-s * points) * product over pairs of (mean over all votes of the pair of exp(s * point)) ^ n

    with n the voter's votes on the pair: Chernoff's bound, which without replacement holds all the more (Hoeffding).
    Where the voter gave more than half of the votes on a pair, the others' take their place, counted from the other
    side: whatever the one has too much the others have too little, and fewer draws spread less. s goes from 0 to
    log(MOST_ODDS). This bounds what a single vote can do, and as any s gives a bound, so does the best one of these.
    It errs to the safe side: honest voters have p-values below 0.05 far less often than one time in twenty.

    It is taken for every item that the voter met in `min_votes` votes or more on pairs that others judged too, and for
    both directions. The p-value of the voter is the least of these after a Bonferroni correction for both directions
    and all items, each item by its share of these votes. q-values are over the voters judged.

    Votes of a voter who is flagged would make everybody else look odd beside them. So the most extreme voters are
    flagged first, with the p-value and q-value that they have then, and the others are compared with each other without
    them, until nobody is flagged any more. Where nobody judges unlike the others, at most `false_share` of such audits
    flag anybody; where somebody does, simulations find few honest voters beside them, but nothing guarantees how few.

    With a `tolerance` above 0, in logits, the question is another one: whether the voter favours (or disfavours) an
    item by more than this. The chances of the results are tilted by it, exp(tolerance * point) times those of the
    others, and the voter's points are held against these. So who merely has a taste is told from who votes for an item
    whatever it says; what stands above about honest voters then holds for all whose tastes are within the tolerance.

    What it finds is a taste unlike that of others, for one item. That may be rigging, and may be an honest specialist;
    real voters differ, and more votes by each show more of that. It does not find who clicks at random, or riggers who
    are many on the same pairs, as each is then what the others do.

    The result depends on how often each voter gave each verdict on each pair, and on nothing else: not on the order of
    the votes, not on sides, not on chance. Raises InvalidComparisons as `Comparisons.from_outcomes` does, and for any
    other outcome and voters that are not whole numbers; InvalidSetting for a `false_share` outside (0, 1) or
    `min_votes` below 2: a single vote is never an anomaly; and for a `tolerance` that is below 0 or not finite.

    Sources: the question is that of Chiang et al. (2024), Chatbot Arena, arXiv:2403.04132, section 5.1; the answer here
    needs no draws for ties, and names an item and a direction. Hoeffding (1963), doi:10.1080/01621459.1963.10500830,
    theorem 4, for draws without replacement.
    """
    if not 0 < false_share < 1:
        raise InvalidSetting("false_share", false_share, "a share between 0 and 1, such as 0.05")
    if min_votes < 2:
        raise InvalidSetting("min_votes", min_votes, "2 or more: a single vote is never an anomaly")
    if not 0 <= tolerance < np.inf:
        raise InvalidSetting("tolerance", tolerance, "logits from 0 on")
    comparisons = Comparisons.from_outcomes(n_items, item_a, item_b, outcome)
    who, cell, result = _results(comparisons, voter, item_a, item_b, outcome)
    voters, place, n_votes = np.unique(who, return_inverse=True, return_counts=True)
    is_listed = np.zeros(len(voters), dtype=bool)
    audits: dict[int, VoterAudit] = {}
    while True:
        told = _told(place, cell, result, comparisons, is_counted=~is_listed)
        least = _least_p_values(told, len(voters), n_items, min_votes, tolerance)
        q_values = np.ones(len(voters))
        q_values[least.is_judged] = false_discovery_rates(least.p_value[least.is_judged])
        found = (q_values <= false_share) & ~is_listed
        # Those who are nearly as extreme go together: halving the number of digits keeps the rounds few.
        found &= least.p_value <= np.sqrt(least.p_value[found].min(initial=1.0))
        here = found if found.any() else ~is_listed
        audits |= {
            row: _audit(row, voters, n_votes, q_values, found, least, min_votes)
            for row in np.flatnonzero(here).tolist()
        }
        if not found.any():
            return [audits[row] for row in range(len(voters))]
        is_listed |= found


def _audit(  # noqa: PLR0917 - one row of columns that belong together
    row: int,
    voters: _Whole,
    n_votes: _Whole,
    q_values: _Real,
    found: NDArray[np.bool_],
    least: "_Least",
    min_votes: int,
) -> VoterAudit:
    is_judged, item = bool(least.is_judged[row]), int(least.item[row])
    reason = f"on no item {min_votes} votes or more that can be compared with the votes of others"
    if is_judged:
        reason = (
            f"item {item} got {least.won[row]:g} of {least.n_votes[row]} points in this voter's votes (a tie is half a "
            f"point), where the votes of others give it about {least.due[row]:.1f}"
        )
    return VoterAudit(
        voter=int(voters[row]),
        n_votes=int(n_votes[row]),
        p_value=float(least.p_value[row]),
        q_value=float(q_values[row]),
        flagged=bool(found[row]),
        item=item if is_judged else None,
        favours=bool(least.favours[row]) if is_judged else None,
        reason=reason,
        n_on_item=int(least.n_votes[row]),
        won=float(least.won[row]),
        due=float(least.due[row]),
    )


class _Told(NamedTuple):
    """One row for each voter, pair that others judged too, and item of it; sorted by voter and item."""

    place: _Whole
    """Of the voter, among the sorted voters."""
    item: _Whole
    n_votes: _Whole
    """Of the voter on the pair."""
    won: _Real
    """Points of the item in these."""
    due: _Real
    """Points that it would have if they were like those of others."""
    drawn: _Whole
    """Shape (n_rows, 3): how often the item lost, tied and won in the votes of the voter; or, seen from the other
    side, in those of the others, whichever are fewer."""
    pool: _Whole
    """The same of all votes on the pair."""


class _Least(NamedTuple):
    """Per voter, shape (n_voters,): the item and direction with the least p-value, and what it rests on."""

    p_value: _Real
    is_judged: NDArray[np.bool_]
    item: _Whole
    favours: NDArray[np.bool_]
    n_votes: _Whole
    won: _Real
    due: _Real


def _results(
    comparisons: Comparisons, voter: ArrayLike, item_a: ArrayLike, item_b: ArrayLike, outcome: ArrayLike
) -> tuple[_Whole, _Whole, _Whole]:
    """Of each vote the voter, the row of the pair in the comparisons, and whether its first item lost (0), tied or won
    (2)."""
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
    first_won = how == np.where(a < b, Outcome.A, Outcome.B)
    result = np.where(how == Outcome.TIE, 1, 2 * first_won)
    return who.astype(np.int64), row_of_pair[np.minimum(a, b), np.maximum(a, b)], result


def _told(
    place: _Whole, cell: _Whole, result: _Whole, comparisons: Comparisons, *, is_counted: NDArray[np.bool_]
) -> _Told:
    """What the voters who are counted say, of whom `is_counted` tells, shape (n_voters,)."""
    kept = is_counted[place]
    place, cell, result = place[kept], cell[kept], result[kept]
    units, unit = np.unique(place * comparisons.n_cells + cell, return_inverse=True)
    own = np.bincount(3 * unit + result, minlength=3 * len(units)).reshape(-1, 3)
    place, cell_of = np.divmod(units, max(comparisons.n_cells, 1))
    pool = np.bincount(3 * cell + result, minlength=3 * comparisons.n_cells).reshape(-1, 3)[cell_of]
    cell = cell_of
    others = pool - own
    told = others.sum(axis=1) > 0
    place, cell, own, pool, others = place[told], cell[told], own[told], pool[told], others[told]
    n_votes, n_others = own.sum(axis=1), others.sum(axis=1)
    is_fewer = (n_votes <= n_others)[:, np.newaxis]
    drawn, pool = np.where(is_fewer, own, others[:, ::-1]), np.where(is_fewer, pool, pool[:, ::-1])
    won, share = own @ _POINTS, others @ _POINTS / n_others
    item = np.concatenate((comparisons.first[cell], comparisons.second[cell]))
    order = np.lexsort((item, np.tile(place, 2)))

    def both(first: NDArray, second: NDArray) -> NDArray:
        return np.concatenate((first, second))[order]

    return _Told(
        place=both(place, place),
        item=item[order],
        n_votes=both(n_votes, n_votes),
        won=both(won, n_votes - won),
        due=both(n_votes * share, n_votes * (1 - share)),
        drawn=both(drawn, drawn[:, ::-1]),
        pool=both(pool, pool[:, ::-1]),
    )


def _least_p_values(told: _Told, n_voters: int, n_items: int, min_votes: int, tolerance: float) -> _Least:
    """The bounds for every item and direction, corrected, and the least of them for each voter."""
    start = np.flatnonzero(np.diff(told.place * n_items + told.item, prepend=-1))
    row_group = np.repeat(np.arange(len(start)), np.diff(start, append=len(told.place)))
    size = np.bincount(row_group, told.n_votes, len(start)).astype(np.int64)
    enough = np.flatnonzero(size >= min_votes)
    kept = size[row_group] >= min_votes
    group = np.searchsorted(enough, row_group[kept])
    place, item, size = told.place[start[enough]], told.item[start[enough]], size[enough]
    won, due = (np.bincount(group, column[kept], len(enough)) for column in (told.won, told.due))

    judged = np.bincount(place, weights=size, minlength=n_voters)
    # One over the share of the level that each test gets.
    n_tests = 2 * judged[place] / size
    drawn, pool = (column[kept].astype(np.float64) for column in (told.drawn, told.pool))
    tilt = np.exp(tolerance * _POINTS)
    bounds = [
        _bound(drawn, pool * tilt, group, len(enough)),
        _bound(drawn[:, ::-1], pool[:, ::-1] * tilt, group, len(enough)),
    ]
    p_values = np.clip(np.tile(n_tests, 2) * np.concatenate(bounds), _LEAST_P, 1.0)
    places = np.tile(place, 2)
    by_voter = np.lexsort((p_values, places))
    best = by_voter[np.flatnonzero(np.diff(places[by_voter], prepend=-1))]
    chosen = best % max(len(enough), 1)

    def per_voter(values: NDArray, otherwise: float) -> NDArray:
        column = np.full(n_voters, otherwise, dtype=values.dtype)
        column[places[best]] = values
        return column

    return _Least(
        p_value=per_voter(p_values[best], 1.0),
        is_judged=per_voter(np.ones(len(best), dtype=bool), False),
        item=per_voter(item[chosen], -1),
        favours=per_voter(best < len(enough), False),
        n_votes=per_voter(size[chosen], 0),
        won=per_voter(won[chosen], 0.0),
        due=per_voter(due[chosen], 0.0),
    )


def _bound(drawn: _Real, pool: _Real, group: _Whole, n_groups: int) -> _Real:
    """Chernoff's bound on the chance of as many points or more in each group of rows, shape (n_groups,)."""
    n = drawn.sum(axis=1)

    def summed(values: _Real) -> _Real:
        return np.bincount(group, values, n_groups).astype(np.float64)

    def tilted(exponent: _Real) -> _Real:
        half = np.exp(exponent / 2)[group]
        return pool * np.stack((np.ones_like(half), half, half**2), axis=1)

    points = summed(drawn @ _POINTS)
    low, high = np.zeros(n_groups), np.full(n_groups, np.log(MOST_ODDS))
    for _ in range(_STEPS):
        middle = (low + high) / 2
        weights = tilted(middle)
        # The log of the bound falls as long as fewer points than these are expected under the tilt.
        falls = summed(n * (weights @ _POINTS) / weights.sum(axis=1)) < points
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    means = np.log(tilted(low).sum(axis=1) / pool.sum(axis=1))
    return np.exp(np.minimum(summed(n * means) - low * points, 0.0))
