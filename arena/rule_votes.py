"""What the constraints of prompts say, as votes of the source rule, each once.

A prompt whose messages carry a constraint ("in one line", "as JSON") may have patterns that look for it. Of two answers
the one that keeps to more of them is better in that; where both keep to as many, nothing is said. The voter is the
prompt's constraints as they were written then.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from arena.battle import Answer, Battle, BattleId, PromptId, Source, Verdict, Vote, VoteId, VoterId
from arena.contenders.judgement import is_other_a
from arena.judge_votes import Brought
from arena.pack import Pack
from arena.store import VoteStore
from arena.voter import VoterKey


@dataclass(frozen=True, slots=True)
class Checked:
    """Two answers to a prompt of which the answer on side `verdict` keeps to more of its constraints."""

    prompt_id: PromptId
    a: Answer
    b: Answer
    verdict: Verdict
    digest: str
    """Of the constraints: others are another voter."""


def checked(pack: Pack) -> list[Checked]:
    """Every pair of answers to a prompt with constraints of which one keeps to more of them; others say nothing."""
    by_prompt: dict[PromptId, list[Answer]] = {}
    for answer in pack.answers:
        if answer.text.strip():
            by_prompt.setdefault(answer.prompt_id, []).append(answer)
    found = []
    for prompt_id, checks in pack.checks.items():
        told = json.dumps([(each.pattern, each.meaning) for each in checks])
        digest = hashlib.sha256(told.encode()).hexdigest()[:12]
        for pair in combinations(by_prompt.get(prompt_id, ()), 2):
            a, b = reversed(pair) if is_other_a(prompt_id, *(each.id for each in pair)) else pair
            n_a, n_b = (sum(check.is_met_by(answer.text) for check in checks) for answer in (a, b))
            if n_a != n_b:
                found.append(Checked(prompt_id, a, b, Verdict.A if n_a > n_b else Verdict.B, digest))
    return found


def bring_in_checks(store: VoteStore, found: Sequence[Checked], voter_key: VoterKey, now: datetime) -> Brought:
    """Add a vote of the source rule for each. The same pairs under the same constraints again add nothing."""
    there = store.catalogue.texts(answer.id for each in found for answer in (each.a, each.b)).keys()
    held = [each for each in found if {each.a.id, each.b.id} <= there]
    known = store.votes.imported_ids() if voter_key.has_earlier else set[str]()
    n_added = store.votes.add_imported([_checked_vote(each, voter_key, known, now) for each in held], now)
    return Brought(n_added, len(held) - n_added, 0, len(found) - len(held))


def _checked_vote(each: Checked, voter_key: VoterKey, known: set[str], now: datetime) -> tuple[Battle, Vote]:
    label = f"checks@{each.digest}"
    key = voter_key.pseudonym("checked", " ".join((label, each.a.id, each.b.id)), known)
    battle = Battle(
        BattleId(key),
        each.a.model_id,
        each.b.model_id,
        prompt_id=each.prompt_id,
        answer_a=each.a.id,
        answer_b=each.b.id,
        sampling_policy="checked: all pairs of which one keeps to more",
        batch=label,
    )
    vote = Vote(
        id=VoteId(key),
        battle_id=battle.id,
        verdict=each.verdict,
        source=Source.RULE,
        voter_id=VoterId(voter_key.pseudonym("rule", label, known)),
        voted_at=now,
        blind=True,
        import_key=key,
    )
    return battle, vote
