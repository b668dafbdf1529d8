"""/api/v1/sla/tickets/: what the alarms found, and closing it with an answer (SLA-6)."""

from __future__ import annotations

from typing import Any

import django_filters
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayRead, MayWork
from accounts.models import User
from accounts.roles import signed_in_user
from common.api import NewestFirstPagination
from common.api_problems import BAD_FIELDS, REFUSALS, ProblemSerializer
from common.ids import IdFilter
from leads.api import StrictSerializer
from sla.models import Ticket, TicketQuerySet
from sla.tickets import ANSWER_LENGTH, close_ticket


def _user_field(**options: Any) -> serializers.SlugRelatedField[User]:
    return serializers.SlugRelatedField(slug_field="username", read_only=True, **options)


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """`closed_by` is null too for what closed by itself. `late` is exact at the moment of the answer."""

    owner = _user_field()
    closed_by = _user_field(allow_null=True)
    late = serializers.SerializerMethodField()

    class Meta:
        model = Ticket
        fields = (
            "id", "alarm", "subject_key", "title", "lead", "owner", "opened_at", "due_at", "late",
            "closed_at", "closed_by", "answer",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.BooleanField())
    def get_late(self, ticket: Ticket) -> bool:
        """Whether it was or is answered after it was due."""
        return ticket.is_late(self.context["now"])


class TicketFilter(django_filters.FilterSet):
    alarm = django_filters.ChoiceFilter(choices=Ticket.Alarm.choices)
    open = django_filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull")
    late = django_filters.BooleanFilter(method="filter_late", label="Open and past their due time.")
    lead = IdFilter("lead_id", of="lead")
    owner = django_filters.CharFilter(field_name="owner__username")

    def filter_late(self, tickets: TicketQuerySet, name: str, value: bool) -> TicketQuerySet:
        late = tickets.late(timezone.now())
        return late if value else tickets.exclude(pk__in=late)


class TicketPagination(NewestFirstPagination):
    ordering = ("-opened_at", "-id")


class TicketList(generics.ListAPIView[Ticket]):
    """What the alarms found, newest first: a BDR's own tickets, everybody's for all others."""

    serializer_class = TicketSerializer
    filterset_class = TicketFilter
    pagination_class = TicketPagination
    permission_classes = (MayRead,)
    queryset = Ticket.objects.all()

    def get_queryset(self) -> TicketQuerySet:
        return _visible_tickets(self.request)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": timezone.now()}


class AnswerInputSerializer(StrictSerializer):
    answer = serializers.CharField(max_length=ANSWER_LENGTH, help_text="What came of it, in words.")


class CloseTicket(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="sla_tickets_close",
        request=AnswerInputSerializer,
        responses={
            200: TicketSerializer,
            400: BAD_FIELDS,
            409: ProblemSerializer,
            415: ProblemSerializer,
            422: ProblemSerializer,
            **REFUSALS,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Close it with what came of it. The same answer again changes nothing; 409 says who closed it."""
        ticket = get_object_or_404(_visible_tickets(request), pk=pk)
        given = AnswerInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        now = timezone.now()
        closed = close_ticket(ticket, **given.validated_data, by=signed_in_user(request), now=now)
        return Response(TicketSerializer(closed, context={"now": now}).data)


def _visible_tickets(request: Request) -> TicketQuerySet:
    return Ticket.objects.visible_to(signed_in_user(request)).select_related("owner", "closed_by")
