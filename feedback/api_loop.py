"""Closing the loop over the API: the check after a conversation, why it was accepted, marketing's tasks."""

from __future__ import annotations

from typing import Any

import django_filters
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayRead, MaySendLeads, MayWork
from accounts.models import User
from accounts.roles import signed_in_user
from common.api_problems import BAD_FIELDS, REFUSALS, ProblemSerializer
from feedback.acceptance import ACCEPTANCE_NOTE_LENGTH, explain_acceptance
from feedback.models import AcceptanceReason, MarketingTask, MarketingTaskQuerySet, QualityCheck
from feedback.quality import BEST_CONVERSATION, CHECK_NOTE_LENGTH, record_quality_check
from feedback.tasks_for_marketing import OUTCOME_LENGTH, complete_task
from handoffs.api import visible_handoffs
from leads.api import StrictSerializer

WRITTEN: dict[int, Any] = {
    400: BAD_FIELDS,
    409: ProblemSerializer,
    415: ProblemSerializer,
    422: ProblemSerializer,
    **REFUSALS,
}
MOST_DRIVERS_GIVEN = 50


def _user_field(**options: Any) -> serializers.SlugRelatedField[User]:
    return serializers.SlugRelatedField(slug_field="username", read_only=True, **options)


# --- After the conversation, and why it was accepted --------------------------------------------


class QualityInputSerializer(StrictSerializer):
    really_qualified = serializers.ChoiceField(choices=QualityCheck.Answer.choices)
    data_matched = serializers.ChoiceField(choices=QualityCheck.Answer.choices)
    timing_right = serializers.ChoiceField(choices=QualityCheck.Answer.choices)
    conversation = serializers.IntegerField(min_value=1, max_value=BEST_CONVERSATION)
    note = serializers.CharField(max_length=CHECK_NOTE_LENGTH, required=False, allow_blank=True, default="")


class QualityCheckSerializer(serializers.ModelSerializer[QualityCheck]):
    by = _user_field()

    class Meta:
        model = QualityCheck
        fields = (
            "handoff", "really_qualified", "data_matched", "timing_right", "conversation", "note", "by", "at",
        )  # fmt: skip
        read_only_fields = fields


class CheckQuality(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_quality_check",
        request=QualityInputSerializer,
        responses={200: QualityCheckSerializer, **WRITTEN},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say after the first conversation whether the lead was as promised. The last check counts."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        given = QualityInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        check = record_quality_check(
            handoff, **given.validated_data, by=signed_in_user(request), now=timezone.now()
        )
        return Response(QualityCheckSerializer(check).data)


class AcceptanceInputSerializer(StrictSerializer):
    """`drivers` are names of rules that drove the lead, as its package has them."""

    drivers = serializers.ListField(
        child=serializers.CharField(max_length=120),
        max_length=MOST_DRIVERS_GIVEN,
        required=False,
        default=list,
    )
    note = serializers.CharField(
        max_length=ACCEPTANCE_NOTE_LENGTH, required=False, allow_blank=True, default=""
    )


class AcceptanceReasonSerializer(serializers.ModelSerializer[AcceptanceReason]):
    by = _user_field()

    class Meta:
        model = AcceptanceReason
        fields = ("handoff", "drivers", "note", "by", "at")
        read_only_fields = fields


class ExplainAcceptance(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_acceptance_reason",
        request=AcceptanceInputSerializer,
        responses={200: AcceptanceReasonSerializer, **WRITTEN},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say what made the rep accept: drivers, a note, or both. The last answer counts."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        given = AcceptanceInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        reason = explain_acceptance(
            handoff, **given.validated_data, by=signed_in_user(request), now=timezone.now()
        )
        return Response(AcceptanceReasonSerializer(reason).data)


# --- Marketing's tasks --------------------------------------------------------------------------


class TaskSerializer(serializers.ModelSerializer[MarketingTask]):
    """`done_by` is null too for a task needed no more, as its rejection was undone or its handoff ended."""

    done_by = _user_field(allow_null=True)

    class Meta:
        model = MarketingTask
        fields = (
            "id", "kind", "lead", "handoff", "wanted", "created_at", "due_at", "done_at", "done_by",
            "outcome",
        )  # fmt: skip
        read_only_fields = fields


class TaskFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=MarketingTask.Kind.choices)
    open = django_filters.BooleanFilter(field_name="done_at", lookup_expr="isnull")


class TaskList(ListAPIView[MarketingTask]):
    """What marketing owes the leads that one may see, newest first."""

    serializer_class = TaskSerializer
    permission_classes = (MayRead,)
    filterset_class = TaskFilter
    queryset = MarketingTask.objects.all()

    def get_queryset(self) -> MarketingTaskQuerySet:
        return MarketingTask.objects.visible_to(signed_in_user(self.request)).select_related("done_by")


class CompleteInputSerializer(StrictSerializer):
    """`changes` are facts to correct by name, those of the company as "company.industry" and so on."""

    outcome = serializers.CharField(max_length=OUTCOME_LENGTH, help_text="What was done, in a few words.")
    changes = serializers.DictField(
        child=serializers.JSONField(), required=False, default=dict, help_text="Text, or a whole number."
    )


class CompleteTask(APIView):
    permission_classes = (MaySendLeads,)

    @extend_schema(
        operation_id="tasks_complete",
        request=CompleteInputSerializer,
        responses={200: TaskSerializer, **WRITTEN},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Correct the lead and settle the task; a lead returned for its data goes back to sales."""
        by = signed_in_user(request)
        task = get_object_or_404(MarketingTask.objects.visible_to(by).select_related("done_by"), pk=pk)
        given = CompleteInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        complete_task(task, **given.validated_data, by=by, now=timezone.now())
        return Response(TaskSerializer(task).data)
