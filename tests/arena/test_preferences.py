"""What each vote becomes: a part of a chosen answer, or left out for a named reason; nothing in between."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import count, islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Answer, AnswerId, Labels, Message, ModelId, Prompt, Scale, Side, Source, Verdict
from arena.errors import BadInput
from arena.preferences.account import Account
from arena.preferences.cast import CALIBRATION, EVALUATION, GOLD, UNLIKE_OTHERS, CastVotes, reason_against
from arena.preferences.choices import Choices, Unroll
from arena.preferences.conversation import EARLIER_TURN, NOTHING_CHOSEN, unrolled
from arena.preferences.example import Example
from arena.preferences.flag import Flag, is_error
from arena.preferences.formats import formats
from arena.preferences.formats.pairs import BELOW_FLOOR, BOTH_BAD, CONFLICT, TIE
from arena.preferences.judgement import (
    EMPTY,
    FLIPPED,
    NO_TEXTS,
    REPEATED,
    REVISION,
    SAME_TEXT,
    SUPERSEDED,
    Judge,
    Texts,
)
from arena.preferences.ranking import ranked
from arena.preferences.strength import Margins, score
from arena.tally import EXCLUDED, NOT_BLIND, WITHDRAWN
from opinions import AT, P, answer, cast, example, judged, opinion, turned, vote

FORMATS = formats()
PAIR = {"preference": FORMATS["preference"]}


def votes(n_a: int = 0, n_b: int = 0, n_tie: int = 0, n_bad: int = 0) -> list[Any]:
    said = ["A"] * n_a + ["B"] * n_b + ["tie"] * n_tie + ["both_bad"] * n_bad
    return [vote(each, number=number) for number, each in enumerate(said)]


def left_out_of(examples: list[Any], account: Account, name: str = "preference") -> dict[str, int]:
    for each in examples:
        account.take(each, {name: FORMATS[name]})
    return account.of(name)["left_out"]


# Several votes on one pair


def test_the_majority_chooses():
    [found], _ = judged([cast(votes(1, 3))])
    assert (found.verdict, found.chosen, found.rejected) == (Verdict.B, found.answer_b, found.answer_a)
    assert (found.n_decisive, found.agreement, found.weight) == (4, 0.75, 0.5)  # 3 of 4; 2 * 3/4 - 1


def test_ties_and_both_bad_choose_nothing_and_do_not_dilute_the_agreement():
    [found], account = judged([cast(votes(2, 0, 5, 4))])
    assert (found.verdict, found.agreement, found.n_decisive) == (Verdict.A, 1.0, 2)
    assert left_out_of([found], account) == {TIE: 5, BOTH_BAD: 4}


@pytest.mark.parametrize("said", [votes(0, 0, 3), votes(0, 0, 0, 2), votes(0, 0, 2, 2)])
def test_without_a_decisive_vote_nothing_is_chosen(said: list[Any]):
    found, account = judged([cast(said)])
    assert [each.chosen for each in found] == [None]
    assert sum(left_out_of(found, account).values()) == len(said)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("keep_conflicts", [False, True])
def test_an_even_split_is_a_conflict_and_left_out_whole(n: int, keep_conflicts: bool):
    found, account = judged([cast(votes(n, n, 1))], keep_conflicts=keep_conflicts)
    assert left_out_of(found, account) == {CONFLICT: 2 * n, TIE: 1}


@pytest.mark.parametrize(
    ("floor", "is_kept"), [("0", True), ("2/3", True), ("0.66", True), ("0.67", False), ("0.75", False), ("1", False)]
)
def test_two_of_three_stand_against_the_floor(floor: str, is_kept: bool):  # 2/3 = 0.666...: exactly the floor 2/3
    found, account = judged([cast(votes(2, 1))], min_agreement=Fraction(floor))
    assert left_out_of(found, account) == ({} if is_kept else {BELOW_FLOOR: 3})


def test_two_thirds_is_the_floor_and_a_conflict_that_is_kept_weighs_less():
    assert judged([cast(votes(3, 2))])[0][0].chosen is None
    [found], account = judged([cast(votes(3, 2))], keep_conflicts=True)
    assert (found.verdict, found.agreement, found.weight) == (Verdict.A, 0.6, pytest.approx(0.2))  # 2 * 3/5 - 1
    assert left_out_of([found], account) == {}


def test_an_adjudicated_verdict_stands_above_the_votes():
    key = P, AnswerId("x"), AnswerId("y")
    [found], _ = judged([cast(votes(1, 4))], adjudicated={key: Verdict.A})
    assert (found.chosen, found.agreement, found.weight) == (found.answer_a, 0.2, 1.0)
    assert judged([cast(votes(4, 0))], adjudicated={key: Verdict.TIE})[0][0].chosen is None


# Several votes of one voter


def test_of_a_voters_votes_on_the_same_answers_the_last_counts():
    found, account = judged([cast([vote("A", "v"), vote("tie", "v"), vote("B", "v"), vote("B", "w")])])
    assert [each.verdict for each in found[0].opinions] == [Verdict.B, Verdict.B]
    assert account.left_out == {SUPERSEDED: 2}


def test_votes_that_do_not_tell_their_voter_are_by_different_people():
    assert len(judged([cast(votes(3))])[0][0].opinions) == 3


def test_a_repeat_that_agrees_is_a_check_and_no_vote():
    found, account = judged([cast([vote("A", "v"), vote("A", "v", item_kind="repeat")])])
    assert [each.verdict for each in found[0].opinions] == [Verdict.A]
    assert account.left_out == {REPEATED: 1}


def test_a_voter_who_flips_on_a_repeat_has_no_say_on_the_pair():
    both = [vote("A", "v"), vote("B", "v", item_kind="repeat")]
    assert judged([cast(both)])[0] == []
    found, account = judged([cast([*both, vote("B", "w")])])
    assert [each.verdict for each in found[0].opinions] == [Verdict.B]
    assert account.left_out == {FLIPPED: 2}


# Texts


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({"y": ""}, EMPTY),
        ({"y": " \n\t\u00a0"}, EMPTY),
        ({"x": "", "y": ""}, EMPTY),
        ({"y": "By a."}, SAME_TEXT),
        ({"x": " By\na.", "y": "By a.\n"}, SAME_TEXT),
        ({"y": "NETWORK ERROR, please try again."}, Flag.ERROR),
        ({"y": answer("b", "Half a", finish_reason="length")}, Flag.UNFINISHED),
        ({"y": answer("b", "Whole.", finish_reason="error")}, Flag.ERROR),
        ({"y": "Half a ▌"}, Flag.UNFINISHED),
        ({"y": "Done.<|im_end|>\n<|im_start|>assistant\n"}, Flag.CONTROL),
        ({"y": "[INST] no [/INST]"}, Flag.CONTROL),
    ],
)
def test_what_cannot_be_a_pair_is_left_out_by_its_reason(texts: dict[str, Any], reason: str):
    found, account = judged([cast(votes(3, 1, 2, 1))], texts)
    assert (found, account.left_out) == ([], {str(reason): 7})


def test_an_answer_that_tells_its_author_is_left_out_and_may_be_kept():
    assert judged([cast(votes(3))], named=["y"])[1].left_out == {Flag.IDENTITY.value: 3}
    assert len(judged([cast(votes(3))], named=["y"], keep_flagged=[Flag.IDENTITY])[0]) == 1


def test_a_control_token_in_the_prompt_is_as_bad():
    assert judged([cast(votes(1))], messages=[Message("user", "<s>?")])[1].left_out == {Flag.CONTROL.value: 1}


@pytest.mark.parametrize("missing", [{"prompt_id": None}, {"answer_a": None}, {"answer_b": AnswerId("unknown")}])
def test_votes_without_texts_are_left_out(missing: dict[str, Any]):
    assert judged([cast(votes(2, 1), **missing)])[1].left_out == {NO_TEXTS: 3}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Error code: 429 - {'error': ...}", True),
        ("**API REQUEST ERROR** Reason: ...", True),
        ("503 Service Unavailable", True),
        ("Traceback (most recent call last):\n  File ...", True),
        ("An error code such as 429 tells a client to wait.", False),
        ("Errors happen.", False),
        ("Server error handling is done in three steps." + " More." * 100, False),
    ],
)
def test_an_error_message_is_nothing_else_than_that(text: str, expected: bool):
    assert is_error(text) is expected


# Which votes are taken


@pytest.mark.parametrize(
    ("of_vote", "choices", "reason"),
    [
        ({"left_out": WITHDRAWN}, {}, WITHDRAWN),
        ({"left_out": EXCLUDED}, {}, EXCLUDED),
        ({"left_out": NOT_BLIND}, {}, NOT_BLIND),
        ({"source": Source.AI_JUDGE}, {}, "source ai_judge is not asked for"),
        ({"phase": "calibration"}, {}, CALIBRATION),
        ({"item_kind": "gold"}, {}, GOLD),
        ({"purpose": "eval"}, {}, EVALUATION),
        ({"purpose": "train"}, {"purposes": ["both"]}, "purpose train is not asked for"),
        ({}, {"purposes": ["both"]}, "no purpose is known"),
        ({"voted_at": None}, {"since": AT}, "no time is known"),
        ({}, {"since": AT + timedelta(1)}, "cast before 2026-05-02T12:00:00+00:00"),
        ({}, {"until": AT}, "cast from 2026-05-01T12:00:00+00:00"),
        ({"guideline_version": "1"}, {"guidelines": ["2"]}, "guideline 1 is not asked for"),
        ({}, {"consents": ["2"]}, "no consent is known"),
        ({}, {"models": ["a"]}, "a model that is not asked for"),
        ({}, {"model_licenses": ["mit"]}, "a model whose license is not asked for"),
        ({"voter": "v"}, {"voters": ["w"]}, "a voter who is not asked for"),
        ({"voter": None}, {"voters": ["w"]}, "a voter who is not asked for"),
        ({}, {"categories": ["code"]}, "category facts is not asked for"),
        ({}, {"languages": ["en"]}, "no language is known"),
        ({}, {"licenses": ["mit"]}, "no license of the prompt is known"),
        ({}, {"revisions": ["r1"]}, REVISION),
    ],
)
def test_a_vote_that_is_not_asked_for_is_left_out_by_name(
    of_vote: dict[str, Any], choices: dict[str, Any], reason: str
):
    facts: dict[str, Any] = {"voter": "w"} | of_vote
    other = vote("A", **facts)
    found, account = judged([cast([other], category="facts")], **choices)
    assert (found, account.left_out) == ([], {reason: 1})


def test_a_voter_who_agrees_with_others_too_rarely_is_left_out():
    found, account = judged([cast([vote("A", "v"), vote("B", "w")])], unlike=["v"])
    assert [each.verdict for each in found[0].opinions] == [Verdict.B]
    assert account.left_out == {UNLIKE_OTHERS: 1}


def test_sources_that_are_asked_for_together_decide_together():
    said = [vote("B"), vote("A", source=Source.AI_JUDGE), vote("A", source=Source.AI_JUDGE)]
    [found], _ = judged([cast(said)], sources=[Source.HUMAN, Source.AI_JUDGE])
    assert (found.verdict, found.n_decisive) == (Verdict.A, 3)


def test_voters_have_other_names_in_an_export_and_comments_stay_at_home():
    said = vote("A", "v", labels=Labels(comment="Mine."))
    [told] = judged([cast([said])])[0][0].opinions
    assert (told.voter, told.labels.comment) == ("known as v", None)
    assert judged([cast([said])], comments=True)[0][0].opinions[0].labels.comment == "Mine."


# By how much


@pytest.mark.parametrize(
    ("labels", "margin", "size"),
    [
        (Labels(), 0.0, 2),
        (Labels(Scale.MUCH_SLIGHTLY, 1), 0.5, 1),
        (Labels(Scale.MUCH_SLIGHTLY, 2), 1.0, 3),
        (Labels(Scale.MUCH_SLIGHTLY), 0.0, 2),
        (Labels(Scale.FIVE, 1), 0.5, 2),
        (Labels(Scale.FIVE, 2), 1.0, 3),
        (Labels(Scale.EIGHT, 1), 0.25, 1),
        (Labels(Scale.EIGHT, 4), 1.0, 3),
        (Labels(ratings={Side.A: 5, Side.B: 2}), 0.75, 2),  # 3 of 4 points
        (Labels(ratings={Side.A: 2, Side.B: 5}), 0.0, 2),  # rated against the own verdict
        (Labels(ratings={Side.A: 5}), 0.0, 2),
        (Labels(Scale.EIGHT, 2, ratings={Side.A: 5, Side.B: 1}), 0.5, 1),  # the step says it best
    ],
)
def test_a_step_is_its_share_of_the_scale(labels: Labels, margin: float, size: int):
    assert Margins.of({}).of_pair([opinion("A", labels=labels)], Verdict.A) == margin
    assert score(opinion("A", labels=labels)) == -size
    assert score(opinion("A", labels=labels).turned) == size


def test_who_chose_the_other_answer_takes_away_from_the_margin():
    much, slightly = Labels(Scale.FIVE, 2), Labels(Scale.FIVE, 1)
    said = [opinion("A", labels=much), opinion("A", labels=much), opinion("B", labels=slightly), opinion("tie")]
    assert Margins.of({}).of_pair(said, Verdict.A) == pytest.approx((1 + 1 - 0.5) / 3)
    assert Margins.of({}).of_pair([said[2], said[0]], Verdict.B) == 0.0  # never below none


def test_margins_can_be_set_and_nothing_else():
    margins = Margins.of({"5-steps/2": "3", "unsaid": "0.5", "ratings": "1"})
    assert margins.of_pair([opinion("A", labels=Labels(Scale.FIVE, 2))], Verdict.A) == 3
    assert margins.of_pair([opinion("B")], Verdict.B) == 0.5
    assert Margins.of({key: str(value) for key, value in margins.to_record().items()}) == margins
    for wrong in ({"6-steps/1": "1"}, {"5-steps/1": "much"}, {"unsaid": "-1"}, {"unsaid": "nan"}, {"ratings": "inf"}):
        with pytest.raises(BadInput):
            Margins.of(wrong)


# Whether the chosen answer would do


@pytest.mark.parametrize(
    ("said", "assume", "expected"),
    [
        ([None], False, None),
        ([None], True, True),
        ([True, None], False, True),
        ([False], True, False),
        ([True, False], True, None),
        ([True, False, False], False, False),
    ],
)
def test_an_answer_is_acceptable_if_those_who_chose_it_say_so(said: list[Any], assume: bool, expected: bool | None):
    chosen = [vote("A", number=n, labels=Labels(acceptable=each)) for n, each in enumerate(said)]
    [found], _ = judged([cast(chosen)], assume_acceptable=assume)
    assert found.is_acceptable is expected


# Conversations


def conversation(*verdicts: str | None, texts: str = "user") -> list[Any]:
    return [
        example(
            verdict,
            f"a{turn}",
            f"b{turn}",
            messages=(Message(texts, f"u{turn}"),),
            conversation_id="c",
            turn=turn,
        )
        for turn, verdict in enumerate(verdicts, 1)
    ]


def test_each_turn_goes_on_from_the_chosen_answer():
    found = list(unrolled(conversation("A", "B", "A"), Unroll.ALL, Account()))
    told = [[message.content for message in each.messages] for each in found]
    assert told == [["u1"], ["u1", "a1", "u2"], ["u1", "a1", "u2", "b2", "u3"]]
    assert [each.weight for each in found] == [1 / 3] * 3
    assert {each.n_turns for each in found} == {3}


def test_by_default_the_last_turn_is_the_row_and_the_others_are_accounted_for():
    account = Account()
    [found] = unrolled(conversation("A", "B", "A"), Unroll.LAST, account)
    assert [message.content for message in found.messages] == ["u1", "a1", "u2", "b2", "u3"]
    assert (found.weight, account.left_out, account.n_votes) == (1.0, {EARLIER_TURN: 2}, 2)


def test_after_a_turn_without_a_chosen_answer_nobody_knows_how_it_went_on():
    account = Account()
    found = list(unrolled(conversation("A", "tie", "A", "A"), Unroll.ALL, account))
    assert [each.turn for each in found] == [1, 2]
    assert account.left_out == {NOTHING_CHOSEN: 2}


def test_a_turn_that_brings_its_history_keeps_it():
    seen = (Message("user", "u1"), Message("assistant", "as seen"), Message("user", "u2"))
    first, second = conversation("tie", "A")
    second = replace(second, prompt=replace(second.prompt, messages=seen))
    assert [each.messages for each in unrolled([first, second], Unroll.ALL, Account())][1] == seen


def test_pairs_outside_of_conversations_pass_through():
    alone = [example("A"), *conversation("A"), example("B")]
    assert [each.id for each in unrolled(alone, Unroll.LAST, Account())] == [each.id for each in alone]


# Ranked lists


def test_a_pair_of_a_list_weighs_its_share_of_one_vote():
    of_list = {"list_id": "l", "n_pairs": 6}
    [one], _ = judged([cast([vote("A", "ann", **of_list)])])
    assert (one.weight, lists_of(one)) == (pytest.approx(1 / 6), ["l"])
    # Two voters agree on it, one of whom said it in a list of three: 1/6 and 1/3 are 1/4 in the mean.
    [two], _ = judged([cast([vote("A", "ann", **of_list), vote("A", "bob", number=1, list_id="l", n_pairs=3)])])
    assert (two.weight, lists_of(two)) == (pytest.approx(1 / 4), ["l", "l"])
    # With three of four for A the votes weigh half, and a list of one pair is a vote.
    votes = [vote(said, f"v{n}", number=n, **of_list) for n, said in enumerate("AAAB")]
    [four], _ = judged([cast(votes)])
    assert four.weight == pytest.approx(1 / 12)
    [alone], _ = judged([cast([vote("A", "ann", list_id="l", n_pairs=1)])])
    assert alone.weight == 1


def test_of_a_pair_that_was_also_voted_on_alone_each_vote_tells_its_list():
    [mixed], _ = judged([cast([vote("A", "ann", list_id="l", n_pairs=3), vote("A", "bob", number=1)])])
    assert (mixed.weight, lists_of(mixed)) == (pytest.approx(2 / 3), ["l", None])


def lists_of(example: Example) -> list[str | None]:
    return [opinion.list_id for opinion in example.opinions]


def test_answers_with_the_same_share_have_the_mean_of_their_places():
    assert {each.rank for each in ranked([example("tie")])} == {Fraction(3, 2)}
    assert ranked([example("both_bad")]) == []


# What always holds


said = st.sampled_from(list(Verdict))
sources = st.sampled_from([Source.HUMAN, Source.HUMAN, Source.AI_JUDGE])


@st.composite
def casts(draw: st.DrawFn) -> list[Any]:
    found = []
    for number in range(draw(st.integers(1, 6))):
        of_pair = [
            vote(
                draw(said),
                draw(st.sampled_from([None, "v", "w", "x"])),
                number=n,
                source=draw(sources),
                item_kind=draw(st.sampled_from(["fresh", "fresh", "repeat", "gold"])),
                left_out=draw(st.sampled_from([None, None, None, WITHDRAWN])),
                labels=Labels(acceptable=draw(st.sampled_from([None, True, False]))),
            )
            for n in range(draw(st.integers(1, 7)))
        ]
        ids = draw(st.sampled_from([("x", "y"), ("x", "z"), ("x", None)]))
        found.append(cast(of_pair, prompt_id=f"p{number}", answer_a=ids[0], answer_b=ids[1]))
    return found


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(casts(), st.booleans(), st.booleans(), st.sampled_from(["0", "2/3", "1"]))
def test_kept_and_left_out_are_all_votes_in_every_format(found: list[Any], keep: bool, assume: bool, floor: str):
    examples, account = judged(
        found, {"z": " "}, keep_conflicts=keep, assume_acceptable=assume, min_agreement=Fraction(floor)
    )
    for each in examples:
        account.take(each, FORMATS)
    n_votes = sum(len(each.votes) for each in found)
    assert account.n_votes == n_votes
    for name, format_ in FORMATS.items():
        told = account.of(name)
        assert told["kept"] + sum(told["left_out"].values()) == n_votes
        assert all(n > 0 for n in told["left_out"].values())
        if format_.rows is not None and name != "prompt_only":
            for each in examples:
                n_out = sum(format_.left_out(each).values())
                assert bool(list(format_.rows(each))) is (n_out < len(each.opinions)), name


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(casts(), st.randoms(use_true_random=False))
def test_neither_the_order_of_votes_nor_the_sides_change_a_pair(found: list[Any], rng: Any):
    def swapped(each: Any) -> Any:
        of_pair = [replace(v, opinion=v.opinion.turned, model_a=v.model_b, model_b=v.model_a) for v in each.votes]
        return replace(each, answer_a=each.answer_b, answer_b=each.answer_a, votes=tuple(of_pair))

    def told(casts: list[Any]) -> list[Any]:
        return [
            (each.id, each.chosen and each.chosen.id, each.agreement, each.weight, each.margin, each.is_acceptable)
            for each in judged(casts, {"z": "By c."})[0]
        ]

    assert told(found) == told([swapped(each) for each in found])
    without_voters = [replace(each, votes=tuple(replace(v, voter_id=None) for v in each.votes)) for each in found]
    shuffled = [replace(each, votes=tuple(rng.sample(each.votes, len(each.votes)))) for each in without_voters]
    assert told(without_voters) == told(shuffled)


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(casts())
def test_an_opinion_turned_twice_is_the_same(found: list[Any]):
    for each in judged(found)[0]:
        assert turned(turned(each)) == each


def test_a_both_bad_answer_is_never_called_good():
    unpaired = FORMATS["unpaired"].rows
    assert unpaired
    for said in (votes(0, 0, 0, 3), votes(5, 0, 0, 1)):
        [found], _ = judged([cast(said)], assume_acceptable=True)
        assert not any(row[2] for row in unpaired(found))


def test_a_model_is_known_by_what_is_stored():
    [found], _ = judged([cast(votes(1))], {"x": Answer(AnswerId("x"), P, ModelId("m"), "Text", revision="r1")})
    assert (found.answer_a.model_id, found.answer_a.revision) == ("m", "r1")


def test_a_log_without_end_gives_its_first_pairs_at_once_and_few_texts_at_a_time():
    """However long a log is: votes are taken pair by pair, and the texts of at most 1,000 pairs are held."""
    asked: list[int] = []
    taken = count()

    def texts_of(pairs: Sequence[CastVotes]) -> Texts:
        asked.append(len(pairs))
        answers = {each for pair in pairs for each in (pair.answer_a, pair.answer_b) if each is not None}
        found = {each: Answer(each, P, ModelId(each), f"Text {each}") for each in answers}
        prompts = {pair.prompt_id for pair in pairs if pair.prompt_id is not None}
        return Texts({each: Prompt(each, (Message("user", "?"),)) for each in prompts}, found)

    endless = (
        cast([vote("A")], prompt_id=f"p{number}", answer_a=f"x{number}", answer_b=f"y{number}") for number in taken
    )
    judge = Judge(Choices(), reason_against(Choices(), {}, ()), texts_of, alias=str)
    assert len(list(islice(judge.examples(endless, Account()), 2_400))) == 2_400
    assert asked[:3] == [1_000, 1_000, 1_000]
    assert next(taken) == 4_000  # three thousand that are needed, and one that is read ahead
