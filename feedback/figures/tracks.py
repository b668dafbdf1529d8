"""The tracks on which rejected leads come back: how many on each, and when the next one wakes (FEED-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from feedback.models import Recycling, RejectionReason
from leads.models import Lead


@dataclass(frozen=True, slots=True)
class Track:
    """The leads held by one treatment. `next_wake_at` is None on tracks that wait for an event."""

    treatment: str
    leads: int
    next_wake_at: datetime | None
    parked: int
    more_than_once: int


@dataclass(frozen=True, slots=True)
class Tracks:
    """All tracks, and the returned leads that are on none: free to qualify again, or out for good."""

    tracks: tuple[Track, ...]
    free: int
    for_good: int

    @property
    def on_the_way(self) -> int:
        return sum(track.leads for track in self.tracks)


def measure_tracks() -> Tracks:
    rows = (
        Recycling.objects.under_way()
        .values("treatment")
        .annotate(
            leads=Count("pk"),
            next_wake_at=Min("wake_at", filter=Q(parked_at=None)),
            parked=Count("pk", filter=Q(parked_at__isnull=False)),
            more_than_once=Count("pk", filter=Q(lead__trips__gt=1)),
        )
        .order_by("-leads", "treatment")
    )
    labels = dict(RejectionReason.Treatment.choices)
    returned = Lead.objects.filter(stage=Lead.Stage.NURTURE, hold=Lead.Hold.NONE, trips__gt=0)
    return Tracks(
        tracks=tuple(Track(**row | {"treatment": labels[row["treatment"]]}) for row in rows),
        free=returned.count(),
        for_good=Lead.objects.filter(hold=Lead.Hold.FOR_GOOD).count(),
    )
