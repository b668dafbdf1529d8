"""No more automatic e-mail: by the link of an e-mail, by a mail program's button, by marketing (NOTE-5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from common.throttling import PublicThrottle
from leads.models import Activity, AttributeChange, Lead, LeadEvent
from leads.unsubscribing import (
    find_by_token,
    record_subscribed_again,
    record_unsubscribed,
    subscribed_again_at,
    unsubscribe_link,
)
from tests.factories import NOON, LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Lead:
    return LeadFactory(first_name="Ada", last_name="Berger", email="ada@nordwind.example")


@pytest.fixture
def path(lead: Lead) -> str:
    return unsubscribe_link(lead).removeprefix("http://localhost:8000")


def test_looking_asks_and_changes_nothing(client: Client, lead: Lead, path: str) -> None:
    page = client.get(path)

    assert page.status_code == 200
    assert "No more automatic e-mail?" in page.content.decode()
    lead.refresh_from_db()
    assert lead.unsubscribed_at is None


def test_the_page_says_nothing_about_the_lead_and_is_not_kept(client: Client, path: str) -> None:
    for page in (client.get(path), client.post(path)):
        assert not any(word in page.content.decode() for word in ("Ada Berger", "Berger", "nordwind"))
        assert "no-store" in page["Cache-Control"]


def test_a_mail_programs_one_click_unsubscribes_once(lead: Lead, path: str) -> None:
    """RFC 8058: a POST from nowhere, without cookies, answered without a redirect."""
    outside = Client(enforce_csrf_checks=True)
    body = "List-Unsubscribe=One-Click"
    form = "application/x-www-form-urlencoded"

    answers = [outside.post(path, body, content_type=form).status_code for _ in range(2)]

    assert answers == [200, 200]
    lead.refresh_from_db()
    assert lead.unsubscribed_at is not None
    [change] = AttributeChange.objects.filter(lead=lead)
    assert (change.field, change.source, change.by) == ("unsubscribed_at", "link", None)
    assert list(Activity.objects.values_list("lead", "event")) == [(lead.pk, "Email Unsubscribed")]
    [entry] = LeadEvent.objects.filter(lead=lead)
    assert (entry.kind, entry.detail) == (
        LeadEvent.Kind.ATTRIBUTES_CHANGED,
        {"fields": ["unsubscribed_at"], "via": "link"},
    )
    assert lead.revision == 1


@pytest.mark.parametrize("cut", [1, 30, 75], ids=["a sign", "half the signature", "nearly all"])
def test_a_link_that_is_not_complete_does_nothing(client: Client, lead: Lead, path: str, cut: int) -> None:
    answer = client.post(path[: -1 - cut] + "/")

    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()
    assert not AttributeChange.objects.exists()


def test_a_link_leads_to_its_own_lead_only(lead: Lead) -> None:
    other = LeadFactory()

    token = unsubscribe_link(other).rstrip("/").rpartition("/")[2]

    assert find_by_token(token) == other


def test_who_asks_too_often_is_told_to_wait(
    client: Client, lead: Lead, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(PublicThrottle, "rate", "2/day", raising=False)

    # Whoever they claim to speak for: without a proxy nobody's word on that counts.
    answers = [client.post(path, headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    cache.clear()


def test_marketing_takes_it_down_and_back_on_the_page(client: Client, marketing: User, lead: Lead) -> None:
    client.force_login(marketing)

    said = client.post(f"/leads/{lead.pk}/unsubscribe/", follow=True).content.decode()
    assert "Ada Berger gets no automatic e-mail any more." in said
    assert "Allow it again" in said
    said = client.post(f"/leads/{lead.pk}/subscribe/", follow=True).content.decode()

    assert "They want none" in said
    lead.refresh_from_db()
    assert lead.unsubscribed_at is None
    assert AttributeChange.objects.filter(lead=lead, by=marketing).count() == 2


def test_reps_see_it_and_do_not_change_it(client: Client, bdr: User, lead: Lead) -> None:
    lead.owner = bdr
    lead.save(update_fields=["owner"])
    client.force_login(bdr)

    assert client.post(f"/leads/{lead.pk}/unsubscribe/").status_code == 403
    assert "They want none" not in client.get(f"/leads/{lead.pk}/").content.decode()


def test_what_was_taken_back_no_longer_holds_and_may_come_again(lead: Lead, marketing: User) -> None:
    later, much_later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    assert record_unsubscribed(lead, by=None, at=NOON, via="link")
    assert record_subscribed_again(lead, by=marketing, at=later)
    assert not record_subscribed_again(lead, by=marketing, at=later)
    assert subscribed_again_at(lead) == later

    assert record_unsubscribed(lead, by=None, at=much_later, via="link")

    lead.refresh_from_db()
    assert lead.unsubscribed_at == much_later
    assert Activity.objects.filter(lead=lead).count() == 2
