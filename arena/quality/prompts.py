"""Do few prompts carry many votes? A prompt that comes again and again counts for more than it says."""

from functools import partial

import numpy as np

from arena.quality.figure import Audit, Figure
from arena.quality.sheet import Sheet
from arena.quality.spread import ALL_COUNTED, Over, Spread, spread

TIMES_USUAL = 10
"""So many times the votes of the median prompt are very many, ..."""

SHARE = 0.01
"""... if they are at least this share of all."""

_MEANING = {
    True: "Some prompts have far more votes than others; a cap keeps them from ruling what the votes say.",
    False: "No prompt has far more votes than the others.",
    None: "Not enough data to say how often prompts come.",
}


def prompts(sheet: Sheet, *, confidence: float) -> Audit:
    """Votes by prompt; prompts of the same messages are one."""
    over = Over("prompt", "on the most frequent prompt")
    question, further = "Do few prompts carry many votes?", partial(_beyond, sheet)
    return spread("prompts", question, _MEANING, sheet.prompt, over, further=further, confidence=confidence)


def _beyond(sheet: Sheet, found: Spread) -> tuple[Figure, bool]:
    """The votes beyond a cap, and the prompts that they are on."""
    cap = max(int(TIMES_USUAL * float(np.median(found.counted))), int(SHARE * found.n_votes))
    order = [place for place in np.argsort(-found.n, kind="stable")[:20].tolist() if found.n[place] > cap]
    listed = tuple({"prompt": sheet.prompts[place], "n": int(found.n[place])} for place in order)
    figure = Figure(
        "beyond_cap",
        f"votes beyond a cap of {cap:,} a prompt",
        int(np.maximum(found.counted - cap, 0).sum()) / found.n_votes,
        found.n_votes,
        f"counted; the cap is {TIMES_USUAL} times the median prompt's, and {SHARE:.0%} of all votes at least",
        reason=ALL_COUNTED,
        listed=listed,
    )
    return figure, bool(listed)
