"""After a month of five BDRs with fifty leads a week each, all is in order and every page counts right.

By default they get eight a week each; MONTH_OF_FIFTY=1 runs the whole.
"""

from __future__ import annotations

import os
import random
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Team, User
from handoffs.models import Pool
from tests.desk import load_desk
from tests.factories import UserFactory
from tests.month.traffic import Month

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(1_800)]

DAYS = 20
LEADS_A_DAY = 50 if os.environ.get("MONTH_OF_FIFTY") else 8
# What a month must have had in it to say anything.
ACTS = (
    "accept", "undo accept", "reject", "undo reject", "reassign", "call", "check", "qualify", "deal", "win",
    "lose", "withdraw", "fix data", "dispute",
)  # fmt: skip

# The stages in which a lead may be while it has no open handoff, and the one for each state of an open one.
RESTING = ("lead", "nurture", "disqualified", "lost", "customer")
WITH_SALES = {
    "offered": "mql",
    "accepted": "sal",
    "contacted": "sal",
    "qualified": "sql",
    "opportunity": "opportunity",
}


def ask(question: str, *values: object) -> list[tuple]:
    """What the database says, asked without a line of the portal's code."""
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()


def count(question: str, *values: object) -> int:
    return int(ask(question, *values)[0][0])


@pytest.fixture
def month(team: Team, manager: User, marketing: User) -> Month:
    """Four weeks that end on the Friday before this week: pages look at the real clock."""
    now = timezone.now().replace(hour=8, minute=0, second=0, microsecond=0)
    monday = now - timedelta(days=now.weekday(), weeks=4)
    names = ("Ada", "Bia", "Caio", "Davi", "Enzo")
    bdrs = [UserFactory(first_name=name, role=User.Role.BDR, team=team) for name in names]
    load_desk(now=monday - timedelta(days=30))
    Pool.objects.update(team=team)
    return Month(bdrs, manager, marketing, monday, random.Random(20260302))


def test_a_month_ends_in_order_and_every_page_counts_right(month: Month, client: Client) -> None:
    month.work(days=DAYS, leads_a_day=LEADS_A_DAY)

    assert not [act for act in ACTS if not month.done.get(act)]
    check_states()
    check_trail()
    check_books()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the commits would have checked
    for person in [*month.bdrs, month.manager]:
        check_queue(client, person)
    check_inbox(client, month.marketing)
    check_board(client, month.manager)
    check_fairness(client, month.manager)


# --- Order ---------------------------------------------------------------------------------------


def check_states() -> None:
    """Every lead is in exactly one state, and that of its handoff."""
    twice = "SELECT lead_id FROM handoffs_handoff WHERE closed_at IS NULL GROUP BY 1 HAVING count(*) > 1"
    assert ask(twice) == []
    for status, stage in ask(
        """
        SELECT handoff.status, lead.stage FROM leads_lead lead
        LEFT JOIN handoffs_handoff handoff ON handoff.lead_id = lead.id AND handoff.closed_at IS NULL
        GROUP BY 1, 2
        """
    ):
        assert stage in RESTING if status is None else stage == WITH_SALES[status], (status, stage)
    held_without_a_mark = """
        SELECT lead.id FROM leads_lead lead WHERE lead.hold = 'until_date' AND NOT EXISTS (
            SELECT FROM feedback_recycling recycling
            WHERE recycling.lead_id = lead.id AND recycling.woken_at IS NULL
              AND recycling.wake_at = lead.held_until)
    """
    assert ask(held_without_a_mark) == []
    assert count("SELECT count(*) FROM leads_lead WHERE advance_parked_at IS NOT NULL") == 0


def check_trail() -> None:
    """Every handoff has its package, its decision, an owner or a place in the overflow, and its log."""
    assert count("SELECT count(*) FROM handoffs_handoff") > DAYS
    bare = """
        SELECT id FROM handoffs_handoff handoff WHERE
        NOT EXISTS (SELECT FROM handoffs_contextpackage p WHERE p.handoff_id = handoff.id)
        OR NOT EXISTS (SELECT FROM handoffs_routingdecision d WHERE d.handoff_id = handoff.id)
        OR NOT EXISTS (
            SELECT FROM leads_leadevent e WHERE e.handoff_id = handoff.id AND e.kind = 'handed_off')
        OR (status <> 'offered' AND status <> 'withdrawn' AND owner_id IS NULL)
    """
    assert ask(bare) == []
    # What the log says in sum is what is: acts less those taken back, and an offer taken back is withdrawn.
    for ending in ("rejected", "withdrawn", "won", "lost"):
        said = count("SELECT count(*) FROM leads_leadevent WHERE kind = %s", ending)
        undone = count("SELECT count(*) FROM leads_leadevent WHERE detail->>'undoes' = %s", ending)
        if ending == "withdrawn":
            said += count("SELECT count(*) FROM leads_leadevent WHERE detail->>'undoes' = 'handed_off'")
        ended = count("SELECT count(*) FROM handoffs_handoff WHERE status = %s", ending)
        assert ended == said - undone, ending
    still_running = """
        SELECT clock.id FROM sla_clock clock JOIN handoffs_handoff handoff ON handoff.id = clock.handoff_id
        WHERE clock.outcome = 'running'
          AND (handoff.closed_at IS NOT NULL OR clock.owner_id IS DISTINCT FROM handoff.owner_id)
    """
    assert ask(still_running) == []
    unlogged = """
        SELECT lead.id FROM leads_lead lead LEFT JOIN leads_leadevent event ON event.lead_id = lead.id
        GROUP BY lead.id HAVING lead.revision <> count(event.id)
    """
    assert ask(unlogged) == []


def check_books() -> None:
    """What the members are entitled to adds up to what they received."""
    [(entitled, received)] = ask("SELECT sum(entitled), sum(received) FROM handoffs_poolmembership")
    assert abs(entitled - received) < 1e-9


# --- Pages ---------------------------------------------------------------------------------------


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def page(client: Client, person: User, address: str) -> str:
    client.force_login(person)
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def tile(html: str, label: str) -> int:
    found = re.search(rf'tile-label">{label}</span>\s*<span class="tile-value">([^<]*)<', html)
    assert found, label
    return number(found[1])


def check_queue(client: Client, person: User) -> None:
    html = page(client, person, "/queue/")
    shown = {name: number(value) for name, value in re.findall(r'id="count-(\w+)">([^<]+)<', html)}
    open_ones = "SELECT count(*) FROM handoffs_handoff WHERE closed_at IS NULL AND "
    of_team = "owner_id IN (SELECT id FROM accounts_user WHERE team_id = %s)"
    expected = {
        "mine": count(open_ones + "owner_id = %s", person.pk),
        "team": count(open_ones + of_team, person.team_id),
        "overflow": count(open_ones + "status = 'offered' AND owner_id IS NULL"),
        "all": count(open_ones + "owner_id IS NOT NULL"),
    }
    assert shown == {name: expected[name] for name in shown}
    assert {"mine", "overflow"} <= set(shown)


def check_inbox(client: Client, marketing: User) -> None:
    html = page(client, marketing, "/marketing/?days=90")
    standing = """
        SELECT count(*) FROM feedback_verdict verdict
        JOIN feedback_rejectionreason reason ON reason.id = verdict.reason_id
        LEFT JOIN feedback_verdictundoing undoing ON undoing.verdict_id = verdict.id
        LEFT JOIN feedback_dispute dispute ON dispute.verdict_id = verdict.id
        WHERE undoing.verdict_id IS NULL AND reason.type <> 'procedural'
    """
    accepted = count(
        "SELECT count(*) FROM handoffs_handoff WHERE accepted_at IS NOT NULL AND status <> 'rejected'"
    )
    rejected = count(standing)
    against = count(
        standing + " AND reason.type = 'definitional' AND dispute.outcome IS DISTINCT FROM 'overturned'"
    )
    assert tile(html, "Rejected") == rejected
    good, decided = accepted + rejected - against, accepted + rejected
    assert tile(html, "Acceptance rate") == round(100 * good / decided)
    assert tile(html, "Tasks") == count("SELECT count(*) FROM feedback_marketingtask WHERE done_at IS NULL")
    assert tile(html, "Disputes") == count("SELECT count(*) FROM feedback_dispute WHERE settled_at IS NULL")


def check_board(client: Client, manager: User) -> None:
    html = page(client, manager, "/sla/")
    ticking = "SELECT count(*) FROM sla_clock WHERE outcome = 'running' AND paused_at IS NULL AND "
    assert tile(html, "Late now") == count(ticking + "due_at < now()") > 0
    assert tile(html, "At risk") == count(ticking + "due_at >= now() AND risk_at <= now()")


def check_fairness(client: Client, manager: User) -> None:
    shares = page(client, manager, "/routing/fairness/").partition("Entitled and received in")[2]
    rows = ask(
        """
        SELECT person.first_name || ' ' || person.last_name, member.received
        FROM handoffs_poolmembership member JOIN accounts_user person ON person.id = member.user_id
        """
    )
    for name, received in rows:
        row = re.search(rf"<tr>\s*<th scope=\"row\">{re.escape(name)}(.*?)</tr>", shares, re.S)
        assert row, name
        assert number(re.findall(r'<td class="num">([^<]*)</td>', row[1])[2]) == received
