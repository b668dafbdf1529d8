"""The lead's hits as one sorted array, read in the order of the covering index."""

from __future__ import annotations

from scoring.compiling.layout import Layout, packed
from scoring.compiling.scopes import AS_OF, POINTS, Scope


def histories(layout: Layout, scope: Scope, *, historical: bool) -> str:
    """Columns lead_id, `times` and `ahead`: whether a hit is dated after the moment. `as_of` too for PAIRS;
    for MOMENTS `first_at` and `last_at`, between which the row holds, and no `ahead`."""
    if not layout.signals:
        return _NOTHING
    if scope is Scope.MOMENTS:
        return _over_time(layout)
    columns, source, known = "lead_id", "scoring_signalhit", ""
    as_of = AS_OF
    if scope is Scope.PAIRS:
        columns, as_of = "lead_id, as_of", "as_of"
        source = "moments JOIN scoring_signalhit USING (lead_id)"
    elif scope is Scope.IMAGINED:
        source = (
            "(SELECT 0::bigint AS lead_id, * FROM unnest(%(signals)s::bigint[], %(times)s::timestamptz[])"
            " hit (signal_id, occurred_at)) imagined"
        )
    else:
        known = f" AND {scope.on('lead_id')}"
    if historical:
        known += f" AND received_at <= {as_of}"
    return (
        f"SELECT {columns}, {_in_order(_packed(layout))} AS times, bool_or(occurred_at > {as_of}) AS ahead\n"
        f"FROM {source}\nWHERE {_wanted(layout)}{known}\nGROUP BY {columns}"
    )


def _over_time(layout: Layout) -> str:
    """Of most leads, each hit reached us before the next of the moments: one array is right at all of them,
    as whatever came later lies behind the moment. The others get an array for each moment."""
    return (
        "SELECT lead_id, '-infinity'::timestamptz AS first_at, 'infinity'::timestamptz AS last_at, times\n"
        "FROM arrivals WHERE NOT late\nUNION ALL\n"
        "SELECT lead_id, point, point, ARRAY(\n"
        "  SELECT time FROM unnest(times, received) hit (time, received_at)\n"
        "  WHERE received_at <= point ORDER BY time)\n"
        f"FROM arrivals CROSS JOIN unnest({POINTS}) point WHERE late"
    )


def arrivals(layout: Layout) -> str:
    """The arrays of MOMENTS with when each hit reached us, and whether one of the moments lies between."""
    before = f"(SELECT array_agg(point + {_TICK} ORDER BY point) FROM unnest({POINTS}) point)"
    return (
        f"SELECT lead_id, {_in_order(_packed(layout))} AS times, {_in_order('received_at')} AS received,\n"
        f"  bool_or(width_bucket(occurred_at, {before}) < width_bucket(received_at, {before})) AS late\n"
        f"FROM scoring_signalhit\nWHERE {_wanted(layout)} AND {Scope.MOMENTS.on('lead_id')}\nGROUP BY lead_id"
    )


# A moment belongs to those after which it comes: so it is counted among the moments before a later one only.
_TICK = "interval '1 microsecond'"

# The columns of every scope, and no row.
_NOTHING = (
    "SELECT NULL::bigint AS lead_id, NULL::timestamptz AS as_of, NULL::timestamptz AS first_at,"
    " NULL::timestamptz AS last_at, NULL::timestamptz[] AS times, false AS ahead WHERE false"
)


def _in_order(value: str) -> str:
    """The order is that of the index, so nothing has to be sorted."""
    return f"array_agg({value} ORDER BY signal_id, occurred_at)"


def _packed(layout: Layout) -> str:
    return f"occurred_at + {packed(layout.signals)}"


def _wanted(layout: Layout) -> str:
    return f"signal_id = ANY('{{{','.join(map(str, layout.signals))}}}'::bigint[])"
