"""Intake over the API: what a lead and an activity look like on the wire, and the endpoint of activities."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Self, TypeVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import MayRead, MaySendLeads
from accounts.models import ApiToken
from accounts.roles import signed_in_user
from common.api import NewestFirstPagination
from common.errors import InvalidInput
from common.ids import not_an_id, parse_id
from leads.activities import MAX_EVENT, MAX_MESSAGE_ID
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.idempotency import idempotent
from leads.intake import clean_lead
from leads.models import Activity, QuarantinedItem
from leads.quarantine import Refusal, quarantine
from leads.reported_activities import ActivityItem, take_activities
from leads.whole_numbers import MAX_DEAL_SIZE, MAX_EMPLOYEES

VIA = "api"
MAX_BATCH = 1000
# How far a sender's clock may be ahead of ours.
TOLERANCE = timedelta(minutes=5)

S = TypeVar("S", bound=serializers.Serializer[Any])


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know: a misspelt field would otherwise be lost without a word."""

    @classmethod
    def of(cls, data: Any) -> Self:
        """A serializer of the data that shares its fields with the others: making them takes longer than
        using them, and they keep nothing of what they read."""
        serializer: Self = copy(_with_fields(cls))
        serializer.initial_data = data
        return serializer

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := [str(name) for name in data if name not in self.fields]):
            known = ", ".join(self.fields)
            raise ValidationError(
                {name[:80]: [f"There is no such field. Known are: {known}."] for name in unknown}
            )
        return super().to_internal_value(data)


@cache
def _with_fields(kind: type[S]) -> S:
    serializer = kind()
    serializer.fields  # noqa: B018  # makes them
    return serializer


def _text(limit: int, **options: Any) -> serializers.CharField:
    return serializers.CharField(
        max_length=limit, required=False, allow_blank=True, allow_null=True, **options
    )


class CompanyInputSerializer(StrictSerializer):
    name = _text(255)
    domain = _text(255)
    employee_count = serializers.IntegerField(
        min_value=0, max_value=MAX_EMPLOYEES, required=False, allow_null=True
    )
    industry = _text(120)
    technologies = _text(500, help_text="What they work with, separated by commas.")
    growth_signals = _text(500, help_text="Signs of growth such as hiring, separated by commas.")
    country = _text(80)


class AnswersInputSerializer(StrictSerializer):
    budget = _text(200)
    timeline = _text(200)
    current_solution = _text(500)
    pain_point = _text(1000)


class LeadInputSerializer(StrictSerializer):
    """A person as a source knows them. Blank, null and absent all mean unknown: they fill nothing and
    erase nothing."""

    email = _text(320)
    source_system = _text(40, help_text="The system external_id belongs to; both or neither.")
    external_id = _text(120)
    first_name = _text(80)
    last_name = _text(80)
    title = _text(128)
    phone = _text(40)
    website = _text(255)
    country = _text(80)
    company = CompanyInputSerializer(required=False, allow_null=True)
    # The metaclass takes declared fields away before Field.source could be shadowed; errors below likewise.
    source = _text(80, help_text="Where it came from, such as webinar.")  # type: ignore[assignment]
    campaign = _text(120)
    language = _text(40, help_text="Language they write or speak with us, such as German.")
    product_line = _text(80)
    deal_size = serializers.IntegerField(
        min_value=0,
        max_value=MAX_DEAL_SIZE,
        required=False,
        allow_null=True,
        help_text="Expected amount of the deal.",
    )
    answers = AnswersInputSerializer(required=False, allow_null=True)
    consent = serializers.BooleanField(
        required=False, allow_null=True, help_text="The person agreed to be contacted, now."
    )

    def to_facts(self, *, now: datetime) -> LeadFacts:
        return _to_facts(self.validated_data, now=now)


def _to_facts(data: Mapping[str, Any], *, now: datetime) -> LeadFacts:
    plain = {name: value for name, value in data.items() if value is not None}
    answers = plain.pop("answers", {})
    company = plain.pop("company", {})
    consented = plain.pop("consent", False)
    return LeadFacts(
        **plain,
        **{name: value for name, value in answers.items() if value is not None},
        company=CompanyFacts(**{name: value for name, value in company.items() if value is not None}),
        consent_at=now if consented else None,
    )


def _nested(field: str, reason: str) -> dict[str, Any]:
    """An error in DRF's shape for a field named "company.domain"."""
    outer, dot, inner = field.partition(".")
    return {outer: {inner: [reason]}} if dot else {outer: [reason]}


def first_error(errors: Any, path: str = "") -> tuple[str, str]:
    """The first of DRF's errors as (field, sentence); a field within another is joined by a dot."""
    if isinstance(errors, Mapping):
        name, inner = next(iter(errors.items()))
        if name == "non_field_errors":
            return first_error(inner, path)
        return first_error(inner, f"{path}.{name}" if path else str(name))
    if isinstance(errors, list):
        return first_error(next((error for error in errors if error), ""), path)
    return path, str(errors)


def read_lead_input(request: Request, *, now: datetime) -> LeadFacts:
    """The clean facts in a request's body. What is invalid is quarantined, and raised as ValidationError."""
    serializer = LeadInputSerializer.of(request.data)
    try:
        serializer.is_valid(raise_exception=True)
        return clean_lead(serializer.to_facts(now=now))
    except InvalidInput as error:
        problem = ValidationError(_nested(error.field, str(error)))
    except ValidationError as error:
        problem = error
    refusal = Refusal(0, "lead", *first_error(problem.detail), request.data)
    quarantine([refusal], source=QuarantinedItem.Source.API, origin=origin_of(request), now=now)
    raise problem


def origin_of(request: Request) -> str:
    """By which token or person an item came."""
    if isinstance(request.auth, ApiToken):
        return f"token {request.auth.prefix}…"
    return f"user {request.user.pk}"


# --- Activities ---------------------------------------------------------------------------------


class ActivityInputSerializer(StrictSerializer):
    """One event of one lead, who is named by id or by e-mail address."""

    lead = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False, allow_null=True)
    email = _text(320, help_text="A person not known yet becomes a lead.")
    event = serializers.CharField(max_length=MAX_EVENT)
    properties = serializers.DictField(required=False, allow_null=True)
    occurred_at = serializers.DateTimeField(
        required=False, allow_null=True, default_timezone=UTC, help_text="Absent: now."
    )
    message_id = _text(
        MAX_MESSAGE_ID, help_text="The same id twice is one activity. Absent: cannot be recognised again."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("lead")) == bool(attrs.get("email")):
            raise ValidationError(
                {"lead": ["Name the lead by its id or by its e-mail address, not by both."]}
            )
        if attrs.get("occurred_at") and attrs["occurred_at"] > timezone.now() + TOLERANCE:
            raise ValidationError({"occurred_at": ["This is in the future."]})
        return attrs

    def to_item(self, *, index: int, now: datetime) -> ActivityItem:
        data = self.validated_data
        facts = ActivityFacts(
            event=data["event"],
            occurred_at=min(data.get("occurred_at") or now, now),
            message_id=data.get("message_id") or uuid.uuid4().hex,
            properties=data.get("properties") or {},
        )
        return ActivityItem(index, facts, lead_id=data.get("lead"), email=data.get("email") or "")


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    class Meta:
        model = Activity
        fields = ("id", "lead", "event", "properties", "occurred_at", "received_at", "message_id", "source")
        read_only_fields = fields


class ItemErrorSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Place in the list sent, from 0.")
    field = serializers.CharField()
    reason = serializers.CharField()


class ActivityBatchSerializer(serializers.Serializer[Any]):
    """The activities kept, those seen before included, and why the others were not. The others are in
    quarantine, where an operator can fix and replay them."""

    activities = ActivitySerializer(many=True)
    errors = ItemErrorSerializer(many=True)  # type: ignore[assignment]


class ActivityPagination(NewestFirstPagination):
    ordering = ("-id",)  # type: ignore[assignment]


class ActivityList(ListAPIView[Activity]):
    """What leads did: newest received first, and the intake of more."""

    queryset = Activity.objects.none()  # for the schema alone, which is made without a person
    serializer_class = ActivitySerializer
    pagination_class = ActivityPagination

    def get_permissions(self) -> list[BasePermission]:
        return [MaySendLeads() if self.request.method == "POST" else MayRead()]

    def get_queryset(self) -> Any:
        activities = Activity.objects.visible_to(signed_in_user(self.request))
        if lead := self.request.query_params.get("lead"):
            try:
                activities = activities.filter(lead_id=parse_id(lead))
            except ValueError as error:
                raise ValidationError({"lead": [not_an_id("lead")]}) from error
        return activities

    @extend_schema(parameters=[OpenApiParameter("lead", int, description="Only those of this lead.")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=PolymorphicProxySerializer(
            component_name="ActivityOrActivities",
            serializers=[ActivityInputSerializer, ActivityInputSerializer(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses={
            201: PolymorphicProxySerializer(
                component_name="ActivityAnswer",
                serializers=[ActivitySerializer, ActivityBatchSerializer],
                resource_type_field_name=None,
                many=False,
            ),
            207: OpenApiResponse(ActivityBatchSerializer, description="Some were kept, some refused."),
            400: OpenApiResponse(description="None could be kept."),
        },
    )
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        now = timezone.now()
        one_alone = not isinstance(request.data, list)
        given: list[Any] = [request.data] if one_alone else list(request.data)
        if not given or len(given) > MAX_BATCH:
            raise ValidationError({"detail": f"Send 1 to {MAX_BATCH} activities at a time."})

        activities, refusals = _take(given, now=now)
        quarantine(refusals, source=QuarantinedItem.Source.API, origin=origin_of(request), now=now)
        if one_alone and activities:
            return Response(ActivitySerializer(activities[0]).data, status=status.HTTP_201_CREATED)
        answer = {
            "activities": ActivitySerializer(activities, many=True).data,
            "errors": [refusal.as_answer() for refusal in refusals],
        }
        return Response(answer, status=_status_of(activities, refusals))


def _take(given: list[Any], *, now: datetime) -> tuple[list[Activity], list[Refusal]]:
    """Keep the valid ones; say of each other why not, in order."""
    items, refusals = [], []
    for index, data in enumerate(given):
        serializer = ActivityInputSerializer.of(data)
        if serializer.is_valid():
            items.append(serializer.to_item(index=index, now=now))
        else:
            refusals.append(Refusal(index, "activity", *first_error(serializer.errors), data))
    activities, unknown = take_activities(items, via=VIA, now=now)
    refusals += [
        Refusal(index, "activity", error.field, str(error), given[index]) for index, error in unknown
    ]
    return activities, sorted(refusals, key=lambda refusal: refusal.index)


def _status_of(activities: list[Activity], refusals: list[Refusal]) -> int:
    if not refusals:
        return status.HTTP_201_CREATED
    return status.HTTP_207_MULTI_STATUS if activities else status.HTTP_400_BAD_REQUEST
