"""Probes for machines, and the page that tells an operator whether everything flows."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_q.models import OrmQ
from prometheus_client import CONTENT_TYPE_LATEST

from accounts.models import User
from accounts.roles import role_required
from operations.backlog import FOR_PEOPLE, FOR_SWEEPS, measure
from operations.health import reasons_not_ready
from operations.metrics import render_metrics
from operations.models import PeriodicTask, WorkerHeartbeat


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers. Touches nothing else, so that a slow database does not get it restarted."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    reasons = reasons_not_ready(now=timezone.now())
    if reasons:
        return JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ready"})


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_metrics(now=timezone.now()), content_type=CONTENT_TYPE_LATEST)


@role_required(User.Role.OPERATOR)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    sweeps = measure(FOR_SWEEPS, now=now)
    people = measure(FOR_PEOPLE, now=now)
    workers = list(WorkerHeartbeat.objects.order_by("worker"))
    tasks = list(PeriodicTask.objects.all())
    context = {
        "sweeps": [(backlog, backlog.is_late(now)) for backlog in sweeps],
        "people": people,
        "workers": [(worker, worker.is_alive(now)) for worker in workers],
        "queued": OrmQ.objects.count(),
        "tasks": [(task, task.is_late(now)) for task in tasks],
        "late": [backlog for backlog in sweeps if backlog.is_late(now)],
        "failing": [task for task in tasks if task.failure or task.is_late(now)],
        "is_worked": any(worker.is_alive(now) for worker in workers),
        "waiting_for_people": sum(backlog.count for backlog in people),
    }
    return render(request, "operations/overview.html", context)


@role_required(User.Role.OPERATOR)
@require_POST
def retry(request: HttpRequest, name: str) -> HttpResponse:
    """Try again everything of one kind that was parked."""
    mark = next((mark for mark in FOR_PEOPLE if mark.name == name), None)
    if mark is None or mark.retry is None:
        raise Http404("Nothing of that name can be tried again.")
    freed = mark.retry(timezone.now())
    messages.success(request, f"{mark.label}: {freed} will be tried again within a minute.")
    return redirect("operations:overview")
