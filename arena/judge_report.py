"""How far AI judges can be trusted: agreement with people, and what moves their verdicts beside the answers. Pure.

Position is taken from both orders of each pair. Length and self-preference are what the judge does beyond what people
do on the very same pairs; intervals draw prompts again, each with all of its pairs.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agreement import Chance
from arena.battle import ModelId, PromptId, Source, Verdict, VoterId
from arena.contenders.judge import Judge
from arena.contenders.judgement import Ruling
from arena.judges import Judge as Agreeing
from arena.pack import Pack
from arena.quality.figure import Figure, ends, share, unknown
from arena.quality.length import NOTICED
from arena.quality.sheet import UNKNOWN, Sheet
from ratings import percentile_intervals

Floats = NDArray[np.float64]

FLOOR = 10
"""Pairs for a figure, and prompts for its interval."""

NO_PEOPLE = "people's votes are in a database: name it with --db"

_VALUE = np.array([1.0, 0.0, 0.5, 0.5])
"""What each verdict is worth to the answer on side A, in the order of `Verdict`."""


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """One judge in one version."""

    label: str
    n_pairs: int
    """Pairs that it was asked about in both orders."""
    n_without_verdict: int
    """Of these, pairs of which one order brought no verdict."""
    n_flips: int
    """Of these, pairs on which the verdict changed with the order: ties by rule."""
    position: tuple[Figure, ...]
    length: tuple[Figure, ...]
    self_preference: tuple[Figure, ...]
    agreement: Agreeing | None = None
    """With people; None where no vote of people is known, or none of this judge."""

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        counts = {name: getattr(self, name) for name in ("label", "n_pairs", "n_without_verdict", "n_flips")}
        figures = {
            name: [figure.to_record() for figure in getattr(self, name)]
            for name in ("position", "length", "self_preference")
        }
        return counts | figures | {"agreement": None if self.agreement is None else asdict(self.agreement)}


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """Votes of people and of judges, and what was found of their agreement."""

    sheet: Sheet
    voters: Mapping[str, VoterId]
    """Which voter each judge in a version is."""
    agreements: Sequence[Agreeing]


def reports(
    rulings: Sequence[Ruling], pack: Pack, chance: Chance, compared: Compared | None = None
) -> list[JudgeReport]:
    """Of every judge in every version that has ruled, in the order of its first ruling."""
    judges = {judge.id: judge for judge in pack.judges}
    of: dict[str, list[Ruling]] = {}
    for ruling in rulings:
        of.setdefault(ruling.label, []).append(ruling)
    found = []
    for label, own in of.items():
        models = _own_models(judges.get(own[0].judge), pack)
        voter = None if compared is None else compared.voters[label]
        votes = None if compared is None or voter is None else _Beside.of(compared.sheet, voter)
        agreements = () if compared is None else compared.agreements
        report = JudgeReport(
            label=label,
            n_pairs=len(own),
            n_without_verdict=sum(each.verdict is None for each in own),
            n_flips=sum(each.is_flip for each in own),
            position=position(own, chance),
            length=_length(votes, label, chance),
            self_preference=tuple(_self_preference(votes, models, label, chance)),
            agreement=next((each for each in agreements if each.voter == voter), None),
        )
        found.append(report)
    return found


def position(rulings: Sequence[Ruling], chance: Chance) -> tuple[Figure, ...]:
    """How often the order decides, and for which place.

    Every pair is asked in both orders, so that without a lean each place wins half of the decisive replies, whatever
    the answers are.
    """
    seen = [(each.prompt_id, *each.seen) for each in rulings if each.seen is not None]
    n_flips = sum(one is not other.swapped for _, one, other in seen)
    both_first = sum(one is other is Verdict.A for _, one, other in seen)
    both_second = sum(one is other is Verdict.B for _, one, other in seen)
    places: dict[PromptId, list[int]] = {}
    for prompt, *two in seen:
        count = places.setdefault(prompt, [0, 0])
        for verdict in two:
            count[0] += verdict is Verdict.A
            count[1] += verdict.is_decisive
    table = np.array([*places.values()], dtype=np.float64).reshape(-1, 2)
    flips = share(
        *("flips", "the verdict changes with the order"),
        *(n_flips, len(seen)),
        confidence=chance.confidence,
        floor=FLOOR,
        unit="pairs",
    )
    first_of_flips = share(
        *("first_of_flips", "the first place both times, of pairs where one place won both times"),
        *(both_first, both_first + both_second),
        confidence=chance.confidence,
        floor=FLOOR,
        is_even=True,
        unit="pairs",
    )
    of_one_place = {prompt for prompt, one, other in seen if one is other and one.is_decisive}
    return (
        _unless_few(flips, len(places)),
        _unless_few(first_of_flips, len(of_one_place)),
        _Number("first_won", "decisive replies for the first place", _first_won, unit="replies", expected=0.5).of(
            table, int(table[:, 1].sum()), chance
        ),
    )


def _unless_few(figure: Figure, n_prompts: int) -> Figure:
    """Without interval and test where the pairs are of few prompts, and so fewer than they look."""
    if figure.value is None or n_prompts >= FLOOR:
        return figure
    return replace(figure, low=None, high=None, p_value=None, reason=_too_few_prompts(n_prompts))


def _too_few_prompts(n: int) -> str:
    return f"no interval: {n:,} prompts, and {FLOOR} are the fewest"


@dataclass(frozen=True, eq=False)
class _Beside:
    """Rows of one judge, and of people on the same pairs of answers; sides as in `Sheet`."""

    sheet: Sheet
    judge: NDArray[np.int64]
    people: NDArray[np.int64]

    @classmethod
    def of(cls, sheet: Sheet, voter: VoterId) -> "_Beside":
        """Rows whose prompt is not known are in neither."""
        number = list(sheet.voters).index(voter) if voter in sheet.voters else UNKNOWN - 1
        is_known = sheet.pair != UNKNOWN
        judge = np.flatnonzero((sheet.voter == number) & is_known)
        source = np.full(len(sheet), UNKNOWN) if sheet.source is None else sheet.source
        is_people = source == list(Source).index(Source.HUMAN)
        people = np.flatnonzero(is_people & is_known & np.isin(sheet.pair, sheet.pair[judge]))
        return cls(sheet, judge, people)

    def by_pair(self, is_in: NDArray[np.bool_], value: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Of each pair with rows of both sides in `is_in`: the judge's mean value and the people's, shape (n, 2), and
        its prompt."""
        means = []
        kinds, place = np.unique(self.sheet.pair, return_inverse=True)
        for rows in (self.judge[is_in[self.judge]], self.people[is_in[self.people]]):
            n = np.bincount(place[rows], minlength=len(kinds))
            total = np.bincount(place[rows], weights=value[rows], minlength=len(kinds))
            means.append(np.where(n > 0, total / np.maximum(n, 1), np.nan))
        prompts = np.full(len(kinds), UNKNOWN)
        prompts[place[self.judge]] = self.sheet.prompt[self.judge]
        table = np.column_stack(means)
        has_both = np.isfinite(table).all(axis=1)
        return table[has_both], prompts[has_both]


_LENGTH = {
    "longer_wins": f"the longer answer wins with the judge, by more than {NOTICED} characters",
    "longer_wins_people": "the same with people, on the same pairs",
    "length_gap": "the judge beyond people, logit",
}


def _length(votes: _Beside | None, label: str, chance: Chance) -> tuple[Figure, ...]:
    """Of pairs on which the judge and some people decided. Shares are means over pairs."""
    why = NO_PEOPLE if votes is None else "the votes do not tell the answers' texts"
    if votes is None or votes.sheet.wording is None:
        return tuple(unknown(name, told, why, unit="pairs") for name, told in _LENGTH.items())
    sheet = votes.sheet
    is_in = sheet.is_decisive & (np.abs(sheet.longer) > NOTICED)
    table, prompts = votes.by_pair(is_in, ((sheet.longer > 0) == sheet.is_for_a).astype(np.float64))
    numbers = (
        _Number("longer_wins", _LENGTH["longer_wins"], _of_judge),
        _Number("longer_wins_people", _LENGTH["longer_wins_people"], _of_people),
        _Number("length_gap", _LENGTH["length_gap"], _logit_gap, form="logit", expected=0.0),
    )
    sums = _by_prompt(table, prompts)
    return tuple(each.of(sums, len(table), chance, label) for each in numbers)


def _self_preference(
    votes: _Beside | None, own: Mapping[str, Collection[ModelId]], label: str, chance: Chance
) -> list[Figure]:
    """The win rate of the judge's own, a tie as half, by the judge less that by people on the same pairs."""
    found = []
    for kind, models in own.items():
        name, told = f"own_{kind}", f"its own {kind} wins, beyond people"
        if not models:
            found.append(unknown(name, told, f"no contender is known to be of its own {kind}", unit="pairs"))
        elif votes is None:
            found.append(unknown(name, told, NO_PEOPLE, unit="pairs"))
        else:
            sheet = votes.sheet
            numbers = [place for place, model in enumerate(sheet.models) if model in models]
            is_a, is_b = np.isin(sheet.model_a, numbers), np.isin(sheet.model_b, numbers)
            value = _VALUE[sheet.verdict]
            table, prompts = votes.by_pair(is_a != is_b, np.where(is_a, value, 1 - value))
            rates = ""
            if len(table):
                judge, people = table.mean(axis=0)
                rates = f" ({judge:.3f} by the judge, {people:.3f} by people)"
            number = _Number(name, told + rates, _gap, form="points", expected=0.0)
            found.append(number.of(_by_prompt(table, prompts), len(table), chance, label))
    return found


def _own_models(judge: Judge | None, pack: Pack) -> dict[str, Collection[ModelId]]:
    """The contenders that are the judge's own model, and those of its organisation."""
    if judge is None:
        return {"model": (), "organization": ()}
    asked = judge.endpoint.model.casefold()
    by_model = set()
    for model in pack.models:
        names = {model.id, model.name, *model.aliases}
        endpoint = pack.endpoints.get(model.id)
        names |= {endpoint.model} if endpoint is not None else set()
        if asked in {each.casefold() for each in names}:
            by_model.add(model.id)
    of = {model.id: model.organization for model in pack.models}
    organization = judge.organization or next((of[each] for each in by_model if of[each]), None)
    by_maker = {each for each, maker in of.items() if maker and organization and _same(maker, organization)}
    return {"model": by_model, "organization": by_maker}


def _same(one: str, other: str) -> bool:
    return one.casefold().strip() == other.casefold().strip()


def _by_prompt(table: Floats, prompts: NDArray[np.int64]) -> Floats:
    """Sums over the pairs of each prompt: the judge's, the people's, and how many pairs."""
    _, place = np.unique(prompts, return_inverse=True)
    sums = np.zeros((int(place.max(initial=-1)) + 1, 3))
    np.add.at(sums, place, np.column_stack((table, np.ones(len(table)))))
    return sums


def _first_won(sums: Floats) -> Floats:
    return sums[..., 0] / np.maximum(sums[..., 1], 1)


def _of_judge(sums: Floats) -> Floats:
    return sums[..., 0] / np.maximum(sums[..., 2], 1)


def _of_people(sums: Floats) -> Floats:
    return sums[..., 1] / np.maximum(sums[..., 2], 1)


def _gap(sums: Floats) -> Floats:
    return _of_judge(sums) - _of_people(sums)


def _logit_gap(sums: Floats) -> Floats:
    """Half a pair is added on either side, so that there is a number where one of the two always says the same."""
    won, n = sums[..., :2] + 0.5, sums[..., 2:] + 1
    logits = np.log(won / (n - won))
    return logits[..., 0] - logits[..., 1]


@dataclass(frozen=True, slots=True)
class _Number:
    """A number made of sums over prompts, `way` of columns in the last axis."""

    name: str
    told: str
    way: Callable[[Floats], Floats]
    form: str = "share"
    unit: str = "pairs"
    expected: float | None = None

    def of(self, sums: Floats, n: int, chance: Chance, label: str = "") -> Figure:
        """With the percentiles of resamples of prompts, of which `sums` has one a row."""
        blank = Figure(self.name, self.told, None, n, "none", unit=self.unit, form=self.form)
        if n < FLOOR:
            return replace(blank, reason=f"not enough data: {n:,} {self.unit}, and {FLOOR} are the fewest")
        n_prompts, low, high = len(sums), None, None
        reason: str | None = _too_few_prompts(n_prompts)
        if n_prompts >= FLOOR:
            rng = chance.rng("ai judge", label, self.name)
            times = rng.multinomial(n_prompts, np.full(n_prompts, 1 / n_prompts), size=chance.rounds)
            [interval] = percentile_intervals(self.way(times @ sums)[:, None], confidence=chance.confidence)
            low, high, reason = ends(interval)
        return replace(
            blank,
            value=float(self.way(sums.sum(axis=0))),
            method=f"percentiles of {chance.rounds:,} draws of {n_prompts:,} prompts",
            low=low,
            high=high,
            expected=self.expected,
            reason=reason,
        )
