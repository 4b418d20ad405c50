"""The doors of Gradio: the few that the pages go through stay open, all others are shut.

Gradio draws the frame of our pages and nothing more: no event of it is used. Yet it brings some seventy routes, which
take uploads, write a visitor's state to disk, read files, call other servers, queue and stream. None of them is needed,
so none is reached, whatever Gradio makes of it in its next version.
"""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from arena.ui.middleware import refusal

# What the pages load of Gradio: its scripts, styles and fonts, and what browsers ask any host for.
_FOLDERS = ("/static/", "/assets/")
_FILES = frozenset({"/config", "/theme.css", "/favicon.ico", "/robots.txt"})


class Doors:
    """Lets through to Gradio what its pages ask for, without the query: Gradio reads files by what stands there.

    `pages` are the paths of the pages. Everything else is answered as an address where nothing is.
    """

    def __init__(self, app: ASGIApp, *, pages: Collection[str]):
        self.app = app
        self._open = _FILES | {*pages} | {f"{page}/" for page in pages}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http" or self._is_open(scope["method"], scope["path"]):
            await self.app({**scope, "query_string": b""}, receive, send)
        else:
            await refusal(404, "no_such_address")(scope, receive, send)

    def _is_open(self, method: str, path: str) -> bool:
        return method in ("GET", "HEAD") and (path in self._open or path.startswith(_FOLDERS))
