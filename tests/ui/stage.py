"""Arenas to look at: the starter pack as it is, with votes, and with each of the rules that change a page."""

import random
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from math import exp
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from arena.battle import Labels, Verdict, VoterId
from arena.errors import NoBallotLeft
from arena.intake import import_pack
from arena.login import Login
from arena.pack import read_pack, starter_directory
from arena.role import Members
from arena.settings import Settings
from arena.store import VoteStore
from arena.ui.app import Site, build_app
from arena.ui.server import open_site
from openid import HASH, NAME, free_port, providing
from scene import Ground
from served import NOON, Clock

_EVERY_LABEL = """
[labels]
scale = "much-slightly"
dimensions = [
  { id = "accuracy", name = "Accuracy", meaning = "Is what it says true?" },
  { id = "style", name = "Style", meaning = "Does it read well?" },
]
reasons = ["Wrong", "Too long", "Off topic", "Well explained"]
comment = true
confidence = true
ratings = true
acceptable = true
thumbs = true
"""
# Several voters on the same pairs, of which some disagree, in all and in one matter.
_SHARED = """
[items]
overlap = 0.8
overlap_voters = 3

[labels]
dimensions = [{ id = "accuracy", name = "Accuracy" }]
"""
# Of the others, the starter pack's own.
_RULES: Mapping[Ground, str] = {
    "labels": _EVERY_LABEL,
    "thumbs": "[labels]\nthumbs = true\n",
    "steps": '[labels]\nscale = "8-steps"\n',
    "asking": """[consent]
version = "1"
license = "cc-by-4.0"
purpose = "both"
text = "The **lab of Example Street** publishes the votes of this arena once a month, on the Hugging Face Hub."
""",
    "ranked": '[ballot]\nkind = "ranked"\nanswers = 4\n',
    "calibrating": "[guideline]\ncalibration = 3\n",
    "hosted": _SHARED,
    "decided": _SHARED,
}
_N_VOTERS = 24
_N_DAYS = 3
_VOTES_A_DAY = 3
# Grounds with votes; those with a login have voters too who always say A, and in no time.
_VOTED = ("voted", "hosted", "decided")
_HOSTED = ("hosted", "decided")
_RIGGERS = tuple(VoterId(f"{n}c0ffee5c0ffee5c0ffee5c0ffee5ab{n}") for n in (1, 2))
_STARTS_AT = NOON - timedelta(days=_N_DAYS)


class Stage:
    """Serves each arena once it is asked for, and ends them all together."""

    def __init__(self, exits: ExitStack):
        self._exits = exits
        self._urls: dict[str, str] = {}

    def url(self, ground: Ground) -> str:
        """The address of an arena: of `voted` it has votes of some days and a board of each."""
        if ground not in self._urls:
            store = self._exits.enter_context(VoteStore.open(None))
            pack = read_pack(starter_directory())
            import_pack(store, replace(pack, rules_text=_RULES.get(ground, pack.rules_text)), _STARTS_AT)
            self._serve(ground, store, n_voters=_N_VOTERS if ground in _VOTED else 0)
        return self._urls[ground]

    def url_of(self, database: Path) -> str:
        """The address of the arena of a database, with its board."""
        name = str(database)
        if name not in self._urls:
            self._serve(name, self._exits.enter_context(VoteStore.open(database)), n_voters=0)
        return self._urls[name]

    def _serve(self, name: str, store: VoteStore, *, n_voters: int) -> None:
        clock = Clock(_STARTS_AT)
        settings = Settings(secret=SecretStr("a secret of at least 32 characters"))
        site = open_site(store, settings, clock=clock, rng=random.Random(1))
        if n_voters:
            _vote(site, store, clock, n_voters)
        port = 0
        if name in _HOSTED:
            for rigger in _RIGGERS:
                _rig(site, clock, rigger)
            # A login's provider sends back to an address that has to be known before it is served.
            port = free_port()
            site = replace(site, login=self._login(f"http://127.0.0.1:{port}", clock))
            site.alarms.on("the limiter", OSError(), NOON)
        clock.now = NOON
        if name == "decided":
            site.review.exclude(_RIGGERS[0], "always side A, within a second", "Ada", NOON)
        site.job.run_if_due(NOON)
        self._urls[name] = self._exits.enter_context(listening(site, port))

    def _login(self, url: str, clock: Clock) -> Login:
        """A password for the host, and a provider whose account is an annotator."""
        provider = self._exits.enter_context(providing(clock))
        return Login(password=HASH, provider=provider.settings(url), members=Members(annotators=frozenset({NAME})))


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage, and the end of all that it served."""
    with ExitStack() as exits:
        yield Stage(exits)


@contextmanager
def listening(site: Site, port: int = 0) -> Iterator[str]:
    """Serve a site on a port of this machine (0: a free one); gives its address."""
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(
        uvicorn.Config(build_app(site), log_level="critical", server_header=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()  # connections wait in the listener until it takes them
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _vote(site: Site, store: VoteStore, clock: Clock, n_voters: int) -> None:
    """Some days of votes by some people, each model a little better than the next; a board every evening."""
    rng = random.Random(2)
    strength = {model: -0.4 * place for place, model in enumerate(sorted(store.catalogue.models()))}
    for day in range(_N_DAYS):
        for voter in (VoterId(f"voter-{number}") for number in range(n_voters)):
            for _ in range(_VOTES_A_DAY):
                clock.now += timedelta(seconds=rng.randint(20, 200))
                try:
                    ballot = site.booth.open(voter, clock.now)
                except NoBallotLeft:
                    continue
                opened = store.ballots.find(ballot.id)
                assert opened is not None
                chance = 1 / (1 + exp(strength[opened.battle.model_b] - strength[opened.battle.model_a]))
                verdict = Verdict.A if rng.random() < chance else Verdict.B
                verdict = rng.choice((Verdict.TIE, Verdict.BOTH_BAD)) if rng.random() < 0.2 else verdict
                accuracy = (
                    {"accuracy": verdict if verdict.is_decisive else Verdict.TIE}
                    if site.booth.labels.dimensions
                    else {}
                )
                labels = Labels(dimensions=accuracy)
                site.booth.cast(ballot.id, verdict, voter, clock.now + timedelta(seconds=15), labels=labels)
        clock.now = _STARTS_AT + timedelta(days=day, hours=10)
        site.job.run_if_due(clock.now)
        clock.now = _STARTS_AT + timedelta(days=day + 1)


def _rig(site: Site, clock: Clock, voter: VoterId) -> None:
    """Every ballot that is left for this voter, side A, after a second each."""
    with suppress(NoBallotLeft):
        for _ in range(60):
            clock.now += timedelta(seconds=1)
            ballot = site.booth.open(voter, clock.now)
            clock.now += timedelta(seconds=1)
            site.booth.cast(ballot.id, Verdict.A, voter, clock.now)
