"""What stands behind a board, on paper: some lines of text for a terminal."""

from typing import Any

from arena.analysis import Goodness, HeadToHead, Influence, Range, SuspectVoter, Swap
from ratings import Absent

# Of a long list the first so many are printed; JSON has all.
_SHOWN = 10


def to_text(found: Any) -> str:
    """What stands behind a board, in a few lines."""
    match found:
        case HeadToHead():
            lines = _head_to_head(found)
        case Influence():
            lines = _influence(found)
        case Goodness():
            lines = _goodness(found)
        case _:
            lines = _suspects(found)
    return "\n".join(lines)


def _head_to_head(found: HeadToHead) -> list[str]:
    a, b = found.a, found.b
    direct = ", ".join(f"{n:,} {what}" for what, n in found.direct.items())
    needed = f"about {found.votes_needed:,}" if found.votes_needed is not None else found.votes_needed_reason
    decided = f", from direct vote {found.decided_at:,} on" if found.decided_at else ""
    return [
        f"{a} against {b}",
        f"  chance that {a} is preferred: {_with_interval(found.probability, '.1%')}",
        f"  points above {b}: {_with_interval(found.points, '+,.0f')}",
        f"  direct votes: {direct}",
        f"  from the {found.n_used:,} direct votes that count, looked at one by one: {found.conclusion}{decided}",
        f"  further votes on either of them until the difference is sure: {needed}",
    ]


def _influence(found: Influence) -> list[str]:
    first = found.first_place
    lines = [f"First place: {first.leader}, then {first.runner_up}", f"  votes that it hangs on: {_swap(first)}"]
    lines += [f"    {kind}" for kind in first.kinds[:_SHOWN]]
    by = found.first_place_by_voters
    if by is not None:
        voters = by.reason or f"{len(by.voters):,} ({by.n_votes or 0:,} votes): {', '.join(by.voters[:_SHOWN])}"
        lines.append(f"  voters that it hangs on: {voters}")
    lines.append("Votes between neighbours, to first order")
    lines += [f"  {each.leader} over {each.runner_up}: {_swap(each)}" for each in found.neighbours[:_SHOWN]]
    if found.moving_most:
        lines.append("Voters that move the board most")
        lines += [
            f"  {each.voter}: {each.model} by {each.largest:,.1f} points, first place by {each.gap:+,.1f}"
            for each in found.moving_most
        ]
    return lines


def _swap(swap: Swap) -> str:
    if swap.n_votes is None:
        return swap.reason or "none"
    checked = ", confirmed by a fit without them" if swap.confirmed else ""
    return f"{swap.n_votes:,} ({swap.share:.3%} of all{checked})"


def _goodness(found: Goodness) -> list[str]:
    scale, cycles = found.scale, found.cycles
    if isinstance(scale, Absent):
        lines = [f"One scale for all: cannot be tested, {scale.reason}"]
    else:
        expected = f"statistic {scale.statistic:,.1f} where {scale.degrees:,.1f} is expected"
        lines = [f"One scale for all: {expected}, p = {scale.p_value:.3g}"]
    if isinstance(cycles, Absent):
        lines.append(f"Circles: {cycles.reason}")
    else:
        lines.append(
            f"Circles: {cycles.n_cycles:,} of {cycles.n_triples:,} triples, {len(cycles.sure):,} of them certain; "
            f"{cycles.share:.1%} of what tells pairs apart goes in circles, beyond chance"
        )
        lines += [f"  {' > '.join([*each, each[0]])}" for each in cycles.sure[:_SHOWN]]
    lines.append(f"Pairs that contradict the scale: {found.n_contradictions:,}")
    lines += [
        f"  {each.model} against {each.other}: {each.observed:.0%} of {each.n_votes:,}, expected {each.expected:.0%}"
        for each in found.contradictions
    ]
    return lines


def _suspects(found: tuple[SuspectVoter, ...]) -> list[str]:
    lines = [f"Voters whose votes go against those of others, for review: {len(found):,}"]
    lines += [
        f"  {each.voter}: {'for' if each.favours else 'against'} {each.model}, {each.n_votes:,} votes, "
        f"p = {each.p_value:.2g}, q = {each.q_value:.2g}"
        for each in found
    ]
    return lines


def _with_interval(found: Range, form: str) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:{form}} ({found.reason})"
    return f"{found.value:{form}} ({found.low:{form}} to {found.high:{form}})"
