"""POST /api/v1/handoffs/<id>/reject/undo/: sales takes a rejection back within seconds."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import MayWork
from accounts.roles import signed_in_user
from common.api_problems import REFUSALS, ProblemSerializer
from feedback.undo import undo_rejection
from handoffs.api import HandoffSerializer, answer_handoff, visible_handoffs


class UndoRejection(APIView):
    permission_classes = (MayWork,)

    @extend_schema(
        operation_id="handoffs_reject_undo",
        request=None,
        responses={200: HandoffSerializer, 409: ProblemSerializer, **REFUSALS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take a rejection back within seconds, if nothing has happened since; 409 says what has."""
        handoff = get_object_or_404(visible_handoffs(request), pk=pk)
        return answer_handoff(undo_rejection(handoff, by=signed_in_user(request), now=timezone.now()))
