"""A lead that came by a campaign becomes its member in Salesforce, once (CRM-2).

Two things make leads members: their push, which their history tells, and the finding of their campaign, which
takes along the leads who were there before it. A membership exists but once in Salesforce, so that creating
it anew does no harm: it is a duplicate, and taken for ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.db import transaction
from django.db.models import OuterRef, Subquery
from simple_salesforce.format import format_soql

from crm.campaigns import (
    NAME_OF_LEAD,
    campaigns_of,
    look_again_for,
    marked_matches,
    note_campaigns,
    note_names,
    read_campaigns,
)
from crm.client import ROWS_PER_CALL, RowResult, SalesforceClient
from crm.history import keep_entries, sent_entry
from crm.mapping import Fields
from crm.models import CampaignMatch, CampaignMembership, Exchange, LeadSync, PullCursor
from crm.problems import Problem, Remedy, RequestRefused
from crm.pull.cursors import MEMBERS, cursor_of, note_trouble
from crm.rules import load_rules

log = structlog.get_logger("salesforce")

MEMBER = "CampaignMember"
LEADS_AT_ONCE = 1000
# What the org refuses to everybody, as to a user who may not use campaigns, is tried again so much later.
REST_AFTER_REFUSAL = timedelta(hours=1)
# The history has a push under the time of its beginning, and gets it before its claim expires.
OVERLAP = timedelta(minutes=5)
MOST_TRIES = 8
# May be about one campaign that our user may not edit, unlike other refusals of access.
OF_ONE_CAMPAIGN = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"

MayGoOn = Callable[[], bool]


@dataclass(frozen=True)
class Candidate:
    """A lead that Salesforce knows, and the campaign that it is no member of yet."""

    lead_id: int
    salesforce_id: str
    campaign_id: str

    @property
    def fields(self) -> Fields:
        return {"CampaignId": self.campaign_id, "LeadId": self.salesforce_id}


def enrol_leads(client: SalesforceClient, *, now: datetime, may_go_on: MayGoOn) -> int:
    """Make leads members of their campaigns, 200 to a call; say how many are new. `may_go_on` is asked before
    each call; what is left then, or is to be tried again, comes with the next run. Safe to repeat.

    Raises SalesforceError when the connection fails. What the org refuses to everybody is noted for the
    operators' page, and rests for an hour.
    """
    cursor = cursor_of(MEMBERS)
    if cursor.failed_at is not None and now - cursor.failed_at < REST_AFTER_REFUSAL:
        return 0
    run = _Run(client, now=now, may_go_on=may_go_on)
    try:
        run.enrol_pushed(cursor)
        run.find_campaigns()
    except RequestRefused as error:
        note_trouble(cursor, error.problem, now=now)
        log.warning("salesforce.campaigns_refused", code=error.problem.code)
    if run.enrolled:
        log.info("salesforce.leads_enrolled", leads=run.enrolled)
    return run.enrolled


class _Run:
    """One run, and how many leads it made members."""

    def __init__(self, client: SalesforceClient, *, now: datetime, may_go_on: MayGoOn) -> None:
        self._client = client
        self._now = now
        self._may_go_on = may_go_on
        self.enrolled = 0

    def enrol_pushed(self, cursor: PullCursor) -> None:
        """The leads that were pushed since the last run that came to its end. Raises SalesforceError."""
        candidates = _without_membership(_pushed_since(cursor.cursor), now=self._now)
        if self._enrol(candidates):
            PullCursor.objects.filter(pk=cursor.pk).update(cursor=self._now, failed_at=None, error="")

    def find_campaigns(self) -> None:
        """Look for the campaigns that are due. One counts as found once its leads are members: cut off
        before, it is looked for again. Raises SalesforceError."""
        for matches in marked_matches(now=self._now):
            if not self._may_go_on():
                return
            found = read_campaigns(self._client, matches)
            news = {match.name: found[match.name] for match in matches if _is_new(match, found)}
            if self._enrol(_without_membership(_leads_of(news), now=self._now, campaigns=news)):
                note_campaigns(matches, found, now=self._now)

    def _enrol(self, candidates: Iterator[Candidate]) -> bool:
        """Whether none of them has to be looked at again. Raises SalesforceError."""
        is_whole = True
        while chunk := list(islice(candidates, ROWS_PER_CALL)):
            if not self._may_go_on():
                return False
            is_whole &= self._send(chunk)
        return is_whole

    def _send(self, candidates: Sequence[Candidate]) -> bool:
        results = self._client.create_rows(MEMBER, [each.fields for each in candidates])
        results = _adopt_duplicates(self._client, candidates, results)
        answers = list(zip(candidates, results, strict=True))
        refusals = [each.problem for each in results if each.problem and _is_of_the_org(each.problem)]
        told = [(each, result) for each, result in answers if result.problem not in refusals]
        waiting = _record(told, now=self._now)
        self.enrolled += sum(result.problem is None for _, result in told)
        if refusals:
            raise RequestRefused(refusals[0])
        return not waiting


# --- Whom it is about -----------------------------------------------------------------------------


def _pushed_since(since: datetime | None) -> Iterable[int]:
    """The leads whose push was confirmed, by the index of the history's times."""
    pushed = Exchange.objects.filter(
        direction=Exchange.Direction.OUT, object_name="Lead", outcome=Exchange.Outcome.CONFIRMED
    )
    if since is not None:
        pushed = pushed.filter(at__gte=since - OVERLAP)
    return pushed.order_by().values_list("lead_id", flat=True).distinct().iterator()


def _leads_of(campaigns: Mapping[str, str]) -> Iterable[int]:
    """All leads that name one of these campaigns. This looks at every lead: once for a campaign."""
    if not campaigns:
        return ()
    named = LeadSync.objects.annotate(name=NAME_OF_LEAD).filter(name__in=list(campaigns))
    return named.values_list("lead_id", flat=True).iterator()


def _is_new(match: CampaignMatch, found: Mapping[str, str]) -> bool:
    return found.get(match.name, match.campaign_id) != match.campaign_id


def _without_membership(
    lead_ids: Iterable[int], *, now: datetime, campaigns: Mapping[str, str] | None = None
) -> Iterator[Candidate]:
    """Those of the leads that can become members of the campaign they name: one of `campaigns`, or else of
    those that were found. Names that are new are noted."""
    remaining = iter(lead_ids)
    while chunk := list(islice(remaining, LEADS_AT_ONCE)):
        rows = list(_read_leads(chunk))
        names = {name for _, _, name, _ in rows}
        if campaigns is None:
            note_names(names, now=now)
        known = campaigns_of(names) if campaigns is None else campaigns
        for lead_id, salesforce_id, name, refused_by in rows:
            if name in known and known[name] != refused_by:
                yield Candidate(lead_id, salesforce_id, known[name])


def _read_leads(lead_ids: Sequence[int]) -> Iterable[tuple[int, str, str, str | None]]:
    """Of those who live there and are no members: lead, id there, campaign's name, and the campaign that
    refused them."""
    refusal = CampaignMembership.objects.filter(lead=OuterRef("pk"), member_id="")
    members = CampaignMembership.objects.filter(lead__in=lead_ids).exclude(member_id="")
    living = LeadSync.objects.filter(pk__in=lead_ids, is_converted=False, removed_at=None)
    return (
        living.exclude(salesforce_id="")
        .exclude(pk__in=members.values("pk"))
        .annotate(name=NAME_OF_LEAD, refused_by=Subquery(refusal.values("campaign_id")))
        .exclude(name="")
        .values_list("lead_id", "salesforce_id", "name", "refused_by")
    )


# --- What became of it ----------------------------------------------------------------------------


def _adopt_duplicates(
    client: SalesforceClient, candidates: Sequence[Candidate], results: Sequence[RowResult]
) -> list[RowResult]:
    """The results, with those who are members already: somebody made them, or we did, and lost the answer."""
    doubles = [
        each
        for each, result in zip(candidates, results, strict=True)
        if result.problem and result.problem.code == "DUPLICATE_VALUE"
    ]
    if not doubles:
        return list(results)
    soql = format_soql(
        "SELECT Id, LeadId, CampaignId FROM CampaignMember WHERE LeadId IN {} AND CampaignId IN {}",
        sorted({each.salesforce_id for each in doubles}),
        sorted({each.campaign_id for each in doubles}),
    )
    members = {(row["LeadId"], row["CampaignId"]): row["Id"] for row in client.query(soql)}
    there = {each: members.get((each.salesforce_id, each.campaign_id)) for each in doubles}
    return [
        RowResult(member_id) if (member_id := there.get(each)) else result
        for each, result in zip(candidates, results, strict=True)
    ]


def _is_of_the_org(problem: Problem) -> bool:
    """Whether everybody is refused alike: so is what may be about one campaign, before anybody was let in."""
    if problem.remedy is not Remedy.CONFIG:
        return False
    return problem.code != OF_ONE_CAMPAIGN or not CampaignMembership.objects.exclude(member_id="").exists()


@transaction.atomic
def _record(answers: Sequence[tuple[Candidate, RowResult]], *, now: datetime) -> int:
    """Keep who became a member and who was refused; say how many are to be tried again."""
    again = _to_be_tried_again(answers)
    settled = [(each, result) for each, result in answers if each.lead_id not in again]
    CampaignMembership.objects.bulk_create(
        [
            CampaignMembership(
                lead_id=each.lead_id, campaign_id=each.campaign_id, member_id=result.salesforce_id
            )
            for each, result in settled
        ],
        update_conflicts=True,
        unique_fields=["lead"],
        update_fields=["campaign_id", "member_id"],
    )
    gone = {each.campaign_id for each, result in answers if _is_about(result, Remedy.GONE)}
    look_again_for(gone, now=now)
    rules = load_rules()
    keep_entries(
        sent_entry(
            each.lead_id,
            object_name=MEMBER,
            fields=each.fields,
            result=result,
            known_id="",
            outcome=_outcome(result, is_tried_again=each.lead_id in again),
            rules=rules,
            at=now,
        )
        for each, result in answers
    )
    return len(again)


def _to_be_tried_again(answers: Sequence[tuple[Candidate, RowResult]]) -> set[int]:
    """What passes by itself, unless it was tried often enough, as the history tells."""
    passing = {
        each.lead_id
        for each, result in answers
        if _is_about(result, Remedy.RETRY) or _is_about(result, Remedy.AGAIN)
    }
    if not passing:
        return passing
    tries = Exchange.objects.filter(lead__in=passing, object_name=MEMBER).values_list("lead_id", flat=True)
    counted = list(tries)
    return {lead_id for lead_id in passing if counted.count(lead_id) + 1 < MOST_TRIES}


def _is_about(result: RowResult, remedy: Remedy) -> bool:
    return result.problem is not None and result.problem.remedy is remedy


def _outcome(result: RowResult, *, is_tried_again: bool) -> Exchange.Outcome:
    if result.problem is None:
        return Exchange.Outcome.CONFIRMED
    return Exchange.Outcome.RETRIED if is_tried_again else Exchange.Outcome.REFUSED
