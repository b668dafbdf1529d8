"""Operators look into the quarantine, set items right and take them after all (INTAKE-5)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import InvalidInput
from common.keyset import newest_first_page
from leads.forms import QuarantineFilter, ReplayForm
from leads.models import QuarantinedItem
from leads.replay import dismiss_item, replay_item

PAGE_SIZE = 50
MAY_SETTLE = (User.Role.OPERATOR, User.Role.MARKETING)


@require_safe
@role_required(*MAY_SETTLE)
def quarantine_list(request: HttpRequest) -> HttpResponse:
    form = QuarantineFilter(request.GET)
    items = form.narrow(QuarantinedItem.objects.all())
    page = newest_first_page(items, at="received_at", after=request.GET.get("after", ""), size=PAGE_SIZE)
    return render(request, "leads/quarantine.html", {"page": page, "form": form})


@require_safe
@role_required(*MAY_SETTLE)
def item_detail(request: HttpRequest, pk: int) -> HttpResponse:
    item = _item(pk)
    return render(request, "leads/quarantined_item.html", {"item": item, "form": ReplayForm.of(item)})


@require_POST
@role_required(*MAY_SETTLE)
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the item as corrected; if it still cannot be taken, say why and keep what was typed."""
    item = _item(pk)
    form = ReplayForm(request.POST)
    if form.is_valid():
        try:
            replay_item(
                item, payload=form.cleaned_data["payload"], by=signed_in_user(request), now=timezone.now()
            )
        except InvalidInput as error:
            form.add_error("payload", f"{error.field}: {error}" if error.field else str(error))
        else:
            messages.success(request, "The item was taken.")
            return redirect("leads:quarantine")
    return render(request, "leads/quarantined_item.html", {"item": item, "form": form}, status=422)


@require_POST
@role_required(*MAY_SETTLE)
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    dismiss_item(_item(pk), by=signed_in_user(request), now=timezone.now())
    messages.success(request, "The item was dismissed. It is kept under “Settled”.")
    return redirect("leads:quarantine")


def _item(pk: int) -> QuarantinedItem:
    return get_object_or_404(QuarantinedItem.objects.select_related("settled_by"), pk=pk)
