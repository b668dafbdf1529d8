"""SLA-4: new terms reach promises that run only by an explicit, logged act; history is never rewritten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django_q.models import OrmQ

from common.errors import NotAllowed
from leads.models import LeadEvent
from sla import reapplying
from sla.conditions import HandoffFacts
from sla.models import Clock, PinnedPolicy
from sla.pauses import pause_clock, resume_clock
from sla.reapplying import Reapplied, preview_reapplying, reapply_policies
from sla.services import start_clocks, stop_clock
from sla.tasks import reapply_policy_task
from sla.versions import keep_version, read_terms_by_id
from tests.factories import NOON, LeadFactory
from tests.sla.factories import ClockFactory

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def begin(owner, *, handoff_id: int = 7, now: datetime = NOON) -> dict[str, Clock]:
    facts = HandoffFacts(handoff_id, category="B", warmth="cold", source="", is_instant_mql=False)
    clocks = start_clocks(LeadFactory(), facts, owner=owner, team=owner.team, now=now)
    return {clock.kind: clock for clock in clocks}


@pytest.fixture
def changed(policy, bdr, manager):
    """A handoff of noon, and five minutes later other terms: opened in 10 minutes, contact in 3 hours."""
    clocks = begin(bdr)
    policy.targets.filter(kind="opened").update(minutes=10)
    policy.targets.filter(kind="first_contact").update(minutes=180)
    keep_version(policy, by=manager, now=NOON + 5 * MINUTE)
    return clocks


def test_open_clocks_are_measured_from_their_own_start_by_the_new_terms(policy, changed, manager):
    now = NOON + 5 * MINUTE

    assert reapply_policies(policy=policy, by=manager, now=now) == Reapplied(moved_earlier=1, moved_later=1)

    clocks = {clock.kind: clock for clock in Clock.objects.all()}
    assert clocks["opened"].due_at == NOON + 10 * MINUTE
    assert clocks["first_contact"].due_at == NOON + 3 * HOUR
    assert clocks["first_contact"].warn_at == NOON + 1.5 * HOUR
    assert {clock.policy_version.number for clock in clocks.values()} == {2}
    assert clocks["opened"].minutes == 10
    assert PinnedPolicy.objects.get(handoff_id=7).version.number == 2


def test_it_is_logged_with_both_versions_and_who_did_it(policy, changed, manager):
    reapply_policies(by=manager, now=NOON + 5 * MINUTE)

    entries = LeadEvent.objects.filter(kind=LeadEvent.Kind.CLOCK_MOVED, handoff_id=7)
    moved = entries.get(detail__target="first_contact")
    assert moved.by == manager
    assert (moved.detail["old_version"], moved.detail["version"]) == (1, 2)
    assert (moved.detail["old_due_at"], moved.detail["due_at"]) == (
        (NOON + 2 * HOUR).isoformat(),
        (NOON + 3 * HOUR).isoformat(),
    )
    assert entries.count() == 2


def test_the_preview_says_the_same_and_changes_nothing(policy, changed, manager):
    now = NOON + 5 * MINUTE

    preview = preview_reapplying(policy=policy, now=now)

    assert set(Clock.objects.values_list("policy_version__number", flat=True)) == {1}
    assert preview == reapply_policies(policy=policy, by=manager, now=now)


def test_repeating_it_changes_nothing(policy, changed, manager):
    reapply_policies(by=manager, now=NOON + 5 * MINUTE)

    assert reapply_policies(by=manager, now=NOON + 6 * MINUTE) == Reapplied()
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.CLOCK_MOVED).count() == 2


def test_nothing_falls_due_before_now(policy, changed, manager):
    """Twelve minutes have gone, and the new terms allow ten: nobody could have known."""
    now = NOON + 12 * MINUTE

    reapply_policies(by=manager, now=now)

    opened = Clock.objects.get(kind="opened")
    assert opened.due_at == now
    assert not opened.is_late(now)


def test_what_is_missed_done_or_paused_keeps_its_terms(policy, changed, bdr, manager):
    pause_clock(changed["first_contact"], reason="On holiday", by=bdr, now=NOON + MINUTE)
    late = NOON + 20 * MINUTE  # “Opened” was due after 15

    assert reapply_policies(by=manager, now=late) == Reapplied()

    stop_clock(changed["opened"].lead, handoff_id=7, kind="opened", at=late)
    assert reapply_policies(by=manager, now=late) == Reapplied()
    assert set(Clock.objects.values_list("policy_version__number", flat=True)) == {1}


def test_pauses_that_are_over_count_as_before(policy, changed, bdr, manager):
    contact = pause_clock(changed["first_contact"], reason="On holiday", by=bdr, now=NOON + MINUTE)
    resume_clock(contact, by=bdr, now=NOON + 4 * MINUTE)

    reapply_policies(by=manager, now=NOON + 5 * MINUTE)

    assert Clock.objects.get(kind="first_contact").due_at == NOON + 3 * HOUR + 3 * MINUTE


def test_working_hours_of_the_owner_count(policy, bdr, manager):
    friday = datetime(2026, 3, 6, 16, tzinfo=UTC)  # 17:00 in Berlin
    begin(bdr, now=friday)
    policy.targets.filter(kind="first_contact").update(minutes=180)
    keep_version(policy, by=manager, now=friday)

    reapply_policies(by=manager, now=friday + MINUTE)

    # One hour is left of Friday, and two go on Monday from 10:00 in Berlin.
    assert Clock.objects.get(kind="first_contact").due_at == datetime(2026, 3, 9, 11, tzinfo=UTC)


def test_what_is_over_by_the_new_terms_falls_due_when_its_owner_works_next(policy, bdr, manager):
    friday, saturday = datetime(2026, 3, 6, 15, tzinfo=UTC), datetime(2026, 3, 7, 22, tzinfo=UTC)
    policy.targets.filter(kind="first_contact").update(minutes=600)
    keep_version(policy, by=manager, now=friday)
    begin(bdr, handoff_id=30, now=friday)
    policy.targets.filter(kind="first_contact").update(minutes=60)
    keep_version(policy, by=manager, now=saturday)
    Clock.objects.exclude(kind="first_contact").delete()

    assert preview_reapplying(now=saturday).run_out == 1
    assert reapply_policies(by=manager, now=saturday).run_out == 1

    # Monday 10:00 in Berlin.
    assert Clock.objects.get().due_at == datetime(2026, 3, 9, 9, tzinfo=UTC)


def test_clocks_of_before_there_were_versions_are_known_by_the_name_of_their_policy(policy, bdr, manager):
    clock = ClockFactory(owner=bdr, policy_name="Standard", kind="opened", minutes=60)

    assert reapply_policies(by=manager, now=NOON) == Reapplied(moved_earlier=1)

    clock.refresh_from_db()
    assert read_terms_by_id(clock.policy_version_id).target_for("opened").minutes == clock.minutes == 15


def test_clocks_of_other_policies_and_dropped_targets_stay(policy, changed, manager):
    policy.targets.filter(kind="first_contact").delete()
    keep_version(policy, by=manager, now=NOON + 5 * MINUTE)
    ClockFactory(policy_name="Another")

    assert reapply_policies(policy=policy, by=manager, now=NOON + 5 * MINUTE) == Reapplied(moved_earlier=1)

    assert Clock.objects.get(kind="first_contact", handoff_id=7).policy_version.number == 1


def test_many_clocks_cost_no_more_statements_than_few(policy, bdr, manager, django_assert_max_num_queries):
    for number in range(12):
        begin(bdr, handoff_id=100 + number)
    policy.targets.filter(kind="opened").update(minutes=10)
    keep_version(policy, by=manager, now=NOON)

    with django_assert_max_num_queries(24):
        reapply_policies(policy=policy, by=manager, now=NOON + MINUTE)


@pytest.mark.parametrize("who", ["bdr", "marketing", "operator", "reader"])
def test_only_managers_do_it(policy, changed, who, request):
    with pytest.raises(NotAllowed):
        reapply_policies(by=request.getfixturevalue(who), now=NOON)


# --- The pages ----------------------------------------------------------------------------------


def test_the_page_tells_policies_in_sentences_and_what_each_version_changed(
    client, reader, policy, changed, django_assert_max_num_queries
):
    client.force_login(reader)

    with django_assert_max_num_queries(10):
        page = client.get("/sla/policies/").content.decode()

    assert "Every handoff" in page
    assert "Opened: within 10 minutes, around the clock" in page
    assert "before, within 15 minutes, around the clock" in page
    assert "Apply to open clocks" not in page


def test_a_manager_sees_what_would_happen_and_does_it(client, manager, bdr, policy):
    begin(bdr, now=datetime.now(UTC))
    policy.targets.filter(kind="opened").update(minutes=60)
    keep_version(policy, by=manager, now=NOON)
    client.force_login(manager)

    shown = client.get(f"/sla/policies/{policy.pk}/reapply/").content.decode()
    done = client.post(f"/sla/policies/{policy.pk}/reapply/", follow=True).content.decode()

    assert "2 open clocks still go by an earlier version" in shown
    assert "2 open clocks have the terms in force: 0 fall due earlier, 1 later, 1 as before." in done
    assert "nothing to apply" in client.get(f"/sla/policies/{policy.pk}/reapply/").content.decode()


def test_very_many_are_left_to_a_worker(client, manager, bdr, policy, monkeypatch):
    monkeypatch.setattr(reapplying, "AT_ONCE", 2)
    for number in range(2):
        begin(bdr, handoff_id=number, now=datetime.now(UTC))
    policy.targets.filter(kind="opened").update(minutes=60)
    keep_version(policy, by=manager, now=NOON)
    client.force_login(manager)
    OrmQ.objects.all().delete()

    shown = client.get(f"/sla/policies/{policy.pk}/reapply/").content.decode()
    client.post(f"/sla/policies/{policy.pk}/reapply/")

    assert "2 or more open clocks" in shown
    assert set(Clock.objects.values_list("policy_version__number", flat=True)) == {1}
    task = OrmQ.objects.get()
    assert (task.func(), task.args()) == ("sla.tasks.reapply_policy_task", (policy.pk, manager.pk))
    reapply_policy_task(*task.args())
    assert set(Clock.objects.values_list("policy_version__number", flat=True)) == {2}


@pytest.mark.parametrize(("who", "page", "status"), [
    ("bdr", "", 403), ("marketing", "", 403), ("operator", "", 200), ("reader", "{}/reapply/", 403),
])  # fmt: skip
def test_pages_are_for_those_who_watch_and_the_act_for_managers(client, policy, who, page, status, request):
    client.force_login(request.getfixturevalue(who))

    assert client.get(f"/sla/policies/{page.format(policy.pk)}").status_code == status
