"""What marketing promises sales for a month (SLA-8)."""

from __future__ import annotations

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from feedback.models import Commitment
from feedback.pulses import month_of
from handoffs.acting import require_role

PROMISERS = (User.Role.MARKETING, User.Role.MANAGER)


@transaction.atomic
def commit_to_month(month: date, *, mqls: int, good_percent: int, by: User, now: datetime) -> Commitment:
    """Promise so many MQLs of such quality for a month; the last word before the month ends holds.

    Promising the same again changes nothing. Raises InvalidInput, also for a month that is over; NotAllowed.
    """
    require_role(by, *PROMISERS, act="promise leads for a month")
    month = month.replace(day=1)
    if month < month_of(now):
        raise InvalidInput("This month is over: what was promised for it stays.", field="month")
    given = {"mqls": mqls, "good_percent": good_percent, "by": by, "at": now}
    _require_possible(Commitment(month=month, **given))
    commitment, is_new = Commitment.objects.get_or_create(month=month, defaults=given)
    if not is_new:
        kept = Commitment.objects.filter(pk=commitment.pk)
        kept.exclude(mqls=mqls, good_percent=good_percent).update(**given)
        commitment.refresh_from_db()
    return commitment


def _require_possible(commitment: Commitment) -> None:
    try:
        commitment.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        field, words = next(iter(error.message_dict.items()))
        raise InvalidInput(words[0], field=field) from error
