"""The public, read-only routes: the leaderboard of any choice of votes as JSON, CSV or Parquet, and their description.

Nothing is computed on the event loop, and nobody who waits for a board holds a thread that a vote could need.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from arena import table
from arena.batch import RatingJob
from arena.battle import Model
from arena.boards import Boards, NoBoardYet, NoSuchValue, Offer, TooManyBoards, View
from arena.errors import ArenaError, BadInput, NothingToRate, RatingFailed
from arena.printout import COLUMNS
from arena.ui import openapi
from arena.ui.access import session_of
from arena.ui.login_page import signed_in_tags
from arena.ui.middleware import refusal
from arena.ui.page import Frame
from arena.ui.plain import plain_page
from arena.ui.view_query import (
    MEDIA_TYPES,
    PARAMETERS,
    BadValue,
    Format,
    UnknownParameter,
    ViewQuery,
    address,
    read,
    wanted_format,
)

_BUSY_SECONDS = 3

# Behind the columns that `bakeoff rate --out` writes.
_FACTS: Mapping[str, str] = {
    "organization": "varchar",
    "license": "varchar",
    "open_weights": "boolean",
    "url": "varchar",
    "aliases": "varchar[]",
    "retired_at": "timestamptz",
}


def routes(
    title: str,
    boards: Boards,
    job: RatingJob,
    *,
    count_acts: Callable[[], int],
    frame: Frame,
) -> APIRouter:
    """The leaderboard and the description of these routes; `frame` is that of the pages."""
    router = APIRouter()
    described = openapi.description(title, PARAMETERS)
    described_body = openapi.body(described)

    @router.get("/api/leaderboard")
    async def leaderboard(request: Request) -> Response:
        try:
            asked = read(request.query_params.multi_items())
            # Shielded: who leaves must not take the board from others who wait for it.
            view = await asyncio.shield(asyncio.wrap_future(boards.view(asked.choice)))
            offer = await asyncio.shield(asyncio.wrap_future(boards.offer()))
            return await run_in_threadpool(answer, view, offer, asked, request.headers.get("accept"))
        except NoBoardYet:
            return await run_in_threadpool(nothing_yet)
        except (BadInput, NothingToRate, RatingFailed, TooManyBoards) as error:
            # One failure answers all who ask for the same: what it would gather of each of them is not kept.
            return _refused(error.with_traceback(None))

    def answer(view: View, offer: Offer, asked: ViewQuery, accept: str | None) -> Response:
        format_ = asked.format or wanted_format(accept)
        headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
        if format_ is Format.JSON:
            now = {
                "n_newer": max(0, count_acts() - view.snapshot.n_log),
                "failure": job.failure,
                "every_seconds": job.every.total_seconds(),
                "after_votes": job.after_votes,
            }
            record = view_json(view, asked) | {"offer": offer_json(offer), "arena": now}
            return Response(_dumped(record), 200, headers, MEDIA_TYPES[Format.JSON])
        name = f"leaderboard-{view.snapshot.id}{'' if view.is_usual else '-view'}.{format_}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(table_bytes(view, asked, format_), 200, headers, MEDIA_TYPES[format_])

    def nothing_yet() -> Response:
        n_votes = count_acts()
        more = {"n_votes": str(n_votes), "every_seconds": f"{job.every.total_seconds():g}"}
        more["after_votes"] = str(job.after_votes)
        if n_votes == 0:
            return refusal(404, "no_votes", **more)
        if job.failure is not None:
            return refusal(404, "no_board", why=job.failure, **more)
        return refusal(404, "not_computed", **more)

    @router.get("/api/openapi.json")
    def openapi_json() -> Response:
        return Response(_dumped(described), 200, {"Cache-Control": "no-cache"}, MEDIA_TYPES[Format.JSON])

    @router.get("/api")
    def openapi_page(request: Request) -> Response:
        return plain_page(request, frame, "api", described_body, personal=signed_in_tags(session_of(request)))

    return router


def _refused(error: ArenaError) -> Response:
    match error:
        case UnknownParameter():
            return refusal(400, "unknown_parameter", name=error.name, accepted=", ".join(PARAMETERS))
        case BadValue() | NoSuchValue():
            return refusal(400, "bad_value", name=error.name, value=error.value, accepted=error.accepted)
        case TooManyBoards():
            busy = refusal(503, "busy")
            busy.headers["Retry-After"] = str(_BUSY_SECONDS)
            return busy
        case NothingToRate() | RatingFailed():
            return refusal(404, "no_board", why=str(error))
        case _:
            return refusal(400, "no_such_view", why=str(error))


def view_json(view: View, asked: ViewQuery) -> dict[str, Any]:
    """A board as it was asked for, and all that says what it was made of."""
    shown = _shown(view, asked)
    pinned = view.pinned()
    return {
        "view": {
            "query": address(view.choice, asked.lines),
            "link": address(pinned, asked.lines),
            "is_default": view.is_usual,
        },
        "leaderboard": {**view.board.to_record(), "ratings": shown},
        "log": {"n_log": view.n_log, "log_hash": view.log_hash, "sources": [each.value for each in view.sources]},
        "snapshot": {
            "id": view.snapshot.id,
            "computed_at": view.snapshot.computed_at.isoformat(),
            "app_version": view.snapshot.app_version,
            "n_log": view.snapshot.n_log,
        },
        "command": view.command(),
    }


def offer_json(offer: Offer) -> dict[str, Any]:
    """What can be chosen from, for the page's filters."""
    facts = Counter[tuple[str, str]]()
    for model in offer.models:
        facts.update((name, value) for name, value in _told(model).items() if value is not None)
    return {
        "source": dict(offer.sources),
        "category": dict(offer.categories),
        "language": dict(offer.languages),
        "organization": {value: n for (name, value), n in sorted(facts.items()) if name == "organization"},
        "license": {value: n for (name, value), n in sorted(facts.items()) if name == "license"},
        "open_weights": {value: n for (name, value), n in sorted(facts.items()) if name == "open_weights"},
        "span": None if offer.span is None else [each.isoformat() for each in offer.span],
        "style": offer.style,
    }


def _told(model: Model) -> dict[str, str | None]:
    weights = None if model.open_weights is None else ("yes" if model.open_weights else "no")
    return {"organization": model.organization, "license": model.license, "open_weights": weights}


def _shown(view: View, asked: ViewQuery) -> list[dict[str, Any]]:
    rows = view.board.to_record()["ratings"]
    return [
        row | _facts(entry.model)
        for entry, row in zip(view.board.entries, rows, strict=True)
        if asked.lines.show(entry.model)
    ]


def _facts(model: Model) -> dict[str, Any]:
    return {
        "organization": model.organization,
        "license": model.license,
        "open_weights": model.open_weights,
        "url": model.url,
        "aliases": list(model.aliases),
        "retired_at": model.retired_at.isoformat() if model.retired_at else None,
    }


def table_bytes(view: View, asked: ViewQuery, format_: Format) -> bytes:
    """The lines as a table: the columns of `bakeoff rate --out`, and the facts of each model."""
    schema = {**COLUMNS, **_FACTS}
    rows = [[({"name": row["model"]} | row).get(name) for name in schema] for row in _shown(view, asked)]
    if format_ is Format.CSV:
        # A list in a field of CSV would be DuckDB's own notation, which nobody else reads.
        schema["aliases"] = "varchar"
        place = list(schema).index("aliases")
        for row in rows:
            row[place] = "; ".join(row[place] or ()) or None
    with TemporaryDirectory(prefix="bakeoff-") as folder:
        path = Path(folder) / f"leaderboard.{format_}"
        table.write(path, schema, rows)
        return path.read_bytes()


def _dumped(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False)
