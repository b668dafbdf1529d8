"""Where things are made to go wrong: faults on order, the allocation of calls, the switches of the org."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm.standin.faults import KINDS, OPERATIONS, PRESETS, Fault, parse_fault
from crm.standin.setup import DUPLICATE_RULES

if TYPE_CHECKING:
    from crm.standin.server import StandIn

Parts = Mapping[str, str]
Form = Mapping[str, str]

# The numbers among the parts of a fault; what else it has is text.
NUMBERS: Mapping[str, type] = {
    "nth": int,
    "times": int,
    "status": int,
    "probability": float,
    "share": float,
    "seconds": float,
}
MOST_DIGITS = 9
# The switches as the form has them: ticked or not; a number; a list with one name a line.
SWITCHES = {
    "assignment_rule": "Assignment rule: the queue gets each lead written without Sforce-Auto-Assign: FALSE",
    "edits_converted_leads": "Converted leads can be written, though nobody reads them",
    "shows_limits": "The API's user may read the limits",
}
DELAYS = ("late_commit_seconds", "late_commit_share")
LISTS = {
    "tracked_fields": "Fields of a lead whose history is kept, such as Status",
    "hidden_fields": "Fields that the API's user does not see, such as Lead.Portal_Score__c",
    "read_only_fields": "Fields that the API's user may not write",
    "read_only_objects": "Objects that the API's user may not write",
}


def show_workshop(standin: StandIn, parts: Parts, query: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    setup = standin.org.setup
    return "workshop", {
        "title": "Workshop",
        "kinds": KINDS,
        "operations": ["any", *sorted(OPERATIONS - {"any"})],
        "presets": [(name, label) for name, (label, _) in PRESETS.items()],
        "fresh": Fault("error"),
        "faults": standin.faults.waiting(),
        "setup": setup,
        "switches": [(name, words, getattr(setup, name)) for name, words in SWITCHES.items()],
        "lists": [(name, words, "\n".join(getattr(setup, name))) for name, words in LISTS.items()],
        "duplicate_rules": DUPLICATE_RULES,
    }


def add_fault(standin: StandIn, parts: Parts, form: Form) -> str:
    """Order a fault, whole or by its `preset`. What is left empty is as usual. Raises ValueError."""
    given = {name: text.strip() for name, text in form.items() if text.strip()}
    standin.faults.add(parse_fault({name: _parse(name, text) for name, text in given.items()}))
    return "/workshop/?done=ordered"


def clear_faults(standin: StandIn, parts: Parts, form: Form) -> str:
    standin.faults.clear()
    return "/workshop/?done=cleared"


def set_allocation(standin: StandIn, parts: Parts, form: Form) -> str:
    """Say how many calls the org has a day, and how many other apps have used. Raises ValueError."""
    allowed = _whole("Calls a day", form.get("allowed", ""))
    spent = _whole("Used by other apps", form.get("spent") or "0")
    if "begin_day" in form:
        standin.usage.begin_day()
    standin.usage.daily_limit = allowed
    standin.usage.spend(spent)
    return "/workshop/?done=set"


def set_switches(standin: StandIn, parts: Parts, form: Form) -> str:
    """Set what the form shows, and leave the org's other switches. Raises ValueError."""
    changes: dict[str, Any] = {name: name in form for name in SWITCHES}
    changes |= {name: form.get(name, "").split() for name in LISTS}
    changes |= {name: _number(name, form.get(name) or "0") for name in DELAYS}
    standin.org.change_setup(**changes, duplicate_rule=form.get("duplicate_rule", ""))
    return "/workshop/?done=set"


def end_sessions(standin: StandIn, parts: Parts, form: Form) -> str:
    standin.tokens.revoke()
    return "/workshop/?done=ended"


def _parse(name: str, text: str) -> Any:
    kind = NUMBERS.get(name)
    if kind is None:
        return text
    return _whole(name, text) if kind is int else _number(name, text)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number.") from None


def _whole(name: str, text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > MOST_DIGITS:
        raise ValueError(f"{name} must be a whole number of at most {MOST_DIGITS} digits.")
    return int(text)
