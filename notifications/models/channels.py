"""Ways out of the portal besides e-mail."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User

MAY_KEEP_SHARED_ONES = (User.Role.OPERATOR, User.Role.MANAGER)


class ChannelQuerySet(models.QuerySet["Channel"]):
    def visible_to(self, user: User) -> Self:
        """Everybody their own; operators and managers the shared ones too."""
        mine = Q(person=user)
        if user.role in MAY_KEEP_SHARED_ONES or user.is_superuser:
            mine |= Q(person=None)
        return self.filter(mine)

    def visible_in_log(self, user: User) -> Self:
        """By name only: operators and managers see what everybody uses."""
        if user.role in MAY_KEEP_SHARED_ONES or user.is_superuser:
            return self
        return self.filter(person=user)

    def kept(self) -> Self:
        return self.filter(removed_at=None)

    def usable(self) -> Self:
        return self.kept().filter(is_active=True)

    def shared(self) -> Self:
        """Those that pools post to."""
        return self.filter(person=None)

    def failing(self) -> Self:
        return self.kept().exclude(failing_since=None)


class Channel(models.Model):
    """A way out of the portal: somebody's own Slack, Teams, SMS and so on, or one that pools post to.

    The address holds secrets. It is sealed (notifications.sealing), read only to send, and never shown again.
    A removed channel stays for the log, without its address.
    """

    name = models.CharField(max_length=80)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="channels",
        help_text="Whose it is. Nobody: pools may post to it.",
    )
    service = models.CharField(max_length=40, editable=False)
    sealed_address = models.BinaryField(editable=False)
    ending = models.CharField(max_length=4, blank=True, editable=False, help_text="To recognise it by.")
    is_active = models.BooleanField("in use", default=True)
    created_at = models.DateTimeField(editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=200, blank=True, editable=False)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(sealed_address=b"", is_active=False),
                name="channel_removed_keeps_no_address",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.recognised_by})"

    @property
    def recognised_by(self) -> str:
        """'Slack, ends in …x4Qz': as much of the address as is ever shown."""
        return f"{self.service}, ends in …{self.ending}" if self.ending else self.service
