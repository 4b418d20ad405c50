"""Does the side decide? Raw, with the models' strengths taken out, voter by voter, and where sides were exchanged."""

import numpy as np

from arena.quality.figure import Audit, Figure, effect, family, share, unknown
from arena.quality.repeats import Repeats, repeats_of
from arena.quality.sheet import Sheet
from ratings import Absent, even_chance

FLOOR = 30
FLOOR_OF_VOTER = 10

_MEANING = {
    True: "Voters favour a side, whatever stands there.",
    False: "No side is favoured beyond chance.",
    None: "Not enough data to say whether a side is favoured.",
}


def position(sheet: Sheet, *, confidence: float) -> Audit:
    """Decisive votes won by side A."""
    rows = np.flatnonzero(sheet.is_decisive)
    n, k = len(rows), int(sheet.is_for_a[rows].sum())
    adjusted = _adjusted(sheet, rows, confidence)
    is_raw_all = adjusted[0].p_value is None
    figures = [
        share(
            "won_by_a",
            "decisive votes won by side A",
            k,
            n,
            confidence=confidence,
            floor=FLOOR,
            is_even=True,
            decides=is_raw_all,
        ),
        *adjusted,
        _by_voter(sheet, rows, confidence),
        *_turned(repeats_of(sheet), confidence),
    ]
    return Audit("position", "Does the side decide?", tuple(figures), _MEANING)


def _adjusted(sheet: Sheet, rows: np.ndarray, confidence: float) -> list[Figure]:
    name, label = "advantage_of_a", "advantage of side A, strengths taken out"
    if len(rows) < FLOOR:
        return [effect(name, label, Absent(f"{len(rows):,} votes, and {FLOOR} are the fewest"), len(rows), "none")]
    also = ("pair", sheet.pair) if sheet.has_frozen_sides else None
    found, test = sheet.beside_strength(rows, np.ones((len(rows), 1)), also=also, confidence=confidence)
    if isinstance(found, Absent):
        return [effect(name, label, found, len(rows), "none")]
    how = f"Bradley-Terry with an intercept, {test}"
    gain = Figure(
        "gain_by_side",
        "gain in log-likelihood by it, twice",
        found.statistic,
        found.n_used,
        "likelihood-ratio test, each vote on its own",
        form="number",
        expected=1.0,
        p_value=found.p_value,
        reason="no interval: a test statistic",
    )
    return [effect(name, label, found.effects[0], found.n_used, how), gain]


def _by_voter(sheet: Sheet, rows: np.ndarray, confidence: float) -> Figure:
    voters = sheet.voter[rows]
    known = voters >= 0
    n = np.bincount(voters[known], minlength=len(sheet.voters))
    k = np.bincount(voters[known], weights=sheet.is_for_a[rows][known], minlength=len(sheet.voters)).astype(np.int64)
    judged = np.flatnonzero(n >= FLOOR_OF_VOTER)
    members = [
        {"voter": sheet.voters[voter], "share": round(int(k[voter]) / int(n[voter]), 6), "n": int(n[voter])}
        for voter in judged.tolist()
    ]
    return family(
        "voters_leaning",
        "voters who favour a side",
        members,
        even_chance(n[judged], k[judged]).tolist(),
        unit="voters",
        method=f"exact binomial test of each voter with {FLOOR_OF_VOTER} decisive votes or more",
        floor=f"no voter is known with {FLOOR_OF_VOTER} decisive votes",
        confidence=confidence,
    )


def _turned(repeats: Repeats, confidence: float) -> list[Figure]:
    """Of pairs of answers that one voter judged both ways round."""
    names = ("turned_consistent", "turned_primacy", "turned_recency")
    labels = ("the same answer both ways round", "side A both times", "side B both times")
    turned = repeats.is_turned
    if not turned.any():
        return [
            unknown(name, label, "no voter judged the same two answers both ways round")
            for name, label in zip(names, labels, strict=True)
        ]
    one, other = repeats.sides[turned].T
    same = repeats.verdicts[turned][:, 0] == repeats.verdicts[turned][:, 1]
    counts = (same, (one == 0) & (other == 0), (one == 1) & (other == 1))
    n = int(turned.sum())
    found = [
        share(name, label, int(count.sum()), n, confidence=confidence, floor=FLOOR_OF_VOTER, unit="repeats")
        for name, label, count in zip(names, labels, counts, strict=True)
    ]
    primacy, recency = (int(count.sum()) for count in counts[1:])
    favoured = share(
        "primacy_of_flips",
        "side A, of those that kept their side",
        primacy,
        primacy + recency,
        confidence=confidence,
        floor=FLOOR_OF_VOTER,
        is_even=True,
        decides=True,
        unit="repeats",
    )
    return [*found, favoured]
