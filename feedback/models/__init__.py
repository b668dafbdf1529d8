"""What sales said about a lead, what becomes of it, and what marketing owes in return."""

from feedback.models.marketing import (
    Commitment,
    Dispute,
    DisputeQuerySet,
    MarketingTask,
    MarketingTaskQuerySet,
    Reading,
    ReadingQuerySet,
)
from feedback.models.policy import FeedbackPolicy
from feedback.models.verdicts import (
    MOST_ATTEMPTS,
    Recycling,
    RecyclingQuerySet,
    RejectionReason,
    Verdict,
    VerdictQuerySet,
    VerdictUndoing,
)
from feedback.models.voices import AcceptanceReason, Pulse, QualityCheck

__all__ = [
    "MOST_ATTEMPTS",
    "AcceptanceReason",
    "Commitment",
    "Dispute",
    "DisputeQuerySet",
    "FeedbackPolicy",
    "MarketingTask",
    "MarketingTaskQuerySet",
    "Pulse",
    "QualityCheck",
    "Reading",
    "ReadingQuerySet",
    "Recycling",
    "RecyclingQuerySet",
    "RejectionReason",
    "Verdict",
    "VerdictQuerySet",
    "VerdictUndoing",
]
