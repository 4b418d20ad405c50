"""What the docs say is true: every session runs as shown, and nothing that exists is left out."""

import re
import shutil
from pathlib import Path

import pytest

from arena.cli import cli
from arena.consent import ConsentRules
from arena.errors import ArenaError
from arena.foreign_table import OPTIONAL, REQUIRED
from arena.labels import Dimension
from arena.leaderboard import Entry, Leaderboard
from arena.pack import AnswerRow, ModelRow, PromptRow
from arena.preferences.formats import formats
from arena.preferences.formats.pairs import PROVENANCE
from arena.rules import Rules
from arena.settings import PREFIX, Settings
from arena.store import VoteStore
from console import NOT_RUN, Shell, sessions, steady
from ground import ROOT, skip_or_fail

DOCS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "data" / "README.md",
]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", [path for path in DOCS if any(sessions(path.read_text()))], ids=name_of)
def test_every_session_runs_as_shown(document: Path, tmp_path: Path, request: pytest.FixtureRequest):
    text = document.read_text(encoding="utf-8")
    if "$LLMFAO" in text:
        request.getfixturevalue("llmfao")
    if shutil.which("bash") is None:
        skip_or_fail("BASH", "the sessions in the docs run in bash, which is not here")
    shell = Shell(tmp_path)
    for entries in sessions(text):
        for entry in entries:
            if entry.is_run:
                assert steady(shell.run(entry)) == steady(entry.shown), entry.command


@pytest.mark.parametrize("document", DOCS, ids=name_of)
def test_every_make_target_that_is_named_exists(document: Path):
    makefile = text_of("Makefile")
    for target in re.findall(r"(?:^\$ |`)make (\w+)", document.read_text(encoding="utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


@pytest.mark.parametrize("document", DOCS, ids=name_of)
def test_every_link_inside_the_project_leads_somewhere(document: Path):
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (document.parent / link).exists(), link


def test_every_command_is_on_the_page_of_commands():
    commands = set(cli.commands)
    page = text_of("docs/commands.md")
    assert commands == set(re.findall(r"^## ([\w-]+)$", page, re.MULTILINE))
    assert commands == set(re.findall(r"^\$ bakeoff ([\w-]+) --help$", page, re.MULTILINE))


def test_every_setting_is_on_its_page_with_its_default():
    page = text_of("docs/settings.md")
    rows = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| (.+?) \|", page, re.MULTILINE))
    defaults = {name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    told = {name: default.strip("`").replace("unset", "None") for name, default in rows.items()}
    assert told == defaults


def rule_keys(model: type = Rules, prefix: str = "") -> dict[str, object]:
    keys: dict[str, object] = {}
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        if hasattr(field.annotation, "model_fields"):
            keys |= rule_keys(field.annotation, f"{prefix}{name}.")
        else:
            keys[prefix + name] = field.default
    return keys


def as_toml(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return "[]" if default == () else str(default)


def test_every_key_of_a_pack_is_on_its_page():
    page = text_of("docs/packs.md")
    told = dict(re.findall(r"^\| `([\w.]+)` \| (?!yes|no)(.+?) \|", page, re.MULTILINE))
    assert {key: default.strip('`"').replace("unset", "None") for key, default in told.items()} == {
        key: as_toml(default) for key, default in rule_keys().items()
    }
    dimension = page.split("### Labels")[1].split("\n### ")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", dimension, re.MULTILINE)) == {
        name: "yes" if field.is_required() else "no" for name, field in Dimension.model_fields.items()
    }
    asked = page.split("### Consent")[1].split("\n### ")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", asked, re.MULTILINE)) == {
        name: "yes" if field.is_required() else "no" for name, field in ConsentRules.model_fields.items()
    }
    for file, row in (("models.jsonl", ModelRow), ("prompts.jsonl", PromptRow), ("answers.jsonl", AnswerRow)):
        section = page.split(f"## {file}")[1].split("\n## ")[0]
        told_needed = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", section, re.MULTILINE))
        assert told_needed == {name: "yes" if field.is_required() else "no" for name, field in row.model_fields.items()}


def test_every_field_of_an_import_is_on_the_page_of_commands():
    page = text_of("docs/commands.md")
    for kind in REQUIRED:
        [told] = re.findall(rf"^\| `{kind}` \| (.+) \|$", page, re.MULTILINE)
        expected = [*(f"**{name}**" for name in REQUIRED[kind]), *OPTIONAL[kind]]
        assert told.split(", ") == expected


def test_every_table_and_column_is_on_the_page_of_the_schema(store: VoteStore):
    page = text_of("docs/schema.md")
    told = {
        name: columns.split(", ")
        for name, columns in re.findall(r"^\| `(\w+)` \| .+ \| `(.+)` \|$", page, re.MULTILINE)
    }
    with store._database.read() as cursor:
        rows = cursor.execute(
            "select table_name, column_name from duckdb_columns() where not internal order by table_name, column_index"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    view = found.pop("vote_log")
    assert told == found
    assert ", ".join(view) in " ".join(page.split()).replace("`", "")


def test_every_column_of_an_export_is_on_its_page():
    page = text_of("docs/exports.md")
    of_formats, _, rest = page.partition("## What becomes of each vote")[0].partition("| column |")
    shared = [
        name
        for cell in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", rest, re.MULTILINE)
        for name in re.findall(r"\w+", cell)
    ]
    assert shared == list(PROVENANCE)
    told = {}
    for name, cell, more in re.findall(r"^\| `(\w+)` \| (`\w+`(?:, `\w+`)*)( \+)? \|", of_formats, re.MULTILINE):
        told[name] = re.findall(r"\w+", cell) + (shared if more else [])
    assert told == {name: list(each.schema) for name, each in formats().items()}


def test_every_key_of_a_rating_is_on_the_page_of_commands():
    page = text_of("docs/commands.md").split("## rate")[1]
    for name in (*Leaderboard.__dataclass_fields__, *Entry.__dataclass_fields__):
        assert f"`{name.replace('entries', 'ratings')}`" in page, name


def test_every_error_is_in_the_tree_that_its_module_draws():
    module = text_of("arena/errors.py")
    drawn = module.split('"""')[1]

    def below(error: type) -> set[type]:
        return {error}.union(*(below(each) for each in error.__subclasses__()))

    for error in below(ArenaError):
        if error.__module__ == "arena.errors":
            assert error.__name__ in drawn, error.__name__


def test_every_room_is_in_the_picture_of_the_house():
    page = text_of("docs/architecture.md")
    for path in (*(ROOT / "arena").glob("*.py"), *(ROOT / "arena" / "store").glob("*.py")):
        if not path.name.startswith("__") and path.name != "row.py":
            assert path.name in page, path.name


@pytest.mark.parametrize("document", [*DOCS, ROOT / "CHANGELOG.md"], ids=name_of)
def test_the_project_speaks_of_itself_alone(document: Path):
    text = document.read_text(encoding="utf-8")
    assert not re.search(r"/work/|/root/|/tmp/|/home/|pypi\.org|files\.pythonhosted", text)


def test_what_is_not_run_is_only_what_sets_up_a_machine():
    commands = [
        entry.command
        for path in DOCS
        for session in sessions(path.read_text())
        for entry in session
        if not entry.is_run
    ]
    assert {command.split()[0] for command in commands} <= {prefix.strip() for prefix in NOT_RUN}
