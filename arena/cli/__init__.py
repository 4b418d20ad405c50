"""The commands. Results go to stdout, the story to stderr; an error is one line and exit code 1, wrong usage 2.

Gradio is loaded by `serve` alone, and each command imports what it needs when it runs: `bakeoff rate` starts in a
fraction of a second.
"""

# ruff: noqa: PLC0415
import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arena import __version__, option
from arena.battle import Source
from arena.cli.agreement import agreement
from arena.cli.audit import audit
from arena.cli.console import (
    counted,
    dumped,
    existing,
    say,
    secrets_of,
    settings_with,
    tell,
    with_db,
    with_json,
    with_map,
    with_sources,
    with_values,
)
from arena.cli.contenders import doctor, generate
from arena.cli.dataset import push
from arena.cli.exporting import export
from arena.cli.judging import judge
from arena.cli.keeping import backup, compact, restore, verify
from arena.cli.rating import rate
from arena.cli.review import exclude, readmit, review
from arena.cli.signals import drift, signals
from arena.errors import ArenaError, BadInput, BadPack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arena.errors import Fault
    from arena.foreign_table import Kind
    from arena.intake import Intake


def main() -> None:
    """Run a command; the entry of `bakeoff` and `python -m arena`."""
    # Read by numpy's linear algebra when it is loaded, which is later: our matrices are small, and on a busy machine
    # its threads wait for each other a hundred times longer than they compute.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter still gets the rest
    try:
        cli()
    except ArenaError as error:
        say(f"bakeoff: {error}")
        sys.exit(1)


@click.command()
@click.option(
    "--pack", type=Path, metavar="DIR", help="Bring this pack in and serve it. Default: what the database holds."
)
@click.option("--db", "database", type=Path, metavar="FILE", help="The database; made when missing.")
@click.option("--host", metavar="ADDRESS", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="NUMBER", help="The port to listen on; 0: a free one.")
@with_sources
def serve(**given: Any) -> None:
    """Open the arena in a browser page. Options win over the BAKEOFF_ settings of the environment."""
    from arena.ui import server

    # The options are named for fields of Settings; what is not given is left to the environment.
    settings = settings_with(**{name: value for name, value in given.items() if value is not None})
    server.serve(settings, secrets_of)


@click.command()
@click.argument("directory", type=Path, metavar="DIR", help="The folder to write; a new or an empty one.")
def init(directory: Path) -> None:
    """Write a small commented pack to start from."""
    from arena.pack import write_example_pack

    for file in write_example_pack(directory):
        tell(file)
    say(f"A pack that works. Try it: bakeoff serve --pack {directory}")


@click.command()
@click.argument("directory", type=Path, metavar="DIR", help="The pack's folder.")
@click.option("--strict", is_flag=True, help="Take advice on the guideline for faults: exit code 1.")
@with_json
def check(directory: Path, *, strict: bool, as_json: bool) -> None:
    """Read a pack as the arena would, and list every fault with file and line.

    What good practice asks of guidelines.md is advice, and keeps no arena from running.
    """
    from arena.contenders.judgement import read_replies
    from arena.pack import read_pack
    from arena.self_naming import Names, named_among, told_of

    try:
        pack = read_pack(directory)
        replies = read_replies(directory)
    except BadPack as error:
        faults = _fault_records(error.faults)
        tell(dumped({"faults": faults}) if as_json else "\n".join(map(str, error.faults)))
        say(f"{directory} has {counted(len(faults), 'fault')}")
        sys.exit(1)
    advice = pack.advice()
    named = named_among(
        Names.of(pack.models),
        {prompt.id: prompt for prompt in pack.prompts},
        ((answer.id, answer.prompt_id, answer.model_id, answer.text) for answer in pack.answers),
    )
    counts = {
        "models": len(pack.models),
        "prompts": len(pack.prompts),
        "answers": len(pack.answers),
        "blank_answers": sum(not answer.text.strip() for answer in pack.answers),
        "same_texts": pack.n_same_texts(),
        "gold": len(pack.gold),
        "judges": [each.label for each in pack.judges],
        "judgements": len(replies),
        "named_answers": [{"prompt": each.prompt_id, "model": each.model_id, "told": each.told} for each in named],
        "guideline": pack.guideline.version if pack.guideline else None,
        "guideline_digest": pack.guideline.digest if pack.guideline else None,
        "advice": _fault_records(advice),
        "checks": [
            {"prompt": prompt_id, "meaning": meaning, "met": met, "answers": n}
            for prompt_id, meaning, met, n in pack.constraints_met()
        ],
    }
    if as_json:
        tell(dumped({"faults": []} | counts))
        sys.exit(int(strict and bool(advice)))
    tell(", ".join(counted(counts[noun], noun[:-1]) for noun in ("models", "prompts", "answers")))
    tell(f"guideline {counts['guideline']}" if pack.guideline else "no guideline (guidelines.md)")
    if not pack.has_a_pair:
        tell("no prompt has two answers with different texts: there is nothing to judge yet")
    if counts["blank_answers"]:
        tell(f"{counted(counts['blank_answers'], 'answer')} without text, never served")
    if counts["same_texts"]:
        tell(f"{counted(counts['same_texts'], 'pair')} of answers with the same text, never served")
    if counts["gold"]:
        tell(f"{counted(counts['gold'], 'pair')} of answers with a known verdict (gold.jsonl)")
    if counts["judges"]:
        told = f", with {len(replies):,} replies" if replies else ""
        tell(f"{counted(len(counts['judges']), 'AI judge')} ({', '.join(counts['judges'])}){told}")
    if consent := pack.rules.consent:
        tell(f"voters are asked for their consent, version {consent.version}: {consent.license}, {consent.purpose}")
    for line in told_of(named, pack.rules.ballot.named_answers):
        tell(line)
    for each in counts["checks"]:
        tell(f"{each['prompt']}: {each['met']} of {counted(each['answers'], 'answer')} keep to: {each['meaning']}")
    for each in advice:
        tell(f"advice: {each}")
    told = f", and {counted(len(advice), 'piece')} of advice" if advice else ""
    say(f"{directory} has no fault{told}{', which --strict takes for faults' if strict and advice else ''}")
    sys.exit(int(strict and bool(advice)))


def _fault_records(faults: "Sequence[Fault]") -> list[dict[str, Any]]:
    return [{"file": fault.file, "line": fault.place, "message": fault.message} for fault in faults]


def _kind(text: str) -> "Kind":
    from arena.foreign_table import Kind

    return option.Word(Kind).convert(text, None, None)


@click.command("import")
@click.argument("path", type=Path, metavar="FILE|DIR", help="A table (Parquet, CSV, JSONL) or a pack folder.")
@with_db
@click.option(
    "--as",
    "kind",
    type=_kind,
    default="votes",
    show_default=True,
    metavar="KIND",
    help="What the rows are: models, prompts, answers, votes or rankings.",
)
@with_map()
@click.option(
    "--set",
    "constants",
    multiple=True,
    callback=option.pairs,
    metavar="FIELD=VALUE,...",
    help="A field with one value for all rows (voter=judge-1).",
)
@with_values()
@click.option(
    "--source",
    type=option.Word(Source),
    default=Source.IMPORT.value,
    show_default=True,
    metavar="SOURCE",
    help=f"Who gave these verdicts: {', '.join(Source)}.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be understood, and report each.")
def import_(
    path: Path,
    *,
    db: Path,
    kind: "Kind",
    mapping: dict[str, str],
    constants: dict[str, str],
    values: dict[str, str],
    source: Source,
    skip_bad: bool,
) -> None:
    """Bring in a pack, or a table of models, prompts, answers, votes or rankings. The same rows again add nothing."""
    from arena.contenders.judgement import read_replies, rulings
    from arena.foreign_table import ForeignTable
    from arena.intake import import_pack, import_table
    from arena.judge_votes import bring_in
    from arena.pack import read_pack
    from arena.self_naming import told_of
    from arena.store import VoteStore
    from arena.vote_file import parse_winner
    from arena.voter import VoterKey

    now = datetime.now(UTC)
    if path.is_dir():
        pack = read_pack(path)
        ruled = rulings(read_replies(path))
        with VoteStore.open(db) as store:
            added = import_pack(store, pack, now)
            if ruled:
                key = VoterKey(*settings_with(database=db).open_secrets())
                brought = bring_in(store, ruled, key, now, samples=(answer for _, answer in pack.samples))
                say(f"{brought.n_added:,} new votes of the source ai_judge, as its judges have ruled")
            named = told_of(store.named.current(), pack.rules.ballot.named_answers)
        tell(", ".join(f"{n:,} new {each}" for each, n in added.items()))
        for line in named:
            say(line)
        return
    foreign = ForeignTable(
        path=path,
        kind=kind,
        mapping=mapping,
        constants=constants,
        words={text: parse_winner(word) for text, word in values.items()},
    )
    foreign.field_columns()  # what is wrong with the command is said before a database is made
    with VoteStore.open(db) as store:
        key = VoterKey(*settings_with(database=db).open_secrets())
        taken = import_table(store, foreign, source=source, voter_key=key, skip_bad=skip_bad, now=now)
        named = told_of(store.named.current(), store.catalogue.rules().ballot.named_answers)
    _tell_intake(taken, source)
    for line in named if taken.kind not in ("votes", "rankings") else ():
        say(line)


@click.command()
def password() -> None:
    """Ask for a host's password, twice, and print the setting that lets its owner in. Nothing is stored."""
    from secrets import token_bytes

    from arena.password import SALT_BYTES, PasswordHash
    from arena.settings import PREFIX

    chosen = click.prompt("Password of the host", hide_input=True, confirmation_prompt="Once more", err=True)
    tell(f"{PREFIX}HOST_PASSWORD_HASH={PasswordHash.of(chosen, salt=token_bytes(SALT_BYTES))}")
    say("Set this in the arena's environment: whoever knows the password is the host.")


@click.command("rotate-key")
@with_db
@click.option("--drop-old", is_flag=True, help="Drop all keys but the newest, instead of adding one.")
def rotate_key(*, db: Path, drop_old: bool) -> None:
    """Put a new key before those in the key file; the arena signs with it from its next start."""
    from arena.voter import add_secret, drop_earlier_secrets

    settings = settings_with(database=existing(db))
    if settings.secret is not None:
        raise BadInput(
            "the secret is set by BAKEOFF_SECRET, not by a key file. Set a new one there, and put the old one into "
            "BAKEOFF_OLD_SECRETS, or leave it out to drop it"
        )
    path = settings.secret_file
    if not drop_old:
        n_keys = add_secret(path)
        tell(f"{path} has a new key, and knows {counted(n_keys - 1, 'earlier one')}")
        say("Voters stay who they are. It holds from the next start of the arena.")
        return
    n_dropped = drop_earlier_secrets(path)
    if not n_dropped:
        tell(f"{path} holds one key; there is no earlier one to drop")
        return
    tell(f"{path} has lost {counted(n_dropped, 'earlier key')}, and keeps the newest")
    say(
        "From the next start of the arena, voters who came under an earlier key are new voters, and can no longer "
        "reach the votes they cast; rows imported under it are not recognised, and would be added again."
    )


class _InOrder(click.Group):
    """Commands in the order in which an arena needs them, not the alphabet's."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, as they were given."""
        return list(self.commands)


@click.group(
    cls=_InOrder,
    commands=(
        *(
            serve,
            init,
            check,
            doctor,
            generate,
            judge,
            import_,
            rate,
            agreement,
            audit,
            review,
            exclude,
            readmit,
            export,
            push,
        ),
        *(signals, drift),
        *(verify, backup, restore, compact, rotate_key, password),
    ),
)
@click.version_option(__version__, prog_name="bakeoff", message="%(prog)s %(version)s", help="Print the version.")
def cli() -> None:
    """A blind arena for language models: two anonymous answers, one verdict, honest ratings, preference data."""


def _tell_intake(taken: "Intake", source: Source) -> None:
    for fault in taken.faults:
        say(f"left out: {fault}")
    if taken.left_aside:
        say(f"columns left aside: {', '.join(taken.left_aside)}")
    if taken.known_from:
        say(
            f"some rows are the same as rows of {', '.join(taken.known_from)} and count as known already; if somebody "
            "else cast them, say who (--set voter=NAME)"
        )
    if taken.new_models:
        say(f"{counted(len(taken.new_models), 'model')} known by id only; their facts come with --as models")
    if taken.kind == "rankings" and taken.n_added:
        equal = f"; {counted(taken.n_equal, 'pair')} of equal rank said nothing" if taken.n_equal else ""
        say(f"the new rankings are {counted(taken.n_votes, 'vote')}{equal}")
    if taken.kind in ("votes", "rankings") and taken.n_added and source is Source.IMPORT:
        say("their source is 'import': beside people's votes they count only where asked for (--source human,import)")
    n_known = taken.n_rows - taken.n_added
    tell(
        f"{taken.n_added:,} new {taken.kind} from {counted(taken.n_rows + len(taken.faults), 'row')} "
        f"({n_known:,} known already, {len(taken.faults):,} left out)"
    )
