"""The page of data quality: what its routes tell whom, and what a person reads there in a browser."""

import csv
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from arena.battle import Answer, Battle, BattleId, Message, Prompt, PromptId, Source, Verdict, Vote, VoteId, VoterId
from arena.login import Login
from arena.pack import answer_id
from arena.role import Role
from arena.ui.texts import LANGUAGES, texts
from openid import HASH, signed_in
from served import IDENTITIES, MODELS, NOON, Arena, ballot_of, serving, vote_on

LOGIN = Login(password=HASH)
SECTIONS = ("readiness", "agreement", "audits")
LEANING = "the-one-who-leans"


@pytest.fixture(scope="module")
def judged() -> Iterator[Arena]:
    """Twelve voters on twenty pairs of answers, two categories, one of which has few pairs; and a board of them."""
    with serving() as start:
        arena = start(login=LOGIN)
        judge(arena)
        arena.compute_board()
        yield arena


def judge(arena: Arena) -> None:
    """Everybody judges everything and mostly prefers the first model; one says side A, always."""
    prompts, written, votes = [], [], []
    for number in range(20):
        category = "few" if number < 3 else "many"
        prompt = Prompt(PromptId(f"asked-{number}"), (Message("user", f"Question {number}?"),), category, "en")
        prompts.append(prompt)
        pair = [MODELS[number % 3], MODELS[(number + 1) % 3]]
        pair = pair if number % 2 else pair[::-1]
        answers = [
            Answer(answer_id(prompt.id, model.id, text), prompt.id, model.id, text)
            for model in pair
            for text in [f"{model.id} says that {number} is what it is, {'at length, ' * (number % 4)}and no more."]
        ]
        written += answers
        for voter in (*(f"somebody-{n}" for n in range(11)), LEANING):
            name = f"{number}-{voter}"
            battle = Battle(BattleId(name), pair[0].id, pair[1].id, prompt.id, answers[0].id, answers[1].id)
            better = Verdict.A if pair[0] is min(pair, key=MODELS.index) else Verdict.B
            verdict = Verdict.A if voter == LEANING else Verdict.TIE if (number + len(votes)) % 7 == 0 else better
            when = NOON - timedelta(days=20 - number, hours=1)
            votes.append((battle, Vote(VoteId(name), battle.id, verdict, Source.HUMAN, VoterId(voter), when)))
    arena.store.catalogue.add_prompts(prompts, NOON)
    arena.store.catalogue.add_answers(written, NOON)
    arena.store.votes.add_imported(votes, NOON)


def open_page(context: BrowserContext, arena: Arena) -> Page:
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    page.goto(f"{arena.url}/quality")
    page.wait_for_selector("#audits figure, #state:not([hidden])")
    return page


# ---- routes ----


def test_the_quality_is_told_as_of_the_latest_snapshot(judged: Arena):
    answer = judged.stranger().get("/api/quality")
    latest = judged.job.latest()
    assert latest is not None
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert (told["snapshot"], told["n_log"], told["n_votes"], told["is_renewed"]) == (latest.id, 240, 240, False)
    readiness = told["readiness"]
    assert (
        readiness["n_pairs"]
        == 20
        == readiness["n_usable"] + readiness["n_gold"] + sum(readiness["pairs_left_out"].values())
    )
    assert readiness["band"] == "too_few"
    assert readiness["marks"] == {"too_few": 0, "narrow": 500, "general": 5_000, "frontier": 50_000}
    assert told["agreement"]["n_voters"] == 12
    assert [each["name"] for each in told["agreement"]["by"]["category"]] == ["few", "many"]
    assert len(told["audits"]) == 11


def test_what_cannot_be_told_is_null_with_its_reason(judged: Arena):
    agreement = judged.stranger().get("/api/quality").json()["agreement"]
    few, many = agreement["by"]["category"]
    assert (few["n_items"], few["low"], few["high"], few["band"]) == (3, None, None, None)
    assert few["reason"]
    assert many["n_items"] == 17
    assert many["low"] < many["value"] < many["high"]
    assert agreement["by"]["guideline"] == []
    assert agreement["untold"]["guideline"] == 240


def test_before_the_first_vote_the_route_says_what_to_do_and_the_page_is_there(unchanged_arena: Arena):
    client = unchanged_arena.stranger()
    answer = client.get("/api/quality")
    assert (answer.status_code, answer.json()["error"]) == (404, "no_quality")
    assert "Cast some votes" in answer.json()["message"]
    assert client.get("/quality").status_code == 200


def test_everybody_is_told_of_voters_models_and_answers_nothing(judged: Arena):
    client = judged.stranger()
    for path in ("/api/quality", "/quality"):
        told = client.get(path).text.lower()
        assert [word for word in (*IDENTITIES, "somebody-1", LEANING, "is what it is", "asked-1") if word in told] == []


def test_only_the_host_is_told_whom_the_audits_list(judged: Arena):
    assert judged.stranger().get("/api/host/quality").json()["error"] == "signed_out"
    host = signed_in(judged, LOGIN, Role.HOST)
    answer = host.get("/api/host/quality")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    [leaning] = [each for each in told["listed"] if each["name"] == "voters_leaning"]
    assert [each["voter"] for each in leaning["listed"]] == [LEANING]
    assert {each["voter"] for each in told["voters"]} == {LEANING, *(f"somebody-{n}" for n in range(11))}


def test_an_open_ballot_and_a_vote_on_it_change_nothing_before_the_next_board(judged: Arena):
    client = judged.visitor()
    before = client.get("/api/quality").content
    ballot = ballot_of(client)
    assert client.get("/api/quality").content == before
    if judged.job.after_votes > 1:
        vote_on(client, ballot["ballot_id"])
        assert client.get("/api/quality").json()["n_log"] in (240, 241)


def test_the_description_has_the_route_and_its_keys(judged: Arena):
    client = judged.stranger()
    described = client.get("/api/openapi.json").json()["paths"]["/api/quality"]["get"]
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == set(client.get("/api/quality").json())


# ---- in a browser ----


def test_the_page_says_when_it_looked_at_how_many_votes_and_how_many_pairs_there_are(
    desktop: BrowserContext, judged: Arena
):
    page = open_page(desktop, judged)
    told = judged.stranger().get("/api/quality").json()["readiness"]
    expect(page.locator("#as-of")).to_contain_text("As of 240 votes (People), looked at on Nov 21, 2026")
    expect(page.locator("#readiness .verdict")).to_contain_text(f"{told['n_usable']} usable pairs: too few to train on")
    marks = page.locator("#readiness svg").first.locator("text.tick").all_text_contents()
    assert [each.split(":")[0] for each in marks] == ["500", "5,000", "50,000", "500"]
    assert page.errors == []  # type: ignore[attr-defined]


def test_every_picture_is_read_by_keys_and_has_its_numbers_as_a_table_and_a_file(
    desktop: BrowserContext, judged: Arena, tmp_path: Path
):
    page = open_page(desktop, judged)
    for figure in page.locator("figure.plot").all():
        drawing = figure.locator("svg")
        expect(drawing).to_have_attribute("role", "img")
        expect(drawing).to_have_attribute("aria-label", re.compile("Arrow keys read the numbers"))
        drawing.focus()
        page.keyboard.press("ArrowDown")
        expect(figure.locator(".readout")).not_to_be_empty()
        figure.locator("summary").click()
        expect(figure.locator("tbody tr").first).to_be_visible()
    with page.expect_download() as waiting:
        page.locator("#readiness figure").nth(1).get_by_role("button", name="Download CSV").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["Step"]: row["Pairs of answers"] for row in csv.DictReader(file)}
    told = judged.stranger().get("/api/quality").json()["readiness"]
    assert rows["Collected"] == str(told["n_pairs"])
    assert rows["Usable pairs"] == str(told["n_usable"])


def test_the_four_bands_are_marked_and_few_pairs_stand_hollow_in_none(desktop: BrowserContext, judged: Arena):
    page = open_page(desktop, judged)
    chart = page.locator("#agreement figure").first
    assert chart.locator("rect.zone").count() == 4
    names = chart.locator("text").all_text_contents()
    assert {"poor", "fair", "moderate", "strong"} <= set(names)
    assert chart.locator("circle.dot.faint").count() == 1
    expect(page.locator("#agreement")).to_contain_text("No vote tells by which version of the guideline it was cast.")


def _answered(page: Page, change: Any) -> None:
    """Let the page hear another answer than the arena gives."""

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=json.dumps(change(response.json())))

    page.route(re.compile(r"/api/quality$"), answer)


def test_without_any_value_the_page_says_why_and_draws_none(desktop: BrowserContext, judged: Arena):
    def unknown(told: dict[str, Any]) -> dict[str, Any]:
        nothing = {"value": None, "low": None, "high": None, "band": None, "reason": "no two voters met"}
        told["agreement"]["all"] |= nothing
        told["agreement"]["same"] |= nothing
        told["agreement"]["outcome"] = "not_measurable"
        for audit in told["audits"]:
            audit["speaks"] = None
            for figure in audit["figures"]:
                figure |= {"value": None, "low": None, "high": None, "reason": "not enough data: 3 votes"}
        return told | {"is_renewed": True}

    page = desktop.new_page()
    _answered(page, unknown)
    page.goto(f"{judged.url}/quality")
    expect(page.locator("#agreement .verdict")).to_have_text("Whether voters agree is not known: no two voters met.")
    expect(page.locator("#agreement .verdict [lang=en]")).to_have_text("no two voters met")
    expect(page.locator("#audits figure")).to_have_count(0)
    page.locator("#audits summary").click()
    expect(page.locator("#audits li").first).to_contain_text("not enough data: 3 votes")
    expect(page.locator("#as-of")).to_contain_text("There are newer votes; a look at them is on its way.")


def test_a_general_model_s_worth_of_pairs_passes_two_marks(desktop: BrowserContext, judged: Arena):
    def many(told: dict[str, Any]) -> dict[str, Any]:
        told["readiness"] |= {"n_usable": 12_345, "band": "general", "missing": 37_655, "n_gold": 700}
        return told

    page = desktop.new_page()
    _answered(page, many)
    page.goto(f"{judged.url}/quality")
    expect(page.locator("#readiness .verdict")).to_have_text(
        "12,345 usable pairs: enough for a general model. 37,655 more reach the next mark."
    )
    expect(page.locator("#readiness p").nth(2)).to_contain_text("700 gold pairs, of at least 500")
    bar, *_ = page.locator("#readiness svg").first.locator("rect.bar").all()
    end = float(bar.get_attribute("width") or 0)
    at = [
        float(line.get_attribute("x1") or 0) for line in page.locator("#readiness svg").first.locator("line.mark").all()
    ]
    assert at[0] < at[1] < end < at[2]


def test_the_first_vote_is_asked_for_where_there_is_none(desktop: BrowserContext, unchanged_arena: Arena):
    page = open_page(desktop, unchanged_arena)
    expect(page.locator("#state h2")).to_have_text("Not enough votes yet")
    expect(page.locator("#state p").first).to_contain_text("Cast some votes in the arena")
    expect(page.locator("#findings")).to_be_hidden()


def test_nothing_is_asked_of_another_host(desktop: BrowserContext, judged: Arena):
    page = desktop.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{judged.url}/quality")
    page.wait_for_selector("#audits figure")
    assert {url for url in asked if not url.startswith((judged.url, "data:", "blob:"))} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_languages_of_the_interface(browser: Browser, judged: Arena, language: str):
    context = browser.new_context(locale=language, viewport={"width": 390, "height": 844})
    context.set_default_timeout(15_000)
    page = open_page(context, judged)
    for section in SECTIONS:
        expect(page.locator(f"#{section} h2")).to_have_text(texts(language)[f"quality.{section}"])
        expect(page.locator(f"#{section} .found")).not_to_have_attribute("aria-busy", "true")
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert page.errors == []  # type: ignore[attr-defined]
    context.close()
