"""Votes on two answers as an export sees them, built by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from arena.battle import (
    Adjudication,
    Answer,
    AnswerId,
    Labels,
    Message,
    ModelId,
    Prompt,
    PromptId,
    Source,
    Verdict,
    VoteId,
    VoterId,
)
from arena.pack import answer_id
from arena.preferences.account import Account
from arena.preferences.cast import CastVote, CastVotes, reason_against
from arena.preferences.choices import Choices
from arena.preferences.example import Example, Opinion
from arena.preferences.judgement import Judge, PairKey, Texts

AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
P = PromptId("p")
ASKED = (Message("user", "Which?"),)


def answer(model: str, text: str, prompt: str = P, **more: Any) -> Answer:
    return Answer(answer_id(prompt, model, text), PromptId(prompt), ModelId(model), text, **more)


def opinion(verdict: Verdict | str, number: int = 0, *, labels: Labels | None = None, **more: Any) -> Opinion:
    facts: dict[str, Any] = {"source": Source.HUMAN, "voted_at": AT, "voter": f"voter-{number}"}
    return Opinion(VoteId(f"vote-{number}"), Verdict(verdict), labels=labels or Labels(), **(facts | more))


def vote(verdict: Verdict | str, voter: str | None = None, *, number: int = 0, **more: Any) -> CastVote:
    """A vote of model a's answer against model b's; what is no field of the vote itself is one of its opinion."""
    own: dict[str, Any] = {
        name: more.pop(name)
        for name in ("left_out", "phase", "item_kind", "model_a", "model_b", "n_pairs")
        if name in more
    }
    models: dict[str, Any] = {"model_a": ModelId("a"), "model_b": ModelId("b")}
    said = opinion(verdict, number, **({"voter": None} | more))
    return CastVote(said, **(models | own), voter_id=None if voter is None else VoterId(voter))


def cast(votes: Sequence[CastVote], **more: Any) -> CastVotes:
    facts: dict[str, Any] = {"prompt_id": P, "answer_a": AnswerId("x"), "answer_b": AnswerId("y")}
    return CastVotes(**(facts | more), votes=tuple(votes))


def judged(
    casts: Iterable[CastVotes],
    texts: Mapping[str, str | Answer] | None = None,
    *,
    messages: Sequence[Message] = ASKED,
    named: Sequence[str] = (),
    adjudicated: Mapping[PairKey, Verdict] | None = None,
    unlike: Sequence[str] = (),
    **choices: Any,
) -> tuple[list[Example], Account]:
    """What becomes of votes on the answers x and y, whose texts may be given."""
    given = {"x": "By a.", "y": "By b."} | dict(texts or {})
    chosen = Choices(**choices)

    def texts_of(pairs: Sequence[CastVotes]) -> Texts:
        found = {}
        for each in (each for pair in pairs for each in (pair.answer_a, pair.answer_b) if each is not None):
            text = given.get(each)
            if isinstance(text, Answer):
                found[each] = text
            elif text is not None:
                found[each] = Answer(each, P, ModelId({"x": "a", "y": "b"}.get(each, each)), text)
        prompts = (pair.prompt_id for pair in pairs if pair.prompt_id is not None)
        return Texts({each: Prompt(each, tuple(messages)) for each in prompts}, found)

    account = Account()
    acts = {key: Adjudication(*key, told, "A reason.", "the host", AT) for key, told in (adjudicated or {}).items()}
    judge = Judge(
        chosen,
        reason_against(chosen, {}, tuple(map(VoterId, unlike))),
        texts_of,
        alias=lambda voter: f"known as {voter}",
        named=tuple(map(AnswerId, named)),
        adjudicated=acts,
    )
    return list(judge.examples(casts, account)), account


def example(verdict: str | None = "A", a: str = "By a.", b: str = "By b.", **more: Any) -> Example:
    """A pair of answers with one vote, or with those given."""
    messages = more.pop("messages", ASKED)
    facts: dict[str, Any] = {
        "id": "0123456789abcdef0123456789abcdef",
        "prompt": Prompt(P, tuple(messages), more.pop("category", None), more.pop("language", None)),
        "answer_a": answer("a", a),
        "answer_b": answer("b", b),
        "opinions": (opinion(verdict or "A"),),
        "verdict": None if verdict is None else Verdict(verdict),
        "agreement": None if verdict is None else 1.0,
    }
    return Example(**(facts | more))


def turned(of: Example) -> Example:
    """The same example with its answers exchanged."""
    return replace(
        of,
        answer_a=of.answer_b,
        answer_b=of.answer_a,
        opinions=tuple(each.turned for each in of.opinions),
        verdict=None if of.verdict is None else of.verdict.swapped,
    )
