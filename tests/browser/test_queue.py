"""The queue in a browser: by keyboard, by touch, and up to date by itself (QUEUE-1, QUEUE-2, QUEUE-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from accounts.models import User
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from tests.browser.conftest import Open
from tests.desk import offer, ready_lead

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
# A redraw comes within one poll of five seconds.
ONE_POLL = 8_000


@pytest.fixture
def queue(open_page: Open, bdr: User, three_offers: list[Handoff]) -> Page:
    return open_page(bdr, "/queue/")


def row(page: Page, handoff: Handoff) -> Locator:
    return page.locator(f"#row-{handoff.pk}")


# --- By keyboard ---------------------------------------------------------------------------------


def test_moving_over_the_list_opens_nothing_and_o_does(queue: Page, three_offers: list[Handoff]) -> None:
    ana, ben, _ = three_offers

    queue.keyboard.press("j")
    queue.keyboard.press("j")

    expect(row(queue, ben)).to_have_class("queue-row is-selected")
    ben.refresh_from_db()
    assert ben.opened_at is None
    queue.keyboard.press("k")
    queue.keyboard.press("o")
    expect(queue.locator(f"#pane #handoff-{ana.pk} h1")).to_have_text("Ana Holm")
    ana.refresh_from_db()
    assert ana.opened_at is not None
    assert f"selected={ana.pk}" in queue.url


def test_a_held_key_moves_on_but_acts_once(queue: Page, three_offers: list[Handoff]) -> None:
    for _ in range(2):
        queue.keyboard.down("j")
    for _ in range(2):
        queue.keyboard.down("x")

    expect(row(queue, three_offers[1]).locator(".pick")).to_be_checked()


def test_a_accepts_and_the_next_step_is_offered(queue: Page, three_offers: list[Handoff]) -> None:
    ana = three_offers[0]

    queue.keyboard.press("j")
    queue.keyboard.press("a")

    expect(queue.locator("#toasts")).to_contain_text("Ana Holm is yours")
    expect(queue.locator("#pane").get_by_role("button", name="Call: Connected")).to_be_visible()
    ana.refresh_from_db()
    assert ana.status == Handoff.Status.ACCEPTED

    queue.keyboard.press("c")
    queue.keyboard.press("Enter")
    expect(queue.locator("#toasts")).to_contain_text("Logged: Call: Connected.")
    assert ana.attempts.get().outcome == "connected"


def test_r_a_figure_and_enter_reject(queue: Page, three_offers: list[Handoff]) -> None:
    ana, ben, _ = three_offers
    queue.keyboard.press("j")
    queue.keyboard.press("r")
    expect(queue.locator("dialog#dialog[open]")).to_be_visible()

    queue.keyboard.press("2")
    queue.keyboard.press("Enter")

    expect(queue.locator("dialog#dialog")).to_be_hidden()
    expect(queue.locator("#pane")).to_contain_text("Ana Holm: Premature")
    expect(row(queue, ana)).to_have_count(0)
    expect(row(queue, ben)).to_have_class("queue-row is-selected")
    ana.refresh_from_db()
    assert (ana.status, ana.rejection_code) == (Handoff.Status.REJECTED, "premature")


def test_without_a_reason_the_dialog_stays_and_says_so(queue: Page, three_offers: list[Handoff]) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("r")
    dialog = queue.locator("dialog#dialog[open]")
    dialog.get_by_role("textbox", name="Note").fill("They never asked for this")

    dialog.get_by_role("button", name="Reject Enter").click()

    expect(dialog.get_by_role("alert")).to_contain_text("Choose a reason")
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value("They never asked for this")
    three_offers[0].refresh_from_db()
    assert three_offers[0].status == Handoff.Status.OFFERED


def test_a_reason_that_asks_for_more_leads_to_the_field(queue: Page, three_offers: list[Handoff]) -> None:
    ana, _, cleo = three_offers
    queue.keyboard.press("j")
    queue.keyboard.press("r")
    other = queue.get_by_label("E-mail address of the other lead")
    expect(queue.locator("dialog#dialog[open] .reason input").first).to_be_focused()
    expect(other).to_be_hidden()

    queue.keyboard.press("3")
    expect(other).to_be_focused()
    queue.keyboard.press("Enter")

    expect(queue.get_by_role("alert")).to_be_in_viewport()
    expect(other).to_be_focused()
    queue.keyboard.type(cleo.lead.email)
    queue.keyboard.press("Enter")
    expect(row(queue, ana)).to_have_count(0)


def test_esc_leaves_everything_as_it_was(queue: Page, three_offers: list[Handoff]) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("r")
    expect(queue.locator("dialog#dialog[open]")).to_be_visible()

    queue.keyboard.press("Escape")

    expect(queue.locator("dialog#dialog")).to_be_hidden()
    three_offers[0].refresh_from_db()
    assert three_offers[0].status == Handoff.Status.OFFERED


def test_the_question_mark_shows_the_keys(queue: Page) -> None:
    queue.keyboard.press("?")

    expect(queue.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_letters_typed_into_the_search_are_letters(queue: Page, three_offers: list[Handoff]) -> None:
    queue.keyboard.press("/")

    queue.keyboard.type("a rx")

    expect(queue.get_by_label("Search the queue")).to_have_value("a rx")
    expect(queue.locator(".queue-row")).to_have_count(0)
    queue.get_by_label("Search the queue").fill("ben")
    expect(queue.locator(".queue-row")).to_have_count(1)
    assert "q=ben" in queue.url
    three_offers[0].refresh_from_db()
    assert three_offers[0].status == Handoff.Status.OFFERED


# --- Keeping itself up to date -------------------------------------------------------------------


def test_a_new_lead_announces_itself_and_selection_ticks_and_typing_survive(
    queue: Page, three_offers: list[Handoff], now: datetime
) -> None:
    ben, cleo = three_offers[1:]
    queue.keyboard.press("j")
    queue.keyboard.press("j")
    queue.get_by_label("Search the queue").press_sequentially("hol", delay=20)
    expect(queue.locator(".queue-row")).to_have_count(3)
    queue.get_by_label("Select Cleo Holm").check()
    queue.get_by_label("Search the queue").focus()

    newest = offer(ready_lead(now=now, first_name="Dora"), now=now)

    expect(row(queue, newest)).to_be_visible(timeout=ONE_POLL)
    expect(queue.locator("#announcer")).to_contain_text("New lead: Dora Holm, category A.")
    expect(row(queue, ben)).to_have_class("queue-row is-selected")
    expect(row(queue, cleo).locator(".pick")).to_be_checked()
    expect(queue.locator("[data-picked]")).to_have_text("1 selected")
    expect(queue.get_by_label("Search the queue")).to_have_value("hol")
    expect(queue.get_by_label("Search the queue")).to_be_focused()
    expect(queue.locator("#queue-tabs")).to_contain_text("Mine 4")

    row(queue, cleo).locator("[data-open]").focus()
    newer = offer(ready_lead(now=now, first_name="Eva"), now=now)
    expect(row(queue, newer)).to_be_visible(timeout=ONE_POLL)
    expect(row(queue, cleo).locator("[data-open]")).to_be_focused()


def test_while_nothing_changes_no_body_is_sent_and_later_ticks_stay(
    queue: Page, three_offers: list[Handoff]
) -> None:
    ana, ben, cleo = three_offers
    row(queue, ben).locator(".pick").check()
    with queue.expect_response(lambda response: response.request.headers.get("if-none-match")) as polled:
        pass
    assert polled.value.status == 304

    row(queue, cleo).locator(".pick").check()
    row(queue, ana).locator("[data-open]").click()

    expect(queue.locator(f"#pane #handoff-{ana.pk}")).to_be_visible()
    expect(row(queue, cleo).locator(".pick")).to_be_checked()
    expect(row(queue, ana).get_by_text("New")).to_have_count(0)  # redrawn, since it was opened
    expect(queue.locator(".pick:checked")).to_have_count(2)


def test_acting_on_a_stale_row_says_who_was_quicker(
    queue: Page, three_offers: list[Handoff], manager: User, now: datetime
) -> None:
    ana = three_offers[0]
    queue.keyboard.press("j")
    accept_handoff(ana, by=manager, now=now)
    Handoff.objects.filter(pk=ana.pk).update(owner=manager)

    queue.keyboard.press("a")

    expect(queue.locator("#pane").get_by_role("alert")).to_contain_text(f"{manager} accepted this")
    expect(queue.locator("#pane").get_by_role("alert")).to_contain_text("Next in your queue: Ben Holm")


def test_a_double_click_sends_one_request(queue: Page) -> None:
    sent: list[Request] = []
    queue.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    queue.keyboard.press("j")

    queue.locator(".queue-row.is-selected").get_by_role("button", name="Accept").dblclick()

    expect(queue.locator("#toasts")).to_contain_text("is yours")
    assert len(sent) == 1


def test_losing_the_portal_is_said_and_so_is_nothing_when_it_is_back(queue: Page) -> None:
    queue.route("**/queue/**", lambda route: route.abort())
    expect(queue.locator("#connection")).to_be_visible(timeout=ONE_POLL)

    queue.unroute("**/queue/**")

    expect(queue.locator("#connection")).to_be_hidden(timeout=ONE_POLL)


# --- On a phone ----------------------------------------------------------------------------------


def test_on_a_phone_nothing_is_cut_off_and_a_tap_opens_the_page(
    page: Page, open_page: Open, bdr: User, three_offers: list[Handoff]
) -> None:
    page.set_viewport_size(PHONE)
    open_page(bdr, "/queue/")

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("link", name="Ben Holm", exact=True).click()

    page.wait_for_url(f"**/handoffs/{three_offers[1].pk}/")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_on_a_phone_accepting_leads_to_the_page_to_call_from_or_says_why_not(
    page: Page, open_page: Open, bdr: User, manager: User, three_offers: list[Handoff], now: datetime
) -> None:
    ana, ben, _ = three_offers
    page.set_viewport_size(PHONE)
    open_page(bdr, "/queue/")
    accept_handoff(ben, by=manager, now=now)

    page.get_by_role("button", name="Accept Ben Holm").click()

    expect(page.get_by_role("alert").get_by_text(f"{manager} accepted this")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Accept Ana Holm").click()
    page.wait_for_url(f"**/handoffs/{ana.pk}/")
    expect(page.get_by_role("link", name="+49 30 1234").first).to_be_visible()
    expect(page.locator("#toasts")).to_contain_text("Ana Holm is yours")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#handoff-{ana.pk}")).to_have_attribute("data-status", "offered")


def test_on_a_phone_the_menu_opens_and_closes(
    page: Page, open_page: Open, bdr: User, three_offers: list[Handoff]
) -> None:
    page.set_viewport_size(PHONE)
    open_page(bdr, "/queue/")
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).to_be_hidden()

    page.get_by_role("button", name="Menu").click()

    expect(menu.get_by_role("link", name="Leads")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


# --- Time ----------------------------------------------------------------------------------------


def test_a_browser_whose_clock_is_wrong_shows_the_servers_time(
    page: Page, open_page: Open, bdr: User, three_offers: list[Handoff], now: datetime
) -> None:
    page.add_init_script(
        """
        const real = Date.now, wrong = 47 * 60 * 1000;
        Date.now = () => real() + wrong;
        const origin = performance.timeOrigin;
        Object.defineProperty(performance, "timeOrigin", { get: () => origin + wrong });
        """
    )
    open_page(bdr, "/queue/")
    page.wait_for_timeout(1500)  # at least one tick

    due_at = three_offers[0].created_at + timedelta(minutes=15)
    shown = page.locator(f"#row-{three_offers[0].pk} .time-left .words").inner_text()
    assert shown in {f"{minutes} min left" for minutes in (4, 5)}, f"due {due_at}, shown {shown}"
