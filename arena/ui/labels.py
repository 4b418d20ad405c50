"""What voters are asked beside the verdict: on the wire, below each answer, in the bar, and in the panel above it.

Everything here follows from `[labels]` of arena.toml. Names of dimensions and reasons are the host's own words; nothing
here knows of models.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from arena.battle import Confidence, Labels, Scale, Side, Thumb, Verdict
from arena.errors import NotALabel
from arena.labels import (
    HIGHEST_RATING,
    LONGEST_COMMENT,
    LONGEST_WORDS,
    LOWEST_RATING,
    MOST_DIMENSIONS,
    MOST_REASONS,
    OF_A_DIMENSION,
    Dimension,
    LabelRules,
)
from arena.ui.middleware import MAX_BODY_BYTES

SCRIPT = "labels.js"
THUMBS_SCRIPT = "thumbs.js"

# Room for the longest vote of any rules: JSON in ASCII takes at most 12 bytes for a character (two escapes of 6, beyond
# U+FFFF). All that is neither the host's words nor the comment has room in a body of the usual length.
_MOST_CHARACTERS = LONGEST_COMMENT + (len(Side) * MOST_REASONS + MOST_DIMENSIONS) * LONGEST_WORDS
_MOST_BYTES = MAX_BODY_BYTES + 12 * _MOST_CHARACTERS


def most_bytes(rules: LabelRules) -> int:
    """How long the body of a vote may be."""
    return MAX_BODY_BYTES if rules.is_plain else _MOST_BYTES


class LabelBody(BaseModel):
    """What a vote may say beside the verdict; the rules of the arena say which of it."""

    model_config = ConfigDict(extra="forbid")

    scale: Scale | None = None
    strength: StrictInt | None = None
    dimensions: dict[str, Verdict] = Field(default_factory=dict)
    reasons: dict[Side, list[StrictStr]] = Field(default_factory=dict)
    comment: StrictStr | None = None
    confidence: Confidence | None = None
    ratings: dict[Side, StrictInt] = Field(default_factory=dict)
    acceptable: StrictBool | None = None
    thumbs: dict[Side, Thumb] = Field(default_factory=dict)

    def labels(self) -> Labels:
        """The same as a noun. Raises NotALabel for a reason that stands twice on a side."""
        if any(len(set(given)) < len(given) for given in self.reasons.values()):
            raise NotALabel("reasons", "each reason once")
        return Labels(
            scale=self.scale,
            strength=self.strength,
            dimensions=self.dimensions,
            reasons={side: frozenset(given) for side, given in self.reasons.items()},
            comment=self.comment,
            confidence=self.confidence,
            ratings=self.ratings,
            acceptable=self.acceptable,
            thumbs=self.thumbs,
        )


_SHAPES: Mapping[str, str] = {
    "scale": ", ".join(Scale),
    "strength": "a whole number",
    "dimensions": f"an object with {', '.join(OF_A_DIMENSION)} for each",
    "reasons": "an object with a list for A, for B or for both",
    "comment": "text",
    "confidence": ", ".join(Confidence),
    "ratings": "an object with a whole number for A, for B or for both",
    "acceptable": "true or false",
    "thumbs": "an object with up or down for A, for B or for both",
}


def misshapen(errors: Iterable[Mapping[str, Any]]) -> NotALabel | None:
    """What to say of a body that is no vote, if nothing but its labels is wrong; None otherwise."""
    places = [each["loc"] for each in errors]
    if not places or any(tuple(place[:2]) != ("body", "labels") for place in places):
        return None
    key = str(places[0][2]) if len(places[0]) > 2 else ""
    if key in _SHAPES:
        return NotALabel(key, _SHAPES[key])
    return NotALabel("labels", f"an object with some of: {', '.join(_SHAPES)}")


# ---- below each answer ----

# Above A on the keyboard and far from it, so that each hand has one answer: up, then down.
THUMB_KEYS: Mapping[Side, tuple[str, str]] = {Side.A: ("Q", "W"), Side.B: ("O", "P")}

# A hand with its thumb up, drawn for this page; the other one is its mirror image.
_HAND = (
    '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><g{}><path d="M3.6 11h3.1v8.6H3.6z"/>'
    '<path d="M6.7 11.4 10.6 4a2.2 2.2 0 0 1 2.3 2.8l-.8 3h5.7a2 2 0 0 1 2 2.4l-1.2 5.8a2 2 0 0 1-2 1.6H6.7z"/>'
    "</g></svg>"
)
_HANDS: Mapping[Thumb, str] = {
    Thumb.UP: _HAND.format(""),
    Thumb.DOWN: _HAND.format(' transform="matrix(1 0 0 -1 0 23)"'),
}


def thumbs(rules: LabelRules, side: Side) -> str:
    """The two buttons below an answer, of which one or none is pressed; nothing where the arena asks for no thumbs."""
    if not rules.thumbs:
        return ""
    name = f"thumbs-{side.value.lower()}"
    buttons = "".join(
        f'<button type="button" class="thumb" data-thumb="{thumb.value}" aria-pressed="false" '
        f'aria-keyshortcuts="{key}" data-t-label="thumbs.{side.value}.{thumb.value}">{_HANDS[thumb]}<kbd>{key}</kbd>'
        "</button>"
        for thumb, key in zip(Thumb, THUMB_KEYS[side], strict=True)
    )
    return (
        f'<div class="thumbs" role="group" data-side="{side.value}" aria-labelledby="{name}">'
        f'<span id="{name}" data-t="thumbs.ask"></span>{buttons}</div>'
    )


# ---- the bar ----

# From A to B: verdict, strength, text.
_STEPS: Mapping[Scale, tuple[tuple[Verdict, int | None, str], ...]] = {
    Scale.FIVE: (
        (Verdict.A, 2, "step.A.much"),
        (Verdict.A, 1, "step.A.better"),
        (Verdict.TIE, None, "verdict.tie"),
        (Verdict.B, 1, "step.B.better"),
        (Verdict.B, 2, "step.B.much"),
    ),
    Scale.EIGHT: (
        (Verdict.A, 4, "step.A.much"),
        (Verdict.A, 3, "step.A.better"),
        (Verdict.A, 2, "step.A.slightly"),
        (Verdict.A, 1, "step.A.barely"),
        (Verdict.B, 1, "step.B.barely"),
        (Verdict.B, 2, "step.B.slightly"),
        (Verdict.B, 3, "step.B.better"),
        (Verdict.B, 4, "step.B.much"),
    ),
}


def steps(scale: Scale, *, both_bad: str, skip: str) -> str:
    """The buttons of a bar on which the verdict itself has steps, with two buttons that every bar has."""
    buttons = []
    for number, (verdict, strength, text) in enumerate(_STEPS[scale], 1):
        how_much = "" if strength is None else f' data-strength="{strength}"'
        keys = f"{number} T" if verdict is Verdict.TIE else str(number)
        buttons.append(
            f'<button type="button" class="{verdict.value.lower()}" data-verdict="{verdict.value}"{how_much} '
            f'aria-keyshortcuts="{keys}"><span data-t="{text}"></span> <kbd>{number}</kbd></button>'
        )
    return f'<div class="steps">{"".join(buttons)}</div><div class="beside">{both_bad}{skip}</div>'


def step_of(verdict: Verdict, scale: Scale | None, strength: int | None) -> str | None:
    """Which step of the bar a vote was, as the end of its text's key: "A.much". None where the verdict says it all."""
    if scale is None or strength is None:
        return None
    texts = {(of, much): text for of, much, text in _STEPS.get(scale, ())}
    text = texts.get((verdict, strength))
    return None if text is None else text.removeprefix("step.")


def n_steps(scale: Scale) -> int:
    """How many steps the bar has; 0 where it has the four verdicts."""
    return len(_STEPS.get(scale, ()))


# ---- the panel ----


def panel(rules: LabelRules) -> str:
    """The panel that a chosen verdict opens, hidden; nothing where there is no more to say than the verdict."""
    if not rules.asks_more:
        return ""
    acts = (
        '<div class="acts"><p id="labels-title"><b></b> <span class="quiet" data-t="labels.optional"></span></p>'
        '<button type="button" id="back" aria-keyshortcuts="Escape"><span data-t="labels.back"></span> <kbd>Esc</kbd>'
        '</button><button type="submit" id="save" class="go" aria-keyshortcuts="Enter Control+Enter">'
        '<span data-t="labels.save"></span> <kbd>Enter</kbd></button></div>'
    )
    return (
        f'<form id="labels" aria-labelledby="labels-title" autocomplete="off" hidden>'
        f'<div class="fields">{"".join(_fields(rules))}</div>{acts}</form>'
    )


def _fields(rules: LabelRules) -> Iterator[str]:
    if rules.scale is Scale.MUCH_SLIGHTLY:
        degrees = [("1", _text("labels.slightly")), ("2", _text("labels.much"))]
        yield _choice("strength", _text("labels.strength"), degrees, kind="number", of_better=True)
    yield from (_dimension(number, each) for number, each in enumerate(rules.dimensions))
    if rules.ratings or rules.reasons:
        yield f'<div class="sides">{_sides(rules)}</div>'
    if rules.acceptable:
        answers = [("yes", _text("labels.yes")), ("no", _text("labels.no"))]
        yield _choice("acceptable", "<span></span>", answers, kind="truth", of_better=True)
    if rules.confidence:
        levels = [(each.value, _text(f"labels.confidence.{each.value}")) for each in Confidence]
        yield _choice("confidence", _text("labels.confidence"), levels)
    if rules.comment:
        yield (
            '<fieldset class="whole" data-label="comment" data-kind="text"><label for="comment">'
            '<b data-t="labels.comment"></b> <small id="comment-note" data-t="labels.comment_note"></small></label>'
            f'<textarea id="comment" rows="2" maxlength="{LONGEST_COMMENT}" dir="auto" '
            'aria-describedby="comment-note" aria-keyshortcuts="Control+Enter"></textarea></fieldset>'
        )


def _dimension(number: int, dimension: Dimension) -> str:
    meaning = f"<small>{escape(dimension.meaning)}</small>" if dimension.meaning else ""
    options = [(each.value, _text("verdict.tie") if each is Verdict.TIE else each.value) for each in OF_A_DIMENSION]
    legend = f"<span>{escape(dimension.name)}</span> {meaning}"
    return _choice("dimensions", legend, options, key=dimension.id, name=f"dimension-{number}")


def _sides(rules: LabelRules) -> str:
    made = []
    for side in Side:
        fields = []
        if rules.ratings:
            levels = [
                (str(each), f"{each} <small>{_text(f'labels.rating.{each}')}</small>")
                for each in range(LOWEST_RATING, HIGHEST_RATING + 1)
            ]
            legend, name = _text(f"labels.rating_of.{side.value}"), f"rating-{side.value}"
            fields.append(_choice("ratings", legend, levels, kind="number", key=side.value, name=name))
        if rules.reasons:
            chips = "".join(
                f'<label><input type="checkbox" value="{escape(each)}"><span>{escape(each)}</span></label>'
                for each in rules.reasons
            )
            legend = _text(f"labels.reasons_of.{side.value}")
            fields.append(
                f'<fieldset data-label="reasons" data-kind="many" data-key="{side.value}">'
                f'<legend>{legend}</legend><div class="chips">{chips}</div></fieldset>'
            )
        made.append(f'<div class="{side.value.lower()}">{"".join(fields)}</div>')
    return "".join(made)


def _choice(
    label: str,
    legend: str,
    options: Iterable[tuple[str, str]],
    *,
    kind: str = "word",
    key: str = "",
    name: str = "",
    of_better: bool = False,
) -> str:
    """One of several, or none. `of_better`: to be asked only when one answer is better."""
    radios = "".join(
        f'<label><input type="radio" name="{name or label}" value="{escape(value)}"><span>{shown}</span></label>'
        for value, shown in options
    )
    more = (f' data-key="{escape(key)}"' if key else "") + (" data-of-better" if of_better else "")
    return (
        f'<fieldset data-label="{label}" data-kind="{kind}"{more}><legend>{legend}</legend>'
        f'<div class="options">{radios}<button type="button" class="clear" hidden>×</button></div></fieldset>'
    )


def _text(key: str) -> str:
    return f'<span data-t="{key}"></span>'
