"""Which handoffs marketing's pages count, and by what: one definition for all their tables (FEED-5).

A cohort is some handoffs of a period, each with a mark that says how it went. A grouping says what each of
them had in common with others: the rules that had fired, its source, the reason, the rep.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import connection

ACCEPTED = ""
# A rejection that a manager found wrong: sales did refuse, but it is no evidence of the reason it gave.
# No code of a reason looks like this.
OVERTURNED = "*"
LATER_OPPORTUNITY, LATER_WON = "opportunity", "won"


class Cohort(StrEnum):
    """The handoffs that are counted, and their marks."""

    DECIDED = "decided"
    RETURNED = "returned"
    CHECKED = "checked"


class Grouping(StrEnum):
    """What is counted by."""

    RULE = "rule"
    SIGNAL = "signal"
    SOURCE = "source"
    CAMPAIGN = "campaign"
    REASON = "reason"
    REP = "rep"


@dataclass(slots=True)
class Group:
    """Handoffs that have something in common, by their marks."""

    key: str
    label: str
    marks: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """A cohort by marks, and each group of it. A handoff belongs to as many groups as rules had fired."""

    marks: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Group] = field(default_factory=dict)


# Rejections that stand. One that passed the lead on to its right rep says nothing about it (FEED-1).
_STANDING = """
  FROM feedback_verdict verdict
  JOIN feedback_rejectionreason reason ON reason.id = verdict.reason_id AND reason.type <> 'procedural'
  LEFT JOIN feedback_verdictundoing undoing ON undoing.verdict_id = verdict.id
  LEFT JOIN feedback_dispute dispute ON dispute.verdict_id = verdict.id AND dispute.outcome = 'overturned'
"""

_COHORTS = {
    # Sales said yes or no. Accepted and returned later is a no, on the day of the return. Marked by the code
    # of the reason.
    Cohort.DECIDED: f"""
  SELECT verdict.handoff_id, verdict.by_id AS rep_id, reason.code AS reason, verdict.at,
    CASE WHEN dispute.id IS NULL THEN reason.code ELSE '{OVERTURNED}' END AS mark
  {_STANDING} WHERE verdict.at >= %(since)s AND undoing.verdict_id IS NULL
  UNION ALL
  SELECT handoff.id, handoff.accepted_by_id, '', handoff.accepted_at, '{ACCEPTED}'
  FROM handoffs_handoff handoff
  WHERE handoff.accepted_at >= %(since)s AND handoff.status <> 'rejected'
""",
    # Sales said no. Marked by how far the same lead came afterwards.
    Cohort.RETURNED: f"""
  SELECT verdict.handoff_id, verdict.by_id AS rep_id, reason.code AS reason, verdict.at,
    CASE WHEN later.won_at IS NOT NULL THEN '{LATER_WON}'
      WHEN later.opened_at IS NOT NULL THEN '{LATER_OPPORTUNITY}' ELSE '' END AS mark
  {_STANDING} CROSS JOIN LATERAL (
    SELECT max(opportunity.opened_at) AS opened_at, max(opportunity.won_at) AS won_at
    FROM handoffs_handoff handoff JOIN handoffs_opportunity opportunity ON opportunity.handoff_id = handoff.id
    WHERE handoff.lead_id = verdict.lead_id AND opportunity.opened_at > verdict.at
  ) later
  WHERE verdict.at >= %(since)s AND undoing.verdict_id IS NULL
""",
    # Sales had its first conversation. Marked by whether the lead was really qualified.
    Cohort.CHECKED: """
  SELECT quality.handoff_id, quality.by_id AS rep_id, '' AS reason, quality.at,
    quality.really_qualified AS mark
  FROM feedback_qualitycheck quality WHERE quality.at >= %(since)s
""",
}

# What the rep was shown when deciding: rules, source and campaign are those of the frozen package.
_PACKAGE = "FROM cohort JOIN handoffs_contextpackage package USING (handoff_id)"

_GROUPINGS = {
    Grouping.RULE: f"""
  SELECT DISTINCT cohort.handoff_id, line->>'name' AS key, line->>'name' AS label
  {_PACKAGE} CROSS JOIN LATERAL jsonb_array_elements(package.content #> '{{score,lines}}') line
  WHERE line->>'kind' <> 'bound'
""",
    # What the lead had shown when it was handed over, whether or not a rule counts it.
    Grouping.SIGNAL: """
  SELECT DISTINCT cohort.handoff_id, signal.key AS key, signal.name AS label
  FROM cohort JOIN handoffs_handoff handoff ON handoff.id = cohort.handoff_id
  JOIN scoring_signalhit hit ON hit.lead_id = handoff.lead_id AND hit.received_at <= handoff.created_at
  JOIN scoring_signal counted ON counted.id = hit.signal_id
  JOIN scoring_signal signal ON signal.key = counted.key AND signal.retired_at IS NULL
""",
    Grouping.SOURCE: f"""
  SELECT cohort.handoff_id, package.content #>> '{{source,source}}' AS key,
    COALESCE(NULLIF(package.content #>> '{{source,source}}', ''), 'Not known') AS label
  {_PACKAGE}
""",
    Grouping.CAMPAIGN: f"""
  SELECT cohort.handoff_id, package.content #>> '{{source,campaign}}' AS key,
    COALESCE(NULLIF(package.content #>> '{{source,campaign}}', ''), 'None') AS label
  {_PACKAGE}
""",
    Grouping.REASON: """
  SELECT cohort.handoff_id, reason.code AS key, reason.label AS label
  FROM cohort JOIN feedback_rejectionreason reason ON reason.code = cohort.reason
""",
    Grouping.REP: """
  SELECT cohort.handoff_id, rep.id::text AS key,
    COALESCE(NULLIF(trim(rep.first_name || ' ' || rep.last_name), ''), rep.username) AS label
  FROM cohort JOIN accounts_user rep ON rep.id = cohort.rep_id
""",
}

# Totals and groups in one statement, so that they are of one moment.
_COUNT = """
WITH cohort AS MATERIALIZED ({cohort}), grouped AS ({grouping})
SELECT NULL, NULL, mark, count(*) FROM cohort GROUP BY mark
UNION ALL
SELECT grouped.key, max(grouped.label), cohort.mark, count(*)
FROM cohort JOIN grouped USING (handoff_id)
WHERE grouped.key IS NOT NULL GROUP BY grouped.key, cohort.mark
"""


def count_cohort(cohort: Cohort, *, by: Grouping, since: datetime) -> Tally:
    """The handoffs of the cohort since that moment by their marks, all of them and group by group."""
    statement = _COUNT.format(cohort=_COHORTS[cohort], grouping=_GROUPINGS[by])
    with connection.cursor() as cursor:
        cursor.execute(statement, {"since": since})
        rows = cursor.fetchall()
    tally = Tally()
    for key, label, mark, count in rows:
        if key is None:
            tally.marks[mark] = count
        else:
            tally.groups.setdefault(key, Group(key, label)).marks[mark] = count
    return tally


_BY_STRETCH = """
WITH cohort AS ({cohort})
SELECT date_trunc(%(stretch)s, cohort.at AT TIME ZONE %(zone)s)::date, cohort.mark, count(*)
FROM cohort GROUP BY 1, 2
"""


class Stretch(StrEnum):
    WEEK = "week"
    MONTH = "month"


def count_by_stretch(
    cohort: Cohort, stretch: Stretch, *, since: datetime, zone: str
) -> dict[object, Counter[str]]:
    """The cohort by marks for each week or month of that time zone, by its first day; none without any."""
    found: dict[object, Counter[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_STRETCH.format(cohort=_COHORTS[cohort]),
            {"since": since, "stretch": stretch.value, "zone": zone},
        )
        for first_day, mark, count in cursor.fetchall():
            found.setdefault(first_day, Counter())[mark] = count
    return found
