"""Puts the demo into an empty portal: protocol, staff, keys, and the year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.services import go_away
from notifications.delivering import record_past_as_sent
from operations.demo.experiments import draft_webinar_points
from operations.demo.promises import answer_after_hours
from operations.demo.simulation import Simulation, Summary
from operations.demo.staff import hire_staff, issue_keys, open_offices, plan_vacation, write_playbook
from operations.demo.stories import YEAR
from protocol.services import load_preset

# The protocol was in force before the first lead came.
BEFORE = YEAR + timedelta(days=21)
STEPPED_OUT = timedelta(minutes=40)


@dataclass(frozen=True)
class Keys:
    """The secrets of one installation."""

    password: str
    api_token: str
    write_key: str


def install_demo(keys: Keys, *, seed: int, size: int, until: datetime) -> Summary:
    """Fill the portal. The caller decides about the transaction; the same seed and end give the same year."""
    founded_at = until - BEFORE
    open_offices()
    load_preset("classic", by=None, now=founded_at)
    staff = hire_staff(password=keys.password, now=founded_at)
    issue_keys(staff, api_token=keys.api_token, write_key=keys.write_key, now=founded_at)
    plan_vacation(staff, until=until)
    write_playbook()
    answer_after_hours()
    summary = Simulation(seed=seed, size=size, until=until, staff=staff).play()
    draft_webinar_points(staff["jo"], until=until)
    go_away(staff["dana"], now=until - STEPPED_OUT)
    record_past_as_sent(now=until)
    return summary
