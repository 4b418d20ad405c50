"""Rows of ranked lists on their way in: each becomes the votes that it says, with a note that they are one list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.errors import BadInput
from arena.foreign_votes import ForeignVote, ForeignVotes, Saved
from arena.ranked_list import RankedRow, list_id, pairs_of, parse_answers
from arena.store import RankedPair, VoteStore


@dataclass(frozen=True, slots=True)
class _Ranking:
    votes: tuple[ForeignVote, ...]
    pair: RankedPair
    n_equal: int


class Rankings:
    """Rows of rankings, read as the votes that they stand for by a reader of votes."""

    def __init__(self, store: VoteStore, votes: ForeignVotes):
        self._store = store
        self._votes = votes

    def parse(self, values: dict[str, Any], row: Mapping[str, Any]) -> _Ranking:
        """The votes of one list. Raises BadInput for a list that says nothing, or is on no prompt."""
        rows = parse_answers(values.pop("answers"))
        if not values.keys() & {"prompt_id", "prompt_text", "messages"}:
            raise BadInput("the list says not what was asked; map its prompt_id, prompt_text or messages")
        if {"prompt_text", "messages"} <= values.keys():
            raise BadInput("the list says what was asked twice, as prompt_text and as messages; leave one of them out")
        pairs = pairs_of(rows)
        votes = []
        for pair in pairs:
            a, b = (pair.better, pair.worse) if pair.a_is_better else (pair.worse, pair.better)
            sides = {"model_a": a.model, "model_b": b.model, "answer_a": a.text, "answer_b": b.text}
            told = {"winner": "model_a" if pair.a_is_better else "model_b"}
            told |= {name: value for name, value in sides.items() if value is not None}
            votes.append(self._votes.parse({**values, **told}, {**row, "pair": [a.model, b.model]}))
        n_all = len(rows) * (len(rows) - 1) // 2
        return _Ranking(tuple(votes), RankedPair(_id_of(rows, votes), len(pairs)), n_all - len(pairs))

    def save(self, rankings: list[_Ranking], now: datetime) -> Saved:
        known = self._store.ranked.all().keys()
        n_new = sum(not any(vote.battle.id in known for vote in each.votes) for each in rankings)
        saved = self._votes.save([vote for each in rankings for vote in each.votes], now)
        self._store.ranked.add((vote.battle.id, each.pair) for each in rankings for vote in each.votes)
        return Saved(
            n_added=n_new,
            new_models=saved.new_models,
            known_from=saved.known_from,
            n_votes=saved.n_added,
            n_equal=sum(each.n_equal for each in rankings),
        )


def _id_of(rows: tuple[RankedRow, ...], votes: list[ForeignVote]) -> str:
    """The list's id, by the ids of its answers, and by the models of those that are not known."""
    names: dict[str, str] = {}
    prompt_id = ""
    for vote in votes:
        battle = vote.battle
        prompt_id = battle.prompt_id or ""
        names[battle.model_a] = battle.answer_a or battle.model_a
        names[battle.model_b] = battle.answer_b or battle.model_b
    return list_id(prompt_id, (names.get(row.model, row.model) for row in rows))
