"""The public HTTP API as a tracking stack and a web form use it.

Sends again, with the same ids, until it is heard.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

TIMEOUT_SECONDS = 15
LONGEST_PAUSE_SECONDS = 15.0
ANOTHER_TRY = frozenset({429, 500, 502, 503, 504})


class PortalRefused(Exception):
    """The portal answered and said no: sending the same again would not help."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"{response.status_code} from {response.url}: {response.text[:300]}")
        self.status_code = response.status_code


class Stopped(Exception):
    """We were told to stop while waiting for the portal to come back."""


class PortalClient:
    """Speaks with one portal. `wait(seconds)` sleeps and says whether to stop.

    Every message carries an id of ours, so a repetition after a lost answer changes nothing (INTAKE-4).
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        write_key: str,
        wait: Callable[[float], bool],
        say: Callable[[str], None],
    ) -> None:
        self._url = url.rstrip("/")
        self._bearer = {"Authorization": f"Bearer {token}"}
        self._write_key = write_key
        self._wait = wait
        self._say = say
        self._session = requests.Session()

    def send_events(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """A Segment batch with the write key as user name."""
        self._request("POST", "/v1/batch", json={"batch": list(messages)}, auth=(self._write_key, ""))

    def submit_form(self, lead: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """What a web form sends: the person with their answers. Returns the lead with score and handoff."""
        headers = {**self._bearer, "Idempotency-Key": key}
        return dict(self._request("POST", "/api/v1/leads/", json=dict(lead), headers=headers).json())

    def record_activities(self, activities: Sequence[Mapping[str, Any]]) -> None:
        self._request("POST", "/api/v1/activities/", json=list(activities), headers=self._bearer)

    def known_people(self) -> list[dict[str, Any]]:
        """The first page of leads: people who may come back."""
        return list(self._request("GET", "/api/v1/leads/", headers=self._bearer).json()["results"])

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        pause = 0.5
        while True:
            trouble = ""
            try:
                response = self._session.request(method, self._url + path, timeout=TIMEOUT_SECONDS, **options)
                if response.status_code < 400:
                    return response
                if response.status_code not in ANOTHER_TRY:
                    raise PortalRefused(response)
                trouble = f"it answered {response.status_code}"
            except (requests.ConnectionError, requests.Timeout) as error:
                trouble = type(error).__name__
            if pause > 1:  # a short hiccup is not worth a word
                self._say(f"Waiting for the portal ({trouble})")
            if self._wait(pause + random.random() * pause / 2):
                raise Stopped
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
