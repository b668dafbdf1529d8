"""The middleware that only browsers need. A call by token goes past it: it has no session and no messages,
its times are in UTC, its answer is short, and it never gets a part of a page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.middleware import gzip
from django_htmx import middleware as django_htmx

from accounts import middleware as accounts
from common import htmx


def is_call_by_token(request: HttpRequest) -> bool:
    """Whether accounts.authentication decides by the header alone who calls, so that no session is asked."""
    authorization: str = request.META.get("HTTP_AUTHORIZATION", "")
    return request.path_info.startswith("/api/v1/") and authorization[:7].lower() == "bearer "


class ForBrowsers:
    """Put before a middleware class, it lets calls by token past."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_call_by_token(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


# Django's checks look for these classes by kind, so each is a kind of the one it stands for.
class SessionMiddleware(ForBrowsers, sessions.SessionMiddleware): ...


class AuthenticationMiddleware(ForBrowsers, auth.AuthenticationMiddleware): ...


class GZipMiddleware(ForBrowsers, gzip.GZipMiddleware): ...


class MessageMiddleware(ForBrowsers, messages.MessageMiddleware): ...


class HtmxMiddleware(ForBrowsers, django_htmx.HtmxMiddleware): ...


class VaryOnHtmxMiddleware(ForBrowsers, htmx.VaryOnHtmxMiddleware): ...


class ViewerTimeZoneMiddleware(ForBrowsers, accounts.ViewerTimeZoneMiddleware): ...


class PrivatePagesMiddleware(ForBrowsers, accounts.PrivatePagesMiddleware): ...
