"""Which examples train a model and which test it: a choice that growth never changes.

Prompts are placed in the order in which they came into the log, and each is placed once:

- One that is near no earlier prompt, and in no earlier conversation or list, goes to test or train by a hash of its
  text and the salt.
- One that is, goes where the earlier ones are.
- One that is near both sides bridges two groups that were apart. It is left out: a group stays on one side, and no
  earlier prompt moves.

The gold set is laid over that: what is gold is neither train nor test, and what is near it or in its conversation is
left out. So a larger gold set takes rows away, and moves none between train and test.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from arena.battle import Message, PromptId
from arena.dataset.near import NearTexts, normalised

BRIDGE = "prompt near both train and test"
TORN = "conversation or list with prompts of both train and test"
NEAR_GOLD = "prompt near the gold set"


class Split(StrEnum):
    """Where an example goes. Gold is a set of its own, frozen, for checks of people and models."""

    TRAIN = "train"
    TEST = "test"
    GOLD = "gold"


@dataclass(frozen=True, slots=True)
class SplitRule:
    """How prompts are split. `share` of the groups go to test, the same ones for the same salt."""

    share: Fraction = Fraction(1, 20)
    salt: str = "bakeoff"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A prompt as it first came into the log, at act `seq`, alone or in a conversation or a list (`link`).

    A prompt may arrive several times, in other ones. A follow-up is a later turn that does not hold the earlier ones:
    its text alone ("And why?") is asked in many conversations, so it goes where its conversation is.
    """

    seq: int
    prompt_id: PromptId
    link: str | None = None
    is_follow_up: bool = False


def compared_text(messages: Sequence[Message]) -> str:
    """What of a prompt is compared with others: all but the system's turns, which many prompts may share."""
    turns = [message.content for message in messages if message.role != "system"]
    return normalised("\n".join(turns or [message.content for message in messages]))


class Splits:
    """The place of each prompt that has arrived, and of each conversation and list."""

    def __init__(
        self,
        places: Mapping[PromptId, Split | str],
        links: Mapping[str, Split | str],
        torn: Collection[tuple[PromptId, str]],
        follow_ups: Collection[tuple[PromptId, str]],
    ):
        self._places = places
        self._links = links
        self._torn = torn
        self._follow_ups = follow_ups

    def of(self, prompt_id: PromptId, link: str | None = None) -> Split | str:
        """The split of an example on this prompt, in this conversation or list; or why it is in none."""
        if link is None:
            return self._places[prompt_id]
        if (prompt_id, link) in self._torn:
            return TORN
        return self._links[link] if (prompt_id, link) in self._follow_ups else self._places[prompt_id]


def place(
    arrivals: Iterable[Arrival], texts: Mapping[PromptId, str], rule: SplitRule, gold: Collection[PromptId] = ()
) -> Splits:
    """Place every prompt that arrives. The order in which arrivals are given does not matter, their `seq` does.

    `texts` has the compared text of each prompt. Prompts with the same text are one.
    """
    events = sorted(arrivals, key=lambda each: (each.seq, each.prompt_id, each.link or ""))
    numbers: dict[str, int] = {}
    for event in events:
        if not event.is_follow_up:
            numbers.setdefault(texts[event.prompt_id], len(numbers))
    near = NearTexts(list(numbers))
    places: dict[int, Split | str] = {}
    links: dict[str, Split | str] = {}
    torn: set[tuple[PromptId, str]] = set()
    for event in events:
        link = event.link
        if event.is_follow_up:
            links.setdefault(link or "", _drawn(link or "", rule))
            continue
        text = texts[event.prompt_id]
        number = numbers[text]
        there = None if link is None else links.get(link)
        if number not in places:
            met = _met(near, number, places)
            if isinstance(there, Split):
                met.add(there)
            places[number] = met.pop() if len(met) == 1 else BRIDGE if met else _drawn(text, rule)
        here = places[number]
        if link is not None and links.setdefault(link, here) != here:
            torn.add((event.prompt_id, link))
    gold_numbers = {numbers[text] for each in gold if (text := texts.get(each)) in numbers}
    _lay_gold(places, near, gold_numbers)
    found: dict[PromptId, Split | str] = {}
    for event in events:
        if not event.is_follow_up:
            here = places[numbers[texts[event.prompt_id]]]
            # Only prompts that were named are gold; another one with the same text is near them.
            found[event.prompt_id] = NEAR_GOLD if here is Split.GOLD and event.prompt_id not in gold else here
    _lay_gold_links(events, found, links)
    follow_ups = {(event.prompt_id, event.link) for event in events if event.is_follow_up and event.link is not None}
    return Splits(found, links, torn, follow_ups)


def _met(near: NearTexts, number: int, places: Mapping[int, Split | str]) -> set[Split]:
    """On which sides there are earlier texts near this one. One of each side is enough to know."""
    met: set[Split] = set()
    for other in near.candidates(number):
        there = places.get(other)
        if isinstance(there, Split) and there not in met and near.is_near(number, other):
            met.add(there)
            if len(met) == 2:
                break
    return met


def _lay_gold(places: dict[int, Split | str], near: NearTexts, gold: Collection[int]) -> None:
    for number in gold:
        for other in near.near(number):
            if other not in gold:
                places[other] = NEAR_GOLD
    places.update(dict.fromkeys(gold, Split.GOLD))


def _lay_gold_links(
    events: Sequence[Arrival], found: dict[PromptId, Split | str], links: dict[str, Split | str]
) -> None:
    """What shares a conversation or a list with gold is left out."""
    touched = {event.link for event in events if event.link and found.get(event.prompt_id) is Split.GOLD}
    for event in events:
        if event.link in touched and event.link is not None:
            links[event.link] = NEAR_GOLD
            if not event.is_follow_up and found[event.prompt_id] is not Split.GOLD:
                found[event.prompt_id] = NEAR_GOLD


def _drawn(text: str, rule: SplitRule) -> Split:
    digest = hashlib.sha256(f"{rule.salt}\0{text}".encode("utf-8", "surrogatepass")).digest()
    drawn = int.from_bytes(digest[:8], "big")
    return Split.TEST if drawn * rule.share.denominator < rule.share.numerator << 64 else Split.TRAIN
