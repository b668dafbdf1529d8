"""/pulse/: one number a month from each person on either side, and how it went (FEED-6)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from feedback.figures.quality import measure_pulse
from feedback.forms_loop import PulseForm
from feedback.models import Pulse
from feedback.pulses import QUESTIONS, month_of, record_pulse, side_of


@require_http_methods(["GET", "POST"])
@role_required(User.Role.BDR, User.Role.MARKETING, User.Role.MANAGER, User.Role.READ_ONLY)
def pulse(request: HttpRequest) -> HttpResponse:
    """The question for those who are on a side, with what they said this month; the trend for everybody."""
    user, now = signed_in_user(request), timezone.now()
    mine = Pulse.objects.filter(person=user, month=month_of(now)).first()
    given = {"score": str(mine.score), "comment": mine.comment} if mine else None
    form = PulseForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        record_pulse(user, **form.cleaned_data, now=now)
        messages.success(request, "Thank you. You can change it until the month ends.")
        return redirect("feedback:pulse")
    side = side_of(user)
    context = {
        "form": form,
        "mine": mine,
        "side": side,
        "question": QUESTIONS[side] if side else "",
        "trend": measure_pulse(),
        "sees_feedback": user.role != User.Role.BDR,
    }
    return render(request, "feedback/pulse.html", context, status=422 if form.errors else 200)
