"""What stands behind a board, on paper: some lines of text for a terminal."""

from collections.abc import Callable, Mapping
from typing import Any

from arena.analysis import Goodness, HeadToHead, Influence, Range, Suspects, Swap
from arena.battle import Model, ModelId
from ratings import Absent

# Of a long list the first so many are printed; JSON has all.
_SHOWN = 10

_Name = Callable[[ModelId], str]


def to_text(found: Any, models: Mapping[ModelId, Model] | None = None) -> str:
    """What stands behind a board, in a few lines; `models` gives the names, where there is none the id stands."""
    known = models or {}

    def name(model: ModelId) -> str:
        return known[model].name if model in known else model

    match found:
        case HeadToHead():
            lines = _head_to_head(found, name)
        case Influence():
            lines = _influence(found, name)
        case Goodness():
            lines = _goodness(found, name)
        case _:
            lines = _suspects(found, name)
    return "\n".join(lines)


def _head_to_head(found: HeadToHead, name: _Name) -> list[str]:
    a, b = name(found.a), name(found.b)
    n_direct = sum(found.direct.values())
    direct = ", ".join(f"{n:,} {what}" for what, n in found.direct.items()) if n_direct else "none"
    lines = [
        f"{a} against {b}",
        f"  chance that {a} is preferred: {_with_interval(found.probability, '.1%')}",
        f"  points above {b}: {_with_interval(found.points, '+,.0f')}",
        f"  direct votes: {direct}",
    ]
    if n_direct:
        decided = f", from direct vote {found.decided_at:,} on" if found.decided_at else ""
        looked = f"the {_votes(found.n_used, 'direct')} that count" + ("s" if found.n_used == 1 else "")
        order = "" if found.is_in_order else " (in an order drawn by chance where times do not tell it)"
        lines.append(f"  from {looked}, looked at one by one{order}: {found.conclusion}{decided}")
    return [*lines, *_needed(found)]


def _needed(found: HeadToHead) -> list[str]:
    what = "  further votes until the difference is sure:"
    if found.votes_needed is None:
        return [f"{what} {found.votes_needed_reason}"]
    if not found.votes_needed:
        return [f"{what} none, by all votes together it is sure already"]
    how = f"a chance of {found.power * 100:g} % that the {found.confidence * 100:g} % interval then leaves out 0"
    return [
        f"{what} about {found.votes_needed:,}, if all of them are on these two",
        f"    ({how}, if the true difference is as estimated)",
    ]


def _influence(found: Influence, name: _Name) -> list[str]:
    first = found.first_place
    lines = [
        f"First place: {name(first.leader)}, then {name(first.runner_up)}",
        f"  votes that it hangs on: {_swap(first)}",
    ]
    if first.confirmed:
        lines.append(
            "    (confirmed: fitted without them the two are level or have changed places; with one put back, not)"
        )
    if first.n_estimated is not None and first.n_estimated != first.n_votes:
        lines.append(
            f"    (a quick estimate without fitting again, as for the places below, gives {first.n_estimated:,})"
        )
    lines += [f"    {kind}" for kind in first.kinds[:_SHOWN]]
    by = found.first_place_by_voters
    if by is not None:
        confirmed = ", confirmed" if by.confirmed else ""
        voters = by.reason or (
            f"{len(by.voters):,} ({_votes(by.n_votes or 0)}{confirmed}): {', '.join(by.voters[:_SHOWN])}"
            + (", ..." if len(by.voters) > _SHOWN else "")
        )
        lines.append(f"  voters that it hangs on: {voters}")
    rest = found.neighbours[1:]
    if rest:
        shown = f" (the first {_SHOWN} of {len(rest):,})" if len(rest) > _SHOWN else ""
        lines.append(f"Votes that the places below hang on, quick estimates that no fit has confirmed{shown}")
        lines += [f"  {name(each.leader)} over {name(each.runner_up)}: {_swap(each)}" for each in rest[:_SHOWN]]
    if found.moving_most:
        lines.append("Voters that move the board most")
        lines += [
            f"  {each.voter}: {name(each.model)} by {each.largest:,.1f} points, first place by {each.gap:+,.1f}"
            for each in found.moving_most
        ]
    return lines


def _swap(swap: Swap) -> str:
    if swap.n_votes is None:
        return swap.reason or "none"
    return f"{swap.n_votes:,} ({swap.share:.3%} of all)"


def _goodness(found: Goodness, name: _Name) -> list[str]:
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
        lines += [f"  {' > '.join(map(name, [*each, each[0]]))}" for each in cycles.sure[:_SHOWN]]
    lines.append(f"Pairs that contradict the scale: {found.n_contradictions:,}")
    lines += [
        f"  {name(each.model)} against {name(each.other)}: {each.observed:.0%} of {_votes(each.n_votes)}, "
        f"expected {each.expected:.0%}"
        for each in found.contradictions
    ]
    return lines


def _suspects(found: Suspects, name: _Name) -> list[str]:
    n_listed = f"{len(found.voters):,}" if found.voters else "none"
    how = "the most extreme first, and then the others without them"
    lines = [
        f"Voters whose votes go against those of others: {n_listed} of {found.n_tested:,} tested",
        "  For review: nobody is removed, and all of their votes count.",
        f"  Listed if q, the false-discovery rate, is {found.false_share:g} or less; {how}.",
    ]
    if found.n_voters > found.n_tested:
        lines.append(f"  {found.n_voters - found.n_tested:,} more have too few votes to be tested.")
    lines += [
        f"  {each.voter}: {'for' if each.favours else 'against'} {name(each.model) if each.model else 'a model'}, "
        f"{_votes(each.n_votes)}, p = {each.p_value:.2g}, q = {each.q_value:.2g}"
        for each in found.voters
    ]
    return lines


def _votes(n: int, kind: str = "") -> str:
    return f"{n:,} {kind + ' ' if kind else ''}vote{'' if n == 1 else 's'}"


def _with_interval(found: Range, form: str) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:{form}} ({found.reason})"
    return f"{found.value:{form}} ({found.low:{form}} to {found.high:{form}})"
