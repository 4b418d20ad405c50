"""The Leaderboard page: the latest snapshot as a table with its intervals drawn in it, and what it was made of.

The table comes by an event when the page is opened, never with Gradio's configuration, which is the same for all
pages' readers: no model's name may stand there.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

import gradio as gr

from arena.batch import RatingJob
from arena.battle import Source
from arena.leaderboard import Entry, Leaderboard, Snapshot
from arena.printout import how_certain
from arena.ui.page import Frame, html

_SOURCE_NAMES: Mapping[Source, str] = {
    Source.HUMAN: "people",
    Source.AI_JUDGE: "AI judges",
    Source.RULE: "rules",
    Source.IMPORT: "imported files",
    Source.SIMULATED: "simulation",
}


def build(
    page: gr.Blocks,
    frame: Frame,
    *,
    job: RatingJob,
    count_votes: Callable[[], int],
    rate_every_seconds: float,
    rate_every_votes: int,
) -> None:
    """Put the header and an empty place for the board on the page, and fill it whenever the page is opened."""

    def show_board() -> tuple[str, str]:
        snapshot = job.latest()
        hint = recompute_hint(rate_every_seconds, rate_every_votes)
        if snapshot is None:
            content = nothing_yet_html(count_votes(), job.failure, hint)
        else:
            content = board_html(snapshot, hint=hint, n_newer=count_votes() - snapshot.n_log, failure=job.failure)
        return frame.header("/leaderboard", aside=_as_of(snapshot)), content

    with page:
        header = html(frame.header("/leaderboard"), page_title=frame.page_title("Leaderboard"))
        board = html()
        page.load(show_board, None, [header, board], api_visibility="private", show_progress="hidden")


def recompute_hint(every_seconds: float, after_votes: int) -> str:
    """When the board is computed again, in words."""
    votes = "every new vote" if after_votes == 1 else f"{after_votes:,} new votes, sooner while there are few"
    return f"Recomputed after {votes}, and within {_duration(every_seconds)} of any."


def board_html(snapshot: Snapshot, *, hint: str, n_newer: int = 0, failure: str | None = None) -> str:
    """The board as HTML: rated models best first, then those without a rating, then what it was made of.

    n_newer votes came in since; failure says why a newer board could not be computed.
    """
    board = snapshot.leaderboard
    axis = _Axis(board.entries)
    rated = [entry for entry in board.entries if entry.score is not None]
    unrated = [entry for entry in board.entries if entry.score is None]
    rows = [_rated_row(entry, axis, is_last_of_group=_is_separated(rated, i)) for i, entry in enumerate(rated)]
    rows += [_unrated_row(entry) for entry in unrated]
    interval = f"{board.confidence * 100:g} % interval"
    return _page(
        '<div class="scroll"><table class="board"><thead><tr><th scope="col">Rank</th><th scope="col">Model</th>'
        f'<th scope="col" class="n">Score</th><th scope="col" class="wide">{interval}{axis.labels()}</th>'
        '<th scope="col" class="n">Votes</th><th scope="col" class="wide">Organisation</th>'
        f'<th scope="col" class="wide">Licence</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f'<div class="facts">{_facts(snapshot, hint, n_newer, failure)}</div>'
    )


def _page(content: str) -> str:
    return f'<div class="board-page"><h1 class="unseen">Leaderboard</h1>{content}</div>'


def nothing_yet_html(n_votes: int, failure: str | None, hint: str) -> str:
    """What stands in place of a board: there is no vote, or none was computed yet, or `failure` says why not."""
    title, text = "Not computed yet", f"The first leaderboard is on its way. {hint}"
    if n_votes == 0:
        title, text = "No votes yet", "The leaderboard starts with the first votes, and anybody can cast them."
    elif failure is not None:
        title, text = "No leaderboard from these votes", f"{failure[0].upper()}{failure[1:]}. {hint}"
    return _page(
        f'<section class="state"><h2>{title}</h2><p>{escape(text)}</p>'
        '<p class="row"><a class="go" href="./">Go to the arena</a></p></section>'
    )


def _rated_row(entry: Entry, axis: "_Axis", *, is_last_of_group: bool) -> str:
    assert entry.score is not None  # noqa: S101 - the caller asked
    tag = (
        ' <span class="tag" title="Few votes: this may still move a lot">provisional</span>'
        if entry.provisional
        else ""
    )
    return (
        f"<tr{' class=group' if is_last_of_group else ''}>"
        f'<td class="rank">{_rank(entry)}</td>{_model_cell(entry, tag)}'
        f'<td class="n score">{entry.score:,.0f}<small class="narrow">{escape(_range(entry))}</small></td>'
        f'<td class="wide">{axis.drawing(entry)}</td><td class="n">{entry.n_votes:,}</td>{_fact_cells(entry)}</tr>'
    )


def _unrated_row(entry: Entry) -> str:
    reason = escape(entry.reason or "no rating")
    return (
        f'<tr class="unrated"><td class="rank">–</td>{_model_cell(entry, f"<small class=narrow>{reason}</small>")}'
        f'<td class="n score">–</td><td class="wide quiet">{reason}</td><td class="n">{entry.n_votes:,}</td>'
        f"{_fact_cells(entry)}</tr>"
    )


def _model_cell(entry: Entry, more: str) -> str:
    return f'<th scope="row" class="model"><bdi>{escape(entry.model.name)}</bdi>{more}</th>'


def _fact_cells(entry: Entry) -> str:
    facts = (entry.model.organization, entry.model.license)
    return "".join(f'<td class="wide">{escape(fact) if fact else "–"}</td>' for fact in facts)


def _rank(entry: Entry) -> str:
    low, high = entry.rank_low, entry.rank_high
    if low is None or high is None:
        return "–" if entry.rank is None else str(entry.rank)
    return str(low) if low == high else f"{low}–{high}"


def _range(entry: Entry) -> str:
    if entry.low is None or entry.high is None:
        return "no interval"
    return f"{entry.low:,.0f}–{entry.high:,.0f}"


def _is_separated(rated: Sequence[Entry], index: int) -> bool:
    """Whether every model up to this one ranks above every model below it, whatever the truth in their ranges."""
    if index == len(rated) - 1:
        return False
    above = [entry.rank_high for entry in rated[: index + 1]]
    below = [entry.rank_low for entry in rated[index + 1 :]]
    if None in above or None in below:
        return False
    return max(rank for rank in above if rank) < min(rank for rank in below if rank)


class _Axis:
    """Where a score stands in the drawn column, in percent of its width, with round numbers as marks."""

    def __init__(self, entries: Sequence[Entry]):
        drawn = [value for e in entries for value in (e.low, e.score, e.high) if value is not None]
        low, high = (min(drawn), max(drawn)) if drawn else (0.0, 1.0)
        self._is_empty = not drawn
        margin = max((high - low) * 0.04, 1.0)
        self._low, self._high = low - margin, high + margin
        step = _round_step((self._high - self._low) / 4)
        first, last = math.ceil(self._low / step), math.floor(self._high / step)
        self._marks = [i * step for i in range(first, last + 1)]

    def labels(self) -> str:
        """The marks with their numbers, for the head of the column."""
        if self._is_empty:
            return ""
        numbers = "".join(f'<span style="left:{self._at(mark)}">{mark:,.0f}</span>' for mark in self._marks)
        return f'<span class="axis" aria-hidden="true">{numbers}</span>'

    def drawing(self, entry: Entry) -> str:
        """One interval as a line with the score as a dot on it; its numbers for those who cannot see it."""
        assert entry.score is not None  # noqa: S101 - the caller asked
        marks = "".join(f'<s style="left:{self._at(mark)}"></s>' for mark in self._marks)
        if entry.low is None or entry.high is None:
            return f'<span class="quiet">{escape(entry.reason or "no interval")}</span>'
        text = _range(entry)
        width = 100 * (entry.high - entry.low) / (self._high - self._low)
        line = f'<i style="left:{self._at(entry.low)};width:{width:.2f}%"></i>'
        return (
            f'<div class="ci" title="{escape(text)}">{marks}{line}<u style="left:{self._at(entry.score)}"></u>'
            f'<span class="unseen">{escape(text)}</span></div>'
        )

    def _at(self, score: float) -> str:
        return f"{100 * (score - self._low) / (self._high - self._low):.2f}%"


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, … that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(max(rough, 1.0)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= max(rough, 1.0) * (1 - 1e-9))


def _facts(snapshot: Snapshot, hint: str, n_newer: int, failure: str | None) -> str:
    board = snapshot.leaderboard
    sources = " and ".join(_SOURCE_NAMES[source] for source in snapshot.sources)
    votes = "1 vote" if board.n_votes == 1 else f"{board.n_votes:,} votes"
    counted = (
        f"Ranks joined by a dash cannot be told apart by these votes. {votes} counted, {_left_out(board)} "
        f"{board.counted_as}"
    )
    computed = (
        f"Computed {snapshot.computed_at:%Y-%m-%d %H:%M} UTC from votes by {sources}, as of vote number "
        f"{snapshot.n_log:,} (snapshot {snapshot.id}). {hint}"
    )
    method = (
        f"Method {board.method}; intervals: {how_certain(board)}; seed {board.seed}, version {snapshot.app_version}."
    )
    newer = f"{n_newer:,} newer {'vote is' if n_newer == 1 else 'votes are'} not counted yet." if n_newer else ""
    failed = f"The latest attempt at a newer board failed: {failure}." if failure else ""
    return "".join(f"<p>{escape(line)}</p>" for line in (counted, newer, failed, computed, method) if line)


def _left_out(board: Leaderboard) -> str:
    reasons = [f"{reason} ({n:,})" for reason, n in board.dropped.items() if n]
    total = sum(board.dropped.values())
    return f"{total:,} left out: {', '.join(reasons)}." if reasons else "none left out."


def _as_of(snapshot: Snapshot | None) -> str:
    return f"as of {snapshot.computed_at:%H:%M} UTC · snapshot {snapshot.id[:6]}" if snapshot else ""


def _duration(seconds: float) -> str:
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds:g} seconds"
    if seconds < 7200:
        return f"{seconds / 60:.3g} minutes"
    return f"{seconds / 3600:.3g} hours"
