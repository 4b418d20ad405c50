"""The export: rows that a trainer takes, one a prompt and pair, and a manifest that accounts for every vote."""

import csv
import hashlib
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from arena import table
from arena.battle import (
    Answer,
    Battle,
    BattleId,
    Message,
    Model,
    ModelId,
    Prompt,
    PromptId,
    Source,
    Verdict,
    Vote,
    VoteId,
)
from arena.errors import BadInput
from arena.export import Export, export
from arena.intake import ForeignTable, Kind, import_table
from arena.pack import answer_id
from arena.store import VoteStore
from arena.voter import VoterKey

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KEY = VoterKey(b"a secret of the tests, 32 bytes.")

TEXTS = {
    "plain": "One.",
    "other": "Two.",
    "odd": 'a\u2028b \x00 \u202e 👩‍🚀 "quotes" \\ \r\n\ttabs',
    "blank": " \n",
}


def fill(store: VoteStore, votes: list[tuple[str, str, str, Verdict, Source]]) -> None:
    """Put the models, the prompts p and q, an answer of each to both, and these votes into the store."""
    store.catalogue.add_models([Model(ModelId(name), name) for name in TEXTS], NOW)
    messages = (Message("system", "Be brief."), Message("user", "Say it.\u2028Now."))
    store.catalogue.add_prompts([Prompt(PromptId(name), messages) for name in "pq"], NOW)
    answers = {
        (prompt, model): Answer(answer_id(prompt, model, text), PromptId(prompt), ModelId(model), text)
        for prompt in "pq"
        for model, text in TEXTS.items()
    }
    store.catalogue.add_answers(answers.values(), NOW)
    rows = []
    for number, (prompt, a, b, verdict, source) in enumerate(votes):
        key = f"vote-{number}"
        ids = answers[prompt, a].id, answers[prompt, b].id
        battle = Battle(BattleId(key), ModelId(a), ModelId(b), PromptId(prompt), *ids)
        rows.append((battle, Vote(VoteId(key), battle.id, verdict, source, None, NOW, import_key=key)))
    store.votes.add_imported(rows, NOW)


def vote(a: str, b: str, verdict: Verdict, prompt: str = "p", source: Source = Source.HUMAN):
    return prompt, a, b, verdict, source


VOTES = [
    vote("plain", "other", Verdict.A),
    vote("other", "plain", Verdict.B),
    vote("plain", "other", Verdict.B),
    vote("plain", "other", Verdict.TIE),
    vote("plain", "odd", Verdict.B),
    vote("plain", "odd", Verdict.BOTH_BAD),
    vote("plain", "blank", Verdict.A),
    vote("plain", "odd", Verdict.A, "q"),
    vote("plain", "odd", Verdict.B, "q"),
    vote("other", "odd", Verdict.A, "q", Source.AI_JUDGE),
]


def rows_of(done: Export, ending: str) -> list[dict[str, Any]]:
    [path] = [file for file in done.files if file.name.endswith(ending)]
    return [row for _, row in table.rows_of(path)]


def json_rows(done: Export) -> list[dict[str, Any]]:
    """The JSON Lines as a program without DuckDB reads them."""
    [path] = [file for file in done.files if file.suffix == ".jsonl"]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_one_row_a_prompt_and_pair_as_the_trainer_takes_it(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    rows = json_rows(export(store, tmp_path / "out"))
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say it.\u2028Now."}]
    # plain over other on p by 2 votes of 3 (one of them cast with the sides exchanged); odd over plain by 1 of 1.
    assert sorted((row["chosen_model"], row["rejected_model"], row["n_votes"], row["agreement"]) for row in rows) == [
        ("odd", "plain", 1, 1.0),
        ("plain", "other", 3, 2 / 3),
    ]
    for row in rows:
        assert list(row)[:3] == ["prompt", "chosen", "rejected"]
        assert row["prompt"] == prompt
        assert row["chosen"] == [{"role": "assistant", "content": TEXTS[row["chosen_model"]]}]
        assert row["rejected"] == [{"role": "assistant", "content": TEXTS[row["rejected_model"]]}]


def test_parquet_and_json_lines_hold_the_same_rows(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    done = export(store, tmp_path / "out")
    assert rows_of(done, ".parquet") == rows_of(done, ".jsonl") == json_rows(done)


def test_the_manifest_accounts_for_every_vote_and_file(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    done = export(store, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == done.manifest
    assert manifest["left_out"] == {
        "an empty answer": 1,
        "both bad": 1,
        "conflict: no strict majority": 2,
        "source ai_judge is not asked for": 1,
        "tie": 1,
    }
    assert (manifest["n_votes"], manifest["n_rows"], manifest["kept"]) == (10, 2, 4)
    assert manifest["kept"] + sum(manifest["left_out"].values()) == manifest["n_votes"]
    assert manifest["log_hash"] == store.log.position()[1]
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


def test_export_twice_gives_the_same_bytes(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    for name in ("one", "two", "two"):
        export(store, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert {path.name for path in (tmp_path / "two").iterdir()} == {path.name for path in (tmp_path / "one").iterdir()}


def test_neither_the_order_of_votes_nor_their_sides_change_the_rows(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    mirrored = [(prompt, b, a, verdict.swapped, source) for prompt, a, b, verdict, source in reversed(VOTES)]
    with VoteStore.open(None) as other:
        fill(other, mirrored)
        export(other, tmp_path / "mirrored")
    export(store, tmp_path / "plain")
    for name in ("preference.jsonl", "preference.parquet"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "mirrored" / name).read_bytes()


def test_a_higher_floor_keeps_less_and_still_adds_up(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    done = export(store, tmp_path / "out", min_agreement=Fraction(3, 4))
    # 2 of 3 is below 3/4, so those three votes go and the one unanimous vote stays.
    assert done.manifest["kept"] == 1
    assert done.manifest["left_out"]["conflict: agreement below the floor"] == 3
    assert done.manifest["kept"] + sum(done.manifest["left_out"].values()) == 10


def test_nothing_to_keep_is_an_export_of_no_rows(store: VoteStore, tmp_path: Path):
    fill(store, [vote("plain", "other", Verdict.TIE)])
    done = export(store, tmp_path / "out")
    assert (done.manifest["n_rows"], done.manifest["left_out"]) == (0, {"tie": 1})
    assert rows_of(done, ".parquet") == json_rows(done) == []


@pytest.mark.parametrize("sources", [(Source.AI_JUDGE,), (Source.HUMAN, Source.AI_JUDGE)])
def test_only_the_sources_asked_for_are_kept(store: VoteStore, tmp_path: Path, sources: tuple[Source, ...]):
    fill(store, VOTES)
    done = export(store, tmp_path / "out", sources=sources)
    assert done.manifest["sources"] == [source.value for source in sources]
    assert ("source human is not asked for" in done.manifest["left_out"]) is (Source.HUMAN not in sources)
    assert done.manifest["kept"] + sum(done.manifest["left_out"].values()) == 10


# The folder


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match=r"thesis\.tex"):
        export(store, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_where_the_folder_belongs_is_refused(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(BadInput, match="file"):
            export(store, place)


def test_an_export_of_no_votes_is_refused_and_makes_no_folder(store: VoteStore, tmp_path: Path):
    with pytest.raises(BadInput, match="no vote"):
        export(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_that_is_refused_leaves_the_earlier_one_whole(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    export(store, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with VoteStore.open(None) as empty, pytest.raises(BadInput):
        export(empty, tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


# Real data


def crowd(store: VoteStore, folder: Path) -> None:
    """The public crowdsourced comparison, as its README tells the columns."""
    tables = [
        ("models.jsonl", Kind.MODELS, {"org": "organization"}),
        ("prompts.jsonl", Kind.PROMPTS, {"type": "category"}),
        ("results.jsonl", Kind.ANSWERS, {"prompt": "prompt_id", "model": "model_id", "result": "text"}),
        ("crowd-comparisons.csv", Kind.VOTES, {"prompt": "prompt_id", "model_x": "model_a", "model_y": "model_b"}),
    ]
    for name, kind, mapping in tables:
        words = {"left": Verdict.A, "right": Verdict.B} if kind is Kind.VOTES else {}
        foreign = ForeignTable(folder / name, kind, mapping, words=words)
        import_table(store, foreign, source=Source.HUMAN, voter_key=KEY, skip_bad=False, now=NOW)


def test_the_real_votes_counted_a_second_time_in_plain_python(store: VoteStore, tmp_path: Path, llmfao: Path):
    crowd(store, llmfao)
    done = export(store, tmp_path / "out")

    texts = {}
    for line in (llmfao / "results.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        texts[str(row["prompt"]), str(row["model"])] = row["result"] or ""
    left_out: Counter[str] = Counter()
    pairs: defaultdict[tuple[str, frozenset[str]], Counter[str]] = defaultdict(Counter)
    with (llmfao / "crowd-comparisons.csv").open(encoding="utf-8", newline="") as file:
        votes = list(csv.DictReader(file))
    for row in votes:
        models = {"left": row["model_x"], "right": row["model_y"]}
        both = [texts[row["prompt"], model] for model in models.values()]
        if row["winner"] == "tie":
            left_out["tie"] += 1
        elif not all(text.strip() for text in both):
            left_out["an empty answer"] += 1
        elif both[0] == both[1]:
            left_out["both answers have the same text"] += 1
        else:
            pairs[row["prompt"], frozenset(models.values())][models[row["winner"]]] += 1
    kept = {}
    for (prompt, models), won in pairs.items():
        total, [(winner, most), *_] = won.total(), won.most_common()
        if 2 * most == total:
            left_out["conflict: no strict majority"] += total
        else:
            [loser] = models - {winner}
            kept[prompt, winner, loser] = (total, most / total, texts[prompt, winner], texts[prompt, loser])

    assert done.manifest["left_out"] == dict(sorted(left_out.items()))
    assert done.manifest["n_votes"] == len(votes) == 8931
    assert done.manifest["left_out"]["tie"] == 3471
    assert {
        (row["prompt_id"], row["chosen_model"], row["rejected_model"]): (
            row["n_votes"],
            row["agreement"],
            row["chosen"][0]["content"],
            row["rejected"][0]["content"],
        )
        for row in json_rows(done)
    } == kept
