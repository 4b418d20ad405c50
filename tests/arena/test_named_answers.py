"""Answers that name their maker in an arena: noted when they come in, and dealt with as the pack says."""

import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from arena.battle import AnswerId, Ballot, Message, Model, ModelId, Prompt, PromptId, Verdict, VoterId
from arena.errors import NoBallotLeft
from arena.export import export
from arena.intake import import_pack
from arena.pack import read_pack
from arena.preferences.choices import Choices
from arena.self_naming import MASK
from arena.store import VoteStore
from arena.tally import NOT_BLIND
from arenas import answer, booth
from command import bakeoff

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ME = VoterId("me")
TELLS = "I am Brindle XL, made by Osterhaus. It rains."
MODELS = ("quillon", "brindle", "tamarack")


def filled(policy: str = "withhold", **texts: str) -> VoteStore:
    """One prompt that asks for the weather, one that asks for identity, three models; `texts` are their answers."""
    store = VoteStore.open(None)
    names = {"quillon": "Quillon Nine", "brindle": "Brindle XL", "tamarack": "Tamarack 3"}
    store.catalogue.add_models([Model(ModelId(m), names[m], "Osterhaus") for m in MODELS], NOW)
    prompts = {"weather": "Does it rain?", "who": "Who are you?"} if "who" in texts else {"weather": "Does it rain?"}
    store.catalogue.add_prompts([Prompt(PromptId(p), (Message("user", text),)) for p, text in prompts.items()], NOW)
    said = {model: texts.get(model, f"It rains, says {number}.") for number, model in enumerate(MODELS)}
    store.catalogue.add_answers([answer(p, m, f"{text}") for p in prompts for m, text in said.items()], NOW)
    store.catalogue.set_rules(f'[ballot]\nnamed_answers = "{policy}"\n', None, NOW)
    store.named.renew()
    return store


def everything_served(store: VoteStore, voter: VoterId = ME, seed: int = 0) -> list[Ballot]:
    """The ballots that one voter gets, each voted on, until none is left."""
    served, place = [], booth(store, NOW, seed)
    while True:
        try:
            ballot = place.open(voter, NOW)
        except NoBallotLeft:
            return served
        served.append(ballot)
        place.cast(ballot.id, Verdict.A, voter, NOW)


def blind_votes(store: VoteStore) -> list[bool]:
    left_out = [tally.left_out for tally in store.votes.tallies(up_to=store.log.position()[0]) for _ in range(tally.n)]
    return [reason != NOT_BLIND for reason in left_out]


def test_an_answer_that_names_its_maker_is_not_served_unless_the_pack_says_so():
    store = filled(brindle=TELLS)
    assert [each.model_id for each in store.named.current()] == ["brindle"]
    [ballot] = everything_served(store)  # the pair of the other two
    assert "Brindle" not in ballot.answer_a + ballot.answer_b
    assert blind_votes(store) == [True]


def test_what_is_withheld_makes_the_pool_smaller_and_its_probabilities_exact():
    store = filled(brindle=TELLS)
    ballot = booth(store, NOW).open(ME, NOW)
    opened = store.ballots.find(ballot.id)
    assert opened is not None
    # One pair on one prompt is left: 1 of 1, and a coin for the sides.
    assert opened.battle.draw_probability == 0.5
    assert opened.battle.sampling_policy == "uniform-over-blind-pairs"


def test_a_masked_answer_is_served_with_a_mark_and_stored_as_it_is():
    store = filled("mask", brindle=TELLS, quillon="")
    place = booth(store, NOW)
    ballot = place.open(ME, NOW)
    assert f"I am {MASK}, made by {MASK}. It rains." in (ballot.answer_a, ballot.answer_b)
    assert booth(store, NOW).open(ME, NOW) == ballot  # after a restart as well
    place.cast(ballot.id, Verdict.A, ME, NOW)
    opened = store.ballots.find(ballot.id)
    assert opened is not None
    assert opened.battle.sampling_policy == "uniform-over-blind-pairs, names masked"
    shown = store.ballots.shown(opened)
    assert TELLS in (shown.answer_a, shown.answer_b)
    assert all(blind_votes(store))
    assert store.log.broken_links() == []


def test_an_open_ballot_stays_masked_when_the_rules_change():
    store = filled("mask", brindle=TELLS, quillon="", tamarack="It snows.")
    ballot = booth(store, NOW).open(ME, NOW)
    store.catalogue.set_rules('[ballot]\nnamed_answers = "leave_out"\n', None, NOW)
    assert booth(store, NOW).open(ME, NOW) == ballot


def test_answers_that_are_alike_once_they_are_masked_do_not_meet():
    said = {"quillon": "I am Quillon Nine.", "brindle": "I am Brindle XL.", "tamarack": ""}
    assert everything_served(filled("mask", **said)) == []
    assert len(everything_served(filled("leave_out", **said))) == 1


def test_votes_on_an_answer_that_names_its_maker_are_left_out_of_board_and_export_where_it_is_served(tmp_path: Path):
    store = filled("leave_out", brindle=TELLS)
    served = [ballot for number in range(12) for ballot in everything_served(store, VoterId(f"{number}"), number)]
    named = [TELLS in (ballot.answer_a, ballot.answer_b) for ballot in served]
    assert 0 < sum(named) < len(named) == 12
    assert sorted(blind_votes(store)) == sorted(not each for each in named)
    manifest = export(store, tmp_path / "out", choices=Choices(min_agreement=Fraction(0))).manifest
    assert manifest["left_out"].get(NOT_BLIND, 0) == sum(named)
    assert manifest["formats"]["preference"]["kept"] == len(served) - sum(named)


def test_a_vote_on_a_ballot_from_before_the_answer_was_found_out_is_not_blind():
    store = filled(brindle="I am Zottel.", quillon="", tamarack="It snows.")
    place = booth(store, NOW)
    ballot = place.open(ME, NOW)
    store.catalogue.add_models([Model(ModelId("brindle"), "Brindle XL", aliases=("Zottel",))], NOW)
    store.named.renew()
    place.cast(ballot.id, Verdict.A, ME, NOW)
    assert blind_votes(store) == [False]


def test_a_new_alias_is_looked_for_in_answers_that_are_there():
    store = filled(brindle="I am Zottel.")
    assert store.named.current() == []
    store.catalogue.add_models([Model(ModelId("brindle"), "Brindle XL", aliases=("Zottel",))], NOW)
    [found] = store.named.renew()
    assert (found.model_id, found.told) == ("brindle", "I am Zottel.")
    assert store.named.ids() == {AnswerId(found.answer_id)}
    assert store.named.renew() == store.named.current() == [found]


def test_all_answers_to_a_prompt_that_asks_for_identity_are_treated_alike():
    store = filled(who="yes")
    assert {(each.prompt_id, each.told) for each in store.named.current()} == {("who", "asked: Who are you?")}
    assert len(store.named.current()) == 3
    assert all(ballot.messages[-1].content == "Does it rain?" for ballot in everything_served(store))


def test_an_answer_that_was_replaced_stays_noted_for_ballots_that_are_open():
    store = filled("leave_out", brindle=TELLS, quillon="", tamarack="It snows.")
    place = booth(store, NOW)
    ballot = place.open(ME, NOW)
    store.catalogue.add_answers([answer("weather", "brindle", "It rains.")], NOW)
    assert store.named.renew() == store.named.current() == []
    place.cast(ballot.id, Verdict.A, ME, NOW)
    assert blind_votes(store) == [False]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "arena.toml").write_text("")
    rows = {
        "models": [{"id": "q", "name": "Quillon Nine"}, {"id": "b", "name": "Brindle XL", "organization": "Osterhaus"}],
        "prompts": [{"id": "rain", "messages": [{"role": "user", "content": "Does it rain?"}]}],
        "answers": [
            {"prompt_id": "rain", "model_id": "q", "text": "It snows."},
            {"prompt_id": "rain", "model_id": "b", "text": TELLS},
        ],
    }
    for name, each in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in each))
    return folder


def test_check_and_import_say_which_answers_name_their_maker(pack: Path, tmp_path: Path):
    line = "1 answer tells who wrote it, or the prompt asks for it: not served (ballot.named_answers)"
    example = "  rain by b: I am Brindle XL, made by Osterhaus. It rains."
    assert f"{line}\n{example}\n" in bakeoff("check", pack).out
    told = {"prompt": "rain", "model": "b", "told": "I am Brindle XL, made by Osterhaus. It rains."}
    assert bakeoff("check", pack, "--json").record["named_answers"] == [told]
    assert f"{line}\n{example}\n" in bakeoff("import", pack, "--db", tmp_path / "arena.duckdb").err
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"prompt_id": "rain", "model_id": "q", "text": "My name is Quillon Nine."}))
    said = bakeoff("import", answers, "--db", tmp_path / "arena.duckdb", "--as", "answers")
    assert "2 answers tell who wrote them" in said.err
    assert "rain by q: My name is Quillon Nine." in said.err


def test_a_pack_without_names_says_nothing_of_it(pack: Path):
    (pack / "answers.jsonl").write_text(json.dumps({"prompt_id": "rain", "model_id": "q", "text": "No."}))
    assert "who wrote" not in bakeoff("check", pack).out
    assert bakeoff("check", pack, "--json").record["named_answers"] == []


def test_a_pack_and_what_is_noted_of_its_answers_come_in_together(pack: Path):
    store = VoteStore.open(None)
    import_pack(store, read_pack(pack), NOW)
    assert [each.told for each in store.named.current()] == ["I am Brindle XL, made by Osterhaus. It rains."]


def test_another_word_for_what_becomes_of_them_is_a_fault(pack: Path):
    (pack / "arena.toml").write_text('[ballot]\nnamed_answers = "hide"\n')
    said = bakeoff("check", pack)
    assert said.code == 1
    assert "arena.toml, line 2" in said.out
    assert "withhold" in said.out
