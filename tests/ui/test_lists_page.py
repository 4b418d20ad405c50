"""Lists that voters rank: over HTTP, blind to the last byte, and in a real browser by key, by tap, by radio button."""

import re
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from arena.ui.texts import LANGUAGES, texts
from canaries import canary_store, given_away, texts_in, walked
from served import Arena, Serve, everything, in_state, named_in, open_arena

RULES = '[ballot]\nkind = "ranked"\nanswers = 4\n'
ASKING = '[consent]\nversion = "1"\nlicense = "cc0-1.0"\npurpose = "train"\ntext = "May we?"\n'


@pytest.fixture
def ranked(serve: Serve) -> Arena:
    return serve(rules=RULES)


def list_of(client: httpx.Client) -> dict[str, Any]:
    return client.post("/api/lists", json={}).raise_for_status().json()["list"]


def rank(client: httpx.Client, ballot_id: str, ranks: object) -> httpx.Response:
    return client.post(f"/api/lists/{ballot_id}/vote", json={"ranks": ranks})


# ---- over HTTP ----


def test_a_list_is_opened_ranked_and_revealed(ranked: Arena):
    me = ranked.visitor()
    ballot = list_of(me)
    assert set(ballot) == {"ballot_id", "category", "language", "messages", "answers"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", ballot["ballot_id"])
    assert len(ballot["answers"]) == 4
    assert list_of(me) == ballot
    told = rank(me, ballot["ballot_id"], [2, 1, 3, 2])
    assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
    assert [set(each) >= {"name", "score"} for each in told.json()["answers"]] == [True] * 4
    assert told.json()["votes"] == {"mine": 5, "all": 5}
    assert rank(me, ballot["ballot_id"], [2, 1, 3, 2]).json() == told.json()
    refused = rank(me, ballot["ballot_id"], [1, 2, 3, 4])
    assert (refused.status_code, refused.json()["error"]) == (409, "already_ranked")
    assert len(me.get("/api/me").json()["recent"]) == 5
    [kept] = me.get("/api/me/votes").json()["lists"]
    assert (kept["ranks"], len(kept["answers"])) == ([2, 1, 3, 2], 4)
    assert ranked.store.log.broken_links() == []


@pytest.mark.parametrize(
    "ranks", [[1, 2, 3], [1, 1, 1, 1], [0, 1, 2, 3], [1, 2, 3, 9], ["1", 2, 3, 4], "1234", None, [[]]]
)
def test_ranks_that_are_none_store_nothing(ranked: Arena, ranks: object):
    me = ranked.visitor()
    response = rank(me, list_of(me)["ballot_id"], ranks)
    assert (response.status_code, response.json()["error"]) == (422, "not_a_label")
    assert ranked.n_acts == 0


def test_a_list_is_skipped_and_taken_back_and_is_nobody_elses(ranked: Arena):
    me, other, nobody = ranked.visitor(), ranked.visitor(), ranked.stranger()
    assert nobody.post("/api/lists", json={}).json()["error"] == "no_cookie"
    first = list_of(me)["ballot_id"]
    assert rank(other, first, [1, 2, 3, 4]).status_code == 404
    assert me.post(f"/api/lists/{first}/skip", json={"reason": "broken"}).status_code == 200
    assert rank(me, first, [1, 2, 3, 4]).json()["error"] == "ballot_skipped"
    second = list_of(me)["ballot_id"]
    assert me.post(f"/api/lists/{second}/withdrawal", json={}).status_code == 409
    rank(me, second, [1, 2, 3, 4])
    assert me.post("/api/lists", json={}).json()["last"] == second
    assert me.post(f"/api/lists/{second}/withdrawal", json={}).json()["votes"] == {"mine": 0, "all": 0}
    assert me.post("/api/lists", json={}).json()["last"] is None
    assert me.post("/api/ballots", json={}).json()["error"] == "not_offered"


def test_an_arena_of_pairs_has_no_lists(arena: Arena):
    me = arena.visitor()
    assert me.post("/api/lists", json={}).status_code == 404
    assert "ranked.js" not in me.get("/").text


def test_before_the_order_is_stored_no_route_gives_a_model_away(
    serve: Serve, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    arena = serve(earlier=SimpleNamespace(store=canary_store()), rules=RULES)
    visitor = arena.visitor()
    ballot = list_of(visitor)
    walk = walked(arena, visitor, ballot["ballot_id"])
    for act, body in (("vote", {"ranks": [9]}), ("vote", {"model": "x"}), ("skip", {}), ("withdrawal", {})):
        walk.ask("POST", f"/api/lists/{ballot['ballot_id']}/{act}", json=body)
    own = texts_in(str(ballot).encode())
    assert len(own) == 4
    for address, status, data in walk.seen:
        assert not given_away(data), address
        assert texts_in(data) <= own, address
        assert status < 500, address
    assert arena.n_acts == 0
    assert list_of(visitor) == ballot


def test_the_order_and_the_ids_of_a_list_say_nothing_of_its_models(ranked: Arena):
    # Of 6 answers 4 are shown: each has each place with 1/6. 60 lists, so 10 times, with a deviation of 2.9.
    shown: dict[tuple[str, int], int] = {}
    for _ in range(60):
        visitor = ranked.visitor()
        response = visitor.post("/api/lists", json={})
        assert not named_in(everything(response))
        for place, text in enumerate(response.json()["list"]["answers"]):
            shown[text, place] = shown.get((text, place), 0) + 1
    prompts = 3
    assert len({text for text, _ in shown}) <= 6
    assert all(times < 10 * prompts + 5 * 2.9 for times in shown.values())


def test_consent_goes_with_a_list_as_with_a_vote(serve: Serve):
    arena = serve(rules=RULES + ASKING)
    me = arena.visitor()
    me.post("/api/me/consent", json={"version": "1", "given": True}).raise_for_status()
    rank(me, list_of(me)["ballot_id"], [1, 2, 3, 4])
    with arena.store._database.read() as cursor:
        rows = cursor.execute("select distinct consent_version, purpose from votes").fetchall()
    assert rows == [("1", "train")]


# ---- in a browser ----


def order(page: Page) -> str:
    return page.locator("#order").inner_text()


def test_a_list_is_ranked_by_keys_alone(desktop: BrowserContext, ranked: Arena):
    page = open_arena(desktop, ranked)
    assert not named_in(page.content())
    expect(page.locator("#pair .answer")).to_have_count(4)
    expect(page.locator("#answer-0")).to_have_class(re.compile("current"))
    assert order(page) == "4 answers have no rank yet."
    page.keyboard.press("2")
    page.keyboard.press("1")
    page.keyboard.press("3")
    assert order(page) == "1 answer has no rank yet."
    page.keyboard.press("Enter")  # not yet: nothing is sent
    in_state(page, "voting")
    assert ranked.n_acts == 0
    page.keyboard.press("3")
    assert order(page) == "Your order: B > A > C = D"
    page.keyboard.press("c")
    page.keyboard.press("4")
    assert order(page) == "Your order: B > A > D > C"
    page.keyboard.press("Enter")
    in_state(page, "revealed")
    expect(page.locator("#saved")).to_have_text("✓ Saved: B > A > D > C.")
    expect(page.locator("#answer-1")).to_have_class(re.compile("won"))
    assert all(page.locator(f"#answer-{place} .name").inner_text() for place in range(4))
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    expect(page.locator("#aside")).to_have_text("6 votes by you · 6 in all")
    page.keyboard.press("u")
    expect(page.locator("#saved.withdrawn")).to_contain_text("Your last order is withdrawn")
    assert ranked.n_votes == 0
    page.keyboard.press("Enter")
    in_state(page, "voting")
    expect(page.locator(".name:not(:empty), .won, .ranks input:checked")).to_have_count(0)


def test_a_list_is_ranked_by_touch_and_fits_a_phone(phone: BrowserContext, ranked: Arena):
    page = open_arena(phone, ranked)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for place, number in enumerate((3, 1, 1, 2)):
        label = page.locator(f"#answer-{place} .ranks label").nth(number - 1)
        box = label.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        label.tap()
    assert order(page) == "Your order: B = C > D > A"
    page.get_by_role("button", name="Save order").tap()
    in_state(page, "revealed")
    assert ranked.n_votes == 5


def test_the_ranks_are_radio_buttons_of_each_answer(desktop: BrowserContext, ranked: Arena):
    page = open_arena(desktop, ranked)
    group = page.get_by_role("group", name="Rank of answer B")
    expect(group.get_by_role("radio")).to_have_count(4)
    group.get_by_role("radio", name="2").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(group.get_by_role("radio", name="3")).to_be_checked()
    page.keyboard.press("1")  # a digit means the same there as anywhere
    expect(group.get_by_role("radio", name="1")).to_be_checked()


def test_all_of_one_rank_is_asked_about_and_not_sent(desktop: BrowserContext, ranked: Arena):
    page = open_arena(desktop, ranked)
    for _ in range(4):
        page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble")).to_contain_text("All answers have the same rank")
    in_state(page, "voting")
    page.keyboard.press("a")
    page.keyboard.press("2")
    expect(page.locator("#trouble")).to_be_hidden()
    page.keyboard.press("Enter")
    in_state(page, "revealed")
    assert ranked.n_votes == 3


def test_a_list_is_skipped_with_a_reason_and_the_last_one_is_all(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=RULES, n_prompts=1)
    page = open_arena(desktop, arena)
    page.keyboard.press("s")
    page.keyboard.press("2")
    in_state(page, "notice")
    expect(page.get_by_role("heading", name="All judged")).to_be_visible()
    assert arena.n_acts == 0


def test_an_order_that_was_not_saved_is_not_called_saved_and_is_sent_again(desktop: BrowserContext, ranked: Arena):
    page = open_arena(desktop, ranked)
    page.route("**/api/lists/*/vote", lambda route: route.abort())
    for key in ("1", "2", "3", "4", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#trouble.bad")).to_contain_text("may not be saved")
    page.unroute("**/api/lists/*/vote")
    page.get_by_role("button", name="Try again").click()
    in_state(page, "revealed")
    assert ranked.n_votes == 6


def test_the_keys_and_the_guideline_lie_over_a_list_too(desktop: BrowserContext, ranked: Arena):
    page = open_arena(desktop, ranked)
    page.keyboard.press("?")
    expect(page.locator("#keys-sheet")).to_contain_text("Choose an answer")
    expect(page.locator("#keys-sheet")).not_to_contain_text("Both bad")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(page.locator("#guideline-sheet")).to_contain_text("What better means")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator("#mine-sheet")).to_be_visible()


def test_consent_is_asked_before_the_first_list(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=RULES + ASKING)
    page = desktop.new_page()
    page.goto(arena.url)
    in_state(page, "asking")
    expect(page.locator("#pair")).to_be_hidden()
    page.keyboard.press("1")
    in_state(page, "voting")
    expect(page.locator("#trouble")).to_contain_text("Saved: your votes may be published")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_speaks_the_language_of_the_reader(desktop: BrowserContext, ranked: Arena, language: str):
    browser = desktop.browser
    assert browser is not None
    context = browser.new_context(locale=language)
    page = open_arena(context, ranked)
    expect(page.locator("#how")).to_have_text(texts(language)["ranked.how"])
    expect(page.locator("#label-0")).to_have_text(texts(language)["ranked.answer"].format(letter="A"))
    context.close()
