"""What was measured, and the tables that show it."""

from collections.abc import Sequence
from dataclasses import dataclass

FLOOR = "floor"
OURS = "bakeoff"


@dataclass(frozen=True)
class Size:
    """A file of votes."""

    n_votes: int
    n_models: int

    def __str__(self) -> str:
        for unit, name in ((1_000_000, "M"), (1000, "k")):
            if self.n_votes % unit == 0:
                return f"{self.n_votes // unit}{name}x{self.n_models}"
        return f"{self.n_votes}x{self.n_models}"


TARGET_SIZE = Size(1_000_000, 130)


@dataclass(frozen=True)
class Figure:
    """One contender's whole process on one job: the median of `runs`, in seconds.

    `seconds` is None where nothing can be said, and `failure` says why. `scaled_from` holds the rounds that were run
    where the job's rounds would have taken too long; `peak_mb` belongs to those then, and is less than the job's.
    `timed_out` means that it took more than `seconds`. `points_off` is the largest difference of a score from ours, or
    from the first contender with scores where we have none, both centred; `width` the median ratio of the intervals'
    widths. `target` is at most so many floors for us, at least so many times our time for a peer.
    """

    size: Size
    job: str
    contender: str
    seconds: float | None
    peak_mb: float | None
    runs: tuple[float, ...] = ()
    scaled_from: tuple[int, ...] = ()
    timed_out: bool = False
    failure: str | None = None
    points_off: float | None = None
    width: float | None = None
    target: float | None = None


def rows(figures: Sequence[Figure]) -> list[list[str]]:
    """A table of one size: its head, then a row a figure."""
    head = ["job", "contender", "seconds", "x floor", "bakeoff is faster", "peak MB", "points off", "width", "target"]
    by_key = {(figure.job, figure.contender): figure for figure in figures}
    table = [head]
    for figure in figures:
        floor, ours = by_key.get((figure.job, FLOOR)), by_key.get((figure.job, OURS))
        floors = _ratio(figure, floor) if figure.contender != FLOOR else None
        faster = _ratio(figure, ours) if figure.contender not in (FLOOR, OURS) else None
        table.append(
            [
                figure.job,
                figure.contender,
                seconds(figure),
                _times(figure, floors),
                _times(figure, faster),
                _peak(figure),
                "" if figure.points_off is None else f"{figure.points_off:.2g}",
                "" if figure.width is None else f"{figure.width:.2f}",
                _verdict(figure, floors if figure.contender == OURS else faster),
            ]
        )
    return table


def rows_by_size(figures: Sequence[Figure]) -> list[list[str]]:
    """Seconds only: a row a job and contender, a column a size."""
    sizes = list(dict.fromkeys(figure.size for figure in figures))
    cells = {(figure.job, figure.contender, figure.size): seconds(figure) for figure in figures}
    keys = list(dict.fromkeys((figure.job, figure.contender) for figure in figures))
    return [
        ["job", "contender", *map(str, sizes)],
        *([*key, *(cells.get((*key, s), "") for s in sizes)] for key in keys),
    ]


def notes(figures: Sequence[Figure]) -> list[str]:
    """What a reader of the tables must know: which figures were scaled from fewer rounds, and what failed."""
    said = []
    for figure in figures:
        if figure.scaled_from:
            few = " and ".join(map(str, figure.scaled_from))
            said.append(f"~ {figure.size}, {figure.job}, {figure.contender}: not run; {few} rounds only, scaled")
        if figure.failure is not None:
            said.append(f"{figure.size}, {figure.job}, {figure.contender}: {figure.failure}")
    return said


def to_text(table: Sequence[Sequence[str]], *, markdown: bool = False) -> str:
    """Aligned columns, for a terminal or as Markdown."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    if markdown:
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
        lines.insert(1, "|---|---" + "|---:" * (len(table[0]) - 2) + "|")
    return "\n".join(lines)


def seconds(figure: Figure) -> str:
    """Its time, with a tilde if scaled, a sign if there was not enough of it, or that it failed."""
    if figure.seconds is None:
        return "failed"
    return _sign(figure) + (f"{figure.seconds:.0f}" if figure.seconds >= 100 else f"{figure.seconds:.2f}")


def _ratio(figure: Figure, other: Figure | None) -> float | None:
    if figure.seconds is None or other is None or other.seconds is None or other.timed_out:
        return None
    return figure.seconds / other.seconds


def _times(figure: Figure, ratio: float | None) -> str:
    return "" if ratio is None else _sign(figure) + (f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}")


def _peak(figure: Figure) -> str:
    if figure.peak_mb is None:
        return ""
    return f"{'≥ ' if figure.scaled_from or figure.timed_out else ''}{figure.peak_mb:.0f}"


def _sign(figure: Figure) -> str:
    return "> " if figure.timed_out else "~" if figure.scaled_from else ""


def _verdict(figure: Figure, ratio: float | None) -> str:
    """Whether a target is reached; not decided where a peer failed, or was stopped before it was slow enough."""
    if figure.target is None or figure.size != TARGET_SIZE:
        return ""
    if figure.contender == OURS:
        reached = ratio is not None and not figure.timed_out and ratio <= figure.target
        return f"≤ {figure.target:g} floors: {'reached' if reached else 'not reached'}"
    if ratio is not None and ratio >= figure.target:
        verdict = "reached"
    else:
        verdict = "not decided" if ratio is None or figure.timed_out else "not reached"
    return f"≥ {figure.target:g} x faster: {verdict}"
