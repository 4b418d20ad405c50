"""What a host must know of: parts that failed while the arena went on without them."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_KINDS = 50
_LOGGED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One kind of failure: what failed, the class of the last error and where it arose, how often, first and last."""

    what: str
    error: str
    where: str
    n: int
    first: datetime
    last: datetime


class Alarms:
    """Failures since the start, in memory, by what failed. Any number of threads may raise and read them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alarms: dict[str, Alarm] = {}
        self._logged: dict[str, tuple[datetime, int]] = {}

    def on(self, what: str, error: Exception, now: datetime) -> None:
        """Raise an alarm, and log it unless that kind was logged within the last minute.

        Of the error only its class and its line are kept: its text could hold what a voter wrote, or an address.
        """
        name, where = type(error).__name__, _where(error)
        with self._lock:
            before = self._alarms.pop(what, Alarm(what, name, where, 0, now, now))
            alarm = replace(before, error=name, where=where, n=before.n + 1, last=now)
            self._alarms[what] = alarm
            if len(self._alarms) > _MOST_KINDS:
                oldest = next(iter(self._alarms))
                del self._alarms[oldest]
                self._logged.pop(oldest, None)
            logged_at, n_logged = self._logged.get(what, (None, 0))
            is_due = logged_at is None or not timedelta(0) <= now - logged_at < _LOGGED_EVERY
            if is_due:
                self._logged[what] = (now, alarm.n)
        if is_due:
            log.error("%s failed (%s, %s); %d times since it was last said", what, name, where, alarm.n - n_logged)

    def ask(self, what: str, check: Callable[[], T], now: datetime) -> T | None:
        """What a check says; None where it failed, which raises an alarm and accuses nobody."""
        try:
            return check()
        except Exception as error:  # noqa: BLE001 - whatever it was: it is told, and the visitor goes on
            self.on(what, error, now)
            return None

    def current(self) -> tuple[Alarm, ...]:
        """All kinds of failures, the latest first."""
        with self._lock:
            return tuple(reversed(self._alarms.values()))


def _where(error: Exception) -> str:
    trace = error.__traceback__
    if trace is None:
        return "nowhere"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
