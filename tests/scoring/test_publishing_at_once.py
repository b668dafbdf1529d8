"""Two people publish at the same moment: one version is active, and the other person is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, connections, transaction

from accounts.models import User
from leads.models import Lead
from scoring.lifecycle.approval import NotWaitingForApproval, approve_version, propose_version
from scoring.lifecycle.versions import ActiveVersionChanged, VersionNotDraft
from scoring.matching import match_activities
from scoring.models import ModelVersion, Rule, SignalHit
from scoring.services import create_draft, publish_version
from tests.factories import NOON, LeadFactory, UserFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run the actions in threads of their own from one start; their results or the errors they raised."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return action()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def wait_until_somebody_is_blocked() -> None:
    """Poll until another session waits for a lock; the test's own time limit ends it otherwise."""
    blocked = False
    while not blocked:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
            )
            [blocked] = cursor.fetchone()


def test_one_draft_published_twice_is_published_once() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    draft = make_draft({"signal": demo, "points": 30})

    results = at_once(*[lambda: publish_version(draft, by=None, note="", now=NOON)] * 4)

    refused = [result for result in results if isinstance(result, VersionNotDraft)]
    assert len(refused) == 3
    assert ModelVersion.objects.active().get() == draft


def test_of_two_drafts_against_one_version_one_is_published() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    active = publish({"signal": demo, "points": 30})
    drafts = [create_draft(based_on=active, by=None, now=NOON) for _ in range(2)]
    for _ in range(10):
        LeadFactory()

    results = at_once(
        *[
            lambda draft=draft: publish_version(draft, by=None, note="", now=NOON, replacing=active)
            for draft in drafts
        ]
    )

    assert sum(isinstance(result, ActiveVersionChanged) for result in results) == 1
    assert ModelVersion.objects.active().count() == 1


def test_of_two_approvals_at_once_one_lets_it_take_effect() -> None:
    """SCORE-10"""
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    author, *others = (UserFactory(role=User.Role.MARKETING, team=None) for _ in range(3))
    draft = make_draft({"signal": demo, "points": 30})
    proposal = propose_version(draft, by=author, note="Demos win", now=NOON)

    results = at_once(
        *[lambda other=other: approve_version(proposal, by=other, now=NOON) for other in others]
    )

    assert sum(isinstance(result, NotWaitingForApproval) for result in results) == 1
    version = ModelVersion.objects.active().get()
    assert version == proposal
    assert version.events.filter(kind="approved").count() == 1
    assert version.events.filter(kind="published").count() == 1


def test_drafts_made_at_once_get_different_numbers() -> None:
    drafts = at_once(*[lambda: create_draft(based_on=None, by=None, now=NOON)] * 5)

    assert sorted(draft.number for draft in drafts) == [1, 2, 3, 4, 5]


def test_no_rule_slips_into_a_version_while_it_is_published() -> None:
    """The trigger waits for a publish under way, and refuses when that has been committed."""
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    draft = make_draft({"signal": demo, "points": 30})
    started = Barrier(2)

    def publish_slowly() -> object:
        with transaction.atomic():
            publish_version(draft, by=None, note="", now=NOON)
            started.wait()
            wait_until_somebody_is_blocked()
            return "published"

    def add_rule() -> object:
        started.wait()
        return Rule.objects.create(version_id=draft.pk, kind="behaviour", name="More", points=1, signal=demo)

    published, added = at_once(publish_slowly, add_rule)

    assert published == "published"
    assert isinstance(added, IntegrityError)
    assert draft.rules.count() == 1


def test_a_lead_in_hand_and_a_publish_do_not_wait_for_each_other() -> None:
    """The publish waits for the lead, and the lead's hits name the signals when they are committed."""
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    draft = make_draft({"signal": demo, "points": 30})
    lead = LeadFactory()
    do(lead, "Demo Requested")
    matched = Barrier(2)

    def match_slowly() -> object:
        with transaction.atomic():
            Lead.objects.lock(lead.pk)
            match_activities([lead.pk])
            matched.wait()
            wait_until_somebody_is_blocked()
        return SignalHit.objects.filter(lead=lead, signal=demo).count()

    def publish_meanwhile() -> object:
        matched.wait()
        return publish_version(draft, by=None, note="", now=NOON)

    assert at_once(match_slowly, publish_meanwhile) == [1, draft]


def test_old_activities_are_matched_while_a_lead_is_in_hand() -> None:
    """The hits name the lead, whose key is free; were it locked too, the lead's own matching, which waits for
    the same hits, would be a deadlock."""
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    draft = make_draft({"signal": demo, "points": 30})
    lead = LeadFactory()
    do(lead, "Demo Requested")
    locked, published = Barrier(2), Barrier(2)

    def hold_and_match() -> object:
        with transaction.atomic():
            Lead.objects.lock(lead.pk)
            locked.wait()
            published.wait()
            match_activities([lead.pk])
        return SignalHit.objects.filter(lead=lead, signal=demo).count()

    def publish_meanwhile() -> object:
        locked.wait()
        try:
            with transaction.atomic():
                # Only ends a test that would fail anyway.
                connection.cursor().execute("SET LOCAL lock_timeout = '3s'")
                return publish_version(draft, by=None, note="", now=NOON)
        finally:
            published.wait()

    assert at_once(hold_and_match, publish_meanwhile) == [1, draft]
