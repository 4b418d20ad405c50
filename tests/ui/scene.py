"""Every page of an arena in every state that a reader can find it in, and how to bring it there.

What looks at all of them shares this list: the accessibility tests, and the command that takes pictures. A scene needs
no more than a page's address: what a server would seldom do (fail, be slow, refuse) is played by the browser.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page, Route

from openid import PASSWORD

Act = Callable[[Page], object]

# The arenas that scenes play in: see stage.py.
Ground = Literal["new", "voted", "labels", "thumbs", "steps", "asking", "ranked", "calibrating", "hosted", "decided"]

BALLOTS = re.compile(r"\/api\/ballots$")
CONSENT = re.compile(r"\/api\/me\/consent$")
VOTE = re.compile(r"\/api\/ballots\/.+\/vote$")
BOARD = re.compile(r"\/api\/leaderboard")
STUDY = re.compile(r"\/api\/analysis")
QUALITY = re.compile(r"\/api\/quality")


@dataclass(frozen=True)
class Scene:
    """A page in one state. `set_up` goes before the page is opened, `play` brings the opened page there."""

    name: str
    path: str
    ready: str
    ground: Ground = "voted"
    set_up: Act = lambda _: None
    play: Act = lambda _: None
    is_long: bool = False
    """Whether the whole page is looked at, and not only what fits into the window."""
    only: Literal["phone", "desktop"] | None = None

    def open(self, page: Page, url: str) -> None:
        """Bring a page of a new visitor into this state."""
        self.set_up(page)
        page.goto(url + self.path)
        page.wait_for_selector(self.ready, state="attached")
        page.wait_for_selector("header.top [data-t]:not(:empty)", state="attached")
        self.play(page)
        page.evaluate("document.fonts.ready.then(() => null)")


def refuses(pattern: re.Pattern[str], status: int, error: str, *, method: str = "", **values: str) -> Act:
    """Have requests refused as the server would: all of them, or those of one method."""
    body = json.dumps({"error": error, "message": "", **values})
    fulfil: Callable[[Route], None] = lambda route: (  # noqa: E731 - playwright marks what it is given
        route.fulfill(status=status, content_type="application/json", body=body)
        if route.request.method.startswith(method)
        else route.continue_()
    )
    return lambda page: page.route(pattern, fulfil)


def keeps_waiting(pattern: re.Pattern[str]) -> Act:
    """Have requests answered never. In the page itself: a request that Playwright holds would outlive its context."""
    script = f"""{{
      const ask = window.fetch;
      const isKept = (path) => /{pattern.pattern}/.test(new URL(path, location.href).pathname);
      window.fetch = (path, ...more) => (isKept(path) ? new Promise(() => {{}}) : ask(path, ...more));
    }}"""
    return lambda page: page.add_init_script(script)


def asks_for_a_pause(pattern: re.Pattern[str]) -> Act:
    """Have requests refused as a proxy does that gets too many: in HTML of its own."""
    answer = {
        "status": 429,
        "headers": {"Retry-After": "20"},
        "content_type": "text/html",
        "body": "<h1>Slow down</h1>",
    }
    return lambda page: page.route(pattern, lambda route: route.fulfill(**answer))  # type: ignore[arg-type]


def is_unreachable(pattern: re.Pattern[str]) -> Act:
    """Have requests fail as without a network."""
    return lambda page: page.route(pattern, lambda route: route.abort())


def _in_turn(*acts: Act) -> Act:
    def play(page: Page) -> None:
        for act in acts:
            act(page)

    return play


def press(key: str) -> Act:
    return lambda page: page.keyboard.press(key)


def click(selector: str) -> Act:
    return lambda page: page.locator(selector).first.click()


def wait(selector: str) -> Act:
    return lambda page: page.locator(selector).first.wait_for(state="attached")


def state(name: str) -> str:
    return f"#arena[data-state={name}]"


def unfold(selector: str) -> Act:
    """Open what is folded, whatever covers it."""
    return lambda page: page.locator(selector).first.evaluate("each => { each.open = true; }")


def read_all(page: Page) -> None:
    """Go down the page, so that each part is asked for and there, and back to its top."""
    page.wait_for_function(
        """() => {
          const waiting = document.querySelector("#findings:not([hidden]) .found[aria-busy=true]");
          waiting?.scrollIntoView();
          return !waiting;
        }""",
        polling=50,
    )
    page.evaluate("scrollTo(0, 0)")


def scroll_to(selector: str) -> Act:
    return lambda page: page.locator(selector).first.scroll_into_view_if_needed()


def fill(selector: str, text: str) -> Act:
    return lambda page: page.locator(selector).first.fill(text)


_VOTED = _in_turn(press("a"), wait(state("revealed")))
_LABELLING = _in_turn(press("a"), wait("#labels:not([hidden])"))
_THUMBED = _in_turn(press("q"), press("p"), wait(".thumb[data-thumb=down][aria-pressed=true]"))
_MODEL = "#board-page tr[data-model] a, .found-duel a[href*=model]"


def _arena(name: str, **more: object) -> Scene:
    return Scene(f"arena-{name}", "/", **{"ready": state("voting"), **more})  # type: ignore[arg-type]


def _board(name: str, path: str = "/leaderboard", **more: object) -> Scene:
    return Scene(f"leaderboard{name}", path, **{"ready": "#board-page[data-state=shown]", "is_long": True, **more})  # type: ignore[arg-type]


def _study(name: str, path: str, **more: object) -> Scene:
    ready = ".found figure, .found dl, #state:not([hidden])"
    return Scene(name, path, **{"ready": ready, "is_long": True, "play": read_all, **more})  # type: ignore[arg-type]


def _to_model(page: Page) -> None:
    page.locator(".found-duel a[href*=model]").first.click()
    page.wait_for_selector("#rank .found dl")
    read_all(page)


def _host(name: str, *then: Act, ground: Ground = "hosted", **more: object) -> Scene:
    """The host's page, by way of the password."""
    enter = (
        fill("#password", PASSWORD),
        press("Enter"),
        wait("#host-review h3"),
        wait("#host-alarms :is(ul, p)"),
        wait("#host-voters h3"),
    )
    play = _in_turn(*enter, *then)
    return Scene(f"host{name}", "/login?next=host", "#password", ground, play=play, **{"is_long": True, **more})  # type: ignore[arg-type]


_REFUSED: Mapping[str, tuple[int, str]] = {
    "none-left": (404, "no_ballot_left"),
    "empty": (404, "arena_empty"),
    "no-cookie": (403, "no_cookie"),
    "failing": (503, "unavailable"),
}

SCENES: tuple[Scene, ...] = (
    _arena("loading", ready=state("loading"), set_up=keeps_waiting(BALLOTS)),
    _arena("first-ballot", ground="new"),
    _arena("ballot", play=_in_turn(_VOTED, press("Enter"), wait(state("voting")))),
    _arena("sending", set_up=keeps_waiting(VOTE), play=_in_turn(press("a"), wait(state("sending")))),
    _arena("revealed", play=_VOTED),
    _arena("tie", play=_in_turn(press("t"), wait(state("revealed")))),
    _arena("withdrawn", play=_in_turn(_VOTED, press("u"), wait("#saved.withdrawn"))),
    _arena(
        "withdrawn-before",
        play=_in_turn(_VOTED, press("Enter"), wait(state("voting")), press("u"), wait("#trouble:not([hidden])")),
    ),
    _arena("skip", play=_in_turn(press("s"), wait("#skip-sheet[open]"))),
    _arena("guideline", play=_in_turn(press("g"), wait("#guideline-sheet[open] .body > :nth-child(2)"))),
    _arena("keys", play=_in_turn(press("?"), wait("#keys-sheet[open]")), only="desktop"),
    _arena("mine", play=_in_turn(_VOTED, click("#mine"), wait("#mine-sheet[open] table"))),
    _arena("mine-none", play=_in_turn(click("#mine"), wait("#mine-sheet[open] .body > p:not(:empty)"))),
    _arena(
        "mine-data",
        play=_in_turn(_VOTED, click("#mine"), wait(".own-data button"), scroll_to(".own-data > [role=status]")),
    ),
    _arena("mine-withdraw-all", play=_in_turn(_VOTED, click("#mine"), click(".own-data button"), wait(".sure"))),
    _arena("not-saved", set_up=refuses(VOTE, 503, "not_saved"), play=_in_turn(press("a"), wait("#trouble.bad"))),
    _arena(
        "expired",
        set_up=refuses(VOTE, 410, "ballot_expired"),
        play=_in_turn(press("a"), wait("#trouble:not([hidden])")),
    ),
    _arena(
        "already-voted",
        set_up=refuses(VOTE, 409, "already_voted", kept="B"),
        play=_in_turn(press("a"), wait(state("revealed"))),
    ),
    *(_arena(name, ready=state("notice"), set_up=refuses(BALLOTS, *refusal)) for name, refusal in _REFUSED.items()),
    _arena("crowded", ready=state("notice"), set_up=refuses(BALLOTS, 503, "crowded", seconds="5")),
    _arena("limited", ready=state("notice"), set_up=asks_for_a_pause(BALLOTS)),
    _arena("vote-limited", set_up=asks_for_a_pause(VOTE), play=_in_turn(press("a"), wait("#trouble.bad"))),
    _arena("unreachable", ready=state("notice"), set_up=is_unreachable(BALLOTS)),
    _arena("labels", ground="labels", play=_LABELLING),
    _arena("labels-both-bad", ground="labels", play=_in_turn(press("n"), wait("#labels:not([hidden])"))),
    _arena("thumbs", ground="thumbs"),
    _arena("thumbs-pressed", ground="thumbs", play=_THUMBED),
    _arena("thumbs-revealed", ground="thumbs", play=_in_turn(_THUMBED, _VOTED)),
    _arena("steps", ground="steps"),
    _arena("steps-revealed", ground="steps", play=_in_turn(press("2"), wait(state("revealed")))),
    _arena("asking", ground="asking", ready=state("asking")),
    _arena(
        "asking-unsaved",
        ground="asking",
        ready=state("asking"),
        set_up=refuses(CONSENT, 503, "unavailable", method="POST"),
        play=_in_turn(press("1"), wait("#asking-trouble:not(:empty)")),
    ),
    _arena("asked", ground="asking", ready=state("asking"), play=_in_turn(press("1"), wait(state("voting")))),
    _arena(
        "mine-consent",
        ground="asking",
        ready=state("asking"),
        play=_in_turn(
            press("1"),
            wait(state("voting")),
            _VOTED,
            click("#mine"),
            click(".consent summary"),
            scroll_to(".own-data > .row"),
        ),
    ),
    _arena(
        "consent-needed",
        ready=state("notice"),
        set_up=refuses(BALLOTS, 403, "consent_needed"),
    ),
    _arena("ranked", ground="ranked", play=_in_turn(press("2"), press("1")), is_long=True),
    _arena(
        "ranked-saved",
        ground="ranked",
        play=_in_turn(*(press(key) for key in ("2", "1", "3", "2", "Enter")), wait(state("revealed"))),
    ),
    _arena("greeting", ground="calibrating", ready=state("greeting")),
    _arena(
        "example", ground="calibrating", ready=state("greeting"), play=_in_turn(press("Enter"), wait(state("example")))
    ),
    _arena(
        "judged",
        ground="calibrating",
        ready=state("greeting"),
        play=_in_turn(press("Enter"), wait(state("example")), press("t"), wait(state("judged"))),
    ),
    _board(""),
    _board("-loading", ready="#board-page[data-state=loading]", set_up=keeps_waiting(BOARD), is_long=False),
    _board("-filter", play=_in_turn(click("#picks summary"), wait("#picks details[open]")), is_long=False),
    _board("-method", play=_in_turn(unfold("#method"), unfold("#columns"))),
    _board(
        "-help", play=_in_turn(click(".board button.what"), wait("#help:popover-open")), is_long=False, only="desktop"
    ),
    _board("-style", "/leaderboard?style=on", is_long=False),
    _board("-nobody", "/leaderboard?q=nobody-of-this-name", is_long=False),
    _board("-refused", "/leaderboard?since=yesterday", ready="#board-page[data-state=instead]", is_long=False),
    _board("-none", ground="new", ready="#board-page[data-state=instead]", is_long=False),
    _board("-unreachable", set_up=is_unreachable(BOARD), ready="#board-page[data-state=instead]", is_long=False),
    _study("analysis", "/analysis"),
    _study(
        "analysis-loading",
        "/analysis",
        set_up=keeps_waiting(STUDY),
        ready="#study .bones",
        play=lambda _: None,
        is_long=False,
    ),
    _study(
        "analysis-numbers",
        "/analysis",
        play=_in_turn(read_all, unfold("#duel .numbers details"), unfold("#matrix .numbers details")),
        is_long=False,
    ),
    _study(
        "analysis-samples",
        "/analysis",
        play=_in_turn(click(".sampling button"), wait("article.sample"), unfold("article.sample details")),
    ),
    _study("analysis-none", "/analysis", ground="new", play=lambda _: None, is_long=False),
    _study("analysis-unreachable", "/analysis", set_up=is_unreachable(STUDY), play=lambda _: None, is_long=False),
    _study("model", "/analysis", play=_to_model),
    _study("model-unknown", "/model?id=nobody-of-this-id", play=lambda _: None, is_long=False),
    _study("quality", "/quality"),
    _study(
        "quality-numbers",
        "/quality",
        play=_in_turn(read_all, unfold("#readiness .numbers details"), unfold("#audits .numbers details")),
    ),
    _study(
        "quality-loading",
        "/quality",
        set_up=keeps_waiting(QUALITY),
        ready="#study .bones",
        play=lambda _: None,
        is_long=False,
    ),
    _study("quality-none", "/quality", ground="new", play=lambda _: None, is_long=False),
    _study("quality-unreachable", "/quality", set_up=is_unreachable(QUALITY), play=lambda _: None, is_long=False),
    Scene("login", "/login", "#password", "hosted"),
    Scene(
        "login-wrong",
        "/login",
        "#password",
        "hosted",
        play=_in_turn(fill("#password", "a wrong one"), press("Enter"), wait("#trouble:not([hidden])")),
        set_up=refuses(re.compile(r"/api/login$"), 403, "wrong_password"),
    ),
    Scene("login-silent", "/login?why=silent", "#password", "hosted"),
    Scene("login-none", "/host", "main.state"),
    Scene("login-nowhere", "/nowhere", "main.state"),
    Scene(
        "arena-annotator",
        "/login?next=arena",
        "#with-provider",
        "hosted",
        play=_in_turn(click("#with-provider"), wait(state("voting")), wait(".session button")),
    ),
    _host(""),
    _host("-excluding", fill("#host-review [name=reason]", "always side A, within a second"), is_long=False),
    _host("-decided", ground="decided"),
    Scene("guidelines", "/guidelines", ".reading h1", is_long=True),
    Scene("api", "/api", "main.reading h1", is_long=True),
)
"""In the order of the pages, and of a visit."""
