"""POST /api/v1/handoffs/<id>/reject/ (QUEUE-2)."""

from __future__ import annotations

from datetime import datetime

from rest_framework.response import Response

from feedback.models import RejectionReason
from handoffs.models import Handoff
from leads.models import Lead
from tests.desk import ready_lead
from tests.handoffs.test_api import client_of, path


def test_rejecting_without_a_reason_is_refused(handoff: Handoff) -> None:
    for body in ({}, {"reason": ""}, {"reason": None, "note": "No"}):
        response = client_of(handoff.owner).post(path(handoff, "reject/"), body, format="json")

        assert (response.status_code, response.json()["field"]) == (422, "reason")
        assert response.json()["code"] == "reason_required"

    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.OFFERED


def test_an_unknown_reason_is_refused_with_those_that_exist(handoff: Handoff) -> None:
    response = client_of(handoff.owner).post(path(handoff, "reject/"), {"reason": "bored"}, format="json")

    assert response.status_code == 422
    assert "wrong-icp, premature, duplicate" in response.json()["detail"]


def test_rejecting_answers_where_the_lead_stands_and_when_it_wakes(handoff: Handoff) -> None:
    body = {"reason": "premature", "note": "Next year"}

    response = client_of(handoff.owner).post(path(handoff, "reject/"), body, format="json")

    answer = response.json()
    lead = Lead.objects.get(pk=handoff.lead_id)
    assert response.status_code == 200
    assert (answer["status"], answer["stage"], answer["reason"]) == ("rejected", "nurture", "premature")
    assert (answer["by"], answer["via"], answer["note"]) == (handoff.owner.username, "api", "Next year")
    assert datetime.fromisoformat(answer["wake_at"]) == lead.held_until


def test_the_reasons_are_listed_with_what_they_ask_for(handoff: Handoff) -> None:
    RejectionReason.objects.filter(code="wrong-icp").update(is_active=False)

    reasons = client_of(handoff.owner).get("/api/v1/rejection-reasons/").json()

    assert [reason["code"] for reason in reasons[:3]] == ["premature", "duplicate", "unreachable"]
    assert reasons[0]["consequence"] == "Goes back to education, re-checked in 30 days."
    assert [reason["requires_attempts"] for reason in reasons[:3]] == [0, 0, 1]


def test_a_reason_that_wants_more_says_so(handoff: Handoff) -> None:
    api = client_of(handoff.owner)

    note = api.post(path(handoff, "reject/"), {"reason": "bad-data"}, format="json")
    other = api.post(path(handoff, "reject/"), {"reason": "duplicate"}, format="json")

    tried = api.post(path(handoff, "reject/"), {"reason": "unreachable"}, format="json")

    assert (note.status_code, note.json()["field"]) == (422, "note")
    assert (other.status_code, other.json()["field"]) == (422, "duplicate_of")
    assert (tried.status_code, tried.json()["field"]) == (422, "reason")
    assert tried.json()["detail"] == "“Unreachable” needs 1 attempt to reach the lead first; logged: 0."


def test_a_duplicate_is_named_by_an_id_one_may_see_or_by_any_address(handoff: Handoff, now: datetime) -> None:
    unseen = ready_lead(now=now)
    api = client_of(handoff.owner)

    def reject_as(**other: object) -> Response:
        return api.post(path(handoff, "reject/"), {"reason": "duplicate", **other}, format="json")

    by_id = reject_as(duplicate_of=unseen.pk)
    unknown = reject_as(duplicate_email="nobody@else.example")
    taken = reject_as(duplicate_email=unseen.email.upper())

    assert (by_id.status_code, by_id.json()["field"]) == (422, "duplicate_of")
    assert by_id.json()["detail"] == "There is no such lead. Name another's by its address."
    assert (unknown.status_code, unknown.json()["field"]) == (422, "duplicate_email")
    assert (taken.status_code, taken.json()["duplicate_of"]) == (200, unseen.pk)


def test_rejecting_twice_answers_the_same(handoff: Handoff) -> None:
    api = client_of(handoff.owner)

    first = api.post(path(handoff, "reject/"), {"reason": "no-need"}, format="json")
    second = api.post(path(handoff, "reject/"), {"reason": "no-need"}, format="json")

    assert (second.status_code, second.json()) == (200, first.json())
