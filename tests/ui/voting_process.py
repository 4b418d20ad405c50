"""An arena without its pages, as a process of its own: it starts in a third of the time, and is made to be killed.

The store, the booth, the rating job, the JSON routes and what every request passes through are the real ones; only the
pages are left out, and a bare one gives the cookie.
"""

import asyncio
import random
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from arena.alarms import Alarms
from arena.batch import RatingJob
from arena.control import listening
from arena.limits import Limiter
from arena.store import VoteStore
from arena.ui import api
from arena.ui.middleware import ApiGate, SafeHeaders, VoterCookie
from arena.ui.throttle import Throttle
from arena.voter import VoterKey, open_secrets, secret_file_of
from arena.voting import Booth


def clock() -> datetime:
    return datetime.now(UTC)


def application(store: VoteStore, key: VoterKey) -> FastAPI:
    job = RatingJob(store, every=timedelta(seconds=1), after_votes=5)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        timer = asyncio.create_task(rate(job))
        async with listening(store):
            yield
        timer.cancel()

    app = FastAPI(lifespan=lifespan)
    booth = Booth(store, rng=random.SystemRandom(), board=job.latest, now=clock())
    throttle = Throttle(Limiter({}), Alarms(), key, trusted_proxies=(), clock=clock, ticks=time.monotonic_ns)
    app.include_router(api.routes(booth, key, clock, throttle=throttle))
    api.translate_errors(app)

    @app.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>An arena</title>")

    app.add_middleware(ApiGate)
    app.add_middleware(VoterCookie, voter_key=key, mode="lax")
    app.add_middleware(SafeHeaders, is_embedded=False, is_secure=False)
    return app


async def rate(job: RatingJob) -> None:
    while True:
        await asyncio.to_thread(job.run_if_due, clock())
        await asyncio.sleep(0.1)


def main(database: Path, port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    with listener, VoteStore.open(database) as store:
        key = VoterKey(*open_secrets(secret_file_of(database)))
        uvicorn.Server(uvicorn.Config(application(store, key), log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
