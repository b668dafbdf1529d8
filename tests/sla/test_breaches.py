"""SLA-5, SLA-7: a breach is recorded once and begins its ladder; a manager names its systemic cause."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.errors import InvalidInput, NotAllowed
from leads.models import LeadEvent
from notifications.models import Notification
from sla.breaches import NotABreach, record_breaches, review_breach
from sla.models import Clock, Target
from sla.versions import read_terms_by_id
from tests.sla.factories import ClockFactory, ladder

LATE = timedelta(minutes=90)


def test_a_review_keeps_cause_note_who_and_when(bdr, manager, now):
    clock = ClockFactory(owner=bdr)

    reviewed = review_breach(clock, cause="capacity", note=" Two were ill ", by=manager, now=now + LATE)

    assert (reviewed.cause, reviewed.review_note) == ("capacity", "Two were ill")
    assert (reviewed.reviewed_by, reviewed.reviewed_at) == (manager, now + LATE)


def test_a_later_review_replaces_the_earlier_one(bdr, manager, now):
    clock = ClockFactory(owner=bdr)
    review_breach(clock, cause="capacity", note="", by=manager, now=now + LATE)

    review_breach(clock, cause="routing", note="", by=manager, now=now + 2 * LATE)

    assert Clock.objects.get().cause == "routing"


def test_only_what_was_missed_can_be_reviewed(bdr, manager, now):
    with pytest.raises(NotABreach):
        review_breach(ClockFactory(owner=bdr), cause="capacity", note="", by=manager, now=now)


@pytest.mark.parametrize(("cause", "note"), [("", ""), ("blame", ""), ("other", "x" * 1001)])
def test_a_review_without_a_known_cause_is_refused(bdr, manager, now, cause, note):
    with pytest.raises(InvalidInput):
        review_breach(ClockFactory(owner=bdr), cause=cause, note=note, by=manager, now=now + LATE)


def test_only_managers_review(bdr, marketing, operator, now):
    clock = ClockFactory(owner=bdr)

    for somebody in (bdr, marketing, operator):
        with pytest.raises(NotAllowed):
            review_breach(clock, cause="other", note="", by=somebody, now=now + LATE)


def test_those_to_review_are_the_recorded_ones_whose_policy_asks_for_it(bdr, manager, now):
    recorded = {"owner": bdr, "breach_recorded_at": now + LATE, "warn_at": None}
    asked = ClockFactory(**recorded)
    ClockFactory(**recorded, reviews_breaches=False)
    review_breach(ClockFactory(**recorded), cause="other", note="", by=manager, now=now + LATE)

    assert list(Clock.objects.to_review()) == [asked]


# --- Recording ------------------------------------------------------------------------------------


def record(clocks: list[Clock], *, now) -> None:
    record_breaches(list(Clock.objects.filter(pk__in=[clock.pk for clock in clocks])), now=now)


def test_however_many_breaches_are_recorded_in_as_many_statements(
    bdr, manager, now, django_assert_num_queries
):
    record([ClockFactory(owner=bdr)], now=now + LATE)  # prepares the statement that tells people
    version = ladder("flag_crm@15")
    clocks = ClockFactory.create_batch(12, owner=bdr, policy_version=version)
    ClockFactory.create_batch(2, owner=bdr, lead=clocks[0].lead)
    missed = list(Clock.objects.filter(breach_recorded_at=None).order_by("pk"))
    read_terms_by_id(version.pk)  # once per process

    # Clocks, log, revisions; leads, owners and managers, and one statement that tells them all.
    with django_assert_num_queries(7):
        record_breaches(missed, now=now + LATE)

    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.BREACHED).count() == 1 + 14
    clocks[0].lead.refresh_from_db()
    assert clocks[0].lead.revision == 3  # one for each target missed


@pytest.mark.parametrize(
    ("steps", "minutes"), [(["remind@0", "review@30"], 0), (["review@30"], 30)], ids=["at once", "later"]
)
def test_a_breach_begins_its_ladder_at_the_time_of_the_first_step(bdr, now, steps, minutes):
    clock = ClockFactory(owner=bdr, policy_version=ladder(*steps))

    record([clock], now=now + LATE)

    clock.refresh_from_db()
    assert clock.next_step_at == clock.due_at + timedelta(minutes=minutes)
    assert clock.steps_taken == 0


def test_the_first_step_counts_in_the_working_time_of_the_owner(bdr, office, now):
    friday_1730 = now.replace(day=6, hour=16, minute=30)
    clock = ClockFactory(
        owner=bdr,
        calendar=office,
        mode=Target.Mode.BUSINESS,
        policy_version=ladder("remind@60"),
        started_at=friday_1730 - timedelta(hours=1),
    )

    record([clock], now=friday_1730 + timedelta(seconds=1))

    clock.refresh_from_db()
    assert clock.next_step_at == now.replace(day=9, hour=9, minute=30)


def test_without_a_ladder_none_begins(bdr, now):
    clock = ClockFactory(owner=bdr)
    slow_salesforce = ClockFactory(
        owner=bdr, kind=Target.Kind.CRM_TRANSFER, policy_version=ladder("remind@0")
    )

    record([clock, slow_salesforce], now=now + LATE)

    assert not Clock.objects.filter(next_step_at__isnull=False).exists()


def test_what_the_portal_owes_itself_is_no_news_to_the_owner(bdr, manager, now):
    record([ClockFactory(owner=bdr, kind=Target.Kind.CRM_TRANSFER)], now=now + LATE)

    assert [message.recipient for message in Notification.objects.all()] == [manager]


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], ["mara", "nia"]),
        (["remind@0", "notify_manager@15"], []),
        (["notify_manager@15"], ["mara"]),
        (["remind@0", "flag_crm@15"], ["nia"]),
        (["reassign@15", "review@15"], []),
    ],
    ids=lambda value: " ".join(value) or "none",
)
def test_whom_the_ladder_tells_is_told_by_it_alone(bdr, manager, now, steps, told):
    clock = ClockFactory(owner=bdr, policy_version=ladder(*steps) if steps else None)

    record([clock], now=now + LATE)

    messages = Notification.objects.filter(kind=Notification.Kind.BREACH)
    assert sorted(message.recipient.username for message in messages) == told
