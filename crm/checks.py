"""The lines of the connection's check-list: each asks Salesforce one thing and says what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.models import User
from crm.client import SalesforceClient
from crm.connection import connection_state
from crm.describing import read_queues, read_statuses
from crm.fitting import check_against_org
from crm.mapping import LEAD_KEY, TASK_KEY
from crm.models import FieldMapping, Finding, OwnerMapping, QueueMapping, StatusMapping

# A signed token is good for three minutes; nothing else minds a clock that is a little wrong.
CLOCK_TOLERANCE = timedelta(minutes=1)
NAMES_SHOWN = 4
PERMISSION_SET = "Lead Handoff Integration"

SIGN_IN = "sign-in"
GOOD, WARNING, BAD = Finding.Outcome.GOOD, Finding.Outcome.WARNING, Finding.Outcome.BAD


@dataclass(frozen=True)
class Line:
    """One thing that was found. `about` tells several lines of one check apart."""

    outcome: Finding.Outcome
    words: str
    remedy: str = ""
    about: str = ""


@dataclass
class Visit:
    """What the checks share: the session, the time of the check, and what `describe` said, asked once."""

    client: SalesforceClient
    now: datetime
    _described: dict[str, dict[str, Any]] = field(default_factory=dict)

    def describe(self, object_name: str) -> Mapping[str, Any]:
        if object_name not in self._described:
            self._described[object_name] = self.client.describe(object_name)
        return self._described[object_name]

    def field(self, object_name: str, name: str) -> Mapping[str, Any] | None:
        """What `describe` says of a field; None where it is missing or hidden from our user."""
        found: Iterable[dict[str, Any]] = self.describe(object_name).get("fields", ())
        return next((one for one in found if one["name"].lower() == name.lower()), None)


@dataclass(frozen=True)
class Check:
    """One check. Where Salesforce refuses to tell, that is BAD if the exchange needs it, else worth a look;
    `remedy` says what then to do."""

    key: str
    title: str
    look: Callable[[Visit], Iterator[Line]]
    remedy: str
    is_needed: bool = True


def _sign_in(visit: Visit) -> Iterator[Line]:
    visit.describe("Lead")
    yield Line(GOOD, f"We are signed in; the API answers in version {settings.SALESFORCE_API_VERSION}.")


def _clock(visit: Visit) -> Iterator[Line]:
    theirs = visit.client.answered_at
    apart = abs(theirs - visit.now) if theirs else timedelta()
    if apart <= CLOCK_TOLERANCE:
        yield Line(GOOD, "Our clock agrees with theirs.")
    else:
        yield Line(
            WARNING,
            f"Our clock and theirs are {apart // timedelta(seconds=1):,} seconds apart.",
            "Have this server's clock set by NTP: beyond three minutes signed tokens are refused.",
        )


def _limits(visit: Visit) -> Iterator[Line]:
    left, allowed = visit.client.limits().get("DailyApiRequests", (0, 0))
    words = f"{left:,} of the day's {allowed:,} API calls are left."
    if left:
        yield Line(GOOD, words)
    else:
        yield Line(WARNING, words, "They come back over the next 24 hours. Until then everything waits.")


def _records(visit: Visit) -> Iterator[Line]:
    for name in ("Lead", "Task"):
        said = visit.describe(name)
        lacking = [
            word for word, key in (("create", "createable"), ("edit", "updateable")) if not said.get(key)
        ]
        if lacking:
            words = f"Our user may not {' or '.join(lacking)} a {name}."
            yield Line(BAD, words, f"Grant it on {name} in the permission set {PERMISSION_SET}.", name)
        else:
            yield Line(GOOD, f"Our user may create and edit every {name} it sees.", about=name)


def _keys(visit: Visit) -> Iterator[Line]:
    for name, key in (("Lead", LEAD_KEY), ("Task", TASK_KEY)):
        found = visit.field(name, key)
        if found is None:
            yield Line(
                BAD,
                f"{name}.{key} is missing, or hidden from our user.",
                f"Deploy the project in salesforce/ and give our user the permission set {PERMISSION_SET}.",
                name,
            )
        elif not (found.get("externalId") and found.get("unique")):
            yield Line(
                BAD,
                f"{name}.{key} is not a unique external id: records would be doubled.",
                "In Setup, Object Manager, tick External ID and Unique on the field.",
                name,
            )
        else:
            yield Line(GOOD, f"{name}.{key} is a unique external id.", about=name)


def _fields(visit: Visit) -> Iterator[Line]:
    """Asks for the whole description anew; what comes after reads it."""
    amiss = check_against_org(visit.client, now=visit.now)
    for mapping in amiss:
        problem, _, remedy = mapping.problem.partition(". ")
        yield Line(BAD, problem.removesuffix(".") + ".", remedy, str(mapping))
    used = FieldMapping.objects.exclude(direction=FieldMapping.Direction.OFF).count()
    fitting = used - len(amiss)
    yield Line(GOOD, f"{fitting} of {used} mapped fields are visible, writable and of the right kind.")


def _statuses(visit: Visit) -> Iterator[Line]:
    known = {status.label: status for status in read_statuses()}
    mapped = StatusMapping.objects.all()
    for mapping in mapped:
        status = known.get(mapping.status)
        stage = mapping.get_stage_display()
        if status is None:
            words = f"“{mapping.status}”, which stands for {stage}, is no Lead Status there."
            remedy = "Add it to the picklist there, or choose another one under Statuses."
            yield Line(BAD, words, remedy, stage)
        elif status.is_converted:
            words = f"“{mapping.status}”, which stands for {stage}, is set by a conversion only."
            yield Line(BAD, words, "Choose another one under Statuses.", stage)
    yield Line(GOOD, f"{len(known)} values of Lead Status are known there; {len(mapped)} stages have one.")


def _owners(visit: Visit) -> Iterator[Line]:
    people = User.objects.filter(role=User.Role.BDR, is_active=True)
    mapped = set(OwnerMapping.objects.values_list("user_id", flat=True))
    unmapped = [str(person) for person in people.order_by("last_name", "pk") if person.pk not in mapped]
    if unmapped:
        words = f"Not mapped to a Salesforce user: {_listed(unmapped)}. Their leads keep the owner they have."
        remedy = "Give them the same e-mail address on both sides, or map them under Owners."
        yield Line(WARNING, words, remedy, "unmapped")
    asleep = [
        str(one.user) for one in OwnerMapping.objects.filter(is_active_there=False).select_related("user")
    ]
    if asleep:
        words = f"Not active in Salesforce: {_listed(asleep)}. Their leads go to a queue."
        yield Line(WARNING, words, "Activate them there, or map them to another user.", "asleep")
    if not unmapped and not asleep:
        yield Line(GOOD, f"{len(mapped)} people are mapped to active Salesforce users.")


def _queues(visit: Visit) -> Iterator[Line]:
    there = {queue.salesforce_id: queue.name for queue in read_queues()}
    fallback = connection_state().fallback_queue_id
    wanted = {
        mapping.queue_id: f"the pool {mapping.pool}"
        for mapping in QueueMapping.objects.select_related("pool")
    }
    wanted |= {fallback: "owners whom Salesforce does not take"} if fallback else {}
    for queue_id, purpose in wanted.items():
        if queue_id not in there:
            yield Line(
                BAD,
                f"The queue {queue_id}, meant for {purpose}, is gone or takes no leads.",
                "In Setup, Queues, add Lead to its objects, or choose another queue.",
                queue_id,
            )
    if not fallback:
        yield Line(
            WARNING,
            "No queue is chosen for leads whose owner Salesforce does not take: our user then owns them.",
            "Choose one in the step “Share”.",
            "fallback",
        )
    elif fallback in there:
        words = f"Leads whose owner Salesforce does not take go to the queue {there[fallback]}."
        yield Line(GOOD, words, about="fallback")


def _assignment(visit: Visit) -> Iterator[Line]:
    rules = visit.client.query("SELECT Name FROM AssignmentRule WHERE SobjectType = 'Lead' AND Active = true")
    names = [f"“{row['Name']}”" for row in rules]
    if names:
        words = (
            f"The assignment rule {_listed(names)} is active. It leaves alone what we write: owners are ours."
        )
    else:
        words = "No assignment rule of leads is active; the portal chooses owners."
    yield Line(GOOD, words)


def _duplicates(visit: Visit) -> Iterator[Line]:
    rules = visit.client.query(
        "SELECT MasterLabel FROM DuplicateRule WHERE SobjectType = 'Lead' AND IsActive = true"
    )
    names = [f"“{row['MasterLabel']}”" for row in rules]
    if names:
        words = (
            f"Active duplicate rules: {_listed(names)}. A lead that one of them blocks waits for you here."
        )
        yield Line(GOOD, words)
    else:
        yield Line(GOOD, "No duplicate rule of leads is active.")


def _history(visit: Visit) -> Iterator[Line]:
    next(visit.client.query("SELECT Id FROM LeadHistory LIMIT 1"), None)
    yield Line(GOOD, "The history of leads can be read: changes come with the time at which they were made.")


def _listed(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


ASK_FOR_ACCESS = f"Give our user the permission set {PERMISSION_SET}."
LOOK_IN_SETUP = "Look in Setup yourself; the exchange works without our knowing."

# In the order of the page. The last one always says something: it is how one sees that the list is done.
CHECKS = (
    Check(SIGN_IN, "Sign-in", _sign_in, "Go back to the credentials."),
    Check("clock", "Clocks", _clock, ""),
    Check("limits", "API calls", _limits, "Grant View Setup and Configuration.", is_needed=False),
    Check("records", "Records", _records, ASK_FOR_ACCESS),
    Check("keys", "External ids", _keys, ASK_FOR_ACCESS),
    Check("fields", "Mapped fields", _fields, ASK_FOR_ACCESS),
    Check("statuses", "Lead Status", _statuses, ASK_FOR_ACCESS),
    Check("owners", "Owners", _owners, ASK_FOR_ACCESS),
    Check("queues", "Queues", _queues, ASK_FOR_ACCESS),
    Check("assignment", "Assignment rule", _assignment, LOOK_IN_SETUP, is_needed=False),
    Check("duplicates", "Duplicate rules", _duplicates, LOOK_IN_SETUP, is_needed=False),
    Check(
        "history",
        "Field history",
        _history,
        "Turn on Field History Tracking for Lead. Without it, the time of a change is that of the record.",
        is_needed=False,
    ),
)
