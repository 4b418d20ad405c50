"""The host's review of a stopped arena: whom the checks flag, and the acts of leaving out and of taking in again."""

# ruff: noqa: PLC0415
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arena.battle import Source
from arena.cli.console import counted, dumped, existing, say, tell, with_db, with_json, with_sources

if TYPE_CHECKING:
    from arena.disagreement import Cluster, Overview, Share
    from arena.effect import Effect
    from arena.review import Findings

_SHOWN = 3
_WIDTH = 25
"""Of a share on paper, in characters from none to all."""

_NOTHING_SHARED = "no two voters have judged the same two answers: where they disagree is not known"
_GAPS = {"1": "small", "2": "medium", "3": "large"}

_with_reason = click.option("--reason", required=True, metavar="TEXT", help="Why, in one line; kept in the log.")
_with_name = click.option("--by", "decided_by", required=True, metavar="NAME", help="Who decides; kept in the log.")
_voter = click.argument("voter", metavar="VOTER", help="The voter, as `bakeoff review` names voters.")


@click.command()
@with_db
@with_sources
@with_json
def review(db: Path, *, sources: tuple[Source, ...] | None, as_json: bool) -> None:
    """List voters whose votes look rigged, with what leaving them out would change, and where voters disagree.

    Nobody is removed.
    """
    from arena.disagreement import Overview
    from arena.review import Review
    from arena.store import VoteStore

    with VoteStore.open(existing(db)) as store:
        asked = Review(store, sources=sources, on_failure=lambda what, error: say(f"{what} failed: {error}"))
        found = asked.look(store.log.position()[0])
        asked.close()
        shared = Overview.of(store.disagreements.pairs(found.sources, up_to=found.n_log))
    record = {**found.to_record(), "disagreement": shared.to_record()}
    tell(dumped(record) if as_json else "\n".join([*_lines(found), *_where(shared)]))
    for line in [*_story(found), *([] if shared.n_pairs else [_NOTHING_SHARED])]:
        say(line)


@click.command()
@_voter
@with_db
@_with_reason
@_with_name
def exclude(voter: str, *, db: Path, reason: str, decided_by: str) -> None:
    """Leave a voter's votes out of boards and exports: an act of the log that `readmit` undoes."""
    _decide(db, lambda asked, now: asked.exclude(voter, reason, decided_by, now), f"{voter} is left out")


@click.command()
@_voter
@with_db
@_with_reason
@_with_name
def readmit(voter: str, *, db: Path, reason: str, decided_by: str) -> None:
    """Let a voter's votes count again."""
    _decide(db, lambda asked, now: asked.readmit(voter, reason, decided_by, now), f"{voter} is not left out")


def _decide(db: Path, act: Callable[..., bool], state: str) -> None:
    from arena.review import Review
    from arena.store import VoteStore

    with VoteStore.open(existing(db)) as store:
        asked = Review(store, on_failure=lambda what, error: say(f"{what} failed: {error}"))
        is_new = act(asked, datetime.now(UTC))
        asked.close()
        n_votes = sum(store.exclusions.n_votes().values())
    tell(state if is_new else f"{state} already: nothing was stored")
    say(f"{counted(n_votes, 'vote')} of this arena left out: excluded by the host")


def _lines(found: "Findings") -> list[str]:
    lines = []
    for suspect in found.suspects:
        lines.append(suspect.voter)
        lines += [f"  {flag.sentence} (q = {flag.q_value:.2g})" for flag in suspect.flags]
        lines += [] if suspect.effect is None else [f"  {told}" for told in _effect(suspect.effect)]
    if not found.suspects:
        lines.append("no voter is flagged")
    if found.together is not None and len(found.suspects) > 1:
        lines.append(f"without all {len(found.suspects)}")
        lines += [f"  {told}" for told in _effect(found.together)]
    for each in found.left_out:
        act = each.act
        when = f"{act.decided_at:%Y-%m-%d}"
        lines.append(
            f"left out: {act.voter_id}, {counted(each.n_votes, 'vote')}: {act.reason} ({act.decided_by}, {when})"
        )
    return lines


def _where(found: "Overview") -> list[str]:
    """Where disagreement clusters, a share with its interval a line; none where nothing is shared."""
    if not found.n_pairs:
        return []
    told = [
        ("", "all of them", found),
        *((each.trait.value.replace("_", " "), _value(each), each) for each in found.clusters),
    ]
    rows = [
        (
            trait,
            value,
            f"{of.n_conflicts:,} of {of.n_pairs:,}",
            f"{of.share.value:.0%}",
            _interval(of.share),
            _strip(of.share),
        )
        for trait, value, of in told
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "",
        f"Votes disagree on {found.n_conflicts:,} of {counted(found.n_pairs, 'pair')} that several voters judged",
    ]
    for trait, value, *numbers, strip in rows:
        cells = [f"{trait:<{widths[0]}}", f"{value:<{widths[1]}}"]
        cells += [f"{text:>{width}}" for text, width in zip(numbers, widths[2:], strict=False)]
        lines.append(f"  {'  '.join([*cells, strip])}")
    return lines


def _interval(share: "Share") -> str:
    return "" if share.low is None or share.high is None else f"{share.low:.0%} to {share.high:.0%}"


def _value(cluster: "Cluster") -> str:
    if cluster.low is None or cluster.high is None:
        return cluster.value or "not known"
    return f"{_GAPS[cluster.value or '']} ({cluster.low:.0%} to {cluster.high:.0%})"


def _strip(share: "Share") -> str:
    """The interval as a line from 0 to 1, with the share on it."""
    place, low, high = (round((end or 0) * (_WIDTH - 1)) for end in (share.value, share.low, share.high))
    return "".join("o" if k == place else "-" if low <= k <= high else "." for k in range(_WIDTH))


def _effect(effect: "Effect") -> list[str]:
    start = f"without {'this' if effect.n_votes == 1 else 'these'} {counted(effect.n_votes, 'vote')}"
    if effect.reason is not None:
        return [f"{start}: no board, as {effect.reason}"]
    moved = [f"{move.model} {-move.points:+.1f}" for move in effect.moves if move.points]
    told = f"{', '.join(moved[:_SHOWN])}{' ...' if len(moved) > _SHOWN else ''} points" if moved else "no score moves"
    first = (
        f"first would be {effect.first_without}, not {effect.first}" if effect.changes_first else "first place stays"
    )
    return [f"{start}: {told}; {first}; {counted(effect.n_ranges, 'rank range')} would change"]


def _story(found: "Findings") -> list[str]:
    reach = found.reach
    lines = []
    if reach is not None:
        n, n_known, timed, drawn = (reach[name] for name in ("votes", "with_voter", "timed", "drawn"))
        lines += [
            f"{counted(n, 'vote')} on the board; {n - n_known:,} do not tell their voter: no check sees them",
            f"of the others {timed:,} tell how long they took, {drawn:,} are on pairs drawn by this arena",
        ]
    lines += [f"{each.check}: {counted(each.n_judged, 'voter')} with enough votes" for each in found.checks]
    lines += [f"{what} gave no answer, and says nothing against anybody" for what in found.failed]
    return lines
