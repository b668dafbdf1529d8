"""Template tags of every page: icons, times, countdowns, scores. Builtins: no `{% load %}` is needed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BoundField
from django.http import HttpRequest, QueryDict
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400


# A page draws the same few icons hundreds of times.
@register.simple_tag
@cache
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite. Without a label it is decoration: words must stand beside it."""
    href = f"{_sprite()}#{name}"
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', href)


@cache
def _sprite() -> str:
    return static("icons.svg")


# Ten of them stand on every page, and they stay the same for as long as the program runs.
@register.simple_tag
@cache
def asset(path: str) -> str:
    """The address of a static file."""
    return static(path)


@register.simple_tag
@cache
def address(name: str) -> str:
    """The address of a page that has but one: what `{% url %}` looks up each time."""
    return reverse(name)


# --- Times ---------------------------------------------------------------------------------------
# static/js/clock.js words the same spans; a browser test holds the two against each other.


def span_words(seconds: int) -> str:
    """A span in the coarsest words that still help: '45 s', '12 min', '1 h 20 min', '30 h', '3 d'."""
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < 10 * HOUR:
        minutes = seconds % HOUR // MINUTE
        return f"{seconds // HOUR} h" + (f" {minutes} min" if minutes else "")
    if seconds < 2 * DAY:
        return f"{seconds // HOUR} h"
    return f"{seconds // DAY} d"


def left_words(due_at: datetime, now: datetime) -> str:
    """'12 min left', 'due now' or '2 h late', rounded down as a countdown is."""
    seconds = (due_at - now) // timedelta(seconds=1)
    if seconds == 0:
        return "due now"
    return f"{span_words(seconds)} left" if seconds > 0 else f"{span_words(-seconds)} late"


def ago_words(then: datetime, now: datetime) -> str:
    """'just now', '6 min ago', '3 h ago', '5 d ago'."""
    seconds = (now - then) // timedelta(seconds=1)
    if seconds < MINUTE:
        return "just now"
    if HOUR <= seconds < 10 * HOUR:
        seconds -= seconds % HOUR
    return f"{span_words(seconds)} ago"


# The tags below write figures and times of their own making, which need no escaping: a list has hundreds of
# them, and escaping took longer than all else in a row.

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _day(local: datetime) -> str:
    """'Tue 3 Mar'. Not by strftime, which took half the time of a row and asks the locale."""
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


@dataclass(frozen=True, slots=True)
class Times:
    """Times in words, as they stand at one moment in one zone. A list asks for both once: asking anew for
    each of its times took longer than putting them into words."""

    now: datetime
    zone: tzinfo

    def local(self, moment: datetime | str | None, absent: str = "—") -> SafeString | str:
        value = _as_datetime(moment)
        if value is None:
            return absent
        words = self._short(value)
        return SafeString(f'<time datetime="{value.isoformat()}" title="{self._exact(value)}">{words}</time>')

    def ago(self, moment: datetime | str | None, absent: str = "never") -> SafeString | str:
        value = _as_datetime(moment)
        if value is None:
            return absent
        words, title = ago_words(value, self.now), self._exact(value)
        return SafeString(f'<time datetime="{value.isoformat()}" title="{title}" data-ago>{words}</time>')

    def left(
        self, due_at: datetime | None, warn_at: datetime | None = None, absent: str = ""
    ) -> SafeString | str:
        if due_at is None:
            return absent
        state = "late" if self.now > due_at else "warn" if self.now >= (warn_at or due_at) else "ok"
        words = left_words(due_at, self.now)
        return SafeString(
            f'<time class="time-left" datetime="{due_at.isoformat()}" data-countdown'
            f' data-warn-at="{warn_at.isoformat() if warn_at else ""}" data-state="{state}"'
            f' title="Due {self._exact(due_at)}">{_state_icons()}<span class="words">{words}</span></time>'
        )

    def _exact(self, moment: datetime) -> str:
        """The instant in full with its zone, for hovering: 'Tue 3 Mar 2026, 14:05:30 CET'."""
        local = moment.astimezone(self.zone)
        time = f"{local.hour:02}:{local.minute:02}:{local.second:02}"
        return f"{_day(local)} {local.year}, {time} {local.tzname()}"

    def _short(self, moment: datetime) -> str:
        """'14:05' today, 'Tue 3 Mar, 14:05' this year, with the year otherwise."""
        local, today = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        time = f"{local.hour:02}:{local.minute:02}"
        if local.date() == today.date():
            return time
        year = "" if local.year == today.year else f" {local.year}"
        return f"{_day(local)}{year}, {time}"


def times_now() -> Times:
    """As they stand now, in the viewer's zone."""
    return Times(timezone.now(), timezone.get_current_timezone())


@register.simple_tag
def local_time(moment: datetime | str | None, absent: str = "—") -> SafeString | str:
    """The moment in the viewer's zone. Takes ISO text too, as kept in a frozen package."""
    return times_now().local(moment, absent)


@register.simple_tag
def time_ago(moment: datetime | str | None, absent: str = "never") -> SafeString | str:
    """How long ago, ticking in the browser; the exact instant on hover."""
    return times_now().ago(moment, absent)


@register.simple_tag(name="countdown")
def time_left(due_at: datetime | None, warn_at: datetime | None = None, absent: str = "") -> SafeString | str:
    """A live countdown: icon, words and colour. It turns amber at `warn_at` and red when due."""
    return times_now().left(due_at, warn_at, absent)


@cache
def _state_icons() -> str:
    """All three: the style shows the one of the state, which changes in the browser."""
    icons = (("ok", "clock"), ("warn", "hourglass-split"), ("late", "exclamation-octagon"))
    return "".join(
        f'<svg class="icon icon-{kind}" aria-hidden="true"><use href="{_sprite()}#{name}"></use></svg>'
        for kind, name in icons
    )


def _as_datetime(moment: datetime | str | None) -> datetime | None:
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return None
        return moment if moment.tzinfo else None
    return moment


# --- Scores --------------------------------------------------------------------------------------


@register.simple_tag
def score_axes(
    total: int, fit: int | None = None, engagement: int | None = None, threshold: int = 50
) -> SafeString:
    """The score with its two axes as bars; each bar is full at the threshold of an MQL."""
    if fit is None or engagement is None:
        return SafeString(f'<span class="score"><span class="score-total">{int(total)}</span></span>')
    words = f"Score {int(total)}: fit {int(fit)}, engagement {int(engagement)}"
    return SafeString(
        f'<span class="score" title="{words}">'
        f'<svg class="score-axes" viewBox="0 0 44 18" role="img" aria-label="{words}">'
        '<rect class="track" x="0" y="3" width="44" height="4" rx="2"/>'
        f'<rect class="fit" x="0" y="3" width="{_bar(fit, threshold)}" height="4" rx="2"/>'
        '<rect class="track" x="0" y="11" width="44" height="4" rx="2"/>'
        f'<rect class="engagement" x="0" y="11" width="{_bar(engagement, threshold)}" height="4" rx="2"/>'
        f'</svg><span class="score-total">{int(total)}</span></span>'
    )


@register.simple_tag
def score_grid(fit: int, engagement: int, threshold: int = 50) -> SafeString:
    """Fit and engagement as two axes (SCORE-8): the further up and right, the readier.

    A dot at the edge may lie beyond it; the figures say by how much.
    """
    words = f"Fit {fit}, engagement {engagement}"
    return format_html(
        '<svg class="axes-grid" viewBox="0 0 128 132" role="img" aria-label="{}">'
        '<rect class="field" x="14" y="4" width="108" height="108" rx="4"/>'
        '<path class="rule" d="M68 4v108M14 58h108"/>'
        '<circle class="dot" cx="{}" cy="{}" r="6"/>'
        '<text x="68" y="126" text-anchor="middle">Engagement {}</text>'
        '<text x="-58" y="9" text-anchor="middle" transform="rotate(-90)">Fit {}</text></svg>',
        words,
        14 + 8 + _share(engagement, 2 * threshold, 92),
        104 - _share(fit, threshold, 92),
        engagement,
        fit,
    )


def _bar(points: int, full: int) -> int:
    return _share(points, full, 44)


def _share(points: int, full: int, length: int) -> int:
    return max(0, min(length, round(length * points / full))) if full > 0 else 0


@register.filter
def points(value: int) -> str:
    """Points with their sign: '+20', '−5'."""
    return f"+{value}" if value >= 0 else f"−{-value}"


@register.filter
def thousands(value: int) -> str:
    """A count with separators: '8,410'."""
    return f"{value:,}"


@register.simple_tag
def share_bar(value: int, of: int) -> SafeString:
    """A horizontal bar for a table cell; the figure itself stands beside it."""
    width = round(100 * value / of, 1) if of else 0
    return format_html(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/><rect class="fill" width="{}" height="8"/></svg>',
        width,
    )


# --- Addresses -----------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: Any) -> str:
    """This page's query string with some values changed; None or '' removes one, and so do those that a form
    sent blank. Begins with '?'."""
    request: HttpRequest = context["request"]
    query = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        if name not in changes and any(values):
            query.setlist(name, values)
    for name, value in changes.items():
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def hidden_initial(field: BoundField) -> str:
    """What a field drawn by hand began with, for its form to tell what was typed over."""
    return field.as_hidden(only_initial=True) if field.field.show_hidden_initial else ""


@register.filter
def as_query(values: dict[str, Any]) -> str:
    """A dictionary as a query string without the '?'."""
    return urlencode(values)


@register.filter
def as_json(value: Any) -> str:
    """A value for an attribute such as `hx-vals`; escaping stays on."""
    return json.dumps(value)
