"""Small arenas for tests."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from random import Random
from typing import Any

from arena.battle import Answer, Message, Model, ModelId, Prompt, PromptId, VoterId
from arena.errors import ArenaError
from arena.pack import answer_id
from arena.store import VoteStore
from arena.voter import VoterKey
from arena.voting import Booth

KEY = VoterKey(b"a secret of the tests, not of anybody else")


def answer(prompt: str, model: str, text: str) -> Answer:
    return Answer(answer_id(prompt, model, text), PromptId(prompt), ModelId(model), text)


def fill(store: VoteStore, now: datetime, n_prompts: int = 2, n_models: int = 3) -> None:
    """Prompts p0, p1, ... and models m0, m1, ..., each with an answer to each prompt."""
    models = [Model(ModelId(f"m{m}"), f"Model {m}", organization=f"Maker {m}") for m in range(n_models)]
    prompts = [
        Prompt(PromptId(f"p{p}"), (Message("user", f"Question {p}?"),), "reasoning", "en") for p in range(n_prompts)
    ]
    store.catalogue.add_models(models, now)
    store.catalogue.add_prompts(prompts, now)
    store.catalogue.add_answers(
        [answer(p.id, m.id, f"Text of {m.id} for {p.id}") for p in prompts for m in models], now
    )


def booth(store: VoteStore, now: datetime, seed: int = 0) -> Booth:
    return Booth(store, rng=Random(seed), board=lambda: None, now=now)


def voter() -> VoterId:
    """Somebody new."""
    voter_id = KEY.voter_id(KEY.issue())
    assert voter_id is not None
    return voter_id


def race(work: Callable[[int], Any], n: int, *, refused: type[ArenaError]) -> list[Any]:
    """Run `work(i)` in n threads that start together; refusals of this kind are results."""
    gate = threading.Barrier(n)

    def run(i: int) -> Any:
        gate.wait()
        try:
            return work(i)
        except refused as error:
            return error

    with ThreadPoolExecutor(n) as threads:
        return list(threads.map(run, range(n)))
