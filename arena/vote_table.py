"""Votes in a relation of DuckDB, counted or given row by row: what a rating reads of a file or of the store."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np

from arena import style as styles
from arena.battle import ModelId, Verdict
from arena.errors import BadInput
from arena.found_rows import in_an_order_of_their_own, rows_of
from arena.name import NoName, called
from arena.rows import Counted, Rows
from arena.table import append
from arena.tally import NOT_BLIND, WITHDRAWN, Selection, Unit

# What a relation may tell of a vote, beside model_a, model_b and winner.
OPTIONAL = ("voter", "prompt_id", "voted_at", "category", "language", "source", "ranking")

_FURTHER = ("weight", "answer_a", "answer_b", *(f"{name}_{side}" for name in styles.FEATURES for side in "ab"))

_ROWS_AT_ONCE = 500_000

_TEXTS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Misread:
    """Values of model_a, model_b and winner that are no vote, what is wrong with them, and how many rows have them."""

    values: Mapping[str, Any]
    fault: str
    n: int


Refuse = Callable[[Sequence[Misread]], Exception]
"""Makes the error of what could not be read."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the texts are: the SQL of all (key, text), and of a vote's two keys. With `are_in_rows` the columns
    answer_a and answer_b of each vote hold its two texts themselves; with `have_places` there is a third column
    `place`, a rowid of DuckDB, by which few of many texts are read without a look at the others."""

    texts: str
    key_a: str
    key_b: str
    are_in_rows: bool = False
    have_places: bool = False


class Told(StrEnum):
    """What a column tells, each as SQL that gives null where it tells nothing."""

    KEY = "if({told} is null, null, hash({told}))"
    """Who or what, as a number that stands for a text; `VoteTable.names` says for which."""
    NUMBER = "nullif({column}::varchar, '')::double"
    TIME = "epoch_us(voted_at::timestamptz)"
    TRUTH = "nullif(ltrim({column}::varchar, chr(0)), '')::boolean"


class VoteTable:
    """Votes of one relation: SQL that can stand after `from`, with columns model_a, model_b, winner and some OPTIONAL.

    `columns` are all columns that there are; where `withdrawn` is one of them, votes of which it is true are
    left out, with `blind` those of which it is false, and with `left_out` those that it gives a reason for.
    `parse_model` and `parse_winner` read the values, raising BadInput, and `refuse` makes one error of all that they
    could not read. The cursor must be this table's own: it gets small temporary tables.
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
        answers: Answers | None = None,
        where: str = "the votes",
    ):
        self._cursor = cursor
        self._relation = relation
        self._columns = frozenset(columns)
        self._selection = selection
        self._parse_model = parse_model
        self._parse_winner = parse_winner
        self._refuse = refuse
        self._answers = answers
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

    def slices(self, column: str) -> dict[str, "VoteTable"]:
        """The votes by the values of a column (category, language), each value with its votes; those without one are
        in none. Raises BadInput if the column is not there."""
        self._need(column)
        values = self._ask(
            f"select distinct {_told(column)} from {self._relation} "
            f"where {_told(column)} is not null and {self._reason} is null"
        ).fetchall()
        return {value: self._only(column, value) for (value,) in sorted(values)}

    def _only(self, column: str, value: str) -> "VoteTable":
        part = copy(self)
        part._relation = f"(select * from {self._relation} where {column}::varchar = {_literal(value)})"
        return part

    @property
    def selection(self) -> Selection:
        """Which of the votes count."""
        return self._selection

    def counting(self, selection: Selection) -> "VoteTable":
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
        return self._ask(f"select count(*) from {self._relation} where {_told(column)} is null").fetchall()[0][0]

    @property
    def left_aside(self) -> tuple[str, ...]:
        """Columns that no rating would look at."""
        return tuple(sorted(self._columns - {"model_a", "model_b", "winner", *_SETTLED, *OPTIONAL, *_FURTHER}))

    def values(self, column: str) -> dict[str, int]:
        """How many votes, counted or not, each value of a column has; nothing without that column."""
        if column not in self._columns:
            return {}
        told = _told(column)
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

    def has_texts(self) -> bool:
        """Whether both answers' texts are known of every vote that counts, so that their style can be taken out."""
        if self._answers is None:
            return False
        of = self._answers
        [(n,)] = self._ask(
            f"select count(*) from {self._relation} left join ({of.texts}) ta(key, text) on {of.key_a} = ta.key "
            f"left join ({of.texts}) tb(key, text) on {of.key_b} = tb.key "
            f"where {self._reason} is null and (ta.text is null or tb.text is null)"
        ).fetchall()
        return not n

    def units(self) -> Sequence[Unit]:
        """Voter, prompt and ranked list, where the column is there and tells anything."""
        known = []
        for unit, column in _UNIT_COLUMNS.items():
            if column in self._columns:
                tells = f"select 1 from {self._relation} where {_told(column)} is not null limit 1"
                known += [unit] if self._ask(tells).fetchall() else []
        return known

    def labels(self, unit: Unit) -> Mapping[int, str]:
        """As `arena.rows.VoteRows`."""
        return self.names(_UNIT_COLUMNS[unit])

    def names(self, column: str) -> Mapping[int, str]:
        """What the keys of a column stand for; nothing without that column."""
        if column not in self._columns:
            return {}
        found = self._ask(
            f"select distinct hash({_told(column)}) as key, {_told(column)} as label from {self._relation} "
            f"where {_told(column)} is not null"
        )
        return dict(found.fetchall())

    def columns(self, **wanted: Told) -> dict[str, Any]:
        """What columns tell of each vote that counts, in the relation's order: arrays, masked where they tell nothing.

        Always with `a`, `b` (places among the models of `counted`, which must be called first) and `verdict` (its place
        in `Verdict`), and where texts are known with the keys `answer_a` and `answer_b` that `texts` goes by. Columns
        that are not there are not in the result. Raises BadInput for a value that is not of the kind.
        """
        known = {name: kind for name, kind in wanted.items() if name in self._columns}
        if Told.TIME in known.values():
            self._refuse_no_times()
        listed = ["x.item as a", "y.item as b", "w.code as verdict"]
        listed += [f"{kind.format(column=name, told=_told(name))} as {name}" for name, kind in known.items()]
        if self._answers is not None:
            listed += [f"hash({self._answers.key_a}) as answer_a", f"hash({self._answers.key_b}) as answer_b"]
        return dict(self._ask(f"select {', '.join(listed)} {self._joined} where {self._reason} is null").fetchnumpy())

    def texts(self, keys: Collection[int]) -> Iterator[tuple[int, str]]:
        """The texts of the answers with these keys, each with its own; those that are not known are not there."""
        if self._answers is None:
            return
        self._cursor.execute("create or replace temp table bakeoff_wanted (key ubigint)")
        append(self._cursor, "bakeoff_wanted", [(key,) for key in keys])
        texts = f"({self._answers.texts}) t(key, text)"
        is_wanted = "hash(key) in (select key from bakeoff_wanted)"
        if self._answers.have_places:
            is_wanted = f"place in (select place from {texts} where {is_wanted})"
        found = self._ask(f"select hash(key), text from {texts} where text is not null and {is_wanted}")
        while rows := found.fetchmany(_TEXTS_AT_ONCE):
            yield from rows

    def n_without(self, unit: Unit) -> int:
        """As `arena.rows.VoteRows`."""
        untold = f"{_told(_UNIT_COLUMNS[unit])} is null"
        return self._ask(f"select count(*) from {self._relation} where {self._reason} is null and {untold}").fetchall()[
            0
        ][0]

    def tells(self, column: str) -> bool:
        """Whether there is a column of this name."""
        return column in self._columns

    @property
    def where(self) -> str:
        """What these votes are called in a message."""
        return self._where

    @property
    def answers(self) -> Answers | None:
        """Where the texts of the answers are; None where no text is known."""
        return self._answers

    def select(
        self, wanted: Mapping[str, str], joins: str = "", *, first: Mapping[str, str] = MappingProxyType({})
    ) -> Mapping[str, Any]:
        """Of each vote that counts `verdict`, a place in `Verdict`, and what is wanted, SQL by name, as columns.

        The SQL may use the columns of the votes and `bakeoff_seq`, the place of a vote in the log or its row in the
        file; what is named in `first` is computed once of each vote, and may be used by its name. Call `counted` first:
        it reads the words that verdicts go by.
        """
        numbered = copy(self)
        own = dict(first) if self.tells("bakeoff_seq") else {"bakeoff_seq": "row_number() over ()", **first}
        added = "".join(f", {sql} as {name}" for name, sql in own.items())
        numbered._relation = f"(select *{added} from {self._relation})"
        told = ", ".join(f"{sql} as {name}" for name, sql in wanted.items())
        query = f"select w.code as verdict, {told} {numbered._joined} {joins} where {self._reason} is null"
        return self._ask(query).fetchnumpy()

    def distinct(self, sql: str) -> list[tuple[int, str]]:
        """Every value of SQL that makes a text of a vote, with its `hash`; null is none."""
        return self._ask(f"select distinct hash({sql}), {sql} from {self._relation} where {sql} is not null").fetchall()

    def run(self, statement: str) -> None:
        """Run a statement on the table's own cursor, as to make a small temporary table."""
        self._ask(statement)

    def knows_order(self) -> bool:
        """As `arena.rows.VoteRows`."""
        if "voted_at" not in self._columns:
            return False
        return not self._ask(f"select count(*) from {self._relation} where voted_at is null").fetchall()[0][0]

    def rows(
        self,
        items: Mapping[ModelId, int],
        *,
        unit: Unit = Unit.NONE,
        style: Sequence[str] = (),
        weighted: bool = False,
        in_order: bool = False,
        is_fixed: bool = False,
    ) -> Iterator[Rows]:
        """As `arena.rows.VoteRows`. Call `counted` first: it reads the words that models and verdicts go by."""
        self._name_items(items)
        column = _UNIT_COLUMNS.get(unit)
        if column is not None and column not in self._columns:
            raise BadInput(f"{self._where} have no column {column!r}: their {unit.value} is not known")
        if in_order and "voted_at" not in self._columns:
            raise BadInput(f"{self._where} have no column 'voted_at': their order is not known")
        if in_order:
            self._refuse_no_times()
            self._refuse_where("voted_at is null", "do not tell when they were cast: their order is not known")
        wanted = ["x.item as a", "y.item as b", "w.code as verdict"]
        wanted += ["epoch_us(voted_at::timestamptz) as moment"] if in_order else []
        wanted += [] if column is None else [f"if({_told(column)} is null, null, hash({_told(column)})) as unit"]
        if weighted:
            self._need("weight")
            weighs = "coalesce(try_cast(weight as double) between 1e-9 and 1e9, false)"
            self._refuse_where(f"not {weighs}", "have no weight above 0 in the column 'weight'")
            wanted.append("weight::double as weight")
        joins = ""
        if style:
            expressions, joins = self._style(style)
            wanted += [f"{expression} as style_{name}" for name, expression in expressions.items()]
        query = f"select {', '.join(wanted)} {self._joined} {joins} where {self._reason} is null"
        if in_order:
            found = self._found(query, style)
            if len(found["a"]):
                yield rows_of(in_an_order_of_their_own(found, style), style)
            return
        n_parts = 1 + self._n_rows // _ROWS_AT_ONCE if column is not None else 1
        for part in range(n_parts):
            share = f" and coalesce(hash({_told(column)}), 0) % {n_parts} = {part}" if column and n_parts > 1 else ""
            found = self._found(query + share, style)
            if len(found["a"]):
                yield rows_of(in_an_order_of_their_own(found, style) if is_fixed else found, style)

    def _ask(self, query: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._cursor.execute(query)
        except duckdb.ConversionException as error:
            raise BadInput(f"{self._where} hold a value that cannot be read: {str(error).splitlines()[0]}") from error

    def _found(self, query: str, style: Sequence[str]) -> Mapping[str, Any]:
        """The columns that a query finds. Raises BadInput where the style of a vote is not known."""
        found = self._ask(query).fetchnumpy()
        if any(np.ma.is_masked(found[f"style_{name}"]) for name in style):
            self._refuse_missing(style)
        return found

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

    def _style(self, names: Sequence[str]) -> tuple[dict[str, str], str]:
        """SQL of the normalised difference of each feature, and the joins that it needs."""
        if all({f"{name}_a", f"{name}_b"} <= self._columns for name in names):
            return {name: _difference(f"{name}_a", f"{name}_b") for name in names}, ""
        if self._answers is None:
            missing = [f"{name}_{side}" for name in names for side in "ab" if f"{name}_{side}" not in self._columns]
            raise BadInput(
                f"{self._where} tell nothing of style: there are neither the texts (answer_a, answer_b) nor all counts "
                f"({', '.join(missing)} are missing)"
            )
        self._count_features()
        joins = (
            f"left join bakeoff_style fa on {self._answers.key_a} = fa.key "
            f"left join bakeoff_style fb on {self._answers.key_b} = fb.key"
        )
        self._refuse_where(
            "fa.key is null or fb.key is null",
            "lack an answer's text (in CSV, an empty field): their style is not known",
            joins,
        )
        return {name: _difference(f"fa.{name}", f"fb.{name}") for name in names}, joins

    def _count_features(self) -> None:
        assert self._answers is not None  # noqa: S101 - asked for only then
        [key_type] = self._cursor.execute(
            f"select typeof(key) from ({self._answers.texts}) t(key, text) limit 1"
        ).fetchall() or [("varchar",)]
        listed = ", ".join(f"{name} integer" for name in styles.FEATURES)
        self._cursor.execute(f"create or replace temp table bakeoff_style (key {key_type[0]}, {listed})")
        found = self._cursor.execute(
            f"select key, text from ({self._answers.texts}) t(key, text) where text is not null"
        )
        told = list[tuple[Any, ...]]()
        while rows := found.fetchmany(_TEXTS_AT_ONCE):
            counted = styles.counts([text for _, text in rows])
            told += [(key, *of) for (key, _), of in zip(rows, counted.tolist(), strict=True)]
        append(self._cursor, "bakeoff_style", told)

    def _refuse_missing(self, names: Sequence[str]) -> None:
        sides = [f"{name}_{side}" for name in names for side in "ab"]
        unknown = f"not ({' and '.join(map(_is_count, sides))})"
        self._refuse_where(unknown, f"lack a count in one of {', '.join(sides)}; each needs a number, 0 or more")

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
            listed = ", ".join(_literal(each) for each in wanted)
            cases += [
                f"when {_told(column)} is null then 'no {column} is known'",
                f"when {_told(column)} not in ({listed}) then '{column} ' || {_told(column)} || ' is not asked for'",
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

_UNIT_COLUMNS = {Unit.VOTER: "voter", Unit.PROMPT: "prompt_id", Unit.LIST: "ranking"}


def _said(column: str, raw: object) -> object:
    """The value as the file has it. Raises BadInput for one that is neither a text nor a whole number."""
    if isinstance(raw, str) and raw.startswith("\0"):
        raise BadInput(f"{column} is {raw[1:]}, which is no text")
    return raw


def _told(column: str) -> str:
    """SQL of what a column says, as a text; an empty one says nothing."""
    return f"nullif({column}::varchar, '')"


def _is_count(column: str) -> str:
    return f"coalesce(try_cast({column} as double) between 0 and 1e15, false)"


def _difference(a: str, b: str) -> str:
    """SQL of the normalised difference of two columns, null where one of them holds no count."""
    is_known, a, b = f"{_is_count(a)} and {_is_count(b)}", f"{a}::double", f"{b}::double"
    # 0 where both are 0, and no count is that small.
    return f"if({is_known}, ({a} - {b}) / greatest({a} + {b}, 1e-300), null)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
