"""Durations and counts in words, as the shared tags say them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template

from common.templatetags.portal import span_words
from common.ticks import percentage
from sla.board import MOST_COUNTED
from sla.models import Clock
from sla.wording import missed_in_words

register = template.Library()


@register.filter
def duration_words(duration: timedelta) -> str:
    """A duration in words: '2 h 30 min'."""
    return span_words(duration // timedelta(seconds=1))


@register.filter
def seconds_words(seconds: float) -> str:
    return span_words(round(seconds))


@register.filter
def exact_words(seconds: int) -> str:
    """A duration of which no minute may be lost: '34 h 5 min', '2 min 30 s'."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts + [f"{rest} s"] * bool(rest and not hours)) or "0 s"


@register.filter
def percent_of(part: int, whole: int) -> str:
    """A share as '83.3 %'."""
    return percentage(part / whole)


@register.filter
def late_words(clock: Clock, now: datetime) -> str:
    """By how much the deadline was missed, so far or in the end."""
    return span_words(clock.seconds_late(now)) if clock.seconds_late(now) else "less than a second"


@register.filter
def missed_words(kind: str) -> str:
    return missed_in_words(kind)


@register.filter
def capped(number: int) -> str:
    """A count of the board, which stops counting at some point: '22' or '999+'."""
    return str(number) if number < MOST_COUNTED else f"{MOST_COUNTED - 1}+"
