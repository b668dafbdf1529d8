"""What the log, the history and the activities of a lead say, in words."""

from __future__ import annotations

from django import template

from leads.models import Activity, AttributeChange, Lead, LeadEvent

register = template.Library()

# What a reader of a timeline wants to know first of an event; the rest stays in the record.
TELLING = ("path", "title", "name", "form", "subject", "campaign", "category", "plan", "value")
SHOWN = 3
PROPER_NAMES = {"salesforce": "Salesforce"}


@register.filter
def activity_words(activity: Activity) -> str:
    """The most telling properties: '/pricing · Pricing'."""
    said = [activity.properties.get(name) for name in TELLING]
    texts = [str(value) for value in said if isinstance(value, str | int | float) and value != ""]
    return " · ".join(dict.fromkeys(texts[:SHOWN]))


@register.filter
def log_words(event: LeadEvent) -> str:
    """What an entry adds to its kind: 'MQL → SAL', 'title, phone filled', 'call, voicemail'."""
    detail = event.detail
    parts = []
    if event.kind == LeadEvent.Kind.STAGE_CHANGED:
        parts.append(f"{_stage(detail.get('from'))} → {_stage(detail.get('to'))}")
    if event.kind == LeadEvent.Kind.SCORE_CHANGED:
        parts.append(f"{detail.get('from')} → {detail.get('to')}")
    if filled := detail.get("filled"):
        parts.append(f"{_names(filled)} filled")
    if differing := detail.get("differing"):
        parts.append(f"{_names(differing)} said otherwise")
    if fields := detail.get("fields"):
        parts.append(_names(fields))
    if corrected := detail.get("corrected"):
        parts.append(f"{_names(corrected)} corrected")
    # An entry that keeps the code of a reason keeps what people call it beside.
    said = detail | {"reason": detail["label"]} if "label" in detail else detail
    for name in ("undoes", "target", "channel", "outcome", "pool", "reason", "why"):
        if isinstance(said.get(name), str):
            parts.append(said[name].replace("_", " "))
    if isinstance(detail.get("via"), str):
        parts.append(f"by {PROPER_NAMES.get(detail['via'], detail['via'])}")
    return "; ".join(parts)


@register.filter
def field_words(name: str) -> str:
    """'employee_count' as 'Employee count'; an answer's name as its label."""
    return name.replace("company.", "company ").replace("_", " ").capitalize()


@register.simple_tag
def change_words(change: AttributeChange, companies: dict[str, str]) -> str:
    """'VP Sales → CTO', or 'CTO' for a blank that was filled."""
    old, new = change.old_value, change.new_value
    if change.lead_id and change.field == "company":
        old, new = companies.get(old, old), companies.get(new, new)
    return f"{old} → {new or 'blank'}" if old else new


def _stage(value: object) -> str:
    return Lead.Stage(value).label if value in Lead.Stage.values else str(value)


def _names(fields: object) -> str:
    names = fields if isinstance(fields, list) else [fields]
    return ", ".join(str(name).replace("company.", "company ").replace("_", " ") for name in names)
