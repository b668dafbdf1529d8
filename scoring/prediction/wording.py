"""Features in words: what a column is called, and what its value says of a lead. Pure.

Columns that say the same in other windows belong together: shuffled, replaced and told as one.
"""

from __future__ import annotations

from collections.abc import Mapping

from scoring.language.attributes import ATTRIBUTES
from scoring.prediction.tables import Cell

_LABELS = {
    "answered:phone": "Phone number given",
    "answered:website": "Website given",
    "answered:pain_point": "Pain point answered",
    "answered:current_solution": "Current solution answered",
    "email": "Kind of e-mail address",
    "active:days": "Active days in 90 days",
    "since:last": "Days since the last activity",
    "since:first": "Days since the first activity",
    "first_event": "First activity",
    "handed_before": "Earlier handoffs",
}


def label_of(column: str, signal_names: Mapping[str, str]) -> str:
    """The name of a column for people; of a foreign table, the name it has."""
    kind, _, rest = column.partition(":")
    if column in _LABELS:
        return _LABELS[column]
    if kind == "fact" and rest in ATTRIBUTES:
        return ATTRIBUTES[rest].label
    if kind == "active":
        return f"Activities in {rest} days"
    if kind == "hits":
        key, _, days = rest.rpartition(":")
        return f"{signal_names.get(key, key)} in {days} days"
    return column


def group_of(column: str) -> str:
    """What is told as one: the windows of a signal, the counts of activities."""
    kind, _, rest = column.partition(":")
    if kind == "hits":
        return f"hits:{rest.rpartition(':')[0]}"
    return "active" if kind == "active" or column == "since:last" else column


def group_label(column: str, signal_names: Mapping[str, str]) -> str:
    """What a group of columns is called; blank for a column by itself."""
    group = group_of(column)
    if group.startswith("hits:"):
        key = group.removeprefix("hits:")
        return signal_names.get(key, key)
    return "Activities" if group == "active" else ""


def tell(group: str, values: Mapping[str, Cell], signal_names: Mapping[str, str]) -> str:
    """What the lead's own values of a group say, as the beginning of a sentence."""
    kind, _, rest = group.partition(":")
    if kind == "hits":
        return _tell_hits(signal_names.get(rest, rest), rest, values)
    if group == "active":
        return _tell_activity(values)
    value = values.get(group)
    if kind == "answered":
        label = label_of(group, signal_names)
        return label if value else label.replace(" given", " not given").replace(" answered", " not answered")
    if kind == "fact":
        return _tell_fact(rest, value)
    return _tell_other(group, value)


def _tell_hits(name: str, key: str, values: Mapping[str, Cell]) -> str:
    windows = sorted(
        (int(column.rpartition(":")[2]), count)
        for column, count in values.items()
        if column.startswith(f"hits:{key}:") and isinstance(count, int | float)
    )
    for days, count in windows:
        if count:
            return f"{name}: {_times(int(count))} in {days} days"
    longest = windows[-1][0] if windows else 0
    return f"No “{name}” in {longest} days" if longest else f"No “{name}”"


def _tell_activity(values: Mapping[str, Cell]) -> str:
    last = values.get("since:last")
    if not isinstance(last, int | float):
        return "No activity at all"
    if last >= 30:
        return f"No activity for {int(last)} days"
    count = values.get("active:30") or 0.0
    return f"{_counted(int(float(count)), 'activity', 'activities')} in 30 days"


def _tell_fact(key: str, value: Cell) -> str:
    label = ATTRIBUTES[key].label if key in ATTRIBUTES else key
    if value is None:
        return f"{label} is not known"
    if key == "source":
        return f"Came through {value}"
    if key == "company.employee_count" and isinstance(value, int | float):
        return f"The company has {_counted(int(value), 'employee', 'employees')}"
    return f"{label} is {value:,.0f}" if isinstance(value, float) else f"{label} is {value}"


def _tell_other(group: str, value: Cell) -> str:
    if group == "email":
        return "No e-mail address" if value is None else f"Writes from a {value} address"
    if group == "first_event":
        return "No first activity" if value is None else f"First seen by “{value}”"
    days = int(value) if isinstance(value, int | float) else 0
    if group == "since:first":
        return "First seen today" if days == 0 else f"First seen {_counted(days, 'day', 'days')} ago"
    if group == "handed_before":
        return f"Handed over {_times(days)} before" if days else "Handed over for the first time"
    return f"{group} is {'not known' if value is None else value}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
