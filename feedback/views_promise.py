"""/marketing/promise/: what marketing promised sales and what it delivered, beside sales' side (SLA-8)."""

from __future__ import annotations

from datetime import date, datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import InvalidInput
from common.patience import at_most
from feedback.commitments import PROMISERS, commit_to_month
from feedback.figures.our_side import chart_conversion, chart_volume, measure_our_side
from feedback.models import Commitment
from feedback.pulses import month_of

READERS = (User.Role.MARKETING, User.Role.MANAGER, User.Role.READ_ONLY)
MONTHS_AHEAD = 3
SECONDS = 20.0
TOO_MUCH = "That is too much to count at once. Ask an operator to look at the database."


class CommitmentForm(forms.ModelForm[Commitment]):
    """The month, this one or one of the next; how many; how good."""

    month = forms.TypedChoiceField(coerce=date.fromisoformat)

    class Meta:
        model = Commitment
        fields = ("month", "mqls", "good_percent")

    def __init__(self, *args: object, now: datetime, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        first = month_of(now)
        months = [
            date(first.year + (first.month - 1 + ahead) // 12, (first.month - 1 + ahead) % 12 + 1, 1)
            for ahead in range(MONTHS_AHEAD + 1)
        ]
        self.fields["month"].choices = [(f"{month}", f"{month:%B %Y}") for month in months]  # type: ignore[attr-defined]

    def validate_unique(self) -> None:
        """A month that was promised before is promised anew: the verb replaces it."""


@require_http_methods(["GET", "POST"])
@role_required(*READERS)
def promise(request: HttpRequest) -> HttpResponse:
    now, user = timezone.now(), signed_in_user(request)
    is_sent = request.method == "POST"
    form = CommitmentForm(request.POST if is_sent else None, now=now)
    status = 200
    if is_sent:
        try:
            if form.is_valid():
                kept = commit_to_month(**form.cleaned_data, by=user, now=now)
                messages.success(request, f"Promised for {kept.month:%B %Y}: {kept.mqls:,} MQLs.")
                return redirect("feedback:promise")
        except InvalidInput as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        status = 422
    with at_most(SECONDS, otherwise=TOO_MUCH):
        side = measure_our_side(now=now)
    context = {
        "form": form,
        "side": side,
        "volume": chart_volume(side.months),
        "conversion": chart_conversion(side.months, side.policy),
        "may_promise": user.role in PROMISERS,
        "now": now,
    }
    return render(request, "feedback/promise.html", context, status=status)
