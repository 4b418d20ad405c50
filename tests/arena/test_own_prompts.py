"""Prompts that voters typed: whose they are, how they go with their vote, and that the log stays whole."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from live_ground import LIVE, MODELS, Live, answers_with, rows, run, sky, vote_on
from model_server import ModelServer, serving

from arena.battle import Model, ModelId, SkipReason, Source
from arena.contenders.client import share_encryption
from arena.export import export
from arena.pack import answer_id
from arena.store import VoteStore, rewrite
from arenas import booth, voter
from ground import NOW


@pytest.fixture(scope="module", autouse=True)
def _encryption() -> None:
    share_encryption()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as models:
        yield models


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    store.catalogue.add_models([Model(ModelId(each), each.title(), f"Maker of {each}") for each in MODELS], NOW)
    store.catalogue.set_rules(LIVE, None, NOW)
    return store


@pytest.mark.parametrize("way", ["undo", "all"])
def test_a_prompt_goes_with_its_vote_and_the_log_stays_whole(tmp_path: Path, server: ModelServer, way: str):
    path = tmp_path / "arena.duckdb"
    secret = "My aunt Zenobia of Quetzal Lane asks: why is the sky blue?"
    with VoteStore.open(path) as store:
        store.catalogue.add_models([Model(ModelId(each), each.title()) for each in MODELS], NOW)
        store.catalogue.set_rules(LIVE, None, NOW)
        answers_with(server, lambda model: f"Dear Zenobia. {sky(model)}")
        live, who = Live(store, server), voter()
        ballot = vote_on(live, who, secret)
        assert not store.log.broken_links()
        if way == "undo":
            live.booth.withdraw(ballot.id, who, NOW)
        else:
            open_one = run(lambda: live.opened(who, secret))
            assert live.booth.withdraw_all(who, NOW) == 1
            closed = store.ballots.find(open_one.id)
            assert closed is not None
            assert closed.skipped is SkipReason.OTHER
        assert not store.log.broken_links()
        assert rows(store, "select count(*) from prompts") == rows(store, "select count(*) from answers") == [(0,)]
        assert rows(store, "select count(*) from own_prompts where salt is not null") == [(0,)]
    rewrite(path, NOW)
    assert b"Zenobia" not in path.read_bytes()
    with VoteStore.open(path) as store:
        assert not store.log.broken_links()
        assert booth(store, NOW).own_votes(who).votes[0].is_withdrawn


def test_a_prompt_that_was_changed_in_the_file_is_found(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live, who = Live(arena, server), voter()
    vote_on(live, who)

    with arena._database.write() as cursor:
        cursor.execute("update prompts set messages = [{'role': 'user', 'content': 'Another?'}]")

    assert len(arena.log.broken_links()) == 1


def test_nobody_else_is_shown_a_prompt_of_a_voter_not_as_a_sample_either(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live = Live(arena, server)
    for _ in range(5):  # one question in four is for show
        vote_on(live, voter())

    n_log, _ = arena.log.position()
    for model in MODELS:
        assert arena.judged.pairs(ModelId(model), None, [Source.HUMAN], up_to=n_log, most=50) == []


def test_the_digest_of_a_prompt_tells_nobody_who_guesses_it(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live = Live(arena, server)
    for _ in range(2):
        vote_on(live, voter())

    digests = {digest for (digest,) in rows(arena, "select prompt_digest from votes")}
    assert len(digests) == 2


def test_a_prompt_goes_when_its_ballot_is_skipped_or_has_expired(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live, who = Live(arena, server), voter()
    skipped = run(lambda: live.opened(who))
    live.booth.skip(skipped.id, SkipReason.OTHER, who, NOW)
    assert rows(arena, "select count(*) from prompts") == [(0,)]

    run(lambda: live.opened(who))
    assert rows(arena, "select count(*) from prompts") == [(1,)]
    live.live._store.own_prompts.erase_expired(NOW + timedelta(minutes=119))
    assert rows(arena, "select count(*) from prompts") == [(1,)]
    live.live._store.own_prompts.erase_expired(NOW + timedelta(minutes=120))
    assert rows(arena, "select count(*) from prompts") == [(0,)]
    assert rows(arena, "select count(*) from answers") == [(0,)]


def test_nobody_can_test_a_guess_of_an_erased_answer(arena: VoteStore, server: ModelServer):
    answers_with(server, lambda model: {"quill": "Yes.", "brine": "No.", "tamar": "Maybe."}[model])
    live, who = Live(arena, server), voter()
    ballot = vote_on(live, who)
    live.booth.withdraw(ballot.id, who, NOW)

    [(prompt, *kept)] = rows(arena, "select prompt_id, answer_a, answer_b from battles")
    guesses = {answer_id(prompt, model, text) for model in MODELS for text in ("Yes.", "No.", "Maybe.")}
    assert guesses.isdisjoint(kept)


@pytest.mark.parametrize("is_given", [False, True])
def test_an_own_prompt_is_exported_with_its_voters_consent_alone(
    arena: VoteStore, server: ModelServer, tmp_path: Path, is_given: bool
):
    consent = '[consent]\nversion = "1"\nlicense = "cc0-1.0"\npurpose = "train"\ntext = "May we?"\n'
    arena.catalogue.set_rules(LIVE + (consent if is_given else ""), None, NOW)
    answers_with(server, sky)
    live, who = Live(arena, server), voter()
    if is_given:
        live.booth.say(who, "1", is_given=True, now=NOW)
    vote_on(live, who)

    done = export(arena, tmp_path / "out", names=["preference"], sources=[Source.HUMAN])

    told = done.manifest["formats"]["preference"]
    assert told["kept"] == int(is_given)
    if not is_given:
        assert told["left_out"] == {"its prompt is its voter's own, and no consent is known": 1}
