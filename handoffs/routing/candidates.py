"""From rows to the candidates of a choice: who is in a pool, what is in their way, who knows a lead already.

Everything is read for many leads at once; one lead is a list of one. Reading, never writing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, QuerySet

from accounts.models import Absence, User
from common.bulk import among
from handoffs.models import Handoff, HandoffQuerySet, Pool, PoolMembership
from handoffs.routing.turns import SHARE, Candidate, words
from leads.models import Lead, LeadEvent
from sla.calendars import house_zone
from sla.models import EscalationStep
from sla.shifts import who_is_off_shift

# A person who is no member of the pool has no capacity there to run out of.
_ANY_NUMBER = 10**9


# --- The people ---------------------------------------------------------------------------------


def read_candidates(pool: Pool, *, now: datetime) -> list[Candidate]:
    """Everybody in the pool, with their books and what is in their way now."""
    memberships = list(PoolMembership.objects.filter(pool=pool).select_related("user").order_by("user_id"))
    users = [membership.user for membership in memberships]
    zone = house_zone()
    presence = _Presence(pool, users, zone=zone, now=now)
    received = _received_since(pool, _start_of_week(now, zone))
    open_count = _count_by_owner(Handoff.objects.open().filter(owner__in=users))
    return [
        Candidate(
            user_id=one.user_id,
            name=str(one.user),
            weight=one.weight,
            received=one.received,
            entitled=int(one.entitled * SHARE),
            last_offered_at=one.last_offered_at,
            weekly_capacity=one.weekly_capacity,
            max_open=one.max_open,
            received_this_week=received[one.user_id],
            open_count=open_count[one.user_id],
            territory=words(one.countries),
            languages=words(one.languages),
            skills=words(one.skills),
            unavailable="" if one.is_active and one.user.is_active else "not active in this pool",
            away=presence.why_away(one.user),
            off_shift=presence.off_shift.get(one.user_id, ""),
        )
        for one in memberships
    ]


def read_outsiders(pool: Pool, users: Sequence[User], *, now: datetime) -> list[Candidate]:
    """People who may get a lead of the pool without being dealt to: a person a rule names, managers."""
    if not users:
        return []
    presence = _Presence(pool, users, zone=house_zone(), now=now)
    theirs = Handoff.objects.filter(owner__in=users)
    open_count = _count_by_owner(theirs.open())
    offered = dict(theirs.order_by().values_list("owner_id").annotate(Max("offered_at")))
    return [
        Candidate(
            user_id=user.pk,
            name=str(user),
            weight=0,
            received=0,
            entitled=0,
            last_offered_at=offered.get(user.pk),
            weekly_capacity=_ANY_NUMBER,
            max_open=_ANY_NUMBER,
            open_count=open_count[user.pk],
            unavailable="" if user.is_active else "no longer works here",
            away=presence.why_away(user),
            off_shift=presence.off_shift.get(user.pk, ""),
        )
        for user in users
    ]


class _Presence:
    """Who is here, and who is at work; in a pool that disregards working hours everybody is."""

    def __init__(self, pool: Pool, users: Sequence[User], *, zone: ZoneInfo, now: datetime) -> None:
        current = Absence.objects.filter(user__in=users, starts_at__lte=now, ends_at__gt=now)
        self._absences = {absence.user_id: absence for absence in current.order_by("ends_at")}
        self._zone = zone
        minds_hours = pool.off_shift != Pool.OffShift.OFFER
        self.off_shift = who_is_off_shift(users, at=now) if minds_hours else {}

    def why_away(self, user: User) -> str:
        if user.away_since:
            return f"away since {_day(user.away_since, self._zone)}"
        absence = self._absences.get(user.pk)
        return f"away until {_day(absence.ends_at, self._zone)}" if absence else ""


def managers_of(pool: Pool) -> list[User]:
    """Who is told about a pool: the managers of its team, or all of them where it has none."""
    managers = User.objects.filter(role=User.Role.MANAGER, is_active=True)
    return list(managers.filter(team=pool.team_id) if pool.team_id else managers) or list(managers)


def _received_since(pool: Pool, since: datetime) -> Counter[int]:
    return _count_by_owner(
        Handoff.objects.filter(pool=pool, offered_at__gte=since, owner__isnull=False, slot_returned_at=None)
    )


def _count_by_owner(handoffs: HandoffQuerySet) -> Counter[int]:
    counts = handoffs.order_by().values_list("owner_id").annotate(number=Count("pk"))
    return Counter({owner: number for owner, number in counts if owner})


def _start_of_week(now: datetime, zone: ZoneInfo) -> datetime:
    """Monday 00:00 of the ISO week, local time."""
    local = now.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    return datetime(monday.year, monday.month, monday.day, tzinfo=zone).astimezone(UTC)


def _day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}"


# --- Who knows the lead -------------------------------------------------------------------------


@dataclass
class History:
    """What became of a lead's earlier handoffs, as far as it decides who gets it now."""

    earlier_owner_id: int | None = None
    owner_ids: set[int] = field(default_factory=set)
    passed_on: dict[int, str] = field(default_factory=dict)
    """Who said lately that it is not theirs, or let it lapse, with the words for it."""


def read_histories(pool: Pool, leads: Iterable[Lead], *, now: datetime) -> dict[int, History]:
    """By the lead's id: whose it was, and who passed it on so lately that the pool does not ask them."""
    histories = {lead.pk: History() for lead in leads}
    zone = cache(house_zone)  # asked for only where somebody passed a lead on
    since = now - timedelta(days=pool.declined_for_days)
    earlier = (
        Handoff.objects.filter(lead__in=among(histories.keys()))
        .order_by("-created_at", "-id")
        .values_list("lead_id", "owner_id", "closed_by_id", "slot_returned_at", "hops")
    )
    moved = set()
    for lead_id, owner_id, closed_by_id, slot_returned_at, hops in earlier:
        history = histories[lead_id]
        if hops:
            moved.add(lead_id)
        if owner_id is not None:
            history.owner_ids.add(owner_id)
        if slot_returned_at is None:
            history.earlier_owner_id = history.earlier_owner_id or owner_id
        elif slot_returned_at > since:
            # Who passes on a lead that nobody had yet declines it as well.
            until = _day(slot_returned_at + timedelta(days=pool.declined_for_days), zone())
            # The latest of several is read first.
            history.passed_on.setdefault(owner_id or closed_by_id, f"passed this lead on, until {until}")
    # Asked for only where a lead has moved on from somebody.
    for lapse in _lapses_of(moved, since=since) if moved else ():
        until = _day(lapse.at + timedelta(days=pool.declined_for_days), zone())
        histories[lapse.lead_id].passed_on.setdefault(
            lapse.detail["owner_id"], f"let it lapse, until {until}"
        )
    return histories


def _lapses_of(lead_ids: Collection[int], *, since: datetime) -> QuerySet[LeadEvent]:
    """Who let these leads lapse, so that they went to somebody else by themselves (SLA-5)."""
    return LeadEvent.objects.filter(
        lead__in=among(lead_ids),
        kind=LeadEvent.Kind.ESCALATED,
        detail__action=EscalationStep.Action.REASSIGN,
        at__gt=since,
    ).order_by("-at", "-id")


class AccountOwners:
    """Who has leads of a company: the owner of its latest handoff that was not passed on."""

    def __init__(self, leads: Iterable[Lead]) -> None:
        # Of each company the latest handoff and the latest of another lead: a lead does not vouch for itself.
        self._latest: dict[int, list[tuple[datetime, int, int, int]]] = {}
        handoffs = (
            Handoff.objects.filter(
                lead__company__in=among({lead.company_id for lead in leads if lead.company_id}),
                owner__isnull=False,
                slot_returned_at=None,
            )
            .order_by("lead_id", "-created_at", "-id")
            .distinct("lead_id")
            .values_list("lead__company_id", "created_at", "pk", "lead_id", "owner_id")
        )
        for company_id, created_at, pk, lead_id, owner_id in handoffs:
            self._keep(company_id, (created_at, pk, lead_id, owner_id))

    def of(self, lead: Lead) -> int | None:
        """The owner of the lead's account by its other leads; None where there is none."""
        known = self._latest.get(lead.company_id, ()) if lead.company_id else ()
        return next((owner for *_, lead_id, owner in known if lead_id != lead.pk), None)

    def note(self, handoff: Handoff, lead: Lead) -> None:
        """A handoff of the lead has just got its owner."""
        if lead.company_id is not None and handoff.owner_id is not None:
            self._keep(lead.company_id, (handoff.created_at, handoff.pk, lead.pk, handoff.owner_id))

    def _keep(self, company_id: int, handoff: tuple[datetime, int, int, int]) -> None:
        known = self._latest.setdefault(company_id, [])
        others = [one for one in known if one[2] != handoff[2]]
        same = [one for one in known if one[2] == handoff[2]]
        self._latest[company_id] = sorted([*others, max([handoff, *same])], reverse=True)[:2]
