"""Going through the connection's check-list (`crm.checks`). What is found is kept at once, so that a page
shows how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from crm.checks import BAD, CHECKS, SIGN_IN, WARNING, Check, Line, Visit
from crm.client import SalesforceClient
from crm.models import Finding
from crm.problems import Remedy, SalesforceError

IT_PASSES = "Nothing here is wrong: check again later."

log = structlog.get_logger("salesforce")


def check_connection(client: SalesforceClient, *, now: datetime) -> list[Finding]:
    """Go through the whole list; what an earlier check found goes. Ends early when we cannot sign in, as then
    nothing else can be told."""
    visit = Visit(client, now)
    found: list[Finding] = []
    for check in CHECKS:
        lines = _look(check, visit)
        found += _keep(check, lines, now=now)
        if check.key == SIGN_IN and any(line.outcome == BAD for line in lines):
            break
    Finding.objects.exclude(pk__in=[finding.pk for finding in found]).filter(checked_at__lte=now).delete()
    log.info("salesforce.checked", to_mend=sum(one.outcome == BAD for one in found))
    return found


def can_sign_in(found: Iterable[Finding]) -> bool:
    """Whether Salesforce let us in, by what the check-list says."""
    return not any(one.key == f"{SIGN_IN}:" and one.outcome == BAD for one in found)


def report_no_session(words: str, *, now: datetime) -> None:
    """Keep that the check could not begin, as there is nothing to sign in with."""
    _keep(CHECKS[0], [Line(BAD, words, CHECKS[0].remedy)], now=now)


def _look(check: Check, visit: Visit) -> list[Line]:
    try:
        return list(check.look(visit))
    except SalesforceError as error:
        outcome = BAD if check.is_needed else WARNING
        passes = error.problem.remedy in (Remedy.RETRY, Remedy.QUOTA)
        return [Line(outcome, error.problem.in_plain_words, IT_PASSES if passes else check.remedy)]


@transaction.atomic
def _keep(check: Check, lines: list[Line], *, now: datetime) -> list[Finding]:
    """In place of what this check found last time."""
    Finding.objects.filter(key__startswith=f"{check.key}:").delete()
    return Finding.objects.bulk_create(
        Finding(
            key=f"{check.key}:{line.about}"[:60],
            outcome=line.outcome,
            words=line.words[:300],
            remedy=line.remedy[:300],
            checked_at=now,
        )
        for line in lines
    )


# --- How far it is --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """What the check that was asked for at a time has found, check by check."""

    checked: list[tuple[Check, list[Finding]]]
    is_done: bool

    @property
    def bad(self) -> int:
        return self._count(BAD)

    @property
    def warnings(self) -> int:
        return self._count(WARNING)

    @property
    def checked_at(self) -> datetime | None:
        return max((finding.checked_at for _, found in self.checked for finding in found), default=None)

    @property
    def of(self) -> int:
        return len(CHECKS)

    def _count(self, outcome: str) -> int:
        return sum(finding.outcome == outcome for _, found in self.checked for finding in found)


def read_progress(*, asked_at: datetime | None = None) -> Progress:
    """What was found since `asked_at`; None: at the last check, whenever that was."""
    found: dict[str, list[Finding]] = {}
    rows = Finding.objects.all() if asked_at is None else Finding.objects.filter(checked_at__gte=asked_at)
    for finding in rows:
        found.setdefault(finding.key.partition(":")[0], []).append(finding)
    checked = [(check, found[check.key]) for check in CHECKS if check.key in found]
    is_over = not can_sign_in(found.get(SIGN_IN, ())) or CHECKS[-1].key in found
    return Progress(checked, is_done=is_over)
