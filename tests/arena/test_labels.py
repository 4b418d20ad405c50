"""What a voter says beside the verdict: what the rules turn on and nothing else, stored as it was said, and chained."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import old_database
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Confidence, Labels, Reveal, Scale, Side, Thumb, Verdict, VoterId
from arena.errors import AlreadyVoted, BadPack, NotALabel
from arena.labels import LONGEST_COMMENT, Dimension, LabelRules
from arena.pack import read_pack, starter_directory
from arena.rules import Rules, check_rules
from arena.store import VoteStore
from arena.voting import Booth
from arenas import KEY, booth, fill
from ground import NOW

EVERYTHING = """
[labels]
scale = "5-steps"
reasons = ["Wrong facts", "Too long"]
comment = true
confidence = true
ratings = true
acceptable = true
thumbs = true
dimensions = [
    { id = "accuracy", name = "Accuracy" },
    { id = "style", name = "Style", meaning = "Tone, length and form." },
]
"""
SAID = Labels(
    scale=Scale.FIVE,
    strength=2,
    dimensions={"style": Verdict.TIE, "accuracy": Verdict.A},
    reasons={Side.B: frozenset({"Too long", "Wrong facts"})},
    comment="Über alles: “gut”.\n\tUnd 好.",
    confidence=Confidence.HIGH,
    ratings={Side.B: 1, Side.A: 5},
    acceptable=False,
    thumbs={Side.B: Thumb.UP, Side.A: Thumb.DOWN},
)
property_test = settings(max_examples=100, deadline=None, derandomize=True, database=None)
COLUMNS = ("scale", "strength", "dimensions", "reasons", "comments", "confidence", "ratings", "acceptable")


def voter() -> VoterId:
    voter_id = KEY.voter_id(KEY.issue())
    assert voter_id is not None
    return voter_id


def arena_with(store: VoteStore, rules: str) -> Booth:
    fill(store, NOW)
    store.catalogue.set_rules(rules, None, NOW)
    return booth(store, NOW)


def stored(store: VoteStore, where: str = "true") -> list[tuple[Any, ...]]:
    with store._database.read() as cursor:
        return cursor.execute(f"select {', '.join(COLUMNS)} from vote_log where {where} order by seq").fetchall()


# ---- the rules ----


def test_everything_is_off_unless_it_is_turned_on():
    rules = LabelRules()
    assert rules.is_plain
    assert not rules.asks_more
    for verdict in Verdict:
        rules.check(verdict, Labels())


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[labels]\nscale = "3-steps"\n', 2, "much-slightly"),
        ("[labels]\nscale = 5\n", 2, "scale"),
        ("[labels]\ncolour = true\n", 2, "unknown key 'labels.colour'"),
        ("[labels]\n\ncomment = 1\n", 3, "comment"),
        ('[labels]\nreasons = ["a", "b", "a"]\n', 2, "'a' stands twice"),
        ('[labels]\nreasons = ["a", " b"]\n', 2, "blank at an end"),
        ('[labels]\nreasons = [""]\n', 2, "are empty"),
        ('[labels]\nreasons = ["a\\u0007"]\n', 2, "control character"),
        (f'[labels]\nreasons = ["{"a" * 61}"]\n', 2, "61 characters; at most 60"),
        (f"[labels]\nreasons = {json.dumps([str(n) for n in range(21)])}\n", 2, "at most 20"),
        ("[labels]\nreasons = [1]\n", 2, "reasons"),
        ('[[labels.dimensions]]\nid = "x"\nname = "X"\n[[labels.dimensions]]\nid = "y"\n', 4, "name' is missing"),
        ('[[labels.dimensions]]\nid = "x"\nname = "X"\nweight = 2\n', 4, "known here: id, name, meaning"),
        ('[[labels.dimensions]]\nid = " x"\nname = "X"\n', 2, "the id of a dimension is ' x'"),
        (f'[[labels.dimensions]]\nid = "{"a" * 61}"\nname = "X"\n', 2, "61 characters; at most 60"),
        ('[[labels.dimensions]]\nid = "x"\nname = "X"\nmeaning = "a\\u009b"\n', 4, "control character"),
        (
            '[[labels.dimensions]]\nid = "x"\nname = "X"\n\n[[labels.dimensions]]\nid = "x"\nname = "Y"\n',
            1,
            "'x' stands",
        ),
        (
            '[[labels.dimensions]]\nid = "x"\nname = "X"\n\n[[labels.dimensions]]\nid = "y"\nname = "X"\n',
            1,
            "'X' stands",
        ),
    ],
)
def test_what_is_wrong_with_the_labels_of_a_pack_is_said_with_its_line(text: str, line: int, said: str):
    faults: list[Any] = []
    check_rules("arena.toml", text, faults)
    [fault] = faults
    assert fault.place == line
    assert said in fault.message


def test_check_lists_a_fault_of_the_labels_like_any_other(tmp_path: Path):
    for path in starter_directory().iterdir():
        if path.suffix in (".toml", ".md", ".jsonl"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "arena.toml").read_text(encoding="utf-8")
    (tmp_path / "arena.toml").write_text(text.replace('scale = "plain"', 'scale = "much"'), encoding="utf-8")
    with pytest.raises(BadPack, match=r"arena\.toml, line \d+: labels\.scale is 'much'"):
        read_pack(tmp_path)


def test_the_starter_pack_shows_every_label_with_its_default_and_an_example_that_works():
    text = (starter_directory() / "arena.toml").read_text(encoding="utf-8")
    faults: list[Any] = []
    assert check_rules("arena.toml", text, faults).labels == LabelRules()
    for name in LabelRules.model_fields:
        assert f"\n{name} = " in text or f"\n# {name} = " in text or f"[[labels.{name}]]" in text, name
    head, section = text.split("[labels]", 1)
    section, tail = section.split("\n[", 1)
    opened = "\n".join(line.removeprefix("# ") if "=" in line or "[[" in line else line for line in section.split("\n"))
    rules = check_rules("arena.toml", f"{head}[labels]{opened}\n[{tail}", faults).labels
    assert faults == []
    assert rules.reasons
    assert [each.id for each in rules.dimensions] == ["accuracy"]


# ---- what a vote may carry ----

_words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
rules_of_any_arena = st.builds(
    LabelRules,
    scale=st.sampled_from(Scale),
    dimensions=st.lists(_words, max_size=3, unique=True).map(
        lambda ids: tuple(Dimension(id=each, name=each) for each in ids)
    ),
    reasons=st.lists(_words, max_size=4, unique=True).map(tuple),
    comment=st.booleans(),
    confidence=st.booleans(),
    ratings=st.booleans(),
    acceptable=st.booleans(),
    thumbs=st.booleans(),
)


@st.composite
def sound_votes(draw: st.DrawFn) -> tuple[LabelRules, Verdict, Labels]:
    """Rules, and a vote that says some of what they ask for."""
    rules = draw(rules_of_any_arena)
    verdict = draw(st.sampled_from([each for each in Verdict if rules.scale is not Scale.EIGHT or each != "tie"]))
    steps = st.integers(1, rules.scale.n_steps) if rules.scale.n_steps and verdict.is_decisive else st.none()
    sides = st.sampled_from(Side)
    some = st.frozensets(st.sampled_from(rules.reasons), min_size=1) if rules.reasons else st.nothing()
    ids = st.sampled_from([each.id for each in rules.dimensions]) if rules.dimensions else st.nothing()
    characters = st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t")
    comments = st.text(characters, min_size=1, max_size=50).filter(str.strip)
    labels = Labels(
        scale=None if rules.scale is Scale.PLAIN else rules.scale,
        strength=draw(steps if rules.scale.is_on_bar else st.none() | steps),
        dimensions=draw(st.dictionaries(ids, st.sampled_from([Verdict.A, Verdict.B, Verdict.TIE]))),
        reasons=draw(st.dictionaries(sides, some)),
        comment=draw(st.none() | comments if rules.comment else st.none()),
        confidence=draw(st.none() | st.sampled_from(Confidence) if rules.confidence else st.none()),
        ratings=draw(st.dictionaries(sides, st.integers(1, 5)) if rules.ratings else st.just({})),
        acceptable=draw(st.none() | st.booleans() if rules.acceptable and verdict.is_decisive else st.none()),
        thumbs=draw(st.dictionaries(sides, st.sampled_from(Thumb)) if rules.thumbs else st.just({})),
    )
    return rules, verdict, labels


def test_what_is_asked_for_is_stored_as_it_was_said(store: VoteStore):
    here = arena_with(store, "")

    @settings(property_test, max_examples=30)
    @given(sound_votes())
    def holds(vote: tuple[LabelRules, Verdict, Labels]) -> None:
        here.labels, verdict, labels = vote
        me = voter()
        ballot = here.open(me, NOW)
        here.cast(ballot.id, verdict, me, NOW, labels)
        opened = store.ballots.find(ballot.id)
        assert opened is not None
        assert (opened.verdict, opened.labels) == (verdict, labels)

    holds()
    assert store.log.position()[0] >= 20
    assert store.log.broken_links() == []


EXTRAS: dict[str, dict[str, Any]] = {
    "dimensions": {"dimensions": {"accuracy": Verdict.A}},
    "reasons": {"reasons": {Side.A: frozenset({"Too long"})}},
    "comment": {"comment": "x"},
    "confidence": {"confidence": Confidence.LOW},
    "ratings": {"ratings": {Side.A: 3}},
    "acceptable": {"acceptable": True},
    "thumbs": {"thumbs": {Side.B: Thumb.DOWN}},
}


@property_test
@given(sound_votes(), st.sampled_from(sorted(EXTRAS)))
def test_what_is_not_asked_for_is_refused_by_its_name(vote: tuple[LabelRules, Verdict, Labels], extra: str):
    rules, verdict, labels = vote
    off: Any = () if extra in ("dimensions", "reasons") else False
    rules = rules.model_copy(update={extra: off})
    nothing: dict[str, Any] = {extra: {} if isinstance(getattr(labels, extra), dict) else None}
    rules.check(verdict, replace(labels, **nothing))
    with pytest.raises(NotALabel) as refused:
        rules.check(verdict, replace(labels, **EXTRAS[extra]))
    assert (refused.value.label, refused.value.accepted) == (extra, "nothing")


@pytest.mark.parametrize(
    ("verdict", "change", "label"),
    [
        (Verdict.A, {"scale": None}, "scale"),
        (Verdict.A, {"scale": Scale.EIGHT}, "scale"),
        (Verdict.A, {"strength": None}, "strength"),
        (Verdict.A, {"strength": 0}, "strength"),
        (Verdict.B, {"strength": 3}, "strength"),
        (Verdict.TIE, {"acceptable": None}, "strength"),
        (Verdict.BOTH_BAD, {"strength": 1, "acceptable": None}, "strength"),
        (Verdict.TIE, {"strength": None}, "acceptable"),
        (Verdict.A, {"dimensions": {"honesty": Verdict.A}}, "dimensions"),
        (Verdict.A, {"dimensions": {"style": Verdict.BOTH_BAD}}, "dimensions"),
        (Verdict.A, {"reasons": {Side.A: frozenset({"too long"})}}, "reasons"),
        (Verdict.A, {"reasons": {Side.A: frozenset()}}, "reasons"),
        (Verdict.A, {"comment": ""}, "comment"),
        (Verdict.A, {"comment": " \n"}, "comment"),
        (Verdict.A, {"comment": "x" * (LONGEST_COMMENT + 1)}, "comment"),
        (Verdict.A, {"comment": "a\rb"}, "comment"),
        (Verdict.A, {"comment": "a\x00"}, "comment"),
        (Verdict.A, {"comment": "a\x9b"}, "comment"),
        (Verdict.A, {"comment": "a\ud83d"}, "comment"),
        (Verdict.A, {"ratings": {Side.A: 0}}, "ratings"),
        (Verdict.A, {"ratings": {Side.A: 6}}, "ratings"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_stored(
    store: VoteStore, verdict: Verdict, change: dict[str, Any], label: str
):
    here, me = arena_with(store, EVERYTHING), voter()
    ballot = here.open(me, NOW)
    with pytest.raises(NotALabel) as refused:
        here.cast(ballot.id, verdict, me, NOW, replace(SAID, **change))
    assert refused.value.label == label
    assert refused.value.accepted
    assert store.log.position()[0] == 0
    here.cast(ballot.id, Verdict.A, me, NOW, SAID)


def test_a_comment_may_have_two_thousand_characters_of_any_script(store: VoteStore):
    here, me = arena_with(store, "[labels]\ncomment = true\n"), voter()
    comment = "🙂" * LONGEST_COMMENT
    here.cast(here.open(me, NOW).id, Verdict.TIE, me, NOW, Labels(comment=comment))
    [row] = stored(store)
    assert json.loads(row[4]) == {"vote": comment}


def test_eight_steps_have_no_tie_and_both_bad_has_no_strength():
    rules = LabelRules(scale=Scale.EIGHT)
    on_it = Labels(scale=Scale.EIGHT)
    with pytest.raises(NotALabel) as refused:
        rules.check(Verdict.TIE, on_it)
    assert (refused.value.label, refused.value.accepted) == ("verdict", "A, B, both_bad")
    rules.check(Verdict.BOTH_BAD, on_it)
    for strength in range(1, 5):
        rules.check(Verdict.B, replace(on_it, strength=strength))
    with pytest.raises(NotALabel):
        rules.check(Verdict.B, replace(on_it, strength=5))


def test_much_or_slightly_need_not_be_said():
    rules = LabelRules(scale=Scale.MUCH_SLIGHTLY)
    on_it = Labels(scale=Scale.MUCH_SLIGHTLY)
    for verdict in Verdict:
        rules.check(verdict, on_it)
    for strength in (1, 2):
        rules.check(Verdict.A, replace(on_it, strength=strength))
        with pytest.raises(NotALabel):
            rules.check(Verdict.TIE, replace(on_it, strength=strength))


# ---- once ----


def test_the_same_vote_again_is_the_same_vote_even_when_the_rules_have_changed_since(store: VoteStore):
    here, me = arena_with(store, EVERYTHING), voter()
    ballot = here.open(me, NOW)
    first = here.cast(ballot.id, Verdict.A, me, NOW, SAID)
    assert here.cast(ballot.id, Verdict.A, me, NOW, SAID) == first
    store.catalogue.set_rules("", None, NOW)
    assert booth(store, NOW).cast(ballot.id, Verdict.A, me, NOW, SAID) == first
    assert store.log.position()[0] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"strength": 1},
        {"comment": None},
        {"comment": "Another."},
        {"dimensions": {}},
        {"ratings": {Side.A: 5}},
        {"reasons": {Side.A: frozenset({"Too long", "Wrong facts"})}},
        {"confidence": Confidence.LOW},
        {"acceptable": True},
    ],
)
def test_other_labels_on_the_same_ballot_are_refused_and_the_first_stay(store: VoteStore, change: dict[str, Any]):
    here, me = arena_with(store, EVERYTHING), voter()
    ballot = here.open(me, NOW)
    here.cast(ballot.id, Verdict.A, me, NOW, SAID)
    with pytest.raises(AlreadyVoted) as refused:
        here.cast(ballot.id, Verdict.A, me, NOW, replace(SAID, **change))
    assert refused.value.kept is Verdict.A
    opened = store.ballots.find(ballot.id)
    assert opened is not None
    assert opened.labels == SAID


def test_of_twenty_racing_votes_with_different_labels_one_is_stored_whole(store: VoteStore):
    here, me = arena_with(store, EVERYTHING), voter()
    ballot = here.open(me, NOW)
    gate = threading.Barrier(20)

    def cast(i: int) -> Reveal | None:
        labels = replace(SAID, comment=f"comment {i}", ratings={Side.A: 1 + i % 5}, strength=1 + i % 2)
        gate.wait()
        try:
            return here.cast(ballot.id, Verdict.A, me, NOW, labels)
        except AlreadyVoted:
            return None

    with ThreadPoolExecutor(20) as threads:
        results = list(threads.map(cast, range(20)))
    [winner] = [i for i, reveal in enumerate(results) if reveal is not None]
    opened = store.ballots.find(ballot.id)
    assert opened is not None
    assert opened.labels is not None
    assert opened.labels.comment == f"comment {winner}"
    assert opened.labels.ratings == {Side.A: 1 + winner % 5}
    assert opened.labels.strength == 1 + winner % 2
    assert store.log.broken_links() == []


# ---- at rest ----


def test_labels_are_stored_in_one_way_and_what_was_not_said_is_null(store: VoteStore):
    here, me = arena_with(store, EVERYTHING), voter()
    here.cast(here.open(me, NOW).id, Verdict.A, me, NOW, SAID)
    here.cast(here.open(me, NOW).id, Verdict.TIE, me, NOW, Labels(scale=Scale.FIVE))
    said, silent = stored(store)
    assert said == (
        *("5-steps", 2, '{"accuracy": "A", "style": "tie"}', '{"B": ["Too long", "Wrong facts"]}'),
        *('{"vote": "Über alles: “gut”.\\n\\tUnd 好."}', "high"),
        *('{"A": 5, "B": 1, "thumbs": {"A": "down", "B": "up"}}', False),
    )
    assert silent == ("5-steps", *[None] * 7)


def test_a_plain_vote_has_no_labels_at_rest(store: VoteStore):
    here, me = arena_with(store, ""), voter()
    here.cast(here.open(me, NOW).id, Verdict.A, me, NOW)
    assert stored(store) == [(None,) * 8]


# ---- the chain ----


@pytest.mark.parametrize(
    "change",
    [
        "scale = '8-steps'",
        "scale = null",
        "strength = 1",
        "dimensions = null",
        """dimensions = '{"accuracy": "B", "style": "tie"}'""",
        """reasons = '{"A": ["Too long"]}'""",
        """comments = '{"vote": "Splendid."}'""",
        "comments = null",
        "confidence = 'low'",
        """ratings = '{"A": 5, "B": 2}'""",
        """ratings = '{"A": 5, "B": 1, "thumbs": {"A": "up", "B": "up"}}'""",
        """ratings = '{"A": 5, "B": 1}'""",
        "ratings = null",
        "acceptable = true",
        "acceptable = null",
    ],
)
def test_a_label_that_was_changed_is_found(tmp_path: Path, change: str):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        here, me = arena_with(store, EVERYTHING), voter()
        for _ in range(2):
            here.cast(here.open(me, NOW).id, Verdict.A, me, NOW, SAID)
        assert store.log.broken_links() == []
    with duckdb.connect(str(path)) as con:
        con.execute(f"update votes set {change} where seq = 1")
    with VoteStore.open(path) as store:
        [broken] = store.log.broken_links()
    fault = {
        """comments = '{"vote": "Splendid."}'""": "what its voter wrote was changed",
        "comments = null": "what its voter wrote is gone, and no act of the log took it out of a withdrawn vote",
    }
    assert (broken.seq, broken.fault) == (1, fault.get(change, "it was changed after it was stored"))


def test_an_old_log_keeps_its_hashes_and_takes_labels(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    old_database.write(path)
    with VoteStore.open(path) as store:
        assert store.log.hash_at(3) == old_database.HASHES[3]
        assert store.log.position()[0] == 4, "an act that says where the votes from before end"
        assert store.log.broken_links() == []
        store.catalogue.set_rules(EVERYTHING, None, NOW)
        booth(store, NOW).cast("ballot3", Verdict.A, VoterId("voter3"), NOW, SAID)
        assert store.log.broken_links() == []
    with duckdb.connect(str(path)) as con:
        con.execute("""update votes set ratings = '{"A": 5}' where seq = 2""")
    with VoteStore.open(path) as store:
        assert [each.seq for each in store.log.broken_links()] == [2]


def test_the_rules_read_back_from_the_database_are_those_of_the_pack(store: VoteStore):
    arena_with(store, EVERYTHING)
    assert store.catalogue.rules() == Rules.model_validate(
        {
            "labels": LabelRules(
                scale=Scale.FIVE,
                reasons=("Wrong facts", "Too long"),
                comment=True,
                confidence=True,
                ratings=True,
                acceptable=True,
                thumbs=True,
                dimensions=(
                    Dimension(id="accuracy", name="Accuracy"),
                    Dimension(id="style", name="Style", meaning="Tone, length and form."),
                ),
            )
        }
    )
