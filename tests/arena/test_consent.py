"""Consent: what a pack asks, what voters say as acts of the log, which votes it goes along with, what is exported."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.batch import rate_log
from arena.battle import Consent, Purpose, Source, VoterId
from arena.consent import ConsentRules, licence_page
from arena.errors import BadInput, BadPack, ConsentNeeded, Fault, NotAsked, TooMany
from arena.export import Order, export, rehearse
from arena.hub import Push
from arena.intake import import_pack
from arena.pack import read_pack, starter_directory
from arena.rules import Rules, check_rules, parse_rules
from arena.store import ConsentCount, VoteStore
from arena.store.consents import REFUSED, TAKEN_BACK
from arena.voting import Booth
from arenas import booth, fill, race, voter
from dataset_world import SECRET, manifest_in, rows_in
from ground import NOW

ASKING = """[consent]
version = "1"
license = "cc-by-4.0"
purpose = "both"
text = "May we publish them?"
"""
SECOND = ASKING.replace('version = "1"', 'version = "2"').replace("cc-by-4.0", "cc0-1.0")
NO_CONSENT = "no consent is known"


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    """Many pairs, of prompts and models with licences, so that nothing but a consent can be lacking."""
    fill(store, NOW, n_prompts=12, n_models=4)
    with store._database.write() as cursor:
        cursor.execute("update prompts set license = 'CC0-1.0'")
        cursor.execute("update models set license = 'MIT'")
    store.catalogue.set_rules(ASKING, None, NOW)
    return store


def cast(here: Booth, *voters: VoterId, n: int = 1) -> None:
    for me in voters:
        for _ in range(n):
            ballot = here.open(me, NOW)
            # The better answer is the one with the smaller text, so that everybody agrees.
            here.cast(ballot.id, _verdict(ballot.answer_a, ballot.answer_b), me, NOW)


def _verdict(a: str, b: str) -> Any:
    from arena.battle import Verdict  # noqa: PLC0415

    return Verdict.A if a < b else Verdict.B


def say(here: Booth, me: VoterId, is_given: bool, version: str = "1") -> None:
    here.say(me, version, is_given=is_given, now=NOW)


def stored(store: VoteStore) -> list[tuple[str | None, str | None]]:
    """What each vote says of consent and purpose, in the order of the log."""
    with store._database.read() as cursor:
        return cursor.execute("select consent_version, purpose from votes order by seq").fetchall()


def exported(store: VoteStore, folder: Path, **options: Any) -> dict[str, Any]:
    export(store, folder, names=("preference", "raw_votes"), secret=SECRET, **options)
    return manifest_in(folder)


# ---- what a pack asks ----


def test_a_pack_asks_for_nothing_unless_it_says_so():
    assert Rules().consent is None
    consent = parse_rules(ASKING).consent
    assert consent is not None
    assert (consent.version, consent.license, consent.purpose, consent.required) == (
        "1",
        "cc-by-4.0",
        Purpose.BOTH,
        False,
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('purpose = "ads"', "'train', 'eval' or 'both'"),
        ('version = " 1"', "blank at an end"),
        ('text = "  "', "blank"),
        ('license = ""', "at least 1 character"),
        ("required = 1", "valid boolean"),
        ("agreed = true", "unknown key 'consent.agreed'"),
        ('translations = { German = "Ja?" }', "'German', which is no language"),
    ],
)
def test_a_fault_of_the_table_is_named_with_its_line(line: str, fault: str):
    key = line.split(" ", maxsplit=1)[0]
    lines = [line if each.startswith(f"{key} ") else each for each in ASKING.splitlines()]
    lines += [] if line in lines else [line]
    faults: list[Fault] = []
    check_rules("arena.toml", "\n".join(lines), faults)
    assert [each.place for each in faults] == [lines.index(line) + 1]
    assert fault in faults[0].message


@pytest.mark.parametrize("key", ["version", "license", "purpose", "text"])
def test_what_is_asked_has_to_be_said(key: str):
    faults: list[Fault] = []
    check_rules("arena.toml", "\n".join(line for line in ASKING.splitlines() if not line.startswith(key)), faults)
    assert f"the key 'consent.{key}' is missing" in faults[0].message


def test_a_reader_gets_the_text_in_the_own_language_where_there_is_one():
    rules = ConsentRules.model_validate(
        {"version": "1", "license": "x", "purpose": "train", "text": "May we?", "translations": {"de": "Dürfen wir?"}}
    )
    assert rules.text_in("de") == ("Dürfen wir?", "de")
    assert rules.text_in("fr") == ("May we?", None)


def test_other_terms_need_another_version(arena: VoteStore):
    for changed in (
        ASKING.replace("cc-by", "cc-by-sa"),
        ASKING.replace('"both"', '"train"'),
        ASKING.replace("them", "it"),
    ):
        with pytest.raises(BadInput, match="version '1' of the consent is in the database with other terms"):
            arena.catalogue.set_rules(changed, None, NOW)
    arena.catalogue.set_rules(f"{ASKING}required = true\n", None, NOW)  # a rule of the game, and none of the terms
    arena.catalogue.set_rules(SECOND, None, NOW)
    assert arena.consents.licenses() == {"1": "cc-by-4.0", "2": "cc0-1.0"}
    assert arena.catalogue.rules().consent == parse_rules(SECOND).consent


def test_a_pack_brings_its_terms_in_and_one_that_contradicts_them_brings_nothing(store: VoteStore, tmp_path: Path):
    import shutil  # noqa: PLC0415

    shutil.copytree(starter_directory(), tmp_path / "pack")
    toml = tmp_path / "pack" / "arena.toml"
    toml.write_text(ASKING)
    import_pack(store, read_pack(tmp_path / "pack"), NOW)
    toml.write_text(f'title = "Other"\n{ASKING.replace("them", "it")}')
    with pytest.raises(BadInput, match="Give the changed consent a new version"):
        import_pack(store, read_pack(tmp_path / "pack"), NOW)
    assert store.catalogue.rules().title == "Bakeoff"
    toml.write_text("[consent]\n")
    with pytest.raises(BadPack, match=r"consent\.version"):
        read_pack(tmp_path / "pack")


# ---- which votes it goes along with ----


def test_a_vote_carries_the_consent_under_which_it_was_cast_and_no_other(arena: VoteStore):
    here, me, other = booth(arena, NOW), voter(), voter()
    cast(here, me)
    say(here, me, True)
    cast(here, me, other)
    say(here, me, False)
    cast(here, me)
    say(here, me, True)
    cast(here, me)
    agreed = ("1", "both")
    assert stored(arena) == [(None, None), agreed, (None, None), (None, None), agreed]
    assert arena.log.broken_links() == []


def test_each_word_is_one_act_with_time_and_version_and_the_same_again_is_none(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    assert here.consent_of(me) is None
    for is_given in (True, True, False, False, True):
        say(here, me, is_given)
    assert here.consent_of(me) == Consent(me, "1", True, NOW)
    assert arena.log.position()[0] == 3
    kept = arena.holdings.consents(me)
    assert [(each.is_given, each.version, each.license, each.purpose, each.said_at) for each in kept] == [
        (is_given, "1", "cc-by-4.0", Purpose.BOTH, NOW) for is_given in (True, False, True)
    ]
    assert arena.holdings.consents(voter()) == []


def test_nobody_agrees_to_terms_that_are_not_asked(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    for is_given in (True, False):
        with pytest.raises(NotAsked, match="'2'"):
            say(here, me, is_given, "2")
    arena.catalogue.set_rules("", None, NOW)
    unasking = booth(arena, NOW)
    for is_given in (True, False):
        with pytest.raises(NotAsked):
            say(unasking, me, is_given)
    assert arena.log.position()[0] == 0


def test_a_no_is_taken_where_the_arena_has_ceased_to_ask(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    say(here, me, True)
    cast(here, me)
    arena.catalogue.set_rules("", None, NOW)
    unasking = booth(arena, NOW)
    with pytest.raises(NotAsked):
        say(unasking, me, True)
    say(unasking, me, False)
    assert arena.consents.n_votes(me) == 0
    cast(unasking, me)
    assert stored(arena) == [("1", "both"), (None, None)]


def test_a_yes_to_earlier_terms_is_none_to_later_ones(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    say(here, me, True)
    arena.catalogue.set_rules(SECOND, None, NOW)
    here = booth(arena, NOW)
    cast(here, me)
    say(here, me, True, "2")
    cast(here, me)
    assert stored(arena) == [(None, None), ("2", "both")]


def test_a_yes_is_limited_and_a_no_never_is(arena: VoteStore):
    here, me = booth(arena, NOW), voter()

    def refuse() -> None:
        raise TooMany("votes", 5)

    with pytest.raises(TooMany):
        here.say(me, "1", is_given=True, now=NOW, permit=refuse)
    assert here.consent_of(me) is None
    say(here, me, True)
    here.say(me, "1", is_given=True, now=NOW, permit=refuse)  # the same again: nothing is stored
    here.say(me, "1", is_given=False, now=NOW, permit=refuse)
    assert here.consent_of(me) == Consent(me, "1", False, NOW)


def test_where_it_is_needed_nothing_is_opened_or_stored_without_it(arena: VoteStore):
    arena.catalogue.set_rules(f"{ASKING}required = true\n", None, NOW)
    here, me = booth(arena, NOW), voter()
    for is_given in (None, False):
        if is_given is not None:
            say(here, me, is_given)
        with pytest.raises(ConsentNeeded):
            here.open(me, NOW)
    say(here, me, True)
    first = here.open(me, NOW)
    say(here, me, False)
    with pytest.raises(ConsentNeeded):
        here.cast(first.id, _verdict("a", "b"), me, NOW)
    say(here, me, True)
    cast(here, me)
    assert stored(arena) == [("1", "both")]
    say(here, me, False)
    # A vote that is stored is told again, as to a client that lost the answer.
    assert here.cast(first.id, _verdict(first.answer_a, first.answer_b), me, NOW)


def test_votes_and_words_that_race_agree_on_their_order(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    say(here, me, True)
    ballots = [(each, here.open(each, NOW)) for each in [me, *(voter() for _ in range(3))]]

    def work(number: int) -> None:
        if number % 2:
            say(here, me, number % 4 == 1)
        else:
            each, ballot = ballots[number // 2]
            here.cast(ballot.id, _verdict("a", "b"), each, NOW)

    race(work, 8, refused=NotAsked)
    with arena._database.read() as cursor:
        rows = cursor.execute(
            """select consent_version, (select arg_max(is_given, c.seq) from consents c
            where c.voter_id = v.voter_id and c.seq < v.seq) from votes v"""
        ).fetchall()
    assert len(rows) == 4
    assert all((version == "1") is bool(said) for version, said in rows)
    assert arena.log.broken_links() == []


@settings(max_examples=30, deadline=None)
@given(acts=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["vote", "yes", "no"])), max_size=24))
def test_whatever_is_said_in_whatever_order_an_export_has_what_was_agreed_to(acts: list[tuple[int, str]]):
    # What must come out, said as the page says it: a yes is for the votes that follow, a no for all before and after.
    with VoteStore.open(None) as store:
        fill(store, NOW, n_prompts=12, n_models=4)
        store.catalogue.set_rules(ASKING, None, NOW)
        here, voters = booth(store, NOW), [voter() for _ in range(3)]
        agreeing, votes = {}, []
        for number, act in acts:
            if act == "vote":
                cast(here, voters[number])
                votes.append([number, bool(agreeing.get(number)), True])
            else:
                say(here, voters[number], act == "yes")
                agreeing[number] = act == "yes"
                if act == "no":
                    for vote in votes:
                        vote[2] &= vote[0] != number
        expected = [agreed and held for _, agreed, held in votes]
        cast_votes = [vote for pair in store.casts.pairs(store.log.position()[0]) for vote in pair.votes]
        told = {v.opinion.vote_id: v.kept_back is None and v.opinion.consent_version is not None for v in cast_votes}
        with store._database.read() as cursor:
            ids = [each for (each,) in cursor.execute("select vote_id from votes order by seq").fetchall()]
        assert [told[each] for each in ids] == expected
        assert sum(store.consents.n_votes(each) for each in voters) == sum(expected)


# ---- exports ----


def test_a_push_with_consent_for_every_vote_goes_and_takes_its_licence(arena: VoteStore, tmp_path: Path):
    here, voters = booth(arena, NOW), [voter() for _ in range(6)]
    for each in voters:
        say(here, each, True)
    cast(here, *voters, n=3)
    manifest = exported(arena, tmp_path / "out")
    rights = manifest["rights"]
    assert rights["license"] == "cc-by-4.0"
    assert (rights["consents"], rights["purposes"]) == ({"1": 18}, {"both": 18})
    assert rights["consent_licenses"] == {"1": "cc-by-4.0"}
    assert manifest["formats"]["raw_votes"]["kept"] == 18
    assert Push.of(tmp_path / "out", "lab/votes", is_public=True).missing == ()
    assert "license: cc-by-4.0" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_votes_without_it_are_left_out_and_counted_by_reason_and_the_rest_is_public(arena: VoteStore, tmp_path: Path):
    here = booth(arena, NOW)
    agreeing, refusing, changing, silent = (voter() for _ in range(4))
    cast(here, agreeing)  # before it was asked
    say(here, agreeing, True)
    say(here, refusing, False)
    say(here, changing, True)
    cast(here, agreeing, refusing, changing, silent, n=3)
    say(here, changing, False)
    manifest = exported(arena, tmp_path / "out")
    told = manifest["formats"]["raw_votes"]
    assert told["left_out"] == {NO_CONSENT: 1 + 3, REFUSED: 3, TAKEN_BACK: 3}
    assert (told["kept"], manifest["n_votes"]) == (3, 13)
    assert {row["consent_version"] for row in rows_in(tmp_path / "out", "raw_votes")} == {"1"}
    assert len({row["voter"] for row in rows_in(tmp_path / "out", "raw_votes")}) == 1
    assert Push.of(tmp_path / "out", "lab/votes", is_public=True).missing == ()


def test_what_is_said_to_be_usable_is_what_an_export_takes(arena: VoteStore, tmp_path: Path):
    here = booth(arena, NOW)
    agreeing, refusing, silent = (voter() for _ in range(3))
    say(here, agreeing, True)
    say(here, refusing, False)
    cast(here, agreeing, refusing, silent, n=2)
    order = Order(is_forced=True)
    told = export(arena, tmp_path / "out", order=order).manifest["formats"]["preference"]
    usable = rehearse(arena, sources=[Source.HUMAN], up_to=arena.log.position()[0]).account.of("preference")
    assert usable == {"kept": told["kept"], "left_out": told["left_out"]}
    assert told["kept"] == 2


def test_it_steers_exports_alone_and_no_board(arena: VoteStore):
    here, voters = booth(arena, NOW), [voter() for _ in range(8)]
    cast(here, *voters, n=3)
    before = rate_log(arena)
    for each in voters:
        say(here, each, False)
    after = rate_log(arena)
    assert after.board.entries == before.board.entries
    assert arena.votes.n_standing() == 24


def test_an_increment_names_the_pairs_of_a_consent_that_was_taken_back(arena: VoteStore, tmp_path: Path):
    here, me, other = booth(arena, NOW), voter(), voter()
    for each in (me, other):
        say(here, each, True)
    cast(here, me, n=3)
    cast(here, other, n=2)
    first = exported(arena, tmp_path / "first")
    mine = {row["pair_id"] for row in rows_in(tmp_path / "first", "raw_votes")}
    say(here, me, False)
    second = exported(arena, tmp_path / "second", order=Order(since=first))
    replaced = (tmp_path / "second" / "replaced.jsonl").read_text(encoding="utf-8")
    gone = {row["pair_id"] for row in rows_in(tmp_path / "first", "raw_votes") if row["pair_id"] in replaced}
    assert gone
    assert gone <= mine
    assert second["formats"]["raw_votes"]["left_out"][TAKEN_BACK] == 3


def test_a_no_keeps_votes_back_in_an_arena_that_has_ceased_to_ask(arena: VoteStore, tmp_path: Path):
    here, refusing, silent = booth(arena, NOW), voter(), voter()
    say(here, refusing, False)
    cast(here, refusing, silent, n=2)
    arena.catalogue.set_rules("", None, NOW)
    told = exported(arena, tmp_path / "out")["formats"]["raw_votes"]
    assert (told["left_out"], told["kept"]) == ({REFUSED: 2}, 2)


def test_a_licence_other_than_the_one_agreed_to_cannot_be_public(arena: VoteStore, tmp_path: Path):
    here, me = booth(arena, NOW), voter()
    say(here, me, True)
    cast(here, me, n=3)
    exported(arena, tmp_path / "out", order=Order(licence="mit"))
    with pytest.raises(
        BadInput, match="its licence is mit, and voters who agreed to version 1 of the consent agreed to"
    ):
        Push.of(tmp_path / "out", "lab/votes", is_public=True)
    arena.catalogue.set_rules(SECOND, None, NOW)
    here = booth(arena, NOW)
    say(here, me, True, "2")
    cast(here, me, n=3)
    rights = exported(arena, tmp_path / "both")["rights"]
    assert (rights["license"], rights["consent_licenses"]) == (None, {"1": "cc-by-4.0", "2": "cc0-1.0"})


# ---- the log ----


def test_the_log_with_consents_is_whole_and_names_what_was_changed(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    say(here, me, False)
    cast(here, me)
    say(here, me, True)
    cast(here, me)
    assert arena.log.broken_links() == []
    for change, back, seqs in (
        (
            "update consents set is_given = true where seq = 1",
            "update consents set is_given = false where seq = 1",
            [1],
        ),
        ("update consents set version = '2' where seq = 3", "update consents set version = '1' where seq = 3", [3]),
        (
            "update votes set consent_version = '1' where seq = 2",
            "update votes set consent_version = null where seq = 2",
            [2],
        ),
        ("update consent_terms set text = 'No?'", "update consent_terms set text = 'May we publish them?'", [1, 3]),
        ("update consent_terms set license = 'mit'", "update consent_terms set license = 'cc-by-4.0'", [1, 3]),
    ):
        with arena._database.write() as cursor:
            cursor.execute(change)
        assert [link.seq for link in arena.log.broken_links()] == seqs, change
        with arena._database.write() as cursor:
            cursor.execute(back)
    assert arena.log.broken_links() == []
    with arena._database.write() as cursor:
        cursor.execute("delete from consents where seq = 3")
    assert [link.seq for link in arena.log.broken_links()] == [3]


def test_terms_that_were_replaced_with_their_digest_are_found(arena: VoteStore):
    here, me = booth(arena, NOW), voter()
    say(here, me, True)
    other = parse_rules(ASKING.replace("them", "all of it")).consent
    assert other is not None
    with arena._database.write() as cursor:
        cursor.execute("update consent_terms set text = ?, digest = ?", [other.text, other.digest])
    assert [link.seq for link in arena.log.broken_links()] == [1]


def test_consents_survive_a_restart_a_copy_and_a_withdrawal_of_all_votes(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    me = voter()
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=6)
        store.catalogue.set_rules(ASKING, None, NOW)
        here = booth(store, NOW)
        say(here, me, True)
        cast(here, me)
        here.withdraw_all(me, NOW + timedelta(minutes=1))
        store.copy_to(tmp_path / "copy.duckdb")
    for file in (path, tmp_path / "copy.duckdb"):
        with VoteStore.open(file) as store:
            here = booth(store, NOW)
            assert here.consent_of(me) == Consent(me, "1", True, NOW)
            assert store.log.broken_links() == []
            cast(here, me)
            assert stored(store)[-1] == ("1", "both")
            assert store.consents.n_votes(me) == 1


def test_votes_of_elsewhere_keep_their_own_consent(arena: VoteStore, tmp_path: Path):
    from dataset_world import Said, World  # noqa: PLC0415

    World(arena).vote(Said(1, consent="theirs"), Said(2, consent=None))
    told = exported(arena, tmp_path / "out", sources=(Source.HUMAN,))
    assert told["rights"]["consents"] == {"theirs": 1}
    assert told["rights"]["consent_licenses"] == {}
    assert Counter(told["formats"]["raw_votes"]["left_out"]) == {NO_CONSENT: 1}


def test_terms_of_elsewhere_with_the_same_version_give_the_dataset_no_licence(arena: VoteStore, tmp_path: Path):
    from dataset_world import Said, World  # noqa: PLC0415

    here, me = booth(arena, NOW), voter()
    say(here, me, is_given=True)
    cast(here, me)
    World(arena).vote(Said(1, consent="1"))  # nobody knows what these terms were
    with arena._database.write() as cursor:
        cursor.execute("update battles set batch = 'votes.csv' where battle_id not in (select battle_id from ballots)")
    told = exported(arena, tmp_path / "out", sources=(Source.HUMAN,))
    assert told["rights"]["consents"] == {"1": 2}
    assert told["rights"]["license"] is None


@pytest.mark.parametrize("source", [Source.AI_JUDGE, Source.RULE, Source.SIMULATED, Source.IMPORT])
def test_nobody_is_asked_for_the_votes_of_a_judge_and_people_elsewhere_are_not_passed_over(
    arena: VoteStore, tmp_path: Path, source: Source
):
    from dataset_world import Said, World  # noqa: PLC0415

    World(arena).vote(Said(1, consent=None), Said(2, consent=None))
    with arena._database.write() as cursor:
        cursor.execute("update votes set source = ?", [source.value])
    told = exported(arena, tmp_path / "out", sources=(source,))["formats"]["raw_votes"]
    if source is Source.IMPORT:
        assert (told["kept"], Counter(told["left_out"])) == (0, {NO_CONSENT: 2})
        return
    assert (told["kept"], told["left_out"]) == (2, {})
    # They say nothing of what they may be used for, so they are not given away without a word.
    lacking = Push.of(tmp_path / "out", "lab/votes", is_public=False).missing
    assert any("do not say what their voters agreed to" in each for each in lacking)
    assert exported(arena, tmp_path / "people", sources=(Source.HUMAN,))["formats"]["raw_votes"]["kept"] == 0


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC0-1.0", "CC0-1.0"),
        ("odbl-1.0", "ODbL-1.0"),
        ("our own terms", None),
        ("cc-by-4.0 or later", None),
        ("../../evil", None),
    ],
)
def test_a_licence_that_spdx_knows_has_a_page_and_others_are_words(name: str, page: str | None):
    assert licence_page(name) == (page and f"https://spdx.org/licenses/{page}.html")


def test_how_many_agreed_is_counted_by_what_each_said_last_and_as_of_an_act(arena: VoteStore):
    here = booth(arena, NOW)
    one, two, three = (voter() for _ in range(3))
    for me, is_given in ((one, True), (two, True), (three, False), (two, False)):
        say(here, me, is_given)
    n_log, _ = arena.log.position()
    assert arena.consents.counts(n_log) == (ConsentCount("1", "cc-by-4.0", 1, 2),)
    assert arena.consents.counts(n_log - 1) == (ConsentCount("1", "cc-by-4.0", 2, 1),)
    arena.catalogue.set_rules(SECOND, None, NOW + timedelta(days=1))
    here = booth(arena, NOW)
    say(here, one, True, "2")
    say(here, voter(), True, "2")
    # The second version has its own terms, and of a voter the last word counts.
    expected = (ConsentCount("1", "cc-by-4.0", 0, 2), ConsentCount("2", "cc0-1.0", 2, 0))
    assert arena.consents.counts(arena.log.position()[0]) == expected
    assert arena.consents.counts(0) == ()
