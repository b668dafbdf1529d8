"""A browser window on the queue: the requests that the page makes, as HTMX and portal.js make them.

Each request has a connection of its own. The server closes idle ones after two seconds, and a page asks less
often than that.
"""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from bench.crowd.diary import LOST_RACE, NO_ANSWER, Answer, Diary

PATIENCE_SECONDS = 30.0

_ROW = re.compile(r'<li class="queue-row[^>]*>')
_ATTRIBUTE = re.compile(r'data-(pk|status)="(\w+)"')
_ETAG = re.compile(r'data-etag="([^"]*)"')
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
_PANEL = re.compile(r'hx-get="([^"]+)" hx-trigger="load"')
_UNKNOWN = {"duplicate", "attempts"}  # what a reason may ask for that is not at hand
_REASON = re.compile(r'value="([\w-]+)"\s+data-asks="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the queue as shown."""

    pk: int
    status: str


class Browser:
    """One person's window. `rows` are what it shows; everything asked goes into the diary."""

    def __init__(self, port: int, *, user_id: int, cookie: str, diary: Diary) -> None:
        self._port = port
        self._user_id = user_id
        self._cookies = SimpleCookie(cookie)
        self._diary = diary
        self._path, self._etag, self._token = "/queue/", "", ""
        self.rows: list[Row] = []

    # --- The list --------------------------------------------------------------------------------

    def visit(self, tab: str = "mine") -> None:
        """Load the whole page, as the link of a tab does."""
        self._path = "/queue/" if tab == "mine" else f"/queue/?tab={tab}"
        status, _, page = self._send("page", "GET", self._path, expected=(200,))
        if status == 200:
            self._show(page)
            self._token = self._token_in(page)

    def poll(self) -> None:
        """Ask whether anything has changed, and redraw the rows if so."""
        self._refresh("poll")

    def _refresh(self, why: str) -> None:
        headers = {"If-None-Match": self._etag, "HX-Target": "queue-list"}
        status, answered, rows = self._send(why, "GET", self._path, headers=headers, expected=(200, 304))
        if status == 200:
            self._show(rows)
        self._etag = answered.get("etag", self._etag)

    def _show(self, html: str) -> None:
        tags = (dict(_ATTRIBUTE.findall(tag)) for tag in _ROW.findall(html))
        self.rows = [Row(int(tag["pk"]), tag["status"]) for tag in tags]
        if found := _ETAG.search(html):
            self._etag = unescape(found[1])

    # --- A handoff -------------------------------------------------------------------------------

    def open(self, row: Row) -> None:
        """Look at the handoff beside the list."""
        self._follow(*self._send("open", "GET", f"/handoffs/{row.pk}/", expected=(200,)))

    def ask_for_reasons(self, row: Row) -> list[str]:
        """Open the reject dialog: the reasons for which nothing else has to be known."""
        _, _, dialog = self._send("reject dialog", "GET", f"/handoffs/{row.pk}/reject/", expected=(200,))
        return [code for code, asks in _REASON.findall(dialog) if not _UNKNOWN.intersection(asks.split())]

    def act(self, act: str, row: Row, fields: Mapping[str, str] | None = None) -> None:
        """Send a form of the page. That somebody was quicker is an answer, too."""
        path = {"accept": "accept", "claim": "accept", "reject": "reject", "attempt": "attempts"}[act]
        answer = self._send(
            act,
            "POST",
            f"/handoffs/{row.pk}/{path}/",
            body=urlencode({"csrfmiddlewaretoken": self._token, **(fields or {})}),
            expected=(200, LOST_RACE),
        )
        if answer[0] == 200:
            self._diary.done.append((act, row.pk, self._user_id))
        self._follow(*answer)

    def _follow(self, status: int, headers: Mapping[str, str], html: str) -> None:
        """What the page does with an answer: load the panels in it, and refresh the list when told to."""
        if status == NO_ANSWER:
            return
        for address in _PANEL.findall(html):
            self._send("panel", "GET", unescape(address), expected=(200,))
        if "portal:refresh" in headers.get("hx-trigger", ""):
            self._refresh("refresh")

    # --- The wire --------------------------------------------------------------------------------

    def _send(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        expected: tuple[int, ...],
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers by their names in small letters, and text; NO_ANSWER when the connection failed."""
        origin = f"http://127.0.0.1:{self._port}"
        cookies = "; ".join(f"{name}={cookie.coded_value}" for name, cookie in self._cookies.items())
        sent = {"Cookie": cookies, "Connection": "close", **(headers or {})}
        if kind != "page":
            sent |= {"HX-Request": "true", "HX-Current-URL": origin + self._path}
        if body is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode()
            status = response.status
            answered = {name.lower(): value for name, value in response.getheaders()}
        except (OSError, http.client.HTTPException):
            status, answered, text = NO_ANSWER, {}, ""
        finally:
            connection.close()
        seconds = time.perf_counter() - started
        if kind == "poll":
            kind = "poll, no news" if status == 304 else "poll, news"
        self._diary.answers.append(Answer(kind, started, status, seconds, status in expected))
        if "set-cookie" in answered:
            self._cookies.load(answered["set-cookie"])
        return status, answered, text

    def _token_in(self, page: str) -> str:
        found = _TOKEN.search(page)
        if found is None:
            raise RuntimeError("The page of the queue has no form.")
        return found[1]
