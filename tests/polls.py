"""Arenas that are full of votes: prompts of several categories and languages, answers with texts, voters and times."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp
from random import Random

from arena.battle import (
    Answer,
    Battle,
    BattleId,
    Message,
    Model,
    ModelId,
    Prompt,
    PromptId,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
)
from arena.pack import answer_id
from arena.store import VoteStore
from ground import NOW

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = timedelta(minutes=10)
CATEGORIES = ("code", "facts", "writing")
LANGUAGES = ("de", "en")

# Best first, each 0.6 logits (104 points) above the next.
MODELS = (
    Model(ModelId("ada"), "Ada One", "Vexaria, Ltd", "MIT", open_weights=True),
    Model(ModelId("bob"), "Bob", "Vexaria, Ltd", "Apache-2.0", open_weights=True, aliases=("robert",)),
    Model(ModelId("cleo"), "Cleo", "Osterhaus", None, open_weights=False),
    Model(ModelId("dan"), "dan", None, "MIT", retired_at=datetime(2026, 3, 1, tzinfo=UTC)),
    Model(ModelId("eve"), "Eve <b>", "Osterhaus", "MIT", url="https://eve.example"),
)
NAMES = tuple(model.id for model in MODELS)
_GAP = 0.6


def stock(store: VoteStore, n: int = 300, *, n_voters: int = 20, now: datetime = NOW, seed: int = 0) -> None:
    """The models, 12 prompts, and n votes: one every ten minutes by so many people; every tenth is by rules."""
    rng = Random(seed)
    prompts = [
        Prompt(PromptId(f"poll-{p}"), (Message("user", f"Question {p}?"),), CATEGORIES[p % 3], LANGUAGES[p % 2])
        for p in range(12)
    ]
    answers = {
        (prompt.id, model): Answer(answer_id(prompt.id, model, text), prompt.id, model, text)
        for prompt in prompts
        for model in NAMES
        for text in [f"{model} says:\n" + "- a point\n" * rng.randrange(4) + "word " * rng.randint(5, 60)]
    }
    rows = []
    for number in range(n):
        a, b = rng.sample(range(len(NAMES)), 2)
        prompt = rng.choice(prompts)
        a_wins = 1 / (1 + exp(-_GAP * (b - a)))
        verdict = Verdict.A if rng.random() < a_wins else Verdict.B
        verdict = rng.choice((Verdict.TIE, Verdict.BOTH_BAD)) if rng.random() < 0.25 else verdict
        sides = [answers[prompt.id, NAMES[side]] for side in (a, b)]
        source = Source.RULE if number % 10 == 9 else Source.HUMAN
        battle = Battle(BattleId(f"poll-{number}"), NAMES[a], NAMES[b], prompt.id, sides[0].id, sides[1].id)
        voter = VoterId(f"voter-{rng.randrange(n_voters)}")
        rows.append((battle, _vote(battle, verdict, source, voter, BEGIN + number * EVERY)))
    store.catalogue.add_models(MODELS, now)
    store.catalogue.add_prompts(prompts, now)
    store.catalogue.add_answers(answers.values(), now)
    store.votes.add_imported(rows, now)


def ties(store: VoteStore, names: Iterable[str], *, now: datetime = NOW) -> None:
    """A tie of each two neighbours, by one more voter, on answers that nobody knows."""
    start = store.log.position()[0]
    rows = []
    for number, (a, b) in enumerate(pairwise(names), start):
        battle = Battle(BattleId(f"tie-{number}"), ModelId(a), ModelId(b))
        rows.append(
            (battle, _vote(battle, Verdict.TIE, Source.HUMAN, VoterId("late"), now + timedelta(seconds=number)))
        )
    store.votes.add_imported(rows, now)


def _vote(battle: Battle, verdict: Verdict, source: Source, voter: VoterId, voted_at: datetime) -> Vote:
    return Vote(VoteId(battle.id), battle.id, verdict, source, voter, voted_at, import_key=battle.id)
