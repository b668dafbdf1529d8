"""Clerical returns and incomplete packages are tasks on marketing's clock (FEED-1, HAND-5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries as Queries

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from feedback.models import FeedbackPolicy, MarketingTask, Verdict
from feedback.policy import due_after
from feedback.services import reject_handoff
from feedback.tasks_for_marketing import (
    TaskDone,
    complete_task,
    describe_gaps,
    drop_task,
    open_fix_task,
    open_gap_tasks,
    remind_of_late_tasks,
)
from handoffs.models import ContextPackage, Handoff
from handoffs.pipeline import advance_due_leads
from handoffs.services import hand_off_by_hand
from handoffs.undo import UNDO_FOR
from leads.models import Lead, LeadEvent
from leads.services import correct_lead
from sla.presets import CalendarPreset, SlaPreset, load_sla_preset
from tests.desk import SERVICE_LEVELS, fitting_lead, reason
from tests.factories import NOON
from tests.handoffs.test_api import client_of
from tests.page_forms import sent_by_enter

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Session, person, unread messages; open, late, the tasks.
QUERIES_OF_LIST = 6


def return_for_data(handoff: Handoff, *, now: datetime, note: str = "The phone is a fax") -> Verdict:
    return reject_handoff(
        handoff, reason=reason("bad-data"), note=note, by=handoff.owner, via=Verdict.Via.PAGE, now=now
    )


@pytest.fixture
def task(handoff: Handoff, now: datetime) -> MarketingTask:
    return return_for_data(handoff, now=now).task


@pytest.fixture
def lasting_task(handoff: Handoff, now: datetime) -> MarketingTask:
    """One of a lead that goes back to sales however long ago its interest was."""
    Handoff.objects.filter(pk=handoff.pk).update(trigger=Handoff.Trigger.MANUAL)
    return return_for_data(handoff, now=now).task


@pytest.fixture
def as_marketing(client: Client, marketing: User) -> Client:
    client.force_login(marketing)
    return client


# --- The hold -----------------------------------------------------------------------------------


def test_a_lead_returned_for_its_data_waits_for_marketing_whatever_else_is_learnt(
    lasting_task: MarketingTask, lead: Lead, marketing: User, now: datetime
) -> None:
    """FEED-1: it does not come back past marketing's clock with what was wrong."""
    correct_lead(lead, changes={"title": "Chief Operating Officer"}, by=None, at=now + HOUR, via="salesforce")
    advance_due_leads(now=now + 2 * DAY)
    lead.refresh_from_db()
    assert lead.hold_in_words == "until marketing has fixed its data"
    assert not Handoff.objects.open().exists()

    again = complete_task(lasting_task, outcome="The phone is right", by=marketing, now=now + 2 * DAY)

    lead.refresh_from_db()
    assert (again and again.lead, lead.hold) == (lead, Lead.Hold.NONE)


# --- Opening ------------------------------------------------------------------------------------


def test_a_clerical_return_is_a_task_with_the_reps_words(
    task: MarketingTask, handoff: Handoff, marketing: User, now: datetime
) -> None:
    assert (task.kind, task.wanted, task.handoff) == ("fix_data", "The phone is a fax", handoff)
    assert task.due_at == due_after(FeedbackPolicy().fix_minutes, now=now)
    [told] = marketing.notifications.all()
    assert (told.kind, told.url) == ("task", f"/marketing/tasks/{task.pk}/")


def test_the_time_is_counted_in_business_hours_of_the_default_calendar(db: None) -> None:
    office = SlaPreset(
        calendar=CalendarPreset(name="Office", time_zone="Europe/Berlin"), policies=SERVICE_LEVELS.policies
    )
    load_sla_preset(office, by=None, now=NOON)
    friday_afternoon = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)

    due = due_after(8 * 60, now=friday_afternoon)

    # Two hours are left of Friday, which closes at 18:00 in Berlin; six go on Monday from 10:00.
    assert due == datetime(2026, 3, 9, 15, 0, tzinfo=UTC)


def test_an_incomplete_package_becomes_a_task_and_loses_its_mark(
    handoff: Handoff, marketing: User, now: datetime
) -> None:
    Handoff.objects.filter(pk=handoff.pk).update(incomplete_at=now)

    assert [open_gap_tasks(now=now) for _ in range(2)] == [1, 0]

    task = MarketingTask.objects.get()
    missing = ContextPackage.objects.get(handoff=handoff).missing
    assert (task.kind, task.verdict, task.wanted) == ("fill_gaps", None, describe_gaps(missing))
    assert not Handoff.objects.filter(incomplete_at__isnull=False).exists()
    assert marketing.notifications.filter(kind="task").count() == 1


@pytest.fixture
def gap_task(handoff: Handoff, now: datetime) -> MarketingTask:
    Handoff.objects.filter(pk=handoff.pk).update(incomplete_at=now)
    open_gap_tasks(now=now)
    return MarketingTask.objects.get()


def test_a_gap_task_ends_with_its_handoff_once_that_cannot_be_undone(
    as_marketing: Client, gap_task: MarketingTask, handoff: Handoff, marketing: User, now: datetime
) -> None:
    reject_handoff(handoff, reason=reason("premature"), by=handoff.owner, via=Verdict.Via.PAGE, now=now)

    open_gap_tasks(now=now + UNDO_FOR)
    still_open = MarketingTask.objects.open().count()
    open_gap_tasks(now=now + HOUR)

    gap_task.refresh_from_db()
    assert still_open == 1
    assert (gap_task.done_at, gap_task.done_by, gap_task.outcome) == (now + HOUR, None, "")
    with pytest.raises(TaskDone, match="The handoff has ended: nothing is left to do"):
        complete_task(gap_task, outcome="Phone found", by=marketing, now=now + DAY)
    for path in ("/marketing/tasks/?tab=done", f"/marketing/tasks/{gap_task.pk}/"):
        page = as_marketing.get(path).content.decode()
        assert "The handoff has ended" in page
        assert "rejection was undone" not in page


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({}, "is told."),
        ({"owner": None}, "Done. Lea Holm is off the list."),
        ({"status": "lost"}, "Done. Lea Holm is off the list."),
    ],
    ids=["owned", "nobodys", "ended"],
)
def test_only_a_rep_who_has_the_lead_is_said_to_be_told(
    as_marketing: Client, gap_task: MarketingTask, now: datetime, kept: dict[str, object], words: str
) -> None:
    rep = gap_task.handoff.owner
    closed = {"closed_at": now} if "status" in kept else {}
    Handoff.objects.filter(pk=gap_task.handoff_id).update(**kept, **closed)

    page = as_marketing.post(f"/marketing/tasks/{gap_task.pk}/", {"outcome": "Asked"}, follow=True)

    assert words in page.content.decode()
    assert rep.notifications.filter(title__startswith="Marketing filled").exists() == (kept == {})


def test_a_handoff_that_ended_meanwhile_needs_no_task(handoff: Handoff, now: datetime) -> None:
    reject_handoff(handoff, reason=reason("premature"), by=handoff.owner, via=Verdict.Via.PAGE, now=now)
    Handoff.objects.filter(pk=handoff.pk).update(incomplete_at=now)

    assert open_gap_tasks(now=now) == 0
    assert not Handoff.objects.filter(incomplete_at__isnull=False).exists()


def test_gaps_are_named_as_people_call_them() -> None:
    assert describe_gaps(["phone", "company_size"]) == "Missing: Phone, Company size"


# --- Closing ------------------------------------------------------------------------------------


def test_fixed_data_sends_the_lead_back_to_sales_at_once(
    task: MarketingTask, handoff: Handoff, marketing: User, now: datetime
) -> None:
    again = complete_task(
        task,
        outcome="Found the number",
        changes={"phone": "+49 30 555", "company.industry": "Logistics"},
        by=marketing,
        now=now + HOUR,
    )

    lead = Lead.objects.select_related("company").get(pk=handoff.lead_id)
    assert again is not None
    assert again.is_open
    assert (again.owner, again.is_returning, again.trigger) == (handoff.owner, True, handoff.trigger)
    assert (lead.phone, lead.company.industry, lead.stage) == ("+49 30 555", "Logistics", Lead.Stage.MQL)
    assert (task.done_by, task.done_at, task.outcome) == (marketing, now + HOUR, "Found the number")
    logged = LeadEvent.objects.get(kind=LeadEvent.Kind.DATA_FIXED)
    assert logged.detail == {
        "task": "fix_data", "fields": ["company.industry", "phone"], "in_time": True
    }  # fmt: skip


def test_what_no_longer_qualifies_once_it_is_right_stays_with_marketing(
    pool: object, marketing: User, now: datetime
) -> None:
    lead = fitting_lead(now=now)
    handoff = hand_off_by_hand(lead, by=marketing, reason="Met at the fair", now=now)
    Handoff.objects.filter(pk=handoff.pk).update(trigger=Handoff.Trigger.THRESHOLD)
    handoff.refresh_from_db()
    task = return_for_data(handoff, now=now).task

    assert complete_task(task, outcome="Corrected", by=marketing, now=now + HOUR) is None

    lead.refresh_from_db()
    assert (lead.stage, lead.hold, lead.recycled_at) == (Lead.Stage.NURTURE, Lead.Hold.NONE, None)


def test_a_lead_that_was_returned_again_for_another_reason_stays_where_that_put_it(
    task: MarketingTask, lead: Lead, marketing: User, now: datetime
) -> None:
    second = hand_off_by_hand(lead, by=marketing, reason="They called", now=now + HOUR)
    reject_handoff(second, reason=reason("premature"), by=second.owner, via=Verdict.Via.PAGE, now=now + DAY)

    assert complete_task(task, outcome="Corrected", by=marketing, now=now + DAY) is None

    lead.refresh_from_db()
    assert lead.hold == Lead.Hold.UNTIL_DATE


def test_the_rep_is_told_when_gaps_are_filled(handoff: Handoff, marketing: User, now: datetime) -> None:
    Handoff.objects.filter(pk=handoff.pk).update(incomplete_at=now)
    open_gap_tasks(now=now)

    complete_task(MarketingTask.objects.get(), outcome="Phone found", by=marketing, now=now)

    assert handoff.owner.notifications.get(kind="task").body == "Phone found"


def test_a_task_is_settled_once_and_the_second_person_reads_by_whom(
    task: MarketingTask, marketing: User, manager: User, now: datetime
) -> None:
    complete_task(task, outcome="Fixed", by=marketing, now=now)

    with pytest.raises(TaskDone, match="Jo Marks has settled this task already: Fixed"):
        complete_task(task, outcome="Me too", by=manager, now=now)


def test_a_double_click_settles_once_and_finds_what_came_of_it(
    lasting_task: MarketingTask, marketing: User, now: datetime
) -> None:
    given = {"outcome": "Fixed", "changes": {"phone": "+49 30 777"}, "by": marketing}
    first = complete_task(lasting_task, **given, now=now + HOUR)

    assert first is not None
    assert complete_task(lasting_task, **given, now=now + DAY) == first
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.DATA_FIXED).count() == 1


@pytest.mark.parametrize(
    "second",
    [{"outcome": "Fixed", "changes": {"phone": "+49 30 888"}}, {"outcome": "Asked", "changes": {}}],
    ids=["corrections", "words"],
)
def test_what_is_sent_for_a_done_task_is_not_thrown_away_in_silence(
    lasting_task: MarketingTask, marketing: User, now: datetime, second: dict[str, object]
) -> None:
    complete_task(lasting_task, outcome="Fixed", changes={"phone": "+49 30 777"}, by=marketing, now=now)

    with pytest.raises(TaskDone, match="What you sent now is not kept"):
        complete_task(lasting_task, **second, by=marketing, now=now + HOUR)

    assert Lead.objects.get(pk=lasting_task.lead_id).phone == "+49 30 777"


def test_what_was_done_must_be_said_and_only_by_marketing(
    task: MarketingTask, marketing: User, reader: User, now: datetime
) -> None:
    with pytest.raises(InvalidInput) as refused:
        complete_task(task, outcome=" ", by=marketing, now=now)
    with pytest.raises(NotAllowed):
        complete_task(task, outcome="Fixed", by=reader, now=now)
    with pytest.raises(NotAllowed):
        complete_task(task, outcome="Fixed", by=task.handoff.owner, now=now)

    assert refused.value.field == "outcome"


def test_a_wrong_correction_closes_nothing(task: MarketingTask, marketing: User, now: datetime) -> None:
    with pytest.raises(InvalidInput) as refused:
        complete_task(task, outcome="Fixed", changes={"email": "nobody"}, by=marketing, now=now)

    assert refused.value.field == "email"
    assert MarketingTask.objects.open().count() == 1


def test_an_undone_rejection_drops_its_task_and_a_second_one_opens_it_anew(
    task: MarketingTask, now: datetime
) -> None:
    verdict = task.verdict
    drop_task(verdict, now=now)
    task.refresh_from_db()
    assert (task.done_at, task.done_by, task.outcome) == (now, None, "")

    again = open_fix_task(verdict, now=now + HOUR)

    assert (again.pk, again.done_at, again.created_at) == (task.pk, None, now + HOUR)


def test_late_tasks_are_told_once(task: MarketingTask, marketing: User, manager: User, now: datetime) -> None:
    assert remind_of_late_tasks(now=task.due_at) == 0

    assert [remind_of_late_tasks(now=task.due_at + HOUR) for _ in range(2)] == [1, 1]

    assert marketing.notifications.filter(title__startswith="Overdue").count() == 1
    assert manager.notifications.filter(title__startswith="Overdue").count() == 1


# --- Pages and API ------------------------------------------------------------------------------


def test_marketing_corrects_the_lead_on_the_page(
    as_marketing: Client, lasting_task: MarketingTask, lead: Lead
) -> None:
    page = as_marketing.get(f"/marketing/tasks/{lasting_task.pk}/").content.decode()
    assert "The phone is a fax" in page

    typed = {"outcome": "Fixed", "phone": "+49 30 777", "email": lead.email, "title": lead.title}
    typed |= {"first_name": lead.first_name, "last_name": lead.last_name, "country": lead.country}
    response = as_marketing.post(f"/marketing/tasks/{lasting_task.pk}/", typed, follow=True)

    lead.refresh_from_db()
    assert lead.phone == "+49 30 777"
    assert f"{lead.name} is back with sales" in response.content.decode()


def test_a_stale_page_keeps_the_facts_that_were_corrected_since(
    as_marketing: Client, lasting_task: MarketingTask, lead: Lead, manager: User, now: datetime
) -> None:
    """Only what was typed over is sent on; the rest is as somebody left it meanwhile (QUEUE-5)."""
    path = f"/marketing/tasks/{lasting_task.pk}/"
    stale = sent_by_enter(as_marketing.get(path).content.decode(), action="", field="outcome")
    newer = {"title": "Head of Sales", "company.employee_count": 801}
    correct_lead(lead, changes=newer, by=manager, at=now, via="portal")

    as_marketing.post(path, stale | {"outcome": "Fixed", "phone": "+49 30 777"})

    lead.refresh_from_db()
    assert (lead.phone, lead.title, lead.company.employee_count) == ("+49 30 777", "Head of Sales", 801)


def test_what_was_typed_stays_beside_the_refusal(as_marketing: Client, task: MarketingTask) -> None:
    response = as_marketing.post(f"/marketing/tasks/{task.pk}/", {"outcome": "Fixed", "email": "no\x00body"})

    assert response.status_code == 422
    assert MarketingTask.objects.open().count() == 1


def test_a_company_without_a_name_is_refused_at_its_field(as_marketing: Client, task: MarketingTask) -> None:
    path = f"/marketing/tasks/{task.pk}/"
    sent = sent_by_enter(as_marketing.get(path).content.decode(), action="", field="outcome")

    response = as_marketing.post(path, sent | {"outcome": "Fixed", "company.name": ""})

    assert response.status_code == 422
    assert response.context["form"].errors["company.name"] == ["A company needs a name."]


def test_the_list_shows_open_tasks_most_urgent_first(
    as_marketing: Client, task: MarketingTask, django_assert_num_queries: Queries
) -> None:
    with django_assert_num_queries(QUERIES_OF_LIST):
        page = as_marketing.get("/marketing/tasks/").content.decode()

    assert "Open 1" in page
    assert "Bad data" not in page
    assert "The phone is a fax" in page
    done = as_marketing.get("/marketing/tasks/?tab=done").content.decode()
    assert "Nothing done yet" in done


def test_bdrs_have_no_list_but_see_the_task_over_the_api(
    client: Client, task: MarketingTask, stranger: User
) -> None:
    client.force_login(task.handoff.owner)
    assert client.get("/marketing/tasks/").status_code == 403
    assert client_of(task.handoff.owner).get("/api/v1/tasks/?open=true").json()["results"][0]["id"] == task.pk
    assert client_of(stranger).get("/api/v1/tasks/").json()["results"] == []


def test_the_api_settles_a_task_and_names_a_fact_it_does_not_know(
    lasting_task: MarketingTask, marketing: User
) -> None:
    api, path = client_of(marketing), f"/api/v1/tasks/{lasting_task.pk}/complete/"

    wrong = api.post(path, {"outcome": "Fixed", "changes": {"shoe_size": 44}}, format="json")
    right = api.post(path, {"outcome": "Fixed", "changes": {"phone": "+49 30 999"}}, format="json")

    assert (wrong.status_code, wrong.json()["field"]) == (422, "shoe_size")
    assert (right.status_code, right.json()["done_by"]) == (200, "jo")
    assert Handoff.objects.open().filter(lead=lasting_task.lead_id).exists()
