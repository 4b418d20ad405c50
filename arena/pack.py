"""A pack: a folder with everything that a bake-off needs, read and checked as a whole.

Unknown keys, unknown ids and duplicates are faults, each with file and line; nothing is guessed. Reading does not
stop at the first fault, so that `bakeoff check` can list them all.
"""

import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from arena import json_line, name
from arena.battle import Answer, AnswerId, Message, Model, ModelId, Prompt, PromptId, Source
from arena.errors import BadInput, BadPack, Fault
from arena.pairing import Mode
from arena.plan import BothBad, Intervals, Ties

ARENA_FILE = "arena.toml"
GUIDELINES_FILE = "guidelines.md"
MODELS_FILE = "models.jsonl"
PROMPTS_FILE = "prompts.jsonl"
ANSWERS_FILE = "answers.jsonl"
README_FILE = "README.md"

_EXAMPLE_README = """# My bake-off

A pack for Bakeoff. `bakeoff check` on this folder lists every fault, `bakeoff serve --pack` on it opens the arena; the
votes go to `arena.duckdb` in this folder, with the voters' key beside it (never publish that).

| file | what to put there |
|---|---|
| `arena.toml` | title, welcome, and the rules; each key is explained there |
| `guidelines.md` | what "better" means for you; raise the version when you change it |
| `models.jsonl` | your contenders, one a line |
| `prompts.jsonl` | your prompts, one a line |
| `answers.jsonl` | each contender's answer to each prompt, one a line |

The two contenders and two prompts are examples: replace them.
"""

Id = Annotated[str, AfterValidator(name.parse)]


class Strict(BaseModel):
    """A record whose unknown keys are errors and whose values are not coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BallotRules(Strict):
    """`[ballot]` in arena.toml."""

    expires_after_minutes: int = Field(default=120, ge=1, le=7 * 24 * 60)
    skip: bool = True
    undo: bool = True
    show_others_from: int = Field(default=5, ge=0)


class PairingRules(Strict):
    """`[pairing]` in arena.toml: which pairs of models meet more often than others."""

    mode: Mode = "uniform"
    uniform_share: float = Field(default=0.1, ge=0.01, le=1)


class RatingRules(Strict):
    """`[rating]` in arena.toml: how the board of this arena is computed."""

    sources: tuple[Annotated[Source, Field(strict=False)], ...] | None = Field(default=None, min_length=1, strict=False)
    rounds: int = Field(default=1000, ge=100, le=100_000)
    seed: int = Field(default=0, ge=0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    provisional_below: int = Field(default=30, ge=0)
    ties: Annotated[Ties, Field(strict=False)] = Ties.HALF
    both_bad: Annotated[BothBad, Field(strict=False)] = BothBad.TIE
    intervals: Annotated[Intervals, Field(strict=False)] = Intervals.SANDWICH
    min_votes: int = Field(default=0, ge=0)

    def choices(self) -> dict[str, Any]:
        """What `arena.plan.Plan` takes of this."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "sources"}

    @field_validator("sources", mode="before")
    @classmethod
    def _are_known(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        unknown = [each for each in value if each not in tuple(Source)]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no source; known: {', '.join(Source)}")
        return tuple(Source(each) for each in value)


class Rules(Strict):
    """arena.toml: how this arena greets, draws, counts and rates. Every key has the default shown here."""

    title: str = Field(default="Bakeoff", min_length=1, max_length=80)
    welcome: str = Field(default="", max_length=400)
    ballot: BallotRules = BallotRules()
    pairing: PairingRules = PairingRules()
    rating: RatingRules = RatingRules()


class ModelRow(Strict):
    """One line of models.jsonl."""

    id: Id
    name: Id
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
    tokens: int | None = Field(default=None, ge=0, le=2**31 - 1)
    latency_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
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

    @property
    def has_a_pair(self) -> bool:
        """Whether any prompt has two answers with different texts, so that there is something to judge."""
        texts: dict[PromptId, set[str]] = {}
        for answer in self.answers:
            texts.setdefault(answer.prompt_id, set()).add(" ".join(answer.text.split()))
        return any(len(each - {""}) > 1 for each in texts.values())

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


def prompt_digest(messages: Sequence[Message]) -> str:
    """A digest of what was asked, by which a vote can prove what it was cast on."""
    told = json.dumps([[message.role, message.content] for message in messages])
    return hashlib.sha256(told.encode()).hexdigest()


def starter_directory() -> Path:
    """Where the starter pack lies: inside an installed package, or in `data/` of a checkout."""
    installed = Path(__file__).parent / "starter_pack"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "data"


def read_pack(directory: Path) -> Pack:
    """Read and check a whole pack. Raises BadPack with every fault found."""
    if directory.is_file():
        raise BadInput(f"{directory} is a file; a pack is a folder")
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
    for line, row in answers.rows:
        if prompts.is_whole and row.prompt_id not in prompts.ids:
            faults.append(Fault(ANSWERS_FILE, line, f"prompt_id {row.prompt_id!r} is not in {PROMPTS_FILE}"))
        if models.is_whole and row.model_id not in models.ids:
            faults.append(Fault(ANSWERS_FILE, line, f"model_id {row.model_id!r} is not in {MODELS_FILE}"))
    if faults:
        raise BadPack(directory, faults)
    return Pack(
        directory=directory,
        rules=rules,
        rules_text=rules_text,
        guideline=guideline,
        models=tuple(row.to_model() for _, row in models.rows),
        prompts=tuple(row.to_prompt() for _, row in prompts.rows),
        answers=tuple(row.to_answer() for _, row in answers.rows),
        checks={PromptId(row.id): tuple(row.checks) for _, row in prompts.rows if row.checks},
    )


def write_example_pack(directory: Path) -> tuple[Path, ...]:
    """Write a small working pack to start from: the starter pack's rules and guidelines, two models, two prompts.

    Refuses a folder that already holds something, so that nothing of the host's is ever overwritten.
    """
    try:
        if directory.is_dir() and any(directory.iterdir()):
            raise BadInput(f"{directory} already holds something. Name a new or an empty folder")
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{directory} cannot be made a folder: {error.strerror}. Name a new or an empty one") from error
    starter = read_pack(starter_directory())
    kept_models = {model.id for model in starter.models[:2]}
    kept_prompts = {prompt.id for prompt in starter.prompts[:2]}
    kept: dict[str, Any] = {
        MODELS_FILE: lambda row: row["id"] in kept_models,
        PROMPTS_FILE: lambda row: row["id"] in kept_prompts,
        ANSWERS_FILE: lambda row: row["model_id"] in kept_models and row["prompt_id"] in kept_prompts,
    }
    rules = re.sub(r"^title = .*$", 'title = "My bake-off"', starter.rules_text, flags=re.MULTILINE)
    rules = re.sub(r"^welcome = .*$", 'welcome = ""', rules, flags=re.MULTILINE)
    (directory / ARENA_FILE).write_text(rules, encoding="utf-8")
    (directory / README_FILE).write_text(_EXAMPLE_README, encoding="utf-8")
    shutil.copyfile(starter.directory / GUIDELINES_FILE, directory / GUIDELINES_FILE)
    for file, is_kept in kept.items():
        lines = (starter.directory / file).read_text(encoding="utf-8").splitlines()
        chosen = [line for line in lines if line.strip() and is_kept(json.loads(line))]
        (directory / file).write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return tuple(sorted(directory.iterdir()))


def parse_rules(text: str) -> Rules:
    """Rules from the text of an arena.toml that was checked when it came in, as the database keeps it.

    Raises BadInput if this program does not know them, as after a step back to an earlier version.
    """
    try:
        return Rules.model_validate(tomllib.loads(text))
    except ValidationError as error:
        [(_, message), *_] = sentences(error, Rules)
        raise BadInput(
            f"the database holds rules that this version cannot read: {message}. Update bakeoff, or bring in a pack "
            "that it knows"
        ) from error


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
    """The line of a TOML file in which a key stands: the first one up to which the file holds it."""
    lines = text.split("\n")
    for number in range(1, len(lines) + 1):
        try:
            value: Any = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value of several lines
        for key in place:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return number
    return None


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
    line_of: dict[str, int] = {}
    try:
        line_of = _keys_of(parts[1])
        head = GuidelineHead.model_validate(yaml.safe_load(parts[1]))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        faults.append(Fault(path.name, line, f"the front matter cannot be read: {getattr(error, 'problem', error)}"))
    except ValidationError as error:
        for place, message in sentences(error, GuidelineHead):
            faults.append(Fault(path.name, line_of.get(str(place[0]), 1) if place else 1, f"front matter: {message}"))
    else:
        if parts[2].strip():
            return Guideline(head.version, head.when_in_doubt, parts[2].strip() + "\n")
        faults.append(Fault(path.name, None, "the guideline has no text below its front matter"))
    return None


def _keys_of(text: str) -> dict[str, int]:
    """The keys of a YAML mapping with their lines. Raises YAMLError for anything else, or a key that stands twice."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise yaml.MarkedYAMLError(problem="it is no list of keys and values")
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if key.value in lines:
            raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
        lines[key.value] = key.start_mark.line + 1
    return lines


@dataclass(slots=True)
class _Rows(Generic[Row]):
    """The rows of a file that could be read, with their lines; the ids that stand in it, also in rows with a fault."""

    rows: list[tuple[int, Row]] = field(default_factory=list)
    ids: set[object] = field(default_factory=set)
    is_whole: bool = True  # whether every line was an object, so that an id that is not in `ids` is not in the file


def _read_rows(path: Path, kind: type[Row], faults: list[Fault]) -> _Rows[Row]:
    result: _Rows[Row] = _Rows()
    n_faults = len(faults)
    try:
        for number, line in json_line.lines_of(path):
            try:
                value = json_line.parse(line)
                result.ids.add(value["id"] if isinstance(value.get("id"), str) else None)
                result.rows.append((number, kind.model_validate(value)))
            except json_line.NoJson as error:
                result.is_whole = False
                faults.append(Fault(path.name, number, str(error)))
            except ValidationError as error:
                faults.extend(Fault(path.name, number, message) for _, message in sentences(error, kind))
    except FileNotFoundError:
        faults.append(Fault(path.name, None, "the file is missing"))
    except OSError as error:
        faults.append(Fault(path.name, None, f"the file cannot be read: {error.strerror}"))
    else:
        if not result.rows and len(faults) == n_faults:
            faults.append(Fault(path.name, None, "the file holds no row"))
    result.is_whole &= bool(result.ids)
    return result


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


def _find_duplicates(file: str, rows: _Rows[Row], what: str, key_of: Callable[[Row], str], faults: list[Fault]) -> None:
    first_seen: dict[str, int] = {}
    for line, row in rows.rows:
        key = key_of(row)
        if key in first_seen:
            faults.append(Fault(file, line, f"{what} {key!r} stands already in line {first_seen[key]}"))
        else:
            first_seen[key] = line
