"""The export: rows that a trainer takes, one a prompt and pair, and a manifest that accounts for every vote."""

import csv
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
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
    VoterId,
)
from arena.errors import BadInput
from arena.export import Export, examples, export
from arena.foreign_table import ForeignTable, Kind
from arena.intake import import_table
from arena.pack import answer_id
from arena.preferences.account import Account
from arena.preferences.cast import UNLIKE_OTHERS, CastVotes
from arena.preferences.choices import Choices
from arena.preferences.flag import Flag
from arena.preferences.formats import formats
from arena.preferences.judgement import Texts
from arena.store import VoteStore
from arena.voter import VoterKey
from dataset_world import bytes_in, rows_in

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KEY = VoterKey(b"a secret of the tests, 32 bytes.")

TEXTS = {
    "plain": "One.",
    "other": "Two.",
    "odd": 'a\u2028b \x00 \u202e 👩‍🚀 "quotes" \\ \r\n\ttabs',
    "blank": " \n",
}


def fill(
    store: VoteStore, votes: list[tuple[str, str, str, Verdict, Source]], voters: Sequence[str] | None = None
) -> None:
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
        voter = VoterId(voters[number]) if voters else None
        battle = Battle(BattleId(key), ModelId(a), ModelId(b), PromptId(prompt), *ids)
        rows.append((battle, Vote(VoteId(key), battle.id, verdict, source, voter, NOW, import_key=key)))
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


def rows_of(done: Export) -> list[dict[str, Any]]:
    """All rows of the one format."""
    return [row for path in done.files if path.suffix == ".parquet" for _, row in table.rows_of(path)]


def told_of(done: Export) -> dict[str, Any]:
    return done.manifest["formats"]["preference"]


def test_one_row_a_prompt_and_pair_as_the_trainer_takes_it(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    rows = rows_of(export(store, tmp_path / "out"))
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


def test_the_manifest_accounts_for_every_vote_and_file(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    done = export(store, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == done.manifest
    told = manifest["formats"]["preference"]
    assert told["left_out"] == {
        "an empty answer": 1,
        "both bad": 1,
        "conflict: no strict majority": 2,
        "source ai_judge is not asked for": 1,
        "tie": 1,
    }
    assert (manifest["n_votes"], told["n_rows"], told["kept"]) == (10, 2, 4)
    assert told["kept"] + sum(told["left_out"].values()) == manifest["n_votes"]
    assert manifest["watermark"]["log_hash"] == store.log.position()[1]
    for name, told in manifest["files"].items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == told["sha256"]


def test_export_twice_gives_the_same_bytes(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    for name in ("one", "two", "two"):
        export(store, tmp_path / name, names=list(formats()))
    assert bytes_in(tmp_path / "one") == bytes_in(tmp_path / "two")


def test_neither_the_order_of_votes_nor_their_sides_change_the_rows(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    mirrored = [(prompt, b, a, verdict.swapped, source) for prompt, a, b, verdict, source in reversed(VOTES)]
    with VoteStore.open(None) as other:
        fill(other, mirrored)
        export(other, tmp_path / "mirrored")
    export(store, tmp_path / "plain")
    one, another = (bytes_in(tmp_path / name) for name in ("plain", "mirrored"))
    rows = [name for name in one if name.endswith(".parquet")]
    assert rows
    assert [one[name] for name in rows] == [another[name] for name in rows]


def test_a_higher_floor_keeps_less_and_still_adds_up(store: VoteStore, tmp_path: Path):
    fill(store, VOTES)
    told = told_of(export(store, tmp_path / "out", choices=Choices(min_agreement=Fraction(3, 4))))
    # 2 of 3 is below 3/4, so those three votes go and the one unanimous vote stays.
    assert told["kept"] == 1
    assert told["left_out"]["conflict: agreement below the floor"] == 3
    assert told["kept"] + sum(told["left_out"].values()) == 10


def test_nothing_to_keep_is_an_export_of_no_rows(store: VoteStore, tmp_path: Path):
    fill(store, [vote("plain", "other", Verdict.TIE)])
    done = export(store, tmp_path / "out")
    told = told_of(done)
    assert (told["n_rows"], told["kept"], told["left_out"], told["splits"]) == (0, 0, {"tie": 1}, {})
    assert rows_of(done) == []
    assert "configs:" not in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("sources", [(Source.AI_JUDGE,), (Source.HUMAN, Source.AI_JUDGE)])
def test_only_the_sources_asked_for_are_kept(store: VoteStore, tmp_path: Path, sources: tuple[Source, ...]):
    fill(store, VOTES)
    done = export(store, tmp_path / "out", sources=sources)
    told = told_of(done)
    assert done.manifest["choices"]["sources"] == sorted(source.value for source in sources)
    assert ("source human is not asked for" in told["left_out"]) is (Source.HUMAN not in sources)
    assert told["kept"] + sum(told["left_out"].values()) == 10


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
    before = bytes_in(tmp_path / "out")
    with VoteStore.open(None) as empty, pytest.raises(BadInput):
        export(empty, tmp_path / "out")
    assert bytes_in(tmp_path / "out") == before


# Voters


def test_voters_who_contradict_the_others_are_found(store: VoteStore):
    """v and w say the same of five pairs, x the opposite; y judged one pair only."""
    pairs = [(a, b, prompt) for prompt in "pq" for a, b in (("plain", "other"), ("plain", "odd"), ("other", "odd"))][:5]
    rows = [("v", pair, Verdict.A) for pair in pairs] + [("w", pair, Verdict.A) for pair in pairs]
    rows += [("x", pair, Verdict.B) for pair in pairs] + [("y", pairs[0], Verdict.B)]
    fill(store, [vote(a, b, verdict, prompt) for _, (a, b, prompt), verdict in rows], voters=[row[0] for row in rows])
    n_log, _ = store.log.position()

    def unlike(floor: str, least: int) -> set[VoterId]:
        return store.casts.voters_unlike_others([Source.HUMAN], Fraction(floor), least=least, up_to=n_log)

    # v agrees with w on 5 of 5, with x on 0 of 5, with y on 0 of 1: 5 of 11. x agrees with y once: 1 of 11. y: 1 of 3.
    assert unlike("5/11", 3) == {"x", "y"}
    assert unlike("1/2", 10) == {"v", "w", "x"}
    assert unlike("5/11", 10) == {"x"}
    choices = Choices(min_voter_agreement=Fraction(5, 11))
    account = Account()
    found = list(examples(store, choices, account, up_to=n_log))
    assert account.left_out == {UNLIKE_OTHERS: 5}
    assert {each.verdict and each.chosen and each.chosen.model_id for each in found} == {"plain", "other"}


def test_voters_are_named_by_the_export_alone(store: VoteStore, tmp_path: Path):
    fill(store, VOTES, voters=[f"secret-{n}" for n in range(len(VOTES))])
    export(store, tmp_path / "out", names=list(formats()), alias=lambda voter: f"known-{voter[-1]}")
    for name in formats():
        assert "secret" not in str(rows_in(tmp_path / "out", name))
    assert {row["voter"] for row in rows_in(tmp_path / "out", "raw_votes")} >= {"known-1"}


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
    done = export(store, tmp_path / "out", choices=Choices(keep_flagged=tuple(Flag)))

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
        if not all(text.strip() for text in both):
            left_out["an empty answer"] += 1
        elif both[0].split() == both[1].split():
            left_out["both answers have the same text"] += 1
        elif row["winner"] == "tie":
            left_out["tie"] += 1
        else:
            pairs[row["prompt"], frozenset(models.values())][models[row["winner"]]] += 1
    kept = {}
    for (prompt, models), won in pairs.items():
        total, [(winner, most), *_] = won.total(), won.most_common()
        if 2 * most == total:
            left_out["conflict: no strict majority"] += total
        elif 3 * most < 2 * total:
            left_out["conflict: agreement below the floor"] += total
        else:
            [loser] = models - {winner}
            kept[prompt, winner, loser] = (total, most / total, texts[prompt, winner], texts[prompt, loser])

    told = told_of(done)
    assert told["left_out"] == dict(sorted(left_out.items()))
    assert done.manifest["n_votes"] == len(votes) == 8931
    assert {
        (row["prompt_id"], row["chosen_model"], row["rejected_model"]): (
            row["n_votes"],
            row["agreement"],
            row["chosen"][0]["content"],
            row["rejected"][0]["content"],
        )
        for row in rows_of(done)
    } == kept


def test_the_texts_of_a_thousand_pairs_are_read_at_a_time(
    store: VoteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store.catalogue.add_models([Model(ModelId(name), name) for name in "ab"], NOW)
    prompts = [PromptId(f"p{number:04d}") for number in range(2_500)]
    store.catalogue.add_prompts([Prompt(each, (Message("user", f"Question {each}?"),)) for each in prompts], NOW)
    answers = {
        (p, m): Answer(answer_id(p, m, f"{m} on {p}"), p, ModelId(m), f"{m} on {p}") for p in prompts for m in "ab"
    }
    store.catalogue.add_answers(answers.values(), NOW)
    rows = []
    for each in prompts:
        battle = Battle(BattleId(each), ModelId("a"), ModelId("b"), each, answers[each, "a"].id, answers[each, "b"].id)
        rows.append((battle, Vote(VoteId(each), battle.id, Verdict.A, Source.HUMAN, None, NOW, import_key=each)))
    store.votes.add_imported(rows, NOW)
    held: list[tuple[int, int]] = []
    read = store.casts.texts

    def counted(casts: Sequence[CastVotes]) -> Texts:
        found = read(casts)
        held.append((len(found.prompts), len(found.answers)))
        return found

    monkeypatch.setattr(store.casts, "texts", counted)
    done = export(store, tmp_path / "out")
    assert held == [(1_000, 2_000), (1_000, 2_000), (500, 1_000)]
    assert done.manifest["formats"]["preference"]["kept"] == 2_500
    for row in rows_of(done):
        assert row["chosen"][0]["content"] == f"a on {row['prompt_id']}"
        assert row["rejected"][0]["content"] == f"b on {row['prompt_id']}"
