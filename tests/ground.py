"""The ground that the tests stand on: where things are, what time it is, and what to do where a part is missing."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parent.parent
LLMFAO = ROOT.parent / "shared" / "data" / "llmfao"

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def skip_or_fail(what: str, reason: str) -> NoReturn:
    """Skip, unless BAKEOFF_REQUIRE_<WHAT>=1 or BAKEOFF_REQUIRE_ALL=1 says that nothing may be missing."""
    required = [name for name in (f"BAKEOFF_REQUIRE_{what}", "BAKEOFF_REQUIRE_ALL") if os.environ.get(name) == "1"]
    if required:
        pytest.fail(f"{reason} ({required[0]}=1)", pytrace=False)
    pytest.skip(reason)
