"""Sample ballots: answers with their authors, the votes on them, and the rules under which a voter may see them.

An answer that a voter has seen with its author's name is not blind for that voter any more. Hence:

- Samples are of one prompt in four (`store.judged`), always the same ones, so that three in four stay blind whatever
  somebody looks at; and of votes up to the latest snapshot.
- An answer is noted as seen by the voter before it is shown, and not put before that voter from then on. What cannot
  be noted is not shown.
- While a voter has a ballot open, nothing on its prompt is shown to that voter: neither its answers, nor those of
  others, by whose names one could tell whose these are.
"""

from dataclasses import dataclass
from datetime import datetime

from arena.battle import AnswerId, Model, ModelId, VoterId
from arena.leaderboard import Snapshot
from arena.store import JudgedPair, VoteStore
from arena.study import CannotStudy, Study

# Pairs of answers on a page, and pages of one list.
PAGE_SIZE = 5
MOST_PAGES = 4


@dataclass(frozen=True, slots=True)
class Samples:
    """One page of a list of sample ballots."""

    snapshot: Snapshot
    pairs: tuple[JudgedPair, ...]
    """The newest votes first; the model that was asked for, or the first of two, is side A of all."""
    texts: dict[AnswerId, str]
    models: dict[ModelId, Model]
    page: int
    n_pages: int
    n_pairs: int
    """In the whole list."""
    n_held_back: int
    """Left out of this page, since the voter has a ballot open on their prompt."""
    n_votes: int
    """Of the snapshot, on this model or these two."""
    n_without_texts: int
    """Of these, votes that came without their texts: nothing of them can be shown."""


class Gallery:
    """Where voters look at sample ballots. Any number of threads may use it."""

    def __init__(self, store: VoteStore, study: Study):
        self._store = store
        self._study = study

    def of_two(self, a: str, b: str, page: int, voter_id: VoterId, now: datetime) -> Samples:
        """A page, from 0, of the sample ballots of two models. Raises CannotStudy for a stranger or one model twice."""
        snapshot = self._study.snapshot()
        if a == b:
            raise CannotStudy("same_model", "a model cannot be compared with itself")
        return self._page(
            snapshot, self._known(snapshot, a), self._known(snapshot, b), page, voter_id=voter_id, now=now
        )

    def of_model(self, model: str, page: int, voter_id: VoterId, now: datetime) -> Samples:
        """A page, from 0, of the sample ballots of one model. Raises CannotStudy for a stranger."""
        snapshot = self._study.snapshot()
        return self._page(snapshot, self._known(snapshot, model), None, page, voter_id=voter_id, now=now)

    def _page(
        self, snapshot: Snapshot, one: ModelId, other: ModelId | None, page: int, *, voter_id: VoterId, now: datetime
    ) -> Samples:
        asked = {"sources": snapshot.sources, "up_to": snapshot.n_log}
        listed = self._store.judged.pairs(one, other, **asked, most=PAGE_SIZE * MOST_PAGES)
        here = [pair.seen_by(one) for pair in listed[PAGE_SIZE * page : PAGE_SIZE * (page + 1)]]
        with self._store.together():  # so that no ballot can be opened between the look and the note
            held_back = self._store.exposures.prompts_open_for(voter_id, now)
            shown = tuple(pair for pair in here if pair.prompt_id not in held_back)
            answers = [answer for pair in shown for answer in (pair.answer_a, pair.answer_b)]
            self._store.exposures.add(voter_id, answers, now)
        # Only now, when the notes are on disk, is any text even read.
        n_votes, n_without_texts = self._store.judged.counts(one, other, **asked)
        models = self._store.catalogue.models()
        return Samples(
            snapshot=snapshot,
            pairs=shown,
            texts=self._store.catalogue.texts(answers),
            models={
                model: models.get(model, Model(model, model))
                for pair in shown
                for model in (pair.model_a, pair.model_b)
            },
            page=page,
            n_pages=-(-len(listed) // PAGE_SIZE),
            n_pairs=len(listed),
            n_held_back=len(here) - len(shown),
            n_votes=n_votes,
            n_without_texts=n_without_texts,
        )

    def _known(self, snapshot: Snapshot, model: str) -> ModelId:
        if snapshot.leaderboard.entry(ModelId(model)) is None and model not in self._store.catalogue.models():
            raise CannotStudy("unknown_model", f"no model has the id {model!r}", model=model)
        return ModelId(model)
