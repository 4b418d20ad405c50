"""Votes in a relation of DuckDB, given one by one: what a rating or an audit reads of a file or of the store."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np

from arena import style as styles
from arena.battle import ModelId, Verdict
from arena.errors import BadInput
from arena.found_rows import in_an_order_of_their_own, rows_of
from arena.rows import Rows
from arena.table import append
from arena.tally import Selection, Unit
from arena.vote_relation import Refuse, Told, VoteRelation, text_of

_ROWS_AT_ONCE = 500_000

_TEXTS_AT_ONCE = 5_000


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


class VoteTable(VoteRelation):
    """The votes of a relation that count, as rows or columns, with the texts that they are on where `answers` has them.

    Call `counted` first: it reads the words that models and verdicts go by.
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
        """As `VoteRelation`; `answers` are the texts that the votes are on."""
        super().__init__(
            cursor,
            relation,
            columns,
            selection,
            parse_model=parse_model,
            parse_winner=parse_winner,
            refuse=refuse,
            where=where,
        )
        self._answers = answers

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
                tells = f"select 1 from {self._relation} where {text_of(column)} is not null limit 1"
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
            f"select distinct hash({text_of(column)}) as key, {text_of(column)} as label from {self._relation} "
            f"where {text_of(column)} is not null"
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
        listed += [f"{kind.format(column=name, told=text_of(name))} as {name}" for name, kind in known.items()]
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
        untold = f"{text_of(_UNIT_COLUMNS[unit])} is null"
        return self._ask(f"select count(*) from {self._relation} where {self._reason} is null and {untold}").fetchall()[
            0
        ][0]

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
        wanted += [] if column is None else [f"if({text_of(column)} is null, null, hash({text_of(column)})) as unit"]
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
            share = f" and coalesce(hash({text_of(column)}), 0) % {n_parts} = {part}" if column and n_parts > 1 else ""
            found = self._found(query + share, style)
            if len(found["a"]):
                yield rows_of(in_an_order_of_their_own(found, style) if is_fixed else found, style)

    def _found(self, query: str, style: Sequence[str]) -> Mapping[str, Any]:
        """The columns that a query finds. Raises BadInput where the style of a vote is not known."""
        found = self._ask(query).fetchnumpy()
        if any(np.ma.is_masked(found[f"style_{name}"]) for name in style):
            self._refuse_missing(style)
        return found

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


_UNIT_COLUMNS = {Unit.VOTER: "voter", Unit.PROMPT: "prompt_id", Unit.LIST: "ranking"}


def _is_count(column: str) -> str:
    return f"coalesce(try_cast({column} as double) between 0 and 1e15, false)"


def _difference(a: str, b: str) -> str:
    """SQL of the normalised difference of two columns, null where one of them holds no count."""
    is_known, a, b = f"{_is_count(a)} and {_is_count(b)}", f"{a}::double", f"{b}::double"
    # 0 where both are 0, and no count is that small.
    return f"if({is_known}, ({a} - {b}) / greatest({a} + {b}, 1e-300), null)"
