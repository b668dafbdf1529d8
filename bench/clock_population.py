"""Clocks for the benchmarks of the service levels' pages, by SQL.

Four promises of every lead are running. Of the missed ones half are late and still open, half were done too
late. A hundredth of what runs is at risk. There is a rep for every 500 open promises, eight to a team.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts.models import Team, User
from bench.population import populate
from leads.models import Lead

OPEN_PER_LEAD = 4
OPEN_PER_REP = 500
REPS_PER_TEAM = 8
AT_RISK_EVERY = 100


def run_clocks(*, leads_from: int, open_clocks: int, missed: int) -> None:
    """Add leads with so many open clocks and, among and beside these, so many missed ones."""
    leads = open_clocks // OPEN_PER_LEAD
    populate(leads=leads, activities_per_lead=0, numbered_from=leads_from + 1)
    reps = _hire(count=max(1, open_clocks // OPEN_PER_REP))
    values: dict[str, Any] = {
        "first": Lead.objects.order_by("-pk").values_list("pk", flat=True)[0] - leads + 1,
        "reps": [rep.pk for rep in reps],
        "teams": [rep.team_id for rep in reps],
        "count": len(reps),
        "late": missed // 2,
        "risk": AT_RISK_EVERY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, values)
        cursor.execute(_DONE_LATE, values)
        cursor.execute("VACUUM ANALYZE")


def _hire(*, count: int) -> list[User]:
    """That many reps in teams; with the first, a manager."""
    if not User.objects.filter(username="bench-manager").exists():
        team = Team.objects.create(name="Bench leads")
        User.objects.create_user("bench-manager", password=None, role=User.Role.MANAGER, team=team)
    present = User.objects.filter(username__startswith="rep").count()
    reps = []
    for number in range(present, present + count):
        if number % REPS_PER_TEAM == 0 or number == present:
            team = Team.objects.create(name=f"Bench team {number}")
        named = {"first_name": "Rep", "last_name": str(number)}
        reps.append(
            User.objects.create_user(f"rep{number}", password=None, role=User.Role.BDR, team=team, **named)
        )
    return reps


_COLUMNS = """
INSERT INTO sla_clock (lead_id, handoff_id, kind, owner_id, team_id, hours_digest, policy_name, mode, minutes,
    warn_percent, restarts_on_reassignment, reviews_breaches, category, source, outcome, started_at, due_at,
    warnings_at, risk_at, stopped_at, breach_recorded_at, wall_seconds, business_seconds, steps_taken,
    pause_reason, cause, review_note, attempts, error)
"""

# Late ones are spread over the last weeks, all others fall due in the next ones; the hours differ by clock.
_RUNNING = f"""
{_COLUMNS}
SELECT lead_id, lead_id, kind, rep, team, '', 'Bench', 'wall', 1440, '{{50,80}}', true, true,
    (ARRAY['A', 'B', 'C'])[1 + n %% 3], (ARRAY['Webinar', 'Partner', 'Fair'])[1 + n %% 3], 'running',
    due_at - interval '1 day', due_at, '{{}}',
    CASE WHEN n %% %(risk)s = 0 AND n > %(late)s THEN now() ELSE due_at - interval '5 hours' END,
    NULL, CASE WHEN n <= %(late)s THEN due_at + interval '1 minute' END, NULL, NULL, 0, '', '', '', 0, ''
FROM (
    SELECT *, (%(reps)s::bigint[])[1 + lead_id %% %(count)s] AS rep,
        (%(teams)s::bigint[])[1 + lead_id %% %(count)s] AS team,
        CASE WHEN n <= %(late)s THEN now() - n * interval '100 seconds'
            ELSE now() + interval '6 hours' + n %% 1000000 * interval '7 seconds' END AS due_at
    FROM (
        SELECT lead.id AS lead_id, target.kind,
            row_number() OVER (ORDER BY (lead.id * 7919) %% 100003, target.kind) AS n
        FROM leads_lead AS lead,
            (VALUES ('decision'), ('first_contact'), ('cadence'), ('quality_check')) AS target (kind)
        WHERE lead.id >= %(first)s
    ) numbered
) drawn
"""

_DONE_LATE = f"""
{_COLUMNS}
SELECT id, id, 'opened', (%(reps)s::bigint[])[1 + id %% %(count)s],
    (%(teams)s::bigint[])[1 + id %% %(count)s], '', 'Bench', 'wall', 15, '{{50,80}}', true, true, 'A',
    'Webinar', 'done', due_at - interval '15 minutes', due_at, '{{}}', due_at - interval '3 minutes',
    due_at + interval '10 minutes', due_at + interval '1 minute', 1500, 1500, 0, '', '', '', 0, ''
FROM (
    SELECT id, now() - row_number() OVER (ORDER BY id) * interval '100 seconds' AS due_at
    FROM leads_lead WHERE id >= %(first)s ORDER BY id LIMIT %(late)s
) drawn
"""
