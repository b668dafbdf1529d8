"""GET /api/v1/sla/compliance/: the figures of the page, for machines (SLA-9)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayRead
from accounts.roles import signed_in_user
from common.patience import at_most
from sla.figures.cohorts import Grouping
from sla.figures.compliance import TIMED, measure_all
from sla.figures.forms import CATEGORY_NOT_KNOWN, ComplianceFilter
from sla.figures.table import as_values, speed_names
from sla.figures.views import SECONDS, TOO_MUCH
from sla.models import Clock, Target


class FiguresSerializer(serializers.Serializer[dict[str, float | None]]):
    """How some promises went. Shares lie between 0 and 1; null: there was nothing to count."""

    kept = serializers.IntegerField()
    missed = serializers.IntegerField()
    compliance = serializers.FloatField(allow_null=True, help_text="Kept, of those kept or missed.")
    undecided = serializers.IntegerField(help_text="Running and not due yet.")
    fell_away = serializers.IntegerField(help_text="Cancelled in time; these count neither way.")
    handoffs = serializers.IntegerField(help_text="With a promise kept or missed.")
    handoffs_breached = serializers.IntegerField(help_text="With at least one promise missed.")
    breach_rate = serializers.FloatField(allow_null=True, help_text="Breached handoffs, of these handoffs.")
    average_attempts = serializers.FloatField(allow_null=True, help_text="Of handoffs that were contacted.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for kind in TIMED:
            done, *seconds = speed_names(kind)
            fields[done] = serializers.IntegerField()
            fields |= {name: serializers.IntegerField(allow_null=True) for name in seconds}
        return fields


class GroupSerializer(FiguresSerializer):
    group = serializers.CharField(help_text="The rep, team, category, source, target or first day of a week.")


class ComplianceSerializer(serializers.Serializer[dict[str, Any]]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    by = serializers.ChoiceField([(each.value, each.value) for each in Grouping])
    total = FiguresSerializer()
    groups = GroupSerializer(many=True)


def _asks(name: str, words: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, description=words, required=False, **options)


class Compliance(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="sla_compliance",
        parameters=[
            _asks("since", "First day on which promises were made, such as 2026-03-01; 30 days back."),
            _asks("until", "Last day; today. At most a year after the first."),
            _asks("team", "Number of a team.", type=int),
            _asks("owner", "Number of a rep.", type=int),
            _asks("category", f"A, B or C; {CATEGORY_NOT_KNOWN} for promises without one."),
            _asks("source", "Source of the lead, in capitals or not."),
            _asks("kind", "One target.", enum=Target.Kind.values),
            _asks("incidents", "Count what an incident excused as missed.", enum=["counted"]),
            _asks("by", "What the groups are; rep.", enum=[each.value for each in Grouping]),
        ],
        responses={200: ComplianceSerializer},
    )
    def get(self, request: Request) -> Response:
        """How the promises of a period were kept, of the clocks one may see: in all and group by group."""
        now, zone = timezone.now(), timezone.get_current_timezone()
        asked = ComplianceFilter(request.query_params, now=now)
        if not asked.is_valid():
            raise serializers.ValidationError(
                {name: [str(error) for error in errors] for name, errors in asked.errors.items()}
            )
        clocks = Clock.objects.visible_to(signed_in_user(request))
        question, by = asked.question, asked.grouping
        with at_most(SECONDS, otherwise=TOO_MUCH):
            found = measure_all(clocks, question, by=(by,), zone=zone, now=now)
        return Response(
            {
                "since": question.since,
                "until": question.until,
                "by": by,
                "total": as_values(found.total),
                "groups": [{"group": group.label} | as_values(group.figures) for group in found.groups[by]],
            }
        )
