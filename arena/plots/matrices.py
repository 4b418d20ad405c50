"""Who met whom, and who beat whom."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from arena.battle import Verdict
from arena.leaderboard import Leaderboard
from arena.plots.sheet import (
    ACCENT,
    EVEN,
    FEWEST,
    LONGEST_NAME,
    MARGIN,
    NARROWEST,
    SIDE_A,
    SMALL,
    SMALL_LINE,
    SOFT,
    TEXT,
    TINY,
    Colours,
    Floats,
    Sheet,
    blended,
    fitted,
    length_of,
    readable_on,
    said_votes,
    wrapped,
)
from arena.rows import Counted

MOST_IN_A_MATRIX = 60
"""Models in a matrix; it shows the first of a longer board."""

_MOST_WITH_NUMBERS = 20


@dataclass(frozen=True, eq=False)
class Meetings:
    """Votes between the models of a board, in its order; entry [i, j] is about row i against column j."""

    names: list[str]
    votes: Floats
    won: Floats
    """A tie is half a win."""
    n_models: int
    """On the board: more than the names where the matrix is cut."""

    @classmethod
    def of(cls, board: Leaderboard, counted: Counted) -> "Meetings":
        """The first models of the board, and those of the votes that its way to count takes."""
        shown = board.entries[:MOST_IN_A_MATRIX]
        place = {entry.model.id: number for number, entry in enumerate(shown)}
        places = np.array([place.get(model, -1) for model in counted.models], dtype=np.int64)
        a, b = places[counted.model_a], places[counted.model_b]
        verdicts = list(Verdict)
        taken = (a >= 0) & (b >= 0) & (a != b)
        if board.settings.get("both_bad") == "drop":
            taken &= counted.verdict != verdicts.index(Verdict.BOTH_BAD)
        a, b, verdict, n = a[taken], b[taken], counted.verdict[taken], counted.n[taken]
        of_a = np.full(len(verdicts), 0.5)
        of_a[verdicts.index(Verdict.A)], of_a[verdicts.index(Verdict.B)] = 1.0, 0.0
        votes, won = np.zeros((len(shown), len(shown))), np.zeros((len(shown), len(shown)))
        for one, other, share in ((a, b, of_a[verdict]), (b, a, 1 - of_a[verdict])):
            np.add.at(votes, (one, other), n)
            np.add.at(won, (one, other), n * share)
        return cls([entry.model.name for entry in shown], votes, won, len(board.entries))

    @property
    def has_numbers(self) -> bool:
        """Whether the cells are large enough for numbers."""
        return len(self.names) <= _MOST_WITH_NUMBERS

    def said(self) -> Iterator[str]:
        """How many pairs met, and who is not in the picture."""
        n_pairs = len(self.names) * (len(self.names) - 1) // 2
        n_met = int(np.count_nonzero(np.triu(self.votes)))
        yield f"{said_votes(self.votes.sum() / 2)} on {n_met:,} of {n_pairs:,} pairs. Best models first."
        if self.n_models > len(self.names):
            yield f"The first {len(self.names)} of {self.n_models} models."


def battles(meetings: Meetings) -> Sheet:
    most = max(float(meetings.votes.max()), 1.0)
    depth = np.sqrt(meetings.votes / most)

    def colour(share: Floats) -> Colours:
        return blended(FEWEST, ACCENT, share)

    # The root of a quarter is a half: the colour in the middle.
    legend = _Legend("Votes on a pair", ["0", f"{most / 4:,.0f}" if most >= 10 else "", f"{most:,.0f}"], colour)
    caption = ["How many votes each pair of models has.", *meetings.said()]
    sheet, x, y, side = _matrix("Battles", meetings, caption, legend)
    met = np.nonzero(meetings.votes)
    sheet.squares(x[met[1]], y[met[0]], np.full(len(met[0]), 0.94 * side), colour(depth[met]))
    for k in range(len(met[0]) if meetings.has_numbers else 0):
        at = float(x[met[1][k]]), float(y[met[0][k]])
        number = _short(float(meetings.votes[met][k]))
        sheet.text(*at, number, size=SMALL, align="center", colour=readable_on(colour(depth[met][k])))
    return sheet


def wins(board: Leaderboard, meetings: Meetings) -> Sheet:
    met = np.nonzero(meetings.votes)
    votes = meetings.votes[met]
    shares = meetings.won[met] / votes

    def colour(share: Floats) -> Colours:
        to_win, to_loss = np.clip(2 * share - 1, 0, 1), np.clip(1 - 2 * share, 0, 1)
        is_win = (share >= 0.5)[..., np.newaxis]
        return np.where(is_win, blended(EVEN, ACCENT, to_win), blended(EVEN, SIDE_A, to_loss))

    half = "A tie" if board.settings.get("both_bad") == "drop" else "A tie, or a both-bad verdict,"
    caption = [f"Share of its votes that the model of the row won against that of the column. {half} is half a win."]
    # Where three quarters of the pairs have fewer votes, the rest may as well be called full.
    full = max(float(np.quantile(votes, 0.75)), 1.0) if votes.size else 1.0
    fill = np.ones_like(votes)
    if meetings.has_numbers:
        caption.append("In per cent, with the votes below.")
    else:
        fill = np.sqrt(np.minimum(votes / full, 1.0))
        caption.append(f"The fewer votes, the smaller the square: {full:,.0f} or more fill it.")
    legend = _Legend("Share won", ["0 %", "50 %", "100 %"], colour)
    sheet, x, y, side = _matrix("Wins", meetings, [*caption, *meetings.said()], legend)
    sheet.squares(x[met[1]], y[met[0]], 0.94 * side * fill, colour(shares))
    for k in range(len(votes) if meetings.has_numbers else 0):
        column, row = float(x[met[1][k]]), float(y[met[0][k]])
        ink = readable_on(colour(shares[k]))
        sheet.text(column, row - 0.06, f"{100 * shares[k]:.0f}", align="center", colour=ink)
        sheet.text(column, row + 0.1, _short(float(votes[k])), size=TINY, align="center", colour=ink)
    return sheet


@dataclass(frozen=True)
class _Legend:
    """What the colours mean: words, three numbers, and the colours from 0 to 1."""

    words: str
    numbers: Sequence[str]
    colour: Callable[[Floats], Colours]

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        steps, side = 40, 2.0 / 40
        at = x + side * (np.arange(steps) + 0.5)
        for row in range(3):
            sides = np.full(steps, side * 1.03)  # a little more, so that no light shines between
            sheet.squares(at, np.full(steps, y + side * row), sides, self.colour(np.linspace(0, 1, steps)))
        sheet.text(x, y - 0.14, self.words, size=SMALL, colour=SOFT)
        for number, place, align in zip(self.numbers, (0.0, 1.0, 2.0), ("left", "center", "right"), strict=True):
            sheet.text(x + place, y + 0.25, number, size=SMALL, colour=SOFT, align=align)

    def draw_never(self, sheet: Sheet, x: float, y: float) -> None:
        """Beside the colours, what is none of them."""
        side = 0.15
        sheet.hatched(np.array([x + 2.3 + side / 2]), np.array([y + 0.05]), side)
        sheet.text(x + 2.3 + side + 0.08, y + 0.05, "No vote", size=SMALL, colour=SOFT)


def _matrix(
    title: str, meetings: Meetings, caption: Sequence[str], legend: _Legend
) -> tuple[Sheet, Floats, Floats, float]:
    """A sheet with names on two sides and the cells of pairs that never met, and the centres of columns and rows."""
    n = len(meetings.names)
    side = 0.44 if meetings.has_numbers else 0.3 if n <= 2 * _MOST_WITH_NUMBERS else 0.22
    size = TEXT if side > 0.25 else SMALL
    names = [fitted(name, LONGEST_NAME, size) for name in meetings.names]
    longest = max(length_of(name, size) for name in names)
    x_first = MARGIN + longest + 0.12
    width = max(x_first + n * side + MARGIN, NARROWEST)
    lines = wrapped(caption, width)
    y_legend = 0.9 + SMALL_LINE * len(lines)
    y_first = y_legend + 0.5 + longest + 0.1
    sheet = Sheet(width, y_first + n * side + MARGIN, title)
    sheet.paragraph(lines)
    legend.draw(sheet, MARGIN, y_legend)
    x, y = x_first + side * (np.arange(n) + 0.5), y_first + side * (np.arange(n) + 0.5)
    for number, name in enumerate(names):
        sheet.text(x_first - 0.08, y[number], name, size=size, align="right")
        sheet.text(x[number], y_first - 0.06, name, size=size, is_upright=True)
    never = ~np.eye(n, dtype=bool) & (meetings.votes == 0)
    if never.any():
        legend.draw_never(sheet, MARGIN, y_legend)
    columns, rows = np.meshgrid(x, y)
    sheet.hatched(columns[never], rows[never], 0.94 * side)
    return sheet, x, y, side


def _short(n: float) -> str:
    """A count in at most four characters."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= unit * 0.9995:
            return f"{n / unit:.3g}{name}" if n / unit < 9.995 else f"{n / unit:.0f}{name}"
    return f"{n:.0f}"
