"""After acceptance over the API: take the acceptance back, plan the next contact."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayWork
from accounts.roles import signed_in_user
from common.api_problems import BAD_FIELDS, REFUSALS, ProblemSerializer
from handoffs.api import HandoffSerializer, answer_handoff, visible_handoffs
from handoffs.contact.planning import PLAN_NOTE_LENGTH, plan_contact
from handoffs.models import Attempt, Handoff
from handoffs.undo import undo_acceptance
from leads.api import StrictSerializer


class UndoAcceptance(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_accept_undo",
        request=None,
        responses={200: HandoffSerializer, 409: ProblemSerializer, **REFUSALS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take an acceptance back within seconds, if nothing has happened since; 409 says what has."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        return answer_handoff(undo_acceptance(handoff, by=signed_in_user(request), now=timezone.now()))


class PlanInputSerializer(StrictSerializer):
    """When and how to try next. `at` null takes the plan away."""

    at = serializers.DateTimeField(allow_null=True)
    channel = serializers.ChoiceField(choices=Attempt.Channel.choices, required=False, default="")
    note = serializers.CharField(max_length=PLAN_NOTE_LENGTH, required=False, allow_blank=True, default="")


class PlanSerializer(serializers.ModelSerializer[Handoff]):
    """The plan as it is kept; `at` null: nothing is planned."""

    at = serializers.DateTimeField(source="planned_contact_at", read_only=True, allow_null=True)
    channel = serializers.CharField(source="planned_channel", read_only=True)
    note = serializers.CharField(source="planned_note", read_only=True)

    class Meta:
        model = Handoff
        fields = ("id", "at", "channel", "note")
        read_only_fields = fields


class PlanContact(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_plan",
        request=PlanInputSerializer,
        responses={
            200: PlanSerializer,
            400: BAD_FIELDS,
            409: ProblemSerializer,
            415: ProblemSerializer,
            422: ProblemSerializer,
            **REFUSALS,
        },
    )
    def put(self, request: Request, pk: int) -> Response:
        """Plan the next contact, in place of what was planned. It is no promise: no clock runs."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        given = PlanInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        plan_contact(handoff, **given.validated_data, by=signed_in_user(request), now=timezone.now())
        return Response(PlanSerializer(handoff).data)
