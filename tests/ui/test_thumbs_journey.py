"""A thumb on each answer, in a real browser: by key, by touch, by Tab, and taken back in every way."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from test_calibration_page import GUIDELINE, RULES, TEXT
from test_labels_api import EVERYTHING, THUMBS, stored

from arena.ui.texts import LANGUAGES, texts
from served import Arena, Serve, in_state, open_arena


@pytest.fixture
def arena(serve: Serve) -> Arena:
    return serve(rules=THUMBS)


def thumb(page: Page, side: str, way: str) -> Locator:
    return page.get_by_role("button", name=f"Answer {side}: thumb {way}")


def pressed(page: Page) -> list[str]:
    return page.locator('.thumb[aria-pressed="true"]').evaluate_all("(all) => all.map((each) => each.ariaLabel)")


def said(arena: Arena) -> list[Any]:
    return [None if vote["ratings"] is None else json.loads(vote["ratings"])["thumbs"] for vote in stored(arena)]


def next_ballot(page: Page) -> None:
    page.keyboard.press("Enter")
    in_state(page, "voting")


def test_thumbs_by_key_go_with_a_vote_of_one_key(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    assert pressed(page) == []
    page.keyboard.press("q")
    expect(page.locator("#said")).to_have_text("Answer A: thumb up")
    page.keyboard.press("w")  # the other one instead
    page.keyboard.press("o")
    assert pressed(page) == ["Answer A: thumb down", "Answer B: thumb up"]
    page.keyboard.press("o")
    expect(page.locator("#said")).to_have_text("Answer B: thumb up, taken back")
    page.keyboard.press("p")
    assert pressed(page) == ["Answer A: thumb down", "Answer B: thumb down"]
    assert arena.n_acts == 0
    page.keyboard.press("t")
    expect(page.locator("#saved")).to_have_text("✓ Saved: Tie.")
    assert said(arena) == [{"A": "down", "B": "down"}]
    page.keyboard.press("q")  # it is said
    assert pressed(page) == ["Answer A: thumb down", "Answer B: thumb down"]
    expect(thumb(page, "A", "up")).to_have_attribute("aria-disabled", "true")
    next_ballot(page)
    assert pressed(page) == []
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert said(arena) == [{"A": "down", "B": "down"}, None]
    assert arena.store.log.broken_links() == []


def test_the_undo_of_a_vote_takes_its_thumbs_along(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.keyboard.press("q")
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert pressed(page) == ["Answer A: thumb up"]
    page.keyboard.press("u")
    expect(page.locator("#saved")).to_contain_text("Withdrawn")
    assert pressed(page) == []
    assert (arena.n_votes, arena.n_acts) == (0, 2)
    next_ballot(page)
    assert pressed(page) == []


def test_tab_and_space_reach_them_after_the_text_they_are_about(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.locator("#a .text").focus()
    page.keyboard.press("Tab")
    expect(thumb(page, "A", "up")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(thumb(page, "A", "down")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    expect(thumb(page, "A", "down")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(thumb(page, "B", "up")).to_be_focused()
    page.keyboard.press("b")  # from here too a letter is a verdict
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    assert said(arena) == [{"A": "down"}]


def test_on_a_phone_a_thumb_is_large_enough_and_nothing_is_wider_than_the_page(phone: BrowserContext, arena: Arena):
    page = open_arena(phone, arena)
    thumb(page, "A", "up").tap()
    thumb(page, "B", "up").tap()
    thumb(page, "B", "down").tap()
    assert pressed(page) == ["Answer A: thumb up", "Answer B: thumb down"]
    sizes = page.locator(".thumb").evaluate_all("(all) => all.map((each) => [each.offsetWidth, each.offsetHeight])")
    assert all(width >= 44 <= height for width, height in sizes)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.get_by_role("button", name="Both bad").tap()
    expect(page.locator("#saved")).to_have_text("✓ Saved: Both bad.")
    assert said(arena) == [{"A": "up", "B": "down"}]


@pytest.mark.parametrize("scale", ["much-slightly", "8-steps"])
def test_with_every_label_on_a_phone_leaves_the_answers_in_view_and_thumbs_in_reach(
    phone: BrowserContext, serve: Serve, scale: str
):
    arena = serve(rules=EVERYTHING.replace("much-slightly", scale))
    page = open_arena(phone, arena)
    page.locator("#verdicts .b").last.tap()
    in_state(page, "labelling")
    page.wait_for_timeout(400)
    bar = page.locator("#bar").bounding_box()
    assert bar
    assert bar["y"] >= 844 / 3
    fields = page.locator("#labels .fields")
    expect(fields).to_have_class("fields continued")  # that there is more below is to be seen
    page.locator("#comment").scroll_into_view_if_needed()
    fields.evaluate("each => { each.scrollTop = each.scrollHeight; }")
    expect(fields).to_have_class("fields")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_timeout(200)
    below = thumb(page, "B", "up").bounding_box()
    assert below
    assert below["y"] + below["height"] < bar["y"]
    thumb(page, "B", "up").tap()
    page.get_by_role("button", name="Save vote").tap()
    in_state(page, "revealed")
    assert said(arena) == [{"B": "up"}]


def test_from_a_choice_in_the_panel_a_letter_is_a_thumb_and_in_the_comment_a_letter(
    desktop: BrowserContext, serve: Serve
):
    arena = serve(rules=THUMBS + "comment = true\nconfidence = true\n")
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "labelling")
    page.locator("[name=confidence]").first.focus()
    page.keyboard.press("q")
    assert pressed(page) == ["Answer A: thumb up"]
    page.locator("#comment").focus()
    page.keyboard.type("pow")
    assert pressed(page) == ["Answer A: thumb up"]
    page.keyboard.press("Control+Enter")
    in_state(page, "revealed")
    assert said(arena) == [{"A": "up"}]


def test_letters_that_are_switched_off_press_no_thumb(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.evaluate("bakeoff.letters.setOff(true)")
    page.keyboard.press("q")
    assert pressed(page) == []
    expect(page.locator(".thumb kbd").first).to_be_hidden()
    thumb(page, "A", "up").click()
    assert pressed(page) == ["Answer A: thumb up"]


def test_a_vote_that_was_not_saved_keeps_its_thumbs(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    arena.booth.fail_to_save()
    page.keyboard.press("o")
    page.keyboard.press("b")
    expect(page.locator("#trouble")).to_contain_text("not saved")
    assert pressed(page) == ["Answer B: thumb up"]
    arena.booth.fault = None
    page.keyboard.press("q")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    assert said(arena) == [{"A": "up", "B": "up"}]


def test_what_another_tab_has_voted_on_shows_no_thumb_that_was_not_saved(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.keyboard.press("q")
    other = open_arena(desktop, arena)
    other.keyboard.press("b")
    in_state(other, "revealed")
    other.close()
    page.keyboard.press("a")
    expect(page.locator("#saved")).to_contain_text("already judged")
    assert pressed(page) == []
    assert said(arena) == [None]


def test_a_worked_example_has_no_thumbs(desktop: BrowserContext, serve: Serve):
    page = desktop.new_page()
    page.goto(serve(rules=RULES + THUMBS, guideline=GUIDELINE, guideline_text=TEXT).url)
    in_state(page, "greeting")
    page.keyboard.press("Enter")
    in_state(page, "example")
    expect(page.locator(".thumbs").filter(visible=True)).to_have_count(0)
    page.keyboard.press("q")
    assert pressed(page) == []
    page.keyboard.press("?")
    of_thumbs = page.locator("#keys-sheet dd").filter(has_text="Thumb up or down")
    expect(of_thumbs.filter(visible=True)).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Skip the examples").click()
    in_state(page, "voting")
    expect(page.locator(".thumbs").filter(visible=True)).to_have_count(2)
    page.keyboard.press("?")
    expect(of_thumbs.filter(visible=True)).to_have_count(2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_thumb_has_a_name_of_its_own_in_every_language(browser: Any, arena: Arena, language: str):
    context = browser.new_context(locale=language)
    page = open_arena(context, arena)
    words = texts(language)
    names = [words[f"thumbs.{side}.{way}"] for side in "AB" for way in ("up", "down")]
    assert len(set(names)) == 4
    for name in names:
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(1)
    expect(page.get_by_role("group", name=words["thumbs.ask"], exact=True)).to_have_count(2)
    context.close()
