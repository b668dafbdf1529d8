"""POST /api/v1/handoffs/<id>/reject/: sales returns a lead, with its reason."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayRead, MayWork
from accounts.models import User
from accounts.roles import signed_in_user
from common.api_problems import BAD_FIELDS, REFUSALS, ProblemSerializer
from common.errors import InvalidInput
from feedback.duplicates import lead_of_address
from feedback.models import RejectionReason, Verdict
from feedback.services import NOTE_LENGTH, reject_handoff
from handoffs.api import visible_handoffs
from leads.api import StrictSerializer
from leads.models import Lead


class RejectInputSerializer(StrictSerializer):
    """`reason` is the code of an active reason; some ask for a note, for the other lead, or for attempts to
    reach this one that must be logged before."""

    reason = serializers.CharField(max_length=40, required=False, allow_blank=True, allow_null=True)
    note = serializers.CharField(max_length=NOTE_LENGTH, required=False, allow_blank=True, default="")
    duplicate_of = serializers.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        allow_null=True,
        help_text="Id of the other lead, among those one may see.",
    )
    duplicate_email = serializers.CharField(
        max_length=254,
        required=False,
        allow_blank=True,
        default="",
        help_text="Or its e-mail address, whoever has it.",
    )


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    """The rejection as it is kept, where the lead stands now, and when it is looked at again by itself."""

    reason: serializers.SlugRelatedField[RejectionReason] = serializers.SlugRelatedField(
        slug_field="code", read_only=True
    )
    by: serializers.SlugRelatedField[User] = serializers.SlugRelatedField(
        slug_field="username", read_only=True
    )
    status = serializers.CharField(source="handoff.status", read_only=True)
    stage = serializers.CharField(source="lead.stage", read_only=True)
    wake_at = serializers.DateTimeField(
        source="recycling.wake_at", default=None, read_only=True, allow_null=True
    )

    class Meta:
        model = Verdict
        fields = (
            "id", "handoff", "status", "lead", "stage", "reason", "note", "duplicate_of", "by", "at", "via",
            "wake_at",
        )  # fmt: skip
        read_only_fields = fields


class ReasonSerializer(serializers.ModelSerializer[RejectionReason]):
    """A reason with what it asks for and what follows from it, as the reject dialog shows it."""

    consequence = serializers.CharField(source="promise", read_only=True)

    class Meta:
        model = RejectionReason
        fields = (
            "code", "label", "type", "treatment", "consequence", "recycle_after_days", "fit_fields",
            "requires_attempts", "requires_note", "requires_duplicate", "tells_marketing",
        )  # fmt: skip
        read_only_fields = fields


class ReasonList(ListAPIView[RejectionReason]):
    """The reasons in use, in the order of the reject dialog."""

    serializer_class = ReasonSerializer
    permission_classes = (MayRead,)
    pagination_class = None
    queryset = RejectionReason.objects.filter(is_active=True)


class RejectHandoff(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_reject",
        request=RejectInputSerializer,
        responses={
            200: VerdictSerializer,
            400: BAD_FIELDS,
            409: ProblemSerializer,
            415: ProblemSerializer,
            422: ProblemSerializer,
            **REFUSALS,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Return a lead to marketing. Impossible without a reason; doing it again changes nothing."""
        by = signed_in_user(request)
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        given = RejectInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data: dict[str, Any] = given.validated_data
        verdict = reject_handoff(
            handoff,
            reason=_find_reason(data.get("reason")),
            note=data["note"],
            duplicate_of=_find_duplicate(data.get("duplicate_of"), email=data["duplicate_email"], by=by),
            by=by,
            via=Verdict.Via.API,
            now=timezone.now(),
        )
        return Response(VerdictSerializer(verdict).data)


def _find_reason(code: str | None) -> RejectionReason | None:
    """The reason of this code; giving none is for the verb to refuse. Raises InvalidInput."""
    if not code:
        return None
    reasons = {reason.code: reason for reason in RejectionReason.objects.filter(is_active=True)}
    if code not in reasons:
        raise InvalidInput(f"There is no such reason. Use one of: {', '.join(reasons)}.", field="reason")
    return reasons[code]


def _find_duplicate(lead_id: int | None, *, email: str, by: User) -> Lead | None:
    """The other lead: by its id, if the person may see it, or by its address. Raises InvalidInput."""
    if lead_id is None:
        return lead_of_address(email, field="duplicate_email") if email else None
    lead = Lead.objects.visible_to(by).filter(pk=lead_id).first()
    if lead is None:
        raise InvalidInput("There is no such lead. Name another's by its address.", field="duplicate_of")
    return lead
