"""How commands speak to a person at a terminal."""

import os
import pty
import sys
import time

import pytest

from arena.cli.console import progress


def shown(leader: int) -> str:
    os.set_blocking(leader, False)
    try:
        return os.read(leader, 65_536).decode()
    except BlockingIOError:
        return ""


def test_a_bar_is_shown_of_what_takes_longer_than_a_second_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch):
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress("rating votes") as on_progress:
            assert on_progress is not None
            on_progress(1, 3)
            assert shown(leader) == ""
            time.sleep(1.1)
            on_progress(2, 3)
            time.sleep(0.2)
            assert "rating votes" in shown(leader)
    os.close(leader)


def test_a_program_that_reads_the_story_gets_no_bar(capsys: pytest.CaptureFixture[str]):
    with progress("rating votes") as on_progress:
        assert on_progress is None
    assert capsys.readouterr().err == ""
