"""The reject dialog: no reason, no rejection; and everything the reason asks for (QUEUE-2, QUEUE-5)."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.test import Client

from accounts.models import User
from feedback.models import RejectionReason, Verdict
from feedback.services import reject_handoff
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from leads.models import Lead
from tests.desk import offer, ready_lead, reason

FRAGMENT = {"HX-Request": "true", "HX-Current-URL": "http://testserver/queue/?selected=1"}
FROM_ITS_PAGE = {"HX-Request": "true", "HX-Current-URL": "http://testserver/handoffs/1/"}


@pytest.fixture
def as_owner(client: Client, handoff: Handoff) -> Client:
    client.force_login(handoff.owner)
    return client


@pytest.fixture
def colleague(handoff: Handoff, bdr: User, other_bdr: User) -> User:
    return other_bdr if handoff.owner == bdr else bdr


def address(handoff: Handoff) -> str:
    return f"/handoffs/{handoff.pk}/reject/"


def is_rejected(handoff: Handoff) -> bool:
    handoff.refresh_from_db()
    return handoff.status == Handoff.Status.REJECTED


# --- The dialog ----------------------------------------------------------------------------------


def test_strangers_are_sent_to_sign_in(client: Client, handoff: Handoff) -> None:
    assert client.get(address(handoff)).url == f"/login/?next=/handoffs/{handoff.pk}/reject/"


def test_another_pools_handoff_is_not_there(client: Client, handoff: Handoff, stranger: User) -> None:
    client.force_login(stranger)

    assert client.get(address(handoff)).status_code == 404
    assert client.post(address(handoff), {"reason": "premature"}).status_code == 404


def test_every_reason_in_use_stands_with_its_consequence(as_owner: Client, handoff: Handoff) -> None:
    RejectionReason.objects.filter(code="unreachable").update(is_active=False)

    dialog = as_owner.get(address(handoff), headers=FRAGMENT).content.decode()

    for each in RejectionReason.objects.filter(is_active=True):
        assert f'value="{each.code}"' in dialog
        assert each.promise in dialog
    assert 'value="unreachable"' not in dialog
    assert "<html" not in dialog


def test_without_script_it_is_a_page(as_owner: Client, handoff: Handoff) -> None:
    assert b"<html" in as_owner.get(address(handoff)).content


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{}, {"reason": ""}, {"reason": "nonsense"}, {"note": "no"}, {"reason": "\x00"}]
)
def test_no_reason_no_rejection(as_owner: Client, handoff: Handoff, given: dict[str, str]) -> None:
    response = as_owner.post(address(handoff), given, headers=FRAGMENT)

    assert response.status_code == 422
    assert 'id="reason-error"' in response.content.decode()
    assert not is_rejected(handoff)
    assert not Verdict.objects.exists()


def test_a_reason_that_is_no_longer_used_is_refused(as_owner: Client, handoff: Handoff) -> None:
    RejectionReason.objects.filter(code="premature").update(is_active=False)

    response = as_owner.post(address(handoff), {"reason": "premature"}, headers=FRAGMENT)

    assert response.status_code == 422
    assert not is_rejected(handoff)


def test_the_note_is_asked_for_where_the_reason_needs_it_and_the_choice_is_kept(
    as_owner: Client, handoff: Handoff
) -> None:
    needs_note = RejectionReason.objects.filter(requires_note=True).first()
    assert needs_note is not None

    response = as_owner.post(address(handoff), {"reason": needs_note.code, "note": " "}, headers=FRAGMENT)

    page = response.content.decode()
    assert response.status_code == 422
    assert "needs a note" in page
    chosen = page.partition(f'value="{needs_note.code}"')[2].partition(">")[0]
    assert "checked" in chosen
    assert not is_rejected(handoff)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("", "Name the lead that this one duplicates"),
        ("nobody@else.example", "No lead has this address"),
        ("not an address", "address"),
        ("itself", "A lead cannot duplicate itself"),
    ],
)
def test_a_duplicate_must_name_another_lead(
    as_owner: Client, handoff: Handoff, other: str, words: str
) -> None:
    given = {"reason": "duplicate", "duplicate_of": handoff.lead.email if other == "itself" else other}

    response = as_owner.post(address(handoff), given, headers=FRAGMENT)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not is_rejected(handoff)


def test_a_note_too_long_is_refused_and_kept(as_owner: Client, handoff: Handoff) -> None:
    note = "x" * 1001

    response = as_owner.post(address(handoff), {"reason": "premature", "note": note}, headers=FRAGMENT)

    assert response.status_code == 422
    assert note in response.content.decode()


def test_a_colleague_may_not_reject_what_is_not_theirs(
    client: Client, handoff: Handoff, colleague: User
) -> None:
    client.force_login(colleague)

    response = client.post(address(handoff), {"reason": "premature"}, headers=FRAGMENT)

    assert response.status_code == 403
    assert not is_rejected(handoff)


def test_a_stale_dialog_is_told_who_did_what_and_what_is_next(
    as_owner: Client, handoff: Handoff, manager: User, now: datetime
) -> None:
    reject_handoff(handoff, reason=reason("premature"), by=manager, via=Verdict.Via.PAGE, now=now)

    response = as_owner.post(address(handoff), {"reason": "unreachable"}, headers=FRAGMENT)

    assert response.status_code == 409
    assert f"{manager} rejected this" in response.content.decode()
    assert Verdict.objects.get().reason.code == "premature"


# --- Rejecting -----------------------------------------------------------------------------------


def test_from_the_queue_the_dialog_closes_and_the_next_lead_is_named(
    as_owner: Client, handoff: Handoff, now: datetime
) -> None:
    handoff.pool.memberships.exclude(user=handoff.owner).update(is_active=False)
    offer(ready_lead(now=now, first_name="Next"), now=now)

    response = as_owner.post(address(handoff), {"reason": "premature"}, headers=FRAGMENT)

    page = response.content.decode()
    assert is_rejected(handoff)
    assert response["HX-Retarget"] == "#pane"
    assert {"portal:close-dialogs", "portal:refresh"} <= set(json.loads(response["HX-Trigger"]))
    assert "Goes back to education, re-checked in 30 days" in page
    assert "Next Holm" in page


def test_from_its_own_page_it_leads_back_to_the_queue(as_owner: Client, handoff: Handoff) -> None:
    response = as_owner.post(address(handoff), {"reason": "premature"}, headers=FROM_ITS_PAGE)

    assert response["HX-Redirect"] == "/queue/"
    assert b"Lea Holm: Premature" in as_owner.get("/queue/").content


def test_without_script_it_leads_back_to_the_queue(as_owner: Client, handoff: Handoff) -> None:
    response = as_owner.post(address(handoff), {"reason": "premature"}, follow=True)

    assert response.redirect_chain == [("/queue/", 302)]
    assert b"Lea Holm: Premature" in response.content


def test_a_double_click_makes_one_verdict(as_owner: Client, handoff: Handoff) -> None:
    for _ in range(2):
        assert as_owner.post(address(handoff), {"reason": "premature"}, headers=FRAGMENT).status_code == 200

    assert Verdict.objects.count() == 1


def test_the_duplicate_is_linked_to_the_lead_one_named(
    as_owner: Client, handoff: Handoff, now: datetime
) -> None:
    handoff.pool.memberships.exclude(user=handoff.owner).update(is_active=False)
    other = offer(ready_lead(now=now), now=now).lead

    as_owner.post(
        address(handoff),
        {"reason": "duplicate", "duplicate_of": f" {other.email.upper()} "},
        headers=FRAGMENT,
    )

    assert Verdict.objects.get().duplicate_of == other
    panel, others_panel = (
        as_owner.get(f"/feedback/lead/{pk}/panel/").content.decode() for pk in (handoff.lead_id, other.pk)
    )
    assert f'Same person as <a href="/leads/{other.pk}/">' in panel
    assert f'<a href="/leads/{handoff.lead_id}/">Lea Holm</a> is the same person' in others_panel


def test_a_rejection_says_what_was_seen_and_what_becomes_of_the_lead(
    as_owner: Client, handoff: Handoff
) -> None:
    as_owner.post(address(handoff), {"reason": "premature", "note": "Budget is in spring"})

    panel = as_owner.get(f"/feedback/handoff/{handoff.pk}/panel/").content.decode()
    log = as_owner.get(f"/leads/{handoff.lead_id}/").content.decode()

    assert "Budget is in spring" in panel
    assert "Goes back to education, re-checked in 30 days." in panel
    assert "Premature; by page" in log


def test_the_dialog_follows_a_changed_delay(as_owner: Client, handoff: Handoff) -> None:
    RejectionReason.objects.filter(code="premature").update(recycle_after_days=45)

    dialog = as_owner.get(address(handoff), headers=FRAGMENT).content.decode()

    assert "Goes back to education, re-checked in 45 days." in dialog


def test_the_duplicate_may_be_a_strangers_lead_and_nothing_is_told_of_it(
    as_owner: Client, handoff: Handoff, stranger: User, now: datetime
) -> None:
    """FEED-2: linked to the other lead, and its owner told."""
    other = ready_lead(now=now, first_name="Orla", last_name="Quist")
    Lead.objects.filter(pk=other.pk).update(owner=stranger)

    answer = as_owner.post(
        address(handoff), {"reason": "duplicate", "duplicate_of": other.email}, headers=FRAGMENT
    )
    panel = as_owner.get(f"/feedback/lead/{handoff.lead_id}/panel/").content.decode()
    handoffs_panel = as_owner.get(f"/feedback/handoff/{handoff.pk}/panel/").content.decode()

    assert Verdict.objects.get().duplicate_of == other
    assert stranger.notifications.get().title == "Orla Quist was entered twice"
    assert "Same person as another lead." in panel
    assert "Same person as another lead." in handoffs_panel
    assert not any("Quist" in page for page in (answer.content.decode(), panel, handoffs_panel))


def test_the_dialog_says_how_many_attempts_a_reason_needs_before_it_is_chosen(
    as_owner: Client, handoff: Handoff, now: datetime
) -> None:
    before = as_owner.get(address(handoff), headers=FRAGMENT).content.decode()
    refused = as_owner.post(address(handoff), {"reason": "unreachable"}, headers=FRAGMENT)
    accept_handoff(handoff, by=handoff.owner, now=now)
    record_attempt(handoff, channel="call", outcome="no_answer", by=handoff.owner, now=now)
    after = as_owner.get(address(handoff), headers=FRAGMENT).content.decode()

    assert "shows up again. Needs 1 logged attempt, 0 so far." in before
    assert 'name="straight" value="unreachable"' not in before
    assert refused.status_code == 422
    assert "needs 1 attempt to reach the lead first; logged: 0" in refused.content.decode()
    assert "shows up again. Needs 1 logged attempt.<" in after
    assert 'name="straight" value="unreachable"' in after


def test_after_contact_it_can_be_returned(as_owner: Client, handoff: Handoff, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)

    dialog = as_owner.get(address(handoff), headers=FRAGMENT).content.decode()
    as_owner.post(address(handoff), {"reason": "no-budget", "note": "None this year"}, headers=FRAGMENT)

    assert "Return to marketing" in dialog
    assert is_rejected(handoff)
