"""Finding breaches: filters, pages by key, and the same rows as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Team, User
from common.csv_stream import csv_lines
from common.keyset import KeysetPage, newest_first_page
from sla.attribution import Attribution, Loss
from sla.courses import attribute_clocks
from sla.models import Clock, ClockQuerySet, Target

PAGE_ROWS = 50
MOST_UNRECORDED = 50  # more than a sweep leaves behind; after an outage the next sweep catches up
CSV_HEADER = (
    "target", "policy", "lead", "company", "owner", "team", "started_at", "due_at", "done_at",
    "seconds_late", "wall_seconds", "business_seconds", "cause", "note", "reviewed_by", "reviewed_at",
    "handoff_id", "clock_id", "due_before_incident", "scoring_seconds",
    *(f"{loss}_seconds" for loss in Loss),
)  # fmt: skip
CSV_CHUNK = 500  # rows whose time is attributed together


def check_year(day: date) -> None:
    """Refuse days so far off that their midnight is not a time in every zone."""
    if not 1970 <= day.year <= 2100:
        raise forms.ValidationError("Use a day between 1970 and 2100.")


def midnight(day: date) -> datetime:
    """The beginning of a day in the viewer's time zone."""
    return timezone.make_aware(datetime.combine(day, time()))


class ChoiceInput(forms.Select):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attrs.setdefault("class", "form-select")


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        # The browser's date field wants ISO, whatever the language of the page.
        super().__init__(attrs={"class": "form-control"}, format="%Y-%m-%d")


class BreachFilter(forms.Form):
    """The query string of the breach list. Everything is optional."""

    team = forms.ModelChoiceField(
        Team.objects.order_by("name"), required=False, empty_label="All teams", widget=ChoiceInput
    )
    owner = forms.ModelChoiceField(
        User.objects.filter(role=User.Role.BDR).order_by("first_name", "last_name"),
        required=False,
        empty_label="All owners",
        widget=ChoiceInput,
    )
    kind = forms.ChoiceField(
        choices=[("", "All targets"), *Target.Kind.choices], required=False, widget=ChoiceInput
    )
    cause = forms.ChoiceField(
        choices=[("", "Any cause"), ("to_review", "To be reviewed"), *Clock.Cause.choices],
        required=False,
        widget=ChoiceInput,
    )
    since = forms.DateField(required=False, widget=DayInput, label="Due from", validators=[check_year])
    until = forms.DateField(required=False, widget=DayInput, label="to", validators=[check_year])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day must not be before the first.")
        return cleaned

    @property
    def is_narrow(self) -> bool:
        """Whether anything at all is filtered."""
        return any(self.cleaned_data.values())

    def narrow(self, clocks: ClockQuerySet) -> ClockQuerySet:
        """Apply the filters of a valid form; days are those of the viewer's time zone."""
        chosen = self.cleaned_data
        for name in ("team", "owner", "kind"):
            if chosen[name]:
                clocks = clocks.filter(**{name: chosen[name]})
        if chosen["cause"] == "to_review":
            clocks = clocks.filter(reviews_breaches=True, reviewed_at=None)
        elif chosen["cause"]:
            clocks = clocks.filter(cause=chosen["cause"])
        if chosen["since"]:
            clocks = clocks.filter(due_at__gte=midnight(chosen["since"]))
        if chosen["until"]:
            clocks = clocks.filter(due_at__lt=midnight(chosen["until"] + timedelta(days=1)))
        return clocks


def read_page(clocks: ClockQuerySet, *, after: str, now: datetime) -> KeysetPage[Clock]:
    """One page of breaches, latest first, beginning after a key of an earlier page.

    What passed its deadline after the last sweep is not on record yet. It is read by its own index and
    added to the first page, so that the list is as exact as the board without costing more with its length.
    """
    rows = clocks.for_display().select_related("reviewed_by")
    page = newest_first_page(rows.breached(), at="due_at", after=after, size=PAGE_ROWS)
    if after:
        return page
    unrecorded = rows.due(now).order_by("-due_at", "-id")[:MOST_UNRECORDED]
    merged = sorted([*unrecorded, *page.rows], key=lambda clock: (clock.due_at, clock.pk), reverse=True)
    return KeysetPage(merged, page.next_key, is_first=True)


def breach_csv_lines(clocks: ClockQuerySet, *, now: datetime) -> Iterator[str]:
    """The breaches as CSV: those not recorded yet, then the others, latest first."""
    latest = clocks.for_display().select_related("reviewed_by").order_by("-due_at", "-id")
    found = chain(
        latest.due(now).iterator(chunk_size=CSV_CHUNK), latest.breached().iterator(chunk_size=CSV_CHUNK)
    )
    return csv_lines(CSV_HEADER, _csv_rows(found, now=now))


def _csv_rows(clocks: Iterator[Clock], *, now: datetime) -> Iterator[tuple[object, ...]]:
    while chunk := list(islice(clocks, CSV_CHUNK)):
        lost = attribute_clocks(chunk, now=now)
        yield from ((*_csv_row(clock, now), *_csv_losses(lost[clock.pk])) for clock in chunk)


def _csv_row(clock: Clock, now: datetime) -> tuple[object, ...]:
    return (
        clock.get_kind_display(),
        clock.policy_name,
        clock.lead.name,
        clock.lead.company or "",
        clock.owner or "",
        clock.team or "",
        clock.started_at.isoformat(),
        clock.due_at.isoformat(),
        clock.stopped_at.isoformat() if clock.stopped_at else "",
        clock.seconds_late(now),
        clock.wall_seconds,
        clock.business_seconds,
        clock.get_cause_display(),
        clock.review_note,
        clock.reviewed_by or "",
        clock.reviewed_at.isoformat() if clock.reviewed_at else "",
        clock.handoff_id,
        clock.pk,
        clock.due_before_incident.isoformat() if clock.due_before_incident else "",
    )


def _csv_losses(lost: Attribution) -> tuple[int, ...]:
    return (lost.scoring_seconds, *lost.seconds.values())
