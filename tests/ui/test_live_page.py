"""The page of live battles in a real browser: typed, watched, stopped, judged, and put again."""

import re
from collections.abc import Iterator

import pytest
from model_server import ModelServer, Reply
from model_server import serving as serving_models
from playwright.sync_api import BrowserContext, Page, expect

from arena.ui.texts import LANGUAGES, texts
from served import MODELS, Arena, Serve, in_state, named_in

LIVE = "[live]\nown_prompts = true\n"
QUESTION = "Why is the sky blue?"


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with serving_models() as server:
        for number, model in enumerate(MODELS):
            words = f"It *scatters*, says number {number}.\n\n- blue comes first\n- red comes later\n".split(" ")
            server.says(model.id, Reply(pieces=tuple(f"{word} " for word in words)))
        yield server


@pytest.fixture
def arena(serve: Serve, models: ModelServer) -> Arena:
    return serve(rules=LIVE, models=models)


def compose(context: BrowserContext, arena: Arena) -> Page:
    page = context.new_page()
    page.goto(arena.url)
    in_state(page, "composing")
    return page


def ask(page: Page, text: str = QUESTION) -> None:
    page.locator("#own").fill(text)
    page.keyboard.press("Control+Enter")


@pytest.mark.journey
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_voter_asks_watches_and_judges_by_key(size: str, arena: Arena, request: pytest.FixtureRequest):
    page = compose(request.getfixturevalue(size), arena)
    expect(page.locator("#own")).to_be_focused()
    expect(page.locator("#bar")).to_be_hidden()

    ask(page)

    in_state(page, "coming")
    expect(page.locator("#question")).to_have_text(QUESTION)
    expect(page.locator("#stop")).to_be_visible()
    in_state(page, "voting")
    expect(page.locator("#a .text li")).to_have_count(2)  # as Markdown, once it is whole
    assert named_in(page.content()) == []
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert page.locator("#a .name").inner_text() in {re.sub("<[^>]+>", "", model.name) for model in MODELS} | {
        model.name for model in MODELS
    }
    assert arena.n_votes == 1
    page.keyboard.press("Enter")
    in_state(page, "composing")
    expect(page.locator("#own")).to_have_value("")


@pytest.mark.journey
def test_both_answers_are_on_the_page_before_they_are_whole(serve: Serve, models: ModelServer, desktop: BrowserContext):
    for model in MODELS:
        models.says(model.id, Reply(pieces=("many words ",) * 60, between=0.03))
    page = compose(desktop, serve(rules=LIVE, models=models))

    ask(page)

    page.wait_for_function("document.querySelector('#a .text').textContent.length > 50")
    in_state(page, "coming")
    a, b = (page.locator(f"#{side} .text").inner_text() for side in "ab")
    assert abs(len(a) - len(b)) <= 60  # one tick between the two readings


@pytest.mark.journey
def test_a_battle_is_stopped_and_the_prompt_stays(serve: Serve, models: ModelServer, desktop: BrowserContext):
    for model in MODELS:
        models.says(model.id, Reply(pieces=("many words ",) * 900, between=0.03))
    arena = serve(rules=LIVE, models=models)
    page = compose(desktop, arena)
    ask(page)
    page.wait_for_function("document.querySelector('#a .text').textContent.length > 5")

    page.keyboard.press("Escape")

    in_state(page, "composing")
    expect(page.locator("#own")).to_have_value(QUESTION)
    expect(page.locator("#compose-trouble")).to_have_text("Stopped. Nothing was stored.")
    assert arena.store.catalogue.prompts().keys() == {"p-sally", "p-tomato", "p-contract"}


@pytest.mark.journey
def test_where_nothing_comes_of_it_a_neutral_sentence_says_so(
    serve: Serve, models: ModelServer, desktop: BrowserContext
):
    for model in MODELS:
        models.says(model.id, Reply(status=500, error={"message": f"{model.name} is out of memory"}))
    page = compose(desktop, serve(rules=LIVE, models=models))

    ask(page)

    in_state(page, "composing")
    expect(page.locator("#compose-trouble")).to_contain_text("Nothing could be compared this time")
    assert named_in(page.content()) == []


@pytest.mark.journey
def test_the_same_prompt_is_put_anew_and_the_first_ballot_is_closed(arena: Arena, desktop: BrowserContext):
    page = compose(desktop, arena)
    ask(page)
    in_state(page, "voting")

    page.keyboard.press("r")

    in_state(page, "coming")
    in_state(page, "voting")
    expect(page.locator("#question")).to_have_text(QUESTION)
    with arena.store._database.read() as cursor:
        assert cursor.execute("select count(*) from own_prompts").fetchall() == [(2,)]
        assert cursor.execute("select count(*) from skips").fetchall() == [(1,)]


@pytest.mark.journey
def test_a_reload_in_the_middle_of_judging_shows_the_same_two_answers(arena: Arena, desktop: BrowserContext):
    page = compose(desktop, arena)
    ask(page)
    in_state(page, "voting")
    answers = page.locator(".answer .text").all_inner_texts()

    page.reload()

    in_state(page, "voting")
    assert page.locator(".answer .text").all_inner_texts() == answers
    expect(page.locator("#renew")).to_be_hidden()  # the prompt was typed before the reload


@pytest.mark.journey
def test_prepared_answers_are_one_click_away(arena: Arena, desktop: BrowserContext):
    page = compose(desktop, arena)

    page.locator("#from_bank").click()

    in_state(page, "voting")
    page.keyboard.press("b")
    in_state(page, "revealed")
    page.keyboard.press("Enter")
    in_state(page, "composing")


@pytest.mark.journey
def test_what_is_refused_is_told_above_the_button_and_the_prompt_stays(arena: Arena, desktop: BrowserContext):
    page = compose(desktop, arena)
    page.locator("#put").click()
    expect(page.locator("#compose-trouble")).to_have_text("Type a prompt first.")

    ask(page, "Who are you?")

    in_state(page, "composing")
    expect(page.locator("#compose-trouble")).to_contain_text("asks who answers")
    expect(page.locator("#own")).to_have_value("Who are you?")


@pytest.mark.journey
def test_a_prompt_and_an_answer_are_text_until_they_are_whole_and_inert_after(
    serve: Serve, models: ModelServer, desktop: BrowserContext
):
    evil = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script> "
    for number, model in enumerate(MODELS):
        models.says(model.id, Reply(pieces=(evil, f"and number {number} ") * 20, between=0.03))
    page = compose(desktop, serve(rules=LIVE, models=models))

    ask(page, evil)

    in_state(page, "coming")
    page.wait_for_function("document.querySelector('#a .text').textContent.includes('<img')")
    assert page.locator("#arena img, #arena script").count() == 0
    in_state(page, "voting")
    assert page.locator("#arena img, #arena script").count() == 0
    assert page.title() != "taken"


def test_every_language_has_the_words_of_the_page():
    names = {name for name in texts("en") if name.startswith("live.")}
    assert len(names) >= 10
    for language in LANGUAGES:
        assert names <= texts(language).keys()
