"""Which votes are about the same two answers: asked of a vote table, whether it reads a file or the log."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena import matters
from arena.battle import Side
from arena.errors import BadInput
from arena.judgements import UNTOLD, Ints, Judgements
from arena.matters import Matter
from arena.vote_table import VoteTable

SAME_TEXT = "both answers have the same text"
NO_PROMPT = "no prompt is known"
NO_VOTER = "no voter is known"


class Group(StrEnum):
    """What votes on the same answers can be looked at by."""

    CATEGORY = "category"
    LANGUAGE = "language"
    GUIDELINE = "guideline"
    WEEK = "week"
    TURN = "turn"
    SOURCE = "source"
    BATCH = "batch"


# The column that each needs, and what it says of a vote as SQL; weeks are those of ISO 8601, in UTC.
_SAYS: Mapping[Group, tuple[str, str]] = {
    Group.CATEGORY: ("category", "nullif(category::varchar, '')"),
    Group.LANGUAGE: ("language", "nullif(language::varchar, '')"),
    Group.GUIDELINE: ("guideline_version", "nullif(guideline_version::varchar, '')"),
    Group.WEEK: ("voted_at", "strftime(voted_at::timestamptz at time zone 'UTC', '%G-W%V')"),
    Group.TURN: ("turn", "turn::varchar"),
    Group.SOURCE: ("source", "nullif(source::varchar, '')"),
    Group.BATCH: ("batch", "batch::varchar"),
}

# The first 8 bytes of the digest: two texts of a million share them with a chance of 1 in 30 million.
_DIGEST = "('0x' || left(sha256({}), 16))::ubigint"


def read(votes: VoteTable, groups: Sequence[Group] = (), *, labels: bool = False) -> Judgements:
    """The votes that count as judgements, in the order of the log or of the file's rows; with `labels` also what they
    say beside the verdict. A column of such labels in which no word is one of ours is about something else.

    Two answers are the same where their prompt (by its words, in a database), its turn and both texts are; where no
    text is known, those of the same model are. A vote that does not tell its voter or its prompt is left out and
    counted, and so is one on two answers with the same text, of which neither can be the better.

    Raises BadInput where the votes have no column for voters or for prompts, or none for a group, and for a label that
    is none beside others that are.
    """
    question = "question" if votes.tells("question") else "prompt_id"
    for column in ("voter", question, *(_SAYS[group][0] for group in groups)):
        if not votes.tells(column):
            raise BadInput(f"the votes have no column {column!r}: which votes belong together is not known")
    left_out = dict(votes.counted().left_out)
    joins, first, a, b = _texts(votes)
    turn = "turn::varchar" if votes.tells("turn") else "''"
    told = f"nullif({question}::varchar, '')"
    words = _words(votes) if labels else {}
    found = votes.select(
        {
            "place": "bakeoff_seq",
            "item": f"hash({told}, {turn}, least({a}, {b}), greatest({a}, {b}))",
            "turned": f"{a} > {b}",
            "same": f"{a} = {b}",
            "prompt": f"{told} is not null",
            "voter": "hash(nullif(voter::varchar, ''))",
            "named": "nullif(voter::varchar, '') is not null",
            **{group.value: f"hash({_SAYS[group][1]})" for group in groups},
            **{f"has_{group.value}": f"{_SAYS[group][1]} is not null" for group in groups},
            **{f"said_{column}": f"coalesce(hash({matters.COLUMNS[column]}), 0)" for column in words},
        },
        joins,
        first=first,
    )
    kept = np.ones(len(found["place"]), dtype=bool)
    for reason, is_out in ((NO_PROMPT, ~found["prompt"]), (NO_VOTER, ~found["named"]), (SAME_TEXT, found["same"])):
        n = int(np.count_nonzero(is_out & kept))
        left_out |= {reason: n} if n else {}
        kept &= ~is_out
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(found["place"][rows].astype(np.int64), kind="stable")]
    names = {"voter": "nullif(voter::varchar, '')", **{group.value: _SAYS[group][1] for group in groups}}
    known = {name: dict(votes.distinct(sql)) for name, sql in names.items()}
    code = found["verdict"][rows].astype(np.int64)
    is_side = code < 2  # A and B, in this order
    turned = np.asarray(found["turned"])[rows].astype(bool)
    keys = {column: np.asarray(found[f"said_{column}"], dtype=np.uint64)[rows] for column in words}
    voter, voters = _numbered(found["voter"][rows], np.ones(len(rows), dtype=bool), known["voter"])
    columns = {g.value: _numbered(found[g.value][rows], found[f"has_{g.value}"][rows], known[g.value]) for g in groups}
    return Judgements(
        item=np.unique(np.asarray(found["item"])[rows], return_inverse=True)[1].astype(np.int64),
        voter=voter,
        label=np.where(is_side & turned, 1 - code, code),
        groups={name: numbers for name, (numbers, _) in columns.items()},
        names={"voter": voters, **{name: words for name, (_, words) in columns.items()}},
        left_out=left_out,
        said=_said(words, keys, code, turned),
    )


def _words(votes: VoteTable) -> dict[str, dict[int, Any]]:
    """What the words of each column of labels say, by their keys; without columns that say nothing of this kind."""
    found = {}
    for column, sql in matters.COLUMNS.items():
        if all(votes.tells(each) for each in (column, *matters.ALSO_NEEDS.get(column, ()))):
            read_words = matters.read(column, dict(votes.distinct(sql)), votes.where)
            if read_words is not None:
                found[column] = read_words
    return found


def _said(
    words: Mapping[str, Mapping[int, Any]], keys: Mapping[str, Any], verdict: Ints, turned: NDArray[np.bool_]
) -> dict[Matter, Ints]:
    """What votes say of each matter, from the keys of their words; A is the answer that it is in `Judgements`."""
    found = dict[Matter, Ints]()
    for each in sorted({name for told in words.get("dimensions", {}).values() for name in told}):
        matter = matters.dimension(each)
        place = {"A": 0, "tie": 1, "B": 2}
        says = {key: place[told[each].value] for key, told in words["dimensions"].items() if each in told}
        found[matter] = _looked_up(keys["dimensions"], says)
    for scale in sorted({scale for scale, _ in words.get("scale", {}).values()}):
        matter, n = matters.steps(scale), scale.n_steps
        said = {key: step or UNTOLD for key, (name, step) in words["scale"].items() if name is scale}
        step, is_shown = _looked_up(keys["scale"], said), np.isin(keys["scale"], np.array(list(said), dtype=np.uint64))
        sided = np.where(step == UNTOLD, UNTOLD, np.where(verdict == 0, n - step, n + step))
        found[matter] = np.where(is_shown, np.where(verdict < len(Side), sided, n), UNTOLD)
    for matter, values in found.items():
        found[matter] = np.where(turned & (values != UNTOLD), len(matter.labels) - 1 - values, values)[:, None]
    for column, matter in (("ratings", matters.RATING), ("thumbs", matters.THUMB)):
        if column not in words:
            continue
        place = {label: number for number, label in enumerate(matter.labels)}
        sides = [{key: place[str(told[side])] for key, told in words[column].items() if side in told} for side in Side]
        both = np.column_stack([_looked_up(keys[column], says) for says in sides])
        found[matter] = np.where(turned[:, None], both[:, ::-1], both)
    if "confidence" in words:
        place = {word: number for number, word in enumerate(matters.CONFIDENCE.labels)}
        says = {key: place[told.value] for key, told in words["confidence"].items()}
        found[matters.CONFIDENCE] = _looked_up(keys["confidence"], says)[:, None]
    return found


def _looked_up(keys: Any, says: Mapping[int, int]) -> Ints:
    """What each key stands for; UNTOLD for one that is not known."""
    different, number = np.unique(keys, return_inverse=True)
    return np.array([says.get(key, UNTOLD) for key in different.tolist()], dtype=np.int64)[number]


def _texts(votes: VoteTable) -> tuple[str, dict[str, str], str, str]:
    """Joins, what to compute first, and SQL of a number for each of the two answers: of its text, or of its model where
    no text is known."""
    models = {f"bakeoff_{side}": _DIGEST.format(f"'model ' || model_{side}::varchar") for side in "ab"}
    of = votes.answers
    if of is None:
        return "", models, "bakeoff_a", "bakeoff_b"
    if of.are_in_rows:  # a digest a row, so that no text is kept in memory
        own = {f"bakeoff_{side}": _DIGEST.format(f"answer_{side}::varchar") for side in "ab"}
        first = {name: f"coalesce({sql}, {models[name]})" for name, sql in own.items()}
        return "", first, "bakeoff_a", "bakeoff_b"
    votes.run(
        "create or replace temp table bakeoff_texts as "
        f"select key, {_DIGEST.format('text')} as digest from ({of.texts}) t(key, text) where text is not null"
    )
    joins = f"left join bakeoff_texts ta on {of.key_a} = ta.key left join bakeoff_texts tb on {of.key_b} = tb.key"
    return joins, models, "coalesce(ta.digest, bakeoff_a)", "coalesce(tb.digest, bakeoff_b)"


def _numbered(keys: Any, is_known: Any, names: Mapping[int, str]) -> tuple[Ints, tuple[str, ...]]:
    """Keys as places among their names in the alphabet's order, and these; UNTOLD where nothing is known."""
    is_known = np.asarray(is_known, dtype=bool)
    found, number = np.unique(np.asarray(keys, dtype=np.uint64)[is_known], return_inverse=True)
    words = [names[key] for key in found.tolist()]
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.empty(len(words), dtype=np.int64)
    place[order] = np.arange(len(words))
    numbers = np.full(len(is_known), UNTOLD, dtype=np.int64)
    numbers[is_known] = place[number]
    return numbers, tuple(words[each] for each in order)
