"""What the analysis pages show: counted by hand where that can be done, and never more than the snapshot's votes."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from arena.batch import take_snapshot
from arena.battle import (
    Battle,
    BattleId,
    Message,
    ModelId,
    Prompt,
    PromptId,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    Withdrawal,
)
from arena.leaderboard import Snapshot
from arena.meetings import Leaning, Meetings, Record, share_won
from arena.plan import BothBad, Plan
from arena.rows import Counted, Rows
from arena.store import VoteStore
from arena.study import (
    CannotStudy,
    Study,
    has_plain_intervals,
    has_plain_scores,
    is_plain,
    to_record,
)
from arena.tally import Tally
from arenas import answer, fill
from ground import NOW
from polls import NAMES, stock, ties

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday

# (a, b, verdict, times): m0 beats m1, m1 beats m2, with upsets, so that all three can be rated.
VOTES = (
    ("m0", "m1", Verdict.A, 7),
    ("m1", "m0", Verdict.A, 3),
    ("m1", "m2", Verdict.A, 6),
    ("m2", "m1", Verdict.A, 2),
    ("m0", "m2", Verdict.TIE, 4),
    ("m2", "m0", Verdict.B, 5),
    ("m0", "m2", Verdict.BOTH_BAD, 1),
    ("m2", "m0", Verdict.A, 2),
)
N_VOTES = 30


def cast(store: VoteStore, *, source: Source = Source.HUMAN, start: int = 0, days: float = 0.1) -> None:
    """The votes above by ten voters, one each `days`, on answers of the prompt p0."""
    number, votes = start, []
    for a, b, verdict, times in VOTES:
        for _ in range(times):
            battle = Battle(BattleId(f"b{number}"), ModelId(a), ModelId(b), PromptId("p0"), sampling_policy="by hand")
            when = NOON + timedelta(days=days * (number - start))
            voter = VoterId(f"voter-{number % 10}")
            vote = Vote(VoteId(f"v{number}"), battle.id, verdict, source, voter, when, import_key=f"k{number}")
            votes.append((battle, vote))
            number += 1
    store.votes.add_imported(votes, NOON)


@pytest.fixture(scope="module")
def store():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        cast(store)
        yield store


@pytest.fixture(scope="module")
def snapshot(store: VoteStore) -> Snapshot:
    return take_snapshot(store, NOON)


@pytest.fixture(scope="module")
def study(store: VoteStore, snapshot: Snapshot) -> Study:
    return Study(store, lambda: snapshot)


# ---- who met whom ----


def test_a_record_is_seen_from_either_side(study: Study, snapshot: Snapshot):
    # m0 against m2: 5 won as side B, 2 lost, 4 ties, 1 both bad.
    duel = study.duel(snapshot, "m0", "m2")
    assert duel.record == Record(wins=5, losses=2, ties=4, both_bad=1)
    turned = study.duel(snapshot, "m2", "m0")
    assert turned.record == Record(wins=2, losses=5, ties=4, both_bad=1)
    assert turned.found.points.value == pytest.approx(-duel.found.points.value)
    assert turned.found.probability.value == pytest.approx(1 - duel.found.probability.value, abs=1e-4)


def test_the_matrix_has_each_pair_once_in_the_order_of_the_board(study: Study, snapshot: Snapshot):
    matrix = study.matrix(snapshot)
    assert matrix.models == ("m0", "m1", "m2")
    assert matrix.cells == ((0, 1, 7, 3, 0, 0), (0, 2, 5, 2, 4, 1), (1, 2, 6, 2, 0, 0))
    assert sum(sum(cell[2:]) for cell in matrix.cells) == N_VOTES


def test_a_both_bad_verdict_is_half_a_win_or_no_vote():
    record = Record(wins=3, losses=1, ties=0, both_bad=4)
    # (3 + 4 / 2) / 8, and 3 / 4
    assert share_won(record, confidence=0.95, counts_both_bad=True).value == 0.625
    assert share_won(record, confidence=0.95, counts_both_bad=False).value == 0.75
    nothing = share_won(Record(0, 0, 0, 2), confidence=0.95, counts_both_bad=False)
    assert (nothing.value, nothing.low, nothing.reason) == (None, None, "there is no vote")


def test_a_share_without_any_variance_has_no_interval_and_says_why():
    share = share_won(Record(5, 0, 0, 0), confidence=0.95, counts_both_bad=True)
    assert (share.value, share.low, share.high) == (1.0, None, None)
    assert share.reason


def test_a_model_against_itself_is_no_meeting():
    counted = Counted.of(
        [Tally(ModelId("a"), ModelId("a"), Verdict.A, 5), Tally(ModelId("a"), ModelId("b"), Verdict.B, 2)]
    )
    meetings = Meetings.of(counted)
    assert meetings.votes.sum() == 2 * 2
    assert meetings.record(ModelId("b"), ModelId("a")) == Record(2, 0, 0, 0)
    assert meetings.record(ModelId("b"), ModelId("nobody")) == Record(0, 0, 0, 0)


# ---- a duel ----


@pytest.mark.parametrize(
    ("a", "b", "word"), [("m0", "m0", "same_model"), ("m0", "nobody", "unknown_model"), ("", "m1", "unknown_model")]
)
def test_two_rated_models_make_a_duel_and_nothing_else(study: Study, snapshot: Snapshot, a: str, b: str, word: str):
    with pytest.raises(CannotStudy) as refused:
        study.duel(snapshot, a, b)
    assert refused.value.word == word


def test_a_duel_is_decided_when_the_direct_votes_alone_say_so():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        cast(store)
        votes = []
        for number in range(200, 320):
            battle = Battle(BattleId(f"b{number}"), ModelId("m0"), ModelId("m1"), PromptId("p0"))
            vote = Vote(VoteId(f"v{number}"), battle.id, Verdict.A, Source.HUMAN, VoterId(f"w{number}"), NOON)
            votes.append((battle, vote))
        store.votes.add_imported(votes, NOON)
        snapshot = take_snapshot(store, NOON)
        study = Study(store, lambda: snapshot)
        assert study.duel(snapshot, "m0", "m1").decision == "a"
        assert study.duel(snapshot, "m1", "m0").decision == "b"
        assert study.duel(snapshot, "m0", "m2").decision == "undecided"
        assert study.duel(snapshot, "m0", "m2").by_voter


def test_where_voters_are_not_known_every_vote_counts_for_the_decision():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        votes = []
        for number in range(20):
            battle = Battle(BattleId(f"b{number}"), ModelId("m0"), ModelId("m1"), PromptId("p0"))
            verdict = Verdict.A if number % 2 else Verdict.B
            votes.append((battle, Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, None, NOON)))
        store.votes.add_imported(votes, NOON)
        snapshot = take_snapshot(store, NOON)
        duel = Study(store, lambda: snapshot).duel(snapshot, "m0", "m1")
        assert (duel.found.n_used, duel.by_voter) == (20, False)


# ---- how votes came in ----


def test_shares_shown_are_two_a_vote_and_policies_add_up(study: Study, snapshot: Snapshot):
    found = study.collection(snapshot)
    # m0 has 10 votes with m1 and 12 with m2, and m1 has 8 with m2
    assert found.shown == (("m0", 22), ("m2", 20), ("m1", 18))
    assert found.n_votes == N_VOTES
    assert found.expected_share == pytest.approx(2 / 3)
    assert found.policies == (("by hand", N_VOTES),)


def test_nothing_after_the_snapshot_is_looked_at():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        cast(store)
        snapshot = take_snapshot(store, NOON)
        before = _everything(Study(store, lambda: snapshot), snapshot)
        cast(store, start=N_VOTES)
        assert _everything(Study(store, lambda: snapshot), snapshot) == before


def test_votes_of_other_sources_are_not_mixed_in():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        cast(store)
        cast(store, start=100, source=Source.AI_JUDGE)
        snapshot = take_snapshot(store, NOON)
        study = Study(store, lambda: snapshot)
        assert study.collection(snapshot).n_votes == N_VOTES
        assert sum(n for _, n in study.collection(snapshot).votes.bars) == N_VOTES
        assert study.portrait(snapshot, "m0").record.n == 22


def test_a_withdrawn_vote_is_nowhere():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        cast(store)
        store.votes.withdraw(Withdrawal(VoteId("v0"), VoterId("voter-0"), NOON))
        snapshot = take_snapshot(store, NOON)
        study = Study(store, lambda: snapshot)
        found = study.collection(snapshot)
        assert found.n_votes == sum(n for _, n in found.votes.bars) == found.policies[0][1] == N_VOTES - 1
        assert study.duel(snapshot, "m0", "m1").record == Record(6, 3, 0, 0)


def test_withdrawals_are_told_by_model_as_of_the_snapshot():
    # Votes 0 to 6 are wins of m0 over m1, 7 to 9 its losses; 18 is a tie of m0 and m2.
    with VoteStore.open(None) as store:
        fill(store, NOON)
        cast(store)
        study = Study(store, lambda: None)
        none = study.collection(take_snapshot(store, NOON)).withdrawals
        assert (none.n_votes, none.n_cast, none.n_voters, none.models) == (0, N_VOTES, 0, ())
        for number in (0, 7, 8, 18):
            store.votes.withdraw(Withdrawal(VoteId(f"v{number}"), VoterId(f"voter-{number % 10}"), NOON))
        snapshot = take_snapshot(store, NOON)
        store.votes.withdraw(Withdrawal(VoteId("v9"), VoterId("voter-9"), NOON))
        found = study.collection(snapshot).withdrawals
        assert (found.n_votes, found.n_cast, found.n_voters) == (4, N_VOTES, 3)  # voter-8 withdrew two
        of = {each.model: each for each in found.models}
        assert of[ModelId("m0")].withdrawn == Record(1, 2, 1, 0)
        assert of[ModelId("m0")].cast == Record(7 + 5, 3 + 2, 4, 1)
        assert of[ModelId("m1")].withdrawn == Record(2, 1, 0, 0)
        # Of 12 wins and 5 losses 3 were withdrawn, 1 of them a win: 12 * C(5, 2) + C(5, 3) = 130 of C(17, 3) = 680.
        assert of[ModelId("m0")].p_value == pytest.approx(2 * 130 / 680)
        assert all(each.apart is None for each in found.models)
        assert next(each.model for each in found.models) == "m0"


def _everything(study: Study, snapshot: Snapshot) -> str:
    found = [
        study.duel(snapshot, "m0", "m1"),
        study.matrix(snapshot),
        study.past(snapshot),
        study.collection(snapshot),
        study.position(snapshot),
        study.influence(snapshot),
        study.goodness(snapshot),
        study.portrait(snapshot, "m2"),
    ]
    return json.dumps([to_record(each) for each in found], default=str)


# ---- boards on the way ----


def test_history_has_the_boards_up_to_the_snapshot_and_thins_them_evenly():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        snapshots = []
        for round_ in range(4):
            cast(store, start=N_VOTES * round_)
            snapshots.append(take_snapshot(store, NOON + timedelta(hours=round_)))
        study = Study(store, lambda: snapshots[-1])
        past = study.past(snapshots[-1])
        assert [n for _, _, n in past.boards] == [30, 60, 90, 120]
        assert [n for _, _, n in study.past(snapshots[1]).boards] == [30, 60]
        assert [each.n_log for each in store.history.boards(snapshots[-1], most=3)] == [30, 90, 120]
        newest = snapshots[-1].leaderboard.entry(ModelId("m0"))
        assert newest is not None
        assert past.scores[ModelId("m0")][-1] == (newest.score, newest.low, newest.high)


# ---- audits ----


def test_history_holds_no_board_under_other_settings():
    # Without both-bad verdicts, or without models of few votes, scores are on another scale.
    store = VoteStore.open(None)
    with store:
        stock(store, 200)
        take_snapshot(store, NOW)
        store.catalogue.set_rules('[rating]\nboth_bad = "drop"\nmin_votes = 20\n', None, NOW)
        ties(store, NAMES)
        take_snapshot(store, NOW + timedelta(hours=1))
        store.catalogue.set_rules("", None, NOW + timedelta(hours=2))
        ties(store, NAMES[::-1])
        latest = take_snapshot(store, NOW + timedelta(hours=3))
        assert [board.n_log for board in store.history.boards(latest, most=60)] == [200, 208]


def test_answers_on_an_earlier_snapshot_are_let_go():
    with VoteStore.open(None) as store:
        stock(store, 200)
        latest = first = take_snapshot(store, NOW)
        study = Study(store, lambda: latest)
        of_first = [study.portrait(first, name) for name in NAMES]
        assert study.portrait(first, NAMES[0]) is of_first[0]
        ties(store, NAMES)
        latest = second = take_snapshot(store, NOW + timedelta(hours=1))
        of_second = study.portrait(second, NAMES[0])
        assert not any(name in question for question in study._kept for name in NAMES[1:])
        study.portrait(first, NAMES[0])  # of somebody who began before: nobody else pays for it
        assert study.portrait(second, NAMES[0]) is of_second


def test_side_a_is_found_out_where_it_wins(study: Study, snapshot: Snapshot):
    # A won 7 + 3 + 6 + 2 + 2 of 30, B 5, 5 ties (one both bad): (20 + 2.5) / 30
    found = study.position(snapshot)
    assert found.side_a.value == 0.75
    assert found.side_a.low is not None
    assert found.side_a.low > 0.5
    assert found.order is not None
    assert found.order.value > 0
    assert found.sides_drawn


def test_who_drew_the_sides_is_not_known_of_votes_from_elsewhere():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        cast(store)
        battle = Battle(BattleId("b99"), ModelId("m0"), ModelId("m1"), PromptId("p0"))
        vote = Vote(VoteId("v99"), battle.id, Verdict.A, Source.HUMAN, VoterId("somebody"), NOON)
        store.votes.add_imported([(battle, vote)], NOON)
        snapshot = take_snapshot(store, NOON)
        assert not Study(store, lambda: snapshot).position(snapshot).sides_drawn


def test_who_wins_by_length_is_told_whatever_the_side():
    # The longer one, on A and on B, three times as long ((3 - 1) / (3 + 1) = 0.5), wins both; a third vote is a tie.
    rows = Rows(
        np.array([0, 0, 0]), np.array([1, 1, 1]), np.array([0, 1, 2]), style={"length": np.array([0.5, -0.5, 0.4])}
    )
    longer = Leaning.to_the_longer([rows], Plan(both_bad=BothBad.TIE))
    share = longer.share(confidence=0.95)
    assert (share.value, share.n_votes) == (pytest.approx(2.5 / 3, abs=1e-4), 3)
    by_length = longer.by_length(confidence=0.95)
    assert [(low, high, each.n_votes) for low, high, each in by_length] == [
        (1.0, 1.1, 0),
        (1.1, 1.5, 0),
        (1.5, 2.0, 0),
        (2.0, 3.0, 3),
        (3.0, None, 0),
    ]


def test_style_is_told_from_the_texts():
    # Every longer answer wins but each fifth; lengths have nothing to do with models.
    with VoteStore.open(None) as store:
        fill(store, NOON)
        for number in range(60):
            prompt = Prompt(PromptId(f"q{number}"), (Message("user", f"Question {number}?"),))
            store.catalogue.add_prompts([prompt], NOON)
            a, b = (f"m{(number + k) % 3}" for k in (0, 1 + number // 3 % 2))
            long, short = "word " * (8 + number % 7), "word " * (2 + number % 5)
            is_a_long = number // 6 % 2 == 0
            answers = [
                answer(prompt.id, a, long if is_a_long else short),
                answer(prompt.id, b, short if is_a_long else long),
            ]
            store.catalogue.add_answers(answers, NOON)
            battle = Battle(BattleId(f"b{number}"), ModelId(a), ModelId(b), prompt.id, answers[0].id, answers[1].id)
            verdict = Verdict.A if is_a_long != (number % 5 == 0) else Verdict.B
            vote = Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, VoterId(f"w{number % 9}"), NOON)
            store.votes.add_imported([(battle, vote)], NOON)
        snapshot = take_snapshot(store, NOON)
        found = Study(store, lambda: snapshot).style(snapshot)
        assert found.longer.value == 0.8
        assert sum(share.n_votes for _, _, share in found.by_length) == 60
        effects = {each.name: each for each in found.coefficients}
        assert set(effects) == {"length", "order"}
        assert effects["length"].low is not None
        assert effects["length"].low > 0
        assert any("headers never differs" in note for note in found.notes)


def test_style_needs_texts_and_says_so(study: Study, snapshot: Snapshot):
    # The votes above are on no answers.
    with pytest.raises(CannotStudy) as refused:
        study.style(snapshot)
    assert refused.value.word == "no_texts"


def test_no_voter_is_named(study: Study, snapshot: Snapshot):
    found = study.influence(snapshot)
    assert found.moving_most
    assert "voter-" not in _everything(study, snapshot)


# ---- a model ----


def test_a_portrait_adds_up(study: Study, snapshot: Snapshot):
    found = study.portrait(snapshot, "m0")
    assert found.record == Record(wins=12, losses=5, ties=4, both_bad=1)
    assert found.share.value == pytest.approx((12 + 5 / 2) / 22, abs=1e-4)
    assert [(kind.name, kind.record) for kind in found.kinds] == [("reasoning", found.record)]
    assert [each.model for each in found.opponents] == ["m1", "m2"]
    assert sum(each.record.n for each in found.opponents) == found.record.n
    assert sum(n for _, n in found.votes.bars) == found.record.n


def test_what_is_expected_against_another_is_its_complement(study: Study, snapshot: Snapshot):
    mine = {each.model: each.expected for each in study.portrait(snapshot, "m0").opponents}
    theirs = {each.model: each.expected for each in study.portrait(snapshot, "m1").opponents}
    assert mine[ModelId("m1")] is not None
    assert mine[ModelId("m1")] + theirs[ModelId("m0")] == pytest.approx(1)  # type: ignore[operator]


def test_a_model_without_votes_has_a_portrait_and_a_stranger_has_none():
    with VoteStore.open(None) as store:
        fill(store, NOON, n_models=4)
        cast(store)
        snapshot = take_snapshot(store, NOON)
        study = Study(store, lambda: snapshot)
        found = study.portrait(snapshot, "m3")
        assert (found.entry, found.record.n, found.kinds, found.opponents) == (None, 0, (), ())
        with pytest.raises(CannotStudy) as refused:
            study.portrait(snapshot, "stranger")
        assert (refused.value.word, refused.value.values) == ("unknown_model", {"model": "stranger"})


# ---- when there is nothing, or many ask ----


def test_without_a_board_there_is_nothing_to_study(store: VoteStore):
    with pytest.raises(CannotStudy) as refused:
        Study(store, lambda: None).snapshot()
    assert refused.value.word == "no_study"


def test_a_board_on_which_nobody_is_rated_is_nothing_to_study():
    with VoteStore.open(None) as store:
        fill(store, NOON)
        battle = Battle(BattleId("b"), ModelId("m0"), ModelId("m1"), PromptId("p0"))
        vote = Vote(VoteId("v"), battle.id, Verdict.A, Source.HUMAN, VoterId("w"), NOON)
        store.votes.add_imported([(battle, vote)], NOON)
        snapshot = take_snapshot(store, NOON)
        with pytest.raises(CannotStudy):
            Study(store, lambda: snapshot).snapshot()


def test_threads_that_ask_at_once_get_the_same(store: VoteStore, snapshot: Snapshot):
    study = Study(store, lambda: snapshot)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(_everything(study, snapshot))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert len(answers) == 4


def test_a_plain_board_is_told_from_others(snapshot: Snapshot):
    board = snapshot.leaderboard
    assert is_plain(board)
    assert not is_plain(replace(board, method="davidson"))
    assert not is_plain(replace(board, settings={**board.settings, "style": ["length"]}))


def test_a_board_with_other_intervals_is_not_plain_though_its_scores_are(snapshot: Snapshot):
    for intervals in ("bootstrap, votes drawn again", "bootstrap, voters drawn again", "none"):
        board = replace(snapshot.leaderboard, intervals=intervals)
        assert has_plain_scores(board)
        assert not has_plain_intervals(board)
        assert not is_plain(board)
