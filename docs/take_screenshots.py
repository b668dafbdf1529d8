"""Photographs a running demo: each page, light and dark, desktop and phone. `take_screenshots.py [FOLDER]`.

The last scenes need something to happen first: marketing proposes its draft, a colleague approves it.
They change the demo, so take the pictures of a fresh one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from handoff_portal.database import VAR  # noqa: E402
from tests.browser_plugin import HOW_TO_GET_ONE, QUIET, find_browser  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
QUALITY = 70  # JPEG; enough to read the text, a tenth of the size of a PNG
SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}
DESK = ("desktop",)  # for pages that nobody would open on a phone
THEMES = ("light", "dark")
DAY = ("light",)
STANDIN = "salesforce_url"
# Workers finish a re-scoring of the demo within seconds; a busy machine takes longer.
RESCORED_WITHIN_MS = 120_000
DRAFT = "a[href^='/scoring/']:has-text('Webinar +20')"
EDIT = "a[href^='/admin/scoring/modelversion/']"
A_BREACH = "main tbody a[href^='/sla/breaches/']"
A_LEAD = "a[href^='/leads/']:not([href='/leads/'])"


@dataclass(frozen=True)
class Shot:
    """One picture: who looks, where, which links to follow first, and what to bring into view."""

    name: str
    role: str
    path: str
    follow: tuple[str, ...] = ()
    at: str = ""
    screens: tuple[str, ...] = tuple(SCREENS)
    themes: tuple[str, ...] = THEMES
    site: str = "url"  # whose page it is: a key of demo.json


@dataclass(frozen=True)
class Scene:
    """Pictures of one state of the demo, and how it comes about: what one person does in the browser."""

    shots: tuple[Shot, ...]
    role: str = ""
    play: Callable[[Page], None] | None = None


def propose_the_draft(page: Page) -> None:
    page.goto("/scoring/")
    page.locator(DRAFT).click()
    page.get_by_role("link", name="Propose").first.click()
    page.get_by_role("textbox", name="Why").fill("Who came to a webinar is won more often.")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("another person of marketing decides")).to_be_visible()


def approve_the_proposal(page: Page) -> None:
    page.goto("/scoring/")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Published").first).to_be_visible()
    page.goto("/scoring/")
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=RESCORED_WITHIN_MS)


SCENES = (
    Scene(
        (
            Shot("queue", "bdr", "/queue/"),
            Shot("handoff", "bdr", "/queue/", follow=("a[href^='/handoffs/']",)),
            Shot("lead", "manager", "/leads/?stage=sal", follow=(A_LEAD,)),
            Shot("lead-score", "manager", "/leads/?stage=sal", follow=(A_LEAD,), at="#score-panel"),
            Shot("feedback", "marketing", "/marketing/"),
            Shot("live-board", "manager", "/sla/"),
            Shot("breaches", "manager", "/sla/breaches/"),
            Shot("breach", "manager", "/sla/breaches/", follow=(A_BREACH,)),
            Shot("compliance", "manager", "/sla/compliance/"),
            Shot("health", "operator", "/ops/"),
            Shot("salesforce", "operator", "/ops/salesforce/", screens=DESK, themes=DAY),
            Shot("salesforce-fields", "operator", "/admin/crm/fieldmapping/", screens=DESK, themes=DAY),
            Shot("salesforce-stand-in", "operator", "/workshop/", screens=DESK, themes=DAY, site=STANDIN),
            Shot("scoring", "marketing", "/scoring/"),
            Shot("criteria", "bdr", "/scoring/criteria/"),
            Shot("grid", "marketing", "/scoring/grid/"),
            Shot("backtest", "marketing", "/scoring/", follow=(DRAFT, "a[href$='/backtest/']")),
            Shot("calibration", "marketing", "/scoring/calibration/"),
            Shot("prediction", "marketing", "/scoring/prediction/"),
            Shot("draft", "marketing", "/scoring/", follow=(DRAFT, EDIT), screens=DESK),
            Shot(
                "draft-try-it",
                "marketing",
                "/scoring/",
                follow=(DRAFT, EDIT),
                at="#workbench",
                screens=DESK,
            ),
        )
    ),
    Scene(
        (Shot("proposal", "marketing2", "/scoring/", follow=(DRAFT,)),),
        role="marketing",
        play=propose_the_draft,
    ),
    Scene(
        (Shot("release", "marketing", "/scoring/release/"),),
        role="marketing2",
        play=approve_the_proposal,
    ),
)


def main() -> None:
    demo_file = VAR / "demo.json"
    if not demo_file.exists():
        sys.exit("There is no running demo to photograph: start `make demo` in another terminal first.")
    browser_path = find_browser()
    if browser_path is None:
        sys.exit(HOW_TO_GET_ONE)
    demo = json.loads(demo_file.read_text())
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
        for scene in SCENES:
            if scene.play is not None:
                scene.play(sign_in(browser, demo, scene.role))
            photograph_scene(browser, demo, scene, folder)
        browser.close()


def photograph_scene(browser: Browser, demo: dict[str, Any], scene: Scene, folder: Path) -> None:
    for role in sorted({shot.role for shot in scene.shots}):
        for theme in THEMES:
            for screen in SCREENS:
                page = sign_in(browser, demo, role, theme=theme, screen=screen)
                for shot in scene.shots:
                    if shot.role == role and screen in shot.screens and theme in shot.themes:
                        page.goto(demo[shot.site] + shot.path)
                        photograph(page, shot, folder / f"{shot.name}-{screen}-{theme}.jpg")
                page.context.close()


def sign_in(
    browser: Browser, demo: dict[str, Any], role: str, *, theme: str = "light", screen: str = "desktop"
) -> Page:
    """Return a page of a fresh browser in which that person has signed in."""
    width, height = SCREENS[screen]
    context = browser.new_context(
        base_url=demo["url"],
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    user = demo["users"][role]
    page = context.new_page()
    page.goto("/login/")
    page.fill("input[name=username]", user["username"])
    page.fill("input[name=password]", user["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)
    return page


def photograph(page: Page, shot: Shot, target: Path) -> None:
    """Take the picture, from the page at which the shot begins."""
    for link in shot.follow:
        page.locator(link).first.click()
        page.wait_for_load_state("networkidle")
    page.wait_for_load_state("networkidle")
    if shot.at:
        page.locator(shot.at).first.evaluate("element => element.scrollIntoView({block: 'start'})")
        page.wait_for_load_state("networkidle")  # what loads when it comes into view
    page.screenshot(path=target, type="jpeg", quality=QUALITY)
    print(f"{target.name}  {target.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
