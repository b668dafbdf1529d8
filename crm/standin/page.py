"""The stand-in's own page: what it received, and a form to change a lead as a Salesforce user would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from .errors import ApiError
from .org import Caller
from .schema import CONVERTED_STATUS, GROUP, LEAD, LEAD_STATUSES, TASK, USER

if TYPE_CHECKING:
    from .server import StandIn

CHANGE_PATH = "/leads"
STYLE_PATH = "/page.css"
LEADS_SHOWN = 100
TASKS_SHOWN = 50
TRAFFIC_SHOWN = 40


def page(standin: StandIn, query: Mapping[str, str], *, refusal: str = "") -> str:
    """The whole page; `?q=` narrows the leads, `?changed=ID` says that a change was saved."""
    store, words = standin.store, query.get("q", "").strip()
    owners = [*store.all(USER.name), *store.all(GROUP.name)]
    names = {owner["Id"]: owner["Name"] for owner in owners}
    everyone = store.all(LEAD.name)
    leads = [lead for lead in everyone if words.lower() in _searchable(lead)]
    tasks = store.all(TASK.name)
    shown = [{**lead, "owner": names.get(lead["OwnerId"], "")} for lead in leads[:LEADS_SHOWN]]
    by_id = {lead["Id"]: lead["Name"] for lead in everyone}
    context: dict[str, Any] = {
        "change_path": CHANGE_PATH,
        "style_path": STYLE_PATH,
        "q": words,
        "refusal": refusal,
        "changed": by_id.get(query.get("changed", "")),
        "leads": shown,
        "lead_count": len(everyone),
        "found_count": len(leads),
        "tasks": [
            {**task, "who": by_id.get(task["WhoId"], ""), "owner": names.get(task["OwnerId"], "")}
            for task in tasks[:TASKS_SHOWN]
        ],
        "task_count": len(tasks),
        "statuses": [status for status in LEAD_STATUSES if status != CONVERTED_STATUS],
        "owners": sorted(
            (owner for owner in owners if owner.get("IsActive") is not False), key=lambda one: one["Name"]
        ),
        "traffic": list(standin.traffic)[: -TRAFFIC_SHOWN - 1 : -1],
        "faults": standin.faults.waiting(),
        "usage": standin.usage,
    }
    return render_to_string("crm/standin.html", context)


def change_lead(standin: StandIn, form: Mapping[str, str]) -> str:
    """Set a lead's status and owner as a person in Salesforce does. Returns where to go next."""
    lead_id = form.get("id", "")
    wanted = {"Status": form.get("status", ""), "OwnerId": form.get("owner", "")}
    before = standin.store.get(lead_id)
    if before is None:
        raise ApiError(404, "NOT_FOUND", "There is no such lead any more. Reload the page.")
    changes = {name: value for name, value in wanted.items() if value and value != before[name]}
    if changes:
        # A person's edit runs no assignment rule.
        caller = Caller(standin.org.sales_user_id, auto_assign=False)
        standin.org.update(LEAD, lead_id, changes, caller=caller)
    return f"/?changed={lead_id}#record-{lead_id}"


def stylesheet() -> str:
    return (Path(__file__).parent / "page.css").read_text()


def _searchable(lead: Mapping[str, Any]) -> str:
    return " ".join(str(lead[name] or "") for name in ("Name", "Company", "Email", "Status")).lower()
