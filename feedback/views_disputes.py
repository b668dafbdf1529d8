"""/marketing/disputes/: rejections that marketing contradicts, and a manager's word on them (FEED-4)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError
from common.htmx import wants_fragment
from common.keyset import newest_first_page
from feedback.disputes import settle_dispute
from feedback.forms_loop import SettleForm
from feedback.models import Dispute
from feedback.views_tasks import MOST_OPEN, PAGE_SIZE, READERS

SHOWN = ("verdict__lead__company", "verdict__reason", "verdict__by", "by", "settled_by")


@require_GET
@role_required(*READERS)
def disputes(request: HttpRequest) -> HttpResponse:
    """Open ones by their due time; settled ones on a tab of their own, latest first."""
    shown = Dispute.objects.select_related(*SHOWN)
    unsettled = shown.filter(settled_at=None)
    context: dict[str, object] = {
        "settled": request.GET.get("tab") == "settled",
        "open_count": unsettled.count(),
        "may_settle": signed_in_user(request).role == User.Role.MANAGER,
        "outcomes": Dispute.Outcome,
    }
    if context["settled"]:
        after = request.GET.get("after", "")
        closed = shown.filter(settled_at__isnull=False)
        context["page"] = newest_first_page(closed, at="settled_at", after=after, size=PAGE_SIZE)
    else:
        context["open_disputes"] = list(unsettled.order_by("due_at", "pk")[:MOST_OPEN])
    return render(request, "feedback/disputes.html", context)


@require_POST
@role_required(User.Role.MANAGER)
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """One tap: the rejection stands, or the lead was good and goes to sales again."""
    dispute = get_object_or_404(Dispute.objects.select_related(*SHOWN), pk=pk)
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _refuse(request, dispute, " ".join(str(words[0]) for words in form.errors.values()), 422)
    try:
        handoff = settle_dispute(dispute, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, dispute, str(refusal), refusal.status)
    name = dispute.verdict.lead.name
    if dispute.outcome == Dispute.Outcome.UPHELD:
        words = f"The rejection of {name} stands. Marketing is told."
    elif handoff is None:
        words = f"{name} was good. It is not handed over, as it has moved on since."
    else:
        words = f"{name} was good and is back with sales: {handoff.owner or 'the overflow queue'}."
    messages.success(request, words)
    if wants_fragment(request):
        return HttpResponseClientRefresh()
    return redirect("feedback:disputes")


def _refuse(request: HttpRequest, dispute: Dispute, words: str, status: int) -> HttpResponse:
    """The dispute as it is now, why, and what was typed."""
    dispute = Dispute.objects.select_related(*SHOWN).get(pk=dispute.pk)
    context = {
        "dispute": dispute,
        "refusal": words,
        "typed": request.POST.get("settlement", ""),
        "may_settle": dispute.settled_at is None,
        "outcomes": Dispute.Outcome,
        "open_disputes": [dispute],
        "open_count": 1,
    }
    template = "feedback/disputes.html#dispute" if wants_fragment(request) else "feedback/disputes.html"
    return render(request, template, context, status=status)
