"""Giving a handoff an owner: from pool rows to the pure choice in routing.py and back to rows.

The pool row is the lock of the turns: it is taken after the lead's and held until the offer is stored,
so that any number of assigners at once deal as fairly as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, DecimalField, F, Value, When

from accounts.models import Absence, Team, User
from common.errors import DomainError
from handoffs.models import Handoff, HandoffQuerySet, Pool, PoolMembership, RoutingDecision, RoutingRule
from handoffs.routing import (
    Candidate,
    Choice,
    Conditions,
    Considered,
    Preference,
    RouteFacts,
    Strategy,
    choose,
    wait_in_line,
)
from leads.models import Lead
from sla.models import Calendar


class NoRouteForLead(DomainError):
    """No routing rule holds for the lead."""

    def __init__(self) -> None:
        super().__init__(
            "No routing rule fits this lead. Add a rule without conditions at the end of the list."
        )


@dataclass(frozen=True)
class Route:
    """The pool a lead goes to and the rule that says so."""

    pool: Pool
    rule_name: str


def find_route(lead: Lead, *, category: str) -> Route:
    """The first active rule that holds, in the order set in the admin. Raises NoRouteForLead."""
    company = lead.company
    facts = RouteFacts(
        country=lead.country or (company.country if company else ""),
        industry=company.industry if company else "",
        category=category,
        source=lead.source,
        employee_count=company.employee_count if company else None,
    )
    for rule in RoutingRule.objects.filter(is_active=True).select_related("pool"):
        if _conditions(rule).hold_for(facts):
            return Route(rule.pool, rule.name)
    raise NoRouteForLead()


def _conditions(rule: RoutingRule) -> Conditions:
    return Conditions(
        countries=rule.countries,
        industries=rule.industries,
        categories=rule.categories,
        sources=rule.sources,
        employees_from=rule.employees_from,
        employees_to=rule.employees_to,
    )


# --- Choosing -----------------------------------------------------------------------------------


def lock_pool(pool_id: int) -> Pool:
    """Lock the turns of a pool until the transaction ends. Always after the lead's lock."""
    return Pool.objects.select_for_update(no_key=True, of=("self",)).select_related("team").get(pk=pool_id)


def lock_pools(*pool_ids: int) -> None:
    """Lock the turns of several pools, in id order."""
    list(Pool.objects.select_for_update(no_key=True).filter(pk__in=pool_ids).order_by("pk"))


def choose_owner(pool: Pool, lead: Lead, *, now: datetime) -> Choice:
    """Whose turn it is; nobody's while older leads of the pool wait (HAND-4). The pool is locked."""
    candidates = gather_candidates(pool, lead, now=now)
    if Handoff.objects.overflow().filter(pool=pool).exists():
        return wait_in_line(candidates)
    return choose(candidates, preferences=preferred_owners(pool, lead))


def gather_candidates(pool: Pool, lead: Lead, *, now: datetime) -> list[Candidate]:
    """Everybody in the pool, with what decides about them now."""
    memberships = list(PoolMembership.objects.filter(pool=pool).select_related("user").order_by("user_id"))
    users = [membership.user for membership in memberships]
    zone = _zone()
    absences = _absences(users, now=now)
    received = _received_since(pool, _start_of_week(now, zone))
    open_count = _count_by_owner(Handoff.objects.open().filter(owner__in=users))
    declined = _who_declined(pool, lead, now=now)
    return [
        Candidate(
            user_id=one.user_id,
            name=str(one.user),
            weight=one.weight,
            received=one.received,
            entitled=Fraction(one.entitled),
            last_offered_at=one.last_offered_at,
            weekly_capacity=one.weekly_capacity,
            max_open=one.max_open,
            received_this_week=received[one.user_id],
            open_count=open_count[one.user_id],
            unavailable=_why_unavailable(one, absences.get(one.user_id), zone),
            declined=declined.get(one.user_id, ""),
        )
        for one in memberships
    ]


def preferred_owners(pool: Pool, lead: Lead) -> list[Preference]:
    """Who knows the lead or its company: the earlier owner (HAND-7), then the account's owner."""
    preferences = []
    earlier = Handoff.objects.filter(lead=lead, owner__isnull=False).order_by("-created_at", "-id").first()
    if earlier and earlier.owner_id and lead.trips <= pool.returns_to_same_rep:
        preferences.append(Preference(earlier.owner_id, Strategy.EARLIER_OWNER))
    if lead.company_id:
        account = (
            Handoff.objects.filter(lead__company=lead.company_id, owner__isnull=False)
            .exclude(lead=lead)
            .order_by("-created_at", "-id")
            .first()
        )
        if account and account.owner_id:
            preferences.append(Preference(account.owner_id, Strategy.ACCOUNT_OWNER))
    return preferences


def _who_declined(pool: Pool, lead: Lead, *, now: datetime) -> dict[int, str]:
    """Who passed this lead on lately, or returned it so often that somebody else should look."""
    earlier = Handoff.objects.filter(lead=lead, owner__isnull=False)
    since = now - timedelta(days=pool.declined_for_days)
    why = {
        owner: "passed this lead on"
        for owner in earlier.filter(slot_returned_at__gt=since).values_list("owner_id", flat=True)
        if owner
    }
    if lead.trips > pool.returns_to_same_rep:
        for owner in earlier.values_list("owner_id", flat=True):
            if owner:
                why.setdefault(owner, "had this lead before; after so many returns another rep looks")
    return why


def _absences(users: Sequence[User], *, now: datetime) -> dict[int, Absence]:
    away = Absence.objects.filter(user__in=users, starts_at__lte=now, ends_at__gt=now).order_by("ends_at")
    return {absence.user_id: absence for absence in away}


def _why_unavailable(membership: PoolMembership, absence: Absence | None, zone: ZoneInfo) -> str:
    user = membership.user
    if not (membership.is_active and user.is_active):
        return "not active in this pool"
    if user.away_since:
        return f"away since {_day(user.away_since, zone)}"
    if absence:
        return f"away until {_day(absence.ends_at, zone)}"
    return ""


def _received_since(pool: Pool, since: datetime) -> Counter[int]:
    return _count_by_owner(
        Handoff.objects.filter(pool=pool, offered_at__gte=since, owner__isnull=False, slot_returned_at=None)
    )


def _count_by_owner(handoffs: HandoffQuerySet) -> Counter[int]:
    counts = handoffs.order_by().values_list("owner_id").annotate(number=Count("pk"))
    return Counter({owner: number for owner, number in counts if owner})


def _zone() -> ZoneInfo:
    """The time zone weeks begin in: that of the default calendar."""
    name = Calendar.objects.filter(is_default=True).values_list("time_zone", flat=True).first()
    return ZoneInfo(name or "UTC")


def _start_of_week(now: datetime, zone: ZoneInfo) -> datetime:
    """Monday 00:00 of the ISO week, local time."""
    local = now.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    return datetime(monday.year, monday.month, monday.day, tzinfo=zone).astimezone(UTC)


def _day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}"


# --- Storing ------------------------------------------------------------------------------------


def store_offer(handoff: Handoff, choice: Choice, *, rule_name: str, now: datetime) -> None:
    """Keep the decision, and count the offer in the turns. The pool is locked."""
    store_decision(
        handoff,
        strategy=choice.strategy,
        considered=choice.considered,
        shares=choice.shares,
        rule_name=rule_name,
        now=now,
    )
    if choice.shares:
        gained = [When(user=user_id, then=Value(_decimal(share))) for user_id, share in choice.shares.items()]
        PoolMembership.objects.filter(pool=handoff.pool_id, user__in=choice.shares).update(
            entitled=F("entitled") + Case(*gained, output_field=DecimalField())
        )
    if choice.user_id is not None:
        _count_received(handoff.pool_id, choice.user_id, leads=1, now=now)


def store_decision(
    handoff: Handoff,
    *,
    strategy: Strategy,
    considered: Iterable[Considered],
    shares: Mapping[int, Fraction] = MappingProxyType({}),
    rule_name: str = "",
    now: datetime,
) -> RoutingDecision:
    """Keep who was considered and why, for "why me" and "why not me"; and whose share grew by how much, so
    that the offer can be taken back.
    """
    candidates = [
        asdict(one) | ({"share": str(shares[one.user_id])} if one.user_id in shares else {})
        for one in considered
    ]
    return RoutingDecision.objects.create(
        handoff=handoff,
        at=now,
        rule_name=rule_name,
        strategy=strategy.value,
        chosen_id=next((one["user_id"] for one in candidates if one["chosen"]), None),
        candidates=candidates,
    )


def count_claim(handoff: Handoff, *, by: User, now: datetime) -> None:
    """Count a lead somebody took from the overflow queue: one more received, and one more they were owed."""
    membership = PoolMembership.objects.filter(pool=handoff.pool_id, user=by)
    membership.update(entitled=F("entitled") + 1)
    _count_received(handoff.pool_id, by.pk, leads=1, now=now)


def give_slot_back(handoff: Handoff, *, now: datetime) -> None:
    """The owner passed the lead on: it no longer counts as received. The pool is locked."""
    handoff.slot_returned_at = now
    handoff.save(update_fields=["slot_returned_at"])
    if handoff.owner_id:
        _count_received(handoff.pool_id, handoff.owner_id, leads=-1, now=None)


def move_slot(handoff: Handoff, *, from_id: int | None, to_id: int | None, now: datetime) -> None:
    """Count a reassigned lead for its new owner instead of the old one."""
    if from_id:
        _count_received(handoff.pool_id, from_id, leads=-1, now=None)
    if to_id:
        _count_received(handoff.pool_id, to_id, leads=1, now=now)


def team_of(pool: Pool, owner: User | None) -> Team | None:
    """Whose team sees the lead: the pool's, else the owner's."""
    return pool.team or (owner.team if owner else None)


def managers_of(pool: Pool) -> list[User]:
    """Who is told about a pool: the managers of its team, or all of them where it has none."""
    managers = User.objects.filter(role=User.Role.MANAGER, is_active=True)
    return list(managers.filter(team=pool.team_id) if pool.team_id else managers) or list(managers)


def _count_received(pool_id: int, user_id: int, *, leads: int, now: datetime | None) -> None:
    counted: dict[str, object] = {"received": F("received") + leads}
    if now is not None:
        counted["last_offered_at"] = now
    PoolMembership.objects.filter(pool=pool_id, user=user_id).update(**counted)


def _decimal(share: Fraction) -> Decimal:
    return Decimal(share.numerator) / Decimal(share.denominator)
