"""Which votes become a preference, and why the others do not."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from arena.battle import AnswerId, ModelId, PromptId, Source
from arena.pairing import text_key

TIE = "tie"
BOTH_BAD = "both bad"
CONFLICT = "conflict: no strict majority"
BELOW_FLOOR = "conflict: agreement below the floor"
NO_TEXTS = "no prompt or no answers stored"
EMPTY = "an empty answer"
SAME_TEXT = "both answers have the same text"


@dataclass(frozen=True, slots=True)
class PairTally:
    """What one source said of one pair of answers, whichever side each stood on.

    first and second are the two models in the order of their ids. The prompt and the answers are None for imported
    votes that came without them. left_out is the reason if these votes do not count.
    """

    prompt_id: PromptId | None
    model_first: ModelId
    model_second: ModelId
    answer_first: AnswerId | None
    answer_second: AnswerId | None
    source: Source
    n_first: int
    n_second: int
    n_tie: int
    n_both_bad: int
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """A prompt with a chosen and a rejected answer: what a strict majority of n_votes decisive votes said of the pair.

    agreement is the share of those votes that chose the chosen one.
    """

    prompt_id: PromptId
    chosen: AnswerId
    rejected: AnswerId
    chosen_model: ModelId
    rejected_model: ModelId
    n_votes: int
    agreement: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The preferences, and how many votes were left out for each reason. Kept and left out add up to all votes."""

    preferences: tuple[Preference, ...]
    left_out: Mapping[str, int]

    @property
    def n_kept(self) -> int:
        return sum(preference.n_votes for preference in self.preferences)


def select(
    tallies: Iterable[PairTally],
    texts: Mapping[AnswerId, str],
    *,
    sources: Collection[Source],
    min_agreement: Fraction = Fraction(0),
) -> Selection:
    """Turn votes into preferences, one for each prompt and pair of answers.

    Votes that do not count are left out, and so are ties and both-bad verdicts, which prefer nothing. Of the decisive
    votes on a pair, a strict majority decides, where it holds at least min_agreement of them; a pair without it is a
    conflict and left out whole. Answers that are blank, or equal but for blanks, could not be preferred. Votes of
    several sources on one pair are added up. `texts` holds the text of every answer that a tally names.
    """
    left_out: Counter[str] = Counter()
    decisive: dict[tuple[PromptId, AnswerId, AnswerId], list[PairTally]] = {}
    for tally in tallies:
        n_all = tally.n_first + tally.n_second + tally.n_tie + tally.n_both_bad
        if tally.left_out is not None:
            left_out[tally.left_out] += n_all
            continue
        if tally.source not in sources:
            left_out[f"source {tally.source.value} is not asked for"] += n_all
            continue
        left_out[TIE] += tally.n_tie
        left_out[BOTH_BAD] += tally.n_both_bad
        n_decisive = tally.n_first + tally.n_second
        prompt_id, first, second = tally.prompt_id, tally.answer_first, tally.answer_second
        if prompt_id is None or first is None or second is None:
            left_out[NO_TEXTS] += n_decisive
        elif "" in (keys := {text_key(texts[first]), text_key(texts[second])}):
            left_out[EMPTY] += n_decisive
        elif len(keys) == 1:
            left_out[SAME_TEXT] += n_decisive
        elif n_decisive:
            decisive.setdefault((prompt_id, first, second), []).append(tally)
    preferences = []
    for (prompt_id, first, second), pair in decisive.items():
        n_first, n_second = sum(tally.n_first for tally in pair), sum(tally.n_second for tally in pair)
        n_votes, n_most = n_first + n_second, max(n_first, n_second)
        if n_first == n_second:
            left_out[CONFLICT] += n_votes
        elif Fraction(n_most, n_votes) < min_agreement:
            left_out[BELOW_FLOOR] += n_votes
        else:
            models = pair[0].model_first, pair[0].model_second
            is_first = n_first > n_second
            preferences.append(
                Preference(
                    prompt_id=prompt_id,
                    chosen=first if is_first else second,
                    rejected=second if is_first else first,
                    chosen_model=models[0] if is_first else models[1],
                    rejected_model=models[1] if is_first else models[0],
                    n_votes=n_votes,
                    agreement=n_most / n_votes,
                )
            )
    preferences.sort(key=lambda each: (each.prompt_id, each.chosen, each.rejected))
    return Selection(tuple(preferences), {reason: n for reason, n in sorted(left_out.items()) if n})
