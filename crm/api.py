"""GET /api/v1/salesforce/standing/: the figures of the operators' page, for machines."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayRead
from accounts.roles import signed_in_user
from common.api_problems import ProblemSerializer
from crm.standing import Cause, LaneStanding, Reading, Standing, read_standing
from crm.views.roles import may_watch


class LaneSerializer(serializers.Serializer[LaneStanding]):
    lane = serializers.CharField(source="lane.name", help_text="HANDOFF first, LATER as calls allow.")
    waiting = serializers.IntegerField()
    retrying = serializers.IntegerField(help_text="Of them tried before, waiting for the next try.")
    oldest_at = serializers.DateTimeField(allow_null=True, help_text="The first change not confirmed yet.")


class ReadingSerializer(serializers.Serializer[Reading]):
    object = serializers.CharField(source="cursor.object_name")
    read_up_to = serializers.DateTimeField(
        source="cursor.cursor", allow_null=True, help_text="By Salesforce's clock."
    )
    succeeded_at = serializers.DateTimeField(source="cursor.succeeded_at", allow_null=True)
    is_silent = serializers.BooleanField(help_text="No poll read for a quarter of an hour, or ever.")


class CauseSerializer(serializers.Serializer[Cause]):
    code = serializers.CharField(help_text="Salesforce's.")
    title = serializers.CharField(source="mending.title")
    leads = serializers.IntegerField(source="count")
    since = serializers.DateTimeField()
    example = serializers.CharField(source="words", help_text="In plain words, of one of the leads.")


class BudgetSerializer(serializers.Serializer[Any]):
    """API calls of the last 24 hours."""

    allowed = serializers.IntegerField(help_text="Of the whole org.")
    used = serializers.IntegerField(help_text="By everybody.")
    share = serializers.IntegerField(help_text="What the portal may use.")
    used_by_us = serializers.IntegerField()
    kept_for_handoffs = serializers.IntegerField()
    told_at = serializers.DateTimeField(allow_null=True)


class StandingSerializer(serializers.Serializer[Standing]):
    is_connected = serializers.BooleanField()
    is_paused = serializers.BooleanField(help_text="After failures that are no lead's own fault.")
    is_silent = serializers.BooleanField(help_text="Leads were not read for a quarter of an hour.")
    error = serializers.CharField(source="connection.error", help_text="Why it is paused; else blank.")
    last_sent_at = serializers.DateTimeField(source="connection.last_pushed_at", allow_null=True)
    last_read_at = serializers.DateTimeField(source="heard_at", allow_null=True)
    oldest_waiting_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    parked = serializers.IntegerField(help_text="Leads that wait for a person.")
    unread = serializers.IntegerField(
        source="unread.count", help_text="Records of Salesforce that could not be taken over."
    )
    lanes = LaneSerializer(many=True)
    readings = ReadingSerializer(many=True)
    causes = CauseSerializer(many=True)
    budget = BudgetSerializer(allow_null=True)
    spent_at = serializers.DateTimeField(
        source="forecast.spent_at",
        default=None,
        allow_null=True,
        help_text="When the share is used up at the pace of late.",
    )


class StandingView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="salesforce_standing",
        responses={200: StandingSerializer, 401: ProblemSerializer, 403: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        """Does the exchange with Salesforce flow, and what waits? For operators and managers."""
        if not may_watch(signed_in_user(request)):
            raise PermissionDenied("Only operators and managers may read how the exchange stands.")
        return Response(StandingSerializer(read_standing(now=timezone.now())).data)
