"""Moving to another org, on purpose: a sandbox that was refreshed, or production after a trial. Its records
are others, so what is known of the former org's is forgotten, and everything is sent anew."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from crm.connection import NO_USAGE, NOT_PAUSED, connection_state
from crm.models import (
    AccountMatch,
    AttemptSync,
    BulkJob,
    CampaignMatch,
    CampaignMembership,
    Connection,
    Conversion,
    Finding,
    LeadSync,
    ObjectDescription,
    OwnerMapping,
    PullCursor,
    PullFailure,
    QueueMapping,
    Reconciliation,
    TaskSync,
)

log = structlog.get_logger("salesforce")

LEADS_AT_ONCE = 5000
# What a lead's standing says of the org; what waits to be sent, waits on.
OF_THE_ORG = (
    *("salesforce_id", "pushed_revision", "pushed_at", "acknowledged", "acknowledged_at"),
    *("in_flight_since", "sending", "attempts", "job", "parked_at", "error_code", "error"),
    *("remote_status", "remote_owner_id", "remote_owner_name", "is_converted", "removed_at"),
    *("master_id", "remote_stamp", "remote_digest"),
)
FORGOTTEN = (
    *(TaskSync, AttemptSync, Conversion, CampaignMembership, BulkJob, OwnerMapping, QueueMapping),
    *(ObjectDescription, Finding, PullCursor, PullFailure),
)


def adopt_organization(organization_id: str, *, now: datetime) -> int:
    """Forget the former org and go on with this one; say how many leads will be sent to it. A record there
    that carries a lead's key already is taken for it.

    Until the last step signing in is refused, so that nothing moves meanwhile. Cut off, it is begun again.
    People are mapped by e-mail again; queues of pools and the fallback queue have to be chosen anew.
    """
    leads = _forget_standings()
    with transaction.atomic():
        for model in FORGOTTEN:
            model.objects.all().delete()
        CampaignMatch.objects.update(campaign_id="", look_at=now)
        AccountMatch.objects.update(
            account_id="", name="", kind="", owner_id="", owner_name="", how_many=0, look_at=now
        )
        Reconciliation.objects.filter(look_at__isnull=False).update(
            look_at=None, parked_at=now, error="Another org was adopted meanwhile."
        )
        Connection.objects.filter(pk=connection_state().pk).update(
            organization_id=organization_id,
            fallback_queue_id="",
            last_pushed_at=None,
            compare_after=0,
            **NOT_PAUSED,
            **NO_USAGE,
        )
    log.warning("salesforce.org_adopted", organization=organization_id, leads=leads)
    return leads


def _forget_standings() -> int:
    """In steps of some thousand, each of them short."""
    unknown = LeadSync()
    blank = {name: getattr(unknown, name) for name in OF_THE_ORG}
    number, reached = 0, 0
    while ids := list(
        LeadSync.objects.filter(pk__gt=reached).order_by("pk").values_list("pk", flat=True)[:LEADS_AT_ONCE]
    ):
        with transaction.atomic():
            list(LeadSync.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk"))
            number += LeadSync.objects.filter(pk__in=ids).update(**blank)
        reached = ids[-1]
    return number
