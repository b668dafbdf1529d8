"""The pages about routing: what stands, what would happen, what was fair, and moving all somebody has."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from handoffs.models import Handoff, Pool, PoolMembership, RoutingDecision, RoutingRule
from handoffs.routing.fairness import measure_fairness
from handoffs.services import claim_handoff
from tests.desk import offer, ready_lead
from tests.factories import PoolFactory, PoolMembershipFactory, UserFactory

PAGES = ("/routing/", "/routing/fairness/", "/routing/try/", "/routing/reassign/")
MAY_OPEN = {
    User.Role.BDR: (200, 200, 403, 403),
    User.Role.MARKETING: (200, 200, 200, 403),
    User.Role.MANAGER: (200, 200, 200, 200),
    User.Role.READ_ONLY: (200, 200, 200, 403),
    User.Role.OPERATOR: (403, 403, 403, 403),
}


@pytest.fixture
def now() -> datetime:
    """Pages look at the real clock, so what they show is laid by it."""
    return timezone.now()


def read(client: Client, user: User, path: str, **query: object) -> str:
    client.force_login(user)
    return unescape(client.get(path, query).content.decode())


def counts() -> tuple[int, ...]:
    books = PoolMembership.objects.values_list("received", flat=True)
    return Handoff.objects.count(), RoutingDecision.objects.count(), *books


@pytest.mark.parametrize("role", User.Role.values)
def test_who_may_open_what(client: Client, db: None, role: User.Role) -> None:
    client.force_login(UserFactory(role=role))

    assert tuple(client.get(path).status_code for path in PAGES) == MAY_OPEN[role]


# --- Rules and pools ----------------------------------------------------------------------------


def test_the_overview_says_who_could_take_a_lead_and_why_others_could_not(
    client: Client, pool: Pool, bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    PoolMembership.objects.filter(user=bdr).update(countries=["Germany"], max_open=0)
    User.objects.filter(pk=other_bdr.pk).update(away_since=now)
    RoutingRule.objects.create(name="German", position=99, countries=["Germany"], pool=pool)

    text = read(client, manager, "/routing/")

    assert "0 of 2 could take a lead now" in text
    assert "at most 0 open at once, has 0" in text
    assert "away since" in text
    assert "Leads from Germany" in text
    assert f"Never applies: “{RoutingRule.objects.first()}” takes all its leads" in text


def test_a_bdr_reads_only_the_pools_they_are_in(client: Client, pool: Pool, bdr: User) -> None:
    other = PoolFactory(name="Enterprise")
    RoutingRule.objects.create(name="Whales", position=0, employees_from=5000, pool=other)

    text = read(client, bdr, "/routing/") + read(client, bdr, "/routing/fairness/")

    assert "Inbound" in text
    assert "Enterprise" not in text
    assert "Whales" not in text
    assert "/admin/" not in text


def test_without_a_rule_for_every_lead_the_overview_warns(client: Client, pool: Pool, manager: User) -> None:
    assert "fits no rule" not in read(client, manager, "/routing/")

    RoutingRule.objects.update(countries=["Germany"])

    assert "A lead that fits no rule cannot be handed to sales." in read(client, manager, "/routing/")


@pytest.mark.parametrize("path", ["/routing/", "/routing/fairness/"])
def test_more_members_cost_no_more_queries(client: Client, pool: Pool, manager: User, path: str) -> None:
    client.force_login(manager)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(path)
    for _ in range(5):
        PoolMembershipFactory(pool=pool)

    with CaptureQueriesContext(connection) as many:
        client.get(path)

    assert len(many) == len(few) <= 20


# --- The dry run --------------------------------------------------------------------------------


def test_the_dry_run_says_what_then_happens_and_does_nothing(
    client: Client, pool: Pool, manager: User, now: datetime
) -> None:
    offer(ready_lead(now=now), now=now)
    lead = ready_lead(now=now)
    before = counts()

    text = read(client, manager, "/routing/try/", lead=lead.email, category="A")

    assert counts() == before
    handoff = offer(lead, now=now)
    assert f"{handoff.owner}</span> would get {lead.name}" in text
    for candidate in handoff.routing_decisions.get().candidates:
        assert candidate["name"] in text
        assert candidate["reason"] in text


def test_an_imagined_lead_is_routed_by_every_fact(client: Client, pool: Pool, manager: User) -> None:
    presses = PoolFactory(name="Presses")
    RoutingRule.objects.create(
        name="Large presses",
        pool=presses,
        product_lines=["Presses"],
        languages=["German"],
        deal_size_from=10_000,
        employees_from=100,
    )
    facts = {"product_line": "presses", "language": "german", "deal_size": "10000", "employee_count": "100"}

    fitting = read(client, manager, "/routing/try/", **facts)
    smaller = read(client, manager, "/routing/try/", **facts | {"deal_size": "9999"})

    assert "100 employees, speaks german, about presses, worth 10,000" in fitting
    assert "Large presses" in fitting
    assert "Nobody now</span>: it would wait in the overflow queue of Presses" in fitting
    assert "Large presses" not in smaller


def test_the_dry_run_asks_the_owner_of_the_company_first(
    client: Client, pool: Pool, manager: User, now: datetime
) -> None:
    owner = offer(ready_lead(now=now, company="acme.example"), now=now).owner

    text = read(client, manager, "/routing/try/", company="https://www.acme.example/about")

    assert f"{owner}</span> would get it" in text
    assert "Owner of this account" in text


def test_a_lead_behind_others_is_said_to_wait(
    client: Client, pool: Pool, manager: User, now: datetime
) -> None:
    PoolMembership.objects.update(max_open=0)
    offer(ready_lead(now=now), now=now)
    PoolMembership.objects.update(max_open=9)

    text = read(client, manager, "/routing/try/", category="A")

    assert "It would wait</span> behind 1 older lead in the overflow queue of Inbound" in text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"lead": "0"}, "Give an e-mail address, or the number of a lead."),
        ({"lead": "9" * 40}, "Give an e-mail address, or the number of a lead."),
        ({"lead": "nobody@acme.example"}, "There is no lead nobody@acme.example"),
        ({"lead": "a@b@c"}, "e-mail"),
        ({"company": "no domain at all"}, "This is not a domain"),
        ({"company": "acme.example"}, "We know no company acme.example."),
        ({"deal_size": "-1"}, "greater than or equal to 0"),
        ({"country": "x\0"}, "Null characters are not allowed."),
    ],
    ids=["nought", "endless", "unknown", "no address", "no domain", "no company", "negative", "nul"],
)
def test_what_cannot_be_routed_is_said_at_the_field(
    client: Client, manager: User, query: dict[str, str], sentence: str
) -> None:
    client.force_login(manager)

    response = client.get("/routing/try/", query)

    assert response.status_code == 422
    assert sentence in unescape(response.content.decode())


def test_without_a_rule_that_fits_the_dry_run_says_so(client: Client, pool: Pool, manager: User) -> None:
    RoutingRule.objects.update(countries=["Germany"])

    assert "No routing rule fits this lead." in read(client, manager, "/routing/try/", country="Spain")


# --- Fairness -----------------------------------------------------------------------------------


def test_the_figures_of_fairness_are_those_of_the_handoffs(
    client: Client, pool: Pool, bdr: User, manager: User, now: datetime
) -> None:
    for second in range(5):
        offer(ready_lead(now=now), now=now + timedelta(seconds=second))
    PoolMembership.objects.update(max_open=0)
    claim_handoff(offer(ready_lead(now=now), now=now), by=bdr, now=now)

    fair = measure_fairness([pool], now=timezone.now())[0]

    for share in fair.shares:
        theirs = Handoff.objects.filter(pool=pool, owner=share.member.user)
        assert share.member.received == share.received_lately == theirs.count()
        assert abs(share.difference) <= 1
    assert fair.received == fair.entitled == 6
    by_way = {share.member.user: dict(share.came_by) for share in fair.shares}
    assert by_way[bdr]["Claimed from the overflow queue"] == 1
    assert "6 leads since the pool began" in read(client, manager, "/routing/fairness/")


# --- Why me, why not me -------------------------------------------------------------------------


def test_the_handoff_page_tells_the_viewer_first_why_they_got_it_or_not(
    client: Client, handoff: Handoff, bdr: User, other_bdr: User, manager: User
) -> None:
    chosen, passed_over = (bdr, other_bdr) if handoff.owner == bdr else (other_bdr, bdr)

    assert "Why you:</span> next in turn" in read(client, chosen, f"/handoffs/{handoff.pk}/")
    assert "Why not you:</span> available, not in turn" in read(
        client, passed_over, f"/handoffs/{handoff.pk}/"
    )
    assert "you:</span>" not in read(client, manager, f"/handoffs/{handoff.pk}/")


# --- Moving all of it ---------------------------------------------------------------------------


def test_a_manager_sees_every_move_and_then_makes_them(
    client: Client, handoff: Handoff, bdr: User, other_bdr: User, manager: User
) -> None:
    leaver, heir = (bdr, other_bdr) if handoff.owner == bdr else (other_bdr, bdr)
    client.force_login(manager)
    preview = client.get("/routing/reassign/", {"person": leaver.pk, "which": "all", "to": heir.pk})
    assert f"1 move from {leaver}" in preview.content.decode()
    assert handoff.lead.name in preview.content.decode()
    data = {"plan": preview.context["plan"], "reason": ""}

    refused = client.post("/routing/reassign/", data)
    done = client.post("/routing/reassign/", data | {"reason": "Leaves in May"}, follow=True)

    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    assert refused.context["plan"]  # and the preview is still there
    assert f"Reassigned: 1 to {heir}." in done.content.decode()
    handoff.refresh_from_db()
    assert handoff.owner == heir


def test_a_forged_or_outdated_preview_moves_nothing(
    client: Client, handoff: Handoff, manager: User, now: datetime
) -> None:
    client.force_login(manager)
    owner = handoff.owner
    assert owner is not None
    preview = client.get("/routing/reassign/", {"person": owner.pk})
    Handoff.objects.filter(pk=handoff.pk).update(owner=None)

    outdated = client.post("/routing/reassign/", {"plan": preview.context["plan"], "reason": "Leaves"})
    forged = client.post("/routing/reassign/", {"plan": "forged", "reason": "Leaves"})

    assert (outdated.status_code, forged.status_code) == (409, 422)
    assert "Nothing was moved" in outdated.content.decode()
    assert "This preview is too old" in forged.content.decode()


@pytest.mark.parametrize("query", [{"person": "x"}, {"person": "0"}, {"to": "9" * 30}, {"which": "some"}])
def test_a_preview_of_nonsense_is_refused(client: Client, manager: User, query: dict[str, str]) -> None:
    client.force_login(manager)

    assert client.get("/routing/reassign/", query).status_code == 422
