"""A small OpenAI-compatible server over real HTTP, with every fault that a real one has."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse


@dataclass(frozen=True)
class Reply:
    """What comes back for one request. Times are in seconds."""

    pieces: tuple[str, ...] = ("Hello", ", ", "world.")
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: Any = None
    """The body of a refusal, or an event of the stream after `fails_after` pieces."""
    before: float = 0.0
    between: float = 0.0
    thinking: float = 0.0
    """Between the role and what follows it, and after each piece of reasoning."""
    reasoning: tuple[str, ...] = ()
    reasoning_key: str = "reasoning_content"
    finish_reason: str | None = "stop"
    fails_after: int | None = None
    """After so many pieces comes what `how` says."""
    how: str = "cut"
    """cut (the connection), end (of the stream, without an end of the answer), malformed, list, hang, or error."""
    calls_itself: str | None = None
    tells_usage: bool = True
    raw: str | None = None
    """A whole body in place of a stream."""


Script = Callable[[dict[str, Any]], Reply]
"""Makes the reply from the body of the request."""


@dataclass
class ModelServer:
    """The server; `replies` by model: the first of several is used up, the last one stays."""

    url: str = ""
    replies: dict[str, list[Reply | Script]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    n_open: int = 0
    most_open: int = 0

    def says(self, model: str, *replies: Reply | Script) -> None:
        self.replies[model] = list(replies)

    def bodies(self, model: str) -> list[dict[str, Any]]:
        return [each for each in self.requests if each["model"] == model]

    def _next(self, body: dict[str, Any]) -> Reply:
        replies = self.replies.get(body["model"], [Reply()])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return reply if isinstance(reply, Reply) else reply(body)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> Response:
            body = await request.json()
            self.requests.append(body)
            self.headers.append(dict(request.headers))
            reply = self._next(body)
            if reply.status != 200:
                if reply.error is None:
                    return Response("a page of somebody else's", reply.status, reply.headers)
                return JSONResponse({"error": reply.error}, reply.status, reply.headers)
            if reply.raw is not None:
                return Response(reply.raw, headers=reply.headers, media_type="text/html")
            return StreamingResponse(self._stream(body["model"], reply), media_type="text/event-stream")

        return app

    async def _stream(self, model: str, reply: Reply) -> AsyncIterator[str]:
        self.n_open += 1
        self.most_open = max(self.most_open, self.n_open)
        try:
            async for each in self._events(model, reply):
                yield each
        finally:
            self.n_open -= 1

    async def _events(self, model: str, reply: Reply) -> AsyncIterator[str]:
        def event(delta: dict[str, Any], **more: Any) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": None} | more
            return _data({"id": "chatcmpl-1", "created": 1, "model": reply.calls_itself or model, "choices": [choice]})

        await asyncio.sleep(reply.before)
        yield event({"role": "assistant"})
        await asyncio.sleep(reply.thinking)
        for piece in reply.reasoning:
            yield event({reply.reasoning_key: piece, "content": None})
            await asyncio.sleep(reply.thinking or reply.between)
        for number, piece in enumerate((*reply.pieces, None)):
            if number == reply.fails_after:
                match reply.how:
                    case "cut":
                        raise ConnectionResetError("the fault that this test asked for")
                    case "end":
                        return
                    case "malformed":
                        yield "data: {not json\n\n"
                    case "list":
                        yield "data: [1]\n\n"
                    case "hang":
                        await asyncio.sleep(3600)
                    case "error":
                        yield _data({"error": reply.error})
            if piece is not None:
                yield event({"content": piece})
                await asyncio.sleep(reply.between)
        yield event({}, finish_reason=reply.finish_reason)
        if reply.tells_usage:
            usage = {"prompt_tokens": 7, "completion_tokens": len(reply.pieces), "total_tokens": 7 + len(reply.pieces)}
            yield _data({"id": "x", "created": 1, "model": reply.calls_itself or model, "choices": [], "usage": usage})
        yield "data: [DONE]\n\n"


def _data(value: Any) -> str:
    return f"data: {json.dumps(value)}\n\n"


class _Quiet(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """A thread cannot."""


@contextmanager
def serving() -> Iterator[ModelServer]:
    """The server on a free port of 127.0.0.1; what it was asked for stays in `requests`."""
    models = ModelServer()
    config = uvicorn.Config(
        models.app(), host="127.0.0.1", port=0, timeout_graceful_shutdown=1, log_level="critical", date_header=False
    )
    server = _Quiet(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
            assert thread.is_alive(), "the server of models did not start"
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        models.url = f"http://{host}:{port}/v1"
        yield models
    finally:
        server.should_exit = True
        thread.join(10)
