"""Live battles on real servers of models: what is shown, what is stored, and what becomes of every fault."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from live_ground import LIVE, MODELS, QUESTION, Live, answers_with, rows, run, sky
from model_server import ModelServer, Reply, serving

from arena.battle import Answer, Ballot, Message, Model, ModelId, Prompt, PromptId, Verdict
from arena.contenders.client import share_encryption
from arena.contenders.pane import Pane
from arena.errors import (
    AlreadyVoted,
    BallotSkipped,
    ConsentNeeded,
    Failure,
    NotAPrompt,
    NotOffered,
    TooMany,
    UnknownBallot,
)
from arena.live import Closed, Opened, Shown, Step
from arena.pack import answer_id
from arena.self_naming import Names
from arena.store import VoteStore
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


def test_two_models_answer_and_what_comes_of_it_is_a_ballot_like_any_other(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live, who = Live(arena, server), voter()

    steps = run(lambda: live.steps(who))

    *shown, last = steps
    assert isinstance(last, Opened)
    texts = ["".join(getattr(step, side) for step in shown) for side in ("a", "b")]
    assert texts == [last.ballot.answer_a, last.ballot.answer_b]
    assert {sky(model) for model in MODELS}.issuperset(texts)
    assert last.ballot.messages == (Message("user", QUESTION),)
    reveal = live.booth.cast(last.ballot.id, Verdict.A, who, NOW)
    assert sky(reveal.a.model.id) == texts[0]
    assert live.booth.cast(last.ballot.id, Verdict.A, who, NOW) == reveal
    with pytest.raises(AlreadyVoted):
        live.booth.cast(last.ballot.id, Verdict.B, who, NOW)
    [(wrote, blind, policy, probability)] = rows(
        arena, "select voter_wrote_prompt, blind, sampling_policy, draw_probability from vote_log"
    )
    assert (wrote, blind, policy, probability) == (True, True, "live-uniform", pytest.approx(1 / 6))


def test_both_grow_in_step(arena: VoteStore, server: ModelServer):
    server.says("quill", Reply(pieces=("A slow one. ",) * 40, between=0.02))
    server.says("brine", Reply(pieces=("A fast one. " * 40,)))
    live = Live(arena, server, ("quill", "brine"))

    *shown, last = run(lambda: live.steps(voter()))

    assert isinstance(last, Opened)
    assert all(len(step.a) == len(step.b) for step in shown)
    assert len([step for step in shown if step.a]) > 1


def test_who_answers_and_on_which_side_is_drawn_evenly(arena: VoteStore, server: ModelServer):
    live = Live(arena, server)

    async def draws() -> list[list[ModelId]]:
        return [drawn[0] for _ in range(6000) if (drawn := live.live.draw())]

    counts: dict[tuple[str, ...], int] = {}
    for pair in run(draws):
        counts[tuple(pair)] = counts.get(tuple(pair), 0) + 1
    # 6 ordered pairs, 1000 each: a standard deviation of sqrt(6000 * 1/6 * 5/6) = 29.
    assert len(counts) == 6
    assert all(abs(n - 1000) < 4 * 29 for n in counts.values())


def test_nothing_is_stored_before_the_ballot_and_no_other_voter_is_given_it(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live, who = Live(arena, server), voter()

    async def course() -> None:
        async for step in await live.live.battle(who, QUESTION):
            if isinstance(step, Shown):
                assert rows(arena, "select count(*) from prompts") == [(0,)]

    run(course)
    assert rows(arena, "select count(*) from prompts") == [(1,)]
    assert live.booth.open(who, NOW).messages == (Message("user", QUESTION),)
    assert booth(arena, NOW)._pool.n_pairs == 0
    [(ballot_id,)] = rows(arena, "select ballot_id from ballots")
    with pytest.raises(UnknownBallot):
        live.booth.cast(ballot_id, Verdict.A, voter(), NOW)


def test_the_clock_of_a_ballot_runs_from_the_first_word(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live, who = Live(arena, server), voter()

    async def course() -> Ballot:
        async for step in await live.live.battle(who, QUESTION):
            live.now += timedelta(seconds=1)
            if isinstance(step, Opened):
                return step.ballot
        raise AssertionError

    ballot = run(course)
    live.booth.cast(ballot.id, Verdict.TIE, who, live.now)
    [(opened_at, expires_at, elapsed)] = rows(
        arena, "select opened_at, expires_at, time_to_vote_ms from ballots join votes using (battle_id)"
    )
    assert elapsed == (live.now - opened_at) / timedelta(milliseconds=1)
    assert elapsed >= 1000
    assert expires_at - opened_at > timedelta(hours=2)


BEFORE_THE_FIRST_WORD = [
    Reply(status=429, headers={"Retry-After": "0"}),
    Reply(status=500, error={"message": "quill is out of memory"}),
    Reply(status=401),
    Reply(status=404),
    Reply(before=60),
    Reply(fails_after=0, how="cut"),
    Reply(fails_after=0, how="malformed"),
    Reply(fails_after=0, how="error", error="quill has failed"),
    Reply(pieces=()),
    Reply(pieces=(" ", "\n")),
]


@pytest.mark.parametrize("reply", BEFORE_THE_FIRST_WORD)
def test_a_model_that_fails_before_anything_is_shown_is_replaced(arena: VoteStore, server: ModelServer, reply: Reply):
    answers_with(server, sky)
    server.says("quill", reply)
    live, who = Live(arena, server, timeout_seconds=1), voter()
    live.live.draw = lambda: ([ModelId("quill"), ModelId("brine")], 1 / 6)

    ballot = run(lambda: live.opened(who))

    reveal = live.booth.cast(ballot.id, Verdict.A, who, NOW)
    assert [reveal.a.model.id, reveal.b.model.id] == ["tamar", "brine"]
    assert ballot.answer_a == sky("tamar")
    assert rows(arena, "select sampling_policy, draw_probability from battles") == [("live-uniform, swapped", None)]


def test_a_second_try_before_the_first_word_replaces_nobody(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    server.says("quill", Reply(status=500), Reply(pieces=(sky("quill"),)))
    live, who = Live(arena, server), voter()
    live.live.draw = lambda: ([ModelId("quill"), ModelId("brine")], 1 / 6)

    assert run(lambda: live.opened(who)).answer_a == sky("quill")
    assert rows(arena, "select sampling_policy from battles") == [("live-uniform",)]


@pytest.mark.parametrize("how", ["cut", "end", "hang", "error", "malformed"])
def test_a_model_that_fails_after_something_was_shown_closes_the_battle_and_nothing_is_stored(
    arena: VoteStore, server: ModelServer, how: str
):
    answers_with(server, lambda _: "A long answer of many words. " * 40)
    server.says(
        "quill", Reply(pieces=("Some words. ",) * 30, between=0.05, fails_after=29, how=how, error="quill has failed")
    )
    live = Live(arena, server, ("quill", "brine"))

    *shown, last = run(lambda: live.steps(voter()))

    assert isinstance(last, Closed)
    assert any(step.a for step in shown)
    assert "quill" not in repr(last)
    for table in ("prompts", "answers", "battles", "ballots", "own_prompts"):
        assert rows(arena, f"select count(*) from {table}") == [(0,)]


def test_where_nobody_is_left_to_replace_a_model_the_battle_is_closed(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    server.says("quill", Reply(status=404))
    live = Live(arena, server, ("quill", "brine"))

    assert isinstance(run(lambda: live.steps(voter()))[-1], Closed)


def test_the_same_answer_twice_is_no_battle(arena: VoteStore, server: ModelServer):
    answers_with(server, lambda _: "Because.")

    assert isinstance(run(lambda: Live(arena, server).steps(voter()))[-1], Closed)


def test_a_model_that_fails_too_often_rests_and_the_others_go_on(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    server.says("quill", Reply(status=401))
    live = Live(arena, server)

    async def course() -> None:
        for _ in range(6):
            assert isinstance((await live.steps(voter()))[-1], Opened)
        assert live.live.well() == ["brine", "tamar"]

    run(course)
    assert len(server.bodies("quill")) == 1
    assert live.live.health.figures(0.0)[ModelId("quill")].failures == {Failure.NO_KEY: 1}


def test_who_leaves_ends_the_requests_and_leaves_nothing_behind(arena: VoteStore, server: ModelServer):
    answers_with(server, lambda model: sky(model) * 50, between=0.05)
    live, who = Live(arena, server), voter()

    async def course() -> None:
        steps = await live.live.battle(who, QUESTION)
        async for step in steps:
            if isinstance(step, Shown) and step.a:
                break
        assert server.n_open == 2
        await steps.aclose()
        while server.n_open:
            await asyncio.sleep(0.01)
        assert not live.live._running

    run(course)
    assert rows(arena, "select count(*) from prompts") == [(0,)]


def test_steps_that_nobody_takes_ask_nobody(arena: VoteStore, server: ModelServer):
    live = Live(arena, server)

    async def course() -> None:
        steps = await live.live.battle(voter(), QUESTION)
        await steps.aclose()

    run(course)
    assert server.requests == []
    assert not live.live._running


def test_a_second_battle_of_a_voter_closes_the_first(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    live, who = Live(arena, server), voter()

    async def course() -> tuple[list[Step], list[Step]]:
        async def first() -> list[Step]:
            return await live.steps(who)

        task = asyncio.create_task(first())
        await asyncio.sleep(0.1)
        second = await live.steps(who)
        return await task, second

    first, second = run(course)
    assert isinstance(first[-1], Closed)
    assert isinstance(second[-1], Opened)


def test_so_many_at_once_and_no_more(arena: VoteStore, server: ModelServer):
    arena.catalogue.set_rules(LIVE + "at_once = 2\n", None, NOW)
    answers_with(server, sky)
    live = Live(arena, server)

    async def course() -> list[Any]:
        async def one(number: int) -> Any:
            await asyncio.sleep(0.05 * number)
            return await live.steps(voter())

        return await asyncio.gather(*map(one, range(3)), return_exceptions=True)

    done = run(course)
    assert [isinstance(each, TooMany) for each in done] == [False, False, True]


def test_so_many_as_the_endpoint_with_the_fewest_places_allows_so_that_nobody_waits_for_another(
    arena: VoteStore, server: ModelServer
):
    """Else who answers one voter could be told from who does not answer another."""
    answers_with(server, sky, before=0.5)
    live = Live(arena, server, concurrency=2)
    assert live.live.most == 2

    async def course() -> list[Any]:
        async def one(number: int) -> Any:
            await asyncio.sleep(0.05 * number)
            return await live.steps(voter())

        return await asyncio.gather(*map(one, range(3)), return_exceptions=True)

    first, second, third = run(course)
    assert isinstance(first[-1], Opened)
    assert isinstance(second[-1], Opened)
    assert isinstance(third, TooMany)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(("", "empty"), (" \n\t ", "empty"), ("x" * 4001, "too_long")),
        *(("a\x00b", "control"), ("a\x1bb", "control"), ("Who are you?", "identity")),
    ],
)
def test_what_cannot_be_put_to_models_is_refused_before_anybody_is_asked(
    arena: VoteStore, server: ModelServer, text: str, why: str
):
    with pytest.raises(NotAPrompt) as raised:
        run(lambda: Live(arena, server).steps(voter(), text))
    assert raised.value.why == why
    assert server.requests == []


def test_an_arena_without_own_prompts_takes_none(arena: VoteStore, server: ModelServer):
    arena.catalogue.set_rules("", None, NOW)

    with pytest.raises(NotOffered):
        run(lambda: Live(arena, server).steps(voter()))


def test_where_consent_is_required_nobody_is_asked_without_it(arena: VoteStore, server: ModelServer):
    consent = '[consent]\nversion = "1"\nlicense = "cc0-1.0"\npurpose = "eval"\ntext = "May we?"\nrequired = true\n'
    arena.catalogue.set_rules(LIVE + consent, None, NOW)

    with pytest.raises(ConsentNeeded):
        run(lambda: Live(arena, server).steps(voter()))
    assert server.requests == []


def named(model: str) -> str:
    return f"The sky is wide. I am {model.title()}, made by the Maker of {model}. Light scatters in it. " + sky(model)


def test_an_answer_that_tells_who_wrote_it_is_withheld_before_the_name_is_shown(arena: VoteStore, server: ModelServer):
    answers_with(server, sky)
    server.says("quill", Reply(pieces=tuple(f"{word} " for word in named("quill").split()), between=0.01))
    live, who = Live(arena, server), voter()
    live.live.draw = lambda: ([ModelId("quill"), ModelId("brine")], 1 / 6)

    steps = run(lambda: live.steps(who))

    told = "".join(step.a + step.b for step in steps if isinstance(step, Shown))
    assert "Quill" not in told
    assert isinstance(steps[-1], Opened)  # it was replaced, since nothing was shown yet


@pytest.mark.parametrize("policy", ["withhold", "mask"])
def test_an_answer_that_names_itself_after_something_was_shown_closes_the_battle_before_the_name(
    arena: VoteStore, server: ModelServer, policy: str
):
    arena.catalogue.set_rules(LIVE + f'[ballot]\nnamed_answers = "{policy}"\n', None, NOW)
    answers_with(server, lambda model: "It is a long story, told in short words. " * 30 + named(model), between=0.004)

    *shown, last = run(lambda: Live(arena, server).steps(voter()))

    told = "".join(step.a + step.b for step in shown if isinstance(step, Shown))
    assert isinstance(last, Closed)
    assert "long story" in told
    assert not any(name in told for name in ("Quill", "Brine", "Tamar", "Maker"))


def test_where_their_votes_are_left_out_the_vote_on_a_named_answer_counts_nowhere(
    arena: VoteStore, server: ModelServer
):
    arena.catalogue.set_rules(LIVE + '[ballot]\nnamed_answers = "leave_out"\n', None, NOW)
    answers_with(server, sky)
    server.says("quill", Reply(pieces=(named("quill"),)))
    live, who = Live(arena, server, ("quill", "brine")), voter()

    ballot = run(lambda: live.opened(who))

    live.booth.cast(ballot.id, Verdict.A, who, NOW)
    assert rows(arena, "select blind from votes") == [(False,)]


def test_a_retired_model_is_asked_nothing(arena: VoteStore, server: ModelServer):
    arena.catalogue.add_models([Model(ModelId("quill"), "Quill", retired_at=NOW)], NOW)

    async def ready() -> list[ModelId]:
        return Live(arena, server).live.well()

    assert run(ready) == ["brine", "tamar"]


def test_a_voter_has_one_open_ballot_of_the_bank_or_of_an_own_prompt(arena: VoteStore, server: ModelServer):
    arena.catalogue.add_prompts([Prompt(PromptId("p"), (Message("user", "From the bank?"),))], NOW)
    arena.catalogue.add_answers(
        [
            Answer(answer_id("p", each, f"Of {each}"), PromptId("p"), ModelId(each), f"Of {each}")
            for each in ("quill", "brine")
        ],
        NOW,
    )
    answers_with(server, sky)
    live, who = Live(arena, server), voter()
    bank = live.booth.open(who, NOW)
    first = run(lambda: live.opened(who))
    second = run(lambda: live.opened(who))

    for earlier in (bank, first):
        with pytest.raises(BallotSkipped):
            live.booth.cast(earlier.id, Verdict.A, who, NOW)
    assert live.booth.open(who, NOW).id == second.id
    assert live.booth.cast(second.id, Verdict.A, who, NOW).verdict is Verdict.A
    assert rows(arena, "select count(*) from prompts") == [(2,)]  # of the bank, and of the second


@pytest.mark.parametrize("text", ["می‌خواهم بدانم", "👨‍👩‍👧 family?", "a\u200fb", "soft\u00adhyphen", "line\none"])
def test_letters_of_every_script_may_be_asked(arena: VoteStore, server: ModelServer, text: str):
    answers_with(server, sky)

    assert run(lambda: Live(arena, server).opened(voter(), text)).messages == (Message("user", text),)


def test_an_error_of_our_own_ends_the_battle_aloud_and_leaves_nothing_behind(
    arena: VoteStore, server: ModelServer, monkeypatch: pytest.MonkeyPatch
):
    answers_with(server, sky)
    live = Live(arena, server)

    async def fail(*_: object) -> None:
        raise LookupError("a fault of ours")

    monkeypatch.setattr(live.live, "fill", fail)

    with pytest.raises(LookupError):
        run(lambda: live.steps(voter()))
    assert live.live.n_running == 0


def test_a_long_answer_full_of_names_costs_a_bounded_time_a_tick():
    """Each look is at a thousand letters and those just before them, however long the answer is."""
    names = Names.of([Model(ModelId("quill"), "Quill")])
    asked = "Write four hundred lines about Claude and GPT-4."
    pane = Pane(ModelId("quill"), names, asked, "withhold")
    line = "Claude and GPT-4 and Gemini went up the hill. "
    pane.add(line * 800)
    looked = []
    while pane.n < len(line) * 799:
        before = pane.n
        pane.look()
        looked.append(pane.n - before)
    assert max(looked) <= 1000
    assert min(looked[:-1]) > 900
    assert not pane.names_itself
