"""When which field was changed in Salesforce, where the org tracks it (LeadHistory)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from crm.client import SalesforceClient
from crm.models import PullCursor
from crm.problems import RequestRefused
from crm.pull.cursors import HISTORY, as_literal
from crm.pull.rows import RemoteLead

IDS_PER_QUERY = 200
# An org that does not track leads, or hides it from us, is asked again after so long.
ASK_AGAIN_AFTER = timedelta(days=1)
NOT_TRACKED = "Salesforce keeps no history of leads, or hides it: a change counts from its row's last one."


def read_times(
    client: SalesforceClient, remotes: Sequence[RemoteLead], *, since: datetime | None, now: datetime
) -> Mapping[str, Mapping[str, datetime]]:
    """By record and field, when it was last changed there since; `Owner` for its owner.

    Fields that are not tracked are missing: their row's stamp must do. Nothing is asked about changes without
    a beginning, as of a first reading. Raises SalesforceError when the connection fails.
    """
    times: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    refused = PullCursor.objects.filter(object_name=HISTORY)
    if since is None or refused.filter(failed_at__gt=now - ASK_AGAIN_AFTER).exists():
        return times
    ids = [remote.salesforce_id for remote in remotes]
    try:
        for start in range(0, len(ids), IDS_PER_QUERY):
            for row in client.query(_changes_of(ids[start : start + IDS_PER_QUERY], since)):
                times[row["LeadId"]][row["Field"]] = datetime.fromisoformat(row["CreatedDate"])
    except RequestRefused:
        PullCursor.objects.update_or_create(
            object_name=HISTORY, defaults={"failed_at": now, "error": NOT_TRACKED}
        )
    else:
        refused.delete()
    return times


def _changes_of(ids: Sequence[str], since: datetime) -> str:
    listed = ", ".join(f"'{each}'" for each in ids)
    # Its SystemModstamp cannot be filtered by in every org.
    return (
        f"SELECT LeadId, Field, CreatedDate FROM LeadHistory WHERE LeadId IN ({listed}) "
        f"AND CreatedDate >= {as_literal(since)} ORDER BY CreatedDate, Id"
    )
