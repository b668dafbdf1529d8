"""Where the link of an automatic e-mail leads, and where marketing takes down who wants no more of them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.roles import role_required, signed_in_user
from common.throttling import PublicThrottle
from leads.models import Lead
from leads.unsubscribing import MAY_RECORD, find_by_token, record_subscribed_again, record_unsubscribed

PAGE = "leads/unsubscribe.html"


@csrf_exempt  # The token says who it is: a mail program posts without a cookie or a form (RFC 8058).
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, then do it: some programs look at every link of an e-mail. Nothing about the lead is shown."""
    throttle = PublicThrottle()
    if not throttle.allow_request(request, None):
        response = render(request, PAGE, {"state": "too_often"}, status=429)
        response["Retry-After"] = str(round(throttle.wait()) + 1)
        return response
    lead = find_by_token(token)
    if lead is None:
        return render(request, PAGE, {"state": "unknown"}, status=404)
    if request.method == "POST":
        record_unsubscribed(lead, by=None, at=timezone.now(), via="link")
        return render(request, PAGE, {"state": "done"})
    return render(request, PAGE, {"state": "asks"})


@require_POST
@role_required(*MAY_RECORD)
def take_down(request: HttpRequest, pk: int) -> HttpResponse:
    """Marketing heard it by another way."""
    user = signed_in_user(request)
    lead = get_object_or_404(Lead.objects.visible_to(user), pk=pk)
    record_unsubscribed(lead, by=user, at=timezone.now(), via="portal")
    messages.success(request, f"{lead.name} gets no automatic e-mail any more.")
    return redirect("leads:detail", pk=lead.pk)


@require_POST
@role_required(*MAY_RECORD)
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    lead = get_object_or_404(Lead.objects.visible_to(user), pk=pk)
    record_subscribed_again(lead, by=user, at=timezone.now())
    messages.success(request, f"{lead.name} may get automatic e-mail again.")
    return redirect("leads:detail", pk=lead.pk)
