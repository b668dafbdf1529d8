"""SCORE-10: a draft tried on some of the leads beside the active version (ADR 0017)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from common.errors import InvalidInput
from leads.models import AttributeChange, Lead
from scoring.lifecycle.approval import approve_version, propose_promotion, propose_version, waits_for_approval
from scoring.lifecycle.membership import count_pilot, pilot_members
from scoring.lifecycle.pilot import (
    NothingBeside,
    PilotNotRunning,
    PilotPlan,
    PilotRunning,
    describe_pilot,
    end_pilot,
)
from scoring.lifecycle.rescoring import rescore_all
from scoring.models import LeadScore, ModelVersion, Pilot, ReleaseItem, Signal
from scoring.services import create_draft, explain_score, score_lead, score_leads
from tests.factories import NOON, LeadFactory, UserFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def demo(db: None) -> Signal:
    return make_signal("Demo", ["Demo Requested"], intent="high")


@pytest.fixture
def active(demo: Signal) -> ModelVersion:
    return publish({"signal": demo, "points": 30})


@pytest.fixture
def second(db: None) -> User:
    return UserFactory(username="lee", role=User.Role.MARKETING, team=None)


def piloted(
    active: ModelVersion, by: User, second: User, plan: PilotPlan, points: int = 35, now=NOON + HOUR
) -> ModelVersion:
    draft = create_draft(based_on=active, by=by, now=NOON)
    draft.rules.update(points=points)
    proposal = propose_version(draft, by=by, note="Try", pilot=plan, now=now)
    return approve_version(proposal, by=second, now=now)


def interested(count: int, **fields: object) -> list[Lead]:
    leads = [LeadFactory(**fields) for _ in range(count)]
    for lead in leads:
        do(lead, "Demo Requested", NOON - DAY)
    score_leads([lead.pk for lead in leads], now=NOON)
    return leads


def totals() -> dict[int, int]:
    return dict(LeadScore.objects.values_list("lead", "total"))


def test_the_leads_of_a_pilot_are_scored_by_it_and_all_others_by_the_active_version(
    active: ModelVersion, marketing: User, second: User
) -> None:
    leads = interested(60)
    version = piloted(active, marketing, second, PilotPlan(50))
    rescore_all(now=NOON + HOUR)

    members = pilot_members(version.pilot, [lead.pk for lead in leads], as_of=NOON)
    assert 10 < len(members) < 50
    assert totals() == {lead.pk: 35 if lead.pk in members else 30 for lead in leads}
    by_pilot = LeadScore.objects.filter(version=version).values_list("lead", flat=True)
    assert set(by_pilot) == set(members)
    assert ModelVersion.objects.active().get() == active


def test_only_the_leads_concerned_are_scored_anew(
    active: ModelVersion, marketing: User, second: User
) -> None:
    interested(20)
    version = piloted(active, marketing, second, PilotPlan(25))
    in_pilot, _, everybody = count_pilot(version.pilot, as_of=NOON)

    rescore_all(now=NOON + HOUR)

    assert 0 < in_pilot < everybody
    assert LeadScore.objects.filter(scored_at=NOON + HOUR).count() == in_pilot


def test_a_lead_that_joins_while_the_pilot_starts_is_scored_by_it(
    active: ModelVersion, marketing: User, second: User
) -> None:
    """Nobody is in the pilot yet when it starts, and the first that is has the lowest id."""
    [lead, _] = [*interested(1, country="France"), *interested(1, country="Spain")]
    version = piloted(active, marketing, second, PilotPlan(100, "country", "one_of", ["Germany"]))
    Lead.objects.filter(pk=lead.pk).update(country="Germany")

    rescore_all(now=NOON + HOUR)

    assert LeadScore.objects.get(lead=lead).version == version


def test_a_lead_that_joined_last_is_given_back_when_the_pilot_ends(
    active: ModelVersion, marketing: User, second: User
) -> None:
    [lead] = interested(1)
    version = piloted(active, marketing, second, PilotPlan(100))
    end_pilot(version, by=marketing, now=NOON + HOUR)
    LeadScore.objects.filter(lead=lead).update(version=version, total=35)

    rescore_all(now=NOON + HOUR)

    assert LeadScore.objects.get(lead=lead).version == active


def test_a_segment_is_one_condition_in_the_language_of_rules(
    active: ModelVersion, marketing: User, second: User
) -> None:
    [german], [french] = interested(1, country="Germany"), interested(1, country="France")

    version = piloted(active, marketing, second, PilotPlan(100, "country", "one_of", ["germany"]))
    rescore_all(now=NOON + HOUR)

    assert totals() == {german.pk: 35, french.pk: 30}
    assert describe_pilot(version.pilot) == "100 % of the leads whose Country is “germany”"


def test_membership_does_not_change_its_mind(active: ModelVersion, marketing: User, second: User) -> None:
    leads = interested(30)
    version = piloted(active, marketing, second, PilotPlan(50))
    ids = [lead.pk for lead in leads]

    whole = pilot_members(version.pilot, ids, as_of=NOON)

    assert whole == [pk for pk in ids if pilot_members(version.pilot, [pk], as_of=NOON + DAY)]


def test_a_new_activity_is_scored_by_the_version_that_the_lead_belongs_to(
    active: ModelVersion, marketing: User, second: User
) -> None:
    version = piloted(active, marketing, second, PilotPlan(100))
    lead = LeadFactory()
    do(lead, "Demo Requested", NOON + 2 * HOUR)

    score = score_lead(lead, now=NOON + 2 * HOUR)

    assert score is not None
    assert (score.version, score.total) == (version, 35)


def test_ending_a_pilot_gives_its_leads_back(active: ModelVersion, marketing: User, second: User) -> None:
    interested(5)
    version = piloted(active, marketing, second, PilotPlan(100))
    rescore_all(now=NOON + HOUR)
    assert set(totals().values()) == {35}

    version = end_pilot(version, by=marketing, note="No difference", now=NOON + 2 * HOUR)
    rescore_all(now=NOON + 2 * HOUR)

    assert set(totals().values()) == {30}
    assert (version.status, version.published_at) == ("retired", None)
    assert Pilot.objects.get(version=version).ended_at == NOON + 2 * HOUR
    with pytest.raises(PilotNotRunning):
        end_pilot(version, by=marketing, now=NOON + 3 * HOUR)


def test_a_pilot_is_promoted_with_the_approval_of_a_second_person(
    active: ModelVersion, marketing: User, second: User
) -> None:
    interested(5)
    version = piloted(active, marketing, second, PilotPlan(10))

    version = propose_promotion(version, by=second, note="Better", now=NOON + 2 * HOUR)
    assert (version.status, waits_for_approval(version)) == ("pilot", True)
    version = approve_version(version, by=marketing, now=NOON + 3 * HOUR)
    rescore_all(now=NOON + 3 * HOUR)

    assert (version.status, set(totals().values())) == ("active", {35})
    assert Pilot.objects.get(version=version).ended_at == NOON + 3 * HOUR


def test_one_pilot_at_a_time_and_only_beside_an_active_version(
    demo: Signal, marketing: User, second: User
) -> None:
    alone = propose_version(
        make_draft({"signal": demo, "points": 30}), by=marketing, note="x", pilot=PilotPlan(10), now=NOON
    )
    with pytest.raises(NothingBeside):
        approve_version(alone, by=second, now=NOON)
    active = publish({"signal": demo, "points": 30})
    piloted(active, marketing, second, PilotPlan(10))

    with pytest.raises(PilotRunning):
        piloted(active, marketing, second, PilotPlan(20))


@pytest.mark.parametrize(
    "plan",
    [PilotPlan(0), PilotPlan(101), PilotPlan(10, "shoe_size", "is_known"), PilotPlan(10, "country", "like")],
    ids=["none", "too many", "attribute", "operator"],
)
def test_a_plan_that_means_nothing_is_refused(active: ModelVersion, marketing: User, plan: PilotPlan) -> None:
    draft = create_draft(based_on=active, by=marketing, now=NOON)

    with pytest.raises(InvalidInput):
        propose_version(draft, by=marketing, note="x", pilot=plan, now=NOON)


def test_leads_that_qualify_by_the_pilot_alone_wait_for_release(
    active: ModelVersion, marketing: User, second: User
) -> None:
    strict = publish({"signal": active.rules.get().signal, "points": 10, "per_occurrence": True})
    [lead] = interested(1)
    piloted(strict, marketing, second, PilotPlan(100), points=20)

    rescore_all(now=NOON + HOUR)

    assert ReleaseItem.objects.waiting().get().lead == lead


def test_a_past_score_is_by_the_version_that_the_lead_belonged_to_then(
    active: ModelVersion, marketing: User, second: User
) -> None:
    lead = LeadFactory(country="Germany", created_at=NOON - 3 * DAY)
    do(lead, "Demo Requested", NOON - DAY)
    score_lead(lead, now=NOON)
    plan = PilotPlan(100, "country", "one_of", ["Germany"])
    version = piloted(active, marketing, second, plan, now=NOON + HOUR)
    AttributeChange.objects.create(
        lead=lead,
        field="country",
        old_value="Germany",
        new_value="France",
        changed_at=NOON + 5 * HOUR,
        source="t",
    )
    Lead.objects.filter(pk=lead.pk).update(country="France")

    by = [explain_score(lead, as_of=NOON + hours * HOUR).version for hours in (0, 2, 6)]

    assert by == [active.number, version.number, active.number]


# The page


def test_the_page_sets_both_groups_side_by_side(
    client: Client, active: ModelVersion, marketing: User, second: User
) -> None:
    lead = LeadFactory(email="ana@example.com")
    version = piloted(active, marketing, second, PilotPlan(50))
    client.force_login(marketing)

    text = client.get(f"/scoring/{version.number}/pilot/?lead=ANA@example.com").content.decode()

    assert "50 % of all leads" in text
    assert f"Version {version.number}, pilot" in text
    assert "scores this lead" in text
    assert lead.name in text
    assert (
        "No lead has that address"
        in client.get(f"/scoring/{version.number}/pilot/?lead=nobody").content.decode()
    )


def test_a_pilot_is_ended_from_its_page_with_a_reason(
    client: Client, active: ModelVersion, marketing: User, second: User, reader: User
) -> None:
    version = piloted(active, marketing, second, PilotPlan(50))
    path = f"/scoring/{version.number}/pilot/"
    client.force_login(reader)
    assert client.get(path).status_code == 200
    assert client.post(path, {"note": "x", "act": "end"}).status_code == 403
    client.force_login(marketing)

    assert client.post(path, {"note": "", "act": "end"}).status_code == 422
    assert client.post(path, {"note": "x", "act": "dance"}).status_code == 422
    assert client.post(path, {"note": "No gain", "act": "end"}).status_code == 302

    version.refresh_from_db()
    assert version.status == "retired"


def test_a_version_without_a_pilot_has_no_such_page(
    client: Client, active: ModelVersion, marketing: User
) -> None:
    client.force_login(marketing)

    assert client.get(f"/scoring/{active.number}/pilot/").status_code == 404
