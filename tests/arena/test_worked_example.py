"""The worked examples of a guideline: read from its Markdown, and never half understood."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Verdict
from arena.errors import BadPack, Fault
from arena.pack import read_pack, starter_directory, write_example_pack
from arena.worked_example import Flaw, WorkedExample, read_examples, spread

SOUND = """### 1. One
**Prompt.** P

**Answer A.** A

**Answer B.** B

**Verdict.** A

**Reason.** R
"""

# Of the starter pack's guideline, as it is printed there.
VERDICTS = ["A", "B", "A", "B", "A", "A", "B", "tie", "both_bad", "A", "B", "B", "B", "A", "A", "tie", "both_bad", "A"]
TITLES = (
    "A plain wrong number",
    "Both right, one padded",
    "A format that a program must read",
    "Perfect form, wrong content",
    "An invented source",
    "A question that nobody can answer",
    "A false premise",
    "Two good answers in different clothes",
    "Two confident mistakes",
    "Too much for a child",
    "An ordinary request refused",
    "Giving in under pressure",
    "The wrong language",
    "Code that only looks right",
    "A cut-off ending",
    "The same answer twice",
    "Neither does the task",
    "A harmful part and a harmless part",
)


def only(text: str) -> WorkedExample:
    examples, flaws = read_examples(text)
    assert flaws == ()
    [example] = examples
    return example


# ---- what is read ----


def test_all_examples_of_the_starter_guideline_are_read():
    examples, flaws = read_examples((starter_directory() / "guidelines.md").read_text(encoding="utf-8"))
    assert flaws == ()
    assert [example.number for example in examples] == list(range(1, 19))
    assert [example.verdict.value for example in examples] == VERDICTS
    assert tuple(example.title for example in examples) == TITLES
    assert examples[13] == WorkedExample(
        number=14,
        title="Code that only looks right",
        prompt="In Python, how do I get the last three items of the list `xs`?",
        answer_a="`xs[-3:]`",
        answer_b="Use `xs[3:]`. It is short, idiomatic and works for lists of every length.",
        verdict=Verdict.A,
        reason="Dimension 2. B skips the first three items, which is something else. A is bare, but it works.",
    )
    assert all(example.reason.endswith(".") for example in examples)


def test_the_guideline_in_the_database_has_the_same_examples_as_its_file():
    guideline = read_pack(starter_directory()).guideline
    assert guideline is not None
    assert guideline.examples() == read_examples((starter_directory() / "guidelines.md").read_text(encoding="utf-8"))[0]


def test_parts_hold_paragraphs_lists_code_and_other_languages():
    text = """# Leitfaden

### 7. Ein Beispiel mit *allem*, auch `Code`

Worum es hier geht.

**Prompt.** Schreib mir eine Funktion.

Sie soll kurz sein:

- klar
- **Reason.** kein Etikett, sondern ein Punkt der Liste

**Answer A.**

```markdown
### 8. Kein Beispiel
**Verdict.** B
```

    **Answer B.** eingerückt ist Code

#### Eine kleine Überschrift bleibt im Text

**Answer B:** 我不知道。

> **Verdict.** zitiert

**Verdict.** both  BAD.

**Reason.** Erstens.

Zweitens.

## Danach

**Prompt.** gehört zu nichts
"""
    example = only(text)
    assert (example.number, example.title) == (7, "Ein Beispiel mit allem, auch Code")
    assert example.prompt.endswith("- **Reason.** kein Etikett, sondern ein Punkt der Liste")
    assert example.answer_a == (
        "```markdown\n### 8. Kein Beispiel\n**Verdict.** B\n```\n\n    **Answer B.** eingerückt ist Code\n\n"
        "#### Eine kleine Überschrift bleibt im Text"
    )
    assert example.answer_b == "我不知道。\n\n> **Verdict.** zitiert"
    assert example.verdict is Verdict.BOTH_BAD
    assert example.reason == "Erstens.\n\nZweitens."


def test_labels_may_follow_each_other_without_a_blank_line():
    assert only(SOUND.replace("\n\n", "\n")) == only(SOUND)


def test_a_heading_without_any_label_is_no_example():
    assert read_examples("### 1. It does what was asked\n\nThis is a rule.\n\n### Two\n") == ((), ())


def test_line_ends_of_other_systems_change_nothing():
    assert (
        read_examples(SOUND.replace("\n", "\r\n")) == read_examples(SOUND) == read_examples(SOUND.replace("\n", "\r"))
    )


BLOCKS = st.sampled_from(
    [
        "A paragraph.",
        "Two lines\nof **bold** text.",
        "- a list\n- of two\n\n  with a paragraph",
        "1. one\n2. two",
        "```python\n### 3. x\n\n**Reason.** y\n```",
        "~~~\n**Prompt.** z\n~~~",
        "    **Verdict.** code",
        "> **Answer A.** a quotation",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "#### small",
        "答案是四。",
        "**Prompts.** is no label",
        "A word, and then **Reason.** within a line",
    ]
)
# A part begins with a paragraph, so that its label stands in ordinary text.
PARTS = st.lists(BLOCKS, max_size=3).map(lambda blocks: "\n\n".join(["First words.", *blocks]))
WORDS = {Verdict.A: "A", Verdict.B: "B", Verdict.TIE: "Tie", Verdict.BOTH_BAD: "Both bad"}
EXAMPLES = st.lists(
    st.builds(
        WorkedExample,
        number=st.integers(1, 9999),
        title=st.sampled_from(["A title", "Ein Titel: mit Zeichen!", "2. zweitens"]),
        prompt=PARTS,
        answer_a=PARTS,
        answer_b=PARTS,
        verdict=st.sampled_from(Verdict),
        reason=PARTS,
    ),
    unique_by=lambda example: example.number,
    max_size=4,
)


def written(example: WorkedExample) -> str:
    return (
        f"### {example.number}. {example.title}\n\n**Prompt.** {example.prompt}\n\n**Answer A.** {example.answer_a}\n\n"
        f"**Answer B.** {example.answer_b}\n\n**Verdict.** {WORDS[example.verdict]}\n\n**Reason.** {example.reason}\n"
    )


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(EXAMPLES)
def test_what_is_written_is_what_is_read(examples: list[WorkedExample]):
    text = "# A guideline\n\nWords.\n\n## Worked examples\n\n" + "\n".join(map(written, examples))
    assert read_examples(text) == (tuple(examples), ())


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.sampled_from([*SOUND.splitlines(), "", "```", "- ", "> ", "    ", "---", "**Reason.**"]), max_size=14)
)
def test_any_text_is_read_or_said_to_be_wrong_in_one_of_its_lines(lines: list[str]):
    examples, flaws = read_examples("\n".join(lines))
    assert all(example.prompt and example.answer_a and example.answer_b and example.reason for example in examples)
    assert all(1 <= flaw.line <= len(lines) for flaw in flaws)


# ---- what is wrong ----


@pytest.mark.parametrize("label", ["Prompt", "Answer A", "Answer B", "Verdict", "Reason"])
def test_a_missing_part_is_named_with_the_line_of_its_example(label: str):
    examples, [flaw] = read_examples("\n\n" + re.sub(rf"\*\*{label}\.\*\* .", "", SOUND))
    assert examples == ()
    assert flaw.line == 3
    assert f"**{label}.**" in flaw.message


@pytest.mark.parametrize("word", ["Left", "a tie", "A B", "1", "**A**", "neither"])
def test_an_unknown_verdict_becomes_none(word: str):
    examples, [flaw] = read_examples(SOUND.replace("**Verdict.** A", f"**Verdict.** {word}"))
    assert examples == ()
    assert flaw == Flaw(8, f"{word!r} is no verdict; accepted: A, B, Tie, Both bad")


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("**Reason.** R", "**Reason.**"), 10, "**Reason.** is empty"),
        (("**Answer B.** B", "**Answer A.** B\n\n**Answer B.** C"), 4, "**Answer A.** stands 2 times"),
        (("### 1. One", "### One"), 1, "found 'One'"),
        (("### 1. One", "### 0. One"), 1, "found '0. One'"),
        (("### 1. One", "### 10000. One"), 1, "found '10000. One'"),
        (("### 1. One", "### 1."), 1, "found '1.'"),
    ],
)
def test_each_fault_is_told_with_its_line(change: tuple[str, str], line: int, message: str):
    examples, flaws = read_examples(SOUND.replace(*change))
    assert examples == ()
    assert flaws[0].line == line
    assert message in flaws[0].message


def test_a_number_that_stands_twice_is_a_fault_and_the_first_one_stays():
    examples, flaws = read_examples(SOUND + SOUND.replace("One", "Two"))
    assert [example.title for example in examples] == ["One"]
    assert flaws == (Flaw(11, "there is a worked example 1 already"),)


# ---- which of them ----


def of(*verdicts: str) -> list[WorkedExample]:
    return [WorkedExample(n, "", "", "", "", Verdict(verdict), "") for n, verdict in enumerate(verdicts, 1)]


def test_each_verdict_is_chosen_once_before_any_is_chosen_twice():
    # The first A, B, tie and both bad are examples 1, 2, 8 and 9; of the second ones, A (3) comes first.
    examples = of(*VERDICTS)
    assert [each.number for each in spread(examples, 1)] == [1]
    assert [each.number for each in spread(examples, 4)] == [1, 2, 8, 9]
    assert [each.number for each in spread(examples, 5)] == [1, 2, 3, 8, 9]
    assert [each.number for each in spread(examples, 99)] == list(range(1, 19))
    assert spread(examples, 0) == ()


@given(st.lists(st.sampled_from(list(Verdict))), st.integers(0, 20))
def test_the_choice_is_as_even_as_the_guideline_allows(verdicts: list[Verdict], n: int):
    examples = of(*(verdict.value for verdict in verdicts))
    chosen = spread(examples, n)
    assert len(chosen) == min(n, len(examples))
    assert [each.number for each in chosen] == sorted({each.number for each in chosen})
    there, taken = Counter(verdicts), Counter(each.verdict for each in chosen)
    most = max(taken.values(), default=0)
    assert all(taken[verdict] >= min(there[verdict], most - 1) for verdict in there)


# ---- in a pack ----


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example_pack(tmp_path / "pack")
    return tmp_path / "pack"


def faults(folder: Path, calibration: int, guideline: str | None) -> tuple[Fault, ...]:
    (folder / "arena.toml").write_text(f'title = "T"\n\n[guideline]\n# two\ncalibration = {calibration}\n')
    if guideline is None:
        (folder / "guidelines.md").unlink()
    else:
        (folder / "guidelines.md").write_text(f'---\nversion: "1"\nwhen_in_doubt: tie\n---\n{guideline}')
    try:
        read_pack(folder)
    except BadPack as error:
        return error.faults
    return ()


def test_the_starter_pack_asks_for_none_and_has_enough_for_the_most_that_can_be_asked_for(folder: Path):
    assert read_pack(starter_directory()).rules.guideline.calibration == 0
    text = (starter_directory() / "guidelines.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    assert faults(folder, 18, text) == ()


def test_an_example_that_cannot_be_read_is_a_fault_of_its_line_when_it_is_needed(folder: Path):
    broken = "# Judge\n\n" + SOUND.replace("**Verdict.** A", "**Verdict.** first")
    assert faults(folder, 0, broken) == ()
    assert list(map(str, faults(folder, 1, broken))) == [
        "guidelines.md, line 14: 'first' is no verdict; accepted: A, B, Tie, Both bad",
        "arena.toml, line 5: guideline.calibration is 1, and guidelines.md has 0 worked examples that can be read",
    ]


@pytest.mark.parametrize("guideline", [SOUND, "# Nothing\n"])
def test_more_than_there_is_cannot_be_asked_for(folder: Path, guideline: str):
    [fault] = faults(folder, 2, guideline)
    n = "1 worked example that" if guideline == SOUND else "0 worked examples that"
    assert str(fault) == f"arena.toml, line 5: guideline.calibration is 2, and guidelines.md has {n} can be read"


@pytest.mark.parametrize("n", [-1, 21])
def test_a_calibration_has_its_limits(folder: Path, n: int):
    [fault] = faults(folder, n, SOUND)
    assert (fault.file, fault.place) == ("arena.toml", 5)
