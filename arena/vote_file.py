"""Vote files in the field's public columns: `model_a`, `model_b`, `winner`. Parsed here, once, aloud."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from arena import name, table
from arena.battle import ModelId, Source, Verdict
from arena.errors import BadInput, BadRows, Fault, UnknownVerdict
from arena.tally import Selection, Tally, default_sources
from arena.vote_relation import Misread
from arena.vote_table import Answers, VoteTable

# The public words for a verdict; both spellings of "both bad" are in use.
WINNERS: Mapping[str, Verdict] = {
    "model_a": Verdict.A,
    "model_b": Verdict.B,
    "tie": Verdict.TIE,
    "both_bad": Verdict.BOTH_BAD,
    "tie (bothbad)": Verdict.BOTH_BAD,
}

_COLUMNS = ("model_a", "model_b", "winner")


def parse_winner(value: object, words: Mapping[str, Verdict] = WINNERS) -> Verdict:
    """The verdict that a word stands for. Raises UnknownVerdict for any other value; nothing unknown is a tie."""
    verdict = words.get(value) if isinstance(value, str) else None
    if verdict is None:
        raise UnknownVerdict(value, tuple(words))
    return verdict


def parse_model(column: str, value: object) -> ModelId:
    """The model that a value names. Raises BadInput for one that cannot be a model's id."""
    try:
        return ModelId(name.parse("" if value is None else value))
    except name.NoName as error:
        raise BadInput(f"{column} {error}") from error


@contextmanager
def open_votes(
    path: Path,
    selection: Selection | None = None,
    *,
    mapping: Mapping[str, str] = MappingProxyType({}),
    words: Mapping[str, Verdict] = MappingProxyType({}),
) -> Iterator[VoteTable]:
    """The votes of a file, to be counted or read one by one; further columns are used where they are asked for.

    `mapping` gives columns of the file the names that they are read by, `words` gives verdicts to words beside the
    public ones. Raises BadInput for a file without these columns or without rows, and for a mapping from a column that
    is not there, or to a name that is taken.
    """
    with table.opened(path) as (cursor, found, found_columns):
        relation, columns = _renamed(path, found, found_columns, mapping)
        missing = [column for column in _COLUMNS if column not in columns]
        if missing:
            raise BadInput(
                f"{path} has no column {' or '.join(map(repr, missing))} (it has {', '.join(columns)}). A vote file "
                "needs model_a, model_b and winner; `bakeoff import --map` takes other columns"
            )
        texts = None
        if {"answer_a", "answer_b"} <= set(columns):
            each = f"select distinct hash(answer) as key, answer from (select answer_a as answer from {relation} "
            texts = Answers(
                f"{each} union all select answer_b from {relation})",
                "hash(answer_a)",
                "hash(answer_b)",
                are_in_rows=True,
            )
        if not cursor.execute(f"select 1 from {relation} limit 1").fetchall():
            raise BadInput(f"{path} holds no row")
        yield VoteTable(
            cursor,
            relation,
            columns,
            selection or Selection(),
            parse_model=parse_model,
            parse_winner=lambda word: _parse_winner(word, {**WINNERS, **words}),
            refuse=lambda misread: _bad_rows(path, misread, {name: column for column, name in mapping.items()}),
            answers=texts,
            where=f"the votes in {path}",
        )


def sources_of(votes: VoteTable) -> tuple[Source, ...] | None:
    """Whose votes of a file count where nobody said which: as `default_sources`, if the file tells sources.

    None where it does not, or where its column of this name holds nothing but other words: then it is about something
    else. Raises BadInput where it holds sources and other words: then nobody knows whose votes these are.
    """
    counts = votes.sources()
    known = {Source(source): n for source, n in counts.items() if source in set(Source)}
    if not known:
        return None
    if unknown := sorted(set(counts) - set(Source)):
        raise BadInput(
            f"source is {unknown[0]!r} in {counts[unknown[0]]:,} of the votes; accepted: {', '.join(Source)}. Correct "
            "the column, or say with --source whose votes count"
        )
    return default_sources(known)


def read_tallies(path: Path) -> list[Tally]:
    """Count a vote file by models and verdict.

    Raises BadInput for a file without rows, BadRows for a row whose winner is no verdict or whose model is none;
    nothing is rated then.
    """
    with open_votes(path) as votes:
        return votes.counted().tallies()


def _renamed(
    path: Path, relation: str, columns: Sequence[str], mapping: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """The relation with columns under other names."""
    for column, new in mapping.items():
        if column not in columns:
            raise BadInput(f"{path} has no column {column!r} (it has {', '.join(columns)})")
        if list(mapping.values()).count(new) > 1 or (new in columns and new not in mapping and new != column):
            raise BadInput(f"{path} has two columns for {new!r}: map one of them to another name")
    if not mapping:
        return relation, tuple(columns)
    told = ", ".join(f"{_quoted(column)} as {_quoted(mapping.get(column, column))}" for column in columns)
    return f"(select {told} from {relation})", tuple(mapping.get(column, column) for column in columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _bad_rows(path: Path, misread: Sequence[Misread], columns: Mapping[str, str]) -> BadRows:
    """`columns` are the file's own names of those that were renamed."""
    faults = []
    for each in misread:
        many = f" ({each.n:,} such rows)" if each.n > 1 else ""
        values = {columns.get(name, name): value for name, value in each.values.items()}
        faults.append(Fault(str(path), table.first_row_where(path, values), f"{each.fault}{many}", unit="row"))
    faults.sort(key=lambda fault: fault.place or 0)
    return BadRows(
        faults, advice="Nothing was rated. `bakeoff import` takes other words (--values) and leaves rows out"
    )


def _parse_winner(winner: object, words: Mapping[str, Verdict] = WINNERS) -> Verdict:
    if winner is None or winner == "":
        raise BadInput(f"winner is empty; accepted: {', '.join(words)}")
    try:
        return parse_winner(winner, words)
    except UnknownVerdict as error:
        raise BadInput(f"winner {error}") from error
