"""What the crowd was answered, and whether the database agrees."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from bench.figures import percentile

# The entry that each act leaves in the log of the lead.
ENTRIES = {
    "accept": ("accepted",),
    "claim": ("claimed", "accepted"),
    "reject": ("rejected",),
    "attempt": ("attempted",),
}
LOST_RACE = 409
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: what it was for, when it was sent (time.perf_counter), how it ended, how long it took."""

    kind: str
    sent_at: float
    status: int
    seconds: float
    is_expected: bool


@dataclass
class Diary:
    """Everything that was asked, and the acts of which the portal said that they are done.

    What was asked before `timed_from` counts as an error when it is one, but not as a time.
    """

    answers: list[Answer] = field(default_factory=list)
    done: list[tuple[str, int, int]] = field(default_factory=list)  # act, handoff, user
    timed_from: float = 0.0

    def errors(self) -> dict[str, int]:
        """How many answers of which kind were none, or not what the page may be answered."""
        bad = (answer for answer in self.answers if not answer.is_expected)
        return dict(Counter(f"{answer.kind}: {answer.status or 'no answer'}" for answer in bad))

    def lost_races(self) -> int:
        return sum(answer.status == LOST_RACE for answer in self.answers)

    def milliseconds(self) -> dict[str, list[float]]:
        """What each took, by its kind."""
        by_kind: dict[str, list[float]] = defaultdict(list)
        for answer in self.answers:
            if answer.sent_at >= self.timed_from:
                by_kind[answer.kind].append(answer.seconds * 1000)
        return dict(sorted(by_kind.items()))


def summary(milliseconds: Iterable[float]) -> dict[str, float]:
    taken = list(milliseconds)
    points = {"p50": 50, "p95": 95, "max": 100}
    return {"count": len(taken)} | {name: round(percentile(taken, at), 1) for name, at in points.items()}


# --- What is on record --------------------------------------------------------------------------


def faults(done: Iterable[tuple[str, int, int]]) -> list[str]:
    """Where the database says something else than the people were told, in sentences; best none.

    Asked in SQL, without the portal's own code, when nobody acts any more.
    """
    return [*_taken_twice(), *_told_otherwise(done)]


def _taken_twice() -> list[str]:
    found = [
        f"Handoff {handoff} was {kind} {times} times."
        for kind, handoff, times in _ask(
            """
            SELECT kind, handoff_id, count(*) FROM leads_leadevent
            WHERE kind IN ('accepted', 'claimed', 'rejected') GROUP BY 1, 2 HAVING count(*) > 1
            """
        )
    ]
    found += [
        f"Lead {lead} has {handoffs} open handoffs."
        for lead, handoffs in _ask(
            """
            SELECT lead_id, count(*) FROM handoffs_handoff WHERE closed_at IS NULL
            GROUP BY 1 HAVING count(*) > 1
            """
        )
    ]
    found += [
        f"Handoff {handoff} is with somebody else than who accepted it."
        for (handoff,) in _ask("SELECT id FROM handoffs_handoff WHERE accepted_by_id <> owner_id")
    ]
    return found


def _told_otherwise(done: Iterable[tuple[str, int, int]]) -> list[str]:
    """Every act answered as done is on record exactly once, by that person, and no other is."""
    told = Counter((kind, handoff, user) for act, handoff, user in done for kind in ENTRIES[act])
    kinds = sorted({kind for entries in ENTRIES.values() for kind in entries})
    rows = _ask(
        "SELECT kind, handoff_id, by_id, count(*) FROM leads_leadevent WHERE kind = ANY(%s) GROUP BY 1, 2, 3",
        kinds,
    )
    recorded = {(kind, handoff, user): times for kind, handoff, user, times in rows}
    return [
        f"User {user} was told {told[kind, handoff, user]} times that handoff {handoff} is {kind}; "
        f"on record: {recorded.get((kind, handoff, user), 0)}."
        for kind, handoff, user in sorted(told.keys() | recorded.keys())
        if told[kind, handoff, user] != recorded.get((kind, handoff, user), 0)
    ]


def _ask(question: str, *values: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
