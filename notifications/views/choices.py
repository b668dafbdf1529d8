"""How I want to be told: kinds, quiet hours, and channels of my own."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.roles import login_required, signed_in_user
from common.errors import InvalidInput
from notifications.by_email import is_set_up
from notifications.catalogue import SERVICES
from notifications.channels import add_channel, remove_channel, send_test
from notifications.forms import ChannelForm, PreferenceForm
from notifications.models import Channel, Preference
from notifications.outcomes import NotDelivered
from notifications.preferences import forget_preference, set_preference


@login_required
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    user = signed_in_user(request)
    preference = Preference.objects.of(user)
    form = PreferenceForm(request.POST if request.method == "POST" else None, instance=preference, user=user)
    if form.is_bound and form.is_valid():
        set_preference(user, form.cleaned_data)
        messages.success(request, "Saved. It holds for everything that has not been sent yet.")
        return redirect("notifications:preferences")
    return _render(request, user, form=form, status=422 if form.is_bound else 200)


@require_POST
@login_required
def back_to_usual(request: HttpRequest) -> HttpResponse:
    forget_preference(signed_in_user(request))
    messages.success(request, "You are told as everybody who has not chosen.")
    return redirect("notifications:preferences")


@sensitive_post_parameters("address")
@never_cache
@require_POST
@login_required
def create_channel(request: HttpRequest) -> HttpResponse:
    """What was typed is kept when it is refused, but for the address: it is a secret."""
    user = signed_in_user(request)
    form = ChannelForm(request.POST)
    if form.is_valid():
        try:
            channel = add_channel(user, **form.cleaned_data, by=user, now=timezone.now())
        except InvalidInput as error:
            form.add_error("address", str(error))
        else:
            messages.success(request, f"“{channel.name}” is added. Send a test to see that it works.")
            return redirect("notifications:preferences")
    return _render(request, user, channel_form=form, status=422)


@require_POST
@login_required
def test_channel(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    channel = get_object_or_404(Channel.objects.visible_to(user).kept(), pk=pk)
    try:
        send_test(channel, by=user, now=timezone.now())
    except NotDelivered as failure:
        messages.error(request, f"“{channel.name}” did not take it. {failure}")
    else:
        messages.success(request, f"“{channel.name}” took the test message.")
    return redirect("notifications:preferences")


@require_POST
@login_required
def drop_channel(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    channel = get_object_or_404(Channel.objects.visible_to(user).kept(), pk=pk)
    remove_channel(channel, by=user, now=timezone.now())
    messages.success(request, f"“{channel.name}” is removed, and its address forgotten.")
    return redirect("notifications:preferences")


def _render(
    request: HttpRequest,
    user: User,
    *,
    form: PreferenceForm | None = None,
    channel_form: ChannelForm | None = None,
    status: int = 200,
) -> HttpResponse:
    wanted = request.GET.get("service") or request.POST.get("service")
    service = next((each for each in SERVICES if each.name == wanted), SERVICES[0])
    context = {
        "form": form or PreferenceForm(instance=Preference.objects.of(user), user=user),
        "channel_form": channel_form or ChannelForm(),
        "channels": Channel.objects.kept().filter(person=user),
        "services": SERVICES,
        "service": service,
        "has_mail": is_set_up(),
    }
    return render(request, "notifications/preferences.html", context, status=status)
