"""Trying rules on somebody before they count: a lead we know or one that is imagined, by a draft and by the
version that is active. Nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import User
from common.patience import at_most
from leads.models import Lead, LeadQuerySet
from scoring.engine import model_of, score_imagined, score_with_ledger
from scoring.language.explanation import Explanation, explain_result
from scoring.language.results import ImaginedLead
from scoring.language.rules import Model
from scoring.models import LeadScore, ModelVersion, Signal
from scoring.views.forms_try import ImaginedLeadForm

MOST_FOUND = 8
MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class Side:
    """What one version says; `explanation` is None if it cannot say anything about this lead."""

    heading: str
    explanation: Explanation | None

    @property
    def category(self) -> str:
        return LeadScore.Category(self.explanation.category).label if self.explanation else ""

    @property
    def warmth(self) -> str:
        return LeadScore.Warmth(self.explanation.warmth).label if self.explanation else ""


def find_leads(who: str, *, by: User) -> list[Lead]:
    """Up to MOST_FOUND leads that the person may see: the one of exactly this e-mail address, else those
    whose name or address holds every word. Raises TookTooLong where that is too much to look through."""
    leads: LeadQuerySet = Lead.objects.visible_to(by).select_related("company")
    exact = list(leads.filter(email=who.strip().lower())[:1]) if "@" in who else []
    if exact:
        return exact
    with at_most(2, otherwise="That is too much to look through. Give the whole e-mail address."):
        return list(leads.filter(_holds(who.split()[:MOST_WORDS])).order_by("-pk")[:MOST_FOUND])


def _holds(words: list[str]) -> Q:
    condition = Q()
    for word in words:
        condition &= Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word)
    return condition


def try_lead(model: Model, number: int, lead: Lead, *, heading: str, now: datetime) -> Side:
    """What the rules say of the lead now."""
    result = score_with_ledger(model, lead.pk, as_of=now)
    return Side(heading, explain_result(model, number, result, as_of=now) if result else None)


def try_imagined(model: Model, number: int, form: ImaginedLeadForm, *, heading: str, now: datetime) -> Side:
    """What the rules say of the lead that the form describes. A signal stands for the revision of it that
    the rules count."""
    counted = Signal.objects.filter(pk__in={rule.signal for rule in model.behaviour})
    revisions = dict(counted.values_list("key", "pk"))
    hits = tuple((revisions[key], at) for key, at in form.hits(now) if key in revisions)
    person = ImaginedLead(facts=form.facts, hits=hits, trips=form.trips_made)
    return Side(heading, explain_result(model, number, score_imagined(model, person, as_of=now), as_of=now))


def active_rules() -> tuple[ModelVersion, Model] | None:
    """The active version with its model."""
    active = ModelVersion.objects.active().first()
    return (active, model_of(active)) if active else None
