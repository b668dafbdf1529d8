"""SLA-8: what marketing promised and delivered, the band from MQL to SQL, and marketing's own clocks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from common.errors import InvalidInput, NotAllowed
from feedback.commitments import commit_to_month
from feedback.figures.our_side import measure_our_side
from feedback.models import Commitment, FeedbackPolicy, Reading
from feedback.readings import mark_rejections_read, remind_of_late_readings
from feedback.undo import undo_rejection
from handoffs.routing.lapsing import choose_next_owner, give_to_next, route_of_lapsed
from handoffs.services import withdraw_handoff
from notifications.models import Notification
from tests.desk import offer, ready_lead
from tests.feedback.history import accepted, deal_from, reject, rejected

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MARCH = date(2026, 3, 1)


def test_the_last_word_of_a_month_holds_with_the_name_beside_it(marketing, manager):
    commit_to_month(MARCH, mqls=80, good_percent=90, by=marketing, now=NOW)
    commit_to_month(date(2026, 3, 17), mqls=100, good_percent=85, by=manager, now=NOW + DAY)
    commit_to_month(MARCH, mqls=100, good_percent=85, by=marketing, now=NOW + 2 * DAY)

    kept = Commitment.objects.get()
    assert (kept.month, kept.mqls, kept.good_percent, kept.by) == (MARCH, 100, 85, manager)


@pytest.mark.parametrize(
    ("month", "mqls", "good", "field"),
    [(date(2026, 2, 1), 10, 90, "month"), (MARCH, 0, 90, "mqls"), (MARCH, 10, 101, "good_percent")],
)
def test_what_cannot_be_promised_is_refused_by_its_field(marketing, month, mqls, good, field):
    with pytest.raises(InvalidInput) as refusal:
        commit_to_month(month, mqls=mqls, good_percent=good, by=marketing, now=NOW)

    assert refusal.value.field == field
    assert not Commitment.objects.exists()


def test_sales_promises_no_leads(bdr):
    with pytest.raises(NotAllowed):
        commit_to_month(MARCH, mqls=10, good_percent=90, by=bdr, now=NOW)


def test_an_mql_is_counted_once_however_often_it_is_passed_on(pool, bdr, other_bdr, marketing):
    rejected("wrong-rep", at=NOW)  # goes to the next rep, as the same MQL
    withdraw_handoff(offer(ready_lead(now=NOW), now=NOW), by=marketing, now=NOW, reason="A test")
    accepted(at=NOW - 40 * DAY)

    months = {month.first_day: month.mqls for month in measure_our_side(now=NOW + DAY).months}

    assert months[MARCH] == 1
    assert months[date(2026, 2, 1)] == 1
    assert len(months) == 6


def test_an_mql_that_its_first_owner_let_lapse_is_counted_once_too(pool, bdr, other_bdr):
    lapsed = offer(ready_lead(now=NOW), now=NOW)
    with transaction.atomic():
        found = choose_next_owner(lapsed, route_of_lapsed(lapsed), now=NOW)
        give_to_next(lapsed, found, now=NOW)
    reject(lapsed, "wrong-rep", at=NOW + timedelta(hours=1))

    month = measure_our_side(now=NOW + DAY).present

    assert (month.mqls, month.complete.n) == (1, 1)


def test_the_band_says_what_to_do(pool, bdr):
    FeedbackPolicy.objects.update_or_create(defaults={"min_decided": 2})
    for _ in range(2):
        deal_from(ready_lead(now=NOW), at=NOW)
    assert measure_our_side(now=NOW + DAY).advice.startswith("Above the band")

    for _ in range(2):
        accepted(at=NOW)
    assert measure_our_side(now=NOW + DAY).advice == "Within the band."

    for _ in range(2):
        accepted(at=NOW)
    assert measure_our_side(now=NOW + DAY).advice.startswith("Below the band")


def test_by_the_middle_of_its_working_time_half_of_a_month_is_expected(pool, marketing):
    commit_to_month(MARCH, mqls=220, good_percent=90, by=marketing, now=NOW)

    # March 2026 has 22 working days from 10 to 18; 10 of them and an hour are over.
    assert measure_our_side(now=datetime(2026, 3, 16, 11, tzinfo=UTC)).expected == round(220 * 81 / 176)


def test_a_rejection_is_to_be_read_in_working_time_and_who_read_it_first_stays(pool, marketing, bdr):
    verdict = rejected("wrong-icp", at=NOW)
    reading = Reading.objects.get()
    assert reading.due_at > NOW

    assert mark_rejections_read([verdict.pk], by=marketing, now=NOW + DAY) == 1
    assert mark_rejections_read([verdict.pk], by=marketing, now=NOW + 2 * DAY) == 0
    reading.refresh_from_db()
    assert (reading.read_at, reading.read_by) == (NOW + DAY, marketing)
    with pytest.raises(NotAllowed):
        mark_rejections_read([verdict.pk], by=bdr, now=NOW)


def test_what_was_passed_on_or_undone_need_not_be_read(pool, bdr, other_bdr, marketing):
    rejected("wrong-rep", at=NOW)
    assert not Reading.objects.exists()

    verdict = rejected("wrong-icp", at=NOW)
    undo_rejection(verdict.handoff, by=verdict.by, now=NOW + timedelta(seconds=5))

    assert not Reading.objects.open().exists()


def test_marketing_is_reminded_once_a_day_in_one_message(pool, marketing, bdr):
    for _ in range(3):
        rejected("wrong-icp", at=NOW)
    late = Reading.objects.first().due_at + timedelta(minutes=1)

    assert remind_of_late_readings(now=NOW + timedelta(minutes=1)) == 0
    for _ in range(2):
        assert remind_of_late_readings(now=late) == 3

    message = Notification.objects.get(recipient=marketing, title__contains="to be read")
    assert message.title == "3 rejections wait to be read"


def test_marketings_clocks_count_what_is_late(pool, marketing, bdr):
    verdict = rejected("wrong-icp", at=NOW)
    rejected("wrong-icp", at=NOW)
    mark_rejections_read([verdict.pk], by=marketing, now=NOW + timedelta(minutes=5))

    duty = next(each for each in measure_our_side(now=NOW + 30 * DAY).duties if "Read" in each.name)

    assert (duty.in_time.yes, duty.in_time.n, duty.open, duty.late) == (1, 2, 1, 1)


def test_who_only_reads_promises_nothing_on_the_page(client, reader):
    client.force_login(reader)
    page = client.get(reverse("feedback:promise"))
    assert "Promise for a month" not in page.content.decode()

    month = page.context["form"].fields["month"].choices[1][0]
    response = client.post(reverse("feedback:promise"), {"month": month, "mqls": "60", "good_percent": "90"})

    assert response.status_code == 403
    assert not Commitment.objects.exists()


def test_promising_on_the_page(client, marketing, pool):
    client.force_login(marketing)
    page = client.get(reverse("feedback:promise"))
    month = page.context["form"].fields["month"].choices[1][0]

    client.post(reverse("feedback:promise"), {"month": month, "mqls": "60", "good_percent": "90"})

    assert Commitment.objects.get().mqls == 60
    refused = client.post(reverse("feedback:promise"), {"month": month, "mqls": "0", "good_percent": "90"})
    assert refused.status_code == 422
    assert "Promise at least 1 MQL." in refused.content.decode()


def test_marking_on_the_page_reads_what_is_shown(client, marketing, pool, bdr):
    verdict = rejected("wrong-icp", at=datetime.now(UTC) - DAY)
    client.force_login(marketing)
    assert "Mark 1 here as read" in client.get(reverse("feedback:inbox")).content.decode()

    client.post(reverse("feedback:mark_read"), {"verdict": [verdict.pk, "x"]})

    assert Reading.objects.get().read_by == marketing
    assert "here as read" not in client.get(reverse("feedback:inbox")).content.decode()
