"""The org's allocation of API calls."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from .errors import ApiError

APP_NAME = "handoff-portal"


class UsageMeter:
    """API calls in the running day, against the org's allocation."""

    def __init__(self, clock: Callable[[], datetime], *, daily_limit: int) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._day_began = clock()
        self.daily_limit = daily_limit
        self.used = 0

    def count(self) -> None:
        """One more call. Raises REQUEST_LIMIT_EXCEEDED when the day's allocation is spent."""
        with self._lock:
            if self._clock() - self._day_began >= timedelta(days=1):
                self._day_began, self.used = self._clock(), 0
            if self.used >= self.daily_limit:
                raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self.used += 1

    @property
    def header(self) -> str:
        usage = f"{self.used}/{self.daily_limit}"
        return f"api-usage={usage}; per-app-api-usage={usage}(appName={APP_NAME})"
