"""Sweeps at once tell a calendar of a change once (NOTE-2, NOTE-3)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from accounts.models import User
from handoffs.invitations.upkeep import reconcile_invitations
from handoffs.models import CalendarInvitation, Pool
from handoffs.services import withdraw_handoff
from notifications.models import Delivery
from tests.concurrency.test_races import at_once, only_refusals
from tests.desk import offer, ready_lead

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_four_sweeps_take_each_appointment_back_once(pool: Pool, marketing: User, now: datetime) -> None:
    earlier = now - timedelta(minutes=1)
    handoffs = [offer(ready_lead(now=earlier), now=earlier) for _ in range(8)]
    for handoff in handoffs:
        withdraw_handoff(handoff, by=marketing, now=earlier, reason="A mistake")

    sweeps = at_once(*[lambda: reconcile_invitations(now=earlier)] * 4)
    # What one passed over because another held it is found by the next.
    only_refusals([*sweeps, reconcile_invitations(now=earlier)])

    cancelled = Delivery.objects.filter(calendar_method="CANCEL").values_list("dedupe_key", flat=True)
    assert Counter(cancelled) == {f"invitation-{handoff.pk}-1": 1 for handoff in handoffs}
    assert not CalendarInvitation.objects.standing().exists()
