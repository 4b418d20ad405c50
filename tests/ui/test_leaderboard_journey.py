"""What a reader does on the Leaderboard page, in a real browser, on the real application with votes in it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, Route, expect

from arena import table
from arena.ui.texts import texts
from polls import MODELS, NAMES, stock, ties
from served import Arena, Serve, ballot_of, serving, vote_on

API = re.compile(r"/api/leaderboard")


@pytest.fixture(scope="module")
def polled() -> Iterator[Arena]:
    """An arena with 300 votes and their board; nothing is added to it."""
    with serving() as start:
        yield poll(start())


def poll(arena: Arena) -> Arena:
    stock(arena.store)
    arena.compute_board()
    return arena


def open_board(context: BrowserContext, arena: Arena, query: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{arena.url}/leaderboard{query}")
    page.wait_for_selector("#board-page[data-state=shown]")
    return page


def lines(page: Page) -> list[str | None]:
    return [line.get_attribute("data-model") for line in page.locator(".board tr[data-model]").all()]


def pick(page: Page, name: str) -> Locator:
    return page.locator(f"#pick-{name}")


def settled(page: Page) -> None:
    page.wait_for_selector("#board-page[aria-busy=false]")


# ---- choosing ----


def test_the_search_shows_what_fits_as_it_is_typed_and_stands_in_the_address(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("searchbox", name="Search models").press_sequentially("osterhaus")
    expect(page.locator(".board tr[data-model]")).to_have_count(2)
    assert set(lines(page)) == {"cleo", "eve"}
    expect(page.locator("#facts")).to_contain_text("2 of 5 models shown")
    assert page.url.endswith("?q=osterhaus")
    assert not [url for url in asked if API.search(url)]  # these lines are on the page already
    page.get_by_role("searchbox").fill("nobody of that name")
    expect(page.get_by_role("heading", name="No model fits")).to_be_visible()
    page.locator("#again").click()
    expect(page.locator(".board tr[data-model]")).to_have_count(5)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_a_category_counts_its_votes_and_the_back_button_takes_it_back(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    everything = page.locator(".board").inner_text()
    pick(page, "category").click()
    page.get_by_role("checkbox", name="code").check()
    expect(page.locator("#facts")).to_contain_text("category writing is not asked for")
    page.get_by_role("checkbox", name="facts").check()  # the list is still open
    expect(page.locator("#facts")).not_to_contain_text("category facts is not asked for")
    assert page.url.endswith("?category=code&category=facts")
    expect(pick(page, "category")).to_have_text("code, facts")
    assert page.locator(".board").inner_text() != everything
    page.go_back()
    expect(pick(page, "category")).to_have_text("code")
    expect(page.locator("#facts")).to_contain_text("category facts is not asked for")
    page.go_back()
    expect(page.locator("#facts")).not_to_contain_text("category")
    expect(page.locator(".board")).to_have_text(re.compile("Ada One"))
    assert page.locator(".board").inner_text() == everything
    page.go_forward()
    expect(pick(page, "category")).to_have_text("code")


def test_a_list_of_choices_is_used_by_keys_alone(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    pick(page, "language").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(pick(page, "language")).to_have_text("German")
    expect(page.locator("#pick-language-de")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#pick-language-de")).to_be_hidden()
    expect(pick(page, "language")).to_be_focused()


def test_style_control_is_a_switch(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    switch = page.get_by_role("switch", name="Style control")
    expect(switch).not_to_be_checked()
    switch.check()
    settled(page)
    expect(page.locator("#method dt", has_text="Style")).to_have_count(1)
    assert page.url.endswith("?style=on")
    switch.uncheck()
    expect(page.locator("#method dt", has_text="Style")).to_have_count(0)
    assert page.url.endswith("/leaderboard")


def test_dates_and_votes_are_chosen_in_fields(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    pick(page, "more").click()
    page.get_by_label("Cast from").fill("2026-01-02")
    page.get_by_label("Cast from").press("Tab")
    expect(page.locator("#facts")).to_contain_text("cast before 2026-01-02")
    page.get_by_label("Votes a model needs").fill("20")
    page.get_by_label("Votes a model needs").press("Enter")
    expect(page.locator("#method dd", has_text="Votes a model needs: 20")).to_have_count(1)
    assert page.url.endswith("?since=2026-01-02&min_votes=20")
    page.get_by_role("button", name="Show everything").click()
    expect(page.locator("#facts")).not_to_contain_text("cast before")
    assert page.url.endswith("/leaderboard")


def test_retired_models_can_be_left_out(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    page.get_by_role("switch", name="Show retired models").uncheck()
    expect(page.locator(".board tr[data-model]")).to_have_count(4)
    assert page.url.endswith("?retired=no")


def test_only_what_the_arena_has_more_than_one_of_can_be_chosen(desktop: BrowserContext, arena: Arena):
    arena.crowd(12)
    arena.compute_board()
    page = open_board(desktop, arena)
    shown = [each.get_attribute("data-name") for each in page.locator("details.pick").all()]
    assert shown == ["category", "organization", "license", "more"]  # one language, one source, nothing of weights


# ---- the order ----


def test_columns_are_sorted_by_mouse_and_by_key_and_say_so(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    heads = page.locator(".board thead th")
    expect(heads.nth(0)).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Votes", exact=True).click()
    counts = [int(cell.inner_text()) for cell in page.locator(".board tbody td:nth-child(5)").all()]
    assert counts == sorted(counts, reverse=True)
    expect(page.locator("th[aria-sort]")).to_have_count(1)
    page.get_by_role("button", name="Model", exact=True).focus()
    page.keyboard.press("Enter")
    names = [cell.inner_text().split("\n")[0].lower() for cell in page.locator(".board th.model a").all()]
    assert names == sorted(names)
    expect(page.get_by_role("button", name="Model", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_have_count(1)
    assert lines(page)[0] == "eve"
    assert page.url.endswith("?sort=-model")
    page.reload()
    page.wait_for_selector("#board-page[data-state=shown]")
    assert lines(page)[0] == "eve"


def test_an_order_that_does_not_exist_is_the_usual_one(desktop: BrowserContext, polled: Arena):
    assert lines(open_board(desktop, polled, "?sort=beauty")) == lines(open_board(desktop, polled))


# ---- links and files ----


def test_a_link_shows_another_reader_the_same_view(desktop: BrowserContext, browser: Browser, polled: Arena):
    page = open_board(desktop, polled, "?category=code&q=o&sort=-votes&license=MIT")
    shown = page.locator(".board").inner_text()
    page.get_by_role("button", name="Link to this view").click()
    expect(page).to_have_url(re.compile("up_to=300"))
    other = browser.new_context(viewport={"width": 1440, "height": 900})
    theirs = open_board(other, polled, page.url.partition("/leaderboard")[2])
    assert theirs.locator(".board").inner_text() == shown
    other.close()


def test_a_link_keeps_its_numbers_when_newer_votes_are_counted(desktop: BrowserContext, serve: Serve):
    arena = poll(serve())
    page = open_board(desktop, arena)
    before = page.locator(".board").inner_text()
    page.get_by_role("button", name="Link to this view").click()
    expect(page).to_have_url(re.compile("up_to=300"))
    ties(arena.store, [*NAMES, *NAMES])
    arena.compute_board()
    page.reload()
    expect(page.locator("#news")).to_contain_text("These numbers are those of entry 300 of the log.")
    assert page.locator(".board").inner_text() == before
    page.get_by_role("button", name="Show the newest").click()
    expect(page.locator("#facts")).not_to_contain_text(re.compile("^270"))
    expect(page.locator("#news")).to_have_text("")
    assert page.locator(".board").inner_text() != before


def test_the_files_hold_what_is_shown(desktop: BrowserContext, polled: Arena, tmp_path: Path):
    page = open_board(desktop, polled, "?category=code&organization=Osterhaus&retired=no")
    shown = lines(page)
    files = {}
    for name in ("CSV", "JSON", "Parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        files[name] = tmp_path / f"board.{name.lower()}"
        download.value.save_as(files[name])
    assert [row["model"] for row in csv.DictReader(io.StringIO(files["CSV"].read_text()))] == shown
    record = json.loads(files["JSON"].read_text())
    assert [row["model"] for row in record["leaderboard"]["ratings"]] == shown
    assert [row["model"] for _, row in table.rows_of(files["Parquet"])] == shown
    assert record["log"]["n_log"] == polled.n_votes == 300


def test_what_the_page_shows_is_what_the_route_says(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled, "?license=MIT&q=e&open_weights=yes")
    said = polled.stranger().get("/api/leaderboard?license=MIT&q=e&open_weights=yes").json()
    assert lines(page) == [row["model"] for row in said["leaderboard"]["ratings"]] == ["ada"]


# ---- what may go wrong ----


def test_the_board_is_asked_for_before_gradio_has_loaded(desktop: BrowserContext, polled: Arena):
    held: list[Route] = []
    desktop.route(re.compile(r"/assets/.*\.js"), lambda route: held.append(route))  # noqa: PLW0108 - playwright marks it
    page = desktop.new_page()
    with page.expect_request(API):
        page.goto(f"{polled.url}/leaderboard", wait_until="commit")
    assert page.locator("#board-page").count() == 0
    assert held
    desktop.unroute_all()


def test_a_board_that_takes_its_time_is_announced_and_the_old_one_stays(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    held: list[Route] = []
    page.route(API, lambda route: held.append(route))  # noqa: PLW0108
    page.get_by_role("switch", name="Style control").check()
    expect(page.locator("#news")).to_have_text("Counting the votes of this view…")
    expect(page.locator("#board-page")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".board tr[data-model]")).to_have_count(5)
    expect(page.locator("#news")).to_have_text(re.compile("^Still counting"), timeout=10_000)
    held[0].continue_()
    settled(page)
    expect(page.locator("#news")).to_have_text("")


def test_a_search_does_not_pass_the_old_board_for_the_one_that_is_on_its_way(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    held: list[Route] = []
    page.route(re.compile("category=code"), lambda route: held.append(route))  # noqa: PLW0108
    pick(page, "category").click()
    page.locator("#pick-category-code").check()
    expect(page.locator("#news")).to_have_text("Counting the votes of this view…")
    page.get_by_role("searchbox", name="Search models").fill("osterhaus")
    expect(page.locator(".board tr[data-model]")).to_have_count(2)
    expect(page.locator("#board-page")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#news")).to_have_text("Counting the votes of this view…")
    page.locator("#method summary").click()
    expect(page.locator("#method")).not_to_contain_text("code")
    held[0].continue_()
    settled(page)
    expect(page.locator("#method")).to_contain_text("code")
    expect(page.locator(".board tr[data-model]")).to_have_count(2)


def test_an_answer_that_comes_too_late_does_not_replace_a_later_one(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    held: list[Route] = []
    page.route(re.compile(r"category=code"), lambda route: held.append(route))  # noqa: PLW0108
    pick(page, "category").click()
    page.get_by_role("checkbox", name="code").check()
    page.go_back()
    settled(page)
    with page.expect_response(re.compile("category=code")):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#facts")).not_to_contain_text("is not asked for: 1")
    assert page.url.endswith("/leaderboard")


def test_a_server_that_cannot_be_reached_is_asked_again(desktop: BrowserContext, polled: Arena):
    page = desktop.new_page()
    page.route(API, lambda route: route.abort())
    page.goto(f"{polled.url}/leaderboard")
    expect(page.get_by_role("heading", name="The leaderboard could not be loaded")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".board tr[data-model]")).to_have_count(5)


def test_a_server_that_is_busy_is_asked_again_by_itself(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    asked: list[Request] = []

    def busy_once(route: Route) -> None:
        asked.append(route.request)
        if len(asked) > 1:
            return route.continue_()
        return route.fulfill(status=503, json={"error": "busy", "message": "Busy."})

    page.route(API, busy_once)
    page.get_by_role("switch", name="Style control").check()
    expect(page.locator("#method dt", has_text="Style")).to_have_count(1)
    assert len(asked) == 2


def test_a_view_that_does_not_exist_says_why_and_leads_out(desktop: BrowserContext, polled: Arena):
    page = desktop.new_page()
    page.goto(f"{polled.url}/leaderboard?category=poems")
    expect(page.get_by_role("heading", name="This view does not exist")).to_be_visible()
    expect(page.locator("#instead")).to_contain_text("category cannot be poems; accepted: code, facts, writing.")
    page.get_by_role("button", name="Show everything").click()
    expect(page.locator(".board tr[data-model]")).to_have_count(5)
    assert page.url.endswith("/leaderboard")


def test_votes_that_give_no_board_are_another_state(desktop: BrowserContext, polled: Arena):
    page = desktop.new_page()
    page.goto(f"{polled.url}/leaderboard?since=2030-01-01")
    expect(page.get_by_role("heading", name="No leaderboard from these votes")).to_be_visible()
    expect(page.locator("#instead")).to_contain_text("no vote is left to rate")
    expect(page.locator("#instead").get_by_role("button", name="Show everything")).to_be_visible()


def test_an_arena_without_votes_asks_for_them(desktop: BrowserContext, serve: Serve):
    page = desktop.new_page()
    page.goto(f"{serve().url}/leaderboard")
    expect(page.get_by_role("heading", name="No votes yet")).to_be_visible()
    expect(page.get_by_role("link", name="Go to the arena")).to_be_visible()
    expect(page.locator("#again")).to_be_hidden()


def test_votes_that_are_not_counted_yet_are_announced(desktop: BrowserContext, serve: Serve):
    arena = poll(serve())
    for _ in range(2):
        visitor = arena.visitor()
        vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
    page = open_board(desktop, arena)
    expect(page.locator("#news")).to_have_text("2 newer entries of the log are not counted yet.")


# ---- for everybody ----


def test_what_a_column_means_is_one_key_away(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    help_ = page.locator("#help")
    page.get_by_role("button", name="What does this column mean: Rank?").focus()
    page.keyboard.press("Enter")
    expect(help_).to_be_visible()
    expect(help_).to_contain_text("The best and the worst place")
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    page.get_by_text("What the columns mean").click()
    expect(page.locator("#columns dt")).to_have_text(
        ["Rank", "Model", "Score", "95% interval", "Votes", "Organisation", "Licence"]
    )


def test_what_changed_is_said_aloud(desktop: BrowserContext, polled: Arena):
    page = open_board(desktop, polled)
    expect(page.locator("#said")).to_have_text("5 models shown.")
    page.get_by_role("searchbox").fill("osterhaus")
    expect(page.locator("#said")).to_have_text("2 models shown.")


@pytest.mark.parametrize("query", ["", "?q=nobody", "?category=poems", "?style=on&category=code&license=MIT"])
def test_on_a_phone_nothing_scrolls_sideways(phone: BrowserContext, polled: Arena, query: str):
    page = phone.new_page()
    page.goto(f"{polled.url}/leaderboard{query}")
    page.wait_for_selector("#board-page[data-state=shown], #board-page[data-state=instead]")
    for summary in page.locator("summary:visible").all():
        summary.click()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        summary.press("Escape")


def test_on_a_phone_the_interval_stands_below_the_score(phone: BrowserContext, polled: Arena):
    page = open_board(phone, polled)
    expect(page.locator(".board .ci").first).to_be_hidden()
    expect(page.locator(".board td.score small").first).to_be_visible()
    expect(page.locator(".board td.score small").first).to_have_text(re.compile(r"^[\d,]+ to [\d,]+$"))


@pytest.mark.parametrize("language", ["de", "fr", "es", "zh"])
def test_the_page_speaks_the_readers_language(browser: Browser, polled: Arena, language: str):
    context = browser.new_context(locale=language)
    page = open_board(context, polled, "?category=code")
    words = texts(language)
    for key in ("board.link", "method.title", "board.columns", "board.style", "board.ranks_note"):
        expect(page.locator("#board-page")).to_contain_text(words[key])
    # The reasons too, which the server tells in English.
    expect(page.locator("#facts")).not_to_contain_text("not asked for")
    context.close()


def test_the_shell_names_no_model(polled: Arena):
    answer = polled.visitor().get("/leaderboard")
    assert answer.status_code == 200
    page = answer.text
    assert "window.gradio_config = {" in page  # what Gradio tells the browser of the page is in it
    for model in MODELS:
        assert f'"{model.id}"' not in page
        assert model.name not in page
