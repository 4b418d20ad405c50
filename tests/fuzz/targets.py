"""Every reader of what comes from outside, as a function of bytes that raises only where the reader breaks its promise.

The promise of each: what cannot be understood is refused by an error of ours that says where, in text that can be
printed; nothing else is raised, and nothing is left out without being counted.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from urllib.parse import parse_qsl

import bodies
import files
from promises import ISSUED, KEY, NOON, BrokenPromise, Target, is_well_said, promise, room

from arena import table
from arena.battle import Source
from arena.errors import ArenaError, BadPack, Fault
from arena.foreign_table import ForeignTable, Kind
from arena.guideline import check_guideline
from arena.intake import import_table
from arena.pack import ANSWERS_FILE, ARENA_FILE, GOLD_FILE, GUIDELINES_FILE, MODELS_FILE, PROMPTS_FILE, read_pack
from arena.rules import check_rules
from arena.session import Seal, Sessions
from arena.store import VoteStore
from arena.ui import view_query
from arena.ui.markdown import render_markdown
from arena.vote_file import open_votes
from inert import faults_in

__all__ = ["ISSUED", "TARGETS", "BrokenPromise", "promise"]

# ---- votes ----


def _votes(ending: str, data: bytes) -> None:
    path = room() / f"votes.{ending}"
    path.write_bytes(data)
    try:
        n_rows = sum(1 for _ in table.rows_of(path))
        with open_votes(path) as votes:
            counted = votes.counted()
    except ArenaError as error:
        is_well_said(error, path.name)
        return
    n_counted, n_left_out = int(sum(counted.n)), sum(counted.left_out.values())
    promise(n_counted + n_left_out == n_rows, f"{n_rows} rows, {n_counted} counted and {n_left_out} left out")


def votes_csv(data: bytes) -> None:
    _votes("csv", data)


def votes_jsonl(data: bytes) -> None:
    _votes("jsonl", data)


def votes_parquet(data: bytes) -> None:
    _votes("parquet", data)


def imported(data: bytes) -> None:
    """`bakeoff import` of votes: rows kept and rows refused are all rows."""
    path = room() / "import.jsonl"
    path.write_bytes(data)
    with VoteStore.open(None) as store:
        try:
            n_rows = sum(1 for _ in table.rows_of(path))
            votes = ForeignTable(path, Kind.VOTES)
            taken = import_table(store, votes, source=Source.HUMAN, voter_key=KEY, skip_bad=True, now=NOON)
        except ArenaError as error:
            is_well_said(error, path.name)
            return
        promise(taken.n_rows + len(taken.faults) == n_rows, f"{taken.n_rows} and {len(taken.faults)} of {n_rows}")


# ---- a pack ----

_MODEL = {"id": "one", "name": "One"}
_PACK: Mapping[str, str] = {
    ARENA_FILE: 'title = "An arena"\n',
    GUIDELINES_FILE: "---\nversion: '1'\nwhen_in_doubt: tie\n---\nThe better answer.\n",
    MODELS_FILE: json.dumps(_MODEL) + "\n" + json.dumps({"id": "two", "name": "Two"}) + "\n",
    PROMPTS_FILE: json.dumps({"id": "p", "messages": [{"role": "user", "content": "Well?"}]}) + "\n",
    ANSWERS_FILE: json.dumps({"prompt_id": "p", "model_id": "one", "text": "Yes."})
    + "\n"
    + json.dumps({"prompt_id": "p", "model_id": "two", "text": "No."})
    + "\n",
}
_JSON_FILES = (MODELS_FILE, PROMPTS_FILE, ANSWERS_FILE)


def _pack_with(name: str, data: bytes) -> None:
    folder = room() / "pack"
    folder.mkdir(exist_ok=True)
    for file, text in _PACK.items():
        (folder / file).write_text(text, encoding="utf-8")
    (folder / GOLD_FILE).unlink(missing_ok=True)
    (folder / name).write_bytes(data)
    try:
        read_pack(folder)
    except BadPack as error:
        is_well_said(error, *_PACK, GOLD_FILE)
        promise(error.faults, "a pack refused for no fault")
        for fault in error.faults:
            _is_a_place(fault, len(re.split(rb"\r\n?|\n", data)) if fault.file == name else 2)


def _is_a_place(fault: Fault, n_lines: int) -> None:
    str(fault).encode("utf-8")
    promise(fault.file in (*_PACK, GOLD_FILE), f"a fault in {fault.file}")
    promise(fault.place is None or 1 <= fault.place <= n_lines, f"line {fault.place} of {n_lines}: {fault.message}")


def pack_toml(data: bytes) -> None:
    _pack_with(ARENA_FILE, data)


def pack_jsonl(data: bytes) -> None:
    """The first byte says which of the three files the rest is."""
    _pack_with(_JSON_FILES[data[0] % 3] if data else MODELS_FILE, data[1:])


def gold(data: bytes) -> None:
    """Pairs with known verdicts, on the answers of the pack."""
    _pack_with(GOLD_FILE, data)


def guideline(data: bytes) -> None:
    _pack_with(GUIDELINES_FILE, data)
    text = data.decode("utf-8", "replace")
    faults: list[Fault] = []
    read = check_guideline(GUIDELINES_FILE, text, faults)
    promise((read is None) == bool(faults), "refused without a fault, or taken with one")
    if read is not None:
        read.version.encode("utf-8")
        for each in read.examples():
            promise(each.prompt and each.answer_a and each.answer_b and each.reason, "a worked example with a hole")
    rules_faults: list[Fault] = []
    check_rules(ARENA_FILE, text, rules_faults)


# ---- the web ----


def cookie(data: bytes) -> None:
    """Nobody is a voter but by a token that was issued, whatever stands around it."""
    text = data.decode("latin-1")
    voter = KEY.voter_id(text)
    if voter is not None:
        issued = {KEY.voter_id(each) for each in ISSUED}
        promise(voter in issued, f"{text!r} made a voter of its own")


def signed_in(data: bytes) -> None:
    """Nobody is signed in but by a cookie that was given, whatever stands around it."""
    sessions = Sessions(KEY.derived("sessions"), digest="of a login", lasts=timedelta(hours=1))
    session = sessions.read(data.decode("latin-1"), NOON)
    promise(session is None or session.id == "given", f"{data!r} signed somebody in")


@cache
def given_session() -> str:
    """The cookie of a host who has signed in."""
    seal = Seal(KEY.derived("sessions"), "session.of a login")
    return seal.close({"id": "given", "roles": ["host"], "account": "a"}, until=NOON + timedelta(hours=1))


def view(data: bytes) -> None:
    text = data.decode("latin-1")
    try:
        asked = view_query.read(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
    except ArenaError as error:
        is_well_said(error)
    except ValueError:
        return  # more fields than the server itself takes
    else:
        again = view_query.read(parse_qsl(view_query.address(asked.choice, asked.lines), keep_blank_values=True))
        promise((again.choice, again.lines) == (asked.choice, asked.lines), "its own address asks for something else")
    view_query.wanted_format(text)


def markdown(data: bytes) -> None:
    html = render_markdown(_text_of(data))
    found = next(faults_in(html), None)
    promise(found is None, f"{found} in {html!r}")
    html.encode("utf-8")


def mathematics(data: bytes) -> None:
    html = render_markdown("$$" + data.decode("utf-8", "replace").replace("$", "") + "$$")
    found = next(faults_in(html), None)
    promise(found is None, f"{found} in {html!r}")


def _text_of(data: bytes) -> str:
    """A text that may hold halves of surrogate pairs, as a text of Python may."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


TARGETS: Mapping[str, Target] = {
    each.__name__: each
    for each in (
        *(votes_csv, votes_jsonl, votes_parquet, imported, pack_toml, pack_jsonl, gold, guideline, cookie, signed_in),
        *(view, markdown, mathematics),
    )
} | {**bodies.TARGETS, **files.TARGETS}


if __name__ == "__main__":
    print(*TARGETS)  # noqa: T201 - for the Makefile
