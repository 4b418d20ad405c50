"""The pages for everybody: axe-core on every page and state, and what only trying can tell (keys, focus, zoom)."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Literal, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from arena.pack import read_pack, starter_directory
from arena.ui.texts import LANGUAGES
from scene import SCENES, Scene, press, state
from stage import Stage, staged

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
Size = Literal["desktop", "phone"]
SIZES: dict[Size, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}
SEVERE = {"serious", "critical"}
CONTRAST = {"runOnly": ["color-contrast"]}


class Visit(Protocol):
    """Open a scene as a new visitor, by its name; `settings` are those of the browser's context."""

    def __call__(self, name: str, **settings: Any) -> Page: ...


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """The arenas that all tests here share: each visitor is a new one."""
    with staged() as served:
        yield served


@pytest.fixture
def visit(browser: Browser, stage: Stage) -> Iterator[Visit]:
    contexts: list[BrowserContext] = []

    def opened(name: str, **settings: Any) -> Page:
        scene = next(scene for scene in SCENES if scene.name == name)
        settings.setdefault("viewport", DESKTOP)
        context = browser.new_context(**settings)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        scene.open(page, stage.url(scene.ground))
        return page

    yield opened
    for context in contexts:
        context.close()


def focused(page: Page) -> str:
    """What has the focus: its id, or else what it is."""
    return page.evaluate(
        """(() => {
          const at = document.activeElement;
          return at.id || at.dataset.verdict || at.closest("article[id]")?.id || at.className || `<${at.tagName}>`;
        })()"""
    )


def has_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


# ---- axe-core ----


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_axe_finds_no_serious_fault(visit: Visit, scene: Scene):
    """At both sizes all rules; in the dark only colours can differ."""
    page = visit(scene.name, reduced_motion="reduce", viewport=SIZES[scene.only or "desktop"])
    found = []
    sizes: list[Size] = [scene.only] if scene.only else ["desktop", "phone"]
    for size, is_dark in product(sizes, (False, True)):
        page.set_viewport_size(SIZES[size])
        scheme = "dark" if is_dark else "light"
        page.emulate_media(color_scheme=scheme)
        options = CONTRAST if is_dark else None
        found += [
            f"{size}, {scheme}: {fault['id']} ({fault['impact']}) at {node['target']}: {node['failureSummary']}"
            for fault in Axe().run(page, options=options).response["violations"]
            if fault["impact"] in SEVERE
            for node in fault["nodes"]
        ]
    assert not found, "\n".join(found)


# ---- keys and focus ----


def test_tab_goes_through_a_ballot_in_the_order_in_which_it_is_read(visit: Visit):
    page = visit("arena-first-ballot")
    stations = ("mine", "guideline", "a", "b", "A", "tie", "both_bad", "skip", "B")
    met = []
    for _ in range(40):
        page.keyboard.press("Tab")
        if (at := focused(page)) in stations:
            met.append(at)
        if at == stations[-1]:
            break
    assert tuple(dict.fromkeys(met)) == stations


def test_a_vote_its_undo_and_a_skip_are_cast_by_tab_and_enter_alone_and_the_focus_is_never_lost(visit: Visit):
    page = visit("arena-first-ballot")

    def go_to(name: str) -> None:
        for _ in range(40):
            if focused(page) == name:
                return
            page.keyboard.press("Tab")
        pytest.fail(f"Tab never came to {name}, but stays at {focused(page)}")

    go_to("tie")
    page.keyboard.press("Enter")
    page.wait_for_selector(state("revealed"))
    assert focused(page) == "next"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "undo"
    page.keyboard.press("Enter")
    page.wait_for_selector("#saved.withdrawn")
    assert focused(page) == "next"
    page.keyboard.press("Enter")
    page.wait_for_selector(state("voting"))
    assert focused(page) == "prompt"
    go_to("skip")
    page.keyboard.press("Enter")
    page.wait_for_selector("#skip-sheet[open]")
    page.keyboard.press("Enter")  # the first reason has the focus
    expect(page.locator("#said")).to_contain_text("Skipped")
    page.wait_for_selector(state("voting"))
    assert focused(page) == "prompt"


@pytest.mark.parametrize(("key", "sheet"), [("s", "skip"), ("g", "guideline"), ("?", "keys"), ("m", "mine")])
def test_the_focus_goes_into_a_dialog_stays_there_and_comes_back(visit: Visit, key: str, sheet: str):
    page = visit("arena-first-ballot")
    page.locator(f"#{sheet}").focus()
    page.keyboard.press(key)
    page.wait_for_selector(f"#{sheet}-sheet[open]")
    for _ in range(12):
        inside = page.evaluate("document.activeElement.closest('dialog')?.id ?? document.activeElement.tagName")
        assert inside in (f"{sheet}-sheet", "BODY")  # BODY: the browser's own buttons have it
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert focused(page) == sheet


@pytest.mark.parametrize(
    "name", ["arena-first-ballot", "arena-labels", "leaderboard", "analysis", "quality", "guidelines"]
)
def test_whatever_can_be_pressed_can_be_reached_by_tab(visit: Visit, name: str):
    page = visit(name)
    unreached = page.evaluate(
        """(() => {
          const kinds = "a[href], button, input, textarea, select, summary, [role=button], [onclick]";
          return [...document.querySelectorAll(kinds)]
            .filter((each) => each.checkVisibility() && each.tabIndex < 0 && !each.disabled)
            .map((each) => each.outerHTML.slice(0, 120));
        })()"""
    )
    assert unreached == []


def test_the_focus_is_always_seen(visit: Visit):
    for name in ("arena-first-ballot", "leaderboard"):
        page = visit(name)
        for _ in range(14):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 160)")


# ---- what is said, and in which language ----


def test_saved_withdrawn_and_next_are_said_aloud(visit: Visit):
    page = visit("arena-first-ballot")
    said = page.locator("[role=status][aria-live=polite]#said")
    press("a")(page)
    expect(said).to_contain_text("Saved: A is better. Answer A was ")
    press("u")(page)
    expect(said).to_have_text("Withdrawn: A is better. It counts no more.")
    press("Enter")(page)
    expect(said).to_have_text("Next ballot.")


@pytest.mark.parametrize(
    "name",
    [
        "arena-first-ballot",
        "arena-revealed",
        "arena-labels",
        "leaderboard",
        "analysis",
        "model",
        "quality",
        "guidelines",
        "api",
    ],
)
def test_the_headings_form_an_outline_below_one_title(visit: Visit, name: str):
    page = visit(name)
    levels = page.evaluate(
        """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
          .filter((each) => each.checkVisibility() && !each.closest("#arena .text"))
          .map((each) => Number(each.tagName[1]))"""
    )
    assert levels.count(1) == 1, levels
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False)), levels


@pytest.mark.parametrize(("wanted", "language"), [*((each, each) for each in LANGUAGES), ("it", "en")])
def test_the_page_says_its_language_and_each_text_its_own(visit: Visit, wanted: str, language: str):
    page = visit("arena-first-ballot", locale=wanted)
    assert page.locator("html").get_attribute("lang") == language
    languages = {prompt.language for prompt in read_pack(starter_directory()).prompts}
    assert page.locator("#a .text").get_attribute("lang") in languages


# ---- zoom, motion and touch ----


@pytest.mark.parametrize(
    "name", ["arena-first-ballot", "arena-labels", "leaderboard", "analysis", "model", "quality", "guidelines", "api"]
)
def test_at_twice_the_size_nothing_scrolls_sideways(visit: Visit, name: str):
    page = visit(name, viewport={"width": 720, "height": 450}, device_scale_factor=2)
    assert not has_sideways_scroll(page)
    if name == "arena-first-ballot":
        for side in ("A", "B"):  # and the verdict stays in reach
            expect(page.locator(f"[data-verdict={side}]")).to_be_in_viewport()


def test_on_a_tablet_no_name_is_broken_and_no_column_cut(visit: Visit):
    page = visit("leaderboard", viewport={"width": 820, "height": 1180})
    assert page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('#table .scroll'))"
    )
    lines = page.evaluate(
        "[...document.querySelectorAll('.board .model a')].map((each) => each.getClientRects().length)"
    )
    assert set(lines) == {1}


@pytest.mark.parametrize("name", ["arena-labels", "arena-labels-both-bad"])
def test_on_a_phone_the_labels_leave_half_of_the_window_to_the_answers(visit: Visit, name: str):
    page = visit(name, viewport=PHONE, has_touch=True, is_mobile=True)
    assert page.locator("#bar").evaluate("(bar) => bar.offsetHeight") <= PHONE["height"] / 2


def test_a_heat_map_fades_where_it_goes_on(visit: Visit):
    page = visit("analysis", viewport={"width": 270, "height": 844})
    heat = page.locator(".heat")
    expect(heat).to_have_class("scroll heat more")
    heat.evaluate("(map) => map.scrollTo(map.scrollWidth, 0)")
    expect(heat).to_have_class("scroll heat")


def test_who_wants_no_motion_gets_none(visit: Visit):
    for name in ("arena-revealed", "leaderboard", "analysis"):
        page = visit(name, reduced_motion="reduce")
        moving = page.evaluate(
            """[...document.querySelectorAll("body *")].filter((each) => {
              const { transitionDuration, animationName } = getComputedStyle(each);
              return animationName !== "none" || transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
            }).map((each) => each.outerHTML.slice(0, 120))"""
        )
        assert moving == []


@pytest.mark.parametrize(
    "name",
    [
        "arena-first-ballot",
        "arena-revealed",
        "arena-labels",
        "arena-steps",
        "arena-skip",
        "leaderboard",
        "leaderboard-filter",
        "analysis",
        "model",
        "quality",
    ],
)
def test_on_a_phone_what_is_pressed_is_large_enough(visit: Visit, name: str):
    """24 by 24 pixels (WCAG 2.2, 2.5.8), but for links in the flow of a sentence and boxes whose label is pressed."""
    page = visit(name, viewport=PHONE, has_touch=True, is_mobile=True)
    small = page.evaluate(
        """(() => {
          const all = document.querySelectorAll("a[href], button, input, textarea, select, summary");
          const isExcused = (each) => each.closest("label") || (each.tagName === "A" && each.closest("p, li, td"));
          return [...all].filter((each) => each.checkVisibility() && !isExcused(each))
            .map((each) => [each.getBoundingClientRect(), each])
            .filter(([{ width, height }]) => width > 0 && (width < 24 || height < 24))
            .map(([{ width, height }, each]) => `${width} x ${height} ${each.outerHTML.slice(0, 120)}`);
        })()"""
    )
    assert small == []
