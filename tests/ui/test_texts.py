"""The words of the interface: the same ones in every language, and none that is asked for is missing."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import arena.ui
from arena.ui.texts import ENGLISH, LANGUAGES, chosen, texts
from served import Arena, in_state

UI = Path(arena.ui.__file__).parent

# The forms that a number takes (Unicode CLDR, plurals of cardinal numbers).
FORMS = {
    "en": {"one", "other"},
    "de": {"one", "other"},
    "es": {"one", "many", "other"},
    "fr": {"one", "many", "other"},
    "zh": {"other"},
}

others = pytest.mark.parametrize("language", [each for each in LANGUAGES if each != ENGLISH])


def stem(key: str) -> str:
    return re.sub(r"\.(zero|one|two|few|many|other)$", "", key)


def test_every_file_is_a_language_and_every_language_has_one():
    assert sorted(path.stem for path in (UI / "texts").iterdir()) == sorted(LANGUAGES)


@others
def test_every_language_says_the_same_things(language: str):
    assert {stem(key) for key in texts(language)} == {stem(key) for key in texts(ENGLISH)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_counted_has_every_form_that_the_language_knows(language: str):
    counted = {stem(key) for key in texts(language) if key.endswith(".other")}
    assert counted
    for key in counted:
        assert {form for form in ("one", "many", "other") if f"{key}.{form}" in texts(language)} == FORMS[language]


@others
def test_every_language_has_the_same_values_in_its_sentences(language: str):
    def values(of: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for key, text in texts(of).items():
            found.setdefault(stem(key), set()).update(re.findall(r"\{\w+\}", text))
        return found

    assert values(language) == values(ENGLISH)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_and_no_key_stands_twice(language: str):
    def unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    found = json.loads((UI / "texts" / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=unique)
    assert all(text.strip() == text != "" for text in found.values())


def test_every_text_that_pages_and_scripts_name_is_there():
    known = set(texts(ENGLISH)) | {stem(key) for key in texts(ENGLISH)}
    sources = [*UI.glob("*.py"), *(UI / "assets").glob("*.js")]
    named = {
        key
        for source in sources
        for key in re.findall(r"""(?:data-t(?:-\w+)?=|\bt\(|_with_key\()["']([\w.]+)["']""", source.read_text("utf-8"))
    }
    assert len(named) > 20
    assert named <= known


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("sv,fr;q=0.5", "fr"),
        ("en;q=0.2, zh-Hans-CN;q=0.7", "zh"),
        ("es;q=0,en;q=0.1", "en"),
        ("ES", "es"),
        ("*", "en"),
        ("fr;q=x,de;q=0.1", "de"),
        ("fr;level=1", "en"),
        (";;;,,,=q", "en"),
        ("de;q=5", "de"),
    ],
)
def test_the_language_that_is_wanted_most_is_chosen(header: str | None, language: str):
    assert chosen(header) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_browser_gets_the_page_in_its_language(browser: Browser, unchanged_arena: Arena, language: str):
    context = browser.new_context(locale=language)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(unchanged_arena.url)
    in_state(page, "voting")
    assert page.locator("html").get_attribute("lang") == language
    for verdict in ("A", "B", "tie", "both_bad"):
        assert texts(language)[f"verdict.{verdict}"] in page.locator(f"[data-verdict={verdict}]").inner_text()
    assert page.locator("header.top nav").inner_text().split()[0] == texts(language)["nav.arena"]
    assert page.title().startswith(texts(language)["nav.arena"])
    context.close()
