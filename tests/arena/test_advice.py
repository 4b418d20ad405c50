"""Advice on a guideline: what good practice asks for, each piece with its line, and nothing against a good one."""

import re
from pathlib import Path

import pytest

from arena.advice import FEWEST_EXAMPLES, advice_on
from arena.battle import Verdict
from arena.errors import BadInput
from arena.pack import read_pack, starter_directory
from arena.store import VoteStore
from arenas import booth, fill, voter
from command import bakeoff
from ground import NOW

STARTER = (starter_directory() / "guidelines.md").read_text()
HEAD = '---\nversion: "1"\nwhen_in_doubt: tie\n---\n'


def told(text: str) -> list[str]:
    return [str(each) for each in advice_on("guidelines.md", text)]


def test_the_guideline_of_the_starter_pack_needs_no_advice():
    assert told(STARTER) == []


@pytest.mark.parametrize(
    ("taken", "left", "word"),
    [
        ('## What "better" means', "## Introduction", 'no section defines "better"'),
        ("## The order of dimensions", "## A list", "no section gives the order"),
        ("**Both are wrong.**", "**Some case.**", "both answers are wrong"),
        ("**Both are right.**", "**Some case.**", "both answers are good"),
        ("**Length.**", "**Some case.**", "a longer answer"),
    ],
)
def test_each_part_that_is_missing_is_one_piece_of_advice(taken: str, left: str, word: str):
    assert taken in STARTER
    [advice] = told(STARTER.replace(taken, left))
    assert word in advice


def test_dimensions_without_numbers_are_told_at_the_line_of_their_heading():
    text = re.sub(r"^\d\. ", "- ", STARTER, flags=re.MULTILINE)
    line = text.splitlines().index("## The order of dimensions") + 1
    [advice] = told(text)
    assert advice.startswith(
        f"guidelines.md, line {line}: the section on the order of the dimensions has no numbered list"
    )


def test_nine_worked_examples_are_too_few_and_ten_are_enough():
    def with_examples(n: int) -> str:
        return re.split(rf"^### {n + 1}\.", STARTER, flags=re.MULTILINE)[0]

    assert told(with_examples(FEWEST_EXAMPLES)) == []
    [advice] = told(with_examples(9))
    line = STARTER.splitlines().index("## Worked examples") + 1
    assert advice.startswith(f"guidelines.md, line {line}: 9 worked examples can be read, and 10 are the fewest")


def test_an_example_without_its_reason_is_told_by_its_line():
    text = re.sub(r"\*\*Reason.\*\* Both are correct, so dimension 4.*\n", "", STARTER)
    line = text.splitlines().index("### 2. Both right, one padded") + 1
    assert told(text) == [f"guidelines.md, line {line}: this worked example lacks **Reason.**"]


def test_what_stands_in_a_worked_example_is_no_edge_case():
    text = f"{HEAD}\n## Worked examples\n\n### 1. Both are wrong\n\nLength. Both are right.\n"
    assert sum("no edge case" in each for each in told(text)) == 3


@pytest.mark.parametrize(
    "headings",
    [
        "Was besser heißt|Reihenfolge|Beide sind falsch|Beide sind gut|Länge",
        "Ce que « meilleure » veut dire|Ordre|Les deux sont fausses|Les deux sont bonnes|Longueur",
        "Qué es mejor|Orden|Ambas son malas|Ambas son buenas|Longitud",
        "什么是更好|维度的顺序|两个都错|两个都对|长度",
    ],
    ids=["de", "fr", "es", "zh"],
)
def test_the_parts_are_found_in_the_languages_of_the_pages(headings: str):
    better, order, *cases = headings.split("|")
    edge = f"## X\n\n**{cases[0]}.** X\n\n- {cases[1]}: X\n\n### {cases[2]}\n"
    text = f"{HEAD}\n## {better}\n\nX\n\n## {order}\n\n1. X\n2. X\n\n{edge}"
    assert [each for each in told(text) if "worked example" not in each] == []


# ---- the command ----


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    assert bakeoff("init", tmp_path / "pack").code == 0
    return tmp_path / "pack"


def test_advice_is_no_fault_unless_it_is_taken_for_one(pack: Path):
    (pack / "guidelines.md").write_text(HEAD + "Vote.\n")
    said, strict = bakeoff("check", pack), bakeoff("check", pack, "--strict")
    assert (said.code, strict.code) == (0, 1)
    assert said.out == strict.out
    assert sum(line.startswith("advice: guidelines.md") for line in said.out.splitlines()) == 6
    assert "has no fault, and 6 pieces of advice" in said.err
    record = bakeoff("check", pack, "--strict", "--json").record
    assert record["faults"] == []
    assert [each["file"] for each in record["advice"]] == ["guidelines.md"] * 6


def test_a_good_guideline_passes_the_strict_check(pack: Path):
    said = bakeoff("check", pack, "--strict")
    assert said.code == 0
    assert "advice" not in said.out + said.err


def test_a_pack_without_guidelines_is_advised_to_have_them(pack: Path):
    (pack / "guidelines.md").unlink()
    said = bakeoff("check", pack)
    assert said.code == 0
    assert 'advice: guidelines.md: the file is missing: nobody tells voters what "better" means' in said.out
    assert bakeoff("check", pack, "--strict").code == 1


def test_a_calibration_without_guidelines_says_that_there_are_none(pack: Path):
    (pack / "guidelines.md").unlink()
    rules = (pack / "arena.toml").read_text().replace("calibration = 0", "calibration = 4")
    (pack / "arena.toml").write_text(rules)
    line = rules.splitlines().index("calibration = 4") + 1
    [fault] = bakeoff("check", pack).out.splitlines()
    assert fault.startswith(f"arena.toml, line {line}: guideline.calibration is 4, and there is no guidelines.md")


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ("version: '1'\n", "when_in_doubt"),
        ("when_in_doubt: tie\n", "version"),
        ("version: '1'\nwhen_in_doubt: tie\nwhen_in_doubt: shorter\n", "stands twice"),
        ("version: '1'\nwhen_in_doubt: whatever\n", "when_in_doubt"),
    ],
)
def test_a_guideline_without_one_default_or_a_version_is_a_fault(pack: Path, head: str, word: str):
    (pack / "guidelines.md").write_text(f"---\n{head}---\nText\n")
    said = bakeoff("check", pack, "--json")
    assert said.code == 1
    [fault] = said.record["faults"]
    assert word in fault["message"]


# ---- versions ----


def test_another_text_or_default_has_another_digest_and_is_refused_under_the_same_version(pack: Path, tmp_path: Path):
    db = tmp_path / "arena.duckdb"
    assert bakeoff("import", pack, "--db", db).code == 0
    digest = bakeoff("check", pack, "--json").record["guideline_digest"]
    for old, new in (("## When in doubt", "## In doubt"), ("when_in_doubt: tie", "when_in_doubt: shorter")):
        (pack / "guidelines.md").write_text(STARTER.replace(old, new))
        assert bakeoff("check", pack, "--json").record["guideline_digest"] != digest
        said = bakeoff("import", pack, "--db", db)
        assert said.code == 1
        assert "guideline version '1.0.0' is in the database with another text. Give the changed" in said.err
    (pack / "guidelines.md").write_text(STARTER)
    assert bakeoff("import", pack, "--db", db).code == 0


def test_every_vote_carries_the_version_of_the_guideline_it_was_cast_under(store: VoteStore):
    fill(store, NOW)
    starter = read_pack(starter_directory()).guideline
    assert starter is not None
    me = voter()
    for version in ("1", "2"):
        store.catalogue.set_rules("", type(starter)(version, "tie", f"Text {version}\n"), NOW)
        here = booth(store, NOW)
        ballot = here.open(me, NOW)
        here.cast(ballot.id, Verdict.TIE, me, NOW)
    with pytest.raises(BadInput, match="another text"):
        store.catalogue.set_rules("", type(starter)("1", "tie", "Text 3\n"), NOW)
    with store._database.read() as cursor:
        rows = cursor.execute("select guideline_version from votes order by seq").fetchall()
    assert rows == [("1",), ("2",)]
