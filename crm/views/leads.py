"""One lead and Salesforce: the panel on its page, its history, and what a person decides about it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import login_required, role_required, signed_in_user
from common.errors import DomainError
from common.htmx import wants_fragment
from common.keyset import newest_first_page
from crm.client import SalesforceClient, connected_client, org_url, record_url
from crm.comparing import ComparedField, compare_lead
from crm.deciding import adopt_record, find_matches, leave_removed, make_anew, send_now
from crm.forms import RecordForm
from crm.mending import Choice, mending_of
from crm.models import AccountMatch, Conversion, Exchange, LeadSync
from crm.parked import retry_push
from crm.problems import SalesforceError
from crm.views.roles import KEEPERS, WATCHERS, may_keep, may_watch
from leads.models import Lead, LeadEvent

PAGE_SIZE = 50
CONFLICTS_SHOWN = 20


class SalesforceRefused(DomainError):
    """Salesforce was asked while somebody waits, and did not give what was asked for."""


class NotConnected(DomainError):
    def __init__(self) -> None:
        super().__init__("No Salesforce is connected. Enter how to sign in under Connection.")


@require_GET
@login_required
def lead_panel(request: HttpRequest, lead_id: int) -> HttpResponse:
    return render(request, "crm/_lead_panel.html", _panel(request, _visible_lead(request, lead_id)))


@require_GET
@login_required
def account_line(request: HttpRequest, lead_id: int) -> HttpResponse:
    """One line above a handoff, where sales reads which company it is; none if that is no account there."""
    return render(request, "crm/_account_line.html", _account_of(_visible_lead(request, lead_id)))


@require_GET
@role_required(*WATCHERS)
def history(request: HttpRequest, lead_id: int) -> HttpResponse:
    return _render_history(request, _visible_lead(request, lead_id))


@require_POST
@role_required(*KEEPERS)
def send(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Send it again if it waits for a person, else compare it and send what differs, at once."""
    lead, user, now = _visible_lead(request, lead_id), signed_in_user(request), timezone.now()
    sync = LeadSync.objects.filter(pk=lead.pk).first()
    if sync is not None and sync.parked_at:
        retry_push(sync, by=user, now=now)
    else:
        send_now(lead, by=user, now=now)
    words = f"{lead.name} is sent with the next batch, within seconds."
    if request.POST.get("from") == "panel" and wants_fragment(request):
        return render(request, "crm/_lead_panel.html", {**_panel(request, lead), "words": words})
    return _back(lead, request, words)


@require_POST
@role_required(*KEEPERS)
def compare(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Read the record now and show both sides. A POST, because it spends one of the org's calls."""
    lead = _visible_lead(request, lead_id)
    known_there = LeadSync.objects.exclude(salesforce_id="").select_related("lead__owner")
    sync = get_object_or_404(known_there, pk=lead.pk)
    compared = _compare(sync)
    return _render_history(
        request,
        lead,
        was_compared=True,
        compared=compared,
        differing=[field for field in compared or () if field.differs],
        agreeing=[field for field in compared or () if not field.differs],
    )


@require_POST
@role_required(*KEEPERS)
def choose(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Look for records that may be this person."""
    sync = _parked_sync(request, lead_id)
    try:
        matches = find_matches(_client(), sync)
    except SalesforceError as error:
        raise SalesforceRefused(error.problem.in_plain_words) from error
    return _render_history(request, sync.lead, matches=matches, was_searched=True)


@require_POST
@role_required(*KEEPERS)
def adopt(request: HttpRequest, lead_id: int) -> HttpResponse:
    sync, salesforce_id = _parked_sync(request, lead_id), RecordForm(request.POST).record_id()
    try:
        adopt_record(
            _client(), sync, salesforce_id=salesforce_id, by=signed_in_user(request), now=timezone.now()
        )
    except SalesforceError as error:
        raise SalesforceRefused(error.problem.in_plain_words) from error
    return _back(sync.lead, request, "Adopted. The lead is sent to that record with the next batch.")


@require_POST
@role_required(*KEEPERS)
def anew(request: HttpRequest, lead_id: int) -> HttpResponse:
    sync = _parked_sync(request, lead_id)
    make_anew(sync, by=signed_in_user(request), now=timezone.now())
    return _back(sync.lead, request, "It is made anew in Salesforce with the next batch.")


@require_POST
@role_required(*KEEPERS)
def leave(request: HttpRequest, lead_id: int) -> HttpResponse:
    sync = _parked_sync(request, lead_id)
    leave_removed(sync, by=signed_in_user(request), now=timezone.now())
    return _back(sync.lead, request, "Left deleted: it is not sent to Salesforce any more.")


def _visible_lead(request: HttpRequest, lead_id: int) -> Lead:
    visible = Lead.objects.visible_to(signed_in_user(request)).select_related("company")
    return get_object_or_404(visible, pk=lead_id)


def _parked_sync(request: HttpRequest, lead_id: int) -> LeadSync:
    visible = LeadSync.objects.visible_to(signed_in_user(request)).select_related("lead__company")
    return get_object_or_404(visible, pk=lead_id)


def _client() -> SalesforceClient:
    client = connected_client()
    if client is None:
        raise NotConnected
    return client


def _compare(sync: LeadSync) -> list[ComparedField] | None:
    try:
        return compare_lead(_client(), sync)
    except SalesforceError as error:
        raise SalesforceRefused(error.problem.in_plain_words) from error


def _back(lead: Lead, request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("crm:lead", lead_id=lead.pk)


def _render_history(request: HttpRequest, lead: Lead, **found: object) -> HttpResponse:
    exchanges = Exchange.objects.filter(lead=lead)
    page = newest_first_page(exchanges, at="at", after=request.GET.get("after", ""), size=PAGE_SIZE)
    conflicts = LeadEvent.objects.filter(lead=lead, kind=LeadEvent.Kind.CRM_CONFLICT).order_by("-at", "-pk")
    context = {
        **_panel(request, lead),
        "page": page,
        "conflicts": conflicts[:CONFLICTS_SHOWN],
        **found,
    }
    return render(request, "crm/lead.html", context)


def _account_of(lead: Lead) -> dict[str, object]:
    """The account that the lead's company is there, as far as one was found."""
    found = AccountMatch.objects.exclude(account_id="")
    return {"account": found.filter(pk=lead.company_id).first(), "org_url": org_url()}


def _panel(request: HttpRequest, lead: Lead) -> dict[str, object]:
    sync = LeadSync.objects.filter(pk=lead.pk).first() or LeadSync(lead=lead)
    user = signed_in_user(request)
    mending = mending_of(sync.error_code) if sync.parked_at else None
    conversion = Conversion.objects.filter(pk=lead.pk).first() if sync.is_converted else None
    sharing = LeadSync.objects.visible_to(user).filter(salesforce_id=sync.salesforce_id).exclude(pk=lead.pk)
    return {
        "lead": lead,
        "sync": sync,
        "state": sync.state(revision=lead.revision),
        "is_connected": bool(org_url()),
        "record_url": record_url(sync.salesforce_id) if sync.salesforce_id else "",
        "merged_with": sharing.select_related("lead") if sync.master_id else (),
        "conversion": conversion,
        **_account_of(lead),
        "mending": mending,
        "must_choose": bool(mending and mending.choice is not Choice.NONE),
        "may_keep": may_keep(user),
        "may_watch": may_watch(user),
    }
