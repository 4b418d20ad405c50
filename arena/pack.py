"""A pack: a folder with everything that a bake-off needs, read and checked as a whole.

Unknown keys, unknown ids and duplicates are faults, each with file and line; nothing is guessed. Reading does not
stop at the first fault, so that `bakeoff check` can list them all.
"""

import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from arena.battle import Answer, AnswerId, Message, Model, ModelId, Prompt, PromptId, Source
from arena.errors import BadInput, BadPack, Fault

ARENA_FILE = "arena.toml"
GUIDELINES_FILE = "guidelines.md"
MODELS_FILE = "models.jsonl"
PROMPTS_FILE = "prompts.jsonl"
ANSWERS_FILE = "answers.jsonl"
README_FILE = "README.md"

Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]


class Strict(BaseModel):
    """A record whose unknown keys are errors and whose values are not coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BallotRules(Strict):
    """`[ballot]` in arena.toml."""

    expires_after_minutes: int = Field(default=120, ge=1, le=7 * 24 * 60)


class RatingRules(Strict):
    """`[rating]` in arena.toml: how the board of this arena is computed."""

    sources: tuple[Annotated[Source, Field(strict=False)], ...] | None = Field(default=None, min_length=1, strict=False)
    rounds: int = Field(default=1000, ge=100, le=100_000)
    seed: int = Field(default=0, ge=0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    provisional_below: int = Field(default=30, ge=0)


class Rules(Strict):
    """arena.toml: how this arena greets, draws, counts and rates. Every key has the default shown here."""

    title: str = Field(default="Bakeoff", min_length=1, max_length=80)
    welcome: str = Field(default="", max_length=400)
    ballot: BallotRules = BallotRules()
    rating: RatingRules = RatingRules()


class ModelRow(Strict):
    """One line of models.jsonl."""

    id: Id
    name: str = Field(min_length=1, max_length=200)
    organization: str | None = None
    license: str | None = None
    open_weights: bool | None = None
    url: str | None = None
    aliases: list[str] = []

    def to_model(self) -> Model:
        facts = self.model_dump(exclude={"id", "aliases"})
        return Model(id=ModelId(self.id), aliases=tuple(self.aliases), **facts)


class MessageRow(Strict):
    """One turn of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class CheckRow(Strict):
    """A constraint of a prompt that a program can check: an answer meets it where the pattern is found in it."""

    pattern: str
    meaning: str = Field(min_length=1)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return pattern

    def is_met_by(self, text: str) -> bool:
        return re.search(self.pattern, text) is not None


class PromptRow(Strict):
    """One line of prompts.jsonl."""

    id: Id
    messages: list[MessageRow] = Field(min_length=1)
    category: str | None = None
    language: str | None = None
    source: str | None = None
    license: str | None = None
    checks: list[CheckRow] = []

    @model_validator(mode="after")
    def _ends_with_the_user(self) -> "PromptRow":
        roles = [message.role for message in self.messages]
        if roles[-1] != "user":
            raise ValueError(f"the last message is the {roles[-1]}'s; a prompt ends with the user's")
        if "system" in roles[1:]:
            raise ValueError("a system message can only be the first one")
        return self

    def to_prompt(self) -> Prompt:
        return Prompt(
            id=PromptId(self.id),
            messages=tuple(Message(message.role, message.content) for message in self.messages),
            category=self.category,
            language=self.language,
            source=self.source,
            license=self.license,
        )


class AnswerRow(Strict):
    """One line of answers.jsonl. The text may be empty, as real answers are; such an answer is never served."""

    prompt_id: Id
    model_id: Id
    text: str
    revision: str | None = None
    params: dict[str, Any] | None = None
    tokens: int | None = Field(default=None, ge=0)
    latency_ms: float | None = Field(default=None, ge=0, strict=False)
    finish_reason: str | None = None

    def to_answer(self) -> Answer:
        made = self.model_dump(exclude={"prompt_id", "model_id", "text"})
        return Answer(
            id=answer_id(self.prompt_id, self.model_id, self.text),
            prompt_id=PromptId(self.prompt_id),
            model_id=ModelId(self.model_id),
            text=self.text,
            **made,
        )


class GuidelineHead(Strict):
    """The front matter of guidelines.md."""

    version: str = Field(min_length=1, max_length=40)
    when_in_doubt: Literal["tie", "shorter", "both_bad"]


@dataclass(frozen=True, slots=True)
class Guideline:
    """The versioned text that says what "better" means; every vote carries the version it was cast under."""

    version: str
    when_in_doubt: str
    text: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that has been read without a fault."""

    directory: Path
    rules: Rules
    rules_text: str
    guideline: Guideline | None
    models: tuple[Model, ...]
    prompts: tuple[Prompt, ...]
    answers: tuple[Answer, ...]
    checks: Mapping[PromptId, tuple[CheckRow, ...]]

    def constraints_met(self) -> Iterator[tuple[PromptId, str, int, int]]:
        """For each checkable constraint: its prompt, what it means, how many answers keep to it, of how many."""
        for prompt_id, checks in self.checks.items():
            texts = [answer.text for answer in self.answers if answer.prompt_id == prompt_id]
            for each in checks:
                yield prompt_id, each.meaning, sum(each.is_met_by(text) for text in texts), len(texts)


def answer_id(prompt_id: str, model_id: str, text: str) -> AnswerId:
    """The id of an answer: a digest of whose it is and what it says, so that another text is another answer."""
    digest = hashlib.sha256(json.dumps([prompt_id, model_id, text]).encode()).hexdigest()
    return AnswerId(digest[:32])


def starter_directory() -> Path:
    """Where the starter pack lies: inside an installed package, or in `data/` of a checkout."""
    installed = Path(__file__).parent / "starter_pack"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "data"


def read_pack(directory: Path) -> Pack:
    """Read and check a whole pack. Raises BadPack with every fault found."""
    if not directory.is_dir():
        raise BadInput(f"there is no pack folder {directory}. `bakeoff init {directory}` writes one to start from")
    faults: list[Fault] = []
    rules_text = _read_text(directory / ARENA_FILE, faults) or ""
    rules = _parse_rules(ARENA_FILE, rules_text, faults)
    guideline = _read_guideline(directory / GUIDELINES_FILE, faults)
    models = _read_rows(directory / MODELS_FILE, ModelRow, faults)
    prompts = _read_rows(directory / PROMPTS_FILE, PromptRow, faults)
    answers = _read_rows(directory / ANSWERS_FILE, AnswerRow, faults)
    _find_duplicates(MODELS_FILE, models, "id", lambda row: row.id, faults)
    _find_duplicates(PROMPTS_FILE, prompts, "id", lambda row: row.id, faults)
    _find_duplicates(
        ANSWERS_FILE, answers, "prompt_id and model_id", lambda row: f"{row.prompt_id} by {row.model_id}", faults
    )
    model_ids = {row.id for _, row in models}
    prompt_ids = {row.id for _, row in prompts}
    for line, row in answers:
        if row.prompt_id not in prompt_ids:
            faults.append(Fault(ANSWERS_FILE, line, f"prompt_id {row.prompt_id!r} is not in {PROMPTS_FILE}"))
        if row.model_id not in model_ids:
            faults.append(Fault(ANSWERS_FILE, line, f"model_id {row.model_id!r} is not in {MODELS_FILE}"))
    if faults:
        raise BadPack(directory, faults)
    return Pack(
        directory=directory,
        rules=rules,
        rules_text=rules_text,
        guideline=guideline,
        models=tuple(row.to_model() for _, row in models),
        prompts=tuple(row.to_prompt() for _, row in prompts),
        answers=tuple(row.to_answer() for _, row in answers),
        checks={PromptId(row.id): tuple(row.checks) for _, row in prompts if row.checks},
    )


def write_example_pack(directory: Path) -> tuple[Path, ...]:
    """Write a small working pack to start from: the starter pack's rules and guidelines, two models, two prompts.

    Refuses a folder that already holds something, so that nothing of the host's is ever overwritten.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadInput(f"{directory} already holds something. Name a new or an empty folder")
    starter = read_pack(starter_directory())
    kept_models = {model.id for model in starter.models[:2]}
    kept_prompts = {prompt.id for prompt in starter.prompts[:2]}
    kept: dict[str, Any] = {
        MODELS_FILE: lambda row: row["id"] in kept_models,
        PROMPTS_FILE: lambda row: row["id"] in kept_prompts,
        ANSWERS_FILE: lambda row: row["model_id"] in kept_models and row["prompt_id"] in kept_prompts,
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name in (ARENA_FILE, GUIDELINES_FILE, README_FILE):
        shutil.copyfile(starter.directory / name, directory / name)
    for name, is_kept in kept.items():
        lines = (starter.directory / name).read_text(encoding="utf-8").splitlines()
        chosen = [line for line in lines if line.strip() and is_kept(json.loads(line))]
        (directory / name).write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return tuple(sorted(directory.iterdir()))


def parse_rules(text: str) -> Rules:
    """Rules from the text of an arena.toml that has been checked before (as the database keeps it)."""
    return Rules.model_validate(tomllib.loads(text))


Row = TypeVar("Row", bound=Strict)


def _read_text(path: Path, faults: list[Fault]) -> str | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        faults.append(Fault(path.name, None, "the file is missing"))
    except UnicodeDecodeError as error:
        faults.append(Fault(path.name, None, f"the file is not UTF-8: byte {error.start:,} cannot be read"))
    except OSError as error:
        faults.append(Fault(path.name, None, f"the file cannot be read: {error.strerror}"))
    else:
        return text
    return None


def _parse_rules(file: str, text: str, faults: list[Fault]) -> Rules:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        faults.append(Fault(file, int(found[1]) if found else None, f"no valid TOML: {error}"))
        return Rules()
    try:
        return Rules.model_validate(values)
    except ValidationError as error:
        for place, message in sentences(error, Rules):
            faults.append(Fault(file, _line_of_key(text, place), message))
        return Rules()


def _line_of_key(text: str, place: Sequence[int | str]) -> int | None:
    names = [str(part) for part in place if isinstance(part, str)]
    if not names:
        return None
    pattern = re.compile(rf"^\s*(\[+\s*)?([\w.]+\.)?{re.escape(names[-1])}\s*(=|\])")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def _read_guideline(path: Path, faults: list[Fault]) -> Guideline | None:
    if not path.exists():
        return None
    text = _read_text(path, faults)
    if text is None:
        return None
    parts = re.split(r"^---\s*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        message = "the front matter is missing: begin with ---, version: ..., when_in_doubt: ..., ---"
        faults.append(Fault(path.name, 1, message))
        return None
    try:
        head = GuidelineHead.model_validate(yaml.safe_load(parts[1]) or {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        faults.append(Fault(path.name, mark.line + 1 if mark else None, "the front matter is no valid YAML"))
    except ValidationError as error:
        faults.extend(Fault(path.name, 1, f"front matter: {text}") for _, text in sentences(error, GuidelineHead))
    else:
        if parts[2].strip():
            return Guideline(head.version, head.when_in_doubt, parts[2].strip() + "\n")
        faults.append(Fault(path.name, None, "the guideline has no text below its front matter"))
    return None


def _read_rows(path: Path, kind: type[Row], faults: list[Fault]) -> list[tuple[int, Row]]:
    text = _read_text(path, faults)
    rows: list[tuple[int, Row]] = []
    for number, line in _lines(text or ""):
        try:
            value = json.loads(line, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
            # A half of a surrogate pair is no character: no database or browser would take it.
            line.encode("utf-8")
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            faults.append(Fault(path.name, number, "a text holds half of a surrogate pair (\\ud800 to \\udfff)"))
            continue
        except ValueError as error:
            faults.append(Fault(path.name, number, f"no valid JSON: {error}"))
            continue
        try:
            rows.append((number, kind.model_validate(value)))
        except ValidationError as error:
            faults.extend(Fault(path.name, number, message) for _, message in sentences(error, kind))
    if text is not None and not rows and not any(fault.file == path.name for fault in faults):
        faults.append(Fault(path.name, None, "the file holds no row"))
    return rows


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # Not splitlines(): U+2028 and its kin may stand inside a JSON string.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key {key!r} stands twice")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def sentences(error: ValidationError, kind: type[Strict]) -> Iterator[tuple[Sequence[int | str], str]]:
    """One sentence a problem, in our words where pydantic's would puzzle a host."""
    for problem in error.errors(include_url=False, include_context=False):
        place = problem["loc"]
        name = ".".join(str(part) for part in place)
        if problem["type"] == "extra_forbidden":
            yield place, f"unknown key {name!r}; known here: {', '.join(_known_keys(kind, place))}"
        elif problem["type"] == "missing":
            yield place, f"the key {name!r} is missing"
        elif problem["type"] == "value_error":
            yield place, str(problem["msg"]).removeprefix("Value error, ")
        else:
            shown = repr(problem["input"])
            shown = shown if len(shown) <= 80 else shown[:77] + "..."
            yield place, f"{name or 'the row'} is {shown}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _known_keys(kind: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    for part in place[:-1]:
        field = kind.model_fields.get(str(part))
        if field is None:
            continue
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        kind = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), kind)
    return list(kind.model_fields)


def _find_duplicates(file: str, rows: Sequence[tuple[int, Any]], what: str, key_of: Any, faults: list[Fault]) -> None:
    first_seen: dict[str, int] = {}
    for line, row in rows:
        key = key_of(row)
        if key in first_seen:
            faults.append(Fault(file, line, f"{what} {key!r} stands already in line {first_seen[key]}"))
        else:
            first_seen[key] = line
