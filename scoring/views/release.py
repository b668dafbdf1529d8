"""The release list: leads that qualify only because the rules changed."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError, InvalidInput
from common.ids import parse_id
from common.keyset import KeysetPage, newest_first_page
from scoring.lifecycle.release import keep_leads_back, release_leads
from scoring.models import ReleaseItem
from scoring.pages.release import describe_items, with_scores

PAGE_SIZE = 25


@require_http_methods(["GET", "POST"])
@role_required(User.Role.MARKETING)
def release_page(request: HttpRequest) -> HttpResponse:
    said, refusal, status = "", "", 200
    if request.method == "POST":
        try:
            said = _decide(request)
        except DomainError as error:
            refusal, status = str(error), error.status
    try:
        page = _page(request.GET.get("after", ""))
    except InvalidInput as error:
        refusal, status, page = str(error), error.status, _page("")
    context = {
        "page": page,
        "rows": describe_items(page.rows, now=timezone.now()),
        "count": ReleaseItem.objects.waiting().count(),
        "said": said,
        "refusal": refusal,
    }
    return render(request, "scoring/release.html", context, status=status)


def _page(after: str) -> KeysetPage[ReleaseItem]:
    waiting = with_scores(ReleaseItem.objects.waiting())
    return newest_first_page(waiting, at="listed_at", after=after, size=PAGE_SIZE)


def _decide(request: HttpRequest) -> str:
    """Do what the pressed button says, for the chosen leads or for all; what happened, in words."""
    by, now = signed_in_user(request), timezone.now()
    items = _chosen(request)
    if request.POST.get("decision") == "keep":
        kept = keep_leads_back(items, by=by, now=now)
        return f"Kept back: {_leads(kept)}. New interest of their own lets them go."
    released = release_leads(items, by=by, now=now)
    return f"Released: {_leads(released)}. They reach sales within the minute."


def _chosen(request: HttpRequest) -> QuerySet[ReleaseItem]:
    if request.POST.get("which") == "all":
        return ReleaseItem.objects.waiting()
    texts = request.POST.getlist("item")
    if not texts:
        raise InvalidInput("Choose at least one lead.", field="item")
    try:
        return ReleaseItem.objects.filter(pk__in=[parse_id(text) for text in texts])
    except ValueError as error:
        raise InvalidInput("That is no entry of this list.", field="item") from error


def _leads(count: int) -> str:
    return f"{count} lead{'' if count == 1 else 's'}"
