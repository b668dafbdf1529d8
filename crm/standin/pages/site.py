"""Which page or form an address of the stand-in stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.template.loader import render_to_string

from crm.standin.errors import ApiError
from crm.standin.messages import Reply, Request

from . import actions, calls, jobs, lists, record, workshop

if TYPE_CHECKING:
    from crm.standin.server import StandIn

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"
STYLE = Path(__file__).with_name("page.css")
RECORD = r"(?P<id>[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)"

Parts = Mapping[str, str]
# What a page shows: the name of its template and the values in it.
Page = tuple[str, dict[str, Any]]
Show = Callable[["StandIn", Parts, Mapping[str, str]], Page]
# A form's deed, and where to look at what it did.
Act = Callable[["StandIn", Parts, Mapping[str, str]], str]

PAGES: tuple[tuple[str, Show], ...] = (
    (r"/", lists.show_leads),
    (r"/records/(?P<object>\w+)/", lists.show_list),
    (rf"/{RECORD}", record.show_record),
    (r"/calls/", calls.show_calls),
    (r"/calls/(?P<number>\d{1,9})/", calls.show_call),
    (r"/jobs/", jobs.show_jobs),
    (r"/jobs/(?P<job>\w{15,18})/", jobs.show_job),
    (r"/workshop/", workshop.show_workshop),
)
FORMS: tuple[tuple[str, Act], ...] = (
    (rf"/{RECORD}/edit", actions.edit_record),
    (rf"/{RECORD}/convert", actions.convert),
    (rf"/{RECORD}/merge", actions.merge),
    (rf"/{RECORD}/delete", actions.delete_record),
    (rf"/{RECORD}/undelete", actions.undelete_record),
    (r"/jobs/hold", jobs.hold_jobs),
    (r"/jobs/go-on", jobs.let_jobs_go_on),
    (r"/workshop/faults", workshop.add_fault),
    (r"/workshop/faults/clear", workshop.clear_faults),
    (r"/workshop/calls", workshop.set_allocation),
    (r"/workshop/setup", workshop.set_switches),
    (r"/workshop/sessions", workshop.end_sessions),
)


class Site:
    """The pages of one stand-in."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin

    def answer(self, request: Request) -> Reply:
        """A page, the way to one after a form was sent, or 404. Whether it came from here is asked before."""
        if request.method == "GET" and request.path == "/page.css":
            return Reply(200, STYLE.read_text(), CSS)
        if request.method == "POST":
            return self._act(request)
        for pattern, show in PAGES:
            match = re.fullmatch(pattern, request.path)
            if match and request.method == "GET":
                return self._show(show, match.groupdict(), request.query)
        return self._nothing(request.path)

    def _act(self, request: Request) -> Reply:
        for pattern, act in FORMS:
            match = re.fullmatch(pattern, request.path)
            if match:
                return self._go_on(act, match.groupdict(), request)
        return self._nothing(request.path)

    def _go_on(self, act: Act, parts: Parts, request: Request) -> Reply:
        """Do it and show what it did; what was refused is shown where the form stands."""
        try:
            return Reply(303, headers={"Location": act(self.standin, parts, request.form())})
        except (ApiError, ValueError) as error:
            words = error.message if isinstance(error, ApiError) else str(error)
        show, parts = (record.show_record, parts) if "id" in parts else (workshop.show_workshop, {})
        return self._show(show, parts, {"refused": words}, status=400)

    def _show(self, show: Show, parts: Parts, query: Mapping[str, str], *, status: int = 200) -> Reply:
        try:
            template, values = show(self.standin, parts, query)
        except ApiError as error:
            return self._nothing(error.message)
        about = {
            "objects": lists.counted(self.standin),
            "waiting": len(self.standin.faults.waiting()),
            "usage": self.standin.usage,
            "refused": query.get("refused", ""),
            "done": DONE.get(query.get("done", ""), ""),
            "repeat": urlencode({name: value for name, value in query.items() if name not in NOT_REPEATED}),
        }
        return Reply(status, render_to_string(f"crm/standin/{template}.html", about | values), HTML)

    def _nothing(self, what: str) -> Reply:
        words = {"objects": lists.counted(self.standin), "what": what, "usage": self.standin.usage}
        return Reply(404, render_to_string("crm/standin/nothing.html", words), HTML)


NOT_REPEATED = {"page", "done", "refused"}
# What was done, by the word in the address that the form led to.
DONE = {
    "saved": "Saved.",
    "unchanged": "Nothing was changed.",
    "converted": "Converted. The contact, the account and the deal are linked below.",
    "merged": "Merged. The other lead is in the recycle bin and points here.",
    "deleted": "Moved to the recycle bin.",
    "undeleted": "Taken out of the recycle bin.",
    "ordered": "The fault waits for its call.",
    "cleared": "No fault is waiting any more.",
    "held": "Jobs are held: those that begin now wait.",
    "going_on": "Jobs go on.",
    "set": "Set.",
    "ended": "Every session has ended: the next call of each meets a 401.",
}
