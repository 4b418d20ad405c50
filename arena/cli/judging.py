"""`bakeoff judge`: AI judges asked about the answers of a pack, their rulings as votes, and how far to trust them."""

# ruff: noqa: PLC0415
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arena import option
from arena.battle import Source
from arena.cli.console import counted, dumped, existing, progress, say, settings_with, tell, with_json
from arena.cli.contenders import INTERRUPTED, clients_for, record_of, tell_failures, tell_plan
from arena.errors import BadInput

if TYPE_CHECKING:
    from arena.battle import ModelId, Pair, PromptId
    from arena.contenders.asking import Asked
    from arena.contenders.judge import Judge
    from arena.contenders.judging import Pairs, Question
    from arena.judge_report import JudgeReport
    from arena.judge_votes import Brought
    from arena.pack import Pack


@click.command()
@click.argument("directory", type=Path, metavar="PACK", help="The pack's folder, with judges.jsonl.")
@click.option("--judge", "judges", type=option.words, metavar="ID,...", help="These judges only.")
@click.option("--model", "models", type=option.words, metavar="ID,...", help="Pairs of two of these models only.")
@click.option("--prompt", "prompts", type=option.words, metavar="ID,...", help="These prompts only.")
@click.option(
    "--samples", is_flag=True, help="Pairs of answers of one model in place of two: those of samples.jsonl, best of n."
)
@click.option("--voted", is_flag=True, help="Pairs that people have voted on only. Needs --db.")
@click.option(
    "--sample", type=click.IntRange(1), metavar="NUMBER", help="Draw so many pairs, each as likely as any other."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="NUMBER", help="Of all chance.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="Stop before the replies of this run cost more. Needs prices in judges.jsonl.",
)
@click.option("--dry-run", is_flag=True, help="Only say what is missing, what it may cost and how long it may take.")
@click.option(
    "--db", type=Path, metavar="FILE", help="The arena's database: rulings come in as votes of the source ai_judge."
)
@click.option(
    "--report",
    "only_report",
    is_flag=True,
    help="Ask nothing; tell how judges lean and, with --db, how far they agree with people.",
)
@click.option(
    "--checks",
    is_flag=True,
    help="Ask nobody: the constraints of prompts decide, as votes of the source rule. Needs --db.",
)
@with_json
def judge(
    directory: Path,
    *,
    judges: tuple[str, ...] | None,
    models: tuple[str, ...] | None,
    prompts: tuple[str, ...] | None,
    samples: bool,
    voted: bool,
    sample: int | None,
    seed: int,
    budget: float | None,
    dry_run: bool,
    db: Path | None,
    only_report: bool,
    checks: bool,
    as_json: bool,
) -> None:
    """Ask AI judges which answers of a pack are better, each pair in both orders, and take what they say as votes.

    A verdict that changes with the order is a tie. Only what is missing is asked for, so a run that was interrupted
    goes on where it stopped. Votes of judges never mix with people's unless asked for (--source).
    """
    from arena.contenders.judging import pairs_of
    from arena.pack import read_pack

    _refuse_contradictions(
        asks=dry_run or samples or voted or budget is not None or sample is not None,
        narrows=any(each is not None for each in (judges, models, prompts)),
        only_report=only_report,
        checks=checks,
        has_db=db is not None,
        voted=voted,
    )
    pack = read_pack(directory)
    if checks and db is not None:
        _check(pack, existing(db), as_json=as_json)
    elif only_report:
        told = _report(pack, {each.id for each in _chosen(pack, judges)}, None if db is None else existing(db), seed)
        _tell_report(told, as_json=as_json)
    else:
        chosen = _chosen(pack, judges)
        votes = _voted(existing(db)) if voted and db is not None else None
        pairs = pairs_of(pack, of_samples=samples).of(*_known(pack, models, prompts), votes)
        pairs = pairs if sample is None else pairs.drawn(sample, seed)
        _ask(pack, chosen, pairs, budget, None if db is None else existing(db), dry_run=dry_run, as_json=as_json)


def _refuse_contradictions(
    *, asks: bool, narrows: bool, only_report: bool, checks: bool, has_db: bool, voted: bool
) -> None:
    if voted and not has_db:
        raise click.UsageError("--voted needs --db: people's votes are in a database")
    if checks and (not has_db or only_report or asks or narrows):
        raise click.UsageError("--checks goes with --db and with nothing else: it looks at all answers of the pack")
    if only_report and asks:
        raise click.UsageError("--report asks nothing: leave out --dry-run, --budget, --sample(s) and --voted")


def _ask(
    pack: "Pack",
    judges: "Sequence[Judge]",
    pairs: "Pairs",
    budget: float | None,
    db: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask for what is missing, and bring it in."""
    from arena.contenders.answer_log import held, mend
    from arena.contenders.judgement import JUDGEMENTS_FILE, read_replies
    from arena.contenders.judging import estimates, questions
    from arena.pack import JUDGES_FILE

    if budget is not None and (free := [each.id for each in judges if each.endpoint.price is None]):
        raise BadInput(f"a budget needs prices, and {free[0]!r} has none: add endpoint.price in {JUDGES_FILE}")
    if db is not None and not dry_run:
        _open_once(db)  # what is wrong with it is said before anything is paid for
    directory, rng = pack.directory, _secret_chance()
    with held(directory / JUDGES_FILE, "asks the judges"):
        torn = mend(directory / JUDGEMENTS_FILE)
        if torn is not None:
            say(f"the last line of {JUDGEMENTS_FILE} was not whole; it stands in {torn.name}, and is asked for again")
        replies = read_replies(directory)
        asked = questions(judges, pairs, replies, rng)
        planned = estimates(judges, asked, replies)
        if not as_json:
            say(f"{counted(len(pairs.pairs), 'pair')} of answers ({pairs.chosen})")
            for reason, n in pairs.left_out.items():
                say(f"{n:,} not judged: {reason}")
            tell_plan(planned, len(asked), noun="question")
        done = _run(directory, judges, asked, budget, rng) if asked and not dry_run else None
    if done is not None and not as_json:
        _tell_done(done)
    brought = _bring_in(pack, db) if db is not None and not dry_run else None
    if as_json:
        tell(dumped(_record(planned, done, brought, pairs)))
    elif brought is not None:
        _tell_brought(brought)
    if done is not None and (done.missed or done.n_not_asked):
        n = len(done.missed) + done.n_not_asked
        say(f"{counted(n, 'question')} without a reply: the same command asks for them alone")
        sys.exit(1)


def _chosen(pack: "Pack", judges: tuple[str, ...] | None) -> "list[Judge]":
    from arena.pack import JUDGES_FILE

    if not pack.judges:
        raise BadInput(f"{pack.directory} has no judge: name one in {JUDGES_FILE} (docs/judges.md)")
    known = [each.id for each in pack.judges]
    unknown = set(judges or ()) - set(known)
    if unknown:
        raise BadInput(f"{min(unknown)!r} is no judge of {pack.directory}; these are: {', '.join(known)}")
    return [each for each in pack.judges if judges is None or each.id in judges]


def _known(
    pack: "Pack", models: tuple[str, ...] | None, prompts: tuple[str, ...] | None
) -> "tuple[frozenset[ModelId] | None, frozenset[PromptId] | None]":
    """The models and prompts asked for. Raises BadInput for one that the pack does not have."""
    from arena.battle import ModelId, PromptId

    for what, given, known in (
        ("model", models, {each.id for each in pack.models}),
        ("prompt", prompts, {each.id for each in pack.prompts}),
    ):
        unknown = set(given or ()) - known
        if unknown:
            raise BadInput(f"{min(unknown)!r} is no {what} of {pack.directory}")
    return (
        None if models is None else frozenset(map(ModelId, models)),
        None if prompts is None else frozenset(map(PromptId, prompts)),
    )


def _voted(db: Path) -> "frozenset[Pair]":
    from arena.store import VoteStore

    with VoteStore.open(db) as store:
        n_log, _ = store.log.position()
        return store.judged.by((Source.HUMAN,), up_to=n_log)


def _open_once(db: Path) -> None:
    from arena.store import VoteStore

    with VoteStore.open(db):
        pass


def _secret_chance() -> Any:
    """Nobody who writes an answer can know the codes of the questions."""
    from random import SystemRandom

    return SystemRandom()


def _run(
    directory: Path, judges: "Sequence[Judge]", asked: "Sequence[Question]", budget: float | None, rng: Any
) -> "Asked[Question]":
    import asyncio

    from arena.contenders.answer_log import append
    from arena.contenders.asking import ask_all
    from arena.contenders.judgement import JUDGEMENTS_FILE
    from arena.contenders.judging import kept

    clients, missing = clients_for({each.id: each.endpoint for each in judges})
    if missing:
        who, variable = next(iter(missing.items()))
        raise BadInput(f"the key of the judge {who!r} is not there: set the environment variable {variable}")
    n_kept = 0

    def write(row: dict[str, Any]) -> None:
        nonlocal n_kept
        append(directory / JUDGEMENTS_FILE, row)
        n_kept += 1

    try:
        with progress("Judging") as on_progress:
            keep = kept(write, rng, lambda: datetime.now(UTC))
            return asyncio.run(ask_all(asked, clients, keep, budget_usd=budget, on_progress=on_progress))
    except KeyboardInterrupt:
        say(f"interrupted: {n_kept:,} replies of this run are kept, the same command asks for the rest")
        sys.exit(INTERRUPTED)


def _bring_in(pack: "Pack", db: Path) -> "Brought":
    from arena.contenders.judgement import read_replies, rulings
    from arena.judge_votes import bring_in
    from arena.store import VoteStore
    from arena.voter import VoterKey

    with VoteStore.open(db) as store:
        key = VoterKey(*settings_with(database=db).open_secrets())
        ruled, samples = rulings(read_replies(pack.directory)), (answer for _, answer in pack.samples)
        return bring_in(store, ruled, key, datetime.now(UTC), samples=samples)


def _check(pack: "Pack", db: Path, *, as_json: bool) -> None:
    """Votes by the constraints of prompts."""
    from dataclasses import asdict

    from arena.rule_votes import bring_in_checks, checked
    from arena.store import VoteStore
    from arena.voter import VoterKey

    if not pack.checks:
        raise BadInput(f"no prompt of {pack.directory} has checks: constraints that a program can look for")
    with VoteStore.open(db) as store:
        key = VoterKey(*settings_with(database=db).open_secrets())
        brought = bring_in_checks(store, checked(pack), key, datetime.now(UTC))
    if as_json:
        tell(dumped({"votes": asdict(brought)}))
    else:
        _tell_brought(brought, Source.RULE)


def _report(pack: "Pack", judges: set[str], db: Path | None, seed: int) -> "list[JudgeReport]":
    from arena import judgement_table
    from arena.agreement import Chance
    from arena.batch import open_log
    from arena.contenders.judgement import read_replies, rulings
    from arena.judge_report import Compared, reports
    from arena.judge_votes import voter_of
    from arena.judges import judges as against_people
    from arena.store import VoteStore
    from arena.tally import Selection
    from arena.vote_sheet import read_sheet
    from arena.voter import VoterKey

    chance = Chance(seed=seed)
    ruled = [each for each in rulings(read_replies(pack.directory)) if each.judge in judges]
    if not ruled:
        raise BadInput(f"no judge has ruled in {pack.directory} yet: `bakeoff judge {pack.directory}` asks them")
    if db is None:
        return reports(ruled, pack, chance)
    both = (Source.HUMAN, Source.AI_JUDGE)
    group = judgement_table.Group
    with VoteStore.open(db) as store, open_log(store, Selection(both)) as log:
        key = VoterKey(*settings_with(database=db).open_secrets())
        known = store.votes.imported_ids() if key.has_earlier else ()
        sheet = read_sheet(log.votes)
        judged = judgement_table.read(log.votes, [group.SOURCE, group.BATCH, group.CATEGORY])
        agreements = against_people(judged, *both, chance, (group.CATEGORY.value,))
        voters = {each.label: voter_of(each.label, key, known) for each in ruled}
    for label, voter in voters.items():
        if voter not in sheet.voters:
            say(f"no vote of {label} is in {db}: `bakeoff judge {pack.directory} --db {db}` brings its rulings in")
    return reports(ruled, pack, chance, Compared(sheet, voters, agreements))


def _tell_report(told: "Sequence[JudgeReport]", *, as_json: bool) -> None:
    from arena import judge_printout

    if as_json:
        tell(dumped({"judges": [each.to_record() for each in told]}))
    else:
        tell(judge_printout.to_text(told))


def _tell_done(done: "Asked[Question]") -> None:
    usd = f", ${done.usd:,.4f}" if done.usd else ""
    tell(f"{done.n_made:,} replies{usd}, {len(done.missed):,} failed, {done.n_not_asked:,} not asked for")
    tell_failures(done)


def _tell_brought(brought: "Brought", source: Source = Source.AI_JUDGE) -> None:
    without = f", {brought.n_without_verdict:,} pairs without a verdict" if source is Source.AI_JUDGE else ""
    tell(f"{brought.n_added:,} new votes of the source {source} ({brought.n_known:,} known already{without})")
    if brought.n_unknown:
        say(f"{brought.n_unknown:,} rulings are on answers that the database does not hold: import the pack first")


def _record(
    planned: "Mapping[str, Any]", done: "Asked[Question] | None", brought: "Brought | None", pairs: "Pairs"
) -> dict[str, Any]:
    from dataclasses import asdict

    def of_question(task: "Question") -> dict[str, Any]:
        return {
            "judge": task.who,
            "prompt": task.pair.prompt.id,
            "model_a": task.a.model_id,
            "model_b": task.b.model_id,
        }

    told = {"n_pairs": len(pairs.pairs), "chosen": pairs.chosen, "left_out": dict(pairs.left_out)}
    votes = {} if brought is None else {"votes": asdict(brought)}
    return told | record_of(planned, done, of_question) | votes
