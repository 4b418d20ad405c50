"""What a voter wrote can go, and the vote stays what it was: nobody who can write the file changes it under cover of
that."""

import gzip
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import BattleId, Labels, Source, Verdict, Vote, VoteId, VoterId
from arena.store import VoteStore, rewrite
from arena.store.chain import entry_hash
from arena.store.log import ERA, REDACTION, WITHDRAWAL, _acts_of, _rests, decide, head, votes_of
from arena.store.words import digest_of
from arena.wholeness import Position, examine
from arenas import booth, fill
from command import bakeoff
from ground import NOW

Con = duckdb.DuckDBPyConnection
Attack = Callable[[Con], object]

OLD_DATABASES = Path(__file__).parent / "old_databases"
# Acts 1 to 5 are votes of as many voters; the second said nothing. Act 6 takes back what the fourth said, 7 its words.
VOTERS = ("ann", "ben", "cyd", "dan", "eve")
N_ACTS = 7


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed database of a new arena, as bytes."""
    path = tmp_path_factory.mktemp("words") / "arena.duckdb"
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=2)
        store.catalogue.set_rules("[labels]\ncomment = true\n", None, NOW)
        here = booth(store, NOW)
        for name in VOTERS:
            me = VoterId(name)
            labels = Labels(comment=None if name == "ben" else f"So says {name}.")
            here.cast(here.open(me, NOW).id, Verdict.A, me, NOW, labels)
        here.withdraw_all(VoterId("dan"), NOW)
        assert store.log.position()[0] == N_ACTS
    return path.read_bytes()


@pytest.fixture
def path(whole: bytes, tmp_path: Path) -> Path:
    place = tmp_path / "arena.duckdb"
    place.write_bytes(whole)
    return place


@pytest.fixture(params=[2, 5, 6])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database of an earlier version that this one has opened, and that took a vote since. In version 2 nobody wrote
    anything; from version 6 on words were taken out by then."""
    place = unpacked(request.param, tmp_path)
    with VoteStore.open(place) as store:
        vote_once(store)
        assert store.log.broken_links() == []
    return place


def unpacked(version: int, folder: Path) -> Path:
    place = folder / "arena.duckdb"
    place.write_bytes(gzip.decompress((OLD_DATABASES / f"{version:04}.gz").read_bytes()))
    return place


def vote_once(store: VoteStore) -> None:
    here, now, me = booth(store, NOW), NOW + timedelta(hours=2), VoterId("somebody new")
    labels = (
        Labels(scale=store.catalogue.rules().labels.scale) if store.catalogue.rules().labels.asks_more else Labels()
    )
    here.cast(here.open(me, now).id, Verdict.TIE, me, now, labels)


def attacked(path: Path, attack: Attack) -> Position:
    """Do this behind the arena's back; returns the position that somebody noted before."""
    with duckdb.connect(str(path)) as con:
        con.execute("set TimeZone = 'UTC'")
        noted = Position(*head(con), "a note")
        attack(con)
    return noted


def found(path: Path, *noted: Position) -> list[int]:
    with VoteStore.open(path) as store:
        return [link.seq for link in examine(store, noted).broken]


def vote_of(con: Con, seq: int) -> str:
    [[vote_id]] = con.execute("select vote_id from votes where seq = ?", [seq]).fetchall()
    return vote_id


def withdraw(con: Con, seq: int) -> None:
    decide(con, WITHDRAWAL, vote_of(con, seq), "zoe", NOW)


def redact(con: Con, seq: int, record_hash: str | None = None) -> None:
    """Append a redaction; unless told otherwise, with the hash of the vote as it stands there without its words."""
    [act] = [act for act in votes_of(con, seq) if act.seq == seq]
    words = {} if "comments_digest" in act.record else {"comments": None}
    decide(con, REDACTION, act.vote_id, record_hash or entry_hash(act.previous_hash, act.record | words), NOW)


def forge(con: Con, seq: int, also: str = "") -> None:
    """The vote becomes another one and keeps its hash; two acts at the end of the log say that its words were taken."""
    gone = "comments = null, comments_salt = null"
    con.execute(f"update votes set verdict = 'B', voter_id = 'zoe', {gone}{also} where seq = {seq}")
    withdraw(con, seq)
    redact(con, seq)


OLD_KIND = ", comments_digest = null"


def add_era(con: Con) -> None:
    decide(con, ERA, "comments are covered by digest", _rests(con, head(con)[0]))


def forge_with_an_era(con: Con, *numbers: int) -> None:
    for seq in numbers:
        forge(con, seq, OLD_KIND)
    add_era(con)


def put_back(con: Con, *, words: bool, salt: bool) -> None:
    """Give the vote whose words were taken out a text and a salt, and whatever digest it takes."""
    con.execute(
        "update votes set comments = ?, comments_salt = ? where seq = 4",
        ['{"vote": "So says dan."}' if words else None, "a salt" if salt else None],
    )


def other_words_with_their_digest(con: Con) -> None:
    words = '{"vote": "Quite another thing."}'
    con.execute(
        "update votes set comments = ?, comments_salt = 'salt', comments_digest = ? where seq = 3",
        [words, digest_of(words, "salt")],
    )


def redacted_before_its_withdrawal(con: Con) -> None:
    con.execute("update votes set comments = null, comments_salt = null where seq = 3")
    redact(con, 3)
    withdraw(con, 3)


def withdrawn_with(record_hash: str | None) -> Attack:
    def attack(con: Con) -> None:
        con.execute("update votes set comments = null, comments_salt = null where seq = 3")
        withdraw(con, 3)
        if record_hash is not None:
            redact(con, 3, record_hash)

    return attack


def appended_vote_of_the_old_kind(con: Con) -> None:
    """With all its hashes right."""
    con.execute("insert into battles select * replace ('more' as battle_id) from battles limit 1")
    n_log, last = head(con)
    con.execute(
        """insert into votes select * replace (? as seq, 'more' as vote_id, 'more' as battle_id, ? as previous_hash,
        'x' as hash, null as comments_digest, null as comments, null as comments_salt) from votes where seq = 1""",
        [n_log + 1, last],
    )
    rechain(con, n_log + 1)


def rechain(con: Con, since: int) -> None:
    """Write the hashes of this act and all after it anew, as somebody would who knows how."""
    n_log, _ = head(con)
    kinds = [WITHDRAWAL, REDACTION, ERA]
    acts = [("votes", act) for act in votes_of(con, n_log)]
    acts += [(kind.table, act) for kind in kinds for act in _acts_of(con, kind, n_log)]
    acts.sort(key=lambda each: each[1].seq)
    [*_, before] = ["0" * 64, *(act.hash for _, act in acts if act.seq < since)]
    for table, act in acts:
        if act.seq >= since:
            link = entry_hash(before, act.record)
            con.execute(f"update {table} set previous_hash = ?, hash = ? where seq = ?", [before, link, act.seq])
            before = link


def first_vote_from_before_an_era(con: Con) -> None:
    """The first vote is made one of the old kind, and an era slipped in after it; everything else is moved by one."""
    for seq in range(N_ACTS, 1, -1):
        for table in ("votes", "withdrawals", "redactions"):
            con.execute(f"update {table} set seq = {seq + 1} where seq = {seq}")
    con.execute(f"update votes set verdict = 'B'{OLD_KIND}, comments_salt = null where seq = 1")
    con.execute("insert into eras values (2, 'comments are covered by digest', ?, '0', 'x', 'y')", [_rests(con, 1)])
    rechain(con, 1)
    con.execute("update eras set votes_digest = ?", [_rests(con, 1)])
    rechain(con, 2)
    con.execute("update redactions set record_hash = (select hash from votes where seq = 5)")
    rechain(con, 2)


def sql(statement: str) -> Attack:
    return lambda con: con.execute(statement)


def change(what: str, seq: int = 3) -> Attack:
    return sql(f"update votes set {what} where seq = {seq}")


# What is done to a log of a new arena, and the first act that the walk along the chain names.
FOUND_BY_THE_WALK: dict[str, tuple[Attack, int]] = {
    "a vote in the middle": (lambda con: forge(con, 3), 3),
    "the first vote": (lambda con: forge(con, 1), 1),
    "a vote without words": (lambda con: forge(con, 2), 2),
    "the last vote": (lambda con: forge(con, 5), 5),
    "a vote that was withdrawn with its words": (change("verdict = 'B'", 4), 4),
    "and its digest is removed": (lambda con: forge(con, 3, OLD_KIND), 3),
    "and the first one's digest is removed": (lambda con: forge(con, 1, OLD_KIND), 1),
    "and its digest says that nothing was written": (lambda con: forge(con, 3, ", comments_digest = 'none'"), 3),
    "and an era is put to the end": (lambda con: forge_with_an_era(con, 3), N_ACTS + 3),
    "all votes but one, and an era": (lambda con: forge_with_an_era(con, 1, 2, 3), N_ACTS + 7),
    "words changed": (change("""comments = '{"vote": "Another thing."}'"""), 3),
    "words changed with their digest": (other_words_with_their_digest, 3),
    "words removed": (change("comments = null"), 3),
    "words and salt removed": (change("comments = null, comments_salt = null"), 3),
    "words, salt and digest removed": (change("comments = null, comments_salt = null, comments_digest = null"), 3),
    "words denied": (change("comments = null, comments_salt = null, comments_digest = 'none'"), 3),
    "words denied and left": (change("comments_digest = 'none'"), 3),
    "salt changed": (change("comments_salt = 'another'"), 3),
    "salt removed": (change("comments_salt = null"), 3),
    "digest removed": (change("comments_digest = null"), 3),
    "digest changed": (change("comments_digest = repeat('0', 64)"), 3),
    "words where there were none": (change("""comments = '{"vote": "x"}', comments_salt = 'x'""", 2), 2),
    "a salt where there was none": (change("comments_salt = 'x'", 2), 2),
    "words taken out before the withdrawal": (redacted_before_its_withdrawal, 3),
    "words taken out of a vote that stands": (
        lambda con: (change("comments = null, comments_salt = null")(con), redact(con, 3)),
        3,
    ),
    "words taken out of another vote": (withdrawn_with("0" * 64), 3),
    "words taken out by no act": (withdrawn_with(None), 3),
    "words put back": (lambda con: put_back(con, words=True, salt=True), 4),
    "a salt put back": (lambda con: put_back(con, words=False, salt=True), 4),
    "a new vote of the old kind": (appended_vote_of_the_old_kind, N_ACTS + 1),
}


@pytest.mark.parametrize("name", FOUND_BY_THE_WALK)
def test_the_walk_alone_finds(name: str, path: Path):
    attack, first = FOUND_BY_THE_WALK[name]
    attacked(path, attack)
    assert found(path)[:1] == [first]


def test_the_command_names_a_vote_that_was_changed_and_called_withdrawn_with_its_words(path: Path):
    noted = attacked(path, lambda con: forge(con, 3))
    for options in ((), ("--expect", f"{noted.n_log}:{noted.log_hash}")):
        said = bakeoff("verify", "--db", path, "--json", *options)
        assert said.code == 1
        [link] = said.record["broken"]
        assert (link["act"], link["fault"]) == (3, "it was changed after it was stored")


def test_an_era_that_is_slipped_in_moves_what_follows_and_misses_a_position_that_was_noted(path: Path):
    noted = attacked(path, first_vote_from_before_an_era)
    assert found(path) == [], "all of it is written anew, which the chain alone cannot tell"
    assert found(path, noted) == [noted.n_log]


def test_a_log_in_which_every_vote_is_called_withdrawn_with_words_passes_for_one_from_before_and_counts_nothing(
    path: Path,
):
    def attack(con: Con) -> None:
        con.execute("delete from redactions")
        con.execute("delete from withdrawals")
        forge_with_an_era(con, 1, 2, 3, 4, 5)

    attacked(path, attack)
    assert found(path) == []
    with VoteStore.open(path) as store:
        assert store.votes.n_by_source(up_to=store.log.position()[0]) == {}


# What is done to a log of an earlier version after this one has opened it, and a vote was cast since.
def test_an_old_vote_that_is_changed_after_the_era_is_found_by_it(upgraded: Path):
    with duckdb.connect(str(upgraded)) as con:
        [[era]] = con.execute("select seq from eras").fetchall()
    attacked(upgraded, lambda con: forge(con, 7))
    assert found(upgraded) == [era]


def test_a_new_vote_made_one_of_the_old_kind_after_the_era_is_found(upgraded: Path):
    with duckdb.connect(str(upgraded)) as con:
        [[new]] = con.execute("select max(seq) from votes").fetchall()
    attacked(upgraded, lambda con: forge(con, new, OLD_KIND))
    assert found(upgraded) == [new]


@pytest.mark.parametrize(
    "attack",
    [
        sql("delete from eras"),
        sql("update eras set votes_digest = repeat('0', 64)"),
        sql("update eras set what = 'something else'"),
        sql("update eras set seq = 1000"),
        sql("update eras set seq = 0"),
        add_era,
    ],
    ids=["removed", "digest", "words", "moved to the end", "moved to the beginning", "a second one"],
)
def test_an_era_that_is_changed_is_found(upgraded: Path, attack: Attack):
    attacked(upgraded, attack)
    assert found(upgraded) != []


def test_an_era_that_is_swapped_with_the_vote_after_it_is_found(upgraded: Path):
    def attack(con: Con) -> None:
        [[era]] = con.execute("select seq from eras").fetchall()
        con.execute(f"update eras set seq = {era + 1}")
        con.execute(f"update votes set seq = {era} where seq = {era + 1}")

    attacked(upgraded, attack)
    assert found(upgraded) != []


def test_an_era_at_the_end_that_is_removed_and_comes_again_misses_the_position_noted_since(tmp_path: Path):
    path = unpacked(5, tmp_path)

    def attack(con: Con) -> None:
        con.execute("delete from eras")
        forge(con, 6)

    with VoteStore.open(path):
        pass  # which appends the era
    noted = attacked(path, attack)
    assert found(path) == [], "as if that had been done before this version came"
    assert found(path, noted) == [noted.n_log]


def test_what_was_changed_before_this_version_came_is_not_found(tmp_path: Path):
    path = unpacked(6, tmp_path)
    with duckdb.connect(str(path)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("update votes set verdict = 'both_bad', comments = null where seq = 7 and verdict <> 'both_bad'")
        [changed] = [each for each in old_votes(con) if each["seq"] == 7]
        assert (changed["verdict"], changed["comments"]) == ("both_bad", None)
        previous = changed.pop("previous_hash")
        left = entry_hash(previous, changed)
        for kind, values in (
            (WITHDRAWAL, (changed["vote_id"], "zoe", NOW)),
            (REDACTION, (changed["vote_id"], left, NOW)),
        ):
            acts = " union all ".join(
                f"select seq, hash from {table}" for table in ("votes", "withdrawals", "exclusions", "redactions")
            )
            [(n_log, last)] = con.execute(f"{acts} order by seq desc limit 1").fetchall()
            row = (n_log + 1, *values, "0.1.0")
            link = entry_hash(last, dict(zip(kind.chained, row, strict=True)) | {"act": kind.word})
            con.execute(f"insert into {kind.table} values (?, ?, ?, ?, ?, ?, ?)", [*row, last, link])
    assert found(path) == []


def old_votes(con: Con) -> list[dict]:
    """What the chain covered of votes when there were no digests, and the hash before."""
    from arena.store.log import BATTLE_COLUMNS, LATER_COLUMNS, VOTE_COLUMNS  # noqa: PLC0415 - for this one

    later = tuple(name for name in LATER_COLUMNS if name != "comments_digest")
    names = (*VOTE_COLUMNS, *later, *BATTLE_COLUMNS, "previous_hash")
    rows = con.execute(f"select {', '.join(names)} from votes join battles using (battle_id) order by seq").fetchall()
    told = [dict(zip(names, row, strict=True)) for row in rows]
    return [{k: v for k, v in each.items() if v is not None or k not in later} for each in told]


@pytest.mark.parametrize("version", [1, 2, 5, 7])
def test_a_log_from_before_gets_one_era_however_often_it_is_opened(version: int, tmp_path: Path):
    path = unpacked(version, tmp_path)
    positions = set()
    for _ in range(3):
        with VoteStore.open(path) as store:
            positions.add(store.log.position())
    assert len(positions) == 1
    rewrite(path, NOW)
    with duckdb.connect(str(path)) as con:
        assert con.execute("select count(*) from eras").fetchall() == [(1,)]


def test_a_new_arena_gets_none(path: Path, tmp_path: Path):
    with VoteStore.open(tmp_path / "empty.duckdb"), VoteStore.open(path):
        pass
    for each in (path, tmp_path / "empty.duckdb"):
        with VoteStore.open(each) as store, store._database.read() as cursor:
            assert cursor.execute("select count(*) from eras").fetchall() == [(0,)]
    assert found(path) == []


def test_a_comment_can_be_taken_out_whatever_the_version_that_stored_it(upgraded: Path):
    with VoteStore.open(upgraded) as store:
        with store._database.read() as cursor:
            asked = "select distinct voter_id from votes where voter_id <> 'somebody new'"
            voters = [voter for (voter,) in cursor.execute(asked).fetchall()]
        for voter in voters:
            store.votes.withdraw_all(voter, NOW)
        assert store.log.broken_links() == []
    rewrite(upgraded, NOW)  # which also takes out what was withdrawn before there were redactions
    with duckdb.connect(str(upgraded)) as con:
        assert con.execute("select count(comments), count(comments_salt) from votes").fetchall() == [(0, 0)]
    assert b'{"vote": "Vote' not in upgraded.read_bytes()
    assert found(upgraded) == []


def test_neither_words_nor_salt_are_in_a_byte_once_the_file_is_written_anew(path: Path):
    with VoteStore.open(path) as store:
        with store._database.read() as cursor:
            [(words, salt)] = cursor.execute("select comments, comments_salt from votes where seq = 3").fetchall()
        booth(store, NOW).withdraw_all(VoterId("cyd"), NOW)
        with store._database.read() as cursor:
            assert cursor.execute("select comments, comments_salt from votes where seq = 3").fetchall() == [
                (None, None)
            ]
    before = path.read_bytes()
    assert words.encode() in before
    assert salt.encode() in before
    rewrite(path, NOW)
    after = path.read_bytes()
    assert words.encode() not in after
    assert salt.encode() not in after
    assert found(path) == []


def test_what_a_redaction_names_is_the_votes_own_hash(path: Path):
    with duckdb.connect(str(path)) as con:
        told = con.execute("select votes.hash, record_hash from votes join redactions using (vote_id)").fetchall()
    assert len(told) == 1
    assert told[0][0] == told[0][1]


def test_every_vote_has_a_digest_and_every_comment_a_salt_of_its_own(path: Path):
    with duckdb.connect(str(path)) as con:
        rows = con.execute(
            "select comments, comments_salt, comments_digest from votes where seq <> 4 order by seq"
        ).fetchall()
    assert rows[1] == (None, None, "none")
    salts = [salt for _, salt, _ in rows if salt is not None]
    assert len(set(salts)) == 3
    for words, salt, digest in (rows[0], *rows[2:]):
        assert digest == hashlib.sha256(f"{salt}\n{words}".encode()).hexdigest()


@pytest.mark.parametrize(("comment", "salt"), [("words", None), (None, "salt")])
def test_a_vote_has_a_comment_and_a_salt_or_neither(comment: str | None, salt: str | None):
    with pytest.raises(ValueError, match="salt"):
        Vote(
            VoteId("v"), BattleId("b"), Verdict.A, Source.HUMAN, None, None,
            labels=Labels(comment=comment), comment_salt=salt,
        )  # fmt: skip
    with pytest.raises(ValueError, match="salt"):
        digest_of(comment, salt)


ONE_CHANGE = st.sampled_from(
    [
        "verdict = 'B'",
        "voter_id = 'zoe'",
        "comments = null, comments_salt = null, verdict = 'tie'",
        """comments = '{"vote": "never said"}'""",
        """comments = '{"vote": "never said"}', comments_salt = 'salt'""",
        "comments_salt = 'never drawn'",
        "comments_digest = null",
        "comments_digest = null, comments = null, comments_salt = null",
        "comments_digest = repeat('f', 64)",
    ]
)


@settings(deadline=None, max_examples=12)
@given(
    says=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=4),
    change=ONE_CHANGE,
    covered=st.booleans(),
    data=st.data(),
)
def test_whatever_is_changed_in_a_vote_is_found_whatever_is_appended_for_it(
    says: list[tuple[bool, bool]], change: str, covered: bool, data: st.DataObject
):
    """A log in which each voter may have said something, and may have taken the vote back."""
    with VoteStore.open(None) as store:
        fill(store, NOW, n_prompts=1)
        store.catalogue.set_rules("[labels]\ncomment = true\n", None, NOW)
        here = booth(store, NOW)
        for n, (has_words, is_withdrawn) in enumerate(says):
            me = VoterId(f"voter {n}")
            labels = Labels(comment=f"Words {n}." if has_words else None)
            here.cast(here.open(me, NOW).id, Verdict.A, me, NOW, labels)
            if is_withdrawn:
                here.withdraw_all(me, NOW)
        assert store.log.broken_links() == []
        with store._database.write() as cursor:
            numbers = [seq for (seq,) in cursor.execute("select seq from votes order by seq").fetchall()]
            seq = data.draw(st.sampled_from(numbers))
            cursor.execute(f"update votes set {change} where seq = {seq}")
            if covered and not says[numbers.index(seq)][1]:
                withdraw(cursor, seq)
                redact(cursor, seq)
        assert [link.seq for link in store.log.broken_links()] == [seq]
