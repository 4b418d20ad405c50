"""The starter pack is what it says: varied, complete, and honest about being a demonstration."""

import re
from collections import Counter

import pytest

from arena.pack import Pack, read_pack, starter_directory
from arena.pairing import text_key
from ground import ROOT

LABELS = ("Prompt", "Answer A", "Answer B", "Verdict", "Reason")


@pytest.fixture(scope="module")
def pack() -> Pack:
    return read_pack(starter_directory())


def test_it_is_the_folder_of_this_project():
    assert starter_directory() == ROOT / "data"


def test_there_are_enough_prompts_of_enough_kinds(pack: Pack):
    assert len(pack.prompts) >= 20
    assert len({prompt.category for prompt in pack.prompts}) >= 6
    assert len({prompt.language for prompt in pack.prompts}) >= 3
    assert sum(len([m for m in prompt.messages if m.role == "user"]) > 1 for prompt in pack.prompts) >= 3
    assert len(pack.checks) >= 2


def test_every_contender_answers_every_prompt_in_words_of_its_own(pack: Pack):
    assert len(pack.models) >= 5
    assert Counter((answer.prompt_id, answer.model_id) for answer in pack.answers) == Counter(
        {(prompt.id, model.id): 1 for prompt in pack.prompts for model in pack.models}
    )
    keys = Counter(text_key(answer.text) for answer in pack.answers)
    assert "" not in keys
    assert keys.most_common(1)[0][1] == 1


def test_the_habits_differ_plainly_in_length(pack: Pack):
    words = {model.id: 0 for model in pack.models}
    for answer in pack.answers:
        words[answer.model_id] += len(answer.text.split())
    assert max(words.values()) > 3 * min(words.values())


def test_no_answer_names_a_contender(pack: Pack):
    names = {name.lower() for model in pack.models for name in (model.id, model.name, *model.aliases)}
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b", re.IGNORECASE)
    assert [answer.text[:60] for answer in pack.answers if pattern.search(answer.text)] == []


def test_every_constraint_is_kept_by_some_answers_and_missed_by_others(pack: Pack):
    for prompt_id, checks in pack.checks.items():
        texts = [answer.text for answer in pack.answers if answer.prompt_id == prompt_id]
        kept = [all(check.is_met_by(text) for check in checks) for text in texts]
        assert 0 < sum(kept) < len(kept), prompt_id


def test_the_guideline_has_its_parts_and_enough_worked_examples(pack: Pack):
    assert pack.guideline is not None
    for part in ('What "better" means', "The order of dimensions", "Edge cases", "When in doubt", "Worked examples"):
        assert f"## {part}\n" in pack.guideline.text
    examples = re.split(r"^### ", pack.guideline.text.split("## Worked examples\n")[1], flags=re.MULTILINE)[1:]
    assert len(examples) >= 12
    for example in examples:
        assert re.findall(r"^\*\*(.+?)\.\*\*", example, re.MULTILINE) == list(LABELS), example[:60]
    verdicts = set(re.findall(r"^\*\*Verdict\.\*\* (.+)$", pack.guideline.text, re.MULTILINE))
    assert verdicts == {"A", "B", "Tie", "Both bad"}


def test_it_says_that_it_is_a_demonstration_and_under_which_licence():
    readme = (starter_directory() / "README.md").read_text(encoding="utf-8")
    assert "demonstration" in readme
    assert "not language models" in readme
    assert "CC0-1.0" in readme
    for column in ("prompt_id", "model_id", "text", "messages", "checks", "organization", "aliases"):
        assert f"`{column}`" in readme
