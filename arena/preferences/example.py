"""What an export has to say of two answers to one prompt: everything that any format needs, and nothing of a file."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from arena.battle import Answer, AnswerId, Labels, Message, Prompt, Side, Source, Verdict, VoteId


@dataclass(frozen=True, slots=True)
class Opinion:
    """One vote on the two answers of an example. A and B are the example's sides, wherever the answers stood.

    voter is a name of the export's own, never the arena's id; None where the vote does not tell. is_turned: the battle
    had the answers the other way round. The comment is there only where the host asked for it. list_id is that of the
    ranked list that says it.
    """

    vote_id: VoteId
    verdict: Verdict
    source: Source
    labels: Labels = field(default_factory=Labels)
    voter: str | None = None
    voted_at: datetime | None = None
    shown_on_left: Side | None = None
    time_to_vote_ms: int | None = None
    guideline_version: str | None = None
    blind: bool | None = None
    is_turned: bool = False
    purpose: str | None = None
    consent_version: str | None = None
    batch: str | None = None
    list_id: str | None = None

    @property
    def turned(self) -> "Opinion":
        """The same opinion as seen with the answers exchanged."""
        other, labels = {Side.A: Side.B, Side.B: Side.A}, self.labels
        if labels.dimensions or labels.reasons or labels.ratings or labels.thumbs:
            labels = replace(
                labels,
                dimensions={each: verdict.swapped for each, verdict in labels.dimensions.items()},
                reasons={other[side]: given for side, given in labels.reasons.items()},
                ratings={other[side]: rating for side, rating in labels.ratings.items()},
                thumbs={other[side]: thumb for side, thumb in labels.thumbs.items()},
            )
        left = None if self.shown_on_left is None else other[self.shown_on_left]
        return self._remade(self.verdict.swapped, labels, self.voter, left, not self.is_turned)

    def under(self, voter: str | None, labels: Labels) -> "Opinion":
        """The same opinion under a name of the export's own, with these of its labels."""
        return self._remade(self.verdict, labels, voter, self.shown_on_left, self.is_turned)

    def _remade(
        self, verdict: Verdict, labels: Labels, voter: str | None, left: Side | None, is_turned: bool
    ) -> "Opinion":
        """As `dataclasses.replace`, in a third of the time: every vote comes through here."""
        return Opinion(
            *(self.vote_id, verdict, self.source, labels, voter, self.voted_at, left, self.time_to_vote_ms),
            *(self.guideline_version, self.blind, is_turned, self.purpose, self.consent_version),
            *(self.batch, self.list_id),
        )


@dataclass(frozen=True, slots=True)
class Adjudicated:
    """That the verdict on an example is an adjudicator's, since when, and what the votes alone would have said."""

    at: datetime
    by_votes: Verdict | None


@dataclass(frozen=True, slots=True)
class Example:
    """Two answers to one prompt, the votes on them that count, and what these say together.

    The answers stand in the order of their ids, so that A and B mean nothing; their texts differ and are not blank.
    `id` is a digest of the prompt and the two answers: the same pair has it in every export.

    verdict is A or B where one answer is chosen, TIE or BOTH_BAD where the votes agree on that, None where they
    conflict. agreement is the share of the decisive votes that is for the chosen answer (of all votes for a tie or both
    bad), weight what a trainer may multiply the loss by, margin by how much the chosen answer is better (`Margins`).
    adjudicated tells of a verdict that is not the votes' own. is_disputed: nothing is chosen because the votes disagree
    more than the export takes, whatever most of them say.
    strength is how much better, from 1 (slightly) to 3 (much), in the mean of the voters who said; None where none did.
    is_acceptable is what the voters who chose it say of the chosen answer, None where they do not, or do not agree.

    conversation_id and turn (from 1, of n_turns) are those of a conversation with several voted turns, whose prompt
    holds the earlier turns with their chosen answers; None, 1 and 1 elsewhere. place counts the
    examples of one prompt from 0, in the order of the export.
    """

    id: str
    prompt: Prompt
    answer_a: Answer
    answer_b: Answer
    opinions: tuple[Opinion, ...]
    verdict: Verdict | None
    agreement: float | None = None
    weight: float = 1.0
    margin: float = 0.0
    strength: float | None = None
    is_acceptable: bool | None = None
    adjudicated: Adjudicated | None = None
    is_disputed: bool = False
    conversation_id: str | None = None
    turn: int = 1
    n_turns: int = 1
    place: int = 0
    plain: Collection[AnswerId] = field(default=(), compare=False, repr=False)
    """Answers, these two and others, in whose texts nobody has to look for personal data or tokens of a template."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation up to and with the user's last turn."""
        return self.prompt.messages

    @property
    def chosen(self) -> Answer | None:
        """The answer that the votes prefer, if any."""
        return self.answer_a if self.verdict is Verdict.A else self.answer_b if self.verdict is Verdict.B else None

    @property
    def rejected(self) -> Answer | None:
        """The answer that the votes do not prefer, if they prefer the other one."""
        return self.answer_b if self.verdict is Verdict.A else self.answer_a if self.verdict is Verdict.B else None

    def n(self, *verdicts: Verdict) -> int:
        """How many of the votes are one of these."""
        if len(self.opinions) == 1:  # most pairs
            return int(self.opinions[0].verdict in verdicts)
        said = [opinion.verdict for opinion in self.opinions]
        return sum(map(said.count, verdicts))

    @property
    def n_decisive(self) -> int:
        """How many of the votes prefer one of the answers."""
        return self.n(Verdict.A, Verdict.B)

    @property
    def disagreement(self) -> float | None:
        """`disagreement` of the votes; None where there is one alone."""
        if len(self.opinions) < 2:  # most pairs, and nothing to count
            return None
        found = disagreement(opinion.verdict for opinion in self.opinions)
        return None if found is None else float(found)

    @property
    def last_voted_at(self) -> datetime | None:
        """When the newest of the votes was cast, where any tells."""
        if len(self.opinions) == 1:
            return self.opinions[0].voted_at
        return max((opinion.voted_at for opinion in self.opinions if opinion.voted_at), default=None)


def disagreement(verdicts: Iterable[Verdict]) -> Fraction | None:
    """The share of all pairs of votes that differ, a tie and both bad being the same; None for fewer than two votes.

    It is 1 less the raw agreement on one pair of answers, so that ties count, which `Example.agreement` passes over.
    """
    counts = {Verdict.A: 0, Verdict.B: 0, None: 0}
    for verdict in verdicts:
        counts[verdict if verdict.is_decisive else None] += 1
    n = sum(counts.values())
    if n < 2:
        return None
    return 1 - Fraction(sum(each * (each - 1) for each in counts.values()), n * (n - 1))
