"""Every reader of what comes from outside, as a function of bytes that raises only where the reader breaks its promise.

The promise of each: what cannot be understood is refused by an error of ours that says where, in text that can be
printed; nothing else is raised, and nothing is left out without being counted.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI

from arena import table
from arena.alarms import Alarms
from arena.battle import Answer, Message, Model, ModelId, Prompt, PromptId, Source
from arena.errors import ArenaError, BadPack, Fault
from arena.foreign_table import ForeignTable, Kind
from arena.guideline import check_guideline
from arena.intake import import_table
from arena.limits import Limiter
from arena.pack import ANSWERS_FILE, ARENA_FILE, GUIDELINES_FILE, MODELS_FILE, PROMPTS_FILE, answer_id, read_pack
from arena.rules import check_rules
from arena.store import VoteStore
from arena.ui import api, view_query
from arena.ui.markdown import render_markdown
from arena.ui.middleware import ApiGate
from arena.ui.throttle import Throttle
from arena.vote_file import open_votes
from arena.voter import VoterKey
from arena.voting import Booth
from inert import faults_in

Target = Callable[[bytes], None]

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = VoterKey(b"a secret of at least sixteen bytes")


class BrokenPromise(AssertionError):
    """A reader did something else than it promises."""


def promise(holds: object, otherwise: str) -> None:
    """Raise BrokenPromise unless it holds."""
    if not holds:
        raise BrokenPromise(otherwise)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Gone when the interpreter ends."""
    return tempfile.TemporaryDirectory(prefix="bakeoff-fuzz-")


def _room() -> Path:
    return Path(_folder().name)


def _is_well_said(error: ArenaError, *named: str) -> None:
    text = str(error)
    text.encode("utf-8")
    promise(text.strip(), "an error without a text")
    promise(not named or any(name in text for name in named), f"the error names no file: {text}")


# ---- votes ----


def _votes(ending: str, data: bytes) -> None:
    path = _room() / f"votes.{ending}"
    path.write_bytes(data)
    try:
        n_rows = sum(1 for _ in table.rows_of(path))
        with open_votes(path) as votes:
            counted = votes.counted()
    except ArenaError as error:
        _is_well_said(error, path.name)
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
    path = _room() / "import.jsonl"
    path.write_bytes(data)
    with VoteStore.open(None) as store:
        try:
            n_rows = sum(1 for _ in table.rows_of(path))
            votes = ForeignTable(path, Kind.VOTES)
            taken = import_table(store, votes, source=Source.HUMAN, voter_key=KEY, skip_bad=True, now=NOON)
        except ArenaError as error:
            _is_well_said(error, path.name)
            return
        promise(taken.n_rows + len(taken.faults) == n_rows, f"{taken.n_rows} and {len(taken.faults)} of {n_rows}")


# ---- a pack ----

_MODEL = {"id": "one", "name": "One"}
_PACK: Mapping[str, str] = {
    ARENA_FILE: 'title = "An arena"\n',
    GUIDELINES_FILE: "---\nversion: '1'\nwhen_in_doubt: tie\n---\nThe better answer.\n",
    MODELS_FILE: json.dumps(_MODEL) + "\n" + json.dumps({"id": "two", "name": "Two"}) + "\n",
    PROMPTS_FILE: json.dumps({"id": "p", "messages": [{"role": "user", "content": "Well?"}]}) + "\n",
    ANSWERS_FILE: json.dumps({"prompt_id": "p", "model_id": "one", "text": "Yes."}) + "\n",
}
_JSON_FILES = (MODELS_FILE, PROMPTS_FILE, ANSWERS_FILE)


def _pack_with(name: str, data: bytes) -> None:
    folder = _room() / "pack"
    folder.mkdir(exist_ok=True)
    for file, text in _PACK.items():
        (folder / file).write_text(text, encoding="utf-8")
    (folder / name).write_bytes(data)
    try:
        read_pack(folder)
    except BadPack as error:
        _is_well_said(error, *_PACK)
        promise(error.faults, "a pack refused for no fault")
        for fault in error.faults:
            _is_a_place(fault, len(re.split(rb"\r\n?|\n", data)) if fault.file == name else 1)


def _is_a_place(fault: Fault, n_lines: int) -> None:
    str(fault).encode("utf-8")
    promise(fault.file in _PACK, f"a fault in {fault.file}")
    promise(fault.place is None or 1 <= fault.place <= n_lines, f"line {fault.place} of {n_lines}: {fault.message}")


def pack_toml(data: bytes) -> None:
    _pack_with(ARENA_FILE, data)


def pack_jsonl(data: bytes) -> None:
    """The first byte says which of the three files the rest is."""
    _pack_with(_JSON_FILES[data[0] % 3] if data else MODELS_FILE, data[1:])


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


# Signed once for this key, so that a run can be repeated.
ISSUED = ("abcdefghijklmnopqrstuv.RZlw2iN_NolDJbQVBTrGqnrMZA9BJ1SstFds-7L3daI",)


def view(data: bytes) -> None:
    text = data.decode("latin-1")
    try:
        asked = view_query.read(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
    except ArenaError as error:
        _is_well_said(error)
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


class _Web:
    """The voting routes behind their gate, on a real store, asked without a network."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        store = VoteStore.open(None)
        store.catalogue.add_models([Model(ModelId(each), each) for each in ("one", "two")], NOON)
        store.catalogue.add_prompts([Prompt(PromptId("p"), (Message("user", "Well?"),))], NOON)
        texts = {"one": "Yes.", "two": "No."}
        answers = [
            Answer(answer_id("p", model, text), PromptId("p"), ModelId(model), text) for model, text in texts.items()
        ]
        store.catalogue.add_answers(answers, NOON)
        store.catalogue.set_rules(
            '[labels]\nscale = "much-slightly"\nreasons = ["Wrong"]\ncomment = true\nconfidence = true\n'
            'ratings = true\nacceptable = true\nthumbs = true\ndimensions = [{id = "tone", name = "Tone"}]\n',
            None,
            NOON,
        )
        self._booth = Booth(store, rng=Random(4), board=lambda: None, now=NOON)
        app = FastAPI(openapi_url=None)
        throttle = Throttle(Limiter({}), Alarms(), KEY, trusted_proxies=(), clock=lambda: NOON, ticks=lambda: 0)
        app.include_router(api.routes(self._booth, KEY, lambda: NOON, throttle=throttle))
        api.translate_errors(app)
        app.add_middleware(ApiGate, most_bytes=40_000)
        self._app = app
        self.store = store

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer to a post by one voter."""
        return self._loop.run_until_complete(self._post(path, body))

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers = [(b"content-type", b"application/json"), (b"host", b"arena")]
        headers.append((b"cookie", f"{KEY.cookie_name}={ISSUED[0]}".encode()))
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode()}
        scope |= {"headers": headers, "query_string": b"", "http_version": "1.1", "scheme": "http"}
        scope |= {"server": ("arena", 80), "client": ("somebody", 1), "root_path": "", "asgi": {"version": "3.0"}}
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        run: Callable[..., Awaitable[None]] = self._app
        await run(scope, receive, send)
        return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


@lru_cache(maxsize=1)
def web() -> _Web:
    """Set up once."""
    return _Web()


_ACTS = ("vote", "skip", "withdrawal")


def api_body(data: bytes) -> None:
    """The first byte says which act; the ballot is nobody's, or the voter's own by the second bit of it."""
    act = _ACTS[data[0] % 3] if data else "vote"
    status, answer = web().post(f"/api/ballots/nobody-s/{act}", data[1:])
    promise(status in (400, 403, 404, 409, 410, 413, 422), f"status {status}: {answer!r}")
    told = json.loads(answer)
    promise({"error", "message"} <= set(told), f"not the shape of a refusal: {told}")


TARGETS: Mapping[str, Target] = {
    each.__name__: each
    for each in (
        *(votes_csv, votes_jsonl, votes_parquet, imported, pack_toml, pack_jsonl, guideline, cookie, view),
        *(api_body, markdown, mathematics),
    )
}


if __name__ == "__main__":
    print(*TARGETS)  # noqa: T201 - for the Makefile
