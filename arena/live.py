"""The rules of the game where voters type their own prompts: two hidden models answer then and there.

A ballot comes of it that is voted on like any other (`arena.voting`). Nothing of the web.

Nothing is stored before both answers are whole and shown. A model that fails before anything was shown is replaced by
another one; after that, the battle is closed, with nothing to vote on. Who leaves ends the requests.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from unicodedata import category

from arena.battle import (
    LIVE,
    Answer,
    Ballot,
    BallotId,
    Battle,
    BattleId,
    Message,
    ModelId,
    Prompt,
    PromptId,
    VoterId,
)
from arena.contenders.client import Client
from arena.contenders.generation import params_of
from arena.contenders.health import Figures, Health
from arena.contenders.pace import Pacer
from arena.contenders.pane import Pane
from arena.errors import EndpointFailed, NotAPrompt, NotOffered, TooMany
from arena.pack import answer_id
from arena.pairing import text_key
from arena.self_naming import Names
from arena.store import LiveBattle, VoteStore
from arena.voting import Booth, Permit, freely, new_id, new_key

TICK_SECONDS = 0.2
"""So often a browser gets what is new of both answers, whether there is anything or not."""

MOST_REPLACED = 2
"""So many models that failed are replaced in one battle."""

SWAPPED = ", swapped"
"""In the sampling policy of a battle in which a model that failed was replaced: how probable that was, nobody knows."""

MOST_TICKS = 15 * 60 * 5
"""A quarter of an hour. Nobody waits for longer, and a place is somebody else's then."""

_COME_BACK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """What is new of either answer."""

    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Opened:
    """Both answers are whole and shown, and stored: this is the ballot."""

    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Closed:
    """No ballot came of it, and nothing is stored. Why is not told, since that would tell of the models."""


Step = Shown | Opened | Closed


class LiveBooth:
    """Live battles of one arena. Belongs to one event loop; the store is asked in threads.

    `clients` are the models that answer live, `rng` as in `Booth`. `health` is for the host alone.
    """

    def __init__(
        self,
        store: VoteStore,
        booth: Booth,
        clients: Mapping[ModelId, Client],
        *,
        rng: Random,
        clock: Callable[[], datetime],
    ):
        models, now = store.catalogue.models(), clock()
        clients = {
            model: client
            for model, client in clients.items()
            if (left := models[model].retired_at) is None or left > now
        }
        self.rules = store.catalogue.rules().live
        self.health = Health(clients)
        self._store = store
        self._booth = booth
        self._clients = clients
        self._names = Names.of(models.values())
        self._rng = rng
        self._clock = clock
        self._running: dict[VoterId, _Course] = {}
        self._courses: set[_Course] = set()
        # A battle asks a model at most once, so that none is ever waited for, and whom others ask is seen by nobody.
        self.most = min([self.rules.at_once, *(each.endpoint.concurrency for each in clients.values())])
        store.own_prompts.erase_expired(now)

    def figures(self) -> dict[ModelId, Figures]:
        """How each model does, for the host. To be asked on the event loop, whose clock their health is told by."""
        return self.health.figures(asyncio.get_running_loop().time())

    @property
    def n_running(self) -> int:
        """How many battles are under way."""
        return len(self._courses)

    async def battle(self, voter_id: VoterId, text: str, *, permit: Permit = freely) -> AsyncGenerator[Step, None]:
        """Put a prompt to two hidden models. The steps end with one that is Opened or Closed.

        An earlier battle of the same voter that is still under way is closed. `permit` is asked before any model is.
        Raises, before there are steps: NotAPrompt, NotOffered where the rules have it so, ConsentNeeded, TooMany where
        there is no room for another one. The steps themselves raise DatabaseUnavailable where the ballot cannot be
        stored.
        """
        if not self.rules.own_prompts:
            raise NotOffered("put a prompt of your own")
        prompt = Prompt(PromptId(new_key(self._clock())), (Message("user", self._checked(text)),))
        await asyncio.to_thread(self._booth.check_consent, voter_id)
        if not self._has_room(voter_id) or len(self.well()) < 2:
            raise TooMany("live battles", _COME_BACK_SECONDS)
        permit()
        return self._steps(prompt, voter_id)

    def well(self) -> list[ModelId]:
        """The models that do not rest, in order."""
        return sorted(self.health.well(asyncio.get_running_loop().time()))

    def _has_room(self, voter_id: VoterId) -> bool:
        return len(self._courses) - (voter_id in self._running) < self.most

    async def _steps(self, prompt: Prompt, voter_id: VoterId) -> AsyncGenerator[Step, None]:
        # Nothing begins before the first step is asked for: of steps that nobody takes, nothing would be ended.
        if voter_id in self._running:
            self._running[voter_id].close()
        drawn = self.draw() if self._has_room(voter_id) else None
        if drawn is None:  # others were faster
            yield Closed()
            return
        course = self._running[voter_id] = _Course(self, prompt, *drawn)
        self._courses.add(course)
        try:
            begun_at: datetime | None = None
            async for shown in course.run():
                if begun_at is None and (shown.a or shown.b):
                    begun_at = self._clock()
                yield shown
            if course.is_closed:
                yield Closed()
            else:
                yield Opened(await asyncio.to_thread(self._store_ballot, course, voter_id, begun_at or self._clock()))
        finally:
            if self._running.get(voter_id) is course:
                del self._running[voter_id]
            try:
                await course.stop()
            finally:
                self._courses.remove(course)

    def _store_ballot(self, course: "_Course", voter_id: VoterId, begun_at: datetime) -> Ballot:
        """From where reading could begin, so that a verdict right after the last word was not given in no time."""
        prompt, salt = course.prompt, new_id()
        a, b = (self._answer(pane, prompt, salt) for pane in course.panes)
        battle = Battle(
            id=BattleId(new_key(begun_at)),
            prompt_id=prompt.id,
            answer_a=a.id,
            answer_b=b.id,
            model_a=a.model_id,
            model_b=b.model_id,
            draw_probability=course.probability,
            sampling_policy=LIVE + (SWAPPED if course.n_replaced else ""),
            drawn_at=begun_at,
        )
        asked = self._names.asks_identity(prompt.messages)  # where the rules leave such votes out
        told = tuple(
            (each.id, pane.told or f"asked: {asked}")
            for each, pane in zip((a, b), course.panes, strict=True)
            if pane.told or asked
        )
        opened = self._store.own_prompts.add(
            LiveBattle(battle, prompt, (a, b), told),
            BallotId(new_id()),
            voter_id,
            salt=salt,
            opened_at=begun_at,
            expires_at=self._clock() + self._booth.lifetime,
        )
        return self._booth.shown(opened)

    def _checked(self, text: str) -> str:
        text, most = text.replace("\r\n", "\n").strip(), self.rules.longest_prompt
        if not text:
            raise NotAPrompt("empty", most)
        if len(text) > most:
            raise NotAPrompt("too_long", most)
        if any(category(each) in ("Cc", "Cs") and each not in "\n\t" for each in text):
            raise NotAPrompt("control", most)
        if self._booth.rules.named_answers != "leave_out" and self._names.asks_identity([Message("user", text)]):
            raise NotAPrompt("identity", most)
        return text

    def draw(self) -> tuple[list[ModelId], float] | None:
        """Two models that are well, as A and B, and how probable just that was; None where there are not two."""
        well = self.well()
        return (self._rng.sample(well, 2), 1 / (len(well) * (len(well) - 1))) if len(well) > 1 else None

    def replacement(self, models: frozenset[ModelId]) -> ModelId | None:
        """A model in place of one that failed, none of these; None where there is none."""
        others = [each for each in self.well() if each not in models]
        return self._rng.choice(others) if others else None

    def pane(self, model: ModelId, prompt: Prompt) -> Pane:
        """An empty side of a battle."""
        return Pane(model, self._names, prompt.messages[-1].content, self._booth.rules.named_answers)

    async def fill(self, pane: Pane, prompt: Prompt) -> None:
        """Have the pane's model answer."""
        client = self._clients[pane.model_id]
        try:
            completion = await client.answer(prompt.messages, pane.add)
        except EndpointFailed as failed:
            self.health.failed(pane.model_id, failed, asyncio.get_running_loop().time())
            pane.fail(failed)
        else:
            usd = client.endpoint.cost(completion.n_prompt_tokens, completion.n_tokens)
            self.health.answered(pane.model_id, completion, usd)
            pane.end(completion)

    def _answer(self, pane: Pane, prompt: Prompt, salt: str) -> Answer:
        """What a pane holds at the end, as it is stored: under an id that nobody can guess the text by."""
        made, endpoint = pane.completion, self._clients[pane.model_id].endpoint
        assert made is not None  # noqa: S101 - for the type
        return Answer(
            id=answer_id(salt, pane.model_id, made.text),
            prompt_id=prompt.id,
            model_id=pane.model_id,
            text=made.text,
            revision=made.revision_at(endpoint),
            params=params_of(endpoint),
            tokens=made.n_tokens,
            latency_ms=made.latency_ms,
            finish_reason=made.finish_reason,
        )


class _Course:
    """One battle, from the prompt until both answers are shown."""

    def __init__(self, booth: LiveBooth, prompt: Prompt, models: Sequence[ModelId], probability: float):
        self.prompt = prompt
        self.n_replaced = 0
        self.is_closed = False
        self._booth = booth
        self.probability: float | None = probability
        self.panes = [booth.pane(each, prompt) for each in models]
        self._used = frozenset(models)
        self._tasks = [asyncio.create_task(booth.fill(pane, prompt)) for pane in self.panes]
        self._n_shown = 0

    def close(self) -> None:
        """Let nothing come of it."""
        self.is_closed = True

    async def run(self) -> AsyncGenerator[Shown, None]:
        """Show both answers in step, until they are whole or the battle is closed."""
        clock = asyncio.get_running_loop().time
        started = clock()
        pacer = Pacer(self._booth.health.tempo(), started)
        for number in range(1, MOST_TICKS):
            self._look()
            if self.is_closed:
                return
            a, b = self.panes
            n = pacer.shown(clock(), (a.n, b.n), (a.is_whole, b.is_whole))
            before, self._n_shown = self._n_shown, n
            yield Shown(a.text[before:n], b.text[before:n])
            if a.is_whole and b.is_whole and n >= max(a.n, b.n):
                if text_key(a.text) == text_key(b.text):
                    self.close()  # nobody could say which is better
                return
            await asyncio.sleep(max(started + number * TICK_SECONDS - clock(), 0))
        self.close()

    def _look(self) -> None:
        """See what has come in, and replace who has failed."""
        for task in self._tasks:
            if task.done():
                task.result()  # an error of our own, which nobody foresaw, ends the battle and is in the log
        for pane in self.panes:
            pane.look()
        self._replace_failed()

    def _replace_failed(self) -> None:
        for side, pane in enumerate(self.panes):
            if not pane.has_failed:
                continue
            another = self._booth.replacement(self._used)
            if self._n_shown or self.n_replaced >= MOST_REPLACED or another is None:
                self.close()
                return
            self.n_replaced += 1
            self.probability = None
            self._used |= {another}
            self.panes[side] = self._booth.pane(another, self.prompt)
            self._tasks.append(asyncio.create_task(self._booth.fill(self.panes[side], self.prompt)))

    async def stop(self) -> None:
        """End what is still under way, and wait until its connections are closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
