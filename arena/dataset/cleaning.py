"""Examples without personal data: each distinct text is looked at once."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from arena.battle import Answer, AnswerId, Message, Prompt
from arena.dataset.personal import Cleaned, clean
from arena.preferences.example import Example, Opinion
from arena.preferences.judgement import are_same

SAME_ONCE_CLEAN = "both answers have the same text, without personal data"


class Recogniser(Protocol):
    """Finds more than the floor does, as a model of language can."""

    def clean(self, text: str) -> Cleaned:
        """The text without what was found."""
        ...


@dataclass(slots=True)
class Cleaner:
    """Cleans examples that come grouped by prompt. What was found is counted by kind: in how many distinct texts."""

    recogniser: Recogniser | None = None
    n_texts: int = 0
    n_changed: int = 0
    found: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, str] = field(default_factory=dict)
    _prompt_id: str | None = None
    _prompts: tuple[Prompt | None, Prompt | None] = (None, None)
    """The last one as it was, and as it is without personal data: most prompts have several examples."""

    def cleaned(self, example: Example) -> Example | str:
        """The example with marks in place of personal data; or why it is left out."""
        if example.prompt.id != self._prompt_id:
            self._prompt_id = example.prompt.id
            self._seen.clear()
        prompt = self._prompt(example.prompt)
        answer_a, answer_b = (
            self._answer(example.answer_a, example.plain),
            self._answer(example.answer_b, example.plain),
        )
        opinions = tuple(map(self._opinion, example.opinions))
        unchanged = prompt is example.prompt and answer_a is example.answer_a and answer_b is example.answer_b
        if unchanged and opinions == example.opinions:
            return example
        if are_same(answer_a.text, answer_b.text):
            return SAME_ONCE_CLEAN
        return replace(example, prompt=prompt, answer_a=answer_a, answer_b=answer_b, opinions=opinions)

    def _prompt(self, prompt: Prompt) -> Prompt:
        last, known = self._prompts
        if prompt is last and known is not None:
            return known
        cleaned = self._without(prompt)
        self._prompts = prompt, cleaned
        return cleaned

    def _without(self, prompt: Prompt) -> Prompt:
        messages = tuple(map(self._message, prompt.messages))
        source = None if prompt.source is None else self._text(prompt.source)
        if messages == prompt.messages and source == prompt.source:
            return prompt
        return replace(prompt, messages=messages, source=source)

    def _message(self, message: Message) -> Message:
        text = self._text(message.content)
        return message if text is message.content else Message(message.role, text)

    def _answer(self, answer: Answer, plain: Collection[AnswerId]) -> Answer:
        text = self._text(answer.text, is_plain=answer.id in plain)
        if answer.params is not None:
            return replace(answer, text=text, params=self._value(answer.params))
        return answer if text is answer.text else replace(answer, text=text)

    def _opinion(self, opinion: Opinion) -> Opinion:
        comment = opinion.labels.comment
        if comment is None:
            return opinion
        return replace(opinion, labels=replace(opinion.labels, comment=self._text(comment)))

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {key: self._value(each) for key, each in value.items()}
        if isinstance(value, Sequence):
            return [self._value(each) for each in value]
        return value

    def _text(self, text: str, *, is_plain: bool = False) -> str:
        known = self._seen.get(text)
        if known is None:
            known = self._seen[text] = self._look(text, is_plain)
        return known

    def _look(self, text: str, is_plain: bool) -> str:
        cleaned = Cleaned(text) if is_plain else clean(text)
        if self.recogniser is not None:
            more = self.recogniser.clean(cleaned.text)
            cleaned = Cleaned(more.text, cleaned.found | more.found)
        self.n_texts += 1
        if cleaned.found:
            self.n_changed += 1
            self.found.update(cleaned.found)
        return cleaned.text
