"""The web application: our routes and pages with Gradio mounted below them, and the timer of the rating job."""

import asyncio
import logging
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.alarms import Alarms
from arena.arbiter import Arbiter
from arena.batch import RatingJob
from arena.boards import Boards
from arena.calibration import Calibration
from arena.errors import StoreError
from arena.inspection import Inspector
from arena.list_voting import ListBooth
from arena.live import LiveBooth
from arena.login import Login
from arena.review import Review
from arena.samples import Gallery
from arena.session import Sessions
from arena.study import Study
from arena.ui import (
    analysis_api,
    analysis_page,
    api,
    arena_page,
    calibration_api,
    consent_api,
    contenders_api,
    disagreement_api,
    guidelines_page,
    host_api,
    host_page,
    labels,
    leaderboard_page,
    lists_api,
    live_api,
    login_api,
    own_data_api,
    quality_api,
    quality_page,
    research_api,
    review_api,
    samples_api,
    signals_api,
)
from arena.ui.access import Doorkeeper, LoginCookie
from arena.ui.login_page import absent_page, signed_in_tags
from arena.ui.middleware import MOST_AT_ONCE, ApiGate, CookieMode, PageHead, SafeHeaders, VoterCookie
from arena.ui.page import ASSETS, ASSETS_PATH, PAGES, Assets, Frame
from arena.ui.texts import LANGUAGES
from arena.ui.throttle import Throttle, ThrottleGate
from arena.voter import VoterKey
from arena.voting import Booth

log = logging.getLogger(__name__)

_JOB_LOOKS_EVERY_SECONDS = 1.0
_JOB_RESTS_AFTER_FAILURE_SECONDS = 30.0


@dataclass(frozen=True)
class Site:
    """Everything that the pages are built from."""

    booth: Booth
    calibration: Calibration
    job: RatingJob
    boards: Boards
    study: Study
    inspector: Inspector
    gallery: Gallery
    review: Review
    arbiter: Arbiter
    voter_key: VoterKey
    alarms: Alarms
    throttle: Throttle
    title: str
    welcome: str
    guideline_version: str | None
    guideline_text: str | None
    cookies: CookieMode
    clock: Callable[[], datetime]
    control: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """Entered while the arena serves: see `arena.control.listening`."""
    lists: ListBooth | None = None
    """Where voters rank lists; None where they judge pairs."""
    live: LiveBooth | None = None
    """Where voters put prompts of their own to models; None where they do not."""
    signals: signals_api.Intake | None = None
    """Where signals of a product go; None takes none."""
    login: Login = field(default_factory=Login)


def build_app(site: Site) -> FastAPI:
    """The application, ready to be served. Nothing runs before its lifespan starts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        timer = asyncio.create_task(_rate_when_due(site))
        timer.add_done_callback(_say_why_it_ended)
        async with site.control():
            yield
        timer.cancel()
        with suppress(asyncio.CancelledError):
            await timer
        await asyncio.to_thread(site.boards.close)
        await asyncio.to_thread(site.review.close)
        await asyncio.to_thread(site.inspector.close)

    app = FastAPI(title=site.title, openapi_url=None, lifespan=lifespan)
    frame = Frame(site.title, site.guideline_version)
    login = site.login
    sessions = Sessions(site.voter_key.derived("session"), digest=login.digest(), lasts=login.lasts)
    cookie = LoginCookie(site.voter_key, site.cookies)
    reception = login_api.Reception(login, sessions, cookie, site.voter_key, site.throttle, site.clock)
    _include_routes(app, site, frame, reception)
    api.translate_errors(app)
    app.mount(ASSETS_PATH, Assets(directory=ASSETS))

    _mount_pages(app, _build_pages(site, frame))

    scripts: dict[str, str | Sequence[str]] = {
        "arena": arena_page.scripts(
            site.booth.labels,
            calibrates=bool(site.calibration.examples),
            asks=site.booth.consent is not None,
            ranks=site.lists is not None,
            is_live=site.live is not None,
        ),
        "leaderboard": leaderboard_page.SCRIPT,
        "quality": quality_page.SCRIPT,
        **analysis_page.SCRIPTS,
    }
    heads = {
        (path, language): frame.head(page, language, script=scripts.get(page))
        for path, page in PAGES.items()
        for language in LANGUAGES
    }
    # The last one added is the first one passed.
    app.add_middleware(
        ApiGate,
        most_bytes=labels.most_bytes(site.booth.labels),
        most_at_once=MOST_AT_ONCE,
        longer=_longest(signals_api.most_bytes(site.signals), live_api.most_bytes(site.live)),
    )
    app.add_middleware(PageHead, heads=heads, personal=lambda scope: signed_in_tags(scope["state"]["session"]))
    app.add_middleware(VoterCookie, voter_key=site.voter_key, mode=site.cookies)
    app.add_middleware(
        Doorkeeper,
        login=login,
        sessions=sessions,
        cookie=cookie,
        clock=site.clock,
        absent=lambda request: absent_page(request, frame, login),
    )
    app.add_middleware(ThrottleGate, throttle=site.throttle)
    app.add_middleware(SafeHeaders, is_embedded=site.cookies == "embedded", is_secure=site.cookies != "lax")
    return app


def _include_routes(app: FastAPI, site: Site, frame: Frame, reception: login_api.Reception) -> None:
    version, text = site.guideline_version, site.guideline_text
    guideline = (version, text) if version and text else None
    # First what is asked most: routes are tried in this order.
    app.include_router(api.routes(site.booth, site.voter_key, site.clock, throttle=site.throttle, guideline=guideline))
    app.include_router(login_api.routes(reception, frame))
    app.include_router(host_page.routes(frame, host_page.LIVE_SECTIONS if site.live else host_page.SECTIONS))
    app.include_router(host_api.routes(site.login, site.alarms))
    app.include_router(review_api.routes(site.review, site.clock, signed_as=site.login.signed_as))
    app.include_router(disagreement_api.routes(site.arbiter, site.clock, signed_as=site.login.signed_as))
    app.include_router(
        research_api.routes(
            site.title,
            site.boards,
            site.job,
            count_acts=site.booth.n_acts,
            frame=frame,
        )
    )
    app.include_router(analysis_api.routes(site.study))
    app.include_router(quality_api.routes(site.inspector))
    app.include_router(samples_api.routes(site.gallery, site.voter_key, site.clock))
    app.include_router(calibration_api.routes(site.calibration, site.voter_key, site.clock))
    app.include_router(own_data_api.routes(site.booth, site.voter_key, site.clock))
    app.include_router(consent_api.routes(site.booth, site.voter_key, site.clock, throttle=site.throttle))
    if site.lists:
        lists = lists_api.routes(site.lists, site.booth, site.voter_key, site.clock, throttle=site.throttle)
        app.include_router(lists)
    if site.live:
        app.include_router(contenders_api.routes(site.live))
        app.include_router(live_api.routes(site.live, site.booth, site.voter_key, site.clock, throttle=site.throttle))
    if site.signals:
        app.include_router(signals_api.routes(site.signals))
    app.include_router(api.end_of_routes())


def _build_pages(site: Site, frame: Frame) -> gr.Blocks:
    # analytics_enabled: without it Gradio calls two hosts of its makers when it starts.
    arena = gr.Blocks(analytics_enabled=False, title=site.title, fill_width=True)
    calibrates = bool(site.calibration.examples)
    booth = site.booth
    arena_page.build(
        arena,
        frame,
        welcome=site.welcome,
        rules=booth.rules,
        labels=booth.labels,
        calibrates=calibrates,
        asks=booth.consent is not None,
        longest_prompt=site.live.rules.longest_prompt if site.live else None,
    )
    leaderboard_page.build(arena.route("Leaderboard", "/leaderboard"), frame)
    analysis_page.build(arena.route("Analysis", "/analysis"), frame)
    analysis_page.build_model(arena.route("Model", "/model"), frame)
    quality_page.build(arena.route("Data quality", "/quality"), frame)
    guidelines_page.build(arena.route("Guidelines", "/guidelines"), frame, text=site.guideline_text)
    # Without api_open every event of the pages would also be a public endpoint beside the queue.
    arena.queue(api_open=False, default_concurrency_limit=8)
    return arena


def _mount_pages(app: FastAPI, pages: gr.Blocks) -> None:
    with warnings.catch_warnings():
        # Said of every site with several pages, also of one that never asked for rendering on the server.
        warnings.filterwarnings("ignore", message="SSR mode is not supported with multi-page apps")
        gr.mount_gradio_app(
            app,
            pages,
            path="/",
            footer_links=[],
            show_error=False,  # else the text of any exception goes to the browser
            enable_monitoring=False,  # else /monitoring is public
            run_history=False,  # else the visitor's browser keeps what was seen
            ssr_mode=False,
            pwa=False,
            max_file_size=1,  # nothing is uploaded here, yet Gradio's upload route is always there
        )
    mount = app.routes[-1]
    assert isinstance(mount, Mount)  # noqa: S101 - the line above has put it there
    mount.app = _without_query(mount.app)


def _longest(*of: Callable[[Scope], int]) -> Callable[[Scope], int]:
    """The most that any of these gives."""
    return lambda scope: max(each(scope) for each in of)


def _without_query(app: ASGIApp) -> ASGIApp:
    """What Gradio is handed of a request. It reads files by what stands in a query, and no page of it needs one."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "query_string": b""}, receive, send)

    return call


def _say_why_it_ended(timer: "asyncio.Task[None]") -> None:
    if not timer.cancelled() and timer.exception() is not None:
        log.critical("the leaderboard is computed no more until a restart", exc_info=timer.exception())


async def _rate_when_due(site: Site) -> None:
    """Let the rating job look, once a second, whether there is work; it decides, and works in a thread."""
    while True:
        pause = _JOB_LOOKS_EVERY_SECONDS
        try:
            await asyncio.to_thread(site.job.run_if_due, site.clock())
        except StoreError as error:
            log.exception("the leaderboard was not recomputed; the last one stays")
            site.alarms.on("leaderboard", error, site.clock())
            pause = _JOB_RESTS_AFTER_FAILURE_SECONDS
        await asyncio.sleep(pause)
