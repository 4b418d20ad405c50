"""The answers to a prompt in their order, as Nectar has them; 1 is the best.

The order is the mean share of a pair that an answer has won (`arena.preferences.ranking`). Votes of one ranked list
give that list. https://huggingface.co/datasets/berkeley-nest/Nectar
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from arena.battle import Verdict
from arena.preferences.example import Example, Opinion
from arena.preferences.formats import pairs
from arena.preferences.ranking import ranked

NAME = "ranked"

SCHEMA: Mapping[str, str] = {
    "prompt": "varchar",
    "answers": 'struct(answer varchar, model varchar, "rank" double)[]',
    "turns": "integer",
    "num_responses": "integer",
    "messages": pairs.MESSAGES,
    "list_id": "varchar",
    "prompt_id": "varchar",
    "n_votes": "integer",
    "category": "varchar",
    "language": "varchar",
}


def rows_of_prompt(examples: Sequence[Example]) -> Iterator[tuple[object, ...]]:
    """One row for each ranked list, and one for all the other votes on the prompt."""
    for list_id, of_list in sorted(_by_list(examples).items()):
        order = ranked(of_list)
        if not order:
            continue
        messages, prompt = of_list[0].messages, of_list[0].prompt
        yield (
            pairs.transcript(messages),
            [{"answer": each.answer.text, "model": each.answer.model_id, "rank": float(each.rank)} for each in order],
            sum(message.role == "user" for message in messages),
            len(order),
            pairs.listed(messages),
            list_id or None,
            prompt.id,
            sum(len(each.opinions) - each.n(Verdict.BOTH_BAD) for each in of_list),
            prompt.category,
            prompt.language,
        )


def _by_list(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """The examples by the lists that their votes are of, "" for none, each with these votes alone.

    Two lists may hold the same two answers, and each says what its own voters said.
    """
    found: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        said: defaultdict[str, list[Opinion]] = defaultdict(list)
        for opinion in example.opinions:
            said[opinion.list_id or ""].append(opinion)
        for list_id, opinions in said.items():
            found[list_id].append(example if len(said) == 1 else replace(example, opinions=tuple(opinions)))
    return found


def left_out(example: Example) -> dict[str, int]:
    """The votes that call both answers bad: they say nothing of an order."""
    n = example.n(Verdict.BOTH_BAD)
    return {pairs.BOTH_BAD: n} if n else {}
