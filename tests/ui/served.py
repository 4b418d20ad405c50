"""The real application over real HTTP, on the real store."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from model_server import ModelServer
from playwright.sync_api import BrowserContext, Page

from arena.address import Network
from arena.alarms import Alarms
from arena.arbiter import Arbiter
from arena.batch import RatingJob
from arena.battle import Answer, Labels, Message, Model, ModelId, Prompt, PromptId, Reveal, Verdict, VoterId
from arena.boards import Boards
from arena.calibration import Calibration
from arena.contenders.client import HASTY, Completion, clients_of
from arena.contenders.endpoint import Endpoint
from arena.errors import VoteNotSaved
from arena.guideline import Guideline
from arena.limits import Limit, Limiter
from arena.list_voting import ListBooth
from arena.live import LiveBooth
from arena.pack import answer_id
from arena.review import Review
from arena.samples import Gallery
from arena.settings import Settings
from arena.store import VoteStore
from arena.study import Study
from arena.ui.app import Site, build_app
from arena.ui.connection import MOST_CONNECTIONS, STALLED_SECONDS, PatientServer, server_config
from arena.ui.server import listen, open_inspector, open_review
from arena.ui.throttle import Throttle
from arena.voter import VoterKey
from arena.voting import NO_LABELS, Booth, Permit, freely

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

# Every word of a model that must not reach a browser before the vote.
MODELS = (
    Model(ModelId("quillon-9b"), "Quillon Nine", "Vexaria Labs", "Apache-2.0"),
    Model(ModelId("brindle-xl"), "Brindle XL", "Osterhaus", "CC0"),
    Model(ModelId("tamarack-3"), "Tamarack <i>3</i>", "Zephyr & Sons", None),
    Model(ModelId("wolfram-oak"), "Wolframoak", "Kestrel & Co", "MIT"),
    Model(ModelId("pinzgau-7"), "Pinzgau Seven", "Ulmenhof", None),
    Model(ModelId("larkspur"), "Larkspur", None, None),
)
IDENTITIES = (
    "quillon",
    "vexaria",
    "brindle",
    "osterhaus",
    "tamarack",
    "zephyr",
    "wolfram",
    "kestrel",
    "pinzgau",
    "ulmenhof",
    "larkspur",
)
_LONG = "\n\n".join(f"{i}. A clause of the contract, which goes on for a good while." for i in range(1, 60))
PROMPTS = (
    Prompt(PromptId("p-sally"), (Message("user", "How many sisters does **Sally** have?"),), "reasoning", "en"),
    Prompt(
        PromptId("p-tomato"),
        (
            Message("system", "You are a gardener."),
            Message("user", "My tomatoes have yellow leaves."),
            Message("assistant", "The lower or the upper ones?"),
            Message("user", "The lower ones. What now?"),
        ),
        "advice",
        "en",
    ),
    Prompt(PromptId("p-contract"), (Message("user", f"Sum this up.\n\n{_LONG}"),), "summary", None),
)
_WIDE = "| a | b | c | d |\n|---|---|---|---|\n" + "| a cell with many words | another cell | one more | last |\n" * 3
TEXTS = (
    "Sally has **one** sister.\n\n```python\nsisters = brothers * sisters_each  # " + "six " * 60 + "\n```",
    f"First things first.\n\n{_WIDE}\n" + "A long answer. " * 400,
    "Six.",
    "One, since she shares the other with her brothers.",
    "Let me think about it.\n\n- It depends.\n- It always does.",
    "I cannot know that.",
)


@dataclass
class Clock:
    """A clock that a test moves, and one beside it that never goes back."""

    now: datetime = NOON
    waited: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return self.now

    def ticks(self) -> int:
        """Nanoseconds that have really passed, and those that a test has let pass."""
        return time.monotonic_ns() + self.waited // timedelta(microseconds=1) * 1000

    def wait(self, time_passed: timedelta) -> None:
        """Let time pass, on both."""
        self.now += time_passed
        self.waited += time_passed


class FaultyBooth(Booth):
    """The real booth, with faults that a test switches on."""

    fault: Exception | None = None
    counting_fault: Exception | None = None

    def cast(
        self,
        ballot_id: str,
        verdict: Verdict,
        voter_id: VoterId,
        now: datetime,
        labels: Labels = NO_LABELS,
        *,
        permit: Permit = freely,
    ) -> Reveal:
        if self.fault is not None:
            raise self.fault
        return super().cast(ballot_id, verdict, voter_id, now, labels, permit=permit)

    def counts(self, voter_id: VoterId) -> Any:
        if self.counting_fault is not None:
            raise self.counting_fault
        return super().counts(voter_id)

    def fail_to_save(self) -> None:
        self.fault = VoteNotSaved("disk full of Quillon Nine")


@dataclass
class Arena:
    """A served arena and what is behind it."""

    url: str
    store: VoteStore
    booth: FaultyBooth
    job: RatingJob
    clock: Clock
    alarms: Alarms
    voter_key: VoterKey
    app: FastAPI
    review: Review
    clients: list[httpx.Client] = field(default_factory=list)

    def visitor(self) -> httpx.Client:
        """A client that has opened the page, and so has a cookie."""
        client = self.stranger()
        client.get("/")
        return client

    def stranger(self) -> httpx.Client:
        """A client without a cookie."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=60)  # other tests may keep the machine busy
        self.clients.append(client)
        return client

    def crowd(self, n_visitors: int) -> None:
        """Let so many visitors cast three ties each: soon everybody has met everybody through others."""
        for _ in range(n_visitors):
            visitor = self.visitor()
            for _ in range(3):
                vote_on(visitor, ballot_of(visitor)["ballot_id"], "tie").raise_for_status()

    def compute_board(self) -> None:
        """Have the board computed from all votes, an hour later."""
        self.clock.now += timedelta(minutes=61)
        while (board := self.job.latest()) is None or board.n_log < self.n_acts:
            self.job.run_if_due(self.clock())  # or the application's own timer does it first

    @property
    def n_acts(self) -> int:
        """Votes and withdrawals."""
        return self.store.log.position()[0]

    @property
    def n_votes(self) -> int:
        """Votes that stand."""
        return self.store.votes.counts(VoterId("nobody")).all


Serve = Callable[..., Arena]


def ballot_of(client: httpx.Client) -> dict[str, Any]:
    """The client's open ballot."""
    return client.post("/api/ballots", json={}).raise_for_status().json()["ballot"]


def vote_on(client: httpx.Client, ballot_id: str, verdict: str = "A") -> httpx.Response:
    return client.post(f"/api/ballots/{ballot_id}/vote", json={"verdict": verdict})


def withdraw(client: httpx.Client, ballot_id: str) -> httpx.Response:
    return client.post(f"/api/ballots/{ballot_id}/withdrawal", json={})


def skip(client: httpx.Client, ballot_id: str, reason: object = "other") -> httpx.Response:
    return client.post(f"/api/ballots/{ballot_id}/skip", json={"reason": reason})


def named_in(text: str) -> list[str]:
    """The identities of models that a text gives away."""
    return [word for word in IDENTITIES if word in text.lower()]


def everything(response: httpx.Response) -> str:
    """What a response says: where it came from, its head and its text."""
    return f"{response.url} {response.headers} {response.text}"


@contextmanager
def serving() -> Iterator[Serve]:
    """Serve arenas on free ports of this machine.

    `n_prompts` sizes them, `rules` is the text of their arena.toml; `guideline` is put in force with it, in a new store
    or in that of an `earlier` arena. `models` is the server on which they answer live, each by its id. The other
    arguments change the Site.
    """
    running: list[tuple[uvicorn.Server, threading.Thread, Arena]] = []

    def start(
        *,
        n_prompts: int = len(PROMPTS),
        rules: str = "",
        guideline: Guideline | None = None,
        earlier: Arena | None = None,
        stalled_seconds: float = STALLED_SECONDS,
        store: VoteStore | None = None,
        port: int = 0,
        most_per_address: int = MOST_CONNECTIONS,
        trusted_proxies: Sequence[Network] = (),
        models: ModelServer | None = None,
        **changes: Any,
    ) -> Arena:
        clock = Clock()
        limits = {key: Limit() for key in Settings().limits} | changes.pop("limits", {})
        alarms, voter_key = Alarms(), VoterKey(b"a secret of at least sixteen bytes")
        store = earlier.store if earlier else _stocked_store(n_prompts, clock.now, store)
        store.catalogue.set_rules(rules, guideline, clock.now)
        job = RatingJob(store, every=timedelta(hours=1), after_votes=3)
        booth = FaultyBooth(
            store,
            rng=Random(4),
            board=job.latest,
            now=NOON,
        )
        site = Site(
            booth=booth,
            live=_live(store, booth, models, clock) if models else None,
            lists=ListBooth(store, booth, rng=Random(4), now=NOON) if booth.rules.kind == "ranked" else None,
            calibration=Calibration(store),
            job=job,
            boards=Boards(store, job.latest),
            study=(study := Study(store, job.latest)),
            inspector=open_inspector(store, job, alarms, clock=clock),
            gallery=Gallery(store, study),
            review=(review := open_review(store, booth, job, alarms, sources=None, clock=clock)),
            arbiter=Arbiter(store),
            voter_key=voter_key,
            alarms=alarms,
            throttle=Throttle(
                limiter=Limiter(limits),
                alarms=alarms,
                voter_key=voter_key,
                trusted_proxies=trusted_proxies,
                clock=clock,
                ticks=clock.ticks,
            ),
            title="Testing ground",
            welcome="Say which answer is better.",
            guideline_version="3",
            guideline_text="# What better means\n\nVote for what you would **rather** have received.",
            cookies="lax",
            clock=clock,
        )
        listener = listen("127.0.0.1", port)
        app = build_app(replace(site, **changes))
        server = PatientServer(
            server_config(
                app,
                most_per_address=most_per_address,
                trusted_proxies=trusted_proxies,
                log_level="critical",
                timeout_graceful_shutdown=1,
            ),
            stalled_seconds=stalled_seconds,
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        arena = Arena(url, store, booth, job, clock, alarms, voter_key, app, review)
        running.append((server, thread, arena))
        with httpx.Client(transport=httpx.HTTPTransport(retries=20), trust_env=False) as client:
            client.get(f"{arena.url}/healthz", timeout=30).raise_for_status()
        return arena

    yield start
    for server, thread, arena in running:
        for client in arena.clients:
            client.close()
        server.should_exit = True
        thread.join()
        arena.store.close()


def _live(store: VoteStore, booth: Booth, models: ModelServer, clock: Clock) -> LiveBooth:
    """Live battles between the models of these tests, at the fastest tempo there is."""
    endpoints = {each.id: Endpoint(model=each.id, base_url=models.url, timeout_seconds=10) for each in MODELS}
    live = LiveBooth(store, booth, clients_of(endpoints, {}, rng=Random(0), patience=HASTY), rng=Random(4), clock=clock)
    for each in [*endpoints] * 5:
        live.health.answered(each, Completion("x" * 2500, "stop", None, 1, 1, 10.0, 1010.0, 1), None)
    return live


def _stocked_store(n_prompts: int, now: datetime, store: VoteStore | None) -> VoteStore:
    store = store or VoteStore.open(None)
    store.catalogue.add_models(MODELS, now)
    store.catalogue.add_prompts(PROMPTS[:n_prompts], now)
    answers = [
        Answer(answer_id(prompt.id, model.id, text), prompt.id, model.id, text, tokens=77, latency_ms=987.6)
        for prompt in PROMPTS[:n_prompts]
        for model, text in zip(MODELS, TEXTS, strict=True)
    ]
    store.catalogue.add_answers(answers, now)
    return store


def open_arena(context: BrowserContext, arena: Arena) -> Page:
    """The Arena page with its first ballot on it."""
    page = context.new_page()
    page.goto(arena.url)
    in_state(page, "voting")
    return page


def in_state(page: Page, state: str) -> None:
    """Wait until the ballot's script is in this state."""
    page.wait_for_selector(f"#arena[data-state={state}]")
