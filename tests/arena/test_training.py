"""One step of training on our rows by TRL's own trainers: they take the rows, and the loss is a number.

Needs torch, which is not installed for development: pip install torch==2.13.0 accelerate.
"""

import math
import warnings
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from arena.battle import Source
from arena.dataset.split import SplitRule
from arena.export import Order, export
from arena.foreign_table import ForeignTable, Kind
from arena.intake import import_table
from arena.preferences.choices import Choices
from arena.preferences.formats import formats
from arena.preferences.strength import Margins
from arena.store import VoteStore
from arena.voter import VoterKey
from ground import NOW, skip_or_fail
from trainer_ground import tokenizer, votes_file

pytestmark = [pytest.mark.proof, pytest.mark.filterwarnings("ignore")]

KEY = VoterKey(b"a secret of the tests, 32 bytes.")


@pytest.fixture(scope="module")
def trl() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import datasets  # noqa: PLC0415

            import_module("torch")
            import trl as found  # noqa: PLC0415
            from trl.trainer.dpo_trainer import DPOTrainer  # noqa: F401, PLC0415
        except (ImportError, RuntimeError) as error:
            skip_or_fail("TORCH", f"{error}: pip install torch==2.13.0 accelerate trl")
    datasets.disable_progress_bars()
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    with VoteStore.open(None) as store:
        foreign = ForeignTable(votes_file(tmp_path), Kind.VOTES)
        import_table(store, foreign, source=Source.HUMAN, voter_key=KEY, skip_bad=False, now=NOW)
        choices = Choices(assume_acceptable=True, margins=Margins.of({"unsaid": "1"}))
        export(
            store, tmp_path / "out", names=list(formats()), choices=choices, order=Order(split=SplitRule(Fraction(1)))
        )
    return tmp_path / "out"


def rows_of(out: Path, name: str) -> Any:
    from datasets import load_dataset  # noqa: PLC0415

    [file] = map(str, (out / name).glob("*.parquet"))
    return load_dataset("parquet", data_files=file, split="train", cache_dir=str(out.parent / "cache"))


def model(kind: str, words: Any) -> Any:
    """A network of one small layer, with random weights."""
    torch: Any = import_module("torch")
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2ForSequenceClassification  # noqa: PLC0415

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
    )
    config.num_labels = 1
    return (Qwen2ForSequenceClassification if kind == "reward" else Qwen2ForCausalLM)(config)


def settings(kind: str, trl: Any, folder: Path) -> Any:
    config = {"dpo": trl.DPOConfig, "reward": trl.RewardConfig, "kto": None}[kind]
    if kind == "kto":
        from trl.experimental.kto import KTOConfig  # noqa: PLC0415

        config = KTOConfig
    return config(
        output_dir=str(folder),
        max_steps=1,
        per_device_train_batch_size=4,
        use_cpu=True,
        bf16=False,
        report_to=[],
        save_strategy="no",
        logging_steps=1,
        max_length=512,
        disable_tqdm=True,
    )


def trained(kind: str, trl: Any, rows: Any, folder: Path) -> Any:
    words = tokenizer()
    more = {} if kind == "reward" else {"ref_model": model(kind, words)}
    trainer = {"dpo": trl.DPOTrainer, "reward": trl.RewardTrainer}.get(kind)
    if trainer is None:
        from trl.experimental.kto import KTOTrainer  # noqa: PLC0415

        trainer = KTOTrainer
    made = trainer(
        model=model(kind, words),
        args=settings(kind, trl, folder),
        train_dataset=rows,
        processing_class=words,
        **more,
    )
    made.train()
    return made


def told(row: Any, side: str) -> str:
    messages = [*row.get("prompt", []), *row[side]]
    return "".join(f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages)


@pytest.mark.parametrize("name", ["preference", "preference_implicit", "reward"])
@pytest.mark.parametrize("kind", ["dpo", "reward"])
def test_a_step_of_training_on_pairs(trl: Any, out: Path, tmp_path: Path, kind: str, name: str):
    rows = rows_of(out, name)
    done = trained(kind, trl, rows, tmp_path / "run")
    assert math.isfinite(done.state.log_history[0]["loss"])
    prepared = done.train_dataset
    assert len(prepared) == len(rows)
    words = tokenizer()
    for row, ids in zip(rows, prepared, strict=True):
        seen = ids.get("prompt_ids", []) + ids["chosen_ids"]
        assert words.decode(seen, clean_up_tokenization_spaces=False).rstrip("\n") == told(row, "chosen").rstrip("\n")


def test_a_margin_raises_the_loss_of_a_reward_model(trl: Any, out: Path, tmp_path: Path):
    """With rewards that differ by next to nothing, -log sigmoid(0 - 1) = 1.313 instead of -log sigmoid(0) = 0.693."""
    rows = rows_of(out, "reward")
    losses = [
        trained("reward", trl, each, tmp_path / str(number)).state.log_history[0]["loss"]
        for number, each in enumerate((rows, rows.remove_columns("margin")))
    ]
    assert losses[0] == pytest.approx(1.313, abs=0.05)
    assert losses[1] == pytest.approx(0.693, abs=0.05)


def test_a_step_of_training_on_single_answers(trl: Any, out: Path, tmp_path: Path):
    rows = rows_of(out, "unpaired")
    done = trained("kto", trl, rows, tmp_path / "run")
    assert math.isfinite(done.state.log_history[0]["loss"])
    assert len(done.train_dataset) == len(rows)
