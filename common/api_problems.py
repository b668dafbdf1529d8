"""How the schema describes refusals: the shape that `common.api.answer_exception` gives them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal: what went wrong and what to do about it."""

    code = serializers.CharField()
    detail = serializers.CharField()
    field = serializers.CharField(required=False, help_text="The culprit, where there is one.")


# What the caller may meet at any address of one object; the verbs add their own.
REFUSALS: dict[int, Any] = {
    401: ProblemSerializer,
    403: ProblemSerializer,
    404: ProblemSerializer,
    429: ProblemSerializer,
}
BAD_FIELDS = OpenApiResponse(OpenApiTypes.OBJECT, description="What is wrong, by field.")
