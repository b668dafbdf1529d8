"""A season that is learnt from once and kept for all tests of a module that need a fitted model."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

import pytest
from django.db import transaction
from threadpoolctl import threadpool_limits

from leads.models import Lead
from scoring.models import ModelVersion, PredictionModel
from scoring.prediction.candidates import train_candidate
from scoring.prediction.examples import Goal
from scoring.presets import CLASSIC
from scoring.services import load_scoring_preset
from tests.factories import NOON
from tests.scoring.prediction.season import play_season

COUNT = 240


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tests share the machine: threads that wait for each other only slow them down."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def rules(db: None, now: datetime) -> ModelVersion:
    load_scoring_preset(CLASSIC, by=None, now=now)
    return ModelVersion.objects.active().get()


@pytest.fixture
def season(rules: ModelVersion, now: datetime) -> list[Lead]:
    return play_season(COUNT, until=now)


@pytest.fixture(scope="session")
def learnt(django_db_setup, django_db_blocker) -> dict[str, object]:
    """What training makes of the season, as the fields of a candidate: trained once, in rolled-back rows."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_scoring_preset(CLASSIC, by=None, now=NOON)
        play_season(COUNT, until=NOON)
        candidate = train_candidate(Goal.SQL, by=None, now=NOON)
        transaction.set_rollback(True)
    return {"algorithm": candidate.algorithm, "artefact": candidate.artefact, "report": candidate.report}


@pytest.fixture
def candidate(db: None, learnt: dict[str, object], now: datetime) -> PredictionModel:
    return PredictionModel.objects.create(trained_at=now, **deepcopy(learnt))
