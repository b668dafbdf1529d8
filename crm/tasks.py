"""What the scheduler runs. Each is safe to run twice, and two at once share the work.

Each asks its `clock` what time it is; tests pass one of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime

import structlog
from django.utils import timezone

from crm.accounts import match_accounts, note_companies_to_match
from crm.alarms import raise_sync_alarms
from crm.budget import may_spend
from crm.bulk import carry_on
from crm.changes import MOST_AT_ONCE, fold_changes, remark_forgotten
from crm.checking import can_sign_in, check_connection, report_no_session
from crm.claims import release_forgotten_claims
from crm.client import SalesforceClient, connected_client
from crm.connection import client_for_work, is_paused, record_contact
from crm.fitting import check_against_org, report_misfits
from crm.history import forget_old_entries
from crm.members import enrol_leads
from crm.models import Lane
from crm.owners import map_owners_by_email, refresh_activity
from crm.pacing import lanes_to_push
from crm.problems import SalesforceError
from crm.pull import pull_changes
from crm.push import push_batch
from crm.reconciling import begin_weekly_comparison, compare_next_page
from crm.rules import mark_next_leads
from notifications.sealing import CannotUnseal

log = structlog.get_logger("salesforce")

Clock = Callable[[], datetime]

# Well within the time a task is given; what is left waits for the next run.
BUDGET_SECONDS = 10.0


def push_handoffs_task(clock: Clock = timezone.now) -> None:
    """Send the handoffs that are to go now, while another worker is busy with the rest: a batch of 2,000
    leads takes seconds, and an acceptance should not."""
    client = client_for_work(now=clock())
    ends_at = time.monotonic() + BUDGET_SECONDS
    while client is not None and time.monotonic() < ends_at:
        fold_changes(now=clock(), lanes=[Lane.HANDOFF])
        lanes = lanes_to_push(now=clock())
        if Lane.HANDOFF not in lanes or not _push(client, lanes, clock):
            return


def push_stale_leads_task(clock: Clock = timezone.now) -> None:
    """Send every lead that is to go now, batch by batch. Without a connection, only note that they wait."""
    _fold_all_changes(clock)
    client = client_for_work(now=clock())
    if client is None:
        return
    release_forgotten_claims(now=clock())
    ends_at = time.monotonic() + BUDGET_SECONDS
    while time.monotonic() < ends_at:
        if not _push(client, lanes_to_push(now=clock()), clock):
            return
        # A handoff made meanwhile goes with the next batch.
        _fold_all_changes(clock)


def _push(client: SalesforceClient, lanes: Collection[Lane], clock: Clock) -> bool:
    """Send a batch; whether there may be another one."""
    if not lanes:
        return False
    result = push_batch(client, now=clock(), lanes=lanes)
    return bool(result.claimed) and not result.is_paused


def carry_bulk_jobs_task(clock: Clock = timezone.now) -> None:
    """Take bulk jobs as far as they go now, and begin one where very many leads wait."""
    client = client_for_work(now=clock())
    ends_at = time.monotonic() + BUDGET_SECONDS
    while client is not None and time.monotonic() < ends_at:
        if not carry_on(client, now=clock()):
            return


def _fold_all_changes(clock: Clock) -> None:
    while fold_changes(now=clock()) == MOST_AT_ONCE:
        pass


def remark_forgotten_task(clock: Clock = timezone.now) -> None:
    """Find the leads that nobody marked, of which there should be none."""
    remark_forgotten(now=clock())


def forget_old_entries_task(clock: Clock = timezone.now) -> None:
    """Delete what the history of leads with Salesforce need not keep any longer."""
    forget_old_entries(now=clock())


def pull_changes_task(clock: Clock = timezone.now) -> None:
    """Read what people changed in Salesforce."""
    client = client_for_work(now=clock())
    if client is not None:
        pull_changes(client, now=clock())


def map_owners_task(clock: Clock = timezone.now) -> None:
    """Find the Salesforce users of people who joined, and learn who left there."""
    client = client_for_work(now=clock())
    if client is None or is_paused(clock()):
        return
    try:
        map_owners_by_email(client, now=clock())
        refresh_activity(client, now=clock())
    except SalesforceError as error:
        # The push meets the same failure, pauses and tells the operators.
        log.warning("salesforce.owners_not_read", code=error.problem.code)


def compare_after_mapping_task(clock: Clock = timezone.now) -> None:
    """Mark the leads for comparison with a mapping that changed, some thousand at a time."""
    ends_at = time.monotonic() + BUDGET_SECONDS
    while mark_next_leads(now=clock()) and time.monotonic() < ends_at:
        pass


def begin_weekly_comparison_task(clock: Clock = timezone.now) -> None:
    """Have both sides compared, record by record; nothing is mended."""
    if client_for_work(now=clock()) is not None:
        begin_weekly_comparison(now=clock())


def compare_both_sides_task(clock: Clock = timezone.now) -> None:
    """Take the comparison under way as far as it goes now."""
    client = client_for_work(now=clock())
    ends_at = time.monotonic() + BUDGET_SECONDS
    while client is not None and time.monotonic() < ends_at:
        if not compare_next_page(client, now=clock()):
            return


def check_mapping_task(clock: Clock = timezone.now) -> None:
    """Compare the mapping with what Salesforce is like today, and tell the operators what does not fit."""
    now = clock()
    client = client_for_work(now=now)
    if client is None or is_paused(now):
        return
    try:
        report_misfits(check_against_org(client, now=now), now=now)
    except SalesforceError as error:
        log.warning("salesforce.mapping_not_checked", code=error.problem.code)


def match_accounts_task(clock: Clock = timezone.now) -> None:
    """Find the accounts of companies whose leads are in sales' hands."""
    now = clock()
    client = client_for_work(now=now)
    if client is None or is_paused(now) or not may_spend(Lane.LATER, now=now):
        return
    note_companies_to_match(now=now)
    try:
        match_accounts(client, now=now)
    except SalesforceError as error:
        log.warning("salesforce.accounts_not_read", code=error.problem.code)


def enrol_leads_task(clock: Clock = timezone.now) -> None:
    """Make leads members of the campaigns they came by."""
    now = clock()
    client = client_for_work(now=now)
    if client is None or is_paused(now):
        return
    ends_at = time.monotonic() + BUDGET_SECONDS
    try:
        enrol_leads(
            client,
            now=now,
            may_go_on=lambda: time.monotonic() < ends_at and may_spend(Lane.LATER, now=now),
        )
    except SalesforceError as error:
        log.warning("salesforce.leads_not_enrolled", code=error.problem.code)


def check_connection_task(clock: Clock = timezone.now) -> None:
    """Go through the connection's check-list."""
    now = clock()
    try:
        client = connected_client()
    except CannotUnseal as error:
        report_no_session(str(error), now=now)
        return
    if client is None:
        report_no_session("No Salesforce is connected yet.", now=now)
        return
    if can_sign_in(check_connection(client, now=now)):
        record_contact(client, now=now)


def raise_sync_alarms_task(clock: Clock = timezone.now) -> None:
    raise_sync_alarms(now=clock())
