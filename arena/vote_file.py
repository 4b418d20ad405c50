"""Vote files in the field's public columns: `model_a`, `model_b`, `winner`. Parsed here, once, aloud."""

from collections.abc import Mapping
from pathlib import Path

from arena import name, table
from arena.battle import ModelId, Source, Verdict
from arena.errors import BadInput, BadRows, Fault, UnknownVerdict
from arena.leaderboard import Tally

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


def read_tallies(path: Path) -> list[Tally]:
    """Count a vote file by models and verdict.

    Raises BadInput for a file without these columns or without rows, BadRows for a row whose winner is no verdict or
    whose model is none; nothing is rated then.
    """
    columns = table.columns_of(path)
    missing = [column for column in _COLUMNS if column not in columns]
    if missing:
        raise BadInput(
            f"{path} has no column {' or '.join(map(repr, missing))} (it has {', '.join(columns)}). A vote file needs "
            "model_a, model_b and winner; `bakeoff import --map` takes other columns"
        )
    tallies, faults = [], []
    for model_a, model_b, winner, n in table.count_by(path, _COLUMNS):
        try:
            tallies.append(_tally(model_a, model_b, winner, n))
        except BadInput as error:
            row = table.first_row_where(path, {"model_a": model_a, "model_b": model_b, "winner": winner})
            many = f" ({n:,} such rows)" if n > 1 else ""
            faults.append(Fault(str(path), row, f"{error}{many}", unit="row"))
    if faults:
        faults.sort(key=lambda fault: fault.place or 0)
        raise BadRows(
            faults, advice="Nothing was rated. `bakeoff import` takes other words (--values) and leaves rows out"
        )
    if not tallies:
        raise BadInput(f"{path} holds no row")
    return tallies


def _tally(model_a: object, model_b: object, winner: object, n: int) -> Tally:
    models = parse_model("model_a", model_a), parse_model("model_b", model_b)
    if winner is None or winner == "":
        raise BadInput(f"winner is empty; accepted: {', '.join(WINNERS)}")
    try:
        verdict = parse_winner(winner)
    except UnknownVerdict as error:
        raise BadInput(f"winner {error}") from error
    return Tally(*models, verdict, n, Source.IMPORT)
