"""The pulse (FEED-6): once a month, 0 to 10: sales on the quality of leads, marketing on the follow-up."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from feedback.models import Pulse
from handoffs.acting import allow_text
from notifications.models import Notification
from notifications.services import notify_users
from sla.calendars import house_zone

BEST = 10
PULSE_COMMENT_LENGTH = 500
SIDE_OF_ROLE = {
    User.Role.BDR: Pulse.Side.SALES,
    User.Role.MANAGER: Pulse.Side.SALES,
    User.Role.MARKETING: Pulse.Side.MARKETING,
}
QUESTIONS = {
    Pulse.Side.SALES: "How satisfied are you with the quality of the leads you get?",
    Pulse.Side.MARKETING: "How satisfied are you with how sales follows up on your leads?",
}


@transaction.atomic
def record_pulse(person: User, *, score: int, comment: str = "", now: datetime) -> Pulse:
    """Keep how satisfied the person is this month; the last answer of a month counts.

    Raises InvalidInput, NotAllowed for those who are on neither side.
    """
    side = side_of(person)
    if side is None or not person.is_active:
        raise NotAllowed("The pulse asks sales and marketing.")
    if not 0 <= score <= BEST:
        raise InvalidInput(f"Choose a number from 0 to {BEST}.", field="score")
    comment = allow_text(comment, field="comment", length=PULSE_COMMENT_LENGTH)
    pulse, _ = Pulse.objects.update_or_create(
        person=person,
        month=month_of(now),
        defaults={"side": side, "score": score, "comment": comment, "at": now},
    )
    return pulse


def ask_for_pulses(*, now: datetime) -> int:
    """Invite everybody on either side who has not answered this month; say how many. Each is invited once a
    month, however often this runs."""
    month = month_of(now)
    answered = Pulse.objects.filter(month=month).values("person")
    invited = list(User.objects.filter(role__in=SIDE_OF_ROLE, is_active=True).exclude(pk__in=answered))
    notify_users(
        invited,
        kind=Notification.Kind.TASK,
        dedupe_key=f"pulse-{month:%Y-%m}",
        title="How is the handoff going?",
        body="One number from 0 to 10, once a month.",
        url=reverse("feedback:pulse"),
        now=now,
    )
    return len(invited)


def side_of(person: User) -> Pulse.Side | None:
    return SIDE_OF_ROLE.get(User.Role(person.role))


def month_of(now: datetime) -> date:
    """The first day of the month, where the default calendar is."""
    return now.astimezone(house_zone()).date().replace(day=1)
