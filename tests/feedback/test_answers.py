"""Acceptance is feedback too, and so is the first conversation (FEED-3); the pulse (FEED-6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from feedback.acceptance import drivers_of, explain_acceptance
from feedback.models import AcceptanceReason, Pulse, QualityCheck
from feedback.pulses import ask_for_pulses, record_pulse
from feedback.quality import NoConversationYet, record_quality_check
from handoffs.acting import NotAcceptedYet
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from leads.models import LeadEvent
from tests.handoffs.test_api import client_of

HOUR = timedelta(hours=1)
FRAGMENT = {"HX-Request": "true"}
GOOD = {"really_qualified": "yes", "data_matched": "partly", "timing_right": "no", "conversation": 4}


@pytest.fixture
def accepted(handoff: Handoff, now: datetime) -> Handoff:
    return accept_handoff(handoff, by=handoff.owner, now=now)


@pytest.fixture
def spoken(accepted: Handoff, now: datetime) -> Handoff:
    """A handoff whose lead was reached."""
    record_attempt(accepted, channel="call", outcome="connected", by=accepted.owner, now=now)
    return accepted


@pytest.fixture
def as_owner(client: Client, handoff: Handoff) -> Client:
    client.force_login(handoff.owner)
    return client


# --- After the conversation ---------------------------------------------------------------------


def test_the_check_is_kept_and_its_answers_are_in_the_log_without_the_note(
    spoken: Handoff, now: datetime
) -> None:
    check = record_quality_check(spoken, **GOOD, note=" Nice ", by=spoken.owner, now=now)

    assert (check.conversation, check.note, check.by) == (4, "Nice", spoken.owner)
    assert LeadEvent.objects.get(kind=LeadEvent.Kind.QUALITY_CHECKED).detail == GOOD


def test_the_last_check_counts_and_the_same_one_changes_nothing(spoken: Handoff, now: datetime) -> None:
    record_quality_check(spoken, **GOOD, by=spoken.owner, now=now)
    record_quality_check(spoken, **GOOD, by=spoken.owner, now=now + HOUR)
    assert QualityCheck.objects.get().at == now

    record_quality_check(spoken, **GOOD | {"conversation": 1}, by=spoken.owner, now=now + HOUR)

    assert QualityCheck.objects.get().conversation == 1
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.QUALITY_CHECKED).count() == 2


def test_before_a_conversation_there_is_nothing_to_check(accepted: Handoff, now: datetime) -> None:
    record_attempt(accepted, channel="call", outcome="voicemail", by=accepted.owner, now=now)

    with pytest.raises(NoConversationYet):
        record_quality_check(accepted, **GOOD, by=accepted.owner, now=now)


@pytest.mark.parametrize(("name", "value"), [("timing_right", "maybe"), ("conversation", 6)])
def test_an_answer_nobody_offered_is_refused_by_name(
    spoken: Handoff, now: datetime, name: str, value: object
) -> None:
    with pytest.raises(InvalidInput) as refused:
        record_quality_check(spoken, **GOOD | {name: value}, by=spoken.owner, now=now)

    assert refused.value.field == name


def test_only_who_works_it_answers(spoken: Handoff, marketing: User, reader: User, now: datetime) -> None:
    for somebody in (marketing, reader):
        with pytest.raises(NotAllowed):
            record_quality_check(spoken, **GOOD, by=somebody, now=now)
        with pytest.raises(NotAllowed):
            explain_acceptance(spoken, note="Good", by=somebody, now=now)


def test_four_taps_are_a_check(as_owner: Client, spoken: Handoff) -> None:
    path = f"/handoffs/{spoken.pk}/quality-check/"

    unfinished = as_owner.post(path, {"really_qualified": "yes", "note": "Hm"}, headers=FRAGMENT)
    with_button = as_owner.post(path, {"really_qualified": "yes", "save": "yes"}, headers=FRAGMENT)
    finished = as_owner.post(path, GOOD, headers=FRAGMENT)

    assert (unfinished.status_code, unfinished.content) == (204, b"")
    assert with_button.status_code == 422
    assert (finished.status_code, finished["HX-Reswap"]) == (200, "none")
    assert QualityCheck.objects.get().data_matched == "partly"


# --- Why it was accepted ------------------------------------------------------------------------


def test_the_drivers_are_those_of_the_package_the_strongest_first(accepted: Handoff) -> None:
    assert drivers_of(accepted)[0] == "Demo request"
    assert len(set(drivers_of(accepted))) == len(drivers_of(accepted))


def test_a_tap_keeps_why(as_owner: Client, accepted: Handoff) -> None:
    path = f"/handoffs/{accepted.pk}/why-accepted/"

    kept = as_owner.post(path, {"drivers": ["Demo request"]}, headers=FRAGMENT)
    refused = as_owner.post(path, {"drivers": ["Horoscope"]}, headers=FRAGMENT)

    assert (kept.status_code, refused.status_code) == (200, 422)
    assert (kept["HX-Reswap"], b"<form" in kept.content) == ("none", False)  # the next tap may be on its way
    assert f"{accepted.owner}, <time" in kept.content.decode()
    assert b'name="redraw"' in refused.content
    settled = as_owner.post(path, {"drivers": ["Demo request"], "redraw": "yes"}, headers=FRAGMENT)
    assert ("HX-Reswap" in settled, b'name="redraw"' in settled.content) == (False, False)
    assert AcceptanceReason.objects.get().drivers == ["Demo request"]
    detail = LeadEvent.objects.get(kind=LeadEvent.Kind.ACCEPTANCE_EXPLAINED).detail
    assert detail == {"drivers": ["Demo request"]}


def test_what_is_not_accepted_has_no_reason_yet(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(NotAcceptedYet):
        explain_acceptance(handoff, drivers=["Demo request"], by=handoff.owner, now=now)


def test_an_answer_says_something(accepted: Handoff, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="Choose what mattered"):
        explain_acceptance(accepted, by=accepted.owner, now=now)


def test_the_api_takes_both(spoken: Handoff) -> None:
    api, path = client_of(spoken.owner), f"/api/v1/handoffs/{spoken.pk}/"

    why = api.post(f"{path}acceptance-reason/", {"drivers": ["Demo request"]}, format="json")
    check = api.post(f"{path}quality-check/", GOOD, format="json")
    wrong = api.post(f"{path}acceptance-reason/", {"drivers": ["Horoscope"]}, format="json")

    assert (why.status_code, why.json()["drivers"]) == (200, ["Demo request"])
    assert (check.status_code, check.json()["conversation"]) == (200, 4)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "drivers")


# --- The panel ----------------------------------------------------------------------------------


def test_the_panel_asks_what_it_is_time_for(as_owner: Client, handoff: Handoff, now: datetime) -> None:
    def panel() -> str:
        return as_owner.get(f"/feedback/handoff/{handoff.pk}/panel/", headers=FRAGMENT).content.decode()

    assert "<section" not in panel()
    accept_handoff(handoff, by=handoff.owner, now=now)
    assert "Why did you accept it?" in panel()
    assert "After the conversation" not in panel()
    record_attempt(handoff, channel="call", outcome="connected", by=handoff.owner, now=now)
    assert "After the conversation" in panel()


def test_others_read_the_answers(client: Client, spoken: Handoff, marketing: User, now: datetime) -> None:
    record_quality_check(spoken, **GOOD, by=spoken.owner, now=now)
    explain_acceptance(spoken, note="They have a budget", by=spoken.owner, now=now)
    client.force_login(marketing)

    panel = client.get(f"/feedback/handoff/{spoken.pk}/panel/", headers=FRAGMENT).content.decode()

    assert "4 of 5" in panel
    assert "They have a budget" in panel
    assert "<form" not in panel


def test_a_handoff_one_may_not_see_has_no_panel(client: Client, handoff: Handoff, stranger: User) -> None:
    client.force_login(stranger)

    assert client.get(f"/feedback/handoff/{handoff.pk}/panel/").status_code == 404
    assert client.post(f"/handoffs/{handoff.pk}/quality-check/", GOOD).status_code == 404


# --- The pulse ----------------------------------------------------------------------------------


def test_each_side_answers_for_itself_and_the_last_answer_of_a_month_counts(
    bdr: User, marketing: User, now: datetime
) -> None:
    record_pulse(bdr, score=3, now=now)
    record_pulse(bdr, score=8, comment="Better", now=now + HOUR)
    record_pulse(marketing, score=0, now=now)

    answers = list(Pulse.objects.order_by("side").values_list("side", "score", "month"))
    assert answers == [("marketing", 0, date(2026, 3, 1)), ("sales", 8, date(2026, 3, 1))]


def test_a_month_is_that_of_the_default_calendar(pool: object, bdr: User) -> None:
    record_pulse(bdr, score=5, now=datetime(2026, 3, 31, 23, 30, tzinfo=UTC))

    assert Pulse.objects.get().month == date(2026, 3, 1)


def test_only_the_two_sides_are_asked_from_0_to_10(bdr: User, operator: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        record_pulse(operator, score=5, now=now)
    for score in (-1, 11):
        with pytest.raises(InvalidInput, match="from 0 to 10"):
            record_pulse(bdr, score=score, now=now)


def test_everybody_who_has_not_answered_is_asked_once_a_month(
    bdr: User, other_bdr: User, marketing: User, operator: User, now: datetime
) -> None:
    record_pulse(bdr, score=5, now=now)

    for at in (now, now + HOUR):
        ask_for_pulses(now=at)

    asked = {user.username: user.notifications.count() for user in (bdr, other_bdr, marketing, operator)}
    assert asked == {"mara": 0, "theo": 1, "jo": 1, "ola": 0}


def test_the_page_asks_and_shows_the_trend(client: Client, bdr: User, reader: User) -> None:
    client.force_login(bdr)
    assert "quality of the leads" in client.get("/pulse/").content.decode()

    client.post("/pulse/", {"score": "7", "comment": "Good month"})
    missing = client.post("/pulse/", {"comment": "No number"})

    assert Pulse.objects.get().score == 7
    assert missing.status_code == 422
    assert "Change my answer" in client.get("/pulse/").content.decode()
    client.force_login(reader)
    assert "<form" not in client.get("/pulse/").content.decode().split('id="main"')[1]
    assert client.post("/pulse/", {"score": "7"}).status_code == 403
