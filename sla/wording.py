"""Promises in plain words, the same on every page, in the admin and in the protocol document."""

from __future__ import annotations

from sla.deadlines import Promise
from sla.models import Target


def span_in_words(minutes: int) -> str:
    """ "15 minutes", "1 hour", "24 hours", "1 hour 30 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = [_count(hours, "hour")] * bool(hours) + [_count(rest, "minute")] * bool(rest)
    return " ".join(parts)


def promise_in_words(promise: Promise) -> str:
    """ "Within 24 business hours", "Within 15 minutes, around the clock", "By close of business"."""
    if promise.minutes is None:
        words = "By close of business of the day"
    elif promise.mode == Target.Mode.WALL:
        words = f"Within {span_in_words(promise.minutes)}, around the clock"
    else:
        words = f"Within {span_in_words(promise.minutes)} of working time"
    if promise.after_hours_minutes:
        words += f"; when it comes in after hours, {span_in_words(promise.after_hours_minutes)} after opening"
    return words


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
