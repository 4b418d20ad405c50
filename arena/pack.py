"""A pack: a folder with everything that a bake-off needs, read and checked as a whole.

Unknown keys, unknown ids and duplicates are faults, each with file and line; nothing is guessed. Reading does not
stop at the first fault, so that `bakeoff check` can list them all.
"""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from arena import json_line
from arena.advice import advice_on
from arena.battle import Answer, AnswerId, KnownVerdict, Message, Model, ModelId, Prompt, PromptId, Verdict
from arena.contenders.endpoint import Endpoint
from arena.contenders.judge import Judge, JudgeRow, to_judge
from arena.errors import BadInput, BadPack, Fault
from arena.guideline import Guideline, check_guideline
from arena.record import Id, Strict, sentences
from arena.rules import Rules, check_rules, line_of_key
from arena.worked_example import read_examples

ARENA_FILE = "arena.toml"
GUIDELINES_FILE = "guidelines.md"
MODELS_FILE = "models.jsonl"
PROMPTS_FILE = "prompts.jsonl"
ANSWERS_FILE = "answers.jsonl"
SAMPLES_FILE = "samples.jsonl"
JUDGES_FILE = "judges.jsonl"
GOLD_FILE = "gold.jsonl"
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
| `gold.jsonl` | not here yet: pairs whose verdict you know, for `gold` under `[items]` in `arena.toml` |

The two contenders and two prompts are examples: replace them.
"""


class ModelRow(Strict):
    """One line of models.jsonl."""

    id: Id
    name: Id
    organization: str | None = None
    license: str | None = None
    open_weights: bool | None = None
    url: str | None = None
    aliases: list[str] = Field(default_factory=list)
    endpoint: Endpoint | None = None

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
        except ValueError:  # a port that is no number, a bracket that is not closed
            is_address = False
        if not is_address or re.search(r"\s", url):
            raise ValueError(f"url is {url!r}: give the address of a page, as https://example.org/model, or null")
        return url

    def to_model(self) -> Model:
        facts = self.model_dump(exclude={"id", "aliases", "endpoint"})
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
        except (re.error, OverflowError, RecursionError) as error:
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
    checks: list[CheckRow] = Field(default_factory=list)

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
        made = self.model_dump(include={"revision", "params", "tokens", "latency_ms", "finish_reason"})
        return Answer(
            id=answer_id(self.prompt_id, self.model_id, self.text),
            prompt_id=PromptId(self.prompt_id),
            model_id=ModelId(self.model_id),
            text=self.text,
            **made,
        )


class SampleRow(AnswerRow):
    """One line of samples.jsonl: one more answer of a model to a prompt. Never served; judges choose among them."""

    sample: int = Field(ge=2, le=10_000)


class GoldRow(Strict):
    """One line of gold.jsonl: two answers of this pack to one prompt, the verdict on them, and why."""

    prompt_id: Id
    model_a: Id
    model_b: Id
    verdict: Literal["A", "B", "tie", "both_bad"]
    reason: str = Field(min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _is_a_pair(self) -> "GoldRow":
        if self.model_a == self.model_b:
            raise ValueError(f"model_a and model_b are both {self.model_a!r}; a verdict is on the answers of two")
        return self

    @property
    def pair(self) -> str:
        """The same for the same two answers, whichever is A."""
        return f"{self.prompt_id} by {' and '.join(sorted((self.model_a, self.model_b)))}"


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
    gold: tuple[KnownVerdict, ...] = ()
    endpoints: Mapping[ModelId, Endpoint] = field(default_factory=dict)
    """Where the models that are live answer."""
    samples: tuple[tuple[int, Answer], ...] = ()
    """Further answers, each with its number, which is 2 or more: the answer that is served is the first."""
    judges: tuple[Judge, ...] = ()
    guideline_source: str | None = None
    """guidelines.md as it stands, front matter and all."""

    def advice(self) -> list[Fault]:
        """What good practice asks of the guideline and it does not have. Nothing of it keeps an arena from running."""
        if self.guideline_source is None:
            return [Fault(GUIDELINES_FILE, None, 'the file is missing: nobody tells voters what "better" means')]
        return advice_on(GUIDELINES_FILE, self.guideline_source)

    @property
    def has_a_pair(self) -> bool:
        """Whether any prompt has two answers with different texts, so that there is something to judge."""
        texts: dict[PromptId, set[str]] = {}
        for answer in self.answers:
            texts.setdefault(answer.prompt_id, set()).add(" ".join(answer.text.split()))
        return any(len(each - {""}) > 1 for each in texts.values())

    def n_same_texts(self) -> int:
        """How many pairs of answers to one prompt have the same text but for blanks, so that nobody can tell them
        apart and they are never served; answers without text aside."""
        texts = Counter((answer.prompt_id, " ".join(answer.text.split())) for answer in self.answers)
        return sum(n * (n - 1) // 2 for (_, text), n in texts.items() if text)

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


def prompt_digest(messages: Sequence[Message], salt: str | None = None) -> str:
    """A digest of what was asked, by which a vote can prove what it was cast on; salted where a voter has typed it."""
    told = json.dumps([*([] if salt is None else [salt]), *([message.role, message.content] for message in messages)])
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
    rules = check_rules(ARENA_FILE, rules_text, faults)
    guideline_text = _read_guideline(directory / GUIDELINES_FILE, faults)
    guideline = None if guideline_text is None else check_guideline(GUIDELINES_FILE, guideline_text, faults)
    if rules.guideline.calibration:
        _check_calibration(rules.guideline.calibration, rules_text, guideline_text, faults)
    models = _read_rows(directory / MODELS_FILE, ModelRow, faults)
    prompts = _read_rows(directory / PROMPTS_FILE, PromptRow, faults)
    is_live = any(row.endpoint is not None for _, row in models.rows)
    answers = _read_rows(directory / ANSWERS_FILE, AnswerRow, faults, may_be_empty=is_live)
    _find_duplicates(MODELS_FILE, models, "id", lambda row: row.id, faults)
    _find_duplicates(PROMPTS_FILE, prompts, "id", lambda row: row.id, faults)
    _find_duplicates(
        ANSWERS_FILE, answers, "prompt_id and model_id", lambda row: f"{row.prompt_id} by {row.model_id}", faults
    )
    if rules.live.own_prompts and len(endpoints := [row for _, row in models.rows if row.endpoint is not None]) < 2:
        line = line_of_key(rules_text, ("live", "own_prompts"))
        message = (
            f"live.own_prompts wants two models that answer live, and {len(endpoints)} of {MODELS_FILE} has an endpoint"
        )
        faults.append(Fault(ARENA_FILE, line, message))
    samples = _read_rows(directory / SAMPLES_FILE, SampleRow, faults, may_be_empty=True)
    _find_duplicates(
        SAMPLES_FILE,
        samples,
        "prompt_id, model_id and sample",
        lambda row: f"{row.prompt_id} by {row.model_id}, sample {row.sample}",
        faults,
    )
    for file, line, row in (
        *((ANSWERS_FILE, *each) for each in answers.rows),
        *((SAMPLES_FILE, *each) for each in samples.rows),
    ):
        if prompts.is_whole and row.prompt_id not in prompts.ids:
            faults.append(Fault(file, line, f"prompt_id {row.prompt_id!r} is not in {PROMPTS_FILE}"))
        if models.is_whole and row.model_id not in models.ids:
            faults.append(Fault(file, line, f"model_id {row.model_id!r} is not in {MODELS_FILE}"))
    has_gold = (directory / GOLD_FILE).exists()
    gold = _read_rows(directory / GOLD_FILE, GoldRow, faults) if has_gold else _Rows[GoldRow]()
    _find_duplicates(GOLD_FILE, gold, "a verdict on", lambda row: row.pair, faults)
    known = tuple(_known_verdicts(gold, answers, faults))
    judges = _read_rows(directory / JUDGES_FILE, JudgeRow, faults, may_be_empty=True)
    _find_duplicates(JUDGES_FILE, judges, "id", lambda row: row.id, faults)
    made = tuple(_judges(directory, judges, guideline, rules, faults))
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
        gold=known,
        endpoints={ModelId(row.id): row.endpoint for _, row in models.rows if row.endpoint is not None},
        samples=tuple((row.sample, row.to_answer()) for _, row in samples.rows),
        judges=made,
        guideline_source=guideline_text,
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


def _read_guideline(path: Path, faults: list[Fault]) -> str | None:
    return _read_text(path, faults) if path.exists() else None


def _check_calibration(wanted: int, rules_text: str, guideline_text: str | None, faults: list[Fault]) -> None:
    """Only a calibration needs examples that a program can read; without one a guideline may be written in any way."""
    line = line_of_key(rules_text, ("guideline", "calibration"))
    if guideline_text is None:
        message = (
            f"guideline.calibration is {wanted}, and there is no {GUIDELINES_FILE} with worked examples: write one, or "
            "set it to 0"
        )
        faults.append(Fault(ARENA_FILE, line, message))
        return
    examples, flaws = read_examples(guideline_text)
    faults.extend(Fault(GUIDELINES_FILE, flaw.line, flaw.message) for flaw in flaws)
    if len(examples) < wanted:
        message = (
            f"guideline.calibration is {wanted}, and {GUIDELINES_FILE} has {len(examples)} worked "
            f"example{'' if len(examples) == 1 else 's'} that can be read"
        )
        faults.append(Fault(ARENA_FILE, line, message))


@dataclass(slots=True)
class _Rows(Generic[Row]):
    """The rows of a file that could be read, with their lines; the ids that stand in it, also in rows with a fault."""

    rows: list[tuple[int, Row]] = field(default_factory=list)
    ids: set[object] = field(default_factory=set)
    is_whole: bool = True  # whether every line was an object, so that an id that is not in `ids` is not in the file


def _read_rows(path: Path, kind: type[Row], faults: list[Fault], *, may_be_empty: bool = False) -> _Rows[Row]:
    """The rows of a file; `may_be_empty`: there need not be any, nor a file."""
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
        if not may_be_empty:
            faults.append(Fault(path.name, None, "the file is missing"))
    except OSError as error:
        faults.append(Fault(path.name, None, f"the file cannot be read: {error.strerror}"))
    else:
        if not may_be_empty and not result.rows and len(faults) == n_faults:
            faults.append(Fault(path.name, None, "the file holds no row"))
    result.is_whole &= bool(result.ids)
    return result


def _known_verdicts(gold: _Rows[GoldRow], answers: _Rows[AnswerRow], faults: list[Fault]) -> Iterator[KnownVerdict]:
    """The lines of gold.jsonl whose two answers are there and differ."""
    texts = {(row.prompt_id, row.model_id): row.text for _, row in answers.rows}
    for line, row in gold.rows:
        of = [(row.prompt_id, model) for model in (row.model_a, row.model_b)]
        missing = [f"{model!r} to {prompt!r}" for prompt, model in of if (prompt, model) not in texts]
        if missing:
            if answers.is_whole:
                faults.append(Fault(GOLD_FILE, line, f"no answer of {' and of '.join(missing)} is in {ANSWERS_FILE}"))
            continue
        one, other = (" ".join(texts[each].split()) for each in of)
        if one == other or not (one and other):
            what = "are the same text" if one == other else "are one text and a blank one"
            faults.append(Fault(GOLD_FILE, line, f"the two answers {what}, which no voter is ever given"))
            continue
        id_a, id_b = (answer_id(prompt, model, texts[prompt, model]) for prompt, model in of)
        yield KnownVerdict(PromptId(row.prompt_id), id_a, id_b, Verdict(row.verdict), row.reason)


def _judges(
    directory: Path, judges: _Rows[JudgeRow], guideline: Guideline | None, rules: Rules, faults: list[Fault]
) -> Iterator[Judge]:
    """The judges whose texts and criteria are there."""
    for line, row in judges.rows:
        try:
            yield to_judge(row, directory, guideline, rules.labels.dimensions)
        except ValueError as error:
            faults.append(Fault(JUDGES_FILE, line, str(error)))


def _find_duplicates(file: str, rows: _Rows[Row], what: str, key_of: Callable[[Row], str], faults: list[Fault]) -> None:
    first_seen: dict[str, int] = {}
    for line, row in rows.rows:
        key = key_of(row)
        if key in first_seen:
            faults.append(Fault(file, line, f"{what} {key!r} stands already in line {first_seen[key]}"))
        else:
            first_seen[key] = line
