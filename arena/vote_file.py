"""Vote files in the field's public columns: `model_a`, `model_b`, `winner`. Parsed here, once, aloud."""

from collections.abc import Mapping
from pathlib import Path

from arena import table
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


def read_tallies(path: Path) -> list[Tally]:
    """Count a vote file by models and verdict.

    Raises BadInput for a file without these columns or without rows, BadRows for a row whose winner is no verdict or
    whose model is missing; nothing is rated then.
    """
    missing = [column for column in _COLUMNS if column not in table.columns_of(path)]
    if missing:
        found = ", ".join(table.columns_of(path))
        raise BadInput(
            f"{path} has no column {' or '.join(map(repr, missing))} (it has {found}). A vote file needs model_a, "
            "model_b and winner; `bakeoff import --map` takes other columns"
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
        raise BadRows(faults, advice="Nothing was rated: correct the file, or import it with --values and rate that")
    if not tallies:
        raise BadInput(f"{path} holds no row")
    return tallies


def _tally(model_a: str | None, model_b: str | None, winner: str | None, n: int) -> Tally:
    if not model_a or not model_b:
        raise BadInput(f"{'model_b' if model_a else 'model_a'} is empty")
    try:
        verdict = parse_winner(winner)
    except UnknownVerdict as error:
        raise BadInput(f"winner {error}") from error
    return Tally(ModelId(model_a), ModelId(model_b), verdict, n, Source.IMPORT)
