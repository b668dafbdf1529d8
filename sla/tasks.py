"""Background work of the clocks; each function takes the time once and calls one verb."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from common.queue import enqueue
from sla.calendar_changes import recompute_changed_clocks
from sla.incidents import MOST_BATCHES, settle_incidents
from sla.models import Policy
from sla.reapplying import reapply_policies
from sla.sweep import sweep_clocks
from sla.ticket_telling import remind_of_late_tickets, tell_owners


def sweep_clocks_task() -> None:
    sweep_clocks(now=timezone.now())


def recompute_changed_clocks_task() -> None:
    recompute_changed_clocks(now=timezone.now())


def reapply_policy_task(policy_id: int, by_id: int) -> None:
    """Goes on where an earlier run ended: what has the terms in force is left alone."""
    policy, by = Policy.objects.get(pk=policy_id), User.objects.get(pk=by_id)
    reapply_policies(policy=policy, by=by, now=timezone.now())


def tell_of_tickets_task() -> None:
    """Those at work hear of what was opened while they were off; what is late is brought up again."""
    now = timezone.now()
    tell_owners(now=now)
    remind_of_late_tickets(now=now)


def settle_incidents_task() -> None:
    if settle_incidents(now=timezone.now()) >= MOST_BATCHES:
        enqueue(settle_incidents_task)
