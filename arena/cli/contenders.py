"""Models that answer live: tried one by one, and asked in advance."""

# ruff: noqa: PLC0415
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arena import option
from arena.cli.console import counted, dumped, progress, say, secrets_of, tell, with_json
from arena.errors import BadInput

if TYPE_CHECKING:
    from arena.battle import ModelId
    from arena.contenders.asking import Asked, Estimate
    from arena.contenders.client import Client
    from arena.contenders.endpoint import Endpoint
    from arena.contenders.generation import Task
    from arena.pack import Pack

INTERRUPTED = 130
"""The exit code of a run that its host stopped."""

_pack = click.argument("directory", type=Path, metavar="PACK", help="The pack's folder.")
_models = click.option("--model", "models", type=option.words, metavar="ID,...", help="These models only.")


@click.command()
@_pack
@_models
@with_json
def doctor(directory: Path, *, models: tuple[str, ...] | None, as_json: bool) -> None:
    """Ask every endpoint of a pack one short question, and say in a line each what is wrong."""
    import asyncio

    from arena.contenders.checkup import check_up

    pack = _read(directory, judges_do=models is None)
    endpoints: dict[str, Endpoint] = {**_chosen(pack, models)}
    if models is None:
        endpoints |= {f"judge {each.id}": each.endpoint for each in pack.judges}
    clients, missing = clients_for(endpoints)
    found = asyncio.run(check_up(clients, missing))
    n_ill = sum(not each.is_well for each in found)
    if as_json:
        tell(dumped({"endpoints": [each.to_record() for each in found]}))
    else:
        width = max(len(each.model_id) for each in found)
        for each in found:
            tell(f"{'ok  ' if each.is_well else 'FAIL'}  {each.model_id:<{width}}  {each.told}")
            for line in each.advice:
                tell(f"      {'':<{width}}  {line}")
    if n_ill:
        say(f"{n_ill} of {counted(len(found), 'endpoint')} cannot be used")
        sys.exit(1)
    say("every endpoint answers" if len(found) > 1 else "the endpoint answers")


@click.command()
@_pack
@_models
@click.option("--prompt", "prompts", type=option.words, metavar="ID,...", help="These prompts only.")
@click.option(
    "--samples",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="So many answers of each model to each prompt; those beyond the first go to samples.jsonl.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="Stop before the answers of this run cost more. Needs prices in models.jsonl.",
)
@click.option("--dry-run", is_flag=True, help="Only say what is missing, what it may cost and how long it may take.")
@with_json
def generate(
    directory: Path,
    *,
    models: tuple[str, ...] | None,
    prompts: tuple[str, ...] | None,
    samples: int,
    budget: float | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put every prompt of a pack to every model that has an endpoint, and write the answers into the pack.

    Only what is missing is asked for, so a run that was interrupted goes on where it stopped.
    """
    from arena.battle import PromptId
    from arena.contenders.answer_log import held, mend
    from arena.contenders.generation import estimates, tasks_of
    from arena.pack import ANSWERS_FILE, MODELS_FILE, SAMPLES_FILE

    with held(directory / MODELS_FILE):
        for name in (ANSWERS_FILE, SAMPLES_FILE):
            torn = mend(directory / name)
            if torn is not None:
                say(f"the last line of {name} was not whole; it stands in {torn.name} now, and is asked for again")
        pack = _read(directory)
        endpoints = _chosen(pack, models)
        unknown = set(prompts or ()) - {prompt.id for prompt in pack.prompts}
        if unknown:
            raise BadInput(f"{min(unknown)!r} is no prompt of {directory}")
        if budget is not None and (free := [model for model, each in endpoints.items() if each.price is None]):
            raise BadInput(f"a budget needs prices, and {free[0]!r} has none: add endpoint.price in {MODELS_FILE}")
        there = {(answer.prompt_id, answer.model_id, 1) for answer in pack.answers}
        there |= {(answer.prompt_id, answer.model_id, sample) for sample, answer in pack.samples}
        tasks = tasks_of(
            pack,
            there,
            models=endpoints,
            prompts=None if prompts is None else frozenset(map(PromptId, prompts)),
            n_samples=samples,
        )
        planned = estimates(pack, tasks)
        if not as_json:
            tell_plan(planned, len(tasks))
        if dry_run or not tasks:
            if as_json:
                tell(dumped(record_of(planned, None, _of_task)))
            return
        done = _run(directory, tasks, endpoints, budget)
    if as_json:
        tell(dumped(record_of(planned, done, _of_task)))
    else:
        _tell_done(done)
    if done.missed or done.n_not_asked:
        n = len(done.missed) + done.n_not_asked
        say(f"{counted(n, 'answer')} still missing: the same command asks for them alone")
        sys.exit(1)


def _run(
    directory: Path, tasks: "Sequence[Task]", endpoints: "Mapping[ModelId, Endpoint]", budget: float | None
) -> "Asked[Task]":
    import asyncio

    from arena.contenders.answer_log import append
    from arena.contenders.asking import ask_all
    from arena.contenders.generation import row_of
    from arena.pack import ANSWERS_FILE, SAMPLES_FILE

    clients, missing = clients_for(
        {model: endpoints[model] for model in dict.fromkeys(task.model_id for task in tasks)}
    )
    if missing:
        model, variable = next(iter(missing.items()))
        raise BadInput(f"the key of {model!r} is not there: set the environment variable {variable}")
    n_kept = 0

    def keep(task: "Task", completion: Any) -> None:
        nonlocal n_kept
        file = ANSWERS_FILE if task.sample == 1 else SAMPLES_FILE
        append(directory / file, row_of(task, endpoints[task.model_id], completion))
        n_kept += 1

    try:
        with progress("Answering") as on_progress:
            return asyncio.run(ask_all(tasks, clients, keep, budget_usd=budget, on_progress=on_progress))
    except KeyboardInterrupt:
        say(f"interrupted: {counted(n_kept, 'answer')} of this run are kept, the same command asks for the rest")
        sys.exit(INTERRUPTED)


def _read(directory: Path, *, judges_do: bool = False) -> "Pack":
    """The pack. Raises BadInput where it has no endpoint; with `judges_do` those of judges are as good."""
    from arena.pack import MODELS_FILE, read_pack

    pack = read_pack(directory)
    if not pack.endpoints and not (judges_do and pack.judges):
        raise BadInput(f"no model of {directory} has an endpoint: add one to its line in {MODELS_FILE} (docs/live.md)")
    return pack


def _chosen(pack: "Pack", models: tuple[str, ...] | None) -> "dict[ModelId, Endpoint]":
    """The endpoints asked for. Raises BadInput for a model that has none."""
    unknown = set(models or ()) - set(pack.endpoints)
    if unknown:
        raise BadInput(f"{min(unknown)!r} has no endpoint in {pack.directory}; these have: {', '.join(pack.endpoints)}")
    return {model: each for model, each in pack.endpoints.items() if models is None or model in models}


def clients_for(endpoints: "Mapping[Any, Endpoint]") -> "tuple[dict[str, Client], dict[str, str]]":
    """A client each; and those whose key is not in the environment, with the name it should have there."""
    from random import SystemRandom

    from arena.contenders.client import clients_of, missing_keys, share_encryption

    share_encryption()
    keys = secrets_of(each.api_key_env for each in endpoints.values() if each.api_key_env)
    return clients_of(endpoints, keys, rng=SystemRandom()), missing_keys(endpoints, keys)


def tell_plan(planned: "Mapping[str, Estimate]", n: int, *, noun: str = "answer") -> None:
    """What is missing of each, what it may cost and how long it may take."""
    if not n:
        say("nothing is missing")
        return
    for model, each in planned.items():
        usd = "price not known" if each.usd is None else f"about ${each.usd:,.2f}"
        time = "time not known" if each.seconds is None else f"about {each.seconds:,.0f} s"
        say(f"{model}: {counted(each.n, noun)} missing, {usd}, {time}")


def _tell_done(done: "Asked[Task]") -> None:
    usd = f", ${done.usd:,.4f}" if done.usd else ""
    tell(f"{counted(done.n_made, 'answer')} made{usd}, {len(done.missed):,} failed, {done.n_not_asked:,} not asked for")
    for each in done.missed:
        say(f"failed: {each.task.prompt.id} by {each.task.model_id}: {each.failure}")
    tell_failures(done)


def tell_failures(done: "Asked[Any]") -> None:
    """What went wrong in a run, counted, and why it ended early if it did."""
    from arena.contenders.asking import counted_failures

    if done.n_uncounted:
        say(f"{counted(done.n_uncounted, 'answer')} came without a number of tokens; theirs are taken from the length")
    for who, failure, n, detail in counted_failures(done.missed):
        tell(f"{n:>8,}  {who} {failure} ({detail})")
    for who, failure in done.rested.items():
        say(f"{who} was not asked any more: it {failure}")
    if done.is_over_budget:
        say("the budget is spent, or would be by the next answers")


def record_of(
    planned: "Mapping[str, Estimate]", done: "Asked[Any] | None", of_task: "Callable[[Any], dict[str, Any]]"
) -> dict[str, Any]:
    """A run as JSON has it; `of_task` tells a task that failed."""
    from dataclasses import asdict

    record: dict[str, Any] = {"planned": {who: asdict(each) for who, each in planned.items()}}
    if done is None:
        return record
    failed = [
        of_task(each.task) | {"failure": each.failure.name.lower(), "detail": each.detail} for each in done.missed
    ]
    return record | {
        "n_made": done.n_made,
        "n_not_asked": done.n_not_asked,
        "usd": done.usd,
        "n_uncounted": done.n_uncounted,
        "failed": failed,
        "rested": {who: failure.name.lower() for who, failure in done.rested.items()},
        "is_over_budget": done.is_over_budget,
    }


def _of_task(task: "Task") -> dict[str, Any]:
    return {"prompt": task.prompt.id, "model": task.model_id, "sample": task.sample}
