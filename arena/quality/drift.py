"""Do voters change on the way? Anchoring and fatigue: a voter's first votes against the last, and week by week."""

from collections.abc import Sequence

import numpy as np

from arena.quality.figure import Audit, Figure, change, family, too_few, unknown
from arena.quality.sheet import TIE, UNKNOWN, Mask, Sheet, Whole
from ratings import Absent, chance_of_drift, chance_of_runs, chi_square, even_chance, sequences

FLOOR = 30
FLOOR_OF_VOTER = 10
FLOOR_OF_SEQUENCE = 20
FLOOR_OF_VOTERS = 6

_DAY = 24 * 3600 * 10**6
_MONDAY = 3
"""Days from a Monday to the first of January 1970, a Thursday."""

_MEANING = {
    True: "Verdicts move with time: within voters, from week to week, or with the guideline.",
    False: "Verdicts do not move with time beyond chance.",
    None: "Not enough data to say whether verdicts move with time.",
}


def drift(sheet: Sheet, *, confidence: float) -> Audit:
    """Of votes that tell their voter and their time; by week and by guideline, of all that tell these."""
    figures = [*_halves(sheet, confidence), *_sequences(sheet, confidence)]
    figures += _groups(sheet, "week", "from week to week", _weeks(sheet))
    figures += _groups(sheet, "guideline", "between guidelines", _guidelines(sheet))
    return Audit("drift", "Do voters change on the way?", tuple(figures), _MEANING)


def _shares(sheet: Sheet) -> list[tuple[str, str, Mask, Mask]]:
    """Name, label, of which votes, and which of them are counted."""
    longer = sheet.is_decisive & (sheet.longer != 0)
    shares = [
        ("side_a", "side A wins", sheet.is_decisive, sheet.is_for_a),
        ("tie", "no preference", np.ones(len(sheet), dtype=bool), sheet.verdict >= TIE),
        ("longer", "the longer wins", longer, longer & ((sheet.longer > 0) == sheet.is_for_a)),
    ]
    return shares if sheet.wording is not None else shares[:2]


def _halves(sheet: Sheet, confidence: float) -> list[Figure]:
    rows = sheet.in_time
    label = "second half of a voter's votes less the first"
    if not len(rows):
        return [unknown("halves", label, "the votes do not tell their voter and their time")]
    _, start, n = np.unique(sheet.voter[rows], return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(start, n)
    size = np.repeat(n, n)
    enough = size >= FLOOR_OF_VOTER
    first, second = (np.zeros(len(sheet), dtype=bool) for _ in range(2))
    first[rows[enough & (place < size // 2)]] = True
    second[rows[enough & (place >= size - size // 2)]] = True
    shares = _shares(sheet)
    has_gold = sheet.gold != UNKNOWN
    if has_gold.any():
        shares.append(("gold", "known verdicts are met", has_gold, has_gold & (sheet.gold == sheet.verdict)))
    figures = [
        change(
            f"half_{name}",
            f"{what}: second half of a voter's votes less first",
            (int((first & counted).sum()), int((first & of).sum())),
            (int((second & counted).sum()), int((second & of).sum())),
            confidence=confidence,
            floor=FLOOR,
            method=f"voters with {FLOOR_OF_VOTER} votes or more",
        )
        for name, what, of, counted in shares
    ]
    return [*figures, _pace(sheet, first, second, confidence)]


def _pace(sheet: Sheet, first: Mask, second: Mask, confidence: float) -> Figure:
    """The median over voters of how much longer, or shorter, their second half took: a sign test of no change."""
    name, label = "half_pace", "median time to vote, second half over first"
    logs = []
    timed = np.flatnonzero(np.isfinite(sheet.milliseconds) & (sheet.milliseconds > 0) & (first | second))
    timed = timed[np.argsort(sheet.voter[timed], kind="stable")]
    for part in np.split(timed, np.flatnonzero(np.diff(sheet.voter[timed])) + 1):
        before, after = part[first[part]], part[second[part]]
        if min(len(before), len(after)) >= FLOOR_OF_VOTER // 2:
            logs.append(
                float(np.log(np.median(sheet.milliseconds[after])) - np.log(np.median(sheet.milliseconds[before])))
            )
    if len(logs) < FLOOR_OF_VOTERS:
        return too_few(
            name, label, len(logs), FLOOR_OF_VOTERS, unit="voters", why="whose votes are timed in both halves"
        )
    ordered, n = np.sort(logs), len(logs)
    # The median lies between the k-th from below and from above, but for twice the binomial tail of fewer than k.
    tails = even_chance(np.full(n // 2 + 1, n), np.arange(n // 2 + 1))
    k = int((tails <= 1 - confidence).sum())
    low, high = (float(np.exp(ordered[k - 1])), float(np.exp(ordered[n - k]))) if k else (None, None)
    n_slower, n_moved = int((ordered > 0).sum()), int((ordered != 0).sum())
    return Figure(
        name,
        label,
        float(np.exp(np.median(ordered))),
        n,
        "sign test over voters, and the interval that goes with it",
        low=low,
        high=high,
        unit="voters",
        form="number",
        expected=1.0,
        p_value=float(even_chance(n_moved, n_slower)),
        decides=True,
        reason=None if k else "no interval: too few voters",
    )


def _sequences(sheet: Sheet, confidence: float) -> list[Figure]:
    rows = sheet.in_time[sheet.is_decisive[sheet.in_time]]
    if not len(rows):
        why = "the votes do not tell their voter and their time"
        labels = {"voters_turning": "voters whose side changes", "voters_streaky": "voters who vote in streaks"}
        return [unknown(name, label, why, unit="voters") for name, label in labels.items()]
    found = sequences(sheet.voter[rows], sheet.is_for_a[rows])
    mixed = (found.n_of_kind > 0) & (found.n_of_kind < found.n)
    judged = np.flatnonzero((found.n >= FLOOR_OF_SEQUENCE) & mixed)
    floor = f"no voter is known with {FLOOR_OF_SEQUENCE} decisive votes in time"
    turning = family(
        "voters_turning",
        "voters whose side changes",
        [
            {"voter": sheet.voters[int(found.key[i])], "n": int(found.n[i]), "after": int(found.turn[i])}
            for i in judged.tolist()
        ],
        chance_of_drift(found.drift[judged]).tolist(),
        unit="voters",
        method=f"CUSUM against a Brownian bridge, voters with {FLOOR_OF_SEQUENCE} decisive votes or more",
        floor=floor,
        confidence=confidence,
    )
    streaky = family(
        "voters_streaky",
        "voters who vote in streaks",
        [
            {"voter": sheet.voters[int(found.key[i])], "n": int(found.n[i]), "longest": int(found.longest[i])}
            for i in judged.tolist()
        ],
        [chance_of_runs(int(found.n[i]), int(found.n_of_kind[i]), int(found.n_runs[i])) for i in judged.tolist()],
        unit="voters",
        method=f"exact Wald-Wolfowitz runs test, voters with {FLOOR_OF_SEQUENCE} decisive votes or more",
        floor=floor,
        confidence=confidence,
    )
    most = int(np.argmax(found.longest))
    longest = Figure(
        "longest_run",
        "longest run on one side",
        float(found.longest[most]),
        int(found.n[most]),
        "counted",
        form="number",
        unit="votes of its voter",
        reason="no interval: the largest that was seen",
        listed=({"voter": sheet.voters[int(found.key[most])], "n": int(found.n[most])},),
    )
    return [turning, streaky, longest]


def _weeks(sheet: Sheet) -> tuple[Whole, Sequence[str]]:
    """The week of each vote, and the Monday that each begins with, in UTC."""
    is_known = sheet.moment != UNKNOWN
    weeks, place = np.unique((sheet.moment[is_known] // _DAY + _MONDAY) // 7, return_inverse=True)
    group = np.full(len(sheet), UNKNOWN, dtype=np.int64)
    group[is_known] = place
    return group, np.datetime_as_string((weeks * 7 - _MONDAY).astype("datetime64[D]")).tolist() if len(weeks) else ()


def _guidelines(sheet: Sheet) -> tuple[Whole, Sequence[str]]:
    return sheet.guideline, sheet.guidelines


def _groups(sheet: Sheet, kind: str, words: str, groups: tuple[Whole, Sequence[str]]) -> list[Figure]:
    """Whether a share is the same in all groups of votes."""
    group, names = groups
    figures = []
    for name, what, of, counted in _shares(sheet):
        known = of & (group != UNKNOWN)
        n = np.bincount(group[known], minlength=len(names))
        k = np.bincount(group[known & counted], minlength=len(names))
        kept = np.flatnonzero(n >= FLOOR)
        label = f"{what}: {words}"
        tested = chi_square(np.column_stack((k[kept], n[kept] - k[kept]))) if len(kept) > 1 else None
        if tested is None or isinstance(tested, Absent):
            why = f"fewer than two with {FLOOR} votes" if tested is None else tested.reason
            figures.append(unknown(f"{kind}_{name}", label, why))
            continue
        shares = [{kind: names[i], "share": round(int(k[i]) / int(n[i]), 6), "n": int(n[i])} for i in kept.tolist()]
        spread = [each["share"] for each in shares]
        figures.append(
            Figure(
                f"{kind}_{name}",
                label,
                max(spread) - min(spread),
                int(n[kept].sum()),
                f"largest share less smallest; chi-square test over {len(kept)}, {tested.statistic:.4g} with "
                f"{tested.degrees} degrees of freedom",
                form="points",
                expected=0.0,
                p_value=tested.p_value,
                decides=True,
                reason="no interval: the largest of several differences",
                listed=tuple(shares[:20]),
            )
        )
    return figures
