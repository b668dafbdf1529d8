"""Which Campaign in Salesforce the leads mean that name one: found by its name, in any case (CRM-2).

What is missing there is looked for again every day, what was found every week.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models.functions import Lower, Trim
from simple_salesforce.format import format_soql

from crm.client import SalesforceClient
from crm.models import CampaignMatch

# A query travels in an address, which may hold 16,000 characters.
NAMES_PER_QUERY = 50
LOOK_AGAIN_AFTER = timedelta(days=7)
LOOK_FOR_MISSING_AFTER = timedelta(days=1)

# A lead's campaign as CampaignMatch has it. Always said by the database: its lower case need not be ours.
NAME_OF_LEAD = Lower(Trim("lead__campaign"))


def note_names(names: Collection[str], *, now: datetime) -> None:
    """Have campaigns looked for that no lead has named before."""
    known = set(CampaignMatch.objects.filter(name__in=names).values_list("name", flat=True))
    new = (CampaignMatch(name=name, look_at=now) for name in sorted(set(names) - known))
    CampaignMatch.objects.bulk_create(new, ignore_conflicts=True)


def campaigns_of(names: Collection[str]) -> dict[str, str]:
    """The ids of those that were found, by name."""
    found = CampaignMatch.objects.filter(name__in=names).exclude(campaign_id="")
    return dict(found.values_list("name", "campaign_id"))


def marked_matches(*, now: datetime) -> Iterator[list[CampaignMatch]]:
    """What is to be looked for now, in as many at once as fit into a query."""
    marked = list(CampaignMatch.objects.filter(look_at__lte=now).order_by("look_at", "pk"))
    for start in range(0, len(marked), NAMES_PER_QUERY):
        yield marked[start : start + NAMES_PER_QUERY]


def read_campaigns(client: SalesforceClient, matches: Sequence[CampaignMatch]) -> Mapping[str, str]:
    """The ids of the campaigns of these names, by name. Of several an active one goes before others, then the
    latest. Raises SalesforceError."""
    names = [match.name for match in matches]
    soql = format_soql("SELECT Id, Name, IsActive FROM Campaign WHERE Name IN {}", names)
    rows = sorted(client.query(f"{soql} ORDER BY CreatedDate, Id"), key=lambda row: bool(row["IsActive"]))
    return {row["Name"].strip().lower(): row["Id"] for row in rows}


def note_campaigns(matches: Sequence[CampaignMatch], found: Mapping[str, str], *, now: datetime) -> None:
    """Keep what was found, and when to look again. A mark that was set anew meanwhile stays."""
    for match in matches:
        campaign_id = found.get(match.name, "")
        wait = LOOK_AGAIN_AFTER if campaign_id else LOOK_FOR_MISSING_AFTER
        unmoved = CampaignMatch.objects.filter(pk=match.pk, look_at=match.look_at)
        unmoved.update(campaign_id=campaign_id, look_at=now + wait)


def look_again_for(campaign_ids: Collection[str], *, now: datetime) -> None:
    """Salesforce did not know one of these: it was deleted, perhaps made anew."""
    CampaignMatch.objects.filter(campaign_id__in=campaign_ids).update(look_at=now)
