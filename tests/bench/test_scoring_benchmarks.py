"""The scoring benchmarks measure what they say: on a handful of leads here."""

from __future__ import annotations

import importlib

import pytest
from django.utils import timezone

from bench.running import BENCHMARKS
from bench.scored_population import populate_scored
from bench.spreading import chunks, ranges
from leads.models import Lead
from scoring.engine import keep_range
from scoring.models import LeadScore, SignalHit


@pytest.mark.django_db
def test_the_population_is_scored_and_its_rules_tell_leads_apart(monkeypatch) -> None:
    monkeypatch.setattr("bench.scored_population.VACUUM", "ANALYZE")  # a test is one transaction

    version = populate_scored(leads=200, hits=2_000)
    first, last = ranges(1)[0]
    keep_range(version, first=first, last=last, now=timezone.now())

    assert SignalHit.objects.count() == 2_000
    assert LeadScore.objects.count() == 200
    assert LeadScore.objects.values("total").distinct().count() > 20
    assert set(LeadScore.objects.values_list("qualifies", flat=True)) == {True, False}
    assert LeadScore.objects.exclude(next_change_at=None).exists()


@pytest.mark.django_db
def test_connections_share_all_leads_without_a_gap() -> None:
    Lead.objects.bulk_create(
        Lead(email=f"p{number}@bench.example", created_at=timezone.now()) for number in range(11)
    )

    halves = ranges(2)
    pieces = [piece for half in halves for piece in chunks(half, 3)]

    ids = [pk for first, last in pieces for pk in range(first, last + 1)]
    assert ids == sorted(Lead.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_benchmark_can_be_run_by_its_name(name: str) -> None:
    assert callable(importlib.import_module(BENCHMARKS[name]).measure)
