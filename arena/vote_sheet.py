"""Votes of a file or of the log, read for audits into one sheet in memory, without their texts."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from arena.battle import Source, Verdict
from arena.quality.sheet import UNKNOWN, Sheet, Whole
from arena.quality.wording import Wording
from arena.vote_file import parse_winner
from arena.vote_table import Told, VoteTable

FURTHER = ("time_to_vote_ms", "voter_wrote_prompt", "guideline_version", "prompt_text", "gold")
"""Columns of a vote file that only audits read."""

_WANTED = {
    "voter": Told.KEY,
    "prompt_id": Told.KEY,
    "prompt_digest": Told.KEY,
    "prompt_text": Told.KEY,
    "voted_at": Told.TIME,
    "time_to_vote_ms": Told.NUMBER,
    "voter_wrote_prompt": Told.TRUTH,
    "guideline_version": Told.KEY,
    "gold": Told.KEY,
    "source": Told.KEY,
    "draw_probability": Told.NUMBER,
    "seq": Told.NUMBER,
}


def read_sheet(votes: VoteTable, *, with_prompt_texts: bool = False) -> Sheet:
    """All votes that count, but those with one model on both sides.

    The texts of prompts are only there where they are asked for. Raises BadInput for a value that cannot be read, such
    as a time to vote that is no number, and as `VoteTable.counted`.
    """
    counted = votes.counted()
    # Where nothing else tells prompts apart their texts do; else they are long, and read only when asked for.
    is_named = not {"prompt_digest", "prompt_id"}.isdisjoint(votes.known)
    wanted = {
        name: kind for name, kind in _WANTED.items() if name != "prompt_text" or with_prompt_texts or not is_named
    }
    found = votes.columns(**wanted)
    keep = np.flatnonzero(found["a"] != found["b"])
    if "seq" in found:
        keep = keep[np.argsort(np.asarray(found["seq"])[keep], kind="stable")]
    found = {name: column[keep] for name, column in found.items()}
    n = len(keep)
    asked = next((name for name in ("prompt_digest", "prompt_id", "prompt_text") if name in found), None)
    prompt, prompt_keys = _places(found, asked, n)
    names = {} if asked is None else votes.names("prompt_id" if asked == "prompt_digest" else asked)
    answers, wording = _read_texts(votes, found)
    voter, voter_keys = _places(found, "voter", n)
    guideline, guideline_keys = _places(found, "guideline_version", n)
    voters, guidelines = votes.names("voter"), votes.names("guideline_version")
    moment = found.get("voted_at")
    drawn = found.get("draw_probability")
    return Sheet(
        models=counted.models,
        model_a=found["a"].astype(np.int64),
        model_b=found["b"].astype(np.int64),
        verdict=found["verdict"].astype(np.int64),
        voter=voter,
        prompt=prompt,
        answer_a=answers["answer_a"],
        answer_b=answers["answer_b"],
        moment=np.full(n, UNKNOWN) if moment is None else _filled(moment, UNKNOWN).astype(np.int64),
        milliseconds=_filled(found["time_to_vote_ms"], np.nan) if "time_to_vote_ms" in found else np.full(n, np.nan),
        wrote_prompt=_truths(found, "voter_wrote_prompt", n),
        guideline=guideline,
        gold=_gold(votes, found, n),
        voters=[voters[key] for key in voter_keys],
        prompts=_prompt_names(found, asked, prompt, prompt_keys, names),
        guidelines=[guidelines[key] for key in guideline_keys],
        wording=wording,
        prompt_texts=_prompt_texts(votes, found, prompt),
        source=_sources(votes, found, n) if "source" in found else None,
        n_drawn=None if drawn is None else int((~np.ma.getmaskarray(drawn)).sum()),
    )


def _places(found: Mapping[str, Any], name: str | None, n: int) -> tuple[Whole, list[int]]:
    """A column of keys as places from 0, UNKNOWN where there is none, and the keys in their order."""
    if name is None or name not in found:
        return np.full(n, UNKNOWN, dtype=np.int64), []
    is_known = ~np.ma.getmaskarray(found[name])
    keys, place = np.unique(np.asarray(found[name])[is_known], return_inverse=True)
    places = np.full(n, UNKNOWN, dtype=np.int64)
    places[is_known] = place
    return places, keys.tolist()


def _read_texts(votes: VoteTable, found: Mapping[str, Any]) -> tuple[dict[str, Whole], Wording | None]:
    """Each side's answer as a place, and how the answers are worded; every text is read once, and none is kept."""
    n = len(found["a"])
    sides = ("answer_a", "answer_b")
    if sides[0] not in found:
        return {side: np.full(n, UNKNOWN, dtype=np.int64) for side in sides}, None
    wanted = np.unique(np.concatenate([np.asarray(found[side])[~np.ma.getmaskarray(found[side])] for side in sides]))
    keys: list[int] = []

    def texts() -> Iterator[str]:
        known = set(wanted.tolist())
        for key, text in votes.texts():
            if key in known:
                keys.append(key)
                yield text

    wording = Wording.of(texts())
    order = np.argsort(np.array(keys, dtype=np.uint64))
    ordered = np.array(keys, dtype=np.uint64)[order]
    places = {}
    for side in sides:
        key = np.asarray(found[side]).astype(np.uint64)
        at = np.minimum(np.searchsorted(ordered, key), max(len(ordered) - 1, 0))
        is_known = ~np.ma.getmaskarray(found[side]) & (len(ordered) > 0)
        if len(ordered):
            is_known &= ordered[at] == key
        places[side] = np.where(is_known, order[at] if len(ordered) else 0, UNKNOWN).astype(np.int64)
    return places, wording if keys else None


def _truths(found: Mapping[str, Any], name: str, n: int) -> Whole:
    if name not in found:
        return np.full(n, UNKNOWN, dtype=np.int64)
    return np.where(np.ma.getmaskarray(found[name]), UNKNOWN, np.asarray(found[name]).astype(np.int64))


def _gold(votes: VoteTable, found: Mapping[str, Any], n: int) -> Whole:
    """Raises UnknownVerdict for a word that is none."""
    place, keys = _places(found, "gold", n)
    words = votes.names("gold")
    codes = [list(Verdict).index(parse_winner(words[key])) for key in keys]
    return np.array([*codes, UNKNOWN], dtype=np.int64)[place]


def _sources(votes: VoteTable, found: Mapping[str, Any], n: int) -> Whole:
    place, keys = _places(found, "source", n)
    words, known = votes.names("source"), [each.value for each in Source]
    codes = [known.index(words[key]) if words[key] in known else UNKNOWN for key in keys]
    return np.array([*codes, UNKNOWN], dtype=np.int64)[place]


def _prompt_texts(votes: VoteTable, found: Mapping[str, Any], prompt: Whole) -> dict[int, str]:
    """By place, those that were asked for and are known."""
    if "prompt_text" not in found:
        return {}
    said, is_known = votes.names("prompt_text"), ~np.ma.getmaskarray(found["prompt_text"]) & (prompt != UNKNOWN)
    places, first = np.unique(prompt[is_known], return_index=True)
    keys = np.asarray(found["prompt_text"])[is_known][first].tolist()
    return {place: said[key] for place, key in zip(places.tolist(), keys, strict=True)}


def _prompt_names(
    found: Mapping[str, Any], asked: str | None, prompt: Whole, keys: list[int], names: Mapping[int, str]
) -> list[str]:
    """The id of each prompt; of several with the same messages the one that comes first."""
    if asked != "prompt_digest":
        return [names[key] for key in keys]
    is_known = prompt != UNKNOWN
    _, first = np.unique(prompt[is_known], return_index=True)
    return [names[key] for key in np.asarray(found["prompt_id"])[is_known][first].tolist()]


def _filled(column: Any, value: float) -> Any:
    return np.ma.filled(column, value)
