"""The parts of the queue: whose handoffs each shows, and to whom it is open (QUEUE-1, OPS-1)."""

from __future__ import annotations

from django.db import models

from accounts.models import User
from handoffs.models import Handoff, HandoffQuerySet


class Tab(models.TextChoices):
    MINE = "mine", "Mine"
    TEAM = "team", "Team"
    ALL = "all", "All"
    OVERFLOW = "overflow", "Overflow"


def tabs_of(user: User) -> list[Tab]:
    """The tabs of this person, in order. A BDR works their own and may look at the team's."""
    tabs = [Tab.MINE, Tab.TEAM, Tab.OVERFLOW] if user.role == User.Role.BDR else list(Tab)
    return [tab for tab in tabs if tab != Tab.TEAM or user.team_id is not None]


def first_tab(user: User) -> Tab:
    """What opens without a choice: a BDR's own work; everybody's for whoever looks after it."""
    return Tab.MINE if user.role == User.Role.BDR else Tab.ALL


def handoffs_in_tab(user: User, tab: str) -> HandoffQuerySet:
    """The open handoffs of a tab that this person may see. Overflow belongs to whoever claims it."""
    if tab == Tab.MINE:  # which everybody sees
        return Handoff.objects.open().owned_by(user)
    if tab == Tab.OVERFLOW:
        return Handoff.objects.overflow_for(user)
    visible = Handoff.objects.visible_to(user)
    if tab == Tab.TEAM:
        return visible.open().filter(owner__in=User.objects.filter(team=user.team_id).values("pk"))
    return visible.open().exclude(owner=None)
