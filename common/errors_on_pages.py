"""How pages tell what went wrong. The API has its own mapping in common.api."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from common.errors import DomainError
from common.htmx import wants_fragment


class DomainErrorMiddleware:
    """Show a refusal of the domain as a message, with its status; the page below stays as it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        if not wants_fragment(request):
            return render(request, "refusal.html", {"refusal": exception}, status=exception.status)
        response = render(request, "_refusal.html", {"refusal": exception}, status=exception.status)
        # Only the toast is to appear: what the person was looking at or typing into stays.
        response["HX-Reswap"] = "none"
        return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.path.startswith("/api/"):  # no address of the API, so DRF has not answered
        return JsonResponse({"code": "not_found", "detail": "There is nothing at this address."}, status=404)
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        words = "Something went wrong on our side, and it was logged. Try again later."
        return JsonResponse({"code": "error", "detail": words}, status=500)
    return render(request, "500.html", status=500)
