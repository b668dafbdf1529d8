"""After NOTIFICATION_KEY got a new first key: seal everything with it, so that the old ones can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.connection import reseal_connection
from notifications.channels import reseal_channels
from notifications.sealing import CannotUnseal


class Command(BaseCommand):
    help = "Seal channels' addresses and the secret of Salesforce with the first key of NOTIFICATION_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = reseal_channels() + reseal_connection()
        except CannotUnseal as error:
            raise CommandError(f"{error} Or put the key it was sealed with back into the list.") from error
        self.stdout.write(f"{count} sealed with the first key. The others are no longer needed.")
