"""Answers in advance: every prompt put to every model, each once and paid once.

What there is already is never asked again, so a run that was interrupted goes on where it stopped.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from arena.battle import Answer, Message, ModelId, Prompt, PromptId
from arena.contenders.asking import Estimate, estimate
from arena.contenders.client import Completion
from arena.contenders.endpoint import Endpoint
from arena.pack import Pack


@dataclass(frozen=True, slots=True)
class Task:
    """A prompt that a model has not answered yet. `sample` counts from 1: which of several answers it will be."""

    prompt: Prompt
    model_id: ModelId
    sample: int = 1

    @property
    def who(self) -> str:
        return self.model_id

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.prompt.messages


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


def estimates(pack: Pack, tasks: Sequence[Task]) -> dict[str, Estimate]:
    """By model. Of answers that are there already, and of rules of thumb."""
    known: dict[ModelId, list[Answer]] = {}
    for answer in pack.answers:
        known.setdefault(answer.model_id, []).append(answer)
    of: dict[ModelId, list[Task]] = {}
    for task in tasks:
        of.setdefault(task.model_id, []).append(task)
    return {
        model: estimate(
            pack.endpoints[model],
            asked,
            tokens=[answer.tokens for answer in known.get(model, ()) if answer.tokens is not None],
            milliseconds=[answer.latency_ms for answer in known.get(model, ()) if answer.latency_ms is not None],
        )
        for model, asked in of.items()
    }


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
