"""What a voter does beside voting, in a real browser: undo, skip, read the guideline, look at the own votes."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from arena.errors import DatabaseUnavailable
from served import Arena, Serve, in_state, named_in, open_arena

WITHDRAWAL = re.compile(r"/withdrawal$")
SKIP = re.compile(r"/skip$")


def places(page: Page) -> list[float]:
    """Where the texts stand on the page."""
    return page.evaluate("""() => [...document.querySelectorAll('#question, #a .text, #b .text')]
        .map((element) => element.getBoundingClientRect().top)""")


def shown(page: Page) -> list[str]:
    return [page.locator(f"{part} .text").inner_text() for part in ("#a", "#b")]


# ---- undo ----


@pytest.mark.parametrize("keys", ["u", "Control+z", "Meta+z"])
def test_a_vote_is_undone_by_key_right_after_it(desktop: BrowserContext, arena: Arena, keys: str):
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "revealed")
    before = places(page)
    page.keyboard.press(keys)
    expect(page.locator("#saved")).to_have_text("Withdrawn: A is better. It counts no more.")
    expect(page.locator("#undo")).to_be_hidden()
    expect(page.locator("#aside")).to_have_text("0 votes by you · 0 in all")
    expect(page.locator(".won")).to_have_count(0)
    expect(page.locator("#said")).to_have_text("Withdrawn: A is better. It counts no more.")
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    assert places(page) == before
    assert (arena.n_votes, arena.n_acts) == (0, 2)
    page.keyboard.press(keys)  # nothing more to take back
    page.keyboard.press("Enter")
    in_state(page, "voting")
    expect(page.locator("#undo_last")).to_be_hidden()
    assert arena.n_acts == 2


def test_a_vote_is_undone_by_button_on_a_phone(phone: BrowserContext, arena: Arena):
    page = open_arena(phone, arena)
    page.get_by_role("button", name="Tie").tap()
    in_state(page, "revealed")
    undo = page.get_by_role("button", name="Undo")
    box = undo.bounding_box()
    assert box
    assert box["height"] >= 44
    page.wait_for_timeout(400)  # a double tap must not reach what has just appeared
    undo.tap()
    expect(page.locator("#saved")).to_have_text("Withdrawn: Tie. It counts no more.")
    assert arena.n_votes == 0


def test_the_last_vote_can_be_undone_while_the_next_ballot_waits_and_after_a_reload(
    desktop: BrowserContext, arena: Arena
):
    page = open_arena(desktop, arena)
    page.keyboard.press("b")
    in_state(page, "revealed")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    page.reload()
    in_state(page, "voting")
    texts = shown(page)
    page.get_by_role("button", name="Undo last vote").click()
    expect(page.locator("#trouble span")).to_have_text("Your last vote (B is better) is withdrawn and counts no more.")
    expect(page.locator("#undo_last")).to_be_hidden()
    expect(page.locator("#prompt")).to_be_focused()  # and not the top of the page: the button is gone
    assert shown(page) == texts  # the ballot in front of the voter stays
    assert not named_in(page.locator("#pair").inner_text())
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert (arena.n_votes, arena.n_acts) == (1, 3)


@pytest.mark.parametrize("way", ["button", "key after a reload", "failing at first"])
def test_the_last_vote_can_be_undone_when_no_ballot_is_left(desktop: BrowserContext, serve: Serve, way: str):
    arena = serve(n_prompts=1)
    page = open_arena(desktop, arena)
    for _ in range(3):  # six answers to one prompt: three blind pairs
        in_state(page, "voting")
        page.keyboard.press("t")
        in_state(page, "revealed")
        page.keyboard.press("Enter")
    in_state(page, "notice")
    undo = page.get_by_role("button", name="Undo last vote")
    if way == "key after a reload":
        page.reload()
        in_state(page, "notice")
        expect(page.locator("#aside")).to_have_text("3 votes by you · 3 in all")
        expect(undo).to_be_visible()
        page.keyboard.press("u")
    elif way == "button":
        undo.click()
    else:
        desktop.route(WITHDRAWAL, lambda route: route.abort())
        undo.click()
        expect(page.locator("#notice p").first).to_contain_text("your vote may still count")
        desktop.unroute(WITHDRAWAL)
        undo.click()
    told = "Your last vote (Tie) is withdrawn and counts no more."
    expect(page.locator("#notice p").first).to_have_text(told)
    expect(page.locator("#said")).to_have_text(told)
    expect(page.get_by_role("heading", name="All judged")).to_be_visible()
    expect(undo).to_be_hidden()
    expect(page.locator("#notice")).to_be_focused()
    expect(page.locator("#aside")).to_have_text("2 votes by you · 2 in all")
    assert (arena.n_votes, arena.n_acts) == (2, 4)


def test_what_can_be_undone_on_a_ballot_that_another_tab_judged_is_that_vote(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "revealed")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    other = open_arena(desktop, arena)  # on the same second ballot
    other.keyboard.press("n")
    in_state(other, "revealed")
    page.keyboard.press("b")
    expect(page.locator("#saved")).to_contain_text("Your first verdict stays: Both bad.")
    page.keyboard.press("u")
    expect(page.locator("#saved")).to_have_text("Withdrawn: Both bad. It counts no more.")
    assert (arena.n_votes, arena.n_acts) == (1, 3)


def test_an_undo_whose_answer_was_lost_is_done_once(desktop: BrowserContext, arena: Arena):
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    desktop.route(WITHDRAWAL, lose_the_answer)
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "revealed")
    page.keyboard.press("u")
    expect(page.locator("#trouble")).to_contain_text("your vote may still count")
    desktop.unroute(WITHDRAWAL)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#saved")).to_have_text("Withdrawn: A is better. It counts no more.")
    assert arena.n_acts == 2


def test_while_an_undo_is_on_its_way_no_vote_gets_past_it(desktop: BrowserContext, arena: Arena):
    held: list[Route] = []
    desktop.route(WITHDRAWAL, lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "revealed")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    page.keyboard.press("u")
    for key in ("b", "s", "u"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("#trouble")).to_contain_text("is withdrawn")
    expect(page.locator("#skip-sheet")).to_be_hidden()
    assert arena.n_acts == 2


def test_a_vote_in_another_tab_closes_the_way_back(desktop: BrowserContext, arena: Arena):
    first = open_arena(desktop, arena)
    first.keyboard.press("a")
    in_state(first, "revealed")
    second = open_arena(desktop, arena)
    second.keyboard.press("b")
    in_state(second, "revealed")
    first.keyboard.press("u")
    expect(first.locator("#trouble")).to_contain_text("Only the last vote can be withdrawn.")
    expect(first.locator("#undo")).to_be_hidden()
    assert (arena.n_votes, arena.n_acts) == (2, 2)


# ---- skip ----


def test_a_ballot_is_skipped_by_keys_and_nobody_is_revealed(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    texts = shown(page)
    page.keyboard.press("s")
    expect(page.get_by_role("dialog", name="Why do you skip this pair?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#skip-sheet")).to_be_hidden()
    assert shown(page) == texts
    page.keyboard.press("s")
    for key in ("a", "t", "5"):  # no vote from behind the dialog, and no fifth reason
        page.keyboard.press(key)
    page.keyboard.press("3")
    expect(page.locator("#trouble span")).to_have_text("Skipped. Nobody was revealed.")
    in_state(page, "voting")
    assert shown(page) != texts
    assert not named_in(page.content())
    assert arena.n_acts == 0
    with arena.store._database.read() as cursor:
        assert cursor.execute("select reason from skips").fetchall() == [("broken",)]


def test_a_ballot_is_skipped_by_touch(phone: BrowserContext, arena: Arena):
    page = open_arena(phone, arena)
    page.get_by_role("button", name="Skip").tap()
    chips = page.locator("#reasons button")
    assert all((box := chip.bounding_box()) and box["height"] >= 44 for chip in chips.all())
    page.get_by_role("button", name="I cannot judge this topic").tap()
    expect(page.locator("#trouble span")).to_have_text("Skipped. Nobody was revealed.")


def test_a_skip_that_failed_says_so_and_can_be_tried_again(desktop: BrowserContext, arena: Arena):
    desktop.route(SKIP, lambda route: route.abort())
    page = open_arena(desktop, arena)
    texts = shown(page)
    page.keyboard.press("s")
    page.keyboard.press("4")
    expect(page.locator("#trouble")).to_contain_text("may not be skipped yet")
    assert shown(page) == texts
    desktop.unroute(SKIP)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#trouble span")).to_have_text("Skipped. Nobody was revealed.")


def test_who_skips_everything_is_told_that_nothing_is_left(desktop: BrowserContext, serve: Serve):
    page = open_arena(desktop, serve(n_prompts=1))
    for _ in range(15):  # six answers to one prompt: 15 pairs, none of them revealed
        in_state(page, "voting")
        page.keyboard.press("s")
        page.keyboard.press("1")
        page.wait_for_function("document.querySelector('#arena').dataset.state !== 'sending'")
    expect(page.get_by_role("heading", name="All judged")).to_be_visible()


def test_an_arena_without_skip_and_undo_shows_neither(desktop: BrowserContext, serve: Serve):
    arena = serve(rules="[ballot]\nskip = false\nundo = false\n")
    page = open_arena(desktop, arena)
    for key in ("s", "u"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Skip")).to_have_count(0)
    page.keyboard.press("a")
    in_state(page, "revealed")
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    page.get_by_role("button", name="Keys").click()
    expect(page.locator("#keys-sheet")).not_to_contain_text("Undo")
    assert (arena.n_votes, arena.n_acts) == (1, 1)


# ---- after the vote ----


def test_how_others_voted_stands_under_what_was_saved(desktop: BrowserContext, serve: Serve):
    arena = serve(rules="[ballot]\nshow_others_from = 1\n", n_prompts=1)
    arena.crowd(30)
    arena.compute_board()
    page = open_arena(desktop, arena)
    before = places(page)
    page.keyboard.press("a")
    in_state(page, "revealed")
    expect(page.locator("#others")).to_have_text(
        re.compile(r"^\d+ votes? by others on these two: A 0%, B 0%, neither 100%\.$")
    )
    assert places(page) == before


# ---- over the page ----


def test_the_guideline_lies_over_the_ballot_and_goes_away_again(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    texts = shown(page)
    page.keyboard.press("g")
    sheet = page.get_by_role("dialog", name="Guideline")
    expect(sheet).to_contain_text("Version 3")
    expect(sheet.get_by_role("heading", name="What better means")).to_be_visible()
    for key in ("a", "b", "t", "n", "s", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    assert shown(page) == texts
    assert arena.n_acts == 0
    page.get_by_role("button", name="Guideline", exact=False).first.click()
    expect(sheet).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#guideline")).to_be_focused()


def test_an_arena_without_a_guideline_says_what_to_do(desktop: BrowserContext, serve: Serve):
    page = open_arena(desktop, serve(guideline_text=None, guideline_version=None))
    page.keyboard.press("g")
    expect(page.get_by_role("dialog", name="Guideline")).to_contain_text("has not written a guideline")


def test_the_keys_are_told_at_a_key(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("Left and right vote, unless an answer or the prompt has the focus")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_keys_of_letters_can_be_switched_off_for_good_and_on_again(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.keyboard.press("?")
    switch = page.get_by_role("switch", name="Letter keys")
    expect(switch).to_be_checked()
    switch.click()
    page.keyboard.press("Escape")
    for _ in range(2):
        for key in ("a", "B", "t", "n", "s", "u", "g", "l", "m", "?"):
            page.keyboard.press(key)
        page.wait_for_timeout(200)
        assert page.locator("#arena").get_attribute("data-state") == "voting"
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator("#together")).to_have_attribute("aria-pressed", "false")
        expect(page.locator("#verdicts kbd, #tools kbd").filter(visible=True)).to_have_count(0)
        page.reload()
        in_state(page, "voting")
    assert arena.n_acts == 0
    page.locator("#skip").click()
    page.keyboard.press("1")
    expect(page.locator("#skip-sheet")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")  # writes nothing, so nobody says it unmeant
    in_state(page, "revealed")
    page.keyboard.press("Control+z")
    expect(page.locator("#saved")).to_contain_text("Withdrawn")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    page.get_by_role("button", name="Keys").click()
    expect(switch).not_to_be_checked()
    switch.press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")


def test_a_browser_that_keeps_nothing_switches_letters_off_for_the_page(desktop: BrowserContext, arena: Arena):
    desktop.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    page = open_arena(desktop, arena)
    page.keyboard.press("?")
    page.get_by_role("switch", name="Letter keys").click()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_narrow_window_with_a_mouse_has_the_keys_and_a_telephone_does_not(
    browser: Browser, phone: BrowserContext, unchanged_arena: Arena
):
    expect(open_arena(phone, unchanged_arena).locator("#keys")).to_be_hidden()
    narrow = browser.new_context(viewport={"width": 390, "height": 844})  # as a large window is at four times the size
    expect(open_arena(narrow, unchanged_arena).locator("#keys")).to_be_visible()
    narrow.close()


def test_the_counter_opens_the_own_votes(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.keyboard.press("m")
    sheet = page.get_by_role("dialog", name="Your votes")
    expect(sheet).to_contain_text("You have not voted yet.")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    in_state(page, "revealed")
    name = page.locator("#a .name").inner_text()
    page.locator("#aside button").click()
    expect(sheet.locator("tbody tr")).to_have_count(2)
    expect(sheet.locator("tbody tr").first).to_contain_text(name)
    expect(sheet.locator("tbody tr").first).to_contain_text("100%")
    expect(sheet).to_contain_text("From your 1 vote alone")
    expect(sheet.locator(".recent li")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(page.locator("#saved")).to_contain_text("Withdrawn")
    page.keyboard.press("m")
    expect(sheet.locator(".recent li")).to_contain_text("withdrawn")
    expect(sheet.locator("table")).to_have_count(0)


def test_own_votes_that_cannot_be_read_are_said(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    arena.booth.counting_fault = DatabaseUnavailable("cannot read")
    page.route("**/api/me", lambda route: route.abort())
    page.keyboard.press("m")
    expect(page.get_by_role("dialog", name="Your votes")).to_contain_text("cannot be reached")


def test_on_a_phone_the_sheets_fit(phone: BrowserContext, arena: Arena):
    page = open_arena(phone, arena)
    page.get_by_role("button", name="A is better").tap()
    in_state(page, "revealed")
    for opener in ("#guideline", "#mine"):
        page.locator(opener).tap()
        sheet = page.locator("dialog[open]")
        expect(sheet).to_be_visible()
        page.wait_for_timeout(200)
        box = sheet.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844.5
        page.locator("dialog[open] .close").tap()


# ---- keys and reading ----


@pytest.mark.parametrize(("key", "saved"), [("ArrowLeft", "A is better"), ("ArrowRight", "B is better")])
def test_left_and_right_vote(desktop: BrowserContext, arena: Arena, key: str, saved: str):
    page = open_arena(desktop, arena)
    page.keyboard.press(key)
    expect(page.locator("#saved")).to_have_text(f"✓ Saved: {saved}.")


def test_arrows_in_an_answer_scroll_and_do_not_vote(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.evaluate("document.querySelector('#a .text').innerHTML = '<p>A line.</p>'.repeat(200)")
    page.locator("#a .text").focus()
    for key in ("ArrowLeft", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    page.wait_for_function("document.querySelector('#a .text').scrollTop > 0")
    page.locator("body").press("ArrowDown")
    page.wait_for_timeout(200)
    assert page.locator("#arena").get_attribute("data-state") == "voting"
    assert arena.n_acts == 0


def test_long_answers_scroll_together_if_the_voter_wants_and_for_this_visit(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    lengthen = """() => { for (const [side, n] of [['a', 200], ['b', 100]])
        document.querySelector(`#${side} .text`).innerHTML = '<p>A line.</p>'.repeat(n) }"""
    parts = """() => ['a', 'b'].map((side) => document.querySelector(`#${side} .text`))
        .map((text) => text.scrollTop / (text.scrollHeight - text.clientHeight))"""
    half = "() => { const text = document.querySelector('#a .text'); text.scrollTop = text.scrollHeight / 2 }"
    page.evaluate(lengthen)
    page.evaluate(half)
    page.wait_for_timeout(150)
    assert page.evaluate(parts)[1] == 0
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Scroll together")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(150)
    a, b = page.evaluate(parts)
    assert a > 0.4
    assert abs(a - b) < 0.02
    page.reload()
    in_state(page, "voting")
    expect(page.get_by_role("button", name="Scroll together")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("localStorage.length") == 0
    page.get_by_role("button", name="Scroll together").click()
    expect(page.get_by_role("button", name="Scroll together")).to_have_attribute("aria-pressed", "false")


def test_code_is_copied_with_its_button(desktop: BrowserContext, serve: Serve):
    arena = serve(n_prompts=1)
    desktop.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_arena(desktop, arena)
    while not page.locator("#pair .copy").count():
        page.keyboard.press("s")
        page.keyboard.press("1")
        page.wait_for_function("document.querySelector('#arena').dataset.state === 'voting'")
        page.wait_for_timeout(100)
    button = page.locator("#pair .copy").first
    button.click()
    expect(button).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("sisters = brothers * sisters_each")
    expect(button).to_have_text("Copy", timeout=5000)
