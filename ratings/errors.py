"""What can go wrong in `ratings`, one class a situation.

    RatingError (ValueError)
    ├── InvalidComparisons   the data cannot be comparisons between the items
    ├── InvalidSetting       an argument that steers a method is outside what the method accepts
    ├── InvalidInterval      the ends do not enclose anything
    ├── NotConnected         the data leave the strengths undetermined
    ├── NotDetermined        the data leave another parameter undetermined
    └── DidNotConverge       the steps ran out before the estimate was found

Each carries the values behind its sentence, so that a caller can tell the story in its own words.
"""

from collections.abc import Collection, Sequence

_GROUPS_SHOWN = 5
_ITEMS_SHOWN = 10


class RatingError(ValueError):
    """Any refusal of this library."""


class InvalidComparisons(RatingError):
    """The data cannot be comparisons between the items; `row` is the place in the input, where there is one."""

    def __init__(self, name: str, value: object, accepted: str, *, row: int | None = None) -> None:
        self.name = name
        self.value = value
        self.accepted = accepted
        self.row = row
        place = "" if row is None else f" in row {row}"
        super().__init__(f"{name} is {value!r}{place}; accepted: {accepted}.")


class InvalidSetting(RatingError):
    """An argument that steers a method is outside what the method accepts."""

    def __init__(self, name: str, value: object, accepted: str) -> None:
        self.name = name
        self.value = value
        self.accepted = accepted
        super().__init__(f"{name} is {value!r}; accepted: {accepted}.")


class InvalidInterval(RatingError):
    """The ends do not enclose anything: an interval that cannot be computed is `Absent`, never of zero width."""

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high
        super().__init__(f"An interval from {low!r} to {high!r} is empty; give low < high, or Absent with a reason.")


class NotConnected(RatingError):
    """The items fall into `groups` between which nobody, or only one side, ever won: no finite strengths exist."""

    def __init__(self, groups: Sequence[Collection[int]]) -> None:
        self.groups = groups
        named = [_braced(group) for group in groups[:_GROUPS_SHOWN]]
        if len(groups) > _GROUPS_SHOWN:
            named.append(f"{len(groups) - _GROUPS_SHOWN} more")
        super().__init__(
            f"{sum(map(len, groups))} items fall into {len(groups)} groups without wins in both directions between "
            f"them: {', '.join(named[:-1])} and {named[-1]}. Collect comparisons between the groups, rate each group "
            "by itself, or use a prior."
        )


class NotDetermined(RatingError):
    """A parameter beside the strengths has no finite estimate; `what` it is, and `why`.

    `items` or the `covariate` are what it is about, where it is about these.
    """

    def __init__(self, what: str, why: str, *, items: Sequence[int] = (), covariate: int | None = None) -> None:
        self.what = what
        self.why = why
        self.items = tuple(items)
        self.covariate = covariate
        super().__init__(f"The comparisons do not tell {what}: {why}.")


class DidNotConverge(RatingError):
    """The steps ran out; `gradient` is the largest slope of the log-likelihood that was left, per logit."""

    def __init__(self, steps: int, gradient: float) -> None:
        self.steps = steps
        self.gradient = gradient
        super().__init__(
            f"No estimate after {steps} steps: the log-likelihood still rises by {gradient:.3g} per logit. "
            "Allow more steps, or use a larger prior."
        )


def _braced(group: Collection[int]) -> str:
    """The items of a group, the first ten of many: {0, 1, 2}."""
    items = [str(item) for item in group][:_ITEMS_SHOWN]
    if len(group) > _ITEMS_SHOWN:
        items.append(f"... {len(group)} items")
    return "{" + ", ".join(items) + "}"
