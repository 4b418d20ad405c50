"""What may be said against a voter: checks of the votes, each of which flags few honest voters, and removes nobody.

Every check but one asks how improbable a voter's counts are if the voter were honest, with room for human weakness:
honest voters may lean to one side, hurry now and then, and miss some of the known verdicts, as far as the constants
below say. The chances are exact, and each check lists voters at a false discovery rate of `ratings.FALSE_SHARE` over
all voters whom it judged: in an arena without anybody beyond these limits, it flags somebody in at most one look of
twenty. Checks know nothing of each other, so that one that fails changes nothing in what the others say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import log
from typing import Any, NamedTuple

import numpy as np

from arena.battle import ModelId, Verdict, VoterId
from arena.rows import Rows
from ratings import FALSE_SHARE, audit_voters, chance_of_a_run, chance_of_as_many, false_discovery_rates

MIN_VOTES = 10
"""Of fewer votes (or known verdicts) no check speaks."""

HONEST_HASTE = 0.2
"""Of an honest voter's votes so many may come too fast: an answer that is blank is judged at a glance."""

HONEST_LEAN = 0.6
"""Of an honest voter's decisive votes so many may go to one side, and to it with this chance whatever went before.
The sides are drawn by a fair coin, so that who looks at the answers alone has 0.5."""

HONEST_MISSES = 1 / 3
"""Of known verdicts so many may be missed: people disagree with guidelines."""

HONEST_CHANGES = 0.4
"""Of pairs that come again so many may get another verdict: in studies people contradict themselves in about a quarter,
and near pairs are judged by mood (arXiv 2301.10684)."""

HONEST_REPEATS = 3.0
"""A question may come to an honest voter so many times as often as to all others."""

HONEST_TASTE = log(2)
"""In logits: so far may an honest voter's view of a model be from that of all others. This much (120 points) doubles
the odds of the model, and turns an even chance into two thirds."""


class Check(StrEnum):
    """What voters are checked for."""

    SPEED = "too_fast"
    SIDE = "one_side"
    RUN = "one_side_run"
    REPEATS = "same_question"
    KNOWN = "known_verdicts"
    CHANGES = "other_verdict"
    OTHERS = "against_others"


@dataclass(frozen=True, slots=True)
class Flag:
    """What one check found in one voter's votes, for somebody to look at."""

    check: Check
    voter: VoterId
    n_votes: int
    """Votes (for known verdicts: judgements) that the check looked at."""
    p_value: float
    """Bounds the chance that an honest voter's votes look like this, or more so."""
    q_value: float
    """The same among all voters whom the check judged (`ratings.false_discovery_rates`)."""
    facts: Mapping[str, str | int | float]
    """The numbers in the sentence, by the names that `arena.ui` fills its own sentences with."""
    sentence: str

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class Judged:
    """What one check says: whom it flags, and how many voters had enough votes for it."""

    check: Check
    n_judged: int
    flags: tuple[Flag, ...]
    """The least likely first."""


class Speed(NamedTuple):
    """Of a voter's votes, those that tell how long they took, and those that came too fast."""

    voter: VoterId
    n: int
    n_fast: int


class Sides(NamedTuple):
    """Of a voter's decisive votes on sides drawn by the arena, those for A, and the longest run for A and for B."""

    voter: VoterId
    n: int
    n_a: int
    run_a: int
    run_b: int


class Repeats(NamedTuple):
    """How often a voter judged the question that this voter judged most, of the prompts that the arena drew."""

    voter: VoterId
    n: int
    n_questions: int
    question: str
    n_on_it: int
    share_of_others: float
    """Of the votes of all others, those on this question."""


class Known(NamedTuple):
    """A verdict that is known, as that of a worked example, and what the voter said."""

    voter: VoterId
    expected: Verdict
    given: Verdict


class Again(NamedTuple):
    """Pairs that a voter was given a second time, and how many of them got another verdict than the first time."""

    voter: VoterId
    n: int
    n_changed: int


def too_fast(speeds: Sequence[Speed], seconds: float) -> Judged:
    """Voters of whose votes more came too fast than haste explains; `seconds` is the rule, for the sentence."""
    judged = [each for each in speeds if each.n >= MIN_VOTES]
    p_values = _tails([each.n for each in judged], [each.n_fast for each in judged], HONEST_HASTE)

    def tell(each: Speed) -> tuple[int, dict[str, str | int | float], str]:
        facts = {"n": each.n, "k": each.n_fast, "seconds": seconds}
        told = (
            f"{each.n_fast:,} of {each.n:,} votes came in less than {seconds:g} seconds, and faster than anybody reads"
        )
        return each.n, facts, told

    return _judged(Check.SPEED, judged, p_values, tell)


def one_side(sides: Sequence[Sides]) -> Judged:
    """Voters who chose one side more often than a lean explains, whatever stood there."""
    judged = [each for each in sides if each.n >= MIN_VOTES]
    most = [max(each.n_a, each.n - each.n_a) for each in judged]
    p_values = np.minimum(2 * _tails([each.n for each in judged], most, HONEST_LEAN), 1.0)

    def tell(each: Sides) -> tuple[int, dict[str, str | int | float], str]:
        side, k = ("A", each.n_a) if 2 * each.n_a >= each.n else ("B", each.n - each.n_a)
        facts = {"n": each.n, "k": k, "side": side}
        return each.n, facts, f"{k:,} of {each.n:,} decisive votes went to side {side}; sides are drawn by a fair coin"

    return _judged(Check.SIDE, judged, p_values, tell)


def one_side_run(sides: Sequence[Sides]) -> Judged:
    """Voters who chose one side more often in a row than a lean explains; ties and both-bad verdicts end no run."""
    judged = [each for each in sides if each.n >= MIN_VOTES]
    chances: dict[tuple[int, int], float] = {}
    for each in judged:
        key = (each.n, max(each.run_a, each.run_b))
        if key not in chances:
            chances[key] = min(2 * chance_of_a_run(*key, HONEST_LEAN), 1.0)
    p_values = np.array([chances[each.n, max(each.run_a, each.run_b)] for each in judged])

    def tell(each: Sides) -> tuple[int, dict[str, str | int | float], str]:
        side, k = ("A", each.run_a) if each.run_a >= each.run_b else ("B", each.run_b)
        return (
            each.n,
            {"n": each.n, "k": k, "side": side},
            f"{k:,} decisive votes in a row went to side {side}, of {each.n:,}; sides are drawn by a fair coin",
        )

    return _judged(Check.RUN, judged, p_values, tell)


def same_question(repeats: Sequence[Repeats]) -> Judged:
    """Voters who judged one question again and again, much more often than it came to others.

    Where people skip until a certain question comes, or send it again as one of their own.
    """
    judged = [each for each in repeats if each.n >= MIN_VOTES]
    tails = [
        _tails([each.n], [each.n_on_it], min(1.0, HONEST_REPEATS * each.share_of_others))[0] * each.n_questions
        for each in judged
    ]
    p_values = np.minimum(np.array(tails), 1.0)

    def tell(each: Repeats) -> tuple[int, dict[str, str | int | float], str]:
        facts = {"n": each.n, "k": each.n_on_it, "question": each.question, "share": each.share_of_others}
        told = (
            f"{each.n_on_it:,} of {each.n:,} votes are on one question ({each.question}), which is "
            f"{each.share_of_others:.1%} of the votes of others"
        )
        return each.n, facts, told

    return _judged(Check.REPEATS, judged, p_values, tell)


def known_verdicts(pairs: Iterable[Known]) -> Judged:
    """Voters who missed more of the verdicts that are known than people do who follow the guideline."""
    counts: dict[VoterId, list[int]] = {}
    for voter, expected, given in pairs:
        count = counts.setdefault(voter, [0, 0])
        count[0] += 1
        count[1] += expected is not given
    judged = [(voter, n, k) for voter, (n, k) in sorted(counts.items()) if n >= MIN_VOTES]
    p_values = _tails([n for _, n, _ in judged], [k for _, _, k in judged], HONEST_MISSES)

    def tell(each: tuple[VoterId, int, int]) -> tuple[int, dict[str, str | int | float], str]:
        _, n, k = each
        return n, {"n": n, "k": k}, f"{k:,} of {n:,} verdicts that are known were missed"

    return _judged(Check.KNOWN, judged, p_values, tell)


def other_verdict(again: Sequence[Again]) -> Judged:
    """Voters who contradict their own earlier verdicts more often than people do: as by chance."""
    judged = [each for each in again if each.n >= MIN_VOTES]
    p_values = _tails([each.n for each in judged], [each.n_changed for each in judged], HONEST_CHANGES)

    def tell(each: Again) -> tuple[int, dict[str, str | int | float], str]:
        told = f"{each.n_changed:,} of {each.n:,} pairs that came again got another verdict than the first time"
        return each.n, {"n": each.n, "k": each.n_changed}, told

    return _judged(Check.CHANGES, judged, p_values, tell)


def against_others(votes: Rows, voters: Mapping[int, VoterId], models: Sequence[ModelId]) -> Judged:
    """Voters who favour or disfavour a model beyond what tastes explain (`ratings.audit_voters`).

    `votes` with their voters as units, verdicts as outcomes; `voters` gives the ids of the units that are known. Votes
    of unknown voters say what others think, and are nobody's.
    """
    assert votes.unit is not None  # noqa: S101 - whoever asks has them
    audits = audit_voters(len(models), votes.unit, votes.model_a, votes.model_b, votes.verdict, tolerance=HONEST_TASTE)
    flags = []
    for audit in audits:
        if not audit.flagged or audit.item is None or audit.favours is None or audit.voter not in voters:
            continue
        model, word = models[audit.item], "for" if audit.favours else "against"
        facts = {"n": audit.n_on_item, "k": audit.won, "due": audit.due, "model": model, "favours": int(audit.favours)}
        told = (
            f"votes {word} {model}: it got {audit.won:g} of {audit.n_on_item:,} points (a tie is half a point), where "
            f"the votes of others give it about {audit.due:.1f}"
        )
        flags.append(Flag(Check.OTHERS, voters[audit.voter], audit.n_votes, audit.p_value, audit.q_value, facts, told))
    n_judged = sum(audit.item is not None for audit in audits)
    return Judged(Check.OTHERS, n_judged, _in_order(flags))


def _tails(n: Sequence[int], k: Sequence[int], chance: float) -> np.ndarray:
    return chance_of_as_many(np.array(n, dtype=np.int64), np.array(k, dtype=np.int64), chance)


def _judged(check: Check, rows: Sequence[Any], p_values: np.ndarray, tell: Any) -> Judged:
    q_values = false_discovery_rates(p_values)
    flags = []
    for place in np.flatnonzero(q_values <= FALSE_SHARE).tolist():
        n, facts, sentence = tell(rows[place])
        p, q = float(p_values[place]), float(q_values[place])
        flags.append(Flag(check, rows[place][0], n, p, q, facts, sentence))
    return Judged(check, len(rows), _in_order(flags))


def _in_order(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    return tuple(sorted(flags, key=lambda flag: (flag.p_value, flag.voter)))
