"""Playwright for browser tests: uses the browser of the machine and says how to get one.

Use the fixture `page` of pytest-playwright together with `live_server` of pytest-django, and mark the
test with @pytest.mark.browser.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

# Patience with a busy machine; what holds is seen at once all the same.
expect.set_options(timeout=20_000)

QUIET = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
]
HOW_TO_GET_ONE = (
    "Browser tests need Chromium and this machine has none. Install it with `apt-get install chromium`, "
    "or with `.venv/bin/playwright install chromium`."
)


def find_browser() -> str | None:
    """Return the path of a Chromium: the system's, Google's, or the one Playwright downloaded."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next((str(path) for path in sorted(cache.glob("chromium*/chrome-*/*")) if _is_browser(path)), None)


def _is_browser(path: Path) -> bool:
    return path.name in ("chrome", "headless_shell", "chrome-headless-shell") and os.access(path, os.X_OK)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = find_browser()
    if path is None:
        pytest.fail(HOW_TO_GET_ONE, pytrace=False)
    return {**browser_type_launch_args, "executable_path": path, "args": QUIET}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Playwright keeps an event loop in the test's thread; Django would refuse the ORM there.

    A hook and not a fixture: the database itself may be set up after the browser, by fixtures of the session.
    """
    if "page" in getattr(item, "fixturenames", ()):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
