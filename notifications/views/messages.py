"""What the portal told a person."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag, url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import login_required, signed_in_user
from common.keyset import newest_first_page
from notifications.models import Notification
from notifications.services import mark_one_read, mark_read

PAGE_SIZE = 50


@require_GET
@login_required
def notification_list(request: HttpRequest) -> HttpResponse:
    """Newest first. Looking does not mark as read: that is a button, or opening the message."""
    mine = Notification.objects.visible_to(signed_in_user(request))
    page = newest_first_page(mine, at="created_at", after=request.GET.get("after", ""), size=PAGE_SIZE)
    return render(request, "notifications/list.html", {"page": page})


@require_GET
@login_required
def unread(request: HttpRequest) -> HttpResponse:
    """The bell's count, for every open page to ask now and then: 304 while nothing has changed."""
    count = Notification.objects.visible_to(signed_in_user(request)).unread().count()
    etag = quote_etag(f"unread-{count}")
    response = render(request, "notifications/_unread.html#counts", {"unread_notifications": count})
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    count = mark_read(signed_in_user(request), now=timezone.now())
    if count:
        messages.success(request, "All marked as read.")
    return redirect("notifications:list")


@require_POST
@login_required
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark it as read and go where it points: to a page of ours, never elsewhere."""
    user = signed_in_user(request)
    notification = get_object_or_404(Notification.objects.visible_to(user), pk=pk)
    mark_one_read(notification, now=timezone.now())
    if url_has_allowed_host_and_scheme(notification.url, allowed_hosts=None):
        return redirect(notification.url)
    return redirect("notifications:list")
