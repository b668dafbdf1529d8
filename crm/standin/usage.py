"""The org's allocation of API calls."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from .errors import ApiError
from .store import Store

APP_NAME = "handoff-portal"


class UsageMeter:
    """API calls in the running day, against the org's allocation. A restart forgets none of them.

    Salesforce looks back over 24 hours at any time; here a day begins with its first call.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], *, daily_limit: int) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._given_limit = daily_limit
        self.daily_limit = daily_limit
        # An administrator may allot a part of the calls to one app; without that it may use them all.
        self.app_limit: int | None = None
        saved = store.load_state("usage") or {"began": clock().isoformat(), "used": 0, "by_app": 0}
        self._day_began = datetime.fromisoformat(saved["began"])
        self.used: int = saved["used"]
        self.used_by_app: int = saved["by_app"]

    def count(self) -> None:
        """One more call. Raises REQUEST_LIMIT_EXCEEDED when the day's allocation is spent."""
        with self._lock:
            if self._clock() - self._day_began >= timedelta(days=1):
                self._day_began, self.used, self.used_by_app = self._clock(), 0, 0
            is_spent = self.app_limit is not None and self.used_by_app >= self.app_limit
            if is_spent or self.used >= self.daily_limit:
                raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self.used += 1
            self.used_by_app += 1
            self._save()

    def spend(self, calls: int) -> None:
        """Count calls that other apps of the org made."""
        with self._lock:
            self.used += calls
            self._save()

    def begin_day(self) -> None:
        """A new day, with nothing used."""
        with self._lock:
            self._day_began, self.used, self.used_by_app = self._clock(), 0, 0
            self._save()

    def reset(self) -> None:
        """As the org was set up: nothing used, and the limits of then."""
        self.daily_limit, self.app_limit = self._given_limit, None
        self.begin_day()

    def _save(self) -> None:
        saved = {"began": self._day_began.isoformat(), "used": self.used, "by_app": self.used_by_app}
        self._store.save_state("usage", saved)

    @property
    def header(self) -> str:
        app_limit = self.daily_limit if self.app_limit is None else self.app_limit
        return (
            f"api-usage={self.used}/{self.daily_limit}; "
            f"per-app-api-usage={self.used_by_app}/{app_limit}(appName={APP_NAME})"
        )
