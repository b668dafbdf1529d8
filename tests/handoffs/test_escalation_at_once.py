"""SLA-5: each step exactly once, whatever runs at once and whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from common.parking import MAX_ATTEMPTS, retry_parked
from handoffs.escalation import escalate_due_clocks
from handoffs.models import Handoff
from leads.models import LeadEvent
from notifications.models import Notification
from sla.models import Clock, Escalation
from sla.sweep import sweep_clocks
from tests.factories import HandoffFactory, LeadFactory, UserFactory
from tests.poison import heal, poison
from tests.scoring.test_publishing_at_once import at_once
from tests.sla.factories import ClockFactory, ladder

HOUR = timedelta(hours=1)
STEPS = ("remind@0", "flag_crm@10", "notify_manager@20", "review@30")


def missed_handoffs(number: int, *, now) -> list[Handoff]:
    """Handoffs whose target passed a while ago and is on record, with a ladder of four steps before them."""
    owner = UserFactory()
    UserFactory(role="manager", team=owner.team)
    version = ladder(*STEPS)
    handoffs = HandoffFactory.create_batch(number, owner=owner)
    for handoff in handoffs:
        ClockFactory(lead=handoff.lead, handoff_id=handoff.pk, owner=owner, policy_version=version)
    sweep_clocks(now=now + HOUR + timedelta(seconds=1))
    return handoffs


def each_step_was_taken_once(handoffs: list[Handoff]) -> bool:
    steps = Counter(Escalation.objects.values_list("clock__handoff_id", "position"))
    events = Counter(
        LeadEvent.objects.filter(kind=LeadEvent.Kind.ESCALATED).values_list("handoff_id", "detail__action")
    )
    wanted = {handoff.pk for handoff in handoffs}
    return (
        steps == Counter((pk, position) for pk in wanted for position in range(len(STEPS)))
        and set(events.values()) == {1}
        and {pk for pk, _ in events} == wanted
    )


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_take_each_step_once(now):
    handoffs = missed_handoffs(24, now=now)
    later = now + 2 * HOUR

    at_once(*[lambda: escalate_due_clocks(now=later)] * 4)
    escalate_due_clocks(now=later)  # what each passed over because of another

    assert each_step_was_taken_once(handoffs)
    assert not Clock.objects.step_due(later).exists()
    told = Notification.objects.filter(kind=Notification.Kind.ESCALATION)
    assert Counter(told.values_list("recipient", "dedupe_key")).most_common(1)[0][1] == 1


# A worker of its own: three clocks to a transaction, so that it can be killed between steps.
WORKER = """
import os
os.environ["PORTAL_TESTING"] = "1"
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "handoff_portal.settings")
django.setup()
import datetime
from handoffs.escalation import sweep
sweep.BATCH = 3
for moment in {moments!r}:
    sweep.escalate_due_clocks(now=datetime.datetime.fromisoformat(moment))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_steps_has_taken_each_wholly_or_not_at_all(now):
    handoffs = missed_handoffs(30, now=now)
    moments = [now + HOUR + minutes * timedelta(minutes=1) for minutes in (1, 11, 21, 31)]
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER.format(moments=[moment.isoformat() for moment in moments])],
        env={**os.environ, "DATABASE_URL": address, "PGPASSWORD": database["PASSWORD"] or ""},
        cwd=settings.BASE_DIR,
        stderr=subprocess.DEVNULL,
    )
    try:
        while Escalation.objects.count() < 9 and worker.poll() is None:
            pass
    finally:
        worker.send_signal(signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL
    begun = Escalation.objects.count()
    steps_marked = sum(Clock.objects.values_list("steps_taken", flat=True))

    for moment in moments:
        escalate_due_clocks(now=moment)

    assert 0 < begun < len(handoffs) * len(STEPS)
    assert steps_marked == begun
    assert each_step_was_taken_once(handoffs)


@pytest.mark.django_db
def test_a_clock_whose_step_fails_keeps_back_no_other_and_is_parked(now):
    handoffs = missed_handoffs(3, now=now)
    bad = Clock.objects.get(handoff_id=handoffs[0].pk)
    poison(bad.lead)

    for _ in range(MAX_ATTEMPTS + 1):
        escalate_due_clocks(now=now + HOUR)

    assert Escalation.objects.values("clock").distinct().count() == 2
    bad.refresh_from_db()
    assert bad.parked_at is not None

    heal()
    retry_parked(Clock.objects.all())
    escalate_due_clocks(now=now + HOUR)
    assert Escalation.objects.filter(clock=bad).exists()


@pytest.mark.django_db
def test_the_sweep_finds_its_rows_by_index_among_many_missed(now):
    [handoff] = missed_handoffs(1, now=now)
    lead = LeadFactory()
    Clock.objects.bulk_create(
        ClockFactory.build(lead=lead, owner=handoff.owner, warn_at=None) for _ in range(300)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sla_clock")

    assert "clock_next_step" in Clock.objects.step_due(now + HOUR).order_by("next_step_at", "id").explain()
