"""Answers that tell who wrote them, and prompts that ask for it. Pure: texts and names in, findings out.

An answer names its maker in one of two ways:

- It says so of itself: "I am ...", "my name is ...", "as an AI made by ...", "as ChatGPT, I ...", in English, German,
  French, Spanish or Chinese, whichever known name follows (`arena.self_reference`). A model often takes itself for
  another one; that is no less of a hint.
- It bears its author's own name: as a label ("### Assistant (Vicuna):", or what the first line begins with), as a
  signature in the last line, or, where the name is like no other word (it holds a digit, or several words), anywhere
  outside of fenced code. The organisation's name counts as label or signature alone: makers are spoken of otherwise.

Names stand between word boundaries; hyphens and blanks in them are the same ("GPT-4", "gpt 4", "GPT4"). Names that are
words or first names as well (Falcon, Claude, Gemini) count only as they are written, and not merely anywhere.

What the prompt says is not the answer's doing. Lines and quoted passages of the answer that stand in the prompt word
for word are passed over; a name that the prompt mentions counts only where the answer says it of itself, and "I am
Hermes" not even then where the prompt speaks of Hermes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from arena.battle import AnswerId, Message, Model, ModelId, Prompt, PromptId
from arena.known_names import FAMILIES, GENERIC, MAKERS, ORDINARY_FAMILIES, UNSPACED_FAMILIES, UNSPACED_MAKERS
from arena.rules import NamedAnswers
from arena.self_reference import ASKS, MASK, Mention, asks_whether, self_reference

_EXCERPT = 80

# Names of so many letters are written as they are.
_SHORT = 4
_EXAMPLES = 3

# Scripts that put no blanks between words, or, as Korean, hang particles on foreign names.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_BEFORE = rf"(?<![^\W_{_UNSPACED}])(?<![\\‹])"
_AFTER = rf"(?![^\W_{_UNSPACED}])(?!›)"
_SEPARATOR = "[\\s\\-_.\u2010\u2011\u2013]{0,2}"
_PIECES = re.compile(rf"[^\W\d_{_UNSPACED}]+|\d+|[{_UNSPACED}]+")
_KEYS = re.compile(rf"[^\W\d_{_UNSPACED}]+")

# A version and a variant belong to the name: what is left of "Claude 3 Opus" would tell as much.
_VERSION = (
    r"(?:\.\d+)*(?:(?:[\s\-_]|(?<!\d))[vV]?\d+(?:\.\d+)*[a-zA-Z]{0,2}(?![^\W_]))?"
    r"(?:[\s\-](?i:opus|sonnet|haiku|turbo|mini|nano|pro|ultra|flash|chat|instruct|plus|bison)(?![^\W_]))*"
)

_MAKER_OF = re.compile(r"(?:['’]s)?[\s\-]")
_QUOTED = re.compile(r"[\"“„«「『][^\"“”„«»「」『』\n]{3,400}[\"”“»」』]")
_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^[ ]{0,3}\1[`~]*[ ]*$|\Z)", re.MULTILINE | re.DOTALL)

# What stands around a name that is a label, or signs what is above.
_LINE = 80
_LEAD = re.compile(r"[\s#>*_\[(<|-]*")
_ROLE_BEFORE = re.compile(
    r"[\s#>*_\[(<|-]*(?:(?:AI|the)\s+)?(?:assistant|AI|bot|chatbot|model|answer|response|author|written by|"
    r"answered by|signed)[\s:*_]*[(\[\u2013-]?[\s*_]*",
    re.IGNORECASE,
)
_LABEL_AFTER = re.compile(r"[\s*_)\]>|]*(?:[:：]|\n|$)")
_SIGNED = re.compile(
    r"\s*(?:[\u2013\u2014~]|--+|"
    r"[^\n]{0,20}\b(?:regards|yours|greetings|cheers|sincerely|cordialement|saludos)[,!]?\s)[\s*_]*",
    re.IGNORECASE,
)
_LAST = re.compile(r"(?![\s*_]*[:：])[^\n]{0,40}\s*$")

# A prompt that says more words than these around a quotation speaks of it rather than asks it.
_WORDS_AROUND = 8


class NamedAnswer(NamedTuple):
    """An answer that tells who wrote it, or whose prompt asks for that. `told` are the words, at most 80 characters."""

    answer_id: AnswerId
    prompt_id: PromptId
    model_id: ModelId
    told: str


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that an answer may say; `is_plain`: it is a word or a first name as well, and counts as it is written."""

    text: str
    is_maker: bool = False
    is_plain: bool = False

    @property
    def pattern(self) -> str:
        return _pattern(self.text, is_plain=self.is_plain)

    @property
    def is_distinctive(self) -> bool:
        """Whether the name is like no other word or phrase, so that it tells of its bearer wherever it stands."""
        pieces = _PIECES.findall(self.text)
        words = [each for each in pieces if not each.isdigit()]
        telling = [each for each in words if each.lower() not in GENERIC]
        has_digit = len(words) < len(pieces)
        return bool(telling) and sum(map(len, pieces)) > 3 and (has_digit or len(words) > 1)


class Names:
    """All names by which an answer may tell who wrote it. Made by `of`."""

    def __init__(self, names: Iterable[_Name], own: Mapping[ModelId, Sequence[_Name]]):
        self._by_key: dict[str, list[_Name]] = {}
        for name in dict.fromkeys(names):
            self._by_key.setdefault(_key(name.text), []).append(name)
        self._unspaced = tuple(key for key in self._by_key if not _KEYS.search(key))
        self._keys = self._by_key.keys() - set(self._unspaced)
        self._own_names = own
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._own_patterns: dict[ModelId, re.Pattern[str]] = {}

    @classmethod
    def of(cls, models: Iterable[Model]) -> Self:
        """The names, ids, aliases and organisations of these models, and those that the field knows."""
        names = [
            *(_Name(each) for each in (*FAMILIES, *UNSPACED_FAMILIES)),
            *(_Name(each, is_plain=True) for each in ORDINARY_FAMILIES),
            *(_Name(each, is_maker=True, is_plain=True) for each in MAKERS),
            *(_Name(each, is_maker=True) for each in UNSPACED_MAKERS),
        ]
        known = {name.text.lower(): name for name in names}
        own: dict[ModelId, list[_Name]] = {}
        for model in models:
            spellings = dict.fromkeys(
                each for told in (model.name, model.id, *model.aliases) for each in _spellings(told)
            )
            called = [_Name(each) for each in spellings]
            called = [known.get(n.text.lower(), _Name(n.text, is_plain=not n.is_distinctive)) for n in called]
            if model.organization and _has_a_name(model.organization):
                called.append(_Name(model.organization, is_maker=True, is_plain=True))
            own[model.id] = called
            names += called
        return cls(names, own)

    @property
    def hint(self) -> str:
        """A regular expression, in the common dialect, that matches every text that could hold one of the names."""
        # Their words alone: with the whole names an engine without backtracking needs a hundred times as long.
        keys = "|".join(re.escape(key) for key in sorted(self._keys))
        return "|".join((rf"(?i)(?:^|[^a-z])(?:{keys})(?:$|[^a-z])", *map(re.escape, self._unspaced)))

    def told_by(self, text: str, author: ModelId, asked: str = "") -> str | None:
        """The words by which an answer tells who wrote it, or None. `asked` is what its prompt says."""
        if not self._keys_in(text):
            return None
        found = next(self._tells(text, author, asked), None)
        if found is not None and asked:
            text = _without_repeats(text, asked)
            found = next(self._tells(text, author, asked), None)
        return None if found is None else _excerpt(text, *found)

    def served(self, text: str, author: ModelId, policy: NamedAnswers) -> str | None:
        """What is served of an answer that tells who wrote it; None: it is withheld."""
        match policy:
            case "withhold":
                return None
            case "mask":
                return self.masked(text, author)
            case "leave_out":
                return text

    def masked(self, text: str, author: ModelId) -> str:
        """The answer with a mark in place of each name that may tell who wrote it; `told_by` finds nothing in it then.

        These are the names that are nothing else, the author's own, and those that the text says of itself, wherever
        they stand. The same text by the same author gives the same.
        """
        while True:
            spans = self._to_mask(text, author)
            if not spans:
                return text
            pieces: list[str] = []
            last = 0
            for start, end in spans:
                if start >= last:
                    pieces += (text[last:start], MASK)
                    last = end
            text = "".join((*pieces, text[last:]))

    def asks_identity(self, messages: Sequence[Message]) -> str | None:
        """The words by which a user's turn asks who answers, or None.

        A question in quotation marks counts where there is little else: otherwise it is something that is spoken of.
        """
        for message in messages:
            if message.role != "user":
                continue
            outside = _QUOTED.sub(" ", message.content)
            text = outside if len(outside.split()) > _WORDS_AROUND else message.content
            found = ASKS.search(text)
            if found is not None:
                return _excerpt(text, found.start(), found.end())
            for mention in self._mentions(text):
                start = asks_whether(text, mention)
                if start is not None:
                    return _excerpt(text, start, mention.end)
        return None

    def _keys_in(self, text: str) -> set[str]:
        """The words of known names that are in it. Quick: most answers hold none."""
        found = self._keys.intersection(_KEYS.findall(text.lower()))
        if not text.isascii():
            found.update(each for each in self._unspaced if each in text)
        return found

    def _tells(self, text: str, author: ModelId, asked: str) -> Iterator[tuple[int, int]]:
        """Where an answer tells who wrote it: first where it says so of itself, then where it bears its own name."""
        for mention in self._mentions(text):
            said = self_reference(text, mention)
            if said and not (mention.is_plain and not mention.is_maker and _says(asked, mention.within(text))):
                yield said
        fences = [fence.span() for fence in _FENCE.finditer(text)]
        for found in self._own_in(text, author):
            is_code = any(start <= found.start() < end for start, end in fences)
            is_telling = found.lastgroup == "distinctive" and not is_code
            if (is_telling or _is_label(text, *found.span())) and not _says(asked, found[0]):
                yield found.span()

    def _to_mask(self, text: str, author: ModelId) -> list[tuple[int, int]]:
        """The names to be masked, in order; of two that overlap, the one that begins first."""
        mentions = list(self._mentions(text))
        told = {mention.within(text) for mention in mentions if self_reference(text, mention)}
        spans = [m[:2] for m in mentions if not m.is_plain or m.within(text) in told]
        spans += [found.span() for found in self._own_in(text, author)]
        return sorted(set(spans), key=lambda span: (span[0], -span[1]))

    def _mentions(self, text: str) -> Iterator[Mention]:
        """All names in a text, in order; of names that overlap, the one that begins first, and the longest.

        A model behind its maker, as in "Amazon Nova", is one name.
        """
        patterns = [self._with_key(key) for key in self._keys_in(text)]
        found = sorted((m for pattern in patterns for m in pattern.finditer(text)), key=lambda m: (m.start(), -m.end()))
        last: Mention | None = None
        for each in found:
            kind = each.lastgroup
            mention = Mention(*each.span(), kind == "maker", kind != "model", each[0].endswith(" AI"))
            if last is None or mention.start >= last.end:
                if last is not None and last.is_maker and _MAKER_OF.fullmatch(text, last.end, mention.start):
                    mention = mention._replace(start=last.start)
                elif last is not None:
                    yield last
                last = mention
        if last is not None:
            yield last

    def _with_key(self, key: str) -> re.Pattern[str]:
        """The names that are looked for by this word, in groups that tell their kind."""
        if key not in self._patterns:
            of_kind: dict[str, list[str]] = {"model": [], "plain": [], "maker": []}
            for name in self._by_key[key]:
                of_kind["maker" if name.is_maker else "plain" if name.is_plain else "model"].append(name.pattern)
            kinds = "|".join(f"(?P<{kind}>{_either(patterns)})" for kind, patterns in of_kind.items() if patterns)
            self._patterns[key] = re.compile(rf"{_BEFORE}(?:{kinds}){_VERSION}{_AFTER}")
        return self._patterns[key]

    def _own_in(self, text: str, author: ModelId) -> Iterator[re.Match[str]]:
        """The author's own names, as names: those that are like no other word in a group of their own."""
        names = self._own_names.get(author)
        if not names or self._keys_in(text).isdisjoint(_key(name.text) for name in names):
            return iter(())
        if author not in self._own_patterns:
            distinctive = [name.pattern for name in names if name.is_distinctive and not name.is_maker]
            others = [name.pattern for name in names]
            self._own_patterns[author] = re.compile(
                rf"{_BEFORE}(?:(?P<distinctive>{_either(distinctive)}{_AFTER}(?!\.\d))|{_either(others)}{_VERSION}{_AFTER})"
            )
        return self._own_patterns[author].finditer(text)


def named_among(
    names: Names, prompts: Mapping[PromptId, Prompt], answers: Iterable[tuple[AnswerId, PromptId, ModelId, str]]
) -> list[NamedAnswer]:
    """The answers that tell who wrote them, or whose prompt asks for that, in the order given."""
    asking = {prompt.id: names.asks_identity(prompt.messages) for prompt in prompts.values()}
    said = {prompt.id: "\n".join(message.content for message in prompt.messages) for prompt in prompts.values()}
    named = []
    for answer_id, prompt_id, model_id, text in answers:
        told = names.told_by(text, model_id, said.get(prompt_id, ""))
        asked = asking.get(prompt_id)
        if told is None and asked is not None and text.strip():
            told = f"asked: {asked}"[:_EXCERPT]
        if told is not None:
            named.append(NamedAnswer(answer_id, prompt_id, model_id, told))
    return named


_FATE = {
    "withhold": "not served",
    "mask": f"served with {MASK} in place of names",
    "leave_out": "served as they are, and the votes on them count nowhere",
}


def told_of(named: Sequence[NamedAnswer], policy: NamedAnswers) -> list[str]:
    """What a host is told of such answers: how many there are, what becomes of them, and three examples."""
    if not named:
        return []
    nouns = "answer tells who wrote it" if len(named) == 1 else "answers tell who wrote them"
    head = f"{len(named):,} {nouns}, or the prompt asks for it: {_FATE[policy]} (ballot.named_answers)"
    return [head, *(f"  {each.prompt_id} by {each.model_id}: {each.told}" for each in named[:_EXAMPLES])]


def _is_label(text: str, start: int, end: int) -> bool:
    """Whether a name stands as a label or a signature: behind a role, before the text, or under it."""
    line = text.rfind("\n", 0, start) + 1
    before, after = text[line:start], text[end : end + _LINE]
    if _ROLE_BEFORE.fullmatch(before) and _LABEL_AFTER.match(after):
        return True
    if not text[:line].strip() and _LEAD.fullmatch(before) and _LABEL_AFTER.match(after):
        return True
    return bool(_SIGNED.fullmatch(before) and _LAST.match(after))


def _key(name: str) -> str:
    """The word of a name by which it is looked for, in small letters: the longest, and one that tells where it can."""
    words = _KEYS.findall(name.lower())
    return max(words, key=lambda word: (word not in GENERIC, len(word))) if words else name


def _spellings(told: str) -> Iterator[str]:
    """The names in what a model is called: the whole, without its maker's path, without its size, and the family.

    "lmsys/Vicuna v1.3 (7B)" is "Vicuna v1.3 (7B)", "Vicuna v1.3" and "Vicuna".
    """
    whole = told.rpartition("/")[2]
    bare = re.sub(r"\([^)]*\)", " ", whole).strip()
    family = re.match(r"(?:[^\W\d_]+[\s\-_]?)+", bare)
    words = _PIECES.findall(family[0]) if family else []
    while words and words[-1].lower() in GENERIC:
        words.pop()
    for each in (whole, bare, " ".join(words) if words else ""):
        if _has_a_name(each):
            yield each


def _has_a_name(told: str) -> bool:
    """Whether it holds a word that can be somebody's: no number, no letter, nothing that stands in many names."""
    return any(len(each) > 1 and not each.isdigit() and each.lower() not in GENERIC for each in _PIECES.findall(told))


def _pattern(name: str, *, is_plain: bool = False) -> str:
    """A name as a regular expression, without its boundaries.

    A name with a digit may be written in any case, as "gpt 4", but not where its words are short or plain ones: then,
    as a name of words alone, it is written as it is or with capitals.
    """
    pieces = _PIECES.findall(name)
    words = [each for each in pieces if not each.isdigit()]
    joint = _SEPARATOR
    if len(words) == len(pieces) and name.islower():
        joint = r"[\-_]" if len(words) > 1 else ""
    whole = joint.join(map(re.escape, pieces))
    plain = {each.lower() for each in ORDINARY_FAMILIES}
    if not is_plain and (len(words) < len(pieces) or sum(map(len, words)) > _SHORT) and words[0].lower() not in plain:
        return f"(?i:{whole})"
    capitals = joint.join(re.escape(each[:1].upper() + each[1:]) for each in pieces)
    loud = joint.join(re.escape(each.upper()) for each in pieces) if sum(map(len, words)) > _SHORT else whole
    return f"(?:{whole}|{capitals}|{loud})"


def _either(patterns: Iterable[str]) -> str:
    """Any of these, the longest first; nothing at all where there is none."""
    return f"(?:{'|'.join(sorted(set(patterns), key=lambda each: (-len(each), each))) or '(?!)'})"


def _says(asked: str, name: str) -> bool:
    """Whether a prompt mentions a name, however it is written there."""
    return bool(asked) and "".join(_PIECES.findall(name.lower())) in "".join(_PIECES.findall(asked.lower()))


def _without_repeats(text: str, asked: str) -> str:
    """The answer without the lines and quotations that stand in its prompt word for word; the rest stays in place."""
    said = " ".join(asked.split())

    def blanked(found: re.Match[str]) -> str:
        words = " ".join(found[0].strip('> \t"“”„«»「」『』').split())
        return re.sub(r"\S", " ", found[0]) if words and words in said else found[0]

    return _QUOTED.sub(blanked, re.sub(r"[^\n]+", blanked, text))


def _excerpt(text: str, start: int, end: int) -> str:
    """These words, with what stands around them where there is room."""
    words = " ".join(text[start:end].split())
    if len(words) > _EXCERPT:
        return f"{words[: _EXCERPT // 2 - 2]} … {words[-(_EXCERPT // 2 - 1) :]}"
    around = " ".join(text[start : end + _EXCERPT].split())
    around = around if len(around) <= _EXCERPT else around[:_EXCERPT].rpartition(" ")[0]
    return around if len(around) > len(words) else words
