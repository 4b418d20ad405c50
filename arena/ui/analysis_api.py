"""The JSON routes behind the Analysis page and the pages of models: read only, as of the latest snapshot.

A question is answered in one of two threads of their own, so that neither voters nor other questions wait long, and
once for all who ask it at the same time. What takes longer than `PATIENCE_SECONDS` is answered with 202 and goes on;
whoever asks again gets it when it is there.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from arena.errors import NothingToRate, RatingFailed
from arena.leaderboard import Entry, Snapshot
from arena.study import CannotStudy, Study, has_plain_intervals, has_plain_scores, is_plain, to_record
from arena.ui.middleware import refusal

PATIENCE_SECONDS = 8.0

_N_THREADS = 2
_MOST_WAITING = 24

# CannotStudy tells the word; the texts are `refusal.<word>`.
_STATUS: Mapping[str, int] = {
    "no_study": 404,
    "unknown_model": 404,
    "unrated_model": 409,
    "same_model": 400,
    "no_texts": 409,
}


def routes(study: Study, *, patience_seconds: float = PATIENCE_SECONDS) -> APIRouter:
    """What stands behind the board, one route a question."""
    desk = _Desk(patience_seconds)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(desk.close)

    router = APIRouter(lifespan=lifespan)

    async def answered(name: str, ask: Callable[[Snapshot], Any], *values: str) -> Response:
        def answer() -> bytes:
            snapshot = study.snapshot()
            return _json({"snapshot": snapshot.id, **ask(snapshot)})

        try:
            body = await desk.ask((name, *values), answer)
        except _TooManyQuestions:
            return refusal(503, "busy")
        except CannotStudy as reason:
            return cannot_study(reason)
        except (NothingToRate, RatingFailed):
            return refusal(409, "no_analysis")
        if body is None:
            return _response(_json({"pending": True}), 202)
        return _response(body)

    @router.get("/api/analysis")
    async def overview() -> Response:
        return await answered("overview", overview_json)

    @router.get("/api/analysis/head-to-head")
    async def head_to_head(a: str = "", b: str = "") -> Response:
        return await answered("head-to-head", lambda snapshot: to_record(study.duel(snapshot, a, b)), a, b)

    def add(name: str, question: Callable[[Snapshot], Any]) -> None:
        async def route() -> Response:
            return await answered(name, lambda snapshot: to_record(question(snapshot)))

        router.add_api_route(f"/api/analysis/{name}", route, methods=["GET"], name=name)

    questions: Mapping[str, Callable[[Snapshot], Any]] = {
        "matrix": study.matrix,
        "history": study.past,
        "collection": study.collection,
        "position": study.position,
        "style": study.style,
        "agreement": study.agreement,
        "influence": study.influence,
        "goodness": study.goodness,
    }
    for name, question in questions.items():
        add(name, question)

    @router.get("/api/analysis/model")
    async def model(model_id: Annotated[str, Query(alias="id")] = "") -> Response:
        return await answered("model", lambda snapshot: portrait_json(study, snapshot, model_id), model_id)

    return router


def cannot_study(reason: CannotStudy) -> Response:
    """The refusal that says why there is nothing to show."""
    return refusal(_STATUS[reason.word], reason.word, **reason.values)


def overview_json(snapshot: Snapshot) -> dict[str, Any]:
    """The board in short: what it is of, and its models in their order, by which the other routes speak of them."""
    board = snapshot.leaderboard
    return {
        "computed_at": snapshot.computed_at.isoformat(),
        "n_log": snapshot.n_log,
        "n_votes": board.n_votes,
        "confidence": board.confidence,
        "method": board.method,
        "intervals": board.intervals,
        "is_plain": is_plain(board),
        "plain_scores": has_plain_scores(board),
        "plain_intervals": has_plain_intervals(board),
        "models": [_entry_json(entry) for entry in board.entries],
    }


def portrait_json(study: Study, snapshot: Snapshot, model: str) -> dict[str, Any]:
    """All of one model. Its facts are named one by one: what is added to a Model later stays here."""
    found = study.portrait(snapshot, model)
    facts, entry = found.model, found.entry
    told = to_record(found)
    return {
        "confidence": snapshot.leaderboard.confidence,
        "model": {
            "id": facts.id,
            "name": facts.name,
            "organization": facts.organization,
            "license": facts.license,
            "open_weights": facts.open_weights,
            "url": facts.url,
            "retired_at": facts.retired_at.isoformat() if facts.retired_at else None,
        },
        "entry": _entry_json(entry) if entry else None,
        "names": {each.model: _name(snapshot, each.model) for each in found.opponents},
        **{key: told[key] for key in ("record", "share", "kinds", "opponents", "votes")},
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.model.id,
        "name": entry.model.name,
        "score": entry.score,
        "low": entry.low,
        "high": entry.high,
        "rank": entry.rank,
        "rank_low": entry.rank_low,
        "rank_high": entry.rank_high,
        "n_votes": entry.n_votes,
        "provisional": entry.provisional,
        "reason": entry.reason,
    }


def _name(snapshot: Snapshot, model: str) -> str:
    return next((entry.model.name for entry in snapshot.leaderboard.entries if entry.model.id == model), model)


class _TooManyQuestions(Exception):
    """So many different questions are waiting that one more would wait too long."""


class _Desk:
    """Answers questions in threads, each question once at a time. Used from the event loop alone."""

    def __init__(self, patience_seconds: float):
        self._patience = patience_seconds
        self._threads = ThreadPoolExecutor(_N_THREADS, thread_name_prefix="analysis")
        self._running: dict[Hashable, asyncio.Future[bytes]] = {}

    async def ask(self, question: Hashable, answer: Callable[[], bytes]) -> bytes | None:
        """The answer, or None if it is not there yet. Raises what answering raises."""
        running = self._running.get(question)
        if running is None:
            if len(self._running) >= _MOST_WAITING:
                raise _TooManyQuestions
            running = asyncio.get_running_loop().run_in_executor(self._threads, answer)
            self._running[question] = running
            running.add_done_callback(lambda done: self._ended(question, done))
        done, _ = await asyncio.wait([running], timeout=self._patience)
        return running.result() if done else None

    def close(self) -> None:
        """Answer nothing more, and wait for what is being answered: it reads a database that is about to be closed."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _ended(self, question: Hashable, done: "asyncio.Future[bytes]") -> None:
        del self._running[question]
        if not done.cancelled():
            done.exception()  # looked at, or it would be reported where everybody who asked has gone


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _response(body: bytes, status: int = 200) -> Response:
    return Response(body, status, {"Cache-Control": "no-store"}, media_type="application/json")
