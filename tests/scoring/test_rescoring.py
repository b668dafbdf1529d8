"""Publishing marks chunks, not leads (ADR 0014): shared, killed, parked, superseded."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
from datetime import timedelta
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection, transaction

from common.parking import MAX_ATTEMPTS
from leads.models import Lead, LeadEvent
from scoring.lifecycle import rescoring
from scoring.lifecycle.rescoring import (
    parked_chunks,
    progress_of_rescoring,
    rescore_all,
    rescore_next_chunk,
    retry_parked_chunks,
)
from scoring.models import LeadScore, ModelVersion, Rescoring, RescoringChunk, Signal
from scoring.services import create_draft, publish_version, score_leads
from tests.factories import NOON, LeadFactory
from tests.poison import heal, poison
from tests.scoring.builders import do, make_signal, publish
from tests.scoring.test_publishing_at_once import at_once, wait_until_somebody_is_blocked

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def demo(db: None) -> Signal:
    return make_signal("Demo", ["Demo Requested"], intent="high")


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "LEADS_PER_CHUNK", 2)


def leads_by(version: ModelVersion, count: int) -> list[Lead]:
    """Leads with a score of 30 by the version."""
    leads = [LeadFactory(advance_at=None) for _ in range(count)]
    for lead in leads:
        do(lead, "Demo Requested", NOON - DAY)
    score_leads([lead.pk for lead in leads], now=NOON)
    return leads


def publish_more(active: ModelVersion, points: int = 35) -> ModelVersion:
    draft = create_draft(based_on=active, by=None, now=NOON)
    draft.rules.update(points=points)
    return publish_version(draft, by=None, note="More", now=NOON + HOUR)


def totals() -> set[int]:
    return set(LeadScore.objects.values_list("total", flat=True))


def test_a_publish_has_every_lead_scored_in_chunks(demo: Signal, small_chunks: None) -> None:
    leads_by(publish({"signal": demo, "points": 30}), 5)

    version = publish_more(ModelVersion.objects.active().get())
    assert totals() == {30}
    assert [chunk.leads for chunk in RescoringChunk.objects.filter(done_at=None)] == [2, 2, 1]
    tried = rescore_all(now=NOON + HOUR)

    assert (tried, totals()) == (3, {35})
    assert set(LeadScore.objects.values_list("version", flat=True)) == {version.pk}
    finished = Rescoring.objects.get(version=version)
    assert (finished.finished_at, progress_of_rescoring()) == (NOON + HOUR, None)
    assert version.events.filter(kind="rescored").count() == 1


def test_scores_that_moved_are_logged_as_ever(demo: Signal) -> None:
    [lead] = leads_by(publish({"signal": demo, "points": 30}), 1)

    publish_more(ModelVersion.objects.active().get())
    rescore_all(now=NOON + HOUR)

    event = lead.events.get(kind=LeadEvent.Kind.SCORE_CHANGED)
    assert (event.detail, event.at) == ({"from": 30, "to": 35}, NOON + HOUR)


def test_the_next_look_is_never_late_and_an_earlier_mark_stays(demo: Signal) -> None:
    active = publish({"signal": demo, "points": 30})
    unmarked, later, sooner = leads_by(active, 3)
    Lead.objects.filter(pk=later.pk).update(advance_at=NOON + 300 * DAY)
    Lead.objects.filter(pk=sooner.pk).update(advance_at=NOON - HOUR)
    Lead.objects.filter(pk=unmarked.pk).update(advance_at=None)
    draft = create_draft(based_on=active, by=None, now=NOON)
    draft.rules.update(window_days=7)
    publish_version(draft, by=None, note="", now=NOON + HOUR)

    rescore_all(now=NOON + HOUR)

    changes = NOON - DAY + 7 * DAY
    marks = dict(Lead.objects.values_list("pk", "advance_at"))
    assert marks == {unmarked.pk: changes, later.pk: changes, sooner.pk: NOON - HOUR}


def test_a_lead_recorded_while_the_chunks_were_made_lies_in_the_last_one(demo: Signal) -> None:
    old = publish({"signal": demo, "points": 30})
    leads_by(old, 1)
    version = publish_more(old)
    [late] = leads_by(version, 1)
    LeadScore.objects.filter(lead=late).update(version=old, total=30)

    rescore_all(now=NOON + HOUR)

    assert LeadScore.objects.get(lead=late).total == 35


def test_a_new_publish_supersedes_the_rescoring_under_way(demo: Signal, small_chunks: None) -> None:
    first = publish({"signal": demo, "points": 30})
    leads_by(first, 5)
    second = publish_more(first)
    assert rescore_next_chunk(now=NOON + HOUR)

    third = publish_more(second, points=40)

    assert Rescoring.objects.get(version=second).finished_at == NOON + HOUR
    assert rescore_all(now=NOON + 2 * HOUR) == 3
    assert totals() == {40}
    assert not second.events.filter(kind="rescored").exists()
    assert third.events.filter(kind="rescored").exists()


def test_progress_tells_how_many_leads_are_done(demo: Signal, small_chunks: None) -> None:
    leads_by(publish({"signal": demo, "points": 30}), 5)
    publish_more(ModelVersion.objects.active().get())

    rescore_next_chunk(now=NOON + HOUR)

    progress = progress_of_rescoring()
    assert progress is not None
    assert (progress.done, progress.leads, progress.percent, progress.parked) == (2, 5, 40, 0)


def test_scoring_a_chunk_again_writes_nothing(demo: Signal) -> None:
    leads_by(publish({"signal": demo, "points": 30}), 3)
    publish_more(ModelVersion.objects.active().get())
    rescore_all(now=NOON + HOUR)
    Rescoring.objects.update(finished_at=None)
    RescoringChunk.objects.update(done_at=None)

    rescore_all(now=NOON + 2 * HOUR)

    assert set(LeadScore.objects.values_list("scored_at", flat=True)) == {NOON + HOUR}


# Failures


@pytest.fixture
def poisoned(demo: Signal, small_chunks: None) -> list[Lead]:
    leads = leads_by(publish({"signal": demo, "points": 30}), 4)
    Lead.objects.update(advance_at=None)
    publish_more(ModelVersion.objects.active().get())
    poison(leads[0])
    return leads


@pytest.mark.django_db(transaction=True)
def test_a_chunk_that_always_fails_is_parked_and_its_leads_are_left_to_the_pipeline(
    poisoned: list[Lead],
) -> None:
    for _ in range(MAX_ATTEMPTS + 2):
        rescore_next_chunk(now=NOON + HOUR)
    heal()
    rescore_all(now=NOON + HOUR)

    [chunk] = parked_chunks()
    assert (chunk.first_id, chunk.attempts, bool(chunk.error)) == (0, MAX_ATTEMPTS, True)
    assert Rescoring.objects.latest("pk").finished_at == NOON + HOUR
    assert LeadScore.objects.filter(total=35).count() == 2
    marks = Lead.objects.filter(pk__lte=chunk.last_id).values_list("pk", "advance_at")
    assert dict(marks) == {poisoned[0].pk: None, poisoned[1].pk: NOON + HOUR}


@pytest.mark.django_db(transaction=True)
def test_a_parked_chunk_can_be_tried_again(poisoned: list[Lead]) -> None:
    while rescore_next_chunk(now=NOON + HOUR) and not parked_chunks():
        pass
    heal()

    assert retry_parked_chunks(now=NOON + 2 * HOUR) == 1
    rescore_all(now=NOON + 2 * HOUR)

    assert totals() == {35}
    assert not parked_chunks()


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_chunks_and_none_is_done_twice(demo: Signal, small_chunks: None) -> None:
    leads_by(publish({"signal": demo, "points": 30}), 20)
    publish_more(ModelVersion.objects.active().get())

    tried = at_once(*[lambda: rescore_all(now=NOON + HOUR)] * 3)

    assert all(isinstance(count, int) for count in tried)
    assert totals() == {35}
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.SCORE_CHANGED).count() == 20
    assert not RescoringChunk.objects.filter(done_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_chunk_in_hand_is_passed_over_and_free_again_when_its_worker_dies(
    demo: Signal, small_chunks: None
) -> None:
    leads_by(publish({"signal": demo, "points": 30}), 4)
    publish_more(ModelVersion.objects.active().get())
    in_hand, died = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def die_with_a_chunk_in_hand() -> None:
        with transaction.atomic():
            RescoringChunk.objects.filter(rescoring__finished_at=None).select_for_update(of=("self",)).first()
            in_hand.wait()
            died.wait()
            transaction.set_rollback(True)

    def work_meanwhile() -> int:
        in_hand.wait()
        tried = rescore_all(now=NOON + HOUR)
        died.wait()
        return tried

    _, tried = at_once(die_with_a_chunk_in_hand, work_meanwhile)

    assert tried == 1
    assert rescore_all(now=NOON + HOUR) == 1
    assert totals() == {35}


KILLED = """
import os, signal
import django
django.setup()
from django.db import connection
from django.utils import timezone
from scoring.lifecycle import rescoring

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

rescoring._score_stale = die
rescoring.rescore_next_chunk(now=timezone.now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_lets_its_chunk_go_and_its_try_counts(demo: Signal) -> None:
    leads_by(publish({"signal": demo, "points": 30}), 3)
    publish_more(ModelVersion.objects.active().get())
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {**os.environ, "DATABASE_URL": address, "PGPASSWORD": database["PASSWORD"] or ""}

    died = subprocess.run([sys.executable, "-c", KILLED], env=environment, cwd=settings.BASE_DIR, check=False)

    assert died.returncode == -signals.SIGKILL
    [chunk] = RescoringChunk.objects.filter(done_at=None)
    assert (chunk.attempts, totals()) == (1, {30})
    assert rescore_all(now=NOON + HOUR) == 1
    assert totals() == {35}


@pytest.mark.django_db(transaction=True)
def test_the_newer_version_wins_over_a_worker_that_began_before_it(demo: Signal) -> None:
    """The worker waits for a lead in hand; when it gets it, another version has scored the lead."""
    old = publish({"signal": demo, "points": 30})
    [lead] = leads_by(old, 1)
    second = publish_more(old)
    in_hand = Barrier(2, timeout=60)

    def publish_with_the_lead_in_hand() -> ModelVersion:
        with transaction.atomic():
            Lead.objects.lock(lead.pk)
            in_hand.wait()
            wait_until_somebody_is_blocked()
            third = publish_more(second, points=40)
            score_leads([lead.pk], now=NOON + HOUR)
        return third

    def work_meanwhile() -> bool:
        in_hand.wait()
        return rescore_next_chunk(now=NOON + HOUR)

    third, worked = at_once(publish_with_the_lead_in_hand, work_meanwhile)

    assert worked is True
    score = LeadScore.objects.get(lead=lead)
    assert (score.version, score.total) == (third, 40)
