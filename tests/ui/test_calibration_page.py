"""The worked examples that greet a new voter: over HTTP, and in a real browser."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from arena.guideline import Guideline
from served import Arena, Serve, ballot_of, in_state, open_arena, vote_on

RULES = "[guideline]\ncalibration = 3\n"
TEXT = """# Judge well

### 1. A trumpery title
**Prompt.** What is **two** and two?

**Answer A.** Four.

**Answer B.** `five`

```python
print("five")
```

**Verdict.** A

**Reason.** B is *plainly* wrong. <b>Not bold.</b>

### 2. Another givesaway
**Prompt.** Say it in German.
**Answer A.** Hello.
**Answer B.** Hallo.
**Verdict.** B
**Reason.** The languagereason.

### 3. Of no use
**Prompt.** Which day is it?
**Answer A.** Yes.
**Answer B.** No.
**Verdict.** Both bad
**Reason.** Nobodyanswers.
"""
HIDDEN = ("trumpery", "plainly", "givesaway", "languagereason", "of no use", "nobodyanswers")
GUIDELINE = Guideline("3", "tie", TEXT)


@pytest.fixture
def arena(serve: Serve) -> Arena:
    return serve(rules=RULES, guideline=GUIDELINE, guideline_text=TEXT)


def judge(client: httpx.Client, number: object, said: object) -> httpx.Response:
    return client.post(f"/api/calibration/{number}", json=said)


def rows(arena: Arena) -> list[tuple[Any, ...]]:
    with arena.store._database.read() as cursor:
        return cursor.execute("select example, verdict from calibrations order by all").fetchall()


# ---- over HTTP ----


def test_the_examples_come_one_by_one_and_say_what_the_guideline_says_once_judged(arena: Arena):
    visitor = arena.visitor()
    for k, (verdict, right) in enumerate((("A", "A"), ("A", "B"), ("tie", "both_bad")), 1):
        response = visitor.get("/api/calibration")
        assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
        step = response.json()
        assert set(step) == {"number", "k", "n", "prompt", "answer_a", "answer_b"}
        assert (step["number"], step["k"], step["n"]) == (k, k, 3)
        told = judge(visitor, k, {"verdict": verdict})
        assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
        assert set(told.json()) == {"number", "verdict", "guideline"}
        assert (told.json()["verdict"], told.json()["guideline"]["verdict"]) == (verdict, right)
    done = visitor.get("/api/calibration")
    assert (done.status_code, done.content, done.headers["cache-control"]) == (204, b"", "no-store")
    assert rows(arena) == [(1, "A"), (2, "A"), (3, "tie")]


def test_texts_are_rendered_and_can_do_nothing_but_be_read(arena: Arena):
    visitor = arena.visitor()
    step = visitor.get("/api/calibration").json()
    assert "<strong>two</strong>" in step["prompt"]
    assert "<pre>" in step["answer_b"]
    guideline = judge(visitor, 1, {"verdict": "B"}).json()["guideline"]
    assert guideline["title"] == "A trumpery title"
    assert "<em>plainly</em>" in guideline["reason"]
    assert "<b>" not in guideline["reason"]


def test_before_the_answer_no_byte_holds_the_verdict_the_reason_or_the_title(arena: Arena):
    visitor = arena.visitor()
    seen = [visitor.get("/"), visitor.get("/api/calibration")]
    judge(visitor, 1, {"verdict": "A"})
    seen += [visitor.get("/"), visitor.get("/api/calibration")]
    everything = " ".join(f"{response.headers} {response.text}" for response in seen).lower()
    assert not [word for word in HIDDEN if word in everything]


def test_the_first_verdict_comes_back_whatever_is_sent_later(arena: Arena):
    visitor = arena.visitor()
    first, again = judge(visitor, 2, {"verdict": "tie"}), judge(visitor, 2, {"verdict": "B"})
    assert first.json() == again.json()
    assert rows(arena) == [(2, "tie")]


def test_two_tabs_that_race_store_one_row(arena: Arena):
    visitor = arena.visitor()
    with ThreadPoolExecutor(6) as pool:
        said = ["A", "B", "tie", "both_bad"] * 3
        told = list(pool.map(lambda verdict: judge(visitor, 1, {"verdict": verdict}).json(), said))
    assert len({each["verdict"] for each in told}) == len(rows(arena)) == 1


def test_passing_over_leaves_out_all_that_is_left(arena: Arena):
    visitor = arena.visitor()
    judge(visitor, 1, {"verdict": "A"})
    for _ in range(2):
        assert judge(visitor, 2, {"pass": True}).status_code == 204
    assert visitor.get("/api/calibration").status_code == 204
    assert rows(arena) == [(1, "A"), (2, None), (3, None)]
    assert judge(visitor, 3, {"verdict": "A"}).json()["verdict"] is None


NEITHER = ({}, {"verdict": "left"}, {"verdict": "A", "pass": True}, {"pass": False}, {"verdict": None}, {"more": 1}, [])


@pytest.mark.parametrize("said", NEITHER)
def test_what_is_neither_a_verdict_nor_a_pass_is_refused(arena: Arena, said: object):
    response = judge(arena.visitor(), 1, said)
    assert (response.status_code, response.json()["error"]) == (422, "bad_request")
    assert rows(arena) == []


def test_what_is_no_example_is_refused(arena: Arena):
    visitor = arena.visitor()
    for number, status in ((0, 404), (4, 404), (-1, 404), (10**40, 404), ("one", 422), ("1/2", 404)):
        assert judge(visitor, number, {"verdict": "A"}).status_code == status, number
        assert judge(visitor, number, {"pass": True}).status_code == status, number
    assert judge(visitor, 4, {"pass": True}).json()["error"] == "unknown_example"


def test_it_is_protected_as_a_vote_is(arena: Arena):
    stranger, visitor = arena.stranger(), arena.visitor()
    acts = [judge(stranger, 1, said) for said in ({"verdict": "A"}, {"pass": True})]
    for response in (stranger.get("/api/calibration"), *acts):
        assert (response.status_code, response.json()["error"]) == (403, "no_cookie")
    path, body = "/api/calibration/1", '{"verdict":"A"}'
    assert visitor.post(path, content=body, headers={"Content-Type": "text/plain"}).status_code == 415
    headers = {"Content-Type": "application/json", "Origin": "https://elsewhere.example"}
    assert visitor.post(path, content=body, headers=headers).status_code == 403
    assert visitor.post(path, json={"verdict": "A", "x": "x" * 5000}).status_code == 413
    assert rows(arena) == []


def test_a_new_version_of_the_guideline_asks_again(arena: Arena, serve: Serve):
    visitor = arena.visitor()
    judge(visitor, 1, {"pass": True})
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}
    same = serve(earlier=arena, rules=RULES, guideline=GUIDELINE)
    assert same.stranger().get("/api/calibration", headers=cookie).status_code == 204
    newer = serve(earlier=arena, rules=RULES, guideline=Guideline("4", "tie", TEXT))
    assert newer.stranger().get("/api/calibration", headers=cookie).json()["k"] == 1


def test_an_arena_that_asks_for_none_has_none_and_its_page_nothing_of_it(unchanged_arena: Arena):
    visitor = unchanged_arena.visitor()
    assert visitor.get("/api/calibration").status_code == 204
    assert judge(visitor, 1, {"verdict": "A"}).status_code == 404
    page = visitor.get("/").text
    assert "calibration.js" not in page
    assert "greeting" not in page.partition("window.gradio_config")[2]


def test_nobody_has_to_calibrate_before_a_vote_and_it_counts_as_none(arena: Arena):
    visitor = arena.visitor()
    judge(visitor, 1, {"verdict": "A"})
    response = vote_on(visitor, ballot_of(visitor)["ballot_id"])
    assert response.json()["votes"] == {"mine": 1, "all": 1}
    assert len(visitor.get("/api/me").json()["recent"]) == 1
    assert visitor.get("/api/calibration").json()["k"] == 2


# ---- in a browser ----


def greeted(context: BrowserContext, arena: Arena) -> Page:
    page = context.new_page()
    page.goto(arena.url)
    in_state(page, "greeting")
    return page


def n_ballots(arena: Arena) -> int:
    with arena.store._database.read() as cursor:
        [[n]] = cursor.execute("select count(*) from ballots").fetchall()
    return n


def test_a_new_voter_calibrates_by_key_and_then_votes(desktop: BrowserContext, arena: Arena):
    page = greeted(desktop, arena)
    said = page.locator("#said")
    expect(page.get_by_role("heading", name="Before you start: 3 examples, 2 minutes")).to_be_visible()
    expect(said).to_contain_text("Before you start: 3 examples")
    expect(page.locator("#prompt, #pair, #bar").filter(visible=True)).to_have_count(0)
    page.keyboard.press("Enter")
    in_state(page, "example")
    expect(page.locator("#prompt-label")).to_have_text("Prompt · Example 1 of 3")
    expect(page.locator("#question")).to_have_text("What is two and two?")
    expect(page.locator("#b pre + .copy")).to_be_visible()
    expect(said).to_have_text("Example 1 of 3")
    expect(page.locator("#skip, #undo, #verdicts").filter(visible=True)).to_have_count(0)
    page.keyboard.press("a")
    in_state(page, "judged")
    expect(page.locator("#saved")).to_have_text("✓ You agree with the guideline: A is better.")
    expect(page.locator("#who")).to_have_text("A trumpery title")
    expect(page.locator("#why")).to_have_text("B is plainly wrong. <b>Not bold.</b>")
    expect(said).to_contain_text("You agree with the guideline: A is better. B is plainly wrong.")
    expect(page.locator(".won")).to_have_attribute("id", "a")
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("a")  # judged already
    page.keyboard.press("Enter")
    in_state(page, "example")
    expect(page.locator("#prompt-label")).to_have_text("Prompt · Example 2 of 3")
    expect(page.locator(".won")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    in_state(page, "judged")
    expect(page.locator("#saved")).to_have_text("The guideline says: B is better. You said: A is better.")
    page.keyboard.press("Enter")
    in_state(page, "example")
    assert n_ballots(arena) == 0  # its clock starts when the voter sees it
    page.keyboard.press("n")
    in_state(page, "judged")
    page.keyboard.press("Enter")
    in_state(page, "voting")
    expect(page.locator("#trouble span")).to_have_text("Thank you. From here on, each verdict is a vote.")
    expect(said).to_have_text("Thank you. From here on, each verdict is a vote.")
    expect(page.locator("#aside")).to_have_text("0 votes by you · 0 in all")
    expect(page.locator("#greeting, #judge, #why, #pass_examples, .won").filter(visible=True)).to_have_count(0)
    expect(page.locator("#verdicts, #skip").filter(visible=True)).to_have_count(2)
    assert rows(arena) == [(1, "A"), (2, "A"), (3, "both_bad")]


def test_the_keys_are_those_of_the_examples_and_then_those_of_the_steps(desktop: BrowserContext, serve: Serve):
    rules = f'{RULES}[labels]\nscale = "5-steps"\n'
    page = greeted(desktop, serve(rules=rules, guideline=GUIDELINE, guideline_text=TEXT))
    page.keyboard.press("Enter")
    in_state(page, "example")
    steps, plain = (page.locator("#keys-sheet dd").filter(has_text=text) for text in ("The steps", "B is better"))
    page.keyboard.press("?")
    expect(plain).to_be_visible()
    expect(steps).to_be_hidden()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Skip the examples").click()
    in_state(page, "voting")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.press("?")
    expect(steps).to_be_visible()
    expect(plain).to_be_hidden()


def test_the_first_vote_after_the_examples_is_like_any_other(desktop: BrowserContext, arena: Arena):
    page = greeted(desktop, arena)
    page.get_by_role("button", name="Skip the examples").click()
    in_state(page, "voting")
    page.keyboard.press("a")
    in_state(page, "revealed")
    expect(page.locator("#why")).to_be_hidden()
    expect(page.locator("#undo")).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    assert arena.n_votes == 1
    page.reload()
    in_state(page, "voting")
    assert rows(arena) == [(1, None), (2, None), (3, None)]


def test_what_lies_over_an_example_takes_the_keys(desktop: BrowserContext, arena: Arena):
    page = greeted(desktop, arena)
    page.keyboard.press("Enter")
    in_state(page, "example")
    page.keyboard.press("g")
    expect(page.locator("#guideline-sheet")).to_contain_text("Judge well")
    for key in ("b", "s", "Enter"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    in_state(page, "example")
    assert rows(arena) == []


def test_on_a_phone_the_examples_fit_and_can_be_skipped_in_the_middle(phone: BrowserContext, arena: Arena):
    page = greeted(phone, arena)
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    page.get_by_role("button", name="Start").tap()
    in_state(page, "example")
    page.wait_for_timeout(400)  # a double tap must not reach what has just appeared
    boxes = [button.bounding_box() for button in page.locator("#judge button").all()]
    assert all(box and box["height"] >= 44 and box["y"] + box["height"] <= 844 for box in boxes)
    page.get_by_role("button", name="B is better").tap()
    in_state(page, "judged")
    page.wait_for_timeout(400)
    assert not page.evaluate(wide)
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    last, bar = page.locator("#b").bounding_box(), page.locator("#bar").bounding_box()
    assert last
    assert bar
    assert last["y"] + last["height"] <= bar["y"]
    page.get_by_role("button", name="Skip the examples").tap()
    in_state(page, "voting")
    expect(page.locator("#trouble span")).to_contain_text("Examples skipped.")
    assert not page.evaluate(wide)
    page.reload()
    in_state(page, "voting")
    assert rows(arena) == [(1, "B"), (2, None), (3, None)]


def test_after_a_reload_the_examples_go_on_where_they_were(desktop: BrowserContext, arena: Arena):
    page = greeted(desktop, arena)
    page.keyboard.press("Enter")
    in_state(page, "example")
    page.keyboard.press("t")
    in_state(page, "judged")
    page.reload()
    in_state(page, "example")
    expect(page.locator("#prompt-label")).to_have_text("Prompt · Example 2 of 3")
    expect(page.locator("#question")).to_have_text("Say it in German.")
    page.keyboard.press("s")
    in_state(page, "voting")
    assert rows(arena) == [(1, "tie"), (2, None), (3, None)]


@pytest.mark.parametrize("fault", ["broken", "silent", "senseless"])
def test_a_calibration_that_fails_never_blocks_the_vote(desktop: BrowserContext, arena: Arena, fault: str):
    warnings: list[str] = []
    waiting: list[Route] = []

    def answer(route: Route) -> None:
        if fault == "broken":
            route.fulfill(status=503, json={"error": "unavailable"})
        elif fault == "senseless":
            route.fulfill(status=200, body="null", content_type="application/json")
        else:
            waiting.append(route)

    desktop.route(re.compile(r"/api/calibration$"), answer)
    page = desktop.new_page()
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    page.goto(arena.url)
    in_state(page, "voting")
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert [text for text in warnings if "worked example not" in text]
    for route in waiting:
        route.abort()


def test_a_greeting_that_throws_gives_way_to_the_ballot(desktop: BrowserContext, arena: Arena):
    script = 'bakeoff.before = Promise.resolve(() => { throw new Error("no greeting"); });'
    desktop.route("**/calibration.js*", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "revealed")


def test_what_explains_the_last_example_stays_until_the_ballot_comes(desktop: BrowserContext, arena: Arena):
    held: list[Route] = []
    desktop.route(re.compile(r"/api/ballots$"), lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    page = greeted(desktop, arena)
    page.keyboard.press("Enter")
    in_state(page, "example")
    page.keyboard.press("a")
    in_state(page, "judged")
    with page.expect_request("**/api/ballots"):
        page.keyboard.press("s")
    expect(page.locator("#why")).to_be_visible()
    held.pop().continue_()
    in_state(page, "voting")
    desktop.unroute(re.compile(r"/api/ballots$"))
    page.keyboard.press("a")
    in_state(page, "revealed")
    expect(page.locator("#why")).to_be_hidden()


def test_an_example_that_cannot_be_judged_gives_way_to_the_ballot(desktop: BrowserContext, arena: Arena):
    page = greeted(desktop, arena)
    page.keyboard.press("Enter")
    in_state(page, "example")
    desktop.route(re.compile(r"/api/calibration/1$"), lambda route: route.fulfill(status=503, json={"error": "x"}))
    page.keyboard.press("a")
    in_state(page, "voting")
    expect(page.locator("#trouble span")).to_contain_text("The examples cannot be shown right now.")
    page.keyboard.press("a")
    in_state(page, "revealed")
    assert arena.n_votes == 1


def test_where_none_is_asked_for_the_ballot_comes_at_once(desktop: BrowserContext, unchanged_arena: Arena):
    asked: list[str] = []
    page = desktop.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(unchanged_arena.url)
    in_state(page, "voting")
    assert not [url for url in asked if "calibration" in url]
    assert open_arena(desktop, unchanged_arena).locator("#greeting").count() == 0
