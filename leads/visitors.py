"""Who a tracking message is about: ids are joined into one visitor, and the visitor to a lead (INTAKE-3).

Lock order: visitors, in id order, come before leads. Only this module locks visitors, so no verb above can
meet it coming the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from common.errors import InvalidInput
from leads.activities import NewActivity, append_activities
from leads.addresses import normalise_email
from leads.facts import LeadFacts
from leads.intake import adopt_activities, record_activity, record_lead
from leads.models import InboundMessage, Lead, Visitor
from leads.segment import Kind, Message, lead_facts

VIA = "segment"
Id = tuple[str, str]


@transaction.atomic
def take_message(message: Message, *, now: datetime) -> None:
    """Take one message: join the ids it names, learn the traits, append the activity.

    The same message id twice changes nothing the second time. Raises InvalidInput.
    """
    if message.activity and not message.traits and (lead := _known_lead(message)):
        record_activity(lead, message.activity, via=VIA, now=now)
        return
    if message.activity is None and not _is_first(message, now=now):
        return
    root = _join_ids(message, now=now)
    _learn(root, message, now=now)
    if message.activity is None:
        return
    if root.lead:
        record_activity(root.lead, message.activity, via=VIA, now=now)
    else:
        append_activities([NewActivity(message.activity, visitor_id=root.pk)], via=VIA, now=now, nudge=False)


def _is_first(message: Message, *, now: datetime) -> bool:
    """Activities are unique by their message id; other messages are remembered."""
    _, first = InboundMessage.objects.get_or_create(
        key=f"segment:{message.message_id}",
        defaults={"fingerprint": "", "response_status": 200, "response_body": {}, "received_at": now},
    )
    return first


def _known_lead(message: Message) -> Lead | None:
    """The lead when all ids are known to be the same person's: the common case, and nothing to lock."""
    ids = _ids_of(message)
    visitors = list(Visitor.objects.filter(_any_of(ids)).select_related("lead", "same_as__lead"))
    roots = {visitor.same_as or visitor for visitor in visitors}
    if len(visitors) < len(ids) or len(roots) > 1:
        return None
    return roots.pop().lead


# --- Joining ------------------------------------------------------------------------------------


def _ids_of(message: Message) -> list[Id]:
    """The ids, the leading one first: what a person is called after signing in outlives a browser."""
    named = [
        (Visitor.Kind.USER_ID.value, message.user_id),
        (Visitor.Kind.ANONYMOUS_ID.value, message.anonymous_id),
    ]
    return [(kind, value) for kind, value in named if value]


def _any_of(ids: Iterable[Id]) -> Q:
    condition = Q()
    for kind, value in ids:
        condition |= Q(kind=kind, value=value)
    return condition


def _join_ids(message: Message, *, now: datetime) -> Visitor:
    """Make all ids of the message one visitor, and return its root, locked."""
    ids = _ids_of(message)
    if message.previous_id:
        ids.append((_kind_of_previous(message.previous_id), message.previous_id))
    Visitor.objects.bulk_create(
        [Visitor(kind=kind, value=value, created_at=now) for kind, value in sorted(ids)],
        ignore_conflicts=True,
    )
    locked = {visitor.pk: visitor for visitor in _lock(_any_of(ids))}
    if missing := {v.same_as_id for v in locked.values() if v.same_as_id} - locked.keys():
        locked |= {visitor.pk: visitor for visitor in _lock(Q(pk__in=missing))}
    by_id = {(visitor.kind, visitor.value): visitor for visitor in locked.values()}
    leading, *others = (by_id[named] for named in ids)
    root = locked[leading.same_as_id] if leading.same_as_id else leading
    for other in others:
        _join(other, root)
    return root


def _lock(which: Q) -> Iterable[Visitor]:
    return Visitor.objects.filter(which).select_for_update(of=("self",)).select_related("lead").order_by("id")


def _kind_of_previous(value: str) -> str:
    """An alias may name either kind of id as the previous one; a new one was anonymous."""
    known = Visitor.objects.filter(value=value).order_by("kind").first()
    return known.kind if known else Visitor.Kind.ANONYMOUS_ID.value


def _join(visitor: Visitor, root: Visitor) -> None:
    """Put the visitor, and those that point to it, under the root. What it did as somebody else stays
    with them: a browser may be shared."""
    if root.pk in (visitor.pk, visitor.same_as_id):
        return
    if visitor.same_as_id is None:
        root.traits = visitor.traits | root.traits
        root.lead = root.lead or visitor.lead
        root.save(update_fields=["traits", "lead"])
    Visitor.objects.filter(Q(pk=visitor.pk) | Q(same_as=visitor)).update(same_as=root)


# --- Learning -----------------------------------------------------------------------------------


def _learn(root: Visitor, message: Message, *, now: datetime) -> None:
    """Keep what is said of the visitor; once an address is known, it is a lead, and its past is too."""
    traits = _merged(root.traits, message.traits)
    if traits != root.traits:
        root.traits = traits
        root.save(update_fields=["traits"])
    facts = lead_facts(traits)
    email = facts.email or _address_in(message.user_id)
    said_who = message.kind in (Kind.IDENTIFY, Kind.ALIAS) or root.lead is None
    if email and said_who:
        root.lead = record_lead(replace(facts, email=email), via=VIA, now=now).lead
        root.save(update_fields=["lead"])
    elif root.lead and message.traits:
        record_lead(_about(root.lead, facts), via=VIA, now=now)
    if root.lead:
        family = Visitor.objects.filter(Q(pk=root.pk) | Q(same_as=root))
        adopt_activities(root.lead, family.values_list("pk", flat=True), now=now)


def _merged(known: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The latest word on each trait; of the company, on each of its own."""
    merged = {**known, **said}
    if isinstance(known.get("company"), dict) and isinstance(said.get("company"), dict):
        merged["company"] = known["company"] | said["company"]
    return merged


def _address_in(user_id: str) -> str:
    """Many stacks use the e-mail address as user id."""
    try:
        return normalise_email(user_id)
    except InvalidInput:
        return ""


def _about(lead: Lead, facts: LeadFacts) -> LeadFacts:
    """The facts under the keys the lead is known by."""
    return replace(facts, email=lead.email, source_system=lead.source_system, external_id=lead.external_id)
