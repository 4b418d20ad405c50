"""`bakeoff push`: what goes, to whom, and what does not go. The Hub is a stand-in on this machine."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.export import Order, export
from arena.store import VoteStore
from command import Said as Told
from command import bakeoff, error_of
from dataset_world import SECRET, Said, World, bytes_in
from fake_hub import TOKEN, FakeHub, fake_hub

REPO = "lab/votes"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    for name in [name for name in os.environ if name.startswith(("HF_", "BAKEOFF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with fake_hub() as hub:
        monkeypatch.setenv("BAKEOFF_HUB_ENDPOINT", hub.url)
        monkeypatch.setenv("BAKEOFF_HUB_TOKEN", TOKEN)
        yield hub


@pytest.fixture
def folder(store: VoteStore, tmp_path: Path) -> Path:
    world = World(store)
    world.vote(*map(Said, range(12)))
    export(store, tmp_path / "out", names=("preference", "raw_votes"), order=Order(licence="cc-by-4.0"), secret=SECRET)
    return tmp_path / "out"


def pushed(folder: Path, *options: str) -> Told:
    return bakeoff("push", folder, "--repo", REPO, *options)


def test_without_send_nothing_goes_and_all_that_would_go_is_listed(hub: FakeHub, folder: Path):
    said = pushed(folder)
    assert said.code == 0
    files = bytes_in(folder)
    n_bytes = sum(map(len, files.values()))
    assert [line.split() for line in said.out.splitlines()[:-1]] == [[f"{len(b):,}", name] for name, b in files.items()]
    assert f"{len(files)} files, {n_bytes:,} bytes would go to the private dataset {REPO}" in said.out
    assert "Nothing was sent" in said.err
    assert (hub.files, hub.tokens) == ({}, set())


def test_a_push_is_one_commit_of_every_file_into_a_private_dataset(hub: FakeHub, folder: Path):
    said = pushed(folder, "--send")
    assert said.code == 0, said
    assert hub.private == {REPO: True}
    assert hub.commits == ["12 votes, up to act 12 of the log"]
    assert {name: text for name, text in hub.files[REPO].items() if name != ".gitattributes"} == bytes_in(folder)
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert f"{hub.url}/datasets/{REPO}/commit/1" in said.out
    assert TOKEN not in said.out + said.err


def test_files_of_an_earlier_version_go_with_the_same_commit_and_others_stay(hub: FakeHub, folder: Path):
    hub.private[REPO] = True
    hub.files[REPO] = {"preference/train-00001-of-00002.parquet": b"old", "LICENSE": b"theirs"}
    assert pushed(folder, "--send").code == 0
    assert hub.files[REPO].keys() == bytes_in(folder).keys() | {"LICENSE"}
    assert len(hub.commits) == 1


def test_a_public_dataset_with_all_rights_goes(hub: FakeHub, folder: Path):
    assert pushed(folder, "--public", "--send").code == 0
    assert hub.private == {REPO: False}


def test_a_public_dataset_is_refused_where_rights_are_missing_and_each_is_named(
    hub: FakeHub, store: VoteStore, tmp_path: Path
):
    from arena.battle import Model, ModelId  # noqa: PLC0415
    from dataset_world import NOW  # noqa: PLC0415

    world = World(store)
    world.vote(Said(1), Said(2, consent=None), Said(3, purpose=None))
    store.catalogue.add_models([Model(ModelId("bob"), "Bob")], NOW)
    export(store, tmp_path / "out")
    for options in ((), ("--send",)):
        line = error_of(pushed(tmp_path / "out", "--public", *options))
        for lack in (
            "the dataset has no licence",
            "1 of the votes do not say what their voters agreed to",
            "1 of the votes do not say what they may be used for",
            "no licence of the answers of bob",
        ):
            assert lack in line
    assert hub.files == {}
    assert pushed(tmp_path / "out", "--send").code == 0, "a private one goes"


def test_what_is_meant_to_be_private_does_not_go_into_a_public_dataset(hub: FakeHub, folder: Path):
    hub.private[REPO], hub.files[REPO] = False, {}
    assert "is public" in error_of_send(folder)
    assert hub.files[REPO] == {}


def error_of_send(folder: Path) -> str:
    said = pushed(folder, "--send")
    assert said.code == 1
    assert TOKEN not in said.out + said.err
    return said.err


def test_a_folder_that_is_not_as_it_was_exported_is_refused(hub: FakeHub, folder: Path):
    extra = folder / "notes.txt"
    extra.write_text("call Jane")
    assert "notes.txt" in error_of(pushed(folder))
    extra.unlink()
    (folder / "README.md").write_text("another card")
    assert "README.md is not what was exported" in error_of(pushed(folder))
    (folder / "README.md").unlink()
    assert "lacks files" in error_of(pushed(folder))
    assert "holds no export" in error_of(pushed(folder.parent / "nowhere"))
    assert hub.files == {}


def test_without_a_token_nothing_goes_and_hf_token_is_one(hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BAKEOFF_HUB_TOKEN")
    assert "BAKEOFF_HUB_TOKEN" in error_of_send(folder)
    assert hub.tokens == set()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert pushed(folder, "--send").code == 0


def test_what_the_hub_says_is_passed_on_and_nothing_is_claimed(hub: FakeHub, folder: Path):
    hub.refuses_commits = True
    said = error_of_send(folder)
    assert "did not take lab/votes (403): You have no right to write here. Nothing was committed" in said
    assert hub.commits == []


def test_a_hub_that_is_not_there_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("BAKEOFF_HUB_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("BAKEOFF_HUB_TOKEN", TOKEN)
    assert f"http://127.0.0.1:{port} cannot be reached" in error_of_send(folder)


def test_a_token_is_not_sent_in_the_clear_and_a_bad_name_is_refused(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("votes", "lab/votes/x", "/votes"):
        assert "ORGANIZATION/NAME" in error_of(bakeoff("push", folder, "--repo", name))
    monkeypatch.setenv("BAKEOFF_HUB_ENDPOINT", "http://hub.example.org")
    assert "https only" in error_of(pushed(folder, "--send"))
    assert hub.tokens == set()


def test_an_arenas_own_votes_go_public_with_the_consent_of_their_voters_and_no_others(hub: FakeHub, tmp_path: Path):
    from arena.battle import Verdict  # noqa: PLC0415
    from arenas import booth, fill, voter  # noqa: PLC0415
    from dataset_world import NOW, rows_in  # noqa: PLC0415

    database = tmp_path / "arena.duckdb"
    with VoteStore.open(database) as store:
        fill(store, NOW, n_prompts=6)
        with store._database.write() as cursor:
            cursor.execute("update prompts set license = 'CC0-1.0'")
            cursor.execute("update models set license = 'MIT'")
        asking = '[consent]\nversion = "1"\nlicense = "cc-by-4.0"\npurpose = "train"\ntext = "May we?"\n'
        store.catalogue.set_rules(asking, None, NOW)
        here = booth(store, NOW)
        for number in range(6):
            me = voter()
            if number % 3:
                here.say(me, "1", is_given=number % 3 == 1, now=NOW)
            for _ in range(2):
                ballot = here.open(me, NOW)
                here.cast(ballot.id, Verdict.A if ballot.answer_a < ballot.answer_b else Verdict.B, me, NOW)
    out = tmp_path / "out"
    said = bakeoff("export", "--db", database, "--format", "raw_votes", "--out", out)
    assert said.code == 0, said
    assert "12 votes: 4 kept in 4 rows, 8 left out" in said.out
    reasons = [line.split(None, 1) for line in said.out.splitlines() if "consent" in line]
    assert reasons == [["4", "consent refused"], ["4", "no consent is known"]]
    assert {row["consent_version"] for row in rows_in(out, "raw_votes")} == {"1"}
    sent = pushed(out, "--public", "--send")
    assert sent.code == 0, sent
    assert hub.private == {REPO: False}
    assert b"license: cc-by-4.0" in hub.files[REPO]["README.md"]
