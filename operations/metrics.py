"""The state of the system in Prometheus' text format: counts only, no personal data.

Everything is counted in the database at the time of the scrape, so that it does not matter which of several
web processes answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from handoffs.models import Handoff
from leads.models import Lead
from operations.backlog import FOR_PEOPLE, FOR_SWEEPS, measure
from operations.models import PeriodicTask, WorkerHeartbeat


class PortalCollector(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._backlogs()
        yield self._gauge("portal_workers", "Worker clusters alive.", WorkerHeartbeat.objects.alive(self.now))
        yield self._gauge("portal_queued_tasks", "Tasks on the queue.", OrmQ.objects.all())
        yield self._gauge("portal_late_periodic_tasks", "Late tasks.", PeriodicTask.objects.late(self.now))
        yield self._by_stage()
        yield self._gauge("portal_open_handoffs", "Handoffs not closed yet.", Handoff.objects.open())

    def _backlogs(self) -> Iterator[GaugeMetricFamily]:
        waiting = GaugeMetricFamily("portal_backlog", "Rows that wait, by mark.", labels=["mark"])
        age = GaugeMetricFamily(
            "portal_backlog_oldest_seconds", "Age of the oldest waiting row.", labels=["mark"]
        )
        for backlog in measure(FOR_SWEEPS + FOR_PEOPLE, now=self.now):
            waiting.add_metric([backlog.mark.name], backlog.count)
            if backlog.oldest_at is not None:
                age.add_metric([backlog.mark.name], (self.now - backlog.oldest_at).total_seconds())
        yield waiting
        yield age

    def _by_stage(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily("portal_leads", "Leads by stage.", labels=["stage"])
        counts = dict(Lead.objects.order_by().values_list("stage").annotate(Count("pk")))
        for stage in Lead.Stage.values:
            family.add_metric([stage], counts.get(stage, 0))
        return family

    @staticmethod
    def _gauge(name: str, words: str, rows: QuerySet[Any]) -> GaugeMetricFamily:
        return GaugeMetricFamily(name, words, value=rows.count())


def render_metrics(*, now: datetime) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PortalCollector(now))
    return generate_latest(registry)
