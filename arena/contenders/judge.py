"""An AI judge: by which criteria it is asked, the question as it gets it, and the verdict that its reply ends with.

Answers are material and may be hostile. In the question each stands between marks with a code that is drawn for this
question alone; the verdict has to name the code, so that nothing that an answer says, and no judge that quotes it, can
be taken for a verdict. Pure, but for the built-in texts of questions, which are files beside this one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from arena import json_line
from arena.battle import Message, Side, Verdict
from arena.contenders.endpoint import Endpoint
from arena.guideline import Guideline
from arena.labels import HIGHEST_RATING, LOWEST_RATING, Dimension
from arena.record import Id, Strict

PLACES = ("criteria", "prompt", "answer_a", "answer_b", "form")
"""What the text of a question holds, each with a dollar sign before it."""

_BUILT_IN = Path(__file__).parent / "judge_prompts"

# A verdict stands at the end of a reply, within so many characters.
_LONGEST_VERDICT = 20_000


class Mode(StrEnum):
    """How a judge comes to a verdict."""

    PRINCIPLES = "principles"
    """It compares the two answers, by a guideline or a list of principles."""
    RUBRIC = "rubric"
    """It scores each answer on each dimension, and the higher sum is the better one."""


def _without_at(value: str) -> str:
    if "@" in value:
        raise ValueError(f"{value!r} holds an @, which stands between a judge and its version")
    return value


Short = Annotated[Id, AfterValidator(_without_at), Field(max_length=60)]


class JudgeRow(Strict):
    """One line of judges.jsonl."""

    id: Short
    name: Id
    version: Short
    endpoint: Endpoint
    mode: Annotated[Mode, Field(strict=False)]
    prompt: Id | None = None
    """The text of its question: a file of the pack, or a built-in one. Unset: the built-in one of its mode."""
    principles: list[Annotated[str, Field(min_length=1)]] | None = Field(default=None, min_length=1)
    """Unset: the guideline."""
    dimensions: list[Dimension] | None = Field(default=None, min_length=1)
    """Unset: those of `[labels]` in arena.toml."""
    ties: bool = True
    organization: str | None = None
    """Who made the judge's model, as models.jsonl has it: for whom it might have a weakness."""

    @model_validator(mode="after")
    def _fits_its_mode(self) -> "JudgeRow":
        wrong = "dimensions" if self.mode is Mode.PRINCIPLES else "principles"
        if getattr(self, wrong) is not None:
            raise ValueError(f"a judge with mode {self.mode.value!r} has no {wrong}")
        if self.mode is Mode.RUBRIC and not self.ties:
            raise ValueError("a rubric ties where its scores do: leave ties out, or let the judge go by principles")
        return self


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reply says, with the sides as they were shown."""

    verdict: Verdict
    reason: str | None = None
    scores: Mapping[Side, Mapping[str, int]] | None = None
    """By dimension; of a rubric alone."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge with everything that it is asked by. `template` is the text of its question, with PLACES in it."""

    id: str
    name: str
    version: str
    endpoint: Endpoint
    mode: Mode
    template: str
    criteria: str
    dimensions: tuple[str, ...] = ()
    """Ids, of a rubric alone."""
    ties: bool = True
    organization: str | None = None
    guideline_version: str | None = None
    """Of the guideline that it is asked by, if it is."""

    @property
    def label(self) -> str:
        """The judge in this version: another version is another voter."""
        return f"{self.id}@{self.version}"

    @property
    def digest(self) -> str:
        """Of all that a verdict hangs on: under one version it never changes. Where the server stands is no part."""
        told = [
            *(self.mode, self.template, self.criteria, self.dimensions, self.ties),
            *(self.endpoint.model, self.endpoint.system_prompt, self.endpoint.params, self.endpoint.provider),
        ]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]

    def question(self, asked: Sequence[Message], answer_a: str, answer_b: str, code: str) -> tuple[Message, ...]:
        """What the judge is asked of these two texts; `code` is for this question alone."""
        told = "\n\n".join(f"[{message.role}]\n{message.content}" for message in asked)
        # One pass: what looks like a place in an answer is left as it is.
        text = Template(self.template).substitute(
            criteria=self.criteria,
            prompt=_fenced("prompt", told, code),
            answer_a=_fenced("answer A", answer_a, code),
            answer_b=_fenced("answer B", answer_b, code),
            form=self._form(code),
        )
        return (Message("user", text),)

    def read(self, reply: str, code: str) -> Opinion | None:
        """The opinion that a reply ends with; None where it ends with none: that is no tie, but no verdict."""
        said = _object_at_the_end(reply)
        if said is None or said.get("code") != code:
            return None
        reason = said.get("reason")
        reason = reason.strip() or None if isinstance(reason, str) else None
        if self.mode is Mode.RUBRIC:
            scores = self._scores(said.get("scores"))
            return None if scores is None else Opinion(_higher(*map(_total, scores.values())), reason, scores)
        word = said.get("verdict")
        verdict = _WORDS.get(" ".join(word.replace("_", " ").casefold().split())) if isinstance(word, str) else None
        return None if verdict is None or verdict not in self._verdicts else Opinion(verdict, reason)

    @property
    def _verdicts(self) -> tuple[Verdict, ...]:
        return tuple(Verdict) if self.ties else (Verdict.A, Verdict.B)

    def _form(self, code: str) -> str:
        """What the end of a reply looks like; itself no verdict, as some judges repeat what they were shown."""
        reason = "why, in a sentence or two"
        if self.mode is Mode.RUBRIC:
            blank = dict.fromkeys(self.dimensions, f"{LOWEST_RATING} to {HIGHEST_RATING}")
            form = {"code": code, "reason": reason, "scores": {side.value: blank for side in Side}}
            return f"{json.dumps(form)}\nEach score is a whole number from {LOWEST_RATING} to {HIGHEST_RATING}."
        meanings = {
            Verdict.A: "answer A is better",
            Verdict.B: "answer B is better",
            Verdict.TIE: "both are about equally good",
            Verdict.BOTH_BAD: "neither is of use",
        }
        listed = "; ".join(f'"{each.value}": {meanings[each]}' for each in self._verdicts)
        return f"{json.dumps({'code': code, 'reason': reason, 'verdict': '...'})}\nThe verdict is one of: {listed}."

    def _scores(self, given: Any) -> dict[Side, dict[str, int]] | None:
        """Every dimension of both answers, each a whole number in its range; None for anything else."""
        if not isinstance(given, dict):
            return None
        scores = {side: given.get(side.value) for side in Side}
        for told in scores.values():
            if not isinstance(told, dict) or told.keys() != set(self.dimensions):
                return None
            if not all(type(each) is int and LOWEST_RATING <= each <= HIGHEST_RATING for each in told.values()):
                return None
        return scores  # pyright: ignore[reportReturnType] - looked through above


_WORDS = {verdict.value.replace("_", " ").casefold(): verdict for verdict in Verdict}


def to_judge(row: JudgeRow, directory: Path, guideline: Guideline | None, dimensions: Sequence[Dimension]) -> Judge:
    """The judge of a line, with the texts that it names. Raises ValueError for what is not there."""
    criteria, listed = _criteria(row, guideline, row.dimensions or dimensions)
    by_guideline = row.mode is Mode.PRINCIPLES and row.principles is None
    return Judge(
        id=row.id,
        name=row.name,
        version=row.version,
        endpoint=row.endpoint.model_copy(update={"params": {"temperature": 0} | row.endpoint.params}),
        mode=row.mode,
        template=_template(row, directory),
        criteria=criteria,
        dimensions=listed,
        ties=row.ties,
        organization=row.organization,
        guideline_version=guideline.version if by_guideline and guideline is not None else None,
    )


def _criteria(
    row: JudgeRow, guideline: Guideline | None, dimensions: Sequence[Dimension]
) -> tuple[str, tuple[str, ...]]:
    """What a judge is asked to go by, in words, and the ids of the dimensions of a rubric."""
    if row.mode is Mode.RUBRIC:
        if not dimensions:
            raise ValueError("a rubric needs dimensions: name them here, or under [[labels.dimensions]] in arena.toml")
        told = [f"- {each.id}: {each.name}{f'. {each.meaning}' if each.meaning else ''}" for each in dimensions]
        return "\n".join(told), tuple(each.id for each in dimensions)
    if row.principles is not None:
        return "\n".join(f"- {each}" for each in row.principles), ()
    if guideline is None:
        raise ValueError("there is no guidelines.md to judge by: write one, or name principles here")
    return guideline.text.strip(), ()


def _template(row: JudgeRow, directory: Path) -> str:
    name = row.prompt or f"{row.mode.value}-1"
    if Path(name).name != name or name in (".", ".."):
        raise ValueError(f"prompt is {name!r}: name a file that lies in the pack itself")
    built_in = sorted(path.stem for path in _BUILT_IN.glob("*.txt"))
    path = _BUILT_IN / f"{name}.txt" if name in built_in else directory / name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        known = ", ".join(built_in)
        raise ValueError(f"prompt is {name!r}: no file of the pack, and none of the built-in {known}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8: byte {error.start:,} cannot be read") from error
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from error
    template = Template(text)
    if not template.is_valid():
        raise ValueError(f"{name} holds a $ that is no place; write $$ for the sign itself")
    found = template.get_identifiers()
    missing, unknown = [each for each in PLACES if each not in found], [each for each in found if each not in PLACES]
    if missing or unknown:
        what = f"lacks ${missing[0]}" if missing else f"holds ${unknown[0]}"
        raise ValueError(f"{name} {what}; it needs each of {', '.join(f'${each}' for each in PLACES)}, and no other")
    return text


def _fenced(what: str, text: str, code: str) -> str:
    return f"<<{what} {code}>>\n{text}\n<<end of {what} {code}>>"


def _object_at_the_end(reply: str) -> dict[str, Any] | None:
    """The JSON object that a reply ends with, a fence of Markdown aside."""
    text = reply.rstrip().removesuffix("```").rstrip()[-_LONGEST_VERDICT:]
    start = text.rfind("{")
    while start >= 0:
        try:
            return json_line.parse(text[start:].encode())
        except (json_line.NoJson, UnicodeEncodeError):
            start = text.rfind("{", 0, start)
    return None


def _total(scores: Mapping[str, int]) -> int:
    return sum(scores.values())


def _higher(a: int, b: int) -> Verdict:
    return Verdict.TIE if a == b else Verdict.A if a > b else Verdict.B


def of_dimension(scores: Mapping[Side, Mapping[str, int]], dimension: str) -> Verdict:
    """Which answer a rubric's scores put first on one dimension; never both bad."""
    return _higher(*(scores[side][dimension] for side in Side))
