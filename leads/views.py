"""One person's whole story. A shell: the apps above serve their own panels."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.roles import login_required, role_required, signed_in_user
from common.keyset import KeysetPage, newest_first_page
from leads.models import AttributeChange, Company, Lead, OtherAnswer
from leads.services import take_answer

M = TypeVar("M", bound=Model)

PAGE_SIZE = 20
# Who decides between two answers; everybody else sees both.
MAY_CORRECT = (User.Role.MARKETING, User.Role.MANAGER, User.Role.OPERATOR)


@require_safe
@login_required
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Facts, where from, what they did, what changed and the log; each list has its own place in the URL."""
    user = signed_in_user(request)
    visible = Lead.objects.visible_to(user).select_related("company", "owner", "team")
    lead = get_object_or_404(visible, pk=pk)

    def page(queryset: QuerySet[M], at: str, name: str) -> KeysetPage[M]:
        return newest_first_page(queryset, at=at, after=request.GET.get(name, ""), size=PAGE_SIZE)

    history = page(_history_of(lead), "changed_at", "history")
    context = {
        "lead": lead,
        "activities": page(lead.activities.all(), "occurred_at", "activities"),
        "history": history,
        "log": page(lead.events.select_related("by"), "at", "log"),
        "companies": _companies_in(history),
        "other_answers": _other_answers_of(lead),
        "may_correct": user.role in MAY_CORRECT,
    }
    return render(request, "leads/detail.html", context)


@require_POST
@role_required(*MAY_CORRECT)
def use_answer(request: HttpRequest, pk: int, answer_pk: int) -> HttpResponse:
    """Hold the other answer from now on; the one held so far goes to the history."""
    user = signed_in_user(request)
    lead = get_object_or_404(Lead.objects.visible_to(user).select_related("company"), pk=pk)
    answer = get_object_or_404(_other_answers_of(lead), pk=answer_pk)
    take_answer(lead, answer, by=user, at=timezone.now())
    messages.success(request, f"{answer.label} changed. What it was before is in the history.")
    return redirect("leads:detail", pk=lead.pk)


def _of_lead_or_company(lead: Lead) -> Q:
    return Q(lead=lead) | Q(company__isnull=False, company=lead.company_id)


def _history_of(lead: Lead) -> QuerySet[AttributeChange]:
    return AttributeChange.objects.filter(_of_lead_or_company(lead)).select_related("by")


def _other_answers_of(lead: Lead) -> QuerySet[OtherAnswer]:
    return OtherAnswer.objects.filter(_of_lead_or_company(lead)).order_by("field", "-said_at")


def _companies_in(history: KeysetPage[AttributeChange]) -> dict[str, str]:
    """Names of the companies that a lead moved between: the history holds their ids."""
    ids = {
        value
        for row in history.rows
        if row.field == "company"
        for value in (row.old_value, row.new_value)
        if value
    }
    if not ids:
        return {}
    return {str(pk): name for pk, name in Company.objects.filter(pk__in=ids).values_list("pk", "name")}
