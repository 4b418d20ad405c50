"""The Analysis page and the page of a model: their routes over HTTP, and what a person does there in a browser."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from arena.battle import Answer, Battle, BattleId, Message, Prompt, PromptId, Source, Verdict, Vote, VoteId, VoterId
from arena.pack import answer_id
from arena.study import Study
from arena.ui import analysis_api
from arena.ui.texts import texts
from served import IDENTITIES, MODELS, NOON, Arena, ballot_of, serving

ROUTES = ("", "/matrix", "/history", "/collection", "/position", "/style", "/agreement", "/influence", "/goodness")


@pytest.fixture(scope="module")
def judged() -> Iterator[Arena]:
    """An arena in which everybody has met everybody, with two boards, and answers of many lengths."""
    with serving() as start:
        arena = start()
        judge(arena, 60)
        arena.compute_board()
        judge(arena, 60)
        arena.compute_board()
        yield arena


def judge(arena: Arena, n_votes: int) -> None:
    """Votes of people on prompts of their own, by chance; whoever writes more wins a little more often."""
    rng = Random(arena.n_votes)
    prompts, written, votes = [], [], []
    for number in range(arena.n_votes, arena.n_votes + n_votes):
        prompt = Prompt(PromptId(f"asked-{number}"), (Message("user", f"Question {number}?"),), "facts", "en")
        prompts.append(prompt)
        pair = [MODELS[number % 6], MODELS[(number + 1 + number // 6 % 5) % 6]]
        texts_ = ["word " * rng.randint(1, 60) + "**bold** " * rng.randint(0, 3) for _ in pair]
        answers = [
            Answer(answer_id(prompt.id, model.id, text), prompt.id, model.id, text)
            for model, text in zip(pair, texts_, strict=True)
        ]
        written += answers
        battle = Battle(BattleId(f"b{number}"), pair[0].id, pair[1].id, prompt.id, answers[0].id, answers[1].id)
        verdict = rng.choice(
            (Verdict.A, Verdict.B, Verdict.TIE, Verdict.A if len(texts_[0]) > len(texts_[1]) else Verdict.B)
        )
        when = NOON - timedelta(hours=200 - number)
        vote = Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, VoterId(f"somebody-{number % 12}"), when)
        votes.append((battle, vote))
    arena.store.catalogue.add_prompts(prompts, NOON)
    arena.store.catalogue.add_answers(written, NOON)
    arena.store.votes.add_imported(votes, NOON)


def open_page(context: BrowserContext, arena: Arena, path: str = "/analysis") -> Page:
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    page.goto(f"{arena.url}{path}")
    page.wait_for_selector(".found figure, .found dl, #state:not([hidden])")
    return page


def has_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


# ---- routes ----


@pytest.mark.parametrize("route", ROUTES)
def test_every_question_is_answered_as_of_the_latest_snapshot(judged: Arena, route: str):
    answer = judged.stranger().get(f"/api/analysis{route}")
    latest = judged.job.latest()
    assert latest is not None
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json()["snapshot"] == latest.id


def test_models_are_told_by_id_and_named_once(judged: Arena):
    overview = judged.stranger().get("/api/analysis").json()
    names = {each["id"]: each["name"] for each in overview["models"]}
    assert names["tamarack-3"] == "Tamarack <i>3</i>"
    found = judged.stranger().get("/api/analysis/matrix").json()
    assert set(found["models"]) == set(names)
    assert sum(sum(record) for _, _, *record in found["cells"]) == overview["n_votes"] == 120


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/head-to-head?a=larkspur&b=larkspur", 400, "same_model"),
        ("/head-to-head?a=larkspur", 404, "unknown_model"),
        ("/head-to-head?a=larkspur&b=nobody", 404, "unknown_model"),
        ("/model?id=nobody", 404, "unknown_model"),
        ("/model", 404, "unknown_model"),
        ("/nothing", 404, "no_such_address"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_one_shape(judged: Arena, path: str, status: int, word: str):
    answer = judged.stranger().get(f"/api/analysis{path}")
    assert answer.status_code == status
    assert answer.json()["error"] == word
    assert answer.json()["message"]


def test_the_description_has_every_route_with_its_parameters_and_keys(judged: Arena):
    client = judged.stranger()
    described = client.get("/api/openapi.json").json()["paths"]
    routes = {path: told["get"] for path, told in described.items() if path.startswith("/api/analysis")}
    built = analysis_api.routes(Study(judged.store, judged.job.latest)).routes
    assert set(routes) == {route.path for route in built}  # type: ignore[attr-defined]
    values = {"a": "larkspur", "b": "brindle-xl", "id": "larkspur"}
    page = client.get("/api").text
    for path, told in routes.items():
        asked = {each["name"]: values[each["name"]] for each in told["parameters"]}
        answer = client.get(path, params=asked, timeout=60)
        assert answer.status_code == 200
        schema = told["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(schema["properties"]) == set(answer.json()), path
        assert all(f"<code>{key}</code>" in page for key in schema["properties"])


def test_before_the_first_board_every_question_is_refused_with_what_to_do(unchanged_arena: Arena):
    for path in (*ROUTES, "/head-to-head?a=larkspur&b=brindle-xl", "/model?id=larkspur"):
        answer = unchanged_arena.stranger().get(f"/api/analysis{path}")
        assert (answer.status_code, answer.json()["error"]) == (404, "no_study")


def test_an_open_ballot_changes_nothing_that_is_told(judged: Arena):
    paths = [*ROUTES, *(f"/model?id={model}" for model in ("larkspur", "brindle-xl", "quillon-9b"))]
    client = judged.visitor()
    before = [client.get(f"/api/analysis{path}").content for path in paths]
    ballot_of(client)
    assert [client.get(f"/api/analysis{path}").content for path in paths] == before


def test_no_page_and_no_configuration_names_a_model(judged: Arena):
    client = judged.stranger()
    for path in ("/analysis", "/model?id=larkspur"):
        page = client.get(path)
        assert page.status_code == 200
        assert "window.gradio_config = {" in page.text
        text = page.text.lower().replace("id=larkspur", "")
        assert not [word for word in IDENTITIES if word in text]


def test_no_answer_holds_a_voter(judged: Arena):
    told = "".join(judged.stranger().get(f"/api/analysis{route}").text for route in ROUTES)
    assert "moving_most" in told
    assert "somebody" not in told


# ---- in a browser ----


def test_two_models_are_compared_and_the_address_keeps_them(desktop: BrowserContext, judged: Arena):
    page = open_page(desktop, judged)
    first = page.get_by_role("combobox", name="First model")
    first.fill("lark")
    expect(page.get_by_role("option")).to_have_text(["Larkspur"])
    first.press("Enter")
    second = page.get_by_role("combobox", name="Second model")
    second.click()
    page.get_by_role("option", name="Wolframoak").click()
    expect(page.locator("#duel figure h3")).to_have_text("Chance that Larkspur is preferred to Wolframoak")
    assert "a=larkspur&b=wolfram-oak" in page.url
    page.reload()
    expect(page.locator("#duel figure h3")).to_have_text("Chance that Larkspur is preferred to Wolframoak")
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#duel figure h3")).to_have_text("Chance that Wolframoak is preferred to Larkspur")
    page.get_by_role("link", name="All about Larkspur").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Larkspur")
    assert page.errors == []  # type: ignore[attr-defined]


def test_a_late_answer_on_two_models_is_not_put_over_that_on_the_next_two(desktop: BrowserContext, judged: Arena):
    held: list[Route] = []
    late = re.compile(r"/head-to-head\?a=larkspur&b=brindle-xl")
    page = desktop.new_page()
    page.route(late, lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    with page.expect_request(late):
        page.goto(f"{judged.url}/analysis?a=larkspur&b=brindle-xl")
    page.get_by_role("button", name="Swap").click()
    title = page.locator("#duel figure h3")
    expect(title).to_have_text("Chance that Brindle XL is preferred to Larkspur")
    with page.expect_event("requestfinished", lambda request: bool(late.search(request.url))):
        held.pop().continue_()
    page.wait_for_timeout(200)
    expect(title).to_have_text("Chance that Brindle XL is preferred to Larkspur")


def test_a_search_that_finds_nobody_says_so_and_escape_takes_it_back(desktop: BrowserContext, judged: Arena):
    page = open_page(desktop, judged)
    field = page.get_by_role("combobox", name="First model")
    expect(field).not_to_have_value("")
    was = field.input_value()
    field.fill("zzz")
    expect(page.get_by_role("option")).to_have_text(["No model is called that"])
    field.press("Enter")
    field.press("Escape")
    expect(field).to_have_value(was)


def test_the_matrix_is_read_by_pointer_and_by_keys(desktop: BrowserContext, judged: Arena):
    page = open_page(desktop, judged)
    page.locator("#matrix").scroll_into_view_if_needed()
    drawing = page.locator("#matrix svg")
    expect(drawing).to_have_attribute("role", "img")
    expect(drawing).to_have_attribute("aria-label", re.compile("^Share won by the row"))
    drawing.locator("rect").nth(3).hover(force=True)
    expect(page.locator("#matrix .readout")).to_contain_text(re.compile(r".+ against .+: .+ of \d+ votes?\."))
    by_pointer = page.locator("#matrix .readout").inner_text()
    drawing.press("ArrowDown")
    expect(page.locator("#matrix .readout")).not_to_have_text(by_pointer)
    page.get_by_role("button", name="Votes", exact=True).click()
    expect(page.locator("#matrix h3")).to_have_text("Votes on each pair")


def test_the_numbers_behind_a_plot_are_a_table_and_a_file(desktop: BrowserContext, judged: Arena, tmp_path: Path):
    page = open_page(desktop, judged)
    page.locator("#matrix").scroll_into_view_if_needed()
    page.locator("#matrix summary").click()
    expect(page.locator("#matrix tbody tr")).to_have_count(15)
    with page.expect_download() as waiting:
        page.locator("#matrix").get_by_role("button", name="Download CSV").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = judged.stranger().get("/api/analysis/matrix").json()
    names = {each["id"]: each["name"] for each in judged.stranger().get("/api/analysis").json()["models"]}
    told = {(names[found["models"][i]], names[found["models"][j]]): sum(record) for i, j, *record in found["cells"]}
    assert {(row["Model"], row["Against"]): int(row["Votes"]) for row in rows} == told


def test_every_section_comes_when_it_is_reached(desktop: BrowserContext, judged: Arena):
    page = open_page(desktop, judged)
    for section in ("matrix", "history", "collection", "position", "influence", "goodness"):
        page.locator(f"#{section}").scroll_into_view_if_needed()
        expect(page.locator(f"#{section} .found")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator(f"#{section} .trouble")).to_have_count(0)
    expect(page.locator("#style figure")).to_have_count(0)
    page.get_by_role("button", name="Compute it").click()
    expect(page.locator("#style h3").first).to_have_text("Share of votes that the longer answer won")
    assert page.errors == []  # type: ignore[attr-defined]


def test_lines_are_taken_off_and_added_and_the_address_keeps_them(desktop: BrowserContext, judged: Arena):
    page = open_page(desktop, judged)
    page.locator("#history").scroll_into_view_if_needed()
    expect(page.locator("#history .chip")).to_have_count(6)
    before = _colours(page)
    page.get_by_role("button", name="Take off Larkspur").click()
    expect(page.locator("#history .chip")).to_have_count(5)
    assert _colours(page).items() < before.items()  # the others keep theirs
    shown = parse_qs(urlsplit(page.url).query)["models"]
    assert len(shown) == 5
    assert "larkspur" not in shown
    field = page.get_by_role("combobox", name="Add a model")
    field.fill("Lark")
    field.press("Enter")
    expect(page.locator("#history .chip")).to_have_count(6)
    assert _colours(page) == before  # and the one that is free again is taken


def _colours(page: Page) -> dict[str, str]:
    chips = page.locator("#history .chip").all()
    return {chip.inner_text(): re.search(r"\bc\d\b", chip.get_attribute("class") or "")[0] for chip in chips}  # type: ignore[index]


def _changed(page: Page, path: str, change: Callable[[str], str]) -> None:
    """Let the page hear another answer than the arena gives."""

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=change(response.text()))

    page.route(re.compile(rf"/api/analysis{path}(\?|$)"), answer)


def test_the_address_keeps_models_whose_ids_hold_blanks(desktop: BrowserContext, judged: Arena):
    page = desktop.new_page()
    for path in ("", "/history"):
        _changed(page, path, lambda text: text.replace('"larkspur"', '"lark spur"'))
    page.goto(f"{judged.url}/analysis?models=lark+spur&models=quillon-9b")
    page.locator("#history").scroll_into_view_if_needed()
    expect(page.locator("#history .chip")).to_have_count(2)
    page.get_by_role("button", name="Take off Quillon").click()
    assert parse_qs(urlsplit(page.url).query)["models"] == ["lark spur"]


def test_no_band_is_drawn_over_a_board_without_an_interval(desktop: BrowserContext, judged: Arena):
    def five_boards(text: str) -> str:
        found = json.loads(text)
        boards = [[f"s{k}", "2026-03-02T12:00:00+00:00", 10 * k] for k in range(1, 6)]
        lines = {"larkspur": [[1000, 990, 1010]] * 2 + [[1000, None, None]] + [[1000, 990, 1010]] * 2}
        return json.dumps({**found, "boards": boards, "scores": lines})

    page = desktop.new_page()
    _changed(page, "/history", five_boards)
    page.goto(f"{judged.url}/analysis")
    page.locator("#history").scroll_into_view_if_needed()
    expect(page.locator("#history polygon.band")).to_have_count(2)
    expect(page.locator("#history .axis-title").filter(has_text="Entries of the log")).to_have_count(1)


def test_withdrawn_votes_are_told_beside_those_that_came_in(desktop: BrowserContext, judged: Arena):
    def withdrawn(text: str) -> str:
        one = {"model": "larkspur", "withdrawn": [1, 20, 0, 0], "cast": [100, 100, 9, 1]}
        other = {"model": "quillon-9b", "withdrawn": [1, 1, 0, 0], "cast": [9, 9, 0, 0], "p_value": 1, "q_value": 1}
        models = [{**one, "p_value": 1e-5, "q_value": 2e-5, "apart": "losses"}, {**other, "apart": None}]
        told = {"n_votes": 22, "n_cast": 300, "n_voters": 3, "models": models}
        return json.dumps({**json.loads(text), "withdrawals": told})

    page = open_page(desktop, judged)
    page.locator("#collection").scroll_into_view_if_needed()
    expect(page.locator("#collection")).to_contain_text("No vote was withdrawn.")
    _changed(page, "/collection", withdrawn)
    page.reload()
    section = page.locator("#collection")
    section.scroll_into_view_if_needed()
    expect(section).to_contain_text("22 votes of 300 were withdrawn")
    expect(section.get_by_role("listitem")).to_have_text(
        ["Larkspur: losses were withdrawn more often (20%) than wins (1%), beyond chance (q = 0.00002)."]
    )
    expect(section.locator("table")).to_have_count(0)  # folded
    section.locator("summary").last.click()
    expect(section.locator("tbody tr")).to_have_count(2)


def test_an_address_that_is_none_becomes_no_link(desktop: BrowserContext, judged: Arena):
    def without_a_host(text: str) -> str:
        found = json.loads(text)
        return json.dumps({**found, "model": {**found["model"], "url": "https://"}})

    page = desktop.new_page()
    _changed(page, "/model", without_a_host)
    page.goto(f"{judged.url}/model?id=larkspur")
    expect(page.locator("#rank dd").nth(0)).not_to_be_empty()
    expect(page.locator("#facts a")).to_have_count(0)


def test_a_page_of_a_model_shows_its_record_and_leads_to_duels(desktop: BrowserContext, judged: Arena):
    page = open_page(desktop, judged, "/model?id=tamarack-3")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tamarack <i>3</i>")  # text, not markup
    expect(page).to_have_title(re.compile("^Tamarack"))
    expect(page.locator("#facts")).to_contain_text("Zephyr & Sons")
    expect(page.locator("#rank dd").nth(0)).not_to_be_empty()
    expect(page.locator("#kinds figure")).to_be_visible()
    page.locator("#opponents summary").last.click()
    page.locator("#opponents .links a").first.click()
    expect(page.get_by_role("combobox", name="First model")).to_have_value("Tamarack <i>3</i>")


def test_an_unknown_model_and_a_missing_board_say_what_to_do(
    desktop: BrowserContext, judged: Arena, unchanged_arena: Arena
):
    page = open_page(desktop, judged, "/model?id=nobody")
    expect(page.locator("#state h2")).to_have_text("No such model")
    page = open_page(desktop, unchanged_arena)
    expect(page.locator("#state h2")).to_have_text("Not enough votes yet")
    expect(page.get_by_role("link", name="Go to the arena")).to_be_visible()
    expect(page.locator("#findings")).to_be_hidden()


def test_a_failure_is_said_and_can_be_tried_again(desktop: BrowserContext, judged: Arena):
    page = desktop.new_page()
    page.route("**/api/analysis/matrix", lambda route: route.abort())
    page.goto(f"{judged.url}/analysis")
    page.locator("#matrix").scroll_into_view_if_needed()
    expect(page.locator("#matrix .trouble")).to_contain_text("The server does not answer")
    page.unroute("**/api/analysis/matrix")
    page.locator("#matrix").get_by_role("button", name="Try again").click()
    expect(page.locator("#matrix svg")).to_be_visible()


def test_an_answer_that_takes_long_is_asked_for_again(desktop: BrowserContext, judged: Arena):
    page = desktop.new_page()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=202, json={"pending": True})
        else:
            route.continue_()

    page.route("**/api/analysis/goodness", answer)
    page.goto(f"{judged.url}/analysis")
    page.locator("#goodness").scroll_into_view_if_needed()
    expect(page.locator("#goodness .found")).to_contain_text("Still computing")
    expect(page.locator("#goodness .verdict")).to_be_visible()
    assert len(asked) == 2


@pytest.mark.parametrize("path", ["/analysis", "/model?id=larkspur"])
def test_a_phone_never_scrolls_sideways(phone: BrowserContext, judged: Arena, path: str):
    page = open_page(phone, judged, path)
    expect(page.locator(".found figure").first).to_be_visible()
    for section in page.locator("#findings > section").all():
        section.scroll_into_view_if_needed()
        expect(section.locator(".found")).not_to_have_attribute("aria-busy", "true")
    assert not has_sideways_scroll(page)


@pytest.mark.parametrize("language", ["de", "zh"])
def test_the_page_speaks_the_languages_of_the_interface(browser: Browser, judged: Arena, language: str):
    context = browser.new_context(locale=language)
    context.set_default_timeout(15_000)
    page = open_page(context, judged)
    expect(page.locator("#duel h2")).to_have_text(texts(language)["study.duel"])
    for section in ("matrix", "history", "collection", "position", "influence", "goodness"):
        page.locator(f"#{section}").scroll_into_view_if_needed()
        expect(page.locator(f"#{section} .found")).not_to_have_attribute("aria-busy", "true")
    page.locator("#style button.go").click()
    expect(page.locator("#style h3").first).to_have_text(texts(language)["study.length.plot"])
    assert page.errors == []  # type: ignore[attr-defined]
    context.close()


def test_a_question_that_takes_longer_than_its_patience_is_pending(judged: Arena):
    # With no patience at all every first answer is "not yet".
    app = FastAPI()
    app.include_router(analysis_api.routes(Study(judged.store, judged.job.latest), patience_seconds=0))
    with TestClient(app) as client:
        first = client.get("/api/analysis/position")
        assert (first.status_code, first.json()) == (202, {"pending": True})
