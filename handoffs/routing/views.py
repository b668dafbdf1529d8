"""The pages about routing: the rules and pools as they stand, a dry run, the fairness of turns, and moving
everything somebody has in hand to others."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError, InvalidInput
from handoffs.models import Handoff, Pool
from handoffs.routing.assignment import NoRouteForLead, preview_route
from handoffs.routing.bulk_reassignment import BulkPlan, plan_by_turns, plan_for_people, reassign_in_bulk
from handoffs.routing.explanation import tell_choice
from handoffs.routing.fairness import measure_fairness
from handoffs.routing.forms import BulkReassignForm, TryRouteForm
from handoffs.routing.overview import read_overview
from handoffs.routing.sentences import facts_in_words

Role = User.Role
READERS = (Role.BDR, Role.MANAGER, Role.MARKETING, Role.READ_ONLY)
# The dry run names everybody in every pool.
TRIERS = (Role.MANAGER, Role.MARKETING, Role.READ_ONLY)


@require_GET
@role_required(*READERS)
def overview(request: HttpRequest) -> HttpResponse:
    """Rules in their order, and the pools with who could take a lead now."""
    user = signed_in_user(request)
    context = {"overview": read_overview(user, now=timezone.now())}
    return _render(request, "overview", context)


@require_GET
@role_required(*READERS)
def fairness(request: HttpRequest) -> HttpResponse:
    pools = Pool.objects.visible_to(signed_in_user(request))
    return _render(request, "fairness", {"pools": measure_fairness(list(pools), now=timezone.now())})


@require_GET
@role_required(*TRIERS)
def try_route(request: HttpRequest) -> HttpResponse:
    """Route a lead, known or imagined, without doing so: nothing is written and nothing is locked."""
    user = signed_in_user(request)
    if not request.GET:
        return _render(request, "try", {"form": TryRouteForm(viewer=user)})
    form = TryRouteForm(request.GET, viewer=user)
    if not form.is_valid():
        return _render(request, "try", {"form": form}, status=422)
    return _render(request, "try", {"form": form, **_route(form, viewer=user)})


def _route(form: TryRouteForm, *, viewer: User) -> dict[str, Any]:
    """Where the lead of a valid form would go, and what everybody considered would be told."""
    lead, facts = form.cleaned_data["lead"], form.facts()
    company = lead.company if lead else form.cleaned_data["company"]
    told = {"lead": lead, "looked_at": facts_in_words(facts)}
    try:
        preview = preview_route(facts, company=company, lead=lead, now=timezone.now())
    except NoRouteForLead as refusal:
        return told | {"refusal": refusal}
    considered = preview.choice.considered
    return told | {
        "preview": preview,
        "chosen": next((one.name for one in considered if one.chosen), ""),
        "told": tell_choice(considered, viewer=viewer),
    }


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def reassign_all(request: HttpRequest) -> HttpResponse:
    """Who has what, then the preview of the moves, then the moves themselves."""
    if request.method == "POST":
        return _confirm(request)
    if not request.GET:
        return _render(request, "reassign", {"form": BulkReassignForm()})
    form = BulkReassignForm(request.GET)
    if not form.is_valid():
        return _render(request, "reassign", {"form": form}, status=422)
    try:
        plan = _plan(form)
    except InvalidInput as refusal:
        form.add_error("to", str(refusal))
        return _render(request, "reassign", {"form": form}, status=422)
    return _render(request, "reassign", {"form": form, **_preview(plan)})


def _plan(form: BulkReassignForm) -> BulkPlan:
    given = form.cleaned_data
    if given["to"]:
        return plan_for_people(given["person"], list(given["to"]), which=given["which"])
    return plan_by_turns(given["person"], which=given["which"], now=timezone.now())


def _confirm(request: HttpRequest) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        plan = BulkPlan.unseal(request.POST.get("plan", ""))
    except InvalidInput as refusal:
        return _render(
            request, "reassign", {"form": BulkReassignForm(), "refusal": refusal}, status=refusal.status
        )
    try:
        moved = reassign_in_bulk(plan, by=signed_in_user(request), reason=reason, now=timezone.now())
    except DomainError as refusal:
        form = BulkReassignForm({"person": plan.leaver_id})
        context = {"form": form, "refusal": refusal, "reason": reason}
        if isinstance(refusal, InvalidInput) and refusal.field == "reason":
            context |= _preview(plan)
        return _render(request, "reassign", context, status=refusal.status)
    messages.success(request, _moved_in_words(moved))
    return redirect("handoffs:reassign_in_bulk")


def _preview(plan: BulkPlan) -> dict[str, Any]:
    """The moves with names, how many go to whom, and the sealed plan for the confirmation."""
    people = User.objects.in_bulk({move.to_id for move in plan.moves if move.to_id})
    wanted = [*(move.handoff_id for move in plan.moves), *plan.staying]
    handoffs = Handoff.objects.select_related("lead__company", "pool").in_bulk(wanted)
    counts = Counter(people[move.to_id] if move.to_id else None for move in plan.moves)
    return {
        "plan": plan.seal(),
        "leaver": User.objects.get(pk=plan.leaver_id),
        "moves": [
            (handoffs[move.handoff_id], people[move.to_id] if move.to_id else None) for move in plan.moves
        ],
        "staying": [handoffs[pk] for pk in plan.staying],
        "counts": counts.most_common(),
    }


def _moved_in_words(moved: Counter[User | None]) -> str:
    shares = ", ".join(f"{number} to {to or 'the overflow queue'}" for to, number in moved.most_common())
    return f"Reassigned: {shares}."


def _render(request: HttpRequest, page: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    user = signed_in_user(request)
    may = {
        "may_edit": user.role == Role.MANAGER or user.is_superuser,
        "may_try": user.role in TRIERS or user.is_superuser,
    }
    return render(request, f"handoffs/routing/{page}.html", may | {"page": page} | context, status=status)
