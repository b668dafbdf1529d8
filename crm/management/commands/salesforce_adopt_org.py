"""Go on with another Salesforce org than the one that everything was exchanged with so far."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.adopting import adopt_organization
from crm.client import connected_client
from crm.connection import connection_state
from crm.ids import full_id
from crm.problems import SalesforceError
from notifications.sealing import CannotUnseal


class Command(BaseCommand):
    help = (
        "Signing in to another org stops the exchange in both directions. To go back, enter the former org's "
        "address again. To go on with the new one, name its id here: what is known of the former org's "
        "records is forgotten, and every lead is sent anew."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", nargs="?", default="", help="The id of the new org: 00D…")

    def handle(self, *, organization: str, **options: Any) -> None:
        new, known = _signed_in_to(), connection_state().organization_id
        if new == known:
            self.stdout.write(f"We are signed in to {known}, the org that everything is exchanged with.")
            return
        if full_id(organization) != new:
            raise CommandError(
                f"We are signed in to {new}, and everything was exchanged with {known}. To forget that one "
                f"and send all leads to the new one: salesforce_adopt_org {new}"
            )
        leads = adopt_organization(new, now=timezone.now())
        self.stdout.write(
            f"{new} is the org now. {leads:,} leads will be sent to it. Choose the queues of the pools anew, "
            "and go through the check-list of the connection."
        )


def _signed_in_to() -> str:
    """The org that our credentials lead to, admitted or not."""
    try:
        client = connected_client()
    except CannotUnseal as error:
        raise CommandError(str(error)) from None
    if client is None:
        raise CommandError("No Salesforce is connected. Set SALESFORCE_URL, or use the connection page.")
    try:
        client.sign_in()
    except SalesforceError as error:
        if error.problem.code != "ANOTHER_ORG":
            raise CommandError(error.problem.in_plain_words) from None
    if not client.organization_id:
        raise CommandError("Salesforce does not say which org this is.")
    return full_id(client.organization_id)
