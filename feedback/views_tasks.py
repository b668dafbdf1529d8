"""/marketing/tasks/: what marketing owes sales, the most urgent first, and the page to settle it on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError, InvalidInput
from common.keyset import newest_first_page
from feedback.forms_loop import FixForm
from feedback.models import MarketingTask
from feedback.tasks_for_marketing import complete_task
from handoffs.models import ContextPackage, Handoff

READERS = (User.Role.MARKETING, User.Role.MANAGER, User.Role.READ_ONLY)
SETTLERS = (User.Role.MARKETING, User.Role.MANAGER)
# More than anybody settles in a day; the most urgent ones are shown.
MOST_OPEN = 100
PAGE_SIZE = 25


@require_GET
@role_required(*READERS)
def tasks(request: HttpRequest) -> HttpResponse:
    """Open ones by their due time; those that are done on a tab of their own, latest first."""
    now = timezone.now()
    shown = MarketingTask.objects.select_related(
        "lead__company", "handoff__owner", "verdict__by", "verdict__reason", "done_by"
    )
    context: dict[str, object] = {
        "done": request.GET.get("tab") == "done",
        "open_count": MarketingTask.objects.open().count(),
        "late_count": MarketingTask.objects.late(now).count(),
        "most": MOST_OPEN,
    }
    if context["done"]:
        closed = shown.filter(done_at__isnull=False)
        after = request.GET.get("after", "")
        context["page"] = newest_first_page(closed, at="done_at", after=after, size=PAGE_SIZE)
    else:
        context["open_tasks"] = list(shown.open().order_by("due_at", "pk")[:MOST_OPEN])
    return render(request, "feedback/tasks.html", context)


@require_http_methods(["GET", "POST"])
@role_required(*READERS)
def task(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the lead, say what was done, and it is off the list; a returned lead goes back to sales."""
    user = signed_in_user(request)
    found = get_object_or_404(
        MarketingTask.objects.select_related(
            "lead__company", "handoff__owner", "verdict__by", "verdict__reason", "done_by"
        ),
        pk=pk,
    )
    package = ContextPackage.objects.filter(handoff=found.handoff_id).only("missing").first()
    missing = package.missing if package else []
    form = FixForm(request.POST or None, lead=found.lead, missing=missing)
    if request.method == "GET" or not form.is_valid():
        return _render_task(request, found, form, status=422 if form.errors else 200)
    try:
        handed = complete_task(
            found,
            outcome=form.cleaned_data["outcome"],
            changes=form.changes(),
            by=user,
            now=timezone.now(),
        )
    except InvalidInput as refusal:
        form.add_error(form.name_of(refusal.field), str(refusal))
        return _render_task(request, found, form, status=refusal.status)
    except DomainError as refusal:
        found.refresh_from_db()
        return _render_task(request, found, form, refusal=refusal, status=refusal.status)
    messages.success(request, _words(found, handed))
    return redirect("feedback:tasks")


def _render_task(
    request: HttpRequest,
    found: MarketingTask,
    form: FixForm,
    *,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    may_settle = found.done_at is None and signed_in_user(request).role in SETTLERS
    context = {"task": found, "form": form, "refusal": refusal, "may_settle": may_settle}
    return render(request, "feedback/task.html", context, status=status)


def _words(found: MarketingTask, handed: Handoff | None) -> str:
    if handed is not None:
        return f"{found.lead.name} is back with sales: {handed.owner or 'the overflow queue'}."
    if found.kind == MarketingTask.Kind.FILL_GAPS:
        return f"Done. {found.rep} is told." if found.rep else f"Done. {found.lead.name} is off the list."
    return f"Done. {found.lead.name} goes back to sales as soon as it qualifies."
