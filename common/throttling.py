"""How often one caller may call."""

from __future__ import annotations

from typing import Any

from rest_framework.throttling import SimpleRateThrottle


class TokenThrottle(SimpleRateThrottle):
    """So many requests per user and minute of the clock (API_RATE).

    DRF remembers the time of every request and writes the list anew with each; at the rates of an import
    that list is longer than the request. One number per minute costs the same at any rate.
    """

    scope = "token"
    # From API_RATE, by DRF.
    num_requests: int
    duration: int

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        user = request.user
        ident = user.pk if user and user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}

    def allow_request(self, request: Any, view: Any) -> bool:
        minute, seconds_into = divmod(self.timer(), self.duration)
        self.seconds_left = self.duration - seconds_into
        key = f"{self.get_cache_key(request, view)}_{minute:.0f}"
        if self.cache.add(key, 1, self.duration):
            return self.num_requests > 0
        try:
            count: int = self.cache.incr(key)
        except ValueError:  # it ran out between the two lines
            count = 1
        return count <= self.num_requests

    def wait(self) -> float:
        return self.seconds_left


class PublicThrottle(TokenThrottle):
    """So many requests per address and minute of the clock, for pages without a sign-in (PUBLIC_RATE)."""

    scope = "public"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}
