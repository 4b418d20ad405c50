"""A page that comes slowly, in two parts: nothing of it stays without its words."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import Browser, expect

from arena.login import Login
from arena.role import Role
from arena.ui.texts import texts
from openid import HASH, signed_in
from served import serving

LOGIN = Login(password=HASH)
PAUSE = 0.7  # seconds, in which a browser shows what it has


@contextmanager
def slowly(url: str, before: bytes) -> Iterator[str]:
    """The same pages, each of which stops for a moment before it goes on with these bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {name: self.headers[name] for name in ("Cookie", "Accept-Language") if name in self.headers}
            answer = httpx.get(f"{url}{self.path}", headers=asked)
            self.send_response(answer.status_code)
            for name in ("Content-Type", "Content-Security-Policy"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            first, marker, rest = answer.content.partition(before)
            self.wfile.write(first)
            if marker:
                time.sleep(PAUSE)
                self.wfile.write(marker + rest)

        def log_message(self, *_: object) -> None:
            """Nothing on the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.journey
def test_what_comes_later_than_the_header_has_its_words(browser: Browser):
    with serving() as start, browser.new_context(locale="en") as context:
        arena = start(login=LOGIN)
        host = signed_in(arena, LOGIN, Role.HOST)
        with slowly(arena.url, b'<section id="host-review"') as url:
            context.add_cookies(
                [{"name": each.name, "value": each.value or "", "url": url} for each in host.cookies.jar]
            )
            page = context.new_page()
            page.goto(f"{url}/host")
            expect(page.locator("main h2")).to_have_text(
                [texts("en")[f"host.{name}"] for name in ("alarms", "review", "disagreement")]
            )
