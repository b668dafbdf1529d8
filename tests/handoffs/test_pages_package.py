"""The package on its page, on paper and as text (HAND-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from handoffs.models import ContextPackage, Handoff, Playbook, Pool
from handoffs.package.content import hash_content
from leads.models import Lead
from leads.services import correct_lead
from tests.desk import do, offer, ready_lead
from tests.factories import HandoffFactory


@pytest.fixture
def as_owner(client: Client, handoff: Handoff) -> Client:
    client.force_login(handoff.owner)
    return client


def page_of(client: Client, handoff: Handoff, action: str = "") -> str:
    response = client.get(f"/handoffs/{handoff.pk}/{action}")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("action", ["print/", "package.txt"])
def test_strangers_find_no_package(client: Client, handoff: Handoff, stranger: User, action: str) -> None:
    assert client.get(f"/handoffs/{handoff.pk}/{action}").url.startswith("/login/")
    client.force_login(stranger)

    assert client.get(f"/handoffs/{handoff.pk}/{action}").status_code == 404


@pytest.mark.parametrize("action", ["print/", "package.txt"])
def test_whoever_works_it_has_seen_it_on_paper_too(as_owner: Client, handoff: Handoff, action: str) -> None:
    page = page_of(as_owner, handoff, action)

    assert "Lea Holm" in page
    assert "Book the demo with everybody who decides" in page
    handoff.refresh_from_db()
    assert handoff.opened_by == handoff.owner


def test_paper_tells_warmth_and_the_two_halves_of_the_score(as_owner: Client, handoff: Handoff) -> None:
    score = handoff.package.content["score"]

    page = page_of(as_owner, handoff, "print/")

    assert f"category {handoff.category}, hand-raiser, score {handoff.score} " in page
    assert f"(fit {score['fit']}, engagement {score['engagement']})" in page


def test_marketing_reads_on_paper_without_opening_it(
    client: Client, handoff: Handoff, marketing: User
) -> None:
    client.force_login(marketing)

    page_of(client, handoff, "print/")

    handoff.refresh_from_db()
    assert handoff.opened_at is None


def test_the_text_is_text_in_the_reader_s_zone(as_owner: Client, handoff: Handoff) -> None:
    User.objects.filter(pk=handoff.owner_id).update(time_zone="Asia/Tokyo")

    response = as_owner.get(f"/handoffs/{handoff.pk}/package.txt")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert "Tue 3 Mar 2026, 21:00, Demo Requested, demo" in response.content.decode()


def test_a_handoff_from_elsewhere_has_no_text_but_prints(client: Client, manager: User) -> None:
    handoff = HandoffFactory()
    client.force_login(manager)

    assert client.get(f"/handoffs/{handoff.pk}/package.txt").status_code == 404
    assert "No package was frozen" in page_of(client, handoff, "print/")


def test_news_since_the_handoff_stands_above_the_package(
    as_owner: Client, handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    assert "Since the handoff" not in page_of(as_owner, handoff)
    do(lead, "Page Viewed", now=now + timedelta(hours=1), title="Prices <b>")
    correct_lead(lead, changes={"budget": "40k"}, by=marketing, at=now + timedelta(hours=1), via="page")

    page = page_of(as_owner, handoff)

    assert "Since the handoff" in page
    assert "Prices &lt;b&gt;" in page
    assert "is known now" in page


def test_objections_stand_beside_their_answers(as_owner: Client, handoff: Handoff) -> None:
    page = page_of(as_owner, handoff)

    assert "<dt>“Send me the prices”</dt>" in page
    assert "<dd>ask for the number of users first, then send a range</dd>" in page
    assert "Playbook: Asked for a demo" in page


def test_the_page_proves_that_the_package_is_what_the_rep_saw(
    as_owner: Client, handoff: Handoff, client: Client, pool: Pool, now: datetime
) -> None:
    assert f"<code>{handoff.package.content_hash[:8]}</code>" in page_of(as_owner, handoff)

    other = HandoffFactory(lead=ready_lead(now=now), pool=pool, owner=handoff.owner)
    content = handoff.package.content
    ContextPackage.objects.create(
        handoff=other,
        content=content | {"urgency": ["Never said"]},
        content_hash=hash_content(content),
        completeness=100,
        frozen_at=now,
    )
    assert "the fingerprint differs" in page_of(as_owner, other)


def test_what_was_not_known_is_named_on_the_page(
    client: Client, pool: Pool, marketing: User, now: datetime
) -> None:
    handoff = offer(ready_lead(now=now, phone=""), now=now)
    client.force_login(handoff.owner)

    page = page_of(client, handoff)

    assert "85 % complete" in page
    assert "Not known at the handoff: Phone" in page


def test_a_package_frozen_before_this_version_is_shown(
    client: Client, pool: Pool, bdr: User, handoff: Handoff, now: datetime
) -> None:
    """Frozen content never changes, so every reader copes with its first shape."""
    Playbook.objects.update(is_active=False)
    old = HandoffFactory(lead=ready_lead(now=now), pool=pool, owner=bdr)
    score = {"total": 50, "fit": 0, "engagement": 50, "category": "A", "warmth": "cold", "lines": []}
    content = {
        "contact": {"name": "Lea Holm", "title": "", "email": "l@n.example", "phone": "", "country": ""},
        "company": {"name": "", "domain": "", "employee_count": None, "industry": ""},
        "answers": {"budget": "", "timeline": "", "current_solution": "", "pain_point": ""},
        "source": {"source": "", "campaign": ""},
        "score": score,
        "timeline": [{"at": now.isoformat(), "event": "Page Viewed", "detail": "Prices"}],
        "previous": [],
        "urgency": [],
        "first_contact": {
            "playbook": "P", "channel": "Call", "timing": "Now", "opening_line": "Hello", "topics": [],
            "objections": ["“Too dear”: ask why"], "next_step": "Meet",
        },
    }  # fmt: skip
    ContextPackage.objects.create(
        handoff=old, content=content, content_hash=hash_content(content), completeness=100, frozen_at=now
    )
    client.force_login(bdr)

    for action in ("", "print/", "package.txt"):
        page = page_of(client, old, action)
        assert "Too dear" in page
        assert "Prices" in page
