"""Votes in a relation of DuckDB: which of them count, how many there are of each kind, and why others do not."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import duckdb
import numpy as np

from arena import style as styles
from arena.battle import ModelId, Verdict
from arena.errors import BadInput
from arena.name import NoName, called
from arena.rows import Counted
from arena.table import append
from arena.tally import NOT_BLIND, WITHDRAWN, Selection

# What a relation may tell of a vote, beside model_a, model_b and winner.
OPTIONAL = ("voter", "prompt_id", "voted_at", "category", "language", "source", "ranking")

_FURTHER = ("weight", "answer_a", "answer_b", *(f"{name}_{side}" for name in styles.FEATURES for side in "ab"))


@dataclass(frozen=True, slots=True)
class Misread:
    """Values of model_a, model_b and winner that are no vote, what is wrong with them, and how many rows have them."""

    values: Mapping[str, Any]
    fault: str
    n: int


Refuse = Callable[[Sequence[Misread]], Exception]
"""Makes the error of what could not be read."""


class Told(StrEnum):
    """What a column tells, each as SQL that gives null where it tells nothing."""

    KEY = "if({told} is null, null, hash({told}))"
    """Who or what, as a number that stands for a text; `VoteTable.names` says for which."""
    NUMBER = "nullif({column}::varchar, '')::double"
    TIME = "epoch_us(voted_at::timestamptz)"
    TRUTH = "nullif(ltrim({column}::varchar, chr(0)), '')::boolean"


class VoteRelation:
    """Votes of one relation: SQL that can stand after `from`, with columns model_a, model_b, winner and some OPTIONAL.

    `columns` are all columns that there are; where `withdrawn` is one of them, votes of which it is true are
    left out, with `blind` those of which it is false, and with `left_out` those that it gives a reason for.
    `parse_model` and `parse_winner` read the values, raising BadInput, and `refuse` makes one error of all that they
    could not read. The cursor must be this relation's own: it gets small temporary tables.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        relation: str,
        columns: Sequence[str],
        selection: Selection,
        *,
        parse_model: Callable[[str, object], ModelId],
        parse_winner: Callable[[object], Verdict],
        refuse: Refuse,
        where: str = "the votes",
    ):
        self._cursor = cursor
        self._relation = relation
        self._columns = frozenset(columns)
        self._selection = selection
        self._parse_model = parse_model
        self._parse_winner = parse_winner
        self._refuse = refuse
        self._where = where
        self._models: dict[object, ModelId] = {}
        self._winners: dict[object, Verdict] = {}
        self._n_rows = 0
        self._reason = self._why_left_out()

    def counted(self) -> Counted:
        """Count all votes by models and verdict; those that the selection leaves out are counted by reason.

        Raises what `refuse` makes of values that are no vote; nothing is counted then.
        """
        if not self._read_words():
            raise self._refuse(self._misread())
        if self._selection.since or self._selection.until:
            self._refuse_no_times()
        for column, wanted in (("category", self._selection.categories), ("language", self._selection.languages)):
            self._refuse_unknown(column, wanted or ())
        models = sorted(set(self._models.values()))
        self._name_items({model: item for item, model in enumerate(models)})
        found: dict[str, Any] = self._ask(
            f"select x.item as a, y.item as b, w.code as verdict, count(*) as n {self._joined} "
            f"where {self._reason} is null group by all"
        ).fetchnumpy()
        left_out = self._ask(
            f"select {self._reason}, count(*) from {self._relation} where {self._reason} is not null group by 1"
        ).fetchall()
        self._n_rows = int(found["n"].sum())
        columns = (found[name].astype(np.int64) for name in ("a", "b", "verdict", "n"))
        return Counted(tuple(models), *columns, left_out=dict(left_out))

    def _read_words(self) -> bool:
        """Learn what the values of model_a, model_b and winner stand for; False if some are no vote."""
        is_sound = True
        for column, learn in (("model_a", self._model), ("model_b", self._model), ("winner", self._winner)):
            for (raw,) in self._ask(f"select distinct {column} from {self._relation}").fetchall():
                try:
                    learn(column, raw)
                except BadInput:
                    is_sound = False
        return is_sound

    def _misread(self) -> list[Misread]:
        rows = self._ask(f"select model_a, model_b, winner, count(*) from {self._relation} group by all").fetchall()
        misread = []
        for model_a, model_b, winner, n in rows:
            try:
                self._model("model_a", model_a)
                self._model("model_b", model_b)
                self._winner("winner", winner)
            except BadInput as error:
                values = {"model_a": model_a, "model_b": model_b, "winner": winner}
                misread.append(Misread(values, str(error), n))
        return misread

    def slices(self, column: str) -> dict[str, Self]:
        """The votes by the values of a column (category, language), each value with its votes; those without one are
        in none. Raises BadInput if the column is not there."""
        self._need(column)
        values = self._ask(
            f"select distinct {text_of(column)} from {self._relation} "
            f"where {text_of(column)} is not null and {self._reason} is null"
        ).fetchall()
        return {value: self._only(column, value) for (value,) in sorted(values)}

    def _only(self, column: str, value: str) -> Self:
        part = copy(self)
        part._relation = f"(select * from {self._relation} where {column}::varchar = {_literal(value)})"
        return part

    @property
    def selection(self) -> Selection:
        """Which of the votes count."""
        return self._selection

    def counting(self, selection: Selection) -> Self:
        """The same votes, of which others count."""
        other = copy(self)
        other._selection = selection
        other._reason = other._why_left_out()
        return other

    @property
    def known(self) -> frozenset[str]:
        """All columns that there are."""
        return self._columns

    def sources(self) -> dict[str, int]:
        """How many votes each value of the source column has; nothing without that column."""
        return self.values("source")

    def n_blank(self, column: str) -> int:
        """How many votes, counted or not, say nothing in a column."""
        return self._ask(f"select count(*) from {self._relation} where {text_of(column)} is null").fetchall()[0][0]

    @property
    def left_aside(self) -> tuple[str, ...]:
        """Columns that no rating would look at."""
        return tuple(sorted(self._columns - {"model_a", "model_b", "winner", *_SETTLED, *OPTIONAL, *_FURTHER}))

    def values(self, column: str) -> dict[str, int]:
        """How many votes, counted or not, each value of a column has; nothing without that column."""
        if column not in self._columns:
            return {}
        told = text_of(column)
        query = f"select {told} as told, count(*) from {self._relation} where told is not null group by 1 order by 1"
        return dict(self._ask(query).fetchall())

    def span(self) -> tuple[datetime, datetime] | None:
        """When the first and the last vote were cast, counted or not; None where no vote tells."""
        if "voted_at" not in self._columns:
            return None
        self._refuse_no_times()
        times = "voted_at::timestamptz"
        [(first, last)] = self._ask(f"select min({times}), max({times}) from {self._relation}").fetchall()
        return None if first is None else (first, last)

    def tells(self, column: str) -> bool:
        """Whether there is a column of this name."""
        return column in self._columns

    @property
    def where(self) -> str:
        """What these votes are called in a message."""
        return self._where

    def _ask(self, query: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._cursor.execute(query)
        except duckdb.ConversionException as error:
            raise BadInput(f"{self._where} hold a value that cannot be read: {str(error).splitlines()[0]}") from error

    @property
    def _joined(self) -> str:
        return (
            f"from {self._relation} join bakeoff_items x on model_a::varchar = x.raw "
            "join bakeoff_items y on model_b::varchar = y.raw join bakeoff_words w on winner::varchar = w.raw"
        )

    def _name_items(self, items: Mapping[ModelId, int]) -> None:
        self._cursor.execute("create or replace temp table bakeoff_items (raw varchar, item smallint)")
        self._cursor.execute("create or replace temp table bakeoff_words (raw varchar, code tinyint)")
        # By text: 1 and "1" are one name, and would else be joined twice.
        named = {str(raw): items[model] for raw, model in self._models.items() if model in items}
        append(self._cursor, "bakeoff_items", list(named.items()))
        verdicts = list(Verdict)
        append(
            self._cursor, "bakeoff_words", [(raw, verdicts.index(verdict)) for raw, verdict in self._winners.items()]
        )

    def _refuse_unknown(self, column: str, wanted: Sequence[str]) -> None:
        known = {value: value for value in self.values(column)} if wanted else {}
        for value in wanted:
            try:
                called(value, known, what=column)
            except NoName as error:
                raise BadInput(f"of {self._where} {error}") from error

    def _refuse_no_times(self) -> None:
        """Raise BadInput for times that are none."""
        wrong = "voted_at is not null and try_cast(voted_at as timestamptz) is null"
        found = self._ask(f"select any_value(voted_at), count(*) from {self._relation} where {wrong}").fetchall()
        [(value, n)] = found
        if n:
            raise BadInput(
                f"voted_at is {value!r} in {n:,} of {self._where}, which is no time; write 2026-11-21 12:00:00+01:00"
            )

    def _refuse_where(self, condition: str, fault: str, joins: str = "") -> None:
        """Raise BadInput if the condition holds for any vote that is not left out."""
        asked = f"select count(*) from {self._relation} {joins} where {self._reason} is null and ({condition})"
        [(n,)] = self._ask(asked).fetchall()
        if n:
            raise BadInput(f"{n:,} of {self._where} {fault}")

    def _model(self, column: str, raw: object) -> ModelId:
        found = self._models.get(raw) if isinstance(raw, str | int) and not isinstance(raw, bool) else None
        if found is None:
            found = self._models[raw] = self._parse_model(column, _said(column, raw))
        return found

    def _winner(self, column: str, raw: object) -> Verdict:
        found = self._winners.get(raw) if isinstance(raw, str) else None
        if found is None:
            found = self._winners[raw] = self._parse_winner(_said(column, raw))
        return found

    def _why_left_out(self) -> str:
        """SQL that says in words why a vote is left out, and null for those that count."""
        chosen = self._selection
        cases = [case for column, case in _SETTLED.items() if column in self._columns]
        for column, wanted in (
            ("source", chosen.sources),
            ("category", chosen.categories),
            ("language", chosen.languages),
        ):
            if wanted is None:
                continue
            self._need(column)
            listed, told = ", ".join(_literal(each) for each in wanted), text_of(column)
            cases += [
                f"when {told} is null then 'no {column} is known'",
                f"when {told} not in ({listed}) then '{column} ' || {told} || ' is not asked for'",
            ]
        if chosen.since or chosen.until:
            self._need("voted_at")
            cases.append("when voted_at is null then 'no time is known'")
        for time, word, sign in ((chosen.since, "before", "<"), (chosen.until, "from", ">=")):
            if time is not None:
                told = time.isoformat()
                cases.append(f"when voted_at::timestamptz {sign} timestamptz '{told}' then 'cast {word} {told}'")
        return f"case {' '.join(cases)} end" if cases else "null::varchar"

    def _need(self, column: str) -> None:
        if column not in self._columns:
            raise BadInput(f"{self._where} have no column {str(column)!r}, so nothing can be chosen by it")


# Columns that settle whether a vote counts, whatever is asked for. Truths are read as text, so that JSON Lines, whose
# values that are no texts are marked by a leading zero, are read as well.
_SETTLED = {
    "left_out": "when left_out is not null then left_out",
    "withdrawn": f"when {Told.TRUTH.format(column='withdrawn')} then '{WITHDRAWN}'",
    "blind": f"when not {Told.TRUTH.format(column='blind')} then '{NOT_BLIND}'",
}


def _said(column: str, raw: object) -> object:
    """The value as the file has it. Raises BadInput for one that is neither a text nor a whole number."""
    if isinstance(raw, str) and raw.startswith("\0"):
        raise BadInput(f"{column} is {raw[1:]}, which is no text")
    return raw


def text_of(column: str) -> str:
    """SQL of what a column says, as a text; an empty one says nothing."""
    return f"nullif({column}::varchar, '')"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
