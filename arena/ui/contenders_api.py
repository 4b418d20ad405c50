"""How the models that answer live do, for the host alone: what they cost, how fast they are, and why they failed."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from arena.contenders.health import Figures
from arena.live import LiveBooth
from arena.ui.host_api import host_of


def routes(live: LiveBooth) -> APIRouter:
    """One route, below /api/host."""
    router = APIRouter(prefix="/api/host", dependencies=[Depends(host_of)])

    @router.get("/models")
    async def models(response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        told = [{"id": model, **figures_json(each)} for model, each in live.figures().items()]
        return {"models": told, "running": live.n_running}

    return router


def figures_json(figures: Figures) -> dict[str, Any]:
    """How one model does; times in seconds, costs in US dollars."""
    last = figures.last_failure
    return {
        "answers": figures.n_answers,
        "success": figures.success,
        "first_word": figures.first_word,
        "characters": figures.characters,
        "usd": figures.usd,
        "failures": {failure.name.lower(): n for failure, n in figures.failures.items()},
        "last_failure": None if last is None else {"failure": last.failure.name.lower(), "detail": last.detail},
        "rests_for": figures.rests_for,
    }
