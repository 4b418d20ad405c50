"""What the two formats of LMArena's public votes share: one row a vote, the sides as they stood."""

from collections.abc import Iterator
from dataclasses import dataclass

from arena import style
from arena.battle import Answer, Verdict
from arena.preferences.example import Example, Opinion


@dataclass(frozen=True, slots=True)
class Sided:
    """A vote with the answers on the sides that the battle had them on."""

    opinion: Opinion
    answer_a: Answer
    answer_b: Answer

    def winner(self, both_bad: str) -> str:
        """The public word for the verdict; the two formats spell one of them differently."""
        return {
            Verdict.A: "model_a",
            Verdict.B: "model_b",
            Verdict.TIE: "tie",
            Verdict.BOTH_BAD: both_bad,
        }[self.opinion.verdict]


def sided(example: Example) -> Iterator[Sided]:
    """The votes of an example, each as it was cast."""
    for opinion in example.opinions:
        if opinion.is_turned:
            yield Sided(opinion.turned, example.answer_b, example.answer_a)
        else:
            yield Sided(opinion, example.answer_a, example.answer_b)


def n_turns(example: Example) -> int:
    """How many turns of the user the prompt has."""
    return sum(message.role == "user" for message in example.messages)


def is_code(example: Example) -> bool:
    """Whether one of the answers holds a block of code."""
    n_blocks = style.FEATURES.index("code_blocks")
    return any(style.count(answer.text)[n_blocks] for answer in (example.answer_a, example.answer_b))


def left_out(_example: Example) -> dict[str, int]:
    """No vote."""
    return {}
