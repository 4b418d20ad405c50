"""What several thumbs on one answer say together: one rule for voters of an arena and for users of a product. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from arena.battle import Thumb

AS_MANY = "as many thumbs up as thumbs down on the answer"
"""Why an answer with thumbs has no label, in the words that every account uses."""


@dataclass(frozen=True, slots=True)
class Together:
    """Whether most say that the answer is good by itself, and the share of them that says so, above one half."""

    is_good: bool
    share: Fraction


def together(thumbs: Collection[Thumb]) -> Together | None:
    """What more of the thumbs on an answer say, one of each person; None where it is split, or there are none."""
    n, n_up = len(thumbs), sum(thumb is Thumb.UP for thumb in thumbs)
    if 2 * n_up == n:
        return None
    return Together(2 * n_up > n, Fraction(max(n_up, n - n_up), n))
