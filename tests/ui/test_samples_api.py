"""Sample ballots over HTTP: who may see them, what they hold, and that no open ballot's answers are among the bytes."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from arena.battle import Answer, Battle, BattleId, Message, Prompt, PromptId, Source, Verdict, Vote, VoteId, VoterId
from arena.pack import answer_id
from arena.samples import MOST_PAGES
from arena.store import VoteStore
from served import IDENTITIES, MODELS, NOON, Arena, Serve, ballot_of, serving, vote_on

N_PROMPTS = 12
NAMES = [model.id for model in MODELS]


def token(*of: str) -> str:
    """A word that is in the text of one prompt or one answer, and in nothing else."""
    return f"w{sha256(' '.join(of).encode()).hexdigest()[:12]}"


def stock(store: VoteStore) -> None:
    """Twelve prompts, an answer of each model to each, and a vote of somebody on every two of them."""
    prompts = [
        Prompt(PromptId(f"q{n}"), (Message("user", f"Question {token(f'q{n}')}?"),), "facts", "en")
        for n in range(N_PROMPTS)
    ]
    texts = {(p.id, m.id): f"Answer **{token(p.id, m.id)}**." for p in prompts for m in MODELS}
    ids = {key: answer_id(*key, text) for key, text in texts.items()}
    store.catalogue.add_models(MODELS, NOON)
    store.catalogue.add_prompts(prompts, NOON)
    store.catalogue.add_answers([Answer(ids[key], *key, text) for key, text in texts.items()], NOON)
    votes = []
    for number, (prompt, (a, b)) in enumerate((p.id, pair) for p in prompts for pair in combinations(MODELS, 2)):
        battle = Battle(BattleId(f"b{number}"), a.id, b.id, prompt, ids[prompt, a.id], ids[prompt, b.id])
        verdict = (Verdict.A, Verdict.B, Verdict.TIE)[number % 3]
        who = VoterId(f"somebody-{number % 7}")
        votes.append((battle, Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, who, NOON)))
    store.votes.add_imported(votes, NOON)


def stocked_arena(serve: Serve) -> Arena:
    """With a board, and with these prompts alone."""
    store = VoteStore.open(None)
    stock(store)
    arena = serve(earlier=SimpleNamespace(store=store))  # a booth knows the answers that were there when it opened
    arena.compute_board()
    return arena


@pytest.fixture
def stocked(serve: Serve) -> Arena:
    return stocked_arena(serve)


@pytest.fixture(scope="module")
def read_only() -> Iterator[Arena]:
    with serving() as start:
        yield stocked_arena(start)


def of_two(client: httpx.Client, a: object, b: object, **more: object) -> httpx.Response:
    return client.post("/api/samples/head-to-head", json={"a": a, "b": b, **more}, timeout=30)


def of_model(client: httpx.Client, model: object, **more: object) -> httpx.Response:
    return client.post("/api/samples/model", json={"id": model, **more}, timeout=30)


def everything(client: httpx.Client) -> bytes:
    """All bytes of all sample ballots that there are: of a model there are three pages, of two models one."""
    told = [of_model(client, model, page=page) for model in NAMES for page in range(3)]
    told += [of_two(client, "larkspur", other) for other in NAMES if other != "larkspur"]
    return b"".join(each.raise_for_status().content for each in told)


def tokens_in(told: bytes | str) -> set[str]:
    return set(re.findall(r"\bw[0-9a-f]{12}\b", told if isinstance(told, str) else told.decode()))


def answers() -> set[str]:
    return {token(f"q{n}", model) for n in range(N_PROMPTS) for model in NAMES}


# ---- what is told ----


def test_a_page_of_samples_has_texts_names_votes_and_no_person(read_only: Arena):
    found = of_two(read_only.visitor(), "larkspur", "brindle-xl").raise_for_status()
    assert found.headers["cache-control"] == "no-store"
    told = found.json()
    counts = {key: told[key] for key in ("page", "n_pages", "n_pairs", "n_held_back", "n_votes", "n_without_texts")}
    # Three of twelve prompts are for show, and each has one vote on these two.
    assert counts == {"page": 0, "n_pages": 1, "n_pairs": 3, "n_held_back": 0, "n_votes": 12, "n_without_texts": 0}
    for pair in told["pairs"]:
        assert set(pair) == {"category", "language", "messages", "a", "b", "record", "votes"}
        assert (pair["a"]["name"], pair["b"]["name"]) == ("Larkspur", "Brindle XL")
        assert "<strong>" in pair["a"]["html"]
        [vote] = pair["votes"]
        assert set(vote) == {"verdict", "source", "day"}
        assert (vote["source"], vote["day"]) == ("human", "2026-11-21")
    assert "somebody" not in found.text
    assert not re.search(r"\d\d:\d\d", found.text)


def test_a_model_has_pages_of_at_most_five_and_no_more_than_four(read_only: Arena):
    client = read_only.visitor()
    pages = [of_model(client, "larkspur", page=page).json() for page in range(MOST_PAGES)]
    # Three prompts for show, and on each this model against five others.
    assert [len(page["pairs"]) for page in pages] == [5, 5, 5, 0]
    assert {page["n_pairs"] for page in pages} == {15}


@pytest.mark.parametrize(
    ("values", "status", "word"),
    [
        ({"a": "larkspur", "b": "larkspur"}, 400, "same_model"),
        ({"a": "larkspur", "b": "nobody"}, 404, "unknown_model"),
        ({"a": "larkspur"}, 422, "bad_request"),
        ({"a": "larkspur", "b": "brindle-xl", "page": MOST_PAGES}, 422, "bad_request"),
        ({"a": "larkspur", "b": "brindle-xl", "page": -1}, 422, "bad_request"),
        ({"a": "larkspur", "b": "brindle-xl", "page": "0"}, 422, "bad_request"),
        ({"a": "larkspur", "b": "brindle-xl", "voter": "me"}, 422, "bad_request"),
    ],
)
def test_what_cannot_be_shown_is_refused(read_only: Arena, values: dict[str, Any], status: int, word: str):
    found = read_only.visitor().post("/api/samples/head-to-head", json=values)
    assert (found.status_code, found.json()["error"]) == (status, word)


def test_before_the_first_board_there_is_nothing_to_see(serve: Serve):
    found = of_two(serve().visitor(), "larkspur", "brindle-xl")
    assert (found.status_code, found.json()["error"]) == (404, "no_study")


# ---- blind ----


def n_exposures(arena: Arena) -> int:
    with arena.store._database.read() as cursor:
        [(n,)] = cursor.execute("select count(*) from exposures").fetchall()
    return n


def test_nobody_without_a_voters_cookie_sees_anything_and_nothing_is_noted(read_only: Arena):
    before = n_exposures(read_only)
    found = of_two(read_only.stranger(), "larkspur", "brindle-xl")
    assert (found.status_code, found.json()["error"]) == (403, "no_cookie")
    elsewhere = read_only.visitor().post(
        "/api/samples/model", json={"id": "larkspur"}, headers={"Origin": "https://elsewhere.example"}
    )
    assert elsewhere.status_code == 403
    assert read_only.visitor().get("/api/samples/model?id=larkspur").status_code == 404
    assert n_exposures(read_only) == before


def test_no_byte_of_an_open_ballot_is_among_the_samples(stocked: Arena):
    reader = stocked.visitor()
    for_show = tokens_in(everything(reader))
    n_held = 0
    for _ in range(40):  # until some ballots were on prompts that are for show
        voter = stocked.visitor()
        shown = tokens_in(json.dumps(ballot_of(voter)))
        assert len(shown) == 3
        if not shown & for_show:
            continue
        told = tokens_in(everything(voter))
        assert not shown & told
        # Nothing on the whole prompt, so that whose answers are missing tells nothing.
        assert len(for_show - told) == 1 + len(NAMES)
        n_held += 1
        if n_held == 2:
            break
    assert n_held == 2


def test_what_was_shown_never_comes_as_a_ballot_until_nothing_is_left(stocked: Arena):
    voter = stocked.visitor()
    seen = tokens_in(everything(voter)) & answers()
    assert len(seen) == N_PROMPTS // 4 * len(NAMES)
    judged: set[str] = set()
    while (found := voter.post("/api/ballots", json={})).status_code == 200:
        ballot = found.json()["ballot"]
        here = tokens_in(json.dumps(ballot)) & answers()
        assert len(here) == 2
        assert not here & (seen | judged)
        judged |= here
        vote_on(voter, ballot["ballot_id"]).raise_for_status()
    assert found.json()["error"] == "no_ballot_left"
    assert judged == answers() - seen


def test_thirty_requests_at_once_show_no_answer_of_the_ballot_that_is_open(stocked: Arena):
    for _ in range(3):
        voter = stocked.visitor()
        pairs = list(combinations(NAMES, 2))

        def act(number: int, voter: httpx.Client = voter, pairs: list[Any] = pairs) -> tuple[bool, str]:
            if number % 3 == 0:
                return True, json.dumps(ballot_of(voter))
            return False, of_two(voter, *pairs[number % len(pairs)]).raise_for_status().text

        with ThreadPoolExecutor(30) as pool:
            told = list(pool.map(act, range(30)))
        opened = {frozenset(tokens_in(text) & answers()) for is_ballot, text in told if is_ballot}
        assert len(opened) == 1
        shown = {each for is_ballot, text in told if not is_ballot for each in tokens_in(text)}
        assert not next(iter(opened)) & shown


def test_what_cannot_be_noted_is_refused_with_nobody_named(stocked: Arena):
    with stocked.store._database.write() as cursor:
        cursor.execute("alter table exposures rename to elsewhere")
    found = of_two(stocked.visitor(), "larkspur", "brindle-xl")
    assert (found.status_code, found.json()["error"]) == (503, "unavailable")
    assert not [word for word in IDENTITIES if word in found.text.lower()]
    assert not tokens_in(found.text)
