"""Turn a Model into one SQL statement that scores one lead, many or all, now or in the past (SCORE-9).

How it works: the lead's facts give one flag per fit rule. The lead's signal hits give one sorted array per
signal; two binary searches in it (`width_bucket`) tell each rule how many lie in its window, and look-ups
give the first, the last, and the moment at which the rule changes by itself. Sums per lead lead to the
verdicts. Integers all the way: no float, no numeric.

Pure: values in, text out. The statement reads `leads_lead`, `leads_company`, `leads_attributechange`,
`leads_leadevent` and `scoring_signalhit`. Placeholders are psycopg's: `%(as_of)s`, and `%(lead)s`,
`%(leads)s` or `%(first)s` and `%(last)s`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from scoring.attributes import ATTRIBUTES, Attribute, Kind
from scoring.rules import (
    MAX_OCCURRENCES,
    PER_MILLE,
    BehaviourRule,
    Category,
    Effect,
    FitRule,
    Model,
    Operator,
    Warmth,
)

AS_OF = "%(as_of)s::timestamptz"

# The result's columns in their order. `adjustment` is what lifted a sum below zero to zero.
RESULT_COLUMNS = (
    "lead_id",
    "total",
    "fit",
    "engagement",
    "readiness",
    "adjustment",
    "category",
    "warmth",
    "icp_match",
    "has_signal",
    "has_red_flag",
    "is_instant_mql",
    "qualifies",
    "next_change_at",
)


class Scope(Enum):
    """Which leads; the value is the condition on a column that holds the lead's id."""

    ONE = "{} = %(lead)s::bigint"
    MANY = "{} = ANY(%(leads)s::bigint[])"
    RANGE = "{} BETWEEN %(first)s::bigint AND %(last)s::bigint"

    def on(self, column: str) -> str:
        return self.value.format(column)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and those of its parameters that the model decides; the caller adds `as_of` and the leads."""

    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)


def compile_model(model: Model, scope: Scope, *, ledger: bool = False, historical: bool = False) -> Statement:
    """The statement that yields RESULT_COLUMNS, one row per lead, and a last column `ledger` if asked.

    The ledger is jsonb, a list of `[rule key, points, points after decay, count, first, last, holds]`: the
    rules that hold, and those whose signal was seen too few times. `historical` computes from what was known
    at `as_of`: activities received by then, attributes as they were. Without it all we know counts, and
    `as_of` is the present.
    """
    parameters: dict[str, Any] = {}
    parts = {
        "facts": _facts(model, scope, historical=historical),
        "fits": _fits(model, parameters),
        "histories": _histories(model, scope, historical=historical),
        "counted": _counted(model),
        "behaviour": _behaviour(model),
        "scored": _scored(model),
        "judged": _judged(model),
    }
    columns, joins = [f"judged.{name}" for name in RESULT_COLUMNS], ""
    if ledger:
        parts |= {"fit_lines": _fit_lines(model), "behaviour_lines": _behaviour_lines(model)}
        columns.append("coalesce(fit_lines.lines, '[]') || coalesce(behaviour_lines.lines, '[]') AS ledger")
        joins = " LEFT JOIN fit_lines USING (lead_id) LEFT JOIN behaviour_lines USING (lead_id)"
    with_parts = ",\n".join(f"{name} AS (\n{sql}\n)" for name, sql in parts.items())
    return Statement(f"WITH {with_parts}\nSELECT {', '.join(columns)}\nFROM judged{joins}", parameters)


# Facts and fit


def _facts(model: Model, scope: Scope, *, historical: bool) -> str:
    value: Callable[[Attribute], str] = _past_value if historical else _present_value
    used = sorted({rule.attribute for rule in model.fit})
    columns = [f"{value(ATTRIBUTES[key])} AS {_column(key)}" for key in used]
    returned, employer, existed = "lead.trips > 0", "lead.company_id", ""
    if historical:
        returned = (
            "EXISTS (SELECT FROM leads_leadevent event WHERE event.lead_id = lead.id"
            f" AND event.kind IN ('recycled', 'rejected') AND event.at <= {AS_OF})"
        )
        employer = f"nullif(coalesce(({_replaced('lead', 'company')}), lead.company_id::text), '')::bigint"
        existed = f" AND lead.created_at <= {AS_OF}"
    return (
        f"SELECT lead.id AS lead_id, {returned} AS returned{_comma(columns)}\n"
        f"FROM leads_lead lead LEFT JOIN leads_company company ON company.id = {employer}\n"
        f"WHERE {scope.on('lead.id')}{existed}"
    )


def _present_value(attribute: Attribute) -> str:
    column = f"{attribute.owner}.{attribute.field}"
    if attribute.kind is Kind.NUMBER:
        return f"{column}::bigint"
    return attribute.extract.format(f"coalesce({column}, '')")


def _past_value(attribute: Attribute) -> str:
    """The value at `as_of`: what the earliest later change replaced, else what still stands there."""
    owner, name = attribute.owner, attribute.field
    text = f"coalesce(({_replaced(owner, name)}), {owner}.{name}::text, '')"
    if attribute.kind is Kind.NUMBER:
        return f"substring({text} from '^[0-9]{{1,18}}$')::bigint"
    return attribute.extract.format(text)


def _replaced(owner: str, field: str) -> str:
    return (
        f"SELECT change.old_value FROM leads_attributechange change WHERE change.{owner}_id = {owner}.id"
        f" AND change.field = '{field}' AND change.changed_at > {AS_OF}"
        " ORDER BY change.changed_at, change.id LIMIT 1"
    )


def _fits(model: Model, parameters: dict[str, Any]) -> str:
    flags = [f"coalesce({_holds(rule, parameters)}, false) AS holds_{rule.key}" for rule in model.fit]
    points = [f"CASE WHEN holds_{rule.key} THEN {rule.points} ELSE 0 END" for rule in model.fit]
    against = [f"holds_{rule.key}" for rule in model.fit if rule.effect is Effect.DISQUALIFIES]
    return (
        f"SELECT flagged.*, {' + '.join(points) or '0'} AS fit,"
        f" {' OR '.join(against) or 'false'} AS fit_disqualifies\n"
        f"FROM (SELECT lead_id, returned{_comma(flags)} FROM facts OFFSET 0) flagged"
    )


def _holds(rule: FitRule, parameters: dict[str, Any]) -> str:
    column = _column(rule.attribute)
    is_number = ATTRIBUTES[rule.attribute].kind is Kind.NUMBER
    if rule.operator in (Operator.IS_KNOWN, Operator.IS_BLANK):
        known = f"{column} IS NOT NULL" if is_number else f"btrim({column}) <> ''"
        return known if rule.operator is Operator.IS_KNOWN else f"NOT ({known})"
    if rule.operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        bounds = [f"{column} >= {rule.low}"] if rule.low is not None else []
        bounds += [f"{column} <= {rule.high}"] if rule.high is not None else []
        return f"{'NOT ' if rule.operator is Operator.NOT_BETWEEN else ''}({' AND '.join(bounds)})"
    parameters[f"values_{rule.key}"] = list(rule.values)
    return _TEXT_TESTS[rule.operator](column, f"unnest(%(values_{rule.key})s::text[]) value")


# The values pass through the same SQL as the attribute, so both agree on what lower case or a letter is;
# ARRAY(SELECT …) is worked out once per statement, not once per lead.


def _plain(text: str) -> str:
    return f"lower(btrim({text}))"


def _words(text: str) -> str:
    return f"' ' || btrim(regexp_replace(lower({text}), '[^[:alnum:]]+', ' ', 'g')) || ' '"


def _literal(text: str) -> str:
    return f"regexp_replace({_plain(text)}, '([\\\\%%_])', '\\\\\\1', 'g')"


_TEXT_TESTS: dict[Operator, Callable[[str, str], str]] = {
    Operator.ONE_OF: lambda column, values: (
        f"{_plain(column)} = ANY(ARRAY(SELECT {_plain('value')} FROM {values}))"
    ),
    Operator.NOT_ONE_OF: lambda column, values: (
        f"btrim({column}) <> '' AND {_plain(column)} <> ALL(ARRAY(SELECT {_plain('value')} FROM {values}))"
    ),
    Operator.CONTAINS: lambda column, values: (
        f"lower({column}) LIKE ANY(ARRAY(SELECT '%%' || {_literal('value')} || '%%' FROM {values}))"
    ),
    Operator.HAS_WORD: lambda column, values: (
        f"{_words(column)} LIKE ANY(ARRAY(SELECT '%%' || {_words('value')} || '%%' FROM {values}))"
    ),
}


# Behaviour

_RULE_COLUMNS = {
    "position": "int",
    "key": "bigint",
    "signal_id": "bigint",
    "points": "int",
    "min_count": "int",
    "hours": "int",
    "most": "int",  # occurrences that count: one, or as many as there are
    "cap": "int",
    "disqualifies": "boolean",
    "instant": "boolean",
    "explicit": "boolean",
    "clear": "boolean",
    "engages": "boolean",
}


def _histories(model: Model, scope: Scope, *, historical: bool) -> str:
    signals = ",".join(str(signal) for signal in sorted({rule.signal for rule in model.behaviour}))
    known = f" AND received_at <= {AS_OF}" if historical else ""
    return (
        "SELECT lead_id, signal_id, array_agg(occurred_at ORDER BY occurred_at) AS times\n"
        "FROM scoring_signalhit\n"
        f"WHERE {scope.on('lead_id')} AND signal_id = ANY('{{{signals}}}'::bigint[]){known}\n"
        "GROUP BY lead_id, signal_id"
    )


def _rule_row(position: int, rule: BehaviourRule) -> str:
    values = (
        position,
        rule.key,
        rule.signal,
        rule.points,
        rule.min_count,
        rule.window_hours,
        MAX_OCCURRENCES if rule.each else 1,
        rule.cap,
        rule.effect is Effect.DISQUALIFIES,
        rule.effect is Effect.INSTANT_MQL,
        rule.explicit,
        rule.is_clear_signal,
        rule.engages,
    )
    texts = ("NULL" if value is None else str(value).lower() for value in values)
    return (
        f"({', '.join(f'{text}::{kind}' for text, kind in zip(texts, _RULE_COLUMNS.values(), strict=True))})"
    )


def _rule_rows(model: Model) -> str:
    rows = [_rule_row(position, rule) for position, rule in enumerate(model.behaviour)]
    if rows:
        return "VALUES " + ",\n      ".join(rows)
    return f"SELECT {', '.join(f'NULL::{kind}' for kind in _RULE_COLUMNS.values())} WHERE false"


def _counted(model: Model) -> str:
    """One row per lead and rule whose signal was ever seen.

    `past` hits lie at or before the moment, `expired` of them before the window; the rest are `seen`.
    A rule changes by itself when a hit dated in the future arrives and when a hit leaves the window: the
    oldest where each counts, else the n-th newest, without which the rule no longer holds.
    OFFSET 0 keeps the planner from repeating the searches wherever their result is used.
    """
    return (
        "SELECT *, CASE WHEN holds THEN greatest(-cap, least(cap, points * least(seen, most))) ELSE 0 END"
        " AS gained,\n"
        "  least(times[past + 1], CASE WHEN holds THEN make_interval(hours => hours) +\n"
        "    CASE WHEN most > 1 THEN times[expired + 1] ELSE times[past - min_count + 1] END END)"
        " AS changes_at\n"
        "FROM (\n"
        "  SELECT *, past - expired AS seen, past - expired >= min_count AS holds\n"
        "  FROM (\n"
        "    SELECT history.lead_id, history.times, rule.*,\n"
        f"      width_bucket({AS_OF}, history.times) AS past,\n"
        "      CASE WHEN rule.hours IS NULL THEN 0 ELSE\n"
        f"        width_bucket({AS_OF} - make_interval(hours => rule.hours), history.times) END AS expired\n"
        f"    FROM histories history JOIN (\n      {_rule_rows(model)}\n"
        f"    ) rule ({', '.join(_RULE_COLUMNS)}) USING (signal_id)\n"
        "    OFFSET 0\n"
        "  ) searched\n"
        ") found"
    )


def _behaviour(model: Model) -> str:
    return (
        f"SELECT *, {_kept(model)} AS kept\n"
        "FROM (\n"
        "  SELECT lead_id,\n"
        "    coalesce(sum(gained) FILTER (WHERE gained > 0), 0) AS earned,\n"
        "    coalesce(sum(gained) FILTER (WHERE gained < 0), 0) AS lost,\n"
        "    max(times[past]) FILTER (WHERE engages) AS engaged_at,\n"
        "    max(times[past]) FILTER (WHERE holds AND clear) AS signalled_at,\n"
        "    max(times[past]) FILTER (WHERE holds AND instant) AS instant_at,\n"
        "    max(times[past]) FILTER (WHERE holds AND explicit) AS raised_at,\n"
        "    bool_or(holds AND disqualifies) AS disqualifies,\n"
        "    min(changes_at) AS changes_at\n"
        "  FROM counted GROUP BY lead_id\n"
        "  OFFSET 0\n"
        ") summed"
    )


def _kept(model: Model) -> str:
    """What decay leaves, in per mille."""
    steps = "".join(
        f" WHEN {AS_OF} >= engaged_at + {_hours(step.after_hours)} THEN {step.per_mille}"
        for step in reversed(model.decay)
    )
    return f"CASE{steps} ELSE {PER_MILLE} END" if steps else str(PER_MILLE)


def _decayed(model: Model, earned: str) -> str:
    """Earned points after decay. Never falls as `earned` grows, so no share of it is negative."""
    return f"greatest({earned} * kept / {PER_MILLE}, least({earned}, {model.decay_floor}))"


def _scored(model: Model) -> str:
    lasts = _hours(model.signal_hours)
    fresh = [
        f"coalesce({column} > {AS_OF} - {lasts}, false) AS {name}"
        for column, name in (
            ("signalled_at", "has_signal"),
            ("instant_at", "is_instant_mql"),
            ("raised_at", "is_raised"),
        )
    ]
    changes = ["changes_at"]
    changes += [_if_later(f"engaged_at + {_hours(s.after_hours)}", "earned > 0") for s in model.decay]
    changes += [_if_later(f"{column} + {lasts}") for column in ("signalled_at", "instant_at", "raised_at")]
    return (
        "SELECT fits.lead_id, fits.returned, fits.fit, coalesce(decayed, 0) AS decayed,\n"
        "  coalesce(decayed + lost, 0) AS engagement,\n"
        f"  {', '.join(fresh)},\n"
        "  fits.fit_disqualifies OR coalesce(disqualifies, false) AS has_red_flag,\n"
        # LEAST ignores NULL, which is wanted here: the earliest of the moments there are.
        f"  least({', '.join(changes)}) AS next_change_at\n"
        f"FROM fits LEFT JOIN (SELECT *, {_decayed(model, 'earned')} AS decayed FROM behaviour) rated\n"
        "  USING (lead_id)"
    )


def _if_later(moment: str, also: str = "true") -> str:
    return f"CASE WHEN {also} AND {AS_OF} < {moment} THEN {moment} END"


# Verdicts


def _judged(model: Model) -> str:
    tiers = "".join(
        f" WHEN engagement >= {tier.min_engagement} AND fit >= {tier.min_readiness} THEN '{tier.category}'"
        for tier in model.categories
    )
    category = f"CASE{tiers} ELSE '{Category.C}' END" if tiers else f"'{Category.C}'"
    return (
        "SELECT lead_id, greatest(fit + engagement, 0)::int AS total,\n"
        "  fit::int AS fit, engagement::int AS engagement, fit::int AS readiness,\n"
        "  greatest(-fit - engagement, 0)::int AS adjustment,\n"
        f"  {category} AS category,\n"
        f"  CASE WHEN is_raised THEN '{Warmth.HAND_RAISER}' WHEN returned THEN '{Warmth.RETURNING}'\n"
        f"    WHEN decayed > 0 THEN '{Warmth.ACCUMULATED}' ELSE '{Warmth.COLD}' END AS warmth,\n"
        f"  fit >= {model.icp_from} AS icp_match, has_signal, has_red_flag, is_instant_mql,\n"
        f"  fit >= {model.icp_from} AND has_signal AND NOT has_red_flag\n"
        f"    AND (fit + engagement >= {model.threshold} OR is_instant_mql) AS qualifies,\n"
        "  next_change_at\n"
        "FROM scored"
    )


# The ledger


def _fit_lines(model: Model) -> str:
    if not model.fit:
        return "SELECT NULL::bigint AS lead_id, NULL::jsonb AS lines WHERE false"
    rules = ", ".join(
        f"({position}, holds_{rule.key},"
        f" jsonb_build_array({rule.key}, {rule.points}, {rule.points}, 1, NULL, NULL, true))"
        for position, rule in enumerate(model.fit)
    )
    return (
        "SELECT lead_id, jsonb_agg(line ORDER BY position) AS lines\n"
        f"FROM fits, LATERAL (VALUES {rules}) rules (position, holds, line)\n"
        "WHERE holds GROUP BY lead_id"
    )


def _behaviour_lines(model: Model) -> str:
    """The share of each rule in the decayed sum is the step that it adds to the running sum, in the order of
    the rules: rounding falls where it arises, and the shares sum exactly to the score."""
    return (
        "SELECT lead_id,\n"
        "  jsonb_agg(jsonb_build_array(key, gained, share, seen, first_at, last_at, holds) ORDER BY position)"
        " AS lines\n"
        "FROM (\n"
        "  SELECT *, CASE WHEN gained < 0 THEN gained ELSE\n"
        f"    {_decayed(model, 'running')} - {_decayed(model, '(running - gained)')} END AS share\n"
        "  FROM (\n"
        "    SELECT counted.lead_id, position, key, gained, seen, holds, kept,\n"
        "      times[expired + 1] AS first_at, times[past] AS last_at,\n"
        "      sum(greatest(gained, 0)) OVER (PARTITION BY counted.lead_id ORDER BY position) AS running\n"
        "    FROM counted JOIN behaviour USING (lead_id) WHERE seen > 0\n"
        "  ) summed\n"
        ") shared GROUP BY lead_id"
    )


def _column(key: str) -> str:
    return "fact_" + key.replace(".", "_")


def _comma(columns: Iterable[str]) -> str:
    return "".join(f",\n  {column}" for column in columns)


def _hours(hours: int) -> str:
    return f"interval '{hours} hours'"
