"""What a reading took over, kept in the lead's history with Salesforce; personal data masked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crm.history import WORDS_LENGTH
from crm.mapping import Fields, Rules
from crm.masking import mask_fields
from crm.models import Exchange
from crm.pull.details import Settled
from crm.pull.rows import RemoteLead
from leads.models import Lead


def keep_reading(
    lead: Lead,
    remote: RemoteLead,
    *,
    settled: Sequence[Settled],
    others: Fields,
    rules: Rules,
    now: datetime,
) -> None:
    """Keep what somebody changed there and what became of it. `others`: what is no field of the mapping."""
    theirs = {each.rule.salesforce_field: remote.values[each.rule.salesforce_field] for each in settled}
    Exchange.objects.create(
        lead=lead,
        at=now,
        direction=Exchange.Direction.IN,
        object_name="Lead",
        salesforce_id=remote.salesforce_id,
        outcome=_outcome(settled),
        fields={**mask_fields("Lead", theirs, rules=rules), **others},
        words="; ".join(_words(settled))[:WORDS_LENGTH],
    )


def _outcome(settled: Sequence[Settled]) -> Exchange.Outcome:
    if any(each.is_refused for each in settled):
        return Exchange.Outcome.REFUSED
    if any(each.settlement.is_conflict for each in settled):
        return Exchange.Outcome.CONFLICT
    return Exchange.Outcome.TAKEN_OVER


def _words(settled: Sequence[Settled]) -> list[str]:
    words = []
    for each in settled:
        label, settlement = each.rule.portal.label, each.settlement
        if each.is_refused:
            words.append(f"{label}: the portal cannot hold this value")
        elif settlement.is_conflict:
            winner = "taken over" if settlement.take else "ours stays"
            words.append(f"{label}: {winner}, {settlement.why}")
        elif settlement.send:
            words.append(f"{label}: ours is sent again")
    return words
