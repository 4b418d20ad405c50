"""Do few prompts carry many votes? A prompt that comes again and again counts for more than it says."""

import numpy as np

from arena.quality.figure import Audit, Figure, share, unknown
from arena.quality.sheet import UNKNOWN, Sheet

TIMES_USUAL = 10
"""So many times the votes of the median prompt are very many, ..."""

SHARE = 0.01
"""... if they are at least this share of all."""

FLOOR = 30

_MEANING = {
    True: "Some prompts have far more votes than others; a cap keeps them from ruling what the votes say.",
    False: "No prompt has far more votes than the others.",
    None: "Not enough data to say how often prompts come.",
}


def prompts(sheet: Sheet, *, confidence: float) -> Audit:
    """Votes by prompt; prompts of the same messages are one."""
    known = sheet.prompt[sheet.prompt != UNKNOWN]
    question = "Do few prompts carry many votes?"
    if len(known) < FLOOR:
        why = f"{len(known):,} votes tell their prompt, and {FLOOR} are the fewest"
        return Audit("prompts", question, (unknown("top_prompt", "votes on the most frequent prompt", why),), _MEANING)
    n = np.bincount(known)
    counted = n[n > 0]
    usual = float(np.median(counted))
    cap = max(int(TIMES_USUAL * usual), int(SHARE * len(known)))
    top = int(n.argmax())
    beyond = int(np.maximum(counted - cap, 0).sum())
    listed = tuple(
        {"prompt": sheet.prompts[i], "n": int(n[i])} for i in np.argsort(-n, kind="stable")[:20].tolist() if n[i] > cap
    )
    figures = (
        Figure(
            "n_prompts",
            "prompts",
            float(len(counted)),
            len(known),
            "counted",
            form="number",
            reason="no interval: all were counted",
        ),
        share(
            "top_prompt",
            "votes on the most frequent prompt",
            int(n[top]),
            len(known),
            confidence=confidence,
            floor=FLOOR,
        ),
        Figure(
            "beyond_cap",
            f"votes beyond a cap of {cap:,} a prompt",
            beyond / len(known),
            len(known),
            f"counted; the cap is {TIMES_USUAL} times the median prompt's, and {SHARE:.0%} of all votes at least",
            reason="no interval: all were counted",
            listed=listed,
        ),
    )
    return Audit("prompts", question, figures, _MEANING, by_rule=bool(listed))
