"""Disagreement: which pairs are under conflict, where they cluster, and what an adjudication does and leaves alone."""

from collections.abc import Iterator, Mapping
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.arbiter import Arbiter
from arena.battle import (
    AnswerId,
    Battle,
    BattleId,
    ItemKind,
    Labels,
    ModelId,
    PromptId,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    Withdrawal,
)
from arena.disagreement import Cluster, Overview, Share, SharedPair, Spread, Trait, clusters, conflicts
from arena.errors import BadInput
from arena.store import VoteStore
from arena.wholeness import examine
from arenas import booth, fill, voter
from ground import NOW

A, B, TIE, BAD = Verdict


@pytest.fixture
def store() -> Iterator[VoteStore]:
    with VoteStore.open(None) as opened:
        fill(opened, NOW, 4, 3)
        yield opened


def cast(store: VoteStore, prompt: str, models: tuple[str, str], who: str, verdict: Verdict, **more: object) -> Vote:
    """A vote of somebody on the answers of two models to a prompt; the first of these stands on side A."""
    ids = store.catalogue.current_answers()
    a, b = (ids[PromptId(prompt), ModelId(model)] for model in models)
    number = store.log.position()[0]
    battle = Battle(BattleId(f"b{number}"), ModelId(models[0]), ModelId(models[1]), PromptId(prompt), a, b)
    vote = Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, VoterId(who), NOW, **more)  # type: ignore[arg-type]
    with store._database.write():
        store.votes.add_imported([(battle, vote)], NOW)
    return vote


# ---- what a conflict is ----


@pytest.mark.parametrize(
    ("spread", "is_conflict"),
    [
        (Spread(1), False),  # nobody to disagree with
        (Spread(2), False),
        (Spread(1, 1), True),
        (Spread(2, 1), False),  # two thirds, and a strict majority
        (Spread(3, 2), True),  # a strict majority, and less than two thirds
        (Spread(4, 2), False),
        (Spread(2, 1, 1), True),
        (Spread(0, 0, 1, 1), True),  # a tie is not the same as two bad answers
        (Spread(), False),
    ],
)
def test_votes_disagree_below_two_thirds(spread: Spread, is_conflict: bool):
    assert spread.is_conflict is is_conflict


@given(st.lists(st.sampled_from(list(Verdict)), max_size=30))
def test_a_spread_counts_every_verdict_once(verdicts: list[Verdict]):
    spread = Spread()
    for verdict in verdicts:
        spread = spread.plus(verdict, 1)
    assert spread.n == len(verdicts)
    assert list(spread) == [verdicts.count(each) for each in Verdict]


def pair_with(number: int, spreads: Mapping[str | None, Spread], **facts: object) -> SharedPair:
    known = {"category": "code", "language": "en", "length_a": 10, "length_b": 10} | facts
    answers = AnswerId(f"a{number}"), AnswerId(f"b{number}")
    return SharedPair(
        BattleId(f"{number:03}"),
        PromptId("p"),
        *answers,
        ModelId("m"),
        ModelId("n"),
        by_version=spreads,
        **known,  # type: ignore[arg-type]
    )


def test_clusters_put_every_pair_into_one_group_of_each_trait():
    pairs = [
        pair_with(0, {"1": Spread(1, 1)}, category="poetry", length_b=10),
        pair_with(1, {"1": Spread(2)}, length_b=30),
        pair_with(2, {"1": Spread(1, 1)}, language=None, length_b=90),
        # Under neither version two voters, so that it is in no group of a version.
        pair_with(3, {"1": Spread(1), "2": Spread(0, 1)}, length_b=12),
        pair_with(4, {"2": Spread(1)}),  # one voter: nothing to agree on
    ]
    found = clusters(pairs)
    # Gaps are 0, 2/22, 20/40 and 80/100: of four, the thirds hold 1, 1 and 2.
    assert found == [
        Cluster(Trait.CATEGORY, "code", 3, 2),
        Cluster(Trait.CATEGORY, "poetry", 1, 1),
        Cluster(Trait.LANGUAGE, "en", 3, 2),
        Cluster(Trait.LANGUAGE, None, 1, 1),
        Cluster(Trait.LENGTH_GAP, "1", 1, 1, 0.0, 0.0),
        Cluster(Trait.LENGTH_GAP, "2", 1, 1, 2 / 22, 2 / 22),
        Cluster(Trait.LENGTH_GAP, "3", 2, 1, 0.5, 0.8),
        Cluster(Trait.GUIDELINE, "1", 3, 2),
    ]
    assert [each.first_battle for each in conflicts(pairs)] == ["000", "002", "003"]


def test_nothing_shared_gives_no_cluster():
    assert clusters([]) == []
    assert Overview.of([]) == Overview(0, 0, ())
    assert Overview.of([]).share == Share(None, None, None)


def test_a_dimension_has_the_pairs_on_which_several_said_something_of_it():
    pairs = [
        pair_with(0, {None: Spread(2)}, by_dimension={"tone": Spread(1, 1), "facts": Spread(2)}),
        pair_with(1, {None: Spread(1, 1)}, by_dimension={"tone": Spread(1), "facts": Spread(1, tie=1)}),
        pair_with(2, {None: Spread(3)}, by_dimension={"tone": Spread(2, 1)}),
    ]
    found = [each for each in clusters(pairs) if each.trait is Trait.DIMENSION]
    # All agree on the whole of the first pair, and not on its tone. Both have one conflict in two pairs.
    assert found == [Cluster(Trait.DIMENSION, "facts", 2, 1), Cluster(Trait.DIMENSION, "tone", 2, 1)]


def test_shares_of_conflicts_have_wilsons_interval():
    # Of 10 of 40: centre (10 + z^2 / 2) / (40 + z^2) with z = 1.959964, so 0.141871 to 0.401940.
    share = Cluster(Trait.CATEGORY, "code", 40, 10).share
    assert (share.value, share.low, share.high) == (
        0.25,
        pytest.approx(0.141871, abs=1e-6),
        pytest.approx(0.401940, abs=1e-6),
    )


spreads = st.builds(Spread, st.integers(0, 3), st.integers(0, 3), st.integers(0, 2), st.integers(0, 2))


@settings(deadline=None)
@given(st.lists(st.tuples(spreads, st.sampled_from(["code", "poetry", None]), st.integers(0, 90)), max_size=20))
def test_each_trait_of_all_pairs_adds_up_to_all_pairs(drawn: list[tuple[Spread, str | None, int]]):
    pairs = [
        pair_with(number, {"1": spread}, category=category, length_b=length)
        for number, (spread, category, length) in enumerate(drawn)
    ]
    found = Overview.of(pairs)
    for trait in (Trait.CATEGORY, Trait.LANGUAGE, Trait.LENGTH_GAP, Trait.GUIDELINE):
        held = [each for each in found.clusters if each.trait is trait]
        assert sum(each.n_pairs for each in held) == found.n_pairs
        assert sum(each.n_conflicts for each in held) == found.n_conflicts
    for each in found.clusters:
        share = each.share
        assert share.low is not None
        assert share.value is not None
        assert share.high is not None
        assert 0 <= share.low <= share.value <= share.high <= 1
    known = [each.share.low or 0 for each in found.clusters if each.trait is Trait.CATEGORY and each.value is not None]
    assert known == sorted(known, reverse=True)


@settings(deadline=None)
@given(st.lists(st.tuples(spreads, st.integers(0, 90)), max_size=12), st.randoms())
def test_the_order_of_pairs_changes_nothing(drawn: list[tuple[Spread, int]], rng: Random):
    pairs = [pair_with(number, {"1": spread}, length_b=length) for number, (spread, length) in enumerate(drawn)]
    shuffled = list(pairs)
    rng.shuffle(shuffled)
    assert Overview.of(shuffled) == Overview.of(pairs)


# ---- of the log ----


def test_votes_on_either_side_are_about_the_same_pair(store: VoteStore):
    cast(store, "p0", ("m1", "m0"), "v1", A)
    cast(store, "p0", ("m0", "m1"), "v2", B)
    cast(store, "p0", ("m0", "m1"), "v3", A)
    cast(store, "p0", ("m0", "m1"), "v3", TIE)  # the newest of a voter counts
    cast(store, "p1", ("m0", "m1"), "v1", A)
    [found] = store.disagreements.pairs([Source.HUMAN], up_to=5)
    assert found.spread == Spread(a=2, tie=1)  # in the sides of the first battle
    assert (found.model_a, found.category, found.language) == ("m1", "reasoning", "en")


def test_what_was_withdrawn_is_not_among_them(store: VoteStore):
    cast(store, "p0", ("m1", "m0"), "v1", A)
    second = cast(store, "p0", ("m0", "m1"), "v2", A)
    assert len(store.disagreements.pairs([Source.HUMAN], up_to=2)) == 1
    store.votes.withdraw(Withdrawal(second.id, VoterId("v2"), NOW))
    assert store.disagreements.pairs([Source.HUMAN], up_to=3) == []
    assert len(store.disagreements.pairs([Source.HUMAN], up_to=2)) == 1  # as of then


def test_what_was_said_of_a_dimension_is_of_the_answer_and_not_of_the_side(store: VoteStore):
    cast(store, "p0", ("m1", "m0"), "v1", A, labels=Labels(dimensions={"tone": A, "facts": TIE}))
    cast(store, "p0", ("m0", "m1"), "v2", A, labels=Labels(dimensions={"tone": B}))
    cast(store, "p0", ("m0", "m1"), "v3", A)
    [found] = store.disagreements.pairs([Source.HUMAN], up_to=9)
    assert found.by_dimension == {"tone": Spread(a=2), "facts": Spread(tie=1)}
    assert found.spread == Spread(1, 2)


def test_one_pair_alone_is_read_as_among_all_of_them(store: VoteStore):
    disagreeing(store)
    cast(store, "p0", ("m1", "m0"), "v7", BAD)
    everything = store.disagreements.pairs([Source.HUMAN], up_to=99)
    assert len(everything) == 3
    for each in everything:
        assert store.disagreements.pairs([Source.HUMAN], up_to=99, of=each.first_battle) == [each]
    # Any of its battles names the pair.
    assert store.disagreements.pairs([Source.HUMAN], up_to=99, of=BattleId("b7"))[0].spread == Spread(1, 1, 0, 1)
    assert store.disagreements.pairs([Source.HUMAN], up_to=99, of=BattleId("nobody's")) == []


def disagreeing(store: VoteStore) -> Arbiter:
    """Two pairs under conflict, one on which all agree."""
    for prompt, verdicts in (("p0", (A, B)), ("p1", (A, A)), ("p2", (A, B, TIE))):
        for number, verdict in enumerate(verdicts):
            cast(store, prompt, ("m0", "m1"), f"v{number}", verdict)
    return Arbiter(store)


def test_cases_come_with_most_votes_first_and_name_nobody(store: VoteStore):
    found = disagreeing(store).look()
    assert (found.overview.n_pairs, found.overview.n_conflicts, found.n_open) == (3, 2, 2)
    assert [case.messages[0].content for case in found.cases] == ["Question 2?", "Question 0?"]
    assert found.cases[0].spread == Spread(1, 1, 1)
    told = {field: getattr(found.cases[0], field) for field in found.cases[0].__slots__}
    assert not any("answer_id" in field or "model" in field for field in told)


def test_a_verdict_makes_gold_and_leaves_the_votes_alone(store: VoteStore):
    arbiter = disagreeing(store)
    case = arbiter.look().cases[1]
    before = store.votes.tallies(up_to=99)
    assert arbiter.decide(case.id, B, " the other is wrong ", "Ada", NOW)
    assert not arbiter.decide(case.id, B, "again", "Ada", NOW)
    ids = store.catalogue.current_answers()
    [(pair, known)] = store.gold.all().items()
    assert set(pair) == {ids[PromptId("p0"), ModelId("m0")], ids[PromptId("p0"), ModelId("m1")]}
    assert known.on(ids[PromptId("p0"), ModelId("m1")]) is A  # m1 was on side B
    assert known.reason == "the other is wrong"
    assert store.gold.pairs() == {pair}
    assert store.votes.tallies(up_to=99) == before
    after = arbiter.look()
    assert (after.overview.n_conflicts, after.n_open) == (2, 1)
    assert [(each.act.decided_by, each.messages[0].content) for each in after.decided] == [("Ada", "Question 0?")]
    assert examine(store).broken == ()


def test_another_verdict_takes_the_place_of_the_first_and_all_of_it_can_be_taken_back(store: VoteStore):
    arbiter = disagreeing(store)
    case = arbiter.look().cases[1]
    arbiter.decide(case.id, B, "x", "Ada", NOW)
    arbiter.decide(case.id, TIE, "y", "Bea", NOW)
    [decided] = arbiter.look().decided
    assert decided.act.verdict is TIE
    assert arbiter.take_back(decided.seq, "too soon", "Bea", NOW)
    assert not arbiter.take_back(decided.seq, "too soon", "Bea", NOW)
    assert store.gold.all() == {}
    assert arbiter.look().n_open == 2
    assert next(iter(store.gold.acts().values())).verdict is None
    assert len(store.gold.acts()) == 3
    assert examine(store).broken == ()


@pytest.mark.parametrize(("reason", "by"), [("", "Ada"), ("x", " "), ("x\ny", "Ada"), ("x" * 501, "Ada")])
def test_a_verdict_without_a_reason_or_a_name_is_refused(store: VoteStore, reason: str, by: str):
    arbiter = disagreeing(store)
    with pytest.raises(BadInput):
        arbiter.decide(arbiter.look().cases[0].id, A, reason, by, NOW)
    assert store.gold.acts() == {}


def test_only_what_is_under_conflict_is_decided(store: VoteStore):
    arbiter = disagreeing(store)
    agreed = next(each for each in store.disagreements.pairs([Source.HUMAN], up_to=99) if not each.spread.is_conflict)
    for case in (agreed.first_battle, "nobody's"):
        with pytest.raises(BadInput, match="no pair on which votes disagree"):
            arbiter.decide(case, A, "x", "Ada", NOW)


def test_an_adjudication_that_was_changed_is_found(store: VoteStore):
    arbiter = disagreeing(store)
    arbiter.decide(arbiter.look().cases[0].id, A, "x", "Ada", NOW)
    with store._database.write() as cursor:
        cursor.execute("update adjudications set verdict = 'B'")
    assert [each.fault for each in examine(store).broken] == ["it was changed after it was stored"]


def test_an_adjudicated_pair_comes_to_others_as_gold_at_once(store: VoteStore):
    store.catalogue.set_rules("[items]\ngold = 1.0", None, NOW)
    arbiter, here = disagreeing(store), booth(store, NOW)
    kind_of = {}
    for decides in (False, True):
        if decides:
            arbiter.decide(arbiter.look().cases[0].id, A, "x", "Ada", NOW)
        opened = store.ballots.find(here.open(voter(), NOW).id)
        assert opened is not None
        kind_of[decides] = opened.battle.item_kind
    assert kind_of == {False: ItemKind.FRESH, True: ItemKind.GOLD}
