"""The crowd asks for what the page asks for, and its books notice what must not be."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from bench.crowd.browser import Browser
from bench.crowd.diary import Diary, faults
from bench.crowd.people import Bdr, without_waiting
from bench.sessions import session_cookie
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from leads.models import LeadEvent
from leads.services import log_event
from tests.desk import handoff, lead, load_desk, offer, pool, ready_lead

__all__ = ["handoff", "lead", "pool"]


def test_a_day_through_the_pages_is_answered_without_an_error_and_is_on_record(
    live_server: Any, bdr: User
) -> None:
    now = timezone.now()
    load_desk(now=now)
    for _ in range(5):
        offer(ready_lead(now=now), now=now)
    diary = Diary()
    port = int(live_server.url.rpartition(":")[2])
    browser = Browser(port, user_id=bdr.pk, cookie=session_cookie(bdr), diary=diary)

    Bdr(browser, chance=random.Random(7)).work(comes_at=0, leaves_at=330, wait=without_waiting)

    assert diary.errors() == {}
    assert {"accept", "reject", "attempt"} <= {act for act, _, _ in diary.done}
    assert {"poll, no news", "refresh", "panel", "reject dialog"} <= diary.milliseconds().keys()
    assert faults(diary.done) == []


def test_an_act_that_was_answered_and_is_not_on_record_is_found(handoff: Handoff, bdr: User) -> None:
    [said] = faults([("reject", handoff.pk, bdr.pk)])

    assert said == f"User {bdr.pk} was told 1 times that handoff {handoff.pk} is rejected; on record: 0."


def test_an_act_on_record_that_nobody_was_told_of_is_found(
    handoff: Handoff, bdr: User, now: datetime
) -> None:
    accept_handoff(handoff, by=bdr, now=now)

    assert faults([("accept", handoff.pk, bdr.pk)]) == []
    assert len(faults([])) == 1


@pytest.mark.parametrize("kind", [LeadEvent.Kind.ACCEPTED, LeadEvent.Kind.CLAIMED])
def test_a_handoff_taken_twice_is_found(
    handoff: Handoff, bdr: User, other_bdr: User, now: datetime, kind: LeadEvent.Kind
) -> None:
    for by in (bdr, other_bdr):
        log_event(handoff.lead, kind, at=now, by=by, handoff_id=handoff.pk)

    assert f"Handoff {handoff.pk} was {kind} 2 times." in faults([])
