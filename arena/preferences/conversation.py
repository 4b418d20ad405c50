"""Conversations in which several turns were voted on: each turn's prompt is what came before it. Pure.

A turn goes on from the chosen answer of the turn before. Where a turn's own messages hold an answer already, they are
the conversation as its voter saw it, and stay as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from arena.battle import Message
from arena.preferences.account import Account
from arena.preferences.choices import Unroll
from arena.preferences.example import Example

EARLIER_TURN = "an earlier turn of its conversation"
NOTHING_CHOSEN = "an earlier turn of its conversation has no chosen answer"


def unrolled(examples: Iterable[Example], unroll: Unroll, account: Account) -> Iterator[Example]:
    """Examples in the same order, those of a conversation standing together and in the order of their turns.

    LAST gives the last turn of each conversation that has one, ALL each turn with 1 / (number of turns) of its weight,
    so that a long conversation weighs as much as a short one. Votes on turns that are not given go to the account.
    """
    for conversation_id, turns in groupby(examples, lambda each: each.conversation_id):
        if conversation_id is None:
            yield from turns
        else:
            yield from _conversation(list(turns), unroll, account)


def _conversation(turns: Sequence[Example], unroll: Unroll, account: Account) -> Iterator[Example]:
    """One conversation. A turn that was voted on twice, by two pairs of answers, goes on from the first of them."""
    told: tuple[Message, ...] = ()
    last_turn = 0
    is_broken = False
    continued = []
    for example in turns:
        is_history = any(message.role == "assistant" for message in example.messages)
        if example.turn > 1 and not is_history:
            if is_broken or example.turn != last_turn + 1:
                account.leave_out_example(NOTHING_CHOSEN, example)
                is_broken = True
                continue
            messages = (*told, *example.messages)
            example = replace(example, prompt=replace(example.prompt, messages=messages))  # noqa: PLW2901
        continued.append(example)
        last_turn, is_broken = example.turn, example.chosen is None
        if example.chosen is not None:
            told = (*example.messages, Message("assistant", example.chosen.text))
    n_turns = len(continued)
    for example in continued:
        if unroll is Unroll.LAST and example.turn != continued[-1].turn:
            account.leave_out_example(EARLIER_TURN, example)
            continue
        weight = example.weight / n_turns if unroll is Unroll.ALL else example.weight
        yield replace(example, n_turns=n_turns, weight=weight)
