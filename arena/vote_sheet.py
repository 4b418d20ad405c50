"""Votes of a file or of the log, read for audits into one sheet in memory, without their texts."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.battle import Source, Verdict
from arena.quality.sheet import UNKNOWN, Sheet, Whole
from arena.quality.wording import Wording
from arena.vote_file import parse_winner
from arena.vote_relation import Told
from arena.vote_table import VoteTable

FURTHER = ("time_to_vote_ms", "voter_wrote_prompt", "guideline_version", "prompt_text", "gold")
"""Columns of a vote file that only audits read."""

MOST_WORDED = 50_000
"""Votes whose answers are read for a card or a page: enough that a share is known to half a percent point."""

_SEED = 20_260_101

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


def read_sheet(votes: VoteTable, *, with_prompt_texts: bool = False, most_worded: int | None = None) -> Sheet:
    """All votes that count, but those with one model on both sides.

    The texts of prompts are only there where they are asked for. Of more votes than `most_worded` the texts of answers
    are read of a random sample of so many, always the same one; reading takes nearly all of the time. Raises BadInput
    for a value that cannot be read, such as a time to vote that is no number, and as `VoteTable.counted`.
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
    sampled = _sample(found, most_worded)
    answers, wording = _read_texts(votes, found, sampled)
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
        sampled=None if wording is None else sampled,
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


def _sample(found: Mapping[str, Any], most: int | None) -> NDArray[np.bool_] | None:
    """Which votes are in the random sample of so many; None where there are no more.

    Every position of a log (in a file, every row) has a random number of its own, the one that stands there in a stream
    from a seed that never changes; the votes with the smallest numbers are taken. So the same votes are taken whenever
    the same votes are looked at, on every machine, and most of them still when the log has grown.
    """
    n = len(found["a"])
    if most is None or n <= most:
        return None
    position = np.asarray(found["seq"]).astype(np.int64) if "seq" in found else np.arange(n)
    number = np.random.PCG64(_SEED).random_raw(int(position.max()) + 1)[position]
    sampled = np.zeros(n, dtype=bool)
    sampled[np.argsort(number, kind="stable")[:most]] = True
    return sampled


def _read_texts(
    votes: VoteTable, found: Mapping[str, Any], sampled: NDArray[np.bool_] | None
) -> tuple[dict[str, Whole], Wording | None]:
    """Each side's answer as a place, and how the answers are worded; every text is read once, and none is kept.

    Of a sample only its texts are read. They come first, and after them the answers that are known by their keys.
    """
    n = len(found["a"])
    sides = ("answer_a", "answer_b")
    if sides[0] not in found:
        return {side: np.full(n, UNKNOWN, dtype=np.int64) for side in sides}, None
    both = np.concatenate([np.asarray(found[side]).astype(np.uint64) for side in sides])
    is_known = np.concatenate([~np.ma.getmaskarray(found[side]) for side in sides])
    keys, inverse = np.unique(both[is_known], return_inverse=True)
    is_wanted = np.ones(len(keys), dtype=bool)
    if sampled is not None:
        is_wanted[:] = False
        is_wanted[inverse[np.tile(sampled, 2)[is_known]]] = True
    read: list[int] = []

    def texts() -> Iterator[str]:
        for key, text in votes.texts(keys[is_wanted].tolist()):
            read.append(key)
            yield text

    wording = Wording.of(texts())
    place = np.full(len(keys), UNKNOWN, dtype=np.int64)
    place[np.searchsorted(keys, np.array(read, dtype=np.uint64))] = np.arange(len(read))
    place[~is_wanted] = len(read) + np.arange((~is_wanted).sum())
    places = np.full(2 * n, UNKNOWN, dtype=np.int64)
    places[is_known] = place[inverse]
    return dict(zip(sides, np.split(places, 2), strict=True)), wording if read else None


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
