"""/ops/salesforce/connection/: the org, how we sign in, a check-list, our share. Step by step.

What is entered before the secret is kept in the page's address: nothing is saved before all of it is known.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.roles import role_required, signed_in_user
from common.errors import InvalidInput
from common.htmx import wants_fragment
from common.instants import parse_instant
from common.queue import enqueue
from crm.checking import read_progress
from crm.client import is_set_by_environment
from crm.connection import connection_state, save_allowance, save_connection
from crm.describing import read_queues
from crm.forms import CREDENTIALS_FORMS, AddressForm, LoginForm, ShareForm
from crm.models import Connection
from crm.tasks import check_connection_task
from crm.views.roles import KEEPERS

STEPS = (
    ("address", "Address", "crm:connection"),
    ("login", "Sign-in", "crm:connection_login"),
    ("credentials", "Credentials", "crm:connection_credentials"),
    ("check", "Check-list", "crm:connection_check"),
    ("share", "Share", "crm:connection_share"),
    ("done", "Done", "crm:connection_done"),
)
# A worker begins within a second; after so long there is probably none.
PATIENCE = timedelta(seconds=20)


@require_GET
@role_required(*KEEPERS)
def address(request: HttpRequest) -> HttpResponse:
    state = connection_state()
    if is_set_by_environment():
        return _render(request, "address", {"fixed": _fixed()})
    given = {"url": request.GET.get("url", state.url)}
    return _render(request, "address", {"form": AddressForm(initial=given), "saved": state})


@require_GET
@role_required(*KEEPERS)
def login(request: HttpRequest) -> HttpResponse:
    """Reached with the address, which is checked here: a wrong one is shown with its step again."""
    state = connection_state()
    form = AddressForm(request.GET if "url" in request.GET else {"url": state.url})
    if is_set_by_environment() or not (form.data["url"] or request.GET):
        return redirect("crm:connection")
    if not form.is_valid():
        return _render(request, "address", {"form": form}, status=422)
    choice = LoginForm(initial={"login": state.login})
    return _render(request, "login", {"form": choice, "url": form.cleaned_data["url"]})


@require_http_methods(["GET", "POST"])
@role_required(*KEEPERS)
def credentials(request: HttpRequest) -> HttpResponse:
    """Save address, way and credentials together. A secret that is left out stays as it was, as long as it is
    for the same org and the same way: it is never sent to another."""
    state = connection_state()
    given = request.GET if "url" in request.GET else {"url": state.url, "login": state.login}
    earlier, choice = AddressForm(given), LoginForm(given)
    if is_set_by_environment() or not (earlier.is_valid() and choice.is_valid()):
        return redirect("crm:connection")
    url, way = earlier.cleaned_data["url"], choice.cleaned_data["login"]
    keeps_secret = bool(state.sealed_secret) and (state.url, state.login) == (url, way)
    initial = {"client_id": state.client_id, "username": state.username, "audience": state.audience}
    form = CREDENTIALS_FORMS[way](request.POST or None, initial=initial if keeps_secret else None)
    form.fields["secret"].required = not keeps_secret
    if request.method == "POST" and form.is_valid():
        try:
            save_connection(
                url=url, login=way, **form.cleaned_data, by=signed_in_user(request), now=timezone.now()
            )
        except InvalidInput as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return _begin_check()
    context = {"form": form, "url": url, "login": Connection.Login(way), "keeps_secret": keeps_secret}
    return _render(request, "credentials", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@role_required(*KEEPERS)
def check(request: HttpRequest) -> HttpResponse:
    """`?asked=` is when the check was asked for: what is older belongs to an earlier one."""
    if request.method == "POST":
        return _begin_check()
    now, asked_at = timezone.now(), None
    if asked := request.GET.get("asked"):
        try:
            asked_at = parse_instant(asked.replace(" ", "+"))
        except ValueError as error:
            raise InvalidInput("“asked” is no time. Start the check again.", field="asked") from error
    progress = read_progress(asked_at=asked_at)
    is_running = asked_at is not None and not progress.is_done
    context = {
        "progress": progress,
        "is_running": is_running,
        "is_stuck": is_running and not progress.checked and now - (asked_at or now) > PATIENCE,
        "asked": asked,
    }
    return _render(request, "check", context)


@require_http_methods(["GET", "POST"])
@role_required(*KEEPERS)
def share(request: HttpRequest) -> HttpResponse:
    queues = [(queue.salesforce_id, queue.name) for queue in read_queues()]
    form = ShareForm(request.POST or None, instance=connection_state(), queues=queues)
    if request.method == "POST" and form.is_valid():
        try:
            save_allowance(**form.cleaned_data, by=signed_in_user(request))
        except InvalidInput as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, "Saved. It counts from the next call on.")
            return redirect("crm:connection_done")
    context = {"form": form, "fixed_share": settings.SALESFORCE_DAILY_SHARE}
    return _render(request, "share", context, status=422 if form.errors else 200)


@require_GET
@role_required(*KEEPERS)
def done(request: HttpRequest) -> HttpResponse:
    return _render(request, "done", {"progress": read_progress()})


def _begin_check() -> HttpResponse:
    asked_at = timezone.now()
    enqueue(check_connection_task)
    return redirect(f"{reverse('crm:connection_check')}?{urlencode({'asked': asked_at.isoformat()})}")


def _fixed() -> list[tuple[str, str]]:
    """What the environment says; of a secret only that there is one."""
    secret = settings.SALESFORCE_PRIVATE_KEY or settings.SALESFORCE_CLIENT_SECRET
    by_key = bool(settings.SALESFORCE_USERNAME)
    lines = [
        ("Address", settings.SALESFORCE_URL),
        (
            "Sign-in",
            Connection.Login.JWT_BEARER.label if by_key else Connection.Login.CLIENT_CREDENTIALS.label,
        ),
        ("Consumer key", settings.SALESFORCE_CLIENT_ID or "not set"),
        ("Private key" if by_key else "Consumer secret", "set, not shown" if secret else "not set"),
    ]
    return [*lines, ("User name", settings.SALESFORCE_USERNAME)] if by_key else lines


def _render(
    request: HttpRequest, step: str, context: dict[str, object], *, status: int = 200
) -> HttpResponse:
    places = [(key, label, reverse(name)) for key, label, name in STEPS]
    number = [key for key, _, _ in places].index(step)
    template = "crm/connection.html#checklist" if wants_fragment(request) else "crm/connection.html"
    shared = {"step": step, "steps": places, "number": number, "is_fixed": is_set_by_environment()}
    return render(request, template, {**shared, **context}, status=status)
