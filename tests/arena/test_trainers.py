"""Every export through the libraries that read it: `datasets`, and the data functions of TRL's own trainers.

TRL checks no shape: several wrong ones train on wrong text without a word. So what a trainer would see is decoded, and
compared with what is stored.
"""

import warnings
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from arena.battle import Source, Verdict
from arena.dataset.split import SplitRule
from arena.export import Order, export
from arena.foreign_table import ForeignTable, Kind
from arena.intake import import_table
from arena.preferences.choices import Choices
from arena.preferences.formats import formats
from arena.store import VoteStore
from arena.voter import VoterKey
from dataset_world import rows_in
from ground import NOW, skip_or_fail
from trainer_ground import TEMPLATE, tokenizer, votes_file

pytestmark = [pytest.mark.filterwarnings("ignore")]

TIMES = ("created_at", "voted_at", "timestamp")

KEY = VoterKey(b"a secret of the tests, 32 bytes.")


@pytest.fixture(scope="module")
def libraries() -> Any:
    """datasets and trl.data_utils; neither needs torch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import datasets  # noqa: PLC0415
            from trl import data_utils  # noqa: PLC0415
        except ImportError as error:
            skip_or_fail("TRL", f"{error}: pip install datasets transformers, and --no-deps trl")
    datasets.disable_progress_bars()
    return datasets, data_utils


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All formats of votes on prompts of one and of several messages, with odd texts."""
    folder = tmp_path_factory.mktemp("trainers")
    with VoteStore.open(None) as store:
        foreign = ForeignTable(votes_file(folder), Kind.VOTES)
        import_table(store, foreign, source=Source.HUMAN, voter_key=KEY, skip_bad=False, now=NOW)
        choices = Choices(assume_acceptable=True)
        # All in test, so that formats for evaluation have rows too.
        export(store, folder / "out", names=list(formats()), choices=choices, order=Order(split=SplitRule(Fraction(1))))
    return folder / "out"


def loaded(libraries: Any, out: Path, name: str) -> Any:
    datasets, _ = libraries
    [file] = map(str, (out / name).glob("*.parquet"))
    return datasets.load_dataset("parquet", data_files=file, split="train", cache_dir=str(out.parent / "cache"))


@pytest.mark.parametrize("name", formats())
def test_every_format_is_read_by_datasets_as_it_was_written(libraries: Any, out: Path, name: str):
    rows = loaded(libraries, out, name)
    assert list(rows.column_names) == list(formats()[name].schema)
    assert list(rows) == rows_in(out, name) != []


def asked_and_answered(row: Mapping[str, Any], side: str) -> str:
    """What the stored messages are in the words of the template."""
    messages = [*row.get("prompt", []), *row[side]]
    return "".join(f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages)


@pytest.mark.parametrize("name", ["preference", "preference_implicit", "reward"])
def test_a_trainer_sees_the_stored_texts_of_a_pair(libraries: Any, out: Path, name: str):
    _, trl = libraries
    words = tokenizer()
    for row in loaded(libraries, out, name):
        pair = {key: row[key] for key in ("prompt", "chosen", "rejected", "margin") if key in row}
        margin = pair.pop("margin", None)
        assert trl.is_conversational(pair)
        explicit = pair if "prompt" in pair else trl.extract_prompt(pair)
        told = trl.apply_chat_template(explicit, words)
        for side in ("chosen", "rejected"):
            seen = words.decode(words(told["prompt"] + told[side])["input_ids"], clean_up_tokenization_spaces=False)
            assert seen == asked_and_answered(pair, side)
        assert told["chosen"] != told["rejected"]
        assert explicit["prompt"][-1]["role"] == "user"  # an answer in it would be trained on twice
        assert name != "reward" or isinstance(margin, float)


def test_a_trainer_sees_the_stored_texts_of_plain_text(libraries: Any, out: Path):
    _, trl = libraries
    words = tokenizer()
    for row, conversational in zip(
        loaded(libraries, out, "preference_standard"), loaded(libraries, out, "preference"), strict=True
    ):
        assert not trl.is_conversational({key: row[key] for key in ("prompt", "chosen", "rejected")})
        assert row["chosen"] == conversational["chosen"][0]["content"]
        assert row["prompt"].endswith(f"{conversational['prompt'][-1]['content']}\n\nAssistant: ")
        told = words.decode(words(row["prompt"] + row["chosen"])["input_ids"], clean_up_tokenization_spaces=False)
        assert told == row["prompt"] + row["chosen"]


def test_a_trainer_sees_the_stored_texts_of_single_answers(libraries: Any, out: Path):
    _, trl = libraries
    rows = loaded(libraries, out, "unpaired")
    assert rows.features["label"].dtype == "bool"
    assert set(rows["label"]) == {True, False}
    for row in rows:
        pair = {key: row[key] for key in ("prompt", "completion", "label")}
        assert trl.is_conversational(pair)
        told = trl.apply_chat_template(pair, tokenizer())
        assert told["prompt"] + told["completion"] == asked_and_answered(pair, "completion")


def test_a_pair_that_is_unpaired_by_the_trainer_is_two_answers(libraries: Any, out: Path):
    _, trl = libraries
    rows = loaded(libraries, out, "preference").select_columns(["prompt", "chosen", "rejected"])
    assert len(trl.unpair_preference_dataset(rows)) == 2 * len(rows)


def test_a_prompt_ends_with_the_user(libraries: Any, out: Path):
    _, trl = libraries
    for row in loaded(libraries, out, "prompt_only"):
        assert row["prompt"][-1]["role"] == "user"
        told = trl.apply_chat_template({"prompt": row["prompt"]}, tokenizer())
        assert told["prompt"].endswith("<|im_start|>assistant\n")


# What would train on wrong text without a word, or fail after an hour


def test_our_rows_stay_clear_of_the_traps(libraries: Any, out: Path):
    for name, format_ in formats().items():
        rows = loaded(libraries, out, name)
        features = rows.features
        # A column of pictures switches a trainer to them; these three mean something else again.
        assert not {"image", "images", "tools", "chat_template_kwargs"} & set(features), name
        # A type that is null in all rows of a file is another type in the next file.
        assert "null" not in str(features), name
        if name == "ultrafeedback_binarized":
            continue  # its mix of a text and conversations is its own format's; docs/exports.md says who reads it
        # Never texts beside lists among these: which of them a trainer looks at first is chance.
        kinds = {
            type(rows[0][column]) for column in ("prompt", "chosen", "rejected", "completion") if column in features
        }
        assert len(kinds) <= 1 or name in ("axolotl", "llama_factory", "rewardbench2"), name
        for row in rows:
            for side in ("chosen", "rejected", "completion"):
                told = row.get(side)
                assert told is None or told, name  # neither an empty text nor an empty list
            if "chosen" in row:
                assert row["chosen"] != row["rejected"]
            if name in ("preference", "reward"):  # the prompt stands in one place
                assert [message["role"] for message in row["chosen"]] == ["assistant"]
            if format_.schema.get("prompt", "").startswith("struct"):
                for message in row["prompt"]:
                    assert isinstance(message["content"], str)


def test_a_text_with_tokens_of_a_template_is_in_no_export(libraries: Any, out: Path):
    """Inside the template, it would end the turn: the answer after it would be somebody else's."""
    words = tokenizer()
    ends = words.convert_tokens_to_ids("<|im_end|>")
    for row in loaded(libraries, out, "preference"):
        told = words(asked_and_answered(row, "chosen"))["input_ids"]
        assert told.count(ends) == len(row["prompt"]) + 1
        assert "im_end" not in str(row)


def test_the_trap_is_real(libraries: Any):
    """A prompt beside whole conversations: TRL takes it, and the trainer sees the prompt twice."""
    _, trl = libraries
    asked, answer = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}
    row = {"prompt": [asked], "chosen": [asked, answer], "rejected": [asked, {"role": "assistant", "content": "no"}]}
    told = trl.apply_chat_template(row, tokenizer())
    assert "hi" in told["prompt"]
    assert "hi" in told["chosen"]
    assert "im_start" in TEMPLATE


def test_verdicts_that_choose_nothing_are_in_no_pair(libraries: Any, out: Path):
    # votes_file has 8 pairs with a chosen answer, one tie, one both bad and one with a template's token.
    assert len(loaded(libraries, out, "preference")) == 8
    assert len(loaded(libraries, out, "raw_votes")) == 10
    assert set(loaded(libraries, out, "raw_votes")["verdict"]) == {each.value for each in Verdict}
