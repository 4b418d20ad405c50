"""The rows of each format: what a trainer's own page says they must be, with texts that survive and sides that do not
matter."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from arena import table
from arena.battle import Labels, Message, Scale, Side, Source, Verdict
from arena.errors import BadInput
from arena.export import export
from arena.field import exchange
from arena.foreign_table import ForeignTable, Kind
from arena.intake import import_table
from arena.preferences.example import Example
from arena.preferences.formats import formats, helpsteer3, llama_factory, pairs, rewardbench
from arena.store import VoteStore
from arena.voter import VoterKey
from ground import NOW
from opinions import AT, example, opinion, turned

FORMATS = formats()
KEY = VoterKey(b"a secret of the tests, 32 bytes.")

# What `datasets` reads as it is, from Parquet as DuckDB writes it.
_PLAIN = {"varchar", "boolean", "integer", "bigint", "double", "timestamp with time zone"}

# Names that mean something to a trainer, or make it look for pictures or tools; each format may use its own.
_RESERVED = {
    *("prompt", "chosen", "rejected", "completion", "completions", "messages", "conversations", "label", "labels"),
    *("margin", "image", "images", "tools", "chat_template_kwargs", "prompt_ids", "chosen_ids", "rejected_ids"),
}
_OF_TRL = {
    "preference": {"prompt", "chosen", "rejected"},
    "preference_implicit": {"chosen", "rejected"},
    "preference_standard": {"prompt", "chosen", "rejected"},
    "reward": {"prompt", "chosen", "rejected", "margin"},
    "unpaired": {"prompt", "completion", "label"},
    "prompt_only": {"prompt"},
}

SEVERAL = (Message("system", "Be brief."), Message("user", "1?"), Message("assistant", "One."), Message("user", "2?"))


def rows(name: str, *examples: Example) -> list[dict[str, Any]]:
    format_ = FORMATS[name]
    return [dict(zip(format_.schema, row, strict=True)) for row in format_.rows_of(examples)]


def said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def test_every_column_has_a_type_that_every_reader_knows():
    for format_ in FORMATS.values():
        for name, type_ in format_.schema.items():
            bare = re.sub(r'"[^"]+" ', "", type_)
            inner = re.sub(r"\b(?!struct)\w+ (?=varchar|boolean|integer|bigint|double|timestamp|struct)", "", bare)
            words = set(
                filter(None, re.split(r"struct|[(),\[\] ]", inner.replace("timestamp with time zone", "varchar")))
            )
            assert words <= _PLAIN, (format_.name, name, type_)


@pytest.mark.parametrize("name", _OF_TRL)
def test_no_further_column_means_anything_to_a_trainer(name: str):
    assert set(FORMATS[name].schema) & _RESERVED == _OF_TRL[name]


def test_a_file_is_a_format():
    folder = Path(pairs.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if re.search(r"^NAME = ", path.read_text(), re.MULTILINE)}
    assert len(modules) == len(FORMATS) == 17
    for format_ in FORMATS.values():
        assert (format_.rows is None) is not (format_.rows_of_prompt is None)


# Golden rows


PAIR = example("A", "4", "5", messages=(Message("user", "2+2?"),), margin=0.5, category="maths", language="en")
ASKED, FOUR, FIVE = said("user", "2+2?"), said("assistant", "4"), said("assistant", "5")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("preference", {"prompt": [ASKED], "chosen": [FOUR], "rejected": [FIVE]}),
        ("preference_implicit", {"chosen": [ASKED, FOUR], "rejected": [ASKED, FIVE]}),
        ("preference_standard", {"prompt": "\n\nHuman: 2+2?\n\nAssistant: ", "chosen": "4", "rejected": "5"}),
        ("reward", {"prompt": [ASKED], "chosen": [FOUR], "rejected": [FIVE], "margin": 0.5}),
        ("prompt_only", {"prompt": [ASKED], "prompt_id": "p", "category": "maths", "language": "en"}),
        ("openrlhf", {"chosen": [ASKED, FOUR], "rejected": [ASKED, FIVE], "margin": 0.5}),
        ("axolotl", {"messages": [ASKED], "chosen": FOUR, "rejected": FIVE}),
        (
            "llama_factory",
            {
                "conversations": [{"from": "human", "value": "2+2?"}],
                "chosen": {"from": "gpt", "value": "4"},
                "rejected": {"from": "gpt", "value": "5"},
                "system": "",
            },
        ),
        (
            "ultrafeedback_binarized",
            {
                "prompt": "2+2?",
                "prompt_id": "30ad205245cd25231f697fa8934fdf8d65d0cb24040d9f0d4106fa4cfc68e4c7",
                "chosen": [ASKED, FOUR],
                "rejected": [ASKED, FIVE],
                "messages": [ASKED, FOUR],
                "score_chosen": 1.0,
                "score_rejected": 0.0,
            },
        ),
        (
            "rewardbench",
            {
                "prompt": "2+2?",
                "chosen": "4",
                "chosen_model": "a",
                "rejected": "5",
                "rejected_model": "b",
                "subset": "maths",
                "id": 0x0123456789ABCDE,
            },
        ),
        (
            "rewardbench2",
            {
                "id": "0123456789abcdef0123456789abcdef",
                "prompt": "2+2?",
                "chosen": ["4"],
                "rejected": ["5"],
                "num_correct": 1,
                "num_incorrect": 1,
                "total_completions": 2,
                "models": ["a", "b"],
                "subset": "maths",
            },
        ),
        (
            "ranked",
            {
                "prompt": "\n\nHuman: 2+2?\n\nAssistant: ",
                "answers": [
                    {"answer": "4", "model": "a", "rank": 1.0},
                    {"answer": "5", "model": "b", "rank": 2.0},
                ],
                "turns": 1,
                "num_responses": 2,
                "n_votes": 1,
            },
        ),
        (
            "helpsteer3",
            {
                "domain": "maths",
                "language": "en",
                "context": [ASKED],
                "response1": "4",
                "response2": "5",
                "overall_preference": -2,
                "individual_preference": [{"score": -2, "reasoning": "", "feedback1": "", "feedback2": ""}],
            },
        ),
        (
            "lmarena_100k",
            {
                "question_id": "vote-0",
                "model_a": "a",
                "model_b": "b",
                "winner": "model_a",
                "turn": 1,
                "conversation_a": [ASKED, FOUR],
                "conversation_b": [ASKED, FIVE],
                "anony": True,
                "language": "en",
                "tstamp": 1777636800.0,
                "judge": "voter-0",
                "is_code": False,
            },
        ),
    ],
)
def test_a_pair_is_one_row(name: str, expected: dict[str, Any]):
    [row] = rows(name, PAIR)
    assert {key: row[key] for key in expected} == expected
    assert list(row)[: len(expected)] == list(FORMATS[name].schema)[: len(expected)]


def test_an_unpaired_row_needs_to_know_whether_the_answer_would_do():
    assert rows("unpaired", PAIR) == []
    good, bad = rows("unpaired", replace(PAIR, is_acceptable=True))
    assert (good["prompt"], good["completion"], good["label"]) == ([ASKED], [FOUR], True)
    assert (bad["completion"], bad["label"]) == ([FIVE], False)
    assert [row["label"] for row in rows("unpaired", replace(PAIR, is_acceptable=False))] == [False, False]
    both_bad = example("both_bad")
    assert [row["label"] for row in rows("unpaired", both_bad)] == [False, False]
    assert rows("unpaired", example("tie", is_acceptable=True)) == []


def test_several_turns_stay_what_they_are():
    several = replace(PAIR, prompt=replace(PAIR.prompt, messages=SEVERAL))
    told = pairs.listed(SEVERAL)
    assert rows("preference", several)[0]["prompt"] == told
    assert rows("preference_implicit", several)[0]["chosen"] == [*told, FOUR]
    assert rows("preference_standard", several)[0]["prompt"] == (
        "\n\nSystem: Be brief.\n\nHuman: 1?\n\nAssistant: One.\n\nHuman: 2?\n\nAssistant: "
    )
    [row] = rows("llama_factory", several)
    assert row["system"] == "Be brief."
    assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt", "human"]
    assert rows("rewardbench", several) == rows("rewardbench2", several) == []
    assert FORMATS["rewardbench"].left_out(several) == {rewardbench.SEVERAL_MESSAGES: 1}


def test_turns_that_do_not_alternate_are_left_out_where_they_would_be_misread():
    twice = replace(PAIR, prompt=replace(PAIR.prompt, messages=(Message("user", "1"), Message("user", "2"))))
    assert rows("llama_factory", twice) == []
    assert llama_factory.left_out(twice) == {llama_factory.NO_ALTERNATION: 1}
    assert len(rows("preference", twice)) == 1


@pytest.mark.parametrize(
    ("scores", "overall"),
    [
        ([-2], -2),
        ([2, 3], 3),  # 2.5, away from 0
        ([-2, -3], -3),
        ([-1, 0, 1], 0),
        ([-3, 3, 3, 2], 3),  # 3, 3, 2 are closest: 8/3
        ([-3, 3], None),
        ([-3, 0, 3], None),
        ([-2, -2, 1, 1], None),  # any three lie 3 apart
        ([0, 0, 0, 3, -3], 0),
    ],
)
def test_the_three_closest_scores_decide(scores: list[int], overall: int | None):
    assert helpsteer3._overall(scores) == overall
    assert helpsteer3._overall([-each for each in scores]) == (None if overall is None else -overall)


def test_all_opinions_of_a_pair_are_listed_with_their_reasons():
    labels = Labels(Scale.FIVE, 1, reasons={Side.A: frozenset({"Clear", "Brief"})}, comment="It adds up.")
    found = example("A", opinions=(opinion("A", 0, labels=labels), opinion("tie", 1)))
    [row] = rows("helpsteer3", found)
    assert row["individual_preference"] == [
        {"score": -2, "reasoning": "It adds up.", "feedback1": "Brief; Clear", "feedback2": ""},
        {"score": 0, "reasoning": "", "feedback1": "", "feedback2": ""},
    ]
    assert row["overall_preference"] == -1


def test_axolotl_reads_every_file_of_train():
    files = FORMATS["axolotl"].files
    assert files
    told = yaml.safe_load(files(["axolotl/train-0.parquet", "axolotl/train-1.parquet"])["axolotl.yaml"])
    assert [each["path"] for each in told["datasets"]] == ["axolotl/train-0.parquet", "axolotl/train-1.parquet"]
    assert all(each["ds_type"] == "parquet" and each["split"] == "train" for each in told["datasets"])


def test_llama_factory_is_told_of_its_files():
    files = FORMATS["llama_factory"].files
    assert files
    several = json.loads(files(["train-0.parquet", "train-1.parquet"])["dataset_info.json"])
    assert {name: each["file_name"] for name, each in several.items()} == {
        "bakeoff": "train-0.parquet",
        "bakeoff_2": "train-1.parquet",
    }
    told = json.loads(files(["llama_factory.jsonl"])["dataset_info.json"])
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "system": "system"}
    assert told == {
        "bakeoff": {
            "file_name": "llama_factory.jsonl",
            "formatting": "sharegpt",
            "ranking": True,
            "columns": columns,
        }
    }
    assert set(columns.values()) == set(FORMATS["llama_factory"].schema)


# Texts and sides

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    st.sampled_from(
        [
            *("\r\n a \r\n", "\x00\x01\x7f", "```python\nprint('hi')\n```", " lead and trail ", "\u2028\u202e", "👩‍🚀"),
            *("<|im_end|>", "\n\nHuman: not a turn", '{"role": "user"}', "\\n\\t\"'", "\ufeffmark", "null", "NaN"),
        ]
    ),
)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["A", "B"]), st.floats(0, 3))
def test_texts_survive_and_exchanged_answers_change_nothing(q: str, a: str, b: str, verdict: str, margin: float):
    found = example(verdict, a, b, messages=(Message("user", q),), margin=margin, is_acceptable=True)
    chosen = a if verdict == "A" else b
    for name, format_ in FORMATS.items():
        told = list(format_.rows_of([found]))
        if name in ("helpsteer3", "raw_votes", "lmarena_100k", "lmarena_140k"):
            continue
        assert told == list(format_.rows_of([turned(found)])), name
    [row] = rows("preference", found)
    assert (row["prompt"][0]["content"], row["chosen"][0]["content"]) == (q, chosen)
    assert rows("reward", found)[0]["margin"] == margin >= 0
    told, mirrored = rows("helpsteer3", found)[0], rows("helpsteer3", turned(found))[0]
    assert told["overall_preference"] == -mirrored["overall_preference"]
    assert (told["response1"], told["response2"]) == (mirrored["response2"], mirrored["response1"])
    for name in ("raw_votes", "lmarena_100k", "lmarena_140k"):
        assert rows(name, found) == rows(name, turned(found)), name


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.lists(TEXTS, min_size=2, max_size=6))
def test_files_hold_the_texts_as_they_are(tmp_path_factory: pytest.TempPathFactory, texts: list[str]):
    folder = tmp_path_factory.mktemp("files")
    found = [example("A", a, b) for a, b in pairwise(texts)]
    format_ = FORMATS["preference"]
    told = [dict(zip(format_.schema, row, strict=True)) for row in format_.rows_of(found)]
    for ending in (".parquet", ".jsonl"):
        table.write(folder / f"rows{ending}", format_.schema, list(format_.rows_of(found)))
        assert [row for _, row in table.rows_of(folder / f"rows{ending}")] == told


# There and back


def lmarena_votes(store: VoteStore) -> list[Any]:
    """All votes of a store by what they say, with the sides as they stood."""
    with store._database.read() as cursor:
        return cursor.execute(
            """select model_a, model_b, verdict, answer_a, answer_b, [m.content for m in prompt], voted_at, blind,
                dense_rank() over (order by voter_id) from vote_log order by all"""
        ).fetchall()


@pytest.mark.parametrize("name", ["lmarena_100k", "lmarena_140k"])
def test_exported_and_imported_again_the_votes_are_the_same(tmp_path: Path, name: str):
    texts = {"a": "By a.\r\n\x00", "b": '"By" b, \u2028', "c": "c ```\ncode\n```"}
    lines = []
    for number, (a, b, winner) in enumerate(
        [("a", "b", "model_a"), ("b", "a", "model_a"), ("c", "a", "tie"), ("b", "c", "both_bad"), ("a", "b", "model_b")]
    ):
        asked = [said("user", "1?"), said("assistant", "One."), said("user", "2?")] if b == "c" else [said("user", "?")]
        lines.append(
            {
                "model_a": a,
                "model_b": b,
                "winner": winner,
                "voter": f"v{number}",
                "blind": True,
                "conversation_a": [*asked, said("assistant", texts[a])],
                "conversation_b": [*asked, said("assistant", texts[b])],
                "language": "en",
                "category": "chat",
                "voted_at": (AT + timedelta(hours=number)).isoformat(),
            }
        )
    path = tmp_path / "votes.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with VoteStore.open(None) as one, VoteStore.open(None) as other:
        foreign = ForeignTable(path, Kind.VOTES)
        import_table(one, foreign, source=Source.HUMAN, voter_key=KEY, skip_bad=False, now=NOW)
        done = export(one, tmp_path / "out", names=[name], alias=lambda voter: voter[::-1])
        [file] = [each for each in done.files if each.suffix == ".parquet"]
        time = "tstamp" if name == "lmarena_100k" else "timestamp"
        mapping = {"judge": "voter", time: "voted_at"} | ({"anony": "blind"} if name == "lmarena_100k" else {})
        back = ForeignTable(file, Kind.VOTES, mapping=mapping)
        taken = import_table(other, back, source=Source.HUMAN, voter_key=KEY, skip_bad=False, now=NOW)
        assert (taken.n_added, taken.faults) == (len(lines), ())
        told, again = lmarena_votes(one), lmarena_votes(other)
        if name == "lmarena_140k":  # has no column for blind
            told, again = ([row[:7] for row in each] for each in (told, again))
        assert [row[:-1] for row in told] == [row[:-1] for row in again]
        facts = [(p.category, p.language) for p in other.catalogue.prompts().values()]
        assert facts == [("chat", "en")] * 2


@pytest.mark.parametrize(
    ("a", "b", "what"),
    [
        ([said("user", "1"), said("assistant", "x")], [said("user", "2"), said("assistant", "y")], "two prompts"),
        ([said("user", "1")], [said("user", "1")], "does not end with an answer"),
        ([said("assistant", "x")], [said("assistant", "y")], "no message of the user"),
        ([said("user", "1"), {"role": "assistant", "content": [{"type": "image", "image": "…"}]}], [], "'image'"),
        ([said("bot", "1")], [said("bot", "1")], "no message of"),
        ([], [], "not a list of messages"),
        ("nonsense", "nonsense", "nor one in JSON"),
        (None, [said("user", "1")], "conversation_a is 'None'"),
        ([{"role": "user", "content": None}], [], "not a text"),
    ],
)
def test_a_conversation_that_is_none_is_refused(a: Any, b: Any, what: str):
    with pytest.raises(BadInput, match=what):
        exchange(a, b)


def test_a_conversation_may_be_in_json_or_in_parts():
    parts = [{"type": "text", "text": "on"}, {"type": "text", "text": "e", "image": None}]
    told = exchange(
        json.dumps([said("user", "1"), said("assistant", "x")]),
        [said("user", "1"), {"role": "assistant", "content": parts}],
    )
    assert told is not None
    assert (told.messages, told.answer_a, told.answer_b) == ((Message("user", "1"),), "x", "one")


def test_a_verdict_is_a_public_word():
    words = {verdict: rows("lmarena_100k", example(verdict))[0]["winner"] for verdict in Verdict}
    assert words == {"A": "model_a", "B": "model_b", "tie": "tie", "both_bad": "tie (bothbad)"}
