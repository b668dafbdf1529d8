"""Which attribute rules hold, and what they give together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from scoring.compiling.facts import fact
from scoring.compiling.scopes import Scope, level
from scoring.language.attributes import ATTRIBUTES, Kind
from scoring.language.rules import PER_MILLE, BehaviourRule, Effect, FitRule, Group, Model, Operator


def fits(model: Model, scope: Scope, parameters: dict[str, Any], *, ledger: bool) -> str:
    """What of the facts is needed further on, `fit`, `fit_disqualifies`, and a column `factor_…` for each
    multiplier; for the ledger a column `holds_…` for each rule."""
    used = sorted({rule.attribute for rule in model.fit})
    numbers = [fact(key) for key in used if ATTRIBUTES[key].kind is Kind.NUMBER]
    texts = [
        f"lower(btrim({fact(key)})) AS {_text(key)}" for key in used if ATTRIBUTES[key].kind is Kind.TEXT
    ]
    flags = [f"coalesce({_test(rule, parameters)}, false) AS {fit_holds(rule)}" for rule in model.fit]
    points = {
        rule: f"CASE WHEN {fit_holds(rule)} THEN {rule.points} ELSE 0 END"
        for rule in model.fit
        if rule.points
    }
    against = [fit_holds(rule) for rule in model.fit if rule.effect is Effect.DISQUALIFIES]
    summed = [
        f"({sum_of(capped(points, model.groups))})::bigint AS fit",
        f"{' OR '.join(against) or 'false'} AS fit_disqualifies",
        *(factor_of(rule, fit_holds(rule)) for rule in model.fit if rule.effect is Effect.MULTIPLIES),
    ]
    keys = ["lead_id", "returned_at", *_VALIDITY.get(scope, ())]
    tested = level(flags, level(texts, "SELECT * FROM facts", keep=[*keys, *numbers]), keep=keys)
    return level(summed, tested, keep=["*"] if ledger else keys)


# From when to when a row of facts holds.
_VALIDITY = {Scope.MOMENTS: ("first_at", "last_at"), Scope.PAIRS: ("as_of",)}


def fit_holds(rule: FitRule) -> str:
    return f"holds_{rule.key}"


def factor(rule: FitRule | BehaviourRule) -> str:
    return f"factor_{rule.key}"


def factor_of(rule: FitRule | BehaviourRule, condition: str) -> str:
    """The factor of a multiplier, which is 1 while it does not hold, as a column."""
    return f"CASE WHEN {condition} THEN {rule.factor} ELSE {PER_MILLE} END AS {factor(rule)}"


def capped(points: dict[Any, str], groups: Iterable[Group]) -> list[str]:
    """The points of rules, rule by rule or, of those in a group, together and no more than its cap."""
    caps = {group.key: group.cap for group in groups}
    alone, together = [], dict[int, list[str]]()
    for rule, expression in points.items():
        if rule.group is None:
            alone.append(expression)
        else:
            together.setdefault(rule.group, []).append(expression)
    return alone + [
        f"greatest(-{caps[key]}, least({caps[key]}, {sum_of(members)}))" for key, members in together.items()
    ]


def sum_of(terms: Iterable[str]) -> str:
    return " + ".join(terms) or "0"


def _text(key: str) -> str:
    return f"text_{fact(key)}"


def _test(rule: FitRule, parameters: dict[str, Any]) -> str:
    is_number = ATTRIBUTES[rule.attribute].kind is Kind.NUMBER
    column = fact(rule.attribute) if is_number else _text(rule.attribute)
    if rule.operator in (Operator.IS_KNOWN, Operator.IS_BLANK):
        known = f"{column} IS NOT NULL" if is_number else f"{column} <> ''"
        return known if rule.operator is Operator.IS_KNOWN else f"NOT ({known})"
    if rule.operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        bounds = [f"{column} >= {rule.low}"] if rule.low is not None else []
        bounds += [f"{column} <= {rule.high}"] if rule.high is not None else []
        return f"{'NOT ' if rule.operator is Operator.NOT_BETWEEN else ''}({' AND '.join(bounds)})"
    parameters[f"values_{rule.key}"] = list(rule.values)
    return _TEXT_TESTS[rule.operator](column, f"unnest(%(values_{rule.key})s::text[]) value")


# The values pass through the same SQL as the attribute, so both agree on what lower case or a letter is;
# ARRAY(SELECT …) is worked out once per statement, not once per lead.


def _words(text: str) -> str:
    return f"btrim(regexp_replace({text}, '[^[:alnum:]]+', ' ', 'g'))"


def _one_of(column: str, values: str) -> str:
    return f"{column} = ANY(ARRAY(SELECT lower(btrim(value)) FROM {values}))"


def _not_one_of(column: str, values: str) -> str:
    return f"{column} <> '' AND {column} <> ALL(ARRAY(SELECT lower(btrim(value)) FROM {values}))"


def _contains(column: str, values: str) -> str:
    literal = "regexp_replace(lower(btrim(value)), '([\\\\%%_])', '\\\\\\1', 'g')"
    return f"{column} LIKE ANY(ARRAY(SELECT '%%' || {literal} || '%%' FROM {values}))"


def _has_word(column: str, values: str) -> str:
    """Splitting a text into words is slow: only where it holds the letters of the first word at all."""
    words = _words("lower(value)")
    return (
        f"{column} LIKE ANY(ARRAY(SELECT '%%' || split_part({words}, ' ', 1) || '%%' FROM {values}))"
        f" AND ' ' || {_words(column)} || ' ' LIKE ANY(ARRAY(SELECT '%% ' || {words} || ' %%' FROM {values}))"
    )


_TEXT_TESTS: dict[Operator, Callable[[str, str], str]] = {
    Operator.ONE_OF: _one_of,
    Operator.NOT_ONE_OF: _not_one_of,
    Operator.CONTAINS: _contains,
    Operator.HAS_WORD: _has_word,
}
