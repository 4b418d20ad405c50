"""Signing in, in a real browser: by password and keys, by a provider, on a phone and in the dark, in every language."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, expect

from arena.ui.texts import LANGUAGES, texts
from openid import NAME, PASSWORD, with_provider


def test_a_host_comes_in_by_the_password_and_goes_by_the_header(desktop: BrowserContext):
    with with_provider(password_is_set=True) as (arena, _):
        page = desktop.new_page()
        page.goto(f"{arena.url}/host")
        expect(page).to_have_url(f"{arena.url}/login?next=host")
        expect(page.locator("#password")).to_be_focused()
        page.keyboard.type("a wrong one")
        page.keyboard.press("Enter")
        # Below the field, not below other ways in.
        expect(page.locator("#with-password #trouble")).to_have_text(texts("en")["refusal.wrong_password"])
        page.keyboard.type(PASSWORD)  # what was wrong is selected, and gives way
        page.keyboard.press("Enter")
        page.wait_for_url(f"{arena.url}/host")
        expect(page.locator("#host h1")).to_have_text("Host")
        page.goto(f"{arena.url}/leaderboard")
        expect(page.locator(".top .session")).to_contain_text("Signed in as Host")
        page.locator(".top .session a").click()
        page.wait_for_url(f"{arena.url}/host")
        page.locator(".top .session button").click()
        page.wait_for_url(f"{arena.url}/")
        expect(page.locator("#arena")).to_be_visible()
        assert page.locator(".top .session").count() == 0
        page.goto(f"{arena.url}/host")
        expect(page).to_have_url(f"{arena.url}/login?next=host")


def test_an_account_comes_in_by_the_provider_and_no_page_names_it(desktop: BrowserContext):
    with with_provider() as (arena, provider):
        page = desktop.new_page()
        page.goto(f"{arena.url}/login?next=leaderboard")
        page.locator("#with-provider").click()
        page.wait_for_url(f"{arena.url}/leaderboard")
        expect(page.locator(".top .session")).to_contain_text("Annotator and Host")
        assert NAME not in page.content()
        provider.account = {"preferred_username": "somebody-else"}
        page.locator(".top .session button").click()
        page.wait_for_url(f"{arena.url}/")
        page.goto(f"{arena.url}/login")
        page.locator("#with-provider").click()
        expect(page.locator("#why")).to_have_text(texts("en")["login.not_named"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_of_a_login_are_for_everybody(browser: Browser, scheme: str, width: int):
    size = {"width": width, "height": 844}
    with (
        with_provider(password_is_set=True) as (arena, _),
        browser.new_context(viewport=size, color_scheme=scheme) as context,  # type: ignore[arg-type]
    ):
        page = context.new_page()
        for path in ("/login", "/login?why=silent", "/nowhere"):
            page.goto(arena.url + path)
            expect(page.locator("main :is(h1, h2)").first).not_to_be_empty()
            _is_sound(page)
        page.goto(f"{arena.url}/login")
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{arena.url}/host")
        for path in ("/host", "/login", "/leaderboard"):
            page.goto(arena.url + path)
            expect(page.locator("main, #board-page").first).to_be_visible()
            _is_sound(page)


def _is_sound(page: object) -> None:
    found = Axe().run(page)  # type: ignore[arg-type]
    serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert not serious, [(each["id"], each["nodes"][0]["html"]) for each in serious]
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")  # type: ignore[attr-defined]
    assert wide <= room


def test_the_login_speaks_every_language(browser: Browser):
    with with_provider(password_is_set=True) as (arena, _):
        for language in LANGUAGES:
            with browser.new_context(locale=language) as context:
                page = context.new_page()
                page.goto(f"{arena.url}/login")
                expect(page.locator("#login h1")).to_have_text(texts(language)["nav.login"])
                expect(page.locator("#login label")).to_have_text(texts(language)["login.password"])
