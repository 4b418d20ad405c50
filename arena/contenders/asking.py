"""Tasks put to endpoints: each endpoint as many at a time as it allows, within a budget, and each reply kept at once.

What is asked for, answers or verdicts, is the caller's; a failure is noted, and the run goes on.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from arena.battle import Message
from arena.contenders.client import Client, Completion
from arena.contenders.endpoint import Endpoint
from arena.errors import EndpointFailed, Failure

CHARACTERS_PER_TOKEN = 4.0
"""A rule of thumb for English, which holds where an endpoint does not count, and for estimates before a run."""

USUAL_TOKENS = 500
"""What a reply is taken for in an estimate, where nothing is known of a model's replies and it has no max_tokens."""

FAILURES_TO_REST = 5
"""After so many requests in a row that failed, each with its own tries, nobody is asked any more in this run."""


class Task(Protocol):
    """Something to be asked, and of whom."""

    @property
    def who(self) -> str:
        """The id of a model, or of a judge."""
        ...

    @property
    def messages(self) -> tuple[Message, ...]:
        """The question."""
        ...


T = TypeVar("T", bound=Task)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take of one: requests, tokens, US dollars and seconds; None where it cannot be known.

    seconds are those of this one alone, its requests as many at a time as it allows, each as long as the replies that
    there are took.
    """

    n: int
    n_prompt_tokens: int
    n_tokens: int
    usd: float | None
    seconds: float | None


def estimate(
    endpoint: Endpoint, tasks: Sequence[Task], *, tokens: Sequence[int], milliseconds: Sequence[float]
) -> Estimate:
    """From the tokens and the times of replies that there are already, and from the rules of thumb above."""
    n = len(tasks)
    n_prompt = sum(_prompt_tokens(endpoint, task) for task in tasks)
    n_tokens = round(n * (math.fsum(tokens) / len(tokens) if tokens else _most_tokens(endpoint)))
    seconds = n / endpoint.concurrency * math.fsum(milliseconds) / len(milliseconds) / 1000 if milliseconds else None
    return Estimate(n, n_prompt, n_tokens, endpoint.cost(n_prompt, n_tokens), seconds)


@dataclass(frozen=True, slots=True)
class Missed(Generic[T]):
    """A task that got no reply, and why."""

    task: T
    failure: Failure
    detail: str


@dataclass(slots=True)
class Asked(Generic[T]):
    """What came of a run. usd is what the replies cost, those without a price aside.

    `n_uncounted` replies came without a number of tokens: theirs were taken from their length. `rested` are those who
    failed too often and were asked no more; `is_over_budget` tells that the budget ended the run.
    """

    n_made: int = 0
    missed: list[Missed[T]] = field(default_factory=list)
    n_not_asked: int = 0
    usd: float = 0.0
    n_uncounted: int = 0
    rested: dict[str, Failure] = field(default_factory=dict)
    is_over_budget: bool = False


async def ask_all(
    tasks: Sequence[T],
    clients: Mapping[str, Client],
    keep: Callable[[T, Completion], T | None],
    *,
    budget_usd: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Asked[T]:
    """Ask, each as many at a time as it allows, and hand each reply to `keep` as soon as it is whole.

    What `keep` returns, if anything, is asked next. A failure is noted and the run goes on. With a budget nothing is
    asked that might exceed it, by the estimates of this module for what is under way; the endpoints need prices then.
    What `keep` raises ends the run.
    """
    run = _Run(clients, keep, budget_usd, on_progress, len(tasks))
    queues: dict[str, deque[T]] = {}
    for task in tasks:
        queues.setdefault(task.who, deque()).append(task)
    try:
        async with asyncio.TaskGroup() as group:
            for who, queue in queues.items():
                for _ in range(min(clients[who].endpoint.concurrency, len(queue))):
                    group.create_task(run.work(who, queue))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    run.done.n_not_asked = sum(map(len, queues.values()))
    return run.done


class _Run(Generic[T]):
    def __init__(
        self,
        clients: Mapping[str, Client],
        keep: Callable[[T, Completion], T | None],
        budget_usd: float | None,
        on_progress: Callable[[int, int], None] | None,
        n_tasks: int,
    ):
        self.done: Asked[T] = Asked()
        self._clients = clients
        self._keep = keep
        self._budget = math.inf if budget_usd is None else budget_usd
        self._on_progress = on_progress
        self._n_tasks = n_tasks
        self._reserved = 0.0
        self._n_failed_in_a_row: Counter[str] = Counter()

    async def work(self, who: str, queue: deque[T]) -> None:
        """Do tasks of one until none is left, or until it rests, or the money is spent."""
        endpoint = self._clients[who].endpoint
        while queue and who not in self.done.rested and not self.done.is_over_budget:
            reserved = endpoint.cost(_prompt_tokens(endpoint, queue[0]), _most_tokens(endpoint)) or 0.0
            if self.done.usd + self._reserved + reserved > self._budget:
                self.done.is_over_budget = True
                return
            task = queue.popleft()
            self._reserved += reserved
            try:
                further = await self._ask(task, endpoint)
            finally:
                self._reserved -= reserved
            if further is not None:
                queue.appendleft(further)
                self._n_tasks += 1

    async def _ask(self, task: T, endpoint: Endpoint) -> T | None:
        who, done, further = task.who, self.done, None
        try:
            completion = await self._clients[who].answer(task.messages)
        except EndpointFailed as failed:
            done.missed.append(Missed(task, failed.failure, failed.detail))
            self._n_failed_in_a_row[who] += 1
            if failed.failure.is_lasting or self._n_failed_in_a_row[who] >= FAILURES_TO_REST:
                done.rested[who] = failed.failure
        else:
            further = self._keep(task, completion)
            self._n_failed_in_a_row[who] = 0
            done.n_made += 1
            done.usd += self._cost(task, endpoint, completion)
        if self._on_progress is not None:
            self._on_progress(done.n_made + len(done.missed), self._n_tasks)
        return further

    def _cost(self, task: T, endpoint: Endpoint, completion: Completion) -> float:
        n_prompt, n_tokens = completion.n_prompt_tokens, completion.n_tokens
        if n_prompt is None or n_tokens is None:
            self.done.n_uncounted += 1
            n_prompt = _prompt_tokens(endpoint, task)
            n_tokens = math.ceil(len(completion.text) / CHARACTERS_PER_TOKEN)
        return endpoint.cost(n_prompt, n_tokens) or 0.0


def _prompt_tokens(endpoint: Endpoint, task: Task) -> int:
    n = sum(len(message["content"]) for message in endpoint.asked(task.messages))
    return math.ceil(n / CHARACTERS_PER_TOKEN)


def _most_tokens(endpoint: Endpoint) -> int:
    most = endpoint.params.get("max_tokens", endpoint.params.get("max_completion_tokens"))
    return most if isinstance(most, int) else USUAL_TOKENS


def counted_failures(missed: Sequence[Missed[T]]) -> Iterator[tuple[str, Failure, int, str]]:
    """Of whom, which failure, how often, and what was said the last time; the most frequent first."""
    last = {(each.task.who, each.failure): each.detail for each in missed}
    for (who, failure), n in Counter((each.task.who, each.failure) for each in missed).most_common():
        yield who, failure, n, last[who, failure]
