"""Adjudication over HTTP and in a real browser: what the host sees is blind, what is decided can be taken back."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from arena.login import Login
from arena.role import Role
from arena.ui.texts import LANGUAGES, texts
from openid import HASH, signed_in
from served import Arena, ballot_of, named_in, serving, vote_on

LOGIN = Login(password=HASH)
ADDRESS = "/api/host/disagreement"


@pytest.fixture
def arena() -> Iterator[Arena]:
    """An arena whose pairs all come to three voters, who say A, B and tie of whatever they get."""
    with serving() as start:
        served = start(login=LOGIN, rules="[items]\noverlap = 1.0\noverlap_voters = 3\n")
        for verdict in ("A", "B", "tie"):
            visitor = served.visitor()
            for _ in range(2):
                vote_on(visitor, ballot_of(visitor)["ballot_id"], verdict).raise_for_status()
        yield served


def host_of(arena: Arena) -> httpx.Client:
    return signed_in(arena, LOGIN, Role.HOST)


def told_to(host: httpx.Client) -> dict[str, Any]:
    answer = host.get(ADDRESS)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def verdict_on(case: dict[str, Any], verdict: str = "A", **more: str) -> dict[str, str]:
    return {"case": case["id"], "verdict": verdict, "reason": "B makes it up", "by": "Ada"} | more


def test_the_host_sees_the_pairs_and_how_votes_were_spread_and_no_model(arena: Arena):
    answer = host_of(arena).get(ADDRESS)
    told = answer.json()
    assert told["n_pairs"] >= 1
    assert told["n_open"] == told["n_conflicts"] == len(told["cases"])
    assert all(sum(case["votes"].values()) in (2, 3) for case in told["cases"])
    assert told["cases"][0]["votes"].keys() == {"A", "B", "tie", "both_bad"}
    assert named_in(answer.text) == []
    assert {each["trait"] for each in told["clusters"]} == {"category", "language", "length_gap", "guideline_version"}
    # Nothing by which an answer could be found elsewhere.
    ids = [str(answer) for answer in arena.store.catalogue.current_answers().values()]
    assert not any(each in answer.text for each in ids)


def test_shares_of_conflicts_come_with_their_interval_and_add_up(arena: Arena):
    told = told_to(host_of(arena))
    assert told["share"]["value"] == told["n_conflicts"] / told["n_pairs"]
    for trait in ("category", "language", "length_gap"):
        held = [each for each in told["clusters"] if each["trait"] == trait]
        assert sum(each["n_pairs"] for each in held) == told["n_pairs"]
    for each in told["clusters"]:
        share = each["share"]
        assert share["value"] == each["n_conflicts"] / each["n_pairs"]
        assert 0 <= share["low"] <= share["value"] <= share["high"] <= 1


def test_a_verdict_is_kept_and_can_be_taken_back(arena: Arena):
    host = host_of(arena)
    before = told_to(host)
    case = before["cases"][0]
    assert host.post(f"{ADDRESS}/adjudicate", json=verdict_on(case)).json() == {"is_new": True}
    assert host.post(f"{ADDRESS}/adjudicate", json=verdict_on(case)).json() == {"is_new": False}
    after = told_to(host)
    assert after["n_open"] == before["n_open"] - 1
    [decided] = after["decided"]
    assert (decided["reason"], decided["by"]) == ("B makes it up", "Ada")
    body = {"seq": decided["seq"], "reason": "too soon", "by": "Bea"}
    assert host.post(f"{ADDRESS}/take-back", json=body).json() == {"is_new": True}
    assert host.post(f"{ADDRESS}/take-back", json=body).json() == {"is_new": False}
    assert told_to(host) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "left"},
        {"reason": ""},
        {"by": " "},
        {"case": "nobody's"},
        {"reason": "x\ny"},
        {"model": "quillon-9b"},
    ],
)
def test_what_cannot_be_decided_is_refused_and_stores_nothing(arena: Arena, wrong: dict[str, str]):
    host = host_of(arena)
    answer = host.post(f"{ADDRESS}/adjudicate", json=verdict_on(told_to(host)["cases"][0]) | wrong)
    assert answer.status_code == 422
    assert answer.json()["message"]
    assert arena.store.gold.acts() == {}


def test_nobody_but_the_host_adjudicates(arena: Arena):
    case = told_to(host_of(arena))["cases"][0]
    for client in (arena.visitor(), signed_in(arena, LOGIN, Role.RESEARCHER), signed_in(arena, LOGIN, Role.ANNOTATOR)):
        assert client.get(ADDRESS).status_code in (401, 403)
        assert client.post(f"{ADDRESS}/adjudicate", json=verdict_on(case)).status_code in (401, 403)
    assert arena.store.gold.acts() == {}


# ---- in a browser ----


def host_page(context: BrowserContext, arena: Arena) -> Page:
    context.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": arena.url} for each in host_of(arena).cookies.jar]
    )
    page = context.new_page()
    page.goto(f"{arena.url}/host")
    return page


@pytest.mark.journey
@pytest.mark.parametrize("width", [390, 1440])
def test_a_host_decides_by_keys_and_takes_it_back(arena: Arena, browser: Browser, width: int):
    with browser.new_context(viewport={"width": width, "height": 844}) as context:
        page = host_page(context, arena)
        region = page.locator("#host-disagreement")
        case = region.locator("article[data-case]").first
        expect(case).to_contain_text("Votes: A is better 1 · Tie 1 · Both bad 0 · B is better 1.")
        expect(region.locator(".scroll > table").last).to_contain_text("reasoning")
        found = Axe().run(page)
        serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
        assert not serious, [(each["id"], each["nodes"][0]["html"]) for each in serious]
        wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room
        assert named_in(region.inner_text()) == []
        n_cases = region.locator("article[data-case]").count()
        case.get_by_label("A is better").focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")  # to the tie
        page.keyboard.press("Tab")
        page.keyboard.type("both say the same")
        page.keyboard.press("Tab")
        page.keyboard.type("Ada")
        page.keyboard.press("Enter")
        decided = region.locator("article[data-seq]")
        expect(decided).to_contain_text("both say the same (Ada,")
        expect(region.locator("article[data-case]")).to_have_count(n_cases - 1)
        [known] = arena.store.gold.all().values()
        assert known.verdict.value == "tie"
        decided.get_by_label("Reason").fill("too soon")
        decided.get_by_label("Your name").fill("Bea")
        decided.get_by_role("button", name="Take back").click()
        expect(region.locator("article[data-seq]")).to_have_count(0)
        expect(region.locator("article[data-case]")).to_have_count(n_cases)
        assert arena.store.gold.all() == {}


@pytest.mark.journey
def test_the_picture_shows_what_its_numbers_say_and_fits_a_phone_in_every_language(arena: Arena, browser: Browser):
    told = told_to(host_of(arena))
    shares = [told["share"], *(each["share"] for each in told["clusters"])]
    for language in LANGUAGES:
        with browser.new_context(viewport={"width": 390, "height": 844}, locale=language) as context:
            where = host_page(context, arena).locator("#host-disagreement table.where")
            expect(where.locator("tr:not(.group) svg")).to_have_count(len(shares))
            drawn = where.evaluate(
                """(table) => [...table.querySelectorAll("svg")].map((svg) => {
                    const [dot, line] = [svg.querySelector(".dot"), svg.querySelector(".interval")];
                    return [dot.getAttribute("cx"), line.getAttribute("x1"), line.getAttribute("x2")].map(parseFloat);
                })"""
            )
            for (value, low, high), share in zip(drawn, shares, strict=True):
                assert (value, low, high) == pytest.approx([100 * share[each] for each in ("value", "low", "high")])
            wide, room = where.evaluate("(table) => [table.parentElement.scrollWidth, table.parentElement.clientWidth]")
            assert wide <= room, language


@pytest.mark.journey
def test_every_language_has_the_words_of_it(arena: Arena, browser: Browser):
    for language in LANGUAGES:
        with browser.new_context(locale=language) as context:
            region = host_page(context, arena).locator("#host-disagreement")
            expect(region.locator("h2")).to_have_text(texts(language)["host.disagreement"])
            expect(region.locator("article[data-case]").first).to_be_visible()
            assert "disagreement." not in region.inner_text()
            assert "{" not in region.inner_text()
