"""Votes by day, week or month, counted by hand."""

from datetime import date, timedelta

import pytest

from arena.bars import bars_of


def test_votes_by_day_have_no_gap_and_say_what_is_not_known():
    bars = bars_of([(date(2026, 3, 2), 4), (date(2026, 3, 5), 1), (None, 7)])
    assert bars.bars == (("2026-03-02", 4), ("2026-03-03", 0), ("2026-03-04", 0), ("2026-03-05", 1))
    assert (bars.unit, bars.n_unknown) == ("day", 7)
    assert bars_of([(None, 3)]).bars == ()


@pytest.mark.parametrize(
    ("n_days", "unit", "first"), [(100, "day", "2026-03-03"), (101, "week", "2026-03-02"), (701, "month", "2026-03-01")]
)
def test_many_days_become_weeks_and_many_weeks_months(n_days: int, unit: str, first: str):
    start = date(2026, 3, 3)  # a Tuesday
    bars = bars_of([(start, 2), (start + timedelta(days=n_days - 1), 3)])
    assert (bars.unit, bars.bars[0]) == (unit, (first, 2))
    assert sum(n for _, n in bars.bars) == 5
    assert len(bars.bars) <= 101
