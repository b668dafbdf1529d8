"""A worker is killed -9 while it talks to the mail server: lost is nothing, and a copy can be told.

The mail server kills it: before it takes the message, or right after, when nobody is left to write that down.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from accounts.models import User
from handoff_portal.embedded_postgres import free_port
from handoffs.acknowledgement.sending import LEASE as LEASE_OF_ANSWERS
from handoffs.acknowledgement.sending import send_due_acknowledgements
from handoffs.models import Acknowledgement, AcknowledgementPolicy
from notifications.delivering import LEASE
from notifications.models import Delivery
from tests.desk import load_desk, offer, ready_lead
from tests.factories import NOON
from tests.killing import start_worker, was_killed
from tests.notifications.conftest import MailServer, serving
from tests.notifications.test_delivering import deliver_all, tell

pytestmark = pytest.mark.django_db(transaction=True)

NIGHT = datetime(2026, 3, 3, 22, 0, tzinfo=UTC)
DELIVER = "from notifications.delivering import deliver_due; deliver_due(now=datetime.fromisoformat('{now}'))"
ANSWER = (
    "from handoffs.acknowledgement.sending import send_due_acknowledgements;"
    "send_due_acknowledgements(now=datetime.fromisoformat('{now}'))"
)


class Assassin(MailServer):
    """Kills the worker at one point of the conversation, the first time it gets there."""

    kills_at = ""
    victim = 0

    def reach(self, point: str) -> None:
        if self.victim and point == self.kills_at:
            os.kill(self.victim, signal.SIGKILL)
            self.victim = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.reach("before")
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        self.reach("after")
        return answer


@pytest.fixture
def assassin() -> Iterator[Assassin]:
    server = Assassin(free_port())
    with serving(server):
        yield server


def run_until_killed(script: str, assassin: Assassin, *, now: datetime, kills_at: str) -> None:
    mail = {"EMAIL_URL": f"smtp://127.0.0.1:{assassin.port}"}
    worker = start_worker(script.format(now=now.isoformat()), mail)
    # It takes seconds until it talks to anybody.
    assassin.kills_at, assassin.victim = kills_at, worker.pid
    assert was_killed(worker)


@pytest.mark.parametrize(
    ("kills_at", "copies"), [("before", 1), ("after", 2)], ids=["before it is taken", "before it is recorded"]
)
def test_a_message_comes_once_or_twice_under_one_id(
    assassin: Assassin, bdr: User, kills_at: str, copies: int
) -> None:
    tell(bdr)
    run_until_killed(DELIVER, assassin, now=NOON, kills_at=kills_at)
    assert len(assassin.taken) == copies - 1

    deliver_all(now=NOON + LEASE)
    deliver_all(now=NOON + 2 * LEASE)

    assert len(assassin.taken) == copies
    assert len({message["Message-ID"] for _, message in assassin.taken}) == 1
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == (Delivery.Status.SENT, 2)


def test_an_answer_to_a_lead_comes_twice_at_most_and_under_one_id(
    assassin: Assassin, bdr: User, manager: User
) -> None:
    load_desk(now=NIGHT)
    AcknowledgementPolicy.objects.create(is_active=True, subject="Thanks", body="Thank you.")
    handoff = offer(ready_lead(now=NIGHT), now=NIGHT)
    run_until_killed(ANSWER, assassin, now=NIGHT, kills_at="after")

    for leases in (1, 2):
        send_due_acknowledgements(now=NIGHT + leases * LEASE_OF_ANSWERS)

    answers = [message for _, message in assassin.taken if message["Subject"] == "Thanks"]
    assert len(answers) == 2
    assert {message["Message-ID"] for message in answers} == {f"<acknowledgement-{handoff.pk}@localhost>"}
    assert Acknowledgement.objects.get().sent_at == NIGHT + LEASE_OF_ANSWERS
