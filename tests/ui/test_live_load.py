"""Fifty live battles at the same time, and people who vote on prepared answers meanwhile: nobody is held up."""

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from model_server import Reply, serving

from ground import ROOT

N_BATTLES, N_VOTES = 50, 60
MODELS = ("ash", "birch", "cedar", "dogwood")


def write_pack(folder: Path, url: str) -> None:
    endpoint = {"base_url": url, "concurrency": 100}
    models = [{"id": each, "name": each.title(), "endpoint": endpoint | {"model": each}} for each in MODELS]
    prompts = [{"id": f"p{n}", "messages": [{"role": "user", "content": f"Question {n}?"}]} for n in range(40)]
    answers = [
        {"prompt_id": prompt["id"], "model_id": each, "text": f"Answer of {each[0]} to {prompt['id']}."}
        for prompt in prompts
        for each in MODELS
    ]
    folder.mkdir()
    (folder / "arena.toml").write_text("[live]\nown_prompts = true\nat_once = 60\n")
    for name, rows in (("models", models), ("prompts", prompts), ("answers", answers)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@contextmanager
def served(pack: Path) -> Iterator[str]:
    """The arena as its own process; its address."""
    command = [sys.executable, "-m", "arena", "serve", "--pack", str(pack), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BAKEOFF_BALLOTS_PER_ADDRESS": "off"}
    environment |= {"BAKEOFF_VOTES_PER_ADDRESS": "off", "BAKEOFF_VOTES_PER_VOTER": "off"}
    environment |= {"BAKEOFF_PROMPTS_PER_ADDRESS": "off", "BAKEOFF_PROMPTS_IN_ALL": "off"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if found := re.search(r"http://\S+", line):
                break
        else:
            pytest.fail("the arena did not open")
        yield found[0]
    finally:
        server.terminate()
        server.wait(30)
        server.stderr.close()


async def battle(client: httpx.AsyncClient, number: int) -> str:
    """What a battle ended with."""
    await client.get("/")
    last = ""
    async with client.stream("POST", "/api/live", json={"text": f"Why, for the {number}th time?"}) as response:
        async for line in response.aiter_lines():
            last = line
    return next(iter(json.loads(last)))


async def votes(url: str) -> list[float]:
    """Ballots opened and voted on one after the other; seconds from verdict to acknowledgement."""
    took = []
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await client.get("/")
        for _ in range(N_VOTES):
            opened = await client.post("/api/ballots", json={})
            if opened.status_code == 404:  # all is judged: somebody else goes on
                client.cookies.clear()
                await client.get("/")
                opened = await client.post("/api/ballots", json={})
            ballot = opened.raise_for_status().json()["ballot"]["ballot_id"]
            started = time.monotonic()
            (await client.post(f"/api/ballots/{ballot}/vote", json={"verdict": "A"})).raise_for_status()
            took.append(time.monotonic() - started)
            await asyncio.sleep(0.05)
    return took


@pytest.mark.proof
def test_fifty_battles_at_once_come_to_their_end_and_votes_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with serving() as models:
        for each in MODELS:
            models.says(each, Reply(pieces=(f"some words of {each[0]}. ",) * 60, between=0.05))
        write_pack(tmp_path / "pack", models.url)
        with served(tmp_path / "pack") as url:

            async def course() -> tuple[list[float], list[float], list[str]]:
                alone = await votes(url)
                clients = [httpx.AsyncClient(base_url=url, timeout=120) for _ in range(N_BATTLES)]
                battles = asyncio.gather(*(battle(client, number) for number, client in enumerate(clients)))
                beside = await votes(url)
                ended = await battles
                for client in clients:
                    await client.aclose()
                return alone, beside, ended

            alone, beside, ended = asyncio.run(course())
    quantiles = {
        name: (statistics.median(took), statistics.quantiles(took, n=20)[-1])
        for name, took in (("alone", alone), ("beside", beside))
    }
    with capsys.disabled():
        for name, (median, p95) in quantiles.items():
            print(f"\nvotes {name}: median {median * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")  # noqa: T201
        print(f"requests to models at once: {models.most_open}")  # noqa: T201
    assert ended == ["ballot"] * N_BATTLES
    assert len(beside) == N_VOTES
    assert models.most_open > N_BATTLES
