"""Answers in advance: every prompt put to every model, each once and paid once.

What there is already is never asked again, so a run that was interrupted goes on where it stopped.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.battle import Answer, ModelId, Prompt, PromptId
from arena.contenders.client import Client, Completion
from arena.contenders.endpoint import Endpoint
from arena.errors import EndpointFailed, Failure
from arena.pack import Pack

CHARACTERS_PER_TOKEN = 4.0
"""A rule of thumb for English, which holds where an endpoint does not count, and for estimates before a run."""

USUAL_TOKENS = 500
"""What an answer is taken for in an estimate, where nothing is known of a model's answers and it has no max_tokens."""

FAILURES_TO_REST = 5
"""After so many requests in a row that failed, each with its own tries, a model is not asked any more in this run."""


@dataclass(frozen=True, slots=True)
class Task:
    """A prompt that a model has not answered yet. `sample` counts from 1: which of several answers it will be."""

    prompt: Prompt
    model_id: ModelId
    sample: int = 1


Key = tuple[PromptId, ModelId, int]
"""Prompt, model and sample."""


def tasks_of(
    pack: Pack,
    there: Collection[Key],
    *,
    models: Collection[ModelId] | None = None,
    prompts: Collection[PromptId] | None = None,
    n_samples: int = 1,
) -> tuple[Task, ...]:
    """What is missing, prompt by prompt, so that a run that ends early leaves prompts that all models have answered."""
    asked = [model for model in pack.endpoints if models is None or model in models]
    return tuple(
        Task(prompt, model, sample)
        for prompt in pack.prompts
        if prompts is None or prompt.id in prompts
        for sample in range(1, n_samples + 1)
        for model in asked
        if (prompt.id, model, sample) not in there
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take for one model: requests, tokens, US dollars and seconds; None where it cannot be known.

    seconds are those of the model alone, its requests as many at a time as it allows, each as long as the answers that
    there are took.
    """

    n: int
    n_prompt_tokens: int
    n_tokens: int
    usd: float | None
    seconds: float | None


def estimates(pack: Pack, tasks: Sequence[Task]) -> dict[ModelId, Estimate]:
    """By model. Of answers that are there already, and of the rules of thumb above."""
    known: dict[ModelId, list[Answer]] = {}
    for answer in pack.answers:
        known.setdefault(answer.model_id, []).append(answer)
    found = {}
    for model, n in Counter(task.model_id for task in tasks).items():
        endpoint = pack.endpoints[model]
        n_prompt = sum(_prompt_tokens(endpoint, task.prompt) for task in tasks if task.model_id == model)
        told = [answer.tokens for answer in known.get(model, ()) if answer.tokens is not None]
        n_tokens = round(n * (math.fsum(told) / len(told) if told else _most_tokens(endpoint)))
        times = [answer.latency_ms for answer in known.get(model, ()) if answer.latency_ms is not None]
        seconds = n / endpoint.concurrency * math.fsum(times) / len(times) / 1000 if times else None
        found[model] = Estimate(n, n_prompt, n_tokens, endpoint.cost(n_prompt, n_tokens), seconds)
    return found


@dataclass(frozen=True, slots=True)
class Missed:
    """A task whose model did not answer, and why."""

    task: Task
    failure: Failure
    detail: str


@dataclass(slots=True)
class Generated:
    """What came of a run. usd is what the answers cost, those of models without a price aside.

    `n_uncounted` answers came without a number of tokens: theirs were taken from their length. `rested` are models that
    failed too often and were asked no more; `is_over_budget` tells that the budget ended the run.
    """

    n_made: int = 0
    missed: list[Missed] = field(default_factory=list)
    n_not_asked: int = 0
    usd: float = 0.0
    n_uncounted: int = 0
    rested: dict[ModelId, Failure] = field(default_factory=dict)
    is_over_budget: bool = False


def params_of(endpoint: Endpoint) -> dict[str, Any]:
    """How a model is asked, as it is noted with its answers; the system prompt is part of it."""
    return endpoint.params | ({"system_prompt": endpoint.system_prompt} if endpoint.system_prompt else {})


def row_of(task: Task, endpoint: Endpoint, completion: Completion) -> dict[str, Any]:
    """The line of answers.jsonl; where `sample` is more than 1, of samples.jsonl."""
    row = {
        "prompt_id": task.prompt.id,
        "model_id": task.model_id,
        "text": completion.text,
        "revision": completion.revision_at(endpoint),
        "params": params_of(endpoint) or None,
        "tokens": completion.n_tokens,
        "latency_ms": round(completion.latency_ms, 1),
        "finish_reason": completion.finish_reason,
    }
    return row if task.sample == 1 else {"sample": task.sample} | row


async def generate(
    tasks: Sequence[Task],
    clients: Mapping[ModelId, Client],
    keep: Callable[[Task, Completion], None],
    *,
    budget_usd: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Make the answers, each model as many at a time as it allows, and hand each to `keep` as soon as it is whole.

    A failure is noted and the run goes on. With a budget nothing is asked that might exceed it, by the estimates of
    this module for what is under way; the models need prices then. What `keep` raises ends the run.
    """
    run = _Run(clients, keep, budget_usd, on_progress, len(tasks))
    queues: dict[ModelId, deque[Task]] = {}
    for task in tasks:
        queues.setdefault(task.model_id, deque()).append(task)
    try:
        async with asyncio.TaskGroup() as group:
            for model, queue in queues.items():
                for _ in range(min(clients[model].endpoint.concurrency, len(queue))):
                    group.create_task(run.work(model, queue))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    run.done.n_not_asked = sum(map(len, queues.values()))
    return run.done


class _Run:
    def __init__(
        self,
        clients: Mapping[ModelId, Client],
        keep: Callable[[Task, Completion], None],
        budget_usd: float | None,
        on_progress: Callable[[int, int], None] | None,
        n_tasks: int,
    ):
        self.done = Generated()
        self._clients = clients
        self._keep = keep
        self._budget = math.inf if budget_usd is None else budget_usd
        self._on_progress = on_progress
        self._n_tasks = n_tasks
        self._reserved = 0.0
        self._n_failed_in_a_row: Counter[ModelId] = Counter()

    async def work(self, model: ModelId, queue: deque[Task]) -> None:
        """Answer tasks of one model until none is left, or until it rests, or the money is spent."""
        endpoint = self._clients[model].endpoint
        while queue and model not in self.done.rested and not self.done.is_over_budget:
            tokens = _prompt_tokens(endpoint, queue[0].prompt), _most_tokens(endpoint)
            reserved = endpoint.cost(*tokens) or 0.0
            if self.done.usd + self._reserved + reserved > self._budget:
                self.done.is_over_budget = True
                return
            task = queue.popleft()
            self._reserved += reserved
            try:
                await self._ask(task, endpoint)
            finally:
                self._reserved -= reserved

    async def _ask(self, task: Task, endpoint: Endpoint) -> None:
        model, done = task.model_id, self.done
        try:
            completion = await self._clients[model].answer(task.prompt.messages)
        except EndpointFailed as failed:
            done.missed.append(Missed(task, failed.failure, failed.detail))
            self._n_failed_in_a_row[model] += 1
            if failed.failure.is_lasting or self._n_failed_in_a_row[model] >= FAILURES_TO_REST:
                done.rested[model] = failed.failure
        else:
            self._keep(task, completion)
            self._n_failed_in_a_row[model] = 0
            done.n_made += 1
            done.usd += self._cost(task, endpoint, completion)
        if self._on_progress is not None:
            self._on_progress(done.n_made + len(done.missed), self._n_tasks)

    def _cost(self, task: Task, endpoint: Endpoint, completion: Completion) -> float:
        n_prompt, n_tokens = completion.n_prompt_tokens, completion.n_tokens
        if n_prompt is None or n_tokens is None:
            self.done.n_uncounted += 1
            n_prompt = _prompt_tokens(endpoint, task.prompt)
            n_tokens = math.ceil(len(completion.text) / CHARACTERS_PER_TOKEN)
        return endpoint.cost(n_prompt, n_tokens) or 0.0


def _prompt_tokens(endpoint: Endpoint, prompt: Prompt) -> int:
    n = sum(len(message["content"]) for message in endpoint.asked(prompt.messages))
    return math.ceil(n / CHARACTERS_PER_TOKEN)


def _most_tokens(endpoint: Endpoint) -> int:
    most = endpoint.params.get("max_tokens", endpoint.params.get("max_completion_tokens"))
    return most if isinstance(most, int) else USUAL_TOKENS


def counted_failures(missed: Sequence[Missed]) -> Iterator[tuple[ModelId, Failure, int, str]]:
    """Model, failure, how often, and what was said the last time; the most frequent first."""
    last = {(each.task.model_id, each.failure): each.detail for each in missed}
    for (model, failure), n in Counter((each.task.model_id, each.failure) for each in missed).most_common():
        yield model, failure, n, last[model, failure]
