"""/api/v1/sla/incidents/ and who lost the time of a clock (SLA-7)."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayRead
from accounts.roles import signed_in_user
from common.api import NewestFirstPagination
from sla.attribution import Loss
from sla.models import Clock, Incident
from sla.time_lost import WORDS, tell_time_lost


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    declared_by = serializers.CharField(source="declared_by.username", read_only=True)
    is_settled = serializers.SerializerMethodField(
        help_text="False: some of its clocks are still to be done."
    )

    class Meta:
        model = Incident
        fields = (
            "id", "what", "started_at", "ended_at", "declared_at", "declared_by", "withdrawn_at", "excused",
            "is_settled",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_settled(self, incident: Incident) -> bool:
        return incident.pending_at is None


class IncidentPagination(NewestFirstPagination):
    ordering = ("-started_at", "-id")


class IncidentList(generics.ListAPIView[Incident]):
    """Outages that were declared, latest first. One declared in error is withdrawn and moved nothing."""

    serializer_class = IncidentSerializer
    pagination_class = IncidentPagination
    permission_classes = (MayRead,)
    queryset = Incident.objects.select_related("declared_by")


class TimeLostSerializer(serializers.Serializer[dict[str, Any]]):
    """Whole seconds; all but `scoring` add up to `seconds`."""

    clock = serializers.IntegerField()
    seconds = serializers.IntegerField(help_text="From the start of the promise until it was done, or now.")
    is_in_working_time = serializers.BooleanField(help_text="False: counted around the clock.")
    scoring = serializers.IntegerField(help_text="Before it: from the lead's last activity to the handoff.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        parts = {loss.value: serializers.IntegerField(help_text=WORDS[loss][1]) for loss in Loss}
        return super().get_fields() | parts


class TimeLost(APIView):
    permission_classes = (MayRead,)

    @extend_schema(operation_id="sla_clock_time_lost", responses={200: TimeLostSerializer})
    def get(self, request: Request, pk: int) -> Response:
        """What the time of a clock went to: who could have acted, and what stood in the way."""
        visible = Clock.objects.visible_to(signed_in_user(request))
        lost = tell_time_lost(get_object_or_404(visible, pk=pk), now=timezone.now())
        return Response(
            {
                "clock": pk,
                "seconds": lost.seconds,
                "is_in_working_time": lost.in_working_time,
                "scoring": lost.scoring_seconds,
                **dict.fromkeys((loss.value for loss in Loss), 0),
                **{part.loss.value: part.seconds for part in lost.parts},
            }
        )
