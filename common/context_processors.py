"""What every page may ask of the installation."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone


def portal(request: HttpRequest) -> dict[str, object]:
    """`demo`: invented data and one-click logins; `server_now`: for countdowns that agree with the server."""
    return {"demo": settings.DEMO, "server_now": timezone.now()}
