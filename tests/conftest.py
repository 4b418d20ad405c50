"""What all tests share. A test that cannot run here says why it is skipped, or fails where nothing may be missing."""

import atexit
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.store import VoteStore
from ground import LLMFAO, skip_or_fail


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Under BAKEOFF_REQUIRE_ALL=1 no test may be skipped, whoever skips it."""
    report = yield
    if report.skipped and os.environ.get("BAKEOFF_REQUIRE_ALL") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and BAKEOFF_REQUIRE_ALL=1: {call.excinfo and call.excinfo.value}"
    return report


@pytest.fixture
def store() -> Iterator[VoteStore]:
    """An empty store in memory."""
    with VoteStore.open(None) as opened:
        yield opened


@pytest.fixture(scope="session")
def llmfao() -> Path:
    """The folder of the public crowdsourced comparison, where it is there."""
    if not LLMFAO.is_dir():
        skip_or_fail("LLMFAO", f"the real data is not in {LLMFAO}")
    return LLMFAO


def pytest_configure() -> None:
    """Close stderr when the interpreter ends: hypothesis keeps modules beyond that, and DuckDB prints a page about
    each of its classes that such a module still holds. The exit code says all that is left to say."""
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))
