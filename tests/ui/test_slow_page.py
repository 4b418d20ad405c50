"""A page that comes slowly, in two parts: nothing of it stays without its words."""

import threading
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


@contextmanager
def in_two_parts(url: str, before: bytes) -> Iterator[tuple[str, threading.Event]]:
    """The same pages, each of which stops before these bytes until it is told to go on."""
    goes_on = threading.Event()

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
                goes_on.wait(60)
                self.wfile.write(marker + rest)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as it is called there
            """Nothing on the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True  # one that a browser has left waits for nobody
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", goes_on
    finally:
        goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.journey
def test_what_comes_later_than_the_header_has_its_words(browser: Browser):
    with serving() as start, browser.new_context(locale="en") as context:
        arena = start(login=LOGIN)
        host = signed_in(arena, LOGIN, Role.HOST)
        with in_two_parts(arena.url, b'<section id="host-review"') as (url, goes_on):
            context.add_cookies(
                [{"name": each.name, "value": each.value or "", "url": url} for each in host.cookies.jar]
            )
            page = context.new_page()
            page.goto(f"{url}/host", wait_until="commit")
            expect(page.locator("main h1")).to_have_text(texts("en")["nav.host"])
            expect(page.locator("main h2")).to_have_count(1)
            goes_on.set()
            expect(page.locator("main h2")).to_have_text(
                [texts("en")[f"host.{name}"] for name in ("alarms", "review", "disagreement")]
            )
