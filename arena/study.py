"""What the analysis pages show: what stands behind the latest snapshot, asked of the log up to that snapshot's votes.

Nothing here looks at votes after the snapshot or at ballots that are still open, and no vote is shown by itself: what a
sample of single ballots takes stands in arena/samples.py. Voters are counted and never named.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, TypeVar

import numpy as np

from arena import judgement_table
from arena.agreement import Agreement, Chance
from arena.analysis import Analysis, Goodness
from arena.bars import bars_of
from arena.battle import Model, ModelId
from arena.errors import ArenaError, BadInput, RatingFailed
from arena.estimate import unit_of
from arena.exhibit import (
    Agreements,
    Collection,
    Decision,
    Duel,
    Hanging,
    Kind,
    Matrix,
    Opponent,
    Past,
    Portrait,
    Position,
    StyleEffect,
)
from arena.features import FEATURES
from arena.leaderboard import Entry, Leaderboard, Snapshot
from arena.meetings import Leaning, Meetings, Record, Share, share_won
from arena.plan import BothBad, Plan
from arena.rating import field_of, rate
from arena.rows import Counted
from arena.store import VoteStore
from arena.tally import Selection, Unit
from arena.vote_table import VoteTable
from arena.withdrawals import Withdrawals
from ratings import Conclusion, RatingError, fit_bradley_terry, fit_by_pair

T = TypeVar("T")

# Answers that are kept: some of each question, and a few hundred pairs and models.
_MOST_KEPT = 512

# Boards of which the history is drawn.
_MOST_BOARDS = 60

# A matrix of more models could not be read.
_MOST_IN_A_MATRIX = 100


class CannotStudy(ArenaError):
    """There is nothing to show, for a reason that a word tells: no_study, unknown_model, unrated_model, same_model."""

    def __init__(self, word: str, sentence: str, **values: str):
        self.word = word
        self.values = values
        super().__init__(sentence)


class Study:
    """Questions to the log as of a snapshot. Any number of threads may ask; answers are kept for a while."""

    def __init__(self, store: VoteStore, latest: Callable[[], Snapshot | None]):
        self._store = store
        self._latest = latest
        self._kept: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._kept_of: str | None = None
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        """The newest. Raises CannotStudy if there is none yet, or none in which two models could be compared."""
        snapshot = self._latest()
        if snapshot is None:
            raise CannotStudy("no_study", "there is no leaderboard yet")
        if sum(entry.score is not None for entry in snapshot.leaderboard.entries) < 2:
            raise CannotStudy("no_study", "no two models can be compared yet")
        return snapshot

    def duel(self, snapshot: Snapshot, a: str, b: str) -> Duel:
        """Two rated models face to face, given by their ids. Raises CannotStudy for others, and for one twice."""
        first, second = self._rated(snapshot, a), self._rated(snapshot, b)
        if first.model.id == second.model.id:
            raise CannotStudy("same_model", "a model cannot be compared with itself")
        return self._once(snapshot, ("duel", a, b), lambda: self._duel(snapshot, a, b))

    def _duel(self, snapshot: Snapshot, a: str, b: str) -> Duel:
        # Not one Analysis for all duels of a snapshot: it reads votes, from a table that is open for one question only;
        # to keep them instead would take memory by votes and not by models.
        with self._log(snapshot) as (table, counted):
            # Without names a model is called by its id, and no two of them are called the same.
            found = Analysis(counted, plan_of(snapshot.leaderboard), table).head_to_head(a, b)
            decisions: dict[str, Decision] = {
                Conclusion.NO_DIFFERENCE.value: "no_difference",
                Conclusion.UNDECIDED.value: "undecided",
                f"{a} is better": "a",
                f"{b} is better": "b",
            }
            record = Meetings.of(counted).record(ModelId(a), ModelId(b))
            return Duel(found, record, decisions[found.conclusion], by_voter=Unit.VOTER in table.units())

    def matrix(self, snapshot: Snapshot) -> Matrix:
        """The first hundred models of the board against each other."""
        board, meetings = snapshot.leaderboard, self._meetings(snapshot)
        shown = [entry.model.id for entry in board.entries if entry.model.id in meetings.models][:_MOST_IN_A_MATRIX]
        place = {model: number for number, model in enumerate(shown)}
        at = [meetings.models.index(model) for model in shown]
        first, second = np.nonzero(np.triu(meetings.votes[np.ix_(at, at)]))
        cells = (
            (i, j, *meetings.record(shown[i], shown[j])) for i, j in zip(first.tolist(), second.tolist(), strict=True)
        )
        return Matrix(tuple(place), len(board.entries), _counts_both_bad(board), tuple(cells))

    def past(self, snapshot: Snapshot) -> Past:
        """The boards up to this one."""
        return self._once(snapshot, ("past",), lambda: self._past(snapshot))

    def _past(self, snapshot: Snapshot) -> Past:
        boards = self._store.history.boards(snapshot, most=_MOST_BOARDS)
        models = [entry.model.id for entry in snapshot.leaderboard.entries if entry.score is not None]
        return Past(
            tuple((each.snapshot_id, each.computed_at.isoformat(), each.n_log) for each in boards),
            {model: tuple(each.scores.get(model) for each in boards) for model in models},
        )

    def collection(self, snapshot: Snapshot) -> Collection:
        """When votes came in, and on whom."""
        return self._once(snapshot, ("collection",), lambda: self._collection(snapshot))

    def _collection(self, snapshot: Snapshot) -> Collection:
        standing = self._meetings(snapshot)
        shown = dict(zip(standing.models, standing.votes.sum(axis=1).tolist(), strict=True))
        history, n_log = self._store.history, snapshot.n_log
        withdrawn, n_voters = history.withdrawn(snapshot.sources, up_to=n_log)
        policies = history.votes_by_policy(snapshot.sources, up_to=n_log)
        return Collection(
            votes=bars_of(history.votes_by_day(snapshot.sources, up_to=n_log)),
            n_votes=sum(shown.values()) // 2,
            shown=tuple(sorted(shown.items(), key=lambda each: (-each[1], each[0]))),
            expected_share=2 / len(shown),
            policies=tuple(policies.items()),
            withdrawals=Withdrawals.of(Meetings.of(Counted.of(withdrawn)), standing, n_voters),
        )

    def position(self, snapshot: Snapshot) -> Position:
        """Whether it helps to stand on side A."""
        return self._once(snapshot, ("position",), lambda: self._position(snapshot))

    def _position(self, snapshot: Snapshot) -> Position:
        plan = plan_of(snapshot.leaderboard)
        with self._log(snapshot) as (table, counted):
            pieces = table.rows(_places(counted), unit=unit_of(plan, table))
            side_a = Leaning.to_side_a(pieces, plan).share(confidence=plan.confidence)
            try:
                found = rate(counted, {}, replace(plan, order=True), rows=table).coefficients
            except RatingFailed:
                found = ()
        order = next((each for each in found if each.name == "order"), None)
        policies = self._store.history.votes_by_policy(snapshot.sources, up_to=snapshot.n_log)
        return Position(side_a, order, sides_drawn=None not in policies)

    def style(self, snapshot: Snapshot) -> StyleEffect:
        """What the dress of an answer is worth. It reads every text: of many votes it takes a while.

        Raises CannotStudy where the votes do not tell the texts.
        """
        return self._once(snapshot, ("style",), lambda: self._style(snapshot))

    def _style(self, snapshot: Snapshot) -> StyleEffect:
        plan = plan_of(snapshot.leaderboard)
        with self._log(snapshot) as (table, counted):
            try:
                pieces = list(table.rows(_places(counted), unit=unit_of(plan, table), style=("length",)))
            except BadInput as error:
                raise CannotStudy("no_texts", str(error)) from error
            try:
                board = rate(counted, {}, replace(plan, style=FEATURES, order=True), rows=table)
                coefficients, notes = board.coefficients, board.notes
            except RatingFailed as error:
                coefficients, notes = (), (str(error),)
        longer = Leaning.to_the_longer(pieces, plan)
        by_length = tuple(longer.by_length(confidence=plan.confidence))
        return StyleEffect(longer.share(confidence=plan.confidence), by_length, coefficients, notes)

    def influence(self, snapshot: Snapshot) -> Hanging:
        """What the order of the board hangs on."""
        return self._once(snapshot, ("influence",), lambda: Hanging.of(self._analysed(snapshot, Analysis.influence)))

    def goodness(self, snapshot: Snapshot) -> Goodness:
        """Whether one scale fits the votes."""
        return self._once(snapshot, ("goodness",), lambda: self._analysed(snapshot, Analysis.goodness))

    def agreement(self, snapshot: Snapshot) -> Agreements:
        """How often voters agree on the same two answers."""
        return self._once(snapshot, ("agreement",), lambda: self._agreement(snapshot))

    def _agreement(self, snapshot: Snapshot) -> Agreements:
        board = snapshot.leaderboard
        with self._log(snapshot) as (table, _):
            votes = judgement_table.read(table).first()
        found = Agreement.of(votes, Chance(board.confidence, seed=board.seed))
        return Agreements.of(found, n_items=votes.n_items, n_votes=len(votes))

    def portrait(self, snapshot: Snapshot, model: str) -> Portrait:
        """All of one model, given by its id. Raises CannotStudy for one that is not there."""
        known = self._store.catalogue.models().get(ModelId(model))
        entry = snapshot.leaderboard.entry(ModelId(model))
        if entry is None and known is None:
            raise CannotStudy("unknown_model", f"no model has the id {model!r}", model=model)
        facts = known or (entry.model if entry else Model(ModelId(model), model))
        return self._once(snapshot, ("portrait", model), lambda: self._portrait(snapshot, facts, entry))

    def _portrait(self, snapshot: Snapshot, model: Model, entry: Entry | None) -> Portrait:
        board, meetings = snapshot.leaderboard, self._meetings(snapshot)
        expected = self._once(snapshot, ("expected",), lambda: self._expected(snapshot))

        def share(record: Record) -> Share:
            return share_won(record, confidence=board.confidence, counts_both_bad=_counts_both_bad(board))

        kinds = [(name, each.record_of(model.id)) for name, each in self._by_category(snapshot).items()]
        told = np.array([record for _, record in kinds], dtype=np.int64).reshape(-1, 4).sum(axis=0)
        record = meetings.record_of(model.id)
        untold = Record(*(np.array(record) - told).tolist())
        opponents = [(other, meetings.record(model.id, other)) for other in meetings.opponents(model.id)]
        ranks = {entry.model.id: number for number, entry in enumerate(board.entries)}
        days = self._store.history.votes_by_day(snapshot.sources, up_to=snapshot.n_log, model=model.id)
        return Portrait(
            entry=entry,
            model=model,
            record=record,
            share=share(record),
            kinds=tuple(Kind(name, each, share(each)) for name, each in (*kinds, (None, untold)) if each.n),
            opponents=tuple(
                Opponent(other, each, share(each), expected.get((model.id, other)))
                for other, each in sorted(opponents, key=lambda pair: ranks.get(pair[0], len(ranks)))
            ),
            votes=bars_of(days),
        )

    def _analysed(self, snapshot: Snapshot, ask: Callable[[Analysis], T]) -> T:
        with self._log(snapshot) as (table, counted):
            return ask(Analysis(counted, plan_of(snapshot.leaderboard), table))

    def _meetings(self, snapshot: Snapshot) -> Meetings:
        def read() -> Meetings:
            with self._log(snapshot) as (_, counted):
                return Meetings.of(counted)

        return self._once(snapshot, ("meetings",), read)

    def _by_category(self, snapshot: Snapshot) -> Mapping[str, Meetings]:
        def read() -> Mapping[str, Meetings]:
            with self._log(snapshot) as (table, _):
                return {name: Meetings.of(part.counted()) for name, part in table.slices("category").items()}

        return self._once(snapshot, ("categories",), read)

    def _expected(self, snapshot: Snapshot) -> Mapping[tuple[ModelId, ModelId], float]:
        """The share that each rated model is expected to win against each that it met, by plain Bradley-Terry.

        Empty where that gives no answer, as it may for the votes of a board by another method.
        """
        with self._log(snapshot) as (_, counted):
            field = field_of(counted, plan_of(snapshot.leaderboard))
        if len(field.group) < 2:
            return {}
        try:
            pairs = fit_by_pair(field.rated, fit_bradley_terry(field.rated))
        except RatingError:
            return {}
        names, expected = field.rated_names, {}
        shares = (pairs.expected / pairs.n_votes).tolist()
        for first, second, share in zip(pairs.first.tolist(), pairs.second.tolist(), shares, strict=True):
            expected[names[first], names[second]] = round(share, 4)
            expected[names[second], names[first]] = round(1 - share, 4)
        return expected

    def _rated(self, snapshot: Snapshot, model: str) -> Entry:
        entry = snapshot.leaderboard.entry(ModelId(model))
        if entry is None:
            raise CannotStudy("unknown_model", f"no model of the board has the id {model!r}", model=model)
        if entry.score is None:
            raise CannotStudy("unrated_model", f"{entry.model.name} has no score yet", model=entry.model.name)
        return entry

    @contextmanager
    def _log(self, snapshot: Snapshot) -> Iterator[tuple[VoteTable, Counted]]:
        with self._store.votes.table(Selection(sources=snapshot.sources), up_to=snapshot.n_log) as table:
            yield table, table.counted()

    def _once(self, snapshot: Snapshot, question: tuple[str, ...], answer: Callable[[], T]) -> T:
        """The answer that is kept, or else is found now. Two threads at once may both find it: it is the same.

        Of an earlier snapshot nobody will ask again: its answers are let go with the first question on the next.
        """
        latest = self._latest()
        if latest is None or latest.id != snapshot.id:
            return answer()
        with self._lock:
            if self._kept_of != snapshot.id:
                self._kept_of = snapshot.id
                self._kept.clear()
            if question in self._kept:
                self._kept.move_to_end(question)
                return self._kept[question]
        found = answer()
        with self._lock:
            if self._kept_of == snapshot.id:
                self._kept[question] = found
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found


def plan_of(board: Leaderboard) -> Plan:
    """The plan nearest to the board's that is plain Bradley-Terry, ties as half-wins: what analyses know."""
    drops = not _counts_both_bad(board)
    return Plan(
        both_bad=BothBad.DROP if drops else BothBad.TIE,
        min_votes=board.settings.get("min_votes", 0),
        confidence=board.confidence,
        seed=board.seed,
    )


def has_plain_scores(board: Leaderboard) -> bool:
    """Whether the board's own plan gives the scores that analyses are about."""
    told = board.settings
    usual = {"ties": "half", "order": False, "style": [], "prior": 0.0, "weights": "equal"}
    return (
        board.method == "bradley-terry"
        and told.get("both_bad", "tie") != "own"
        and all(told.get(name, value) == value for name, value in usual.items())
    )


def has_plain_intervals(board: Leaderboard) -> bool:
    """Whether the board's intervals come from the formula that analyses use, and not from votes or voters drawn again.

    The board says it in words, of which the first is what counts; the rest tells what was taken together.
    """
    return board.intervals.startswith("sandwich")


def is_plain(board: Leaderboard) -> bool:
    """Whether analyses are about the very numbers that the board shows: its scores and its intervals."""
    return has_plain_scores(board) and has_plain_intervals(board)


def to_record(found: Any) -> dict[str, Any]:
    """Plain values of any of these findings, for JSON."""
    return asdict(found)


def _places(counted: Counted) -> dict[ModelId, int]:
    return {model: number for number, model in enumerate(counted.models)}


def _counts_both_bad(board: Leaderboard) -> bool:
    return board.settings.get("both_bad", "tie") != "drop"
