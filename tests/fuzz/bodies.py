"""Bodies of requests, put to the routes behind their gate on a real store, without a network.

A body that is not understood is refused in the usual shape and stores nothing; one that is, is stored as it said.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from random import Random
from typing import Any

from fastapi import APIRouter, FastAPI
from promises import ISSUED, KEY, NOON, Target, promise
from pydantic import SecretStr

from arena import json_line
from arena.alarms import Alarms
from arena.arbiter import Arbiter
from arena.battle import Answer, Labels, Message, Model, ModelId, Prompt, PromptId, Verdict, VoterId
from arena.calibration import Calibration
from arena.guideline import Guideline
from arena.limits import Limiter
from arena.list_voting import ListBooth
from arena.pack import answer_id
from arena.review import Review
from arena.role import Role
from arena.session import Session
from arena.store import VoteStore
from arena.ui import (
    api,
    calibration_api,
    consent_api,
    disagreement_api,
    lists_api,
    review_api,
    signals_api,
)
from arena.ui.middleware import ApiGate
from arena.ui.throttle import Throttle
from arena.voting import Booth

_LABELS = """
[labels]
scale = "much-slightly"
reasons = ["Wrong"]
comment = true
confidence = true
ratings = true
thumbs = true
acceptable = true
dimensions = [{id = "tone", name = "Tone"}]
[guideline]
calibration = 2
[consent]
version = "1"
license = "cc-by-4.0"
purpose = "both"
text = "May we?"
"""
_RANKED = '[ballot]\nkind = "ranked"\nanswers = 4\nskip = true\n'
_EXAMPLE = """### {}. One
**Prompt.** p

**Answer A.** a

**Answer B.** b

**Verdict.** {}

**Reason.** r
"""
_TOKEN = "a token of the product"
_HOST = Session("here", frozenset({Role.HOST}), "the host", NOON + timedelta(days=1))

# What a refusal may be; 500 is never one of them.
_REFUSED = (400, 403, 404, 409, 410, 413, 415, 422)


class Web:
    """One arena's routes, asked by voters and by its host."""

    def __init__(self, rules: str, *, models: int, prompts: int, routes: Callable[["Web"], list[APIRouter]]) -> None:
        self._loop = asyncio.new_event_loop()
        self.store = store = VoteStore.open(None)
        names = [ModelId(f"model-{n}") for n in range(models)]
        asked = [PromptId(f"p{n}") for n in range(prompts)]
        store.catalogue.add_models([Model(each, each) for each in names], NOON)
        store.catalogue.add_prompts([Prompt(each, (Message("user", f"{each}?"),)) for each in asked], NOON)
        texts = [(prompt, model, f"{model} on {prompt}.") for prompt in asked for model in names]
        store.catalogue.add_answers([Answer(answer_id(*each), each[0], each[1], each[2]) for each in texts], NOON)
        guideline = "".join(_EXAMPLE.format(number, said) for number, said in ((1, "A"), (2, "tie")))
        store.catalogue.set_rules(rules, Guideline("1", "tie", guideline), NOON)
        self.booth = Booth(store, rng=Random(4), board=lambda: None, now=NOON)
        self.throttle = Throttle(Limiter({}), Alarms(), KEY, trusted_proxies=(), clock=now, ticks=lambda: 0)
        self.intake = signals_api.Intake(store, KEY, now, SecretStr(_TOKEN))
        self._app = FastAPI(openapi_url=None)
        self._app.include_router(api.routes(self.booth, KEY, now, throttle=self.throttle))
        for router in routes(self):
            self._app.include_router(router)
        api.translate_errors(self._app)
        self._app.add_middleware(ApiGate, most_bytes=40_000, longer=signals_api.most_bytes(self.intake))

    def post(self, path: str, body: bytes, *, cookie: str = ISSUED[0]) -> tuple[int, Any]:
        """The status and what the answer says to a post by one voter, who has signed in as the host as well."""
        status, answer = self._loop.run_until_complete(self._post(path, body, cookie))
        told = json.loads(answer) if answer else None
        promise(status in (200, 204, *_REFUSED), f"status {status}: {told}")
        promise(status < 300 or {"error", "message"} <= set(told or ()), f"not the shape of a refusal: {told}")
        return status, told

    async def _post(self, path: str, body: bytes, cookie: str) -> tuple[int, bytes]:
        headers = [(b"content-type", b"application/json"), (b"host", b"arena")]
        headers.append((b"cookie", f"{KEY.cookie_name}={cookie}".encode()))
        headers.append((b"authorization", f"Bearer {_TOKEN}".encode()))
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode()}
        scope |= {"headers": headers, "query_string": b"", "http_version": "1.1", "scheme": "http"}
        scope |= {"server": ("arena", 80), "client": ("somebody", 1), "root_path": "", "asgi": {"version": "3.0"}}
        scope["state"] = {"session": _HOST}
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        run: Callable[..., Awaitable[None]] = self._app
        await run(scope, receive, send)
        return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])

    @property
    def n_log(self) -> int:
        return self.store.log.position()[0]


def now() -> Any:
    """It is always noon."""
    return NOON


@lru_cache(maxsize=1)
def pairs() -> Web:
    """An arena where voters compare two answers. Set up once; two voters disagree on its one pair."""

    def routes(web: Web) -> list[APIRouter]:
        review = Review(web.store, on_failure=lambda _, __: None)
        return [
            consent_api.routes(web.booth, KEY, now, throttle=web.throttle),
            calibration_api.routes(Calibration(web.store), KEY, now),
            disagreement_api.routes(Arbiter(web.store), now, signed_as=None),
            review_api.routes(review, now, signed_as=None),
            signals_api.routes(web.intake),
        ]

    web = Web(_LABELS, models=2, prompts=1, routes=routes)
    plain = Booth(web.store, rng=Random(5), board=lambda: None, now=NOON)
    first = plain.open(_VOTERS[0], NOON)
    plain.cast(first.id, Verdict.A, _VOTERS[0], NOON, _plain(web))
    second = plain.open(_VOTERS[1], NOON)
    is_turned = first.answer_a != second.answer_a
    plain.cast(second.id, Verdict.A if is_turned else Verdict.B, _VOTERS[1], NOON, _plain(web))
    return web


_VOTERS = (VoterId("a voter"), VoterId("another voter"))


def _plain(web: Web) -> Labels:
    return Labels(scale=web.store.catalogue.rules().labels.scale, strength=1)


@lru_cache(maxsize=1)
def lists() -> Web:
    """An arena where voters put answers in order. Set up once."""

    def routes(web: Web) -> list[APIRouter]:
        booth = ListBooth(web.store, web.booth, rng=Random(6), now=NOON)
        return [lists_api.routes(booth, web.booth, KEY, now, throttle=web.throttle)]

    return Web(_RANKED, models=4, prompts=2, routes=routes)


_ACTS = ("vote", "skip", "withdrawal")


def api_body(data: bytes) -> None:
    """The first byte says which act on a ballot that is nobody's."""
    act = _ACTS[data[0] % 3] if data else "vote"
    status, told = pairs().post(f"/api/ballots/nobody-s/{act}", data[1:])
    promise(status != 200, f"taken: {told}")


def list_body(data: bytes) -> None:
    """The first byte says which act on a list that is open to the voter."""
    act = _ACTS[data[0] % 3] if data else "vote"
    web = lists()
    status, told = web.post("/api/lists", b"{}", cookie=_cookie(web.n_log))
    promise(status == 200, f"no list is open: {told}")
    n_log, ballot, n_answers = web.n_log, told["list"]["ballot_id"], len(told["list"]["answers"])
    status, told = web.post(f"/api/lists/{ballot}/{act}", data[1:], cookie=_cookie(n_log))
    if status != 200:
        promise(web.n_log == n_log, "a refused body has stored something")
        return
    if act == "vote":
        ranks = json.loads(data[1:])["ranks"]
        n_pairs = sum(a != b for n, a in enumerate(ranks) for b in ranks[n + 1 :])
        promise(len(ranks) == n_answers and n_pairs == web.n_log - n_log, f"{ranks} gave {web.n_log - n_log} votes")
    # Somebody else has the next list, whose log is longer.
    web.store.votes.withdraw_all(KEY.voter_id(_cookie(n_log)) or _VOTERS[0], NOON)
    if web.n_log == n_log:
        lists.cache_clear()


def _cookie(number: int) -> str:
    """The cookie of a voter of this number."""
    return KEY._newest.signer.sign(f"voter-{number}").decode()


def consent_body(data: bytes) -> None:
    web = pairs()
    n_log, voter = web.n_log, KEY.voter_id(ISSUED[0])
    status, _ = web.post("/api/me/consent", data)
    if status != 200:
        promise(web.n_log == n_log, "a refused body has stored something")
        return
    said, body = web.booth.consent_of(voter) if voter else None, json.loads(data)
    promise(said is not None and said.version == body["version"], f"{body} was said, and {said} is stored")
    promise(said is not None and said.is_given is body["given"], f"{body} was said, and {said} is stored")


def calibration_body(data: bytes) -> None:
    """The first byte says which worked example."""
    number = data[0] % 4 if data else 1
    status, told = pairs().post(f"/api/calibration/{number}", data[1:])
    promise(status >= 300 or number in (1, 2), f"example {number} is not there: {told}")


def signal_body(data: bytes) -> None:
    """The first byte says whether a signal is brought, or those of a user are withdrawn."""
    web, is_withdrawal = pairs(), bool(data) and data[0] % 2 == 1
    path = signals_api.PATH + ("/withdrawal" if is_withdrawal else "")
    status, told = web.post(path, data[1:])
    if status != 200:
        return
    said = json_line.parse(data[1:])
    again = web.post(path, data[1:])
    if is_withdrawal:
        promise(again == (200, {"n_withdrawn": 0}), f"withdrawn once more: {again}")
        return
    promise(again == (200, {"is_new": False}), f"{told} at first, and then {again}")
    status, told = web.post(f"{path}/withdrawal", json.dumps({key: said[key] for key in ("source", "user")}).encode())
    promise(status == 200, f"it cannot be withdrawn: {told}")


_HOST_ACTS = ("disagreement/adjudicate", "disagreement/take-back", "review/exclude", "review/readmit")


def host_body(data: bytes) -> None:
    """The first byte says which act of the host; CASE stands for a pair on which voters disagree, 77 for its act."""
    act = _HOST_ACTS[data[0] % 4] if data else _HOST_ACTS[0]
    web = pairs()
    [case] = _conflict(web)
    n_log = web.n_log
    body = data[1:].replace(b"CASE", case.encode())
    status, told = web.post(f"/api/host/{act}", body)
    promise(web.n_log == n_log + (status == 200 and told["is_new"]), f"{told}, and {web.n_log - n_log} acts are new")
    if status == 200 and told["is_new"] and act == _HOST_ACTS[0]:
        back = json.dumps({"seq": web.n_log, "reason": "once more", "by": "the host"}).encode()
        promise(web.post(f"/api/host/{_HOST_ACTS[1]}", back) == (200, {"is_new": True}), "it cannot be taken back")


def _conflict(web: Web) -> list[str]:
    with web.store._database.read() as cursor:
        return [battle for (battle,) in cursor.execute("select battle_id from votes order by seq limit 1").fetchall()]


TARGETS: Mapping[str, Target] = {
    each.__name__: each for each in (api_body, list_body, consent_body, calibration_body, signal_body, host_body)
}
