"""The scores of a board with their intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from arena.leaderboard import Entry, Leaderboard
from arena.plots.sheet import (
    ACCENT,
    FITS_ON_A_SCREEN,
    LINE,
    LONGEST_NAME,
    MARGIN,
    PAPER,
    SMALL,
    SMALL_LINE,
    SOFT,
    TIER,
    Sheet,
    fitted,
    length_of,
    said_votes,
    wrapped,
)

MOST_UNRATED = 20
"""Models without a score that are listed below the others."""

_ROW = 0.225  # inches from one line of the intervals to the next
_PLOT = 5.0  # inches from the lowest score to the highest


@dataclass(frozen=True)
class _Scale:
    """Where a score stands on the sheet: `low` at `x`, `high` so many inches to the right of it."""

    low: float
    high: float
    x: float = 0.0

    def place(self, score: float) -> float:
        return self.x + _PLOT * (score - self.low) / (self.high - self.low)

    @property
    def overhang(self) -> float:
        """How far, in inches, a number of the scale may reach out beyond its ends."""
        return max(length_of(_tick(tick), SMALL) for tick in self.ticks) / 2

    @property
    def ticks(self) -> list[float]:
        from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

        ticks = MaxNLocator(nbins=7, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        return [float(tick) for tick in ticks if self.low <= tick <= self.high]


def intervals(board: Leaderboard) -> Sheet:
    rated = [entry for entry in board.entries if entry.score is not None]
    unrated = [entry for entry in board.entries if entry.score is None]
    listed = unrated[:MOST_UNRATED]
    names = [fitted(entry.model.name, LONGEST_NAME) for entry in (*rated, *listed)]
    ranks = [_rank(entry) for entry in rated]
    x_name = MARGIN + (max(0.35, *map(length_of, ranks)) + 0.2 if rated else 0.0)
    scale = _Scale(*_limits(rated))
    head_name, head_score = (length_of(head, SMALL, is_bold=True) for head in ("Model", "Score"))
    # Names end before the plot begins, and the heads of columns before the numbers of the scale that stand beside them.
    x_plot = x_name + max(max(map(length_of, names)) + 0.35, head_name + 0.15 + scale.overhang)
    x_score = x_plot + _PLOT + max(0.75, scale.overhang + 0.15 + head_score)
    x_votes = x_score + 0.75
    scale = replace(scale, x=x_plot)
    caption = wrapped(_said_of_intervals(board, rated, scale), x_votes + MARGIN)
    y_head = 0.82 + SMALL_LINE * len(caption)
    y_rated = y_head + 0.3
    y_unrated = y_rated + _ROW * len(rated) + (0.1 if rated else 0.0)
    n_more = len(unrated) - len(listed)
    n_rows = (1 + len(listed) + (n_more > 0)) if unrated else 0
    sheet = Sheet(x_votes + MARGIN, y_unrated + _ROW * n_rows + MARGIN - _ROW / 2, "Scores")
    sheet.paragraph(caption)
    heads = [("Model", x_name, "left"), ("Votes", x_votes, "right")]
    heads += [("Rank", MARGIN, "left"), ("Score", x_score, "right")] if rated else []
    for head, x, align in heads:
        sheet.text(x, y_head, head, size=SMALL, colour=SOFT, align=align, is_bold=True)

    for tick in scale.ticks if rated else []:
        x, y_end = scale.place(tick), y_rated + _ROW * (len(rated) - 0.5)
        sheet.line([x, x], [y_head + 0.12, y_end], colour=LINE)
        for y in (y_head, y_end + 0.1) if len(rated) > FITS_ON_A_SCREEN else (y_head,):
            sheet.text(x, y, _tick(tick), size=SMALL, colour=SOFT, align="center")
    for number, (entry, rank) in enumerate(zip(rated, ranks, strict=True)):
        y = y_rated + _ROW * number
        if number and entry.tier != rated[number - 1].tier:
            sheet.line([MARGIN, x_votes], [y - _ROW / 2] * 2, colour=TIER)
        _draw_interval(sheet, scale, entry, y)
        sheet.text(MARGIN, y, rank)
        sheet.text(x_score, y, f"{entry.score:,.{_digits(board)}f}", align="right")
    if unrated:
        sheet.text(x_name, y_unrated, "Not rated", size=SMALL, colour=SOFT, is_bold=True)
    for number, entry in enumerate(listed, 1):
        reason = fitted(entry.reason or "", x_score - x_plot, SMALL)
        sheet.text(x_plot, y_unrated + _ROW * number, reason, size=SMALL, colour=SOFT)
    if n_more:
        sheet.text(x_name, y_unrated + _ROW * (n_rows - 1), f"and {n_more:,} more", size=SMALL, colour=SOFT)
    rows = [y_rated + _ROW * number for number in range(len(rated))]
    rows += [y_unrated + _ROW * number for number in range(1, len(listed) + 1)]
    for y, entry, name in zip(rows, (*rated, *listed), names, strict=True):
        sheet.text(x_name, y, name)
        sheet.text(x_votes, y, f"{entry.n_votes:,}", align="right", colour=SOFT)
    return sheet


def _said_of_intervals(board: Leaderboard, rated: Sequence[Entry], scale: _Scale) -> Iterator[str]:
    n_out = sum(board.dropped.values())
    yield f"Method {board.method}; {said_votes(board.n_votes)} counted, {n_out:,} left out."
    if not rated:
        return
    yield f"Lines are {board.confidence * 100:g} % intervals: {board.intervals}."
    if any(entry.rank_low != entry.rank_high for entry in rated):
        yield "Ranks joined by a dash are the best and the worst that a model may have."
    if len({entry.tier for entry in rated}) > 1:
        yield "Lines across part tiers: the models of one cannot be told apart from its first."
    if any(entry.provisional for entry in rated):
        below = board.settings.get("provisional_below")
        yield "Hollow: provisional" + (f", fewer than {below:,} votes." if below else ".")
    if any(entry.low is None for entry in rated):
        yield "A point without a line has no honest interval."
    if any(entry.low is not None and not scale.low <= entry.low <= (entry.high or 0) <= scale.high for entry in rated):
        yield "An arrow: the interval goes on."


def _draw_interval(sheet: Sheet, scale: _Scale, entry: Entry, y: float) -> None:
    if entry.low is not None and entry.high is not None:
        ends = [scale.place(min(max(end, scale.low), scale.high)) for end in (entry.low, entry.high)]
        sheet.line(ends, [y, y], colour=SOFT, width=1.4)
        for x, kind, goes_on in zip(ends, "<>", (entry.low < scale.low, entry.high > scale.high), strict=True):
            if goes_on:
                sheet.mark(x, y, kind, fill=SOFT, edge=SOFT, size=3.5)
    x = scale.place(entry.score or 0.0)
    sheet.mark(x, y, "o", fill=PAPER if entry.provisional else ACCENT, edge=ACCENT)


def _limits(rated: Sequence[Entry]) -> tuple[float, float]:
    """All scores, and all intervals but those of provisional models, which may be so wide that nobody else is seen."""
    settled = [entry for entry in rated if not entry.provisional] or rated
    ends = [end for entry in settled for end in (entry.low, entry.high) if end is not None]
    values = [*ends, *(entry.score for entry in rated if entry.score is not None)] or [0.0]
    low, high = min(values), max(values)
    room = (high - low) * 0.03 or 1.0
    return low - room, high + room


def _tick(score: float) -> str:
    return f"{score:,.10g}"


def _rank(entry: Entry) -> str:
    return f"{entry.rank}" if entry.rank_low == entry.rank_high else f"{entry.rank_low}–{entry.rank_high}"


def _digits(board: Leaderboard) -> int:
    return 1 if board.method == "win-rate" else 0
