"""The invented year as it stands in the portal afterwards. Seeded once for all tests of the module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, F, Q
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tokens import find_token
from feedback.models import (
    AcceptanceReason,
    Commitment,
    Dispute,
    MarketingTask,
    Pulse,
    QualityCheck,
    Reading,
    Verdict,
)
from handoffs.models import Acknowledgement, ContextPackage, Handoff, Opportunity, RoutingDecision
from leads.models import Activity, Lead, LeadEvent
from notifications.models import Delivery
from operations.demo.installation import Keys, install_demo
from operations.demo.simulation import Summary
from scoring.backtesting.page import headline_of
from scoring.backtesting.replay import Tally
from scoring.models import Backtest
from sla.models import Clock, Escalation, Incident, PolicyVersion, Ticket

UNTIL = datetime(2026, 3, 3, 10, 30, tzinfo=UTC)
KEYS = Keys(password="correct horse", api_token="hp_demo_token", write_key="demo_key")

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.xdist_group("demo"),
    # A year is played before the first of them.
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[Summary]:
    """One small year, played inside a transaction that is undone after the module."""
    with django_db_blocker.unblock():
        transaction.set_autocommit(False)
        try:
            yield install_demo(KEYS, seed=7, size=90, until=UNTIL)
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)


def test_there_is_something_of_everything(demo: Summary) -> None:
    statuses = set(Handoff.objects.values_list("status", flat=True))

    assert {"offered", "rejected", "won", "lost"} <= statuses
    assert statuses & {"accepted", "contacted", "qualified", "opportunity"}
    assert Verdict.objects.values("reason").distinct().count() >= 3


def test_the_service_levels_have_acted_by_themselves(demo: Summary) -> None:
    """What they did stands in the history, with what people made of it."""
    taken = Escalation.objects.filter(result=Escalation.Result.TAKEN).values_list("action", flat=True)

    assert {"remind", "notify_manager", "review", "reassign"} <= set(taken)
    assert not Clock.objects.step_due(UNTIL).exists()
    assert Ticket.objects.closed().exclude(closed_by=None).exists()
    assert Ticket.objects.open().count() <= 12
    assert Incident.objects.filter(excused__gt=0, pending_at=None).count() == 1
    assert PolicyVersion.objects.filter(number=2).values("policy").distinct().count() == 2


def test_leads_that_came_at_night_were_answered_at_once_or_not_at_all(demo: Summary) -> None:
    answers = Acknowledgement.objects.all()

    assert answers.exclude(sent_at=None).exists()
    assert not answers.filter(sent_at=None, left_out="").exists()
    assert not answers.filter(sent_at__gt=F("due_at")).exists()


def test_marketing_has_promised_each_month_and_reads_most_rejections(demo: Summary) -> None:
    assert Commitment.objects.count() >= 12
    readings = Reading.objects.all()
    assert readings.filter(read_at=None).count() < readings.exclude(read_at=None).count()


def test_the_invented_year_sends_nobody_an_email(demo: Summary) -> None:
    sent = Delivery.objects.filter(status=Delivery.Status.SENT).count()

    assert (sent > 0, Delivery.objects.due(UNTIL).count()) == (True, 0)


def test_each_rep_has_work_and_something_waits_in_the_overflow(demo: Summary) -> None:
    owners = set(Handoff.objects.open().values_list("owner__username", flat=True))

    assert {"mara", "theo", None} <= owners
    assert len(owners) >= 4


def test_the_queue_ends_with_fresh_and_with_late_offers(demo: Summary) -> None:
    offered = Handoff.objects.offered().with_next_due()

    assert offered.filter(next_due_at__gt=UNTIL).exists()
    assert offered.filter(next_due_at__lt=UNTIL).exists()
    assert offered.filter(created_at__gt=UNTIL - timedelta(hours=1)).exists()


def test_the_first_demo_rep_has_an_offer_that_is_getting_late(demo: Summary) -> None:
    warned = Clock.objects.at_risk(UNTIL).filter(owner__username="mara").values("handoff_id")

    assert Handoff.objects.offered().filter(pk__in=warned).exists()


def test_nothing_happens_after_the_end(demo: Summary) -> None:
    assert not Activity.objects.filter(Q(occurred_at__gt=UNTIL) | Q(received_at__gt=UNTIL)).exists()
    assert not LeadEvent.objects.filter(at__gt=UNTIL).exists()
    assert not Lead.objects.due(UNTIL).exists()


def test_the_log_of_every_lead_is_in_order_of_time(demo: Summary) -> None:
    for lead_id in Lead.objects.values_list("pk", flat=True):
        log = list(LeadEvent.objects.filter(lead=lead_id).order_by("id").values_list("at", "kind", "detail"))
        assert log == sorted(log, key=lambda entry: entry[0])


def test_every_handoff_has_its_package_its_decision_and_its_clocks(demo: Summary) -> None:
    handoffs = Handoff.objects.count()

    assert ContextPackage.objects.count() == handoffs
    assert RoutingDecision.objects.values("handoff").distinct().count() == handoffs
    assert Clock.objects.values("handoff_id").distinct().count() == handoffs


def test_every_score_was_explained_when_it_was_handed_over(demo: Summary) -> None:
    for package in ContextPackage.objects.select_related("handoff"):
        lines = package.content["score"]["lines"]
        assert sum(line["points"] for line in lines) == package.handoff.score


# --- Independent counts: each page says what a plain query says ---------------------------------


def test_every_lead_is_in_one_state_that_fits_its_handoffs(demo: Summary) -> None:
    with_sales = {"mql", "sal", "sql", "opportunity"}
    open_leads = set(Handoff.objects.open().values_list("lead", flat=True))

    assert set(Lead.objects.filter(stage__in=with_sales).values_list("pk", flat=True)) == open_leads
    most = Lead.objects.annotate(n=Count("handoffs", filter=Q(handoffs__closed_at=None))).order_by("-n")[0]
    assert most.n == 1


def test_every_open_handoff_has_an_owner_or_is_in_the_overflow(demo: Summary) -> None:
    overflow = Handoff.objects.overflow().count()

    assert Handoff.objects.open().filter(owner=None).count() == overflow
    assert Handoff.objects.exclude(owner=None).filter(offered_at=None).count() == 0


def test_every_rejection_has_its_verdict_and_nothing_else_has_one(demo: Summary) -> None:
    rejected = set(Handoff.objects.filter(status="rejected").values_list("pk", flat=True))

    standing = Verdict.objects.standing()
    assert sorted(standing.values_list("handoff", flat=True)) == sorted(rejected)
    assert not standing.exclude(reason__code=F("handoff__rejection_code")).exists()


def test_no_closed_handoff_has_a_running_clock(demo: Summary) -> None:
    closed = Handoff.objects.exclude(closed_at=None).values("pk")

    assert not Clock.objects.running().filter(handoff_id__in=closed).exists()


def test_the_queue_of_each_rep_counts_what_is_theirs(demo: Summary) -> None:
    for rep in User.objects.filter(role=User.Role.BDR):
        page = signed_in(rep).get("/queue/").content.decode()

        mine = Handoff.objects.filter(owner=rep, closed_at=None).count()
        waiting = Handoff.objects.filter(pool__memberships__user=rep, owner=None, closed_at=None).count()
        assert f'id="count-mine">{mine}</span>' in page
        assert f'id="count-overflow">{waiting}</span>' in page


def test_the_inbox_of_marketing_counts_every_rejection_of_the_year(demo: Summary) -> None:
    year_ago = timezone.now() - timedelta(days=365)
    response = signed_in(User.objects.get(username="jo")).get("/marketing/", {"days": "365"})

    verdicts = Verdict.objects.standing().filter(at__gt=year_ago).select_related("lead").order_by("-at")
    page = response.content.decode()
    assert verdicts[0].lead.name in page
    reasons = Counter(verdicts.values_list("reason__label", flat=True))
    shown = {reason.label: reason.rejections for reason in response.context["reasons"]}
    assert shown == reasons


def test_both_sides_have_closed_the_loop(demo: Summary) -> None:
    """Each part of the feedback loop has something to show, and every answer is about what happened."""
    checks = QualityCheck.objects.all()
    assert checks.exists()
    assert not checks.exclude(handoff__attempts__outcome="connected").exists()
    assert AcceptanceReason.objects.filter(handoff__accepted_at=None).count() == 0
    assert AcceptanceReason.objects.exists()
    assert Dispute.objects.filter(settled_at=None).count() == 1
    assert MarketingTask.objects.exclude(done_at=None).exists()
    assert not Handoff.objects.filter(incomplete_at__isnull=False).exists()
    assert set(Pulse.objects.values_list("side", flat=True)) == set(Pulse.Side.values)
    assert Pulse.objects.values("month").distinct().count() >= 11


def test_the_follow_up_of_marketing_counts_every_regret_of_the_year(demo: Summary) -> None:
    year_ago = timezone.now() - timedelta(days=365)
    response = signed_in(User.objects.get(username="jo")).get("/marketing/follow-up/", {"days": "365"})

    rejections = Verdict.objects.standing().filter(at__gt=year_ago).exclude(reason__type="procedural")
    regretted = [
        verdict
        for verdict in rejections
        if Opportunity.objects.filter(handoff__lead=verdict.lead_id, opened_at__gt=verdict.at).exists()
    ]
    regret = response.context["regret"].regretted
    assert (regret.yes, regret.n) == (len(regretted), rejections.count())
    held = Lead.objects.exclude(hold="").filter(stage="nurture").count()
    assert response.context["tracks"].on_the_way == held


def test_reps_have_their_languages_skills_and_territory(demo: Summary) -> None:
    german = Handoff.objects.filter(lead__language="German", pool__name="Inbound")
    skipped = [
        candidate["reason"]
        for decision in RoutingDecision.objects.filter(handoff__in=german)
        for candidate in decision.candidates
        if candidate["name"] == "Grace Okoro"
    ]

    assert skipped
    assert not german.filter(owner__username="grace").exists()


def test_the_board_counts_every_running_clock_that_is_late(demo: Summary) -> None:
    response = signed_in(User.objects.get(username="nia")).get("/sla/")

    assert response.status_code == 200
    late = Clock.objects.filter(outcome="running", breach_recorded_at__isnull=False).count()
    assert late > 0
    assert str(late) in response.content.decode()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- The command --------------------------------------------------------------------------------


def test_the_keys_open_the_api(demo: Summary) -> None:
    token = find_token("hp_demo_token")

    assert token is not None
    assert token.user.username == "nia"


def test_a_portal_that_holds_leads_is_left_alone(demo: Summary) -> None:
    before = Counter(Lead.objects.values_list("stage", flat=True))

    with pytest.raises(CommandError, match="holds leads already"):
        call_command("seed_demo", size=20)

    assert Counter(Lead.objects.values_list("stage", flat=True)) == before


def test_marketing_has_a_draft_that_was_run_against_history(demo: Summary) -> None:
    backtest = Backtest.objects.get()

    assert (backtest.version.name, backtest.version.status) == ("Webinar +20", "draft")
    assert backtest.finished_at is not None
    assert headline_of(backtest).startswith("In the last 13 weeks the draft would have passed ")
    assert Tally.from_json(backtest.result["tally"]).leads == Lead.objects.count()
