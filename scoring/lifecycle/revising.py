"""Editing signals: what a version counts stays as it is, and an edit makes the next revision (SCORE-1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from accounts.models import User
from common.errors import DomainError
from scoring.lifecycle.permissions import require_marketing
from scoring.lifecycle.versions import take_versions_lock
from scoring.models import ModelVersion, Rule, Signal, SignalCondition

Status = ModelVersion.Status


class SignalRevised(DomainError):
    """Somebody else's edit made a newer revision of it."""

    def __init__(self, signal: Signal) -> None:
        super().__init__(f"“{signal}” was edited meanwhile. Open it again and edit its newest definition.")


@transaction.atomic
def revise_signal(
    signal: Signal, *, conditions: Sequence[SignalCondition], by: User | None, now: datetime
) -> Signal:
    """Store a changed definition: `signal` as it is in memory, with these conditions instead of its own.

    What a published version counts stays as it is, as a retired revision, and drafts move on to the new one.
    Returns the row with the new definition: the same row while only drafts count it. Raises SignalRevised,
    NotAllowed.
    """
    require_marketing(by)
    take_versions_lock()
    stored = Signal.objects.select_for_update(no_key=True).get(pk=signal.pk)
    if stored.retired_at is not None:
        raise SignalRevised(stored)
    signal.backfilled_at = signal.backfilled_to = None
    if Rule.objects.filter(signal=stored).exclude(version__status=Status.DRAFT).exists():
        Signal.objects.filter(pk=stored.pk).update(retired_at=now)
        highest = Signal.objects.filter(key=stored.key).aggregate(Max("revision"))["revision__max"]
        signal.pk, signal.revision, signal.created_at = None, highest + 1, now
        signal.key, signal.retired_at = stored.key, None
        signal._state.adding = True
        signal.save()
        Rule.objects.filter(signal=stored, version__status=Status.DRAFT).update(signal=signal)
    else:
        signal.save()
        forget_hits(signal)
    SignalCondition.objects.filter(signal=signal).delete()
    for condition in conditions:
        condition.pk, condition.signal = None, signal
        condition._state.adding = True
    SignalCondition.objects.bulk_create(conditions)
    return signal


def forget_hits(signal: Signal) -> None:
    """What matched the old definition of a signal that no published version counts."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM scoring_signalhit WHERE signal_id = %s", [signal.pk])
