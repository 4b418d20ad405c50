"""What a person does in a real browser, on the real application."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, Route, expect

from served import Arena, Serve, in_state, named_in, open_arena

API = re.compile(r"/api/ballots")
VOTE = re.compile(r"/vote$")


def verdict_button(page: Page, name: str):
    return page.get_by_role("button", name=name)


def has_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def vote_and_go_on(page: Page, key: str = "a") -> None:
    page.keyboard.press(key)
    in_state(page, "revealed")
    page.keyboard.press("Enter")


# ---- voting ----


def test_a_vote_by_mouse(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    expect(page.locator("#aside")).to_have_text("0 votes by you · 0 in all")
    page.get_by_role("button", name="B is better").click()
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    assert arena.n_votes == 1
    expect(page.locator("#aside")).to_have_text("1 vote by you · 1 in all")
    expect(page.locator("#b")).to_have_class(re.compile("won"))
    expect(page.locator("#a")).not_to_have_class(re.compile("won"))
    for side in ("#a", "#b"):
        assert named_in(page.locator(f"{side} .name").inner_text())
        expect(page.locator(f"{side} .score")).to_have_text("not rated yet")
    first = page.locator("#question").inner_text(), page.locator("#a .text").inner_text()
    page.get_by_role("button", name="Next").click()
    in_state(page, "voting")
    assert (page.locator("#question").inner_text(), page.locator("#a .text").inner_text()) != first
    expect(page.locator("#a .name")).to_be_empty()
    expect(page.locator(".won")).to_have_count(0)


@pytest.mark.parametrize(
    ("key", "saved"), [("a", "A is better"), ("B", "B is better"), ("t", "Tie"), ("n", "Both bad")]
)
def test_a_vote_by_key(desktop: BrowserContext, arena: Arena, key: str, saved: str):
    page = open_arena(desktop, arena)
    page.keyboard.insert_text("")  # nothing is focused
    page.keyboard.press("CapsLock")
    page.keyboard.press(key if key.islower() else key.lower())
    expect(page.locator("#saved")).to_have_text(f"✓ Saved: {saved}.")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    page.keyboard.press("t")
    in_state(page, "revealed")
    assert arena.n_votes == 2


def test_keys_with_modifiers_or_in_fields_do_nothing(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    for keys in ("Control+a", "Alt+b", "Meta+n", "Shift+t", "x", "Enter"):
        page.keyboard.press(keys)
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'field' }))")
    page.locator("#field").press("a")
    page.wait_for_timeout(200)
    assert page.locator("#arena").get_attribute("data-state") == "voting"
    assert arena.n_votes == 0


def test_while_a_vote_is_on_its_way_nothing_else_is_taken(desktop: BrowserContext, arena: Arena):
    held: list[Route] = []
    desktop.route(VOTE, lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "sending")
    for key in ("b", "t", "n", "Enter"):
        page.keyboard.press(key)
    verdict_button(page, "B is better").dispatch_event("click")
    page.wait_for_timeout(200)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("#saved")).to_have_text("✓ Saved: A is better.")


def test_a_double_click_votes_once_and_skips_nothing(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.get_by_role("button", name="B is better").dblclick()  # Next appears where this button was
    in_state(page, "revealed")
    page.wait_for_timeout(600)
    assert page.locator("#arena").get_attribute("data-state") == "revealed"
    page.get_by_role("button", name="Next").dblclick()
    in_state(page, "voting")
    page.wait_for_timeout(600)
    assert arena.n_votes == 1


def test_the_next_ballot_is_opened_when_it_is_asked_for_and_not_while_names_are_read(
    desktop: BrowserContext, arena: Arena
):
    page = open_arena(desktop, arena)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("a")
    in_state(page, "revealed")
    page.wait_for_timeout(400)
    assert [url for url in asked if url.endswith("/api/ballots")] == []
    page.keyboard.press("Enter")
    in_state(page, "voting")
    assert len([url for url in asked if url.endswith("/api/ballots")]) == 1


def test_scores_and_ranks_stand_with_the_names_once_there_is_a_board(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    arena.crowd(12)
    arena.compute_board()
    page.keyboard.press("t")
    in_state(page, "revealed")
    for side in ("#a", "#b"):
        expect(page.locator(f"{side} .score")).to_have_text(
            re.compile(r"^[\d,]+( \([\d,-]+ to [\d,]+\))? · rank \d(–\d)?$")
        )


def test_what_happened_is_said_aloud(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    said = page.locator("#said")
    page.keyboard.press("a")
    expect(said).to_have_text(re.compile(r"^Saved: A is better\. Answer A was .+, not rated yet\. Answer B was .+\.$"))
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(said).to_have_text("Next ballot.")
    expect(page.locator("#prompt")).to_be_focused()


def test_a_reload_keeps_the_ballot(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    before = page.locator("#arena").inner_text()
    page.reload()
    in_state(page, "voting")
    assert page.locator("#arena").inner_text() == before


def test_the_whole_arena_can_be_judged(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    for _ in range(9):  # six answers to each of three prompts: nine blind pairs
        in_state(page, "voting")
        vote_and_go_on(page)
    expect(page.get_by_role("heading", name="All judged")).to_be_visible()
    expect(page.locator("#bar")).to_be_hidden()
    assert arena.n_votes == 9
    page.get_by_role("link", name="See the leaderboard").click()
    expect(page.locator(".board")).to_be_visible()


# ---- what does not work out ----


def test_a_vote_that_was_not_saved_can_be_sent_again(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    arena.booth.fail_to_save()
    page.keyboard.press("b")
    expect(page.locator("#trouble")).to_contain_text("Your vote was not saved.")
    expect(page.get_by_role("button", name="A is better")).to_be_visible()
    expect(page.locator("#saved")).to_be_hidden()
    assert not named_in(page.content())
    arena.booth.fault = None
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    expect(page.locator("#trouble")).to_be_hidden()
    assert arena.n_votes == 1


def test_a_vote_whose_answer_was_lost_counts_once(desktop: BrowserContext, arena: Arena):
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    # Before the page opens: Chromium may let the first request of an open page past a new route.
    desktop.route(VOTE, lose_the_answer)
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    expect(page.locator("#trouble")).to_contain_text("may not be saved")
    desktop.unroute(VOTE)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#saved")).to_have_text("✓ Saved: A is better.")
    assert arena.n_votes == 1


def test_who_is_asked_for_a_pause_is_told_how_long_and_loses_nothing(desktop: BrowserContext, arena: Arena):
    # What stands before the server refuses in a format of its own.
    pause = {"status": 429, "headers": {"Retry-After": "20"}, "content_type": "text/html", "body": "<h1>Slow down</h1>"}
    desktop.route(VOTE, lambda route: route.fulfill(**pause))  # type: ignore[arg-type]
    page = open_arena(desktop, arena)
    page.keyboard.press("b")
    expect(page.locator("#trouble")).to_contain_text("Too many requests came from here in a short time.")
    expect(page.locator("#trouble")).to_contain_text("try again in 20 s")
    desktop.unroute(VOTE)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    assert arena.n_votes == 1


def test_a_server_that_cannot_be_reached_is_asked_again(desktop: BrowserContext, arena: Arena):
    page = desktop.new_page()
    page.route(API, lambda route: route.abort())
    page.goto(arena.url)
    expect(page.get_by_role("heading", name="The arena does not answer")).to_be_visible()
    page.unroute(API)
    page.get_by_role("button", name="Try again").click()
    in_state(page, "voting")


def test_a_server_that_fails_says_nothing_of_why(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    arena.booth.fault = RuntimeError("upstream 404: quillon-9b")
    page.keyboard.press("a")
    expect(page.locator("#trouble")).to_contain_text("Something went wrong on the server")
    assert not named_in(page.content())


def test_an_expired_ballot_brings_the_next_one(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    arena.clock.now = arena.clock.now.replace(year=2027)
    page.keyboard.press("a")
    expect(page.locator("#trouble")).to_have_text(re.compile("open for too long and has been closed"))
    in_state(page, "voting")
    assert arena.n_votes == 0
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert arena.n_votes == 1


def test_a_second_tab_is_told_that_the_first_one_voted(desktop: BrowserContext, arena: Arena):
    first, second = open_arena(desktop, arena), open_arena(desktop, arena)
    assert first.locator("#arena").inner_text() == second.locator("#arena").inner_text()
    first.keyboard.press("a")
    in_state(first, "revealed")
    second.keyboard.press("b")
    expect(second.locator("#saved")).to_contain_text(
        "You already judged this pair. Your first verdict stays: A is better."
    )
    expect(second.locator("#a .name")).to_be_empty()
    second.keyboard.press("Enter")
    in_state(second, "voting")
    assert arena.n_votes == 1


def test_a_browser_that_keeps_no_cookies_is_told(desktop: BrowserContext, serve: Serve):
    arena = serve()
    page = desktop.new_page()
    page.route(
        f"{arena.url}/", lambda route: route.fulfill(body=arena.stranger().get("/").text, content_type="text/html")
    )
    page.goto(arena.url)
    expect(page.get_by_role("heading", name="This browser is not known here")).to_be_visible()
    page.unroute(f"{arena.url}/")
    page.get_by_role("button", name="Load the page again").click()  # with cookies, that mends it
    in_state(page, "voting")


def test_an_empty_arena_says_so(desktop: BrowserContext, serve: Serve):
    page = desktop.new_page()
    page.goto(serve(n_prompts=0).url)
    expect(page.get_by_role("heading", name="Nothing to compare yet")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


# ---- blindness and the network ----


def test_no_byte_that_a_browser_gets_before_the_vote_names_a_model(desktop: BrowserContext, arena: Arena):
    page = desktop.new_page()
    bodies: list[str] = []
    page.on("response", lambda r: bodies.append(f"{r.url} {r.headers} {_text_of(r.body)}"))
    page.goto(arena.url, wait_until="networkidle")
    in_state(page, "voting")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    cookies = str(desktop.cookies())
    assert len(bodies) > 20
    for text in [*bodies, kept, cookies, page.content()]:
        assert not named_in(text), text[:200]
    assert "bakeoff_voter" not in kept  # HttpOnly
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert named_in(page.content())


def _text_of(body: Callable[[], bytes]) -> str:
    try:
        return body().decode("utf-8", "replace")
    except Error as error:  # a response without a body
        return str(error)


def test_nothing_is_asked_of_another_host(desktop: BrowserContext, arena: Arena):
    page = desktop.new_page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - playwright marks what it is given
    for path in ("/", "/leaderboard", "/guidelines"):
        page.goto(arena.url + path, wait_until="networkidle")
    assert len(asked) > 20
    assert [r.url for r in asked if not r.url.startswith((arena.url, "data:", "blob:"))] == []


# ---- how it looks ----


def test_on_a_phone_nothing_scrolls_sideways_and_the_bar_hides_nothing(phone: BrowserContext, arena: Arena):
    page = open_arena(phone, arena)
    for _ in range(9):
        in_state(page, "voting")
        assert not has_sideways_scroll(page)
        boxes = [button.bounding_box() for button in page.locator("#verdicts button").all()]
        assert all(
            box and box["width"] > 110 and box["height"] >= 44 and box["y"] + box["height"] <= 844 for box in boxes
        )
        assert len({box["y"] for box in boxes if box}) == 2  # two for the better one, three below
        page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        last = page.locator("#b").bounding_box()
        bar = page.locator("#bar").bounding_box()
        assert last
        assert bar
        assert last["y"] + last["height"] <= bar["y"]
        page.keyboard.press("t")
        in_state(page, "revealed")
        assert not has_sideways_scroll(page)
        page.keyboard.press("Enter")


def test_on_a_phone_a_message_in_the_bar_hides_nothing(phone: BrowserContext, arena: Arena):
    page = open_arena(phone, arena)
    arena.booth.fail_to_save()
    page.keyboard.press("a")
    expect(page.locator("#trouble")).to_be_visible()
    page.wait_for_timeout(100)
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    last, bar = page.locator("#b").bounding_box(), page.locator("#bar").bounding_box()
    assert last
    assert bar
    assert bar["height"] > 125  # what it takes without a message
    assert last["y"] + last["height"] <= bar["y"]


@pytest.mark.parametrize("path", ["/leaderboard", "/guidelines"])
def test_on_a_phone_the_other_pages_do_not_scroll_sideways(phone: BrowserContext, arena: Arena, path: str):
    page = open_arena(phone, arena)
    for _ in range(5):
        in_state(page, "voting")
        vote_and_go_on(page)
    arena.compute_board()
    page.goto(arena.url + path)
    expect(page.locator(".board, .reading")).to_be_visible()
    assert not has_sideways_scroll(page)


def test_on_a_desktop_the_answers_stay_in_view_and_scroll_inside(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    for _ in range(9):
        in_state(page, "voting")
        assert not has_sideways_scroll(page)
        bar = page.locator("#bar").bounding_box()
        assert bar
        for side in ("#a", "#b"):
            box = page.locator(side).bounding_box()
            assert box
            assert box["height"] >= 300
            assert box["y"] + box["height"] <= bar["y"]
        vote_and_go_on(page)


def test_nothing_moves_when_the_names_appear(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    places = """() => [...document.querySelectorAll('#question, #a .text, #b .text, #bar')]
        .map((element) => element.getBoundingClientRect().top)"""
    before = page.evaluate(places)
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert page.evaluate(places) == before


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_long_prompt_is_folded_and_can_be_read_whole(request: pytest.FixtureRequest, arena: Arena, size: str):
    page = open_arena(request.getfixturevalue(size), arena)
    fold = page.get_by_role("button", name="Show the whole prompt")
    for _ in range(9):
        in_state(page, "voting")
        if fold.is_visible():
            break
        vote_and_go_on(page)
    height = page.locator("#question").bounding_box()
    fold.click()
    unfolded = page.locator("#question").bounding_box()
    assert height
    assert unfolded
    assert unfolded["height"] > 2 * height["height"]
    # And below it a long answer as well, whose end the bar does not hide.
    page.evaluate("document.querySelector('#b .text').innerHTML = '<p>A line.</p>'.repeat(200)")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last, bar = page.locator("#b").bounding_box(), page.locator("#bar").bounding_box()
    assert last
    assert bar
    assert last["y"] + last["height"] <= bar["y"]
    page.get_by_role("button", name="Show less of the prompt").click()
    expect(fold).to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")
    assert page.locator("#question").bounding_box() == height


def test_earlier_turns_stand_above_the_last_one(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    earlier = page.locator("#earlier")
    for _ in range(9):
        in_state(page, "voting")
        if earlier.is_visible():
            break
        vote_and_go_on(page)
    assert [role.inner_text() for role in earlier.locator("b").all()] == ["System", "User", "Assistant"]
    expect(page.locator("#question")).to_have_text("The lower ones. What now?")
    expect(page.locator("#question")).to_have_attribute("lang", "en")


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
@pytest.mark.parametrize("path", ["/", "/leaderboard", "/guidelines"])
def test_the_page_follows_the_readers_colour_scheme(
    browser: Browser, unchanged_arena: Arena, scheme: str, is_dark: bool, path: str
):
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(unchanged_arena.url + path)
    page.wait_for_selector("#arena, .state, .reading")
    script = """() => [document.body, document.querySelector('.gradio-container')].map((element) =>
        getComputedStyle(element)).map((style) => [style.backgroundColor, style.color])"""
    for paper, ink in page.evaluate(script):
        assert (_brightness(paper) < 60) is is_dark
        assert (_brightness(ink) > 180) is is_dark
    page.close()


def _brightness(colour: str) -> float:
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", colour)[:3])
    return 0.3 * red + 0.59 * green + 0.11 * blue


def test_the_leaderboard_shows_the_table(desktop: BrowserContext, arena: Arena):
    page = desktop.new_page()
    page.goto(f"{arena.url}/leaderboard")
    expect(page.get_by_role("heading", name="No votes yet")).to_be_visible()
    page.get_by_role("link", name="Go to the arena").click()
    for key in "abtatb":
        in_state(page, "voting")
        vote_and_go_on(page, key)
    arena.crowd(12)
    arena.compute_board()
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.locator(".board tbody tr")).to_have_count(6)
    expect(page.locator(".board")).to_contain_text("Tamarack <i>3</i>")
    # Computed an hour after the votes, or by the arena's own timer as soon as the last one was in.
    expect(page.locator("#aside")).to_have_text(re.compile(r"^as of Nov 21, (12:00|13:01) UTC · snapshot \w+$"))
    expect(page.locator(".facts")).to_contain_text("42 votes counted")


def test_the_guidelines_are_shown_with_their_version(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.get_by_role("link", name="Guidelines v3").click()
    expect(page.get_by_role("heading", name="What better means")).to_be_visible()
    expect(page.get_by_text("Guideline · 3")).to_be_visible()


def test_an_arena_without_guidelines_says_what_to_do(desktop: BrowserContext, serve: Serve):
    page = desktop.new_page()
    page.goto(serve(guideline_text=None, guideline_version=None).url + "/guidelines")
    expect(page.get_by_text("The host of this arena has not written a guideline.")).to_be_visible()
    expect(page.get_by_role("link", name="Guidelines", exact=True)).to_be_visible()


def test_gradio_shows_nothing_of_its_own(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    assert "gradio" not in page.locator("body").inner_text().lower()
    expect(page.locator("footer")).to_have_count(0)
    for name in ("Arena", "Leaderboard", "Guidelines v3", "Arena"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_title(f"{name.removesuffix(' v3')} · Testing ground")


def test_a_list_in_an_earlier_turn_keeps_its_numbers(desktop: BrowserContext, serve: Serve):
    # "47. That is it." is, to Markdown, a list that starts at 47: without its marker the number would be gone.
    arena = serve(n_prompts=2)
    page = open_arena(desktop, arena)
    page.evaluate("document.querySelector('#earlier').hidden = false")
    page.evaluate(
        "document.querySelector('#earlier').innerHTML = "
        "'<li><b>User</b><div class=text><ol start=47><li>That is it.</li></ol></div></li>'"
    )
    item = page.locator("#earlier ol li")
    assert item.evaluate("item => getComputedStyle(item).listStyleType") == "decimal"
    assert item.evaluate("item => getComputedStyle(item).display") == "list-item"
