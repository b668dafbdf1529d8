"""Amnesty: time in which the system itself was down is given back to the clocks that ran in it (SLA-7).

What an incident does to a clock is told in `sla.amnesty`; here it is declared, withdrawn and carried out. The
mark is `Incident.pending_at`: a few clocks are settled at once, many by a worker, batch by batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from common.bulk import among
from common.errors import DomainError, InvalidInput, NotAllowed
from common.parking import begin_attempt, forget_failure, keep_failure
from common.queue import enqueue
from leads.models import Lead
from sla.amnesty import Window, excuse_clocks, plan_excuses, take_excuses_back
from sla.models import Clock, ClockQuerySet, Incident

log = structlog.get_logger(__name__)

# So many clocks are settled while the person waits; more are left to a worker.
AT_ONCE = 1000
# Leads one transaction locks: few enough that a verb never waits long for one.
BATCH = 200
# Then a worker makes room for other tasks; the next one goes on.
MOST_BATCHES = 50
# Nobody declares an outage of last year: the year was mistyped.
OLDEST = timedelta(days=365)

ROLES = (User.Role.MANAGER, User.Role.OPERATOR)


class IncidentWithdrawn(DomainError):
    code = "incident_withdrawn"


@dataclass(frozen=True)
class Preview:
    """What declaring an incident would do, as far as it was looked at."""

    clocks: int
    """That would get time back."""
    moved: int
    """Of these, whose deadline is later then."""
    forgiven: int
    """Of these, missed now and in time then."""
    is_partial: bool
    """More clocks ran in it than were looked at."""


def may_declare(user: User) -> bool:
    """Declare an incident, and withdraw one."""
    return user.role in ROLES


def preview_incident(*, started_at: datetime, ended_at: datetime, now: datetime) -> Preview:
    """Say what an incident would do to the first AT_ONCE clocks that ran in it. Raises InvalidInput."""
    window = _check_window(started_at, ended_at, now=now)
    ran = list(_ran_in(window).order_by("id")[: AT_ONCE + 1])
    excuses = plan_excuses(ran[:AT_ONCE], window, now=now)
    return Preview(
        clocks=len(excuses),
        moved=sum(excuse.moves for excuse in excuses),
        forgiven=sum(excuse.forgives for excuse in excuses),
        is_partial=len(ran) > AT_ONCE,
    )


def declare_incident(
    *, what: str, started_at: datetime, ended_at: datetime, by: User, now: datetime
) -> Incident:
    """Give the time of an outage back to every clock that ran in it. Raises InvalidInput, NotAllowed.

    Up to AT_ONCE clocks are settled before this returns. With more, the incident stays pending and a worker
    goes on; so it does after a crash. Each batch is a transaction: leads locked by one are free before the
    next waits for any.
    """
    _require_role(by)
    window = _check_window(started_at, ended_at, now=now)
    incident = Incident.objects.create(
        what=_check_what(what),
        started_at=window.start,
        ended_at=window.end,
        declared_at=now,
        declared_by=by,
        pending_at=now,
    )
    _settle_or_leave(incident, is_much=_ran_in(window)[: AT_ONCE + 1].count() > AT_ONCE, now=now)
    return incident


def withdraw_incident(incident: Incident, *, by: User, now: datetime) -> Incident:
    """Declared in error: take the time back, as if the incident had not been. The row stays as history.

    It goes in batches, as declaring it did. Raises IncidentWithdrawn when somebody has done so already,
    NotAllowed.
    """
    _require_role(by)
    incident = _mark_withdrawn(incident, by=by, now=now)
    _settle_or_leave(incident, is_much=incident.pauses.all()[: AT_ONCE + 1].count() > AT_ONCE, now=now)
    return incident


@transaction.atomic
def _mark_withdrawn(incident: Incident, *, by: User, now: datetime) -> Incident:
    # Waits for a worker that is in the middle of a batch of it.
    incident = Incident.objects.select_for_update(of=("self",)).get(pk=incident.pk)
    if incident.withdrawn_at:
        raise IncidentWithdrawn(f"{incident.withdrawn_by} has withdrawn this already.")
    incident.withdrawn_at, incident.withdrawn_by = now, by
    incident.pending_at, incident.reached_id = now, 0
    # What could not be given may well be taken back.
    incident.attempts, incident.parked_at, incident.error = 0, None, ""
    incident.save(
        update_fields=[
            "withdrawn_at", "withdrawn_by", "pending_at", "reached_id", "attempts", "parked_at", "error"
        ]
    )  # fmt: skip
    return incident


def settle_incidents(*, now: datetime) -> int:
    """Go on with every incident that has clocks left; say how many batches were done. Safe to run twice."""
    done = 0
    for pk in Incident.objects.pending().order_by("pending_at").values_list("pk", flat=True):
        done += _settle(pk, most=MOST_BATCHES - done, now=now)
    return done


def _settle_or_leave(incident: Incident, *, is_much: bool, now: datetime) -> None:
    if is_much:
        enqueue("sla.tasks.settle_incidents_task")
        return
    _settle(incident.pk, most=MOST_BATCHES, now=now)
    incident.refresh_from_db(fields=["pending_at", "reached_id", "excused"])


def _settle(pk: int, *, most: int, now: datetime) -> int:
    """Do so many batches of an incident; a failure is kept with it and tried again by the next worker."""
    incident, done = Incident.objects.filter(pk=pk), 0
    if not begin_attempt(incident, now=now):
        return 0
    try:
        while done < most and _settle_batch(pk, now=now):
            done += 1
    except Exception as error:
        keep_failure(incident, error)
    else:
        forget_failure(incident)
    return done


@transaction.atomic
def _settle_batch(pk: int, *, now: datetime) -> bool:
    """Do the next clocks of an incident; False when none is left or another worker is at it."""
    incident = Incident.objects.pending().filter(pk=pk).select_for_update(skip_locked=True).first()
    if incident is None:
        return False
    left = _left_of(incident).filter(pk__gt=incident.reached_id).order_by("id")
    clock_ids = list(left.values_list("pk", flat=True)[:BATCH])
    if not clock_ids:
        Incident.objects.filter(pk=pk).update(pending_at=None)
        log.info("incident_settled", incident=pk, withdrawn=incident.withdrawn_at is not None)
        return False
    clocks, moved = _lock(clock_ids), 0
    if incident.withdrawn_at:
        take_excuses_back(clocks, incident, now=now)
    else:
        moved = excuse_clocks(clocks, incident, now=now)
    Incident.objects.filter(pk=pk).update(reached_id=clock_ids[-1], excused=F("excused") + moved)
    return True


def _left_of(incident: Incident) -> ClockQuerySet:
    if incident.withdrawn_at:
        return Clock.objects.filter(pk__in=incident.pauses.values("clock"))
    return _ran_in(Window(incident.started_at, incident.ended_at))


def _ran_in(window: Window) -> ClockQuerySet:
    """By indexes: what still runs, and what stopped after the incident began."""
    ran_on = Q(outcome=Clock.Outcome.RUNNING) | Q(stopped_at__gt=window.start)
    return Clock.objects.filter(ran_on, started_at__lt=window.end)


def _lock(clock_ids: list[int]) -> list[Clock]:
    """Lock the leads in order of their ids, then read the clocks, which nobody can change any more."""
    of_these = Clock.objects.filter(pk__in=among(clock_ids))
    leads = Lead.objects.filter(pk__in=of_these.values("lead")).order_by("pk")
    list(leads.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    return list(of_these.order_by("id"))


# --- What is refused ----------------------------------------------------------------------------


def _require_role(by: User) -> None:
    if not may_declare(by):
        raise NotAllowed("Only a manager or an operator can declare an incident or withdraw one.")


def _check_what(what: str) -> str:
    what = what.strip()
    if not what or "\0" in what:
        raise InvalidInput("Say what was out of order.", field="what")
    if len(what) > 200:
        raise InvalidInput("Keep it to 200 characters.", field="what")
    return what


def _check_window(started_at: datetime, ended_at: datetime, *, now: datetime) -> Window:
    if started_at < now - OLDEST:
        raise InvalidInput("This is more than a year ago: check the year.", field="started_at")
    if ended_at <= started_at:
        raise InvalidInput("The end must be after the start.", field="ended_at")
    if ended_at > now:
        raise InvalidInput("Declare an incident when it is over: the end lies ahead.", field="ended_at")
    return Window(started_at, ended_at)
