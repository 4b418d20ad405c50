"""The dataset folder: what it holds adds up, repeats byte by byte, is whole or not there, and grows by increments."""

import hashlib
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from arena import shards, table
from arena.battle import Adjudication, KnownVerdict, PromptId, Verdict, VoterId, Withdrawal
from arena.battle import VoteId as Id
from arena.dataset.folder import check_files
from arena.dataset.readiness import GOLD_NEEDED, Band, Readiness
from arena.dataset.split import NEAR_GOLD, SplitRule
from arena.errors import BadInput
from arena.export import UNCHANGED, Order, export
from arena.preferences.choices import Choices
from arena.store import VoteStore
from dataset_world import NOW, SECRET, Said, World, bytes_in, manifest_in, rows_in, sorted_rows, union

HALF = Order(split=SplitRule(Fraction(1, 2)))
ALL = ("preference", "raw_votes", "unpaired", "ranked", "rewardbench2")


@pytest.fixture
def world(store: VoteStore) -> World:
    """40 prompts with two pairs each; of every fifth prompt one pair is a tie."""
    world = World(store)
    votes = []
    for number in range(40):
        tie = Verdict.TIE if number % 5 == 0 else Verdict.B
        votes += [Said(number), Said(number, voter="voter-2"), Said(number, "eve", "bob", tie, voter="voter-3")]
    world.vote(*votes)
    return world


def test_the_cards_numbers_are_those_of_the_files(world: World, tmp_path: Path):
    export(world.store, tmp_path / "out", names=ALL, order=HALF, secret=SECRET)
    folder, manifest = tmp_path / "out", manifest_in(tmp_path / "out")
    card = (folder / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---\n")[1])
    for config in front["configs"]:
        name = config["config_name"]
        for each in config["data_files"]:
            rows = rows_in(folder, name, each["split"])
            assert rows, "a split without rows is not named"
            assert f"| `{name}` | {each['split']} | {len(rows):,} |" in card
            assert manifest["formats"][name]["splits"][each["split"]] == len(rows)
            assert list(folder.glob(each["path"]))
    assert [each["config_name"] for each in front["configs"] if each.get("default")] == ["preference"]
    preferences = rows_in(folder, "preference")
    # 40 pairs of ada and bob, and the 32 of eve and bob that are no tie.
    assert len(preferences) == 72
    assert f"- {len(preferences):,} usable pairs: {Band.TOO_FEW.value}; {500 - 72:,} more for the next band" in card
    assert f"from {120:,} votes" in card
    assert f"| tie | {sum(row['verdict'] == 'tie' for row in rows_in(folder, 'raw_votes'))} |" in card
    assert f"{len({row['voter'] for row in rows_in(folder, 'raw_votes')}):,} voters" in card
    by_split = {
        split: {row["prompt_id"] for row in rows_in(folder, "preference", split)} for split in ("train", "test")
    }
    assert f"{len(by_split['train']):,} prompts are in train, {len(by_split['test']):,} in test" in card
    assert not by_split["train"] & by_split["test"]
    for model in ("ada", "bob", "eve"):
        n = len({row["pair_id"] for row in rows_in(folder, "raw_votes") if model in (row["model_a"], row["model_b"])})
        assert re.search(rf"\| `{model}` \| {model.title()} \| {n} \|", card)
    assert f"- {manifest['agreement']['gate']['reason']}\n" in card.split("## Files")[0]
    assert re.search(r"\| Krippendorff's alpha, nominal \| -?\d\.\d{3}", card)
    assert "krippendorff_" not in card
    assert "not known |" not in card.split("## Agreement of voters")[1].split("## ")[0]


def test_kept_and_left_out_are_all_votes_in_every_format(world: World, tmp_path: Path):
    done = export(world.store, tmp_path / "out", names=ALL, order=HALF, secret=SECRET)
    for name, told in done.manifest["formats"].items():
        assert told["kept"] + sum(told["left_out"].values()) == done.manifest["n_votes"] == 120, name


def test_a_report_of_biases_stands_in_the_card(world: World, tmp_path: Path):
    order = Order(bias={"side": {"value": 0.61234, "low": None}, "rows": [{"side": "A", "share": 0.5}]})
    export(world.store, tmp_path / "out", order=order)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| side, value | 0.6123 |\n| side, low | not known |" in card
    assert "| rows, 1, side | A |\n| rows, 1, share | 0.5 |" in card


def test_the_manifest_names_every_file_and_its_bytes(world: World, tmp_path: Path):
    done = export(world.store, tmp_path / "out", names=ALL, secret=SECRET)
    found = bytes_in(tmp_path / "out")
    del found["manifest.json"]
    told = {name: (each["sha256"], each["bytes"]) for name, each in done.manifest["files"].items()}
    assert told == {name: (hashlib.sha256(text).hexdigest(), len(text)) for name, text in found.items()}
    assert done.manifest["watermark"] == dict(zip(("n_log", "log_hash"), world.store.log.position(), strict=True))
    check_files(tmp_path / "out", done.manifest)


def test_an_export_that_is_repeated_has_the_same_bytes_and_voters_have_other_names_in_another(
    world: World, tmp_path: Path
):
    names = ("raw_votes",)
    for name in ("one", "two", "two"):
        export(world.store, tmp_path / name, names=names, secret=SECRET)
    assert bytes_in(tmp_path / "one") == bytes_in(tmp_path / "two")
    world.vote(Said(7))
    export(world.store, tmp_path / "later", names=names, secret=SECRET)
    export(world.store, tmp_path / "keyed", names=names, secret=SECRET, key=b"a key that is kept")
    voters = [{row["voter"] for row in rows_in(tmp_path / each, "raw_votes")} for each in ("one", "later", "keyed")]
    assert list(map(len, voters)) == [3, 3, 3]
    assert len(set.union(*voters)) == 9
    assert not {"voter-1", "voter-2", "voter-3"} & set.union(*voters)
    world.vote(Said(8))
    export(world.store, tmp_path / "keyed later", names=names, secret=SECRET, key=b"a key that is kept")
    assert {row["voter"] for row in rows_in(tmp_path / "keyed later", "raw_votes")} == voters[2]


def test_shards_have_a_bounded_size_and_hold_the_rows_in_order(world: World, tmp_path: Path):
    whole, many = (
        export(world.store, tmp_path / name, order=Order(most_bytes=most)).manifest
        for name, most in (("whole", shards.MOST_BYTES), ("many", 2_000))
    )
    files = sorted((tmp_path / "many" / "preference").glob("train-*"))
    n = len(files)
    assert n > 5
    assert [file.name for file in files] == [f"train-{number:05d}-of-{n:05d}.parquet" for number in range(n)]
    assert rows_in(tmp_path / "many", "preference") == rows_in(tmp_path / "whole", "preference")
    assert whole["formats"] == many["formats"]
    n_rows = sum(each["rows"] for name, each in many["files"].items() if "train-" in name)
    assert n_rows == len(rows_in(tmp_path / "whole", "preference", "train"))


# Gold


def test_gold_is_apart_and_what_is_near_it_is_nowhere(store: VoteStore, tmp_path: Path):
    long = "What would happen to the tides of the sea if the moon were twice as far away from the earth as it is now"
    world = World(store, {(1, "prompt"): f"{long}?", (2, "prompt"): f"{long}, I wonder?"})
    world.vote(*(Said(number) for number in range(10)))
    gold = PromptId("p0001")
    done = export(store, tmp_path / "out", names=("preference", "raw_votes"), order=Order(gold={gold}))
    assert [row["prompt_id"] for row in rows_in(tmp_path / "out", "gold", "test")] == ["p0001"]
    for name in ("preference", "raw_votes"):
        assert {row["prompt_id"] for row in rows_in(tmp_path / "out", name)}.isdisjoint({"p0001", "p0002"})
    assert done.manifest["formats"]["preference"]["left_out"] == {"in the gold set": 1, NEAR_GOLD: 1}
    assert done.manifest["pairs"]["gold"] == 1
    with pytest.raises(BadInput, match="p9999"):
        export(store, tmp_path / "other", order=Order(gold={PromptId("p9999")}))


@pytest.mark.parametrize(
    ("n", "band", "missing"),
    [
        (0, Band.TOO_FEW, 500),
        (499, Band.TOO_FEW, 1),
        (500, Band.NARROW, 4_500),
        (4_999, Band.NARROW, 1),
        (5_000, Band.GENERAL, 45_000),
        (49_999, Band.GENERAL, 1),
        (50_000, Band.FRONTIER, None),
    ],
)
def test_readiness_changes_exactly_at_its_thresholds(n: int, band: Band, missing: int | None):
    assert (Readiness(n, 0).band, Readiness(n, 0).missing) == (band, missing)


def test_a_gold_set_is_large_enough_from_500_pairs_on():
    assert [Readiness(0, n).has_gold for n in (0, 499, GOLD_NEEDED, 501)] == [False, False, True, True]


# Increments


def changed(world: World) -> None:
    """New prompts, more votes on old pairs, a pair that turns around, and a vote that is withdrawn."""
    world.vote(Said(100), Said(101), Said(3, voter="voter-4"), Said(4, "ada", "eve", Verdict.B, voter="voter-5"))
    world.vote(*(Said(6, verdict=Verdict.B, voter=f"other-{number}") for number in range(5)))
    world.store.votes.withdraw(Withdrawal(Id("vote-000031"), VoterId("voter-1"), NOW))
    world.store.votes.withdraw(Withdrawal(Id("vote-000032"), VoterId("voter-2"), NOW))


@pytest.mark.parametrize(
    ("config", "key"), [("preference", "pair_id"), ("raw_votes", "pair_id"), ("ranked", "prompt_id")]
)
def test_an_export_and_its_increments_are_together_the_whole_export(
    world: World, tmp_path: Path, config: str, key: str
):
    def made(name: str, order: Order) -> dict[str, Any]:
        return export(world.store, tmp_path / name, names=(config,), order=order, key=b"a key that is kept").manifest

    first = made("first", HALF)
    changed(world)
    second = made("second", _since(first))
    world.vote(Said(3, voter="voter-9"), Said(102, verdict=Verdict.TIE))
    third = made("third", _since(second))
    made("whole", HALF)
    rows = rows_in(tmp_path / "first", config)
    for name in ("second", "third"):
        rows = union(rows, tmp_path / name, config, key)
    assert sorted_rows(rows) == sorted_rows(rows_in(tmp_path / "whole", config))
    # prompts 3, 4, 6, 10 (where the withdrawn votes are), 100 and 101; then 3 and 102
    assert {row["prompt_id"] for row in rows_in(tmp_path / "second", config)} <= {
        *("p0003", "p0004", "p0006", "p0010", "p0100", "p0101")
    }
    for manifest in (second, third):
        account = manifest["formats"][config]
        assert account["kept"] + sum(account["left_out"].values()) == manifest["n_votes"]
        assert account["left_out"][UNCHANGED] > 50


def _since(manifest: dict[str, Any]) -> Order:
    return Order(split=HALF.split, since=manifest)


def test_an_increment_of_nothing_new_has_no_rows(world: World, tmp_path: Path):
    first = export(world.store, tmp_path / "first", order=HALF, secret=SECRET, key=b"a key that is kept").manifest
    export(world.store, tmp_path / "more", order=_since(first), secret=SECRET, key=b"a key that is kept")
    assert sorted(bytes_in(tmp_path / "more")) == ["README.md", "manifest.json", "replaced.jsonl"]
    assert (tmp_path / "more" / "replaced.jsonl").read_bytes() == b""


def test_an_increment_of_another_log_or_of_other_choices_is_refused(world: World, tmp_path: Path):
    first = export(world.store, tmp_path / "first", order=HALF).manifest
    with pytest.raises(BadInput, match="split was"):
        export(world.store, tmp_path / "more", order=Order(since=first))
    with pytest.raises(BadInput, match="choices was"):
        export(world.store, tmp_path / "more", order=_since(first), choices=Choices(min_agreement=Fraction(1)))
    names = ("rewardbench2",)
    told = export(world.store, tmp_path / "other", names=names, order=HALF).manifest
    with pytest.raises(BadInput, match="names neither pairs nor prompts"):
        export(world.store, tmp_path / "more", names=names, order=_since(told))
    with VoteStore.open(None) as other:
        World(other).vote(Said(1))
        with pytest.raises(BadInput, match="another log"):
            export(other, tmp_path / "more", order=_since(first))
    assert not (tmp_path / "more").exists()


# The folder


def test_an_export_that_dies_leaves_the_earlier_one_and_nothing_that_looks_complete(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out"
    export(world.store, out)
    before = bytes_in(out)
    world.vote(Said(50))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("arena.export.write_manifest", dies)
    for place in (out, tmp_path / "new"):
        with pytest.raises(KeyboardInterrupt):
            export(world.store, place)
    monkeypatch.undo()
    assert bytes_in(out) == before
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.rglob("*.part/manifest.json"))
    export(world.store, out)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_a_killed_export_left_is_cleared_and_the_earlier_one_put_back(world: World, tmp_path: Path):
    out = tmp_path / "out"
    export(world.store, out)
    before = bytes_in(out)
    out.rename(tmp_path / ".out.earlier")  # killed between the two renames
    (tmp_path / ".out.part" / "preference").mkdir(parents=True)
    export(world.store, out)
    assert bytes_in(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_other_files_or_an_edited_card_is_left_as_it_is(world: World, tmp_path: Path):
    export(world.store, tmp_path / "out")
    card = tmp_path / "out" / "README.md"
    card.write_text(card.read_text(encoding="utf-8") + "\nWith thanks to our voters.\n", encoding="utf-8")
    with pytest.raises(BadInput, match="was edited"):
        export(world.store, tmp_path / "out")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match=r"thesis\.tex"):
        export(world.store, tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["thesis.tex"]
    assert card.read_text(encoding="utf-8").endswith("voters.\n")


def test_the_folder_loads_as_the_hub_loads_it(world: World, tmp_path: Path):
    load = pytest.importorskip("datasets", reason="the library `datasets` is not installed")
    if not hasattr(load, "load_dataset"):
        pytest.skip("the library `datasets` is not installed")
    export(world.store, tmp_path / "out", names=("preference", "raw_votes"), order=HALF, secret=SECRET)
    folder = str(tmp_path / "out")
    assert load.get_dataset_config_names(folder) == ["preference", "raw_votes"]
    rows = load.load_dataset(folder, "preference", cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows[split]) for split in rows} == manifest_in(tmp_path / "out")["formats"]["preference"][
        "splits"
    ]


def test_parquet_is_compressed_by_zstd_and_has_the_declared_columns(world: World, tmp_path: Path):
    from arena.preferences.formats import formats  # noqa: PLC0415

    export(world.store, tmp_path / "out", names=ALL)
    for name in ("preference", "raw_votes", "ranked"):
        file, *_ = sorted((tmp_path / "out" / name).glob("*.parquet"))
        assert table.columns_of(file) == tuple(formats()[name].schema)
        with table.opened(file) as (cursor, _, _):
            rows = cursor.execute("select distinct compression from parquet_metadata(?)", [str(file)]).fetchall()
        assert rows == [("ZSTD",)]


def test_a_manifest_is_plain_json(world: World, tmp_path: Path):
    text = (export(world.store, tmp_path / "out").files[0].parent / "manifest.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=pytest.fail)


def divided(world: World, n_alike: int) -> None:
    """Two voters on 20 pairs of answers: so many times they say the same, half A and half B, else the opposite."""
    for number in range(100, 120):
        first = (Verdict.A, Verdict.B)[number % 2]
        second = first if number < 100 + n_alike else first.swapped
        world.vote(Said(number, verdict=first), Said(number, verdict=second, voter="voter-2"))


def test_what_voters_do_not_agree_on_is_exported_by_force_alone_and_the_card_says_so(store: VoteStore, tmp_path: Path):
    # 12 of 20 pairs alike is 0.6, and chance alone gives about a half: alpha is about 1 - 0.4 / 0.5 = 0.2.
    divided(World(store), 12)
    out = tmp_path / "out"
    with pytest.raises(BadInput, match=r"alpha is 0\.\d+ on 20 pairs of answers .*below 0\.4.*--force"):
        export(store, out, secret=SECRET)
    assert not out.exists()
    export(store, out, order=Order(is_forced=True), secret=SECRET)
    assert manifest_in(out)["agreement"]["gate"]["outcome"] == "forced"
    assert "it goes ahead because the host said so" in (out / "README.md").read_text(encoding="utf-8")


def test_what_voters_agree_on_well_enough_needs_no_force(store: VoteStore, tmp_path: Path):
    divided(World(store), 18)  # alpha is about 1 - 0.1 / 0.5 = 0.8
    export(store, tmp_path / "out", secret=SECRET)
    assert manifest_in(tmp_path / "out")["agreement"]["gate"]["outcome"] == "passed"


def test_agreement_that_nobody_could_measure_is_told_as_such(store: VoteStore, tmp_path: Path):
    World(store).vote(*(Said(number) for number in range(20)))
    export(store, tmp_path / "out", secret=SECRET)
    assert manifest_in(tmp_path / "out")["agreement"]["gate"]["outcome"] == "not measurable"
    assert "agreement between voters is not known" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_prompt_on_which_the_verdict_is_known_is_in_the_gold_set_and_never_in_train(world: World, tmp_path: Path):
    by_pack, by_host = (world.answer(number, "ada") for number in (3, 4))
    others = [world.answer(number, "bob") for number in (3, 4)]
    known = KnownVerdict(by_pack.prompt_id, by_pack.id, others[0].id, Verdict.A, "As the manual has it.")
    world.store.gold.add([known], NOW)
    act = Adjudication(
        by_host.prompt_id, by_host.id, others[1].id, Verdict.A, "The other one is wrong.", "the host", NOW
    )
    assert world.store.gold.adjudicate(act)
    export(world.store, tmp_path / "out", secret=SECRET)
    gold = {row["prompt_id"] for row in rows_in(tmp_path / "out", "gold")}
    assert gold == {by_pack.prompt_id, by_host.prompt_id}
    assert not gold & {row["prompt_id"] for row in rows_in(tmp_path / "out", "preference")}
