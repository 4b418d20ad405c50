"""A database as schema step 0001 made it, row by row and with the hashes that were written then."""

from pathlib import Path

import duckdb

import arena.store

FIRST_STEP = Path(arena.store.__file__).parent / "schema" / "0001_first_light.sql"

_NOON = "timestamptz '2026-05-01 12:00:00+00'"
_LATER = "timestamptz '2026-05-01 14:00:00+00'"
_ANSWERS = ("a547a4cfe95230419fe1a8b01e5ebacc", "85b1ab24c4312c8abe8f2499875defc0", "3785361084c5f6a44f58c423c3c87695")
_DIGEST = "c68f984876cebb284135a4a696d8732b59b5d5da30bcf3a168aa344fbb5a2e17"
HASHES = (
    "0" * 64,
    "c56b6b04b1193b9cddd09bb6c760e14624b59e0a6e3597d549659126e25452a5",
    "371e60c806b30f3b1425a922bb56a7fdc61b88a9ab3580c2cc2bf600fabe9586",
    "64d66cab3ffbe87506cdf4b6259e526776b9f80508e1bbd1c83614ae201fbd02",
)


def write(path: Path) -> None:
    """Three models, a prompt, votes of voter0 (A) and voter1 (tie), an imported one, and a ballot open to voter3."""
    a, b, _ = _ANSWERS
    drawn = f"1/6, 'uniform-over-blind-pairs', {_NOON}"
    cast = f"{_NOON}, {_NOON}"
    told = f"null, null, null, null, null, null, 4321, true, '3', '{_DIGEST}', 'production', null, null, '0.1.0', null"
    with duckdb.connect(str(path)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("create table schema_versions (version integer primary key, applied_at timestamptz not null)")
        con.execute(FIRST_STEP.read_text(encoding="utf-8"))
        con.execute("insert into schema_versions values (1, now())")
        for m, answer in enumerate(_ANSWERS):
            con.execute(
                f"insert into models values ('m{m}', 'Model {m}', 'Maker {m}', null, null, null, [], {_NOON}, null)"
            )
            con.execute(
                f"insert into answers values ('{answer}', 'p0', 'm{m}', 'Text of m{m} for p0', null, null, null, null, "
                f"null, {_NOON}, null)"
            )
        messages = "[{'role': 'user', 'content': 'Question 0?'}]"
        con.execute(
            f"insert into prompts values ('p0', '{_DIGEST}', {messages}, 'reasoning', 'en', null, null, {_NOON})"
        )
        con.execute(
            f"""insert into battles values
            ('b0', 'b0', 1, 'p0', '{a}', '{b}', 'm0', 'm1', 'fresh', null, {drawn}),
            ('b1', 'b1', 1, 'p0', '{a}', '{b}', 'm0', 'm1', 'fresh', null, {drawn}),
            ('b2', 'b2', 1, null, null, null, 'm0', 'm2', 'fresh', null, null, null, null),
            ('b3', 'b3', 1, 'p0', '{b}', '{a}', 'm1', 'm0', 'fresh', null, {drawn})"""
        )
        for n in (0, 1, 3):
            con.execute(f"insert into ballots values ('ballot{n}', 'b{n}', 'voter{n}', {_NOON}, {_LATER})")
        con.execute(
            f"""insert into votes values
            (1, 'v0', 'b0', {cast}, 'A', 'human', 'voter0', 'A', {told}, '{HASHES[0]}', '{HASHES[1]}'),
            (2, 'v1', 'b1', {cast}, 'tie', 'human', 'voter1', 'A', {told}, '{HASHES[1]}', '{HASHES[2]}'),
            (3, 'v2', 'b2', null, {_NOON}, 'B', 'import', null, null, null, null, null, null, null, null, null, null,
                null, null, 'production', null, null, '0.1.0', 'row 1', '{HASHES[2]}', '{HASHES[3]}')"""
        )
