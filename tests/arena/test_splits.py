"""Train, test and gold: a group stands on one side, growth moves nothing, and gold is never trained on."""

import string
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Message, PromptId
from arena.dataset.near import NEAR, NearTexts, normalised, similarity
from arena.dataset.split import BRIDGE, NEAR_GOLD, TORN, Arrival, Split, SplitRule, compared_text, place

property_test = settings(max_examples=40, deadline=None, derandomize=True, database=None)

HALF = SplitRule(Fraction(1, 2))  # so that both sides are met often

WORDS = (
    *("river", "stone", "wind", "letter", "garden", "window", "harbour"),
    *("candle", "forest", "mountain", "silver", "autumn", "story", "winter"),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Arrival], dict[PromptId, str]]:
    """Prompts of which many are variations of a few, and conversations that join some of them."""
    roots = [" ".join(draw(st.permutations(WORDS))[:11]) for _ in range(3)]
    arrivals, texts = [], {}
    for number in range(draw(st.integers(1, 16))):
        root = draw(st.sampled_from(roots))
        text = list(root)
        for _ in range(draw(st.integers(0, 3))):  # each letter changes 5 of some 70 grams
            text[draw(st.integers(0, len(text) - 1))] = draw(st.sampled_from(string.ascii_lowercase))
        if draw(st.booleans()):  # half of one and half of another is near to neither, but bridges
            text = [*text, *f" {draw(st.sampled_from(roots))[: draw(st.integers(0, 30))]}"]
        prompt = PromptId(f"p{number}")
        texts[prompt] = draw(st.sampled_from(["hi", "why?", normalised("".join(text))]))
        arrivals.append(Arrival(number, prompt, draw(st.sampled_from([None, None, "c1", "c2"]))))
    return arrivals, texts


def where(arrivals: list[Arrival], texts: dict[PromptId, str], gold: frozenset[PromptId] = frozenset()):
    splits = place(arrivals, texts, HALF, gold)
    return {(each.prompt_id, each.link): splits.of(each.prompt_id, each.link) for each in arrivals}


@property_test
@given(worlds())
def test_no_near_duplicate_and_no_conversation_stands_on_both_sides(world: tuple[list[Arrival], dict[PromptId, str]]):
    arrivals, texts = world
    found = where(arrivals, texts)
    for ((one, link), here), ((other, other_link), there) in combinations(found.items(), 2):
        is_group = similarity(texts[one], texts[other]) >= NEAR or (link is not None and link == other_link)
        if is_group and isinstance(here, Split) and isinstance(there, Split):
            assert here is there


@property_test
@given(worlds(), st.integers(0, 16))
def test_growth_moves_no_prompt(world: tuple[list[Arrival], dict[PromptId, str]], n_before: int):
    arrivals, texts = world
    before, now = where(arrivals[:n_before], texts), where(arrivals, texts)
    assert {each: now[each] for each in before} == before


@property_test
@given(worlds(), st.data())
def test_the_order_of_rows_does_not_matter(world: tuple[list[Arrival], dict[PromptId, str]], data: st.DataObject):
    arrivals, texts = world
    assert where(data.draw(st.permutations(arrivals)), texts) == where(arrivals, texts)


@property_test
@given(worlds(), st.data())
def test_gold_takes_away_what_is_near_it_and_moves_nothing(
    world: tuple[list[Arrival], dict[PromptId, str]], data: st.DataObject
):
    arrivals, texts = world
    gold = frozenset(data.draw(st.sets(st.sampled_from(sorted(texts)))))
    before, now = where(arrivals, texts), where(arrivals, texts, gold)
    for key, here in now.items():
        prompt, _ = key
        if here in (Split.TRAIN, Split.TEST):
            assert here is before[key]
            assert all(similarity(texts[prompt], texts[each]) < NEAR for each in gold)
        if prompt in gold:
            assert here in (Split.GOLD, TORN)


def test_a_prompt_that_bridges_train_and_test_is_left_out_for_that_reason():
    words = [f"{letter}{number}word" for letter in "abcdef" for number in range(10)]
    long, other = " ".join(words[:50]), " ".join(words[8:58])
    middle = " ".join(words[4:54])
    # 8 of 50 words are exchanged between the ends, 4 between each end and the middle.
    assert similarity(long, other) < NEAR <= min(similarity(long, middle), similarity(middle, other))
    ids = [PromptId(each) for each in "abc"]
    texts = dict(zip(ids, (long, other, middle), strict=True))
    arrivals = [Arrival(number, each) for number, each in enumerate(ids)]
    told = set()
    for salt in range(20):
        splits = place(arrivals, texts, SplitRule(Fraction(1, 2), str(salt)))
        first, second, bridge = map(splits.of, ids)
        assert bridge == (first if first == second else BRIDGE)
        told.add(bridge)
    assert told == {Split.TRAIN, Split.TEST, BRIDGE}


def test_a_later_turn_goes_where_its_conversation_is_whatever_else_asks_the_same():
    ids = first, second, more = [PromptId(each) for each in ("first", "second", "more")]
    texts = {first: "a question about the moon", second: "another one about bread", more: "and why?"}
    arrivals = [
        *(Arrival(1, first, "c1"), Arrival(2, second, "c2")),
        *(Arrival(3, more, "c1", is_follow_up=True), Arrival(4, more, "c2", is_follow_up=True)),
    ]
    for salt in range(8):
        splits = place(arrivals, texts, SplitRule(Fraction(1, 2), str(salt)))
        assert splits.of(more, "c1") == splits.of(first, "c1")
        assert splits.of(more, "c2") == splits.of(second, "c2")
    assert len(ids) == 3


def test_a_conversation_that_joins_both_sides_later_is_torn_and_moves_none():
    one, other = PromptId("one"), PromptId("other")
    texts = {one: "a question about the moon", other: "another one about bread"}
    old = [Arrival(1, one), Arrival(2, other)]
    rule = next(
        rule
        for salt in range(50)
        if place(old, texts, rule := SplitRule(Fraction(1, 2), str(salt))).of(one) != place(old, texts, rule).of(other)
    )
    splits = place([*old, Arrival(3, one, "c"), Arrival(4, other, "c")], texts, rule)
    assert splits.of(one, "c") == splits.of(one) == place(old, texts, rule).of(one)
    assert splits.of(other) == place(old, texts, rule).of(other)
    assert splits.of(other, "c") == TORN


def test_a_conversation_with_a_gold_prompt_is_not_trained_on():
    one, gold = PromptId("one"), PromptId("gold")
    texts = {one: "a question about the moon", gold: "another one about bread"}
    splits = place([Arrival(1, one, "c"), Arrival(2, gold, "c")], texts, SplitRule(), {gold})
    assert (splits.of(one, "c"), splits.of(one)) == (NEAR_GOLD, NEAR_GOLD)


@pytest.mark.parametrize(("share", "expected"), [("0", 0), ("1/20", 50), ("1", 1000)])
def test_so_many_of_a_thousand_prompts_go_to_test(share: str, expected: int):
    texts = {PromptId(str(number)): f"short {number}" for number in range(1000)}
    arrivals = [Arrival(number, each) for number, each in enumerate(texts)]
    splits = place(arrivals, texts, SplitRule(Fraction(share)))
    n_test = sum(splits.of(each) is Split.TEST for each in texts)
    # Binomial: the standard deviation at 1/20 is 6.9.
    assert abs(n_test - expected) <= (28 if 0 < expected < 1000 else 0)


def test_a_system_message_that_all_share_makes_nobody_near():
    system = Message("system", "You are a helpful assistant who answers at length. " * 20)
    texts = [compared_text((system, Message("user", each))) for each in ("How far is the moon?", "Who bakes bread?")]
    assert texts == ["how far is the moon?", "who bakes bread?"]


def test_all_pairs_above_the_line_are_found_and_none_below_it():
    import random  # noqa: PLC0415

    rng = random.Random(4)
    texts = []
    for _ in range(60):
        words = rng.choices(WORDS, k=30)
        texts.append(" ".join(words))
        for _ in range(rng.randrange(4)):
            words = [rng.choice(WORDS) if rng.random() < 0.06 else word for word in words]
            texts.append(" ".join(words))
    texts = list(dict.fromkeys(texts))
    ours = NearTexts(texts)
    exact = {pair for pair in combinations(range(len(texts)), 2) if similarity(texts[pair[0]], texts[pair[1]]) >= NEAR}
    assert exact
    found = {tuple(sorted((number, other))) for number in range(len(texts)) for other in ours.near(number)}
    assert found == exact


def test_short_prompts_are_the_same_only_if_they_are_equal():
    assert similarity(normalised("What is 12+13?"), normalised("what  is 12+13?")) == 1
    assert similarity("what is 12+13?", "what is 12+14?") == 0
    assert list(NearTexts([]).near(0)) == []
