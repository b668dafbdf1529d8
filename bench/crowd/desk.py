"""Whom the leads go to, and where they come from: everything through the portal's own ways.

Ten BDRs make a team with a pool of its own, and a routing rule sends it the leads of its region. They begin
with as many leads as they may have open, and the pool's overflow queue with some that nobody had room for.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from accounts.models import ApiToken, Team, User
from accounts.tokens import issue_token
from bench.crowd.diary import NO_ANSWER, Answer, Diary
from bench.crowd.people import Wait
from handoffs.models import Handoff, Pool, PoolMembership, RoutingRule
from handoffs.pipeline import advance_due_leads
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.intake import record_activities, record_lead

BDRS_PER_TEAM = 10
OPEN_EACH = 5
OVERFLOW_PER_POOL = 10
ROOMY = 1_000_000  # a week's leads are not what limits anybody here
DEMO = "Demo Requested"
INTAKE = ("/api/v1/leads/", "/api/v1/activities/")


def open_desk(*, bdrs: int) -> list[User]:
    """Hire that many BDRs, and hand their pools' first leads over."""
    people: list[User] = []
    regions: list[str] = []
    for number in range(bdrs):
        if number % BDRS_PER_TEAM == 0:
            region = region_of(number // BDRS_PER_TEAM)
            team = Team.objects.create(name=f"Team of {region}")
            pool = Pool.objects.create(name=region, team=team)
            RoutingRule.objects.create(name=region, sources=[region], pool=pool)
            regions += [region] * OVERFLOW_PER_POOL
        bdr = User.objects.create_user(f"rep{number}", password=None, role=User.Role.BDR, team=team)
        PoolMembership.objects.create(pool=pool, user=bdr, weekly_capacity=ROOMY, max_open=OPEN_EACH)
        people.append(bdr)
        regions += [region] * OPEN_EACH
    _hand_over(regions, now=timezone.now())
    return people


def region_of(team: int) -> str:
    return f"Region {team}"


def _hand_over(regions: Sequence[str], *, now: datetime) -> None:
    """A lead of each region asks for a demo, and the pipeline looks at them."""
    leads = [
        record_lead(_facts(f"first{number}", region), via="bench", now=now, nudge=False).lead
        for number, region in enumerate(regions)
    ]
    asked = [
        (lead, ActivityFacts(event=DEMO, occurred_at=now, message_id=f"first {lead.pk}")) for lead in leads
    ]
    record_activities(asked, via="bench", now=now, nudge=False)
    while advance_due_leads(now=now):
        pass
    if (waiting := len(regions) - Handoff.objects.open().count()) > 0:
        raise RuntimeError(f"{waiting} of {len(regions)} leads did not reach the desk.")


def _facts(name: str, region: str) -> LeadFacts:
    domain = f"{name}.example"
    return LeadFacts(
        email=f"nora@{domain}",
        first_name="Nora",
        last_name=name.title(),
        title="VP Operations",
        country="Germany",
        source=region,
        company=CompanyFacts(name=name.title(), domain=domain, employee_count=250, industry="Logistics"),
    )


# --- Fresh leads --------------------------------------------------------------------------------


class WebForm:
    """Sends new leads over the API, and what they did; the worker does the rest."""

    def __init__(self, port: int, *, diary: Diary) -> None:
        self._port = port
        self._diary = diary
        manager = User.objects.create_user("form", password=None, role=User.Role.MANAGER)
        scopes = [ApiToken.Scope.INTAKE]
        token = issue_token(manager, name="form", scopes=scopes, now=timezone.now()).secret
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(self, *, every: float, until: float, teams: int, wait: Wait) -> None:
        """One lead every so many seconds of the shift, for the teams in turn."""
        for number in range(int(until / every)):
            wait(number * every)
            self._send_one(f"fresh{number}", region_of(number % teams))

    def _send_one(self, name: str, region: str) -> None:
        email = f"nora@{name}.example"
        company = {"name": name.title(), "employee_count": 250, "industry": "Logistics"}
        lead: dict[str, object] = {
            "email": email,
            "first_name": "Nora",
            "last_name": name.title(),
            "title": "VP Operations",
            "country": "Germany",
            "source": region,
            "company": company,
        }
        activity: dict[str, object] = {"email": email, "event": DEMO, "message_id": name}
        for path, body in zip(INTAKE, (lead, activity), strict=True):
            self._post(path, body)

    def _post(self, path: str, body: Mapping[str, object]) -> None:
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", path, json.dumps(body), self._headers)
            response = connection.getresponse()
            response.read()
            status = response.status
        except (OSError, http.client.HTTPException):
            status = NO_ANSWER
        finally:
            connection.close()
        seconds = time.perf_counter() - started
        self._diary.answers.append(Answer(path, started, status, seconds, status == 201))
