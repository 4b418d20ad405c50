"""Write the small database of one version, with the code of that version; see README.md here.

PYTHONPATH=<a checkout of that time>:<its tests>:<its tests/arena> python make.py VERSION OUT
"""

import gzip
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb

from arena.batch import take_snapshot
from arena.battle import Verdict, VoterId
from arena.store import VoteStore
from arenas import KEY, booth, fill
from ground import NOW

# Steps 3 to 5 came in one commit. What 4 and 5 added are tables of their own, so a database of version 3 or 4 is one of
# version 5 without them.
ADDED = {4: "calibrations", 5: "exposures"}

LABELS = """
[labels]
scale = "much-slightly"
confidence = true
comment = true
"""


def write(version: int, path: Path) -> None:  # noqa: PLR0912, PLR0915 - one branch for what a version added
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=3, n_models=3)
        if version >= 3:
            store.catalogue.set_rules(LABELS, None, NOW)
        here = booth(store, NOW)
        for n in range(8):
            now = NOW + timedelta(minutes=n)
            voter = voter_of(f"voter {n // 2}", version)
            ballot = here.open(voter, now)
            verdict = (Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD)[n % 4]
            if version >= 3:
                from arena.battle import Confidence, Labels, Scale  # noqa: PLC0415 - there since version 3

                said = Labels(Scale.MUCH_SLIGHTLY, confidence=Confidence.HIGH, comment=f"Vote {n}.")
                if verdict in (Verdict.A, Verdict.B):
                    said = replace(said, strength=1 + n // 4)
                here.cast(ballot.id, verdict, voter, now, said)
            else:
                here.cast(ballot.id, verdict, voter, now)
            if version >= 2 and n == 3:
                here.withdraw(ballot.id, voter, now)
            if version >= 2 and n == 5:
                from arena.battle import SkipReason  # noqa: PLC0415 - there since version 2

                here.skip(here.open(voter, now).id, SkipReason("other"), voter, now)
            if version >= 4 and n == 6:
                store.calibrations.add(voter, "1", [1], Verdict.A, now)
                store.calibrations.add(voter, "1", [2], None, now)
        # This one stays open.
        here.open(voter_of("voter 9", version), NOW + timedelta(minutes=9))
        if version >= 5:
            reader = voter_of("reader", version)
            with store._database.write() as cursor:
                cursor.execute("insert into exposures select ?, min(answer_id), ? from answers", [reader, NOW])
        if version >= 6:
            from arena.battle import Exclusion  # noqa: PLC0415 - there since version 6

            left_out = voter_of("voter 3", version)
            store.exclusions.add(Exclusion(left_out, True, "Always the same side.", "the host", NOW))
            with store._database.write() as cursor:
                cursor.execute("insert into named_answers select max(answer_id), 'names its model' from answers")
        if version >= 9:
            know(store)
        if version >= 10:
            list_up(store)
        if version >= 11:
            agree(store)
        if version >= 12:
            rank(store)
        take_snapshot(store, NOW + timedelta(minutes=10))
    if version >= 7:
        from arena.store import rewrite  # noqa: PLC0415 - there since version 7

        rewrite(path, NOW + timedelta(minutes=10))
    with duckdb.connect(str(path)) as connection:
        for step, table in ADDED.items():
            if step > version:
                connection.execute(f"drop table if exists {table}")
                connection.execute("delete from schema_versions where version = ?", [step])
        connection.execute("checkpoint")


def know(store: VoteStore) -> None:
    """Gold of the pack on a pair of the first prompt, and of the host on one of the second."""
    from arena.battle import Adjudication, KnownVerdict  # noqa: PLC0415 - there since version 9

    served = store.catalogue.current_answers()
    first, second = sorted(store.catalogue.prompts())[:2]
    a, b, *_ = sorted(answer for (prompt, _), answer in served.items() if prompt == first)
    store.gold.add([KnownVerdict(first, a, b, Verdict.TIE, "Both are right.")], NOW)
    a, b, *_ = sorted(answer for (prompt, _), answer in served.items() if prompt == second)
    store.gold.adjudicate(Adjudication(second, a, b, Verdict.B, "The second one counts right.", "the host", NOW))


def list_up(store: VoteStore) -> None:
    """The first two votes as those of one ranked list."""
    from arena.store import RankedPair  # noqa: PLC0415 - there since version 10

    with store._database.read() as cursor:
        battles = cursor.execute("select battle_id from votes order by seq limit 2").fetchall()
    store.ranked.add([(battle, RankedPair("a list", 2)) for (battle,) in battles])


def agree(store: VoteStore) -> None:
    """Terms on which votes may be published, and a voter who said yes to them, and then no."""
    from arena.battle import Consent  # noqa: PLC0415 - there since version 11

    terms = '[consent]\nversion = "1"\nlicense = "cc-by-4.0"\npurpose = "both"\ntext = "May we?"\n'
    store.catalogue.set_rules(LABELS + terms, None, NOW)
    for is_given in (True, False):
        store.consents.add(Consent(voter_of("voter 2", 11), "1", is_given, NOW))


def rank(store: VoteStore) -> None:
    """A list of all answers to one prompt that a voter put in order, told as the votes of the list of `list_up`, and
    one that is open."""
    from arena.battle import BallotId  # noqa: PLC0415 - there since version 12
    from arena.store import OpenedList  # noqa: PLC0415

    prompt = min(store.catalogue.prompts())
    answers = tuple(sorted(answer for (of, _), answer in store.catalogue.current_answers().items() if of == prompt))
    until = NOW + timedelta(hours=2)
    for ballot in ("a list", "another list"):
        store.lists.open(
            OpenedList(BallotId(ballot), voter_of("voter 8", 12), prompt, answers, 1 / 6, "by hand", NOW, until)
        )
    with store._database.write() as cursor:
        cursor.execute("insert into rankings values ('a list', [1, 2, 2], 1, ?)", [NOW])


def voter_of(token: str, version: int) -> VoterId:
    """The same voter whenever the file is made."""
    signer = KEY._newest.signer if version >= 7 else KEY._signer  # type: ignore[attr-defined] - as it was then
    voter = KEY.voter_id(signer.sign(token).decode())
    assert voter is not None
    return voter


def main(version: int, out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arena.duckdb"
        write(version, path)
        # DuckDB leaves room in its file; copied table by table it is as small as it can be.
        small = Path(folder) / "small.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as grown (read_only)")
            connection.execute(f"attach '{small}' as small (block_size 16384)")
            connection.execute("copy from database grown to small")
        out.write_bytes(gzip.compress(small.read_bytes(), mtime=0))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
