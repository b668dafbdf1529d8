"""Which leads are in a pilot: decided by the database from the lead's id and facts alone (SCORE-10).

The share is a hash of version and lead, so a lead does not come and go by chance, and the next pilot takes
other leads. The segment is one condition in the language of fit rules, worked out by the same compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from scoring.compile import Scope, compile_model
from scoring.language.rules import FitRule, Model, Operator
from scoring.models import Pilot

MAX_ID = 2**63 - 1

# MD5 and not PostgreSQL's own hash functions, which may change from one major version to the next.
_SHARE = """
('x' || substr(md5(%(pilot)s::text || ':' || lead_id::text), 1, 8))::bit(32)::bigint %% 100 < %(percent)s
"""


def pilot_members(pilot: Pilot, lead_ids: Sequence[int], *, as_of: datetime) -> list[int]:
    """Those of the leads that are in the pilot by their present facts, in id order."""
    return _members(pilot, Scope.MANY, {"leads": list(lead_ids)}, as_of=as_of, historical=False)


def pilot_members_of_range(pilot: Pilot, *, as_of: datetime, first: int = 0, last: int = MAX_ID) -> list[int]:
    """All leads with ids from first to last that are in the pilot by their present facts, in id order."""
    return _members(pilot, Scope.RANGE, {"first": first, "last": last}, as_of=as_of, historical=False)


def was_in_pilot(pilot: Pilot, lead_id: int, *, as_of: datetime) -> bool:
    """Whether the lead was in it by its facts at that moment."""
    return bool(_members(pilot, Scope.ONE, {"lead": lead_id}, as_of=as_of, historical=True))


def segment_members(pilot: Pilot, lead_ids: Sequence[int], *, as_of: datetime) -> list[int]:
    """Those of the leads that meet the pilot's condition, whether in its share or not."""
    candidates, parameters = _candidates(pilot, Scope.MANY, as_of=as_of, historical=False)
    with connection.cursor() as cursor:
        cursor.execute(candidates, parameters | {"leads": list(lead_ids)})
        return [lead_id for (lead_id,) in cursor.fetchall()]


def count_pilot(pilot: Pilot, *, as_of: datetime) -> tuple[int, int, int]:
    """How many leads are in the pilot, how many meet its condition, and how many there are."""
    candidates, parameters = _candidates(pilot, Scope.RANGE, as_of=as_of, historical=False)
    parameters |= {"first": 0, "last": MAX_ID, "pilot": pilot.version_id, "percent": pilot.percent}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE {_SHARE}), count(*), (SELECT count(*) FROM leads_lead)"
            f" FROM ({candidates}) candidates",
            parameters,
        )
        in_pilot, in_segment, everybody = cursor.fetchone()
    return in_pilot, in_segment, everybody


def _members(
    pilot: Pilot, scope: Scope, leads: dict[str, Any], *, as_of: datetime, historical: bool
) -> list[int]:
    candidates, parameters = _candidates(pilot, scope, as_of=as_of, historical=historical)
    parameters |= leads | {"pilot": pilot.version_id, "percent": pilot.percent}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT lead_id FROM ({candidates}) candidates WHERE {_SHARE} ORDER BY lead_id", parameters
        )
        return [lead_id for (lead_id,) in cursor.fetchall()]


def _candidates(
    pilot: Pilot, scope: Scope, *, as_of: datetime, historical: bool
) -> tuple[str, dict[str, Any]]:
    """SQL of a column lead_id, and its parameters but for the scope's own: the leads of the segment."""
    if not pilot.attribute:
        return f"SELECT id AS lead_id FROM leads_lead WHERE {scope.on('id')}", {}
    statement = compile_model(segment_model(pilot), scope, historical=historical)
    sql = f"SELECT lead_id FROM ({statement.sql}) scored WHERE icp_match"
    return sql, {**statement.parameters, "as_of": as_of}


def segment_model(pilot: Pilot) -> Model:
    """The condition as a model by which exactly the leads that meet it match the ideal customer. Raises
    RuleRefused where it means nothing."""
    return Model(threshold=1, icp_from=1, signal_hours=24, fit=(segment_rule(pilot),), behaviour=())


def segment_rule(pilot: Pilot) -> FitRule:
    return FitRule(
        key=0,
        attribute=pilot.attribute,
        operator=Operator(pilot.operator),
        values=tuple(pilot.values),
        low=pilot.low,
        high=pilot.high,
        points=1,
        name="Segment of the pilot",
    )
