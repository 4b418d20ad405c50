"""What the votes on one pair of answers say together. Pure.

Of one voter's votes on a pair one counts. Ties and both-bad verdicts choose nothing: the decisive votes decide, by a
strict majority that holds at least the floor; an adjudicated verdict stands above them.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from arena.battle import Adjudication, Answer, AnswerId, Prompt, PromptId, Verdict, VoterId
from arena.pairing import text_key
from arena.preferences.account import Account
from arena.preferences.cast import CastVote, CastVotes, Reason
from arena.preferences.choices import Choices
from arena.preferences.example import Adjudicated, Example, Opinion, disagreement
from arena.preferences.flag import Flag, flags_of
from arena.preferences.strength import mean_strength

NO_TEXTS = "no prompt or no answers stored"
EMPTY = "an empty answer"
SAME_TEXT = "both answers have the same text"
SUPERSEDED = "a later vote of the same voter on the same answers"
REPEATED = "the same voter's repeat of a vote"
FLIPPED = "a voter who decides otherwise on a repeat"
REVISION = "a revision that is not asked for"

_VERDICTS = tuple(Verdict)
_WHOLE = Fraction(1)

PairKey = tuple[PromptId, AnswerId, AnswerId]


@dataclass(frozen=True, slots=True)
class Texts:
    """The prompts and answers that some votes were cast on. `plain` as in `Example`."""

    prompts: Mapping[PromptId, Prompt]
    answers: Mapping[AnswerId, Answer]
    plain: Collection[AnswerId] = frozenset()


@dataclass(frozen=True)
class _Settled:
    """A verdict on a pair, and the share of the votes that says so: of the decisive ones where one answer is chosen."""

    verdict: Verdict | None
    agreement: Fraction | None
    adjudicated: Adjudicated | None = None
    is_disputed: bool = False

    @cached_property
    def share(self) -> float | None:
        """The agreement as a number."""
        return None if self.agreement is None else float(self.agreement)

    def weight(self, share_of_votes: Fraction) -> float:
        """How far the votes agree beyond one half, 1 for what was adjudicated or tells no agreement; times a share."""
        return self._whole_weight if share_of_votes is _WHOLE else float(self._weight * share_of_votes)

    @cached_property
    def _weight(self) -> Fraction:
        if self.adjudicated is not None or self.agreement is None:
            return _WHOLE
        return max(Fraction(0), 2 * self.agreement - 1)

    @cached_property
    def _whole_weight(self) -> float:
        return float(self._weight)


@dataclass(frozen=True, slots=True)
class Judge:
    """What makes examples of votes: the choices, and what is known from elsewhere.

    against says why a vote is not taken (`cast.reason_against`); texts_of reads the texts of some pairs; named are
    answers that are known to tell their author; alias gives voters the names that they have in this export; adjudicated
    are the adjudications that hold, by pair, its answers in the order of their ids; they stand above the votes.
    """

    choices: Choices
    against: Reason
    texts_of: Callable[[Sequence[CastVotes]], Texts]
    alias: Callable[[VoterId], str | None]
    named: Collection[AnswerId] = frozenset()
    adjudicated: Mapping[PairKey, Adjudication] = field(default_factory=dict)
    _known: dict[tuple[int, ...], _Settled] = field(default_factory=dict)
    """What so many votes of each verdict say: few numbers of them come again and again."""

    def examples(self, casts: Iterable[CastVotes], account: Account) -> Iterator[Example]:
        """The examples of votes that come pair by pair, each pair whole; votes that are in none go to the account.

        Those of one prompt that follow each other are counted. Two thousand pairs are held at a time, and theirs are
        the only texts in memory: while one thousand become examples, those of the next are read.
        """
        prompt_id, place = None, 0
        for taken, texts in self._with_texts(casts, account):
            for cast in taken:
                place = place if cast.prompt_id == prompt_id else 0
                prompt_id = cast.prompt_id
                example = self._example(cast, texts, place, account)
                if example is not None:
                    place += 1
                    yield example

    def _with_texts(self, casts: Iterable[CastVotes], account: Account) -> Iterator[tuple[Sequence[CastVotes], Texts]]:
        """The votes that count, a thousand pairs at a time with their texts."""
        with ThreadPoolExecutor(1) as reader:
            waiting: deque[tuple[Sequence[CastVotes], Future[Texts]]] = deque()
            for batch in _batches(casts, _PAIRS_AT_ONCE):
                taken = [pair for cast in batch if (pair := self._taken(cast, account)) is not None]
                waiting.append((taken, reader.submit(self.texts_of, taken)))
                if len(waiting) > 1:
                    ready, reading = waiting.popleft()
                    yield ready, reading.result()
            for ready, reading in waiting:
                yield ready, reading.result()

    def _taken(self, cast: CastVotes, account: Account) -> CastVotes | None:
        """The votes that count, at most one a voter; None without any."""
        kept, why = [], ""
        for vote in cast.votes:
            reason = self.against(cast, vote)
            if reason is None:
                kept.append(vote)
            else:
                account.leave_out(why := reason)
        if kept and (cast.prompt_id is None or cast.answer_a is None or cast.answer_b is None):
            account.leave_out_pair(NO_TEXTS, len(kept))
            return None
        if kept:
            kept, why = _one_a_voter(kept, account), FLIPPED
        if not kept:
            account.leave_out_pair(why)
            return None
        return cast if len(kept) == len(cast.votes) else replace(cast, votes=tuple(kept))

    def _example(self, cast: CastVotes, texts: Texts, place: int, account: Account) -> Example | None:
        assert cast.prompt_id is not None  # noqa: S101 - for the type; those without are left out by now
        assert cast.answer_a is not None  # noqa: S101
        assert cast.answer_b is not None  # noqa: S101
        key = cast.prompt_id, cast.answer_a, cast.answer_b
        prompt = texts.prompts.get(cast.prompt_id)
        answer_a, answer_b = texts.answers.get(cast.answer_a), texts.answers.get(cast.answer_b)
        if prompt is None or answer_a is None or answer_b is None:
            account.leave_out_pair(NO_TEXTS, len(cast.votes))
            return None
        reason = self._against_texts(prompt, (answer_a, answer_b), texts.plain)
        if reason is not None:
            account.leave_out_pair(reason, len(cast.votes))
            return None
        opinions = tuple(self._opinion(vote) for vote in cast.votes)
        settled = self._settled(key, opinions)
        verdict = settled.verdict
        is_chosen = verdict is not None and verdict.is_decisive
        return Example(
            id=pair_id(*key),
            prompt=prompt,
            answer_a=answer_a,
            answer_b=answer_b,
            opinions=opinions,
            verdict=verdict,
            agreement=settled.share,
            weight=settled.weight(_share_of_votes(cast.votes)),
            margin=self.choices.margins.of_pair(opinions, verdict) if verdict and is_chosen else 0.0,
            strength=mean_strength(opinions, verdict) if verdict and is_chosen else None,
            is_acceptable=_acceptable(opinions, verdict, self.choices.assume_acceptable),
            adjudicated=settled.adjudicated,
            is_disputed=settled.is_disputed,
            conversation_id=cast.conversation_id,
            turn=cast.turn,
            place=place,
            plain=texts.plain,
        )

    def _against_texts(self, prompt: Prompt, answers: tuple[Answer, Answer], plain: Collection[AnswerId]) -> str | None:
        """Why nobody can prefer one of these texts, or nobody should learn it."""
        one, other = answers[0].text, answers[1].text
        if not one.strip() or not other.strip():
            return EMPTY
        if are_same(one, other):
            return SAME_TEXT
        if self.choices.revisions is not None and any(a.revision not in self.choices.revisions for a in answers):
            return REVISION
        named = any(answer.id in self.named for answer in answers)
        flags = flags_of(prompt.messages, answers, named=named, plain=plain).difference(self.choices.keep_flagged)
        return next((flag.value for flag in Flag if flag in flags), None) if flags else None

    def _opinion(self, vote: CastVote) -> Opinion:
        opinion, labels = vote.opinion, vote.opinion.labels
        if labels.comment is not None and not self.choices.comments:
            labels = replace(labels, comment=None)
        voter = None if vote.voter_id is None else self.alias(vote.voter_id)
        is_same = voter == opinion.voter and labels is opinion.labels
        return opinion if is_same else opinion.under(voter, labels)

    def _settled(self, key: PairKey, opinions: Sequence[Opinion]) -> _Settled:
        by_votes = self._by_votes(opinions)
        act = self.adjudicated.get(key)
        if act is None:
            return by_votes
        assert act.verdict is not None  # noqa: S101 - those that hold have one
        counted = [each for each in opinions if each.verdict.is_decisive or not act.verdict.is_decisive]
        n_same = sum(each.verdict is act.verdict for each in counted)
        share = Fraction(n_same, len(counted)) if counted else None
        return _Settled(act.verdict, share, Adjudicated(act.decided_at, by_votes.verdict))

    def _by_votes(self, opinions: Sequence[Opinion]) -> _Settled:
        """What the votes say, and the share of them that says it: of the decisive ones where one answer is chosen."""
        said = [each.verdict for each in opinions]
        counts = tuple(map(said.count, _VERDICTS))
        if counts not in self._known:
            self._known[counts] = self._by_counts(dict(zip(_VERDICTS, counts, strict=True)))
        return self._known[counts]

    def _by_counts(self, counts: Mapping[Verdict, int]) -> _Settled:
        n_decisive = counts[Verdict.A] + counts[Verdict.B]
        if n_decisive == 0:
            verdict = max((Verdict.TIE, Verdict.BOTH_BAD), key=counts.__getitem__)
            share = Fraction(counts[verdict], sum(counts.values()))
            return _Settled(verdict, share) if share > Fraction(1, 2) else _Settled(None, None)
        verdict = max((Verdict.A, Verdict.B), key=counts.__getitem__)
        share = Fraction(counts[verdict], n_decisive)
        if share <= Fraction(1, 2) or (share < self.choices.min_agreement and not self.choices.keep_conflicts):
            return _Settled(None, share)
        most = self.choices.max_disagreement
        apart = None if most is None else disagreement(Counter(counts).elements())
        is_disputed = most is not None and apart is not None and apart > most
        return _Settled(None if is_disputed else verdict, share, is_disputed=is_disputed)


def _share_of_votes(votes: Sequence[CastVote]) -> Fraction:
    """What these votes weigh in the mean: one of a ranked list 1 / (number of its pairs), so that a list weighs one."""
    if all(vote.n_pairs == 1 for vote in votes):
        return _WHOLE
    return sum((Fraction(1, vote.n_pairs) for vote in votes), Fraction(0)) / len(votes)


def pair_id(prompt: PromptId, answer_a: AnswerId, answer_b: AnswerId) -> str:
    """The name of a pair of answers in every export, whichever comes first."""
    told = "\0".join((prompt, *sorted((answer_a, answer_b))))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def are_same(one: str, other: str) -> bool:
    """Whether two texts are equal but for blanks. Most that are not differ in their first words, or letters."""
    first, other_first = one[:1], other[:1]
    if first != other_first and not (first.isspace() or other_first.isspace()):
        return False
    heads = (text[:80].split()[:-1] for text in (one, other))  # the last word may be cut
    if any(word != its_peer for word, its_peer in zip(*heads, strict=False)):
        return False
    return text_key(one) == text_key(other)


def _one_a_voter(votes: Sequence[CastVote], account: Account) -> list[CastVote]:
    """The votes of a pair, at most one of each voter; those that do not tell their voter are all different ones.

    Of several votes the last counts. A repeat item is a check and none of them: where the voter decides otherwise on
    it, nothing of that voter on this pair counts.
    """
    if len(votes) < 2:
        return list(votes)
    of_voter: dict[VoterId, list[CastVote]] = {}
    for vote in votes:
        if vote.voter_id is not None:
            of_voter.setdefault(vote.voter_id, []).append(vote)
    passed_over = set[int]()
    for theirs in of_voter.values():
        first = [vote for vote in theirs if vote.item_kind != "repeat"]
        repeats = [vote for vote in theirs if vote.item_kind == "repeat"]
        counting = (first or repeats)[-1]
        if first and any(vote.opinion.verdict is not counting.opinion.verdict for vote in repeats):
            account.leave_out(FLIPPED, len(theirs))
            passed_over.update(map(id, theirs))
            continue
        account.leave_out(REPEATED, len(repeats) if first else 0)
        account.leave_out(SUPERSEDED, len(first or repeats) - 1)
        passed_over.update(id(vote) for vote in theirs if vote is not counting)
    return [vote for vote in votes if id(vote) not in passed_over]


def _acceptable(opinions: Sequence[Opinion], verdict: Verdict | None, unsaid: bool) -> bool | None:
    """What most of those who chose an answer say of it, among those who say anything; where nobody does, `unsaid`
    decides whether it is taken for acceptable."""
    if verdict is None or not verdict.is_decisive:
        return None
    said = [o.labels.acceptable for o in opinions if o.verdict is verdict and o.labels.acceptable is not None]
    if not said:
        return True if unsaid else None
    n_yes = sum(said)
    return None if 2 * n_yes == len(said) else 2 * n_yes > len(said)


# The store reads a text among many of its neighbours in a tenth of the time that it takes alone.
_PAIRS_AT_ONCE = 1_000


def _batches(casts: Iterable[CastVotes], size: int) -> Iterator[list[CastVotes]]:
    batch: list[CastVotes] = []
    for cast in casts:
        batch.append(cast)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
