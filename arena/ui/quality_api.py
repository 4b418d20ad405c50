"""The JSON routes of data quality: what everybody may know, and what names voters, for the host alone.

Nothing is computed for a visit: see arena/inspection.py. What is told to everybody is picked name by name, so that
nothing that an inspection holds beside it (voters, prompts, openings of answers) can come along.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from arena.agreement import Band, Part
from arena.dataset.readiness import GOLD_NEEDED, MARKS
from arena.gate import MEASURE
from arena.inspection import Inspection, Inspector, NothingToInspect
from arena.quality.figure import Audit
from arena.ui.middleware import refusal
from ratings.agreement import FEWEST_ITEMS

PATIENCE_SECONDS = 8.0

FEWEST_VOTERS = 3
"""Of fewer voters of a category, a week or a guideline, their agreement is told to nobody."""

_UNKEPT = {"Cache-Control": "no-store"}

_OF_A_FIGURE = (
    "name", "label", "value", "low", "high", "n", "unit", "form", "expected", "p_value", "q_value", "decides", "speaks",
    "reason", "method",
)  # fmt: skip


def routes(inspector: Inspector, *, patience_seconds: float = PATIENCE_SECONDS) -> APIRouter:
    """The public route, and the one of the host: whoever mounts them sees to it that nobody else gets there."""
    router = APIRouter()

    async def told(tell: Callable[[Inspection], dict[str, Any]]) -> Response:
        try:
            shown = inspector.shown()
        except NothingToInspect:
            return refusal(404, "no_quality")
        found = shown.found
        if found is None:
            assert shown.coming is not None  # noqa: S101 - there is one or the other
            coming = asyncio.wrap_future(shown.coming)
            coming.add_done_callback(_looked_at)
            done, _ = await asyncio.wait([coming], timeout=patience_seconds)
            if not done:
                return JSONResponse({"pending": True}, 202, _UNKEPT)
            found = coming.result()
        is_renewed = shown.found is not None and shown.coming is not None
        return JSONResponse(tell(found) | {"is_renewed": is_renewed}, headers=_UNKEPT)

    @router.get("/api/quality")
    async def quality() -> Response:
        return await told(public_json)

    @router.get("/api/host/quality")
    async def by_name() -> Response:
        return await told(host_json)

    return router


def _looked_at(future: "asyncio.Future[Inspection]") -> None:
    """A failure of which everybody has left before it came is the host's alarm, and nobody's surprise."""
    if not future.cancelled():
        future.exception()


def public_json(found: Inspection) -> dict[str, Any]:
    """What everybody may know: numbers, and names of categories, guideline versions and weeks."""
    return {
        "snapshot": found.snapshot,
        "n_log": found.n_log,
        "sources": [source.value for source in found.sources],
        "inspected_at": found.inspected_at.isoformat(),
        "n_votes": found.n_votes,
        "confidence": found.confidence,
        "readiness": _readiness(found),
        "agreement": _agreement(found),
        "audits": [_audit(each) for each in found.audits],
        "n_sampled": found.n_sampled,
        "consents": [asdict(each) for each in found.consents],
    }


def host_json(found: Inspection) -> dict[str, Any]:
    """What the host knows beside that: who and what the audits list, and each voter against the others."""
    return {
        "snapshot": found.snapshot,
        "inspected_at": found.inspected_at.isoformat(),
        "n_votes": found.n_votes,
        "confidence": found.confidence,
        "listed": [
            {"audit": audit.name} | {name: each.to_record()[name] for name in ("name", "label", "speaks", "listed")}
            for audit in found.audits
            for each in audit.figures
            if each.listed
        ],
        "voters": [asdict(each) for each in found.agreement.voters or ()],
        "consents": [asdict(each) for each in found.consents],
    }


def _readiness(found: Inspection) -> dict[str, Any]:
    supply = found.supply
    return {
        "n_usable": supply.readiness.n_pairs,
        "n_gold": supply.readiness.n_gold,
        "band": supply.readiness.band.name.lower(),
        "missing": supply.readiness.missing,
        "marks": {band.name.lower(): least for band, least in MARKS.items()},
        "gold_needed": GOLD_NEEDED,
        "n_pairs": supply.n_pairs,
        "pairs_left_out": dict(supply.pairs_left_out),
        "n_votes": supply.n_votes,
        "n_votes_kept": supply.n_votes_kept,
        "votes_left_out": dict(supply.votes_left_out),
    }


def _agreement(found: Inspection) -> dict[str, Any]:
    report = found.agreement
    whole = report.agreement
    return {
        "measure": MEASURE,
        "floor": report.gate.floor,
        "outcome": report.gate.outcome.name.lower(),
        "bands": {band.value: band.least for band in Band},
        "n_votes": report.n_votes,
        "n_items": report.n_items,
        "n_voters": report.n_voters,
        "left_out": dict(report.left_out),
        "all": _part(whole.merged),
        "same": asdict(whole.all.figures["raw_pooled"]),
        "same_decisive": asdict(whole.decisive.figures["raw_pooled"]),
        "again": asdict(report.consistency.raw) | {"n": report.consistency.n},
        "by": {
            group: [{"name": name} | _part(part.merged, fewest_voters=FEWEST_VOTERS) for name, part in parts.items()]
            for group, parts in report.by.items()
        },
        "untold": dict(report.untold),
    }


def _part(part: Part, *, fewest_voters: int = 0) -> dict[str, Any]:
    """The measure that the gate looks at, and what it rests on; on few pairs of answers no band is named.

    Of fewer voters nothing is told: each of two would know from it what the other one said.
    """
    few: dict[str, Any] = {"band": None, "reliability": None} if part.n_items < FEWEST_ITEMS else {}
    if 0 < part.n_voters < fewest_voters:
        why = f"judged by {part.n_voters} of the voters, and {fewest_voters} are the fewest of whom it is told"
        few = dict.fromkeys(("value", "low", "high", "band", "reliability")) | {"reason": why}
    return (
        asdict(part.figures[MEASURE])
        | few
        | {
            "n_items": part.n_items,
            "n_pairs": part.n_pairs,
            "n_voters": part.n_voters,
        }
    )


def _audit(audit: Audit) -> dict[str, Any]:
    record = audit.to_record()
    return {
        "audit": audit.name,
        "speaks": audit.speaks,
        "question": audit.question,
        "sentence": audit.sentence,
        "q_value": record["q_value"],
        "figures": [{name: each[name] for name in _OF_A_FIGURE} for each in record["figures"]],
    }
