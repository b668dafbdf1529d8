"""Photographs a running demo into docs/screenshots: each page, light and dark, desktop and phone."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from handoff_portal.database import VAR  # noqa: E402
from tests.browser_plugin import HOW_TO_GET_ONE, QUIET, find_browser  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
QUALITY = 70  # JPEG; enough to read the text, a tenth of the size of a PNG
SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Shot:
    """One picture: who looks, where, and which link of that page to follow first, if any."""

    name: str
    role: str
    path: str
    follow: str = ""


SHOTS = (
    Shot("queue", "bdr", "/queue/"),
    Shot("handoff", "bdr", "/queue/", follow="a[href^='/handoffs/']"),
    Shot("lead", "manager", "/leads/?stage=sal", follow="a[href^='/leads/']:not([href='/leads/'])"),
    Shot("scoring", "marketing", "/scoring/"),
    Shot("feedback", "marketing", "/marketing/"),
    Shot("live-board", "manager", "/sla/"),
    Shot("breaches", "manager", "/sla/breaches/"),
    Shot("health", "operator", "/ops/"),
)


def main() -> None:
    demo_file = VAR / "demo.json"
    if not demo_file.exists():
        sys.exit("There is no running demo to photograph: start `make demo` in another terminal first.")
    browser_path = find_browser()
    if browser_path is None:
        sys.exit(HOW_TO_GET_ONE)
    demo = json.loads(demo_file.read_text())
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
        for role in sorted({shot.role for shot in SHOTS}):
            photograph_role(browser, demo, role)
        browser.close()


def photograph_role(browser: Browser, demo: dict[str, object], role: str) -> None:
    for theme in THEMES:
        for screen, (width, height) in SCREENS.items():
            context = browser.new_context(
                base_url=str(demo["url"]),
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            sign_in(page, demo["users"][role])  # type: ignore[index]
            for shot in SHOTS:
                if shot.role == role:
                    photograph(page, shot, TARGET / f"{shot.name}-{screen}-{theme}.jpg")
            context.close()


def sign_in(page: Page, user: dict[str, str]) -> None:
    page.goto("/login/")
    page.fill("input[name=username]", user["username"])
    page.fill("input[name=password]", user["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)


def photograph(page: Page, shot: Shot, target: Path) -> None:
    page.goto(shot.path)
    if shot.follow:
        page.locator(shot.follow).first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target, type="jpeg", quality=QUALITY)
    print(f"{target.relative_to(ROOT)}  {target.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
