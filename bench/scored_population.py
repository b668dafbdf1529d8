"""Leads with signal hits for the scoring benchmarks, and versions of 25 to 100 behaviour rules over them.

A tenth of the leads holds three fifths of the hits, over a year. Hits are all that the engine reads of
activities, so no activities are made: a hit is what matching writes for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.population import populate
from leads.models import Lead
from scoring.models import CategoryTier, DecayStep, ModelVersion, Rule, RuleGroup, Signal, SignalHit
from scoring.services import create_draft, publish_version

SIGNALS = 12
# An index-only scan needs to know that all rows are visible.
VACUUM = "VACUUM ANALYZE"
# Hits of the heavy leads beside what they get as all others do: 0.556 + 0.444 / 10 = 0.6.
_HEAVY_SHARE = 0.556

_HITS = """
INSERT INTO scoring_signalhit (lead_id, signal_id, activity_id, occurred_at, received_at)
SELECT lead_id, signal_id, n, occurred_at, occurred_at + interval '3 seconds'
FROM (
    SELECT n, %(first)s + CASE WHEN random() < %(heavy)s THEN 10 * floor(random() * %(leads)s / 10)::bigint
            ELSE floor(random() * %(leads)s)::bigint END AS lead_id,
        (%(signals)s::bigint[])[1 + floor(random() * %(kinds)s)::int] AS signal_id,
        now() - interval '365 days' * random() AS occurred_at
    FROM generate_series(%(done)s + 1, %(done)s + %(hits)s) n
) drawn
ORDER BY lead_id, signal_id, occurred_at
"""


def populate_scored(
    *, leads: int, hits: int, rules: int = 25, lead_facts: Mapping[str, str] | None = None
) -> ModelVersion:
    """Publish a version of so many behaviour rules, and insert the leads and hits that it scores."""
    version = publish_rules(rules)
    add_leads(leads=leads, hits=hits, lead_facts=lead_facts)
    return version


def add_leads(
    *, leads: int, hits: int, lead_facts: Mapping[str, str] | None = None, numbered_from: int = 1
) -> None:
    """Insert further leads with hits of the signals of the version."""
    populate(leads=leads, activities_per_lead=0, lead_facts=lead_facts, numbered_from=numbered_from)
    first = Lead.objects.order_by("-pk").values_list("pk", flat=True)[0] - leads + 1
    signals = list(Signal.objects.filter(key__startswith="bench-").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        # Without triggers: the activities of the hits are not there.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            _HITS,
            {
                "first": first,
                "leads": leads,
                "hits": hits,
                "done": SignalHit.objects.count(),
                "heavy": _HEAVY_SHARE,
                "signals": signals,
                "kinds": len(signals),
            },
        )
        cursor.execute("RESET session_replication_role")
        cursor.execute(VACUUM)


def publish_rules(behaviour_rules: int) -> ModelVersion:
    """A version with so many behaviour rules, ten fit rules, groups, fading and decay, in force at once."""
    now = timezone.now()
    draft = create_draft(based_on=None, by=None, now=now, name=f"{behaviour_rules} rules")
    draft.threshold, draft.icp_from, draft.signal_days, draft.decay_floor = 60, 10, 90, 5
    draft.save(update_fields=["threshold", "icp_from", "signal_days", "decay_floor"])
    signals = [_signal(number) for number in range(SIGNALS)]
    groups = [RuleGroup.objects.create(version=draft, name=f"Group {n}", cap=40) for n in range(4)]
    rules = [{"kind": Rule.Kind.FIT, **fields} for fields in _FIT_RULES]
    rules += [_behaviour_rule(number, signals, groups) for number in range(behaviour_rules)]
    Rule.objects.bulk_create(
        Rule(version=draft, position=position, **{"name": f"Rule {position}", **fields})
        for position, fields in enumerate(rules)
    )
    for days, per_mille in ((30, 750), (60, 500), (90, 250)):
        DecayStep.objects.create(version=draft, after_days=days, per_mille=per_mille)
    for category, bounds in (("A", (30, 20)), ("B", (10, 10))):
        CategoryTier.objects.create(
            version=draft, category=category, min_engagement=bounds[0], min_readiness=bounds[1]
        )
    return publish_version(draft, by=None, note="Benchmark", now=now)


def _signal(number: int) -> Signal:
    # Matched already: there is nothing to match.
    signal, _ = Signal.objects.get_or_create(
        key=f"bench-{number}",
        defaults={
            "name": f"Signal {number}",
            "event_names": [f"Bench {number}"],
            "intent": Signal.Intent.HIGH if number % 4 == 0 else Signal.Intent.LOW,
            "is_engagement": number != SIGNALS - 1,
            "created_at": timezone.now() - timedelta(days=366),
            "backfilled_at": timezone.now(),
        },
    )
    return signal


_FIT_RULES: tuple[dict[str, Any], ...] = (
    {"attribute": "title", "operator": "has_word", "values": ["CEO", "CFO", "VP"], "points": 15},
    {"attribute": "title", "operator": "has_word", "values": ["head", "director"], "points": 10},
    {"attribute": "title", "operator": "contains", "values": ["engineer"], "points": 5},
    {
        "attribute": "title",
        "operator": "has_word",
        "values": ["student"],
        "kind": Rule.Kind.NEGATIVE,
        "points": -20,
    },
    {"attribute": "country", "operator": "one_of", "values": ["Germany", "France"], "points": 8},
    {"attribute": "company.industry", "operator": "one_of", "values": ["Logistics", "Retail"], "points": 12},
    {"attribute": "company.employee_count", "operator": "between", "low": 50, "high": 999, "points": 10},
    {"attribute": "company.employee_count", "operator": "between", "low": 1000, "points": 15},
    {"attribute": "email_domain", "operator": "is_known", "points": 2},
    {
        "attribute": "country",
        "operator": "one_of",
        "values": ["Atlantis"],
        "kind": Rule.Kind.DISQUALIFIER,
    },
)

_WINDOWS = (7, 14, 30, 30, 60, 90, 90, 180, None)


def _behaviour_rule(number: int, signals: list[Signal], groups: list[RuleGroup]) -> dict[str, Any]:
    """Of every eight rules one asks for a frequency, three count each occurrence, one fades by itself, and
    one takes points away; half of them stand in groups."""
    signal, window = signals[number % SIGNALS], _WINDOWS[number * 7 % len(_WINDOWS)]
    fields: dict[str, Any] = {"kind": Rule.Kind.BEHAVIOUR, "signal": signal, "window_days": window}
    if number == 4:
        return fields | {"kind": Rule.Kind.INSTANT_MQL, "min_count": 3, "window_days": 14}
    if number == 7:
        return fields | {"kind": Rule.Kind.DISQUALIFIER, "min_count": 9}
    if number % 8 == 5:
        return fields | {"kind": Rule.Kind.NEGATIVE, "points": -5}
    fields["points"] = 3 + number % 7
    if number % 8 in (0, 3, 6):
        fields |= {"per_occurrence": True, "cap": 20}
    if number % 8 == 1:
        fields["min_count"] = 2
    if number % 8 == 2:
        fields |= {"decay": "half_life", "decay_days": 30}
    if number % 2 == 0:
        fields["group"] = groups[number // 2 % len(groups)]
    return fields
