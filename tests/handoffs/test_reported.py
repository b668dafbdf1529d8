"""What sales did in Salesforce is taken over as done: no gate is asked, and the log says so (CRM-3)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from handoffs.models import Handoff
from handoffs.reported import OwnedByNobody, accept_as_reported, open_deal_as_reported
from handoffs.routing.reassignment import reassign_handoff
from leads.models import Lead, LeadEvent
from sla.models import Clock, Target

HOUR = timedelta(hours=1)


def kinds(handoff: Handoff) -> list[str]:
    return list(LeadEvent.objects.filter(handoff_id=handoff.pk).order_by("id").values_list("kind", flat=True))


def test_an_acceptance_counts_from_when_it_was_done_there(handoff: Handoff, now: datetime) -> None:
    done_at = now + HOUR

    assert accept_as_reported(handoff, at=done_at)

    handoff.refresh_from_db()
    assert (handoff.status, handoff.accepted_by, handoff.accepted_at) == ("accepted", handoff.owner, done_at)
    clock = Clock.objects.get(handoff_id=handoff.pk, kind=Target.Kind.DECISION)
    assert (clock.outcome, clock.stopped_at) == (Clock.Outcome.DONE, done_at)
    entry = LeadEvent.objects.get(kind=LeadEvent.Kind.ACCEPTED)
    assert (entry.by, entry.detail) == (None, {"via": "salesforce"})
    assert Lead.objects.get().stage == Lead.Stage.SAL


def test_it_is_never_accepted_before_its_owner_had_it(handoff: Handoff, now: datetime) -> None:
    accept_as_reported(handoff, at=now - HOUR)

    handoff.refresh_from_db()
    assert handoff.accepted_at == handoff.offered_at


def test_accepting_again_changes_nothing(handoff: Handoff, now: datetime) -> None:
    accept_as_reported(handoff, at=now)
    before = kinds(handoff)

    assert not accept_as_reported(handoff, at=now + HOUR)

    assert kinds(handoff) == before


def test_a_deal_makes_it_an_sql_without_bant(handoff: Handoff, now: datetime) -> None:
    done_at = now + HOUR

    assert open_deal_as_reported(handoff, at=done_at)
    assert not open_deal_as_reported(handoff, at=done_at + HOUR)

    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.OPPORTUNITY
    assert (handoff.accepted_at, handoff.first_contact_at, handoff.qualified_at) == (done_at,) * 3
    assert handoff.opportunity.opened_at == done_at
    assert not Clock.objects.running().exclude(kind=Target.Kind.CRM_TRANSFER).exists()
    assert LeadEvent.objects.get(kind=LeadEvent.Kind.QUALIFIED).detail == {"via": "salesforce"}
    assert Lead.objects.get().stage == Lead.Stage.OPPORTUNITY


def test_what_nobody_owns_waits_for_a_manager(handoff: Handoff, manager: User, now: datetime) -> None:
    reassign_handoff(handoff, to=None, by=manager, now=now, reason="Let them choose")

    with pytest.raises(OwnedByNobody):
        accept_as_reported(handoff, at=now)
    with pytest.raises(OwnedByNobody):
        open_deal_as_reported(handoff, at=now)

    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.OFFERED


def test_an_owner_chosen_there_gets_it_here(handoff: Handoff, other_bdr: User, now: datetime) -> None:
    reassign_handoff(handoff, to=other_bdr, by=None, now=now + HOUR, reason="In Salesforce")

    handoff.refresh_from_db()
    assert handoff.owner == other_bdr
    moved = LeadEvent.objects.filter(kind=LeadEvent.Kind.ASSIGNED).latest("id")
    assert (moved.by, moved.detail["why"]) == (None, "Owner changed in Salesforce")
