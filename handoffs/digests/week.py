"""A manager's week as it begins: how the last one went, and what waits for them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse

from accounts.models import Team
from common.ticks import percentage
from handoffs.digests.summary import Summary, count
from handoffs.digests.turns import Turn
from handoffs.models import Handoff
from notifications.wording import Fact
from sla.figures.cohorts import Question
from sla.figures.compliance import Figures, measure_compliance
from sla.models import Clock, Target, Ticket

HOUR = 3600


def sum_up_week(turn: Turn, *, now: datetime) -> Summary | None:
    """The seven days before Monday, of the manager's team or, without one, of all; None when nothing was."""
    team = turn.person.team
    since, until = turn.midnight(days=-7), turn.midnight()
    clocks = Clock.objects.visible_to(turn.person)
    figures = measure_compliance(clocks, Question(since=since, until=until, team=team), now=now)
    handed, accepted, rejected = _handoffs(team, since, until)
    to_review = clocks.to_review().filter(Q(team=team) if team else Q()).count()
    tickets = Ticket.objects.visible_to(turn.person).open()
    open_ones, late = tickets.count(), tickets.late(now).count()
    if not (handed or figures.kept.n or to_review or open_ones):
        return None
    facts = [
        Fact(
            "handoffs",
            "Handed to sales",
            f"{handed:,}, {accepted:,} accepted, {rejected:,} rejected",
        ),
        Fact("kept", "Promises kept", _kept(figures)),
        Fact("missed", "Missed", f"{figures.missed:,}" if figures.kept.n else ""),
        Fact("speed", "First contact", _first_contact(figures)),
        Fact("review", "To review", count(to_review, "missed target") if to_review else ""),
        Fact("tickets", "Tickets", f"{open_ones:,} open, {late:,} late" if open_ones else ""),
    ]
    body = " · ".join(f"{fact.label}: {fact.value}" for fact in facts if fact.value)
    whose = f"{team}, week" if team else "The week"
    title = f"{whose} from {since.day} {since:%b}: {count(handed, 'lead')} handed to sales"
    return Summary(title, body, reverse("sla:compliance"), facts)


def _handoffs(team: Team | None, since: datetime, until: datetime) -> tuple[int, int, int]:
    """How many were made in that week, and how many of those were accepted and rejected by now."""
    made = Handoff.objects.filter(created_at__gte=since, created_at__lt=until)
    if team:
        made = made.filter(Q(owner__team=team) | Q(owner=None, pool__team=team))
    counted = made.aggregate(
        made=Count("pk"),
        accepted=Count("pk", filter=Q(accepted_at__isnull=False)),
        # Sent back after it was accepted counts as both.
        rejected=Count("pk", filter=Q(status=Handoff.Status.REJECTED)),
    )
    return counted["made"], counted["accepted"], counted["rejected"]


def _kept(figures: Figures) -> str:
    """ "93 % of 210", as the page of the figures counts them."""
    share = figures.kept.value
    return "" if share is None else f"{percentage(share)} of {figures.kept.n:,}"


def _first_contact(figures: Figures) -> str:
    """ "half within 2.1 h of working time, nine in ten within 7.5 h"."""
    span = figures.speeds[Target.Kind.FIRST_CONTACT].business
    if span.median is None or span.p90 is None:
        return ""
    return (
        f"half within {span.median / HOUR:.1f} h of working time, nine in ten within {span.p90 / HOUR:.1f} h"
    )
