"""What an export of some thousand votes of all kinds is, row by row, in every format: as it was written down once.

`python tests/arena/test_export_golden.py` writes it down anew; only where the rows are meant to change.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from arena import table
from arena.battle import (
    Answer,
    Battle,
    BattleId,
    Confidence,
    Exclusion,
    ItemKind,
    Labels,
    Message,
    Model,
    ModelId,
    Prompt,
    PromptId,
    Scale,
    Side,
    Source,
    Thumb,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    Withdrawal,
)
from arena.export import Order, export
from arena.pack import answer_id
from arena.preferences.choices import Choices, Unroll
from arena.preferences.formats import formats
from arena.store import VoteStore

GOLDEN = Path(__file__).with_name("golden_export.json")
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
N_PROMPTS, N_VOTES = 240, 3_000
MODELS = ("ada", "bob", "eve", "fay", "gus")

# What is put into some texts: personal data of every kind, blanks, errors, tokens, and letters of many alphabets.
_ODD = (
    *("Write to ada@example.org or call +49 30 1234567.", "The host is 10.11.12.13, or 2001:db8::ff00:42:8329."),
    *("Pay with 4111 1111 1111 1111 or DE89 3704 0044 0532 0130 00.", "Key: sk-abcdefghijklmnopqrstuvwxyz0123456789"),
    *(
        "a\u2028b \u202e 👩‍🚀 'quotes' \\ \r\n\ttabs",
        "ÆØÅ und ẞ, 中文字符, кириллица.",
        "<|im_start|>",
        "[INST] so [/INST]",
    ),
)
_ERRORS = (" \n", "503 Service Unavailable", "Cut off ▌", "")


def _messages(number: int, rng: Random) -> tuple[Message, ...]:
    text = " ".join(f"word{rng.randrange(900)}" for _ in range(rng.randint(2, 30))) + f" {number}?"
    if number % 17 == 0:
        text += f" {rng.choice(_ODD[:6])}"
    system = (Message("system", "Be brief."),) if number % 3 == 0 else ()
    if number % 7 == 0:
        return (*system, Message("user", f"Begin {number}"), Message("assistant", "Well."), Message("user", text))
    return (*system, Message("user", text))


def _answers(prompt: Prompt, number: int, rng: Random) -> list[Answer]:
    found = []
    for model in MODELS:
        text = f"{model} on {number}: " + " ".join(f"w{rng.randrange(2_000)}" for _ in range(rng.randint(1, 120)))
        if rng.random() < 0.15:
            text += f" {rng.choice(_ODD)}"
        if rng.random() < 0.05:
            text = rng.choice(_ERRORS)
        if rng.random() < 0.05:
            text = "the same text for all who say it"
        found.append(
            Answer(
                answer_id(prompt.id, model, text),
                prompt.id,
                ModelId(model),
                text,
                revision=rng.choice((None, "r1", "r2")),
                finish_reason=rng.choice(("stop", "stop", "stop", None, "length")),
            )
        )
    return found


def _thumbs(number: int) -> dict[Side, Thumb]:
    """By number alone, so that the rest of this world is what it was without."""
    said = {
        Side.A: (None, Thumb.UP, Thumb.DOWN, Thumb.UP)[number % 4],
        Side.B: (None, Thumb.DOWN, Thumb.UP)[number % 3],
    }
    return {side: thumb for side, thumb in said.items() if thumb is not None}


def _labels(rng: Random, verdict: Verdict) -> Labels:
    if rng.random() < 0.5:
        return Labels()
    scale = rng.choice((None, *(each for each in Scale if each.n_steps))) if verdict.is_decisive else None
    return Labels(
        scale=scale,
        strength=None if scale is None else rng.randint(1, scale.n_steps),
        dimensions={"truth": rng.choice((Verdict.A, Verdict.B, Verdict.TIE))} if rng.random() < 0.3 else {},
        reasons={Side.A: frozenset(("clear", "kind"))} if rng.random() < 0.3 else {},
        comment=rng.choice((None, "Mail me: eve@example.org", "Fine.")),
        confidence=rng.choice((None, *Confidence)),
        ratings={Side.A: rng.randint(1, 5), Side.B: rng.randint(1, 5)} if rng.random() < 0.4 else {},
        acceptable=rng.choice((None, True, False)),
    )


def fill(path: Path) -> None:
    """A database with votes of every kind that an export tells apart."""
    rng = Random(20260501)
    with VoteStore.open(path) as store:
        store.catalogue.add_models([Model(ModelId(each), each.title(), license="MIT") for each in MODELS], NOW)
        prompts = []
        for number in range(N_PROMPTS):
            known = (("general", "en"), ("code", None), (None, "de"))[number % 3]
            source = ("own", None, "mail of bob@example.org")[number % 3]
            licence = "CC0-1.0" if number % 2 else None
            messages = _messages(number, rng)
            prompts.append(Prompt(PromptId(f"p{number:04d}"), messages, *known, source=source, license=licence))
        prompts[9] = replace(prompts[9], messages=prompts[8].messages)
        store.catalogue.add_prompts(prompts, NOW)
        answers = [_answers(prompt, number, rng) for number, prompt in enumerate(prompts)]
        store.catalogue.add_answers([each for some in answers for each in some], NOW)
        store.votes.add_imported([_vote(number, prompts, answers, rng) for number in range(N_VOTES)], NOW)
        for number in range(0, N_VOTES, 97):
            voter = _voter(number)
            if voter is not None:
                store.votes.withdraw(Withdrawal(VoteId(f"vote-{number:05d}"), voter, NOW))
        store.exclusions.add(Exclusion(VoterId("voter-7"), True, "too fast", "host", NOW))
    with duckdb.connect(str(path)) as connection:
        # Conversations: of every third one the later turns hold the earlier ones.
        connection.execute(
            "update battles set conversation_id = 'c' || (substr(prompt_id, 2)::integer // 3), "
            "turn = 1 + substr(prompt_id, 2)::integer % 3 where substr(prompt_id, 2)::integer < 60"
        )


def _voter(number: int) -> VoterId | None:
    """Who cast a vote of this world; None where it does not tell."""
    return None if number % 11 == 0 else VoterId(f"voter-{number * 7 % 40}")


def _vote(
    number: int, prompts: Sequence[Prompt], answers: Sequence[Sequence[Answer]], rng: Random
) -> tuple[Battle, Vote]:
    at = rng.randrange(N_PROMPTS)
    one, other = rng.sample(answers[at], 2)
    key = f"vote-{number:05d}"
    is_bare = rng.random() < 0.01
    battle = Battle(
        BattleId(key),
        one.model_id,
        other.model_id,
        None if is_bare else prompts[at].id,
        None if is_bare else one.id,
        None if is_bare else other.id,
        item_kind=ItemKind.REPEAT if rng.random() < 0.02 else ItemKind.FRESH,
        batch=rng.choice((None, "first")),
    )
    # Voters prefer the longer text, so that they agree well enough.
    longer = Verdict.A if len(one.text) > len(other.text) else Verdict.B
    verdict = longer if rng.random() < 0.85 else rng.choice(tuple(Verdict))
    labels = replace(_labels(rng, verdict), thumbs=_thumbs(number))
    return battle, Vote(
        id=VoteId(key),
        battle_id=battle.id,
        verdict=verdict,
        source=Source.AI_JUDGE if rng.random() < 0.1 else Source.HUMAN,
        voter_id=_voter(number),
        voted_at=None if rng.random() < 0.05 else NOW + timedelta(minutes=number),
        shown_on_left=rng.choice((None, Side.A, Side.B)),
        time_to_vote_ms=rng.choice((None, 1_000, 70_000)),
        blind=rng.choice((None, True, True, True, False)),
        guideline_version=rng.choice((None, "v1")),
        purpose=rng.choice((None, "both", "train", "eval")),
        consent_version=rng.choice((None, "1")),
        import_key=key,
        labels=labels,
        comment_salt=None if labels.comment is None else f"salt of {key}",
    )


def described(folder: Path) -> dict[str, Any]:
    """A digest of the rows of every file, in their order, and of what the manifest says of them."""
    found = {}
    for file in sorted(folder.rglob("*.parquet")):
        digest = hashlib.sha256()
        for _, row in table.rows_of(file):
            digest.update(json.dumps(row, default=str).encode())
        found[file.relative_to(folder).as_posix()] = digest.hexdigest()[:16]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in ("files", "watermark", "app_version"):
        del manifest[name]
    found["manifest.json"] = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()[:16]
    return found


def exports(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every format by the usual choices, and by unusual ones."""
    fill(folder / "arena.duckdb")
    choices = {
        "usual": Choices(),
        "unusual": Choices(
            keep_conflicts=True, comments=True, unroll=Unroll.ALL, assume_acceptable=True, purposes=("both", "train")
        ),
    }
    with VoteStore.open(folder / "arena.duckdb") as store:
        for name, chosen in choices.items():
            order = Order(gold={PromptId(f"p{number:04d}") for number in range(100, 110)}, is_forced=True)
            out = folder / name
            export(store, out, names=tuple(formats()), order=order, choices=chosen, key=b"a key that is kept")
            yield name, described(out)


def test_every_format_has_the_rows_that_were_written_down(tmp_path: Path):
    assert dict(exports(tmp_path)) == json.loads(GOLDEN.read_text(encoding="utf-8"))


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        told = json.dumps(dict(exports(Path(place))), indent=1)
        sys.stdout.write(f"{told}\n")
        GOLDEN.write_text(f"{told}\n", encoding="utf-8")
