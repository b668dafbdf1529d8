"""Which policies are in force, in sentences, and applying them to promises that run already."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.queue import enqueue
from sla.models import Policy
from sla.policy_history import Edition, history_of
from sla.reapplying import Reapplied, preview_reapplying, reapply_policies
from sla.versions import read_terms, terms_of
from sla.views import WATCHERS
from sla.wording import conditions_in_words, step_in_words, target_in_words

# Older versions are in the admin.
MOST_VERSIONS = 10


@dataclass(frozen=True)
class PolicyRow:
    """A policy in force as the page tells it."""

    policy: Policy
    applies_to: str
    targets: list[str]
    steps: list[str]
    reviews_breaches: bool
    editions: list[Edition]


@require_GET
@role_required(*WATCHERS)
def policies(request: HttpRequest) -> HttpResponse:
    active = Policy.objects.filter(is_active=True).prefetch_related("targets", "steps", "versions__by")
    context = {
        "rows": [_row(policy) for policy in active],
        "may_change": signed_in_user(request).role == User.Role.MANAGER,
    }
    return render(request, "sla/policies.html", context)


@require_http_methods(["GET", "POST"])
@role_required(User.Role.MANAGER)
def reapply(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what applying the terms in force would do, and do it."""
    now = timezone.now()
    user = signed_in_user(request)
    policy = get_object_or_404(Policy, pk=pk)
    preview = preview_reapplying(policy=policy, now=now)
    if request.method == "GET":
        return render(request, "sla/reapply.html", {"policy": policy, "preview": preview})
    if preview.is_partial:
        enqueue("sla.tasks.reapply_policy_task", policy.pk, user.pk)
        messages.success(request, f"The open clocks of “{policy}” get the terms in force within minutes.")
    else:
        messages.success(request, _in_words(reapply_policies(policy=policy, by=user, now=now)))
    return redirect("sla:policies")


def _row(policy: Policy) -> PolicyRow:
    versions = list(policy.versions.all())
    # One made past the admin has no version until it is used.
    terms = read_terms(versions[0]) if versions else terms_of(policy)
    return PolicyRow(
        policy=policy,
        applies_to=conditions_in_words(terms.conditions),
        targets=[target_in_words(target) for target in terms.targets],
        steps=[step_in_words(step) for step in terms.steps],
        reviews_breaches=terms.reviews_breaches,
        editions=history_of(versions)[:MOST_VERSIONS],
    )


def _in_words(done: Reapplied) -> str:
    if not done.total:
        return "No open clock went by earlier terms."
    clocks = "1 open clock has" if done.total == 1 else f"{done.total:,} open clocks have"
    return (
        f"{clocks} the terms in force: {done.moved_earlier:,} fall due earlier, {done.moved_later:,} later, "
        f"{done.same:,} as before."
    )
