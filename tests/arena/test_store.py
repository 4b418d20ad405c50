"""The store on real files: what was acknowledged is there, and what is wrong with a file is said."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from arena.battle import Battle, BattleId, Message, Model, ModelId, Prompt, PromptId, Source, Verdict, Vote, VoteId
from arena.errors import BadInput, DatabaseInUse, DatabaseTooNew, DatabaseUnavailable, KeyTaken, NotADatabase
from arena.guideline import Guideline
from arena.intake import import_pack
from arena.pack import read_pack, starter_directory
from arena.store import VoteStore
from arenas import KEY, answer, booth, fill
from ground import NOW, ROOT

TEXT_2 = (2, "a text that it was cast on was changed")


def on_texts(key: str, prompt: str) -> tuple[Battle, Vote]:
    """A vote on the two stored answers of m0 and m1 to a prompt of `fill`."""
    battle, vote = imported(key)
    answers = [answer(prompt, model, f"Text of {model} for {prompt}").id for model in ("m0", "m1")]
    return replace(battle, prompt_id=PromptId(prompt), answer_a=answers[0], answer_b=answers[1]), vote


def imported(key: str, verdict: Verdict = Verdict.A) -> tuple[Battle, Vote]:
    battle = Battle(BattleId(key), ModelId("m0"), ModelId("m1"))
    return battle, Vote(VoteId(key), battle.id, verdict, Source.IMPORT, None, None, import_key=key)


def test_everything_is_there_again_after_closing(tmp_path: Path):
    path = tmp_path / "new" / "folder" / "arena.duckdb"
    with VoteStore.open(path) as store:
        fill(store, NOW)
        here, me = booth(store, NOW), KEY.voter_id(KEY.issue())
        assert me is not None
        here.cast(here.open(me, NOW).id, Verdict.A, me, NOW)
        position = store.log.position()
    with VoteStore.open(path) as store:
        assert store.log.position() == position
        assert store.log.broken_links() == []
        assert len(store.catalogue.models()) == 3
        assert store.catalogue.prompts()[PromptId("p0")].messages == (Message("user", "Question 0?"),)


def test_a_file_that_another_process_holds_is_named_with_its_holder(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    hold = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('held', flush=True); sys.stdin.read(); c.close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseInUse, match=rf"in use by process {holder.pid}\. Stop that one first"):
            VoteStore.open(path)
        holder.communicate("")


def test_a_database_from_a_newer_version_is_left_alone(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    VoteStore.open(path).close()
    with duckdb.connect(str(path)) as con:
        con.execute("insert into schema_versions values (99, now())")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew, match=r"has schema version 99 and this program knows versions up to \d+\."):
        VoteStore.open(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes\n" * 1000)
    with pytest.raises(NotADatabase, match="is not a Bakeoff database"):
        VoteStore.open(path)
    assert path.read_text() == "these are my notes\n" * 1000


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path):
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table invoices (n integer)")
    with pytest.raises(NotADatabase, match=r"it holds other tables \(invoices\)"):
        VoteStore.open(path)


def test_a_folder_in_place_of_the_file_is_one_clear_error(tmp_path: Path):
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        VoteStore.open(tmp_path)


def test_the_database_itself_refuses_a_second_vote_on_a_battle(store: VoteStore):
    fill(store, NOW)
    first, second = imported("one"), imported("two")
    assert store.votes.add_imported([first], NOW) == 1
    same_battle = Vote(VoteId("two"), first[0].id, Verdict.B, Source.IMPORT, None, None, import_key="two")
    assert store.votes.add(same_battle, first[0], NOW) is None
    assert store.log.position()[0] == 1
    assert store.votes.add_imported([second], NOW) == 1
    assert store.log.broken_links() == []


def test_imported_rows_are_added_once_however_they_come(store: VoteStore):
    fill(store, NOW)
    assert store.votes.add_imported([imported("x"), imported("y")], NOW) == 2
    assert store.votes.add_imported([imported("y"), imported("z"), imported("x")], NOW) == 1
    assert store.log.position()[0] == 3


def test_an_import_that_fails_half_way_leaves_nothing(store: VoteStore):
    fill(store, NOW)
    battle, vote = imported("x")
    other = Battle(BattleId("x2"), battle.model_a, battle.model_b)
    twice = Vote(VoteId("x"), other.id, Verdict.A, Source.IMPORT, None, None, import_key="x2")
    with pytest.raises(KeyTaken):
        store.votes.add_imported([(battle, vote), (other, twice)], NOW)
    assert store.log.position()[0] == 0
    assert store.votes.add_imported([(battle, vote)], NOW) == 1


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("update votes set verdict = 'B' where seq = 3", (3, "it was changed after it was stored")),
        ("delete from votes where seq = 3", (3, "it was removed")),
        ("update battles set model_a = 'm2' where battle_id = 'k3'", (3, "it was changed after it was stored")),
        (
            "update votes set previous_hash = 'x' where seq = 4",
            (4, "the hash that it holds of the act before it was changed"),
        ),
        (
            "update answers set text = 'x' where answer_id = (select answer_a from battles where battle_id = 'k2')",
            TEXT_2,
        ),
        ("update prompts set messages = [{'role': 'user', 'content': 'x'}] where prompt_id = 'p1'", TEXT_2),
    ],
)
def test_a_vote_that_was_tampered_with_breaks_the_chain_there(tmp_path: Path, tampering: str, fault: tuple[int, str]):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        fill(store, NOW)
        votes = [imported("k1"), on_texts("k2", "p1"), *(imported(f"k{i}") for i in range(3, 6))]
        store.votes.add_imported(votes, NOW)
        assert store.log.broken_links() == []
    with duckdb.connect(str(path)) as con:
        con.execute(tampering)
    with VoteStore.open(path) as store:
        first = store.log.broken_links()[0]
    assert (first.seq, first.fault) == fault


def test_importing_a_pack_again_changes_nothing(store: VoteStore):
    pack = read_pack(starter_directory())
    for expected in ((6, 24, 144), (0, 0, 0)):
        added = (
            store.catalogue.add_models(pack.models, NOW),
            store.catalogue.add_prompts(pack.prompts, NOW),
            store.catalogue.add_answers(pack.answers, NOW),
        )
        assert added == expected


def test_a_new_text_takes_the_place_of_the_old_one_and_may_give_it_back(store: VoteStore):
    fill(store, NOW, n_prompts=1, n_models=2)
    key = (PromptId("p0"), ModelId("m0"))
    old, new = answer("p0", "m0", "Text of m0 for p0"), answer("p0", "m0", "Better")
    assert store.catalogue.add_answers([new], NOW) == 1
    assert store.catalogue.current_answers()[key] == new.id
    assert len(store.catalogue.candidates(NOW)) == 2
    assert store.catalogue.add_answers([old], NOW) == 0
    assert store.catalogue.current_answers()[key] == old.id
    assert store.catalogue.texts([old.id, new.id]) == {old.id: "Text of m0 for p0", new.id: "Better"}


def test_of_two_texts_in_one_import_the_later_is_in_force(store: VoteStore):
    fill(store, NOW, n_prompts=1, n_models=2)
    texts = [answer("p0", "m0", "first"), answer("p0", "m0", "second")]
    assert store.catalogue.add_answers(texts, NOW) == 2
    assert store.catalogue.current_answers()[PromptId("p0"), ModelId("m0")] == texts[1].id


def test_blank_answers_and_retired_models_are_not_served(store: VoteStore):
    fill(store, NOW, n_prompts=1, n_models=4)
    store.catalogue.add_answers([answer("p0", "m1", " \n\t ")], NOW)
    store.catalogue.add_models([Model(ModelId("m2"), "Model 2", retired_at=NOW)], NOW)
    assert {candidate.model_id for candidate in store.catalogue.candidates(NOW)} == {"m0", "m3"}


def test_a_prompt_with_other_messages_under_the_same_id_is_refused(store: VoteStore):
    fill(store, NOW)
    with pytest.raises(BadInput, match="prompt 'p0' is in the database with other messages"):
        store.catalogue.add_prompts([Prompt(PromptId("p0"), (Message("user", "Something else?"),))], NOW)


def test_a_guideline_version_keeps_its_text(store: VoteStore):
    store.catalogue.set_rules("", Guideline("1", "tie", "Judge well.\n"), NOW)
    store.catalogue.set_rules("", Guideline("1", "tie", "Judge well.\n"), NOW)
    with pytest.raises(BadInput, match="guideline version '1' is in the database with another text"):
        store.catalogue.set_rules("", Guideline("1", "tie", "Judge badly.\n"), NOW)
    guideline = store.catalogue.guideline()
    assert guideline is not None
    assert guideline.text == "Judge well.\n"


def test_reading_from_many_threads_never_refuses(store: VoteStore):
    fill(store, NOW)
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(lambda _: len(store.catalogue.models()), range(200)))
    assert results == [3] * 200


def test_closing_leaves_no_page_of_complaints(tmp_path: Path):
    script = (
        "from pathlib import Path\nfrom arena.store import VoteStore\n"
        f"with VoteStore.open(Path({str(tmp_path / 'a.duckdb')!r})) as store: store.catalogue.models()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_what_is_written_together_is_stored_together_or_not_at_all(store: VoteStore):
    fill(store, NOW)

    def write() -> None:
        with store.together():
            store.catalogue.add_models([Model(ModelId("new"), "New")], NOW)
            assert ModelId("new") in store.catalogue.models()  # seen inside
            store.catalogue.add_prompts([Prompt(PromptId("p0"), (Message("user", "Other words"),))], NOW)

    with pytest.raises(BadInput):
        write()
    assert ModelId("new") not in store.catalogue.models()


def test_a_refused_pack_leaves_nothing_of_itself(store: VoteStore):
    pack = read_pack(starter_directory())
    import_pack(store, pack, NOW)
    assert pack.guideline is not None
    changed = replace(
        pack,
        rules_text='title = "Changed"',
        models=(*pack.models, Model(ModelId("new"), "New")),
        guideline=replace(pack.guideline, text="Another text.\n"),
    )
    with pytest.raises(BadInput, match="guideline version"):
        import_pack(store, changed, NOW)
    assert len(store.catalogue.models()) == 6
    assert store.catalogue.rules().title == "Bakeoff"


def test_the_last_rules_are_in_force_whatever_the_clock_says(store: VoteStore):
    store.catalogue.set_rules('title = "First"', None, NOW)
    store.catalogue.set_rules('title = "Second"', None, NOW - timedelta(days=1))
    assert store.catalogue.rules().title == "Second"


def test_the_arena_recovers_by_itself_from_a_disk_that_was_full_at_a_checkpoint(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    script = f"""
import resource, signal, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}, {str(ROOT / "tests" / "arena")!r}]
from pathlib import Path
from arenas import KEY, booth, fill
from ground import NOW
from arena.battle import Verdict
from arena.errors import StoreError
from arena.store import VoteStore
store = VoteStore.open(Path({str(path)!r}))
fill(store, NOW, n_prompts=40, n_models=6)
with store._database.read() as cursor:
    cursor.execute("set global wal_autocheckpoint = '1KB'")
here, me = booth(store, NOW), KEY.voter_id(KEY.issue())
ballots, n_told = [], 0
for _ in range(5):
    ballots.append(here.open(me, NOW))
    here.cast(ballots[-1].id, Verdict.A, me, NOW)
ballot = here.open(me, NOW)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
largest = max(each.stat().st_size for each in Path({str(tmp_path)!r}).iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
for _ in range(3):
    try:
        here.cast(ballot.id, Verdict.A, me, NOW)
        break
    except StoreError:
        n_told += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for _ in range(3):
    try:
        here.cast(ballot.id, Verdict.A, me, NOW)
        break
    except StoreError as error:
        n_told += 1
print(n_told, store.log.position()[0], len(store.log.broken_links()))
store.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    n_told, n_votes, n_broken = map(int, done.stdout.split())
    assert n_told > 0
    assert (n_votes, n_broken) == (6, 0)
    with VoteStore.open(path) as store:
        assert store.log.position()[0] == 6
