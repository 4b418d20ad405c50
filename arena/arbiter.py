"""Pairs on which voters disagree, put before a host: blind still, with how the votes were spread, for a verdict.

A verdict makes the pair gold and is an act of the log, with a reason and a name, that another act takes back. The votes
on the pair stay as they were, and count as before.
"""

from dataclasses import dataclass
from datetime import datetime

from arena.battle import Adjudication, AnswerId, BattleId, Message, Source, Verdict
from arena.disagreement import Overview, SharedPair, Spread, conflicts
from arena.errors import BadInput
from arena.review import LONGEST_NAME, LONGEST_REASON, said
from arena.self_naming import Names
from arena.store import VoteStore

MOST_CASES = 10
"""So many are put before the host at a time."""

_PEOPLE = (Source.HUMAN,)


@dataclass(frozen=True, slots=True)
class Case:
    """A pair under conflict as the host sees it: who wrote the answers is not in it."""

    id: BattleId
    messages: tuple[Message, ...]
    answer_a: str
    answer_b: str
    category: str | None
    language: str | None
    spread: Spread


@dataclass(frozen=True, slots=True)
class Decided:
    """An adjudication that holds, by its number in the log, with what was asked."""

    seq: int
    messages: tuple[Message, ...]
    act: Adjudication


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What people's votes on the same two answers say of each other, as the log stands."""

    overview: Overview
    """Of all pairs, also those on which something is known."""
    n_open: int
    """Pairs under conflict on which nothing is known yet."""
    cases: tuple[Case, ...]
    decided: tuple[Decided, ...]
    """The latest first."""


class Arbiter:
    """The disagreements of one arena. Any number of threads may ask."""

    def __init__(self, store: VoteStore):
        self._store = store

    def look(self) -> Disagreement:
        """All of it, as the log stands."""
        pairs = self._pairs()
        prompts = self._store.catalogue.prompts()
        known = self._store.gold.pairs()
        found = conflicts(pairs)
        waiting = [each for each in found if each.pair not in known]
        shown = waiting[:MOST_CASES]
        texts = self._store.catalogue.texts(answer for each in shown for answer in each.pair)
        return Disagreement(
            overview=Overview.of(pairs),
            n_open=len(waiting),
            cases=tuple(
                Case(
                    each.first_battle,
                    prompts[each.prompt_id].messages,
                    *self._blind(each, texts),
                    each.category,
                    each.language,
                    each.spread,
                )
                for each in shown
            ),
            decided=tuple(
                Decided(seq, prompts[act.prompt_id].messages, act) for seq, act in self._store.gold.standing().items()
            ),
        )

    def decide(self, case: str, verdict: Verdict, reason: str, decided_by: str, now: datetime) -> bool:
        """Adjudicate a pair under conflict; A of the verdict is side A of the case. False: so it stands already.

        Raises BadInput for what is no pair under conflict (any more), and for a reason or a name that is empty, too
        long, or holds control characters.
        """
        reason, decided_by = said("reason", reason, LONGEST_REASON), said("name", decided_by, LONGEST_NAME)
        with self._store.together():  # so that nothing comes between what is seen here and what is stored
            found = next(iter(self._pairs(BattleId(case))), None)
            if found is None or found.first_battle != case or not found.spread.is_conflict:
                raise BadInput(f"{case!r} is no pair on which votes disagree now; load the page for those that are")
            return self._store.gold.adjudicate(
                Adjudication(found.prompt_id, found.answer_a, found.answer_b, verdict, reason, decided_by, now)
            )

    def take_back(self, seq: int, reason: str, decided_by: str, now: datetime) -> bool:
        """Take an adjudication back, by its number in the log. False: it does not hold any more. Raises BadInput for a
        reason or a name as `decide` does."""
        reason, decided_by = said("reason", reason, LONGEST_REASON), said("name", decided_by, LONGEST_NAME)
        with self._store.together():
            act = self._store.gold.standing().get(seq)
            if act is None:
                return False
            return self._store.gold.adjudicate(
                Adjudication(act.prompt_id, act.answer_a, act.answer_b, None, reason, decided_by, now)
            )

    def _pairs(self, of: BattleId | None = None) -> list[SharedPair]:
        return self._store.disagreements.pairs(_PEOPLE, up_to=self._store.log.position()[0], of=of)

    def _blind(self, pair: SharedPair, texts: dict[AnswerId, str]) -> tuple[str, str]:
        """The two texts, with a mark in place of names in both where one of them tells who wrote it."""
        text_a, text_b = texts[pair.answer_a], texts[pair.answer_b]
        if self._store.named.ids().isdisjoint(pair.pair):
            return text_a, text_b
        names = Names.of(self._store.catalogue.models().values())
        return names.masked(text_a, pair.model_a), names.masked(text_b, pair.model_b)
