"""Handoffs for the benchmarks of pages, by SQL: a fifth of the leads has one, and a tenth of those is open.

There is a BDR for every 60 open handoffs, eight BDRs make a team with a pool, and 30 of a pool's handoffs
wait in its overflow queue. Of the open ones two thirds have two clocks running.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Team, User
from bench.population import populate
from handoffs.models import Handoff, Pool, PoolMembership
from leads.models import Lead
from scoring.models import ModelVersion

HANDOFF_EVERY = 5  # leads
OPEN_EVERY = 10  # handoffs
OPEN_PER_BDR = 60
BDRS_PER_TEAM = 8
OVERFLOW_PER_POOL = 30


def grow(*, from_leads: int, to_leads: int, handoff_every: int = HANDOFF_EVERY) -> None:
    """Add leads with scores and handoffs until there are so many, and let the planner know."""
    populate(
        leads=to_leads - from_leads,
        activities_per_lead=0,
        numbered_from=from_leads + 1,
        lead_facts={
            "stage": "(ARRAY['lead', 'lead', 'lead', 'mql', 'nurture', 'disqualified'])[1 + n % 6]",
            "source": "(ARRAY['Webinar', 'Organic search', 'Partner'])[1 + n % 3]",
        },
    )
    first = Lead.objects.order_by("-pk").values_list("pk", flat=True)[0] - (to_leads - from_leads) + 1
    _score_leads(first)
    bdrs = _hire(count=max(1, (to_leads - from_leads) // handoff_every // OPEN_EVERY // OPEN_PER_BDR))
    _hand_off(first, bdrs, every=handoff_every)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _score_leads(first: int) -> None:
    _run(
        """
        INSERT INTO scoring_leadscore (lead_id, version_id, total, fit, engagement, readiness, category,
            warmth, icp_match, has_signal, has_red_flag, is_instant_mql, qualifies, scored_at)
        SELECT id, %(version)s, id %% 90, id %% 40, id %% 50, 0,
            (ARRAY['A', 'B', 'B', 'C', 'C', 'C', 'C', 'C', 'C', 'C'])[1 + id %% 10], 'accumulated',
            true, true, false, false, false, created_at
        FROM leads_lead WHERE id >= %(first)s
        """,
        {"version": ModelVersion.objects.active().get().pk, "first": first},
    )


def _hire(*, count: int) -> list[User]:
    """That many BDRs in teams with a pool each; with the first, a manager and a reader."""
    if not User.objects.filter(username="bench-manager").exists():
        team = Team.objects.create(name="Bench leads")
        for name, role in (("bench-manager", User.Role.MANAGER), ("bench-reader", User.Role.READ_ONLY)):
            User.objects.create_user(name, password=None, role=role, team=team)
    present = User.objects.filter(username__startswith="rep").count()
    bdrs = []
    for number in range(present, present + count):
        if number % BDRS_PER_TEAM == 0 or number == present:
            team = Team.objects.create(name=f"Bench team {number}")
            pool = Pool.objects.create(name=f"Bench pool {number}", team=team)
        user = User.objects.create_user(
            f"rep{number}",
            password=None,
            role=User.Role.BDR,
            team=team,
            first_name="Rep",
            last_name=str(number),
        )
        PoolMembership.objects.create(pool=pool, user=user)
        bdrs.append(user)
    return bdrs


def _hand_off(first: int, bdrs: list[User], *, every: int) -> None:
    """One handoff for each n-th lead: each tenth open, in turn with one of the BDRs."""
    pools = dict(PoolMembership.objects.filter(user__in=bdrs).values_list("user_id", "pool_id"))
    values: dict[str, Any] = {
        "first": first,
        "every": every,
        "open": OPEN_EVERY,
        "bdrs": [bdr.pk for bdr in bdrs],
        "pools": [pools[bdr.pk] for bdr in bdrs],
        "teams": [bdr.team_id for bdr in bdrs],
        "count": len(bdrs),
        "before": Handoff.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
        "drivers": _DRIVERS,
        "since": timezone.now() - timedelta(days=200),
    }
    _run(_HANDOFFS, values)
    _run(_OVERFLOW, values | {"overflow": OVERFLOW_PER_POOL})
    _run(_CLOCKS, values)
    _run(_OWNERS, values)


_DRIVERS = """[
    {"name": "Demo request", "points": 50, "count": 1, "last_at": "2026-03-03T11:00:00+00:00"},
    {"name": "Pricing page", "points": 20, "count": 3, "last_at": "2026-03-03T10:00:00+00:00"},
    {"name": "VP or C-level title", "points": 15}
]"""

_HANDOFFS = """
INSERT INTO handoffs_handoff (public_id, lead_id, status, owner_id, pool_id, trigger, trigger_note, score,
    category, warmth, drivers, is_returning, created_at, offered_at, opened_at, opened_by_id, accepted_at,
    accepted_by_id, closed_at, closed_by_id, rejection_code, closing_note, hops, planned_channel,
    planned_note)
SELECT gen_random_uuid(), lead_id, status, rep, pool, 'threshold', '', 65,
    (ARRAY['A', 'B', 'C'])[1 + n %% 3], 'accumulated', %(drivers)s::jsonb, false, created_at, created_at,
    seen, CASE WHEN seen IS NOT NULL THEN rep END, seen, CASE WHEN seen IS NOT NULL THEN rep END,
    CASE WHEN status = 'lost' THEN created_at + interval '3 days' END,
    CASE WHEN status = 'lost' THEN rep END, '', '', 0, '', ''
FROM (
    SELECT *, CASE WHEN status <> 'offered' THEN created_at + interval '1 hour' END AS seen
    FROM (
        SELECT id AS lead_id, n, (%(bdrs)s::bigint[])[1 + n / %(open)s %% %(count)s] AS rep,
            (%(pools)s::bigint[])[1 + n / %(open)s %% %(count)s] AS pool,
            %(since)s::timestamptz + n %% 17000000 * interval '1 second' AS created_at,
            CASE WHEN n %% %(open)s <> 0 THEN 'lost'
                WHEN n / %(open)s %% 3 = 0 THEN 'offered' WHEN n / %(open)s %% 3 = 1 THEN 'accepted'
                ELSE 'contacted' END AS status
        FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM leads_lead
              WHERE id >= %(first)s AND id %% %(every)s = 0) numbered
    ) drawn
) timed
"""

_OVERFLOW = """
UPDATE handoffs_handoff SET owner_id = NULL, offered_at = NULL
WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY pool_id ORDER BY id) AS place
        FROM handoffs_handoff WHERE id > %(before)s AND status = 'offered'
    ) placed WHERE place <= %(overflow)s
)
"""

_CLOCKS = """
INSERT INTO sla_clock (lead_id, handoff_id, kind, owner_id, hours_digest, policy_name, mode, warn_percent,
    restarts_on_reassignment, reviews_breaches, outcome, started_at, due_at, warnings_at, pause_reason, cause,
    review_note, category, source, steps_taken, attempts, error)
SELECT lead_id, id, kind, owner_id, '', 'Bench', 'wall', '{}', true, true, 'running', created_at,
    created_at + interval '1 day' * days, '{}', '', '', '', category, '', 0, 0, ''
FROM handoffs_handoff, (VALUES ('decision', 1), ('first_contact', 2)) AS target (kind, days)
WHERE handoffs_handoff.id > %(before)s AND status IN ('offered', 'accepted')
"""

_OWNERS = """
UPDATE leads_lead SET owner_id = rep.id, team_id = rep.team_id
FROM handoffs_handoff, accounts_user AS rep
WHERE handoffs_handoff.id > %(before)s AND handoffs_handoff.lead_id = leads_lead.id
    AND rep.id = handoffs_handoff.owner_id
"""


def _run(sql: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
