"""What an audit finds: figures, each with its interval and its test, or why there is none; and what they add up to.

Many audits of many figures would find something by chance alone. So p-values are corrected three times, each time by
Benjamini and Hochberg's false-discovery rate: inside a family (all voters, all models, all openers), over the figures
of an audit, and over the audits. An audit speaks if its own rate is at most `LEVEL`; in an audit that speaks, the
figures that speak hold the level that Benjamini and Bogomolov (2014), doi:10.1111/rssb.12028, give those who look only
where something was found. Where nothing is amiss anywhere, at most one run of twenty says anything at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ratings import (
    FALSE_SHARE,
    Absent,
    Effect,
    Interval,
    chi_square,
    difference_of_shares,
    even_chance,
    false_discovery_rates,
    simes,
    wilson,
)

LEVEL = FALSE_SHARE

_DIGITS = 6

# Of a family's members that speak, so many are listed; all of them are counted.
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an audit."""

    name: str
    label: str
    """In words, for a table."""
    value: float | None
    n: int
    """Votes or whatever `unit` says, that it was taken from."""
    method: str
    low: float | None = None
    high: float | None = None
    unit: str = "votes"
    form: str = "share"
    """share (0 to 1), points (a difference of shares), logit, number or seconds."""
    expected: float | None = None
    """What it would be if nothing were amiss."""
    p_value: float | None = None
    q_value: float | None = None
    """The false-discovery rate among the figures of the audit that decide."""
    decides: bool = False
    """Whether the audit listens to its test. Others are told, and may be explained by something else."""
    speaks: bool = False
    reason: str | None = None
    """Why there is no value, or no interval."""
    listed: tuple[Mapping[str, Any], ...] = ()
    """Of a family, the members that speak, the clearest first."""

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        numbers = {name: _rounded(getattr(self, name)) for name in ("value", "low", "high", "expected")}
        tests = {name: _significant(getattr(self, name)) for name in ("p_value", "q_value")}
        names = ("name", "label", "form", "n", "unit", "method", "decides", "speaks", "reason")
        told = {name: getattr(self, name) for name in names}
        return told | numbers | tests | {"listed": [dict(each) for each in self.listed]}


@dataclass(frozen=True, slots=True)
class Audit:
    """One question about the votes, and what they say."""

    name: str
    question: str
    figures: tuple[Figure, ...]
    meaning: Mapping[bool | None, str]
    """A sentence each for an audit that speaks, one that is silent, and one that cannot tell."""
    speaks: bool | None = None
    """None where there is not enough data."""
    p_value: float | None = None
    q_value: float | None = None
    """The false-discovery rate among the audits that test anything."""
    by_rule: bool | None = field(default=None)
    """Of an audit without a test: whether its rule is broken; None where it has none, or cannot tell."""
    n_sampled: int | None = None
    """The size of the random sample of votes that figures on texts are of; None where these are of all votes."""

    @property
    def sentence(self) -> str:
        """What it means."""
        return self.meaning[self.speaks]

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "audit": self.name,
            "question": self.question,
            "speaks": self.speaks,
            "sentence": self.sentence,
            "p_value": _significant(self.p_value),
            "q_value": _significant(self.q_value),
            "n_sampled": self.n_sampled,
            "figures": [figure.to_record() for figure in self.figures],
        }

    def tested(self) -> Self:
        """With its figures corrected for each other, and its own p-value."""
        place = [i for i, figure in enumerate(self.figures) if figure.decides and figure.p_value is not None]
        if not place:
            return replace(self, speaks=self.by_rule)
        p_values = np.array([self.figures[i].p_value for i in place], dtype=np.float64)
        rates = dict(zip(place, false_discovery_rates(p_values).tolist(), strict=True))
        figures = tuple(replace(figure, q_value=rates.get(i)) for i, figure in enumerate(self.figures))
        return replace(self, figures=figures, p_value=simes(p_values))


def corrected(audits: Sequence[Audit]) -> list[Audit]:
    """The audits, corrected for each other: which of them speak, and which of their figures."""
    tested = [audit.tested() for audit in audits]
    place = [i for i, audit in enumerate(tested) if audit.p_value is not None]
    p_values = np.array([tested[i].p_value for i in place], dtype=np.float64)
    rates = dict(zip(place, false_discovery_rates(p_values).tolist(), strict=True))
    n_speaking = sum(rate <= LEVEL for rate in rates.values())
    level = LEVEL * n_speaking / max(len(rates), 1)
    found = []
    for i, audit in enumerate(tested):
        if i not in rates:
            found.append(audit)
            continue
        speaks = rates[i] <= LEVEL
        figures = tuple(
            replace(each, speaks=speaks and each.q_value is not None and each.q_value <= level)
            for each in audit.figures
        )
        # Nothing but rounding keeps the clearest figure of an audit that speaks above the level.
        found.append(replace(audit, figures=figures, speaks=speaks, q_value=rates[i]))
    return found


def too_few(name: str, label: str, n: int, floor: int, *, unit: str = "votes", why: str = "") -> Figure:
    """A figure that cannot be told yet."""
    reason = f"not enough data: {n:,} {unit}, and {floor:,} are the fewest" + (f" ({why})" if why else "")
    return Figure(name, label, None, n, "none", unit=unit, reason=reason)


def unknown(name: str, label: str, why: str, *, unit: str = "votes") -> Figure:
    """A figure that nothing can be said about, as the votes do not tell what it needs."""
    return Figure(name, label, None, 0, "none", unit=unit, reason=f"not enough data: {why}")


def share(
    name: str,
    label: str,
    k: int,
    n: int,
    *,
    confidence: float,
    floor: int,
    is_even: bool = False,
    decides: bool = False,
    unit: str = "votes",
    method: str = "",
) -> Figure:
    """k of n, by Wilson; with `is_even` tested exactly against one half."""
    if n < max(floor, 1):
        return too_few(name, label, n, max(floor, 1), unit=unit)
    low, high, _ = ends(wilson(k, n, confidence=confidence))
    how = "exact binomial test, Wilson's interval" if is_even else "Wilson's interval"
    return Figure(
        name,
        label,
        k / n,
        n,
        f"{how}{'; ' + method if method else ''}",
        low=low,
        high=high,
        unit=unit,
        expected=0.5 if is_even else None,
        p_value=float(even_chance(n, k)) if is_even else None,
        decides=decides and is_even,
    )


def change(
    name: str,
    label: str,
    before: tuple[int, int],
    after: tuple[int, int],
    *,
    confidence: float,
    floor: int,
    method: str = "",
) -> Figure:
    """The second share less the first, each as (k, n): Newcombe's interval, and a chi-square test of no difference."""
    n = before[1] + after[1]
    if min(before[1], after[1]) < floor:
        return too_few(name, label, min(before[1], after[1]), floor, unit="votes on one of the two")
    low, high, _ = ends(difference_of_shares(*after, *before, confidence=confidence))
    tested = chi_square([[k, m - k] for k, m in (before, after)])
    value = after[0] / after[1] - before[0] / before[1]
    how = f"chi-square test, Newcombe's interval{'; ' + method if method else ''}"
    p_value = 1.0 if isinstance(tested, Absent) else tested.p_value
    return Figure(
        name, label, value, n, how, low=low, high=high, form="points", expected=0.0, p_value=p_value, decides=True
    )


def effect(name: str, label: str, found: Effect | Absent, n: int, method: str, *, decides: bool = True) -> Figure:
    """What a fit says of one column, or why it says nothing."""
    if isinstance(found, Absent):
        return Figure(name, label, None, n, "none", form="logit", reason=f"not enough data: {found.reason}")
    low, high, reason = ends(found.interval)
    p_value = None if isinstance(found.interval, Absent) else found.p_value
    return Figure(
        name,
        label,
        found.value,
        n,
        method,
        low=low,
        high=high,
        form="logit",
        expected=0.0,
        p_value=p_value,
        decides=decides and p_value is not None,
        reason=reason,
    )


def family(
    name: str,
    label: str,
    members: Sequence[Mapping[str, Any]],
    p_values: Sequence[float],
    *,
    unit: str,
    method: str,
    floor: str,
    decides: bool = True,
    confidence: float = 0.95,
) -> Figure:
    """How many of many tests speak, at a false-discovery rate of `LEVEL`; those that do are listed."""
    n = len(members)
    if not n:
        return Figure(name, label, None, 0, "none", unit=unit, form="number", reason=f"not enough data: {floor}")
    p = np.array(p_values, dtype=np.float64)
    rates = false_discovery_rates(p)
    order = [int(i) for i in np.argsort(p, kind="stable") if rates[i] <= LEVEL]
    listed = tuple(
        dict(members[i]) | {"p_value": _significant(float(p[i])), "q_value": _significant(float(rates[i]))}
        for i in order[:_MOST_LISTED]
    )
    low, high, _ = ends(wilson(len(order), n, confidence=confidence))
    return Figure(
        name,
        label,
        len(order) / n,
        n,
        f"{method}, Benjamini-Hochberg; Wilson's interval",
        low=low,
        high=high,
        unit=unit,
        expected=0.0,
        p_value=simes(p),
        decides=decides,
        listed=listed,
    )


def ends(found: Interval | Absent) -> tuple[float | None, float | None, str | None]:
    """Low, high, and why there is neither."""
    return (None, None, found.reason) if isinstance(found, Absent) else (found.low, found.high, None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS) + 0.0


def _significant(value: float | None) -> float | None:
    """Chances keep their first digits, however small they are."""
    return None if value is None else float(f"{value:.6g}")
