"""A booth of live battles for tests, on a real server of models."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from random import Random
from typing import Any

from model_server import ModelServer, Reply

from arena.battle import Ballot, ModelId, Verdict, VoterId
from arena.contenders.client import Client, Completion, Patience
from arena.contenders.endpoint import Endpoint
from arena.live import LiveBooth, Opened, Step
from arena.store import VoteStore
from arena.voting import Booth
from arenas import booth
from ground import NOW

LIVE = "[live]\nown_prompts = true\n"
MODELS = ("quill", "brine", "tamar")
HASTY = Patience(n_tries=2, pause_seconds=0.01, stall_seconds=0.5)
QUESTION = "Why is the sky blue?"


class Live:
    """A booth of live battles with a fast tempo, and the ordinary one beside it."""

    def __init__(self, store: VoteStore, server: ModelServer, models: Sequence[str] = MODELS, **endpoint: Any):
        self.now: datetime = NOW
        self.store = store
        self.booth: Booth = booth(store, NOW)
        clients = {
            ModelId(each): Client(
                Endpoint.model_validate({"model": each, "base_url": server.url, "timeout_seconds": 5} | endpoint),
                None,
                rng=Random(0),
                patience=HASTY,
            )
            for each in models
        }
        self.live = LiveBooth(store, self.booth, clients, rng=Random(4), clock=lambda: self.now)
        for each in self.live.health.figures(0.0):
            for _ in range(20):
                self.live.health.answered(each, Completion("x" * 2500, "stop", None, 1, 1, 10.0, 1010.0, 1), None)

    async def steps(self, voter_id: VoterId, text: str = QUESTION) -> list[Step]:
        return [step async for step in await self.live.battle(voter_id, text)]

    async def opened(self, voter_id: VoterId, text: str = QUESTION) -> Ballot:
        *_, last = await self.steps(voter_id, text)
        assert isinstance(last, Opened)
        return last.ballot


def run(course: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await course()

    return asyncio.run(bounded())


def rows(store: VoteStore, query: str) -> list[tuple[Any, ...]]:
    with store._database.read() as cursor:
        return cursor.execute(query).fetchall()


def answers_with(server: ModelServer, text: Callable[[str], str], **more: Any) -> None:
    """Each model answers with a text of its own, in pieces of four letters."""
    for model in MODELS:
        whole = text(model)
        server.says(model, Reply(pieces=tuple(whole[i : i + 4] for i in range(0, len(whole), 4)), **more))


def sky(model: str) -> str:
    return f"It scatters. Take {len(model)} grains and number {sum(map(ord, model))}.\nThat is all."


def vote_on(live: Live, who: VoterId, text: str = QUESTION) -> Ballot:
    ballot = run(lambda: live.opened(who, text))
    live.booth.cast(ballot.id, Verdict.A, who, NOW)
    return ballot
