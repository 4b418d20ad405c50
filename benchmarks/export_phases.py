"""What an export does one thing after the other, and how long each takes: for `benchmarks/export.py`.

    python benchmarks/export_phases.py DIR         the database is DIR/arena.duckdb

Prints a line for each phase: seconds of processor time, of all cores, and what it is.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from arena import judgement_table
from arena.agreement import Chance
from arena.agreement_report import Report
from arena.battle import Source
from arena.dataset.cleaning import Cleaner
from arena.dataset.split import SplitRule, compared_text, place
from arena.export import PREFERENCE, examples
from arena.preferences.account import Account
from arena.preferences.choices import Choices
from arena.preferences.example import Example
from arena.preferences.formats import formats
from arena.shards import sheets
from arena.store import VoteStore
from arena.tally import Selection

_AT_ONCE = 1_000


def measured(folder: Path) -> Iterator[tuple[str, float]]:
    """Each phase with its seconds of processor time, in the order of an export."""
    with VoteStore.open(folder / "arena.duckdb") as store, store.casts.sparing(500):
        n_log, _ = store.log.position()

        def agreement() -> None:
            with store.votes.table(Selection(sources=(Source.HUMAN,)), up_to=n_log) as votes:
                Report.of(judgement_table.read(votes), Chance(), force=True)

        def splits() -> None:
            texts = {prompt_id: compared_text(messages) for prompt_id, messages in store.arrivals.messages()}
            place(store.arrivals.up_to(n_log), texts, SplitRule())

        def pairs() -> None:
            _exhaust(store.casts.pairs(n_log))

        def texts() -> None:
            casts = store.casts.pairs(n_log)
            while batch := list(islice(casts, _AT_ONCE)):
                store.casts.texts(batch)

        def found() -> Iterator[Example]:
            return examples(store, Choices(), Account(), up_to=n_log)

        def cleaned() -> Iterator[Example]:
            cleaner = Cleaner()
            return (each for example in found() if isinstance(each := cleaner.cleaned(example), Example))

        def written() -> None:
            (folder / "phases").mkdir()
            with sheets(folder / "phases") as opened:
                preference = formats()[PREFERENCE]
                sheet = opened.sheet(PREFERENCE, "train", preference.schema)
                for example in cleaned():
                    for row in preference.rows_of([example]):
                        sheet.add(row)
                opened.finish()

        yield "agreement of the voters", _seconds(agreement)
        yield "splits: prompts that are nearly the same", _seconds(splits)
        before = 0.0
        steps: list[tuple[str, Callable[[], object]]] = [
            ("votes in the order of pairs", pairs),
            ("their texts", texts),
            ("what the votes on a pair say together", lambda: _exhaust(found())),
            ("personal data", lambda: _exhaust(cleaned())),
            ("rows and files", written),
        ]
        for name, step in steps:
            so_far = _seconds(step)
            yield name, max(0.0, so_far - before)
            before = so_far


def _exhaust(things: Iterable[object]) -> None:
    deque(things, maxlen=0)


def _seconds(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


if __name__ == "__main__":
    for name, seconds in measured(Path(sys.argv[1])):
        print(f"{seconds:.3f} {name}", flush=True)
