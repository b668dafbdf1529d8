"""Small models and histories, written the way a person would tell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.text import slugify

from leads.models import Activity, Lead
from scoring.models import ModelVersion, Rule, Signal, SignalCondition
from scoring.services import create_draft, publish_version
from tests.factories import NOON, ActivityFactory


def make_signal(
    name: str, events: Sequence[str], *conditions: tuple[str, str, Sequence[str]], **fields: Any
) -> Signal:
    signal = Signal.objects.create(
        key=slugify(name), name=name, event_names=list(events), created_at=NOON, **fields
    )
    for property_name, operator, values in conditions:
        SignalCondition.objects.create(
            signal=signal, property_name=property_name, operator=operator, values=list(values)
        )
    return signal


def make_draft(*rules: dict[str, Any], now: datetime = NOON, **fields: Any) -> ModelVersion:
    """A draft whose rules are given as {"signal": …} or {"attribute": …, "operator": …} with their points."""
    draft = create_draft(based_on=None, by=None, now=now, name="Test")
    fields = {"threshold": 20, "icp_from": 0, "signal_days": 90} | fields
    for field, value in fields.items():
        setattr(draft, field, value)
    draft.save(update_fields=list(fields))
    for position, rule in enumerate(rules):
        kind = "behaviour" if "signal" in rule else "fit"
        Rule.objects.create(
            version=draft, position=position, **({"kind": kind, "name": f"Rule {position}"} | rule)
        )
    return draft


def publish(*rules: dict[str, Any], now: datetime = NOON, **fields: Any) -> ModelVersion:
    return publish_version(make_draft(*rules, now=now, **fields), by=None, note="Test", now=now)


def do(
    lead: Lead, event: str, at: datetime = NOON, *, received_at: datetime | None = None, **properties: Any
) -> Activity:
    """The lead does something, and intake leaves its mark for matching."""
    activity = ActivityFactory(
        lead=lead, event=event, properties=properties, occurred_at=at, received_at=received_at or at
    )
    Lead.objects.filter(pk=lead.pk, unmatched_from=None).update(unmatched_from=activity.pk)
    return activity
