"""Saying more than a verdict, in a real browser."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from test_labels_api import EVERYTHING, stored

from served import Serve, in_state, named_in, open_arena

VOTE = re.compile(r"/vote$")
FIVE = '[labels]\nscale = "5-steps"\n'
EIGHT = '[labels]\nscale = "8-steps"\n'
COMMENT = "[labels]\ncomment = true\n"


def next_ballot(page: Page) -> None:
    page.keyboard.press("Enter")
    in_state(page, "voting")


def overflow(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_five_steps_by_key_still_take_one_key(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=FIVE)
    page = open_arena(desktop, arena)
    for key in ("a", "b", "ArrowLeft", "6", "0"):  # these mean nothing, or no one thing, on this scale
        page.keyboard.press(key)
    page.keyboard.press("1")
    expect(page.locator("#saved")).to_have_text("✓ Saved: A much better.")
    next_ballot(page)
    page.keyboard.press("4")
    expect(page.locator("#saved")).to_have_text("✓ Saved: B better.")
    page.keyboard.press("u")
    expect(page.locator("#saved")).to_have_text("Withdrawn: B better. It counts no more.")
    next_ballot(page)
    page.keyboard.press("t")
    expect(page.locator("#saved")).to_have_text("✓ Saved: Tie.")
    told = [(vote["verdict"], vote["scale"], vote["strength"]) for vote in stored(arena)]
    assert told == [("A", "5-steps", 2), ("B", "5-steps", 1), ("tie", "5-steps", None)]
    assert (arena.n_votes, arena.n_acts) == (2, 4)
    assert arena.store.log.broken_links() == []
    page.keyboard.press("m")
    expect(page.locator(".recent b")).to_have_text(["Tie", "B better", "A much better"])
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys-sheet")).to_contain_text("The steps from A to B")
    expect(page.locator("#keys-sheet")).not_to_contain_text("Left and right")


def test_after_a_reload_the_step_of_the_last_vote_is_known(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=EIGHT)
    page = open_arena(desktop, arena)
    page.keyboard.press("6")
    in_state(page, "revealed")
    page.reload()
    in_state(page, "voting")
    page.keyboard.press("u")
    expect(page.locator("#trouble span")).to_have_text(
        "Your last vote (B slightly better) is withdrawn and counts no more."
    )


def test_eight_steps_by_touch_on_a_phone(phone: BrowserContext, serve: Serve):
    arena = serve(rules=EIGHT)
    page = open_arena(phone, arena)
    buttons = page.locator(".steps button")
    expect(buttons).to_have_count(8)
    assert all((box := each.bounding_box()) and box["height"] >= 44 and box["width"] >= 44 for each in buttons.all())
    assert overflow(page) <= 0
    page.get_by_role("button", name="B barely better").tap()
    expect(page.locator("#saved")).to_have_text("✓ Saved: B barely better.")
    [vote] = stored(arena)
    assert (vote["verdict"], vote["strength"]) == ("B", 1)


def test_everything_is_said_on_a_phone(phone: BrowserContext, serve: Serve):
    arena = serve(rules=EVERYTHING)
    page = open_arena(phone, arena)
    page.get_by_role("button", name="B is better").tap()
    in_state(page, "labelling")
    assert arena.n_acts == 0
    assert not named_in(page.content())
    expect(page.get_by_role("form", name="Your verdict: B is better.")).to_be_visible()
    expect(page.get_by_role("button", name="B is better")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("radio", name="Slightly")).to_be_focused()
    assert overflow(page) <= 0
    page.wait_for_timeout(400)
    bar = page.locator("#bar").bounding_box()
    assert bar
    assert bar["y"] >= 844 / 3  # the answers stay in view above

    def group(name: str) -> Any:
        return page.get_by_role("group", name=name)

    def tap(name: str, words: str) -> None:
        group(name).locator("label", has=page.get_by_text(words, exact=True)).tap()

    tap("By how much?", "Much")
    tap("Accuracy & co", "Tie")
    tap("How good is answer A?", "very poor")
    tap("How good is answer B?", "excellent")
    tap("What is true of answer A?", "Wrong facts")
    tap("What is true of answer B?", "Too <b>long</b> ${1 + 1} {x}")
    expect(group("Would answer B do as it is?")).to_be_visible()
    tap("Would answer B do as it is?", "Yes")
    tap("How sure are you?", "Very")
    group("How sure are you?").get_by_role("button", name="Take back: How sure are you?").tap()
    page.get_by_role("textbox", name="Comment").fill("Both\x0b wrong,\nbut 好.")
    sizes = page.evaluate("[...document.querySelectorAll('#labels label')].map((each) => each.offsetHeight)")
    assert min(sizes[:-1]) >= 44
    page.get_by_role("button", name="Save vote").tap()
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    expect(page.locator("#labels")).to_be_hidden()
    [vote] = stored(arena)
    assert (vote["verdict"], vote["scale"], vote["strength"], vote["acceptable"]) == ("B", "much-slightly", 2, True)
    assert vote["confidence"] is None
    said = {key: json.loads(vote[key]) for key in ("dimensions", "ratings", "reasons", "comments")}
    assert said == {
        "dimensions": {"accuracy": "tie"},
        "ratings": {"A": 1, "B": 5},
        "reasons": {"A": ["Wrong facts"], "B": ["Too <b>long</b> ${1 + 1} {x}"]},
        "comments": {"vote": "Both wrong,\nbut 好."},
    }
    assert arena.store.log.broken_links() == []


def test_nothing_that_was_entered_survives_into_the_next_ballot(phone: BrowserContext, serve: Serve):
    arena = serve(rules=EVERYTHING)
    page = open_arena(phone, arena)
    page.get_by_role("button", name="A is better").tap()
    in_state(page, "labelling")
    for each in page.locator("#labels label:has(input)").all():
        each.tap()
    page.get_by_role("textbox", name="Comment").fill("For this one.")
    page.get_by_role("button", name="Save vote").tap()
    in_state(page, "revealed")
    page.wait_for_timeout(400)
    page.get_by_role("button", name="Next").tap()
    in_state(page, "voting")
    page.get_by_role("button", name="Tie").tap()
    in_state(page, "labelling")
    expect(page.locator("#labels :checked")).to_have_count(0)
    expect(page.locator("#comment")).to_have_value("")
    expect(page.get_by_role("group", name="By how much?")).to_be_hidden()  # of a tie there is no how much
    page.get_by_role("group", name="How sure are you?").locator("label").first.tap()
    page.get_by_role("button", name="Save vote").tap()
    expect(page.locator("#saved")).to_have_text("✓ Saved: Tie.")
    last = stored(arena)[-1]
    assert (last["verdict"], last["strength"], last["confidence"], last["comments"]) == ("tie", None, "low", None)
    assert arena.store.log.broken_links() == []


def test_the_panel_by_keys_alone(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=EVERYTHING)
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "labelling")
    page.keyboard.press("Space")  # slightly
    page.keyboard.press("ArrowRight")  # much
    page.keyboard.press("b")  # another verdict, from inside a group
    expect(page.locator("#labels-title b")).to_have_text("Your verdict: B is better.")
    expect(page.get_by_role("radio", name="Much")).to_be_focused()
    page.keyboard.press("t")  # the focus does not stay in what is hidden now
    expect(page.locator("[name=dimension-0]").first).to_be_focused()
    page.keyboard.press("Escape")
    in_state(page, "voting")
    expect(page.get_by_role("button", name="Tie")).to_be_focused()
    expect(page.locator("#verdicts .chosen")).to_have_count(0)
    assert arena.n_acts == 0
    page.keyboard.press("b")
    in_state(page, "labelling")
    expect(page.get_by_role("radio", name="Much")).to_be_checked()  # it is the same ballot
    expect(page.locator("#save kbd")).to_have_text("Enter")
    page.locator("#comment").focus()
    expect(page.locator("#save kbd")).to_have_text("Ctrl Enter")
    page.keyboard.type("an a,\nb t n s u")
    assert page.locator("#arena").get_attribute("data-state") == "labelling"
    page.keyboard.press("Control+Enter")
    expect(page.locator("#saved")).to_have_text("✓ Saved: B is better.")
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    [vote] = stored(arena)
    assert (vote["verdict"], vote["strength"]) == ("B", 2)
    assert json.loads(vote["comments"]) == {"vote": "an a,\nb t n s u"}
    next_ballot(page)
    page.keyboard.press("n")
    in_state(page, "labelling")
    page.keyboard.press("Enter")  # nothing more to say
    expect(page.locator("#saved")).to_have_text("✓ Saved: Both bad.")


def test_a_vote_whose_answer_was_lost_keeps_what_was_entered_and_counts_once(desktop: BrowserContext, serve: Serve):
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    arena = serve(rules=COMMENT)
    desktop.route(VOTE, lose_the_answer)
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "labelling")
    page.keyboard.type("Kept.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#trouble")).to_contain_text("your vote may not be saved")
    in_state(page, "labelling")
    expect(page.locator("#comment")).to_have_value("Kept.")
    desktop.unroute(VOTE)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#saved")).to_have_text("✓ Saved: A is better.")
    assert arena.n_acts == 1
    page.keyboard.press("u")
    expect(page.locator("#saved")).to_contain_text("Withdrawn")
    assert (arena.n_votes, arena.n_acts) == (0, 3), "the vote, its withdrawal, and its comment that went with it"
    assert stored(arena)[0]["comments"] is None


def test_a_vote_that_was_not_saved_can_be_sent_again_with_more(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=COMMENT)
    page = open_arena(desktop, arena)
    arena.booth.fail_to_save()
    page.keyboard.press("a")
    in_state(page, "labelling")
    page.keyboard.type("One")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#trouble")).to_contain_text("not saved")
    arena.booth.fault = None
    page.keyboard.type(" and two")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#saved")).to_have_text("✓ Saved: A is better.")
    assert json.loads(stored(arena)[0]["comments"]) == {"vote": "One and two"}


@pytest.mark.parametrize("closed", ["too long ago", "by another tab"])
def test_a_comment_on_a_ballot_that_takes_no_vote_is_not_lost_without_a_word(
    desktop: BrowserContext, serve: Serve, closed: str
):
    arena = serve(rules=COMMENT)
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "labelling")
    page.keyboard.type("Long thought {x}.")
    if closed == "by another tab":
        other = open_arena(desktop, arena)
        other.keyboard.press("b")
        other.keyboard.press("Control+Enter")
        in_state(other, "revealed")
        other.close()
    else:
        arena.clock.now += timedelta(days=1)
    page.keyboard.press("Control+Enter")
    trouble = page.locator("#trouble span")
    expect(trouble).to_contain_text("Your comment was not saved. You can copy it here: “Long thought {x}.”")
    expect(trouble if closed == "too long ago" else page.locator("#saved")).to_contain_text(
        "has been closed" if closed == "too long ago" else "already judged"
    )
    if closed == "by another tab":
        next_ballot(page)
        expect(page.locator("#trouble")).to_be_hidden()
    page.keyboard.press("t")
    in_state(page, "labelling")
    expect(page.locator("#comment")).to_be_empty()


def test_letters_that_are_switched_off_choose_no_verdict_from_inside_the_panel(desktop: BrowserContext, serve: Serve):
    page = open_arena(desktop, serve(rules=EVERYTHING))
    page.evaluate("bakeoff.letters.setOff(true)")
    page.get_by_role("button", name="A is better").click()
    in_state(page, "labelling")
    page.locator("[name=dimension-0]").first.press("b")
    expect(page.locator("#labels-title b")).to_have_text("Your verdict: A is better.")


def test_where_a_number_is_asked_for_a_digit_is_that_number_and_no_step_of_the_bar(
    desktop: BrowserContext, serve: Serve
):
    arena = serve(rules=FIVE + "ratings = true\n")
    page = open_arena(desktop, arena)
    title = page.locator("#labels-title b")
    page.keyboard.press("2")
    in_state(page, "labelling")
    expect(page.locator("[name=rating-A]").first).to_be_focused()
    page.keyboard.press("4")
    expect(page.locator("[name=rating-A][value='4']")).to_be_checked()
    expect(page.locator("[name=rating-A][value='4']")).to_be_focused()
    page.keyboard.press("Tab")  # to the button that takes the 4 back
    expect(page.locator("#labels .clear").first).to_be_focused()
    for key in ("3", "9"):  # the second is no rating
        page.keyboard.press(key)
    page.locator("[name=rating-B]").first.press("1")
    expect(title).to_have_text("Your verdict: A better.")
    page.keyboard.press("t")  # a letter is a verdict here too
    expect(title).to_have_text("Your verdict: Tie.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#saved")).to_have_text("✓ Saved: Tie.")
    assert json.loads(stored(arena)[0]["ratings"]) == {"A": 3, "B": 1}


def test_while_a_vote_is_on_its_way_nothing_more_can_be_entered(desktop: BrowserContext, serve: Serve):
    held: list[Route] = []
    arena = serve(rules=COMMENT)
    desktop.route(VOTE, lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "labelling")
    page.keyboard.type("Kept")
    page.keyboard.press("Control+Enter")
    in_state(page, "sending")
    page.keyboard.type(" lost")
    expect(page.locator("#save")).to_be_focused()
    expect(page.locator("#comment")).to_have_value("Kept")
    held.pop().abort()
    in_state(page, "labelling")
    expect(page.locator("#comment")).to_be_focused()
    desktop.unroute(VOTE)
    page.keyboard.type(" and more")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#saved")).to_have_text("✓ Saved: A is better.")
    assert json.loads(stored(arena)[0]["comments"]) == {"vote": "Kept and more"}


def test_half_a_character_in_a_comment_is_sent_as_one_that_is_unknown(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=COMMENT)
    page = open_arena(desktop, arena)
    page.keyboard.press("a")
    in_state(page, "labelling")
    page.evaluate(r"document.querySelector('#comment').value = 'half \ud83d, whole \ud83d\ude42'")
    page.keyboard.press("Control+Enter")
    in_state(page, "revealed")
    assert json.loads(stored(arena)[0]["comments"]) == {"vote": "half \ufffd, whole 🙂"}


def test_a_page_from_before_the_rules_changed_says_what_to_do(desktop: BrowserContext, serve: Serve):
    arena = serve(rules=FIVE)
    page = open_arena(desktop, arena)
    arena.booth.labels = serve(rules=EIGHT).booth.labels
    page.keyboard.press("2")
    expect(page.locator("#trouble")).to_contain_text("load the page again")
    expect(page.locator("#resend")).to_have_text("Load the page again")
    assert arena.n_acts == 0
