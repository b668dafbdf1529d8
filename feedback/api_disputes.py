"""Disputes over the API: marketing contradicts a rejection, a manager settles it (FEED-4)."""

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
from common.api import NewestFirstPagination
from feedback.api_loop import WRITTEN
from feedback.disputes import COMMENT_LENGTH, NothingToDispute, dispute_verdict, settle_dispute
from feedback.models import Dispute, DisputeQuerySet, Verdict
from handoffs.api import visible_handoffs
from leads.api import StrictSerializer

SHOWN = ("verdict__reason", "verdict__by", "by", "settled_by")


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    """Who contradicts which rejection, by when a manager should have settled it, and how that went."""

    lead = serializers.IntegerField(source="verdict.lead_id", read_only=True)
    handoff = serializers.IntegerField(source="verdict.handoff_id", read_only=True)
    reason = serializers.CharField(source="verdict.reason.code", read_only=True)
    rejected_by = serializers.CharField(source="verdict.by.username", read_only=True)
    outcome = serializers.ChoiceField([("", "Not settled yet"), *Dispute.Outcome.choices], read_only=True)
    by: serializers.SlugRelatedField[User] = serializers.SlugRelatedField(
        slug_field="username", read_only=True
    )
    settled_by: serializers.SlugRelatedField[User] = serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True
    )

    class Meta:
        model = Dispute
        fields = (
            "id", "lead", "handoff", "reason", "rejected_by", "comment", "by", "at", "due_at", "outcome",
            "settlement", "settled_by", "settled_at",
        )  # fmt: skip
        read_only_fields = fields


class DisputeFilter(django_filters.FilterSet):
    open = django_filters.BooleanFilter(field_name="settled_at", lookup_expr="isnull")
    outcome = django_filters.ChoiceFilter(choices=Dispute.Outcome.choices)


class DisputePagination(NewestFirstPagination):
    ordering = ("-at", "-id")


class DisputeList(ListAPIView[Dispute]):
    """The disputes over handoffs that one may see, newest first."""

    serializer_class = DisputeSerializer
    permission_classes = (MayRead,)
    filterset_class = DisputeFilter
    pagination_class = DisputePagination
    queryset = Dispute.objects.all()

    def get_queryset(self) -> DisputeQuerySet:
        return Dispute.objects.visible_to(signed_in_user(self.request)).select_related(*SHOWN)


class DisputeInputSerializer(StrictSerializer):
    comment = serializers.CharField(max_length=COMMENT_LENGTH, help_text="Why this lead was good.")


class DisputeRejection(APIView):
    permission_classes = (MaySendLeads,)

    @extend_schema(
        operation_id="handoffs_dispute",
        request=DisputeInputSerializer,
        responses={200: DisputeSerializer, **WRITTEN},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Contradict the rejection of a handoff, as marketing; doing it again in the same words changes
        nothing."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        given = DisputeInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        verdict = Verdict.objects.standing().filter(handoff=handoff).select_related("reason", "by").first()
        if verdict is None:
            raise NothingToDispute("No rejection of this handoff stands: there is nothing to dispute.")
        dispute = dispute_verdict(
            verdict, **given.validated_data, by=signed_in_user(request), now=timezone.now()
        )
        return Response(DisputeSerializer(dispute).data)


class SettleInputSerializer(StrictSerializer):
    outcome = serializers.ChoiceField(choices=Dispute.Outcome.choices)
    settlement = serializers.CharField(
        max_length=COMMENT_LENGTH, required=False, allow_blank=True, default="", help_text="What was said."
    )


class SettledDisputeSerializer(DisputeSerializer):
    """`given_back_as` is the new handoff of a lead that was good; null when the rejection stands, or when
    the lead is with sales already."""

    given_back_as = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta(DisputeSerializer.Meta):
        fields: Any = (*DisputeSerializer.Meta.fields, "given_back_as")
        read_only_fields = fields


class SettleDispute(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="disputes_settle",
        request=SettleInputSerializer,
        responses={200: SettledDisputeSerializer, **WRITTEN},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide, as a manager, who was right; a lead that was good goes to sales again at once."""
        by = signed_in_user(request)
        dispute = get_object_or_404(Dispute.objects.visible_to(by).select_related(*SHOWN), pk=pk)
        given = SettleInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        handoff = settle_dispute(dispute, **given.validated_data, by=by, now=timezone.now())
        answer = DisputeSerializer(dispute).data
        return Response({**answer, "given_back_as": handoff.pk if handoff else None})
