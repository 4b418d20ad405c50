"""The Chromium of this machine, for whatever looks at the pages."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = (
    "there is no Chromium for what runs in a browser: install it (Debian: apt-get install chromium), or name one in "
    "BAKEOFF_TEST_CHROMIUM"
)


def launch(playwright: Playwright) -> Browser | None:
    """A new browser without a window, or None where there is none on this machine."""
    found = os.environ.get("BAKEOFF_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        return None
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    return playwright.chromium.launch(executable_path=found, headless=True, args=flags)
