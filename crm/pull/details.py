"""Details that people corrected in Salesforce: settled by the rule of each field, against what both sides
last agreed on (CRM-3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from common.errors import InvalidInput
from crm.mapping import FieldRule, Precedence, Settlement, as_kept, settle
from crm.masking import mask_value
from crm.models import LeadSync
from crm.pull.news import base_of, has_changed
from crm.pull.rows import RemoteLead
from leads.models import AttributeChange, Lead, LeadEvent
from leads.services import correct_lead, log_event
from leads.unsubscribing import FIELD as UNSUBSCRIBED_AT
from leads.unsubscribing import record_unsubscribed

VIA = "salesforce"


@dataclass(frozen=True)
class Settled:
    """What became of one field, and whether its value could be written here."""

    rule: FieldRule
    settlement: Settlement
    is_refused: bool = False

    @property
    def is_news(self) -> bool:
        """Whether it comes to anything: both sides may have made the same change."""
        return self.settlement.take or self.settlement.send or self.settlement.is_conflict


def take_details(
    lead: Lead,
    sync: LeadSync,
    remote: RemoteLead,
    *,
    rules: Sequence[FieldRule],
    times: Mapping[str, datetime],
    now: datetime,
) -> list[Settled]:
    """Settle every field that differs from what was agreed, write what is to be taken, log the conflicts;
    say what became of those. What Salesforce holds now is noted on `sync`, unsaved: a field that the portal
    wins differs from it, and so is sent.

    The caller holds the locks of both.
    """
    settled = [
        Settled(rule, _settle(lead, sync, remote, rule, times))
        for rule in rules
        if has_changed(sync, remote, rule)
    ]
    held = {each.rule: held_value(lead, each.rule) for each in settled if each.settlement.is_conflict}
    refused = _take(lead, [each for each in settled if each.settlement.take], now=now)
    for each in settled:
        if each.rule.salesforce_field not in refused:
            sync.acknowledged[each.rule.salesforce_field] = each.settlement.acknowledged
        if each.settlement.is_conflict:
            _log_conflict(lead, each, remote, ours=held[each.rule], now=now)
    told = [replace(each, is_refused=each.rule.salesforce_field in refused) for each in settled]
    return [each for each in told if each.is_news]


def held_value(lead: Lead, rule: FieldRule) -> object:
    """What the portal holds in the place that a field is written to."""
    record, attribute = _place(rule)
    held = getattr(lead.company if record == "company" else lead, attribute, None)
    return held is not None if attribute == UNSUBSCRIBED_AT else held


def _place(rule: FieldRule) -> tuple[str, str]:
    assert rule.portal.target is not None, "only fields with a place are read"
    return rule.portal.target


def _settle(
    lead: Lead, sync: LeadSync, remote: RemoteLead, rule: FieldRule, times: Mapping[str, datetime]
) -> Settlement:
    ours_at = _changed_here_at(lead, rule) if rule.rule is Precedence.NEWEST else None
    return settle(
        rule,
        base=base_of(sync, remote, rule),
        ours=held_value(lead, rule),
        theirs=remote.values[rule.salesforce_field],
        ours_at=ours_at,
        theirs_at=times.get(rule.salesforce_field, remote.stamp),
    )


def _changed_here_at(lead: Lead, rule: FieldRule) -> datetime | None:
    record, attribute = _place(rule)
    about = {"company": lead.company_id} if record == "company" else {"lead": lead.pk}
    changes = AttributeChange.objects.filter(**about, field=attribute)
    return changes.order_by("-changed_at").values_list("changed_at", flat=True).first()


# --- Writing --------------------------------------------------------------------------------------


def _take(lead: Lead, taken: Sequence[Settled], *, now: datetime) -> set[str]:
    """Write the values; return the fields whose value the portal cannot hold, which it says in the log."""
    if not taken:
        return set()
    try:
        with transaction.atomic():
            _write(lead, taken, now=now)
        return set()
    except InvalidInput:
        return set(_write_one_by_one(lead, taken, now=now))


def _write(lead: Lead, taken: Sequence[Settled], *, now: datetime) -> None:
    changes: dict[str, object] = {}
    for each in taken:
        record, attribute = _place(each.rule)
        value = as_kept(each.settlement.value, each.rule)
        if attribute == UNSUBSCRIBED_AT:
            # Ticked there; a box that is unticked is never taken over.
            record_unsubscribed(lead, by=None, at=now, via=VIA)
        else:
            changes[f"company.{attribute}" if record == "company" else attribute] = value
    if changes:
        correct_lead(lead, changes=changes, by=None, at=now, via=VIA)


def _write_one_by_one(lead: Lead, taken: Sequence[Settled], *, now: datetime) -> Iterator[str]:
    for each in taken:
        try:
            with transaction.atomic():
                _write(lead, [each], now=now)
        except InvalidInput:
            # The sentence may quote the value, and this log is for ever.
            why = f"{each.rule.portal.label}: the portal cannot hold what was entered in Salesforce"
            log_event(lead, LeadEvent.Kind.CRM_FLAGGED, at=now, field=each.rule.portal_field, why=why)
            yield each.rule.salesforce_field


# --- Conflicts ------------------------------------------------------------------------------------


def _log_conflict(lead: Lead, each: Settled, remote: RemoteLead, *, ours: object, now: datetime) -> None:
    """The log is for ever, so of personal values it keeps only what tells them apart."""
    portal, theirs = each.rule.portal, remote.values[each.rule.salesforce_field]
    ours, theirs = (mask_value(value) if portal.is_personal else value for value in (ours, theirs))
    winner = "Salesforce" if each.settlement.take else "the portal"
    log_event(
        lead,
        LeadEvent.Kind.CRM_CONFLICT,
        at=now,
        field=each.rule.portal_field,
        ours=ours,
        theirs=theirs,
        winner="theirs" if each.settlement.take else "ours",
        why=f"{portal.label}: {ours or 'blank'} here, {theirs or 'blank'} there; {winner} keeps its value, "
        f"as {each.settlement.why}",
    )
