"""Whether voters agree well enough to train on what they say: one measure, one floor, and three honest answers."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from arena.agreement import Agreement, Figure
from ratings.agreement import FEWEST_ITEMS

FLOOR = 0.40
"""Below it the practice guide calls agreement poor, and advises against training."""

MEASURE = "krippendorff_nominal"


class Outcome(StrEnum):
    """What the gate says."""

    PASSED = "passed"
    REFUSED = "refused"
    FORCED = "forced"
    """It would be refused, and the host has said that it shall go ahead."""
    NOT_MEASURABLE = "not measurable"
    """Nobody knows: it may go ahead, and whoever reads the data must be told."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer, with what it rests on. `reason` is one sentence for a person, whatever the outcome."""

    outcome: Outcome
    reason: str
    measure: str
    floor: float
    figure: Figure
    n_items: int

    @property
    def may_go_ahead(self) -> bool:
        """Whether data may be exported. Without a measurement they may, and the outcome says that there was none."""
        return self.outcome is not Outcome.REFUSED

    def to_record(self) -> dict[str, Any]:
        """As plain values, for a dataset card."""
        return asdict(self)


def gate(found: Agreement, *, force: bool = False, floor: float = FLOOR) -> Gate:
    """Look at Krippendorff's nominal alpha over A, B and neither, which any number of voters an item gives.

    It is refused where alpha, as shown with four digits, is below the floor, unless `force` says that it shall go on.
    It is not measurable where alpha is not defined, or rests on fewer than FEWEST_ITEMS pairs of answers.
    """
    part = found.merged
    figure, n_items = part.figures[MEASURE], part.n_items

    def answer(outcome: Outcome, reason: str) -> Gate:
        return Gate(outcome, reason, MEASURE, floor, figure, n_items)

    if figure.value is None:
        return answer(Outcome.NOT_MEASURABLE, f"agreement between voters is not known: {figure.reason}")
    told = f"Krippendorff's alpha is {figure.value:.4f} on {n_items:,} pairs of answers"
    if n_items < FEWEST_ITEMS:
        return answer(
            Outcome.NOT_MEASURABLE,
            f"agreement between voters is not known: {FEWEST_ITEMS} pairs of answers judged by several are the fewest "
            f"to go by, and there {'is' if n_items == 1 else 'are'} {n_items}",
        )
    if figure.low is not None and figure.high is not None:
        told += f" ({figure.low:.4f} to {figure.high:.4f})"
        if figure.low < floor <= figure.high:
            told += f", an interval that holds {floor:g}"
    if figure.value >= floor:
        return answer(Outcome.PASSED, f"{told}; {floor:g} is asked for")
    if force:
        return answer(Outcome.FORCED, f"{told}, below {floor:g}; it goes ahead because the host said so")
    return answer(
        Outcome.REFUSED,
        f"{told}, below {floor:g}: what voters do not agree on is no preference to train on. Write clearer guidelines, "
        "have conflicts settled, or force it, which is recorded",
    )
