"""Who may open what: one table of every page and route, and the door that keeps it.

What the table does not name is not there, for nobody: a page or route that is forgotten here is missed at once, and
none is open by mistake. tests/ui/test_access.py walks all routes of the application, Gradio's own too.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.login import Login
from arena.role import Right, Role
from arena.session import Session, Sessions
from arena.ui.middleware import CookieMode, cookie_attributes, refusal
from arena.ui.page import PAGES
from arena.voter import VoterKey

# A path is matched as it stands; one that ends with a stroke also stands for everything below it.
RIGHTS: Mapping[str, Right] = {
    # Pages
    "/": Right.VOTE,
    "/leaderboard": Right.RESULTS,
    "/analysis": Right.RESULTS,
    "/model": Right.RESULTS,
    "/quality": Right.RESULTS,
    "/guidelines": Right.EVERYBODY,
    "/api": Right.RESULTS,
    "/login": Right.EVERYBODY,
    "/login/provider": Right.EVERYBODY,
    "/login/callback": Right.EVERYBODY,
    "/host": Right.HOST,
    "/host/": Right.HOST,
    # Routes of ours
    "/healthz": Right.EVERYBODY,
    "/api/guideline": Right.EVERYBODY,
    "/api/login": Right.EVERYBODY,
    "/api/logout": Right.EVERYBODY,
    "/api/ballots": Right.VOTE,
    "/api/ballots/": Right.VOTE,
    "/api/live": Right.VOTE,
    "/api/live/": Right.VOTE,
    "/api/lists": Right.VOTE,
    "/api/lists/": Right.VOTE,
    "/api/calibration": Right.VOTE,
    "/api/calibration/": Right.VOTE,
    "/api/me": Right.VOTE,
    # To see and to withdraw what one has said is no privilege.
    "/api/me/": Right.EVERYBODY,
    "/api/leaderboard": Right.RESULTS,
    "/api/analysis": Right.RESULTS,
    "/api/analysis/": Right.RESULTS,
    "/api/quality": Right.RESULTS,
    "/api/samples/": Right.RESULTS,
    "/api/openapi.json": Right.RESULTS,
    "/api/host/": Right.HOST,
    # Of a product, not of a visitor: who asks is known by the token that the route asks for.
    "/api/signals": Right.EVERYBODY,
    "/api/signals/withdrawal": Right.EVERYBODY,
    # Files of ours and of Gradio, the same for all
    "/ui/": Right.EVERYBODY,
    "/assets/": Right.EVERYBODY,
    "/static/": Right.EVERYBODY,
    "/svelte/": Right.EVERYBODY,
    "/theme.css": Right.EVERYBODY,
    "/favicon.ico": Right.EVERYBODY,
    "/robots.txt": Right.EVERYBODY,
    # Gradio's doors that no page of ours goes through: they take files, addresses and sessions from clients
    "/gradio_api/": Right.NOBODY,
    "/config": Right.NOBODY,
    "/config/": Right.NOBODY,
    "/login/": Right.NOBODY,
    "/logout": Right.NOBODY,
    "/monitoring": Right.NOBODY,
    "/monitoring/": Right.NOBODY,
    "/openapi.json": Right.NOBODY,
    "/manifest.json": Right.NOBODY,
    "/pwa_icon": Right.NOBODY,
    "/pwa_icon/": Right.NOBODY,
    "/leaderboard/": Right.NOBODY,
    "/analysis/": Right.NOBODY,
    "/model/": Right.NOBODY,
    "/quality/": Right.NOBODY,
    "/guidelines/": Right.NOBODY,
    # Every other path below /api
    "/api/": Right.NOBODY,
}

# Where one may go on to after signing in, by name: never an address from a request. A page about one thing among many
# would need to know which; its neighbour stands for it.
NEXT: Mapping[str, str] = {
    page: path.removeprefix("/") for path, page in {**PAGES, "/host": "host", "/api": "api"}.items() if page != "model"
}
_NEIGHBOURS = {"/model": "analysis", "/": "arena"}


def right_of(path: str) -> Right:
    """What this path asks for. The nearest entry counts; what has none is nobody's."""
    if path in RIGHTS:
        return RIGHTS[path]
    while path not in ("", "/"):
        path = path.rstrip("/").rpartition("/")[0] + "/"
        if path != "/" and path in RIGHTS:
            return RIGHTS[path]
    return Right.NOBODY


class LoginCookie:
    """The cookie that holds a session, and the one that holds a sign-in under way."""

    def __init__(self, voter_key: VoterKey, mode: CookieMode):
        # __Host-: the browser itself takes it from this host over HTTPS alone, and from no neighbour under the domain.
        prefix = "" if mode == "lax" else "__Host-"
        own = voter_key.pseudonym("cookie name", "login")[:8]
        self.session_name = f"{prefix}bakeoff_session_{own}"
        self.asked_name = f"{prefix}bakeoff_asked_{own}"
        self._attributes = f"Path=/; HttpOnly; {cookie_attributes(mode)}"

    def give(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Set it; for no seconds: take it away."""
        response.headers.append("set-cookie", f"{name}={value}; Max-Age={seconds}; {self._attributes}")


def session_of(request: HTTPConnection) -> Session | None:
    """Who is signed in, as the door has found it."""
    return request.scope.get("state", {}).get("session")


class Doorkeeper:
    """Lets nobody through to what their roles do not open; tells pages and routes who is signed in."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        login: Login,
        sessions: Sessions,
        cookie: LoginCookie,
        clock: Callable[[], datetime],
        absent: Callable[[Request], Response],
    ):
        """`absent` answers for a page that is not there."""
        self.app = app
        self._login = login
        self._sessions = sessions
        self._cookie = cookie
        self._clock = clock
        self._absent = absent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # we have no other kind, and Gradio's is behind what nobody may open
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope)
        session = self._sessions.read(request.cookies.get(self._cookie.session_name), self._clock())
        scope.setdefault("state", {})["session"] = session
        right = right_of(scope["path"])
        roles: frozenset[Role] = session.roles if session else frozenset()
        # Posts are what ApiGate takes as JSON of our own pages only; pages are read.
        is_method = request.method in ("GET", "HEAD") or (request.method == "POST" and is_api(request))
        if right in self._login.rights(roles) and is_method:
            is_open = right in self._login.rights(())
            await self.app(scope, receive, send if is_open else _unkept(send))
            return
        await self._refused(request, right, session)(scope, receive, send)

    def _refused(self, request: Request, right: Right, session: Session | None) -> Response:
        if right is Right.NOBODY or right in self._login.rights(session.roles if session else ()):
            return refusal(404, "no_such_address") if is_api(request) else self._absent(request)
        if is_api(request):
            return refusal(401, "signed_out") if session is None else refusal(403, "not_yours")
        path = request.url.path
        if not self._login.is_set:
            return self._absent(request)
        name = _NEIGHBOURS.get(path, path.removeprefix("/"))
        wanted = f"?next={quote(name)}" if name in NEXT else ""
        # Relative, so that it also holds below a path of a proxy.
        up = "../" * (path.count("/") - 1) or "./"
        return RedirectResponse(f"{up}login{wanted}", 303, {"Cache-Control": "no-store"})


def is_api(request: HTTPConnection) -> bool:
    """Whether a script asks, and not somebody who opens a page."""
    return request.url.path.startswith("/api/")


def _unkept(send: Send) -> Send:
    """No cache keeps what is not for all."""

    async def send_unkept(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["cache-control"] = "no-store"
        await send(message)

    return send_unkept
