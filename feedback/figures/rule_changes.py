"""From a pattern to a draft rule change with its backtest, in one click (FEED-5, SCORE-10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from common.charts import percentage
from common.errors import DomainError, InvalidInput
from feedback.figures.cohorts import Cohort, Grouping, count_cohort
from feedback.figures.patterns import Pattern, find_patterns
from feedback.models import RejectionReason
from feedback.policy import feedback_policy
from scoring.backtesting.runs import request_backtest
from scoring.calibration.page import suggested_points
from scoring.calibration.runs import latest_calibration
from scoring.conversion import Goal
from scoring.language.rules import MAX_POINTS, PER_MILLE
from scoring.language.sentences import count_phrase, signed
from scoring.lifecycle.permissions import require_marketing
from scoring.lifecycle.versions import take_versions_lock
from scoring.models import ModelVersion, Rule
from scoring.services import create_draft

# What a rule of its own can ask about, where no rule gave the points.
ATTRIBUTES = {Grouping.SOURCE: "source", Grouping.CAMPAIGN: "campaign"}
NAME_LENGTH, NOTE_LENGTH = 80, 500


class PatternGone(DomainError):
    """The pattern was acted upon from a page that is no longer true."""

    code = "pattern_gone"

    def __init__(self) -> None:
        super().__init__("That pattern no longer shows in this period. Look at the inbox again.")


class NothingToLower(InvalidInput):
    """The active version has no rule of that name whose points could be lowered."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"“{label}” gives no points in the active version, so there is nothing to lower. "
            "Change the rules in a draft of your own."
        )


@transaction.atomic
def draft_rule_change(
    *, by_what: Grouping, key: str, reason: RejectionReason, days: int, by: User, now: datetime
) -> ModelVersion:
    """A draft of the active version in which the rules behind a pattern of the last `days` count for less,
    with its backtest over the same days asked for. The name of the draft and its note say why.

    The points are those that the calibration suggests if they are lower, else half; a rule that keeps none is
    taken out. A source or campaign that no rule asks about gets a rule that takes half of what an MQL needs.
    Asking twice is asking once. Raises PatternGone, NothingToLower, NotAllowed, InvalidInput.
    """
    require_marketing(by)
    pattern = _find_pattern(by_what, key, reason, since=now - timedelta(days=days))
    take_versions_lock()  # a second click waits here, and finds the draft of the first
    active = ModelVersion.objects.active().first()
    if active is None:
        raise NothingToLower(pattern.label)
    suggested = _suggested_points(active)
    changes = [
        (rule, lower)
        for rule in _rules_behind(active, by_what, key)
        if (lower := lowered(rule, suggested.get(rule.pk))) is not None
    ]
    new = None if changes else _new_rule(active, by_what, pattern)
    if not changes and new is None:
        raise NothingToLower(pattern.label)
    name = _name(pattern, reason, _change_words(changes, new))
    draft = ModelVersion.objects.filter(
        status=ModelVersion.Status.DRAFT, based_on=active, created_by=by, name=name
    ).first()
    if draft is None:
        draft = create_draft(based_on=active, by=by, now=now, name=name)
        draft.note = _note(pattern, reason, days=days)
        draft.save(update_fields=["note"])
        _apply(draft, changes, new)
    request_backtest(draft, days=days, by=by, now=now)
    return draft


def _find_pattern(by_what: Grouping, key: str, reason: RejectionReason, *, since: datetime) -> Pattern:
    decided = count_cohort(Cohort.DECIDED, by=by_what, since=since)
    patterns = find_patterns(decided, least=feedback_policy().min_decided)
    for pattern in patterns.found:
        if (pattern.key, pattern.reason) == (key, reason.code):
            return pattern
    raise PatternGone()


def _suggested_points(version: ModelVersion) -> dict[int, int]:
    run = latest_calibration(version)
    return suggested_points(run, goal=Goal.QUALIFIED) if run else {}


def _rules_behind(version: ModelVersion, by_what: Grouping, key: str) -> list[Rule]:
    rules = version.rules.order_by("pk")
    if by_what in ATTRIBUTES:
        asks = _asks_about(ATTRIBUTES[by_what], key)
        return list(rules.filter(kind=Rule.Kind.NEGATIVE, **asks))
    return list(rules.filter(name=key) if by_what is Grouping.RULE else rules.filter(signal__key=key))


def _asks_about(attribute: str, value: str) -> dict[str, Any]:
    """What a rule holds that asks for this one value of an attribute; "" is not known."""
    if not value:
        return {"attribute": attribute, "operator": Rule.Operator.IS_BLANK, "values": []}
    return {"attribute": attribute, "operator": Rule.Operator.ONE_OF, "values": [value]}


# --- The change ---------------------------------------------------------------------------------

# What a rule is to be worth instead: points, or a factor in per mille. 0 takes it out.
Lower = int


def lowered(rule: Rule, suggested: int | None) -> Lower | None:
    """The next lower worth that makes sense; None for a rule that helps nobody over the threshold."""
    if rule.kind == Rule.Kind.INSTANT_MQL:
        return 0  # then the points decide
    if rule.kind == Rule.Kind.MULTIPLIER:
        more = rule.factor_per_mille - PER_MILLE
        return None if more <= 0 else (PER_MILLE + more // 2 if more > 1 else 0)
    if rule.kind == Rule.Kind.DISQUALIFIER:
        return None
    if suggested is not None and suggested < rule.points:
        return suggested
    return rule.points // 2 if rule.points > 0 else max(2 * rule.points, -MAX_POINTS)


def _new_rule(active: ModelVersion, by_what: Grouping, pattern: Pattern) -> Rule | None:
    """A rule, not yet kept, that takes points from leads of that source or campaign; None for the others."""
    attribute = ATTRIBUTES.get(by_what)
    if attribute is None:
        return None
    last = active.rules.aggregate(Max("position"))["position__max"] or 0
    return Rule(
        kind=Rule.Kind.NEGATIVE,
        name=f"{attribute.capitalize()}: {pattern.label}",
        points=-min(max(active.threshold // 2, 1), MAX_POINTS),
        position=last + 1,
        **_asks_about(attribute, pattern.key),
    )


def _apply(draft: ModelVersion, changes: list[tuple[Rule, Lower]], new: Rule | None) -> None:
    """Change the copies; create_draft copies the rules in the order of their ids."""
    originals = Rule.objects.filter(version=draft.based_on).order_by("pk").values_list("pk", flat=True)
    copies = dict(zip(originals, draft.rules.order_by("pk"), strict=True))
    for rule, lower in changes:
        copy = copies[rule.pk]
        if lower == 0:
            copy.delete()
        elif rule.kind == Rule.Kind.MULTIPLIER:
            copy.factor_per_mille = lower
            copy.save(update_fields=["factor_per_mille"])
        else:
            copy.points = lower
            copy.save(update_fields=["points"])
    if new is not None:
        new.version = draft
        new.save()


# --- The words ----------------------------------------------------------------------------------


def _name(pattern: Pattern, reason: RejectionReason, change: str) -> str:
    """Such as "Webinar +20 → +10: 41 % of Not in ICP", within the length of a name."""
    why = f" {change}: {percentage(round(pattern.found.yes / pattern.found.n, 2))} of {reason}"
    room = NAME_LENGTH - len(why)
    label = pattern.label if len(pattern.label) <= room else f"{pattern.label[: max(room - 1, 0)]}…"
    return f"{label}{why}"[:NAME_LENGTH]


def _change_words(changes: list[tuple[Rule, Lower]], new: Rule | None) -> str:
    """ "+20 → +10" of the first rule that gives points, or the points that a new rule takes."""
    if new is not None:
        return signed(new.points)
    for rule, lower in changes:
        if rule.points:
            return f"{signed(rule.points)} → {signed(lower) if lower else 'out'}"
    return "counts for less"


def _note(pattern: Pattern, reason: RejectionReason, *, days: int) -> str:
    found, base = pattern.found, pattern.base
    return (
        f"{pattern.label} was there in {percentage(round(found.yes / found.n, 2))} of "
        f"{count_phrase(found.n, 'rejection')} as “{reason}” in {count_phrase(days, 'day')}, against "
        f"{percentage(round(base.yes / base.n, 2))} of all {base.n:,} decided: "
        f"{pattern.lift.times:.1f} times as often ({pattern.lift.low:.1f} to {pattern.lift.high:.1f})."
    )[:NOTE_LENGTH]
