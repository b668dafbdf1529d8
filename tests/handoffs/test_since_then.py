"""What happened after the package was frozen is told beside it (HAND-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import User
from handoffs.models import Handoff
from handoffs.package.since_then import SHOWN, NewAnswer, SinceThen, what_happened_since
from leads.facts import ActivityFacts
from leads.intake import record_activity
from leads.models import Lead
from leads.services import correct_lead
from scoring.services import score_lead
from tests.desk import do


def news_of(handoff: Handoff) -> SinceThen:
    fresh = Handoff.objects.select_related("lead__company", "lead__score", "package").get(pk=handoff.pk)
    return what_happened_since(fresh.package, fresh)


def test_right_after_the_handoff_there_is_no_news(handoff: Handoff) -> None:
    assert not news_of(handoff)


def test_new_activities_and_the_score_they_made_are_news(handoff: Handoff, lead: Lead, now: datetime) -> None:
    later = now + timedelta(minutes=5)
    for number in range(SHOWN + 1):
        do(lead, "Page Viewed", now=later + timedelta(minutes=number), path="/pricing")
    score = score_lead(Lead.objects.get(pk=lead.pk), now=later + timedelta(minutes=number))

    news = news_of(handoff)

    assert news
    assert (news.activities, len(news.latest)) == (SHOWN + 1, SHOWN)
    assert news.latest[0].at == later + timedelta(minutes=number)
    assert news.score_moved
    assert (news.score_then, news.score_now) == (handoff.score, score.total if score else None)


def test_what_happened_before_and_reached_us_later_is_news(
    handoff: Handoff, lead: Lead, now: datetime
) -> None:
    facts = ActivityFacts(event="Email Opened", occurred_at=now - timedelta(days=1), message_id="late")
    record_activity(lead, facts, via="test", now=now + timedelta(hours=1))

    assert [deed.event for deed in news_of(handoff).latest] == ["Email Opened"]


def test_a_fact_that_changed_is_told_once_from_then_to_now(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    for minutes, title in ((1, "CTO"), (2, "CEO")):
        correct_lead(
            lead, changes={"title": title}, by=marketing, at=now + timedelta(minutes=minutes), via="page"
        )
    correct_lead(lead, changes={"budget": "40k"}, by=marketing, at=now + timedelta(minutes=3), via="page")

    correct_lead(lead, changes={"deal_size": 10_000}, by=marketing, at=now + timedelta(minutes=4), via="page")

    assert set(news_of(handoff).answers) == {
        NewAnswer("Title", "VP Sales", "CEO"),
        NewAnswer("Budget", "", "40k"),
        NewAnswer("Deal size", "", "10,000"),
    }


def test_what_became_again_what_it_was_is_no_news(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    for minutes, title in ((1, "CTO"), (2, "VP Sales")):
        correct_lead(
            lead, changes={"title": title}, by=marketing, at=now + timedelta(minutes=minutes), via="page"
        )

    assert news_of(handoff).answers == ()
