"""A served arena for each test that asks for one, and a real browser where there is one."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from chromium import MISSING, launch
from ground import skip_or_fail
from openid import NAME, FakeProvider, with_provider
from served import Arena, Serve, serving


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser take seconds each: all but the first journey's are marked, and run by `make journeys`.

    A fixture that is asked for by name only while a test runs is not seen here: such a test asks for the browser too.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and item.path.name != "test_journey.py":
            item.add_marker(pytest.mark.journey)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start


@pytest.fixture
def arena(serve: Serve) -> Arena:
    return serve()


@pytest.fixture(scope="module")
def unchanged_arena() -> Iterator[Arena]:
    """One arena for all tests of a module that store nothing in it and switch nothing on."""
    with serving() as start:
        yield start()


@pytest.fixture(scope="module")
def both_ways() -> Iterator[tuple[Arena, FakeProvider]]:
    with with_provider(password_is_set=True) as both:
        yield both


@pytest.fixture
def pair(both_ways: tuple[Arena, FakeProvider]) -> tuple[Arena, FakeProvider]:
    """One arena with both ways in for many tests: each comes hours later, to a provider as it was."""
    arena, provider = both_ways
    arena.clock.wait(timedelta(hours=9))
    provider.account, provider.claims, provider.sign = {"preferred_username": NAME}, {}, None
    provider.user_info, provider.is_down = None, False
    provider.called.clear()
    return both_ways


@pytest.fixture
def guarded(pair: tuple[Arena, FakeProvider]) -> Arena:
    return pair[0]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = launch(playwright)
        if found is None:
            skip_or_fail("BROWSER", MISSING)
        expect.set_options(timeout=15_000)  # pages ask for much, and other tests may keep the machine busy
        yield found
        found.close()


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    with _quick(browser.new_context(viewport={"width": 1440, "height": 900})) as context:
        yield context


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    size = {"width": 390, "height": 844}
    with _quick(browser.new_context(viewport=size, has_touch=True, is_mobile=True)) as context:  # type: ignore[arg-type]
        yield context


def _quick(context: BrowserContext) -> BrowserContext:
    context.set_default_timeout(15_000)
    return context
