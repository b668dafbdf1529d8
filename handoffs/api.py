"""Leads and handoffs over the API: send a lead, see what became of it, and work the handoff."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayRead, MaySendLeads, MayWork
from accounts.models import User
from accounts.roles import signed_in_user
from common.api_problems import BAD_FIELDS, REFUSALS, ProblemSerializer
from common.ids import IdFilter
from handoffs.arrivals import Arrival, take_lead
from handoffs.contact.services import (
    ATTEMPT_NOTE_LENGTH,
    EVIDENCE_LENGTH,
    BantAnswers,
    qualify_handoff,
    record_attempt,
)
from handoffs.models import Attempt, Handoff, HandoffQuerySet, Pool, Qualification
from handoffs.services import accept_handoff
from leads.api import LeadInputSerializer, StrictSerializer, read_lead_input
from leads.idempotency import HEADER, idempotent
from leads.models import Lead, LeadQuerySet
from scoring.models import LeadScore

VIA = "api"
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER, str, OpenApiParameter.HEADER, description="The same key twice is answered as the first time."
)


# --- Leads --------------------------------------------------------------------------------------


class ScoreSerializer(serializers.ModelSerializer[LeadScore]):
    class Meta:
        model = LeadScore
        fields = ("total", "fit", "engagement", "category", "warmth", "qualifies")
        read_only_fields = fields


_answer_score = ScoreSerializer().to_representation


class OpenHandoffSerializer(serializers.ModelSerializer[Handoff]):
    owner: serializers.SlugRelatedField[User] = serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True
    )
    due_at = serializers.DateTimeField(
        source="next_due_at", read_only=True, allow_null=True, help_text="The rep's next SLA target."
    )

    class Meta:
        model = Handoff
        fields = ("id", "status", "owner", "due_at")
        read_only_fields = fields


class LeadSerializer(serializers.ModelSerializer[Lead]):
    """A lead, its score, and the handoff it is in now; null where there is none."""

    name = serializers.CharField(read_only=True)
    company = serializers.CharField(source="company.name", default="", read_only=True)
    score = serializers.SerializerMethodField()
    handoff = serializers.SerializerMethodField()

    class Meta:
        model = Lead
        fields = (
            "id", "public_id", "email", "name", "title", "company", "country", "source", "campaign",
            "language", "product_line", "deal_size", "stage", "created_at", "last_activity_at", "score",
            "handoff",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ScoreSerializer(allow_null=True))
    def get_score(self, lead: Lead) -> dict[str, Any] | None:
        score = getattr(lead, "score", None)
        return _answer_score(score) if score else None

    @extend_schema_field(OpenHandoffSerializer(allow_null=True))
    def get_handoff(self, lead: Lead) -> dict[str, Any] | None:
        handoffs: list[Handoff] = lead.open_handoffs  # type: ignore[attr-defined]
        return OpenHandoffSerializer(handoffs[0]).data if handoffs else None


# One for all answers: it keeps nothing of what it writes, and making its fields takes longer than using them.
answer_lead = LeadSerializer().to_representation


class LeadFilter(django_filters.FilterSet):
    stage = django_filters.ChoiceFilter(choices=Lead.Stage.choices)
    email = django_filters.CharFilter(lookup_expr="iexact")
    source = django_filters.CharFilter()


def _with_standing(leads: LeadQuerySet) -> LeadQuerySet:
    """Everything LeadSerializer names, in two queries whatever the number of leads."""
    open_handoffs = Handoff.objects.open().with_next_due().select_related("owner")
    return leads.select_related("company", "score").prefetch_related(
        Prefetch("handoffs", queryset=open_handoffs, to_attr="open_handoffs")
    )


def _as_at_hand(arrival: Arrival) -> Lead:
    """As _with_standing, for a new lead that was not handed off: there is nothing to read about it."""
    lead = arrival.lead
    Lead._meta.get_field("score").set_cached_value(lead, arrival.score)
    lead.open_handoffs = []  # type: ignore[attr-defined]
    return lead


class LeadList(ListAPIView[Lead]):
    """The leads one may see, newest first, and the intake of a lead."""

    serializer_class = LeadSerializer
    filterset_class = LeadFilter
    queryset = Lead.objects.all()

    def get_permissions(self) -> list[BasePermission]:
        return [MaySendLeads() if self.request.method == "POST" else MayRead()]

    def get_queryset(self) -> LeadQuerySet:
        return _with_standing(Lead.objects.visible_to(signed_in_user(self.request)))

    @extend_schema(
        request=LeadInputSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: LeadSerializer,
            200: LeadSerializer,
            400: BAD_FIELDS,
            413: ProblemSerializer,
            415: ProblemSerializer,
            422: ProblemSerializer,
            **{code: REFUSALS[code] for code in (401, 403, 429)},
        },
    )
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Record a lead, score it, and hand it to sales if it is due: 201 for a new one, 200 if it merged."""
        now = timezone.now()
        facts = read_lead_input(request, now=now)
        arrival = take_lead(facts, via=VIA, by=signed_in_user(request), now=now)
        if arrival.created and not arrival.is_with_sales:
            lead = _as_at_hand(arrival)
        else:
            lead = self.get_queryset().get(pk=arrival.lead.pk)
        return Response(
            answer_lead(lead), status=status.HTTP_201_CREATED if arrival.created else status.HTTP_200_OK
        )


class LeadDetail(RetrieveAPIView[Lead]):
    serializer_class = LeadSerializer
    permission_classes = (MayRead,)
    queryset = Lead.objects.all()

    def get_queryset(self) -> LeadQuerySet:
        return _with_standing(Lead.objects.visible_to(signed_in_user(self.request)))


# --- Handoffs -----------------------------------------------------------------------------------


class HandedLeadSerializer(serializers.ModelSerializer[Lead]):
    name = serializers.CharField(read_only=True)
    company = serializers.CharField(source="company.name", default="", read_only=True)

    class Meta:
        model = Lead
        fields = ("id", "public_id", "name", "email", "title", "company", "stage")
        read_only_fields = fields


class DriverSerializer(serializers.Serializer[Any]):
    """A rule that gave many points at the time of the handoff."""

    name = serializers.CharField()
    points = serializers.IntegerField()
    count = serializers.IntegerField()
    last_at = serializers.DateTimeField(allow_null=True)


class HandoffSerializer(serializers.ModelSerializer[Handoff]):
    """One offer of a lead to sales. `due_at` is the rep's next SLA target; null: none is running."""

    lead = HandedLeadSerializer(read_only=True)
    owner: serializers.SlugRelatedField[User] = serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True
    )
    pool: serializers.SlugRelatedField[Pool] = serializers.SlugRelatedField(slug_field="name", read_only=True)
    due_at = serializers.DateTimeField(source="next_due_at", read_only=True, allow_null=True)
    due_kind = serializers.CharField(source="next_due_kind", read_only=True, allow_null=True)
    rejection_code = serializers.CharField(read_only=True, help_text="Blank unless it was rejected.")
    drivers = DriverSerializer(many=True, read_only=True)

    class Meta:
        model = Handoff
        fields: tuple[str, ...] = (
            "id", "public_id", "lead", "status", "owner", "pool", "trigger", "score", "category", "warmth",
            "drivers", "is_returning", "created_at", "offered_at", "opened_at", "accepted_at",
            "first_contact_at", "qualified_at", "closed_at", "rejection_code", "due_at", "due_kind",
        )  # fmt: skip
        read_only_fields = fields


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    by: serializers.SlugRelatedField[User] = serializers.SlugRelatedField(
        slug_field="username", read_only=True
    )

    class Meta:
        model = Attempt
        fields = ("id", "channel", "outcome", "note", "by", "at")
        read_only_fields = fields


class QualificationSerializer(serializers.ModelSerializer[Qualification]):
    class Meta:
        model = Qualification
        fields = (
            "budget", "budget_evidence", "authority", "authority_evidence", "need", "need_evidence",
            "timeline", "timeline_evidence", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class HandoffDetailSerializer(HandoffSerializer):
    """With what the rep was given to read, frozen at the handoff, and what they did since."""

    package = serializers.DictField(source="package.content", default=None, read_only=True, allow_null=True)
    missing = serializers.ListField(
        source="package.missing", child=serializers.CharField(), default=[], read_only=True
    )
    completeness = serializers.IntegerField(
        source="package.completeness",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="Per cent of the required facts that were known at the handoff.",
    )
    content_hash = serializers.CharField(
        source="package.content_hash",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="SHA-256 of the package as canonical JSON: keys in order, no spaces, UTF-8.",
    )
    attempts = AttemptSerializer(many=True, read_only=True)
    qualification = QualificationSerializer(default=None, read_only=True, allow_null=True)

    class Meta(HandoffSerializer.Meta):
        fields = (
            *HandoffSerializer.Meta.fields, "package", "missing", "completeness", "content_hash", "attempts",
            "qualification", "planned_contact_at", "planned_channel", "planned_note",
        )  # fmt: skip
        read_only_fields = fields


class HandoffFilter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=Handoff.Status.choices)
    owner = django_filters.CharFilter(method="filter_owner", help_text="“me” or a user name.")
    category = django_filters.CharFilter()
    lead = IdFilter("lead_id", of="lead")

    def filter_owner(self, handoffs: HandoffQuerySet, name: str, value: str) -> HandoffQuerySet:
        if value == "me":
            return handoffs.owned_by(signed_in_user(self.request))
        return handoffs.filter(owner__username=value)


def visible_handoffs(request: Request) -> HandoffQuerySet:
    """What the caller may see, with everything HandoffSerializer names."""
    handoffs = Handoff.objects.visible_to(signed_in_user(request))
    return handoffs.with_next_due().select_related("lead__company", "owner", "pool")


def answer_handoff(handoff: Handoff, *, code: int = status.HTTP_200_OK) -> Response:
    """The handoff as it stands after a verb, with its new due time."""
    shown = Handoff.objects.with_next_due().select_related("lead__company", "owner", "pool")
    return Response(HandoffSerializer(shown.get(pk=handoff.pk)).data, status=code)


class HandoffList(ListAPIView[Handoff]):
    serializer_class = HandoffSerializer
    permission_classes = (MayRead,)
    filterset_class = HandoffFilter
    queryset = Handoff.objects.all()

    def get_queryset(self) -> HandoffQuerySet:
        return visible_handoffs(self.request)


class HandoffDetail(RetrieveAPIView[Handoff]):
    serializer_class = HandoffDetailSerializer
    permission_classes = (MayRead,)
    queryset = Handoff.objects.all()

    def get_queryset(self) -> HandoffQuerySet:
        detail = visible_handoffs(self.request).select_related("package", "qualification")
        return detail.prefetch_related("attempts__by")


# --- Verbs --------------------------------------------------------------------------------------


class AcceptHandoff(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_accept",
        request=None,
        responses={200: HandoffSerializer, 409: ProblemSerializer, **REFUSALS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Accept a handoff. Doing it again changes nothing; 409 says who was quicker."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        return answer_handoff(accept_handoff(handoff, by=signed_in_user(request), now=timezone.now()))


class AttemptInputSerializer(StrictSerializer):
    channel = serializers.ChoiceField(choices=Attempt.Channel.choices)
    outcome = serializers.ChoiceField(choices=Attempt.Outcome.choices)
    note = serializers.CharField(max_length=ATTEMPT_NOTE_LENGTH, required=False, allow_blank=True, default="")


class AttemptList(APIView):
    """The attempts to reach the lead of a handoff."""

    def get_permissions(self) -> list[BasePermission]:
        return [MayWork() if self.request.method == "POST" else MayRead()]

    @extend_schema(
        operation_id="handoffs_attempts_list",
        responses={200: AttemptSerializer(many=True), **REFUSALS},
    )
    def get(self, request: Request, pk: int) -> Response:
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        return Response(AttemptSerializer(handoff.attempts.select_related("by"), many=True).data)

    @extend_schema(
        operation_id="handoffs_attempts_create",
        request=AttemptInputSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: AttemptSerializer,
            400: BAD_FIELDS,
            409: ProblemSerializer,
            415: ProblemSerializer,
            422: ProblemSerializer,
            **REFUSALS,
        },
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Log an attempt. The first one stops the first-contact clock."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        given = AttemptInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        attempt = record_attempt(
            handoff, **given.validated_data, by=signed_in_user(request), now=timezone.now()
        )
        return Response(AttemptSerializer(attempt).data, status=status.HTTP_201_CREATED)


def _answer_field() -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=Qualification.Answer.choices, required=False)


def _evidence_field() -> serializers.CharField:
    return serializers.CharField(max_length=EVIDENCE_LENGTH, required=False, allow_blank=True)


class QualifyInputSerializer(StrictSerializer):
    """BANT. What is left out stays as it was said before."""

    budget = _answer_field()
    budget_evidence = _evidence_field()
    authority = _answer_field()
    authority_evidence = _evidence_field()
    need = _answer_field()
    need_evidence = _evidence_field()
    timeline = _answer_field()
    timeline_evidence = _evidence_field()


class QualifyHandoff(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_qualify",
        request=QualifyInputSerializer,
        responses={
            200: HandoffSerializer,
            400: BAD_FIELDS,
            409: ProblemSerializer,
            415: ProblemSerializer,
            422: ProblemSerializer,
            **REFUSALS,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Make it sales-qualified. 422 names the parts of BANT that are missing; nothing is kept then."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        given = QualifyInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        answers = BantAnswers(**given.validated_data)
        return answer_handoff(
            qualify_handoff(handoff, answers=answers, by=signed_in_user(request), now=timezone.now())
        )
