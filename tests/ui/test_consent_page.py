"""Consent asked on the page: over HTTP, and in a real browser by key, by tap, and without a mouse."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from arena.errors import DatabaseUnavailable
from arena.export import export
from arena.limits import Act, Limit, Whose
from arena.ui.texts import LANGUAGES, texts
from served import Arena, Serve, ballot_of, in_state, named_in, open_arena, vote_on

RULES = """[consent]
version = "1"
license = "cc-by-4.0"
purpose = "both"
text = "The lab publishes *once a month*. <b>Not bold.</b>"
translations = { de = "Das Labor veröffentlicht einmal im Monat." }
"""
NEEDED = f"{RULES}required = true\n"


@pytest.fixture
def asking(serve: Serve) -> Arena:
    return serve(rules=RULES)


def say(client: httpx.Client, given: object, version: object = "1") -> httpx.Response:
    return client.post("/api/me/consent", json={"version": version, "given": given})


def versions(arena: Arena) -> list[str | None]:
    """The consent that each vote carries, in the order of the log."""
    with arena.store._database.read() as cursor:
        return [each for (each,) in cursor.execute("select consent_version from votes order by seq").fetchall()]


def n_ballots(arena: Arena) -> int:
    with arena.store._database.read() as cursor:
        [[n]] = cursor.execute("select count(*) from ballots").fetchall()
    return n


# ---- over HTTP ----


def test_what_is_asked_and_what_was_said_are_told(asking: Arena):
    me = asking.visitor()
    response = me.get("/api/me/consent")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    told = response.json()
    assert (told["said"], told["n_votes"]) == (None, 0)
    html = told["asked"].pop("html")
    assert "<em>once a month</em>" in html
    assert "<b>" not in html
    page = "https://spdx.org/licenses/CC-BY-4.0.html"
    expected = {"version": "1", "license": "cc-by-4.0", "license_page": page, "purpose": "both"}
    expected |= {"language": None, "required": False}
    assert told["asked"] == expected
    german = me.get("/api/me/consent", headers={"Accept-Language": "de-AT, en;q=0.5"}).json()["asked"]
    assert (german["language"], "Labor" in german["html"]) == ("de", True)
    said = say(me, True)
    assert (said.status_code, said.headers["cache-control"]) == (200, "no-store")
    assert said.json()["said"] == {"version": "1", "given": True, "said_at": asking.clock.now.isoformat()}
    assert said.json() == me.get("/api/me/consent").json()


def test_a_client_votes_with_the_consent_that_it_gave_and_cannot_claim_another(asking: Arena):
    me = asking.visitor()
    ballot = ballot_of(me)["ballot_id"]
    for claim in ({"consent_version": "1"}, {"purpose": "both"}, {"consent": True}):
        assert me.post(f"/api/ballots/{ballot}/vote", json={"verdict": "A"} | claim).status_code == 422
    assert asking.n_acts == 0
    vote_on(me, ballot)
    assert say(me, True, "2").json()["error"] == "not_asked"
    vote_on(me, ballot_of(me)["ballot_id"])
    say(me, True)
    vote_on(me, ballot_of(me)["ballot_id"])
    assert versions(asking) == [None, None, "1"]
    assert me.get("/api/me/consent").json()["n_votes"] == 1
    assert asking.store.log.broken_links() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"given": True},
        {"version": "1"},
        {"version": "1", "given": "yes"},
        {"version": 1, "given": True},
        [],
        {"version": "1", "given": True, "voter": "x"},
        {"version": "1", "given": 1},
        {"version": "1", "given": None},
    ],
)
def test_what_is_neither_yes_nor_no_stores_nothing(asking: Arena, body: object):
    me = asking.visitor()
    assert me.post("/api/me/consent", json=body).status_code == 422
    assert asking.n_acts == 0


def test_it_is_the_cookies_own_word(asking: Arena):
    me, other, nobody = asking.visitor(), asking.visitor(), asking.stranger()
    say(me, True)
    assert other.get("/api/me/consent").json()["said"] is None
    for response in (nobody.get("/api/me/consent"), say(nobody, True)):
        assert (response.status_code, response.json()["error"]) == (403, "no_cookie")
    headers = {"Origin": "https://elsewhere.example"}
    crossed = me.post("/api/me/consent", json={"version": "1", "given": False}, headers=headers)
    assert (crossed.status_code, asking.n_acts) == (403, 1)
    [kept] = me.get("/api/me/votes").json()["consents"]
    assert (kept["is_given"], kept["version"], kept["license"], kept["purpose"]) == (True, "1", "cc-by-4.0", "both")
    assert "once a month" in kept["text"]


def test_an_arena_that_asks_nothing_takes_no_yes(arena: Arena):
    me = arena.visitor()
    assert me.get("/api/me/consent").json() == {"asked": None, "said": None, "n_votes": 0}
    assert say(me, True).status_code == say(me, False).status_code == 409
    assert "consent.js" not in me.get("/").text
    assert arena.n_acts == 0


def test_a_yes_is_within_the_limits_of_votes_and_a_no_is_always_taken(serve: Serve):
    arena = serve(rules=RULES, limits={(Act.VOTE, Whose.VOTER): Limit.parse("1/hour")})
    me = arena.visitor()
    assert say(me, True).status_code == 200
    assert say(me, False).status_code == 200
    assert say(me, True).status_code == 429
    assert me.get("/api/me/consent").json()["said"]["given"] is False


def test_where_it_is_needed_a_ballot_is_refused_without_it(serve: Serve):
    arena = serve(rules=NEEDED)
    me = arena.visitor()
    refused = me.post("/api/ballots", json={})
    assert (refused.status_code, refused.json()["error"]) == (403, "consent_needed")
    say(me, True)
    ballot = ballot_of(me)["ballot_id"]
    say(me, False)
    assert vote_on(me, ballot).json()["error"] == "consent_needed"
    assert arena.n_votes == 0


# ---- in a browser ----


def asked(context: BrowserContext, arena: Arena) -> Page:
    page = context.new_page()
    page.goto(arena.url)
    in_state(page, "asking")
    return page


def test_the_page_asks_plainly_before_the_first_ballot_and_one_key_answers(desktop: BrowserContext, asking: Arena):
    page = asked(desktop, asking)
    question = page.get_by_role("region", name="Before you vote: may your votes be published?")
    expect(question).to_be_visible()
    expect(question).to_be_focused()
    expect(question).to_contain_text("The lab publishes once a month. <b>Not bold.</b>")
    expect(question).to_contain_text("under the licence cc-by-4.0, so that models can be trained and tested on them")
    expect(question).to_contain_text("If you say no, your votes count here all the same")
    expect(page.locator("#prompt, #pair, #bar").filter(visible=True)).to_have_count(0)
    # Neither answer is chosen or stands out: they look the same, and there is no box to tick.
    assert page.locator("#asking input, #asking .go").count() == 0
    styles = page.locator("#asking button").evaluate_all(
        "all => all.map(each => { const s = getComputedStyle(each); "
        "return [s.color, s.backgroundColor, s.borderColor, s.fontWeight, s.height]; })"
    )
    assert styles[0] == styles[1]
    assert n_ballots(asking) == 0  # its clock starts when the voter sees it
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    in_state(page, "asking")
    page.keyboard.press("1")
    in_state(page, "voting")
    expect(page.locator("#trouble span")).to_contain_text("Saved: your votes may be published.")
    expect(page.locator("#asking")).to_be_hidden()
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert versions(asking) == ["1"]
    page.reload()
    in_state(page, "voting")
    expect(page.locator("#asking")).to_be_hidden()


def test_a_no_keeps_nobody_from_voting_and_is_remembered(phone: BrowserContext, asking: Arena):
    page = asked(phone, asking)
    for button in page.locator("#asking button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= 844  # both are on the screen at once
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="No, do not publish them").tap()
    in_state(page, "voting")
    page.locator("#verdicts [data-verdict=A]").tap()
    in_state(page, "revealed")
    assert versions(asking) == [None]
    page.reload()
    in_state(page, "voting")


def test_it_can_be_answered_with_tab_and_enter_where_letter_keys_are_off(desktop: BrowserContext, asking: Arena):
    desktop.add_init_script("localStorage.setItem('bakeoff-letters', 'off')")
    page = asked(desktop, asking)
    page.keyboard.press("1")
    in_state(page, "asking")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="cc-by-4.0")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Yes, publish them")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    with asking.store._database.read() as cursor:
        assert cursor.execute("select is_given from consents").fetchall() == [(False,)]


def test_the_answer_is_changed_among_the_own_data_and_the_page_says_what_that_means(
    desktop: BrowserContext, asking: Arena, tmp_path: Path
):
    page = asked(desktop, asking)
    page.keyboard.press("1")
    in_state(page, "voting")
    page.keyboard.press("a")
    in_state(page, "revealed")
    page.keyboard.press("m")
    part = page.locator(".own-data .consent")
    expect(part).to_contain_text("You said yes")
    expect(part).to_contain_text("1 vote cast since then may be published.")
    page.get_by_text("What you are asked").click()
    expect(part).to_contain_text("under the licence cc-by-4.0")
    page.get_by_role("button", name="Take my consent back").press("Enter")
    status = part.get_by_role("status")
    expect(status).to_contain_text("No vote of yours is in an export from now on.")
    expect(status).to_be_focused()
    expect(part).to_contain_text("You said no")
    export(asking.store, tmp_path / "out", names=("raw_votes",))
    assert not list((tmp_path / "out").glob("raw_votes/*"))
    page.get_by_role("button", name="Yes, from now on").press("Enter")
    expect(status).to_contain_text("The votes that you cast from now on may be published.")
    expect(part).to_contain_text("0 votes cast since then may be published.")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    page.keyboard.press("b")
    in_state(page, "revealed")
    export(asking.store, tmp_path / "out", names=("raw_votes",))
    assert list((tmp_path / "out").glob("raw_votes/*"))


def test_where_it_is_needed_a_no_says_so_and_one_can_be_asked_again(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=NEEDED)
    page = asked(desktop, arena)
    expect(page.locator("#asking-no")).to_contain_text("takes votes only from those who say yes")
    page.keyboard.press("2")
    in_state(page, "notice")
    expect(page.get_by_role("heading", name="Voting here needs your consent")).to_be_visible()
    page.get_by_role("button", name="Load the page again").click()
    in_state(page, "asking")
    page.keyboard.press("1")
    in_state(page, "voting")


def test_an_answer_that_was_not_saved_is_not_called_saved_and_can_be_given_again(
    desktop: BrowserContext, asking: Arena, monkeypatch: pytest.MonkeyPatch
):
    page = asked(desktop, asking)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the disk is full of Quillon Nine")

    monkeypatch.setattr(asking.booth, "say", fail)
    page.keyboard.press("1")
    expect(page.locator("#asking-trouble")).to_contain_text("cannot reach its votes")
    in_state(page, "asking")
    monkeypatch.undo()
    page.keyboard.press("1")
    in_state(page, "voting")
    assert asking.n_acts == 1


def test_a_question_that_cannot_be_asked_keeps_nobody_from_voting_and_counts_as_no(
    desktop: BrowserContext, asking: Arena
):
    page = desktop.new_page()
    broken = lambda route: route.fulfill(status=503, body="{}")  # noqa: E731
    page.route("**/api/me/consent", broken)
    page.goto(asking.url)
    in_state(page, "voting")
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert versions(asking) == [None]


def test_it_comes_before_the_worked_examples(desktop: BrowserContext, serve: Serve):
    from test_calibration_page import GUIDELINE, TEXT  # noqa: PLC0415

    rules = f"[guideline]\ncalibration = 3\n{RULES}"
    page = asked(desktop, serve(rules=rules, guideline=GUIDELINE, guideline_text=TEXT))
    expect(page.locator("#greeting")).to_be_hidden()
    page.keyboard.press("2")
    in_state(page, "greeting")
    expect(page.locator("#asking")).to_be_hidden()
    page.keyboard.press("s")
    in_state(page, "voting")


def test_before_the_vote_the_question_names_nobody(desktop: BrowserContext, asking: Arena):
    page = asked(desktop, asking)
    assert not named_in(page.content())
    page.keyboard.press("1")
    in_state(page, "voting")
    assert not named_in(page.content())


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_asks_in_the_language_of_the_reader(desktop: BrowserContext, asking: Arena, language: str):
    browser = desktop.browser
    assert browser is not None
    context = browser.new_context(locale=language)
    page = asked(context, asking)
    told = texts(language)
    expect(page.get_by_role("heading", name=told["consent.title"])).to_be_visible()
    expect(page.locator("#say-yes")).to_contain_text(told["consent.yes"])
    expect(page.locator("#say-no")).to_contain_text(told["consent.no"])
    expect(page.locator("#asking-terms")).to_have_text(told["consent.terms.both"].format(license="cc-by-4.0"))
    link = page.locator("#asking-terms a")
    expect(link).to_have_text("cc-by-4.0")
    expect(link).to_have_attribute("href", "https://spdx.org/licenses/CC-BY-4.0.html")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(page.locator("#asking-text")).to_contain_text("Labor" if language == "de" else "The lab")
    context.close()


def test_an_arena_without_a_question_opens_at_once(desktop: BrowserContext, arena: Arena):
    page = open_arena(desktop, arena)
    page.keyboard.press("m")
    expect(page.locator(".own-data")).to_be_visible()
    expect(page.locator(".own-data .consent h3")).to_have_count(0)


def test_how_many_agreed_stands_among_the_quality_of_the_data_and_names_nobody(asking: Arena, desktop: BrowserContext):
    """Three voters of whom two say yes: the page says how many, by version."""
    for given in (True, True, False):
        me = asking.visitor()
        say(me, given)
        for _ in range(3):
            vote_on(me, ballot_of(me)["ballot_id"])
    asking.compute_board()
    counts = [{"version": "1", "license": "cc-by-4.0", "n_yes": 2, "n_no": 1}]
    told = asking.visitor().get("/api/quality")
    assert told.json()["consents"] == counts
    page = desktop.new_page()
    page.goto(f"{asking.url}/quality")
    texts_en = texts("en")
    section = page.locator("#readiness")
    expect(section).to_contain_text(texts_en["quality.consent"])
    expect(section).to_contain_text(texts_en["quality.consent.terms"].format(version="1", license="cc-by-4.0"))
    expect(section).to_contain_text(texts_en["quality.consent.told"].format(yes=2, no=1))
