"""In a browser: sample ballots, the way from the board to a model and back, and English words on other pages."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from test_samples_api import n_exposures, stocked_arena

from arena.ui.texts import texts
from served import Arena, open_arena, serving


@pytest.fixture(scope="module")
def stocked() -> Iterator[Arena]:
    with serving() as start:
        yield stocked_arena(start)


def open_page(context: BrowserContext, arena: Arena, path: str) -> Page:
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    page.goto(f"{arena.url}{path}")
    return page


def has_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_samples_of_two_models_come_when_asked_for_and_say_what_they_cost(desktop: BrowserContext, stocked: Arena):
    before = n_exposures(stocked)
    page = open_page(desktop, stocked, "/analysis?a=larkspur&b=brindle-xl")
    duel = page.locator("#duel")
    expect(duel.get_by_text("they will not come to you as ballots any more")).to_be_visible()
    expect(duel.locator(".sample")).to_have_count(0)
    assert n_exposures(stocked) == before
    duel.get_by_role("button", name="Show sample ballots").click()
    expect(duel.locator(".sample")).to_have_count(3)
    assert n_exposures(stocked) == before + 6
    first = duel.locator(".sample").first
    expect(first).to_be_focused()
    expect(first.locator(".asked")).to_contain_text(re.compile("^Question w[0-9a-f]{12}"))
    answer = first.locator("details").first
    expect(answer.locator("summary")).to_have_text("Answer by Larkspur")
    expect(answer.locator("strong")).to_be_hidden()
    answer.locator("summary").click()
    expect(answer.locator("strong")).to_be_visible()
    expect(first.locator(".said")).to_contain_text(re.compile("(is better|Tie) Nov 21, 2026 · People"))
    expect(duel.get_by_role("button", name="Show more")).to_be_hidden()  # there is one page
    assert page.errors == []  # type: ignore[attr-defined]


def test_a_models_recent_ballots_go_on_page_by_page_on_a_phone(phone: BrowserContext, stocked: Arena):
    page = open_page(phone, stocked, "/model?id=larkspur")
    recent = page.locator("#recent")
    recent.get_by_role("button", name="Show sample ballots").click()
    expect(recent.locator(".sample")).to_have_count(5)
    for n_shown in (10, 15):
        recent.get_by_role("button", name="Show more").click()
        expect(recent.locator(".sample")).to_have_count(n_shown)
    expect(recent.get_by_role("button", name="Show more")).to_be_hidden()
    expect(recent.get_by_role("status")).to_contain_text("15 pairs of answers can be shown")
    assert not has_sideways_scroll(page)
    assert page.errors == []  # type: ignore[attr-defined]


def test_a_failure_to_show_samples_is_said_and_can_be_tried_again(desktop: BrowserContext, stocked: Arena):
    page = desktop.new_page()
    page.route("**/api/samples/*", lambda route: route.abort())
    page.goto(f"{stocked.url}/model?id=larkspur")
    recent = page.locator("#recent")
    recent.get_by_role("button").click()
    expect(recent.locator(".trouble")).to_contain_text("The server does not answer")
    page.unroute("**/api/samples/*")
    recent.get_by_role("button", name="Show sample ballots").click()
    expect(recent.locator(".sample")).to_have_count(5)


def test_a_board_that_comes_meanwhile_starts_the_list_over(desktop: BrowserContext, stocked: Arena):
    asked: list[int] = []

    def of_two_boards(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "")["page"])
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "snapshot": "first" if len(asked) == 1 else "second"})

    page = desktop.new_page()
    page.route("**/api/samples/*", of_two_boards)
    page.goto(f"{stocked.url}/model?id=larkspur")
    recent = page.locator("#recent")
    recent.get_by_role("button", name="Show sample ballots").click()
    expect(recent.locator(".sample")).to_have_count(5)
    first = recent.locator(".sample").first.element_handle()
    recent.get_by_role("button", name="Show more").click()
    expect(recent.locator(".sample").first).to_be_focused()
    expect(recent.locator(".sample")).to_have_count(5)
    assert not page.evaluate("(sample) => sample.isConnected", first)
    recent.get_by_role("button", name="Show more").click()
    expect(recent.locator(".sample")).to_have_count(10)
    assert asked == [0, 1, 0, 1]


def test_a_voter_reads_samples_and_the_ballot_that_is_open_stays_the_same(desktop: BrowserContext, stocked: Arena):
    page = open_arena(desktop, stocked)
    asked = page.locator("#question").inner_text()
    samples = open_page(desktop, stocked, "/model?id=larkspur")
    samples.locator("#recent").get_by_role("button").click()
    expect(samples.locator("#recent .sample").first).to_be_visible()
    assert asked not in samples.locator("#recent").inner_text()
    page.reload()
    expect(page.locator("#question")).to_have_text(asked)


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_from_the_board_to_a_model_to_a_duel_and_back(request: pytest.FixtureRequest, stocked: Arena, size: str):
    page = open_page(request.getfixturevalue(size), stocked, "/leaderboard?sort=model")
    page.get_by_role("link", name="Larkspur").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Larkspur")
    link = page.locator("#opponents").get_by_role("link").first
    opponent = link.inner_text().removeprefix("against ")
    link.click()
    expect(page.locator("#duel h3").first).to_have_text(f"Chance that Larkspur is preferred to {opponent}")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Larkspur")
    page.go_back()
    expect(page.get_by_role("link", name="Larkspur")).to_be_visible()
    assert page.url.endswith("/leaderboard?sort=model")
    assert page.errors == []  # type: ignore[attr-defined]


def test_back_goes_to_the_choice_before(desktop: BrowserContext, stocked: Arena):
    page = open_page(desktop, stocked, "/analysis?a=larkspur&b=brindle-xl")
    title = page.locator("#duel h3").first
    expect(title).to_have_text("Chance that Larkspur is preferred to Brindle XL")
    page.get_by_role("button", name="Swap").click()
    expect(title).to_have_text("Chance that Brindle XL is preferred to Larkspur")
    page.locator("#matrix").scroll_into_view_if_needed()
    page.get_by_role("button", name="Votes", exact=True).click()
    expect(page.locator("#matrix h3")).to_have_text("Votes on each pair")
    assert "matrix=votes" in page.url
    page.go_back()
    expect(page.locator("#matrix h3")).to_have_text("Share won by the row against the column")
    page.go_back()
    expect(title).to_have_text("Chance that Larkspur is preferred to Brindle XL")
    page.go_forward()
    expect(title).to_have_text("Chance that Brindle XL is preferred to Larkspur")
    expect(page.get_by_role("combobox", name="First model")).to_have_value("Brindle XL")
    assert page.errors == []  # type: ignore[attr-defined]


def test_agreement_is_told_or_what_would_give_it(desktop: BrowserContext, stocked: Arena):
    page = open_page(desktop, stocked, "/analysis")
    page.locator("#agreement").scroll_into_view_if_needed()
    # Each two answers have one vote.
    expect(page.locator("#agreement .verdict")).to_have_text("No two voters have judged the same two answers yet.")
    expect(page.locator("#agreement")).to_contain_text("180 votes stand on 180 pairs of answers")


def test_sentences_of_the_engine_are_marked_as_english_on_other_pages(browser: Browser, stocked: Arena):
    context = browser.new_context(locale="de")
    context.set_default_timeout(15_000)
    page = open_page(context, stocked, "/analysis")
    page.get_by_role("button", name=texts("de")["study.style.compute"]).click()
    notes = page.locator("#style [lang=en]")
    expect(notes.first).to_contain_text("never differs")
    assert page.locator("html").get_attribute("lang") == "de"
    context.close()
