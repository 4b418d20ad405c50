"""Three pictures of a board: the scores with their intervals, who met whom, and who beat whom.

A picture is laid out in inches on an empty sheet, from the size of its names and the number of its models, so that two
models and two hundred can both be read. The same board gives the same bytes with the same version of Matplotlib, which
is needed here only and is no part of a plain installation.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.battle import Verdict
from arena.errors import BadInput
from arena.leaderboard import Entry, Leaderboard
from arena.rows import Counted
from arena.table import draft_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.floating[Any]]
Colours = NDArray[np.floating[Any]]
"""Red, green, blue from 0 to 1 in the last axis."""

MOST_IN_A_MATRIX = 60
"""Models in a matrix; it shows the first of a longer board."""

MOST_UNRATED = 20
"""Models without a score that are listed below the others."""

_INK, _SOFT, _LINE, _PAPER = "#1d1b16", "#6b675d", "#e4e1d8", "#ffffff"
_ACCENT, _SIDE_A = "#2f5bd3", "#b4541a"
_FEWEST, _EVEN = "#dfe6fa", "#dcd6ca"
_HATCH = "#c9c4b6"  # of pairs without a vote: no colour of the scale has lines
_TIER = "#a39d8d"  # darker than the lines of the scale

_TEXT, _SMALL, _TINY, _TITLE = 9.0, 8.0, 6.5, 12.0  # points
_ROW = 0.225  # inches from one line of the intervals to the next
_MARGIN = 0.3
_LONGEST_NAME = 2.8
_PLOT = 5.0  # inches from the lowest score to the highest
_SMALL_LINE = 0.17
_NARROWEST = 6.0
_MOST_WITH_NUMBERS = 20
_FITS_ON_A_SCREEN = 30
_DPI = 150
_MOST_PIXELS = 60_000  # on a side; Agg draws no more than 65,535
# Matplotlib's own font has no Chinese, Japanese, Korean or emoji; where one of these is installed it fills in.
_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans", "Noto Sans Arabic", "Noto Sans Devanagari")


def write_plots(directory: Path, board: Leaderboard, counted: Counted) -> list[Path]:
    """Write intervals, battles and wins, each as .svg and .png, and return their paths.

    `counted` are the votes behind the board. The folder is made if it is not there, files in it are replaced. Raises
    BadInput if Matplotlib is not installed or a file cannot be written.
    """
    with _matplotlib():
        meetings = _Meetings.of(board, counted)
        sheets = {"intervals": _intervals(board), "battles": _battles(meetings), "wins": _wins(board, meetings)}
        return [
            _write(sheet.figure, directory / f"{name}.{ending}")
            for name, sheet in sheets.items()
            for ending in _ENDINGS
        ]


@contextmanager
def _matplotlib() -> Iterator[None]:
    """Matplotlib as it comes, whatever this machine's settings for it are, and these as before at the end."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - not installed everywhere, and slow to load
    except ImportError as error:
        raise BadInput("pictures need Matplotlib: pip install 'bakeoff-arena[plots]'") from error
    from matplotlib.font_manager import fontManager  # noqa: PLC0415

    installed = set(fontManager.get_font_names())
    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that no font here has is drawn as boxes, which everybody sees.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams["font.family"] = ["DejaVu Sans", *(font for font in _FONTS if font in installed)]
        mpl.rcParams["svg.hashsalt"] = "bakeoff"
        mpl.rcParams["hatch.linewidth"] = 0.5
        yield


_ENDINGS = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
"""What would change with the day or the version stays out of the files."""


def _write(figure: "Figure", path: Path) -> Path:
    draft = draft_of(path)
    ending = path.suffix[1:]
    dpi = min(_DPI, _MOST_PIXELS / max(figure.get_size_inches()))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(draft, format=ending, dpi=dpi, metadata=_ENDINGS[ending])
        draft.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    return path


class _Sheet:
    """An empty picture with a title, measured in inches from its upper left corner."""

    def __init__(self, width: float, height: float, title: str):
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415

        self.width = width
        self.figure = Figure(figsize=(width, height), facecolor=_PAPER)
        FigureCanvasAgg(self.figure)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._axes.axis("off")
        self.text(_MARGIN, 0.38, title, size=_TITLE, is_bold=True)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = _TEXT,
        colour: str = _INK,
        align: str = "left",
        is_bold: bool = False,
        is_upright: bool = False,
    ) -> None:
        """A line whose small letters are centred on y; upright it runs upwards from there, centred on x."""
        self._axes.text(
            x,
            y,
            text,
            size=size,
            color=colour,
            weight="bold" if is_bold else "normal",
            ha="center" if is_upright else align,
            va="bottom" if is_upright else "center_baseline",
            rotation=90 if is_upright else 0,
            parse_math=False,  # a dollar in a name is a dollar
        )

    def paragraph(self, lines: Sequence[str]) -> None:
        """Quiet words below the title."""
        for number, line in enumerate(lines):
            self.text(_MARGIN, 0.68 + number * _SMALL_LINE, line, size=_SMALL, colour=_SOFT)

    def line(self, x: Sequence[float], y: Sequence[float], *, colour: str, width: float = 0.75) -> None:
        """Straight from point to point."""
        self._axes.plot(x, y, color=colour, linewidth=width, solid_capstyle="butt", zorder=1, clip_on=False)

    def mark(self, x: float, y: float, kind: str, *, fill: str, edge: str, size: float = 5.5) -> None:
        """A point."""
        self._axes.plot(
            [x], [y], marker=kind, markersize=size, markerfacecolor=fill, markeredgecolor=edge, zorder=3, clip_on=False
        )

    def squares(self, x: Floats, y: Floats, sides: Floats, colours: Colours) -> None:
        """Squares by their centres."""
        from matplotlib.collections import PolyCollection  # noqa: PLC0415

        at = np.stack((x, y), axis=-1)[:, np.newaxis] + sides[:, np.newaxis, np.newaxis] * _CORNERS
        self._axes.add_collection(PolyCollection(list(at), facecolors=colours, edgecolors="none", zorder=2))

    def hatched(self, x: Floats, y: Floats, side: float) -> None:
        """Squares of which only the hatching is seen, by their centres."""
        from matplotlib.collections import PolyCollection  # noqa: PLC0415

        at = np.stack((x, y), axis=-1)[:, np.newaxis] + side * _CORNERS
        # The colour of the edges is that of the hatching, and as wide as nothing they are not seen themselves.
        cells = PolyCollection(list(at), facecolors="none", edgecolors=_HATCH, linewidths=0, hatch="/////", zorder=2)
        self._axes.add_collection(cells)


_CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2


def _length(text: str, size: float = _TEXT, *, is_bold: bool = False) -> float:
    """Of a line of text, in inches."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    font = FontProperties(size=size, weight="bold" if is_bold else "normal")
    return RendererAgg(1, 1, 72).get_text_width_height_descent(text, font, ismath=False)[0] / 72


def _fitted(text: str, length: float, size: float = _TEXT) -> str:
    """The text on one line, its end cut off where it is longer than this many inches."""
    text = " ".join(text.split())
    if _length(text, size) <= length:
        return text
    while text and _length(text + "…", size) > length:
        text = text[:-1]
    return text.rstrip() + "…"


def _wrapped(sentences: Iterable[str], width: float) -> list[str]:
    """The words in lines that fit between the margins."""
    lines = [""]
    for word in " ".join(sentences).split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _length(longer, _SMALL) > width - 2 * _MARGIN:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


# Scores and intervals


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
        return max(_length(_tick(tick), _SMALL) for tick in self.ticks) / 2

    @property
    def ticks(self) -> list[float]:
        from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

        ticks = MaxNLocator(nbins=7, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        return [float(tick) for tick in ticks if self.low <= tick <= self.high]


def _intervals(board: Leaderboard) -> _Sheet:
    rated = [entry for entry in board.entries if entry.score is not None]
    unrated = [entry for entry in board.entries if entry.score is None]
    listed = unrated[:MOST_UNRATED]
    names = [_fitted(entry.model.name, _LONGEST_NAME) for entry in (*rated, *listed)]
    ranks = [_rank(entry) for entry in rated]
    x_name = _MARGIN + (max(0.35, *map(_length, ranks)) + 0.2 if rated else 0.0)
    scale = _Scale(*_limits(rated))
    head_name, head_score = (_length(head, _SMALL, is_bold=True) for head in ("Model", "Score"))
    # Names end before the plot begins, and the heads of columns before the numbers of the scale that stand beside them.
    x_plot = x_name + max(max(map(_length, names)) + 0.35, head_name + 0.15 + scale.overhang)
    x_score = x_plot + _PLOT + max(0.75, scale.overhang + 0.15 + head_score)
    x_votes = x_score + 0.75
    scale = replace(scale, x=x_plot)
    caption = _wrapped(_said_of_intervals(board, rated, scale), x_votes + _MARGIN)
    y_head = 0.82 + _SMALL_LINE * len(caption)
    y_rated = y_head + 0.3
    y_unrated = y_rated + _ROW * len(rated) + (0.1 if rated else 0.0)
    n_more = len(unrated) - len(listed)
    n_rows = (1 + len(listed) + (n_more > 0)) if unrated else 0
    sheet = _Sheet(x_votes + _MARGIN, y_unrated + _ROW * n_rows + _MARGIN - _ROW / 2, "Scores")
    sheet.paragraph(caption)
    heads = [("Model", x_name, "left"), ("Votes", x_votes, "right")]
    heads += [("Rank", _MARGIN, "left"), ("Score", x_score, "right")] if rated else []
    for head, x, align in heads:
        sheet.text(x, y_head, head, size=_SMALL, colour=_SOFT, align=align, is_bold=True)

    for tick in scale.ticks if rated else []:
        x, y_end = scale.place(tick), y_rated + _ROW * (len(rated) - 0.5)
        sheet.line([x, x], [y_head + 0.12, y_end], colour=_LINE)
        for y in (y_head, y_end + 0.1) if len(rated) > _FITS_ON_A_SCREEN else (y_head,):
            sheet.text(x, y, _tick(tick), size=_SMALL, colour=_SOFT, align="center")
    for number, (entry, rank) in enumerate(zip(rated, ranks, strict=True)):
        y = y_rated + _ROW * number
        if number and entry.tier != rated[number - 1].tier:
            sheet.line([_MARGIN, x_votes], [y - _ROW / 2] * 2, colour=_TIER)
        _draw_interval(sheet, scale, entry, y)
        sheet.text(_MARGIN, y, rank)
        sheet.text(x_score, y, f"{entry.score:,.{_digits(board)}f}", align="right")
    if unrated:
        sheet.text(x_name, y_unrated, "Not rated", size=_SMALL, colour=_SOFT, is_bold=True)
    for number, entry in enumerate(listed, 1):
        reason = _fitted(entry.reason or "", x_score - x_plot, _SMALL)
        sheet.text(x_plot, y_unrated + _ROW * number, reason, size=_SMALL, colour=_SOFT)
    if n_more:
        sheet.text(x_name, y_unrated + _ROW * (n_rows - 1), f"and {n_more:,} more", size=_SMALL, colour=_SOFT)
    rows = [y_rated + _ROW * number for number in range(len(rated))]
    rows += [y_unrated + _ROW * number for number in range(1, len(listed) + 1)]
    for y, entry, name in zip(rows, (*rated, *listed), names, strict=True):
        sheet.text(x_name, y, name)
        sheet.text(x_votes, y, f"{entry.n_votes:,}", align="right", colour=_SOFT)
    return sheet


def _said_of_intervals(board: Leaderboard, rated: Sequence[Entry], scale: _Scale) -> Iterator[str]:
    n_out = sum(board.dropped.values())
    yield f"Method {board.method}; {_votes(board.n_votes)} counted, {n_out:,} left out."
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


def _draw_interval(sheet: _Sheet, scale: _Scale, entry: Entry, y: float) -> None:
    if entry.low is not None and entry.high is not None:
        ends = [scale.place(min(max(end, scale.low), scale.high)) for end in (entry.low, entry.high)]
        sheet.line(ends, [y, y], colour=_SOFT, width=1.4)
        for x, kind, goes_on in zip(ends, "<>", (entry.low < scale.low, entry.high > scale.high), strict=True):
            if goes_on:
                sheet.mark(x, y, kind, fill=_SOFT, edge=_SOFT, size=3.5)
    x = scale.place(entry.score or 0.0)
    sheet.mark(x, y, "o", fill=_PAPER if entry.provisional else _ACCENT, edge=_ACCENT)


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


def _votes(n: float) -> str:
    return f"{n:,.0f} vote{'' if n == 1 else 's'}"


def _rank(entry: Entry) -> str:
    return f"{entry.rank}" if entry.rank_low == entry.rank_high else f"{entry.rank_low}–{entry.rank_high}"


def _digits(board: Leaderboard) -> int:
    return 1 if board.method == "win-rate" else 0


# Who met whom, and who beat whom


@dataclass(frozen=True, eq=False)
class _Meetings:
    """Votes between the models of a board, in its order; entry [i, j] is about row i against column j."""

    names: list[str]
    votes: Floats
    won: Floats
    """A tie is half a win."""
    n_models: int
    """On the board: more than the names where the matrix is cut."""

    @classmethod
    def of(cls, board: Leaderboard, counted: Counted) -> "_Meetings":
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
        yield f"{_votes(self.votes.sum() / 2)} on {n_met:,} of {n_pairs:,} pairs. Best models first."
        if self.n_models > len(self.names):
            yield f"The first {len(self.names)} of {self.n_models} models."


def _battles(meetings: _Meetings) -> _Sheet:
    most = max(float(meetings.votes.max()), 1.0)
    depth = np.sqrt(meetings.votes / most)

    def colour(share: Floats) -> Colours:
        return _blended(_FEWEST, _ACCENT, share)

    # The root of a quarter is a half: the colour in the middle.
    legend = _Legend("Votes on a pair", ["0", f"{most / 4:,.0f}" if most >= 10 else "", f"{most:,.0f}"], colour)
    caption = ["How many votes each pair of models has.", *meetings.said()]
    sheet, x, y, side = _matrix("Battles", meetings, caption, legend)
    met = np.nonzero(meetings.votes)
    sheet.squares(x[met[1]], y[met[0]], np.full(len(met[0]), 0.94 * side), colour(depth[met]))
    for k in range(len(met[0]) if meetings.has_numbers else 0):
        at = float(x[met[1][k]]), float(y[met[0][k]])
        number = _short(float(meetings.votes[met][k]))
        sheet.text(*at, number, size=_SMALL, align="center", colour=_readable_on(colour(depth[met][k])))
    return sheet


def _wins(board: Leaderboard, meetings: _Meetings) -> _Sheet:
    met = np.nonzero(meetings.votes)
    votes = meetings.votes[met]
    shares = meetings.won[met] / votes

    def colour(share: Floats) -> Colours:
        to_win, to_loss = np.clip(2 * share - 1, 0, 1), np.clip(1 - 2 * share, 0, 1)
        is_win = (share >= 0.5)[..., np.newaxis]
        return np.where(is_win, _blended(_EVEN, _ACCENT, to_win), _blended(_EVEN, _SIDE_A, to_loss))

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
        ink = _readable_on(colour(shares[k]))
        sheet.text(column, row - 0.06, f"{100 * shares[k]:.0f}", align="center", colour=ink)
        sheet.text(column, row + 0.1, _short(float(votes[k])), size=_TINY, align="center", colour=ink)
    return sheet


@dataclass(frozen=True)
class _Legend:
    """What the colours mean: words, three numbers, and the colours from 0 to 1."""

    words: str
    numbers: Sequence[str]
    colour: Callable[[Floats], Colours]

    def draw(self, sheet: _Sheet, x: float, y: float) -> None:
        steps, side = 40, 2.0 / 40
        at = x + side * (np.arange(steps) + 0.5)
        for row in range(3):
            sides = np.full(steps, side * 1.03)  # a little more, so that no light shines between
            sheet.squares(at, np.full(steps, y + side * row), sides, self.colour(np.linspace(0, 1, steps)))
        sheet.text(x, y - 0.14, self.words, size=_SMALL, colour=_SOFT)
        for number, place, align in zip(self.numbers, (0.0, 1.0, 2.0), ("left", "center", "right"), strict=True):
            sheet.text(x + place, y + 0.25, number, size=_SMALL, colour=_SOFT, align=align)

    def draw_never(self, sheet: _Sheet, x: float, y: float) -> None:
        """Beside the colours, what is none of them."""
        side = 0.15
        sheet.hatched(np.array([x + 2.3 + side / 2]), np.array([y + 0.05]), side)
        sheet.text(x + 2.3 + side + 0.08, y + 0.05, "No vote", size=_SMALL, colour=_SOFT)


def _matrix(
    title: str, meetings: _Meetings, caption: Sequence[str], legend: _Legend
) -> tuple[_Sheet, Floats, Floats, float]:
    """A sheet with names on two sides and the cells of pairs that never met, and the centres of columns and rows."""
    n = len(meetings.names)
    side = 0.44 if meetings.has_numbers else 0.3 if n <= 2 * _MOST_WITH_NUMBERS else 0.22
    size = _TEXT if side > 0.25 else _SMALL
    names = [_fitted(name, _LONGEST_NAME, size) for name in meetings.names]
    longest = max(_length(name, size) for name in names)
    x_first = _MARGIN + longest + 0.12
    width = max(x_first + n * side + _MARGIN, _NARROWEST)
    lines = _wrapped(caption, width)
    y_legend = 0.9 + _SMALL_LINE * len(lines)
    y_first = y_legend + 0.5 + longest + 0.1
    sheet = _Sheet(width, y_first + n * side + _MARGIN, title)
    sheet.paragraph(lines)
    legend.draw(sheet, _MARGIN, y_legend)
    x, y = x_first + side * (np.arange(n) + 0.5), y_first + side * (np.arange(n) + 0.5)
    for number, name in enumerate(names):
        sheet.text(x_first - 0.08, y[number], name, size=size, align="right")
        sheet.text(x[number], y_first - 0.06, name, size=size, is_upright=True)
    never = ~np.eye(n, dtype=bool) & (meetings.votes == 0)
    if never.any():
        legend.draw_never(sheet, _MARGIN, y_legend)
    columns, rows = np.meshgrid(x, y)
    sheet.hatched(columns[never], rows[never], 0.94 * side)
    return sheet, x, y, side


def _short(n: float) -> str:
    """A count in at most four characters."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= unit * 0.9995:
            return f"{n / unit:.3g}{name}" if n / unit < 9.995 else f"{n / unit:.0f}{name}"
    return f"{n:.0f}"


def _rgb(colour: str) -> Colours:
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255


def _readable_on(background: Colours) -> str:
    """Ink or paper, whichever stands out more: the relative luminance of WCAG 2, where both do equally at 0.2."""
    linear = np.where(background <= 0.04045, background / 12.92, ((background + 0.055) / 1.055) ** 2.4)
    return _INK if linear @ (0.2126, 0.7152, 0.0722) > 0.2 else _PAPER


def _blended(colour: str, other: str, share: Floats) -> Colours:
    """From the one colour (share 0) to the other (share 1), shape (*shape of share, 3)."""
    return _rgb(colour) + np.asarray(share)[..., np.newaxis] * (_rgb(other) - _rgb(colour))
