"""Where the parts come together: settings, store, pack, rating job, pages, and a server that opens them."""

import errno
import logging
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import uvicorn

from arena.alarms import Alarms
from arena.arbiter import Arbiter
from arena.batch import RatingJob
from arena.battle import ModelId, Source
from arena.boards import Boards
from arena.calibration import Calibration
from arena.contenders.client import HASTY, Client, clients_of, missing_keys, share_encryption
from arena.control import listening
from arena.errors import BadInput
from arena.inspection import Inspector
from arena.intake import import_pack
from arena.limits import Limiter
from arena.list_voting import ListBooth
from arena.live import LiveBooth
from arena.pack import Pack, read_pack, starter_directory
from arena.review import Review
from arena.samples import Gallery
from arena.self_naming import NamedAnswer, told_of
from arena.settings import Settings
from arena.store import VoteStore, rewrite
from arena.study import Study
from arena.ui import signals_api
from arena.ui.app import Site, build_app
from arena.ui.connection import PatientServer, server_config
from arena.ui.throttle import Throttle
from arena.voter import VoterKey
from arena.voting import Booth

# A voter whose request is under way when the server is told to stop gets this long for an answer.
_GRACE_SECONDS = 5

# To look through more answers than this for names takes longer than a second.
_MANY_ANSWERS = 5_000


def serve(settings: Settings, secrets_of: Callable[[Iterable[str]], Mapping[str, str]]) -> None:
    """Open the arena and serve it until interrupted. `secrets_of` gives the secrets that a pack names, as far as they
    are set.

    Raises an ArenaError for a pack, a database or a port that cannot be used; nothing is served then.
    """
    login = settings.login()
    listener = listen(settings.host, settings.port)
    with listener, _opened(settings.database_file) as store:
        pack = _fill(store, settings, datetime.now(UTC))
        rng = random.SystemRandom()
        clients = _contenders(store, pack, secrets_of, rng)
        app = build_app(open_site(store, settings, clock=lambda: datetime.now(UTC), rng=rng, clients=clients))
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        for note in login.notes():
            _say(note)
        server = _Server(
            server_config(
                app,
                most_per_address=settings.connections_per_address,
                trusted_proxies=settings.trusted_proxies or (),
                log_level="warning",
                timeout_graceful_shutdown=_GRACE_SECONDS,
            ),
            announce=lambda: _announce(listener, settings),
        )
        # Ctrl+C, or the SIGTERM of `docker stop`, has stopped the server in good order by the time it comes back as an
        # exception; then the database is closed in good order too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
        n_votes = store.votes.n_standing()
        _say(f"The arena is closed. {n_votes:,} votes are in {settings.database_file}.")


@contextmanager
def _opened(database: Path) -> Iterator[VoteStore]:
    """The store of this file; before and after, no byte of what voters have withdrawn is left in it."""
    _forget(database)
    with VoteStore.open(database) as store:
        yield store
    _forget(database)


def _forget(database: Path) -> None:
    done = rewrite(database, datetime.now(UTC)) if database.exists() else None
    if done is not None:
        _say(f"{database} was written anew: nothing is left in it of texts that were withdrawn ({done.n_texts:,}).")


class _Server(PatientServer):
    """A server that says so when it takes requests, and not a moment before."""

    def __init__(self, config: uvicorn.Config, *, announce: Callable[[], None]):
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def open_site(
    store: VoteStore,
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    rng: random.Random,
    clients: Mapping[ModelId, Client] | None = None,
) -> Site:
    """The parts of one arena, wired: what the pages need and nothing of how it was set.

    `clients` are the models that answer live, where voters may put prompts of their own.
    """
    job = RatingJob(
        store,
        every=timedelta(seconds=settings.rate_every_seconds),
        after_votes=settings.rate_after_votes,
        sources=settings.sources,
    )

    rules, guideline = store.catalogue.rules(), store.catalogue.guideline()
    study = Study(store, job.latest)
    voter_key, alarms = VoterKey(*settings.open_secrets()), Alarms()
    booth = Booth(store, rng=rng, board=job.latest, now=clock())
    return Site(
        booth=booth,
        calibration=Calibration(store),
        job=job,
        boards=Boards(store, job.latest),
        study=study,
        inspector=open_inspector(store, job, alarms, clock=clock),
        gallery=Gallery(store, study),
        review=open_review(store, booth, job, alarms, sources=settings.sources, clock=clock),
        arbiter=Arbiter(store),
        voter_key=voter_key,
        alarms=alarms,
        throttle=Throttle(
            limiter=Limiter(settings.limits),
            alarms=alarms,
            voter_key=voter_key,
            trusted_proxies=settings.trusted_proxies or (),
            clock=clock,
            ticks=time.monotonic_ns,
        ),
        title=rules.title,
        welcome=rules.welcome,
        guideline_version=guideline.version if guideline else None,
        guideline_text=guideline.text if guideline else None,
        cookies=settings.cookies,
        clock=clock,
        control=partial(listening, store),
        lists=ListBooth(store, booth, rng=rng, now=clock()) if rules.ballot.kind == "ranked" else None,
        live=LiveBooth(store, booth, clients, rng=rng, clock=clock) if rules.live.own_prompts and clients else None,
        login=settings.login(),
        signals=signals_api.Intake.of(store, voter_key, clock, settings.signal_token),
    )


def open_inspector(store: VoteStore, job: RatingJob, alarms: Alarms, *, clock: Callable[[], datetime]) -> Inspector:
    """Who looks at the quality of an arena's data, as of its latest board."""
    return Inspector(store, job.latest, clock=clock, on_failure=lambda what, error: alarms.on(what, error, clock()))


def open_review(
    store: VoteStore,
    booth: Booth,
    job: RatingJob,
    alarms: Alarms,
    *,
    sources: Sequence[Source] | None,
    clock: Callable[[], datetime],
) -> Review:
    """The review of an arena, whose decisions the next draws and the next board follow."""

    def follow() -> None:
        booth.recount()
        job.ask()

    return Review(
        store, sources=sources, on_failure=lambda what, error: alarms.on(what, error, clock()), on_decision=follow
    )


def _contenders(
    store: VoteStore,
    pack: Pack | None,
    secrets_of: Callable[[Iterable[str]], Mapping[str, str]],
    rng: random.Random,
) -> dict[ModelId, Client] | None:
    """The models that answer live, where the rules want them. Raises BadInput where one cannot be asked."""
    if not store.catalogue.rules().live.own_prompts:
        return None
    if pack is None:
        raise BadInput(
            "voters put prompts of their own here (live.own_prompts): name the pack with its endpoints, --pack"
        )
    keys = secrets_of(each.api_key_env for each in pack.endpoints.values() if each.api_key_env)
    for model, name in missing_keys(pack.endpoints, keys).items():
        raise BadInput(f"the key of {model!r} is not there: set the environment variable {name}")
    share_encryption()
    return clients_of(pack.endpoints, keys, rng=rng, patience=HASTY)


def _fill(store: VoteStore, settings: Settings, now: datetime) -> Pack | None:
    """Bring in the pack that is asked for; into a new database without one, the starter pack. Returns it."""
    if settings.pack is None and not store.catalogue.is_empty():
        _say_who_is_named(store, _look_for_names(store))
        return None
    pack = read_pack(settings.pack or starter_directory())
    added = import_pack(store, pack, now)
    if any(added.values()):
        _say(f"Pack {pack.directory}: " + ", ".join(f"{n:,} new {kind}" for kind, n in added.items()))
    _say_who_is_named(store, store.named.current())
    return pack


def _look_for_names(store: VoteStore) -> list[NamedAnswer]:
    """Note which answers name their maker: those of an arena from before, or by names that are newly known."""
    n_answers = len(store.catalogue.current_answers())
    if n_answers > _MANY_ANSWERS:
        _say(f"Looking for answers that tell who wrote them, among {n_answers:,} ...")
    return store.named.renew()


def _say_who_is_named(store: VoteStore, named: Sequence[NamedAnswer]) -> None:
    for line in told_of(named, store.catalogue.rules().ballot.named_answers):
        _say(line)


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else, so that a port in use is said at once and in our words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that says it is TCP does asyncio send small answers at once; others wait some 40 ms for a reply.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"port {port} on {host} is in use. Name another one with --port or BAKEOFF_PORT, or 0 for a free one"
            ) from error
        raise BadInput(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    return listener


def _announce(listener: socket.socket, settings: Settings) -> None:
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    _say(f"The arena is open: http://{shown}:{port} (votes go to {settings.database_file}; Ctrl+C closes it)")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's story
