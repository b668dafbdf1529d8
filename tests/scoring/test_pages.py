"""The scoring pages: who may open them, what they say, what they cost."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User
from leads.models import Lead
from scoring.lifecycle.rescoring import rescore_all
from scoring.models import ModelVersion, ReleaseItem
from scoring.presets import CLASSIC
from scoring.services import (
    create_draft,
    load_scoring_preset,
    publish_version,
    score_lead,
    score_leads,
)
from tests.factories import CompanyFactory, LeadFactory, UserFactory
from tests.scoring.builders import do

pytestmark = pytest.mark.django_db


@pytest.fixture
def active(marketing: User) -> ModelVersion:
    load_scoring_preset(CLASSIC, by=None, now=timezone.now())
    return ModelVersion.objects.active().get()


@pytest.fixture
def draft(active: ModelVersion, marketing: User) -> ModelVersion:
    draft = create_draft(based_on=active, by=marketing, now=timezone.now())
    draft.rules.filter(name="Pricing page").update(points=25)
    return draft


@pytest.fixture
def second(db: None) -> User:
    return UserFactory(username="lee", first_name="Lee", last_name="Sato", role=User.Role.MARKETING)


FORM = {"note": "x", "when": "now", "whom": "all", "replacing": "1"}


def propose(client: Client, **fields: str) -> HttpResponse:
    return client.post("/scoring/2/propose/", FORM | fields)


def approve(client: Client, **fields: str) -> HttpResponse:
    """As the box for the second person sends it."""
    seen = ModelVersion.objects.get(number=2).proposed_at.isoformat()
    return client.post("/scoring/2/approve/", {"proposed_at": seen} | fields)


def page(client: Client, user: User, path: str) -> str:
    client.force_login(user)
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


# Who may open them


@pytest.mark.parametrize("path", ["/scoring/", "/scoring/1/"])
def test_everybody_but_bdrs_reads_the_rules(
    client: Client,
    active: ModelVersion,
    marketing: User,
    manager: User,
    operator: User,
    reader: User,
    bdr: User,
    path: str,
) -> None:
    for person in (marketing, manager, operator, reader):
        assert "Pricing page visit: +20" in page(client, person, path)
    client.force_login(bdr)
    assert client.get(path).status_code == 403
    client.logout()
    assert client.get(path).status_code == 302


def test_only_marketing_proposes_copies_and_decides(
    client: Client, draft: ModelVersion, manager: User, reader: User
) -> None:
    for person in (manager, reader):
        client.force_login(person)
        assert client.get("/scoring/2/propose/").status_code == 403
        for path in ("2/propose", "2/approve", "2/return", "1/roll-back", "1/copy", "release"):
            assert client.post(f"/scoring/{path}/", {"note": "x"}).status_code == 403
        assert "Propose…" not in client.get("/scoring/2/").content.decode()
    assert ModelVersion.objects.count() == 2


@pytest.mark.parametrize("number", ["99", "9" * 30])
def test_a_version_that_is_not_there_is_not_found(
    client: Client, active: ModelVersion, marketing: User, number: str
) -> None:
    client.force_login(marketing)

    assert client.get(f"/scoring/{number}/").status_code == 404


# What they say


def test_the_overview_tells_who_published_when_and_why(
    client: Client, active: ModelVersion, reader: User
) -> None:
    text = page(client, reader, "/scoring/")

    assert "Preset “Classic” loaded" in text
    assert "MQL from 50 points" in text


def test_without_a_model_the_overview_says_what_to_do(client: Client, marketing: User) -> None:
    text = page(client, marketing, "/scoring/")

    assert "No active model" in text
    assert "/admin/scoring/modelversion/add/" in text


def test_a_draft_shows_its_difference_from_the_active_version(
    client: Client, draft: ModelVersion, manager: User
) -> None:
    text = page(client, manager, "/scoring/2/")

    assert "Against version 1, the active one" in text
    assert "Pricing page visit: +25" in text
    assert "Pricing page visit: +20" in text


def test_a_proposal_takes_effect_when_a_second_person_approves(
    client: Client, draft: ModelVersion, marketing: User, second: User
) -> None:
    assert "Pricing page visit: +25" in page(client, marketing, "/scoring/2/propose/")
    response = propose(client, note="Pricing matters more")
    assert (response.status_code, response["Location"]) == (302, "/scoring/2/")
    assert "another person of marketing decides" in client.get("/scoring/").content.decode()

    assert "Pricing matters more" in page(client, second, "/scoring/")
    response = approve(client, comment="Agreed")

    assert response.status_code == 302
    published = ModelVersion.objects.active().get()
    assert (published.number, published.proposed_by, published.approved_by) == (2, marketing, second)
    text = client.get("/scoring/2/").content.decode()
    for word in ("Draft begun", "Proposed", "Approved", "Agreed", "Published"):
        assert word in text


def test_an_author_who_approves_is_told_why_not(client: Client, draft: ModelVersion, marketing: User) -> None:
    client.force_login(marketing)
    propose(client)

    response = approve(client)

    assert response.status_code == 403
    assert "another person of marketing has to approve it" in response.content.decode()


def test_a_stale_page_does_not_approve_what_it_did_not_show(
    client: Client, draft: ModelVersion, marketing: User, second: User
) -> None:
    client.force_login(marketing)
    propose(client)
    [seen] = re.findall('name="proposed_at" value="([^"]+)"', page(client, second, "/scoring/"))
    client.post("/scoring/2/return/", {"comment": "Not yet"})
    draft.rules.filter(name="Pricing page").update(points=500)
    client.force_login(marketing)
    propose(client)
    client.force_login(second)

    stale = client.post("/scoring/2/approve/", {"proposed_at": seen})
    blind = client.post("/scoring/2/approve/", {})

    assert (stale.status_code, blind.status_code) == (409, 422)
    assert "proposed again meanwhile" in stale.content.decode()
    assert ModelVersion.objects.active().get().number == 1
    [seen] = re.findall('name="proposed_at" value="([^"]+)"', page(client, second, "/scoring/"))
    assert client.post("/scoring/2/approve/", {"proposed_at": seen}).status_code == 302


def test_a_proposal_is_returned_with_what_should_be_different(
    client: Client, draft: ModelVersion, marketing: User, second: User
) -> None:
    client.force_login(marketing)
    propose(client)
    client.force_login(second)

    assert client.post("/scoring/2/return/", {"comment": ""}).status_code == 422
    client.post("/scoring/2/return/", {"comment": "Only 22"})

    assert ModelVersion.objects.get(number=2).status == "draft"
    assert "Only 22" in client.get("/scoring/2/").content.decode()


def test_a_stated_time_is_by_the_clock_of_who_states_it(
    client: Client, draft: ModelVersion, marketing: User, second: User
) -> None:
    marketing.time_zone = "America/New_York"
    marketing.save()
    client.force_login(marketing)
    day = f"{timezone.now() + timedelta(days=3):%Y-%m-%d}"

    propose(client, when="later", takes_effect_at=f"{day}T09:30")
    client.force_login(second)
    approve(client)

    version = ModelVersion.objects.get(number=2)
    assert version.status == "scheduled"
    assert version.takes_effect_at is not None
    local = version.takes_effect_at.astimezone(ZoneInfo("America/New_York"))
    assert f"{local:%Y-%m-%dT%H:%M}" == f"{day}T09:30"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"when": "later"}, "Say when it takes effect"),
        ({"when": "later", "takes_effect_at": "soon"}, "Give a date and a time"),
        ({"when": "later", "takes_effect_at": "2020-01-01T09:00"}, "That time has passed"),
        ({"whom": "pilot", "percent": ""}, "Say which share"),
        ({"whom": "pilot", "percent": "101"}, "less than or equal to 100"),
        ({"whom": "pilot", "percent": "10", "attribute": "country", "operator": "between"}, "range"),
        ({"whom": "nobody"}, "not one of the available choices"),
    ],
    ids=["no time", "no date", "past", "no share", "too much", "no range", "nobody"],
)
def test_a_senseless_proposal_is_answered_beside_the_field(
    client: Client, draft: ModelVersion, marketing: User, fields: dict[str, str], words: str
) -> None:
    client.force_login(marketing)

    response = propose(client, **fields)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert ModelVersion.objects.get(number=2).status == "draft"


def test_proposing_without_a_reason_is_refused(client: Client, draft: ModelVersion, marketing: User) -> None:
    client.force_login(marketing)

    response = client.post("/scoring/2/propose/", FORM | {"note": ""})

    assert response.status_code == 422
    assert "Say why" in response.content.decode()
    assert ModelVersion.objects.active().get().number == 1


def test_proposing_a_stale_comparison_is_refused_and_shows_the_new_one(
    client: Client, draft: ModelVersion, active: ModelVersion, marketing: User
) -> None:
    other = create_draft(based_on=active, by=marketing, now=timezone.now())
    other.rules.filter(name="Case study").update(points=16)
    publish_version(other, by=None, note="Other", now=timezone.now())
    client.force_login(marketing)

    response = client.post("/scoring/2/propose/", FORM | {"note": "Mine"})

    text = response.content.decode()
    assert response.status_code == 409
    assert "Look at the difference again" in text
    assert "Against version 3" in text
    assert "Mine" in text


def test_nothing_takes_the_place_of_a_version_that_it_was_not_compared_with(
    client: Client, draft: ModelVersion, marketing: User
) -> None:
    client.force_login(marketing)

    assert client.post("/scoring/2/propose/", FORM | {"replacing": ""}).status_code == 409

    publish_version(draft, by=None, note="", now=timezone.now())
    assert client.post("/scoring/1/roll-back/").status_code == 409
    assert ModelVersion.objects.active().get().number == 2


@pytest.mark.parametrize("replacing", ["abc", "-1", "9" * 40])
def test_a_senseless_comparison_is_refused(
    client: Client, draft: ModelVersion, marketing: User, replacing: str
) -> None:
    client.force_login(marketing)

    response = client.post("/scoring/2/propose/", FORM | {"replacing": replacing})

    assert response.status_code == 422


def test_an_unsound_draft_cannot_be_proposed_from_the_page(
    client: Client, draft: ModelVersion, marketing: User
) -> None:
    draft.rules.all().delete()

    text = page(client, marketing, "/scoring/2/propose/")
    response = client.post("/scoring/2/propose/", FORM)

    assert "There are no rules yet" in text
    assert 'name="note"' not in text
    assert response.status_code == 422


def test_copying_leads_to_the_draft_in_the_admin(
    client: Client, active: ModelVersion, marketing: User
) -> None:
    client.force_login(marketing)

    response = client.post("/scoring/1/copy/")

    draft = ModelVersion.objects.get(number=2)
    assert response["Location"] == f"/admin/scoring/modelversion/{draft.pk}/change/"


def test_rolling_back_is_one_click_that_says_what_changes(
    client: Client, draft: ModelVersion, marketing: User
) -> None:
    publish_version(draft, by=None, note="Try", now=timezone.now())
    text = page(client, marketing, "/scoring/")
    assert "Roll back to version 1" in text
    assert "Pricing page visit: +20" in text

    response = client.post("/scoring/1/roll-back/", {"replacing": "2"})

    assert response["Location"] == "/scoring/"
    active = ModelVersion.objects.active().get()
    assert (active.number, active.based_on and active.based_on.number) == (3, 1)
    assert active.rules.get(name="Pricing page").points == 20


def test_the_version_to_go_back_to_is_the_one_in_force_before(
    client: Client, draft: ModelVersion, active: ModelVersion, marketing: User
) -> None:
    newest = create_draft(based_on=active, by=None, now=timezone.now())
    publish_version(newest, by=None, note="", now=timezone.now())
    publish_version(draft, by=None, note="", now=timezone.now())
    last = create_draft(based_on=active, by=None, now=timezone.now())
    publish_version(last, by=None, note="", now=timezone.now())

    assert "Roll back to version 2" in page(client, marketing, "/scoring/")


def test_a_stale_roll_back_is_refused_in_words(client: Client, draft: ModelVersion, marketing: User) -> None:
    publish_version(draft, by=None, note="Try", now=timezone.now())
    client.force_login(marketing)

    response = client.post("/scoring/1/roll-back/", {"replacing": "1"})

    assert response.status_code == 409
    assert "Look at the difference again" in response.content.decode()


def test_the_overview_shows_a_rescoring_until_it_is_done(
    client: Client, draft: ModelVersion, marketing: User
) -> None:
    LeadFactory()
    publish_version(draft, by=None, note="", now=timezone.now())
    assert 'hx-get="/scoring/rescoring/"' in page(client, marketing, "/scoring/")
    assert "0 of 1 leads" in client.get("/scoring/rescoring/").content.decode()

    rescore_all(now=timezone.now())

    assert "All leads are scored" in client.get("/scoring/rescoring/").content.decode()
    assert "hx-get" not in client.get("/scoring/rescoring/").content.decode()


# Releasing


@pytest.fixture
def listed(active: ModelVersion) -> list[ReleaseItem]:
    """Thirty leads that qualify since the threshold was lowered."""
    leads = [
        LeadFactory(title="VP Sales", company=CompanyFactory(employee_count=200, industry="Software"))
        for _ in range(30)
    ]
    for lead in leads:
        do(lead, "Case Study Downloaded", timezone.now() - timedelta(days=1))
    harder = create_draft(based_on=active, by=None, now=timezone.now())
    ModelVersion.objects.filter(pk=harder.pk).update(threshold=90)
    publish_version(harder, by=None, note="", now=timezone.now())
    score_leads([lead.pk for lead in leads], now=timezone.now())
    easier = create_draft(based_on=active, by=None, now=timezone.now())
    ModelVersion.objects.filter(pk=easier.pk).update(threshold=40)
    publish_version(easier, by=None, note="", now=timezone.now())
    rescore_all(now=timezone.now())
    return list(ReleaseItem.objects.order_by("-listed_at", "-pk"))


def test_the_release_list_shows_what_drives_each_lead(
    client: Client, listed: list[ReleaseItem], marketing: User
) -> None:
    text = page(client, marketing, "/scoring/release/")

    assert "30 leads wait" in text
    assert text.count('name="item"') == 25
    assert listed[0].lead.name in text
    assert "Case study download" in text or "Job title" in text
    assert "30 leads qualify only because the rules changed" in page(client, marketing, "/scoring/")


def test_the_release_list_costs_the_same_for_any_number_of_leads(
    client: Client, listed: list[ReleaseItem], marketing: User, django_assert_num_queries
) -> None:
    client.force_login(marketing)
    client.get("/scoring/release/")

    with django_assert_num_queries(6):
        client.get("/scoring/release/")


def test_leads_are_released_and_kept_back_by_choice_or_all(
    client: Client, listed: list[ReleaseItem], marketing: User
) -> None:
    client.force_login(marketing)
    chosen = [str(item.pk) for item in listed[:2]]

    said = client.post("/scoring/release/", {"item": chosen, "decision": "release"}).content.decode()
    client.post("/scoring/release/", {"item": [str(listed[2].pk)], "decision": "keep"})
    assert "Released: 2 leads" in said
    assert ReleaseItem.objects.waiting().count() == 27
    client.post("/scoring/release/", {"which": "all", "decision": "release"})

    decisions = list(ReleaseItem.objects.values_list("decision", flat=True))
    assert (decisions.count("released"), decisions.count("dismissed")) == (29, 1)


@pytest.mark.parametrize("items", [[], ["x"], ["9" * 40]], ids=["none", "letters", "huge"])
def test_a_senseless_choice_is_answered_in_words(
    client: Client, active: ModelVersion, marketing: User, items: list[str]
) -> None:
    client.force_login(marketing)

    response = client.post("/scoring/release/", {"item": items, "decision": "release"})

    assert response.status_code == 422


def test_a_copied_version_cannot_be_fetched_by_get(
    client: Client, active: ModelVersion, marketing: User
) -> None:
    client.force_login(marketing)

    assert client.get("/scoring/1/copy/").status_code == 405


@pytest.mark.parametrize("copies", [0, 8])
def test_the_overview_costs_the_same_for_many_versions(
    client: Client, active: ModelVersion, reader: User, copies: int, django_assert_num_queries
) -> None:
    for _ in range(copies):
        create_draft(based_on=active, by=None, now=timezone.now())
    client.force_login(reader)
    client.get("/scoring/")

    with django_assert_num_queries(12):
        client.get("/scoring/")


# The panel of a lead


@pytest.fixture
def lead(active: ModelVersion, bdr: User) -> Lead:
    lead = LeadFactory(
        owner=bdr,
        team=bdr.team,
        title="VP Sales",
        company=CompanyFactory(employee_count=200, industry="Software"),
    )
    do(lead, "Case Study Downloaded", timezone.now() - timedelta(days=40))
    score_lead(lead, now=timezone.now())
    return lead


def test_the_panel_shows_a_ledger_that_adds_up_and_what_is_missing(
    client: Client, lead: Lead, bdr: User
) -> None:
    text = page(client, bdr, f"/scoring/leads/{lead.pk}/panel/")

    assert "Case study download: +15 each time" in text
    assert "+15 by the rule; " in text
    assert "Missing for an MQL" in text
    assert "+4 points: for example" in text
    assert "35 of 20 fit points" in text
    assert 'num strong">46<' in text


def test_a_bdr_sees_the_panel_of_visible_leads_only(
    client: Client, lead: Lead, other_bdr: User, stranger: User, marketing: User
) -> None:
    path = f"/scoring/leads/{lead.pk}/panel/"
    for person, status in ((other_bdr, 200), (marketing, 200), (stranger, 404)):
        client.force_login(person)
        assert client.get(path).status_code == status


def test_without_a_model_the_panel_says_so(client: Client, marketing: User) -> None:
    lead = LeadFactory()

    assert "Not scored" in page(client, marketing, f"/scoring/leads/{lead.pk}/panel/")


def test_the_panel_needs_a_login(client: Client, lead: Lead) -> None:
    assert client.get(f"/scoring/leads/{lead.pk}/panel/").status_code == 302


def test_the_panel_costs_few_queries(
    client: Client, lead: Lead, bdr: User, django_assert_num_queries
) -> None:
    client.force_login(bdr)
    path = f"/scoring/leads/{lead.pk}/panel/"
    client.get(path)

    with django_assert_num_queries(6):
        client.get(path)
