"""schemathesis reads the schema and tries what a careless or hostile caller would: no answer is a 500, and
every answer is what the schema promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from accounts.models import ApiToken, User
from accounts.tokens import issue_token
from feedback.disputes import dispute_verdict
from feedback.models import MarketingTask, Verdict
from feedback.services import reject_handoff
from feedback.tasks_for_marketing import open_gap_tasks
from handoff_portal.wsgi import application
from handoffs.models import Handoff
from tests.desk import load_desk, offer, ready_lead, reason
from tests.factories import UserFactory

SCHEMA = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
SCHEMA.app = application
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _keep_the_connection_of_the_test() -> Iterator[None]:
    """A request ends by closing connections: here the one of the test. Django's own client does the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method.upper()} {one.path}")
def test_nothing_a_caller_sends_is_a_server_error(
    operation: schemathesis.APIOperation, now: datetime
) -> None:
    manager = UserFactory(role=User.Role.MANAGER)  # may call everything
    UserFactory()
    load_desk(now=now)
    handoffs = [offer(ready_lead(now=now), now=now) for _ in range(3)]
    rows = [_row_of(handoff, operation.path, now=now) for handoff in handoffs]
    token = issue_token(manager, name="schemathesis", scopes=ApiToken.Scope.values, now=timezone.now())
    turn = iter(range(10**6))

    @given(case=operation.as_strategy())
    @settings(
        max_examples=15,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def call(case: schemathesis.Case) -> None:
        # A number from nowhere is a 404 at best: three calls out of four go to a row that exists.
        number = next(turn) % 4
        if case.path_parameters and number < len(rows):
            case.path_parameters = dict.fromkeys(case.path_parameters, rows[number])
        response = case.call(headers={"Authorization": f"Bearer {token.secret}"})

        case.validate_response(response, checks=CHECKS)

    call()


def _row_of(handoff: Handoff, path: str, *, now: datetime) -> int:
    """The number in the address: of the lead, of marketing's task or dispute, else of the handoff itself."""
    if "/leads/" in path:
        return handoff.lead_id
    if "/tasks/" in path:
        Handoff.objects.filter(pk=handoff.pk).update(incomplete_at=now)
        open_gap_tasks(now=now)
        return MarketingTask.objects.get(handoff=handoff).pk
    if "/disputes/" in path:
        verdict = reject_handoff(
            handoff, reason=reason("premature"), by=handoff.owner, via=Verdict.Via.API, now=now
        )
        marketing = UserFactory(role=User.Role.MARKETING)
        return dispute_verdict(verdict, comment="They called", by=marketing, now=now).pk
    return handoff.pk


def test_every_address_of_the_contract_is_tried() -> None:
    assert {operation.path for operation in OPERATIONS} >= {
        "/api/v1/leads/",
        "/api/v1/leads/{id}/",
        "/api/v1/activities/",
        "/api/v1/tasks/{id}/complete/",
        "/api/v1/disputes/{id}/settle/",
        "/api/v1/handoffs/",
        "/api/v1/handoffs/{id}/",
        "/api/v1/handoffs/{id}/accept/",
        "/api/v1/handoffs/{id}/reject/",
        "/api/v1/handoffs/{id}/attempts/",
        "/api/v1/handoffs/{id}/qualify/",
        "/api/v1/sla/clocks/",
    }
