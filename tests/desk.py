"""A desk that works: an active scoring model, service levels, reasons, playbooks, a pool of two BDRs."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest

from accounts.models import User
from feedback.models import RejectionReason
from feedback.presets import PRESETS as FEEDBACK
from feedback.presets import load_feedback_preset
from handoffs.models import Handoff, Pool
from handoffs.presets import PRESETS as HANDOFFS
from handoffs.presets import load_handoff_preset
from handoffs.services import hand_off
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.intake import record_activity, record_lead
from leads.models import Lead
from scoring.presets import PRESETS as SCORING
from scoring.services import load_scoring_preset, score_lead
from sla.models import Target
from sla.presets import CalendarPreset, PolicyPreset, SlaPreset, TargetPreset, load_sla_preset

ROUND_THE_CLOCK = Target.Mode.WALL
SERVICE_LEVELS = SlaPreset(
    calendar=CalendarPreset(name="Office", time_zone="UTC"),
    policies=(
        PolicyPreset(
            name="Any",
            targets=(
                TargetPreset(kind=Target.Kind.CRM_TRANSFER, mode=ROUND_THE_CLOCK, minutes=5),
                TargetPreset(kind=Target.Kind.OPENED, mode=ROUND_THE_CLOCK, minutes=15),
                TargetPreset(kind=Target.Kind.DECISION, mode=ROUND_THE_CLOCK, minutes=1440),
                TargetPreset(kind=Target.Kind.FIRST_CONTACT, mode=ROUND_THE_CLOCK, minutes=2880),
            ),
        ),
    ),
)

_numbers = itertools.count(1)


def load_desk(*, now: datetime) -> None:
    """The rows every handoff needs. The pool takes the BDRs that exist."""
    load_scoring_preset(SCORING["classic"], by=None, now=now)
    load_sla_preset(SERVICE_LEVELS, by=None, now=now)
    load_feedback_preset(FEEDBACK["classic"], by=None, now=now)
    load_handoff_preset(HANDOFFS["classic"], by=None)


def fitting_lead(*, now: datetime, company: str = "", **facts: str) -> Lead:
    """A lead who fits the ICP (35 points) and has done nothing yet."""
    number = next(_numbers)
    given = {"email": f"lea{number}@nordwind{number}.example", "first_name": "Lea", "last_name": "Holm"}
    given |= {"title": "VP Sales", "country": "Germany", "source": "Webinar", "phone": "+49 30 1234"}
    domain = company or f"nordwind{number}.example"
    employer = CompanyFacts(
        name=domain.partition(".")[0].title(), domain=domain, employee_count=250, industry="Software"
    )
    return record_lead(LeadFacts(company=employer, **(given | facts)), via="test", now=now).lead


def do(lead: Lead, event: str, *, now: datetime, **properties: object) -> None:
    """Let the lead do something."""
    facts = ActivityFacts(
        event=event, occurred_at=now, message_id=f"desk-{next(_numbers)}", properties=properties
    )
    record_activity(lead, facts, via="test", now=now)


def ready_lead(*, now: datetime, **facts: str) -> Lead:
    """A lead who has just asked for a demo: an instant MQL."""
    lead = fitting_lead(now=now, **facts)
    do(lead, "Demo Requested", now=now, form="demo")
    lead.refresh_from_db()
    return lead


def offer(lead: Lead, *, now: datetime) -> Handoff:
    """Hand the lead off as the pipeline does."""
    score = score_lead(lead, now=now)
    assert score is not None
    return hand_off(lead, score, trigger=Handoff.Trigger.INSTANT, now=now)


def reason(code: str) -> RejectionReason:
    return RejectionReason.objects.get(code=code)


# --- Fixtures, imported by the conftest of each directory that needs a desk -----------------------


@pytest.fixture
def pool(bdr: User, other_bdr: User, manager: User, marketing: User, now: datetime) -> Pool:
    load_desk(now=now)
    return Pool.objects.get(name="Inbound")


@pytest.fixture
def lead(pool: Pool, now: datetime) -> Lead:
    return ready_lead(now=now)


@pytest.fixture
def handoff(lead: Lead, now: datetime) -> Handoff:
    """A lead just offered to one of the two BDRs, who is `handoff.owner`."""
    return offer(lead, now=now)
