"""Files that come from elsewhere, beside votes and packs: foreign tables, rules, gold, exports, reports, texts."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from promises import KEY, NOON, Target, is_well_said, promise, room

from arena import table
from arena.battle import Answer, Message, Model, ModelId, Prompt, PromptId, Source
from arena.calibration import JudgedExample, Step
from arena.cli.dataset import _report
from arena.dataset.card import _biases
from arena.dataset.folder import check_files, read_manifest
from arena.dataset.rights import missing
from arena.errors import ArenaError, Fault
from arena.export import _check_since
from arena.foreign_table import ForeignTable, Kind
from arena.intake import import_table
from arena.pack import ARENA_FILE, answer_id
from arena.reference import read_splits, read_texts
from arena.rules import check_rules, parse_rules
from arena.store import VoteStore
from arena.ui.calibration_api import judged_json, step_json
from arena.worked_example import read_examples, spread

_KINDS = (Kind.RANKINGS, Kind.MODELS, Kind.PROMPTS, Kind.ANSWERS)


def foreign(data: bytes) -> None:
    """`bakeoff import` of what is no votes; the first byte says what, and whether as CSV. Every row is counted."""
    first = data[0] if data else 0
    kind, ending = _KINDS[first % 4], "csv" if first & 4 else "jsonl"
    path = room() / f"foreign.{ending}"
    path.write_bytes(data[1:])
    store = _stocked()
    try:
        with store.together():
            n_rows = sum(1 for _ in table.rows_of(path))
            given: dict[str, Any] = {"source": Source.HUMAN, "voter_key": KEY, "skip_bad": True, "now": NOON}
            taken = import_table(store, ForeignTable(path, kind), **given)
            again = import_table(store, ForeignTable(path, kind), **given)
            promise(taken.n_rows + len(taken.faults) == n_rows, f"{taken.n_rows} and {len(taken.faults)} of {n_rows}")
            promise(again.n_added == 0, f"the same rows again added {again.n_added}")
            promise(kind is not Kind.RANKINGS or not store.log.broken_links(), "the log does not hold")
            for fault in taken.faults:
                str(fault).encode("utf-8")
                promise(fault.place is not None and 1 <= fault.place <= n_rows, f"row {fault.place} of {n_rows}")
            _undo()
    except _Undone:
        pass
    except ArenaError as error:
        is_well_said(error, path.name)


class _Undone(Exception):
    """Nothing of it is to stay."""


def _undo() -> None:
    raise _Undone


@cache
def _stocked() -> VoteStore:
    """Two models, a prompt and an answer."""
    store = VoteStore.open(None)
    store.catalogue.add_models([Model(ModelId("one"), "One"), Model(ModelId("two"), "Two")], NOON)
    store.catalogue.add_prompts([Prompt(PromptId("p"), (Message("user", "Well?"),))], NOON)
    answer = Answer(answer_id("p", "one", "Yes."), PromptId("p"), ModelId("one"), "Yes.")
    store.catalogue.add_answers([answer], NOON)
    return store


def rules(data: bytes) -> None:
    """arena.toml alone: what is taken says the same when it is read again, as from the database."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return  # the reader of packs says so
    faults: list[Fault] = []
    taken = check_rules(ARENA_FILE, text, faults)
    n_lines = len(re.split(r"\r\n?|\n", text))
    for fault in faults:
        str(fault).encode("utf-8")
        promise(fault.file == ARENA_FILE, f"a fault in {fault.file}")
        promise(fault.place is None or 1 <= fault.place <= n_lines, f"line {fault.place} of {n_lines}: {fault}")
    if faults:
        return
    promise(parse_rules(text) == taken, "the same text says something else when it is read again")
    if taken.consent is not None:
        taken.consent.text_in("de")[0].encode("utf-8")


def worked_examples(data: bytes) -> None:
    """Worked examples of a guideline, also as the calibration shows them: what is not shown is said, with its line."""
    text = data.decode("utf-8", "replace")
    examples, flaws = read_examples(text)
    for flaw in flaws:
        promise(1 <= flaw.line <= text.count("\n") + 1, f"line {flaw.line}: {flaw}")
    promise(len({each.number for each in examples}) == len(examples), "two examples of one number")
    shown = spread(examples, 3)
    promise(len(shown) == min(3, len(examples)), f"{len(shown)} of {len(examples)} are shown")
    for each in shown:
        told = json.dumps([step_json(Step(each, 1, len(shown))), judged_json(JudgedExample(each, None))])
        told.encode("utf-8")


def manifest(data: bytes) -> None:
    """The manifest of an earlier export, for an increment and for a push."""
    folder = room() / "export"
    folder.mkdir(exist_ok=True)
    path = folder / "manifest.json"
    path.write_bytes(data)
    try:
        found = read_manifest(folder)
        promise(isinstance(json.dumps(found), str), "no JSON")
        told = "; ".join(missing(found["rights"])) + f"{found['n_votes']:,} {found['watermark']['n_log']:,}"
        told.encode("utf-8")
        _check_since(_stocked(), found, {"formats": ["preference"]}, {})
    except ArenaError as error:
        is_well_said(error)
    else:
        promise(False, "the manifest of another log was taken")
    try:
        check_files(folder, read_manifest(folder))
    except ArenaError as error:
        is_well_said(error)


def audit_report(data: bytes) -> None:
    """A report that somebody made, for the card of an export."""
    path = room() / "report.json"
    path.write_bytes(data)
    try:
        found = _report(path)
    except ArenaError as error:
        is_well_said(error, path.name)
        return
    promise(found, "an empty report was taken")
    _biases(found or {}).encode("utf-8")
    json.dumps(found)


def reference(data: bytes) -> None:
    """Texts to compare prompts with; the first byte says in what kind of file."""
    ending = (".jsonl", ".csv", ".txt")[data[0] % 3 if data else 0]
    folder = room() / "reference"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    path = folder / f"train{ending}"
    path.write_bytes(data[1:])
    for read in (
        lambda: list(read_texts(path)),
        lambda: [text for texts in read_splits(folder).values() for text in texts],
    ):
        try:
            texts = read()
        except ArenaError as error:
            is_well_said(error, path.name, folder.name)
        else:
            promise(all(isinstance(text, str) for text in texts), "no text")


TARGETS: Mapping[str, Target] = {
    each.__name__: each for each in (foreign, rules, worked_examples, manifest, audit_report, reference)
}
