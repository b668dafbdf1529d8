"""Background work of feedback; each function takes the time once and calls one verb."""

from __future__ import annotations

from django.utils import timezone

from feedback.pulses import ask_for_pulses
from feedback.readings import remind_of_late_readings
from feedback.recycling import wake_recyclings
from feedback.reviews import ask_for_review
from feedback.tasks_for_marketing import open_gap_tasks, remind_of_late_tasks


def wake_recyclings_task() -> None:
    wake_recyclings(now=timezone.now())


def open_gap_tasks_task() -> None:
    open_gap_tasks(now=timezone.now())


def remind_of_late_tasks_task() -> None:
    remind_of_late_tasks(now=timezone.now())


def ask_for_pulses_task() -> None:
    ask_for_pulses(now=timezone.now())


def ask_for_review_task() -> None:
    ask_for_review(now=timezone.now())


def remind_of_late_readings_task() -> None:
    remind_of_late_readings(now=timezone.now())
