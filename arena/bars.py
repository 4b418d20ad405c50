"""Votes counted by day, week or month: without a gap, and no more bars than can be told apart. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

# Days, and weeks, of which as many bars are drawn; of more days weeks are, of more weeks months.
_MOST_BARS = 100


@dataclass(frozen=True, slots=True)
class Bars:
    """Votes by day, week or month: the first day of each, without a gap, and their number."""

    unit: Literal["day", "week", "month"]
    bars: tuple[tuple[str, int], ...]
    n_unknown: int
    """Votes that do not tell when they were cast."""


def bars_of(days: Sequence[tuple[date | None, int]]) -> Bars:
    """Votes by day, or by week (from Monday) or month where there are too many days. Days without votes are there."""
    known = {day: n for day, n in days if day is not None}
    n_unknown = sum(n for day, n in days if day is None)
    if not known:
        return Bars("day", (), n_unknown)
    first, last = min(known), max(known)
    n_days = (last - first).days + 1
    unit: Literal["day", "week", "month"] = "month"
    if n_days <= _MOST_BARS:
        unit = "day"
    elif n_days <= 7 * _MOST_BARS:
        unit = "week"
    bars: dict[date, int] = {}
    for number in range(n_days):
        day = first + timedelta(days=number)
        begin = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[unit]
        bars[begin] = bars.get(begin, 0) + known.get(day, 0)
    return Bars(unit, tuple((day.isoformat(), n) for day, n in bars.items()), n_unknown)
