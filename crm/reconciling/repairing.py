"""Mends what a comparison found: by having it sent again or by taking it over, never by a deletion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from crm.changes import send_again
from crm.mapping import Rules
from crm.models import LeadSync
from crm.pull.applying import Reading, apply_remote, may_be_older
from crm.pull.news import has_changed
from crm.pull.removals import Gone, note_gone
from crm.pull.rows import RemoteLead
from crm.reconciling.findings import Difference, Verdict
from leads.models import Lead

SENT = (Verdict.UNSENT, Verdict.OVERWRITTEN)


@transaction.atomic
def repair_fields(
    lead_id: int,
    remote: RemoteLead,
    differences: Sequence[Difference],
    *,
    reading: Reading,
    now: datetime,
) -> None:
    """Mend what differs on one lead, unless it was sent since the two were compared. To have a field sent,
    what they hold counts as what they confirmed; one to be taken over is settled as the poll would."""
    sync = _lock_standing(lead_id)
    if sync is None or may_be_older(sync, remote):
        return
    sent = {each.field: each.held for each in differences if each.verdict in SENT}
    taken = {each.field for each in differences if each.verdict is Verdict.UNREAD}
    for rule in reading.taken:
        if rule.salesforce_field in taken and not has_changed(sync, remote, rule):
            # Agreed on, and yet another here: what was agreed on is not what it seems.
            sync.acknowledged.pop(rule.salesforce_field, None)
    sync.acknowledged |= sent
    sync.save(update_fields=["acknowledged"])
    if taken and apply_remote(remote, reading=reading, times={}, now=now) is None:
        taken = set()
    if sent:
        send_again(LeadSync.objects.filter(pk=sync.pk), now=now)
    for each in differences:
        each.is_mended = each.field in sent.keys() | taken


@transaction.atomic
def repair_missing(difference: Difference, *, rules: Rules, now: datetime) -> None:
    """Mend what is wrong with a record as a whole. What was deleted there waits for an operator afterwards,
    and is never made anew by itself."""
    assert difference.lead_id is not None, "records that nobody here knows are left alone"
    if difference.verdict is Verdict.GONE:
        gone = Gone(difference.salesforce_id, now, difference.master_id)
        difference.is_mended = bool(note_gone(difference.lead_id, gone, now=now))
        return
    sync = LeadSync.objects.select_for_update().get(pk=difference.lead_id)
    if sync.in_flight_since is not None or sync.salesforce_id != difference.salesforce_id:
        return
    if difference.verdict is Verdict.NEVER_ARRIVED:
        sync.acknowledged = {}
    else:
        _have_key_sent(sync, rules)
    sync.save(update_fields=["acknowledged", "master_id"])
    send_again(LeadSync.objects.filter(pk=sync.pk), now=now)
    difference.is_mended = True


def _have_key_sent(sync: LeadSync, rules: Rules) -> None:
    """As to a record that others were merged into: it gets our key with what is ours alone. What people may
    change there is left as it is."""
    alone = {rule.salesforce_field for rule in rules.sent_of_lead if rule.sends_blanks and not rule.is_read}
    sync.master_id = sync.salesforce_id
    sync.acknowledged = {name: value for name, value in sync.acknowledged.items() if name not in alone}


def _lock_standing(lead_id: int) -> LeadSync | None:
    """Where a lead stands, locked after it; None when it is on its way out or in another worker's hands."""
    free = Lead.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=lead_id)
    lead = free.first()
    if lead is None:
        return None
    LeadSync.objects.get_or_create(lead=lead)
    return LeadSync.objects.select_for_update().filter(lead=lead, in_flight_since=None).first()
