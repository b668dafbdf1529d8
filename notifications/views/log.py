"""What became of every message that was to leave the portal."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import login_required, signed_in_user
from common.keyset import newest_first_page
from notifications.channels import may_see_all, retry_delivery
from notifications.forms import DeliveryFilter
from notifications.models import Channel, Delivery

PAGE_SIZE = 50


@require_GET
@login_required
def delivery_list(request: HttpRequest) -> HttpResponse:
    """Newest first. Operators and managers see everybody's, all others their own."""
    user = signed_in_user(request)
    filters = DeliveryFilter(request.GET, viewer=user)
    context: dict[str, object] = {"filters": filters, "sees_all": may_see_all(user), "now": timezone.now()}
    if not filters.is_valid():
        return render(request, "notifications/deliveries.html", context, status=422)
    deliveries = filters.narrow(Delivery.objects.visible_to(user)).select_related(
        "recipient", "channel__person", "fell_back_to", "merged_into"
    )
    context["page"] = newest_first_page(
        deliveries, at="queued_at", after=request.GET.get("after", ""), size=PAGE_SIZE
    )
    context["failing"] = Channel.objects.visible_in_log(user).failing().select_related("person")
    return render(request, "notifications/deliveries.html", context)


@require_POST
@login_required
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    delivery = get_object_or_404(Delivery.objects.visible_to(user), pk=pk)
    retry_delivery(delivery, by=user, now=timezone.now())
    messages.success(request, "It will be tried again within seconds.")
    return redirect("notifications:deliveries")
