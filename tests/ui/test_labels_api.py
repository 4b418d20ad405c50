"""What a vote may say beside its verdict over HTTP: what the arena asks for, and nothing else."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from arena import judgement_table
from arena.batch import open_log
from arena.rules import check_rules
from arena.tally import Selection
from arena.ui.labels import most_bytes
from arena.ui.texts import LANGUAGES, texts
from served import Arena, Serve, ballot_of, serving, vote_on

EVERYTHING = """
[labels]
scale = "much-slightly"
reasons = ["Wrong facts", "Too <b>long</b> ${1 + 1} {x}"]
comment = true
confidence = true
ratings = true
acceptable = true
thumbs = true
[[labels.dimensions]]
id = "accuracy"
name = "Accuracy & co"
meaning = "Is what it says true?"
"""
SAID: dict[str, Any] = {
    "scale": "much-slightly",
    "strength": 1,
    "dimensions": {"accuracy": "tie"},
    "reasons": {"A": ["Wrong facts"], "B": []},
    "comment": "  Both are wrong.\n",
    "confidence": "medium",
    "ratings": {"A": 2, "B": 3},
    "acceptable": False,
    "thumbs": {"A": "down", "B": "up"},
}


@pytest.fixture(scope="module")
def asking() -> Iterator[Arena]:
    """One arena that asks for everything, for tests that store nothing in it."""
    with serving() as start:
        yield start(rules=EVERYTHING)


def tell(client: httpx.Client, ballot_id: str, verdict: str = "A", **labels: Any) -> httpx.Response:
    return client.post(f"/api/ballots/{ballot_id}/vote", json={"verdict": verdict, "labels": labels})


def stored(arena: Arena) -> list[dict[str, Any]]:
    with arena.store._database.read() as cursor:
        cursor.execute("select * from vote_log order by seq")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_what_the_arena_asks_for_is_stored_and_the_same_again_counts_once(serve: Serve):
    arena = serve(rules=EVERYTHING)
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    said = {**SAID, "reasons": {"A": ["Wrong facts"]}}
    first = tell(visitor, ballot_id, **said)
    again = tell(visitor, ballot_id, **said)
    assert first.status_code == 200
    assert again.json() == first.json()
    other = tell(visitor, ballot_id, **{**said, "comment": "Another."})
    assert (other.status_code, other.json()["error"], other.json()["kept"]) == (409, "already_voted", "A")
    [vote] = stored(arena)
    assert (vote["scale"], vote["strength"], vote["confidence"], vote["acceptable"]) == (
        *("much-slightly", 1, "medium", False),
    )
    assert json.loads(vote["comments"]) == {"vote": "  Both are wrong.\n"}
    assert json.loads(vote["reasons"]) == {"A": ["Wrong facts"]}
    assert json.loads(vote["ratings"]) == {"A": 2, "B": 3, "thumbs": {"A": "down", "B": "up"}}
    assert json.loads(vote["dimensions"]) == {"accuracy": "tie"}
    assert arena.store.log.broken_links() == []


@pytest.mark.parametrize(
    ("labels", "label"),
    [
        ({"mood": "good"}, "labels"),
        ([], "labels"),
        ("x", "labels"),
        ({"scale": "5-steps"}, "scale"),
        ({"scale": "six"}, "scale"),
        ({"strength": "1"}, "strength"),
        ({"strength": True}, "strength"),
        ({"strength": 1.5}, "strength"),
        ({"strength": 3}, "strength"),
        ({"dimensions": {"accuracy": "left"}}, "dimensions"),
        ({"dimensions": {"accuracy": "both_bad"}}, "dimensions"),
        ({"dimensions": {"zzz-echo": "A"}}, "dimensions"),
        ({"dimensions": ["accuracy"]}, "dimensions"),
        ({"reasons": {"C": ["Wrong facts"]}}, "reasons"),
        ({"reasons": {"A": ["zzz-echo"]}}, "reasons"),
        ({"reasons": {"A": ["Wrong facts", "Wrong facts"]}}, "reasons"),
        ({"reasons": {"A": []}}, "reasons"),
        ({"comment": 5}, "comment"),
        ({"comment": "zzz-echo\u0000"}, "comment"),
        ({"comment": "x" * 2001}, "comment"),
        ({"confidence": 0.9}, "confidence"),
        ({"confidence": "HIGH"}, "confidence"),
        ({"ratings": {"A": 6}}, "ratings"),
        ({"ratings": {"A": "5"}}, "ratings"),
        ({"ratings": {"tie": 5}}, "ratings"),
        ({"acceptable": "yes"}, "acceptable"),
        ({"acceptable": 1}, "acceptable"),
        ({"thumbs": {"A": True}}, "thumbs"),
        ({"thumbs": {"A": "UP"}}, "thumbs"),
        ({"thumbs": {"B": None}}, "thumbs"),
        ({"thumbs": {"C": "up"}}, "thumbs"),
        ({"thumbs": {"zzz-echo": "up"}}, "thumbs"),
        ({"thumbs": {"A": ["up", "down"]}}, "thumbs"),
        ({"thumbs": "up"}, "thumbs"),
        ({"ratings": {"thumbs": {"A": "up"}}}, "ratings"),
    ],
)
def test_what_is_no_label_is_refused_with_what_would_be_accepted(asking: Arena, labels: Any, label: str):
    visitor = asking.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    if isinstance(labels, dict):
        labels = {"scale": "much-slightly", **labels}
    response = visitor.post(f"/api/ballots/{ballot_id}/vote", json={"verdict": "A", "labels": labels})
    told = response.json()
    assert (response.status_code, told["error"], told["label"]) == (422, "not_a_label", label)
    assert told["accepted"] in told["message"]
    assert "zzz-echo" not in response.text
    assert asking.n_acts == 0


def test_half_a_character_is_refused_calmly(asking: Arena):
    visitor = asking.visitor()
    url = f"/api/ballots/{ballot_of(visitor)['ballot_id']}/vote"
    body = r'{"verdict": "A", "labels": {"scale": "much-slightly", "comment": "\ud83d"}}'
    response = visitor.post(url, content=body.encode(), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]) == (422, "not_a_label")
    assert asking.n_acts == 0


def test_a_vote_that_is_none_is_not_blamed_on_its_labels(asking: Arena):
    visitor = asking.visitor()
    url = f"/api/ballots/{ballot_of(visitor)['ballot_id']}/vote"
    for body in ({"verdict": "left", "labels": {"mood": 1}}, {"labels": SAID}, {"verdict": "A", "model": "x"}):
        response = visitor.post(url, json=body)
        assert (response.status_code, response.json()["error"]) == (422, "not_a_vote")


@pytest.mark.parametrize(
    "labels", [{"comment": "x"}, {"scale": "5-steps", "strength": 1}, {"ratings": {"A": 1}}, {"thumbs": {"A": "up"}}]
)
def test_an_arena_that_asks_for_nothing_takes_nothing(unchanged_arena: Arena, labels: dict[str, Any]):
    visitor = unchanged_arena.visitor()
    response = tell(visitor, ballot_of(visitor)["ballot_id"], **labels)
    assert (response.status_code, response.json()["error"]) == (422, "not_a_label")
    assert response.json()["accepted"] == "nothing"
    assert unchanged_arena.n_acts == 0


def test_on_eight_steps_a_tie_is_refused_and_a_strength_is_needed(serve: Serve):
    arena = serve(rules='[labels]\nscale = "8-steps"\n')
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    for verdict, labels in (("tie", {}), ("A", {}), ("A", {"strength": 5}), ("both_bad", {"strength": 1})):
        response = tell(visitor, ballot_id, verdict, scale="8-steps", **labels)
        assert (response.status_code, response.json()["error"]) == (422, "not_a_label"), (verdict, labels)
    assert vote_on(visitor, ballot_id, "both_bad").status_code == 422  # by a page from before the scale
    assert tell(visitor, ballot_id, "B", scale="8-steps", strength=4).status_code == 200
    [vote] = stored(arena)
    assert (vote["verdict"], vote["scale"], vote["strength"]) == ("B", "8-steps", 4)


def test_the_longest_comment_is_read_however_it_is_written_and_nothing_much_longer(serve: Serve):
    arena = serve(rules=EVERYTHING)
    visitor = arena.visitor()
    url = f"/api/ballots/{ballot_of(visitor)['ballot_id']}/vote"
    labels = {"scale": "much-slightly", "comment": "🙂" * 2000}
    body = json.dumps({"verdict": "A", "labels": labels})  # twelve bytes a character
    headers = {"Content-Type": "application/json"}
    assert visitor.post(url, content=body.ljust(65_537).encode(), headers=headers).status_code == 413
    assert visitor.post(url, content=body.encode(), headers=headers).status_code == 200
    assert json.loads(stored(arena)[0]["comments"]) == {"vote": "🙂" * 2000}


def test_the_largest_vote_of_any_rules_has_room(serve: Serve):
    # The longest of each, as many as there may be, and of characters that take twelve bytes each in ASCII.
    words = [chr(0x1F600 + number) * 60 for number in range(20)]
    dimensions = [f'{{ id = "{each}", name = "{each}" }}' for each in words[:12]]
    asked = [
        *(
            'scale = "8-steps"',
            "comment = true",
            "confidence = true",
            "ratings = true",
            "acceptable = true",
            "thumbs = true",
        ),
        f"reasons = {json.dumps(words, ensure_ascii=False)}",
        f"dimensions = [{', '.join(dimensions)}]",
    ]
    arena = serve(rules="\n".join(["[labels]", *asked]))
    visitor = arena.visitor()
    url = f"/api/ballots/{ballot_of(visitor)['ballot_id']}/vote"
    labels = {
        "scale": "8-steps",
        "strength": 4,
        "dimensions": dict.fromkeys(words[:12], "tie"),
        "reasons": {"A": words, "B": words},
        "comment": "🙂" * 2000,
        "confidence": "medium",
        "ratings": {"A": 5, "B": 5},
        "acceptable": False,
        "thumbs": {"A": "down", "B": "down"},
    }
    body = json.dumps({"verdict": "A", "labels": labels}, indent=2).encode()
    assert 12 * (2000 + 40 * 60 + 12 * 60) < len(body) <= most_bytes(arena.booth.labels)
    assert visitor.post(url, content=body, headers={"Content-Type": "application/json"}).status_code == 200


def test_of_racing_votes_with_different_labels_one_is_stored_whole(serve: Serve):
    arena = serve(rules=EVERYTHING)
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]

    def send(i: int) -> int:
        labels = {**SAID, "reasons": {}, "comment": f"comment {i % 5}", "ratings": {"A": 1 + i % 5}}
        return tell(visitor, ballot_id, **labels).status_code

    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(send, range(20)))
    [vote] = stored(arena)
    number = int(json.loads(vote["comments"])["vote"].split()[1])
    assert json.loads(vote["ratings"]) == {"A": 1 + number, "thumbs": SAID["thumbs"]}
    assert [i % 5 for i, status in enumerate(statuses) if status == 200] == [number] * 4
    assert set(statuses) == {200, 409}


def shell(arena: Arena) -> str:
    """Our own markup of the Arena page."""
    page = arena.visitor().get("/").text
    config, _ = json.JSONDecoder().raw_decode(page, page.index("{", page.index("window.gradio_config")))
    components = config["components"]
    values = [str(each.get("props", {}).get("value")) for each in components]
    [found] = [value for value in values if 'id="arena"' in value]
    return found


def test_a_page_shows_what_the_arena_asks_for_as_the_host_wrote_it(asking: Arena):
    page = shell(asking)
    assert "Accuracy &amp; co" in page
    assert "Too &lt;b&gt;long&lt;/b&gt; ${1 + 1} {x}" in page
    assert "<b>long</b>" not in page
    assert "labels.js" in asking.visitor().get("/").text


def test_a_page_of_an_arena_that_asks_for_nothing_has_nothing_of_labels(unchanged_arena: Arena):
    page = shell(unchanged_arena)
    for word in ("labels", "step", "data-scale", "data-strength", "thumb"):
        assert word not in page, word
    whole = unchanged_arena.visitor().get("/").text
    assert "labels.js" not in whole
    assert "thumbs.js" not in whole
    bar = page.split('<div id="verdicts">', 1)[1].split("<div id=", 1)[0]
    verdicts = (("A", "A"), ("tie", "T"), ("both_bad", "N"), ("B", "B"))
    buttons = [
        f'<button type="button" class="{verdict.lower()}" data-verdict="{verdict}" aria-keyshortcuts="{key}">'
        f'<span data-t="verdict.{verdict}"></span> <kbd>{key}</kbd></button>'
        for verdict, key in verdicts
    ]
    skip = (
        '<button id="skip" type="button" aria-keyshortcuts="S" aria-haspopup="dialog">'
        '<span data-t="arena.skip"></span> <kbd>S</kbd></button>'
    )
    assert bar.split("</div>")[0].split("\n    ") == ["", *buttons[:3], skip, buttons[3] + "\n  "]


THUMBS = "[labels]\nthumbs = true\n"


def test_thumbs_go_with_the_vote_and_with_nothing_else(serve: Serve):
    arena = serve(rules=THUMBS)
    mine, other = arena.visitor(), arena.visitor()
    ballot_id = ballot_of(mine)["ballot_id"]
    first = tell(mine, ballot_id, "tie", thumbs={"A": "up", "B": "down"})
    assert first.status_code == 200
    assert "thumb" not in first.text
    assert tell(mine, ballot_id, "tie", thumbs={"B": "down", "A": "up"}).json() == first.json()
    for thumbs in ({}, {"A": "up"}, {"A": "down", "B": "up"}):  # another vote, and refused as one
        refused = tell(mine, ballot_id, "tie", thumbs=thumbs)
        assert (refused.status_code, refused.json()["error"], refused.json()["kept"]) == (409, "already_voted", "tie")
    again = ballot_of(mine)["ballot_id"]
    for path in ("/api/me", "/api/leaderboard", "/api/analysis"):
        assert "thumb" not in other.get(path).text, path
    assert "thumb" not in other.post("/api/ballots", json={}).text
    [kept] = mine.get("/api/me/votes").json()["votes"]
    assert kept["labels"] == {"thumbs": {"A": "up", "B": "down"}}
    assert vote_on(mine, again, "A").status_code == 200  # none of them need be said
    one, two = stored(arena)
    assert (one["verdict"], json.loads(one["ratings"])) == ("tie", {"thumbs": {"A": "up", "B": "down"}})
    assert two["ratings"] is None
    assert arena.store.log.broken_links() == []


def test_thumbs_are_covered_by_the_hash_of_their_vote_and_withdrawn_with_it(serve: Serve):
    arena = serve(rules=THUMBS)
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    tell(visitor, ballot_id, "A", thumbs={"A": "up"}).raise_for_status()
    with arena.store._database.write() as cursor:
        cursor.execute("""update votes set ratings = '{"thumbs": {"A": "down"}}'""")
    [broken] = arena.store.log.broken_links()
    assert broken.seq == 1
    with arena.store._database.write() as cursor:
        cursor.execute("""update votes set ratings = '{"thumbs": {"A": "up"}}'""")
    assert arena.store.log.broken_links() == []
    assert visitor.post(f"/api/ballots/{ballot_id}/withdrawal", json={}).status_code == 200
    [vote] = stored(arena)
    assert vote["withdrawn_at"] is not None
    with open_log(arena.store, Selection()) as log:
        assert len(judgement_table.read(log.votes, labels=True)) == 0


def test_what_may_be_said_of_a_thumb_is_told_where_it_is_none(asking: Arena):
    visitor = asking.visitor()
    response = tell(visitor, ballot_of(visitor)["ballot_id"], scale="much-slightly", thumbs={"A": "good"})
    told = response.json()
    assert (response.status_code, told["label"]) == (422, "thumbs")
    assert told["accepted"] == "an object with up or down for A, for B or for both"


def test_the_page_has_two_named_buttons_on_each_answer_and_no_panel_for_thumbs_alone(serve: Serve):
    arena = serve(rules=THUMBS)
    page = shell(arena)
    for side, keys in (("A", "QW"), ("B", "OP")):
        for thumb, key in zip(("up", "down"), keys, strict=True):
            assert (
                f'<button type="button" class="thumb" data-thumb="{thumb}" aria-pressed="false" '
                f'aria-keyshortcuts="{key}" data-t-label="thumbs.{side}.{thumb}"><svg '
            ) in page
    assert page.count('class="thumb"') == 4
    assert 'id="labels"' not in page
    whole = arena.visitor().get("/").text
    assert "thumbs.js" in whole
    assert "labels.js" not in whole


def test_an_arena_of_ranked_lists_takes_no_thumbs():
    faults: list[Any] = []
    check_rules("arena.toml", '[ballot]\nkind = "ranked"\n[labels]\nthumbs = true\n', faults)
    assert [("labels" in fault.message, "ranked" in fault.message) for fault in faults] == [(True, True)]


def test_a_vote_by_steps_is_told_again_with_its_step(serve: Serve):
    visitor = serve(rules='[labels]\nscale = "8-steps"\n').visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    tell(visitor, ballot_id, "B", scale="8-steps", strength=2).raise_for_status()
    assert visitor.post("/api/ballots", json={}).json()["last"]["step"] == "B.slightly"
    assert visitor.get("/api/me").json()["recent"][0]["step"] == "B.slightly"
    refused = tell(visitor, ballot_id, "B", scale="8-steps", strength=4)
    assert (refused.status_code, refused.json()["kept"], refused.json()["step"]) == (409, "B", "B.slightly")
    second = ballot_of(visitor)["ballot_id"]
    tell(visitor, second, "both_bad", scale="8-steps").raise_for_status()
    assert visitor.post("/api/ballots", json={}).json()["last"]["step"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_is_made_of_a_value_is_there_in_every_language(language: str):
    made = (
        *(f"labels.rating.{level}" for level in range(1, 6)),
        *(f"labels.confidence.{level}" for level in ("low", "medium", "high")),
        *(f"labels.{what}.{side}" for what in ("rating_of", "reasons_of", "acceptable") for side in "AB"),
        *(f"thumbs.{side}.{thumb}" for side in "AB" for thumb in ("up", "down")),
        *(f"step.{side}.{step}" for side in "AB" for step in ("much", "better", "slightly", "barely")),
    )
    assert set(made) <= set(texts(language))
