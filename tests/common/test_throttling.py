"""A caller may call so many times a minute; the next minute it may again."""

from __future__ import annotations

from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.models import User
from common.throttling import TokenThrottle


class Three(TokenThrottle):
    rate = "3/min"


def call(user: User, *, at: float) -> tuple[bool, float]:
    """Whether the call is let through, and how long the next minute is off."""
    request = APIRequestFactory().get("/")
    force_authenticate(request, user=user)
    throttle = Three()
    throttle.timer = lambda: at
    return throttle.allow_request(APIView().initialize_request(request), None), throttle.wait()


def test_more_than_the_rate_waits_for_the_next_minute(bdr: User, other_bdr: User) -> None:
    assert [call(bdr, at=600.0) for _ in range(3)] == [(True, 60.0)] * 3
    assert call(bdr, at=645.0) == (False, 15.0)
    assert call(other_bdr, at=645.0) == (True, 15.0)
    assert call(bdr, at=660.0) == (True, 60.0)
