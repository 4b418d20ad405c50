"""Alarms: what failed is told to the host, and accuses nobody."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from arena.alarms import Alarms

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "203.0.113.9 wrote this"


def failing() -> bool:
    raise LookupError(SECRET)


def test_a_check_that_fails_says_nothing_and_raises_an_alarm(caplog: pytest.LogCaptureFixture):
    alarms = Alarms()
    assert alarms.ask("moderation", failing, NOON) is None
    [alarm] = alarms.current()
    assert (alarm.what, alarm.error, alarm.n) == ("moderation", "LookupError", 1)
    assert alarm.where.startswith("test_alarms.py:")
    assert "moderation failed (LookupError" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_a_check_that_answers_raises_none():
    alarms = Alarms()
    assert alarms.ask("moderation", lambda: 7, NOON) == 7
    assert alarms.current() == ()


def test_the_text_of_an_error_is_neither_kept_nor_logged(caplog: pytest.LogCaptureFixture):
    alarms = Alarms()
    alarms.ask("moderation", failing, NOON)
    assert SECRET not in caplog.text + repr(alarms.current())


def test_a_kind_is_logged_once_a_minute_with_how_often_it_happened(caplog: pytest.LogCaptureFixture):
    alarms = Alarms()
    for second in range(121):
        alarms.on("limits", ValueError(), NOON + timedelta(seconds=second))
    # At 0, 60 and 120 seconds.
    assert [record.message.rpartition("; ")[2].split()[0] for record in caplog.records] == ["1", "60", "60"]
    [alarm] = alarms.current()
    assert (alarm.n, alarm.first, alarm.last) == (121, NOON, NOON + timedelta(seconds=120))


def test_the_latest_kind_comes_first_and_there_are_never_many():
    alarms = Alarms()
    for number in range(200):
        alarms.on(f"check {number}", ValueError(), NOON)
    assert [alarm.what for alarm in alarms.current()] == [f"check {number}" for number in range(199, 149, -1)]
    assert len(alarms._logged) == 50


def test_no_alarm_is_lost_among_threads():
    alarms = Alarms()

    def raise_many() -> None:
        for _ in range(500):
            alarms.on("limits", ValueError(), NOON)

    threads = [threading.Thread(target=raise_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alarms.current()[0].n == 2000
