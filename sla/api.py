"""GET /api/v1/sla/clocks/: the clocks a caller may see, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_filters.fields import IsoDateTimeField
from drf_spectacular.utils import extend_schema_field
from rest_framework import generics, serializers

from accounts.authentication import MayRead
from accounts.roles import signed_in_user
from common.api import NewestFirstPagination
from common.ids import IdFilter
from sla.models import Clock, ClockQuerySet, Target


class ClockSerializer(serializers.ModelSerializer[Clock]):
    """One clock. `state` and `breached_at` are exact at the moment of the answer."""

    handoff = serializers.IntegerField(source="handoff_id")
    owner = serializers.CharField(source="owner.username", default=None, read_only=True, allow_null=True)
    team = serializers.CharField(source="team.name", default=None, read_only=True, allow_null=True)
    policy = serializers.CharField(source="policy_name")
    state = serializers.SerializerMethodField()
    breached_at = serializers.SerializerMethodField()
    cause = serializers.ChoiceField(choices=Clock.Cause.choices, allow_blank=True, read_only=True)

    class Meta:
        model = Clock
        fields = (
            "id", "handoff", "lead", "kind", "owner", "team", "policy", "mode", "minutes", "state", "outcome",
            "attempts_needed", "max_pause_minutes", "started_at", "due_at", "warn_at", "paused_at",
            "resume_at", "stopped_at", "breached_at", "breach_recorded_at", "wall_seconds",
            "business_seconds", "cause", "reviewed_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Clock.State.choices))
    def get_state(self, clock: Clock) -> str:
        return clock.state(self.context["now"]).value

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_breached_at(self, clock: Clock) -> str | None:
        """The deadline, if it was missed."""
        return clock.due_at.isoformat() if clock.is_late(self.context["now"]) else None


class InstantField(IsoDateTimeField):
    """A time in UTC. Python takes offsets up to 23:59, PostgreSQL only those that exist on Earth."""

    def to_python(self, value: object) -> datetime | None:
        try:
            moment: datetime | None = super().to_python(value)
            return moment.astimezone(UTC) if moment else None
        except OverflowError as error:
            raise ValidationError("Give a time such as 2026-03-03T14:05:00Z.") from error


class InstantFilter(django_filters.IsoDateTimeFilter):
    field_class = InstantField


class ClockFilter(django_filters.FilterSet):
    STATES = [
        ("running", "Running"), ("late", "Running and late"), ("at_risk", "At risk"), ("done", "Done"),
        ("cancelled", "Cancelled"), ("missed", "Missed, running or not"),
    ]  # fmt: skip

    state = django_filters.ChoiceFilter(choices=STATES, method="filter_state")
    kind = django_filters.ChoiceFilter(choices=Target.Kind.choices)
    handoff = IdFilter("handoff_id", of="handoff")
    lead = IdFilter("lead_id", of="lead")
    owner = django_filters.CharFilter(field_name="owner__username")
    due_before = InstantFilter(field_name="due_at", lookup_expr="lt")
    due_after = InstantFilter(field_name="due_at", lookup_expr="gte")

    def filter_state(self, clocks: ClockQuerySet, name: str, value: str) -> ClockQuerySet:
        now = timezone.now()
        match value:
            case "late":
                return clocks.late(now)
            case "at_risk":
                return clocks.at_risk(now)
            case "missed":
                return clocks.missed(now)
            case outcome:
                return clocks.filter(outcome=outcome)


class ClockPagination(NewestFirstPagination):
    ordering = ("-started_at", "-id")


class ClockList(generics.ListAPIView[Clock]):
    serializer_class = ClockSerializer
    filterset_class = ClockFilter
    pagination_class = ClockPagination
    permission_classes = (MayRead,)
    queryset = Clock.objects.all()

    def get_queryset(self) -> ClockQuerySet:
        return Clock.objects.visible_to(signed_in_user(self.request)).select_related("owner", "team")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": timezone.now()}
