"""What judges are asked: which pairs of answers, each in both orders, and what is kept of a reply."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from random import Random
from typing import Any

from arena.battle import Answer, AnswerId, Message, ModelId, Pair, Prompt, PromptId, pair_of
from arena.contenders.asking import Estimate, estimate
from arena.contenders.client import Completion
from arena.contenders.judge import Judge
from arena.contenders.judgement import MOST_ATTEMPTS, Key, ReplyRow, settled
from arena.errors import BadInput
from arena.pack import Pack
from arena.self_naming import Names, named_among

_CODE_BITS = 48

SAME_TEXT = "both answers have the same text"
BLANK = "an answer has no text"
NAMED = "an answer tells who wrote it, or the prompt asks for it"


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two answers to one prompt, with their texts as a judge sees them."""

    prompt: Prompt
    one: Answer
    other: Answer
    texts: Mapping[AnswerId, str]
    is_masked: bool = False

    @property
    def key(self) -> Pair:
        return pair_of(self.one.id, self.other.id)


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs that can be judged, prompt by prompt; `left_out` counts others by reason. `chosen` says which of all
    pairs these are, in words."""

    pairs: tuple[JudgedPair, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    chosen: str = "all pairs"

    def of(
        self, models: Collection[ModelId] | None, prompts: Collection[PromptId] | None, voted: Collection[Pair] | None
    ) -> "Pairs":
        """Those between two of these models, on these prompts, that people have voted on; None: any."""
        kept = tuple(
            each
            for each in self.pairs
            if (models is None or {each.one.model_id, each.other.model_id} <= set(models))
            and (prompts is None or each.prompt.id in prompts)
            and (voted is None or each.key in voted)
        )
        told = [
            *(["of one model's samples"] if "samples" in self.chosen else []),
            *(["of some models"] if models is not None else []),
            *(["on some prompts"] if prompts is not None else []),
            *(["with votes of people"] if voted is not None else []),
        ]
        is_all = models is None and prompts is None and voted is None
        return replace(self, pairs=kept, chosen=self.chosen if is_all else " ".join(["pairs", *told]))

    def drawn(self, n: int, seed: int) -> "Pairs":
        """So many of them, each as likely as any other, or all there are; in the order of all."""
        if n >= len(self.pairs):
            return self
        taken = sorted(Random(seed).sample(range(len(self.pairs)), n))  # noqa: S311 - a draw that can be made again
        chosen = f"{n:,} of {len(self.pairs):,} {self.chosen.removeprefix('all ')}, seed {seed}"
        return replace(self, pairs=tuple(self.pairs[each] for each in taken), chosen=chosen)


def pairs_of(pack: Pack, *, of_samples: bool = False) -> Pairs:
    """All pairs of answers of different texts to one prompt, by two models; or, of samples, by one.

    Answers that tell who wrote them are masked where arena.toml has them masked, and else not judged: a judge sees no
    names.
    """
    names = Names.of(pack.models)
    prompts = {prompt.id: prompt for prompt in pack.prompts}
    answers = (*pack.answers, *(answer for _, answer in pack.samples)) if of_samples else pack.answers
    told = ((each.id, each.prompt_id, each.model_id, each.text) for each in answers)
    named = {each.answer_id for each in named_among(names, prompts, told)}
    is_masking = pack.rules.ballot.named_answers == "mask"
    by_prompt: dict[PromptId, list[Answer]] = {}
    for answer in answers:
        by_prompt.setdefault(answer.prompt_id, []).append(answer)
    found: list[JudgedPair] = []
    left_out: Counter[str] = Counter()
    for prompt in pack.prompts:
        for one, other in combinations(by_prompt.get(prompt.id, ()), 2):
            two = (one, other)
            if (one.model_id == other.model_id) is not of_samples:
                continue
            texts = [" ".join(each.text.split()) for each in two]
            is_named = not named.isdisjoint((one.id, other.id))
            if not all(texts):
                left_out[BLANK] += 1
            elif texts[0] == texts[1]:
                left_out[SAME_TEXT] += 1
            elif is_named and not is_masking:
                left_out[NAMED] += 1
            else:
                shown = {a.id: names.masked(a.text, a.model_id) if a.id in named else a.text for a in two}
                found.append(JudgedPair(prompt, one, other, shown, is_masked=is_named))
    return Pairs(tuple(found), dict(left_out), chosen="all pairs of one model's samples" if of_samples else "all pairs")


@dataclass(frozen=True, slots=True)
class Question:
    """Two answers in one order, for one judge. `code` stands in the marks around the texts."""

    judge: Judge
    pair: JudgedPair
    a: Answer
    b: Answer
    code: str
    chosen: str
    attempt: int = 1

    @property
    def who(self) -> str:
        return self.judge.id

    @property
    def messages(self) -> tuple[Message, ...]:
        texts = self.pair.texts
        return self.judge.question(self.pair.prompt.messages, texts[self.a.id], texts[self.b.id], self.code)

    @property
    def key(self) -> Key:
        return self.judge.label, self.pair.prompt.id, self.a.id, self.b.id

    def once_more(self, rng: Random) -> "Question | None":
        """The same with a new code; None where it was asked often enough."""
        if self.attempt >= MOST_ATTEMPTS:
            return None
        return replace(self, attempt=self.attempt + 1, code=_code(rng))


def questions(judges: Sequence[Judge], pairs: Pairs, replies: Sequence[ReplyRow], rng: Random) -> tuple[Question, ...]:
    """What is still to be asked, pair by pair and order by order, so that a run that ends early leaves whole rulings.

    Raises BadInput where a judge was asked in another way under the same version: its votes would be of two judges.
    """
    for judge in judges:
        asked_by = next((each.digest for each in replies if each.label == judge.label), judge.digest)
        if asked_by != judge.digest:
            raise BadInput(
                f"judge {judge.id!r} has replies as version {judge.version!r} to another question (its text, "
                "criteria, model or params have changed since). Raise its version: that is another judge"
            )
    there = settled(replies)
    n_before = Counter(each.question for each in replies)
    found = []
    for pair in pairs.pairs:
        for judge in judges:
            for a, b in ((pair.one, pair.other), (pair.other, pair.one)):
                question = Question(judge, pair, a, b, _code(rng), pairs.chosen)
                if question.key not in there:
                    found.append(replace(question, attempt=1 + n_before[question.key]))
    return tuple(found)


def estimates(judges: Sequence[Judge], asked: Sequence[Question], replies: Sequence[ReplyRow]) -> dict[str, Estimate]:
    """By judge. Of replies that are there already, and of rules of thumb."""
    found = {}
    for judge in judges:
        own = [each for each in replies if each.label == judge.label]
        tasks = [each for each in asked if each.judge is judge]
        if tasks:
            found[judge.id] = estimate(
                judge.endpoint,
                tasks,
                tokens=[each.tokens for each in own if each.tokens is not None],
                milliseconds=[each.latency_ms for each in own if each.latency_ms is not None],
            )
    return found


def kept(
    append: Callable[[dict[str, Any]], None], rng: Random, clock: Callable[[], datetime]
) -> Callable[[Question, Completion], Question | None]:
    """Keeps each reply, and asks once more where it ends with no verdict."""

    def keep(question: Question, completion: Completion) -> Question | None:
        row = row_of(question, completion, clock())
        append(row)
        return question.once_more(rng) if row["verdict"] is None else None

    return keep


def row_of(question: Question, completion: Completion, now: datetime) -> dict[str, Any]:
    """The line of judgements.jsonl."""
    judge, endpoint = question.judge, question.judge.endpoint
    opinion = judge.read(completion.text, question.code)
    asked = endpoint.params | ({"system_prompt": endpoint.system_prompt} if endpoint.system_prompt else {})
    calls_itself = completion.model if completion.model != endpoint.model else None
    scores = opinion.scores if opinion is not None else None
    return {
        "judge": judge.id,
        "version": judge.version,
        "digest": judge.digest,
        "prompt_id": question.pair.prompt.id,
        "model_a": question.a.model_id,
        "model_b": question.b.model_id,
        "answer_a": question.a.id,
        "answer_b": question.b.id,
        "attempt": question.attempt,
        "code": question.code,
        "chosen": question.chosen,
        "masked": question.pair.is_masked or None,
        "verdict": opinion.verdict.value if opinion is not None else None,
        "scores": None if scores is None else {side.value: dict(told) for side, told in scores.items()},
        "reason": opinion.reason if opinion is not None else None,
        "reply": completion.text,
        "model": endpoint.model,
        "revision": endpoint.revision or calls_itself,
        "params": asked,
        "guideline_version": judge.guideline_version,
        "tokens": completion.n_tokens,
        "latency_ms": round(completion.latency_ms, 1),
        "finish_reason": completion.finish_reason,
        "replied_at": now.isoformat(),
    }


def _code(rng: Random) -> str:
    return f"{rng.getrandbits(_CODE_BITS):012x}"
