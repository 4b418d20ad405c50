"""What a product's users said of answers, and whether prompts are still what people ask."""

# ruff: noqa: PLC0415
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arena.cli.console import counted, dumped, existing, say, tell, with_db, with_json, with_map
from arena.errors import BadInput

if TYPE_CHECKING:
    from arena.battle import ModelId
    from arena.drift import Moved, Request
    from arena.policy import OnPolicy
    from arena.store import VoteStore

_FORMS = ("signals", "unpaired", "preference")


@click.command()
@with_db
@click.option("--out", type=Path, metavar="FILE", help="Write them to this file, as JSON Lines.")
@click.option(
    "--as",
    "form",
    type=click.Choice(_FORMS),
    default="signals",
    show_default=True,
    help="What to write: signals as they are, unpaired rows (answer and label), or preferences (edits).",
)
@click.option(
    "--policy",
    metavar="MODEL[@REVISION],...",
    help="Count how many answers and pairs of this arena were made by these.",
)
@with_json
def signals(db: Path, *, out: Path | None, form: str, policy: str | None, as_json: bool) -> None:
    """Count thumbs, edits and other tries that a product brought, and write them as training rows. No votes."""
    from dataclasses import asdict

    from arena.policy import Made
    from arena.store import VoteStore

    members = None if policy is None else {Made.parse(each.strip()) for each in policy.split(",")}
    with VoteStore.open(existing(db)) as store:
        counts = store.signals.counts()
        shares = None if members is None else _shares(store, members)
        rows, left_out, n_cleaned = _rows(store, form, counts.by_model)
        n_written = 0 if out is None else _write(out, rows)
    if as_json:
        told = {name: dict(value) if name.startswith("by_") else value for name, value in asdict(counts).items()}
        policies = {name: share.to_record() for name, share in (shares or {}).items()}
        kept = {"n_written": n_written, "n_cleaned": n_cleaned, "left_out": left_out}
        tell(dumped(told | kept | {"on_policy": policies or None}))
        return
    gone = f", {counts.n_withdrawn:,} withdrawn" if counts.n_withdrawn else ""
    tell(f"{counted(counts.n, 'signal')} of {counted(counts.n_users, 'user')}{gone}")
    for name, group in (("", counts.by_kind), ("from ", counts.by_source), ("on ", counts.by_model)):
        for each, n in sorted(group.items(), key=lambda item: (-item[1], item[0])):
            tell(f"{n:>8,}  {name}{each}")
    for name, share in (shares or {}).items():
        tell(_policy_line(name, share))
    if out is not None:
        say(f"wrote {counted(n_written, 'row')} to {out}")
    if n_cleaned:
        say(f"personal data were replaced in {counted(n_cleaned, 'signal')}")
    for reason, n in left_out.items():
        say(f"left out: {n:,} {reason}")


@click.command()
@click.argument("reference", type=Path, metavar="REFERENCE", help="A pack's folder, a table of prompts, or a database.")
@click.argument("recent", type=Path, metavar="RECENT", help="A table of recent requests, or a database with signals.")
@with_map("In tables")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the permutations and intervals.")
@with_json
def drift(reference: Path, recent: Path, *, mapping: dict[str, str], seed: int, as_json: bool) -> None:
    """Compare prompts with recent requests: category, language and length. Says what has shifted."""
    import numpy as np

    from arena.drift import check_mapping, moved

    tables = [path for path in (reference, recent) if path.suffix != ".duckdb" and not path.is_dir()]
    check_mapping(mapping, tables)
    found = moved(_prompts(reference, mapping), _recent(recent, mapping), rng=np.random.default_rng(seed))
    if as_json:
        tell(dumped({each.trait.value: each.to_record() for each in found}))
        return
    for each in found:
        tell(_drift_line(each))
    shifted = [each.trait.value for each in found if each.is_shifted]
    unknown = [each.trait.value for each in found if each.drift.reason]
    if shifted:
        say(f"shifted: {', '.join(shifted)}. Bring in prompts as people ask them now")
    elif len(unknown) < len(found):
        say("no shift was found" + (f"; nothing is known of {', '.join(unknown)}" if unknown else ""))


def _drift_line(moved: "Moved") -> str:
    from arena.drift import MEDIAN

    apart = moved.drift
    if apart.reason is not None:
        return f"{moved.trait}: {apart.reason}"
    is_length = moved.what == MEDIAN
    one, other = (
        f"{value:,.0f}" if is_length else f"{value:.0%}" for value in (moved.reference or 0, moved.recent or 0)
    )
    verdict = "no shift" if not moved.is_shifted else f"{apart.shift} shift"
    return (
        f"{moved.trait}: {verdict}, PSI {apart.index:.3f} ({apart.low:.3f} to {apart.high:.3f}), "
        f"Jensen-Shannon {apart.divergence:.3f} bits, p = {apart.p_value:.2g}, n = {apart.n_reference:,} and "
        f"{apart.n_recent:,}; {moved.what} {one} then, {other} now"
    )


def _policy_line(name: str, share: "OnPolicy") -> str:
    if name == "signals":
        return f"on policy: {share.n_one:,} of {counted(share.n, 'signal')}"
    parts = f"both answers of {share.n_both:,}, one of {share.n_one:,}, neither of {share.n_neither:,}"
    return f"on policy: of {counted(share.n, 'voted pair')} {parts}"


def _shares(store: Any, members: Any) -> "dict[str, OnPolicy]":
    from collections import Counter

    from arena.policy import Made, OnPolicy, is_by, on_policy

    by = Counter(is_by(Made(each.model, each.revision), members) for each in store.signals.all())
    return {
        "votes": on_policy(store.judged.makers(), members),
        "signals": OnPolicy(n_both=0, n_one=by[True], n_neither=by[False]),
    }


def _rows(
    store: "VoteStore", form: str, models: "Iterable[ModelId]"
) -> tuple[Iterator[dict[str, Any]], dict[str, int], int]:
    """The rows of a form, how many signals are in none by reason, and in how many something was replaced."""
    from arena.battle import Model
    from arena.dataset.signal_rows import fit_to_train
    from arena.self_naming import Names
    from arena.signals import preference_records, signal_record, taught, unpaired_records

    if form == "signals":
        return map(signal_record, store.signals.all()), {}, 0
    known = store.catalogue.models()
    fit = fit_to_train(store.signals.all(), Names.of(known.get(each, Model(each, name=each)) for each in models))
    rows = taught(fit.signals)
    chosen = unpaired_records(rows.labelled) if form == "unpaired" else preference_records(rows.edited)
    return chosen, {**fit.left_out, **rows.left_out}, fit.n_cleaned


def _write(out: Path, rows: Iterable[dict[str, Any]]) -> int:
    from arena import table

    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    table.write_text(out, "".join(lines))
    return len(lines)


def _prompts(path: Path, mapping: dict[str, str]) -> "list[Request]":
    from arena.drift import Request, read_requests

    if path.suffix != ".duckdb":
        return read_requests(path, mapping)
    from arena.store import VoteStore

    with VoteStore.open(existing(path)) as store:
        return [Request.of(prompt) for prompt in store.catalogue.prompts().values()]


def _recent(path: Path, mapping: dict[str, str]) -> "list[Request]":
    from arena.drift import Request, read_requests

    if path.suffix != ".duckdb":
        return read_requests(path, mapping)
    from arena.store import VoteStore

    with VoteStore.open(existing(path)) as store:
        told = {
            (each.messages, each.source, each.user): Request(
                len(each.messages[-1].content), each.category, each.language
            )
            for each in store.signals.all()
        }
    if not told:
        raise BadInput(f"{path} holds no signals, and so no recent requests")
    return list(told.values())
