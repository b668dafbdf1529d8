"""What was known of a lead at a moment, and nothing that we learnt later (SCORE-12, SCORE-7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.attributes import attach_company, replace_values
from leads.models import Activity, LeadEvent
from scoring.matching import match_activities
from scoring.prediction.examples import Goal, count_examples, harvest
from scoring.prediction.features import read_features
from scoring.prediction.tables import Cell
from tests.factories import NOON, ActivityFactory, CompanyFactory, LeadFactory
from tests.scoring.builders import make_signal
from tests.scoring.prediction.season import handed_at, play_season

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def known(lead, at) -> dict[str, Cell]:
    moments, columns = read_features([(lead.pk, at)])
    assert moments == [(lead.pk, at)]
    return {name: cells[0] for name, cells in columns.items()}


def test_attributes_are_those_of_the_moment():
    lead = LeadFactory(title="Manager", source="", created_at=NOON - 9 * DAY)
    replace_values(lead, {"title": "VP Sales"}, by=None, at=NOON - 2 * DAY, via="test")
    replace_values(lead, {"source": "Webinar"}, by=None, at=NOON + DAY, via="test")

    before, after = known(lead, NOON - 3 * DAY), known(lead, NOON)

    assert before["fact:title"] == "Manager"
    assert after["fact:title"] == "VP Sales"
    assert after["fact:source"] is None
    assert known(lead, NOON + 2 * DAY)["fact:source"] == "Webinar"


def test_so_are_the_company_and_its_attributes():
    first = CompanyFactory(employee_count=50, industry="Software")
    second = CompanyFactory(employee_count=5_000, industry="Retail")
    lead = LeadFactory(company=first, created_at=NOON - 9 * DAY)
    replace_values(first, {"employee_count": 70}, by=None, at=NOON - 5 * DAY, via="test")
    attach_company(lead, second, now=NOON - 2 * DAY, via="test")

    sizes = [known(lead, NOON - days * DAY)["fact:company.employee_count"] for days in (6, 4, 1)]

    assert sizes == [50, 70, 5_000]
    assert known(lead, NOON - 4 * DAY)["fact:company.industry"] == "Software"


def test_a_lead_without_a_company_or_address_is_known_by_little():
    lead = LeadFactory(company=None, email="", source_system="crm", external_id="7", phone="123")

    facts = known(lead, NOON)

    assert facts["fact:company.industry"] is None
    assert facts["email"] is None
    assert (facts["answered:phone"], facts["answered:website"]) == (1, 0)
    assert facts["since:last"] is None


@pytest.mark.parametrize(
    ("email", "kind"), [("lea@gmail.com", "private"), ("lea@nordwind.example", "company")]
)
def test_the_address_says_whether_it_is_a_company_s(email, kind):
    assert known(LeadFactory(email=email), NOON)["email"] == kind


def test_activities_are_counted_in_windows_by_when_they_happened():
    signal = make_signal("pricing", events=["Pricing Seen"])
    lead = LeadFactory(created_at=NOON - 200 * DAY, unmatched_from=0)
    for days in (0, 6, 7, 40, 90, 100):
        ActivityFactory(lead=lead, event=signal.event_names[0], occurred_at=NOON - days * DAY)
    match_activities([lead.pk])

    facts = known(lead, NOON)

    assert [facts[f"active:{window}"] for window in (7, 30, 90)] == [2, 3, 4]
    assert [facts[f"hits:{signal.key}:{window}"] for window in (7, 30, 90)] == [2, 3, 4]
    assert facts["active:days"] == 4
    assert (facts["since:last"], facts["since:first"]) == (0, 200)
    assert facts["first_event"] == signal.event_names[0]


def test_what_happened_before_but_came_in_later_was_not_known():
    lead = LeadFactory(created_at=NOON - 9 * DAY)
    ActivityFactory(lead=lead, occurred_at=NOON - DAY, received_at=NOON + DAY)

    assert known(lead, NOON)["active:7"] == 0
    assert known(lead, NOON + DAY)["active:7"] == 1


def test_what_a_visitor_did_was_not_known_before_they_said_who_they_are():
    signal = make_signal("Visit", ["Page Viewed"])
    lead = LeadFactory(created_at=NOON - 9 * DAY, unmatched_from=0)
    ActivityFactory(lead=lead, occurred_at=NOON - DAY, attributed_at=NOON + DAY)
    match_activities([lead.pk])

    before, after = known(lead, NOON), known(lead, NOON + DAY)

    assert (before["active:7"], before["since:last"], before["first_event"]) == (0, None, None)
    assert (after["active:7"], after["since:last"], after["first_event"]) == (1, 2, "Page Viewed")
    assert [facts[f"hits:{signal.key}:7"] for facts in (before, after)] == [0, 1]


def test_a_lead_that_we_did_not_know_yet_is_left_out():
    early, late = LeadFactory(created_at=NOON - DAY), LeadFactory(created_at=NOON + DAY)

    moments, columns = read_features([(late.pk, NOON), (early.pk, NOON)])

    assert moments == [(early.pk, NOON)]
    assert {len(cells) for cells in columns.values()} == {1}


def test_the_future_does_not_leak(rules, now):
    """Whatever is planted after the moments, what was known at them stays the same, to the last value."""
    leads = play_season(30, until=now)
    moments = [(lead.pk, handed_at(lead)) for lead in leads]
    before = read_features(moments)
    for lead in leads:
        at = handed_at(lead) + timedelta(seconds=1)
        for name, when in (
            ("future", {"occurred_at": at}),
            ("late", {"occurred_at": at - DAY, "received_at": at}),
            ("given later", {"occurred_at": at - DAY, "attributed_at": at}),
        ):
            ActivityFactory(lead=lead, message_id=f"{name}-{lead.pk}", **when)
        replace_values(lead, {"title": "Leaked", "source": "Leaked"}, by=None, at=at, via="test")
        LeadEvent.objects.create(lead=lead, kind="won", at=at, handoff_id=lead.pk)
        LeadEvent.objects.create(lead=lead, kind="handed_off", at=at, handoff_id=lead.pk + 100_000)
    replace_values(leads[0].company, {"industry": "Leaked"}, by=None, at=now, via="test")
    attach_company(leads[0], CompanyFactory(industry="Leaked"), now=now, via="test")
    leads[0].__class__.objects.update(unmatched_from=0)
    match_activities([lead.pk for lead in leads])

    after = read_features(moments)

    assert after == before
    later = read_features([(lead.pk, now) for lead in leads])[1]
    assert set(later["fact:title"]) == {"Leaked"}
    assert Activity.objects.filter(message_id__startswith="late").count() == 30


def test_reading_many_moments_takes_two_statements(rules, now, django_assert_num_queries):
    leads = play_season(20, until=now)

    with django_assert_num_queries(2):
        read_features([(lead.pk, now) for lead in leads])


# What is learnt from


def test_mature_handoffs_are_examples_and_what_has_not_converted_by_then_has_not(rules, now):
    leads = play_season(40, until=now)
    for number, (lead, age) in enumerate(zip(leads, (5 * DAY, 3 * DAY, 47 * HOUR), strict=False), 900_001):
        LeadEvent.objects.create(lead=lead, kind="handed_off", at=now - age, handoff_id=number)
    LeadEvent.objects.create(lead=leads[1], kind="qualified", at=now - DAY, handoff_id=900_002)

    found = harvest(Goal.SQL, now=now)

    assert found.ripe_after == 2 * DAY
    assert found.left_out == {"younger than the median cycle": 1}
    assert len(found.examples) == 42
    open_one, late_one = found.examples[-2:]
    assert (open_one.succeeded, open_one.known_at) == (False, now - 3 * DAY)
    assert (late_one.succeeded, late_one.known_at) == (True, now - DAY)


def test_quick_refusals_do_not_make_the_latest_handoffs_look_worse(rules, now):
    """Maturity is how long a success takes: refusals within the hour do not let young handoffs in."""
    for number in range(12):
        lead, at = LeadFactory(created_at=now - 99 * DAY), now - (3 + 3 * number) * DAY
        LeadEvent.objects.create(lead=lead, kind="handed_off", at=at, handoff_id=number + 1)
        kind, after = ("qualified", 10 * DAY) if number % 3 == 0 else ("rejected", HOUR)
        if at + after <= now:
            LeadEvent.objects.create(lead=lead, kind=kind, at=at + after, handoff_id=number + 1)

    found = harvest(Goal.SQL, now=now)

    assert found.ripe_after == 10 * DAY
    assert max(each.handed_at for each in found.examples) == now - 12 * DAY
    assert found.left_out == {"younger than the median cycle": 3}


def test_a_page_counts_what_a_harvest_would_find(rules, now):
    leads = play_season(12, until=now)
    cases = (("rejected", "procedural"), ("rejected", "timing"), ("withdrawn", ""), ("lost", ""))
    for number, (kind, detail) in enumerate(cases, 900_001):
        lead, at = leads[number - 900_001], now - 6 * DAY
        LeadEvent.objects.create(lead=lead, kind="handed_off", at=at, handoff_id=number)
        LeadEvent.objects.create(lead=lead, kind=kind, at=at, handoff_id=number, detail={"type": detail})
    LeadEvent.objects.create(lead=leads[0], kind="handed_off", at=now - DAY, handoff_id=900_009)

    assert len(harvest(Goal.SQL, now=now).examples) == 14
    assert count_examples(Goal.SQL, now=now, most=99) == 14
    assert count_examples(Goal.SQL, now=now, most=5) == 5


@pytest.mark.parametrize(
    ("kind", "detail"),
    [("rejected", {"type": "procedural"}), ("withdrawn", {})],
    ids=["passed on", "withdrawn"],
)
def test_what_says_nothing_about_the_lead_is_no_example(rules, now, kind, detail):
    play_season(10, until=now)
    lead = LeadFactory(created_at=now - 50 * DAY)
    LeadEvent.objects.create(lead=lead, kind="handed_off", at=now - 40 * DAY, handoff_id=900_001)
    LeadEvent.objects.create(lead=lead, kind=kind, at=now - 39 * DAY, handoff_id=900_001, detail=detail)

    assert len(harvest(Goal.SQL, now=now).examples) == 10


def test_the_goal_says_what_a_success_is(rules, now):
    lead = LeadFactory(created_at=now - 50 * DAY)
    for kind, days in (("handed_off", 40), ("qualified", 38), ("lost", 20)):
        LeadEvent.objects.create(lead=lead, kind=kind, at=now - days * DAY, handoff_id=900_001)

    assert [each.succeeded for each in harvest(Goal.SQL, now=now).examples] == [True]
    assert [each.succeeded for each in harvest(Goal.WON, now=now).examples] == [False]
