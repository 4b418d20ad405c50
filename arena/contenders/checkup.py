"""Every endpoint tried once, and what is wrong with it in one line."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.battle import Message
from arena.contenders.client import Client, Completion
from arena.contenders.endpoint import Endpoint
from arena.errors import EndpointFailed, Failure

QUESTION = (Message("user", "Please answer with one word: hello."),)

_WHAT_TO_DO = {
    Failure.REFUSED: "is the server running, and base_url right?",
    Failure.NO_KEY: "check the key",
    Failure.LIMITED: "wait, or lower concurrency",
    Failure.REJECTED: "check model and params",
    Failure.BROKEN: "look into the server's own log",
    Failure.SLOW: "raise timeout_seconds, or look at the server's load",
    Failure.CUT: "look into the server's own log, or at a proxy in between",
    Failure.MALFORMED: "is this an OpenAI-compatible server?",
    Failure.FILTERED: "the endpoint filters even this question",
    Failure.ENDLESS: "set max_tokens in params",
}


@dataclass(frozen=True, slots=True)
class Checkup:
    """What one endpoint did. `told` is one line; `advice` is what works and yet may surprise."""

    model_id: str
    """Of a judge: "judge" and its id."""
    is_well: bool
    told: str
    advice: tuple[str, ...] = ()
    failure: Failure | None = None
    completion: Completion | None = None

    def to_record(self) -> dict[str, Any]:
        """As JSON has it; times in milliseconds."""
        made = self.completion
        return {
            "model": self.model_id,
            "is_well": self.is_well,
            "told": self.told,
            "advice": list(self.advice),
            "failure": self.failure.name.lower() if self.failure else None,
            "first_word_ms": round(made.first_word_ms, 1) if made else None,
            "latency_ms": round(made.latency_ms, 1) if made else None,
            "tokens": made.n_tokens if made else None,
            "calls_itself": made.model if made else None,
        }


async def check_up(clients: Mapping[str, Client], missing_keys: Mapping[str, str]) -> list[Checkup]:
    """Ask every endpoint one short question, all at the same time, in their order.

    `missing_keys` are models whose key is not in the environment, with the name it should have: they are not asked.
    """

    async def one(model: str) -> Checkup:
        if model in missing_keys:
            told = f"the environment variable {missing_keys[model]}, which should hold its key, is not set"
            return Checkup(model, is_well=False, told=told, failure=Failure.NO_KEY)
        return await _ask(model, clients[model])

    return list(await asyncio.gather(*map(one, clients)))


async def _ask(model: str, client: Client) -> Checkup:
    try:
        made = await client.answer(QUESTION)
    except EndpointFailed as failed:
        what = _WHAT_TO_DO[failed.failure]
        if failed.failure is Failure.NO_KEY and client.endpoint.api_key_env:
            what = f"check the key in {client.endpoint.api_key_env}"
        told = f"{failed.failure} ({failed.detail}): {what}"
        return Checkup(model, is_well=False, told=told, failure=failed.failure)
    tokens = "tokens not told" if made.n_tokens is None else f"{made.n_tokens} token{'' if made.n_tokens == 1 else 's'}"
    told = f"answered in {made.latency_ms / 1000:.2f} s (first word {made.first_word_ms / 1000:.2f} s), {tokens}"
    return Checkup(model, is_well=True, told=told, advice=tuple(_advice(client.endpoint, made)), completion=made)


def _advice(endpoint: Endpoint, made: Completion) -> list[str]:
    found = []
    if made.n_tries > 1:
        found.append(f"it took {made.n_tries} tries")
    if not made.text.strip():
        found.append("the answer is empty")
    if made.finish_reason == "length":
        found.append("the answer was cut at max_tokens")
    if made.model is not None and endpoint.model.casefold() not in made.model.casefold():
        found.append(f"asked for {endpoint.model!r}, it calls itself {made.model!r}: answers are noted under that")
    if made.n_tokens is None and endpoint.price is not None:
        found.append("it tells no number of tokens, so costs are taken from lengths")
    return found
