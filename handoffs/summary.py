"""The package in a few facts, as messages about a handoff hold it (NOTE-1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from common.bulk import among
from handoffs.models import ContextPackage, Handoff
from notifications.services import Fact
from scoring.models import LeadScore
from sla.models import Clock, Target

# What a rep is asked to do, in the words of a deadline. Other targets are not the rep's to act on at once.
_ASKED = {
    Target.Kind.OPENED: "open it by",
    Target.Kind.FIRST_CONTACT: "first contact by",
    Target.Kind.DECISION: "decide by",
}


class Promise(NamedTuple):
    kind: str
    due_at: datetime


@dataclass(frozen=True)
class Brief:
    """What a message says of a handoff besides its own columns and the lead's.

    The promises are in order of time.
    """

    first_contact: Mapping[str, str] | None = None
    promises: Sequence[Promise] = ()

    @property
    def first_step(self) -> str:
        """ "Call, within 5 minutes"; blank where no playbook fits."""
        first = self.first_contact
        return ", ".join(filter(None, (first["channel"], first["timing"]))) if first else ""


def read_briefs(handoffs: Collection[Handoff]) -> dict[int, Brief]:
    """The briefs of handoffs, by their ids, in two queries."""
    ids = [handoff.pk for handoff in handoffs]
    if not ids:
        return {}
    packages = ContextPackage.objects.filter(pk__in=among(ids))
    first_contacts: dict[int, Any] = dict(packages.values_list("pk", "content__first_contact"))
    promises = read_promises(ids)
    return {pk: Brief(first_contacts.get(pk), promises[pk]) for pk in ids}


def read_promises(handoff_ids: Collection[int]) -> Mapping[int, Sequence[Promise]]:
    """What the rep is asked to do by when, by handoff and in order of time; nothing that stands still."""
    promises: defaultdict[int, list[Promise]] = defaultdict(list)
    clocks = Clock.objects.ticking().filter(handoff_id__in=among(handoff_ids), kind__in=_ASKED)
    rows = clocks.order_by("due_at", "id").values_list("handoff_id", "kind", "due_at")
    for handoff_id, kind, due_at in rows:
        promises[handoff_id].append(Promise(kind, due_at))
    return promises


def first_contact_by(promises: Sequence[Promise]) -> datetime | None:
    """When the window for the first contact closes; None: nothing is promised, or it stands still."""
    return next((due_at for kind, due_at in promises if kind == Target.Kind.FIRST_CONTACT), None)


def summarise(handoff: Handoff, brief: Brief, *, zone: ZoneInfo, names_zone: bool = False) -> list[Fact]:
    """Who it is, why now, until when and what to do first; times in `zone`, named for readers in several."""
    lead = handoff.lead
    time_left = _deadlines(brief.promises, zone)
    if time_left and names_zone:
        time_left += f" ({zone.key.replace('_', ' ')})"
    return [
        Fact("lead", "Name", lead.name),
        Fact("job_title", "Title", lead.title),
        Fact("company", "Company", str(lead.company or "")),
        Fact("contact", "Contact", ", ".join(filter(None, (lead.phone, lead.email)))),
        Fact("score", "Score", str(handoff.score)),
        Fact("trigger", "Why now", "; ".join(_why_now(handoff, zone))),
        Fact("category", "Category", f"{handoff.category}, {_warmth(handoff)}"),
        Fact("time_left", "Time left", time_left),
        Fact("first_step", "First step", brief.first_step),
    ]


def name_with_company(handoff: Handoff) -> str:
    lead = handoff.lead
    return f"{lead.name}, {lead.company}" if lead.company else lead.name


def moment_in_words(moment: datetime, zone: ZoneInfo) -> str:
    """ "Tue 3 Mar, 14:05"."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b, %H:%M}"


def _why_now(handoff: Handoff, zone: ZoneInfo) -> Iterator[str]:
    yield handoff.get_trigger_display() + (f": {handoff.trigger_note}" if handoff.trigger_note else "")
    for driver in handoff.drivers:
        times = f" ×{driver['count']}" if (driver.get("count") or 0) > 1 else ""
        last_at = driver.get("last_at")
        when = f", {moment_in_words(datetime.fromisoformat(last_at), zone)}" if last_at else ""
        yield f"{driver['name']}{times}{when}"


def _warmth(handoff: Handoff) -> str:
    # Kept as the score named it then, which need not be a name of today.
    return dict(LeadScore.Warmth.choices).get(handoff.warmth, handoff.warmth.replace("_", " ")).lower()


def _deadlines(promises: Sequence[Promise], zone: ZoneInfo) -> str:
    """ "Open it by Mon 2 Mar, 10:15; first contact by 11:00; decide by Tue 3 Mar, 10:00"."""
    parts, day = [], None
    for kind, due_at in promises:
        local = due_at.astimezone(zone)
        when = f"{local:%H:%M}" if local.date() == day else moment_in_words(due_at, zone)
        parts.append(f"{_ASKED[Target.Kind(kind)]} {when}")
        day = local.date()
    words = "; ".join(parts)
    return words[:1].upper() + words[1:]
