"""What messages about a handoff hold, and who gets them (NOTE-1)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from handoffs.models import Playbook, Pool
from handoffs.routing.overflow import assign_overflow
from handoffs.services import hand_off_by_hand
from notifications.channels import add_channel
from notifications.delivering import deliver_due
from notifications.models import Channel, Delivery
from sla.models import Calendar
from tests.desk import fitting_lead, offer, ready_lead
from tests.notifications.conftest import Hook, hook

__all__ = ["hook"]

MINUTE = timedelta(minutes=1)


def facts_of(delivery: Delivery) -> dict[str, str]:
    return {fact["key"]: fact["value"] for fact in delivery.facts}


def mail_to(person: User) -> Delivery:
    return Delivery.objects.filter(recipient=person, channel=None).latest("pk")


@pytest.fixture
def team_channel(hook: Hook, pool: Pool, manager: User, now: datetime) -> Channel:
    channel = add_channel(None, name="Inbound", address=f"{hook.url}/inbound", by=manager, now=now)
    pool.channels.add(channel)
    return channel


def test_the_owner_reads_the_package_in_nine_lines(pool: Pool, now: datetime) -> None:
    User.objects.update(time_zone="Asia/Kathmandu")  # 5:45 ahead of UTC
    Playbook.objects.update(is_active=False)
    Playbook.objects.create(name="Any", channel="call", timing="within 5 minutes", opening_line="Hello")

    handoff = offer(ready_lead(now=now), now=now)

    lead = handoff.lead
    others = "; ".join(driver["name"] for driver in handoff.drivers[1:])
    assert facts_of(mail_to(handoff.owner)) == {
        "lead": "Lea Holm",
        "job_title": "VP Sales",
        "company": lead.company.name,
        "contact": f"+49 30 1234, {lead.email}",
        "score": str(handoff.score),
        "trigger": f"Instant MQL; Demo request, Tue 3 Mar, 17:45; {others}",
        "category": f"{handoff.category}, hand-raiser",
        "time_left": "Open it by Tue 3 Mar, 18:00; decide by Wed 4 Mar, 17:45; "
        "first contact by Thu 5 Mar, 17:45",
        "first_step": "Call, within 5 minutes",
    }


def test_marketing_says_why_it_handed_a_lead_off(pool: Pool, marketing: User, now: datetime) -> None:
    handoff = hand_off_by_hand(fitting_lead(now=now), by=marketing, reason="Met at the fair", now=now)

    assert facts_of(mail_to(handoff.owner))["trigger"].startswith("By hand: Met at the fair")


def test_managers_read_it_too_when_nobody_is_free(pool: Pool, manager: User, now: datetime) -> None:
    manager.preferences.create(email_kinds=["overflow"])
    pool.memberships.update(max_open=0)

    offer(ready_lead(now=now), now=now)

    message = Delivery.objects.get(recipient=manager)
    assert message.body == "It waits in the overflow queue of Inbound."
    assert facts_of(message)["time_left"].startswith("Open it by Tue 3 Mar, 12:15; decide by")
    assert facts_of(message)["contact"].startswith("+49 30 1234, ")


# --- The pool's channels -------------------------------------------------------------------------


def test_a_new_lead_is_posted_to_the_channels_of_its_pool_once(
    hook: Hook, team_channel: Channel, pool: Pool, now: datetime
) -> None:
    Calendar.objects.update(time_zone="Europe/Berlin")
    pool.memberships.update(max_open=0)
    waiting = offer(ready_lead(now=now), now=now)
    pool.memberships.update(max_open=9)
    assign_overflow(pool, now=now + MINUTE)
    given = offer(ready_lead(now=now), now=now)

    deliver_due(now=now + MINUTE, limit=99)

    posts = dict(_posts(hook))
    assert list(posts) == [waiting.pk, given.pk]
    assert "It waits in the overflow queue of Inbound." in posts[waiting.pk]
    assert f"It is with {given.owner}." in posts[given.pk]
    assert "Open it by Tue 3 Mar, 13:15;" in posts[given.pk]
    assert "13:00 (Europe/Berlin)" in posts[given.pk], "readers may be in several zones"
    assert f"Contact: +49 30 1234, {given.lead.email}" in posts[given.pk]


def _posts(hook: Hook) -> list[tuple[int, str]]:
    """The handoff each post links to, and what it says."""
    texts = [body["message"] for _, _, body in hook.taken]
    return [(int(text.partition("/handoffs/")[2].partition("/")[0]), text) for text in texts]


def test_a_channel_that_is_taken_away_hears_nothing(team_channel: Channel, pool: Pool, now: datetime) -> None:
    Channel.objects.update(is_active=False)

    offer(ready_lead(now=now), now=now)

    assert not Delivery.objects.filter(channel=team_channel).exists()


def test_pools_post_to_shared_channels_only(
    client: Client, hook: Hook, team_channel: Channel, pool: Pool, manager: User, bdr: User, now: datetime
) -> None:
    own = add_channel(bdr, name="Mara's", address=f"{hook.url}/mara", by=bdr, now=now)
    client.force_login(manager)
    change = reverse("admin:handoffs_pool_change", args=[pool.pk])
    form = client.get(change).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    data |= {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

    refused = client.post(change, data | {"channels": [own.pk]})
    taken = client.post(change, data | {"channels": []})

    assert "channels" in refused.context["adminform"].form.errors
    assert taken.status_code == 302
    assert not pool.channels.exists()
