"""The inspection of the data: counted by hand where that can be done, added up always, and named to nobody."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.agreement import Band
from arena.batch import take_snapshot
from arena.battle import Adjudication, KnownVerdict, Source, Verdict
from arena.errors import StoreError
from arena.export import Order, biases, export, rehearse
from arena.inspection import Inspection, Inspector, NothingToInspect, Supply, inspect
from arena.leaderboard import Snapshot
from arena.quality.audits import audit_votes
from arena.store import VoteStore
from arena.ui.quality_api import host_json, public_json
from arena.ui.texts import LANGUAGES, texts
from biased import sheet
from dataset_world import NOW, Said, World

HUMANS = (Source.HUMAN,)


@pytest.fixture
def world() -> Iterator[World]:
    with VoteStore.open(None) as store:
        yield World(store)


def supply_of(world: World) -> Supply:
    n_log, _ = world.store.log.position()
    return Supply.of(rehearse(world.store, sources=HUMANS, up_to=n_log))


def gold(world: World, number: int) -> None:
    """Make the verdict on a prompt's answers by ada and bob known."""
    a, b = (world.answer(number, model).id for model in ("ada", "bob"))
    world.store.gold.add([KnownVerdict(world.prompt(number).id, a, b, Verdict.A, "it is so")], NOW)


# ---- how much an export would give ----


def test_every_pair_is_usable_or_gold_or_has_the_reason_why_it_is_neither(world: World):
    world.vote(
        *(Said(1), Said(1, voter="voter-2")),  # two votes, one pair
        Said(2, verdict=Verdict.TIE),
        *(Said(3), Said(3, verdict=Verdict.B, voter="voter-2")),
        *(Said(4), Said(4, verdict=Verdict.B)),  # the later one counts
        Said(5, purpose="eval"),
        *(Said(6), Said(6, a="bob", b="eve", verdict=Verdict.BOTH_BAD)),  # one gold prompt, two pairs
    )
    gold(world, 6)
    found = supply_of(world)
    assert (found.readiness.n_pairs, found.readiness.n_gold, found.n_pairs) == (2, 1, 7)
    assert found.pairs_left_out == {
        "both bad": 1,
        "conflict: no strict majority": 1,
        "for evaluation only": 1,
        "tie": 1,
    }
    assert (found.n_votes, found.n_votes_kept) == (10, 4)
    assert found.votes_left_out == {
        "conflict: no strict majority": 2,
        "a later vote of the same voter on the same answers": 1,
        "both bad": 1,
        "for evaluation only": 1,
        "tie": 1,
    }


def test_a_pair_that_an_adjudicator_alone_decides_is_gold_and_not_left_out_as_well(world: World):
    world.vote(Said(1, verdict=Verdict.TIE), Said(1, verdict=Verdict.BOTH_BAD, voter="voter-2"), Said(2))
    a, b = (world.answer(1, model) for model in ("ada", "bob"))
    world.store.gold.adjudicate(Adjudication(a.prompt_id, a.id, b.id, Verdict.A, "Ada is right.", "the host", NOW))
    found = supply_of(world)
    assert (found.readiness.n_pairs, found.readiness.n_gold, found.n_pairs) == (1, 1, 2)
    assert found.pairs_left_out == {}
    assert (found.n_votes, found.n_votes_kept, found.votes_left_out) == (3, 1, {"both bad": 1, "tie": 1})


SAYINGS = st.lists(
    st.builds(
        Said,
        prompt=st.integers(1, 4),
        a=st.just("ada"),
        b=st.sampled_from(["bob", "eve"]),
        verdict=st.sampled_from(Verdict),
        voter=st.sampled_from(["voter-1", "voter-2", "voter-3", None]),
        purpose=st.sampled_from(["both", "eval"]),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=12, deadline=None)
@given(sayings=SAYINGS, gold_prompt=st.sampled_from([None, 1]))
def test_all_adds_up_and_is_what_an_export_writes(
    tmp_path_factory: pytest.TempPathFactory, sayings: list[Said], gold_prompt: int | None
):
    with VoteStore.open(None) as store:
        world = World(store)
        world.vote(*sayings)
        if gold_prompt in {said.prompt for said in sayings}:
            gold(world, 1)
        found = supply_of(world)
        done = export(store, tmp_path_factory.mktemp("out") / "out", sources=HUMANS)
    pairs = done.manifest["pairs"]
    assert found.readiness.n_pairs == pairs["train"] + pairs["test"]
    assert found.readiness.n_gold == pairs["gold"]
    assert found.n_pairs == pairs["train"] + pairs["test"] + pairs["gold"] + sum(found.pairs_left_out.values())
    assert found.n_pairs == len({(said.prompt, said.b) for said in sayings})
    assert found.n_votes == found.n_votes_kept + sum(found.votes_left_out.values()) == len(sayings)
    kept = sum(done.manifest["formats"][name]["kept"] for name in ("preference", "gold"))
    assert found.n_votes_kept == kept


# ---- all of it ----


def judged(world: World, n_voters: int = 12, n_prompts: int = 12) -> Snapshot:
    """Everybody judges everything and prefers ada to bob to eve; the last voter always says side A."""
    pairs = (("ada", "bob"), ("bob", "ada"), ("bob", "eve"), ("eve", "ada"))
    world.vote(
        *(
            Said(number, *(pair := pairs[(number + voter) % 4]), _verdict(*pair, voter), f"voter-{voter}")
            for voter in range(n_voters)
            for number in range(1, n_prompts + 1)
        ),
        *(Said(number, voter="the-leaning-one") for number in range(1, n_prompts + 1)),
    )
    return take_snapshot(world.store, NOW)


def _verdict(a: str, b: str, voter: int) -> Verdict:
    if voter % 6 == 0:
        return Verdict.TIE
    return Verdict.A if a < b else Verdict.B


def test_an_inspection_says_of_when_and_of_how_many_votes_it_is(world: World):
    snapshot = judged(world)
    found = inspect(world.store, snapshot, NOW)
    assert (found.snapshot, found.n_log, found.n_votes, found.sources) == (snapshot.id, 156, 156, HUMANS)
    assert found.inspected_at == NOW
    assert found.agreement.agreement.merged.n_voters == 13
    assert [audit.name for audit in found.audits][:2] == ["assignment", "position"]


def test_what_everybody_may_know_names_no_voter_no_model_and_no_words_of_an_answer(world: World):
    found = inspect(world.store, judged(world), NOW)
    told = json.dumps(public_json(found))
    secret = ("the-leaning-one", "voter-1", "ada", "bob", "eve", "says", "p0001")
    assert [word for word in secret if re.search(rf"\b{word}\b", told)] == []
    assert "listed" not in told
    for_host = host_json(found)
    [leaning] = [each for each in for_host["listed"] if each["name"] == "voters_leaning"]
    assert "the-leaning-one" in {member["voter"] for member in leaning["listed"]}
    assert "the-leaning-one" in {each["voter"] for each in for_host["voters"]}


def test_of_many_votes_the_texts_of_a_sample_are_read_and_all_else_is_of_all(world: World):
    snapshot = judged(world)
    found = inspect(world.store, snapshot, NOW, most_worded=100)
    assert (found.n_votes, found.n_sampled, public_json(found)["n_sampled"]) == (156, 100, 100)
    figures = {(audit.name, each.name): each for audit in found.audits for each in audit.figures}
    assert figures["concentration", "top_voter"].n == figures["prompts", "top_prompt"].n == 156
    assert 0 < figures["sycophancy", "affirmative_chosen"].n <= 100
    assert inspect(world.store, snapshot, NOW, most_worded=156).n_sampled is None
    assert found.agreement.n_votes == 156


def test_what_is_not_known_is_absent_with_its_reason_and_never_nothing(world: World):
    world.vote(*(Said(number, *pair) for number, pair in enumerate([("ada", "bob"), ("bob", "eve"), ("eve", "ada")])))
    told = public_json(inspect(world.store, take_snapshot(world.store, NOW), NOW))
    alpha = told["agreement"]["all"]
    assert (alpha["value"], alpha["low"], alpha["band"]) == (None, None, None)
    assert alpha["reason"] == "no two voters have judged the same two answers"
    assert told["agreement"]["outcome"] == "not_measurable"
    for audit in told["audits"]:
        for figure in audit["figures"]:
            assert (figure["value"] is None) <= bool(figure["reason"]), figure


def test_few_pairs_of_answers_get_a_value_and_no_band(world: World):
    # Nine pairs, one fewer than are asked for, on which two voters agree, both ways.
    world.vote(
        *(
            Said(n, "ada", "bob", Verdict.A if n % 2 else Verdict.B, voter)
            for n in range(9)
            for voter in ("voter-1", "voter-2")
        )
    )
    told = public_json(inspect(world.store, take_snapshot(world.store, NOW), NOW))
    assert told["agreement"]["all"]["value"] == 1
    assert told["agreement"]["all"]["band"] is None
    assert told["agreement"]["outcome"] == "not_measurable"


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0.7501, "strong"),
        (0.75, "moderate"),
        (0.6, "moderate"),
        (0.5999, "fair"),
        (0.4, "fair"),
        (0.3999, "poor"),
        (-1, "poor"),
    ],
)
def test_bands_begin_where_the_page_draws_them(value: float, band: str):
    assert Band.of(value) == band


# ---- when it looks ----


class Scene:
    """An inspector whose clock goes on by a second with every look at it."""

    def __init__(self, world: World):
        self.world = world
        self.snapshot: Snapshot | None = None
        self.failures: list[tuple[str, Exception]] = []
        self._seconds = 0
        self.inspector = Inspector(
            world.store,
            lambda: self.snapshot,
            clock=lambda: NOW,
            on_failure=lambda what, error: self.failures.append((what, error)),
            ticks=self._tick,
        )

    def _tick(self) -> float:
        self._seconds += 1
        return self._seconds

    def first(self) -> Inspection:
        shown = self.inspector.shown()
        assert shown.coming is not None
        return shown.coming.result(timeout=60)


@pytest.fixture
def scene(world: World) -> Iterator[Scene]:
    scene = Scene(world)
    yield scene
    scene.inspector.close()


def test_without_a_board_there_is_nothing_to_inspect(scene: Scene):
    with pytest.raises(NothingToInspect):
        scene.inspector.shown()


def test_one_look_answers_all_until_there_is_a_newer_board(scene: Scene):
    scene.snapshot = judged(scene.world)
    found = scene.first()
    for _ in range(20):
        assert scene.inspector.shown() == (found, None)


def test_the_last_look_is_shown_while_the_next_one_rests_and_comes(scene: Scene):
    scene.snapshot = judged(scene.world)
    old = scene.first()
    scene.world.vote(Said(1, "eve", "ada", voter="somebody-new"))
    scene.snapshot = take_snapshot(scene.world.store, NOW)
    # A look takes a second by this clock, so the next one may begin nine seconds after its end: at the ninth question.
    asked = [scene.inspector.shown() for _ in range(8)]
    assert asked == [(old, None)] * 8
    found, coming = scene.inspector.shown()
    assert found is old
    assert coming is not None
    new = coming.result(timeout=60)
    assert new.n_votes == old.n_votes + 1
    assert scene.inspector.shown().found is new


def test_a_look_that_fails_is_told_the_host_and_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    scene.snapshot = judged(scene.world)
    table = scene.world.store.votes.table
    monkeypatch.setattr(scene.world.store.votes, "table", _failing)
    shown = scene.inspector.shown()
    assert shown.coming is not None
    with pytest.raises(StoreError):
        shown.coming.result(timeout=60)
    monkeypatch.setattr(scene.world.store.votes, "table", table)
    # All who ask are told of this failure while looking rests, nine times as long as it took: not each begins a look.
    for _ in range(8):
        assert scene.inspector.shown() == shown
    assert [what for what, _ in scene.failures] == ["data_quality"]
    assert scene.first().n_votes == 156


def _failing(*_: object, **__: object) -> None:
    raise StoreError("the disk is gone")


# ---- the card ----


def test_the_card_of_an_export_has_what_the_audits_say(world: World, tmp_path: Path):
    judged(world)
    told = biases(world.store)
    export(world.store, tmp_path / "out", order=Order(bias=told))
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert f"| **position**: {told['position']['sentence']} |" in card
    assert "leaning-one" not in card


# ---- texts ----


def test_every_audit_and_every_figure_has_a_name_in_every_language():
    """But for those whose names are put together, and the ones of an export's splits, which no page looks at."""
    together = re.compile(r"(half|week|guideline|own)_(side_a|tie|longer|gold|affirmative)")
    audits = audit_votes(sheet(n=300))
    for language in LANGUAGES:
        known = texts(language)
        for audit in audits:
            wanted = {f"quality.audit.{audit.name}{part}" for part in ("", ".speaks", ".silent", ".open")}
            for figure in audit.figures:
                changed = together.fullmatch(figure.name)
                trait = figure.name.removesuffix("_wins")
                if changed:
                    wanted |= {f"quality.change.{changed[1]}", f"quality.share.{changed[2]}"}
                elif audit.name == "formatting":
                    wanted.add(f"quality.trait.{trait}")
                else:
                    wanted.add(f"quality.figure.{audit.name}.{figure.name}")
            assert wanted <= known.keys(), wanted - known.keys()


def test_of_fewer_than_three_voters_of_a_group_their_agreement_is_not_told(world: World):
    def told(*voters: str) -> dict[str, Any]:
        world.vote(
            *(Said(n, "ada", "bob", Verdict.A if n % 2 else Verdict.B, voter) for n in range(12) for voter in voters)
        )
        return public_json(inspect(world.store, take_snapshot(world.store, NOW), NOW))["agreement"]

    [of_two] = told("voter-1", "voter-2")["by"]["category"]
    assert [of_two[name] for name in ("value", "low", "high", "band", "reliability")] == [None] * 5
    assert of_two["reason"] == "judged by 2 of the voters, and 3 are the fewest of whom it is told"
    assert (of_two["n_voters"], of_two["n_items"]) == (2, 12)
    [of_three] = told("voter-3")["by"]["category"]
    assert of_three["value"] == 1
    assert of_three["n_voters"] == 3
